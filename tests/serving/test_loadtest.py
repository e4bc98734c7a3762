"""The load test against a real server in a process of its own, with each of the faults that it must tell apart."""

import contextlib
import dataclasses
import json
import math
import queue
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from course_utils import processes
from course_utils.errors import CourseError
from course_utils.serving import bodies, generator, load_view, loadtest
from course_utils.serving.starting import Service
from course_utils.serving.target import Target, ask, find

HERE = Path(__file__).parent
STALL_MS = 300.0  # STALL_SECONDS of the server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of the faulty server."""
    events: queue.Queue = queue.Queue()
    with processes.Child(
        [sys.executable, str(HERE / "faulty_server.py")],
        folder=tmp_path_factory.mktemp("server"),
        job={},
        events=events,
        limit=300,
    ) as child:
        _, event = events.get(timeout=60)
        assert event, child.how_it_ended()
        yield f"http://127.0.0.1:{event['port']}"


def counts(server: str) -> dict:
    return json.loads(ask(find(f"{server}/counts"))[1])


# ---------------------------------------------------------------------------------------------------------- arrivals


def test_even_arrivals_are_even():
    times = loadtest.schedule(20, 2, "even")
    assert len(times) == 40 and times[0] == 0
    np.testing.assert_allclose(np.diff(times), 0.05)


def test_poisson_arrivals_are_those_of_their_seed_and_of_their_rate():
    times = loadtest.schedule(100, 50, "poisson", seed=3)
    np.testing.assert_array_equal(times, loadtest.schedule(100, 50, "poisson", seed=3))
    assert not np.array_equal(times, loadtest.schedule(100, 50, "poisson", seed=4)[: len(times)])
    assert abs(len(times) - 5_000) < 4 * math.sqrt(5_000)
    assert (np.diff(times) > 0).all() and times[-1] < 50
    waits = np.diff(times)
    assert abs(waits.std() / waits.mean() - 1) < 0.1  # an exponential's


@pytest.mark.parametrize("seed", range(20))
def test_poisson_arrivals_reach_to_the_end(seed):
    # Drawn too few, the last seconds would be silent.
    assert loadtest.schedule(10, 10, "poisson", seed=seed)[-1] > 8


def test_a_percentile_is_one_of_the_measured():
    found = loadtest.Percentiles.of(np.array([5.0, 1.0, math.nan, 2.0, 4.0, 3.0]))
    assert found == loadtest.Percentiles(5, 3.0, 5.0, 5.0, 5.0)
    assert loadtest.Percentiles.of(np.array([math.nan])).n == 0


# ------------------------------------------------------------------------------------------------------------- a run


def test_a_healthy_server_answers_everything(server):
    result = loadtest.run(f"{server}/quick", rate=100, seconds=2, warm_up=0.3, arrivals="even")
    assert (result.requests, result.answered, result.errors) == (200, 200, {})
    assert result.latency.n == 200 and 0 < result.latency.p50 <= result.latency.p99 <= result.latency.max
    assert 80 < result.throughput <= 105
    assert (result.latency_ms >= result.service_ms).all()  # nothing is sent before it is due
    assert not result.interrupted


def test_the_warm_up_is_sent_and_not_counted(server):
    before = counts(server)["requests"]
    result = loadtest.run(f"{server}/quick", rate=50, seconds=1, warm_up=1, arrivals="even")
    assert result.requests == 50
    # The first answer that is tried, a warm-up of 50, and what is counted.
    assert counts(server)["requests"] - before == 1 + 50 + 50
    assert result.due_s[0] == pytest.approx(0) and result.due_s[-1] < 1


def test_coordinated_omission_is_seen(server):
    """On one connection a stall is one slow request from its sending, and thirty that came too late to be sent."""
    result = loadtest.run(f"{server}/stalls", rate=200, seconds=4.5, connections=1, arrivals="even", warm_up=0.2)
    assert not result.errors
    assert result.latency.p99 > 0.8 * STALL_MS
    assert result.service.p99 < 0.5 * STALL_MS < result.service.max
    said = " ".join(load_view.sentences(result))
    assert result.behind or "waited for a free connection" in said


def test_with_connections_enough_the_stall_is_in_both(server):
    result = loadtest.run(f"{server}/stalls", rate=100, seconds=3, arrivals="even", warm_up=0.2)
    assert result.latency.p99 > 0.8 * STALL_MS
    assert result.service.p99 > 0.5 * STALL_MS


