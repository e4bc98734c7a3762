"""One job in a process of its own, which ends with everything below it when the job is done, late or given up."""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from course_utils.processes import Child, environment, python
from course_utils.runtime import TENSORFLOW_ENVIRONMENT

WORKER = "course_utils.compare.worker"


class Failed(Exception):
    """A job that was not done, and why, as a sentence."""


def run(
    job: dict[str, Any],
    *,
    limit: float,
    tell: Callable[[str, float | None], None] = lambda stage, share: None,
) -> dict[str, Any]:
    """Have a worker do the job (see `course_utils.compare.worker`) within ``limit`` seconds; returns what it found.

    ``tell(stage, share done)`` hears how far it is. Raises Failed where the worker failed, died or took too long.
    """
    defaults = {name: os.environ.get(name, value) for name, value in TENSORFLOW_ENVIRONMENT.items()}
    env = environment(**defaults, KERAS_BACKEND=backend())
    with (
        tempfile.TemporaryDirectory(prefix="course-compare-") as folder,
        Child(python(WORKER), folder=Path(folder), job=job, env=env, limit=limit) as child,
    ):
        for event in child.events():
            kind = event.pop("event")
            if kind == "progress":
                tell(event["stage"], event["share"])
            elif kind == "failed":
                raise Failed(event["reason"])
            elif kind == "done":
                return event
        raise Failed(child.how_it_ended())


def backend() -> str:
    """The Keras backend that the candidates use: this process's, as far as it has one."""
    if "keras" in sys.modules:
        import keras

        return keras.config.backend()
    return os.environ.get("KERAS_BACKEND") or "tensorflow"
