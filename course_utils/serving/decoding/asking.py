"""What a request for text may say, as OpenAI's interface has it, read strictly; else a `Refusal` that says why.

What this service does not do (several answers, tools, log-probabilities, pictures, penalties) is refused where a
request asks for it, and passed over where it says that it does not want it. Nothing that a client sent is repeated in a
sentence, so that a log may hold every sentence.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from course_utils.bundles.decoder import Decoder
from course_utils.language import say
from course_utils.serving import reading
from course_utils.serving.decoding.forms import Form
from course_utils.serving.decoding.machine import Unmeant
from course_utils.serving.limits import Limits, Refusal

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
DEFAULT_TOKENS = 16  # of /v1/completions, as OpenAI has it; a chat may go on as long as it may
STOPS, STOP_CHARACTERS = 4, 200

_SHARED = {"model", "max_tokens", "temperature", "top_p", "seed", "stop", "stream", "stream_options", "response_format"}
_FIELDS = {CHAT: _SHARED | {"messages", "max_completion_tokens"}, COMPLETIONS: _SHARED | {"prompt"}}
_ASIDE = {"user", "metadata", "service_tier", "safety_identifier", "prompt_cache_key"}  # change no answer
_OFF = {  # what is not done here, with the values that ask for nothing
    "n": (1,),
    "best_of": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "echo": (False,),
    "store": (False,),
    "suffix": ("",),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "parallel_tool_calls": (True, False),
    "functions": ([],),
    "modalities": (["text"],),
}


class Unmet(Refusal):
    """A refusal that names the field at fault, ``param``, and has a ``code``, as OpenAI's errors do."""

    def __init__(self, sentence: str, param: str | None = None, *, status: int = 400, code: str | None = None) -> None:
        super().__init__(status, sentence, reason="too_long" if code == "context_length_exceeded" else "meaningless")
        self.param, self.code = param, code


@dataclass(frozen=True)
class Asked:
    """A request that can be answered: at most ``most`` tokens behind ``prompt``.

    ``stream``: the text is sent while it is written; ``usage``: its last piece counts the tokens. ``allowed`` is for
    `batch.Sequence`.
    """

    prompt: list[int]
    most: int
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    stream: bool = False
    usage: bool = False
    allowed: Callable[[list[int]], np.ndarray] | None = field(default=None, repr=False)


def asked(request: Mapping[str, Any], path: str, model: Decoder, name: str, limits: Limits) -> Asked:
    """The request of a body to `CHAT` or `COMPLETIONS`. Raises Refusal."""
    said = {key: value for key, value in request.items() if value is not None and key not in _ASIDE}
    _only_known(said, path)
    if not isinstance(said.get("model", name), str):
        raise Unmet(say("model must be a text."), "model")
    if said.get("model", name) != name:
        raise Unmet(
            say("This service has no such model; it has {name}.", name=name),
            "model",
            status=404,
            code="model_not_found",
        )
    prompt = _conversation(said, model, limits) if path == CHAT else _prompt(said, model, limits)
    stream = _flag(said, "stream")
    options = said.get("stream_options", {})
    if not isinstance(options, dict) or set(options) - {"include_usage", "include_obfuscation"}:
        raise Unmet(say("stream_options may hold include_usage, true or false."), "stream_options")
    if options and not stream:
        raise Unmet(say("stream_options is for requests with stream: true."), "stream_options")
    most = _most(said, path, len(prompt), model.network.shape.context, limits)
    return Asked(
        prompt=prompt,
        most=most,
        temperature=_number(said, "temperature", 1.0, 0.0, 2.0),
        top_p=_number(said, "top_p", 1.0, 0.0, 1.0),
        seed=_seed(said),
        stop=_stop(said) + _behind(model, path),
        stream=stream,
        usage=_flag(options, "include_usage"),
        allowed=_form(said, model, most),
    )


