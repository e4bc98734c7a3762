"""The folder that `course capstone start` writes, whole or not at all, and what it tells to type."""

import re
import shlex
import tempfile

import pytest
import typer
from capstone_made import STATED, messages, state

from course_utils import cli
from course_utils.capstone import commands, question, rubric, starting, walk
from course_utils.capstone.work import DONE, MISSING
from course_utils.errors import CourseError


@pytest.fixture
def own(tmp_path):
    """A learner's own file, with a blank in its name."""
    path = tmp_path / "my mails.csv"
    rows = ["body,team", *(f"{text},{label}" for text, label in messages({"billing": 20, "bug": 20}))]
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


def test_the_tickets_are_written_and_every_step_is_open(tmp_path):
    folder = tmp_path / "new" / "capstone"
    names = starting.start(folder)
    assert sorted(names) == sorted(path.name + "/" * path.is_dir() for path in folder.iterdir())
    assert folder.joinpath("tickets.csv").read_text("utf-8").count("\nen-") == 1_000
    assert folder.joinpath("rubric.md").read_text("utf-8") == rubric.text()
    steps = list(walk.walk(folder))
    assert [step.state for step in steps] == [MISSING] * 7
    assert "decision, minutes_by_hand" in steps[0].found and "waits for step 1" in steps[2].found
    assert [path.name for path in folder.parent.iterdir()] == ["capstone"], "nothing else was left"


def test_what_is_open_is_stated_one_by_one(tmp_path):
    starting.start(tmp_path / "capstone")
    file = tmp_path / "capstone" / question.FILE
    for key, value in STATED.items():
        left = question.read(file.parent).open
        assert any(one.endswith(f".{key}") for one in left)
        state(file, **{key: value})
    asked = question.read(file.parent)
    assert not asked.open and asked.must_find == {"account": 0.8} and asked.messages_a_month == 1_000


def test_ones_own_data_are_copied_and_named_in_the_commands(tmp_path, own):
    (tmp_path / "empty").mkdir()
    starting.start(tmp_path / "empty", own, "body", "team")
    asked = question.read(tmp_path / "empty")
    assert asked.data.read_bytes() == own.read_bytes()
    assert (asked.file, asked.text, asked.label, asked.time) == ("my mails.csv", "body", "team", None)
    assert "course compare 'my mails.csv' --text body --label team" in commands.compare(asked)


def test_every_command_that_is_to_be_typed_is_one_of_the_courses(tmp_path, own):
    starting.start(tmp_path / "capstone", own, "body", "team")
    state(tmp_path / "capstone" / question.FILE, **STATED)
    lines = re.findall(r"^course .*", starting.readme(question.read(tmp_path / "capstone")), re.MULTILINE)
    assert len(lines) == 13
    for line in lines:
        assert not re.search(r"\b(?!VERSION)[A-Z]{4,}", line), f"a number of the question is lacking: {line}"
        command, arguments = typer.main.get_command(cli.app), shlex.split(line)[1:]
        context = None
        while hasattr(command, "commands"):
            context = command.make_context(command.name, arguments, parent=context)
            name, command, arguments = command.resolve_command(
                context, [*getattr(context, "_protected_args", ()), *context.args]
            )
        command.make_context(name, arguments, parent=context)  # raises for an option that there is not


def test_a_key_is_unfilled_in_capitals(tmp_path):
    written = starting.readme(question.Question(tmp_path))
    for word in ("MINUTES", "MESSAGES", "CLASS=SHARE", "MS", "MIB", "RATE", "SECONDS", "VERSION"):
        assert re.search(rf"[ =]{word}\b", written)


