"""Chapters executed headless: ``run`` gives one Outcome a chapter, and nothing it started outlives it.

Each chapter runs in a worker process of its own (``worker``), which drives papermill and reports every cell. This
module checks the request before anything starts, fetches what the chapters need, watches time and memory, and ends
process trees that hang, are interrupted, or leave something behind.
"""

import ast
import contextlib
import dataclasses
import datetime
import importlib.metadata
import json
import os
import platform
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils import paths
from course_utils.errors import CourseError, near_misses
from course_utils.running.worker import error_at, mark
from course_utils.runtime import MIME, PROFILES, cores, high_water_mib

if TYPE_CHECKING:
    import psutil
    from rich.console import Console
    from rich.table import Table

    from course_utils.chapters import Chapter

EDITIONS = ("learner", "solutions")
TIMEOUT = {"quick": 15 * 60, "full": 6 * 3600}  # seconds a chapter may take before it counts as hanging
SAMPLE = 0.15  # seconds between two looks at the memory
OTHER_BACKENDS = 1.25  # times the declared memory that a chapter may take on another backend than TensorFlow
MARKS = {"passed": "✓", "failed": "✗", "not run": "–", "over budget": "!", "interrupted": "■"}
_COLOURS = {"passed": "green", "failed": "red", "not run": "yellow", "over budget": "red", "interrupted": "yellow"}
_PACKAGES = ("keras", "tensorflow", "jax", "keras-hub", "numpy", "pandas", "plotly", "scikit-learn", "papermill")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of one chapter.

    ``verdict`` is "passed", "failed", "not run", "over budget" or "interrupted". ``seconds`` go from the kernel's
    start to the end of the last cell; ``peak_mib`` is the most memory (MiB) that the kernel and its children had at
    once. ``headline`` holds the chapter's main results as text, ``claims`` its verdicts on the articles' claims.
    ``error`` has ``cell_index`` (from 0, in the executed notebook), ``cell_id``, ``first_line``, ``ename`` and
    ``evalue``. ``reason`` explains a verdict other than passed or failed, and for a passed chapter says if it took
    longer than declared. ``notebook`` is the executed notebook, None where no cell was reached.
    """

    chapter: str
    title: str
    verdict: str
    seconds: float = 0.0
    peak_mib: float = 0.0
    headline: list[str] = dataclasses.field(default_factory=list)
    claims: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    error: dict[str, Any] | None = None
    notebook: Path | None = None
    reason: str = ""
    profile: str = "quick"
    edition: str = "learner"


def exit_status(outcomes: Iterable[Outcome]) -> int:
    """The status of ``course run``: 0 all passed, 1 something failed, 3 something not run, 130 interrupted."""
    verdicts = {outcome.verdict for outcome in outcomes}
    if "interrupted" in verdicts:
        return 130
    if verdicts & {"failed", "over budget"}:
        return 1
    return 3 if "not run" in verdicts else 0


def run(
    chapters: Iterable["Chapter"],
    *,
    profile: str = "quick",
    parameters: Mapping[str, str] | None = None,
    jobs: int = 1,
    edition: str = "learner",
    out: Path | str | None = None,
    strict: bool = False,
    strict_time: bool = False,
    timeout: float | None = None,
    progress: bool = True,
    console: "Console | None" = None,
) -> list[Outcome]:
    """Execute ``chapters`` and return an Outcome for each, in their order; a failing chapter does not stop the others.

    ``parameters`` are values as written on a command line, for names in each notebook's parameters cell; ``jobs``
    chapters run at once; ``out`` (default: ``build`` in the checkout) receives ``runs/NN_name.ipynb`` and
    ``results.json``; ``strict`` makes an exercise that is wrong or not attempted raise; ``strict_time`` makes a chapter
    slower than declared count as over budget; ``timeout`` is in seconds and for each chapter. With ``progress`` the run
    is shown on ``console`` (default: standard error) and closed by the table of ``table``.

    On Ctrl-C everything that was started is ended and the unfinished chapters come back as "interrupted".
    Raises CourseError, before anything starts, for a request that cannot be meant.
    """
    chapters = list(chapters)
    values = check_request(chapters, profile=profile, parameters=parameters or {}, jobs=jobs, edition=edition)
    if timeout is not None and not timeout > 0:
        raise CourseError(f"timeout must be a number of seconds above zero; it is {timeout!r}.")
    out = Path(out) if out is not None else paths.require_checkout() / "build"
    prepare_folder(out)
    for chapter in chapters:
        executed(out, chapter).unlink(missing_ok=True)

    session = _Session(
        chapters=chapters,
        profile=profile,
        values=values,
        jobs=jobs,
        edition=edition,
        out=out,
        strict=strict,
        strict_time=strict_time,
        timeout=timeout or TIMEOUT[profile],
        display=_Display(console, len(chapters)) if progress else _Quiet(),
    )
    begun = time.monotonic()
    try:
        outcomes = session.execute()
    finally:
        session.display.close()
    write_results(
        out / "results.json",
        outcomes,
        request={
            "profile": profile,
            "edition": edition,
            "parameters": values,
            "jobs": jobs,
            "seconds": round(time.monotonic() - begun, 1),
        },
    )
    session.display.conclude(outcomes)
    return outcomes


# ---------------------------------------------------------------------------------------------- before the run


def check_request(
    chapters: list["Chapter"], *, profile: str, parameters: Mapping[str, str], jobs: int, edition: str
) -> dict[str, Any]:
    """Refuse what cannot be meant; returns the parameters as Python values."""
    if profile not in PROFILES:
        raise CourseError(f"There is no profile {profile!r}.{near_misses(str(profile), list(PROFILES))}")
    if edition not in EDITIONS:
        raise CourseError(f"There is no edition {edition!r}.{near_misses(str(edition), list(EDITIONS))}")
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1:
        raise CourseError(f"jobs must be a whole number of 1 or more (chapters that run at once); it is {jobs!r}.")
    if not chapters:
        raise CourseError("No chapter was chosen, and there is none in notebooks/source: nothing to run.")
    for chapter in chapters:
        path = notebook_of(chapter, edition)
        if not path.is_file():
            raise CourseError(
                f"{paths.display(path)} is missing: the {edition} edition of chapter {chapter.number} has not been "
                f"built. Run: course build {chapter.number}"
            )
    if not parameters:
        return {}
    known = {chapter.name: notebook_parameters(notebook_of(chapter, edition)) for chapter in chapters}
    return {name: _parameter(name, text, known) for name, text in parameters.items()}


def notebook_of(chapter: "Chapter", edition: str) -> Path:
    """The stored notebook of an edition."""
    return chapter.learner if edition == "learner" else chapter.solutions


def executed(out: Path, chapter: "Chapter") -> Path:
    """Where the executed notebook of a chapter goes."""
    return out / "runs" / f"{chapter.name}.ipynb"


def notebook_parameters(path: Path) -> dict[str, str]:
    """The names in a notebook's parameters cell, each with its default as it is written there."""
    import nbformat
    import papermill

    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises several kinds, from JSON errors to its own
        raise CourseError(f"{paths.display(path)} is not a notebook that can be read ({error}).") from error
    notebook.metadata.setdefault("papermill", {})
    for cell in notebook.cells:
        cell.metadata.setdefault("tags", [])
    found = papermill.inspect_notebook(notebook)
    return {name: str(entry["default"]) for name, entry in found.items()}


