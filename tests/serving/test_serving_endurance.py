"""Twenty seconds of what endurance.py does for ten minutes, and that it would see a leak."""

import numpy as np
import pytest
from endurance import GROWTH_MIB, Held, endure

from course_utils.serving import loadtest


def test_under_load_every_request_is_answered_and_memory_stays(service):
    held = endure(service.url, service.child.pid, rate=150, seconds=20)
    assert held.passed, str(held)
    assert len(held.others) == len(held.mib) - 1 and 0 <= held.others.mean() <= held.most_others


def test_a_leak_would_be_seen(service):
    run = loadtest.run(service.url, rate=50, seconds=0.5, warm_up=0)
    seconds, random = np.arange(0, 20, 0.5), np.random.default_rng(0)
    noise = 80 + random.normal(0, 0.3, len(seconds))

    def held(mib: np.ndarray, others: float | np.ndarray = 0.0) -> Held:
        return Held(run, seconds, mib, np.broadcast_to(others, len(seconds) - 1))

    assert held(noise).passed
    assert held(noise + np.minimum(seconds, 4) * 5).passed, "what the beginning brings is no leak"
    assert not held(noise + seconds * 0.2).passed
    assert held(80 + seconds * 0.1).growth_mib < GROWTH_MIB
    busy = np.where((seconds[1:] > 5) & (seconds[1:] <= 15), 1.5, 0.5)  # ten seconds in which others took more
    assert held(noise, busy).most_others == pytest.approx(1.5)
