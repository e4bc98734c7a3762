"""From the strokes of a pen to the 28×28 image that MNIST would have made of them.

A stroke is a mapping with ``points``, a list of (x, y) in paper units, x to the right and y down, and ``width``, the
brush's diameter in the same units. The way is that of Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based
learning applied to document recognition", Proc. IEEE 86 (1998), section III.A: crop to the ink, scale the longer side
to 20 pixels (the soft edges come from here), lay it into 28×28 with the centre of mass in the middle.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from course_utils.errors import CourseError

PAPER = 280  # the side of the canvas's paper in its own units; explorers/drawing.js draws on the same
SIZE = 28
BOX = 20
# MNIST moved its digits by whole pixels: in the published files the centre of mass is spread evenly from 13.5 to 14.5
# (pixels counted from 0; measured on 20,000 training images, both directions), so 14 is the place aimed at.
MIDDLE = 14
# Cells a pixel side on the fine grid whose average makes the soft edges.
_FINE = 8
# A line is never thinner than this share of the drawing, about one and a half of 20 pixels: thinner ones would fade
# where they fall between two pixels, and MNIST has hardly any.
_THINNEST = 1.5 / BOX
# Beyond these a number is no place on any paper; it would also lose its digits in the arithmetic.
_FARTHEST, _NARROWEST = 1e6, 1e-3
_MOST_POINTS = 20_000


@dataclass(frozen=True, eq=False)
class _Stroke:
    points: np.ndarray  # float64 (n, 2), n ≥ 1
    width: float


def digit_from_strokes(strokes: Iterable[Mapping]) -> np.ndarray | None:
    """Strokes → uint8 (28, 28), 0 paper to 255 ink, in MNIST's form; None where there is no digit to see.

    None means: nothing drawn, or no more than a dot (the pen moved less than the brush is wide). Where the drawing
    lies on the paper, how large it is (brush included) and the order of the strokes change nothing. Raises CourseError
    for strokes that are none: no points, not two finite numbers a point, beyond ±1,000,000, a width below 0.001.
    """
    drawn = _checked(strokes)
    if not drawn or _is_dot(drawn):
        return None
    drawn = _thick_enough(drawn)
    left, top, right, bottom = _box(drawn)
    scale = BOX / max(right - left, bottom - top)
    # The shorter side stands in the middle of the box; the centre of mass decides its place below.
    left -= (BOX / scale - (right - left)) / 2
    top -= (BOX / scale - (bottom - top)) / 2
    small = _raster(drawn, left, top, scale, BOX)
    row, column = (_offset(small.sum(axis=axis)) for axis in (1, 0))
    image = np.zeros((SIZE, SIZE), dtype=np.uint8)
    image[row : row + BOX, column : column + BOX] = np.rint(small * 255)
    return image


def paper_image(strokes: Iterable[Mapping], paper: float, size: int) -> np.ndarray:
    """The strokes as they lie on square paper of side ``paper``: uint8 (size, size), 0 paper to 255 ink.

    What lies beyond the edge is cut off. Raises CourseError for points more than a paper's side away from it.
    """
    drawn = _checked(strokes)
    if any((stroke.points < -paper).any() or (stroke.points > 2 * paper).any() for stroke in drawn):
        raise CourseError(
            f"The strokes lie far beyond paper of {paper:g} by {paper:g}; they were drawn on other paper."
        )
    return np.rint(_raster(drawn, 0.0, 0.0, size / paper, size) * 255).astype(np.uint8)


def _checked(strokes: Iterable[Mapping]) -> list[_Stroke]:
    if isinstance(strokes, (str, bytes, Mapping)) or not isinstance(strokes, Iterable):
        raise CourseError(f"Strokes are a list of strokes; this is {_kind(strokes)}.")
    drawn = [_checked_stroke(stroke, number) for number, stroke in enumerate(strokes, start=1)]
    if sum(len(stroke.points) for stroke in drawn) > _MOST_POINTS:
        raise CourseError(f"The drawing has more than {_MOST_POINTS:,} points; leave out those that are hardly apart.")
    return drawn


def _checked_stroke(stroke: Mapping, number: int) -> _Stroke:
    expected = 'expected: {"points": [(x, y), …], "width": w}'
    if not isinstance(stroke, Mapping) or not {"points", "width"} <= set(stroke):
        raise CourseError(f"Stroke {number} is {_kind(stroke)}; {expected}.")
    try:
        points = np.asarray(stroke["points"], dtype=np.float64)
        width = float(stroke["width"])
    except (TypeError, ValueError, OverflowError) as error:
        raise CourseError(f"Stroke {number} holds something else than numbers ({error}); {expected}.") from error
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise CourseError(f"Stroke {number} has points of shape {points.shape}; expected: (n, 2) with n ≥ 1.")
    if not (np.abs(points) <= _FARTHEST).all():  # false for NaN as well
        raise CourseError(f"Stroke {number} leaves the paper: every x and y must lie within ±{_FARTHEST:,.0f}.")
    if not _NARROWEST <= width <= _FARTHEST:
        raise CourseError(f"Stroke {number} has the width {width:g}; expected: {_NARROWEST:g} to {_FARTHEST:,.0f}.")
    return _Stroke(points, width)


def _kind(thing: object) -> str:
    return (
        f"a mapping of {sorted(map(str, thing))}" if isinstance(thing, Mapping) else f"of type {type(thing).__name__}"
    )


def _is_dot(drawn: Sequence[_Stroke]) -> bool:
    points = np.concatenate([stroke.points for stroke in drawn])
    return bool(np.ptp(points, axis=0).max() < max(stroke.width for stroke in drawn))


def _thick_enough(drawn: Sequence[_Stroke]) -> list[_Stroke]:
    left, top, right, bottom = _box(drawn)
    thinnest = _THINNEST * max(right - left, bottom - top)
    return [_Stroke(stroke.points, max(stroke.width, thinnest)) for stroke in drawn]


def _box(drawn: Sequence[_Stroke]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the ink, the brush's width included."""
    low = np.min([stroke.points.min(axis=0) - stroke.width / 2 for stroke in drawn], axis=0)
    high = np.max([stroke.points.max(axis=0) + stroke.width / 2 for stroke in drawn], axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _raster(drawn: Sequence[_Stroke], left: float, top: float, scale: float, size: int) -> np.ndarray:
    """The share of ink, 0 to 1, in each pixel of a square image whose corner is (left, top): (size, size).

    The pen's path is marked on a grid eight times as fine; a cell has ink when its distance to the path is at most
    half the width, so the time depends on the image's size and hardly on the number of points.
    """
    from scipy import ndimage

    cells = size * _FINE
    ink = np.zeros((cells, cells), dtype=bool)
    for width in sorted({stroke.width for stroke in drawn}):
        paths = [(stroke.points - (left, top)) * (scale * _FINE) for stroke in drawn if stroke.width == width]
        path = np.concatenate([_dense(path) for path in paths])
        # A path beyond the edge may still bring ink inside: look that far.
        margin = math.ceil(max(0.0, -path.min(), path.max() - cells)) + 1
        bare = np.ones((cells + 2 * margin,) * 2, dtype=bool)
        column, row = np.rint(path - 0.5 + margin).astype(int).T
        bare[row, column] = False
        near = ndimage.distance_transform_edt(bare) <= width / 2 * scale * _FINE
        ink |= near[margin : margin + cells, margin : margin + cells]
    return ink.reshape(size, _FINE, size, _FINE).mean(axis=(1, 3))


def _dense(path: np.ndarray) -> np.ndarray:
    """A path (n, 2) in cells → points (m, 2) along it, none more than a cell from the next in either direction."""
    start, way = path[:-1], np.diff(path, axis=0)
    steps = np.maximum(np.ceil(np.abs(way).max(axis=1, initial=0.0)).astype(int), 1)
    piece = np.repeat(np.arange(len(steps)), steps)
    share = (np.arange(len(piece)) - np.repeat(np.cumsum(steps) - steps, steps)) / steps[piece]
    return np.concatenate([start[piece] + share[:, None] * way[piece], path[-1:]])


def _offset(profile: np.ndarray) -> int:
    """Where the box begins along one side of the image so that the centre of mass falls on its middle."""
    centre = float(profile @ np.arange(BOX) / profile.sum())
    return min(max(round(MIDDLE - centre), 0), SIZE - BOX)
