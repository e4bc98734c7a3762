"""The chapters on JAX, in an environment that has no TensorFlow at all."""

import os
import subprocess

import pytest

from . import seen
from .conftest import course_run

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


def test_the_solved_chapter_passes(chapter, tmp_path):
    """On a push 02 and 05, which need 64 bits, and those whose code no kept run on JAX has seen (see `seen`)."""
    if chapter.number not in seen.asked_for("jax"):
        pytest.skip("its code is the one that the last run on JAX has seen (data/results/jax.json)")
    run = course_run(chapter, tmp_path, "--edition", "solutions", "--strict", python=PYTHON, KERAS_BACKEND="jax")
    assert run.outcome["verdict"] == "passed", (run.outcome, run.printed)
