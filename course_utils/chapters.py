"""The chapters of the course: one per file in ``notebooks/source``, described by the file's own header; and the
editions that are made of each."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from course_utils.errors import CourseError, near_misses
from course_utils.paths import display, require_checkout
from course_utils.runtime import PROFILES

_FILE_NAME = re.compile(r"(\d\d)_[a-z0-9]+(_[a-z0-9]+)*")
_FIELDS = ("chapter", "title", "requires", "needs", "budget")
_BUDGET = ("seconds", "memory_mib")
KINDS = ("learner", "solutions")
FIRST_LANGUAGE = "en"  # of the sources; its editions stand in notebooks/ itself


@dataclass(frozen=True)
class Edition:
    """One form in which every chapter is handed out: for whom (``kind``, of `KINDS`) and in which ``language``."""

    kind: str
    language: str = FIRST_LANGUAGE

    @property
    def name(self) -> str:
        """What a command calls it: "learner", "solutions"; other languages behind a hyphen."""
        return self.kind if self.language == FIRST_LANGUAGE else f"{self.kind}-{self.language}"

    @property
    def solved(self) -> bool:
        """Whether the exercises hold their solutions; else each holds a stub."""
        return self.kind == "solutions"

    @property
    def executed(self) -> bool:
        """Whether it is stored with the outputs of a run."""
        return not self.solved

    def folder(self, notebooks: Path) -> Path:
        """Where its notebooks stand below the folder ``notebooks``."""
        of_language = notebooks if self.language == FIRST_LANGUAGE else notebooks / self.language
        return of_language / "solutions" if self.solved else of_language

    def stored(self, notebooks: Path) -> list[Path]:
        """Its notebooks that are there, sorted; files that are named like no chapter are left out."""
        found = sorted(self.folder(notebooks).glob("*.ipynb"))
        return [path for path in found if _FILE_NAME.fullmatch(path.stem)]


LEARNER, SOLUTIONS = Edition("learner"), Edition("solutions")
EDITIONS = (LEARNER, SOLUTIONS)


def edition(name: str | Edition) -> Edition:
    """The edition of that name; raises CourseError, with the near misses, where there is none."""
    for one in EDITIONS:
        if name in (one, one.name):
            return one
    raise CourseError(f"There is no edition {name!r}.{near_misses(str(name), [one.name for one in EDITIONS])}")


@dataclass(frozen=True)
class Chapter:
    """One chapter: what its header declares and where its source and its editions stand.

    ``number`` is the two digits ("07"), ``name`` the file's stem ("07_mnist_cnn"); ``requires`` holds chapter numbers;
    ``needs`` maps a profile to the names in ``data/registry.toml`` that are fetched before a run; ``seconds`` (of a
    processor, all cores added up) and ``memory_mib`` (MiB) are the budget of the quick profile.
    """

    number: str
    name: str
    title: str
    requires: tuple[str, ...]
    needs: dict[str, tuple[str, ...]]
    seconds: int
    memory_mib: int
    source: Path

    @property
    def notebooks(self) -> Path:
        """The folder that the editions' folders stand in."""
        return self.source.parent.parent

    def notebook(self, edition: Edition) -> Path:
        """The stored notebook of an edition, whether or not it has been built."""
        return edition.folder(self.notebooks) / f"{self.name}.ipynb"

    @property
    def learner(self) -> Path:
        """The stored notebook for learners."""
        return self.notebook(LEARNER)

    @property
    def solutions(self) -> Path:
        """The stored notebook with the solutions."""
        return self.notebook(SOLUTIONS)

    def __hash__(self) -> int:
        return hash(self.source)


def chapters(root: Path | None = None) -> list[Chapter]:
    """All chapters of the checkout ``root`` (default: the one around the current folder), sorted by number.

    Raises CourseError, naming file and field, for a header that is missing or says something impossible.
    """
    root = Path(root) if root is not None else require_checkout()
    folder = root / "notebooks" / "source"
    if not folder.is_dir():
        raise CourseError(f"{display(folder)} is missing: the course's chapters are the .py files in it.")
    found = [read_chapter(path) for path in sorted(folder.glob("*.py")) if not path.name.startswith((".", "_"))]
    by_number: dict[str, Chapter] = {}
    for chapter in found:
        if chapter.number in by_number:
            twin = by_number[chapter.number].source.name
            raise CourseError(
                f"{display(chapter.source)}: chapter {chapter.number} exists already, in {twin}; renumber one."
            )
        by_number[chapter.number] = chapter
    for chapter in found:
        for number in chapter.requires:
            if number == chapter.number or number not in by_number:
                what = "requires itself" if number == chapter.number else f'requires "{number}", which does not exist'
                known = ", ".join(n for n in by_number if n != chapter.number) or "none"
                raise CourseError(
                    f"{display(chapter.source)}: field course.requires: the chapter {what}. Known: {known}."
                )
    return found


def select(names: Iterable[str] = (), root: Path | None = None) -> list[Chapter]:
    """The chapters that ``names`` mean, sorted and without repeats; all of them when no name is given.

    A name is a number ("07", "7"), a file's stem or path ("07_mnist_cnn"), or a part of one stem or title ("mnist").
    Raises CourseError for a name that means no chapter (the near misses named) or several.
    """
    everything = chapters(root)
    names = [names] if isinstance(names, str) else list(names)
    if not names:
        return everything
    wanted = {_one(str(name), everything) for name in names}
    return [chapter for chapter in everything if chapter in wanted]


