"""Chapter 08 with ``language=zh``: its assertions hold on the Chinese tickets, or do not ask there.

The run needs no strict exercises (they have no language).
"""

import json

import pytest

from course_utils.chapters import select

from .conftest import course_run

pytestmark = pytest.mark.timeout(1500)


def test_the_chapter_runs_on_the_chinese_tickets(tmp_path):
    run = course_run(select(["08"])[0], tmp_path, "--edition", "solutions", "-p", "language=zh")
    assert run.outcome["verdict"] == "passed", (run.outcome, run.printed)
    assert run.request["parameters"] == {"language": "zh"}
    assert "发票" in json.dumps(run.notebook, ensure_ascii=False), "the executed notebook shows Chinese tickets"
    assert {claim["id"]: claim["verdict"] for claim in run.outcome["claims"]} == {
        "c10": "wrong", "c11": "holds with a condition", "c12": "holds with a condition"
    }  # fmt: skip
