"""The exercises of chapter 00: solutions and other right answers pass, typical mistakes get their own hint."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.exercises import find


@pytest.mark.parametrize("answer", [7850, 784 * 10 + 10, 7850.0, np.int64(7850), np.array(7850), np.float32(7850)])
def test_the_right_count_passes(answer):
    assert find("00-1").judge(answer)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (7840, "weights alone"),
        (7841, "every output has its own"),
        (8624, "not to the inputs"),
        (8635, "one more number"),
        (794, "multiplied, not added"),
        (785, "How many outputs"),
        (784, "number of inputs"),
        (10, "number of biases"),
        (15700, "Count one output first"),
    ],
)
def test_a_wrong_count_gets_the_hint_for_it(answer, hint):
    verdict = find("00-1").judge(answer)
    assert verdict.state == "wrong"
    assert hint in verdict.hint


@settings(deadline=None)  # other work on the machine is no failure
@given(st.one_of(st.integers(), st.floats(), st.integers(7000, 9000)).filter(lambda answer: answer != 7850))
def test_no_other_number_passes_and_none_gives_the_answer_away(answer):
    verdict = find("00-1").judge(answer)
    assert verdict.state == "wrong"
    assert "7850" not in verdict.hint.replace(",", "")
    assert "7850" not in verdict.message.replace(",", "")


def with_loop(labels, predictions):
    hits = 0
    for label, prediction in zip(labels, predictions, strict=True):
        hits += int(label == prediction)
    return hits / len(labels)


def with_bincount(labels, predictions):
    return np.bincount((labels == predictions).astype(int), minlength=2)[1] / labels.size


RIGHT = [
    with_loop,
    with_bincount,
    lambda labels, predictions: np.mean(labels == predictions),
    lambda labels, predictions: np.float32(np.mean(labels == predictions)),
    lambda labels, predictions: 1 - np.count_nonzero(labels - predictions) / len(labels),
    lambda a, b: np.asarray((a == b).mean()),
]


@pytest.mark.parametrize("answer", RIGHT)
def test_any_right_accuracy_passes(answer):
    assert find("00-2").judge(answer)


@pytest.mark.parametrize(
    ("answer", "mistake", "hint"),
    [
        (lambda labels, predictions: sum(labels == predictions), "count", "divided by"),
        (lambda labels, predictions: (labels == predictions).mean() * 100, "percent", "between 0 and 1"),
        (lambda labels, predictions: (labels != predictions).mean(), "share of wrong ones", "`==`"),
        (lambda labels, predictions: labels == predictions, "elementwise", "Take the mean"),
        (lambda labels, predictions: [a == b for a, b in zip(labels, predictions, strict=True)], "elementwise", "mean"),
        (lambda labels, predictions: bool((labels == predictions).all()), "all or nothing", "*all* entries"),
        (lambda labels, predictions: round((labels == predictions).mean(), 2), "rounded", "rounding"),
        (lambda labels, predictions: sum(labels == predictions) // len(labels), "whole division", "`/`"),
        (lambda labels, predictions: abs(labels - predictions).mean(), "mean distance", "names, not sizes"),
    ],
)
def test_a_wrong_accuracy_gets_the_hint_for_it(answer, mistake, hint):
    verdict = find("00-2").judge(answer)
    assert (verdict.state, verdict.mistake) == ("wrong", mistake)
    assert hint in verdict.hint


@settings(deadline=None)  # other work on the machine is no failure
@given(st.floats(-1, 2, allow_nan=False))
def test_no_constant_passes_as_an_accuracy(constant):
    assert not find("00-2").judge(lambda labels, predictions: constant)
