"""A comparison from beginning to end: read, look, train each candidate in its own process, judge, choose, report.

What a candidate brought is kept in the folder as it finishes, under a fingerprint of all that it depends on; a run that
was interrupted goes on from there.
"""

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils import paths, runtime, surroundings
from course_utils.compare import candidates, choose, findings, models, parts, scores
from course_utils.compare.candidates import Candidate
from course_utils.compare.choose import Recommendation
from course_utils.data.messages import Finding
from course_utils.errors import CourseError, near_misses
from course_utils.evaluate import Estimate
from course_utils.runtime import PROFILES, cores

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from course_utils.data.text import TextData

SCHEMA = 1
MARKER = "comparison.json"
OURS = (MARKER, "candidates", "model", "report.html", "report.json", "possible_wrong_labels.csv")
LIMIT_SECONDS = {"quick": 1_800, "full": 6 * 3600}  # for each candidate, training and judging each


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
    suspects: tuple[findings.Suspect, ...]
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

    def load_chosen(self) -> models.Model:
        """The recommended model, read from its folder as a service would: ``load_chosen().predict_proba(texts)``."""
        if not (self.folder / "model").is_dir():
            raise CourseError("No model was recommended, so none was saved; the recommendation says why.")
        return models.load_model(self.folder / "model")

    def __repr__(self) -> str:
        return f"Comparison({self.name!r}: {self.recommendation or 'no candidate finished'})"


def run(
    data: "TextData | str | Path",
    text: str | None = None,
    label: str | None = None,
    *,
    out: Path | str | None = None,
    profile: str = "quick",
    candidates: Sequence[str] | str | None = None,
    margin: float = 0.02,
    seed: int = 0,
    fresh: bool = False,
    progress: bool = True,
) -> Comparison:
    """Compare models on labelled messages: a CSV file with the columns ``text`` and ``label``, or a text set.

    ``out`` (default: ``compare-NAME`` in the current folder) receives report.html, report.json, the recommended model
    in ``model/`` and what each candidate brought; run again, it goes on from there, unless ``fresh``. ``candidates``
    are names out of majority, tfidf, small, frozen and finetuned (default: all); ``margin`` is how much macro-F1 the
    smallest model may lack. Each candidate is trained and judged in a process of its own, at most half an hour each
    (6 hours in the full profile). Raises CourseError for data, names or a folder that cannot be meant.
    """
    from course_utils.compare import report

    begun = time.monotonic()
    chosen = _checked(profile, candidates, margin, seed)
    with _Display(len(chosen), progress) as display:
        display.stage("reading the data")
        compared = _parts(data, text, label, seed)
        folder = _folder(out, compared, fresh)
        display.stage("looking for what is wrong with the data")
        found = findings.look(compared)
        suspects, looked_at = findings.suspects(compared, seed)
        found += findings.noise(suspects, looked_at)
        with _writing(folder):
            report.write_suspects(suspects, folder / "possible_wrong_labels.csv")
        session = _Session(compared, folder, profile, seed, display, named=candidates is not None)
        outcomes = []
        for candidate in chosen:
            display.stage(candidate.title)
            outcomes.append(session.outcome(candidate))
            display.finished(outcomes[-1])
        display.stage("writing the report")
        outcomes, recommendation = _judged(outcomes, compared, margin, seed)
        with _writing(folder):
            _keep_chosen(folder, recommendation)
        comparison = Comparison(
            compared.name,
            folder,
            tuple(outcomes),
            tuple(found),
            tuple(suspects),
            recommendation,
            compared.class_names,
            {name: len(getattr(compared, name)) for name in parts.NAMES},
            time.monotonic() - begun,
            {
                "profile": profile,
                "margin": margin,
                "seed": seed,
                "split": compared.rule,
                "language": compared.language,
                "limit_seconds": LIMIT_SECONDS[profile],
            },
        )
        with _writing(folder):
            report.write(comparison, compared)
    return comparison


