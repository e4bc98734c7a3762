"""What a load test found, in sentences, as a table, and as a figure of latency over rate."""

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from course_utils.language import say, say_many
from course_utils.serving.loadtest import Found, Percentiles, Result

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_ENOUGH = 1_000  # requests below which fewer than ten lie above the p99
_BUSY = 0.5  # share of a processor from which on the generator is at its own limit
_HIDDEN_MS = 5.0  # what counting from sending hides, and is worth a sentence


def table(results: Iterable[Result]) -> "pd.DataFrame":
    """One row a run, by rate: requests/s asked for and answered, percentiles in ms, failed requests, and n."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "rate": one.rate,
                "answers/s": round(one.throughput, 1),
                "p50 ms": round(one.latency.p50, 2),
                "p90 ms": round(one.latency.p90, 2),
                "p99 ms": round(one.latency.p99, 2),
                "max ms": round(one.latency.max, 2),
                "p99 ms, from sending": round(one.service.p99, 2),
                "failed": sum(one.errors.values()),
                "requests": one.requests,
                "generator fell behind": one.behind,
            }
            for one in sorted(results, key=lambda one: one.rate)
        ]
    )


def figure(
    results: Sequence[Result], *, alt: str, bound_ms: float | None = None, title: str | None = None
) -> "go.Figure":
    """Percentiles of latency over the rate, both on logarithmic axes; a rate that failed requests is marked.

    Of several runs at one rate the last is shown. ``bound_ms`` is a line across. Raises CourseError without ``alt``.
    """
    import pandas as pd

    from course_utils import figures

    last = {one.rate: one for one in results if one.latency.n}
    runs = [last[rate] for rate in sorted(last)]
    kinds = ("p50", "p90", "p99", "max")
    points = pd.DataFrame(
        [(one.rate, kind, getattr(one.latency, kind)) for kind in kinds for one in runs],
        columns=["rate", "percentile", "milliseconds"],
    )
    made = figures.lines(
        points,
        "rate",
        "milliseconds",
        "percentile",
        alt=alt,
        title=title,
        x_title=say("requests a second"),
        y_title=say("latency from when it was due, ms"),
        logarithmic="xy",
    )
    failed = [one for one in runs if one.errors]
    if failed:
        made.add_scatter(
            x=[one.rate for one in failed],
            y=[one.latency.max for one in failed],
            mode="markers",
            name=say("requests failed"),
            marker={"symbol": "x", "size": 13, "color": figures.COLOURS[6]},
            hovertext=[errors(one) for one in failed],
        )
    if bound_ms is not None:
        made.add_hline(y=bound_ms, line={"color": figures.COLOURS[6], "dash": "dot", "width": 1.5})
        made.add_annotation(
            x=0, xref="paper", y=math.log10(bound_ms), yshift=9, xanchor="left", showarrow=False,
            text=say("bound: p99 within {bound:g} ms", bound=bound_ms),
        )  # fmt: skip
    return made


def errors(result: Result) -> str:
    """The failed requests by kind, the commonest first; "" without any."""
    kinds = sorted(result.errors.items(), key=lambda item: -item[1])
    return ", ".join(f"{kind}: {number:,}" for kind, number in kinds)


def rows(result: Result) -> list[dict[str, str]]:
    """A run's percentiles for a terminal: as its users feel them, and as counted from sending."""

    def row(name: str, of: Percentiles) -> dict[str, str]:
        times = {"p50": of.p50, "p90": of.p90, "p99": of.p99, "max": of.max}
        return {"ms": name, **{key: milliseconds(value) for key, value in times.items()}, "n": f"{of.n:,}"}

    return [
        row(say("from when it was due"), result.latency),
        row(say("from when it was sent"), result.service),
        row(say("sent late by"), result.late),
    ]


