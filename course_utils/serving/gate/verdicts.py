"""What a test of the gate measured, and what is made of it: passed, refused, not shown.

The rule. A share that was counted on examples is judged by its interval. *Refused* is only what is beyond its limit
even at the interval's kind end, *passed* what keeps it even at the unkind end, and the rest is *not shown*: there are
too few examples to tell. "Not shown" does not stop a model (unless `Target.strict` says so) but is said, because a gate
that refuses whatever it cannot prove refuses every model on 16 examples of a class, and is then switched off.

The intervals are exact (C. J. Clopper and E. S. Pearson (1934), The use of confidence or fiducial limits illustrated in
the case of the binomial, Biometrika 26), and so wide that a model which keeps every limit is refused by one comparison
or another with a probability of at most `Target.false_alarms`, however many comparisons there are (Bonferroni).
Wilson's interval of `course_utils.evaluate` is right on average, and refuses too often near 0 and 1, where limits are.
Simulated with the tickets' 21 comparisons, each exactly at its limit: 3.4 % of the gates refuse; 6.7 % would with
Wilson's intervals, and 32 % (45 % with Wilson's) were each comparison judged by a 95 % interval of its own. Ten answers
in a hundred that change where five may are refused in 86 % of the gates on 400 examples.
"""

import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from course_utils.language import say

PASSED, REFUSED, NOT_SHOWN, NOT_DONE, TOLD = "passed", "refused", "not shown", "not done", "told"
ORDER = (REFUSED, NOT_SHOWN, NOT_DONE, TOLD, PASSED)  # the most urgent first
_SHOWN_CHARACTERS = 60
_MOST_NEEDED = 20_000

Ends = Callable[[float], tuple[float, float]]  # the chance of an error on each side → the interval's ends


@dataclasses.dataclass(frozen=True)
class Measured:
    """What a test measured: a number, and the limit that it has to keep.

    ``value`` may be at most ``limit``, or at least that with ``at_most=False``; without a limit it is told and not
    judged. ``ends(alpha)`` gives the interval of a value that was counted or sampled; without it the value is exact.
    ``what`` names the number, ``unit`` is "share", "ms", "MB", "MiB" or "". ``group`` holds together what stands as
    one line in the table, its worst. ``missing`` says why nothing could be measured, and ``refused`` why the model is
    refused without a number; both are whole sentences.
    """

    test: str
    what: str
    value: float = math.nan
    limit: float | None = None
    at_most: bool = True
    unit: str = ""
    n: int | None = None
    ends: Ends | None = None
    example: str = ""
    group: str = ""
    missing: str = ""
    refused: str = ""


@dataclasses.dataclass(frozen=True)
class Result:
    """A measurement with its interval and the verdict on it."""

    measured: Measured
    low: float
    high: float
    verdict: str
    alpha: float = 0.05  # the chance of an error that each end of the interval has

    @property
    def sentence(self) -> str:
        """What was measured and what is allowed, with an example where there is one."""
        one = self.measured
        if one.missing or one.refused:
            return say("{test}: {why}", test=one.test, why=one.missing or one.refused)
        fields = {
            "test": one.test,
            "what": one.what,
            "value": number(one.value, one.unit),
            "low": number(self.low, one.unit),
            "high": number(self.high, one.unit),
            "n": one.n or 0,
            "limit": "" if one.limit is None else number(one.limit, one.unit),
        }
        more = ""
        if self.verdict == NOT_SHOWN and isinstance(one.ends, Exact):
            n = needed(one, self.alpha)
            more = say("About {n:,} examples would tell.", n=n) if n else say("It is too near its limit to tell.")
        return " ".join(filter(None, [say(_template(one), **fields), more, one.example]))

    def facts(self) -> dict[str, Any]:
        """All of it for JSON, where a number that is none is null."""
        one = self.measured
        found = {name: getattr(one, name) for name in ("test", "what", "unit", "n", "at_most", "group", "example")}
        numbers = {"value": one.value, "low": self.low, "high": self.high, "limit": one.limit}
        finite = {name: None if v is None or not math.isfinite(v) else float(v) for name, v in numbers.items()}
        return {**found, **finite, "verdict": self.verdict, "sentence": self.sentence}


def _template(one: Measured) -> str:
    if one.ends is None:
        if one.limit is None:
            return "{test}, {what}: {value}."
        return (
            "{test}, {what}: {value}; allowed {limit}." if one.at_most else "{test}, {what}: {value}; wanted {limit}."
        )
    if one.limit is None:
        return "{test}, {what}: {value} ({low} to {high}, n = {n:,})."
    if one.at_most:
        return "{test}, {what}: {value} ({low} to {high}, n = {n:,}); allowed {limit}."
    return "{test}, {what}: {value} ({low} to {high}, n = {n:,}); wanted {limit}."


