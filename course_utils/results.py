"""What a quick run cannot measure, measured once and kept: ``data/results/NN.json``.

Figures that take a real data set and a quiet machine, and evidence that takes a network.
"""

import datetime

from course_utils.errors import CourseError


def load(chapter: str, *part: str, machine: bool = True) -> dict:
    """What was measured for a chapter: ``date``, ``machine``, ``made by`` and the figures themselves.

    A file may hold several records; ``part`` names one, key by key: ``load("09", "accuracy", "sst2")``. Evidence for
    which no machine matters has none: ``machine=False``. Raises CourseError where nothing is kept for the chapter or
    the file cannot be read.
    """
    import json

    from course_utils.paths import display, packaged

    path = packaged(f"results/{chapter}.json")
    try:
        record = json.loads(path.read_text("utf-8"))
        for key in part:
            record = record[key]
        datetime.date.fromisoformat(record["date"])
        record["made by"]
        if machine:
            record["machine"]["versions"]["keras"]
    except (ValueError, KeyError, TypeError) as error:
        raise CourseError(
            f"{display(path)} is not a file of measured results ({type(error).__name__}: {error}); expected JSON with "
            "date, machine and made by. Bring it back with git, or install the course again."
        ) from error
    return record


def described(record: dict) -> str:
    """One line that says when and on what a record was measured."""
    machine = record["machine"]
    versions = machine["versions"]
    backend = machine["backend"]
    return (
        f"Recorded on {record['date']}: {machine['cores']} cores, {machine['system']}, Python {machine['python']}, "
        f"Keras {versions['keras']} on {backend} {versions.get(backend, '')}".rstrip()
    )
