"""The exercise on recommendation of chapter 14: a published figure against one's own runs."""

import numpy as np

from course_utils.exercises.judges import Mistake, function
from course_utils.exercises.verdicts import Exercise


def against(published, runs):
    """ "ours", "theirs" or "open": does the published run lie outside of where 95 of 100 of our own runs would?"""
    return _against(published, runs)


def _quantile(n, level=0.975):
    from scipy.stats import t

    return float(t.ppf(level, n - 1))


def _against(published, runs, *, width=None, ddof=1, factor=None, centre=np.mean, names=("ours", "theirs", "open")):
    """`against`; the options are mistakes."""
    runs = np.asarray(runs, float)
    n = len(runs)
    spread = runs.std(ddof=ddof) * (np.sqrt(1 + 1 / n) if width is None else width(n))
    far = (_quantile(n) if factor is None else factor(n)) * spread
    middle = centre(runs)
    if published < middle - far:
        return names[0]
    return names[1] if published > middle + far else names[2]


def _mistakes() -> list[Mistake]:
    def with_option(**option):
        return lambda published, runs: _against(published, runs, **option)

    def never_open(published, runs):
        return "ours" if np.mean(runs) > published else "theirs"

    def range_of_runs(published, runs):
        return "ours" if min(runs) > published else "theirs" if max(runs) < published else "open"

    return [
        Mistake(
            "interval of the mean",
            with_option(width=lambda n: 1 / np.sqrt(n)),
            "That is the interval of your *mean*, divided by the root of n. Theirs is one run, and one run scatters as "
            "much as each of yours: the spread times the root of 1 + 1/n.",
        ),
        Mistake(
            "the spread alone",
            with_option(width=lambda n: 1.0),
            "Your mean is uncertain, too: the spread times the root of 1 + 1/n, not the spread alone.",
        ),
        Mistake(
            "1.96",
            with_option(factor=lambda n: 1.959964),
            "1.96 is right for many runs. From few the spread itself is uncertain: take "
            "`scipy.stats.t.ppf(0.975, n - 1)`, which is 4.30 for three.",
        ),
        Mistake(
            "degrees of freedom",
            with_option(factor=lambda n: _quantile(n + 1)),
            "From n runs t has n - 1 degrees of freedom, as their mean has used one up.",
        ),
        Mistake(
            "one side",
            with_option(factor=lambda n: _quantile(n, 0.95)),
            "Theirs may lie above or below, so each side gets half of the 5 in 100: the quantile is 0.975.",
        ),
        Mistake(
            "divided by n",
            with_option(ddof=0),
            "NumPy divides by n, which is too narrow for few runs: `std(ddof=1)` divides by n - 1.",
        ),
        Mistake(
            "the best run",
            with_option(centre=np.max),
            "That compares your *best* run. Of many runs the best is lucky; compare from their mean.",
        ),
        Mistake("never open", never_open, 'The larger of two numbers need not be better: say so with "open".'),
        Mistake(
            "range of the runs",
            range_of_runs,
            "The least and the largest of your runs are no interval: with three of them a fourth falls outside half of "
            "the time.",
        ),
        Mistake(
            "the other way round",
            with_option(names=("theirs", "ours", "open")),
            'A published figure *below* the interval means that yours is better: "ours".',
        ),
        Mistake(
            "true or false",
            with_option(names=(True, False, False)),
            'Return one of the words "ours", "theirs" and "open".',
        ),
    ]


_RUNS = [0.478, 0.476, 0.480]


def _at(runs, steps):
    """A published figure that lies ``steps`` times the half width from the mean."""
    n = len(runs)
    return float(np.mean(runs) + steps * _quantile(n) * np.std(runs, ddof=1) * np.sqrt(1 + 1 / n))


_FIVE, _MANY = [0.40, 0.43, 0.41, 0.44, 0.42], list(np.round(0.3 + 0.01 * np.sin(np.arange(20) * 1.7), 4))
_SKEWED = [0.50, 0.50, 0.50, 0.56]
_CASES = [
    (0.475077, _RUNS),
    (0.382461, _RUNS),
    (0.6, _RUNS),
    (0.4835, _RUNS),
    (0.4715, _RUNS),
    *[(_at(runs, steps), runs) for runs in (_RUNS, _FIVE, _MANY, _SKEWED) for steps in (-1.03, -0.97, 0.97, 1.03)],
    *[(_at(runs, steps), runs) for runs in (_RUNS, _FIVE) for steps in (-0.9, -0.8, -0.6, 0.6, 0.8, 0.9)],
    (0.305, [0.31, 0.29]),
    (0.9, [0.31, 0.29]),
]

EXERCISES = (
    Exercise(
        "14-1",
        "A number from a paper",
        "decide",
        7,
        "Write `against(published, runs)`, where `runs` are your own figures on several splits and `published` one run "
        'of somebody else: "ours" if it lies below the mean of `runs` by more than `t` times their spread (n - 1 in '
        'the denominator) times the root of 1 + 1/n, "theirs" if it lies as far above, else "open". `t` is the 0.975 '
        "quantile of Student's distribution with n - 1 degrees of freedom. Put your code where the three dots stand.",
        function(against, _CASES, mistakes=_mistakes()),
    ),
)
