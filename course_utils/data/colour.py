"""Colour digits: handwritten digits blended over two photographs, in the manner of MNIST-M.

Y. Ganin and others, "Domain-adversarial training of neural networks", JMLR 17 (2016), section 5.2.2, take for each
digit a patch of a photograph and write |patch − digit|, channel by channel: where there is ink the photograph's colours
are turned into their opposites. Theirs are photographs of BSDS500; these are the two that come with scikit-learn.
"""

import numpy as np

from course_utils.data.images import ImageData, Part
from course_utils.errors import CourseError

# Each part takes its patches from a strip of its own of both photographs: shares of the width, from the left.
STRIPS = {"train": (0.0, 0.6), "validation": (0.6, 0.8), "test": (0.8, 1.0)}


def photographs() -> list[np.ndarray]:
    """scikit-learn's two sample images, a temple and a flower: uint8 (427, 640, 3) each."""
    from sklearn.datasets import load_sample_images

    return [np.asarray(image, dtype=np.uint8) for image in load_sample_images().images]


def enlarged(images: np.ndarray, size: int) -> np.ndarray:
    """Grey images, uint8 (n, 28, 28), in the middle of (n, size, size), scaled by a whole number where that fits."""
    factor = size // 28
    large = images.repeat(factor, axis=1).repeat(factor, axis=2)
    if factor > 1:  # corners of repeated pixels are rounded off by a running mean, rows first, then columns
        large = _running_mean(_running_mean(large.astype(np.float32), factor, 1), factor, 2)
    before = (size - 28 * factor) // 2
    after = size - 28 * factor - before
    return np.pad(np.rint(large).astype(np.uint8), ((0, 0), (before, after), (before, after)))


def _running_mean(values: np.ndarray, width: int, axis: int) -> np.ndarray:
    """The mean of ``width`` neighbours along an axis, the border repeated."""
    padding = [(0, 0)] * values.ndim
    padding[axis] = ((width - 1) // 2 + 1, width // 2)
    sums = np.cumsum(np.pad(values, padding, mode="edge"), axis=axis)
    upper, lower = [slice(None)] * values.ndim, [slice(None)] * values.ndim
    upper[axis], lower[axis] = slice(width, None), slice(None, -width)
    return (sums[tuple(upper)] - sums[tuple(lower)]) / width


def patches(photos: list[np.ndarray], n: int, size: int, strip: tuple[float, float], random: np.random.Generator):
    """``n`` square pieces of the photographs, uint8 (n, size, size, 3), each wholly within the strip."""
    pieces = np.empty((n, size, size, 3), np.uint8)
    which = random.integers(len(photos), size=n)
    for i, photo in enumerate(photos[k] for k in which):
        height, width, _ = photo.shape
        left, right = round(strip[0] * width), round(strip[1] * width)
        top, start = random.integers(height - size + 1), random.integers(left, right - size + 1)
        pieces[i] = photo[top : top + size, start : start + size]
    return pieces


def blend(digits: ImageData, *, size: int, seed: int = 0, limit: int | None = None) -> ImageData:
    """Every digit over a patch of a photograph; see `course_utils.data.colour_digits`."""
    if digits.train.images.shape[1:] != (28, 28):
        raise CourseError(f"Colour digits need images of 28 × 28; {digits.name} has {digits.train.images.shape[1:]}.")
    photos = photographs()
    narrowest = min(round((b - a) * photo.shape[1]) for a, b in STRIPS.values() for photo in photos)
    if isinstance(size, bool) or not isinstance(size, int) or not 28 <= size <= narrowest:
        raise CourseError(f"size must be a whole number from 28 to {narrowest}; it is {size!r}.")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise CourseError(f"limit must be a whole number above 0, or None for all; it is {limit!r}.")
    parts = {}
    for i, (name, strip) in enumerate(STRIPS.items()):
        part = getattr(digits, name)
        ink = enlarged(part.images[:limit], size)[..., None]
        under = patches(photos, len(ink), size, strip, np.random.default_rng([seed, i]))
        parts[name] = Part(np.where(under > ink, under - ink, ink - under), part.labels[:limit], part.groups[:limit])
    return ImageData(f"colour {digits.name}", **parts, class_names=digits.class_names)
