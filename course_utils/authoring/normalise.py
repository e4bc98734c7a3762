"""What a kernel showed, brought into the form that is stored: the same from run to run, and nothing of the machine."""

import copy
from collections.abc import Iterator
from typing import Any

from course_utils.console import plain
from course_utils.runtime import PLOTLY, WIDGET


def normalise(notebook: Any) -> None:
    """Bring all outputs of a notebook into the form that is stored, in place; widget state is dropped.

    Code cells are counted from 1, as in a run from top to bottom: nbval refuses outputs of a cell without a count.
    """
    notebook.metadata.pop("widgets", None)
    for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), 1):
        cell.execution_count = number
        cell.outputs = normalise_outputs(cell.outputs)
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number


def normalise_outputs(outputs: list) -> list:
    """Outputs as they are stored; applying it twice changes nothing.

    No execution counts; standard streams joined, with what a carriage return overwrote left out; widget views dropped
    (their text remains, shortened when it is a whole figure); tracebacks as one line; figures without HTML.
    """
    found: list = []
    for original in outputs:
        output = copy.deepcopy(original)
        if output["output_type"] == "stream":
            output["text"] = "".join(output["text"])
            if found and found[-1]["output_type"] == "stream" and found[-1]["name"] == output["name"]:
                found[-1]["text"] += output["text"]
                continue
        elif output["output_type"] == "error":
            output["traceback"] = [plain(f"{output['ename']}: {output['evalue']}")]
            output["evalue"] = plain(output["evalue"])
        else:
            if not _normalise_data(output["data"]):
                continue
            kept = {mime: output["metadata"][mime] for mime in output.get("metadata", {}) if mime in output["data"]}
            output["metadata"] = kept
            if output["output_type"] == "execute_result":
                output["execution_count"] = None
        found.append(output)
    for output in found:
        if output["output_type"] == "stream":
            output["text"] = _overwritten(output["text"])
    return [output for output in found if output["output_type"] != "stream" or output["text"]]


def _normalise_data(data: dict) -> bool:
    """Mend one output's data in place; False when nothing is left of it."""
    if data.pop(WIDGET, None) is not None and not set(data) - {"text/plain"}:
        text = "".join(data.get("text/plain", ""))
        if not text:
            return False
        # A figure widget's text is the whole figure; other widgets name themselves in a line or two.
        data["text/plain"] = text if len(text) <= 500 else "An interactive figure: run the cell to see it."
    if PLOTLY in data:
        # The figure itself stays exactly as the kernel gave it: nbval compares it to a fresh one.
        data.pop("text/html", None)
    return bool(data)


def _overwritten(text: str) -> str:
    """Text as a terminal shows it: after a carriage return a line is written anew."""
    lines = text.replace("\r\n", "\n").split("\n")
    shown = [next((part for part in reversed(line.split("\r")) if part), "") for line in lines]
    return "\n".join(shown)


def figures(notebook: Any) -> Iterator[tuple[object, dict]]:
    """Every stored plotly figure of a notebook: (output, figure as a dictionary with data and layout)."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if PLOTLY in output.get("data", {}):
                yield output, output["data"][PLOTLY]
