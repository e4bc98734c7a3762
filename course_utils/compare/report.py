"""The decision report: one HTML page without scripts and addresses, the same for machines, and a list to look through.

Every word that came from the data is escaped and isolated (its direction cannot turn the page's round), and a cell of
the CSV file that a spreadsheet would take for a formula is marked as text. What the page looks like stands in
``pages/templates/comparison.html``; here is what it shows.
"""

import csv
import dataclasses
import datetime
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils import console, pages, paths
from course_utils.compare import recommendation as choose
from course_utils.compare import report_figures
from course_utils.compare.account import EVERYTHING, Found
from course_utils.compare.comparison import SCHEMA, Comparison, Outcome
from course_utils.compare.findings import SHOWN, Suspect
from course_utils.compare.split import Split
from course_utils.evaluate import Estimate
from course_utils.language import say
from course_utils.runtime import machine_in_words

if TYPE_CHECKING:
    from collections.abc import Iterable


def write(comparison: Comparison, compared: Split) -> None:
    """Write ``report.html`` and ``report.json``, both or neither."""
    content = as_json(comparison)
    page = _page(comparison, compared)
    files = {
        comparison.folder / "report.json": json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        comparison.folder / "report.html": page,
    }
    paths.write_together(files)


# ----------------------------------------------------------------------------------------------------- for machines


