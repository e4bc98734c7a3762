"""The stored editions are what their sources give, and the sources keep to the anatomy of a chapter."""

import pytest

from course_utils.authoring import editions, lint
from course_utils.chapters import chapters

CHAPTERS = chapters()


def test_there_are_chapters():
    assert {chapter.number for chapter in CHAPTERS} >= {"00", "07"}


def test_the_editions_are_what_the_sources_give():
    assert editions.check(CHAPTERS) == []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_the_source_keeps_to_the_anatomy(chapter):
    assert [str(problem) for problem in lint.lint_chapters([chapter])] == []
