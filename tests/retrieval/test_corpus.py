"""The stored corpus: whole, labelled, verified before it is read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from course_utils import data, paths
from course_utils.errors import CourseError
from course_utils.retrieval import corpus, cutting, make, questions, tickets


@pytest.fixture(scope="module")
def stored():
    return corpus.load()


def test_it_is_whole(stored):
    assert len(stored.names) == len(set(stored.names)) == len(stored.texts) > 200
    assert stored.vectors.shape == (len(stored.passages), 384)
    assert stored.question_vectors.shape == (len(stored.questions), 384)
    assert np.allclose(np.linalg.norm(stored.vectors, axis=1), 1, atol=1e-5)
    assert sorted(set(stored.owners)) == list(range(len(stored.names)))
    assert all(len(passage.split()) <= cutting.PASSAGE_WORDS for passage in stored.passages)


def test_the_questions_are_labelled(stored):
    kinds = [question.kind for question in stored.questions]
    assert set(kinds) == set(questions.KINDS)
    assert kinds.count("claim") == kinds.count("cited") >= 50 and kinds.count("asked") >= 30
    assert kinds.count("near") + kinds.count("far") >= 40
    for question in stored.questions:
        assert bool(question.sections) == (question.kind not in ("near", "far"))
        assert stored.right(question) == [stored.names.index(name) for name in question.sections]
    assert len({question.text for question in stored.questions}) == len(stored.questions)


def test_a_section_is_as_good_as_its_best_passage(stored):
    scores = np.random.default_rng(0).normal(size=(2, len(stored.passages)))
    best = stored.of_sections(scores)
    for number in (0, 7, len(stored.names) - 1):
        assert np.allclose(best[:, number], scores[:, stored.owners == number].max(axis=1))


@given(hnp.arrays(np.float32, (3, 8), elements=st.floats(-1, 1, width=16).filter(lambda x: abs(x) > 1e-3)))
def test_eight_bits_keep_a_vector_within_half_a_step(vectors):
    whole, scales = corpus.squeezed(vectors)
    assert whole.dtype == np.int8 and np.abs(whole).max() == 127
    assert (np.abs(whole * scales[:, None] - vectors) <= scales[:, None] * 0.501).all()


@pytest.mark.parametrize("name", [corpus.PASSAGES, corpus.VECTORS])
def test_another_file_is_not_read(tmp_path, monkeypatch, name):
    for file in (corpus.PASSAGES, corpus.VECTORS, corpus.INDEX):
        (tmp_path / file).write_bytes(paths.packaged(f"retrieval/{file}").read_bytes())
    monkeypatch.setattr(paths, "packaged", lambda wanted: tmp_path / wanted.removeprefix("retrieval/"))
    assert corpus.load().names
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content + b"\n")
    with pytest.raises(CourseError, match="is not the file that ships with the course"):
        corpus.load()
    (tmp_path / name).unlink()
    with pytest.raises(CourseError, match="cannot be read"):
        corpus.load()


def test_the_same_arrays_make_the_same_archive():
    arrays = {"a": np.arange(5), "b": np.ones((2, 3), np.float32)}
    assert make.archive(arrays) == make.archive(arrays)


def test_a_label_that_is_no_section_is_refused():
    one = questions.Question("a01", "why?", "asked", ("07/Trainning",))
    with pytest.raises(CourseError, match=r"which is no section\. Did you mean 07/Training"):
        questions.check_labels([one], {"07/Training"})


@pytest.fixture(scope="module")
def texts():
    loaded = data.load("tickets")
    return {part: getattr(loaded, part).texts for part in ("train", "validation", "test")}


def test_the_tickets_have_a_vector_each_that_means_something(texts):
    found = tickets.vectors(texts)
    assert {part: one.shape for part, one in found.items()} == {part: (len(texts[part]), 384) for part in texts}
    assert all(np.allclose(np.linalg.norm(one, axis=1), 1, atol=1e-5) for one in found.values())
    labels = data.load("tickets")
    nearest = (found["test"] @ found["train"].T).argmax(axis=1)
    assert (labels.train.labels[nearest] == labels.test.labels).mean() > 0.5, "a quarter by chance; in their order"


def test_vectors_are_not_given_for_other_tickets_or_out_of_another_file(texts, tmp_path, monkeypatch):
    for others in (texts | {"test": texts["test"][::-1]}, {"train": texts["train"]}):
        with pytest.raises(CourseError, match="these are others"):
            tickets.vectors(others)
    for file in (tickets.STORED, tickets.INDEX):
        (tmp_path / file).write_bytes(paths.packaged(f"retrieval/{file}").read_bytes())
    monkeypatch.setattr(paths, "packaged", lambda wanted: tmp_path / wanted.removeprefix("retrieval/"))
    assert tickets.vectors(texts)
    (tmp_path / tickets.STORED).write_bytes(b"PK")
    with pytest.raises(CourseError, match="is not the file that ships with the course"):
        tickets.vectors(texts)
