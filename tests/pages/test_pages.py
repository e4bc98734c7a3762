"""One shell for every page: escaped, still, and allowed to do no more than it must."""

import base64
import hashlib
import html
import re

import pytest
from hostile import ATTACKS
from hypothesis import given
from hypothesis import strategies as st

from course_utils import pages

TEMPLATES = sorted(path.name for path in (pages.files("course_utils.pages") / "templates").iterdir())


def test_a_script_is_allowed_by_its_hash_and_no_other():
    script = "f(1 < 2)"
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    rules = dict(rule.split(" ", 1) for rule in pages.policy([script]).split("; "))
    assert rules["script-src"].split() == [f"'sha256-{digest}'", "'unsafe-eval'"]
    still = dict(rule.split(" ", 1) for rule in pages.policy([]).split("; "))
    assert still["script-src"] == "'none'"
    for found in (rules, still):
        assert found["default-src"] == found["base-uri"] == found["form-action"] == "'none'"
        assert not re.search(r"https?:|[*]|'unsafe-inline'", " ".join(v for k, v in found.items() if k != "style-src"))


@pytest.mark.parametrize("template", [name for name in TEMPLATES if name.endswith(".html")])
def test_a_template_puts_in_as_it_is_only_what_we_wrote(template):
    """``|safe`` stands on our style sheet, our scripts, what safe_html wrote, the figures' JSON, and literals."""
    trusted = re.findall(r"(\S+)\|safe", pages.resource(template))
    ours = {"style", "script", "part.html", "part.json", "cell.html", '"<br>"', '"<ol>"', '"</ol>"'}
    assert set(trusted) <= ours
    assert "autoescape" not in pages.resource(template)


def test_the_style_sheet_loads_nothing():
    assert not re.search(r"url\(|@import|expression", pages.resource("page.css"))


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_a_template_shows_is_escaped(attack):
    environment = pages._environment()
    shown = environment.from_string('<p title="{{ text }}">{{ text }}</p>').render(text=attack)
    inside = shown.removeprefix('<p title="').removesuffix("</p>")
    assert "<" not in inside
    assert html.unescape(inside) == f'{attack}">{attack}'


@given(st.text(), st.integers(1, 50))
def test_a_text_of_the_data_is_cut_and_turns_nothing(text, most):
    shown = pages.cut(text, most)
    assert len(shown) <= most + 1
    assert not [c for c in shown if "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069" or c in "\u200e\u200f"]


def test_examples_of_cut():
    assert pages.cut("x" * 400) == "x" * 300 + "…"
    assert pages.cut("a\u202eb\x00c\u2066d") == "a b c d"
    assert pages.cut("short\tline\nnext") == "short\tline\nnext"
