"""``check``, the one call a learner makes, and ``preview``, which keeps nothing."""

import os
from dataclasses import replace
from typing import Any

from course_utils.exercises import progress, verdict_view
from course_utils.exercises.registry import find
from course_utils.exercises.verdicts import NOT_ATTEMPTED, Exercise, ExerciseNotAttempted, ExerciseWrong, Verdict


def strict() -> bool:
    """Whether ``COURSE_STRICT`` is set (to anything but nothing and "0")."""
    return os.environ.get("COURSE_STRICT", "") not in ("", "0")


def check(identifier: str, answer: Any = ...) -> Verdict:
    """Judge an answer, show the verdict, keep it in the progress file, and return it.

    Parameters: the exercise's id, such as ``"07-1"``, and the answer: a number, an array or a function, as the
    exercise asks. Raises CourseError for an unknown id; with ``COURSE_STRICT`` set also ExerciseWrong for an answer
    that is wrong and ExerciseNotAttempted for none.
    """
    exercise, verdict = _judge(identifier, answer)
    verdict_view.show(exercise, verdict)
    if verdict.state != NOT_ATTEMPTED:
        progress.record(exercise.id, right=bool(verdict), score=verdict.score)
    if strict() and not verdict:
        kind = ExerciseNotAttempted if verdict.state == NOT_ATTEMPTED else ExerciseWrong
        raise kind(verdict_view.plain(exercise, verdict))
    return verdict


def preview(identifier: str, answer: Any = ...) -> Verdict:
    """Show the verdict on an answer without keeping it and without raising: for a lesson about exercises."""
    exercise, verdict = _judge(identifier, answer)
    verdict_view.show(exercise, verdict)
    return verdict


def _judge(identifier: str, answer: Any) -> tuple[Exercise, Verdict]:
    exercise = find(identifier)
    verdict = Verdict(NOT_ATTEMPTED) if answer is None or answer is Ellipsis else exercise.judge(answer)
    return exercise, replace(verdict, exercise=exercise.id)
