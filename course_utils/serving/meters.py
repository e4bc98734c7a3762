"""What a service counts and times, for Prometheus; no label holds anything that a client wrote."""

from collections.abc import Callable
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"  # what `generate_latest` writes, in every version
_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_ITEMS = (1, 2, 4, 8, 16, 32, 64)


class Meters:
    """The metrics of one service, in a registry of their own."""

    def __init__(self, model: str, version: str, kind: str) -> None:
        self.registry = CollectorRegistry()
        common = {"registry": self.registry}
        ProcessCollector(registry=self.registry)
        Gauge("course_model_info", "The model in service.", ["model", "version", "kind"], **common).labels(
            model, version, kind
        ).set(1)
        requests = Counter("course_requests", "Requests answered.", ["route", "status"], **common)
        seconds = Histogram(
            "course_request_seconds", "From a request's head to its answer.", ["route"], buckets=_SECONDS, **common
        )
        answers = Counter("course_answers", "Answers by label; person: none was given.", ["label"], **common)
        refusals = Counter("course_refusals", "Requests and connections refused.", ["reason"], **common)
        self.items = Counter("course_items", "Texts or images that the model was asked about.", **common)
        self.model_seconds = Histogram("course_model_seconds", "A call of the model.", buckets=_SECONDS, **common)
        self.batch_items = Histogram("course_batch_items", "Items in a call of the model.", buckets=_ITEMS, **common)
        self.queue_seconds = Histogram("course_queue_seconds", "Waiting for the model.", buckets=_SECONDS, **common)
        self.waiting = Gauge("course_waiting_items", "Items that wait for the model.", **common)
        self.connections = Gauge("course_connections", "Open connections.", **common)
        self.ready = Gauge("course_ready", "1: takes requests; 0: is stopping.", **common)
        self.ready.set(1)
        # Finding a metric by its labels costs as much as counting does: found once.
        self.request = lru_cache(256)(requests.labels)
        self.seconds = lru_cache(64)(seconds.labels)
        self.label = lru_cache(1024)(answers.labels)
        self.refusal = lru_cache(64)(refusals.labels)

    def call(self, items: int, seconds: float) -> None:
        """Note a call of the model."""
        self.items.inc(items)
        self.batch_items.observe(items)
        self.model_seconds.observe(seconds)

    def follow(self, waiting: Callable[[], int], connections: Callable[[], int]) -> None:
        """Where the numbers come from that are looked up when somebody asks."""
        self.waiting.set_function(waiting)
        self.connections.set_function(connections)

    def text(self) -> bytes:
        """All metrics in Prometheus's text format."""
        return generate_latest(self.registry)
