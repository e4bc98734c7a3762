"""The explorer of attention in JupyterLab: pointing at rows, the controls, the keyboard, both themes."""

import pytest

from .explorer import BUSY, open_explorer, slide_through

SOURCE = """
import numpy as np
from course_utils import explorers

def weights(t, seed):
    S = np.exp(2 * np.random.default_rng(seed).normal(size=(6, 12, t, t)))
    return S / S.sum(axis=-1, keepdims=True)

words = "[CLS] since the update my bank feed is empty . [SEP]".split()
explorers.attention({
    "Since the update my bank feed is empty.": (words, weights(11, 0)),
    "Wrong invoice!": ("[CLS] wrong invoice ! [SEP]".split(), weights(5, 1)),
})
"""


@pytest.fixture(scope="module")
def explorer(lab, open_notebook):
    return open_explorer(lab, open_notebook, "attention", SOURCE)


def test_it_shows_lines_and_map(explorer):
    for panel in ("lines", "map"):
        assert explorer.colours(panel) > 5
    assert explorer.sentence.startswith("Layer 1, head 1: “since” takes")


@pytest.mark.parametrize("panel", ["lines", "map"])
def test_pointing_at_a_row_makes_it_ask(explorer, panel):
    explorer.hover(panel, 0.3, 0.9)
    words, before = explorer.sentence, explorer.picture("lines")
    explorer.hover(panel, 0.3, 0.2)
    assert explorer.sentence != words and explorer.picture("lines") != before


def test_the_keyboard_moves_the_asking_token(explorer):
    explorer.slide("token", to=0)
    assert "“[CLS]” takes" in explorer.sentence
    explorer.control("token").focus()
    for _ in range(2):
        explorer.page.keyboard.press("ArrowRight")
    explorer.settle()
    assert "“the” takes" in explorer.sentence


@pytest.mark.parametrize(("name", "words"), [("layer", "Layer 6"), ("head", "head 12")])
def test_each_slider_changes_picture_and_sentence(explorer, name, words):
    explorer.slide(name, to=0)
    before = explorer.picture("map")
    explorer.slide(name, to=1)
    assert explorer.picture("map") != before and words in explorer.sentence
    explorer.slide(name, to=0)


def test_another_sentence_is_another_map(explorer):
    before = explorer.picture("map")
    explorer.choose("sentence", "Wrong invoice!")
    assert explorer.picture("map") != before
    explorer.choose("sentence", "Since the update my bank feed is empty.")
    assert explorer.picture("map") == before or explorer.sentence


def test_a_slider_answers_in_time(explorer):
    times = slide_through(explorer, "head")
    print(f"attention: {sum(times) / len(times):.0f} ms on average, {max(times):.0f} ms at most")
    assert sum(times) / len(times) <= BUSY


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_readable_in_both_themes(explorer, theme):
    explorer.assert_readable(theme, "attention")
