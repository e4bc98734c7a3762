"""Strokes become what MNIST would have made of them, wherever on the paper and however large they were drawn."""

import math
import os

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from course_utils.errors import CourseError
from course_utils.strokes import digit_from_strokes, paper_image

SEVEN = [{"points": [(70, 60), (205, 60), (120, 230)], "width": 24}]

coordinates = st.floats(0, 280).map(lambda value: round(value, 1))
points = st.tuples(coordinates, coordinates)
strokes = st.lists(
    st.fixed_dictionaries({"points": st.lists(points, min_size=1, max_size=8), "width": st.integers(10, 40)}),
    min_size=1,
    max_size=4,
)


def moved(drawing, scale=1.0, right=0.0, down=0.0, brush=None):
    """A drawing scaled, brush and all unless ``brush`` says otherwise, then shifted."""
    return [
        {
            "points": [(x * scale + right, y * scale + down) for x, y in stroke["points"]],
            "width": stroke["width"] * (scale if brush is None else brush),
        }
        for stroke in drawing
    ]


def largest_difference(a: np.ndarray, b: np.ndarray) -> int:
    """The largest difference of a pixel between two images, the better of the nine ways to lay one on the other
    when a pixel's shift in either direction is allowed (0 to 255)."""
    ways = [np.roll(b, (down, right), axis=(0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return min(int(np.abs(a.astype(int) - way).max()) for way in ways)


def farthest(a: np.ndarray, b: np.ndarray) -> float:
    """How far, in pixels, the dark pixel of ``a`` lies that is farthest from any dark pixel of ``b``."""
    return float(ndimage.distance_transform_edt(b < 128)[a >= 128].max())


def centre(image: np.ndarray) -> tuple[float, float]:
    grid, ink = np.arange(28), image.astype(float)
    return float(ink.sum(axis=1) @ grid / ink.sum()), float(ink.sum(axis=0) @ grid / ink.sum())


@given(strokes)
def test_form(drawing):
    image = digit_from_strokes(drawing)
    assume(image is not None)
    assert image.shape == (28, 28) and image.dtype == np.uint8 and image.max() >= 90
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    sides = [int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1]
    assert max(sides) == 20, "the longer side fills the box"
    for place, mass in zip((rows[0], columns[0]), centre(image), strict=True):
        assert 13.4 <= mass <= 14.6 or place in (0, 8) or max(sides) > min(sides), "the centre of mass is in the middle"


@given(strokes, st.floats(0.1, 8), st.floats(-2000, 2000), st.floats(-2000, 2000))
def test_place_and_size_do_not_matter(drawing, scale, right, down):
    image = digit_from_strokes(drawing)
    assume(image is not None)
    again = digit_from_strokes(moved(drawing, scale, right, down))
    # An edge may fall on the other side of a cell of the fine grid, an eighth of a pixel, on both sides of a line.
    assert again is not None and largest_difference(image, again) <= 80


HAND = {
    "1": [[(146, 40), (142, 120), (136, 236)]],
    "3": [[(85, 65), (140, 45), (185, 75), (175, 115), (130, 132), (180, 150), (190, 195), (150, 235), (85, 215)]],
    "4": [[(120, 45), (80, 150), (200, 150)], [(170, 100), (165, 240)]],
    "7": [[(70, 60), (205, 60), (120, 230)]],
    "0": [[(140 + 62 * math.sin(t / 3), 140 - 88 * math.cos(t / 3)) for t in range(20)]],
}


@pytest.mark.parametrize("digit", HAND)
@pytest.mark.parametrize("scale", [0.9, 0.7, 0.5])
def test_a_smaller_hand_with_the_same_brush(digit, scale):
    """The lines get thicker and stay where they were: within a pixel, and one more for the whole-pixel centring."""
    drawing = [{"points": points, "width": 24} for points in HAND[digit]]
    image, smaller = digit_from_strokes(drawing), digit_from_strokes(moved(drawing, scale, brush=1.0))
    assert farthest(image, smaller) <= math.sqrt(2) and smaller.sum() > image.sum()


@given(strokes, st.randoms())
def test_the_order_of_strokes_does_not_matter(drawing, random):
    shuffled = random.sample(drawing, len(drawing))
    assert np.array_equal(digit_from_strokes(drawing), digit_from_strokes(shuffled))


@given(strokes)
def test_the_same_stroke_twice_adds_nothing(drawing):
    assert np.array_equal(digit_from_strokes(drawing), digit_from_strokes([*drawing, drawing[0]]))


def test_a_seven_stands_where_mnist_would_put_it():
    image = digit_from_strokes(SEVEN)
    rows = np.flatnonzero(image.any(axis=1))
    assert np.ptp(rows) + 1 == 20 and all(13.5 <= mass <= 14.5 for mass in centre(image))
    top = image[rows[0] + 1]
    assert (top > 200).sum() >= 12, "the bar of the 7 is the top of the image"
    assert (image[rows[-1] - 2] > 0).sum() <= 5, "and its foot is one line"
    soft = (image > 0) & (image < 255)
    assert 0.2 < soft.sum() / (image > 0).sum() < 0.8, "the edges are soft, the middle of a line is black"


def test_a_wider_brush_gives_a_thicker_line():
    ink = [digit_from_strokes(moved(SEVEN, brush=brush)).sum() for brush in (0.5, 1, 1.5)]
    assert ink[0] < ink[1] < ink[2]


def test_a_thin_line_does_not_fade():
    image = digit_from_strokes([{"points": [(0, 0), (0, 1e5)], "width": 0.01}])
    assert image.max() >= 128 and (image.max(axis=1) >= 64).sum() == 20


@pytest.mark.parametrize(
    "nothing",
    [
        [],
        (),
        [{"points": [(5, 5)], "width": 20}],
        [{"points": [(5, 5), (12, 9)], "width": 20}],
        [{"points": [(5, 5)], "width": 20}, {"points": [(9, 9)], "width": 10}],
    ],
)
def test_nothing_and_a_dot_are_no_digit(nothing):
    assert digit_from_strokes(nothing) is None


def test_two_dots_apart_are_a_drawing():
    assert digit_from_strokes([{"points": [(5, 5)], "width": 20}, {"points": [(90, 9)], "width": 20}]) is not None


def stroke(points=((0, 0), (100, 100)), width=20):
    return [{"points": points, "width": width}]


@pytest.mark.parametrize(
    "bad, said",
    [
        (stroke(width=0), "width 0; expected"),
        (stroke(width=-3), "width -3"),
        (stroke(width=math.nan), "width nan"),
        (stroke(width=math.inf), "width inf"),
        (stroke(width="wide"), "something else than numbers"),
        (stroke(width=None), "something else than numbers"),
        (stroke(points=[]), r"shape \(0,\); expected: \(n, 2\)"),
        (stroke(points=[(1, 2, 3)]), r"shape \(1, 3\)"),
        (stroke(points=[(1, 2), (3,)]), "something else than numbers"),
        (stroke(points=[("a", "b")]), "something else than numbers"),
        (stroke(points=[(0, 0), (math.nan, 5)]), "leaves the paper"),
        (stroke(points=[(0, 0), (math.inf, 5)]), "leaves the paper"),
        (stroke(points=[(0, 0), (1e300, 5)]), "leaves the paper"),
        (stroke(points=[(0, 0)] * 20_001), "more than 20,000 points"),
        ([*stroke(), {"points": [(1, 1)]}], r"Stroke 2 is a mapping of \['points'\]"),
        ([[(0, 0), (1, 1)]], "Stroke 1 is of type list"),
        (stroke()[0], "Strokes are a list of strokes"),
        ("7", "Strokes are a list of strokes; this is of type str"),
        (None, "Strokes are a list of strokes; this is of type NoneType"),
    ],
)
def test_what_is_no_drawing_is_refused_with_a_sentence(bad, said):
    with pytest.raises(CourseError, match=said):
        digit_from_strokes(bad)


@settings(max_examples=20)
@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=50), st.floats(1e-3, 1e6))
def test_every_drawing_within_the_limits_has_an_answer(points, width):
    image = digit_from_strokes(stroke(points, width))
    assert image is None or image.max() >= 64


def test_paper_shows_the_drawing_where_it_lies():
    image = paper_image(SEVEN, 280, 140)
    assert image.shape == (140, 140) and image.dtype == np.uint8
    assert image[30, 70] == 255 and image[115, 60] == 255 and image[100, 20] == 0
    # The line ends round, so the ink is that of the path's length and width, and of half a disc at each end.
    length = 135 + math.hypot(85, 170)
    assert image.sum() / 255 * 4 == pytest.approx(length * 24 + math.pi * 12**2, rel=0.03)
    assert paper_image([], 280, 14).sum() == 0


def test_paper_cuts_off_what_lies_beyond_its_edge():
    inside = paper_image(stroke([(140, 140), (280, 140)]), 280, 56)
    assert np.array_equal(inside, paper_image(stroke([(140, 140), (400, 140)]), 280, 56))
    with pytest.raises(CourseError, match="far beyond paper of 280"):
        paper_image(stroke([(0, 0), (3000, 0)]), 280, 56)


@pytest.mark.full
@pytest.mark.skipif(not os.environ.get("COURSE_DATA"), reason="needs MNIST: set COURSE_DATA")
def test_mnist_itself_has_this_form():
    """Twenty pixels on the longer side, and a centre of mass that was moved by whole pixels to 14 (from 0)."""
    from course_utils import data

    images = data.load("mnist").test.images
    centres = np.array([centre(image) for image in images])
    assert (np.abs(centres - 14) <= 0.51).mean() > 0.99
    assert centres.std(axis=0) == pytest.approx(np.full(2, 1 / math.sqrt(12)), abs=0.01), "spread evenly over a pixel"
    sides = [max(int(np.ptp(np.flatnonzero(image.any(axis=axis)))) + 1 for axis in (0, 1)) for image in images]
    assert (np.array(sides) == 20).mean() > 0.99
