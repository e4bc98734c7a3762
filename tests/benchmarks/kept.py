"""What benchmarks keep in data/results/NN.json, each beside what is there."""

import datetime
import json

from apart import ROOT


def read(chapter: str) -> dict:
    """What is kept for a chapter; an empty one where nothing is."""
    place = ROOT / "data" / "results" / f"{chapter}.json"
    return json.loads(place.read_text("utf-8")) if place.is_file() else {}


def write(chapter: str, content: dict) -> None:
    """Replace the whole file of a chapter."""
    from course_utils.paths import write_atomic

    place = ROOT / "data" / "results" / f"{chapter}.json"
    write_atomic(place, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def head(made_by: str) -> dict:
    """How, when and on what: what each record begins with."""
    from course_utils import runtime

    return {"made by": made_by, "date": datetime.date.today().isoformat(), "machine": runtime.machine()}
