"""``course loadtest``: requests at a rate, whatever the server does, and what its users would feel."""

from pathlib import Path
from typing import Annotated

import typer

from course_utils import console
from course_utils.language import say


def loadtest(
    url: Annotated[str, typer.Argument(metavar="URL", help="A service: http://127.0.0.1:8000, say.")],
    rate: Annotated[float | None, typer.Option(help="Requests a second (default: 50).")] = None,
    seconds: Annotated[float | None, typer.Option(help="How long (default: 10; a step of a search: 3).")] = None,
    bound_ms: Annotated[
        float | None, typer.Option(help="A p99 to hold. Without --rate, the highest rate that does is searched for.")
    ] = None,
    body: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The JSON of a request; .jsonl: one a line (default: the server is asked)."),
    ] = None,
    connections: Annotated[int, typer.Option(help="Open at once, at most.")] = 100,
    timeout: Annotated[float, typer.Option(help="Seconds after which a request has failed.")] = 10.0,
    warm_up: Annotated[float, typer.Option(help="Seconds before, at the same rate, that do not count.")] = 1.0,
    even: Annotated[bool, typer.Option("--even", help="At even intervals, not at random as users come.")] = False,
    seed: Annotated[int, typer.Option(help="Draws the moments of arrival.")] = 0,
    limit_seconds: Annotated[float, typer.Option(help="How long a search may take.")] = 120.0,
    api_key_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A key, sent as Authorization: Bearer.")
    ] = None,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write everything measured there.")] = None,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Another machine than this, of which you answer for the load.")
    ] = False,
) -> None:
    """Send requests at a rate and measure latency.

    Requests come when they are due, whether the server is free or not, and latency counts from then. Exit status: 0
    every request answered (and p99 within --bound-ms), 1 not so, 2 the request cannot be meant or nothing answers at
    the address, 4 the numbers could not be written, 130 interrupted.
    """
    from course_utils.commands.keeping import keep_json
    from course_utils.serving import bodies, load_view, loading, loadtest

    key = None if api_key_file is None else loading.read_key(api_key_file)
    made = {
        "body": None if body is None else bodies.from_file(body),
        "connections": connections,
        "seed": seed,
        "arrivals": "even" if even else "poisson",
        "headers": {} if key is None else {"Authorization": f"Bearer {key}"},
        "allow_remote": allow_remote,
    }
    try:
        if bound_ms is not None and rate is None:

            def tell(result: loadtest.Result, held: bool) -> None:
                console.write(load_view.step(result, held))

            found = loadtest.find_rate(
                url,
                bound_ms,
                seconds=3.0 if seconds is None else seconds,
                limit_seconds=limit_seconds,
                tell=tell,
                **made,
            )
            result, said = found.at_rate, load_view.verdict(found)
            interrupted, passed = found.limit == "interrupted", found.rate > 0
            content = found.as_json()
        else:
            result = loadtest.run(
                url,
                rate=50.0 if rate is None else rate,
                seconds=10.0 if seconds is None else seconds,
                timeout=timeout,
                warm_up=warm_up,
                **made,
            )
            said, interrupted, content = [], result.interrupted, result.as_json()
            passed = bool(result.answered) and not result.errors
            if bound_ms is not None:
                passed = result.holds(bound_ms)
    except KeyboardInterrupt:
        console.write(say("Stopped before anything was measured."), error=True)
        raise typer.Exit(130) from None
    if result is not None:
        console.write(result.url)
        console.write_table(load_view.rows(result), right=("p50", "p90", "p99", "max", "n"))
        said = [*load_view.sentences(result), *said]
    if result is not None and rate is not None and bound_ms is not None:
        within = say("The p99 is within the bound of {bound:g} ms.", bound=bound_ms)
        beyond = say("The bound of {bound:g} ms, with every request answered, does not hold.", bound=bound_ms)
        said.append(within if passed else beyond)
    for sentence in said:
        console.write(sentence)
    status = 130 if interrupted else 0 if passed else 1
    if json is not None:
        keep_json(json, content, status)
    raise typer.Exit(status)
