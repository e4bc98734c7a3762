"""``course capstone``: from a learner's own data to a service in production, step by step."""

from pathlib import Path
from typing import Annotated

import typer

from course_utils import console
from course_utils.language import say, say_many

app = typer.Typer(
    help="Take your own data from question to service.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def capstone() -> None:
    """Take your own data from a question to a running, gated, monitored service with a decision report.

    The work is done by the course's other commands; this one says which, and checks what came of them.
    """


@app.command("start")
def start(
    folder: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="A new folder.", show_default=True)] = Path(
        "capstone"
    ),
    data: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Your messages (default: the course's tickets).")
    ] = None,
    text: Annotated[str, typer.Option(metavar="COLUMN", help="The column of the messages.")] = "text",
    label: Annotated[str, typer.Option(metavar="COLUMN", help="The column of their classes.")] = "label",
    time: Annotated[str | None, typer.Option(metavar="COLUMN", help="Dates: the newest become the test.")] = None,
) -> None:
    """Write a folder: question, data, steps.

    Exit status: 0 done, 2 the request cannot be meant or nothing can be written.
    """
    from course_utils.capstone import starting

    names = starting.start(folder, data, text, label, time)
    console.write(say("Written: {names}", names=", ".join(names)))
    console.write(say("Next: {command}, and read README.md", command=starting.change_into(folder) or "ls"))


@app.command("check")
def check(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="The capstone (default: this folder, or ./capstone).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what is done, missing, or contradicts.

    Walks through the seven steps. A model that is ready is put through the gate again, served on loopback for some
    seconds, and ended. Nothing in the folder is changed. Exit status: 0 all steps are done, 1 not so, 2 the
    folder is no capstone, 130 interrupted.
    """
    import dataclasses
    import json

    from course_utils import paths, processes
    from course_utils.capstone import question, starting, walk
    from course_utils.capstone.work import DONE

    if folder is None:
        folder = Path() if Path(question.FILE).is_file() else Path("capstone")
    steps = []
    try:
        with processes.terminated_as_interrupted():
            for step in walk.walk(folder):
                steps.append(step)
                if not as_json:
                    _tell(step)
    except KeyboardInterrupt:
        console.write(say("Stopped; nothing was changed."), error=True)
        raise typer.Exit(130) from None
    left = sum(step.state != DONE for step in steps)
    if as_json:
        told = {"schema": 1, "folder": paths.display(folder), "passed": not left}
        print(json.dumps({**told, "steps": [dataclasses.asdict(step) for step in steps]}, ensure_ascii=False))
        raise typer.Exit(1 if left else 0)
    if not left:
        console.write(say("All steps are done. Now let a colleague read report.md with rubric.md beside it."))
        return
    into = starting.change_into(folder.expanduser())
    if into:
        console.write(say("The commands are typed in the folder: {command}", command=into))
    console.write(say_many("{n} step is not done yet.", "{n} steps are not done yet.", left))
    raise typer.Exit(1)


@app.command("rubric")
def rubric() -> None:
    """Print what a colleague scores."""
    from course_utils.capstone import rubric

    console.write(rubric.text().rstrip())


def _tell(step) -> None:
    """A step in one to three lines."""
    from course_utils.capstone.work import DONE, MISSING

    marks = {DONE: say("done"), MISSING: say("missing")}
    state = marks.get(step.state, say("contradicts"))
    console.write(say("{number}. {title}: {state}", number=step.number, title=step.title, state=state))
    console.write(say("   {found}", found=step.found))
    if step.expected:
        console.write(say("   Expected: {expected}", expected=step.expected))
        console.write(say("   Type: {command}", command=step.command))
