"""The question in numbers: ``capstone.toml``, read with what has still to be stated left open."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course_utils import paths, tables
from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.tables import Table

FILE = "capstone.toml"
OPEN = "?"  # stands where a learner has something to state
QUESTION = (
    "decision", "minutes_by_hand", "minutes_per_error", "messages_a_month", "must_find", "rate", "p99_ms", "memory_mib",
)  # fmt: skip
DATA = ("file", "text", "label", "time", "looked")
ALARM = ("watch", "limit", "false_alarms", "then")
_MOST = 1e12  # no number of a question is larger; nan and inf are not below it


@dataclass(frozen=True)
class Question:
    """What ``capstone.toml`` states; None (of ``must_find``: no class) is what is still open.

    ``open`` names what is open, "question.p99_ms" say. ``must_find`` maps a class to the share of its messages that has
    to be found, ``rate`` is requests a second, ``false_alarms`` the share of days on which the alarm may ring for
    nothing.
    """

    folder: Path
    decision: str | None = None
    minutes_by_hand: float | None = None
    minutes_per_error: float | None = None
    messages_a_month: int | None = None
    must_find: dict[str, float] = field(default_factory=dict)
    rate: float | None = None
    p99_ms: float | None = None
    memory_mib: float | None = None
    file: str = "tickets.csv"
    text: str = "text"
    label: str = "label"
    time: str | None = None
    looked: str | None = None
    watch: str | None = None
    limit: float | None = None
    false_alarms: float | None = None
    then: str | None = None
    open: tuple[str, ...] = ()

    @property
    def data(self) -> Path:
        """The file with the messages: as it is named, inside the folder unless that is a whole path."""
        return self.folder / Path(self.file).expanduser()

    def still_open(self, table: str) -> list[str]:
        """The keys of one table of the file that are still to be stated."""
        return [key.partition(".")[2] for key in self.open if key.startswith(f"{table}.")]


def read(folder: Path) -> Question:
    """The question of a capstone's folder. Raises CourseError for a file that is not there or cannot be meant."""
    path = folder / FILE
    if not path.is_file():
        raise CourseError(
            say(
                "{folder} is no capstone: there is no {file} in it. This makes one: course capstone start FOLDER",
                folder=paths.display(folder),
                file=FILE,
            )
        )
    mend = say("What a key means stands beside it in the file that course capstone start writes.")
    whole = Table(tables.read(path, mend), paths.display(path), ("question", "data", "alarm"), mend)
    asked, data, alarm = (
        whole.table(name, keys) for name, keys in (("question", QUESTION), ("data", DATA), ("alarm", ALARM))
    )
    stated: dict[str, Any] = {
        "decision": _text(asked, "decision"),
        "minutes_by_hand": _number(asked, "minutes_by_hand"),
        "minutes_per_error": _number(asked, "minutes_per_error", least=0.0),
        "messages_a_month": _whole(asked, "messages_a_month"),
        "must_find": _shares(asked, "must_find"),
        "rate": _number(asked, "rate"),
        "p99_ms": _number(asked, "p99_ms"),
        "memory_mib": _number(asked, "memory_mib"),
    }
    watched = {
        "watch": _text(alarm, "watch"),
        "limit": _number(alarm, "limit", least=0.0),
        "false_alarms": _number(alarm, "false_alarms", most=1.0),
        "then": _text(alarm, "then"),
    }
    looked = _text(data, "looked")
    names = {key: data.text(key, expected=say("some text")) for key in ("file", "text", "label")}
    time = data.value.get("time") and data.text("time")
    left = [f"question.{key}" for key, value in stated.items() if value in (None, {})]
    left += ["data.looked"] if looked is None else []
    left += [f"alarm.{key}" for key, value in watched.items() if value is None]
    return Question(folder, **stated, **names, time=time or None, looked=looked, **watched, open=tuple(left))


def _is_open(table: Table, key: str) -> bool:
    value = table.value.get(key, OPEN)
    return isinstance(value, str) and value.strip() in ("", OPEN)


def _text(table: Table, key: str) -> str | None:
    return None if _is_open(table, key) else table.text(key).strip()


def _number(table: Table, key: str, *, least: float | None = None, most: float = math.inf) -> float | None:
    """A number up to ``most``: from ``least`` on, without it above 0."""
    if _is_open(table, key):
        return None
    value = table.value[key]
    fits = isinstance(value, int | float) and not isinstance(value, bool) and -_MOST < value < _MOST
    if fits and value <= most and (value > 0 if least is None else value >= least):
        return float(value)
    expected = say("a number above 0") if least is None else say("a number of {least:g} or more", least=least)
    table.wrong(key, expected if most == math.inf else say("a share above 0, {most:g} at most", most=most))
    return None


def _whole(table: Table, key: str) -> int | None:
    return None if _is_open(table, key) else table.whole(key, say("a whole number of 1 or more"), 1)


def _shares(table: Table, key: str) -> dict[str, float]:
    """Classes with the share of each that has to be found; none where that is open."""
    if _is_open(table, key):
        return {}
    value = table.value[key]
    if not isinstance(value, dict) or not value:
        table.wrong(key, say("classes with the share of each that must be found, { security = 0.95 }, say"))
    inside = table.table(key)
    if any(_is_open(inside, name) for name in value):
        return {}
    return {name: _number(inside, name, most=1.0) or 0.0 for name in value}
