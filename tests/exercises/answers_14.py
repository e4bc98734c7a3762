"""Answers to the exercises of chapter 14, one module a field."""

import answers_14_vision as vision

RIGHT: dict = {**vision.RIGHT}
WRONG: dict = {**vision.WRONG}
