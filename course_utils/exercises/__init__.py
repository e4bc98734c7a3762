"""Exercises and their checks: one module per chapter (``chapter_NN.py``), loaded when an answer is checked.

A learner needs ``check("07-1", answer)`` and nothing else. An author writes a module ``chapter_NN.py`` with a tuple
``EXERCISES`` of `Exercise`, each with a judge from `course_utils.exercises.judges`: about fifteen lines an exercise.
"""

from course_utils.exercises.checking import check, preview
from course_utils.exercises.registry import exercises, find, identifiers, register
from course_utils.exercises.verdicts import Exercise, ExerciseNotAttempted, ExerciseWrong, Verdict

__all__ = [
    "Exercise",
    "ExerciseNotAttempted",
    "ExerciseWrong",
    "Verdict",
    "check",
    "exercises",
    "find",
    "identifiers",
    "preview",
    "register",
]
