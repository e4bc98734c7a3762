"""A run as a terminal shows it: bars while it goes on, a line for each chapter, and a table that fits at the end."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from course_utils.console import fold, plain, width
from course_utils.language import say
from course_utils.running.outcome import KINDS, MARKS, Outcome

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

    from course_utils.running.execution import Execution
    from course_utils.running.request import Job

_COLOURS = {"passed": "green", "failed": "red", "not run": "yellow", "over budget": "red", "interrupted": "yellow"}
_INDENT = 2
_WIDEST = 100  # columns; figures far away from their chapter are hard to follow


def error_line(outcome: Outcome) -> str:
    """Where a chapter failed and why, in one line."""
    error = outcome.error
    if not error:
        return ""
    value = error["evalue"].strip().splitlines()[:1]
    facts = {
        "number": error["cell_index"] + 1,
        "id": error["cell_id"],
        "line": error["first_line"],
        "error": f"{error['ename']}: {value[0]}" if value else error["ename"],
    }
    if not facts["line"]:
        return plain(facts["error"])
    if not facts["id"]:
        return plain(say("cell {number}: {line} → {error}", **facts))
    return plain(say("cell {number} ({id}): {line} → {error}", **facts))


def verdict(outcome: Outcome) -> str:
    """The verdict in words, with the kind of failure: "failed (memory)"."""
    kind = KINDS.get(outcome.kind, outcome.kind)
    return say("{verdict} ({kind})", verdict=outcome.verdict, kind=kind) if kind else outcome.verdict


def table(outcomes: Iterable[Outcome]) -> "RenderableType":
    """The closing table, to be printed by rich: mark, chapter, seconds, processor seconds and peak memory in a row,
    verdict and headline results below it, over the whole width. It fits any terminal of 50 columns or more."""
    return _Table(list(outcomes))


class _Table:
    def __init__(self, outcomes: list[Outcome]) -> None:
        self.outcomes = outcomes

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "Iterator[RenderableType]":
        from rich.padding import Padding
        from rich.text import Text

        heads = [say("seconds"), say("processor s"), say("peak MiB")]
        rows = [
            [f"{value:,.{places}f}" if value else "" for value, places in _figures(outcome)]
            for outcome in self.outcomes
        ]
        widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(3)]
        room = max(12, min(options.max_width, _WIDEST) - sum(widths) - 2 * len(widths))

        def line(first: Text, figures: list[str], style: str = "") -> Text:
            # Set by hand: rich counts the padding of a column in its width or not, by its version.
            first.truncate(room, overflow="ellipsis", pad=True)
            cells = [(f"  {figure:>{width}}", style) for figure, width in zip(figures, widths, strict=True)]
            return Text.assemble(first, *cells, no_wrap=True)

        yield line(Text(say("Chapters"), style="bold"), heads, "bold")
        for outcome, row in zip(self.outcomes, rows, strict=True):
            colour = _COLOURS[outcome.verdict]
            yield line(Text.assemble((MARKS[outcome.verdict], colour), " ", outcome.chapter), row)
            below = Text(verdict(outcome), style=colour)
            for text in filter(None, ["; ".join(outcome.headline), outcome.reason, error_line(outcome)]):
                below.append(" · ", style="default")
                below.append(plain(text), style="default")
            yield Padding(below, (0, 0, 0, _INDENT), expand=False)
        if len(self.outcomes) > 1:
            counts = [
                say("{n} {verdict}", n=n, verdict=name)
                for name in MARKS
                if (n := sum(outcome.verdict == name for outcome in self.outcomes))
            ]
            sums = [sum(outcome.seconds for outcome in self.outcomes), sum(o.cpu_seconds for o in self.outcomes)]
            yield line(Text(say("Together"), style="bold"), [*(f"{value:,.1f}" for value in sums), ""], "bold")
            yield Padding(Text(", ".join(counts)), (0, 0, 0, _INDENT), expand=False)


def _figures(outcome: Outcome) -> list[tuple[float, int]]:
    return [(outcome.seconds, 1), (outcome.cpu_seconds, 1), (outcome.peak_mib, 0)]


class Quiet:
    """Shows nothing."""

    visible = False

    def open(self) -> None:
        """The chapters begin."""

    def say(self, text: str) -> None:
        """Show a line."""

    def begin(self, execution: "Execution") -> None:
        """A chapter has started."""

    def update(self, execution: "Execution") -> None:
        """A chapter has got on."""

    def finish(self, job: "Job", outcome: Outcome) -> None:
        """A chapter has its outcome."""

    def close(self) -> None:
        """Nothing runs any more."""

    def conclude(self, outcomes: list[Outcome]) -> None:
        """Show the table."""


class Display(Quiet):
    """A bar over the chapters and one over the cells of each that runs; plain lines where there is no terminal."""

    visible = True

    def __init__(self, console: "Console | None", total: int) -> None:
        from rich.console import Console

        self.console = console or Console(stderr=True)
        self.total, self.finished = total, 0
        self.bars = None
        self.tasks: dict[str, Any] = {}

    def open(self) -> None:
        """Show the bars, on a terminal."""
        if not self.console.is_terminal:
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
        from rich.table import Column

        self.bars = Progress(
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
            BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=4)),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[unit]}", markup=False, table_column=Column(no_wrap=True)),
            TimeElapsedColumn(table_column=Column(no_wrap=True)),
            console=self.console,
            transient=True,
            expand=True,
        )
        self.whole = self.bars.add_task(
            say("All chapters"), total=self.total, completed=self.finished, unit=say("chapters")
        )
        self.bars.start()

    def say(self, text: str) -> None:
        """Show a line above the bars; on a terminal it is folded to its width, in a log it stays one line."""
        text = plain(text)
        if self.console.is_terminal or width(error=True) is not None:
            text = "\n".join(fold(text, self.console.width, hanging=" " * _INDENT))
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def begin(self, execution: "Execution") -> None:
        """Show a bar for the chapter, or say that it has started."""
        name = execution.job.key
        if self.bars is None:
            self.say(say("{chapter}: started", chapter=name))
        else:
            self.tasks[name] = self.bars.add_task(name, total=None, unit=say("cells"))

    def update(self, execution: "Execution") -> None:
        """Move the chapter's bar."""
        if self.bars is not None and execution.job.key in self.tasks:
            self.bars.update(self.tasks[execution.job.key], total=execution.cells or None, completed=execution.done)

    def finish(self, job: "Job", outcome: Outcome) -> None:
        """Take the chapter's bar away and say in a line what became of it."""
        self.finished += 1
        if self.bars is not None:
            if job.key in self.tasks:
                self.bars.remove_task(self.tasks.pop(job.key))
            self.bars.update(self.whole, completed=self.finished)
        facts = {
            "mark": MARKS[outcome.verdict],
            "chapter": job.key,
            "verdict": verdict(outcome),
            "n": self.finished,
            "total": self.total,
            "seconds": outcome.seconds,
            "detail": error_line(outcome) or outcome.reason,
        }
        if outcome.seconds:
            line = say("{mark} {chapter}: {verdict} after {seconds:,.1f} s [{n}/{total}]", **facts)
        else:
            line = say("{mark} {chapter}: {verdict} [{n}/{total}]", **facts)
        self.say(say("{line} – {detail}", line=line, detail=facts["detail"]) if facts["detail"] else line)

    def close(self) -> None:
        """Take the bars away."""
        if self.bars is not None:
            self.bars.stop()

    def conclude(self, outcomes: list[Outcome]) -> None:
        """Show the table of all chapters."""
        self.console.print(table(outcomes))
