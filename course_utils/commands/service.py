"""Commands from your own messages to a model in service."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from course_utils import console
from course_utils.errors import CourseError
from course_utils.language import say

if TYPE_CHECKING:
    from course_utils.compare.api import Prices


def compare(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Your messages with their classes.")],
    text: Annotated[str, typer.Option(metavar="COLUMN", help="The column of the messages.")],
    label: Annotated[str, typer.Option(metavar="COLUMN", help="The column of their classes.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the results (default: compare-FILE).")] = None,
    minutes_by_hand: Annotated[float, typer.Option(help="Minutes of a person for a message.")] = 1.0,
    minutes_per_error: Annotated[float, typer.Option(help="Minutes that a wrong answer costs.")] = 12.0,
    messages_a_month: Annotated[int, typer.Option(help="Messages a month.")] = 1_000,
    must_find: Annotated[
        list[str] | None,
        typer.Option(metavar="CLASS=SHARE", help="A class of which this share must be found: security=0.95, say."),
    ] = None,
    time: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Dates: the newest messages become the test.")
    ] = None,
    splits: Annotated[int | None, typer.Option(help="1, 3 or 5 (default: 3 for up to 2,000 labels, else 1).")] = None,
    refit: Annotated[
        str, typer.Option(help="outside: the saved model is the measured one; all: it learns from the test, too.")
    ] = "outside",
    api_prices: Annotated[
        str | None,
        typer.Option(metavar="READ,WRITTEN", help="A provider's US$ for a million tokens (default: 2.50,10.00)."),
    ] = None,
    hour_costs: Annotated[float, typer.Option(help="US$ that an hour of work costs.")] = 40.0,
    only: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Of majority, tfidf, small, frozen, finetuned: tfidf,frozen, say."),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(metavar="FOLDER|PRESET", help="A BERT for another language than English: bert_base_zh, say."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Draws the parts and starts the training.")] = 0,
    full: Annotated[bool, typer.Option("--full", help="More training messages, the whole encoder trained.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew; what the folder holds is deleted.")] = False,
) -> None:
    """Compare models on your own messages.

    Five models, from counting words to a fine-tuned encoder, are trained and measured, each in a process of its own,
    and charged in hours a month. The folder receives report.html with a recommendation, report.json, and the
    recommended model, trained on all labels outside the test. Stopped and run again, it goes on from there. Exit
    status: 0 done, 1 a model failed, 2 the request cannot be meant, 4 the folder could not be written, 130 interrupted.
    """
    from course_utils import paths
    from course_utils.compare import account, running, terminal

    try:
        found = running.run(
            file,
            text,
            label,
            out=out,
            profile="full" if full else "quick",
            candidates=only,
            currency=account.Currency(minutes_by_hand, minutes_per_error, messages_a_month),
            must_find=_shares(must_find or []),
            prices=_prices(api_prices, hour_costs),
            splits=splits,
            refit=refit,
            time_column=time,
            encoder=encoder,
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


def sign(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A model's folder.")],
    key: Annotated[Path, typer.Option(metavar="FILE", help="Your private key; it stays where the model was made.")],
    new_key: Annotated[bool, typer.Option("--new-key", help="Make the key, and FILE.pub for whoever checks.")] = False,
) -> None:
    """Sign a model, so that whoever loads it can tell who made it.

    A hash beside a file shows that it arrived whole; only a signature, whose key is elsewhere, shows that it is yours.
    """
    from course_utils import bundles, paths

    if new_key:
        _, public = bundles.new_keys(key)
        console.write(say("The public key: {path}", path=paths.display(public)))
    written = bundles.sign(bundle, key)
    console.write(say("Signed: {path}", path=paths.display(written)))


def _shares(given: list[str]) -> dict[str, float]:
    """The classes of --must-find with their shares."""
    found = {}
    for one in given:
        name, separator, share = one.rpartition("=")
        try:
            found[name.strip()] = float(share)
        except ValueError:
            separator = ""
        if not separator or not name.strip():
            raise CourseError(
                say("--must-find wants a class and a share, security=0.95, say; it got {one!r}.", one=one)
            )
    return found


def _prices(given: str | None, hour: float) -> "Prices":
    """A provider's prices; those of the default where none are given."""
    import datetime

    from course_utils.compare.api import Prices

    if given is None:
        return Prices(hour=hour)
    try:
        read, written = map(float, given.split(","))
    except ValueError:
        raise CourseError(
            say("--api-prices wants two numbers, 2.50,10.00, say; it got {given!r}.", given=given)
        ) from None
    return Prices(read, written, hour, f"{datetime.datetime.now(datetime.UTC):%Y-%m}")
