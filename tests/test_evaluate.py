"""Shares with intervals, coverage, calibration: against closed forms, simulation and other libraries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import evaluate
from course_utils.errors import CourseError


@given(st.integers(1, 5000), st.data())
def test_wilson_agrees_with_scipy(n, draw):
    from scipy.stats import binomtest

    successes = draw.draw(st.integers(0, n))
    estimate = evaluate.share(successes, n)
    interval = binomtest(successes, n).proportion_ci(method="wilson")
    assert estimate.low == pytest.approx(interval.low, abs=1e-9)
    assert estimate.high == pytest.approx(interval.high, abs=1e-9)
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    draws = rng.binomial(200, 0.93, size=4000)
    covered = np.mean([e.low <= 0.93 <= e.high for e in (evaluate.share(int(k), 200) for k in draws)])
    assert 0.93 < covered < 0.97


@pytest.mark.parametrize("arguments", [(1, 0), (-1, 5), (6, 5)])
def test_impossible_counts_are_refused(arguments):
    with pytest.raises(CourseError, match="successes"):
        evaluate.share(*arguments)


def test_accuracy_counts_equal_entries_and_names_both_shapes():
    assert evaluate.accuracy(np.array([1, 2, 3, 4]), np.array([1, 2, 0, 0])).value == 0.5
    with pytest.raises(CourseError, match=r"\(3,\) and \(3, 1\)"):
        evaluate.accuracy(np.zeros(3), np.zeros((3, 1)))


def test_coverage_answers_at_the_threshold_and_is_undefined_where_nothing_is_answered():
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    table = evaluate.coverage(np.array([0, 0, 1]), probabilities, np.array([0.0, 0.8, 0.95]))
    assert table["answered"].tolist() == pytest.approx([1.0, 2 / 3, 0.0])
    assert table["accuracy"].tolist()[:2] == pytest.approx([2 / 3, 1.0])
    assert np.isnan(table["accuracy"].iloc[2])


def test_coverage_names_shapes_that_do_not_match():
    with pytest.raises(CourseError, match=r"\(2,\) and \(3, 2\)"):
        evaluate.coverage(np.zeros(2), np.zeros((3, 2)), np.array([0.5]))


def test_calibration_error_of_an_honest_and_of_an_overconfident_model():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 20_000)
    right = rng.random(20_000) < confidence
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    labels = np.where(right, 0, 1)
    assert evaluate.expected_calibration_error(labels, probabilities) < 0.02
    sure = np.stack([np.full(20_000, 0.99), np.full(20_000, 0.01)], axis=1)
    expected = 0.99 - right.mean()
    assert evaluate.expected_calibration_error(labels, sure) == pytest.approx(expected, abs=1e-9)
