"""A learner's working copy of the notebooks (``work/``), which an update of the course never overwrites.

``work/.course.json`` records the SHA-256 of each notebook as it was copied. A copy with that hash is untouched and may
be refreshed; any other copy is the learner's own and is only ever moved aside, by ``reset``.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from course_utils import paths, surroundings
from course_utils.errors import CourseError, warn
from course_utils.language import say

FOLDER = "work"
STATE = ".course.json"
FIRST = "00_start_here.ipynb"
_FORMAT = 1


@dataclass(frozen=True)
class Copy:
    """What ``refresh`` or ``reset`` found or did for one notebook.

    ``state`` is "copied" (new), "current", "refreshed" (untouched, brought up to date), "yours" (touched; the course
    has not changed), "outdated" (touched, and the course has a newer one), "restored" (was missing), "reset" or
    "retired" (no longer in the course; kept). ``kept`` is where a learner's copy was put by ``reset``.
    """

    name: str
    state: str
    kept: Path | None = None

    def sentence(self) -> str:
        """One line for the reader; empty where there is nothing to say."""
        number = self.name[:2]
        if self.state == "reset" and self.kept:
            return f"{self.name} is the course's again; your copy is kept as {paths.display(self.kept)}."
        return {
            "refreshed": f"{self.name} was updated: the course has a newer one, and you had not changed yours.",
            "outdated": f"{self.name} has a newer version in the course; yours, which you changed, stays as it is. "
            f"For the new one: course reset {number} (your copy is kept beside it).",
            "restored": f"{self.name} was missing from your working copy and is back.",
            "reset": f"{self.name} is the course's again; there was no copy of yours to keep.",
            "unchanged": f"{self.name} is as it is in the course: nothing to reset.",
            "retired": f"{self.name} is no longer part of the course; your copy stays.",
        }.get(self.state, "")


def folder(root: Path | None = None) -> Path:
    """The working copy's folder inside the checkout ``root`` (default: the one around the current folder)."""
    return (root or paths.require_checkout()) / FOLDER


def refresh(root: Path | None = None) -> list[Copy]:
    """Make or update the working copy: copy what is missing, refresh what is untouched, keep everything else.

    Raises CourseError where there is no notebook to copy, where ``work`` is no folder and where it cannot be written.
    """
    root = root or paths.require_checkout()
    work = _folder(root)
    editions = _editions(root)
    recorded = _read_state(work)
    before = dict(recorded)
    found = []
    try:
        for name, content in editions.items():
            found.append(_refresh_one(work / name, content, recorded))
        for name in sorted(set(recorded) - set(editions)):
            if (work / name).exists():
                found.append(Copy(name, "retired"))
            else:
                del recorded[name]
    finally:  # also when a later notebook failed: what was copied is then known to be untouched
        if recorded != before or not (work / STATE).exists():
            _write_state(work, recorded)
    return found


def reset(names: list[str], root: Path | None = None) -> list[Copy]:
    """Bring chapters back to the course's version; a learner's copy is kept beside it under a name of its own.

    ``names`` are chapters as everywhere ("07", "mnist"). Raises CourseError for an unknown one before anything changes.
    """
    from course_utils.chapters import select

    if not names:
        raise CourseError("Which chapter should be brought back? Name one or more, for example: course reset 07")
    root = root or paths.require_checkout()
    chosen = [chapter.learner.name for chapter in select(names, root)]
    editions = _editions(root)
    for name in chosen:
        if name not in editions:
            raise CourseError(f"notebooks/{name} is missing, so there is nothing to bring back. Make it: course build.")
    work = _folder(root)
    recorded = _read_state(work)
    found = []
    try:
        for name in chosen:
            copy, content = work / name, editions[name]
            mine = _read(copy)
            if mine == content:
                found.append(Copy(name, "unchanged"))
            else:
                kept = _keep(copy, mine) if mine is not None else None
                _write(copy, content)
                found.append(Copy(name, "reset", kept))
            recorded[name] = _hash(content)
    finally:
        _write_state(work, recorded)
    return found


