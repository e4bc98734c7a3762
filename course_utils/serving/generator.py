"""Requests sent at given times whatever the server does: the engine of a load test.

Written on asyncio's protocols and the parser of uvicorn, httptools: a request costs a third of the processor time that
it costs with aiohttp (28 against 90 microseconds on one machine), and what the generator uses is missing to a server
on the same machine. asyncio's own timers are a whole millisecond coarse on Linux, longer than a small model takes to
answer; `loop` has finer ones.
"""

import asyncio
import contextlib
import errno
import math
import selectors
import ssl
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from course_utils.serving.target import Target

# Kinds of failure beside "status 503" and its like.
REFUSED = "no connection"  # refused, or not made
CLOSED = "connection closed"  # before the answer was whole
TIMEOUT = "time-out"
NOT_HTTP = "not HTTP"
OWN = "no socket left here"  # the fault of the machine that sends
UNFINISHED = "unfinished"  # stopped before it was answered
_OWN_FAULTS = {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM}
_AT_ONCE = 4  # requests that are sent before answers are read again, where several are overdue
# Seconds without a request after which a connection is not used again: most servers close it after five or more, and a
# request that is just being sent then is lost, which is nobody's fault but would count as one.
IDLE_SECONDS = 3.0
_SWEEP = 0.02  # seconds between two looks for what has waited too long


@dataclass(frozen=True, eq=False)
class Log:
    """What became of each request, in the order in which they were due; times in seconds from the start.

    ``sent`` is when it went out, ``done`` when its answer was whole (math.nan: never); ``kind`` is "" for an answer
    of 2xx, else how it failed. ``late`` is how long after its time the generator came to it, busy server or not.
    """

    due: list[float]
    late: list[float]
    sent: list[float]
    done: list[float]
    kind: list[str]
    processor: float  # share of a processor that sending and reading took
    stopped: bool


