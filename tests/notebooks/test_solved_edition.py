"""The solved editions pass with strict exercises, without a network, within time and memory; the claims get verdicts.

One run proves all of it: every chapter once, in a network namespace that has nothing but loopback. What a chapter
declares that it needs is in the cache before, as it is for a learner: chapter 09 has an encoder to fetch.
"""

import json
import os
import shutil
import subprocess
import sys

import pytest

from course_utils import claims
from course_utils.chapters import chapters

CHAPTERS = chapters()
pytestmark = pytest.mark.timeout(3000)  # the first test waits for a run of every chapter


def offline() -> list[str] | None:
    """The words that run a command in a namespace with loopback only, or None where the system does not allow it."""
    if not (shutil.which("unshare") and shutil.which("ip")):
        return None
    words = ["unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "offline"]
    return words if subprocess.run([*words, "true"], capture_output=True).returncode == 0 else None


@pytest.fixture(scope="module")
def results(request, tmp_path_factory):
    # `pytest -k 07` asks for one chapter: the others need not run.
    asked = [item.callspec.params["chapter"] for item in request.session.items if hasattr(item, "callspec")
             and item.path == request.path and "chapter" in item.callspec.params]  # fmt: skip
    names = sorted({chapter.name for chapter in asked}) or [chapter.name for chapter in CHAPTERS]
    out = tmp_path_factory.mktemp("solved")
    environment = {**os.environ, "COURSE_CACHE": str(out / "cache"), "COURSE_STRICT": "1"}
    for name in ("COURSE_PROFILE", "COURSE_DATA", "KERAS_BACKEND"):
        environment.pop(name, None)
    for need in sorted({need for chapter in CHAPTERS if chapter.name in names for need in chapter.needs["quick"]}):
        fetching = [sys.executable, "-m", "course_utils", "data", "fetch", need]
        fetched = subprocess.run(fetching, env=environment, capture_output=True, text=True, timeout=900)
        assert fetched.returncode == 0, fetched.stderr[-2000:]
    words = offline()
    command = [sys.executable, "-m", "course_utils", "run", *names, "--edition", "solutions", "--strict"]
    run = subprocess.run(
        [*(words or []), *command, "--out", str(out)], env=environment, capture_output=True, text=True, timeout=2700
    )
    print(run.stdout[-4000:], run.stderr[-4000:])
    file = out / "results.json"
    assert file.exists(), f"course run left no results (status {run.returncode}): {run.stderr[-2000:]}"
    content = json.loads(file.read_text("utf-8"))
    return content | {"offline": words is not None, "ran": names, "out": out}


def outcome(results: dict, name: str) -> dict:
    return next(entry for entry in results["outcomes"] if entry["chapter"] == name)


def test_the_run_was_cut_off_from_the_network(results):
    if not results["offline"]:
        pytest.skip("this system allows no network namespace (unshare), so the run may have had a network")
    probe = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=2)"
    cut_off = subprocess.run([*offline(), sys.executable, "-c", probe], capture_output=True, text=True)
    assert "unreachable" in cut_off.stderr


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_the_solved_chapter_passes_within_its_budget(results, chapter):
    entry = outcome(results, chapter.name)
    assert entry["verdict"] == "passed", entry
    assert 0 < entry["peak_mib"] <= chapter.memory_mib
    # A busy machine is slower than the two quiet cores that the budget means; a runaway chapter is slower still.
    assert entry["seconds"] <= 3 * chapter.seconds


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_every_exercise_was_solved(results, chapter):
    from course_utils.exercises import identifiers

    notebook = (results["out"] / "runs" / f"{chapter.name}.ipynb").read_text("utf-8")
    solved = [identifier for identifier in identifiers(chapter.number) if f'check(\\"{identifier}\\"' in notebook]
    assert solved == identifiers(chapter.number)


def test_every_claim_of_a_finished_chapter_got_the_verdict_in_the_file(results):
    reached = {claim["id"]: claim["verdict"] for entry in results["outcomes"] for claim in entry["claims"]}
    finished = {chapter.number for chapter in CHAPTERS if chapter.name in results["ran"]}
    wanted = {
        row["id"]: row["expected"]
        for row in claims.rows().values()
        if row["chapter"] in finished and row.get("profile", "quick") == "quick"
    }
    assert reached == wanted


def test_the_report_stands_on_its_own(results):
    report = (results["out"] / "report.html").read_text("utf-8")
    assert all(chapter.title in report for chapter in CHAPTERS if chapter.name in results["ran"])
