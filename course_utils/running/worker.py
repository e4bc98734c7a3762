"""One notebook, executed in a process of its own by papermill; the parent (``execution``) hears of every cell.

A child of ``processes``; its job has ``notebook`` (what to execute), ``output`` (where the executed notebook goes),
``folder`` (the kernel's working folder), ``runtime`` (a folder for the kernel's connection file), ``parameters`` and
``road`` ("main" leaves the cells of side roads out) and ``without`` (data sets whose sections are left out).
Its events are "start" (``cells``), "cell start" (``index``), "cell" (``index``, ``id``, ``seconds``,
``high_water_mib``) and "end" (``passed``, ``kind``, ``reason``, ``seconds``, ``error``).
A notebook is not trusted to end well: what it showed is saved after every cell.
"""

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Any

from course_utils.language import say
from course_utils.paths import disk_is_full, write_atomic
from course_utils.processes import Events, begin
from course_utils.roads import cells_without, main_cells
from course_utils.runtime import high_water_mib


class Unwritable(Exception):
    """The executed notebook cannot be saved: an outcome's ``kind``, and the ``reason`` in the system's words."""

    def __init__(self, error: OSError) -> None:
        self.kind = "disk" if disk_is_full(error) else "folder"
        self.reason = error.strerror or str(error)
        super().__init__(self.reason)


def first_line(source: str) -> str:
    """The first line of a cell that says something: not blank, not a cell magic's empty line."""
    return next((line.strip() for line in source.splitlines() if line.strip()), "")


def kernel_manager(runtime: Path) -> type:
    """A kernel manager whose ``python3`` is always this interpreter, whatever kernels the user has installed.

    Its connection file goes into ``runtime``, since a kernel that is killed leaves it behind.
    """
    from ipykernel.kernelspec import get_kernel_dict
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpec

    class OwnKernelManager(AsyncKernelManager):
        exit_code: int | None = None

        def __init__(self, **options):
            super().__init__(**options)
            runtime.mkdir(parents=True, exist_ok=True)
            self.connection_file = str(runtime / f"kernel-{os.getpid()}.json")

        @property
        def kernel_spec(self):
            if self._kernel_spec is None:
                self._kernel_spec = KernelSpec(**get_kernel_dict())
            return self._kernel_spec

        async def is_alive(self) -> bool:
            alive = await super().is_alive()
            process = getattr(self.provisioner, "process", None)
            if not alive and process is not None:
                type(self).exit_code = process.poll()  # nbclient lets go of the manager before it raises
            return alive

    return OwnKernelManager


def engine(output: Path, runtime: Path, emit: Events) -> type:
    """papermill's nbclient engine, which here also reports each cell and saves the notebook whole or not at all."""
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import NBClientEngine, NotebookExecutionManager

    class Manager(NotebookExecutionManager):
        failed: dict[str, Any] | None = None
        current: int = 0
        begun: float = 0.0
        ended: float = 0.0
        client: Any = None

        def save(self, **kwargs) -> None:
            """Written by ``write`` after each cell; papermill's own saving is not atomic and happens twice a cell."""

        def autosave_cell(self) -> None:
            """Not wanted: see ``save``."""

        def pid(self) -> int | None:
            provisioner = getattr(getattr(self.client, "km", None), "provisioner", None)
            return getattr(provisioner, "pid", None)

        def write(self) -> None:
            import nbformat

            notebook = nbformat.from_dict(self.nb)
            notebook.metadata.pop("papermill", None)
            notebook.metadata.pop("widgets", None)  # megabytes of state that nothing shows without a kernel
            for cell in notebook.cells:
                cell.metadata.pop("papermill", None)
                if not cell.metadata.get("tags", True):
                    del cell.metadata["tags"]
            try:
                write_atomic(output, nbformat.writes(notebook))
            except OSError as error:
                raise Unwritable(error) from error

        def cell_start(self, cell, cell_index=None, **kwargs):
            super().cell_start(cell, cell_index, **kwargs)
            self.current, self.begun = cell_index, time.monotonic()
            emit("cell start", index=cell_index)

        def cell_exception(self, cell, cell_index=None, **kwargs):
            super().cell_exception(cell, cell_index, **kwargs)
            ename, evalue = cell_error(cell)
            self.failed = error_at(cell, cell_index, ename, evalue)

        def cell_complete(self, cell, cell_index=None, **kwargs):
            super().cell_complete(cell, cell_index, **kwargs)
            self.ended = time.monotonic()
            if cell.cell_type == "code":
                self.write()
            emit(
                "cell",
                index=cell_index,
                id=cell.get("id", ""),
                seconds=round(time.monotonic() - self.begun, 3),
                high_water_mib=round(high_water_mib(self.pid()), 1),
            )

    class Engine(NBClientEngine):
        manager: Manager
        kernels = kernel_manager(runtime)

        @classmethod
        def execute_notebook(cls, nb, kernel_name, **options):
            cls.manager = manager = Manager(nb, progress_bar=False)
            manager.notebook_start()
            manager.write()
            emit("start", cells=len(nb.cells))
            manager.client = PapermillNotebookClient(
                manager,
                kernel_manager_class=cls.kernels,
                kernel_name=kernel_name,
                timeout=None,  # the parent holds the clock, for the chapter as a whole
                startup_timeout=120,
                iopub_timeout=60,  # a busy machine is no reason to fail
                shutdown_kernel="immediate",
            )
            try:
                manager.client.execute()
            finally:
                manager.notebook_complete()
                manager.write()
            return manager.nb

    return Engine


