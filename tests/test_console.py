"""What is shown to a reader is harmless to a terminal and to a spreadsheet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import console


@pytest.mark.parametrize(
    ("number", "noun", "text"), [(1, "error", "1 error"), (0, "error", "0 errors"), (2000, "row", "2,000 rows")]
)
def test_a_number_has_its_noun(number, noun, text):
    assert console.count(number, noun) == text


@pytest.mark.parametrize(("octets", "text"), [(12_000, "12 kB"), (91_400_000, "91.4 MB"), (0, "0 kB")])
def test_sizes(octets, text):
    assert console.size(octets) == text


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[31mred\x1b[0m",
        "\x1b]0;title\x07red",
        "\x1b]8;;x\x1b\\red",
        "\x9b31mred",
        "re\x08d",
        "\x1bcred",
        "\x1b[2Jred",
    ],
)
def test_what_would_steer_a_terminal_is_gone(text):
    shown = console.plain(text)
    assert "\x1b" not in shown and "\x9b" not in shown and "\x08" not in shown
    assert "red" in shown


def test_lines_and_tabs_stay():
    assert console.plain("a\tb\nc") == "a\tb\nc"


@given(st.text())
def test_no_control_character_passes(text):
    assert not [c for c in console.plain(text) if (ord(c) < 32 and c not in "\t\n") or 127 <= ord(c) < 160]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠"])
@pytest.mark.parametrize("before", ["", " ", "\u200b", "\u3000", "\ufeff"])
def test_a_cell_is_no_formula(sign, before):
    assert console.spreadsheet_cell(f"{before}{sign}cmd") == f"'{before}{sign}cmd"


def test_words_are_left_as_they_are():
    assert console.spreadsheet_cell("a = b") == "a = b"
