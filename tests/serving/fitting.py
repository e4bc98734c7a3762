"""Whether a value fits a JSON Schema, as far as the tests of a decoder need it: raises AssertionError where not."""

from typing import Any

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "number": int | float,
    "integer": int,
    "boolean": bool,
    "null": type(None),
}
KNOWN = {"type", "const", "enum", "anyOf", "properties", "required", "additionalProperties", "items", "title",
         "minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum"}  # fmt: skip


def same(a: Any, b: Any) -> bool:
    """Equal as JSON has it, where true is not 1."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def is_of(value: Any, kind: str) -> bool:
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def fit(value: Any, schema: dict[str, Any]) -> None:
    assert set(schema) <= KNOWN, schema
    if "const" in schema:
        assert same(value, schema["const"])
    if "enum" in schema:
        assert any(same(value, one) for one in schema["enum"])
    if "anyOf" in schema:
        assert any(fits(value, one) for one in schema["anyOf"])
    if "type" in schema:
        kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        assert any(is_of(value, kind) for kind in kinds), (value, kinds)
    if isinstance(value, dict):
        held = schema.get("properties", {})
        assert set(schema.get("required", ())) <= set(value)
        assert schema.get("additionalProperties") is not False or set(value) <= set(held)
        for name in set(held) & set(value):
            fit(value[name], held[name])
    size = len(value) if isinstance(value, str | list) else 0
    for kind, low, high in ((str, "minLength", "maxLength"), (list, "minItems", "maxItems")):
        if isinstance(value, kind):
            assert schema.get(low, 0) <= size <= schema.get(high, size)
    if isinstance(value, list) and "items" in schema:
        for one in value:
            fit(one, schema["items"])
    if is_of(value, "number"):
        assert schema.get("minimum", value) <= value <= schema.get("maximum", value)


def fits(value: Any, schema: dict[str, Any]) -> bool:
    try:
        fit(value, schema)
    except AssertionError:
        return False
    return True
