"""Routes through the course for those who take it, with the minutes that their chapters sum up to."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from course_utils import paths, tables
from course_utils.authoring import reading_time, sources
from course_utils.chapters import Chapter, chapters
from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.roads import ROADS


@dataclass(frozen=True)
class Route:
    """A route: for whom it is, what it is for, its chapters, and whether it takes the main roads or all of them."""

    who: str
    aim: str
    chapters: tuple[str, ...]
    roads: str


def read(path: Path) -> list[Route]:
    """The routes that a TOML file lists; raises CourseError for a file that cannot be read or lacks something."""
    mend = say("Mend the file.")
    found = []
    for number, value in enumerate(tables.read(path, mend).get("route", []), 1):
        where = say("{file}, route {n}", file=paths.display(path), n=number)
        row = tables.Table(value, where, ("who", "aim", "chapters", "roads"), mend)
        found.append(Route(row.text("who"), row.text("aim"), row.texts("chapters"), row.choice("roads", ROADS)))
    return found


@functools.cache
def minutes(chapter: Chapter) -> dict[str, int]:
    """The minutes of a chapter by the roads taken."""
    roads = reading_time.of(sources.read(chapter).cells)
    return {"main": roads.main.minutes, "all": roads.main.minutes + roads.side_minutes}


def of_checkout(root: Path) -> str:
    """The table of the routes in ``data/routes.toml`` of a checkout, with the minutes of its chapters."""
    return table(read(root / "data" / "routes.toml"), {one.number: minutes(one) for one in chapters(root)})


def table(routes: list[Route], known: Mapping[str, Mapping[str, int]]) -> str:
    """The routes as a Markdown table; ``known``: the minutes of each chapter. CourseError for an unknown chapter."""
    lines = [say("| you are | you want to | chapters | hours |"), "|---|---|---|---|"]
    for route in routes:
        missing = [number for number in route.chapters if number not in known]
        if missing:
            raise CourseError(
                say(
                    "The route for {who} names chapters that do not exist: {missing}.",
                    who=route.who,
                    missing=", ".join(missing),
                )
            )
        hours = sum(known[number][route.roads] for number in route.chapters) / 60
        spans = _spans(route.chapters)
        if route.roads == "main":
            which = say("the main roads of {chapters}", chapters=spans)
        else:
            which = say("all roads of {chapters}", chapters=spans)
        lines.append(f"| {route.who} | {route.aim} | {which} | {hours:.0f} |")
    return "\n".join(lines)


def _spans(numbers: tuple[str, ...]) -> str:
    """Chapters as a reader wants them: "00, 01, 07 to 09"."""
    spans: list[list[str]] = []
    for number in numbers:
        if spans and int(number) == int(spans[-1][-1]) + 1:
            spans[-1].append(number)
        else:
            spans.append([number])
    parts = []
    for span in spans:
        parts += [say("{first} to {last}", first=span[0], last=span[-1])] if len(span) > 2 else span
    return ", ".join(parts)
