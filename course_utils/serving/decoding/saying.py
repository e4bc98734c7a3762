"""Answers and errors in the shape of OpenAI's interface."""

import json
import secrets
import time
from typing import Any

from course_utils.serving.decoding.asking import CHAT
from course_utils.serving.limits import Refusal

_KINDS = {401: "authentication_error", 503: "overloaded_error", 504: "timeout_error"}
DONE = b"data: [DONE]\n\n"
_TEXT = "\0"  # stands where the text of a piece comes


def error(refusal: Refusal) -> dict[str, Any]:
    """A refusal as the content of an answer."""
    kind = _KINDS.get(refusal.status, "invalid_request_error" if refusal.status < 500 else "server_error")
    said = {"message": refusal.sentence, "type": kind}
    return {"error": said | {name: getattr(refusal, name, None) for name in ("param", "code")}}


class Saying:
    """One answer: whole, or in pieces. ``path`` says in which of the two shapes, ``name`` is the model's."""

    def __init__(self, path: str, name: str, version: str) -> None:
        self.chat = path == CHAT
        kind, prefix = ("chat.completion", "chatcmpl-") if self.chat else ("text_completion", "cmpl-")
        self.head = {
            "id": prefix + secrets.token_hex(12),
            "object": kind,
            "created": int(time.time()),
            "model": name,
            "system_fingerprint": version,
        }
        self.piece_head = self.head | ({"object": "chat.completion.chunk"} if self.chat else {})
        # All pieces are alike but for their text, so that only the text is written anew each time.
        self._before, self._behind = self._piece(self._delta(_TEXT), None).split(json.dumps(_TEXT).encode())

    def whole(self, text: str, finish: str | None, usage: dict[str, int]) -> dict[str, Any]:
        """The answer in one."""
        said = {"message": {"role": "assistant", "content": text}} if self.chat else {"text": text}
        choice = {"index": 0, **said, "logprobs": None, "finish_reason": finish}
        return self.head | {"choices": [choice], "usage": usage}

    def first(self) -> bytes:
        """What a stream begins with."""
        return self._piece({"delta": {"role": "assistant", "content": ""}}, None) if self.chat else b""

    def piece(self, text: str) -> bytes:
        """A piece of text."""
        return self._before + json.dumps(text, ensure_ascii=False).encode("utf-8") + self._behind

    def last(self, finish: str | None, usage: dict[str, int] | None) -> bytes:
        """What a stream ends with: why it ended, and the tokens where they were asked for."""
        end = self._piece({"delta": {}} if self.chat else {"text": ""}, finish)
        if usage is not None:
            end += event(self.piece_head | {"choices": [], "usage": usage})
        return end + DONE

    def _delta(self, text: str) -> dict[str, Any]:
        return {"delta": {"content": text}} if self.chat else {"text": text}

    def _piece(self, said: dict[str, Any], finish: str | None) -> bytes:
        return event(self.piece_head | {"choices": [{"index": 0, **said, "logprobs": None, "finish_reason": finish}]})


def event(content: Any) -> bytes:
    """One server-sent event; JSON has no line breaks of its own, so that it is one line."""
    return b"data: " + json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n\n"


def usage(prompt: int, written: int) -> dict[str, int]:
    """The tokens of a request."""
    return {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}
