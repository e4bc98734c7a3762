"""What a decoder's service counts and times beside what every service does."""

from collections.abc import Callable
from functools import lru_cache

from prometheus_client import Counter, Gauge, Histogram

from course_utils.serving.meters import Meters

_FIRST = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_BETWEEN = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.007, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


class DecoderMeters(Meters):
    """The metrics of one decoder's service; ``model_seconds`` and ``batch_items`` are those of a step."""

    def __init__(self, model: str, version: str, kind: str) -> None:
        super().__init__(model, version, kind)
        common = {"registry": self.registry}
        tokens = Counter("course_tokens", "Tokens: read are those of prompts.", ["way"], **common)
        self.read, self.written = tokens.labels("read"), tokens.labels("written")
        self.first_token = Histogram(
            "course_first_token_seconds", "From a request to its first token.", buckets=_FIRST, **common
        )
        self.between_tokens = Histogram(
            "course_between_tokens_seconds", "From one token of a text to the next.", buckets=_BETWEEN, **common
        )
        self.active = Gauge("course_active_slots", "Texts that are being written.", **common)
        self.slots = Gauge("course_slots", "Texts that can be written at a time.", **common)
        finishes = Counter("course_finishes", "Texts by how they ended; gone: nobody waited.", ["how"], **common)
        self.finish = lru_cache(8)(finishes.labels)

    def step(self, tokens: int, sequences: int, seconds: float) -> None:
        """Note a step of the batch: the tokens that it wrote, of how many sequences, and its time."""
        self.written.inc(tokens)
        self.batch_items.observe(sequences)
        self.model_seconds.observe(seconds)

    def follow_slots(self, active: Callable[[], int], slots: int) -> None:
        """Where the number of active slots comes from when somebody asks."""
        self.active.set_function(active)
        self.slots.set(slots)
