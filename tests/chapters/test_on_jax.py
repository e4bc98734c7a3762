"""The chapters on JAX, in an environment that has no TensorFlow at all."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from course_utils.authoring import sources
from course_utils.chapters import select

from .conftest import CHAPTERS, course_run

SEEN = Path(__file__).resolve().parents[2] / "data" / "results" / "jax.json"

PYTHON = os.environ.get("COURSE_JAX_PYTHON")
pytestmark = [
    pytest.mark.jax,
    pytest.mark.skipif(
        not PYTHON,
        reason="COURSE_JAX_PYTHON names no Python with JAX and without TensorFlow (README, Other backends)",
    ),
]


def run(*words: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [PYTHON, *words],
        env={**os.environ, "KERAS_BACKEND": "jax", **environment},
        capture_output=True,
        text=True,
        timeout=2400,
    )


def test_the_environment_has_no_tensorflow():
    found = run("-c", "import importlib.util as u; print([bool(u.find_spec(m)) for m in ('tensorflow', 'jax')])")
    assert found.stdout.strip() == "[False, True]", found.stderr


def test_setup_gives_real_64_bit_numbers():
    program = (
        "from course_utils import setup\n"
        "course = setup('03')\n"
        "import keras\n"
        "x = keras.ops.convert_to_tensor(1.0, dtype='float64') + 1e-12\n"
        "print(course.backend, str(x.dtype).removeprefix('<dtype: ').strip(), float(x) != 1.0)\n"
    )
    result = run("-c", program)
    assert result.stdout.splitlines()[-1] == "jax float64 True", result.stderr


def test_without_the_setting_the_missing_backend_is_named():
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    result = subprocess.run(
        [PYTHON, "-c", "from course_utils import setup; setup('03')"], env=environment, capture_output=True, text=True
    )
    assert "tensorflow is not installed here" in result.stderr
    assert "KERAS_BACKEND=jax" in result.stderr


def asked_for() -> set[str]:
    """The chapters to run on JAX: ``COURSE_JAX_CHAPTERS``, such as "02 05" or "all"; by default the two that need
    64 bits, and those whose code is not the one that the last full run on JAX (data/results/jax.json) has seen."""
    wanted = os.environ.get("COURSE_JAX_CHAPTERS", "").split()
    if wanted:
        return {chapter.number for chapter in select([] if wanted == ["all"] else wanted)}  # refuses what is none
    seen = json.loads(SEEN.read_text("utf-8"))["code"] if SEEN.is_file() else {}
    unseen = {c.number for c in CHAPTERS if seen.get(c.number) != sources.read(c).code_sha256()}
    return {"02", "05"} | unseen


def test_the_solved_chapter_passes(chapter, tmp_path):
    if chapter.number not in asked_for():
        pytest.skip("its code is the one that the last run on JAX has seen (data/results/jax.json)")
    run = course_run(chapter, tmp_path, "--edition", "solutions", "--strict", python=PYTHON, KERAS_BACKEND="jax")
    assert run.outcome["verdict"] == "passed", (run.outcome, run.printed)
