"""Labelled examples for the gate: from a CSV file, an .npz file, one of the course's sets, or a part of one."""

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from course_utils import paths
from course_utils.errors import CourseError
from course_utils.language import say, say_many
from course_utils.serving.gate.subject import Data

SLICES = ("channel", "language")  # columns that become slices without being named


def as_data(data: Any, model: Any) -> Data:
    """A `Data`, from one, or from a part of a text or image set of the course. Raises CourseError for anything else."""
    if isinstance(data, Data):
        return data
    frame = getattr(data, "frame", None)
    if frame is not None and {"text", "label"} <= set(frame.columns):
        columns = {name: frame[name].astype(str).tolist() for name in SLICES if name in frame.columns}
        return Data(frame["text"].tolist(), frame["label"].astype(str).tolist(), columns)
    images = getattr(data, "images", None)
    if images is not None:
        return Data(np.asarray(images), _names(np.asarray(data.labels), model))
    raise CourseError(
        say(
            "The gate takes Data(inputs, labels) or a part of one of the course's sets, data.load(…).test; it got a "
            "{kind}.",
            kind=type(data).__name__,
        )
    )


def from_csv(path: Path, text: str, label: str, slices: Sequence[str] = ()) -> Data:
    """The messages of a CSV file with two or more classes, read as `course compare` reads them.

    The columns ``slices`` become slices, and those named channel or language without being asked for. Raises
    CourseError.
    """
    from course_utils.data import csv_file, messages

    path = Path(path).expanduser()
    own = messages.load_csv(path, text=text, label=label)
    wanted = [csv_file.column_name(one) for one in slices]
    table = csv_file.read(path, tuple(csv_file.column_name(one) for one in (text, label)) + tuple(wanted))
    taken = [*wanted, *(one for one in SLICES if one in table.columns and one not in wanted)]
    fields = dict(table.records)
    columns = {
        name: [fields[line][table.columns.index(name)] for line in own.frame["line"]]
        for name in taken
        if name not in (csv_file.column_name(text), csv_file.column_name(label))
    }
    left = len(table.records) - len(own.frame)
    notes = ()
    if left:
        notes = (
            say_many(
                "{n} row of {file} was left out (empty, repeated, or the only one of its class).",
                "{n:,} rows of {file} were left out (empty, repeated, or the only ones of their class).",
                left,
                file=paths.display(path),
            ),
        )
    return Data(own.frame["text"].tolist(), own.frame["label"].tolist(), columns, paths.display(path), notes)


def images(source: str, model: Any) -> Data:
    """The test part of one of the course's image sets, by its name, or an .npz file with ``images`` and ``labels``.

    Labels are numbers of the model's classes, or their names. Raises CourseError.
    """
    path = Path(source).expanduser()
    if path.suffix != ".npz":
        from course_utils import data

        part = data.load(source).test
        if not hasattr(part, "images"):
            raise CourseError(say("{name} is a set of texts, and the model takes images.", name=source))
        return Data(part.images, _names(part.labels, model), name=source)
    shown = paths.display(path)
    try:
        with np.load(path, allow_pickle=False) as held:
            found, labels = held["images"], held["labels"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise CourseError(
            say(
                "{file} cannot be read ({why}); expected is an .npz file with images, uint8 (n, 28, 28), and labels.",
                file=shown,
                why=str(error)[:200],
            )
        ) from error
    return Data(found, _names(labels, model), name=shown)


def _names(labels: np.ndarray, model: Any) -> list[str]:
    """Labels as names: numbers count the model's classes, unless they are its names."""
    names = tuple(model.class_names)
    if labels.dtype.kind not in "iu":
        return [str(one) for one in labels.tolist()]
    if labels.size and not (labels.min() >= 0 and labels.max() < len(names)):
        raise CourseError(
            say("The labels reach {most}, and the model has {n} classes.", most=int(labels.max()), n=len(names))
        )
    return [names[k] for k in labels]
