"""A chapter is run once, as ``course run`` runs it for a learner: solved, strict, offline, without what authors
install beside the course. Everything is read from that run.

One worker runs all tests of a chapter (course_utils.authoring.pytest_plugin), the other takes the next; longest first.
"""

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from course_utils import roads
from course_utils.authoring.output_rules import joined
from course_utils.chapters import Chapter, chapters

from . import seen

CHAPTERS = chapters()


@functools.cache
def offline() -> list[str]:
    """The words that run a command in a namespace with loopback only; none where the system does not allow it."""
    if not (shutil.which("unshare") and shutil.which("ip")):
        return []
    words = ["unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "offline"]
    return words if subprocess.run([*words, "true"], capture_output=True).returncode == 0 else []


@dataclass(frozen=True)
class Run:
    """A chapter after ``course run``: its entry in results.json, the executed notebook, and where all of it stands."""

    chapter: Chapter
    outcome: dict[str, Any]
    request: dict[str, Any]
    notebook: dict[str, Any]
    folder: Path
    offline: bool
    printed: str
    without: tuple[str, ...]  # data sets that single sections stand on and that could not be had here

    def comparable(self, cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Of a stored edition's cells those that this run could execute."""
        texts = [{**cell, "source": joined(cell["source"])} for cell in cells]
        return roads.cells_without(texts, self.without)


# What the extras author and test install, by the names that are imported: a learner has none of it.
AUTHORS_ONLY = ("choreographer", "hypothesis", "jupytext", "kaleido", "nbval", "playwright", "pytest", "xdist")


def hide_from_python(folder: Path, names: Iterable[str]) -> str:
    """Modules that fail to import, as if nobody had installed them; returns what PYTHONPATH has to be."""
    folder.mkdir(parents=True)
    for name in names:
        text = f'raise ModuleNotFoundError("No module named {name!r}: hidden by a test", name={name!r})\n'
        (folder / f"{name}.py").write_text(text, "utf-8")
    return os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))


def wanted_by_sections(chapter: Chapter) -> list[str]:
    """The data sets that single sections of a chapter stand on; the rest runs without them."""
    cells = json.loads(chapter.learner.read_text("utf-8"))["cells"]
    return list(roads.sections_by_need([{**cell, "source": joined(cell["source"])} for cell in cells]))


def course_run(chapter: Chapter, out: Path, *more: str, python: str = sys.executable, **environment: str) -> Run:
    """Run one chapter headless, without a network, into ``out``; what it needs is fetched before, as for a learner."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ("COURSE_PROFILE", "COURSE_DATA", "COURSE_STRICT", "COURSE_PROGRESS", "KERAS_BACKEND")
    }
    as_a_learner = hide_from_python(out / "hidden", AUTHORS_ONLY)
    surroundings = {**inherited, "COURSE_CACHE": str(out / "cache"), "PYTHONPATH": as_a_learner, **environment}
    course = [python, "-m", "course_utils"]

    def fetched(need: str) -> subprocess.CompletedProcess:
        words = [*course, "data", "fetch", need]
        return subprocess.run(words, env=surroundings, capture_output=True, text=True, timeout=600)

    for need in chapter.needs["quick"]:
        done = fetched(need)
        assert done.returncode == 0, done.stderr[-2000:]
    without = tuple(need for need in wanted_by_sections(chapter) if fetched(need).returncode != 0)
    command = [*course, "run", chapter.name, "--out", str(out), *more]
    done = subprocess.run(
        [*offline(), *command], env=surroundings, capture_output=True, text=True, timeout=900, stdin=subprocess.DEVNULL
    )
    printed = done.stdout[-4000:] + done.stderr[-4000:]
    results = out / "results.json"
    assert results.is_file(), f"course run left no results (status {done.returncode}): {printed}"
    content = json.loads(results.read_text("utf-8"))
    (outcome,) = content["outcomes"]
    (path,) = (out / "runs").glob(f"{chapter.name}*.ipynb")
    notebook = json.loads(path.read_text("utf-8"))
    return Run(chapter, outcome, content["request"], notebook, out, bool(offline()), printed, without)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes ``chapter`` is asked for each; the chapter that takes longest comes first."""
    if "chapter" in metafunc.fixturenames:
        longest_first = sorted(CHAPTERS, key=lambda chapter: -chapter.seconds)
        marked = [pytest.param(c, id=c.name, marks=pytest.mark.timeout(1500)) for c in longest_first]
        metafunc.parametrize("chapter", marked, scope="session")


@pytest.fixture(scope="session")
def executed(chapter: Chapter, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The chapter's one run."""
    out = tmp_path_factory.mktemp(chapter.name)
    return course_run(chapter, out, "--edition", "solutions", "--strict", COURSE_STRICT="1")


@pytest.fixture(scope="session")
def main_road(chapter: Chapter, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The chapter run by its main road alone; skipped where it has no other, or where such a run has seen its code."""
    stored = json.loads(chapter.solutions.read_text("utf-8"))
    if not any("road" in cell["metadata"] for cell in stored["cells"]):
        pytest.skip("this chapter has no side roads")
    if chapter.number not in seen.asked_for("main_road"):
        pytest.skip("its code is the one that the last run of its main road has seen (data/results/main_road.json)")
    out = tmp_path_factory.mktemp(f"{chapter.name}-main")
    return course_run(chapter, out, "--edition", "solutions", "--strict", "--road", "main", COURSE_STRICT="1")
