"""Support tickets that ship with the course: messages to the help desk of a small software company, by team."""

import csv
import hashlib
import io
from typing import TYPE_CHECKING

from course_utils import paths
from course_utils.data import registry
from course_utils.errors import CourseError

if TYPE_CHECKING:
    import pandas as pd

    from course_utils.data.text import TextData

COLUMNS = ("id", "text", "label", "also", "language", "channel", "created")
PARTS = ("train", "validation", "test")
# set -> language, which is also the beginning of its files' names
FILES = {"tickets": "en", "tickets_zh": "zh"}


def _contents(name: str) -> dict[str, bytes]:
    found = {}
    for part in PARTS:
        path = paths.packaged(f"tickets/{FILES[name]}_{part}.csv")
        try:
            # a checkout on Windows may have changed the line ends
            found[part] = path.read_bytes().replace(b"\r\n", b"\n")
        except OSError as error:
            raise CourseError(
                f"{paths.display(path)} cannot be read ({error.strerror}). Install the course again."
            ) from error
    return found


def rows(name: str) -> "dict[str, pd.DataFrame]":
    """Part → frame with the seven columns, all text. Raises CourseError for files that are not the published ones."""
    import pandas as pd

    contents = _contents(name)
    found = hashlib.sha256(b"".join(contents[part] for part in PARTS)).hexdigest()
    fault = f"The files of {name} in data/tickets are not the published ones"
    registry.check_shipped(name, found, fault, "data/tickets")
    frames = {}
    for part, content in contents.items():
        records = list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
        frames[part] = pd.DataFrame(records, columns=list(COLUMNS))
    return frames


def load(name: str) -> "TextData":
    """The English or Chinese tickets in their fixed parts."""
    from course_utils.data.text import text_data

    return text_data(name, rows(name), registry.entry(name).class_names, FILES[name])
