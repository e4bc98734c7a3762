"""Answers to the exercises of chapter 14, one module a field."""

import answers_14_finance
import answers_14_language
import answers_14_recommendation
import answers_14_vision

RIGHT: dict = (
    answers_14_recommendation.RIGHT | answers_14_language.RIGHT | answers_14_vision.RIGHT | answers_14_finance.RIGHT
)
WRONG: dict = (
    answers_14_recommendation.WRONG | answers_14_language.WRONG | answers_14_vision.WRONG | answers_14_finance.WRONG
)
