"""Whole sentences with named fields; a catalogue may turn them round."""

import ast
import gettext
from pathlib import Path

import pytest

from course_utils import language


def test_a_sentence_with_its_fields():
    assert language.say("{wrong} of {total} entries differ.", wrong=3, total=10) == "3 of 10 entries differ."


def test_a_sentence_without_fields_may_hold_braces():
    assert language.say("{a} is a set") == "{a} is a set"


@pytest.mark.parametrize(("n", "text"), [(0, "0 rows of x"), (1, "1 row of x"), (2, "2 rows of x")])
def test_a_number_decides_the_form(n, text):
    assert language.say_many("{n} row of {what}", "{n} rows of {what}", n, what="x") == text


def test_a_missing_field_is_an_error():
    with pytest.raises(KeyError, match="total"):
        language.say("{wrong} of {total}", wrong=1)


def test_a_catalogue_may_order_the_fields_otherwise(monkeypatch):
    class Backwards(gettext.NullTranslations):
        def gettext(self, message):
            return {"{a} before {b}": "{b} nach {a}"}.get(message, message)

    monkeypatch.setattr(language, "_catalogue", Backwards())
    assert language.say("{a} before {b}", a=1, b=2) == "2 nach 1"


def glued(source: str) -> list[int]:
    """The lines of a module on which an error's words or a sentence's template is an f-string or made of pieces."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = ast.unparse(node.func).split(".")[-1]
        words = node.args[:2] if name == "say_many" else node.args[:1]
        if name in ("say", "say_many") and any(isinstance(word, ast.JoinedStr | ast.BinOp) for word in words):
            lines.append(node.lineno)
        if name.endswith(("Error", "NotKept", "Outcome", "_without_run", "_mark")):
            lines += [node.lineno for word in [*node.args, *node.keywords] if any(
                isinstance(part, ast.JoinedStr) for part in ast.walk(word))]  # fmt: skip
    return lines


def test_what_is_glued_is_seen():
    assert glued('raise CourseError(f"no {x}")') == [1]
    assert glued('say("a" + b)\nself._mark("E", f"{a} {b}")\nsay_many("{n}", f"{n}", n)') == [1, 2, 3]
    assert glued('raise CourseError(say("No {x}.", x=x) + near(x))\nprint(f"{x}")') == []


# Modules whose words are whole sentences of `say`; it grows, and none leaves it.
WHOLE = ["errors", "running/request", "running/execution", "running/runs", "running/display", "running/outcome",
         "compare/running", "compare/terminal", "data/network", "exercises/contest", "exercises/printing",
         "exercises/comparing", *(f"serving/gate/{name}" for name in (
         "behaviour", "checking", "costs", "examples", "own_tests", "parity", "quality", "report", "soundness",
         "subject", "target", "verdicts")),
         *(f"capstone/{name}" for name in ("answering", "choosing", "commands", "decision", "question", "rubric",
         "shipping", "starting", "walk", "watching", "work")), "commands/capstone"]  # fmt: skip


@pytest.mark.parametrize("module", WHOLE)
def test_no_message_is_glued_together(module):
    source = Path(language.__file__).parent / f"{module}.py"
    assert glued(source.read_text("utf-8")) == []
