"""Commands from your own messages to a model in service."""

from pathlib import Path
from typing import Annotated

import typer

from course_utils import console
from course_utils.language import say


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
    again, it goes on from there. Exit status: 0 done, 1 a model failed, 2 the request cannot be meant, 4 the folder
    could not be written, 130 interrupted.
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
        stopped = say("Stopped. What has finished is kept; the same command (without --fresh) goes on from there.")
        console.write(stopped, error=True)
        raise typer.Exit(130) from None
    for line in terminal.summary(found, console.width()):
        console.write(line)
    console.write_table(terminal.rows(found))
    console.write(say("Report: {path}", path=paths.display(found.report)))
    raise typer.Exit(1 if any(one.state == "failed" for one in found.outcomes) else 0)
