"""Answers to the exercises of chapter 14, one module a field."""

from answers_14_language import RIGHT as RIGHT_LANGUAGE
from answers_14_language import WRONG as WRONG_LANGUAGE

RIGHT: dict = {**RIGHT_LANGUAGE}
WRONG: dict = {**WRONG_LANGUAGE}
