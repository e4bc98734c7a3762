"""The exercise of chapter 14 on vision: from which score on a box is shown."""

import numpy as np

from course_utils.exercises.judges import Mistake, function
from course_utils.exercises.verdicts import Exercise


def cheapest(score, hit, n, alarm, miss):
    """The threshold of the smallest cost, the largest of several, and that cost."""
    return _cheapest(score, hit, n, alarm, miss)


def _cheapest(score, hit, n, alarm, miss, *, shown=np.greater_equal, first=(np.inf,), largest=True, cost=None):
    """`cheapest`; the options are mistakes."""
    score, hit = np.asarray(score, float), np.asarray(hit, bool)

    def plain(false, right):
        return alarm * false + miss * (n - right)

    candidates = sorted({*first, *score.tolist()}, reverse=largest)
    costs = []
    for t in candidates:
        on = shown(score, t)
        costs.append(float((cost or plain)((on & ~hit).sum(), (on & hit).sum())))
    best = int(np.argmin(costs))
    return float(candidates[best]), costs[best]


def _mistakes() -> list[Mistake]:
    def with_option(**option):
        return lambda *given: _cheapest(*given, **option)

    def with_cost(cost):
        """``cost`` of false boxes, hits, and what is given: score, hit, n, alarm, miss."""
        return lambda *given: _cheapest(*given, cost=lambda false, right: cost(false, right, *given))

    def swapped(score, hit, n, alarm, miss):
        return _cheapest(score, hit, n, miss, alarm)

    def threshold_alone(*given):
        return _cheapest(*given)[0]

    def cost_alone(*given):
        return _cheapest(*given)[1]

    def turned(*given):
        return _cheapest(*given)[::-1]

    def one_by_one(score, hit, n, alarm, miss):
        """Equal scores cut through: the boxes are let in one at a time."""
        score, hit = np.asarray(score, float), np.asarray(hit, bool)
        order = np.argsort(-score, kind="stable")
        right = np.concatenate([[0], hit[order].cumsum()])
        false = np.concatenate([[0], (~hit[order]).cumsum()])
        costs = alarm * false + miss * (n - right)
        best = int(np.argmin(costs))
        return float([np.inf, *score[order]][best]), float(costs[best])

    return [
        Mistake(
            "costs swapped",
            swapped,
            "The two costs are swapped: `alarm` is for a box that is shown and no hit, `miss` for a true box without "
            "one.",
        ),
        Mistake(
            "missed among the found",
            with_cost(lambda false, right, s, h, n, alarm, miss: alarm * false + miss * (np.sum(h) - right)),
            "You count as missed those hits that lie below the threshold. True boxes that got no box at all are "
            "missed, too: `n` less the hits that are shown.",
        ),
        Mistake(
            "above the threshold",
            with_option(shown=np.greater),
            "A box with exactly the threshold's score is shown, too: `score >= t`.",
        ),
        Mistake(
            "always shows something",
            with_option(first=()),
            "To show nothing may be the cheapest: `np.inf` is a candidate, and costs `miss * n`.",
        ),
        Mistake(
            "the smallest threshold",
            with_option(largest=False),
            "Several thresholds cost the same. Take the *largest* of them, which shows the fewest boxes.",
        ),
        Mistake(
            "ties cut through",
            one_by_one,
            "Boxes with equal scores are shown together or not at all: count `score >= t`, not one box after the "
            "other.",
        ),
        Mistake(
            "false boxes alone",
            with_cost(lambda false, right, s, h, n, alarm, miss: alarm * false),
            "You count the false boxes only. What is not shown costs, too: `miss` for each true box without a hit.",
        ),
        Mistake(
            "misses alone",
            with_cost(lambda false, right, s, h, n, alarm, miss: miss * (n - right)),
            "You count the misses only, and so everything is shown. A false box costs `alarm`.",
        ),
        Mistake(
            "every box an alarm",
            with_cost(lambda false, right, s, h, n, alarm, miss: alarm * (false + right) + miss * (n - right)),
            "You let each shown box cost `alarm`, hits as well. Only boxes that are no hit do.",
        ),
        Mistake(
            "both cost the same",
            with_cost(lambda false, right, s, h, n, alarm, miss: false + n - right),
            "You count errors, each as one. Their costs differ: use `alarm` and `miss`.",
        ),
        Mistake(
            "cost of one box",
            with_cost(lambda false, right, s, h, n, alarm, miss: (alarm * false + miss * (n - right)) / n),
            "That is the cost for each true box. The whole cost is asked for: do not divide by `n`.",
        ),
        Mistake("the threshold alone", threshold_alone, "Return two numbers: the threshold and its cost."),
        Mistake("the cost alone", cost_alone, "Return two numbers: the threshold and its cost."),
        Mistake("turned round", turned, "First the threshold, then the cost."),
    ]


def _case(seed, boxes, n, alarm, miss, steps=50):
    rng = np.random.default_rng(seed)
    hit = rng.random(boxes) < 0.6
    score = np.round((rng.random(boxes) + hit * rng.random(boxes)) / 2 * steps) / steps
    return score, hit, max(n, int(hit.sum()) + 2), alarm, miss


_CASES = [
    _case(1, 40, 30, 1.0, 4.0),
    _case(2, 40, 36, 3.0, 1.0),
    _case(3, 60, 45, 2.0, 2.5, 12),  # many ties
    _case(4, 25, 20, 5.0, 1.0, 8),
    _case(5, 80, 60, 1.0, 1.0, 1000),
    (np.array([0.9, 0.8, 0.7]), np.array([False, True, False]), 4, 9.0, 1.0),  # nothing is cheapest
    (np.array([0.9, 0.6, 0.4]), np.array([True, False, True]), 3, 2.0, 2.0),  # 0.9 and 0.4 cost the same
    (np.array([0.7, 0.7, 0.7, 0.2]), np.array([True, True, False, True]), 5, 3.0, 2.0),  # a tie with a false box
    (np.array([0.3, 0.9, 0.5]), np.array([True, True, True]), 3, 2.0, 1.0),  # all are hits
]

EXERCISES = (
    Exercise(
        "14-3",
        "From which score on?",
        "decide",
        8,
        "Write `cheapest(score, hit, n, alarm, miss)`: the threshold with the smallest cost, and that cost. A shown "
        "box (`score >= t`) that is no hit costs `alarm`, each of the `n` true boxes without a hit `miss`. Candidates "
        "are the scores and `np.inf`; of equal costs take the largest threshold. Put your code where the three dots "
        "stand.",
        function(cheapest, _CASES, mistakes=_mistakes(), tolerance=1e-9),
    ),
)
