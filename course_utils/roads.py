"""The roads of a chapter: the main one, which alone reaches its decision, and side roads that a reader may leave out.

A side road is a section: the text cell with its heading carries ``road="side"``, and it ends before the next heading of
the same or a higher level. A section whose heading carries ``needs="movielens"`` stands on that data set, and is left
out where the set cannot be had; the rest of the chapter does without it.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from course_utils.errors import CourseError, near_misses

KEY, SIDE = "road", "side"
NEEDS = "needs"
ROADS = ("all", "main")  # what a run may be asked for
# What JupyterLab calls a heading whose section is closed.
CLOSED = "jp-MarkdownHeadingCollapsed"


def heading(text: str) -> tuple[int, str] | None:
    """(level, words) of the heading that a text begins with; None where it begins with something else."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    match = re.match(r"(#{1,6})\s+(\S.*)", first)
    return (len(match[1]), match[2].strip()) if match else None


def side_roads(cells: Iterable[tuple[str, str, str | None]]) -> list[int | None]:
    """For each cell (its kind, its text, its road) the place of the side road's heading that it belongs to, or None.

    A side road within a side road is part of the outer one. The tag counts on a text cell that begins with a heading.
    """
    found: list[int | None] = []
    current, level = None, 0
    for place, (kind, text, road) in enumerate(cells):
        begins = heading(text) if kind == "markdown" else None
        if begins and current is not None and begins[0] <= level:
            current = None
        if begins and current is None and road == SIDE:
            current, level = place, begins[0]
        found.append(current)
    return found


def main_cells(cells: Sequence[Any]) -> list[Any]:
    """The cells of a notebook (nbformat's) that lie on the main road; of a side road not even the heading stays."""
    homes = side_roads((cell["cell_type"], cell["source"], cell["metadata"].get(KEY)) for cell in cells)
    return [cell for cell, home in zip(cells, homes, strict=True) if home is None]


def sections_needing(cells: Iterable[tuple[str, str, str | None]]) -> list[dict[str, int]]:
    """For each cell (its kind, its text, its needs) the data sets that it stands on, and whose heading says so.

    The names of several sets stand in one tag, apart by spaces; a section within a section needs what both need.
    """
    found: list[dict[str, int]] = []
    open_sections: list[tuple[int, int, tuple[str, ...]]] = []
    for place, (kind, text, needs) in enumerate(cells):
        if begins := heading(text) if kind == "markdown" else None:
            open_sections = [section for section in open_sections if section[0] < begins[0]]
            open_sections.append((begins[0], place, tuple((needs or "").split())))
        found.append({name: place for _, place, names in reversed(open_sections) for name in names})
    return found


def _needs(cells: Sequence[Any]) -> list[dict[str, int]]:
    return sections_needing((cell["cell_type"], cell["source"], cell["metadata"].get(NEEDS)) for cell in cells)


def sections_by_need(cells: Sequence[Any]) -> dict[str, list[str]]:
    """The data sets that sections of a notebook (its cells as nbformat has them) need, with their titles."""
    found: dict[str, list[str]] = {}
    for place, needs in enumerate(_needs(cells)):
        for name, home in needs.items():
            if home == place:
                found.setdefault(name, []).append(heading(cells[place]["source"])[1])
    return found


def cells_without(cells: Sequence[Any], missing: Iterable[str]) -> list[Any]:
    """The cells of a notebook that do without these data sets; of a section that needs one the heading stays."""
    away = set(missing)
    homes = enumerate(_needs(cells))
    return [cells[place] for place, needs in homes if all(needs.get(name, place) == place for name in away)]


def road(name: str) -> str:
    """The name of the roads that are asked for; raises CourseError, with the near misses, where there is none."""
    if name not in ROADS:
        raise CourseError(f"There is no road {name!r}.{near_misses(str(name), list(ROADS))}")
    return name


def anchor(title: str) -> str:
    """The name by which a heading is linked to: plain letters, which every viewer's links find."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
