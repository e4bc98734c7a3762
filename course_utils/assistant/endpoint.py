"""A language model behind an OpenAI-shaped endpoint: ``POST …/v1/chat/completions``, one answer by a schema.

Whatever goes wrong becomes one sentence (`EndpointError`), in a bounded time and with a bounded number of bytes, so
that a program can go on without the model.
"""

import contextlib
import http.client
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from course_utils.assistant import schema as schemas
from course_utils.errors import CourseError

MOST_BYTES = 1_000_000
PATH = "/v1/chat/completions"


_HERE = ("127.0.0.1", "localhost", "::1")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would send question and key to a machine that nobody has named."""

    def redirect_request(self, *_: Any) -> None:
        return None


class _Kept:
    """Keeps the connections that are opened, so that one can be ended from outside."""

    def __init__(self, connections: list[http.client.HTTPConnection]) -> None:
        super().__init__()
        self._connections = connections

    def do_open(self, make: Any, request: urllib.request.Request, **given: Any) -> Any:
        def kept(*where: Any, **how: Any) -> http.client.HTTPConnection:
            self._connections.append(make(*where, **how))
            return self._connections[-1]

        return super().do_open(kept, request, **given)  # type: ignore[misc]


class _Http(_Kept, urllib.request.HTTPHandler):
    pass


class _Https(_Kept, urllib.request.HTTPSHandler):
    pass


class EndpointError(CourseError):
    """Why there is no answer; ``kind``: "down", "slow", "status", "rubbish", "schema", or "budget" of who counts."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Completion:
    """An answer that meets its schema, the tokens read and written (None where the endpoint does not say), seconds."""

    value: dict[str, Any]
    tokens_in: int | None
    tokens_out: int | None
    seconds: float


@dataclass(frozen=True)
class Endpoint:
    """An endpoint by its ``address`` ("http://127.0.0.1:8000"); ``seconds`` is all that one answer may take.

    ``key`` is sent as a bearer token where there is one; it is in no message and no representation.
    """

    address: str
    model: str = "default"
    seconds: float = 10.0
    key: str = ""

    def __repr__(self) -> str:
        return f"Endpoint({self.address!r}, {self.model!r}, {self.seconds} s)"

    def complete(self, messages: Sequence[dict[str, str]], schema: dict) -> Completion:
        """Ask for one answer by ``schema``. Raises EndpointError, and CourseError for a schema that cannot be met."""
        schemas.usable(schema)
        wanted = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schemas.sent(schema)}}
        body = {"model": self.model, "messages": list(messages), "response_format": wanted, "temperature": 0}
        began = time.monotonic()
        content = self._post(json.dumps(body).encode(), began + self.seconds)
        value, usage = _answer(content)
        if wrong := schemas.complaint(value, schema):
            raise EndpointError("schema", f"The model's answer does not meet the schema: {wrong}.")
        tokens = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
        counted = [one if isinstance(one, int) and one >= 0 else None for one in tokens]
        return Completion(value, *counted, time.monotonic() - began)

    def _post(self, body: bytes, deadline: float) -> bytes:
        """The reply. The exchange has a thread of its own: a socket's timeout bounds one read, not all of it."""
        outcome: dict[str, Any] = {}
        connections: list[http.client.HTTPConnection] = []

        def exchange() -> None:
            try:
                outcome["content"] = self._exchange(body, connections)
            except BaseException as error:  # raised again below, by whoever has asked
                outcome["error"] = error

        worker = threading.Thread(target=exchange, daemon=True)
        worker.start()
        worker.join(max(0.0, deadline - time.monotonic()))
        if not outcome:
            for connection in connections:  # so that the thread ends, too
                with contextlib.suppress(OSError, AttributeError):
                    connection.sock.shutdown(socket.SHUT_RDWR)
            raise self._late()
        if "error" in outcome:
            raise outcome["error"]
        return outcome["content"]

    def _late(self) -> EndpointError:
        return EndpointError("slow", f"The model at {self.address} has not answered within {self.seconds:g} seconds.")

    def _exchange(self, body: bytes, connections: list[http.client.HTTPConnection]) -> bytes:
        headers = {"Content-Type": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        url = self.address.rstrip("/") + PATH
        try:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("an address begins with http:// or https://")
            proxy = urllib.request.ProxyHandler({} if parts.hostname in _HERE else None)  # None: as the system says
            opener = urllib.request.build_opener(_NoRedirect, proxy, _Http(connections), _Https(connections))
            request = urllib.request.Request(url, body, headers)
            with opener.open(request, timeout=self.seconds) as response:
                content = response.read(MOST_BYTES + 1)
                if len(content) > MOST_BYTES:
                    raise EndpointError("rubbish", f"The model at {self.address} sent more than {MOST_BYTES:,} bytes.")
                return content
        except urllib.error.HTTPError as error:
            raise EndpointError("status", f"The model at {self.address} refused: status {error.code}.") from None
        except (TimeoutError, urllib.error.URLError, OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, TimeoutError):
                raise self._late() from None
            if isinstance(reason, http.client.HTTPException) and not isinstance(reason, ConnectionError):
                what = f"The model at {self.address} sent what is no HTTP ({type(reason).__name__})."
                raise EndpointError("rubbish", what) from None
            words = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
            raise EndpointError("down", f"No model answers at {self.address} ({words}).") from None


def _answer(content: bytes) -> tuple[Any, dict]:
    """The answer and the usage in an endpoint's reply; EndpointError for one that has no answer in it."""
    try:
        reply = json.loads(content, parse_constant=_no_json)
        text = reply["choices"][0]["message"]["content"]
        usage = reply.get("usage") or {}
        return json.loads(text, parse_constant=_no_json), usage if isinstance(usage, dict) else {}
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        start = " ".join(content[:40].decode("utf-8", "replace").split())
        raise EndpointError("rubbish", f"What the model sent is no answer: it begins {start!r}.") from None


def _no_json(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
