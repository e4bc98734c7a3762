"""A load test with open-loop arrivals: requests come when they are due, not when the server has time for them.

Latency is counted from the moment at which a request was *due*. Counted from its sending, as many tools do, a server
that stalls keeps the next requests from being sent, and so hides its own stall ("coordinated omission"); both are
reported, for the difference to be seen.
"""

import gc
import json
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.serving import bodies, generator
from course_utils.serving.target import Target, ask, find

CONNECTIONS = 100
TIMEOUT = 10.0
_MOST_REQUESTS = 2_000_000
_MOST_CONNECTIONS = 900
_LATE_MS = 2.0  # a generator that is later than this, and than a quarter of what it measures, has fallen behind
_LATE_SHARE = 0.25
Body = bytes | str | Mapping[str, Any] | Sequence[bytes] | None
Arrivals = Literal["poisson", "even"]


@dataclass(frozen=True)
class Percentiles:
    """Milliseconds that 50, 90 and 99 % of ``n`` requests stayed within, each one of the measured, and the most."""

    n: int
    p50: float
    p90: float
    p99: float
    max: float

    @classmethod
    def of(cls, milliseconds: np.ndarray) -> "Percentiles":
        """Of the finite ones among ``milliseconds``; all NaN where there is none."""
        known = milliseconds[np.isfinite(milliseconds)]
        if not len(known):
            return cls(0, *[math.nan] * 4)
        return cls(len(known), *map(float, np.percentile(known, [50, 90, 99, 100], method="higher")))


@dataclass(frozen=True, eq=False)
class Result:
    """What a load test measured, its warm-up left out.

    ``latency`` counts from when requests were due, ``service`` from when they were sent; both are of those answered
    with 2xx, and of time-outs, which waited at least so long. ``errors`` counts by kind: "status 503", "no connection",
    "connection closed", "time-out", "not HTTP". ``offered`` is how many came a second (of "poisson" arrivals not just
    ``rate``), ``throughput`` answers (2xx) a second. ``late`` is how late the
    generator itself came to its requests, ``processor`` the share of a processor that it used; ``behind`` says that
    this is too much for the latencies to be the server's. The arrays have one entry a request, in the order in which
    they were due: ``due_s`` from the start, ``latency_ms`` and ``service_ms`` (NaN where there is none).
    """

    url: str
    rate: float
    seconds: float
    arrivals: str
    seed: int
    connections: int
    requests: int
    answered: int
    errors: dict[str, int]
    offered: float
    throughput: float
    latency: Percentiles
    service: Percentiles
    late: Percentiles
    processor: float
    behind: bool
    interrupted: bool
    due_s: np.ndarray = field(repr=False)
    latency_ms: np.ndarray = field(repr=False)
    service_ms: np.ndarray = field(repr=False)

    def holds(self, bound_ms: float) -> bool:
        """Whether every request was answered and the p99 from when they were due is within ``bound_ms``."""
        return self.answered > 0 and not self.errors and self.latency.p99 <= bound_ms

    def as_json(self) -> dict[str, Any]:
        """Everything but the arrays, for `json`; what is not known is None."""
        known = {key: value for key, value in vars(self).items() if not isinstance(value, np.ndarray)}
        for key, value in known.items():
            if isinstance(value, Percentiles):
                known[key] = {name: _rounded(number) for name, number in asdict(value).items()}
            elif isinstance(value, float):
                known[key] = _rounded(value)
        return known


@dataclass(frozen=True, eq=False)
class Found:
    """The highest ``rate`` (requests a second) that held ``bound_ms``, 0 where none did; ``at_rate`` is its run.

    ``limit`` says what stood above it: "server" (a higher rate broke the bound), "generator" (the load generator could
    not send more, the server may well take it), "most" (no higher rate was wanted), "time", or "interrupted"; with the
    last two the rate held, and a higher one might. ``steps`` are all runs in their order.
    """

    url: str
    bound_ms: float
    rate: float
    limit: str
    at_rate: Result | None
    steps: tuple[Result, ...] = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """The search and each of its steps, for `json`."""
        return {
            "url": self.url,
            "bound_ms": self.bound_ms,
            "rate": _rounded(self.rate),
            "limit": self.limit,
            "at_rate": None if self.at_rate is None else self.at_rate.as_json(),
            "steps": [step.as_json() for step in self.steps],
        }


