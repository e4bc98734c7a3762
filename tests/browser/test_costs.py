"""Chapter 01's explorer in JupyterLab: each control moves picture and sentence, in time, in both themes."""

import pytest

from .explorer import BUSY, open_explorer, slide_through

PANELS = ("memory", "hours", "money")
SOURCE = """
from course_utils import explorers

explorers.size_and_cost()
"""


@pytest.fixture(scope="module")
def explorer(lab, open_notebook):
    return open_explorer(lab, open_notebook, "costs", SOURCE)


def pictures(explorer):
    return [explorer.picture(panel) for panel in PANELS]


def test_it_shows_three_panels_and_says_what_they_show(explorer):
    assert all(explorer.colours(panel) > 5 for panel in PANELS)
    assert "To tune 7 B parameters by LoRA" in explorer.sentence
    assert "fits on the 24 GB GPU" in explorer.sentence
    assert explorer.kind == "answer"


def test_the_size_moves_every_panel_and_past_the_memory_it_warns(explorer):
    before = pictures(explorer)
    explorer.slide("size", to=1)
    assert all(new != old for new, old in zip(pictures(explorer), before, strict=True))
    assert "1 T parameters" in explorer.sentence and "does not fit" in explorer.sentence
    assert explorer.kind == "warning"
    explorer.slide("size", to=0)
    assert "1 M parameters" in explorer.sentence and explorer.kind == "answer"
    explorer.slide("size", to=31 / 48)
    assert "7 B parameters" in explorer.sentence


def test_the_tokens_move_hours_and_money_but_not_memory(explorer):
    before = pictures(explorer)
    explorer.slide("tokens", to=1)
    after = pictures(explorer)
    assert after[0] == before[0] and after[1] != before[1] and after[2] != before[2]
    assert "100 T tokens" in explorer.sentence
    explorer.slide("tokens", to=15 / 50)
    assert "10 M tokens" in explorer.sentence


def test_task_precision_and_device_each_change_picture_and_sentence(explorer):
    for name, option, words in (
        ("task", "train", "To train 7 B"), ("device", "8 × 80 GB", "fits on the 8 × 80 GB"),
        ("task", "answer", "To answer with 7 B parameters in bfloat16"), ("precision", "int4", "in int4"),
        ("device", "24 GB GPU", "fits on the 24 GB GPU"), ("precision", "bfloat16", "in bfloat16"),
        ("task", "tune (LoRA)", "by LoRA"),
    ):  # fmt: skip
        before = explorer.picture("memory")
        explorer.choose(name, option)
        assert explorer.picture("memory") != before, name
        assert words in explorer.sentence


def test_a_slider_answers_in_time(explorer):
    times = slide_through(explorer, "size")
    print(f"size_and_cost: {sum(times) / len(times):.0f} ms on average, {max(times):.0f} ms at most")
    assert len(times) == 20 and sum(times) / len(times) <= BUSY


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_readable_in_both_themes(explorer, theme):
    explorer.slide("size", to=31 / 48)
    explorer.assert_readable(theme, "costs")
