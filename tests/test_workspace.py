"""The working copy: never overwrites what a learner changed, and loses nothing on bad input."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from course_utils import paths, workspace
from course_utils.errors import CourseError

HEADER = """# ---
# jupyter:
#   course:
#     chapter: "{number}"
#     title: {title}
#     requires: []
#     needs: {{quick: [], full: []}}
#     budget: {{seconds: 60, memory_mib: 512}}
#   jupytext:
#     text_representation: {{extension: .py, format_name: percent}}
#   kernelspec: {{display_name: Python 3 (ipykernel), language: python, name: python3}}
# ---
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A small checkout with two chapters, as the current folder."""
    root = tmp_path / "course"
    (root / "notebooks" / "source").mkdir(parents=True)
    (root / "pyproject.toml").write_text(f'[project]\nname = "{paths.PROJECT}"\n')
    for name, title in (("00_start_here", "Start here"), ("07_mnist_cnn", "MNIST CNN")):
        (root / "notebooks" / "source" / f"{name}.py").write_text(HEADER.format(number=name[:2], title=title))
        (root / "notebooks" / f"{name}.ipynb").write_text(f"{name} version 1")
    monkeypatch.chdir(root)
    return root


def states(copies) -> dict[str, str]:
    return {copy.name[:2]: copy.state for copy in copies}


def publish(root: Path, version: int = 2, name: str = "07_mnist_cnn") -> None:
    (root / "notebooks" / f"{name}.ipynb").write_text(f"{name} version {version}")


def mine(root: Path, name: str = "07_mnist_cnn") -> Path:
    return root / "work" / f"{name}.ipynb"


def test_the_first_time_everything_is_copied_and_the_second_time_nothing(root):
    assert states(workspace.refresh()) == {"00": "copied", "07": "copied"}
    assert mine(root).read_text() == "07_mnist_cnn version 1"
    before = {path: path.stat().st_mtime_ns for path in (root / "work").iterdir()}
    found = workspace.refresh()
    assert states(found) == {"00": "current", "07": "current"}
    assert not any(copy.sentence() for copy in found)
    assert {path: path.stat().st_mtime_ns for path in (root / "work").iterdir()} == before


def test_an_untouched_copy_is_refreshed_and_the_reader_is_told(root):
    workspace.refresh()
    publish(root)
    found = workspace.refresh()
    assert states(found) == {"00": "current", "07": "refreshed"}
    assert mine(root).read_text() == "07_mnist_cnn version 2"
    assert "was updated" in found[1].sentence()
    publish(root, 3)  # the refreshed copy counts as untouched again
    assert states(workspace.refresh())["07"] == "refreshed"


def test_a_touched_copy_is_never_overwritten(root):
    workspace.refresh()
    mine(root).write_text("my own work")
    assert states(workspace.refresh())["07"] == "yours"
    for version in (2, 3):
        publish(root, version)
        found = workspace.refresh()
        assert states(found)["07"] == "outdated"
        assert "course reset 07" in found[1].sentence()
        assert mine(root).read_text() == "my own work"


def test_a_deleted_notebook_comes_back(root):
    workspace.refresh()
    mine(root).unlink()
    found = workspace.refresh()
    assert states(found)["07"] == "restored"
    assert mine(root).read_text() == "07_mnist_cnn version 1"


def test_a_notebook_that_left_the_course_stays_with_the_learner(root):
    workspace.refresh()
    (root / "notebooks" / "07_mnist_cnn.ipynb").unlink()
    assert states(workspace.refresh()) == {"00": "current", "07": "retired"}
    assert mine(root).exists()
    mine(root).unlink()
    assert states(workspace.refresh()) == {"00": "current"}


def test_other_files_of_the_learner_are_left_alone(root):
    workspace.refresh()
    (root / "work" / "notes.ipynb").write_text("notes")
    (root / "work" / "data").mkdir()
    workspace.refresh()
    workspace.reset(["07"])
    assert (root / "work" / "notes.ipynb").read_text() == "notes"


def test_reset_brings_the_course_back_and_keeps_the_learners_copy(root):
    workspace.refresh()
    mine(root).write_text("my own work")
    publish(root)
    (copy,) = workspace.reset(["mnist"])
    assert copy.state == "reset"
    assert mine(root).read_text() == "07_mnist_cnn version 2"
    assert copy.kept.read_text() == "my own work"
    assert copy.kept.name.startswith("07_mnist_cnn.kept-")
    assert copy.kept.name in copy.sentence()
    assert states(workspace.refresh())["07"] == "current"


def test_reset_twice_in_one_second_keeps_both(root):
    workspace.refresh()
    kept = []
    for text in ("first", "second", "third"):
        mine(root).write_text(text)
        kept.append(workspace.reset(["07"])[0].kept)
    assert [path.read_text() for path in kept] == ["first", "second", "third"]


def test_reset_of_an_untouched_or_missing_copy_keeps_nothing(root):
    assert workspace.reset(["07"])[0].kept is None  # there is no work/ at all
    assert mine(root).read_text() == "07_mnist_cnn version 1"
    (copy,) = workspace.reset(["7"])
    assert (copy.state, copy.kept) == ("unchanged", None)
    assert sorted(path.name for path in (root / "work").iterdir()) == [".course.json", "07_mnist_cnn.ipynb"]


def test_reset_of_an_unknown_chapter_changes_nothing(root):
    workspace.refresh()
    mine(root).write_text("my own work")
    with pytest.raises(CourseError, match="mnist_cnn"):
        workspace.reset(["07", "mnits"])
    with pytest.raises(CourseError, match="course reset 07"):
        workspace.reset([])
    assert mine(root).read_text() == "my own work"


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"format": 99, "notebooks": {}}', '{"format": 1, "notebooks": [1]}']
)
def test_a_damaged_state_file_is_put_aside_and_every_change_counts_as_the_learners(root, capsys, damage):
    workspace.refresh()
    mine(root).write_text("my own work")
    publish(root)
    publish(root, name="00_start_here")
    (root / "work" / ".course.json").write_text(damage)
    found = states(workspace.refresh())
    assert found == {"00": "outdated", "07": "outdated"}  # 00 cannot be known to be untouched any more
    assert mine(root).read_text() == "my own work"
    assert "is damaged and was put aside" in capsys.readouterr().err
    (aside,) = (root / "work").glob(".course.kept-*.json")
    assert aside.read_text() == damage
    workspace.refresh()  # said once only
    assert capsys.readouterr().err == ""


def test_a_missing_state_file_loses_nothing(root):
    workspace.refresh()
    mine(root).write_text("my own work")
    (root / "work" / ".course.json").unlink()
    assert states(workspace.refresh()) == {"00": "current", "07": "outdated"}
    assert mine(root).read_text() == "my own work"


def test_work_that_is_a_file_is_refused_and_kept(root):
    (root / "work").write_text("precious")
    for call in (workspace.refresh, lambda: workspace.reset(["07"])):
        with pytest.raises(CourseError, match="is a file"):
            call()
    assert (root / "work").read_text() == "precious"


def test_a_folder_in_a_notebooks_place_is_refused(root):
    mine(root).mkdir(parents=True)
    with pytest.raises(CourseError, match="is a folder"):
        workspace.refresh()


def test_a_folder_that_cannot_be_written(root, monkeypatch):
    workspace.refresh()
    mine(root).write_text("my own work")
    publish(root, name="00_start_here")

    def refuse(path, content):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(paths, "write_atomic", refuse)
    with pytest.raises(CourseError, match=r"work/00_start_here\.ipynb cannot be written: Permission denied"):
        workspace.refresh()
    assert mine(root, "00_start_here").read_text() == "00_start_here version 1"
    with pytest.raises(CourseError, match="cannot be written"):
        workspace.reset(["07"])
    assert mine(root).read_text() == "my own work"


def test_a_copy_that_cannot_be_kept_is_not_replaced(root, monkeypatch):
    workspace.refresh()
    mine(root).write_text("my own work")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(workspace.os, "fsync", full)
    with pytest.raises(CourseError, match="No space left on device"):
        workspace.reset(["07"])
    assert mine(root).read_text() == "my own work"
    assert not list((root / "work").glob("*.kept-*"))


def test_a_crash_between_two_copies_leaves_the_first_untouched_by_record(root, monkeypatch):
    write = paths.write_atomic

    def fail_on_07(path, content):
        if path.name.startswith("07"):
            raise PermissionError(13, "Permission denied")
        write(path, content)

    monkeypatch.setattr(paths, "write_atomic", fail_on_07)
    with pytest.raises(CourseError):
        workspace.refresh()
    monkeypatch.setattr(paths, "write_atomic", write)
    publish(root, name="00_start_here")
    assert states(workspace.refresh()) == {"00": "refreshed", "07": "copied"}


def test_without_notebooks_the_message_says_what_to_do(root):
    for notebook in (root / "notebooks").glob("*.ipynb"):
        notebook.unlink()
    with pytest.raises(CourseError, match="course build"):
        workspace.refresh()


def test_a_checkout_is_needed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(paths, "checkout", lambda: None)
    with pytest.raises(CourseError, match="No checkout"):
        workspace.refresh()


def test_the_lab_command_uses_this_interpreter_and_opens_the_first_chapter(root):
    workspace.refresh()
    command = workspace.lab_command(browser=False, port=9999, more=("--allow-root",))
    assert command[:4] == [sys.executable, "-P", "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={root / 'work'}" in command
    assert "--LabApp.default_url=/lab/tree/00_start_here.ipynb" in command
    assert command[-3:] == ["--no-browser", "--port=9999", "--allow-root"]


def test_the_lab_command_refuses_what_cannot_work(root, monkeypatch):
    monkeypatch.setattr(workspace.os, "geteuid", lambda: 0, raising=False)
    with pytest.raises(CourseError, match="--allow-root"):
        workspace.lab_command()
    with pytest.raises(CourseError, match="--port 70000"):
        workspace.lab_command(port=70000, more=("--allow-root",))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CourseError, match="JupyterLab is not installed"):
        workspace.lab_command()


# A stand-in for JupyterLab: says that it runs, and takes its time when asked to end, as a server with kernels does.
SERVER = """
import pathlib, signal, sys, time
def end(number, frame):
    time.sleep(0.6)
    pathlib.Path("ended").write_text(signal.Signals(number).name)
    sys.exit(5)