def run(
    url: str,
    *,
    rate: float,
    seconds: float = 10.0,
    body: Body = None,
    arrivals: Arrivals = "poisson",
    seed: int = 0,
    connections: int = CONNECTIONS,
    timeout: float = TIMEOUT,
    warm_up: float = 1.0,
    headers: Mapping[str, str] | None = None,
    allow_remote: bool = False,
) -> Result:
    """Send ``rate`` requests a second for ``seconds``, after ``warm_up`` seconds that are not counted, and measure.

    ``body`` is the JSON of a request (bytes, text or a mapping) or several, sent in turn; None asks the server what it
    takes (`bodies.found_by_asking`). An address without a path means the service's ``/v1/predict``. Arrivals are
    "poisson", as those of independent users, or "even". A request waits while all ``connections`` are busy, which its
    latency includes, and has failed after ``timeout`` seconds. Ctrl-C gives what has been measured by then.

    Raises CourseError for values that cannot be meant, another machine unless ``allow_remote``, an address where
    nothing answers, and a request that the server does not take.
    """
    plan = _plan(url, body, headers, allow_remote, connections, timeout, seed)
    return plan.run(rate, seconds, arrivals=arrivals, seed=seed, warm_up=warm_up)


def find_rate(
    url: str,
    bound_ms: float,
    *,
    body: Body = None,
    start: float = 20.0,
    most: float = 5_000.0,
    within: float = 0.1,
    seconds: float = 3.0,
    limit_seconds: float = 120.0,
    arrivals: Arrivals = "poisson",
    seed: int = 0,
    connections: int = CONNECTIONS,
    headers: Mapping[str, str] | None = None,
    allow_remote: bool = False,
    tell: Callable[[Result, bool], None] = lambda _result, _held: None,
) -> Found:
    """The highest rate, to a share of ``within``, at which p99 stays within ``bound_ms`` and no request fails.

    The rate is doubled from ``start`` while that holds (halved where the server does not hold it), then bisected. A
    step takes ``seconds``, and longer at a low rate, for at least 100 requests, 8 seconds at most; one whose p99 is
    within a quarter of the bound is taken three times at most, and two decide. The rate found is confirmed by a step
    twice as long, and taken lower until one holds. After ``limit_seconds`` (and the step then begun) the search ends.
    ``tell`` hears of each step and whether it held. Raises as `run` does.
    """
    _positive(bound_ms=bound_ms, start=start, most=most, within=within, seconds=seconds, limit_seconds=limit_seconds)
    timeout = max(1.0, 4 * bound_ms / 1_000)
    plan = _plan(url, body, headers, allow_remote, connections, timeout, seed)
    search = _Search(plan, bound_ms, seconds, time.monotonic() + limit_seconds, arrivals, seed, tell)
    try:
        return search.highest(min(start, most), most, within)
    except _Ended as ended:
        return search.found(str(ended))


# ------------------------------------------------------------------------------------------------------------- a run


@dataclass(frozen=True)
class _Plan:
    """Whom to send what, and over how many connections."""

    target: Target
    bodies: list[bytes | None]
    connections: int
    timeout: float

    def run(
        self, rate: float, seconds: float, *, arrivals: str, seed: int, warm_up: float, fails_fast: bool = False
    ) -> Result:
        _positive(rate=rate, seconds=seconds)
        if not (math.isfinite(warm_up) and warm_up >= 0):
            raise CourseError(say("The warm-up is {value} s; it should be 0 or more.", value=warm_up))
        if rate * (seconds + warm_up) > _MOST_REQUESTS:
            raise CourseError(
                say(
                    "{n:,.0f} requests are too many for one run ({most:,} at most): take a lower rate or less time.",
                    n=rate * (seconds + warm_up),
                    most=_MOST_REQUESTS,
                )
            )
        due = schedule(rate, warm_up + seconds, arrivals, seed)
        if not (due >= warm_up).any():
            raise CourseError(
                say(
                    "At {rate:g} requests a second none came in {seconds:g} s: take a higher rate or more seconds.",
                    rate=rate,
                    seconds=seconds,
                )
            )
        made = generator.Generator(
            self.target,
            [self.target.request(body) for body in self.bodies],
            due.tolist(),
            timeout=self.timeout,
            connections=self.connections,
            fails_fast=fails_fast,
            counted_from=warm_up,
        )
        log, interrupted = _in_a_thread(made)
        return self._result(log, interrupted, rate, seconds, arrivals, seed, warm_up)

    def _result(
        self,
        log: generator.Log,
        interrupted: bool,
        rate: float,
        seconds: float,
        arrivals: str,
        seed: int,
        warm_up: float,
    ) -> Result:
        due, kind = np.array(log.due), np.array(log.kind, dtype=object)
        counted = (due >= warm_up) & (kind != generator.UNFINISHED)
        due, kind = due[counted] - warm_up, kind[counted]
        done, sent = np.array(log.done)[counted] - warm_up, np.array(log.sent)[counted] - warm_up
        late_ms = np.array(log.late)[counted] * 1_000
        timed = (kind == "") | (kind == generator.TIMEOUT)
        latency_ms = np.where(timed, done - due, math.nan) * 1_000
        service_ms = np.where(timed, done - sent, math.nan) * 1_000
        errors = dict(sorted(Counter(one for one in kind.tolist() if one).items()))
        answered = int((kind == "").sum())
        # Until the last answer where the server was still at it after the last arrival, else for the time planned.
        planned = seconds if not log.stopped else float(due.max(initial=0.0))
        span = max(planned, float(np.max(done[kind == ""], initial=0.0)))
        latency, late = Percentiles.of(latency_ms), Percentiles.of(late_ms)
        return Result(
            url=self.target.url,
            rate=float(rate),
            seconds=float(seconds),
            arrivals=arrivals,
            seed=seed,
            connections=self.connections,
            requests=len(due),
            answered=answered,
            errors=errors,
            offered=len(due) / planned if planned else 0.0,
            throughput=answered / span if span else 0.0,
            latency=latency,
            service=Percentiles.of(service_ms),
            late=late,
            processor=log.processor,
            behind=_is_behind(late, latency) or generator.OWN in errors,
            interrupted=interrupted,
            due_s=due,
            latency_ms=latency_ms,
            service_ms=service_ms,
        )


