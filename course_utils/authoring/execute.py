"""Run a learner edition in a kernel of its own, and bring what it shows into the form that is stored."""

import contextlib
import copy
import os
import re
import shutil
import site
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from course_utils.chapters import Chapter
from course_utils.errors import CourseError
from course_utils.paths import PROJECT, cache_dir, display

PLOTLY = "application/vnd.plotly.v1+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
# A kernel's environment must not depend on who builds: neither his settings nor his progress belong into an edition.
_NOT_INHERITED = (
    "COURSE_STRICT",
    "COURSE_DATA",
    "COURSE_PROGRESS",
    "PYTHONSTARTUP",
    "XDG_CACHE_HOME",
    "MPLBACKEND",
    "JPY_PARENT_PID",
)


def execute(
    notebook,
    chapter: Chapter,
    *,
    lines: Mapping[str, int] | None = None,
    timeout: int | None = None,
    say: Callable[[str], None] | None = None,
) -> None:
    """Run all cells in the quick profile, in place; the kernel works in a scratch folder with a cache of its own.

    ``timeout`` (seconds for one cell) defaults to ten times the chapter's budget. Raises CourseError with chapter,
    cell id, the cell's first line and the error when a cell fails, the kernel dies or the time is up; ``lines`` (the
    source line of each cell, by id) lets it say where the cell stands. Ctrl-C ends the kernel and comes through.
    """
    with tempfile.TemporaryDirectory(prefix="course-build-") as folder:
        scratch = Path(folder).resolve()
        work = scratch / "work"
        work.mkdir()
        _prepare_cache(chapter, _cache(scratch))
        environment = _environment(chapter, scratch)
        _run(notebook, chapter, work, environment, timeout or max(300, 10 * chapter.seconds), say, lines or {})


def _environment(chapter: Chapter, scratch: Path) -> dict[str, str]:
    root = Path(__file__).resolve().parents[2]
    inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    path = os.pathsep.join(filter(None, [str(root), inherited.get("PYTHONPATH", "")]))
    return {
        **inherited,
        "COLUMNS": "100",
        "COURSE_CACHE": str(_cache(scratch)),
        "COURSE_PROFILE": "quick",
        # A home of its own: nothing of the author's settings comes in, and paths show as "~/…", as a learner's would.
        "HOME": str(scratch),
        "USERPROFILE": str(scratch),
        "IPYTHONDIR": str(scratch / "ipython"),
        "KERAS_BACKEND": "tensorflow",
        # No +png: the pictures are drawn afterwards, all in one browser, which is many times faster.
        "PLOTLY_RENDERER": "plotly_mimetype",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": path,
        "PYTHONUSERBASE": site.getuserbase(),
    }


def _cache(scratch: Path) -> Path:
    return scratch / ".cache" / PROJECT


def _prepare_cache(chapter: Chapter, cache: Path) -> None:
    """A fresh cache that holds only what the chapter declares it needs."""
    cache.mkdir(parents=True)
    for name in chapter.needs["quick"]:
        from course_utils.data.fetch import fetch

        fetch(name)
        shutil.copytree(cache_dir() / "data" / name, cache / "data" / name)


