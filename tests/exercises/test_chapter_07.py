"""The exercises of chapter 07: solutions and other right answers pass, typical mistakes get their own hint."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.exercises import chapter_07, check, contest, find, progress

CONVOLUTIONS = {"first": 27 * 32 + 32, "second": 9 * 32 * 64 + 64, "third": 9 * 64 * 64 + 64}


def test_the_count_is_that_of_the_layers_by_hand():
    by_hand = sum(CONVOLUTIONS.values()) + (4 * 4 * 64 * 64 + 64) + (64 * 10 + 10)
    assert by_hand == find("07-1").judge.expected == 122_570
    assert chapter_07._parameters(28, 1) == 93_322


@pytest.mark.parametrize("answer", [122_570, 122_570.0, np.int32(122_570), sum(CONVOLUTIONS.values()) + 65_600 + 650])
def test_the_right_count_passes(answer):
    assert find("07-1").judge(answer)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (122_336, "biases are missing"),
        (93_322, "count for 28×28×1"),
        (93_898, "flattened size is still"),
        (121_994, "still has one input channel"),
        (319_178, "padding"),
        (159_434, "becomes 6, not 7"),
        (73_418, "no pooling after the third"),
        (121_920, "last layer is missing"),
        (279_966, "do not triple"),
        (100_000, "Only two layers"),
    ],
)
def test_a_wrong_count_gets_the_hint_for_it(answer, hint):
    verdict = find("07-1").judge(answer)
    assert verdict.state == "wrong"
    assert hint in verdict.hint


@settings(deadline=None)  # other work on the machine is no failure
@given(st.one_of(st.integers(), st.floats(), st.integers(90_000, 320_000)).filter(lambda answer: answer != 122_570))
def test_no_other_number_passes_and_none_gives_the_answer_away(answer):
    verdict = find("07-1").judge(answer)
    assert verdict.state == "wrong"
    assert "122570" not in (verdict.hint + verdict.message).replace(",", "").replace(" ", "").replace("_", "")


# 07-2 -------------------------------------------------------------------------------------------------------------


def by_matrix(labels, predictions, classes=10):
    matrix = np.zeros((classes, classes), int)
    for label, prediction in zip(labels, predictions, strict=True):
        matrix[label, prediction] += 1
    return matrix.diagonal() / matrix.sum(axis=1)  # 0 / 0 warns and gives NaN


def by_weights(labels, predictions, classes=10):
    hits = np.bincount(labels, weights=labels == predictions, minlength=classes)
    counts = np.bincount(labels, minlength=classes)
    return np.divide(hits, counts, out=np.full(classes, np.nan), where=counts > 0)


def by_list(labels, predictions, classes=10):
    return [np.mean(predictions[labels == c] == c) if c in labels else float("nan") for c in range(classes)]


def in_float32(labels, predictions, classes=10):
    return by_weights(labels, predictions, classes).astype("float32")


@pytest.mark.parametrize("answer", [by_matrix, by_weights, by_list, in_float32])
def test_any_right_recall_passes(answer):
    assert find("07-2").judge(answer)


def by_columns(labels, predictions, classes=10):
    return by_matrix(predictions, labels, classes)


@pytest.mark.parametrize(
    ("answer", "mistake", "hint"),
    [
        (by_columns, "precision, or transposed", "transposed"),
        (
            lambda y, p, classes=10: np.array(
                [np.mean(y[p == c] == c) if (p == c).any() else np.nan for c in range(classes)]
            ),
            "precision, or transposed",
            "That is precision",
        ),
        (lambda y, p, classes=10: [(y == p).mean()] * classes, "overall accuracy", "repeated"),
        (
            lambda y, p, classes=10: np.array([((y == c) & (p == c)).sum() for c in range(classes)]),
            "counts",
            "counts of hits",
        ),
        (lambda y, p, classes=10: np.nan_to_num(by_matrix(y, p, classes)), "0 for NaN", "not 0"),
        (
            lambda y, p, classes=10: [((y == c) & (p == c)).sum() / max((y == c).sum(), 1) for c in range(classes)],
            "0 for NaN",
            "np.nan",
        ),
        (
            lambda y, p, classes=10: np.array([((y == c) & (p == c)).mean() for c in range(classes)]),
            "share of all examples",
            "all examples",
        ),
        (lambda y, p, classes=10: 1 - by_matrix(y, p, classes), "missed ones", "share that was found"),
        (
            lambda y, p, classes=10: np.array([by_matrix(y, p, classes)[c] for c in np.unique(y)]),
            "only classes that occur",
            "left out",
        ),
        (lambda y, p, classes=10: by_matrix(y, p, 10), "always ten", "`classes`"),
    ],
)
def test_a_wrong_recall_gets_the_hint_for_it(answer, mistake, hint):
    verdict = find("07-2").judge(answer)
    assert (verdict.state, verdict.mistake) == ("wrong", mistake)
    assert hint in verdict.hint


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.integers(1, 200))
def test_the_reference_recall_agrees_with_another_way_to_count(seed, classes, examples):
    generator = np.random.default_rng(seed)
    labels, predictions = generator.integers(0, classes, (2, examples))
    expected = by_weights(labels, predictions, classes)
    np.testing.assert_allclose(chapter_07.recall_per_class(labels, predictions, classes), expected)


# 07-3 -------------------------------------------------------------------------------------------------------------


def row_by_row(probabilities, threshold):
    return [int(np.argmax(row)) if max(row) >= threshold else -1 for row in probabilities]


def by_assignment(probabilities, threshold):
    classes = np.argmax(probabilities, axis=1)
    classes[~(np.max(probabilities, axis=1) >= threshold)] = -1
    return classes


def by_sorting(probabilities, threshold):
    best = np.argsort(probabilities, axis=1)[:, -1]
    sure = np.take_along_axis(probabilities, best[:, None], axis=1)[:, 0] >= threshold
    return (best * sure - ~sure).astype(np.int32)


@pytest.mark.parametrize("answer", [row_by_row, by_assignment, by_sorting])
def test_any_right_decision_passes(answer):
    assert find("07-3").judge(answer)


def sum_of_axes(p, t):
    return np.where(p.max(axis=0) >= t, p.argmax(axis=1), -1)


def all_rows_by_one(p, t):
    return p.argmax(1) if p.max() >= t else np.full(len(p), -1)


def in_place(p, t):
    p[p.max(axis=1) < t] = -1
    return np.where(p.max(axis=1) < 0, -1, p.argmax(axis=1))


@pytest.mark.parametrize(
    ("answer", "mistake", "hint"),
    [
        (lambda p, t: np.where(p.max(1) > t, p.argmax(1), -1), "strict", "`>=`"),
        (lambda p, t: np.where(p.max(1) >= t, p.max(1), -1), "probabilities", "`argmax`"),
        (lambda p, t: np.where(p.max(0) >= t, p.argmax(0), -1), "axis", "axis=1"),
        (sum_of_axes, "axis of max", "axis=1"),
        (lambda p, t: np.where(p.max(1) < t, p.argmax(1), -1), "refuses the confident", "other way round"),
        (lambda p, t: np.where(p.max(1) >= t, p.argmax(1), 0), "0 for refusal", "class of its own"),
        (lambda p, t: np.where(p.max(1) >= t, p.argmax(1), np.nan), "NaN for refusal", "cannot hold NaN"),
        (lambda p, t: p.argmax(1), "never refuses", "not used"),
        (lambda p, t: p.argmax(1)[p.max(1) >= t], "only the accepted", "left out"),
        (lambda p, t: p.max(1) >= t, "mask", "np.where"),
        (all_rows_by_one, "largest of all", "Each row"),
        (in_place, "changes its input", "copy"),
        (lambda p, t: np.where(p.max(1) >= t, p.argmax(1), -1.0), "dtype", "astype(int)"),
    ],
)
def test_a_wrong_decision_gets_the_hint_for_it(answer, mistake, hint):
    verdict = find("07-3").judge(answer)
    assert (verdict.state, verdict.mistake) == ("wrong", mistake)
    assert hint in verdict.hint


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


# 07-4 -------------------------------------------------------------------------------------------------------------


def measured(**changes):
    """A contest as contest.run makes it, without its minutes."""
    values = {"data": "mnist", "accuracy": 0.9962, "n": 10_000, "seconds": 88.2, "limit": 121.4, "target": 0.996}
    made = contest.Contest(**{**values, "profile": "full", **changes})
    object.__setattr__(made, "_mark", contest._MEASURED)
    return made


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
