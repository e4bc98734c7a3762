"""Small sets of messages, and comparisons whose candidates are trained in this process: no start of Python for each."""

from pathlib import Path

import pytest
from own_messages import FILLER, WORDS, messages, write_csv

from course_utils import paths
from course_utils.data import fetch

REAL_CACHE = paths.cache_dir()  # before the tests get caches of their own


@pytest.fixture
def tickets(tmp_path) -> Path:
    """90 messages of three classes."""
    return write_csv(tmp_path / "tickets.csv", messages({"billing": 40, "bug": 30, "account": 20}))


@pytest.fixture
def in_process(monkeypatch) -> list[tuple[str, str]]:
    """Candidates do their work in this process; the list receives (phase, candidate)."""
    from course_utils.compare import jobs, worker

    done: list[tuple[str, str]] = []

    def run(job, *, limit, tell):
        done.append((job["phase"], job["candidate"]))
        phase = {"train": worker.train, "judge": worker.judge}[job["phase"]]
        return {**phase(job, tell), "memory_mib": 1.0}

    monkeypatch.setattr(jobs, "run", run)
    return done


@pytest.fixture
def tiny_encoder(tmp_path, monkeypatch) -> dict[str, Path]:
    """The files of the encoder are those of one with two layers that knows the words of the made messages."""
    import tiny_encoder

    (tmp_path / "tiny").mkdir()
    files = tiny_encoder.files(tmp_path / "tiny", [*FILLER, *(word for words in WORDS.values() for word in words)])
    monkeypatch.setattr(fetch, "fetch", lambda name, progress=True: files)
    return files


@pytest.fixture
def encoder_cache(monkeypatch) -> Path:
    """The machine's own cache, with the encoder of chapter 09 in it: fetched where it is missing."""
    monkeypatch.setenv("COURSE_CACHE", str(REAL_CACHE))
    fetch.fetch("minilm", progress=False)
    return REAL_CACHE
