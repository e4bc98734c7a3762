"""The exercises of chapter 00, Start here."""

import numpy as np

from course_utils.exercises.judges import Mistake, function, number
from course_utils.exercises.verdicts import Exercise


def accuracy(labels, predictions) -> float:
    """The share of equal entries."""
    return float(np.mean(labels == predictions))


_LABELS = np.array([7, 2, 1, 0, 4, 1, 4, 9])
_CASES = [
    (_LABELS, np.array([7, 2, 1, 0, 4, 1, 4, 5])),
    (np.array([0, 1, 2]), np.array([0, 1, 1])),
    (_LABELS, _LABELS.copy()),
    (np.array([3, 8, 6]), np.array([5, 3, 0])),
    (np.array([1, 0, 1, 1, 0]), np.array([0, 0, 1, 0, 1])),
]

EXERCISES = (
    Exercise(
        "00-1",
        "Count a dense layer",
        "recall",
        3,
        "How many parameters has a dense (fully connected) layer from 784 inputs to 10 outputs, biases included? "
        "Put the number, or the calculation that gives it, where the three dots stand.",
        number(
            784 * 10 + 10,
            mistakes=[
                Mistake(
                    "weights alone", 784 * 10, "These are the weights alone. Every output also has a bias of its own."
                ),
                Mistake(
                    "one bias for the layer",
                    784 * 10 + 1,
                    "One bias does not serve the whole layer: every output has its own.",
                ),
                Mistake(
                    "biases of the inputs",
                    784 * 10 + 784,
                    "Biases belong to the outputs, not to the inputs: there are as many as outputs.",
                ),
                Mistake(
                    "bias as an eleventh output",
                    785 * 11,
                    "The bias is not an eleventh output: each of the ten outputs has just one more number.",
                ),
                Mistake(
                    "added",
                    784 + 10,
                    "Inputs and outputs are multiplied, not added: a weight joins every input with every output.",
                ),
                Mistake(
                    "number of inputs",
                    784,
                    "That is the number of inputs, so the weights of one output. There are ten, each with its bias.",
                ),
                Mistake("one output", 785, "That is one output with its bias. How many outputs has the layer?"),
                Mistake(
                    "number of biases",
                    10,
                    "That is the number of biases. The weights are missing: one for every pair of input and output.",
                ),
            ],
            otherwise="Count one output first: a weight for every input, and one bias. Then multiply by the number "
            "of outputs.",
        ),
    ),
    Exercise(
        "00-2",
        "The share of right answers",
        "modify",
        5,
        "Write `accuracy(labels, predictions)`: the share of entries in which two integer arrays of shape (n,) "
        "agree, a float from 0 to 1. Put your code where the three dots stand.",
        function(
            accuracy,
            _CASES,
            mistakes=[
                Mistake(
                    "count",
                    lambda labels, predictions: np.sum(labels == predictions),
                    "That is the number of equal entries. A share is that number divided by how many entries there "
                    "are.",
                ),
                Mistake(
                    "percent",
                    lambda labels, predictions: 100 * np.mean(labels == predictions),
                    "That is a percentage. The share lies between 0 and 1: leave the factor 100 out.",
                ),
                Mistake(
                    "share of wrong ones",
                    lambda labels, predictions: np.mean(labels != predictions),
                    "That is the share of *wrong* predictions. Compare with `==`, not `!=`.",
                ),
                Mistake(
                    "elementwise",
                    lambda labels, predictions: labels == predictions,
                    "That says of each entry whether it agrees. Take the mean of it: True counts as 1.",
                ),
                Mistake(
                    "all or nothing",
                    lambda labels, predictions: np.array_equal(labels, predictions),
                    "That asks whether *all* entries agree. The share of those that do is asked for.",
                ),
                Mistake(
                    "rounded",
                    lambda labels, predictions: round(float(np.mean(labels == predictions)), 2),
                    "The value is rounded. Return it as it is: rounding belongs to printing.",
                ),
                Mistake(
                    "whole division",
                    lambda labels, predictions: int(np.sum(labels == predictions)) // len(labels),
                    "`//` throws the fraction away. Divide with `/`.",
                ),
                Mistake(
                    "mean distance",
                    lambda labels, predictions: np.mean(np.abs(labels - predictions)),
                    "That is the mean distance. Classes are names, not sizes: a 7 read as a 1 is as wrong as one "
                    "read as an 8.",
                ),
            ],
        ),
    ),
)
