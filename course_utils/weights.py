"""Networks that ship with the course: ``data/weights/``, each with its hash and a card that says what it is.

``index.toml`` is written, with the file it describes, by the command that it names under ``made_by``.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils import paths, tables
from course_utils.errors import CourseError, near_misses
from course_utils.language import say

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
    known = _tables()
    if name not in known:
        raise CourseError(f"No network called {name!r} ships with the course.{near_misses(name, list(known))}")
    return _entry(name, known[name])


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
    return tables.read(_index(), _MEND)


def _index() -> Path:
    return paths.packaged("weights/index.toml")


_PLAIN_NAME = r"[A-Za-z0-9_][A-Za-z0-9._-]*"


def _entry(name: str, value: object) -> Entry:
    folder = _index().parent
    where = say("{file}, network {name}", file=paths.display(_index()), name=repr(name))
    table = tables.Table(value, where, mend=_MEND)
    title = table.text("title")
    file = table.text("file", rf"{_PLAIN_NAME}\.keras", say("a plain file name that ends in .keras"))
    page = table.text("card", rf"{_PLAIN_NAME}\.md", say("a plain file name that ends in .md"))
    sha256 = table.sha256()
    size = table.whole("size", say("a whole number, at most {most} bytes", most=f"{MOST_BYTES:,}"), 1, MOST_BYTES)
    test = table.table("test")
    n = test.whole("n", say("a whole number above 0"), least=1)
    return Entry(
        name=name,
        title=title,
        path=folder / file,
        card=folder / page,
        size=size,
        sha256=sha256,
        licence=table.text("licence"),
        made_by=table.text("made_by", expected=say("a command")),
        date=table.text("date", r"\d{4}-\d\d-\d\d", say("a date such as 2026-11-23")),
        right=test.whole("right", say("a whole number, at most n = {n}", n=n), most=n),
        n=n,
    )
