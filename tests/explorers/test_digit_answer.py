"""What a model answers is checked, and every mistake becomes a sentence."""

import numpy as np
import pytest

from course_utils.errors import CourseError
from course_utils.explorers.digit_answer import ask, describe

IMAGE = np.arange(784, dtype=np.uint8).reshape(28, 28)


def row(**shares: float) -> np.ndarray:
    """Probabilities of ten classes from the given ones, ``_7=0.9``; the rest is shared by the others."""
    given = {int(name[1:]): share for name, share in shares.items()}
    found = np.full(10, (1 - sum(given.values())) / (10 - len(given)))
    for k, share in given.items():
        found[k] = share
    return found


def test_the_model_gets_what_it_was_trained_on():
    seen = []
    found = ask(lambda images: seen.append(images) or row(_7=0.9)[None].astype("float32"), IMAGE, 10)
    assert seen[0].shape == (1, 28, 28, 1) and seen[0].dtype == np.float32
    assert np.allclose(seen[0][0, :, :, 0], IMAGE / 255)
    assert found.shape == (10,) and found.dtype == np.float64 and found.argmax() == 7


def test_half_precision_is_good_enough():
    assert ask(lambda _: row(_3=0.61)[None].astype("float16"), IMAGE, 10).argmax() == 3


def raises(_):
    raise RuntimeError("shapes do not match\nsecond line")


@pytest.mark.parametrize(
    "predict, said",
    [
        (raises, "predict raised RuntimeError: shapes do not match$"),
        (lambda _: None, r"raised TypeError|shape \(\)|adds up to nan"),
        (lambda _: "seven", "raised ValueError"),
        (lambda _: row(_7=0.9), r"shape \(10,\); expected: \(1, 10\)"),
        (lambda _: np.full((1, 9), 1 / 9), r"shape \(1, 9\)"),
        (lambda _: np.zeros((2, 10)), r"shape \(2, 10\)"),
        (lambda _: np.full((1, 10), 3.0), "adds up to 30.*softmax"),
        (lambda _: np.array([[2.0, -1.0, *[0.0] * 8]]), "smallest number is -1"),
        (lambda _: np.full((1, 10), np.nan), "adds up to nan"),
    ],
)
def test_no_probabilities_no_answer(predict, said):
    with pytest.raises(CourseError, match=said):
        ask(predict, IMAGE, 10)


@pytest.mark.parametrize(
    "probabilities, sentence",
    [
        (row(_7=0.98), "It reads 7 (98%)."),
        (row(_7=0.61, _1=0.3), "It reads 7 (61%), perhaps 1 (30%)."),
        (row(_4=0.45, _9=0.44), "It is not sure: 4 (45%) or 9 (44%)."),
    ],
)
def test_the_answer_in_words(probabilities, sentence):
    assert describe(probabilities, "0123456789") == sentence
