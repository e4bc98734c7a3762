"""What was answered, by whom, and what turned out to be true: a SQLite file with one writer.

No word of what a user sent is in it: a request's id, the labels with their probabilities, and of a user's name a hash
whose salt is in this file only. A label that comes twice for one request: the first one stays.
"""

import contextlib
import hashlib
import hmac
import json
import queue
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from course_utils import paths
from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.rollout.registry import State
from course_utils.rollout.trial import Trial, has_failed

FILE = "answers.sqlite"
_MOST_WAITING = 20_000
_AT_ONCE = 512
_TABLES = """
create table if not exists answers (
    id text primary key, time real not null, since integer not null, arm text not null, version text not null,
    labels text not null, probabilities text not null, seconds real not null, status integer not null,
    fallback integer not null, user text, shadow_version text, shadow_labels text, shadow_probabilities text,
    shadow_seconds real, truth text, truth_time real, counted integer
);
create index if not exists by_trial on answers (since, counted);
create table if not exists facts (name text primary key, value text not null);
"""


@dataclass(frozen=True)
class Answered:
    """One answer. ``labels`` and ``probabilities`` are JSON lists; ``since`` is the trial it belongs to, or 0."""

    id: str
    time: float
    since: int
    arm: str
    version: str
    labels: str
    probabilities: str
    seconds: float
    status: int
    fallback: bool
    user: str | None


