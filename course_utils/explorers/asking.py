"""One image to a model, its probabilities back, and the sentence that says them."""

from collections.abc import Callable, Sequence

import numpy as np

from course_utils.errors import CourseError

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
        raise CourseError(f"The model gave no answer: predict raised {type(error).__name__}: {first_line}") from error
    return _checked(found, classes)


def _checked(found: np.ndarray, classes: int) -> np.ndarray:
    if found.shape != (1, classes):
        raise CourseError(
            f"For one image predict gave an array of shape {found.shape}; expected: (1, {classes}), one probability "
            "for each class."
        )
    row = found[0]
    # Half precision adds up to one within a hundredth.
    if not np.isfinite(row).all() or (row < -1e-3).any() or abs(row.sum() - 1) > 0.02:
        raise CourseError(
            f"predict must give probabilities, from 0 to 1 and 1 in all; the row adds up to {row.sum():.3g} and its "
            f"smallest number is {row.min():.3g}. A network that ends without softmax needs one."
        )
    return row


def describe(probabilities: np.ndarray, class_names: Sequence[str]) -> str:
    """The answer in a sentence: the likeliest class, and the second where it may well be that."""
    first, second = (int(k) for k in np.argsort(-probabilities, kind="stable")[:2])
    best, next_best = (f"{class_names[k]} ({probabilities[k]:.0%})" for k in (first, second))
    if probabilities[first] >= 0.9:
        return f"It reads {best}."
    if probabilities[first] >= 0.5:
        return f"It reads {best}, perhaps {next_best}."
    return f"It is not sure: {best} or {next_best}."
