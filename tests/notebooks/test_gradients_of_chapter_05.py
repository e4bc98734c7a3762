"""Chapter 05's hand-written backward passes, on random shapes, against the loss itself and against the framework.

The errors are norm-wise and relative, in float64; the largest one seen is printed at the end (``pytest -s``).
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import gradcheck
from course_utils.exercises import chapter_05 as judged

TOLERANCE = 1e-6
FLOOR = 1e-9  # what rounding in the loss, divided by the step, does to a central difference at worst
SHAPES = {
    "seed": st.integers(0, 2**32 - 1),
    "batch": st.integers(1, 3),
    "time": st.integers(1, 5),
    "features": st.integers(1, 3),
    "units": st.integers(1, 4),
}
largest = {"central difference": 0.0, "framework": 0.0}


@pytest.fixture(scope="module", autouse=True)
def report():
    yield
    print("\nchapter 05, largest gradient errors: " + ", ".join(f"{k} {v:.1e}" for k, v in largest.items()))


@pytest.fixture(scope="module")
def chapter(chapter_functions):
    names = ("rnn_forward", "bptt", "truncated", "loss_at_the_end", "loss_and_gradients", "slope_tanh", "slope_relu",
             "relu", "lstm_forward", "lstm_backward", "gru_forward", "sigmoid")  # fmt: skip
    solved = {
        name: chapter_functions("05", name, exercise=exercise)[name]
        for exercise, name in (("05-2", "leaky_bptt"), ("05-4", "bptt_in_pieces"))
    }
    return chapter_functions("05", *names) | solved


def hold(witness: str, ours, theirs) -> None:
    error = gradcheck.relative_error(ours, theirs, least=FLOOR / TOLERANCE)
    largest[witness] = max(largest[witness], error)
    assert error <= TOLERANCE, error


def rnn_case(seed, batch, time, features, units):
    random = np.random.default_rng(seed)
    return {
        "X": random.normal(size=(batch, time, features)),
        "W_x": random.normal(size=(features, units)),
        "W_h": random.normal(size=(units, units)),
        "b": random.normal(size=units),
        "h_0": random.normal(size=(batch, units)),
    }, random


@settings(max_examples=120, deadline=None)
@given(**SHAPES)
def test_an_answer_at_each_step_with_tanh(chapter, seed, batch, time, features, units):
    given_, random = rnn_case(seed, batch, time, features, units)
    target = random.normal(size=(batch, time, units))

    def states():
        return chapter["rnn_forward"](*given_.values())

    def loss():
        return 0.5 * ((states()[:, 1:] - target) ** 2).sum() / batch

    H = states()
    *ours, back = chapter["bptt"](given_["X"], H, given_["W_h"], (H[:, 1:] - target) / batch)
    for name, gradient in zip(("W_x", "W_h", "b", "h_0"), [*ours, back[:, 0]], strict=True):
        hold("central difference", gradient, gradcheck.central_difference(loss, given_[name]))


@settings(max_examples=120, deadline=None)
@given(**SHAPES)
def test_an_answer_at_each_step_with_relu_away_from_its_kink(chapter, seed, batch, time, features, units):
    given_, random = rnn_case(seed, batch, time, features, units)
    weights = random.normal(size=(batch, time, units))  # a linear loss: its own terms are these numbers

    def kinks():
        """The smallest |z| on the way."""
        H = chapter["rnn_forward"](*given_.values(), phi=chapter["relu"])
        z = H[:, :-1] @ given_["W_h"] + given_["X"] @ given_["W_x"] + given_["b"]
        return np.abs(z).min()

    while kinks() < 1e-3:
        given_["b"] += 0.01 * random.normal(size=units)

    def loss():
        return (chapter["rnn_forward"](*given_.values(), phi=chapter["relu"])[:, 1:] * weights).sum()

    H = chapter["rnn_forward"](*given_.values(), phi=chapter["relu"])
    *ours, back = chapter["bptt"](given_["X"], H, given_["W_h"], weights, chapter["slope_relu"])
    for name, gradient in zip(("W_x", "W_h", "b", "h_0"), [*ours, back[:, 0]], strict=True):
        hold("central difference", gradient, gradcheck.central_difference(loss, given_[name]))


@settings(max_examples=120, deadline=None)
@given(**SHAPES, classes=st.integers(2, 4))
def test_one_answer_at_the_end(chapter, seed, batch, time, features, units, classes):
    given_, random = rnn_case(seed, batch, time, features, units)
    parameters = [given_[name] for name in ("W_x", "W_h", "b")]
    parameters += [random.normal(size=(units, classes)), random.normal(size=classes)]
    y = random.integers(0, classes, batch)
    _, ours, _ = chapter["loss_and_gradients"](given_["X"], y, *parameters)
    for array, gradient in zip(parameters, ours, strict=True):
        measured = gradcheck.central_difference(
            lambda: chapter["loss_and_gradients"](given_["X"], y, *parameters)[0], array
        )
        hold("central difference", gradient, measured)


@settings(max_examples=100, deadline=None)
@given(**SHAPES)
def test_the_lstm(chapter, seed, batch, time, features, units):
    random = np.random.default_rng(seed)
    X = random.normal(size=(batch, time, features))
    arrays = [random.normal(size=s) for s in ((features, 4 * units), (units, 4 * units), (4 * units,))]
    target = random.normal(size=(batch, time, units))

    def loss():
        return 0.5 * ((chapter["lstm_forward"](X, *arrays)[0][:, 1:] - target) ** 2).sum() / batch

    H, C, gates = chapter["lstm_forward"](X, *arrays)
    *ours, _ = chapter["lstm_backward"](X, H, C, gates, arrays[1], (H[:, 1:] - target) / batch)
    for array, gradient in zip(arrays, ours, strict=True):
        hold("central difference", gradient, gradcheck.central_difference(loss, array))


@settings(max_examples=100, deadline=None)
@given(**SHAPES, a=st.floats(0.05, 1.0))
def test_the_solution_of_the_leaky_exercise(chapter, seed, batch, time, features, units, a):
    leaky_bptt = chapter["leaky_bptt"]
    given_, random = rnn_case(seed, batch, time, features, units)
    weights = random.normal(size=(batch, time, units))

    def run():
        U, H = np.zeros((batch, time, units)), np.zeros((batch, time + 1, units))
        H[:, 0] = given_["h_0"]
        for t in range(1, time + 1):
            U[:, t - 1] = np.tanh(H[:, t - 1] @ given_["W_h"] + given_["X"][:, t - 1] @ given_["W_x"] + given_["b"])
            H[:, t] = (1 - a) * H[:, t - 1] + a * U[:, t - 1]
        return U, H

    U, H = run()
    for name, gradient in zip(("W_h", "h_0"), leaky_bptt(U, H, given_["W_h"], weights, a), strict=True):
        measured = gradcheck.central_difference(lambda: (run()[1][:, 1:] * weights).sum(), given_[name])
        hold("central difference", gradient, measured)


@settings(max_examples=100, deadline=None)
@given(**SHAPES, k=st.integers(1, 6))
def test_the_solution_of_the_pieces_exercise(chapter, seed, batch, time, features, units, k):
    """A piece's gradient is that of its own losses, with the state before it held fixed."""
    in_pieces = chapter["bptt_in_pieces"]
    given_, random = rnn_case(seed, batch, time, features, units)
    weights, H = random.normal(size=(batch, time, units)), chapter["rnn_forward"](*given_.values())

    def loss():
        total = 0.0
        for start in range(0, time, k):
            part = given_["X"][:, start : start + k]
            made = chapter["rnn_forward"](part, given_["W_x"], given_["W_h"], given_["b"], H[:, start])
            total += (made[:, 1:] * weights[:, start : start + k]).sum()
        return total

    ours = in_pieces(H, given_["W_h"], weights, k)
    hold("central difference", ours, gradcheck.central_difference(loss, given_["W_h"]))
    np.testing.assert_allclose(ours, judged.bptt_in_pieces(H, given_["W_h"], weights, k), rtol=1e-12, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(**SHAPES, k=st.integers(1, 5))
def test_truncation_is_the_gradient_of_the_last_steps(chapter, seed, batch, time, features, units, k):
    given_, random = rnn_case(seed, batch, time, features, units)
    k = min(k, time)
    H, own = chapter["rnn_forward"](*given_.values()), random.normal(size=(batch, time, units))
    ours = chapter["truncated"](given_["X"], H, given_["W_h"], own, k)[1]
    start, part = H[:, -k - 1], given_["X"][:, -k:]

    def loss():
        made = chapter["rnn_forward"](part, given_["W_x"], given_["W_h"], given_["b"], start)
        return (made[:, 1:] * own[:, -k:]).sum()

    hold("central difference", ours, gradcheck.central_difference(loss, given_["W_h"]))


# The framework is slow at tracing, so it is asked about fewer shapes.
FEW = [(0, 1, 1, 1, 1), (1, 3, 4, 2, 3), (2, 2, 6, 1, 5), (3, 4, 3, 3, 2), (4, 1, 7, 2, 4), (5, 5, 2, 4, 3)]


@pytest.mark.parametrize("shape", FEW)
@pytest.mark.parametrize("f", ["tanh", "relu"])
def test_both_kinds_of_loss_against_the_framework(chapter, shape, f):
    from keras import ops

    given_, random = rnn_case(*shape)
    batch, time, units = shape[1], shape[2], shape[4]
    weights = random.normal(size=(batch, time, units))
    if f == "relu":
        given_["b"] += 0.5
    for kind in ("many-to-many", "many-to-one"):
        if kind == "many-to-one":
            weights[:, :-1] = 0

        def loss(W_x, W_h, b, h, weights=weights):
            total = 0.0
            for t in range(time):
                z = ops.matmul(h, W_h) + ops.matmul(ops.convert_to_tensor(given_["X"][:, t]), W_x) + b
                h = ops.tanh(z) if f == "tanh" else ops.relu(z)
                total = total + ops.sum(h * weights[:, t])
            return total

        arrays = [given_[name] for name in ("W_x", "W_h", "b", "h_0")]
        f_, slope = (np.tanh, chapter["slope_tanh"]) if f == "tanh" else (chapter["relu"], chapter["slope_relu"])
        H = chapter["rnn_forward"](*given_.values(), phi=f_)
        *ours, back = chapter["bptt"](given_["X"], H, given_["W_h"], weights, slope)
        for mine, theirs in zip([*ours, back[:, 0]], gradcheck.by_framework(loss, *arrays), strict=True):
            hold("framework", mine, theirs)


def keras_layer(kind, units, X, random):
    from keras import layers, ops

    layer = getattr(layers, kind)(units, return_sequences=True, dtype="float64")
    layer.build(X.shape)
    layer.set_weights([random.normal(size=w.shape) for w in layer.get_weights()])
    return layer, ops.convert_to_numpy(layer(X))


@pytest.mark.parametrize("shape", FEW)
def test_the_three_layers_are_those_of_keras(chapter, shape):
    seed, batch, time, features, units = shape
    random = np.random.default_rng(seed)
    X = random.normal(size=(batch, time, features))
    layer, states = keras_layer("SimpleRNN", units, X, random)
    np.testing.assert_allclose(chapter["rnn_forward"](X, *layer.get_weights())[:, 1:], states, atol=1e-12)
    layer, states = keras_layer("LSTM", units, X, random)
    np.testing.assert_allclose(chapter["lstm_forward"](X, *layer.get_weights())[0][:, 1:], states, atol=1e-12)
    layer, states = keras_layer("GRU", units, X, random)
    np.testing.assert_allclose(chapter["gru_forward"](X, *layer.get_weights())[:, 1:], states, atol=1e-12)


@pytest.mark.parametrize("shape", FEW)
def test_the_lstm_backward_against_the_framework(chapter, shape):
    from keras import ops

    seed, batch, time, features, units = shape
    random = np.random.default_rng(seed)
    X, weights = random.normal(size=(batch, time, features)), random.normal(size=(batch, time, units))
    layer, _ = keras_layer("LSTM", units, X, random)
    arrays = layer.get_weights()

    def loss(*values):
        made, _ = layer.stateless_call(list(values), layer.non_trainable_variables, ops.convert_to_tensor(X))
        return ops.sum(made * weights)

    H, C, gates = chapter["lstm_forward"](X, *arrays)
    *ours, _ = chapter["lstm_backward"](X, H, C, gates, arrays[1], weights)
    for mine, theirs in zip(ours, gradcheck.by_framework(loss, *arrays), strict=True):
        hold("framework", mine, theirs)
