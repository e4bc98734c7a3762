"""The explorer of chapter 05: its numbers are the chapter's, every extreme gives a finite picture."""

import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import explorers
from course_utils.explorers import recurrence
from course_utils.explorers.recurrence import BIASES, LENGTHS, NETWORKS, RADII, STARTS, measure, power, scene
from course_utils.explorers.scene import for_browser

# Names that the chapter also computes in cells of its own, and that its functions only use inside.
LOCAL = dict.fromkeys(
    ("X", "H", "C", "W", "U", "W_x", "W_h", "b", "h_0", "own", "gates", "time", "units", "delta", "back", "J", "t", "k",
     "dW_x", "dW_h", "db", "H_T", "f", "slope", "x", "h", "c", "g", "o", "i", "sizes", "batch")
)  # fmt: skip


@pytest.mark.parametrize("network", ["linear", "tanh", "ReLU"])
@pytest.mark.parametrize("radius", [0.0, 0.8, 1.3])
def test_the_sizes_are_those_of_the_chapter(chapter_functions, network, radius):
    chapter = chapter_functions("05", "rnn_forward", "gradient_sizes", "slope_tanh", "slope_relu", "relu", **LOCAL)
    f, slope = {
        "linear": (lambda z: z, np.ones_like),
        "tanh": (np.tanh, chapter["slope_tanh"]),
        "ReLU": (chapter["relu"], chapter["slope_relu"]),
    }[network]
    W_h, inputs = radius * recurrence.start_matrix("random", 0), recurrence._inputs(0, 50, recurrence.UNITS)
    H = chapter["rnn_forward"](inputs[None], np.eye(recurrence.UNITS), W_h, np.zeros(recurrence.UNITS), f=f)
    expected = chapter["gradient_sizes"](H[0], W_h, slope)
    np.testing.assert_allclose(measure(network, "random", radius, 1.0, 50).sizes, expected, rtol=1e-6)


def test_the_lstm_is_that_of_the_chapter(chapter_functions):
    chapter = chapter_functions("05", "lstm_forward", "lstm_backward", "sigmoid", **LOCAL)
    n, random = 5, np.random.default_rng(1)
    U, bias, inputs = random.normal(size=(n, 4 * n)), random.normal(size=4 * n), random.normal(size=(9, 4 * n))
    steps = recurrence.lstm_steps(U, bias, inputs)
    H, C, gates = chapter["lstm_forward"](inputs[None], np.eye(4 * n), U, bias)
    product = np.eye(2 * n)
    for step in steps:
        product = product @ step
    for unit in range(n):
        own = np.zeros((1, 9, n))
        own[0, -1, unit] = 1  # a loss that is this unit's last state
        back = chapter["lstm_backward"](inputs[None], H, C, gates, U, own)[3]
        np.testing.assert_allclose(back[0, 0], product[:, unit], rtol=1e-9, atol=1e-15)


def test_the_largest_stretch_is_the_spectral_norm():
    matrices = np.random.default_rng(0).normal(size=(20, 6, 6)) * 10.0 ** np.arange(-100, 100, 10)[:, None, None]
    np.testing.assert_allclose(
        recurrence.largest_stretch(matrices), np.linalg.norm(matrices, 2, axis=(1, 2)), rtol=1e-9
    )


def finite(drawn: dict) -> bool:
    """Whether a scene for the browser has words without NaN or infinity, and no infinite place."""
    numbers = [np.frombuffer(layer[a], "<f4") for p in drawn["panels"] for layer in p["layers"] for a in ("x", "y")]
    words = drawn["sentence"].lower()
    return not any(np.isinf(values).any() for values in numbers) and "nan" not in words and "inf" not in words


@pytest.mark.parametrize("network", NETWORKS)
def test_every_extreme_gives_a_finite_picture_and_a_sentence(network):
    ends = itertools.product(STARTS, (RADII[0], RADII[1], 1.0, RADII[-1]), (BIASES[0], BIASES[-1]), (10, 200))
    for start, radius, forget, length in ends:
        drawn = for_browser(scene(network, start, radius, forget, length))
        assert finite(drawn), (start, radius, forget, length)
        assert network in drawn["sentence"]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(NETWORKS), st.sampled_from(STARTS), st.sampled_from(RADII), st.sampled_from(BIASES),
    st.sampled_from(LENGTHS), st.integers(0, 50),
)  # fmt: skip
def test_any_setting_gives_a_finite_picture(network, start, radius, forget, length, draw):
    assert finite(for_browser(scene(network, start, radius, forget, length, draw)))


def test_radius_zero_is_a_sentence_and_a_gap():
    made = scene("tanh", "random", 0.0, 1.0, 100)
    assert "the gradient is 0 after a single step" in made.sentence
    measured = made.panels[0].layers[2]
    assert measured.y[0] == 0 and np.isnan(measured.y[1:]).all()


@pytest.mark.parametrize(
    ("settings_", "fate"),
    [
        (("linear", "orthogonal", 1.0, 1.0, 100), "stays within reach"),
        (("linear", "random", 0.9, 1.0, 100), "vanishes"),
        (("linear", "random", 1.2, 1.0, 100), "explodes"),
        (("LSTM", "random", 1.0, 1.0, 100), "vanishes"),
        (("LSTM", "random", 1.0, 5.0, 100), "stays within reach"),
    ],
)
def test_the_sentence_tells_the_fate(settings_, fate):
    made = scene(*settings_)
    assert fate in made.sentence
    assert made.warning == (fate == "explodes")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1, "1"), (0.42, "0.42"), (1234.0, "1234"), (2.2e-14, "2·10⁻¹⁴"), (9.7e30, "1·10³¹"), (85.7, "86")],
)
def test_numbers_are_written_for_readers(value, text):
    assert power(value) == text


def test_the_live_explorer_answers_and_another_draw_differs():
    stage = explorers.gradient_over_time()
    before = stage.scene.sentence
    assert "tanh, radius 1.00" in before
    assert stage.send_event("change", "radius", 0.5).sentence != before
    assert "LSTM" in stage.send_event("change", "network", "LSTM").sentence
    again = stage.send_event("press", "draw").panels[0].layers[2].y
    assert not np.allclose(again, stage.send_event("press", "draw").panels[0].layers[2].y)


def test_an_update_takes_a_few_milliseconds():
    stage = explorers.gradient_over_time(network="LSTM")
    stage.send_event("change", "radius", 1.5)
    began = time.process_time()
    for radius in RADII[:20]:
        stage.send_event("change", "radius", radius)
    spent = (time.process_time() - began) / 20 * 1000
    print(f"gradient_over_time: {spent:.1f} ms of Python an update")
    assert math.isfinite(spent) and spent < 100


def test_the_picture_has_both_panels_and_its_words():
    figure = explorers.gradient_over_time_picture(network="tanh", radius=1.2, alt="It shrinks.")
    assert figure.layout.meta["alt"] == "It shrinks."
    assert {trace.name for trace in figure.data} >= {"measured", "radius alone", "of W_h", "of the last step"}
