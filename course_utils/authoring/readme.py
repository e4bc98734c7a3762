"""README's table of chapters, whose times and memory are written from the results of a run, never typed."""

import re
from collections.abc import Iterable
from pathlib import Path

from course_utils.authoring import routes
from course_utils.chapters import Chapter
from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.paths import display, write_atomic
from course_utils.running.outcome import Outcome, Results, read_results

BEGIN = "<!-- The table of chapters: an author writes the third column, course build --table all others. -->"
END = "<!-- The end of the table of chapters. -->"
ROUTES_BEGIN = "<!-- The routes of data/routes.toml, as course build --table writes them. -->"
ROUTES_END = "<!-- The end of the routes. -->"
_HEAD = ["", "chapter", "what you take home", "minutes: main road + side roads", "quick run", "peak memory"]


def write(readme: Path, results: Path, chapters: Iterable[Chapter]) -> list[str]:
    """Bring the table in ``readme`` up to the run in ``results`` (a results.json); returns the numbers of the chapters
    that were measured. Raises CourseError for a run or a table that cannot be used, before anything is written."""
    run = read_results(results)
    measured = _measured(run, results)
    try:
        text = readme.read_text("utf-8")
        chapters = list(chapters)
        whole = {chapter.name for chapter in chapters} == set(measured)  # else the sentence would not hold for all rows
        new = with_table(text, measured.values(), chapters, said=_said(run) if whole else "")
        new = with_routes(new, routes.of_checkout(chapters[0].notebooks.parent))
        if new != text:
            write_atomic(readme, new)
    except OSError as error:
        raise CourseError(
            say("{path} cannot be read or written: {reason}.", path=display(readme), reason=error.strerror or error)
        ) from error
    return [outcome.chapter[:2] for outcome in measured.values()]


def with_table(text: str, outcomes: Iterable[Outcome], chapters: Iterable[Chapter], *, said: str = "") -> str:
    """README's text with its table written anew: numbers, titles and links from the chapters, figures from outcomes.

    ``said`` is the sentence below the table, on what and when it was measured; without one the old stays, as do what a
    chapter gives (the third column) and the figures of a chapter without an outcome. Raises
    CourseError where there are no marks around the table, and for a chapter without a row.
    """
    start, end = text.find(BEGIN), text.find(END)
    if start < 0 or end < start:
        raise CourseError(
            say("README.md lacks the marks around the table of chapters: {begin} and {end}.", begin=BEGIN, end=END)
        )
    written = {cells[0]: cells for cells in rows(text[start:end])}
    found = {outcome.chapter: outcome for outcome in outcomes}
    lines = [_line(_HEAD), "|" + "---|" * len(_HEAD)]
    for chapter in chapters:
        if chapter.number not in written:
            raise CourseError(
                say(
                    "README.md has no row for chapter {number}. Write one between the marks, with what a learner takes "
                    'home: "| {number} | {title} | … | | | |".',
                    number=chapter.number,
                    title=chapter.title,
                )
            )
        _, _, takes_home, _, seconds, memory = written[chapter.number]
        reading = routes.minutes(chapter)
        if outcome := found.get(chapter.name):
            seconds, memory = f"{outcome.seconds:.0f} s", f"{outcome.peak_mib / 1024:.1f} GiB"
        link = f"[{chapter.title}](notebooks/{chapter.name}.ipynb)"
        minutes = f"{reading['main']} + {reading['all'] - reading['main']}"
        lines.append(_line([chapter.number, link, takes_home, minutes, seconds, memory]))
    below = said or "\n".join(line for line in text[start + len(BEGIN) : end].splitlines() if line[:1] not in ("", "|"))
    return text[:start] + "\n".join([BEGIN, "", *lines, "", below, "", ""]) + text[end:]


def with_routes(text: str, table: str) -> str:
    """README's text with the table of routes between its marks; CourseError where there are no marks."""
    start, end = text.find(ROUTES_BEGIN), text.find(ROUTES_END)
    if start < 0 or end < start:
        raise CourseError(
            say("README.md lacks the marks around the routes: {begin} and {end}.", begin=ROUTES_BEGIN, end=ROUTES_END)
        )
    return text[:start] + "\n".join([ROUTES_BEGIN, "", table, "", ""]) + text[end:]


def _said(run: Results) -> str:
    return say(
        "Measured in one run on {date}, one chapter at a time, from the kernel's start to the last cell: {system}, "
        "{cores} cores, Python {python}, Keras {keras} on {backend}.",
        date=run.date[:10],
        system=run.machine["system"],
        cores=run.machine["cores"],
        python=run.machine["python"],
        keras=run.machine["versions"].get("keras", "–"),
        backend=run.machine["backend"],
    )


def rows(table: str) -> list[list[str]]:
    """The cells of a table's rows, head left out; rows of another number of columns are left out as well."""
    found = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table.splitlines()]
    return [cells for cells in found if len(cells) == len(_HEAD) and re.fullmatch(r"\d\d", cells[0])]


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells).lstrip() + " |"


def _measured(run: Results, path: Path) -> dict[str, Outcome]:
    """The outcomes by chapter; CourseError where they are not what a reader of the table would get."""
    request = run.request
    if (
        request.get("profile") != "quick"
        or request.get("parameters")
        or request.get("jobs") != 1
        or request.get("road") != "all"
    ):
        raise CourseError(
            say(
                "{path} is of another kind of run. The table shows quick runs of all roads with default parameters, "
                "one chapter at a time: course run --jobs 1",
                path=display(path),
            )
        )
    bad = [outcome.chapter for outcome in run.outcomes if outcome.verdict != "passed"]
    if bad or not run.outcomes:
        raise CourseError(
            say(
                "{path} holds chapters that did not pass ({chapters}), and the table shows what passed. Mend them, and "
                "run again.",
                path=display(path),
                chapters=", ".join(bad) or "–",
            )
        )
    return {outcome.chapter: outcome for outcome in run.outcomes}
