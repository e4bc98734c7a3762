"""The exercises of chapter 02, Learning."""

import numpy as np

from course_utils.exercises.judges import Mistake, function, number
from course_utils.exercises.verdicts import Exercise

# 02-1: three tickets, their right teams, and what a model says.
_SAYS = np.array([[0.2, 0.3, 0.5], [0.8, 0.1, 0.1], [0.5, 0.25, 0.25]])
_RIGHT = np.array([2, 0, 1])
_GIVEN = _SAYS[np.arange(3), _RIGHT]
_LOSS = float(-np.log(_GIVEN).mean())

_BY_HAND = number(
    _LOSS,
    tolerance=6e-4,
    mistakes=[
        Mistake(
            "bits",
            float(-np.log2(_GIVEN).mean()),
            "These are bits: the logarithm to base 2. The loss takes the natural one (nats).",
        ),
        Mistake(
            "base 10",
            float(-np.log10(_GIVEN).mean()),
            "That is the logarithm to base 10. The loss takes the natural one.",
        ),
        Mistake(
            "sum for mean",
            float(-np.log(_GIVEN).sum()),
            "That is the sum over the three tickets. The loss is their mean.",
        ),
        Mistake(
            "sign", -_LOSS, "The sign: a logarithm of a probability is negative, and the loss is *minus* its mean."
        ),
        Mistake(
            "teams from 1",
            float(-np.log(_SAYS[np.arange(3), _RIGHT - 1]).mean()),
            "You counted the teams from 1. The first team is 0, so the first ticket's right team, 2, is the third "
            "number.",
        ),
        Mistake(
            "largest probability",
            float(-np.log(_SAYS.max(axis=1)).mean()),
            "You took the largest probability of each row. The loss asks for the one of the *right* team, which is not "
            "always the largest.",
        ),
        Mistake(
            "all nine",
            float(-np.log(_SAYS).mean()),
            "You averaged over all nine numbers. Only the probability of the right team counts.",
        ),
        Mistake(
            "all three of each ticket",
            float(-np.log(_SAYS).sum(axis=1).mean()),
            "You took all three probabilities of each ticket. Only that of the right team counts.",
        ),
        Mistake(
            "surprise of the mean",
            float(-np.log(_GIVEN.mean())),
            "That is the surprise of the mean probability. Take the three surprises first, then their mean.",
        ),
        Mistake(
            "being wrong",
            float(-np.log(1 - _GIVEN).mean()),
            "You took the probability of being wrong. The loss takes that of the right team.",
        ),
        Mistake(
            "one minus the mean",
            float(np.mean(1 - _GIVEN)),
            "That is one minus the mean probability. The loss takes logarithms.",
        ),
        Mistake(
            "entropy",
            float(-(_GIVEN * np.log(_GIVEN)).mean()),
            "You weighted each surprise by the model's own probability, as an entropy does. The truth gives the right "
            "team the weight 1.",
        ),
        Mistake(
            "entropies",
            float(-(_SAYS * np.log(_SAYS)).sum(axis=1).mean()),
            "That is the mean entropy of what the model says. The loss asks what really happened: the probability of "
            "the right team alone.",
        ),
        Mistake(
            "two decimals",
            lambda came: came in (round(_LOSS, 1), round(_LOSS, 2)),
            "Right as far as it goes. Three decimals, please: a calculation may stand there as it is.",
        ),
        Mistake(
            "perplexity", float(np.exp(_LOSS)), "That is e to the loss (the perplexity). Leave the exponential out."
        ),
    ],
    otherwise=(
        "For each ticket find the probability that its right team got, take minus its natural logarithm, then the "
        "mean of the three."
    ),
)


# 02-2 ---------------------------------------------------------------------------------------------------------------


