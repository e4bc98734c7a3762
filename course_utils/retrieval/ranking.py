"""Orders of documents: fused, and judged against what is known to be right.

Source of the fusion: G. V. Cormack, C. L. A. Clarke, S. Buettcher, "Reciprocal rank fusion outperforms Condorcet and
individual rank learning methods", SIGIR 2009.
"""

from collections.abc import Sequence

import numpy as np

from course_utils.errors import CourseError


def ranks(scores: np.ndarray) -> np.ndarray:
    """Scores (questions, documents) → ranks from 1, the best; of equal scores the earlier document is first."""
    order = np.argsort(-np.asarray(scores), axis=-1, kind="stable")
    found = np.empty_like(order)
    np.put_along_axis(found, order, np.arange(1, order.shape[-1] + 1), axis=-1)
    return found


def fused(*all_scores: np.ndarray, k: float = 60) -> np.ndarray:
    """Reciprocal rank fusion: the sum of 1/(k + rank) over several searches, of the shape of their scores."""
    return np.sum([1 / (k + ranks(scores)) for scores in all_scores], axis=0)


def first_right(scores: np.ndarray, right: Sequence[Sequence[int]]) -> np.ndarray:
    """The rank of the best document that is right, for each question; int (questions,).

    ``right`` holds the numbers of the right documents of each question, at least one; else CourseError.
    """
    if len(scores) != len(right) or not all(len(one) for one in right):
        raise CourseError(
            f"Each question needs at least one right document; there are {len(scores)} rows of scores and "
            f"{sum(len(one) > 0 for one in right)} questions with one."
        )
    places = ranks(scores)
    return np.array([row[list(one)].min() for row, one in zip(places, right, strict=True)])


def summary(rank: np.ndarray) -> dict[str, float]:
    """Recall at 1 and at 5, and the mean reciprocal rank, of the ranks of the right documents."""
    rank = np.asarray(rank)
    return {
        "recall@1": float((rank <= 1).mean()),
        "recall@5": float((rank <= 5).mean()),
        "MRR": float((1 / rank).mean()),
    }
