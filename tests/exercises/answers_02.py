"""Right and wrong answers to the exercises of chapter 02, each written without the reference."""

import numpy as np
from scipy import special

from course_utils.exercises import chapter_02


def by_scipy(Z, T=1.0):
    return special.log_softmax(Z / T, axis=1)


def row_by_row(Z, T=1.0):
    return [list(row / T - np.logaddexp.reduce(row / T)) for row in Z]


def by_a_mean(Z, T=1.0):  # any number subtracted will do, as long as nothing overflows
    Z = Z / T
    return Z - special.logsumexp(Z, axis=-1, keepdims=True)


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


def spoil(change_errors=lambda D, r: D * r[:, None] / r.sum(), finish=lambda dW, db, D: (dW, db)):
    def answer(X, y, W, b, r):
        D = change_errors(special.softmax(X @ W + b, axis=1) - np.eye(len(b))[y], r)
        return finish(X.T @ D, D.sum(axis=0), D)

    return answer


def without_y(X, y, W, b, r):
    D = special.softmax(X @ W + b, axis=1) * r[:, None] / r.sum()
    return X.T @ D, D.sum(axis=0)


def prices_on_p_alone(X, y, W, b, r):
    D = (r[:, None] * special.softmax(X @ W + b, axis=1) - np.eye(len(b))[y]) / r.sum()
    return X.T @ D, D.sum(axis=0)


def shares_on_p_alone(X, y, W, b, r):
    D = (r / r.sum())[:, None] * special.softmax(X @ W + b, axis=1) - np.eye(len(b))[y] / len(y)
    return X.T @ D, D.sum(axis=0)


def with_the_chapters_decay(X, y, W, b, r, c=0.01):
    dW, db = with_logits(X, y, W, b, r)
    return dW + c * W, db


def down_the_columns(Z, T=1.0):
    Z = Z / T - np.max(Z / T, axis=1, keepdims=True)
    return Z - np.log(np.exp(Z).sum(0))


def decayed_first(w, g, t, m, v, alpha=0.001, c=0.01, beta_1=0.9, beta_2=0.999, eps=1e-8):
    w = w * (1 - alpha * c)
    m, v = m + (1 - beta_1) * (g - m), v + (1 - beta_2) * (g * g - v)
    return w - alpha * (m / (1 - beta_1**t)) / ((v / (1 - beta_2**t)) ** 0.5 + eps), m, v


def with_the_rate_corrected(w, g, t, m, v, alpha=0.001, c=0.01, beta_1=0.9, beta_2=0.999, eps=1e-8):
    m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * np.square(g)
    root = np.sqrt(1 - beta_2**t)
    return w - alpha * root / (1 - beta_1**t) * m / (np.sqrt(v) + eps * root) - alpha * c * w, m, v


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


def keras_form(w, g, t, m, v, alpha=0.001, c=0.01, beta_1=0.9, beta_2=0.999, eps=1e-8):
    m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g**2
    rate = alpha * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    return w - rate * m / (np.sqrt(v) + eps) - alpha * c * w, m, v


def pulled_after(w, g, t, m, v, alpha=0.001, c=0.01, beta_1=0.9, beta_2=0.999, eps=1e-8):
    w, m, v = spoilt(decay="")(w, g, t, m, v, alpha, c, beta_1, beta_2, eps)
    return w - alpha * c * w, m, v


def in_single(Z, T=1.0):  # the chapter's own log_sum_exp, in 32 bits
    Z = np.float32(Z) / np.float32(T)
    m = Z.max(axis=-1, keepdims=True)
    return Z - (m + np.log(np.exp(Z - m).sum(axis=-1, keepdims=True)))


def no_default(Z, T):
    return by_scipy(Z, T)


def by_name_only(Z, *, T=1.0):
    return by_scipy(Z, T)


def in_place(w, g, t, m, v, alpha=0.001, c=0.01, beta_1=0.9, beta_2=0.999, eps=1e-8):
    new, m[:], v[:] = chapter_02.adamw(w, g, t, m.copy(), v.copy(), alpha, c, beta_1, beta_2, eps)
    return new, m, v


RIGHT = {
    "02-1": [0.7675, 0.768, np.float32(0.76753), -np.log([0.5, 0.8, 0.25]).mean()],
    "02-2": [by_scipy, row_by_row, by_a_mean],
    "02-3": [with_logits, by_einsum, by_loops],
    "02-4": [decayed_first, with_the_rate_corrected, chapter_02.adamw],
}

