"""Fusion and the measures of a search, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from course_utils.errors import CourseError
from course_utils.retrieval import ranking

SCORES = hnp.arrays(float, st.tuples(st.integers(1, 4), st.integers(1, 6)), elements=st.integers(-3, 3).map(float))


def test_by_hand():
    a, b = np.array([[0.9, 0.1, 0.5]]), np.array([[1.0, 7.0, 3.0]])
    assert ranking.ranks(a).tolist() == [[1, 3, 2]] and ranking.ranks(b).tolist() == [[3, 1, 2]]
    assert np.allclose(ranking.fused(a, b), [[1 / 61 + 1 / 63, 1 / 63 + 1 / 61, 2 / 62]])
    assert ranking.first_right(a, [[1, 2]]).tolist() == [2]
    assert ranking.summary(np.array([1, 2, 10])) == pytest.approx(
        {"recall@1": 1 / 3, "recall@5": 2 / 3, "MRR": 1.6 / 3}
    )


@given(SCORES)
def test_ranks_are_a_permutation_in_the_order_of_the_scores(scores):
    ranks = ranking.ranks(scores)
    assert (np.sort(ranks, axis=1) == np.arange(1, scores.shape[1] + 1)).all()
    for row, places in zip(scores, ranks, strict=True):
        assert (np.diff(row[np.argsort(places)]) <= 0).all()


@given(SCORES)
def test_fusing_a_search_with_itself_changes_no_rank(scores):
    assert (ranking.ranks(ranking.fused(scores, scores)) == ranking.ranks(scores)).all()


def test_a_question_without_a_right_document_is_refused():
    with pytest.raises(CourseError, match="at least one right document"):
        ranking.first_right(np.zeros((2, 3)), [[0], []])


@given(SCORES)
def test_the_chapters_ranks_are_the_packages(chapter_functions, scores):
    ranks = chapter_functions("13", "ranks")["ranks"]
    assert (ranks(scores) == ranking.ranks(scores)).all()
