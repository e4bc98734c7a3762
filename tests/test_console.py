"""What is shown to a reader is harmless to a terminal and to a spreadsheet."""

import contextlib
import io
import os
import sys

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


def test_of_a_progress_line_what_was_written_last_stays():
    said = "\x1b[1;31mred\x1b[0m 10%\r 20%\rdone\r\n\x07next\rlast\r\x1b[K"
    assert console.overwritten(said) == "done\nlast"


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠"])
@pytest.mark.parametrize("before", ["", " ", "\u200b", "\u3000", "\ufeff"])
def test_a_cell_is_no_formula(sign, before):
    assert console.spreadsheet_cell(f"{before}{sign}cmd") == f"'{before}{sign}cmd"


def test_words_are_left_as_they_are():
    assert console.spreadsheet_cell("a = b") == "a = b"


# ---- tables

WORDS = st.text("abc 你好", max_size=60)


@given(
    st.lists(st.fixed_dictionaries({"a": WORDS, "b": WORDS, "c": WORDS}), min_size=1, max_size=4),
    st.integers(30, 100),
    st.sets(st.sampled_from("abc"), max_size=2),
)
def test_a_table_is_no_wider_than_it_may_be_and_loses_nothing(rows, width, below):
    from rich.cells import cell_len

    written = console.table(rows, width=width, below=tuple(below))
    assert max(map(cell_len, written.split("\n"))) <= width
    for letter in "abc你好":
        said = sum(value.count(letter) for row in rows for value in row.values())
        assert said <= written.count(letter) <= said + 1 + len(rows)  # and the heading, or one under each row


def test_what_has_no_room_stands_below_in_one_piece():
    rows = [{"name": "encoder", "what": "a sentence encoder of many parameters indeed", "hash": "0123456789" * 6}]
    lines = console.table(rows, width=80).split("\n")
    assert lines[0].split() == ["name", "what"]
    assert lines[-1].strip() == "hash: " + "0123456789" * 6


def test_without_a_width_a_row_is_a_line():
    lines = console.table([{"a": "x " * 200, "b": 1}, {"a": "[bold]y[/bold]", "b": 2}]).split("\n")
    assert len(lines) == 4
    assert lines[-1].split() == ["[bold]y[/bold]", "2"]
    assert console.table([]) == ""


def test_numbers_are_set_to_the_right():
    lines = console.table([{"n": 1}, {"n": 200}], right=("n",)).split("\n")
    assert lines == ["  n", "───", "  1", "200"]


@pytest.mark.parametrize("columns", ["", "0", "wide", "-3"])
def test_where_there_is_no_terminal_there_is_no_width(monkeypatch, capsys, columns):
    monkeypatch.setenv("COLUMNS", columns)
    assert console.width() is None
    monkeypatch.setenv("COLUMNS", "72")
    assert console.width() == 72


@pytest.mark.parametrize("error", [False, True])
def test_on_a_terminal_its_own_width_counts(monkeypatch, error):
    monkeypatch.delenv("COLUMNS", raising=False)
    asked = []

    class Terminal(io.StringIO):
        def isatty(self):
            return True

        def fileno(self):
            return 2 if error else 1

    monkeypatch.setattr(sys, "stderr" if error else "stdout", Terminal())
    monkeypatch.setattr(os, "get_terminal_size", lambda number: asked.append(number) or os.terminal_size((57, 9)))
    assert (console.width(error=error), asked) == (57, [2 if error else 1])


# ---- lines of prose


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("", [""]),
        ("it fits in", ["it fits in"]),
        ("folded between words", ["folded", "between", "words"]),
        ("one line\nand another", ["one line", "and", "another"]),
        ("  indented as it was", ["  indented", "  as it", "  was"]),
        ("see https://example.org/x now", ["see", "https://example.org/x", "now"]),
        ("你好你好你好", ["你好你好你", "好"]),  # two columns each
    ],
)
def test_a_line_is_folded_between_words_and_stays_below_its_indentation(text, folded):
    assert console.fold(text, 10) == folded


def test_what_is_folded_may_hang():
    assert console.fold("- a point\n- another one", 9, hanging="  ") == ["- a point", "- another", "  one"]


def test_what_is_written_fits_the_terminal_and_is_one_line_elsewhere(monkeypatch, capsys):
    monkeypatch.delenv("COLUMNS", raising=False)
    console.write("a sentence of some words")
    monkeypatch.setenv("COLUMNS", "12")
    console.write("a sentence of some words")
    console.write("a sentence of some words", error=True)
    said = capsys.readouterr()
    assert said.out == "a sentence of some words\na sentence\nof some\nwords\n"
    assert said.err == "a sentence\nof some\nwords\n"


# ---- messages and encodings


@given(st.text(max_size=20).map(lambda text: text * 400))
def test_a_message_is_cut_and_says_so(text):
    harmless, shown = console.plain(text), console.message(text)
    left = len(harmless) - console.LONGEST_MESSAGE
    if left <= 0:
        assert shown == harmless
        return
    assert len(shown) < console.LONGEST_MESSAGE + 60
    assert f"{left:,}" in shown
    assert shown[-100:] == harmless[-100:]


def said(text: str, encoding: str) -> str:
    """What a stream of that encoding shows of ``text`` once it is prepared."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(None):
        console.prepare()
        print(text, end="", flush=True)
    return stream.buffer.getvalue().decode(encoding)


@given(st.text(st.characters(exclude_categories=()), max_size=30), st.sampled_from(["ascii", "gbk", "utf-8", "cp437"]))
def test_a_prepared_stream_shows_something_for_every_character(text, encoding):
    shown = said(text, encoding)
    for character in text:
        with contextlib.suppress(UnicodeEncodeError):
            character.encode(encoding)
            assert character in shown


def test_marks_have_a_form_in_ascii():
    assert said("✓ ✗ – → “café” 你 \ud800", "ascii") == '+ x - -> "cafe" ? ?'


@pytest.mark.parametrize("text", ["=1+1", "'tis late", "plain", "", "'", " -3"])
def test_a_cell_gives_its_text_back(text):
    assert console.from_spreadsheet_cell(console.spreadsheet_cell(text)) == text
