"""The decision report: one HTML page without scripts and addresses, the same for machines, and a list to look through.

Every word that came from the data is escaped and isolated (its direction cannot turn the page's round), and a cell of
the CSV file that a spreadsheet would take for a formula is marked as text. What the page looks like stands in
``pages/templates/comparison.html``; here is what it shows.
"""

import csv
import datetime
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils import console, pages, paths
from course_utils.compare import recommendation as choose
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

    Schema 1: ``data`` (name, sizes of the parts, class_names), ``settings`` (profile, margin, seed, split, language,
    limit_seconds), ``findings`` (kind, message, lines, dropped), ``possible_wrong_labels`` (where, label, instead,
    confidence; no texts), ``candidates`` (name, title, state, reason, and where state is "done": macro_f1, accuracy and
    validation_macro_f1 as {value, low, high, n}, recalls by class, train_seconds, trained_on, bytes_saved,
    bytes_needed, p50_ms, p99_ms, train_memory_mib, answer_memory_mib, shortfall on validation as an estimate) and
    ``recommendation`` (chosen, best, sure, sentence, notes, rule) or null.
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
            }
            if advice:
                entry["shortfall"] = advice.shortfalls[one.candidate.name]._asdict()
        entries.append(entry)
    return {
        "format": "course comparison",
        "schema": SCHEMA,
        "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
        "machine": machine_in_words(),
        "seconds": round(comparison.seconds, 1),
        "data": {"name": comparison.name, "sizes": comparison.sizes, "class_names": list(comparison.class_names)},
        "settings": comparison.settings,
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
            "sure": advice.sure,
            "sentence": advice.sentence,
            "notes": list(advice.notes),
            "rule": advice.rule,
        },
    }


_FIGURES = (
    "train_seconds",
    "trained_on",
    "bytes_saved",
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
        sampled=_sampled(comparison),
        picture=_picture(comparison),
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
        "{messages:,} messages in {classes} classes · {train:,} to train on, {validation:,} to choose by, {test:,} to "
        "test on · {date}",
        messages=sum(sizes.values()),
        classes=len(comparison.class_names),
        date=f"{datetime.datetime.now(datetime.UTC):%d %B %Y}",
        **{part: sizes[part] for part in ("train", "validation", "test")},
    )


def _advice(comparison: Comparison) -> dict[str, Any] | None:
    advice = comparison.recommendation
    if advice is None:
        return None
    head, _, rest = advice.sentence.partition(": ")
    return {"ship": advice.ship, "head": head, "rest": rest, "notes": advice.notes, "rule": advice.rule}


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
    result = one.result
    behind: str | tuple[str, ...] = "–"
    if advice and advice.shortfalls[name] is not None:
        short = advice.shortfalls[name]
        behind = "best" if name == advice.best else tuple(map(choose.points, (short.value, short.low, short.high)))
    return row | {
        "cells": [
            ("Macro-F1 (test)", _estimate(one.macro_f1)),
            ("Accuracy (test)", _estimate(one.accuracy)),
            ("Points behind the best (validation)", behind),
            ("Size", choose.megabytes(result["bytes_needed"])),
            ("Usual answer (p50)", choose.milliseconds(result["p50_ms"])),
            ("Slowest in 100 (p99)", choose.milliseconds(result["p99_ms"])),
            ("Memory to answer", _mib(result["answer_memory_mib"])),
            ("Training", (_seconds(result["train_seconds"]), _mib(result["train_memory_mib"]))),
        ]
    }


def _sampled(comparison: Comparison) -> list[str]:
    return [
        say(
            "{model} was trained on {some:,} of the {all:,} training messages.",
            model=one.candidate.title,
            some=one.result["trained_on"],
            all=comparison.sizes["train"],
        )
        for one in comparison.outcomes
        if one.state == "done"
        and one.result["trained_on"] < comparison.sizes["train"]
        and one.candidate.name != "majority"
    ]


def _estimate(one: Estimate) -> tuple[str, str, str]:
    return f"{one.value:.3f}", f"{one.low:.3f}", f"{one.high:.3f}"


def _mib(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f} MiB"


def _seconds(value: float) -> str:
    return f"{value:,.0f} s" if value >= 10 else f"{value:.1f} s" if value >= 0.1 else "under 0.1 s"


def _picture(comparison: Comparison) -> dict[str, Any] | None:
    """Macro-F1 with its interval, for an SVG; without majority, which lies so far off that it hides the others."""
    done = [one for one in comparison.outcomes if one.state == "done" and one.candidate.name != "majority"]
    if len(done) < 2:
        return None
    width, row, side = 480, 46, 24
    low = max(0.0, min(one.macro_f1.low for one in done) - 0.03)
    high = min(1.0, max(one.macro_f1.high for one in done) + 0.03)
    step = next(s for s in (0.02, 0.05, 0.1, 0.2, 0.5) if (high - low) / s <= 8)
    ticks = [t * step for t in range(int(np.ceil(low / step)), int(high / step + 1e-9) + 1)]

    def place(value: float) -> str:
        return f"{side + (value - low) / (high - low) * (width - 2 * side):.1f}"

    advice = comparison.recommendation
    return {
        "width": width,
        "height": row * len(done) + 48,
        "side": side,
        "alt": "; ".join(f"{one.candidate.title} {one.macro_f1.value:.3f}" for one in done),
        "ticks": [(place(tick), f"{tick:.2f}") for tick in ticks],
        "dots": [
            {
                "title": one.candidate.title,
                "y": 34 + number * row,
                "chosen": bool(advice) and advice.ship == one.candidate.name,
                "low": place(one.macro_f1.low),
                "value": place(one.macro_f1.value),
                "high": place(one.macro_f1.high),
            }
            for number, one in enumerate(done)
        ],
    }


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
    answers: dict[str, Any] = one.result["answers"]["test"]
    said, sure = np.array(answers["predictions"]), np.array(answers["confidence"])
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
