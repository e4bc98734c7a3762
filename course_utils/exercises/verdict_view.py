"""How a verdict looks: HTML in a notebook, plain text elsewhere. The mark and the word carry the state, not colour."""

import html
import re
import sys
import textwrap

from course_utils.exercises.verdicts import NOT_ATTEMPTED, RIGHT, WRONG, Exercise, Verdict
from course_utils.language import say

_WIDTH = 100
_INDENT = "    "
_MARKS = {NOT_ATTEMPTED: "○", WRONG: "✗", RIGHT: "✓"}
_WORDS = {NOT_ATTEMPTED: "not attempted yet", WRONG: "not right yet", RIGHT: "right"}
# From the Okabe-Ito palette: told apart by colour-blind readers, and at least 3:1 on white and on near-black.
_COLOURS = {NOT_ATTEMPTED: "#3b87c8", WRONG: "#d55e00", RIGHT: "#0a9b74"}


def _heading(exercise: Exercise, verdict: Verdict) -> str:
    template = "Exercise {id} · {title} · {state}"
    if verdict.state == RIGHT and verdict.score:
        template = "Exercise {id} · {title} · {state} · {score}"
    state = say(_WORDS[verdict.state])
    return say(template, id=exercise.id, title=say(exercise.title), state=state, score=verdict.score)


def _paragraphs(exercise: Exercise, verdict: Verdict) -> list[str]:
    if verdict.state == NOT_ATTEMPTED:
        return [text for text in (verdict.message, say(exercise.prompt)) if text]
    return [verdict.message] if verdict.message and verdict.state == WRONG else []


def plain(exercise: Exercise, verdict: Verdict) -> str:
    """The verdict as text; one line when right. The same verdict always gives the same text."""
    lines = [f"{_MARKS[verdict.state]} {_heading(exercise, verdict)}"]
    if verdict.state == RIGHT:
        return lines[0]
    for text in _paragraphs(exercise, verdict):
        lines += textwrap.wrap(text, _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT)
    for label, value in verdict.rows:
        lines += [f"{_INDENT}{label}:", *(2 * _INDENT + line for line in value.splitlines())]
    if verdict.hint:
        lines += textwrap.wrap(
            f"{say('Hint:')} {verdict.hint}", _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT
        )
    return "\n".join(lines)


def _inline(text: str) -> str:
    """Escaped text in which what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def as_html(exercise: Exercise, verdict: Verdict) -> str:
    """The verdict as one HTML block with inline styles: it takes the page's own text colour and background."""
    colour = _COLOURS[verdict.state]
    parts = [
        f'<div style="font-weight:600"><span aria-hidden="true" style="color:{colour};font-size:1.2em">'
        f"{_MARKS[verdict.state]}</span> {_inline(_heading(exercise, verdict))}</div>"
    ]
    if verdict.state != RIGHT:
        paragraph = '<div style="margin:.35em 0 0 1.4em;max-width:46em">{}</div>'
        parts += [paragraph.format(_inline(text)) for text in _paragraphs(exercise, verdict)]
        parts += [
            '<div style="margin:.35em 0 0 1.4em"><div style="font-size:.9em;opacity:.85">'
            f'{html.escape(label)}</div><pre style="margin:.1em 0 0 0;padding:0 0 0 1em;background:none;'
            f'color:inherit;white-space:pre-wrap">{html.escape(value)}</pre></div>'
            for label, value in verdict.rows
        ]
        if verdict.hint:
            parts.append(paragraph.format(f"<strong>{html.escape(say('Hint:'))}</strong> {_inline(verdict.hint)}"))
    style = f"border-left:4px solid {colour};padding:.3em .8em;margin:.4em 0;line-height:1.45"
    return f'<div role="status" style="{style}">{"".join(parts)}</div>'


def _print(text: str) -> None:
    """Print; where the terminal's encoding has no such sign (✓, ², ·), it is written as Python would."""
    try:
        print(text, flush=True)
    except UnicodeEncodeError:
        encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)


def show(exercise: Exercise, verdict: Verdict) -> None:
    """Display the verdict where there is an IPython, print it where there is none."""
    text = plain(exercise, verdict)
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        _print(text)
        return
    from IPython.display import display

    display({"text/html": as_html(exercise, verdict), "text/plain": text}, raw=True)
