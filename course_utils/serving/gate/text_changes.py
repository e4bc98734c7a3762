"""Changes of a text that leave its meaning as it was. Chance is drawn from the text itself: the same text, the same
change, on every machine."""

import re
import unicodedata
import zlib
from collections.abc import Sequence

import numpy as np

# Given and family names of many places, so that a model that goes by one of them is likely to be met.
NAMES = {
    "en": (
        "Anna Smith", "Mehmet Yılmaz", "Li Wei", "Fatima Khan", "José García", "Olga Ivanova", "Kwame Mensah",
        "Priya Patel",
    ),
    "zh": ("王伟", "李娜", "張淑芬", "陈静", "欧阳明", "古丽娜", "林志豪", "Anna Smith"),
}  # fmt: skip
_SIGNED = {"en": "{text}\nBest regards\n{name}", "zh": "{text}\n{name}"}
_GREETINGS = {"en": ("Hello, ", "Good morning. ", "Hi there! "), "zh": ("您好，", "你好！", "早上好。")}
_ENDS = ("  ", " .", "!", "...", "\n\n", " ?")
_WORD = re.compile(r"[^\W\d_]{4,}")


def random_of(text: str) -> np.random.Generator:
    """A generator that is the text's own."""
    return np.random.default_rng(zlib.crc32(text.encode("utf-8", "surrogatepass")))


def signed(text: str, language: str = "en", names: Sequence[str] = ()) -> list[str]:
    """The text under each of the names, by default the language's `NAMES`."""
    names = names or NAMES.get(language, NAMES["en"])
    return [_SIGNED.get(language, _SIGNED["en"]).format(text=text, name=name) for name in names]


def swapped(text: str) -> str:
    """One typo: two neighbouring letters inside a word of four letters or more change places; the first one stays."""
    places = [
        place
        for word in _WORD.finditer(text)
        for place in range(word.start() + 1, word.end() - 1)
        if text[place] != text[place + 1] and text[place - 1 : place + 2].isalpha()
    ]
    if not places:
        return text
    place = int(random_of(text).choice(places))
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def greeted(text: str, language: str = "en") -> str:
    """The text behind a greeting."""
    return str(random_of(text).choice(_GREETINGS.get(language, _GREETINGS["en"]))) + text


def ended(text: str) -> str:
    """The text with blanks or signs behind it."""
    return text + str(random_of(text).choice(_ENDS))


def without_accents(text: str) -> str:
    """The text with the accents taken off its Latin letters, as an old keyboard writes it: "é" → "e"."""
    return "".join(map(_bare, unicodedata.normalize("NFC", text)))


def _bare(letter: str) -> str:
    parts = unicodedata.normalize("NFD", letter)
    return parts[0] if len(parts) > 1 and parts[0].isascii() and parts[0].isalpha() else letter
