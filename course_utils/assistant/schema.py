"""What a model must answer: a small part of JSON Schema, checked by the program and not by the model.

An object with named properties, each a string, a finite number, an integer, a boolean or a list of strings, some of
them required, a value perhaps out of a list (``enum``), a string of so many characters at most (``maxLength``). A
schema with any other keyword is refused, since nobody would check it. Enough for an answer or a call.
"""

import math
from typing import Any

from course_utils.errors import CourseError

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
}
# Say something to the model or to a reader, and demand nothing.
_WORDS = ("title", "description", "default", "examples", "deprecated", "$comment", "$id", "$schema")
_OF_SCHEMA = ("type", "properties", "required", "additionalProperties", *_WORDS)
_OF_PROPERTY = ("type", "enum", "maxLength", "items", *_WORDS)


def usable(schema: Any) -> None:
    """Raise CourseError for a schema that is none, or that no answer can meet."""
    if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict):
        raise CourseError('A schema is a dictionary with "properties": {"answer": {"type": "string"}}, for example.')
    _known(schema, _OF_SCHEMA, "The schema")
    if schema.get("type", "object") != "object" or schema.get("additionalProperties", False) is not False:
        raise CourseError('The schema must be of the type "object", and additionalProperties, if given, False.')
    if not _strings(schema.get("required", [])):
        raise CourseError(f"The schema's required is {schema['required']!r}; expected is a list of names.")
    for name, wanted in schema["properties"].items():
        kind = wanted.get("type") if isinstance(wanted, dict) else None
        if kind not in _TYPES:
            raise CourseError(f"The schema's {name!r} has the type {kind!r}; known are {', '.join(_TYPES)}.")
        _known(wanted, _OF_PROPERTY, f"The schema's {name!r}")
        if wanted.get("items", {"type": "string"}) != {"type": "string"}:
            raise CourseError(f'The items of the schema\'s {name!r} can only be {{"type": "string"}}.')
        if not isinstance(wanted.get("enum", []), list | tuple):
            raise CourseError(f"The schema's {name!r} has the enum {wanted['enum']!r}; expected is a list.")
        most = wanted.get("maxLength", 0)
        if type(most) is not int or most < 0:
            raise CourseError(f"The schema's {name!r} has the maxLength {most!r}; expected is a whole number.")
        if "enum" in wanted and not any(_fits(one, wanted) for one in wanted["enum"]):
            raise CourseError(f"No answer can meet the schema: {name!r} must be one of a list in which none fits.")
    if missing := sorted(set(schema.get("required", ())) - set(schema["properties"])):
        raise CourseError(
            f"No answer can meet the schema: it requires {missing[0]!r}, which is not among its properties."
        )


def _known(given: dict, keywords: tuple[str, ...], what: str) -> None:
    if unknown := [one for one in given if one not in keywords]:
        raise CourseError(
            f"{what} has the keyword {unknown[0]!r}, which is not checked; known are {', '.join(keywords)}."
        )


def _strings(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)


def sent(schema: dict) -> dict:
    """A usable schema as an endpoint gets it: what `complaint` takes for granted is written out.

    Without it an endpoint that builds a mask of the schema refuses a list, whose items could be anything, and one that
    does not may add properties.
    """
    properties = {
        name: {"items": {"type": "string"}} | wanted if wanted["type"] == "array" else wanted
        for name, wanted in schema["properties"].items()
    }
    return {"type": "object", "additionalProperties": False} | schema | {"properties": properties}


def complaint(value: Any, schema: dict) -> str:
    """What is wrong with an answer by a usable schema, in some words; "" where nothing is."""
    if not isinstance(value, dict):
        return "it is not an object"
    properties = schema["properties"]
    if unknown := sorted(map(str, set(value) - set(properties))):
        return f"{unknown[0]!r} is not asked for"
    if missing := sorted(set(schema.get("required", ())) - set(value)):
        return f"{missing[0]!r} is missing"
    for name, one in value.items():
        wanted = properties[name]
        if not _is_of(one, wanted["type"]):
            return f"{name!r} is not of the type {wanted['type']}"
        if not _fits(one, wanted):
            return f"{name!r} has more than {wanted['maxLength']} characters"
        if "enum" in wanted and one not in wanted["enum"]:
            return f"{name!r} is none of the values allowed"
    return ""


def _is_of(value: Any, kind: str) -> bool:
    fits = isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
    if isinstance(value, float) and not math.isfinite(value):  # json.loads makes infinity of 1e999
        return False
    return fits and (kind != "array" or all(isinstance(item, str) for item in value))


def _fits(value: Any, wanted: dict) -> bool:
    """Whether a value is of the type, and no longer than it may be."""
    too_long = isinstance(value, str) and len(value) > wanted.get("maxLength", len(value))
    return _is_of(value, wanted["type"]) and not too_long
