"""Text that keeps to a JSON Schema by construction: whatever the model would rather write, and however little room."""

import json

import numpy as np
import pytest
from fitting import fit, fits
from hypothesis import given, settings
from hypothesis import strategies as st
from writers import END, tokenizer, untaught

from course_utils.serving.decoding import forms
from course_utils.serving.decoding.batch import Batch, Sequence
from course_utils.serving.decoding.machine import Unmeant

TICKET = {
    "type": "object",
    "properties": {
        "queue": {"enum": ["billing", "bug", "accès", 7, None]},
        "urgent": {"type": "boolean"},
        "summary": {"type": "string", "maxLength": 8},
        "tags": {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 3}, "maxItems": 2},
        "amount": {"type": ["number", "null"]},
        "order": {"anyOf": [{"type": "integer"}, {"const": "none"}]},
    },
    "required": ["queue"],
    "additionalProperties": False,
}
MODEL = untaught(400, seed=5)
PIECES = MODEL.tokenizer


def answer(schema, most: int, seed: int, temperature: float = 1.0) -> tuple[str, bool]:
    """(the text that a model which has learnt nothing writes in this form, whether it ended by itself)."""
    form = forms.Form(schema, PIECES, MODEL.end_token, most)
    sequence = Sequence([1, 2, 3], temperature, seed=seed, allowed=form.allowed)
    batch = Batch(MODEL.network, 1)
    batch.join(sequence)
    while len(sequence.tokens) < most and MODEL.end_token not in sequence.tokens:
        batch.step()
    ended = sequence.tokens[-1] == MODEL.end_token
    return b"".join(PIECES.pieces[token] for token in sequence.tokens).decode("utf-8"), ended  # strict: it is UTF-8


@pytest.mark.parametrize("most", [110, 150, 300])
@pytest.mark.parametrize("seed", range(12))
def test_noise_becomes_valid_json(seed, most):
    text, ended = answer(TICKET, most, seed)
    assert ended
    found = json.loads(text)
    fit(found, TICKET)
    assert list(found) == list(TICKET["properties"])


def test_the_judge_of_these_tests_sees_what_is_wrong():
    right = {"queue": "bug", "urgent": True, "summary": "é" * 8, "tags": ["abc"], "amount": 1.5, "order": "none"}
    fit(right, TICKET)
    wrong = [("queue", 8), ("urgent", 1), ("summary", "a" * 9), ("tags", [""]), ("tags", ["a"] * 3), ("amount", "1"),
             ("amount", True), ("order", 1.5), ("order", "some")]  # fmt: skip
    assert not any(fits(right | {name: value}, TICKET) for name, value in wrong)
    assert not fits({}, TICKET) and not fits(right | {"more": 1}, TICKET) and not fits([right], TICKET)


def test_without_the_form_it_is_none():
    """The test above can fail: the same model left alone writes no JSON in any of its twelve texts."""
    for seed in range(12):
        text = PIECES.decode(MODEL.write_on([1, 2, 3], 150, temperature=1.0, seed=seed))
        with pytest.raises(ValueError):
            json.loads(text)


def schemas():
    leaves = st.one_of(
        st.builds(lambda words: {"enum": words}, st.lists(st.text(max_size=4), min_size=1, max_size=4)),
        st.builds(lambda value: {"const": value}, st.one_of(st.text(max_size=3), st.integers(-9, 99), st.none())),
        st.sampled_from([{"type": "boolean"}, {"type": "integer"}, {"type": "number"}, {"type": "null"}]),
        st.builds(
            lambda low, more: {"type": "string", "minLength": low, "maxLength": low + more},
            st.integers(0, 2),
            st.integers(0, 3),
        ),
        st.just({"type": "string", "title": "free"}),
    )

    def deeper(inner):
        return st.one_of(
            st.builds(
                lambda one, low, more: (
                    {"type": "array", "items": one, "minItems": low}
                    | ({} if more is None else {"maxItems": low + more})
                ),
                inner,
                st.integers(0, 2),
                st.none() | st.integers(0, 2),
            ),
            st.builds(
                lambda held: {"type": "object", "properties": held, "required": list(held)},
                st.dictionaries(st.text(max_size=3), inner, max_size=3),
            ),
            st.builds(lambda each: {"anyOf": each}, st.lists(inner, min_size=1, max_size=3)),
        )

    return st.recursive(leaves, deeper, max_leaves=6)


@given(schemas(), st.integers(0, 2**31), st.integers(0, 40))
@settings(max_examples=120, deadline=None)
def test_whatever_the_schema_and_however_little_the_room(schema, seed, spare):
    """At the least number of tokens that is not refused, and a few above it, the text is whole and valid."""
    try:
        forms.Form(schema, PIECES, MODEL.end_token, 1)
    except Unmeant as error:
        least = int(str(error).split(" has ")[1].split(" ")[0].replace(",", ""))
    for most in (least, least + spare):
        generator = np.random.default_rng(seed)
        form = forms.Form(schema, PIECES, MODEL.end_token, most)
        tokens: list[int] = []
        while MODEL.end_token not in tokens:
            assert len(tokens) < most, "it did not end in time"
            tokens.append(int(generator.choice(np.flatnonzero(form.allowed(tokens)))))
        text = b"".join(PIECES.pieces[token] for token in tokens).decode("utf-8")
        fit(json.loads(text), schema)


