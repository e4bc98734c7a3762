"""What an explorer shows, as data: ticks, scales, what the browser gets, and the same as a figure."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.errors import CourseError
from course_utils.explorers import scene
from course_utils.explorers.scene import Box, Handle, Line, Panel, Picture, Points, Scene, Text

BLUE = np.full((2, 3, 3), (0, 0, 255), np.uint8)


def everything(logarithmic: str = "") -> Scene:
    layers = [
        Picture(BLUE, (1, 4), (1, 3)),
        Line([1, 2, 3], [1, float("nan"), 3], label="a line"),
        Points([1, 2], [2, 3], series=1, label="points"),
        Box((1, 2), (1, 2), series=2, text="a box"),
        Box((2, 3), (2, 3), filled=False),
        Text([2], [2], ["words"]),
        Handle("start", 2, 2, "a handle"),
    ]
    panel = Panel("all", (1, 10), (1, 10), layers, title="All", x_title="x", y_title="y", logarithmic=logarithmic)
    return Scene([panel, Panel("empty", (0, 1), (1, 0), [], axes=False)], "Everything.")


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_are_round_few_and_inside(low, length):
    high = low + length
    if not high > low or length < 1e-9 * abs(low):
        return
    ticks = scene.nice_ticks(low, high)
    assert 2 <= len(ticks) <= 11
    slack = 1e-6 * length
    assert all(low - slack <= tick <= high + slack for tick in ticks)
    steps = np.diff(ticks)
    assert np.allclose(steps, steps[0], rtol=1e-3)
    mantissa = steps[0] / 10 ** math.floor(math.log10(steps[0]) + 1e-6)
    assert any(mantissa == pytest.approx(m, rel=0.02) for m in (1, 2, 5, 10))


def test_ticks_of_a_downward_axis_are_the_same():
    assert scene.nice_ticks(4, 0) == scene.nice_ticks(0, 4) == [0, 1, 2, 3, 4]


def test_logarithmic_axes_are_linear_for_the_browser():
    drawn = scene.for_browser(everything("xy"))["panels"][0]
    assert drawn["x"] == [0, 1] and drawn["ticks_x"] == [[0, "1"], [1, "10"]]
    points = next(layer for layer in drawn["layers"] if layer["kind"] == "points")
    assert np.frombuffer(points["x"], "<f4") == pytest.approx(np.log10([1, 2]), rel=1e-6)


def test_powers_far_from_one_are_written_as_powers():
    panel = Panel("p", (0, 1), (1e-12, 1e6), [], logarithmic="y")
    labels = [text for _, text in scene.for_browser(Scene([panel], ""))["panels"][0]["ticks_y"]]
    assert "10⁻¹²" in labels and "1" in labels and "10⁶" in labels


def test_what_has_no_logarithm_is_a_gap():
    panel = Panel("p", (0, 1), (1, 10), [Line([0, 1, 2], [1, 0, -3])], logarithmic="y")
    ys = np.frombuffer(scene.for_browser(Scene([panel], ""))["panels"][0]["layers"][0]["y"], "<f4")
    assert ys[0] == 0 and np.isnan(ys[1:]).all()


def test_what_is_too_large_stays_finite():
    panel = Panel("p", (0, 1), (0, 1), [Line([0, 1], [1e300, -np.inf])])
    ys = np.frombuffer(scene.for_browser(Scene([panel], ""))["panels"][0]["layers"][0]["y"], "<f4")
    assert np.isfinite(ys).all() and ys[0] > 1e38 and ys[1] < -1e38


def test_all_layers_reach_the_browser_and_the_figure():
    kinds = [layer["kind"] for layer in scene.for_browser(everything())["panels"][0]["layers"]]
    assert kinds == ["picture", "line", "points", "box", "box", "text", "handle"]
    figure = scene.as_figure(everything(), alt="everything at once")
    assert figure.layout.meta["alt"] == "everything at once"
    assert [trace.name for trace in figure.data] == ["a line", "points", "a handle"]
    assert len(figure.layout.shapes) == 2 and len(figure.layout.images) == 1
    assert {"a box", "words"} <= {note.text for note in figure.layout.annotations}
    assert list(figure.layout.yaxis2.range) == [1, 0], "a downward axis stays one"


def test_a_figure_on_logarithmic_axes_has_its_ends_as_exponents():
    figure = scene.as_figure(everything("y"), alt="a")
    assert figure.layout.yaxis.type == "log" and list(figure.layout.yaxis.range) == [0, 1]
    assert next(iter(figure.data[0].y)) == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Picture(np.zeros((2, 2)), (0, 1), (0, 1)), r"uint8 \(height, width, 3\); it got float64 \(2, 2\)"),
        (lambda: Panel("p", (0, 0), (0, 1), []), "x axis of p runs from 0 to 0"),
        (lambda: Panel("p", (0, 1), (0, float("nan")), []), "y axis of p runs from 0 to nan"),
        (lambda: Panel("p", (0, 1), (0, 1), [], logarithmic="y"), "logarithmic and begins at 0"),
        (lambda: scene.for_browser(Scene([Panel("p", (0, 1), (0, 1), [Line([1, 2], [1])])], "")), "2 x and 1 y"),
        (lambda: scene.for_browser(Scene([Panel("p", (0, 1), (0, 1), [Line([[1]], [[1]])])], "")), "shape"),
        (lambda: scene.as_figure(everything(), alt=" "), "needs alt"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make, message):
    with pytest.raises(CourseError, match=message):
        make()
