"""The fact-check: what the two articles claim, and the verdicts that the chapters reach by running it."""

import functools
import re
from typing import TYPE_CHECKING

from course_utils.errors import CourseError, near_misses

if TYPE_CHECKING:
    import pandas as pd

VERDICTS = ("holds", "holds with a condition", "misprinted", "wrong", "unverifiable")


@functools.cache
def rows() -> dict[str, dict]:
    """The claims of ``data/claims.toml`` by id: where, says, check, expected, note, chapter."""
    import tomllib

    from course_utils.paths import packaged

    table = tomllib.loads(packaged("claims.toml").read_text("utf-8"))
    return {row["id"]: row for row in table["claim"]}


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
    """The evidence kept in ``data/recorded.toml`` for a claim that a quick run cannot test; it has a ``date``."""
    import tomllib

    from course_utils.paths import packaged

    return tomllib.loads(packaged("recorded.toml").read_text("utf-8"))[claim]


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
