"""A version that answers: a service in a process of its own, and the lines on which it is asked.

Written on asyncio's streams, for one kind of server only, our own: it answers with Content-Length, and keeps a line
open. All methods belong to the event loop.
"""

import asyncio
import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils import processes
from course_utils.errors import CourseError
from course_utils.language import say

START_SECONDS = 60.0  # until a version must answer, loading included
_HEAD_BYTES = 65_536
_PATIENCE = 15.0  # for an end in which everything is answered
_LAST_SECONDS = 1.0  # when it is, and only what nobody waits for any more may still be worked on


class Failed(Exception):
    """No answer has come; ``why`` is short: "time", "connection"."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers with names in lower case, content."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def good(self) -> bool:
        """Whether the request was answered and not refused."""
        return 200 <= self.status < 300


class Upstream:
    """One version's process. `start` it, `ask` it, `stop` it; ``dead`` is set when the process has ended.

    ``in_flight`` counts what was asked and is not answered; a version that is replaced is stopped when that is 0.
    """

    def __init__(self, version: str) -> None:
        self.version = version
        self.dead = asyncio.Event()
        self.retired = False
        self.in_flight = 0
        self.url = ""
        self.child: processes.Child | None = None
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._key = secrets.token_urlsafe(24)  # only the front may ask it

    async def start(
        self, bundle: Path, folder: Path, *, name: str, limits: dict[str, Any], command: Sequence[str] | None = None
    ) -> None:
        """Start it in ``folder`` and wait until it answers. Raises CourseError where it does not.

        ``name`` is what the model is called, ``command`` another program than the course's service.
        """
        folder.mkdir(parents=True, exist_ok=True)
        job = {"bundle": str(bundle.absolute()), "host": "127.0.0.1", "port": 0, "key": self._key, "threads": 1,
               "limits": limits, "name": name}  # fmt: skip
        command = command or processes.python("course_utils.serving.worker")
        loop = asyncio.get_running_loop()
        said: asyncio.Future[dict[str, Any]] = loop.create_future()

        def hear(event: dict[str, Any] | None) -> None:
            if event is None:
                self.dead.set()
            if not said.done():
                said.set_result(event or {"event": "ended"})

        try:
            self.child = await asyncio.to_thread(processes.Child, command, folder=folder, job=job)
        except OSError as error:
            raise CourseError(
                say("{version} cannot be started ({why}).", version=self.version, why=error.strerror or str(error))
            ) from error
        threading.Thread(target=_listen, args=(self.child, loop, hear), daemon=True).start()
        try:
            event = await asyncio.wait_for(said, START_SECONDS)
        except BaseException as error:
            await asyncio.shield(asyncio.to_thread(self.child.close))
            if not isinstance(error, TimeoutError):
                raise
            event = {"event": "ended"}
        if event["event"] == "refused":
            await asyncio.to_thread(self.child.close)
            raise CourseError(event["message"])
        if event["event"] != "ready":
            await asyncio.to_thread(self.child.close)
            raise CourseError(
                say("{version} did not start. {how}", version=self.version, how=self.child.how_it_ended())
            )
        self.url = event["url"]

    async def ask(self, method: str, path: str, body: bytes = b"", *, seconds: float) -> Answer:
        """The answer to one request. Raises Failed where none has come within ``seconds``."""
        self.in_flight += 1
        try:
            async with asyncio.timeout(seconds):
                return await self._ask(method, path, body)
        except TimeoutError:
            raise Failed("time") from None
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            raise Failed("connection") from None
        finally:
            self.in_flight -= 1

    def how_it_ended(self) -> str:
        """One sentence on how the process ended."""
        return "" if self.child is None else self.child.how_it_ended()

    async def stop(self) -> None:
        """End it once everything that it was asked is answered."""
        self.retired = True
        until = time.monotonic() + _PATIENCE
        while self.in_flight and time.monotonic() < until and not self.dead.is_set():
            await asyncio.sleep(0.02)
        for _, writer in self._free:
            writer.close()
        self._free.clear()
        if self.child is not None:
            await asyncio.to_thread(self.child.close, 0.0 if self.dead.is_set() else _LAST_SECONDS)

    async def _ask(self, method: str, path: str, body: bytes) -> Answer:
        head = f"{method} {path} HTTP/1.1\r\nHost: front\r\nX-API-Key: {self._key}\r\n"
        if method == "POST":
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        sent = head.encode("latin-1") + b"\r\n" + body
        while self._free:
            try:
                return await self._say(*self._free.pop(), sent)
            except (OSError, asyncio.IncompleteReadError):
                continue  # the line had been closed while it was idle; a question may be asked twice
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return await self._say(*await asyncio.open_connection(host, int(port), limit=_HEAD_BYTES), sent)

    async def _say(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes) -> Answer:
        kept = False
        try:
            writer.write(sent)
            head = await reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")[:-2]
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            content = await reader.readexactly(int(headers.get("content-length", "0")))
            kept = headers.get("connection", "").lower() != "close" and not self.retired
            return Answer(int(first.split(" ", 2)[1]), headers, content)
        finally:
            if kept:
                self._free.append((reader, writer))
            else:
                writer.close()


def _listen(
    child: processes.Child, loop: asyncio.AbstractEventLoop, hear: Callable[[dict[str, Any] | None], None]
) -> None:
    """Hand what a child says to the event loop, and None at its end."""
    for event in child.events():
        with contextlib.suppress(RuntimeError):  # the loop is gone
            loop.call_soon_threadsafe(hear, event)
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(hear, None)
