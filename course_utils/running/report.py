"""``build/report.html``: a run's table and its executed chapters on one page that needs nothing but itself.

Plotly's script is in the page once and draws the figures from the data that the notebooks hold; the page's own content
security policy lets that script and a few lines of ours run, and nothing else: no other script, no address.
"""

import base64
import dataclasses
import datetime
import functools
import hashlib
import json
import re
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path
from typing import Any

from course_utils.authoring import safe_html
from course_utils.claims import evidence_of
from course_utils.errors import CourseError
from course_utils.paths import display, write_atomic
from course_utils.running.runs import MARKS, MIME, Outcome, machine

PLOTLY = "application/vnd.plotly.v1+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
PICTURES = ("image/png", "image/jpeg", "image/gif")
LONGEST = 20_000  # characters of one text output that are shown
TITLE = "Large Models, Small Teams"


def write(outcomes: Iterable[Outcome], path: Path | str) -> Path:
    """Write the report of a run to ``path`` and return it; raises CourseError for a notebook that cannot be read."""
    outcomes = list(outcomes)
    names = {outcome.chapter for outcome in outcomes if outcome.notebook}
    chapters = [_Chapter(outcome, names) for outcome in outcomes]
    articles = [chapter.article() for chapter in chapters]
    figures = any(chapter.figures for chapter in chapters)
    scripts = [_plotly_script(), _DRAW] if figures else []
    path = Path(path)
    write_atomic(path, _page(outcomes, chapters, articles, scripts))
    return path


# ----------------------------------------------------------------------------------------------------- the page


def _page(outcomes: list[Outcome], chapters: list["_Chapter"], articles: list[str], scripts: list[str]) -> str:
    contents = "".join(chapter.contents() for chapter in chapters)
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en-GB">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(_policy(scripts))}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{TITLE}: report of a run</title>",
            f"<style>{_STYLE}{_code_style()}</style>",
            "</head>",
            "<body>",
            "<main>",
            f'<header><p class="course">{TITLE}</p><h1>Report of a run</h1>{_facts(outcomes)}</header>',
            f'<section id="summary"><h2>Summary</h2>{_summary(chapters)}</section>',
            f'<nav id="contents" aria-label="Contents"><h2>Contents</h2><ol class="chapters">{contents}</ol></nav>',
            *articles,
            "</main>",
            *(f"<script>{script}</script>" for script in scripts),
            "</body>",
            "</html>",
            "",
        ]
    )


def _policy(scripts: list[str]) -> str:
    """The page's content security policy: these scripts by their hashes, no other, and no address at all."""
    allowed = "'none'"
    if scripts:
        digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
        # plotly's WebGL traces compile functions; only scripts with these hashes get to.
        allowed = " ".join([*(f"'sha256-{digest}'" for digest in digests), "'unsafe-eval'"])
    rules = [
        "default-src 'none'",
        f"script-src {allowed}",
        "style-src 'unsafe-inline'",
        "img-src data: blob:",
        "font-src data:",
        "worker-src blob:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join(rules)


def _facts(outcomes: list[Outcome]) -> str:
    facts = machine()
    now = datetime.datetime.now(datetime.UTC)
    profiles = " and ".join(sorted({outcome.profile for outcome in outcomes})) or "–"
    editions = " and ".join(sorted({outcome.edition for outcome in outcomes})) or "–"
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    cores = f"{facts['cores']} core{'s' if facts['cores'] != 1 else ''}"
    rows = [
        ("Date", f"{now:%d %B %Y, %H:%M} UTC"),
        ("Profile", f"{profiles}, {editions} edition"),
        ("Machine", f"{facts['system']}, {cores}, {facts['memory_gib']} GiB of memory"),
        ("Python", f"{facts['python']}, Keras backend {facts['backend']}"),
        ("Packages", versions),
    ]
    return "<dl>" + "".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in rows) + "</dl>"


