"""The exercises of chapter 07, MNIST CNN."""

import numpy as np

from course_utils.exercises.comparing import name_of, text_of
from course_utils.exercises.contest import Contest
from course_utils.exercises.judges import Mistake, function, look, number, unreadable
from course_utils.exercises.verdicts import RIGHT, WRONG, Exercise, Verdict
from course_utils.language import say, say_many


def _parameters(
    size: int = 32,
    channels: int = 3,
    *,
    biases: bool = True,
    same: bool = False,
    round_up: bool = False,
    pools: int = 2,
) -> int:
    """Parameters of the article's network for square inputs, counted layer by layer; the options are mistakes."""
    bias, total = int(biases), 0
    for position, filters in enumerate((32, 64, 64)):
        total += 3 * 3 * channels * filters + bias * filters
        size, channels = size - (0 if same else 2), filters
        if position < pools:
            size = -(-size // 2) if round_up else size // 2
    return total + (size * size * channels + bias) * 64 + (64 + bias) * 10


_COLOUR = _parameters()
_FIRST_LAYER_OF_ONE_CHANNEL = (3 * 3 * 3 - 3 * 3) * 32  # what is missing when colour is forgotten there
_FLATTENED = 4 * 4 * 64

_COUNTED_BY_HAND = number(
    _COLOUR,
    mistakes=[
        Mistake(
            "no biases",
            _parameters(biases=False),
            "The biases are missing: one for every kernel and one for every unit of a dense layer.",
        ),
        Mistake(
            "28×28×1",
            _parameters(28, 1),
            "That is the count for 28×28×1. Which layers see the larger picture, and the three colours?",
        ),
        Mistake(
            "flattened size of 28×28",
            _COLOUR - (_FLATTENED - 576) * 64,
            "The flattened size is still that of 28×28. Follow height and width through every layer once more, from "
            "32: a 3×3 convolution takes two away, pooling halves.",
        ),
        Mistake(
            "one channel in the first convolution",
            _COLOUR - _FIRST_LAYER_OF_ONE_CHANNEL,
            "The first convolution still has one input channel. A kernel reaches through all channels of its input: "
            "3×3 weights for *each* of the three colours.",
        ),
        Mistake(
            "padding",
            _parameters(same=True),
            "That assumes padding ('same'). Without it ('valid', the default) a 3×3 convolution takes two pixels "
            "from height and width.",
        ),
        Mistake(
            "pooling rounds up",
            _parameters(round_up=True),
            "Pooling 2×2 leaves out an odd last row and column: a side of 13 becomes 6, not 7.",
        ),
        Mistake(
            "pooling after the third convolution",
            _parameters(pools=3),
            "There is no pooling after the third convolution: the network flattens straight after it.",
        ),
        Mistake(
            "no pooling",
            _parameters(pools=0),
            "The pooling layers are missing. They have no parameters, yet they halve height and width.",
        ),
        Mistake("no last layer", _COLOUR - 650, "The last layer is missing: 64 inputs, 10 outputs, 10 biases."),
        Mistake(
            "three times",
            3 * _parameters(28, 1),
            "Three colours do not triple the network: only the first convolution sees them.",
        ),
    ],
    otherwise=(
        "Only two layers count differently than for 28×28×1: the first convolution (it reaches through three channels) "
        "and the first dense layer (more pixels are left to flatten)."
    ),
)


def recall_per_class(labels, predictions, classes=10):
    """For each class the share of its examples that were predicted as it; NaN without examples. Float, (classes,)."""
    result = np.full(classes, np.nan)
    for label in range(classes):
        of_class = labels == label
        if of_class.any():
            result[label] = np.mean(predictions[of_class] == label)
    return result


def _confusion(labels, predictions, classes=10) -> np.ndarray:
    matrix = np.zeros((classes, classes))
    np.add.at(matrix, (labels, predictions), 1)
    return matrix


def _share(numerator, denominator) -> np.ndarray:
    """The quotient entry by entry, NaN for 0 / 0."""
    numerator, denominator = np.broadcast_arrays(np.asarray(numerator, float), np.asarray(denominator, float))
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator != 0)


def _hits(labels, predictions, classes=10) -> np.ndarray:
    return np.diag(_confusion(labels, predictions, classes))


