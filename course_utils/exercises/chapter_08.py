"""The exercises of chapter 08, A text classifier."""

import numpy as np

from course_utils.exercises.judges import Mistake, function
from course_utils.exercises.verdicts import Exercise

# 08-1 -------------------------------------------------------------------------------------------------------------


def masked_mean(E, ids):
    """The mean of the rows of E of each message's real tokens, (batch, width); zeros where there is none."""
    real = (ids != 0)[..., None]
    return (E[ids] * real).sum(axis=1) / np.maximum(real.sum(axis=1), 1)


def _masked_mean_mistakes() -> list[Mistake]:
    def padding_counted(E, ids):
        return E[ids].mean(axis=1)

    def divided_by_length(E, ids):
        return (E[ids] * (ids != 0)[..., None]).sum(axis=1) / ids.shape[1]

    def padding_in_the_sum(E, ids):
        return E[ids].sum(axis=1) / np.maximum((ids != 0).sum(axis=1), 1)[:, None]

    def not_divided(E, ids):
        return (E[ids] * (ids != 0)[..., None]).sum(axis=1)

    def wrong_axis(E, ids):
        real = (ids != 0)[..., None]
        return (E[ids] * real).sum(axis=0) / np.maximum(real.sum(axis=0), 1)

    def over_width(E, ids):
        real = (ids != 0)[..., None]
        return (E[ids] * real).sum(axis=2) / np.maximum(real.sum(axis=2), 1)

    def nan_for_empty(E, ids):
        real = (ids != 0)[..., None]
        count = real.sum(axis=1)
        return np.where(count > 0, masked_mean(E, ids), np.nan)

    def padding_row_for_empty(E, ids):
        count = (ids != 0).sum(axis=1)[:, None]
        return np.where(count > 0, masked_mean(E, ids), E[0])

    def mean_of_ids(E, ids):
        return E[np.round((ids * (ids != 0)).sum(axis=1) / np.maximum((ids != 0).sum(axis=1), 1)).astype(int)]

    def first_real_ones(E, ids):
        count = (ids != 0).sum(axis=1)
        front = (np.arange(ids.shape[1]) < count[:, None])[..., None]
        return (E[ids] * front).sum(axis=1) / np.maximum(count, 1)[:, None]

    def unknown_left_out(E, ids):
        real = (ids > 1)[..., None]
        return (E[ids] * real).sum(axis=1) / np.maximum(real.sum(axis=1), 1)

    def different_tokens(E, ids):
        return np.stack([E[np.unique(row[row != 0])].mean(axis=0) if (row != 0).any() else 0 * E[0] for row in ids])

    return [
        Mistake(
            "padding counted",
            padding_counted,
            "That is the mean over all places, padding included. Leave the padding out of the sum *and* out of the "
            "number that you divide by.",
        ),
        Mistake(
            "divided by the length",
            divided_by_length,
            "The padding is out of the sum, but you divide by the row's whole length. Divide by the number of real "
            "tokens.",
        ),
        Mistake(
            "padding in the sum",
            padding_in_the_sum,
            "You divide by the right number, but the padding's row of `E` is still in the sum. Multiply `E[ids]` by "
            "the mask first.",
        ),
        Mistake("not divided", not_divided, "That is the sum of the real rows. Divide it by their number."),
        Mistake(
            "over the batch",
            wrong_axis,
            "The axis is wrong: `E[ids]` has the shape (batch, length, width). The mean goes over axis 1, the length.",
        ),
        Mistake(
            "over the width",
            over_width,
            "You add up over the width. `E[ids]` has the shape (batch, length, width); the mean goes over axis 1.",
        ),
        Mistake(
            "NaN for an empty row",
            nan_for_empty,
            "A row of padding only gives 0 / 0. Zeros are asked for: divide by `np.maximum(number, 1)`.",
        ),
        Mistake(
            "padding's row for an empty row",
            padding_row_for_empty,
            "A row of padding only gets the padding's own vector in yours. Zeros are asked for.",
        ),
        Mistake(
            "mean of the numbers",
            mean_of_ids,
            "You average the token *numbers* and look up one row. Look up first, `E[ids]`, then average.",
        ),
        Mistake(
            "padding at the end only",
            first_real_ones,
            "You take the first places of each row. Padding may stand anywhere: compare `ids` with 0.",
        ),
        Mistake(
            "unknown left out",
            unknown_left_out,
            "Token 1 is left out too. It means an unknown word, which is real; only 0 is padding.",
        ),
        Mistake(
            "each token once",
            different_tokens,
            "A token that stands twice counts twice in the mean; yours counts it once.",
        ),
    ]


