"""The application: a model behind HTTP, with its endpoints, limits and metrics."""

import dataclasses
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from course_utils.language import say
from course_utils.serving import description, meters, open_inference, page, probing, reading, tracing
from course_utils.serving.answers import Answering, version_of
from course_utils.serving.guard import BODY, ROUTE, Guard, json_bytes
from course_utils.serving.limits import Limits, Refusal, plain
from course_utils.serving.queueing import Job, Queue

PREDICT = "/v1/predict"
_JSON = "application/json"


class Served:
    """What the endpoints of any model share with the server: ``app.state.service``."""

    meters: meters.Meters

    traces: "tracing.Traces | None"

    def __init__(self, card: Mapping[str, Any], limits: Limits) -> None:
        self.name, self.version, self.limits = model_name(card), version_of(card), limits
        self.error = plain
        self.stopping = False

    def connections(self) -> int:
        """How many connections are open; the server puts its own count here."""
        return 0

    def stop(self) -> None:
        """Say from now on that no request should be sent here any more; those that come are answered."""
        self.stopping = True
        self.meters.ready.set(0)

    def close(self) -> None:
        """Write the traces that are not in their file yet."""
        if self.traces is not None:
            self.traces.close()


class State(Served):
    """A model that gives classes, and what its endpoints share."""

    def __init__(
        self, model: Any, card: Mapping[str, Any], limits: Limits, threads: int, traces: Path | None, share: float
    ) -> None:
        super().__init__(card, limits)
        self.inputs = getattr(model, "inputs", "texts")
        self.answering = Answering(model)
        self.metadata = open_inference.metadata(self.name, self.version, self.inputs, self.answering)
        plan = probing.measure(model.predict_proba, self.inputs, len(self.answering.names))
        self.plan = dataclasses.replace(plan, elsewhere=getattr(model, "elsewhere", False))
        self.meters = meters.Meters(self.name, self.version, str(card.get("kind", "")))
        self.traces = None if traces is None else tracing.Traces(traces, self.name, self.version, share)
        steps = tracing.Steps()
        call = (model if self.traces is None else steps.watch(model)).predict_proba
        self.queue = Queue(call, self.plan, limits, threads=threads, observe=self.meters.call, steps=steps.take)
        self.meters.follow(lambda: self.queue.items_waiting, lambda: self.connections())


