"""What a comparison found: what became of each candidate, the data's findings, the recommendation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils import bundles
from course_utils.compare.account import CURRENCY, Account, Currency
from course_utils.compare.api import Route
from course_utils.compare.candidates import Candidate
from course_utils.compare.findings import Suspect
from course_utils.compare.recommendation import Recommendation
from course_utils.data.finding import Finding
from course_utils.errors import CourseError
from course_utils.evaluate import Estimate
from course_utils.language import say

if TYPE_CHECKING:
    import pandas as pd

    from course_utils.bundles import Model

SCHEMA = 3  # 1 had no accounts, and a single split; 2 did not say what is cut


@dataclass(frozen=True)
class Outcome:
    """What became of a candidate: "done" with its ``result``, or "skipped" or "failed" with the reason.

    ``macro_f1``, ``accuracy`` and ``recalls`` are those of the test; ``validation`` is macro-F1 there; ``account`` what
    the candidate costs a team.
    """

    candidate: Candidate
    state: str
    result: dict[str, Any] | None = None
    reason: str = ""
    kept: bool = False  # from an earlier run
    macro_f1: Estimate | None = None
    accuracy: Estimate | None = None
    validation: Estimate | None = None
    recalls: list[float | None] = field(default_factory=list)
    account: Account | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """What `run` found: ``outcomes`` in the order of size, ``findings`` about the data, the ``recommendation``.

    ``currency`` is what a message costs, ``must_find`` the share of each class's messages that has to be found, ``api``
    the route of sending every message to a provider.

    ``report`` is the HTML page, ``folder`` where everything is; ``suspects`` are the messages that are worth a second
    look at their label.
    """

    name: str
    folder: Path
    outcomes: tuple[Outcome, ...]
    findings: tuple[Finding, ...]
    suspects: tuple[Suspect, ...]
    recommendation: Recommendation | None
    class_names: tuple[str, ...]
    sizes: dict[str, int]
    seconds: float
    settings: dict[str, Any]
    currency: Currency = CURRENCY
    must_find: Mapping[str, float] = field(default_factory=dict)
    api: Route | None = None
    outside: int = 0  # messages outside the test

    @property
    def report(self) -> Path:
        """The report, one HTML file that needs nothing else."""
        return self.folder / "report.html"

    def table(self) -> "pd.DataFrame":
        """One row a candidate that finished: quality on validation and on the test, hours a month, what running costs.

        Intervals are at 95 %; ``threshold`` 2 means that people read everything.
        """
        import pandas as pd

        rows = {}
        for one in self.outcomes:
            if one.state == "done":
                result = one.result
                account = one.account
                rows[one.candidate.name] = {
                    "hours": account.hours.value,
                    "hours low": account.hours.low,
                    "hours high": account.hours.high,
                    "validation hours": account.validation_hours,
                    "alone": account.alone,
                    "threshold": account.threshold,
                    **{
                        f"{self.class_names[number]} found": found.share.value if found.share else None
                        for number, found in account.found.items()
                    },
                    "validation F1": one.validation.value,
                    "macro F1": one.macro_f1.value,
                    "F1 low": one.macro_f1.low,
                    "F1 high": one.macro_f1.high,
                    "accuracy": one.accuracy.value,
                    "accuracy low": one.accuracy.low,
                    "accuracy high": one.accuracy.high,
                    "MB": result["bytes_needed"] / 1e6,
                    "p50 ms": result["p50_ms"],
                    "p99 ms": result["p99_ms"],
                    "train s": result["train_seconds"],
                    "train MiB": result["train_memory_mib"],
                    "answer MiB": result["answer_memory_mib"],
                }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("candidate")

    def recalls(self) -> "pd.DataFrame":
        """The share of each class that each candidate found in the test."""
        import pandas as pd

        done = {one.candidate.name: one.recalls for one in self.outcomes if one.state == "done"}
        return pd.DataFrame.from_dict(done, orient="index", columns=list(self.class_names)).rename_axis("candidate")

    def load_chosen(self) -> "Model":
        """The recommended model, read from its folder as a service would: ``load_chosen().predict_proba(texts)``."""
        if not (self.folder / "model").is_dir():
            raise CourseError(say("No model was recommended, so none was saved; the recommendation says why."))
        return bundles.load_model(self.folder / "model")

    def __repr__(self) -> str:
        return f"Comparison({self.name!r}: {self.recommendation or 'no candidate finished'})"