def _masked_mean_cases() -> list[tuple]:
    random = np.random.default_rng(8)
    return [
        (random.normal(size=(6, 3)), np.array([[2, 3, 0, 0], [5, 1, 4, 4]])),
        (random.normal(size=(9, 2)), np.array([[0, 7, 0, 7, 3], [0, 0, 0, 0, 0], [1, 2, 8, 8, 5]])),
        (random.normal(size=(7, 5)), np.array([[0, 0, 6], [4, 0, 1], [3, 3, 2], [1, 0, 0]])),
    ]


# 08-2 -------------------------------------------------------------------------------------------------------------


def macro_f1(matrix):
    """The mean of the classes' F1; rows are true classes. A class that neither occurs nor is answered is left out."""
    sums = matrix.sum(axis=0) + matrix.sum(axis=1)
    there = sums > 0
    return float(np.mean(2 * np.diag(matrix)[there] / sums[there]))


def _quotient(a, b) -> np.ndarray:
    """a / b entry by entry, 0 for x / 0."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return np.divide(a, b, out=np.zeros_like(a), where=b != 0)


def _macro_f1_mistakes() -> list[Mistake]:
    def f1(matrix):
        return _quotient(2 * np.diag(matrix), matrix.sum(axis=0) + matrix.sum(axis=1))

    def there(matrix):
        return matrix.sum(axis=0) + matrix.sum(axis=1) > 0

    def micro(matrix):
        return np.trace(matrix) / matrix.sum()

    def weighted(matrix):
        return float((f1(matrix) * matrix.sum(axis=1)).sum() / matrix.sum())

    def recall(matrix):
        return float(_quotient(np.diag(matrix), matrix.sum(axis=1))[there(matrix)].mean())

    def precision(matrix):
        return float(_quotient(np.diag(matrix), matrix.sum(axis=0))[there(matrix)].mean())

    def divided_by_all(matrix):
        return float(f1(matrix).mean())

    def one_for_absent(matrix):
        return float(np.where(there(matrix), f1(matrix), 1.0).mean())

    def only_with_examples(matrix):
        return float(f1(matrix)[matrix.sum(axis=1) > 0].mean())

    def only_found(matrix):
        return float(f1(matrix)[np.diag(matrix) > 0].mean())

    def nan(matrix):
        return float(np.where(there(matrix), f1(matrix), np.nan).mean())

    def of_means(matrix):
        p, r = precision(matrix), recall(matrix)
        return 2 * p * r / (p + r) if p + r else 0.0

    def arithmetic(matrix):
        both = _quotient(np.diag(matrix), matrix.sum(axis=0)) + _quotient(np.diag(matrix), matrix.sum(axis=1))
        return float((both / 2)[there(matrix)].mean())

    def without_two(matrix):
        return macro_f1(matrix) / 2

    def per_class(matrix):
        return f1(matrix)

    return [
        Mistake(
            "micro",
            micro,
            "That is the accuracy (which equals micro-F1). Macro-F1 takes F for each class first, then the plain mean.",
        ),
        Mistake(
            "weighted",
            weighted,
            "You weigh each class by its number of messages. Macro means that every class counts the same.",
        ),
        Mistake("recall", recall, "That is the mean recall: you divide by the rows only. F needs rows *and* columns."),
        Mistake(
            "precision",
            precision,
            "That is the mean precision: you divide by the columns only. F needs rows *and* columns.",
        ),
        Mistake(
            "absent class as 0",
            divided_by_all,
            "A class that neither occurs nor is ever answered has no F: leave it out of the mean. You count it as 0.",
        ),
        Mistake(
            "absent class as 1",
            one_for_absent,
            "A class that neither occurs nor is ever answered has no F: leave it out of the mean. You count it as 1.",
        ),
        Mistake(
            "absent class as NaN",
            nan,
            "A class that neither occurs nor is ever answered has no F: leave it out of the mean. "
            "Yours makes the whole mean NaN (0 / 0).",
        ),
        Mistake(
            "answered but absent left out",
            only_with_examples,
            "A class without examples that *is* answered counts: its F is 0, because the answers were wrong.",
        ),
        Mistake(
            "never found left out",
            only_found,
            "A class that occurs and is never found has F = 0 and belongs in the mean. Leaving it out flatters.",
        ),
        Mistake(
            "F of the means",
            of_means,
            "You take the means of precision and recall and then one F of them. Take F for each class, then the mean.",
        ),
        Mistake(
            "arithmetic mean",
            arithmetic,
            "You average precision and recall. F is their *harmonic* mean, 2 P R / (P + R).",
        ),
        Mistake("no two", without_two, "Half of what it should be: F is *two* times the hits over row plus column."),
        Mistake("one a class", per_class, "That is F for each class (0 for an absent one). Return their mean."),
    ]


_MACRO_F1_CASES = [
    (np.array([[90, 4], [3, 3]]),),
    (np.array([[50, 2, 3], [6, 7, 1], [4, 0, 2]]),),
    (np.array([[9, 1, 0, 0], [2, 5, 1, 0], [3, 1, 0, 0], [0, 0, 0, 0]]),),
    (np.array([[8, 0, 2], [1, 4, 1], [0, 0, 0]]),),
]

# 08-3 -------------------------------------------------------------------------------------------------------------


def tf_idf_new(train_counts, new_counts):
    """New messages weighted by the training messages' idf, rows of length one, (m, words)."""
    return _tf_idf(train_counts, new_counts)


