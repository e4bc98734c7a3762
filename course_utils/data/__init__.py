"""Data sets: ``load("digits")`` → arrays; what there is (``registry``), and how it is fetched and checked.

Nothing heavy is imported until a set is loaded: NumPy with the first loader, pooch with the first download.
"""

import importlib
from typing import TYPE_CHECKING

from course_utils.data import fetch, registry
from course_utils.data.fetch import status
from course_utils.data.registry import entry, names

if TYPE_CHECKING:
    from course_utils.data.frames import Tables
    from course_utils.data.images import ImageData
    from course_utils.data.prose import Prose
    from course_utils.data.sounds import Sounds
    from course_utils.data.text import TextData

_IMAGES = {"ImageData", "Part", "digits_shuffled_split"}

__all__ = [
    "ImageData",
    "Part",
    "colour_digits",
    "digits_shuffled_split",
    "entry",
    "fetch",
    "load",
    "load_csv",
    "names",
    "payments",
    "registry",
    "status",
    "verify",
]


def load(
    name: str, *, seed: int = 0, split: str | None = None, progress: bool = True
) -> "ImageData | TextData | Prose | Tables | Sounds":
    """A data set as a frozen dataclass of NumPy arrays with train, validation and test parts and class names.

    Running text ("course_text", "tinyshakespeare") has two parts, each one string.

    ``split="shuffled"`` (digits only) splits by chance with ``seed``; by default each set has its one fixed split.
    Raises CourseError for an unknown name or split, for a set that no loader knows, and for files that cannot be had.
    """
    from course_utils.data.loaders import load as by_kind

    return by_kind(registry.entry(name), seed=seed, split=split, progress=progress)


def colour_digits(
    source: str = "digits", *, size: int = 32, seed: int = 0, limit: int | None = None, progress: bool = True
) -> "ImageData":
    """Digits blended over photographs: uint8 (n, size, size, 3), with the parts, labels and groups of their source.

    ``source`` is "digits" or "mnist"; ``limit`` keeps that many images of each part, the first ones. Raises
    CourseError for a source that is not one of MNIST's form and for a size below 28.
    """
    from course_utils.data import colour

    return colour.blend(load(source, progress=progress), size=size, seed=seed, limit=limit)


def __getattr__(name: str):
    if name == "verify":
        return importlib.import_module("course_utils.data.verify")
    if name == "payments":
        return importlib.import_module("course_utils.data.payments")
    if name == "load_csv":
        return importlib.import_module("course_utils.data.messages").load_csv
    if name == "images" or name in _IMAGES:
        module = importlib.import_module("course_utils.data.images")
        return module if name == "images" else getattr(module, name)
    raise AttributeError(f"module 'course_utils.data' has no attribute {name!r}")
