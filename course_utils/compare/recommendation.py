"""Which model to ship: one rule, stated in words, decided on validation in hours a month; the test only reports."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from course_utils.compare.account import EVERYTHING, Account, Currency, Ranked
from course_utils.compare.candidates import BY_NAME
from course_utils.evaluate import Estimate
from course_utils.language import say

NOTHING = "majority"  # the candidate that stands for shipping no model
LEVEL = 0.95  # of all pairs' intervals together
# What running a model costs, the heaviest first, and up to how many times the least counts as the same.
RUNNING = {"answer_memory_mib": 1.1, "p50_ms": 1.2, "bytes_needed": 1.05}
STEPS = 21  # shares answered alone that are tried: 0, 5, … 100 %
EXCHANGES = 2_000
_CHUNK = 200
FEW = 50


@dataclass(frozen=True)
class Pair:
    """Two candidates on the same validation messages: the hours a month that ``one`` saves against ``other``.

    ``saved`` has an interval that holds at 95 % for all pairs together (`compare_pairs`).
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
    to run first; the first of them that is shown to cost less than people alone is ``chosen``; ``sure`` where ``best``
    is alone. ``runner_up`` is the best of the others, whatever its size. ``pairs`` are all candidates against each
    other, ``times`` how often each was the cheapest of those alike in a single split.
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
        "Models are compared in hours a month on the validation messages, each at the threshold that suits it best: "
        "what people read, and what mistakes cost. Two models are really different where the difference is larger "
        "than what comes of exchanging their answers at random, message by message (2,000 times; 95 % for all pairs "
        "together by Bonferroni's correction). Of the models that are not really different from the best, the one "
        "that is cheapest to run is recommended: the least memory while it answers; within 10 % of memory the "
        "quicker; within 20 % of time the fewer megabytes on disk; within 5 % of those the one with fewer hours. A "
        "model is only recommended if it is shown to cost less than people alone, even with as many mistakes as "
        "validation does not exclude at 95 %. The test messages have no part in the choice: they only report, so "
        "its figures are not flattered by the choosing."
    )


def cheapest_first(
    names: Sequence[str], results: Mapping[str, Mapping[str, Any]], spent: Mapping[str, float]
) -> list[str]:
    """Candidates by what running them costs: memory while answering, then latency, then megabytes.

    Of those that are alike in all three the one that costs least, ``spent``, on validation comes first.
    """
    left, ordered = list(names), []
    while left:
        found = left
        for figure, alike in RUNNING.items():
            least = min(results[name][figure] or 0 for name in found)
            found = [name for name in found if (results[name][figure] or 0) <= alike * least]
        first = min(found, key=lambda name: spent[name])
        ordered.append(first)
        left.remove(first)
    return ordered


