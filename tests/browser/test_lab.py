"""What a learner sees in JupyterLab: live figures that answer the mouse, a slider that moves, exercises that speak."""

import pytest

from .cells import CHAPTER, EXERCISE
from .conftest import PLOTLY, WEAKEST, centre


def answers_when_hovered(outputs) -> bool:
    """Whether a cell's outputs hold a figure with a trace that has points and a hover label."""
    figures = [output["data"][PLOTLY] for output in outputs if PLOTLY in output.get("data", {})]
    traces = [trace for figure in figures for trace in figure["data"]]
    return any(trace.get("hoverinfo") != "skip" and "x" in trace for trace in traces)


@pytest.fixture(scope="module")
def stored(open_notebook):
    """Chapter 07 as it is stored, nothing run yet."""
    return open_notebook(CHAPTER)


def first_figure(notebook) -> str:
    """The id of the first cell whose stored outputs hold a figure that answers the mouse."""
    return next(cell for cell in notebook.code_cells() if answers_when_hovered(notebook.outputs(cell)))


@pytest.fixture(scope="module")
def made_up(page):
    """The page, with a figure with a slider and three verdicts on it; the exercise's cell has not been run."""
    for name in ("answers", "verdicts", "check"):
        page.run(name)
    return page


def test_stored_picture_comes_alive_under_the_mouse(stored):
    cell = first_figure(stored)
    area = stored.show(cell).locator(".jp-Cell-outputArea")
    picture = area.locator("img.plot-img")
    picture.wait_for(state="visible")
    assert area.locator(".js-plotly-plot").count() == 0
    stored.page.mouse.move(*centre(picture))
    assert "training" in stored.hover(stored.figure(cell))


def test_a_figure_of_a_cell_that_has_just_run_answers_the_mouse(made_up):
    said = made_up.hover(made_up.figure("answers"), ".barlayer .point path")
    assert "0.82" in said, f"the hover label of the longest bar says {said!r}"


def bar_widths(figure) -> list[float]:
    """The width of each bar on the screen, in pixels, from the top."""
    return [bar.bounding_box()["width"] for bar in figure.locator(".barlayer .point path").all()]


def test_slider_moves_the_bars(made_up):
    figure = made_up.figure("answers")
    before = bar_widths(figure)
    assert before.index(max(before)) == 0

    rail = figure.locator(".slider-rail-touch-rect").bounding_box()
    grip = centre(figure.locator(".slider-grip-rect"))
    made_up.drag(grip, (rail["x"] + rail["width"] * 0.97, grip[1]))
    figure.locator(".slider-label", has_text="moved by: 4 steps").wait_for(state="visible", timeout=5_000)
    after = bar_widths(figure)
    assert after.index(max(after)) == 4, f"bars were {before}, are {after}"
    assert after[0] < before[0] / 10


def test_stub_mistake_and_solution(made_up):
    """Exercise 07-1 untouched, with the count for the wrong pictures, and right."""
    notebook, cell = made_up, EXERCISE
    stub = notebook.source(cell)
    assert "..." in stub and "SOLUTION" not in stub

    notebook.run(cell)
    said = notebook.wait_for_output(cell, "not attempted").inner_text()
    assert "32×32×3" in said and "Hint" not in said

    notebook.write(cell, stub.replace("...", "93_322"))
    notebook.run(cell)
    said = notebook.wait_for_output(cell, "not right yet").inner_text().replace(",", "")
    assert "93322" in said and "Hint: That is the count for 28×28×1" in said
    assert "122570" not in said, "the expected number gives the answer away"

    layers = "28 * 32 + (9 * 32 + 1) * 64 + (9 * 64 + 1) * 64 + (16 * 64 + 1) * 64 + 65 * 10"
    notebook.write(cell, stub.replace("...", layers))
    notebook.run(cell)
    said = notebook.wait_for_output(cell, "✓").inner_text().strip()
    assert said.startswith("✓ Exercise 07-1 · ") and said.endswith("right") and "\n" not in said


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_messages_and_figures_are_readable(made_up, theme):
    """WCAG's contrasts in both themes: 4.5 for every word of a verdict and of a figure, 3 for a verdict's mark."""
    made_up.theme(f"JupyterLab {theme}")
    try:
        figure = made_up.figure("answers")
        verdicts = made_up.show("verdicts").locator("[role=status]")
        assert verdicts.count() == 3
        found = {"figure": figure.evaluate(WEAKEST)}
        found |= {f"verdict {i}": verdicts.nth(i).evaluate(WEAKEST) for i in range(3)}
        made_up.screenshot(f"theme-{theme.lower()}")
    finally:
        made_up.theme("JupyterLab Light")
    assert all(share >= 1 for share, *_ in found.values()), f"share of the contrast wanted, contrast, words: {found}"