def _tf_idf(
    train_counts,
    new_counts,
    *,
    idf_of="train",
    smooth=True,
    plus=1.0,
    log=np.log,
    norm="euclid",
    empty=0.0,
    tf=True,
    d="documents",
    inverted=False,
    unseen=True,
):
    """TF-IDF with the training counts' idf; the options are mistakes."""
    seen = {"train": train_counts, "new": new_counts}.get(idf_of)
    if seen is None:
        seen = np.concatenate([train_counts, new_counts])
    n = len(seen)
    found = (seen > 0).sum(axis=0) if d == "documents" else seen.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (1 + n) / (1 + found) if smooth else n / found
        idf = log(1 / ratio if inverted else ratio) + plus
        idf = idf if unseen else np.where(found > 0, idf, 0)
        x = (new_counts if tf else (new_counts > 0)) * idf
        if norm == "none":
            return x
        size = np.sqrt((x**2).sum(axis=1, keepdims=True)) if norm == "euclid" else x.sum(axis=1, keepdims=True)
        if norm == "whole":
            size = np.sqrt((x**2).sum()) * np.ones((len(x), 1))
        return np.where(size > 0, x / np.where(size > 0, size, 1), empty)


def _tf_idf_mistake(name: str, hint: str, **options) -> Mistake:
    def wrong(train_counts, new_counts):
        return _tf_idf(train_counts, new_counts, **options)

    return Mistake(name, wrong, hint)


def _n_of_the_new(train_counts, new_counts):
    d = (train_counts > 0).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = new_counts * (np.log((1 + len(new_counts)) / (1 + d)) + 1)
        size = np.sqrt((x**2).sum(axis=1, keepdims=True))
    return x / np.where(size > 0, size, 1)


_TF_IDF_MISTAKES = [
    Mistake(
        "n of the new messages",
        _n_of_the_new,
        "Your d comes from the training messages and your n from the new ones: n, too, is the number of *training* "
        "messages.",
    ),
    _tf_idf_mistake(
        "idf of the new messages",
        "You take the idf from the new messages. In production one message comes at a time: n and d belong to the "
        "training part.",
        idf_of="new",
    ),
    _tf_idf_mistake(
        "idf of all",
        "The new messages are in your n and d. That is a leak from the test into training: count the training part "
        "alone.",
        idf_of="both",
    ),
    _tf_idf_mistake(
        "no smoothing",
        "The ones in the fraction are missing: (1 + n) / (1 + d). Without them a word that no training message has "
        "divides by zero.",
        smooth=False,
    ),
    _tf_idf_mistake(
        "no plus one behind", "The + 1 *after* the logarithm is missing: a word that stands everywhere gets 0.", plus=0
    ),
    _tf_idf_mistake(
        "log of base 10", "The logarithm is the natural one, `np.log`; yours has the base 10.", log=np.log10
    ),
    _tf_idf_mistake("log of base 2", "The logarithm is the natural one, `np.log`; yours has the base 2.", log=np.log2),
    _tf_idf_mistake("no length", "The rows are not divided by their length: each has to have length one.", norm="none"),
    _tf_idf_mistake(
        "rows add up to one",
        "Your rows add up to one. Their *length* shall be one: divide by the root of the sum of squares.",
        norm="sum",
    ),
    _tf_idf_mistake(
        "one length for all",
        "You divide by one length for the whole array. Each row has its own: `axis=1, keepdims=True`.",
        norm="whole",
    ),
    _tf_idf_mistake(
        "NaN for an empty row",
        "A message without a known word gives 0 / 0. Leave its row at zero: divide by 1 where the length is 0.",
        empty=np.nan,
    ),
    _tf_idf_mistake(
        "yes or no for counts",
        "How *often* a word stands in the message is lost: multiply the counts by idf.",
        tf=False,
    ),
    _tf_idf_mistake(
        "occurrences for documents",
        "d is the number of training *documents* that hold the word, `(counts > 0).sum(axis=0)`; you add up how often "
        "it stands.",
        d="occurrences",
    ),
    _tf_idf_mistake(
        "no weight for a word that training never had",
        "A word of the vocabulary that no training message has gets the weight 0 from you. The formula gives it the "
        "largest one: d = 0 there.",
        unseen=False,
    ),
    _tf_idf_mistake(
        "fraction upside down",
        "The fraction is upside down: rare words get less. It is (1 + n) / (1 + d).",
        inverted=True,
    ),
]

