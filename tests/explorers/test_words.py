"""The explorer of chapter 08: its numbers are the chapter's, every extreme gives a finite picture."""

import importlib
import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import explorers
from course_utils.errors import CourseError
from course_utils.explorers.scene import for_browser
from course_utils.explorers.words import ALL, Words, among, cosines, project, scene

module = importlib.import_module("course_utils.explorers.words")  # the name in the package is the function
CLASSES = ("bug", "howto", "account", "billing", "integration", "feature", "sales", "security")
# Names that the chapter also computes in cells of its own, and that its functions only use inside.
LOCAL = dict.fromkeys(("E", "X", "S", "k", "most", "nearest", "cosine", "unit"))


def example(n=60, d=8, classes=CLASSES, seed=0, width=1.0):
    """Vectors, names and leanings of n words."""
    random = np.random.default_rng(seed)
    vectors = width * random.normal(size=(n, d))
    return vectors, [f"word{i}" for i in range(n)], random.dirichlet(np.full(len(classes), 0.3), n), classes


def drawn(made) -> dict:
    """The scene as the browser gets it, checked: no infinite place, no NaN in the words."""
    found = for_browser(made)
    for panel in found["panels"]:
        for layer in panel["layers"]:
            values = np.frombuffer(layer["x"], "<f4") if isinstance(layer["x"], bytes) else np.array(layer["x"])
            assert np.isfinite(values).all()
    assert "nan" not in found["sentence"].lower() and "inf" not in found["sentence"].lower()
    return found


def test_the_places_are_the_chapters_components(chapter_functions):
    chapter = chapter_functions("08", "project", **LOCAL)
    vectors = np.random.default_rng(1).normal(size=(30, 5))
    np.testing.assert_allclose(project(vectors), chapter["project"](vectors)[0], atol=1e-12)


def test_the_neighbours_are_the_chapters(chapter_functions):
    chapter = chapter_functions("08", "neighbours", **LOCAL)
    made = Words.of(*example())
    for k in range(0, 60, 7):
        ours, theirs = made.nearest(k, 60), chapter["neighbours"](made.vectors, k, module.NEIGHBOURS)
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_allclose(ours[1], theirs[1])


def test_the_cosine_is_one_with_itself_and_zero_with_nothing():
    vectors = np.array([[3.0, 4.0], [6.0, 8.0], [-4.0, 3.0], [0.0, 0.0], [-3.0, -4.0]])
    np.testing.assert_allclose(cosines(vectors, 0), [1, 1, 0, 0, -1], atol=1e-12)


def test_every_word_has_a_place_inside_the_map_and_the_class_it_leans_to():
    made = Words.of(*example())
    assert made.places.min() >= module._MARGIN - 1e-9 and made.places.max() <= 100 - module._MARGIN + 1e-9
    parts = [among(made, name, 60) for name in CLASSES]
    assert sorted(np.concatenate(parts)) == list(range(60))
    assert all((made.lean[part].argmax(axis=1) == c).all() for c, part in enumerate(parts))


@pytest.mark.parametrize(
    ("n", "d", "classes", "width"),
    [(2, 1, CLASSES[:2], 1.0), (2, 64, CLASSES, 1.0), (400, 64, CLASSES, 1e-9), (9, 3, CLASSES[:1], 1e6),
     (12, 5, tuple("abcdefghijklmn"), 1.0), (5, 2, CLASSES, 0.0)],
)  # fmt: skip
def test_every_extreme_gives_a_finite_picture_and_a_sentence(n, d, classes, width):
    made = Words.of(*example(n, d, classes, width=width))
    for show, shown, k in itertools.product((ALL, *classes), (2, n), (0, n - 1)):
        found = drawn(scene(made, show, shown, k))
        assert "leans to" in found["sentence"] and "Nearest by cosine" in found["sentence"]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 30), st.integers(1, 6), st.integers(1, 9), st.integers(2, 40))