def log_softmax(Z, T=1.0):
    """The logarithm of softmax(Z / T), row by row, for logits of any size."""
    Z = np.asarray(Z, dtype=float) / T
    shifted = Z - Z.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _log_softmax_mistakes() -> list[Mistake]:
    def as_written(Z, T=1.0):
        E = np.exp(Z / T)
        return np.log(E / E.sum(axis=-1, keepdims=True))

    def without_the_maximum(Z, T=1.0):
        return Z / T - np.log(np.exp(Z / T).sum(axis=-1, keepdims=True))

    def log_of_stable_softmax(Z, T=1.0):
        E = np.exp(Z / T - (Z / T).max(axis=-1, keepdims=True))
        return np.log(E / E.sum(axis=-1, keepdims=True))

    def maximum_of_all(Z, T=1.0):
        S = Z / T - (Z / T).max()
        return S - np.log(np.exp(S).sum(axis=-1, keepdims=True))

    def wrong_axis(Z, T=1.0):
        S = Z / T - (Z / T).max(axis=0, keepdims=True)
        return S - np.log(np.exp(S).sum(axis=0, keepdims=True))

    def maximum_of_columns(Z, T=1.0):
        S = Z / T - (Z / T).max(axis=0, keepdims=True)
        return S - np.log(np.exp(S).sum(axis=-1, keepdims=True))

    def sum_of_columns(Z, T=1.0):
        S = Z / T - (Z / T).max(axis=-1, keepdims=True)
        return S - np.log(np.exp(S).sum(axis=0, keepdims=True))

    def columns_without_the_maximum(Z, T=1.0):
        return Z / T - np.log(np.exp(Z / T).sum(axis=0, keepdims=True))

    def columns_with_one_maximum(Z, T=1.0):
        S = Z / T - (Z / T).max()
        return S - np.log(np.exp(S).sum(axis=0, keepdims=True))

    def sum_of_all(Z, T=1.0):
        S = Z / T - (Z / T).max(axis=-1, keepdims=True)
        return S - np.log(np.exp(S).sum())

    def maximum_not_subtracted_again(Z, T=1.0):
        S = Z / T - (Z / T).max(axis=-1, keepdims=True)
        return Z / T - np.log(np.exp(S).sum(axis=-1, keepdims=True))

    def softmax_itself(Z, T=1.0):
        return np.exp(log_softmax(Z, T))

    def log_forgotten(Z, T=1.0):
        S = Z / T - (Z / T).max(axis=-1, keepdims=True)
        return S - np.exp(S).sum(axis=-1, keepdims=True)

    def negative(Z, T=1.0):
        return -log_softmax(Z, T)

    def multiplied(Z, T=1.0):
        return log_softmax(Z * T)

    def no_temperature(Z, T=1.0):
        return log_softmax(Z)

    def divided_at_the_end(Z, T=1.0):
        return log_softmax(Z) / T

    def clipped(Z, T=1.0):
        return np.log(np.maximum(np.exp(log_softmax(Z, T)), 1e-300))

    def in_32_bits(Z, T=1.0):
        Z = np.asarray(Z, dtype="float32") / np.float32(T)
        m = Z.max(axis=-1, keepdims=True)
        return Z - (m + np.log(np.exp(Z - m).sum(axis=-1, keepdims=True)))

    def normaliser_only(Z, T=1.0):
        m = (Z / T).max(axis=-1)
        return m + np.log(np.exp(Z / T - m[..., None]).sum(axis=-1))

    overflow = (
        "The exponential overflowed: NaN and infinity come from logits too large for it. Subtract each row's maximum "
        "before the exponential."
    )
    columns = (
        "The sum runs down the columns, over the examples. A row is one example: sum over its classes, `axis=-1, "
        "keepdims=True`."
    )
    return [
        Mistake("overflow", as_written, overflow),
        Mistake("no maximum subtracted", without_the_maximum, overflow),
        Mistake(
            "logarithm of the probabilities",
            log_of_stable_softmax,
            "A tiny probability was rounded to 0 before the logarithm could bring it back. Stay in logarithms: the "
            "log of a quotient is a difference.",
        ),
        Mistake(
            "maximum of all",
            maximum_of_all,
            "One maximum is taken over the whole batch; rows far below it vanish. Each row needs its own: `axis=-1, "
            "keepdims=True`.",
        ),
        Mistake(
            "wrong axis",
            wrong_axis,
            "The axis is wrong: a row is one example, its classes stand along axis 1. Maximum and sum go along that "
            "axis.",
        ),
        Mistake("sum down the columns", sum_of_columns, columns),
        Mistake("sum down the columns, no maximum", columns_without_the_maximum, columns),
        Mistake("sum down the columns, one maximum", columns_with_one_maximum, columns),
        Mistake(
            "maximum of the columns",
            maximum_of_columns,
            "The maximum is taken down the columns. It must be each row's own: a different number subtracted from each "
            "class changes the result.",
        ),
        Mistake(
            "sum of all",
            sum_of_all,
            "The sum runs over the whole batch. Each row has its own: `axis=-1, keepdims=True`.",
        ),
        Mistake(
            "maximum not subtracted again",
            maximum_not_subtracted_again,
            "The maximum is subtracted inside the exponential and missing outside: log-sum-exp is m + log Σ exp(z − "
            "m).",
        ),
        Mistake("softmax itself", softmax_itself, "These are the probabilities. Their logarithms are asked for."),
        Mistake(
            "logarithm forgotten", log_forgotten, "You subtract the sum of the exponentials; subtract its logarithm."
        ),
        Mistake("sign", negative, "The sign: a log-probability is never positive."),
        Mistake("multiplied by T", multiplied, "The temperature *divides* the logits."),
        Mistake("temperature unused", no_temperature, "The temperature is not used: divide the logits by `T` first."),
        Mistake(
            "temperature at the end",
            divided_at_the_end,
            "You divided the result by T. Divide the logits, *before* softmax: the rows must still be "
            "log-probabilities.",
        ),
        Mistake(
            "log-sum-exp only",
            normaliser_only,
            "That is the log-sum-exp of each row. Subtract it from the logits of the row.",
        ),
        Mistake(
            "clipped",
            clipped,
            "Tiny probabilities are clipped before the logarithm, so the worst mistakes all cost the same. Stay in "
            "logarithms: the log of a quotient is a difference.",
        ),
        Mistake(
            "32 bits",
            in_32_bits,
            "The formula is right; `float32` is too coarse for it: beside a logit of 1,000 it keeps four decimals. "
            "Subtract the row's maximum from the logits first, or compute in `float64`.",
        ),
    ]


