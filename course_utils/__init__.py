"""Helpers of the course Large Models, Small Teams: plumbing only, never the lesson.

Importing this package loads no framework and sets no global state; what a chapter needs is imported
when it is first used.
"""

import importlib

__version__ = "0.1.0"

# name -> module that defines it; resolved on first use so that `import course_utils` stays cheap.
_NAMES = {
    "setup": "course_utils.runtime",
    "check": "course_utils.exercises",
    "CourseError": "course_utils.errors",
}
_MODULES = {
    "claims",
    "data",
    "doctor",
    "evaluate",
    "exercises",
    "explorers",
    "figures",
    "gradcheck",
    "results",
    "runtime",
    "strokes",
    "training",
    "weights",
}

__all__ = sorted([*_NAMES, *_MODULES, "__version__"])


def __getattr__(name: str):
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"course_utils.{name}")
    raise AttributeError(f"module 'course_utils' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