def lab_command(
    root: Path | None = None, *, browser: bool = True, port: int | None = None, more: tuple[str, ...] = ()
) -> list[str]:
    """The command that starts JupyterLab on the working copy, with this very interpreter; ``more`` goes to JupyterLab.

    Raises CourseError for the administrator (JupyterLab refuses to start), unless ``more`` allows it, for a port out of
    range and where JupyterLab is not installed.
    """
    import importlib.util

    if importlib.util.find_spec("jupyterlab") is None:
        raise CourseError(
            "JupyterLab is not installed for this Python. In the course's folder: "
            "python -m pip install -c constraints.txt -e ."
        )
    if port is not None and not 0 <= port <= 65535:
        raise CourseError(f"--port {port} is no port; choose one from 1024 to 65535, or leave the option out.")
    if hasattr(os, "geteuid") and os.geteuid() == 0 and "--allow-root" not in more:
        raise CourseError(
            "JupyterLab does not start for the administrator (root). Run it as an ordinary user; "
            "inside a container of your own: course lab -- --allow-root"
        )
    work = folder(root)
    command = surroundings.python("-m", "jupyterlab", f"--ServerApp.root_dir={work}")
    if (work / FIRST).exists():
        command.append(f"--LabApp.default_url=/lab/tree/{FIRST}")
    if not browser:
        command.append("--no-browser")
    if port is not None:
        command.append(f"--port={port}")
    return [*command, *more]


def serve(command: list[str], root: Path) -> int:
    """Run JupyterLab in the working copy until it ends; returns its status.

    Ctrl-C in a terminal reaches JupyterLab too, which asks its own question: this process then only waits. A request to
    terminate is passed on, so that JupyterLab ends its kernels. Raises CourseError where JupyterLab has no folder for
    its own files.
    """
    import signal
    import subprocess
    import tempfile

    with tempfile.TemporaryDirectory(prefix="course-lab-", ignore_cleanup_errors=True) as scratch:
        process = subprocess.Popen(command, cwd=folder(root), env=lab_environment(Path(scratch)))
        before = {
            signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN),
            signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: process.terminate()),
        }
        try:
            return process.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def lab_environment(scratch: Path) -> dict[str, str]:
    """The environment of JupyterLab and its kernels; the folder ``scratch`` must stay while JupyterLab runs.

    It holds the kernel ``python3`` of `course_utils.kernel`, which is always this Python, whatever kernel of that name
    the user has installed. Where JupyterLab's own folders cannot be written (a home that is read-only, or that there is
    not), they lie in the course's cache; CourseError where that cannot be written either.
    """
    from ipykernel.kernelspec import write_kernel_spec

    argv = [*surroundings.python("-m", "course_utils.kernel"), "-f", "{connection_file}"]
    kernels = scratch / "kernels"
    kernels.mkdir()
    write_kernel_spec(kernels / "python3", overrides={"argv": argv, "display_name": "Python 3 (ipykernel)"})
    environment = surroundings.environment()
    places = [str(scratch), *filter(None, [environment.get("JUPYTER_PATH")])]
    return environment | {"JUPYTER_PATH": os.pathsep.join(places)} | _own_jupyter_folders()


def jupyter_obstacle() -> str:
    """Why JupyterLab cannot keep its own files (settings, sessions) where it would; "" where it can."""
    from jupyter_core import paths as jupyter

    try:
        places = [jupyter.jupyter_config_dir(), jupyter.jupyter_data_dir(), jupyter.jupyter_runtime_dir()]
    except RuntimeError:
        return say("there is no home folder")
    return next(filter(None, (paths.obstacle(Path(place)) for place in places)), "")


