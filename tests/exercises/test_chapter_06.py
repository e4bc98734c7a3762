"""The exercises of chapter 06: solutions and other right answers pass, typical mistakes get their own hint."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import cKDTree  # at the top: a first import may take longer than the judge's five seconds
from scipy.stats import entropy

from course_utils.exercises import chapter_06, find


def test_every_mistake_is_told_from_the_reference_and_from_the_others():
    for k in (2, 3, 4):
        assert find(f"06-{k}").judge.problems() == [], k


@pytest.mark.parametrize("k", [2, 3, 4])
def test_every_listed_mistake_gets_its_own_hint(k):
    judge = find(f"06-{k}").judge
    for mistake in judge.mistakes:
        verdict = judge(mistake.wrong)
        assert (verdict.state, verdict.mistake, verdict.hint) == ("wrong", mistake.name, mistake.hint)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_the_untouched_stub_is_no_attempt(k):
    judge = find(f"06-{k}").judge

    def stub(first, second, third=None):
        return ...

    assert judge(stub).state == "not attempted"


@pytest.mark.parametrize(("k", "name"), [(2, "generator_loss_gradient"), (3, "kid"), (4, "effective_modes")])
def test_the_chapters_own_solution_passes(chapter_functions, k, name):
    solution = chapter_functions("06", name, exercise=f"06-{k}", n=None, counts=None)[name]
    assert find(f"06-{k}").judge(solution)


# 06-1 -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [math.log(3), np.log(0.75) - np.log(0.25), 1.0986, np.float32(1.1), 1.1])
def test_the_right_logit_passes(answer):
    assert find("06-1").judge(answer)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (0.75, "best *probability*"),
        (0.25, "probability of *generated*"),
        (-math.log(3), "The sign"),
        (3, "ratio of the densities"),
        (math.log10(3), "base 10"),
        (math.log2(3), "base 2"),
        (math.log(0.75), "log D*"),
        (0.4, "difference of their *logarithms*"),
        (0.679, "once more"),
        (7.0, "Section 2"),
    ],
)
def test_a_wrong_logit_gets_the_hint_for_it(answer, hint):
    verdict = find("06-1").judge(answer)
    assert verdict.state == "wrong"
    assert hint in verdict.hint


@given(st.floats(allow_nan=True).filter(lambda answer: not abs(answer - math.log(3)) < 0.01))
def test_no_other_number_passes_and_none_gives_the_answer_away(answer):
    verdict = find("06-1").judge(answer)
    assert verdict.state == "wrong"
    assert "1.09" not in verdict.hint + verdict.message


# 06-2 -------------------------------------------------------------------------------------------------------------


def stable_by_cases(a, t):
    d = np.where(a >= 0, 1 / (1 + np.exp(-np.abs(a))), np.exp(-np.abs(a)) / (1 + np.exp(-np.abs(a))))
    return np.array([(one - t) / a.size for one in d])


def by_two_terms(a, t):
    d = 0.5 * (1 + np.tanh(a / 2))
    return (-t * (1 - d) + (1 - t) * d) / a.shape[0]


def plain(a, t):
    return (1 / (1 + np.exp(-a)) - t) / len(a)  # overflows for -800 with a warning, and is right


@pytest.mark.parametrize("answer", [stable_by_cases, by_two_terms, plain])
def test_any_right_gradient_passes(answer):
    assert find("06-2").judge(answer)


def test_nan_in_a_gradient_is_named():
    def all_nan(a, t):
        return a * np.nan

    verdict = find("06-2").judge(all_nan)
    assert verdict.state == "wrong"
    assert "NaN" in verdict.message


def test_shapes_that_do_not_match_say_both():
    verdict = find("06-2").judge(lambda a, t: np.zeros((len(a), 1)))
    assert verdict.state == "wrong"
    assert "(3, 1)" in verdict.message and "(3,)" in verdict.message


def test_a_gradient_that_spoils_its_input_is_told_so():
    def in_place(a, t):
        a[:] = (0.5 * (1 + np.tanh(a / 2)) - t) / len(a)
        return a

    assert find("06-2").judge(in_place).mistake == "changes its input"


# 06-3 -------------------------------------------------------------------------------------------------------------


def kid_by_loops(real, fake):
    def k(x, y):
        return (np.dot(x, y) / len(x) + 1) ** 3

    def within(rows):
        n = len(rows)
        return sum(k(rows[i], rows[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))

    return within(real) + within(fake) - 2 * np.mean([k(x, y) for x in real for y in fake])


def kid_by_upper_triangle(real, fake):
    def k(x, y):
        return (np.einsum("id,jd->ij", x, y) / x.shape[-1] + 1) ** 3

    def within(rows):
        return k(rows, rows)[np.triu_indices(len(rows), 1)].mean()

    return within(real) + within(fake) - 2 * k(real, fake).mean()


@pytest.mark.parametrize("answer", [kid_by_loops, kid_by_upper_triangle])
def test_any_right_distance_passes(answer):
    assert find("06-3").judge(answer)


def test_the_distance_has_no_bias():
    random = np.random.default_rng(0)
    drawn = [chapter_06.kid(*random.normal(size=(2, 10, 4))) for _ in range(3000)]
    assert abs(np.mean(drawn)) < 4 * np.std(drawn) / math.sqrt(len(drawn))


# 06-4 -------------------------------------------------------------------------------------------------------------


def modes_by_loops(points, centres, radius):
    counts = dict.fromkeys(range(len(centres)), 0)
    for point in points:
        distances = [math.dist(point, centre) for centre in centres]
        if min(distances) <= radius:
            counts[int(np.argmin(distances))] += 1
    total = sum(counts.values())
    return math.exp(-sum(c / total * math.log(c / total) for c in counts.values() if c)) if total else 0


def modes_with_scipy(points, centres, radius):
    distance, nearest = cKDTree(centres).query(points)
    counts = np.bincount(nearest[distance <= radius], minlength=len(centres))
    return np.exp(entropy(counts)) if counts.any() else 0.0


@pytest.mark.parametrize("answer", [modes_by_loops, modes_with_scipy])
def test_any_right_count_passes(answer):
    assert find("06-4").judge(answer)


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 60))
def test_the_effective_number_lies_between_one_and_the_covered_modes(seed, k, n):
    random = np.random.default_rng(seed)
    centres = np.column_stack([10.0 * np.arange(k), np.zeros(k)])
    which = random.integers(k, size=n)
    value = chapter_06.effective_modes(centres[which], centres, 1.0)
    assert 1 - 1e-9 <= value <= len(np.unique(which)) + 1e-9
