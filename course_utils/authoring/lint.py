"""The notebook lint: a chapter's anatomy and habits as small named rules, each saying how to mend what it finds.

A rule is a function of a `Source` that yields (cell, line in the cell from 0, message); the docstring says what it
holds. A cell is let off a rule by the tag ``lint-skip-RULE``, which does not reach the editions.
"""

import ast
import re
import statistics
import tomllib
from collections.abc import Callable, Iterable, Iterator

from course_utils.authoring import agreement, reading_time, sources, standalone
from course_utils.authoring.head import PREDICTION
from course_utils.authoring.output_rules import MACHINE_PATH, shows_figure
from course_utils.authoring.prose import blank, code_lines, prose, without_fences
from course_utils.authoring.sources import SKIP, Cell, LintProblem, Source, called, read
from course_utils.chapters import Chapter
from course_utils.errors import CourseError
from course_utils.paths import packaged
from course_utils.roads import heading, side_roads

__all__ = ["RULES", "LintProblem", "lint_chapters", "lint_source"]

MAX_SETUP_LINES = 12
MAX_CODE_LINES = 25
MEDIAN_CODE_LINES = 6
MOST_MINUTES, MOST_WORDS, MOST_LINES, MOST_EXERCISES = 60, 3_000, 300, 2  # of a main road
GOALS = range(3, 6)
KINDS = "recall|modify|extend|decide"
_NUMBERED = "1 · …"
# The sections of level two and their order; the numbered ones share a place.
_ORDER = {
    "You will be able to": 0, "Setup": 1, "The question": 2, _NUMBERED: 3, "Notation": 4, "Glossary": 4,
    "Exercises": 5, "Recap": 6, "Limits and next": 7,
}  # fmt: skip
_BRITISH = {
    "analyze": "analyse", "behavior": "behaviour", "center": "centre", "color": "colour", "favor": "favour",
    "flavor": "flavour", "generalize": "generalise", "gray": "grey", "initialize": "initialise", "labeled": "labelled",
    "labeling": "labelling", "license": "licence (the noun)", "minimize": "minimise", "maximize": "maximise",
    "modeled": "modelled", "modeling": "modelling", "neighbor": "neighbour", "normalize": "normalise",
    "optimize": "optimise", "penalize": "penalise", "quantize": "quantise", "realize": "realise",
    "recognize": "recognise", "regularize": "regularise", "standardize": "standardise", "summarize": "summarise",
    "tokenize": "tokenise", "vectorize": "vectorise", "visualize": "visualise",
}  # fmt: skip
_PLACEHOLDER = re.compile(r"\b(TODO|FIXME|XXX|TBD)\b")

Finding = tuple[Cell, int, str]
Rule = Callable[[Source], Iterator[Finding]]
RULES: dict[str, Rule] = {}
_WARNINGS: set[str] = set()


def rule(name: str, *, warning: bool = False) -> Callable[[Rule], Rule]:
    """Register a rule under its name."""

    def add(function: Rule) -> Rule:
        RULES[name] = function
        if warning:
            _WARNINGS.add(name)
        return function

    return add


def lint_chapters(chapters: Iterable[Chapter]) -> list[LintProblem]:
    """Everything the lint finds in the sources of ``chapters``, in their order; problems of parsing included."""
    return [problem for chapter in chapters for problem in lint_source(read(chapter))]


def lint_source(source: Source) -> list[LintProblem]:
    """What the lint finds in one source, by line."""
    found = list(source.problems)
    if not source.cells:
        return [
            *found,
            LintProblem("title", source.chapter.source, 1, "the chapter has no cells; begin with its title."),
        ]
    for name, function in RULES.items():
        level = "warning" if name in _WARNINGS else "error"
        for cell, line, message in function(source):
            if not cell.skips(name):
                text = f'{message} (If it must be so: tag the cell "{SKIP}{name}".)'
                found.append(LintProblem(name, source.chapter.source, cell.line + line, text, level))
    return sorted(found, key=lambda problem: (problem.line, problem.rule))


# --- helpers ---------------------------------------------------------------------------------------------------------


def _markdown(source: Source) -> list[Cell]:
    return [cell for cell in source.cells if cell.kind == "markdown"]


