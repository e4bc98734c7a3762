"""The same small network behind each server: requests a second, and p99 at an equal rate, in turn on one machine.

    python tests/benchmarks/serve.py [--peer litserve=PYTHON] [--peer bentoml=PYTHON] [--peer mlserver=PYTHON]
        [--rounds 3] [--seconds 3] [--rate 60] [--json FILE]

The network of chapter 07 (93,322 parameters; untrained, which changes no time), one picture a request, the same JSON
for all; MLServer takes the same pixels in the Open Inference Protocol's. One worker, one thread in ONNX Runtime. A peer
is measured where a Python that has it is named: each in an environment of its own, for they want other versions of the
same libraries. ``course serve`` is measured where this checkout has it.

    python tests/benchmarks/serve.py --encoder BUNDLE [--bound-ms 100] [--rounds 3] [--seconds 3]

serves an encoder's bundle twice, requests that wait sharing a call or each with a call of its own (the limit
``together``), and searches the highest rate that holds the p99: one text a request, of one length, and of mixed ones.
"""

import argparse
import dataclasses
import importlib.util
import json
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from course_utils import processes
from course_utils.serving import loadtest, target
from course_utils.serving.generator import Generator

SERVERS = Path(__file__).with_name("servers")
PATIENCE = 90.0  # seconds that a server may take to start
CONNECTIONS = 32


@dataclasses.dataclass
class Row:
    """One server and what was measured of it, a value a round."""

    name: str
    command: list[str]  # PORT stands for the port
    path: str = "/v1/predict"
    rates: list[float] = dataclasses.field(default_factory=list)
    runs: list[loadtest.Result] = dataclasses.field(default_factory=list)
    processor_ms: list[float] = dataclasses.field(default_factory=list)  # of the server, a request
    peak_mib: float = 0.0
    fault: str = ""


def make_models(folder: Path) -> None:
    """The network as a bundle (with ``network.onnx``) and as Keras's own file."""
    import keras

    from course_utils import bundles
    from course_utils.bundles import networks
    from course_utils.recipes import mnist

    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Rescaling(1 / 255), *mnist.pooling_network()], name="digits"
    )
    network.save(folder / "network.keras")
    names = tuple("0123456789")
    bundles.save(networks.ImageNet.of(network, names), folder / "bundle")


def rows(folder: Path, peers: dict[str, str]) -> list[Row]:
    """The servers that can be measured here."""
    onnx, python = str(folder / "bundle" / "network.onnx"), sys.executable
    found = [
        Row(
            "FastAPI + Keras model(x)",
            [python, str(SERVERS / "fastapi_keras.py"), str(folder / "network.keras"), "PORT"],
        ),
        Row("FastAPI + ONNX Runtime", [python, str(SERVERS / "fastapi_onnx.py"), onnx, "PORT"]),
    ]
    if "litserve" in peers:
        found.append(Row("LitServe", [peers["litserve"], str(SERVERS / "litserve_onnx.py"), onnx, "PORT"]))
    if "bentoml" in peers:
        command = [peers["bentoml"], "-m", "bentoml", "serve", "bentoml_onnx:Digits", "--host", "127.0.0.1"]
        found.append(Row("BentoML", [*command, "--port", "PORT", "--working-dir", str(SERVERS)]))
    if "mlserver" in peers:
        command = [peers["mlserver"], str(SERVERS / "mlserver_onnx.py"), onnx, "PORT"]
        found.append(Row("MLServer", command, "/v2/models/digits/infer"))
    try:
        ours = importlib.util.find_spec("course_utils.serving.server") is not None
    except ModuleNotFoundError:
        ours = False
    if ours:
        command = processes.python("course_utils", "serve", str(folder / "bundle"), "--port", "PORT")
        found.append(Row("course serve", command))
    return found


def bodies() -> dict[str, bytes]:
    """The request for each path."""
    image = np.zeros((28, 28), int)
    image[4:24, 11:16] = np.random.default_rng(0).integers(128, 256, (20, 5))
    pixels = {"name": "image", "shape": [1, 28, 28, 1], "datatype": "FP32", "data": image.ravel().tolist()}
    made = {"/v1/predict": {"images": [image.tolist()]}, "/v2/models/digits/infer": {"inputs": [pixels]}}
    return {path: json.dumps(content, separators=(",", ":")).encode() for path, content in made.items()}


def most(url: str, body: bytes, seconds: float) -> float:
    """Answers a second while 32 connections each send their next request as soon as they are answered."""
    asked = target.find(url)
    made = Generator(asked, [asked.request(body)], [0.0] * 60_000, timeout=120, connections=CONNECTIONS)
    warm_up = 1.0
    timer = threading.Timer(warm_up + seconds, made.interrupt)
    timer.start()
    try:
        log = made.run()
    finally:
        timer.cancel()
    done = np.array(log.done)[np.array(log.kind) == ""]
    return float(((done >= warm_up) & (done < warm_up + seconds)).sum() / seconds)


