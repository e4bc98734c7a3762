"""Outcomes: exit status, budget, and results.json."""

import dataclasses
import json
from types import SimpleNamespace

import pytest

from course_utils.errors import CourseError
from course_utils.running.outcome import (
    FORMAT,
    KINDS,
    MARKS,
    Outcome,
    exit_status,
    read_results,
    within_budget,
    write_results,
)

BUDGET = SimpleNamespace(memory_mib=100, seconds=10)


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        (["passed", "passed"], 0),
        (["passed", "not run"], 3),
        (["not run", "failed"], 1),
        (["over budget"], 1),
        (["failed", "interrupted"], 130),
    ],
)
def test_exit_status(verdicts, status):
    assert exit_status([Outcome("01_a", "A", verdict) for verdict in verdicts]) == status


def passed(**facts) -> Outcome:
    return Outcome("01_a", "A", "passed", **{"seconds": 99.0, "cpu_seconds": 9.0, "peak_mib": 99} | facts)


def test_waiting_is_not_work():
    assert within_budget(passed(), BUDGET, strict_time=True) == passed()


@pytest.mark.parametrize(("strict", "verdict", "kind"), [(False, "passed", ""), (True, "over budget", "time")])
def test_processor_seconds_are_held_against_the_budget(strict, verdict, kind):
    found = within_budget(passed(cpu_seconds=12.4), BUDGET, strict_time=strict)
    assert (found.verdict, found.kind) == (verdict, kind)
    assert "12 processor seconds" in found.reason and "10" in found.reason, "it is said in any case"


@pytest.mark.parametrize(
    ("backend", "peak", "verdict"),
    [
        (None, 101, "over budget"),
        ("tensorflow", 101, "over budget"),
        ("jax", 174, "passed"),
        ("jax", 176, "over budget"),
    ],
)
def test_another_backend_may_take_three_quarters_more_memory(monkeypatch, backend, peak, verdict):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    if backend:
        monkeypatch.setenv("KERAS_BACKEND", backend)
    found = within_budget(passed(peak_mib=peak), BUDGET)
    assert (found.verdict, found.kind) == (verdict, "memory" if verdict == "over budget" else "")
    assert f"{peak} MiB" in found.reason and "100 MiB" in found.reason, "and it is said in any case"


@pytest.mark.parametrize("facts", [{"profile": "full"}, {"verdict": "failed"}, {"verdict": "interrupted"}])
def test_only_a_quick_run_that_passed_has_a_budget(facts):
    much = dataclasses.replace(passed(peak_mib=1e6, cpu_seconds=1e6), **facts)
    assert within_budget(much, BUDGET, strict_time=True) == much


def test_results_come_back_as_they_were_written(tmp_path):
    error = {"cell_index": 1, "cell_id": "a", "first_line": "x", "ename": "E", "evalue": "数"}
    outcomes = [
        passed(notebook=tmp_path / "runs" / "01_a.ipynb", headline=["accuracy 0.9"], claims=[{"id": "c01"}]),
        *[Outcome("02_b", "B", verdict, kind=kind, error=error) for verdict in MARKS for kind in KINDS],
    ]
    path = tmp_path / "results.json"
    write_results(path, outcomes, {"profile": "quick"})
    found = read_results(path)
    assert found.outcomes == outcomes and found.request == {"profile": "quick"}
    written = json.loads(path.read_text("utf-8"))
    assert written["format"] == FORMAT and written["outcomes"][0]["notebook"] == "runs/01_a.ipynb"
    assert set(written["outcomes"][0]) == {field.name for field in dataclasses.fields(Outcome)}


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"format": 1, "outcomes": []}', '{"format": 2}', '{"format": 2, "outcomes": [{}]}'],
)
def test_another_file_is_no_results(tmp_path, content):
    path = tmp_path / "results.json"
    path.write_text(content)
    with pytest.raises(CourseError, match="course run"):
        read_results(path)
    path.unlink()
    with pytest.raises(CourseError, match=r"results\.json"):
        read_results(path)
