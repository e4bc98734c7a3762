"""What the gate says: a table, sentences, JSON, and whether the model passed."""

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from course_utils import console
from course_utils.language import say, say_many
from course_utils.serving.gate.target import Target
from course_utils.serving.gate.verdicts import NOT_DONE, NOT_SHOWN, ORDER, PASSED, REFUSED, Result, number

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = 80
_NAMED = 3  # refusals of a group, slices of a column say, that are named
SCHEMA = 1


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Report:
    """All results of a check, in the order of its tests. ``print(report)`` names each refusal with its reason."""

    results: tuple[Result, ...]
    target: Target
    model: str = ""
    data: str = ""
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing was refused; with ``target.strict`` also whether everything that has a limit was shown.

        A change that applies to none of the examples has nothing to show.
        """
        if any(one.verdict == REFUSED for one in self.results):
            return False
        unshown = [one for one in self.results if one.verdict in (NOT_SHOWN, NOT_DONE)]
        return not (self.target.strict and any(one.measured.limit is not None for one in unshown))

    @property
    def lines(self) -> list[Result]:
        """The results with each group as one, its worst; the most urgent verdicts first."""
        best: dict[object, Result] = {}
        for place, one in enumerate(self.results):
            key = one.measured.group or place
            if key not in best or _urgency(one) < _urgency(best[key]):
                best[key] = one
        return sorted(best.values(), key=lambda one: ORDER.index(one.verdict))

    @property
    def table(self) -> "pd.DataFrame":
        """A row a test (of a group of slices the worst): verdict, what was measured, its interval, its limit."""
        import pandas as pd

        rows = []
        for one in self.lines:
            held = one.measured
            bound = "≤" if held.at_most else "≥"
            rows.append(
                {
                    "verdict": one.verdict,
                    "test": held.test,
                    "what": console.plain(held.what),
                    "value": number(held.value, held.unit),
                    "interval": _interval(one),
                    "limit": "" if held.limit is None else f"{bound} {number(held.limit, held.unit)}",
                    "n": held.n or "",
                    "why": console.plain(held.refused or held.missing or held.example),
                }
            )
        names = ["verdict", "test", "what", "value", "interval", "limit", "n", "why"]
        return pd.DataFrame(rows, columns=names)

    @property
    def sentences(self) -> list[str]:
        """The answer, then a sentence on each refusal and on each thing that is not shown."""
        said = [self._answer(), *self.notes]
        # Of a group each refusal is named; of what is not shown, the worst.
        refused = [one for one in self.results if one.verdict == REFUSED]
        open_ones = [one for one in self.lines if one.verdict in (NOT_SHOWN, NOT_DONE)]
        named: dict[str, int] = {}
        for one in sorted(refused, key=lambda one: (_first(refused, one.measured.group), _urgency(one))):
            group = one.measured.group
            named[group] = named.get(group, 0) + 1
            if not group or named[group] <= _NAMED:
                said.append(say("Refused: {sentence}", sentence=one.sentence))
        for group, n in named.items():
            if group and n > _NAMED:
                said.append(say("Refused: {group}, {n} more.", group=group, n=n - _NAMED))
        for one in open_ones:
            words = "Not shown: {sentence}" if one.verdict == NOT_SHOWN else "Not done: {sentence}"
            said.append(say(words, sentence=one.sentence))
        return [console.plain(one) for one in said]

    def __str__(self) -> str:
        return "\n".join(line for one in self.sentences for line in console.fold(one, COLUMNS, hanging="  "))

    def __repr__(self) -> str:
        return f"Report({self._answer()!r})"

    def _repr_html_(self) -> str:
        import html

        return f"<p>{html.escape(console.plain(self._answer()))}</p>{self.table.to_html(index=False, escape=True)}"

    def as_json(self) -> dict[str, Any]:
        """All numbers, for `json.dumps`; what is no number is null."""
        return {
            "schema": SCHEMA,
            "passed": self.passed,
            "model": self.model,
            "data": self.data,
            "target": dataclasses.asdict(self.target),
            "counts": {verdict: sum(one.verdict == verdict for one in self.results) for verdict in ORDER},
            "tests": [one.facts() for one in self.results],
            "notes": list(self.notes),
            "sentences": self.sentences,
        }

    def _answer(self) -> str:
        lines = self.lines
        counts = {verdict: sum(one.verdict == verdict for one in lines) for verdict in ORDER}
        fields = {
            "model": self.model or say("the model"),
            "refused": counts[REFUSED],
            "unshown": counts[NOT_SHOWN] + counts[NOT_DONE],
            "passed": counts[PASSED],
        }
        n = sum(counts[verdict] for verdict in (PASSED, REFUSED, NOT_SHOWN, NOT_DONE))
        if self.passed:
            return say_many(
                "PASSED: {model}; of {n} test {passed} passed, {unshown} not shown either way.",
                "PASSED: {model}; of {n} tests {passed} passed, {unshown} not shown either way.",
                n,
                **fields,
            )
        return say_many(
            "REFUSED: {model}; of {n} test {refused} refused, {passed} passed, {unshown} not shown either way.",
            "REFUSED: {model}; of {n} tests {refused} refused, {passed} passed, {unshown} not shown either way.",
            n,
            **fields,
        )


def of(results: Sequence[Result], target: Target, **facts: Any) -> Report:
    """A report of results."""
    return Report(tuple(results), target, **facts)


def _first(results: Sequence[Result], group: str) -> int:
    """Where the first result of a group stands; 0 for what is in none."""
    return next((k for k, one in enumerate(results) if group and one.measured.group == group), 0)


def _urgency(one: Result) -> tuple[int, float]:
    """How early a result of a group is named: by its verdict, then by how far it is from its limit."""
    held = one.measured
    if held.limit is None or math.isnan(held.value):
        return ORDER.index(one.verdict), 0.0
    room = held.limit - held.value if held.at_most else held.value - held.limit
    return ORDER.index(one.verdict), room


def _interval(one: Result) -> str:
    if one.measured.ends is None:
        return ""
    return say("{low} to {high}", low=number(one.low, one.measured.unit), high=number(one.high, one.measured.unit))
