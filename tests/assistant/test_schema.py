"""What a model must answer: schemas that can be met, and answers that do not meet them."""

import pytest

from course_utils.assistant import schema
from course_utils.errors import CourseError

CALL = {
    "properties": {
        "tool": {"type": "string", "enum": ["refund", "send"]},
        "amount": {"type": "integer"},
        "share": {"type": "number"},
        "sure": {"type": "boolean"},
        "sources": {"type": "array"},
        "note": {"type": "string", "maxLength": 3},
    },
    "required": ["tool"],
}


@pytest.mark.parametrize(
    "answer",
    [{"tool": "send"}, {"tool": "refund", "amount": 3, "share": 1, "sure": False, "sources": ["a"], "note": "abc"}],
)
def test_an_answer_by_the_schema_has_nothing_against_it(answer):
    schema.usable(CALL)
    assert schema.complaint(answer, CALL) == ""


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ([], "not an object"),
        (None, "not an object"),
        ({}, "'tool' is missing"),
        ({"tool": "send", "to": "me"}, "'to' is not asked for"),
        ({"tool": "delete"}, "none of the values allowed"),
        ({"tool": 3}, "not of the type string"),
        ({"tool": "send", "amount": 3.5}, "not of the type integer"),
        ({"tool": "send", "amount": True}, "not of the type integer"),
        ({"tool": "send", "share": "half"}, "not of the type number"),
        ({"tool": "send", "share": float("nan")}, "not of the type number"),
        ({"tool": "send", "share": float("inf")}, "not of the type number"),
        ({"tool": "send", "sure": 1}, "not of the type boolean"),
        ({"tool": "send", "sources": ["a", 2]}, "not of the type array"),
        ({"tool": "send", "note": "long"}, "'note' has more than 3 characters"),
    ],
)
def test_any_other_answer_is_told_what_is_wrong(answer, wrong):
    assert wrong in schema.complaint(answer, CALL)


@pytest.mark.parametrize(
    ("impossible", "says"),
    [
        (None, "A schema is a dictionary"),
        ({}, "A schema is a dictionary"),
        ({"properties": {"a": {"type": "date"}}}, "has the type 'date'"),
        ({"properties": {"a": "string"}}, "has the type None"),
        ({"properties": {"a": {"type": "string", "enum": []}}}, "No answer can meet"),
        ({"properties": {"a": {"type": "string", "enum": [1, None]}}}, "No answer can meet"),
        ({"properties": {"a": {"type": "string", "enum": ["long"], "maxLength": 3}}}, "No answer can meet"),
        ({"properties": {"a": {"type": "string", "maxLength": -1}}}, "has the maxLength -1"),
        ({"properties": {"a": {"type": "string", "maxLength": True}}}, "has the maxLength True"),
        ({"properties": {"a": {"type": "number", "enum": [float("nan")]}}}, "No answer can meet"),
        ({"properties": {"a": {"type": "string"}}, "required": ["b"]}, "No answer can meet"),
        ({"properties": {"a": {"type": "string", "enum": "abc"}}}, "has the enum 'abc'"),
        ({"properties": {"a": {"type": "string"}}, "required": "a"}, "required is 'a'"),
    ],
)
def test_a_schema_that_cannot_be_met_is_refused(impossible, says):
    with pytest.raises(CourseError, match=says):
        schema.usable(impossible)


@pytest.mark.parametrize(
    ("unchecked", "says"),
    [
        (
            {"properties": {"n": {"type": "number", "minimum": 0}}},
            "'n' has the keyword 'minimum', which is not checked",
        ),
        ({"properties": {"a": {"type": "string", "pattern": "^x$"}}}, "'a' has the keyword 'pattern'"),
        ({"properties": {"a": {"type": "array", "items": {"type": "integer"}}}}, "The items of the schema's 'a'"),
        ({"properties": {}, "minProperties": 1}, "The schema has the keyword 'minProperties'"),
        ({"properties": {}, "type": "array"}, 'must be of the type "object"'),
        ({"properties": {}, "additionalProperties": True}, "additionalProperties, if given, False"),
    ],
)
def test_what_nobody_would_check_is_refused_in_one_sentence(unchecked, says):
    with pytest.raises(CourseError, match=says) as caught:
        schema.usable(unchecked)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_every_keyword_that_is_checked_or_demands_nothing_is_let_in():
    number = {"type": "number", "title": "n", "description": "how many"}
    listed = {"type": "array", "items": {"type": "string"}}
    whole = {"type": "object", "properties": {"n": number, "l": listed}, "required": (), "additionalProperties": False}
    schema.usable(whole | {"title": "t", "description": "d"})
    assert schema.complaint({"n": 10**400, "l": ["a"]}, whole) == ""


def test_what_is_taken_for_granted_is_sent():
    found = schema.sent(CALL)
    assert found["type"] == "object" and found["additionalProperties"] is False and found["required"] == ["tool"]
    assert found["properties"] == CALL["properties"] | {"sources": {"type": "array", "items": {"type": "string"}}}
    assert "items" not in CALL["properties"]["sources"], "what was given stays as it is"
