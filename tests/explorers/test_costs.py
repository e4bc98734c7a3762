"""Chapter 01's explorer: its formulas are the chapter's, and its words are true."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.errors import CourseError
from course_utils.explorers import costs, size_and_cost, size_and_cost_picture
from course_utils.explorers.scene import Text

from .drawable import assert_drawable

NAMES = ("devices", "shape_of", "lora_parameters", "memory", "training_flops", "effort", "seconds_per_token")
sizes, counts = st.floats(1e6, 1e12), st.floats(1e4, 1e14)


@pytest.fixture(scope="module")
def chapter(chapter_functions):
    return chapter_functions("01", *NAMES)


def test_the_example_table_is_the_chapters(chapter):
    table = chapter["devices"]
    assert table.astype(float).to_dict("index") == costs.EXAMPLE_DEVICES


@given(N=sizes, task=st.sampled_from(costs.TASKS), each=st.sampled_from(list(costs.BYTES.values())))
def test_memory_is_the_chapters(chapter, N, task, each):
    ours, theirs = costs.memory(N, task, each), chapter["memory"](N, task, each)
    assert list(ours) == list(theirs)
    np.testing.assert_allclose(list(ours.values()), list(theirs.values()), rtol=1e-12)
    np.testing.assert_allclose(costs.shape_of(N), chapter["shape_of"](N))
    assert math.isclose(costs.lora_parameters(N), chapter["lora_parameters"](N))


@given(N=sizes, D=counts, name=st.sampled_from(list(costs.EXAMPLE_DEVICES)))
def test_hours_are_the_chapters(chapter, N, D, name):
    device = costs.EXAMPLE_DEVICES[name]
    for task in ("train", "tune (LoRA)"):
        flops = chapter["training_flops"](N, D, task)
        assert math.isclose(costs.operations(N, D, task), flops)
        assert math.isclose(costs.hours(N, D, task, device), chapter["effort"](flops, device)["hours"])
    for each in costs.BYTES.values():
        seconds = D * chapter["seconds_per_token"](N, device, each=each)
        assert math.isclose(costs.hours(N, D, "answer", device, each) * 3600, seconds)


# ------------------------------------------------------------------------------------------------------------ the scene


@given(sizes, counts, st.sampled_from(costs.TASKS), st.sampled_from(list(costs.EXAMPLE_DEVICES)),
       st.sampled_from(list(costs.BYTES)))  # fmt: skip
def test_the_words_are_true(size, tokens, task, device, precision):
    scene = costs.scene(costs.EXAMPLE_DEVICES, size, tokens, task, device, precision)
    assert_drawable(scene, inside=True)
    needed = sum(costs.memory(size, task, costs.BYTES[precision]).values()) / 1e9
    fits = needed <= costs.EXAMPLE_DEVICES[device]["memory_gb"]
    assert scene.warning is not fits
    assert ("it does not fit" in scene.sentence) is not fits
    assert costs.gigabytes(needed) in scene.sentence


def test_what_the_chapter_tells_its_reader_to_try_comes_out_so():
    card = costs.EXAMPLE_DEVICES["24 GB GPU"]
    needed = {size: sum(costs.memory(size, "train").values()) / 1e9 for size in (1.3e9, 1.75e9)}
    assert needed[1.3e9] <= card["memory_gb"] < needed[1.75e9] and {1.3e9, 1.75e9} <= set(costs.SIZES)
    for device in costs.EXAMPLE_DEVICES.values():
        wide, narrow = (costs.hours(7e9, 1e7, "answer", device, costs.BYTES[name]) for name in ("float32", "int4"))
        assert 5.5 < wide / narrow < 6.5  # "the hours to about a sixth"
    gpt3 = sum(costs.memory(175e9, "train").values()) / 1e9
    assert all(gpt3 > device["memory_gb"] for device in costs.EXAMPLE_DEVICES.values())
    lora = sum(costs.memory(7e9, "tune (LoRA)").values()) / 1e9
    assert 20.5 < lora < 21.5  # the alternative text of the still picture
    assert 0.9 < costs.hours(7e9, 1e7, "tune (LoRA)", card) < 1.5


def test_a_table_of_ones_own_with_a_single_device():
    mine = pd.DataFrame(
        {"memory_gb": [48], "tflops": [90], "gb_per_s": [800], "watts": [300], "usd_per_hour": [0.8]}, ["my card"]
    )
    stage = size_and_cost(mine)
    assert "my card" in stage.scene.sentence and stage.values["device"] == "my card"
    assert_drawable(stage.scene, inside=True)


@pytest.mark.parametrize(
    "broken", [pd.DataFrame({"tflops": [1.0]}), pd.DataFrame(columns=list(costs.COLUMNS)),
               pd.DataFrame({c: [0.0] for c in costs.COLUMNS}), pd.DataFrame({c: [math.inf] for c in costs.COLUMNS})]
)  # fmt: skip
def test_a_table_that_cannot_be_drawn_is_refused(broken):
    with pytest.raises(CourseError, match="table of devices"):
        size_and_cost(broken)


@pytest.mark.parametrize("changed", [{"size": 0}, {"tokens": math.inf}])
def test_a_picture_of_impossible_sizes_is_refused(changed):
    given_ = {"size": 7e9, "tokens": 1e7, "task": "train", "device": "laptop", "alt": "a picture"} | changed
    with pytest.raises(CourseError, match="above zero"):
        size_and_cost_picture(**given_)


def test_tokens_cost_time_and_money_but_no_memory():
    few, many = (costs.scene(costs.EXAMPLE_DEVICES, 7e9, n, "train", "laptop", "int8").panels for n in (1e4, 1e14))
    shown = [[[layer.texts for layer in panel.layers if isinstance(layer, Text)] for panel in p] for p in (few, many)]
    assert shown[0][0] == shown[1][0] and shown[0][1] != shown[1][1] and shown[0][2] != shown[1][2]


# ------------------------------------------------------------------------------------------------------------ its words


@pytest.mark.parametrize(
    ("hours", "words"),
    [(1 / 3.6e6, "1 ms"), (0.5 / 3600, "500 ms"), (0.5, "30 min"), (1.0, "1 h"), (26.4, "1.1 days"), (24, "1 day"),
     (8_766, "1 year"), (8_766 * 50_000, "50,000 years"), (8_766 * 9.1e7, "91 million years")],
)  # fmt: skip
def test_durations_are_said_in_the_unit_one_would_use(hours, words):
    assert costs.duration(hours) == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [(0.004, "< 1 cent"), (3.4, "$3.40"), (45.2, "$45.2"), (612_345, "$612 k"), (3e9, "$3 billion")],
)
def test_amounts_of_money_have_three_digits(amount, words):
    assert costs.dollars(amount) == words


@pytest.mark.parametrize(
    ("amount", "words"), [(0.034, "34 MB"), (23.74, "23.7 GB"), (640, "640 GB"), (2_800, "2.8 TB")]
)
def test_memory_has_three_digits(amount, words):
    assert costs.gigabytes(amount) == words