def _recall_mistakes() -> list[Mistake]:
    def precision(labels, predictions, classes=10):
        return _share(_hits(labels, predictions, classes), np.bincount(predictions, minlength=classes))

    def overall(labels, predictions, classes=10):
        return np.full(classes, np.mean(labels == predictions))

    def zero_for_nan(labels, predictions, classes=10):
        return np.nan_to_num(recall_per_class(labels, predictions, classes))

    def one_for_nan(labels, predictions, classes=10):
        return np.nan_to_num(recall_per_class(labels, predictions, classes), nan=1.0)

    def share_of_all(labels, predictions, classes=10):
        return _hits(labels, predictions, classes) / len(labels)

    def missed(labels, predictions, classes=10):
        return 1 - recall_per_class(labels, predictions, classes)

    def whole_matrix(labels, predictions, classes=10):
        matrix = _confusion(labels, predictions, classes)
        return _share(matrix, matrix.sum(axis=1, keepdims=True))

    def only_present(labels, predictions, classes=10):
        result = recall_per_class(labels, predictions, classes)
        return result[~np.isnan(result)]

    def always_ten(labels, predictions, classes=10):
        return recall_per_class(labels, predictions, max(classes, 10))

    def one_against_rest(labels, predictions, classes=10):
        return np.array([np.mean((labels == c) == (predictions == c)) for c in range(classes)])

    def one_against_rest_or_nan(labels, predictions, classes=10):
        rest = one_against_rest(labels, predictions, classes)
        return np.where(np.isnan(recall_per_class(labels, predictions, classes)), np.nan, rest)

    def f1(labels, predictions, classes=10):
        sums = np.bincount(labels, minlength=classes) + np.bincount(predictions, minlength=classes)
        return _share(2 * _hits(labels, predictions, classes), sums)

    others = (
        "That also counts the examples of *other* classes that were rightly not predicted as this one. Leave them out."
    )
    return [
        Mistake(
            "precision, or transposed",
            precision,
            "That is precision, the share of the predictions of a class that are right. Recall divides by the "
            "examples that *have* the label: in a confusion matrix with labels in rows, by the sum of the row (is "
            "yours transposed?).",
        ),
        Mistake(
            "overall accuracy",
            overall,
            "That is the accuracy over all classes, repeated. Look, for each class, only at the examples that have "
            "its label.",
        ),
        Mistake(
            "counts", _hits, "These are counts of hits. Divide each by the number of examples that have the label."
        ),
        Mistake(
            "0 for NaN",
            zero_for_nan,
            "A class without examples has no recall: 0 / 0 is not known. Put NaN (`np.nan`) there, not 0: that would "
            "say that every example was missed.",
        ),
        Mistake(
            "1 for NaN",
            one_for_nan,
            "A class without examples has no recall: 0 / 0 is not known. Put NaN (`np.nan`) there, not 1: that would "
            "say that every example was found.",
        ),
        Mistake(
            "share of all examples",
            share_of_all,
            "You divide by the number of all examples. Divide by the number of examples of that class.",
        ),
        Mistake("missed ones", missed, "That is the share that was *missed*. Recall is the share that was found."),
        Mistake(
            "whole matrix",
            whole_matrix,
            "That is the whole confusion matrix, by rows. Recall stands on its diagonal: `np.diag`.",
        ),
        Mistake(
            "only classes that occur",
            only_present,
            "Classes without examples are left out, so the entries no longer stand at their class. Keep a place for "
            "each.",
        ),
        Mistake("always ten", always_ten, "Ten classes are written into your code. Use the argument `classes`."),
        Mistake(
            "one against the rest",
            one_against_rest,
            others,
        ),
        Mistake("one against the rest, NaN for none", one_against_rest_or_nan, others),
        Mistake(
            "F1",
            f1,
            "That is the F1 score, which mixes recall with precision. Divide by the examples of the class alone.",
        ),
    ]


_RECALL_CASES = [
    (np.array([0, 0, 0, 0, 1, 1, 2, 2]), np.array([0, 0, 0, 1, 1, 2, 1, 2]), 4),
    (np.array([1, 1, 1, 0]), np.array([1, 0, 0, 0]), 3),
    (np.array([7, 2, 1, 0, 4, 1, 4, 9, 5, 9, 0, 6]), np.array([7, 2, 1, 0, 4, 1, 4, 9, 6, 9, 6, 6])),
    (np.array([3, 3, 3, 8, 8, 5]), np.array([3, 8, 3, 8, 8, 3]), 10),
]


def decide(probabilities, threshold):
    """The most probable class of each row, -1 where its probability is below the threshold. Integers, shape (n,)."""
    return np.where(probabilities.max(axis=1) >= threshold, probabilities.argmax(axis=1), -1)


