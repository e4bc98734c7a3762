"""The explorer of convolution in JupyterLab: hovering over the map, the controls, the keyboard, both themes."""

import pytest

from .explorer import BUSY, open_explorer, slide_through

SOURCE = "from course_utils import explorers\nexplorers.convolution()"


@pytest.fixture(scope="module")
def explorer(lab, open_notebook):
    return open_explorer(lab, open_notebook, "convolution", SOURCE)


def test_it_shows_three_panels_and_the_sum(explorer):
    for panel in ("image", "sum", "map"):
        assert explorer.colours(panel) > 5
    assert "Row 5, column 5 of the map" in explorer.sentence


def test_hovering_over_the_map_moves_the_window(explorer):
    before = {panel: explorer.picture(panel) for panel in ("image", "sum", "map")}
    explorer.hover("map", 0.1, 0.9)
    words = explorer.sentence
    assert words.startswith(("Row 0, column 1", "Row 1, column 1"))
    explorer.hover("map", 0.6, 0.45)
    assert explorer.sentence != words
    for panel, picture in before.items():
        assert explorer.picture(panel) != picture, panel


def test_the_keyboard_moves_the_window_too(explorer):
    explorer.slide("row", to=0)
    assert explorer.sentence.startswith("Row 0, ")
    explorer.control("row").focus()
    for _ in range(2):
        explorer.page.keyboard.press("ArrowRight")
    explorer.settle()
    assert explorer.sentence.startswith("Row 2, ")


@pytest.mark.parametrize(
    ("name", "to"), [("padding", 1), ("stride", 0.5), ("dilation", 1), ("row", 0.4), ("column", 0.4)]
)
def test_each_slider_changes_picture_and_sentence(explorer, name, to):
    explorer.slide(name, to=0)
    picture, words = explorer.picture("image"), explorer.sentence
    explorer.slide(name, to=to)
    assert explorer.picture("image") != picture and explorer.sentence != words
    if name in ("padding", "stride", "dilation"):
        explorer.slide(name, to=0)


@pytest.mark.parametrize(
    ("name", "option", "panel"),
    [("kernel", "blur", "sum"), ("kernel", "vertical edges", "map"), ("direction", "flipped (convolution)", "map"),
     ("image", "photograph", "image"), ("image", "scratch", "image")],
)  # fmt: skip
def test_each_choice_changes_the_picture(explorer, name, option, panel):
    before = explorer.picture(panel)
    explorer.choose(name, option)
    assert explorer.picture(panel) != before


def test_it_answers_in_time(explorer):
    explorer.choose("image", "digit")
    times = slide_through(explorer, "column")
    print(f"convolution: {sum(times) / len(times):.0f} ms on average, {max(times):.0f} ms at most")
    assert len(times) == 20 and sum(times) / len(times) <= BUSY


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_readable_in_both_themes(explorer, theme):
    explorer.choose("kernel", "sharpen" if theme == "Dark" else "vertical edges")
    explorer.hover("map", 0.4, 0.5)
    explorer.assert_readable(theme, "convolution")
