"""How long a chapter takes: one formula for all of them, from what stands in the source.

    minutes = words / 150 + lines of code / 12 + displayed formulas / 2 + formulas in a line / 20
              + the minutes that each exercise states, instead of what it consists of

The speeds of words and code are those that a learner of chapters 07 to 09 gave: there the formula says 96 to 108 % of
her own estimate. Another, who read the chapters of formulas, 02, 03 and 05, needed more: it says 84 to 90 % of his.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from course_utils.authoring.prose import code_lines, prose, without_fences
from course_utils.roads import heading, side_roads

if TYPE_CHECKING:
    from course_utils.authoring.sources import Cell

WORDS_A_MINUTE = 150
LINES_A_MINUTE = 12
MINUTES_A_DISPLAYED_FORMULA = 0.5
MINUTES_A_FORMULA = 0.05
_STATED = re.compile(r"\*\w+ · (\d+) minutes?\*")


@dataclass(frozen=True)
class Load:
    """What there is to read and to do: words, lines of code, formulas, exercises and the minutes that they state."""

    words: int = 0
    lines: int = 0
    displayed: int = 0
    formulas: int = 0
    exercises: int = 0
    exercise_minutes: int = 0

    def __add__(self, other: "Load") -> "Load":
        return Load(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(Load)))

    @property
    def minutes(self) -> int:
        """By the formula, to the nearest whole minute, at least one where there is anything."""
        exact = (
            self.words / WORDS_A_MINUTE
            + self.lines / LINES_A_MINUTE
            + self.displayed * MINUTES_A_DISPLAYED_FORMULA
            + self.formulas * MINUTES_A_FORMULA
            + self.exercise_minutes
        )
        return max(round(exact), int(exact > 0))


@dataclass(frozen=True)
class SideRoad:
    """A side road: the place of its heading among the cells, its words, and what it holds."""

    place: int
    title: str
    load: Load


@dataclass(frozen=True)
class Roads:
    """A chapter's main road and its side roads, in their order."""

    main: Load
    side: tuple[SideRoad, ...]

    @property
    def side_minutes(self) -> int:
        """All side roads together."""
        return sum(road.load.minutes for road in self.side)


def of(cells: Sequence["Cell"]) -> Roads:
    """The roads of a chapter, measured."""
    homes = side_roads((cell.kind, cell.source, cell.road) for cell in cells)
    main, side = Load(), {place: Load() for place in homes if place is not None}
    for load, home in zip(loads(cells), homes, strict=True):
        if home is None:
            main += load
        else:
            side[home] += load
    named = {place: heading(cells[place].source) for place in side}
    return Roads(main, tuple(SideRoad(place, named[place][1], load) for place, load in side.items()))


def loads(cells: Sequence["Cell"]) -> list[Load]:
    """What each cell holds; an exercise's cells hold nothing but the minutes that stand under its heading."""
    found, exercise = [], False
    for cell in cells:
        begins = heading(cell.source) if cell.kind == "markdown" else None
        if begins:
            exercise = begins[1].startswith("Exercise ")
        if exercise:
            stated = _STATED.search(cell.source) if begins else None
            found.append(Load(exercises=1, exercise_minutes=int(stated[1])) if stated else Load())
        else:
            found.append(_load(cell))
    return found


def _load(cell: "Cell") -> Load:
    if cell.code:
        return Load(lines=code_lines(cell.source))
    if cell.kind != "markdown":
        return Load()
    text, named = re.subn(r"``.+?``|`[^`\n]+`", "", without_fences(cell.source))
    displayed = len(re.findall(r"\$\$.+?\$\$", text, re.DOTALL))
    rest = re.sub(r"\$\$.+?\$\$", "", text, flags=re.DOTALL)
    return Load(
        words=len(re.findall(r"\w[\w'’-]*", prose(cell.source))) + named,  # code in a line is read as one word
        displayed=displayed,
        formulas=len(re.findall(r"\$[^$\n]+\$", rest)),
    )
