"""Messages of the exercises are whole sentences that a catalogue can hold: no f-string, no `format`, no gluing."""

import ast
from pathlib import Path

import pytest

import course_utils.exercises

FOLDER = Path(course_utils.exercises.__file__).parent
# (what is called, which of its arguments a reader sees: by place and by name)
SHOWN = {
    "Verdict": ((1, 3), {"message", "hint"}),
    "Difference": ((1, 2), {"message", "hint"}),
    "Mistake": ((2,), {"hint"}),
    "NotAnArray": ((1,), set()),
    "Exercise": ((1, 4), {"title", "prompt"}),
    "number": ((), {"otherwise"}),
    "say": ((0,), set()),
    "say_many": ((0, 1), set()),
    "CourseError": ((0,), set()),
    "warn": ((0,), set()),
    "print": ((0,), set()),
}
# What an author, never a learner, is told in these modules stands in English.
AUTHORS = {"registry.py", "verdicts.py"}


def glued(node):
    """Whether an expression makes a text from pieces."""
    return (
        isinstance(node, ast.JoinedStr)
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format")
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod))
        or (isinstance(node, ast.IfExp) and (glued(node.body) or glued(node.orelse)))
    )


def faults(source):
    """The line and call of each message in a source that is no whole sentence."""
    tree = ast.parse(source)
    texts = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            texts.setdefault(node.targets[0].id, []).append(node.value)
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        places, names = SHOWN.get(name, ((), set()))
        shown = [node.args[place] for place in places if place < len(node.args)]
        shown += [keyword.value for keyword in node.keywords if keyword.arg in names]
        for text in shown:
            candidates = texts.get(text.id, []) if isinstance(text, ast.Name) else [text]
            found += [f"line {node.lineno}: {name}" for candidate in candidates if glued(candidate)]
    return found


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_no_message_is_glued_from_pieces(path):
    if path.name not in AUTHORS:
        assert faults(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        'Verdict(WRONG, f"{n} wrong")',
        'Verdict(WRONG, message="a" + b)',
        'Mistake("x", f, f"{factor} is missing")',
        'Mistake("x", f, hint=absent.format("0"))',
        'say(f"{n} wrong")',
        'number(5, otherwise="%s" % n)',
        'text = f"{n}"\nVerdict(WRONG, text)',
        'Difference("shape", f"a{b}" if b else "c")',
    ],
)
def test_a_glued_message_is_found(source):
    assert len(faults(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        'Verdict(WRONG, say("{n} wrong", n=f"{n:.1f}"))',
        'Mistake(f"perhaps {name}", f, "A hint " "in two parts.")',
        'template = "a"\nraise CourseError(say(template))',
        'rows = (f"{name} = {value}",)',
    ],
)
def test_a_whole_sentence_is_not(source):
    assert faults(source) == []
