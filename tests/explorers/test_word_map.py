"""The explorer of chapter 08: its numbers are the chapter's, the pointer finds its words."""

import numpy as np
import pytest

from course_utils import explorers
from course_utils.errors import CourseError
from course_utils.explorers import word_map
from course_utils.explorers.word_map import Words, among, cosines, project, scene

CLASSES = ("bug", "howto", "account", "billing", "integration", "feature", "sales", "security")


def example(n=60, d=8, classes=CLASSES, seed=0, width=1.0):
    """Vectors, names and leanings of n words."""
    random = np.random.default_rng(seed)
    vectors = width * random.normal(size=(n, d))
    return vectors, [f"word{i}" for i in range(n)], random.dirichlet(np.full(len(classes), 0.3), n), classes


def test_the_places_are_the_chapters_components(chapter_functions):
    chapter = chapter_functions("08", "project")
    vectors = np.random.default_rng(1).normal(size=(30, 5))
    np.testing.assert_allclose(project(vectors), chapter["project"](vectors)[0], atol=1e-12)


def test_the_neighbours_are_the_chapters(chapter_functions):
    chapter = chapter_functions("08", "neighbours")
    made = Words.of(*example())
    for k in range(0, 60, 7):
        ours, theirs = made.nearest(k, 60), chapter["neighbours"](made.vectors, k, word_map.NEIGHBOURS)
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_allclose(ours[1], theirs[1])


def test_the_cosine_is_one_with_itself_and_zero_with_nothing():
    vectors = np.array([[3.0, 4.0], [6.0, 8.0], [-4.0, 3.0], [0.0, 0.0], [-3.0, -4.0]])
    np.testing.assert_allclose(cosines(vectors, 0), [1, 1, 0, 0, -1], atol=1e-12)


def test_every_word_has_a_place_inside_the_map_and_the_class_it_leans_to():
    made = Words.of(*example())
    assert made.places.min() >= word_map._MARGIN - 1e-9 and made.places.max() <= 100 - word_map._MARGIN + 1e-9
    parts = [among(made, name, 60) for name in CLASSES]
    assert sorted(np.concatenate(parts)) == list(range(60))
    assert all((made.lean[part].argmax(axis=1) == c).all() for c, part in enumerate(parts))


def test_more_classes_than_series_differ_in_more_than_colour():
    styles = [word_map._style(k) for k in range(14)]
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
    assert stage.values["word"] == 3, "the slider follows the pointer"
    stayed = stage.send_event("hover", panel="map", x=-90, y=-90)
    assert "“word3”" in stayed.sentence
    chosen = stage.send_event("change", "show", "security")
    assert "lean to security" in chosen.sentence
    assert "leans to security" in chosen.sentence, "the class chosen picks one of its words"
    assert f"“word{stage.values['word']:g}”" in chosen.sentence
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
    assert "0 words lean to security" in scene(made, "security", 60, 0).sentence
    stage = explorers.words(vectors, names, lean, classes)
    assert "0 words lean to security" in stage.send_event("change", "show", "security").sentence


def test_the_picture_has_the_classes_and_the_words():
    vectors, names, lean, classes = example()
    figure = explorers.words_picture(vectors, names, lean, classes, word="word5", alt="They fan out.")
    assert {trace.name for trace in figure.data} >= set(classes)
    assert "<b>word5</b>" in {annotation.text for annotation in figure.layout.annotations}


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
