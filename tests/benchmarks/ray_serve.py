"""`course serve` with Ray's replicas beside the plain engine, same bundles: seconds to start, memory, requests/s.

    python tests/benchmarks/ray_serve.py [--rounds 3] [--seconds 3] [--write]

Two networks for one image a request, untrained, which changes no time: that of chapter 07, whose call takes a fraction
of a millisecond, and four wide convolutions, whose call takes some. Each engine is started anew in each round, all of
them in turn, over 32 connections from this machine, which takes a part of its processors. ``--write`` keeps the figures
in ``data/results/11.json``. Wants the extra ``ray``.
"""

import argparse
import dataclasses
import importlib.metadata
import os
import statistics
import tempfile
import time
from pathlib import Path

import kept
import serve

from course_utils import processes
from course_utils.serving import ray_engine

ENGINES = {
    "plain": [],
    "plain, 2 threads": ["--workers-threads", "2"],
    "ray, 1 replica": ["--engine", "ray", "--replicas", "1"],
    "ray, 2 replicas": ["--engine", "ray", "--replicas", "2"],
}


@dataclasses.dataclass
class Measured:
    """What was measured of an engine with a bundle, a value a round; the most memory of all rounds."""

    start: list[float] = dataclasses.field(default_factory=list)
    rates: list[float] = dataclasses.field(default_factory=list)
    peak_mib: float = 0.0
    processes: int = 0


def wide(folder: Path) -> None:
    """Save four wide convolutions as a bundle."""
    import keras
    from keras import layers

    from course_utils import bundles
    from course_utils.bundles import networks

    keras.utils.set_random_seed(0)
    body = [layers.Conv2D(64, 3, padding="same", activation="relu") for _ in range(4)]
    head = [layers.GlobalAveragePooling2D(), layers.Dense(10, activation="softmax")]
    network = keras.Sequential([keras.Input((28, 28, 1)), layers.Rescaling(1 / 255), *body, *head], name="wide")
    bundles.save(networks.ImageNet.of(network, tuple("0123456789")), folder)


def measure(measured: Measured, bundle: Path, options: list[str], folder: Path, seconds: float) -> None:
    """One round of one engine: started, asked, ended."""
    port = serve.free_port()
    url, body = f"http://127.0.0.1:{port}/v1/predict", serve.bodies()["/v1/predict"]
    command = processes.python("course_utils", "serve", str(bundle), "--port", str(port), *options)
    begun = time.monotonic()
    with processes.Child(
        command, folder=folder, env=processes.environment(), log=folder / f"{port}.log", limit=600
    ) as child:
        serve.wait_until_ready(url, body, child)
        measured.start.append(time.monotonic() - begun)
        measured.rates.append(serve.most(url, body, seconds))
        import psutil

        measured.processes = 1 + len(psutil.Process(child.pid).children(recursive=True))
        measured.peak_mib = max(measured.peak_mib, child.usage.peak_mib)


def main(rounds: int, seconds: float, write: bool) -> None:
    ray_engine.available()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        serve.make_models(folder)
        wide(folder / "wide")
        bundles = {"chapter 07's network": folder / "bundle", "four wide convolutions": folder / "wide"}
        found = {(what, engine): Measured() for what in bundles for engine in ENGINES}
        for number in range(rounds):
            for what, engine in found if number % 2 == 0 else reversed(found):
                measure(found[what, engine], bundles[what], ENGINES[engine], folder, seconds)
    rows = [
        {
            "network": what,
            "engine": engine,
            "seconds to start": round(statistics.median(one.start), 1),
            "MiB": round(one.peak_mib),
            "processes": one.processes,
            "requests a second": round(statistics.median(one.rates)),
            "in each round": [round(rate) for rate in one.rates],
        }
        for (what, engine), one in found.items()
    ]
    for row in rows:
        print(row)
    rate = {key: statistics.median(one.rates) for key, one in found.items()}
    times = {what: round(rate[what, "ray, 2 replicas"] / rate[what, "plain"], 2) for what in bundles}
    print(f"Two replicas answer, times as many as the plain engine: {times}")
    if write:
        head = kept.head(f"python tests/benchmarks/ray_serve.py --rounds {rounds} --write")
        head["ray"] = importlib.metadata.version("ray")
        kept.write("11", kept.read("11") | {"ray": head | {"rows": rows}})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--write", action="store_true", help="keep the figures in data/results/11.json")
    given = parser.parse_args()
    main(given.rounds, given.seconds, given.write)
