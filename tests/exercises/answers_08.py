"""Right and wrong answers to the exercises of chapter 08, each written without the reference."""

import numpy as np


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


def n_of_the_new(train_counts, new_counts):
    d = np.count_nonzero(train_counts, axis=0)
    idf = 1 + np.log((1 + new_counts.shape[0]) / (1 + d))
    return np.array([row * idf / (np.linalg.norm(row * idf) or 1) for row in new_counts])


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


def filled(e, q, mask, fill):
    from scipy.special import softmax

    return np.einsum("bt,btd->bd", softmax(np.where(mask, e @ q, fill), axis=1), e)


def by_exponentials_of_all(e, q, mask):
    a = np.exp(e @ q - np.max(e @ q, 1, keepdims=True)) * mask
    return np.einsum("bt,btd->bd", a / np.clip(a.sum(1, keepdims=True), 1e-30, None), e)


def over_the_batch(e, q, mask):
    a = np.array(mask, float)
    for column in range(mask.shape[1]):
        if real := np.flatnonzero(mask[:, column]).tolist():
            s = e[real, column] @ q
            a[real, column] = np.exp(s - s.max()) / np.exp(s - s.max()).sum()
    return np.einsum("bt,btd->bd", a, e)


def by_argsort(confidence, right, error, person):
    order = np.argsort(-confidence, kind="stable")
    c, wrong = confidence[order], ~right[order]
    costs = np.concatenate([[0], np.cumsum(error * wrong)]) + person * np.arange(len(c), -1, -1)
    ends = [0, *(k + 1 for k in range(len(c)) if k + 1 == len(c) or c[k + 1] < c[k])]
    best = min(ends, key=lambda k: (costs[k], k))
    return 2.0 if best == 0 else c[best - 1]


def by_a_loop(confidence, right, error, person):
    best, least = 2.0, person * len(confidence)
    for t in sorted(set(confidence.tolist()), reverse=True):
        cost = sum((0 if ok else error) if c >= t else person for c, ok in zip(confidence, right, strict=True))
        if cost < least - 1e-12:
            best, least = t, cost
    return best


def on_quantiles(confidence, right, error, person, down=True):
    grid = [*np.quantile(confidence, np.arange(0, 1, 0.05)), 2.0]
    return min(grid[::-1] if down else grid, key=lambda t: total(confidence, right, error, person, t))


def by_precision(p_dear, dear, recall, down=True):
    for limit in sorted(p_dear[dear], reverse=down):
        flagged = p_dear >= limit
        if np.count_nonzero(flagged & dear) / np.count_nonzero(flagged) >= recall:
            break
    return limit, flagged.mean()


def total(confidence, right, error, person, t):
    return sum((0 if ok else error) if c >= t else person for c, ok in zip(confidence, right, strict=True))


def by_partition(p_dear, dear, recall):
    k = int(np.ceil(recall * dear.sum() - 1e-9))
    limit = -np.partition(-p_dear[dear], k - 1)[k - 1]
    return limit, np.count_nonzero(p_dear >= limit) / len(p_dear)


def by_trying(p_dear, dear, recall):
    for limit in sorted(p_dear[dear], reverse=True):
        if (p_dear[dear] >= limit).mean() >= recall - 1e-9:
            break
    return [limit, (p_dear >= limit).mean()]


def tf_idf(fit=lambda train, new: train, counts=lambda new: new, **options):
    def answer(train_counts, new_counts):
        from sklearn.feature_extraction.text import TfidfTransformer

        fitted = TfidfTransformer(**options).fit(fit(train_counts, new_counts))
        return fitted.transform(counts(new_counts)).toarray()

    return answer


RIGHT = {
    "08-1": [by_rows, by_counts, by_einsum],
    "08-2": [by_precision_and_recall, by_scikit_learn, by_nanmean],
    "08-3": [by_scikit_learns_transformer, in_a_loop],
    "08-4": [row_by_row, with_a_large_number, by_scipy],
    "08-5": [by_argsort, by_a_loop],
    "08-6": [by_partition, by_trying],
}


def by_cumsum(c, right, error, person):
    """Sorted and summed up, blind to equal confidences."""
    order = sorted(range(len(c)), key=lambda i: (-c[i], not right[i]))
    costs = [person * len(c)]
    for i in order:
        costs.append(costs[-1] - person + error * (not right[i]))
    k = costs.index(min(costs))
    return float(c[order[k - 1]]) if k else 2.0


