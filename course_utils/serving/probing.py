"""How a model is best called, from a short measurement when the service starts."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_utils.errors import CourseError
from course_utils.language import say

TOGETHER = 16  # calls that are compared with one call for all of them
_ROUNDS = 3
_SLOW = 0.2  # seconds of a call that is long enough to be timed once
_EXPENSIVE = 0.001  # seconds: a call below is over before another thread would have begun it
_GAIN = 1.5  # that a common call must bring
_SENTENCE = "Good morning, since the update on Monday I was charged twice and cannot log in; please help me. "
CHARACTERS = len(_SENTENCE)


@dataclass(frozen=True)
class Plan:
    """Seconds of a call with one item and of one with 16, and what follows for the way of calling.

    ``in_place``: the event loop makes the call itself, since it is cheaper than handing it to a thread. ``together``:
    requests that wait are answered by one call. ``elsewhere``: the call is made by another process, for which the
    loop must not wait, however quick.
    """

    single: float
    sixteen: float
    elsewhere: bool = False

    @property
    def in_place(self) -> bool:
        """Whether a small request is answered without another thread."""
        return self.single < _EXPENSIVE and not self.elsewhere

    @property
    def together(self) -> bool:
        """Whether micro-batching pays."""
        return not self.in_place and self.single * TOGETHER > _GAIN * self.sixteen

    def sentence(self) -> str:
        """What was measured and what follows, for the log."""
        facts = {"one": self.single * 1e3, "many": self.sixteen * 1e3, "n": TOGETHER}
        if self.in_place:
            return say("A call takes {one:.2f} ms (for {n}: {many:.2f} ms), so each request is a call.", **facts)
        if self.together:
            return say(
                "A call takes {one:.1f} ms, one for {n} {many:.1f} ms: requests that wait share a call.", **facts
            )
        return say("A call takes {one:.1f} ms, one for {n} {many:.1f} ms: sharing calls would not pay.", **facts)


def examples(inputs: str, n: int) -> Any:
    """``n`` items of a usual size: texts, or uint8 (n, 28, 28)."""
    if inputs == "texts":
        return [f"{_SENTENCE[: CHARACTERS - 3]}{k:3d}" for k in range(n)]
    return np.random.default_rng(0).integers(0, 256, (n, 28, 28), dtype=np.uint8)


def measure(call: Callable[[Any], np.ndarray], inputs: str, classes: int) -> Plan:
    """Call a model with one item and with 16; the medians of three rounds, for a slow one a single round.

    Raises CourseError for a model that does not answer, or with another shape than (n, ``classes``).
    """
    items = examples(inputs, TOGETHER)
    try:
        start = time.perf_counter()
        shares = np.asarray(call(items))
        first_sixteen = time.perf_counter() - start
        first_single = _seconds(call, items[:1])
    except Exception as error:
        raise CourseError(
            say(
                "The model does not answer an ordinary request ({kind}: {why}); it is not served.",
                kind=type(error).__name__,
                why=str(error)[:200],
            )
        ) from error
    if shares.shape != (TOGETHER, classes) or not np.isfinite(shares).all():
        raise CourseError(
            say(
                "The model answers 16 items with an array of shape {shape}; expected are finite numbers of shape "
                "{wanted}. It is not served.",
                shape=shares.shape,
                wanted=(TOGETHER, classes),
            )
        )
    if first_single > _SLOW:
        return Plan(first_single, first_sixteen)
    ones, alls = [], []
    for _ in range(_ROUNDS):
        ones.append(statistics.median(_seconds(call, items[k : k + 1]) for k in range(5)))
        alls.append(_seconds(call, items))
    return Plan(statistics.median(ones), statistics.median(alls))


def _seconds(call: Callable[[Any], np.ndarray], items: Any) -> float:
    start = time.perf_counter()
    call(items)
    return time.perf_counter() - start
