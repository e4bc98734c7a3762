"""The labelled questions of chapter 13: which sections answer each, or that none does."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace

from course_utils import claims, paths, tables
from course_utils.errors import CourseError
from course_utils.language import say

KINDS = ("claim", "cited", "chinese", "asked", "near", "far")  # of the last two there is no answer in the corpus
_MEND = "Mend the file, or install the course again."


@dataclass(frozen=True)
class Question:
    """A question: its ``name``, its ``text``, its ``kind`` (of `KINDS`), and the names of the sections that answer it.

    "cited" is a claim with its place in the articles in front, "chinese" one in the articles' own words. ``sections``
    is empty where nothing in the corpus answers. Of a claim the first section is the one in which its verdict is
    recorded; the others were added by a second look.
    """

    name: str
    text: str
    kind: str
    sections: tuple[str, ...]


def questions(settled: Mapping[str, str]) -> list[Question]:
    """All questions; ``settled`` is the section of each claim whose verdict the corpus records.

    Raises CourseError for a file that is not as it should be.
    """
    table = _table()
    also, unanswerable = table.table("claims"), table.table("unanswerable", ("near", "far", "claims"))
    rows = claims.rows()
    if unknown := sorted(set(also.value) - set(settled)):
        table.refuse(say("{claim} has sections, but its verdict is recorded in none", claim=unknown[0]))
    found = [
        Question(claim, rows[claim]["says"], "claim", (section, *also.value.get(claim, ())))
        for claim, section in sorted(settled.items())
    ]
    cited = [replace(one, text=f"{rows[one.name]['where']}: {one.text}", kind="cited") for one in found]
    chinese = table.table("chinese")
    in_chinese = [
        replace(one, text=chinese.text(one.name), kind="chinese") for one in found if one.name in chinese.value
    ]
    found += cited
    asked = table.value.get("asked")
    if not isinstance(asked, list):
        table.refuse(say("[[asked]] is missing"))
    for number, value in enumerate(asked, 1):
        one = tables.Table(value, f"{table.where}, asked {number}", ("text", "sections"), _MEND)
        found.append(Question(f"a{number:02d}", one.text("text"), "asked", one.texts("sections")))
    for kind in ("near", "far"):
        texts = unanswerable.texts(kind)
        found += [Question(f"{kind[0]}{n:02d}", text, kind, ()) for n, text in enumerate(texts, 1)]
    found += [Question(claim, rows[claim]["says"], "near", ()) for claim in unanswerable.texts("claims")]
    return found + in_chinese


def check_labels(found: list[Question], names: set[str]) -> None:
    """Raise CourseError unless every section that a question names is there."""
    for question in found:
        for section in question.sections:
            if section not in names:
                from course_utils.errors import near_misses

                raise CourseError(
                    f"Question {question.name} is answered in {section!r}, which is no section."
                    + near_misses(section, sorted(names))
                )


@functools.cache
def _table() -> tables.Table:
    path = paths.packaged("retrieval/questions.toml")
    known = ("claims", "asked", "unanswerable", "chinese")
    return tables.Table(tables.read(path, _MEND), paths.display(path), known, _MEND)
