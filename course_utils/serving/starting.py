"""A service in a process of its own, started and ended from Python: for chapters, load tests and tests."""

from pathlib import Path
from typing import Any, Self

from course_utils import processes
from course_utils.errors import CourseError
from course_utils.language import say


class Placed:
    """A process of its own that answers on loopback until it is told to stop, or this one ends.

    ``module`` runs there with ``job``; it says "ready" with its ``url`` and ``name``, or "refused" with a message.
    ``said`` is all that it said then. Raises CourseError where it refuses, or ends before, and OSError where the folder
    or the process cannot be made.
    """

    def __init__(self, module: str, *, folder: Path, job: dict[str, Any], patience: float) -> None:
        self._patience = patience
        folder.mkdir(parents=True, exist_ok=True)
        self.child = processes.Child(processes.python(module), folder=folder, job=job)
        try:
            self.said = self._hear()
        except BaseException:
            self.child.close()
            raise
        self.url, self.name = self.said["url"], self.said["name"]

    def _hear(self) -> dict[str, Any]:
        for event in self.child.events():
            if event["event"] == "refused":
                raise CourseError(event["message"])
            if event["event"] == "ready":
                return event
        raise CourseError(self._not_started(self.child.how_it_ended()))

    def _not_started(self, how: str) -> str:
        """The sentence where it ended before it answered."""
        return say("The service did not start. {how}", how=how)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> int | None:
        """Tell it to stop, wait until what it accepted is answered, and return its exit status."""
        self.child.close(self._patience)
        return self.child.status


class Service(Placed):
    """``with Service(bundle) as service: …`` serves a saved model on loopback until the block is left.

    ``url`` is its address, ``name`` and ``version`` the model's. ``limits`` are fields of `limits.Limits` by name.
    ``traces`` is a SQLite file for the traces of ``traces_share`` of the requests, read with `tracing.read`. The
    process ends with this one, whatever happens. Raises CourseError where it does not start.
    """

    def __init__(
        self,
        bundle: Path | str,
        *,
        folder: Path,
        port: int = 0,
        key: str | None = None,
        threads: int = 1,
        limits: dict[str, Any] | None = None,
        traces: Path | str | None = None,
        traces_share: float = 1.0,
    ) -> None:
        job = {"bundle": str(Path(bundle).absolute()), "host": "127.0.0.1", "port": port, "key": key,
               "threads": threads, "limits": limits or {}, "traces_share": traces_share,
               "traces": None if traces is None else str(Path(traces).absolute())}  # fmt: skip
        patience = float((limits or {}).get("stop_seconds", 15.0)) + processes.PATIENCE_SECONDS
        super().__init__("course_utils.serving.worker", folder=Path(folder), job=job, patience=patience)
        self.version = self.said["version"]