def _decide_mistakes() -> list[Mistake]:
    def strict(probabilities, threshold):
        return np.where(probabilities.max(axis=1) > threshold, probabilities.argmax(axis=1), -1)

    def gives_probabilities(probabilities, threshold):
        largest = probabilities.max(axis=1)
        return np.where(largest >= threshold, largest, -1)

    def wrong_axis(probabilities, threshold):
        return np.where(probabilities.max(axis=0) >= threshold, probabilities.argmax(axis=0), -1)

    def wrong_axis_once(probabilities, threshold):
        return np.where(probabilities.max(axis=0) >= threshold, probabilities.argmax(axis=1), -1)

    def refuses_confident(probabilities, threshold):
        return np.where(probabilities.max(axis=1) < threshold, probabilities.argmax(axis=1), -1)

    def zero_for_refusal(probabilities, threshold):
        return np.where(probabilities.max(axis=1) >= threshold, probabilities.argmax(axis=1), 0)

    def nan_for_refusal(probabilities, threshold):
        return np.where(probabilities.max(axis=1) >= threshold, probabilities.argmax(axis=1), np.nan)

    def never_refuses(probabilities, threshold):
        return probabilities.argmax(axis=1)

    def only_accepted(probabilities, threshold):
        return probabilities.argmax(axis=1)[probabilities.max(axis=1) >= threshold]

    def mask(probabilities, threshold):
        return probabilities.max(axis=1) >= threshold

    def all_or_none(probabilities, threshold):
        classes = probabilities.argmax(axis=1)
        return classes if probabilities.max() >= threshold else np.full_like(classes, -1)

    def own_threshold(probabilities, threshold):
        return np.where(probabilities.max(axis=1) >= 0.9, probabilities.argmax(axis=1), -1)

    def one_for_all(probabilities, threshold):
        return probabilities.argmax() if probabilities.max() >= threshold else -1

    axis = (
        "The axis is wrong: a row is one example, its classes stand along axis 1. Give `axis=1` to `max` and `argmax`."
    )
    return [
        Mistake("strict", strict, "A probability that *equals* the threshold is enough: compare with `>=`, not `>`."),
        Mistake(
            "probabilities",
            gives_probabilities,
            "These are the probabilities themselves. The *class* is its position: `argmax`, not `max`.",
        ),
        Mistake("axis", wrong_axis, axis),
        Mistake("axis of max", wrong_axis_once, axis),
        Mistake(
            "refuses the confident",
            refuses_confident,
            "It is the other way round: you refuse the confident rows. Refuse where the probability is *below* the "
            "threshold.",
        ),
        Mistake("0 for refusal", zero_for_refusal, "0 is a class of its own, the digit 0. A refusal is marked by -1."),
        Mistake("NaN for refusal", nan_for_refusal, "A whole-number array cannot hold NaN. A refusal is marked by -1."),
        Mistake("never refuses", never_refuses, "The threshold is not used: nothing is ever refused."),
        Mistake(
            "only the accepted",
            only_accepted,
            "The refused rows are left out, so nobody knows whose answers these are. Keep one entry a row, -1 if "
            "refused.",
        ),
        Mistake(
            "mask",
            mask,
            "That says which rows are sure enough. Use it to choose, row by row, between the class and -1: `np.where`.",
        ),
        Mistake(
            "threshold of one's own",
            own_threshold,
            "The threshold is fixed at 0.9 inside the function. Use the argument `threshold`.",
        ),
        Mistake(
            "one answer for all",
            one_for_all,
            "That is one class for the whole array. Each row needs its own: `axis=1` in `max` and in `argmax`.",
        ),
        Mistake(
            "largest of all",
            all_or_none,
            "One largest probability is taken over the whole array. Each row needs its own: `axis=1`.",
        ),
    ]


# The probabilities are sums of powers of two, so "equal to the threshold" is exact in float32 as well.
_DECIDE_CASES = [
    (np.array([[0.75, 0.125, 0.125], [0.25, 0.25, 0.5], [0.125, 0.5, 0.375], [0.25, 0.4375, 0.3125]]), 0.5),
    (np.array([[0.0625, 0.0625, 0.125, 0.75], [0.25, 0.5, 0.125, 0.125], [0.0, 0.875, 0.125, 0.0]]), 0.75),
    (np.array([[0.25, 0.375, 0.375 - 0.0625, 0.0625]]), 0.5),
    (np.array([[0.0625, 0.9375], [0.5625, 0.4375], [0.4375, 0.5625]]), 0.0),
]


