"""Right and wrong answers to the exercises of chapter 12, each written without the reference."""

import math
import re

import numpy as np

from course_utils import evaluate


def by_prefixes(said, tokens, answers):
    beginnings = {answer[:k] for answer in answers for k in range(len(answer) + 1)}
    return np.array([said in answers if token == "" else said + token in beginnings for token in tokens])


def in_a_loop(said, tokens, answers):
    allowed = []
    for token in tokens:
        if not token:
            allowed.append(any(answer == said for answer in answers))
        else:
            text = said + token
            allowed.append(any(answer[: len(text)] == text for answer in answers))
    return allowed


def by_what_is_left(said, tokens, answers):
    left = [answer[len(said) :] for answer in answers if answer.startswith(said)]
    return [("" in left) if token == "" else any(rest.startswith(token) for rest in left) for token in tokens]


def fitting(said, tokens, answers, fits, end=None):
    end = end or (lambda said: said in answers)
    return [end(said) if token == "" else any(fits(answer, said, token) for answer in answers) for token in tokens]


def upper(k, n, z=1.959963984540054):
    p = k / n
    return (p + z * z / (2 * n) + z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)


def one_by_one(wrong, n, invalid, fixed, each, v, repair, share=upper, most=0):
    best, least = -1, math.inf
    for k in range(len(n)):
        bill = fixed[k] + v * (each[k] + repair * share(wrong[k], n[k]))
        if invalid[k] <= most and bill < least:
            best, least = k, bill
    return best


def with_infinity(wrong, n, invalid, fixed, each, v, repair):
    share = np.array([upper(k, m) for k, m in zip(wrong, n, strict=True)])
    bill = np.where(invalid > 0, np.inf, fixed + v * each + v * repair * share)
    return bill.argmin() if np.isfinite(bill).any() else -1


def by_sorting(wrong, n, invalid, fixed, each, v, repair):
    rows = [(fixed[k] + v * each[k] + v * repair * upper(wrong[k], n[k]), k) for k in range(len(n)) if not invalid[k]]
    return sorted(rows)[0][1] if rows else -1


def bills(wrong, n, invalid, fixed, each, v, repair):
    return fixed + v * (each + repair * np.array([upper(k, m) for k, m in zip(wrong, n, strict=True)]))


RIGHT = {
    "12-1": [by_prefixes, in_a_loop, by_what_is_left],
    "12-2": [one_by_one, with_infinity, by_sorting],
}

WRONG = {
    "12-1": [
        (
            lambda said, tokens, answers: [any(a.startswith(said + t) for a in answers) for t in tokens],
            "end as any token",
        ),
        (lambda *given: fitting(*given, lambda a, s, t: a.startswith(s + t), lambda said: False), "no end"),
        (lambda *given: fitting(*given, lambda a, s, t: a.startswith(s + t), lambda said: True), "end at any time"),
        (
            lambda *given: fitting(*given, lambda a, s, t: a.startswith(s) and t in a[len(s) :]),
            "somewhere in the rest",
        ),
        (lambda *given: fitting(*given, lambda a, s, t: s + t in a), "somewhere in an answer"),
        (lambda *given: fitting(*given, lambda a, s, t: a.startswith(t)), "what was said is left out"),
        (lambda *given: fitting(*given, lambda a, s, t: s + t == a), "only the last token"),
        (lambda *given: np.flatnonzero(by_prefixes(*given)), "numbers"),
        (lambda *given: fitting(*given, lambda a, s, t: (s + t).startswith(a)), "the other way round"),
        (lambda *given: fitting(*given, lambda a, s, t: a.lower().startswith((s + t).lower())), "case left aside"),
        (lambda *given: fitting(*given, lambda a, s, t: a.startswith((s + t).strip())), "space left aside"),
        (lambda *given: fitting(*given, lambda a, s, t: re.match(s + t, a) is not None), "value"),
        (
            lambda said, tokens, answers: [
                may and (t == "" or said not in answers)
                for t, may in zip(tokens, by_prefixes(said, tokens, answers), strict=True)
            ],
            "no more once whole",
        ),
        (lambda *given: [0 if may else -math.inf for may in by_prefixes(*given)], "minus infinity"),
        (lambda *given: any(by_prefixes(*given)), "one for all"),
    ],
    "12-2": [
        (lambda *given: one_by_one(*given, share=lambda k, n: k / n), "the estimate"),
        (lambda *given: one_by_one(*given, share=lambda k, n: upper(k, n, z=1.6448536)), "90 %"),
        (lambda *given: one_by_one(*given, share=lambda k, n: upper(k, n, z=2.5758293)), "99 %"),
        (
            lambda *given: one_by_one(*given, share=lambda k, n: k / n + 1.96 * math.sqrt(k / n * (1 - k / n) / n)),
            "plain interval",
        ),
        (lambda *given: one_by_one(*given, most=10**6), "invalid records"),
        (lambda wrong, n, invalid, fixed, *rest: one_by_one(wrong, n, invalid, 0 * fixed, *rest), "fixed left out"),
        (
            lambda wrong, n, invalid, fixed, each, v, repair: one_by_one(wrong, n, invalid, fixed, 0 * each, v, repair),
            "running left out",
        ),
        (
            lambda wrong, n, invalid, fixed, each, v, repair: one_by_one(wrong, n, invalid, fixed, each, v, 0),
            "repairs left out",
        ),
        (
            lambda wrong, n, invalid, fixed, each, v, repair: one_by_one(wrong, n, invalid, fixed, each, v, repair / v),
            "one repair",
        ),
        (lambda *given: max(one_by_one(*given), 0), "0 for none"),
        (bills, "bills"),
        (lambda *given: float(one_by_one(*given)), "dtype"),
        (lambda wrong, n, *rest: evaluate.share(wrong, n).high, "all routes at once"),
        (lambda *given: one_by_one(*given, share=lambda k, n: evaluate.share(int(k), int(n)).low), "lower end"),
        (lambda *given: one_by_one(*given, share=lambda k, n: upper(k, n, z=1.2815516)), "90 %"),
        (lambda *given: one_by_one(*given, share=lambda k, n: (k + 1) / (n + 2)), "one added"),
        (lambda *given: one_by_one(*given, share=lambda k, n: (k + 2) / (n + 4)), "two added"),
        (lambda *given: one_by_one(*given, share=lambda k, n: upper(n - k, n)), "share of right ones"),
        (
            lambda wrong, n, invalid, *rest: one_by_one(wrong, n, np.where(n <= 6, 1, invalid), *rest),
            "few records left out",
        ),
        (
            lambda wrong, n, invalid, *rest: one_by_one(wrong, n, invalid + invalid.max(), *rest),
            "any invalid record",
        ),
        (
            lambda wrong, n, invalid, fixed, each, v, repair: one_by_one(wrong, n, invalid, v * fixed, each, v, repair),
            "fixed for each record",
        ),
        (
            lambda *given: (
                int(np.where(given[2] > 0, -math.inf, bills(*given)).argmax()) if (given[2] == 0).any() else -1
            ),
            "dearest",
        ),
        (lambda *given: one_by_one(*given) + (one_by_one(*given) >= 0), "from one"),
        (lambda *given: [one_by_one(*given)], "in a list"),
    ],
}
