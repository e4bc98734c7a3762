"""Documents cut for a search: a chapter into sections, a section into passages.

A section is what stands from one heading of level two or three to the next, prose and formulas, without code. A passage
is some paragraphs of it, as many as an encoder reads at once.
"""

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from course_utils.errors import CourseError

if TYPE_CHECKING:
    from course_utils.authoring.sources import Source

PASSAGE_WORDS = 120  # some 200 word pieces with formulas; all-MiniLM reads 256 and was trained on 128
_HEADING = re.compile(r"(#{2,3})\s+(\S.*)")
# Headings under which nothing is explained (exercises are tasks, sources a list of papers), or once more, in a line.
_LEFT_OUT = re.compile(r"Setup$|Sources$|Exercises$|Exercise \d|You will be able to$|Recap$|Limits and next$")


@dataclass(frozen=True)
class Section:
    """One section: ``chapter`` two digits, its ``title``, the title it stands under ("" for level two), its text.

    ``claims``: the claims of the articles whose verdict is recorded in it.
    """

    chapter: str
    title: str
    under: str
    text: str
    claims: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is called: the chapter and the titles, without numbers, which move when a chapter is rewritten."""
        titles = [re.sub(r"^\d+ · ", "", title) for title in (self.under, self.title) if title]
        return f"{self.chapter}/{' > '.join(titles)}"


def sections(source: "Source") -> list[Section]:
    """The sections of a chapter's source, in their order; those without a word are left out."""
    chapter = source.chapter.number
    found: list[dict] = []
    above = ""
    for cell in source.cells:
        if cell.code:
            if found:
                found[-1]["claims"] += cell.claims
            continue
        fenced = False
        for line in cell.source.split("\n"):
            fenced ^= line.startswith(("```", "~~~"))
            match = None if fenced else _HEADING.match(line)
            if match:
                level, title = len(match[1]), match[2].strip()
                above = title if level == 2 else above
                found.append({"title": title, "under": above if level == 3 else "", "lines": [], "claims": []})
            elif found:
                found[-1]["lines"].append(line)
        if found:
            found[-1]["lines"].append("")
    made = [
        Section(chapter, one["title"], one["under"], plain("\n".join(one["lines"])), tuple(one["claims"]))
        for one in found
        if not any(_LEFT_OUT.match(title) for title in (one["title"], one["under"]))
    ]
    return [section for section in made if section.text]


def plain(markdown: str) -> str:
    """Markdown without its marks: words, formulas as words (\\delta becomes delta), paragraphs as they were."""
    text = re.sub(r"<[^<>\n]+>", " ", markdown)
    text = re.sub(r"!?\[([^\]\n]*)\]\([^()\s]*\)", r"\1", text)
    text = re.sub(
        r"\\(?:mathrm|mathbb|mathsf|mathbf|text|operatorname|[Bb]ig+|left|right|qquad|quad|,|;|!)\b", " ", text
    )
    text = re.sub(r"\\([A-Za-z]+)", r" \1 ", text)
    text = re.sub(r"[*`$\\{}|_^&]|^[#>-]+ |:?-{3,}:?", " ", text, flags=re.MULTILINE)
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text)]
    return "\n".join(part for part in paragraphs if re.search(r"\w", part))


def passages(text: str, words: int = PASSAGE_WORDS) -> list[str]:
    """A section's text in pieces of at most ``words`` words: whole paragraphs, sentences of one that is longer, or
    words of a sentence that is longer still (a table, say)."""
    if words < 1:
        raise CourseError(f"A passage has at least one word; it got words = {words}.")
    pieces: list[str] = []
    for paragraph in text.split("\n"):
        whole = [paragraph] if len(paragraph.split()) <= words else sentences(paragraph)
        for part in itertools.chain.from_iterable(_shortened(one, words) for one in whole):
            if pieces and len(pieces[-1].split()) + len(part.split()) <= words:
                pieces[-1] += "\n" + part
            else:
                pieces.append(part)
    return [piece for piece in pieces if piece.strip()]


def _shortened(text: str, words: int) -> list[str]:
    split = text.split()
    if len(split) <= words:
        return [text]
    return [" ".join(split[start : start + words]) for start in range(0, len(split), words)]


def sentences(text: str) -> list[str]:
    """A text's sentences: cut behind . ! or ? where a capital, a digit, a bracket or a quote follows, and at lines."""
    parts = re.split(r"(?<=[.!?])[\"”)]*\s+(?=[A-Z0-9(\"“'])|\n+", text)
    return [part.strip() for part in parts if part and re.search(r"\w", part)]


def settled_in(found: Iterable[Section]) -> dict[str, str]:
    """The section that settles each claim: where its verdict is recorded. Claim → the section's name."""
    return {claim: section.name for section in found for claim in section.claims}


def unique(found: Sequence[Section]) -> Sequence[Section]:
    """The sections, if no two have one name; else CourseError that says which."""
    names = [section.name for section in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CourseError(f"Two sections are called {twice[0]!r}; give one of them another heading.")
    return found
