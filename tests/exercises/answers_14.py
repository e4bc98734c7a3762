"""Answers to the exercises of chapter 14, one module a field."""

import answers_14_finance as finance

RIGHT: dict = finance.RIGHT
WRONG: dict = finance.WRONG
