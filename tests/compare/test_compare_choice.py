"""The rule of the recommendation, on made answers."""

import numpy as np
import pytest

from course_utils.compare import recommendation

RANDOM = np.random.default_rng(0)
LABELS = RANDOM.integers(3, size=400)
TEST = RANDOM.integers(3, size=400)


def answers(labels: np.ndarray, right: float, seed: int) -> list[int]:
    random = np.random.default_rng(seed)
    return np.where(
        random.random(len(labels)) < right, labels, (labels + 1 + random.integers(2, size=len(labels))) % 3
    ).tolist()


def result(right: float, size: float, p50: float, seed: int = 1, labels=LABELS, test=TEST) -> dict:
    said = {
        "validation": {"predictions": answers(labels, right, seed)},
        "test": {"predictions": answers(test, right, seed)},
    }
    return {"answers": said, "bytes_needed": int(size * 1e6), "p50_ms": p50}


def majority(labels=LABELS, test=TEST) -> dict:
    said = {"validation": {"predictions": [0] * len(labels)}, "test": {"predictions": [0] * len(test)}}
    return {"answers": said, "bytes_needed": 50, "p50_ms": 0.01}


def recommend(margin=0.02, labels=LABELS, test=TEST, **results):
    return recommendation.recommend({"majority": majority(labels, test), **results}, labels, test, 3, margin=margin)


def test_the_smallest_within_the_margin_is_chosen():
    advice = recommend(tfidf=result(0.80, 1, 1), frozen=result(0.805, 90, 8), finetuned=result(0.81, 91, 8))
    assert (advice.best, advice.chosen) == ("finetuned", "tfidf")
    assert advice.sentence.startswith("Ship “TF-IDF + logistic regression”: 1.0 MB, 1.0 ms a message, macro-F1 0.")
    assert "below the best, “Fine-tuned encoder” (91 MB" in advice.sentence
    assert advice.shortfalls["finetuned"].value == 0
    assert 0 < advice.shortfalls["tfidf"].value <= 0.02
    assert "On the test the difference is" in str(advice)


def test_a_better_large_model_is_chosen_when_the_small_ones_lack_more():
    advice = recommend(tfidf=result(0.7, 1, 1), frozen=result(0.9, 90, 8))
    assert advice.chosen == advice.best == "frozen"
    assert "It did best on the 400 validation messages." in advice.sentence
    assert recommend(margin=0.3, tfidf=result(0.7, 1, 1), frozen=result(0.9, 90, 8)).chosen == "tfidf"


def test_of_models_of_one_size_the_faster_and_of_those_the_better():
    same = {"frozen": result(0.900, 91.0, 8.0), "finetuned": result(0.95, 91.5, 8.5)}
    assert recommend(**same).chosen == "finetuned"
    same["finetuned"]["p50_ms"] = 20.0
    assert recommend(margin=0.1, **same).chosen == "frozen"


def test_a_large_model_is_recommended_with_what_the_small_one_would_cost():
    advice = recommend(tfidf=result(0.7, 1, 1), small=result(0.6, 0.4, 1), frozen=result(0.9, 90, 8))
    assert "The best of the smaller models, “TF-IDF + logistic regression” (1.0 MB, 1.0 ms), is " in str(advice)
    assert "does not show for certain" not in str(advice)
    few = {"labels": LABELS[:60], "test": TEST[:60]}
    doubtful = recommend(0.08, **few, tfidf=result(0.80, 1, 1, **few), frozen=result(0.86, 90, 8, **few))
    assert doubtful.chosen == "frozen"
    assert "which does not show for certain that the larger is needed" in str(doubtful)


def test_the_choice_does_not_look_at_the_test():
    frozen, tfidf = result(0.9, 90, 8), result(0.7, 1, 1)
    frozen["answers"]["test"]["predictions"] = [0] * 400
    assert recommend(tfidf=tfidf, frozen=frozen).chosen == "frozen"


def test_doubt_is_said_with_the_number_of_messages_that_would_settle_it():
    small = slice(0, 60)
    labels, test = LABELS[small], TEST[small]
    good, nearly = result(0.8, 90, 8, labels=labels, test=test), result(0.8, 1, 1, labels=labels, test=test)
    for part, truth in (("validation", labels), ("test", test)):
        said = nearly["answers"][part]["predictions"]
        wrong = [k for k in range(60) if said[k] != truth[k]][:3]
        right = [k for k in range(60) if said[k] == truth[k]][:3]
        for a, b in zip(wrong, right, strict=True):
            said[a], said[b] = int(truth[a]), (int(truth[b]) + 1) % 3
    advice = recommend(labels=labels, test=test, tfidf=nearly, frozen=good, margin=0.03)
    assert advice.chosen == "tfidf" or advice.best == "tfidf"
    if advice.chosen != advice.best:
        assert not advice.sure
        assert "This is not certain" in str(advice)


def test_none_is_recommended_where_the_best_knows_nothing():
    advice = recommend(tfidf=result(1 / 3, 1, 1, seed=5), frozen=result(1 / 3, 90, 8, seed=6))
    assert advice.chosen == "majority"
    assert advice.sentence.startswith("Ship none of these models yet")
    assert "no better than chance" in advice.sentence
    assert advice.ship is None


def test_few_messages_are_said():
    labels, test = LABELS[:40], TEST[:30]
    advice = recommend(labels=labels, test=test, tfidf=result(0.9, 1, 1, labels=labels, test=test))
    assert "40 validation and 30 test messages" in str(advice)
    assert "intervals are wide" in str(advice)


def test_without_a_candidate_beside_majority_nothing_is_recommended():
    assert recommend() is None


def test_the_rule_names_its_margin():
    assert "at most 2 points below" in recommendation.rule(0.02)
    assert "test messages have no part in the choice" in recommendation.rule(0.02)


@pytest.mark.parametrize(
    ("number", "said"), [(52, "1 kB"), (50_000, "50 kB"), (1_502_069, "1.5 MB"), (91.2e6, "91 MB")]
)
def test_sizes_as_they_are_said(number, said):
    assert recommendation.megabytes(number) == said
