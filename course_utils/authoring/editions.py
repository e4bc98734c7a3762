"""Source to editions, one way only: ``build`` makes the stored notebooks, ``check`` compares them by content."""

import dataclasses
import difflib
import getpass
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.authoring import head, reading_time, routes
from course_utils.authoring.normalise import PLOTLY, figures, normalise
from course_utils.authoring.output_rules import joined, joined_output, output_problems, shorten, size_problems
from course_utils.authoring.sources import Cell, Source, read
from course_utils.chapters import EDITIONS, LEARNER, SOLUTIONS, Chapter, Edition
from course_utils.errors import CourseError
from course_utils.language import say as words
from course_utils.paths import display, write_together

if TYPE_CHECKING:
    from course_utils.running.outcome import Outcome

# User names that are also words or that nobody needs to hide.
_PLAIN_USERS = {"root", "user", "admin", "ubuntu", "runner", "jovyan", "debian", "course", "test", "docker", "build"}
_SHOWN = 5


def solution_edition(source: Path | Chapter | Source) -> Any:
    """The solved notebook (nbformat 4.5), without outputs. Raises CourseError for a source with problems."""
    return notebook_of(_sound(source), SOLUTIONS)


def learner_edition(source: Path | Chapter | Source) -> Any:
    """The notebook (nbformat 4.5) with a stub for each solution, not executed. Raises as `solution_edition`."""
    return notebook_of(_sound(source), LEARNER)


def build(
    chapters: Iterable[Chapter],
    *,
    execute: bool = True,
    pictures: bool = True,
    say: Callable[[str], None] | None = None,
) -> list[Path]:
    """Make both editions of each chapter; return the files written.

    The learner edition is executed in the quick profile and its outputs are kept. ``execute=False`` keeps the outputs
    that are stored, and is refused for a chapter whose code has changed since. ``pictures=False`` looks for no Chromium
    and is refused for a chapter that shows figures. ``say`` is told what is going on, a line at a time.

    All sources are read before anything runs, and a chapter's editions are written together or not at all: a failure or
    Ctrl-C leaves the old ones. Raises CourseError for a source with problems, a failing cell, outputs that must not be
    stored, editions over the size limit, and where a Chromium is missing.
    """
    say = say or (lambda text: None)
    sources = [_sound(chapter) for chapter in chapters]
    program = None
    if execute and pictures:
        from course_utils.authoring.pictures import browser

        program = browser()
    written: list[Path] = []
    for source in sources:
        written += _build_one(source, execute, program, say)
    return written


def _build_one(source: Source, execute: bool, program: str | None, say: Callable[[str], None]) -> list[Path]:
    from course_utils.authoring import building

    chapter = source.chapter
    learner, solved = learner_edition(source), solution_edition(source)
    if execute:
        say(f"{chapter.name}: executing {len(learner.cells)} cells")
        before = [dict(cell.metadata) for cell in learner.cells]
        notebook_metadata = dict(learner.metadata)
        outcome = building.execute(learner, chapter, lines={cell.id: cell.line for cell in source.cells}, say=say)
        normalise(learner)
        # A kernel adds its own version to the notebook's metadata; what is stored is what the source says.
        learner.metadata.clear()
        learner.metadata.update(notebook_metadata)
        for cell, metadata in zip(learner.cells, before, strict=True):
            cell.metadata.clear()
            cell.metadata.update(metadata)
        _draw(learner, chapter, program, say)
        _say_used(outcome, chapter, say)
    else:
        _keep_outputs(learner, chapter)
    problems = output_problems(learner, source, user=_user())
    texts = {chapter.learner: _text(learner), chapter.solutions: _text(solved)}
    for path, text in texts.items():
        problems += size_problems(path, len(text.encode("utf-8")), learner.cells)
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise CourseError(f"{chapter.name}: the editions were not written:\n{listed}")
    _write_together(texts)
    say(f"{chapter.name}: written, {sum(map(len, texts.values())) // 1000} KB")
    return list(texts)


