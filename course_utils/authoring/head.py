"""What a chapter's editions say beyond its source: its times, its side roads, and what stays closed at first."""

import ast
import dataclasses
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from course_utils.authoring import reading_time
from course_utils.language import say, say_many
from course_utils.roads import CLOSED, KEY, SIDE, anchor, heading, side_roads

if TYPE_CHECKING:
    from course_utils.authoring.sources import Cell

ROUTES = "<!-- routes -->"
PREDICTION = re.compile(r"\*\*Predict first\b")
_HARDWARE = "*Hardware: "
_GOALS, _EXERCISES = "You will be able to", "Exercises"


def complete(cells: Sequence["Cell"], routes: Callable[[], str]) -> list["Cell"]:
    """The cells as the editions have them; ``routes`` gives the table that stands in the place of ROUTES."""
    roads = reading_time.of(cells)
    homes = side_roads((cell.kind, cell.source, cell.road) for cell in cells)
    side = {road.place: road for road in roads.side}
    after = {place: _after(cells, homes, place) for place in side}
    linked = {*after.values(), *(place for place, cell in enumerate(cells) if heading(cell.source) == (2, _EXERCISES))}
    found = []
    for place, cell in enumerate(cells):
        if cell.kind == "markdown":
            text = cell.source
            if place == 0:
                text = text.replace(_HARDWARE, f"*{_time(roads)} · {_HARDWARE[1:]}", 1)
            elif heading(text) == (2, _GOALS):
                text = "\n\n".join(filter(None, [text, _list(roads)]))
            elif place in side:
                target = heading(cells[after[place]].source)[1] if after[place] is not None else None
                text = _below(text, _mark(side[place], target))
                cell = dataclasses.replace(cell, extra={**cell.extra, CLOSED: True, KEY: SIDE})
            elif place in linked:
                text = _below(text, _named(heading(text)[1]))
            if ROUTES in text:
                text = text.replace(ROUTES, routes())
            found.append(dataclasses.replace(cell, completed=text if text != cell.source else ""))
        else:
            before = cells[place - 1] if place else None
            found.append(_closed(cell, before) if cell.code else cell)
    return found


def _time(roads: reading_time.Roads) -> str:
    main, side = roads.main.minutes, roads.side_minutes
    if not side:
        return say_many("Time: {n} minute, exercises included", "Time: {n} minutes, exercises included", main)
    return say("Time: {main} minutes, exercises included; {side} more on side roads", main=main, side=side)


def _list(roads: reading_time.Roads) -> str:
    """The side roads with their minutes; those that are exercises in one."""
    if not roads.side:
        return ""
    named, more = [], []
    for road in roads.side:
        if road.title.startswith("Exercise "):
            more.append(road)
        else:
            named.append(_item(f"[{road.title}](#{anchor(road.title)})", road.load.minutes))
    if more:
        title = say_many("one more exercise", "{n} more exercises", len(more))
        named.append(_item(f"[{title}](#{anchor(_EXERCISES)})", sum(road.load.minutes for road in more)))
    return say(
        "**Side roads** deepen, prove or check, and nothing on the main road needs them. They are closed; “+ cells "
        "hidden” below a heading opens one: {roads}.",
        roads=" · ".join(named),
    )


def _item(title: str, minutes: int) -> str:
    return say("{title} ({minutes} min)", title=title, minutes=minutes)


def _mark(road: reading_time.SideRoad, after: str | None) -> str:
    """The line below a side road's heading; ``after`` is the heading at which the main road goes on."""
    words = {"name": _named(road.title), "minutes": road.load.minutes}
    if after is None:
        return say("{name}*Side road · {minutes} min*", **words)
    link = f"[{after}](#{anchor(after)})"
    return say("{name}*Side road · {minutes} min · skip to {link}*", link=link, **words)


def _named(title: str) -> str:
    """What a link finds: Jupyter's own names for headings have letters that its links do not match."""
    return f'<a id="{anchor(title)}"></a>'


def _below(text: str, line: str) -> str:
    """A text with a line below its heading."""
    first, _, rest = text.lstrip("\n").partition("\n")
    return "\n".join([first, "", line, *(["", rest.lstrip("\n")] if rest.strip() else [])])


def _after(cells: Sequence["Cell"], homes: Sequence[int | None], place: int) -> int | None:
    """The place of the heading at which the main road goes on."""
    later = range(place + 1, len(cells))
    return next(
        (k for k in later if homes[k] is None and cells[k].kind == "markdown" and heading(cells[k].source)), None
    )


def _closed(cell: "Cell", before: "Cell | None") -> "Cell":
    """A code cell whose output answers a prediction, or whose code only asserts, is closed at first."""
    closed = {}
    if before is not None and before.kind == "markdown" and PREDICTION.search(before.source):
        closed["outputs_hidden"] = True
    if only_asserts(cell.tree()):
        closed["source_hidden"] = True
    return dataclasses.replace(cell, extra={**cell.extra, "jupyter": closed}) if closed else cell


def only_asserts(tree: ast.AST | None) -> bool:
    """Whether a cell's code does nothing but hold what was said before it."""
    body = getattr(tree, "body", [])
    return bool(body) and all(
        isinstance(node, ast.Assert) or (isinstance(node, ast.For | ast.With) and only_asserts(node)) for node in body
    )
