"""Which model to ship: one rule, stated in words, decided on validation in hours a month; the test only reports."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from course_utils.compare.account import EVERYTHING, Account, Currency
from course_utils.compare.candidates import BY_NAME
from course_utils.evaluate import Estimate
from course_utils.language import say

NOTHING = "majority"  # the candidate that stands for shipping no model
LEVEL = 0.95  # of all pairs' intervals together
SAME_MEMORY, SAME_SPEED = 1.1, 1.2
FEW = 50


@dataclass(frozen=True)
class Pair:
    """Two candidates on the same validation messages: the hours a month that ``one`` saves against ``other``.

    ``saved`` has the paired interval, which holds at 95 % for all pairs together.
    """

    one: str
    other: str
    saved: Estimate

    @property
    def different(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.saved.low > 0 or self.saved.high < 0


@dataclass(frozen=True)
class Recommendation:
    """What to ship: the candidate's name, the sentences that say so, the rule, and how sure it is.

    ``best`` costs fewest hours on validation; ``alike`` are those that are not really different from it, the cheapest
    to run first, so that the first is ``chosen``; ``sure`` where it is alone among them. ``runner_up`` is the best of
    the others, whatever its size. ``pairs`` are all candidates against each other, ``times`` how often each would have
    been chosen in the single splits.
    """

    chosen: str
    best: str
    runner_up: str | None
    alike: tuple[str, ...]
    sentences: tuple[str, ...]
    rule: str
    pairs: tuple[Pair, ...] = ()
    times: Mapping[str, int] = field(default_factory=dict)

    @property
    def ship(self) -> str | None:
        """The model to ship; None where none is worth more than doing without."""
        return None if self.chosen == NOTHING else self.chosen

    @property
    def sure(self) -> bool:
        """Whether every other candidate is really different from the chosen one."""
        return len(self.alike) == 1

    def pair(self, one: str, other: str) -> Pair:
        """The pair of two candidates, as seen from ``one``."""
        for each in self.pairs:
            if (each.one, each.other) == (one, other):
                return each
            if (each.one, each.other) == (other, one):
                saved = each.saved
                return Pair(one, other, Estimate(-saved.value, -saved.high, -saved.low, saved.n))
        raise KeyError((one, other))

    def __str__(self) -> str:
        return " ".join(self.sentences)


def rule() -> str:
    """The rule in words."""
    return say(
        "Each model is charged in hours a month on the validation messages, at its own threshold: what people read, "
        "and what its mistakes cost. A model is really different from another where the paired interval of the "
        "difference leaves out zero (Student's t over the messages, at 95 % for all pairs together by Bonferroni's "
        "correction). Of the models that are not really different from the best, the one that is cheapest to run is "
        "recommended: the least memory while it answers; within 10 % of memory the quicker; within 20 % of time the "
        "fewer megabytes on disk. None is recommended where always answering the largest class, or people alone, are "
        "among them. The test messages have no part in the choice: they only report, so its figures are not flattered "
        "by the choosing."
    )


def cheapest_first(names: Sequence[str], results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Candidates by what running them costs: memory while answering, then latency, then megabytes."""
    left, ordered = list(names), []
    while left:
        least = min(results[name]["answer_memory_mib"] or 0 for name in left)
        small = [name for name in left if (results[name]["answer_memory_mib"] or 0) <= SAME_MEMORY * least]
        quickest = min(results[name]["p50_ms"] for name in small)
        quick = [name for name in small if results[name]["p50_ms"] <= SAME_SPEED * quickest]
        first = min(quick, key=lambda name: results[name]["bytes_needed"])
        ordered.append(first)
        left.remove(first)
    return ordered


def compare_pairs(minutes: Mapping[str, np.ndarray], currency: Currency) -> list[Pair]:
    """Every pair of candidates: the hours that the first saves, with intervals that hold for all of them together.

    ``minutes``: what each validation message costs with each candidate, float (n,). Student's t over the paired
    differences: with fewer than some hundred messages, and costs of few different sizes, a percentile bootstrap says
    "different" of equal models in up to a tenth of all cases where a twentieth is promised.
    """
    names = list(itertools.combinations(minutes, 2))
    return [Pair(one, other, _saved(minutes[other] - minutes[one], len(names), currency)) for one, other in names]


