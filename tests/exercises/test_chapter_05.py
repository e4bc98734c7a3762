"""The exercises of chapter 05: their references against other ways, and what right and wrong answers cannot show."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import gradcheck
from course_utils.exercises import chapter_05, find


def test_the_count_is_that_of_keras_formula_by_hand():
    assert find("05-1").judge.expected == 4 * (8 * 64 + 64 * 64 + 64) + 64 * 3 + 3 == 18_883


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9), st.floats(0.01, 10))
def test_no_example_moves_the_mean_further_than_its_share(seed, rows, columns, limit):
    G = np.random.default_rng(seed).normal(size=(rows, columns)) * 3
    before = chapter_05.clipped_mean(G, limit)
    G[0] *= 1e6
    assert np.linalg.norm(chapter_05.clipped_mean(G, limit) - before) <= 2 * limit / rows + 1e-9


def test_one_piece_as_long_as_the_sequence_is_the_whole_gradient():
    H, W_h, own, _ = chapter_05._piece_case(5, 2, 6, 3, 6)
    whole = chapter_05._pieces(H, W_h, own, 6, cut=False)
    assert gradcheck.relative_error(chapter_05.bptt_in_pieces(H, W_h, own, 6), whole) < 1e-12