_TF_IDF_CASES = [
    (np.array([[1, 0, 2], [1, 1, 0], [3, 0, 0]]), np.array([[1, 2, 0], [0, 1, 1]])),
    (
        np.array([[2, 0, 1, 0], [1, 0, 1, 1], [1, 0, 0, 0], [1, 0, 3, 0], [1, 0, 0, 2]]),
        np.array([[1, 2, 0, 1], [0, 0, 0, 0], [2, 0, 3, 0]]),
    ),
    (np.array([[4, 1], [0, 1]]), np.array([[2, 1], [1, 3], [5, 0], [0, 1]])),
]

# 08-4 -------------------------------------------------------------------------------------------------------------


def attention_pool(e, q, mask):
    """The weighted mean of each row's real vectors, the weights a softmax of their scores e · q, (batch, width)."""
    return _attention(e, q, mask)


def _attention(e, q, mask, *, scores="masked", axis=1, shift=True, share=True, scale=1.0):
    """Attention pooling for a batch; the options are mistakes."""
    s = (e @ q) * scale
    if scores == "masked":
        s = np.where(mask, s, -np.inf)
    elif scores == "zeroed":
        s = np.where(mask, s, 0.0)
    with np.errstate(all="ignore"):
        a = np.exp(s - s.max(axis=axis, keepdims=True) if shift else s)
        if share:
            a = a / a.sum(axis=axis, keepdims=True)
        if scores == "cut afterwards":
            a = a * mask
        return (a[..., None] * e).sum(axis=1)


