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


def needy(text, needs=None, kind="markdown"):
    return {"cell_type": kind, "source": text, "metadata": {"needs": needs} if needs else {}}


AREAS = [
    needy("# 42 · Title"),
    needy("a = 1", kind="code"),
    needy("## 1 · Films", "films"),
    needy("b = 1", kind="code"),
    needy("### And words", "words sounds"),
    needy("c = 1", kind="code"),
    needy("## 2 · Films again", "films"),
    needy("## 3 · Recap"),
    needy("d = 1", kind="code"),
]


def test_a_section_stands_on_its_own_needs_and_on_those_around_it():
    found = roads.sections_needing((one["cell_type"], one["source"], one["metadata"].get("needs")) for one in AREAS)
    names = [sorted(one) for one in found]
    assert names == [[], [], ["films"], ["films"], *[["films", "sounds", "words"]] * 2, ["films"], [], []]
    titles = {"films": ["1 · Films", "2 · Films again"], "words": ["And words"], "sounds": ["And words"]}
    assert roads.sections_by_need(AREAS) == titles


@pytest.mark.parametrize(
    ("missing", "left"), [((), 9), (("other",), 9), (("words",), 8), (("films",), 6), (("sounds", "words"), 8)]
)
def test_without_a_set_the_headings_stay_and_what_stands_on_it_goes(missing, left):
    kept = roads.cells_without(AREAS, missing)
    assert len(kept) == left
    assert next(one["source"] for one in kept if one["source"][:2] == "##") == "## 1 · Films"


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
