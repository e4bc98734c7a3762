"""What a learner sees in JupyterLab: live figures that answer the mouse, a slider that moves, exercises that speak."""

import dis
from types import CodeType

import nbformat
import pytest

from .conftest import PLOTLY, WEAKEST, centre

CHAPTER = "07_mnist_cnn.ipynb"

ANSWERS = """
import numpy as np
from course_utils import figures

figures.use_template()
images = np.zeros((5, 28, 28), dtype="uint8")
for i in range(5):
    images[i, 6:22, 4 + 4 * i : 8 + 4 * i] = 255
probabilities = np.full((5, 10), 0.02)
probabilities[range(5), range(5)] = 0.82
figures.answers_over(
    images,
    probabilities,
    [f"{i} steps" for i in range(5)],
    range(10),
    slider="moved by",
    alt="As the stroke moves to the right the most probable class goes from 0 to 4",
)
"""

VERDICTS = """
from course_utils.exercises import preview

preview("07-1")
preview("07-1", 93_322)
preview("07-1", 122_570)
"""


def answers_when_hovered(outputs) -> bool:
    """Whether a cell's outputs hold a figure with a trace that has points and a hover label."""
    figures = [output["data"][PLOTLY] for output in outputs if PLOTLY in output.get("data", {})]
    traces = [trace for figure in figures for trace in figure["data"]]
    return any(trace.get("hoverinfo") != "skip" and "x" in trace for trace in traces)


@pytest.fixture(scope="module")
def stored(open_notebook):
    """Chapter 07 as it is stored, nothing run yet."""
    return open_notebook(CHAPTER)


def names_in(code: CodeType) -> set[str]:
    """Every global or attribute name in some code and in the functions inside it."""
    return set(code.co_names).union(*(names_in(part) for part in code.co_consts if isinstance(part, CodeType)))


def cells_behind(notebook, last: str) -> list[str]:
    """The cells that a cell depends on by the names they bind, and itself, in order: the rest would cost a minute."""
    cells = notebook.code_cells()
    needed, wanted = [], set()
    for cell in reversed(cells[: cells.index(last) + 1]):
        code = compile(notebook.source(cell), cell, "exec")
        bound = {step.argval for step in dis.get_instructions(code) if step.opname == "STORE_NAME"}
        if cell == last or bound & wanted:
            needed.insert(0, cell)
            wanted |= names_in(code)
    return needed


def first_figure(notebook) -> str:
    """The id of the first cell whose stored outputs hold a figure that answers the mouse."""
    return next(cell for cell in notebook.code_cells() if answers_when_hovered(notebook.outputs(cell)))


@pytest.fixture(scope="module")
def chapter(stored):
    """Chapter 07 run up to its first figure that answers the mouse, and that cell's id. The baselines are left out."""
    last = first_figure(stored)
    for cell in cells_behind(stored, last):
        outputs = stored.run(cell)
    assert answers_when_hovered(outputs), f"cell {last} shows no figure with hover labels"
    return stored, last


@pytest.fixture(scope="module")
def answers(lab, open_notebook):
    """A notebook with two cells, run: a figure with a slider, over made-up probabilities, and three verdicts."""
    cells = {"answers": ANSWERS, "verdicts": VERDICTS}
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source.strip(), id=name) for name, source in cells.items()]
    )
    notebook.metadata["kernelspec"] = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    nbformat.write(notebook, lab.folder / "answers.ipynb")
    opened = open_notebook("answers.ipynb")
    for name in cells:
        opened.run(name)
    return opened


def test_stored_picture_comes_alive_under_the_mouse(stored):
    cell = first_figure(stored)
    area = stored.show(cell).locator(".jp-Cell-outputArea")
    picture = area.locator("img.plot-img")
    picture.wait_for(state="visible")
    assert area.locator(".js-plotly-plot").count() == 0
    stored.page.mouse.move(*centre(picture))
    assert "training" in stored.hover(stored.figure(cell))


def test_figure_answers_the_mouse(chapter):
    notebook, cell = chapter
    said = notebook.hover(notebook.figure(cell))
    assert "training" in said and "(1," in said, f"the hover label of the first epoch says {said!r}"


def bar_widths(figure) -> list[float]:
    """The width of each bar on the screen, in pixels, from the top."""
    return [bar.bounding_box()["width"] for bar in figure.locator(".barlayer .point path").all()]


def test_slider_moves_the_bars(answers):
    figure = answers.figure("answers")
    before = bar_widths(figure)
    assert before.index(max(before)) == 0

    rail = figure.locator(".slider-rail-touch-rect").bounding_box()
    grip = centre(figure.locator(".slider-grip-rect"))
    answers.drag(grip, (rail["x"] + rail["width"] * 0.97, grip[1]))
    figure.locator(".slider-label", has_text="moved by: 4 steps").wait_for(state="visible", timeout=5_000)
    after = bar_widths(figure)
    assert after.index(max(after)) == 4, f"bars were {before}, are {after}"
    assert after[0] < before[0] / 10


def test_stub_mistake_and_solution(chapter):
    """Exercise 07-1 untouched, with the count for the wrong pictures, and right."""
    notebook, _ = chapter
    cell = "exercise-07-1"
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
def test_messages_and_figures_are_readable(answers, theme):
    """WCAG's contrasts in both themes: 4.5 for every word of a verdict and of a figure, 3 for a verdict's mark."""
    answers.theme(f"JupyterLab {theme}")
    try:
        figure = answers.figure("answers")
        verdicts = answers.show("verdicts").locator("[role=status]")
        assert verdicts.count() == 3
        found = {"figure": figure.evaluate(WEAKEST)}
        found |= {f"verdict {i}": verdicts.nth(i).evaluate(WEAKEST) for i in range(3)}
        answers.screenshot(f"theme-{theme.lower()}")
    finally:
        answers.theme("JupyterLab Light")
    assert all(share >= 1 for share, *_ in found.values()), f"share of the contrast wanted, contrast, words: {found}"