def share(
    test: str,
    failed: Sequence[bool] | np.ndarray,
    *,
    allowed: float | None,
    what: str = "",
    example: str = "",
    group: str = "",
) -> Measured:
    """The share of examples that failed a test, bool (n,), against the share that may; counted, so with an interval."""
    failed = np.asarray(failed, bool)
    what = what or say("share that failed")
    if not failed.size:
        return Measured(test, what, group=group, missing=say("there is no example to try it on."))
    count, n = int(failed.sum()), int(failed.size)
    return Measured(test, what, count / n, allowed, True, "share", n, Exact(count, n), example, group)


@dataclasses.dataclass(frozen=True)
class Exact:
    """Clopper's and Pearson's ends for a share of ``count`` in ``n``."""

    count: int
    n: int

    def __call__(self, alpha: float) -> tuple[float, float]:
        """The ends, each of which errs with the chance ``alpha``."""
        from scipy.stats import beta

        count, n = self.count, self.n
        low = 0.0 if count == 0 else float(beta.ppf(alpha, count, n - count + 1))
        high = 1.0 if count == n else float(beta.isf(alpha, count + 1, n - count))
        return low, high


def quantile_ends(values: np.ndarray, quantile: float) -> Ends:
    """The ends for a quantile of independent values, float (n,), from their order alone; no shape is assumed.

    The upper end is infinite where there are too few values to say.
    """
    ordered = np.sort(values)

    def ends(alpha: float) -> tuple[float, float]:
        from scipy.stats import binom

        n = len(ordered)
        ranks = np.arange(1, n + 1)  # the r-th smallest lies above the quantile where fewer than r lie below it
        above, below = binom.cdf(ranks - 1, n, quantile), binom.sf(ranks - 1, n, quantile)
        lows, highs = np.flatnonzero(above <= alpha), np.flatnonzero(below <= alpha)
        return (
            float(ordered[lows[-1]]) if len(lows) else 0.0,
            float(ordered[highs[0]]) if len(highs) else math.inf,
        )

    return ends


def judge(measured: Iterable[Measured], false_alarms: float) -> list[Result]:
    """A verdict on each; what is judged by an interval shares the ``false_alarms`` that the whole may give."""
    measured = list(measured)
    compared = sum(one.ends is not None and one.limit is not None for one in measured)
    return [_judged(one, false_alarms / max(1, compared)) for one in measured]


def _judged(one: Measured, alpha: float) -> Result:
    if one.refused or one.missing:
        return Result(one, math.nan, math.nan, REFUSED if one.refused else NOT_DONE)
    low, high = one.ends(alpha) if one.ends else (one.value, one.value)
    if math.isnan(one.value):
        return Result(one, low, high, REFUSED if one.limit is not None else TOLD, alpha)
    if one.limit is None:
        return Result(one, low, high, TOLD)
    kind, unkind = (low, high) if one.at_most else (-high, -low)
    limit = one.limit if one.at_most else -one.limit
    verdict = REFUSED if kind > limit else PASSED if unkind <= limit else NOT_SHOWN
    return Result(one, low, high, verdict, alpha)


def needed(one: Measured, alpha: float) -> int | None:
    """About how many examples would tell a counted share from its limit, were it what it is here; None for too many."""
    n = one.n or 1
    while n < _MOST_NEEDED:
        n = math.ceil(n * 1.1)
        low, high = Exact(round(one.value * n), n)(alpha)
        if one.limit < low or high < one.limit:
            return n
    return None


def number(value: float, unit: str) -> str:
    """A number as a reader sees it."""
    if not math.isfinite(value):
        return say("unknown") if math.isnan(value) else "∞"
    if unit == "share":
        return f"{value:.1%}"
    text = f"{value:.1f}" if unit in ("ms", "MB", "MiB") and value >= 1 else f"{value:.3g}"
    return f"{text} {unit}".strip()


def excerpt(before: str, after: str = "") -> tuple[str, str]:
    """Two texts on one line each, cut to the neighbourhood of their first difference."""
    before, after = " ".join(before.split()), " ".join(after.split())
    common = 0
    while common < min(len(before), len(after)) and before[common] == after[common]:
        common += 1
    start = max(0, min(common, len(before), max(len(before), len(after)) - _SHOWN_CHARACTERS // 2) - 20)
    return _cut(before, start), _cut(after, start)


def _cut(text: str, start: int) -> str:
    if len(text) <= _SHOWN_CHARACTERS:
        return text
    start = max(0, min(start, len(text) - _SHOWN_CHARACTERS))
    middle = text[start : start + _SHOWN_CHARACTERS]
    return f"{'…' if start else ''}{middle}{'…' if start + _SHOWN_CHARACTERS < len(text) else ''}"
