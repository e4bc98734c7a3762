"""Milliseconds of single answers, as a service gives them: for a comparison's account and for the gate."""

import time
from typing import Any

WARM_UP = 40


def single_times(model: Any, inputs: Any, most: int, seconds: float) -> list[float]:
    """Milliseconds of ``most`` answers to one input each, in turn; fewer where ``seconds`` are over first.

    ``inputs`` are texts or images (n, height, width). Before, for half of the seconds at most, some 40 of all lengths
    are answered: a framework compiles for lengths that it has not seen.
    """
    by_length = sorted(range(len(inputs)), key=lambda k: len(inputs[k]))[:: max(1, len(inputs) // WARM_UP)]
    begun = time.perf_counter()
    for k in range(max(WARM_UP, len(by_length))):
        at = by_length[k % len(by_length)]
        model.predict_proba(inputs[at : at + 1])
        if time.perf_counter() - begun > seconds / 2:
            break
    times: list[float] = []
    begun = time.perf_counter()
    while len(times) < most and (not times or time.perf_counter() - begun <= seconds):
        at = len(times) % len(inputs)
        start = time.perf_counter()
        model.predict_proba(inputs[at : at + 1])
        times.append(1_000 * (time.perf_counter() - start))
    return times