def as_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison as JSON can say it.

    Schema 3: ``data`` (name, sizes of the parts, class_names), ``settings`` (profile, splits, the currency, seed,
    split, language, encoder, limit_seconds), ``must_find``, ``api`` (tokens, dollars, accuracy, prices), ``findings``
    (kind, message, lines, dropped), ``possible_wrong_labels`` (where, label, instead, confidence; no texts),
    ``candidates`` (name, title, state, reason, and where state is "done": hours a month, validation_hours, useful,
    macro_f1, accuracy and validation_macro_f1 as {value, low, high, n}, alone, threshold, found by class, recalls by
    class, train_seconds, trained_on, cut, bytes_needed, p50_ms, p99_ms, train_memory_mib,
    answer_memory_mib) and ``recommendation`` (chosen, best, runner_up, alike, sure, times, sentences, rule, pairs) or
    null.
    """
    advice = comparison.recommendation
    entries = []
    for one in comparison.outcomes:
        entry: dict[str, Any] = {"name": one.candidate.name, "title": one.candidate.title, "state": one.state}
        if one.reason:
            entry["reason"] = one.reason
        if one.state == "done":
            entry |= {
                "macro_f1": one.macro_f1._asdict(),
                "accuracy": one.accuracy._asdict(),
                "validation_macro_f1": one.validation._asdict(),
                "recalls": dict(zip(comparison.class_names, one.recalls, strict=True)),
                **{name: one.result[name] for name in _FIGURES},
                **_account_as_json(one, comparison),
            }
        entries.append(entry)
    return {
        "format": "course comparison",
        "schema": SCHEMA,
        "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
        "machine": machine_in_words(),
        "seconds": round(comparison.seconds, 1),
        "data": {"name": comparison.name, "sizes": comparison.sizes, "class_names": list(comparison.class_names)},
        "settings": comparison.settings,
        "must_find": dict(comparison.must_find),
        "api": comparison.api and dataclasses.asdict(comparison.api),
        "findings": [
            {"kind": one.kind, "message": one.message, "lines": list(one.lines), "dropped": one.dropped}
            for one in comparison.findings
        ],
        "possible_wrong_labels": [
            {"where": one.where, "label": one.label, "instead": one.instead, "confidence": round(one.confidence, 3)}
            for one in comparison.suspects
        ],
        "candidates": entries,
        "recommendation": advice
        and {
            "chosen": advice.chosen,
            "best": advice.best,
            "runner_up": advice.runner_up,
            "alike": list(advice.alike),
            "sure": advice.sure,
            "times": dict(advice.times),
            "sentences": list(advice.sentences),
            "rule": advice.rule,
            "pairs": [
                {"one": pair.one, "other": pair.other, "hours_saved": pair.saved._asdict()} for pair in advice.pairs
            ],
        },
    }


def _account_as_json(one: Outcome, comparison: Comparison) -> dict[str, Any]:
    own = one.account
    return {
        "hours": own.hours._asdict(),
        "validation_hours": own.validation_hours,
        "useful": own.useful,
        "alone": own.alone,
        "threshold": own.threshold,
        "found": {
            comparison.class_names[number]: {
                "limit": found.limit,
                "share": found.share and found.share._asdict(),
                "flagged": found.flagged,
                "validation_examples": found.examples,
            }
            for number, found in own.found.items()
        },
    }


_FIGURES = (
    "train_seconds",
    "trained_on",
    "cut",
    "bytes_needed",
    "p50_ms",
    "p99_ms",
    "train_memory_mib",
    "answer_memory_mib",
)


def write_suspects(suspects: "Iterable[Suspect]", path: Path) -> None:
    """The messages whose labels are worth a second look, as a CSV file that a spreadsheet opens without harm."""
    written = io.StringIO(newline="")
    table = csv.writer(written)
    table.writerow(["where", "label", "reads like", "confidence", "text"])
    for one in suspects:
        cells = (one.where, one.label, one.instead, f"{one.confidence:.2f}", one.text)
        table.writerow([console.spreadsheet_cell(value) for value in cells])
    paths.write_atomic(path, "\ufeff" + written.getvalue())  # the mark tells a spreadsheet that this is UTF-8


# -------------------------------------------------------------------------------------------------------- the page


def _page(comparison: Comparison, compared: Split) -> str:
    return pages.render(
        "comparison.html",
        name=comparison.name,
        facts=_facts(comparison),
        advice=_advice(comparison),
        skipped=[one.candidate.title for one in comparison.outcomes if one.state != "done"],
        findings=comparison.findings,
        candidates=[_candidate(one, comparison) for one in comparison.outcomes],
        heads=_heads(comparison),
        pairs=_pairs(comparison),
        api=_api(comparison),
        curves=report_figures.curves(comparison),
        people=choose.hours(comparison.currency.people_alone),
        sampled=[*_sampled(comparison), *_cut(comparison)],
        picture=report_figures.quality_and_cost(comparison),
        recalls=_recalls(comparison),
        suspects=comparison.suspects[:SHOWN],
        more_suspects=len(comparison.suspects) - SHOWN,
        mistakes=_mistakes(comparison, compared),
        ideas=[(one.candidate.title, one.candidate.idea) for one in comparison.outcomes],
        settings=comparison.settings,
        seconds=comparison.seconds,
        machine=machine_in_words(),
    )


def _facts(comparison: Comparison) -> str:
    sizes = comparison.sizes
    return say(
        "{messages:,} messages in {classes} classes · {outside:,} to learn from and to choose by, {test:,} to test on "
        "· {date}",
        messages=comparison.outside + sizes["test"],
        outside=comparison.outside,
        classes=len(comparison.class_names),
        date=f"{datetime.datetime.now(datetime.UTC):%d %B %Y}",
        test=sizes["test"],
    )


def _advice(comparison: Comparison) -> dict[str, Any] | None:
    advice = comparison.recommendation
    if advice is None:
        return None
    head, _, rest = advice.sentences[0].partition(": ")
    return {"ship": advice.ship, "head": head, "rest": rest, "notes": advice.sentences[1:], "rule": advice.rule}


def _pairs(comparison: Comparison) -> list[tuple[str, str, tuple[str, str, str], bool]]:
    """Every pair: who saves hours against whom on validation, the interval, and whether that is a real difference."""
    found = []
    for pair in comparison.recommendation.pairs if comparison.recommendation else ():
        if pair.saved.value < 0:
            pair = comparison.recommendation.pair(pair.other, pair.one)
        ends = tuple(map(choose.hours, (pair.saved.value, pair.saved.low, pair.saved.high)))
        found.append((choose.BY_NAME[pair.one].title, choose.BY_NAME[pair.other].title, ends, pair.different))
    return found


def _api(comparison: Comparison) -> str:
    """The API's route in a sentence."""
    route = comparison.api
    if route is None:
        return ""
    known = {
        "dollars": f"{route.dollars:,.2f}" if route.dollars < 100 else f"{route.dollars:,.0f}",
        "tokens": route.tokens,
        "read": route.prices.read,
        "written": route.prices.written,
        "date": route.prices.date,
        "hour": route.prices.hour,
        "accuracy": route.accuracy,
    }
    price = say(
        "Sending every message to a provider’s large model would cost about US$ {dollars} a month ({tokens:,.0f} "
        "tokens a message with instructions, US$ {read:g} and {written:g} for a million read and written, prices of "
        "{date}).",
        **known,
    )
    if route.accuracy is None:
        worth = say("That alone is more than the hours above at US$ {hour:g} an hour.", **known)
    else:
        worth = say(
            "Answering everything alone it would be worth it from an accuracy of {accuracy:.1%} on (an hour costs US$ "
            "{hour:g}); measure it on the same test messages.",
            **known,
        )
    return f"{price} {worth}"


