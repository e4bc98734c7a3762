"""A learner's progress: a small JSON file beside the downloads, shown as a table and exported as CSV.

The file is ``COURSE_PROGRESS``, else ``progress.json`` in the cache folder. Several kernels may write at once;
nothing that stands in the file is ever thrown away: a file that cannot be read is kept beside the new one.
"""

import contextlib
import csv
import io
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils import paths
from course_utils.console import spreadsheet_cell
from course_utils.errors import CourseError, warn
from course_utils.exercises import registry
from course_utils.exercises.verdicts import NOT_ATTEMPTED, RIGHT, WRONG
from course_utils.language import say

if TYPE_CHECKING:
    import pandas

COLUMNS = ("exercise", "title", "chapter", "state", "attempts", "first right at", "score")
_VERSION = 1
_LOCK_SECONDS = 5.0


class _Unreadable(Exception):
    """The file is no progress file; ``salvaged`` holds the rows of it that are whole."""

    def __init__(self, salvaged: dict[str, dict]) -> None:
        super().__init__("unreadable")
        self.salvaged = salvaged


def path() -> Path:
    """Where progress is kept; the file need not exist."""
    chosen = os.environ.get("COURSE_PROGRESS")
    return Path(chosen).expanduser() if chosen else paths.cache_dir() / "progress.json"


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_row(row: Any) -> bool:
    if not isinstance(row, dict) or row.get("state") not in (RIGHT, WRONG):
        return False
    attempts, first, score = row.get("attempts"), row.get("first_right_at"), row.get("score")
    return (
        type(attempts) is int
        and attempts >= 0
        and (first is None or (isinstance(first, str) and _is_time(first)))
        and (score is None or isinstance(score, str))
    )


def _read(file: Path) -> dict[str, dict]:
    """The rows of the file by exercise; {} when there is none. Raises _Unreadable, OSError, or CourseError if newer."""
    try:
        content = json.loads(file.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):
        raise _Unreadable({}) from None
    rows = content.get("exercises") if isinstance(content, dict) else None
    version = content.get("version") if isinstance(content, dict) else None
    if type(version) is int and version > _VERSION:
        raise CourseError(
            say(
                "The progress file {file} was written by a newer version of the course and is left as it is: update "
                "the course.",
                file=paths.display(file),
            )
        )
    whole = {name: row for name, row in rows.items() if _is_row(row)} if isinstance(rows, dict) else {}
    if version != _VERSION or not isinstance(rows, dict) or len(whole) != len(rows):
        raise _Unreadable(whole)
    return rows


def _keep_aside(file: Path) -> Path:
    """Rename an unreadable file beside its place; an earlier one that was kept is never overwritten."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    beside = file.with_name(f"{file.name}.unreadable-{stamp}")
    count = 1
    while beside.exists():
        count += 1
        beside = file.with_name(f"{file.name}.unreadable-{stamp}-{count}")
    file.rename(beside)
    return beside


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold the file's lock, which the system lets go when a process dies. Raises TimeoutError after five seconds."""
    import filelock  # 50 ms, which only an answer that is kept has to pay

    file.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(file.with_name(f".{file.name}.lock"), timeout=_LOCK_SECONDS)
    try:
        lock.acquire(poll_interval=0.02)
    except filelock.Timeout:
        raise TimeoutError(say("another kernel holds the file")) from None
    try:
        yield
    finally:
        lock.release()


def _update(file: Path, identifier: str, right: bool, score: str | None) -> None:
    with _locked(file):
        try:
            rows = _read(file)
        except _Unreadable as error:
            beside = _keep_aside(file)
            rows = error.salvaged
            template = "the progress file could not be read; it is kept as {file} and a new one begins."
            warn(say(template, file=paths.display(beside)))
        row = dict(rows.get(identifier) or {"state": WRONG, "attempts": 0, "first_right_at": None, "score": None})
        if row["state"] != RIGHT:  # once right it stays right, and running a notebook again counts no attempts
            row["attempts"] += 1
        if right and row["first_right_at"] is None:
            row["state"] = RIGHT
            row["first_right_at"] = datetime.now(UTC).isoformat(timespec="seconds")
        if right and score is not None:
            row["score"] = score
        content = {"version": _VERSION, "exercises": dict(sorted({**rows, identifier: row}.items()))}
        paths.write_atomic(file, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def record(identifier: str, *, right: bool, score: str | None = None) -> bool:
    """Keep one checked answer; False, after a line of warning, where that fails: a lesson never stops for it."""
    try:
        _update(Path(os.path.realpath(path())), identifier, right, score)
    except (OSError, RuntimeError, CourseError) as error:
        reason = error if isinstance(error, CourseError) else getattr(error, "strerror", None) or error
        warn(say("your progress could not be recorded ({reason})", reason=reason))
        return False
    return True


def _rows() -> dict[str, dict]:
    file = path()
    try:
        return _read(file)
    except _Unreadable as error:
        warn(say("the progress file {file} is damaged; what is whole in it is shown.", file=paths.display(file)))
        return error.salvaged
    except OSError as error:
        raise CourseError(
            say(
                "The progress file {file} cannot be read ({reason}). Expected a file of the course's own: look at its "
                "permissions, or name another file in COURSE_PROGRESS.",
                file=paths.display(file),
                reason=error.strerror or error,
            )
        ) from None


def _records() -> list[dict[str, Any]]:
    rows = _rows()
    known = {exercise.id: exercise.title for exercise in registry.exercises()}
    titles = {**known, **{name: say("(no longer in the course)") for name in sorted(rows) if name not in known}}
    records = []
    for name, title in titles.items():
        row = rows.get(name, {})
        values = (
            name,
            title,
            name[:2],
            row.get("state", NOT_ATTEMPTED),
            row.get("attempts", 0),
            row.get("first_right_at") or "",
            row.get("score") or "",
        )
        records.append(dict(zip(COLUMNS, values, strict=True)))
    return records


def table() -> "pandas.DataFrame":
    """Every exercise of the course and how far the learner is: a row each, columns as in ``COLUMNS``.

    ``state`` is "not attempted", "wrong" or "right"; ``attempts`` counts checked answers up to the first right one;
    ``first right at`` is a UTC time in ISO form, or empty. Raises CourseError when the file cannot be read at all.
    """
    import pandas

    return pandas.DataFrame(_records(), columns=list(COLUMNS))


def _cell(value: Any) -> Any:
    return spreadsheet_cell(value) if isinstance(value, str) else value


def export_csv(target: Path | str) -> Path:
    """Write the table as CSV (UTF-8, comma, header); returns its path. Raises CourseError when it cannot be written."""
    target = Path(target).expanduser()
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\r\n")  # RFC 4180; it also makes cells with \r quoted
    writer.writeheader()
    for record_ in _records():
        writer.writerow({name: _cell(value) for name, value in record_.items()})
    try:
        paths.write_atomic(target, buffer.getvalue())
    except OSError as error:
        raise CourseError(
            say(
                "The table could not be written to {file} ({reason}). Expected the path of a file in a folder you may "
                "write to: name another one.",
                file=paths.display(target),
                reason=error.strerror or error,
            )
        ) from None
    return target
