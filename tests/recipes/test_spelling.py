"""Spellings as numbers, what is left out, and a distance that is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.errors import CourseError
from course_utils.recipes.spelling import edits, letters, pairs

TEXTS = st.text("abc", max_size=6)


def test_letters_leave_a_zero_behind_the_longest_word():
    assert letters(["ab", "z"]).tolist() == [[1, 2, 0], [26, 0, 0]]
    assert letters(["ab"], 4).tolist() == [[1, 2, 0, 0]]


@pytest.mark.parametrize("word", ["", "o'neil", "Ann", "café", "r2"])
def test_letters_refuse_what_has_no_number(word):
    with pytest.raises(CourseError, match="from a to z"):
        letters([word])


def test_pairs_have_a_row_for_each_pronunciation_and_leave_out_abbreviations():
    listed = {"a": [("AH",), ("EY",)], "w": [("D", "AH", "B", "AH")], "no": [("N", "OW")]}
    spelled, sounds = pairs(list(listed), listed, ["AH", "B", "D", "EY", "N", "OW"], 3)
    assert spelled.tolist() == [[1, 0, 0], [1, 0, 0], [14, 15, 0]]
    assert sounds.tolist() == [[1, 0, 0], [4, 0, 0], [5, 6, 0]]
    assert len(pairs(["no"], listed, ["N", "OW"], 2)[0]) == 0


@given(a=TEXTS, b=TEXTS, c=TEXTS)
def test_edits_are_a_distance(a, b, c):
    assert (edits(a, b) == 0) == (a == b)
    assert edits(a, b) == edits(b, a) <= max(len(a), len(b))
    assert edits(a, c) <= edits(a, b) + edits(b, c)
    assert abs(len(a) - len(b)) <= edits(a, b)


def test_edits_by_hand():
    assert edits("kitten", "sitting") == 3 and edits("", "ab") == 2 and edits(("S", "IH"), ("IH", "S")) == 2