def same_to_run(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two candidates cost about the same to run."""
    figures = {figure: sorted((one[figure] or 0, other[figure] or 0)) for figure in RUNNING}
    return all(more <= RUNNING[figure] * less for figure, (less, more) in figures.items())


def compare_pairs(ranked: Mapping[str, Ranked], currency: Currency, seed: int = 0) -> list[Pair]:
    """Every pair of candidates: the hours that the first saves, with intervals that hold for all of them together.

    The two are exchanged message by message, at random, and each time both get the thresholds that then suit them best
    (a permutation test: E. J. G. Pitman (1937), Significance tests which may be applied to samples from any
    populations). So the choice of a threshold, by which either may seem to make no mistakes, counts as the chance that
    it is. The interval reaches as far to both sides as the exchanged differences do at the level of the pair.
    """
    names = list(itertools.combinations(ranked, 2))
    return [Pair(one, other, _saved(ranked[one], ranked[other], len(names), currency, seed)) for one, other in names]


def _saved(one: Ranked, other: Ranked, comparisons: int, currency: Currency, seed: int) -> Estimate:
    n = len(one.wrong)
    places, wrong = np.stack([one.places(), other.places()]), np.stack([one.wrong, other.wrong])
    first, second = (_least(places[k][None], wrong[k][None], currency)[0] for k in (0, 1))
    random, spread = np.random.default_rng(seed), []
    for start in range(0, EXCHANGES, _CHUNK):
        swap = random.random((min(_CHUNK, EXCHANGES - start), n)) < 0.5
        costs = [
            _least(np.where(swap, places[1 - k], places[k]), np.where(swap, wrong[1 - k], wrong[k]), currency)
            for k in (0, 1)
        ]
        spread.append(np.abs(costs[1] - costs[0]))
    reach = float(np.quantile(np.concatenate(spread), 1 - (1 - LEVEL) / max(comparisons, 1), method="higher"))
    value = second - first
    return Estimate(currency.hours(value), currency.hours(value - reach), currency.hours(value + reach), n)


def _least(places: np.ndarray, wrong: np.ndarray, currency: Currency) -> np.ndarray:
    """Minutes a message at the share answered alone that costs least, float (draws,).

    ``places`` float (draws, n): how early a message is answered alone; infinite where a limit sends it to people.
    """
    n = places.shape[1]
    order = np.argsort(places, axis=1)
    mistakes = np.cumsum(np.take_along_axis(wrong, order, axis=1), axis=1)
    mistakes = np.concatenate([np.zeros((len(places), 1)), mistakes], axis=1)
    most = np.isfinite(places).sum(axis=1)
    alone = np.round(np.linspace(0, 1, STEPS) * most[:, None]).astype(int)
    costs = currency.by_hand * (n - alone) + currency.minutes_per_error * np.take_along_axis(mistakes, alone, axis=1)
    return costs.min(axis=1) / n


def choose(
    ranked: Mapping[str, Ranked], results: Mapping[str, Mapping[str, Any]], currency: Currency
) -> tuple[str, list[str], list[Pair]]:
    """(the best on validation, those not really different from it with the cheapest to run first, all pairs)."""
    pairs = compare_pairs(ranked, currency)
    spent = {name: least(one, currency) for name, one in ranked.items()}
    order = cheapest_first(list(ranked), results, spent)
    best = min(order, key=spent.__getitem__)
    apart = {
        name for pair in pairs if pair.different and best in (pair.one, pair.other) for name in (pair.one, pair.other)
    }
    return best, [name for name in order if name == best or name not in apart], pairs


def least(ranked: Ranked, currency: Currency) -> float:
    """What a model costs on validation, in minutes a message, at the share answered alone that suits it best."""
    return float(_least(ranked.places()[None], ranked.wrong[None], currency)[0])


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
    ranked = {name: one.ranked for name, one in accounts.items() if name != NOTHING}
    if not ranked:
        return None
    best, alike, pairs = choose(ranked, results, currency)
    rows = len(ranked[best].wrong)
    worth = [name for name in alike if accounts[name].useful]
    chosen = worth[0] if worth else NOTHING
    others = [name for name in ranked if name != chosen]
    runner_up = min(others, key=lambda name: least(ranked[name], currency)) if others else None
    times: dict[str, int] = dict.fromkeys(ranked, 0)
    for fold in folds if len(folds) > 1 else ():
        times[choose({name: _part(one, fold) for name, one in ranked.items()}, results, currency)[1][0]] += 1
    advice = Recommendation(chosen, best, runner_up, tuple(alike), (), rule(), tuple(pairs), times)
    sentences = [_first(advice, accounts, currency, rows), *_against(advice, results), *_quality(advice, quality)]
    sentences += _splits(advice, len(folds)) + _few(rows, tested)
    return dataclasses.replace(advice, sentences=tuple(sentences))


def _part(ranked: Ranked, rows: np.ndarray) -> Ranked:
    """Some of the messages, in the same order."""
    place = np.full(len(ranked.wrong), -1)
    place[rows] = np.arange(len(rows))
    order = place[ranked.order]
    return Ranked(order[order >= 0], ranked.wrong[rows])


def megabytes(number: float) -> str:
    """Bytes in megabytes, with as many digits as say something."""
    value = number / 1e6
    if value >= 10:
        return f"{value:,.0f} MB"
    return f"{value:.1f} MB" if value >= 0.1 else f"{max(1, round(number / 1e3)):,} kB"


def milliseconds(value: float, *, short: bool = False) -> str:
    """Milliseconds with as many digits as say something; ``short`` for a narrow column."""
    if value < 0.1:
        return "<0.1 ms" if short else say("under 0.1 ms")
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"


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


def _first(advice: Recommendation, accounts: Mapping[str, Account], currency: Currency, rows: int) -> str:
    if advice.ship is None:
        return say(
            "Ship none of these models yet: on the {rows:,} validation messages even the best, “{best}”, is not shown "
            "to cost less than people alone. It promises {hours} hours a month instead of {people}, but may owe that "
            "to a few mistakes that happen to be missing; more labels would show it.",
            rows=rows,
            hours=hours(accounts[advice.best].validation_hours),
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
    if same_to_run(results[advice.chosen], results[name]):
        cheaper = say("The two cost about the same to run: {own_cost}, and {cost}.", **known)
    elif advice.alike.index(name) < advice.alike.index(advice.chosen):
        cheaper = say(
            "The other is the cheaper one to run ({cost}, against {own_cost}), but it is not shown to cost less than "
            "people alone.",
            **known,
        )
    else:
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


def _splits(advice: Recommendation, count: int) -> list[str]:
    if count < 2:
        return []
    return [
        say(
            "By itself, each of {count} splits would have preferred: {times}.",
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
