"""Where things are, and writing that never leaves half a file."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path, PureWindowsPath

import pytest

from course_utils import paths
from course_utils.errors import CourseError


def make_checkout(root: Path) -> Path:
    (root / "notebooks" / "source").mkdir(parents=True)
    (root / "pyproject.toml").write_text(f'[project]\nname = "{paths.PROJECT}"\n')
    return root


def test_the_checkout_around_the_current_folder_is_found(tmp_path, monkeypatch):
    root = make_checkout(tmp_path / "here")
    inside = root / "notebooks" / "source"
    monkeypatch.chdir(inside)
    assert paths.checkout() == root
    assert paths.require_checkout() == root


def test_another_project_is_no_checkout(tmp_path, monkeypatch):
    (tmp_path / "notebooks" / "source").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "something-else"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(paths, "__file__", str(tmp_path / "site" / "course_utils" / "paths.py"))
    assert paths.checkout() is None
    with pytest.raises(CourseError, match="No checkout of the course found"):
        paths.require_checkout()


def test_from_elsewhere_the_checkout_around_the_package_is_found(tmp_path, monkeypatch):
    root = make_checkout(tmp_path / "checkout")
    monkeypatch.setattr(paths, "__file__", str(root / "course_utils" / "paths.py"))
    monkeypatch.chdir(tmp_path)
    assert paths.checkout() == root


def test_packaged_files_come_from_the_checkout_first(tmp_path, monkeypatch):
    root = make_checkout(tmp_path / "checkout")
    for folder, text in ((root / "course_utils" / "_data", "wheel"), (root / "data", "checkout")):
        folder.mkdir(parents=True)
        (folder / "registry.toml").write_text(text)
    (root / "course_utils" / "_data" / "only.toml").write_text("wheel")
    (root / "constraints.txt").write_text("pins")
    monkeypatch.setattr(paths, "__file__", str(root / "course_utils" / "paths.py"))
    assert paths.packaged("registry.toml").read_text() == "checkout"
    assert paths.packaged("only.toml").read_text() == "wheel"
    assert paths.packaged("constraints.txt").read_text() == "pins"
    with pytest.raises(CourseError, match=r"nothing\.toml is missing"):
        paths.packaged("nothing.toml")


def test_packaged_files_come_from_the_wheel_where_there_is_no_checkout(tmp_path, monkeypatch):
    folder = tmp_path / "site-packages" / "course_utils"
    (folder / "_data").mkdir(parents=True)
    (folder / "_data" / "registry.toml").write_text("wheel")
    (tmp_path / "site-packages" / "data").mkdir()  # another package's
    (tmp_path / "site-packages" / "data" / "registry.toml").write_text("foreign")
    monkeypatch.setattr(paths, "__file__", str(folder / "paths.py"))
    assert paths.packaged("registry.toml").read_text() == "wheel"


def test_the_cache_folder_follows_the_environment_and_is_not_created(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "mine"))
    assert paths.cache_dir() == tmp_path / "mine"
    assert not (tmp_path / "mine").exists()
    monkeypatch.setenv("COURSE_CACHE", "~/mine")
    assert paths.cache_dir() == Path.home() / "mine"
    monkeypatch.delenv("COURSE_CACHE")
    if sys.platform.startswith("linux"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert paths.cache_dir() == tmp_path / paths.PROJECT


@pytest.fixture
def system(tmp_path, monkeypatch):
    """``system("darwin")``: another system's cache folders, with a home of the test's own."""
    import platformdirs
    from platformdirs import macos, unix, windows

    for name in ("COURSE_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(windows, "get_win_folder", windows.get_win_folder_from_env_vars)

    def become(name: str) -> None:
        monkeypatch.setattr(sys, "platform", name)
        chosen = {"linux": unix.Unix, "darwin": macos.MacOS, "win32": windows.Windows}[name]
        monkeypatch.setattr(platformdirs, "PlatformDirs", chosen)

    return become


def test_the_cache_folder_of_linux(system, tmp_path, monkeypatch):
    system("linux")
    assert paths.cache_dir() == tmp_path / ".cache" / paths.PROJECT
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "mine"))
    assert paths.cache_dir() == tmp_path / "mine" / paths.PROJECT


def test_the_cache_folder_of_macos_does_not_move(system, tmp_path, monkeypatch):
    system("darwin")
    usual = tmp_path / "Library" / "Caches" / paths.PROJECT
    assert paths.cache_dir() == usual
    usual.mkdir(parents=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "mine"))
    assert paths.cache_dir() == usual


def test_the_cache_folder_of_windows(system, monkeypatch):
    system("win32")
    monkeypatch.setenv("LOCALAPPDATA", r"C:\Users\somebody\AppData\Local")
    monkeypatch.setattr(Path, "is_absolute", lambda path: True)
    assert PureWindowsPath(str(paths.cache_dir())) == PureWindowsPath(r"C:\Users\somebody\AppData\Local", paths.PROJECT)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows the folders of a user from elsewhere")
def test_without_any_home_the_cache_is_a_folder_for_temporary_files(monkeypatch):
    import pwd

    for name in ("HOME", "COURSE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def nobody(number):
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    found = paths.cache_dir()
    assert found.is_absolute() and found.is_relative_to(tempfile.gettempdir()) and not found.exists()
    assert paths.display("/somewhere/else") == "/somewhere/else"


@pytest.mark.parametrize("parts", [("file", "cache"), ("file",)])
def test_a_folder_that_cannot_be_is_seen_before_it_is_made(tmp_path, parts):
    (tmp_path / "file").write_text("x")
    assert "file" in paths.obstacle(tmp_path.joinpath(*parts))
    assert paths.obstacle(tmp_path / "not" / "there") == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"], "looking leaves nothing"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder that nobody can write into, as Linux has one")
def test_a_folder_in_which_not_even_the_administrator_can_write():
    assert "/proc" in paths.obstacle(Path("/proc/course/cache"))


def test_the_command_that_moves_the_cache_names_a_folder_that_can_be_written(tmp_path, monkeypatch):
    monkeypatch.chdir(make_checkout(tmp_path / "here"))
    assert str(tmp_path / "here" / ".cache") in paths.set_cache()
    monkeypatch.setattr(paths, "checkout", lambda: None)
    assert tempfile.gettempdir() in paths.set_cache()


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX systems")
@pytest.mark.parametrize("name", ["plain", "with a blank", "it's", "$HOME", "a;b", "~"])
def test_a_path_for_a_shell_is_one_word_and_that_file(tmp_path, monkeypatch, name):
    (tmp_path / name).write_text(name)
    monkeypatch.chdir(tmp_path)
    done = subprocess.run(f"cat {paths.for_shell(tmp_path / name)}", shell=True, capture_output=True, text=True)
    assert done.stdout == name, done.stderr


def test_a_path_is_shown_without_the_machines_folders(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", classmethod(lambda cls: tmp_path / "home"))
    (tmp_path / "home" / "work").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "home" / "work")
    assert paths.display(Path("notebooks/07.ipynb")) == os.path.join("notebooks", "07.ipynb")
    assert paths.display(tmp_path / "home" / "cache") == os.path.join("~", "cache")
    assert paths.display("/usr/bin/chromium-of-nobody") == "/usr/bin/chromium-of-nobody"


@pytest.mark.parametrize("content", ["one\r\ntwo\n", "é", b"\x00\xff", b""])
def test_what_is_written_is_what_is_read(tmp_path, content):
    path = tmp_path / "new" / "folder" / "file"
    paths.write_atomic(path, content)
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert list(path.parent.iterdir()) == [path]


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    paths.write_atomic(path, "old")

    def interrupt(handle):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        paths.write_atomic(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path], "nothing half written stays behind"


@pytest.mark.skipif(sys.platform == "win32", reason="permission bits of POSIX systems")
def test_a_written_file_is_as_readable_as_any_other(tmp_path):
    paths.write_atomic(tmp_path / "atomic", "x")
    (tmp_path / "plain").write_text("x")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("atomic", "plain")]
    assert modes[0] == modes[1]


@pytest.mark.parametrize("fails", [1, 2])
def test_several_files_are_all_new_or_all_old(tmp_path, monkeypatch, fails):
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("old")
    replace, calls = os.replace, []

    def stumble(source, target):
        calls.append(target)
        if len(calls) == fails:
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", stumble)
    with pytest.raises(OSError, match="No space"):
        paths.write_together({first: "new", second: b"new"})
    assert first.read_text() == "old" and [path.name for path in tmp_path.iterdir()] == ["first"]
    monkeypatch.undo()
    paths.write_together({first: "new", second: b"new"})
    assert first.read_text() == second.read_text() == "new"
