"""``build/report.html``: a run's table and its executed chapters on one page that needs nothing but itself.

Plotly's script is in the page once and draws the figures from the data that the notebooks hold; the page's own content
security policy lets that script and a few lines of ours run, and nothing else: no other script, no address. What the
page looks like stands in ``pages/templates/run.html``; here is what it shows.
"""

import base64
import contextlib
import dataclasses
import datetime
import functools
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from course_utils import claims, console, pages
from course_utils.errors import CourseError, NotKept
from course_utils.language import say
from course_utils.pages import safe_html
from course_utils.paths import display, write_atomic
from course_utils.running.outcome import KINDS, MARKS, Outcome, exit_status, machine
from course_utils.runtime import MIME, PLOTLY, WIDGET

PICTURES = ("image/png", "image/jpeg", "image/gif")
LONGEST = 20_000  # characters of one text output that are shown

Part = dict[str, Any]  # what the template is told of a cell or an output: its ``kind`` or ``form``, and its words


def write(outcomes: Iterable[Outcome], path: Path | str) -> Path:
    """Write the report of a run to ``path`` and return it.

    Raises CourseError for a notebook that cannot be read, and NotKept where the report cannot be written.
    """
    outcomes = list(outcomes)
    names = {outcome.chapter for outcome in outcomes if outcome.notebook}
    chapters = [_Chapter(outcome, names) for outcome in outcomes]
    figures = any([chapter.figures for chapter in chapters])  # a list: every chapter's cells are made here
    page = pages.render(
        "run.html",
        scripts=[_plotly_script(), pages.resource("draw.js")] if figures else [],
        style=_code_style(),
        marks=MARKS,
        facts=_facts(outcomes),
        said=_said(outcomes),
        seconds=sum(outcome.seconds for outcome in outcomes),
        chapters=chapters,
        claims=[_claim(claim, chapter) for chapter in chapters for claim in chapter.outcome.claims],
    )
    path = Path(path)
    try:
        write_atomic(path, page)
    except OSError as error:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)  # an earlier run's
        raise NotKept(
            say(
                "The chapters were run, but the report could not be written to {path} ({reason}). Make room, or choose "
                "another folder with --out, and run again.",
                path=display(path),
                reason=error.strerror or error,
            ),
            otherwise=exit_status(outcomes),
        ) from error
    return path


# ----------------------------------------------------------------------------------------------------- the page


def _facts(outcomes: list[Outcome]) -> list[tuple[str, str]]:
    facts = machine()
    now = datetime.datetime.now(datetime.UTC)
    profiles = " and ".join(sorted({outcome.profile for outcome in outcomes})) or "–"
    editions = " and ".join(sorted({outcome.edition for outcome in outcomes})) or "–"
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    cores = console.count(facts["cores"], "core")
    return [
        ("Date", f"{now:%d %B %Y, %H:%M} UTC"),
        ("Profile", f"{profiles}, {editions} edition"),
        ("Machine", f"{facts['system']}, {cores}, {facts['memory_gib']} GiB of memory"),
        ("Python", f"{facts['python']}, Keras backend {facts['backend']}"),
        ("Packages", versions),
    ]


def _said(outcomes: list[Outcome]) -> str:
    counts = [(verdict, sum(outcome.verdict == verdict for outcome in outcomes)) for verdict in MARKS]
    return ", ".join(f"{count} {verdict}" for verdict, count in counts if count) or "nothing was run"


