"""Right and wrong answers to the exercises of chapter 13, each written without the reference."""

import math

import numpy as np


def low(good, n, z=1.96):
    """Wilson's lower end, the root of (p − good/n)² = z² p (1 − p)/n that is the smaller one."""
    share = good / n
    a, b, c = 1 + z * z / n, -(2 * share + z * z / n), share * share
    return (-b - math.sqrt(max(b * b - 4 * a * c, 0))) / (2 * a)


def in_steps(tool, arguments, grants, tools):
    if tool not in tools or set(arguments) != tools[tool]:
        return "refuse"
    for value in arguments.values():
        if not isinstance(value, str):
            return "refuse"
    return "do" if (tool, arguments) in grants else "ask"


def by_pairs(tool, arguments, grants, tools):
    if sorted(arguments) != sorted(tools.get(tool, ["?"])) or {type(v) for v in arguments.values()} - {str}:
        return "refuse"
    granted = {(name, frozenset(values.items())) for name, values in grants}
    return "do" if (tool, frozenset(arguments.items())) in granted else "ask"


def by_match(tool, arguments, grants, tools):
    match tool in tools, [call for call in grants if call == (tool, arguments)]:
        case True, [_, *_]:
            return "do" if arguments.keys() == tools[tool] else "refuse"
        case True, []:
            whole = arguments.keys() == tools[tool] and all(type(value) is str for value in arguments.values())
            return "ask" if whole else "refuse"
    return "refuse"


def loose(fits):
    """Values compared one by one, by another rule than equality."""

    def happens(tool, arguments, grants, tools):
        found = in_steps(tool, arguments, [], tools)
        alike = any(
            tool == name and all(fits(value, values[key]) for key, value in arguments.items())
            for name, values in grants
            if found == "ask"
        )
        return "do" if alike else found

    return happens


def each_alone(tool, arguments, grants, tools):
    found, known = in_steps(tool, arguments, [], tools), {}
    for name, values in grants:
        for key, value in values.items():
            known.setdefault((name, key), set()).add(value)
    trusted = found == "ask" and all(value in known.get((tool, key), ()) for key, value in arguments.items())
    return "do" if trusted else found


def untyped(tool, arguments, grants, tools):
    if tool not in tools or set(arguments) != tools[tool]:
        return "refuse"
    return "do" if (tool, arguments) in grants else "ask"


def incomplete(tool, arguments, grants, tools):
    if (
        tool not in tools
        or not set(arguments) <= tools[tool]
        or not all(isinstance(v, str) for v in arguments.values())
    ):
        return "refuse"
    known = any(tool == name and arguments.items() <= values.items() for name, values in grants)
    return "do" if known else "ask"


def fits(part, t, goal, end=low):
    sure, hit = part
    n = (sure >= t).sum()
    return n > 0 and end(hit[sure >= t].sum(), n) >= goal


def upwards(first, later, goal):
    for t in np.sort(first[0]):
        if fits(first, t, goal):
            return t if fits(later, t, goal) else np.inf
    return np.inf


def by_candidates(first, later, goal):
    good = [t for t in sorted(set(first[0].tolist())) if fits(first, t, goal)]
    return good[0] if good and fits(later, good[0], goal) else float("inf")


def counted(first, later, goal, end=low):
    sure, hit = first
    levels = np.unique(sure)
    right = np.array([hit[sure == t].sum() for t in levels])[::-1].cumsum()
    total = np.array([(sure == t).sum() for t in levels])[::-1].cumsum()
    fit = [t for t, g, n in zip(levels[::-1], right, total, strict=True) if end(g, n) >= goal]
    t = min(fit, default=math.inf)
    return t if fits(later, t, goal, end) else math.inf


def many_looks(first, later, goal):
    return min((t for t in set(first[0].tolist()) if fits(first, t, goal) and fits(later, t, goal)), default=math.inf)


def of_hits(first, later, goal):
    sure, hit = first
    t = min((t for t in sure[hit] if fits(first, t, goal)), default=math.inf)
    return t if fits(later, t, goal) else math.inf


RIGHT = {
    "13-1": [in_steps, by_pairs, by_match],
    "13-2": [upwards, by_candidates, counted],
}

WRONG = {
    "13-1": [
        (each_alone, "each value alone"),
        (incomplete, "missing arguments done"),
        (untyped, "types"),
        (loose(lambda value, granted: value in granted), "part of a value"),
        (loose(lambda value, granted: granted in value), "a value in it"),
        (loose(lambda value, granted: value.lower() == granted.lower()), "capitals"),
        (loose(lambda value, granted: value.split("@")[0] == granted.split("@")[0]), "before the @"),
        (loose(lambda value, granted: value.strip() == granted.strip()), "spaces"),
        (loose(lambda value, granted: True), "the tool alone"),
        (lambda tool, arguments, grants, tools: in_steps(tool, arguments, grants[:1], tools), "first grant alone"),
        (lambda *given: in_steps(*given).replace("ask", "refuse"), "never asks"),
        (lambda *given: in_steps(*given).replace("refuse", "ask"), "always asks"),
        (lambda *given: "do", "always does"),
        (lambda *given: in_steps(*given) == "do", "true or false"),
    ],
    "13-2": [
        (lambda first, later, goal: counted(first, first, goal), "not shown"),
        (many_looks, "looks again"),
        (lambda first, later, goal: counted(later, first, goal), "parts swapped"),
        (of_hits, "thresholds of hits alone"),
        (lambda first, later, goal: counted(first, later, goal - 0.01), "less than the goal"),
        (lambda first, later, goal: counted(first, later, 0.95), "goal fixed"),
        (lambda *given: counted(*given, end=lambda good, n: good / n), "the share itself"),
        (lambda *given: counted(*given, end=lambda good, n: low(good, n, 1.645)), "90 %"),
        (
            lambda *given: counted(
                *given, end=lambda good, n: good / n - 1.96 * math.sqrt(good / n * (1 - good / n) / n)
            ),
            "plain interval",
        ),
        (lambda *given: 0.0 if upwards(*given) == math.inf else upwards(*given), "0 for none"),
        (lambda *given: None if upwards(*given) == math.inf else upwards(*given), "None for none"),
        (lambda first, later, goal: (later[0] >= upwards(first, later, goal)).mean(), "share answered"),
        (
            lambda first, later, goal: upwards((np.sort(first[0]), first[1]), (np.sort(later[0]), later[1]), goal),
            "sorted before use",
        ),
    ],
}
