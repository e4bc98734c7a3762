"""The exercises of chapter 11, In production."""

import math

import numpy as np

from course_utils.exercises.judges import Mistake, function
from course_utils.exercises.verdicts import Exercise

# 11-1 ---------------------------------------------------------------------------------------------------------------


def stopped_after(came, s, r, a):
    """After how many errors the wealth first reaches 1/a, ``s`` being the share at each; -1 where it never does."""
    return _stopped(came, s, r, a)


def _stopped(came, s, r, a, *, share="each", bet="ratio", first=1, never=-1, level="inverse", gives="errors"):
    """`stopped_after`; the options are mistakes."""
    came, s = np.asarray(came, float), np.asarray(s, float)
    s = {"each": s, "first": s[:1], "last": s[-1:], "mean": s.mean(keepdims=True)}[share] * np.ones(len(came))
    r = 1 / r if gives == "better" else r
    q = {"ratio": r * s / (r * s + 1 - s), "product": np.minimum(r * s, 0.999), "alone": r / (r + 1) + 0 * s}[bet]
    factors = np.where(came == 1, q / s, (1 - q) / (1 - s))
    if bet == "ratio" and gives == "swapped":
        factors = np.where(came == 0, q / s, (1 - q) / (1 - s))
    wealth = np.cumsum(factors) if gives == "sum" else np.cumprod(factors)
    if gives == "half":  # the champion's errors change nothing
        wealth = np.cumprod(np.where(came == 1, q / s, 1.0))
    if gives == "undivided":
        wealth = np.cumprod(np.where(came == 1, q / s, 1 - q))
    if gives == "at once":  # the chapter's `wealth` with an array: all errors so far at the share of the last one
        k, n = np.cumsum(came), np.arange(1, len(came) + 1)
        wealth = np.exp(k * np.log(q / s) + (n - k) * np.log((1 - q) / (1 - s)))
    if gives == "all guesses":
        all_q = _GUESSES * s[:, None] / (_GUESSES * s[:, None] + 1 - s[:, None])
        each = np.where(came[:, None] == 1, all_q / s[:, None], (1 - all_q) / (1 - s[:, None]))
        wealth = np.cumprod(each, axis=0).mean(axis=1)
    if gives == "restart":  # the stake is 1 again at each new share
        begins = np.flatnonzero(np.append(True, np.diff(s) != 0))
        wealth = np.concatenate([np.cumprod(part) for part in np.split(factors, begins[1:])])
    rich = wealth >= {"inverse": 1 / a, "itself": a, "log": math.log(1 / a), "hundred": 100.0}[level]
    if gives == "path":
        return wealth
    if gives == "end":
        return len(came) if rich[-1] else never
    if gives == "challenger's":
        return int(np.sum(came[: rich.argmax() + 1])) if rich.any() else never
    if gives == "last":
        return int(np.flatnonzero(rich)[-1]) + first if rich.any() else never
    return int(rich.argmax()) + first if rich.any() else never


