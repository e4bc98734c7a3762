"""Services in processes of their own, on loopback and a free port, ended with the test."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from course_utils import bundles, processes, surroundings
from course_utils.bundles import models
from course_utils.serving.starting import Service

WORDS = {"billing": "invoice refund charged card", "bug": "crash error broken screen", "account": "password login user"}


def tickets(folder: Path) -> None:
    """Save a TF-IDF model of three classes."""
    from course_utils.recipes import text

    texts = [f"{word} please {k}" for words in WORDS.values() for word in words.split() for k in range(4)]
    labels = [n for n, words in enumerate(WORDS.values()) for _ in words.split() for _ in range(4)]
    fitted = text.tfidf().fit(texts, np.array(labels))
    bundles.save(models.Tfidf.of(fitted, tuple(WORDS), "en"), folder)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory) -> Path:
    """A saved TF-IDF model of three classes."""
    folder = tmp_path_factory.mktemp("saved") / "tickets"
    tickets(folder)
    return folder


@pytest.fixture(scope="module")
def service(bundle, tmp_path_factory) -> Iterator[Service]:
    """The service of `bundle`, with times that a test can wait for; after the module it must still be well."""
    limits = {"connections": 100, "head_seconds": 1.5, "body_seconds": 1.5, "idle_seconds": 20.0}
    with Service(bundle, folder=tmp_path_factory.mktemp("service"), limits=limits) as running:
        yield running
        from wire import ask, get

        assert ask(running.url, get("/readyz"))[0] == 200
        assert 'status="500"' not in ask(running.url, get("/metrics"))[2].decode()
        status = running.stop()
    assert status == 0, running.child.tail(10)


@pytest.fixture
def stand(tmp_path) -> Iterator[Callable[..., Any]]:
    """Start services of stand-ins: ``stand(call=0.1, limits={…}, key=…, traces=…, share=…)`` → child with ``url``."""
    with contextlib.ExitStack() as stack:

        def start(inputs: str = "texts", *, call: float = 0.0, each: float = 0.0, **more: Any) -> Any:
            job = {"inputs": inputs, "call": call, "each": each, **more}
            return stack.enter_context(started("stand_service.py", tmp_path, job))

        yield start


@contextlib.contextmanager
def started(script: str, folder: Path, job: dict[str, Any]) -> Iterator[Any]:
    """A service of a script beside this file: the child, with ``url``."""
    command = surroundings.python(str(Path(__file__).with_name(script)))
    with processes.Child(command, folder=folder, job=job) as child:
        child.url = next((event["url"] for event in child.events() if event["event"] == "ready"), None)
        assert child.url, child.tail(10)
        yield child


@pytest.fixture
def writer(tmp_path) -> Iterator[Callable[..., Any]]:
    """Start services that write the alphabet: ``writer(seconds=0.02, limits={…}, key=…, traces=…)`` → child, ``url``.

    ``seconds`` is what a step takes.
    """
    with contextlib.ExitStack() as stack:
        yield lambda **job: stack.enter_context(started("writer_service.py", tmp_path, job))


@pytest.fixture(scope="module")
def writing(tmp_path_factory) -> Iterator[Any]:
    """A service that writes the alphabet; after the module it must still be well, and have nothing left to do."""
    with started("writer_service.py", tmp_path_factory.mktemp("writing"), {}) as child:
        yield child
        from wire import ask, get

        assert ask(child.url, get("/readyz"))[0] == 200
        metrics = ask(child.url, get("/metrics"))[2].decode()
        assert 'status="500"' not in metrics and "course_active_slots 0.0" in metrics
        child.close(20)
    assert child.status == 0, child.tail(10)
