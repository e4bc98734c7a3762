"""A chapter's source as cells: parsed, identified, and checked for what would make an edition wrong."""

import ast
import hashlib
import itertools
import re
from dataclasses import dataclass, field
from pathlib import Path

from course_utils.chapters import Chapter, read_chapter, read_source
from course_utils.errors import CourseError, near_misses
from course_utils.language import say
from course_utils.paths import display
from course_utils.roads import NEEDS, SIDE, heading

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
# What a cell of a source may carry. Everything else is either jupytext's own or a slip.
CELL_METADATA = ("deletable", "editable", "exercise", "needs", "road", "slideshow", "tags")
_OWN = ("lines_to_next_cell", "lines_to_end_of_cell_marker")
SKIP = "lint-skip-"
_CLAIM = re.compile(r"\bclaims\.record\(\s*[\"'](c\d+)[\"']")
_EXERCISE = re.compile(r"\d\d-\d+")
_REGION = re.compile(
    rf"^([ \t]*){re.escape(BEGIN)}[^\n]*\n(.*?)^[ \t]*{re.escape(END)}[^\n]*$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class LintProblem:
    """One thing to mend: the rule's name, the file, the line in it (from 1), what is wrong and how to mend it.

    ``level`` is "error" or "warning"; a warning never fails a build.
    """

    rule: str
    path: Path
    line: int
    message: str
    level: str = "error"

    def __str__(self) -> str:
        word = "warning: " if self.level == "warning" else ""
        return f"{display(self.path)}:{self.line}: {word}{self.rule}: {self.message}"


@dataclass(frozen=True)
class Cell:
    """One cell of a source. ``line`` is the source line of the cell's first line of content; ``source`` is solved."""

    kind: str
    source: str
    line: int
    id: str
    tags: tuple[str, ...] = ()
    exercise: str | None = None
    road: str | None = None
    extra: dict = field(default_factory=dict)
    completed: str = ""  # a text as the editions have it, where that is more than the source

    @property
    def code(self) -> bool:
        return self.kind == "code"

    @property
    def claims(self) -> list[str]:
        """The claims of the articles whose verdict a code cell records."""
        return _CLAIM.findall(self.source) if self.code else []

    @property
    def first(self) -> str:
        """The first line that is not empty."""
        return next((line.strip() for line in self.source.splitlines() if line.strip()), "")

    def tree(self) -> ast.Module | None:
        """The syntax tree of a code cell (magics translated), or None where it has none."""
        if not self.code:
            return None
        try:
            return parse_code(self.source)
        except SyntaxError:
            return None

    @property
    def needs(self) -> str | None:
        """The data sets that the section of this heading stands on, apart by spaces."""
        return self.extra.get(NEEDS)

    def skips(self, rule: str) -> bool:
        return SKIP + rule in self.tags

    def metadata(self) -> dict:
        """The metadata that the cell carries into every edition, in a fixed order."""
        tags = [tag for tag in self.tags if not tag.startswith(SKIP)]
        found = {
            **self.extra,
            **({"exercise": self.exercise} if self.exercise else {}),
            **({"tags": tags} if tags else {}),
        }
        return dict(sorted(found.items()))

    def text(self, solved: bool) -> str:
        """What an edition shows: the source, a stub in a solution's place, or what was added to a text."""
        return self.completed or (self.source if solved else self.stub())

    def stub(self) -> str:
        """The source as a learner gets it: each solution replaced by the place for an answer."""
        rest = _REGION.sub("", self.source)
        return _REGION.sub(lambda match: _stub(match[1], match[2], rest), self.source)


@dataclass(frozen=True)
class Source:
    """A parsed chapter: its cells and the problems that stand in the way of an edition."""

    chapter: Chapter
    cells: tuple[Cell, ...]
    problems: tuple[LintProblem, ...]

    def sha256(self) -> str:
        """Identifies the solved source whatever its white space between cells."""
        digest = hashlib.sha256()
        for cell in self.cells:
            digest.update(f"{cell.kind}\n{cell.source}\n\0".encode())
        return digest.hexdigest()

    def code_sha256(self) -> str:
        """Identifies the code of the solved source: what a run depends on, whatever the prose around it."""
        digest = hashlib.sha256()
        for cell in self.cells:
            if cell.code:
                digest.update(f"{cell.source}\n\0".encode())
        return digest.hexdigest()


def parse_code(source: str) -> ast.Module:
    """The syntax tree of a code cell; line magics and shell lines are translated as IPython would."""
    try:
        return ast.parse(source)
    except SyntaxError:
        if not re.search(r"^\s*[%!?]|\?\s*$", source, re.MULTILINE):
            raise
    from IPython.core.inputtransformer2 import TransformerManager

    return ast.parse(TransformerManager().transform_cell(source))


def read(source: Path | Chapter) -> Source:
    """Parse a chapter's source. Header problems raise CourseError; problems of cells are collected.

    CourseError too where jupytext is missing: it comes with the extra ``author``.
    """
    try:
        import jupytext
    except ImportError:
        raise CourseError(
            say(
                "A chapter's source is read with jupytext, which is not installed here; install what authors need: "
                "{command}",
                command='python -m pip install -c constraints.txt -e ".[author]"',
            )
        ) from None

    chapter = source if isinstance(source, Chapter) else read_chapter(Path(source))
    text = read_source(chapter.source)
    try:
        notebook = jupytext.reads(text, fmt={"extension": ".py", "format_name": "percent"})
    except Exception as error:  # jupytext lets its parsers' and nbformat's own errors through
        problem = str(error).strip().splitlines()[0]
        raise CourseError(
            f"{display(chapter.source)}: cannot be read as a notebook: {problem}. A cell begins with a line such as "
            '# %% or # %% [markdown] or # %% tags=["parameters"].'
        ) from error
    lines = _content_lines(text)
    if len(lines) != len(notebook.cells):
        raise CourseError(
            f"{display(chapter.source)}: the lines that begin with '# %%' are not the cells: every cell, "
            "the first one too, begins with such a line, and no string or comment may contain one."
        )
    problems: list[LintProblem] = []
    cells = []
    seen: dict[str, int] = {}
    for cell, line in zip(notebook.cells, lines, strict=True):
        made = _cell(cell, line, chapter, problems)
        seen[made.id] = seen.get(made.id, 0) + 1
        if seen[made.id] > 1 and not made.exercise:
            made = Cell(**{**made.__dict__, "id": f"{made.id}-{seen[made.id]}"})
        cells.append(made)
    _exercise_problems(chapter, cells, problems)
    return Source(chapter, tuple(cells), tuple(sorted(problems, key=lambda problem: problem.line)))


def registered_exercises(number: str) -> dict[str, object]:
    """The exercises that ``course_utils.exercises`` knows for one chapter, by id. Only this asks it."""
    from course_utils.exercises import registry

    return {exercise.id: exercise for exercise in registry.exercises(number)}


def _content_lines(text: str) -> list[int]:
    """The line of each cell's first content, for a percent script."""
    lines = text.splitlines()
    starts = [i for i, line in enumerate(lines) if re.match(r"# ?%%(?!%)(\s|$)", line)]
    found = []
    for start, stop in itertools.pairwise([*starts, len(lines)]):
        content = (i for i in range(start + 1, stop) if lines[i].strip())
        found.append(next(content, start) + 1)
    return found


def _cell(cell, line: int, chapter: Chapter, problems: list[LintProblem]) -> Cell:
    def problem(rule: str, message: str, at: int = 0) -> None:
        problems.append(LintProblem(rule, chapter.source, line + at, message))

    metadata = {key: value for key, value in cell.metadata.items() if key not in _OWN}
    for key in sorted(set(metadata) - set(CELL_METADATA)):
        what = "a title; use a heading in a markdown cell" if key == "title" else f'unknown metadata "{key}"'
        problem(
            "cell-metadata", f"the cell has {what}.{'' if key == 'title' else near_misses(key, list(CELL_METADATA))}"
        )
    tags = metadata.get("tags", [])
    road = metadata.get("road")
    if road is not None and (road != SIDE or cell.cell_type != "markdown" or not heading(cell.source)):
        problem("road", f'road="{SIDE}" stands on a text cell that begins with a heading, and has no other value.')
        road = None
    needs = metadata.get(NEEDS)
    if needs is not None and not (isinstance(needs, str) and cell.cell_type == "markdown" and heading(cell.source)):
        problem(
            NEEDS, 'needs="movielens" stands on a text cell that begins with a heading; several names, apart by spaces.'
        )
        del metadata[NEEDS]
    exercise = metadata.get("exercise")
    if exercise is not None and not (isinstance(exercise, str) and _EXERCISE.fullmatch(exercise)):
        problem("exercise-id", f'an exercise\'s id looks like "{chapter.number}-1"; this one is {exercise!r}.')
        exercise = None
    claims = _CLAIM.findall(cell.source) if cell.cell_type == "code" else []
    digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
    # What is pointed at from elsewhere keeps its id when its code changes: an exercise, and the proof of a claim.
    name = f"exercise-{exercise}" if exercise else f"claim-{claims[0]}" if len(claims) == 1 else digest
    made = Cell(
        kind=cell.cell_type,
        source=cell.source,
        line=line,
        id=name,
        tags=tuple(tags),
        exercise=exercise,
        road=road,
        extra={k: v for k, v in metadata.items() if k in CELL_METADATA and k not in ("tags", "exercise", "road")},
    )
    _code_problems(made, problem)
    return made


def _code_problems(cell: Cell, problem) -> None:
    marks = [
        (i, text.strip()) for i, text in enumerate(cell.source.splitlines()) if text.strip().startswith((BEGIN, END))
    ]
    if not cell.code:
        if marks:
            problem(
                "solution-markers", "a solution stands in a text cell; solutions belong into code cells.", marks[0][0]
            )
        return
    try:
        parse_code(cell.source)
    except SyntaxError as error:
        problem("syntax", f"{error.msg}: {(error.text or '').strip() or cell.first}", (error.lineno or 1) - 1)
    is_open = False
    for at, mark in marks:
        if mark.startswith(BEGIN) == is_open:
            what = f'"{BEGIN}" again before "{END}"' if is_open else f'"{END}" without "{BEGIN}" before it'
            problem("solution-markers", f"{what}; the markers come in pairs.", at)
            return
        is_open = not is_open
    if is_open:
        problem("solution-markers", f'"{BEGIN}" without "{END}" after it; close the solution.', marks[-1][0])
        return
    if marks and not cell.exercise:
        problem("exercise-id", 'a solution in a cell without an exercise id; begin the cell with # %% exercise="NN-K".')
    if cell.exercise and not marks:
        problem("solution-markers", f"exercise {cell.exercise} has no solution; put it between {BEGIN} and {END}.")
    if marks:
        try:
            parse_code(cell.stub())
        except SyntaxError as error:
            problem(
                "solution-markers",
                f"without the solution the cell is no Python ({error.msg}); move the markers.",
                marks[0][0],
            )


def _exercise_problems(chapter: Chapter, cells: list[Cell], problems: list[LintProblem]) -> None:
    def problem(rule: str, line: int, message: str) -> None:
        problems.append(LintProblem(rule, chapter.source, line, message))

    first: dict[str, int] = {}
    checked: set[str] = set()
    current = None
    for cell in cells:
        if cell.exercise:
            current = cell.exercise
            if not current.startswith(f"{chapter.number}-"):
                problem(
                    "exercise-id",
                    cell.line,
                    f"exercise {current} belongs to another chapter; this is {chapter.number}.",
                )
            if current in first:
                problem(
                    "exercise-id",
                    cell.line,
                    f"exercise {current} stands already in line {first[current]}; renumber one.",
                )
            first.setdefault(current, cell.line)
        for line, name in _checks(cell):
            checked.add(name)
            if name != current:
                where = f"the exercise here is {current}" if current else "no exercise stands before it"
                problem("check-id", line, f'check("{name}", …), but {where}; make the ids agree.')
    for name, line in first.items():
        if name not in checked:
            problem("check-id", line, f'exercise {name} is never checked; end it with check("{name}", answer).')
    if first:
        known = registered_exercises(chapter.number)
        for name, line in first.items():
            if name.startswith(f"{chapter.number}-") and name not in known:
                message = (
                    f"exercise {name} has no check in course_utils/exercises/chapter_{chapter.number}.py; write it."
                )
                problem("exercise-id", line, message + near_misses(name, list(known)))
        for name in sorted(set(known) - set(first)):
            problem("exercise-id", 1, f"exercise {name} has a check, but no cell of this chapter sets it.")


def _checks(cell: Cell) -> list[tuple[int, str]]:
    """(source line, id) of each ``check("…", …)`` in a code cell."""
    tree = cell.tree()
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree else []
    return [
        (cell.line + call.lineno - 1, call.args[0].value)
        for call in calls
        if called(call).split(".")[-1] == "check"
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    ]


def called(call: ast.AST) -> str:
    """The dotted name that a call calls ("figures.lines"), or an empty text."""
    node = call.func if isinstance(call, ast.Call) else call
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _stub(indent: str, body: str, rest: str) -> str:
    """What stands in a solution's place; ``rest`` is the cell without its solutions.

    A region at module level leaves a place for each name that the rest of the cell uses, or else for each of its plain
    assignments, so that the cell runs; any other region, a function's body mostly, leaves a single line.
    """
    if not indent:
        try:
            statements = ast.parse(body).body
            used = {node.id for node in ast.walk(parse_code(rest)) if isinstance(node, ast.Name)}
        except SyntaxError:
            statements, used = [], set()
        bound = [name for statement in statements for name in _bound(statement)]
        plain = all(isinstance(statement, ast.Assign | ast.AnnAssign) for statement in statements)
        names = [name for name in bound if name in used] or (bound if plain else [])
        if names:
            return "\n".join(f"{name} = ...  # your answer here" for name in dict.fromkeys(names))
    return f"{indent}...  # your code here"


def _bound(statement: ast.AST) -> list[str]:
    """The names that a module-level statement binds, in order; those inside its functions and classes are their own."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    found = []
    for node in ast.iter_child_nodes(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.append(node.id)
        elif isinstance(node, ast.stmt | ast.Tuple | ast.List | ast.Starred | ast.withitem):
            found += _bound(node)
    return found
