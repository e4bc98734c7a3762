"""`course serve --engine ray`: what it refuses, and by night, where Ray is installed, that replicas answer alike."""

import concurrent.futures
import contextlib
import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from wire import ask, get, post, predict

from course_utils import bundles, processes, surroundings
from course_utils.bundles.models import Majority
from course_utils.errors import CourseError
from course_utils.rollout.registry import Registry
from course_utils.serving import loading, probing, ray_engine
from course_utils.serving.answers import version_of
from course_utils.serving.starting import Service

READY = re.compile(r"Serving (\S+) on (http://\S+) \(stop with Ctrl-C\)")
installed = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: no replica was started"
)


@pytest.fixture
def without_ray(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "ray" else found(name, *more))


@pytest.fixture
def with_ray(monkeypatch):
    """As if it were installed: for what is refused before it is started."""
    monkeypatch.setattr(ray_engine, "available", lambda: None)


# ---- without Ray


def test_without_the_extra_one_sentence_says_what_installs_it(course, bundle, without_ray):
    done = course("serve", bundle, "--engine", "ray", "--port", "0")
    assert (done.status, done.out) == (2, "")
    assert 'python -m pip install -c constraints.txt -e ".[ray]"' in done.err.replace("\n", " ")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--engine", "rya"], "plain or ray"),
        (["--replicas", "2"], "for --engine ray"),
        (["--cluster", "127.0.0.1:6379"], "for --engine ray"),
        (["--engine", "ray", "--replicas", "0"], "--replicas"),
        (["--engine", "ray", "--cluster", "ray://127.0.0.1:10001"], "HOST:PORT"),
        (["--engine", "ray", "--cluster", "somewhere"], "HOST:PORT"),
        (["--engine", "ray", "--host", "0.0.0.0"], "--api-key-file"),
    ],
)
def test_what_the_options_cannot_mean_is_refused(course, bundle, with_ray, options, words):
    done = course("serve", bundle, "--port", "0", *options)
    assert (done.status, done.out) == (2, "") and words in done.err


def test_a_cluster_that_is_not_there_is_one_sentence(course, bundle, with_ray):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = course("serve", bundle, "--port", "0", "--engine", "ray", "--cluster", f"127.0.0.1:{port}")
    assert done.status == 2 and f"No Ray cluster answers at 127.0.0.1:{port}" in done.err.replace("\n", " ")


def test_a_registry_stays_with_the_plain_engine(course, bundle, tmp_path, with_ray):
    registry = Registry(tmp_path / "versions")
    registry.promote(registry.add(bundle))
    done = course("serve", registry.folder, "--engine", "ray", "--port", "0")
    assert done.status == 2 and "registry is served by the plain engine" in done.err.replace("\n", " ")


def test_a_decoder_stays_with_the_plain_engine(course, with_ray, monkeypatch, tmp_path):
    monkeypatch.setattr(loading, "opened", lambda *_, **__: (SimpleNamespace(kind="decoder"), {}))
    done = course("serve", tmp_path, "--engine", "ray", "--port", "0")
    assert done.status == 2 and "decoder is served by the plain engine" in done.err.replace("\n", " ")


