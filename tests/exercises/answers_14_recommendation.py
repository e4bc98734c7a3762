"""Right and wrong answers to exercise 14-1, each written without the reference."""

import math
import statistics

import numpy as np
from scipy import stats


def by_interval(published, runs):
    n = len(runs)
    low, high = stats.t.interval(0.95, n - 1, np.mean(runs), np.std(runs, ddof=1) * math.sqrt(1 + 1 / n))
    return "open" if low <= published <= high else ("ours" if published < low else "theirs")


def by_p_value(published, runs):
    n, centre = len(runs), statistics.fmean(runs)
    t = (published - centre) / (statistics.stdev(runs) * ((n + 1) / n) ** 0.5)
    if 2 * stats.t.sf(abs(t), n - 1) >= 0.05:
        return "open"
    return "theirs" if t > 0 else "ours"


def scaled(times):
    """The half width times a function of n."""

    def verdict(published, runs):
        n = len(runs)
        far = stats.t.ppf(0.975, n - 1) * statistics.stdev(runs) * times(n)
        return ["theirs", "open", "ours"][1 + (published < np.mean(runs) - far) - (published > np.mean(runs) + far)]

    return verdict


def rounded(published, runs):
    n = len(runs)
    far = 1.96 * statistics.stdev(runs) * math.sqrt(1 + 1 / n)
    distance = published - statistics.mean(runs)
    return "open" if abs(distance) <= far else "theirs" if distance > 0 else "ours"


RIGHT = {"14-1": [by_interval, by_p_value, scaled(lambda n: math.sqrt(1 + 1 / n))]}

WRONG = {
    "14-1": [
        (scaled(lambda n: 1 / math.sqrt(n)), "interval of the mean"),
        (scaled(lambda n: 1), "the spread alone"),
        (scaled(lambda n: math.sqrt(1 + 1 / n) * math.sqrt((n - 1) / n)), "divided by n"),
        (rounded, "1.96"),
        (lambda published, runs: "theirs" if published > sum(runs) / len(runs) else "ours", "never open"),
        (lambda *given: {"ours": "theirs", "theirs": "ours"}.get(by_p_value(*given), "open"), "the other way round"),
        (lambda *given: by_p_value(*given) == "ours", "true or false"),
    ]
}
