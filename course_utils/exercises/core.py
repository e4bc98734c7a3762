"""What an exercise is, where exercises are found, and ``check``: the one call a learner makes."""

import difflib
import importlib
import importlib.util
import os
import pkgutil
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from course_utils.errors import CourseError, near_misses
from course_utils.paths import display

KINDS = ("recall", "modify", "extend")
NOT_ATTEMPTED, WRONG, RIGHT = "not attempted", "wrong", "right"

_PACKAGE = "course_utils.exercises"
_IDENTIFIER = re.compile(r"[0-9]{2}-[1-9][0-9]*")


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
        if not isinstance(self.id, str) or not _IDENTIFIER.fullmatch(self.id):
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


_registered: dict[str, Exercise] = {}
_loaded: set[str] = set()


def register(*new: Exercise) -> None:
    """Make exercises known to `check`; raises CourseError, and registers none of them, when an id is taken."""
    seen = dict(_registered)
    for exercise in new:
        if exercise.id in seen:
            titles = f"{seen[exercise.id].title!r} and {exercise.title!r}"
            raise CourseError(
                f"Exercise id {exercise.id} is registered twice ({titles}): ids are unique, take a free one."
            )
        seen[exercise.id] = exercise
    _registered.update({exercise.id: exercise for exercise in new})


def _chapters_with_modules() -> list[str]:
    package = importlib.import_module(_PACKAGE)
    names = (module.name for module in pkgutil.iter_modules(package.__path__))
    return sorted(name.removeprefix("chapter_") for name in names if re.fullmatch(r"chapter_\d{2}", name))


def _load(chapter: str) -> None:
    """Import the module of one chapter, once, and register its exercises. No module: nothing happens.

    Raises CourseError, with file and line, for a module that is no Python, that has no EXERCISES, or whose exercises
    are malformed.
    """
    if chapter in _loaded:
        return
    spec = importlib.util.find_spec(f"{_PACKAGE}.chapter_{chapter}")
    if spec is None:
        return
    path = Path(spec.origin)
    try:
        module = importlib.import_module(spec.name)
    except SyntaxError as error:
        where = f"{display(error.filename or path)}:{error.lineno or 1}"
        text = (error.text or "").strip()
        raise CourseError(f"{where}: {error.msg}{f': {text}' if text else ''}. Mend the line.") from error
    except CourseError as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
        raise CourseError(f"{display(path)}:{lines[-1] if lines else 1}: {error}") from error
    found = getattr(module, "EXERCISES", None)
    if not isinstance(found, tuple | list) or not all(isinstance(exercise, Exercise) for exercise in found):
        raise CourseError(_no_exercises(path))
    foreign = [exercise.id for exercise in found if exercise.chapter != chapter]
    if foreign:
        raise CourseError(
            f"The exercise {foreign[0]} stands in chapter_{chapter}.py: expected ids that begin with {chapter}-."
        )
    try:
        register(*found)
    except CourseError as error:
        raise CourseError(f"{display(path)}: {error}") from error
    _loaded.add(chapter)


def _no_exercises(path: Path) -> str:
    """What is wrong with the EXERCISES of a module, with the line of the name that was meant, if there is one."""
    lines: dict[str, int] = {}
    for number, text in enumerate(path.read_text("utf-8").splitlines(), 1):
        if match := re.match(r"(\w+)\s*(?::[^=]+)?=(?!=)", text):
            lines[match[1]] = number
    names = [name for name in lines if difflib.get_close_matches("EXERCISES", [name.upper()], cutoff=0.8)]
    name = "EXERCISES" if "EXERCISES" in lines else next(iter(names), "")
    if name == "EXERCISES":
        what = "EXERCISES is no tuple of exercises"
    else:
        what = "EXERCISES is missing" + (f" ({name} is another name)" if name else "")
    return f"{display(path)}:{lines.get(name, 1)}: {what}; define EXERCISES = (Exercise(…),)."


def exercises(chapter: str | None = None) -> list[Exercise]:
    """The exercises of one chapter ("07"), or of the whole course, in order."""
    for number in _chapters_with_modules() if chapter is None else [chapter]:
        _load(number)
    known = [exercise for exercise in _registered.values() if chapter in (None, exercise.chapter)]
    return sorted(known, key=lambda exercise: (exercise.chapter, int(exercise.id[3:])))


def identifiers(chapter: str | None = None) -> list[str]:
    """The ids of one chapter's exercises ("07"), or of the whole course's, in order."""
    return [exercise.id for exercise in exercises(chapter)]


def find(identifier: str) -> Exercise:
    """The exercise of that id; only its chapter's module is imported. Unknown: CourseError with near misses."""
    if not isinstance(identifier, str):
        raise CourseError(
            f'An exercise is named by its id in quotes, such as "07-2"; {type(identifier).__name__} came. '
            'Write check("07-2", answer): the id first, then your answer.'
        )
    if _IDENTIFIER.fullmatch(identifier):
        _load(identifier[:2])
    if identifier in _registered:
        return _registered[identifier]
    known = identifiers()
    digits = re.findall(r"[0-9]+", identifier)
    meant = f"{digits[0].zfill(2)}-{digits[1].lstrip('0')}" if len(digits) == 2 else ""  # "7-2", "07_2", "7.2"
    guess = f" Did you mean {meant}?" if meant in known else near_misses(identifier, known)
    raise CourseError(f"There is no exercise {identifier!r}.{guess}")


def strict() -> bool:
    """Whether ``COURSE_STRICT`` is set (to anything but nothing and "0")."""
    return os.environ.get("COURSE_STRICT", "") not in ("", "0")


def check(identifier: str, answer: Any = ...) -> Verdict:
    """Judge an answer, show the verdict, keep it in the progress file, and return it.

    Parameters: the exercise's id, such as ``"07-1"``, and the answer: a number, an array or a function, as the
    exercise asks. Raises CourseError for an unknown id; with ``COURSE_STRICT`` set also ExerciseWrong for an answer
    that is wrong and ExerciseNotAttempted for none.
    """
    from course_utils.exercises import progress, show

    exercise, verdict = _judge(identifier, answer)
    show.show(exercise, verdict)
    if verdict.state != NOT_ATTEMPTED:
        progress.record(exercise.id, right=bool(verdict), score=verdict.score)
    if strict() and not verdict:
        kind = ExerciseNotAttempted if verdict.state == NOT_ATTEMPTED else ExerciseWrong
        raise kind(show.plain(exercise, verdict))
    return verdict


def preview(identifier: str, answer: Any = ...) -> Verdict:
    """Show the verdict on an answer without keeping it and without raising: for a lesson about exercises."""
    from course_utils.exercises import show

    exercise, verdict = _judge(identifier, answer)
    show.show(exercise, verdict)
    return verdict


def _judge(identifier: str, answer: Any) -> tuple[Exercise, Verdict]:
    exercise = find(identifier)
    verdict = Verdict(NOT_ATTEMPTED) if answer is None or answer is Ellipsis else exercise.judge(answer)
    return exercise, replace(verdict, exercise=exercise.id)
