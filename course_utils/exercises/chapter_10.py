"""The exercises of chapter 10, Deployment."""

import numpy as np

from course_utils.exercises.judges import Mistake, function
from course_utils.exercises.verdicts import Exercise

# 10-1 ---------------------------------------------------------------------------------------------------------------


def through_int8(w):
    """What eight bits leave of ``w``, with a scale for each channel of its last axis; float, the shape of ``w``."""
    return _through(w)


def _through(w, *, axes="channels", steps=127, rounding=np.round, guard=True, gives="restored"):
    """`through_int8`; the options are mistakes."""
    w = np.asarray(w, float)
    by = {
        "channels": tuple(range(w.ndim - 1)),
        "whole": tuple(range(w.ndim)),
        "rows": -1,
        "first": tuple(range(1, w.ndim)),
        "over the first": 0,
    }[axes]
    s = np.abs(w).max(axis=by, keepdims=True) / steps
    if guard:
        s = np.where(s == 0, 1.0, s)
    with np.errstate(invalid="ignore", divide="ignore"):
        q = rounding(w / s)
    return {"restored": s * q, "numbers": q, "scales": s.ravel()}[gives]


def _int8_mistakes() -> list[Mistake]:
    def with_option(**option):
        return lambda w: _through(w, **option)

    def signed_maximum(w):
        s = np.max(w, axis=tuple(range(w.ndim - 1))) / 127
        s = np.where(s == 0, 1.0, s)
        return s * np.clip(np.round(w / s), -128, 127)

    def with_zero(w):
        low, high = (f(w, axis=tuple(range(w.ndim - 1))) for f in (np.min, np.max))
        s = np.where(high == low, 1.0, (high - low) / 255)
        z = np.round(-128 - low / s)
        return s * (np.clip(np.round(w / s) + z, -128, 127) - z)

    def unchanged(w):
        return w * 1.0

    def spread(w):
        s = np.where(w.std() == 0, 1.0, np.std(w, axis=tuple(range(w.ndim - 1)))) / 127
        s = np.where(s == 0, 1.0, s)
        return s * np.round(w / s)

    axis = (
        "The scales belong to the wrong axis. A channel is one place of the *last* axis: take the maximum over all "
        "others, `axis=tuple(range(w.ndim - 1))`."
    )
    return [
        Mistake(
            "one scale for all",
            with_option(axes="whole"),
            "That is section 2's one scale for the whole layer. Take the maximum of each channel: over all axes but "
            "the last.",
        ),
        Mistake("wrong axis", with_option(axes="rows"), axis),
        Mistake("first axis", with_option(axes="first"), axis),
        Mistake(
            "over the first axis",
            with_option(axes="over the first"),
            "The kernel of a convolution has three axes before its channels: take the maximum over all but the last, "
            "`axis=tuple(range(w.ndim - 1))`, not over the first alone.",
        ),
        Mistake(
            "zeros",
            with_option(guard=False),
            "A channel of zeros has the scale 0, and 0 / 0 is NaN. Give it any other scale: 1, say.",
        ),
        Mistake(
            "numbers, not restored",
            with_option(gives="numbers"),
            "These are the whole numbers q. Multiply them by their scales, to get back to the size of w.",
        ),
        Mistake("scales", with_option(gives="scales"), "These are the scales. The restored weights are asked for."),
        Mistake(
            "cut off",
            with_option(rounding=np.trunc),
            "The numbers are cut off, not rounded (`astype` cuts off): errors reach a whole step. Use `np.round`.",
        ),
        Mistake("rounded down", with_option(rounding=np.floor), "Round to the *nearest* whole number: `np.round`."),
        Mistake(
            "128 steps",
            with_option(steps=128),
            "With a zero of 0 the largest weight should become 127, the largest whole number of int8: divide by 127.",
        ),
        Mistake(
            "255 steps",
            with_option(steps=255),
            "255 steps lie between −128 and 127, but from nought to the largest there are 127: divide by 127.",
        ),
        Mistake(
            "maximum without the sign",
            signed_maximum,
            "The largest weight may be negative: take the maximum of `np.abs(w)`, or it is clipped.",
        ),
        Mistake(
            "a zero of its own",
            with_zero,
            "That uses the whole range from the smallest to the largest, with a zero z. Here z = 0 and the scale is "
            "the largest |w| over 127.",
        ),
        Mistake("nothing done", unchanged, "That is w as it was. Round w / s to whole numbers, then multiply by s."),
        Mistake(
            "standard deviation",
            spread,
            "The scale comes from the *largest* |w| of a channel, not from its standard deviation.",
        ),
    ]


