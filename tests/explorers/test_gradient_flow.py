"""The explorer of chapter 05: its numbers are the chapter's, its words tell the fate."""

import numpy as np
import pytest

from course_utils import explorers
from course_utils.explorers import gradient_flow
from course_utils.explorers.gradient_flow import measure, power, scene


@pytest.mark.parametrize("network", ["linear", "tanh", "ReLU"])
@pytest.mark.parametrize("radius", [0.0, 0.8, 1.3])
def test_the_sizes_are_those_of_the_chapter(chapter_functions, network, radius):
    chapter = chapter_functions("05", "rnn_forward", "gradient_sizes", "slope_tanh", "slope_relu", "relu")
    f, slope = {
        "linear": (lambda z: z, np.ones_like),
        "tanh": (np.tanh, chapter["slope_tanh"]),
        "ReLU": (chapter["relu"], chapter["slope_relu"]),
    }[network]
    W_h, inputs = radius * gradient_flow.start_matrix("random", 0), gradient_flow.inputs_of(0, 50, gradient_flow.UNITS)
    H = chapter["rnn_forward"](inputs[None], np.eye(gradient_flow.UNITS), W_h, np.zeros(gradient_flow.UNITS), phi=f)
    expected = chapter["gradient_sizes"](H[0], W_h, slope)
    np.testing.assert_allclose(measure(network, "random", radius, 1.0, 50).sizes, expected, rtol=1e-6)


def test_the_lstm_is_that_of_the_chapter(chapter_functions):
    chapter = chapter_functions("05", "lstm_forward", "lstm_backward", "sigmoid")
    n, random = 5, np.random.default_rng(1)
    U, bias, inputs = random.normal(size=(n, 4 * n)), random.normal(size=4 * n), random.normal(size=(9, 4 * n))
    steps = gradient_flow.lstm_steps(U, bias, inputs)
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
        gradient_flow.largest_stretch(matrices), np.linalg.norm(matrices, 2, axis=(1, 2)), rtol=1e-9
    )


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


def test_another_draw_differs():
    stage = explorers.gradient_over_time()
    assert "tanh, radius 1.00" in stage.scene.sentence
    stage.send_event("change", "network", "LSTM")
    again = stage.send_event("press", "draw").panels[0].layers[2].y
    assert not np.allclose(again, stage.send_event("press", "draw").panels[0].layers[2].y)
