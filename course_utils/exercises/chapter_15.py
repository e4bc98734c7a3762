"""The exercises of chapter 15, Trends and challenges."""

import math

import numpy as np

from course_utils.exercises.judges import Mistake, function
from course_utils.exercises.verdicts import Exercise

# 15-1 ---------------------------------------------------------------------------------------------------------------


def members_found(members, outsiders, rate):
    """The share of members at or above the smallest score at which at most ``rate`` of the outsiders are accused."""
    return _found(members, outsiders, rate)


def _found(
    members,
    outsiders,
    rate,
    *,
    accused=np.greater_equal,
    found=np.greater_equal,
    allowed=lambda share, rate: share <= rate,
    levels=lambda members, outsiders: np.concatenate([members, outsiders]),
    pick=min,
    few=math.nan,
    nobody=0.0,
):
    """`members_found`; the options are mistakes."""
    members, outsiders = np.asarray(members, float), np.asarray(outsiders, float)
    if few is not None and len(outsiders) < 1 / rate:
        return few
    good = [t for t in np.unique(levels(members, outsiders)) if allowed(accused(outsiders, t).mean(), rate)]
    return float(found(members, pick(good)).mean()) if good else nobody


def _found_mistakes() -> list[Mistake]:
    def with_option(**option):
        return lambda *given: _found(*given, **option)

    def area(members, outsiders, rate):
        ahead = members[:, None] - outsiders
        return float(((ahead > 0) + (ahead == 0) / 2).mean())

    def of_members(members, outsiders, rate):
        return float((members >= np.quantile(members, 1 - rate)).mean())

    def interpolated(members, outsiders, rate):
        if len(outsiders) < 1 / rate:
            return math.nan
        return float((members >= np.quantile(outsiders, 1 - rate)).mean())

    def interpolated_above(members, outsiders, rate):
        if len(outsiders) < 1 / rate:
            return math.nan
        return float((members > np.quantile(outsiders, 1 - rate)).mean())

    def as_in_the_chapter(members, outsiders, rate):
        return float((members > np.quantile(outsiders, 1 - rate, method="higher")).mean())

    def from_higher_unchecked(members, outsiders, rate):
        return float((members >= np.quantile(outsiders, 1 - rate, method="higher")).mean())

    def from_higher(members, outsiders, rate):
        return math.nan if len(outsiders) < 1 / rate else from_higher_unchecked(members, outsiders, rate)

    def one_too_few(members, outsiders, rate):
        if len(outsiders) < 1 / rate:
            return math.nan
        return float((members > np.sort(outsiders)[::-1][int(rate * len(outsiders)) - 1]).mean())

    def quantile_of(share, method="linear"):
        def found(members, outsiders, rate):
            if len(outsiders) < 1 / rate:
                return math.nan
            return float((members >= np.quantile(outsiders, share(rate), method=method)).mean())

        return found

    def count_for_share(members, outsiders, rate):
        if len(outsiders) < 1 / rate:
            return math.nan
        levels = np.unique(np.concatenate([members, outsiders]))
        good = [t for t in levels if (outsiders >= t).sum() <= rate]
        return float((members >= min(good)).mean()) if good else 0.0

    def times(factor):
        return lambda members, outsiders, rate: factor(members, outsiders) * _found(members, outsiders, rate)

    def enough(too_few):
        def found(members, outsiders, rate):
            return math.nan if too_few(members, outsiders, rate) else _found(members, outsiders, rate, few=None)

        return found

    def accused_outsiders(members, outsiders, rate):
        if len(outsiders) < 1 / rate:
            return math.nan
        levels = np.unique(np.concatenate([members, outsiders]))
        return float(max(share for t in [*levels, math.inf] if (share := (outsiders >= t).mean()) <= rate))

    def low_scores(members, outsiders, rate):
        return _found(-members, -outsiders, rate)

    def none_for(few, nobody):
        def found(members, outsiders, rate):
            if len(outsiders) < 1 / rate:
                return few
            share = _found(members, outsiders, rate, nobody=None)
            return nobody if share is None else share

        return found

    def fails_for_nobody(take):
        def found(members, outsiders, rate):
            share = _found(members, outsiders, rate, nobody=None)
            return take() if share is None else share

        return found

    def of_outsiders(nobody):
        """Thresholds of outsiders alone; ``nobody`` says what follows where none of them is allowed."""

        def found(members, outsiders, rate):
            share = _found(members, outsiders, rate, levels=lambda members, outsiders: outsiders, nobody=None)
            return nobody(members, outsiders) if share is None else share

        return found

    def at(score):
        """Where no score will do, everybody at or above this one is accused."""

        def found(members, outsiders, rate):
            share = _found(members, outsiders, rate, nobody=None)
            return float((members >= score(np.concatenate([members, outsiders]))).mean()) if share is None else share

        return found

    def equal_once(members, outsiders, rate):
        if len(outsiders) < 1 / rate:
            return math.nan
        levels, different = np.unique(np.concatenate([members, outsiders])), np.unique(outsiders)
        good = [t for t in levels if (different >= t).mean() <= rate]
        return float((members >= min(good)).mean()) if good else 0.0

    def equal_once_by_place(members, outsiders, rate):
        if len(outsiders) < 1 / rate:
            return math.nan
        return float((members > np.unique(outsiders)[::-1][int(rate * len(outsiders))]).mean())

    def at_half(members, outsiders, rate):
        t = np.median(np.concatenate([members, outsiders]))
        return float((members >= t).mean())

    def swapped(members, outsiders, rate):
        return _found(outsiders, members, rate)

    def precision(members, outsiders, rate):
        if len(outsiders) < 1 / rate:
            return math.nan
        levels = np.unique(np.concatenate([members, outsiders]))
        good = [t for t in levels if (outsiders >= t).mean() <= rate]
        if not good:
            return 0.0
        hits, wrong = (members >= min(good)).sum(), (outsiders >= min(good)).sum()
        return float(hits / (hits + wrong))

    def threshold_itself(members, outsiders, rate):
        if len(outsiders) < 1 / rate:
            return math.nan
        levels = np.unique(np.concatenate([members, outsiders]))
        return float(min((t for t in levels if (outsiders >= t).mean() <= rate), default=0.0))

    def counted(members, outsiders, rate):
        share = _found(members, outsiders, rate)
        return share if math.isnan(share) else float(round(share * len(members)))

    of_an_outsider = (
        "Your threshold is the score of an outsider, and who accuses from this score upwards accuses that outsider, "
        "too: then more than `rate` may be accused. Try the scores themselves, and look at the share with `>=`."
    )
    of_both = "The best threshold may be a member's score, between two outsiders': try the scores of both."
    once = (
        "You count each *score* of the outsiders once. Several of them may have the same one, and all of these are "
        "accused together: the share is of outsiders."
    )
    nobody_left = "No score will do here, so there is no smallest. Ask for this case first: nobody is accused, so 0."
    return [
        Mistake(
            "area under the curve",
            area,
            "That is the area under the ROC curve. It averages over all rates, and most of them are of no use to an "
            "attacker; use the one that is asked for.",
        ),
        Mistake(
            "threshold of members",
            of_members,
            "Your threshold comes from the members, so you find `rate` of them by construction. It comes from the "
            "outsiders, of whom few may be accused.",
        ),
        Mistake("sides swapped", swapped, "You accuse members and count outsiders. It is the other way round."),
        Mistake("at the middle", at_half, "The middle of all scores accuses far too many. Use `rate`."),
        Mistake(
            "too few outsiders",
            with_option(few=None),
            "Of fewer than `1 / rate` outsiders none may be accused, and what you find there says nothing about "
            "`rate`. Return `np.nan`.",
        ),
        Mistake(
            "0 for too few",
            with_option(few=0.0),
            "With too few outsiders the answer is not 0: that would say that nobody is found. Return `np.nan`.",
        ),
        Mistake(
            "the chapter's, too few",
            as_in_the_chapter,
            "The function of section 2 does not look whether there are enough outsiders, and where scores are equal it "
            "leaves out members who could be accused.",
        ),
        Mistake("quantile higher", from_higher, of_an_outsider),
        Mistake("quantile lower", quantile_of(lambda rate: 1 - rate, "lower"), of_an_outsider),
        Mistake(
            "quantile higher, too few",
            from_higher_unchecked,
            "Your threshold is the score of an outsider, and who accuses from this score upwards accuses that "
            "outsider, too. Try the scores themselves, and with fewer than `1 / rate` outsiders return `np.nan`.",
        ),
        Mistake(
            "one outsider too few",
            one_too_few,
            "You stop one outsider early: of n outsiders `rate * n`, rounded down, *may* be accused, and your "
            "threshold lets the last of these go. Members between that one and the next are missed.",
        ),
        Mistake(
            "wrong end",
            quantile_of(lambda rate: rate),
            "You take the quantile at the low end, and accuse nearly everybody. Few outsiders may be accused, so the "
            "threshold lies among their *highest* scores.",
        ),
        Mistake(
            "per cent for share",
            quantile_of(lambda rate: (1 - rate) / 100),
            "`np.percentile` counts from 0 to 100, and `1 - rate` is a share. And it interpolates: try the scores "
            "themselves.",
        ),
        Mistake(
            "low scores accused",
            low_scores,
            "You accuse those with a *low* score. Members have the high ones: a score of at least t is accused.",
        ),
        Mistake(
            "interpolated",
            interpolated,
            "`np.quantile` interpolates between scores, or takes one of several equal ones; then more than `rate` may "
            "be accused. Try the scores themselves.",
        ),
        Mistake(
            "interpolated, above",
            interpolated_above,
            "`np.quantile` interpolates between scores. Try the scores themselves, with `>=`.",
        ),
        Mistake(
            "fewer than the rate",
            with_option(allowed=lambda share, rate: share < rate),
            "*At most* `rate` of the outsiders may be accused: `<=`, not `<`. (The function of section 2 stays below, "
            "too: where scores are equal, and where `rate` of the outsiders is a whole number.)",
        ),
        Mistake(
            "above for outsiders",
            with_option(accused=np.greater),
            "With your threshold more than `rate` of the outsiders are accused. One whose score equals the threshold "
            "counts, too: `>=` on both sides. In a loop look at the share before you accept a score.",
        ),
        Mistake(
            "above for members",
            with_option(found=np.greater),
            "Members with a score equal to t are accused, too: `>=` on both sides.",
        ),
        Mistake(
            "thresholds of outsiders",
            of_outsiders(lambda members, outsiders: 0.0),
            of_both,
        ),
        *(
            Mistake(f"thresholds of outsiders, {how}", of_outsiders(nobody), of_both)
            for how, nobody in [
                ("none allowed fails", lambda members, outsiders: min([])),
                ("else the lowest", lambda members, outsiders: float((members >= outsiders.min()).mean())),
                ("else above all", lambda members, outsiders: float((members > outsiders.max()).mean())),
            ]
        ),
        Mistake("equal scores once", equal_once, once),
        Mistake("equal scores once, by place", equal_once_by_place, once),
        Mistake(
            "largest threshold", with_option(pick=max), "Take the *smallest* threshold allowed: it finds the most."
        ),
        Mistake(
            "precision",
            precision,
            "That is the share of members among the accused. Asked for is the share of accused among the members.",
        ),
        Mistake("the threshold", threshold_itself, "That is the threshold. Return the share of members it finds."),
        Mistake("a count", counted, "That is how many members are found. Return their share."),
        Mistake(
            "a count of outsiders",
            count_for_share,
            "You accuse no outsider at all. `rate` is the *share* of the outsiders who may be accused: divide their "
            "number by how many there are.",
        ),
        Mistake(
            "per cent", times(lambda members, outsiders: 100), "That is in per cent. Return a share, between 0 and 1."
        ),
        Mistake(
            "rounded",
            lambda *given: round(_found(*given), 2),
            "You round the share. Return it as it is.",
        ),
        Mistake(
            "those not found",
            lambda *given: 1 - _found(*given),
            "That is the share of members *not* found. Return the others.",
        ),
        Mistake("always 0", lambda *given: 0.0, "Your function returns 0 whatever it is given."),
        Mistake(
            "always nan",
            lambda *given: math.nan,
            "Your function always returns nan. It belongs where there are fewer than `1 / rate` outsiders.",
        ),
        Mistake(
            "share of outsiders",
            times(lambda members, outsiders: len(members) / len(outsiders)),
            "You divide the members found by the number of outsiders. Divide by the number of *members*.",
        ),
        Mistake(
            "share of everybody",
            times(lambda members, outsiders: len(members) / (len(members) + len(outsiders))),
            "You divide the members found by everybody. Divide by the number of *members*.",
        ),
        Mistake(
            "accused outsiders",
            accused_outsiders,
            "That is the share of outsiders accused. Asked for is the share of *members*, at the same threshold.",
        ),
        Mistake(
            "exactly enough",
            enough(lambda members, outsiders, rate: len(outsiders) <= 1 / rate),
            "Exactly `1 / rate` outsiders are enough: one of them may be accused. Return `np.nan` for fewer.",
        ),
        Mistake(
            "too few members",
            enough(lambda members, outsiders, rate: len(members) < 1 / rate),
            "It is the *outsiders* of whom there must be `1 / rate`: of them `rate` is a share.",
        ),
        Mistake(
            "different scores for outsiders",
            enough(lambda members, outsiders, rate: len(np.unique(outsiders)) < 1 / rate),
            "You count the *different* scores of the outsiders. There must be `1 / rate` outsiders, whatever their "
            "scores.",
        ),
        Mistake(
            "None for too few",
            none_for(None, 0.0),
            "With too few outsiders your function returns None. Return `np.nan`.",
        ),
        Mistake(
            "None for nobody",
            none_for(math.nan, None),
            "Where no score will do your function returns None. Nobody is accused, so return 0.",
        ),
        Mistake(
            "None for both",
            none_for(None, None),
            "Your function returns None where there are too few outsiders, and where no score will do. Return `np.nan` "
            "in the first case, 0 in the second.",
        ),
        *(
            Mistake(f"fails for nobody, {how}", fails_for_nobody(take), nobody_left)
            for how, take in [
                ("min", lambda: min([])),
                ("array's min", lambda: np.array([]).min()),
                ("first of an array", lambda: np.array([])[0]),
                ("last of an array", lambda: np.array([])[-1]),
                ("first of a list", lambda: [][0]),
                ("max", lambda: max([])),
                ("array's max", lambda: np.array([]).max()),
                ("next", lambda: next(iter([]))),
            ]
        ),
        Mistake(
            "everybody for nobody",
            at(min),
            "Where no score will do you accuse from the lowest one on, which is everybody. (`argmax` of an array that "
            "is False throughout is 0.) Ask for this case first: nobody is accused, so 0.",
        ),
        Mistake(
            "the highest for nobody",
            at(max),
            "Where no score will do you go on with the highest, the last that was tried. It is not allowed either: "
            "nobody is accused, so 0.",
        ),
        Mistake(
            "nan for nobody",
            with_option(nobody=math.nan),
            "Where no score will do nobody is accused, so the share found is 0.",
        ),
    ]


