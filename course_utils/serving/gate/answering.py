"""A process that loads a bundle and answers single examples, as a service does, so that its memory is its own.

Started by `course_utils.serving.gate.costs`. Its job has ``folder``, ``kind``, ``inputs``, ``least`` and ``seconds``.
"""

import sys
from pathlib import Path
from typing import Any

from course_utils.compare import jobs, timing


def main() -> int:
    """Do the job; 0 where it was done, 1 where the last event says why not."""
    return jobs.work(lambda job, emit: {"times": _times(job)})


def _times(job: dict[str, Any]) -> list[float]:
    import numpy as np

    from course_utils import bundles

    model = bundles.load_model(Path(job["folder"]))
    inputs = np.array(job["inputs"], np.uint8) if job["kind"] == "images" else job["inputs"]
    return timing.single_times(model, inputs, job["least"], job["seconds"])


if __name__ == "__main__":
    sys.exit(main())