_LOG_SOFTMAX_CASES = [
    (np.array([[2.0, 1.0, 0.0], [0.5, -0.5, 1.5]]), 2.0),
    (np.array([[1.0, 3.0], [0.0, -2.0], [4.0, 0.5]]),),
    (np.array([[1000.0, 0.0, -1000.0, 999.0], [3.0, 1.0, 2.0, 0.0]]),),
    (np.array([[-1000.0, -1002.0, -1001.0], [1000.0, 1001.0, 1003.0]]), 0.5),
]


# 02-3 ---------------------------------------------------------------------------------------------------------------


def _difference(X, y, W, b):
    """P − Y."""
    Z = X @ W + b
    P = np.exp(log_softmax(Z))
    return P - np.eye(len(b))[y]


def weighted_gradients(X, y, W, b, r):
    """The gradients by W and b of the weighted mean cross-entropy of softmax regression."""
    D = r[:, None] * _difference(X, y, W, b) / r.sum()
    return X.T @ D, D.sum(axis=0)


def _gradient_mistakes() -> list[Mistake]:
    def from_errors(D):
        return lambda X, y, W, b, r: (X.T @ D(X, y, W, b, r), D(X, y, W, b, r).sum(axis=0))

    def probabilities(X, y, W, b):
        return _difference(X, y, W, b) + np.eye(len(b))[y]

    def transposed(X, y, W, b, r):
        dW, db = weighted_gradients(X, y, W, b, r)
        return dW.T, db

    def bias_not_summed(X, y, W, b, r):
        D = r[:, None] * _difference(X, y, W, b) / r.sum()
        return X.T @ D, D

    def bias_averaged(X, y, W, b, r):
        dW, db = weighted_gradients(X, y, W, b, r)
        return dW, db / len(y)

    def other_order(X, y, W, b, r):
        return weighted_gradients(X, y, W, b, r)[::-1]

    def without_bias(X, y, W, b, r):
        return weighted_gradients(X, y, W, np.zeros_like(b), r)

    def plain_for_bias(X, y, W, b, r):
        D = _difference(X, y, W, b)
        return weighted_gradients(X, y, W, b, r)[0], D.mean(axis=0)

    def with_decay(X, y, W, b, r, c=0.01):  # the chapter's c
        dW, db = weighted_gradients(X, y, W, b, r)
        return dW + c * W, db

    def truth_alone(X, y, W, b):
        return np.eye(len(b))[y]

    def only_p(divide):
        return from_errors(
            lambda X, y, W, b, r: (r[:, None] * probabilities(X, y, W, b) - truth_alone(X, y, W, b)) / divide(r)
        )

    unweighted_truth = (
        "The prices multiply P alone. A ticket's whole loss has the price, so its whole row of P − Y gets it: "
        "`r[:, None] * (P - Y)`, with the brackets."
    )
    return [
        Mistake(
            "decay added",
            with_decay,
            "You added the pull c W of section 6. This loss has no weight decay: leave it out.",
        ),
        Mistake("prices on P alone", only_p(np.sum), unweighted_truth),
        Mistake("prices on P alone, by n", only_p(len), unweighted_truth),
        Mistake(
            "shares on P alone",
            from_errors(
                lambda X, y, W, b, r: (r / r.sum())[:, None] * probabilities(X, y, W, b) - truth_alone(X, y, W, b)
            ),
            unweighted_truth,
        ),
        Mistake(
            "shares on P alone, Y by n",
            from_errors(
                lambda X, y, W, b, r: (
                    (r / r.sum())[:, None] * probabilities(X, y, W, b) - truth_alone(X, y, W, b) / len(y)
                )
            ),
            unweighted_truth,
        ),
        Mistake(
            "sum for mean",
            from_errors(lambda X, y, W, b, r: r[:, None] * _difference(X, y, W, b)),
            "You left out the division: the loss is a weighted *mean*. Divide by the sum of the prices.",
        ),
        Mistake(
            "divided by the number",
            from_errors(lambda X, y, W, b, r: r[:, None] * _difference(X, y, W, b) / len(y)),
            "You divide by the number of examples. A weighted mean divides by the sum of the prices, `r.sum()`.",
        ),
        Mistake(
            "prices unused",
            from_errors(lambda X, y, W, b, r: _difference(X, y, W, b) / len(y)),
            "That is the plain mean: the prices are not used. Multiply each row of P − Y by its price.",
        ),
        Mistake(
            "divided twice",
            from_errors(lambda X, y, W, b, r: r[:, None] * _difference(X, y, W, b) / r.sum() / len(y)),
            "You divide once too often, by n and by the sum of the prices: `gradient_of_loss` holds the 1/n of a plain "
            "mean already. The weighted mean divides by `r.sum()` alone.",
        ),
        Mistake(
            "prices unused above",
            from_errors(lambda X, y, W, b, r: _difference(X, y, W, b) / r.sum()),
            "The prices stand below the fraction and are missing above: multiply each row of P − Y by its price.",
        ),
        Mistake(
            "Y missing",
            from_errors(lambda X, y, W, b, r: r[:, None] * probabilities(X, y, W, b) / r.sum()),
            "The truth is missing: the gradient by the logits is P − Y, not P.",
        ),
        Mistake(
            "sign",
            from_errors(lambda X, y, W, b, r: -r[:, None] * _difference(X, y, W, b) / r.sum()),
            "The sign is turned round (Y − P). The gradient points uphill: P − Y.",
        ),
        Mistake(
            "prices squared",
            from_errors(lambda X, y, W, b, r: (r**2)[:, None] * _difference(X, y, W, b) / r.sum()),
            "The prices are multiplied in twice. Once is enough, on the rows of P − Y.",
        ),
        Mistake(
            "transposed", transposed, "Your gradient by W is transposed. It has W's own shape, (inputs, classes): Xᵀ D."
        ),
        Mistake(
            "bias not summed",
            bias_not_summed,
            "b is shared by all rows, so its gradient is the *sum* of the rows: `D.sum(axis=0)`.",
        ),
        Mistake(
            "bias averaged",
            bias_averaged,
            "The gradient by b is divided once too often: D already holds the division, so sum its rows.",
        ),
        Mistake("other order", other_order, "Return the gradient by W first, then the one by b."),
        Mistake("bias left out of the logits", without_bias, "The logits are X W + b; b is missing in yours."),
        Mistake(
            "prices missing for b",
            plain_for_bias,
            "The gradient by W is right. The one by b needs the prices too: sum the rows of the same D.",
        ),
    ]


