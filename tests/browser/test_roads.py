"""What a reader of JupyterLab meets: side roads that are closed, links that lead to them, hidden answers."""

import nbformat
import pytest

from course_utils.authoring.head import complete
from course_utils.authoring.sources import Cell

WORDS = "\n\n".join(["A long paragraph that fills the page. " * 12] * 12)
CELLS = [
    Cell("markdown", "# 42 · A chapter\n\n*Hardware: any · Needs: nothing*", 1, "title"),
    Cell("markdown", "## You will be able to\n\n* count.", 1, "goals"),
    Cell("markdown", f"## 1 · The main road (one)\n\n{WORDS}\n\n**Predict first.** How many?", 1, "main"),
    Cell("code", "print('twelve')", 1, "answer"),
    Cell("markdown", f"<details><summary>What came</summary>\n\nTwelve.\n\n</details>\n\n{WORDS}", 1, "after"),
    Cell("code", "assert 1 + 1 == 2", 1, "held"),
    Cell("markdown", "## 2 · The proof (two)\n\nWhat you get here.", 1, "side", road="side"),
    Cell("markdown", "The proof itself.", 1, "proof"),
    Cell("code", "proof = 3", 1, "proof-code"),
    Cell("markdown", f"## 3 · On\n\n{WORDS}", 1, "on"),
]


@pytest.fixture(scope="module")
def chapter(lab, open_notebook):
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    made = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    for cell in complete(CELLS, lambda: ""):
        if cell.code:
            output = nbformat.v4.new_output("stream", name="stdout", text="twelve\n")
            outputs = [output] if cell.id == "answer" else []
            made.cells.append(
                nbformat.v4.new_code_cell(cell.source, id=cell.id, metadata=cell.metadata(), outputs=outputs)
            )
        else:
            made.cells.append(nbformat.v4.new_markdown_cell(cell.text(False), id=cell.id, metadata=cell.metadata()))
    nbformat.write(made, lab.folder / "roads.ipynb")
    return open_notebook("roads.ipynb")


def shown(notebook, cell: str) -> bool:
    """Whether a cell is to be seen, once it has been scrolled to."""
    return notebook.page.evaluate(
        """async id => {
            const notebook = window.jupyterapp.shell.currentWidget.content;
            const place = notebook.widgets.findIndex(cell => cell.model.id === id);
            await notebook.scrollToItem(Math.max(0, place - 1), 'start');
            return notebook.widgets[place].node.checkVisibility();
        }""",
        cell,
    )


def test_a_side_road_is_closed_and_opens_at_its_arrow(chapter):
    assert not shown(chapter, "proof") and not shown(chapter, "proof-code")
    assert shown(chapter, "on") and shown(chapter, "side")
    heading = chapter.page.locator(".jp-MarkdownCell", has_text="What you get here.")
    assert "Side road · 1 min · skip to 3 · On" in heading.inner_text()
    chapter.screenshot("roads")
    heading.locator(".jp-showHiddenCellsButton").click()
    assert shown(chapter, "proof") and shown(chapter, "proof-code")


def test_the_answer_to_a_prediction_is_not_on_the_screen(chapter):
    cell = chapter.show("answer")
    assert not cell.locator(".jp-OutputArea-output").is_visible()
    cell.locator(".jp-OutputPlaceholder").click()
    assert "twelve" in cell.locator(".jp-OutputArea-output").inner_text()


def test_a_cell_that_only_asserts_is_folded(chapter):
    assert not chapter.show("held").locator(".cm-content").is_visible()


def test_the_links_of_the_head_lead_to_the_side_road_and_past_it(chapter):
    for cell, link, wanted in (("title", "2 · The proof (two)", "side"), ("side", "3 · On", "on")):
        shown(chapter, cell)
        located = chapter.page.locator(".jp-MarkdownCell:visible a", has_text=link).first
        located.scroll_into_view_if_needed()
        located.click()
        chapter.page.wait_for_function(
            """id => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                const node = notebook.widgets.find(cell => cell.model.id === id).node;
                const [box, view] = [node.getBoundingClientRect(), notebook.node.getBoundingClientRect()];
                return node.checkVisibility() && box.top < view.bottom && box.bottom > view.top;
            }""",
            arg=wanted,
            timeout=10_000,
        )
