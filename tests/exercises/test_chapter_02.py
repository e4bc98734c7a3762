"""The exercises of chapter 02: solutions and other right answers pass, typical mistakes get their own hint."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from course_utils.exercises import chapter_02, find

# 02-1 -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [0.7675, 0.768, np.float32(0.76753), -np.log([0.5, 0.8, 0.25]).mean()])
def test_the_right_loss_passes(answer):
    assert find("02-1").judge(answer)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (1.1073, "bits"),
        (-np.log2([0.5, 0.8, 0.25]).mean(), "natural one"),
        (0.3333, "base 10"),
        (2.3026, "sum over the three"),
        (-0.7675, "sign"),
        (1.3999, "from 1"),
        (0.5365, "largest probability"),
        (1.3112, "all nine"),
        (-np.log([[0.2, 0.3, 0.5], [0.8, 0.1, 0.1], [0.5, 0.25, 0.25]]).sum() / 3, "all three"),
        (0.6604, "surprise of the mean"),
        (0.8634, "being wrong"),
        (2.1545, "perplexity"),
        (12.0, "For each ticket"),
    ],
)
def test_a_wrong_loss_gets_the_hint_for_it(answer, hint):
    verdict = find("02-1").judge(answer)
    assert verdict.state == "wrong"
    assert hint in verdict.hint
    assert "0.767" not in verdict.hint + verdict.message


# 02-2 -------------------------------------------------------------------------------------------------------------


def by_scipy(Z, T=1.0):
    return special.log_softmax(Z / T, axis=1)


def row_by_row(Z, T=1.0):
    return [list(row / T - np.logaddexp.reduce(row / T)) for row in Z]


def by_a_mean(Z, T=1.0):  # any number subtracted will do, as long as nothing overflows
    Z = Z / T
    return Z - special.logsumexp(Z, axis=-1, keepdims=True)


@pytest.mark.parametrize("answer", [by_scipy, row_by_row, by_a_mean])
def test_any_right_log_softmax_passes(answer):
    assert find("02-2").judge(answer)


def naive(Z, T=1.0):
    E = np.exp(Z / T)
    return np.log(E / E.sum(axis=1, keepdims=True))


def log_of_softmax(Z, T=1.0):
    return np.log(special.softmax(Z / T, axis=1))


def one_maximum(Z, T=1.0):
    Z = Z / T - (Z / T).max()
    return Z - np.log(np.exp(Z).sum(axis=1, keepdims=True))


def not_subtracted_again(Z, T=1.0):
    Z = Z / T
    return Z - np.log(np.exp(Z - Z.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True))


@pytest.mark.parametrize(
    ("answer", "mistake", "hint"),
    [
        (naive, "overflow", "Subtract each row's maximum"),
        (
            lambda Z, T=1.0: Z / T - np.log(np.exp(Z / T).sum(1, keepdims=True)),
            "no maximum subtracted",
            "overflowed",
        ),
        (log_of_softmax, "logarithm of the probabilities", "Stay in logarithms"),
        (one_maximum, "maximum of all", "Each row needs its own"),
        (lambda Z, T=1.0: special.log_softmax(Z / T, axis=0), "wrong axis", "axis 1"),
        (not_subtracted_again, "maximum not subtracted again", "missing outside"),
        (lambda Z, T=1.0: special.softmax(Z / T, axis=1), "softmax itself", "logarithms are asked"),
        (lambda Z, T=1.0: -by_scipy(Z, T), "sign", "never positive"),
        (lambda Z, T=1.0: by_scipy(Z * T), "multiplied by T", "*divides*"),
        (lambda Z, T=1.0: by_scipy(Z), "temperature unused", "not used"),
        (lambda Z, T=1.0: by_scipy(Z) / T, "temperature at the end", "*before* softmax"),
        (lambda Z, T=1.0: special.logsumexp(Z / T, axis=1), "log-sum-exp only", "Subtract it"),
    ],
)
def test_a_wrong_log_softmax_gets_the_hint_for_it(answer, mistake, hint):
    with np.errstate(all="ignore"):
        verdict = find("02-2").judge(answer)
    assert (verdict.state, verdict.mistake) == ("wrong", mistake)
    assert hint in verdict.hint


def test_a_learner_is_told_of_nan_and_of_infinity_and_of_both_shapes():
    with np.errstate(all="ignore"):
        assert "NaN (not a number)" in find("02-2").judge(naive).message
        assert "infinite" in find("02-2").judge(log_of_softmax).message
    message = find("02-2").judge(lambda Z, T=1.0: special.logsumexp(Z / T, axis=1)).message
    assert "(2,)" in message and "(2, 3)" in message


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 8), st.floats(0.05, 20), st.floats(-3, 3))
def test_the_reference_log_softmax_agrees_with_scipy(seed, rows, classes, temperature, size):
    Z = np.random.default_rng(seed).normal(size=(rows, classes)) * 10**size
    np.testing.assert_allclose(chapter_02.log_softmax(Z, temperature), by_scipy(Z, temperature), rtol=1e-9, atol=1e-12)


# 02-3 -------------------------------------------------------------------------------------------------------------


def with_logits(X, y, W, b, r):
    P = special.softmax(X @ W + b, axis=1)
    P[np.arange(len(y)), y] -= 1
    P *= (r / r.sum())[:, None]
    return X.T @ P, P.sum(0)


def by_einsum(X, y, W, b, r):
    Y = np.zeros((len(y), len(b)))
    Y[np.arange(len(y)), y] = 1
    D = special.softmax(X @ W + b, axis=1) - Y
    share = r / r.sum()
    return np.einsum("i,ij,ik->jk", share, X, D), share @ D


def by_loops(X, y, W, b, r):
    dW, db = np.zeros_like(W), np.zeros_like(b)
    for x, label, price in zip(X, y, r / r.sum(), strict=True):
        d = special.softmax(x @ W + b)
        d[label] -= 1
        dW += price * np.outer(x, d)
        db += price * d
    return dW, db


@pytest.mark.parametrize("answer", [with_logits, by_einsum, by_loops])
def test_any_right_gradient_passes(answer):
    assert find("02-3").judge(answer)


def spoil(change_errors=lambda D, r: D * r[:, None] / r.sum(), finish=lambda dW, db, D: (dW, db)):
    def answer(X, y, W, b, r):
        D = change_errors(special.softmax(X @ W + b, axis=1) - np.eye(len(b))[y], r)
        return finish(X.T @ D, D.sum(axis=0), D)

    return answer


def without_y(X, y, W, b, r):
    D = special.softmax(X @ W + b, axis=1) * r[:, None] / r.sum()
    return X.T @ D, D.sum(axis=0)


@pytest.mark.parametrize(
    ("answer", "mistake", "hint"),
    [
        (spoil(lambda D, r: D * r[:, None]), "sum for mean", "Divide by the sum"),
        (spoil(lambda D, r: D * r[:, None] / len(r)), "divided by the number", "`r.sum()`"),
        (spoil(lambda D, r: D / len(r)), "prices unused", "not used"),
        (spoil(lambda D, r: D / r.sum()), "prices unused above", "missing above"),
        (without_y, "Y missing", "P − Y, not P"),
        (spoil(lambda D, r: -D * r[:, None] / r.sum()), "sign", "uphill"),
        (spoil(finish=lambda dW, db, D: (dW.T, db)), "transposed", "W's own shape"),
        (spoil(finish=lambda dW, db, D: (dW, D)), "bias not summed", "*sum* of the rows"),
        (spoil(finish=lambda dW, db, D: (dW, D.mean(axis=0))), "bias averaged", "once too often"),
        (spoil(finish=lambda dW, db, D: (db, dW)), "other order", "by W first"),
    ],
)
def test_a_wrong_gradient_gets_the_hint_for_it(answer, mistake, hint):
    verdict = find("02-3").judge(answer)
    assert (verdict.state, verdict.mistake) == ("wrong", mistake)
    assert hint in verdict.hint


def test_shapes_that_do_not_match_are_both_named_and_nan_is_named_as_such():
    verdict = find("02-3").judge(spoil(finish=lambda dW, db, D: (dW.T, db)))
    assert "(3, 2)" in verdict.message and "(2, 3)" in verdict.message
    verdict = find("02-3").judge(spoil(finish=lambda dW, db, D: (dW * np.nan, db)))
    assert "NaN (not a number)" in verdict.message


# 02-4 -------------------------------------------------------------------------------------------------------------


def decayed_first(w, g, t, m, v, alpha=0.001, c=0.01, beta_1=0.9, beta_2=0.999, eps=1e-8):
    w = w * (1 - alpha * c)
    m, v = m + (1 - beta_1) * (g - m), v + (1 - beta_2) * (g * g - v)
    return w - alpha * (m / (1 - beta_1**t)) / ((v / (1 - beta_2**t)) ** 0.5 + eps), m, v


def with_the_rate_corrected(w, g, t, m, v, alpha=0.001, c=0.01, beta_1=0.9, beta_2=0.999, eps=1e-8):
    m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * np.square(g)
    root = np.sqrt(1 - beta_2**t)
    return w - alpha * root / (1 - beta_1**t) * m / (np.sqrt(v) + eps * root) - alpha * c * w, m, v


@pytest.mark.parametrize("answer", [decayed_first, with_the_rate_corrected, chapter_02.adamw])
def test_any_right_adamw_passes(answer):
    assert find("02-4").judge(answer)


def spoilt(decay="w", corrected=True, inside=False, root=False, sign=1, only=3):
    def answer(w, g, t, m, v, alpha=0.001, c=0.01, beta_1=0.9, beta_2=0.999, eps=1e-8):
        g = g + c * w if inside else g
        m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g**2
        m_hat, v_hat = (m / (1 - beta_1**t), v / (1 - beta_2**t)) if corrected else (m, v)
        below = np.sqrt(v_hat + eps) if root else np.sqrt(v_hat) + eps
        pull = {"w": alpha * c * w, "": 0, "whole": c * w, "up": -alpha * c * w}[decay]
        result = (w - sign * alpha * m_hat / below - pull, m, v)
        return result if only == 3 else result[0]

    return answer


def in_place(w, g, t, m, v, alpha=0.001, c=0.01, beta_1=0.9, beta_2=0.999, eps=1e-8):
    new, m[:], v[:] = chapter_02.adamw(w, g, t, m.copy(), v.copy(), alpha, c, beta_1, beta_2, eps)
    return new, m, v


@pytest.mark.parametrize(
    ("answer", "mistake", "hint"),
    [
        (spoilt(inside=True, decay=""), "decay inside the gradient", "Adam with L2"),
        (spoilt(corrected=False), "no bias correction", "1 − β₁ᵗ"),
        (spoilt(root=True), "epsilon within the root", "within the root"),
        (spoilt(decay=""), "no decay", "plain Adam"),
        (spoilt(decay="whole"), "decay without the rate", "α c w"),
        (spoilt(decay="up"), "decay away from zero", "subtract"),
        (spoilt(sign=-1), "sign", "uphill"),
        (spoilt(only=1), "only w", "three things"),
        (in_place, "changes its input", "copy"),
    ],
)
def test_a_wrong_adamw_gets_the_hint_for_it(answer, mistake, hint):
    verdict = find("02-4").judge(answer)
    assert (verdict.state, verdict.mistake) == ("wrong", mistake)
    assert hint in verdict.hint


# All four ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["02-2", "02-3", "02-4"])
def test_the_cases_tell_every_mistake_from_the_reference_and_from_the_others(number):
    with np.errstate(all="ignore"):
        assert find(number).judge.problems() == []


@pytest.mark.parametrize("number", ["02-2", "02-3", "02-4"])
def test_every_listed_mistake_gets_its_own_hint(number):
    judge = find(number).judge
    for mistake in judge.mistakes:
        with np.errstate(all="ignore"):
            verdict = judge(mistake.wrong)
        assert (verdict.state, verdict.mistake, verdict.hint) == ("wrong", mistake.name, mistake.hint), mistake.name


@pytest.mark.parametrize(
    ("number", "name"), [("02-2", "log_softmax"), ("02-3", "weighted_gradients"), ("02-4", "adamw")]
)
def test_the_chapters_own_solution_passes(number, name, chapter_functions):
    solution = chapter_functions("02", name, exercise=number)[name]
    assert find(number).judge(solution)


@pytest.mark.parametrize("number", ["02-1", "02-2", "02-3", "02-4"])
def test_the_untouched_stub_is_not_attempted(number):
    def stub(*arguments, **keywords): ...

    assert find(number).judge(... if number == "02-1" else stub).state != "right"
    if number != "02-1":
        assert find(number).judge(stub).state == "not attempted"
