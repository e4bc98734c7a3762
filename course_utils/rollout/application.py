"""The front as clients see it: the service's addresses, each answer with its request's id and the version that gave it.

``POST /v1/predict`` goes to the champion, or as a canary to the challenger; ``POST /v1/feedback`` takes true labels;
``GET /v1/rollout`` says who answers. A challenger costs no client an answer: where it fails, the champion is asked.
"""

import asyncio
import hashlib
import json
import re
import time
import uuid
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from prometheus_client import Counter, Gauge

from course_utils import bundles
from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.rollout.journal import Answered
from course_utils.rollout.steering import Steering
from course_utils.rollout.trial import has_failed
from course_utils.rollout.upstream import Answer, Failed, Upstream
from course_utils.serving import meters, reading
from course_utils.serving.guard import BODY, ROUTE, Guard, Receive, Send, json_bytes
from course_utils.serving.limits import Limits, Refusal, busy

_ID = re.compile(r"[A-Za-z0-9._:+/=-]{1,64}")
_USER_BYTES = 200
_COPIES_WAITING = 64
_COPYING = 4  # copies at a time, so that a challenger may answer several by one call
_HEADERS = "course.headers"
_PASSED_ON = ("content-type", "server-timing", "retry-after", "content-security-policy", "cache-control")


