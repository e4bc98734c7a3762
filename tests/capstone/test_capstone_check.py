"""`course capstone check` on a finished folder, as a reader types it."""

import hashlib
import json
from pathlib import Path

import psutil
import pytest


def tree(folder: Path) -> dict[str, str]:
    """Each file with the hash of its content and when it was last changed."""
    return {
        str(path.relative_to(folder)): f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_mtime_ns}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_finished_capstone_passes_and_nothing_of_it_is_changed_or_left_running(course, folder, monkeypatch):
    before, running = tree(folder), set(psutil.Process().children(recursive=True))
    monkeypatch.chdir(folder)  # the default is the folder one is in
    status, out, _ = course("capstone", "check", "--json")
    told = json.loads(out)
    assert [step["state"] for step in told["steps"]] == ["done"] * 7, told
    assert (status, told["passed"]) == (0, True)
    assert tree(folder) == before
    assert set(psutil.Process().children(recursive=True)) == running


def test_a_started_capstone_says_what_to_do_next(course, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, _ = course("capstone", "start")
    assert status == 0 and "Next: cd capstone, and read README.md" in out
    status, out, err = course("capstone", "check")  # the default: ./capstone
    assert (status, err) == (1, "")
    assert "1. The question, in numbers: missing" in out and "Type: $EDITOR capstone.toml" in out
    assert "typed in the folder: cd capstone" in out and out.endswith("7 steps are not done yet.\n")


def test_what_contradicts_is_told_with_what_mends_it(course, folder):
    (folder / "comparison" / "model" / "vocabulary.json").write_text("{}")
    (folder / "my messages.csv").write_text(
        (folder / "my messages.csv").read_text("utf-8").replace(",bug", ",billing", 1), "utf-8"
    )
    status, out, _ = course("capstone", "check", folder)
    assert status == 1 and "3. The comparison, on these data: contradicts" in out
    assert "my messages.csv has changed since the comparison" in out and "--fresh" in out
    assert "4. The model, whole and signed: missing\n   It waits for step 3.\n5." in out


@pytest.mark.parametrize("arguments", [["nowhere"], []])
def test_a_folder_that_is_no_capstone_is_one_sentence(course, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    status, out, err = course("capstone", "check", *arguments)
    assert (status, out) == (2, "") and err.count("\n") == 1
    assert err.startswith("course: ") and "no capstone" in err and "course capstone start FOLDER" in err


def test_what_no_step_foresaw_is_a_sentence_of_its_step(folder, monkeypatch):
    from course_utils.capstone import walk

    def broken(work):
        raise OSError("No space left on device")

    monkeypatch.setattr(walk, "STEPS", {number: ((), (broken,)) for number in walk.STEPS})
    assert {(step.state, step.found) for step in walk.walk(folder)} == {("contradicts", "No space left on device")}


def test_ctrl_c_ends_with_a_sentence(course, finished, monkeypatch):
    from course_utils.capstone import walk

    def interrupted(folder):
        raise KeyboardInterrupt

    monkeypatch.setattr(walk, "walk", interrupted)
    status, _, err = course("capstone", "check", finished)
    assert (status, err) == (130, "Stopped; nothing was changed.\n")


def test_the_rubric_is_printed(course, finished):
    status, out, _ = course("capstone", "rubric")
    assert status == 0 and out == (finished / "rubric.md").read_text("utf-8")