@pytest.mark.parametrize("kind", ["full", "file", "no data", "no column", "one class", "name taken"])
def test_what_cannot_be_meant_writes_nothing(tmp_path, own, kind):
    folder, data, text = tmp_path / "capstone", own, "body"
    if kind == "full":
        folder.mkdir()
        (folder / "mine.txt").write_text("mine")
    elif kind == "file":
        folder.write_text("mine")
    elif kind == "no data":
        data = tmp_path / "none.csv"
    elif kind == "no column":
        text = "bdy"
    elif kind == "one class":
        own.write_text("body,team\na b,bug\nc d,bug\n")
    else:
        data = own.rename(tmp_path / "report.md")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(CourseError) as refused:
        starting.start(folder, data, text, "team")
    words = {"full": "holds files", "file": "is a file", "no data": "none.csv", "no column": "body",
             "one class": "sorting messages needs two", "name taken": "rename them"}[kind]  # fmt: skip
    assert words in str(refused.value) and "\n" not in str(refused.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_disk_that_takes_nothing_is_one_sentence(tmp_path, monkeypatch):
    def read_only(*arguments, **more):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(tempfile, "mkdtemp", read_only)
    with pytest.raises(CourseError, match=r"cannot be written \(Read-only file system\)"):
        starting.start(tmp_path / "capstone")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_no_half_folder(tmp_path, monkeypatch):
    from pathlib import Path

    whole = Path.write_bytes

    def full(path, data):
        if path.name == "rubric.md":
            raise OSError(28, "No space left on device")
        return whole(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(CourseError, match="No space left"):
        starting.start(tmp_path / "capstone")
    assert not list(tmp_path.iterdir())


# ------------------------------------------------------------------------------------------------- the question's file


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("p99_ms", "p99_msec", "Did you mean p99_ms?"),
        ("[alarm]", "[alarms]", "Did you mean alarm?"),
        ('p99_ms = "?"', 'p99_ms = "fast"', "'fast'; expected: a number above 0"),
        ('p99_ms = "?"', f"p99_ms = 1{'0' * 400}", "expected: a number above 0"),
        ('p99_ms = "?"', "p99_ms = inf", "expected: a number above 0"),
        ('p99_ms = "?"', "p99_ms = nan", "expected: a number above 0"),
        ('rate = "?"', "rate = 0", "expected: a number above 0"),
        ('messages_a_month = "?"', "messages_a_month = 1.5", "a whole number of 1 or more"),
        ('must_find = "?"', 'must_find = "account"', "{ security = 0.95 }"),
        ('must_find = "?"', "must_find = { account = 1.5 }", "a share above 0, 1 at most"),
        ('false_alarms = "?"', "false_alarms = 3", "a share above 0, 1 at most"),
        ('file = "tickets.csv"', "file = 7", "file = 7; expected: some text"),
        ("[data]", "[data", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_meant_is_one_sentence(tmp_path, before, after, words):
    starting.start(tmp_path / "capstone")
    file = tmp_path / "capstone" / question.FILE
    written = file.read_text("utf-8")
    assert before in written
    file.write_text(written.replace(before, after, 1), "utf-8")
    with pytest.raises(CourseError) as refused:
        question.read(file.parent)
    assert words in str(refused.value) and question.FILE in str(refused.value)


def test_a_class_to_be_found_may_itself_be_open(tmp_path):
    starting.start(tmp_path / "capstone")
    state(tmp_path / "capstone" / question.FILE, must_find='{ bug = 0.9, account = "?" }')
    assert "question.must_find" in question.read(tmp_path / "capstone").open


def test_no_step_is_done_by_what_start_writes(tmp_path):
    starting.start(tmp_path / "capstone")
    assert all(step.state != DONE for step in walk.walk(tmp_path / "capstone"))


# ---------------------------------------------------------------------------------------------------------- the rubric


def test_each_criterion_of_the_rubric_tells_its_three_levels_apart():
    found = rubric.criteria()
    assert 9 <= len(found) <= 10 and len({one.name for one in found}) == len(found)
    for one in found:
        assert len(set(one.points)) == 3 and all(one.points) and one.question.endswith("?")
    assert rubric.text().count("\n## ") == len(found) and 2 * len(found) > rubric.ENOUGH
