"""What lies around the course on a machine: planted modules, another Keras, caps on training."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils import surroundings, workspace

ROOT = Path(__file__).parent.parent
TRAP = "raise SystemExit('a module of the current folder was imported')\n"


@pytest.fixture
def trapped(tmp_path, monkeypatch):
    """A current folder with files called like modules that everything imports sooner or later."""
    folder = tmp_path / "trapped"
    folder.mkdir()
    for name in ("random", "typing_extensions", "numpy", "keras", "traitlets", "jupyterlab", "pip"):
        (folder / f"{name}.py").write_text(TRAP)
    (folder / "mine.py").write_text("VALUE = 42\n")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("pythonpath", [None, os.pathsep + "/nowhere"])
def test_the_command_imports_nothing_from_the_current_folder(trapped, pythonpath):
    environment = {**os.environ, "PYTHONPATH": pythonpath or ""}
    if pythonpath is None:
        del environment["PYTHONPATH"]
    command = [sys.executable, "-m", "course_utils", "doctor"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode in (0, 1), done.stderr
    assert "planted" not in done.stdout and "Python" in done.stdout


def test_the_current_folder_stays_where_it_can_shadow_nothing(tmp_path, monkeypatch):
    from course_utils import __main__ as entry

    library = os.path.dirname(os.__file__)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), "", "/more", library, "/site-packages", str(tmp_path)])
    entry._do_not_look_here()
    assert sys.path == ["/more", library, "/site-packages", str(tmp_path)]


@pytest.mark.parametrize("module", ["jupyterlab", "pip"])
def test_what_the_course_starts_imports_nothing_from_the_current_folder(trapped, monkeypatch, module):
    monkeypatch.setenv("PYTHONPATH", os.pathsep + "/nowhere")  # the empty entry means the current folder
    done = subprocess.run(
        surroundings.python("-m", module, "--version"), capture_output=True, text=True, env=surroundings.environment()
    )
    assert done.returncode == 0, done.stderr


def in_a_kernel_of_the_lab(tmp_path: Path, code: str) -> str:
    """What ``code`` prints in the kernel that JupyterLab would start as ``python3`` in the current folder."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    program = (
        "import sys\n"
        "from jupyter_client.manager import run_kernel\n"
        "with run_kernel(kernel_name='python3') as client:\n"
        "    answer = client.execute_interactive(sys.argv[1], timeout=60, stop_on_error=True)\n"
        "    sys.exit(answer['content']['status'] != 'ok')\n"
    )
    done = subprocess.run(
        surroundings.python("-c", program, code),
        capture_output=True,
        text=True,
        timeout=90,
        env=workspace.lab_environment(scratch),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_kernel_of_the_lab_finds_a_learners_own_module_and_the_libraries_first(trapped, tmp_path):
    code = (
        "import random, numpy, mine, os, sys; print(random.random() < 1, numpy.ones(2).sum(), mine.VALUE, sys.path[-1])"
    )
    assert in_a_kernel_of_the_lab(tmp_path, code).split() == ["True", "2.0", "42"]


def test_the_labs_kernel_is_this_python_whatever_kernel_the_user_has_installed(tmp_path, monkeypatch):
    kernel = tmp_path / "theirs" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    argv = ["/nowhere/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "x", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "theirs"))
    assert in_a_kernel_of_the_lab(tmp_path, "import sys; print(sys.executable)").strip() == sys.executable


def test_variables_that_would_change_a_chapter_do_not_reach_what_the_course_starts(monkeypatch):
    for name in surroundings.VARIABLES:
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("COURSE_PROFILE", "full")
    assert set(surroundings.variables()) == set(surroundings.VARIABLES)
    environment = surroundings.environment()
    assert not set(environment) & set(surroundings.VARIABLES)
    assert environment["COURSE_PROFILE"] == "full"


@pytest.mark.parametrize(
    ("given", "kept"),
    [("", None), (os.pathsep, None), (f"{os.pathsep}/one{os.pathsep}{os.pathsep}/two", ["/one", "/two"])],
)
def test_an_empty_entry_of_the_path_goes_and_the_others_stay(monkeypatch, given, kept):
    monkeypatch.setenv("PYTHONPATH", given)
    monkeypatch.setattr(surroundings, "_installed", lambda: True)
    found = surroundings.environment().get("PYTHONPATH")
    assert (found and found.split(os.pathsep)) == kept


def test_a_course_that_is_not_installed_is_found_by_what_it_starts(monkeypatch, tmp_path):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setattr(surroundings, "_installed", lambda: False)
    done = subprocess.run(
        surroundings.python("-S", "-c", "import course_utils; print(course_utils.__file__)"),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=surroundings.environment(),
    )
    assert Path(done.stdout.strip()) == ROOT / "course_utils" / "__init__.py"


# ---- Keras's settings


@pytest.fixture
def keras_json(tmp_path, monkeypatch):
    """A function that writes Keras's settings file into a folder of the test's own."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def write(content: object) -> Path:
        path = tmp_path / "keras.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def test_no_file_and_the_usual_file_differ_in_nothing(keras_json):
    assert surroundings.keras_file().differs == {} and surroundings.keras_file().fault == ""
    path = keras_json(surroundings.KERAS | {"backend": "tensorflow"})
    assert surroundings.keras_file() == surroundings.KerasFile(path, "", {})


@pytest.mark.parametrize(
    ("name", "value"),
    [("image_data_format", "channels_first"), ("floatx", "float16"), ("floatx", "float64"), ("epsilon", 0.1),
     ("nnx_enabled", True)],
)  # fmt: skip
def test_another_setting_is_found(keras_json, name, value):
    keras_json(surroundings.KERAS | {name: value})
    assert surroundings.keras_file().differs == {name: value}


@pytest.mark.parametrize(
    "content", [[], "7", {"floatx": "float8"}, {"image_data_format": "channels"}, {"epsilon": "small"}, {"epsilon": 1}]
)
def test_a_file_with_which_keras_does_not_start_is_refused_in_a_sentence(keras_json, content):
    keras_json(content)
    assert surroundings.keras_file().fault
    program = "from course_utils import setup\nsetup('04')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "CourseError" in last and "keras.json" in last
    assert "tensorflow" not in done.stderr


def test_a_file_that_is_no_json_stops_nobody(keras_json):
    keras_json("{")  # Keras passes over it
    assert surroundings.keras_file().fault == ""


def started(program: str, **variables: str) -> tuple[list[str], str]:
    """The last line that a program prints, split, and what it says on standard error."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, env={**os.environ, **variables}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1].split(), done.stderr


ASK = (
    "import keras, numpy as np\n"
    "layer = keras.layers.Conv2D(2, 3)\n"
    "config = keras.config\n"
    "print(config.image_data_format(), config.floatx(), config.epsilon(), config.dtype_policy().name,"
    " config.max_epochs(), layer(np.zeros((1, 8, 8, 3), 'float32')).shape, layer.kernel.dtype, sep=' ')\n"
)
USUAL = ["channels_last", "float32", "1e-07", "float32", "None", "(1,", "6,", "6,", "2)", "float32"]


def test_whatever_keras_was_set_to_the_course_gets_what_it_relies_on_and_says_so(keras_json):
    keras_json({"image_data_format": "channels_first", "floatx": "float16", "epsilon": 0.1, "nnx_enabled": True})
    program = f"from course_utils import runtime\nruntime.start_keras('quick', 0)\n{ASK}"
    found, said = started(program, KERAS_MAX_EPOCHS="1", TF_USE_LEGACY_KERAS="1")
    assert found == USUAL
    for words in ("channels_first", "float16", "0.1", "max_epochs", "TF_USE_LEGACY_KERAS"):
        assert words in said


def test_where_nothing_was_set_otherwise_nothing_is_said(keras_json):
    found, said = started(f"from course_utils import setup\nsetup('04')\n{ASK}")
    assert found == USUAL and said == ""


def test_an_earlier_cell_that_set_keras_otherwise_is_undone(keras_json):
    before = (
        "import keras\nkeras.config.set_image_data_format('channels_first')\nkeras.config.set_dtype_policy('float16')\n"
    )
    found, said = started(f"{before}from course_utils import setup\nsetup('04')\n{ASK}")
    assert found == USUAL and "channels_first" in said