def _found_cases():
    dice = np.random.default_rng(15)
    cases = []
    for n, rate, step in [
        (100, 0.05, None),
        (200, 0.01, None),
        (120, 0.05, 0.5),
        (100, 0.1, 1.0),
        (50, 0.02, None),
        (115, 0.05, None),
    ]:
        members, outsiders = dice.normal(1, 1.5, 80), dice.normal(0, 1, n)
        if step:
            members, outsiders = np.round(members / step) * step, np.round(outsiders / step) * step
        cases.append((members, outsiders, rate))
    plain = np.arange(20.0)
    cases.append((np.array([19.0, 18.5, 18.0, 17.5, 3.0]), plain, 0.1))
    cases.append((np.array([19.0, 18.5, 18.0, 17.5, 3.0]), plain, 0.05))
    cases.append((np.array([31.0, 28.5, 28.5, 4.0]), np.arange(30.0), 0.05))  # one and a half, so one
    cases.append((np.array([19.0, 25.0]), plain, 0.01))  # too few outsiders
    cases.append((np.linspace(0, 30, 150), plain, 0.01))  # too few, however many members
    cases.append((np.array([3.0, 1.0, 3.0]), np.full(30, 3.0), 0.1))  # nobody may be accused
    cases.append((np.array([3.0, 4.0, 3.0]), np.r_[np.full(8, 3.0), np.zeros(30)], 0.1))
    return cases


