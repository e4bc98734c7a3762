"""Chapter 13's budget: each call is charged before the next, also one that fails or does not say its tokens."""

import pytest

from course_utils.assistant.endpoint import Endpoint, EndpointError
from course_utils.assistant.rehearsal import endpoint

SCHEMA = {"properties": {"answer": {"type": "string"}}, "required": ["answer"]}
ASKED = [{"role": "user", "content": "How much is it?"}]


@pytest.fixture(scope="module")
def metered(chapter_functions):
    return chapter_functions("13", "Metered")["Metered"]


@pytest.mark.parametrize("fault", ["schema", "rubbish", "status", "no usage"])
def test_a_retry_without_end_is_stopped(metered, fault):
    kinds = []
    with endpoint(lambda _: {"answer": "x"}, fault) as address:
        model = metered(Endpoint(address), cents=5)
        while "budget" not in kinds:
            try:
                model.complete(ASKED, SCHEMA)
            except EndpointError as error:
                kinds.append(error.kind)
            assert len(kinds) < 20 and model.left > -5
    assert kinds[-1] == "budget"


def test_what_the_endpoint_counts_is_what_is_charged(metered):
    with endpoint(lambda _: {"answer": "x"}) as address:
        model = metered(Endpoint(address), cents=1)
        got = model.complete(ASKED, SCHEMA)
    assert model.left == pytest.approx(1 - (2.5 * got.tokens_in + 10 * got.tokens_out) / 10_000)
