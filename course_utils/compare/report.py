"""The decision report: one HTML page without scripts and addresses, the same for machines, and a list to look through.

Every word that came from the data is escaped and isolated (its direction cannot turn the page's round), and a cell of
the CSV file that a spreadsheet would take for a formula is marked as text.
"""

import csv
import datetime
import io
import json
import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils import paths
from course_utils.compare import recommendation as choose
from course_utils.compare.comparison import SCHEMA, Comparison
from course_utils.compare.findings import SHOWN, Suspect
from course_utils.compare.split import Split
from course_utils.evaluate import Estimate
from course_utils.runtime import machine_in_words

if TYPE_CHECKING:
    from collections.abc import Iterable

COURSE = "Large Models, Small Teams"
MOST_CHARACTERS = 300
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


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
        table.writerow(
            [harmless(value) for value in (one.where, one.label, one.instead, f"{one.confidence:.2f}", one.text)]
        )
    paths.write_atomic(path, "\ufeff" + written.getvalue())  # the mark tells a spreadsheet that this is UTF-8


def harmless(cell: str) -> str:
    """A cell that a spreadsheet shows as it is: what it would take for a formula gets an apostrophe in front."""
    stripped = cell.lstrip("\ufeff\u200b \u00a0")
    return (
        f"'{cell}"
        if stripped[:1] in ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
        else cell
    )


# -------------------------------------------------------------------------------------------------------- the page


def shown(text: str, most: int = MOST_CHARACTERS) -> str:
    """A text of the data as HTML: escaped, cut, without control characters, and its direction kept to itself."""
    text = _CONTROL.sub(" ", text)
    cut = text[:most] + ("…" if len(text) > most else "")
    return f"<bdi>{escape(cut)}</bdi>"


def _page(comparison: Comparison, compared: Split) -> str:
    name = escape(_CONTROL.sub(" ", comparison.name))
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en-GB">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>Which model should we ship? {name}</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            "<body><main>",
            f'<header><p class="course">{COURSE}</p><h1>Which model should we ship?</h1>',
            f'<p class="facts">{_facts(comparison)}</p></header>',
            _advice(comparison),
            _problems(comparison),
            _table(comparison),
            _picture(comparison),
            _recalls(comparison),
            _suspects(comparison),
            _mistakes(comparison, compared),
            _how(comparison),
            "</main></body>",
            "</html>",
            "",
        ]
    )


def _facts(comparison: Comparison) -> str:
    sizes = comparison.sizes
    now = datetime.datetime.now(datetime.UTC)
    return (
        f"{shown(comparison.name)} · {sum(sizes.values()):,} messages in {len(comparison.class_names)} classes · "
        f"{sizes['train']:,} to train on, {sizes['validation']:,} to choose by, {sizes['test']:,} to test on · "
        f"{now:%d %B %Y}"
    )


def _advice(comparison: Comparison) -> str:
    advice = comparison.recommendation
    if advice is None:
        said = "<p><strong>No candidate finished, so there is nothing to recommend.</strong> The table says why.</p>"
        return f'<section class="advice odd"><h2>Recommendation</h2>{said}</section>'
    head, _, rest = advice.sentence.partition(": ")
    what = f"<strong>{escape(head)}</strong>{': ' + escape(rest) if rest else ''}"
    notes = "".join(f"<p>{escape(note)}</p>" for note in advice.notes)
    skipped = [one.candidate.title for one in comparison.outcomes if one.state != "done"]
    if skipped:
        notes += f"<p>Not in the running: {escape(', '.join(skipped))} (the table says why).</p>"
    kind = "advice" if advice.chosen != "majority" else "advice odd"
    return (
        f'<section class="{kind}"><h2>Recommendation</h2><p class="sentence">{what}</p>{notes}'
        f"<details><summary>The rule</summary><p>{escape(advice.rule)}</p></details></section>"
    )


def _problems(comparison: Comparison) -> str:
    if not comparison.findings:
        said = "<p>Nothing was found wrong with the messages and their labels.</p>"
        return f"<section><h2>The data first</h2>{said}</section>"
    rows = "".join(
        f"<li><strong>{escape(one.kind[0].upper() + one.kind[1:])}.</strong> {shown(one.message, 1_000)}</li>"
        for one in comparison.findings
    )
    return f"<section><h2>The data first</h2><ul>{rows}</ul></section>"


def _number(value: float | None, digits: int = 0) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


def _with_interval(one: Estimate) -> str:
    return f'{one.value:.3f} <span class="interval">{one.low:.3f} to {one.high:.3f}</span>'


