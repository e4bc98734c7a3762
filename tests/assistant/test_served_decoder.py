"""The assistant's endpoint asks a decoder that is really served, in a process of its own: valid by construction."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from course_utils import bundles
from course_utils.assistant import schema as schemas
from course_utils.assistant.endpoint import Endpoint, EndpointError
from course_utils.bundles.byte_pairs import BytePairs
from course_utils.bundles.decoder import Decoder
from course_utils.bundles.decoder_pass import Network, Shape, drawn
from course_utils.serving.starting import Service

ASKED = [{"role": "user", "content": "How much is it?"}]
CONTEXT = 512
SCHEMAS = {
    "a short string": {"properties": {"answer": {"type": "string", "maxLength": 12}}, "required": ["answer"]},
    "a string without end": {"properties": {"answer": {"type": "string"}}, "required": ["answer"]},
    "one of some sentences": {
        "properties": {"answer": {"type": "string", "enum": ["It is 49 €.", 'He said: "no".', "Ask us."]}},
        "required": ["answer"],
    },
    "a call": {
        "properties": {
            "tool": {"type": "string", "enum": ["refund", "send"]},
            "amount": {"type": "integer"},
            "share": {"type": "number"},
            "sure": {"type": "boolean"},
            "sources": {"type": "array"},
        },
        "required": ["tool"],
    },
}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A decoder that has learnt nothing, as a bundle, served; told to stop in the end, and gone by its number."""
    pieces = BytePairs([(ord("t"), ord("h")), (256, ord("e"))], ["<end>"])
    shape = Shape(len(pieces), CONTEXT, 1, 2, 16, rotary=True)
    writer = Decoder(network=Network(shape, drawn(shape, 0, 0.3)), tokenizer=pieces, end="<end>")
    folder = tmp_path_factory.mktemp("decoder")
    bundles.save(writer, folder / "bundle")
    with Service(folder / "bundle", folder=folder / "service", limits={"stop_seconds": 5.0}) as service:
        assert psutil.pid_exists(service.child.pid) and service.child.pid != os.getpid()
        yield service
        began = time.monotonic()
    assert service.child.status == 0, service.child.tail(10)
    assert not psutil.pid_exists(service.child.pid) and time.monotonic() - began < 30


@pytest.mark.parametrize("name", SCHEMAS)
def test_whatever_is_asked_for_comes_by_its_schema(served, name):
    found = Endpoint(served.url, served.name).complete(ASKED, SCHEMAS[name])
    assert set(found.value) == set(SCHEMAS[name]["properties"]) and schemas.complaint(found.value, SCHEMAS[name]) == ""
    assert len(ASKED[0]["content"]) - 4 < found.tokens_in < CONTEXT and 0 < found.tokens_out < CONTEXT


def test_an_answer_by_another_schema_is_found_out(served, monkeypatch):
    """So that what the tests above see is an answer to what was sent, and the client looks for itself."""
    monkeypatch.setattr(schemas, "sent", lambda schema: {"type": "array", "items": {"type": "boolean"}, "maxItems": 2})
    with pytest.raises(EndpointError, match="not an object") as caught:
        Endpoint(served.url, served.name).complete(ASKED, SCHEMAS["a call"])
    assert caught.value.kind == "schema"


def test_a_prompt_beyond_its_context_and_another_models_name_are_refused_in_a_sentence(served):
    too_long = [{"role": "user", "content": "How much is it? " * CONTEXT}]
    for endpoint, messages in ((Endpoint(served.url, served.name), too_long), (Endpoint(served.url, "gpt"), ASKED)):
        with pytest.raises(EndpointError, match=r"refused: status 40[04]\.$") as caught:
            endpoint.complete(messages, SCHEMAS["a call"])
        assert caught.value.kind == "status"


def test_several_ask_at_once(served):
    asked = Endpoint(served.url, served.name, seconds=30)
    with ThreadPoolExecutor(8) as people:
        found = list(people.map(lambda _: asked.complete(ASKED, SCHEMAS["a call"]), range(8)))
    assert [schemas.complaint(one.value, SCHEMAS["a call"]) for one in found] == [""] * 8
