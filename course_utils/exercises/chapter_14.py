"""The exercises of chapter 14, Applications; one module a field."""

EXERCISES = ()
