"""Where exercises are found: a chapter's module is imported when one of its exercises is asked for."""

import difflib
import importlib
import importlib.util
import pkgutil
import re
import traceback
from pathlib import Path

from course_utils.errors import CourseError, near_misses
from course_utils.exercises.verdicts import IDENTIFIER, Exercise
from course_utils.paths import display

_PACKAGE = "course_utils.exercises"

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
    if IDENTIFIER.fullmatch(identifier):
        _load(identifier[:2])
    if identifier in _registered:
        return _registered[identifier]
    known = identifiers()
    digits = re.findall(r"[0-9]+", identifier)
    meant = f"{digits[0].zfill(2)}-{digits[1].lstrip('0')}" if len(digits) == 2 else ""  # "7-2", "07_2", "7.2"
    guess = f" Did you mean {meant}?" if meant in known else near_misses(identifier, known)
    raise CourseError(f"There is no exercise {identifier!r}.{guess}")
