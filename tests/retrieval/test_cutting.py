"""Chapters cut into sections and passages."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.authoring import sources
from course_utils.chapters import select
from course_utils.errors import CourseError
from course_utils.retrieval import cutting


def test_a_chapters_sections_have_their_words_and_the_claims_that_they_settle():
    found = {section.name: section for section in cutting.sections(sources.read(select(["07"])[0]))}
    slips = found["07/Slips of the articles"]
    assert slips.claims == ("c45", "c44", "c46", "c47") and "expand dims" in slips.text
    part = found["07/How good is it? > Who wrote it?"]
    assert (part.chapter, part.title, part.under) == ("07", "Who wrote it?", "6 · How good is it?")
    assert not [name for name in found if re.search(r"Exercise|Recap|Setup|Sources", name)]


@pytest.mark.parametrize(
    ("marked", "wanted"),
    [
        ("**Bold** and *slanted*, `code`.", "Bold and slanted , code ."),
        ("a [link](https://example.org/a) here", "a link here"),
        (r"$\delta_t = W_h^\mathsf{T}$", "delta t = W h T"),
        ("one\ntwo\n\nthree", "one two\nthree"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a b\n1 2"),
        ("<details><summary>What came</summary>\n\nSo.\n\n</details>", "What came\nSo."),
        ("---\n\n&nbsp;", "nbsp;"),
    ],
)
def test_marks_go_and_words_stay(marked, wanted):
    assert cutting.plain(marked) == wanted


@given(st.lists(st.text("ab ", max_size=60), max_size=8), st.integers(1, 20))
def test_passages_hold_every_word_once_in_its_order(paragraphs, most):
    text = "\n".join(" ".join(part.split()) for part in paragraphs if part.strip())
    pieces = cutting.passages(text, most)
    assert " ".join(pieces).split() == text.split()
    assert all(len(piece.split()) <= most for piece in pieces)


def test_a_long_paragraph_is_cut_at_its_sentences():
    text = "One two three. Four five six! Is it 7? Yes."
    assert cutting.sentences(text) == ["One two three.", "Four five six!", "Is it 7?", "Yes."]
    assert cutting.passages(text, 5) == ["One two three.", "Four five six!", "Is it 7?\nYes."]
    assert cutting.sentences("about 3.5 of them, e.g. some") == ["about 3.5 of them, e.g. some"]
    with pytest.raises(CourseError, match="at least one word"):
        cutting.passages(text, 0)


def test_two_sections_of_one_name_are_refused():
    one = cutting.Section("01", "1 · A", "", "words")
    with pytest.raises(CourseError, match="Two sections are called '01/A'"):
        cutting.unique([one, cutting.Section("01", "2 · A", "", "others")])
    assert cutting.unique([one]) == [one]
