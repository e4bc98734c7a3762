"""Chapter 04's gradients, by hand, against the central difference and the framework, on random shapes in float64."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course_utils import gradcheck

LARGEST = 1e-6
many = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
seen: dict[str, float] = {}


@pytest.fixture(scope="module", autouse=True)
def report():
    yield
    print("\nlargest relative errors: " + ", ".join(f"{name} {error:.1e}" for name, error in sorted(seen.items())))


@pytest.fixture(scope="module")
def chapter(chapter_functions):
    names = (
        "conv", "conv_backward", "input_gradient", "max_pool", "max_pool_backward", "average_pool",
        "average_pool_backward", "conv_im2col",
    )  # fmt: skip
    return chapter_functions("04", *names)


@pytest.fixture(scope="module")
def framework(chapter_functions):
    pytest.importorskip("tensorflow")
    return chapter_functions("04", "keras_conv")["keras_conv"]


@pytest.fixture(scope="module")
def solution(chapter_functions):
    return chapter_functions("04", "gradients", "correlate2d", exercise="04-3")


def noted(name: str, error: float) -> float:
    seen[name] = max(seen.get(name, 0.0), error)
    return error


@st.composite
def layer(draw):
    """Input, kernel, bias and how it is slid: batch, sides, channels, kernel's sides, p, s and d all differ freely."""
    batch, c, o = (draw(st.integers(1, 3)) for _ in range(3))
    k, m, d = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    p, s = draw(st.integers(0, 2)), draw(st.integers(1, 3))
    height = max(1, d * (k - 1) + 1 - 2 * p) + draw(st.integers(0, 3))
    width = max(1, d * (m - 1) + 1 - 2 * p) + draw(st.integers(0, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    a, w, b = rng.normal(size=(batch, height, width, c)), rng.normal(size=(k, m, c, o)), rng.normal(size=o)
    return a, w, b, {"p": p, "s": s, "d": d}, rng


@st.composite
def pooled(draw):
    """Numbers that all differ (no ties), and a window with its stride, overlapping or not."""
    batch, c, k, s = (draw(st.integers(1, 3)) for _ in range(4))
    height, width = k + draw(st.integers(0, 4)), k + draw(st.integers(0, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (batch, height, width, c)
    return rng.permutation(np.prod(shape)).reshape(shape) / 7.0, k, s, rng


@many
@given(layer())
def test_the_convolutions_three_gradients(chapter, drawn):
    a, w, b, how, rng = drawn
    conv = chapter["conv"]
    G = rng.normal(size=conv(a, w, b, **how).shape)
    by_hand = dict(zip(("kernel", "bias", "input"), chapter["conv_backward"](G, a, w, **how), strict=True))
    table = gradcheck.compare(lambda: (conv(a, w, b, **how) * G).sum(), {"kernel": w, "bias": b, "input": a}, by_hand)
    for name, error in table["central difference"].items():
        assert noted(name, error) <= LARGEST


@many
@given(layer())
def test_the_input_gradient_as_one_convolution_and_the_layer_as_one_matrix_product(chapter, drawn):
    a, w, b, how, rng = drawn
    z = chapter["conv"](a, w, b, **how)
    G = rng.normal(size=z.shape)
    ours = chapter["input_gradient"](G, w, a.shape, **how)
    assert gradcheck.relative_error(ours, chapter["conv_backward"](G, a, w, **how)[2]) < 1e-12
    assert gradcheck.relative_error(chapter["conv_im2col"](a, w, b, **how), z) < 1e-12


@pytest.mark.parametrize("kind", ["max_pool", "average_pool"])
@many
@given(drawn=pooled())
def test_poolings_gradients(chapter, kind, drawn):
    a, k, s, rng = drawn
    pool, backward = chapter[kind], chapter[f"{kind}_backward"]
    G = rng.normal(size=pool(a, k, s).shape)
    table = gradcheck.compare(lambda: (pool(a, k, s) * G).sum(), {"a": a}, {"a": backward(G, a, k, s)})
    assert noted(kind, table["central difference"].max()) <= LARGEST


@many
@given(
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.tuples(st.integers(0, 4), st.integers(0, 4)),
    st.integers(0, 999),
)
def test_the_solution_of_exercise_04_3(solution, kernel, more, seed):
    rng = np.random.default_rng(seed)
    x, k = rng.normal(size=(kernel[0] + more[0], kernel[1] + more[1])), rng.normal(size=kernel)
    target = rng.normal(size=(more[0] + 1, more[1] + 1))
    by_hand = dict(zip(("k", "x"), solution["gradients"](x, k, target), strict=True))

    def loss():
        return ((solution["correlate2d"](x, k) - target) ** 2).mean() / 2

    table = gradcheck.compare(loss, {"k": k, "x": x}, by_hand)
    assert noted("exercise 04-3", table["central difference"].max()) <= LARGEST


@few
@given(layer())
def test_the_convolution_against_the_framework(chapter, framework, drawn):
    from keras import ops

    a, w, b, how, rng = drawn
    G = rng.normal(size=chapter["conv"](a, w, b, **how).shape)
    theirs = gradcheck.by_framework(lambda w, b, a: ops.sum(framework(a, w, b, **how) * G), w, b, a)
    for ours, other in zip(chapter["conv_backward"](G, a, w, **how), theirs, strict=True):
        assert noted("framework, convolution", gradcheck.relative_error(ours, other)) < 1e-12


@few
@given(pooled())
def test_the_poolings_against_the_framework(chapter, framework, drawn):
    from keras import ops

    a, k, s, rng = drawn
    G = rng.normal(size=chapter["max_pool"](a, k, s).shape)
    for kind, theirs in (("max_pool", ops.max_pool), ("average_pool", ops.average_pool)):
        (other,) = gradcheck.by_framework(lambda a, pool=theirs: ops.sum(pool(a, k, s) * G), a)
        ours = chapter[f"{kind}_backward"](G, a, k, s)
        assert noted(f"framework, {kind}", gradcheck.relative_error(ours, other)) < 1e-12
