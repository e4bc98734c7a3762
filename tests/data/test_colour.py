"""Colour digits: what is drawn from where, and that nothing of a test photograph is in training."""

import itertools

import numpy as np
import pytest

from course_utils import data
from course_utils.data import colour
from course_utils.errors import CourseError


@pytest.fixture(scope="module")
def small():
    return data.colour_digits()


def test_parts_labels_and_groups_are_those_of_the_source(small):
    source = data.load("digits")
    for name in ("train", "validation", "test"):
        part, grey = getattr(small, name), getattr(source, name)
        assert part.images.shape == (len(grey), 32, 32, 3) and part.images.dtype == np.uint8
        assert np.array_equal(part.labels, grey.labels) and np.array_equal(part.groups, grey.groups)
    assert small.class_names == source.class_names


def test_it_is_the_absolute_difference_of_ink_and_patch(small):
    source = data.load("digits").test
    ink = np.pad(source.images[:20], ((0, 0), (2, 2), (2, 2))).astype(int)[..., None]
    photos = colour.photographs()
    under = colour.patches(photos, len(source), 32, colour.STRIPS["test"], np.random.default_rng([0, 2]))
    assert np.array_equal(small.test.images[:20], np.abs(under[:20].astype(int) - ink))
    assert (np.abs(small.test.images[:20].astype(int) - under[:20])[(ink == 0)[..., 0]] == 0).all()


def test_no_part_shares_a_column_of_a_photograph():
    for photo in colour.photographs():
        width = photo.shape[1]
        edges = [(round(a * width), round(b * width)) for a, b in colour.STRIPS.values()]
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(edges))
    marked = np.broadcast_to(np.arange(640)[None, :, None] % 256, (427, 640, 3)).astype(np.uint8)
    marked = [np.where(np.arange(640)[None, :, None] < 512, marked, 255).astype(np.uint8)]
    pieces = colour.patches(marked, 300, 32, colour.STRIPS["test"], np.random.default_rng(0))
    assert (pieces == 255).all(), "a test patch reached left of its strip, which begins at column 512"


def test_the_same_seed_gives_the_same_images_and_another_does_not(small):
    again = data.colour_digits()
    assert np.array_equal(again.train.images, small.train.images)
    assert not np.array_equal(data.colour_digits(seed=1).train.images, small.train.images)


def test_a_limit_keeps_the_first_images_of_each_part():
    few = data.colour_digits(limit=7)
    assert [len(part) for part in (few.train, few.validation, few.test)] == [7, 7, 7]


@pytest.mark.parametrize("size", [28, 31, 56, 57, 64])
def test_digits_are_enlarged_into_the_middle(size):
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 10:18, 10:18] = 200
    large = colour.enlarged(image, size)
    assert large.shape == (1, size, size) and large.max() == 200
    rows = np.flatnonzero(large[0].any(axis=1))
    assert abs((rows[0] + rows[-1]) / 2 - (size - 1) / 2) <= 1
    assert large.sum() == pytest.approx(200 * 64 * (size // 28) ** 2, rel=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 27}, "size must be a whole number from 28 to 128; it is 27"),
        ({"size": 129}, "from 28 to 128"),
        ({"size": 32.0}, "it is 32.0"),
        ({"limit": 0}, "limit must be a whole number above 0"),
        ({"source": "mnits"}, "mnist"),
    ],
)
def test_what_cannot_be_made_is_refused(arguments, message):
    with pytest.raises(CourseError, match=message):
        data.colour_digits(**arguments)


@pytest.mark.full
def test_mnist_in_colour():
    large = data.colour_digits("mnist", size=64, limit=50)
    assert large.name == "colour mnist" and large.train.images.shape == (50, 64, 64, 3)
