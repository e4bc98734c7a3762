"""The ``course`` command: thin, on top of the Python API; what a command needs is imported when it runs.

Exit status: 0 done, 1 something failed or was found wrong, 2 the request cannot be meant, 3 a chapter was not run,
130 interrupted.
"""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from course_utils import __version__
from course_utils.errors import CourseError

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(
    name="course",
    help="Large Models, Small Teams: open, run and check the course.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: half the time of the boxed one, and it can be piped
)
data_app = typer.Typer(help="List, fetch and verify the data sets.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(data_app, name="data")

Chapters = Annotated[list[str] | None, typer.Argument(metavar="NN", help="Chapters, such as 07 or mnist.")]
Sets = Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Data sets, such as mnist.")]


def main(arguments: list[str] | None = None) -> None:
    """The entry point: runs the command and exits; an error meant for the reader is one message, no traceback."""
    try:
        app(args=arguments, prog_name="course")
    except CourseError as error:
        _refuse(str(error))
    except ModuleNotFoundError as error:
        import importlib.util

        missing = (error.name or "").partition(".")[0]
        if not missing or importlib.util.find_spec(missing) is not None:
            raise  # a fault of the program, not of the installation
        _refuse(f"{missing} is not installed. In the course's folder: python -m pip install -c constraints.txt -e .")


def _refuse(message: str) -> None:
    sys.stdout.flush()
    print(f"course: {message}", file=sys.stderr)
    sys.exit(2)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"course {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@app.command()
def doctor(
    framework: Annotated[bool, typer.Option(help="Start Keras too, to see that it works (takes seconds).")] = False,
) -> None:
    """Check this machine; name what mends it."""
    from course_utils.doctor import report

    found = report(framework=framework)
    typer.echo(str(found))
    raise typer.Exit(1 if found.problems else 0)


@app.command()
def lab(
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
    port: Annotated[int | None, typer.Option(help="The port to listen on (default: JupyterLab's).")] = None,
    more: Annotated[list[str] | None, typer.Argument(metavar="[-- ...]", help="Options for JupyterLab itself.")] = None,
) -> None:
    """Open JupyterLab on your own copy of the notebooks.

    The copy stands in work/. An update of the course never overwrites what you changed there.
    """
    from course_utils import paths, workspace

    root = paths.require_checkout()
    copies = workspace.refresh(root)
    new = sum(copy.state == "copied" for copy in copies)
    if new:
        place = paths.display(workspace.folder(root))
        typer.echo(f"{_count(new, 'notebook')} copied into {place}. What you do there stays yours.")
    _say(copies)
    command = workspace.lab_command(root, browser=browser, port=port, more=tuple(more or ()))
    raise typer.Exit(workspace.serve(command, root))


@app.command()
def reset(chapters: Chapters = None) -> None:
    """Bring chapters back as the course has them.

    Your own copies in work/ are kept beside them, under names with the date and time.
    """
    from course_utils import workspace

    _say(workspace.reset(chapters or []))
    typer.echo("If a notebook is open in JupyterLab, choose File > Reload Notebook from Disk.")


@app.command()
def run(
    chapters: Chapters = None,
    profile: Annotated[str, typer.Option(envvar="COURSE_PROFILE", help="quick or full.")] = "quick",
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", metavar="NAME=VALUE", help="Set a notebook's parameter.")
    ] = None,
    jobs: Annotated[int, typer.Option(help="Chapters that run at once.")] = 1,
    edition: Annotated[str, typer.Option(help="learner or solutions.")] = "learner",
    strict: Annotated[bool, typer.Option("--strict", help="An unsolved or wrong exercise fails its chapter.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the results (default: build).")] = None,
    timeout: Annotated[
        float | None, typer.Option(help="Seconds a chapter may take (default: 15 minutes quick, 6 hours full).")
    ] = None,
) -> None:
    """Run chapters headless and write a report.

    Without a name every chapter runs. The table is printed; build/ receives report.html, results.json and the executed
    notebooks. Exit status: 0 all passed, 1 something failed, 3 something was not run, 130 interrupted.
    """
    from course_utils import paths

    root = paths.require_checkout()
    values = parameters(parameter or [])
    from course_utils.chapters import select
    from course_utils.running import report, runs

    out = out or root / "build"
    chosen = select(chapters or [], root)
    outcomes = runs.run(
        chosen,
        profile=profile,
        parameters=values,
        jobs=jobs,
        edition=edition,
        strict=strict,
        out=out,
        timeout=timeout,
    )
    page = out / "report.html"
    report.write(outcomes, page)
    typer.echo(f"Report: {paths.display(page)}")
    raise typer.Exit(runs.exit_status(outcomes))