def describe_exit(code: int | None) -> str:
    """What is known about a kernel that died, for the reader."""
    if code is None:
        return say("the kernel died")
    if code == -9:
        return say("the kernel was killed (signal 9): most likely the machine had no memory left")
    if code < 0:
        return say("the kernel crashed (signal {number})", number=-code)
    return say(
        "the kernel ended by itself with exit status {code}, as after os._exit or a crash in native code", code=code
    )


def error_at(cell: dict, index: int, ename: str, evalue: str) -> dict[str, Any]:
    """An error as ``Outcome.error`` holds it."""
    return {
        "cell_index": index,
        "cell_id": cell.get("id", ""),
        "first_line": first_line(cell.get("source", "")),
        "ename": ename,
        "evalue": evalue,
    }


def cell_error(cell: dict) -> tuple[str, str]:
    """Name and value of the error among a cell's outputs."""
    for output in cell.get("outputs", []):
        if output.get("output_type") == "error":
            return output.get("ename", "Error"), output.get("evalue", "")
    return "CellExecutionError", ""


def execute(job: dict[str, Any], emit: Events) -> bool:
    """Execute one notebook and report; True when every cell ran. The executed notebook stands in ``job["output"]``."""
    import logging

    import nbformat
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.engines import papermill_engines
    from papermill.exceptions import PapermillExecutionError

    logging.getLogger("papermill").setLevel(logging.ERROR)
    output = Path(job["output"])
    Engine = engine(output, Path(job["runtime"]), emit)
    papermill_engines.register("course", Engine)
    # papermill reads a path with braces as a format string; an opened notebook is taken as it is.
    try:
        notebook = nbformat.read(job["notebook"], as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # nbformat raises several kinds, from JSON errors to its own
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        emit("end", passed=False, kind="not a notebook", reason=reason, seconds=0.0, error=None)
        return False
    if job["road"] == "main":
        notebook.cells = main_cells(notebook.cells)
    notebook.cells = cells_without(notebook.cells, job["without"])
    trouble: tuple[str, str] | None = None
    kind = reason = ""
    begun = time.monotonic()
    try:
        papermill.execute_notebook(
            notebook,
            None,
            parameters=job["parameters"] or None,
            engine_name="course",
            kernel_name="python3",
            language="python",
            cwd=job["folder"],
            progress_bar=False,
        )
    except PapermillExecutionError:
        pass  # also raised for cells that are meant to fail: nbclient's own word, in manager.failed, decides
    except DeadKernelError:
        time.sleep(0.2)  # the exit status is known a moment later
        trouble = ("KernelDied", "")
    except Unwritable as error:
        kind, reason = error.kind, error.reason
        with contextlib.suppress(OSError):
            output.unlink(missing_ok=True)  # as it stood some cells ago it would be taken for the whole chapter
    except Exception as error:
        if not hasattr(Engine, "manager"):
            raise
        trouble = (type(error).__name__, str(error) or "no message")
    manager = Engine.manager
    seconds = round(max(manager.ended - begun, 0.0), 2)
    error = manager.failed
    if trouble is not None:
        ename, evalue = trouble
        if ename == "KernelDied":
            status = Engine.kernels.exit_code
            kind, evalue = "memory" if status == -9 else "kernel died", describe_exit(status)
        with contextlib.suppress(OSError):  # a full disk: the outcome says it all the same
            mark(output, manager.current, ename, evalue)
        error = error_at(nbformat.read(output, as_version=4).cells[manager.current], manager.current, ename, evalue)
    passed = error is None and not kind
    emit("end", passed=passed, kind=kind, reason=reason, seconds=seconds, error=error)
    return passed


def mark(output: Path, index: int, ename: str, evalue: str) -> None:
    """Add an error to a cell of a stored notebook, where the kernel could not say it itself."""
    import nbformat

    notebook = nbformat.read(output, as_version=4)
    cell = notebook.cells[index]
    if cell.cell_type == "code":
        text = f"{ename}: {evalue}"
        cell.outputs.append(nbformat.v4.new_output("error", ename=ename, evalue=evalue, traceback=[text]))
    write_atomic(output, nbformat.writes(notebook))


def main() -> int:
    """Do the job that the parent hands over; 0 when the notebook passed, 1 when it failed."""
    emit, job = begin()
    # jsonschema, behind nbformat, compiles a grammar of internationalised addresses at import, the better part of a
    # second for a format that notebooks do not use; it does without where the package is missing.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    return 0 if execute(job, emit) else 1


if __name__ == "__main__":
    sys.exit(main())
