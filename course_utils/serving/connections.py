"""A connection of the service: uvicorn's HTTP protocol, with bounds on number, head and time, and polite ends.

uvicorn waits for a request's head as long as it takes, reads a head of any length, and closes a connection while its
client still sends, which takes the answer away from it. Here each connection has a deadline, which the server looks at
twice a second (`expire`), and an answer before the end of its request is followed by a moment of listening.
"""

import math
import time
from collections.abc import Callable, Collection
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from course_utils.language import say
from course_utils.serving.guard import json_bytes
from course_utils.serving.limits import Limits, Refusal, plain

LINGER_SECONDS = 1.0  # that a refused client may go on sending, before the line is cut
_LINGERING = 256  # connections that are refused at a time and still listened to
_CHUNK_OVERHEAD = 16  # bytes on the line for a byte of a body in chunks, at most
_REASONS = {
    400: "Bad Request",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


class Crowd:
    """What the connections of a server share: the limits, those that were refused, whether the server is stopping.

    Who says no more still gets an answer, but at ``costly`` addresses: there it counts as gone, since who closes looks
    the same, and the answer would cost too much to be given to nobody.
    """

    def __init__(
        self,
        limits: Limits,
        refused: Any = lambda reason: None,
        error: Callable[[Refusal], Any] = plain,
        costly: Collection[str] = (),
    ) -> None:
        self.limits, self.refused, self.error, self.costly = limits, refused, error, costly
        self.leaving: set[Connection] = set()
        self.stopping = False
        self.most = limits.connections


def answer(status: int, sentence: str, error: Callable[[Refusal], Any] = plain) -> bytes:
    """A whole HTTP answer, for a request that never reached the application."""
    body = json_bytes(error(Refusal(status, sentence, reason="")))
    head = f"HTTP/1.1 {status} {_REASONS[status]}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    again = "retry-after: 1\r\n" if status == 503 else ""
    return f"{head}{again}connection: close\r\n\r\n".encode("ascii") + body


class Connection(HttpToolsProtocol):
    """One connection; ``crowd`` is set by `of`."""

    crowd: Crowd

    @classmethod
    def of(cls, crowd: Crowd) -> type["Connection"]:
        """The class of a server's connections, which is what uvicorn wants."""
        return type("Connection", (cls,), {"crowd": crowd})

    def connection_made(self, transport: Any) -> None:
        """Take the connection, or answer 503 at once where too many are open."""
        self.deadline = time.monotonic() + self.crowd.limits.head_seconds
        self.in_head = True
        self.head_bytes = self.head_fields = self.request_bytes = self.ignored_bytes = 0
        self.head_too_long = self.left = False
        if len(self.connections) >= self.crowd.most:
            self.transport = transport
            self.crowd.refused("connections")
            sentence = say("Too many connections are open; try again a little later.")
            transport.write(answer(503, sentence, self.crowd.error))
            self._listen_a_moment(transport)
            return
        super().connection_made(transport)
        self.transport = _Polite(transport, self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.crowd.leaving.discard(self)
        if self.flow is not None:  # else it was refused
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes, and hand it to the parser."""
        if self.left:
            self.ignored_bytes += len(data)
            if self.ignored_bytes > 2 * self.crowd.limits.body_bytes:
                self.transport.abort()
            return
        if self.deadline == math.inf:
            self.deadline = time.monotonic() + self.crowd.limits.head_seconds
        self.request_bytes += len(data)
        self.piece_bytes = len(data)
        if self.in_head:
            self.head_bytes += len(data)
        super().data_received(data)
        if self.left or self.transport.is_closing():
            return
        if self.in_head and self.head_bytes > self.crowd.limits.header_bytes:
            self._refuse(431, say("The head of the request is too long."), "head")
        elif self.request_bytes > self.crowd.limits.header_bytes + _CHUNK_OVERHEAD * self.crowd.limits.body_bytes:
            self.crowd.refused("too_large")
            self.transport.abort()

    def eof_received(self) -> bool:
        """A client that has sent its request and says no more still gets its answer."""
        waits = self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body
        waits = waits and not self.left and self.cycle.scope["path"] not in self.crowd.costly
        if waits:
            self.cycle.keep_alive = False
        return bool(waits)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.in_head = True
        self.head_fields = 0
        # What has just come is this request's, but where the piece begins with the end of another one.
        alone = self.cycle is None or self.cycle.response_complete
        self.head_bytes = self.piece_bytes if alone else min(self.piece_bytes, self.crowd.limits.header_bytes // 2)

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A line of the head, or behind a body in chunks."""
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def _count(self, size: int) -> None:
        self.head_fields += size
        if self.head_fields > self.crowd.limits.header_bytes:
            self.head_too_long = True
            raise ValueError("the head is too long")  # the parser stops, and `send_400_response` is called

    def on_headers_complete(self) -> None:
        """The head is whole: the application begins."""
        self.in_head = False
        self.request_bytes = self.head_bytes
        self.extend()
        super().on_headers_complete()
        if self.crowd.stopping and self.cycle is not None:
            self.cycle.keep_alive = False

    def extend(self) -> None:
        """The application has its own limits; this one is for a client that does not fetch its answer."""
        limits = self.crowd.limits
        self.deadline = time.monotonic() + limits.body_seconds + limits.answer_seconds + limits.head_seconds

    def on_response_complete(self) -> None:
        """The answer is out; from now on the connection is idle, and uvicorn closes it after its own time."""
        if not self.pipeline:
            self.deadline = math.inf
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP gets a sentence."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.abort()  # an answer is on its way, and another one would be read as part of it
        elif self.head_too_long:
            self._refuse(431, say("The head of the request is too long."), "head")
        else:
            self._refuse(400, say("This is no HTTP request."), "no_http")

    def stop(self) -> None:
        """The server stops: no request after the one that runs; a line that is silent closes after a moment.

        It stays open for that moment, because a request may be on its way, and would be lost.
        """
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
        else:
            self.deadline = min(self.deadline, time.monotonic() + LINGER_SECONDS)

    def expire(self) -> None:
        """The deadline is over."""
        if self.left:
            self.transport.abort()
        elif self.cycle is not None and not self.cycle.response_complete:
            self.crowd.refused("slow")
            self.transport.abort()  # the client does not fetch its answer
        elif self.head_bytes and self.in_head:
            self._refuse(408, say("The head of the request did not come in time."), "slow")
        else:
            self.transport.close()

    def leave(self, transport: Any) -> None:
        """Close behind an answer; where the client still sends, listen a moment, or it would not get the answer."""
        if self.cycle is not None and self.cycle.more_body and not transport.is_closing():
            self._listen_a_moment(transport)
        else:
            transport.close()

    def _refuse(self, status: int, sentence: str, reason: str) -> None:
        self.crowd.refused(reason)
        self.transport.write(answer(status, sentence, self.crowd.error))
        self._listen_a_moment(self.transport)

    def _listen_a_moment(self, transport: Any) -> None:
        self.left = True
        self.connections.discard(self)
        if len(self.crowd.leaving) >= _LINGERING or not transport.can_write_eof():
            transport = getattr(transport, "line", transport)
            transport.close()
            return
        self.crowd.leaving.add(self)
        self.deadline = time.monotonic() + LINGER_SECONDS
        transport.write_eof()
        if self.flow is not None:
            self.flow.resume_reading()


class _Polite:
    """A transport whose ``close`` asks the connection how; everything else is the transport's own."""

    def __init__(self, line: Any, connection: Connection) -> None:
        self.line, self.connection = line, connection

    def write(self, data: bytes) -> None:
        """Write; who has fetched all that was written before has time anew, for an answer may come piece by piece."""
        if not self.line.get_write_buffer_size():
            self.connection.extend()
        self.line.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.line, name)

    def is_closing(self) -> bool:
        """Whether no answer can be written any more."""
        return self.connection.left or self.line.is_closing()

    def close(self) -> None:
        """Close as the connection wants it."""
        self.connection.leave(self.line)