def schedule(rate: float, seconds: float, arrivals: str = "poisson", seed: int = 0) -> np.ndarray:
    """The times (seconds, rising, below ``seconds``) at which requests are due; the same for the same seed.

    "even": every 1/``rate`` s. "poisson": so on average, with waits of exponential lengths between; at a low rate there
    may be none. Raises CourseError for other ``arrivals``.
    """
    if arrivals == "even":
        return np.arange(math.ceil(rate * seconds - 1e-9)) / rate
    if arrivals != "poisson":
        raise CourseError(say("Arrivals are poisson or even, not {given!r}.", given=arrivals))
    draws = np.random.default_rng(seed)
    number = rate * seconds
    times = np.cumsum(draws.exponential(1 / rate, size=int(number + 8 * math.sqrt(number) + 20)))
    return times[: np.searchsorted(times, seconds)]


def _is_behind(late: Percentiles, latency: Percentiles) -> bool:
    if not late.n:
        return False
    share = latency.p99 * _LATE_SHARE if latency.n else 0.0
    return late.p99 > max(_LATE_MS, share)


def _in_a_thread(made: generator.Generator) -> tuple[generator.Log, bool]:
    """Run the generator beside a notebook's own event loop; Ctrl-C stops it. Returns its log and whether that came."""
    came: list[Any] = []
    over = threading.Event()

    def work() -> None:
        try:
            came.append(made.run())
        except BaseException as error:
            came.append(error)
        over.set()

    thread = threading.Thread(target=work, daemon=True)
    interrupted = False
    gc.collect()
    gc.freeze()  # a large notebook's objects are not gone through in the middle of a measurement
    try:
        thread.start()
        while not over.is_set():  # an interrupted join of Python 3.11 takes the thread for ended
            try:
                over.wait(0.5)  # not for ever: Windows would not hear Ctrl-C
            except KeyboardInterrupt:
                interrupted = True
                made.interrupt()
    finally:
        gc.unfreeze()
    if isinstance(came[0], BaseException):
        raise came[0]
    return came[0], interrupted


def _plan(
    url: str,
    body: Body,
    headers: Mapping[str, str] | None,
    allow_remote: bool,
    connections: int,
    timeout: float,
    seed: int,
) -> _Plan:
    _positive(timeout=timeout)
    if not 1 <= connections <= _MOST_CONNECTIONS:
        raise CourseError(
            say("{given} connections are asked for; 1 to {most} can be had.", given=connections, most=_MOST_CONNECTIONS)
        )
    target = find(url, allow_remote=allow_remote, headers=headers, timeout=timeout)
    made: list[bytes | None]
    if body is None:
        target, made = bodies.found_by_asking(target, timeout=timeout, seed=seed)
    else:
        made = list(_as_bytes(body))
        target = target.at(bodies.PREDICT) if target.path == "/" else target
    bodies.first_answer(target, made[0], timeout=timeout)
    return _Plan(target, made, connections, timeout)


