"""Answers to the exercises of chapter 14, one module a field."""

import answers_14_recommendation

RIGHT: dict = {**answers_14_recommendation.RIGHT}
WRONG: dict = {**answers_14_recommendation.WRONG}
