"""The stage of the explorers in JupyterLab, with a small explorer of its own: controls, handle, hovering, playing."""

import pytest

from .explorer import BUSY, open_explorer, slide_through

SOURCE = """
import time

import numpy as np
from course_utils.errors import CourseError
from course_utils.explorers.scene import Box, Handle, Line, Panel, Picture, Points, Scene, Text
from course_utils.explorers.stage import Button, Choice, Slider, Stage

place, cell, steps, on = [0.5, 0.5], [0, 0], 0, False


def respond(event):
    global steps, on
    rate, kind = event.values["rate"], event.values["kind"]
    if kind == "an error":
        raise CourseError("This cannot be drawn: choose a curve.")
    if kind == "a bug":
        raise ZeroDivisionError("by zero")
    if kind == "slow":
        time.sleep(0.15)
    if event.kind == "drag":
        place[:] = event.x, event.y
    if event.kind == "hover":
        cell[:] = event.x, event.y
    if event.kind == "press":
        on = not on if event.name == "play" else False
        steps = 0 if event.name == "reset" else steps
    if event.kind == "tick":
        steps += 1
        on = on and steps < 40
    x = np.linspace(0, 1, 60)
    y = x**rate if kind == "power" else np.sin(rate * x) ** 2
    shades = (np.indices((4, 4)).sum(0)[..., None] * np.array([20, 30, 40])).astype("uint8")
    curve = Panel("curve", (0, 1), (0, 1), [
        Line(x, y, label="curve"), Points(x[::10], y[::10], series=1, label="points"),
        Handle("start", *place, "start"),
    ], x_title="x", y_title="y", title="A curve")
    grid = Panel("grid", (0, 4), (4, 0), [
        Picture(shades, (0, 4), (4, 0)), Box((cell[0], cell[0] + 1), (cell[1], cell[1] + 1), series=1, filled=False),
        Text([2], [2], [str(steps)]),
    ], axes=False, hover=True, aspect=1)
    words = f"rate {rate:g}, start {place[0]:.2f} {place[1]:.2f}, cell {cell[0]:g} {cell[1]:g}, step {steps}"
    return Scene([curve, grid], words, playing=on)


Stage("A test", [
    Slider("rate", "rate", np.linspace(0.1, 5, 50), 1.0),
    Choice("kind", "curve", ["power", "sine", "slow", "an error", "a bug"], "power"),
    Button("play", "Play", playing_label="Pause"), Button("reset", "Reset"),
], respond)
"""


@pytest.fixture(scope="module")
def explorer(lab, open_notebook):
    return open_explorer(lab, open_notebook, "stage", SOURCE)


def test_it_shows_both_panels_and_the_sentence(explorer):
    assert explorer.colours("curve") > 5 and explorer.colours("grid") > 5
    assert "rate 1, start 0.50 0.50" in explorer.sentence


def test_a_slider_moves_the_picture_and_the_sentence(explorer):
    before = explorer.picture("curve")
    explorer.slide("rate", to=1)
    assert explorer.picture("curve") != before and "rate 5" in explorer.sentence
    assert explorer.root.locator("output").inner_text() == "5"


def test_the_keyboard_moves_a_slider(explorer):
    explorer.slide("rate", to=0)
    explorer.control("rate").focus()
    for _ in range(3):
        explorer.page.keyboard.press("ArrowRight")
    explorer.settle()
    assert "rate 0.4" in explorer.sentence


def test_a_choice_changes_the_picture(explorer):
    before = explorer.picture("curve")
    explorer.choose("kind", "sine")
    assert explorer.picture("curve") != before
    explorer.choose("kind", "power")
    assert explorer.picture("curve") == before


