"""The front in a process of its own, started and ended from Python: for chapters and tests."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils import processes
from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.rollout.registry import Registry
from course_utils.serving.starting import Placed

if TYPE_CHECKING:
    import pandas

_LOOK_SECONDS = 0.05


class Front(Placed):
    """``with Front(registry, folder=…) as front: …`` answers on ``front.url`` with what the registry's log says.

    ``registry`` is its folder; ``folder`` takes the journal and the processes' logs, and is this front's alone. With
    the public ``key`` only bundles that were signed by its counterpart are started. A challenger that takes more than
    ``slow_seconds`` has failed; to the test an answer that took so long is wrong, whoever gave it. ``limits`` are
    fields of `serving.limits.Limits`. ``commands`` names other programs than the course's service for some versions.
    The process ends with this one, whatever happens. Raises CourseError where it does not start.
    """

    def __init__(
        self,
        registry: Path | str,
        *,
        folder: Path | str,
        port: int = 0,
        key: Path | str | None = None,
        slow_seconds: float = 1.0,
        limits: dict[str, Any] | None = None,
        commands: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.registry = Path(registry).expanduser().absolute()
        self.folder = Path(folder).expanduser().absolute()
        job = {
            "registry": str(self.registry),
            "folder": str(self.folder),
            "port": port,
            "key": None if key is None else str(Path(key).expanduser().absolute()),
            "slow_seconds": slow_seconds,
            "limits": limits or {},
            "commands": {version: list(command) for version, command in (commands or {}).items()},
        }
        patience = 2 * float((limits or {}).get("stop_seconds", 15.0)) + processes.PATIENCE_SECONDS
        try:
            super().__init__("course_utils.rollout.worker", folder=self.folder, job=job, patience=patience)
        except OSError as error:
            raise CourseError(
                say("{folder} cannot be written ({why}).", folder=self.folder, why=error.strerror or str(error))
            ) from error

    def _not_started(self, how: str) -> str:
        return say("The front did not start. {how}", how=how)

    def status(self) -> dict[str, Any]:
        """Who answers (``champion``, ``challenger``, ``mode``, ``share``), the ``evidence`` so far, ``problem`` …"""
        from course_utils.serving import target

        try:
            status, content = target.ask(target.find(f"{self.url}/v1/rollout"))
        except OSError as error:
            raise CourseError(say("The front does not answer ({why}).", why=str(error))) from error
        if status != 200:
            raise CourseError(say("The front does not answer ({why}).", why=content.decode("utf-8", "replace")))
        return json.loads(content)

    def wait(self, version: str | None, seconds: float = 30.0, *, arm: str = "champion") -> dict[str, Any]:
        """Wait until a version is the one that answers as ``arm``, "champion" or "challenger"; None: until nobody is.

        What the registry's log says by now has then been done. Returns `status`. Raises CourseError where that does not
        come within ``seconds``.
        """
        until = time.monotonic() + seconds
        written = Registry(self.registry).log.size
        while True:
            found = self.status()
            if found[arm] == version and found["log_bytes"] >= written:
                return found
            if time.monotonic() > until:
                raise CourseError(
                    say(
                        "After {seconds:g} seconds the {arm} is {found} and not {version}. {problem}",
                        seconds=seconds,
                        arm=arm,
                        found=found[arm],
                        version=version,
                        problem=found["problem"],
                    )
                )
            time.sleep(_LOOK_SECONDS)

    def journal(self) -> "pandas.DataFrame":
        """What was answered so far, one row a request: id, time, arm, version, labels, truth, seconds, status …"""
        from course_utils.rollout import journal

        if self.child.status is None:
            self.status()  # has everything written that was answered
        return journal.read(self.folder)
