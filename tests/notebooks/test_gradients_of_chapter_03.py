"""Chapter 03's hand-written backward passes, and its exercises' solutions, on random networks of random shapes.

Witnesses: the central difference of the loss, in float64, and (for fewer shapes, since it traces each) the framework's
own gradient. ReLU's kinks are kept at a distance: a network with a hidden z nearer to 0 than MARGIN is drawn again.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course_utils import gradcheck

MARGIN = 1e-3  # the central difference moves z by far less
LIMIT = 1e-6
FLOOR = 1e-9  # what rounding in the loss, divided by the step, does to a central difference at worst
seen = {"largest": 0.0, "networks": 0}
many = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", autouse=True)
def largest_error():
    yield
    print(f"\nchapter 03: largest gradient error {seen['largest']:.1e} over {seen['networks']} networks")


@pytest.fixture(scope="module")
def chapter(chapter_functions):
    names = ("forward", "backward", "cross_entropy", "mean_squared_error", "start", "ACTIVATIONS", "framework_loss")
    defined = chapter_functions("03", *names, "loss_and_gradients")
    for exercise, name in (("03-2", "backward_layer"), ("03-3", "silu_backward"), ("03-4", "two_layer_gradients")):
        defined |= {name: chapter_functions("03", name, exercise=exercise)[name]}
    return defined


def agrees(loss, arrays, gradients):
    """Assert that each of the gradients is right, and remember the largest error of those that can be measured."""
    for array, gradient in zip(arrays, gradients, strict=True):
        measured = gradcheck.central_difference(loss, array)
        error = gradcheck.relative_error(gradient, measured, least=FLOOR / LIMIT)
        assert error <= LIMIT, f"{error:.1e} for shape {array.shape}"
        seen["largest"] = max(seen["largest"], error)
    seen["networks"] += 1


shapes = st.tuples(
    st.integers(1, 6),  # batch
    st.lists(st.integers(1, 5), min_size=2, max_size=5),  # inputs, hidden layers, outputs
    st.integers(0, 2**32 - 1),
)


def network(chapter, case, activation):
    """X, the generator and [(W, b), ...] with random biases, every hidden z away from the kink."""
    batch, widths, seed = case
    draw = np.random.default_rng(seed)
    while True:
        X = draw.normal(size=(batch, widths[0]))
        parameters = [(W, 0.5 * draw.normal(size=b.shape)) for W, b in chapter["start"](widths, draw, 1.0)]
        hidden = chapter["forward"](X, parameters, activation)[1][:-1]
        if all(np.abs(z).min() > MARGIN for z in hidden):
            return X, draw, parameters


def flat(layers):
    return [array for layer in layers for array in layer]


def through_any_network(chapter, X, target, parameters, activation, loss):
    L, gradients = chapter["loss_and_gradients"](X, target, parameters, activation, loss)

    def value():
        return loss(chapter["forward"](X, parameters, activation)[1][-1], target)[0]

    assert value() == L
    agrees(value, flat(parameters), flat(gradients))


@many
@given(shapes, st.sampled_from(["relu", "tanh", "sigmoid", "linear"]))
def test_cross_entropy_through_any_network(chapter, case, activation):
    X, draw, parameters = network(chapter, case, activation)
    y = draw.integers(0, case[1][-1], len(X))
    through_any_network(chapter, X, y, parameters, activation, chapter["cross_entropy"])


@many
@given(shapes, st.sampled_from(["relu", "tanh", "sigmoid"]), st.sampled_from(["linear", "sigmoid"]))
def test_squared_error_through_any_network(chapter, case, activation, output):
    X, draw, parameters = network(chapter, case, activation)
    T = draw.normal(size=(len(X), case[1][-1]))

    def loss(Z, target):
        return chapter["mean_squared_error"](Z, target, output)

    through_any_network(chapter, X, T, parameters, activation, loss)


@many
@given(st.sampled_from(["relu", "tanh", "sigmoid", "linear"]), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_slopes(chapter, activation, n, seed):
    draw = np.random.default_rng(seed)
    z = draw.uniform(0.01, 6, n) * draw.choice([-1, 1], n)
    sigma, slope = chapter["ACTIVATIONS"][activation]
    agrees(lambda: sigma(z).sum(), [z], [slope(z)])


@pytest.mark.parametrize("kind", ["cross-entropy", "squared error"])
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(shapes, st.sampled_from(["relu", "tanh", "sigmoid"]))
def test_the_framework_agrees(chapter, kind, case, activation):
    keras = pytest.importorskip("keras")
    limit = 1e-12 if keras.config.backend() == "tensorflow" else LIMIT  # some operations pass through 32 bits
    X, draw, parameters = network(chapter, case, activation)
    outputs = case[1][-1]
    y, T = draw.integers(0, outputs, len(X)), draw.normal(size=(len(X), outputs))
    target = y if kind == "cross-entropy" else T
    loss = chapter["cross_entropy" if kind == "cross-entropy" else "mean_squared_error"]
    _, ours = chapter["loss_and_gradients"](X, target, parameters, activation, loss)
    theirs = gradcheck.by_framework(chapter["framework_loss"](X, target, activation, kind), *flat(parameters))
    for mine, other in zip(flat(ours), theirs, strict=True):
        assert np.linalg.norm(mine - other) <= limit * max(1.0, np.linalg.norm(other))


# The exercises' solutions ---------------------------------------------------------------------------------------------

sizes = st.tuples(*[st.integers(1, 6)] * 4, st.integers(0, 2**32 - 1))


@many
@given(sizes)
def test_solution_of_03_2(chapter, case):
    batch, inputs, outputs, _, seed = case
    draw = np.random.default_rng(seed)
    A, W, b = draw.normal(size=(batch, inputs)), draw.normal(size=(inputs, outputs)), draw.normal(size=outputs)
    dZ = draw.normal(size=(batch, outputs))
    agrees(lambda: (dZ * (A @ W + b)).sum(), [W, b, A], chapter["backward_layer"](A, W, dZ))


@many
@given(sizes)
def test_solution_of_03_3(chapter, case):
    draw = np.random.default_rng(case[-1])
    Z, dA = 3 * draw.normal(size=case[:2]), draw.normal(size=case[:2])
    agrees(lambda: (dA * Z / (1 + np.exp(-Z))).sum(), [Z], [chapter["silu_backward"](Z, dA)])


@many
@given(sizes)
def test_solution_of_03_4(chapter, case):
    batch, inputs, hidden, outputs, seed = case
    draw = np.random.default_rng(seed)
    X, y = draw.normal(size=(batch, inputs)), draw.integers(0, outputs, batch)
    W_1, b_1 = draw.normal(size=(inputs, hidden)), draw.normal(size=hidden)
    W_2, b_2 = draw.normal(size=(hidden, outputs)), draw.normal(size=outputs)

    def loss():
        return chapter["cross_entropy"](np.tanh(X @ W_1 + b_1) @ W_2 + b_2, y)[0]

    agrees(loss, [W_1, b_1, W_2, b_2], chapter["two_layer_gradients"](X, y, W_1, b_1, W_2, b_2))