@app.command()
def build(
    chapters: Chapters = None,
    check: Annotated[bool, typer.Option("--check", help="Only compare the editions with their sources.")] = False,
    lint: Annotated[bool, typer.Option("--lint", help="Only check the sources against a chapter's anatomy.")] = False,
    execute: Annotated[
        bool, typer.Option(help="Run the chapters; without it the stored outputs are kept (for changes of prose).")
    ] = True,
) -> None:
    """Make the notebooks from notebooks/source (authors).

    Both editions are written: for learners (executed, with pictures, which need a Chromium) and solutions. What the
    lint finds in the chapters is said afterwards; it does not fail a build.
    """
    from course_utils import paths

    root = paths.require_checkout()
    from course_utils.authoring import editions
    from course_utils.authoring.lint import lint_chapters
    from course_utils.chapters import select

    chosen = select(chapters or [], root)
    if not check and not lint:
        try:
            editions.build(chosen, execute=execute, say=typer.echo)
        except KeyboardInterrupt:
            typer.echo("Stopped; the editions that were being made are as before.", err=True)
            raise typer.Exit(130) from None
        for problem in lint_chapters(chosen):
            typer.echo(str(problem), err=True)
        return
    errors, warnings = [], []
    if lint:
        for problem in lint_chapters(chosen):
            (warnings if problem.level == "warning" else errors).append(problem)
    if check:
        errors += editions.check(chosen)
    for problem in [*warnings, *errors]:
        typer.echo(str(problem))
    typer.echo(f"{_count(len(chosen), 'chapter')}: {_count(len(errors), 'error')}, {_count(len(warnings), 'warning')}.")
    raise typer.Exit(1 if errors else 0)


@app.command()
def progress(
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the table to a CSV file instead.")] = None,
) -> None:
    """Which exercises you have solved."""
    from course_utils import paths
    from course_utils.exercises import progress as kept

    if csv is not None:
        kept.export_csv(csv)
        typer.echo(f"Written: {paths.display(csv)}")
        return
    _print_frame(kept.table())


@app.command()
def claims(
    results: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The results of a run (default: build/results.json).")
    ] = None,
) -> None:
    """Show the articles' claims and the last verdicts."""
    from course_utils import claims as fact_check

    _print_frame(fact_check.table(_verdicts(results)).drop(columns=["expected"], errors="ignore"))


@app.command()
def compare(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Your messages with their classes.")],
    text: Annotated[str, typer.Option(metavar="COLUMN", help="The column of the messages.")],
    label: Annotated[str, typer.Option(metavar="COLUMN", help="The column of their classes.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the results (default: compare-FILE).")] = None,
    margin: Annotated[float, typer.Option(help="Macro-F1 that the smallest model may lack.")] = 0.02,
    only: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Of majority, tfidf, small, frozen, finetuned: tfidf,frozen, say."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Draws the parts and starts the training.")] = 0,
    full: Annotated[bool, typer.Option("--full", help="More training messages, the whole encoder trained.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew; what the folder holds is deleted.")] = False,
) -> None:
    """Compare models on your own messages.

    Five models, from counting words to a fine-tuned encoder, are trained and measured, each in a process of its own.
    The folder receives report.html with a recommendation, report.json, and the recommended model. Stopped and run
    again, it goes on from there. Exit status: 0 done, 1 a model failed, 2 the request cannot be meant, 130 interrupted.
    """
    from course_utils import paths
    from course_utils.compare import running, terminal

    try:
        found = running.run(
            file,
            text,
            label,
            out=out,
            profile="full" if full else "quick",
            candidates=only,
            margin=margin,
            seed=seed,
            fresh=fresh,
        )
    except KeyboardInterrupt:
        typer.echo(
            "Stopped. What has finished is kept; the same command (without --fresh) goes on from there.", err=True
        )
        raise typer.Exit(130) from None
    for line in terminal.summary(found):
        typer.echo(line)
    _print_table(terminal.rows(found))
    typer.echo(f"Report: {paths.display(found.report)}")
    raise typer.Exit(1 if any(one.state == "failed" for one in found.outcomes) else 0)


