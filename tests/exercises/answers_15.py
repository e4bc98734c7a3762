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


def enough(answer):
    """With `np.nan` for too few outsiders."""
    return lambda m, o, rate: np.nan if len(o) < 1 / rate else answer(m, o, rate)


def highest_outsiders(members, outsiders, rate, further=0, strictly=False):
    """By an outsider's place: the first who may not be accused, or one `further`."""
    threshold = sorted(outsiders, reverse=True)[int(rate * len(outsiders)) + further]
    return np.mean(members > threshold if strictly else members >= threshold)


def a_step_too_far(members, outsiders, rate):
    """Looks at the share after it has accepted the score."""
    for t in sorted({*members.tolist(), *outsiders.tolist()}, reverse=True):
        share = (members >= t).mean()
        if (outsiders >= t).mean() > rate:
            break
    return share


def smallest(members, outsiders, rate, none=None):
    """Does not ask whether any score will do, or gives `none`."""
    good = [t for t in np.union1d(members, outsiders) if (outsiders >= t).mean() <= rate]
    if none and not good:
        return None
    return (members >= min(good)).mean()


def of_outsiders(members, outsiders, rate):
    best = 0
    for t in np.union1d(members, outsiders):
        if (outsiders >= t).mean() <= rate:
            best = max(best, (outsiders >= t).mean())
    return best


def above_an_outsider(members, outsiders, rate):
    """From `np.unique(outsiders)`, and right: who is accused lies *above* the score of an outsider."""
    t = next(t for t in np.unique(outsiders) if (outsiders > t).mean() <= rate)
    return (members > t).mean()


def by_unique_counts(members, outsiders, rate):
    scores, counts = np.unique(outsiders, return_counts=True)
    above = len(outsiders) - counts.cumsum()
    return np.mean(members > scores[above <= rate * len(outsiders)].min())


def of_unique(members, outsiders, rate, none=None):
    """From `np.unique(outsiders)`, and wrong: a threshold may also lie between two outsiders."""
    scores = np.unique(outsiders)
    allowed = np.array([(outsiders >= t).mean() <= rate for t in scores])
    if none is not None and not allowed.any():
        return none(members, scores)
    return (members >= min(scores[allowed])).mean()


def once_each(members, outsiders, rate):
    best, different = 0.0, set(outsiders.tolist())
    for t in np.union1d(members, outsiders):
        if sum(o >= t for o in different) <= rate * len(different):
            best = max(best, (members >= t).mean())
    return best


def by_place_of_unique(members, outsiders, rate):
    return np.mean(members > np.unique(outsiders)[::-1][int(rate * len(outsiders))])


def first_true(members, outsiders, rate):
    """`argmax` is 0 also where nothing is true."""
    levels = np.unique(np.concatenate([members, outsiders]))
    accused = (outsiders >= levels[:, None]).mean(axis=1)
    return (members >= levels[np.argmax(accused <= rate)]).mean()


def last_tried(members, outsiders, rate):
    for t in np.union1d(members, outsiders):
        if (outsiders >= t).mean() <= rate:
            break
    return (members >= t).mean()


def first_of(members, outsiders, rate):
    return (members >= next(t for t in np.union1d(members, outsiders) if (outsiders >= t).mean() <= rate)).mean()


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


def first_that_breaks(renyi, orders, δ, goal, runs):
    T = 1
    while epsilon(renyi, orders, δ, runs * T) <= goal:
        T += 1
    return T


def until_broken(renyi, orders, δ, goal, runs, start=1, keeps=lambda ε, goal: ε <= goal, log=np.log, ahead=0, back=1):
    """Looks `ahead` steps further than it counts, and gives the T that is `back` from where the loop stopped."""
    T = start
    while keeps((runs * (T + ahead) * renyi + log(1 / δ) / (orders - 1)).min(), goal):
        T += 1
    return T - back


def below(ε, goal):
    return ε < goal


