"""What became of each chapter, whether it kept its budget, and ``results.json``, which keeps it for programs."""

import dataclasses
import datetime
import errno
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils import paths
from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.runtime import MIME, machine

if TYPE_CHECKING:
    from course_utils.chapters import Chapter

FORMAT = 2  # of results.json; 1 had neither kind nor cpu_seconds
MARKS = {"passed": "✓", "failed": "✗", "not run": "–", "over budget": "!", "interrupted": "■"}
# Why a chapter did not pass, for programs and, in these words, for readers.
KINDS = {
    "": "",
    "cell error": "a cell's error",
    "kernel died": "the kernel died",
    "worker died": "its process died",
    "memory": "memory",
    "time": "time",
    "network": "network",
    "data": "data",
    "not a notebook": "not a notebook",
    "disk": "disk full",
    "folder": "folder for results",
    "start": "it could not be started",
}
# Times the declared memory that a chapter may take on another backend: 09 took 1.6 times as much on JAX, which keeps a
# program for every shape of every training.
OTHER_BACKENDS = 1.75
_MEMORY_ERRORS = {"MemoryError", "_ArrayMemoryError", "ResourceExhaustedError", "OutOfMemoryError"}
_NETWORK_ERRORS = {
    "NetworkError",
    "ConnectionError",
    "ConnectionRefusedError",
    "ConnectionResetError",
    "ConnectTimeout",
    "ReadTimeout",
    "ProxyError",
    "SSLError",
    "URLError",
    "HTTPError",
    "gaierror",
    "MaxRetryError",
    "NewConnectionError",
}


@dataclass(frozen=True)
class Outcome:
    """What became of one chapter.

    ``verdict`` is "passed", "failed", "not run", "over budget" or "interrupted", and ``kind`` (of `KINDS`) says why a
    chapter failed, was not run or went over its budget. ``seconds`` go from the kernel's start to the end of the last
    cell; ``cpu_seconds`` are the processor seconds of the kernel and of all it started; ``peak_mib`` is the most memory
    (MiB) that they had at once. ``headline`` holds the chapter's main results as text, ``claims`` its verdicts on the
    articles' claims. ``error`` has ``cell_index`` (from 0, in the executed notebook), ``cell_id``, ``first_line``,
    ``ename`` and ``evalue``. ``reason`` explains a verdict in a sentence, and for a passed chapter says if it used more
    than declared. ``notebook`` is the executed notebook, None where no cell was reached and where it could not be kept.
    """

    chapter: str
    title: str
    verdict: str
    seconds: float = 0.0
    peak_mib: float = 0.0
    headline: list[str] = field(default_factory=list)
    claims: list[dict[str, Any]] = field(default_factory=list)
    error: dict[str, Any] | None = None
    notebook: Path | None = None
    reason: str = ""
    profile: str = "quick"
    edition: str = "learner"
    kind: str = ""
    cpu_seconds: float = 0.0


def exit_status(outcomes: Iterable[Outcome]) -> int:
    """The status of ``course run``: 0 all passed, 1 something failed, 3 something not run, 130 interrupted."""
    verdicts = {outcome.verdict for outcome in outcomes}
    if "interrupted" in verdicts:
        return 130
    if verdicts & {"failed", "over budget"}:
        return 1
    return 3 if "not run" in verdicts else 0


def kind_of_error(ename: str, evalue: str = "") -> str:
    """The kind (of `KINDS`) that an error in a cell is, from its name and text."""
    if ename in _MEMORY_ERRORS or "RESOURCE_EXHAUSTED" in evalue:
        return "memory"
    if ename == "OSError" and os.strerror(errno.ENOSPC) in evalue:
        return "disk"
    return "network" if ename in _NETWORK_ERRORS else "cell error"


