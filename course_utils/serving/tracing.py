"""Requests as OpenTelemetry traces in a SQLite file: where the time of one request went. No collector is needed.

A request that is sampled is the span `REQUEST`; inside it stand, one behind the other, `READ`, `QUEUE`, `MODEL` and
`WRITE`, and `TOKENISE` in `MODEL` where the model has word pieces. A call that answers several requests is a span
`BATCH` in a trace of its own, to which the `MODEL` of each request links. Of what a client sent nothing is kept but the
numbers of its ``traceparent`` (W3C Trace Context), which the answer has as well.

Moments are only noted while a request is answered; its spans are made when it is over, and written by another thread.
Nothing of OpenTelemetry is imported by a service without traces.
"""

import contextlib
import dataclasses
import json
import sqlite3
import threading
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils import paths
from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.serving.guard import LOG, ROUTE, Receive, Send

if TYPE_CHECKING:
    import pandas as pd

    from course_utils.serving.queueing import Call, Job

REQUEST, READ, QUEUE, TOKENISE, MODEL, WRITE, BATCH = "request", "read", "queue", "tokenise", "model", "write", "batch"
# Attributes: OpenTelemetry's own names where it has one.
STATUS, WHERE = "http.response.status_code", "http.route"
ITEMS, BATCH_ITEMS = "course.items", "course.batch_items"
JOB = "course.job"  # where a request's scope has its job

MOST_SPANS = 500_000  # in a file, of some 150 bytes each; the oldest go
_WRITE_MS = 500  # between two writings
_WAITING = 20_000  # spans that wait for one; those beyond are lost
_SCHEMA = 1
_TABLE = """
CREATE TABLE IF NOT EXISTS spans (
    number INTEGER PRIMARY KEY, trace TEXT NOT NULL, span TEXT NOT NULL, parent TEXT NOT NULL, name TEXT NOT NULL,
    start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, service TEXT NOT NULL, version TEXT NOT NULL,
    attributes TEXT NOT NULL, links TEXT NOT NULL
)"""


class Traces:
    """The traces of a service, in ``file``, where those of others may stand already.

    ``share`` of the requests are sampled, and those whose client says that it has sampled them; not those of which it
    says that it has not. Raises CourseError for a share outside 0 to 1, and a file that cannot be written or is another
    program's.
    """

    def __init__(self, file: Path, service: str, version: str, share: float = 1.0) -> None:
        if not 0 <= share <= 1:
            raise CourseError(say("The share of requests to trace must be from 0 to 1; it is {share}.", share=share))
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, TraceIdRatioBased
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        resource = Resource({"service.name": service, "service.version": version})
        self._processor = BatchSpanProcessor(Writer(file), max_queue_size=_WAITING, schedule_delay_millis=_WRITE_MS)
        self._requests, self._batches = (
            TracerProvider(sampler=sampler, resource=resource, shutdown_on_exit=False)
            for sampler in (ParentBased(TraceIdRatioBased(share)), ALWAYS_ON)
        )
        for provider in (self._requests, self._batches):
            provider.add_span_processor(self._processor)
        self._tracer, self._batch_tracer = (one.get_tracer(__name__) for one in (self._requests, self._batches))
        self._propagator = TraceContextTextMapPropagator()
        self._made: weakref.WeakKeyDictionary[Call, Any] = weakref.WeakKeyDictionary()  # the spans of batches

    def begin(self, headers: Sequence[tuple[bytes, bytes]], start: int) -> Any:
        """The span of a request that began at ``start`` (ns); one that records nothing where it is not sampled."""
        from opentelemetry.context import Context

        given = [value for name, value in headers if name == b"traceparent"]
        context = Context()
        if len(given) == 1:
            states = [value for name, value in headers if name == b"tracestate"]
            carrier = {"traceparent": given[0].decode("latin-1"), "tracestate": b",".join(states).decode("latin-1")}
            context = self._propagator.extract(carrier, context)
        return self._tracer.start_span(REQUEST, context, start_time=start)

    def parent_of(self, span: Any) -> bytes:
        """The ``traceparent`` that names a span."""
        from opentelemetry.trace import set_span_in_context

        carrier: dict[str, str] = {}
        self._propagator.inject(carrier, set_span_in_context(span))
        return carrier["traceparent"].encode("ascii")

    def end(self, span: Any, status: int, route: str, job: "Job | None", times: "Times") -> None:
        """End the span of a request with its parts."""
        from opentelemetry.trace import Link, Status, StatusCode, set_span_in_context

        facts = {STATUS: status, WHERE: route}
        if job is not None:
            facts[ITEMS] = len(job.items)
        span.set_attributes(facts)
        if not 0 < status < 500:
            span.set_status(Status(StatusCode.ERROR))

        def part(name: str, start: float, end: float, inside: Any, **more: Any) -> Any:
            made = self._tracer.start_span(name, set_span_in_context(inside), start_time=times.ns(start), **more)
            made.end(times.ns(end))
            return made

        call = None if job is None else job.call
        part(READ, times.start, times.answered if job is None else job.came, span)
        if job is not None:
            part(QUEUE, job.came, times.answered if call is None else call.began, span)
        if call is not None and job is not None:
            over = call.began + call.seconds
            batched = call.items > len(job.items)
            links = [Link(self._batch(call, times).get_span_context())] if batched else []
            sizes = {ITEMS: len(job.items), BATCH_ITEMS: call.items}
            inner = part(MODEL, call.began, over, span, links=links, attributes=sizes)
            for name, start, seconds in call.steps:
                part(name, start, start + seconds, inner)
            part(WRITE, over, times.end, span)
        else:
            part(WRITE, times.answered, times.end, span)
        span.end(times.ns(times.end))

    def _batch(self, call: "Call", times: "Times") -> Any:
        """The span of a call for several requests; the first of them makes it."""
        if call not in self._made:
            from opentelemetry.context import Context

            start, sizes = times.ns(call.began), {BATCH_ITEMS: call.items}
            made = self._batch_tracer.start_span(BATCH, Context(), start_time=start, attributes=sizes)
            made.end(times.ns(call.began + call.seconds))
            self._made[call] = made
        return self._made[call]

    def close(self) -> None:
        """Write what is not in the file yet."""
        self._processor.shutdown()


