"""Answers written beforehand, with labels: a generator for tests, and what a check of answers is measured by."""

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from course_utils import paths, tables
from course_utils.language import say

if TYPE_CHECKING:
    import pandas as pd

PLANTED = ("number", "turned", "invented")
_MEND = "Mend the file, or install the course again."


@dataclass(frozen=True)
class Recorded:
    """An answer to ``question`` from ``section``: sentences that the section supports, and planted ones by kind.

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


def table() -> "pd.DataFrame":
    """Every sentence of the recorded answers: columns answer (from 0), section, kind ("supported" or of `PLANTED`),
    sentence."""
    import pandas as pd

    rows = []
    for number, one in enumerate(answers()):
        said = [("supported", text) for text in one.supported] + list(one.planted.items())
        rows += [(number, one.section, kind, text) for kind, text in said]
    return pd.DataFrame(rows, columns=["answer", "section", "kind", "sentence"])
