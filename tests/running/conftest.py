"""Tiny chapters and their runs; no test of a run leaves a process behind."""

import nbformat
import pytest
from leftovers import nothing_left  # noqa: F401 (a fixture that is used by itself)
from small_chapters import PARAMETERS, code

from course_utils.chapters import Chapter
from course_utils.running import runs


@pytest.fixture
def chapter(tmp_path):
    """Make a chapter from cells: ``chapter("07_mnist_cnn", code("1 + 1"))``."""

    def make(name: str, *cells, needs=None, seconds=60, memory_mib=600) -> Chapter:
        notebook = nbformat.v4.new_notebook(cells=[code(PARAMETERS, "parameters"), *cells])
        notebook.metadata["kernelspec"] = {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        }
        learner = tmp_path / "notebooks" / f"{name}.ipynb"
        solutions = tmp_path / "notebooks" / "solutions" / f"{name}.ipynb"
        solutions.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, learner)
        nbformat.write(notebook, solutions)
        return Chapter(
            number=name[:2],
            name=name,
            title=name[3:],
            requires=(),
            needs=needs or {"quick": (), "full": ()},
            seconds=seconds,
            memory_mib=memory_mib,
            source=tmp_path / "notebooks" / "source" / f"{name}.py",
        )

    return make


@pytest.fixture
def run(tmp_path):
    def call(*chapters, **options):
        options.setdefault("progress", False)
        return runs.run(chapters, out=tmp_path / "build", timeout=options.pop("timeout", 60), **options)

    return call
