"""The front, as real processes: nothing is lost when versions come and go, fail or are killed."""

import contextlib
import http.client
import json
import os
import signal
import sqlite3
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from course_utils import surroundings
from course_utils.errors import CourseError
from course_utils.rollout.front import Front
from course_utils.rollout.registry import Registry
from course_utils.serving import loadtest

STAND = Path(__file__).with_name("stand_answerer.py")
PROBE = 1  # request of its own by which a load test finds out whether it is answered at all
BODY = {"texts": ["bug in the second line"]}


def stand(how: str) -> list[str]:
    return surroundings.python(str(STAND), how)


class Client:
    """One line to a front."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.line = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)

    def ask(self, path: str, body=None, **headers: str):
        """(status, headers, content) of an answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            named.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.line.request("GET" if body is None else "POST", path, body, named)
        answer = self.line.getresponse()
        content = answer.read()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, json.loads(content) if "json" in found.get("content-type", "") else content

    def predict(self, identity: str, body=BODY, **headers: str):
        return self.ask("/v1/predict", body, x_request_id=identity, **headers)

    def label(self, identity: str, label: str = "bug"):
        return self.ask("/v1/feedback", {"id": identity, "label": label})


@contextlib.contextmanager
def load(front: Front, seconds: float, rate: float = 60.0):
    """A load on a front while the block runs; the list holds the result afterwards."""
    found: list[loadtest.Result] = []
    work = threading.Thread(
        target=lambda: found.append(
            loadtest.run(f"{front.url}/v1/predict", rate=rate, seconds=seconds, body=BODY, warm_up=0, timeout=15)
        )
    )
    work.start()
    try:
        yield found
    finally:
        work.join(seconds + 40)


