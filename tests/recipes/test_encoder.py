"""The encoder of chapter 09: against Hugging Face's own, in batches, trained, saved, and given odd texts."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_encoder import tiny

from course_utils import data
from course_utils.data import fetch
from course_utils.errors import CourseError
from course_utils.recipes import encoder

REFERENCE = np.load(Path(__file__).parent / "minilm_reference.npz")
ODD = [
    "",
    " \n ",
    "🦊🦊 invoice",
    "שלום, החשבונית שגויה",
    "<b>bold</b><script>alert(1)</script>",
    "=cmd()|' /C calc'!A0",
    "\x00\u200b",
]


@pytest.fixture(scope="module")
def minilm() -> encoder.Encoder:
    return encoder.load(progress=False)


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


# ---- against the reference


def test_sentence_vectors_are_those_of_the_reference_implementation(minilm):
    part = data.load("tickets").test
    assert part.frame["id"].tolist()[: len(REFERENCE["ids"])] == REFERENCE["ids"].tolist()
    vectors = encoder.sentence_vectors(minilm, part.texts[: len(REFERENCE["ids"])], length=128)
    assert vectors.dtype == np.float32 and vectors.shape == (100, 384)
    assert cosine(vectors, REFERENCE["exact"]).min() >= 0.99999
    assert np.abs(vectors - REFERENCE["exact"]).max() > 1e-4, "keras_hub's BERT has the tanh GELU ..."
    assert np.abs(vectors - REFERENCE["tanh"]).max() < 1e-5, "... and that is the whole difference"


def test_a_batchs_company_changes_nothing(minilm):
    texts = data.load("tickets").validation.texts[:12]
    alone = np.concatenate([encoder.sentence_vectors(minilm, [text]) for text in texts[:4]])
    together = encoder.sentence_vectors(minilm, texts, batch=5)
    assert np.abs(alone - together[:4]).max() < 1e-5


def test_word_pieces(minilm):
    pieces = minilm.tokenizer
    assert [pieces.id_to_token(n) for n in pieces(["Café unaffordable"])[0]] == [
        "cafe",
        "una",
        "##ff",
        "##ord",
        "##able",
    ]
    vocabulary = pieces.get_vocabulary()
    assert len(vocabulary) == 30_522 and vocabulary[pieces.cls_token_id] == "[CLS]"
    assert pieces.token_to_id("##able") == vocabulary.index("##able") and pieces.token_to_id("☃") is None


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_have_finite_vectors(minilm, text):
    (ids,) = minilm.token_ids([text], 64)
    assert ids[0] == minilm.tokenizer.cls_token_id and ids[-1] == minilm.tokenizer.sep_token_id
    assert np.isfinite(encoder.sentence_vectors(minilm, [text])).all()


def test_a_hundred_thousand_characters_are_cut(minilm):
    (ids,) = minilm.token_ids(["the invoice is wrong " * 5_000], 64)
    assert len(ids) == 64
    (same,) = minilm.token_ids(["the invoice is wrong " * 50], 64)
    assert ids == same


# ---- whole texts, in windows


LONG = " ".join(f"the invoice number {k} was charged twice and support has not answered" for k in range(60))


def test_windows_hold_every_piece_once_and_in_order(minilm):
    pieces = minilm.tokenizer([LONG])[0]
    cut = encoder.windows(minilm.tokenizer, ["short one", LONG, ""], 64, most=50)
    assert cut.owners.tolist() == [0, *[1] * -(-len(pieces) // 62), 2] and cut.cut == 0 and cut.texts == 3
    assert all(len(row) <= 64 for row in cut.rows)
    own = [row[1:-1] for row, owner in zip(cut.rows, cut.owners, strict=True) if owner == 1]
    assert [number for row in own for number in row] == pieces
    assert cut.rows[0] == minilm.token_ids(["short one"], 64)[0], "a short text is one window, as ever"
    assert cut.pieces[-1] == 0 and cut.rows[-1] == minilm.token_ids([""], 64)[0]


def test_what_lies_beyond_the_last_window_is_counted(minilm):
    cut = encoder.windows(minilm.tokenizer, [LONG, "short"], 64, most=2)
    assert cut.cut == 1 and cut.owners.tolist() == [0, 0, 1]


def test_a_texts_vector_is_the_mean_of_its_windows_by_their_pieces(minilm):
    cut = encoder.windows(minilm.tokenizer, ["short one", LONG], 64)
    values = np.arange(len(cut.rows), dtype=np.float64)[:, None] * [[1.0, 2.0]]
    found = cut.mean(values)
    own = cut.owners == 1
    assert found[0] == pytest.approx(values[0])
    assert found[1] == pytest.approx(np.average(values[own], axis=0, weights=cut.pieces[own]))


def test_a_short_text_has_the_vector_that_it_always_had_and_a_long_one_another(minilm):
    texts = ["my card was charged twice", LONG]
    whole, cut = encoder.window_vectors(minilm, texts), encoder.sentence_vectors(minilm, texts)
    assert np.abs(whole[0] - cut[0]).max() < 1e-5
    assert np.abs(whole[1] - cut[1]).max() > 1e-3


def test_no_texts_are_no_rows(minilm):
    assert minilm.token_ids([], 64) == []
    assert encoder.sentence_vectors(minilm, []).shape == (0, 384)


def test_weights_with_a_wrong_hash_are_never_read(tmp_path, monkeypatch):
    """A changed file of the right size, in the cache and in COURSE_DATA: refused by its hash."""
    good = fetch.fetch("minilm", progress=False)
    mirror = tmp_path / "mirror" / "minilm"
    mirror.mkdir(parents=True)
    for name, path in good.items():
        content = bytearray(path.read_bytes())
        if name == "model.safetensors":
            content[-1] ^= 1
        (mirror / name).write_bytes(content)
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "mirror"))
    with pytest.raises(CourseError, match=r"model\.safetensors in COURSE_DATA is not the published file"):
        encoder.load(progress=False)
    assert not list((tmp_path / "cache").rglob("model.safetensors"))


def test_word_pieces_of_a_vocabulary_are_those_of_the_file(minilm):
    pieces = minilm.tokenizer
    made = encoder.WordPieces.of_vocabulary(pieces.get_vocabulary(), lowercase=True)
    texts = [*data.load("tickets").test.texts, *ODD, "发票有误 — naïve…"]
    assert made(texts) == pieces(texts)
    assert (made.cls_token_id, made.sep_token_id) == (pieces.cls_token_id, pieces.sep_token_id)
    cased = encoder.WordPieces.of_vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "Café", "cafe"], lowercase=False)
    assert cased(["Café cafe"]) == [[4, 5]]


def test_a_preset_of_keras_hub_is_read_with_its_word_pieces(tmp_path):
    import keras_hub

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "发", "票", "错", "##s", "invoice"]
    backbone = keras_hub.models.BertBackbone(len(words), 2, 2, 16, 32, max_sequence_length=32)
    backbone.save_to_preset(str(tmp_path / "preset"))
    keras_hub.models.BertTokenizer(vocabulary=words, lowercase=True).save_to_preset(str(tmp_path / "preset"))
    found = encoder.load(str(tmp_path / "preset"))
    assert found.tokenizer(["发票 Invoices"]) == [[5, 6, 9, 8]]
    with_own = encoder.sentence_vectors(found, ["发票 Invoices"], length=16)
    ids = np.array([[2, 5, 6, 9, 8, 3, 0, 0]], np.int32)
    assert with_own == pytest.approx(encoder.pooled(backbone).predict(ids, verbose=0), abs=1e-5)


def test_an_encoder_in_a_folder_is_read_and_a_head_beside_it_does_not_disturb(tmp_path):
    import json

    from safetensors.numpy import load_file, save_file
    from tiny_encoder import files

    found = files(tmp_path, ["invoice", "wrong"])
    vectors = encoder.sentence_vectors(encoder.load(str(tmp_path)), ["invoice wrong"])
    arrays = {f"bert.{name}": array for name, array in load_file(found["model.safetensors"]).items()}
    save_file({**arrays, "cls.predictions.bias": np.zeros(3, np.float32)}, found["model.safetensors"])
    assert encoder.sentence_vectors(encoder.load(str(tmp_path)), ["invoice wrong"]) == pytest.approx(vectors, abs=1e-6)
    config = json.loads(found["config.json"].read_text())
    found["config.json"].write_text(json.dumps({**config, "model_type": "roberta"}))
    with pytest.raises(CourseError, match=r"holds a model of type 'roberta'; expected: bert"):
        encoder.load(str(tmp_path))
    for broken in (
        "{",
        "{}",
        "[]",
        json.dumps({**config, "hidden_size": "wide"}),
        json.dumps({**config, "hidden_size": 0}),
    ):
        found["config.json"].write_text(broken)
        with pytest.raises(CourseError, match=r"config\.json cannot be read"):
            encoder.load(str(tmp_path))


def test_a_preset_that_cannot_be_had_is_one_sentence():
    with pytest.raises(CourseError, match=r"keras_hub could not bring the preset 'no_such_preset'.*course data fetch"):
        encoder.load("no_such_preset")


# ---- batches


@given(st.lists(st.integers(2, 64), min_size=1, max_size=200), st.integers(1, 40), st.booleans())
def test_every_index_comes_once_and_the_extremes_first(lengths, batch, shuffled):
    lengths = np.array(lengths)
    found = encoder.buckets(lengths, batch, np.random.default_rng(0) if shuffled else None)
    assert sorted(np.concatenate(found).tolist()) == list(range(len(lengths)))
    assert all(len(rows) <= batch for rows in found) and len(found) == -(-len(lengths) // batch)
    widest = [lengths[rows].max() for rows in found]
    assert widest[0] == lengths.max()
    if len(found) > 1:
        assert widest[1] == min(widest)


def test_bucketing_saves_padding():
    lengths = np.random.default_rng(1).integers(4, 64, 1_000)
    rows = [[1] * n for n in lengths]
    by_length = encoder.batches(rows, None, 32, shuffle=False)
    as_they_come = encoder.batches(rows, None, 32, shuffle=False, bucketing=False)
    tokens = lengths.sum()
    assert sum(by_length[k][0].size for k in range(len(by_length))) < 1.2 * tokens
    assert sum(as_they_come[k][0].size for k in range(len(as_they_come))) > 1.7 * tokens


def test_padded_rows_end_in_padding():
    out = encoder.padded([[5, 6, 7], [8]])
    assert out.dtype == np.int32 and out.tolist() == [[5, 6, 7, 0, 0, 0, 0, 0], [8, 0, 0, 0, 0, 0, 0, 0]]


# ---- training, on an encoder small enough to be made here


TEXTS = ["aaaa", "aaab", "baaa", "zzz", "zzzy", "yzzzzzz"] * 8
LABELS = np.array([0, 0, 0, 1, 1, 1] * 8)
RECIPE = encoder.Recipe(epochs=8, learning_rate=5e-3, batch=8, length=16)


@pytest.mark.parametrize("layers", [None, 1, 0])
def test_fine_tuning_learns_and_moves_only_what_it_may(layers):
    import dataclasses

    small = tiny()
    before = _weights(small)
    model = encoder.fine_tune(small, TEXTS, LABELS, 2, dataclasses.replace(RECIPE, layers=layers))
    probabilities = encoder.predict(model, small, TEXTS, length=16)
    assert probabilities.shape == (48, 2) and np.allclose(probabilities.sum(1), 1, atol=1e-6)
    assert (probabilities.argmax(1) == LABELS).mean() > 0.9
    moved = {path for path, weight in _weights(small).items() if not np.array_equal(weight, before[path])}
    assert not any("token_embedding" in path for path in moved)
    assert any("transformer_layer_1" in path for path in moved) == (layers != 0)
    assert any("transformer_layer_0" in path for path in moved) == (layers is None)


def _weights(made: encoder.Encoder) -> dict[str, np.ndarray]:
    import keras

    return {weight.path: keras.ops.convert_to_numpy(weight).copy() for weight in made.backbone.weights}


def test_states_computed_once_are_what_the_whole_model_computes():
    """Without dropout, one step on the upper layer alone is the step of the whole model with the lower one frozen."""
    small = tiny()
    rows = small.token_ids(TEXTS[:6], 16)
    below = encoder._states_below(small, rows, 1, 4)
    model = encoder.classifier(small, 2, RECIPE)
    upper = encoder._upper(model, small, 1)
    whole = model.predict_on_batch(encoder.padded(rows))
    states = np.zeros((6, *encoder.padded(rows).shape[1:], 16), np.float32)
    for place, found in zip(states, below, strict=True):
        place[: len(found)] = found
    assert np.abs(upper.predict_on_batch((states, encoder.padded(rows))) - whole).max() < 1e-5


def test_more_layers_than_there_are_is_refused():
    with pytest.raises(CourseError, match="layers = 3: tiny has 2 layers"):
        encoder.fine_tune(tiny(), TEXTS, LABELS, 2, encoder.Recipe(layers=3))


def test_a_saved_classifier_gives_the_same_answers(tmp_path):
    import keras

    small = tiny()
    model = encoder.classifier(small, 2)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    before, after = (encoder.predict(m, small, TEXTS[:9], length=16) for m in (model, again))
    assert np.abs(before - after).max() < 1e-6


def test_the_learning_rate_climbs_and_falls():
    rate = encoder.optimizer(encoder.Recipe(learning_rate=1e-3), 100)._learning_rate
    values = np.array([float(rate(step)) for step in range(101)])
    assert values[0] < 2e-4 and values.argmax() == 10 and abs(values[10] - 1e-3) < 1e-8 and values[100] < 1e-8
    assert (np.diff(values[:11]) > 0).all() and (np.diff(values[10:]) < 0).all()
