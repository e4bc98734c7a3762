"""Commands for those who take the course: look at the machine, open, bring back and run the chapters, see how far."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from course_utils import console
from course_utils.commands import Chapters
from course_utils.errors import CourseError
from course_utils.language import say, say_many


def doctor(
    framework: Annotated[bool, typer.Option(help="Start Keras too, to see that it works (takes seconds).")] = False,
) -> None:
    """Check this machine; name what mends it."""
    from course_utils.doctor import report

    found = report(framework=framework)
    console.write(found.text(console.width()))
    raise typer.Exit(1 if found.problems else 0)


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
        console.write(
            say_many(
                "{n} notebook copied into {place}. What you do there stays yours.",
                "{n} notebooks copied into {place}. What you do there stays yours.",
                new,
                place=place,
            )
        )
    _say(copies)
    command = workspace.lab_command(root, browser=browser, port=port, more=tuple(more or ()))
    raise typer.Exit(workspace.serve(command, root))


def reset(chapters: Chapters = None) -> None:
    """Bring chapters back as the course has them.

    Your own copies in work/ are kept beside them, under names with the date and time.
    """
    from course_utils import workspace

    _say(workspace.reset(chapters or []))
    console.write(say("If a notebook is open in JupyterLab, choose File > Reload Notebook from Disk."))


def run(
    chapters: Chapters = None,
    profile: Annotated[str, typer.Option(envvar="COURSE_PROFILE", help="quick or full.")] = "quick",
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", metavar="NAME=VALUE", help="Set a notebook's parameter.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(help="Chapters that run at once (default: quick as many as cores and memory bear, full one)."),
    ] = None,
    edition: Annotated[str, typer.Option(help="learner or solutions.")] = "learner",
    road: Annotated[str, typer.Option(help="all, or main: without the side roads.")] = "all",
    strict: Annotated[bool, typer.Option("--strict", help="An unsolved or wrong exercise fails its chapter.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the results (default: build).")] = None,
    timeout: Annotated[
        float | None, typer.Option(help="Seconds a chapter may take (default: 15 minutes quick, 6 hours full).")
    ] = None,
) -> None:
    """Run chapters headless and write a report.

    Without a name every chapter runs. The table is printed; build/ receives report.html, results.json and the executed
    notebooks. Exit status: 0 all passed, 1 something failed, 3 something was not run, 4 all passed, but the results or
    the report could not be written, 130 interrupted.
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
        road=road,
        strict=strict,
        out=out,
        timeout=timeout,
    )
    page = out / "report.html"
    report.write(outcomes, page)
    console.write(say("Report: {path}", path=paths.display(page)))
    raise typer.Exit(runs.exit_status(outcomes))


def progress(
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the table to a CSV file instead.")] = None,
) -> None:
    """Which exercises you have solved."""
    from course_utils import paths
    from course_utils.exercises import progress as kept

    if csv is not None:
        kept.export_csv(csv)
        console.write(say("Written: {path}", path=paths.display(csv)))
        return
    console.write_table(kept.table().astype(object).to_dict("records"))


def claims(
    results: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The results of a run (default: build/results.json).")
    ] = None,
) -> None:
    """Show the articles' claims and the last verdicts."""
    from course_utils import claims as fact_check

    found = fact_check.table(_verdicts(results)).to_dict("records")
    rows = [
        {
            "claim": row["id"],
            "where": row["where"],
            "chapter": row["chapter"],
            "verdict": row["verdict"] or "–",
            "the article": row["says"],
            "evidence": row["evidence"],
        }
        for row in found
    ]
    console.write_table(rows, below=("the article", "evidence"))


def parameters(texts: Iterable[str]) -> dict[str, str]:
    """``["seed=3"]`` → ``{"seed": "3"}``; CourseError for a text of another form and for a name given twice."""
    values: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            raise CourseError(say("-p {text!r} is not of the form name=value, for example: -p seed=3", text=text))
        if name in values:
            twice = say("-p {name} is given twice ({a!r} and {b!r}); give it once.", name=name, a=values[name], b=value)
            raise CourseError(twice)
        values[name] = value
    return values


def _verdicts(results: Path | None) -> list[dict[str, Any]]:
    """The claim records of a run's results file; none where there has been no run."""
    from course_utils import paths
    from course_utils.running.outcome import read_results

    path = results
    if path is None:
        root = paths.checkout()
        path = root / "build" / "results.json" if root else None
        if path is None or not path.is_file():
            return []
    return [claim for outcome in read_results(path).outcomes for claim in outcome.claims]


def _say(copies: Iterable[Any]) -> None:
    for copy in copies:
        if copy.sentence():
            console.write(copy.sentence())
