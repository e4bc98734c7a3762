"""The course as a test of a GPU: the full profile of five chapters, in mixed precision, comes out as on a CPU.

    .ci/run gpu

Each chapter on each backend that is installed and sees a GPU: TensorFlow in this environment, JAX in this one or in
that of COURSE_JAX_PYTHON. COURSE_DATA names the folder with the data sets, COURSE_GPU_TABLE a file for the records.
With COURSE_GPU_REHEARSAL=1 the same path is gone on a CPU with the quick profile, to try the harness: nothing is
compared, nothing kept.
"""

import functools
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from . import full_profile

REHEARSAL = os.environ.get("COURSE_GPU_REHEARSAL") == "1"
MIXED = "bfloat16 mixed precision"
# Prints a GPU's name as the backend gives it, or nothing.
ASK = {
    "tensorflow": "import tensorflow as tf\n"
    "for gpu in tf.config.list_physical_devices('GPU'):\n"
    "    print(tf.config.experimental.get_device_details(gpu).get('device_name', gpu.name))",
    "jax": "import jax\n"
    "for device in jax.devices():\n"
    "    if device.platform != 'cpu':\n"
    "        print(device.device_kind)",
}


@functools.cache
def interpreter(backend: str) -> str | None:
    """The Python that has this backend: for JAX, COURSE_JAX_PYTHON's before this one; None if there is none."""
    if backend == "jax" and full_profile.SURROUNDINGS.get("COURSE_JAX_PYTHON"):
        return full_profile.SURROUNDINGS["COURSE_JAX_PYTHON"]
    return sys.executable if importlib.util.find_spec(backend) else None


@functools.cache
def obstacle(backend: str) -> str:
    """Why no chapter can be run on a GPU with this backend; "" where one can."""
    python = interpreter(backend)
    if python is None:
        return f"{backend} is not installed here (for JAX, COURSE_JAX_PYTHON may name another environment's Python)"
    if REHEARSAL:
        return ""
    asked = subprocess.run([python, "-c", ASK[backend]], capture_output=True, text=True, env=full_profile.SURROUNDINGS)
    if asked.returncode:
        return f"{backend} does not start: {asked.stderr.strip().splitlines()[-1]}"
    return "" if asked.stdout.strip() else f"{backend} sees no GPU here"


@pytest.mark.gpu
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("chapter", full_profile.CHAPTERS)
@pytest.mark.parametrize("backend", list(ASK))
def test_a_chapter_comes_out_on_a_gpu_as_on_a_cpu(backend, chapter, tmp_path):
    if reason := obstacle(backend):
        pytest.skip(reason)
    profile = "quick" if REHEARSAL else "full"
    found = full_profile.run(chapter, backend, tmp_path, python=interpreter(backend), profile=profile)
    if found.verdict == "not run":
        pytest.skip(f"chapter {chapter}: {found.reason}")
    assert found.verdict == "passed", f"chapter {chapter} on {backend}: {found.verdict}: {found.reason}"
    assert found.record["machine"]["backend"] == backend
    headlines = full_profile.by_name(found.record)
    assert headlines, "a chapter's main result is its headline"
    if REHEARSAL:
        return
    if table := full_profile.SURROUNDINGS.get("COURSE_GPU_TABLE"):
        full_profile.keep(found, Path(table))
    assert found.gpu and found.precision == MIXED, f"it ran on {found.record['machine']['device']}, {found.precision}"
    on_cpu = full_profile.on_cpu(chapter)
    assert set(headlines) == set(on_cpu)
    for name, (headline,) in headlines.items():
        assert full_profile.agrees(headline, on_cpu[name]), f"{name}: GPU {headline}, CPU {on_cpu[name]}"
