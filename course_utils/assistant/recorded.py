"""Answers that were written beforehand, with labels: a generator for tests, and what a check of answers is measured by."""

import functools
from dataclasses import dataclass

from course_utils import paths, tables
from course_utils.language import say

PLANTED = ("number", "turned", "invented")
_MEND = "Mend the file, or install the course again."


@dataclass(frozen=True)
class Recorded:
    """An answer to ``question`` from the section called ``section``: sentences that it supports, and planted ones by kind.

    The kinds are `PLANTED`: another number, the contrary in the section's own words, something invented.
    """

    question: str
    section: str
    supported: tuple[str, ...]
    planted: dict[str, str]


@functools.cache
def answers() -> tuple[Recorded, ...]:
    """All recorded answers. Raises CourseError for a file that is not as it should be."""
    path = paths.packaged("retrieval/answers.toml")
    found = tables.read(path, _MEND).get("answer")
    where = paths.display(path)
    if not isinstance(found, list) or not found:
        tables.Table({}, where, mend=_MEND).refuse(say("[[answer]] is missing"))
    known = ("question", "section", "supported", *PLANTED)
    rows = [tables.Table(value, f"{where}, answer {n}", known, _MEND) for n, value in enumerate(found, 1)]
    return tuple(
        Recorded(row.text("question"), row.text("section"), row.texts("supported"), {k: row.text(k) for k in PLANTED})
        for row in rows
    )
