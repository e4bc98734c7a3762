"""Calls with a time limit: in the main thread by a signal, elsewhere in a worker thread."""

import signal
import threading
import time

import numpy as np
import pytest

from course_utils.exercises import calling
from course_utils.exercises.judges import function


def endless(value):
    while True:
        pass


def endless_and_catching_all(value):
    while True:
        try:
            value += 1
        except:  # noqa: E722
            value -= 1


def endless_sleep(value):
    time.sleep(60)


def endless_inside_numpy_calls(value):
    while True:
        np.zeros(10).sum()


JUDGE = function(lambda value: value, [(1,)], seconds=0.3)
PATIENT = function(lambda value: value, [(1,)])


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="needs SIGALRM")
@pytest.mark.parametrize("answer", [endless, endless_and_catching_all, endless_sleep, endless_inside_numpy_calls])
def test_what_never_ends_is_stopped_in_the_main_thread(answer):
    verdict = JUDGE(answer)
    assert verdict.state == "wrong"
    assert verdict.message == "Your function did not end within 0.3 seconds."
    assert dict(verdict.rows) == {"Input of <lambda>": "value = 1"}


def in_a_thread(action):
    results = []
    thread = threading.Thread(target=lambda: results.append(action()))
    thread.start()
    thread.join(20)
    return results[0]


@pytest.mark.parametrize("answer", [endless, endless_inside_numpy_calls, endless_and_catching_all])
def test_what_never_ends_is_stopped_in_another_thread(answer):
    before = threading.active_count()
    verdict = in_a_thread(lambda: JUDGE(answer))
    assert verdict.message == "Your function did not end within 0.3 seconds."
    time.sleep(0.1)
    assert threading.active_count() == before


def test_without_the_signal_a_thread_does_it(monkeypatch):
    monkeypatch.delattr(calling.signal, "SIGALRM", raising=False)
    assert JUDGE(endless).mistake == "no end"
    assert PATIENT(lambda value: value)
    assert "unstoppable" not in JUDGE(endless).message


def test_what_cannot_be_stopped_is_said(monkeypatch):
    monkeypatch.delattr(calling.signal, "SIGALRM", raising=False)
    verdict = JUDGE(lambda value: time.sleep(2.5))
    assert "restart the kernel" in verdict.message


def test_the_limit_holds_for_all_calls_together():
    judge = function(lambda value: value, [(n,) for n in range(20)], seconds=0.5)
    calls = []
    assert judge(lambda value: calls.append(value) or time.sleep(0.1) or value).mistake == "no end"
    assert len(calls) <= 6, "each call is within the limit, all of them together are not"


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="needs SIGALRM")
def test_an_alarm_that_was_set_before_still_rings():
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(True))
    delay = signal.setitimer(signal.ITIMER_REAL, 1.0)
    try:
        assert PATIENT(lambda value: value)
        assert not rung
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 1.0
        time.sleep(1.2)
        assert rung
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *delay)


def test_a_keyboard_interrupt_in_a_worker_thread_is_let_through(monkeypatch):
    monkeypatch.delattr(calling.signal, "SIGALRM", raising=False)

    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calling.call(interrupted)


def test_warnings_of_the_answer_are_not_shown(recwarn):
    outcome = calling.call(lambda values: values / values, (np.zeros(2),))
    assert np.isnan(outcome.value).all()
    assert not recwarn.list


def test_calls_work_on_copies_and_name_what_changed():
    array, items = np.zeros(2), [1, [2, 3]]

    def change(first, second, *, third):
        first[0] = 1
        second[1].append(4)
        third["new"] = 1

    outcome = calling.call(change, (array, items), {"third": {}})
    assert outcome.changed == (0, 1, "third")
    assert (array.tolist(), items) == ([0.0, 0.0], [1, [2, 3]])


def written_as_pass(value):
    pass


def constant(value):
    return 5


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [(written_as_pass, True), (lambda value: ..., True), (constant, False), (endless, False), (len, False), (5, False)],
)
def test_is_stub(candidate, expected):
    assert calling.is_stub(candidate) is expected