def _claim(claim: dict[str, Any], chapter: "_Chapter") -> Part:
    name = str(claim.get("id"))
    return {
        "id": name,
        "says": claims.rows().get(name, {}).get("says", "–"),
        "verdict": str(claim.get("verdict")),
        "evidence": str(claim.get("evidence", "")),
        "recorded": str(claim.get("recorded") or ""),
        "chapter": chapter,
    }


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
    """One chapter's place on the page."""

    outcome: Outcome
    names: set[str]  # the chapters that are on the page, for links between them
    headings: list[tuple[int, str, str]] = dataclasses.field(default_factory=list)

    @property
    def id(self) -> str:
        return "chapter-" + re.sub(r"[^A-Za-z0-9_-]", "-", self.outcome.chapter)

    @property
    def label(self) -> str:
        return f"{self.outcome.chapter[:2]} · {self.outcome.title}"

    @property
    def kind(self) -> str:
        """Why it did not pass, in a word or two; empty for a chapter that passed."""
        return KINDS.get(self.outcome.kind, self.outcome.kind)

    @property
    def has_notebook(self) -> bool:
        return self.outcome.notebook is not None

    @functools.cached_property
    def cells(self) -> list[Any]:
        return _cells(self.outcome.notebook) if self.outcome.notebook else []

    @functools.cached_property
    def error(self) -> Part | None:
        error = self.outcome.error
        if not error:
            return None
        index = error["cell_index"]
        value = error["evalue"].strip().splitlines()[:1]
        return {
            "where": say("cell {n}", n=index + 1),
            "place": self.cell_id(index) if index < len(self.cells) else "",
            "first_line": error["first_line"] or "",
            "said": f"{error['ename']}: {value[0]}" if value else error["ename"],
        }

    @functools.cached_property
    def parts(self) -> list[Part]:
        """The cells for the template, in order."""
        failed = self.outcome.error["cell_index"] if self.outcome.error else None
        made = [self._cell(cell, index, failed=index == failed) for index, cell in enumerate(self.cells)]
        return [cell for cell in made if cell]

    @property
    def sections(self) -> list[tuple[str, str]]:
        """(place, words) of the headings that the contents list."""
        self.parts  # noqa: B018 (the headings are met while the cells are made)
        return [(name, words) for level, words, name in self.headings if level == 2]

    @property
    def figures(self) -> int:
        return sum(part["form"] == "figure" for cell in self.parts for part in cell["outputs"])

    def cell_id(self, index: int) -> str:
        return f"{self.id}-cell-{index + 1}"

    def _cell(self, cell: Any, index: int, *, failed: bool) -> Part | None:
        part: Part = {"id": self.cell_id(index), "kind": "prose", "failed": failed, "outputs": []}
        if cell.cell_type == "markdown":
            return part | {"html": self._markdown(cell.source, cell.get("attachments"))}
        if cell.cell_type != "code":
            return part | {"raw": console.overwritten(cell.source)}
        if not cell.source.strip() and not cell.outputs and not failed:
            return None
        return part | {
            "kind": "cell failed" if failed else "cell",
            "html": safe_html.highlight(cell.source),
            "outputs": [self._output(output) for output in _joined(cell.outputs)],
        }

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

    def _output(self, output: Any) -> Part:
        kind = output.output_type
        if kind == "stream":
            return _text("stream", output.text) | {"error": output.name == "stderr"}
        if kind == "error":
            trace = "\n".join(output.get("traceback") or [f"{output.ename}: {output.evalue}"])
            return _text("error", trace) | {"name": output.ename}
        data = output.get("data", {})
        for mime, show in self._shown():
            if mime in data:
                return show(data[mime], data)
        return _text("result", "")

    def _shown(self) -> list[tuple[str, Callable[[Any, dict], Part]]]:
        """What is shown of an output that comes in several forms: the first that it has."""
        return [
            (PLOTLY, _figure),
            (WIDGET, lambda *_: {"form": "widget"}),
            ("text/html", lambda html, _: _html(safe_html.sanitise(_string(html), link=self._link))),
            ("text/markdown", lambda text, _: _html(safe_html.markdown(_string(text), link=self._link))),
            ("image/svg+xml", _svg),
            *((mime, _picture(mime)) for mime in PICTURES),
            ("text/latex", lambda tex, _: _html(safe_html.markdown(_string(tex)))),
            (MIME, _record),
            ("text/plain", lambda text, _: _text("result", text)),
        ]


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


def _text(form: str, value: Any) -> Part:
    text = console.overwritten(_string(value)).strip("\n")
    if not text.strip():
        text = ""
    return {"form": form, "text": text[:LONGEST], "left": len(text) - LONGEST}


def _html(written: str) -> Part:
    """Of what `safe_html` wrote, and of nothing else: the template puts it in as it is."""
    return {"form": "html", "html": written}


def _record(record: Any, data: dict) -> Part:
    """A headline or a claim's verdict: its words stand out; the line of ``setup`` does not."""
    kind = record.get("kind") if isinstance(record, dict) else None
    said = data.get("text/plain", "")
    return {"form": "record", "text": _string(said)} if kind in ("headline", "claim") else _text("result", said)


def _figure(figure: Any, _: dict) -> Part:
    layout = figure.get("layout") or {}
    meta = layout.get("meta")
    alt = meta.get("alt") if isinstance(meta, dict) else None
    height = layout.get("height")
    return {
        "form": "figure",
        "alt": str(alt or "A figure without a description."),
        "height": height if isinstance(height, int | float) and 50 <= height <= 5000 else 450,
        "json": _json({key: figure[key] for key in ("data", "layout", "frames") if figure.get(key)}),
    }


def _svg(svg: Any, _: dict) -> Part:
    # As a picture an SVG runs no scripts and loads nothing.
    source = base64.b64encode(_string(svg).encode("utf-8", "replace")).decode()
    return {"form": "picture", "alt": "A drawing", "source": f"data:image/svg+xml;base64,{source}"}


def _picture(mime: str) -> Callable[[Any, dict], Part]:
    def show(content: Any, data: dict) -> Part:
        source = safe_html.safe_image(f"data:{mime};base64,{''.join(_string(content).split())}")
        alt = _string(data.get("text/plain", "")) or "A picture"
        return {"form": "picture", "alt": alt, "source": source} if source else _text("result", "")

    return show


def _json(content: Any) -> str:
    """JSON that can stand in a ``<script>``: without a character that HTML could read as the script's end."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