def _summary(chapters: list["_Chapter"]) -> str:
    outcomes = [chapter.outcome for chapter in chapters]
    counts = [(verdict, sum(outcome.verdict == verdict for outcome in outcomes)) for verdict in MARKS]
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts if count) or "nothing was run"
    seconds = sum(outcome.seconds for outcome in outcomes)
    rows = []
    for chapter in chapters:
        outcome = chapter.outcome
        notes = [escape(line) for line in outcome.headline]
        if outcome.reason:
            notes.append(f'<span class="reason">{escape(outcome.reason)}</span>')
        if outcome.error:
            notes.append(chapter.error_line())
        rows.append(
            f'<tr><td><a href="#{chapter.id}">{escape(chapter.label)}</a></td>'
            f"<td>{_verdict(outcome)}</td>"
            f'<td class="number">{f"{outcome.seconds:,.1f}" if outcome.seconds else "–"}</td>'
            f'<td class="number">{f"{outcome.peak_mib:,.0f}" if outcome.peak_mib else "–"}</td>'
            f"<td>{'<br>'.join(notes)}</td></tr>"
        )
    return (
        f"<p>{escape(said)}; {seconds:,.0f} s in all.</p>"
        '<div class="wide"><table class="summary"><thead><tr><th scope="col">Chapter</th><th scope="col">Verdict</th>'
        '<th scope="col" class="number">Seconds</th><th scope="col" class="number">Peak MiB</th>'
        f'<th scope="col">Headline result</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
        f"{_claims(chapters)}"
    )