@pytest.mark.parametrize(
    ("schema", "texts", "not_texts"),
    [
        ({"type": "integer"}, ["0", "-1", "120", "-0"], ["01", "1.0", "", "-", "+1", "1e3"]),
        ({"type": "number"}, ["0", "-1.50", "12.75"], ["1.", ".5", "00.1"]),
        ({"type": "string"}, ['""', '"é你😀"', '"a\\"b\\\\"', '"\\n"'], ['"', '"a"b"', '"\n"', '"\\x"', '"\x01"']),
        ({"type": "string", "minLength": 2, "maxLength": 3}, ['"ab"', '"你好a"'], ['"a"', '"abcd"']),
        ({"type": "array", "items": {"const": 1}}, ["[]", "[1]", "[1,1, 1,1]"], ["[1,]", "[,1]", "[1 ,1]", "[2]"]),
        ({"type": "array", "items": {"const": 1}, "minItems": 2}, ["[1,1]", "[1,1,1]"], ["[]", "[1]"]),
        ({"type": "array", "items": {"const": 1}, "maxItems": 0}, ["[]"], ["[1]"]),
        ({"type": "array", "items": {"const": 1}, "minItems": 1, "maxItems": 2}, ["[1]", "[1, 1]"], ["[]", "[1,1,1]"]),
        ({"const": "\ud800é"}, ['"\\ud800\\u00e9"'], ['"?é"', '"é"']),
        ({"type": ["number", "null"], "enum": [1, "a", None, 1.5]}, ["1", "null", "1.5"], ['"a"']),
        ({"type": "object"}, ["{}"], ["{ }", '{"a":1}']),
        ({"type": "object", "properties": {"a": {"type": "null"}, "b": {"const": "x"}}},
         ['{"a":null,"b":"x"}', '{"a": null, "b": "x"}'], ['{"a":null}', '{"b":"x","a":null}', '{"a":  null,"b":"x"}']),
    ],
)  # fmt: skip
def test_what_a_machine_reads(schema, texts, not_texts):
    made = forms.tables(json.dumps(schema), tokenizer())

    def reads(text: str) -> bool:
        state = made.start
        for byte in text.encode():
            state = made.step(state, byte)
        return made.over(state)

    assert [text for text in texts if not reads(text)] == []
    assert [text for text in not_texts if reads(text)] == []


def test_no_bytes_that_are_no_character_are_read():
    made = forms.tables('{"type": "string"}', tokenizer())
    for data in (b"\x80", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf8", b"\xe0\x80\x80", b"\xff"):
        state = made.start
        for byte in b'"' + data:
            state = made.step(state, byte)
        assert not state, data


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (True, "must be an object"),
        ({}, "needs a type"),
        ({"type": "date"}, "needs a type"),
        ({"type": []}, "needs a type"),
        ({"type": [1]}, "needs a type"),
        ({"type": "string", "pattern": "a+"}, "keyword"),
        ({"type": "integer", "minimum": 3}, "keyword"),
        ({"$ref": "#"}, "needs a type|keyword"),
        ({"enum": []}, "at least one"),
        ({"anyOf": "x"}, "at least one"),
        ({"type": "string", "enum": [1, None]}, "nothing can be both"),
        ({"type": ["integer", "null"], "const": True}, "nothing can be both"),
        ({"anyOf": [{"type": "null"}], "type": "null"}, "keyword"),
        ({"type": "string", "maxLength": -1}, "maxLength"),
        ({"type": "string", "maxLength": 10_000}, "maxLength"),
        ({"type": "string", "minLength": 3, "maxLength": 2}, "below"),
        ({"type": "array"}, "must be an object"),
        ({"type": "object", "required": ["a"]}, "all that is required"),
        ({"type": "object", "properties": []}, "properties"),
        ({"type": "array", "minItems": 1_000, "items": {"type": "string", "minLength": 1_000}}, "too large"),
    ],
)
def test_a_schema_that_cannot_be_kept_to_is_refused(schema, words):
    with pytest.raises(Unmeant, match=words):
        forms.Form(schema, PIECES, MODEL.end_token, 100)


def test_a_schema_that_is_nested_without_end_is_refused():
    schema = {"type": "null"}
    for _ in range(100):
        schema = {"type": "array", "items": schema}
    with pytest.raises(Unmeant, match="nested"):
        forms.Form(schema, PIECES, MODEL.end_token, 100)


def test_a_model_without_an_end_keeps_to_no_form_and_too_little_room_is_said():
    with pytest.raises(Unmeant, match="no token that ends"):
        forms.Form({"type": "null"}, PIECES, None, 100)
    with pytest.raises(Unmeant, match="has 5 tokens with its end, and 4 may"):
        forms.Form({"type": "null"}, PIECES, MODEL.end_token, 4)
    assert END not in answer({"type": "null"}, 5, 0)[0]
