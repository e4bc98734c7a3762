"""The support tickets as an encoder's vectors, stored with the course: the middle step of chapter 13's cascade.

``data/retrieval/tickets.npz`` is written by ``python -m course_utils.retrieval.make --tickets``, with its hash and that
of the tickets in ``tickets.toml``.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence

import numpy as np

from course_utils import paths, tables
from course_utils.data.tickets import PARTS
from course_utils.errors import CourseError
from course_utils.retrieval import corpus

STORED, INDEX = "tickets.npz", "tickets.toml"


def vectors(texts: Mapping[str, Sequence[str]]) -> dict[str, np.ndarray]:
    """Part of the English tickets → float32 (tickets, 384) of length 1; ``texts`` are the parts' messages.

    Raises CourseError where the file is not the published one, or where ``texts`` are not those that it was made of.
    """
    folder = paths.packaged(f"retrieval/{INDEX}").parent
    index = tables.read(folder / INDEX, corpus.MEND)
    content = corpus.verified(folder / STORED, index, INDEX)
    made_of = tables.Table(index, paths.display(folder / INDEX), mend=corpus.MEND).sha256("texts")
    if set(texts) != set(PARTS) or digest(texts) != made_of:
        raise CourseError(
            "The stored vectors belong to the tickets that ship with the course, in their parts; these are others. "
            "course_utils.retrieval.make.encode(texts) gives vectors of any texts."
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {part: corpus.restored(arrays[part], arrays[f"{part}_scales"]) for part in PARTS}


def digest(texts: Mapping[str, Sequence[str]]) -> str:
    """A hash of the messages of all parts in their order."""
    return hashlib.sha256("\0".join(text for part in PARTS for text in texts[part]).encode("utf-8")).hexdigest()
