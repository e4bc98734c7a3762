"""Right and wrong answers to the exercises of chapter 13, each written without the reference."""

import math

import numpy as np


def low(good, n, z=1.96):
    """Wilson's lower end, the root of (p − good/n)² = z² p (1 − p)/n that is the smaller one."""
    share = good / n
    a, b, c = 1 + z * z / n, -(2 * share + z * z / n), share * share
    return (-b - math.sqrt(max(b * b - 4 * a * c, 0))) / (2 * a)


def in_steps(tool, arguments, may, trusted):
    if tool not in may:
        return "refuse"
    for name, value in arguments.items():
        if name not in trusted or value not in trusted[name]:
            return "ask"
    return "do"


def by_pairs(tool, arguments, may, trusted):
    known = {(name, value) for name, found in trusted.items() for value in found}
    strange = set(arguments.items()) - known
    return ("ask" if strange else "do") if tool in may else "refuse"


def by_table(tool, arguments, may, trusted):
    safe = sum(value in trusted.get(name, set()) for name, value in arguments.items()) == len(arguments)
    return {(True, True): "do", (True, False): "ask"}.get((tool in may, safe), "refuse")


def upwards(sure, hit, goal):
    for t in np.sort(sure):
        chosen = hit[sure >= t]
        if low(chosen.sum(), chosen.size) >= goal:
            return t
    return np.inf


def by_candidates(sure, hit, goal):
    good = [t for t in sorted(set(sure.tolist())) if low(sum(hit[sure >= t]), sum(sure >= t)) >= goal]
    return good[0] if good else float("inf")


def counted(sure, hit, goal, end=low):
    levels = np.unique(sure)
    right = np.array([hit[sure == t].sum() for t in levels])[::-1].cumsum()
    total = np.array([(sure == t).sum() for t in levels])[::-1].cumsum()
    fit = [t for t, g, n in zip(levels[::-1], right, total, strict=True) if end(g, n) >= goal]
    return min(fit, default=math.inf)


RIGHT = {
    "13-1": [in_steps, by_pairs, by_table],
    "13-2": [upwards, by_candidates, counted],
}

WRONG = {
    "13-1": [
        (lambda tool, arguments, may, trusted: in_steps(tool, arguments, {tool}, trusted), "every tool granted"),
        (
            lambda tool, arguments, may, trusted: (
                "refuse"
                if tool not in may
                else "do"
                if set(arguments.values()) <= {value for found in trusted.values() for value in found}
                else "ask"
            ),
            "names forgotten",
        ),
        (lambda tool, arguments, may, trusted: "do" if tool in may else "refuse", "the grant alone"),
        (lambda *given: in_steps(*given).replace("ask", "refuse"), "never asks"),
        (lambda *given: in_steps(*given).replace("refuse", "ask"), "always asks"),
        (
            lambda tool, arguments, may, trusted: (
                "ask"
                if in_steps(tool, arguments, {tool}, trusted) == "ask"
                else in_steps(tool, arguments, may, trusted)
            ),
            "values before the grant",
        ),
        (
            lambda tool, arguments, may, trusted: (
                "refuse" if tool not in may else "do" if all(v in trusted[k] for k, v in arguments.items()) else "ask"
            ),
            "unknown name",
        ),
        (lambda *given: in_steps(*given) == "do", "true or false"),
    ],
    "13-2": [
        (lambda *given: counted(*given, end=lambda good, n: good / n), "the share itself"),
        (lambda *given: counted(*given, end=lambda good, n: low(good, n, 1.645)), "90 %"),
        (
            lambda *given: counted(
                *given, end=lambda good, n: good / n - 1.96 * math.sqrt(good / n * (1 - good / n) / n)
            ),
            "plain interval",
        ),
        (
            lambda sure, hit, goal: max(
                (t for t in set(sure.tolist()) if low(hit[sure >= t].sum(), (sure >= t).sum()) >= goal),
                default=math.inf,
            ),
            "the largest",
        ),
        (lambda *given: 0.0 if upwards(*given) == math.inf else upwards(*given), "0 for none"),
        (lambda *given: None if upwards(*given) == math.inf else upwards(*given), "None for none"),
        (lambda sure, hit, goal: (sure >= upwards(sure, hit, goal)).mean(), "share answered"),
    ],
}