def _judge_contest(answer) -> Verdict:
    """Right when the target is reached within the articles' time. What was measured may be shown: it is no secret."""
    call_it = say('Write `check("07-4", contest.run(train, profile=course.profile))`.')
    if type(answer) is not Contest:  # what only says that it is one counts as anything else
        looked = look(lambda: (name_of(answer), text_of(answer)))
        if looked.kind != "value":
            return unreadable(looked)
        name, text = looked.value
        message = say("Your answer is {name}; what `contest.run` returns is asked for.", name=name)
        return Verdict(WRONG, message, ((say("Your answer"), text),), call_it, mistake="not a contest")
    if not answer.measured:
        message = say("This contest was not measured by `contest.run` in this kernel, so its numbers say nothing.")
        shown = look(lambda: text_of(answer)).value or ""
        return Verdict(WRONG, message, ((say("Your answer"), shown),), call_it, mistake="not measured")
    if answer.accurate and answer.in_time:
        return Verdict(RIGHT, score=str(answer))
    return _lost(answer)


def _lost(contest: Contest) -> Verdict:
    """By how much a measured contest was lost, and where to look."""
    rows = ((say("Measured"), str(contest)),)
    over = contest.seconds - contest.limit
    fields = {
        "points": f"{100 * (contest.target - contest.accuracy):.2f}",
        "target": f"{contest.target:.4f}",
        "over": f"{over:.1f}",
        "share": f"{over / contest.limit:.0%}",
        "total": f"{contest.n:,}",
    }
    if contest.accurate:
        message = say(
            "Accurate enough, but training took {over} s too long ({share} over the articles' time).", **fields
        )
        hint = say(
            "Which changes saved time in the table of section 11 and cost little accuracy? Look at the batches, the "
            "strides and the number of epochs. And turn many images in one call, not one by one."
        )
        return Verdict(WRONG, message, rows, hint, mistake="too slow")
    if not contest.in_time:
        message = say(
            "Neither is reached: the accuracy is {points} points short of {target}, and training took {over} s too "
            "long ({share} over the articles' time).",
            **fields,
        )
        hint = say("Make it fast first, with `mnist.FAST` as a start, then spend the time that this saves on accuracy.")
        return Verdict(WRONG, message, rows, hint, mistake="too slow and not accurate enough")
    message = say_many(
        "In time, but the accuracy is {points} points short of {target}: {n} more of {total} test images must be read "
        "right.",
        "In time, but the accuracy is {points} points short of {target}: {n} more of {total} test images must be read "
        "right.",
        contest.missing,
        **fields,
    )
    unused = 1 - contest.seconds / contest.limit
    if unused >= 0.3:
        hint = say(
            "{unused:.0%} of the time is unused: more epochs, or more channels. And train on what the scanner does: "
            "turns and shifts, drawn afresh in each epoch. Choose on `contest.validation`.",
            unused=unused,
        )
    else:
        hint = say(
            "Train on what the scanner does: turns and shifts, drawn afresh in each epoch. Choose on "
            "`contest.validation`."
        )
    return Verdict(WRONG, message, rows, hint, mistake="not accurate enough")


EXERCISES = (
    Exercise(
        "07-1",
        "Colour images",
        "recall",
        8,
        "The article's network (convolution 3×3 with 32 kernels, pooling 2×2, convolution with 64, pooling, "
        "convolution with 64, flatten, dense 64, dense 10; no padding) now gets colour pictures, 32×32×3 instead of "
        "28×28×1. How many parameters has it? Count by hand, layer by layer, and put the number, or the "
        "calculation, where the three dots stand.",
        _COUNTED_BY_HAND,
    ),
    Exercise(
        "07-2",
        "Which digit is read worst?",
        "modify",
        12,
        "Write `recall_per_class(labels, predictions, classes=10)`: for each class, the share of the examples with "
        "that label that were predicted as it. It returns a float array of shape (classes,), with NaN for a class "
        "that has no examples. Put your code where the three dots stand.",
        function(recall_per_class, _RECALL_CASES, mistakes=_recall_mistakes()),
    ),
    Exercise(
        "07-3",
        "A person decides",
        "extend",
        12,
        "Write `decide(probabilities, threshold)`: for each row of an array of shape (n, classes), the most "
        "probable class, or -1 (a person decides) where the largest probability is below the threshold; one that "
        "equals it is enough. It returns an integer array of shape (n,) and leaves its input as it is. Put your "
        "code where the three dots stand.",
        function(decide, _DECIDE_CASES, mistakes=_decide_mistakes()),
    ),
    Exercise(
        "07-4",
        "Beat the recipe",
        "extend",
        45,
        "Write `train(images, labels)`: it gets uint8 images of shape (n, 28, 28) and their labels, and returns a "
        "trained Keras model that takes (m, 28, 28, 1), pixels from 0 to 255, and gives (m, 10). Reach the target "
        "accuracy on the test part as a careless scanner delivers it, turned by up to 30 degrees and moved by up to "
        "four pixels, in no more time than the articles' program takes on your machine. Put your code where the "
        "three dots stand.",
        _judge_contest,
    ),
)
