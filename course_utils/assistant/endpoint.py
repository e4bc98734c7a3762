"""A language model behind an OpenAI-shaped endpoint: ``POST …/v1/chat/completions``, one answer by a schema.

Whatever goes wrong becomes one sentence (`EndpointError`), in a bounded time and with a bounded number of bytes, so
that a program can go on without the model.
"""

import json
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


class EndpointError(CourseError):
    """Why there is no answer; ``kind``: "down", "slow", "status", "rubbish" or "schema"."""

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
        wanted = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"} | schema}}
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
        headers = {"Content-Type": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        url = self.address.rstrip("/") + PATH
        late = EndpointError("slow", f"The model at {self.address} has not answered within {self.seconds:g} seconds.")
        try:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("an address begins with http:// or https://")
            proxy = urllib.request.ProxyHandler({} if parts.hostname in _HERE else None)  # None: as the system says
            opener = urllib.request.build_opener(_NoRedirect, proxy)
            request = urllib.request.Request(url, body, headers)
            with opener.open(request, timeout=self.seconds) as response:
                content = b""
                # One read ends with what has come; a server that sends a byte a second must not hold us for ever.
                while piece := response.read1(65_536):
                    content += piece
                    if time.monotonic() > deadline:
                        raise late
                    if len(content) > MOST_BYTES:
                        raise EndpointError(
                            "rubbish", f"The model at {self.address} sent more than {MOST_BYTES:,} bytes."
                        )
                return content
        except urllib.error.HTTPError as error:
            raise EndpointError("status", f"The model at {self.address} refused: status {error.code}.") from None
        except (TimeoutError, urllib.error.URLError, OSError, ValueError) as error:
            if isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError):
                raise late from None
            reason = getattr(error, "reason", error)
            words = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
            raise EndpointError("down", f"No model answers at {self.address} ({words}).") from None


def _answer(content: bytes) -> tuple[Any, dict]:
    """The answer and the usage in an endpoint's reply; EndpointError for one that has no answer in it."""
    try:
        reply = json.loads(content)
        text = reply["choices"][0]["message"]["content"]
        usage = reply.get("usage") or {}
        return json.loads(text), usage if isinstance(usage, dict) else {}
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        start = " ".join(content[:40].decode("utf-8", "replace").split())
        raise EndpointError("rubbish", f"What the model sent is no answer: it begins {start!r}.") from None
