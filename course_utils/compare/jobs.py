"""One job in a process of its own, which ends with everything below it when the job is done, late or given up."""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.processes import Child, begin, environment, python
from course_utils.runtime import TENSORFLOW_ENVIRONMENT, peak_mib

WORKER = "course_utils.compare.worker"


class Failed(Exception):
    """A job that was not done, and why, as a sentence."""


def run(
    job: dict[str, Any],
    *,
    limit: float,
    tell: Callable[[str, float | None], None] = lambda stage, share: None,
    worker: str = WORKER,
) -> dict[str, Any]:
    """Have a worker do the job within ``limit`` seconds; returns what it found, and its ``memory_mib``.

    ``worker`` is a module whose main program is `work`. ``tell(stage, share done)`` hears how far it is. Raises Failed
    where the worker failed, died or took too long.
    """
    defaults = {name: os.environ.get(name, value) for name, value in TENSORFLOW_ENVIRONMENT.items()}
    env = environment(**defaults, KERAS_BACKEND=backend())
    with (
        tempfile.TemporaryDirectory(prefix="course-compare-") as folder,
        Child(python(worker), folder=Path(folder), job=job, env=env, limit=limit) as child,
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


def work(do: Callable[[dict[str, Any], Callable[..., None]], dict[str, Any]]) -> int:
    """The worker's side of `run`: the job's facts are what ``do(job, emit)`` returns. 0, or 1 where it was not done."""
    emit, job = begin()
    try:
        facts = do(job, emit)
    except CourseError as error:
        emit("failed", reason=str(error))
        return 1
    except MemoryError:
        emit("failed", reason=say("The memory was not enough."))
        return 1
    except Exception as error:  # an event says it to the parent; the traceback stands in the log
        traceback.print_exc()
        emit("failed", reason=f"{type(error).__name__}: {str(error)[:300]}")
        return 1
    emit("done", memory_mib=peak_mib(), **facts)
    return 0


def backend() -> str:
    """The Keras backend that the candidates use: this process's, as far as it has one."""
    if "keras" in sys.modules:
        import keras

        return keras.config.backend()
    return os.environ.get("KERAS_BACKEND") or "tensorflow"