def _only_known(said: Mapping[str, Any], path: str) -> None:
    for name, value in said.items():
        if name in _OFF:
            # bool is a number to Python: true is not 1 here
            if not any(value == off and isinstance(value, bool) == isinstance(off, bool) for off in _OFF[name]):
                raise Unmet(say("This service does not do what {name} asks for; leave it out.", name=name), name)
        elif name not in _FIELDS[path]:
            known = ", ".join(sorted(_FIELDS[path]))
            raise Unmet(say("The request has a field that is not known here; known are {known}.", known=known))


def _conversation(said: Mapping[str, Any], model: Decoder, limits: Limits) -> list[int]:
    """The tokens of the messages of a chat."""
    messages = said.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Unmet(
            say('messages must be a list of at least one message, {"role": "user", "content": "…"}.'), "messages"
        )
    if len(messages) > limits.items:
        raise Unmet(say("At most {most:,} messages are read.", most=limits.items), "messages")
    found = [_message(one, place) for place, one in enumerate(messages)]
    if not any(content.strip() for _, content in found):
        raise Unmet(say("The messages are empty; at least one must say something."), "messages")
    _bounded(sum(len(content.encode("utf-8", "replace")) for _, content in found), model, "messages")
    return _fitting(model.prompt(found), model, "messages")


def _message(one: Any, place: int) -> tuple[str, str]:
    if not isinstance(one, dict) or set(one) - {"role", "content", "name"}:
        raise Unmet(say("Message {place} must have a role and a content, and nothing else.", place=place), "messages")
    role = {"developer": "system"}.get(str(one.get("role")), one.get("role"))
    if role not in ("system", "user", "assistant"):
        raise Unmet(say("The role of message {place} must be system, user or assistant.", place=place), "messages")
    content = one.get("content")
    if isinstance(content, list) and all(
        isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str) for part in content
    ):
        content = "".join(part["text"] for part in content)
    if not isinstance(content, str):
        raise Unmet(
            say("The content of message {place} must be a text, or a list of parts of the type text.", place=place),
            "messages",
        )
    return str(role), reading.whole(content)


def _prompt(said: Mapping[str, Any], model: Decoder, limits: Limits) -> list[int]:
    """The tokens of the prompt of a completion: one text, or the numbers of its tokens."""
    prompt = said.get("prompt")
    if isinstance(prompt, list) and len(prompt) == 1 and isinstance(prompt[0], str | list):
        prompt = prompt[0]
    if isinstance(prompt, list) and prompt and all(type(one) is int for one in prompt):
        if not all(0 <= one < model.network.shape.vocabulary for one in prompt):
            raise Unmet(
                say("prompt has a token number that the model does not know; they go from 0 to {last:,}.",
                    last=model.network.shape.vocabulary - 1),
                "prompt",
            )  # fmt: skip
        return _fitting(prompt, model, "prompt")
    if not isinstance(prompt, str):
        raise Unmet(say("prompt must be one text, or one list of token numbers."), "prompt")
    if not prompt:
        raise _empty("prompt")
    prompt = reading.whole(prompt)
    _bounded(len(prompt.encode("utf-8")), model, "prompt")
    return _fitting(model.tokenizer.encode(prompt), model, "prompt")


def _bounded(size: int, model: Decoder, param: str) -> None:
    """Refuse a text of so many bytes that it cannot fit, before any time is spent on its tokens."""
    fewest = math.ceil(size / model.tokenizer.longest)
    if fewest >= model.network.shape.context:
        raise _too_long(fewest, model, param)


def _fitting(prompt: list[int], model: Decoder, param: str) -> list[int]:
    if not prompt:  # a text of nothing but bytes that the tokenizer leaves out
        raise _empty(param)
    if len(prompt) >= model.network.shape.context:
        raise _too_long(len(prompt), model, param)
    return prompt


def _empty(param: str) -> Unmet:
    return Unmet(say("The prompt is empty; the model continues a text of at least one character."), param)


