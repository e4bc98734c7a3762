"""What a run is asked for: chapters of an edition with parameters, checked before anything starts."""

import ast
import dataclasses
import hashlib
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils import paths, roads
from course_utils.chapters import LEARNER, Edition
from course_utils.chapters import edition as edition_called
from course_utils.errors import CourseError, NetworkError, near_misses
from course_utils.language import say
from course_utils.runtime import check_profile

if TYPE_CHECKING:
    from course_utils.chapters import Chapter

_LONGEST_KEY = 100  # characters; some systems stop at 255 bytes for a file's name

# What is said of a parameter's value that has not the type of its default.
_WANTED = {
    bool: "The parameter {name!r} must be true or false, such as {default}; it is {text!r}.",
    int: "The parameter {name!r} must be a whole number, such as {default}; it is {text!r}.",
    float: "The parameter {name!r} must be a number, such as {default}; it is {text!r}.",
}


@dataclass(frozen=True)
class Job:
    """One notebook to execute: a chapter's edition with values for its parameters cell (empty: the defaults).

    ``road`` is "all" or "main", which leaves the cells of side roads out. ``without`` names data sets that cannot be
    had: the sections that stand on them are left out.
    """

    chapter: "Chapter"
    edition: Edition = LEARNER
    parameters: Mapping[str, Any] = field(default_factory=dict)
    road: str = "all"
    without: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Names what is executed, and its file: the chapter's name, with what differs from the first edition's
        language, all roads and the default parameters behind it, so that a sweep does not overwrite itself."""
        parts = [self.chapter.name]
        if self.edition.language != LEARNER.language:
            parts.append(self.edition.language)
        if self.road != "all":
            parts.append(f"{self.road}-road")
        parts += [f"{name}-{_in_a_file_name(value)}" for name, value in sorted(self.parameters.items())]
        key = "--".join(parts)
        return key if len(key) <= _LONGEST_KEY else f"{self.chapter.name}--{_digest(key)}"

    @property
    def notebook(self) -> Path:
        """The stored notebook that is executed."""
        return self.chapter.notebook(self.edition)

    def executed(self, out: Path) -> Path:
        """Where the executed notebook goes in the folder for results."""
        return out / "runs" / f"{self.key}.ipynb"


def _in_a_file_name(value: Any) -> str:
    """A value where it is short and plain on every system, which may not tell capitals apart; else its digest."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if re.fullmatch(r"[a-z0-9.+_-]{1,24}", text) else _digest(repr(value))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:8]


def check_request(
    chapters: Sequence["Chapter"],
    *,
    profile: str = "quick",
    parameters: Mapping[str, str] | None = None,
    jobs: int = 1,
    edition: str | Edition = "learner",
    road: str = "all",
) -> list[Job]:
    """The jobs that a request means, in the order of the chapters; refuses (CourseError) what cannot be meant.

    ``parameters`` are values as written on a command line.
    """
    check_profile(profile)
    wanted = edition_called(edition)
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1:
        raise CourseError(
            say("jobs must be a whole number of 1 or more (chapters that run at once); it is {jobs!r}.", jobs=jobs)
        )
    if not chapters:
        raise CourseError(say("No chapter was chosen, and there is none in notebooks/source: nothing to run."))
    for chapter in chapters:
        path = chapter.notebook(wanted)
        if not path.is_file():
            raise CourseError(
                say(
                    "{path} is missing: the {edition} edition of chapter {number} has not been built. "
                    "Run: course build {number}",
                    path=paths.display(path),
                    edition=wanted.name,
                    number=chapter.number,
                )
            )
    values: dict[str, Any] = {}
    if parameters:
        known = {chapter.name: notebook_parameters(chapter.notebook(wanted)) for chapter in chapters}
        values = {name: _parameter(name, text, known) for name, text in parameters.items()}
    return [Job(chapter, wanted, values, roads.road(road)) for chapter in chapters]


def not_a_notebook(path: Path) -> str:
    """Why a file is no notebook that could be run, as a sentence; "" for one that is."""
    shown = paths.display(path)
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        return say("{path} cannot be read ({reason}).", path=shown, reason=error.strerror or error)
    except (ValueError, RecursionError):
        return say("{path} is not a notebook: it is not JSON.", path=shown)
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        return say("{path} is not a notebook: it has no list of cells.", path=shown)
    if not any(cell.get("cell_type") == "code" and "".join(cell.get("source") or "").strip() for cell in cells):
        return say("{path} has no code cell, so there is nothing to run.", path=shown)
    return ""