WRONG = {
    "02-1": [
        (1.1073, "bits"),
        (-np.log2([0.5, 0.8, 0.25]).mean(), "bits"),
        (0.3333, "base 10"),
        (2.3026, "sum for mean"),
        (-0.7675, "sign"),
        (1.3999, "teams from 1"),
        (0.5365, "largest probability"),
        (1.3112, "all nine"),
        (-np.log([[0.2, 0.3, 0.5], [0.8, 0.1, 0.1], [0.5, 0.25, 0.25]]).sum() / 3, "all three of each ticket"),
        (0.6604, "surprise of the mean"),
        (0.8634, "being wrong"),
        (2.1545, "perplexity"),
        (12.0, "another number"),
        (0.77, "two decimals"),
        (
            -(
                np.array([[0.2, 0.3, 0.5], [0.8, 0.1, 0.1], [0.5, 0.25, 0.25]])
                * np.log([[0.2, 0.3, 0.5], [0.8, 0.1, 0.1], [0.5, 0.25, 0.25]])
            )
            .sum(axis=1)
            .mean(),
            "entropies",
        ),
    ],
    "02-2": [
        (naive, "overflow", "NaN"),
        (log_of_softmax, "logarithm of the probabilities", "infinite"),
        (lambda Z, T=1.0: special.logsumexp(Z / T, axis=1), "log-sum-exp only", "(2,)", "(2, 3)"),
        (naive, "overflow"),
        (lambda Z, T=1.0: Z / T - np.log(np.exp(Z / T).sum(1, keepdims=True)), "no maximum subtracted"),
        (log_of_softmax, "logarithm of the probabilities"),
        (one_maximum, "maximum of all"),
        (lambda Z, T=1.0: special.log_softmax(Z / T, axis=0), "wrong axis"),
        (down_the_columns, "sum down the columns"),
        (lambda Z, T=1.0: Z / T - np.log(np.exp(Z / T).sum(0)), "sum down the columns, no maximum"),
        (not_subtracted_again, "maximum not subtracted again"),
        (lambda Z, T=1.0: special.softmax(Z / T, axis=1), "softmax itself"),
        (lambda Z, T=1.0: -by_scipy(Z, T), "sign"),
        (lambda Z, T=1.0: by_scipy(Z * T), "multiplied by T"),
        (lambda Z, T=1.0: by_scipy(Z), "temperature unused"),
        (lambda Z, T=1.0: by_scipy(Z) / T, "temperature at the end"),
        (lambda Z, T=1.0: special.logsumexp(Z / T, axis=1), "log-sum-exp only"),
        (lambda Z, T=1.0: np.log(np.maximum(special.softmax(Z / T, axis=1), 1e-300)), "clipped"),
        (in_single, "32 bits"),
        (no_default, "wrong arguments", "`T` needs a default"),
        (by_name_only, "wrong arguments", "by its place"),
    ],
    "02-3": [
        (spoil(finish=lambda dW, db, D: (dW.T, db)), "transposed", "(3, 2)", "(2, 3)"),
        (spoil(finish=lambda dW, db, D: (dW * np.nan, db)), "nan", "NaN"),
        (spoil(lambda D, r: D * r[:, None]), "sum for mean"),
        (spoil(lambda D, r: D * r[:, None] / len(r)), "divided by the number"),
        (spoil(lambda D, r: D / len(r)), "prices unused"),
        (spoil(lambda D, r: D / r.sum()), "prices unused above"),
        (without_y, "Y missing"),
        (prices_on_p_alone, "prices on P alone"),
        (shares_on_p_alone, "shares on P alone, Y by n"),
        (with_the_chapters_decay, "decay added"),
        (spoil(lambda D, r: D / len(r) * r[:, None] / r.sum()), "divided twice"),
        (spoil(lambda D, r: -D * r[:, None] / r.sum()), "sign"),
        (spoil(finish=lambda dW, db, D: (dW.T, db)), "transposed"),
        (spoil(finish=lambda dW, db, D: (dW, D)), "bias not summed"),
        (spoil(finish=lambda dW, db, D: (dW, D.mean(axis=0))), "bias averaged"),
        (spoil(finish=lambda dW, db, D: (db, dW)), "other order"),
    ],
    "02-4": [
        (spoilt(inside=True, decay=""), "decay inside the gradient"),
        (spoilt(corrected=False), "no bias correction"),
        (spoilt(root=True), "epsilon within the root"),
        (keras_form, "epsilon of Keras"),
        (pulled_after, "pull on the new w"),
        (spoilt(decay=""), "no decay"),
        (spoilt(decay="whole"), "decay without the rate"),
        (spoilt(decay="up"), "decay away from zero"),
        (spoilt(sign=-1), "sign"),
        (spoilt(only=1), "only w"),
        (in_place, "changes its input"),
    ],
}
