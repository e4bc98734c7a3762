"""Figures: pure, finite, readable without colour, and with a sentence for those who do not see them."""

import base64
import inspect
import io
import json

import numpy as np
import pandas as pd
import pytest

from course_utils import figures
from course_utils.errors import CourseError

HISTORY = pd.DataFrame(
    [
        (epoch, part, metric, 1 / epoch)
        for epoch in (1, 2, 3)
        for part in ("training", "validation")
        for metric in ("accuracy", "loss")
    ],
    columns=["epoch", "part", "metric", "value"],
)
TABLE = pd.DataFrame({"x": [1, 2, 1, 2], "y": [0.1, 0.2, 0.3, 0.4], "who": ["a", "a", "b", "b"]})
ESTIMATES = pd.DataFrame({"name": ["a", "b"], "value": [0.5, 0.6], "low": [0.4, 0.5], "high": [0.6, 0.7]})
MAKERS = {
    "lines": lambda **k: figures.lines(TABLE, "x", "y", "who", **k),
    "training_curves": lambda **k: figures.training_curves(HISTORY, **k),
    "image_grid": lambda **k: figures.image_grid(np.ones((5, 4, 4)), list("abcde"), columns=3, **k),
    "signed grid": lambda **k: figures.image_grid(np.linspace(-1, 1, 18).reshape(2, 3, 3), signed=True, **k),
    "boxes": lambda **k: figures.boxes(np.ones((2, 9, 9)), [np.array([[1, 1, 4, 3]])] * 2, ["7", "4"], **k),
    "confusion": lambda **k: figures.confusion(np.array([[5, 1], [0, 6]]), ["no", "yes"], **k),
    "intervals": lambda **k: figures.intervals(ESTIMATES, x_title="share", **k),
    "answers_over": lambda **k: figures.answers_over(
        np.zeros((2, 4, 4)), np.array([[0.9, 0.1], [0.2, 0.8]]), ["0°", "90°"], ["a", "b"], slider="turn", **k
    ),
    "decisions": lambda **k: figures.decisions([lambda p: p[:, 0] > 0], np.eye(2), np.array([0, 1]), **k),
}


def test_every_figure_function_is_tested():
    functions = {
        name
        for name, function in inspect.getmembers(figures, inspect.isfunction)
        if not name.startswith("_") and "alt" in inspect.signature(function).parameters
    }
    assert functions
    assert functions <= set(MAKERS)


@pytest.mark.parametrize("name", MAKERS)
def test_every_figure_carries_its_finding_and_is_valid_json(name):
    figure = MAKERS[name](alt="the finding")
    assert figure.layout.meta["alt"] == "the finding"
    assert "NaN" not in figure.to_json()
    json.loads(figure.to_json())


@pytest.mark.parametrize("name", MAKERS)
def test_no_figure_without_its_finding(name):
    with pytest.raises(CourseError, match="alt"):
        MAKERS[name](alt="  ")


def test_lines_differ_in_more_than_colour():
    first, second = figures.lines(TABLE, "x", "y", "who", alt="a").data
    assert first.line.dash != second.line.dash
    assert first.marker.symbol != second.marker.symbol


def test_loss_comes_first_and_parts_differ_in_more_than_colour():
    figure = figures.training_curves(HISTORY, alt="a")
    assert [figure.layout.yaxis.title.text, figure.layout.yaxis2.title.text] == ["loss", "accuracy"]
    assert figure.data[0].line.dash != figure.data[1].line.dash


def test_an_empty_history_is_a_sentence():
    with pytest.raises(CourseError, match="Train the model first"):
        figures.training_curves(HISTORY[:0], alt="a")