def test_any_words_give_a_finite_picture(seed, n, d, classes, shown):
    names = tuple(f"class {c}" for c in range(classes))
    made = Words.of(*example(n, d, names, seed))
    for show in (ALL, names[-1]):
        drawn(scene(made, show, shown, seed % n))


def test_more_classes_than_series_differ_in_more_than_colour():
    styles = [module._style(k) for k in range(14)]
    assert len({(s["series"], s.get("colour")) for s in styles}) == 14
    assert all(s["colour"] == "#FFFFFF" and s["outline"] == "#222222" for s in styles[7:])


def test_the_pointer_finds_the_nearest_word_or_none():
    made = Words.of(*example())
    everything = np.arange(60)
    for k in (0, 20, 59):
        x, y = made.places[k]
        assert made.under(x - 0.5, y - 0.5, everything) == k
    assert made.under(-500, -500, everything) is None
    assert made.under(50, 50, np.array([], int)) is None


def test_the_live_explorer_answers_to_every_control():
    stage = explorers.words(*example())
    before = stage.scene.sentence
    picked = stage.send_event("change", "word", 7.0)
    assert "“word7”" in picked.sentence and picked.sentence != before
    x, y = stage_place(3)
    assert "“word3”" in stage.send_event("hover", panel="map", x=np.floor(x), y=np.floor(y)).sentence
    stayed = stage.send_event("hover", panel="map", x=-90, y=-90)
    assert "“word3”" in stayed.sentence
    chosen = stage.send_event("change", "show", "security")
    assert "lean to security" in chosen.sentence
    assert "leans to security" in chosen.sentence, "the class chosen picks one of its words"
    fewer = stage.send_event("change", "count", 50)
    assert fewer.sentence != chosen.sentence


def stage_place(k):
    made = Words.of(*example())
    # only where no other word is nearer to the middle of the pointer's unit
    x, y = made.places[k]
    assert made.under(np.floor(x), np.floor(y), np.arange(60)) == k
    return x, y


def test_a_class_without_words_is_a_sentence():
    vectors, names, lean, classes = example()
    lean = lean.copy()
    lean[:, 7] = 0
    made = Words.of(vectors, names, lean, classes)
    assert "0 words lean to security" in drawn(scene(made, "security", 60, 0))["sentence"]
    stage = explorers.words(vectors, names, lean, classes)
    assert "0 words lean to security" in stage.send_event("change", "show", "security").sentence


def test_an_update_takes_a_few_milliseconds():
    stage = explorers.words(*example(400, 64))
    began = time.process_time()
    for k in range(20):
        stage.send_event("change", "word", float(19 * k))
    spent = (time.process_time() - began) / 20 * 1000
    print(f"words: {spent:.1f} ms of Python an update")
    assert spent < 100


def test_the_picture_has_the_classes_and_the_words():
    vectors, names, lean, classes = example()
    figure = explorers.words_picture(vectors, names, lean, classes, word="word5", alt="They fan out.")
    assert figure.layout.meta["alt"] == "They fan out."
    assert {trace.name for trace in figure.data} >= set(classes)
    assert "<b>word5</b>" in {annotation.text for annotation in figure.layout.annotations}
    assert len(figure.to_json()) < 40_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v, n, p, c: (v[:-1], n, p, c), "a vector for each"),
        (lambda v, n, p, c: (v, n, p[:, :-1], c), r"shape \(60, 8\)"),
        (lambda v, n, p, c: (v[:1], n[:1], p[:1], c), "two or more words"),
        (lambda v, n, p, c: (v * np.nan, n, p, c), "finite"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(CourseError, match=message):
        explorers.words(*change(*example()))


def test_an_unknown_class_or_word_is_named():
    with pytest.raises(CourseError, match=r"no class 'securty'.*security"):
        explorers.words(*example(), show="securty")
    with pytest.raises(CourseError, match="no word 'word61'"):
        explorers.words_picture(*example(), word="word61", alt="x")
