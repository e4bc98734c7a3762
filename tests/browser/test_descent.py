"""The explorer of descent in JupyterLab: every control, the dragged start, divergence, both themes."""

import pytest

from .explorer import BUSY, open_explorer, slide_through


@pytest.fixture(scope="module")
def explorer(lab, open_notebook):
    return open_explorer(lab, open_notebook, "descent", "from course_utils import explorers\nexplorers.descent()")


def test_it_shows_the_surface_the_loss_and_the_sentence(explorer):
    assert explorer.colours("surface") > 20 and explorer.colours("loss") > 5
    assert "Still on its way" in explorer.sentence and "2/λ = 0.2" in explorer.sentence


def test_the_learning_rate_moves_both_panels_and_divergence_is_a_warning(explorer):
    before = explorer.picture("surface"), explorer.picture("loss")
    explorer.slide("rate", to=1)
    assert explorer.picture("surface") != before[0] and explorer.picture("loss") != before[1]
    assert explorer.kind == "warning" and "Diverges" in explorer.sentence
    explorer.notebook.screenshot("descent-diverges")
    explorer.slide("rate", to=0)
    assert "nothing moves" in explorer.sentence and explorer.kind == "answer"
    explorer.slide("rate", to=0.4)
    assert "below the limit" in explorer.sentence


def test_the_steps_move_it(explorer):
    explorer.slide("steps", to=0)
    assert "No step yet" in explorer.sentence
    before = explorer.picture("loss")
    explorer.slide("steps", to=1)
    assert explorer.picture("loss") != before


def test_optimisers_and_losses_are_chosen(explorer):
    before = explorer.picture("surface")
    explorer.choose("optimiser", "Adam")
    assert explorer.picture("surface") != before
    for surface in ("curved valley", "saddle", "two minima", "log cosh", "plateau", "logistic", "round bowl"):
        before, words = explorer.picture("surface"), explorer.sentence
        explorer.choose("surface", surface)
        assert explorer.picture("surface") != before and explorer.sentence != words, surface
    explorer.notebook.screenshot("descent-round-bowl")
    explorer.choose("optimiser", "gradient descent")
    explorer.choose("surface", "long bowl")


def test_the_start_is_dragged_over_the_surface(explorer):
    explorer.slide("rate", to=0.6)
    explorer.slide("steps", to=0.5)
    words, before = explorer.sentence, explorer.picture("surface")
    # where the start (-2.5, 1) is, in the axes' inner box: 54 px on the left, 14 on the right, title and legend on top
    box = explorer.canvas("surface").bounding_box()
    inner = box["width"] - 68

    def place(x, y):
        return box["x"] + 54 + (x + 3) / 6 * inner, box["y"] + 46 + (1 - (y + 3) / 6) * round(inner)

    explorer.notebook.drag(place(-2.5, 1.0), place(2.0, -2.0))
    explorer.settle()
    assert explorer.picture("surface") != before and explorer.sentence != words
    dragged = explorer.picture("surface")
    explorer.canvas("surface").focus()
    for _ in range(4):
        explorer.page.keyboard.press("ArrowLeft")
    explorer.settle()
    assert explorer.picture("surface") != dragged


def test_a_slider_answers_in_time(explorer):
    explorer.choose("optimiser", "Adam")
    explorer.slide("steps", to=1)
    times = slide_through(explorer, "rate")
    print(f"descent: {sum(times) / len(times):.0f} ms on average, {max(times):.0f} ms at most")
    assert len(times) == 20 and sum(times) / len(times) <= BUSY


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_readable_in_both_themes(explorer, theme):
    explorer.assert_readable(theme, "descent")
