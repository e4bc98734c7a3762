"""A service at 80 % of the highest rate that holds a p99: no request may fail, and its memory may not grow.

    python tests/serving/endurance.py BUNDLE [--minutes 10] [--bound-ms 50] [--share 0.8] [--rate REQUESTS_A_SECOND]

Memory is looked at every half second. It is judged by its last half, when allocators, buffers and Python's collector
have found their size: how much more lies there in the last quarter of that half than in its first, by their medians, so
that a step counts once, wherever it stands. That may be at most `GROWTH_MIB`. A leak climbs as fast there as anywhere:
in ten minutes at 500 requests a second one of 20 bytes a request is refused. Exit status: 0 where it held, 1 else.

What rises before is mostly closed connections, whose parts hold each other: they wait for a full collection of
Python's. What the allocator keeps in pieces comes on top, once.

At 80 % of what a machine bears it bears no neighbour that takes a fifth of it: requests then wait longer and longer, in
the end for their whole time-out, each of which costs a new connection, and it does not come back by itself. What other
programs took meanwhile is therefore measured and said.
"""

import argparse
import dataclasses
import json
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil

from course_utils.serving import loadtest
from course_utils.serving.starting import Service

GROWTH_MIB = 2.0  # two of the pieces in which Python asks the system for memory
_LOOK_SECONDS = 0.5


@dataclasses.dataclass(frozen=True)
class Held:
    """What was seen: the load test, the service's memory (MiB) over the seconds, and what it grew by.

    ``others`` are the processors that other programs kept busy until each of the ``seconds`` since the one before.
    """

    result: loadtest.Result
    seconds: np.ndarray
    mib: np.ndarray
    others: np.ndarray

    @property
    def growth_mib(self) -> float:
        """What the last eighth of the time has more than the fifth one, by their medians."""
        eighth = np.minimum(self.seconds / self.seconds[-1] * 8, 7.9).astype(int)
        return float(np.median(self.mib[eighth == 7]) - np.median(self.mib[eighth == 4]))

    @property
    def bytes_a_request(self) -> float:
        """The growth of the last half for each of its requests; three eighths of all lie between the two middles."""
        return self.growth_mib * 2**20 / max(1.0, 3 / 8 * self.result.requests)

    @property
    def most_others(self) -> float:
        """The processors that others took in their worst ten seconds."""
        n = min(len(self.others), round(10 / _LOOK_SECONDS))
        return float(np.convolve(self.others, np.full(n, 1 / n), "valid").max())

    @property
    def passed(self) -> bool:
        """Whether every request was answered and memory did not grow."""
        return self.result.answered == self.result.requests > 0 and self.growth_mib <= GROWTH_MIB

    def __str__(self) -> str:
        run = self.result
        return (
            f"{run.answered:,} of {run.requests:,} answered in {run.seconds:.0f} s at {run.rate:,.0f}/s, errors "
            f"{run.errors or 'none'}; p50 {run.latency.p50:.1f}, p99 {run.latency.p99:.1f}, most {run.latency.max:.0f} "
            f"ms{' (generator behind)' if run.behind else ''}; memory {self.mib[0]:.1f} → {self.mib[-1]:.1f} MiB, "
            f"in the last half {self.growth_mib:+.2f} (allowed {GROWTH_MIB:g}), {self.bytes_a_request:+.0f} bytes a "
            f"request; others took {self.others.mean():.2f} of "
            f"{psutil.cpu_count()} processors, {self.most_others:.2f} in their worst ten seconds: "
            f"{'held' if self.passed else 'NOT HELD'}"
        )


def endure(url: str, pid: int, rate: float, seconds: float, body: loadtest.Body = None) -> Held:
    """Send ``rate`` requests a second for so long, and watch the memory of the process that answers."""
    process, own, over = psutil.Process(pid), psutil.Process(), threading.Event()
    looks: list[tuple[float, float, float]] = []

    def taken_by_others() -> float:
        """Seconds of all processors that neither the service nor this program has used."""
        machine = psutil.cpu_times()
        idle = machine.idle + getattr(machine, "iowait", 0.0)
        guests = getattr(machine, "guest", 0.0) + getattr(machine, "guest_nice", 0.0)  # stand in user and nice, too
        return sum(machine) - guests - idle - sum(sum(one.cpu_times()[:2]) for one in (process, own))

    def look() -> None:
        start = time.monotonic()
        while True:
            looks.append((time.monotonic() - start, process.memory_info().rss / 2**20, taken_by_others()))
            if over.wait(_LOOK_SECONDS):
                return

    watch = threading.Thread(target=look, daemon=True)
    watch.start()
    try:
        result = loadtest.run(url, rate=rate, seconds=seconds, body=body)
    finally:
        over.set()
        watch.join()
    moments, mib, taken = np.array(looks).T
    others = np.diff(taken) / np.maximum(np.diff(moments), 1e-3)
    return Held(result, moments, mib, np.maximum(others, 0.0))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--bound-ms", type=float, default=50.0)
    parser.add_argument("--share", type=float, default=0.8)
    parser.add_argument("--rate", type=float, help="instead of a search")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, Service(given.bundle, folder=Path(name)) as service:
        rate = given.rate
        if rate is None:
            found = loadtest.find_rate(service.url, given.bound_ms)
            print(f"p99 ≤ {given.bound_ms:g} ms holds at {found.rate:,.0f}/s (limit: {found.limit})", flush=True)
            rate = given.share * found.rate
        held = endure(service.url, service.child.pid, rate, 60 * given.minutes)
        print(held)
        if given.json:
            seen = {name: getattr(held, name).round(2).tolist() for name in ("seconds", "mib", "others")}
            given.json.write_text(json.dumps(held.result.as_json() | seen) + "\n", "utf-8")
        ended = service.stop()
    return int(not held.passed or ended != 0)


if __name__ == "__main__":
    sys.exit(main())