def by_one_step(renyi, orders, δ, goal, runs):
    return int(goal // epsilon(renyi, orders, δ, runs))


def log_for_each_run(renyi, orders, δ, goal, runs):
    left = goal - runs * np.log(1 / δ) / (orders - 1)
    return max(0, int(np.floor((left / (runs * renyi)).max() + 1e-9)))


def with_64_orders(renyi, orders, δ, goal, runs):
    left = goal - np.log(1 / δ) / (np.arange(2, 65) - 1)
    return max(0, int((left / (runs * renyi)).max()))


RIGHT = {
    "15-1": [by_counting, just_above, from_above, enough(above_an_outsider), enough(by_unique_counts)],
    "15-2": [doubling, order_by_order, until_broken],
}

WRONG = {
    "15-1": [
        (lambda m, o, rate: ((m[:, None] > o) + 0.5 * (m[:, None] == o)).mean(), "area under the curve"),
        (lambda m, o, rate: from_above(o, m, rate), "sides swapped"),
        (lambda m, o, rate: from_above(m, o, rate, enough=False), "too few outsiders"),
        (lambda m, o, rate: math.nan if len(o) < 1 / rate else (m >= np.quantile(o, 1 - rate)).mean(), "interpolated"),
        (lambda m, o, rate: round(from_above(m, o, rate) * len(m)) if len(o) >= 1 / rate else np.nan, "a count"),
        (enough(lambda m, o, rate: (m >= np.quantile(o, 1 - rate, method="higher")).mean()), "quantile higher"),
        (lambda m, o, rate: (m >= np.quantile(o, 1 - rate, method="higher")).mean(), "quantile higher, too few"),
        (enough(lambda m, o, rate: (m > np.quantile(o, 1 - rate, method="higher")).mean()), "fewer than the rate"),
        (lambda m, o, rate: (m > np.quantile(o, 1 - rate, method="higher")).mean(), "the chapter's, too few"),
        (enough(highest_outsiders), "above for outsiders"),
        (enough(lambda m, o, rate: np.mean(m >= np.sort(o)[int((1 - rate) * len(o))])), "quantile higher"),
        (enough(lambda m, o, rate: highest_outsiders(m, o, rate, -1, strictly=True)), "one outsider too few"),
        (enough(a_step_too_far), "above for outsiders"),
        (enough(lambda m, o, rate: np.mean(m >= np.quantile(o, rate))), "wrong end"),
        (enough(lambda m, o, rate: np.mean(m >= np.percentile(o, 1 - rate))), "per cent for share"),
        (lambda m, o, rate: 100 * from_above(m, o, rate), "per cent"),
        (lambda m, o, rate: round(from_above(m, o, rate), 2), "rounded"),
        (lambda m, o, rate: 1 - from_above(m, o, rate), "those not found"),
        (lambda m, o, rate: 0, "always 0"),
        (enough(lambda m, o, rate: (m > o.max()).mean()), "a count of outsiders"),
        (lambda m, o, rate: from_above(m, o, rate) * len(m) / len(o), "share of outsiders"),
        (lambda m, o, rate: from_above(m, o, rate) * len(m) / (len(m) + len(o)), "share of everybody"),
        (lambda m, o, rate: from_above(-m, -o, rate), "low scores accused"),
        (enough(of_outsiders), "accused outsiders"),
        (lambda m, o, rate: None if len(o) < 1 / rate else from_above(m, o, rate), "None for too few"),
        (enough(lambda m, o, rate: smallest(m, o, rate, none=True)), "None for nobody"),
        (lambda m, o, rate: None if len(o) < 1 / rate else smallest(m, o, rate, none=True), "None for both"),
        (enough(smallest), "fails for nobody, min"),
        (lambda m, o, rate: np.nan if len(o) <= 1 / rate else from_above(m, o, rate), "exactly enough"),
        (lambda m, o, rate: np.nan if len(m) < 1 / rate else from_above(m, o, rate, enough=False), "too few members"),
        (enough(first_true), "everybody for nobody", "argmax"),
        (enough(last_tried), "the highest for nobody"),
        (enough(first_of), "fails for nobody, next"),
        (enough(lambda m, o, rate: of_unique(m, o, rate, lambda members, scores: 0)), "thresholds of outsiders"),
        (enough(of_unique), "thresholds of outsiders, none allowed fails"),
        (
            enough(lambda m, o, rate: of_unique(m, o, rate, lambda members, scores: (members >= scores[0]).mean())),
            "thresholds of outsiders, else the lowest",
        ),
        (
            enough(lambda m, o, rate: of_unique(m, o, rate, lambda members, scores: (members > scores[-1]).mean())),
            "thresholds of outsiders, else above all",
        ),
        (enough(once_each), "equal scores once"),
        (enough(by_place_of_unique), "equal scores once, by place"),
        (
            lambda m, o, rate: np.nan if len({*o.tolist()}) < 1 / rate else from_above(m, o, rate, enough=False),
            "different scores for outsiders",
        ),
        (first_true, "nan"),  # two mistakes at once: no hint, rather than that of a third
    ],
    "15-2": [
        (lambda renyi, orders, δ, goal, runs: doubling(renyi, orders, δ, goal, 1), "one run"),
        (lambda renyi, orders, δ, goal, runs: doubling(renyi, orders, δ, goal / runs, 1), "goal shared out"),
        (log_for_each_run, "goal shared out", "is paid once"),
        (lambda renyi, orders, δ, goal, runs: doubling(renyi[:1], orders[:1], δ, goal, runs), "first order alone"),
        (lambda renyi, orders, δ, goal, runs: doubling(renyi, orders, δ / runs, goal, runs), "δ shared out"),
        (lambda renyi, orders, δ, goal, runs: doubling(renyi, orders, δ, goal, runs) or None, "None for none"),
        (lambda renyi, orders, δ, goal, runs: doubling(renyi, orders, δ, goal, 1) * runs, "multiplied by runs"),
        (lambda renyi, orders, δ, goal, runs: doubling(renyi, orders, 1 / δ, goal, runs), "logarithm of δ"),
        (lambda renyi, orders, δ, goal, runs: doubling(renyi, orders, 1e-5, goal, runs), "the chapter's δ"),
        (lambda renyi, orders, δ, goal, runs: doubling(renyi(8), orders, δ, goal, runs), "renyi called"),
        (first_that_breaks, "one step more"),
        (lambda *given: until_broken(*given, start=0, back=0), "the first that breaks"),
        (lambda *given: until_broken(*given, start=0), "the one before the first"),
        (lambda *given: max(0, until_broken(*given, back=2)), "one step too few"),
        (lambda *given: until_broken(*given, ahead=1, back=0), "never none"),
        (lambda *given: until_broken(*given, keeps=below), "below the goal", "`<=`"),
        (lambda *given: until_broken(*given, ahead=1, back=0, keeps=below), "never none, below the goal"),
        (lambda *given: max(0, until_broken(*given, log=np.log2)), "logarithm to 2"),
        (lambda *given: max(0, until_broken(*given, log=np.log10)), "logarithm to 10"),
        (by_one_step, "in proportion"),
        (with_64_orders, "the chapter's orders"),
        (
            lambda renyi, orders, δ, goal, runs: doubling(renyi, np.arange(2, 65), δ, goal, runs),
            "the chapter's orders, in a sum",
        ),
        (
            lambda renyi, orders, δ, goal, runs: doubling(renyi, 2 + np.arange(len(renyi)), δ, goal, runs),
            "orders in a row",
        ),
        (lambda renyi, orders, δ, goal, runs: doubling(renyi, orders, δ * runs, goal, runs), "δ times runs"),
        (lambda renyi, orders, δ, goal, runs: doubling(renyi, orders, δ, goal, runs**2), "runs squared"),
    ],
}
