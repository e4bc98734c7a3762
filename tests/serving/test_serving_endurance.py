"""Twenty seconds of what endurance.py does for ten minutes, and that it refuses a leak."""

import numpy as np
import pytest
from endurance import GROWTH_MIB, Held, endure
from wire import in_a_new_process

from course_utils.serving import loadtest


def test_under_load_every_request_is_answered_and_memory_stays(service):
    held = endure(service.url, service.child.pid, rate=150, seconds=20)
    assert held.passed, str(held)
    assert len(held.others) == len(held.mib) - 1 and 0 <= held.others.mean() <= held.most_others


def test_a_leak_of_some_kilobytes_a_request_is_refused(stand):
    """In the process that answers: it keeps 4 kB of each request."""
    child = stand(leak=4_096)
    held = endure(child.url, child.pid, rate=200, seconds=10)
    assert held.result.answered == held.result.requests and not held.passed, str(held)
    assert 3_000 < held.bytes_a_request < 6_000


def test_growth_is_judged_by_the_last_half(service):
    run = loadtest.run(service.url, rate=50, seconds=0.5, warm_up=0)
    seconds, random = np.arange(0, 600, 0.5), np.random.default_rng(0)
    noise = 80 + random.normal(0, 0.3, len(seconds))

    def held(mib: np.ndarray, others: float | np.ndarray = 0.0) -> Held:
        return Held(run, seconds, mib, np.broadcast_to(others, len(seconds) - 1))

    assert held(noise).passed
    assert held(noise + np.minimum(seconds, 300) / 10).passed, "a plateau: what the first half brings is no leak"
    assert held(noise + np.floor(np.minimum(seconds, 280) / 50)).passed, "in steps, too"
    for step in (310, 450, 590):
        assert held(noise + (seconds > step)).growth_mib < GROWTH_MIB, "one step late in the day"
    assert not held(noise + seconds / 100).passed
    assert not held(80 + np.floor(seconds / 60)).passed, "a leak that shows in steps"
    assert held(80 + seconds / 100).growth_mib == pytest.approx(600 * 3 / 8 / 100, rel=0.02)
    busy = np.where((seconds[1:] > 5) & (seconds[1:] <= 15), 1.5, 0.5)  # ten seconds in which others took more
    assert held(noise, busy).most_others == pytest.approx(1.5)


def test_what_was_there_before_the_first_request_is_not_collected_again(bundle):
    """So that a full collection, which alone frees closed connections, waits for a quarter of little."""
    said = in_a_new_process(bundle, "import gc", "print(gc.get_freeze_count(), len(gc.get_objects(2)))")
    frozen, watched = map(int, said[0].split())
    assert frozen > 10_000 and watched < frozen / 20
