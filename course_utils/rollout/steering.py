"""What the log says, made so: versions started, switched to and ended, while requests are answered.

A version that is to answer is started beside the one that does; the switch is one assignment between two requests; the
old one ends when its last answer is out. All methods belong to the event loop.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.rollout.journal import Journal
from course_utils.rollout.registry import Registry, State
from course_utils.rollout.trial import Trial
from course_utils.rollout.upstream import Upstream
from course_utils.serving.guard import LOG
from course_utils.serving.limits import Limits

LOOK_SECONDS = 0.2  # between two looks at the log
_AGAIN_SECONDS = 2.0  # until what failed is tried again
IN_A_ROW = 3  # failures after which a challenger is stopped


class Steering:
    """Champion and challenger as processes, following a registry's log.

    ``champion`` and ``challenger`` are who answers at this moment, ``state`` is what the log wants, ``problem`` says
    why the two differ where that is more than a moment.
    """

    def __init__(
        self,
        registry: Registry,
        folder: Path,
        limits: Limits,
        commands: Mapping[str, Sequence[str]] | None = None,
        *,
        slow_seconds: float = float("inf"),
    ) -> None:
        self.registry, self.folder, self.limits, self.commands = registry, Path(folder), limits, commands or {}
        self.journal = Journal(self.folder, self._decided_elsewhere, slow_seconds=slow_seconds)
        self.name = registry.folder.absolute().name
        self.state = State()
        self.champion: Upstream | None = None
        self.challenger: Upstream | None = None
        self.problem = ""
        self.failures = 0  # of the challenger, in a row
        self.started: list[Upstream] = []  # all that may still have a process
        self._size = -1
        self._running: dict[str, Upstream] = {}
        self._tasks: dict[str, asyncio.Task] = {}
        self._endings: set[asyncio.Task] = set()
        self._not_before: dict[str, float] = {}
        # What the log is to be told, by `since`: event, why (a dead process speaks for itself), evidence.
        self._pending: dict[int, tuple[str, str | Upstream, dict[str, Any] | None]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def begin(self) -> None:
        """Start what the log wants; returns when it answers, or cannot be started."""
        self._loop = asyncio.get_running_loop()
        await self._look()
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()))
        await self._look()

    async def follow(self) -> None:
        """Follow the log, for ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._look()
            except Exception as error:
                LOG.error("%s", say("Following the registry failed ({kind}).", kind=type(error).__name__))

    async def serving(self, until: float) -> Upstream | None:
        """The champion, waited for until a moment of the monotonic clock where it is just being started (again)."""
        while self.champion is None or self.champion.dead.is_set():
            if time.monotonic() > until or self.state.champion is None:
                return None
            await asyncio.sleep(0.02)
        return self.champion

    def succeeded(self, asked: Upstream) -> None:
        """The challenger has answered."""
        if asked is self.challenger:
            self.failures = 0

    def failed(self, asked: Upstream, why: str) -> None:
        """The challenger has not answered, or with a failure; the third time in a row is the last."""
        if asked is not self.challenger:
            return
        self.failures += 1
        if asked.dead.is_set():
            self._end_trial("stop", asked, None)
        elif self.failures >= IN_A_ROW:
            self._end_trial("stop", say("{n} answers in a row failed (the last: {why}).", n=IN_A_ROW, why=why), None)

    def as_json(self) -> dict[str, Any]:
        """Who answers, what the log wants, and what is known of the challenger."""
        trial = self.journal.trial
        return {
            "champion": None if self.champion is None else self.champion.version,
            "challenger": None if self.challenger is None else self.challenger.version,
            "mode": None if self.challenger is None else self.state.mode,
            "share": self.state.share if self.challenger is not None else 0.0,
            "wanted": {"champion": self.state.champion, "challenger": self.state.challenger},
            "evidence": None if trial is None else trial.as_json(),
            "problem": self.problem,
            "log_bytes": self._size,
            "processes": {one.version: one.child.pid for one in self._running.values() if one.child is not None},
        }

    async def close(self) -> None:
        """End every process, each when it has answered, and then the journal."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await asyncio.gather(*(one.stop() for one in self.started), return_exceptions=True)
        await asyncio.to_thread(self.journal.close)

    # ------------------------------------------------------------------------------------------------------------ steps

    async def _look(self) -> None:
        await self._read()
        state = self.state
        for version in filter(None, (state.champion, self._wanted_challenger())):
            self._ensure(version)
        ready = self._running.get(state.champion or "")
        if ready is not None and ready is not self.champion:
            self.champion = ready
            LOG.info("%s", say("{version} answers now.", version=ready.version))
        follows = self.champion is not None and self.champion.version == state.champion
        challenger = self._running.get(self._wanted_challenger() or "") if follows else None
        if challenger is not self.challenger:
            self.challenger, self.failures = challenger, 0
        for version, one in list(self._running.items()):
            if version not in (state.champion, self._wanted_challenger()) and one is not self.champion:
                del self._running[version]
                self._keep(self._retire(one))
        await self._tell()

    async def _read(self) -> None:
        size = self.registry.log.size
        if size == self._size:
            return
        try:
            state = await asyncio.to_thread(lambda: self.registry.state)
        except CourseError as error:
            self._say(str(error))
            self._size = size
            return
        self._size, self.problem = size, ""
        self._not_before.clear()
        if state.since != self.state.since or state.champion != self.state.champion:
            self.challenger = None  # until the new one is ready: no answer counts for the wrong trial
            self.failures = 0
            self._pending.pop(self.state.since, None)
            self.state = state
            self.journal.watch(state)
        self.state = state

    def _wanted_challenger(self) -> str | None:
        return None if self.state.since in self._pending and self._barred() else self.state.challenger

    def _barred(self) -> bool:
        return self._pending[self.state.since][0] == "stop"

    def _ensure(self, version: str) -> None:
        """See that a version runs, or is being started."""
        one = self._running.get(version)
        if one is not None and one.dead.is_set():
            del self._running[version]
            LOG.error("%s", say("The process of {version} has ended.", version=version))
            self._keep(self._retire(one))
            if version == self.state.challenger:
                self._end_trial("stop", one, None)
                return
            one = None
        if one is None and version not in self._tasks and time.monotonic() >= self._not_before.get(version, 0.0):
            self._tasks[version] = asyncio.create_task(self._start(version))

    async def _start(self, version: str) -> None:
        one = Upstream(version)
        limits = asdict(self.limits) | {"connections": self.limits.connections + 64, "idle_seconds": 3600.0}
        try:
            bundle = await asyncio.to_thread(self.registry.folder_of, version)
            self.started.append(one)
            await one.start(
                bundle,
                self.folder / "processes" / version,
                name=self.name,
                limits=limits,
                command=self.commands.get(version),
            )
            self._running[version] = one
        except Exception as error:
            if one in self.started:
                self.started.remove(one)
            why = str(error) if isinstance(error, CourseError) else type(error).__name__
            self._not_before[version] = time.monotonic() + _AGAIN_SECONDS
            if version == self.state.challenger:
                self._end_trial("stop", say("It could not be started: {why}", why=why), None)
            else:
                self._say(why)
        finally:
            self._tasks.pop(version, None)

    async def _retire(self, one: Upstream) -> None:
        await one.stop()
        if one in self.started:
            self.started.remove(one)

    def _keep(self, ending: Any) -> None:
        task = asyncio.get_running_loop().create_task(ending)
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)

    # -------------------------------------------------------------------------------------------------------- decisions

    def _decided_elsewhere(self, trial: Trial) -> None:
        """The journal's thread: the test has decided."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._decided, trial.since, trial.decision, trial.as_json())

    def _decided(self, since: int, decision: str, evidence: dict[str, Any]) -> None:
        if since != self.state.since:
            return
        if decision == "stop":
            why = say("The sequential test found it worse than the champion.")
        elif self.state.auto:
            why = say("The sequential test found it better than the champion.")
        else:
            return
        self._end_trial(decision, why, evidence)

    def _end_trial(self, event: str, why: str | Upstream, evidence: dict[str, Any] | None) -> None:
        """Have the log told; a challenger that is stopped is not asked any more from now on, told or not."""
        if self.state.challenger is None or self.state.since in self._pending:
            return
        self._pending[self.state.since] = (event, why, evidence)
        if event == "stop":
            self.challenger = None

    async def _tell(self) -> None:
        since, state = self.state.since, self.state
        if since not in self._pending or time.monotonic() < self._not_before.get("log", 0.0):
            return
        event, why, evidence = self._pending[since]
        if isinstance(why, Upstream):
            why = say("Its process has ended. {how}", how=await asyncio.to_thread(why.how_it_ended))
            self._pending[since] = event, why, evidence
        try:
            if event == "stop":
                await asyncio.to_thread(self.registry.stop, why, evidence=evidence, since=since)
            else:
                await asyncio.to_thread(self.registry.promote, state.challenger, why, evidence=evidence, since=since)
            LOG.warning("%s", say("{version}: {event}. {why}", version=state.challenger, event=event, why=why))
        except CourseError as error:
            # Somebody else was quicker, which the next look will show; or the disk takes nothing: once more later.
            self._not_before["log"] = time.monotonic() + _AGAIN_SECONDS
            self._say(str(error))

    def _say(self, problem: str) -> None:
        if problem != self.problem:
            LOG.error("%s", problem)
        self.problem = problem
