"""The exercises of chapter 14, Applications; one module a field."""

from course_utils.exercises import (
    chapter_14_finance,
    chapter_14_language,
    chapter_14_recommendation,
    chapter_14_vision,
)

EXERCISES = (
    *chapter_14_recommendation.EXERCISES,
    *chapter_14_language.EXERCISES,
    *chapter_14_vision.EXERCISES,
    *chapter_14_finance.EXERCISES,
)
