"""The progress file: what is kept, what survives, what is exported."""

import csv
import errno
import json
import multiprocessing
import os

import pytest

from course_utils import CourseError, check
from course_utils.exercises import progress


def rows(path):
    return json.loads(path.read_text("utf-8"))["exercises"]


def test_right_answers_and_attempts_are_kept(own_progress):
    check("00-1", ...)
    assert not own_progress.exists()
    check("00-1", 7840)
    assert rows(own_progress)["00-1"] == {"state": "wrong", "attempts": 1, "first_right_at": None, "score": None}
    check("00-1", 7850)
    first = rows(own_progress)["00-1"]
    assert (first["state"], first["attempts"]) == ("right", 2)
    check("00-1", 7840)
    check("00-1", 7850)
    assert rows(own_progress)["00-1"] == first


def test_the_table_holds_every_exercise(own_progress):
    check("00-1", 7850)
    check("07-1", 1)
    table = progress.table().set_index("exercise")
    assert list(progress.table().columns) == list(progress.COLUMNS)
    assert table.loc["00-1", "state"] == "right"
    assert table.loc["00-1", "first right at"].startswith("20")
    assert table.loc["07-1", "state"] == "wrong"
    assert table.loc["07-3", "state"] == "not attempted"
    assert table.loc["07-3", "chapter"] == "07"
    assert table.loc["07-3", "first right at"] == ""


def test_without_a_file_the_table_says_not_attempted(own_progress):
    assert set(progress.table()["state"]) == {"not attempted"}
    assert not own_progress.exists()


def test_course_progress_names_another_file(tmp_path, monkeypatch, own_progress):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "deep" / "mine.json"))
    check("00-1", 7850)
    assert rows(tmp_path / "deep" / "mine.json")["00-1"]["state"] == "right"
    assert not own_progress.exists()


def test_a_score_is_kept_and_a_later_one_replaces_it(own_progress):
    progress.record("07-1", right=True, score="99.1 %")
    progress.record("07-1", right=True)
    assert rows(own_progress)["07-1"]["score"] == "99.1 %"
    progress.record("07-1", right=True, score="99.6 %")
    assert progress.table().set_index("exercise").loc["07-1", "score"] == "99.6 %"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[1, 2]",
        b'{"version": 1}',
        b'{"version": "1", "exercises": {}}',
        b"[" * 100_000,
        b"null",
    ],
)
def test_an_unreadable_file_is_kept_aside_with_a_message(own_progress, content, capsys):
    own_progress.parent.mkdir()
    own_progress.write_bytes(content)
    check("00-1", 7850)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "kept as" in said
    (kept,) = own_progress.parent.glob("progress.json.unreadable-*")
    assert kept.read_bytes() == content
    assert list(rows(own_progress)) == ["00-1"]


def test_a_second_unreadable_file_does_not_replace_the_first(own_progress):
    for content in (b"first", b"second", b"third"):
        own_progress.parent.mkdir(exist_ok=True)
        own_progress.write_bytes(content)
        check("00-1", 7850)
    kept = {path.read_bytes() for path in own_progress.parent.glob("*unreadable*")}
    assert kept == {b"first", b"second", b"third"}


GOOD = {"state": "right", "attempts": 1, "first_right_at": "2026-01-01T00:00:00+00:00", "score": None}


@pytest.mark.parametrize(
    "bad",
    [
        5,
        {},
        {**GOOD, "state": "maybe"},
        {**GOOD, "attempts": -1},
        {**GOOD, "attempts": True},
        {**GOOD, "first_right_at": "soon"},
        {**GOOD, "score": 5},
    ],
)
def test_the_whole_rows_of_a_damaged_file_are_saved(own_progress, bad, capsys):
    own_progress.parent.mkdir()
    own_progress.write_text(json.dumps({"version": 1, "exercises": {"00-2": GOOD, "07-1": bad}}))
    assert progress.table().set_index("exercise").loc["00-2", "state"] == "right"
    assert "damaged" in capsys.readouterr().err
    check("00-1", 7850)
    assert set(rows(own_progress)) == {"00-1", "00-2"}
    assert rows(own_progress)["00-2"] == GOOD


