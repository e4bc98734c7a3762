"""The doctor, on machines that this one is not: facts are made up, judgements are checked."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils import doctor, paths
from course_utils.doctor import Facts, facts, judge
from course_utils.surroundings import KerasFile

GIB = 2**30
HEALTHY = Facts(
    python=(3, 12, 1),
    requires_python=">=3.11,<3.14",
    environment="venv",
    installed_course="0.1.0",
    requirements=("keras>=3.13", "plotly>=5.24", "papermill>=2.6", 'kaleido>=1.0; extra == "test"'),
    pins={"keras": "3.15.1", "plotly": "7.1.0", "papermill": "2.7.0", "numpy": "2.4.6"},
    versions={"keras": "3.15.1", "plotly": "7.1.0", "papermill": "2.7.0", "numpy": "2.4.6", "unrelated": "1"},
    memory=8 * GIB,
    available=4 * GIB,
    cache=Path("cache"),
    disk=50 * GIB,
    processor="A processor",
    cores=2,
    kernel=sys.executable,
)


def rows(**changes) -> dict[str, doctor.Row]:
    """The rows by subject of a healthy machine with these changes; where a subject has two, the worse one."""
    rank = {"ok": 0, "notice": 1, "problem": 2}
    found = judge(dataclasses.replace(HEALTHY, **changes)).rows
    return {row.subject: row for row in sorted(found, key=lambda row: rank[row.state])}


@pytest.mark.parametrize("width", [50, 60, 80])
def test_the_report_fits_a_terminal_and_leaves_a_command_whole_where_it_can(width):
    changes = {"environment": "", "installed_course": None, "disk": 2**20, "backend": "jaxx"}
    found = judge(dataclasses.replace(HEALTHY, **changes))
    lines = found.text(width).split("\n")
    assert max(map(len, lines)) <= width
    assert " ".join(" ".join(lines).split()) == " ".join(str(found).split())
    mends = [row.mend for row in found.rows if row.mend]
    assert len(mends) >= 4
    for mend in mends:
        assert any(line.strip() == f"→ {mend}" for line in lines) == (len(mend) + 4 <= width)


def test_a_healthy_machine_is_ready():
    found = judge(HEALTHY)
    assert not found.problems
    assert not found.notices
    assert found.verdict == "Ready."
    assert {row.subject for row in found.rows} >= {
        "Python", "Environment", "Packages", "Keras backend", "Jupyter kernel", "Memory", "Disk", "Processor",
        "Accelerator", "Profile", "Cache", "Data folder", "Chromium",
    }  # fmt: skip


CASES = {
    "old Python": ({"python": (3, 10, 9)}, "Python", "problem", "3.10.9"),
    "too new a Python": ({"python": (3, 14, 0)}, "Python", "problem", "3.14.0"),
    "no virtual environment": ({"environment": ""}, "Environment", "notice", "none"),
    "not installed": ({"installed_course": None}, "Course", "notice", "not installed"),
    "a package missing": ({"versions": {"keras": "3.15.1"}}, "Packages", "problem", "plotly, papermill"),
    "a package too old": (
        {"versions": {**HEALTHY.versions, "keras": "3.3.0"}}, "Packages", "problem", "keras 3.3.0 (needs >=3.13)",
    ),
    "another version": (
        {"versions": {**HEALTHY.versions, "keras": "3.13.2"}}, "Versions", "notice", "keras 3.13.2 (tested: 3.15.1)",
    ),
    "an unknown backend": ({"backend": "tensorflwo"}, "Keras backend", "problem", "Did you mean tensorflow?"),
    "a backend that is missing": (
        {"backend": "jax", "backend_installed": False}, "Keras backend", "problem", "jax, which is not installed",
    ),
    "a backend without a promise": ({"backend": "torch"}, "Keras backend", "notice", "not tested"),
    "no kernel": ({"kernel": ""}, "Jupyter kernel", "problem", "no kernel named python3"),
    "another Python's kernel": (
        {"kernel": "/usr/bin/python3", "kernel_is_this": False}, "Jupyter kernel", "problem", "/usr/bin/python3",
    ),
    "little memory": ({"memory": GIB, "available": GIB // 2}, "Memory", "problem", "1.0 GiB"),
    "memory in use": ({"available": GIB}, "Memory", "notice", "close other programs"),
    "an Intel Mac": ({"system": "Darwin", "machine": "x86_64"}, "System", "problem", "Intel"),
    "Windows": ({"system": "Windows", "machine": "AMD64"}, "System", "notice", "WSL"),
    "another Keras": (
        {"keras_file": KerasFile(Path("k/keras.json"), "", {"image_data_format": "channels_first"})},
        "Keras settings", "notice", "image_data_format = channels_first",
    ),
    "a Keras that does not start": (
        {"keras_file": KerasFile(Path("k/keras.json"), "it sets floatx to 7", {})},
        "Keras settings", "problem", "it sets floatx to 7",
    ),
    "training cut short": ({"variables": {"KERAS_MAX_EPOCHS": "1"}}, "Environment", "notice", "KERAS_MAX_EPOCHS"),
    "a home that cannot be written": ({"jupyter_obstacle": "~ is a file"}, "Home folder", "notice", "~ is a file"),
    "neither home nor cache": (
        {"jupyter_obstacle": "~ is a file", "cache_obstacle": "~ is a file", "disk": 0, "cache_remedy": "set it"},
        "Cache", "problem", "~ is a file",
    ),
    "a small disk": ({"disk": GIB // 2}, "Disk", "notice", "0.5 GiB"),
    "a full disk": ({"disk": 1000}, "Disk", "problem", "0.0 GiB"),
    "one core": ({"cores": 1}, "Processor", "notice", "1 core;"),
    "no AVX": ({"lacks_avx": True}, "Processor", "problem", "AVX"),
    "a GPU out of reach": ({"accelerators": ("H100",)}, "Accelerator", "notice", "CUDA"),
    "an unknown profile": ({"profile": "fulll"}, "Profile", "problem", "Did you mean full?"),
    "a cache that is a file": (
        {"cache_obstacle": "it is a file", "cache_remedy": "set it"}, "Cache", "problem", "it is a file",
    ),
    "no such data folder": ({"data": "/nowhere"}, "Data folder", "problem", "/nowhere"),
    "no Chromium for an author": ({"chromium_wanted": True}, "Chromium", "notice", "course build"),
    "Keras that fails": ({"framework_error": "Keras does not start: x"}, "Keras starts", "problem", "x"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_named(case):
    changes, subject, state, words = CASES[case]
    row = rows(**changes)[subject]
    assert row.state == state
    assert words in row.finding
    others = {other.state for name, other in rows(**changes).items() if name != subject}
    assert others == {"ok"}, "one fault shows in one place"


@pytest.mark.parametrize(
    "case",
    ["a package missing", "a backend that is missing", "an unknown backend", "no kernel", "another Python's kernel",
     "a full disk", "no AVX", "an unknown profile", "a cache that is a file", "no such data folder", "not installed",
     "no virtual environment", "no Chromium for an author", "a GPU out of reach", "old Python", "another Keras",
     "a Keras that does not start", "training cut short", "neither home nor cache"],
)  # fmt: skip
def test_what_can_be_mended_by_a_command_names_one(case):
    changes, subject, _, _ = CASES[case]
    mend = rows(**changes)[subject].mend
    assert mend
    assert "\n" not in mend
    assert "→ " + mend in str(judge(dataclasses.replace(HEALTHY, **changes)))


def test_things_that_are_fine():
    assert rows(backend="jax", lacks_avx=True)["Processor"].state == "ok"  # AVX is TensorFlow's need
    assert rows(accelerators=("H100",), cuda_libraries=True)["Accelerator"].state == "ok"
    assert rows(accelerators=("H100",), backend="jax")["Accelerator"].state == "ok"
    assert rows(data="here", data_is_folder=True)["Data folder"].state == "ok"
    assert rows(chromium="/usr/bin/chromium")["Chromium"].finding.startswith("/usr/bin/chromium")
    assert rows(profile="full")["Profile"].finding == "full"
    assert rows(framework="Keras 3")["Keras starts"].state == "ok"


def test_on_colab_other_versions_are_a_notice_and_nothing_there_is_upgraded():
    versions = {
        "keras": "3.13.2",
        "plotly": "5.24.1",
        "numpy": "2.1.0",
    }  # and no papermill, which only course run needs
    found = judge(dataclasses.replace(HEALTHY, environment="colab", versions=versions))
    assert not found.problems
    (notice,) = found.notices
    assert "keras 3.13.2 (tested: 3.15.1)" in notice.finding
    assert notice.mend == ""


def test_another_backend_needs_no_tensorflow():
    requirements = (*HEALTHY.requirements, "tensorflow>=2.20", "keras-nlp>=0.26")
    without = dataclasses.replace(HEALTHY, requirements=requirements, backend="jax")
    assert judge(without).verdict == "Ready."
    chosen = dataclasses.replace(without, backend="tensorflow", backend_installed=False)
    assert {row.subject for row in judge(chosen).problems} == {"Packages", "Keras backend"}
    (row,) = judge(dataclasses.replace(chosen, other_backends=("jax",))).problems
    assert (row.subject, row.mend) == ("Keras backend", paths.set_variable("KERAS_BACKEND", "jax"))


def test_on_colab_a_missing_package_is_mended_alone():
    versions = {"keras": "3.3.0", "numpy": "2.4.6"}
    found = judge(dataclasses.replace(HEALTHY, environment="colab", versions=versions))
    assert {row.mend for row in found.problems} == {'%pip install -q "keras>=3.13" "plotly>=5.24"'}


def test_the_direct_dependencies_are_named_first_and_the_list_stays_short():
    pins = {f"library{number}": "2" for number in range(10)} | {"plotly": "7"}
    found = rows(pins=pins, versions=dict.fromkeys(pins, "6") | {"keras": "3.15.1", "papermill": "2.7.0"})["Versions"]
    assert "others: plotly 6" in found.finding
    assert found.finding.endswith("and 5 more")


def test_the_states_are_words_not_colours_alone():
    found = judge(dataclasses.replace(HEALTHY, kernel="", cores=1))
    for text in (str(found), repr(found), found._repr_html_()):
        for mark in ("✓ ok", "! notice", "✗ problem"):
            assert mark in text
    assert "Not ready: 1 problem to mend, 1 notice." in str(found)
    assert found._repr_html_().count("<tr>") == len(found.rows) + 1


def test_what_comes_from_outside_cannot_become_html():
    found = judge(dataclasses.replace(HEALTHY, processor="<script>alert(1)</script>", profile="<b>&"))
    assert "<script>" not in found._repr_html_()
    assert "<b>&" not in found._repr_html_()


def test_the_home_folder_is_shown_as_a_tilde(monkeypatch):
    monkeypatch.setattr(Path, "home", classmethod(lambda cls: Path("/home/somebody")))
    row = rows(cache=Path("/home/somebody/.cache/course"))["Cache"]
    assert row.finding == "~/.cache/course"


# ---- this machine


def test_this_machine_is_looked_at_without_a_framework(tmp_path):
    code = (
        "import sys, json; from course_utils import doctor; found = doctor.report()\n"
        "loaded = sorted({'tensorflow', 'keras', 'jax', 'torch', 'plotly', 'pandas', 'numpy'} & set(sys.modules))\n"
        "print(json.dumps([loaded, [row.subject for row in found.rows]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=Path(__file__).parent.parent,
    )
    loaded, subjects = json.loads(done.stdout)
    assert loaded == []
    assert "Memory" in subjects


def test_facts_of_this_machine_are_plausible(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "not" / "there" / "yet"))
    monkeypatch.setenv("KERAS_BACKEND", "jaks")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    found = doctor.collect()
    assert found.python == sys.version_info[:3]
    assert 2**28 < found.available <= found.memory
    assert found.cores >= 1
    assert found.disk > 0
    assert found.processor
    assert found.backend == "jaks"
    assert not found.backend_installed
    assert found.data_is_folder
    assert found.cache_obstacle == ""
    assert not (tmp_path / "not").exists(), "looking creates nothing"
    assert found.pins["keras"]
    assert any(text.startswith("keras") for text in found.requirements)


def test_the_cache_folder_is_judged_before_it_exists(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "file" / "cache"))
    assert "is a file" in doctor.collect().cache_obstacle


def test_a_course_that_is_not_installed_is_judged_by_its_checkout(monkeypatch):
    def missing(name):
        raise facts.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(facts.importlib.metadata, "metadata", missing)
    installed, requirements, python = facts._requirements()
    assert installed is None
    assert any(text.startswith("tensorflow") for text in requirements)
    assert python == ">=3.11,<3.14"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# a comment\nkeras==3.15.1\n\nKeras_NLP==0.32.0  # why\n", {"keras": "3.15.1", "keras-nlp": "0.32.0"}),
        ('a==1 ; python_version < "3"\nb==2 ; python_version >= "3"\n', {"b": "2"}),
    ],
)
def test_pins(text, expected):
    assert facts.pins(text) == expected


@pytest.mark.parametrize(
    ("program", "expected"),
    [("python", True), ("python3", True), (sys.executable, True), ("/somewhere/else/python", False)],
)
def test_whose_python_the_kernel_starts(monkeypatch, program, expected):
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

    spec = KernelSpec(argv=[program, "-m", "ipykernel_launcher"])
    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", lambda self, name: spec)
    assert facts._kernel_program()[1] is expected


def test_a_kernel_that_is_not_there(monkeypatch):
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    def missing(self, name):
        raise NoSuchKernel(name)

    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", missing)
    assert facts._kernel_program() == ("", False)


def _program(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for nvidia-smi is a shell script")
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("echo 'NVIDIA H100, 81559 MiB, 550.54'", ("NVIDIA H100, 81559 MiB, 550.54",)),
        ("echo failed; exit 9", ()),
    ],
)
def test_accelerators(monkeypatch, tmp_path, body, expected):
    _program(tmp_path, "nvidia-smi", body)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    assert facts._accelerators() == expected


def test_a_container_limit_counts_as_the_memory(monkeypatch):
    monkeypatch.setattr(facts, "memory_limit", lambda: (2 * GIB, GIB))
    found = doctor.collect()
    assert found.memory == min(found.memory, 2 * GIB)
    assert found.available <= GIB


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; sys.exit('ImportError: no keras')", "Keras does not start: ImportError: no keras"),
        ('print(\'{"keras": "3.15", "backend": "jax", "devices": ["cpu:0"]}\')', ""),
    ],
)
def test_the_framework_is_asked_in_another_process(monkeypatch, code, words):
    monkeypatch.setattr(facts, "_ASK_FRAMEWORK", code)
    said, failed = facts._ask_framework()
    assert failed == words
    assert bool(said) is not bool(words)


def test_the_constraints_are_found_from_a_checkout():
    assert paths.packaged("constraints.txt").name == "constraints.txt"


@pytest.mark.parametrize(("system", "machine"), [("Darwin", "arm64"), ("Linux", "x86_64"), ("Linux", "aarch64")])
def test_nothing_is_said_of_a_system_that_the_frameworks_serve(system, machine):
    assert "System" not in rows(system=system, machine=machine)


def test_the_doctor_looks_at_keras_and_at_the_environment(monkeypatch, tmp_path):
    (tmp_path / "keras.json").write_text('{"floatx": "float16"}')
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "1")
    found = judge(doctor.collect())
    assert {row.subject for row in found.notices} >= {"Keras settings", "Environment"}
    (mend,) = [row.mend for row in found.notices if row.subject == "Keras settings"]
    subprocess.run(mend, shell=True, check=True, cwd=Path.cwd())
    monkeypatch.delenv("KERAS_MAX_EPOCHS")
    assert not {"Keras settings"} & {row.subject for row in judge(doctor.collect()).notices}


def test_a_home_that_is_not_there_gets_a_remedy_that_lies_elsewhere(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    for name in [name for name in os.environ if name.startswith(("XDG_", "JUPYTER", "COURSE_CACHE", "KERAS_HOME"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "file" / "home"))
    monkeypatch.chdir(tmp_path)
    row = {row.subject: row for row in judge(doctor.collect()).problems}["Cache"]
    value = row.mend.partition("COURSE_CACHE=")[2].strip('"')
    assert "file" not in Path(value).parts
    monkeypatch.setenv("COURSE_CACHE", value)
    assert not {"Cache", "Disk"} & {row.subject for row in judge(doctor.collect()).problems}
