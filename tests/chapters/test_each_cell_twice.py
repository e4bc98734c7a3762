"""A learner runs a cell again, and nothing breaks: no cell overwrites what it reads, or deletes what it needs."""

import copy
import os
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from course_utils.data.fetch import fetch

from .conftest import wanted_by_sections

pytestmark = pytest.mark.night


def test_each_cell_runs_twice(chapter, tmp_path, monkeypatch):
    notebook = nbformat.read(chapter.solutions, as_version=4)
    doubled = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            doubled += [cell, copy.deepcopy(cell)]
            doubled[-1].id += "-again"
    notebook.cells = doubled
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("COURSE_PROFILE", "COURSE_DATA", "COURSE_STRICT", "KERAS_BACKEND")
    } | {"COURSE_PROGRESS": str(tmp_path / "progress.json")}
    monkeypatch.delenv("COURSE_DATA", raising=False)  # into the cache, where the kernel finds it
    for need in [*chapter.needs["quick"], *wanted_by_sections(chapter)]:
        fetch(need, progress=False)
    client = NotebookClient(notebook, timeout=600, allow_errors=True, resources={"metadata": {"path": str(tmp_path)}})
    client.create_kernel_manager()
    client.km.kernel_spec.argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    client.execute(env=environment)
    failed = {
        cell.id: f"{output.ename}: {output.evalue}"[:200]
        for cell in notebook.cells
        for output in cell.outputs
        if output.output_type == "error" and "raises-exception" not in cell.metadata.get("tags", [])
    }
    assert failed == {}