@pytest.mark.parametrize(("path", "kind", "one_in"), [("/fails", "status 503", 5), ("/closes", generator.CLOSED, 4)])
def test_errors_are_counted_by_their_kind(server, path, kind, one_in):
    result = loadtest.run(server + path, rate=100, seconds=1, arrivals="even", warm_up=0, body=b"{}")
    assert set(result.errors) == {kind}
    assert abs(result.errors[kind] - result.requests / one_in) <= 1
    assert result.answered + result.errors[kind] == result.requests == 100
    assert result.latency.n == result.answered  # a failure that comes quickly makes no percentile better
    assert not result.holds(1e9)
    assert kind in load_view.errors(result)


def test_a_time_out_counts_with_what_it_waited(server):
    result = loadtest.run(f"{server}/hangs", rate=50, seconds=1, timeout=0.5, arrivals="even", warm_up=0)
    assert set(result.errors) == {generator.TIMEOUT}
    assert 4 <= result.errors[generator.TIMEOUT] <= 6
    assert result.latency.n == 50 and result.latency.max >= 500
    assert result.latency.p50 < 500


def test_an_answer_without_a_length_ends_with_its_connection(server):
    result = loadtest.run(f"{server}/without-a-length", rate=50, seconds=1, arrivals="even", warm_up=0)
    assert (result.answered, result.errors) == (50, {})


class _Stands(generator.Generator):
    """A generator that stands still for a moment, as on a busy machine, while the server closes what is idle."""

    def _send_what_is_due(self) -> None:
        if self.next == 20 and not self.idle_closes:
            self.idle_closes = True
            self._loop.call_at(self.start + 0.8, time.sleep, 0.7)
        super()._send_what_is_due()

    idle_closes = False


@pytest.mark.parametrize(("idle_seconds", "lost"), [(60.0, True), (0.5, False)])
def test_a_connection_that_the_server_may_be_closing_is_not_used_again(
    bundle, tmp_path, monkeypatch, idle_seconds, lost
):
    """Else a request goes out on a line that has ended, and counts as one that the server has lost."""
    monkeypatch.setattr(generator, "IDLE_SECONDS", idle_seconds)
    with Service(bundle, folder=tmp_path, limits={"idle_seconds": 1.0}) as service:
        target = find(f"{service.url}/v1/predict")
        due = [0.0] * 20 + [1.4] * 4
        log = _Stands(target, [target.request(b'{"texts": ["a"]}')], due, timeout=20, connections=50).run()
    assert (generator.CLOSED in log.kind) == lost and set(log.kind) <= {"", generator.CLOSED}


