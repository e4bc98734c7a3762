"""What stands before the application: the key, the size of a body and the time it takes, refusals as JSON, the count.

A body is refused by its announced length before any of it is read, and by what has come where none was announced. The
application finds it whole under `BODY` in the request's scope.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from course_utils.language import say
from course_utils.serving.limits import Limits, Refusal, busy, plain
from course_utils.serving.meters import Meters

BODY = "course.body"
ROUTE = "course.route"
LOG = logging.getLogger("course.serve")
# Open to everybody also where there is a key: whether the service lives, its page, and what may be asked how.
OPEN = frozenset({"/", "/healthz", "/readyz", "/openapi.json", "/v2/health/live", "/v2/health/ready"})
_OTHER = "other"

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def json_bytes(content: Any) -> bytes:
    """Content as compact JSON in UTF-8. Raises ValueError for NaN and infinity."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")


class Guard:
    """ASGI: every request goes through here, and none goes out with an exception.

    ``reading`` are the addresses where a POST has a body; anywhere else none is read, and the connection ends behind
    the answer. ``key``: what a client must show as ``Authorization: Bearer …`` or ``X-API-Key`` (None: nothing).
    ``error`` gives the content of a refusal.
    """

    def __init__(
        self,
        app: Any,
        *,
        limits: Limits,
        meters: Meters,
        reading: Collection[str],
        key: str | None = None,
        error: Callable[[Refusal], Any] = plain,
    ) -> None:
        self.app, self.limits, self.meters, self.reading, self.error = app, limits, meters, reading, error
        self.key = None if key is None else _digest(key.encode("utf-8"))
        self.held = 0  # bytes of bodies that are in memory

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request; what is no HTTP goes on as it came."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        status = 0
        held = 0
        headers = dict(scope["headers"])
        announced = b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"

        async def told(message: dict[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if announced and BODY not in scope:  # it may still be on its way
                    message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        try:
            self._allowed(scope["path"], headers)
            if scope["method"] == "POST" and scope["path"] in self.reading:
                length = self._length(headers)
                _content(headers)
                held = length or self.limits.body_bytes
                if self.held and self.held + held > self.limits.held_bytes:
                    held = 0
                    raise busy(say("Too many requests are being read; try again."), reason="memory")
                self.held += held
                scope[BODY] = body = await self._body(receive, length)
                self.held, held = self.held - held + len(body), len(body)  # one in chunks was counted as the largest
            await self.app(scope, receive, told)
        except Refusal as refusal:
            self.meters.refusal(refusal.reason).inc()
            await refuse(told, refusal, self.error)
        except _Gone:
            return
        except Exception as error:
            # The exception's own words may hold what a client sent: the log has its kind and its place.
            LOG.error("%s", say("The service failed ({what}).", what=place(error)))
            if status:
                raise RuntimeError("failed after the answer had begun") from None
            failed = Refusal(500, say("The service failed on this request."), reason="failure")
            await refuse(told, failed, self.error)
        finally:
            self.held -= held
            route = scope.get(ROUTE, _OTHER)
            self.meters.request(route, status).inc()
            self.meters.seconds(route).observe(time.perf_counter() - start)

    def _allowed(self, path: str, headers: dict[bytes, bytes]) -> None:
        """Refuse who does not show the key; the time that takes says nothing about the key."""
        if self.key is None or path in OPEN:
            return
        shown = headers.get(b"x-api-key")
        if shown is None:
            scheme, _, rest = headers.get(b"authorization", b"").partition(b" ")
            shown = rest.strip() if scheme.lower() == b"bearer" else b""
        if not hmac.compare_digest(_digest(shown), self.key):
            raise Refusal(
                401,
                say("This service wants its API key, as Authorization: Bearer KEY."),
                reason="key",
                headers={"WWW-Authenticate": "Bearer"},
            )

    def _length(self, headers: dict[bytes, bytes]) -> int | None:
        """The announced length of the body; None where none is announced."""
        if b"content-length" not in headers:
            return None
        announced = headers[b"content-length"]
        if not announced.isdigit() or len(announced) > 19:
            raise Refusal(400, say("Content-Length is no number of bytes."), reason="meaningless")
        if int(announced) > self.limits.body_bytes:
            raise self._too_large()
        return int(announced)

    def _too_large(self) -> Refusal:
        return Refusal(413, say("The body may have {most:,} bytes.", most=self.limits.body_bytes), reason="too_large")

    async def _body(self, receive: Receive, length: int | None) -> bytes:
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self.limits.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _Gone
                    part = message.get("body", b"")
                    size += len(part)
                    if size > self.limits.body_bytes:
                        raise self._too_large()
                    parts.append(part)
                    if not message.get("more_body"):
                        break
        except TimeoutError:
            raise Refusal(408, say("The body did not come in time."), reason="slow") from None
        return parts[0] if len(parts) == 1 else b"".join(parts)


class _Gone(Exception):
    """The client has gone before it had sent its request."""


def _content(headers: dict[bytes, bytes]) -> None:
    """Refuse a body that is announced as something else than JSON, or as packed."""
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json" or headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise Refusal(
            415, say("The body must be JSON, not packed, with Content-Type: application/json."), reason="content_type"
        )


async def refuse(send: Send, refusal: Refusal, error: Callable[[Refusal], Any] = plain) -> None:
    """Send a refusal; ``error`` gives the content of the answer."""
    body = json_bytes(error(refusal))
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **refusal.headers}
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def place(error: BaseException) -> str:
    """Where an exception comes from and of which kind it is, without its words."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].name}, line {frames[-1].lineno}" if frames else "?"
    return f"{type(error).__name__} in {where}"


def _digest(key: bytes) -> bytes:
    """Keys are compared by their hashes, which are of one length."""
    return hashlib.sha256(key).digest()
