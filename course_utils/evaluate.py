"""Judging a classifier: shares with their uncertainty, confidence and calibration."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from course_utils.errors import CourseError

if TYPE_CHECKING:
    import pandas as pd


class Estimate(NamedTuple):
    """A share of one with the ends of its confidence interval, measured on ``n`` examples."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f}, n = {self.n})"


def share(successes: int, n: int, *, level: float = 0.95) -> Estimate:
    """The share successes/n with Wilson's score interval, which stays inside [0, 1] and holds near its ends.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the
    American Statistical Association 22 (1927), 209-212. Raises CourseError unless 0 <= successes <= n, n >= 1 and
    0 < level < 1.
    """
    from statistics import NormalDist

    if not (n >= 1 and 0 <= successes <= n and 0 < level < 1):
        raise CourseError(
            f"A share needs 0 ≤ successes ≤ n with n ≥ 1, and a level between 0 and 1; it got {successes} of {n} "
            f"at level {level}."
        )
    z = NormalDist().inv_cdf(0.5 + level / 2)
    p = successes / n
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    # At 0 and 1 the interval touches the share itself; rounding must not put it on the wrong side.
    return Estimate(p, float(min(p, max(0.0, centre - half))), float(max(p, min(1.0, centre + half))), int(n))


def accuracy(labels: np.ndarray, predictions: np.ndarray, *, level: float = 0.95) -> Estimate:
    """The share of right predictions with its confidence interval. Both arrays are integers of shape (n,)."""
    labels, predictions = _pair(labels, predictions)
    return share(int((labels == predictions).sum()), len(labels), level=level)


def coverage(labels: np.ndarray, probabilities: np.ndarray, thresholds: np.ndarray) -> "pd.DataFrame":
    """What a confidence threshold buys: for each one, the share answered and the accuracy among those.

    ``labels`` is (n,), ``probabilities`` (n, classes). An example is answered where its largest probability is at
    least the threshold; the accuracy is NaN where nothing is answered.
    """
    import pandas as pd

    labels = np.asarray(labels)
    probabilities = np.asarray(probabilities)
    if probabilities.ndim != 2 or len(probabilities) != len(labels):
        raise CourseError(
            f"coverage needs labels of shape (n,) and probabilities of shape (n, classes); it got {labels.shape} and "
            f"{probabilities.shape}."
        )
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    rows = []
    for threshold in thresholds:
        answered = confidence >= threshold
        rows.append((float(threshold), answered.mean(), right[answered].mean() if answered.any() else np.nan))
    return pd.DataFrame(rows, columns=["threshold", "answered", "accuracy"])


def expected_calibration_error(labels: np.ndarray, probabilities: np.ndarray, *, bins: int = 15) -> float:
    """The mean gap between confidence and accuracy over equal-width bins of confidence, weighted by their counts.

    Source: C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On Calibration of Modern Neural Networks", ICML 2017,
    equation 3.
    """
    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    which = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gap = 0.0
    for index in np.unique(which):
        inside = which == index
        gap += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return float(gap)


def _pair(labels: np.ndarray, predictions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.ndim != 1 or labels.shape != predictions.shape:
        raise CourseError(
            f"labels and predictions must both have the shape (n,); they have {labels.shape} and {predictions.shape}."
        )
    return labels, predictions