def notebook_parameters(path: Path) -> dict[str, str]:
    """The names in a notebook's parameters cell, each with its default as it is written there."""
    import nbformat
    import papermill

    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises several kinds, from JSON errors to its own
        said = say("{path} is not a notebook that can be read ({reason}).", path=paths.display(path), reason=error)
        raise CourseError(said) from error
    notebook.metadata.setdefault("papermill", {})
    for cell in notebook.cells:
        cell.metadata.setdefault("tags", [])
    found = papermill.inspect_notebook(notebook)
    return {name: str(entry["default"]) for name, entry in found.items()}


def _parameter(name: str, text: str, known: Mapping[str, Mapping[str, str]]) -> Any:
    if name == "profile":
        raise CourseError(say("The profile is not set as a parameter: use --profile quick or --profile full."))
    missing = [chapter for chapter, names in known.items() if name not in names]
    if len(missing) == len(known):
        everywhere = sorted({other for names in known.values() for other in names} - {"profile"})
        said = say("No chosen chapter has a parameter {name!r}.", name=name)
        raise CourseError(said + near_misses(name, everywhere))
    if missing:
        raise CourseError(
            say(
                "Not every chosen chapter has a parameter {name!r}: it is missing in {chapters}. "
                "Run the chapters that have it on their own.",
                name=name,
                chapters=", ".join(missing),
            )
        )
    parsed = [parse_value(name, text, names[name]) for names in known.values()]
    return parsed[0]


def parse_value(name: str, text: str, default: str) -> Any:
    """A parameter's value from a command line, of the type that its default in the notebook has."""
    try:
        model = ast.literal_eval(default)
    except (ValueError, SyntaxError):
        model = None  # an expression: its type is not known, so the value decides
    if isinstance(model, str):
        return text
    try:
        value = ast.literal_eval({"true": "True", "false": "False"}.get(text.strip().lower(), text.strip()))
        json.dumps(value)  # as it travels to the process that runs the chapter
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        if model is None:
            return text
        value = text
    if model is None:
        return value
    if isinstance(model, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(model):
        template = _WANTED.get(
            type(model), "The parameter {name!r} must be {default} or another {kind}; it is {text!r}."
        )
        raise CourseError(say(template, name=name, kind=type(model).__name__, default=default, text=text))
    return value


def prepare_folder(out: Path) -> None:
    """Create the folder for results; CourseError where that, or writing into it, is not possible."""
    try:
        (out / "runs").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out / "runs"):
            pass
    except OSError as error:
        raise CourseError(
            say(
                "The folder for results, {folder}, cannot be written ({reason}). "
                "Choose another one with --out, or mend its permissions.",
                folder=paths.display(out),
                reason=error.strerror or error,
            )
        ) from error


def section_needs(job: Job, progress: bool) -> tuple[Job, str]:
    """Fetch what single sections stand on; returns the job without those whose set cannot be had, and says which.

    Sections of side roads need nothing where the main road is run.
    """
    cells = json.loads(job.notebook.read_text("utf-8"))["cells"]
    blank = {"cell_type": "", "source": "", "metadata": {}}  # what a cell may lack; the worker finds that out
    cells = [blank | cell | {"source": "".join(cell.get("source") or "")} for cell in cells]
    if job.road == "main":
        cells = roads.main_cells(cells)
    missing, said = [], []
    for name, titles in roads.sections_by_need(cells).items():
        _, reason = _fetch(name, progress)
        if reason:
            missing.append(name)
            named = ", ".join(f"“{title}”" for title in titles)
            said.append(say("not run: {sections}. {reason}", sections=named, reason=reason))
    return dataclasses.replace(job, without=tuple(missing)), " ".join(said)


def fetch_needs(chapter: "Chapter", profile: str, progress: bool) -> tuple[str, str]:
    """Fetch what a chapter needs for a profile; returns why it cannot run ("" where it can): the kind, a sentence."""
    for name in chapter.needs.get(profile, ()):
        kind, reason = _fetch(name, progress)
        if reason:
            return kind, reason
    return "", ""


def _fetch(name: str, progress: bool) -> tuple[str, str]:
    from course_utils.data.fetch import fetch

    try:
        fetch(name, progress=progress)
    except CourseError as error:
        kind = "disk" if paths.disk_is_full(error.__cause__) else "data"
        return "network" if isinstance(error, NetworkError) else kind, str(error)
    return "", ""