def _attention_mistakes() -> list[Mistake]:
    def option(name, hint, **options):
        def wrong(e, q, mask):
            return _attention(e, q, mask, **options)

        return Mistake(name, wrong, hint)

    def plain_mean(e, q, mask):
        return (e * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)

    def scores_for_shares(e, q, mask):
        return (np.where(mask, e @ q, 0.0)[..., None] * e).sum(axis=1)

    def hardest(e, q, mask):
        best = np.where(mask, e @ q, -np.inf).argmax(axis=1)
        return e[np.arange(len(e)), best]

    def divided_again(e, q, mask):
        return _attention(e, q, mask) / mask.sum(axis=1, keepdims=True)

    def shares_only(e, q, mask):
        s = np.where(mask, e @ q, -np.inf)
        a = np.exp(s - s.max(axis=1, keepdims=True))
        return a / a.sum(axis=1, keepdims=True)

    def largest_of_padding(e, q, mask):
        s = e @ q
        with np.errstate(all="ignore"):
            a = np.exp(s - s.max(axis=1, keepdims=True)) * mask
            a = a / a.sum(axis=1, keepdims=True)
        return (a[..., None] * e).sum(axis=1)

    def finite(fill):
        def wrong(e, q, mask):
            s = np.where(mask, e @ q, fill)
            a = np.exp(s - s.max(axis=1, keepdims=True))
            return ((a / a.sum(axis=1, keepdims=True))[..., None] * e).sum(axis=1)

        return wrong

    def masked_over_the_batch(e, q, mask):
        s = np.where(mask, e @ q, -np.inf)
        with np.errstate(all="ignore"):
            a = np.exp(s - s.max(axis=0, keepdims=True))
            a = np.nan_to_num(a / a.sum(axis=0, keepdims=True))
        return (a[..., None] * e).sum(axis=1)

    def guarded(e, q, mask):
        s = e @ q
        a = np.exp(s - s.max(axis=1, keepdims=True)) * mask
        return ((a / np.maximum(a.sum(axis=1, keepdims=True), 1e-30))[..., None] * e).sum(axis=1)

    def only_padding(e, q, mask):
        return np.nan_to_num(_attention(e, q, ~mask))

    return [
        option(
            "padding gets a share",
            "The softmax runs over the padding too, which gets a share. Give padding the score −∞ before the softmax.",
            scores="all",
        ),
        option(
            "cut after the softmax",
            "You take the padding out *after* the softmax, so the shares of the real tokens no longer add up to one. "
            "Mask the scores instead.",
            scores="cut afterwards",
        ),
        option(
            "score 0 for padding",
            "A score of 0 is not 'no share': e⁰ = 1. Padding needs the score −∞ (`-np.inf`).",
            scores="zeroed",
        ),
        Mistake(
            "padding's share underflows",
            guarded,
            "You take off the largest score *with* the padding's, and the real tokens are left with e⁻³⁰⁰⁰ = 0: your "
            "guard against 0/0 hides it. Mask the scores first, then take off the largest.",
        ),
        Mistake(
            "a finite score for padding",
            finite(-1000),
            "Padding gets a finite score, and where the real scores are lower still, it wins. Only −∞ (`-np.inf`) is "
            "below every score.",
        ),
        Mistake(
            "masked softmax over the batch",
            masked_over_the_batch,
            "The softmax runs over the batch. The shares of one message's tokens add up to one: axis 1.",
        ),
        option(
            "softmax over the batch",
            "The softmax runs over the batch. The shares of one message's tokens add up to one: axis 1.",
            axis=0,
        ),
        option(
            "overflow",
            "Scores in the thousands overflow: e¹⁰⁰⁰ is infinite, and ∞/∞ is NaN. Take each row's largest score off "
            "first.",
            shift=False,
        ),
        Mistake(
            "the largest score is padding's",
            largest_of_padding,
            "You take off the largest score *with* the padding's. Where that is large, every real token is left with "
            "e⁻¹⁰⁰⁰ = 0, and 0/0 is NaN. Mask the scores first, then take off the largest.",
        ),
        option("no sum", "The shares do not add up to one: divide by their sum over the tokens.", share=False),
        Mistake(
            "scaled scores",
            lambda e, q, mask: _attention(e, q, mask, scale=1 / np.sqrt(e.shape[-1])),
            "You divide the scores by √width, as transformers do. Here the score is e · q as it is.",
        ),
        Mistake(
            "plain mean", plain_mean, "That is the masked mean: every real token has the same share. Use the scores."
        ),
        Mistake(
            "scores for shares",
            scores_for_shares,
            "You weigh by the scores themselves. Shares are positive and add up to one: softmax.",
        ),
        Mistake(
            "the best token only",
            hardest,
            "You take the one token with the largest score. Attention takes a weighted mean of all of them.",
        ),
        Mistake(
            "divided again",
            divided_again,
            "The shares add up to one already; dividing by the number of tokens once more shrinks the result.",
        ),
        Mistake(
            "shares only", shares_only, "These are the shares. Multiply the vectors by them and add up, over axis 1."
        ),
        Mistake(
            "mask upside down", only_padding, "The mask is upside down: it is true where a token is *real*. Keep those."
        ),
    ]


def _attention_cases() -> list[tuple]:
    random = np.random.default_rng(84)
    first = random.normal(size=(2, 4, 3))
    second = random.normal(size=(3, 5, 2))
    third = random.normal(size=(2, 3, 4))
    return [
        (first, random.normal(size=3), np.array([[True, True, False, False], [True, True, True, False]])),
        (
            second,
            random.normal(size=2),
            np.array(
                [[True, False, True, True, False], [True, True, True, True, True], [False, True, False, True, False]]
            ),
        ),
        (third, 1500 * random.normal(size=4), np.array([[True, True, False], [True, False, True]])),
        (np.array([[[1.0, 0.0], [2.0, 1.0], [3000.0, 0.0]]]), np.array([1.0, 0.0]), np.array([[True, True, False]])),
        # Scores of -20,000 and -30,000: whatever finite score padding gets, it must not win.
        (np.array([[[-2e4, 1.0], [-3e4, 2.0], [7.0, 9.0]]]), np.array([1.0, 0.0]), np.array([[True, True, False]])),
    ]


# 08-5 -------------------------------------------------------------------------------------------------------------


def best_threshold(confidence, right, error, person):
    """The threshold of the least total cost: one of the confidences, or 2.0 where nothing should be routed."""
    options = [2.0, *sorted(confidence, reverse=True)]
    costs = [np.where(confidence >= t, error * ~right, person).sum() for t in options]
    return float(options[int(np.argmin(costs))])


def _threshold(confidence, right, error, person, *, routed=None, asked=None, nobody=True, mean=False, last=False):
    """The cheapest threshold; the options are mistakes in the account."""
    options = [*([2.0] if nobody else []), *sorted(confidence, reverse=True)]
    error, person = (error if routed is None else routed), (person if asked is None else asked)
    costs = []
    for t in options:
        sure = confidence >= t
        cost = np.where(sure, error * ~right, person)
        costs.append((cost[sure].mean() if sure.any() else person) if mean else cost.sum())
    best = len(costs) - 1 - int(np.argmin(costs[::-1])) if last else int(np.argmin(costs))
    return float(options[best])


