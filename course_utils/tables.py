"""The course's own TOML files, read key by key: a refusal says where, what stands there, and what was expected."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from course_utils.errors import CourseError, near_misses
from course_utils.language import say
from course_utils.paths import display

SOME_TEXT = r"(?s).*\S.*"


def read(path: Path, mend: str) -> dict[str, Any]:
    """A TOML file as it stands; CourseError with the remedy ``mend`` (a sentence) where it cannot be read."""
    import tomllib

    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        words = "{file} cannot be read: {error}. {mend}"
        raise CourseError(say(words, file=display(path), error=error, mend=mend)) from error


class Table:
    """One table of a file. ``where`` says in a refusal which one, ``mend`` (a sentence, or "") what to do about it.

    With ``known`` every other key is refused. Raises CourseError, as every method does.
    """

    def __init__(self, value: object, where: str, known: Iterable[str] | None = None, mend: str = "") -> None:
        self.where, self.mend = where, mend
        if not isinstance(value, dict):
            self.refuse(say("a table is expected here"))
        self.value: dict[str, Any] = value
        for key in sorted(set(value) - set(known)) if known is not None else ():
            self.refuse(say("the key {key} is not known.", key=repr(key)) + near_misses(key, sorted(known)))

    def refuse(self, what: str) -> NoReturn:
        """Say that something is wrong with this table."""
        words = say("{where}: {what}. {mend}", where=self.where, what=what.removesuffix("."), mend=self.mend)
        raise CourseError(words.strip())

    def wrong(self, key: str, expected: str) -> NoReturn:
        """Say that a key is missing or has a value that cannot be."""
        if key not in self.value:
            self.refuse(say("{key} is missing; expected {expected}", key=key, expected=expected))
        self.refuse(
            say("{key} = {value}; expected: {expected}", key=key, value=repr(self.value[key]), expected=expected)
        )

    def text(self, key: str, pattern: str = SOME_TEXT, expected: str = "some text") -> str:
        """A text that the whole pattern fits."""
        value = self.value.get(key)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            self.wrong(key, expected)
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of one text or more."""
        value = self.value.get(key)
        if not isinstance(value, list) or not value or not all(isinstance(v, str) and v.strip() for v in value):
            self.wrong(key, say("a list of one text or more"))
        return tuple(value)

    def choice(self, key: str, choices: Iterable[str]) -> str:
        """One of the choices."""
        return self.text(key, "|".join(map(re.escape, choices)), say("one of {names}", names=", ".join(choices)))

    def whole(self, key: str, expected: str, least: int = 0, most: int | None = None) -> int:
        """A whole number from ``least`` to ``most``."""
        value = self.value.get(key)
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or value < least or (most is not None and value > most):
            self.wrong(key, expected)
        return value

    def sha256(self, key: str = "sha256") -> str:
        """A hash."""
        return self.text(key, r"[0-9a-f]{64}", say("64 lower-case hexadecimal digits"))

    def table(self, key: str, known: Iterable[str] | None = None) -> "Table":
        """A table inside this one."""
        if not isinstance(self.value.get(key), dict):
            self.wrong(key, say("a table"))
        return Table(self.value[key], f"{self.where}, {key}", known, self.mend)
