"""What holds for every exercise of the course, whoever wrote it.

The right and wrong answers of each chapter stand in ``answers_NN.py``, written without the module under test:
``RIGHT`` gives, for each exercise, answers that must pass; ``WRONG`` gives (answer, name of the mistake, texts that the
learner is shown …).
"""

import importlib
import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.authoring import sources
from course_utils.chapters import select
from course_utils.exercises import check, exercises
from course_utils.exercises.judges import Function, Number

EXERCISES = {exercise.id: exercise for exercise in exercises()}
NUMBERS = [name for name, exercise in EXERCISES.items() if isinstance(exercise.judge, Number)]
FUNCTIONS = [name for name, exercise in EXERCISES.items() if isinstance(exercise.judge, Function)]
# A judge of its own (07-4 judges a measurement) is tested in its chapter's own file, wrong answers included.
OWN_JUDGES = {"07-4"}

CHAPTERS = sorted({name[:2] for name in EXERCISES})
TABLES = {chapter: importlib.import_module(f"answers_{chapter}") for chapter in CHAPTERS}
RIGHT = [(name, answer) for table in TABLES.values() for name, answers in table.RIGHT.items() for answer in answers]
WRONG = [(name, *wrong) for table in TABLES.values() for name, answers in table.WRONG.items() for wrong in answers]


def named(cases):
    """Ids such as "07-3 strict", numbered where two are the same."""
    names = [f"{name} {rest[1] if len(rest) > 1 else ''}".strip() for name, *rest in cases]
    return [f"{name} {names[:i].count(name) + 1}" if names.count(name) > 1 else name for i, name in enumerate(names)]


def test_only_the_named_exercises_have_a_judge_of_their_own():
    assert {*EXERCISES} - {*NUMBERS} - {*FUNCTIONS} == OWN_JUDGES


def test_every_exercise_is_tried_with_two_right_and_three_wrong_answers():
    """For a new exercise this is what CONTRIBUTING.md asks; the answers themselves are tried below."""
    rights, wrongs = [name for name, _ in RIGHT], [name for name, *_ in WRONG]
    assert {*rights, *wrongs} <= {*EXERCISES}
    assert [name for name in [*NUMBERS, *FUNCTIONS] if rights.count(name) < 2 or wrongs.count(name) < 3] == []


@pytest.mark.parametrize(("name", "answer"), RIGHT, ids=named(RIGHT))
def test_a_right_answer_passes_however_it_is_written(name, answer):
    verdict = EXERCISES[name].judge(answer)
    assert verdict, (verdict.message, verdict.rows)


@pytest.mark.parametrize("case", WRONG, ids=named(WRONG))
def test_a_wrong_answer_gets_the_hint_of_its_mistake(case):
    name, answer, mistake, *shown = case
    judge = EXERCISES[name].judge
    verdict = judge(answer)
    assert (verdict.state, verdict.mistake) == ("wrong", mistake)
    hints = {known.name: known.hint for known in judge.mistakes}
    if mistake in hints:
        assert verdict.hint == hints[mistake]
    for text in shown:
        assert text in f"{verdict.message} {verdict.hint}"


@pytest.mark.parametrize("name", [*NUMBERS, *FUNCTIONS])
def test_every_mistake_is_told_from_the_right_answer_and_from_every_other(name):
    assert EXERCISES[name].judge.problems() == []


@pytest.mark.parametrize("answer", [None, ...])
@pytest.mark.parametrize("name", EXERCISES)
def test_no_answer_is_not_attempted_and_prints_what_to_do(name, answer, capsys):
    assert check(name, answer).state == "not attempted"
    printed = " ".join(capsys.readouterr().out.split())
    assert " ".join(EXERCISES[name].prompt.split()) in printed


@pytest.fixture(scope="module")
def cells():
    """The source cell of every exercise."""
    found = {}
    for chapter in TABLES:
        for cell in sources.read(select([chapter])[0]).cells:
            if cell.exercise:
                found[cell.exercise] = cell
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_chapters_stub_is_not_attempted(name, cells):
    """The stub that the learner gets, with the names that the exercise asks for."""
    judge = EXERCISES[name].judge
    lines = cells[name].stub().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"def {judge.name}("))
    end = next(
        (i for i in range(start + 1, len(lines)) if lines[i] and not lines[i].startswith((" ", ")"))), len(lines)
    )
    namespace = {}
    exec("from __future__ import annotations\n" + "\n".join(lines[start:end]), namespace)
    stub = namespace[judge.name]
    assert [*inspect.signature(stub).parameters] == [*inspect.signature(judge.reference).parameters]
    assert judge(stub).state == "not attempted"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_chapters_solution_passes(name, chapter_functions):
    judge = EXERCISES[name].judge
    assert judge(chapter_functions(name[:2], judge.name, exercise=name)[judge.name])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_hint_holds_a_line_of_the_solution(name, cells):
    text = cells[name].source.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0]
    lines = [line.strip().removeprefix("return ") for line in text.splitlines()]
    for mistake in EXERCISES[name].judge.mistakes:
        assert [line for line in lines if len(line) >= 20 and line in mistake.hint] == []


def digits_of(number):
    """The first digits of a number, as many as would give it away."""
    return str(number) if isinstance(number, int) else repr(float(number))[:4]


@pytest.mark.parametrize("name", NUMBERS)
def test_neither_prompt_nor_hint_gives_the_number_away(name):
    judge = EXERCISES[name].judge
    for text in (EXERCISES[name].prompt, judge.otherwise, *(mistake.hint for mistake in judge.mistakes)):
        assert digits_of(judge.expected) not in text.replace(",", "").replace("_", "").replace(" ", "")


@pytest.mark.parametrize("name", NUMBERS)
@given(data=st.data())
def test_no_other_number_passes_and_none_is_answered_with_the_right_one(name, data):
    judge = EXERCISES[name].judge
    near = st.integers(int(judge.expected * 0.8) - 1, int(judge.expected * 1.3) + 1)
    answer = data.draw(st.one_of(st.integers(), st.floats(), near, st.floats(-3, 3)))
    if abs(answer - judge.expected) <= judge.tolerance:
        return
    verdict = judge(answer)
    assert verdict.state == "wrong"
    if digits_of(judge.expected) not in str(answer):  # the row that repeats the answer
        assert digits_of(judge.expected) not in (verdict.hint + verdict.message).replace(",", "").replace("_", "")