def _parameter(name: str, text: str, known: Mapping[str, Mapping[str, str]]) -> Any:
    if name == "profile":
        raise CourseError("The profile is not set as a parameter: use --profile quick or --profile full.")
    missing = [chapter for chapter, names in known.items() if name not in names]
    if len(missing) == len(known):
        everywhere = sorted({other for names in known.values() for other in names} - {"profile"})
        raise CourseError(f"No chosen chapter has a parameter {name!r}.{near_misses(name, everywhere)}")
    if missing:
        raise CourseError(
            f"Not every chosen chapter has a parameter {name!r}: it is missing in {', '.join(missing)}. "
            "Run the chapters that have it on their own."
        )
    defaults = {chapter: names[name] for chapter, names in known.items()}
    parsed = {chapter: parse_value(name, text, default) for chapter, default in defaults.items()}
    return next(iter(parsed.values()))


def parse_value(name: str, text: str, default: str) -> Any:
    """A parameter's value from a command line, of the type that its default in the notebook has."""
    try:
        model = ast.literal_eval(default)
    except (ValueError, SyntaxError):
        model = None  # an expression: its type is not known, so the value decides
    if isinstance(model, str):
        return text
    try:
        value = ast.literal_eval({"true": "True", "false": "False"}.get(text.strip().lower(), text.strip()))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        if model is None:
            return text
        value = text
    if model is None:
        return value
    if isinstance(model, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(model):
        kinds = {bool: "true or false", int: "a whole number", float: "a number"}
        wanted = kinds.get(type(model), f"a Python {type(model).__name__}")
        raise CourseError(f"The parameter {name!r} must be {wanted}, such as {default}; it is {text!r}.")
    return value


def prepare_folder(out: Path) -> None:
    """Create the folder for results; CourseError where that, or writing into it, is not possible."""
    try:
        (out / "runs").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out / "runs"):
            pass
    except OSError as error:
        raise CourseError(
            f"The folder for results, {paths.display(out)}, cannot be written ({error.strerror}). "
            "Choose another one with --out, or mend its permissions."
        ) from error


