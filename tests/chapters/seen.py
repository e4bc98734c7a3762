"""Which code of a chapter a run has seen, so that a push runs anew only what has changed.

``data/results/jax.json`` is kept for the chapters on JAX, ``data/results/main_road.json`` for the main roads alone. A
push runs the chapters whose code is not the one kept there; the night runs all of them whatever is kept.

    python tests/chapters/seen.py jax|main_road [NUMBER …]

runs the tests of these chapters (without a number, of those not seen as they are now) and keeps what passed.
"""

import datetime
import functools
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from course_utils.authoring import sources
from course_utils.chapters import Chapter, chapters, select
from course_utils.paths import write_atomic

ROOT = Path(__file__).resolve().parents[2]
RUNS = {  # the file's name -> the test that keeps it, and the variable that says for which chapters
    "jax": ("test_the_solved_chapter_passes", "COURSE_JAX_CHAPTERS"),
    "main_road": ("test_its_main_road_alone_says_the_same", "COURSE_MAIN_ROADS"),
}
ALWAYS = {"jax": {"02", "05"}}  # whatever was seen: these need 64 bits


@functools.cache
def code(chapter: Chapter) -> str:
    """The hash of a chapter's code when this process first asked: what it runs afterwards, not what is edited then."""
    return sources.read(chapter).code_sha256()


def kept(run: str) -> dict[str, str]:
    """Chapter's number → the hash of the code that the last kept run has seen."""
    path = ROOT / "data" / "results" / f"{run}.json"
    return json.loads(path.read_text("utf-8"))["code"] if path.is_file() else {}


def asked_for(run: str) -> set[str]:
    """The chapters to run: those that the run's variable names ("02 05", or "all"), else what is not seen as it is."""
    if wanted := os.environ.get(RUNS[run][1], "").split():
        return {chapter.number for chapter in select([] if wanted == ["all"] else wanted)}  # refuses what is none
    seen = kept(run)
    unseen = {chapter.number for chapter in chapters() if seen.get(chapter.number) != code(chapter)}
    return ALWAYS.get(run, set()) | unseen


def passed(report: Path, test: str) -> set[str]:
    """Of a JUnit report the chapters' names for which the test passed: neither failed nor skipped."""
    names = set()
    for case in ElementTree.parse(report).iter("testcase"):
        if (found := re.fullmatch(rf"{test}\[(.+)\]", case.get("name", ""))) and not len(case):
            names.add(found[1])
    return names


def keep(run: str, names: set[str], machine: dict) -> None:
    """Write the file: the code of the chapters named, beside what was seen of the others."""
    now = {chapter.number: code(chapter) for chapter in chapters() if chapter.name in names}
    content = {
        "date": datetime.date.today().isoformat(),
        "machine": machine,
        "code": dict(sorted((kept(run) | now).items())),
    }
    path = ROOT / "data" / "results" / f"{run}.json"
    write_atomic(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    print(f"Kept in {path.name}: {', '.join(sorted(now)) or 'nothing'}.")


def main(run: str, numbers: list[str]) -> int:
    """Run the tests of these chapters, keep what passed; returns pytest's exit status."""
    test, variable = RUNS[run]
    wanted = [chapter.number for chapter in select(numbers)] if numbers else sorted(asked_for(run))
    for chapter in select(wanted):
        code(chapter)  # before it runs: what somebody edits meanwhile was not seen
    python = os.environ["COURSE_JAX_PYTHON"] if run == "jax" else sys.executable
    backend = {"KERAS_BACKEND": "jax"} if run == "jax" else {}
    asked = "import json; from course_utils.runtime import machine; print(json.dumps(machine()))"
    described = subprocess.run(
        [python, "-c", asked], env={**os.environ, **backend}, capture_output=True, text=True, check=True
    )
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        words = ["-ra", "-k", test, f"--junitxml={report}", str(ROOT / "tests" / "chapters")]
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", *words], env={**os.environ, variable: " ".join(wanted)}, cwd=ROOT
        )
        keep(run, passed(report, test), json.loads(described.stdout))
    return ran.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
