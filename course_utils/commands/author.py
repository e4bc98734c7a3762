"""Commands for those who write the course."""

from typing import Annotated

import typer

from course_utils import console
from course_utils.commands import Chapters
from course_utils.language import say


def build(
    chapters: Chapters = None,
    check: Annotated[bool, typer.Option("--check", help="Only compare the editions with their sources.")] = False,
    lint: Annotated[bool, typer.Option("--lint", help="Only check the sources against a chapter's anatomy.")] = False,
    table: Annotated[
        bool, typer.Option("--table", help="Only write README's table of chapters, from the last run (build/).")
    ] = False,
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
    if table:
        from course_utils.authoring import readme

        measured = readme.write(root / "README.md", root / "build" / "results.json", select([], root))
        console.write(say("README.md: the table of chapters has measured {numbers}.", numbers=", ".join(measured)))
        return
    if not check and not lint:
        try:
            editions.build(chosen, execute=execute, say=console.write)
        except KeyboardInterrupt:
            console.write(say("Stopped; the editions that were being made are as before."), error=True)
            raise typer.Exit(130) from None
        for problem in lint_chapters(chosen):
            console.write(str(problem), error=True)
        return
    errors, warnings = [], []
    if lint:
        for problem in lint_chapters(chosen):
            (warnings if problem.level == "warning" else errors).append(problem)
    if check:
        errors += editions.check(chosen)
    for problem in [*warnings, *errors]:
        console.write(str(problem))
    console.write(
        say(
            "{chapters}: {errors}, {warnings}.",
            chapters=console.count(len(chosen), "chapter"),
            errors=console.count(len(errors), "error"),
            warnings=console.count(len(warnings), "warning"),
        )
    )
    raise typer.Exit(1 if errors else 0)
