"""What a decoder's service says of itself as OpenAPI."""

from typing import Any

from course_utils.language import say
from course_utils.serving import description
from course_utils.serving.decoding.asking import CHAT, STOP_CHARACTERS, STOPS
from course_utils.serving.limits import Limits

_TEXT, _WHOLE = {"type": "string"}, {"type": "integer"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {"message": _TEXT, "type": _TEXT, "param": _MAYBE_TEXT, "code": _MAYBE_TEXT},
        }
    },
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of an endpoint, for FastAPI's ``responses``."""
    known = description.REFUSALS | {404: "There is no such model, or nothing at this address."}
    content = {"application/json": {"schema": _ERROR}}
    return {status: {"description": known[status], "content": content} for status in statuses or known}


def writing(path: str, name: str, context: int, limits: Limits) -> dict[str, Any]:
    """Body and answers of one of the two endpoints, as arguments of FastAPI's route."""
    stop = {**_TEXT, "minLength": 1, "maxLength": STOP_CHARACTERS}
    tokens = {"type": ["integer", "null"], "minimum": 1, "maximum": int(min(limits.tokens, context - 1))}
    fields: dict[str, Any] = {
        "model": {"const": name},
        "max_tokens": tokens,
        "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
        "top_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        "seed": {"type": ["integer", "null"]},
        "stop": {"anyOf": [stop, {"type": "array", "items": stop, "maxItems": STOPS}, {"type": "null"}]},
        "stream": {"type": ["boolean", "null"]},
        "stream_options": {"type": ["object", "null"], "properties": {"include_usage": {"type": "boolean"}}},
        "response_format": {"type": ["object", "null"], "properties": {"type": {"enum": ["text", "json_schema"]}}},
    }
    if path == CHAT:
        message = {
            "type": "object",
            "required": ["role", "content"],
            "properties": {"role": {"enum": ["system", "developer", "user", "assistant"]}, "content": _TEXT},
        }
        fields |= {"messages": {"type": "array", "minItems": 1, "maxItems": limits.items, "items": message}}
        fields |= {"max_completion_tokens": tokens}
        choice: dict[str, Any] = {"message": {"type": "object"}}
    else:
        fields |= {"prompt": {**_TEXT, "minLength": 1}}
        choice = {"text": _TEXT}
    body = {
        "type": "object",
        "required": ["messages" if path == CHAT else "prompt"],
        "properties": fields,
        "additionalProperties": False,
    }
    choices = {"index": _WHOLE, **choice, "finish_reason": {"enum": ["stop", "length"]}}
    usage = dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), _WHOLE)
    answer = {
        "type": "object",
        "required": ["id", "object", "created", "model", "choices", "usage"],
        "properties": {
            **dict.fromkeys(("id", "object", "model", "system_fingerprint"), _TEXT),
            "created": _WHOLE,
            "choices": {"type": "array", "items": {"type": "object", "properties": choices}},
            "usage": {"type": "object", "properties": usage},
        },
    }
    said = {"application/json": {"schema": answer}, "text/event-stream": {"schema": _TEXT}}
    return {
        "openapi_extra": {"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}},
        "responses": {200: {"description": say("The text, or its pieces."), "content": said}} | refusals(),
    }
