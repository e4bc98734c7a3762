"""What is started once stays on one worker; and nbval compares numbers as we do."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from course_utils.authoring.pytest_plugin import group_of

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = """\
import pytest

@pytest.fixture(scope="session")
def started(chapter):
    return chapter

def pytest_generate_tests(metafunc):
    metafunc.parametrize("chapter", ["01_a", "02_b", "03_c"], scope="session")

def test_one(started): pass
def test_two(started): pass
def test_three(started): pass
"""


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("tests/test_cli.py::test_a", "tests/test_cli.py"),
        ("tests/data/test_fetch.py::test_a[x::y]", "tests/data/test_fetch.py"),
        ("tests/browser/test_lab.py::test_a[Dark]", "tests/browser"),
        ("tests/chapters/test_chapters.py::test_a[01_concepts]", "tests/chapters/test_chapters.py[01_concepts]"),
        ("tests/chapters/test_chapters.py::test_a", "tests/chapters/test_chapters.py"),
        ("notebooks/07_mnist_cnn.ipynb::Cell 3", "notebooks/07_mnist_cnn.ipynb"),
    ],
)
def test_groups(nodeid, group):
    assert group_of(nodeid) == group


def pytest_here(folder: Path, *words: str) -> str:
    """A run of pytest in ``folder`` with the course's own settings, as its text."""
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p course_utils.authoring.pytest_plugin\n")
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "--color=no", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def test_one_worker_runs_all_tests_of_a_chapter(tmp_path):
    folder = tmp_path / "tests" / "chapters"
    folder.mkdir(parents=True)
    (folder / "test_chapters.py").write_text(CHAPTER)
    said = pytest_here(tmp_path, "-n", "2", "--dist", "loadscope", "--no-loadscope-reorder")
    ran = re.findall(r"\[(gw\d)\].*PASSED .*\[(\d\d_\w)\]", said)
    assert len(ran) == 9, said
    assert len(set(ran)) == 3, "each chapter on one worker"
    assert len({worker for worker, _ in ran}) == 2, "and both work"


@pytest.mark.parametrize(("stored", "passes"), [("0.10000000000000002", True), ("0.1000001", False), ("0.1 m", False)])
def test_nbval_compares_numbers_with_a_tolerance(tmp_path, stored, passes):
    cell = nbformat.v4.new_code_cell("0.1", execution_count=1)
    output = nbformat.v4.new_output("execute_result", {"text/plain": stored}, execution_count=1)
    cell.outputs = [output]
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, tmp_path / "one.ipynb")
    said = pytest_here(tmp_path, "--nbval", "--nbval-current-env", "one.ipynb")
    assert ("1 passed" in said) is passes, said


def test_pyproject_loads_the_plugin_and_distributes_by_its_groups():
    import tomllib

    options = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]["addopts"]
    assert options[options.index("-p") + 1] == "course_utils.authoring.pytest_plugin"
    assert options[options.index("--dist") + 1] == "loadscope"
