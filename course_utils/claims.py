"""The fact-check: what the two articles claim, and the verdicts that the chapters reach by running it."""

import functools
import re
from typing import TYPE_CHECKING

from course_utils.errors import CourseError, near_misses
from course_utils.language import say

if TYPE_CHECKING:
    import pandas as pd

_KEYS = ("id", "where", "chapter", "says", "check", "expected", "runs", "note")
VERDICTS = ("holds", "holds with a condition", "misprinted", "wrong", "unverifiable")


@functools.cache
def rows() -> dict[str, dict]:
    """The claims of ``data/claims.toml`` by id: where, says, check, expected, note, chapter.

    Raises CourseError for a file that cannot be read, a row that lacks something, and an id that stands twice.
    """
    from course_utils import paths, tables

    path = paths.packaged("claims.toml")
    mend = say("Mend the file, or install the course again.")
    raw = tables.read(path, mend).get("claim")
    if not isinstance(raw, list):
        raise CourseError(say("{file} has no [[claim]]. {mend}", file=paths.display(path), mend=mend))
    found: dict[str, dict] = {}
    for number, value in enumerate(raw, 1):
        where = say("{file}, claim {n}", file=paths.display(path), n=number)
        row = tables.Table(value, where, _KEYS, mend)
        name = row.text("id", r"c\d\d", say("c and two digits"))
        row.text("chapter", r"\d\d", say("a chapter's two digits"))
        row.choice("expected", VERDICTS)
        for key in ("where", "says", "check"):
            row.text(key)
        if name in found:
            row.refuse(say("the id {name} stands twice", name=name))
        found[name] = value
    return found


def record(claim: str, verdict: str, evidence: str, *, recorded: str | None = None) -> None:
    """Record the verdict on a claim with the measured numbers as evidence, and show both.

    ``recorded`` is the day (YYYY-MM-DD) on which the evidence was collected where this run could not collect it
    itself; it is shown with the verdict.

    The verdict comes from a computed condition in the cell that calls this, never from a literal. Raises CourseError
    for an unknown claim or verdict, and for evidence without a word in it.
    """
    from course_utils.runtime import emit

    if claim not in rows():
        raise CourseError(f"There is no claim {claim!r} in data/claims.toml." + _meant(claim))
    if verdict not in VERDICTS:
        raise CourseError(f"{verdict!r} is not a verdict." + near_misses(verdict, list(VERDICTS)))
    if not str(evidence).strip():
        raise CourseError(f"The verdict on {claim} needs evidence: the numbers that were measured.")
    row = rows()[claim]
    entry = {"kind": "claim", "id": claim, "verdict": verdict, "evidence": str(evidence), "chapter": row["chapter"]}
    if recorded:
        entry["recorded"] = recorded
    emit(entry, f"{claim} ({row['where']}): {verdict.upper()}. {evidence_of(entry)}")


def evidence_of(entry: dict) -> str:
    """The evidence of a claim's record as it is shown: with the day where it was recorded, not measured by this run."""
    note = f" [recorded on {entry['recorded']}]" if entry.get("recorded") else ""
    return f"{entry.get('evidence', '')}{note}"


def _meant(claim: str) -> str:
    """What an unknown id was meant to be: "c2", "C2" and "2" are c02 before they are anything else."""
    number = re.fullmatch(r"[cC]?0*([1-9][0-9]?)", str(claim).strip())
    padded = f"c{int(number[1]):02d}" if number else ""
    return f" Did you mean {padded}?" if padded in rows() else near_misses(claim, list(rows()))


def recorded(claim: str) -> dict:
    """The evidence kept in ``data/results`` for a claim that a quick run cannot test; it has a ``date``.

    Raises CourseError for an unknown claim, and for one of which nothing is kept.
    """
    from course_utils import results

    if claim not in rows():
        raise CourseError(f"There is no claim {claim!r} in data/claims.toml." + _meant(claim))
    return results.load(rows()[claim]["chapter"], claim, machine=False)


def table(results: list[dict] | None = None) -> "pd.DataFrame":
    """The claims as a frame: id, where, chapter, expected, verdict and evidence (empty until a run has reached them).

    ``results`` are the claim records of a run (``build/results.json``).
    """
    import pandas as pd

    reached = {entry["id"]: entry for entry in results or []}
    return pd.DataFrame(
        [
            {
                "id": row["id"],
                "where": row["where"],
                "chapter": row["chapter"],
                "says": row["says"],
                "expected": row["expected"],
                "verdict": reached.get(row["id"], {}).get("verdict", ""),
                "evidence": evidence_of(reached.get(row["id"], {})),
            }
            for row in rows().values()
        ]
    )
