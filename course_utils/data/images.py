"""Image sets as NumPy arrays: scikit-learn's digits in MNIST's form, and the published idx files."""

import gzip
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from course_utils import paths
from course_utils.data import fetch, registry, sklearn_digits
from course_utils.errors import CourseError

if TYPE_CHECKING:
    import pandas as pd

# The 1,797 digits come from 14 filled-in forms: the same sequence of about 130 labels (0 to 9 three times, then
# 100 in a fixed disorder) starts anew at each of these rows. A form is one hand: an image's nearest neighbour of its
# class in the same form is about half as far (squared distance) as in any other. (The publishers count 13 people.)
# Blocks of whole forms keep a hand on one side of a split.
DIGITS_FORMS = (0, 130, 256, 386, 516, 646, 776, 906, 1029, 1157, 1287, 1415, 1545, 1667)
# Rows 0–1028 (8 forms), 1029–1414 (3 forms), 1415–1796 (3 forms): 57, 21 and 21 per cent.
DIGITS_BLOCKS = {"train": (0, 1029), "validation": (1029, 1415), "test": (1415, 1797)}
# MNIST and Fashion-MNIST publish no validation part: it is the end of their training file.
VALIDATION_IMAGES = 5_000
# The idx files of a set, by the names under which both were published.
_IDX_FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}


@dataclass(frozen=True, eq=False, repr=False)
class Part:
    """Images, uint8 (n, height, width), 0 background to 255 ink, or in colour (…, 3), and labels, int64 (n,).

    ``groups``, int64 (n,), says what belongs together: images with the same number come from one sheet of paper, or
    from one source; all zeros where nothing is known. All arrays are read-only.
    """

    images: np.ndarray
    labels: np.ndarray
    groups: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.groups is None:
            object.__setattr__(self, "groups", np.zeros(len(self.labels)))
        for field, dtype in (("images", np.uint8), ("labels", np.int64), ("groups", np.int64)):
            array = np.ascontiguousarray(getattr(self, field), dtype=dtype).view()
            array.flags.writeable = False
            object.__setattr__(self, field, array)
        grey, colour = self.images.ndim == 3, self.images.ndim == 4 and self.images.shape[3] == 3
        if not (grey or colour) or not self.labels.shape == self.groups.shape == self.images.shape[:1]:
            raise CourseError(
                f"Images of shape {self.images.shape}, labels of shape {self.labels.shape} and groups of shape "
                f"{self.groups.shape} do not belong together; expected: (n, height, width) or "
                "(n, height, width, 3), (n,) and (n,)."
            )

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"Part({len(self):,} images of {self.images.shape[1]}×{self.images.shape[2]})"


@dataclass(frozen=True, eq=False, repr=False)
class ImageData:
    """An image set: its name, three parts and the names of the classes that the labels count."""

    name: str
    train: Part
    validation: Part
    test: Part
    class_names: tuple[str, ...]

    def __repr__(self) -> str:
        sizes = ", ".join(f"{part} {len(getattr(self, part)):,}" for part in ("train", "validation", "test"))
        return f"ImageData({self.name!r}: {sizes}; {len(self.class_names)} classes)"

    def summary(self) -> "pd.DataFrame":
        """One row a part: the number of images, then the share of each class (0 to 1)."""
        import pandas as pd

        rows = {}
        for name in ("train", "validation", "test"):
            labels = getattr(self, name).labels
            counts = np.bincount(labels, minlength=len(self.class_names))
            rows[name] = {"images": len(labels), **dict(zip(self.class_names, counts / len(labels), strict=True))}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("part")


def load_digits(split: str = "blocks", seed: int = 0) -> ImageData:
    """scikit-learn's 1,797 digits in MNIST's form, split by blocks of whole forms or ("shuffled") by chance.

    Both splits have the same sizes: 1,029, 386 and 382 images. ``groups`` numbers the filled-in forms from 1.
    ``seed`` matters to "shuffled" only.
    """
    if split not in ("blocks", "shuffled"):
        raise CourseError(f"split={split!r} is not known; expected: 'blocks' (honest) or 'shuffled' (flatters).")
    small, labels = sklearn_digits.digits()
    images = mnist_form(small)
    order = np.random.default_rng(seed).permutation(len(labels)) if split == "shuffled" else np.arange(len(labels))
    forms = np.searchsorted(DIGITS_FORMS, np.arange(len(labels)), side="right")
    parts = {
        name: Part(images[order[a:b]], labels[order[a:b]], forms[order[a:b]]) for name, (a, b) in DIGITS_BLOCKS.items()
    }
    return ImageData("digits", **parts, class_names=registry.entry("digits").class_names)


def digits_shuffled_split(seed: int = 0) -> ImageData:
    """The digits shuffled before they are split, so that one hand is on both sides: for the lesson, not for use."""
    return load_digits("shuffled", seed)


