"""What an answer costs: bytes on the disk, milliseconds, memory of the process that answers."""

import dataclasses
from pathlib import Path

import numpy as np

from course_utils.compare import jobs, timing
from course_utils.language import say
from course_utils.serving.gate import answering
from course_utils.serving.gate.subject import IMAGES, ModelFailed, Subject
from course_utils.serving.gate.verdicts import Measured, quantile_ends

SINGLE = 1_000  # answers: from fewer than 635 nothing about the slowest in a hundred can be shown, with 30 comparisons
SECONDS = 10.0
LIMIT = 180.0  # seconds in which the process has loaded the bundle and answered


@dataclasses.dataclass(frozen=True)
class Size:
    """Megabytes of the bundle's folder as it lies there."""

    name: str = "size"

    def run(self, subject: Subject) -> Measured:
        """The size against the target."""
        what = say("on the disk")
        if subject.bundle is None:
            return Measured(self.name, what, limit=subject.target.max_mb, missing=_no_bundle())
        lies = sum(path.stat().st_size for path in subject.bundle.rglob("*") if path.is_file())
        return Measured(self.name, what, lies / 1e6, subject.target.max_mb, unit="MB")


@dataclasses.dataclass(frozen=True)
class Costs:
    """Milliseconds of the slowest in a hundred single answers after a warm-up, and the process's memory at its peak.

    With a bundle a process of its own loads and answers; without one this process answers, and has no memory to tell.
    """

    name: str = "latency"

    def run(self, subject: Subject) -> list[Measured]:
        """Both, against the target."""
        inputs, target = subject.inputs[:SINGLE], subject.target
        if subject.bundle is None:
            times, memory = timing.single_times(subject.model, inputs, SINGLE, SECONDS), None
        else:
            times, memory = apart(subject.bundle, inputs, subject.kind)
        values = np.array(times)
        what = say("p99 of single answers")
        slow = Measured(
            self.name,
            what,
            float(np.percentile(values, 99)),
            target.max_ms,
            unit="ms",
            n=len(values),
            ends=quantile_ends(values, 0.99),
        )
        middle = Measured(self.name, say("p50 of single answers"), float(np.median(values)), unit="ms")
        what = say("of the answering process at its peak")
        if memory is None:
            return [slow, middle, Measured("memory", what, limit=target.max_mib, missing=_no_bundle())]
        return [slow, middle, Measured("memory", what, memory, target.max_mib, unit="MiB")]


def apart(folder: Path, inputs: object, kind: str) -> tuple[list[float], float | None]:
    """(milliseconds of single answers, MiB at the peak) of a process that has loaded a bundle. Raises ModelFailed."""
    given = np.asarray(inputs).tolist() if kind == IMAGES else list(inputs)
    job = {"folder": str(Path(folder).resolve()), "kind": kind, "inputs": given, "least": SINGLE, "seconds": SECONDS}
    try:
        found = jobs.run(job, limit=LIMIT, worker=answering.__name__)
    except jobs.Failed as failed:
        raise ModelFailed(say("the answering process failed: {why}", why=str(failed))) from failed
    return found["times"], found["memory_mib"]


def _no_bundle() -> str:
    return say("a model in this process has none of its own; hand over the folder of its bundle.")
