"""A comparison in the words of a terminal: the data's findings, the recommendation, the table."""

from course_utils.compare.comparison import Comparison, Outcome
from course_utils.compare.recommendation import hours, milliseconds
from course_utils.console import fold, plain
from course_utils.language import say

COLUMNS = ("hours a month", "alone", "macro-F1", "memory", "time")
WIDEST = 80  # columns; longer lines of prose are hard to read


def summary(comparison: Comparison, width: int | None = None) -> list[str]:
    """What the command says before its table, in lines of at most ``width`` columns where words are not longer."""
    columns = min(width or WIDEST, WIDEST)

    def folded(text: str, indent: str = "") -> list[str]:
        return fold(indent + " ".join(plain(text).split()), columns, hanging=indent)

    lines: list[str] = []
    if comparison.findings:
        lines.append(say("The data first:"))
        for one in comparison.findings:
            lines += folded(f"{one.kind[0].upper()}{one.kind[1:]}: {one}", "  ")
        lines.append("")
    advice = comparison.recommendation
    lines += folded(str(advice) if advice else say("No candidate finished, so there is nothing to recommend."))
    away = [one for one in comparison.outcomes if one.state != "done"]
    if away:
        lines.append("")
        for one in away:
            lines += folded(_why(one))
    return lines


def _why(one: Outcome) -> str:
    if one.state == "skipped":
        return say("{candidate} was skipped: {why}", candidate=one.candidate.name, why=one.reason)
    return say("{candidate} failed: {why}", candidate=one.candidate.name, why=one.reason)


def rows(comparison: Comparison) -> list[dict[str, str]]:
    """The command's table: one row a candidate, in words; macro-F1 on validation → on the test."""

    advice = comparison.recommendation
    notes = {"skipped": say("skipped"), "failed": say("failed")}
    found = []
    for one in comparison.outcomes:
        row = {"candidate": one.candidate.name + (" *" if advice and advice.ship == one.candidate.name else "")}
        if one.state == "done":
            row |= {
                "hours a month": say(
                    "{value} ({low} to {high})",
                    value=hours(one.account.hours.value),
                    low=hours(one.account.hours.low),
                    high=hours(one.account.hours.high),
                ),
                "alone": f"{one.account.alone:.0%}",
                "macro-F1": say("{held:.2f} → {tested:.2f}", held=one.validation.value, tested=one.macro_f1.value),
                "memory": _mib(one.result["answer_memory_mib"]),
                "time": milliseconds(one.result["p50_ms"], short=True),
                "note": say("kept") if one.kept else "",
            }
        else:
            row |= {**dict.fromkeys(COLUMNS, "–"), "note": notes[one.state]}
        found.append(row)
    return found


def _mib(value: float | None) -> str:
    return "–" if value is None else say("{value:,.0f} MiB", value=value)