def _threshold_mistakes() -> list[Mistake]:
    def option(name, hint, **options):
        return Mistake(name, lambda *given: _threshold(*given, **options), hint)

    def nine_of_ten(confidence, right, error, person):
        enough = [t for t in sorted(confidence) if right[confidence >= t].mean() >= 0.9]
        return float(enough[0] if enough else 2.0)

    def share_of_right(confidence, right, error, person):
        enough = [t for t in sorted(confidence) if right[confidence >= t].mean() >= 1 - person / error]
        return float(enough[0] if enough else 2.0)

    def trusts_the_confidence(confidence, right, error, person):
        enough = confidence[confidence >= 1 - person / error]
        return float(enough.min() if len(enough) else 2.0)

    def above_only(confidence, right, error, person):
        options = [2.0, *sorted(confidence, reverse=True)]
        costs = [np.where(confidence > t, error * ~right, person).sum() for t in options]
        return float(options[int(np.argmin(costs))])

    def one_by_one(confidence, right, error, person):
        order = np.lexsort((~right, -confidence))
        costs = person * (len(right) - np.arange(len(right) + 1)) + error * np.append(0, np.cumsum(~right[order]))
        best = int(np.argmin(costs))
        return float(confidence[order][best - 1]) if best else 2.0

    def most_right(confidence, right, error, person):
        options = sorted(confidence, reverse=True)
        return float(options[int(np.argmax([right[confidence >= t].mean() for t in options]))])

    def dearest(confidence, right, error, person):
        options = [2.0, *sorted(confidence, reverse=True)]
        costs = [np.where(confidence >= t, error * ~right, person).sum() for t in options]
        return float(options[int(np.argmax(costs))])

    def on_a_grid(last):
        def quantiles(confidence, right, error, person):
            options = np.append(2.0, np.quantile(confidence, np.arange(19, -1, -1) / 20))
            options = options[::-1] if last else options
            costs = [np.where(confidence >= t, error * ~right, person).sum() for t in options]
            return float(options[int(np.argmin(costs))])

        return quantiles

    def upside_down(confidence, right, error, person):
        return best_threshold(confidence, ~right, error, person)

    def the_cost(confidence, right, error, person):
        options = [2.0, *sorted(confidence, reverse=True)]
        return float(min(np.where(confidence >= t, error * ~right, person).sum() for t in options))

    return [
        Mistake(
            "nine of ten",
            nine_of_ten,
            'That is the rule "nine of ten are right". It knows nothing of what an error and a person cost: add up the '
            "minutes for each threshold.",
        ),
        Mistake(
            "break-even of the average",
            share_of_right,
            "You ask that *all* routed messages together reach the break-even 1 - person / error. The doubtful ones at "
            "the edge hide behind the sure ones: compare total costs.",
        ),
        Mistake(
            "confidence for a share",
            trusts_the_confidence,
            "You take the confidence for the chance of being right. It need not be: `right` says what really happened.",
        ),
        Mistake(
            "break-even for a threshold",
            lambda confidence, right, error, person: 1 - person / error,
            "1 - person / error is a share of right answers, not a confidence. Which confidence goes with it only the "
            "messages can say: try each of theirs.",
        ),
        Mistake(
            "equal confidences apart",
            one_by_one,
            "Messages of the same confidence are routed together or not at all. You count them one by one, so that the "
            "cost you found belongs to no threshold.",
        ),
        Mistake(
            "above only",
            above_only,
            "The machine routes what has *at least* the threshold, `>=`. Yours leaves the message at the threshold "
            "itself to a person.",
        ),
        option(
            "people are free", "A message that a person reads costs `person` minutes; yours costs nothing.", asked=0
        ),
        option(
            "nobody left out",
            "Routing nothing is a choice too (threshold 2.0), and sometimes the cheapest.",
            nobody=False,
        ),
        option(
            "mean of the routed",
            "You look at the cost of the routed messages alone. Those that go to people cost too: add up over all.",
            mean=True,
        ),
        option("the smaller of two", "Of two thresholds that cost the same take the larger.", last=True),
        Mistake(
            "most right",
            most_right,
            "You look for the largest share of right answers, which is a matter of the few surest. Count the minutes.",
        ),
        Mistake("dearest", dearest, "That is the threshold that costs most."),
        *(
            Mistake(
                name,
                on_a_grid(last),
                "You try quantiles, as section 6 does, and most of these lie between two confidences. Try the "
                "confidences themselves, and 2.0.",
            )
            for name, last in (("quantiles", False), ("quantiles, the smaller of two", True))
        ),
        Mistake("right upside down", upside_down, "An error is where `right` is *false*."),
        Mistake("the cost", the_cost, "That is the least cost. Return the threshold at which it comes about."),
        option("errors cost one", "Each error costs `error` minutes; yours counts the errors.", routed=1),
    ]