def test_what_is_not_http_is_counted():
    """A server that speaks HTTP once, for the first answer, and gibberish afterwards."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        answers = iter([b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"])
        while True:
            try:
                connected, _ = listening.accept()
            except OSError:
                return
            with connected:
                if connected.recv(4096):  # the first connection only looks whether anybody is there
                    connected.sendall(next(answers, b"220 mail.example ready\r\n"))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/x"
        result = loadtest.run(url, rate=20, seconds=0.5, arrivals="even", warm_up=0)
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)
    assert result.errors == {generator.NOT_HTTP: 10}


def test_a_server_that_goes_away_is_counted_as_no_connection():
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for _ in range(2):
            connected, _address = listening.accept()
            with connected:
                if connected.recv(4096):
                    connected.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        listening.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/x"
    result = loadtest.run(url, rate=50, seconds=1, arrivals="even", warm_up=0.5, connections=3)
    thread.join(5)
    assert result.errors == {generator.REFUSED: 50}
    assert result.answered == 0 and result.throughput == 0 and math.isnan(result.latency.p99)
    assert json.loads(json.dumps(result.as_json(), allow_nan=False))["latency"]["p99"] is None


@pytest.fixture
def slow_generator(monkeypatch):
    """A generator that takes 5 ms to send a request: two hundred a second at most."""
    send = generator.Generator._send

    def slowly(self, number):
        time.sleep(0.005)
        send(self, number)

    monkeypatch.setattr(generator.Generator, "_send", slowly)


def test_a_generator_that_falls_behind_says_so_of_itself(server, slow_generator):
    result = loadtest.run(f"{server}/quick", rate=600, seconds=1, warm_up=0, arrivals="even")
    assert result.behind and result.late.p99 > 500
    said = " ".join(load_view.sentences(result))
    assert "load generator itself fell behind" in said
    assert "waited for a free connection" not in said
    assert "other programs" in said  # it slept, and used no processor


def test_a_generator_at_its_own_limit_is_told_to_take_less():
    late = loadtest.Percentiles(100, 10, 20, 30, 40)
    result = dataclasses.replace(results()[1], late=late, processor=0.97, behind=True)
    said = " ".join(load_view.sentences(result))
    assert "Take a lower rate" in said and "other programs" not in said


def test_a_fault_of_the_generator_is_raised_and_not_waited_for(server, monkeypatch):
    def wrong(*_):
        raise LookupError("a fault")

    monkeypatch.setattr(generator.Generator, "answered", lambda *_: None)  # no answer is ever counted
    monkeypatch.setattr(generator.Generator, "_finish", wrong)
    with pytest.raises(LookupError, match="a fault"):
        loadtest.run(f"{server}/quick", rate=20, seconds=0.5, warm_up=0, timeout=0.3)


def test_a_slow_server_is_not_taken_for_a_slow_generator(server):
    result = loadtest.run(f"{server}/one-at-a-time", rate=300, seconds=1, warm_up=0, arrivals="even")
    assert result.latency.p99 > 500 and not result.behind
    assert 60 < result.throughput < 110  # answers, not arrivals


def test_timers_are_finer_than_a_millisecond():
    """asyncio's own on Linux would make it at least one."""

    async def waits() -> list[float]:
        import asyncio

        running, taken = asyncio.get_running_loop(), []
        for _ in range(50):
            began, over = running.time(), running.create_future()
            running.call_at(began + 0.0002, over.set_result, None)
            await over
            taken.append(running.time() - began)
        return taken

    import asyncio

    with asyncio.Runner(loop_factory=generator.loop) as runner:
        taken = runner.run(waits())
    assert min(taken) >= 0.0002
    if sys.platform == "linux":
        assert min(taken) < 0.0009


def test_it_runs_inside_a_running_event_loop(server):
    """As in a notebook's cell."""
    import asyncio

    async def cell() -> loadtest.Result:
        return loadtest.run(f"{server}/quick", rate=20, seconds=0.5, warm_up=0)

    assert asyncio.run(cell()).answered > 0


# -------------------------------------------------------------------------------------------------------- the search


def test_the_highest_rate_of_a_known_server_is_found(server):
    """One at a time, 10 ms each: a hundred a second, less what the server itself takes.

    The tolerance: 10 % above, because a short step may end before a small surplus has piled up to the bound; half
    below, because other processes take the server's time on a shared machine.
    """
    steps = []
    found = loadtest.find_rate(
        f"{server}/one-at-a-time",
        150,
        start=60,
        seconds=1.2,
        within=0.2,
        arrivals="even",
        limit_seconds=60,
        tell=lambda result, held: steps.append((result.rate, held)),
    )
    assert 50 <= found.rate <= 110, steps
    assert found.at_rate is not None and found.at_rate.holds(150) and found.at_rate.rate == found.rate
    assert found.limit == "server"
    assert any(not held for _, held in steps) and len(steps) == len(found.steps)
    assert max(step.rate for step in found.steps) <= 400
    assert "hold a p99 within 150 ms" in load_view.verdict(found)[0]


def test_a_search_that_nothing_stops_ends_at_the_most(server):
    found = loadtest.find_rate(f"{server}/quick", 2_000, start=100, most=150, seconds=0.5, arrivals="even")
    assert (found.rate, found.limit) == (150, "most")


def test_an_error_breaks_a_rate(server):
    found = loadtest.find_rate(f"{server}/fails", 2_000, start=4, seconds=2, arrivals="even", limit_seconds=30)
    assert (found.rate, found.at_rate, found.limit) == (0, None, "server")
    assert "No rate holds" in load_view.verdict(found)[0]


def test_a_search_ends_when_its_time_is_up(server):
    found = loadtest.find_rate(f"{server}/quick", 2_000, start=100, seconds=1, limit_seconds=0.5, arrivals="even")
    assert found.limit == "time" and found.rate == 100
    assert "time was up" in " ".join(load_view.verdict(found))


