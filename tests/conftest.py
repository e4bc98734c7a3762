"""Every test gets a cache and a progress file of its own, and none of the caller's course settings."""

import ast
import os
from collections.abc import Callable
from typing import NamedTuple

import hypothesis
import pytest

# A push tries the same examples on every machine, so that red means a fault of the push; fresh ones are the night's.
# Other processes share CI's two cores: an example's time says nothing about the code under test.
hypothesis.settings.register_profile("push", deadline=None, derandomize=True, database=None)
hypothesis.settings.register_profile("night", deadline=None, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("COURSE_EXAMPLES", "push"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no worker is left alone with a long chapter at the end: chapters, then the browser."""
    order = ("chapters", "browser", "compare")

    def place(item: pytest.Item) -> int:
        folder = item.path.parent.name
        return order.index(folder) if folder in order else len(order)

    items.sort(key=place)


@pytest.fixture(autouse=True)
def isolated_settings(tmp_path_factory, monkeypatch):
    # A worker of pytest-xdist has COLUMNS of its own, by which messages would be folded.
    for name in ("COURSE_PROFILE", "COURSE_STRICT", "COURSE_PROGRESS", "COURSE_CACHE", "KERAS_BACKEND", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path_factory.mktemp("cache")))


class Said(NamedTuple):
    """What a command ended with and wrote."""

    status: int | str
    out: str
    err: str


@pytest.fixture
def course(capsys) -> Callable[..., Said]:
    """Run the command in this process: ``course("run", "07")`` → (status, standard output, standard error)."""
    from course_utils import cli

    def run(*arguments: object) -> Said:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(one) for one in arguments])
        said = capsys.readouterr()
        return Said(ended.value.code or 0, said.out, said.err)

    return run


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; without one every browser test is skipped and says why."""
    from course_utils.authoring.pictures import browser
    from course_utils.errors import CourseError

    pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: no browser test ran")
    try:
        return browser()
    except CourseError as error:
        pytest.skip(f"no browser test ran, because there is no Chromium: {error}")


def _names_bound(node: ast.stmt) -> set[str]:
    """What a statement at the top of a cell binds, where that can be read without running it."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    if isinstance(node, ast.Assign):
        return {n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)}
    return set()


@pytest.fixture(scope="session")
def chapter_functions() -> Callable[..., dict]:
    """A function that gives what a chapter defines: ``chapter_functions("03", "forward", "backward")`` → name → object.

    The code is that of the source, with the imports, functions and constants that it uses, and no other cell is run.
    With ``exercise="03-1"`` the solution in that exercise's cell comes on top; other exercises are left out. Keyword
    arguments stand for names that the chapter computes (``seed=0``).
    """
    from course_utils.authoring import sources, standalone
    from course_utils.chapters import select

    def define(number: str, *names: str, exercise: str | None = None, **given) -> dict:
        source = sources.read(select([number])[0])
        cells = [cell for cell in source.cells if cell.code and (not cell.exercise or cell.exercise == exercise)]
        statements = [node for cell in cells for node in ast.parse(cell.source).body]
        wanted, pending = set(), set(names)
        while pending:
            name = pending.pop()
            wanted.add(name)
            for node in statements:
                if name in _names_bound(node):
                    pending |= standalone.needed(ast.Module([node], [])) - wanted - set(given)
        namespace = {"__name__": f"chapter_{number}", **given}
        kept = [node for node in statements if _names_bound(node) & wanted - set(given)]
        exec(compile(ast.Module(kept, []), f"chapter {number}", "exec"), namespace)
        missing = set(names) - set(namespace)
        assert not missing, f"chapter {number} defines no {', '.join(sorted(missing))}"
        return namespace

    return define
