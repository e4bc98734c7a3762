"""Right and wrong answers to the exercises of chapter 00, each written without the reference."""

import numpy as np


def with_loop(labels, predictions):
    hits = 0
    for label, prediction in zip(labels, predictions, strict=True):
        hits += int(label == prediction)
    return hits / len(labels)


def with_bincount(labels, predictions):
    return np.bincount((labels == predictions).astype(int), minlength=2)[1] / labels.size


RIGHT = {
    "00-1": [7850, 784 * 10 + 10, 7850.0, np.int64(7850), np.array(7850), np.float32(7850)],
    "00-2": [
        with_loop,
        with_bincount,
        lambda labels, predictions: np.mean(labels == predictions),
        lambda labels, predictions: np.float32(np.mean(labels == predictions)),
        lambda labels, predictions: 1 - np.count_nonzero(labels - predictions) / len(labels),
        lambda a, b: np.asarray((a == b).mean()),
    ],
}

WRONG = {
    "00-1": [
        (7840, "weights alone"),
        (7841, "one bias for the layer"),
        (8624, "biases of the inputs"),
        (8635, "bias as an eleventh output"),
        (794, "added"),
        (785, "one output"),
        (784, "number of inputs"),
        (10, "number of biases"),
        (15700, "another number"),
    ],
    "00-2": [
        (lambda labels, predictions: sum(labels == predictions), "count"),
        (lambda labels, predictions: (labels == predictions).mean() * 100, "percent"),
        (lambda labels, predictions: (labels != predictions).mean(), "share of wrong ones"),
        (lambda labels, predictions: labels == predictions, "elementwise"),
        (lambda labels, predictions: [a == b for a, b in zip(labels, predictions, strict=True)], "elementwise"),
        (lambda labels, predictions: bool((labels == predictions).all()), "all or nothing"),
        (lambda labels, predictions: round((labels == predictions).mean(), 2), "rounded"),
        (lambda labels, predictions: sum(labels == predictions) // len(labels), "whole division"),
        (lambda labels, predictions: abs(labels - predictions).mean(), "mean distance"),
    ],
}
