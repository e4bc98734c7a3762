"""The explorer of chapter 08 in JupyterLab: controls and pointer move picture and sentence, in time, in both themes."""

import pytest

from .explorer import BUSY, open_explorer, slide_through

SOURCE = """
import numpy as np
from course_utils import explorers

classes = ("bug", "howto", "account", "billing", "integration", "feature", "sales", "security")
random = np.random.default_rng(0)
lean = random.dirichlet(np.full(8, 0.2), 300)
vectors = lean @ random.normal(size=(8, 64)) * random.uniform(0.3, 1.5, (300, 1)) + 0.1 * random.normal(size=(300, 64))
names = [f"{classes[k]}{i}" for i, k in enumerate(lean.argmax(axis=1))]

explorers.words(vectors, names, lean, classes)
"""


@pytest.fixture(scope="module")
def explorer(lab, open_notebook):
    return open_explorer(lab, open_notebook, "words", SOURCE)


def test_it_shows_both_panels_and_a_sentence_with_numbers(explorer):
    assert explorer.colours("map") > 5 and explorer.colours("nearest") > 3
    assert "Nearest by cosine:" in explorer.sentence and "Shown: 300 words" in explorer.sentence


def test_a_class_is_picked_out(explorer):
    before = explorer.picture("map")
    explorer.choose("show", "security")
    assert explorer.picture("map") != before
    assert "words lean to security" in explorer.sentence and "leans to security" in explorer.sentence
    explorer.choose("show", "all classes")


def test_the_slider_walks_through_the_words(explorer):
    map_, nearest = explorer.picture("map"), explorer.picture("nearest")
    explorer.slide("word", to=0)
    first = explorer.sentence
    explorer.slide("word", to=0.5)
    assert explorer.sentence != first
    assert explorer.picture("map") != map_ and explorer.picture("nearest") != nearest


def test_fewer_words_are_fewer_points(explorer):
    before = explorer.picture("map")
    explorer.slide("count", to=0)
    assert explorer.picture("map") != before and "Shown: 300 words" not in explorer.sentence
    explorer.slide("count", to=1)
    assert "Shown: 300 words" in explorer.sentence


def test_pointing_at_words_names_them(explorer):
    seen = set()
    for across, up in ((0.35, 0.35), (0.45, 0.6), (0.55, 0.45), (0.65, 0.65), (0.75, 0.5), (0.5, 0.5)):
        explorer.hover("map", across, up)
        seen.add(explorer.sentence.split("”")[0])
    assert len(seen) >= 3, seen


def test_a_slider_answers_in_time(explorer):
    times = slide_through(explorer, "word")
    print(f"words: {sum(times) / len(times):.0f} ms on average, {max(times):.0f} ms at most")
    assert len(times) == 20 and sum(times) / len(times) <= BUSY


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_readable_in_both_themes(explorer, theme):
    explorer.choose("show", "all classes")
    explorer.assert_readable(theme, "words")
