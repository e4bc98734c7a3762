"""Words and tables for a reader: numbers with their nouns, sizes, text from elsewhere made harmless, tables that fit.

What a learner's file, a kernel or a server hands over is shown in a terminal, on a page or in a spreadsheet; `plain`
and `spreadsheet_cell` are the only guards, so that none is weaker than another. `prepare` makes a terminal that cannot
show a character show another instead of raising.
"""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

LONGEST_MESSAGE = 2_000  # characters of an error message that a reader is shown
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_INVISIBLE = "\ufeff\u200b \u00a0\u3000"
# Control characters, and those that turn the direction of the line that follows them.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# What stands for a character that a terminal's encoding lacks, in ASCII; accents are taken off, the rest becomes "?".
_INSTEAD = str.maketrans(
    {
        **dict.fromkeys("–—−‐‑─━═", "-"),
        **dict.fromkeys("‘’‚′", "'"),
        **dict.fromkeys("“”„″", '"'),
        **dict.fromkeys("│┃║", "|"),
        **dict.fromkeys("•·∙", "*"),
        **dict.fromkeys("█■▇▆▅▄▃▂▁▉▊▋▌▍▎▏▐", "#"),
    }
    | dict(zip("✓✗×≈ßæø÷⁄°", ("+", "x", "x", "~", "ss", "ae", "o", "/", "/", " deg"), strict=True))
    | dict(zip("→←⇒…≤≥≠±√∞", ("->", "<-", "=>", "...", "<=", ">=", "!=", "+/-", "sqrt", "inf"), strict=True))
)


# ------------------------------------------------------------------------------------------------------------- words


def count(number: int, noun: str) -> str:
    """``count(2, "chapter")`` → "2 chapters"; for nouns that take an s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(octets: int) -> str:
    """A number of bytes for a reader: "91.4 MB", "12 kB"."""
    return f"{octets / 1e6:.1f} MB" if octets >= 1e5 else f"{octets / 1e3:.0f} kB"


def plain(text: str) -> str:
    """``text`` without escape sequences, control characters and what turns a line round; tabs and line ends stay."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text))


def overwritten(text: str) -> str:
    """Output of a program as a terminal shows it at the end, `plain`: of a progress line what was written last."""
    lines = [map(plain, line.split("\r")) for line in text.replace("\r\n", "\n").split("\n")]
    return "\n".join(next((part for part in reversed(list(parts)) if part), "") for parts in lines)


def spreadsheet_cell(text: str) -> str:
    """``text`` so that no spreadsheet takes it for a formula to run: an apostrophe stands in front.

    The wide forms of the signs count too, and so does a sign behind blanks or invisible marks.
    """
    return f"'{text}" if text.lstrip(_INVISIBLE).startswith(_FORMULA_STARTS) else text


def from_spreadsheet_cell(cell: str) -> str:
    """The text that `spreadsheet_cell` made a cell of; of a text that had the apostrophe already, without it."""
    return cell[1:] if cell[:1] == "'" and spreadsheet_cell(cell[1:]) == cell else cell


def message(text: str) -> str:
    """An error's words as a reader is shown them: harmless, and cut in the middle where they are endless.

    The end stays because it says what to do; how much is left out is said.
    """
    text = plain(text)
    left = len(text) - LONGEST_MESSAGE
    if left <= 0:
        return text
    from course_utils.language import say

    end = LONGEST_MESSAGE // 4
    gap = say("[{n:,} characters left out]", n=left)
    return f"{text[: LONGEST_MESSAGE - end]} … {gap} … {text[-end:]}"


# ------------------------------------------------------------------------------------------------------ the terminal


def prepare() -> None:
    """Make standard output and standard error show something for every character, whatever their encoding.

    For the entry point of the command only: it changes the process's streams.
    """
    import codecs

    codecs.register_error("course", _shown_instead)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="course")


