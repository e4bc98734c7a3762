"""What the service says of itself as OpenAPI: the form of each request, with the limits as bounds, and the answers."""

from typing import Any

from course_utils.language import say
from course_utils.serving.answers import Answering
from course_utils.serving.limits import Limits
from course_utils.serving.reading import SIDE

_ERROR = {
    "type": "object",
    "properties": {"error": {"type": "string"}},
    "required": ["error"],
    "additionalProperties": False,
}
_PIXEL = {"type": "integer", "minimum": 0, "maximum": 255}
REFUSALS = {
    400: "The request says nothing that can be answered.",
    401: "The API key is missing or wrong.",
    408: "The request did not come in time.",
    413: "The request is too large.",
    415: "The body is not JSON.",
    503: "Too many requests, or the service is stopping; Retry-After says when to try again.",
    504: "The model did not answer in time.",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of an endpoint, for FastAPI's ``responses``."""
    content = {"application/json": {"schema": _ERROR}}
    return {status: {"description": REFUSALS[status], "content": content} for status in statuses or REFUSALS}


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    wanted = list(properties) if required is None else required
    return {"type": "object", "properties": properties, "required": wanted}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _answer(schema: dict[str, Any], description: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": description, "content": {"application/json": {"schema": schema}}}}


def predict(inputs: str, answering: Answering, limits: Limits) -> dict[str, Any]:
    """Body and answers of ``POST /v1/predict``, as arguments of FastAPI's route."""
    bounds = {"type": "array", "minItems": 1, "maxItems": limits.items}
    fields = {
        "texts": {**bounds, "items": {"type": "string", "maxLength": limits.characters}},
        "images": {**bounds, "items": _square()},
        "images_png": {**bounds, "items": {"type": "string", "contentEncoding": "base64", "pattern": "^iVBORw0KGgo"}},
    }
    kinds = ["texts"] if inputs == "texts" else ["images", "images_png"]
    shapes = [{**_object({name: fields[name]}), "additionalProperties": False} for name in kinds]
    share = {"type": "number", "minimum": 0, "maximum": 1}
    one = _object(
        {
            "label": {"enum": [*answering.names, None]},
            "person": {"type": "boolean"},
            "probabilities": _object(dict.fromkeys(answering.names, share)),
        }
    )
    text = {"type": "string"}
    answer = _object({"model": text, "version": text, "answers": {"type": "array", "items": one}})
    return {
        "openapi_extra": _body(shapes[0] if len(shapes) == 1 else {"oneOf": shapes}),
        "responses": _answer(answer, say("An answer for each item, in their order.")) | refusals(),
    }


def _square() -> dict[str, Any]:
    side = {"type": "array", "minItems": SIDE, "maxItems": SIDE}
    return {**side, "items": {**side, "items": _PIXEL}}


def infer(metadata: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """Body and answers of ``POST /v2/models/NAME/infer``, as arguments of FastAPI's route."""
    tensor = metadata["inputs"][0]
    length = {"type": "integer", "minimum": 1, "maximum": limits.items}
    axes = [length, *({"const": n} for n in tensor["shape"][1:])]
    one = {"type": "string"} if tensor["datatype"] == "BYTES" else {"anyOf": [_PIXEL, _square()]}  # flat, or nested
    data = {"type": "array", "minItems": 1, "items": one}
    given = _object(
        {
            "name": {"const": tensor["name"]},
            "datatype": {"const": tensor["datatype"]},
            "shape": {"type": "array", "prefixItems": axes, "minItems": len(axes), "maxItems": len(axes)},
            "data": data,
        }
    )
    names = [one["name"] for one in metadata["outputs"]]
    asked = {"type": "array", "items": _object({"name": {"enum": names}})}
    request = _object(
        {
            "id": {"type": "string"},
            "inputs": {"type": "array", "minItems": 1, "maxItems": 1, "items": given},
            "outputs": asked,
        },
        ["inputs"],
    )
    text, whole = {"type": "string"}, {"type": "array", "items": {"type": "integer"}}
    output = _object({"name": {"enum": names}, "datatype": text, "shape": whole, "data": {"type": "array"}})
    answer = _object(
        {"model_name": text, "model_version": text, "id": text, "outputs": {"type": "array", "items": output}},
        ["model_name", "outputs"],
    )
    return {
        "openapi_extra": _body(request),
        "responses": _answer(answer, say("The outputs that were asked for.")) | refusals(),
    }
