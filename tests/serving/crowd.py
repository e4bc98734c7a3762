"""Many connections that say nothing, or too slowly: how many are held and refused, and what an honest client notices.

    python tests/serving/crowd.py [--connections 10000] [--slow 1000]

serves a small bundle by `course serve` and prints a line for each of three cases: more idle connections than may be
open (1,000), as many as may, and a thousand heads that come byte by byte. Each side needs as many open files as there
are connections: ``ulimit -n`` is raised to what the system allows, and what it does not allow is said.
"""

import argparse
import collections
import contextlib
import dataclasses
import json
import re
import selectors
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from wire import predict

from course_utils import surroundings
from course_utils.serving import server

SPARE = 50  # open files beside the connections


@dataclasses.dataclass
class Crowd:
    """Connections of one client: those that are open by their sockets, what each was told, and when it was closed."""

    url: str
    lines: dict[socket.socket, bytes] = dataclasses.field(default_factory=dict)
    told: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    seconds: list[float] = dataclasses.field(default_factory=list)  # from the beginning, that each end came after

    def __enter__(self) -> "Crowd":
        self.begun = time.monotonic()
        self.selector = selectors.DefaultSelector()
        return self

    def __exit__(self, *_: object) -> None:
        for line in self.lines:
            line.close()
        self.selector.close()

    def come(self, n: int, say: bytes = b"") -> None:
        """Open ``n`` more connections; each says a few bytes."""
        parts = urlsplit(self.url)
        for _ in range(n):
            line = socket.create_connection((parts.hostname, parts.port), timeout=60)
            line.setblocking(False)
            if say:
                line.send(say)
            self.lines[line] = b""
            self.selector.register(line, selectors.EVENT_READ)

    def listen(self, seconds: float, enough: Callable[[], bool] = lambda: False) -> None:
        """Read what comes, for some seconds or until there is ``enough``."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not enough() and self.lines:
            for key, _ in self.selector.select(min(left, 0.1)):
                line = key.fileobj
                try:
                    found = line.recv(65536)
                except OSError:
                    found, self.lines[line] = b"", self.lines[line] or b"reset"
                self.lines[line] += found
                if not found:
                    self._ended(line)

    def drip(self, byte: bytes) -> None:
        """A byte more on each connection."""
        for line in list(self.lines):
            try:
                line.send(byte)
            except BlockingIOError:
                continue
            except OSError:  # its end is read next
                continue

    def _ended(self, line: socket.socket) -> None:
        said = self.lines.pop(line)
        self.selector.unregister(line)
        line.close()
        self.seconds.append(time.monotonic() - self.begun)
        self.told[judge(said)] += 1


def judge(said: bytes) -> str:
    """A whole answer in JSON, with a sentence and for 503 the time of another try, by its status; else what it was."""
    found = re.match(rb"HTTP/1\.1 (\d+) [^\r]*\r\n(.*?)\r\n\r\n(.*)", said, re.DOTALL)
    if not found:
        return said.decode("latin-1") or "closed"
    status, head, body = found[1].decode(), found[2].lower(), found[3]
    with contextlib.suppress(ValueError):
        whole = bool(json.loads(body)["error"]) and b"connection: close" in head
        return status if whole and (status != "503" or b"retry-after: " in head) else f"{status}, not whole"
    return f"{status}, not JSON"


def honest(url: str, n: int = 50) -> list[float]:
    """Milliseconds of ``n`` requests, each on a connection of its own. Raises AssertionError for one not answered."""
    times = []
    for _ in range(n):
        start = time.perf_counter()
        assert predict(url, {"texts": ["invoice"]})[0] == 200
        times.append(1e3 * (time.perf_counter() - start))
    return sorted(times)


def until_answered(url: str, seconds: float) -> float:
    """Seconds until a request is answered again. Raises AssertionError where it takes longer than ``seconds``."""
    start = time.monotonic()
    while True:
        with contextlib.suppress(OSError):
            if predict(url, {"texts": ["invoice"]})[0] == 200:
                return time.monotonic() - start
        assert time.monotonic() - start < seconds, "the service does not come back"
        time.sleep(0.1)


# ------------------------------------------------------------------------------------------------------- the command


@contextlib.contextmanager
def serving(folder: Path, most: int) -> Iterator[tuple[str, psutil.Process]]:
    """`course serve` with at most so many connections: its address and its process."""
    command = surroundings.python(
        "-m", "course_utils", "serve", str(folder / "tickets"), "--port", "0", "--connections", str(most)
    )
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            url = re.search(r"http://\S+", process.stdout.readline())[0]
            honest(url)
            yield url, psutil.Process(process.pid)
        finally:
            process.terminate()
            assert process.wait(30) == 0, "it did not end well"


def idle(folder: Path, n: int, most: int) -> str:
    """``n`` connections that say nothing, where ``most`` may be open."""
    with serving(folder, most) as (url, process):
        before = process.memory_info().rss
        with Crowd(url) as crowd:
            crowd.come(n)
            came = time.monotonic() - crowd.begun
            crowd.listen(5.0, lambda: len(crowd.lines) <= most)
            held = len(crowd.lines)
            during = process.memory_info().rss
            refused = dict(crowd.told)
            times = honest(url) if held < most else None
            crowd.listen(40.0)
            ended, last = dict(crowd.told - collections.Counter(refused)), max(crowd.seconds)
        again = until_answered(url, 20)
        after = process.memory_info().rss
    client = "told to come again" if times is None else f"p50 {times[25]:.1f}, slowest of 50 {times[-1]:.1f} ms"
    return (
        f"{n:,} idle, {most:,} may be open: in {came:.1f} s {held:,} held, refused {refused or 'none'}; an honest "
        f"client {client}; the held ended {ended} after {last:.1f} s; answered again after {again:.1f} s; "
        f"MiB {before / 2**20:.0f} before, {during / 2**20:.0f} during, {after / 2**20:.0f} after"
    )


def slow(folder: Path, n: int, most: int) -> str:
    """``n`` heads that come a byte a second, where ``most`` connections may be open."""
    with serving(folder, most) as (url, process):
        before = process.memory_info().rss
        alone = honest(url)
        with Crowd(url) as crowd:
            crowd.come(n, b"POST /v1/predict HTTP/1.1\r\nX: ")
            times: list[float] = []
            peak = 0
            while crowd.lines and time.monotonic() - crowd.begun < 60:
                crowd.drip(b"y")
                times += honest(url, 10)
                crowd.listen(0.9)
                peak = max(peak, process.memory_info().rss)
            told, last = dict(crowd.told), max(crowd.seconds)
        after = process.memory_info().rss
    times.sort()
    return (
        f"{n:,} heads by a byte a second: told {told} after at most {last:.1f} s; an honest client meanwhile p50 "
        f"{times[len(times) // 2]:.1f}, slowest of {len(times)} {times[-1]:.1f} ms (alone {alone[25]:.1f} and "
        f"{alone[-1]:.1f}); MiB {before / 2**20:.0f} before, {peak / 2**20:.0f} during, {after / 2**20:.0f} after"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--slow", type=int, default=1_000)
    given = parser.parse_args()
    room = server._open_files() - SPARE
    if room < given.connections:
        print(f"ulimit -n allows {room:,} connections here, not {given.connections:,}: taken so many.")
        given.connections = room
    with tempfile.TemporaryDirectory() as name:
        from conftest import tickets

        tickets(Path(name) / "tickets")
        print(idle(Path(name), given.connections, 1_000))
        print(idle(Path(name), given.connections, given.connections + 500))
        print(slow(Path(name), given.slow, given.slow + 500))


if __name__ == "__main__":
    main()