def test_the_handle_is_dragged_by_mouse_and_by_keys(explorer):
    words = explorer.sentence.split("start ")[1].split(",")[0]
    box = explorer.canvas("curve").bounding_box()
    # where the handle is: found by taking hold of it, from the axes' inner box (54 px and 14 px at the sides)
    inner = box["width"] - 68
    top = 26 + 20
    x, y = (float(part) for part in words.split())
    start = (box["x"] + 54 + x * inner, box["y"] + top + (1 - y) * round(inner * 0.8))
    explorer.notebook.drag(start, (start[0] + 0.25 * inner, start[1]))
    explorer.settle()
    moved = float(explorer.sentence.split("start ")[1].split()[0])
    assert abs(moved - (x + 0.25)) < 0.02
    explorer.canvas("curve").focus()
    for _ in range(4):
        explorer.page.keyboard.press("ArrowLeft")
    explorer.settle()
    assert abs(float(explorer.sentence.split("start ")[1].split()[0]) - (moved - 0.1)) < 0.01


def test_an_answer_to_an_earlier_move_does_not_take_the_handle_back(explorer):
    """Python needs 150 ms here, the keys come every 40: each answer is older than the handle."""
    explorer.control("kind").select_option("slow")
    explorer.settle()
    before = float(explorer.sentence.split("start ")[1].split()[0])
    explorer.canvas("curve").focus()
    for _ in range(10):
        explorer.page.keyboard.press("ArrowLeft")
        explorer.page.wait_for_timeout(40)
    explorer.settle()
    assert abs(float(explorer.sentence.split("start ")[1].split()[0]) - (before - 0.25)) < 0.011
    explorer.control("kind").select_option("power")
    explorer.settle()


def test_hovering_names_the_cell(explorer):
    explorer.hover("grid", 0.9, 0.9)
    assert "cell 3 0" in explorer.sentence
    explorer.hover("grid", 0.1, 0.1)
    assert "cell 0 3" in explorer.sentence


def test_playing_goes_on_by_itself_and_stops(explorer):
    explorer.press("play", wait=False)
    explorer.page.wait_for_function(
        "root => root.dataset.playing === 'false' && root.textContent.includes('step 40')",
        arg=explorer.root.element_handle(),
        timeout=20_000,
    )
    assert explorer.control("play").inner_text() == "Play"
    explorer.press("reset")
    assert "step 0" in explorer.sentence
    explorer.press("play", wait=False)
    explorer.page.wait_for_function("root => root.dataset.playing === 'true'", arg=explorer.root.element_handle())
    assert explorer.control("play").inner_text() == "Pause"
    explorer.press("play", wait=False)
    explorer.page.wait_for_function("root => root.dataset.playing === 'false'", arg=explorer.root.element_handle())
    explorer.settle()
    drawn = explorer.drawn
    explorer.page.wait_for_timeout(300)
    assert explorer.drawn == drawn, "paused, it draws no more"


def test_what_goes_wrong_is_a_sentence_and_the_picture_stays(explorer):
    before = explorer.picture("grid")
    explorer.choose("kind", "an error")
    assert explorer.kind == "error" and "This cannot be drawn" in explorer.sentence
    explorer.choose("kind", "a bug")
    assert explorer.kind == "error" and "ZeroDivisionError: by zero" in explorer.sentence
    assert explorer.picture("grid") == before
    explorer.choose("kind", "power")
    assert explorer.kind == "answer"


def test_a_slider_answers_in_time(explorer):
    times = slide_through(explorer, "rate")
    print(f"stage: {sum(times) / len(times):.0f} ms on average, {max(times):.0f} ms at most")
    assert len(times) == 20 and sum(times) / len(times) <= BUSY


def test_twenty_quick_moves_leave_no_queue(explorer):
    explorer.forget_times()
    for i in range(20):
        explorer.slide("rate", to=i / 20, wait=False)
    explorer.slide("rate", to=1)
    assert "rate 5" in explorer.sentence
    assert 1 <= len(explorer.times("change")) <= 21


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_readable_in_both_themes(explorer, theme):
    explorer.assert_readable(theme, "stage")
