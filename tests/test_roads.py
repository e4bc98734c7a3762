"""Which cells lie on a side road, and what is left of a notebook without them."""

import pytest

from course_utils import roads
from course_utils.errors import CourseError


def cell(text, road=None, kind="markdown"):
    return {"cell_type": kind, "source": text, "metadata": {"road": road} if road else {}}


CHAPTER = [
    cell("# 42 · Title"),
    cell("## 1 · Main"),
    cell("a = 1", kind="code"),
    cell("### Aside\n\nWhat is here.", "side"),
    cell("b = 2", kind="code"),
    cell("#### Deeper"),
    cell("c = 3", kind="code"),
    cell("### Main again"),
    cell("d = 4", kind="code"),
    cell("## 2 · Proof\n\nWhat is here.", "side"),
    cell("### With a part", "side"),
    cell("# not a heading, but code", kind="code"),
    cell("## Recap"),
]


def homes(cells):
    return roads.side_roads((one["cell_type"], one["source"], one["metadata"].get("road")) for one in cells)


def test_a_side_road_ends_before_the_next_heading_of_its_level_or_a_higher_one():
    assert homes(CHAPTER) == [None, None, None, 3, 3, 3, 3, None, None, 9, 9, 9, None]


def test_a_notebook_without_its_side_roads():
    assert [one["source"] for one in roads.main_cells(CHAPTER)] == [
        "# 42 · Title", "## 1 · Main", "a = 1", "### Main again", "d = 4", "## Recap",
    ]  # fmt: skip


def test_a_tag_counts_on_a_heading_only():
    assert homes([cell("No heading.", "side"), cell("x", "side", "code"), cell("## 1 · A")]) == [None, None, None]


def test_a_side_road_at_the_end_goes_to_the_end():
    assert homes([cell("## 1 · A"), cell("## 2 · B", "side"), cell("x", kind="code")]) == [None, 1, 1]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("## 1 · A\n\ntext", (2, "1 · A")),
        ("\n\n### B", (3, "B")),
        ("text\n## C", None),
        ("##C", None),
        ("", None),
        ("####### seven", None),
    ],
)
def test_what_a_text_begins_with(text, found):
    assert roads.heading(text) == found


def test_a_road_that_is_not_there_is_refused():
    assert roads.road("main") == "main"
    with pytest.raises(CourseError, match=r"no road 'mian'.*Did you mean main"):
        roads.road("mian")
