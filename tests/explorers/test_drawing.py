"""The ways into the explorer: what is refused before anything is shown, and the picture without a kernel."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from course_utils import explorers
from course_utils.errors import CourseError


def predict(images):
    return np.eye(10)[[7]] * 0.9 + 0.01


@pytest.mark.parametrize(
    "arguments, said",
    [
        ((None,), "needs a model or a function .* got NoneType"),
        ((np.eye(10),), "got ndarray"),
        ((predict, "0123456789"), "names of two classes or more"),
        ((predict, ["only"]), "names of two classes or more"),
    ],
)
def test_draw_digit_refuses(arguments, said):
    with pytest.raises(CourseError, match=said):
        explorers.draw_digit(*arguments)


def test_class_names_need_not_be_texts():
    assert explorers.draw_digit(predict, range(10)).class_names == list("0123456789")


def pixels(trace) -> np.ndarray:
    """What an independent decoder reads from an image trace, uint8 (height, width), 0 black."""
    content = base64.b64decode(trace.source.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(content)).convert("L"))


def test_picture():
    figure = explorers.drawing_picture(explorers.example_strokes(), predict, alt="A 7 is read as a 7")
    paper, seen, bars = figure.data
    assert pixels(paper).shape == (112, 112) and pixels(seen).shape == (28, 28)
    assert pixels(paper)[24, 56] == 0, "the bar of the 7 is black"
    assert pixels(paper)[100, 10] == 255, "the paper is white"
    assert list(bars.y) == list("0123456789") and list(bars.x).index(max(bars.x)) == 7
    assert bars.text[7] == "<b>91%</b>" and bars.marker.pattern.shape[7] == "/", "not by colour alone"
    assert figure.layout.meta == {"alt": "A 7 is read as a 7"}
    assert len(figure.to_json()) < 60_000


@pytest.mark.parametrize(
    "strokes, model, alt, said",
    [
        ([], predict, "alt", "no digit to read"),
        ([{"points": [(1, 1)], "width": 20}], predict, "alt", "no digit to read"),
        (explorers.example_strokes(), lambda images: np.ones((1, 10)), "alt", "softmax"),
        (explorers.example_strokes(), predict, " ", "needs alt"),
    ],
)
def test_picture_refuses(strokes, model, alt, said):
    with pytest.raises(CourseError, match=said):
        explorers.drawing_picture(strokes, model, alt=alt)
