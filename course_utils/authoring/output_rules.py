"""What a stored output may show: no errors, no traces of the machine, no figure without its picture, not too much."""

import ast
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from course_utils.authoring.normalise import PLOTLY, WIDGET
from course_utils.authoring.sources import Cell, Source, called
from course_utils.paths import display

LIMIT_BYTES = 400_000
# Where a stored output would tell on the machine that made it.
MACHINE_PATH = re.compile(
    r"(?<![\w./:>-])(?:/(?:home|root|Users|tmp|private|var|opt|mnt|media|srv|Volumes)/[\w.-]|[A-Za-z]:\\{1,2}[A-Za-z])"
)
_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")


def output_problems(notebook, source: Source, *, user: str | None = None) -> list[str]:
    """What is wrong with a learner edition's outputs: errors, warnings, figures without picture, traces of a machine.

    ``user`` is a name that must not stand in an output. A cell's tag ``lint-skip-RULE`` in the source lets it off one
    of the rules ``output-stderr``, ``output-address``, ``output-path``.
    """
    found: list[str] = []
    by_id = {cell.id: cell for cell in source.cells}
    for number, stored in enumerate((cell for cell in notebook["cells"] if cell["cell_type"] == "code"), 1):
        cell = by_id.get(stored.get("id"))
        outputs = stored.get("outputs", [])
        here = f"cell {stored.get('id')}" + (f' ("{shorten(cell.first, 50)}")' if cell else "")
        if stored.get("execution_count") != number:
            found.append(f"{here}: was not run in order, from top to bottom; build it again")
        for output in outputs:
            found += [f"{here}: {problem}" for problem in _output_problems(output, cell, user)]
        if cell and shows_figure(cell) and not any("image/png" in output.get("data", {}) for output in outputs):
            found.append(f"{here}: its figure has no stored picture; build it again, or end the cell with the figure")
    return found


def _output_problems(output: dict, cell: Cell | None, user: str | None) -> list[str]:
    tags = cell.tags if cell else ()
    kind, data = output["output_type"], output.get("data", {})
    found = []
    if kind == "error" and "raises-exception" not in tags:
        found.append(f"shows an error, {output.get('ename')}; mend the cell, or tag it raises-exception if it is meant")
    if kind == "stream" and output.get("name") == "stderr" and "lint-skip-output-stderr" not in tags:
        found.append(
            f'writes to standard error ("{shorten(output["text"])}"); mend the cause (or lint-skip-output-stderr)'
        )
    if WIDGET in data:
        found.append("stores a widget view; build it again")
    if PLOTLY in data:
        if "image/png" not in data:
            found.append("a figure without its picture; build it again")
        elif not output.get("metadata", {}).get("image/png", {}).get("alt"):
            found.append("a figure without alt text; give it layout.meta = {'alt': 'what it shows'}")
    text = _visible_text(output)
    address, path = _ADDRESS.search(text), MACHINE_PATH.search(text)
    if address and "lint-skip-output-address" not in tags:
        found.append(f'shows a memory address ("{_around(text, address)}"); show something stable instead')
    if path and "lint-skip-output-path" not in tags:
        found.append(f'shows a path of the machine ("{_around(text, path)}"); show it with course_utils.paths.display')
    if user:
        named = re.search(rf"\b{re.escape(user)}\b", text)
        if named:
            found.append(f'shows the user name ("{_around(text, named)}"); leave it out')
    return found


def _visible_text(output: dict) -> str:
    parts = [output.get("text", ""), output.get("evalue", ""), *output.get("traceback", [])]
    for mime, value in output.get("data", {}).items():
        if mime.startswith("text/"):
            parts.append(joined(value))
        elif mime.endswith("json") and mime != WIDGET:
            parts += _strings(value)
    return "\n".join(parts)


def _strings(value) -> list[str]:
    """All texts within a JSON value, save binary arrays."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value if isinstance(item, str | list | dict) for text in _strings(item)]
    if isinstance(value, dict):
        return [text for key, item in value.items() if key not in ("bdata", "source") for text in _strings(item)]
    return []


def _around(text: str, match: re.Match) -> str:
    return " ".join(text[max(0, match.start() - 20) : match.end() + 25].split())


def shows_figure(cell: Cell) -> bool:
    """Whether a cell ends in a call of ``figures.…``, or displays one (directly or by a name assigned in the cell)."""
    tree = cell.tree()
    if tree is None or not tree.body:
        return False
    named = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and _is_figure(node.value, set())
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    shown = [tree.body[-1].value] if isinstance(tree.body[-1], ast.Expr) else []
    for statement in tree.body:
        if (
            isinstance(statement, ast.Expr)
            and isinstance(statement.value, ast.Call)
            and called(statement.value) == "display"
        ):
            shown += statement.value.args
    return any(_is_figure(node, named) for node in shown)


def _is_figure(node, named: set[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in named
    return isinstance(node, ast.Call) and called(node).startswith("figures.")


def size_problems(path: Path, size: int, cells: list) -> list[str]:
    """A sentence when an edition of ``size`` bytes is over the limit; it names the largest outputs."""
    if size <= LIMIT_BYTES:
        return []
    return [f"{display(path)}: {size:,} bytes; the limit is {LIMIT_BYTES:,}. Largest: {_largest(cells)}"]


def _largest(cells: list, count: int = 3) -> str:
    """The largest pieces of output, for a reader who must make them smaller."""
    sizes = []
    for cell in cells:
        for output in cell.get("outputs", []):
            pieces = output.get("data") or {output["output_type"]: output.get("text", "")}
            sizes += [(len(json.dumps(value)), mime, cell.get("id")) for mime, value in pieces.items()]
    sizes.sort(reverse=True, key=lambda item: item[0])
    return "; ".join(f"{mime} of cell {cell}, {size:,} bytes" for size, mime, cell in sizes[:count])


def shorten(text: str, width: int = 70) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= width else line[: width - 1] + "…"


def joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def joined_output(output: Mapping[str, Any]) -> dict[str, Any]:
    """An output as nbformat holds it in memory: a plain dictionary, lists of lines joined."""
    made = dict(output)
    if "text" in made:
        made["text"] = joined(made["text"])
    if "data" in made:
        made["data"] = {
            k: joined(v) if isinstance(v, list) and not k.endswith("json") else v for k, v in made["data"].items()
        }
    return made
