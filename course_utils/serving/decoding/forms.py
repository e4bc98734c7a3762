"""Text that is JSON of a given form by construction: which tokens may come next, so that it still can become that.

A JSON Schema is turned into a machine over bytes; a token may come where the machine can read its bytes and the rest
still fits into the tokens that are left. (B. T. Willard and R. Louf (2023), Efficient Guided Generation for Large
Language Models, section 3, https://arxiv.org/abs/2307.09702.) What is written has every property of an object, in the
schema's order, and a space or none behind commas and colons.
"""

import functools
import heapq
import json
from collections.abc import Container, Iterable, Mapping
from typing import Any

import numpy as np

from course_utils.bundles.byte_pairs import BytePairs
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
_KEPT = 4_096  # states whose tokens are remembered
_NEVER = 1 << 30  # bytes to an end that is not reached
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
            return made.join([made.text(begin, _json(one)) for one in held])
    kinds = schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not isinstance(kinds, list) or not kinds or not all(isinstance(one, str) and one in _TYPES for one in kinds):
        raise Unmeant(
            say("Each schema needs a type of {known}, an enum, a const or an anyOf.", known=", ".join(_TYPES))
        )
    _only(words - {"type"}, set().union(*(_TYPES[kind] for kind in kinds)))
    return made.join([_BUILD[kind](made, begin, schema, depth) for kind in kinds])


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


class Tables:
    """A machine with several ways at a time as one with one way, made as far as it is walked.

    A state is the set of the machine's states that are possible, ``start`` the first; ``left`` is how many bytes each
    of the machine's states is away from the end.
    """

    def __init__(self, made: Machine, tokenizer: BytePairs) -> None:
        self.made, self.tokenizer = made, tokenizer
        self.left = _distances(made)
        self.start = self._closed([0])
        self._next: dict[tuple[frozenset[int], int], frozenset[int]] = {}
        self._reach: dict[frozenset[int], np.ndarray] = {}

    def over(self, state: frozenset[int]) -> bool:
        """Whether the text may end here."""
        return self.made.end in state

    def step(self, state: frozenset[int], byte: int) -> frozenset[int]:
        """The state behind a byte; an empty one where it may not come."""
        found = self._next.get((state, byte))
        if found is None:
            found = self._closed([end for one in state for values, end in self.made.reads[one] if byte in values])
            self._next[state, byte] = found
        return found

    def reach(self, state: frozenset[int]) -> np.ndarray:
        """For each token how many bytes are missing to the end behind it, int (vocabulary,); `_NEVER`: it may not come.

        All tokens with one beginning are tried at once, in a tree.
        """
        found = self._reach.get(state)
        if found is None:
            found = np.full(len(self.tokenizer), _NEVER)
            todo = [(tree(self.tokenizer), state)]
            while todo:
                (branches, tokens), at = todo.pop()
                if tokens and at is not state:
                    found[tokens] = min(self.left[one] for one in at)
                todo += [(inner, behind) for byte, inner in branches.items() if (behind := self.step(at, byte))]
            if len(self._reach) >= _KEPT:
                self._reach.clear()
            self._reach[state] = found
        return found

    def _closed(self, states: Iterable[int]) -> frozenset[int]:
        found, todo = set(), list(states)
        while todo:
            one = todo.pop()
            if one not in found:
                found.add(one)
                todo += self.made.jumps[one]
        return frozenset(found)


class Form:
    """The form of one answer of at most ``most`` tokens, ``end`` among them, which is the token behind a text.

    What `allowed` allows ends in time. Raises Unmeant for a schema that is not known here, or that wants more tokens.
    """

    def __init__(self, schema: Mapping[str, Any], tokenizer: BytePairs, end: int | None, most: int) -> None:
        if end is None:
            raise Unmeant(say("This model has no token that ends a text, so no form can be kept to."))
        self.tables = tables(json.dumps(schema), tokenizer)
        self.end, self.most = end, most
        self.state, self.seen = self.tables.start, 0
        fewest = self._fewest(tokenizer)
        if fewest > most:
            raise Unmeant(
                say(
                    "The shortest answer of this schema has {n:,} tokens with its end, and {most:,} may be written; "
                    "allow for more, or ask for less.",
                    n=fewest,
                    most=most,
                )
            )

    def allowed(self, tokens: list[int]) -> np.ndarray:
        """Which tokens may come behind those that were written, bool (vocabulary,); at least one may."""
        for token in tokens[self.seen :]:
            self.state = self._behind(self.state, self.tables.tokenizer.pieces[token])
        self.seen = len(tokens)
        missing = self.tables.reach(self.state)
        found = missing <= self.most - len(tokens) - 2  # behind this token: a token for each byte, and the end
        if self.tables.over(self.state):
            found[self.end] = True
        elif not found.any():
            found[missing.argmin()] = True
        return found

    def _behind(self, state: frozenset[int], piece: bytes) -> frozenset[int]:
        for byte in piece:
            state = self.tables.step(state, byte)
        return state

    def _fewest(self, tokenizer: BytePairs) -> int:
        """The tokens of the answer that `allowed` allows where there is room for no other."""
        state, count = self.tables.start, 1
        while not self.tables.over(state):
            state = self._behind(state, tokenizer.pieces[int(self.tables.reach(state).argmin())])
            count += 1
        return count


@functools.lru_cache(16)
def tables(schema: str, tokenizer: BytePairs) -> Tables:
    """The tables of a schema in JSON, kept for the next request that has it."""
    return Tables(machine_of(json.loads(schema)), tokenizer)


@functools.lru_cache(4)
def tree(tokenizer: BytePairs) -> tuple[dict[int, Any], list[int]]:
    """The tokens of a tokenizer by their bytes: (byte → the tree behind it, the tokens that end here)."""
    root: tuple[dict[int, Any], list[int]] = ({}, [])
    for token, piece in enumerate(tokenizer.pieces):
        place = root
        for byte in piece:
            place = place[0].setdefault(byte, ({}, []))
        if piece:
            place[1].append(token)
    return root


def _distances(made: Machine) -> list[int]:
    """For each state of a machine the fewest bytes to its end (E. W. Dijkstra's way, from the end back)."""
    before: list[list[tuple[int, int]]] = [[] for _ in made.reads]
    for state, (reads, jumps) in enumerate(zip(made.reads, made.jumps, strict=True)):
        for _, end in reads:
            before[end].append((state, 1))
        for end in jumps:
            before[end].append((state, 0))
    found = [_NEVER] * len(before)
    todo = [(0, made.end)]
    while todo:
        far, state = heapq.heappop(todo)
        if far < found[state]:
            found[state] = far
            for one, size in before[state]:
                heapq.heappush(todo, (far + size, one))
    return found
