"""The exercises of chapter 01: solutions and other right answers pass, typical mistakes get their own hint."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.exercises import chapter_01, find

D, L, V, C = 1_024, 24, 50_257, 1_024
RIGHT = 354_823_168


@pytest.mark.parametrize("exercise", ["01-2", "01-3", "01-4"])
def test_the_cases_tell_every_mistake_from_the_others_and_from_the_reference(exercise):
    assert find(exercise).judge.problems() == []


# 01-1 -------------------------------------------------------------------------------------------------------------


def test_the_count_is_that_of_the_parts_by_hand():
    attention = 4 * (D * D + D)
    feed_forward = (D * 4 * D + 4 * D) + (4 * D * D + D)
    block = attention + feed_forward + 2 * (D + D)
    assert L * block + V * D + C * D + 2 * D == find("01-1").judge.expected == RIGHT


@pytest.mark.parametrize("answer", [RIGHT, float(RIGHT), np.int64(RIGHT)])
def test_the_right_count_passes(answer):
    assert find("01-1").judge(answer)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (L * (12 * D**2 + 13 * D) + 2 * D, "embeddings are missing"),
        (L * (12 * D**2 + 13 * D), "blocks alone"),
        (RIGHT - C * D, "positions are missing"),
        (RIGHT - V * D, "50,257 tokens are missing"),
        (RIGHT - 2 * D, "after the last block"),
        (RIGHT - L * 8 * D**2, "attention only"),
        (RIGHT - L * 4 * D**2, "feed-forward layers only"),
        (RIGHT - L * 6 * D**2, "four times as wide"),
        (RIGHT - L * 13 * D, "biases and normalisations in the blocks"),
        (RIGHT - L * 13 * D - 2 * D, "2 d at the end"),
        (RIGHT - L * 4 * D, "two normalisations in each block"),
        (RIGHT - L * 9 * D, "4 d of the 13 d"),
        (RIGHT + V * D, "once more"),
        (RIGHT - 23 * (12 * D**2 + 13 * D), "one block"),
        (L * 12 * D**2, "rule of thumb"),
        (345_000_000, "Add up"),
    ],
)
def test_a_wrong_count_gets_the_hint_for_it(answer, hint):
    verdict = find("01-1").judge(answer)
    assert verdict.state == "wrong"
    assert hint in verdict.hint


@given(st.one_of(st.integers(), st.floats(), st.integers(10**8, 10**9)).filter(lambda answer: answer != RIGHT))
def test_no_other_number_passes_and_none_gives_the_answer_away(answer):
    verdict = find("01-1").judge(answer)
    assert verdict.state == "wrong"
    assert str(RIGHT) not in (verdict.hint + verdict.message).replace(",", "").replace("_", "")


# 01-2 -------------------------------------------------------------------------------------------------------------


def by_items(frozen, trained, bytes_each):
    items = {"parameter": 2, "gradient": 2, "copy": 4, "first average": 4, "second average": 4}
    return frozen * bytes_each / 1024**3 + sum(items.values()) * trained / 1024**3


def in_float32(frozen, trained, bytes_each):
    return (frozen * bytes_each + (4 + 4 + 8) * trained) * 2.0**-30


def as_array(frozen, trained, bytes_each):
    return np.array([frozen, trained]) @ np.array([bytes_each, 16]) / 2**30


@pytest.mark.parametrize("answer", [by_items, in_float32, as_array])
def test_any_right_lora_memory_passes(answer):
    assert find("01-2").judge(answer)


@pytest.mark.parametrize(
    ("answer", "mistake", "hint"),
    [
        (lambda f, t, b: (b * f + 16 * t) / 1e9, "GB for GiB", "2³⁰"),
        (lambda f, t, b: b * f + 16 * t, "bytes", "Divide by"),
        (lambda f, t, b: (b * f + (2 + 4 + 4 + 4) * t) / 2**30, "a 16-bit item forgotten", "gradient"),
        (lambda f, t, b: (b * f + (2 + 2 + 4 + 4) * t) / 2**30, "a 32-bit item forgotten", "*two* averages"),
        (lambda f, t, b: (b * f + 8 * t) / 2**30, "one average of two", "2 + 2 + 4 + 4 + 4"),
        (lambda f, t, b: (b * f + 2 * t) / 2**30, "trained parameters without their state", "two averages"),
        (lambda f, t, b: b * f / 2**30, "nothing trained", "16 bytes"),
        (lambda f, t, b: 16 * (f + t) / 2**30, "all trained", "no gradient"),
        (lambda f, t, b: (2 * f + 16 * t) / 2**30, "frozen ones at 16 bits", "`bytes_each`"),
        (lambda f, t, b: (b * f / 8 + 16 * t) / 2**30, "bits", "do not divide"),
        (lambda f, t, b: (b * f + 8 * b * t) / 2**30, "trained scaled by bytes_each", "*frozen*"),
    ],
)
def test_a_wrong_lora_memory_gets_the_hint_for_it(answer, mistake, hint):
    def lora_memory(frozen, trained, bytes_each):
        return answer(frozen, trained, bytes_each)

    verdict = find("01-2").judge(lora_memory)
    assert (verdict.state, verdict.mistake) == ("wrong", mistake)
    assert hint in verdict.hint


# 01-3 -------------------------------------------------------------------------------------------------------------


def by_limits(fixed_a, each_a, fixed_b, each_b):
    saved, more = each_a - each_b, fixed_b - fixed_a
    if saved > 0:
        return max(more, 0) / saved
    return 0 if saved == 0 and more < 0 else float("inf")


def by_cases(fixed_a, each_a, fixed_b, each_b):
    if each_b < each_a:
        crossing = (fixed_b - fixed_a) / (each_a - each_b)
        return np.float64(crossing) if crossing > 0 else 0
    if each_b == each_a and fixed_b < fixed_a:
        return 0
    return np.inf


@pytest.mark.parametrize("answer", [by_limits, by_cases])
def test_any_right_break_even_passes(answer):
    assert find("01-3").judge(answer)


def unlimited(fa, ea, fb, eb):
    return (fb - fa) / (ea - eb)


def never_is_zero(fa, ea, fb, eb):
    right = by_limits(fa, ea, fb, eb)
    return 0 if right == np.inf else right


def wrong_sign(fa, ea, fb, eb):
    right = by_limits(fa, ea, fb, eb)
    return (fa - fb) / (ea - eb) if 0 < right < np.inf else right


def only_a(fa, ea, fb, eb):
    right = by_limits(fa, ea, fb, eb)
    return (fb - fa) / ea if 0 < right < np.inf else right


@pytest.mark.parametrize(
    ("answer", "mistake", "hint"),
    [
        (unlimited, "division by zero", "parallel"),
        (lambda fa, ea, fb, eb: float(np.divide(fb - fa, ea - eb)), "always a crossing", "three cases"),
        (never_is_zero, "0 for never", "`np.inf`"),
        (wrong_sign, "sign", "saves"),
        (only_a, "B's own requests forgotten", "not free"),
        (lambda fa, ea, fb, eb: by_limits(fa, ea, fb, eb) if ea == eb else max(0.0, unlimited(fa, ea, fb, eb)),
         "clipped at zero", "two meanings"),
        (lambda fa, ea, fb, eb: unlimited(fa, ea, fb, eb) if fb < fa and eb > ea else by_limits(fa, ea, fb, eb),
         "up to, for from", "end of its advantage"),
        (lambda fa, ea, fb, eb: unlimited(fa, ea, fb, eb) if eb < ea else by_limits(fa, ea, fb, eb),
         "negative for always", "return 0"),
    ],
)  # fmt: skip
def test_a_wrong_break_even_gets_the_hint_for_it(answer, mistake, hint):
    def break_even(fixed_a, each_a, fixed_b, each_b):
        with np.errstate(all="ignore"):
            return answer(fixed_a, each_a, fixed_b, each_b)

    verdict = find("01-3").judge(break_even)
    assert (verdict.state, verdict.mistake) == ("wrong", mistake)
    assert hint in verdict.hint


whole = st.integers(0, 1_000)


@given(whole, whole, whole, whole)
def test_the_reference_is_what_the_costs_themselves_say(fixed_a, each_a, fixed_b, each_b):
    volume = chapter_01.break_even(fixed_a, each_a, fixed_b, each_b)

    def cheaper(v):
        return fixed_b + each_b * v < fixed_a + each_a * v

    if volume == np.inf:
        assert not cheaper(10**7)
    else:
        assert cheaper(volume + 1)
        assert volume == 0 or not cheaper(volume - 1e-3)


# 01-4 -------------------------------------------------------------------------------------------------------------


def by_sorting(flops, needed_gb, devices):
    able = [(flops / (tf * 0.4e12) * usd, name) for name, (gb, tf, usd) in devices.items() if gb >= needed_gb]
    return sorted(able)[0][1] if able else "none"


def by_loop(flops, needed_gb, devices):
    best, lowest = "none", float("inf")
    for name in devices:
        gb, tf, usd = devices[name]
        cost = flops / tf * usd
        if gb >= needed_gb and cost < lowest:
            best, lowest = name, cost
    return best


@pytest.mark.parametrize("answer", [by_sorting, by_loop])
def test_any_right_choice_of_device_passes(answer):
    assert find("01-4").judge(answer)


def pick(key, fits=lambda gb, needed: needed <= gb):
    def cheapest_device(flops, needed_gb, devices):
        able = [name for name, (gb, _, _) in devices.items() if fits(gb, needed_gb)]
        return min(able, key=lambda name: key(*devices[name])) if able else "none"

    return cheapest_device


@pytest.mark.parametrize(
    ("answer", "mistake", "hint"),
    [
        (pick(lambda gb, tf, usd: usd / tf, lambda gb, needed: True), "fits ignored", "too small"),
        (pick(lambda gb, tf, usd: usd), "lowest price an hour", "*an hour*"),
        (pick(lambda gb, tf, usd: -tf), "fastest", "fastest"),
        (pick(lambda gb, tf, usd: usd * tf), "speed upside down", "*over*"),
        (pick(lambda gb, tf, usd: gb), "smallest that fits", "smallest"),
        (pick(lambda gb, tf, usd: -usd / tf), "dearest", "minimum"),
        (pick(lambda gb, tf, usd: usd / tf, lambda gb, needed: needed < gb), "strict", "`<=`"),
    ],
)
def test_a_wrong_choice_of_device_gets_the_hint_for_it(answer, mistake, hint):
    verdict = find("01-4").judge(answer)
    assert (verdict.state, verdict.mistake) == ("wrong", mistake)
    assert hint in verdict.hint


def test_the_names_of_the_solutions_are_those_asked_for(chapter_functions):
    for exercise, name in (("01-2", "lora_memory"), ("01-3", "break_even"), ("01-4", "cheapest_device")):
        assert find(exercise).judge(chapter_functions("01", name, exercise=exercise)[name])