def pixels(figure) -> np.ndarray:
    """What an independent decoder reads from the grid's picture, uint8 (height, width, 3)."""
    from PIL import Image

    content = base64.b64decode(figure.data[0].source.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def test_the_grid_keeps_every_image_where_it_belongs():
    images = np.zeros((3, 4, 4))
    images[1] = 9
    picture = pixels(figures.image_grid(images, alt="a", columns=2))
    gap = 1
    assert picture.shape == (9, 9, 3)
    assert (picture[:4, 4 + gap : 8 + gap] == 0).all()
    assert (picture[:4, :4] == 255).all()
    assert (picture[4 + gap :, :4] == 255).all()


def test_signed_zero_is_white_and_the_ends_are_blue_and_orange():
    picture = pixels(figures.image_grid(np.array([[[-2.0, 0.0, 2.0]]]), alt="a", signed=True))
    assert picture[0].tolist() == [[0, 114, 178], [255, 255, 255], [213, 94, 0]]


def test_grey_values_keep_their_order():
    picture = pixels(figures.image_grid(np.arange(0, 256, 5.0)[None, None, :], alt="a"))
    greys = picture[0, :, 0].astype(int)
    assert (np.diff(greys) <= 0).all()
    assert abs(greys - (255 - np.arange(0, 256, 5))).max() <= 3


@pytest.mark.parametrize("images", [np.zeros((0, 4, 4)), np.zeros((4, 4)), np.zeros((1, 4, 4, 1))])
def test_a_wrong_shape_is_named(images):
    with pytest.raises(CourseError, match=str(images.shape).replace("(", r"\(").replace(")", r"\)")):
        figures.image_grid(images, alt="a")


def test_captions_must_be_as_many_as_images():
    with pytest.raises(CourseError, match="2 images and 1 captions"):
        figures.image_grid(np.zeros((2, 4, 4)), ["one"], alt="a")


def test_a_blank_image_is_drawn_blank():
    assert (pixels(figures.image_grid(np.zeros((1, 4, 4)), alt="a")) == 255).all()


def test_confusion_colours_mistakes_only():
    figure = figures.confusion(np.array([[5, 1], [0, 6]]), ["no", "yes"], alt="a")
    assert np.asarray(figure.data[0].z).tolist() == [[0, 1], [0, 0]]
    assert figure.data[0].text[0][0] == "5"


def test_the_slider_moves_through_all_frames():
    figure = MAKERS["answers_over"](alt="a")
    assert [frame.name for frame in figure.frames] == ["0°", "90°"]
    assert [step.args[0][0] for step in figure.layout.sliders[0].steps] == ["0°", "90°"]
    assert figure.frames[1].data[1].x == pytest.approx([0.2, 0.8])


def test_template_is_registered_once_and_is_the_default():
    import plotly.io as pio

    figures.use_template()
    figures.use_template()
    assert pio.templates.default == "course"


def contrast(first: str, second: str) -> float:
    """WCAG 2.1's contrast ratio of two hex colours."""

    def luminance(colour):
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return np.dot(linear, [0.2126, 0.7152, 0.0722])

    high, low = sorted([luminance(first), luminance(second)], reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_text_is_readable_on_the_card():
    layout = figures.template().layout
    assert contrast(layout.font.color, layout.paper_bgcolor) >= 7


def test_decisions_move_without_a_kernel():
    random = np.random.default_rng(0)
    kind = np.arange(20) % 2
    x = np.where(kind[:, None], 0.5, -0.5) + 0.15 * random.normal(size=(20, 2))
    answers = [lambda p: np.zeros(len(p)), lambda p: (p[:, 0] > 0) * 1.0]
    figure = figures.decisions(answers, x, kind, alt="A border", labels=["0", "9"], slider="step")
    assert [frame.name for frame in figure.frames] == ["0", "9"] and figure.layout.sliders[0].active == 1
    assert figure.data[0].source == figure.frames[1].data[0].source, "it opens at the last"
    assert len(figure.to_json()) < 40_000
    assert not figures.decisions(answers[:1], x, kind, alt="A border").frames
    with pytest.raises(CourseError, match="2 answers and 0 labels"):
        figures.decisions(answers, x, kind, alt="A border")


def test_diverging_colours_are_blue_white_and_orange():
    colours = figures.diverging(np.array([-1.0, 0.0, 1.0, np.nan, 7.0]))
    assert colours.dtype == np.uint8 and colours.shape == (5, 3)
    assert colours[1].tolist() == colours[3].tolist() == [255, 255, 255]
    assert colours[0, 2] > colours[0, 0] and colours[2, 0] > colours[2, 2] and (colours[2] == colours[4]).all()


def test_a_wrong_box_differs_in_more_than_colour():
    box, right = [np.array([[1, 1, 4, 3], [5, 5, 8, 8]])], [np.array([True, False])]
    figure = figures.boxes(np.ones((1, 9, 9)), box, [[7, 4]], right, alt="a")
    good, bad = figure.layout.shapes[-2:]
    assert good.line.dash != bad.line.dash and (bad.x0, bad.y1) == (4.5, 7.5)
    assert [words.text for words in figure.layout.annotations] == ["7", "4 ✗"]