def test_exercises_that_left_the_course_stay_in_file_and_table(own_progress):
    own_progress.parent.mkdir()
    own_progress.write_text(json.dumps({"version": 1, "exercises": {"99-1": {**GOOD, "note": "kept"}}}))
    check("00-1", 7850)
    assert rows(own_progress)["99-1"]["note"] == "kept"
    assert "no longer in the course" in progress.table().set_index("exercise").loc["99-1", "title"]


def test_a_file_of_a_newer_version_is_left_alone(own_progress, capsys):
    own_progress.parent.mkdir()
    content = json.dumps({"version": 2, "new": True})
    own_progress.write_text(content)
    assert check("00-1", 7850)
    assert "newer version" in capsys.readouterr().err
    assert own_progress.read_text() == content
    with pytest.raises(CourseError, match="newer version"):
        progress.table()


def one_warning(capsys):
    said = capsys.readouterr().err
    assert said.startswith("course: your progress could not be recorded")
    assert said.count("\n") == 1
    return said


def test_a_cache_that_cannot_be_a_folder_does_not_break_the_lesson(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "file"))
    assert check("00-1", 7850)
    one_warning(capsys)


def test_a_folder_in_the_files_place_does_not_break_the_lesson(own_progress, capsys):
    own_progress.mkdir(parents=True)
    assert check("00-1", 7850)
    one_warning(capsys)
    with pytest.raises(CourseError, match="COURSE_PROGRESS"):
        progress.table()


def test_a_full_disk_leaves_the_old_file_whole(own_progress, monkeypatch, capsys):
    check("00-1", 7850)
    before = own_progress.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert check("07-1", 122_570)
    assert "No space left on device" in one_warning(capsys)
    assert own_progress.read_bytes() == before
    assert not list(own_progress.parent.glob("*.tmp"))


def test_a_lock_that_is_held_on_and_on_is_waited_for_and_then_named(own_progress, monkeypatch, capsys):
    monkeypatch.setattr(progress, "_LOCK_SECONDS", 0.1)
    with progress._locked(own_progress):
        assert check("00-1", 7850)
    assert "another kernel holds the file" in one_warning(capsys)
    assert check("00-1", 7850)
    assert rows(own_progress)["00-1"]["state"] == "right"


def test_a_link_is_followed_not_replaced(tmp_path, own_progress):
    own_progress.parent.mkdir()
    own_progress.symlink_to(tmp_path / "synchronised.json")
    check("00-1", 7850)
    assert own_progress.is_symlink()
    assert "00-1" in rows(tmp_path / "synchronised.json")


def write_many(start, count, barrier):
    barrier.wait(30)
    for number in range(start, start + count):
        assert progress.record(f"90-{number}", right=True)
        assert progress.record("91-1", right=False)


def test_kernels_that_write_at_once_lose_nothing(own_progress):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(3)
    writers = [context.Process(target=write_many, args=(1 + 15 * i, 15, barrier)) for i in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    kept = rows(own_progress)
    assert {f"90-{n}" for n in range(1, 46)} <= set(kept)
    assert kept["91-1"]["attempts"] == 45


@pytest.mark.parametrize(
    "score",
    [
        "=1+1",
        "+1",
        "|calc",
        "%1",
        "\ufeff=1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "  =1",
        "＝1",
        '=HYPERLINK("x")',
    ],
)
def test_the_csv_runs_no_formula(tmp_path, score):
    progress.record("07-1", right=True, score=score)
    target = progress.export_csv(tmp_path / "progress.csv")
    with target.open(encoding="utf-8", newline="") as file:
        exported = {row["exercise"]: row for row in csv.DictReader(file)}
    assert exported["07-1"]["score"] == "'" + score
    assert exported["00-1"]["state"] == "not attempted"


def test_the_csv_is_the_table(tmp_path):
    import pandas

    check("00-1", 7850)
    progress.record("07-1", right=True, score='99 %, "best"')
    exported = pandas.read_csv(progress.export_csv(tmp_path / "p.csv"), dtype={"chapter": str}, keep_default_na=False)
    pandas.testing.assert_frame_equal(exported, progress.table(), check_dtype=False)


def test_a_csv_that_cannot_be_written_is_a_clear_error(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(CourseError, match=r"could not be written to .*folder"):
        progress.export_csv(tmp_path / "folder")