def _draw(notebook, chapter: Chapter, program: str | None, say: Callable[[str], None]) -> None:
    from course_utils.authoring.pictures import add_pictures

    shown = list(figures(notebook))
    if not shown:
        return
    if program is None:
        raise CourseError(
            f"{chapter.name}: shows {len(shown)} figures, and an edition is never stored without their pictures; "
            "build it with pictures."
        )
    say(f"{chapter.name}: drawing {len(shown)} pictures")
    add_pictures([output for output, _ in shown], [figure for _, figure in shown], path=program)


def _say_used(outcome: "Outcome", chapter: Chapter, say: Callable[[str], None]) -> None:
    """What the execution used, and what of that is more than the header declares."""
    from course_utils.running.outcome import within_budget

    used = {
        "chapter": chapter.name,
        "seconds": outcome.seconds,
        "processor": outcome.cpu_seconds,
        "memory": outcome.peak_mib,
    }
    say(words("{chapter}: {seconds:,.0f} s, {processor:,.0f} processor seconds, {memory:,.0f} MiB", **used))
    beyond = within_budget(outcome, chapter).reason
    if beyond:
        say(words("{chapter}: more than its budget: {beyond}", chapter=chapter.name, beyond=beyond))


def _sound(source: Path | Chapter | Source) -> Source:
    """A source without errors, its cells completed as the editions have them."""
    parsed = source if isinstance(source, Source) else read(source)
    errors = [problem for problem in parsed.problems if problem.level == "error"]
    if errors:
        raise CourseError("\n".join(str(problem) for problem in errors))
    root = parsed.chapter.notebooks.parent
    cells = head.complete(parsed.cells, lambda: routes.of_checkout(root))
    return dataclasses.replace(parsed, cells=tuple(cells))


def notebook_of(source: Source, edition: Edition) -> Any:
    """The notebook (nbformat 4.5) that an edition of a sound source is, without outputs."""
    import nbformat

    cells = []
    for cell in source.cells:
        text = _wanted(cell, edition)
        if cell.code:
            made = nbformat.v4.new_code_cell(text, id=cell.id, metadata=cell.metadata())
        elif cell.kind == "markdown":
            made = nbformat.v4.new_markdown_cell(text, id=cell.id, metadata=cell.metadata())
        else:
            made = nbformat.v4.new_raw_cell(text, id=cell.id, metadata=cell.metadata())
        cells.append(made)
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=_metadata(source, edition))
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return notebook


