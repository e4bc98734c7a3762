"""The doctor's findings as a learner sees them: rows, and the table that they make in a terminal or a notebook."""

import html
from dataclasses import dataclass

from course_utils.console import fold
from course_utils.language import say, say_many

MARKS = {"ok": "✓ ok", "notice": "! notice", "problem": "✗ problem"}


_LEAST = 24  # columns of a finding beside its subject; with fewer it stands below


@dataclass(frozen=True)
class Row:
    """One line of the report: subject, state ("ok", "notice" or "problem"), finding, and the command that mends it."""

    subject: str
    state: str
    finding: str
    mend: str = ""


@dataclass(frozen=True)
class Report:
    """The doctor's findings; shows itself as a table in a notebook and as aligned text elsewhere."""

    rows: tuple[Row, ...]

    @property
    def problems(self) -> tuple[Row, ...]:
        """The rows that keep the course from running as it should."""
        return tuple(row for row in self.rows if row.state == "problem")

    @property
    def notices(self) -> tuple[Row, ...]:
        """The rows worth knowing, with which the course runs."""
        return tuple(row for row in self.rows if row.state == "notice")

    @property
    def verdict(self) -> str:
        """One sentence for the whole machine."""
        problems, notices = len(self.problems), len(self.notices)
        noted = say_many("{n} notice", "{n} notices", notices)
        if problems:
            one, many = "Not ready: {n} problem to mend, {notices}.", "Not ready: {n} problems to mend, {notices}."
            return say_many(one, many, problems, notices=noted)
        return say("Ready, with {notices}.", notices=noted) if notices else say("Ready.")

    def text(self, width: int | None = None) -> str:
        """The report for a terminal, folded to ``width`` columns (None: each finding is one line)."""
        wide = max((len(row.subject) for row in self.rows), default=0)
        mark = max(map(len, MARKS.values()))
        column = mark + wide + 4
        narrow = width is not None and width - column < _LEAST
        lines = []
        for row in self.rows:
            first, indent = f"{MARKS[row.state]:<{mark}}  {row.subject:<{wide}}  ", " " * column
            if narrow:
                lines.append(first.rstrip())
                first = indent = "    "
            finding = [row.finding] if width is None else fold(row.finding, width - len(indent))
            lines += [(indent if number else first) + line for number, line in enumerate(finding)]
            if row.mend:
                # A command that is folded cannot be copied: it begins further to the left where that keeps it whole.
                mend = f"→ {row.mend}"
                if width is not None and len(indent + mend) > width:
                    indent = "  "
                lines += [indent + line for line in ([mend] if width is None else fold(mend, width - len(indent)))]
        return "\n".join([*lines, "", *([self.verdict] if width is None else fold(self.verdict, width))])

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        colours = {"ok": "#1a7f37", "notice": "#b26a00", "problem": "#cf222e"}  # 4.5:1 or nearly, on white and on black
        body = "".join(
            f'<tr><td style="text-align:left;white-space:nowrap;border-left:4px solid {colours[row.state]};'
            f'padding-left:0.6em"><strong>{MARKS[row.state]}</strong></td>'
            f'<th scope="row" style="text-align:left;white-space:nowrap">{html.escape(row.subject)}</th>'
            f'<td style="text-align:left">{html.escape(row.finding)}'
            + (f"<br>Mend it: <code>{html.escape(row.mend)}</code>" if row.mend else "")
            + "</td></tr>"
            for row in self.rows
        )
        return (
            f"<table><caption style='text-align:left'><strong>{html.escape(self.verdict)}</strong></caption>"
            "<thead><tr><th scope='col' style='text-align:left'>State</th><th scope='col' style='text-align:left'>What"
            "</th><th scope='col' style='text-align:left'>Finding</th></tr></thead>"
            f"<tbody>{body}</tbody></table>"
        )
