"""Macro-F1 against scikit-learn, and intervals that mean what they say."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, recall_score

from course_utils.compare import scores


@pytest.mark.parametrize("seed", range(5))
def test_macro_f1_is_scikit_learns(seed):
    random = np.random.default_rng(seed)
    labels, said = random.integers(5, size=60), random.integers(6, size=60)
    assert scores.macro_f1(labels, said, 7) == pytest.approx(f1_score(labels, said, average="macro"), abs=1e-12)


def test_each_draw_is_macro_f1_of_the_drawn_examples():
    random = np.random.default_rng(1)
    labels, said = random.integers(3, size=40), random.integers(3, size=40)
    draws = scores.Draws.of(labels, 3, draws=20, seed=3)
    found = draws.macro_f1(said)
    for weights, value in zip(draws.weights, found, strict=True):
        rows = np.repeat(np.arange(40), weights.astype(int))
        assert len(rows) == 40
        assert value == pytest.approx(f1_score(labels[rows], said[rows], average="macro"), abs=1e-6)


def test_the_intervals_cover_the_truth_about_as_often_as_they_say():
    random, covered = np.random.default_rng(0), 0
    for trial in range(100):
        labels = random.integers(2, size=200)
        said = np.where(random.random(200) < 0.8, labels, 1 - labels)
        low, high = scores.interval(scores.Draws.of(labels, 2, draws=300, seed=trial).accuracy(said))
        covered += low <= 0.8 <= high
    assert 87 <= covered <= 100


def test_a_paired_difference_is_narrower_than_two_intervals_apart():
    random = np.random.default_rng(2)
    labels = random.integers(3, size=300)
    good = np.where(random.random(300) < 0.8, labels, 0)
    nearly = np.where(random.random(300) < 0.02, 0, good)
    draws = scores.Draws.of(labels, 3)
    gap = draws.shortfall(good, nearly)
    alone = draws.estimates(good)[0]
    assert gap.high - gap.low < 0.6 * (alone.high - alone.low)
    assert draws.shortfall(good, good)[:3] == (0, 0, 0)


def test_recall_by_class_and_a_class_without_examples():
    labels, said = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 2])
    found = scores.recalls(labels, said, 3)
    assert found[:2] == pytest.approx(recall_score(labels, said, average=None, labels=[0, 1]))
    assert found[2] is None
