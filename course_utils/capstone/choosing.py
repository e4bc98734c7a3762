"""Steps 1 to 3: the question in numbers, a look at the data, and a comparison on these data by the stated rule."""

import math
from typing import Any

import numpy as np

from course_utils.capstone import commands
from course_utils.capstone.question import FILE
from course_utils.capstone.work import Work, contradicts, missing, refusing
from course_utils.language import say, say_many

_ALIKE = 1e-6  # of two numbers that the same rule gives on the same results


def stated(work: Work) -> str:
    """Step 1: nothing in the question is open."""
    asked = work.asked
    left = asked.still_open("question")
    if left:
        raise missing(
            say("Still open in {file}: {keys}.", file=FILE, keys=", ".join(left)),
            say(
                "Who decides what, and every number that the decision needs, stands there before anything is measured."
            ),
            commands.edit(),
        )
    return say(
        "A message costs {hand:g} minutes by hand, a mistake {error:g}, {n:,} come a month; to be found: {found}; at "
        "{rate:g} requests a second 99 of 100 answers within {p99:g} ms, in {memory:g} MiB.",
        hand=asked.minutes_by_hand,
        error=asked.minutes_per_error,
        n=asked.messages_a_month,
        found=", ".join(f"{name} {share:.0%}" for name, share in asked.must_find.items()),
        rate=asked.rate,
        p99=asked.p99_ms,
        memory=asked.memory_mib,
    )


def looked(work: Work) -> str:
    """Step 2: the data can be read, the class that must be found is in them, and somebody has looked at them."""
    from course_utils.compare import running

    asked = work.asked
    expected = say(
        "The data are a CSV file with a column of messages and one of classes, as {file} names them.", file=FILE
    )
    if not asked.data.is_file():
        raise missing(say("There is no file {file}.", file=asked.file), expected, commands.edit())
    with refusing(expected, commands.edit()):
        split = work.split
    with refusing(say("Each class of must_find in {file} is a class of the data.", file=FILE), commands.edit()):
        running.classes_to_find(asked.must_find, split.class_names)
    doubtful = f"{commands.COMPARISON}/possible_wrong_labels.csv"
    if not work.at(doubtful).is_file():
        raise missing(
            say("The data can be read; there is no {file} yet.", file=doubtful),
            say("The comparison looks first for what is wrong with the data, and lists the labels that are in doubt."),
            commands.compare(asked),
        )
    if asked.looked is None:
        raise missing(
            say("What you saw is still open: looked, under [data] in {file}.", file=FILE),
            say("You have read twenty messages, and those in {file}; a sentence says what you found.", file=doubtful),
            commands.edit(),
        )
    counts = class_counts(work)
    large, small = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    known = {
        "all": sum(counts.values()),
        "classes": len(counts),
        "large": large,
        "most": counts[large],
        "small": small,
        "least": counts[small],
        "outside": len(split.outside),
        "test": len(split.test),
    }
    return say_many(
        "{all:,} messages in {classes} classes (from {large}, {most:,}, to {small}, {least:,}): {outside:,} to learn "
        "from and to choose by, {test:,} to test on; {n} pair is nearly equal.",
        "{all:,} messages in {classes} classes (from {large}, {most:,}, to {small}, {least:,}): {outside:,} to learn "
        "from and to choose by, {test:,} to test on; {n:,} pairs are nearly equal.",
        len(split.alike.links),
        **known,
    )


def compared(work: Work) -> str:
    """Step 3: the comparison is one of these data, charged as stated, and the choice is what its rule gives."""
    report, asked = work.report, work.asked
    anew = commands.compare(asked, fresh=True)
    marker = work.json(f"{commands.COMPARISON}/comparison.json", anew, lambda found: found["data"])
    if marker["data"] != work.split.fingerprint:
        raise contradicts(
            say(
                "{file} has changed since the comparison, or is another file: the hash of its messages, classes and "
                "parts is {found}…, that of the comparison {known}….",
                file=asked.file,
                found=work.split.fingerprint[:12],
                known=str(marker["data"])[:12],
            ),
            say("The comparison is of the data as they are now."),
            anew,
        )
    _charged_as_stated(work)
    _by_the_rule(work)
    hours, count = work.chosen["hours"], sum(one["state"] == "done" for one in report["candidates"])
    return say(
        "Of {count} candidates {title} is to be shipped: {hours:.1f} hours a month on the test ({low:.1f} to "
        "{high:.1f}), {people:.1f} by people alone.",
        count=count,
        title=work.chosen["title"],
        hours=hours["value"],
        low=hours["low"],
        high=hours["high"],
        people=currency(work).people_alone,
    )


