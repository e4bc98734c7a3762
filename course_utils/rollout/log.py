"""An append-only log of events: one JSON object a line, each with the hash of the line before.

Each line carries its own sha256 as well, so that a line that was changed, taken out of the middle or put in is seen,
unless the hashes were computed again. Lines taken off the end are not seen by this, and neither is a log that was
rewritten with new hashes: against both, keep the last hash (`Log.head`) elsewhere, and `Log.verify` it.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from course_utils import paths
from course_utils.errors import CourseError
from course_utils.language import say

_LOCK_SECONDS = 10.0
BEGINNING = "0" * 64  # the hash before the first line


class Log:
    """The log in ``file``, which need not exist yet. Several processes may write; each writes under ``lock``."""

    def __init__(self, file: Path) -> None:
        self.file = Path(file)

    @property
    def size(self) -> int:
        """Bytes of the file; 0 where there is none. It grows with each event."""
        try:
            return self.file.stat().st_size
        except OSError:
            return 0

    def read(self) -> list[dict[str, Any]]:
        """All events in their order; a last line that was cut off while it was written is left out.

        Raises CourseError where the file cannot be read, or its past was changed.
        """
        return self._split(self._content())[0]

    @property
    def head(self) -> str:
        """The hash of the last line, 64 hexadecimal digits (of an empty log: noughts). Raises as `read` does."""
        events = self.read()
        return events[-1]["sha256"] if events else BEGINNING

    def verify(self, head: str) -> int:
        """How many lines came after the one whose hash is ``head``; raises CourseError where there is none such."""
        hashes = [BEGINNING, *(event["sha256"] for event in self.read())]
        if head not in hashes:
            raise CourseError(
                say(
                    "{file} has no line with the hash {head}…: lines were taken off its end, or it was written anew. "
                    "Put back a copy of the file.",
                    file=paths.display(self.file),
                    head=head[:12],
                )
            )
        return len(hashes) - 1 - hashes.index(head)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other writers out. Raises CourseError where they do not let go, or nothing can be written."""
        import filelock  # 50 ms, which only a writer has to pay

        lock = filelock.FileLock(self.file.with_name(f".{self.file.name}.lock"), timeout=_LOCK_SECONDS)
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(poll_interval=0.02)
        except filelock.Timeout:
            raise CourseError(
                say(
                    "Another process has been writing to {file} for {seconds:g} seconds; nothing was changed.",
                    file=paths.display(self.file),
                    seconds=_LOCK_SECONDS,
                )
            ) from None
        except (OSError, NotImplementedError) as error:
            raise self.not_written(error) from error
        try:
            yield
        finally:
            lock.release()

    def append(self, event: str, **facts: Any) -> dict[str, Any]:
        """Write one event, on the disk when this returns; call it under `lock`. Raises CourseError, nothing written."""
        content = self._content()
        events, whole = self._split(content)
        line = {
            "n": len(events) + 1,
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "event": event,
            **facts,
            "before": events[-1]["sha256"] if events else BEGINNING,
        }
        line["sha256"] = _hash(line)
        data = _text(line).encode("utf-8") + b"\n"
        if whole and not content[:whole].endswith(b"\n"):
            data = b"\n" + data  # the last line is whole but for its end
        try:
            with self.file.open("r+b" if self.file.exists() else "xb") as file:
                try:
                    file.truncate(whole)  # what was cut off
                    file.seek(whole)
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    with contextlib.suppress(OSError):
                        file.truncate(whole)
                    raise
        except OSError as error:
            raise self.not_written(error) from error
        return line

    def not_written(self, error: BaseException) -> CourseError:
        """The sentence for a disk that takes nothing."""
        return CourseError(
            say(
                "{folder} cannot be written ({why}); nothing was changed.",
                folder=paths.display(self.file.parent),
                why=getattr(error, "strerror", None) or str(error),
            )
        )

    def _content(self) -> bytes:
        try:
            return self.file.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise CourseError(
                say(
                    "{file} cannot be read ({why}).",
                    file=paths.display(self.file),
                    why=error.strerror or str(error),
                )
            ) from error

    def _split(self, content: bytes) -> tuple[list[dict[str, Any]], int]:
        """The events, and how many bytes of the content they are."""
        events: list[dict[str, Any]] = []
        before, whole = BEGINNING, 0
        lines = content.split(b"\n")
        for number, line in enumerate(lines, start=1):
            last = number == len(lines)
            if last and not line:
                break
            event = _parse(line)
            if event is None and last:
                break  # cut off
            fits = event is not None and (event.get("n"), event.get("before")) == (number, before)
            if not fits or event["sha256"] != _hash(event):
                raise CourseError(
                    say(
                        "Line {n} of {file} is not what was written there: the past was changed. Nothing is done on "
                        "it; put back a copy of the file.",
                        n=number,
                        file=paths.display(self.file),
                    )
                )
            events.append(event)
            before = event["sha256"]
            whole += len(line) + (not last)
        return events, whole


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and isinstance(event.get("sha256"), str) else None


def _text(line: dict[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False, allow_nan=False)


def _hash(line: dict[str, Any]) -> str:
    said = {key: value for key, value in line.items() if key != "sha256"}
    return hashlib.sha256(_text(said).encode("utf-8")).hexdigest()