def _stopped_mistakes() -> list[Mistake]:
    def with_option(**option):
        return lambda *given: _stopped(*given, **option)

    def argmax_alone(came, s, r, a):
        found = _stopped(came, s, r, a)
        return found if found > 0 else 1

    one_share = (
        "The share grows, and each error is bet on with the share of *its* moment: compute q from the whole array `s`, "
        "entry by entry."
    )
    never = "Where the wealth never reaches the level, return -1."
    return [
        Mistake("the first share", with_option(share="first"), one_share),
        Mistake("the last share", with_option(share="last"), one_share),
        Mistake("the mean share", with_option(share="mean"), one_share),
        Mistake(
            "a fresh stake",
            with_option(gives="restart"),
            "The stake starts again where the share changes. A gambler takes along what is won: one product over all "
            "errors.",
        ),
        Mistake(
            "all errors at one share",
            with_option(gives="at once"),
            "`wealth` bets on *all* errors so far at the share of the last one. Each error needs the factor of its own "
            "share: a product of factors, entry by entry.",
        ),
        Mistake(
            "not divided by 1 − s",
            with_option(gives="undivided"),
            "For the champion's errors the factor is (1 − q) / (1 − s): what you pay for them at even odds is 1 − s.",
        ),
        Mistake(
            "all the gamblers",
            with_option(gives="all guesses"),
            "That is the mean over the chapter's 32 guesses. Here one is given: bet with `r` alone.",
        ),
        Mistake(
            "the other guess",
            with_option(gives="better"),
            "1 / r bets that the challenger is *better*. It is stopped by the bet on worse: use `r`.",
        ),
        Mistake(
            "always 100",
            with_option(level="hundred"),
            "That stops at a wealth of 100, whatever `a` is. The level is 1 / a.",
        ),
        Mistake(
            "q is r s",
            with_option(bet="product"),
            "With r s alone the chances of the two versions do not add up to one. Divide by r s + 1 − s.",
        ),
        Mistake(
            "the share left out",
            with_option(bet="alone"),
            "That is q for a share of one half. With another share the challenger's chance is r s / (r s + 1 − s).",
        ),
        Mistake(
            "the champion's errors left out",
            with_option(gives="half"),
            "The champion's errors speak *for* the challenger: they multiply the wealth by (1 − q) / (1 − s).",
        ),
        Mistake(
            "the other way round",
            with_option(gives="swapped"),
            "An error of the challenger should raise the wealth: q / s where `came` is 1.",
        ),
        Mistake("a sum", with_option(gives="sum"), "Each error *multiplies* the wealth: `np.cumprod`, not a sum."),
        Mistake(
            "a for 1/a", with_option(level="itself"), "The wealth has to reach 1 / a, which is 100 for a = 0.01; not a."
        ),
        Mistake(
            "the logarithm",
            with_option(level="log"),
            "That compares the wealth with the logarithm of the level. Take logarithms of both or of neither.",
        ),
        Mistake(
            "counted from nought",
            with_option(first=0),
            "`argmax` counts from nought: after the error number 0, one error has been seen.",
        ),
        Mistake(
            "argmax alone",
            argmax_alone,
            "`argmax` of nothing but False is 0. Where the wealth never reaches the level, return -1.",
        ),
        Mistake("0 for never", with_option(never=0), never),
        Mistake("None for never", with_option(never=None), never),
        Mistake(
            "at the end",
            with_option(gives="end"),
            "That looks at the end only. The test may be looked at after each error: the *first* time counts, even if "
            "the wealth falls again.",
        ),
        Mistake(
            "the last time",
            with_option(gives="last"),
            "That is the last time at which the wealth is high enough. The *first* one stops the challenger.",
        ),
        Mistake(
            "the challenger's errors",
            with_option(gives="challenger's"),
            "That counts the challenger's errors up to then. All errors are asked for, whoever made them.",
        ),
        Mistake(
            "the wealth", with_option(gives="path"), "That is the wealth after each error. Return a number of errors."
        ),
    ]


def _grown(came: str, shares: list[tuple[float, int]], r: float, a: float):
    s = np.concatenate([np.full(n, share) for share, n in shares])
    assert len(came) == len(s)
    return np.array([int(c) for c in came]), s, r, a


_STOPPED_CASES = [
    _grown("0100110111", [(0.1, 4), (0.5, 6)], 2.0, 0.1),
    _grown("00000000010001011011110111111111111101", [(0.05, 14), (0.25, 10), (0.5, 14)], 1.7, 0.05),
    _grown("0001000000" + "0101000100", [(0.1, 10), (0.5, 10)], 2.2, 0.01),
    _grown("0110" + "0000000000000000" + "0000", [(0.01, 4), (0.1, 16), (0.5, 4)], 8.0, 0.05),
    _grown("111111111111", [(0.5, 12)], 3.5, 0.01),
    _grown("1011" + "110111", [(0.02, 4), (0.4, 6)], 1.4, 0.2),
    _grown("1110111110111000111", [(0.05, 4), (0.25, 6), (0.5, 9)], 2.5, 0.05),
    _grown("1011110111001101111111", [(0.05, 6), (0.25, 8), (0.5, 8)], 2.0, 0.00161),  # 640 just reaches 621
    _grown("1011110111001101111111", [(0.05, 6), (0.25, 8), (0.5, 8)], 2.0, 0.0015),  # and not 667
    _grown("1011110111001101111111", [(0.05, 6), (0.25, 8), (0.5, 8)], 2.0, 0.005),
]