def test_where_the_generator_is_late_at_once_nothing_is_said_of_the_server(server, slow_generator):
    found = loadtest.find_rate(f"{server}/quick", 100, start=600, seconds=0.5, arrivals="even")
    assert (found.rate, found.limit, found.at_rate) == (0, "generator", None)
    assert {step.rate for step in found.steps} == {600}
    assert "the server was not measured" in load_view.verdict(found)[0]


def test_the_generators_own_limit_is_not_the_servers(server, slow_generator):
    found = loadtest.find_rate(f"{server}/quick", 200, start=80, seconds=0.7, within=1.0, arrivals="even")
    assert found.limit == "generator" and 20 <= found.rate <= 210
    assert "its limit and not the server's" in " ".join(load_view.verdict(found))


# ------------------------------------------------------------------------------------------------- whom it asks what


def test_the_service_is_asked_what_it_takes(server):
    target, made = bodies.found_by_asking(find(server))
    assert target.url == f"{server}/v1/predict"
    images = np.array([json.loads(body)["images"] for body in made])
    assert images.shape[1:] == (1, 28, 28) and images.min() == 0 and images.max() <= 255
    assert len({body for body in made}) > 1
    loadtest.run(server, rate=20, seconds=0.5, warm_up=0)
    assert np.shape(json.loads(counts(server)["last"])["images"]) == (1, 28, 28)


def test_a_model_of_the_open_protocol_is_asked_what_it_takes(server):
    target, made = bodies.found_by_asking(find(f"{server}/v2/models/digits"))
    assert target.path == "/v2/models/digits/infer"
    (tensor,) = json.loads(made[0])["inputs"]
    assert (tensor["name"], tensor["datatype"], tensor["shape"]) == ("image", "FP32", [1, 28, 28])
    assert len(tensor["data"]) == 784
    with pytest.raises(CourseError, match="does not say what its inputs are"):
        bodies.found_by_asking(find(f"{server}/v2/models/odd"))


def test_other_paths_are_asked_with_get(server):
    target, made = bodies.found_by_asking(find(f"{server}/quick?a=ü"))
    assert (target.path, made) == ("/quick?a=%C3%BC", [None])
    assert target.request(None).startswith(b"GET /quick?a=%C3%BC HTTP/1.1\r\nHost: 127.0.0.1:")


def test_a_request_that_is_not_taken_ends_at_once_with_the_servers_words(server):
    with pytest.raises(CourseError, match=r"status 400.*It wants texts"):
        loadtest.run(f"{server}/refuses", rate=10, seconds=1, body={"texts": []})


def test_a_body_for_a_bare_address_goes_to_the_service(server):
    loadtest.run(server, rate=10, seconds=0.5, warm_up=0, body={"texts": ["mine"]})
    assert json.loads(counts(server)["last"]) == {"texts": ["mine"]}


def test_a_key_is_sent(server):
    with pytest.raises(CourseError, match="--api-key-file"):
        loadtest.run(f"{server}/locked", rate=10, seconds=0.5)
    result = loadtest.run(
        f"{server}/locked", rate=10, seconds=0.5, warm_up=0, headers={"Authorization": "Bearer secret"}
    )
    assert result.answered == result.requests > 0


def test_a_header_cannot_smuggle_another(server):
    with pytest.raises(CourseError, match="characters that HTTP does not carry"):
        find(server, headers={"Authorization": "Bearer a\r\nX: b"})


@pytest.mark.parametrize("url", ["http://192.0.2.1:80", "http://0.0.0.0:8000/", "[::ffff:192.0.2.1]:80"])
def test_another_machine_is_refused_without_a_packet(url, monkeypatch):
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("it was asked"))
    with pytest.raises(CourseError, match="is not this machine"):
        find(url)


def test_another_machine_may_be_allowed(server, monkeypatch):
    monkeypatch.setattr("course_utils.serving.target._is_here", lambda _: False)
    with pytest.raises(CourseError, match="--allow-remote"):
        find(server)
    assert find(server, allow_remote=True).address == "127.0.0.1"


@pytest.mark.parametrize(
    "url",
    ["", "ftp://127.0.0.1/", "http://", "http://127.0.0.1:99999", "http://127.0.0.1:x", "http://a b/", "http://[1"],
)
def test_what_is_no_address_is_one_sentence(url):
    with pytest.raises(CourseError, match="is no address of a server"):
        find(url)