# ------------------------------------------------------------------------------------------------ before the first


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """CourseError where something cannot be written to the folder, because the disk is full, say."""
    try:
        yield
    except OSError as error:
        raise CourseError(
            f"{paths.display(folder)} cannot be written ({error.strerror or error}). What had finished before is kept: "
            "make room, and run the same again."
        ) from error


def _checked(profile: str, names: Sequence[str] | str | None, margin: float, seed: int) -> list[Candidate]:
    if profile not in PROFILES:
        raise CourseError(
            f"profile must be quick or full; it is {profile!r}.{near_misses(str(profile), list(PROFILES))}"
        )
    if isinstance(margin, bool) or not isinstance(margin, int | float) or not 0 <= margin < 1:
        raise CourseError(f"margin must be a share from 0 to below 1, such as 0.02 for two points; it is {margin!r}.")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise CourseError(f"seed must be a whole number from 0 to 4294967295; it is {seed!r}.")
    return candidates.chosen(names)


def _parts(data: Any, text: str | None, label: str | None, seed: int) -> parts.Parts:
    from course_utils.data.text import TextData

    if isinstance(data, TextData):
        return parts.of_text_data(data)
    if not isinstance(data, str | os.PathLike):
        raise CourseError(f"compare.run wants the path of a CSV file or a text set; it got {type(data).__name__}.")
    if not text or not label:
        raise CourseError('Name the columns of the message and of its class: text="…", label="…".')
    from course_utils.data import load_csv

    return parts.of_csv(load_csv(data, text=text, label=label), seed)


def _folder(out: Path | str | None, compared: parts.Parts, fresh: bool) -> Path:
    """The folder for the results, made and marked; CourseError where it holds anything else."""
    folder = Path(out).expanduser() if out is not None else Path(f"compare-{Path(compared.name).stem}")
    shown, data = paths.display(folder), compared.fingerprint
    try:
        if folder.exists() and not folder.is_dir():
            raise CourseError(f"{shown} is a file; --out names a folder.")
        marker = folder / MARKER
        if marker.is_file():
            try:
                known = json.loads(marker.read_text("utf-8"))
                before, rows = known["data"], known["name"]
            except (ValueError, KeyError, TypeError):
                before, rows = None, "something that cannot be read"
            if fresh:
                for name in OURS:
                    path = folder / name
                    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
            elif before != data:
                raise CourseError(
                    f"{shown} holds the comparison of other data ({rows}, or another state or split of it). Name "
                    "another folder with --out, or start it anew with --fresh."
                )
        elif folder.is_dir() and any(folder.iterdir()):
            raise CourseError(f"{shown} holds files that are not of a comparison; name a new folder with --out.")
        (folder / "candidates").mkdir(parents=True, exist_ok=True)
        sizes = {name: len(getattr(compared, name)) for name in parts.NAMES}
        content = {"schema": SCHEMA, "name": compared.name, "data": data, "sizes": sizes}
        paths.write_atomic(marker, json.dumps(content, indent=1) + "\n")
    except OSError as error:
        raise CourseError(
            f"{shown} cannot be written ({error.strerror or error}); name another folder with --out."
        ) from error
    return folder


# -------------------------------------------------------------------------------------------------- one candidate


