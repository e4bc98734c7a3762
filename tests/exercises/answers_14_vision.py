"""Right and wrong answers to exercise 14-3, each written without the reference."""

import math

import numpy as np


def by_table(score, hit, n, alarm, miss):
    """Sorted once, sums from above, only the last of equal scores a candidate."""
    order = np.lexsort([hit, -score])
    s, h = score[order], hit[order]
    last = np.append(s[1:] != s[:-1], True)
    costs = np.append(miss * n, (alarm * np.cumsum(~h) + miss * (n - np.cumsum(h)))[last])
    return np.append(np.inf, s[last])[costs.argmin()], costs.min()


def by_loop(score, hit, n, alarm, miss, more=float.__ge__):
    best = (miss * n, -math.inf)
    for t in score.tolist():
        cost = miss * n
        for s, h in zip(score.tolist(), hit.tolist(), strict=True):
            if more(s, t):
                cost += -miss if h else alarm
        best = min(best, (cost, -t))
    return [-best[1], best[0]]


def of_levels(score, hit, n, alarm, miss, levels=None, missed=None):
    table = {}
    for t in sorted(set(score) if levels is None else levels(score)):
        on = score >= t
        table[t] = alarm * np.count_nonzero(on & ~hit) + miss * (
            (n if missed is None else missed(hit)) - (on & hit).sum()
        )
    best = min(table.values())
    return max(t for t, cost in table.items() if cost == best), best


def with_nothing(score):
    return {*score, math.inf}


RIGHT = {"14-3": [by_table, by_loop, lambda *given: of_levels(*given, levels=with_nothing)]}

WRONG = {
    "14-3": [
        (lambda score, hit, n, alarm, miss: by_table(score, hit, n, miss, alarm), "costs swapped"),
        (lambda *given: of_levels(*given, levels=with_nothing, missed=np.sum), "missed among the found"),
        (lambda *given: by_loop(*given, more=float.__gt__), "above the threshold"),
        (of_levels, "always shows something"),
        (lambda score, hit, n, alarm, miss: by_table(score, hit, n, 1, 1), "both cost the same"),
        (lambda *given: by_loop(*given)[0], "the threshold alone"),
        (lambda *given: by_loop(*given)[::-1], "turned round"),
    ]
}
