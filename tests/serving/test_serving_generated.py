"""Requests made from the service's own description, right ones and nearly right ones: none may make it fail.

`COURSE_EXAMPLES=night` tries fresh ones; `COURSE_REQUESTS=10000` as many as that.
"""

import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wire import Line, ask, get, post

REQUESTS = int(os.environ.get("COURSE_REQUESTS", "300"))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
KNOWN = {200, 400, 404, 405, 408, 413, 415, 503, 504}


def of(schema: dict) -> st.SearchStrategy:
    """Values of a JSON schema, as far as the description uses it."""
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return st.one_of(*map(of, schema[several]))
    kind = schema.get("type")
    if isinstance(kind, list):
        return st.one_of(*(of({**schema, "type": one}) for one in kind))
    if kind == "null":
        return st.none()
    if kind == "string":
        return st.text(st.characters(), max_size=min(schema.get("maxLength", 40), 40))
    if kind == "integer":
        return st.integers(schema.get("minimum"), schema.get("maximum"))
    if kind == "array" and "prefixItems" in schema:
        return st.tuples(*map(of, schema["prefixItems"])).map(list)
    if kind == "array":
        least = schema.get("minItems", 0)
        most = min(schema.get("maxItems", least + 4), least + 4)
        return st.lists(of(schema.get("items", {})), min_size=least, max_size=most)
    if kind == "object":
        required = set(schema.get("required", []))
        fields = {name: of(one) for name, one in schema["properties"].items()}
        optional = {name: one for name, one in fields.items() if name not in required}
        return st.fixed_dictionaries({name: fields[name] for name in fields if name in required}, optional=optional)
    return SCALARS


@st.composite
def nearly(draw, value):
    """A value with one place in it replaced by anything, taken out, or many times as long."""
    if isinstance(value, dict) and value and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(value)))
        return {**value, name: draw(nearly(value[name]))}
    if isinstance(value, list) and value and draw(st.booleans()):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], draw(nearly(value[at])), *value[at + 1 :]]
    if isinstance(value, list | str) and value and draw(st.booleans()):
        return value * draw(st.sampled_from([0, 2, 70]))
    return draw(ANYTHING)


@pytest.fixture(scope="module")
def description(service) -> dict:
    status, _, found = ask(service.url, get("/openapi.json"))
    assert status == 200 and found["openapi"].startswith("3.")
    return found


def bodies(description: dict) -> list[tuple[str, dict]]:
    return [
        (path, ways["post"]["requestBody"]["content"]["application/json"]["schema"])
        for path, ways in description["paths"].items()
        if "post" in ways
    ]


def test_every_address_of_the_description_answers(service, description):
    paths = description["paths"]
    assert {"/v1/predict", "/healthz", "/readyz", "/metrics", "/v2", "/v2/models/tickets"} <= set(paths)
    for path, ways in paths.items():
        if "get" in ways:
            assert ask(service.url, get(path))[0] == 200
        assert "422" not in json.dumps(ways)


@settings(max_examples=REQUESTS, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_no_request_makes_the_service_fail(service, description, data):
    path, schema = data.draw(st.sampled_from(bodies(description)))
    right = data.draw(of(schema))
    value = right if data.draw(st.booleans()) else data.draw(nearly(right))
    body = json.dumps(value).encode("utf-8")
    if data.draw(st.integers(0, 4)) == 0:
        body = body[: data.draw(st.integers(0, len(body)))]
    with Line(service.url) as line:
        line.send(post(path, body))
        status, _, answer = line.answer()
    assert status in KNOWN
    found = json.loads(answer)
    assert ("error" in found) == (status != 200)
    if value is right and path == "/v1/predict" and body == json.dumps(right).encode():
        assert status == 200 and len(found["answers"]) == len(right["texts"])


@settings(max_examples=REQUESTS, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=300), whole=st.booleans())
def test_no_bytes_make_the_service_fail(service, junk, whole):
    with Line(service.url) as line:
        line.send(post("/v1/predict", junk) if whole else junk + b"\r\n\r\n")
        try:
            line.socket.settimeout(5)
            status = line.answer()[0]
        except (ConnectionError, TimeoutError, ValueError):
            status = 400  # nothing that could be answered
    assert status in KNOWN | {431}
    assert ask(service.url, get("/healthz"))[0] == 200
