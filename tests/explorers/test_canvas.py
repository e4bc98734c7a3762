"""The widget's Python side: messages as the browser sends them, answers as it shows them."""

import re
import shutil
import subprocess

import ipywidgets
import numpy as np
import pytest
from packaging.version import Version

from course_utils.errors import CourseError
from course_utils.explorers import draw_digit, example_strokes
from course_utils.explorers.canvas import BRUSH, BRUSH_LIMITS, DigitCanvas, words
from course_utils.strokes import PAPER, digit_from_strokes

LINE = [{"width": 24, "points": [[140, 40], [140, 240]]}]
DOT = [{"width": 24, "points": [[140, 40]]}]


class Model:
    """Says 3 to everything, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[np.ndarray] = []
        self.problem: Exception | None = None

    def __call__(self, images):
        self.asked.append(images)
        if self.problem:
            raise self.problem
        return np.eye(10)[[3]]


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def canvas(model) -> DigitCanvas:
    return draw_digit(model)


def draw(canvas: DigitCanvas, version: int, strokes: list) -> dict:
    """What happens when the browser's message arrives; returns the answer that goes back."""
    canvas._handle_custom_msg({"version": version, "strokes": strokes}, [])
    return canvas.answer


def test_before_anything_is_drawn(canvas, model):
    assert canvas.answer == {
        "version": 0, "kind": "prompt", "sentence": words()["empty"], "image": None, "probabilities": [],
    }  # fmt: skip
    assert len(model.asked) == 1, "one call of the model, so that the first stroke need not wait for tracing"
    assert canvas.image is None and canvas.probabilities is None and canvas.strokes == []


def test_a_drawing_is_answered(canvas, model):
    answer = draw(canvas, 5, LINE)
    assert (answer["version"], answer["kind"], answer["sentence"]) == (5, "answer", "It reads 3 (100%).")
    assert answer["probabilities"] == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    expected = digit_from_strokes(LINE)
    assert answer["image"] == expected.tobytes() and np.array_equal(canvas.image, expected)
    assert np.allclose(model.asked[-1][0, :, :, 0], expected / 255)
    assert canvas.strokes == LINE and canvas.probabilities.argmax() == 3


@pytest.mark.parametrize("strokes, sentence", [([], "empty"), (DOT, "dot")])
def test_nothing_to_read_gets_a_sentence_and_the_model_is_not_asked(canvas, model, strokes, sentence):
    draw(canvas, 1, LINE)
    asked = len(model.asked)
    answer = draw(canvas, 2, strokes)
    assert (answer["version"], answer["kind"], answer["sentence"]) == (2, "prompt", words()[sentence])
    assert answer["image"] is None and answer["probabilities"] == []
    assert canvas.image is None and canvas.probabilities is None and len(model.asked) == asked


def test_a_model_that_fails_says_so_and_may_recover(canvas, model):
    model.problem = ValueError("no such layer")
    answer = draw(canvas, 1, LINE)
    assert answer["kind"] == "error" and "ValueError: no such layer" in answer["sentence"]
    assert answer["image"] is not None and answer["probabilities"] == [] and canvas.probabilities is None
    model.problem = None
    assert draw(canvas, 2, LINE)["kind"] == "answer"


def test_a_model_that_cannot_work_says_so_before_anything_is_drawn(model):
    model.problem = RuntimeError("out of order")
    assert draw_digit(model).answer["kind"] == "error"
    assert "softmax" in draw_digit(lambda images: np.full((1, 10), 5.0)).answer["sentence"]


def test_a_message_that_is_no_drawing_gets_a_sentence(canvas):
    answer = draw(canvas, 3, [{"width": 0, "points": [[1, 2]]}])
    assert (answer["version"], answer["kind"]) == (3, "error") and "width 0" in answer["sentence"]


def test_strokes_from_python_are_shown_and_read(canvas):
    draw(canvas, 7, LINE)
    canvas.strokes = example_strokes()
    assert canvas.drawing["version"] == 8 and canvas.answer["version"] == 8
    assert canvas.drawing["strokes"] == canvas.strokes and canvas.strokes[0]["points"][0] == [72.0, 66.0]
    with pytest.raises(CourseError, match="width nan"):
        canvas.strokes = [{"width": float("nan"), "points": [(1, 2)]}]
    assert canvas.drawing["version"] == 8, "what is refused changes nothing"


@pytest.mark.skipif(
    Version(ipywidgets.__version__) < Version("7.7.5"),
    reason="where there is no kernel, an older ipywidgets sends nothing at all",
)
def test_what_the_browser_draws_is_kept_and_not_sent_back_to_it(canvas, monkeypatch):
    sent = []
    monkeypatch.setattr(canvas, "_send", lambda message, **_: sent.append((message["method"], *message["state"])))
    draw(canvas, 9, LINE)
    assert sent == [("update", "answer")], "and no echo_update either"
    assert canvas.get_state(["drawing"])["drawing"] == {"version": 9, "strokes": LINE}, (
        "for a page that is loaded again"
    )
    canvas.strokes = example_strokes()
    assert sent == [("update", name) for name in ("answer", "drawing", "answer")]


def test_example_is_a_digit_on_the_paper():
    points = np.concatenate([stroke["points"] for stroke in example_strokes()])
    assert points.min() > 0 and points.max() < PAPER and digit_from_strokes(example_strokes()) is not None
    assert BRUSH_LIMITS[0] <= BRUSH <= BRUSH_LIMITS[1] and (BRUSH - BRUSH_LIMITS[0]) % 2 == 0


def test_repr_is_a_sentence(canvas):
    assert repr(canvas).startswith("Draw a digit: run this cell") and len(repr(canvas)) <= 110


def test_script_asks_for_nothing_from_outside_and_finds_its_words():
    script, style = DigitCanvas._esm, DigitCanvas._css
    assert not re.search(r"https?:|\bimport\b|@import|url\(|\beval\b|innerHTML", script + style)
    assert set(re.findall(r"\bwords\.(\w+)", script)) == set(words()) - {"empty", "dot"}, "no word missing, none unused"
    assert f"const PAPER = {PAPER};" in script


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_script_is_valid_javascript():
    checked = subprocess.run(
        ["node", "--check", "--input-type=module", "-"],
        input=DigitCanvas._esm, capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
