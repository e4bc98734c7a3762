"""Is every copy of a data set as published? What is here is hashed, and nothing is fetched or changed.

A set without files of its own comes with a library or with the course; its loader knows its hash.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from course_utils import paths
from course_utils.data import fetch, prose, registry, sklearn_digits, sounds, tickets
from course_utils.data.registry import Entry
from course_utils.errors import CourseError


@dataclass(frozen=True)
class Row:
    """One checked copy: ``place`` is "cache", "COURSE_DATA" or "library"; ``verdict`` good, damaged or missing.

    "course" is the place of what the course itself lacks: a set's data card, or the loader of an embedded set.
    """

    name: str
    file: str
    place: str
    verdict: str
    detail: str

    @property
    def ok(self) -> bool:
        """Whether this copy is as published."""
        return self.verdict == "good"


def verify(names: Iterable[str] | None = None) -> list[Row]:
    """Hash every copy of the named sets (default: of all) in the cache and in ``COURSE_DATA``; changes nothing.

    A file that is nowhere is one row "missing", and so is a set's data card. The problems are the rows whose ``ok`` is
    false.
    """
    rows: list[Row] = []
    mirror = fetch.course_data()
    for name in registry.names() if names is None else names:
        entry = registry.entry(name)
        if not entry.files:
            rows.append(_verify_embedded(entry))
        for file in entry.files:
            copies = {"cache": fetch.folder(name) / file.name}
            if mirror:
                copies["COURSE_DATA"] = mirror / file.path
            found = {place: path for place, path in copies.items() if path.exists()}
            for place, path in found.items():
                fault = fetch.fault_of(path, file)
                verdict = "damaged" if fault else "good"
                rows.append(
                    Row(name, file.name, place, verdict, f"{paths.display(path)}{f': {fault}' if fault else ''}")
                )
            if not found:
                rows.append(Row(name, file.name, "cache", "missing", f"to fetch: course data fetch {name}"))
        if not entry.card.is_file():
            rows.append(Row(name, entry.card.name, "course", "missing", f"write data/cards/{entry.card.name}"))
    return rows


def _verify_embedded(entry: Entry) -> Row:
    """A set without files of its own: what the library or the course has of it, hashed by its loader."""
    known = {"digits": (sklearn_digits.digits, "library", "comes with scikit-learn")}
    known |= {name: (lambda name=name: tickets.rows(name), "course", "data/tickets") for name in tickets.FILES}
    known |= {prose.OWN: (prose.load_course_text, "course", "data/prose")}
    known |= {name: (lambda name=name: sounds.load_shipped(name), "course", "data/sounds") for name in sounds.SHIPPED}
    if entry.name not in known:
        return Row(entry.name, "", "course", "missing", "write its loader in course_utils/data/sklearn_digits.py")
    read, place, words = known[entry.name]
    try:
        read()
    except CourseError as error:
        return Row(entry.name, "", place, "damaged", str(error))
    return Row(entry.name, "", place, "good", words)