def milliseconds(value: float) -> str:
    """Three figures: "0.512", "12.3", "1,043"; "–" where it is not known."""
    if not math.isfinite(value):
        return "–"
    decimals = max(0, 2 - (math.floor(math.log10(value)) if value >= 0.001 else -1))
    return f"{value:,.{decimals}f}"


def sentences(result: Result) -> list[str]:
    """A run in words: how much was answered, what failed, and how far the figures may be trusted."""
    said = []
    if result.interrupted:
        said.append(say("Stopped: this is what had been measured by then."))
    said.append(
        say_many(
            "{n:,} request, {answered:,} answered: {throughput:,.1f} answers a second of {offered:,.1f} asked for.",
            "{n:,} requests, {answered:,} answered: {throughput:,.1f} answers a second of {offered:,.1f} asked for.",
            result.requests,
            answered=result.answered,
            throughput=result.throughput,
            offered=result.offered,
        )
    )
    if result.errors:
        said.append(say("Failed: {errors}.", errors=errors(result)))
    if result.behind:
        said.append(
            say(
                "The load generator itself fell behind: 1 % of its requests went out {late} ms late or more. The "
                "figures are those of the machine that sends, and the server may well be faster.",
                late=milliseconds(result.late.p99),
            )
        )
        if result.processor < _BUSY:
            said.append(
                say(
                    "It used {share:.0%} of a processor only, so other programs keep this machine busy: end them, "
                    "and measure again.",
                    share=result.processor,
                )
            )
        else:
            said.append(say("Take a lower rate, or send from a machine with more processors to spare."))
    elif result.latency.p99 > 2 * result.service.p99 and result.latency.p99 - result.service.p99 > _HIDDEN_MS:
        said.append(
            say(
                "Requests waited for a free connection ({connections} were open at most). A tool that counts from "
                "sending would report a p99 of {service} ms; users wait {latency} ms.",
                connections=result.connections,
                service=milliseconds(result.service.p99),
                latency=milliseconds(result.latency.p99),
            )
        )
    if 0 < result.latency.n < _ENOUGH:
        above = max(1, result.latency.n // 100)
        said.append(
            say_many(
                "The p99 rests on the slowest request; --seconds {more:.0f} would give ten.",
                "The p99 rests on the {n} slowest requests; --seconds {more:.0f} would give ten.",
                above,
                more=math.ceil(_ENOUGH / result.rate),
            )
        )
    return said


def verdict(found: Found) -> list[str]:
    """What a search found, in words."""
    if not found.rate:
        reasons = {
            "time": say("The time was up before any rate had held."),
            "interrupted": say("Stopped before any rate had held."),
            "generator": say(
                "The load generator fell behind, and the server was not measured: this machine is busy with other "
                "programs, or --bound-ms is smaller than its own delays."
            ),
        }
        none = say("No rate holds a p99 within {bound:g} ms without a failed request.", bound=found.bound_ms)
        return [reasons.get(found.limit, none)]
    said = [
        say(
            "{rate:,.0f} requests a second hold a p99 within {bound:g} ms without a failed request.",
            rate=found.rate,
            bound=found.bound_ms,
        )
    ]
    more = {
        "generator": say(
            "Above that the load generator itself was late here, so this is its limit and not the server's, which may "
            "take more."
        ),
        "most": say("No higher rate was tried."),
        "time": say("The time was up, so a higher rate might hold, too."),
        "interrupted": say("Stopped, so a higher rate might hold, too."),
    }
    return said + ([more[found.limit]] if found.limit in more else [])


def step(result: Result, held: bool) -> str:
    """One step of a search as a line."""
    how = errors(result) or say("p99 {p99} ms", p99=milliseconds(result.latency.p99))
    if held:
        return say("{rate:>8,.0f}/s  held    {how}", rate=result.rate, how=how)
    if result.behind:
        return say("{rate:>8,.0f}/s  broken  {how}, the generator late", rate=result.rate, how=how)
    return say("{rate:>8,.0f}/s  broken  {how}", rate=result.rate, how=how)