def _saved(differences: np.ndarray, comparisons: int, currency: Currency) -> Estimate:
    from scipy.stats import t

    n = len(differences)
    error = differences.std(ddof=1) / np.sqrt(n) if n > 1 else np.inf
    reach = 0.0 if error == 0 else t.ppf(1 - (1 - LEVEL) / 2 / max(comparisons, 1), n - 1) * error
    value = differences.mean()
    return Estimate(currency.hours(value), currency.hours(value - reach), currency.hours(value + reach), n)


def choose(
    minutes: Mapping[str, np.ndarray], results: Mapping[str, Mapping[str, Any]], currency: Currency
) -> tuple[str, list[str], list[Pair]]:
    """(the best on validation, those not really different from it with the cheapest to run first, all pairs)."""
    pairs = compare_pairs(minutes, currency)
    order = cheapest_first(list(minutes), results)
    best = min(order, key=lambda name: minutes[name].mean())
    apart = {
        name for pair in pairs if pair.different for name in (pair.one, pair.other) if best in (pair.one, pair.other)
    }
    return best, [name for name in order if name == best or name not in apart], pairs


def recommend(
    results: Mapping[str, Mapping[str, Any]],
    accounts: Mapping[str, Account],
    quality: Mapping[str, tuple[Estimate, Estimate]],
    currency: Currency,
    folds: Sequence[np.ndarray] = (),
    tested: int = 0,
) -> Recommendation | None:
    """The recommendation from the candidates that finished; None where nothing but majority did.

    ``quality`` has macro-F1 on validation and on the test, ``folds`` the rows of validation that belong to each single
    split, ``tested`` the number of test messages.
    """
    if not set(results) - {NOTHING}:
        return None
    minutes = {name: account.minutes for name, account in accounts.items()}
    best, alike, pairs = choose(minutes, results, currency)
    chosen = alike[0]
    others = [name for name in minutes if name not in (chosen, NOTHING)]
    runner_up = min(others, key=lambda name: minutes[name].mean()) if others else None
    times: dict[str, int] = dict.fromkeys(minutes, 0)
    for rows in folds if len(folds) > 1 else ():
        one = choose({name: each[rows] for name, each in minutes.items()}, results, currency)[1][0]
        times[one] += 1
    advice = Recommendation(chosen, best, runner_up, tuple(alike), (), rule(), tuple(pairs), times)
    sentences = [_first(advice, accounts, currency), *_against(advice, results), *_quality(advice, quality)]
    sentences += _found(advice, accounts) + _splits(advice, len(folds)) + _few(len(minutes[best]), tested)
    return Recommendation(chosen, best, runner_up, tuple(alike), tuple(sentences), rule(), tuple(pairs), times)


def megabytes(number: float) -> str:
    """Bytes in megabytes, with as many digits as say something."""
    value = number / 1e6
    if value >= 10:
        return f"{value:,.0f} MB"
    return f"{value:.1f} MB" if value >= 0.1 else f"{max(1, round(number / 1e3)):,} kB"


def milliseconds(value: float) -> str:
    """Milliseconds with as many digits as say something."""
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms" if value >= 0.1 else "under 0.1 ms"


def hours(value: float) -> str:
    """Hours with as many digits as say something, and a minus sign that is one."""
    return (
        f"{value:,.0f}".replace("-", "−")
        if abs(value) >= 100
        else f"{value:.1f}".replace("-0.0", "0.0").replace("-", "−")
    )


def cost_to_run(result: Mapping[str, Any]) -> str:
    """Memory while answering, latency and megabytes of a candidate, in words."""
    memory = result["answer_memory_mib"]
    words = {"time": milliseconds(result["p50_ms"]), "size": megabytes(result["bytes_needed"])}
    if memory is None:
        return say("{time} a message, {size}", **words)
    return say("{memory:,.0f} MiB while it answers, {time} a message, {size}", memory=memory, **words)