def until(true, seconds: float = 20.0):
    """Wait for something that another process does."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)
    return found


@pytest.fixture
def placed(tmp_path, registry):
    """Start fronts of the registry, its first version being the champion."""
    registry.promote(registry.state.versions[0])
    with contextlib.ExitStack() as stack:

        def start(**more) -> Front:
            return stack.enter_context(Front(registry.folder, folder=tmp_path / "front", **more))

        yield start


def test_promotions_and_rollbacks_lose_no_request(placed, registry):
    first, second, third = registry.state.versions
    front = placed()
    with load(front, 5.0) as results:
        registry.promote(second)
        front.wait(second)
        registry.rollback()
        front.wait(first)
        registry.shadow(third)
        front.wait(third, arm="challenger")
        registry.promote(third)
        front.wait(third)
        registry.rollback()
        front.wait(first)
    result = results[0]
    assert result.errors == {} and result.answered == result.requests > 200, result.errors
    told = front.journal()
    assert len(told) == result.requests + PROBE and (told["status"] == 200).all()
    assert set(told["version"]) == {first, second, third}
    assert front.stop() == 0, front.child.tail(5)


def test_each_answer_says_whose_it_is(placed, registry):
    first = registry.state.versions[0]
    client = Client(placed().url)
    status, headers, content = client.predict("order-17")
    assert (status, headers["x-request-id"], headers["x-model-version"]) == (200, "order-17", first)
    assert content["version"] == first and content["model"] == registry.folder.name
    for bad in ("", "x" * 65, "a b", "<script>"):
        given = client.predict(bad)[1]["x-request-id"]
        assert given != bad and len(given) == 32
    assert client.ask("/healthz")[0] == 200
    assert client.ask("/readyz")[2]["version"] == first
    assert b"course_arm_answers_total" in client.ask("/metrics")[2]
    assert "/v1/predict" in client.ask("/openapi.json")[2]["paths"]
    status, headers, content = client.ask("/v1/predict", b"{", x_request_id="torn")
    assert (status, headers["x-request-id"]) == (400, "torn") and "error" in content
    assert client.ask("/nothing")[0] == 404 and client.ask("/v1/predict")[0] == 405
    assert client.ask("/v1/feedback", b"x", Content_Type="text/plain")[0] == 415


def test_labels_join_and_a_worse_challenger_in_shadow_is_stopped(placed, registry, tmp_path):
    """The first says billing, the second bug; true is billing. After a restart the test goes on where it was."""
    first, second, _ = registry.state.versions
    registry.shadow(second)
    front = placed()
    front.wait(second, arm="challenger")
    client = Client(front.url)
    for n in range(5):
        assert client.predict(f"a{n}")[1]["x-model-version"] == first
    until(lambda: front.journal()["shadow_labels"].notna().sum() == 5)
    for n in range(5):
        assert client.label(f"a{n}", "billing")[2] == {"id": f"a{n}", "kept": True}
    before = front.status()["evidence"]
    assert before["answers"] == 5 and 0 < before["worse"] < before["enough"]
    assert client.label("a0", "billing")[2]["kept"] is False  # the same again
    assert client.label("a0", "bug")[0] == 409  # the first one stays
    assert front.stop() == 0
    front = placed()
    front.wait(second, arm="challenger")
    assert front.status()["evidence"] == before
    client = Client(front.url)
    for n in range(12):
        client.predict(f"b{n}")
        client.label(f"b{n}", "billing")  # before or after the copy was answered
    until(lambda: registry.state.challenger is None)
    stopped = registry.history()[-1]
    assert stopped["event"] == "stop" and stopped["version"] == second and "sequential test" in stopped["why"]
    assert stopped["evidence"]["worse"] >= stopped["evidence"]["enough"]
    front.wait(None, arm="challenger")
    told = front.journal()
    assert len(told) == 17 and {"time", "arm", "seconds", "truth"} <= set(told)
    assert not any("second line" in line for line in _dump(tmp_path / "front" / "answers.sqlite"))


def _dump(file: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(file)) as base:
        return list(base.iterdump())


@pytest.mark.parametrize("auto", [False, True])
def test_a_better_challenger_is_promoted_only_where_that_was_said(placed, registry, auto):
    _, second, _ = registry.state.versions
    registry.shadow(second, auto=auto)
    front = placed()
    front.wait(second, arm="challenger")
    client = Client(front.url)
    for n in range(14):
        client.predict(f"r{n}")
        client.label(f"r{n}", "bug")
    if auto:
        until(lambda: registry.state.champion == second)
        front.wait(second)
        assert registry.history()[-1]["event"] == "promote" and registry.history()[-1]["evidence"]
    else:
        until(lambda: front.status()["evidence"]["decision"] == "promote")
        time.sleep(0.5)  # two looks of the front
        assert registry.state.challenger == second


def test_a_canary_answers_its_share_and_a_user_stays_with_one_arm(placed, registry):
    first, second, _ = registry.state.versions
    registry.canary(second, share=0.3)
    front = placed()
    front.wait(second, arm="challenger")
    client = Client(front.url)
    seen = [client.predict(f"c{n}")[1]["x-model-version"] for n in range(300)]
    assert 0.2 < seen.count(second) / 300 < 0.4 and set(seen) == {first, second}
    arms = {
        user: {client.predict(f"{user}-{n}", x_user_id=user)[1]["x-model-version"] for n in range(6)}
        for user in map("user{}".format, range(20))
    }
    assert all(len(one) == 1 for one in arms.values()) and len(set.union(*arms.values())) == 2
    told = front.journal()
    assert (told["version"] == second).equals(told["arm"] == "challenger")
    assert told["user"].dropna().nunique() == 20 and not told["user"].isin(arms).any()
    # Of one user only the first answer counts, though it be right.
    one, other = [user for user, version in arms.items() if version == {second}][:2]
    for n in range(6):
        assert client.label(f"{one}-{n}", "account")[0] == 200
        assert client.label(f"{other}-{n}", "account" if n else "bug")[0] == 200
    evidence = front.status()["evidence"]
    assert (evidence["answers"], evidence["counted"]) == (2, 1)
    for n in range(60):
        client.label(f"c{n}", "billing")  # the champion is right, the canary wrong
    until(lambda: registry.state.challenger is None)
    assert registry.history()[-1]["evidence"]["decision"] == "stop"


@pytest.mark.parametrize(("how", "words"), [("failing", "status 500"), ("slow", "time")])
def test_a_challenger_that_fails_costs_no_answer_and_is_stopped(placed, registry, how, words):
    first, second, _ = registry.state.versions
    registry.canary(second, share=0.9)
    front = placed(commands={second: stand(how)}, slow_seconds=0.4)
    front.wait(second, arm="challenger")
    with load(front, 2.0) as results:
        until(lambda: registry.state.challenger is None)
    assert results[0].errors == {}
    assert words in registry.history()[-1]["why"] and "3 answers in a row" in registry.history()[-1]["why"]
    told = front.journal()
    assert told["fallback"].sum() >= 3 and (told.loc[told["fallback"], "version"] == first).all()


@pytest.mark.parametrize(("how", "status"), [("failing", 500), ("slow", 200)])
def test_a_champions_failure_counts_as_a_challengers_does(placed, registry, how, status):
    """An error, or an answer that took longer than a challenger's may; the challenger, in shadow, was right."""
    first, second, _ = registry.state.versions
    registry.shadow(second)
    front = placed(commands={first: stand(how)}, slow_seconds=0.4)
    front.wait(second, arm="challenger")
    client = Client(front.url)
    for n in range(40):
        start = time.monotonic()
        found = client.predict(f"a{n}")[0]
        if found != 200 or time.monotonic() - start > 1:
            break
    assert found == status
    until(lambda: front.journal().set_index("id")["shadow_labels"].notna()[f"a{n}"])
    assert client.label(f"a{n}", "bug")[0] == 200
    evidence = front.status()["evidence"]
    assert evidence["counted"] == 1 and evidence["better"] > 0 > evidence["worse"]