def _weights(shape, spread, seed):
    draws = np.random.default_rng(seed).normal(size=shape)
    return np.round(draws * np.asarray(spread), 4)


_INT8_CASES = [
    (_weights((6, 3), [1.0, 0.05, 3.0], 0),),
    (_weights((3, 3, 2, 4), [0.2, 1.0, 0.0, 2.5], 1),),
    (-np.abs(_weights((5, 2), [1.0, 0.3], 2)),),
    (_weights((4, 4), [2.0, 0.1, 0.7, 0.01], 3),),
]

# 10-2 ---------------------------------------------------------------------------------------------------------------


def what_ships(lost, gained, n, p99, mb, max_ms, max_mb, may_lose):
    """The first variant that keeps its limits, the loss at the upper end of its paired interval; -1 for none."""
    return _ships(lost, gained, n, p99, mb, max_ms, max_mb, may_lose)


def _ships(
    lost,
    gained,
    n,
    p99,
    mb,
    max_ms,
    max_mb,
    may_lose,
    *,
    end="upper",
    leaves=(),
    pick="first",
    strict=False,
    none=-1,
    z=1.96,
    square=1,
    more=2,
):
    """`what_ships`; the options are mistakes."""
    lost, gained, p99, mb = (np.asarray(one, float) for one in (lost, gained, p99, mb))
    p, g = (lost + 1) / (n + 2), (gained + 1) / (n + 2)
    half = z * np.sqrt((p + g - square * (p - g) ** 2) / (n + more))
    a, b = lost / n, gained / n
    value = {
        "upper": p - g + half,
        "lower": p - g - half,
        "estimate": a - b,
        "gain": g - p + half,
        "lost only": a,
        "percent": 100 * (p - g + half),
        "plain": a - b + 1.96 * np.sqrt((a + b - (a - b) ** 2) / n),
        "unpaired": a - b + 1.96 * np.sqrt((a * (1 - a) + b * (1 - b)) / n) + 0.01,
    }[end]
    below = np.less if strict else np.less_equal
    kept = {"loss": below(value, may_lose), "ms": below(p99, max_ms), "mb": below(mb, max_mb)}
    keeps = np.logical_and.reduce([held for name, held in kept.items() if name not in leaves])
    if not keeps.any():
        return none
    fit = np.flatnonzero(keeps)
    return int(
        {"first": fit[0], "last": fit[-1], "smallest": fit[mb[fit].argmin()], "fastest": fit[p99[fit].argmin()]}[pick]
    )


_WIDTH = "Your interval is not the one of 95 %, whose z is 1.96. Use `paired_loss` of section 3 as it stands."


def _ships_mistakes() -> list[Mistake]:
    def with_option(**option):
        return lambda *given: _ships(*given, **option)

    def mask(*given):
        lost, gained, n, p99, mb, max_ms, max_mb, may_lose = given
        p, g = (np.asarray(lost) + 1) / (n + 2), (np.asarray(gained) + 1) / (n + 2)
        upper = p - g + 1.96 * np.sqrt((p + g - (p - g) ** 2) / (n + 2))
        return (upper <= may_lose) & (np.asarray(p99) <= max_ms) & (np.asarray(mb) <= max_mb)

    def argmax_alone(*given):
        return int(mask(*given).argmax())

    return [
        Mistake(
            "the estimate",
            with_option(end="estimate"),
            "That judges by lost minus gained, the estimate. What the images *show* is the upper end of the interval.",
        ),
        Mistake("lower end", with_option(end="lower"), "That is the lower end, the kindest. Take the upper one."),
        Mistake(
            "gain for loss",
            with_option(end="gain"),
            "The signs are the wrong way round: what was lost costs, what was gained helps.",
        ),
        Mistake(
            "lost only",
            with_option(end="lost only"),
            "What was gained counts, too, and the interval is missing: use `paired_loss` of section 3.",
        ),
        Mistake("percent", with_option(end="percent"), "`may_lose` is a share, not points: do not multiply by 100."),
        Mistake(
            "plain interval",
            with_option(end="plain"),
            "Without the ones and twos the interval has no width where nothing was lost or gained. Use `paired_loss` "
            "of section 3 as it stands.",
        ),
        Mistake("90 %", with_option(z=1.645), _WIDTH),
        Mistake("99 %", with_option(z=2.576), _WIDTH),
        Mistake(
            "square left out",
            with_option(square=0),
            "(p − g)² is missing under the root. Use `paired_loss` of section 3 as it stands.",
        ),
        Mistake(
            "n for n + 2",
            with_option(more=0),
            "Under the root stands n + 2, not n. Use `paired_loss` of section 3 as it stands.",
        ),
        Mistake("time left out", with_option(leaves=("ms",)), "The p99 has a limit, too: `p99 <= max_ms`."),
        Mistake("size left out", with_option(leaves=("mb",)), "The size has a limit, too: `mb <= max_mb`."),
        Mistake(
            "loss left out", with_option(leaves=("loss",)), "The loss has a limit, too: its upper end, `may_lose`."
        ),
        Mistake(
            "the last", with_option(pick="last"), "The *first* that keeps all limits ships: it takes the least work."
        ),
        Mistake(
            "the smallest",
            with_option(pick="smallest"),
            "That is the smallest of those that keep the limits. The target asks for no more than its limits: take the "
            "first.",
        ),
        Mistake(
            "the fastest",
            with_option(pick="fastest"),
            "That is the fastest of those that keep the limits. The target asks for no more than its limits: take the "
            "first.",
        ),
        Mistake("strict", with_option(strict=True), "A limit that is met exactly is kept: compare with `<=`."),
        Mistake("0 for none", argmax_alone, "Where none keeps all limits, `argmax` gives 0. Return -1 there."),
        Mistake("None for none", with_option(none=None), "Where none keeps all limits, return -1."),
        Mistake("mask", mask, "That says which variants keep their limits. Return the number of the first one."),
    ]


