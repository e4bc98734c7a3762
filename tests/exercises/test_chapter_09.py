"""The exercises of chapter 09: their references against other ways, and what right and wrong answers cannot show."""

import itertools

import numpy as np
from answers_09 import interval_round_by_round, places_by_recursion
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.exercises import chapter_09


@settings(max_examples=60)
@given(st.text("abc", min_size=1, max_size=9), st.sets(st.text("abc", min_size=1, max_size=3), max_size=8))
def test_places_cover_the_word_without_a_gap(word, pieces):
    vocabulary = pieces | {"##" + piece for piece in list(pieces)[::2]}
    places = chapter_09.piece_places(word, vocabulary)
    assert places[0][0] == 0 and places[-1][1] == len(word)
    assert all(a[1] == b[0] for a, b in itertools.pairwise(places))
    assert places == places_by_recursion(word, vocabulary)


@settings(max_examples=40)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 99))
def test_weights_look_back_only_and_add_up_to_one(t, width, seed):
    random = np.random.default_rng(seed)
    here = random.random(t) < 0.6
    here[0] = True
    A = chapter_09.causal_weights(random.normal(size=(t, width)), random.normal(size=(t, width)), here)
    np.testing.assert_allclose(A.sum(axis=1), 1)
    assert (A[~(np.tri(t, dtype=bool) & here)] == 0).all()


@settings(max_examples=40)
@given(st.integers(1, 10), st.integers(1, 40))
def test_the_rate_rises_then_falls_and_is_never_zero(warm_up, more):
    rates = [chapter_09.linear_rate(s, warm_up + more, warm_up, 1.0) for s in range(warm_up + more)]
    assert min(rates) > 0 and max(rates) == 1.0 == rates[warm_up]
    assert (np.diff(rates[:warm_up]) > 0).all() and (np.diff(rates[warm_up:]) < 0).all()


def test_what_ships_is_who_saves_for_sure_and_misses_nothing():
    minutes, found, must, picks, edge = chapter_09._DECISION_CASES[0]
    assert chapter_09.what_ships(minutes[[0, 0, 0]], found, must, picks, edge) == 0  # no real difference: the cheaper
    assert chapter_09.what_ships(minutes - [[0], [0], [9]], found, must, picks, edge) == 2
    assert chapter_09.what_ships(minutes - [[0], [0], [9]], found * [1, 1, 0], must, picks, edge) < 2
    assert chapter_09.what_ships(minutes, found * 0, must, picks, edge) == -1


def test_swapping_there_and_back_changes_nothing():
    case = chapter_09._ADAPTER_CASES[0]
    merged, A7, B7, A8, B8, alpha = case
    there = chapter_09.swap_adapter(*case)
    np.testing.assert_allclose(chapter_09.swap_adapter(there, A8, B8, A7, B7, alpha), merged)


@settings(max_examples=40)
@given(st.integers(2, 12), st.integers(1, 30), st.integers(0, 99))
def test_the_paired_interval_of_a_model_with_itself_is_zero_and_turns_with_the_models(n, rounds, seed):
    random = np.random.default_rng(seed)
    y, a, b = random.integers(0, 3, (3, n))
    picks = random.integers(0, n, (rounds, n))
    assert not np.any(chapter_09.paired_interval(y, a, a, picks))
    low, high = chapter_09.paired_interval(y, a, b, picks)
    assert -1 <= low <= high <= 1
    np.testing.assert_allclose(chapter_09.paired_interval(y, b, a, picks), (-high, -low), atol=1e-12)
    np.testing.assert_allclose(interval_round_by_round(y, a, b, picks), (low, high), atol=1e-12)
