"""Running text for language models: one long string, cut into a training and a validation part."""

import gzip
import hashlib
import zlib
from dataclasses import dataclass

from course_utils import paths
from course_utils.data import fetch, registry
from course_utils.errors import CourseError

TRAINING = 0.9  # the share of the characters, from the beginning, that trains
OWN = "course_text"


@dataclass(frozen=True, eq=False, repr=False)
class Prose:
    """A running text: its name, the text itself and its language. The first nine tenths train, the rest judges."""

    name: str
    text: str
    language: str

    @property
    def train(self) -> str:
        """The first nine tenths of the characters."""
        return self.text[: int(TRAINING * len(self.text))]

    @property
    def validation(self) -> str:
        """The last tenth of the characters."""
        return self.text[int(TRAINING * len(self.text)) :]

    def __repr__(self) -> str:
        return f"Prose({self.name!r}: {len(self.text):,} characters, {len(set(self.text))} different ones)"


def load_tinyshakespeare(progress: bool = True) -> Prose:
    """Tiny Shakespeare: 1,115,394 characters of the plays, of 65 kinds, in the published order."""
    path = fetch.fetch("tinyshakespeare", progress)["input.txt"]
    try:
        return Prose("tinyshakespeare", path.read_text("utf-8"), "en")
    except UnicodeDecodeError as error:
        raise CourseError(f"{paths.display(path)} cannot be read as text ({error}).") from error


def load_course_text() -> Prose:
    """What this course says in chapters 00 to 11, with the training tickets: a snapshot, in an order drawn once.

    Raises CourseError where the file is not the one that ships with the course.
    """
    path = paths.packaged(f"prose/{OWN}.txt.gz")
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise CourseError(f"{paths.display(path)} cannot be read ({error}). Install the course again.") from error
    fault = f"{paths.display(path)} is not the text that ships with the course"
    registry.check_shipped(OWN, hashlib.sha256(content).hexdigest(), fault, "data/prose")
    return Prose(OWN, content.decode("utf-8"), "en")