def fetch_needs(chapter: "Chapter", profile: str, progress: bool) -> str:
    """Fetch what a chapter needs for a profile; returns why it cannot run, or an empty string."""
    for name in chapter.needs.get(profile, ()):
        from course_utils.data.fetch import fetch

        try:
            fetch(name, progress=progress)
        except CourseError as error:
            return f"needs {name}: {error}"
    return ""


# ------------------------------------------------------------------------------------------------ during the run


class _Memory:
    """The most memory of a worker's kernel and its children, and every process that was ever seen among them."""

    def __init__(self, pid: int):
        import psutil

        self.worker = psutil.Process(pid)
        self.seen: set[psutil.Process] = set()
        self.peak = 0.0

    def sample(self) -> None:
        """Look once; cheap enough for several times a second."""
        import psutil

        try:
            processes = self.worker.children(recursive=True)
        except psutil.Error:
            return
        self.seen.update(processes)
        total = 0.0
        for process in processes:
            with contextlib.suppress(psutil.Error, OSError):
                total += _size(process, shared=len(processes) > 1)
        self.peak = max(self.peak, total / 2**20)
        if len(processes) == 1:
            self.peak = max(self.peak, high_water_mib(processes[0].pid))

    def end(self) -> None:
        """Kill the worker and everything that was seen below it; nothing is left when this returns."""
        import psutil

        self.sample()
        for _ in range(3):  # what is killed may just have started something
            alive = [process for process in (self.worker, *self.seen) if _running(process)]
            if not alive:
                return
            for process in alive:
                with contextlib.suppress(psutil.Error):
                    self.seen.update(process.children(recursive=True))
                    process.kill()
            psutil.wait_procs(alive, timeout=5)


def _running(process: "psutil.Process") -> bool:
    import psutil

    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _size(process: "psutil.Process", *, shared: bool) -> int:
    """Bytes in RAM; with several processes the pages they share are counted once, where the system tells them apart."""
    if shared:
        full = process.memory_full_info()
        return getattr(full, "pss", 0) or full.rss
    return process.memory_info().rss


