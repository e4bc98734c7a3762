"""When two labels are one (letters composed, nothing invisible, numbers as numbers), and when they only look alike.

What cannot be seen makes no class of its own. What can be seen and is easily overlooked (capital letters, blanks,
letters of another script) stays two classes, and is pointed out.
"""

import collections
import decimal
import re
import unicodedata
from collections.abc import Iterable

from course_utils.console import plain

# Joiners are letters' business in Persian, Hindi and emoji, and invisible in Latin ones; tags tell flags apart.
_JOINERS = re.compile("(?<![^\x00-\u024f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\u024f])")
_FILLERS = "\u034f\u115f\u1160\u2800\u3164\uffa0"  # blank letters: no blanks to Unicode, none to be seen
_TAGS = range(0xE0020, 0xE0080)
_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))  # how a sign is drawn, not which sign it is

MISSING = frozenset(
    {"nan", "n/a", "#n/a", "#na", "<na>", "nat", "null", "#null!", "#value!", "#ref!", "#name?", "#div/0!"}
)
DOUBTFUL = frozenset({"none", "na", "n.a.", "-", "--", "?", "nil", "undefined"})

_WHOLE = re.compile(r"([+-]?\d+)(?:\.0*)?", re.ASCII)
_LOOKALIKES = str.maketrans(
    "авеіјкмнорсѕтухԁԛԝһ"  # Cyrillic
    "αβεηικμνορτυχ"  # Greek
    "ıℓ∣“”„‟‘’‚‛´`"
    "\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
    "abeijkmhopcstyxdqwhabenikmvoptuxill\"\"\"\"''''''-------",
)


def tidy(label: str) -> str:
    """A label with its letters composed (NFC), single blanks, and nothing in it that cannot be seen."""
    return " ".join(visible(plain(label)).split())


def visible(text: str) -> str:
    """A text in Unicode's composed form (NFC), without invisible characters."""
    if text.isascii():
        return text
    text = _JOINERS.sub("", unicodedata.normalize("NFC", text))
    # What was removed may have kept a letter from its accent, so they are put together again.
    return unicodedata.normalize("NFC", "".join(c for c in text if not _invisible(c)))


def _invisible(character: str) -> bool:
    number = ord(character)
    if number < 0xAD:
        return False
    if character in _FILLERS or any(number in these for these in _SELECTORS):
        return True
    return unicodedata.category(character) == "Cf" and character not in "\u200c\u200d" and number not in _TAGS


def whole_numbers(labels: Iterable[str]) -> dict[str, str]:
    """Labels that are the same whole number, each with the form that they share: "1.0" → "1" where both occur."""
    forms: dict[str, set[str]] = collections.defaultdict(set)
    for label in labels:
        if match := _WHOLE.fullmatch(label):
            forms[match.group(1)].add(label)
    return {label: number for number, these in forms.items() if len(these) > 1 for label in these}


def missing(label: str) -> bool:
    """Whether a label is what a program writes where there is none: "nan", "N/A", "NULL"."""
    return label.casefold() in MISSING


def look_alike(labels: Iterable[str]) -> list[list[str]]:
    """Groups of labels that a reader may take for each other: capitals, blanks, width, numbers, another script."""
    groups: dict[str, list[str]] = collections.defaultdict(list)
    for label in sorted(set(labels)):
        groups[_skeleton(label)].append(label)
    return [these for these in groups.values() if len(these) > 1]


def _skeleton(label: str) -> str:
    text = unicodedata.normalize("NFKC", label)
    text = "".join(c for c in text.casefold() if unicodedata.category(c) != "Cf").translate(_LOOKALIKES)
    number = text.replace(",", ".").strip()
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", number, re.ASCII):
        return f"number {_decimal(number)}"
    text = re.sub(r"(?<=[^\W\d_])[-_./]+(?=[^\W\d_])|\s+", "", text)
    return re.sub(r"(?<=\w)[.:;,!]+$", "", text) or label


def _decimal(number: str) -> str:
    """One way of writing for a number, however many digits it has: "+01.50", "15e-1" → "1.5"; "-0" → "0"."""
    with decimal.localcontext(decimal.Context(prec=len(number) + 1_000)):
        return format(decimal.Decimal(number).normalize() + 0, "f")
