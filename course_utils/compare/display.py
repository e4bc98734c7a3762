"""How far a comparison is: a bar on a terminal, one line in a notebook, silence elsewhere."""

import time
from typing import TYPE_CHECKING, Any

from course_utils.compare.comparison import Outcome
from course_utils.console import plain
from course_utils.language import say
from course_utils.runtime import in_notebook
from course_utils.training import update_line

if TYPE_CHECKING:
    from rich.console import Console


class Display:
    """A progress bar on a terminal, one line that is rewritten in a notebook; silent elsewhere, in a log, say."""

    def __init__(self, count: int, wanted: bool, console: "Console | None" = None) -> None:
        from rich.console import Console

        self.console = console or Console(stderr=True, highlight=False)
        self.notebook = wanted and in_notebook()
        self.shown = wanted and not self.notebook and self.console.is_terminal
        self.count, self.done, self.bar, self.task, self.handle = count, 0, None, None, None
        self.now, self.words, self.begun = "", "", time.monotonic()

    def __enter__(self) -> "Display":
        if self.shown:
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
            self.bar = Progress(*columns, console=self.console, transient=True)
            self.bar.start()
            self.whole = self.bar.add_task(say("comparing"), total=self.count)
            self.task = self.bar.add_task("", total=None)
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        if self.bar:
            self.bar.stop()
        if kind is None:
            seconds = time.monotonic() - self.begun
            self._line(say("{n} candidates compared in {seconds:,.0f} s", n=self.count, seconds=seconds))

    def stage(self, words: str) -> None:
        """What is done now."""
        self.now = words
        self.detail("")

    def detail(self, words: str, share: float | None = None) -> None:
        """Which part of it, and how much of that is done (None: not known)."""
        text = f"{self.now}: {words}" if words else self.now
        if self.bar:
            from rich.markup import escape

            total, done = (1.0, share) if share is not None else (None, 0)
            self.bar.update(self.task, description=escape(text), total=total, completed=done)
        elif text != self.words:  # a new stage: a notebook's line need not change more often
            self._line(say("{n} of {total} candidates · {now}", n=self.done, total=self.count, now=text))
        self.words = text

    def _line(self, text: str) -> None:
        if self.notebook:
            self.handle = update_line(self.handle, text)

    def finished(self, one: Outcome) -> None:
        """A candidate is done: its line above the bar."""
        self.done += 1
        if not self.bar:
            return
        from rich.text import Text

        said = {
            "done": say("as before") if one.kept else say("done"),
            "skipped": say("skipped: {why}", why=one.reason),
            "failed": say("failed: {why}", why=one.reason),
        }[one.state]
        self.bar.console.print(Text(plain(f"{one.candidate.title}: {said}")))
        self.bar.advance(self.whole)
