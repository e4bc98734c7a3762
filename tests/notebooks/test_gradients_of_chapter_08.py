"""The gradients that chapter 08 derives by hand, on random shapes, against the central difference and the framework."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import gradcheck

LIMIT = 1e-6
FLOOR = 1e-9  # what rounding in the loss, divided by the step, does to a central difference at worst
LARGEST = {}
SHAPES = st.tuples(*(st.integers(1, 5) for _ in range(4)), st.integers(2, 7), st.integers(2, 4))


@pytest.fixture(scope="module")
def chapter(chapter_functions):
    names = ["forward", "backward", "dense_forward", "lookup_backward", "mean_of_real", "count_tokens", "attend"]
    return chapter_functions("08", *names)


def case(seed, shape):
    """Messages, weights and a network of random shapes; no ReLU near its kink."""
    batch, length, width, hidden, tokens, classes = shape
    random = np.random.default_rng(seed)
    ids = np.where(
        np.arange(length) < random.integers(1, length + 1, (batch, 1)), random.integers(1, tokens, (batch, length)), 0
    )
    P = {
        "E": random.normal(size=(tokens, width)), "q": random.normal(size=width),
        "W1": random.normal(size=(width, hidden)), "b1": random.normal(size=hidden),
        "W2": random.normal(size=(hidden, classes)), "b2": random.normal(size=classes),
    }  # fmt: skip
    return ids, P, random.integers(0, classes, batch), random.uniform(0.5, 2, batch)


def away_from_kinks(chapter, P, C):
    """Shift the hidden biases until no unit of any message is within 0.01 of zero."""
    for _ in range(200):
        Z1 = chapter["dense_forward"](P, chapter["forward"](P, C)[1])[0]
        near = (np.abs(Z1) < 0.01).any(axis=0)
        if not near.any():
            return
        P["b1"][near] += 0.037
    raise AssertionError("no place away from the kinks was found")


def noted(name, error):
    LARGEST[name] = max(LARGEST.get(name, 0.0), error)
    assert error <= LIMIT


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**32 - 1), SHAPES, st.booleans())
def test_the_whole_network_against_the_central_difference(chapter, seed, shape, mean):
    ids, P, y, weight = case(seed, shape)
    C = chapter["count_tokens"](ids, shape[4]).astype("float64")
    if mean:
        P["q"][:] = 0  # mean pooling is attention at q = 0; its gradient by q is checked there as well
    away_from_kinks(chapter, P, C)

    def loss():
        p = chapter["dense_forward"](P, chapter["forward"](P, C)[1])[2]
        return -(weight * np.log(p[np.arange(len(y)), y])).mean()

    found = chapter["backward"](P, C, y, weight)
    for name in P:
        measured = gradcheck.central_difference(loss, P[name])
        error = gradcheck.relative_error(found[name], measured, least=FLOOR / LIMIT)
        noted(f"{name}, {'mean' if mean else 'attention'}", error)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), SHAPES)
def test_the_lookup_against_the_central_difference_and_by_counts(chapter, seed, shape):
    ids, P, _, _ = case(seed, shape)
    E, G = P["E"], np.random.default_rng(seed).normal(size=(len(ids), shape[2]))
    by_hand = chapter["lookup_backward"](G, ids, len(E))
    measured = gradcheck.central_difference(lambda: (G * chapter["mean_of_real"](E, ids)).sum(), E)
    noted("lookup", gradcheck.relative_error(by_hand, measured))
    B = chapter["count_tokens"](ids, len(E)).astype("float64")
    np.testing.assert_allclose((B / B.sum(axis=1, keepdims=True)).T @ G, by_hand, atol=1e-12)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), SHAPES)
def test_shares_by_counts_are_those_by_tokens(chapter, seed, shape):
    ids, P, _, _ = case(seed, shape)
    C = chapter["count_tokens"](ids, shape[4]).astype("float64")
    B, H = chapter["forward"](P, C)
    np.testing.assert_allclose(B.sum(axis=1), 1)
    assert (B[:, 0] == 0).all()
    for row, h in zip(ids, H, strict=True):
        a, mixed = chapter["attend"](P["E"], P["q"], row)
        np.testing.assert_allclose(mixed, h, atol=1e-10)
        assert a.sum() == pytest.approx(1)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32 - 1), SHAPES.filter(lambda shape: shape[1] > 1))  # Keras warns of a softmax over one
def test_the_whole_network_against_the_framework(chapter, seed, shape):
    import keras
    from keras import ops

    ids, P, y, weight = case(seed, shape)
    C = chapter["count_tokens"](ids, shape[4]).astype("float64")
    away_from_kinks(chapter, P, C)

    def loss(ids, y, weight, E, q, W1, b1, W2, b2):
        e = ops.take(E, ids, axis=0)
        s = ops.where(ids == 0, -1e30, ops.sum(e * q, axis=-1))
        h = ops.sum(ops.softmax(s, axis=1)[..., None] * e, axis=1)
        z = ops.matmul(ops.relu(ops.matmul(h, W1) + b1), W2) + b2
        return ops.mean(weight * keras.losses.sparse_categorical_crossentropy(y, z, from_logits=True))

    theirs = gradcheck.by_framework(functools.partial(loss, ids, y, weight), *P.values())
    ours = chapter["backward"](P, C, y, weight)
    for name, gradient in zip(P, theirs, strict=True):
        if max(np.abs(ours[name]).max(), np.abs(gradient).max()) >= 1e-9:
            noted(f"{name}, framework", gradcheck.relative_error(ours[name], gradient))


def test_the_largest_errors_seen():
    print("largest relative errors:", {name: f"{error:.1e}" for name, error in sorted(LARGEST.items())})
    assert all(error <= LIMIT for error in LARGEST.values())
