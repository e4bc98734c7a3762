"""The changes that must not change an answer: small, the same each time, and none where there is nothing to change."""

import collections

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.serving.gate import image_changes, text_changes


@given(st.text(max_size=80))
def test_a_typo_is_one_swap_of_neighbours_inside_a_word(text):
    typo = text_changes.swapped(text)
    assert text_changes.swapped(text) == typo
    assert collections.Counter(typo) == collections.Counter(text)
    places = [k for k, (a, b) in enumerate(zip(text, typo, strict=True)) if a != b]
    assert len(places) in (0, 2)
    if places:
        first, second = places
        assert second == first + 1 and text[first].isalpha() and text[second].isalpha()
        assert first > 0 and text[first - 1].isalpha(), "the first letter of a word stays"


def test_a_typo_needs_a_word_to_be_in():
    assert text_changes.swapped("I am 22, ok? aaaa") == "I am 22, ok? aaaa"
    assert text_changes.swapped("help") in ("hlep", "hepl")


@given(st.text(max_size=80))
def test_accents_go_and_other_letters_stay(text):
    bare = text_changes.without_accents(text)
    assert text_changes.without_accents(bare) == bare
    if text.isascii():
        assert bare == text


def test_accents_of_latin_letters_only():
    assert text_changes.without_accents("Señor Gödel, cafe\u0301") == "Senor Godel, cafe"
    assert text_changes.without_accents("й が 你好 ø ß") == "й が 你好 ø ß"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_greetings_ends_and_names_leave_the_text_whole(language):
    text = "Where is my invoice?"
    assert text_changes.greeted(text, language).endswith(text) and text_changes.greeted(text, language) != text
    assert text_changes.ended(text).startswith(text) and text_changes.ended(text) != text
    signed = text_changes.signed(text, language)
    assert len(set(signed)) == len(text_changes.NAMES[language]) >= 8
    assert all(one.startswith(text) and one.endswith(tuple(text_changes.NAMES[language])) for one in signed)


def digit() -> np.ndarray:
    image = np.zeros((28, 28), np.uint8)
    image[0:6, 10:14] = 200  # its top touches the edge
    return image


def test_a_shift_cuts_no_ink_off():
    for by in (1, 2):
        moved = image_changes.shifted(digit(), by)
        assert len(moved) == 3  # not upwards
        assert all(one.sum() == digit().sum() and (one != digit()).any() for one in moved)
        rows = [int(np.flatnonzero(one.any(axis=1))[0]) for one in moved]
        columns = [int(np.flatnonzero(one.any(axis=0))[0]) for one in moved]
        assert sorted(zip(rows, columns, strict=True)) == [(0, 10 - by), (0, 10 + by), (by, 10)]
    full = np.full((28, 28), 9, np.uint8)
    assert [one.tolist() for one in image_changes.shifted(full, 1)] == [full.tolist()]  # no way leaves it whole


def test_brightness_noise_and_strokes():
    image = digit()
    assert image_changes.dimmed(image).max() == 140
    scan = image_changes.brightened(np.maximum(image, 250))
    assert scan.min() == 255 and image_changes.brightened(image).min() == 20
    noisy = image_changes.noisy(image)
    assert (noisy == image_changes.noisy(image)).all() and noisy.dtype == np.uint8
    assert 5 < (noisy.astype(int) - image)[image > 0].std() < 15
    thick = image_changes.thickened(image)
    assert (thick >= image).all() and (thick > 0).sum() == 7 * 5 - 1  # all but the corner
    for change in (image_changes.dimmed, image_changes.brightened, image_changes.noisy, image_changes.thickened):
        assert change(image).dtype == np.uint8 and change(image).shape == (28, 28)
        assert (image == digit()).all(), "the image that was given stays"