class _Job:
    """One chapter being executed."""

    def __init__(self, session: "_Session", chapter: "Chapter"):
        self.chapter, self.session = chapter, session
        self.output = executed(session.out, chapter)
        self.scratch = tempfile.TemporaryDirectory(prefix="course-run-", ignore_cleanup_errors=True)
        scratch = Path(self.scratch.name)
        work = scratch / "work"
        work.mkdir()
        self.log = scratch / "worker.log"
        self.started = time.monotonic()
        self.cells = 0
        self.current = 0
        self.done = 0
        self.high_water = 0.0
        self.last: dict[str, Any] | None = None
        job = {
            "notebook": str(notebook_of(chapter, session.edition).resolve()),
            "output": str(self.output.resolve()),
            "folder": str(work),
            "runtime": str(scratch / "runtime"),
            "parameters": session.values,
        }
        options: dict[str, Any] = {"start_new_session": True}  # Ctrl-C reaches this process alone, which then tidies up
        if os.name == "nt":
            options = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "course_utils.running.worker", json.dumps(job)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=session.environment(scratch),
                text=True,
                encoding="utf-8",
                **options,
            )
        self.memory = _Memory(self.process.pid)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in self.process.stdout:
                with contextlib.suppress(json.JSONDecodeError):
                    self.session.events.put((self, json.loads(line)))
        self.session.events.put((self, None))

    def hear(self, event: dict[str, Any]) -> None:
        """Take one event of the worker."""
        kind = event.get("event")
        if kind == "start":
            self.cells = event["cells"]
        elif kind == "cell start":
            self.current = event["index"]
            if self.current == 0:  # the kernel stands now; how long that took is the machine's affair
                self.started = time.monotonic()
        elif kind == "cell":
            self.done = event["index"] + 1
            self.high_water = max(self.high_water, event["high_water_mib"])
        elif kind == "end":
            self.last = event

    def close(self) -> None:
        """End every process of this chapter and remove its scratch folder."""
        self.memory.end()
        for stream in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError, ValueError):
                stream.close()
        self.process.wait()
        self.scratch.cleanup()

    def finish(self, stopped: str = "") -> Outcome:
        """The outcome; ``stopped`` is "timeout" or "interrupted" for a chapter that did not end by itself."""
        log = _tail(self.log)
        self.close()
        seconds = time.monotonic() - self.started
        error, reason = None, ""
        if stopped == "interrupted":
            verdict, reason = "interrupted", f"stopped in cell {self.current + 1} of {self.cells or '?'}"
        elif stopped:
            verdict = "failed"
            error = self._mark("Timeout", f"the chapter was still running after {self.session.timeout:,.0f} s")
        elif self.last is None:
            verdict = "failed"
            error = self._mark("WorkerDied", f"the process that ran the chapter ended early. {log}".strip())
        else:
            seconds, error = self.last["seconds"], self.last["error"]
            verdict = "passed" if self.last["passed"] else "failed"
            if error and error["ename"] == "KernelDied" and log:
                error = {**error, "evalue": f"{error['evalue']}; it said: {log}"}
        peak = max(self.memory.peak, self.high_water)
        if verdict == "passed" and self.session.profile == "quick":
            verdict, reason = self.session.within_budget(self.chapter, seconds, peak)
        headline, claims = results_of(self.output)
        return Outcome(
            chapter=self.chapter.name,
            title=self.chapter.title,
            verdict=verdict,
            seconds=round(seconds, 1),
            peak_mib=round(peak),
            headline=headline,
            claims=claims,
            error=error,
            notebook=self.output if self.output.is_file() else None,
            reason=reason,
            profile=self.session.profile,
            edition=self.session.edition,
        )

    def _mark(self, ename: str, evalue: str) -> dict[str, Any]:
        """Write an error into the cell that was running, since the worker could not."""
        if not self.output.is_file():
            return error_at({}, 0, ename, evalue)
        import nbformat

        mark(self.output, self.current, ename, evalue)
        return error_at(nbformat.read(self.output, as_version=4).cells[self.current], self.current, ename, evalue)


def _tail(path: Path, lines: int = 3) -> str:
    """The last lines of a log that say something, as one line."""
    with contextlib.suppress(OSError):
        said = [line.strip() for line in path.read_text("utf-8", "replace").splitlines()]
        said = [line for line in said if line and not line.startswith("[IPKernelApp]")]  # the kernel's own chatter
        return " / ".join(said[-lines:])[-500:]
    return ""


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


