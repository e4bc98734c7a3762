"""The ``course`` command: thin, on top of the Python API; what a command needs is imported when it runs.

Exit status: 0 done, 1 something failed or was found wrong, 2 the request cannot be meant, 3 a chapter was not run,
4 all is done and could not be written (a full disk), 130 interrupted.
"""

import sys
from typing import Annotated

import typer

from course_utils import __version__, console
from course_utils.commands import author, capstone, data, gate, learner, loadtest, registry, serve, service
from course_utils.errors import CourseError
from course_utils.language import say

app = typer.Typer(
    name="course",
    help="Large Models, Small Teams: open, run and check the course.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: half the time of the boxed one, and it can be piped
)
for command in (
    learner.doctor,
    learner.lab,
    learner.reset,
    learner.run,
    author.build,
    learner.progress,
    learner.claims,
    service.compare,
    gate.check,
    service.sign,
    serve.serve,
    loadtest.loadtest,
):
    app.command()(command)
app.add_typer(data.app, name="data")
app.add_typer(registry.app, name="registry")
app.add_typer(capstone.app, name="capstone")


def main(arguments: list[str] | None = None) -> None:
    """The entry point: runs the command and exits; an error meant for the reader is one message, no traceback."""
    console.prepare()
    try:
        app(args=arguments, prog_name="course")
    except CourseError as error:
        _refuse(str(error), error.status)
    except ModuleNotFoundError as error:
        import importlib.util

        missing = (error.name or "").partition(".")[0]
        if not missing or importlib.util.find_spec(missing) is not None:
            raise  # a fault of the program, not of the installation
        install = "python -m pip install -c constraints.txt -e ."
        _refuse(say("{library} is not installed. In the course's folder: {install}", library=missing, install=install))


def _refuse(reason: str, status: int = 2) -> None:
    sys.stdout.flush()
    console.write(f"course: {console.message(reason)}", error=True)
    sys.exit(status)


def _show_version(wanted: bool) -> None:
    if wanted:
        console.write(f"course {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass
