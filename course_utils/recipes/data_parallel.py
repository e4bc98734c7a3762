"""Train one network in several real processes at once, with JAX: ``python -m course_utils.recipes.data_parallel``.

Each process holds the whole network and takes its rows of every batch; the gradients are summed over loopback (gloo).
``measured(k)`` starts k processes and returns their losses, times and the bytes that their sockets sent. The command
measures `RUNS` and prints them; with ``--write`` they go to ``data/results/11.json``.
"""

import argparse
import datetime
import importlib.util
import itertools
import json
import os
import queue
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from course_utils import processes
from course_utils.errors import CourseError, warn

_CHILD = "one-of-several"
STEPS, WARM_UP = 32, 8
RUNS = ((1, 64), (2, 64), (4, 64), (1, 2048), (2, 2048))  # processes, and rows of a batch
_BYTES_SENT = 200  # the place of tcpi_bytes_sent in Linux's struct tcp_info (linux/tcp.h), a 64-bit number


def train(rank: int, count: int, address: str, batch: int) -> dict[str, Any]:
    """Process ``rank`` of ``count``: what it saw while it trained the digit reader on its rows of every batch."""
    import keras

    if count > 1:
        keras.distribution.initialize(address, count, rank)  # the address of process 0
    parallel = keras.distribution.DataParallel(auto_shard_dataset=False)
    keras.distribution.set_distribution(parallel)
    network = reader()
    losses, sent, clock = [], [], []
    for x, y in rows(rank, count, batch):
        network.reset_metrics()
        losses.append(float(network.train_on_batch(x, y)))  # sums the gradients of all processes
        sent.append(bytes_sent())
        clock.append(time.perf_counter())
    return {
        "losses": losses,
        "sent": None if sent[-1] is None else sent[-1] - sent[WARM_UP],
        "seconds": statistics.median(b - a for a, b in itertools.pairwise(clock[WARM_UP:])),
        "parameters": network.count_params(),
    }


def reader() -> Any:
    """Chapter 07's fast network, untrained and with the same weights in every process."""
    import keras

    from course_utils import weights

    keras.utils.set_random_seed(0)
    network = keras.models.clone_model(weights.load())
    network.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", jit_compile=True)
    return network


def rows(rank: int, count: int, batch: int) -> Iterator[tuple[Any, Any]]:
    """This process's rows of each of `STEPS` batches: an equal, contiguous part."""
    from course_utils import data

    train = data.load("digits").train
    x = train.images[..., None].astype("float32")
    part = batch // count
    for step in range(STEPS):
        start = step * batch + rank * part
        mine = [k % len(x) for k in range(start, start + part)]
        yield x[mine], train.labels[mine]


def bytes_sent() -> int | None:
    """How many bytes this process's TCP connections have sent, by the system's own count; None where it has none."""
    if not Path("/proc/self/fd").is_dir():
        return None
    total = 0
    for place in Path("/proc/self/fd").iterdir():
        try:
            if not os.readlink(place).startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(place.name))) as one:
                if one.family in (socket.AF_INET, socket.AF_INET6) and one.type == socket.SOCK_STREAM:
                    info = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_SENT + 8)
                    total += int.from_bytes(info[_BYTES_SENT:], "little")
        except OSError:  # closed meanwhile, or not connected
            continue
    return total


def available() -> bool:
    """Whether JAX is installed here."""
    return importlib.util.find_spec("jax") is not None


def measured(k: int, batch: int = 64, limit: float = 240.0) -> dict[str, Any]:
    """Train in ``k`` processes on this machine, each on one thread.

    ``losses`` (one a step, the same in every process), ``parameters``, ``sent``: bytes a step and process, ``seconds``
    of a step (the median), ``processor_seconds`` of all processes with start and compilation, ``peak_mib`` of the
    largest. Raises CourseError where a process fails or JAX is missing.
    """
    if not available():
        raise CourseError("JAX is not installed here; requirements-jax.txt lists what an environment with it needs.")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    one_thread = "--xla_cpu_multi_thread_eigen=false"
    env = processes.environment(KERAS_BACKEND="jax", JAX_PLATFORMS="cpu", XLA_FLAGS=one_thread)
    told: queue.Queue = queue.Queue()
    found: dict[int, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        children = []
        try:
            for rank in range(k):
                job = {"rank": rank, "count": k, "address": address, "batch": batch}
                log = Path(folder) / f"{rank}.log"
                command = processes.python("course_utils.recipes.data_parallel", _CHILD)
                children.append(
                    processes.Child(command, folder=Path(folder), job=job, env=env, log=log, events=told, limit=limit)
                )
            over = 0
            while over < k:
                child, event = told.get()
                if event is not None:
                    found[children.index(child)] = event
                    continue
                over += 1
                if children.index(child) not in found:
                    raise CourseError(f"A process of the training ended early: {child.tail() or child.stopped}")
        finally:
            for child in children:
                child.close()
    first = found[0]
    if any(abs(a - b) > 1e-6 for one in found.values() for a, b in zip(one["losses"], first["losses"], strict=True)):
        raise CourseError("The processes do not agree on the loss.")
    steps = STEPS - 1 - WARM_UP
    sent = [one["sent"] for one in found.values()]
    return {
        "processes": k,
        "batch": batch,
        "losses": first["losses"],
        "parameters": first["parameters"],
        "sent": None if None in sent else sum(sent) / k / steps,
        "seconds": max(one["seconds"] for one in found.values()),
        "processor_seconds": sum(child.usage.cpu_seconds for child in children),
        "peak_mib": max(child.usage.peak_mib for child in children),
    }


def record() -> dict[str, Any]:
    """The runs of `RUNS`, with date and machine, as `course_utils.results` reads them."""
    return {
        "made by": "KERAS_BACKEND=jax python -m course_utils.recipes.data_parallel --write",
        "date": datetime.date.today().isoformat(),
        "machine": _machine(),
        "runs": [measured(*run) for run in RUNS],
    }


def _machine() -> dict[str, Any]:
    from course_utils.runtime import machine

    return machine()


def main() -> None:
    """Measure, print, and keep with ``--write``."""
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.recipes.data_parallel", description="Train in several processes with JAX."
    )
    parser.add_argument("--write", action="store_true", help="keep what was measured in data/results/11.json")
    write = parser.parse_args().write
    try:
        made = record()
        if write:
            from course_utils.paths import require_checkout

            path = require_checkout() / "data" / "results" / "11.json"
            kept = json.loads(path.read_text("utf-8")) if path.is_file() else {}
            path.write_text(json.dumps(kept | {"data parallel": made}, indent=1) + "\n", "utf-8")
    except CourseError as error:
        warn(str(error))
        raise SystemExit(2) from None
    print(json.dumps(made, indent=1))


def _child() -> None:
    events, job = processes.begin()
    import jax

    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    events("trained", **train(**job))


if __name__ == "__main__":
    if sys.argv[1:] == [_CHILD]:
        _child()
    else:
        main()
