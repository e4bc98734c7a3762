"""Right and wrong answers to the exercises of chapter 07, each written without the reference."""

import numpy as np

from course_utils.exercises import contest

CONVOLUTIONS = {"first": 27 * 32 + 32, "second": 9 * 32 * 64 + 64, "third": 9 * 64 * 64 + 64}


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


def by_columns(labels, predictions, classes=10):
    return by_matrix(predictions, labels, classes)


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


def sum_of_axes(p, t):
    return np.where(p.max(axis=0) >= t, p.argmax(axis=1), -1)


def all_rows_by_one(p, t):
    return p.argmax(1) if p.max() >= t else np.full(len(p), -1)


def in_place(p, t):
    p[p.max(axis=1) < t] = -1
    return np.where(p.max(axis=1) < 0, -1, p.argmax(axis=1))


def measured(**changes):
    """A contest as contest.run makes it, without its minutes."""
    values = {"data": "mnist", "accuracy": 0.9962, "n": 10_000, "seconds": 88.2, "limit": 121.4, "target": 0.996}
    made = contest.Contest(**{**values, "profile": "full", **changes})
    object.__setattr__(made, "_mark", contest._MEASURED)
    return made


RIGHT = {
    "07-1": [122_570, 122_570.0, np.int32(122_570), sum(CONVOLUTIONS.values()) + 65_600 + 650],
    "07-2": [by_matrix, by_weights, by_list, in_float32],
    "07-3": [row_by_row, by_assignment, by_sorting],
}

WRONG = {
    "07-1": [
        (122_336, "no biases"),
        (93_322, "28×28×1"),
        (93_898, "flattened size of 28×28"),
        (121_994, "one channel in the first convolution"),
        (319_178, "padding"),
        (159_434, "pooling rounds up"),
        (73_418, "pooling after the third convolution"),
        (121_920, "no last layer"),
        (279_966, "three times"),
        (100_000, "another number"),
    ],
    "07-2": [
        (by_columns, "precision, or transposed"),
        (
            lambda y, p, classes=10: np.array(
                [np.mean(y[p == c] == c) if (p == c).any() else np.nan for c in range(classes)]
            ),
            "precision, or transposed",
        ),
        (lambda y, p, classes=10: [(y == p).mean()] * classes, "overall accuracy"),
        (lambda y, p, classes=10: np.array([((y == c) & (p == c)).sum() for c in range(classes)]), "counts"),
        (lambda y, p, classes=10: np.nan_to_num(by_matrix(y, p, classes)), "0 for NaN"),
        (
            lambda y, p, classes=10: [((y == c) & (p == c)).sum() / max((y == c).sum(), 1) for c in range(classes)],
            "0 for NaN",
        ),
        (
            lambda y, p, classes=10: np.array([((y == c) & (p == c)).mean() for c in range(classes)]),
            "share of all examples",
        ),
        (lambda y, p, classes=10: 1 - by_matrix(y, p, classes), "missed ones"),
        (lambda y, p, classes=10: [((y == c) == (p == c)).mean() for c in range(classes)], "one against the rest"),
        (
            lambda y, p, classes=10: [((y == c) == (p == c)).mean() if c in y else np.nan for c in range(classes)],
            "one against the rest, NaN for none",
        ),
        (
            lambda y, p, classes=10: np.array([by_matrix(y, p, classes)[c] for c in np.unique(y)]),
            "only classes that occur",
        ),
        (lambda y, p, classes=10: by_matrix(y, p, 10), "always ten"),
    ],
    "07-3": [
        (lambda p, t: np.where(p.max(1) > t, p.argmax(1), -1), "strict"),
        (lambda p, t: np.where(p.max(1) >= t, p.max(1), -1), "probabilities"),
        (lambda p, t: np.where(p.max(0) >= t, p.argmax(0), -1), "axis"),
        (sum_of_axes, "axis of max"),
        (lambda p, t: np.where(p.max(1) < t, p.argmax(1), -1), "refuses the confident"),
        (lambda p, t: np.where(p.max(1) >= t, p.argmax(1), 0), "0 for refusal"),
        (lambda p, t: np.where(p.max(1) >= t, p.argmax(1), np.nan), "NaN for refusal"),
        (lambda p, t: p.argmax(1), "never refuses"),
        (lambda p, t: p.argmax(1)[p.max(1) >= t], "only the accepted"),
        (lambda p, t: p.max(1) >= t, "mask"),
        (all_rows_by_one, "largest of all"),
        (in_place, "changes its input"),
        (lambda p, t: np.where(p.max(1) >= t, p.argmax(1), -1.0), "dtype"),
    ],
}
