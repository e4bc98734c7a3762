"""What chapter 09 computes by hand, put through more cases than the chapter shows."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import gradcheck
from course_utils.data import fetch
from course_utils.recipes import encoder


@pytest.fixture(scope="module")
def hand(chapter_functions):
    return chapter_functions(
        "09", "words", "word_piece", "layer_norm", "softmax", "attention", "gelu", "gelu_tanh", "learning_rate"
    )


@pytest.fixture(scope="module")
def pieces():
    return encoder.WordPieces.read(fetch.fetch("minilm", progress=False)["tokenizer.json"])


# Left out: control signs and rare scripts, which the original throws out or splits, and the twenty lines do not.
PLAIN = st.text(st.characters(codec="latin-1", categories=("L", "N", "P", "S", "Zs")), max_size=40)


@settings(max_examples=200)
@given(PLAIN)
def test_twenty_lines_cut_as_the_encoders_own_tokenizer(hand, pieces, text):
    vocabulary = test_twenty_lines_cut_as_the_encoders_own_tokenizer.__dict__.setdefault(
        "vocabulary", {piece: i for i, piece in enumerate(pieces.get_vocabulary())}
    )
    ours = [vocabulary[p] for word in hand["words"](text) for p in hand["word_piece"](word, vocabulary)]
    assert ours == pieces([text])[0]


@settings(max_examples=50)
@given(st.text("abcd", min_size=1, max_size=12), st.sets(st.text("abcd", min_size=1, max_size=4), max_size=12))
def test_pieces_make_the_word_again(hand, word, found):
    vocabulary = found | {"##" + piece for piece in sorted(found)[::2]}
    cut = hand["word_piece"](word, vocabulary)
    assert cut == ["[UNK]"] or "".join(piece.removeprefix("##") for piece in cut) == word
    assert cut == ["[UNK]"] or set(cut) <= vocabulary


@settings(max_examples=30)
@given(st.integers(0, 999), st.integers(1, 4), st.integers(2, 9))
def test_layer_norm_is_keras(hand, seed, n, d):
    import keras

    random = np.random.default_rng(seed)
    x, gamma, beta = random.normal(size=(n, d)) * 3 + 1, random.normal(size=d), random.normal(size=d)
    layer = keras.layers.LayerNormalization(epsilon=1e-12, dtype="float64")
    layer.build(x.shape)
    layer.set_weights([gamma, beta])
    np.testing.assert_allclose(hand["layer_norm"](x, gamma, beta), keras.ops.convert_to_numpy(layer(x)), atol=1e-9)


@settings(max_examples=15)
@given(st.integers(0, 999), st.integers(2, 5), st.integers(1, 3), st.integers(2, 4))
def test_attention_is_keras(hand, seed, t, heads, d_k):
    import keras

    random, d = np.random.default_rng(seed), 6
    X = random.normal(size=(2, t, d))
    here = np.arange(t) < random.integers(1, t + 1, size=(2, 1))
    layer = keras.layers.MultiHeadAttention(heads, d_k, dtype="float64")
    layer.build(X.shape, X.shape)
    layer.set_weights([random.normal(size=w.shape) for w in layer.weights])
    w = {
        "self_attention_layer/" + "/".join(v.path.split("/")[-2:]): keras.ops.convert_to_numpy(v) for v in layer.weights
    }
    mixed, A = hand["attention"](X, w, here)
    theirs, scores = layer(X, X, attention_mask=np.repeat(here[:, None], t, 1), return_attention_scores=True)
    np.testing.assert_allclose(A, keras.ops.convert_to_numpy(scores), atol=1e-7)
    np.testing.assert_allclose(mixed, keras.ops.convert_to_numpy(theirs), atol=1e-6)


def test_both_gelus_are_keras(hand):
    import keras

    x = np.linspace(-6, 6, 301)
    for name, approximate in (("gelu", False), ("gelu_tanh", True)):
        theirs = keras.ops.convert_to_numpy(keras.activations.gelu(keras.ops.cast(x, "float64"), approximate))
        np.testing.assert_allclose(hand[name](x), theirs, atol=1e-7)
    assert [hand["gelu"](v) for v in (0.0, 1.0)] == pytest.approx([0, 0.5 * (1 + math.erf(1 / math.sqrt(2)))])


@settings(max_examples=50)
@given(st.integers(2, 300), st.floats(0.01, 0.5))
def test_the_rate_climbs_to_its_peak_and_falls_and_is_never_zero(hand, steps, warm_up):
    rates = np.array([hand["learning_rate"](s, steps, peak=2.0, warm_up=warm_up) for s in range(steps)])
    w = max(1, round(warm_up * steps))
    assert rates.min() > 0 and rates.max() == pytest.approx(2)
    assert (np.diff(rates[:w]) > 0).all() and (np.diff(rates[w:]) < 0).all()


def test_after_its_warm_up_the_rate_is_keras_cosine(hand):
    import keras

    recipe = encoder.Recipe(learning_rate=2e-4)
    theirs = keras.optimizers.schedules.CosineDecay(0.0, 90, warmup_target=recipe.learning_rate, warmup_steps=10)
    ours = [hand["learning_rate"](s, 100, peak=2e-4) for s in range(10, 100)]
    np.testing.assert_allclose(ours, [float(theirs(s)) for s in range(10, 100)], rtol=1e-4, atol=1e-9)


@settings(max_examples=100)
@given(st.integers(0, 9999), st.integers(1, 5), st.integers(1, 5), st.integers(1, 5), st.integers(1, 3))
def test_the_gradients_of_lora(seed, n, d, m, r):
    random, s = np.random.default_rng(seed), 2.0
    x, W, A, B, G = (random.normal(size=shape) for shape in ((n, d), (d, m), (d, r), (r, m), (n, m)))
    gradients = {"A": s * x.T @ G @ B.T, "B": s * (x @ A).T @ G}
    table = gradcheck.compare(lambda: (G * (x @ W + s * (x @ A) @ B)).sum(), {"A": A, "B": B}, gradients)
    assert table["central difference"].max() < 1e-6
