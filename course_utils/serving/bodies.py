"""What a load test sends: found by asking the server, or read from a file.

The course's own service says in ``/openapi.json`` whether it takes texts or images. A server of the Open Inference
Protocol (KServe, Triton, MLServer) says at ``/v2/models/NAME`` what its inputs are.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.serving.target import Target, ask

PREDICT = "/v1/predict"
_MODEL = re.compile(r"(/v2/models/[^/?]+(?:/versions/[^/?]+)?)(?:/infer)?/?")
_MESSAGES = (
    "Where is my parcel?",
    "I was charged twice for the same order, please send the second amount back.",
    "The app stops with an error as soon as I open the settings on my phone.",
    "How do I change the address of my account?",
    "My password does not work since the update of last night. I tried three times and now the account is locked.",
    "Thank you, that solved it!",
    "The invoice of March lacks our tax number. Could you issue it again, with the number that stands in our contract?",
    "Can I have a refund?",
)
_ROOM = 4_000_000  # numbers in one tensor, at most


def from_file(path: Path) -> list[bytes]:
    """The requests of a file: its content, or each line of one whose name ends in ``.jsonl``.

    Raises CourseError for a file that cannot be read, that is empty or that is no JSON.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CourseError(say("{path} cannot be read: {reason}.", path=path, reason=error.strerror)) from None
    lines = content.splitlines() if path.suffix.lower() == ".jsonl" else [content]
    found = [line.strip() for line in lines if line.strip()]
    if not found:
        raise CourseError(say("{path} is empty; it should hold the JSON of one request.", path=path))
    for number, line in enumerate(found, 1):
        try:
            json.loads(line)
        except (ValueError, RecursionError):
            raise CourseError(
                say(
                    "Request {number} of {path} is no JSON. A file holds one request; one called .jsonl holds one "
                    "in each line.",
                    number=number,
                    path=path,
                )
            ) from None
    return found


def found_by_asking(target: Target, *, timeout: float = 10.0, seed: int = 0) -> tuple[Target, list[bytes | None]]:
    """The path to send to and the bodies for it, for an address without more words.

    ``/`` becomes the service's ``/v1/predict``, with texts or images; ``/v2/models/NAME`` its ``/infer``. Any other
    path is asked with GET, which is the body None. Raises CourseError where the server says nothing of its inputs.
    """
    model = _MODEL.fullmatch(target.path)
    if model:
        return target.at(f"{model[1]}/infer"), _tensors(target.at(model[1]), timeout, seed)
    if target.path not in ("/", PREDICT):
        return target, [None]
    known = _said(target.at("/openapi.json"), timeout)
    properties = _properties(known) if isinstance(known, dict) else set()
    for name, bodies in (("texts", _texts), ("images", _images)):
        if name in properties:
            made = bodies(seed)
            # A service may list both, and take only what its model reads.
            if len(properties & {"texts", "images"}) == 1 or _answer(target.at(PREDICT), made[0], timeout)[0] < 400:
                return target.at(PREDICT), made
    raise CourseError(
        say(
            "The server at {url} does not say what {path} takes. Give a file with the JSON of one request, "
            "--body FILE, and the path in the address (in Python: body=…).",
            url=target.at("/").url,
            path=PREDICT,
        )
    )


def first_answer(target: Target, body: bytes | None, *, timeout: float = 10.0) -> None:
    """Send one request; raises CourseError where none is answered or the server takes exception to what is asked.

    A server that is overloaded or broken (429, 5xx) is what a load test is for, and passes.
    """
    status, content = _answer(target, body, timeout)
    if not 300 <= status < 500 or status in (408, 429):
        return
    if status in (401, 403):
        raise CourseError(
            say("{url} wants a key (status {status}): --api-key-file FILE.", url=target.url, status=status)
        )
    raise CourseError(
        say(
            "{url} does not take this request (status {status}): {answer}",
            url=target.url,
            status=status,
            answer=content[:300].decode("utf-8", "replace") or say("it does not say why."),
        )
    )


def _answer(target: Target, body: bytes | None, timeout: float) -> tuple[int, bytes]:
    try:
        return ask(target, body, timeout=timeout)
    except OSError as error:
        reason = say("no answer within {seconds:g} s", seconds=timeout)
        if not isinstance(error, TimeoutError):
            reason = say("the connection ended, {error}", error=error.strerror or str(error))
        raise CourseError(say("{url} does not answer: {reason}.", url=target.url, reason=reason)) from None


def _said(target: Target, timeout: float) -> Any:
    """The JSON at an address; None where there is none."""
    status, content = _answer(target, None, timeout)
    try:
        return json.loads(content) if status == 200 else None
    except (ValueError, RecursionError):
        return None


def _properties(description: dict) -> set[str]:
    """The names in the JSON that ``/v1/predict`` takes, from an OpenAPI description; references are followed."""
    found: set[str] = set()
    place = description.get("paths")
    for key in (PREDICT, "post", "requestBody"):
        place = place.get(key) if isinstance(place, dict) else None
    pending, seen = [place], set()
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending += node
        elif isinstance(node, dict):
            if isinstance(node.get("properties"), dict):
                found |= set(node["properties"])
            reference = node.get("$ref")
            if isinstance(reference, str) and reference.startswith("#/") and reference not in seen:
                seen.add(reference)
                named: Any = description
                for part in reference[2:].split("/"):
                    named = named.get(part) if isinstance(named, dict) else None
                pending.append(named)
            pending += [value for key, value in node.items() if key != "examples"]
    return found


def _texts(seed: int) -> list[bytes]:
    order = np.random.default_rng(seed).permutation(len(_MESSAGES))
    return [json.dumps({"texts": [_MESSAGES[i]]}).encode() for i in order]


def _images(seed: int) -> list[bytes]:
    """Images of 28 × 28 of a digit's size and ink: a bar, upright, at another place in each."""
    generator = np.random.default_rng(seed)
    made = []
    for column in generator.integers(6, 18, size=8):
        image = np.zeros((28, 28), dtype=int)
        image[4:24, column : column + 4] = generator.integers(128, 256, size=(20, 4))
        made.append(json.dumps({"images": [image.tolist()]}, separators=(",", ":")).encode())
    return made


def _tensors(model: Target, timeout: float, seed: int) -> list[bytes]:
    """Requests for a model of the Open Inference Protocol, from its own description; an open size becomes 1."""
    said = _said(model, timeout)
    generator = np.random.default_rng(seed)
    try:
        inputs = said["inputs"]
        if not inputs:
            raise ValueError(inputs)
        return [
            json.dumps({"inputs": [_tensor(one, generator, number) for one in inputs]}).encode()
            for number in range(len(_MESSAGES))
        ]
    except (AttributeError, KeyError, TypeError, ValueError):
        raise CourseError(
            say(
                "{url} does not say what its inputs are. Give a file with the JSON of one request, --body FILE, "
                "and the address that ends in /infer.",
                url=model.url,
            )
        ) from None


def _tensor(said: dict, generator: np.random.Generator, number: int) -> dict:
    shape: Sequence[int] = [max(1, int(size)) for size in said["shape"]]
    entries = int(np.prod(shape))
    if entries > _ROOM:
        raise ValueError(entries)
    if said["datatype"] == "BYTES":
        data: list = [_MESSAGES[(number + i) % len(_MESSAGES)] for i in range(entries)]
    elif said["datatype"].startswith("FP"):
        data = generator.random(entries).round(4).tolist()
    else:
        data = generator.integers(0, 2, entries).tolist()
    return {"name": said["name"], "shape": list(shape), "datatype": said["datatype"], "data": data}
