"""The chapters on JAX, in an environment that has no TensorFlow at all."""

import json
import os
import subprocess

import pytest

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


@pytest.mark.timeout(3000)  # every chapter in turn
def test_the_solved_chapters_pass(tmp_path):
    from course_utils.chapters import chapters

    words = ["-m", "course_utils", "run", "--edition", "solutions", "--strict", "--out", str(tmp_path)]
    result = run(*words, COURSE_CACHE=str(tmp_path / "cache"))
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    outcomes = json.loads((tmp_path / "results.json").read_text("utf-8"))["outcomes"]
    assert {entry["chapter"]: entry["verdict"] for entry in outcomes} == {c.name: "passed" for c in chapters()}
