"""The explorer of chapter 06 in JupyterLab: controls, playing, warnings, time to answer, contrast."""

import pytest

from .explorer import BUSY, open_explorer, slide_through

SOURCE = """
from course_utils import explorers
explorers.duel()
"""


@pytest.fixture(scope="module")
def explorer(lab, open_notebook):
    return open_explorer(lab, open_notebook, "duel", SOURCE)


def test_it_shows_the_field_the_points_and_the_sentence(explorer):
    assert explorer.colours("plane") > 20 and explorer.colours("curves") > 5
    assert "Step 0" in explorer.sentence and "of 8 modes covered" in explorer.sentence


def test_a_few_steps_change_both_pictures(explorer):
    before = explorer.picture("plane"), explorer.picture("curves")
    explorer.press("step")
    assert "Step 10" in explorer.sentence
    assert explorer.picture("plane") != before[0] and explorer.picture("curves") != before[1]


def test_it_plays_and_pauses(explorer):
    explorer.press("play", wait=False)
    explorer.page.wait_for_function(
        "root => Number((root.textContent.match(/Step ([0-9]+)/) || [0, 0])[1]) >= 300",
        arg=explorer.root.element_handle(),
        timeout=60_000,
    )
    assert explorer.control("play").inner_text() == "Pause"
    explorer.notebook.screenshot("duel-playing")
    explorer.press("play", wait=False)
    explorer.page.wait_for_function("root => root.dataset.playing === 'false'", arg=explorer.root.element_handle())
    explorer.settle()
    drawn = explorer.drawn
    explorer.page.wait_for_timeout(300)
    assert explorer.drawn == drawn, "paused, it draws no more"


@pytest.mark.parametrize(
    ("control", "option", "words"),
    [("data", "two blobs", "of 2 modes"), ("data", "line", "of 8 pieces"), ("data", "one point", "of 1 mode ")],
)
def test_other_data_begin_anew(explorer, control, option, words):
    before = explorer.picture("plane")
    explorer.choose(control, option)
    assert explorer.picture("plane") != before
    assert "Step 0" in explorer.sentence and words in explorer.sentence


def test_the_loss_turns_the_strokes_round(explorer):
    explorer.choose("data", "ring of eight")
    before = explorer.picture("plane")
    explorer.choose("loss", "as the article prints")
    assert explorer.picture("plane") != before
    explorer.choose("loss", "non-saturating")
    assert explorer.picture("plane") == before


@pytest.mark.parametrize("name", ["turns", "noise"])
def test_the_other_sliders(explorer, name):
    explorer.slide(name, to=1)
    shown = explorer.root.locator("output").all_inner_texts()
    explorer.press("step")
    assert {"turns": "5", "noise": "8"}[name] in shown
    assert "Step" in explorer.sentence and explorer.kind == "answer"
    explorer.slide(name, to=0)
    explorer.press("restart")
    assert "Step 0" in explorer.sentence


def test_a_rate_of_zero_is_named_and_a_huge_one_stops_with_a_warning(explorer):
    explorer.slide("rate_G", to=0)
    assert "generator's rate is 0" in explorer.sentence
    explorer.slide("rate_G", to=1)
    explorer.press("play", wait=False)
    explorer.page.wait_for_function(
        "root => root.dataset.kind === 'warning' && root.dataset.playing === 'false'",
        arg=explorer.root.element_handle(),
        timeout=60_000,
    )
    assert "Restart" in explorer.sentence
    assert explorer.colours("plane") > 20
    explorer.slide("rate_G", to=0.25)
    explorer.press("restart")
    assert explorer.kind == "answer"


def test_it_answers_in_time(explorer):
    times = slide_through(explorer, "rate_D")
    print(f"duel: {sum(times) / len(times):.0f} ms on average for a slider, {max(times):.0f} ms at most")
    assert len(times) == 20 and sum(times) / len(times) <= BUSY
    explorer.forget_times()
    for _ in range(10):
        explorer.press("step")
    times = explorer.times("press")
    print(f"duel: {sum(times) / len(times):.0f} ms on average for ten steps of training, {max(times):.0f} ms at most")
    assert len(times) == 10 and sum(times) / len(times) <= BUSY


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_readable_in_both_themes(explorer, theme):
    explorer.assert_readable(theme, "duel")