def _metadata(source: Source, edition: Edition) -> dict[str, Any]:
    """The notebook's whole metadata; ``course`` says which source its outputs belong to."""
    chapter = source.chapter
    return {
        "course": {
            "budget": {"memory_mib": chapter.memory_mib, "seconds": chapter.seconds},
            "chapter": chapter.number,
            "edition": edition.kind,
            "minutes": _minutes(source),
            "needs": {profile: list(names) for profile, names in chapter.needs.items()},
            "requires": list(chapter.requires),
            "source_sha256": source.sha256(),
            "title": chapter.title,
        },
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


def _minutes(source: Source) -> dict[str, int]:
    roads = reading_time.of(source.cells)
    return {"main": roads.main.minutes, "side": roads.side_minutes}


def _text(notebook) -> str:
    """The notebook as it is stored: as nbformat writes it, but each figure on one line (a fifth of the size saved)."""
    import nbformat

    plain = json.loads(nbformat.writes(notebook, version=4))
    figures: dict[str, str] = {}
    for cell in plain["cells"]:
        for output in cell.get("outputs", []):
            if PLOTLY in output.get("data", {}):
                place = f"figure {len(figures)} of {cell['id']}"
                figures[json.dumps(place)] = json.dumps(
                    output["data"][PLOTLY], ensure_ascii=False, separators=(",", ":")
                )
                output["data"][PLOTLY] = place
    text = json.dumps(plain, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    for place, figure in figures.items():
        text = text.replace(f"{json.dumps(PLOTLY)}: {place}", f"{json.dumps(PLOTLY)}: {figure}", 1)
    return text


def _keep_outputs(notebook, chapter: Chapter) -> None:
    """Bring the stored outputs over when every code cell is the one they came from."""
    stored = _load(chapter.learner) if chapter.learner.is_file() else {"cells": []}
    import nbformat

    old = [cell for cell in stored["cells"] if cell.get("cell_type") == "code"]
    new = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if [(cell.get("id"), joined(cell["source"])) for cell in old] != [(cell.id, cell.source) for cell in new]:
        raise CourseError(f"{chapter.name}: its code has changed since it was executed; build it with execution.")
    for cell, before in zip(new, old, strict=True):
        cell.outputs = [nbformat.from_dict(joined_output(output)) for output in before["outputs"]]
        cell.execution_count = before["execution_count"]


def _write_together(texts: dict[Path, str]) -> None:
    try:
        write_together(texts)
    except OSError as error:
        raise CourseError(
            f"The editions could not be written: {error.strerror}. The old ones are as they were."
        ) from error


def check(chapters: Iterable[Chapter]) -> list[str]:
    """What differs between the stored editions and what the sources give; nothing is executed. Empty when all agree.

    Compares cells (type, source, id, metadata), notebook metadata and format; refuses missing and orphan editions,
    outputs in a solved edition, and in a learner's edition errors, figures without picture or alt text, traces of the
    machine, and more than the size limit. A source with problems is reported, not raised.
    """
    chapters = list(chapters)
    problems: list[str] = []
    for chapter in chapters:
        try:
            source = _sound(chapter)
        except CourseError as error:
            problems += str(error).splitlines()
            continue
        for edition in EDITIONS:
            problems += _check_edition(source, edition)
    for notebooks in sorted({chapter.notebooks for chapter in chapters}):
        problems += _orphans(notebooks)
    return problems


def _orphans(notebooks: Path) -> list[str]:
    sources = {path.stem for path in (notebooks / "source").glob("*.py")}
    editions = [path for edition in EDITIONS for path in sorted(edition.folder(notebooks).glob("*.ipynb"))]
    return [
        f"{display(path)}: belongs to no source; remove it, or write source/{path.stem}.py"
        for path in editions
        if path.stem not in sources
    ]


def _check_edition(source: Source, edition: Edition) -> list[str]:
    path = source.chapter.notebook(edition)
    shown = display(path)
    if not path.is_file():
        return [f"{shown}: missing; run course build {source.chapter.number}"]
    try:
        stored = _load(path)
        problems = [f"{shown}: {problem}" for problem in _differences(source, stored, edition)]
        extra = _outputs_of(stored, source) if edition.executed else _no_outputs(stored)
    except CourseError as error:
        return [str(error)]
    except (KeyError, TypeError, AttributeError) as error:
        return [f"{shown}: not a notebook of format 4.5 ({type(error).__name__}: {error}); build it again"]
    problems += [f"{shown}: {problem}" for problem in extra]
    return problems + size_problems(path, path.stat().st_size, stored["cells"])


def _load(path: Path) -> dict:
    try:
        stored = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CourseError(f"{display(path)}: cannot be read as a notebook ({error}); build it again.") from None
    if not isinstance(stored, dict) or not isinstance(stored.get("cells"), list):
        raise CourseError(f"{display(path)}: not a notebook; build it again.")
    return stored


def _differences(source: Source, stored: dict, edition: Edition) -> list[str]:
    found = []
    form = (stored.get("nbformat"), stored.get("nbformat_minor"))
    if form != (4, 5):
        found.append(f"notebook format {form[0]}.{form[1]} instead of 4.5")
    wanted_metadata, metadata = _metadata(source, edition), stored.get("metadata", {})
    for key in sorted(set(metadata) - set(wanted_metadata)):
        found.append(f'notebook metadata "{key}" does not belong into an edition')
    for key, wanted in wanted_metadata.items():
        if metadata.get(key) == wanted:
            continue
        if key == "course" and isinstance(metadata.get(key), dict):
            names = [name for name in wanted if metadata[key].get(name) != wanted[name]]
            names += sorted(set(metadata[key]) - set(wanted))
            found.append(f"notebook metadata course differs in {', '.join(names)}")
        else:
            found.append(f'notebook metadata "{key}" differs')
    by_line = []
    ids = [cell.get("id", "") for cell in stored["cells"]]
    wanted_ids = [cell.id for cell in source.cells]
    matcher = difflib.SequenceMatcher(a=ids, b=wanted_ids, autojunk=False)
    for what, a0, a1, b0, b1 in matcher.get_opcodes():
        if what == "equal":
            for cell, wanted in zip(stored["cells"][a0:a1], source.cells[b0:b1], strict=True):
                by_line += _cell_differences(cell, wanted, edition)
        else:
            by_line += _changed(stored["cells"][a0:a1], source.cells[b0:b1], edition)
    found += by_line[:_SHOWN]
    if len(by_line) > _SHOWN:
        found.append(f"and {len(by_line) - _SHOWN} more cells differ")
    if found:
        found.append(f"run course build {source.chapter.number}")
    return found


def _wanted(cell: Cell, edition: Edition) -> str:
    return cell.text(edition.solved)


def _changed(stored: list[dict], cells: tuple[Cell, ...], edition: Edition) -> list[str]:
    found = []
    for old, new in zip(stored, cells, strict=False):
        here = f"cell {new.id} (source line {new.line})"
        difference = _first_difference(joined(old["source"]), _wanted(new, edition))
        found.append(f"{here}: {difference}" if difference else f"{here}: its id is stored as {old.get('id')!r}")
    for old in stored[len(cells) :]:
        found.append(f"cell {old.get('id')} is not in the source: {shorten(joined(old['source']))}")
    for new in cells[len(stored) :]:
        found.append(f"cell {new.id} (source line {new.line}) is not stored: {shorten(new.first)}")
    return found


def _cell_differences(stored: dict, cell: Cell, edition: Edition) -> list[str]:
    here = f"cell {cell.id} (source line {cell.line})"
    if stored["cell_type"] != cell.kind:
        return [f"{here}: type {stored['cell_type']} instead of {cell.kind}"]
    difference = _first_difference(joined(stored["source"]), _wanted(cell, edition))
    if difference:
        return [f"{here}: {difference}"]
    if stored.get("metadata", {}) != cell.metadata():
        return [f"{here}: metadata {stored.get('metadata', {})} instead of {cell.metadata()}"]
    return []


def _first_difference(stored: str, wanted: str) -> str:
    if stored == wanted:
        return ""
    old, new = stored.splitlines(), wanted.splitlines()
    for number in range(max(len(old), len(new))):
        left = old[number] if number < len(old) else None
        right = new[number] if number < len(new) else None
        if left != right:
            shown = ["nothing" if text is None else f'"{shorten(text)}"' for text in (left, right)]
            return f"line {number + 1} is stored as {shown[0]}, the source gives {shown[1]}"
    return "differs in its line ends"


def _no_outputs(stored: dict) -> list[str]:
    return [
        f"cell {cell.get('id')}: has outputs; the solved edition has none"
        for cell in stored["cells"]
        if cell.get("outputs") or cell.get("execution_count") is not None
    ]


def _outputs_of(stored: dict, source: Source) -> list[str]:
    cells = [
        {**cell, "outputs": [joined_output(output) for output in cell.get("outputs", [])]} for cell in stored["cells"]
    ]
    return output_problems({"cells": cells}, source)


def _user() -> str | None:
    """The name of who builds, unless it is a common word."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        return None
    return name if len(name) > 3 and name.lower() not in _PLAIN_USERS else None
