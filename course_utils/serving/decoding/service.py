"""The application: a decoder behind an interface in OpenAI's shape."""

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import FastAPI, Request, Response

from course_utils.bundles.decoder import Decoder
from course_utils.bundles.decoder_pass import Cache
from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.serving import page, reading, tracing
from course_utils.serving.decoding import description, saying
from course_utils.serving.decoding.asking import CHAT, COMPLETIONS, Asked, Unmet, asked
from course_utils.serving.decoding.batch import Batch, Sequence
from course_utils.serving.decoding.meters import DecoderMeters
from course_utils.serving.decoding.scheduling import Scheduler, Stream
from course_utils.serving.decoding.streaming import Answer
from course_utils.serving.decoding.writing import Writing
from course_utils.serving.guard import BODY, ROUTE
from course_utils.serving.limits import Limits
from course_utils.serving.queueing import Call, Job
from course_utils.serving.service import Served, bare_application, guarded, json_answer, showing, watching

MODELS = "/v1/models"
FIRST = "first_token"  # the part of a model's span up to the first token


class State(Served):
    """A decoder, its scheduler, and what its endpoints share."""

    costly = frozenset({CHAT, COMPLETIONS})  # a client that closes its end has gone: nothing more is written for it

    def __init__(
        self, model: Decoder, card: Mapping[str, Any], limits: Limits, traces: Path | None, share: float
    ) -> None:
        super().__init__(card, limits)
        self.model = model
        self.created = int(time.time())
        _try(model)
        self.error = saying.error
        self.meters = DecoderMeters(self.name, self.version, model.kind)
        self.traces = None if traces is None else tracing.Traces(traces, self.name, self.version, share)
        batch = Batch(model.network, max(1, int(limits.slots)))
        self.queue = Scheduler(batch, limits, stepped=self.meters.step, written=self._written)
        self.meters.follow(lambda: len(self.queue.waiting), lambda: self.connections())
        self.meters.follow_slots(lambda: len(self.queue.active), batch.slots)
        self.plan = _Plan(batch)
        self.readers = ThreadPoolExecutor(1, thread_name_prefix="reader")

    def close(self) -> None:
        """Let go of the threads, and write the traces that are not in their file yet."""
        self.readers.shutdown(wait=False, cancel_futures=True)
        super().close()

    def model_card(self) -> dict[str, Any]:
        """The model as /v1/models has it."""
        return {"id": self.name, "object": "model", "created": self.created, "owned_by": "course",
                "version": self.version, "context": self.model.network.shape.context}  # fmt: skip

    def submit(self, request: Asked) -> Stream:
        """Hand a request to the scheduler."""
        sequence = Sequence(request.prompt, request.temperature, request.top_p, request.seed, request.allowed)
        pieces = self.model.tokenizer.pieces
        stream = self.queue.submit(sequence, Writing(pieces, self.model.end_token, request.stop, request.most))
        self.meters.items.inc()
        self.meters.read.inc(len(request.prompt))
        return stream

    def _written(self, stream: Stream, before: float) -> None:
        if before:
            self.meters.between_tokens.observe(stream.last - before)
        else:
            self.meters.first_token.observe(stream.last - stream.came)


def _try(model: Decoder) -> None:
    """Write one token, so that the first request does not pay for what is loaded on the way.

    Raises CourseError for a network that does not give numbers.
    """
    network = model.network
    logits = network.forward(Cache(network.shape, 1), np.zeros((1, 1), int), 0, np.zeros(1, int))
    if not np.isfinite(logits).all():
        raise CourseError(say("The network gives what are no numbers; it is not served."))


class _Plan:
    """What the log says at the start."""

    def __init__(self, batch: Batch) -> None:
        cache = batch.cache.keys.nbytes + batch.cache.values.nbytes
        self.facts = {"slots": batch.slots, "context": batch.network.shape.context, "mib": cache / 2**20}

    def sentence(self) -> str:
        """How many texts are written at a time, and the memory that their keys and values take."""
        return say(
            "{slots} texts are written at a time, of {context:,} tokens each with their prompts; their keys and values "
            "take {mib:,.0f} MiB.",
            **self.facts,
        )


def application(
    model: Decoder,
    card: Mapping[str, Any],
    limits: Limits | None = None,
    *,
    key: str | None = None,
    threads: int = 1,
    traces: Path | None = None,
    traces_share: float = 1.0,
) -> FastAPI:
    """The service of a decoder: /v1/chat/completions and /v1/completions, as clients of OpenAI's interface ask.

    The arguments are those of `serving.service.application`; ``threads`` is not used, since one thread writes for all.
    """
    state = State(model, card, limits or Limits(), traces, traces_share)
    app = bare_application(state)
    guarded(app, state, state.costly, key)
    watching(app, state, description.refusals)
    _models(app, state)
    for path, summary in ((CHAT, "Answer the last message"), (COMPLETIONS, "Continue a text")):
        _writing(app, state, path, summary)
    showing(app, page.render_decoder(state.name, state.version, keyed=key is not None))
    return app


def _models(app: FastAPI, state: State) -> None:
    @app.get(MODELS, summary="The models that there are", responses=description.refusals(401))
    async def models(request: Request) -> Response:
        request.scope[ROUTE] = MODELS
        return json_answer({"object": "list", "data": [state.model_card()]})

    @app.get(MODELS + "/{name}", summary="One of them", responses=description.refusals(401, 404))
    async def model(request: Request, name: str) -> Response:
        request.scope[ROUTE] = MODELS + "/…"
        if name != state.name:
            sentence = say("This service has no such model; it has {name}.", name=state.name)
            raise Unmet(sentence, "model", status=404, code="model_not_found")
        return json_answer(state.model_card())


def _writing(app: FastAPI, state: State, path: str, summary: str) -> None:
    def read(body: bytes) -> Asked:
        return asked(reading.body_object(body), path, state.model, state.name, state.limits)

    @app.post(
        path, summary=summary, **description.writing(path, state.name, state.model.network.shape.context, state.limits)
    )
    async def write(request: Request) -> Response:
        scope = request.scope
        scope[ROUTE] = path
        # Long texts take a while to become tokens: meanwhile others are sent theirs.
        found = await asyncio.get_running_loop().run_in_executor(state.readers, read, scope[BODY])
        stream = state.submit(found)
        job = scope[tracing.JOB] = Job([found])

        def over(stream: Stream) -> None:
            how = stream.writing.finish or ("failed" if stream.error is not None else "gone")
            state.meters.finish(how).inc()
            if stream.joined:
                state.meters.queue_seconds.observe(stream.joined - stream.came)
            if stream.first:
                first = [(FIRST, stream.joined, stream.first - stream.joined)]
                job.call = Call(stream.writing, 1, stream.joined, stream.last - stream.joined, first)

        said = saying.Saying(path, state.name, state.version)
        return Answer(
            state.queue,
            stream,
            said,
            stream=found.stream,
            usage=found.usage,
            seconds=state.limits.answer_seconds,
            over=over,
        )