_THRESHOLD_CASES = [
    (
        np.array([0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]),
        np.array([True, True, True, True, True, False, True, False]),
        12.0,
        1.6,
    ),
    (np.array([0.3, 0.8, 0.8, 0.5, 0.9, 0.6]), np.array([False, True, False, True, True, True]), 2.0, 1.5),
    (np.array([0.9, 0.7, 0.6]), np.array([False, True, True]), 30.0, 2.0),
    (np.array([0.9, 0.7, 0.6, 0.5]), np.array([True, False, True, True]), 3.0, 1.0),
    (np.array([0.91, 0.55, 0.5, 0.45, 0.4]), np.array([True, True, False, True, True]), 4.0, 2.0),
    (
        np.array([0.99, 0.98, 0.97, 0.96, 0.95, 0.94, 0.93, 0.92, 0.91, 0.9, 0.3, 0.2]),
        np.array([True, True, True, True, True, True, True, True, True, False, True, False]),
        20.0,
        1.0,
    ),
    # Two messages of one confidence, of which one is wrong: a threshold takes both or neither.
    (np.array([0.9, 0.6, 0.6]), np.array([True, True, False]), 12.0, 1.6),
    (np.array([0.6, 0.9, 0.6, 0.4]), np.array([False, True, True, True]), 12.0, 1.6),
]

# 08-6 -------------------------------------------------------------------------------------------------------------


def dear_rule(p_dear, dear, recall):
    """The largest limit that finds at least a share ``recall`` of the dear messages, and the share that it flags."""
    theirs = np.sort(p_dear[dear])[::-1]
    limit = next(p for k, p in enumerate(theirs, 1) if k >= recall * len(theirs) - 1e-9)
    return float(limit), float((p_dear >= limit).mean())


def _dear_mistakes() -> list[Mistake]:
    def rule(name, hint, *, limit=None, flagged=None):
        def wrong(p_dear, dear, recall):
            at = dear_rule(p_dear, dear, recall)[0] if limit is None else float(limit(p_dear, dear, recall))
            share = float((p_dear >= at).mean()) if flagged is None else float(flagged(p_dear, dear, at))
            return at, share

        return Mistake(name, wrong, hint)

    def by_precision(upwards):
        def limit(p_dear, dear, recall):
            for at in sorted(p_dear[dear], reverse=not upwards):
                if dear[p_dear >= at].mean() >= recall:
                    break
            return at

        return limit

    def swapped(p_dear, dear, recall):
        return dear_rule(p_dear, dear, recall)[::-1]

    def at_place(k):
        return lambda p_dear, dear, recall: np.sort(p_dear[dear])[::-1][max(0, k(recall, dear.sum()) - 1)]

    return [
        rule(
            "all of them",
            "That limit finds all of them. Only the share `recall` is asked for; a larger limit flags fewer messages.",
            limit=lambda p, dear, recall: p[dear].min(),
        ),
        rule(
            "rounded down",
            "Your limit finds less than the share `recall`: of 5 messages 0.9 are 4.5, so all 5 have to be found.",
            limit=at_place(lambda recall, n: int(np.floor(recall * n + 1e-9))),
        ),
        rule(
            "between two messages",
            "`np.quantile` puts the limit between two messages, and may miss one more than you may. Take one of their "
            "probabilities.",
            limit=lambda p, dear, recall: np.quantile(p[dear], 1 - recall),
        ),
        rule(
            "limit of all messages",
            "You cut off a share of *all* messages. The recall is a share of the dear ones: sort `p_dear[dear]`.",
            limit=lambda p, dear, recall: np.sort(p)[::-1][int(np.ceil(recall * len(p) - 1e-9)) - 1],
        ),
        rule(
            "recall for a probability",
            "You use the recall as a probability, 1 - recall. The limit comes from the messages' own probabilities.",
            limit=lambda p, dear, recall: 1 - recall,
        ),
        *(
            rule(
                name,
                "You ask how many of the *flagged* are dear: that is the precision. Recall is how many of the dear are "
                "flagged: divide by their number.",
                limit=by_precision(upwards),
            )
            for name, upwards in (("precision for recall", False), ("precision for recall, upwards", True))
        ),
        rule(
            "quantile from the wrong end",
            "`np.quantile` counts from below: the share `recall` shall lie *above* the limit, not below it. And take "
            "one of the probabilities.",
            limit=lambda p, dear, recall: np.quantile(p[dear], recall),
        ),
        Mistake(
            "swapped", swapped, "The two numbers are the wrong way round: first the limit, then the share flagged."
        ),
        rule(
            "share of the dear",
            "The second number is the share of *all* messages that is flagged; yours is the share of the dear ones.",
            flagged=lambda p, dear, at: (p[dear] >= at).mean(),
        ),
        rule(
            "share of the others",
            "The second number counts all messages that are flagged, the dear ones among them.",
            flagged=lambda p, dear, at: (p[~dear] >= at).mean(),
        ),
        rule(
            "precision",
            "The second number is how many of the flagged are dear, in yours. Asked is how many of all are flagged.",
            flagged=lambda p, dear, at: dear[p >= at].mean(),
        ),
        rule(
            "above only",
            "A message *at* the limit is flagged, too: `>=`.",
            flagged=lambda p, dear, at: (p > at).mean(),
        ),
        rule(
            "how many, not which share",
            "The second number is a share: divide by the number of messages.",
            flagged=lambda p, dear, at: (p >= at).sum(),
        ),
        rule(
            "sorted upwards",
            "You count from the smallest probability. The dear messages with the *largest* are found first.",
            limit=lambda p, dear, recall: np.sort(p[dear])[int(np.ceil(recall * dear.sum() - 1e-9)) - 1],
        ),
    ]


