"""Twenty seconds of what endurance.py does for ten minutes, and that it would see a leak."""

import numpy as np
from endurance import GROWTH_MIB, Held, endure

from course_utils.serving import loadtest


def test_under_load_every_request_is_answered_and_memory_stays(service):
    held = endure(service.url, service.child.pid, rate=150, seconds=20)
    assert held.passed, str(held)


def test_a_leak_would_be_seen(service):
    run = loadtest.run(service.url, rate=50, seconds=0.5, warm_up=0)
    seconds, random = np.arange(0, 20, 0.5), np.random.default_rng(0)
    noise = 80 + random.normal(0, 0.3, len(seconds))
    assert Held(run, seconds, noise).passed
    assert Held(run, seconds, noise + np.minimum(seconds, 4) * 5).passed, "what the beginning brings is no leak"
    assert not Held(run, seconds, noise + seconds * 0.2).passed
    assert Held(run, seconds, 80 + seconds * 0.1).growth_mib < GROWTH_MIB