def _run(
    notebook, chapter: Chapter, work: Path, env: dict[str, str], timeout: int, say, lines: Mapping[str, int]
) -> None:
    """Execute in a worker thread, so that Ctrl-C reaches this one: nbclient would call it a dead kernel."""
    from jupyter_client import AsyncKernelManager
    from nbclient import NotebookClient

    manager = AsyncKernelManager(kernel_name="python3")
    # A user's own kernel named python3 may belong to another interpreter; the edition must come from this one.
    manager.kernel_spec.argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=40"]
    manager.kernel_spec.env = {}
    current: dict[str, object] = {}

    def started(cell, cell_index: int) -> None:
        current["cell"] = cell
        if say and cell.cell_type == "code":
            say(f"{chapter.name}: cell {cell_index + 1} of {len(notebook.cells)}")

    client = NotebookClient(notebook, km=manager, timeout=timeout, on_cell_start=started, record_timing=False)
    failure: list[BaseException] = []

    def work_through() -> None:
        try:
            client.execute(env=env, cwd=str(work), cleanup_kc=True)
        except BaseException as error:  # handed to the main thread below
            failure.append(error)

    thread = threading.Thread(target=work_through, name=f"build {chapter.name}", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(0.2)
    except BaseException:
        _kill(manager)
        thread.join(10)
        raise
    if failure:
        _kill(manager)
        raise _explain(failure[0], chapter, current.get("cell"), lines) from None


def _kill(manager) -> None:
    """End the kernel and its children at once."""
    import psutil

    process = getattr(getattr(manager, "provisioner", None), "process", None)
    if process is None:
        return
    with contextlib.suppress(psutil.Error):
        kernel = psutil.Process(process.pid)
        for child in [*kernel.children(recursive=True), kernel]:
            with contextlib.suppress(psutil.Error):
                child.kill()


def _explain(error: BaseException, chapter: Chapter, cell, lines: Mapping[str, int]) -> BaseException:
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    if isinstance(error, CellExecutionError):
        what = f"{error.ename}: {_plain(error.evalue).strip()}"
    elif isinstance(error, CellTimeoutError):
        what = "the cell did not end in time"
    elif isinstance(error, DeadKernelError):
        what = "the kernel died (out of memory?)"
    else:
        return error
    first = next((line for line in (cell.source if cell else "").splitlines() if line.strip()), "")
    where = f'cell {cell.id} ("{first.strip()}")' if cell else "before the first cell"
    line = lines.get(cell.id) if cell else None
    place = f"{display(chapter.source)}:{line}: " if line else ""
    return CourseError(
        f"{place}{chapter.name}: {where} failed: {what}\nNothing was written; mend the source and build again."
    )


def normalise(notebook) -> None:
    """Bring all outputs of a notebook into the form that is stored, in place; widget state is dropped.

    Code cells are counted from 1, as in a run from top to bottom: nbval refuses outputs of a cell without a count.
    """
    notebook.metadata.pop("widgets", None)
    for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), 1):
        cell.execution_count = number
        cell.outputs = normalise_outputs(cell.outputs)
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number


def normalise_outputs(outputs: list) -> list:
    """Outputs as they are stored; applying it twice changes nothing.

    No execution counts; standard streams joined, with what a carriage return overwrote left out; widget views dropped
    (their text remains, shortened when it is a whole figure); tracebacks as one line; figures without HTML.
    """
    found: list = []
    for original in outputs:
        output = copy.deepcopy(original)
        if output["output_type"] == "stream":
            output["text"] = "".join(output["text"])
            if found and found[-1]["output_type"] == "stream" and found[-1]["name"] == output["name"]:
                found[-1]["text"] += output["text"]
                continue
        elif output["output_type"] == "error":
            output["traceback"] = [_plain(f"{output['ename']}: {output['evalue']}")]
            output["evalue"] = _plain(output["evalue"])
        else:
            if not _normalise_data(output["data"]):
                continue
            kept = {mime: output["metadata"][mime] for mime in output.get("metadata", {}) if mime in output["data"]}
            output["metadata"] = kept
            if output["output_type"] == "execute_result":
                output["execution_count"] = None
        found.append(output)
    for output in found:
        if output["output_type"] == "stream":
            output["text"] = _overwritten(output["text"])
    return [output for output in found if output["output_type"] != "stream" or output["text"]]


def _normalise_data(data: dict) -> bool:
    """Mend one output's data in place; False when nothing is left of it."""
    if data.pop(WIDGET, None) is not None and not set(data) - {"text/plain"}:
        text = "".join(data.get("text/plain", ""))
        if not text:
            return False
        # A figure widget's text is the whole figure; other widgets name themselves in a line or two.
        data["text/plain"] = text if len(text) <= 500 else "An interactive figure: run the cell to see it."
    if PLOTLY in data:
        # The figure itself stays exactly as the kernel gave it: nbval compares it to a fresh one.
        data.pop("text/html", None)
    return bool(data)


def _overwritten(text: str) -> str:
    """Text as a terminal shows it: after a carriage return a line is written anew."""
    lines = text.replace("\r\n", "\n").split("\n")
    shown = [next((part for part in reversed(line.split("\r")) if part), "") for line in lines]
    return "\n".join(shown)


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def figures(notebook) -> Iterator[tuple[object, dict]]:
    """Every stored plotly figure of a notebook: (output, figure as a dictionary with data and layout)."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if PLOTLY in output.get("data", {}):
                yield output, output["data"][PLOTLY]
