"""Networks that ship with the course: ``data/weights/``, each with its hash and a card that says what it is.

``index.toml`` is written, with the file it describes, by the command that it names under ``made_by``.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils import paths
from course_utils.errors import CourseError, near_misses

if TYPE_CHECKING:
    import keras

MOST_BYTES = 500_000
_MEND = "Install the course again, or in a checkout run: git checkout data/weights"


@dataclass(frozen=True)
class Entry:
    """One network of the index: where its file and card lie, size in bytes, hash, and what it scored.

    ``right`` of ``n`` images of the published test file were read right.
    """

    name: str
    title: str
    path: Path
    card: Path
    size: int
    sha256: str
    licence: str
    made_by: str
    date: str
    right: int
    n: int


def names() -> list[str]:
    """The names of the shipped networks, in the index's order."""
    return list(_tables())


def entry(name: str) -> Entry:
    """What the index says about one network; raises CourseError for an unknown name or an incomplete entry."""
    tables = _tables()
    if name not in tables:
        raise CourseError(f"No network called {name!r} ships with the course.{near_misses(name, list(tables))}")
    return _entry(name, tables[name])


def card(name: str) -> str:
    """A network's card, Markdown: what it is, how it was made, how good it is, what it is not good for."""
    path = entry(name).card
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"The card {paths.display(path)} cannot be read ({error}). {_MEND}") from error


def load(name: str = "mnist_reader") -> "keras.Model":
    """A shipped network, ready to be called and not compiled; its card says what it takes and gives.

    The file's size and SHA-256 are checked before Keras opens it, and Keras loads no code from it. Raises CourseError
    for an unknown name, for a file that is missing or not the one of the index (it is not loaded then), and where
    the installed Keras cannot read it.
    """
    wanted = entry(name)
    _verify(wanted)
    import keras

    try:
        return keras.saving.load_model(wanted.path, compile=False, safe_mode=True)
    except Exception as error:
        # The file is whole, so it is this Keras that stumbles, and over what differs from version to version.
        first_line = str(error).strip().split("\n")[0][:200]
        raise CourseError(
            f"{paths.display(wanted.path)} is whole, but Keras {keras.__version__} cannot read it "
            f"({type(error).__name__}: {first_line}). Install a newer Keras: python -m pip install --upgrade keras"
        ) from error


def _verify(wanted: Entry) -> None:
    """Raise CourseError unless the file is there and is byte for byte the one that the index describes."""
    shown = paths.display(wanted.path)
    try:
        content = wanted.path.read_bytes()
    except OSError as error:
        found = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise CourseError(f"{shown} {found} (sha256 wanted: {wanted.sha256}, found: none). {_MEND}") from error
    digest = hashlib.sha256(content).hexdigest()
    if (len(content), digest) != (wanted.size, wanted.sha256):
        raise CourseError(
            f"{shown} is not the file that ships with the course, so it was not loaded: "
            f"{wanted.size:,} bytes with sha256 {wanted.sha256} wanted, {len(content):,} bytes with sha256 {digest} "
            f"found. {_MEND}"
        )


def _tables() -> dict[str, dict]:
    import tomllib

    path = _index()
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CourseError(f"The index {paths.display(path)} cannot be read: {error}. {_MEND}") from error


def _index() -> Path:
    return paths.packaged("weights/index.toml")


_PLAIN_NAME = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_TEXTS = {
    "title": (r"(?s).*\S.*", "some text"),
    "file": (rf"{_PLAIN_NAME}\.keras", "a plain file name that ends in .keras"),
    "card": (rf"{_PLAIN_NAME}\.md", "a plain file name that ends in .md"),
    "sha256": (r"[0-9a-f]{64}", "64 lower-case hexadecimal digits"),
    "licence": (r"(?s).*\S.*", "some text"),
    "made_by": (r"(?s).*\S.*", "a command"),
    "date": (r"\d{4}-\d\d-\d\d", "a date such as 2026-11-23"),
}


def _entry(name: str, table: object) -> Entry:
    def refuse(key: str, value: object, expected: str) -> None:
        where = f"{paths.display(_index())}, network {name!r}"
        raise CourseError(f"{where}: {key} = {value!r}; expected: {expected}. {_MEND}")

    if not isinstance(table, dict):
        refuse("the entry", table, "a table")
    for key, (pattern, expected) in _TEXTS.items():
        value = table.get(key)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            refuse(key, value, expected)
    test = table.get("test")
    numbers = {"size": table.get("size")} | {
        key: test.get(key) if isinstance(test, dict) else None for key in ("right", "n")
    }
    for key, value in numbers.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < (key != "right"):
            refuse(key, value, "a whole number")
    if numbers["size"] > MOST_BYTES:
        refuse("size", numbers["size"], f"at most {MOST_BYTES:,} bytes")
    if numbers["right"] > numbers["n"]:
        refuse("right", numbers["right"], f"at most n = {numbers['n']}")
    folder = _index().parent
    return Entry(
        name=name,
        path=folder / table["file"],
        card=folder / table["card"],
        **{key: table[key] for key in ("title", "sha256", "licence", "made_by", "date")},
        **numbers,
    )
