"""The reference list: the works that the chapters cite, with what a reader needs to find each of them."""

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from course_utils.language import say

if TYPE_CHECKING:
    from course_utils.tables import Table

OTHERS = "and others"
KINDS = ("paper", "book", "software", "data", "talk", "report", "documentation")
VERIFIED = ("search", "memory")
_KEYS = ("authors", "title", "venue", "year", "doi", "arxiv", "url", "kind", "short", "verified", "note")
_NAME = r"(?:[^\W\d_]\.(?:-[^\W\d_]\.)?\s)+\D+"  # "M.-W. Chang", "A. van den Oord"
_BODIES = ("CMUSphinx", "NVIDIA", "Python Software Foundation", "TensorFlow Privacy")  # that sign instead of a person


@dataclass(frozen=True)
class Reference:
    """One work. ``authors`` are all of them up to six, else the first three and "and others".

    ``short`` are the titles under which the chapters cite it. ``year`` is None for a page that has none of its own;
    ``doi``, ``arxiv``, ``url`` and ``note`` are "" where there is none. ``verified`` says where the facts were seen:
    in published lists ("search") or only in memory.
    """

    key: str
    authors: tuple[str, ...]
    title: str
    venue: str
    year: int | None
    kind: str
    short: tuple[str, ...]
    verified: str
    doi: str = ""
    arxiv: str = ""
    url: str = ""
    note: str = ""


@functools.cache
def load() -> dict[str, Reference]:
    """The works of ``data/references.toml`` by key, in the order of the keys.

    Raises CourseError for a file that cannot be read, a work that lacks something or has what cannot be, and a title
    that two works share.
    """
    from course_utils import paths, tables

    path = paths.packaged("references.toml")
    mend = say("Mend the file, or install the course again.")
    found: dict[str, Reference] = {}
    holders: dict[str, str] = {}
    for key, value in sorted(tables.read(path, mend).items()):
        row = tables.Table(value, say("{file}, {key}", file=paths.display(path), key=key), _KEYS, mend)
        found[key] = work = _work(key, row)
        for title in {_plain(title) for title in (work.title, *work.short)}:
            if title in holders:
                row.refuse(say("the title {title} is that of {other} too", title=repr(title), other=holders[title]))
            holders[title] = key
    return found


def cited(source_text: str) -> list[str]:
    """The keys of the works that a text cites by a title in quotation marks or in italics, in the order of the text.

    ``source_text`` is a cell's Markdown, or its lines in a chapter's source with their "#".
    """
    text = _plain(re.sub(r"(?m)^#(?: |$)", "", source_text))
    places: dict[str, int] = {}
    for key, work in load().items():
        titles = "|".join(re.escape(_plain(title)) for title in work.short)
        place = re.search(rf'"(?:{titles})"|(?<!\*)\*(?:{titles})\*(?!\*)', text)
        if place:
            places[key] = place.start()
    return sorted(places, key=places.__getitem__)


def text_of(reference: Reference) -> str:
    """A work as one line of Markdown: authors, title, venue, year, and the first of its DOI, arXiv number, address.

    Titles of papers, talks and reports stand in quotation marks, those of books, programs and data in italics.
    """
    *names, last = reference.authors
    authors = f"{', '.join(names)} {OTHERS}" if last == OTHERS else ", ".join(reference.authors)
    quoted = reference.kind in ("paper", "talk", "report")
    title = f'"{reference.title}"' if quoted else f"*{reference.title}*"
    year = f" ({reference.year})" if reference.year else ""
    if reference.venue == "arXiv":
        return f"{authors}, {title}, arXiv:{reference.arxiv}{year}"
    # The name of a journal or a conference in italics, its volume and pages not.
    venue = re.sub(r"^\D+?(?=,? \d|$)", r"*\g<0>*", reference.venue) if reference.kind == "paper" else reference.venue
    where = _identifier(reference)
    return f"{authors}, {title}, {venue}{year}" + (f", {where}" if where else "")


def _identifier(reference: Reference) -> str:
    """What finds the work: the address of its DOI, else its arXiv number, else its page, else ""."""
    if reference.doi:
        from urllib.parse import quote

        return "https://doi.org/" + quote(reference.doi, safe="/:;()")
    return f"arXiv:{reference.arxiv}" if reference.arxiv else reference.url


def _plain(text: str) -> str:
    """A text to compare: one space for any white space, no capitals."""
    return " ".join(text.split()).casefold()


def _work(key: str, row: "Table") -> Reference:
    """One table of the file; raises CourseError through it where something in it cannot be."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", key):
        row.refuse(say("a key has small letters, digits and _ only"))
    kind = row.choice("kind", KINDS)

    def optional(name: str, pattern: str, expected: str) -> str:
        return row.text(name, pattern, expected) if name in row.value else ""

    work = Reference(
        key=key,
        authors=_authors(row),
        title=row.text("title"),
        venue=row.text("venue"),
        year=row.whole("year", say("a year from 1900 to 2026"), 1900, 2026)
        if "year" in row.value or kind != "documentation"
        else None,
        kind=kind,
        short=row.texts("short"),
        verified=row.choice("verified", VERIFIED),
        doi=optional("doi", r"10\.\d{4,9}/\S+", say("a DOI, 10.1000/182 say, without an address before it")),
        arxiv=optional("arxiv", r"\d{4}\.\d{4,5}", say("an arXiv number, 1706.03762 say, without a version")),
        url=optional("url", r"https://[^\s/]+\.[^\s/]+\S*", say("an address that begins with https://")),
        note=optional("note", r"(?s).*\S.*", say("some text")),
    )
    if work.venue == "arXiv" and not work.arxiv:
        row.wrong("arxiv", say("the number of a work whose venue is arXiv"))
    return work


def _authors(row: "Table") -> tuple[str, ...]:
    """The authors of a table; raises CourseError for a name without initials and for a list of the wrong length."""
    authors = row.texts("authors")
    names = authors[:-1] if authors[-1] == OTHERS else authors
    if not 1 <= len(names) <= (6 if names == authors else 3):
        row.wrong("authors", say("one to six names, or up to three and {others}", others=repr(OTHERS)))
    for name in names:
        if name not in _BODIES and not re.fullmatch(_NAME, name):
            row.refuse(say("{name} is no author; expected initials and a surname, A. Turing say", name=repr(name)))
    return authors