class Journal:
    """The journal in a folder. Its methods only queue what a thread of its own writes, in the order of the calls.

    `submit` gives a future, done when what it asked for is on the disk. ``lost`` counts what could not be written. An
    answer after ``slow_seconds`` counts as none (`Trial`). Raises CourseError where the file cannot be opened, or
    another front writes to it.
    """

    def __init__(self, folder: Path, decided: Callable[[Trial], None], *, slow_seconds: float = float("inf")) -> None:
        import filelock

        self.folder, self.decided, self.slow_seconds = Path(folder), decided, slow_seconds
        self.trial: Trial | None = None
        self.lost = 0
        self._work: queue.Queue[tuple[Callable[[], Any], Future | None] | None] = queue.Queue(_MOST_WAITING)
        self._lock = filelock.FileLock(self.folder / ".front.lock", timeout=0)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
            try:
                self._open()
            except BaseException:
                self._lock.release()
                raise
        except filelock.Timeout:
            raise CourseError(
                say("Another front works in {folder}; give this one another.", folder=paths.display(self.folder))
            ) from None
        except (OSError, sqlite3.Error, NotImplementedError) as error:
            raise CourseError(
                say(
                    "The journal in {folder} cannot be written ({why}).",
                    folder=paths.display(self.folder),
                    why=getattr(error, "strerror", None) or str(error),
                )
            ) from error
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
        self._thread.start()

    def _open(self) -> None:
        self._base = sqlite3.connect(self.folder / FILE, check_same_thread=False, isolation_level=None, timeout=5.0)
        self._base.row_factory = sqlite3.Row
        self._base.execute("pragma journal_mode = wal")
        self._base.execute("pragma synchronous = normal")
        self._base.executescript(_TABLES)
        self._base.execute("insert or ignore into facts values ('salt', ?)", (secrets.token_hex(16),))
        self._salt = bytes.fromhex(
            self._base.execute("select value from facts where name = 'salt'").fetchone()["value"]
        )

    def user(self, name: str | None) -> str | None:
        """What stands in the journal for a user."""
        return None if name is None else hmac.new(self._salt, name.encode(), hashlib.sha256).hexdigest()[:16]

    def note(self, answered: Answered) -> None:
        """Keep an answer; of two with one id the first."""
        facts = asdict(answered)
        names = ", ".join(facts)
        marks = ", ".join(f":{name}" for name in facts)
        self._post(lambda: self._base.execute(f"insert or ignore into answers ({names}) values ({marks})", facts))

    def note_shadow(self, identity: str, version: str, labels: str, probabilities: str, seconds: float) -> None:
        """Keep what the challenger would have answered; ``labels`` "[]": it failed."""

        def work() -> None:
            self._base.execute(
                "update answers set shadow_version = ?, shadow_labels = ?, shadow_probabilities = ?, "
                "shadow_seconds = ? where id = ? and shadow_labels is null",
                (version, labels, probabilities, seconds, identity),
            )
            self._count(identity)

        self._post(work)

    def label(
        self, identity: str, labels: list[str], known: Callable[[str], "frozenset[str]"]
    ) -> "Future[tuple[str, Any]]":
        """Join the true labels of a request; ``known`` gives the classes of a version.

        The future's result is what became of it: "kept", "again" (the same once more), "other" (another label stands),
        "unknown" (no such id), "unanswered", "number" (with how many are wanted), "class" (with the classes).
        """

        def work() -> tuple[str, Any]:
            row = self._row(identity)
            if row is None:
                return "unknown", None
            failed = has_failed(row["status"])
            if not failed and row["status"] != 200:
                return "unanswered", None
            # How many items a failed request had is known only where the challenger has answered its copy.
            wanted = len(json.loads(row["labels"])) or len(json.loads(row["shadow_labels"] or "[]"))
            if len(labels) != wanted and not (failed and not wanted):
                return "number", wanted
            classes = known(row["version"]) | (known(row["shadow_version"]) if row["shadow_version"] else frozenset())
            if not classes.issuperset(labels):
                return "class", sorted(classes)
            if row["truth"] is not None:
                return ("again" if json.loads(row["truth"]) == labels else "other"), None
            self._base.execute(
                "update answers set truth = ?, truth_time = ? where id = ?",
                (json.dumps(labels, ensure_ascii=False), time.time(), identity),
            )
            self._count(identity)
            return "kept", None

        return self.submit(work)

    def watch(self, state: State) -> "Future[None]":
        """From now on labels feed the test of this state's challenger; what was counted before is counted again."""
        return self.submit(lambda: self._watch(state))

    def submit(self, work: Callable[[], Any] = lambda: None) -> Future:
        """Do something in the writer's order; the future is done when it, and all before it, are on the disk."""
        future: Future = Future()
        self._post(work, future)
        return future

    def close(self) -> None:
        """Write what waits, and let go of the file."""
        with contextlib.suppress(queue.Full):
            self._work.put(None, timeout=5.0)
        self._thread.join(10.0)
        if not self._thread.is_alive():
            self._base.close()
            self._lock.release()

    def _watch(self, state: State) -> None:
        self.trial = None
        if state.challenger is None:
            return
        trial = Trial(state, self.slow_seconds)
        trial.restart(self._counted(trial))
        self.trial = trial
        # Labels that came while nobody was watching, as when the front had ended between two writes.
        for row in self._base.execute(
            f"select id from answers where since in ({_marks(trial)}) and counted is null and truth is not null",
            list(trial.shares),
        ).fetchall():
            self._count(row["id"])
        if trial.decision is not None:
            self.decided(trial)

    def _row(self, identity: str) -> Any:
        return self._base.execute("select * from answers where id = ?", (identity,)).fetchone()

    def _count(self, identity: str) -> None:
        trial = self.trial
        row = self._row(identity)
        if trial is None or row is None or row["counted"] is not None:
            return
        before = trial.decision
        if trial.count(row):
            self._base.execute(
                f"update answers set counted = (select coalesce(max(counted), 0) + 1 from answers where since in "
                f"({_marks(trial)})) where id = ?",
                [*trial.shares, identity],
            )
            if trial.decision != before:
                self.decided(trial)

    def _post(self, work: Callable[[], Any], future: Future | None = None) -> None:
        try:
            self._work.put_nowait((work, future))
        except queue.Full:
            self.lost += 1
            if future is not None:
                future.set_exception(sqlite3.OperationalError("too much waits to be written"))

    def _write(self) -> None:
        """The thread: whatever waits is one transaction."""
        while True:
            work = [self._work.get()]
            with contextlib.suppress(queue.Empty):
                while len(work) < _AT_ONCE:
                    work.append(self._work.get_nowait())
            over = None in work
            self._together([one for one in work if one is not None])
            if over:
                return

    def _together(self, work: list[tuple[Callable[[], Any], Future | None]]) -> None:
        found: list[Any] = []
        try:
            self._base.execute("begin immediate")
            found = [do() for do, _ in work]
            self._base.execute("commit")
        except BaseException as error:
            self.lost += len(work)
            with contextlib.suppress(sqlite3.Error):
                self._base.execute("rollback")
            self._again()
            for _, future in work:
                if future is not None:
                    future.set_exception(error)
            return
        for (_, future), result in zip(work, found, strict=True):
            if future is not None:
                future.set_result(result)

    def _again(self) -> None:
        """What was counted is not in the file: count again what is."""
        trial = self.trial
        if trial is not None:
            with contextlib.suppress(sqlite3.Error):
                trial.restart(self._counted(trial))

    def _counted(self, trial: Trial) -> list[Any]:
        return self._base.execute(
            f"select * from answers where since in ({_marks(trial)}) and counted is not null order by counted",
            list(trial.shares),
        ).fetchall()


def _marks(trial: Trial) -> str:
    return ", ".join("?" * len(trial.shares))


def read(folder: Path) -> Any:
    """The journal in a folder as a DataFrame, one row a request, in the order of time; lists as lists."""
    import pandas as pd

    file = Path(folder) / FILE
    if not file.is_file():
        raise CourseError(say("{folder} has no journal.", folder=paths.display(Path(folder))))
    with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as base:
        found = pd.read_sql_query("select * from answers order by time", base)
    for name in ("labels", "probabilities", "shadow_labels", "shadow_probabilities", "truth"):
        found[name] = [None if one is None or one != one else json.loads(one) for one in found[name]]
    for name in ("time", "truth_time"):
        found[name] = pd.to_datetime(found[name], unit="s", utc=True)
    found["fallback"] = found["fallback"].astype(bool)
    return found
