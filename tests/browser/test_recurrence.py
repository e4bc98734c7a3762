"""The explorer of chapter 05 in JupyterLab: every control moves picture and sentence, in time, in both themes."""

import pytest

from .explorer import BUSY, open_explorer, slide_through

SOURCE = """
from course_utils import explorers

explorers.gradient_over_time()
"""


@pytest.fixture(scope="module")
def explorer(lab, open_notebook):
    return open_explorer(lab, open_notebook, "recurrence", SOURCE)


def test_it_shows_both_panels_and_a_sentence_with_numbers(explorer):
    assert explorer.colours("gradient") > 5 and explorer.colours("eigenvalues") > 5
    assert "tanh, radius 1.00: 100 steps back the gradient is" in explorer.sentence


def test_the_radius_moves_picture_and_sentence(explorer):
    gradient, eigenvalues = explorer.picture("gradient"), explorer.picture("eigenvalues")
    explorer.slide("radius", to=1)
    assert explorer.picture("gradient") != gradient and explorer.picture("eigenvalues") != eigenvalues
    assert "radius 2.00" in explorer.sentence
    explorer.slide("radius", to=0)
    assert "the gradient is 0 after a single step" in explorer.sentence
    assert explorer.kind == "answer"


def test_the_linear_network_explodes_and_says_so(explorer):
    explorer.choose("network", "linear")
    explorer.slide("radius", to=0.7)
    assert explorer.kind == "warning" and "It explodes" in explorer.sentence
    explorer.slide("radius", to=0.4)
    assert explorer.kind == "answer" and "It vanishes" in explorer.sentence


@pytest.mark.parametrize("network", ["tanh", "ReLU", "LSTM", "linear"])
def test_every_network_has_a_picture_of_its_own(explorer, network):
    explorer.slide("radius", to=0.6)
    explorer.choose("network", "tanh" if network == "linear" else "linear")
    before = explorer.picture("gradient")
    explorer.choose("network", network)
    assert explorer.picture("gradient") != before and network in explorer.sentence


def test_the_other_controls_move_it_too(explorer):
    explorer.choose("network", "LSTM")
    for name, move in {
        "start": lambda: explorer.choose("start", "orthogonal"),
        "forget": lambda: explorer.slide("forget", to=0.8),
        "length": lambda: explorer.slide("length", to=0.25),
        "draw": lambda: explorer.press("draw"),
    }.items():
        picture, words = explorer.picture("gradient"), explorer.sentence
        move()
        assert explorer.picture("gradient") != picture, name
        # Another draw may round to the same words; its picture differs.
        assert name == "draw" or explorer.sentence != words, name
    explorer.slide("length", to=0.75)
    explorer.choose("start", "random")


@pytest.mark.parametrize("network", ["tanh", "LSTM"])
def test_a_slider_answers_in_time(explorer, network):
    explorer.choose("network", network)
    times = slide_through(explorer, "radius")
    print(f"recurrence, {network}: {sum(times) / len(times):.0f} ms on average, {max(times):.0f} ms at most")
    assert len(times) == 20 and sum(times) / len(times) <= BUSY


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_readable_in_both_themes(explorer, theme):
    explorer.choose("network", "tanh")
    explorer.slide("radius", to=0.6)
    explorer.assert_readable(theme, "recurrence")
