"""Exercises as such: definition, registration, look-up, strictness; what holds for each of them is test_contract.py."""

import subprocess
import sys

import pytest

from course_utils import CourseError, check
from course_utils.exercises import (
    Exercise,
    ExerciseNotAttempted,
    ExerciseWrong,
    Verdict,
    find,
    identifiers,
    preview,
    register,
    registry,
)
from course_utils.exercises.judges import number


def make(**changes):
    fields = {"id": "98-1", "title": "A title", "kind": "recall", "minutes": 3, "prompt": "Do it.", "judge": number(5)}
    return Exercise(**{**fields, **changes})


@pytest.fixture
def empty_registry(monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})
    monkeypatch.setattr(registry, "_loaded", set())


@pytest.mark.parametrize("bad", ["7-1", "07-0", "07-01", "07_1", "07-1 ", "071", "", 7, None])
def test_a_malformed_id_is_refused(bad):
    with pytest.raises(CourseError, match="malformed: expected NN-K"):
        make(id=bad)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("kind", "hard", "recall, modify, extend"),
        ("minutes", 0, "whole number"),
        ("minutes", 2.5, "whole number"),
        ("minutes", True, "whole number"),
        ("title", " ", "no title"),
        ("prompt", "", "no prompt"),
        ("judge", 5, "no judge"),
    ],
)
def test_a_malformed_exercise_is_refused(field, value, said):
    with pytest.raises(CourseError, match=said):
        make(**{field: value})


def test_a_taken_id_is_refused_and_nothing_is_registered(empty_registry):
    register(make())
    with pytest.raises(CourseError, match=r"98-1 is registered twice \('A title' and 'Another'\)"):
        register(make(id="98-2"), make(title="Another"))
    assert "98-2" not in registry._registered
    assert registry._registered["98-1"].title == "A title"
    with pytest.raises(CourseError, match="registered twice"):
        register(make(id="98-3"), make(id="98-3"))


HEAD = """\
from course_utils.exercises.verdicts import Exercise
from course_utils.exercises.judges import number

"""
ONE = """\
    Exercise(
        "97-1", "One", "recall", 5, "Do it.", number(5)
    ),
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "x = 1\n", ":1: EXERCISES is missing; define EXERCISES = (Exercise(…),)."),
        (HEAD + "x = 1\n\nEXERCISE = (\n" + ONE + ")\n", ":6: EXERCISES is missing (EXERCISE is another name); define"),
        (HEAD + "exercises: tuple = ()\n", ":4: EXERCISES is missing (exercises is another name); define"),
        (
            HEAD + 'EXERCISES = (Exercise("97-1", "One", "recall", 5, "Do it.", number(5)))\n',
            ":4: EXERCISES is no tuple",
        ),
        (HEAD + "EXERCISES = (1,)\n", ":4: EXERCISES is no tuple of exercises; define EXERCISES = (Exercise(…),)."),
        (HEAD + "EXERCISES = (\n", ":4: '(' was never closed: EXERCISES = (. Mend the line."),
        (HEAD + "EXERCISES = (\n" + ONE.replace("5,", "0,") + ")\n", ":5: Exercise 97-1 has minutes 0"),
        (
            HEAD + "EXERCISES = (\n" + ONE + ONE.replace("One", "Two") + ")\n",
            ": Exercise id 97-1 is registered twice ('One' and 'Two')",
        ),
    ],
)
def test_a_module_that_cannot_be_used_is_named_by_file_and_line(empty_registry, monkeypatch, tmp_path, text, said):
    import course_utils.exercises as package

    (tmp_path / "chapter_97.py").write_text(text, "utf-8")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "course_utils.exercises.chapter_97", raising=False)
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        with pytest.raises(CourseError) as caught:
            find("97-1")
        assert str(caught.value).startswith("chapter_97.py" + said)
    assert registry._registered == {}
    sys.modules.pop("course_utils.exercises.chapter_97", None)
    vars(package).pop("chapter_97", None)


def test_an_exercise_in_another_chapters_module_is_refused(empty_registry, monkeypatch):
    from course_utils.exercises import chapter_00

    monkeypatch.setattr(chapter_00, "EXERCISES", (make(),))
    with pytest.raises(CourseError, match=r"98-1 stands in chapter_00\.py"):
        find("00-1")


@pytest.mark.parametrize(
    ("unknown", "said"),
    [
        ("07-9", "Did you mean 07-"),
        ("7-2", "Did you mean 07-2?"),
        ("00_2", "Did you mean 00-2?"),
        ("42-1", "exercise '42-1'"),
        ("x", "Known: 00-1"),
    ],
)
def test_an_unknown_id_names_the_near_misses(unknown, said):
    with pytest.raises(CourseError, match="There is no exercise") as caught:
        check(unknown, 5)
    assert said in str(caught.value)


def test_an_id_that_is_no_text_says_how_to_call():
    with pytest.raises(CourseError, match="the id first, then your answer"):
        check(7850, "00-1")


def test_only_the_chapter_asked_for_is_imported():
    code = (
        "import sys; from course_utils import check; check('00-1', 7840);"
        "loaded = [m for m in sys.modules if m.startswith('course_utils.exercises.chapter_')];"
        "assert loaded == ['course_utils.exercises.chapter_00'], loaded;"
        "heavy = {'tensorflow', 'keras', 'pandas', 'plotly', 'IPython', 'jax', 'torch'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_the_exercises_of_the_first_chapters_are_there_in_order():
    assert identifiers("00") == ["00-1", "00-2"]
    assert identifiers("07")[:3] == ["07-1", "07-2", "07-3"]
    assert identifiers() == sorted(identifiers(), key=lambda i: (i[:2], int(i[3:])))
    assert identifiers("42") == []


def test_the_answer_may_be_left_out():
    assert check("00-1").state == "not attempted"


@pytest.mark.parametrize("value", ["", "0"])
def test_a_wrong_answer_does_not_raise_unless_strict(value, monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", value)
    assert check("00-1", 7840).state == "wrong"
    assert check("00-1", ...).state == "not attempted"


def test_strictness_raises_with_the_whole_verdict(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(ExerciseWrong, match="weights alone"):
        check("00-1", 7840)
    with pytest.raises(ExerciseNotAttempted, match="not attempted yet"):
        check("00-1", ...)
    assert issubclass(ExerciseWrong, CourseError)
    assert check("00-1", 7850)
    assert capsys.readouterr().out.count("Exercise 00-1") == 3


def test_a_preview_shows_and_neither_keeps_nor_raises(monkeypatch, capsys, own_progress):
    monkeypatch.setenv("COURSE_STRICT", "1")
    assert [preview("00-1", answer).state for answer in (..., 7840, 7850)] == ["not attempted", "wrong", "right"]
    assert capsys.readouterr().out.count("Exercise 00-1") == 3
    assert not own_progress.exists()


def test_a_verdict_is_quiet_and_true_when_right():
    assert bool(Verdict("right")) is True
    assert bool(Verdict("wrong")) is bool(Verdict("not attempted")) is False
    assert repr(check("00-1", 7850)) == "<exercise 00-1: right>"


def test_keyboard_interrupt_in_the_answer_is_let_through_and_nothing_is_recorded(own_progress):
    def accuracy(labels, predictions):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check("00-2", accuracy)
    assert not own_progress.exists()
