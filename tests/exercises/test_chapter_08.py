"""The exercises of chapter 08: their references against other ways, and what right and wrong answers cannot show."""

import numpy as np
import pytest
from answers_08 import (
    by_argsort,
    by_counts,
    by_partition,
    by_scikit_learn,
    by_scikit_learns_transformer,
    row_by_row,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.exercises import chapter_08


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 7), st.integers(1, 4))
def test_the_reference_mean_agrees_with_another_way(seed, batch, length, width):
    random = np.random.default_rng(seed)
    E, ids = random.normal(size=(6, width)), random.integers(0, 6, (batch, length))
    np.testing.assert_allclose(chapter_08.masked_mean(E, ids), by_counts(E, ids), atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(1, 60))
def test_the_reference_macro_f1_is_scikit_learns(seed, classes, n):
    random = np.random.default_rng(seed)
    matrix = np.zeros((classes, classes), int)
    np.add.at(matrix, tuple(random.integers(0, classes, (2, n))), 1)
    assert chapter_08.macro_f1(matrix) == pytest.approx(by_scikit_learn(matrix))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 5), st.integers(1, 6))
def test_the_reference_tf_idf_is_scikit_learns(seed, n, m, words):
    random = np.random.default_rng(seed)
    train, new = random.poisson(0.7, (n, words)), random.poisson(0.7, (m, words))
    expected = by_scikit_learns_transformer(train, new)
    np.testing.assert_allclose(chapter_08.tf_idf_new(train, new), expected, atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 6), st.integers(1, 4))
def test_the_reference_attention_agrees_with_another_way_and_ignores_padding(seed, batch, length, width):
    random = np.random.default_rng(seed)
    e, q, mask = (
        random.normal(size=(batch, length, width)),
        random.normal(size=width),
        random.random((batch, length)) < 0.6,
    )
    mask[:, 0] = True
    expected = row_by_row(e, q, mask)
    np.testing.assert_allclose(chapter_08.attention_pool(e, q, mask), expected, atol=1e-12)
    louder = np.where(mask[..., None], e, 1e6)
    np.testing.assert_allclose(chapter_08.attention_pool(louder, q, mask), expected, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 30), st.integers(1, 8))
def test_the_reference_threshold_is_the_cheapest_however_it_is_found(seed, n, error, person):
    random = np.random.default_rng(seed)
    confidence, right = random.integers(1, 8, n) / 8, random.random(n) < 0.7
    expected = by_argsort(confidence, right, error, person)
    assert chapter_08.best_threshold(confidence, right, error, person) == expected


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.sampled_from([0.1, 0.5, 0.7, 0.9, 1.0]))
def test_the_reference_limit_reaches_the_recall_and_the_next_larger_one_does_not(seed, n, recall):
    random = np.random.default_rng(seed)
    p, dear = random.integers(1, 9, n) / 8, random.random(n) < 0.5
    dear[0] = True
    limit, flagged = chapter_08.dear_rule(p, dear, recall)
    assert (limit, flagged) == pytest.approx(by_partition(p, dear, recall))
    assert (p[dear] >= limit).mean() >= recall - 1e-9
    assert all((p[dear] >= larger).mean() < recall - 1e-9 for larger in p[dear][p[dear] > limit])