def _table(comparison: Comparison) -> str:
    advice = comparison.recommendation
    rows = []
    for one in comparison.outcomes:
        name, mark, kind = escape(one.candidate.title), "", ""
        if advice and one.candidate.name == advice.chosen and one.candidate.name != "majority":
            mark, kind = ' <span class="mark">recommended</span>', ' class="chosen"'
        head = f'<th scope="row">{name}{mark}</th>'
        if one.state != "done":
            why = f"<span>{one.state}: {shown(one.reason, 600)}</span>"
            rows.append(f'<tr class="away">{head}<td colspan="8" data-label="Not compared">{why}</td></tr>')
            continue
        result = one.result
        short = advice.shortfalls[one.candidate.name] if advice else None
        behind = "–"
        if short is not None:
            best = one.candidate.name == advice.best
            behind = (
                "best"
                if best
                else (
                    f'{choose.points(short.value)} <span class="interval">{choose.points(short.low)} to '
                    f"{choose.points(short.high)}</span>"
                )
            )
        cells = [
            ("Macro-F1 (test)", _with_interval(one.macro_f1)),
            ("Accuracy (test)", _with_interval(one.accuracy)),
            ("Points behind the best (validation)", behind),
            ("Size", choose.megabytes(result["bytes_needed"])),
            ("Usual answer (p50)", choose.milliseconds(result["p50_ms"])),
            ("Slowest in 100 (p99)", choose.milliseconds(result["p99_ms"])),
            ("Memory to answer", _mib(result["answer_memory_mib"])),
            (
                "Training",
                f'{_seconds(result["train_seconds"])} <span class="interval">{_mib(result["train_memory_mib"])}</span>',
            ),
        ]
        body = "".join(f'<td data-label="{label}"><span>{value}</span></td>' for label, value in cells)
        rows.append(f"<tr{kind}>{head}{body}</tr>")
    heads = (
        "Macro-F1", "Accuracy", "Points behind", "Size", "Usual answer", "Slowest in 100", "Memory", "Training",
    )  # fmt: skip
    titles = "".join(f'<th scope="col">{one}</th>' for one in heads)
    sampled = [
        f"{one.candidate.title} was trained on {one.result['trained_on']:,} of the {comparison.sizes['train']:,} "
        "training messages."
        for one in comparison.outcomes
        if one.state == "done"
        and one.result["trained_on"] < comparison.sizes["train"]
        and one.candidate.name != "majority"
    ]
    return (
        '<section><h2>The candidates</h2><table class="candidates"><thead><tr><th scope="col">Model</th>'
        f"{titles}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        '<p class="note">95 % intervals from 2,000 bootstrap draws. Macro-F1 and accuracy on the test; '
        "<em>points behind</em> is the paired difference of macro-F1 to the best on validation. Size is what has to "
        "be on the machine, the encoder included. Answers: one message at a time, after warm-up (p50 and p99); memory "
        "is what that takes; under the seconds of training stands its memory. Each candidate ran in its own process. "
        f"{escape(' '.join(sampled))}</p></section>"
    )


def _mib(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f} MiB"


def _seconds(value: float) -> str:
    return f"{value:,.0f} s" if value >= 10 else f"{value:.1f} s" if value >= 0.1 else "under 0.1 s"


def _picture(comparison: Comparison) -> str:
    """Macro-F1 with its interval, drawn as SVG; without majority, which lies so far off that it hides the others."""
    done = [one for one in comparison.outcomes if one.state == "done" and one.candidate.name != "majority"]
    if len(done) < 2:
        return ""
    width, row, side = 480, 46, 24
    height = row * len(done) + 48
    low = max(0.0, min(one.macro_f1.low for one in done) - 0.03)
    high = min(1.0, max(one.macro_f1.high for one in done) + 0.03)
    step = next(s for s in (0.02, 0.05, 0.1, 0.2, 0.5) if (high - low) / s <= 8)
    ticks = [t * step for t in range(int(np.ceil(low / step)), int(high / step + 1e-9) + 1)]

    def place(value: float) -> float:
        return side + (value - low) / (high - low) * (width - 2 * side)

    drawn = [
        f'<line class="grid" x1="{place(t):.1f}" x2="{place(t):.1f}" y1="4" y2="{height - 38}"/>'
        f'<text class="tick" x="{place(t):.1f}" y="{height - 22}" text-anchor="middle">{t:.2f}</text>'
        for t in ticks
    ]
    advice = comparison.recommendation
    for k, one in enumerate(done):
        y, f1 = 34 + k * row, one.macro_f1
        kind = "dot chosen" if advice and advice.chosen == one.candidate.name else "dot"
        drawn.append(
            f'<text class="name" x="{side}" y="{y - 14}">{escape(one.candidate.title)}</text>'
            f'<line class="{kind}" x1="{place(f1.low):.1f}" x2="{place(f1.high):.1f}" y1="{y}" y2="{y}"/>'
            f'<circle class="{kind}" cx="{place(f1.value):.1f}" cy="{y}" r="6"/>'
        )
    drawn.append(
        f'<text class="tick" x="{width / 2}" y="{height - 4}" text-anchor="middle">'
        "macro-F1 on the test, with its 95 % interval</text>"
    )
    alt = "; ".join(f"{one.candidate.title} {one.macro_f1.value:.3f}" for one in done)
    return (
        f'<figure><svg viewBox="0 0 {width} {height}" role="img" aria-label="Macro-F1 on the test: {escape(alt)}">'
        f"{''.join(drawn)}</svg></figure>"
    )


