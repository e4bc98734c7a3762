"""setup: what it refuses, what it chooses, what it says."""

import json
import os
import platform
import subprocess
import sys
import types

import numpy as np
import pytest

from course_utils import runtime
from course_utils.errors import CourseError


def prepared(**arguments):
    return runtime.setup("03", framework=False, **arguments)


@pytest.mark.parametrize("chapter", ["7", "007", "seven", "", "０７x"])
def test_a_chapter_is_two_digits(chapter):
    with pytest.raises(CourseError, match="two digits"):
        runtime.setup(chapter, framework=False)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "3", True, None])
def test_a_seed_is_a_whole_number_in_range(seed):
    with pytest.raises(CourseError, match="seed"):
        prepared(seed=seed)


def test_an_unknown_profile_names_its_source_and_the_near_miss(monkeypatch):
    with pytest.raises(CourseError, match=r"^profile must be .*'ful'.*Did you mean full\?"):
        prepared(profile="ful")
    monkeypatch.setenv("COURSE_PROFILE", "quik")
    with pytest.raises(CourseError, match=r"^COURSE_PROFILE must be .*Did you mean quick\?"):
        prepared()


@pytest.mark.parametrize("profile", ["ful", "x", "", None, 3, ["quick"]])
def test_every_part_of_the_course_refuses_a_wrong_profile_in_the_same_words(profile):
    from course_utils import compare
    from course_utils.exercises import contest
    from course_utils.running import request

    asked = [
        lambda: runtime.check_profile(profile),
        lambda: request.check_request([], profile=profile),
        lambda: compare.run("own.csv", "text", "label", profile=profile),
        lambda: contest.run(print, profile=profile),
    ]
    said = set()
    for ask in asked:
        with pytest.raises(CourseError) as caught:
            ask()
        said.add(str(caught.value))
    assert len(said) == 1 and said.pop().startswith(f"profile must be quick or full; it is {profile!r}.")


def test_the_argument_wins_over_the_environment(monkeypatch):
    assert prepared().profile == "quick"
    monkeypatch.setenv("COURSE_PROFILE", "full")
    assert prepared().profile == "full"
    assert prepared(profile="quick").profile == "quick"


def test_choose_follows_the_profile():
    assert prepared(profile="quick").choose(quick=1, full=2) == 1
    assert prepared(profile="full").choose(quick=1, full=2) == 2


def test_the_same_seed_gives_the_same_numbers():
    prepared(seed=5)
    first = np.random.random(3)  # noqa: NPY002
    prepared(seed=5)
    assert (np.random.random(3) == first).all()  # noqa: NPY002
    prepared(seed=6)
    assert (np.random.random(3) != first).any()  # noqa: NPY002


def test_without_a_framework_none_is_imported():
    program = (
        "import sys; from course_utils import setup; setup('02', framework=False); "
        "print([m for m in ('tensorflow', 'keras', 'jax', 'torch') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("backend", "message"),
    [("tensorflo", "Did you mean tensorflow"), ("torch", "not installed here")],
)
def test_a_backend_that_cannot_be_had_is_refused_before_keras_is_imported(backend, message):
    from importlib.util import find_spec

    if backend == "torch" and find_spec("torch"):
        pytest.skip("PyTorch is installed here, so it can be had")
    program = "from course_utils import setup; setup('02')"
    environment = {**os.environ, "KERAS_BACKEND": backend}
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert result.returncode == 1
    assert "CourseError" in result.stderr
    assert message in result.stderr


def test_headline_says_the_interval_and_carries_it(capsys):
    prepared().headline("test accuracy", 0.9136, 0.881, 0.938)
    assert "test accuracy 0.9136 (95 % CI 0.881 to 0.938)" in capsys.readouterr().out


def test_native_output_is_held_back_and_shown_on_failure(tmp_path):
    program = (
        "import os, sys\n"
        "from course_utils.runtime import quiet_native_output\n"
        "with quiet_native_output():\n"
        "    os.write(2, b'chatter')\n"
        "os.write(2, b'after.')\n"
        "with quiet_native_output():\n"
        "    os.write(2, b'the reason')\n"
        "    raise RuntimeError\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "chatter" not in result.stderr
    assert "after." in result.stderr
    assert "the reason" in result.stderr


def test_in_a_kernel_the_setup_line_carries_its_record():
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell, new_notebook

    cell = new_code_cell("from course_utils import setup\nsetup('02', framework=False, seed=3);")
    NotebookClient(new_notebook(cells=[cell]), kernel_name="python3", timeout=60).execute()
    data = cell.outputs[0]["data"]
    record = json.loads(json.dumps(data[runtime.MIME]))
    assert (record["kind"], record["chapter"], record["seed"]) == ("setup", "02", 3)
    assert data["text/plain"].startswith("chapter 02 · profile quick · seed 3 · ")


def test_a_framework_may_start_late_and_says_what_it_is(capsys):
    course = runtime.setup("02", framework=False, seed=3)
    assert course.backend is None and "Keras" not in capsys.readouterr().out
    started = course.start_framework()
    assert started.backend == "tensorflow" and started.seed == 3 and course.backend is None
    assert "Keras" in capsys.readouterr().out


@pytest.mark.skipif(platform.machine() != "x86_64", reason="TensorFlow has oneDNN's kernels in its builds for x86")
@pytest.mark.parametrize(("chosen", "on"), [(None, True), ("0", False)])
def test_tensorflow_computes_with_onednn_unless_somebody_chose_otherwise(chosen, on):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "KERAS_"))}
    environment |= {"TF_CPP_MIN_LOG_LEVEL": "0"} | ({"TF_ENABLE_ONEDNN_OPTS": chosen} if chosen else {})
    program = "from course_utils import runtime; runtime._start('tensorflow', 0)"  # setup would hold back what it logs
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    assert ("oneDNN custom operations are on" in result.stderr) == on


