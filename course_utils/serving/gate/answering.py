"""A process that loads a bundle and answers single examples, as a service does, so that its memory is its own.

Started by `course_utils.serving.gate.costs`. Its job has ``folder``, ``kind``, ``inputs``, ``least`` and ``seconds``.
"""

import sys
import time
import traceback
from typing import Any

from course_utils import processes
from course_utils.errors import CourseError

WARM_UP = 40


def main() -> int:
    """Do the job; 0 where it was done, 1 where the last event says why not."""
    emit, job = processes.begin()
    try:
        from pathlib import Path

        import numpy as np

        from course_utils import bundles
        from course_utils.compare.worker import peak_mib

        model = bundles.load_model(Path(job["folder"]))
        inputs = np.array(job["inputs"], np.uint8) if job["kind"] == "images" else job["inputs"]
        times = single_times(model, inputs, job["least"], job["seconds"])
        emit("done", times=times, memory_mib=peak_mib())
    except CourseError as error:
        emit("failed", reason=str(error))
        return 1
    except Exception as error:  # an event says it to the parent; the traceback stands in the log
        traceback.print_exc()
        emit("failed", reason=f"{type(error).__name__}: {str(error)[:300]}")
        return 1
    return 0


def single_times(model: Any, inputs: Any, least: int, seconds: float) -> list[float]:
    """Milliseconds of single answers after a warm-up: ``least`` of them, fewer where ``seconds`` are over first."""
    begun = time.perf_counter()
    for k in range(WARM_UP):
        model.predict_proba(inputs[k % len(inputs) :][:1])
        if time.perf_counter() - begun > seconds / 2:
            break
    times: list[float] = []
    begun = time.perf_counter()
    while len(times) < least:
        one = inputs[len(times) % len(inputs) :][:1]
        start = time.perf_counter()
        model.predict_proba(one)
        times.append(1000 * (time.perf_counter() - start))
        if time.perf_counter() - begun > seconds:
            break
    return times


if __name__ == "__main__":
    sys.exit(main())