@pytest.mark.parametrize("mode", ["shadow", "canary"])
def test_a_challenger_that_is_killed_under_load_costs_no_answer(placed, registry, mode):
    _, second, _ = registry.state.versions
    registry.shadow(second) if mode == "shadow" else registry.canary(second, share=0.5)
    front = placed()
    status = front.wait(second, arm="challenger")
    with load(front, 2.0) as results:
        time.sleep(0.5)
        os.kill(status["processes"][second], signal.SIGKILL)
        until(lambda: registry.state.challenger is None)
    assert results[0].errors == {} and results[0].answered > 60
    assert registry.history()[-1]["event"] == "stop"
    front.wait(None, arm="challenger")
    assert second not in front.status()["processes"]


def test_a_champion_that_is_killed_comes_again_and_no_request_is_lost(placed, registry):
    first = registry.state.versions[0]
    front = placed()
    pid = front.wait(first)["processes"][first]
    with load(front, 2.0) as results:
        time.sleep(0.5)
        os.kill(pid, signal.SIGKILL)
    assert results[0].errors == {} and results[0].answered == results[0].requests
    assert front.wait(first)["processes"][first] != pid


def test_a_slow_challenger_in_shadow_delays_nothing_and_copies_are_dropped(placed, registry):
    _, second, _ = registry.state.versions
    registry.shadow(second)
    front = placed(commands={second: stand("slow")}, slow_seconds=30.0)
    front.wait(second, arm="challenger")
    with load(front, 2.5, rate=100) as results:
        pass
    assert results[0].errors == {} and results[0].latency.p50 < 500
    assert front.status()["dropped"] > 50


def test_what_cannot_be_started_is_not_switched_to(placed, registry):
    first, second, third = registry.state.versions
    registry.shadow(second)
    front = placed(commands={second: stand("refused"), third: stand("refused")})
    until(lambda: registry.state.challenger is None)
    assert "It will not start." in registry.history()[-1]["why"]
    registry.promote(third)
    problem = until(lambda: front.status()["problem"])
    assert problem == "It will not start."
    assert Client(front.url).predict("one")[1]["x-model-version"] == first
    with pytest.raises(CourseError, match=r"It will not start\."):
        front.wait(third, seconds=0.3)
    registry.rollback()
    assert front.wait(first)["problem"] == ""


