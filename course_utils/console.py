"""Words and tables for a reader: numbers with their nouns, sizes, text from elsewhere made harmless, tables that fit.

What a learner's file, a kernel or a server hands over is shown in a terminal, on a page or in a spreadsheet; `plain`
and `spreadsheet_cell` are the only guards, so that none is weaker than another.
"""

import re

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_INVISIBLE = "\ufeff\u200b \u00a0\u3000"
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def count(number: int, noun: str) -> str:
    """``count(2, "chapter")`` → "2 chapters"; for nouns that take an s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(octets: int) -> str:
    """A number of bytes for a reader: "91.4 MB", "12 kB"."""
    return f"{octets / 1e6:.1f} MB" if octets >= 1e5 else f"{octets / 1e3:.0f} kB"


def plain(text: str) -> str:
    """``text`` without a terminal's escape sequences and control characters; tabs and line ends stay."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text))


def spreadsheet_cell(text: str) -> str:
    """``text`` so that no spreadsheet takes it for a formula to run: an apostrophe stands in front.

    The wide forms of the signs count too, and so does a sign behind blanks or invisible marks.
    """
    return f"'{text}" if text.lstrip(_INVISIBLE).startswith(_FORMULA_STARTS) else text