signal.signal(signal.SIGINT, end)
signal.signal(signal.SIGTERM, end)
pathlib.Path("running").touch()
time.sleep(30)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_jupyterlab_is_given_the_time_to_end(root, name):
    """Ctrl-C goes to the whole group, as a terminal sends it; SIGTERM to the course command alone."""
    (root / "work").mkdir()
    code = (
        "import sys\nfrom pathlib import Path\nfrom course_utils import workspace\n"
        f"sys.exit(workspace.serve([sys.executable, '-c', {SERVER!r}], Path.cwd()))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 20
        while not (root / "work" / "running").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.2)  # the handlers are set right after the start
        (os.killpg if name == "SIGINT" else os.kill)(process.pid, getattr(signal, name))
        assert process.wait(timeout=20) == 5
    finally:
        process.kill()
    assert (root / "work" / "ended").read_text() == name


@pytest.fixture
def no_home(tmp_path, monkeypatch):
    """A home folder in which nothing can be made, also not by the administrator: there is a file in its place."""
    (tmp_path / "file").write_text("")
    for name in list(os.environ):
        if name.startswith(("JUPYTER", "IPYTHON", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "file" / "home"))


def test_without_a_home_jupyterlab_keeps_its_files_in_the_cache(no_home, tmp_path, root, capsys):
    (tmp_path / "scratch").mkdir()
    environment = workspace.lab_environment(tmp_path / "scratch")
    cache = paths.cache_dir() / "jupyter"
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        assert Path(environment[name]).parent == cache and Path(environment[name]).is_dir()
    assert str(cache) in capsys.readouterr().err
    program = "from jupyter_core import paths; print(paths.jupyter_config_dir(), paths.jupyter_runtime_dir())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.split() == [environment["JUPYTER_CONFIG_DIR"], environment["JUPYTER_RUNTIME_DIR"]]


