"""One image to a model, its probabilities back, and the sentence that says them."""

from collections.abc import Callable, Sequence

import numpy as np

from course_utils.errors import CourseError
from course_utils.language import say

Predict = Callable[[np.ndarray], np.ndarray]


def ask(predict: Predict, image: np.ndarray, classes: int) -> np.ndarray:
    """One image, uint8 (28, 28) → its probabilities, float64 (classes,).

    ``predict`` gets float32 (1, 28, 28, 1), 0 to 1. Raises CourseError where it raises, or gives no probabilities.
    """
    batch = image[None, :, :, None].astype(np.float32) / 255
    try:
        found = np.asarray(predict(batch), dtype=np.float64)
    except Exception as error:
        # Whatever the reader's model raises becomes a sentence: in a widget a traceback would vanish in a log.
        first_line = str(error).strip().split("\n")[0][:200]
        raise CourseError(
            say("The model gave no answer: predict raised {kind}: {words}", kind=type(error).__name__, words=first_line)
        ) from error
    return _checked(found, classes)


def _checked(found: np.ndarray, classes: int) -> np.ndarray:
    if found.shape != (1, classes):
        raise CourseError(
            say(
                "For one image predict gave an array of shape {shape}; expected: (1, {classes}), one probability for "
                "each class.",
                shape=found.shape, classes=classes,
            )
        )  # fmt: skip
    row = found[0]
    # Half precision adds up to one within a hundredth.
    if not np.isfinite(row).all() or (row < -1e-3).any() or abs(row.sum() - 1) > 0.02:
        raise CourseError(
            say(
                "predict must give probabilities, from 0 to 1 and 1 in all; the row adds up to {sum:.3g} and its "
                "smallest number is {smallest:.3g}. A network that ends without softmax needs one.",
                sum=row.sum(), smallest=row.min(),
            )
        )  # fmt: skip
    return row


def describe(probabilities: np.ndarray, class_names: Sequence[str]) -> str:
    """The answer in a sentence: the likeliest class, and the second where it may well be that.

    ``probabilities`` is (classes,), ``class_names`` has a name for each.
    """
    first, second = (int(k) for k in np.argsort(-probabilities, kind="stable")[:2])
    best, other = (f"{class_names[k]} ({probabilities[k]:.0%})" for k in (first, second))
    if probabilities[first] >= 0.9:
        return say("It reads {best}.", best=best)
    if probabilities[first] >= 0.5:
        return say("It reads {best}, perhaps {other}.", best=best, other=other)
    return say("It is not sure: {best} or {other}.", best=best, other=other)
