"""Macro-F1, accuracy and recall, with intervals from one bootstrap that all candidates share."""

from dataclasses import dataclass

import numpy as np

from course_utils.evaluate import Estimate

DRAWS = 2_000
_CHUNK = 100


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """Labels int (n,) → float64 (n, classes)."""
    return np.eye(classes)[np.asarray(labels)]


def macro_f1(labels: np.ndarray, predictions: np.ndarray, classes: int) -> float:
    """The mean F1 over the classes that occur among the labels or the predictions, as in scikit-learn."""
    whole = np.ones((1, len(labels)))
    return float(_f1(whole, one_hot(labels, classes), one_hot(predictions, classes))[0])


def _f1(weights: np.ndarray, true: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Macro-F1 of each row of weights (draws, n)."""
    hits, both = weights @ (true * said), weights @ (true + said)
    there = both > 0
    return np.divide(2 * hits, both, out=np.zeros_like(hits), where=there).sum(axis=1) / there.sum(axis=1)


@dataclass(frozen=True, eq=False)
class Draws:
    """Bootstrap draws of one set of labels: every candidate is judged on the same ones, so differences are paired."""

    labels: np.ndarray
    classes: int
    weights: np.ndarray  # how often each example stands in each draw, (draws, n)

    @classmethod
    def of(cls, labels: np.ndarray, classes: int, *, draws: int = DRAWS, seed: int = 0) -> "Draws":
        """Draw as many examples as there are, with replacement, ``draws`` times."""
        random, n = np.random.default_rng(seed), len(labels)
        weights = np.empty((draws, n), np.float32)
        for row in weights:
            row[:] = np.bincount(random.integers(n, size=n), minlength=n)
        return cls(np.asarray(labels), classes, weights)

    def macro_f1(self, predictions: np.ndarray) -> np.ndarray:
        """Macro-F1 in each draw, (draws,)."""
        true, said = one_hot(self.labels, self.classes), one_hot(predictions, self.classes)
        starts = range(0, len(self.weights), _CHUNK)
        return np.concatenate([_f1(self.weights[start : start + _CHUNK], true, said) for start in starts])

    def accuracy(self, predictions: np.ndarray) -> np.ndarray:
        """Accuracy in each draw, (draws,)."""
        return self.means(self.labels == predictions)

    def means(self, values: np.ndarray) -> np.ndarray:
        """The mean of values of the examples, (n,) or (n, k), in each draw: (draws,) or (draws, k)."""
        return self.weights @ values / len(self.labels)

    def estimates(self, predictions: np.ndarray) -> tuple[Estimate, Estimate]:
        """Macro-F1 and accuracy with their 95 % intervals."""
        n = len(self.labels)
        value = macro_f1(self.labels, predictions, self.classes)
        right = float((self.labels == predictions).mean())
        return (
            Estimate(value, *interval(self.macro_f1(predictions)), n),
            Estimate(right, *interval(self.accuracy(predictions)), n),
        )

    def shortfall(self, best: np.ndarray, other: np.ndarray) -> Estimate:
        """How far ``other`` lies below ``best`` in macro-F1 (paired; below zero where it is better)."""
        value = macro_f1(self.labels, best, self.classes) - macro_f1(self.labels, other, self.classes)
        return Estimate(value, *interval(self.macro_f1(best) - self.macro_f1(other)), len(self.labels))


def interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """The middle ``level`` of bootstrap values."""
    low, high = np.quantile(values, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


def recalls(labels: np.ndarray, predictions: np.ndarray, classes: int) -> list[float | None]:
    """The share of each class that was found; None where the class has no example."""
    counts = np.bincount(labels, minlength=classes)
    found = np.bincount(labels[labels == predictions], minlength=classes)
    return [float(hit / n) if n else None for hit, n in zip(found, counts, strict=True)]