def _one(name: str, everything: list[Chapter]) -> Chapter:
    asked = Path(name.strip()).name.removesuffix(".ipynb").removesuffix(".py").lower()
    if asked.isdigit():
        exact = [c for c in everything if int(c.number) == int(asked)]
    else:
        exact = [c for c in everything if asked in (c.name.lower(), c.name[3:].lower(), c.title.lower())]
    matches = exact
    if not exact and len(asked) > 1 and not asked.isdigit():
        loose = re.sub(r"[\s_-]+", " ", asked)
        matches = [c for c in everything if loose in c.name.replace("_", " ").lower() or loose in c.title.lower()]
    if len(matches) == 1:
        return matches[0]
    if matches:
        several = ", ".join(c.name for c in matches)
        raise CourseError(f'"{name}" means more than one chapter: {several}. Give the number.')
    known = [c.name for c in everything]
    hint = near_misses(name, known)
    if "Did you mean" not in hint:  # "mnits" is far from "07_mnist_cnn" and near to a word of it
        words = [word for chapter in everything for word in chapter.name.split("_")[1:]]
        close = difflib.get_close_matches(asked, words, n=3)
        near = [c.name for c in everything if set(close) & set(c.name.split("_"))]
        hint = f" Did you mean {' or '.join(near)}?" if near else hint
    raise CourseError(f'There is no chapter "{name}".{hint}')


def read_chapter(source: Path) -> Chapter:
    """The Chapter that one source file's header describes; raises CourseError naming file and field."""
    source = Path(source)
    match = _FILE_NAME.fullmatch(source.stem)
    if not match:
        raise CourseError(
            f"{display(source)}: a chapter's file is named NN_name.py (two digits, then small letters, digits and "
            "underscores); rename it, or begin its name with an underscore if it is no chapter."
        )
    header = _Header(source, _course(source))
    number = header.text("chapter")
    if number != match[1]:
        header.refuse("chapter", f'is "{number}" but the file name says "{match[1]}"; make them agree, in quotes')
    needs = header.mapping("needs", PROFILES)
    budget = header.mapping("budget", _BUDGET)
    return Chapter(
        number=number,
        name=source.stem,
        title=header.text("title"),
        requires=header.names("requires"),
        needs={p: _Header(source, needs, "course.needs.").names(p) for p in PROFILES},
        seconds=_Header(source, budget, "course.budget.").whole("seconds"),
        memory_mib=_Header(source, budget, "course.budget.").whole("memory_mib"),
        source=source,
    )


def read_source(source: Path) -> str:
    """The text of a source file; CourseError when it cannot be read or is not UTF-8."""
    try:
        return source.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise CourseError(f"{display(source)}: not UTF-8 text (byte {error.start}); save the file as UTF-8.") from None
    except OSError as error:
        raise CourseError(f"{display(source)} cannot be read: {error.strerror}.") from None


def _course(source: Path) -> dict:
    """The ``course`` mapping of the header; field names are checked here."""
    import yaml

    lines = read_source(source).splitlines()
    if not lines or lines[0].rstrip() != "# ---":
        raise CourseError(f'{display(source)}:1: the YAML header is missing; a source begins with a line "# ---".')
    end = next((i for i, line in enumerate(lines[1:], 1) if line.rstrip() == "# ---"), None)
    if end is None:
        raise CourseError(f'{display(source)}:1: the YAML header has no end; close it with a line "# ---".')
    body = [line[2:] if line.startswith("# ") else line.removeprefix("#") for line in lines[1:end]]
    try:
        header = yaml.safe_load("\n".join(body))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 1
        problem = getattr(error, "problem", None) or "not YAML"
        raise CourseError(f"{display(source)}:{line}: the header cannot be read: {problem}.") from None
    jupyter = header.get("jupyter") if isinstance(header, dict) else None
    course = jupyter.get("course") if isinstance(jupyter, dict) else None
    if not isinstance(course, dict):
        raise CourseError(f"{display(source)}: the header has no mapping jupyter.course with {', '.join(_FIELDS)}.")
    for field in course:
        if field not in _FIELDS:
            raise CourseError(f"{display(source)}: field course.{field} is unknown.{near_misses(field, list(_FIELDS))}")
    return course


@dataclass(frozen=True)
class _Header:
    """Reads single fields of a header and refuses what is missing or of the wrong kind."""

    source: Path
    values: dict
    prefix: str = "course."

    def refuse(self, field: str, problem: str) -> None:
        raise CourseError(f"{display(self.source)}: field {self.prefix}{field} {problem}.")

    def get(self, field: str):
        if self.values.get(field) is None:
            self.refuse(field, "is missing")
        return self.values[field]

    def text(self, field: str) -> str:
        value = self.get(field)
        if not isinstance(value, str) or not value.strip():
            self.refuse(field, f"is {value!r}, not text; put it in quotes")
        return value.strip()

    def whole(self, field: str) -> int:
        value = self.get(field)
        if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
            self.refuse(field, f"is {value!r}, not a whole number above zero")
        return value

    def names(self, field: str) -> tuple[str, ...]:
        value = self.get(field)
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            self.refuse(field, f'is {value!r}, not a list of quoted names such as ["00"]')
        if len(set(value)) < len(value):
            self.refuse(field, f"names something twice: {', '.join(value)}")
        return tuple(value)

    def mapping(self, field: str, keys: tuple[str, ...]) -> dict:
        value = self.get(field)
        if not isinstance(value, dict):
            self.refuse(field, f"is {value!r}, not a mapping of {' and '.join(keys)}")
        for key in value:
            if key not in keys:
                self.refuse(field, f"has an unknown key {key!r}; known: {', '.join(keys)}")
        return value