def _variants(rows, *limits, n):
    lost, gained, p99, mb = map(np.array, zip(*rows, strict=True))
    return (lost, gained, n, p99.astype(float), mb.astype(float), *map(float, limits))


_SHIPS_CASES = [
    # too slow · too large · five lost and three gained are not shown · good · smaller and faster, not needed
    _variants([(0, 0, 53, 0.3), (0, 0, 1, 9), (5, 3, 1, 0.5), (0, 0, 4, 0.5), (0, 1, 2, 0.1)], 20, 1, 0.003, n=1411),
    # gained more than lost, and yet not shown; the last is better than before by far
    _variants([(9, 12, 3, 2), (30, 2, 1, 2), (1, 20, 6, 3)], 10, 4, 0.003, n=1000),
    # met exactly
    _variants([(0, 0, 20.5, 1), (0, 0, 20, 8), (0, 0, 5, 2)], 20, 8, 0.004, n=1000),
    # none
    _variants([(0, 0, 30, 1), (12, 0, 2, 1)], 20, 2, 0.003, n=1411),
    # 100 images cannot show it, whatever was lost
    _variants([(0, 0, 2, 1), (0, 6, 2, 1)], 20, 2, 0.01, n=100),
    _variants([(2, 2, 2, 3), (0, 0, 2, 2)], 20, 4, 0.002, n=10_000),
    _variants([(9, 2, 2, 3), (0, 20, 2, 3)], 20, 4, 0.003, n=1000),
    _variants([(2, 0, 2, 3), (0, 0, 2, 3)], 20, 4, 0.003, n=1411),
    _variants([(0, 0, 3, 2), (0, 0, 2, 1), (0, 0, 4, 3)], 20, 4, 0.003, n=1411),
    _variants([(0, 0, 2, 3), (0, 0, 1, 2)], 20, 4, 0.0002, n=10_000),
    # one image decides: 0.31 points at most, and 0.20
    _variants([(1, 0, 2, 3), (0, 0, 1, 2)], 20, 4, 0.003, n=1411),
    _variants([(1, 0, 2, 3), (0, 0, 1, 2)], 20, 4, 0.0021, n=1411),
    # few images, and much lost: every term of the interval counts
    _variants([(0, 0, 2, 3), (0, 9, 1, 2)], 20, 4, 0.129, n=20),
    _variants([(300, 0, 2, 3), (0, 0, 1, 2)], 20, 4, 0.33, n=1000),
]

EXERCISES = (
    Exercise(
        "10-1",
        "A scale for each channel",
        "modify",
        8,
        "Write `through_int8(w)`: each channel of the last axis gets its own scale, its largest |w| over 127; divide, "
        "round to whole numbers, and multiply by the scale again. It returns a float array of the shape of `w`; a "
        "channel of zeros stays zero. Put your code where the three dots stand.",
        function(through_int8, _INT8_CASES, mistakes=_int8_mistakes()),
    ),
    Exercise(
        "10-2",
        "Which variant ships?",
        "decide",
        8,
        "Write `what_ships(lost, gained, n, p99, mb, max_ms, max_mb, may_lose)`: the number, from 0, of the first "
        "variant whose p99, size and loss (the upper end of the paired interval of section 3) are at most what the "
        "limits allow, or -1 where there is none. Put your code where the three dots stand.",
        function(what_ships, _SHIPS_CASES, mistakes=_ships_mistakes()),
    ),
)