# 11-2 ---------------------------------------------------------------------------------------------------------------

_STAKES = ((np.arange(32) + 0.5) / 32) ** 2
_GUESSES = (1 + _STAKES) / (1 - _STAKES)


def what_now(old, new, a):
    """ "stop", "promote" or "wait", by the bet that first reaches 1/a on the answers that tell the versions apart."""
    return _now(old, new, a)


def _wealth(k, m, guesses):
    """What gamblers own after k errors of the challenger and m of the champion, at even chances."""
    q = np.asarray(guesses)[:, None] / (np.asarray(guesses)[:, None] + 1)
    return np.exp(k * np.log(2 * q) + m * np.log(2 * (1 - q))).mean(axis=0)


def _now(
    old, new, a, *, known="both", counts="different", looks="first", level="inverse", swapped=False, guess=_GUESSES
):
    """`what_now`; the options are mistakes."""
    old, new = np.asarray(old), np.asarray(new)
    if known == "both":
        kept = (old >= 0) & (new >= 0)
        old, new = old[kept], new[kept]
    if known == "right":
        old, new = np.abs(old), np.abs(new)
    raw = old != new, old == 1
    old, new = old == 1, new == 1
    seen_in_all, seen = len(old), np.arange(len(old)) + 1
    if counts == "two coins":  # where both err, a coin against either
        both = np.repeat(~old & ~new, 2)
        old, new = np.repeat(old, 2), np.repeat(new, 2)
        old[::2][both[::2]], new[1::2][both[1::2]] = True, True
        kept = (old != new) & np.where(both, True, np.arange(len(old)) % 2 == 0)
        old, new = old[kept], new[kept]
        against = old & ~new
    elif known == "none":  # -1 and 0 differ as well
        against = raw[1][raw[0]]
    elif counts == "different":
        seen = np.flatnonzero(old != new) + 1
        old, new = old[old != new], new[old != new]
        against = old & ~new
    elif counts == "errors":
        wrong = ~old | ~new
        against = (~new)[wrong]
    else:
        against = ~new
    k = np.cumsum(against)
    m = np.arange(1, len(k) + 1) - k
    bound = {"inverse": 1 / a, "itself": a, "five": 20.0, "hundred": 100.0, "two": 2 / a}[level]
    worse, better = _wealth(k, m, guess), _wealth(k, m, 1 / np.asarray(guess))
    if looks == "largest":
        highest = [max(owned, default=0) for owned in (worse, better)]
        return "wait" if max(highest) < bound else "stop" if highest[0] > highest[1] else "promote"
    if looks == "ratio":
        worse, better = worse / better, better / worse
    worse, better = worse >= bound, better >= bound
    if looks == "fifty":  # after 50 known digits, after 100 …: what had been learnt by then
        when = np.arange(50, seen_in_all + 1, 50)
        last = np.searchsorted(seen, when, side="right")
        worse, better = (rich[last[last > 0] - 1] for rich in (worse, better))
    if looks == "end":
        worse, better = worse[-1:], better[-1:]
    when_worse, when_better = (int(rich.argmax()) if rich.any() else math.inf for rich in (worse, better))
    if looks == "worse first" and when_worse < math.inf:
        when_better = math.inf
    if looks == "better first" and when_better < math.inf:
        when_worse = math.inf
    if when_worse == when_better:
        return "wait"
    return "stop" if (when_worse < when_better) != swapped else "promote"


