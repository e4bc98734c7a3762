"""The learner's edition as a file, before nbval: what a reader's ``pytest --nbval notebooks/07_mnist_cnn.ipynb`` does.

Every push proves the same from the chapter's one run (test_chapters.py); this is the second witness, at night.
"""

import os
import subprocess
import sys

import pytest

from course_utils.data.fetch import fetch

from .conftest import wanted_by_sections

pytestmark = pytest.mark.night


def test_nbval_passes(chapter, tmp_path):
    for need in [*chapter.needs["quick"], *wanted_by_sections(chapter)]:
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
        [*command, "-n", "0", "--color=no", str(chapter.learner)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
