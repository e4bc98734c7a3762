"""Answers to the exercises of chapter 15: right ones in unusual form, wrong ones by the names of their mistakes."""

import math

import numpy as np

# 15-1


def by_counting(members, outsiders, rate):
    n = len(outsiders)
    if n * rate < 1 and len(outsiders) < 1 / rate:
        return float("nan")
    best = 0.0
    for t in set(members.tolist()):
        if sum(o >= t for o in outsiders.tolist()) / n <= rate:
            best = max(best, sum(m >= t for m in members.tolist()) / len(members))
    return best


def just_above(members, outsiders, rate):
    if len(outsiders) < 1 / rate:
        return np.float64("nan")
    falling = np.sort(outsiders)[::-1]
    allowed = [k for k in range(len(falling) + 1) if k / len(falling) <= rate]
    # The first outsider who may not be accused: everybody above is found.
    last = falling[max(allowed)] if max(allowed) < len(falling) else -np.inf
    return np.mean(members > last)


def from_above(members, outsiders, rate, enough=True):
    if enough and len(outsiders) < 1 / rate:
        return np.nan
    share = 0.0
    for t in sorted({*members.tolist(), *outsiders.tolist()}, reverse=True):
        if (outsiders >= t).mean() > rate:
            break
        share = (members >= t).mean()
    return share


# 15-2


def epsilon(renyi, orders, δ, T):
    return (T * renyi + np.log(1 / δ) / (orders - 1)).min()


def doubling(renyi, orders, δ, goal, runs, share=1):
    low, high = 0, 1
    while epsilon(renyi, orders, δ, runs * high) <= goal:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if epsilon(renyi, orders, δ, runs * middle) <= goal:
            low = middle
        else:
            high = middle
    return low


def order_by_order(renyi, orders, δ, goal, runs):
    best = 0
    for r, a in zip(renyi, orders, strict=True):
        best = max(best, math.floor((goal - math.log(1 / δ) / (a - 1)) / r / runs))
    return np.int64(best)


RIGHT = {"15-1": [by_counting, just_above, from_above], "15-2": [doubling, order_by_order]}

WRONG = {
    "15-1": [
        (lambda m, o, rate: ((m[:, None] > o) + 0.5 * (m[:, None] == o)).mean(), "area under the curve"),
        (lambda m, o, rate: from_above(o, m, rate), "sides swapped"),
        (lambda m, o, rate: from_above(m, o, rate, enough=False), "too few outsiders"),
        (lambda m, o, rate: math.nan if len(o) < 1 / rate else (m >= np.quantile(o, 1 - rate)).mean(), "interpolated"),
        (lambda m, o, rate: round(from_above(m, o, rate) * len(m)) if len(o) >= 1 / rate else np.nan, "a count"),
    ],
    "15-2": [
        (lambda renyi, orders, δ, goal, runs: doubling(renyi, orders, δ, goal, 1), "one run"),
        (lambda renyi, orders, δ, goal, runs: doubling(renyi, orders, δ, goal / runs, 1), "goal shared out"),
        (lambda renyi, orders, δ, goal, runs: doubling(renyi[:1], orders[:1], δ, goal, runs), "first order alone"),
        (lambda renyi, orders, δ, goal, runs: doubling(renyi, orders, δ / runs, goal, runs), "δ shared out"),
    ],
}