@dataclasses.dataclass
class Times:
    """When a request began, when its answer did, and its end, by `time.perf_counter`; ``clock`` (ns) turns that into
    the time of day."""

    start: float
    clock: int
    answered: float = 0.0
    end: float = 0.0

    @classmethod
    def now(cls) -> "Times":
        """Of a request that begins."""
        start = time.perf_counter()
        return cls(start, time.time_ns() - int(start * 1e9))

    def ns(self, moment: float) -> int:
        """A moment as nanoseconds since 1970."""
        return self.clock + int(moment * 1e9)


class Traced:
    """ASGI: notes when a request with a body came and went, and answers with its ``traceparent``."""

    def __init__(self, app: Any, *, traces: Traces) -> None:
        self.app, self.traces = app, traces

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request; those that only look (GET, a probe's say) are no trace."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        times = Times.now()
        span = self.traces.begin(scope["headers"], times.ns(times.start))
        status = 0

        async def told(message: dict[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status, times.answered = message["status"], time.perf_counter()
                message["headers"] = [*message["headers"], (b"traceparent", self.traces.parent_of(span))]
            await send(message)

        try:
            await self.app(scope, receive, told)
        finally:
            if span.is_recording():
                times.end = time.perf_counter()
                times.answered = times.answered or times.end  # the client had gone
                self.traces.end(span, status, scope.get(ROUTE, ""), scope.get(JOB), times)


class Steps(threading.local):
    """Parts of a call of the model that are timed apart, by the thread that makes it."""

    def __init__(self) -> None:
        self._taken: list[tuple[str, float, float]] = []

    def watch(self, model: Any) -> Any:
        """The model, its tokenizer timed where it has one."""
        if not dataclasses.is_dataclass(model) or not hasattr(model, "tokenizer"):
            return model
        return dataclasses.replace(model, tokenizer=_Timed(model.tokenizer, self))

    def add(self, name: str, start: float, seconds: float) -> None:
        """Note a part of the call that runs."""
        self._taken.append((name, start, seconds))

    def take(self) -> Sequence[tuple[str, float, float]]:
        """The parts since the last taking, as (name, begin, seconds)."""
        if not self._taken:
            return ()
        taken, self._taken = self._taken, []
        return taken


class _Timed:
    """A tokenizer whose calls are noted."""

    def __init__(self, tokenizer: Any, steps: Steps) -> None:
        self._tokenizer, self._steps = tokenizer, steps

    def __call__(self, texts: Sequence[str]) -> Any:
        start = time.perf_counter()
        found = self._tokenizer(texts)
        self._steps.add(TOKENISE, start, time.perf_counter() - start)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)


class Writer:
    """OpenTelemetry's exporter into a SQLite file; what cannot be written is lost and said once, no request waits."""

    def __init__(self, file: Path) -> None:
        shown = paths.display(file)
        try:
            self._line = sqlite3.connect(file, check_same_thread=False)  # the processor's thread, and the one that ends
            (schema,) = self._line.execute("PRAGMA user_version").fetchone()
            tables = self._line.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if tables and schema != _SCHEMA:
                self._line.close()
                raise CourseError(say("{file} is another program's database; name a new file for traces.", file=shown))
            with self._line:
                self._line.execute(_TABLE)
                self._line.execute(f"PRAGMA user_version = {_SCHEMA}")
        except sqlite3.Error as error:
            raise CourseError(
                say("{file} cannot be written as a SQLite file ({why}).", file=shown, why=str(error))
            ) from None
        self._shown, self._failed = shown, False

    def export(self, spans: Sequence[Any]) -> Any:
        """Write spans; the oldest beyond `MOST_SPANS` are deleted."""
        from opentelemetry.sdk.trace.export import SpanExportResult

        try:
            with self._line:
                self._line.executemany("INSERT INTO spans VALUES (NULL, ?,?,?,?,?,?,?,?,?,?)", map(_row, spans))
                self._line.execute(
                    "DELETE FROM spans WHERE number <= (SELECT max(number) FROM spans) - ?", [MOST_SPANS]
                )
        except sqlite3.Error as error:
            if not self._failed:
                words = say("Traces cannot be written to {file} ({why}).", file=self._shown, why=str(error))
                LOG.error("%s", words)
            self._failed = True
            return SpanExportResult.FAILURE
        self._failed = False
        return SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is kept back here."""
        return True

    def shutdown(self) -> None:
        """Let go of the file."""
        self._line.close()


def _row(span: Any) -> tuple[Any, ...]:
    context, made = span.context, span.resource.attributes
    return (
        f"{context.trace_id:032x}",
        f"{context.span_id:016x}",
        "" if span.parent is None else f"{span.parent.span_id:016x}",
        span.name,
        span.start_time,
        span.end_time,
        made["service.name"],
        made["service.version"],
        json.dumps(dict(span.attributes or {})),
        " ".join(f"{link.context.span_id:016x}" for link in span.links),
    )


def read(file: Path | str) -> "pd.DataFrame":
    """The spans of a file one a row, in the order of their begin, a whole before its parts.

    ``trace``, ``span``, ``parent`` ("": none here; else it may be a client's) and ``link`` (the call that answered
    several requests) are the hexadecimal numbers of W3C, ``start_ms`` counts from the first span of the file;
    ``n_items``, ``batch_items``, ``status`` and ``route`` stand where a span has them. A running service writes twice a
    second, the rest when it stops. Raises CourseError for a file that is not there or holds no traces.
    """
    import pandas as pd

    file, shown = Path(file), paths.display(file)
    if not file.is_file():
        raise CourseError(say("There is no file {file}; a service with --traces writes it.", file=shown))
    try:
        with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True)) as line:
            rows = line.execute(
                "SELECT trace, span, parent, name, start_ns, end_ns, service, version, attributes, links FROM spans "
                "ORDER BY start_ns, end_ns DESC, number"
            ).fetchall()
    except sqlite3.Error as error:
        raise CourseError(say("{file} holds no traces ({why}).", file=shown, why=str(error))) from None
    first = rows[0][4] if rows else 0
    found = []
    for trace, span, parent, name, start, end, service, version, attributes, links in rows:
        facts = json.loads(attributes)
        found.append(
            {
                "trace": trace,
                "span": span,
                "parent": parent,
                "name": name,
                "start_ms": (start - first) / 1e6,
                "milliseconds": (end - start) / 1e6,
                "n_items": facts.get(ITEMS),
                "batch_items": facts.get(BATCH_ITEMS),
                "status": facts.get(STATUS),
                "route": facts.get(WHERE, ""),
                "link": links,
                "service": service,
                "version": version,
            }
        )
    columns = ["trace", "span", "parent", "name", "start_ms", "milliseconds", "n_items", "batch_items", "status"]
    frame = pd.DataFrame(found, columns=[*columns, "route", "link", "service", "version"])
    return frame.astype({"n_items": "Int64", "batch_items": "Int64", "status": "Int64"})
