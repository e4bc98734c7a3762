"""``course registry``: which version of a model answers, which is tried, and the way back."""

from pathlib import Path
from typing import Annotated, Any

import typer

from course_utils import console
from course_utils.language import say

app = typer.Typer(
    help="Try, promote and take back versions of a model.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Version = Annotated[str, typer.Argument(metavar="VERSION", help="A version, or its first digits, four or more.")]
Why = Annotated[str, typer.Option(metavar="TEXT", help="The reason, kept in the log.")]
Alpha = Annotated[float, typer.Option(help="How often the test may be wrong, looked at any time.")]
Auto = Annotated[bool, typer.Option("--auto", help="The test may promote it, too.")]


@app.callback()
def registry(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The registry; the first add makes it.")],
) -> None:
    """Put a version of a model into service, try it beside the champion, promote it, take it back.

    What is done is written to a log in FOLDER, which course serve FOLDER follows. Exit status: 0 done, 2 the request
    cannot be meant, the log was changed, or nothing can be written.
    """
    from course_utils.rollout.registry import Registry

    context.obj = Registry(folder)


@app.command("add")
def add(
    context: typer.Context,
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The folder of a saved model.")],
    note: Annotated[str, typer.Option(metavar="TEXT", help="What it is, kept in the log.")] = "",
    key: Annotated[
        Path | None, typer.Option(metavar="PUBLIC", help="Public key that must have signed the bundle.")
    ] = None,
) -> None:
    """Copy a saved model in; nobody is answered by it yet.

    course serve FOLDER --key PUBLIC asks for the signature again, each time that a version is started.
    """
    context.obj.key = None if key is None else key.expanduser()
    console.write(say("Added: {version}", version=context.obj.add(bundle, note)))


@app.command("shadow")
def shadow(
    context: typer.Context,
    version: Version,
    alpha: Alpha = 0.01,
    margin: Annotated[float, typer.Option(help="Accuracy that it may have less than the champion.")] = 0.0,
    auto: Auto = False,
    why: Why = "",
) -> None:
    """Let a version answer every request as well, for comparison only."""
    context.obj.shadow(version, alpha=alpha, margin=margin, auto=auto, why=why)
    _tell(context)


@app.command("canary")
def canary(
    context: typer.Context,
    version: Version,
    share: Annotated[float, typer.Option(help="Part of the requests that it answers.")] = 0.1,
    alpha: Alpha = 0.01,
    ratio: Annotated[float, typer.Option(help="Times the champion's error rate that its own may be.")] = 1.0,
    auto: Auto = False,
    why: Why = "",
) -> None:
    """Let a version answer a part of the requests."""
    context.obj.canary(version, share, alpha=alpha, ratio=ratio, auto=auto, why=why)
    _tell(context)


@app.command("stop")
def stop(context: typer.Context, why: Why = "") -> None:
    """End the challenger's time."""
    context.obj.stop(why)
    _tell(context)


@app.command("promote")
def promote(context: typer.Context, version: Version, why: Why = "") -> None:
    """Make a version the champion."""
    context.obj.promote(version, why)
    _tell(context)


@app.command("rollback")
def rollback(context: typer.Context, why: Why = "") -> None:
    """Make the champion before the champion again."""
    context.obj.rollback(why)
    _tell(context)


@app.command("log")
def log(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """What was done, and who answers now."""
    import json

    told = context.obj.history()
    if as_json:
        for one in told:
            print(json.dumps(one, ensure_ascii=False))
        return
    console.write_table(
        [
            {
                "time": one["time"][:19].replace("T", " "),
                "event": one["event"],
                "version": one["version"] or "–",
                "why": _reason(one),
            }
            for one in told
        ]
    )
    _tell(context)


@app.command("verify")
def verify(
    context: typer.Context,
    head: Annotated[
        str | None, typer.Option(metavar="HASH", help="The last line's hash as it was; kept where the log is not.")
    ] = None,
) -> None:
    """Read the log from its first line, and say the hash of its last one.

    A line changed in the middle is always noticed. Lines taken off the end, or a log written anew, only by a hash that
    was kept elsewhere: give it as --head.
    """
    registry = context.obj
    if head is not None:
        console.write(say("The line with this hash is there; lines after it: {n}.", n=registry.verify(head)))
    console.write(say("Head: {head}", head=registry.head))


def _tell(context: typer.Context) -> None:
    state = context.obj.state
    console.write(say("Champion: {version}", version=state.champion or "–"))
    if state.mode == "shadow":
        console.write(say("Challenger: {version}, in shadow", version=state.challenger))
    elif state.mode == "canary":
        console.write(say("Challenger: {version}, canary for {share:.1%}", version=state.challenger, share=state.share))


def _reason(event: dict[str, Any]) -> str:
    evidence = event["evidence"]
    if not evidence:
        return event["why"] or "–"
    return say(
        "{why} (log evidence {found:.1f}, {enough:.1f} is enough; {n:,} labels)",
        why=event["why"],
        found=max(evidence["worse"], evidence["better"]),
        enough=evidence["enough"],
        n=evidence["answers"],
    )