def _gradient_case(seed: int, n: int, inputs: int, classes: int) -> tuple:
    random = np.random.default_rng(seed)
    X, W = random.normal(size=(n, inputs)), random.normal(size=(inputs, classes))
    y, b, r = random.integers(0, classes, n), random.normal(size=classes), random.uniform(0.5, 4, n)
    return tuple(a.round(3) if a.dtype.kind == "f" else a for a in (X, y, W, b, r))


_GRADIENT_CASES = [_gradient_case(1, 4, 2, 3), _gradient_case(2, 3, 5, 2), _gradient_case(3, 6, 3, 4)]


# 02-4 ---------------------------------------------------------------------------------------------------------------


def adamw(w, g, t, m, v, alpha=0.001, c=0.01, beta_1=0.9, beta_2=0.999, eps=1e-8):
    """One step of AdamW: the new parameters and both running means."""
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g**2
    m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
    return w - alpha * m_hat / (np.sqrt(v_hat) + eps) - alpha * c * w, m, v


def _adamw_mistakes() -> list[Mistake]:
    def variant(
        *,
        inside=False,
        corrected=(True, True),
        root=False,
        decay="right",
        old_means=False,
        one_early=False,
        sign=1.0,
        squared=True,
        swapped=False,
        hat=False,
        after=False,
    ):
        def step(w, g, t, m, v, alpha=0.001, c=0.01, beta_1=0.9, beta_2=0.999, eps=1e-8):
            if swapped:
                beta_1, beta_2 = beta_2, beta_1
            gradient = g + c * w if inside else g
            new_m = beta_1 * m + (1 - beta_1) * gradient
            new_v = beta_2 * v + (1 - beta_2) * (gradient**2 if squared else gradient)
            used_m, used_v = (m, v) if old_means else (new_m, new_v)
            power = t - 1 if one_early else t
            m_hat = used_m / (1 - beta_1**power) if corrected[0] else used_m
            v_hat = used_v / (1 - beta_2**power) if corrected[1] else used_v
            epsilon = eps / np.sqrt(1 - beta_2**t) if hat else eps
            below = np.sqrt(v_hat + eps) if root else np.sqrt(v_hat) + epsilon
            new_w = w - sign * alpha * m_hat / below
            new_w = (
                new_w
                - {"right": alpha * c * w, "none": 0.0, "whole": c * w, "up": -alpha * c * w}[
                    "none" if inside else decay
                ]
            )
            if after:  # the pull, on what the step has moved already
                new_w = new_w + alpha * c * w
                new_w = new_w - alpha * c * new_w
            return new_w, new_m, new_v

        return step

    def only_w(w, g, t, m, v, alpha=0.001, c=0.01, beta_1=0.9, beta_2=0.999, eps=1e-8):
        return adamw(w, g, t, m, v, alpha, c, beta_1, beta_2, eps)[0]

    def corrected_memory(w, g, t, m, v, alpha=0.001, c=0.01, beta_1=0.9, beta_2=0.999, eps=1e-8):
        w, m, v = adamw(w, g, t, m, v, alpha, c, beta_1, beta_2, eps)
        return w, m / (1 - beta_1**t), v / (1 - beta_2**t)

    inside = (
        "The pull stands inside the gradient, so it is divided by √v̂ with it: that is Adam with L2, the very thing "
        "AdamW mends. Keep `g` as it is and subtract α c w from w."
    )
    return [
        Mistake("decay inside the gradient", variant(inside=True), inside),
        Mistake(
            "no bias correction",
            variant(corrected=(False, False)),
            "The bias correction is missing: divide m by 1 − β₁ᵗ and v by 1 − β₂ᵗ before the step.",
        ),
        Mistake("m not corrected", variant(corrected=(False, True)), "m is not corrected: divide it by 1 − β₁ᵗ."),
        Mistake("v not corrected", variant(corrected=(True, False)), "v is not corrected: divide it by 1 − β₂ᵗ."),
        Mistake("epsilon within the root", variant(root=True), "ε stands within the root. Add it to the root: √v̂ + ε."),
        Mistake(
            "epsilon of Keras",
            variant(hat=True),
            "That is Keras's form, whose ε is the paper's ε̂. Here it is the paper's: correct m and v first, then "
            "divide by √v̂ + ε.",
        ),
        Mistake(
            "pull on the new w",
            variant(after=True),
            "The pull takes the w from *before* the step: α c w, with the w that came in.",
        ),
        Mistake("no decay", variant(decay="none"), "That is plain Adam: the pull towards zero, − α c w, is missing."),
        Mistake(
            "decay without the rate",
            variant(decay="whole"),
            "The pull is c w. In this form it is multiplied by the learning rate: α c w.",
        ),
        Mistake("decay away from zero", variant(decay="up"), "The pull pushes w away from zero: subtract α c w."),
        Mistake("old running means", variant(old_means=True), "The step uses the old m and v. Update both first."),
        Mistake(
            "t one too small",
            variant(one_early=True),
            "The corrections use t − 1. `t` already counts from 1: take it as it is.",
        ),
        Mistake("sign", variant(sign=-1.0), "The step goes uphill: subtract α m̂ / (√v̂ + ε)."),
        Mistake("gradient not squared", variant(squared=False), "v is the running mean of the *squared* gradient, g²."),
        Mistake("betas swapped", variant(swapped=True), "β₁ and β₂ are exchanged: β₁ belongs to m, β₂ to v."),
        Mistake("only w", only_w, "Return three things: the new w, m and v. The next step needs the running means."),
        Mistake(
            "corrected means returned",
            corrected_memory,
            "Return m and v as they are, not corrected: the correction is for this step alone.",
        ),
    ]


