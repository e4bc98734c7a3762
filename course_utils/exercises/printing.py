"""What an answer prints while it is judged: the first lines of it are shown, the rest is counted and said.

An answer that prints for ever would bury its own verdict, and kept text would fill the memory: nothing is kept. In a
kernel that holds also for what passes Python's streams by and is written to the process's own output, by ``os.write``,
a library in C or another program: the kernel would show all of it.
"""

import codecs
import contextlib
import io
import os
import selectors
import sys
import threading
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
        """Take the place of standard output, standard error and IPython's display, and in a kernel the process's."""
        streams = sys.stdout, sys.stderr
        out, error = (_Stream(self, stream) for stream in streams)
        beneath = _Beneath(self._characters if _kernel() is not None else None)
        try:
            with (
                beneath.taking(),
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(error),
                _displays_to(self._display),
            ):
                yield
        finally:
            out.over = error.over = True
            for came, stream in zip(beneath.came, streams, strict=True):
                self._write(came.shown, stream)
                self._more_characters += came.more_characters
                self._more_lines += came.more_lines

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


class _Came:
    """What came through one descriptor: the beginning of it, and how much more."""

    def __init__(self, most: int) -> None:
        self.shown, self.more_characters, self.more_lines = "", 0, 0
        self._most = most
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def take(self, block: bytes) -> None:
        text = self._decode(block)
        shown = text[: self._most - len(self.shown)]
        self.shown += shown
        self.more_characters += len(text) - len(shown)
        self.more_lines += text.count("\n") - shown.count("\n")


class _Beneath:
    """The process's own output and error output, led through pipes that a thread empties while an answer runs.

    The thread only counts, so that an answer that writes for ever fills neither the notebook nor the memory. A program
    that the answer started may outlive it and goes on writing into the pipe: the thread then outlives it too.
    ``most`` characters of each are kept; with None nothing is led anywhere.
    """

    _PATIENCE_SECONDS = 1.0
    _taken = threading.Lock()  # two at once would give back each other's pipes

    def __init__(self, most: int | None) -> None:
        self._wanted = most is not None and os.name == "posix"
        self.came = (_Came(most or 0), _Came(most or 0))

    @contextlib.contextmanager
    def taking(self) -> Iterator[None]:
        if not self._wanted or not self._taken.acquire(blocking=False):
            yield
            return
        try:
            kept: list[tuple[int, int]] = []
            ends: dict[int, _Came] = {}
            with contextlib.suppress(OSError):  # a process without an output, or without descriptors to spare
                for descriptor, came in zip((1, 2), self.came, strict=True):
                    copy = os.dup(descriptor)
                    kept.append((descriptor, copy))
                    end, pipe = os.pipe()
                    ends[end] = came
                    os.dup2(pipe, descriptor)
                    os.close(pipe)
            reader = threading.Thread(target=self._read, args=(ends,), daemon=True)
            reader.start()
            try:
                yield
            finally:
                self._give_back(kept)
                reader.join(self._PATIENCE_SECONDS)
        finally:
            self._taken.release()

    @staticmethod
    def _give_back(kept: list[tuple[int, int]]) -> None:
        for descriptor, copy in kept:
            os.dup2(copy, descriptor)
            os.close(copy)

    @staticmethod
    def _read(ends: dict[int, _Came]) -> None:
        with selectors.DefaultSelector() as ready:
            for end, came in ends.items():
                ready.register(end, selectors.EVENT_READ, came)
            while ready.get_map():
                for key, _ in ready.select():
                    block = os.read(key.fd, 1 << 16)
                    if block:
                        key.data.take(block)
                    else:
                        ready.unregister(key.fd)
                        os.close(key.fd)


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def _kernel() -> Any:
    """The kernel of a notebook, which shows what is written to the process's output; None in a terminal."""
    return getattr(_shell(), "kernel", None)


@contextlib.contextmanager
def _displays_to(take: Callable) -> Iterator[None]:
    """Let what IPython would display in a notebook pass through ``take``; nothing without an IPython."""
    shell = _shell()
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