class _Session:
    """Trains and judges candidates, or finds what an earlier run kept."""

    def __init__(
        self, compared: parts.Parts, folder: Path, profile: str, seed: int, display: "_Display", *, named: bool
    ) -> None:
        self.compared, self.folder, self.profile, self.seed = compared, folder, profile, seed
        self.display, self.named = display, named

    def outcome(self, candidate: Candidate) -> Outcome:
        """What became of the candidate; what is skipped or fails is tried again by the next run."""
        settings = candidate.settings[self.profile]
        key = parts.fingerprint(
            {
                "schema": [SCHEMA, models.SCHEMA],
                "data": self.compared.fingerprint,
                "candidate": candidate.name,
                "settings": settings,
                "seed": self.seed,
                "versions": models.versions(),
                "backend": backend() if candidate.framework else None,
                "encoder": models.known_encoder(candidates.ENCODER) if candidate.encoder else None,
            }
        )
        kept = self._kept(candidate, key)
        if kept is not None:
            return Outcome(candidate, "done", kept, kept=True)
        reason = self._obstacle(candidate)
        if reason:
            return Outcome(candidate, "skipped", reason=reason)
        try:
            result = self._measure(candidate, settings)
        except _Failed as failed:
            return Outcome(candidate, "failed", reason=str(failed))
        record = {"schema": SCHEMA, "candidate": candidate.name, "fingerprint": key, "settings": settings, **result}
        with _writing(self.folder):
            paths.write_atomic(self._record(candidate), json.dumps(record, indent=1) + "\n")
        return Outcome(candidate, "done", record)

    def _record(self, candidate: Candidate) -> Path:
        return self.folder / "candidates" / f"{candidate.name}.json"

    def _model(self, candidate: Candidate) -> Path:
        return self.folder / "candidates" / candidate.name

    def _kept(self, candidate: Candidate, key: str) -> dict[str, Any] | None:
        try:
            record = json.loads(self._record(candidate).read_text("utf-8"))
            right = record["fingerprint"] == key
            models.read_card(self._model(candidate))
        except (OSError, ValueError, KeyError, TypeError, CourseError):
            return None
        return record if right else None

    def _obstacle(self, candidate: Candidate) -> str | None:
        """Why the candidate cannot or should not be run here."""
        if candidate.encoder:
            problem = findings.language_problem(self.compared)
            if problem and not self.named:
                return f"{problem}. To try it all the same, name it: --only {candidate.name}"
            from course_utils.data import fetch

            self.display.detail("fetching the encoder")
            try:
                fetch.fetch(candidates.ENCODER, self.display.shown)
            except CourseError as error:
                return f"The encoder cannot be had. {error}"
        free = runtime.free_memory()
        if free < candidate.memory:
            return (
                f"It needs about {candidate.memory / 2**30:.1f} GiB of free memory, and {free / 2**30:.1f} GiB are "
                "free. Close other programs, or use a machine with more"
            )
        return None

    def _measure(self, candidate: Candidate, settings: dict[str, Any]) -> dict[str, Any]:
        rows = candidates.sample(self.compared.train.labels, settings.get("most"), self.seed)
        common = {
            "candidate": candidate.name,
            "folder": str(self._model(candidate).resolve()),
            "seed": self.seed,
        }
        trained = self._work(
            {
                **common,
                "phase": "train",
                "texts": [self.compared.train.texts[i] for i in rows],
                "labels": self.compared.train.labels[rows].tolist(),
                "class_names": self.compared.class_names,
                "language": self.compared.language,
                "settings": settings,
            }
        )
        asked = {"validation": self.compared.validation.texts, "test": self.compared.test.texts}
        judged = self._work({**common, "phase": "judge", "parts": asked})
        trained["train_memory_mib"] = trained.pop("memory_mib")
        judged.pop("memory_mib")
        return {**trained, **judged}

    def _work(self, job: dict[str, Any]) -> dict[str, Any]:
        """Run one job in a process of its own, which does not outlive this call."""
        package = Path(__file__).resolve().parents[2]
        inherited = surroundings.environment()
        before = inherited.get("PYTHONPATH")
        environment = {
            **runtime.TENSORFLOW_ENVIRONMENT,
            **inherited,
            "PYTHONPATH": os.pathsep.join([str(package), *([before] if before else [])]),
            "KERAS_BACKEND": backend(),
            "PYTHONIOENCODING": "utf-8",
        }
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(
                surroundings.python("-m", "course_utils.compare.worker"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
            )
            try:
                return self._listen(process, job, errors)
            finally:
                if process.poll() is None:
                    process.kill()
                process.wait()
                for stream in (process.stdin, process.stdout):
                    with contextlib.suppress(OSError):
                        stream.close()

    def _listen(self, process: subprocess.Popen, job: dict[str, Any], errors: Any) -> dict[str, Any]:
        lines: queue.Queue[bytes | None] = queue.Queue()

        def read() -> None:
            for line in process.stdout:
                lines.put(line)
            lines.put(None)

        threading.Thread(target=read, daemon=True).start()
        limit = LIMIT_SECONDS[self.profile]
        deadline = time.monotonic() + limit
        with contextlib.suppress(BrokenPipeError):  # it died at once; its silence is reported below
            process.stdin.write(json.dumps(job).encode("utf-8") + b"\n")
            process.stdin.flush()
        while True:
            try:
                line = lines.get(timeout=0.2)
            except queue.Empty:
                if time.monotonic() > deadline:
                    doing = {"train": "training", "judge": "judging"}[job["phase"]]
                    raise _Failed(f"It was ended after {limit:,} seconds, the most that {doing} may take.") from None
                continue
            if line is None:
                process.wait(timeout=10)
                raise _Failed(_how_it_ended(process.returncode, errors))
            event = json.loads(line)
            kind = event.pop("event")
            if kind == "progress":
                self.display.detail(event["stage"], event["share"])
            elif kind == "failed":
                raise _Failed(event["reason"])
            elif kind == "done":
                return event


class _Failed(Exception):
    """A candidate that did not finish, and why."""


def _how_it_ended(status: int, errors: Any) -> str:
    if status == -9:
        return "Its process was killed by the system, most likely because the memory was not enough."
    errors.seek(0)
    last = [line for line in errors.read().decode("utf-8", "replace").splitlines() if line.strip()][-1:]
    said = f": {last[0].strip()[:300]}" if last else ""
    return f"Its process ended with the status {status}{said}"


def backend() -> str:
    """The Keras backend that the candidates use: this process's, as far as it has one."""
    if "keras" in sys.modules:
        import keras

        return keras.config.backend()
    return os.environ.get("KERAS_BACKEND") or "tensorflow"


# --------------------------------------------------------------------------------------------------- after the last


def _judged(
    outcomes: list[Outcome], compared: parts.Parts, margin: float, seed: int
) -> tuple[list[Outcome], Recommendation | None]:
    import dataclasses

    classes = len(compared.class_names)
    tested = scores.Draws.of(compared.test.labels, classes, seed=seed + 1)
    held = scores.Draws.of(compared.validation.labels, classes, seed=seed)
    judged, results = [], {}
    for one in outcomes:
        if one.state == "done":
            results[one.candidate.name] = one.result
            said = np.array(one.result["answers"]["test"]["predictions"])
            macro_f1, accuracy = tested.estimates(said)
            one = dataclasses.replace(
                one,
                macro_f1=macro_f1,
                accuracy=accuracy,
                validation=held.estimates(np.array(one.result["answers"]["validation"]["predictions"]))[0],
                recalls=scores.recalls(compared.test.labels, said, classes),
            )
        judged.append(one)
    recommendation = choose.recommend(
        results, compared.validation.labels, compared.test.labels, classes, margin=margin, seed=seed
    )
    return judged, recommendation


def _keep_chosen(folder: Path, recommendation: Recommendation | None) -> None:
    """Put the recommended model into ``model/``; where none is recommended, none stands there."""
    target = folder / "model"
    if recommendation is None or recommendation.chosen == "majority":
        shutil.rmtree(target, ignore_errors=True)
        return
    beside = Path(tempfile.mkdtemp(dir=folder, prefix=".model."))
    try:
        new = beside / "model"
        shutil.copytree(folder / "candidates" / recommendation.chosen, new)
        models.replace_folder(new, target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def summary(comparison: Comparison) -> list[str]:
    """What the command says before its table: what is wrong with the data, and the recommendation."""
    lines = [f"{one.kind[0].upper()}{one.kind[1:]}: {one}" for one in comparison.findings]
    if lines:
        lines = ["The data first:", *(f"  {line}" for line in lines), ""]
    lines.append(str(comparison.recommendation or "No candidate finished, so there is nothing to recommend."))
    return lines


def rows(comparison: Comparison) -> list[dict[str, str]]:
    """The command's table: one row a candidate, in words."""

    def estimate(one: Estimate) -> str:
        return f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})"

    found = []
    advice = comparison.recommendation
    for one in comparison.outcomes:
        row = {"candidate": one.candidate.name + (" *" if advice and advice.chosen == one.candidate.name else "")}
        if one.state == "done":
            result = one.result
            row |= {
                "macro-F1": estimate(one.macro_f1),
                "accuracy": estimate(one.accuracy),
                "size": choose.megabytes(result["bytes_needed"]),
                "p50": choose.milliseconds(result["p50_ms"]),
                "p99": choose.milliseconds(result["p99_ms"]),
                "training": f"{result['train_seconds']:.1f} s",
                "note": "kept from before" if one.kept else "",
            }
        else:
            row |= dict.fromkeys(("macro-F1", "accuracy", "size", "p50", "p99", "training"), "–")
            row["note"] = f"{one.state}: {one.reason}"
        found.append(row)
    return found