def _candidate(one: "Outcome", comparison: Comparison) -> dict[str, Any]:
    """One row of the table; a cell is a text, (text, note), or (value, low, high)."""
    advice = comparison.recommendation
    name = one.candidate.name
    row: dict[str, Any] = {
        "title": one.candidate.title,
        "state": one.state,
        "reason": one.reason,
        "recommended": bool(advice) and name == advice.ship,
    }
    if one.state != "done":
        return row
    result, own = one.result, one.account
    found = [
        (say("{name} found", name=comparison.class_names[number]), _found(each)) for number, each in own.found.items()
    ]
    return row | {
        "cells": [
            (say("Hours a month"), tuple(map(choose.hours, (own.hours.value, own.hours.low, own.hours.high)))),
            (say("Answered alone"), (f"{own.alone:.0%}", _threshold(own.threshold))),
            *found,
            (say("Macro-F1, validation"), f"{one.validation.value:.3f}"),
            (say("Macro-F1, test"), _estimate(one.macro_f1)),
            (say("Memory to answer"), _mib(result["answer_memory_mib"])),
            (say("Usual answer"), (choose.milliseconds(result["p50_ms"]), choose.milliseconds(result["p99_ms"]))),
            (say("Size"), choose.megabytes(result["bytes_needed"])),
            (say("Training"), (_seconds(result["train_seconds"]), _mib(result["train_memory_mib"]))),
        ]
    }


def _heads(comparison: Comparison) -> list[str]:
    """The heads of the table's columns, as a candidate that finished has them."""
    done = next((one for one in comparison.outcomes if one.state == "done"), None)
    return [head for head, _ in _candidate(done, comparison)["cells"]] if done else [say("Why")]


def _threshold(value: float) -> str:
    return say("people read all") if value == EVERYTHING else say("from {value:.2f} on", value=value)


def _found(found: Found) -> tuple[str, str]:
    """The share of a class found in the test, and what it costs in messages read."""
    flagged = say("{share:.0%} read for it", share=found.flagged)
    if found.share is None:
        return say("no example"), flagged
    return say("{hits} of {n}", hits=round(found.share.value * found.share.n), n=found.share.n), flagged


def _sampled(comparison: Comparison) -> list[str]:
    """Where a model learnt from some of the labels only."""
    return [
        say(
            "{model} learnt from {some:,} of the {all:,} messages outside the test.",
            model=one.candidate.title,
            some=one.result["trained_on"],
            all=one.result["trained_on"] + one.result["left_out"],
        )
        for one in comparison.outcomes
        if one.state == "done" and one.result["left_out"] and one.candidate.name != "majority"
    ]


def _cut(comparison: Comparison) -> list[str]:
    """Where a model does not read whole messages."""
    return [
        say(
            "{model} reads {cut:,} of the {all:,} test messages ({share:.1%}) not to their end.",
            model=one.candidate.title,
            cut=one.result["cut"],
            all=comparison.sizes["test"],
            share=one.result["cut"] / comparison.sizes["test"],
        )
        for one in comparison.outcomes
        if one.state == "done" and one.result["cut"]
    ]


def _estimate(one: Estimate) -> tuple[str, str, str]:
    return f"{one.value:.3f}", f"{one.low:.3f}", f"{one.high:.3f}"


def _mib(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f} MiB"


def _seconds(value: float) -> str:
    return f"{value:,.0f} s" if value >= 10 else f"{value:.1f} s" if value >= 0.1 else "under 0.1 s"


def _recalls(comparison: Comparison) -> dict[str, Any]:
    done = [one for one in comparison.outcomes if one.state == "done"]

    def shares(number: int) -> list[str]:
        found = [one.recalls[number] for one in done]
        return ["–" if share is None else f"{share:.2f}" for share in found]

    return {
        "titles": [one.candidate.title for one in done],
        "rows": [(name, shares(number)) for number, name in enumerate(comparison.class_names)],
    }


def _mistakes(comparison: Comparison, compared: Split) -> dict[str, Any] | None:
    """The chosen model's surest mistakes: what a customer would meet."""
    advice = comparison.recommendation
    one = next((one for one in comparison.outcomes if advice and one.candidate.name == advice.ship), None)
    if one is None:
        return None
    shares = np.array(one.result["test"])
    said, sure = shares.argmax(axis=1), shares.max(axis=1)
    wrong = np.flatnonzero(said != compared.test.labels)
    if not len(wrong):
        return None
    return {
        "title": one.candidate.title,
        "wrong": len(wrong),
        "total": len(said),
        "rows": [
            {
                "label": compared.class_names[compared.test.labels[i]],
                "said": compared.class_names[said[i]],
                "sure": float(sure[i]),
                "text": compared.test.texts[i],
            }
            for i in wrong[np.argsort(-sure[wrong], kind="stable")][:10]
        ],
    }
