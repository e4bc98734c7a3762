"""Right and wrong answers to exercise 14-4, each written without the reference."""

import numpy as np


def by_dictionary(scores, labels, amounts, call):
    """What each score saves when its payments are rung about, added up from the top."""
    saves = {}
    for score, fraud, amount in zip(scores.tolist(), labels.tolist(), amounts.tolist(), strict=True):
        saves[score] = saves.get(score, 0.0) + (amount if fraud else 0.0) - call
    best, so_far, threshold = 1e-9, 0.0, np.inf
    for score in sorted(saves, reverse=True):
        so_far += saves[score]
        if so_far > best + 1e-9:
            best, threshold = so_far, score
    return threshold


def by_matrix(scores, labels, amounts, call):
    """All candidates at once, the frauds' own scores and infinity: (candidates, payments)."""
    candidates = np.append(scores[labels], np.inf)
    rung = scores >= candidates[:, None]
    cost = np.where(rung, call, labels * amounts).sum(axis=1).round(6)
    return candidates[cost == cost.min()].max()


def running(scores, labels, amounts, call):
    order = np.argsort(-scores, kind="stable")
    total = np.append(0, np.cumsum(labels[order] * amounts[order] - call)).round(6)
    edge = np.append(np.diff(scores[order]) != 0, True)
    total[1:][~edge] = -np.inf
    return np.append(np.inf, scores[order])[total.argmax()]


def least(measure, nobody=np.inf):
    """An answer that makes a measure of its own smallest, over all scores from the top and nobody at all."""

    def answer(scores, labels, amounts, call):
        best = (measure(np.zeros(len(scores), bool), labels, amounts, call), nobody)
        for t in sorted(set(scores.tolist()), reverse=True):
            cost = measure(scores >= t, labels, amounts, call)
            if cost < best[0] - 1e-9:
                best = cost, t
        return best[1]

    return answer


def right_cost(rung, labels, amounts, call):
    return call * rung.sum() + (amounts * labels)[~rung].sum()


def with_one_call(scores, labels, amounts, call):
    return min(sorted(set(scores.tolist()), reverse=True), key=lambda t: right_cost(scores >= t, labels, amounts, call))


def without_edges(scores, labels, amounts, call):
    order = (-scores).argsort(kind="stable")
    total = np.append(0, np.cumsum(labels[order] * amounts[order] - call)).round(6)
    return np.append(np.inf, scores[order])[total.argmax()]


RIGHT = {"14-4": [by_dictionary, by_matrix, running, least(right_cost)]}

WRONG = {
    "14-4": [
        (least(lambda rung, y, m, c: c * rung.sum() + (y & ~rung).sum()), "amounts left out"),
        (least(lambda rung, y, m, c: -(rung == y).mean()), "accuracy"),
        (least(lambda rung, y, m, c: -2 * (rung & y).sum() / max(rung.sum() + y.sum(), 1)), "F1"),
        (least(lambda rung, y, m, c: c * (rung & ~y).sum() + m[y & ~rung].sum()), "false alarms alone"),
        (least(lambda rung, y, m, c: m[y & ~rung].sum()), "calls for nothing"),
        (least(lambda rung, y, m, c: c * rung.sum() + m[~rung].sum()), "amounts of all"),
        (least(right_cost, nobody=0.0), "0 for none"),
        (with_one_call, "always somebody"),
        (without_edges, "inside equal scores"),
        (lambda scores, *rest: by_matrix(np.sort(scores), *rest), "sorted apart"),
    ]
}