class _Display:
    """A progress bar on a terminal, one line that is rewritten in a notebook; silent elsewhere, in a log, say."""

    def __init__(self, count: int, wanted: bool, console: "Console | None" = None) -> None:
        from rich.console import Console

        from course_utils.runtime import in_notebook

        self.console = console or Console(stderr=True, highlight=False)
        self.notebook = wanted and in_notebook()
        self.shown = wanted and not self.notebook and self.console.is_terminal
        self.count, self.done, self.bar, self.task, self.handle = count, 0, None, None, None
        self.now, self.words, self.begun = "", "", time.monotonic()

    def __enter__(self) -> "_Display":
        if self.shown:
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
            self.bar = Progress(*columns, console=self.console, transient=True)
            self.bar.start()
            self.whole = self.bar.add_task("comparing", total=self.count)
            self.task = self.bar.add_task("", total=None)
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        if self.bar:
            self.bar.stop()
        if kind is None:
            self._line(f"{self.count} candidates compared in {time.monotonic() - self.begun:,.0f} s")

    def stage(self, words: str) -> None:
        """What is done now."""
        self.now = words
        self.detail("")

    def detail(self, words: str, share: float | None = None) -> None:
        """Which part of it, and how much of that is done (None: not known)."""
        text = f"{self.now}: {words}" if words else self.now
        if self.bar:
            from rich.markup import escape

            total, done = (1.0, share) if share is not None else (None, 0)
            self.bar.update(self.task, description=escape(text), total=total, completed=done)
        elif text != self.words:  # a new stage: a notebook's line need not change more often
            self._line(f"{self.done} of {self.count} candidates · {text}")
        self.words = text

    def _line(self, text: str) -> None:
        if self.notebook:
            from course_utils.training import update_line

            self.handle = update_line(self.handle, text)

    def finished(self, one: Outcome) -> None:
        """A candidate is done: its line above the bar."""
        self.done += 1
        if not self.bar:
            return
        from rich.text import Text

        said = {"done": "as before" if one.kept else "done"}.get(one.state, f"{one.state}: {one.reason}")
        self.bar.console.print(Text(f"{one.candidate.title}: {said}"))
        self.bar.advance(self.whole)


def machine() -> str:
    """What the figures were measured on, without names."""
    import platform

    found = models.versions()
    return (
        f"{platform.system()} on {platform.machine()}, {cores()} cores, Python {platform.python_version()}, "
        + ", ".join(f"{name} {version}" for name, version in found.items())
    )
