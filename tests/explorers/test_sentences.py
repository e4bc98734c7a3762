"""Explorers say whole sentences: templates with named fields that a catalogue can turn round, never glued pieces."""

import ast
import re
import string
from pathlib import Path

import pytest

import course_utils.explorers

HOUSE = Path(course_utils.explorers.__file__)
FILES = sorted(path for path in HOUSE.parent.glob("*.py") if path != HOUSE)  # the package itself says nothing
WORDS = re.compile(r"[A-Za-z]{2,} | [A-Za-z]{2,}")


def _text(node: ast.AST) -> str:
    """The words that stand in an expression itself, a field as a line break."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) if isinstance(part, ast.Constant) else "\n" for part in node.values)
    return ""


def faults(source: str) -> list[str]:
    """What no catalogue could translate in some code."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr) and WORDS.search(_text(node)):
            found.append(f"line {node.lineno}: words in an f-string")
        glued = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod)
        if glued and any(WORDS.search(_text(side)) for side in (node.left, node.right)):
            found.append(f"line {node.lineno}: words glued to something")
        if isinstance(node, ast.Call):
            found += _faults_of_call(node)
    return found


def _faults_of_call(node: ast.Call) -> list[str]:
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if called in ("Scene", "CourseError") and any(isinstance(argument, ast.JoinedStr) for argument in node.args):
        return [f"line {node.lineno}: {called} of an f-string"]
    if called == "format" and WORDS.search(_text(getattr(node.func, "value", node))):
        return [f"line {node.lineno}: words formatted before they are translated"]
    if called not in ("say", "say_many"):
        return []
    templates = node.args[: 1 if called == "say" else 2]
    if not all(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in templates):
        return [f"line {node.lineno}: {called} of something else than a text"]
    if any(keyword.arg is None for keyword in node.keywords):  # **fields
        return []
    given = {keyword.arg for keyword in node.keywords} | ({"n"} if called == "say_many" else set())
    wanted = {name.split(".")[0] for one in templates for _, name, _, _ in string.Formatter().parse(one.value) if name}
    if node.keywords and wanted != given - ({"n"} - wanted):
        return [f"line {node.lineno}: the fields are {sorted(wanted)}, given are {sorted(given)}"]
    return []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_sentence_is_whole(path):
    assert not faults(path.read_text("utf-8"))


@pytest.mark.parametrize(
    "code",
    [
        'Scene(panels, f"{fate}{border}")',
        'x = f"It fits on the {device}"',
        'x = f"after {n} step{plural}"',
        'x = "It reads " + name',
        'x = "It reads %s" % name',
        'x = "It reads {}".format(name)',
        'say(f"It reads {name}.")',
        'say("It reads " + name)',
        "say(template, name=name)",
        'say("It reads {name}.", nam=name)',
        'say_many("{n} step", steps, 3)',
    ],
)
def test_what_is_glued_is_found(code):
    assert faults(code)


@pytest.mark.parametrize(
    "code",
    [
        'say("It reads {name}.", name=name)', 'say("Nothing.")', 'say_many("{n} step.", "{n} steps.", 3)',
        'x = f"{value:.3g} {unit}"', 'x = f"xaxis{number}"', 'say("{a:.2f} of {b}.", **fields)',
        'raise CourseError(say("No {name!r}.", name=name) + near_misses(name, known))',
    ],
)  # fmt: skip
def test_what_is_whole_is_not(code):
    assert not faults(code)
