"""A JSON Schema as a machine over bytes, which reads every JSON text of that form in UTF-8, and no other.

Of an object all properties are read, in the schema's order, and behind a comma or a colon a space or none: a text that
keeps to the machine keeps to the schema, but not every text of the schema is read.
"""

import json
from collections.abc import Container, Iterable, Mapping
from typing import Any

from course_utils.language import say

_SAID_ONLY = {"title", "description", "default", "examples", "$schema", "$id", "$comment", "deprecated"}
_TYPES = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "minItems", "maxItems"},
    "string": {"minLength", "maxLength"},
    "integer": set(),
    "number": set(),
    "boolean": set(),
    "null": set(),
}
_STATES = 20_000  # of a machine
_DEPTH = 24
# A character inside of a JSON string, UTF-8 as the Unicode Standard's table 3-7 has it, or a short escape: from which
# of its states ("": the first) which bytes lead where ("end": the character is whole).
_TAIL = range(0x80, 0xC0)
_CHARACTER = (
    ("", frozenset(range(0x20, 0x80)) - frozenset(b'"\\'), "end"),
    ("", b"\\", "escape"),
    ("escape", b'"\\/bfnrt', "end"),
    ("", range(0xC2, 0xE0), "one more"),
    ("one more", _TAIL, "end"),
    ("", b"\xe0", "E0"),
    ("E0", range(0xA0, 0xC0), "one more"),
    ("", frozenset(range(0xE1, 0xF0)) - {0xED}, "two more"),
    ("two more", _TAIL, "one more"),
    ("", b"\xed", "ED"),
    ("ED", range(0x80, 0xA0), "one more"),
    ("", b"\xf0", "F0"),
    ("F0", range(0x90, 0xC0), "two more"),
    ("", range(0xF1, 0xF4), "three more"),
    ("three more", _TAIL, "two more"),
    ("", b"\xf4", "F4"),
    ("F4", range(0x80, 0x90), "two more"),
)


class Unmeant(Exception):
    """A schema that cannot be kept to here, with the sentence that says why."""


class Machine:
    """A machine over bytes with several ways at a time: state 0 is its begin, ``end`` the state in which it may stop.

    Built by the methods that take the state from which something is read and return the one behind it.
    """

    def __init__(self) -> None:
        self.reads: list[list[tuple[Container[int], int]]] = []  # of each state: (bytes, where they lead)
        self.jumps: list[list[int]] = []  # to where one gets without reading
        self.end = self.state()

    def state(self) -> int:
        """A new state."""
        if len(self.reads) >= _STATES:
            raise Unmeant(say("The schema is too large; ask for less of it at a time."))
        self.reads.append([])
        self.jumps.append([])
        return len(self.reads) - 1

    def one_of(self, begin: int, values: Container[int], end: int | None = None) -> int:
        """Any one of these bytes."""
        end = self.state() if end is None else end
        self.reads[begin].append((values, end))
        return end

    def text(self, begin: int, text: str) -> int:
        """These very characters."""
        for value in text.encode("utf-8"):
            begin = self.one_of(begin, [value])
        return begin

    def maybe(self, begin: int, end: int) -> int:
        """Whatever leads from ``begin`` to ``end``, or nothing of it."""
        self.jumps[begin].append(end)
        return end

    def join(self, ends: Iterable[int]) -> int:
        """One state behind several."""
        end = self.state()
        for one in ends:
            self.jumps[one].append(end)
        return end


def machine_of(schema: Any) -> Machine:
    """The machine of a schema. Raises Unmeant for what is not known here."""
    made = Machine()
    made.end = _value(made, 0, schema, 0)
    return made


def _value(made: Machine, begin: int, schema: Any, depth: int) -> int:
    if not isinstance(schema, dict):
        raise Unmeant(say("A schema must be an object, with a type, an enum, a const or an anyOf."))
    if depth > _DEPTH:
        raise Unmeant(say("The schema is nested too deeply; at most {n} levels are followed.", n=_DEPTH))
    words = set(schema) - _SAID_ONLY
    for name, known in (("const", {"type"}), ("enum", {"type"}), ("anyOf", set())):
        if name in words:
            _only(words - {name}, known)
            held = [schema["const"]] if name == "const" else schema[name]
            if not isinstance(held, list) or not held:
                raise Unmeant(say("{word} must be a list of at least one entry.", word=name))
            if name == "anyOf":
                return made.join([_value(made, begin, one, depth + 1) for one in held])
            held = [one for one in held if "type" not in words or _is_of(one, schema["type"])]
            if not held:
                raise Unmeant(say("No value of {word} is of the type beside it; nothing can be both.", word=name))
            return made.join([made.text(begin, _json(one)) for one in held])
    kinds = schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not isinstance(kinds, list) or not kinds or not all(isinstance(one, str) and one in _TYPES for one in kinds):
        raise Unmeant(
            say("Each schema needs a type of {known}, an enum, a const or an anyOf.", known=", ".join(_TYPES))
        )
    _only(words - {"type"}, set().union(*(_TYPES[kind] for kind in kinds)))
    return made.join([_BUILD[kind](made, begin, schema, depth) for kind in kinds])


