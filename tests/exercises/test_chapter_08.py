"""The exercises of chapter 08: solutions and other right answers pass, typical mistakes get their own hint."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.exercises import chapter_08, find

SOLUTIONS = {"08-1": "masked_mean", "08-2": "macro_f1", "08-3": "tf_idf_new", "08-4": "attention_pool"}


@pytest.mark.parametrize("exercise", SOLUTIONS)
def test_the_solution_of_the_chapter_passes(chapter_functions, exercise):
    name = SOLUTIONS[exercise]
    given_ = dict.fromkeys(
        ("E", "q", "s", "x", "n", "e", "a", "mask", "ids", "there", "real", "size", "sums", "matrix")
    )
    assert find(exercise).judge(chapter_functions("08", name, exercise=exercise, **given_)[name])


@pytest.mark.parametrize("exercise", SOLUTIONS)
def test_many_mistakes_are_known(exercise):
    assert len(find(exercise).judge.mistakes) >= 10


@pytest.mark.parametrize("exercise", SOLUTIONS)
def test_an_untouched_stub_is_not_attempted(exercise):
    judge = find(exercise).judge
    namespace = {}
    arguments = {"08-1": "E, ids", "08-2": "matrix", "08-3": "train_counts, new_counts", "08-4": "e, q, mask"}[exercise]
    exec(f"def {SOLUTIONS[exercise]}({arguments}):\n    ...\n", namespace)
    assert judge(namespace[SOLUTIONS[exercise]]).state == "not attempted"


# 08-1 -------------------------------------------------------------------------------------------------------------


def by_rows(E, ids):
    return np.array([E[row[row > 0]].mean(axis=0) if row.any() else np.zeros(E.shape[1]) for row in ids])


def by_counts(E, ids):
    C = np.zeros((len(ids), len(E)))
    np.add.at(C, (np.arange(len(ids))[:, None], ids), 1)
    C[:, 0] = 0
    return C @ E / np.maximum(C.sum(axis=1, keepdims=True), 1)


def by_einsum(E, ids):
    mask = (ids != 0).astype(float)
    return np.einsum("bt,btd->bd", mask, E[ids]) / np.clip(mask.sum(1), 1, None)[:, None]


@pytest.mark.parametrize("answer", [by_rows, by_counts, by_einsum])
def test_any_right_masked_mean_passes(answer):
    assert find("08-1").judge(answer)


@pytest.mark.parametrize(
    ("answer", "mistake", "hint"),
    [
        (lambda E, ids: np.mean(E[ids], 1), "padding counted", "sum *and*"),
        (lambda E, ids: (E[ids] * (ids > 0)[:, :, None]).mean(1), "divided by the length", "number of real"),
        (
            lambda E, ids: E[ids].sum(1) / np.maximum((ids > 0).sum(1, keepdims=True), 1),
            "padding in the sum",
            "mask first",
        ),
        (lambda E, ids: np.einsum("bt,btd->bd", ids > 0, E[ids]), "not divided", "Divide it"),
    ],
)
def test_a_wrong_masked_mean_gets_the_hint_for_it(answer, mistake, hint):
    verdict = find("08-1").judge(answer)
    assert (verdict.state, verdict.mistake) == ("wrong", mistake)
    assert hint in verdict.hint


def test_a_shape_that_does_not_match_names_both():
    verdict = find("08-1").judge(lambda E, ids: E[ids])
    assert verdict.state == "wrong" and "(2, 4, 3)" in verdict.message and "(2, 3)" in verdict.message


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 7), st.integers(1, 4))
def test_the_reference_mean_agrees_with_another_way(seed, batch, length, width):
    random = np.random.default_rng(seed)
    E, ids = random.normal(size=(6, width)), random.integers(0, 6, (batch, length))
    np.testing.assert_allclose(chapter_08.masked_mean(E, ids), by_counts(E, ids), atol=1e-12)


# 08-2 -------------------------------------------------------------------------------------------------------------


def by_precision_and_recall(matrix):
    found = []
    for k in range(len(matrix)):
        answered, there, hit = matrix[:, k].sum(), matrix[k].sum(), matrix[k, k]
        if answered or there:
            p, r = hit / answered if answered else 0, hit / there if there else 0
            found.append(2 * p * r / (p + r) if hit else 0)
    return sum(found) / len(found)


def by_scikit_learn(matrix):
    from sklearn.metrics import f1_score

    truth = np.repeat(np.indices(matrix.shape)[0].ravel(), matrix.ravel())
    said = np.repeat(np.indices(matrix.shape)[1].ravel(), matrix.ravel())
    return f1_score(truth, said, average="macro", zero_division=0)


def by_nanmean(matrix):
    with np.errstate(invalid="ignore"):
        return np.nanmean(2 * matrix.diagonal() / (matrix.sum(0) + matrix.sum(1)))


@pytest.mark.parametrize("answer", [by_precision_and_recall, by_scikit_learn, by_nanmean])
def test_any_right_macro_f1_passes(answer):
    assert find("08-2").judge(answer)


@pytest.mark.parametrize(
    ("answer", "mistake", "hint"),
    [
        (lambda m: np.trace(m) / m.sum(), "micro", "equals micro-F1"),
        (lambda m: np.mean(2 * m.diagonal() / np.maximum(m.sum(0) + m.sum(1), 1)), "absent class as 0", "leave it out"),
        (lambda m: (2 * m.diagonal() / (m.sum(0) + m.sum(1))).mean(), "absent class as NaN", "NaN"),
    ],
)
def test_a_wrong_macro_f1_gets_the_hint_for_it(answer, mistake, hint):
    verdict = find("08-2").judge(answer)
    assert (verdict.state, verdict.mistake) == ("wrong", mistake)
    assert hint in verdict.hint


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(1, 60))
def test_the_reference_macro_f1_is_scikit_learns(seed, classes, n):
    random = np.random.default_rng(seed)
    matrix = np.zeros((classes, classes), int)
    np.add.at(matrix, tuple(random.integers(0, classes, (2, n))), 1)
    assert chapter_08.macro_f1(matrix) == pytest.approx(by_scikit_learn(matrix))


# 08-3 -------------------------------------------------------------------------------------------------------------


def by_scikit_learns_transformer(train_counts, new_counts):
    from sklearn.feature_extraction.text import TfidfTransformer

    return TfidfTransformer().fit(train_counts).transform(new_counts).toarray()


def in_a_loop(train_counts, new_counts):
    idf = [np.log((1 + len(train_counts)) / (1 + np.count_nonzero(column))) + 1 for column in train_counts.T]
    rows = []
    for row in new_counts:
        x = row * np.array(idf)
        rows.append(x / np.linalg.norm(x) if x.any() else x)
    return np.array(rows)


@pytest.mark.parametrize("answer", [by_scikit_learns_transformer, in_a_loop])
def test_any_right_tf_idf_passes(answer):
    assert find("08-3").judge(answer)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 5), st.integers(1, 6))
def test_the_reference_tf_idf_is_scikit_learns(seed, n, m, words):
    random = np.random.default_rng(seed)
    train, new = random.poisson(0.7, (n, words)), random.poisson(0.7, (m, words))
    expected = by_scikit_learns_transformer(train, new)
    np.testing.assert_allclose(chapter_08.tf_idf_new(train, new), expected, atol=1e-12)


# 08-4 -------------------------------------------------------------------------------------------------------------


def row_by_row(e, q, mask):
    out = []
    for vectors, real in zip(e, mask, strict=True):
        s = vectors[real] @ q
        a = np.exp(s - s.max())
        out.append((a / a.sum()) @ vectors[real])
    return np.array(out)


def with_a_large_number(e, q, mask):
    s = np.where(mask, np.einsum("btd,d->bt", e, q), -1e30)
    a = np.exp(s - s.max(1, keepdims=True)) * mask
    return np.einsum("bt,btd->bd", a / a.sum(1, keepdims=True), e)


def by_scipy(e, q, mask):
    from scipy.special import softmax

    return np.sum(softmax(np.where(mask, e @ q, -np.inf), axis=1)[..., None] * e, axis=1)


@pytest.mark.parametrize("answer", [row_by_row, with_a_large_number, by_scipy])
def test_any_right_attention_passes(answer):
    assert find("08-4").judge(answer)


def test_nan_is_named():
    verdict = find("08-4").judge(lambda e, q, mask: e[:, 0] * np.nan)
    assert verdict.state == "wrong" and "NaN" in verdict.message + verdict.hint


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
