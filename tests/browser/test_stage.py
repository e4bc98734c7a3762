"""The stage of the explorers in JupyterLab, with a small explorer of its own: controls, handle, hovering, playing."""

import pytest


@pytest.fixture
def explorer(explorers):
    return explorers("stage")


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


def test_a_choice_shows_labels_sends_keys_and_changes_the_picture(explorer):
    before, choice = explorer.picture("curve"), explorer.control("kind")
    assert choice.locator("option").all_inner_texts() == ["A power", "A sine", "Slow", "An error", "A bug"]
    choice.select_option(label="A sine")
    explorer.settle()
    assert explorer.picture("curve") != before and choice.input_value() == "sine"
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
    explorer.wait("root.dataset.playing === 'false' && root.textContent.includes('step 40')")
    assert explorer.control("play").inner_text() == "Play"
    explorer.press("reset")
    assert "step 0" in explorer.sentence
    explorer.press("play", wait=False)
    explorer.wait("root.dataset.playing === 'true'")
    assert explorer.control("play").inner_text() == "Pause"
    explorer.press("play", wait=False)
    explorer.wait("root.dataset.playing === 'false'")
    explorer.settle()
    drawn = explorer.drawn
    explorer.page.wait_for_timeout(300)
    assert explorer.drawn == drawn, "paused, it draws no more"


def test_what_goes_wrong_is_a_sentence_and_the_picture_stays(explorer):
    before = explorer.picture("grid")
    explorer.choose("kind", "error")
    assert explorer.kind == "error" and "This cannot be drawn" in explorer.sentence
    explorer.choose("kind", "bug")
    assert explorer.kind == "error" and "ZeroDivisionError: by zero" in explorer.sentence
    assert explorer.picture("grid") == before
    explorer.choose("kind", "power")
    assert explorer.kind == "answer"


def test_twenty_quick_moves_leave_no_queue(explorer):
    explorer.forget_times()
    for i in range(20):
        explorer.slide("rate", to=i / 20, wait=False)
    explorer.slide("rate", to=1)
    assert "rate 5" in explorer.sentence
    assert 1 <= len(explorer.times("change")) <= 21