WRONG = {
    "08-1": [
        (lambda E, ids: E[ids], "shape", "(2, 4, 3)", "(2, 3)"),
        (lambda E, ids: np.mean(E[ids], 1), "padding counted"),
        (lambda E, ids: (E[ids] * (ids > 0)[:, :, None]).mean(1), "divided by the length"),
        (lambda E, ids: E[ids].sum(1) / np.maximum((ids > 0).sum(1, keepdims=True), 1), "padding in the sum"),
        (lambda E, ids: np.einsum("bt,btd->bd", ids > 0, E[ids]), "not divided"),
    ],
    "08-2": [
        (lambda m: np.trace(m) / m.sum(), "micro"),
        (lambda m: np.mean(2 * m.diagonal() / np.maximum(m.sum(0) + m.sum(1), 1)), "absent class as 0"),
        (lambda m: (2 * m.diagonal() / (m.sum(0) + m.sum(1))).mean(), "absent class as NaN"),
    ],
    "08-3": [
        (tf_idf(fit=lambda train, new: new), "idf of the new messages"),
        (tf_idf(fit=lambda train, new: np.vstack([train, new])), "idf of all"),
        (tf_idf(norm=None), "no length"),
        (tf_idf(norm="l1"), "rows add up to one"),
        (tf_idf(counts=lambda new: np.minimum(new, 1)), "yes or no for counts"),
        (n_of_the_new, "n of the new messages"),
    ],
    "08-4": [
        (lambda e, q, mask: by_scipy(e, q, np.ones_like(mask)), "padding gets a share"),
        (lambda e, q, mask: np.array([v[m].mean(0) for v, m in zip(e, mask, strict=True)]), "plain mean"),
        (lambda e, q, mask: by_scipy(e, q / np.sqrt(len(q)), mask), "scaled scores"),
        (lambda e, q, mask: e[:, 0] * np.nan, "perhaps softmax over the batch", "NaN"),
        *(
            (lambda e, q, mask, fill=fill: filled(e, q, mask, fill), "a finite score for padding")
            for fill in (-50, -100, -500, -1000, -2000, -10_000)
        ),
        (by_exponentials_of_all, "padding's share underflows"),
        (over_the_batch, "masked softmax over the batch"),
    ],
    "08-5": [
        (lambda c, right, error, person: by_a_loop(c, ~right, error, person), "right upside down"),
        (by_cumsum, "equal confidences apart"),
        (on_quantiles, "quantiles"),
        (lambda *given: on_quantiles(*given, down=False), "quantiles, the smaller of two"),
        (lambda c, right, error, person: by_a_loop(c, right, error, 0), "people are free"),
        (lambda c, right, error, person: min([t for t in c if right[c >= t].mean() >= 0.9] or [2.0]), "nine of ten"),
        (lambda c, right, error, person: 1 - person / error, "break-even for a threshold"),
        (
            lambda c, right, error, person: min(c, key=lambda t: (total(c, right, error, person, t), -t)),
            "nobody left out",
        ),
        (
            lambda c, right, error, person: min([*c, 2.0], key=lambda t: (total(c, right, error, person, t), t)),
            "the smaller of two",
        ),
        (lambda c, right, error, person: min(total(c, right, error, person, t) for t in [*c, 2.0]), "the cost"),
    ],
    "08-6": [
        (lambda p, dear, recall: (p[dear].min(), (p >= p[dear].min()).mean()), "all of them"),
        (lambda p, dear, recall: (t := np.quantile(p[dear], 1 - recall), (p >= t).mean()), "between two messages"),
        (lambda p, dear, recall: (t := by_partition(p, dear, recall)[0], (p[dear] >= t).mean()), "share of the dear"),
        (lambda p, dear, recall: (t := by_partition(p, dear, recall)[0], dear[p >= t].mean()), "precision"),
        (by_precision, "precision for recall"),
        (lambda *given: by_precision(*given, down=False), "precision for recall, upwards"),
        (lambda p, dear, recall: by_partition(p, dear, recall)[::-1], "swapped"),
        (lambda p, dear, recall: (t := np.quantile(p[dear], recall), (p >= t).mean()), "quantile from the wrong end"),
        (lambda p, dear, recall: by_partition(p, dear, recall)[0], "type"),
    ],
}
