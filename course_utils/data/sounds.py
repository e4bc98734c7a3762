"""Spoken words, recorded or made by programs: plain arrays at 8 kHz, one channel, with what is said and who says it."""

import hashlib
import io
import wave
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils import paths
from course_utils.data import fetch, registry
from course_utils.errors import CourseError
from course_utils.language import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

RATE = 8000
SHIPPED = ("made_digits", "voxeo_digits")


@dataclass(frozen=True, eq=False, repr=False)
class Sounds:
    """Recordings of different length (float32, within −1 and 1, 8,000 values a second), labels and speakers."""

    name: str
    sounds: "list[np.ndarray]"
    labels: "np.ndarray"
    speakers: "np.ndarray"
    class_names: tuple[str, ...]
    rate: int = RATE

    def __repr__(self) -> str:
        return f"Sounds({self.name!r}: {len(self.sounds)} recordings of {len(set(self.speakers))} speakers)"


def load(name: str, progress: bool = True) -> Sounds:
    """The recordings of one set, a file ``SPEAKER-LABEL.wav`` or ``.au`` each; CourseError where one cannot be read."""
    import numpy as np

    files = fetch.fetch(name, progress)
    sounds, labels, speakers = [], [], []
    for file, path in files.items():
        speaker, _, label = Path(file).stem.rpartition("-")
        try:
            sounds.append(read(path))
        except (wave.Error, EOFError, ValueError, OSError) as error:
            words = "{file} of {name} is no recording ({error}). Fetch it again: course data fetch {name} ({place})."
            place = paths.display(path)
            raise CourseError(say(words, file=file, name=name, error=error, place=place)) from error
        labels.append(int(label))
        speakers.append(speaker)
    return Sounds(name, sounds, np.array(labels), np.array(speakers), registry.entry(name).class_names)


def load_shipped(name: str) -> Sounds:
    """A set that ships with the course: one of `SHIPPED`, made by the module of its name in `course_utils.authoring`.

    Raises CourseError where the file is not the one that ships with the course.
    """
    import numpy as np

    path, entry = paths.packaged(place(name)), registry.entry(name)
    try:
        content = path.read_bytes()
        found = shipped_hash(content)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        words = "{place} cannot be read ({error}). Install the course again."
        raise CourseError(say(words, place=paths.display(path), error=error)) from error
    fault = say("{place} is not the file that ships with the course", place=paths.display(path))
    registry.check_shipped(name, found, fault, "data/sounds")
    with np.load(io.BytesIO(content)) as kept:
        values = mu_law(kept["code"]).astype("float32")
        words = np.split(values, np.cumsum(kept["lengths"])[:-1])
        return Sounds(name, words, kept["labels"].astype("int64"), kept["speakers"], entry.class_names)


def place(name: str) -> str:
    """Where a set that ships is kept, below the data folder."""
    return f"sounds/{name}.npz"


def packed(sounds: "Sequence[np.ndarray]", labels: "Sequence[int]", speakers: "Sequence[str]") -> bytes:
    """Words as the content of an npz file, a byte for each value (µ-law)."""
    import numpy as np

    values = mu_law(np.arange(256, dtype="u1"))
    order = np.argsort(values, kind="stable")
    between = (values[order][1:] + values[order][:-1]) / 2
    file = io.BytesIO()
    np.savez_compressed(
        file,
        code=order[np.searchsorted(between, np.concatenate(sounds))].astype("u1"),
        lengths=np.array([len(sound) for sound in sounds], "<i4"),
        labels=np.array(labels, "u1"),
        speakers=np.array(speakers),
    )
    return file.getvalue()


def shipped_hash(content: bytes) -> str:
    """The sha256 of what such a file holds, however it is compressed."""
    import numpy as np

    with np.load(io.BytesIO(content)) as kept:
        parts = [kept[name].tobytes() for name in ("code", "lengths", "labels")]
        return hashlib.sha256(b"".join([*parts, "\n".join(kept["speakers"]).encode()])).hexdigest()


def read(path: Path) -> "np.ndarray":
    """One recording as float32 at 8 kHz: 16-bit WAV of one channel, or µ-law without a header (``.au``)."""
    import numpy as np

    raw = path.read_bytes()
    if path.suffix == ".au":
        return mu_law(np.frombuffer(raw, "u1")).astype("float32")
    with wave.open(io.BytesIO(raw)) as file:
        if (file.getnchannels(), file.getsampwidth()) != (1, 2):
            raise ValueError("not 16 bits of one channel")
        rate, values = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    if rate != RATE:
        from scipy.signal import resample_poly

        common = np.gcd(rate, RATE)
        values = resample_poly(values, RATE // common, rate // common)
    return values.astype("float32")


def mu_law(code: "np.ndarray") -> "np.ndarray":
    """Bytes of the telephone's logarithmic code (ITU-T G.711, µ-law) as values within −1 and 1."""
    sign, exponent, mantissa = ~code >> 7, (~code >> 4) & 7, (~code & 15).astype("int64")
    size = (((mantissa << 3) + 132) << exponent.astype("int64")) - 132
    return (1 - 2 * sign.astype("int64")) * size / 32768