@pytest.mark.parametrize(("profile", "chosen", "threads"), [("quick", None, 1), ("full", None, 2), ("quick", "2", 2)])
def test_small_matrices_get_one_thread_unless_somebody_chose_otherwise(profile, chosen, threads):
    program = (
        "import sys, numpy, threadpoolctl\n"
        "from course_utils import setup\n"
        "if sys.argv[2:] == []: threadpoolctl.threadpool_limits(2, 'blas')\n"
        "setup('02', profile=sys.argv[1], framework=False)\n"
        "import scipy.linalg\n"  # its own library, loaded after setup
        "found = [one['num_threads'] for one in threadpoolctl.threadpool_info() if one['user_api'] == 'blas']\n"
        "print(found[:1] if sys.argv[1] == 'full' else sorted(set(found)))\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    environment |= {"OPENBLAS_NUM_THREADS": chosen} if chosen else {}
    words = [sys.executable, "-c", program, profile, *([chosen] if chosen else [])]
    result = subprocess.run(words, capture_output=True, text=True, env=environment)
    if result.stdout.splitlines()[-1:] == ["[]"]:
        pytest.skip("NumPy's linear algebra is not OpenBLAS here")
    assert result.stdout.splitlines()[-1] == f"[{threads}]", result.stderr


@pytest.mark.parametrize("error", [RuntimeError("no such backend"), AssertionError()])
def test_a_place_to_compute_that_jax_does_not_find_is_a_sentence(monkeypatch, error):
    def devices():
        raise error

    config = types.SimpleNamespace(update=lambda *_: None)
    monkeypatch.setitem(sys.modules, "jax", types.SimpleNamespace(config=config, devices=devices))
    monkeypatch.setenv("JAX_PLATFORMS", "cuda")
    with pytest.raises(CourseError, match=r"JAX_PLATFORMS is 'cuda'.*JAX_PLATFORMS, and start again"):
        runtime._start("jax", 0)


def test_memory_for_this_process_is_what_it_has_and_what_is_free(monkeypatch):
    monkeypatch.delenv("COURSE_MEMORY_MIB", raising=False)
    monkeypatch.setattr(runtime, "memory_limit", lambda: (0, 0))
    import psutil

    free, own = runtime.memory_for_process(), psutil.Process().memory_info().rss
    assert own < free <= psutil.virtual_memory().total + own


def test_a_containers_limit_counts(monkeypatch):
    monkeypatch.delenv("COURSE_MEMORY_MIB", raising=False)
    monkeypatch.setattr(runtime, "memory_limit", lambda: (2 * 2**30, 2 * 2**30 - 2**20))
    import psutil

    assert runtime.memory_for_process() <= psutil.Process().memory_info().rss + 2 * 2**20


def test_the_memory_can_be_said(monkeypatch):
    monkeypatch.setenv("COURSE_MEMORY_MIB", "2048")
    assert runtime.memory_for_process() == 2 * 2**30


@pytest.mark.parametrize("said", ["much", "-1", "0", "2.5"])
def test_a_memory_that_is_no_number_is_refused(monkeypatch, said):
    monkeypatch.setenv("COURSE_MEMORY_MIB", said)
    with pytest.raises(CourseError, match="COURSE_MEMORY_MIB must be a whole number"):
        runtime.memory_for_process()


def test_the_limit_of_a_container_is_read_in_both_versions(monkeypatch, tmp_path):
    files = {
        "/sys/fs/cgroup/memory.max": "max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes": "2147483648",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes": "1024",
    }

    class Place:
        def __init__(self, name):
            self.name = name

        def read_text(self):
            if self.name not in files:
                raise FileNotFoundError(self.name)
            return files[self.name] + "\n"

    monkeypatch.setattr(runtime, "Path", Place)
    assert runtime.memory_limit() == (2 * 2**30, 1024)
    files["/sys/fs/cgroup/memory.max"], files["/sys/fs/cgroup/memory.current"] = "1073741824", "5"
    assert runtime.memory_limit() == (2**30, 5)
    files.clear()
    assert runtime.memory_limit() == (0, 0)
