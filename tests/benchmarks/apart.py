"""One measurement in a process of its own, so that none warms up another."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from course_utils.runtime import TENSORFLOW_ENVIRONMENT

ROOT = Path(__file__).resolve().parents[2]


def last_line(program: str, words: Sequence[str], *, what: str, seconds: float) -> dict:
    """The JSON object that a program prints last; ``what`` names it where it fails, which ends the benchmark."""
    result = subprocess.run(
        [sys.executable, program, *words],
        capture_output=True,
        text=True,
        env={**TENSORFLOW_ENVIRONMENT, **os.environ, "PYTHONPATH": str(ROOT)},
        timeout=seconds,
    )
    if result.returncode:
        raise SystemExit(f"{what} failed:\n{result.stderr[-2000:]}")
    return json.loads(result.stdout.splitlines()[-1])
