"""A chapter's full profile on one backend: what it ran on, what came out, and whether a GPU's result is the CPU's.

The results that are kept stand in data/results/gpu.json, those of a CPU to compare with and those of each GPU:

    course run 03 04 06 07 09 --profile full --edition solutions --strict --out build/full     # and with -p seed=1
    python tests/gpu/full_profile.py build/full     # into data/results/gpu.json, on a CPU and on a GPU alike

A GPU's records are also written by the tests beside this file, where COURSE_GPU_TABLE names the file.
"""

import dataclasses
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from course_utils import evaluate, results
from course_utils.runtime import MIME

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "data" / "results" / "gpu.json"
CHAPTERS = ("03", "04", "06", "07", "09")
# On how many examples a headline without an interval was measured: the new points of chapter 03's spirals, the digits
# of chapter 06's validation part.
EXAMPLES = {"03": 2_000, "06": 5_000}
MADE_BY = "course run {chapter} --profile full --edition solutions --strict"
# The caller's own surroundings: tests/conftest.py takes COURSE_CACHE away, and data sets would be fetched anew.
SURROUNDINGS = dict(os.environ)


@dataclasses.dataclass(frozen=True)
class Run:
    """What one run of one chapter left: its verdict with its reason, and the record that is kept of it."""

    chapter: str
    verdict: str
    reason: str
    gpu: bool
    precision: str
    record: dict


def command(chapter: str, out: Path, *, python: str = sys.executable, profile: str = "full") -> list[str]:
    """The arguments of a strict run of the solved edition that leaves results.json in ``out``."""
    options = ["--profile", profile, "--edition", "solutions", "--strict", "--out", str(out)]
    return [python, "-m", "course_utils", "run", chapter, *options]


def run(chapter: str, backend: str, out: Path, *, python: str = sys.executable, profile: str = "full") -> Run:
    """Run a chapter on ``backend`` with the interpreter ``python``, and read what came of it."""
    surroundings = SURROUNDINGS | {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        command(chapter, out, python=python, profile=profile),
        cwd=ROOT,
        env=surroundings,
        capture_output=True,
        text=True,
    )
    if not (out / "results.json").is_file():
        raise AssertionError(
            f"course run {chapter} ended with {ended.returncode} and no results: {ended.stderr[-2000:]}"
        )
    (found,) = read(out)
    return found


def read(out: Path) -> Iterator[Run]:
    """The runs that ``course run --out out`` left."""
    results = json.loads((out / "results.json").read_text("utf-8"))
    for outcome in results["outcomes"]:
        records = list(_records(out / outcome["notebook"])) if outcome["notebook"] else []
        chapter = outcome["chapter"][:2]
        setup = next((r for r in reversed(records) if r["kind"] == "setup" and r["backend"]), {})
        record = {
            "made by": MADE_BY.format(chapter=chapter),
            "date": results["date"][:10],
            "machine": results["machine"] | {"backend": setup.get("backend"), "device": setup.get("device")},
            "precision": setup.get("precision"),
            "seconds": outcome["seconds"],
            "peak_mib": outcome["peak_mib"],
            "seeds": {
                str(setup.get("seed")): [interval(r, EXAMPLES.get(chapter)) for r in records if r["kind"] == "headline"]
            },
        }
        reason = outcome["reason"] or json.dumps(outcome["error"])
        yield Run(chapter, outcome["verdict"], reason, setup.get("gpu", False), setup.get("precision", ""), record)


def _records(notebook: Path) -> Iterator[dict]:
    """What a run's notebook says to programs."""
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        for output in cell.get("outputs", ()):
            if MIME in output.get("data", {}):
                yield output["data"][MIME]


def interval(headline: Mapping, n: int | None) -> dict:
    """Name, value and the ends of the 95 % interval; for a share that comes without one, Wilson's on ``n`` examples."""
    low, high = headline.get("low"), headline.get("high")
    if low is None:
        right = headline["value"] * (n or math.nan)
        if not abs(right - round(right, 0)) < 0.01:
            raise ValueError(
                f"The headline {headline['name']!r} has no interval, and {headline['value']} is no share of {n}; "
                "say in EXAMPLES on how many examples it was measured."
            )
        _, low, high, _ = evaluate.share(round(right), n)
    return {"name": headline["name"], "value": headline["value"], "low": float(low), "high": float(high)}


def agrees(gpu: Mapping, cpu: Sequence[Mapping]) -> bool:
    """Whether a GPU's headline is the CPU's: its value lies between the ends of the CPU's intervals, of all seeds.

    The interval knows of other examples, the seeds of another course of the training.
    """
    return min(one["low"] for one in cpu) <= gpu["value"] <= max(one["high"] for one in cpu)


def by_name(record: Mapping) -> dict[str, list[dict]]:
    """A record's headlines, all seeds together."""
    found: dict[str, list[dict]] = {}
    for headlines in record["seeds"].values():
        for headline in headlines:
            found.setdefault(headline["name"], []).append(headline)
    return found


def on_cpu(chapter: str) -> dict[str, list[dict]]:
    """A chapter's headlines on a CPU, with their intervals: from the table, else what benchmarks kept of the same.

    Chapter 07's headline is the articles' program on MNIST's 10,000 test images; chapter 09's the encoder fine-tuned
    with 500 tickets, on the 400 of the test part.
    """
    if chapter in json.loads(TABLE.read_text("utf-8"))["cpu"]:
        return by_name(results.load("gpu", "cpu", chapter))
    if chapter == "07":
        name, values, n = "test accuracy", [one["accuracy"] for one in results.load("07")["test"]["article"]], 10_000
    elif chapter == "09":
        rows = results.load("09", "accuracy", "tickets")["rows"]
        name, n = "test accuracy, fine-tuned", 400
        values = [one["fine-tuned accuracy"] for one in rows if one["rows"] == 500]
    else:
        raise ValueError(f"No result of chapter {chapter} on a CPU is kept; run it and keep it (see above).")
    return {name: [interval({"name": name, "value": value}, n) for value in values]}


def keep(found: Run, table: Path = TABLE) -> None:
    """Put a passed run's record into the table, in the place of an older one; the headlines of other seeds stay.

    Raises ValueError for a run that did not pass.
    """
    if found.verdict != "passed":
        raise ValueError(f"Chapter {found.chapter}: {found.verdict} ({found.reason}); only what passed is kept.")
    kept = json.loads(table.read_text("utf-8")) if table.is_file() else {}
    machine = found.record["machine"]
    place = kept.setdefault("gpu" if found.gpu else "cpu", {})
    if found.gpu:
        place = place.setdefault(machine["device"], {}).setdefault(machine["backend"], {})
    older = place.get(found.chapter, {}).get("seeds", {})
    place[found.chapter] = found.record | {"seeds": older | found.record["seeds"]}
    table.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        for one in read(Path(folder)):
            keep(one)
