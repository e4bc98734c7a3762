"""Keep which code a full run on JAX has seen: ``python tests/chapters/keep_on_jax.py RESULTS``.

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
    """Write the file, for the chapters that passed; those that did not are named, and then run at every push."""
    run = json.loads(results.read_text("utf-8"))
    passed = {entry["chapter"] for entry in run["outcomes"] if entry["verdict"] == "passed"}
    code = {c.number: sources.read(c).code_sha256() for c in chapters() if c.name in passed}
    kept = {"date": datetime.date.today().isoformat(), "machine": run.get("machine"), "code": code}
    write_atomic(KEPT, json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    missing = [c.number for c in chapters() if c.name not in passed]
    print(f"Kept: {', '.join(code)}." + (f" Not passed: {', '.join(missing)}." if missing else ""))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
