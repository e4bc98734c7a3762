"""Exercise 14-4, of the field finance in chapter 14: a threshold by what errors and calls cost."""

import math

import numpy as np

from course_utils.exercises.judges import Mistake, function
from course_utils.exercises.verdicts import Exercise


def threshold_by_cost(scores, labels, amounts, call):
    """The score from which on calling costs least; of equal ones the highest; inf where no call pays."""
    return _threshold(scores, labels, amounts, call)


def _cost(called, fraud, amounts, call):
    return call * called.sum() + amounts[fraud & ~called].sum()


def _threshold(scores, labels, amounts, call, *, cost=_cost, above=np.greater_equal, levels=None, **how):
    """`threshold_by_cost`; the options are mistakes."""
    scores, amounts = np.asarray(scores, float), np.asarray(amounts, float)
    fraud = np.asarray(labels).astype(bool)
    candidates = np.unique(scores)[::-1] if levels is None else levels
    if how.get("rising"):
        candidates = candidates[::-1]
    if not how.get("forced"):
        candidates = [math.inf, *candidates] if not how.get("rising") else [*candidates, math.inf]
    costs = [round(float(cost(above(scores, t), fraud, amounts, call)), 9) for t in candidates]
    least = int(np.argmin(costs))  # the first of equal ones
    if how.get("give") == "cost":
        return costs[least]
    t = float(candidates[least])
    if how.get("give") == "calls":
        return int((scores >= t).sum())
    return how.get("none", math.inf) if t == math.inf else t


def _mistakes() -> list[Mistake]:
    def with_option(**option):
        return lambda *given: _threshold(*given, **option)

    def counts(called, fraud, amounts, call):
        return call * called.sum() + (fraud & ~called).sum()

    def mean_amount(called, fraud, amounts, call):
        mean = amounts[fraud].mean() if fraud.any() else 0.0
        return call * called.sum() + mean * (fraud & ~called).sum()

    def accuracy(called, fraud, amounts, call):
        return (called != fraud).sum()

    def f1(called, fraud, amounts, call):
        both = called.sum() + fraud.sum()
        return -2 * (called & fraud).sum() / both if both else 0.0

    def false_alarms(called, fraud, amounts, call):
        return call * (called & ~fraud).sum() + amounts[fraud & ~called].sum()

    def all_amounts(called, fraud, amounts, call):
        return call * called.sum() + amounts[~called].sum()

    def no_calls(called, fraud, amounts, call):
        return amounts[fraud & ~called].sum()

    def dearest(called, fraud, amounts, call):
        return -_cost(called, fraud, amounts, call)

    def row_by_row(scores, labels, amounts, call):
        """The running cost from the top, stopped within equal scores, too."""
        order = np.argsort(-np.asarray(scores, float), kind="stable")
        fraud, money = np.asarray(labels).astype(bool)[order], np.asarray(amounts, float)[order]
        gain = np.concatenate([[0.0], np.cumsum(money * fraud - call)])
        best = int(np.argmax(np.round(gain, 9)))
        return float(np.asarray(scores, float)[order][best - 1]) if best else math.inf

    def sorted_apart(scores, labels, amounts, call):
        return _threshold(np.sort(scores), labels, amounts, call)

    def first_loss(scores, labels, amounts, call):
        """Down from the top, until the next level costs more."""
        found, least = math.inf, None
        for t in [math.inf, *np.unique(scores)[::-1]]:
            now = round(float(_cost(scores >= t, labels.astype(bool), amounts, call)), 9)
            if least is not None and now >= least:
                break
            found, least = float(t), now
        return found

    grid = np.linspace(0, 1, 101)[::-1]
    return [
        Mistake(
            "amounts left out",
            with_option(cost=counts),
            "A missed fraud costs its *amount*, not 1. Add up `amounts` over the frauds that nobody rings about.",
        ),
        Mistake(
            "mean amount",
            with_option(cost=mean_amount),
            "You give each fraud the mean amount. A model that misses the large ones then looks as good as one that "
            "misses the small ones: add up the amounts themselves.",
        ),
        Mistake(
            "accuracy",
            with_option(cost=accuracy),
            "That is the threshold of the best accuracy, for which a wrong call and a missed fraud weigh the same. "
            "Make the cost smallest.",
        ),
        Mistake(
            "F1",
            with_option(cost=f1),
            "That is the threshold of the best F1, which knows neither amounts nor the price of a call.",
        ),
        Mistake(
            "false alarms alone",
            with_option(cost=false_alarms),
            "You pay for false alarms alone. Ringing about a true fraud takes the time, too: each call costs.",
        ),
        Mistake(
            "calls for nothing",
            with_option(cost=no_calls),
            "You count the missed frauds alone, so more calls never hurt. Add the price of each call.",
        ),
        Mistake(
            "amounts of all",
            with_option(cost=all_amounts),
            "You count the amount of each payment that is not rung about. An honest payment loses nothing: only the "
            "frauds among them count.",
        ),
        Mistake("dearest", with_option(cost=dearest), "That is the threshold that costs *most*: look for the minimum."),
        Mistake(
            "always somebody",
            with_option(forced=True),
            "Where each threshold costs more than ringing nobody, ring nobody: that is `np.inf`, and a candidate too.",
        ),
        Mistake("0 for none", with_option(none=0.0), "0 rings everybody. Where no call pays, return `np.inf`."),
        Mistake("None for none", with_option(none=None), "Where no call pays, return `np.inf`: no score reaches it."),
        Mistake(
            "fewer calls forgotten",
            with_option(rising=True),
            "Two thresholds cost the same here, and you return the lower one. Take the higher: the same money with "
            "fewer calls.",
        ),
        Mistake(
            "strictly above",
            with_option(above=np.greater),
            "A payment *at* the threshold is rung about, too: `>=`, not `>`.",
        ),
        Mistake(
            "inside equal scores",
            row_by_row,
            "You stop in the midst of equal scores. Payments of one score are all rung about or none of them is: "
            "compute the cost for each different score.",
        ),
        Mistake(
            "first loss",
            first_loss,
            "You stop at the first level that does not save. A later one may: a large fraud may stand further down.",
        ),
        Mistake(
            "grid",
            with_option(levels=grid),
            "Your candidates are even steps. The best threshold is one of the scores, and they need not lie on a grid "
            "or below 1.",
        ),
        Mistake(
            "sorted apart",
            sorted_apart,
            "You sort the scores and leave labels and amounts where they were. Sort all three by one order.",
        ),
        Mistake("the cost", with_option(give="cost"), "That is the cost. Return the threshold that has it."),
        Mistake("number of calls", with_option(give="calls"), "That is how many calls it takes. Return the threshold."),
    ]


