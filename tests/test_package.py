"""The package as a newcomer gets it: cheap to import, whole as a wheel, honest outside a checkout."""

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = ("tensorflow", "keras", "keras_hub", "jax", "torch", "plotly", "pandas", "numpy", "sklearn", "IPython", "rich",
         "typer", "pooch", "papermill", "ipywidgets")  # fmt: skip


def python(*arguments: str, cwd: Path, path: Path, **environment: str) -> subprocess.CompletedProcess:
    """Run this Python in ``cwd`` with the package from ``path`` and nothing of the tests' own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COURSE_")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**kept, "PYTHONPATH": str(path), "COURSE_CACHE": str(cwd / "cache"), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_importing_the_package_loads_nothing_heavy(tmp_path):
    """What takes time is what is imported; the milliseconds are in tests/benchmarks/import_time.py."""
    done = python(
        "-c", "import course_utils, json, sys; print(json.dumps(sorted(sys.modules)))", cwd=tmp_path, path=ROOT
    )
    modules = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert "course_utils" in modules and not modules & set(HEAVY)


@pytest.mark.parametrize("module", ["errors", "paths", "claims", "compare", "data", "doctor", "exercises", "workspace"])
def test_the_light_modules_load_no_framework(tmp_path, module):
    code = f"import sys, course_utils.{module}; print(' '.join(sys.modules))"
    done = python("-c", code, cwd=tmp_path, path=ROOT)
    assert done.returncode == 0, done.stderr
    heavy = {"tensorflow", "keras", "jax", "torch", "plotly", "pandas", "papermill"}
    assert not {name.split(".")[0] for name in done.stdout.split()} & heavy


def test_importing_sets_no_global_state(tmp_path):
    code = (
        "import os, random, sys, warnings, logging\n"
        "def state(): return (dict(os.environ), random.getstate(), list(sys.path), list(warnings.filters),"
        " logging.root.level, list(logging.root.handlers), sys.excepthook)\n"
        "before = state(); import course_utils; print(state() == before)"
    )
    assert python("-c", code, cwd=tmp_path, path=ROOT).stdout.strip() == "True"


def test_the_names_of_the_package_are_found_and_others_are_refused():
    import course_utils

    assert set(dir(course_utils)) == set(course_utils.__all__)
    for name in course_utils.__all__:
        assert getattr(course_utils, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'chekc'"):
        course_utils.chekc  # noqa: B018


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A wheel of this checkout, made by the project's own build backend (no network)."""
    from hatchling.builders.wheel import WheelBuilder

    folder = tmp_path_factory.mktemp("wheel")
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return Path(built)


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The wheel's contents in a folder of their own, as an installer puts them."""
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def test_the_wheel_carries_the_course_and_its_data(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        ours = [
            path for path in (ROOT / "course_utils").rglob("*") if path.is_file() and "__pycache__" not in path.parts
        ]
        code = {
            path.relative_to(ROOT).as_posix() for path in ours
        }  # the pages' templates and the explorers' script too
        assert {path.suffix for path in ours} >= {".py", ".html", ".css", ".js"}
        data = {f"course_utils/_data/{path.relative_to(ROOT / 'data').as_posix()}": path
                for path in (ROOT / "data").rglob("*") if path.is_file()}  # fmt: skip
        assert code <= names
        assert data
        for name, path in data.items():
            assert archive.read(name) == path.read_bytes()
        assert archive.read("course_utils/_data/constraints.txt") == (ROOT / "constraints.txt").read_bytes()
        licences = {name.rpartition("/")[2] for name in names if ".dist-info/licenses/" in name}
        assert licences == {"LICENSE", "LICENSE-TEXT", "LGPL-2.1.txt"}
        strangers = {name for name in names if not name.startswith(("course_utils/", "large_models_small_teams-"))}
        assert not strangers, "nothing else lands in an environment's site-packages"
        assert not [name for name in names if "__pycache__" in name or name.endswith(".tmp")]


def test_the_installed_wheel_finds_its_own_files(installed, tmp_path):
    code = (
        "from course_utils import paths, claims, data\n"
        "print(paths.packaged('constraints.txt')); print(paths.checkout()); print(len(claims.rows()), data.names())"
    )
    done = python("-c", code, cwd=tmp_path, path=installed)
    assert done.returncode == 0, done.stderr
    constraints, checkout, counts = done.stdout.splitlines()
    assert Path(constraints) == installed / "course_utils" / "_data" / "constraints.txt"
    assert checkout == "None"
    assert "mnist" in counts


def test_the_installed_wheel_writes_a_page(installed, tmp_path):
    code = (
        "from pathlib import Path\nfrom course_utils.running import report\n"
        "from course_utils.running.outcome import Outcome\n"
        "report.write([Outcome('07_a', 'A <b>', 'not run', reason='none')], Path('page.html'))"
    )
    done = python("-c", code, cwd=tmp_path, path=installed)
    assert done.returncode == 0, done.stderr
    assert "A &lt;b&gt;" in (tmp_path / "page.html").read_text("utf-8")


@pytest.mark.parametrize("command", [("run",), ("run", "07"), ("build", "--check"), ("lab",), ("reset", "07")])
def test_outside_a_checkout_the_commands_that_need_one_say_so(installed, tmp_path, command):
    done = python("-m", "course_utils", *command, cwd=tmp_path, path=installed)
    assert done.returncode == 2
    assert "No checkout of the course found" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not list(tmp_path.iterdir()), "nothing was made"


def test_outside_a_checkout_the_doctor_and_the_data_commands_work(installed, tmp_path):
    done = python("-m", "course_utils", "doctor", cwd=tmp_path, path=installed)
    assert done.returncode in (0, 1), done.stderr
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert any(line.split()[-2:] == ["Course", version] for line in done.stdout.splitlines())
    done = python("-m", "course_utils", "data", "list", cwd=tmp_path, path=installed)
    assert done.returncode == 0, done.stderr
    assert "fashion_mnist" in done.stdout


def test_the_command_is_declared():
    from importlib.metadata import EntryPoint

    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert list(scripts) == ["course"]
    assert callable(EntryPoint("course", scripts["course"], "console_scripts").load())
