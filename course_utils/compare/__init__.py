"""Which model should we ship? Candidates compared on quality, size, speed and cost, on a learner's own messages.

``compare.run("tickets.csv", "text", "label")`` → a `Comparison`, with a report and the recommended model in a folder;
``compare.load_model(folder)`` reads that model. Nothing heavy is imported until one of them is called.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from course_utils.bundles import load_model
    from course_utils.compare.comparison import Comparison
    from course_utils.compare.running import run

_HOMES = {"run": "compare.running", "Comparison": "compare.comparison", "load_model": "bundles"}

__all__ = ["Comparison", "load_model", "run"]


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(importlib.import_module(f"course_utils.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'course_utils.compare' has no attribute {name!r}")
