"""Changes of an image uint8 (28, 28), ink bright on black, that leave its digit as it was. Chance is drawn from the
image itself."""

import zlib

import numpy as np

_WAYS = ((0, 1), (0, -1), (1, 0), (-1, 0))


def random_of(image: np.ndarray) -> np.random.Generator:
    """A generator that is the image's own."""
    return np.random.default_rng(zlib.crc32(np.ascontiguousarray(image).tobytes()))


def shifted(image: np.ndarray, by: int) -> list[np.ndarray]:
    """The image moved by ``by`` pixels up, down, left and right, without the ways that would cut ink off."""
    found = []
    for down, right in _WAYS:
        moved = np.roll(image, (by * down, by * right), (0, 1))
        lost = np.concatenate([image[-by:] if down > 0 else image[:by] if down < 0 else image[:0]], axis=0)
        aside = image[:, -by:] if right > 0 else image[:, :by] if right < 0 else image[:, :0]
        if not lost.any() and not aside.any():
            found.append(moved)
    return found or [image]


def dimmed(image: np.ndarray) -> np.ndarray:
    """Ink of 70 % brightness, as of a thin pencil."""
    return np.round(image * 0.7).astype(np.uint8)


def brightened(image: np.ndarray) -> np.ndarray:
    """Every pixel lighter by 20 of 255, the paper as well: a grey scan."""
    return np.minimum(image.astype(np.int64) + 20, 255).astype(np.uint8)


def noisy(image: np.ndarray) -> np.ndarray:
    """Normal noise with a standard deviation of 10 of 255 on every pixel."""
    grain = random_of(image).normal(0, 10, image.shape)
    return np.clip(np.round(image + grain), 0, 255).astype(np.uint8)


def thickened(image: np.ndarray) -> np.ndarray:
    """Strokes one pixel thicker to the right and below: each pixel takes the largest of itself and its neighbours."""
    wide = np.pad(image, ((1, 0), (1, 0)))
    return np.maximum.reduce([wide[1:, 1:], wide[:-1, 1:], wide[1:, :-1]])
