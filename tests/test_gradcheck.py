"""Gradient checks: known gradients pass, wrong ones do not, and what cannot be compared is refused in a sentence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import gradcheck
from course_utils.errors import CourseError


def random(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


@settings(max_examples=100)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_the_gradient_of_a_quadratic_form_is_found(n, m, seed):
    A, x = random(seed, n, m), random(seed + 1, m)
    found = gradcheck.central_difference(lambda: float(((A @ x) ** 2).sum()), x)
    assert gradcheck.relative_error(2 * A.T @ (A @ x), found) < 1e-8


@given(st.floats(-1e6, 1e6))
def test_the_step_grows_with_the_entry(value):
    x = np.array([value])
    found = gradcheck.central_difference(lambda: float(x[0] * 3), x)
    assert found[0] == pytest.approx(3, rel=1e-6)


def test_the_array_is_as_it_was_afterwards_even_if_the_loss_raises():
    x = random(0, 3)
    before = x.copy()
    gradcheck.central_difference(lambda: float((x**3).sum()), x)
    assert np.array_equal(x, before)

    def fails():
        raise ValueError("no loss today")

    with pytest.raises(ValueError, match="no loss today"):
        gradcheck.central_difference(fails, x)
    assert np.array_equal(x, before)


def test_a_single_number_has_a_gradient_too():
    x = np.array(2.0)
    assert gradcheck.central_difference(lambda: float(x**2), x) == pytest.approx(4)


@pytest.mark.parametrize(
    ("array", "loss", "message"),
    [
        (np.ones(2, "float32"), lambda: 0.0, "needs a float64 array; it got an array of float32"),
        ([1.0, 2.0], lambda: 0.0, "it got a list"),
        (np.broadcast_to(1.0, 3), lambda: 0.0, "read-only"),
        (np.ones(2), lambda: np.ones(3), r"single number; it has shape \(3,\)"),
        (np.ones(2), lambda: float("nan"), "The loss is nan here"),
        (np.ones(2), lambda: float("inf"), "The loss is inf here"),
    ],
)
def test_what_cannot_be_measured_is_refused(array, loss, message):
    with pytest.raises(CourseError, match=message):
        gradcheck.central_difference(loss, array)


def test_the_relative_error_lies_between_equal_and_opposite():
    a = random(0, 4, 3)
    assert gradcheck.relative_error(a, a) == 0
    assert gradcheck.relative_error(a, -a) == pytest.approx(1)
    assert gradcheck.relative_error(a, a * (1 + 1e-7)) == pytest.approx(5e-8, rel=0.01)
    assert gradcheck.relative_error(np.zeros(3), np.zeros(3)) == 0
    assert gradcheck.relative_error(np.zeros(3), np.ones(3)) == 1


def test_a_difference_as_small_as_the_loss_rounding_says_nothing_and_a_larger_one_still_does():
    tiny = np.full(3, 1e-7)
    assert gradcheck.relative_error(tiny, tiny + 1e-11) > 1e-6
    assert gradcheck.relative_error(tiny + 1e-11, tiny, least=1e-3) == pytest.approx(np.sqrt(3) * 1e-8)
    assert gradcheck.relative_error(2 * tiny, tiny, least=1e-3) > 1e-4
    large = np.full(3, 1e-2)
    assert gradcheck.relative_error(large * 1.001, large, least=1e-3) == gradcheck.relative_error(large * 1.001, large)
    assert gradcheck.relative_error(large, tiny, least=1e-3) > 1
    assert gradcheck.relative_error(np.zeros(3), np.zeros(3), least=1e-3) == 0


@pytest.mark.parametrize(
    ("ours", "theirs", "message"),
    [
        (np.ones((3, 2)), np.ones((2, 3)), r"your gradient has shape \(3, 2\), the other one \(2, 3\)"),
        (np.array([1.0, np.nan]), np.ones(2), r"Your gradient holds NaN \(not a number\), first at position 1"),
        (np.array([[1.0, np.inf]]), np.ones((1, 2)), r"infinite, first at position \(0, 1\)"),
        (np.ones(2), np.array([np.nan, 1]), "The other gradient holds NaN"),
        (np.float64("nan"), 1.0, "NaN.*its only entry"),
    ],
)
def test_gradients_that_cannot_be_compared_are_refused(ours, theirs, message):
    with pytest.raises(CourseError, match=message):
        gradcheck.relative_error(ours, theirs)


@pytest.mark.parametrize("seed", range(3))
def test_the_framework_agrees_with_the_difference(seed):
    from keras import ops

    A, W = random(seed, 3, 2), random(seed + 10, 2, 4)
    by_a, by_w = gradcheck.by_framework(lambda a, w: ops.sum(ops.tanh(ops.matmul(a, w))), A, W)
    assert by_a.dtype == by_w.dtype == np.float64
    for array, found in ((A, by_a), (W, by_w)):
        measured = gradcheck.central_difference(lambda: float(np.tanh(A @ W).sum()), array)
        assert gradcheck.relative_error(found, measured) < 1e-9


def test_an_input_that_does_not_matter_has_a_zero_gradient():
    from keras import ops

    by_a, by_b = gradcheck.by_framework(lambda a, b: ops.sum(a), np.ones(2), np.ones((3, 1)))
    assert np.array_equal(by_a, np.ones(2)) and np.array_equal(by_b, np.zeros((3, 1)))


def test_a_function_that_returns_many_numbers_is_refused():
    with pytest.raises(CourseError, match=r"single number; it has shape \(2,\)"):
        gradcheck.by_framework(lambda a: a, np.ones(2))


def test_comparing_makes_a_row_for_each_gradient_and_sees_a_mistake():
    W, b = random(1, 3, 2), random(2, 2)
    A = random(3, 5, 3)

    def loss():
        return float(((A @ W + b) ** 2).mean())

    error = 2 * (A @ W + b) / 10
    right = {"W": A.T @ error, "b": error.sum(axis=0)}
    table = gradcheck.compare(loss, {"W": W, "b": b}, right, framework=right)
    assert list(table.index) == ["W", "b"] and list(table["shape"]) == ["(3, 2)", "(2,)"]
    assert (table[["central difference", "framework"]].to_numpy() < 1e-8).all()
    wrong = gradcheck.compare(loss, {"W": W, "b": b}, {"W": right["W"] * 2, "b": right["b"]})
    assert wrong.loc["W", "central difference"] == pytest.approx(1 / 3, rel=1e-4)
    assert "framework" not in wrong


@pytest.mark.parametrize(
    ("gradients", "message"),
    [
        ({}, "no entry 'W'; it has none"),
        ({"w": np.ones((3, 2))}, "no entry 'W'; it has w"),
        (
            {"W": np.ones((2, 3))},
            r"W: The shapes do not match: your gradient has shape \(2, 3\), the other one \(3, 2\)",
        ),
        ({"W": np.full((3, 2), np.nan)}, "W: Your gradient holds NaN"),
    ],
)
def test_comparing_names_the_gradient_that_is_not_right(gradients, message):
    W = np.ones((3, 2))
    with pytest.raises(CourseError, match=message):
        gradcheck.compare(lambda: float((W**2).sum()), {"W": W}, gradients)