@dataclasses.dataclass
class _Session:
    """One call of ``run``: a single thread decides, the workers' readers only hand their lines over."""

    chapters: list["Chapter"]
    profile: str
    values: dict[str, Any]
    jobs: int
    edition: str
    out: Path
    strict: bool
    strict_time: bool
    timeout: float
    display: "_Quiet"
    events: queue.Queue = dataclasses.field(default_factory=queue.Queue)

    def environment(self, scratch: Path) -> dict[str, str]:
        """What the worker and its kernel see: the request, and nothing of the user's own Jupyter and IPython."""
        environment = dict(os.environ)
        environment.pop("COURSE_STRICT", None)
        environment |= {
            "COURSE_PROFILE": self.profile,
            "COURSE_PROGRESS": str((self.out / "progress.json").resolve()),  # a run is no learner
            "PLOTLY_RENDERER": "plotly_mimetype",
            "IPYTHONDIR": str(scratch / "ipython"),
            "PYTHONIOENCODING": "utf-8",
        }
        if self.strict:
            environment["COURSE_STRICT"] = "1"
        root = Path(__file__).resolve().parent.parent.parent
        if (root / "pyproject.toml").is_file():  # a checkout may be used without having been installed
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), environment.get("PYTHONPATH")]))
        return environment

    def within_budget(self, chapter: "Chapter", seconds: float, peak: float) -> tuple[str, str]:
        """The verdict on a chapter that ran to its end, and what it used too much of."""
        said, verdict = [], "passed"
        # Budgets are declared for TensorFlow. Other backends compile and keep a program for every shape they meet.
        tensorflow = (os.environ.get("KERAS_BACKEND") or "tensorflow") == "tensorflow"
        if peak > chapter.memory_mib * (1 if tensorflow else OTHER_BACKENDS):
            verdict = "over budget"
        if peak > chapter.memory_mib:
            said.append(f"{peak:,.0f} MiB, declared {chapter.memory_mib:,} MiB")
        if seconds > chapter.seconds:
            verdict = "over budget" if self.strict_time else verdict
            said.append(f"{seconds:,.0f} s, declared {chapter.seconds} s")
        return verdict, "; ".join(said)

    def without_run(self, chapter: "Chapter", verdict: str, reason: str) -> Outcome:
        """The outcome of a chapter that was not begun."""
        return Outcome(chapter.name, chapter.title, verdict, reason=reason, profile=self.profile, edition=self.edition)

    def execute(self) -> list[Outcome]:
        """Fetch, then run, until everything has an outcome."""
        outcomes: dict[str, Outcome] = {}
        running: list[_Job] = []
        (self.out / "progress.json").unlink(missing_ok=True)
        try:
            with _terminated_as_interrupted():
                self._fetch(outcomes)
                waiting = [chapter for chapter in self.chapters if chapter.name not in outcomes]
                self.display.open()
                while waiting or running:
                    while waiting and len(running) < self.jobs:
                        running.append(job := _Job(self, waiting.pop(0)))
                        self.display.begin(job)
                    self._turn(running, outcomes)
        except KeyboardInterrupt:
            with _deaf():
                self.display.say("Interrupted: ending what is running …")
                for job in running:
                    self._settle(job, outcomes, "interrupted")
        except BaseException:
            with _deaf():
                for job in running:
                    job.close()
            raise
        for chapter in self.chapters:
            if chapter.name not in outcomes:
                outcomes[chapter.name] = self.without_run(chapter, "interrupted", "had not started")
        return [outcomes[chapter.name] for chapter in self.chapters]

    def _fetch(self, outcomes: dict[str, Outcome]) -> None:
        for chapter in self.chapters:
            reason = fetch_needs(chapter, self.profile, progress=self.display.visible)
            if reason:
                outcomes[chapter.name] = outcome = self.without_run(chapter, "not run", reason)
                self.display.finish(None, outcome)

    def _turn(self, running: list[_Job], outcomes: dict[str, Outcome]) -> None:
        """Wait for one event or one sampling interval, then look at memory and clocks."""
        ended = []
        with contextlib.suppress(queue.Empty):
            job, event = self.events.get(timeout=SAMPLE)
            while True:
                if event is None:
                    ended.append(job)
                else:
                    job.hear(event)
                    self.display.update(job)
                job, event = self.events.get_nowait()
        for job in list(running):
            if job in ended:
                self._settle(job, outcomes)
                running.remove(job)
                continue
            job.memory.sample()
            if time.monotonic() - job.started > self.timeout:
                self._settle(job, outcomes, "timeout")
                running.remove(job)

    def _settle(self, job: _Job, outcomes: dict[str, Outcome], stopped: str = "") -> None:
        outcomes[job.chapter.name] = outcome = job.finish(stopped)
        self.display.finish(job, outcome)


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM counts as Ctrl-C, so that a service that stops this process does not leave kernels behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """No second Ctrl-C while processes are being ended, which takes a moment and must not be left half done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


# ------------------------------------------------------------------------------------------------- after the run


def machine() -> dict[str, Any]:
    """What the figures of a run depend on: system, processor, memory, Python and package versions. No names."""
    import psutil

    versions = {}
    for package in _PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": cores(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "backend": os.environ.get("KERAS_BACKEND") or "tensorflow",
        "versions": versions,
    }


def write_results(path: Path, outcomes: list[Outcome], request: Mapping[str, Any]) -> None:
    """Write what a run found as JSON, for programs: date, machine, request, outcomes."""
    records = []
    for outcome in outcomes:
        record = dataclasses.asdict(outcome)
        record["notebook"] = outcome.notebook and f"runs/{outcome.notebook.name}"
        records.append(record)
    content = {
        "format": 1,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "request": dict(request),
        "outcomes": records,
    }
    paths.write_atomic(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def table(outcomes: Iterable[Outcome]) -> "Table":
    """The closing table: chapter, verdict, seconds, peak memory, headline result."""
    from rich.table import Table
    from rich.text import Text

    shown = Table(title="Chapters", title_justify="left", header_style="bold")
    shown.add_column("Chapter", no_wrap=True)
    shown.add_column("Verdict", no_wrap=True)
    shown.add_column("Seconds", justify="right")
    shown.add_column("Peak MiB", justify="right")
    shown.add_column("Headline result", overflow="fold")
    for outcome in outcomes:
        last = "\n".join(filter(None, ["; ".join(outcome.headline), outcome.reason, _error_line(outcome)]))
        shown.add_row(
            Text(outcome.chapter),
            Text(f"{MARKS[outcome.verdict]} {outcome.verdict}", style=_COLOURS[outcome.verdict]),
            f"{outcome.seconds:,.1f}" if outcome.seconds else "",
            f"{outcome.peak_mib:,.0f}" if outcome.peak_mib else "",
            Text(last),
        )
    return shown


def _error_line(outcome: Outcome) -> str:
    """Where a chapter failed and why, in one line."""
    error = outcome.error
    if not error:
        return ""
    where = f"cell {error['cell_index'] + 1}"
    if error["cell_id"]:
        where += f" ({error['cell_id']})"
    value = error["evalue"].strip().splitlines()[:1]
    return f"{where}: {error['first_line']} → {error['ename']}: {value[0] if value else ''}".rstrip(": ")


class _Quiet:
    """Shows nothing."""

    visible = False

    def open(self) -> None: ...
    def say(self, text: str) -> None: ...
    def begin(self, job: _Job) -> None: ...
    def update(self, job: _Job) -> None: ...
    def finish(self, job: _Job | None, outcome: Outcome) -> None: ...
    def close(self) -> None: ...
    def conclude(self, outcomes: list[Outcome]) -> None: ...


class _Display(_Quiet):
    """A bar over the chapters and one over the cells of each that runs; plain lines where there is no terminal."""

    visible = True

    def __init__(self, console: "Console | None", total: int):
        from rich.console import Console

        self.console = console or Console(stderr=True)
        self.total, self.finished = total, 0
        self.bars = None
        self.tasks: dict[str, Any] = {}

    def open(self) -> None:
        if not self.console.is_terminal:
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self.bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}", markup=False),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        self.whole = self.bars.add_task("All chapters", total=self.total, completed=self.finished, unit="chapters")
        self.bars.start()

    def say(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def begin(self, job: _Job) -> None:
        if self.bars is None:
            self.say(f"{job.chapter.name}: started")
        else:
            self.tasks[job.chapter.name] = self.bars.add_task(job.chapter.name, total=None, unit="cells")

    def update(self, job: _Job) -> None:
        if self.bars is not None and job.chapter.name in self.tasks:
            self.bars.update(self.tasks[job.chapter.name], total=job.cells or None, completed=job.done)

    def finish(self, job: _Job | None, outcome: Outcome) -> None:
        self.finished += 1
        if self.bars is not None:
            if outcome.chapter in self.tasks:
                self.bars.remove_task(self.tasks.pop(outcome.chapter))
            self.bars.update(self.whole, completed=self.finished)
        seconds = f" after {outcome.seconds:,.1f} s" if outcome.seconds else ""
        detail = _error_line(outcome) or outcome.reason
        line = f"{MARKS[outcome.verdict]} {outcome.chapter}: {outcome.verdict}{seconds}"
        self.say(f"{line} [{self.finished}/{self.total}]" + (f" – {detail}" if detail else ""))

    def close(self) -> None:
        if self.bars is not None:
            self.bars.stop()

    def conclude(self, outcomes: list[Outcome]) -> None:
        self.console.print(table(outcomes))