def _now_mistakes() -> list[Mistake]:
    def with_option(**option):
        return lambda *given: _now(*given, **option)

    def labelled(old, new):
        old, new = np.asarray(old), np.asarray(new)
        kept = (old >= 0) & (new >= 0)
        return old[kept] == 1, new[kept] == 1

    def by_accuracy(old, new, a):
        old, new = labelled(old, new)
        return "promote" if new.mean() > old.mean() else "stop" if new.mean() < old.mean() else "wait"

    def by_significance(old, new, a):
        old, new = labelled(old, new)
        lost, gained = (old & ~new).sum(), (new & ~old).sum()
        if abs(lost - gained) < 1.96 * math.sqrt(max(lost + gained, 1)):
            return "wait"
        return "stop" if lost > gained else "promote"

    def in_capitals(old, new, a):
        return _now(old, new, a).upper()

    def stop_or_promote(old, new, a):
        return "stop" if _now(old, new, a) == "stop" else "promote"

    def stop_or_wait(old, new, a):
        found = _now(old, new, a)
        return found if found == "stop" else "wait"

    return [
        Mistake(
            "what is missing",
            with_option(known="none"),
            "-1 is no answer: `old != new` is true there as well, though nothing is known. Leave these digits out.",
        ),
        Mistake(
            "what is missing is wrong",
            with_option(known="wrong"),
            "-1 means that nothing is known, not that the answer is wrong. Leave these digits out.",
        ),
        Mistake(
            "what is missing is right",
            with_option(known="right"),
            "-1 means that nothing is known, not that the answer is right. Leave these digits out.",
        ),
        Mistake(
            "all answers",
            with_option(counts="all"),
            "Where both are right, or both wrong, nothing is learnt about which is better. Bet only where `old` and "
            "`new` differ.",
        ),
        Mistake(
            "both wrong",
            with_option(counts="errors"),
            "Digits on which both err count as the challenger's errors here. Bet only where exactly one is wrong.",
        ),
        Mistake(
            "both wrong, twice",
            with_option(counts="two coins"),
            "Where both err, nothing is learnt: they were given the same digit. You count such a digit as an error of "
            "either; leave it out, and bet only where exactly one is wrong.",
        ),
        Mistake(
            "the larger wealth",
            with_option(looks="largest"),
            "That compares the highest wealths of the whole journal. The bet that *first* reaches 1/a decides.",
        ),
        Mistake(
            "the ratio",
            with_option(looks="ratio"),
            "That is the ratio of the two wealths, which promises nothing. Each bet is held against 1/a alone.",
        ),
        Mistake(
            "every fifty",
            with_option(looks="fifty"),
            "That looks after every 50 digits. The bets may be looked at after each one, and the first time counts.",
        ),
        Mistake(
            "at the end",
            with_option(looks="end"),
            "That looks at the end only. The first bet that reaches 1/a decides, even if its wealth falls again "
            "afterwards.",
        ),
        Mistake(
            "stop goes first",
            with_option(looks="worse first"),
            "Both bets reach 1/a here. The one that was there *first* decides: by then the trial is over.",
        ),
        Mistake(
            "promote goes first",
            with_option(looks="better first"),
            "Both bets reach 1/a here. The one that was there *first* decides: by then the trial is over.",
        ),
        Mistake(
            "the other way round",
            with_option(swapped=True),
            "`came` is 1 where the *challenger* erred: where `old` is right and `new` is wrong. Guesses above 1 then "
            "bet that it is worse.",
        ),
        Mistake("a for 1/a", with_option(level="itself"), "The wealth has to reach 1 / a, not a."),
        Mistake(
            "another level",
            with_option(level="five"),
            "That stops at a wealth of 20, whatever `a` is: five false alarms in a hundred. Use 1 / a.",
        ),
        Mistake(
            "always 100",
            with_option(level="hundred"),
            "That stops at a wealth of 100, whatever `a` is. The level is 1 / a.",
        ),
        Mistake(
            "2/a",
            with_option(level="two"),
            "That is half the chance of being wrong that was asked for. Each bet has to reach 1 / a.",
        ),
        Mistake(
            "one guess",
            with_option(guess=[2.0]),
            "That bets with one guess. Nobody knows how much worse it is: take all 32, `gamblers`.",
        ),
        Mistake("capitals", in_capitals, 'The words are "stop", "promote" and "wait", in small letters.'),
        Mistake(
            "accuracy",
            by_accuracy,
            "That compares accuracies, which always differ a little. Neither is shown to be better until a bet reaches "
            "1/a.",
        ),
        Mistake(
            "significance",
            by_significance,
            "That is the usual test, which may be looked at once; the journals are looked at all the time. Use "
            "`wealth`.",
        ),
        Mistake(
            "never waits",
            stop_or_promote,
            "What is not shown to be worse is not shown to be better. Where neither bet reaches 1/a, it waits.",
        ),
        Mistake(
            "never promotes",
            stop_or_wait,
            "A second bet, with the guesses `1 / gamblers`, is on *better*. Where it reaches 1/a first, promote.",
        ),
    ]