# 15-2 ---------------------------------------------------------------------------------------------------------------


def most_steps(renyi, orders, δ, goal, runs):
    """The most steps that each of ``runs`` runs may take within ``goal``."""
    return _steps(renyi, orders, δ, goal, runs)


def _steps(renyi, orders, δ, goal, runs, *, whole=math.floor, delta=lambda δ, runs: δ):
    """`most_steps`; the options are mistakes."""
    left = goal - np.log(1 / delta(δ, runs)) / (np.asarray(orders) - 1)
    return max(0, whole(float((left / (runs * np.asarray(renyi))).max()) + 1e-9))


def _steps_mistakes() -> list[Mistake]:
    def with_option(**option):
        return lambda *given: _steps(*given, **option)

    def epsilon(renyi, orders, δ, steps):
        return float((steps * renyi + np.log(1 / δ) / (orders - 1)).min())

    def one_run(renyi, orders, δ, goal, runs):
        return _steps(renyi, orders, δ, goal, 1)

    def goal_shared(renyi, orders, δ, goal, runs):
        return _steps(renyi, orders, δ, goal / runs, 1)

    def delta_shared(renyi, orders, δ, goal, runs):
        return _steps(renyi, orders, δ / runs, goal, runs)

    def both_shared(renyi, orders, δ, goal, runs):
        return _steps(renyi, orders, δ / runs, goal / runs, 1)

    def all_steps(renyi, orders, δ, goal, runs):
        return _steps(renyi, orders, δ, goal, 1) // runs * runs

    def delta_forgotten(renyi, orders, δ, goal, runs):
        return max(0, math.floor(float((goal / (runs * renyi)).max())))

    def root(renyi, orders, δ, goal, runs):
        return math.floor(_steps(renyi, orders, δ, goal, 1) / math.sqrt(runs))

    def first_order(renyi, orders, δ, goal, runs):
        return _steps(renyi[:1], orders[:1], δ, goal, runs)

    def last_order(renyi, orders, δ, goal, runs):
        return _steps(renyi[-1:], orders[-1:], δ, goal, runs)

    def best_for_a_step(renyi, orders, δ, goal, runs):
        best = int((renyi + np.log(1 / δ) / (orders - 1)).argmin())
        return _steps(renyi[best : best + 1], orders[best : best + 1], δ, goal, runs)

    def every_order(renyi, orders, δ, goal, runs):
        left = goal - np.log(1 / δ) / (orders - 1)
        return max(0, math.floor(float((left / (runs * renyi)).min())))

    def order_itself(renyi, orders, δ, goal, runs):
        left = goal - np.log(1 / δ) / orders
        return max(0, math.floor(float((left / (runs * renyi)).max())))

    def ten(renyi, orders, δ, goal, runs):
        left = goal - np.log10(1 / δ) / (orders - 1)
        return max(0, math.floor(float((left / (runs * renyi)).max())))

    def below_zero(renyi, orders, δ, goal, runs):
        left = goal - np.log(1 / δ) / (orders - 1)
        return math.floor(float((left / (runs * renyi)).max()))

    def fraction(renyi, orders, δ, goal, runs):
        left = goal - np.log(1 / δ) / (orders - 1)
        return max(0.0, float((left / (runs * renyi)).max()))

    def one_more(renyi, orders, δ, goal, runs):
        return _steps(renyi, orders, δ, goal, runs) + 1

    def first_broken(renyi, orders, δ, goal, runs):
        """From T = 0 on, the first that breaks the goal; where none keeps it, 0."""
        T = _steps(renyi, orders, δ, goal, runs)
        return T + 1 if epsilon(renyi, orders, δ, runs * T) <= goal else 0

    def before_none(renyi, orders, δ, goal, runs):
        """One less than that: -1 where not even training for no step keeps the goal."""
        return first_broken(renyi, orders, δ, goal, runs) - 1

    def one_less(renyi, orders, δ, goal, runs):
        return max(0, _steps(renyi, orders, δ, goal, runs) - 1)

    def never_none(renyi, orders, δ, goal, runs):
        return max(1, _steps(renyi, orders, δ, goal, runs))

    def below_goal(x):
        """The largest whole number below x, which `_steps` has made larger by 1e-9."""
        return math.ceil(x - 2e-9) - 1

    def two(renyi, orders, δ, goal, runs):
        left = goal - np.log2(1 / δ) / (orders - 1)
        return max(0, math.floor(float((left / (runs * renyi)).max())))

    def proportional(renyi, orders, δ, goal, runs):
        return math.floor(goal / epsilon(renyi, orders, δ, runs))

    def chapters_orders(renyi, orders, δ, goal, runs):
        return _steps(renyi, np.arange(2, 65), δ, goal, runs)

    def chapters_orders_in_a_sum(renyi, orders, δ, goal, runs):
        epsilon(renyi, np.arange(2, 65), δ, runs)
        return _steps(renyi, orders, δ, goal, runs)

    def orders_in_a_row(renyi, orders, δ, goal, runs):
        return _steps(renyi, np.arange(2, 2 + len(renyi)), δ, goal, runs)

    def log_of_delta(renyi, orders, δ, goal, runs):
        return _steps(renyi, orders, 1 / δ, goal, runs)

    def times_runs(renyi, orders, δ, goal, runs):
        return _steps(renyi, orders, δ, goal, 1) * runs

    def chapters_delta(renyi, orders, δ, goal, runs):
        return _steps(renyi, orders, 1e-5, goal, runs)

    def none_for_none(renyi, orders, δ, goal, runs):
        return _steps(renyi, orders, δ, goal, runs) or None

    def best_order(renyi, orders, δ, goal, runs):
        left = goal - np.log(1 / δ) / (orders - 1)
        return int(orders[(left / (runs * renyi)).argmax()])

    def called(renyi, orders, δ, goal, runs):
        return renyi(1)

    def mean_of_orders(renyi, orders, δ, goal, runs):
        left = goal - np.log(1 / δ) / (orders - 1)
        return max(0, math.floor(float((left / (runs * renyi)).mean())))

    def spent(renyi, orders, δ, goal, runs):
        T = _steps(renyi, orders, δ, goal, runs)
        return float((runs * T * renyi + np.log(1 / δ) / (orders - 1)).min())

    return [
        Mistake(
            "one run", one_run, "Each run looks at the same images, and all count: the cost is `runs * T * renyi`."
        ),
        Mistake(
            "goal shared out",
            goal_shared,
            "You share ε out over the runs, or pay log(1/δ) / (a - 1) for each of them, which comes to the same. That "
            "keeps the goal and wastes steps: it is the Rényi costs that add up, `runs * T * renyi`, and log(1/δ) is "
            "paid once.",
        ),
        Mistake(
            "goal and δ shared out",
            both_shared,
            "You share ε and δ out over the runs, which wastes steps: add up the Rényi costs, `runs * T * renyi`, and "
            "compute ε once.",
        ),
        Mistake("δ shared out", delta_shared, "δ enters once, as ε is computed once, over all runs together."),
        Mistake(
            "steps of all runs", all_steps, "That is how many steps all runs have together. Asked for are one run's."
        ),
        Mistake(
            "root of the runs",
            root,
            "A rule of thumb divides by the root of the runs. Here the cost is known: `runs * T * renyi`.",
        ),
        Mistake("δ forgotten", delta_forgotten, "The second part of ε is missing: log(1/δ) / (a - 1)."),
        Mistake("first order alone", first_order, "Any order may give the smallest ε. Try them all."),
        Mistake("last order alone", last_order, "Any order may give the smallest ε. Try them all."),
        Mistake(
            "order of one step",
            best_for_a_step,
            "The order that is best for one step is not the best for many: choose it with T steps.",
        ),
        Mistake(
            "every order",
            every_order,
            "One order that keeps the goal is enough, since ε is the *minimum* over orders.",
        ),
        Mistake("order for order less one", order_itself, "Divide log(1/δ) by the order *less one*."),
        Mistake("logarithm to 10", ten, "The logarithm is the natural one, `np.log`."),
        Mistake("logarithm to 2", two, "The logarithm is the natural one, `np.log`."),
        Mistake(
            "rounded up",
            with_option(whole=lambda x: math.ceil(x - 2e-9)),
            "One step too many: the largest whole T that *keeps* the goal is rounded down.",
        ),
        Mistake("to the nearest", with_option(whole=round), "Rounding to the nearest may exceed the goal: round down."),
        Mistake("below zero", below_zero, "If not even one step keeps the goal, the answer is 0."),
        Mistake("a fraction", fraction, "Steps are whole: round down."),
        Mistake("ε", spent, "That is the ε that is spent. Asked for is T."),
        Mistake(
            "one step more",
            one_more,
            "One step too many: you return the first T that breaks the goal. Asked for is the last that keeps it.",
        ),
        Mistake(
            "the first that breaks",
            first_broken,
            "One step too many: you return the first T that breaks the goal. Asked for is the last that keeps it.",
        ),
        Mistake(
            "the one before the first",
            before_none,
            "Where even training for no step breaks the goal, your loop stops at T = 0 and you return -1. The answer "
            "is never below 0.",
        ),
        Mistake(
            "one step too few",
            one_less,
            "One step too few: with one more the goal is still kept. Look at what your loop has tested when it stops.",
        ),
        Mistake(
            "never none",
            never_none,
            "Your function never returns less than 1. Begin at T = 0: where not even one step keeps the goal, the "
            "answer is 0.",
        ),
        Mistake(
            "below the goal",
            with_option(whole=below_goal),
            "An ε that is exactly `goal` keeps it: compare with `<=`, not with `<`.",
        ),
        Mistake(
            "never none, below the goal",
            lambda *given: max(1, _steps(*given, whole=below_goal)),
            "Your function never returns less than 1, and an ε that is exactly `goal` keeps it. Begin at T = 0, and "
            "compare with `<=`.",
        ),
        Mistake(
            "in proportion",
            proportional,
            "You divide the goal by the ε of one step. ε does not grow in proportion to T: only `T * renyi` does, and "
            "log(1/δ) / (a - 1) is paid once.",
        ),
        *(
            Mistake(
                name,
                wrong,
                "The orders are not always the chapter's 2 to 64, which its `epsilon` takes: use the array `orders`.",
            )
            for name, wrong in [
                ("the chapter's orders", chapters_orders),
                ("the chapter's orders, in a sum", chapters_orders_in_a_sum),
                ("orders in a row", orders_in_a_row),
            ]
        ),
        Mistake(
            "logarithm of δ",
            log_of_delta,
            "log(δ) is below zero, and so makes ε smaller. It is log(1/δ) that is paid.",
        ),
        Mistake(
            "δ times runs",
            lambda renyi, orders, δ, goal, runs: _steps(renyi, orders, δ * runs, goal, runs),
            "δ is given for all runs together, and enters once: do not multiply it.",
        ),
        Mistake(
            "runs squared",
            lambda renyi, orders, δ, goal, runs: _steps(renyi, orders, δ, goal, runs**2),
            "You count the runs twice. All of them together cost `runs * T * renyi`.",
        ),
        Mistake(
            "multiplied by runs",
            times_runs,
            "More runs cost more, so each may take *fewer* steps: divide by `runs`.",
        ),
        Mistake(
            "the chapter's δ",
            chapters_delta,
            "That holds for δ = 1e-5, which the chapter's `epsilon` takes unless you give it another. Use the δ given.",
        ),
        Mistake(
            "None for none",
            none_for_none,
            "If not even one step keeps the goal, return 0; your function returns None there.",
        ),
        Mistake("the order", best_order, "That is the best order. Asked for is the T that it allows."),
        Mistake(
            "renyi called",
            called,
            "`renyi` is here an array, not the chapter's function: it holds what one step costs at each order. "
            "Calculate with it, without calling it.",
        ),
        Mistake(
            "mean over orders",
            mean_of_orders,
            "Each order gives a bound that holds, and you may take the best: the largest T, not the mean.",
        ),
    ]


