"""Step 7, second half: the decision report, whose numbers are those that were measured.

A number is known by its digits alone, so that a wrong one may be another result by chance: among the results of the
course's tickets 1 of 2 whole percentages, 1 of 3 whole numbers up to 100, and about 1 of 10 numbers with digits behind
the point. What decides is therefore asked for by name.
"""

import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from course_utils.capstone import choosing, commands
from course_utils.capstone.work import Work, contradicts, missing
from course_utils.language import say, say_many

PROMPT = "[Write:"  # begins what a learner replaces
_NAMED = 6
_NO_NUMBERS = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|<!--.*?(?:-->|\Z)|\]\([^)\n]*\)|https?://\S+|^\s*\d+[.)]\s|^#+ *\d+(?:\.\d+)*\.? "
    r"|\b\d{4}-\d{2}(?:-\d{2})?\b",
    re.DOTALL | re.MULTILINE,
)
_NUMBER = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?![\w]|\.\d)(?: ?[%％])?|(?<![\w.,])\.\d+\b")


class Number(NamedTuple):
    """A number as it is written: its value, the digits behind its point, and whether it is a percentage."""

    written: str
    value: float
    digits: int
    percent: bool

    def means(self, measured: float) -> bool:
        """Whether it is what was measured, rounded to its digits."""
        shown = 100 * measured if self.percent else measured
        return math.isfinite(shown) and abs(abs(shown) - self.value) <= 0.5 * 10**-self.digits * (1 + 1e-6)


def sections() -> tuple[tuple[str, str], ...]:
    """The report's headings, each with what is asked for below it."""
    return (
        (say("Decision"), say("what you ship, or not, and the three numbers that decide it, each with its interval")),
        (say("Question"), say("who decides what, and what a message and a mistake cost")),
        (say("Data"), say("where they come from, how many, what you saw when you read them")),
        (say("Comparison"), say("what was compared, the rule, and what the simplest model gives")),
        (say("Gate"), say("what was tested, your own tests, what could not be shown")),
        (say("Service"), say("rate, p99 and memory, and what users see beyond them")),
        (say("Watching and the way back"), say("the alarm, its false alarms, what it cannot see, who goes back, how")),
        (say("What would overturn it"), say("which observation would change the decision, and when you look again")),
    )


def template() -> str:
    """The report as it begins."""
    parts = [say("# Decision report")]
    parts += [f"## {name}\n\n{PROMPT} {asked}.]" for name, asked in sections()]
    return "\n\n".join(parts) + "\n"


