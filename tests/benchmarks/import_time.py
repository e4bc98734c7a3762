"""How long ``import course_utils`` and ``course --help`` take, beside ``import numpy``: medians, taken in turn.

    python tests/benchmarks/import_time.py [--rounds 15]

The time is taken inside each of the fresh interpreters, around the statement alone: starting Python is not in it.
"""

import argparse
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMPORTS = {
    "course_utils": "import course_utils",
    "course_utils, with what a chapter's first cell takes from it": (
        "from course_utils import check, claims, data, evaluate, figures, setup, training"
    ),
    "course --help": (
        "import contextlib, io; from course_utils.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit): main(['--help'])\n"
    ),
    "numpy (the peer)": "import numpy",
}


def milliseconds(statement: str) -> float:
    """One fresh interpreter's time for an import."""
    program = f"from time import perf_counter as now; t = now(); {statement}\nprint((now() - t) * 1000)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds

    times: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for number in range(rounds + 1):
        for name, statement in IMPORTS.items():
            taken = milliseconds(statement)
            if number:  # the first round writes the compiled files and warms the disk's cache
                times[name].append(taken)

    print(f"import, ms ({rounds} fresh interpreters each, in turn)")
    print(f"{'':62}{'median':>8}{'least':>8}{'most':>8}")
    for name, taken in times.items():
        print(f"{name:62}{statistics.median(taken):8.1f}{min(taken):8.1f}{max(taken):8.1f}")
    ours, *_, peer = (statistics.median(taken) for taken in times.values())
    print(f"import course_utils takes {ours / peer:.2f} of import numpy")


if __name__ == "__main__":
    main()
