"""How much a service takes on: of a request, of all requests together, and of time."""

from dataclasses import dataclass, fields
from typing import Any

from course_utils.errors import CourseError
from course_utils.language import say


@dataclass(frozen=True)
class Limits:
    """What a service refuses to go beyond; each number is above 0. Raises CourseError for another.

    ``body_bytes``, ``items`` and ``characters`` (of one text) are for one request, ``header_bytes`` for its head.
    ``waiting`` is how many items may wait for the model, ``together`` how many items of several requests a call may
    answer (1: each request is a call of its own), ``held_bytes`` how much of unfinished requests is kept in memory,
    ``connections`` how many may be open. Seconds: ``head_seconds`` and ``body_seconds`` for a client to send,
    ``answer_seconds`` for the model with its queue (a text that is streamed: until its first piece), ``idle_seconds``
    for a connection between two requests, ``stop_seconds`` from the signal to stop until the end.

    For a decoder ``slots`` is how many texts are written at a time, ``tokens`` how many a request may have written;
    ``items`` is then for the messages of a conversation, ``waiting`` for requests.
    """

    body_bytes: int = 1_000_000
    items: int = 64
    characters: int = 20_000
    header_bytes: int = 16_384
    waiting: int = 512
    together: int = 32
    slots: int = 16
    tokens: int = 1_024
    held_bytes: int = 64_000_000
    connections: int = 1_000
    head_seconds: float = 10.0
    body_seconds: float = 10.0
    answer_seconds: float = 10.0
    idle_seconds: float = 30.0
    stop_seconds: float = 15.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
                raise CourseError(
                    say("The limit {name} must be a number above 0; it is {value!r}.", name=field.name, value=value)
                )


class Refusal(Exception):
    """What a client is told instead of an answer: an HTTP status, one sentence, and more headers.

    ``reason`` is the refusal's short name in the metrics.
    """

    def __init__(self, status: int, sentence: str, *, reason: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.reason, self.headers = status, sentence, reason, headers or {}


def busy(sentence: str, *, reason: str, after: float = 1.0) -> Refusal:
    """A refusal for now: 503, with the seconds after which another try makes sense."""
    return Refusal(503, sentence, reason=reason, headers={"Retry-After": str(max(1, round(after)))})


def plain(refusal: Refusal) -> dict[str, Any]:
    """A refusal as the content of an answer."""
    return {"error": refusal.sentence}
