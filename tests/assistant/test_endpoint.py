"""An endpoint that answers, and each way in which one does not: one sentence, in a bounded time."""

import socket
import threading
import time

import pytest

from course_utils.assistant.endpoint import MOST_BYTES, Endpoint, EndpointError
from course_utils.assistant.rehearsal import FAULTS, endpoint
from course_utils.errors import CourseError

SCHEMA = {"properties": {"answer": {"type": "string"}}, "required": ["answer"]}
ASKED = [{"role": "user", "content": "How much is it?"}]
KINDS = {
    "slow": "slow",
    "trickle": "slow",
    "rubbish": "rubbish",
    "schema": "schema",
    "status": "status",
    "redirect": "status",
    "no http": "rubbish",
    "cut short": "rubbish",
    "bad chunk": "rubbish",
    "headers": "rubbish",
    "slow headers": "slow",
}


def test_an_answer_comes_with_its_tokens():
    with endpoint(lambda messages: {"answer": messages[-1]["content"].upper()}) as address:
        found = Endpoint(address + "/").complete(ASKED, SCHEMA)
    assert found.value == {"answer": "HOW MUCH IS IT?"}
    assert found.tokens_in == 5 and found.tokens_out > 0 and 0 < found.seconds < 10


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_one_sentence_soon(fault):
    began = time.monotonic()
    with endpoint(lambda messages: {"answer": "x"}, fault) as address, pytest.raises(EndpointError) as caught:
        Endpoint(address, seconds=0.3).complete(ASKED, SCHEMA)
    assert caught.value.kind == KINDS[fault]
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
    assert time.monotonic() - began < 5  # an hour would be a hang


def test_an_answer_without_usage_is_one_whose_tokens_nobody_knows():
    with endpoint(lambda messages: {"answer": "x"}, "no usage") as address:
        found = Endpoint(address).complete(ASKED, SCHEMA)
    assert (found.value, found.tokens_in, found.tokens_out) == ({"answer": "x"}, None, None)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_json_does_not_know_is_no_answer(number):
    schema = {"properties": {"n": {"type": "number"}}}
    with endpoint(lambda messages: {"n": number}) as address, pytest.raises(EndpointError) as caught:
        Endpoint(address).complete(ASKED, schema)
    assert caught.value.kind == "rubbish"


def test_after_a_slow_header_no_thread_is_left():
    with endpoint(None, "slow headers") as address:
        before = set(threading.enumerate())
        with pytest.raises(EndpointError):
            Endpoint(address, seconds=0.2).complete(ASKED, SCHEMA)
        ended = time.monotonic() + 10
        while left := {one for one in set(threading.enumerate()) - before if "exchange" in one.name}:
            assert time.monotonic() < ended, left
            time.sleep(0.02)


def test_nobody_there():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(EndpointError, match="No model answers at") as caught:
            Endpoint(address, seconds=1).complete(ASKED, SCHEMA)
    assert caught.value.kind == "down"


@pytest.mark.parametrize("address", ["", "not an address", "ftp://127.0.0.1", "file:///etc", "http://", "http://[::1"])
def test_what_is_no_address(address):
    with pytest.raises(EndpointError) as caught:
        Endpoint(address, seconds=1).complete(ASKED, SCHEMA)
    assert caught.value.kind == "down"


def test_more_bytes_than_an_answer_has():
    with (
        endpoint(lambda messages: {"answer": "x" * (MOST_BYTES + 10)}) as address,
        pytest.raises(EndpointError, match="more than 1,000,000 bytes"),
    ):
        Endpoint(address).complete(ASKED, SCHEMA)


def test_a_redirect_is_not_followed_and_a_proxy_not_asked_for_this_machine(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with endpoint(fault="redirect") as address, pytest.raises(EndpointError, match="status 307"):
        Endpoint(address, key="secret").complete(ASKED, SCHEMA)


def test_a_schema_that_cannot_be_met_is_refused_before_anything_is_sent():
    with pytest.raises(CourseError, match="No answer can meet the schema"):
        Endpoint("http://127.0.0.1:9").complete(ASKED, {"properties": {}, "required": ["answer"]})


def test_the_key_is_not_shown():
    assert "secret" not in repr(Endpoint("http://127.0.0.1:9", key="secret"))