def test_a_certificate_that_nobody_vouches_for_is_one_sentence():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(HERE.parent / "data" / "self_signed.pem")
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            connected, _ = listening.accept()
            with connected, context.wrap_socket(connected, server_side=True):
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listening, pytest.raises(CourseError, match="certificate verify failed"):
        find(f"https://127.0.0.1:{listening.getsockname()[1]}")
    thread.join(5)


def test_over_tls_everything_is_answered(server, monkeypatch):
    """A relay that takes TLS before the server, and a context that trusts it."""
    certificate = HERE.parent / "data" / "self_signed.pem"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listening = socket.create_server(("127.0.0.1", 0))

    def one(connected: socket.socket) -> None:
        with contextlib.suppress(OSError), connected, context.wrap_socket(connected, server_side=True) as secure:
            while secure.recv(4096):
                secure.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=one, args=(listening.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()

    def trusting(_target: Target) -> ssl.SSLContext:
        found = ssl.create_default_context(cafile=certificate)
        found.check_hostname = False
        return found

    monkeypatch.setattr(Target, "tls", lambda target: trusting(target) if target.scheme == "https" else None)
    url = f"https://127.0.0.1:{listening.getsockname()[1]}/x"
    result = loadtest.run(url, rate=50, seconds=1, warm_up=0.2, arrivals="even")
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    assert (result.answered, result.errors) == (50, {})


def test_an_address_of_version_6_keeps_its_brackets():
    assert Target("http", "::1", 8000, "/", "::1").url == "http://[::1]:8000/"


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate": 0},
        {"rate": math.nan},
        {"rate": 10, "seconds": -1},
        {"rate": 10, "warm_up": -1},
        {"rate": 1e6, "seconds": 1e6},
        {"rate": 0.01, "seconds": 0.1},
        {"rate": 10, "connections": 0},
        {"rate": 10, "timeout": 0},
        {"rate": 10, "arrivals": "bursts"},
        {"rate": 10, "body": []},
    ],
)
def test_values_that_cannot_be_meant_are_refused(server, wrong):
    with pytest.raises(CourseError):
        loadtest.run(f"{server}/quick", **wrong)


# ------------------------------------------------------------------------------------------------------- the command


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def test_an_address_that_does_not_answer_is_one_sentence(course):
    status, out, err = course("loadtest", f"http://127.0.0.1:{free_port()}")
    assert (status, out) == (2, "")
    assert "Nothing answers at" in err and "course serve" in err and len(err.splitlines()) == 1


def test_the_command_writes_what_it_measured(course, server, tmp_path):
    file = tmp_path / "result.json"
    status, out, _ = course(
        "loadtest", f"{server}/quick", "--rate", "50", "--seconds", "1", "--warm-up", "0.1", "--json", str(file)
    )
    assert status == 0 and "from when it was due" in out and "p99" in out
    kept = json.loads(file.read_text("utf-8"))
    assert kept["requests"] == kept["answered"] == kept["latency"]["n"] and kept["errors"] == {}


def test_the_command_fails_where_requests_did(course, server):
    status, out, _ = course("loadtest", f"{server}/fails", "--rate", "50", "--seconds", "1", "--warm-up", "0")
    assert status == 1 and "status 503: " in out


def test_the_command_holds_a_bound(course, server):
    arguments = ("loadtest", f"{server}/quick", "--rate", "20", "--seconds", "1", "--warm-up", "0", "--bound-ms")
    assert course(*arguments, "5000")[0] == 0
    status, out, _ = course(*arguments, "0.001")
    assert status == 1 and "does not hold" in out


def test_the_command_searches(course, server, tmp_path):
    file = tmp_path / "found.json"
    arguments = ("--bound-ms", "3000", "--seconds", "1", "--limit-seconds", "2", "--even", "--json", str(file))
    status, out, _ = course("loadtest", f"{server}/quick", *arguments)
    assert status == 0 and "requests a second hold a p99 within 3000 ms" in out and "/s  held" in out
    kept = json.loads(file.read_text("utf-8"))
    assert kept["rate"] >= 20 and len(kept["steps"]) >= 1


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", None, "cannot be read"),
        ("a.json", " \n", "is empty"),
        ("a.json", "{no", "is no JSON"),
        ("a.jsonl", '{"a": 1}\nno\n', "Request 2 of"),
    ],
)
def test_a_file_that_holds_no_request_is_one_sentence(course, server, tmp_path, name, content, words):
    file = tmp_path / name
    if content is not None:
        file.write_text(content, "utf-8")
    status, _, err = course("loadtest", f"{server}/quick", "--body", str(file))
    assert status == 2 and words in err