def _steps_cases():
    orders = np.arange(2, 65)
    full = orders / 2  # a step with all images and noise 1; with noise σ a σ²-th of it
    return [
        (full / 64, orders, 1e-5, 4.0, 1),
        (full / 64, orders, 1e-5, 8.0, 3),
        (full / 64, orders, 1e-5, 3.5, 10),
        (full / 400, orders, 1e-6, 2.0, 4),
        (full / 16, orders, 1e-5, 1.0, 2),
        (full, orders, 1e-5, 2.0, 1),  # not even one
        (full / 64, orders, 1e-5, 0.1, 1),
        (full / 5000, orders, 1e-5, 0.1, 1),  # int() of a number far below 0 is not 0
        (full / 250, orders, 1e-3, 30.0, 5),
        (full / 5000, orders, 1e-5, 3.0, 7),
        ((np.exp(orders / 8) - 1) / 3000, orders, 1e-5, 3.0, 2),
        (np.array([1.0, 2.0, 4.0, 8.0]) / 150, np.array([2, 4, 8, 16]), 1e-5, 4.0, 2),
        # Twice two steps cost exactly the goal: log(1/δ) over so large an order is lost in rounding, on every machine.
        (np.array([0.03, 0.11, 0.22, 0.25]), np.array([2, 8, 32, 10**18]), 1e-5, 1.0, 2),
    ]


EXERCISES = (
    Exercise(
        "15-1",
        title="Found without accusing",
        kind="modify",
        minutes=6,
        prompt="Write members_found(members, outsiders, rate): the share of members found at a rate of accused "
        "outsiders.",
        judge=function(members_found, _found_cases(), mistakes=_found_mistakes()),
    ),
    Exercise(
        "15-2",
        title="How long may you train?",
        kind="decide",
        minutes=8,
        prompt="Write most_steps(renyi, orders, δ, goal, runs): the most steps of each of several runs within an ε.",
        judge=function(most_steps, _steps_cases(), mistakes=_steps_mistakes()),
    ),
)
