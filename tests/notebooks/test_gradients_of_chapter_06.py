"""The backward passes that chapter 06 writes by hand, at random shapes, before a central difference and the framework.

All points lie away from the leaky ReLU's kink: a difference across it would measure something else.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import gradcheck

TOLERANCE = 1e-6
LEAST = 1e-9 / TOLERANCE  # rounding moves a central difference by 1e-9 at worst: of less, only the size can be told
FROM_THE_KINK = 1e-3  # a central difference moves a logit by far less
largest = {"central difference": 0.0, "framework": 0.0, "cases": 0}

NAMES = (
    "make", "forward", "backward", "discriminator_gradients", "generator_gradients", "sigmoid", "softplus", "value",
    "saturating", "non_saturating", "printed",
)  # fmt: skip


@pytest.fixture(scope="module")
def chapter(chapter_functions):
    return chapter_functions("06", *NAMES)


@pytest.fixture(scope="module", autouse=True)
def report():
    yield
    print(f"\nchapter 06, largest gradient error of {largest['cases']} cases: {largest}")


def pre_activations(network, X):
    found = []
    for i, (W, b) in enumerate(network):
        Z = X @ W + b
        X = np.maximum(Z, 0.2 * Z)
        if i < len(network) - 1:
            found.append(Z)
    return found


shapes = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32 - 1),
        "batch": st.integers(1, 5),
        "noise": st.integers(1, 4),
        "data": st.integers(1, 4),
        "hidden_G": st.lists(st.integers(1, 5), min_size=0, max_size=2),
        "hidden_D": st.lists(st.integers(1, 5), min_size=0, max_size=2),
    }
)


def players(chapter, case):
    """Two small networks and their inputs, every hidden logit away from 0; biases as after training, not zero."""
    random = np.random.default_rng(case["seed"])
    while True:
        G = chapter["make"]([case["noise"], *case["hidden_G"], case["data"]], random)
        D = chapter["make"]([case["data"], *case["hidden_D"], 1], random)
        for network in (G, D):
            for layer in network:
                layer[1] += random.normal(0, 0.5, layer[1].shape)
        X, z = random.normal(size=(case["batch"], case["data"])), random.normal(size=(case["batch"], case["noise"]))
        fake = chapter["forward"](G, z)[-1]
        hidden = [*pre_activations(G, z), *pre_activations(D, X), *pre_activations(D, fake)]
        if all(abs(Z).min() > FROM_THE_KINK for Z in hidden):
            return G, D, X, z


def named(network, prefix):
    return {f"{prefix}{i}{kind}": a for i, layer in enumerate(network) for kind, a in zip("Wb", layer, strict=True)}


def hold(table, *columns):
    for column in columns:
        worst = float(table[column].max())
        largest[column] = max(largest[column], worst)
        assert worst <= TOLERANCE, table.to_string()
    largest["cases"] += 1


@settings(max_examples=120, deadline=None)
@given(case=shapes)
def test_the_discriminators_gradient(chapter, case):
    G, D, X, z = players(chapter, case)
    fake = chapter["forward"](G, z)[-1]

    def loss():
        return -chapter["value"](chapter["forward"](D, X)[-1], chapter["forward"](D, fake)[-1])

    ours = chapter["discriminator_gradients"](D, X, fake)
    hold(gradcheck.compare(loss, named(D, "D"), named(ours, "D"), least=LEAST), "central difference")


@settings(max_examples=120, deadline=None)
@given(case=shapes, which=st.sampled_from(["saturating", "non_saturating", "printed"]))
def test_the_generators_gradient_through_the_discriminator(chapter, case, which):
    G, D, _, z = players(chapter, case)
    softplus = chapter["softplus"]
    of_logits = {
        "saturating": lambda a: -softplus(a).mean(),
        "non_saturating": lambda a: softplus(-a).mean(),
        "printed": lambda a: softplus(a).mean(),
    }[which]

    def loss():
        return of_logits(chapter["forward"](D, chapter["forward"](G, z)[-1])[-1])

    ours = chapter["generator_gradients"](G, D, z, chapter[which])
    hold(gradcheck.compare(loss, named(G, "G"), named(ours, "G"), least=LEAST), "central difference")


@settings(max_examples=120, deadline=None)
@given(case=shapes)
def test_the_gradient_by_the_input(chapter, case):
    _, D, X, _ = players(chapter, case)

    def loss():
        return chapter["softplus"](-chapter["forward"](D, X)[-1]).sum()

    A = chapter["forward"](D, X)
    _, dX = chapter["backward"](D, A, chapter["non_saturating"](A[-1]))
    hold(gradcheck.compare(loss, {"X": X}, {"X": dX}, least=LEAST), "central difference")


@settings(max_examples=12, deadline=None)
@given(case=shapes)
def test_the_framework_agrees(chapter, case):
    from keras import ops

    G, D, X, z = players(chapter, case)
    sizes = len(named(G, "G"))

    def forward(arrays, X):
        for i in range(0, len(arrays), 2):
            X = ops.matmul(X, arrays[i]) + arrays[i + 1]
            X = X if i == len(arrays) - 2 else ops.leaky_relu(X, 0.2)
        return X

    def of_D(*arrays):
        real, fake = forward(arrays[sizes:], X), forward(arrays[sizes:], forward(arrays[:sizes], z))
        return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))

    def of_G(*arrays):
        return ops.mean(ops.softplus(-forward(arrays[sizes:], forward(arrays[:sizes], z))))

    arrays = [*named(G, "G").values(), *named(D, "D").values()]
    by_D = chapter["discriminator_gradients"](D, X, chapter["forward"](G, z)[-1])
    by_G = chapter["generator_gradients"](G, D, z)
    pairs = [
        *zip(gradcheck.by_framework(of_D, *arrays)[sizes:], named(by_D, "D").values(), strict=True),
        *zip(gradcheck.by_framework(of_G, *arrays)[:sizes], named(by_G, "G").values(), strict=True),
    ]
    worst = max(gradcheck.relative_error(ours, theirs) for theirs, ours in pairs)
    largest["framework"] = max(largest["framework"], worst)
    largest["cases"] += 1
    assert worst <= TOLERANCE


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_the_slopes_of_the_three_losses(chapter, seed, n):
    a = np.random.default_rng(seed).normal(0, 3, n)
    softplus = chapter["softplus"]
    losses = {
        "saturating": lambda: -softplus(a).sum(),
        "non_saturating": lambda: softplus(-a).sum(),
        "printed": lambda: softplus(a).sum(),
    }
    for name, loss in losses.items():
        hold(gradcheck.compare(loss, {"a": a}, {"a": chapter[name](a)}, least=LEAST), "central difference")


@pytest.fixture(scope="module")
def solve(chapter_functions):
    return chapter_functions("06", "generator_loss_gradient", exercise="06-2")["generator_loss_gradient"]


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.floats(0, 1))
def test_the_solution_of_exercise_06_2(solve, chapter, seed, n, t):
    a = np.random.default_rng(seed).normal(0, 3, n)
    softplus = chapter["softplus"]

    def loss():
        return (t * softplus(-a) + (1 - t) * softplus(a)).mean()

    hold(gradcheck.compare(loss, {"a": a}, {"a": solve(a, t)}, least=LEAST), "central difference")
