"""The house as its imports draw it: no circle anywhere, and arrows that run down."""

import ast
import graphlib
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = "course_utils"

# From the top to the bottom. A room may use the floors below its own, and its own.
FLOORS = (
    {"__main__", "cli", "commands"},
    {"capstone"},
    {"rollout"},
    {"doctor", "workspace", "kernel", "authoring", "compare", "serving", "retrieval", "assistant"},
    {"running", "bundles", "exercises", "explorers"},
    {"recipes"},
    {
        "training",
        "evaluate",
        "figures",
        "gradcheck",
        "data",
        "weights",
        "claims",
        "references",
        "results",
        "strokes",
        "pages",
    },
    {"chapters", "runtime", "processes"},
    {"surroundings", "paths", "tables", "roads"},
    {"errors", "language", "console", "__init__"},
)
# Imports inside a function that close a circle: to be mended, each with the reason why it still stands.
CIRCLES: dict[tuple[str, str], str] = {}
# Imports from a lower floor: the same.
UPWARDS: dict[tuple[str, str], str] = {
    ("course_utils.runtime", "course_utils.figures"): "setup makes the course's template plotly's default",
}


def modules() -> dict[str, Path]:
    """Every module of the package by its name; a package's is that of its ``__init__``."""
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path, known: set[str]) -> Iterator[tuple[str, bool]]:
    """(module of the package that a module imports, whether when it is itself imported) for every import in it.

    What only a type checker reads is left out; ``importlib.import_module`` with a literal name counts.
    """

    def inside(node: ast.AST, top: bool) -> Iterator[tuple[str, bool]]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            children: list[ast.AST] = list(node.orelse)
        else:
            children = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            yield from ((alias.name, top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively; this house names its modules in full"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield (whole if whole in known else str(node.module)), top
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from ((one.value, top) for one in node.args if isinstance(one, ast.Constant))
        deeper = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in children:
            yield from inside(child, top and not deeper)

    for target, top in inside(ast.parse(path.read_text("utf-8")), True):
        if target in known and target != name:
            yield target, top


@pytest.fixture(scope="module")
def arrows() -> dict[tuple[str, str], bool]:
    """(importing, imported) → whether the import stands outside every function."""
    found: dict[tuple[str, str], bool] = {}
    known = modules()
    for name, path in known.items():
        for target, top in imports(name, path, set(known)):
            found[name, target] = found.get((name, target), False) or top
    return found


def circle(arrows: set[tuple[str, str]]) -> list[str]:
    """A circle of arrows, from a module to itself; empty where there is none."""
    sorter = graphlib.TopologicalSorter()
    for source, target in arrows:
        sorter.add(source, target)
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        return list(reversed(error.args[1]))
    return []


def test_a_circle_is_seen():
    assert circle({("a", "b"), ("b", "c")}) == []
    found = circle({("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")})
    assert set(found) == {"a", "b", "c"} and found[0] == found[-1]
    assert {("a", "b"), ("b", "c"), ("c", "a")} == set(itertools.pairwise(found))


def test_imports_of_each_kind_are_seen(tmp_path):
    path = tmp_path / "sample.py"
    path.write_text(
        "from typing import TYPE_CHECKING\nfrom p import a\nimport p.b\nfrom p.c import name\n"
        "if TYPE_CHECKING:\n    from p import d\n"
        "def f():\n    from p import e\n    import_module('p.g')\n"
        "class C:\n    from p import h\n"
    )
    known = {"p", *(f"p.{letter}" for letter in "abcdefgh")}
    found = dict(imports("p.sample", path, known))
    assert found == {"p.a": True, "p.b": True, "p.c": True, "p.e": False, "p.g": False, "p.h": True}


def test_no_module_imports_itself_by_a_circle_when_it_is_imported(arrows):
    found = circle({arrow for arrow, top in arrows.items() if top})
    assert not found, " → ".join(found)


def test_no_circle_is_closed_inside_a_function(arrows):
    found = circle(set(arrows) - set(CIRCLES))
    assert not found, " → ".join(found)


def test_a_circle_that_is_excused_is_still_one(arrows):
    mended = [arrow for arrow in CIRCLES if not circle((set(arrows) - set(CIRCLES)) | {arrow})]
    assert not mended, "take them out of CIRCLES"


def floor(module: str) -> int:
    """The number of the floor, from the top, on which a module stands."""
    room = module.split(".")[1] if "." in module else "__init__"
    found = [number for number, rooms in enumerate(FLOORS) if room in rooms]
    assert len(found) == 1, f"{module} stands on no floor of FLOORS, or on two"
    return found[0]


def upward(arrows) -> set[tuple[str, str]]:
    # The package's own __init__ names everything and imports nothing until it is asked.
    return {(a, b) for a, b in arrows if floor(b) < floor(a) and PACKAGE not in (a, b)}


def test_arrows_run_down(arrows):
    found = upward(arrows) - set(UPWARDS)
    assert not found, "\n".join(" → ".join(arrow) for arrow in sorted(found))


def test_an_arrow_upwards_that_is_excused_is_still_one(arrows):
    assert not set(UPWARDS) - upward(arrows), "take them out of UPWARDS"


def test_every_module_stands_on_a_floor():
    for name in modules():
        floor(name)
