"""Which model to ship: one rule, stated in words, decided on validation; the test only reports."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from course_utils.compare.candidates import BY_NAME
from course_utils.compare.scores import Draws, beats_chance
from course_utils.evaluate import Estimate
from course_utils.language import say, say_many

SAME_SIZE = 1.05
SAME_SPEED = 1.2
FEW = 50


@dataclass(frozen=True)
class Recommendation:
    """What to ship: the candidate's name, the sentences that say so, the rule, and how sure it is.

    ``sure`` is True where the whole interval of the shortfall lies within the margin. ``shortfalls`` has each
    candidate's on validation; ``test_shortfall`` the chosen one's on the test.
    """

    chosen: str
    best: str
    sentence: str
    rule: str
    sure: bool
    notes: tuple[str, ...] = ()
    shortfalls: dict[str, Estimate] = field(default_factory=dict)
    test_shortfall: Estimate | None = None

    @property
    def ship(self) -> str | None:
        """The model to ship; None where none is worth more than always answering the largest class."""
        return None if self.chosen == "majority" else self.chosen

    def __str__(self) -> str:
        return " ".join([self.sentence, *self.notes])


def rule(margin: float) -> str:
    """The rule in words."""
    return say(
        "The smallest model whose macro-F1 on the validation messages is at most {margin:.3g} points below that of the "
        "best model there. Small means the megabytes that have to be on the machine, the encoder included. Of models "
        "within 5 % in size the faster counts as smaller, and within 20 % in speed the better one. The test messages "
        "have no part in the choice: they only report, so its figures are not flattered by the choosing. None is "
        "recommended where even the best does no better on validation than its own answers dealt out to the messages "
        "by chance (99 % of the deals).",
        margin=100 * margin,
    )


def recommend(
    results: dict[str, dict[str, Any]],
    validation: np.ndarray,
    test: np.ndarray,
    classes: int,
    *,
    margin: float,
    seed: int = 0,
) -> Recommendation | None:
    """The recommendation from the results of the candidates that finished; None where nothing but majority did."""
    if not set(results) - {"majority"}:
        return None
    held = Draws.of(validation, classes, seed=seed)
    tested = Draws.of(test, classes, seed=seed + 1)
    said = {name: np.array(one["answers"]["validation"]["predictions"]) for name, one in results.items()}
    final = {name: np.array(one["answers"]["test"]["predictions"]) for name, one in results.items()}
    quality = {name: held.estimates(one)[0].value for name, one in said.items()}
    best = max(results, key=lambda name: (quality[name], -results[name]["bytes_needed"]))
    shortfalls = {name: held.shortfall(said[best], one) for name, one in said.items()}
    within = [name for name, one in shortfalls.items() if one.value <= margin]
    useful = beats_chance(validation, said[best], classes, seed=seed)
    chosen = smallest(within, results, quality) if useful else "majority"
    sure = shortfalls[chosen].high <= margin
    report = tested.shortfall(final[best], final[chosen])
    sentence = _sentence(chosen, best, shortfalls, tested.estimates(final[chosen])[0], results, len(validation), useful)
    notes = _notes(chosen, best, shortfalls, report, margin, sure, len(validation), len(test), useful)
    if useful and chosen == best:
        name = _best_of_the_smaller(chosen, shortfalls, results)
        if name:
            tests = tested.shortfall(final[chosen], final[name])
            notes = [_instead(name, shortfalls[name], tests, results[name], margin), *notes]
    return Recommendation(chosen, best, sentence, rule(margin), sure, tuple(notes), shortfalls, report)


def smallest(names: list[str], results: dict[str, dict[str, Any]], quality: dict[str, float]) -> str:
    """The smallest of these by bytes; among those of nearly that size the fastest; among those as fast the best."""
    least = min(results[name]["bytes_needed"] for name in names)
    small = [name for name in names if results[name]["bytes_needed"] <= SAME_SIZE * least]
    quick = min(results[name]["p50_ms"] for name in small)
    fast = [name for name in small if results[name]["p50_ms"] <= SAME_SPEED * quick]
    return max(fast, key=lambda name: quality[name])


def megabytes(number: float) -> str:
    """Bytes in megabytes, with as many digits as say something."""
    value = number / 1e6
    if value >= 10:
        return f"{value:,.0f} MB"
    return f"{value:.1f} MB" if value >= 0.1 else f"{max(1, round(number / 1e3)):,} kB"


def milliseconds(value: float) -> str:
    """Milliseconds with as many digits as say something."""
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms" if value >= 0.1 else "under 0.1 ms"


def points(value: float) -> str:
    """A share of one as points: 0.021 → "2.1"."""
    return f"{100 * value:.1f}".replace("-0.0", "0.0").replace("-", "−")


def _sentence(
    chosen: str,
    best: str,
    shortfalls: dict[str, Estimate],
    score: Estimate,
    results: dict[str, dict[str, Any]],
    rows: int,
    useful: bool,
) -> str:
    one = results[chosen]
    known = {
        "title": BY_NAME[chosen].title,
        "best": BY_NAME[best].title,
        "size": megabytes(one["bytes_needed"]),
        "time": milliseconds(one["p50_ms"]),
        "score": score.value,
        "low": score.low,
        "high": score.high,
    }
    if not useful:
        return say(
            "Ship none of these models yet: on the {rows:,} validation messages even the best, “{best}”, is no better "
            "than chance, so always answering the largest class would serve as well.",
            rows=rows,
            **known,
        )
    if chosen == "majority":
        return say(
            "Ship none of these models: always answering the largest class is within the margin of the best ({size}, "
            "{time} a message, macro-F1 {score:.3f} on the test (95 % interval {low:.3f} to {high:.3f})).",
            **known,
        )
    if chosen == best:
        return say(
            "Ship “{title}”: {size}, {time} a message, macro-F1 {score:.3f} on the test (95 % interval {low:.3f} to "
            "{high:.3f}). It did best on the {rows:,} validation messages.",
            rows=rows,
            **known,
        )
    return say(
        "Ship “{title}”: {size}, {time} a message, macro-F1 {score:.3f} on the test (95 % interval {low:.3f} to "
        "{high:.3f}). On the {rows:,} validation messages it is {behind} points of macro-F1 below the best, “{best}” "
        "({best_size}, {best_time}).",
        rows=rows,
        behind=points(shortfalls[chosen].value),
        best_size=megabytes(results[best]["bytes_needed"]),
        best_time=milliseconds(results[best]["p50_ms"]),
        **known,
    )


def _notes(
    chosen: str,
    best: str,
    shortfalls: dict[str, Estimate],
    report: Estimate,
    margin: float,
    sure: bool,
    rows: int,
    tested: int,
    useful: bool,
) -> list[str]:
    notes = []
    if chosen != best and useful:
        short = shortfalls[chosen]
        interval = {"low": points(short.low), "high": points(short.high)}
        if sure:
            notes.append(
                say("The 95 % interval of that difference ({low} to {high} points) lies within the margin.", **interval)
            )
        else:
            notes.append(
                say(
                    "This is not certain: the 95 % interval of that difference ({low} to {high} points) reaches beyond "
                    "the margin of {margin:.3g}.",
                    margin=100 * margin,
                    **interval,
                )
            )
            if need := _rows_needed(short, margin):
                notes.append(
                    say_many(
                        "About {n} validation message would settle it.",
                        "About {n:,} validation messages would settle it.",
                        need,
                    )
                )
        notes.append(
            say(
                "On the test the difference is {value} points ({low} to {high}).",
                value=points(report.value),
                low=points(report.low),
                high=points(report.high),
            )
        )
    if min(rows, tested) < FEW:
        notes.append(
            say(
                "The data are few ({rows:,} validation and {tested:,} test messages): the intervals are wide, and this "
                "is a guess until you have more.",
                rows=rows,
                tested=tested,
            )
        )
    return notes


def _best_of_the_smaller(
    chosen: str, shortfalls: dict[str, Estimate], results: dict[str, dict[str, Any]]
) -> str | None:
    limit = results[chosen]["bytes_needed"] / SAME_SIZE
    smaller = [name for name in results if name != "majority" and results[name]["bytes_needed"] < limit]
    return min(smaller, key=lambda name: shortfalls[name].value) if smaller else None


def _instead(name: str, short: Estimate, tests: Estimate, result: dict[str, Any], margin: float) -> str:
    """What the best of the smaller models would cost, where a larger one is recommended."""
    known = {
        "title": BY_NAME[name].title,
        "size": megabytes(result["bytes_needed"]),
        "time": milliseconds(result["p50_ms"]),
        "behind": points(short.value),
        "low": points(short.low),
        "high": points(short.high),
        "test": points(tests.value),
        "test_low": points(tests.low),
        "test_high": points(tests.high),
    }
    if short.low <= margin:
        return say(
            "The best of the smaller models, “{title}” ({size}, {time}), is {behind} points behind on validation (95 % "
            "interval {low} to {high}, which does not show for certain that the larger is needed) and {test} on the "
            "test ({test_low} to {test_high}).",
            **known,
        )
    return say(
        "The best of the smaller models, “{title}” ({size}, {time}), is {behind} points behind on validation (95 % "
        "interval {low} to {high}) and {test} on the test ({test_low} to {test_high}).",
        **known,
    )


def _rows_needed(short: Estimate, margin: float) -> int | None:
    """About how many rows would put the interval's end within the margin, if the difference stays as it is."""
    room = margin - short.value
    if room <= 0.1 * margin:
        return None
    need = short.n * ((short.high - short.value) / room) ** 2
    return int(np.ceil(need / 100) * 100) if need < 50_000 else None
