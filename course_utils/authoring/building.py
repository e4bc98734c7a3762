"""A learner edition executed for a build: through the same worker as ``course run``, in surroundings of its own."""

import shutil
import site
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils import roads
from course_utils.chapters import LEARNER, Chapter
from course_utils.console import plain
from course_utils.errors import CourseError
from course_utils.language import say as words
from course_utils.paths import PROJECT, cache_dir, display
from course_utils.processes import environment

if TYPE_CHECKING:
    from course_utils.running.execution import Execution
    from course_utils.running.outcome import Outcome

# A kernel's environment must not depend on who builds: neither his settings nor his progress belong into an edition.
_NOT_INHERITED = (
    "COURSE_STRICT",
    "COURSE_DATA",
    "COURSE_PROGRESS",
    "PYTHONSTARTUP",
    "XDG_CACHE_HOME",
    "MPLBACKEND",
    "JPY_PARENT_PID",
)


def execute(
    notebook: Any,
    chapter: Chapter,
    *,
    lines: Mapping[str, int] | None = None,
    timeout: float | None = None,
    say: Callable[[str], None] | None = None,
) -> "Outcome":
    """Run all cells of a notebook (nbformat's) in the quick profile; its outputs are put into it. Returns the Outcome.

    The kernel works in a scratch folder with a cache of its own. ``timeout`` (seconds for the whole chapter) defaults
    to ten times the chapter's budget, at least a quarter of an hour. Raises CourseError with chapter, cell id, the
    cell's first line and the error when a cell fails, the kernel dies or the time is up; ``lines`` (the source line of
    each cell, by id) lets it say where the cell stands. Ctrl-C ends the kernel and comes through.
    """
    import nbformat

    from course_utils.running.execution import execute as run
    from course_utils.running.request import Job

    told = -1
    names = [*chapter.needs["quick"], *roads.sections_by_need(notebook.cells)]  # what it declares, and nothing else

    def watch(execution: "Execution") -> None:
        nonlocal told
        if say is not None and execution.cells and execution.current != told:
            told = execution.current
            if notebook.cells[told].cell_type == "code":
                values = {"chapter": chapter.name, "number": told + 1, "cells": execution.cells}
                say(words("{chapter}: cell {number} of {cells}", **values))

    with tempfile.TemporaryDirectory(prefix="course-build-") as folder:
        before, after = Path(folder) / "before.ipynb", Path(folder) / "after.ipynb"
        nbformat.write(notebook, before)
        outcome = run(
            Job(chapter, LEARNER),
            notebook=before,
            output=after,
            limit=timeout or max(900, 10 * chapter.seconds),
            environment=lambda scratch: _surroundings(names, scratch),
            prefix="course-build-",
            watch=watch,
        )
        if outcome.verdict != "passed":
            raise CourseError(_explanation(outcome, chapter, lines or {}))
        for cell, done in zip(notebook.cells, nbformat.read(after, as_version=4).cells, strict=True):
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = done.outputs, done.execution_count
    return outcome


def _surroundings(names: Iterable[str], scratch: Path) -> dict[str, str]:
    """The kernel's environment, and the cache that it names, with these data sets in it."""
    cache = scratch / ".cache" / PROJECT
    prepare_cache(names, cache)
    return environment(
        **dict.fromkeys(_NOT_INHERITED),
        COLUMNS="100",
        COURSE_CACHE=str(cache),
        COURSE_PROFILE="quick",
        # A home of its own: nothing of the author's settings comes in, and paths show as "~/…", as a learner's would.
        HOME=str(scratch),
        USERPROFILE=str(scratch),
        IPYTHONDIR=str(scratch / "ipython"),
        KERAS_BACKEND="tensorflow",
        # No +png: the pictures are drawn afterwards, all in one browser, which is many times faster.
        PLOTLY_RENDERER="plotly_mimetype",
        PYTHONHASHSEED="0",
        PYTHONUSERBASE=site.getuserbase(),
    )


def prepare_cache(names: Iterable[str], cache: Path) -> None:
    """A fresh cache that holds these data sets only."""
    cache.mkdir(parents=True)
    for name in dict.fromkeys(names):
        from course_utils.data.fetch import fetch

        fetch(name)
        shutil.copytree(cache_dir() / "data" / name, cache / "data" / name)


def _explanation(outcome: "Outcome", chapter: Chapter, lines: Mapping[str, int]) -> str:
    """Which cell failed and why, as an author's message: file and line first."""
    error = outcome.error
    if error is None:
        return words(
            "{chapter}: {reason}\nNothing was written; mend the source and build again.",
            chapter=chapter.name,
            reason=plain(outcome.reason),
        )
    line = lines.get(error["cell_id"])
    facts = {
        "source": f"{display(chapter.source)}:{line}" if line else display(chapter.source),
        "chapter": chapter.name,
        "id": error["cell_id"],
        "first": error["first_line"],
        "error": f"{error['ename']}: {plain(error['evalue']).strip()}",
    }
    if not error["cell_id"]:
        return words(
            "{source}: {chapter}: failed before the first cell: {error}\n"
            "Nothing was written; mend the source and build again.",
            **facts,
        )
    return words(
        '{source}: {chapter}: cell {id} ("{first}") failed: {error}\n'
        "Nothing was written; mend the source and build again.",
        **facts,
    )