def _as_bytes(body: Body) -> list[bytes]:
    if isinstance(body, bytes):
        return [body]
    if isinstance(body, str):
        return [body.encode("utf-8")]
    if isinstance(body, Mapping):
        return [json.dumps(body).encode("utf-8")]
    made = list(body or ())
    if not made or not all(isinstance(one, bytes) for one in made):
        raise CourseError(say("The body is neither JSON (bytes, text or a mapping) nor a list of bytes."))
    return made


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not (isinstance(value, int | float) and math.isfinite(value) and value > 0):
            raise CourseError(
                say("{name} is {value}; it should be a number above 0.", name=name.replace("_", " "), value=value)
            )


def _rounded(value: float) -> float | int | None:
    if isinstance(value, int):
        return value
    return round(value, 4) if math.isfinite(value) else None


# -------------------------------------------------------------------------------------------------------- the search


class _Ended(Exception):
    """Why a search ends before its end."""


def _whose_limit(broken: Result) -> str:
    """Who broke a rate; what the generator sends too late may run into its time, too."""
    own = broken.behind and set(broken.errors) <= {generator.OWN, generator.TIMEOUT}
    return "generator" if own else "server"


@dataclass
class _Search:
    """The steps of `find_rate`."""

    plan: _Plan
    bound_ms: float
    seconds: float
    until: float
    arrivals: str
    seed: int
    tell: Callable[[Result, bool], None]
    steps: list[Result] = field(default_factory=list)
    best: Result | None = None
    above: str = "most"  # what stands above the best

    def highest(self, start: float, most: float, within: float) -> Found:
        rate, high = start, 0.0
        while not high and rate <= most:
            if self._holds(rate):
                if rate >= most:
                    break
                rate = min(rate * 2, most)
            else:
                high = rate
        low = self._low()
        while not low and high > 1 and self.above == "server":  # not even the first
            rate = max(1.0, high / 2)
            low, high = (rate, high) if self._holds(rate) else (0.0, rate)
        while low and high and high / low > 1 + within:
            rate = math.sqrt(low * high)
            low, high = (rate, high) if self._holds(rate) else (low, rate)
        while low:
            result = self._step(low, 2 * self._length(low))
            if result.holds(self.bound_ms):
                self.best = result
                break
            self.above, self.best = _whose_limit(result), None
            low = low / (1 + within) if low > 1 else 0.0
        return self.found(self.above)

    def found(self, limit: str) -> Found:
        rate = 0.0 if self.best is None else self.best.rate
        return Found(self.plan.target.url, self.bound_ms, rate, limit, self.best, tuple(self.steps))

    def _low(self) -> float:
        return 0.0 if self.best is None else self.best.rate

    def _length(self, rate: float) -> float:
        return max(self.seconds, min(100 / rate, 8.0))

    def _holds(self, rate: float) -> bool:
        """Whether a rate holds; where that is close, two of three steps decide."""
        held: list[bool] = []
        while max(held.count(True), held.count(False)) < 2:
            result = self._step(rate, self._length(rate))
            held.append(result.holds(self.bound_ms))
            close = abs(result.latency.p99 - self.bound_ms) <= self.bound_ms / 4 or (result.behind and not held[-1])
            if (result.errors or not close) and len(held) == 1:
                break
        holds = held.count(True) > held.count(False)
        if holds:
            self.best = next(one for one in reversed(self.steps) if one.holds(self.bound_ms))
        else:
            self.above = _whose_limit(result)
        return holds

    def _step(self, rate: float, seconds: float) -> Result:
        if time.monotonic() > self.until:
            raise _Ended("time")
        result = self.plan.run(
            rate,
            seconds,
            arrivals=self.arrivals,
            seed=self.seed + len(self.steps),
            warm_up=0.5,
            fails_fast=True,
        )
        if result.interrupted:
            raise _Ended("interrupted")
        self.steps.append(result)
        held = result.holds(self.bound_ms)
        self.tell(result, held)
        if not held:
            self._let_it_recover()
        return result

    def _let_it_recover(self) -> None:
        """Wait, for 5 seconds at most, until the server has worked off what the last step left it."""
        until = time.monotonic() + 5.0
        while (began := time.monotonic()) < until:
            try:
                ask(self.plan.target, self.plan.bodies[0], timeout=1.0)
                if time.monotonic() - began <= self.bound_ms / 1_000:
                    return
            except OSError:
                time.sleep(0.1)
