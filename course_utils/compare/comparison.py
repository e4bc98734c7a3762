"""What a comparison found: what became of each candidate, the data's findings, the recommendation."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils import bundles
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

SCHEMA = 1


@dataclass(frozen=True)
class Outcome:
    """What became of a candidate: "done" with its ``result``, or "skipped" or "failed" with the reason."""

    candidate: Candidate
    state: str
    result: dict[str, Any] | None = None
    reason: str = ""
    kept: bool = False  # from an earlier run
    macro_f1: Estimate | None = None
    accuracy: Estimate | None = None
    validation: Estimate | None = None
    recalls: list[float | None] = field(default_factory=list)


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """What `run` found: ``outcomes`` in the order of size, ``findings`` about the data, the ``recommendation``.

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

    @property
    def report(self) -> Path:
        """The report, one HTML file that needs nothing else."""
        return self.folder / "report.html"

    def table(self) -> "pd.DataFrame":
        """One row a candidate that finished: quality on the test with its 95 % interval, and what it costs."""
        import pandas as pd

        rows = {}
        for one in self.outcomes:
            if one.state == "done":
                result = one.result
                rows[one.candidate.name] = {
                    "macro F1": one.macro_f1.value,
                    "F1 low": one.macro_f1.low,
                    "F1 high": one.macro_f1.high,
                    "accuracy": one.accuracy.value,
                    "accuracy low": one.accuracy.low,
                    "accuracy high": one.accuracy.high,
                    "validation F1": one.validation.value,
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