class Front:
    """ASGI: the application; ``state.service`` is what `serving.server.Server` wants to know of one."""

    def __init__(self, steering: Steering, limits: Limits, *, slow_seconds: float, key: str | None = None) -> None:
        self.steering, self.limits, self.slow_seconds = steering, limits, slow_seconds
        self.state = self  # the server looks for app.state.service
        self.service = self
        self.name, self.version = steering.name, "front"
        self.plan = self.queue = self
        self.stopping = False
        self._copies: asyncio.Queue[tuple[Upstream, str, bytes, bool]] = asyncio.Queue(_COPIES_WAITING)
        self._classes: dict[str, frozenset[str]] = {}
        self._measure()
        with_body = ("/v1/predict", "/v1/feedback")
        self.guard = Guard(self._route, limits=limits, meters=self.meters, reading=with_body, key=key)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request; whatever the answer, it says which request's it is."""
        if scope["type"] != "http":
            return
        given = dict(scope["headers"])
        identity = given.get(b"x-request-id", b"").decode("latin-1")
        scope[_HEADERS] = {"x-request-id": identity if _ID.fullmatch(identity) else uuid.uuid4().hex}

        async def named(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                more = [(name.encode(), value.encode("latin-1")) for name, value in scope[_HEADERS].items()]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        await self.guard(scope, receive, named)

    # -------------------------------------------------------------------------------------------- what the server wants

    def connections(self) -> int:
        """How many connections are open; the server puts its own count here."""
        return 0

    def sentence(self) -> str:
        """What the log says at the start."""
        return say("The front follows the registry {folder}.", folder=self.steering.registry.folder)

    def stop(self) -> None:
        """Say from now on that no request should be sent here any more; those that come are answered."""
        self.stopping = True
        self.meters.ready.set(0)

    def give_up(self) -> int:
        """Nothing waits here that could be told."""
        return 0

    def close(self) -> None:
        """`work` ends what there is to end."""

    async def work(self) -> None:
        """Follow the registry and copy requests, until cancelled."""
        await asyncio.gather(self.steering.follow(), *(self._copy() for _ in range(_COPYING)))

    # -------------------------------------------------------------------------------------------------------- addresses

    async def _route(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        known = {
            "/v1/predict": ("POST", self._predict),
            "/v1/feedback": ("POST", self._feedback),
            "/v1/rollout": ("GET", self._rollout),
            "/healthz": ("GET", self._healthz),
            "/readyz": ("GET", self._readyz),
            "/metrics": ("GET", self._metrics),
            "/": ("GET", self._pass_on),
            "/openapi.json": ("GET", self._pass_on),
        }
        if path not in known:
            raise Refusal(404, say("There is nothing at this address; the front has: {known}.", known=", ".join(known)),
                          reason="unknown")  # fmt: skip
        wanted, answer = known[path]
        scope[ROUTE] = path
        if method != wanted:
            raise Refusal(405, say("This address takes another method; the header Allow names it."), reason="method",
                          headers={"Allow": wanted})  # fmt: skip
        await answer(scope, send)

    async def _healthz(self, scope: dict[str, Any], send: Send) -> None:
        await _send(send, 200, json_bytes({"live": True}))

    async def _readyz(self, scope: dict[str, Any], send: Send) -> None:
        champion = self.steering.champion
        if self.stopping or champion is None or champion.dead.is_set():
            raise self._nobody()
        await _send(send, 200, json_bytes({"ready": True, "model": self.name, "version": champion.version}))

    async def _metrics(self, scope: dict[str, Any], send: Send) -> None:
        await _send(send, 200, self.meters.text(), {"Content-Type": meters.CONTENT_TYPE})

    async def _rollout(self, scope: dict[str, Any], send: Send) -> None:
        await self._done(self.steering.journal.submit())  # what has been answered is in the journal now
        await _send(
            send,
            200,
            json_bytes(self.steering.as_json() | {"dropped": self.dropped, "lost": self.steering.journal.lost}),
        )

    async def _pass_on(self, scope: dict[str, Any], send: Send) -> None:
        answer, champion = await self._ask_champion("GET", scope["path"], b"")
        self._sign(scope, champion)
        await _send(send, answer.status, answer.content, _kept(answer))

    async def _predict(self, scope: dict[str, Any], send: Send) -> None:
        start, came = time.perf_counter(), time.time()
        body, identity = scope[BODY], scope[_HEADERS]["x-request-id"]
        user = _user(scope)
        challenger, state = self.steering.challenger, self.steering.state
        mode = state.mode if challenger is not None else None
        fallback, answer, asked = False, None, None
        arm = "champion"
        if mode == "canary" and _draw(state.since, user, identity) < state.share:
            arm, asked = "challenger", challenger
            answer = await self._ask_challenger(challenger, body)
            fallback = answer is None or not answer.good
        noted = Answered(identity, came, state.since if mode else 0, arm, "", "[]", "[]", 0.0, 0, fallback,
                         self.steering.journal.user(user))  # fmt: skip
        if answer is None or fallback:
            first, champion = answer, self.steering.champion
            try:
                answer, asked = await self._ask_champion("POST", "/v1/predict", body)
            except Refusal as refusal:
                # The champion's failure is written down like a challenger's, so that both can be counted alike.
                if champion is not None and not self.stopping:
                    self._note(noted, champion, start, refusal.status)
                    self._copy_to(challenger if mode == "shadow" else None, identity, body, taken=False)
                raise
            if fallback and answer.good:
                self.fallbacks.inc()
                if first is not None:  # it answered, and refused what the champion takes
                    self._failed(challenger, f"status {first.status}")
            elif first is not None and not answer.good:
                self.steering.succeeded(challenger)  # the request was at fault
        labels, probabilities = _read(answer) or ("[]", "[]")
        self._note(replace(noted, labels=labels, probabilities=probabilities), asked, start, answer.status)
        self._sign(scope, asked)
        await _send(send, answer.status, answer.content, _kept(answer))
        if answer.good or has_failed(answer.status):
            self._copy_to(challenger if mode == "shadow" else None, identity, body, taken=answer.good)

    def _note(self, noted: Answered, asked: Upstream, start: float, status: int) -> None:
        self.arms(noted.arm).inc()
        seconds = time.perf_counter() - start
        self.steering.journal.note(replace(noted, version=asked.version, seconds=seconds, status=status))

    def _copy_to(self, challenger: Upstream | None, identity: str, body: bytes, *, taken: bool) -> None:
        """Have a challenger in shadow asked as well, if it has the time; ``taken``: the champion has answered."""
        if challenger is None:
            return
        try:
            self._copies.put_nowait((challenger, identity, body, taken))
        except asyncio.QueueFull:
            self.dropped += 1
            self.drops.inc()

    async def _feedback(self, scope: dict[str, Any], send: Send) -> None:
        asked = reading.body_object(scope[BODY])
        identity, labels = asked.get("id"), asked.get("labels", [asked.get("label")])
        if not isinstance(identity, str) or len(asked) != 2 or not ({"label", "labels"} & set(asked)):
            raise reading.meaningless(
                say('The body must be {"id": …, "label": …}, or {"id": …, "labels": […]} for several items.')
            )
        reading.counted(labels, "labels", self.limits)
        if not all(isinstance(one, str) for one in labels):
            raise reading.meaningless(say("A label is the name of a class."))
        what, more = await self._done(self.steering.journal.label(identity, labels, self._known))
        refusals = {
            "unknown": (404, say("No request with this id was answered here.")),
            "unanswered": (409, say("This request was not answered, so that there is nothing to compare.")),
            "other": (409, say("This request has another label already; the first one stays.")),
            "number": (
                400,
                say("This request had another number of items; one label for each is wanted: {n}.", n=more),
            ),
            "class": (
                400,
                say("This is none of the classes: {known}.", known=", ".join(more or []) if what == "class" else ""),
            ),
        }
        if what in refusals:
            raise Refusal(*refusals[what], reason=f"feedback_{what}")
        await _send(send, 200, json_bytes({"id": identity, "kept": what == "kept"}))

    # ----------------------------------------------------------------------------------------------------------- asking

    async def _ask_champion(self, method: str, path: str, body: bytes) -> tuple[Answer, Upstream]:
        """The champion's answer; where its process ends meanwhile, that of the one which comes in its place."""
        until = time.monotonic() + self.limits.answer_seconds
        while True:
            champion = await self.steering.serving(until)
            left = until - time.monotonic()
            if champion is None or left <= 0:
                raise self._nobody()
            try:
                return await champion.ask(method, path, body, seconds=left + 1), champion
            except Failed as failure:
                if failure.why == "time":
                    raise Refusal(504, say("The model did not answer in time."), reason="time") from None
                await asyncio.sleep(0.05)

    async def _ask_challenger(self, challenger: Upstream, body: bytes) -> Answer | None:
        """Its answer; None where it failed, which is counted. One that is refused is for the caller to judge."""
        try:
            answer = await challenger.ask("POST", "/v1/predict", body, seconds=self.slow_seconds)
        except Failed as failure:
            self._failed(challenger, failure.why)
            return None
        if answer.status >= 500 or (answer.good and _read(answer) is None):
            self._failed(challenger, f"status {answer.status}" if answer.status >= 500 else "not an answer")
            return None
        if answer.good:
            self.steering.succeeded(challenger)
        return answer

    def _failed(self, challenger: Upstream, why: str) -> None:
        self.failures.inc()
        self.steering.failed(challenger, why)

    async def _copy(self) -> None:
        """Ask the challenger in shadow what the champion has answered, one copy after the other."""
        while True:
            challenger, identity, body, taken = await self._copies.get()
            if challenger is not self.steering.challenger:
                continue
            start = time.perf_counter()
            answer = await self._ask_challenger(challenger, body)
            if answer is not None and not answer.good:
                if taken:
                    self._failed(challenger, f"status {answer.status}")
                answer = None
            labels, probabilities = (None if answer is None else _read(answer)) or ("[]", "[]")
            self.steering.journal.note_shadow(
                identity, challenger.version, labels, probabilities, time.perf_counter() - start
            )

    # ----------------------------------------------------------------------------------------------------- small things

    def _measure(self) -> None:
        self.meters = meters.Meters(self.name, self.version, "rollout")
        common = {"registry": self.meters.registry}
        self.arms = Counter("course_arm_answers", "Requests by the arm that they fell to.", ["arm"], **common).labels
        self.drops = Counter("course_shadow_dropped", "Copies that the challenger had no time for.", **common)
        self.fallbacks = Counter("course_fallbacks", "Canary requests that the champion answered.", **common)
        self.failures = Counter("course_challenger_failures", "Requests that the challenger failed on.", **common)
        self.dropped = 0
        lost = Gauge("course_journal_lost", "Lines of the journal that could not be written.", **common)
        lost.set_function(lambda: self.steering.journal.lost)
        self.meters.follow(self._copies.qsize, lambda: self.connections())

    def _nobody(self) -> Refusal:
        if self.stopping:
            return busy(say("The service is stopping; try again."), reason="stopping")
        return busy(say("No version is in service at this moment."), reason="nobody")

    def _sign(self, scope: dict[str, Any], asked: Upstream) -> None:
        scope[_HEADERS]["x-model-version"] = asked.version

    def _known(self, version: str) -> frozenset[str]:
        """The classes of a version."""
        if version not in self._classes:
            try:
                card = bundles.read_card(self.steering.registry.folder / "versions" / version)
            except CourseError:
                return frozenset()
            self._classes[version] = frozenset(map(str, card["class_names"]))
        return self._classes[version]

    async def _done(self, future: Future) -> Any:
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self.limits.answer_seconds)
        except Exception:
            raise busy(say("The journal cannot be written; try again."), reason="journal") from None


def _draw(since: int, user: str | None, identity: str) -> float:
    """A number in [0, 1) that is always the same for a user, or a request without one, within one trial."""
    who = f"request {identity}" if user is None else f"user {user}"
    return int.from_bytes(hashlib.sha256(f"{since} {who}".encode()).digest()[:8], "big") / 2**64


def _user(scope: dict[str, Any]) -> str | None:
    found = dict(scope["headers"]).get(b"x-user-id", b"")
    return found.decode("latin-1") if 0 < len(found) <= _USER_BYTES else None


def _read(answer: Answer) -> tuple[str, str] | None:
    """Labels and the probability of each, as JSON lists; None for what is no answer."""
    if not answer.good:
        return None
    try:
        answers = json.loads(answer.content)["answers"]
        labels = [one["label"] for one in answers]
        likeliest = [round(max(one["probabilities"].values()), 6) for one in answers]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return json.dumps(labels, ensure_ascii=False), json.dumps(likeliest)


def _kept(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name in _PASSED_ON}


async def _send(send: Send, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
    told = {"content-type": "application/json", "content-length": str(len(body))}
    told |= {name.lower(): value for name, value in (headers or {}).items()}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in told.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