# An epsilon that is not tiny tells the forms apart. Three steps: the first, a later one, a large pull.
_ADAMW_CASES = [
    (np.array([0.5, -1.5, 2.0]), np.array([0.2, -0.4, 1.0]), 2, np.array([0.05, -0.1, 0.3]),
     np.array([0.01, 0.04, 0.5]),
     0.1, 0.2, 0.9, 0.99, 0.05),
    (np.array([[1.0, -2.0], [0.5, 3.0]]), np.array([[0.3, 0.1], [-0.2, 0.7]]), 5, np.array([[0.2, -0.1], [0.4, 0.3]]),
     np.array([[0.09, 0.2], [0.3, 0.6]]), 0.05, 0.5, 0.8, 0.95, 0.1),
    (np.array([2.0, -1.0]), np.array([1.5, 0.25]), 3, np.array([0.1, 0.2]), np.array([0.3, 0.1]), 0.2, 0.05, 0.9, 0.999,
     0.01),
    (np.array([1.0, -4.0]), np.array([0.5, 2.0]), 1, np.zeros(2), np.zeros(2)),
]  # fmt: skip


EXERCISES = (
    Exercise(
        "02-1",
        "A loss with pencil and paper",
        "recall",
        4,
        "Compute the mean cross-entropy, in nats, of the three predictions: for each ticket minus the natural "
        "logarithm of the probability of its right team, then the mean. Put the number, or the calculation, where the "
        "three dots stand.",
        _BY_HAND,
    ),
    Exercise(
        "02-2",
        "Log-softmax with a temperature",
        "modify",
        6,
        "Write `log_softmax(Z, T=1.0)`: for logits of shape (batch, classes) the logarithm of softmax(Z / T), row by "
        "row, of the same shape, finite for logits of any size. Put your code where the three dots stand.",
        function(log_softmax, _LOG_SOFTMAX_CASES, mistakes=_log_softmax_mistakes()),
    ),
    Exercise(
        "02-3",
        "Mistakes with a price",
        "modify",
        9,
        "Write `weighted_gradients(X, y, W, b, r)`: the gradients of the weighted mean cross-entropy by W, of shape "
        "(inputs, classes), and by b, of shape (classes,), in this order. Put your code where the three dots stand.",
        function(weighted_gradients, _GRADIENT_CASES, mistakes=_gradient_mistakes(), by_norm=True, tolerance=1e-6),
    ),
    Exercise(
        "02-4",
        "AdamW",
        "extend",
        10,
        "Write `adamw(w, g, t, m, v, …)`: one step of AdamW, with the Adam of section 8 (the paper's form, not "
        "Keras's) and the pull − α c w. It returns the new w, m and v, each shaped like w, and leaves its input as it "
        "is. Put your code where the three dots stand.",
        function(adamw, _ADAMW_CASES, mistakes=_adamw_mistakes()),
    ),
)
