"""What an exercise is, what a judge says about an answer, and the two errors that ``COURSE_STRICT`` makes of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from course_utils.errors import CourseError

KINDS = ("recall", "modify", "extend", "decide")
NOT_ATTEMPTED, WRONG, RIGHT = "not attempted", "wrong", "right"

IDENTIFIER = re.compile(r"[0-9]{2}-[1-9][0-9]*")


class ExerciseWrong(CourseError):
    """A wrong answer, raised only when ``COURSE_STRICT`` is set (the course's own tests)."""


class ExerciseNotAttempted(ExerciseWrong):
    """An answer that was never given, raised only when ``COURSE_STRICT`` is set."""


@dataclass(frozen=True, repr=False)
class Verdict:
    """What a judge says about an answer.

    ``state`` is "not attempted", "wrong" or "right"; ``message`` one or two sentences; ``rows`` pairs of a label and a
    text (the input, what came, what was expected); ``hint`` what to do about it; ``mistake`` the name of the known
    mistake that was recognised; ``score`` a short text for the progress table (a right answer only). ``exercise`` is
    filled in by `check`. True in a condition when right.
    """

    state: str
    message: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    mistake: str | None = None
    score: str | None = None
    exercise: str = ""

    def __bool__(self) -> bool:
        return self.state == RIGHT

    def __repr__(self) -> str:
        return f"<exercise {self.exercise}: {self.state}>"

    def _ipython_display_(self) -> None:
        """Show nothing: `check` has shown the verdict, and a cell that ends in it must not show it twice."""


@dataclass(frozen=True)
class Exercise:
    """One exercise: its id (``NN-K``, NN the chapter), title, kind, minutes, what to do, and the judge of an answer.

    ``judge`` takes the answer (never None or Ellipsis) and returns a `Verdict`. Raises CourseError for a malformed one.
    """

    id: str
    title: str
    kind: str
    minutes: int
    prompt: str
    judge: Callable[[Any], Verdict] = field(repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not IDENTIFIER.fullmatch(self.id):
            raise CourseError(
                f"Exercise id {self.id!r} is malformed: expected NN-K, the chapter's two digits, a hyphen and a number "
                'from 1, such as "07-2".'
            )
        if self.kind not in KINDS:
            raise CourseError(f"Exercise {self.id} has kind {self.kind!r}: expected one of {', '.join(KINDS)}.")
        if isinstance(self.minutes, bool) or not isinstance(self.minutes, int) or self.minutes < 1:
            raise CourseError(f"Exercise {self.id} has minutes {self.minutes!r}: expected a whole number from 1.")
        for name in ("title", "prompt"):
            text = getattr(self, name)
            if not isinstance(text, str) or not text.strip():
                raise CourseError(f"Exercise {self.id} has no {name}: expected a short text for the learner.")
        if not callable(self.judge):
            raise CourseError(f"Exercise {self.id} has no judge: expected a function from an answer to a Verdict.")

    @property
    def chapter(self) -> str:
        """The chapter's number, two digits."""
        return self.id[:2]
