"""A process that loads a bundle and answers single examples, as a service does, so that its memory is its own.

Started by `course_utils.serving.gate.costs`. Its job has ``folder``, ``kind``, ``inputs``, ``least`` and ``seconds``.
"""

import sys
import time
from pathlib import Path
from typing import Any

from course_utils.compare import jobs

WARM_UP = 40


def main() -> int:
    """Do the job; 0 where it was done, 1 where the last event says why not."""
    return jobs.work(lambda job, emit: {"times": _times(job)})


def _times(job: dict[str, Any]) -> list[float]:
    import numpy as np

    from course_utils import bundles

    model = bundles.load_model(Path(job["folder"]))
    inputs = np.array(job["inputs"], np.uint8) if job["kind"] == "images" else job["inputs"]
    return single_times(model, inputs, job["least"], job["seconds"])


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