def test_with_a_home_jupyterlab_keeps_its_files_there(tmp_path, monkeypatch, root, capsys):
    for name in list(os.environ):
        if name.startswith(("JUPYTER", "IPYTHON", "XDG_")):
            monkeypatch.delenv(name)
    (tmp_path / "home").mkdir()
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    environment = workspace.lab_environment(tmp_path / "scratch")
    assert not {name for name in environment if name.endswith("_DIR") and name.startswith("JUPYTER")}
    assert capsys.readouterr().err == "" and list((tmp_path / "home").iterdir()) == []


def test_with_neither_home_nor_cache_one_sentence_names_a_command_that_helps(no_home, monkeypatch, root):
    monkeypatch.delenv("COURSE_CACHE")
    # The oldest debugpy that ipykernel takes along has warnings of its own about Python 3.11.
    more = {"PYTHONPATH": str(Path(__file__).parent.parent), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    environment = {**os.environ, **more}
    command = [sys.executable, "-m", "course_utils", "lab", "--no-browser", "--", "--allow-root"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    place = re.search(r'COURSE_CACHE="?([^"]+)', done.stderr)[1].strip()
    assert not paths.obstacle(Path(place)), "the remedy can be carried out"
    monkeypatch.setenv("COURSE_CACHE", place)
    (root / "scratch").mkdir()
    assert workspace.lab_environment(root / "scratch")["JUPYTER_RUNTIME_DIR"].startswith(place)


def test_the_state_file_names_no_folder(root):
    workspace.refresh()
    state = json.loads((root / "work" / ".course.json").read_text())
    assert set(state) == {"format", "notebooks"}
    assert str(root) not in json.dumps(state)