def test_sigterm_under_load_answers_what_was_accepted(placed, registry):
    front = placed()
    with load(front, 2.0) as results:
        until(lambda: len(front.journal()) > 30 + PROBE)  # however long that takes on a busy machine
        os.kill(front.child.pid, signal.SIGTERM)
        assert until(lambda: not list(front.child.events())) and front.stop() == 0
    result = results[0]
    assert set(result.errors) <= {"no connection"} and result.answered > 30
    assert len(front.journal()) == result.answered + PROBE


def test_garbage_as_feedback_is_refused_and_changes_nothing(placed, registry):
    client = Client(placed().url)
    client.predict("known")
    for body, status in [
        (b"{", 400), ([1], 400), ({}, 400), ({"id": "known"}, 400), ({"label": "bug"}, 400),
        ({"id": 5, "label": "bug"}, 400), ({"id": "known", "label": None}, 400), ({"id": "known", "label": 1}, 400),
        ({"id": "known", "label": "elephant"}, 400), ({"id": "known", "labels": []}, 400),
        ({"id": "known", "labels": ["bug", "bug"]}, 400), ({"id": "known", "labels": "bug"}, 400),
        ({"id": "known", "label": "bug", "more": 1}, 400), ({"id": "other", "label": "bug"}, 404),
        ({"id": "' or 1=1 --", "label": "bug"}, 404), ({"id": "x" * 10_000, "label": "bug"}, 404),
    ]:  # fmt: skip
        found, _, content = client.ask("/v1/feedback", body)
        assert found == status and content["error"], (body, content)
    assert client.ask("/v1/predict", {"texts": 3}, x_request_id="refused")[0] == 400
    assert client.label("refused")[0] == 409
    assert client.label("known")[2]["kept"]
    assert client.predict("two", {"texts": ["a", "b"]})[0] == 200
    assert client.ask("/v1/feedback", {"id": "two", "labels": ["bug", "billing"]})[2]["kept"]


def test_a_changed_log_stops_the_following_and_not_the_answering(placed, registry, tmp_path):
    second = registry.state.versions[1]
    front = placed()
    file = registry.log.file
    whole = file.read_text("utf-8")
    file.write_text(whole.replace('"promote"', '"rollback"') + "\n", "utf-8")
    until(lambda: "the past was changed" in front.status()["problem"])
    assert Client(front.url).predict("one")[0] == 200
    with pytest.raises(CourseError, match="the past was changed"):
        Front(registry.folder, folder=tmp_path / "another")
    file.write_text(whole, "utf-8")
    registry.promote(second)
    assert front.wait(second)["problem"] == ""


def test_a_log_that_takes_nothing_does_not_keep_a_bad_challenger_in_service(placed, registry):
    """The front stops asking it, and tells the log when it can."""
    from filelock import FileLock

    _, second, _ = registry.state.versions
    registry.canary(second, share=0.9)
    front = placed(commands={second: stand("failing")})
    front.wait(second, arm="challenger")
    client = Client(front.url)
    with FileLock(registry.folder / ".log.jsonl.lock"):
        for n in range(60):
            assert client.predict(f"n{n}")[0] == 200
        assert front.status()["challenger"] is None and registry.state.challenger == second
    until(lambda: registry.state.challenger is None)


def test_a_front_without_a_champion_says_so_until_there_is_one(registry, tmp_path):
    with Front(registry.folder, folder=tmp_path / "front") as front:
        client = Client(front.url)
        status, headers, _ = client.predict("early")
        assert status == 503 and headers["retry-after"]
        assert client.ask("/readyz")[0] == 503
        registry.promote(registry.state.versions[1])
        front.wait(registry.state.champion)
        assert client.predict("late")[0] == 200


def test_two_fronts_do_not_share_a_folder_and_a_folder_must_take_something(placed, registry, tmp_path):
    front = placed()
    with pytest.raises(CourseError, match="Another front"):
        Front(registry.folder, folder=front.folder)
    (tmp_path / "file").write_text("x")
    with pytest.raises(CourseError, match="cannot be written"):
        Front(registry.folder, folder=tmp_path / "file")
    assert Client(front.url).predict("one")[0] == 200
    assert Registry(registry.folder).state.champion
