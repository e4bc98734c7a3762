"""What an answer prints while it is judged: the first lines of it are shown, the rest is counted and said.

An answer that prints for ever would bury its own verdict, and kept text would fill the memory: nothing is kept.
"""

import contextlib
import io
import sys
from collections.abc import Callable, Iterator
from typing import Any

from course_utils.language import say, say_many


class Printed:
    """Room for what an answer may print: so many lines, characters and displayed objects; the rest is only counted.

    ``with printed:`` hands what comes through to where it would have gone while there is room; several calls of one
    answer share it. ``rest()`` then says how much was left out.
    """

    def __init__(self, lines: int = 40, characters: int = 4_000, displays: int = 5) -> None:
        self._lines, self._characters, self._displays = lines, characters, displays
        self._more_lines = self._more_characters = self._more_displays = 0
        self._in_a_line = False

    @contextlib.contextmanager
    def taking(self) -> Iterator[None]:
        """Take the place of standard output, standard error and IPython's display."""
        out, error = _Stream(self, sys.stdout), _Stream(self, sys.stderr)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error), _displays_to(self._display):
                yield
        finally:
            out.over = error.over = True

    def _write(self, text: str, stream: Any) -> None:
        shown = "" if self._more_lines or self._more_characters else text[: self._characters]
        if shown.count("\n") >= self._lines:
            shown = "".join(shown.splitlines(keepends=True)[: self._lines])
        self._lines -= shown.count("\n")
        self._characters -= len(shown)
        self._more_characters += len(text) - len(shown)
        self._more_lines += text.count("\n") - shown.count("\n")
        if shown and stream is not None:
            self._in_a_line = not shown.endswith("\n")
            stream.write(shown)

    def _display(self, publish: Callable, *arguments: Any, **keywords: Any) -> None:
        if keywords.get("update"):  # takes the place of an earlier one, as a progress line does
            publish(*arguments, **keywords)
        elif self._displays > 0:
            self._displays -= 1
            publish(*arguments, **keywords)
        else:
            self._more_displays += 1

    def rest(self) -> str:
        """What was left out, in a sentence for each kind; "" when all was shown."""
        said = []
        if self._more_lines:
            n = self._more_lines
            said.append(
                say_many("Your function printed {n:,} more line.", "Your function printed {n:,} more lines.", n)
            )
        elif self._more_characters:
            n = self._more_characters
            one, many = "Your function printed {n:,} more character.", "Your function printed {n:,} more characters."
            said.append(say_many(one, many, n))
        if self._more_displays:
            n = self._more_displays
            one, many = "Your function displayed {n:,} more object.", "Your function displayed {n:,} more objects."
            said.append(say_many(one, many, n))
        return " ".join(said)

    def say_the_rest(self) -> None:
        """Print `rest`, on a line of its own, where something was left out."""
        if said := self.rest():
            if self._in_a_line:
                print()
            print("…", said, flush=True)


class _Stream(io.TextIOBase):
    """A text stream that hands each text to a `Printed`, and once that is ``over`` straight on.

    A library that is first imported in an answer may keep the stream that it found, and log to it ever after.
    """

    encoding = "utf-8"

    def __init__(self, printed: Printed, behind: Any) -> None:
        self._printed, self._behind = printed, behind
        self.over = False

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._behind is not None and self._behind.isatty()

    def fileno(self) -> int:
        return super().fileno() if self._behind is None else self._behind.fileno()

    def flush(self) -> None:
        if self._behind is not None:
            self._behind.flush()

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(say("write() argument must be str, not {name}", name=type(text).__name__))
        if not self.over:
            self._printed._write(text, self._behind)
        elif self._behind is not None:
            self._behind.write(text)
        return len(text)


@contextlib.contextmanager
def _displays_to(take: Callable) -> Iterator[None]:
    """Let what IPython would display in a notebook pass through ``take``; nothing without an IPython."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    publisher = getattr(shell, "display_pub", None)
    if publisher is None:
        yield
        return
    publish = publisher.publish
    publisher.publish = lambda *arguments, **keywords: take(publish, *arguments, **keywords)
    try:
        yield
    finally:
        del publisher.publish
