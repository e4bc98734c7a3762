"""An executed chapter against its stored edition: another word or number is told, a processor's rounding is not."""

import base64
import copy
import json
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from course_utils.authoring import agreement
from course_utils.authoring.normalise import PLOTLY
from course_utils.errors import CourseError

FIGURE = {
    "data": [
        {
            "type": "scatter",
            "name": "loss",
            "x": [1, 2, 3],
            "y": {"dtype": "f8", "bdata": base64.b64encode(np.array([0.5, 0.25, 1e-17]).tobytes()).decode()},
        }
    ],
    "layout": {"annotations": [{"text": "lowest 0.25", "x": 0.07172394173479871}], "showlegend": True},
}


def text(words: str) -> list[dict]:
    return [{"output_type": "execute_result", "data": {"text/plain": words}, "metadata": {}, "execution_count": 1}]


def drawn(figure: dict) -> list[dict]:
    data = {PLOTLY: figure, "image/png": "aGVsbG8="}
    return [{"output_type": "display_data", "data": data, "metadata": {}}]


def moved(*path, to) -> dict:
    """`FIGURE` with one value replaced."""
    figure = copy.deepcopy(FIGURE)
    *way, last = path
    place = figure
    for step in way:
        place = place[step]
    place[last] = to
    return figure


def binary(*numbers: float, dtype: str = "f8") -> dict:
    return {"dtype": dtype, "bdata": base64.b64encode(np.array(numbers, dtype=dtype).tobytes()).decode()}


@pytest.mark.parametrize(
    ("ran", "stored"),
    [
        ("0.07172394173479872", "0.07172394173479871"),
        ("accuracy 0.93, 1,200 rows", "accuracy 0.93, 1,200 rows"),
        ("[1.        0.30000000000000004]", "[1.  0.3]"),
        ("-0.0", "0.0"),
        ("nan", "nan"),
        ("loss −0.5", "loss -0.5"),
        ("1e-300 and 2.5e+10", "1e-300 and 2.5e+10"),
    ],
)
def test_texts_that_agree(ran, stored):
    assert agreement.output_differences(text(ran), text(stored)) == []


@pytest.mark.parametrize(
    ("ran", "stored", "named"),
    [
        ("0.0717", "0.0718", "0.0717 instead of 0.0718"),
        ("1201 rows", "1200 rows", "1201 instead of 1200"),
        ("1,201 rows", "1,200 rows", "1,201 instead of 1,200"),
        ("100000000001 rows", "100000000002 rows", "100000000001"),
        ("accuracy 0.93", "precision 0.93", "accuracy"),
        ("holds", "wrong", "holds"),
        ("[0.5, 0.5]", "[0.5]", "instead of"),
        ("0.5 inf", "0.5 0.5", "inf"),
        ("Adam2 0.5", "Adam1 0.5", "Adam2"),
        ("-0.5", "0.5", "-0.5 instead of 0.5"),
        ("a-1", "a-2", "1 instead of"),
        ("True", "False", "True"),
    ],
)
def test_texts_that_differ(ran, stored, named):
    (problem,) = agreement.output_differences(text(ran), text(stored))
    assert named in problem


def test_a_figure_agrees_within_rounding():
    x = 0.07172394173479872
    figure = moved("layout", "annotations", 0, "x", to=x)
    figure["data"][0]["y"] = binary(math.nextafter(0.5, 1), math.nextafter(0.25, 0), -3e-17)
    assert agreement.output_differences(drawn(figure), drawn(FIGURE)) == []


def test_a_list_of_numbers_may_be_stored_as_bytes():
    assert agreement.output_differences(drawn(moved("data", 0, "y", to=[0.5, 0.25, 1e-17])), drawn(FIGURE)) == []


def test_the_picture_beside_a_figure_is_not_compared():
    other = drawn(FIGURE)
    other[0]["data"].pop("image/png")
    assert agreement.output_differences(other, drawn(FIGURE))[1:] == []
    other[0]["data"]["image/png"] = "b3RoZXI="
    assert agreement.output_differences(other, drawn(FIGURE)) == []


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("data", 0, "y"), binary(0.5, 0.25 + 1e-6, 0)),
        (("data", 0, "y"), binary(0.5, 0.25)),
        (("data", 0, "y"), binary(0.5, math.nan, 0)),
        (("data", 0, "x"), [1, 2, 4]),
        (("data", 0, "name"), "accuracy"),
        (("data",), []),
        (("layout", "annotations", 0, "x"), 0.0718),
        (("layout", "annotations", 0, "text"), "lowest 0.26"),
        (("layout", "showlegend"), 1),
        (("layout", "title"), "new"),
    ],
)
def test_a_figure_that_differs(path, to):
    assert agreement.output_differences(drawn(moved(*path, to=to)), drawn(FIGURE))


def test_kinds_and_numbers_of_outputs():
    assert agreement.output_differences([], text("1"))
    assert agreement.output_differences(text("1"), [])
    assert agreement.output_differences(drawn(FIGURE), text("1"))
    stream = [{"output_type": "stream", "name": "stdout", "text": "1"}]
    assert agreement.output_differences(stream, text("1"))
    assert agreement.output_differences(stream, [{"output_type": "stream", "name": "stdout", "text": ["1"]}]) == []


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=1e-3, max_value=1e12), st.floats(-1, 1))
def test_a_number_within_the_tolerance_agrees_and_no_other(number, share):
    assert agreement.close(number * (1 + share * 1e-10), number)
    assume(abs(share) > 1e-3)
    assert not agreement.close(number * (1 + share * 1e-5), number)