def mnist_form(small: np.ndarray) -> np.ndarray:
    """Bring images (n, 8, 8), 0 to 16, to MNIST's form: uint8 (n, 28, 28), 0 to 255.

    As MNIST was made: scaled alike in both directions until the 8×8 field fills a 20×20 box, smoothly, and laid
    into 28×28 with the centre of mass where MNIST has it. An image without ink stays empty.
    """
    ink = np.asarray(small, dtype=np.float64) / 16
    # MNIST's published digits have their centre of mass at 14, counting pixels from 0, give or take half a pixel.
    scale, middle = 20 / 8, 14.0  # output pixels an input pixel; where the centre of mass goes
    grid = np.arange(8)
    rows, columns = _centre(ink.sum(axis=2), grid), _centre(ink.sum(axis=1), grid)
    offsets = (np.arange(28) - middle) / scale
    for _ in range(2):
        # Output pixel i looks at input row rows + offsets[i]: scaling and sub-pixel shift in one interpolation.
        from_rows = _cubic(offsets[None, :, None] + rows[:, None, None] - grid)  # (n, 28, 8)
        from_columns = _cubic(offsets[None, :, None] + columns[:, None, None] - grid)
        large = np.clip(from_rows @ ink @ from_columns.transpose(0, 2, 1), 0, 1)  # (n, 28, 28)
        # Clipping moves the centre a little: measure it and put it right in the second round.
        rows = rows + _centre(large.sum(axis=2), offsets)
        columns = columns + _centre(large.sum(axis=1), offsets)
    return np.rint(large * 255).astype(np.uint8)


def _centre(profile: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """The mass-weighted mean position of each row of (n, k); the plain middle where there is no mass."""
    mass = profile.sum(axis=1)
    return np.where(mass > 0, profile @ positions / np.where(mass > 0, mass, 1), positions.mean())


def _cubic(distance: np.ndarray) -> np.ndarray:
    """Weights of cubic convolution with a = −1/2 (R. Keys, 1981, IEEE Trans. ASSP 29(6), 1153–1160)."""
    d = np.abs(distance)
    near = (1.5 * d - 2.5) * d * d + 1
    far = ((-0.5 * d + 2.5) * d - 4) * d + 2
    return np.where(d < 1, near, np.where(d < 2, far, 0.0))


def is_idx(entry: registry.Entry) -> bool:
    """Whether a set has the four files that `load_idx` reads, under the names that MNIST gave them."""
    return {name for pair in _IDX_FILES.values() for name in pair} <= {file.name for file in entry.files}


def load_idx(name: str, progress: bool = True) -> ImageData:
    """A set of the registry published as MNIST was: two idx files for training, two for the test.

    Validation is the last 5,000 images of the training file; the test part is the published test file. MNIST's test
    file has two sources of 5,000 images each, and ``groups`` numbers them 1 and 2: NIST's Special Database 3 (census
    employees) and Special Database 1 (high-school students), says The MNIST database of Y. LeCun, C. Cortes, C. Burges.
    """
    files = fetch.fetch(name, progress)
    arrays = {part: [read_idx(files[file]) for file in pair] for part, pair in _IDX_FILES.items()}
    images, labels = arrays["train"]
    return ImageData(
        name,
        train=Part(images[:-VALIDATION_IMAGES], labels[:-VALIDATION_IMAGES]),
        validation=Part(images[-VALIDATION_IMAGES:], labels[-VALIDATION_IMAGES:]),
        test=Part(*arrays["test"], groups=np.repeat([1, 2], 5_000) if name == "mnist" else None),
        class_names=registry.entry(name).class_names,
    )


def read_idx(path: Path) -> np.ndarray:
    """A gzip-compressed idx file as a read-only uint8 array; raises CourseError for a file that is none."""
    try:
        content = gzip.decompress(Path(path).read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise CourseError(
            f"{paths.display(path)} cannot be read as a gzip file ({error}). Delete it and fetch the set again."
        ) from error
    return parse_idx(content, paths.display(path))


def parse_idx(content: bytes, name: str = "the file") -> np.ndarray:
    """Bytes in the idx format with unsigned bytes → a read-only uint8 array of the header's shape.

    The format: 0, 0, 8 (unsigned bytes), the number of dimensions, each dimension as four big-endian bytes, the data.
    Source: Y. LeCun, C. Cortes and C. Burges, The MNIST database, "File formats".
    """
    expected = "expected: an idx file of unsigned bytes, as MNIST's. Delete it and fetch the set again."
    if len(content) < 4 or content[:3] != b"\x00\x00\x08" or content[3] == 0:
        raise CourseError(f"{name} starts with {content[:4].hex(' ') or 'nothing'}; {expected}")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise CourseError(f"{name} ends within its header, after {len(content)} of {start} bytes; {expected}")
    shape = tuple(int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4))
    if len(content) - start != math.prod(shape):
        raise CourseError(
            f"{name} has {len(content) - start:,} bytes of data for the shape {shape} of its header, "
            f"which needs {math.prod(shape):,}; {expected}"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
