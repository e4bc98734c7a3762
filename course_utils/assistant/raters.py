"""Two people label the same sentences: each alone, without seeing how a sentence came to be, in a file that a
spreadsheet opens.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from course_utils import console, paths
from course_utils.errors import CourseError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("number", "sentence", "source", "supported")
_ANSWERS = {"yes": True, "no": False}


def write(file: Path | str, sentences: Sequence[str], sources: Sequence[str], *, seed: int = 0) -> None:
    """Write a file for one person: the sentences shuffled, each with its source, and an empty column ``supported``.

    The same ``seed`` gives two people the same order. Raises CourseError unless each sentence comes once and has a
    source.
    """
    sentences = [one.strip() for one in sentences]
    if len(sentences) != len(sources) or not all(sentences) or not 0 < len(set(sentences)) == len(sentences):
        raise CourseError("Give at least one sentence, no sentence twice, and a source for each.")
    content = io.StringIO(newline="")
    content.write("\ufeff")  # without this mark some spreadsheets read another encoding than UTF-8
    table = csv.writer(content, lineterminator="\n")
    table.writerow(COLUMNS)
    for number, place in enumerate(np.random.default_rng(seed).permutation(len(sentences)), 1):
        table.writerow([number, *map(console.spreadsheet_cell, (sentences[place], sources[place])), ""])
    paths.write_atomic(Path(file), content.getvalue())


def read(one: Path | str, other: Path | str) -> "pd.DataFrame":
    """Two filled files → bool columns "one" and "other", a row for each sentence, which is the index.

    Raises CourseError, one sentence, for a file that cannot be read, an answer that is not yes or no, and files that
    are not of the same sentences.
    """
    import pandas as pd

    first, second = (_filled(Path(file)) for file in (one, other))
    if first.keys() != second.keys():
        alone = next(iter(first.keys() ^ second.keys()))
        shown = alone if len(alone) <= 40 else alone[:40] + "…"
        raise CourseError(f"The two files are not of the same sentences: {shown!r} is in one of them only.")
    return pd.DataFrame({"one": first, "other": {said: second[said] for said in first}}, dtype=bool)


def _filled(file: Path) -> dict[str, bool]:
    """Sentence → what a person says of it."""
    shown = paths.display(file)
    try:
        rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig"), newline="")))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or "it is no CSV in UTF-8"
        raise CourseError(f"{shown} cannot be read ({reason}).") from None
    if not rows or not set(COLUMNS) <= set(rows[0]):
        raise CourseError(f"{shown} needs rows with the columns {', '.join(COLUMNS)}, separated by commas.")
    found: dict[str, bool] = {}
    for place, row in enumerate(rows, 2):
        said = console.from_spreadsheet_cell((row["sentence"] or "").strip())
        answer = (row["supported"] or "").strip().lower()
        if answer not in _ANSWERS:
            raise CourseError(f"{shown}, row {place}: supported must be yes or no, and it is {answer[:20]!r}.")
        if not said or said in found:
            raise CourseError(f"{shown}, row {place}: each sentence must stand there once.")
        found[said] = _ANSWERS[answer]
    return found