def reported(work: Work) -> str:
    """The report has its sections, says what decides, and no number that is nowhere in the results."""
    file, mend = commands.REPORT, commands.edit(commands.REPORT)
    try:
        text = work.at(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or say("it is not UTF-8")
        expected = say("The decision stands in {file}.", file=file)
        raise missing(say("{file} cannot be read ({why}).", file=file, why=why), expected, mend) from error
    _whole(text, mend)
    written = numbers(text)
    for name, value, shown, phrase in deciding(work):
        # A share is written as one, or as a count: a bare 1 could be anything.
        said = any(one.means(value) and (one.percent or not phrase) for one in written)
        if not said and not (phrase and phrase in " ".join(text.split())):
            raise contradicts(
                say("{file} does not say {name}: {shown}.", file=file, name=name, shown=shown),
                say("The report names what decides, as it was measured, rounded as you like."),
                mend,
            )
    known = list(measured(work))
    strangers = list(dict.fromkeys(one.written for one in written if not any(map(one.means, known))))
    if strangers:
        named = ", ".join(strangers[:_NAMED])
        raise contradicts(
            say_many(
                "{n} number of {file} is nowhere in the results: {named}.",
                "{n} numbers of {file} are nowhere in the results: {named}.",
                len(strangers),
                file=file,
                named=named if len(strangers) <= _NAMED else say("{named} …", named=named),
            ),
            say(
                "Every number is one of the results. What is no result, or your own arithmetic, stands in `backticks`."
            ),
            mend,
        )
    return say_many(
        "{file} has its sections, and its {n} number is in the results.",
        "{file} has its sections, and its {n} numbers are in the results.",
        len(written),
        file=file,
    )


def _whole(text: str, mend: str) -> None:
    """Each section is there, and something was written in it."""
    file = commands.REPORT
    found: dict[str, str] = {}
    for part in re.split(r"^## +", text, flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n")
        found[head.strip().casefold()] = body.strip()
    names = [name for name, _ in sections()]
    expected = say("{file} has the sections {names}.", file=file, names=", ".join(names))
    absent = [name for name in names if name.casefold() not in found]
    if absent:
        raise missing(say("{file} lacks: {names}.", file=file, names=", ".join(absent)), expected, mend)
    blank = [name for name in names if not found[name.casefold()] or PROMPT in found[name.casefold()]]
    if blank:
        raise missing(say("Still to be written in {file}: {names}.", file=file, names=", ".join(blank)), expected, mend)


def numbers(text: str) -> list[Number]:
    """The numbers in a text: not those in code, comments, addresses, dates and the counting of lists and headings.

    Nor those that belong to a name, as in p99 or F1.
    """
    found = []
    for match in _NUMBER.finditer(_NO_NUMBERS.sub(" ", text)):
        written = match[0]
        bare = written.rstrip("%％ ").replace(",", "")
        digits = len(bare.partition(".")[2])
        found.append(Number(written, float(bare), digits, written[-1] in "%％"))
    return found


def deciding(work: Work) -> Iterator[tuple[str, float, str, str]]:
    """What a decision cannot do without: (its name, its value, how it could be written, of a share also as a count)."""
    hours = work.chosen["hours"]
    title = work.chosen["title"]
    yield say("the hours a month of {title}", title=title), hours["value"], f"{hours['value']:.1f}", ""
    yield say("the lower end of its interval"), hours["low"], f"{hours['low']:.1f}", ""
    yield say("the upper end of its interval"), hours["high"], f"{hours['high']:.1f}", ""
    people = choosing.currency(work).people_alone
    yield say("the hours a month of people alone"), people, f"{people:.1f}", ""
    for name, found in work.chosen["found"].items():
        if found["share"]:
            share = found["share"]["value"]
            phrase = say("{hits} of {n}", hits=round(share * found["share"]["n"]), n=found["share"]["n"])
            shown = say("{share:.1%} ({phrase})", share=share, phrase=phrase)
            yield say("the share of {name} that is found in the test", name=name), share, shown, phrase
    p99 = work.load["latency"]["p99"]
    yield say("the p99 of the load test in ms"), p99, f"{p99:.1f}", ""


def measured(work: Work) -> Iterator[float]:
    """Every number of the results, the question's among them."""
    asked = work.asked
    for value in vars(asked).values():
        yield from _leaves(value)
    report = {key: value for key, value in work.report.items() if key not in ("schema", "date", "machine", "seconds")}
    yield from _leaves(report)
    yield from _leaves([{k: v for k, v in one.items() if k != "group"} for one in work.gate["tests"]])
    yield from _leaves(work.gate.get("counts", {}))
    yield from _leaves({key: value for key, value in work.load.items() if key not in ("url", "seed")})
    yield choosing.currency(work).people_alone
    counts = choosing.class_counts(work)
    yield from (*map(float, counts.values()), float(len(counts)), float(sum(counts.values())))
    yield float(len(work.split.outside))
    yield 0.95  # of the intervals
    yield float(len(work.report["candidates"]))
    for one in work.report["candidates"]:
        if one["state"] == "done":
            yield one["bytes_needed"] / 1e6
            for found in one["found"].values():
                if found["share"]:
                    yield round(found["share"]["value"] * found["share"]["n"])
    for sentence in (*work.report["recommendation"]["sentences"], *work.gate.get("sentences", ())):
        yield from (one.value / 100 if one.percent else one.value for one in numbers(str(sentence)))


def _leaves(value: Any) -> Iterator[float]:
    """The numbers in what JSON holds."""
    if isinstance(value, dict):
        for one in value.values():
            yield from _leaves(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _leaves(one)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)
