"""The exercises of chapter 07: their references against other ways, and what right and wrong answers cannot show."""

import dataclasses

import numpy as np
import pytest
from answers_07 import CONVOLUTIONS, by_weights, measured
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.exercises import chapter_07, check, contest, find, progress


def test_the_count_is_that_of_the_layers_by_hand():
    by_hand = sum(CONVOLUTIONS.values()) + (4 * 4 * 64 * 64 + 64) + (64 * 10 + 10)
    assert by_hand == find("07-1").judge.expected == 122_570
    assert chapter_07._parameters(28, 1) == 93_322


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.integers(1, 200))
def test_the_reference_recall_agrees_with_another_way_to_count(seed, classes, examples):
    generator = np.random.default_rng(seed)
    labels, predictions = generator.integers(0, classes, (2, examples))
    expected = by_weights(labels, predictions, classes)
    np.testing.assert_allclose(chapter_07.recall_per_class(labels, predictions, classes), expected)


def test_two_mistakes_at_once_get_no_hint_for_a_third():
    verdict = find("07-3").judge(lambda p, t: np.where(p.max(1) > t, p.argmax(1), 0))
    assert verdict.state == "wrong"
    assert verdict.mistake in ("value", "perhaps 0 for refusal", "perhaps strict")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(2, 12), st.floats(0, 1))
def test_the_reference_decision_refuses_exactly_what_is_below_the_threshold(seed, rows, classes, threshold):
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(classes), rows)
    decided = chapter_07.decide(probabilities, threshold)
    assert decided.shape == (rows,)
    assert decided.dtype.kind == "i"
    for row, choice in zip(probabilities, decided, strict=True):
        assert (choice == -1) == bool((row < threshold).all())
        assert choice == -1 or row[choice] == max(row)


def test_the_target_within_the_time_passes_and_gives_the_leaderboards_line():
    verdict = find("07-4").judge(measured())
    assert verdict
    assert verdict.score == "0.9962 in 88 s of 121 s (mnist)"


def test_exactly_the_target_in_exactly_the_time_passes():
    assert find("07-4").judge(measured(accuracy=0.996, seconds=121.4))


@pytest.mark.parametrize(
    ("contest_", "mistake", "message", "hint"),
    [
        (measured(accuracy=0.9941), "not accurate enough", "0.19 points short of 0.9960: 19 more", "turns"),
        (measured(accuracy=0.9959), "not accurate enough", "1 more of 10,000 test images", "turns"),
        (measured(accuracy=0.99, seconds=30.0), "not accurate enough", "0.60 points short", "75% of the time is un"),
        (measured(seconds=133.5), "too slow", "12.1 s too long (10% over", "strides"),
        (measured(accuracy=0.9, seconds=133.5), "too slow and not accurate enough", "Neither", "`mnist.FAST`"),
    ],
)
def test_a_contest_that_is_lost_says_by_how_much_and_where_to_look(contest_, mistake, message, hint):
    verdict = find("07-4").judge(contest_)
    assert (verdict.state, verdict.mistake, verdict.score) == ("wrong", mistake, None)
    assert message in verdict.message
    assert hint in verdict.hint
    assert str(contest_) in dict(verdict.rows)["Measured"]


@pytest.mark.parametrize("answer", [0.9962, "0.9962", lambda images, labels: None, contest.Contest, [measured()]])
def test_what_is_no_contest_is_refused_with_the_line_to_write(answer):
    verdict = find("07-4").judge(answer)
    assert (verdict.state, verdict.mistake) == ("wrong", "not a contest")
    assert "what `contest.run` returns" in verdict.message
    assert "contest.run(train, profile=course.profile)" in verdict.hint


def test_a_contest_made_by_hand_is_refused():
    genuine = measured()
    for forged in (dataclasses.replace(genuine, accuracy=1.0), contest.Contest("mnist", 1.0, 1, 1.0, 2.0, 0.5, "full")):
        verdict = find("07-4").judge(forged)
        assert (verdict.state, verdict.mistake) == ("wrong", "not measured")


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 400), st.floats(1, 200))
def test_right_means_both_and_the_judge_never_fails(right, seconds, limit):
    verdict = find("07-4").judge(measured(accuracy=right / 10_000, seconds=seconds, limit=limit))
    assert bool(verdict) == (right >= 9_960 and seconds <= limit)


def test_the_leaderboards_line_stands_in_the_progress_table():
    check("07-4", measured())
    row = progress.table().set_index("exercise").loc["07-4"]
    assert (row["state"], row["score"]) == ("right", "0.9962 in 88 s of 121 s (mnist)")