def _own_jupyter_folders() -> dict[str, str]:
    """Variables that give Jupyter and IPython folders in the cache; none where their usual ones can be written."""
    obstacle = jupyter_obstacle()
    if not obstacle:
        return {}
    cache = paths.cache_dir()
    if paths.obstacle(cache):
        raise CourseError(
            say(
                "JupyterLab can keep its files neither in your home folder nor in the course's cache ({obstacle}). "
                "Name a folder that can be written, and run the command again: {mend}",
                obstacle=obstacle,
                mend=paths.set_cache(),
            )
        )
    place = cache / "jupyter"
    warn(
        say(
            "JupyterLab cannot keep its files in your home folder ({obstacle}), so they are in {place}.",
            obstacle=obstacle,
            place=paths.display(place),
        )
    )
    names = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
    }
    for name in names.values():
        (place / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    return {variable: str(place / name) for variable, name in names.items()}


def _folder(root: Path) -> Path:
    work = folder(root)
    if work.exists() and not work.is_dir():
        raise CourseError(
            f"{paths.display(work)} is a file, but your working copy belongs into a folder of that name. "
            "Move the file away, and run the command again."
        )
    return work


def _editions(root: Path) -> dict[str, bytes]:
    from course_utils.chapters import LEARNER

    found = {path.name: path.read_bytes() for path in LEARNER.stored(root / "notebooks")}
    if not found:
        raise CourseError(
            f"There is no notebook in {paths.display(root / 'notebooks')}. "
            "Bring the checkout up to date, or make them from their sources: course build"
        )
    return found


def _refresh_one(copy: Path, content: bytes, recorded: dict[str, str]) -> Copy:
    name, wanted = copy.name, _hash(content)
    mine = _read(copy)
    if mine is None:
        state = "restored" if name in recorded else "copied"
        _write(copy, content)
    elif mine == content:
        state = "current"
    elif _hash(mine) == recorded.get(name):
        state = "refreshed"
        _write(copy, content)
    else:
        # The recorded hash stays what it was at copying, so that the notice comes until the learner decides.
        return Copy(name, "yours" if recorded.get(name) == wanted else "outdated")
    recorded[name] = wanted
    return Copy(name, state)


def _read(copy: Path) -> bytes | None:
    if copy.is_dir():
        raise CourseError(f"{paths.display(copy)} is a folder where a notebook belongs; move it away.")
    try:
        return copy.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CourseError(f"{paths.display(copy)} cannot be read: {error.strerror}. Mend its permissions.") from None


def _write(path: Path, content: bytes | str) -> None:
    try:
        paths.write_atomic(path, content)
    except OSError as error:
        raise CourseError(
            f"{paths.display(path)} cannot be written: {error.strerror or error}. Nothing of yours was changed. "
            "Make the folder writable (or free some space), and run the command again."
        ) from None


def _keep(copy: Path, mine: bytes) -> Path:
    """Write a learner's copy beside its place under a free name; never over a file that exists."""
    from datetime import datetime

    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    for number in range(1, 1000):
        kept = copy.with_name(f"{copy.stem}.kept-{stamp}{f'-{number}' if number > 1 else ''}{copy.suffix}")
        try:
            file = kept.open("xb")
        except FileExistsError:
            continue
        except OSError as error:
            raise CourseError(
                f"Your copy cannot be kept as {paths.display(kept)}: {error.strerror}. Nothing was changed. "
                "Make the folder writable, and run the command again."
            ) from None
        try:
            with file:
                file.write(mine)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            kept.unlink(missing_ok=True)
            raise CourseError(
                f"Your copy cannot be kept as {paths.display(kept)}: {error.strerror}. Nothing was changed. "
                "Free some space, and run the command again."
            ) from None
        return kept
    raise CourseError(f"No free name to keep {paths.display(copy)} under; move some of the kept copies away.")


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read_state(work: Path) -> dict[str, str]:
    """The recorded hashes. A file that cannot be understood is put aside: every copy then counts as the learner's."""
    from course_utils.errors import warn

    state = work / STATE
    content = _read(state)
    if content is None:
        return {}
    try:
        data = json.loads(content)
        notebooks = data["notebooks"]
        if data["format"] != _FORMAT or not all(isinstance(v, str) for v in notebooks.values()):
            raise ValueError("another format")
    except (ValueError, TypeError, KeyError, AttributeError):
        aside = _keep(state, content)
        state.unlink()
        warn(
            f"{paths.display(state)} is damaged and was put aside as {aside.name}. Every notebook in "
            f"{paths.display(work)} that differs from the course now counts as changed by you and stays as it is."
        )
        return {}
    return dict(notebooks)


def _write_state(work: Path, recorded: dict[str, str]) -> None:
    _write(work / STATE, json.dumps({"format": _FORMAT, "notebooks": recorded}, indent=1, sort_keys=True) + "\n")
