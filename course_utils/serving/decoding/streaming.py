"""How an answer is sent: whole, or piece by piece while it is written; whoever goes away stops it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.responses import Response

from course_utils.language import say
from course_utils.serving.decoding import saying
from course_utils.serving.decoding.scheduling import Scheduler, Stream
from course_utils.serving.guard import LOG, Receive, Send, json_bytes, place
from course_utils.serving.limits import Refusal

HEADERS = ((b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store"),
           (b"x-accel-buffering", b"no"))  # fmt: skip


class Answer(Response):
    """Sends what `Scheduler` writes for one request, in the pieces of ``said``; whole where ``stream`` is False.

    The head of a stream waits for its first piece, so that a refusal is one, with its status. ``seconds`` is the time
    for that, and for a whole answer. ``over`` is called at the end, however it came.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        found: Stream,
        said: saying.Saying,
        *,
        stream: bool,
        usage: bool,
        seconds: float,
        over: Callable[[Stream], None] = lambda stream: None,
    ) -> None:
        super().__init__()
        self.scheduler, self.found, self.said, self.stream, self.usage = scheduler, found, said, stream, usage
        self.seconds, self.over = seconds, over

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer; raises Refusal where nothing has been sent yet."""
        try:
            await _unless_gone(receive, self._streamed(send) if self.stream else self._whole(send))
        finally:
            self.scheduler.cancel(self.found)
            self.over(self.found)

    async def _whole(self, send: Send) -> None:
        async with _in_time(self.seconds):
            text = "".join([piece async for piece in self._pieces()])
        writing = self.found.writing
        body = json_bytes(self.said.whole(text, writing.finish, self._count()))
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _streamed(self, send: Send) -> None:
        async with _in_time(self.seconds):
            text, over = await self.found.next()
        await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
        body = self.said.first() + (self.said.piece(text) if text else b"")
        try:
            while not over:
                await send({"type": "http.response.body", "body": body, "more_body": True})
                text, over = await self.found.next()
                body = self.said.piece(text) if text else b""
            body += self.said.last(self.found.writing.finish, self._count() if self.usage else None)
        except Exception as error:  # the head is out: all that can be said is said in the stream
            body = saying.event(saying.error(_told(error)))
        await send({"type": "http.response.body", "body": body})

    async def _pieces(self) -> AsyncIterator[str]:
        while True:
            text, over = await self.found.next()
            yield text
            if over:
                return

    def _count(self) -> dict[str, int]:
        return saying.usage(len(self.found.sequence.prompt), self.found.writing.tokens)


def _told(error: Exception) -> Refusal:
    """What a client is told of a failure; a fault of our own goes to the log."""
    if isinstance(error, Refusal):
        return error
    LOG.error("%s", say("The service failed ({what}).", what=place(error)))
    return Refusal(500, say("The service failed on this request."), reason="failure")


@contextlib.asynccontextmanager
async def _in_time(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Refusal(504, say("The model did not answer in time."), reason="time") from None


async def _unless_gone(receive: Receive, work: Awaitable[None]) -> None:
    """Do the work, unless the client goes away before it is done."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    working, watching = asyncio.ensure_future(work), asyncio.ensure_future(gone())
    try:
        await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        for task in (working, watching):
            task.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)