_DEAR_CASES = [
    (
        np.array([0.6, 0.3, 0.2, 0.15, 0.1, 0.08, 0.05, 0.02]),
        np.array([True, False, True, True, False, True, False, False]),
        0.75,
    ),
    (np.array([0.05, 0.4, 0.12, 0.3, 0.2, 0.01]), np.array([True, False, True, False, True, False]), 1.0),
    (
        np.array([0.5, 0.45, 0.44, 0.3, 0.25, 0.2, 0.1, 0.1, 0.02, 0.01]),
        np.array([True, False, True, False, True, False, True, False, True, False]),
        0.9,
    ),
    (np.array([0.7, 0.2, 0.6, 0.2, 0.1]), np.array([False, True, True, False, False]), 0.5),
]

EXERCISES = (
    Exercise(
        "08-1",
        "The masked mean of a batch",
        "recall",
        10,
        "Write `masked_mean(E, ids)`: the mean of each message's real word vectors, for a whole batch; "
        "zeros where there is no real token. Put your code where the three dots stand.",
        function(masked_mean, _masked_mean_cases(), mistakes=_masked_mean_mistakes()),
    ),
    Exercise(
        "08-2",
        "Macro-F1 from a confusion matrix",
        "modify",
        12,
        "Write `macro_f1(matrix)`: the mean of the classes' F1, from a confusion matrix with true classes in rows. Put "
        "your code where the three dots stand.",
        function(macro_f1, _MACRO_F1_CASES, mistakes=_macro_f1_mistakes()),
    ),
    Exercise(
        "08-3",
        "TF-IDF for new messages",
        "modify",
        15,
        "Write `tf_idf_new(train_counts, new_counts)`: TF-IDF of new messages with the training messages' idf. Put "
        "your code where the three dots stand.",
        function(tf_idf_new, _TF_IDF_CASES, mistakes=_TF_IDF_MISTAKES),
    ),
    Exercise(
        "08-4",
        "Attention pooling for a batch",
        "extend",
        20,
        "Write `attention_pool(e, q, mask)`: the weighted mean of each row's real vectors, the weights a softmax of e "
        "· q over the real ones. Put your code where the three dots stand.",
        function(attention_pool, _attention_cases(), mistakes=_attention_mistakes()),
    ),
    Exercise(
        "08-5",
        "A threshold by its cost",
        "decide",
        6,
        "Write `best_threshold(confidence, right, error, person)`: the threshold from which on the machine should "
        "route, so that errors and people together cost least. Put your code where the three dots stand.",
        function(best_threshold, _THRESHOLD_CASES, mistakes=_threshold_mistakes()),
    ),
    Exercise(
        "08-6",
        "A rule for the dear class",
        "decide",
        6,
        "Write `dear_rule(p_dear, dear, recall)`: the largest limit that finds the share `recall` of the dear "
        "messages, and the share of all messages that it flags. Put your code where the three dots stand.",
        function(dear_rule, _DEAR_CASES, mistakes=_dear_mistakes()),
    ),
)
