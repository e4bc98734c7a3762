"""The Open Inference Protocol, version 2 (KServe, Triton): a model's metadata, and requests as named tensors."""

from typing import Any

import numpy as np

from course_utils import __version__
from course_utils.language import say
from course_utils.serving import reading
from course_utils.serving.answers import Answering
from course_utils.serving.limits import Limits

_INPUTS = {"texts": ("text", "BYTES", [-1]), "images": ("image", "UINT8", [-1, reading.SIDE, reading.SIDE])}


def server() -> dict[str, Any]:
    """What ``GET /v2`` says."""
    return {"name": "course serve", "version": __version__, "extensions": []}


def metadata(name: str, version: str, inputs: str, answering: Answering) -> dict[str, Any]:
    """What ``GET /v2/models/NAME`` says. The second axis of ``probabilities`` has the order of ``class_names``."""
    tensor, kind, shape = _INPUTS[inputs]
    return {
        "name": name,
        "versions": [version],
        "platform": "course",
        "inputs": [{"name": tensor, "datatype": kind, "shape": shape}],
        "outputs": [
            {"name": "probabilities", "datatype": "FP64", "shape": [-1, len(answering.names)]},
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
        ],
        "parameters": {"class_names": answering.names},
    }


def items(request: dict[str, Any], inputs: str, limits: Limits) -> list[str] | np.ndarray:
    """The items of a request to ``infer``: its one tensor, flat or nested, as its shape says. Raises Refusal."""
    tensor, kind, shape = _INPUTS[inputs]
    given = request.get("inputs")
    wanted = say("Expected is one input: {name}, {kind}, {shape}.", name=tensor, kind=kind, shape=str(shape))
    if not isinstance(given, list) or len(given) != 1 or not isinstance(given[0], dict):
        raise reading.meaningless(wanted)
    given = given[0]
    found, data = given.get("shape"), given.get("data")
    whole = isinstance(found, list) and all(isinstance(n, int) and not isinstance(n, bool) for n in found)
    # Texts may come as (n, 1), too, as clients send them that add an axis for the batch.
    texts = kind == "BYTES" and whole and found[1:] in ([], [1])
    if given.get("name") != tensor or given.get("datatype") != kind or not whole or not isinstance(data, list):
        raise reading.meaningless(wanted)
    if not found or found[0] < 1 or not (texts or found[1:] == shape[1:]):
        raise reading.meaningless(wanted)
    if found[0] > limits.items:
        raise reading.too_large(
            say("{name} has {n:,} items; at most {most:,} are answered.", name=tensor, n=found[0], most=limits.items)
        )
    outputs(request)
    if not isinstance(request.get("id"), str | None):
        raise reading.meaningless(say("The id must be a text."))
    if kind == "BYTES":
        flat = [one for row in data for one in (row if isinstance(row, list) else [row])]
        reading.counted(flat, tensor, limits)
        _agree(len(flat), found)
        return reading.texts(flat, limits)
    wrong = say("The data of {name} must be whole numbers from 0 to 255.", name=tensor)
    try:
        array = np.array(data)
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise reading.meaningless(wrong) from None
    if array.ndim not in (1, 3) or (array.ndim == 3 and list(array.shape) != found):
        _agree(-1, found)
    _agree(array.size, found)
    return reading.pixels(array, wrong).reshape(found)


def _agree(size: int, shape: list[int]) -> None:
    product = 1
    for n in shape:
        product *= n
    if size != product:
        raise reading.meaningless(say("The data does not have the shape that is announced."))


def outputs(request: dict[str, Any]) -> tuple[str, ...]:
    """The outputs that a request asks for; all where it names none. Raises Refusal."""
    known = ("probabilities", "label")
    given = request.get("outputs")
    if given is None or given == []:
        return known
    if not isinstance(given, list) or not all(isinstance(one, dict) and one.get("name") in known for one in given):
        raise reading.meaningless(say("The outputs are {known}.", known=say(" and ").join(known)))
    asked = {one["name"] for one in given}
    return tuple(name for name in known if name in asked)


def answer(
    request: dict[str, Any], name: str, version: str, answering: Answering, shares: np.ndarray
) -> dict[str, Any]:
    """The answer to a request that `items` has read; a label is "" where a person should give it."""
    n, classes = shares.shape
    made = {
        "probabilities": lambda: {"datatype": "FP64", "shape": [n, classes], "data": shares.ravel().tolist()},
        "label": lambda: {
            "datatype": "BYTES",
            "shape": [n],
            "data": [label or "" for label in answering.labels(shares)],
        },
    }
    said = {"model_name": name, "model_version": version}
    if isinstance(request.get("id"), str):
        said["id"] = request["id"]
    return said | {"outputs": [{"name": one} | made[one]() for one in outputs(request)]}
