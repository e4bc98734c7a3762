"""The counted language model: a distribution, the textbook's numbers in a small case, refusals."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.errors import CourseError
from course_utils.recipes.ngrams import NGrams, SequenceGrams

TEXTS = st.lists(st.integers(0, 4), min_size=1, max_size=30)


@given(ids=TEXTS, history=TEXTS, n=st.integers(1, 5))
def test_probabilities_add_up_to_one_after_any_history(ids, history, n):
    model = NGrams(ids, n, 5)
    chances = [model.chance(token, history) for token in range(5)]
    assert np.isclose(sum(chances), 1) and min(chances) >= 0


@given(ids=TEXTS, n=st.integers(1, 4))
def test_no_text_costs_infinitely_much(ids, n):
    assert np.isfinite(NGrams(ids, n, 6).bits([5, *ids, 5]))


def test_a_bigram_by_hand():
    # a b a c: after a came b once and c once; contexts of a: {b}, of b: {a}, of c: {a}: 1/3 each
    model = NGrams([0, 1, 0, 2], 2, 3, discount=0.5)
    alone = (1 - 0.5) / 3 + 0.5 * 3 / 3 / 3
    assert np.isclose(model.chance(1, [0]), (1 - 0.5) / 2 + 0.5 * 2 / 2 * alone)
    assert np.isclose(model.chance(0, [0]), 0.5 * alone)


def test_frequent_after_one_word_only_counts_once():
    # "1" comes often but only after 0; "2" comes seldom, after many
    ids = [0, 1] * 20 + [3, 2, 4, 2, 5, 2]
    model = NGrams(ids, 2, 7)
    assert model.chance(2, [6]) > model.chance(1, [6])


def test_a_history_shorter_than_the_model_looks_back():
    model = NGrams([0, 1, 2, 0, 1, 2], 5, 3)
    assert model.chance(1, [0]) > model.chance(2, [0])
    assert 0 < model.chance(0, []) < 1


@pytest.mark.parametrize(("n", "discount"), [(0, 0.5), (2, 0), (2, 1)])
def test_refuses(n, discount):
    with pytest.raises(CourseError):
        NGrams([0, 1], n, 2, discount=discount)


SEQUENCES = st.lists(st.lists(st.integers(1, 4), max_size=6), min_size=1, max_size=8).filter(any)


@given(sequences=SEQUENCES, history=st.lists(st.integers(1, 4), max_size=6), n=st.integers(1, 5))
def test_many_sequences_are_counted_as_the_words_of_one_text_with_long_gaps(sequences, history, n):
    """n - 1 zeros before each sequence and one after it; what the one text counts across a gap is left out by hand."""
    rows = np.zeros((len(sequences), 7), int)
    for row, sequence in zip(rows, sequences, strict=True):
        row[: len(sequence)] = sequence
    model = SequenceGrams(rows, n)
    grams = Counter()
    for sequence in sequences:
        text = [0] * (n - 1) + sequence + [0]
        grams.update(tuple(text[k : k + n]) for k in range(len(sequence) + 1))
    p = np.full(5, 1 / model.vocabulary)[: model.vocabulary]
    tables = [grams]
    while len(tables) < n:
        tables.insert(0, Counter(gram[1:] for gram in tables[0]))
    past = ([0] * n + history)[-n:]
    for length, table in enumerate(tables):
        before = tuple(past[n - length :])
        total = sum(times for gram, times in table.items() if gram[:-1] == before)
        if not total:
            break
        kinds = sum(gram[:-1] == before for gram in table)
        taken = [max(table[(*before, token)] - 0.75, 0) for token in range(model.vocabulary)]
        p = (np.array(taken) + 0.75 * kinds * p) / total
    found = model.chances(np.array([history], int).reshape(1, -1), np.arange(model.vocabulary)[None])
    assert np.allclose(found[0], p) and np.isclose(found.sum(), 1)


@pytest.mark.parametrize(("n", "discount"), [(0, 0.5), (2, 0), (2, 1)])
def test_many_sequences_refuse_the_same(n, discount):
    with pytest.raises(CourseError):
        SequenceGrams([[1, 0]], n, discount=discount)
