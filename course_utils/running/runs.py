"""Chapters executed headless: ``run`` gives one Outcome a chapter, and nothing it started outlives it.

Each chapter runs in a worker process of its own (``execution``). This module fetches what the chapters need, runs
several at a time, and keeps what they found.
"""

import contextlib
import dataclasses
import os
import queue
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils import paths, runtime
from course_utils.errors import CourseError, NotKept
from course_utils.language import say
from course_utils.processes import Child, environment, terminated_as_interrupted, undisturbed
from course_utils.running.display import Display, Quiet
from course_utils.running.execution import Execution
from course_utils.running.outcome import Outcome, exit_status, within_budget, write_results
from course_utils.running.request import Job, check_request, fetch_needs, not_a_notebook, prepare_folder, section_needs

if TYPE_CHECKING:
    from rich.console import Console

    from course_utils.chapters import Chapter, Edition

__all__ = ["TIMEOUT", "Outcome", "exit_status", "run"]

MOST_AT_ONCE = 4
TIMEOUT = {"quick": 15 * 60, "full": 6 * 3600}  # seconds a chapter may take before it counts as hanging


def run(
    chapters: Iterable["Chapter"],
    *,
    profile: str = "quick",
    parameters: Mapping[str, str] | None = None,
    jobs: int | None = 1,
    edition: "str | Edition" = "learner",
    road: str = "all",
    out: Path | str | None = None,
    strict: bool = False,
    strict_time: bool = False,
    timeout: float | None = None,
    progress: bool = True,
    console: "Console | None" = None,
) -> list[Outcome]:
    """Execute ``chapters`` and return an Outcome for each, in their order; a failing chapter does not stop the others.

    ``parameters`` are values as written on a command line, for names in each notebook's parameters cell; ``jobs``
    chapters run at once, with None as many as cores and memory bear (one in the full profile); ``road="main"`` leaves
    side roads out; ``out`` (default: ``build`` in the checkout) receives ``runs/NN_name.ipynb`` (with parameters: a
    name that holds them) and ``results.json``; ``strict`` makes an exercise that is wrong or not attempted raise;
    ``strict_time`` makes a chapter that takes more processor seconds than declared count as over budget; ``timeout``
    is in seconds and for each chapter. With ``progress`` the run is shown on ``console`` (default: standard error) and
    closed by a table.

    On Ctrl-C everything that was started is ended and the unfinished chapters come back as "interrupted".
    Raises CourseError, before anything starts, for a request that cannot be meant, and NotKept at the end where the
    results cannot be written (the table is shown before).
    """
    parameters = parameters or {}
    room = runtime.memory_for_process() >> 20 if jobs is None else None
    at_once = fitting(profile) if jobs is None else jobs
    asked = check_request(
        list(chapters), profile=profile, parameters=parameters, jobs=at_once, edition=edition, road=road
    )
    if timeout is not None and not timeout > 0:
        raise CourseError(say("timeout must be a number of seconds above zero; it is {timeout!r}.", timeout=timeout))
    out = Path(out) if out is not None else paths.require_checkout() / "build"
    prepare_folder(out)
    for job in asked:
        job.executed(out).unlink(missing_ok=True)

    session = _Session(
        jobs=asked,
        profile=profile,
        at_once=at_once,
        room=room,
        out=out,
        strict=strict,
        strict_time=strict_time,
        timeout=timeout or TIMEOUT[profile],
        display=Display(console, len(asked)) if progress else Quiet(),
    )
    begun = time.monotonic()
    try:
        outcomes = session.execute()
    finally:
        session.display.close()
    session.display.conclude(outcomes)
    try:
        write_results(
            out / "results.json",
            outcomes,
            request={
                "profile": profile,
                "edition": asked[0].edition.name,
                "road": asked[0].road,
                "parameters": dict(asked[0].parameters),
                "jobs": at_once,
                "seconds": round(time.monotonic() - begun, 1),
            },
        )
    except OSError as error:
        with contextlib.suppress(OSError):
            (out / "results.json").unlink(missing_ok=True)  # an earlier run's, of notebooks that are gone
        raise NotKept(
            say(
                "The chapters were run, but their results could not be written to {path} ({reason}). Make room, or "
                "choose another folder with --out, and run again.",
                path=paths.display(out / "results.json"),
                reason=error.strerror or error,
            ),
            otherwise=exit_status(outcomes),
        ) from error
    return outcomes


def fitting(profile: str) -> int:
    """Chapters that run at once where nobody said how many: one for each core, but four at most.

    Alone a chapter keeps little more than one core busy. One at a time in the full profile, as what it takes of memory
    is declared nowhere.
    """
    return min(runtime.cores(), MOST_AT_ONCE) if profile == "quick" else 1


