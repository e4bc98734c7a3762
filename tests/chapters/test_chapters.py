"""What is read from the one run of each chapter: it passes, says what it said, judges the claims, keeps its budget.

Before any exercise the two editions are the same (lint rule ``exercises-last``), so the run of the solved edition is
held against the outputs that learners see in theirs.
"""

import json
import os
import subprocess
import sys

import pytest

from course_utils import claims
from course_utils.authoring import agreement
from course_utils.authoring.output_rules import joined
from course_utils.exercises import identifiers
from course_utils.roads import main_cells

from .conftest import AUTHORS_ONLY, CHAPTERS, hide_from_python, offline


def test_it_passes_with_every_exercise_solved_and_without_a_network(executed):
    assert executed.outcome["verdict"] == "passed", (executed.outcome, executed.printed)
    text = json.dumps(executed.notebook)
    solved = [name for name in identifiers(executed.chapter.number) if f'check(\\"{name}\\"' in text]
    assert solved == identifiers(executed.chapter.number)
    if not executed.offline:
        pytest.skip("passed, but this system allows no network namespace (unshare): it may have had a network")


def test_it_says_what_the_stored_edition_says(executed):
    stored = json.loads(executed.chapter.learner.read_text("utf-8"))
    stored["cells"] = executed.comparable(stored["cells"])
    assert agreement.differences(executed.notebook, stored) == []
    if executed.without:
        pytest.skip(f"what ran says the same; left out, as they could not be had here: {', '.join(executed.without)}")


def test_it_keeps_its_budget(executed):
    outcome, chapter = executed.outcome, executed.chapter
    assert 0 < outcome["peak_mib"] <= chapter.memory_mib
    # Processor seconds: how many other programs run at the same time does not count.
    assert 0 < outcome["cpu_seconds"] <= chapter.seconds


def test_its_main_road_alone_says_the_same(main_road):
    """No side road leaves anything behind that the main road needs: not a name, not a result, not a drawn number.

    A second run of nearly everything: on a push only of what no kept run has seen as it is (see `seen`).
    """
    assert main_road.outcome["verdict"] == "passed", (main_road.outcome, main_road.printed)
    stored = json.loads(main_road.chapter.learner.read_text("utf-8"))
    cells = [{**cell, "source": joined(cell["source"])} for cell in stored["cells"]]
    kept = {cell["id"] for cell in main_cells(cells)}
    assert 0 < len(kept) < len(cells)
    stored["cells"] = [cell for cell in main_road.comparable(stored["cells"]) if cell["id"] in kept]
    assert [cell["id"] for cell in main_road.notebook["cells"]] == [cell["id"] for cell in stored["cells"]]
    assert agreement.differences(main_road.notebook, stored) == []


def test_its_claims_get_the_verdicts_in_the_file(executed):
    reached = {claim["id"]: claim["verdict"] for claim in executed.outcome["claims"]}
    wanted = {
        row["id"]: row["expected"]
        for row in claims.rows().values()
        if row["chapter"] == executed.chapter.number and row.get("profile", "quick") == "quick"
    }
    if executed.without:  # a section that could not run records nothing
        assert reached.items() <= wanted.items()
    else:
        assert reached == wanted


def test_its_report_stands_on_its_own(executed):
    report = (executed.folder / "report.html").read_text("utf-8")
    assert executed.chapter.title in report
    assert all(claim["id"] in report for claim in executed.outcome["claims"])


def test_a_learners_untouched_exercises_are_not_attempted(chapter):
    """No kernel is needed: a stub is the same code for each exercise, and its stored output is that of its verdict."""
    from course_utils.authoring import normalise
    from course_utils.authoring.output_rules import joined_output
    from course_utils.exercises import Verdict, find, verdict_view

    stored = json.loads(chapter.learner.read_text("utf-8"))
    stubs = [cell for cell in stored["cells"] if "exercise" in cell["metadata"]]
    assert sorted(cell["metadata"]["exercise"] for cell in stubs) == sorted(identifiers(chapter.number))
    for cell in stubs:
        name = cell["metadata"]["exercise"]
        compile("".join(cell["source"]), f"exercise {name}", "exec")
        shown = normalise.normalise_outputs([joined_output(output) for output in cell["outputs"]])
        assert [output.get("data", {}).get("text/plain") or output.get("text", "").strip() for output in shown] == [
            verdict_view.plain(find(name), Verdict("not attempted"))
        ], name


def test_every_chapter_is_asked(request):
    """Nothing above is skipped by a chapter that is not found."""
    assert {chapter.number for chapter in CHAPTERS} >= {"00", "07", "09"}


def test_the_namespace_has_no_way_out():
    """What "offline" means: loopback answers, an address beyond it is unreachable."""
    if not offline():
        pytest.skip("this system allows no network namespace (unshare)")
    probe = (
        "import socket\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "socket.create_connection(server.getsockname(), timeout=2)\n"
        "print('loopback answers')\n"
        "socket.create_connection(('192.0.2.1', 80), timeout=2)\n"
    )
    cut_off = subprocess.run([*offline(), sys.executable, "-c", probe], capture_output=True, text=True)
    assert "loopback answers" in cut_off.stdout
    assert "unreachable" in cut_off.stderr


def test_what_authors_install_is_hidden(tmp_path):
    """What "as a learner has it" means: the course imports, an author's tool does not."""
    surroundings = {**os.environ, "PYTHONPATH": hide_from_python(tmp_path / "hidden", AUTHORS_ONLY)}
    probe = (
        "import importlib, sys\n"
        "import course_utils\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n"
        "        importlib.import_module(name)\n"
        "    except ModuleNotFoundError:\n"
        "        continue\n"
        "    print(name)\n"
    )
    words = [sys.executable, "-c", probe, *AUTHORS_ONLY]
    seen = subprocess.run(words, env=surroundings, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert seen.stdout == ""
