"""The playground of chapter 03 in JupyterLab: every control, training until it stops, and a learning rate too large."""

import pytest

from .explorer import BUSY, open_explorer, slide_through

SOURCE = "from course_utils import explorers\n\nexplorers.playground()"


@pytest.fixture(scope="module")
def explorer(lab, open_notebook):
    return open_explorer(lab, open_notebook, "playground", SOURCE)


def test_it_shows_three_panels_and_a_sentence(explorer):
    assert all(explorer.colours(panel) > 5 for panel in ("field", "neurons", "loss"))
    assert "1 layer of 4 tanh, 22 parameters, after 0 steps" in explorer.sentence


@pytest.mark.parametrize(
    ("name", "to", "words"),
    [("depth", 1.0, "4 layers of 4"), ("width", 1.0, "4 layers of 8"), ("noise", 0.5, "after 0 steps")],
)
def test_a_slider_makes_another_network(explorer, name, to, words):
    before = explorer.picture("field")
    explorer.slide(name, to=to)
    assert explorer.picture("field") != before and words in explorer.sentence


@pytest.mark.parametrize(
    ("name", "option", "words"),
    [("data", "spirals", "after 0 steps"), ("activation", "relu", "4 layers of 8 relu")],
)
def test_a_choice_makes_another_network(explorer, name, option, words):
    before, sentence = explorer.picture("field"), explorer.sentence
    explorer.choose(name, option)
    assert explorer.picture("field") != before and explorer.sentence != sentence and words in explorer.sentence


def wait_until(explorer, playing: bool) -> None:
    explorer.page.wait_for_function(
        "([root, playing]) => root.dataset.playing === playing",
        arg=[explorer.root.element_handle(), str(playing).lower()],
        timeout=90_000,
    )


def test_it_trains_pauses_steps_and_starts_anew(explorer):
    explorer.choose("activation", "tanh")
    explorer.slide("noise", to=0)
    before = explorer.picture("field")
    explorer.forget_times()
    explorer.press("train", wait=False)
    wait_until(explorer, True)
    assert explorer.control("train").inner_text() == "Pause"
    explorer.page.wait_for_timeout(1500)
    explorer.press("train", wait=False)
    wait_until(explorer, False)
    explorer.settle()
    assert explorer.picture("field") != before and "after 0 steps" not in explorer.sentence
    times = explorer.times("tick")
    print(f"\nplayground: {sum(times) / len(times):.0f} ms a frame of 30 steps on average, {max(times):.0f} at most")
    sentence = explorer.sentence
    explorer.press("step")
    assert explorer.sentence != sentence
    explorer.press("new")
    assert "after 0 steps" in explorer.sentence


def test_it_stops_by_itself(explorer):
    explorer.choose("data", "circles")
    explorer.slide("depth", to=0.25)
    explorer.press("train", wait=False)
    wait_until(explorer, True)
    wait_until(explorer, False)
    explorer.settle()
    assert "after 3,000 steps" in explorer.sentence and explorer.kind == "answer"
    explorer.notebook.screenshot("playground-trained")


def test_a_learning_rate_too_large_is_a_warning_and_zero_says_so(explorer):
    explorer.choose("activation", "relu")
    explorer.slide("rate", to=1)
    explorer.press("train", wait=False)
    explorer.page.wait_for_function(
        "root => root.dataset.kind === 'warning'", arg=explorer.root.element_handle(), timeout=20_000
    )
    explorer.settle()
    assert "Diverged" in explorer.sentence and not explorer.playing and explorer.colours("field") > 5
    explorer.slide("rate", to=0)
    explorer.press("new")
    assert explorer.kind == "answer" and "a step changes nothing" in explorer.sentence
    explorer.choose("decay", "0.01")
    assert explorer.kind == "answer"


def test_a_slider_answers_in_time(explorer):
    times = slide_through(explorer, "noise")
    print(f"\nplayground: {sum(times) / len(times):.0f} ms on average, {max(times):.0f} ms at most")
    assert len(times) >= 10 and sum(times) / len(times) <= BUSY


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_readable_in_both_themes(explorer, theme):
    explorer.choose("data", "spirals")
    explorer.choose("activation", "tanh")
    explorer.slide("depth", to=0.75)
    explorer.slide("rate", to=0.55)
    explorer.press("step")
    explorer.assert_readable(theme, "playground")
