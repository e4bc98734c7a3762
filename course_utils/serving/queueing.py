"""The model's queue: bounded, first come first served, and where that pays several requests in one call.

No request waits for others to come. What has come while the model was busy is answered by its next call, so that
batches grow with the load and a lone request pays nothing.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from course_utils.language import say
from course_utils.serving import probing
from course_utils.serving.limits import Limits, Refusal, busy

MOST_TOGETHER = 32  # items in a common call
_IN_PLACE_SECONDS = 0.002  # what a call may take of the event loop, by the measurement


@dataclass(frozen=True, eq=False)
class Call:
    """A call of the model with ``items`` items: what it said or raised, when it began, and its seconds.

    ``steps`` are parts of it that were timed apart, as (name, begin, seconds). Moments are `time.perf_counter`'s.
    """

    found: "np.ndarray | BaseException"
    items: int
    began: float
    seconds: float = 0.0
    steps: Sequence[tuple[str, float, float]] = ()


@dataclass(eq=False)
class Job:
    """A request's items, and what became of them: ``future`` holds probabilities, ``call`` what they came with."""

    items: Any
    future: asyncio.Future = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    came: float = field(default_factory=time.perf_counter)
    call: Call | None = None


class Queue:
    """Calls a model for requests; all methods belong to the event loop, the calls to ``threads`` threads.

    ``observe(items, seconds)`` is told each call; ``steps`` is asked behind each, in its thread, for its parts.
    """

    def __init__(
        self,
        call: Callable[[Any], np.ndarray],
        plan: probing.Plan,
        limits: Limits,
        *,
        threads: int = 1,
        observe: Callable[[int, float], None] = lambda items, seconds: None,
        steps: Callable[[], Sequence[tuple[str, float, float]]] = tuple,
    ) -> None:
        self.call, self.plan, self.limits, self.observe, self.steps = call, plan, limits, observe, steps
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="model")
        self.free = threads
        self.jobs: deque[Job] = deque()
        self.items_waiting = 0
        self.mean_seconds = plan.single  # of an item, as the last calls had it

    async def answer(self, job: Job) -> Call:
        """The call that has done a job: its ``future`` then holds float (n, classes).

        Raises Refusal: 503 where too many wait, 504 where the time is over; and what the model raised.
        """
        items = job.items
        if not self.jobs and self.plan.in_place and self._cost(items) <= _IN_PLACE_SECONDS:
            call = self._timed(items)
            self._finish([job], call)
            job.future.result()
            return call
        if self.items_waiting and self.items_waiting + len(items) > self.limits.waiting:
            raise busy(
                say("Too many requests are waiting; try again a little later."),
                reason="queue_full",
                after=self.items_waiting * self.mean_seconds,
            )
        self.jobs.append(job)
        self.items_waiting += len(items)
        self._start()
        try:
            async with asyncio.timeout(self.limits.answer_seconds):
                await job.future
        except TimeoutError:
            if job.future.done() and not job.future.cancelled():
                raise  # the model's own
            raise Refusal(504, say("The model did not answer in time."), reason="time") from None
        assert job.call is not None
        return job.call

    def give_up(self) -> int:
        """Tell every request that waits that the service has stopped; returns how many there were."""
        left = [job for job in self.jobs if not job.future.done()]
        for job in left:
            job.future.set_exception(busy(say("The service is stopping; try again."), reason="stopping"))
        return len(left)

    def close(self) -> None:
        """Let go of the threads; a call that still runs is not waited for."""
        self.pool.shutdown(wait=False, cancel_futures=True)

    def _cost(self, items: Any) -> float:
        """The seconds of a call by the measurement, which had texts of one length."""
        size = len(items)
        if isinstance(items, list):
            size = max(size, sum(map(len, items)) / probing.CHARACTERS)
        return self.plan.single * size

    def _start(self) -> None:
        """Hand the next call to each thread that is free."""
        while self.free and self.jobs:
            chosen = self._next()
            if not chosen:
                return
            self.free -= 1
            asyncio.get_running_loop().create_task(self._run(chosen))

    def _next(self) -> list[Job]:
        """The jobs of the next call; those that nobody waits for any more are dropped."""
        chosen: list[Job] = []
        items = 0
        while self.jobs:
            job = self.jobs[0]
            if chosen and (not self.plan.together or items + len(job.items) > MOST_TOGETHER):
                break
            self.jobs.popleft()
            self.items_waiting -= len(job.items)
            if not job.future.done():
                chosen.append(job)
                items += len(job.items)
        return chosen

    async def _run(self, jobs: list[Job]) -> None:
        loop = asyncio.get_running_loop()
        begun = time.perf_counter()
        try:
            call = await loop.run_in_executor(self.pool, self._timed, _joined([job.items for job in jobs]))
            if isinstance(call.found, Exception) and len(jobs) > 1:  # one of them may be at fault: each for itself
                for job in jobs:
                    self._finish([job], await loop.run_in_executor(self.pool, self._timed, job.items))
            else:
                self._finish(jobs, call)
        except BaseException as error:
            self._finish(jobs, Call(error, sum(len(job.items) for job in jobs), begun))
            if not isinstance(error, Exception | asyncio.CancelledError):
                raise
        finally:
            self.free += 1
            self._start()

    def _timed(self, items: Any) -> Call:
        """What the model says, or what it raised, and its seconds."""
        began = time.perf_counter()
        try:
            found: np.ndarray | Exception = np.asarray(self.call(items), dtype=np.float64)
            if len(found) != len(items) or not np.isfinite(found).all():
                found = ArithmeticError("the model's answer is not one row of finite numbers for each item")
        except Exception as error:
            found = error
        return Call(found, len(items), began, time.perf_counter() - began, self.steps())

    def _finish(self, jobs: Sequence[Job], call: Call) -> None:
        if call.seconds:
            self.observe(call.items, call.seconds)
            self.mean_seconds += 0.1 * (call.seconds / call.items - self.mean_seconds)
        begin = 0
        for job in jobs:
            job.call = call
            end = begin + len(job.items)
            if not job.future.done():
                if isinstance(call.found, BaseException):
                    job.future.set_exception(call.found)
                else:
                    job.future.set_result(call.found[begin:end])
            begin = end


def _joined(parts: list[Any]) -> Any:
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], list):
        return [one for part in parts for one in part]
    return np.concatenate(parts)