def wait_until_ready(url: str, body: bytes, child: processes.Child) -> None:
    """Until the server answers a request with 200. Raises RuntimeError where it does not, or ends."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            status, content = target.ask(target.find(url), body, timeout=10)
            if status == 200:
                return
            said = f"{status} {content[:200]!r}"
        except (OSError, ValueError, loadtest.CourseError) as error:
            said = str(error)
        if child.status is not None:
            break
        time.sleep(0.3)
    raise RuntimeError(f"{said}; {child.tail()}")


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def measure(row: Row, folder: Path, seconds: float, rate: float) -> None:
    """One round of one server: started, measured, ended."""
    port = free_port()
    url, body = f"http://127.0.0.1:{port}{row.path}", bodies()[row.path]
    command = [str(port) if part == "PORT" else part for part in row.command]
    ours = {} if command[0] == sys.executable else {"PYTHONPATH": None}
    env = processes.environment(
        NETWORK=str(folder / "bundle" / "network.onnx"),
        BENTOML_DO_NOT_TRACK="True",
        BENTOML_HOME=str(folder / "bentoml"),
        PYTHONSAFEPATH=None,
        TF_CPP_MIN_LOG_LEVEL="3",
        **ours,
    )
    with processes.Child(command, folder=folder, env=env, log=folder / f"{port}.log", limit=600) as child:
        try:
            wait_until_ready(url, body, child)
        except RuntimeError as error:
            row.fault = str(error)
            return
        # After each other, so that the second does not find what the first left in a queue.
        before = child.usage.cpu_seconds
        run = loadtest.run(url, rate=rate, seconds=seconds, body=body, arrivals="even", warm_up=1.0)
        time.sleep(2 * processes.SAMPLE_SECONDS)
        row.processor_ms.append((child.usage.cpu_seconds - before) / max(1, rate * (seconds + 1)) * 1_000)
        row.runs.append(run)
        row.rates.append(most(url, body, seconds))
        row.peak_mib = max(row.peak_mib, child.usage.peak_mib)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=60.0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--encoder", type=Path, metavar="BUNDLE")
    parser.add_argument("--bound-ms", type=float, default=100.0)
    given = parser.parse_args()
    peers = dict(peer.split("=", 1) for peer in given.peer)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if given.encoder:
        micro_batching(given)
        return

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_models(folder)
        found = rows(folder, peers)
        for number in range(given.rounds):
            for row in found if number % 2 == 0 else found[::-1]:
                if not row.fault:
                    measure(row, folder, given.seconds, given.rate)

    show(found, given)
    if given.json:
        given.json.write_text(json.dumps([as_json(row) for row in found if row.runs], indent=1) + "\n", "utf-8")


def micro_batching(given: argparse.Namespace) -> None:
    """The table of ``--encoder``: requests/s within the bound, each round, with and without common calls."""
    from course_utils.serving import bodies as known
    from course_utils.serving import probing
    from course_utils.serving.limits import Limits
    from course_utils.serving.starting import Service

    texts = {
        "one length": [json.dumps({"texts": [text]}).encode() for text in probing.examples("texts", 8)],
        "mixed lengths": known._texts(0),
    }
    ways = {"shared": Limits().together, "alone": 1}
    rates: dict[tuple[str, str], list[float]] = {}
    for number in range(given.rounds):
        for way in sorted(ways, reverse=number % 2 == 0):
            for name, requests in texts.items():
                with tempfile.TemporaryDirectory() as folder:
                    limits = {"together": ways[way]}
                    with Service(given.encoder, folder=Path(folder), limits=limits) as service:
                        found = loadtest.find_rate(
                            service.url, given.bound_ms, body=requests, start=100, within=0.05, seconds=given.seconds
                        )
                rates.setdefault((name, way), []).append(found.rate)
                print(f"  {name}, {way}: {found.rate:,.0f}/s ({found.limit})", flush=True)
    print(f"requests/s with p99 ≤ {given.bound_ms:g} ms: the median of {given.rounds} rounds, and the best")
    for name in texts:
        middle = {way: statistics.median(rates[name, way]) for way in ways}
        best = {way: max(rates[name, way]) for way in ways}
        shown = "  ".join(f"{way} {middle[way]:6,.0f} ({best[way]:,.0f})" for way in ways)
        times = [found["shared"] / found["alone"] for found in (middle, best)]
        print(f"{name:14} {shown}  {times[0]:.2f} times ({times[1]:.2f})")


def show(found: list[Row], given: argparse.Namespace) -> None:
    """The table. What else runs on a machine can only make a round worse, so the best stands beside the median."""
    middle = statistics.median
    print(
        f"{given.rounds} rounds in turn; the most over {CONNECTIONS} connections, latency at {given.rate:g} requests/s;"
    )
    print("median of the rounds, and the best; disturbed: rounds in which the machine kept the load generator waiting")
    heads = (("requests/s", 12), ("(best)", 9), ("p50 ms", 9), ("p99 ms", 9), ("(best)", 9))
    heads += (("disturbed", 11), ("failed", 8), ("CPU ms", 8), ("MiB", 7))
    print(f"{'':26}" + "".join(f"{name:>{width}}" for name, width in heads))
    for row in found:
        if row.fault or not row.runs:
            print(f"{row.name:26}  did not answer: {row.fault[:300]}")
            continue
        p50, p99 = ([getattr(run.latency, which) for run in row.runs] for which in ("p50", "p99"))
        failed, late = sum(sum(run.errors.values()) for run in row.runs), sum(run.behind for run in row.runs)
        print(
            f"{row.name:26}{middle(row.rates):12,.0f}{max(row.rates):9,.0f}{middle(p50):9.2f}{middle(p99):9.2f}"
            f"{min(p99):9.2f}{late:11}{failed:8}{middle(row.processor_ms):8.2f}{row.peak_mib:7.0f}"
        )
    first, last = found[0], found[-1]
    if first.rates and last.rates:
        times = middle(last.rates) / middle(first.rates)
        print(f"{last.name} answers {times:.1f} times as many as {first.name}")


def as_json(row: Row) -> dict:
    """Everything that was measured of a server."""
    measured = {"requests_a_second": row.rates, "processor_ms": row.processor_ms, "peak_mib": row.peak_mib}
    return {"name": row.name, **measured, "at_rate": [run.as_json() for run in row.runs]}


if __name__ == "__main__":
    main()
