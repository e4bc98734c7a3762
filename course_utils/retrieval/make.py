"""Make the corpus of chapter 13 anew: ``python -m course_utils.retrieval.make``.

Cuts the chapters' sources, encodes passages and questions with all-MiniLM-L6-v2 (some 15 processor seconds), and writes
``data/retrieval``: corpus.json, vectors.npz (eight bits, a scale a row) and index.toml, all of it or nothing.
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
from course_utils.errors import CourseError, warn
from course_utils.retrieval import corpus, cutting, questions

_HEADER = """\
# The corpus of chapter 13; course_utils.retrieval.corpus checks size and hash before it reads a file.
# Written by the command under made_by, together with the files: not by hand. Card: ../cards/course.md
"""


def main(arguments: list[str] | None = None) -> None:
    """Cut, encode, write; say in a line each what was made."""
    argparse.ArgumentParser(
        prog="python -m course_utils.retrieval.make", description=__doc__.splitlines()[0].split(":")[0] + "."
    ).parse_args(arguments)
    try:
        folder = paths.require_checkout() / "data" / "retrieval"
        found = corpus.live()
        asked = questions.questions(cutting.settled_in(found))
        questions.check_labels(asked, {section.name for section in found})
        content = packed(found, asked)
    except CourseError as error:
        warn(str(error))
        raise SystemExit(2) from None
    paths.write_together({folder / name: text for name, text in content.items()})
    for name, text in content.items():
        print(f"{paths.display(folder / name)}: {len(text):,} bytes")


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


def index(files: dict[str, bytes]) -> str:
    """index.toml: size and hash of each file, who made it and when."""
    import keras

    lines = [_HEADER]
    lines += [
        'made_by = "python -m course_utils.retrieval.make"',
        f'date = "{datetime.date.today()}"',
        'encoder = "minilm"',
        'licence = "CC BY 4.0"',
        f'versions = {{ keras = "{keras.__version__}", numpy = "{np.__version__}" }}',
    ]
    for name, content in files.items():
        digest = hashlib.sha256(content).hexdigest()
        lines.append(f'\n[{name.split(".")[0]}]\nsize = {len(content)}\nsha256 = "{digest}"')
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