@pytest.mark.parametrize(("within", "ran", "agree"), [(0.02, 0.915, True), (0.02, 0.96, False), (0.02, 101, True),
                                                      (0.02, 103, False), (0.0, 0.9301, False)])  # fmt: skip
def test_a_cells_own_tolerance(within, ran, agree):
    stored = 100 if ran > 1 else 0.93
    assert (agreement.output_differences(text(f"{ran}"), text(f"{stored}"), within) == []) is agree


LOGARITHMIC = {"layout": {"yaxis": {"type": "log"}}}


@pytest.mark.parametrize(
    ("ran", "stored", "within", "told"),
    [
        # where a reader sees orders of magnitude, a small number is not swallowed by a large one
        ({"data": [{"y": [0.0, 1e30]}], **LOGARITHMIC}, {"data": [{"y": [9e20, 1e30]}], **LOGARITHMIC}, 0.0, True),
        ({"data": [{"y": [0.019, 1.0]}], **LOGARITHMIC}, {"data": [{"y": [8e-10, 1.0]}], **LOGARITHMIC}, 0.02, True),
        ({"data": [{"y": [9e-10, 1.0]}], **LOGARITHMIC}, {"data": [{"y": [8e-10, 1.0]}], **LOGARITHMIC}, 0.02, False),
        ({"data": [{"y": [0.0, 0.5]}], "layout": {}}, {"data": [{"y": [1e-17, 0.5]}], "layout": {}}, 0.0, False),
        # whole numbers are equal, however large their neighbours
        ({"data": [{"x": [1, 1751000000]}]}, {"data": [{"x": [2, 1751000000]}]}, 0.0, True),
        # what is not an array on both sides is named, not raised
        ({"data": [{"x": [None, 2.0]}]}, {"data": [{"x": [1.0, 2.0]}]}, 0.0, True),
        ({"data": [{"x": ["a", "b"]}]}, {"data": [{"x": [1.0, 2.0]}]}, 0.0, True),
    ],
)
def test_what_a_figure_shows_small(ran, stored, within, told):
    assert bool(agreement.output_differences(drawn(ran), drawn(stored), within)) is told


@pytest.mark.parametrize(
    ("ran", "stored", "within", "told"),
    [
        ("9007199254740993 parameters", "9007199254740992 parameters", 0.0, True),
        ("a\n  b", "a b", 0.0, True),
        ("item #", "item 3", 0.0, True),
        ("# 3", "3 #", 0.0, True),
        ("error 1e-04", "error 1e-11", 0.05, True),
        ("error 9e-11", "error 1e-11", 0.05, False),
        ("loss 0.0000", "loss 0.0004", 0.05, False),
        ("a    1.0", "a  1.0", 0.0, False),
    ],
)
def test_texts_to_the_letter_and_small_numbers_by_their_order(ran, stored, within, told):
    assert bool(agreement.output_differences(text(ran), text(stored), within)) is told


@pytest.mark.parametrize("stated", ["nan", "inf", "-1", "0.7", "two", ""])
def test_a_tolerance_that_is_none_is_refused(stated):
    with pytest.raises(CourseError, match="compare-within="):
        agreement.tolerance([agreement.IGNORE, f"compare-within={stated}"])


def test_a_cell_states_one_tolerance():
    with pytest.raises(CourseError, match="one number"):
        agreement.tolerance(["compare-within=0.1", "compare-within=0.2"])


def cell(words: str, *tags: str, name: str = "a", **metadata) -> dict:
    return {
        "cell_type": "code", "id": name, "source": "", "outputs": text(words), "metadata": {"tags": [*tags], **metadata}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ran", "stored", "told"),
    [
        (cell("0.91"), cell("0.92"), True),
        (cell("0.91"), cell("0.92", "nbval-ignore-output"), False),
        (cell("0.91"), cell("0.92", "nbval-ignore-output", "compare-within=0.02"), False),
        (cell("0.91"), cell("0.95", "nbval-ignore-output", "compare-within=0.02"), True),
        (cell("0.91"), cell("0.92", exercise="01-1"), False),
        (cell("0.92", name="b"), cell("0.92"), True),
    ],
)
def test_which_cells_are_compared(ran, stored, told):
    found = agreement.differences({"cells": [ran]}, {"cells": [stored]})
    assert bool(found) is told
    assert all("cell a" in problem for problem in found)


def test_a_stored_edition_agrees_with_itself_and_not_with_a_changed_number():
    from course_utils.chapters import select

    stored = json.loads(select(["01"])[0].learner.read_text("utf-8"))
    assert agreement.differences(stored, stored) == []
    changed = copy.deepcopy(stored)
    numbers = 0
    for one in changed["cells"]:
        for output in one.get("outputs", []):
            for kind, value in output.get("data", {}).items():
                if kind == "text/plain" and "exercise" not in one["metadata"] and agreement._NUMBER.search(str(value)):
                    if agreement.tolerance(one["metadata"].get("tags", [])) is None or PLOTLY in output["data"]:
                        continue
                    output["data"][kind] = agreement._NUMBER.sub("77.125", "".join(value), count=1)
                    numbers += 1
    assert numbers > 20
    assert len(agreement.differences(changed, stored)) >= numbers
