"""A decoder in service: continuous batching beside one text at a time, in turn on one machine.

    python tests/benchmarks/decode.py [--clients 1,4,16] [--rounds 3] [--seconds 4] [--slots 16] [--json FILE] [--write]

Each client streams one completion after the other (a prompt of 32 tokens, 16 to 128 written, so that they do not end
together) from the same service, with ``--slots`` texts written at a time and with one. The network has the size of
nanoGPT's smallest recipe (4 layers, 128 wide, 512 tokens, 256 of context); it has learnt nothing, which changes no
time, and writes one letter a token. Counted are the pieces that arrive: tokens a second of all clients together, the
time from a request to its first piece, the time between two pieces, and the server's processor time a token, which
other work on the machine does not change. The arithmetic of it is measured apart, without a server.
``--write`` keeps the medians in data/results/12.json, beside what decoder.py keeps there.
"""

import argparse
import asyncio
import dataclasses
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import kept
import numpy as np

from course_utils.serving.starting import Service

PROMPT, LENGTHS = 32, (16, 32, 64, 128)
WARM_UP = 1.0
LETTERS = b"abcdefghijklmnopqrstuvwxyz"


@dataclasses.dataclass
class Row:
    """One number of clients and one way, with a value a round for each measure (seconds; processor: a token)."""

    clients: int
    slots: int
    rates: list[float] = dataclasses.field(default_factory=list)
    first: list[float] = dataclasses.field(default_factory=list)
    first_p99: list[float] = dataclasses.field(default_factory=list)
    between: list[float] = dataclasses.field(default_factory=list)
    between_p99: list[float] = dataclasses.field(default_factory=list)
    processor: list[float] = dataclasses.field(default_factory=list)
    arithmetic: list[float] = dataclasses.field(default_factory=list)


def make_bundle(folder: Path) -> None:
    """A decoder of nanoGPT's smallest size whose likeliest tokens are always letters."""
    from course_utils import bundles
    from course_utils.bundles.byte_pairs import BytePairs
    from course_utils.bundles.decoder import Decoder
    from course_utils.bundles.decoder_pass import Network, Shape, drawn

    pairs = [(left, right) for left in LETTERS for right in LETTERS][:256]
    tokenizer = BytePairs(pairs)
    shape = Shape(len(tokenizer), 256, 4, 4, 128, untied=True)
    arrays = drawn(shape)
    head = np.zeros((shape.width, shape.vocabulary), np.float32)
    head[:, list(LETTERS)] = np.random.default_rng(1).normal(0, 2, (shape.width, len(LETTERS)))
    bundles.save(Decoder(network=Network(shape, arrays | {"head": head}), tokenizer=tokenizer), folder)


class Client:
    """Streams completions one after the other over one connection until ``until``; notes when pieces came."""

    def __init__(self, url: str, number: int, until: float) -> None:
        self.host, self.port = url.removeprefix("http://").split(":")
        self.number, self.until = number, until
        self.pieces: list[tuple[float, int]] = []  # (moment, tokens)
        self.first: list[tuple[float, float]] = []  # (moment, seconds since the request)
        self.between: list[tuple[float, float]] = []

    async def run(self) -> None:
        reader, writer = await asyncio.open_connection(self.host, int(self.port))
        k = self.number
        while time.perf_counter() < self.until:
            body = {"prompt": [97 + (k + n) % 26 for n in range(PROMPT)], "stream": True, "seed": k}
            body |= {"max_tokens": LENGTHS[k % len(LENGTHS)], "temperature": 0.1}
            k += 1
            data = json.dumps(body).encode()
            head = f"POST /v1/completions HTTP/1.1\r\nHost: t\r\nContent-Length: {len(data)}\r\n"
            last = began = time.perf_counter()
            writer.write(head.encode() + b"Content-Type: application/json\r\n\r\n" + data)
            status = await reader.readuntil(b"\r\n\r\n")
            if not status.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(status.decode("latin-1"))
            while size := int(await reader.readline(), 16):
                events = (await reader.readexactly(size + 2))[:-2].split(b"\n\n")
                now = time.perf_counter()
                texts = [json.loads(one[6:])["choices"][0]["text"] for one in events if one.startswith(b"data: {")]
                if tokens := len("".join(texts)):
                    (self.first if last == began else self.between).append((now, now - last))
                    self.pieces.append((now, tokens))
                    last = now
            await reader.readline()
        writer.close()


async def crowd(url: str, clients: int, seconds: float) -> tuple[list[Client], float]:
    """Let clients ask for a while; returns them, and when counting begins."""
    begin = time.perf_counter() + WARM_UP
    all_ = [Client(url, n * 7, begin + seconds) for n in range(clients)]
    await asyncio.gather(*(one.run() for one in all_))
    return all_, begin