class Generator:
    """One run of requests at the times ``due`` (seconds from the start, rising), over at most ``connections``.

    The ``payloads``, whole HTTP requests, are sent in turn. A request that has no answer ``timeout`` seconds after it
    was due has failed, and its connection is cut. With ``fails_fast`` the first failure of one that was due after
    ``counted_from`` ends the run.
    """

    def __init__(
        self,
        target: Target,
        payloads: Sequence[bytes],
        due: Sequence[float],
        *,
        timeout: float,
        connections: int,
        fails_fast: bool = False,
        counted_from: float = 0.0,
    ) -> None:
        self.target, self.payloads, self.due = target, list(payloads), list(due)
        self.timeout, self.connections = timeout, connections
        self.fails_fast, self.counted_from = fails_fast, counted_from
        number = len(self.due)
        self.late, self.sent, self.done = ([math.nan] * number for _ in range(3))
        self.kind: list[str | None] = [None] * number
        self.end = number  # requests from here on are not sent any more
        self.next = self.oldest = self.finished = 0
        self.stopped = False
        self.idle: list[_Connection] = []
        self.all: set[_Connection] = set()
        self.opening: set[asyncio.Task] = set()
        self.waiting: deque[int] = deque()  # due, and no connection free
        self.carried: dict[int, _Connection] = {}
        self._interrupted = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self) -> Log:
        """Send everything and wait for the answers; blocks. `interrupt` ends it early, from another thread."""
        before, began = time.thread_time(), time.monotonic()
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(self._main())
        wall = max(time.monotonic() - began, 1e-9)
        kinds = [UNFINISHED if kind is None else kind for kind in self.kind[: self.next]]
        n = self.next
        return Log(
            self.due[:n],
            self.late[:n],
            self.sent[:n],
            self.done[:n],
            kinds,
            (time.thread_time() - before) / wall,
            self.stopped,
        )

    def interrupt(self) -> None:
        """End the run now, with what there is."""
        self._interrupted.set()
        with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended by itself
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._stop)

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._wrong)
        self.clock = self._loop.time
        self.tls = self.target.tls()
        self.over = self._loop.create_future()
        self.start = self.clock()
        self._send_what_is_due()
        self._sweep()
        if self._interrupted.is_set():
            self._stop()
        await self.over
        self.stopped |= self._interrupted.is_set()
        for task in self.opening:
            task.cancel()
        for connection in list(self.all):
            connection.transport.abort()
        await asyncio.sleep(0)

    def _wrong(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What a callback raised: a connection's end is known already, a fault of this program ends the run."""
        error = context.get("exception")
        if error is not None and not isinstance(error, OSError) and not self.over.done():
            self.over.set_exception(error)

    def _send_what_is_due(self) -> None:
        for _ in range(_AT_ONCE):
            if self.next >= self.end:
                self._look_whether_over()
                return
            number, now = self.next, self.clock() - self.start
            if self.due[number] > now:
                self._loop.call_at(self.start + self.due[number], self._send_what_is_due)
                return
            self.late[number] = now - self.due[number]
            self.next += 1
            self._send(number)
        self._loop.call_soon(self._send_what_is_due)

    def _send(self, number: int) -> None:
        while self.idle:
            connection = self.idle.pop()  # the last one used: few stay in use, and the others may be closed
            if connection.closed:
                continue
            if self.clock() - connection.free_since < IDLE_SECONDS:
                connection.send(number)
                return
            connection.close()
        self.waiting.append(number)
        self._open()

    def _open(self) -> None:
        if self.over.done() or len(self.waiting) <= len(self.opening):
            return
        if len(self.all) + len(self.opening) < self.connections:
            task = self._loop.create_task(self._connect())
            self.opening.add(task)
            task.add_done_callback(self._opened)

    def _opened(self, task: asyncio.Task) -> None:
        self.opening.discard(task)
        self._open()  # for what waits behind one that was refused

    async def _connect(self) -> None:
        target = self.target
        host = {} if self.tls is None else {"ssl": self.tls, "server_hostname": target.host}
        try:
            async with asyncio.timeout(self.timeout):
                await self._loop.create_connection(lambda: _Connection(self), target.address, target.port, **host)
        except (OSError, ssl.SSLError, TimeoutError) as error:
            kind = OWN if getattr(error, "errno", None) in _OWN_FAULTS else REFUSED
            while self.waiting:
                number = self.waiting.popleft()
                if self.kind[number] is None:
                    self._finish(number, kind)
                    break

    def ready(self, connection: "_Connection") -> None:
        """A connection is free: it takes what waits."""
        while self.waiting:
            number = self.waiting.popleft()
            if self.kind[number] is None:
                connection.send(number)
                return
        connection.free_since = self.clock()
        self.idle.append(connection)

    def gone(self, connection: "_Connection") -> None:
        """A connection has ended."""
        self.all.discard(connection)
        if self.waiting:
            self._open()

    def answered(self, number: int, status: int) -> None:
        """The answer to a request is whole."""
        if self.kind[number] is None and not self.over.done():
            self.done[number] = self.clock() - self.start
            self._finish(number, "" if 200 <= status < 300 else f"status {status}")

    def failed(self, number: int, kind: str) -> None:
        """A request has failed without an answer."""
        if self.kind[number] is None and not self.over.done():  # what is cut at the end has not failed
            self._finish(number, kind)

    def _finish(self, number: int, kind: str) -> None:
        self.kind[number] = kind
        self.carried.pop(number, None)
        self.finished += 1
        if kind and self.fails_fast and self.due[number] >= self.counted_from:
            self._stop()
        self._look_whether_over()

    def _look_whether_over(self) -> None:
        if self.next >= self.end and self.finished >= self.next and not self.over.done():
            self.over.set_result(None)

    def _stop(self) -> None:
        self.stopped, self.end = True, self.next
        if not self.over.done():
            self.over.set_result(None)

    def _sweep(self) -> None:
        """What has waited too long has failed; the oldest is always the first to have."""
        now = self.clock() - self.start
        while self.oldest < self.next and (
            self.kind[self.oldest] is not None or now - self.due[self.oldest] > self.timeout
        ):
            number, self.oldest = self.oldest, self.oldest + 1
            if self.kind[number] is None:
                connection = self.carried.get(number)
                self.done[number] = now
                self._finish(number, TIMEOUT)
                if connection is not None:
                    connection.transport.abort()
        if not self.over.done():
            self._loop.call_later(_SWEEP, self._sweep)


class _Connection(asyncio.Protocol):
    """One kept connection with at most one request on it."""

    def __init__(self, generator: Generator) -> None:
        import httptools

        self.generator = generator
        self.parser = httptools.HttpResponseParser(self)
        self.error = httptools.HttpParserError
        self.number: int | None = None  # of the request that is on it
        self.free_since = 0.0
        self.closed = self.framed = self.has_head = False
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.generator.all.add(self)
        self.generator.ready(self)

    def send(self, number: int) -> None:
        generator = self.generator
        self.number, self.framed, self.has_head = number, False, False
        generator.carried[number] = self
        generator.sent[number] = generator.clock() - generator.start
        self.transport.write(generator.payloads[number % len(generator.payloads)])

    def data_received(self, data: bytes) -> None:
        if self.number is None:  # nobody asked
            self.close()
            return
        try:
            self.parser.feed_data(data)
        except self.error:  # an upgrade to another protocol is one, too
            self._fail(NOT_HTTP)
            self.transport.abort()

    def on_header(self, name: bytes, _: bytes) -> None:
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self.framed = True

    def on_headers_complete(self) -> None:
        self.has_head = self.parser.get_status_code() >= 200

    def on_message_complete(self) -> None:
        status = self.parser.get_status_code()
        if status < 200 or self.number is None:  # "100 Continue" is no answer yet
            return
        number, self.number = self.number, None
        keep = self.parser.should_keep_alive()
        self.generator.answered(number, status)
        if keep and not self.closed and not self.transport.is_closing():
            self.generator.ready(self)
        else:
            self.close()

    def connection_lost(self, _: Exception | None) -> None:
        self.closed = True
        if self.number is not None and self.has_head and not self.framed:
            number, self.number = self.number, None  # an answer without a length ends with its connection
            self.generator.answered(number, self.parser.get_status_code())
        self._fail(CLOSED)
        self.generator.gone(self)

    def _fail(self, kind: str) -> None:
        if self.number is not None:
            number, self.number = self.number, None
            self.generator.failed(number, kind)

    def close(self) -> None:
        """End it; nothing is on it any more."""
        self.closed = True
        self.transport.close()


def loop() -> asyncio.AbstractEventLoop:
    """An event loop whose timers are as fine as the system's."""
    if not hasattr(selectors, "EpollSelector"):
        return asyncio.SelectorEventLoop()
    return asyncio.SelectorEventLoop(_fine_selector())


def _fine_selector() -> selectors.BaseSelector:
    """An epoll that waits for microseconds: epoll_wait knows milliseconds only, but select can wait for an epoll."""
    import select

    class Fine(selectors.EpollSelector):
        def select(self, timeout: float | None = None) -> list:
            if timeout is not None and timeout > 0:
                select.select([self.fileno()], [], [], timeout)
                timeout = 0
            return super().select(timeout)

    made = Fine()
    if made.fileno() < 1024:  # the most that select takes
        return made
    made.close()
    return selectors.DefaultSelector()
