"""A service in a process of its own, started and ended from Python: for chapters, load tests and tests."""

from pathlib import Path
from typing import Any

from course_utils import processes
from course_utils.errors import CourseError
from course_utils.language import say


class Service:
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
        self._patience = float((limits or {}).get("stop_seconds", 15.0)) + processes.PATIENCE_SECONDS
        Path(folder).mkdir(parents=True, exist_ok=True)
        self.child = processes.Child(
            processes.python("course_utils.serving.worker"), folder=Path(folder), job=job, limit=None
        )
        try:
            self._hear()
        except BaseException:
            self.child.close()
            raise

    def _hear(self) -> None:
        for event in self.child.events():
            if event["event"] == "refused":
                raise CourseError(event["message"])
            if event["event"] == "ready":
                self.url, self.name, self.version = event["url"], event["name"], event["version"]
                return
        raise CourseError(say("The service did not start. {how}", how=self.child.how_it_ended()))

    def __enter__(self) -> "Service":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> int | None:
        """Tell it to stop, wait until what it accepted is answered, and return its exit status."""
        self.child.close(self._patience)
        return self.child.status
