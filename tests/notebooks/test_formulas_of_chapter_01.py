"""The formulas of chapter 01, as they stand in its cells, against models that Keras builds from random small shapes."""

import importlib.util
from itertools import pairwise

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import gradcheck

small = st.integers(1, 3)
ERRORS: list[float] = []


@pytest.fixture(scope="module")
def chapter(chapter_functions):
    from keras import layers, ops

    return chapter_functions(
        "01", "decoder", "decoder_parameters", "bert_parameters", "t5_parameters", "build_only", "reachable",
        "dead_ends", "largest_on", "memory", "forward", "backward",
        layers=layers, ops=ops, keras=keras, tally=0,
    )  # fmt: skip


@settings(max_examples=15)
@given(L=small, heads=small, k=st.integers(2, 6), V=st.integers(2, 60), c=st.integers(1, 12))
def test_the_decoders_formula_counts_what_keras_builds(chapter, L, heads, k, V, c):
    model = chapter["build_only"](chapter["decoder"], L, heads * k, V, c, heads)
    assert model.count_params() == chapter["decoder_parameters"](L, heads * k, V, c)


needs_hub = pytest.mark.skipif(importlib.util.find_spec("keras_hub") is None, reason="keras_hub is not installed")


@needs_hub
@settings(max_examples=6)
@given(L=small, heads=small, k=st.integers(2, 6), V=st.integers(2, 60), c=st.integers(4, 12))
def test_the_formulas_count_what_keras_hub_builds(chapter, L, heads, k, V, c):
    import keras_hub

    d = heads * k
    bert = chapter["build_only"](
        keras_hub.models.BertBackbone, V, L, num_heads=heads, hidden_dim=d, intermediate_dim=4 * d,
        max_sequence_length=c,
    )  # fmt: skip
    assert bert.count_params() == chapter["bert_parameters"](L, d, V, c)
    gpt = chapter["build_only"](
        keras_hub.models.GPT2Backbone,
        V,
        L,
        num_heads=heads,
        hidden_dim=d,
        intermediate_dim=4 * d,
        max_sequence_length=c,
    )
    assert gpt.count_params() == chapter["decoder_parameters"](L, d, V, c)


@needs_hub
@pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask")
def test_t5s_formula_counts_what_keras_hub_builds(chapter):
    import keras_hub

    L, d, f, h, k, V = 2, 12, 10, 4, 5, 17

    model = chapter["build_only"](
        keras_hub.models.T5Backbone, V, L, num_heads=h, hidden_dim=d, intermediate_dim=f, key_value_dim=k,
        use_gated_activation=False,
    )  # fmt: skip
    assert model.count_params() == chapter["t5_parameters"](L, d, f, h, k, V)


@settings(max_examples=100)
@given(
    seed=st.integers(0, 2**32 - 1), batch=st.integers(1, 5), widths=st.lists(st.integers(1, 6), min_size=2, max_size=5)
)
def test_what_is_counted_is_the_gradient(chapter, seed, batch, widths):
    rng = np.random.default_rng(seed)
    Ws = [rng.normal(0, 1, shape) for shape in pairwise(widths)]
    # away from ReLU's kink: try other inputs until every pre-activation is well off zero, or positive by construction
    X = next((x for x in (rng.normal(0, 1, (batch, widths[0])) for _ in range(50)) if _clear(x, Ws)), None)
    if X is None:
        Ws, X = [np.abs(W) + 0.1 for W in Ws], rng.uniform(0.5, 1, (batch, widths[0]))
    hands = chapter["backward"](chapter["forward"](X, Ws), Ws)
    for W, ours in zip(Ws, hands, strict=True):
        measured = gradcheck.central_difference(lambda: 0.5 * np.sum(chapter["forward"](X, Ws)[-1] ** 2), W)
        ERRORS.append(gradcheck.relative_error(ours, measured))
        assert ERRORS[-1] <= 1e-6


def _clear(x, Ws):
    for W in Ws:
        z = x @ W
        if np.abs(z).min() < 1e-2:
            return False
        x = np.maximum(z, 0)
        if not x.any():
            return False
    return bool((x > 0).any())


def test_the_largest_error_seen():
    print(f"chapter 01: largest relative error of {len(ERRORS)} gradients: {max(ERRORS, default=0):.1e}")
    assert max(ERRORS, default=0) <= 1e-6


@given(
    capacity=st.floats(1, 10_000),
    task=st.sampled_from(["train", "tune (LoRA)", "answer"]),
    each=st.sampled_from([0.5, 1, 2, 4]),
)
def test_the_largest_model_fits_and_a_larger_one_does_not(chapter, capacity, task, each):
    largest = chapter["largest_on"](capacity, task, each)
    assert sum(chapter["memory"](largest, task, each).values()) <= capacity * 1e9
    assert sum(chapter["memory"](1.01 * largest, task, each).values()) > capacity * 1e9


def test_reachability_by_the_powers_of_the_adjacency_matrix(chapter):
    rng = np.random.default_rng(0)
    for _ in range(50):
        n = int(rng.integers(2, 8))
        A = rng.random((n, n)) < 0.25
        flow = {i: np.flatnonzero(A[i]).tolist() for i in range(n)}
        paths = sum(np.linalg.matrix_power(A.astype(int), p) for p in range(1, n + 1)) > 0
        for i in range(n):
            assert chapter["reachable"](flow, i) == set(np.flatnonzero(paths[i]).tolist())
        assert chapter["dead_ends"](flow) == np.flatnonzero(~A.any(axis=1)).tolist()