def _is_of(value: Any, kinds: Any) -> bool:
    """Whether a value is of one of the types; none of them is known: no."""
    kinds = kinds if isinstance(kinds, list) else [kinds]
    names = {dict: "object", list: "array", str: "string", int: "integer", float: "number", bool: "boolean"}
    name = names.get(type(value), "null")
    return name in kinds or (name == "integer" and "number" in kinds)


def _json(value: Any) -> str:
    """A value as JSON; escaped where it holds half a surrogate pair, which UTF-8 does not have."""
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isascii() or text == text.encode("utf-8", "replace").decode("utf-8") else json.dumps(value)


def _only(words: set[str], known: set[str]) -> None:
    if words - known:
        raise Unmeant(
            say(
                "The schema has a keyword that cannot be kept to here; beside type, enum, const and anyOf there are "
                "{known}.",
                known=", ".join(sorted(set().union(*_TYPES.values()))),
            )
        )


def _separated(made: Machine, begin: int, text: str) -> int:
    """A comma or a colon, and a space or none."""
    behind = made.text(begin, text)
    return made.maybe(behind, made.text(behind, " "))


def _object(made: Machine, begin: int, schema: Mapping[str, Any], depth: int) -> int:
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    if (
        not isinstance(properties, dict)
        or not isinstance(required, list)
        or not set(map(str, required)) <= set(properties)
    ):
        raise Unmeant(say("properties must be an object, and have all that is required."))
    place = made.text(begin, "{")
    for number, (name, inner) in enumerate(properties.items()):
        if number:
            place = _separated(made, place, ",")
        place = _separated(made, made.text(place, _json(name)), ":")
        place = _value(made, place, inner, depth + 1)
    return made.text(place, "}")


def _count(schema: Mapping[str, Any], name: str, otherwise: int | None) -> int | None:
    value = schema.get(name, otherwise)
    if value is not None and (type(value) is not int or not 0 <= value <= 1_000):
        raise Unmeant(say("{word} must be a whole number from 0 to 1,000.", word=name))
    return value


def _bounds(schema: Mapping[str, Any], least: str, most: str) -> tuple[int, int | None]:
    low, high = _count(schema, least, 0) or 0, _count(schema, most, None)
    if high is not None and high < low:
        raise Unmeant(say("{most} is below {least}; nothing can be both.", most=most, least=least))
    return low, high


def _array(made: Machine, begin: int, schema: Mapping[str, Any], depth: int) -> int:
    low, high = _bounds(schema, "minItems", "maxItems")
    inner = schema.get("items")
    place = made.text(begin, "[")
    ends = [] if low else [place]
    for number in range(max(low, 1) if high is None else high):
        start = _separated(made, place, ",") if number else place
        place = _value(made, start, inner, depth + 1)
        if number + 1 >= low:
            ends.append(place)
    if high is None:  # and then as many more as one likes
        more = made.join([place])
        made.jumps[_value(made, _separated(made, more, ","), inner, depth + 1)].append(more)
        ends.append(more)
    return made.text(made.join(ends), "]")


def _string(made: Machine, begin: int, schema: Mapping[str, Any], depth: int) -> int:
    low, high = _bounds(schema, "minLength", "maxLength")
    place = made.text(begin, '"')
    for _ in range(low):
        place = _character(made, place)
    if high is None:
        place = made.join([place])
        made.jumps[_character(made, place)].append(place)
    else:
        ends = [place]
        for _ in range(high - low):
            place = _character(made, place)
            ends.append(place)
        place = made.join(ends)
    return made.text(place, '"')


def _character(made: Machine, begin: int) -> int:
    states = {"": begin}
    for source, values, target in _CHARACTER:
        states[target] = made.one_of(states[source], values, states.get(target))
    return states["end"]


def _digits(made: Machine, begin: int, most: int) -> int:
    """From one digit to ``most``."""
    ends, place = [], begin
    for _ in range(most):
        place = made.one_of(place, b"0123456789")
        ends.append(place)
    return made.join(ends)


def _integer(made: Machine, begin: int, schema: Mapping[str, Any], depth: int) -> int:
    start = made.maybe(begin, made.text(begin, "-"))
    first = made.one_of(start, b"123456789")
    return made.join([made.text(start, "0"), first, _digits(made, first, 14)])


def _number(made: Machine, begin: int, schema: Mapping[str, Any], depth: int) -> int:
    whole = _integer(made, begin, schema, depth)
    return made.join([whole, _digits(made, made.text(whole, "."), 8)])


def _boolean(made: Machine, begin: int, schema: Mapping[str, Any], depth: int) -> int:
    return made.join([made.text(begin, "true"), made.text(begin, "false")])


def _null(made: Machine, begin: int, schema: Mapping[str, Any], depth: int) -> int:
    return made.text(begin, "null")


_BUILD = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "null": _null,
}