def _too_long(tokens: int, model: Decoder, param: str) -> Unmet:
    return Unmet(
        say(
            "The prompt has at least {n:,} tokens; the model reads {most:,} with its answer, so shorten it to "
            "{least:,} or fewer.",
            n=tokens,
            most=model.network.shape.context,
            least=model.network.shape.context - 1,
        ),
        param,
        code="context_length_exceeded",
    )


def _most(said: Mapping[str, Any], path: str, length: int, context: int, limits: Limits) -> int:
    """How many tokens may be written: what is asked for, where that fits, else as many as fit."""
    name = "max_completion_tokens" if "max_completion_tokens" in said else "max_tokens"
    if "max_completion_tokens" in said and "max_tokens" in said:
        raise Unmet(say("Give max_tokens or max_completion_tokens, not both."), name)
    room = min(int(limits.tokens), context - length)
    if name not in said:
        return room if path == CHAT else min(room, DEFAULT_TOKENS)
    wanted = said[name]
    if type(wanted) is not int or wanted < 1:
        raise Unmet(say("{name} must be a whole number of 1 or more.", name=name), name)
    if wanted > limits.tokens:
        raise Unmet(say("{name} may be {most:,} at most.", name=name, most=int(limits.tokens)), name)
    if wanted > room:
        raise Unmet(
            say(
                "The prompt's {n:,} tokens leave room for {room:,} in the model's {context:,}; {name} asks for more.",
                n=length,
                room=room,
                context=context,
                name=name,
            ),
            name,
            code="context_length_exceeded",
        )
    return wanted


def _number(said: Mapping[str, Any], name: str, otherwise: float, least: float, most: float) -> float:
    value = said.get(name, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise Unmet(say("{name} must be a number from {least:g} to {most:g}.", name=name, least=least, most=most), name)
    return float(value)


def _seed(said: Mapping[str, Any]) -> int | None:
    value = said.get("seed")
    if value is None:
        return None
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise Unmet(say("seed must be a whole number of 64 bits."), "seed")
    return value % 2**64


def _flag(said: Mapping[str, Any], name: str) -> bool:
    value = said.get(name, False)
    if not isinstance(value, bool):
        raise Unmet(say("{name} must be true or false.", name=name), name)
    return value


def _stop(said: Mapping[str, Any]) -> tuple[str, ...]:
    value = said.get("stop", [])
    texts = [value] if isinstance(value, str) else value
    fits = isinstance(texts, list) and len(texts) <= STOPS
    if not fits or not all(isinstance(one, str) and 0 < len(one) <= STOP_CHARACTERS for one in texts):
        raise Unmet(
            say("stop must be a text, or a list of at most {n}, of 1 to {most} characters each.", n=STOPS,
                most=STOP_CHARACTERS),
            "stop",
        )  # fmt: skip
    return tuple(texts)


def _behind(model: Decoder, path: str) -> tuple[str, ...]:
    """What stands behind an assistant's message ends it, too; a special token in it is no text, and is left out."""
    behind = model.tokenizer.decode(model.tokenizer.encode_marked(model.chat["assistant"][1]))
    return (behind,) if path == CHAT and behind == model.chat["assistant"][1] != "" else ()


def _form(said: Mapping[str, Any], model: Decoder, most: int) -> Callable[[list[int]], np.ndarray] | None:
    """The tokens that a response_format allows; None for plain text."""
    wanted = said.get("response_format", {"type": "text"})
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind == "text":
        return None
    if kind != "json_schema":
        raise Unmet(say("response_format must be of the type text, or json_schema with a schema."), "response_format")
    held = wanted.get("json_schema")
    if not isinstance(held, dict) or not isinstance(held.get("schema"), dict):
        raise Unmet(say("response_format must hold json_schema with a schema, an object."), "response_format")
    try:
        return Form(held["schema"], model.tokenizer, model.end_token, most).allowed
    except Unmeant as error:
        raise Unmet(str(error), "response_format") from None
