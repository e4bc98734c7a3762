"""The learner's edition, run again, says what it said: nbval, cell by cell.

Cells tagged nbval-ignore-output (timings, trained weights) must only run; their headline numbers are held by asserts
in the chapters themselves, each within the tolerance it states.
"""

import os
import subprocess
import sys

import pytest

from course_utils.chapters import chapters
from course_utils.data.fetch import fetch


@pytest.mark.timeout(1300)
@pytest.mark.parametrize("chapter", chapters(), ids=lambda chapter: chapter.name)
def test_learner_edition(chapter, tmp_path):
    for need in chapter.needs["quick"]:
        fetch(need, progress=False)
    environment = {
        **os.environ,
        "COURSE_PROFILE": "quick",
        "COURSE_PROGRESS": str(tmp_path / "progress.json"),
        "PLOTLY_RENDERER": "plotly_mimetype",
    }
    environment.pop("COURSE_STRICT", None)
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-cell-timeout=300", "-q", "-p", "no:cacheprovider"]
    result = subprocess.run(
        [*command, "-p", "no:xdist", "--color=no", str(chapter.learner)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
