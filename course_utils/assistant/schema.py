"""What a model must answer: a small part of JSON Schema, checked by the program and not by the model.

An object with named properties, each a string, a number, an integer, a boolean or a list of strings, some of them
required, a string perhaps out of a list (``enum``). Nothing else is let in. Enough for an answer or a call.
"""

from typing import Any

from course_utils.errors import CourseError

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
}


def usable(schema: Any) -> None:
    """Raise CourseError for a schema that is none, or that no answer can meet."""
    if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict):
        raise CourseError('A schema is a dictionary with "properties": {"answer": {"type": "string"}}, for example.')
    for name, wanted in schema["properties"].items():
        kind = wanted.get("type") if isinstance(wanted, dict) else None
        if kind not in _TYPES:
            raise CourseError(f"The schema's {name!r} has the type {kind!r}; known are {', '.join(_TYPES)}.")
        if "enum" in wanted and not wanted["enum"]:
            raise CourseError(f"No answer can meet the schema: {name!r} must be one of an empty list.")
    if missing := sorted(set(schema.get("required", ())) - set(schema["properties"])):
        raise CourseError(
            f"No answer can meet the schema: it requires {missing[0]!r}, which is not among its properties."
        )


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
        kind, choices = properties[name]["type"], properties[name].get("enum")
        fits = isinstance(one, _TYPES[kind]) and (kind == "boolean" or not isinstance(one, bool))
        if not fits or (kind == "array" and not all(isinstance(item, str) for item in one)):
            return f"{name!r} is not of the type {kind}"
        if choices is not None and one not in choices:
            return f"{name!r} is none of the values allowed"
    return ""
