"""One notebook executed in a worker process of its own: the one executor, for ``course run`` and ``course build``."""

import contextlib
import queue
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from course_utils import paths
from course_utils.language import say
from course_utils.processes import Child, how_it_ended, python, terminated_as_interrupted
from course_utils.running.outcome import Outcome, kind_of_error, results_of
from course_utils.running.request import Job
from course_utils.running.worker import error_at, mark


class Execution:
    """One notebook being executed; ``hear`` its child's events, then ``finish`` it.

    ``job`` says which chapter it is, ``notebook`` (default: the job's stored one) what is executed, ``output`` where
    the executed notebook goes, which is written after every cell. ``environment`` gets a scratch folder and returns
    what the kernel sees; the kernel works in ``work/`` of it. ``limit`` is in seconds from the first cell. Raises
    OSError where the scratch folder cannot be made.
    """

    def __init__(
        self,
        job: Job,
        *,
        output: Path,
        limit: float,
        environment: Callable[[Path], Mapping[str, str]],
        notebook: Path | None = None,
        profile: str = "quick",
        events: queue.Queue | None = None,
        prefix: str = "course-run-",
    ) -> None:
        self.job, self.output, self.profile = job, output, profile
        self.cells = self.current = self.done = 0
        self._high_water = 0.0
        self._last: dict[str, Any] | None = None
        self._scratch = tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
        try:
            scratch = Path(self._scratch.name).resolve()
            (scratch / "work").mkdir()
            self.child = Child(
                python("course_utils.running.worker"),
                folder=scratch,
                job={
                    "notebook": str((notebook or job.notebook).resolve()),
                    "output": str(output.resolve()),
                    "folder": str(scratch / "work"),
                    "runtime": str(scratch / "runtime"),
                    "parameters": dict(job.parameters),
                    "road": job.road,
                    "without": list(job.without),
                },
                env=environment(scratch),
                events=events,
                limit=limit,
                counts_itself=False,
            )
        except BaseException:
            self._scratch.cleanup()
            raise

    def __enter__(self) -> "Execution":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def hear(self, event: Mapping[str, Any]) -> None:
        """Take one event of the worker."""
        kind = event.get("event")
        if kind == "start":
            self.cells = event["cells"]
        elif kind == "cell start":
            self.current = event["index"]
            if self.current == 0:  # the kernel stands now; how long that took is the machine's affair
                self.child.restart_clock()
        elif kind == "cell":
            self.done = event["index"] + 1
            self._high_water = max(self._high_water, event["high_water_mib"])
        elif kind == "end":
            self._last = dict(event)

    def close(self) -> None:
        """End every process of this notebook and remove its scratch folder."""
        self.child.close()
        self._scratch.cleanup()

    def finish(self, *, interrupted: bool = False) -> Outcome:
        """The outcome, after the end; with ``interrupted`` the notebook is ended where it stands."""
        self.child.close()
        log = self.child.tail()
        usage = self.child.usage
        facts: dict[str, Any] = {"seconds": self.child.seconds}
        if self._last is not None:
            facts = self._as_the_worker_says(log)
        elif interrupted:
            facts |= {"verdict": "interrupted", "reason": self._where()}
        elif self.child.stopped == "time":
            words = say("the chapter was still running after {seconds:,.0f} s", seconds=self.child.limit)
            facts |= {"verdict": "failed", "kind": "time", "error": self._mark("Timeout", words)}
        else:
            ended = how_it_ended(self.child.status, log)
            words = say("The process that ran the chapter ended early. {how}", how=ended)
            kind = "memory" if self.child.status == -9 and not self.child.stopped else "worker died"
            facts |= {"verdict": "failed", "kind": kind, "error": self._mark("WorkerDied", words)}
        self.close()
        headline, claims = results_of(self.output)
        facts["seconds"] = round(facts["seconds"], 1)
        return Outcome(
            chapter=self.job.chapter.name,
            title=self.job.chapter.title,
            peak_mib=round(max(usage.peak_mib, self._high_water)),
            cpu_seconds=round(usage.cpu_seconds_below, 1),
            headline=headline,
            claims=claims,
            notebook=self.output if self.output.is_file() else None,
            profile=self.profile,
            edition=self.job.edition.name,
            **facts,
        )

    def _where(self) -> str:
        if not self.cells:
            return say("stopped before the first cell")
        return say("stopped in cell {number} of {cells}", number=self.current + 1, cells=self.cells)

    def _as_the_worker_says(self, log: str) -> dict[str, Any]:
        last = self._last
        error, kind, reason = last["error"], last["kind"], ""
        if kind == "disk":
            reason = say(
                "there is no room to write the executed notebook to {folder}, and none is kept; make room, or choose "
                "another folder with --out",
                folder=paths.display(self.output.parent),
            )
        elif kind == "folder":
            reason = say(
                "the executed notebook could not be written to {folder} ({reason}); mend its permissions, or choose "
                "another folder with --out",
                folder=paths.display(self.output.parent),
                reason=last["reason"],
            )
        elif kind == "not a notebook":
            reason = say("{path} is not a notebook: {reason}", path=self.job.notebook.name, reason=last["reason"])
        elif error and not kind:
            kind = kind_of_error(error["ename"], error["evalue"])
        if error and error["ename"] == "KernelDied" and log:
            error = {**error, "evalue": say("{sentence}; it said: {said}", sentence=error["evalue"], said=log)}
        verdict = "passed" if last["passed"] else "failed"
        return {"verdict": verdict, "kind": kind, "reason": reason, "error": error, "seconds": last["seconds"]}

    def _mark(self, ename: str, evalue: str) -> dict[str, Any]:
        """Write an error into the cell that was running, since the worker could not."""
        if not self.output.is_file():
            return error_at({}, 0, ename, evalue)
        import nbformat

        with contextlib.suppress(OSError):  # a full disk: the outcome says it all the same
            mark(self.output, self.current, ename, evalue)
        return error_at(nbformat.read(self.output, as_version=4).cells[self.current], self.current, ename, evalue)


def execute(job: Job, *, watch: Callable[["Execution"], None] | None = None, **options: Any) -> Outcome:
    """Execute one notebook and wait; ``options`` as for `Execution`, ``watch`` is called after every event.

    Ctrl-C and SIGTERM end the kernel and come through as KeyboardInterrupt.
    """
    with terminated_as_interrupted(), Execution(job, **options) as execution:
        for event in execution.child.events():
            execution.hear(event)
            if watch is not None:
                watch(execution)
        return execution.finish()