def _recalls(comparison: Comparison) -> str:
    done = [one for one in comparison.outcomes if one.state == "done"]
    if not done:
        return ""
    heads = "".join(f'<th scope="col">{escape(one.candidate.title)}</th>' for one in done)
    rows = []
    for k, name in enumerate(comparison.class_names):
        cells = "".join(f"<td>{_number(one.recalls[k], 2)}</td>" for one in done)
        rows.append(f'<tr><th scope="row">{shown(name, 60)}</th>{cells}</tr>')
    return (
        "<section><h2>Which classes are found</h2><p>Of each class’s test messages, the share that the model puts "
        "there (recall).</p>"
        f'<div class="wide"><table class="recalls"><thead><tr><th scope="col">Class</th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _suspects(comparison: Comparison) -> str:
    found = comparison.suspects
    if not found:
        return ""
    rows = "".join(
        f'<tr><td>{shown(one.where)}</td><td data-label="Label">{shown(one.label, 60)}</td>'
        f'<td data-label="Reads like">{shown(one.instead, 60)}</td>'
        f"<td>{shown(one.text)}</td></tr>"
        for one in found[:SHOWN]
    )
    more = f" The other {len(found) - SHOWN:,} are in possible_wrong_labels.csv." if len(found) > SHOWN else ""
    return (
        "<section><h2>Labels to look at</h2><p>A model that did not learn from these messages puts them into another "
        f"class, and is sure of it. Some are mislabelled, others only hard: read them before you decide.{more}</p>"
        '<div class="wide"><table class="texts"><thead><tr><th scope="col">Where</th><th scope="col">Label</th>'
        '<th scope="col">Reads like</th><th scope="col">Message</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _mistakes(comparison: Comparison, compared: Split) -> str:
    """The chosen model's surest mistakes: what a customer would meet."""
    advice = comparison.recommendation
    one = next((one for one in comparison.outcomes if advice and one.candidate.name == advice.chosen), None)
    if one is None or one.candidate.name == "majority":
        return ""
    answers: dict[str, Any] = one.result["answers"]["test"]
    said, sure = np.array(answers["predictions"]), np.array(answers["confidence"])
    wrong = np.flatnonzero(said != compared.test.labels)
    if not len(wrong):
        return ""
    rows = "".join(
        f'<tr><td data-label="Label">{shown(compared.class_names[compared.test.labels[i]], 60)}</td>'
        f'<td data-label="Its answer">{shown(compared.class_names[said[i]], 60)} ({sure[i]:.0%})</td>'
        f"<td>{shown(compared.test.texts[i])}</td></tr>"
        for i in wrong[np.argsort(-sure[wrong], kind="stable")][:10]
    )
    return (
        f"<section><h2>What it would get wrong</h2><p>{escape(one.candidate.title)} is wrong on {len(wrong):,} of "
        f"{len(said):,} test messages. These are the mistakes that it is surest of.</p>"
        '<div class="wide"><table class="texts"><thead><tr><th scope="col">Label</th><th scope="col">Its answer</th>'
        f'<th scope="col">Message</th></tr></thead><tbody>{rows}</tbody></table></div></section>'
    )


def _how(comparison: Comparison) -> str:
    settings = comparison.settings
    use = ""
    if comparison.recommendation and comparison.recommendation.chosen != "majority":
        code = (
            'from course_utils import compare\n\nmodel = compare.load_model("model")  # the folder beside this report\n'
            'model.predict(["Your message"])'
        )
        use = f"<h2>Using the model</h2><pre>{escape(code)}</pre>"
    ideas = "".join(
        f"<dt>{escape(one.candidate.title)}</dt><dd>{escape(one.candidate.idea)}</dd>" for one in comparison.outcomes
    )
    return (
        f"<section>{use}<h2>How this was made</h2><dl>{ideas}"
        f"<dt>Split</dt><dd>{escape(settings['split'])}</dd>"
        f"<dt>Profile</dt><dd>{escape(settings['profile'])}, seed {settings['seed']}, margin {settings['margin']:g}, "
        f"at most {settings['limit_seconds']:,} s for training a candidate and as many for judging it; this run took "
        f"{comparison.seconds:,.0f} s.</dd>"
        f"<dt>Machine</dt><dd>{escape(machine_in_words())}. Seconds, milliseconds and memory are this "
        "machine’s.</dd></dl>"
        "</section>"
    )


_STYLE = """
:root { --ink: #1f2328; --soft: #59636e; --page: #ffffff; --box: #f6f8fa; --line: #d1d9e0; --good: #14692f;
  --good-box: #eefaf1; --odd: #7d5200; --odd-box: #fff8e6; --dot: #59636e; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #a3adb8; --page: #0f141a;
  --box: #171d25; --line: #36404b; --good: #57c777; --good-box: #12241a; --odd: #e0ac45; --odd-box: #2a2213;
  --dot: #a3adb8; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, "Segoe UI", Helvetica, Arial, "Noto Sans", "Noto Sans CJK SC", sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; overflow-wrap: break-word; }
h1, h2 { line-height: 1.25; } h1 { margin: 0; font-size: 2rem; } h2 { font-size: 1.35rem; margin: 2.2rem 0 .6rem; }
.course, .facts { margin: 0; color: var(--soft); } .facts { margin-top: .4rem; }
.advice { margin: 1.5rem 0; padding: .9rem 1.2rem; background: var(--good-box); border-left: 6px solid var(--good);
  border-radius: 6px; }
.advice.odd { background: var(--odd-box); border-color: var(--odd); }
.advice h2 { margin: 0; font-size: 1rem; color: var(--soft); } .advice p { margin: .45rem 0; }
.advice .sentence { font-size: 1.2rem; line-height: 1.4; }
details { margin-top: .6rem; } summary { cursor: pointer; font-weight: 600; }
ul { padding-left: 1.3rem; } li { margin: .35rem 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { padding: .45rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { border-bottom: 2px solid var(--line); color: var(--soft); font-weight: 600; }
.candidates td, .candidates thead th:not(:first-child), .recalls td, .recalls thead th:not(:first-child) {
  text-align: right; }
.candidates td { white-space: nowrap; } tr.away td { text-align: left; white-space: normal; color: var(--soft); }
.candidates th[scope=row] { min-width: 9.5rem; } .recalls th, .candidates th { font-weight: 600; }
tr.chosen > * { background: var(--good-box); }
.mark { display: inline-block; color: var(--good); font-size: .82rem; font-weight: 700; }
.mark::before { content: "✓ "; }
.interval { display: block; white-space: nowrap; color: var(--soft); font-size: .82rem; }
.texts td { min-width: 5.5rem; } .texts td:last-child { min-width: 16rem; overflow-wrap: anywhere; }
bdi, dd, li { overflow-wrap: break-word; } .facts, .advice, li, td > span { overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
.note { color: var(--soft); font-size: .88rem; }
figure { margin: 1.5rem 0 0; } svg { width: 100%; max-width: 34rem; height: auto; }
svg text { fill: var(--ink); font-size: 14px; paint-order: stroke; stroke: var(--page); stroke-width: 4px; }
  svg text.tick { fill: var(--soft); font-size: 13px; }
line.grid { stroke: var(--line); } line.dot { stroke: var(--dot); stroke-width: 3; } circle.dot { fill: var(--dot); }
line.dot.chosen { stroke: var(--good); stroke-width: 5; } circle.dot.chosen { fill: var(--good); }
dt { font-weight: 600; margin-top: .5rem; } dd { margin: 0; color: var(--soft); }
pre { background: var(--box); border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem; overflow-x: auto;
  font: .86rem/1.45 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
@media (max-width: 760px) {
  .candidates thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  .candidates, .candidates tbody, .candidates tr, .candidates th, .candidates td { display: block; width: 100%; }
  .candidates tr { border: 1px solid var(--line); border-radius: 6px; margin: .8rem 0; overflow: hidden; }
  .candidates th[scope=row] { font-size: 1.02rem; background: var(--box); }
  .candidates td { display: flex; justify-content: space-between; gap: 1rem; white-space: normal; }
  .candidates td::before { content: attr(data-label); color: var(--soft); text-align: left; }
  .candidates td:last-child { border-bottom: 0; }
  .texts thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  .texts, .texts tbody, .texts tr, .texts td { display: block; width: 100%; }
  .texts tr { border: 1px solid var(--line); border-radius: 6px; margin: .8rem 0; padding: .3rem 0; }
  .texts td { border: 0; padding: .1rem .6rem; } .texts td:last-child { padding-top: .4rem; }
  .texts td[data-label]::before { content: attr(data-label) ": "; color: var(--soft); }
}
@media print { body { font-size: 10pt; } main { max-width: none; padding: 0; } tr, figure { break-inside: avoid; } }
"""