def test_each_line_of_a_file_is_sent(course, server, tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text('{"texts": ["one"]}\n\n{"texts": ["two"]}\n', "utf-8")
    assert bodies.from_file(file) == [b'{"texts": ["one"]}', b'{"texts": ["two"]}']
    status, *_ = course(
        "loadtest", f"{server}/v1/predict", "--body", str(file), "--rate", "20", "--seconds", "0.5", "--warm-up", "0"
    )
    assert status == 0 and json.loads(counts(server)["last"])["texts"] in (["one"], ["two"])


def test_a_key_file_without_a_key_is_one_sentence(course, server, tmp_path):
    status, _, err = course("loadtest", server, "--api-key-file", str(tmp_path / "none"))
    assert status == 2 and "cannot be read" in err
    (tmp_path / "short").write_text("short")
    status, _, err = course("loadtest", server, "--api-key-file", str(tmp_path / "short"))
    assert status == 2 and "at least 16" in err


def test_numbers_that_cannot_be_written_are_told_apart_from_a_bad_request(course, server, tmp_path):
    fast = ("--rate", "50", "--seconds", "0.2", "--warm-up", "0", "--json", str(tmp_path))
    status, out, err = course("loadtest", f"{server}/quick", *fast)
    assert status == 4 and "cannot be written" in err and "p99" in out


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is sent otherwise there")
@pytest.mark.parametrize("search", [False, True])
def test_interrupted_it_gives_what_there_is(server, search):
    """A shell's background job hands "ignored" down, so the child takes the signal up again by itself."""
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from course_utils.cli import main; main(sys.argv[1:])"
    )
    more = ["--bound-ms", "1000", "--seconds", "1"] if search else ["--rate", "100", "--seconds", "60"]
    before = counts(server)["requests"]
    with subprocess.Popen(
        [sys.executable, "-c", code, "loadtest", f"{server}/quick", "--even", "--warm-up", "0", *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            until = time.monotonic() + 60
            while counts(server)["requests"] < before + 150 and time.monotonic() < until:
                time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "Stopped" in out and "from when it was due" in out


# -------------------------------------------------------------------------------------------- the table and the figure


def results() -> list[loadtest.Result]:
    def one(rate: float, p99: float, errors: dict) -> loadtest.Result:
        times = loadtest.Percentiles(100, p99 / 4, p99 / 2, p99, p99 * 2)
        return loadtest.Result(
            "http://127.0.0.1/x", rate, 1, "even", 0, 10, 100, 100, errors, rate, rate, times, times, times, 0.1, False,
            False, np.zeros(1), np.zeros(1), np.zeros(1),
        )  # fmt: skip

    return [one(200, 80, {"status 503": 3}), one(100, 10, {})]


def test_the_table_has_a_row_for_each_run_by_rate():
    table = load_view.table(results())
    assert table["rate"].tolist() == [100, 200] and table["failed"].tolist() == [0, 3]


def test_the_figure_shows_percentiles_over_rate_and_marks_failures():
    figure = load_view.figure(results(), alt="p99 rises", bound_ms=50)
    assert figure.layout.meta["alt"] == "p99 rises"
    curves = {trace.name: trace for trace in figure.data}
    assert list(curves["p99"].x) == [100, 200] and list(curves["p99"].y) == [10, 80]
    assert list(curves["requests failed"].x) == [200]
    assert "503" in curves["requests failed"].hovertext[0]
    assert any("50 ms" in one.text for one in figure.layout.annotations)
    assert "NaN" not in figure.to_json()
    with pytest.raises(CourseError, match="alt"):
        load_view.figure(results(), alt="")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.5123, "0.512"), (12.345, "12.3"), (1043.2, "1,043"), (0, "0.000"), (math.nan, "–"), (9.999, "10.00")],
)
def test_milliseconds_have_three_figures(value, shown):
    assert load_view.milliseconds(value) == shown
