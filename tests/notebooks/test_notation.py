"""Chapter 00's tables of notation against the chapters: what they list is used, and what is used twice is listed.

A formula is what stands between dollars in a text. Capitals and Greek letters must be in a table if two chapters write
them in formulas; of the small ones those that the second table has, since most are explained on the spot.
"""

import ast
import functools
import re
from collections import defaultdict

import pytest

from course_utils.authoring import sources
from course_utils.chapters import chapters

HOME = "00"
GREEK = re.compile(
    r"alpha|beta|gamma|delta|epsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|rho|sigma|tau|phi|chi|psi|omega|"
    r"Delta|Theta|Lambda|Sigma|Phi|Psi|Omega"
)
# Commands whose argument is no letter of a formula: words, and the signs of expectation, of sets and of a likelihood.
WORDS = r"\\(?:text|mathrm|operatorname\*?|begin|end|mathbb|mathcal|substack)\s*\{[^{}]*\}"


def letters(formula: str) -> set[str]:
    """The letters of a formula in LaTeX, Greek ones with their backslash."""
    rest = re.sub(WORDS, " ", formula).replace("\\var", "\\")  # ε is ε, however it is curved
    rest = re.sub(r"\\([A-Za-z]+)", lambda command: f" \\{command[1]} " if GREEK.fullmatch(command[1]) else " ", rest)
    return set(re.findall(r"\\[A-Za-z]+|(?<![A-Za-z\\])[A-Za-z](?![A-Za-z])", rest))


def formulas(text: str) -> list[str]:
    """What stands between dollars, displayed or in a line."""
    return [one or other for one, other in re.findall(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", text, re.DOTALL)]


@functools.cache
def course() -> dict[str, sources.Source]:
    return {chapter.number: sources.read(chapter) for chapter in chapters()}


@functools.cache
def cells(number: str) -> tuple[list[str], list[ast.AST]]:
    """A chapter's texts, without the tables of notation, and the trees of its code."""
    found = course()[number].cells
    texts = [cell.source for cell in found if cell.kind == "markdown" and not is_table(cell.source)]
    return texts, [tree for cell in found if cell.kind != "markdown" and (tree := cell.tree()) is not None]


def is_table(text: str) -> bool:
    return "| letter or word |" in text


@functools.cache
def in_formulas(number: str) -> frozenset[str]:
    return frozenset().union(*(letters(formula) for text in cells(number)[0] for formula in formulas(text)))


@functools.cache
def in_code(number: str) -> dict[str, set[str]]:
    """The names in a chapter's code, and how each is used: as a function, or as a value."""
    found = defaultdict(set)
    for tree in cells(number)[1]:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                found[node.name].add("function")
            elif isinstance(node, ast.Name):
                found[node.id].add("value")
            elif isinstance(node, ast.arg):
                found[node.arg].add("value")
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                found[node.func.id].add("function")
    return found


def rows(text: str) -> list[list[str]]:
    lines = [line.strip().strip("|").split(" | ") for line in text.split("\n") if re.match(r"\| [^-]", line)]
    return [[cell.strip() for cell in line] for line in lines]


def numbers(span: str) -> list[str]:
    """The chapters that "02 to 04, 08" names."""
    found = []
    for part in span.split(", "):
        first, _, last = part.partition(" to ")
        found += [f"{number:02d}" for number in range(int(first), int(last or first) + 1)]
    return found


def shared() -> dict[str, list[tuple[str, list[str]]]]:
    """The second table: letter or word → its meanings, each with its chapters."""
    table = next(cell.source for cell in course()[HOME].cells if cell.kind == "markdown" and is_table(cell.source))
    found = {}
    for name, said in rows(table)[1:]:
        meanings = re.findall(r"(?:^| · )(.+?) \((\d\d[\d, to]*)\)", said)
        assert " · ".join(f"{meaning} ({span})" for meaning, span in meanings) == said, f"{name}: {said}"
        found[name.strip("$").replace("\\var", "\\")] = [(meaning, numbers(span)) for meaning, span in meanings]
    return found


def fixed() -> set[str]:
    """The letters of the first table, which mean one thing unless the second lists them."""
    text = next(cell.source for cell in course()[HOME].cells if cell.source.startswith("## 6 · Notation"))
    table = text[: text.index("| word |")]
    return set().union(*(letters(formula) for row in rows(table)[1:] for formula in formulas(row[0])))


SHARED = shared()


@pytest.mark.parametrize("name", SHARED)
def test_what_the_table_says_of_a_chapter_is_in_that_chapter(name):
    for meaning, where in SHARED[name]:
        for number in where:
            assert number in course(), f"{name}, {meaning}: there is no chapter {number}"
            if name.isalpha() and len(name) > 1:
                used = re.search(rf"\b{name}s?\b", "\n".join(cells(number)[0]))
            else:
                used = name in in_formulas(number) or name.lstrip("\\") in in_code(number)
            assert used, f"{name}, {meaning}: chapter {number} does not use it"


@pytest.mark.parametrize("name", [name for name in SHARED if len(name) == 1 or name.startswith("\\")])
def test_no_chapter_is_missing_at_a_letter_that_is_shared(name):
    assert len(SHARED[name]) > 1, "a letter with one meaning needs no row"
    listed = {number for _, where in SHARED[name] for number in where}
    # Chapter 00 names letters of the others in its first table.
    assert {number for number in course() if name in in_formulas(number)} - {HOME} <= listed


def test_each_capital_and_each_greek_letter_of_two_chapters_is_in_a_table():
    used = defaultdict(set)
    for number in course():
        for letter in in_formulas(number):
            used[letter].add(number)
    missing = {
        letter: sorted(where)
        for letter, where in used.items()
        if (letter.isupper() or letter.startswith("\\")) and len(where - {HOME}) > 1
        and letter not in fixed() | set(SHARED)
    }  # fmt: skip
    assert not missing


def test_a_letter_that_is_not_shared_is_a_value_everywhere_or_a_function_everywhere():
    for letter in fixed() - set(SHARED):
        name = letter.lstrip("\\")
        uses = {number: in_code(number)[name] - {"value"} for number in course() if name in in_code(number)}
        assert len({frozenset(use) for use in uses.values()}) < 2, f"{letter}: {uses}"


def test_letters_are_found_in_formulas():
    assert letters(r"\nabla_W L = A^\mathsf{T}\, \delta_l, \qquad \text{for } \mathrm{relu}(z)") == {
        "W", "L", "A", "T", r"\delta", "l", "z",
    }  # fmt: skip
    assert letters(r"\mathbb{E}\big[\log D(x)\big]") == {"D", "x"} and letters("dZ") == set()
    assert numbers("00, 02 to 04") == ["00", "02", "03", "04"]
