"""The explorer of attention: what it shows is the head's own row, and bad input is a sentence."""

import importlib
import re

import numpy as np
import pytest

from course_utils import explorers
from course_utils.errors import CourseError
from course_utils.explorers.scene import Line, Picture

module = importlib.import_module("course_utils.explorers.attention")


def weights(t, layers=2, heads=3, seed=0, sharp=1.0):
    S = np.exp(sharp * np.random.default_rng(seed).normal(size=(layers, heads, t, t)))
    return S / S.sum(axis=-1, keepdims=True)


WORDS = ["[CLS]", "the", "export", "is", "the", "same", "[SEP]"]
ATTENDED = {
    "The export is the same": (WORDS, weights(7)),
    "short": (["[CLS]", "[SEP]"], weights(2, seed=1)),
    "a long one " * 12: (["[CLS]", *(f"##word{i}oflength" for i in range(38)), "[SEP]"], weights(40, seed=2)),
}


def test_the_sentence_names_the_largest_weights_of_the_row():
    scene = module.scene(module.Settings("The export is the same", 2, 3, 2), ATTENDED)
    row = ATTENDED["The export is the same"][1][1, 2, 2]
    said = [int(number) for number in re.findall(r"(\d+)% from", scene.sentence)]
    assert said == [round(100 * value) for value in sorted(row)[::-1][:3]]
    assert scene.sentence.startswith("Layer 2, head 3: “export” takes")


def test_equal_tokens_are_told_apart():
    scene = module.scene(module.Settings("The export is the same", 1, 1, 4), ATTENDED)
    assert "“the” (no. 2) takes" in scene.sentence


def test_lines_are_as_wide_as_their_weights():
    scene = module.scene(module.Settings("The export is the same", 1, 2, 3), ATTENDED)
    lines = [layer for layer in scene.panels[0].layers if isinstance(layer, Line)]
    row = ATTENDED["The export is the same"][1][0, 1, 3]
    drawn = {int(line.y[1]): line.width for line in lines}
    assert set(drawn) == set(np.flatnonzero(row >= module._FAINT))
    assert max(drawn, key=drawn.get) == row.argmax()


def test_the_map_is_darkest_where_the_weight_is_largest():
    scene = module.scene(module.Settings("The export is the same", 1, 1, 0), ATTENDED)
    pixels = next(layer for layer in scene.panels[1].layers if isinstance(layer, Picture)).pixels
    A = ATTENDED["The export is the same"][1][0, 0]
    assert np.unravel_index(pixels[..., 0].argmin(), A.shape) == np.unravel_index(A.argmax(), A.shape)


def test_the_live_widget_follows_controls_and_pointer():
    stage = explorers.attention(ATTENDED)
    first = stage.scene.sentence
    assert stage.send_event("hover", panel="map", x=0, y=5).sentence != first
    assert stage.values["token"] == 5
    assert "Layer 2" in stage.send_event("change", "layer", 2).sentence
    assert "head 3" in stage.send_event("change", "head", 3).sentence
    assert "[SEP]" in stage.send_event("change", "sentence", "short").sentence
    assert stage.send_event("hover", panel="lines", x=9, y=-3).sentence


def test_sentences_that_begin_alike_are_told_apart():
    pair = (["a", "b"], np.full((1, 1, 2, 2), 0.5))
    stage = explorers.attention({"x" * 70 + "y": pair, "x" * 70 + "z": pair})
    (keys, labels) = zip(*stage.controls[0]["options"], strict=True)
    assert keys == ("x" * 70 + "y", "x" * 70 + "z")
    assert labels[0] == "x" * 59 + "…" and labels[1].startswith(labels[0]) and labels[1] != labels[0]


def test_one_layer_one_head_one_sentence_have_no_such_controls():
    stage = explorers.attention({"x": (["a", "b"], np.full((1, 1, 2, 2), 0.5))})
    assert list(stage.values) == ["token"]


@pytest.mark.parametrize(
    ("attended", "words"),
    [
        ({}, "at least one sentence"),
        ({"x": (["a"], np.ones((1, 1, 1, 1)))}, "2 to 40"),
        ({"x": (["a"] * 41, weights(41))}, "2 to 40"),
        ({"x": (["a", "b"], weights(3))}, r"\(layers, heads, 2, 2\)"),
        ({"x": (["a", "b"], np.full((2, 2), 0.5))}, r"\(layers, heads, 2, 2\)"),
        ({"x": (["a", "b"], np.full((1, 1, 2, 2), np.nan))}, "no attention"),
        ({"x": (["a", "b"], np.ones((1, 1, 2, 2)))}, "no attention"),
        ({"x": (["a", "b"], weights(2)), "y": (["a", "b"], weights(2, layers=1))}, "same layers and heads"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(attended, words):
    with pytest.raises(CourseError, match=words):
        explorers.attention(attended)


def test_markup_in_a_token_stays_text():
    figure = explorers.attention_picture({"x": (["<b>a", "b"], weights(2))}, alt="Markup in a token")
    texts = [note.text for note in figure.layout.annotations]
    assert "&lt;b&gt;a" in texts and "<b>a" not in texts