def test_a_port_in_use_is_said_before_ray_is_started(course, bundle, with_ray, monkeypatch):
    monkeypatch.setattr(ray_engine, "Fleet", lambda *_, **__: pytest.fail("started"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = course("serve", bundle, "--engine", "ray", "--port", str(taken.getsockname()[1]))
    assert done.status == 2 and "is in use" in done.err


def test_a_replica_that_sees_another_bundle_does_not_start(bundle):
    version = version_of(bundles.read_card(bundle))
    shares = ray_engine.Replica(str(bundle), version).answer(["invoice"])
    assert shares == pytest.approx(bundles.load_model(bundle).predict_proba(["invoice"]))
    with pytest.raises(CourseError, match=f"{version} on this machine, not 0123"):
        ray_engine.Replica(str(bundle), "0123456789ab")


def test_what_a_client_sent_is_in_no_exception_of_a_replica(bundle):
    replica = ray_engine.Replica(str(bundle), version_of(bundles.read_card(bundle)))

    def fail(items):
        raise ValueError(f"secret: {items}")

    replica.model = SimpleNamespace(predict_proba=fail)
    with pytest.raises(RuntimeError, match="ValueError in fail") as failed:
        replica.answer(["my password"])
    assert "secret" not in str(failed.value) and failed.value.__context__ is None


class Gone(Exception):
    pass


def stands(ask, seconds: float = 5.0) -> ray_engine.Elsewhere:
    model = Majority(class_names=("a", "b"), shares=np.array([0.6, 0.4]), threshold=0.7)
    return ray_engine.Elsewhere(model, ask, (Gone,), seconds)


def test_what_a_dead_replica_was_asked_is_asked_again():
    asked = []

    def ask(items, seconds):
        asked.append(seconds)
        if len(asked) < 2:
            raise Gone
        return np.array([[0.5, 0.5]])

    assert stands(ask).predict_proba(["x"]).tolist() == [[0.5, 0.5]]
    assert len(asked) == 2 and 5.0 >= asked[0] > asked[1] > 4.0


def test_what_ended_two_replicas_ends_no_third_and_another_fault_is_passed_on():
    asked = []

    def gone(items, seconds):
        asked.append(items)
        raise Gone

    with pytest.raises(Gone):
        stands(gone).predict_proba(["x"])
    assert len(asked) == 2

    def fault(items, seconds):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stands(fault).predict_proba(["x"])


def test_a_call_elsewhere_never_stops_the_event_loop():
    """However quick it is; and who decides is the application, from the model that stands for it."""
    from course_utils.serving import service

    assert probing.Plan(1e-5, 1e-4).in_place and not probing.Plan(1e-5, 1e-4, elsewhere=True).in_place
    called = []

    def quick(items, seconds):
        called.append(threading.current_thread().name)
        return np.tile([0.6, 0.4], (len(items), 1))

    app = service.application(stands(quick), {"name": "stands"}, threads=2)
    state = app.state.service
    assert not state.plan.in_place and state.answering.threshold == 0.7
    state.queue.close()


def test_an_act_that_takes_too_long_is_not_waited_for():
    assert ray_engine._within(5, lambda: 3) == 3
    with pytest.raises(TimeoutError):
        ray_engine._within(0.1, lambda: time.sleep(1))
    with pytest.raises(ZeroDivisionError):
        ray_engine._within(5, lambda: 1 / 0)


def test_who_listens_beyond_loopback_is_found():
    with socket.create_server(("127.0.0.1", 0)):
        assert ray_engine._listening_beyond_loopback({psutil.Process()}) == ""
        with socket.create_server(("0.0.0.0", 0)) as open_to_all:
            port = open_to_all.getsockname()[1]
            assert ray_engine._listening_beyond_loopback({psutil.Process()}) == f"0.0.0.0:{port}"


# ---- with Ray


class Replicated:
    """``course serve --engine ray`` in a session of its own."""

    def __init__(self, bundle, *options: str, **variables: str) -> None:
        command = surroundings.python("-m", "course_utils", "serve", str(bundle), "--engine", "ray", "--port", "0")
        env = {**os.environ, "COLUMNS": "1000", **variables}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([*command, *options], env=env, start_new_session=True, **pipes)
        said = READY.fullmatch(self.process.stdout.readline().strip())
        if said is None:
            raise AssertionError(self.process.communicate(timeout=60)[1])
        self.name, self.url = said.groups()

    def below(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def replicas(self) -> list[psutil.Process]:
        found = []
        for process in self.below():
            with contextlib.suppress(psutil.Error):
                if "ServeReplica" in " ".join(process.cmdline()):
                    found.append(process)
        return found

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(number)
        _, error = self.process.communicate(timeout=60)
        return self.process.returncode, error


def gone(those: list[psutil.Process], seconds: float) -> bool:
    return not psutil.wait_procs(those, timeout=seconds)[1]


@pytest.fixture(scope="module")
def replicated(bundle):
    service = Replicated(bundle, "--replicas", "2")
    yield service
    if service.process.poll() is None:
        service.process.kill()
    service.process.communicate(timeout=60)


REQUESTS = [
    ("/v1/predict", b'{"texts": ["invoice please", "crash", "password of the user"]}'),
    ("/v1/predict", b'{"texts": []}'),
    ("/v1/predict", b'{"images": [[1]]}'),
    ("/v1/predict", b"no json"),
    ("/v1/predict", json.dumps({"texts": ["a"] * 65}).encode()),
    ("/v1/predict", json.dumps({"texts": ["a" * 20_001]}).encode()),
    ("/v1/predict", b'{"texts": ["' + b"a" * 1_000_000 + b'"]}'),
    ("/nowhere", b"{}"),
]


@pytest.mark.night
@installed
def test_replicas_answer_and_refuse_as_the_plain_engine(bundle, replicated, tmp_path):
    assert len(replicated.replicas()) == 2
    with Service(bundle, folder=tmp_path) as plain:
        for path, body in REQUESTS:
            (status, _, wanted), (also, _, found) = (ask(url, post(path, body)) for url in (plain.url, replicated.url))
            assert status == also
            if status == 200:
                assert [one["label"] for one in found["answers"]] == [one["label"] for one in wanted["answers"]]
                shares = [
                    [list(one["probabilities"].values()) for one in given["answers"]] for given in (found, wanted)
                ]
                assert np.allclose(*shares, atol=1e-9)
                assert found["version"] == wanted["version"] and found["model"] == wanted["model"]
            else:
                assert found == wanted
        assert ask(replicated.url, get("/readyz"))[2] == ask(plain.url, get("/readyz"))[2]
        plain.stop()


@pytest.mark.night
@installed
def test_requests_that_wait_share_a_call_of_a_replica(replicated):
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        found = list(pool.map(lambda n: predict(replicated.url, {"texts": ["invoice"] * (1 + n % 2)}), range(400)))
    assert {status for status, _, _ in found} == {200}
    metrics = ask(replicated.url, get("/metrics"))[2].decode()
    items, calls = (
        float(re.search(rf"^course_batch_items_{which} (\S+)", metrics, re.M)[1]) for which in ("sum", "count")
    )
    assert items > 1.2 * calls


@pytest.mark.night
@installed
def test_only_this_machine_reaches_it_and_nobody_is_told(replicated):
    everything = [psutil.Process(replicated.process.pid), *replicated.below()]
    assert len(everything) > 4
    connections = [one for process in everything for one in process.net_connections("inet")]
    outside = [one for one in connections for end in (one.laddr, one.raddr) if end and not loopback(end.ip)]
    assert connections and not outside
    told = [process.environ().get("RAY_USAGE_STATS_ENABLED") for process in replicated.below()]
    assert told.count("0") >= 4 and set(told) <= {"0", None}  # some write their title over what can be read here


def loopback(address: str) -> bool:
    return address.removeprefix("::ffff:").startswith("127.") or address == "::1"


@pytest.mark.night
@installed
def test_a_killed_replica_is_not_noticed_and_comes_back(replicated):
    over, statuses = threading.Event(), []

    def client() -> None:
        while not over.is_set():
            statuses.append(predict(replicated.url, {"texts": ["invoice"]})[0])

    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(1)
        before = replicated.replicas()
        assert len(before) == 2
        before[0].kill()
        killed = len(statuses)
        until = time.monotonic() + 90
        while len({one.pid for one in replicated.replicas()} - {one.pid for one in before}) < 1:
            assert time.monotonic() < until, "no other replica came"
            time.sleep(0.5)
        time.sleep(2)
    finally:
        over.set()
        for thread in threads:
            thread.join(30)
    assert set(statuses) == {200} and len(statuses) > killed + 50


@pytest.mark.night
@installed
def test_when_told_to_stop_it_ends_everything_that_it_started(replicated):
    """The last one: the service of this module ends here, as Ctrl-C at a terminal does it, for the whole group."""
    below = replicated.below()
    os.killpg(replicated.process.pid, signal.SIGINT)
    out, error = replicated.process.communicate(timeout=90)
    assert replicated.process.returncode == 0, f"{out}\n{error}"
    assert "every request that was accepted has been answered" in error and "Traceback" not in error
    assert len(below) > 4 and gone(below, 10)


@pytest.mark.night
@installed
def test_what_it_started_ends_also_when_it_is_killed(bundle):
    service = Replicated(bundle)
    try:
        assert predict(service.url, {"texts": ["invoice"]})[0] == 200
        below = service.below()
    finally:
        service.process.kill()
        service.process.communicate(timeout=60)
    assert len(below) > 3 and gone(below, 240)  # two agents of Ray's take more than a minute to notice


@pytest.mark.night
@installed
def test_a_bundle_that_its_machine_does_not_have_is_one_sentence(bundle):
    """Two copies with different content under one path, as on machines that do not share a folder."""
    with pytest.raises(CourseError, match="not 0123456789ab") as refused:
        ray_engine.Fleet(bundle, "0123456789ab")
    assert "\n" not in str(refused.value)


@pytest.fixture
def cluster():
    """The head of a cluster on loopback: (address, its process, the variables of who belongs to it)."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    variables = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
    options = ["--head", "--block", f"--port={port}", "--num-cpus=2", "--include-dashboard=false"]
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        command = surroundings.python("-m", "ray.scripts.scripts", "start", *options, f"--temp-dir={folder}")
        with processes.Child(command, folder=Path(folder), env=processes.environment(**variables)) as head:
            until = time.monotonic() + 60
            while True:
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                assert time.monotonic() < until and head.status is None, head.tail(10)
                time.sleep(0.5)
            yield f"127.0.0.1:{port}", head, variables


@pytest.mark.night
@installed
def test_on_a_cluster_it_takes_away_what_it_brought_and_no_more(bundle, cluster):
    address, head, variables = cluster
    for _ in range(2):  # the second finds the cluster as the first did
        service = Replicated(bundle, "--cluster", address, **variables)
        try:
            status, _, found = predict(service.url, {"texts": ["invoice"]})
            assert status == 200 and found["answers"][0]["label"] == "billing"
            assert not service.replicas(), "they are the cluster's"
            assert any("ServeReplica" in title for title in titles(head.pid))
            assert service.end()[0] == 0
        finally:
            service.process.kill()
            service.process.communicate(timeout=60)
        assert head.status is None and psutil.pid_exists(head.pid)
        assert not any("ServeReplica" in title for title in titles(head.pid))


def titles(pid: int) -> list[str]:
    found = []
    for process in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            found.append(" ".join(process.cmdline()))
    return found