def within_budget(outcome: Outcome, chapter: "Chapter", *, strict_time: bool = False) -> Outcome:
    """A passed quick run held against its chapter's budget; other outcomes come back as they are.

    More memory than declared, or with ``strict_time`` more processor seconds, makes it "over budget". ``reason`` says
    in any case what was used beyond what was declared.
    """
    if outcome.verdict != "passed" or outcome.profile != "quick":
        return outcome
    over, said = [], []
    # Budgets are declared for TensorFlow. Other backends compile and keep a program for every shape they meet.
    tensorflow = (os.environ.get("KERAS_BACKEND") or "tensorflow") == "tensorflow"
    if outcome.peak_mib > chapter.memory_mib:
        values = {"used": outcome.peak_mib, "declared": chapter.memory_mib}
        said.append(say("{used:,.0f} MiB, declared {declared:,} MiB", **values))
        if outcome.peak_mib > chapter.memory_mib * (1 if tensorflow else OTHER_BACKENDS):
            over.append("memory")
    if outcome.cpu_seconds > chapter.seconds:
        values = {"used": outcome.cpu_seconds, "declared": chapter.seconds}
        said.append(say("{used:,.0f} processor seconds, declared {declared:,}", **values))
        if strict_time:
            over.append("time")
    found = {"verdict": "over budget", "kind": over[0]} if over else {}
    return dataclasses.replace(outcome, reason="; ".join(filter(None, [outcome.reason, *said])), **found)


def results_of(notebook: Path) -> tuple[list[str], list[dict[str, Any]]]:
    """The headline results (as text) and the claims' verdicts that an executed notebook's outputs carry."""
    import nbformat

    headline: list[str] = []
    claims: list[dict[str, Any]] = []
    if not notebook.is_file():
        return headline, claims
    for cell in nbformat.read(notebook, as_version=4).cells:
        for output in cell.get("outputs", []):
            record = output.get("data", {}).get(MIME)
            if not isinstance(record, dict):
                continue
            if record.get("kind") == "headline":
                headline.append(str(record.get("text") or f"{record.get('name')} {record.get('value')}"))
            elif record.get("kind") == "claim":
                kept = ("id", "verdict", "evidence", "chapter", "recorded")
                claims.append({key: record[key] for key in kept if key in record})
    return headline, claims


def write_results(path: Path, outcomes: Iterable[Outcome], request: Mapping[str, Any]) -> None:
    """Write what a run found as JSON: ``format`` (`FORMAT`), ``date`` (ISO, UTC), `machine`, ``request``, ``outcomes``.

    An outcome has the fields of `Outcome`; its notebook is relative to the file's folder. Raises OSError.
    """
    records = []
    for outcome in outcomes:
        record = dataclasses.asdict(outcome)
        record["notebook"] = outcome.notebook and f"runs/{outcome.notebook.name}"
        records.append(record)
    content = {
        "format": FORMAT,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "request": dict(request),
        "outcomes": records,
    }
    paths.write_atomic(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


@dataclass(frozen=True)
class Results:
    """A ``results.json``: what was asked (``request``), where and when it ran, and the ``outcomes``."""

    outcomes: list[Outcome]
    request: dict[str, Any]
    machine: dict[str, Any]
    date: str


def read_results(path: Path | str) -> Results:
    """Read the results of a run; raises CourseError for a file that is none, or of another format."""
    path = Path(path)
    shown = paths.display(path)
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["format"] != FORMAT:
            raise CourseError(
                say("{path} is of another version of the course. Make the results again: course run", path=shown)
            )
        outcomes = [
            Outcome(**{**record, "notebook": record["notebook"] and path.parent / record["notebook"]})
            for record in content["outcomes"]
        ]
        return Results(outcomes, content["request"], content["machine"], content["date"])
    except OSError as error:
        raise CourseError(say("{path} cannot be read: {reason}.", path=shown, reason=error.strerror or error)) from None
    except (ValueError, KeyError, TypeError):
        raise CourseError(say("{path} is not the results of a run. Make them again: course run", path=shown)) from None