def model_name(card: Mapping[str, Any]) -> str:
    """The name of a model in addresses: letters, digits, dots, dashes and underscores."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", str(card.get("name") or card.get("kind") or "")).strip("-._")
    return name[:64] or "model"


def application(
    model: Any,
    card: Mapping[str, Any],
    limits: Limits | None = None,
    *,
    key: str | None = None,
    threads: int = 1,
    traces: Path | None = None,
    traces_share: float = 1.0,
) -> FastAPI:
    """The service of a model: ``class_names``, ``predict_proba``, ``threshold``, ``limits`` and ``inputs``.

    ``card`` gives its name and its version (a hash of the card). ``key`` is asked of every client but on `guard.OPEN`;
    ``threads`` call the model where a call is expensive, which is measured here. ``traces`` is the SQLite file for the
    traces (`tracing`) of ``traces_share`` of the requests. Raises CourseError for a model that does not answer, and a
    file that cannot be written.
    """
    state = State(model, card, limits or Limits(), threads, traces, traces_share)
    app = bare_application(state)
    models = (f"/v2/models/{state.name}", f"/v2/models/{state.name}/versions/{state.version}")
    bodies = {PREDICT, *(f"{one}/infer" for one in models)}
    guarded(app, state, bodies, key)
    _predicting(app, state)
    watching(app, state)
    _open_inference(app, state, models)

    showing(app, page.render(state.name, state.version, state.inputs, state.answering.names, keyed=key is not None))
    return app


def bare_application(state: Served) -> FastAPI:
    """An application without endpoints, whose refusals are JSON; ``state.error`` gives their content."""
    app = FastAPI(
        title=say("{name}, a model in service", name=state.name),
        version=state.version,
        docs_url=None,  # they ask another host for their scripts
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        exception_handlers={HTTPException: _not_found, Refusal: _refused},
        default_response_class=Response,
    )
    app.state.service = state
    return app


def guarded(app: FastAPI, state: Served, reading: Collection[str], key: str | None) -> None:
    """Put the guard before an application, and the traces before the guard; ``reading`` takes bodies."""
    app.add_middleware(Guard, limits=state.limits, meters=state.meters, reading=reading, key=key, error=state.error)
    if state.traces is not None:
        app.add_middleware(tracing.Traced, traces=state.traces)  # the last one stands outside


def showing(app: FastAPI, shown: str) -> None:
    """Let an application show a page at its root."""

    @app.get("/", include_in_schema=False)
    async def root(request: Request) -> Response:
        request.scope[ROUTE] = "/"
        return Response(shown, media_type="text/html", headers=page.HEADERS)


def _predicting(app: FastAPI, state: State) -> None:
    @app.post(PREDICT, summary="Answers for texts or images", **_predict(state))
    async def predict(request: Request) -> Response:
        scope = request.scope
        scope[ROUTE] = PREDICT
        items = reading.items(reading.body_object(scope[BODY]), state.inputs, state.limits)
        answers, headers = await _answers(state, scope, items)
        return Response(
            json_bytes({"model": state.name, "version": state.version, "answers": answers}),
            media_type=_JSON,
            headers=headers,
        )


def _predict(state: State) -> dict[str, Any]:
    return description.predict(state.inputs, state.answering, state.limits)


async def _answers(state: State, scope: Any, items: Any) -> tuple[list[dict[str, Any]], dict[str, str]]:
    shares, headers = await _shares(state, scope, items)
    answers = state.answering.answers(shares)
    _count(state, [one["label"] for one in answers])
    return answers, headers


async def _shares(state: State, scope: Any, items: Any) -> tuple[Any, dict[str, str]]:
    """Probabilities of items, and the header that says how long they took."""
    job = scope[tracing.JOB] = Job(items)
    call = await state.queue.answer(job)
    queued = call.began - job.came
    state.meters.queue_seconds.observe(queued)
    timing = f"queue;dur={1e3 * queued:.2f}, model;dur={1e3 * call.seconds:.2f}"
    return job.future.result(), {"Server-Timing": timing}


def _count(state: State, labels: list[str | None]) -> None:
    for label in labels:
        state.meters.label("person" if label is None else label).inc()


def watching(app: FastAPI, state: Served, refusals: Any = description.refusals) -> None:
    """Whether the process lives, whether it takes requests, and its metrics; ``refusals`` describes the refusals."""
    ready = {"ready": True, "model": state.name, "version": state.version}

    @app.get("/healthz", summary="Whether the process lives")
    async def healthz(request: Request) -> Response:
        request.scope[ROUTE] = "/healthz"
        return json_answer({"live": True})

    @app.get("/readyz", summary="Whether requests should be sent here", responses=refusals(503))
    async def readyz(request: Request) -> Response:
        request.scope[ROUTE] = "/readyz"
        _ready(state)
        return json_answer(ready)

    @app.get("/metrics", summary="Metrics for Prometheus", responses=refusals(401))
    async def metrics(request: Request) -> Response:
        request.scope[ROUTE] = "/metrics"
        return Response(state.meters.text(), headers={"Content-Type": meters.CONTENT_TYPE})


def _ready(state: Served) -> None:
    if state.stopping:
        raise Refusal(503, say("The service is stopping."), reason="stopping", headers={"Retry-After": "1"})


def _open_inference(app: FastAPI, state: State, models: tuple[str, str]) -> None:
    refused = description.refusals(401)

    def get(address: str, summary: str, content: dict[str, Any], *, ready: bool = False) -> None:
        @app.get(address, summary=summary, responses=refused | (description.refusals(503) if ready else {}))
        async def answer(request: Request) -> Response:
            request.scope[ROUTE] = address
            if ready:
                _ready(state)
            return json_answer(content)

    get("/v2", "The server", open_inference.server())
    get("/v2/health/live", "Whether the process lives", {"live": True})
    get("/v2/health/ready", "Whether requests should be sent here", {"ready": True}, ready=True)
    for address in models:
        get(address, "The model's inputs and outputs", state.metadata)
        get(f"{address}/ready", "Whether the model takes requests", {"name": state.name, "ready": True}, ready=True)

        @app.post(
            f"{address}/infer",
            summary="Probabilities and labels for a tensor",
            **description.infer(state.metadata, state.limits),
        )
        async def infer(request: Request) -> Response:
            request.scope[ROUTE] = f"{models[0]}/infer"
            asked = reading.body_object(request.scope[BODY])
            items = open_inference.items(asked, state.inputs, state.limits)
            shares, headers = await _shares(state, request.scope, items)
            _count(state, state.answering.labels(shares))
            said = open_inference.answer(asked, state.name, state.version, state.answering, shares)
            return Response(json_bytes(said), media_type=_JSON, headers=headers)


def json_answer(content: Any) -> Response:
    """An answer of JSON."""
    return Response(json_bytes(content), media_type=_JSON)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    state = request.app.state.service
    state.meters.refusal(error.reason).inc()
    return Response(json_bytes(state.error(error)), error.status, error.headers, _JSON)


async def _not_found(request: Request, error: Exception) -> Response:
    """Unknown addresses and methods, as FastAPI raises them."""
    assert isinstance(error, HTTPException)
    known = {
        404: say("There is nothing at this address; /openapi.json lists what there is."),
        405: say("This address takes another method; the header Allow names it."),
    }
    sentence = known.get(error.status_code, say("The request was refused."))
    content = request.app.state.service.error(Refusal(error.status_code, sentence, reason="address"))
    return Response(json_bytes(content), error.status_code, error.headers, _JSON)
