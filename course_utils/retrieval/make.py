"""Make the corpus of chapter 13 anew: ``python -m course_utils.retrieval.make [--tickets]``.

Cuts the chapters' sources, encodes passages and questions with all-MiniLM-L6-v2 (some 15 processor seconds), and writes
``data/retrieval``: corpus.json, vectors.npz (eight bits, a scale a row) and index.toml, all of it or nothing. With
``--tickets`` the corpus stays as it is, and the support tickets are encoded: tickets.npz and tickets.toml.
"""

import argparse
import datetime
import hashlib
import io
import json
import zipfile
from collections.abc import Sequence

import numpy as np

from course_utils import paths
from course_utils.data.tickets import PARTS
from course_utils.errors import CourseError, warn
from course_utils.retrieval import corpus, cutting, questions, tickets

_COMMAND = "python -m course_utils.retrieval.make"
_HEADER = """\
# For chapter 13; course_utils.retrieval checks the hash before it reads a file.
# Written by the command under made_by, together with the files: not by hand. Cards: ../cards/course.md, tickets.md
"""


def main(arguments: list[str] | None = None) -> None:
    """Cut, encode, write; say in a line each what was made."""
    parser = argparse.ArgumentParser(prog=_COMMAND, description=__doc__.splitlines()[0].split(":")[0] + ".")
    parser.add_argument("--tickets", action="store_true", help="encode the support tickets, and leave the corpus alone")
    given = parser.parse_args(arguments)
    try:
        folder = paths.require_checkout() / "data" / "retrieval"
        content = packed_tickets() if given.tickets else _corpus()
    except CourseError as error:
        warn(str(error))
        raise SystemExit(2) from None
    paths.write_together({folder / name: text for name, text in content.items()})
    for name, text in content.items():
        print(f"{paths.display(folder / name)}: {len(text):,} bytes")


def _corpus() -> dict[str, bytes]:
    found = corpus.live()
    asked = questions.questions(cutting.settled_in(found))
    questions.check_labels(asked, {section.name for section in found})
    return packed(found, asked)


def packed_tickets() -> dict[str, bytes]:
    """The vectors of the English tickets and their index, as files' contents; needs the encoder."""
    from course_utils import data

    loaded = data.load("tickets")
    texts = {part: getattr(loaded, part).texts for part in PARTS}
    arrays = {}
    for part in PARTS:
        arrays[part], arrays[f"{part}_scales"] = corpus.squeezed(encode(texts[part]))
    files = {tickets.STORED: archive(arrays)}
    return files | {tickets.INDEX: index(files, " --tickets", f'texts = "{tickets.digest(texts)}"').encode()}


def packed(found: Sequence[cutting.Section], asked: Sequence[questions.Question]) -> dict[str, bytes]:
    """The three files' contents, from sections and questions; needs the encoder."""
    cut = [cutting.passages(section.text) for section in found]
    titles = [corpus.title_of(section) for section in found]
    texts = [f"{title}. {piece}" for title, pieces in zip(titles, cut, strict=True) for piece in pieces]
    vectors = {"passage": encode(texts), "question": encode([question.text for question in asked])}
    stored = {
        "sections": [
            {"name": section.name, "title": title, "passages": pieces}
            for section, title, pieces in zip(found, titles, cut, strict=True)
        ],
        "questions": [{"name": q.name, "text": q.text, "kind": q.kind, "sections": list(q.sections)} for q in asked],
    }
    arrays = {}
    for name, one in vectors.items():
        arrays[f"{name}s"], arrays[f"{name}_scales"] = corpus.squeezed(one)
    files = {
        corpus.PASSAGES: (json.dumps(stored, ensure_ascii=False, indent=1) + "\n").encode(),
        corpus.VECTORS: archive(arrays),
    }
    return files | {corpus.INDEX: index(files).encode()}


def encode(texts: Sequence[str], length: int = 256) -> np.ndarray:
    """Texts → float32 (n, 384) of length 1, by chapter 09's encoder; raises CourseError where it cannot be had."""
    from course_utils.recipes import encoder

    vectors = encoder.sentence_vectors(encoder.load("minilm"), texts, length=length)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def archive(arrays: dict[str, np.ndarray]) -> bytes:
    """Arrays as an .npz, the same bytes for the same arrays: NumPy's own writes the time of day into it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, array in arrays.items():
            one = io.BytesIO()
            np.save(one, array, allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy")  # of 1 January 1980
            info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, 3
            file.writestr(info, one.getvalue())
    return packed.getvalue()


def index(files: dict[str, bytes], option: str = "", *more: str) -> str:
    """An index: size and hash of each file, by which option it was made and when, and ``more`` lines."""
    import keras

    lines = [_HEADER]
    lines += [
        f'made_by = "{_COMMAND}{option}"',
        f'date = "{datetime.date.today()}"',
        'encoder = "minilm"',
        'licence = "CC BY 4.0"',
        f'versions = {{ keras = "{keras.__version__}", numpy = "{np.__version__}" }}',
        *more,
    ]
    for name, content in files.items():
        digest = hashlib.sha256(content).hexdigest()
        lines.append(f'\n[{name.split(".")[0]}]\nsize = {len(content)}\nsha256 = "{digest}"')
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