def _charged_as_stated(work: Work) -> None:
    asked, settings = work.asked, work.report["settings"]
    pairs: dict[str, tuple[Any, Any]] = {
        name: (getattr(asked, name), settings.get(name))
        for name in ("minutes_by_hand", "minutes_per_error", "messages_a_month")
    }
    pairs["must_find"] = (asked.must_find, work.report.get("must_find"))
    for name, (wanted, found) in pairs.items():
        if wanted != found:
            raise contradicts(
                say("{name} is {wanted} in {file}, and the comparison was charged with {found}.",
                    name=name, wanted=wanted, file=FILE, found=found),
                say("The comparison is charged with the numbers of the question."),
                commands.compare(asked),
            )  # fmt: skip
    if settings["refit"] != "outside":
        raise contradicts(
            say("The model that was saved has learnt from the test, too, so that no figure of the report is its own."),
            say("What is shipped is what was measured: the comparison runs without --refit all."),
            commands.compare(asked, fresh=True),
        )


def _by_the_rule(work: Work) -> None:
    """The rule, on what each candidate brought, gives the choice that the report names."""
    from course_utils.compare import running
    from course_utils.compare.candidates import BY_NAME
    from course_utils.compare.comparison import Outcome

    report, asked = work.report, work.asked
    again = commands.compare(asked, fresh=True)
    done = [one["name"] for one in report["candidates"] if one["state"] == "done"]
    if len(done) < 2:
        raise contradicts(
            say("{n} candidate was measured; that compares nothing.", n=len(done)),
            say("Two candidates or more: the commonest class alone, and a model."),
            commands.compare(asked),
        )
    records = [
        work.json(f"{commands.COMPARISON}/candidates/{name}.json", again, lambda found: found["validation"])
        for name in done
    ]
    outcomes = [Outcome(BY_NAME[name], "done", record) for name, record in zip(done, records, strict=True)]
    limits = running.classes_to_find(asked.must_find, work.split.class_names)
    try:
        judged, advice = running.judged(outcomes, work.split, currency(work), limits, report["settings"]["seed"])
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise contradicts(
            say("What the candidates answered does not fit the data ({kind}).", kind=type(error).__name__),
            say("Each candidate has an answer for every message that it was asked for."),
            again,
        ) from error
    by_rule = advice.chosen if advice else None
    told = (report["recommendation"] or {}).get("chosen")
    if told != by_rule:
        raise contradicts(
            say("The report says {told}; by the rule, on what was measured, it is {by_rule}.",
                told=told, by_rule=by_rule),
            say("The choice is the one that the stated rule gives."),
            again,
        )  # fmt: skip
    if advice is None or advice.ship is None:
        raise contradicts(
            say("No model is shown to cost less than people alone, so that there is nothing to ship."),
            say("More labels, other candidates, or another question. A decision against a model ends here, and well."),
            commands.compare(asked),
        )
    for one, entry in zip(judged, (one for one in report["candidates"] if one["state"] == "done"), strict=True):
        found = (one.account.hours.value, one.account.threshold, one.macro_f1.value)
        said = (entry["hours"]["value"], entry["threshold"], entry["macro_f1"]["value"])
        if not all(math.isclose(a, b, rel_tol=_ALIKE, abs_tol=_ALIKE) for a, b in zip(found, said, strict=True)):
            raise contradicts(
                say("The report’s numbers for {name} are not those of its answers: {said:.4f} hours a month, and "
                    "computed again {found:.4f}.", name=one.candidate.name, said=said[0], found=found[0]),
                say("Hours, threshold and macro-F1 follow from what each candidate answered."),
                again,
            )  # fmt: skip


def currency(work: Work) -> Any:
    from course_utils.compare.account import Currency

    asked = work.asked
    return Currency(
        asked.minutes_by_hand,
        asked.minutes_per_error,
        asked.messages_a_month,
        work.report["settings"].get("right_by_hand", 0.95),
    )


def class_counts(work: Work) -> dict[str, int]:
    """Class → messages, of all parts."""
    counts = np.bincount(work.split.all().labels, minlength=len(work.split.class_names))
    return dict(zip(work.split.class_names, counts.tolist(), strict=True))
