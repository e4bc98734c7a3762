"""The figures of the report, as numbers for its SVGs: hours against the threshold, quality against the cost to run."""

import math
from typing import TYPE_CHECKING, Any

from course_utils.compare import recommendation as choose
from course_utils.language import say

if TYPE_CHECKING:
    from course_utils.compare.comparison import Comparison

_DASHES = ("", "7 4", "2 3", "10 3 2 3")


def curves(comparison: "Comparison") -> dict[str, Any] | None:
    """Hours a month on the test against the share that is answered alone, for an SVG; the threshold is a dot."""
    done = [one for one in comparison.outcomes if one.state == "done" and one.candidate.name != "majority"]
    if not done:
        return None
    width, height, left, low = 520, 300, 46, 34
    people = comparison.currency.people_alone
    most = min(2.5 * people, max(max(one.account.curve.test) for one in done)) if people else 1.0
    most = max(most, people, *(one.account.hours.value for one in done)) * 1.05 or 1.0
    step = next(s for s in (10.0**k * m for k in range(-3, 9) for m in (1, 2, 5)) if most / s <= 6)

    def x(alone: float) -> float:
        return left + alone * (width - left - 20)

    def y(value: float) -> float:
        return (height - low) - min(value, most) / most * (height - low - 10)

    advice, lines = comparison.recommendation, []
    for number, one in enumerate(done):
        curve = one.account.curve
        points = sorted(zip(curve.alone, curve.test, strict=True))
        lines.append(
            {
                "title": one.candidate.title,
                "chosen": bool(advice) and advice.ship == one.candidate.name,
                "dash": _DASHES[number % 4],
                "points": " ".join(f"{x(a):.1f},{y(value):.1f}" for a, value in points if value <= most),
                "x": f"{x(one.account.alone):.1f}",
                "y": f"{y(one.account.hours.value):.1f}",
                "hours": choose.hours(one.account.hours.value),
            }
        )
    return {
        "width": width,
        "height": height + 22 * len(lines) + 14,
        "foot": height - low,
        "left": left,
        "people": f"{y(people):.1f}",
        "people_hours": choose.hours(people),
        "x": [(f"{x(share):.1f}", f"{share:.0%}") for share in (0, 0.25, 0.5, 0.75, 1)],
        "y": [(f"{y(k * step):.1f}", f"{k * step:g}") for k in range(int(most / step) + 1)],
        "lines": lines,
        "legend": height,
        "alt": "; ".join(
            say(
                "{title}: {hours} hours at {alone:.0%}",
                title=each["title"],
                hours=each["hours"],
                alone=one.account.alone,
            )
            for each, one in zip(lines, done, strict=True)
        ),
    }


def quality_and_cost(comparison: "Comparison") -> dict[str, Any] | None:
    """Macro-F1 on the test with its interval against the memory while answering (MiB, a log axis), for an SVG.

    Without majority, which lies so far off that it hides the others; where a system does not tell memory, against the
    milliseconds of a usual answer. Dots that would lie on each other are moved apart by a few pixels.
    """
    done = [one for one in comparison.outcomes if one.state == "done" and one.candidate.name != "majority"]
    if len(done) < 2:
        return None
    known = all(one.result["answer_memory_mib"] for one in done)
    costs = [one.result["answer_memory_mib"] if known else max(one.result["p50_ms"], 0.05) for one in done]
    width, height, left, foot = 520, 300, 46, 256
    low = max(0.0, min(one.macro_f1.low for one in done) - 0.03)
    high = min(1.0, max(one.macro_f1.high for one in done) + 0.03)
    step = next(s for s in (0.02, 0.05, 0.1, 0.2, 0.5) if (high - low) / s <= 8)
    first, last = math.log2(min(costs)) - 0.5, math.log2(max(costs)) + 0.5

    def x(cost: float) -> float:
        return left + (math.log2(cost) - first) / (last - first) * (width - left - 20)

    def y(value: float) -> str:
        return f"{foot - (value - low) / (high - low) * (foot - 12):.1f}"

    places: list[float] = []
    for cost in costs:
        at = x(cost)
        while any(abs(at - other) < 16 for other in places):
            at += 4
        places.append(at)
    advice = comparison.recommendation
    marks = range(math.ceil(first), math.floor(last) + 1)
    marks = marks if len(marks) > 1 else [math.log2(cost) for cost in sorted({min(costs), max(costs)})]
    return {
        "width": width,
        "height": height + 22 * len(done) + 8,
        "left": left,
        "foot": foot,
        "legend": height,
        "x": [(f"{x(2.0**mark):.1f}", f"{2.0**mark:,.4g}") for mark in marks],
        "y": [(y(k * step), f"{k * step:.2f}") for k in range(math.ceil(low / step), int(high / step + 1e-9) + 1)],
        "axis": say("memory while it answers, MiB (each line doubles)") if known else say("milliseconds an answer"),
        "alt": "; ".join(f"{one.candidate.title} {one.macro_f1.value:.3f}" for one in done),
        "dots": [
            {
                "title": one.candidate.title,
                "number": number,
                "chosen": bool(advice) and advice.ship == one.candidate.name,
                "x": f"{at:.1f}",
                "low": y(one.macro_f1.low),
                "value": y(one.macro_f1.value),
                "high": y(one.macro_f1.high),
            }
            for number, (one, at) in enumerate(zip(done, places, strict=True), 1)
        ],
    }