def _first(advice: Recommendation, accounts: Mapping[str, Account], currency: Currency) -> str:
    if advice.ship is None:
        return say(
            "Ship none of these models yet: on the {rows:,} validation messages even the best, “{best}”, is not really "
            "different from doing without (people alone: {people} hours a month).",
            rows=len(accounts[advice.best].minutes),
            best=BY_NAME[advice.best].title,
            people=hours(currency.people_alone),
        )
    own = accounts[advice.chosen]
    known = {
        "title": BY_NAME[advice.chosen].title,
        "hours": hours(own.hours.value),
        "low": hours(own.hours.low),
        "high": hours(own.hours.high),
        "people": hours(currency.people_alone),
        "alone": own.alone,
        "threshold": own.threshold,
    }
    if own.threshold == EVERYTHING:
        return say(
            "Ship “{title}” to sort, and let people read every message: {hours} hours a month on the test.", **known
        )
    return say(
        "Ship “{title}”: it answers {alone:.0%} of the test messages alone (threshold {threshold:.2f}), and the team "
        "spends {hours} hours a month (95 % interval {low} to {high}) instead of {people}.",
        **known,
    )


def _against(advice: Recommendation, results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is known about the difference to the runner-up and to the others that are alike."""
    if advice.runner_up is None or advice.ship is None:
        return []
    name = advice.runner_up
    saved = advice.pair(advice.chosen, name).saved
    known = {
        "other": BY_NAME[name].title,
        "saved": hours(abs(saved.value)),
        "low": hours(saved.low),
        "high": hours(saved.high),
        "rows": saved.n,
        "own_cost": cost_to_run(results[advice.chosen]),
        "cost": cost_to_run(results[name]),
    }
    if name not in advice.alike:
        return [
            say(
                "The runner-up, “{other}” ({cost}), costs {saved} hours a month more on the {rows:,} validation "
                "messages (interval {low} to {high}).",
                **known,
            )
        ]
    if saved.value >= 0:
        between = say(
            "There is no real difference to the runner-up, “{other}”, on these messages: {saved} hours a month more, "
            "interval {low} to {high}, on {rows:,} validation messages.",
            **known,
        )
    else:
        between = say(
            "There is no real difference to “{other}” on these messages, though it needs {saved} hours a month less: "
            "what the choice saves has the interval {low} to {high}, on {rows:,} validation messages.",
            **known,
        )
    cheaper = say("The choice is the cheaper one to run: {own_cost}, against {cost}.", **known)
    more = [BY_NAME[one].title for one in advice.alike if one not in (advice.chosen, name)]
    if not more:
        return [between, cheaper]
    return [between, cheaper, say("Nor is there one to: {names}.", names=", ".join(f"“{one}”" for one in more))]


def _quality(advice: Recommendation, quality: Mapping[str, tuple[Estimate, Estimate]]) -> list[str]:
    if advice.ship is None:
        return []
    held, tested = quality[advice.chosen]
    return [
        say(
            "Its macro-F1 is {held:.3f} on validation and {tested:.3f} on the test (95 % interval {low:.3f} to "
            "{high:.3f}).",
            held=held.value,
            tested=tested.value,
            low=tested.low,
            high=tested.high,
        )
    ]


def _found(advice: Recommendation, accounts: Mapping[str, Account]) -> list[str]:
    """Nothing yet said about the classes that must be found: the report's table does."""
    return []


def _splits(advice: Recommendation, count: int) -> list[str]:
    if count < 2:
        return []
    return [
        say(
            "By itself, each of {count} splits would have chosen: {times}.",
            count=count,
            times=", ".join(f"“{BY_NAME[name].title}” {n}×" for name, n in advice.times.items() if n),
        )
    ]


def _few(rows: int, tested: int) -> list[str]:
    if min(rows, tested) >= FEW:
        return []
    return [
        say(
            "The data are few ({rows:,} validation and {tested:,} test messages): the intervals are wide, and this is "
            "a guess until you have more.",
            rows=rows,
            tested=tested,
        )
    ]
