"""Keep which code a run on JAX has seen: ``python tests/chapters/keep_on_jax.py RESULTS``.

RESULTS is the results.json of ``KERAS_BACKEND=jax course run --edition solutions --strict``, in an environment without
TensorFlow. A push runs on JAX, besides chapters 02 and 05, what is not kept here (test_on_jax.py).
"""

import datetime
import json
import sys
from pathlib import Path

from course_utils.authoring import sources
from course_utils.chapters import chapters
from course_utils.paths import write_atomic

KEPT = Path(__file__).resolve().parents[2] / "data" / "results" / "jax.json"


def main(results: Path) -> None:
    """Write the file: the code of the chapters that passed, beside what earlier runs have seen of the others.

    The chapters whose code no run has seen are named; they run at every push.
    """
    run = json.loads(results.read_text("utf-8"))
    passed = {entry["chapter"] for entry in run["outcomes"] if entry["verdict"] == "passed"}
    now = {c.number: sources.read(c).code_sha256() for c in chapters()}
    code = json.loads(KEPT.read_text("utf-8"))["code"] if KEPT.is_file() else {}
    code = dict(sorted((code | {c.number: now[c.number] for c in chapters() if c.name in passed}).items()))
    kept = {"date": datetime.date.today().isoformat(), "machine": run.get("machine"), "code": code}
    write_atomic(KEPT, json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    unseen = [number for number in now if code.get(number) != now[number]]
    print(f"Kept: {', '.join(code)}." + (f" Not seen as they are now: {', '.join(unseen)}." if unseen else ""))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