@dataclasses.dataclass
class _Session:
    """One call of ``run``: a single thread decides, the children's readers only hand their events over."""

    jobs: list[Job]
    profile: str
    at_once: int
    room: int | None  # MiB for all that run at once; None where the user said how many
    out: Path
    strict: bool
    strict_time: bool
    timeout: float
    display: Quiet
    events: queue.Queue = dataclasses.field(default_factory=queue.Queue)
    running: dict[Child, Execution] = dataclasses.field(default_factory=dict)
    outcomes: dict[str, Outcome] = dataclasses.field(default_factory=dict)
    left_out: dict[str, str] = dataclasses.field(default_factory=dict)  # a job's sections without their data

    def environment(self, scratch: Path) -> dict[str, str]:
        """What the worker and its kernel see: the request, and nothing of the user's own Jupyter and IPython."""
        folders = {}
        for name in ("COURSE_DATA", "COURSE_CACHE"):  # the kernel has another working folder
            if value := os.environ.get(name):
                folders[name] = os.path.abspath(os.path.expanduser(value))
        return environment(
            COURSE_PROFILE=self.profile,
            COURSE_PROGRESS=str((self.out / "progress.json").resolve()),  # a run is no learner
            COURSE_STRICT="1" if self.strict else None,
            PLOTLY_RENDERER="plotly_mimetype",
            IPYTHONDIR=str(scratch / "ipython"),
            **folders,
        )

    def execute(self) -> list[Outcome]:
        """Fetch, then run, until everything has an outcome."""
        (self.out / "progress.json").unlink(missing_ok=True)
        try:
            with terminated_as_interrupted():
                self._before()
                waiting = [job for job in self.jobs if job.key not in self.outcomes]
                if self.at_once > 1:  # the longest first: else it stands alone at the end, beside an idle core
                    waiting.sort(key=lambda job: -job.chapter.seconds)
                self.display.open()
                while waiting or self.running:
                    while len(self.running) < self.at_once and (job := self._next(waiting)):
                        waiting.remove(job)
                        self._start(job)
                    self._turn()
        except KeyboardInterrupt:
            with undisturbed(forget=True):
                self.display.say(say("Interrupted: ending what is running …"))
                for execution in list(self.running.values()):
                    self._settle(execution, interrupted=True)
        except BaseException:
            with undisturbed(forget=True):
                for execution in self.running.values():
                    execution.close()
            raise
        for job in self.jobs:
            if job.key not in self.outcomes:
                self.outcomes[job.key] = self._without_run(job, "interrupted", reason=say("had not started"))
        return [self.outcomes[job.key] for job in self.jobs]

    def _before(self) -> None:
        """Settle what cannot be run: what is no notebook, and what needs something that cannot be had."""
        for place, job in enumerate(self.jobs):
            fault = not_a_notebook(job.notebook)
            if fault:
                words = "{fault} Build it again: course build {number}"
                reason = say(words, fault=fault, number=job.chapter.number)
                self._settled(job, self._without_run(job, "failed", "not a notebook", reason))
                continue
            kind, reason = fetch_needs(job.chapter, self.profile, progress=self.display.visible)
            if reason:
                self._settled(job, self._without_run(job, "not run", kind, reason))
                continue
            self.jobs[place], self.left_out[job.key] = section_needs(job, progress=self.display.visible)

    def _next(self, waiting: list[Job]) -> Job | None:
        """The first job whose declared memory still fits beside what runs; any, where nothing does."""
        if self.room is None or not self.running:
            return waiting[0] if waiting else None
        left = self.room - sum(execution.job.chapter.memory_mib for execution in self.running.values())
        return next((job for job in waiting if job.chapter.memory_mib <= left), None)

    def _start(self, job: Job) -> None:
        try:
            execution = Execution(
                job,
                output=job.executed(self.out),
                limit=self.timeout,
                environment=self.environment,
                profile=self.profile,
                events=self.events,
            )
        except OSError as error:  # the temporary folder is full, say, or no process can be started
            reason = say("it could not be started ({reason})", reason=error.strerror or error)
            kind = "disk" if paths.disk_is_full(error) else "start"
            self._settled(job, self._without_run(job, "failed", kind, reason))
            return
        self.running[execution.child] = execution
        self.display.begin(execution)

    def _turn(self) -> None:
        """Take the next event, or wait a moment for one; several children share one queue."""
        with contextlib.suppress(queue.Empty):
            child, event = self.events.get(timeout=0.2)
            execution = self.running[child]
            if event is None:
                self._settle(execution)
            else:
                execution.hear(event)
                self.display.update(execution)

    def _settle(self, execution: Execution, *, interrupted: bool = False) -> None:
        del self.running[execution.child]
        outcome = execution.finish(interrupted=interrupted)
        outcome = within_budget(outcome, execution.job.chapter, strict_time=self.strict_time)
        if said := self.left_out[execution.job.key]:
            outcome = dataclasses.replace(outcome, reason=" ".join(filter(None, [outcome.reason, said])))
        self._settled(execution.job, outcome)

    def _settled(self, job: Job, outcome: Outcome) -> None:
        self.outcomes[job.key] = outcome
        self.display.finish(job, outcome)

    def _without_run(self, job: Job, verdict: str, kind: str = "", reason: str = "") -> Outcome:
        """The outcome of a job that was not begun."""
        chapter = job.chapter
        return Outcome(
            chapter.name,
            chapter.title,
            verdict,
            kind=kind,
            reason=reason,
            profile=self.profile,
            edition=job.edition.name,
        )