def _claims(chapters: list["_Chapter"]) -> str:
    rows = [
        f"<tr><td>{escape(str(claim.get('id')))}</td><td>{escape(str(claim.get('verdict')))}</td>"
        f"<td>{escape(evidence_of(claim))}</td>"
        f'<td><a href="#{chapter.id}">{escape(chapter.label)}</a></td></tr>'
        for chapter in chapters
        for claim in chapter.outcome.claims
    ]
    if not rows:
        return ""
    return (
        "<h3>The articles’ claims</h3>"
        '<div class="wide"><table class="summary"><thead><tr><th scope="col">Claim</th><th scope="col">Verdict</th>'
        '<th scope="col">Evidence</th><th scope="col">Chapter</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _verdict(outcome: Outcome) -> str:
    kind = outcome.verdict.replace(" ", "-")
    return f'<span class="verdict {kind}">{MARKS[outcome.verdict]} {escape(outcome.verdict)}</span>'


def _plotly_script() -> str:
    """Plotly's own script from the installed package, so that the figures are drawn by what made them."""
    from plotly.offline import get_plotlyjs

    # As it stands in no release so far; inside a script a slash may be written so.
    return re.sub(r"</(script)", r"<\\/\1", get_plotlyjs(), flags=re.IGNORECASE)


def _code_style() -> str:
    from pygments.formatters import HtmlFormatter

    def rules(style: str, prefix: str) -> str:
        written = HtmlFormatter(style=style).get_style_defs(prefix)
        # Backgrounds are the page's, and line numbers are not used.
        kept = [line for line in written.splitlines() if re.match(re.escape(prefix) + r" \.\w+ ", line)]
        return "\n".join(kept)

    return (
        f"\n{rules('default', '.code')}\n"
        f"@media screen and (prefers-color-scheme: dark) {{\n.code code {{ color: #e6edf3; }}\n"
        f"{rules('github-dark', '.code')}\n}}\n"
    )


# -------------------------------------------------------------------------------------------------- one chapter


@dataclasses.dataclass
class _Chapter:
    """One chapter's place on the page; ``article`` has to be called before ``contents``."""

    outcome: Outcome
    names: set[str]  # the chapters that are on the page, for links between them
    headings: list[tuple[int, str, str]] = dataclasses.field(default_factory=list)
    figures: int = 0

    @property
    def id(self) -> str:
        return "chapter-" + re.sub(r"[^A-Za-z0-9_-]", "-", self.outcome.chapter)

    @property
    def label(self) -> str:
        return f"{self.outcome.chapter[:2]} · {self.outcome.title}"

    @functools.cached_property
    def cells(self) -> list[Any]:
        return _cells(self.outcome.notebook) if self.outcome.notebook else []

    def cell_id(self, index: int) -> str:
        return f"{self.id}-cell-{index + 1}"

    def error_line(self) -> str:
        error = self.outcome.error
        where = f"cell {error['cell_index'] + 1}"
        if error["cell_index"] < len(self.cells):
            where = f'<a href="#{self.cell_id(error["cell_index"])}">{where}</a>'
        value = error["evalue"].strip().splitlines()[:1]
        said = f"{error['ename']}: {value[0]}" if value else error["ename"]
        return f'{where}: <code>{escape(error["first_line"])}</code><br><span class="reason">{escape(said)}</span>'

    def contents(self) -> str:
        inner = "".join(
            f'<li><a href="#{name}">{escape(words)}</a></li>' for level, words, name in self.headings if level == 2
        )
        return (
            f'<li><a href="#{self.id}">{escape(self.label)}</a> {_verdict(self.outcome)}'
            f"{f'<ol>{inner}</ol>' if inner else ''}</li>"
        )

    def article(self) -> str:
        return f'<article id="{self.id}">{self._body()}</article>'

    def _body(self) -> str:
        outcome = self.outcome
        figures = [f"{outcome.seconds:,.1f} s"] if outcome.seconds else []
        figures += [f"{outcome.peak_mib:,.0f} MiB at most"] if outcome.peak_mib else []
        reason = [escape(outcome.reason)] if outcome.reason else []
        status = " · ".join([_verdict(outcome), *figures, *reason, '<a href="#summary">summary</a>'])
        lines = [f'<p class="status">{status}</p>']
        if outcome.error:
            lines.append(f'<p class="failure">Failed in {self.error_line()}</p>')
        if outcome.notebook is None:
            return "\n".join([f"<h2>{escape(self.label)}</h2>", *lines])
        failed = outcome.error["cell_index"] if outcome.error else None
        for index, cell in enumerate(self.cells):
            lines.append(self._cell(cell, index, failed=index == failed))
            if index == failed:
                lines.append('<p class="failure">The chapter stopped here; what follows was not run.</p>')
        return "\n".join(lines)

    def _cell(self, cell: Any, index: int, *, failed: bool) -> str:
        place = f' id="{self.cell_id(index)}"'
        if cell.cell_type == "markdown":
            return f'<section class="prose"{place}>{self._markdown(cell.source, cell.get("attachments"))}</section>'
        if cell.cell_type != "code":
            return f'<section class="prose"{place}><pre>{escape(safe_html.plain(cell.source))}</pre></section>'
        if not cell.source.strip() and not cell.outputs and not failed:
            return ""
        outputs = "".join(self._output(output) for output in _joined(cell.outputs))
        kind = "cell failed" if failed else "cell"
        return f'<section class="{kind}"{place}>{safe_html.highlight(cell.source)}{outputs}</section>'

    def _markdown(self, text: str, attachments: dict[str, dict[str, str]] | None = None) -> str:
        for name, kinds in (attachments or {}).items():
            for kind, data in kinds.items():
                text = text.replace(f"attachment:{name}", f"data:{kind};base64,{''.join(data.split())}")
        return safe_html.markdown(text, link=self._link, anchor=self._anchor)

    def _link(self, target: str) -> str | None:
        """Links between the chapters lead to their places on this page; those to other files lead nowhere."""
        found = re.fullmatch(r"(?:\./|\.\./)?(?:notebooks/)?([\w-]+)\.ipynb(#.*)?", target.strip())
        if found:
            return f"#chapter-{found[1]}" if found[1] in self.names else None
        return None if target.strip().startswith("#") else safe_html.safe_link(target)

    def _anchor(self, level: int, words: str) -> str:
        name = f"{self.id}-{len(self.headings) + 1}"
        self.headings.append((level, words, name))
        return name

    # ---------------------------------------------------------------------------------------------- outputs

    def _output(self, output: Any) -> str:
        kind = output.output_type
        if kind == "stream":
            name = "stream error-stream" if output.name == "stderr" else "stream"
            return _text(output.text, name)
        if kind == "error":
            trace = "\n".join(output.get("traceback") or [f"{output.ename}: {output.evalue}"])
            return f'<div class="error"><p>{escape(output.ename)}</p>{_text(trace, "trace")}</div>'
        data = output.get("data", {})
        for mime, show in self._shown():
            if mime in data:
                return show(data[mime], data)
        return ""

    def _shown(self) -> list[tuple[str, Callable[[Any, dict], str]]]:
        """What is shown of an output that comes in several forms: the first that it has."""
        return [
            (PLOTLY, self._figure),
            (
                WIDGET,
                lambda *_: '<p class="note">An interactive control stands here in the notebook; it needs a kernel.</p>',
            ),
            (
                "text/html",
                lambda html, _: f'<div class="html wide">{safe_html.sanitise(_string(html), link=self._link)}</div>',
            ),
            (
                "text/markdown",
                lambda text, _: f'<div class="html wide">{safe_html.markdown(_string(text), link=self._link)}</div>',
            ),
            ("image/svg+xml", _svg),
            *((mime, _picture(mime)) for mime in PICTURES),
            ("text/latex", lambda tex, _: f'<div class="html wide">{safe_html.markdown(_string(tex))}</div>'),
            (MIME, lambda record, data: _record(record, data)),
            ("text/plain", lambda text, _: _text(text, "result")),
        ]

    def _figure(self, figure: Any, data: dict) -> str:
        layout = figure.get("layout") or {}
        alt = _alt(layout)
        self.figures += 1
        height = layout.get("height")
        height = height if isinstance(height, int | float) and 50 <= height <= 5000 else 450
        content = {key: figure[key] for key in ("data", "layout", "frames") if figure.get(key)}
        return (
            '<figure class="chart">'
            f'<div class="plot" role="img" aria-label="{escape(alt)}" style="min-height:{height}px">'
            f"<noscript><p>{escape(alt)} (The figure itself needs JavaScript.)</p></noscript></div>"
            f'<script type="application/json">{_json(content)}</script></figure>'
        )


def _cells(path: Path) -> list[Any]:
    import nbformat

    try:
        return nbformat.read(path, as_version=4).cells
    except Exception as error:  # nbformat raises several kinds, from JSON errors to its own
        raise CourseError(f"{display(path)} cannot be read as a notebook ({error}). Run the chapter again.") from error


def _joined(outputs: Iterable[Any]) -> list[Any]:
    """Outputs with what one stream wrote in several pieces put together."""
    joined: list[Any] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last is not None and output.output_type == last.output_type == "stream" and output.name == last.name:
            last["text"] = _string(last["text"]) + _string(output["text"])
        else:
            joined.append(output)
    return joined


def _string(value: Any) -> str:
    """A notebook's text, which may be stored as a list of lines."""
    return "".join(value) if isinstance(value, list) else str(value)


def _text(value: Any, kind: str) -> str:
    text = safe_html.plain(_string(value)).strip("\n")
    if not text.strip():
        return ""
    left = len(text) - LONGEST
    more = f'<p class="note">… and {left:,} more characters in the executed notebook.</p>' if left > 0 else ""
    return f'<pre class="{kind}">{escape(text[:LONGEST])}</pre>{more}'


def _record(record: Any, data: dict) -> str:
    """A headline or a claim's verdict: its words stand out; the line of ``setup`` does not."""
    kind = record.get("kind") if isinstance(record, dict) else None
    text = _string(data.get("text/plain", ""))
    return f'<p class="record">{escape(text)}</p>' if kind in ("headline", "claim") else _text(text, "result")


def _alt(layout: dict) -> str:
    meta = layout.get("meta")
    alt = meta.get("alt") if isinstance(meta, dict) else None
    return str(alt or "A figure without a description.")


def _svg(svg: Any, _: dict) -> str:
    # As a picture an SVG runs no scripts and loads nothing.
    source = base64.b64encode(_string(svg).encode()).decode()
    return f'<figure><img alt="A drawing" src="data:image/svg+xml;base64,{source}"></figure>'


def _picture(mime: str) -> Callable[[Any, dict], str]:
    def show(content: Any, data: dict) -> str:
        source = safe_html.safe_image(f"data:{mime};base64,{''.join(_string(content).split())}")
        alt = _string(data.get("text/plain", "")) or "A picture"
        return f'<figure><img alt="{escape(alt)}" src="{source}"></figure>' if source else ""

    return show


def _json(content: Any) -> str:
    """JSON that can stand in a ``<script>``: without a character that HTML could read as the script's end."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


_DRAW = """
(() => {
  "use strict";
  const config = {responsive: true, displaylogo: false};
  const draw = (plot) => {
    if (plot.dataset.drawn) return;
    plot.dataset.drawn = "yes";
    try {
      const figure = JSON.parse(plot.parentElement.querySelector("script").textContent);
      Plotly.newPlot(plot, {data: figure.data || [], layout: figure.layout || {}, frames: figure.frames || [], config});
    } catch (error) {
      plot.textContent = plot.getAttribute("aria-label") + " (The figure could not be drawn: " + error.message + ")";
    }
  };
  const plots = document.querySelectorAll("figure.chart > .plot");
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) { near.unobserve(entry.target); draw(entry.target); }
  }, {rootMargin: "800px"});
  plots.forEach((plot) => near.observe(plot));
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach((part) => { part.open = true; });
    plots.forEach(draw);
  });
})();
"""

_STYLE = """
:root { --ink: #1f2328; --soft: #59636e; --page: #ffffff; --box: #f6f8fa; --line: #d1d9e0; --link: #0a5cad;
  --good: #14692f; --bad: #b3231c; --odd: #7d5200; --bad-box: #fdf0ef; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #a3adb8; --page: #0f141a;
  --box: #171d25; --line: #36404b; --link: #6cb6ff; --good: #57c777; --bad: #ff8078; --odd: #e0ac45;
  --bad-box: #2a1718; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, "Segoe UI", Helvetica, Arial, "Noto Sans", "Noto Sans CJK SC", sans-serif; }
main { max-width: 56rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; overflow-wrap: break-word; }
a { color: var(--link); text-underline-offset: 2px; }
h1, h2, h3, h4, h5, h6 { line-height: 1.25; margin: 1.6em 0 .5em; }
h1 { margin-top: 0; font-size: 2rem; } h2 { font-size: 1.6rem; } h3 { font-size: 1.25rem; } h4 { font-size: 1.05rem; }
.course { margin: 0; color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 1rem 0; }
dt { color: var(--soft); } dd { margin: 0; }
article { margin-top: 3rem; padding-top: 2rem; border-top: 2px solid var(--line); }
article > .status { color: var(--soft); font-size: .9rem; margin: 0; }
article h2:first-of-type { margin-top: .6em; }
.wide { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; margin: .8rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { border-bottom: 2px solid var(--line); }
.html table { font-size: .9rem; } .html table td, .html table th { text-align: right; }
table.summary { width: 100%; font-size: .93rem; } table.summary td:first-child { min-width: 10rem; }
.number { text-align: right; }
.verdict { white-space: nowrap; font-weight: 600; color: var(--odd); }
.verdict.passed { color: var(--good); } .verdict.failed, .verdict.over-budget { color: var(--bad); }
.reason { color: var(--soft); }
nav ol { list-style: none; padding-left: 1.2rem; margin: .2rem 0; } nav > ol.chapters { padding-left: 0; }
nav ol.chapters > li { margin: .5rem 0; } nav ol ol { font-size: .92rem; }
nav .verdict { font-size: .85rem; }
pre { margin: .6rem 0; padding: .6rem .8rem; overflow-x: auto; border-radius: 6px; line-height: 1.45;
  font-size: .85rem; font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .9em; }
pre code { font-size: inherit; }
:not(pre) > code { background: var(--box); border-radius: 4px; padding: .08em .3em; }
code.tex { border: 1px dashed var(--odd); } code.tex.display { display: block; white-space: pre-wrap; padding: .5rem; }
pre.code { background: var(--box); border: 1px solid var(--line); }
.cell { margin: 1rem 0; } .cell.failed { border-left: 4px solid var(--bad); padding-left: .8rem; }
pre.stream, pre.result, pre.trace { padding: .2rem .8rem; margin: .4rem 0; }
pre.error-stream { border-left: 3px solid var(--odd); border-radius: 0; }
.error { background: var(--bad-box); border: 1px solid var(--bad); border-radius: 6px; padding: .3rem .8rem; }
.error > p { color: var(--bad); font-weight: 600; margin: .2rem 0; } .error pre { padding: 0; }
.failure { background: var(--bad-box); border-left: 4px solid var(--bad); padding: .5rem .8rem; margin: 1rem 0; }
.failure code { background: none; }
.record { border-left: 4px solid var(--good); background: var(--box); padding: .4rem .8rem; margin: .6rem 0; }
.note { color: var(--soft); font-style: italic; margin: .4rem 0; }
blockquote { margin: .8rem 0; padding: .1rem 1rem; border-left: 4px solid var(--line); color: var(--soft); }
details { border: 1px solid var(--line); border-radius: 6px; padding: .4rem .9rem; margin: .8rem 0; }
summary { cursor: pointer; font-weight: 600; }
figure { margin: 1rem 0; } img { max-width: 100%; height: auto; background: #fff; }
figure.chart { background: #fff; color: #1f2937; border-radius: 6px; overflow-x: auto; }
.plot p { padding: 1rem; margin: 0; }
.formula { overflow-x: auto; overflow-y: hidden; padding: .3rem 0; }
math { font-size: 1.08em; font-family: "STIX Two Math", "Cambria Math", "Latin Modern Math", math, serif; }
mtd[columnalign="right"] { text-align: right; } mtd[columnalign="left"] { text-align: left; }
mtable[columnspacing^="0em"] > mtr > mtd { padding-left: 0; padding-right: 0; }
hr { border: 0; border-top: 1px solid var(--line); margin: 2rem 0; }
@media print {
  body { font-size: 10.5pt; } main { max-width: none; padding: 0; } a { color: inherit; }
  article { break-before: page; border-top: 0; margin-top: 0; } nav, article > .status a { display: none; }
  pre { white-space: pre-wrap; } figure, tr, .error, .formula { break-inside: avoid; }
  h2, h3, h4 { break-after: avoid; }
}
"""