@data_app.command("list")
def data_list(
    files: Annotated[
        bool, typer.Option("--files", help="List the files: place in COURSE_DATA, size, SHA-256.")
    ] = False,
) -> None:
    """What there is, and where each set is now."""
    from course_utils.data import fetch, registry

    rows = []
    for entry in map(registry.entry, registry.names()):
        if files:
            rows += [{"COURSE_DATA/": f.path, "size": _size(f.size), "SHA-256": f.sha256} for f in entry.files]
            continue
        status = fetch.status(entry.name)
        size = _size(status.size) if status.size else "–"
        rows.append(
            {"name": entry.name, "title": entry.title, "state": status.state, "size": size, "licence": entry.licence}
        )
    _print_table(rows)


@data_app.command("fetch")
def data_fetch(
    names: Sets = None,
    everything: Annotated[bool, typer.Option("--all", help="Fetch every set.")] = False,
) -> None:
    """Bring data sets into the cache.

    A set comes from the folder in COURSE_DATA, else by download.
    """
    from course_utils import paths
    from course_utils.data import fetch, registry

    if everything == bool(names):
        known = ", ".join(registry.names())
        raise CourseError(f"Name the sets to fetch, or give --all (one of the two). There are: {known}.")
    wanted = registry.names() if everything else list(dict.fromkeys(names or []))
    for name in wanted:
        registry.entry(name)  # an unknown name is refused before the first download
    for name in wanted:
        files = fetch.fetch(name)
        where = paths.display(next(iter(files.values())).parent) if files else "comes with an installed library"
        typer.echo(f"{name}: {where}")


@data_app.command("verify")
def data_verify(names: Sets = None) -> None:
    """Compare files with the registry's hashes.

    Every copy of the named sets (default: of all) is read; nothing is changed.
    """
    from course_utils.data import verify

    found = verify.verify(names or None)
    _print_table(
        [{"name": r.name, "file": r.file, "place": r.place, "verdict": r.verdict, "": r.detail} for r in found]
    )
    # A set that nobody asked for and nobody fetched is no problem; one that was named is, and so is a missing card.
    wrong = any(row.verdict == "damaged" or (not row.ok and (names or row.place == "course")) for row in found)
    raise typer.Exit(1 if wrong else 0)


def parameters(texts: Iterable[str]) -> dict[str, str]:
    """``["seed=3"]`` → ``{"seed": "3"}``; CourseError for a text of another form and for a name given twice."""
    values: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            raise CourseError(f"-p {text!r} is not of the form name=value, for example: -p seed=3")
        if name in values:
            raise CourseError(f"-p {name} is given twice ({values[name]!r} and {value!r}); give it once.")
        values[name] = value
    return values


def _verdicts(results: Path | None) -> list[dict[str, Any]]:
    """The claim records of a run's results file; none where there has been no run."""
    import json

    from course_utils import paths

    path = results
    if path is None:
        root = paths.checkout()
        path = root / "build" / "results.json" if root else None
        if path is None or not path.is_file():
            return []
    try:
        outcomes = json.loads(path.read_text("utf-8"))["outcomes"]
        return [claim for outcome in outcomes for claim in outcome["claims"]]
    except OSError as error:
        raise CourseError(f"{paths.display(path)} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        raise CourseError(f"{paths.display(path)} is not the results of a run. Make them again: course run") from None


def _say(copies: Iterable[Any]) -> None:
    for copy in copies:
        if copy.sentence():
            typer.echo(copy.sentence())


def _print_frame(frame: "pd.DataFrame") -> None:
    _print_table(frame.astype(object).where(frame.notna(), "").to_dict("records"))


def _print_table(rows: list[Mapping[str, Any]]) -> None:
    """Print rows as a table: folded to the terminal's width, and 160 characters wide where there is no terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=160)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in rows[0] if rows else ():
        table.add_column(str(column), overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(value)) for value in row.values()))  # Text: square brackets are no markup here
    console.print(table)


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
