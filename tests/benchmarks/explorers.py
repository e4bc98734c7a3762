"""How long an explorer's answer takes in Python, from an event to what the browser gets: medians over updates.

    python tests/benchmarks/explorers.py [--updates 40]

Each explorer is moved as it is heaviest: the longest path, the largest network, the longest sentence. Processor time.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from course_utils import explorers

AIM = 30  # milliseconds


def size_and_cost(updates: int) -> tuple:
    stage = explorers.size_and_cost()
    return stage, [
        lambda k=k: stage.send_event("change", "size", 10.0 ** (6 + 6 * k / updates)) for k in range(updates)
    ]


def descent(updates: int) -> tuple:
    stage = explorers.descent(optimiser="Adam", steps=300)
    return stage, [lambda k=k: stage.send_event("change", "rate", 2.0 * k / updates) for k in range(updates)]


def playground(updates: int) -> tuple:
    stage = explorers.playground()
    for name, value in (("data", "spirals"), ("depth", 4.0), ("width", 8.0)):
        stage.send_event("change", name, value)
    stage.send_event("press", "train")
    return stage, [lambda: stage.send_event("tick")] * updates


def convolution(updates: int) -> tuple:
    stage = explorers.convolution()
    return stage, [lambda k=k: stage.send_event("hover", panel="map", x=k % 14, y=3 * k % 14) for k in range(updates)]


def gradient_over_time(updates: int) -> tuple:
    stage = explorers.gradient_over_time(network="LSTM")
    return stage, [lambda k=k: stage.send_event("change", "radius", 2.0 * k / updates) for k in range(updates)]


def duel(updates: int) -> tuple:
    stage = explorers.duel()
    stage.send_event("change", "turns", 5.0)
    stage.send_event("press", "play")
    return stage, [lambda: stage.send_event("tick")] * updates


def words(updates: int) -> tuple:
    random = np.random.default_rng(0)
    names = [f"word{i}" for i in range(400)]
    stage = explorers.words(random.normal(size=(400, 64)), names, random.dirichlet(np.ones(8), 400), "abcdefgh")
    return stage, [lambda k=k: stage.send_event("change", "word", 400.0 * k / updates) for k in range(updates)]


def attention(updates: int) -> tuple:
    S = np.exp(np.random.default_rng(0).normal(size=(12, 12, 40, 40)))
    tokens = [f"##word{i}" for i in range(40)]
    stage = explorers.attention({"a long sentence": (tokens, S / S.sum(axis=-1, keepdims=True))})
    return stage, [lambda k=k: stage.send_event("hover", panel="map", x=0, y=k % 40) for k in range(updates)]


def milliseconds(update: Callable[[], object]) -> float:
    began = time.process_time()
    update()
    return (time.process_time() - began) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--updates", type=int, default=40)
    updates = parser.parse_args().updates

    makers = (size_and_cost, descent, playground, convolution, gradient_over_time, duel, words, attention)
    moves = {maker.__name__: maker(updates)[1] for maker in makers}
    times: dict[str, list[float]] = {name: [] for name in moves}
    for number in range(updates):  # in turn, so that a slow spell falls on all
        for name, of_one in moves.items():
            times[name].append(milliseconds(of_one[number]))

    print(f"an explorer's update, ms of processor time ({updates} each, in turn)")
    print(f"{'':22}{'median':>8}{'least':>8}{'most':>8}")
    for name, taken in times.items():
        print(f"{name:22}{statistics.median(taken):8.1f}{min(taken):8.1f}{max(taken):8.1f}")
    slowest = max(times, key=lambda name: statistics.median(times[name]))
    print(f"the slowest, {slowest}, takes {statistics.median(times[slowest]):.0f} ms; the aim is {AIM}")


if __name__ == "__main__":
    main()
