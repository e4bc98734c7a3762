"""The corpus of chapter 13: the course's chapters on one day, in sections and passages, with an encoder's vectors.

``data/retrieval`` holds it as files, written by ``python -m course_utils.retrieval.make`` with their hashes in
``index.toml``. It is a snapshot, so that the chapter's figures stay as printed when a sentence of the course changes;
`live` reads the sources as they are now, for the gate.
"""

import hashlib
import io
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from course_utils import paths, tables
from course_utils.errors import CourseError
from course_utils.retrieval.questions import Question

if TYPE_CHECKING:
    from course_utils.retrieval.cutting import Section

LAST = "11"  # the last chapter of the corpus: 12 and 13 came after the snapshot, and 13 quotes the questions
PASSAGES, VECTORS, INDEX = "corpus.json", "vectors.npz", "index.toml"
MEND = "Install the course again, or in a checkout run: git checkout data/retrieval"


@dataclass(frozen=True, eq=False)
class Corpus:
    """Sections, their passages, and questions about them.

    ``names``, ``titles`` and ``texts`` hold a text for each section; ``passages`` those of all sections one after the
    other, ``owners`` int (passages,) the section of each. ``vectors`` float32 (passages, width) and
    ``question_vectors`` (questions, width) have length 1.
    """

    names: list[str]
    titles: list[str]
    texts: list[str]
    passages: list[str]
    owners: np.ndarray
    questions: list[Question]
    vectors: np.ndarray
    question_vectors: np.ndarray

    @cached_property
    def number(self) -> dict[str, int]:
        """The number of a section by its name."""
        return {name: place for place, name in enumerate(self.names)}

    def right(self, question: Question) -> list[int]:
        """The numbers of the sections that answer a question."""
        return [self.number[name] for name in question.sections]

    def of_sections(self, scores: np.ndarray) -> np.ndarray:
        """Scores of passages (questions, passages) → of sections (questions, sections): the best passage counts."""
        best = np.full((len(scores), len(self.names)), -np.inf)
        np.maximum.at(best.T, self.owners, np.asarray(scores).T)
        return best


def load() -> Corpus:
    """The stored corpus. Raises CourseError where a file is missing, or is not the one that the index describes."""
    folder = paths.packaged(f"retrieval/{INDEX}").parent
    index = tables.read(folder / INDEX, MEND)
    content = {name: verified(folder / name, index, INDEX) for name in (PASSAGES, VECTORS)}
    stored = json.loads(content[PASSAGES])
    with np.load(io.BytesIO(content[VECTORS]), allow_pickle=False) as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    pieces = [(number, text) for number, one in enumerate(stored["sections"]) for text in one["passages"]]
    return Corpus(
        names=[one["name"] for one in stored["sections"]],
        titles=[one["title"] for one in stored["sections"]],
        texts=["\n".join([one["title"], *one["passages"]]) for one in stored["sections"]],
        passages=[text for _, text in pieces],
        owners=np.array([number for number, _ in pieces]),
        questions=[Question(q["name"], q["text"], q["kind"], tuple(q["sections"])) for q in stored["questions"]],
        vectors=restored(kept["passages"], kept["passage_scales"]),
        question_vectors=restored(kept["questions"], kept["question_scales"]),
    )


def date() -> str:
    """The day on which the stored corpus was made, YYYY-MM-DD."""
    return str(tables.read(paths.packaged(f"retrieval/{INDEX}"), MEND)["date"])


def live() -> "list[Section]":
    """The sections of the chapters up to `LAST` as their sources have them now; needs a checkout and jupytext."""
    from course_utils.authoring import sources
    from course_utils.chapters import chapters
    from course_utils.retrieval.cutting import sections, unique

    read = [sources.read(chapter) for chapter in chapters() if chapter.number <= LAST]
    return list(unique([section for source in read for section in sections(source)]))


def title_of(section: "Section") -> str:
    """The title under which a section is searched: chapter, section, subsection, without numbers."""
    from course_utils.retrieval.cutting import plain

    return plain(section.name.split("/", 1)[1].replace(" > ", ": "))


def squeezed(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (n, width) → whole numbers int8 and a scale for each row float32 (n,), as chapter 10 does it."""
    scales = np.abs(vectors).max(axis=1) / 127
    return np.round(vectors / scales[:, None]).astype(np.int8), scales.astype(np.float32)


def restored(whole: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """What `squeezed` keeps, as float32 vectors of length 1."""
    vectors = whole.astype(np.float32) * scales[:, None]
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def verified(path: Path, index: dict, name: str) -> bytes:
    """The bytes of a file whose hash stands in ``index``, the content of ``name`` beside it; else CourseError."""
    shown = paths.display(path)
    entry = tables.Table(index, paths.display(path.parent / name), mend=MEND).table(path.stem)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CourseError(f"{shown} cannot be read ({error.strerror}). {MEND}") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != entry.sha256():
        raise CourseError(f"{shown} is not the file that ships with the course (sha256 {digest}). {MEND}")
    return content
