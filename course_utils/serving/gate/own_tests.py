"""A learner's own tests in a TOML file.

[[invariance]]                # the answer must stay
name = "sent from a phone"
add = " Sent from my phone"   # behind; or front = "…", or replace = {"€" = "EUR"}, or names = ["Jo", "Ai"]
allowed = 0.05                # share of messages whose answer may change

[[direction]]                 # the probability of a class must move as it should
name = "hacked"
class = "security"
add = "I think we were hacked."   # or front = "…", or pairs = [["before", "after"], …]
must = "not fall"             # or "not rise", "rise", "fall"
by = 0.05                     # how far it may move against that, or must move with it
allowed = 0.05

[[minimum]]                   # any model must get these right
name = "plain words"
examples = [{text = "I was charged twice", label = "billing"}]
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from course_utils import paths, tables
from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.serving.gate import text_changes
from course_utils.serving.gate.behaviour import MUST, Direction, Invariance, Minimum, Test
from course_utils.tables import Table

KINDS = ("invariance", "direction", "minimum")
_CHANGES = ("add", "front", "replace", "names")


def read(path: Path, language: str = "en") -> list[Test]:
    """The tests of a file, in its order by kind. Raises CourseError for what cannot be meant."""
    mend = say("What such a file holds stands in the help of course_utils.serving.gate.own_tests.")
    shown = paths.display(path)
    held = Table(tables.read(Path(path), mend), shown, KINDS)
    found: list[Test] = []
    for kind, make in (("invariance", _invariance), ("direction", _direction), ("minimum", _minimum)):
        entries = held.value.get(kind, [])
        if not isinstance(entries, list):
            held.refuse(say("{kind} is written as [[{kind}]], a list of tables", kind=kind))
        for number, entry in enumerate(entries, 1):
            found.append(make(entry, f"{shown}, {kind} {number}", language))
    if not found:
        held.refuse(say("there is no [[invariance]], [[direction]] or [[minimum]] in it"))
    return found


def _invariance(entry: Any, where: str, language: str) -> Test:
    table = Table(entry, where, ("name", "allowed", *_CHANGES))
    name, allowed = table.text("name"), _number(table, "allowed", 0.05, 0.0, 1.0)
    change = _one_of(table, _CHANGES)
    if change == "add":
        behind = _string(table, "add")
        return Invariance(name, lambda text: text + behind, allowed)
    if change == "front":
        front = _string(table, "front")
        return Invariance(name, lambda text: front + text, allowed)
    if change == "names":
        names = table.texts("names")
        if len(names) < 2:
            table.wrong("names", say("two names or more, to be compared"))
        return Invariance(
            name,
            lambda text: text_changes.signed(text, language, names)[1:],
            allowed,
            base=lambda text: text_changes.signed(text, language, names)[0],
        )
    pairs = table.table("replace").value
    if not pairs or not all(old and isinstance(new, str) for old, new in pairs.items()):
        table.wrong("replace", say("texts and what they become"))
    return Invariance(name, lambda text: _replaced(text, pairs), allowed)


def _replaced(text: str, pairs: dict[str, str]) -> str:
    for old, new in pairs.items():
        text = text.replace(old, new)
    return text


def _direction(entry: Any, where: str, language: str) -> Test:
    table = Table(entry, where, ("name", "class", "add", "front", "pairs", "must", "by", "allowed"))
    name, class_name = table.text("name"), table.text("class")
    must = table.choice("must", MUST) if "must" in table.value else "not fall"
    by, allowed = _number(table, "by", 0.05, 0.0, 1.0), _number(table, "allowed", 0.05, 0.0, 1.0)
    given = _one_of(table, ("add", "front", "pairs"))
    if given != "pairs":
        return Direction(name, class_name, table.text(given), must, by, (), allowed, front=given == "front")
    pairs = table.value["pairs"]
    if not _rows(pairs):
        table.wrong("pairs", say('a list of two texts each, [["before", "after"]]'))
    return Direction(name, class_name, "", must, by, tuple((a, b) for a, b in pairs), allowed)


def _rows(pairs: Any) -> bool:
    return (
        isinstance(pairs, list)
        and bool(pairs)
        and all(isinstance(one, list) and len(one) == 2 and all(isinstance(t, str) for t in one) for one in pairs)
    )


def _minimum(entry: Any, where: str, language: str) -> Test:
    table = Table(entry, where, ("name", "examples", "allowed"))
    name, allowed = table.text("name"), _number(table, "allowed", 0.0, 0.0, 1.0)
    examples = table.value.get("examples")
    if not isinstance(examples, list) or not examples:
        table.wrong("examples", say('a list of examples, [{{text = "…", label = "…"}}]'))
    inside = [Table(one, f"{where}, example {k}", ("text", "label")) for k, one in enumerate(examples, 1)]
    return Minimum(name, tuple((one.text("text"), one.text("label")) for one in inside), allowed)


def _one_of(table: Table, keys: Sequence[str]) -> str:
    given = [key for key in keys if key in table.value]
    if len(given) != 1:
        table.refuse(say("it needs exactly one of {keys}, and has {n}", keys=", ".join(keys), n=len(given)))
    return given[0]


def _string(table: Table, key: str) -> str:
    """A text as it stands, with its blanks."""
    table.text(key)
    return table.value[key]


def _number(table: Table, key: str, default: float, least: float, most: float) -> float:
    value = table.value.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        table.wrong(key, say("a number from {least:g} to {most:g}", least=least, most=most))
    return float(value)


def classes_known(tests: Sequence[Test], class_names: Sequence[str]) -> None:
    """Raise CourseError for a test that names a class which the model does not have, before anything is run."""
    from course_utils.errors import near_misses

    for test in tests:
        names = [test.class_name] if isinstance(test, Direction) else []
        names += [label for _, label in test.examples] if isinstance(test, Minimum) else []
        for name in names:
            if name not in class_names:
                raise CourseError(
                    say("{test}: {name!r} is no class of the model.", test=test.name, name=name)
                    + near_misses(name, list(class_names))
                )