def _code(source: Source) -> list[Cell]:
    return [cell for cell in source.cells if cell.code]


def _headings(source: Source, level: int) -> list[tuple[Cell, int, str]]:
    """(cell, line in it, text) of every heading of one level."""
    mark = "#" * level + " "
    found = []
    for cell in _markdown(source):
        for number, line in enumerate(without_fences(cell.source).split("\n")):
            if line.startswith(mark):
                found.append((cell, number, line.removeprefix(mark).strip()))
    return found


def _section(source: Source, title: str) -> tuple[Cell, int, list[Cell]] | None:
    """The level-two section of that title: its heading's cell and line, and its cells (the heading's included)."""
    found = [(cell, line) for cell, line, text in _headings(source, 2) if text.lower() == title.lower()]
    if not found:
        return None
    cell, line = found[0]
    start = source.cells.index(cell)
    starts = {id(other) for other, _, _ in _headings(source, 2) if other is not cell}
    stop = next((i for i in range(start + 1, len(source.cells)) if id(source.cells[i]) in starts), len(source.cells))
    return cell, line, list(source.cells[start:stop])


def _items(cells: list[Cell]) -> list[str]:
    """The first lines of all top-level list items."""
    lines = [line for cell in cells if cell.kind == "markdown" for line in cell.source.split("\n")]
    return [line for line in lines if re.match(r"([*+-]|\d+[.)]) +\S", line)]


def _line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position)


def _only_calls(cell: Cell, *names: str) -> bool:
    """Whether the cell is nothing but a call of one of ``names``."""
    tree = cell.tree()
    body = tree.body if tree else []
    return len(body) == 1 and isinstance(body[0], ast.Expr) and called(body[0].value) in names


def _setup_cells(source: Source) -> list[Cell]:
    def calls_setup(cell: Cell) -> bool:
        tree = cell.tree()
        return bool(tree) and any(isinstance(node, ast.Call) and called(node) == "setup" for node in ast.walk(tree))

    return [cell for cell in _code(source) if calls_setup(cell)]


# --- the head of a chapter -------------------------------------------------------------------------------------------


@rule("title")
def title(source: Source) -> Iterator[Finding]:
    """The first cell begins with `# NN · Title`, as the header has it; no other heading of level one."""
    first, chapter = source.cells[0], source.chapter
    wanted = f"# {chapter.number} · {chapter.title}"
    if first.kind != "markdown" or first.first != wanted:
        yield (
            first,
            0,
            f'the chapter must begin with a text cell whose first line is "{wanted}" (number and title of the header).',
        )
    for cell, line, text in _headings(source, 1):
        if cell is not first or line:
            yield cell, line, f'"# {text}" is a second title; sections have two marks, "## {text}".'


@rule("byline")
def byline(source: Source) -> Iterator[Finding]:
    """The first cell has a promise and a line *Hardware … · Needs …* that agrees with the header."""
    first, chapter = source.cells[0], source.chapter
    lines = first.source.split("\n")
    found = [
        (i, line) for i, line in enumerate(lines) if line.startswith("*Hardware: ") and line.rstrip().endswith("*")
    ]
    if not found:
        needed = " and ".join(filter(None, [", ".join(chapter.requires[:-1]), *chapter.requires[-1:]]))
        needed = f"chapter{'s' if len(chapter.requires) > 1 else ''} {needed}" if needed else "nothing"
        hardware = f"two cores, {chapter.memory_mib / 1024:.2g} GiB"
        wanted = f"*Hardware: {hardware} · Needs: {needed}*"
        yield first, 0, f'the first cell needs a line "{wanted}".'
        return
    number, line = found[0]
    parts = line.strip().strip("*").split(" · ")
    if len(parts) != 2 or not parts[1].startswith("Needs: "):
        yield first, number, 'the line has two parts, "*Hardware: … · Needs: …*", with " · " between them.'
        return
    named = set(re.findall(r"\b\d\d\b", parts[1]))
    if named != set(chapter.requires):
        wanted = ", ".join(chapter.requires) or "none"
        yield (
            first,
            number,
            f"the header requires {wanted}; the line names {', '.join(sorted(named)) or 'none'}. Make them agree.",
        )
    if not any(text.strip() and not text.startswith(("#", "*Hardware")) for text in lines[:number]):
        yield first, 0, "between title and byline stands one sentence of promise: what the reader will have done."


