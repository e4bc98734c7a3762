"""Training in several real processes: the same loss as one, and as many bytes as a ring must send."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from course_utils import results
from course_utils.errors import CourseError
from course_utils.recipes import data_parallel

ROOT = Path(__file__).resolve().parents[2]
JAX = os.environ.get("COURSE_JAX_PYTHON")


def ring_bytes(run: dict) -> float:
    k = run["processes"]
    return 2 * (k - 1) / k * 4 * run["parameters"]


def check(runs: list[dict]) -> None:
    alone = {run["batch"]: run for run in runs if run["processes"] == 1}
    for run in runs:
        assert np.allclose(run["losses"], alone[run["batch"]]["losses"], atol=1e-3)
        assert run["losses"][-1] < run["losses"][0] / 2  # it learns
        assert run["sent"] is None or run["sent"] == pytest.approx(ring_bytes(run), rel=0.1)


def test_what_is_kept_agrees_with_itself():
    kept = results.load("11", "data parallel")
    assert [(run["processes"], run["batch"]) for run in kept["runs"]] == list(data_parallel.RUNS)
    assert kept["machine"]["backend"] == "jax" and "jax" in kept["machine"]["versions"]
    assert all(len(run["losses"]) == data_parallel.STEPS and run["parameters"] == 66_154 for run in kept["runs"])
    check(kept["runs"])


def test_every_row_is_taken_once():
    for count in (1, 2, 4):
        parts = [list(data_parallel.rows(rank, count, 64)) for rank in range(count)]
        for step, (x, y) in enumerate(data_parallel.rows(0, 1, 64)):
            assert np.array_equal(np.concatenate([part[step][0] for part in parts]), x)
            assert np.array_equal(np.concatenate([part[step][1] for part in parts]), y)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the count of sent bytes is Linux's")
def test_sent_bytes_are_counted():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as one:
        other, _ = server.accept()
        with other:
            before = data_parallel.bytes_sent()
            one.sendall(b"x" * 10_000)
            assert other.recv(10_000, socket.MSG_WAITALL)
            assert data_parallel.bytes_sent() - before == 10_000


def test_without_jax_the_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(data_parallel, "available", lambda: False)
    with pytest.raises(CourseError, match="JAX is not installed"):
        data_parallel.measured(1)


def test_a_process_that_fails_is_reported(monkeypatch):
    monkeypatch.setattr(data_parallel, "available", lambda: True)
    monkeypatch.setattr(data_parallel.processes, "python", lambda *_: [sys.executable, "-c", "raise SystemExit('no')"])
    with pytest.raises(CourseError, match="ended early: no"):
        data_parallel.measured(2)


@pytest.mark.jax
@pytest.mark.skipif(not JAX, reason="COURSE_JAX_PYTHON names no Python with JAX and without TensorFlow")
def test_two_processes_lose_as_one_does(tmp_path):
    code = (
        "import json; from course_utils.recipes import data_parallel as d\n"
        "print(json.dumps([d.measured(1), d.measured(2)]))"
    )
    ran = subprocess.run(
        [JAX, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert ran.returncode == 0, ran.stderr
    import json

    runs = json.loads(ran.stdout.splitlines()[-1])
    check(runs)
    assert runs[1]["sent"] is None or runs[0]["sent"] == 0 < runs[1]["sent"]