def _drawn(dice: np.random.Generator, n: int, call: float, digits: int) -> tuple:
    labels = dice.random(n) < 0.3
    scores = np.round(0.5 * dice.random(n) + 0.45 * labels * dice.random(n), digits)
    return scores, labels, np.round(dice.gamma(1, 40, n), 2), call


def _cases() -> list[tuple]:
    dice = np.random.default_rng(4)
    a, yes = np.array, [True, False, True, False, False, True]
    by_hand = [
        (a([0.9, 0.8, 0.7, 0.4, 0.3, 0.2]), a(yes), a([20.0, 90.0, 60.0, 5.0, 300.0, 14.0]), 5.0),
        (a([0.2, 0.9, 0.6, 0.6, 0.6, 0.6]), a(yes), a([500.0, 8.0, 11.0, 8.0, 30.0, 12.0]), 5.0),  # equal scores
        (a([0.6, 0.2, 0.6, 0.6, 0.6, 0.6]), a(yes), a([9.0, 8.0, 9.0, 8.0, 30.0, 5.0]), 5.0),
        (a([0.9, 0.5, 0.4]), a([True, False, True]), a([20.0, 7.0, 10.0]), 5.0),  # two thresholds at one cost
        (a([0.9, 0.5, 0.4]), a([True, False, True]), a([3.0, 70.0, 4.0]), 5.0),  # no call pays
        (a([0.9, 0.5]), a([False, False]), a([30.0, 700.0]), 5.0),  # no fraud at all
        (a([7.25, -1.5, 3.125]), a([True, False, True]), a([90.0, 10.0, 80.0]), 2.0),  # logits
    ]
    drawn = [_drawn(dice, n, call, digits) for n, call, digits in [(40, 5.0, 3), (60, 12.0, 1), (80, 2.0, 4)]]
    return [*by_hand, *drawn]


EXERCISES = (
    Exercise(
        id="14-4",
        title="Whom to ring",
        kind="decide",
        minutes=8,
        prompt=(
            "Write threshold_by_cost(scores, labels, amounts, call): the score from which on ringing costs least, if a "
            "call costs `call` and a fraud that nobody rings about costs its amount; of equal ones the highest, and "
            "np.inf where no call pays."
        ),
        judge=function(threshold_by_cost, _cases(), mistakes=_mistakes()),
    ),
)
