"""What reading a file of messages found, and how lines, names and left-out rows are said."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from course_utils.console import plain
from course_utils.language import say, say_many

LINES_SHOWN = 5
_NAME_CHARACTERS = 40
_REASONS_SHOWN = 4


@dataclass(frozen=True)
class Finding:
    """Something about the file: its ``kind``, a sentence, the lines (from 1), and how many rows were left out."""

    kind: str
    message: str
    lines: tuple[int, ...] = ()
    dropped: int = 0

    def __str__(self) -> str:
        return self.message


def lines_named(lines: Sequence[int]) -> str:
    """Line numbers as a reader wants them: "line 4", "lines 4, 7 and 9", "lines 4, 7, 9, 12, 15 and 31 more"."""
    shown = [str(line) for line in lines[:LINES_SHOWN]]
    if len(lines) > LINES_SHOWN:
        return say("lines {first} and {n:,} more", first=", ".join(shown), n=len(lines) - LINES_SHOWN)
    return say_many("line {lines}", "lines {lines}", len(shown), lines=listed(shown))


def lines_begin(lines: Sequence[int]) -> str:
    """`lines_named` as the beginning of a sentence."""
    named = lines_named(lines)
    return f"{named[0].upper()}{named[1:]}"


def quoted(name: str) -> str:
    """A name out of a file as a message shows it: in quotes, without escape codes, of forty characters at most."""
    name = plain(name)
    return f"{name[:_NAME_CHARACTERS]!r}{'…' if len(name) > _NAME_CHARACTERS else ''}"


def some(names: Iterable[str], most: int = LINES_SHOWN) -> str:
    """Names in quotes, the first ``most`` of them, with a mark where there are more."""
    names = list(names)
    return ", ".join(quoted(name) for name in names[:most]) + (", …" if len(names) > most else "")


def listed(words: Sequence[str]) -> str:
    """Words with commas and an "and": "a", "a and b", "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return say("{first} and {last}", first=", ".join(words[:-1]), last=words[-1])


def left_out(findings: Iterable[Finding]) -> str:
    """How many rows were left out and why, the commonest reason first; "" where none was. For a refusal's end."""
    reasons = sorted((one for one in findings if one.dropped), key=lambda one: -one.dropped)
    if not reasons:
        return ""
    total = sum(one.dropped for one in reasons)
    said = [say_many("{n} row was left out.", "{n:,} rows were left out.", total)]
    return " ".join([*said, *(one.message for one in reasons[:_REASONS_SHOWN])])
