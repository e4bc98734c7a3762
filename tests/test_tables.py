"""Reading the course's own files: what each check lets through, and what a refusal names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.errors import CourseError
from course_utils.tables import Table, read

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)


def refused(call) -> str:
    with pytest.raises(CourseError) as caught:
        call()
    return str(caught.value)


@given(values)
def test_only_text_that_says_something_is_text(value):
    table = Table({"key": value}, "here")
    if isinstance(value, str) and value.strip():
        assert table.text("key") == value
    else:
        assert "key" in refused(lambda: table.text("key"))


@given(values, st.integers(-3, 3), st.integers(-3, 3))
def test_a_whole_number_is_in_its_range_and_no_truth_value(value, least, most):
    table = Table({"key": value}, "here")
    if type(value) is int and least <= value <= most:
        assert table.whole("key", "a number", least, most) == value
    else:
        assert "a number" in refused(lambda: table.whole("key", "a number", least, most))


@given(values)
def test_a_list_of_texts(value):
    table = Table({"key": value}, "here")
    if isinstance(value, list) and value and all(isinstance(one, str) and one.strip() for one in value):
        assert table.texts("key") == tuple(value)
    else:
        refused(lambda: table.texts("key"))


@given(values)
def test_a_table_is_a_table(value):
    if isinstance(value, dict):
        assert Table(value, "here").value == value
        assert Table({"key": value}, "here").table("key").where == "here, key"
    else:
        refused(lambda: Table(value, "here"))
        refused(lambda: Table({"key": value}, "here").table("key"))


def test_a_refusal_says_where_what_and_what_to_do():
    table = Table({"kind": "imges"}, "file.toml, set 'a'", {"kind"}, "Mend it.")
    said = refused(lambda: table.choice("kind", ("images", "text")))
    for words in ("file.toml, set 'a'", "'imges'", "images, text", "Mend it."):
        assert words in said
    assert refused(lambda: table.text("title")).startswith("file.toml, set 'a': title is missing")
    assert "Did you mean kind?" in refused(lambda: Table({"knd": 1}, "here", {"kind"}))


@pytest.mark.parametrize("content", [b"\xff", b"[a", b"a = "])
def test_a_file_that_is_no_toml(tmp_path, content):
    (tmp_path / "file.toml").write_bytes(content)
    said = refused(lambda: read(tmp_path / "file.toml", "Install it again."))
    assert "file.toml" in said and said.endswith("Install it again.")
    assert "nothing.toml" in refused(lambda: read(tmp_path / "nothing.toml", "Install it again."))