def _journal(text: str, a: float):
    """A journal of signs.

    "l" lost, "g" gained, "=" both right, "x" both wrong, "?" no label yet; "r", "w": only the champion's is known.
    """
    signs = {"l": (1, 0), "g": (0, 1), "=": (1, 1), "x": (0, 0), "?": (-1, -1), "r": (1, -1), "w": (0, -1)}
    old, new = np.array([signs[sign] for sign in text]).T
    return old, new, a


_NOW_CASES = [
    _journal("==l=l==l?l=l=g=l=l==l=l===l=l=l=l==l=l" + "=" * 20, 0.01),  # worse
    _journal("=g==g=g=g?==g=g=g==g=g=gl=g=g=g=g=g" + "=" * 10, 0.01),  # better
    _journal("=l==g===l?==l=g==l=x=l" + "=" * 30, 0.01),  # not yet, though it has lost more
    _journal("l=l==l=l=l=l==l=l=l=l=l=l" + "=g" * 20, 0.01),  # worse, and by now it looks equal
    _journal("g" * 13 + "=l" * 70, 0.01),  # better first
    _journal("l" * 13 + "=g" * 70, 0.01),  # worse first
    _journal("=" * 30 + "x" * 40 + "=lg=", 0.01),  # many errors, nothing learnt
    _journal("=?" * 40 + "=l=g=l" + "?" * 20, 0.01),  # labels that have not come
    _journal("=r=rr==r=r=l=r==rr=r=g=r=rrr=r", 0.01),  # copies that were dropped
    _journal("l==l=l=l=l==l=l==l=l=", 0.01),  # significant for one look, not for this level
    _journal("l==l=l==l=l==l=l==l=", 0.1),
    _journal("====", 0.01),
    _journal("x" * 40 + "l=x" * 11 + "=" * 30, 0.01),  # worse, among many digits that are hard for both
    _journal("=x=" * 30 + "xg=" * 11 + "=" * 30, 0.01),  # better, likewise
    _journal("lllgg" * 60, 0.0097),  # a little worse, for long: 107 just reaches 103
    _journal("lllgg" * 60, 0.009),  # and not 111
    _journal("==w=w" * 12 + "=l=g=", 0.01),  # the champion was wrong, and nobody knows of the challenger
    _journal("=lll=lll=", 0.05),  # the ratio of the bets is high, neither of them is
    _journal("=" * 20 + "l=" * 12 + "=g" * 14 + "=" * 30, 0.002),  # worse, and all but forgotten by digit 50
]

EXERCISES = (
    Exercise(
        "11-1",
        "A canary that grows",
        "modify",
        6,
        "Write `stopped_after(came, s, r, a)`: bet on each error with the challenger's share `s` at that moment and "
        "the one guess `r`, and return after how many errors the wealth first reaches 1/a, or -1 where it never "
        "does. Put your code where the three dots stand.",
        function(stopped_after, _STOPPED_CASES, mistakes=_stopped_mistakes()),
    ),
    Exercise(
        "11-2",
        "Promote, stop or wait?",
        "decide",
        6,
        'Write `what_now(old, new, a)`: "stop", "promote" or "wait", by the first of two bets (worse, better) that '
        "reaches 1/a on the answers of a shadow's journal; -1 is what is not known. Put your code where the "
        "three dots stand.",
        function(what_now, _NOW_CASES, mistakes=_now_mistakes()),
    ),
)
