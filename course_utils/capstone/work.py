"""What lies in a capstone's folder, read once and shared by the steps, and how a step says that it is not done."""

import contextlib
import functools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.capstone import commands
from course_utils.capstone.question import Question
from course_utils.errors import CourseError
from course_utils.language import say

if TYPE_CHECKING:
    from course_utils.compare.split import Split

DONE, MISSING, CONTRADICTS = "done", "missing", "contradicts"


class Open(Exception):
    """Why a step is not done: what was found, what was expected, and the command that mends it."""

    def __init__(self, state: str, found: str, expected: str, command: str) -> None:
        super().__init__(found)
        self.state, self.found, self.expected, self.command = state, found, expected, command


def missing(found: str, expected: str, command: str) -> Open:
    """Something is not there yet."""
    return Open(MISSING, found, expected, command)


def contradicts(found: str, expected: str, command: str) -> Open:
    """Something is there, and is not what was stated or measured elsewhere."""
    return Open(CONTRADICTS, found, expected, command)


@contextlib.contextmanager
def refusing(expected: str, command: str) -> Iterator[None]:
    """What a tool of the course refuses inside, contradicts; its own sentence says what was found."""
    try:
        yield
    except CourseError as error:
        raise contradicts(str(error), expected, command) from error


@dataclass(frozen=True)
class Step:
    """What a step came to. What was expected, and the command that mends it, are "" where it is done or waits."""

    number: int
    title: str
    state: str
    found: str
    expected: str = ""
    command: str = ""


class Work:
    """A capstone's folder, with what its question states."""

    def __init__(self, asked: Question) -> None:
        self.asked = asked

    def at(self, name: str) -> Path:
        """A file of the folder."""
        return self.asked.folder / name

    @property
    def model(self) -> Path:
        """The folder of the chosen model."""
        return self.at(commands.MODEL)

    @functools.cached_property
    def split(self) -> "Split":
        """The messages as the comparison shares them out. Raises CourseError as `course compare` does."""
        from course_utils.compare import running

        settings = self.report["settings"] if self.at(f"{commands.COMPARISON}/report.json").is_file() else {}
        asked = self.asked
        return running.read(
            asked.data, asked.text, asked.label, settings.get("seed", 0), settings.get("splits"), asked.time
        )

    @functools.cached_property
    def report(self) -> dict[str, Any]:
        """The comparison's results. Raises Open."""
        return self.json(
            f"{commands.COMPARISON}/report.json",
            commands.compare(self.asked),
            lambda found: found["format"] == "course comparison" and {*found["settings"]} >= {"seed", "refit"},
        )

    @functools.cached_property
    def chosen(self) -> dict[str, Any]:
        """The results of the candidate that was recommended; read after the comparison was found right."""
        name = self.report["recommendation"]["chosen"]
        return next(one for one in self.report["candidates"] if one["name"] == name)

    @functools.cached_property
    def gate(self) -> dict[str, Any]:
        """What the gate measured. Raises Open."""
        return self.json(
            commands.GATE, commands.check(self.asked), lambda found: "passed" in found and found["tests"][0]["test"]
        )

    @functools.cached_property
    def load(self) -> dict[str, Any]:
        """What the load test measured. Raises Open."""
        return self.json(
            commands.LOAD,
            commands.loadtest(self.asked),
            lambda found: found["latency"]["p99"] is None or found["latency"]["p99"] >= 0,
            say(
                "{file} is what this command writes while the service runs in another terminal: {serve}",
                file=commands.LOAD,
                serve=commands.serve(),
            ),
        )

    @functools.cached_property
    def version(self) -> str:
        """The version of the chosen model."""
        from course_utils import bundles
        from course_utils.serving.answers import version_of

        return version_of(bundles.read_card(self.model))

    def json(
        self, name: str, command: str, known: Callable[[dict[str, Any]], Any], expected: str = ""
    ) -> dict[str, Any]:
        """A file that ``command`` writes, where it is ``known`` for what it should be."""
        expected = expected or say("{file} is what this command writes.", file=name)
        try:
            found = json.loads(self.at(name).read_text("utf-8"))
            if known(found):
                return found
        except FileNotFoundError:
            raise missing(say("There is no {file}.", file=name), expected, command) from None
        except OSError as error:
            why = error.strerror or str(error)
            raise contradicts(say("{file} cannot be read ({why}).", file=name, why=why), expected, command) from error
        except (ValueError, KeyError, TypeError, IndexError):
            pass
        raise contradicts(say("{file} holds something else.", file=name), expected, command)
