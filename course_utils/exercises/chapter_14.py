"""The exercises of chapter 14, Applications; one module a field."""

from course_utils.exercises import chapter_14_language

EXERCISES = (*chapter_14_language.EXERCISES,)
