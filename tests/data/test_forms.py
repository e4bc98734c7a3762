"""The forms of chapter 14: every digit once, inside the picture, and ink in its box."""

import numpy as np
import pytest

from course_utils import data
from course_utils.data import forms


@pytest.fixture(scope="module")
def part():
    return data.load("digits").validation


def test_each_digit_of_a_held_out_part_stands_in_one_form(part):
    drawn = forms.draw(part, np.random.default_rng(0))
    assert sorted(np.concatenate(drawn.labels)) == sorted(part.labels)
    assert len(drawn) == len(drawn.boxes) == len(drawn.labels) == len(drawn.touching)
    assert min(map(len, drawn.labels)) >= 2


def test_as_many_forms_as_asked_for_and_the_same_again(part):
    one, again = (forms.draw(part, np.random.default_rng(3), 20) for _ in range(2))
    assert len(one) == 20 and np.array_equal(one.pictures, again.pictures)
    assert one.pictures.dtype == np.float32 and one.pictures.shape == (20, 48, 48, 1)


@pytest.mark.parametrize("seed", range(5))
def test_boxes_are_inside_and_hold_their_ink(part, seed):
    drawn = forms.draw(part, np.random.default_rng(seed), 40)
    for picture, boxes in zip(drawn.pictures, drawn.boxes, strict=True):
        assert (boxes >= 0).all() and (boxes <= forms.SIDE).all() and (boxes[:, 2:] > boxes[:, :2]).all()
        for top, left, bottom, right in boxes:
            assert picture[top:bottom, left:right].mean() > picture.mean()


def test_a_digit_that_touches_another_is_not_alone():
    boxes = np.array([(0, 0, 10, 8), (2, 8, 12, 16), (0, 20, 10, 28)])
    touching = forms._touching(boxes, np.array([12, 12, 10]))
    assert touching.tolist() == [[True, False], [True, True], [False, True]]


def test_a_number_is_read_whole_or_not(part):
    drawn = forms.draw(part, np.random.default_rng(0), 3)
    right = [(boxes, labels, None) for boxes, labels in zip(drawn.boxes, drawn.labels, strict=True)]
    assert forms.read_whole(right, drawn).tolist() == [1, 1, 1]
    wrong = [(right[0][0], np.append(right[0][1][:-1], 10), None), *right[1:2], (np.zeros((0, 4)), np.array([]))]
    assert forms.read_whole(wrong, drawn).tolist() == [0.5, 1, 0]
    backwards = [(boxes[::-1], labels[::-1]) for boxes, labels, _ in right]
    assert forms.read_whole(backwards, drawn).tolist() == [1, 1, 1]