def measure(row: Row, bundle: Path, seconds: float) -> None:
    """One round: a service of its own, and its clients."""
    with tempfile.TemporaryDirectory() as folder:
        limits = {"slots": row.slots, "answer_seconds": 60.0}
        with Service(bundle, folder=Path(folder), limits=limits) as service:
            time.sleep(0.5)
            before = service.child.usage.cpu_seconds
            clients, begin = asyncio.run(crowd(service.url, row.clients, seconds))
            time.sleep(0.5)
            used = service.child.usage.cpu_seconds - before
    end = begin + seconds
    tokens = sum(n for one in clients for _, n in one.pieces)

    def within(name: str) -> list[float]:
        return [value for one in clients for moment, value in getattr(one, name) if begin <= moment < end]

    first, between = np.array(within("first")), np.array(within("between"))
    row.rates.append(sum(within("pieces")) / seconds)
    row.first.append(float(np.median(first)))
    row.first_p99.append(float(np.quantile(first, 0.99)))
    row.between.append(float(np.median(between)))
    row.between_p99.append(float(np.quantile(between, 0.99)))
    row.processor.append(used / tokens)
    row.arithmetic.append(arithmetic(bundle, min(row.clients, row.slots)))


def arithmetic(bundle: Path, sequences: int, steps: int = 100) -> float:
    """Processor seconds a token of a batch that is full, on one core, in this process."""
    from threadpoolctl import threadpool_limits

    from course_utils import bundles
    from course_utils.serving.decoding.batch import Batch, Sequence

    batch = Batch(bundles.load_model(bundle).network, sequences)
    for n in range(sequences):
        batch.join(Sequence([97 + n % 26] * PROMPT, temperature=0.1, seed=n))
    with threadpool_limits(1):
        while batch.reading:
            batch.step()
        began = time.process_time()
        for _ in range(steps):
            batch.step()
        return (time.process_time() - began) / steps / sequences


def show(rows: list[Row], rounds: int) -> None:
    """The table: the median of the rounds; of tokens a second and of the p99 between tokens also the best."""
    middle = statistics.median
    print(f"median of {rounds} rounds in turn (best)")
    heads = (("clients", 8), ("slots", 7), ("tokens/s", 18), ("first ms", 10), ("p99", 9), ("between ms", 12))
    print(
        "".join(f"{name:>{width}}" for name, width in (*heads, ("p99", 17), ("CPU ms a token", 16), ("arithmetic", 12)))
    )
    for row in rows:
        rate, p99 = middle(row.rates), middle(row.between_p99) * 1e3
        print(
            f"{row.clients:8}{row.slots:7}{rate:10,.0f} ({max(row.rates):,.0f}){1e3 * middle(row.first):10.1f}"
            f"{1e3 * middle(row.first_p99):9.0f}{1e3 * middle(row.between):12.2f}"
            f"{p99:9.1f} ({min(row.between_p99) * 1e3:.1f}){1e3 * middle(row.processor):16.3f}"
            f"{1e3 * middle(row.arithmetic):12.3f}"
        )
    last = [row for row in rows if row.clients == rows[-1].clients]
    together, alone = (next(row for row in last if (row.slots > 1) == more) for more in (True, False))
    rates, best, processor, first = (
        middle(together.rates) / middle(alone.rates),
        max(together.rates) / max(alone.rates),
        middle(together.processor) / middle(alone.processor),
        middle(together.first) / middle(alone.first),
    )
    print(
        f"{together.clients} clients: {rates:.1f} times the tokens a second of one text at a time (best rounds: "
        f"{best:.1f}), {processor:.2f} of its processor time a token, first token after {first:.3f} of its time"
    )


def keep(rows: list[Row]) -> None:
    """Put the medians of the rounds into data/results/12.json, as its part "service"."""
    service = kept.head("python tests/benchmarks/decode.py --write")
    service["rounds"] = len(rows[0].rates)
    names = {
        "tokens a second": "rates",
        "seconds to the first token": "first",
        "seconds between two tokens": "between",
        "processor seconds a token": "processor",
    }
    service["rows"] = [
        {"clients": row.clients, "texts at a time": row.slots}
        | {name: float(f"{statistics.median(getattr(row, field)):.4g}") for name, field in names.items()}
        for row in rows
    ]
    kept.write("12", kept.read("12") | {"service": service})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", default="1,4,16")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--slots", type=int, default=16)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write", action="store_true", help="keep the medians in data/results/12.json")
    given: Any = parser.parse_args()
    rows = [Row(int(clients), slots) for clients in given.clients.split(",") for slots in (1, given.slots)]
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "letters"
        make_bundle(bundle)
        for number in range(given.rounds):
            for row in rows if number % 2 == 0 else rows[::-1]:
                measure(row, bundle, given.seconds)
    show(rows, given.rounds)
    if given.write:
        keep(rows)
    if given.json:
        given.json.write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