def _shown_instead(error: UnicodeError) -> tuple[str, int]:
    """The handler of `prepare`: ASCII for what the encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    import unicodedata

    lacking = error.object[error.start : error.end].translate(_INSTEAD)
    letters = unicodedata.normalize("NFKD", lacking).translate(_INSTEAD)
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return "".join(letter if letter.isascii() else "?" for letter in bare), error.end


def write(text: str, *, error: bool = False) -> None:
    """Print ``text`` and a line end to standard output, or to standard error, harmless to a terminal and fit for it."""
    text, columns = plain(text), width(error=error)
    if columns is not None:
        text = "\n".join(fold(text, columns))
    print(text, file=sys.stderr if error else sys.stdout, flush=True)


def fold(text: str, width: int, *, hanging: str = "") -> list[str]:
    """The lines of ``text``, those longer than ``width`` columns folded between words.

    What is folded stands below its line's own indentation and ``hanging``. A word that is longer than a line stays
    whole, so that it can be copied, but for one of a script that has no blanks.
    """
    from rich.cells import cell_len

    lines = []
    for line in text.split("\n"):
        if cell_len(line) <= width:
            lines.append(line)
            continue
        indent = line[: len(line) - len(line.lstrip())]
        held, *words = _words(line, width - cell_len(indent + hanging))
        held = indent + held
        for word in words:
            if cell_len(f"{held} {word}") > width:
                lines.append(held)
                held = f"{indent}{hanging}{word}"
            else:
                held = f"{held} {word}"
        lines.append(held)
    return lines


def _words(line: str, most: int) -> list[str]:
    """The words of a line; one that is longer than ``most`` columns and not of ASCII comes in pieces."""
    from rich.cells import cell_len

    found = []
    for word in line.split():
        piece = ""
        for character in word if not word.isascii() and cell_len(word) > most else ():
            if piece and cell_len(piece + character) > most:
                found.append(piece)
                piece = ""
            piece += character
        found.append(piece or word)
    return found


def width(*, error: bool = False) -> int | None:
    """The columns a line may take: COLUMNS, else the terminal's; None where there is none.

    The terminal is that of standard output, or with ``error`` of standard error.
    """
    import os

    told, stream = os.environ.get("COLUMNS", ""), sys.stderr if error else sys.stdout
    if told.isdigit() and int(told):
        return int(told)
    if stream is None or stream.closed or not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):  # it has no size, or is a terminal in name only
        return 80


# ------------------------------------------------------------------------------------------------------------ tables

_GAP = 2  # blanks between two columns
_SHORT = 24  # a column up to this wide is never folded; a wider one is folded between words, to no less than this


def table(
    rows: Iterable[Mapping[str, Any]], *, below: Sequence[str] = (), right: Sequence[str] = (), width: int | None = None
) -> str:
    """Rows as text under headings (their keys), no line longer than ``width`` columns.

    Without a width each row is one line, for programs. No word is broken that fits in a line. The columns named in
    ``below`` stand under their row, each with its heading; so do the longest texts, and else the last columns, where
    the width does not hold them all. Those named in ``right`` are set to the right.
    """
    rows = [{key: plain(str(value)).expandtabs() for key, value in row.items()} for row in rows]
    keys = list(dict.fromkeys(key for row in rows for key in row))
    columns = [key for key in keys if key not in below]
    below = [key for key in keys if key in below]
    wanted = {key: max(_widest(row.get(key, "")) for row in [{key: key}, *rows]) for key in columns}
    widths = wanted
    if width is not None and columns:
        width = max(width, _SHORT)
        needed = {key: _least(wanted[key], [row.get(key, "") for row in [{key: key}, *rows]]) for key in columns}
        while len(columns) > 1 and sum(needed[key] for key in columns) + _GAP * (len(columns) - 1) > width:
            longest = max(columns[1:], key=lambda key: needed[key])
            below.append(columns.pop(columns.index(longest) if needed[longest] > _SHORT else -1))
        below = [key for key in keys if key in below]  # in the rows' order
        widths = _share_out(width, columns, needed, wanted)
    lines = _beside({key: key for key in columns}, columns, widths, right) if rows else []
    lines += ["".ljust(sum(widths[key] for key in columns) + _GAP * (len(columns) - 1), "─")] if rows else []
    apart = any(row.get(key, "").strip() for row in rows for key in below)
    for index, row in enumerate(rows):
        lines += [""] if index and apart else []
        lines += _beside(row, columns, widths, right)
        for key in below:
            if row.get(key, "").strip():
                lines += _under(key, row[key], width)
    return "\n".join(line.rstrip() for line in lines)


def write_table(rows: Iterable[Mapping[str, Any]], *, below: Sequence[str] = (), right: Sequence[str] = ()) -> None:
    """Print a `table` that fits the terminal."""
    print(table(rows, below=below, right=right, width=width()), flush=True)


def _widest(text: str) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, text.split("\n")))


def _least(wanted: int, texts: Iterable[str]) -> int:
    """The least width of a column: of its longest word, and enough for a few words in a line.

    Chinese has no blanks, and may be folded anywhere.
    """
    if wanted <= _SHORT:
        return wanted
    return max(_SHORT, *(_widest(word) for text in texts for word in text.split() if word.isascii()), 0)


def _share_out(width: int, columns: list[str], needed: dict[str, int], wanted: dict[str, int]) -> dict[str, int]:
    """Each column's width: what it needs, and what is left over in equal shares to those that want more."""
    left = width - sum(needed[key] for key in columns) - _GAP * (len(columns) - 1)
    widths = {}
    by_want = sorted(columns, key=lambda key: wanted[key] - needed[key])
    for done, key in enumerate(by_want):
        more = max(0, min(wanted[key] - needed[key], left // (len(columns) - done)))
        widths[key] = min(needed[key] + more, width)
        left -= more
    return widths


def _beside(row: Mapping[str, str], columns: list[str], widths: dict[str, int], right: Sequence[str]) -> list[str]:
    from itertools import zip_longest

    from rich.cells import cell_len

    folded = [_fold(row.get(key, ""), widths[key]) for key in columns]
    lines = []
    for parts in zip_longest(*folded, fillvalue=""):
        blanks = [" " * (widths[key] - cell_len(part)) for key, part in zip(columns, parts, strict=True)]
        cells = [
            blank + part if key in right else part + blank
            for key, part, blank in zip(columns, parts, blanks, strict=True)
        ]
        lines.append((" " * _GAP).join(cells))
    return lines


def _under(heading: str, text: str, width: int | None) -> list[str]:
    said = f"{heading}: {text}" if heading else text
    lines = said.split("\n") if width is None else _fold(said, width - 4)
    return [("    " if index else "  ") + line for index, line in enumerate(lines)]


def _fold(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` columns, folded between words where there are any."""
    from rich.console import Console
    from rich.text import Text

    return [line.plain.rstrip() for line in Text(text).wrap(Console(width=width), width, overflow="fold")]
