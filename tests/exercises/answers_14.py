"""Answers to the exercises of chapter 14, one module a field."""

RIGHT: dict = {}
WRONG: dict = {}
