"""Right and wrong answers to chapter 14's exercise on language, each written without the reference."""

import math


def counted(simple, network, listed):
    """From the numbers of words that one alone said right."""
    alone = other = 0
    for a, b, ways in zip(simple, network, listed, strict=True):
        alone += b in ways and a not in ways
        other += a in ways and b not in ways
    n = len(listed)
    variance = (alone + other) / n - ((alone - other) / n) ** 2
    return "network" if (alone - other) / n > 1.96 * math.sqrt(variance / n) else "simple"


def with_sets(simple, network, listed):
    d = []
    for k, ways in enumerate(listed):
        right = {tuple(way) for way in ways}
        d.append((tuple(network[k]) in right) - (tuple(simple[k]) in right))
    mean = sum(d) / len(d)
    s = math.sqrt(sum((one - mean) ** 2 for one in d) / (len(d) - 1))
    return ["simple", "network"][mean - 1.96 * s / len(d) ** 0.5 > 0]


def ahead(simple, network, listed):
    score = [sum(said in ways for said, ways in zip(of, listed, strict=True)) for of in (simple, network)]
    return "network" if score[1] > score[0] else "simple"


def first_alone(simple, network, listed):
    return counted(simple, network, [ways[:1] for ways in listed])


def not_worse(simple, network, listed):
    return "simple" if counted(network, simple, listed) == "network" else "network"


def two_intervals(simple, network, listed):
    n, ends = len(listed), []
    for of, sign in ((simple, 1), (network, -1)):
        p = sum(said in ways for said, ways in zip(of, listed, strict=True)) / n
        ends.append(p + sign * 1.96 * math.sqrt(p * (1 - p) / n))
    return "network" if ends[1] > ends[0] else "simple"


RIGHT = {"14-2": [counted, with_sets]}
WRONG = {
    "14-2": [
        (ahead, "point"),
        (first_alone, "first pronunciation alone"),
        (not_worse, "shown to be worse"),
        (two_intervals, "two intervals apart"),
        (lambda a, b, listed: counted(b, a, listed), "swapped"),
    ]
}
