"""Chapter 08 with ``language=zh``: its assertions hold on the Chinese tickets, or do not ask there.

The run needs no strict exercises (they have no language), and keeps to one chapter: half a minute of processor time.
"""

import json
import os
import subprocess
import sys


def test_the_chapter_runs_on_the_chinese_tickets(tmp_path):
    environment = {**os.environ, "COURSE_CACHE": str(tmp_path / "cache")}
    for name in ("COURSE_PROFILE", "COURSE_DATA", "KERAS_BACKEND", "COURSE_STRICT"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "course_utils", "run", "08", "--edition", "solutions", "-p", "language=zh"]
    run = subprocess.run(
        [*command, "--out", str(tmp_path)], env=environment, capture_output=True, text=True, timeout=600
    )
    results = json.loads((tmp_path / "results.json").read_text("utf-8"))
    (entry,) = results["outcomes"]
    assert entry["verdict"] == "passed", (entry, run.stderr[-2000:])
    assert results["request"]["parameters"] == {"language": "zh"}
    executed = (tmp_path / "runs" / "08_text_classifier.ipynb").read_text("utf-8")
    assert "发票" in executed, "the executed notebook shows Chinese tickets"
    assert {claim["id"]: claim["verdict"] for claim in entry["claims"]} == {
        "c10": "wrong", "c11": "holds with a condition", "c12": "wrong"
    }  # fmt: skip
