"""Where things are: the checkout, the files that ship with the package, the cache; and safe writing."""

import contextlib
import errno
import hashlib
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from course_utils.errors import CourseError

PROJECT = "large-models-small-teams"


def _is_checkout(folder: Path) -> bool:
    project = folder / "pyproject.toml"
    return (folder / "notebooks" / "source").is_dir() and project.is_file() and PROJECT in project.read_text("utf-8")


def checkout() -> Path | None:
    """The root of the checkout around the current folder, else around this package, else None."""
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).resolve().parent.parent):
        if _is_checkout(folder):
            return folder
    return None


def require_checkout() -> Path:
    """The root of the checkout; raises CourseError where there is none."""
    root = checkout()
    if root is None:
        raise CourseError(
            f"No checkout of the course found in {Path.cwd()} or above it. This command works on the course's "
            "notebooks: change into the folder that holds its README.md and notebooks/, and run it again."
        )
    return root


def packaged(name: str) -> Path:
    """A file of the project's ``data/`` folder (or ``constraints.txt``), from a checkout or from the wheel."""
    package = Path(__file__).resolve().parent
    root = package.parent
    candidates = [package / "_data" / name]
    if _is_checkout(root):
        candidates = [root / name if name == "constraints.txt" else root / "data" / name, *candidates]
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise CourseError(f"The course's own file {name} is missing from this installation; install the package again.")


def cache_dir() -> Path:
    """The folder for downloads and progress: ``COURSE_CACHE``, else the user's cache folder. Not created here.

    Where there is no home folder it is one for temporary files, so that the course runs nevertheless.
    """
    if os.environ.get("COURSE_CACHE"):
        return Path(os.environ["COURSE_CACHE"]).expanduser()
    import platformdirs

    try:
        place = Path(platformdirs.user_cache_dir(PROJECT, appauthor=False, opinion=False))
        if sys.platform == "darwin" and (made := Path.home() / "Library" / "Caches" / PROJECT).is_dir():
            return made  # before XDG_CACHE_HOME counted on macOS: a learner's cache does not move
    except RuntimeError:  # neither HOME nor the system's list of users knows one
        place = Path()
    if place.is_absolute():
        return place
    return Path(tempfile.gettempdir()) / f"{PROJECT}-{os.getuid() if hasattr(os, 'getuid') else 'user'}"


def set_cache() -> str:
    """The command that moves the cache to a folder where it can be written: in the checkout, else a temporary one."""
    root = checkout()
    places = [root / ".cache"] if root else []
    places.append(Path(tempfile.gettempdir()) / PROJECT)
    place = next((place for place in places if not obstacle(place)), places[-1])
    return set_variable("COURSE_CACHE", str(place))


def set_variable(name: str, value: str) -> str:
    """The command that sets a variable of the environment in this system's shell."""
    return f"set {name}={value}" if sys.platform == "win32" else f'export {name}="{value}"'


def unset_variable(name: str) -> str:
    """The command that takes a variable out of the environment in this system's shell."""
    return f"set {name}=" if sys.platform == "win32" else f"unset {name}"


def display(path: Path | str) -> str:
    """A path as a reader sees it: relative inside the current folder, the home folder as ``~``."""
    path = Path(path)
    with contextlib.suppress(ValueError):
        return str(path.resolve().relative_to(Path.cwd()))
    with contextlib.suppress(ValueError, RuntimeError):
        return str("~" / path.resolve().relative_to(Path.home()))
    return str(path)


def for_shell(path: Path | str) -> str:
    """A path as it can be typed into a shell: as `display` shows it, or quoted where that would fall apart."""
    import shlex

    shown = display(path)
    if shown.removeprefix("~") == shlex.quote(shown.removeprefix("~")):
        return shown
    return f'"{Path(path).absolute()}"' if sys.platform == "win32" else shlex.quote(str(Path(path).absolute()))


def obstacle(folder: Path) -> str:
    """Why no file can be written into a folder, or into one that would have to be made there; "" where one can.

    What is tried leaves nothing behind: permissions alone do not tell of a system that is mounted read-only.
    """
    from course_utils.language import say

    there = existing(folder)
    if not there.is_dir():
        return say("{place} is a file, not a folder", place=display(there))
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        return say("{place} is not writable ({reason})", place=display(there), reason=error.strerror or str(error))
    return ""


def disk_is_full(error: BaseException | None) -> bool:
    """Whether an error says that there is no room left, on the disk or in the user's share of it."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def existing(path: Path) -> Path:
    """The path itself, or the nearest folder above it that there is."""
    path = path.absolute()
    return next(folder for folder in (path, *path.parents) if os.path.lexists(folder))


def _write_beside(path: Path, content: bytes | str, mark: str) -> Path:
    """Write content in full to a hidden file beside its place, as readable as any other file; returns that file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode("utf-8") if isinstance(content, str) else content
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.{mark}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)  # mkstemp makes a private file
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    return Path(name)


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write a file beside its place, then rename it there: a reader sees the old file or the new one, never half."""
    write_together({Path(path): content})


def write_together(files: Mapping[Path, bytes | str]) -> None:
    """Write several files so that all are new or all are as they were: complete beside their places, then renamed."""
    beside: dict[Path, Path] = {}
    old: dict[Path, Path] = {}
    try:
        for path, content in files.items():
            beside[path] = _write_beside(path, content, "new")
        if len(files) > 1:  # the way back is a rename as well, and needs no room on the disk
            for path in files:
                if path.exists():
                    old[path] = _write_beside(path, path.read_bytes(), "old")
        done: list[Path] = []
        try:
            for path in files:
                done.append(path)
                os.replace(beside[path], path)
        except BaseException:
            for path in done:
                if path in old:
                    os.replace(old[path], path)
                elif len(files) > 1:
                    path.unlink(missing_ok=True)
            raise
    finally:
        for extra in (*beside.values(), *old.values()):
            with contextlib.suppress(OSError):
                extra.unlink()


def sha256(path: Path) -> str:
    """The hash of a file, in hexadecimal digits. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
