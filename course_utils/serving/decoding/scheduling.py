"""Who joins the batch and who leaves it: first come first served, as many as there are slots, the others wait.

All of it belongs to the event loop; only a step of the batch runs in a thread of its own.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from course_utils.language import say
from course_utils.serving.decoding.batch import Batch, Sequence
from course_utils.serving.decoding.writing import Writing
from course_utils.serving.limits import Limits, Refusal, busy


class Stream:
    """A request on its way: what has been written and not been sent yet, and how it ended.

    Of a slow reader's answer what waits is at most the answer, which its tokens bound; the slot is free when the last
    of them is written, read or not. Moments are `time.perf_counter`'s; 0: not yet.
    """

    def __init__(self, sequence: Sequence, writing: Writing) -> None:
        self.sequence, self.writing = sequence, writing
        self.error: BaseException | None = None
        self.gone = False  # nobody reads any more
        self.came, self.joined, self.first, self.last = time.perf_counter(), 0.0, 0.0, 0.0
        self._text: list[str] = []
        self._changed = asyncio.Event()

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.error is not None or self.writing.finish is not None

    def put(self, token: int) -> None:
        """Take a token that was written."""
        self.last = time.perf_counter()
        self.first = self.first or self.last
        text = self.writing.add(token)
        if text:
            self._text.append(text)
        if text or self.over:
            self._changed.set()

    def fail(self, error: BaseException) -> None:
        """End with an exception, which the reader gets."""
        self.error = error
        self._changed.set()

    async def next(self) -> tuple[str, bool]:
        """All text since the last call, once there is some, and whether it was the last; raises what ended it."""
        await self._changed.wait()
        self._changed.clear()
        if self.error is not None:
            raise self.error
        text = "".join(self._text)
        self._text.clear()
        return text, self.over


class Scheduler:
    """Keeps a batch full.

    ``stepped(tokens, sequences, seconds)`` is told each step, ``written(stream, before)`` each token with the moment of
    the one before it (0: there was none).
    """

    def __init__(
        self,
        batch: Batch,
        limits: Limits,
        *,
        stepped: Callable[[int, int, float], None] = lambda tokens, sequences, seconds: None,
        written: Callable[[Stream, float], None] = lambda stream, before: None,
    ) -> None:
        self.batch, self.limits, self.stepped, self.written = batch, limits, stepped, written
        self.waiting: deque[Stream] = deque()
        self.active: dict[Sequence, Stream] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="decoder", initializer=self._one_core)
        self._cores: Any = None
        self._task: asyncio.Task | None = None
        self._seconds = 0.1  # that a slot is held, as the last ones were

    def submit(self, sequence: Sequence, writing: Writing) -> Stream:
        """Take a request; raises Refusal (503) where too many wait."""
        if len(self.waiting) >= self.limits.waiting:
            raise busy(
                say("Too many requests are waiting; try again a little later."),
                reason="queue_full",
                after=len(self.waiting) / self.batch.slots * self._seconds,
            )
        stream = Stream(sequence, writing)
        self.waiting.append(stream)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())
        return stream

    def cancel(self, stream: Stream) -> None:
        """Write no more of a request: its client has gone. Its slot is free before the next step."""
        stream.gone = True
        if stream in self.waiting:
            self.waiting.remove(stream)

    def give_up(self) -> int:
        """Tell every request that the service has stopped; returns how many there were."""
        left = [one for one in (*self.waiting, *self.active.values()) if not one.over and not one.gone]
        for stream in left:
            stream.fail(_stopping())
        return len(left)

    def close(self) -> None:
        """Let go of the thread; a step that still runs is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._cores is not None:
            self._cores.restore_original_limits()

    def _one_core(self) -> None:
        """Products this small are no faster on several cores, whose threads would wait for each other busily."""
        from threadpoolctl import threadpool_limits

        self._cores = threadpool_limits(1, user_api="blas")

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._let_go()
            self._admit()
            if not self.active:
                return
            began = time.perf_counter()
            try:
                found = await loop.run_in_executor(self._pool, self.batch.step)
            except Exception as error:  # what is in the cache is not known any more
                self._fail(error)
                continue
            except BaseException:
                self._fail(_stopping())
                raise
            self.stepped(len(found), len(self.batch), time.perf_counter() - began)
            for sequence in found:
                stream = self.active[sequence]
                before = stream.last
                stream.put(sequence.tokens[-1])
                self.written(stream, before)

    def _admit(self) -> None:
        while self.waiting and len(self.batch) < self.batch.slots:
            stream = self.waiting.popleft()
            if stream.gone or stream.over:
                continue
            stream.joined = time.perf_counter()
            self.active[stream.sequence] = stream
            self.batch.join(stream.sequence)

    def _let_go(self) -> None:
        for stream in [one for one in self.active.values() if one.gone or one.over]:
            del self.active[stream.sequence]
            self.batch.leave(stream.sequence)
            self._seconds += 0.1 * (time.perf_counter() - stream.joined - self._seconds)

    def _fail(self, error: BaseException) -> None:
        for stream in self.active.values():
            stream.fail(error)
        self.active.clear()
        self.batch = Batch(self.batch.network, self.batch.slots)


def _stopping() -> Refusal:
    return busy(say("The service is stopping; try again."), reason="stopping")