@rule("goals")
def goals(source: Source) -> Iterator[Finding]:
    """`## You will be able to` with three to five list items."""
    section = _section(source, "You will be able to")
    if section is None:
        yield source.cells[0], 0, 'a section "## You will be able to" with three to five verbs is missing.'
        return
    cell, line, _ = section
    count = len(_items([cell]))
    if count not in GOALS:
        yield cell, line, f"{count} goals; set three to five, one list item each, each beginning with a verb."


@rule("parameters")
def parameters(source: Source) -> Iterator[Finding]:
    """One code cell tagged `parameters` with `profile = None` and `seed = 0`, before the setup."""
    tagged = [cell for cell in _code(source) if "parameters" in cell.tags]
    if len(tagged) != 1:
        yield (
            (tagged or source.cells)[-1 if tagged else 0],
            0,
            f"{len(tagged)} cells are tagged parameters; there must be one.",
        )
        return
    cell = tagged[0]
    tree = cell.tree()
    values = {
        node.targets[0].id: getattr(node.value, "value", "?")
        for node in (tree.body if tree else [])
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    if values.get("profile", "?") is not None or values.get("seed") != 0:
        yield cell, 0, 'the parameters cell must say "profile = None" and "seed = 0"; a run replaces them.'
    setups = _setup_cells(source)
    if setups and source.cells.index(cell) > source.cells.index(setups[0]):
        yield cell, 0, "the parameters cell must stand before the setup cell, which reads it."


@rule("setup")
def setup(source: Source) -> Iterator[Finding]:
    """Exactly one cell calls setup("NN", profile=profile, seed=seed), in at most twelve lines."""
    cells = _setup_cells(source)
    number = source.chapter.number
    wanted = f'course = setup("{number}", profile=profile, seed=seed)'
    if not cells:
        yield source.cells[0], 0, f"the setup cell is missing; it holds the imports and {wanted}."
        return
    for cell in cells[1:]:
        yield cell, 0, "a second cell calls setup; there is one setup cell a chapter."
    cell = cells[0]
    count = len([line for line in cell.source.split("\n") if line.strip()])
    if count > MAX_SETUP_LINES:
        message = (
            f"the setup cell has {count} lines; at most {MAX_SETUP_LINES}. Import what is used later where it is used."
        )
        yield cell, 0, message
    call = next(node for node in ast.walk(cell.tree()) if isinstance(node, ast.Call) and called(node) == "setup")
    given = {k.arg: k.value.id for k in call.keywords if isinstance(k.value, ast.Name)}
    first = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
    if first != number or given.get("profile") != "profile" or given.get("seed") != "seed":
        yield cell, call.lineno - 1, f"call it as {wanted}, so that a run can choose."


# --- the body --------------------------------------------------------------------------------------------------------


@rule("sections")
def sections(source: Source) -> Iterator[Finding]:
    """Sections of level two in the order of the anatomy: goals, setup, the question, `## 1 · …` and so on, the end."""
    rank, after, expected = 0, "", 1
    for cell, line, text in _headings(source, 2):
        numbered = re.match(r"(\d+) · \S", text)
        if not numbered and text not in _ORDER:
            message = f'write "## {expected} · {text}", or "### {text}" inside a section'
            yield cell, line, f'"## {text}" has no number; {message}.'
            continue
        if numbered:
            if int(numbered[1]) != expected:
                yield cell, line, f'"## {text}" should have the number {expected}: sections are counted from 1.'
            expected = int(numbered[1]) + 1
        own = _ORDER[_NUMBERED if numbered else text]
        if own < rank:
            order = "goals, setup, question, numbered sections, Exercises, Recap, Limits and next"
            yield cell, line, f'"## {text}" stands after "## {after}"; the order is {order}.'
        else:
            rank, after = own, text
    if expected == 1:
        yield source.cells[0], 0, 'numbered sections are missing; the body of a chapter is "## 1 · …", "## 2 · …".'
    for wanted in ("The question", "Exercises", "Recap", "Limits and next"):
        if _section(source, wanted) is None:
            yield source.cells[-1], 0, f'the section "## {wanted}" is missing.'


@rule("prose-first")
def prose_first(source: Source) -> Iterator[Finding]:
    """In every section of level two some prose stands before the first code."""
    for cell, line, text in _headings(source, 2):
        if text == "Setup":
            continue
        for other in source.cells[source.cells.index(cell) :]:
            if other.code:
                message = f'"## {text}" goes from its heading straight into code; say first what is coming and why.'
                yield cell, line, message
                break
            after = other.source.split("\n")[line + 1 :] if other is cell else other.source.split("\n")
            if any(part.strip() and not part.startswith("#") for part in after):
                break


@rule("adjacent-code")
def adjacent_code(source: Source) -> Iterator[Finding]:
    """No two code cells together without a word between; a lone check(…) or claims.record(…) may follow its code."""
    for before, cell in zip(source.cells, source.cells[1:], strict=False):
        if (
            before.code
            and cell.code
            and "parameters" not in before.tags
            and not _only_calls(cell, "check", "claims.record")
        ):
            yield cell, 0, "two code cells stand together; put a sentence between them, or make them one."


@rule("long-cell")
def long_cell(source: Source) -> Iterator[Finding]:
    """A code cell has at most 25 lines of code, as a learner sees it."""
    for cell in _code(source):
        count = code_lines(cell.stub() if cell.exercise else cell.source)
        if count > MAX_CODE_LINES:
            message = f"{count} lines of code; at most {MAX_CODE_LINES}. Split it, or move plumbing into course_utils."
            yield cell, 0, message


@rule("median-cell", warning=True)
def median_cell(source: Source) -> Iterator[Finding]:
    """The median code cell has at most six lines."""
    counts = [code_lines(cell.source) for cell in _code(source)]
    if counts and statistics.median(counts) > MEDIAN_CODE_LINES:
        middle = statistics.median(counts)
        yield (
            source.cells[0],
            0,
            f"the median code cell has {middle:g} lines; aim at {MEDIAN_CODE_LINES} or fewer, each shown at once.",
        )


@rule("figure-finding")
def figure_finding(source: Source) -> Iterator[Finding]:
    """After a figure comes a text cell that begins with a sentence, not with a heading: the finding."""
    for number, cell in enumerate(source.cells):
        if not (cell.code and shows_figure(cell)):
            continue
        after = source.cells[number + 1] if number + 1 < len(source.cells) else None
        if after is None or after.kind != "markdown" or after.first.startswith("#"):
            message = "a figure without its finding; follow it with a sentence that says what one sees."
            yield cell, len(cell.source.split("\n")) - 1, message


@rule("details")
def details(source: Source) -> Iterator[Finding]:
    """`<details>` has a `<summary>`, a blank line after it, and an end in the same cell."""
    for cell in _markdown(source):
        text = without_fences(cell.source)
        opened, closed = len(re.findall(r"<details\b", text)), text.count("</details>")
        if opened != closed:
            at = _line_of(text, text.find("<details" if opened else "</details"))
            yield cell, at, f"{opened} <details> and {closed} </details>; close each in the cell that opens it."
        for match in re.finditer(r"<details\b[^>]*>(?!\s*<summary>)", text):
            yield cell, _line_of(text, match.start()), "<details> without <summary>; say what is folded away."
        for match in re.finditer(r"</summary>[ \t]*\n(?!\s*\n)", text):
            message = "leave a line empty after </summary>, or Markdown inside is not rendered."
            yield cell, _line_of(text, match.start()), message


@rule("shell")
def shell(source: Source) -> Iterator[Finding]:
    """No installs and no shell in lessons, apart from one cell tagged `colab` that asks for COLAB_NOTEBOOK_ID."""
    for cell in _code(source):
        if "colab" in cell.tags and "COLAB_NOTEBOOK_ID" in cell.source:
            continue
        for number, line in enumerate(cell.source.split("\n")):
            if re.match(r"\s*(!|%%?(pip|conda|mamba|sh|bash|script|system|sx)\b)", line):
                yield cell, number, "no shell and no installs in a lesson; the course's environment has what it needs."


@rule("claim-literal")
def claim_literal(source: Source) -> Iterator[Finding]:
    """The verdict of `claims.record` is computed: a text written there would say the same whatever was measured."""
    for cell in _code(source):
        tree = cell.tree()
        for node in ast.walk(tree) if tree else ():
            if not (isinstance(node, ast.Call) and called(node) == "claims.record"):
                continue
            given = [*node.args[1:2], *(keyword.value for keyword in node.keywords if keyword.arg == "verdict")]
            for value in given:
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    message = (
                        f'the verdict "{value.value}" is written down, not measured; compute it, '
                        'for example verdict="holds" if right == printed else "wrong".'
                    )
                    yield cell, value.lineno - 1, message


@rule("star-import")
def star_import(source: Source) -> Iterator[Finding]:
    """No `from … import *`."""
    for cell in _code(source):
        tree = cell.tree()
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
                message = f"from {node.module} import * hides where names come from; import them by name."
                yield cell, node.lineno - 1, message


@rule("absolute-path")
def absolute_path(source: Source) -> Iterator[Finding]:
    """No path of somebody's machine, in text or code."""
    for cell in source.cells:
        for match in MACHINE_PATH.finditer(cell.source):
            message = f'"{match[0]}…" is a path of one machine; use a relative one.'
            yield cell, _line_of(cell.source, match.start()), message


@rule("placeholder")
def placeholder(source: Source) -> Iterator[Finding]:
    """No TODO, FIXME, XXX or TBD."""
    for cell in source.cells:
        for match in _PLACEHOLDER.finditer(cell.source):
            yield cell, _line_of(cell.source, match.start()), f"{match[0]}: finish it, or leave it out."


@rule("alt-text")
def alt_text(source: Source) -> Iterator[Finding]:
    """Images in text have alt text."""
    for cell in _markdown(source):
        text = without_fences(cell.source)
        for match in re.finditer(r"!\[\s*\]\(|<img\b(?![^>]*\balt=[\"'][^\"'>]+)[^>]*>", text):
            yield cell, _line_of(text, match.start()), "an image without alt text; state the finding that it shows."


@rule("spelling")
def spelling(source: Source) -> Iterator[Finding]:
    """British spelling in prose; code, mathematics, links' addresses and the titles of sources are left alone."""
    words = "|".join(sorted((word.removesuffix("e") for word in _BRITISH), key=len, reverse=True))
    pattern = re.compile(
        rf"\b(?:un|re|non-)?({words})(?:e|es|ed|ing|s|d|er|ers|ation|ations|al|ful|hood|less)?\b", re.IGNORECASE
    )
    last = _section(source, "Limits and next")
    quoting = {id(cell) for cell in last[2]} if last else set()
    for cell in _markdown(source):
        text = prose(cell.source)
        if id(cell) in quoting:
            # Titles of sources keep their own spelling: what is quoted and what is set in italics.
            text = re.sub(r"[\"“][^\"”]+[\"”]", blank, text.replace("**", "  "))
            text = re.sub(r"\*[^*]+\*", blank, text)
        for match in pattern.finditer(text):
            american = match[1].lower()
            british = _BRITISH.get(american) or _BRITISH.get(f"{american}e")
            yield cell, _line_of(text, match.start()), f'"{match[0]}": the course spells it {british}.'


@rule("links")
def links(source: Source) -> Iterator[Finding]:
    """Links use https and have words that say where they lead."""
    for cell in _markdown(source):
        text = re.sub(r"``.+?``|`[^`\n]+`", blank, without_fences(cell.source))
        for match in re.finditer(r"(?<!!)\[([^\]\n]*)\]\(([^)\s]*)", text):
            words, address = match[1].strip(), match[2]
            line = _line_of(text, match.start())
            if not words or words.lower() in ("here", "link", "this", "click here", "this link"):
                yield cell, line, f'a link whose words are "{words}"; say where it leads.'
            if not address:
                yield cell, line, f'the link "{words}" leads nowhere.'
        for match in re.finditer(r"http://\S+", text):
            yield cell, _line_of(text, match.start()), f"{match[0].rstrip(').,>')}: use https."
        for match in re.finditer(r"(?<![(\"'=])https://[^\s)>]+", text):
            message = f"{match[0]} stands bare; write [words that say where it leads](address)."
            yield cell, _line_of(text, match.start()), message


# --- roads -----------------------------------------------------------------------------------------------------------


@rule("main-road")
def main_road(source: Source) -> Iterator[Finding]:
    """The main road takes an hour at most: 60 minutes, 3,000 words, 300 lines of code, two exercises."""
    main = reading_time.of(source.cells).main
    for found, most, what in (
        (main.minutes, MOST_MINUTES, "minutes"),
        (main.words, MOST_WORDS, "words"),
        (main.lines, MOST_LINES, "lines of code"),
        (main.exercises, MOST_EXERCISES, "exercises"),
    ):
        if found > most:
            message = (
                f"the main road has {found:,} {what}; at most {most:,}. Leave something out, or mark a section's "
                'heading with road="side".'
            )
            yield source.cells[0], 0, message


@rule("roads")
def roads(source: Source) -> Iterator[Finding]:
    """A side road lies in no other, has a word below its heading, and ends at a heading that begins a cell."""
    homes = side_roads((cell.kind, cell.source, cell.road) for cell in source.cells)
    for place, (cell, home) in enumerate(zip(source.cells, homes, strict=True)):
        if home is None or cell.kind != "markdown":
            continue
        level = heading(source.cells[home].source)[0]
        if cell.road and home != place:
            yield cell, 0, "a side road within a side road; one heading, the outer one, is marked."
        for line, text in enumerate(without_fences(cell.source).strip("\n").split("\n")):
            begins = heading(text)
            if line and begins and begins[0] <= level:
                yield cell, line, "a heading that ends a side road begins a cell of its own."
        if home == place and not any(line.strip() for line in cell.source.strip().split("\n")[1:]):
            yield cell, 0, "below the heading of a side road stands a sentence that says what is to be had on it."


@rule("main-road-alone")
def main_road_alone(source: Source) -> Iterator[Finding]:
    """The main road needs nothing from a side road."""
    for cell, message in standalone.problems(source.cells):
        yield cell, 0, message


@rule("section-needs")
def section_needs(source: Source) -> Iterator[Finding]:
    """Only a section that stands on a data set needs what is bound there."""
    for cell, message in standalone.problems_without_data(source.cells):
        yield cell, 0, message


@rule("prediction")
def prediction(source: Source) -> Iterator[Finding]:
    """After `**Predict first` comes the cell that answers, then a text that begins with the answer, folded away."""
    for place, cell in enumerate(source.cells):
        if cell.kind != "markdown" or not PREDICTION.search(cell.source):
            continue
        after = source.cells[place + 1 : place + 3]
        if len(after) == 2 and after[0].code and after[1].first.startswith("<details"):
            if any(isinstance(node, ast.Assert) for node in ast.walk(after[0].tree() or ast.Module([], []))):
                yield after[0], 0, "an assert says what comes before it has come; it stands in a cell after the answer."
            continue
        at = _line_of(cell.source, PREDICTION.search(cell.source).start())
        yield cell, at, "a prediction is followed by the cell that answers it and a text that begins with <details>."


@rule("exercise-names")
def exercise_names(source: Source) -> Iterator[Finding]:
    """An exercise binds no name that the chapter uses outside of it."""
    used: dict[str, int] = {}
    for cell in source.cells:
        if (tree := cell.tree()) is not None and not cell.exercise:
            names = standalone.needed(tree) | standalone.bound(tree)
            used |= {name: cell.line for name in names if name not in used}
    for cell in source.cells:
        if cell.exercise and (tree := cell.tree()) is not None:
            for name in sorted(standalone.bound(tree) & set(used)):
                yield cell, 0, f"the exercise binds {name}, which the chapter uses (line {used[name]}); rename it."


# --- the end ---------------------------------------------------------------------------------------------------------


@rule("exercises")
def exercises(source: Source) -> Iterator[Finding]:
    """Before each exercise: `### Exercise NN-K · Title`, then `*kind · minutes*`, as the exercise's check has them."""
    known = sources.registered_exercises(source.chapter.number) if any(cell.exercise for cell in source.cells) else {}
    heads = {text: (cell, line) for cell, line, text in _headings(source, 3) if text.startswith("Exercise ")}
    section = _section(source, "Exercises")
    inside = {id(cell) for cell in section[2]} if section else set()
    for cell in source.cells:
        if not cell.exercise:
            continue
        found = next((item for item in heads.items() if re.match(rf"Exercise {cell.exercise} · \S", item[0])), None)
        if found is None:
            yield cell, 0, f'the heading "### Exercise {cell.exercise} · Title" before the exercise is missing.'
            continue
        text, (head, line) = found
        if id(cell) not in inside:
            yield cell, 0, f'exercise {cell.exercise} stands outside the section "## Exercises".'
        under = next((part.strip() for part in head.source.split("\n")[line + 1 :] if part.strip()), "")
        match = re.fullmatch(rf"\*({KINDS}) · (\d+) minutes?\*", under)
        if not match:
            yield head, line, 'under the heading stands "*recall · 5 minutes*" (recall, modify, extend or decide).'
            continue
        exercise = known.get(cell.exercise)
        said = (text.split(" · ", 1)[1], match[1], int(match[2]))
        if exercise is not None and said != (exercise.title, exercise.kind, exercise.minutes):
            wanted = f'"{exercise.title}", {exercise.kind}, {exercise.minutes} minutes'
            yield head, line, f"the exercise's check says {wanted}; make heading and check agree."


@rule("tolerance")
def tolerance(source: Source) -> Iterator[Finding]:
    """A cell's `compare-within=` is a number that `course_utils.authoring.agreement` can hold its output to."""
    for cell in _code(source):
        try:
            agreement.tolerance(cell.tags)
        except CourseError as error:
            yield cell, 0, str(error)


@rule("exercises-last")
def exercises_last(source: Source) -> Iterator[Finding]:
    """After the first exercise no code but exercises: both editions run the same cells before them."""
    code = _code(source)
    first = next((number for number, cell in enumerate(code) if cell.exercise), len(code))
    for cell in code[first:]:
        if not cell.exercise:
            yield cell, 0, "code after the first exercise depends on the learner's answers; move it above them."


@rule("recap")
def recap(source: Source) -> Iterator[Finding]:
    """The recap answers the goals one to one."""
    aims, section = _section(source, "You will be able to"), _section(source, "Recap")
    if aims is None or section is None:
        return
    cell, line, cells = section
    set_, answered = len(_items([aims[0]])), len(_items(cells))
    if set_ != answered:
        message = f"{set_} goals were set, the recap answers {answered}; one list item for each goal, in their order."
        yield cell, line, message


@rule("limits")
def limits(source: Source) -> Iterator[Finding]:
    """`## Limits and next` names where the toy breaks, and sources with their year."""
    section = _section(source, "Limits and next")
    if section is None:
        return
    cell, line, cells = section
    text = "\n".join(other.source for other in cells)
    if not re.search(r"\*\*Sources?\b", text):
        yield cell, line, 'sources are missing; end the section with "**Sources.**" and full references.'
    elif not re.search(r"\b(19|20)\d\d\b", text[text.index("**Source") :]):
        yield cell, line, "the sources have no year; give author, title, place and year."


@rule("needs")
def needs(source: Source) -> Iterator[Finding]:
    """What the header needs is in data/registry.toml."""
    wanted = {name for names in source.chapter.needs.values() for name in names}
    wanted |= {name for cell in source.cells for name in (cell.needs or "").split()}
    if not wanted:
        return
    try:
        registry = tomllib.loads(packaged("registry.toml").read_text("utf-8"))
    except (CourseError, tomllib.TOMLDecodeError) as error:
        yield source.cells[0], 0, f"data/registry.toml cannot be read: {error}"
        return
    known = set(registry) | {key for value in registry.values() if isinstance(value, dict) for key in value}
    for name in sorted(wanted - known):
        yield source.cells[0], 0, f'"{name}" is needed, which data/registry.toml does not list; add it there.'
