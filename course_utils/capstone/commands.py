"""What to type at each step, with the numbers of the question; in capitals what is still open.

Every command is typed inside the capstone's folder; the names of what it writes stand here and nowhere else.
"""

import shlex
from typing import Any

from course_utils.capstone.question import FILE, Question

COMPARISON, MODEL = "comparison", "comparison/model"
BEFORE = "before"  # what is done without a model, as one that leaves every message to people
KEY, PUBLIC = "maker", "maker.pub"
TESTS, GATE, LOAD, VERSIONS, REPORT = "tests.toml", "gate.json", "load.json", "versions", "report.md"
LEAST_ANSWERS = 200  # of a load test: the p99 of fewer is little more than the slowest


def edit(name: str = FILE) -> str:
    """Write in a file."""
    return f"$EDITOR {name}"


def compare(asked: Question, *, fresh: bool = False) -> str:
    """Measure the candidates on the data, charged as the question says."""
    found = " ".join(f"--must-find {shlex.quote(f'{name}={share:g}')}" for name, share in asked.must_find.items())
    return _words(
        f"course compare {shlex.quote(asked.file)} {_columns(asked)}",
        f"--time {shlex.quote(asked.time)}" if asked.time else "",
        f"--out {COMPARISON} --minutes-by-hand {_given(asked.minutes_by_hand, 'MINUTES')}",
        f"--minutes-per-error {_given(asked.minutes_per_error, 'MINUTES')}",
        f"--messages-a-month {_given(asked.messages_a_month, 'MESSAGES')}",
        found or "--must-find CLASS=SHARE",
        "--fresh" if fresh else "",
    )


def sign(bundle: str = MODEL, *, new_key: bool = True) -> str:
    """Sign a bundle."""
    return _words(f"course sign {bundle} --key {KEY}", "--new-key" if new_key else "")


def check(asked: Question) -> str:
    """Put the model through the gate, with tests of one's own."""
    return _words(
        f"course check {MODEL} --data {shlex.quote(asked.file)} {_columns(asked)} --tests {TESTS}",
        f"--max-ms {_given(asked.p99_ms, 'MS')} --max-mib {_given(asked.memory_mib, 'MIB')} --json {GATE}",
    )


def serve(source: str = MODEL) -> str:
    """Serve the model, or the registry."""
    return f"course serve {source} --key {PUBLIC}"


def loadtest(asked: Question) -> str:
    """A load test at the stated rate, of answers enough for a p99."""
    seconds = "SECONDS" if asked.rate is None else f"{max(10, -(-1.3 * LEAST_ANSWERS // asked.rate)):g}"
    return _words(
        f"course loadtest http://127.0.0.1:8000 --rate {_given(asked.rate, 'RATE')} --seconds {seconds}",
        f"--bound-ms {_given(asked.p99_ms, 'MS')} --json {LOAD}",
    )


def add(bundle: str = MODEL) -> str:
    """Put a bundle into the registry."""
    return f"course registry {VERSIONS} add {bundle} --key {PUBLIC}"


def promote(version: str = "VERSION") -> str:
    """Have a version answer."""
    return f"course registry {VERSIONS} promote {version}"


def rollback() -> str:
    """Go back to the version before."""
    return f'course registry {VERSIONS} rollback --why "rehearsal"'


def _columns(asked: Question) -> str:
    return f"--text {shlex.quote(asked.text)} --label {shlex.quote(asked.label)}"


def _given(value: float | None, otherwise: Any) -> str:
    return otherwise if value is None else f"{value:.10g}"


def _words(*parts: str) -> str:
    return " ".join(filter(None, parts))
