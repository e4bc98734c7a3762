"""The exercises of chapter 04: solutions and other right answers pass, typical mistakes get their own hint."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, signal

from course_utils.exercises import chapter_04, find

IDS = ("04-1", "04-2", "04-3", "04-4")
NAMES = dict(zip(IDS, ("plan", "correlate_same", "gradients", "rows_seen"), strict=True))


@pytest.mark.parametrize("number", IDS)
def test_the_chapters_solution_passes(number, chapter_functions):
    solution = chapter_functions("04", NAMES[number], exercise=number)[NAMES[number]]
    assert find(number).judge(solution)


@pytest.mark.parametrize("number", IDS)
def test_an_untouched_stub_is_not_attempted(number):
    reference = find(number).judge.reference
    namespace = {}
    arguments = ", ".join(reference.__code__.co_varnames[: reference.__code__.co_argcount])
    defaults = ", p=0, s=1, d=1" if number == "04-1" else ""
    arguments = arguments.split(", p,")[0] + defaults
    exec(f"def {reference.__name__}({arguments}):\n    ...", namespace)
    assert find(number).judge(namespace[reference.__name__]).state == "not attempted"


@pytest.mark.parametrize("number", IDS)
def test_no_hint_holds_the_solution(number):
    for mistake in find(number).judge.mistakes:
        assert "einsum" not in mistake.hint and "return (" not in mistake.hint


# 04-1 -------------------------------------------------------------------------------------------------------------


def plan_by_counting(n, k, c_in, c_out, p=0, s=1, d=1):
    starts = [x for x in range(0, n + 2 * p, s) if x + d * (k - 1) < n + 2 * p]
    weights = np.zeros((k, k, c_in, c_out))
    return [len(starts), weights.size + c_out]


def plan_by_floor(n, k, c_in, c_out, p=0, s=1, d=1):
    span = d * (k - 1) + 1
    return np.floor((n + 2 * p - span) / s).astype(int) + 1, k**2 * c_in * c_out + c_out


@pytest.mark.parametrize("answer", [plan_by_counting, plan_by_floor])
def test_any_right_plan_passes(answer):
    assert find("04-1").judge(answer)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda n, k, c_in, c_out, p=0, s=1, d=1: (plan_by_counting(n, k, c_in, c_out, p, s, d)[0] - 1,
                                                   (k * k * c_in + 1) * c_out), "One place is missing"),
        (lambda n, k, c_in, c_out, p=0, s=1, d=1: (plan_by_counting(n, k, c_in, c_out, p, s, 1)[0],
                                                   (k * k * c_in + 1) * c_out), "Dilation spreads"),
        (lambda n, k, c_in, c_out, p=0, s=1, d=1: (plan_by_counting(n, k, c_in, c_out, p, s, d)[0],
                                                   k * k * c_in * c_out), "biases are missing"),
    ],
)  # fmt: skip
def test_a_wrong_plan_gets_the_hint_for_it(answer, hint):
    verdict = find("04-1").judge(answer)
    assert verdict.state == "wrong" and hint in verdict.hint


@settings(max_examples=100, deadline=None)
@given(*(st.integers(low, high) for low, high in ((8, 40), (1, 4), (1, 5), (1, 5), (0, 3), (1, 4), (1, 2))))
def test_the_reference_plan_counts_places(n, k, c_in, c_out, p, s, d):
    given_ = (n, k, c_in, c_out, p, s, d)
    assert list(chapter_04.plan(*given_)) == plan_by_counting(*given_)


# 04-2 -------------------------------------------------------------------------------------------------------------


def same_by_scipy(a, w):
    return signal.correlate2d(a, w, mode="same")


def same_by_ndimage(a, w):
    return ndimage.correlate(a, w, mode="constant")


def same_by_loops(a, w):
    (k, m), z = w.shape, np.zeros(a.shape)
    for x, y, i, j in np.ndindex(*a.shape, k, m):
        u, v = x + i - k // 2, y + j - m // 2
        if 0 <= u < a.shape[0] and 0 <= v < a.shape[1]:
            z[x, y] += w[i, j] * a[u, v]
    return z


@pytest.mark.parametrize("answer", [same_by_scipy, same_by_ndimage, same_by_loops])
def test_any_right_correlation_passes(answer):
    assert find("04-2").judge(answer)


@pytest.mark.parametrize(
    ("answer", "mistake"),
    [
        (lambda a, w: signal.convolve2d(a, w, mode="same"), "kernel flipped"),
        (lambda a, w: signal.correlate2d(a, w, mode="valid"), "no padding"),
        (lambda a, w: signal.correlate2d(a, w, mode="full"), "too much padding"),
        (lambda a, w: ndimage.correlate(a, w, mode="nearest"), "border repeated"),
        (lambda a, w: signal.correlate2d(a, w, mode="same", boundary="wrap"), "wrapped"),
    ],
)
def test_a_wrong_correlation_gets_the_hint_for_it(answer, mistake):
    verdict = find("04-2").judge(answer)
    assert (verdict.state, verdict.mistake) == ("wrong", mistake)


def test_a_wrong_shape_is_shown_with_both_shapes():
    verdict = find("04-2").judge(lambda a, w: signal.correlate2d(a, w, mode="valid"))
    assert "(2, 3)" in verdict.message and "(4, 5)" in verdict.message


# 04-3 -------------------------------------------------------------------------------------------------------------


def gradients_by_scipy(x, k, target):
    delta = (signal.correlate2d(x, k, mode="valid") - target) / np.prod(target.shape)
    return signal.correlate2d(x, delta, mode="valid"), signal.convolve2d(delta, k, mode="full")


def gradients_by_slices(x, k, target):
    (rows, columns), grad_k, grad_x, z = target.shape, np.zeros(k.shape), np.zeros(x.shape), np.zeros(target.shape)
    for i, j in np.ndindex(k.shape):
        z += k[i, j] * x[i : i + rows, j : j + columns]
    delta = (z - target) / z.size
    for i, j in np.ndindex(k.shape):
        grad_k[i, j] = (delta * x[i : i + rows, j : j + columns]).sum()
        grad_x[i : i + rows, j : j + columns] += k[i, j] * delta
    return [grad_k, grad_x]


@pytest.mark.parametrize("answer", [gradients_by_scipy, gradients_by_slices])
def test_any_right_gradients_pass(answer):
    assert find("04-3").judge(answer)


def spoilt(change):
    def answer(x, k, target):
        return change(*gradients_by_scipy(x, k, target), x, k, target)

    return answer


@pytest.mark.parametrize(
    ("answer", "mistake"),
    [
        (spoilt(lambda gk, gx, x, k, t: (gk * t.size, gx * t.size)), "sum for mean"),
        (spoilt(lambda gk, gx, x, k, t: (-gk, -gx)), "sign"),
        (spoilt(lambda gk, gx, x, k, t: (gx, gk)), "swapped"),
        (spoilt(lambda gk, gx, x, k, t: (gk[::-1, ::-1], gx)), "kernel's gradient flipped"),
        (
            spoilt(lambda gk, gx, x, k, t: (
                gk, signal.correlate2d((signal.correlate2d(x, k, "valid") - t) / t.size, k, mode="full"))),
            "kernel not flipped",
        ),
        (
            spoilt(lambda gk, gx, x, k, t: (
                gk, signal.convolve2d((signal.correlate2d(x, k, "valid") - t) / t.size, k, mode="valid"))),
            "valid for full",
        ),
    ],
)  # fmt: skip
def test_wrong_gradients_get_the_hint_for_it(answer, mistake):
    verdict = find("04-3").judge(answer)
    assert (verdict.state, verdict.mistake) == ("wrong", mistake)


def test_nan_in_a_gradient_is_named():
    verdict = find("04-3").judge(spoilt(lambda gk, gx, x, k, t: (gk * np.nan, gx)))
    assert verdict.state == "wrong" and "NaN" in verdict.message


def test_a_gradient_of_another_shape_is_shown_with_both_shapes():
    verdict = find("04-3").judge(spoilt(lambda gk, gx, x, k, t: (gk, gx[1:])))
    assert "(5, 6)" in verdict.message and "(6, 6)" in verdict.message


# 04-4 -------------------------------------------------------------------------------------------------------------


def rows_by_trial(stack, x):
    """Which rows of a long image change row x of the last map when they change?"""
    import math

    n = 200
    base = np.zeros(n)

    def run(a):
        for k, s, d in stack:
            places = range(0, len(a) - d * (k - 1), s)
            a = np.array([sum(a[at + d * i] for i in range(k)) for at in places])
        return a[x]

    hits = []
    for row in range(n):
        moved = base.copy()
        moved[row] = 1
        if not math.isclose(run(moved), 0.0, abs_tol=1e-12):
            hits.append(row)
    return hits[0], hits[-1]


def rows_by_size(stack, x):
    r, g = 1, 1
    for k, s, d in stack:
        r, g = r + d * (k - 1) * g, g * s
    return g * x, g * x + r - 1


@pytest.mark.parametrize("answer", [rows_by_trial, rows_by_size])
def test_any_right_rows_pass(answer):
    assert find("04-4").judge(answer)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda stack, x: rows_by_size(stack[::-1], x), "first layer to the last"),
        (lambda stack, x: (rows_by_size(stack, x)[0], rows_by_size(stack, x)[1] + 1), "not the one after"),
        (lambda stack, x: rows_by_size([(k, s, 1) for k, s, d in stack], x), "Dilation is not used"),
        (lambda stack, x: rows_by_size([(k, 1, d) for k, s, d in stack], x), "stride is not used"),
    ],
)
def test_wrong_rows_get_the_hint_for_it(answer, hint):
    verdict = find("04-4").judge(answer)
    assert verdict.state == "wrong" and hint in verdict.hint
