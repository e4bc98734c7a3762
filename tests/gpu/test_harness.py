"""What the GPU tests read, compare and keep, without a GPU."""

import json
import re

import pytest

from course_utils import results
from course_utils.runtime import MIME

from . import full_profile

HEADLINE = {"kind": "headline", "chapter": "07", "name": "test accuracy", "value": 0.99, "low": 0.988, "high": 0.992}
SETUP = {
    "kind": "setup",
    "seed": 3,
    "backend": "tensorflow",
    "device": "A card",
    "gpu": True,
    "precision": "bfloat16 mixed precision",
}
MACHINE = {"cores": 2, "system": "Linux", "python": "3.11.7", "versions": {"keras": "3.15.1"}, "backend": "tensorflow"}


def outcome(**changed) -> dict:
    found = {
        "chapter": "07_mnist_cnn",
        "verdict": "passed",
        "reason": "",
        "error": None,
        "seconds": 61.5,
        "peak_mib": 900,
    }
    return found | {"notebook": "runs/07_mnist_cnn.ipynb"} | changed


def write(folder, *outputs, **changed):
    """A folder as course run leaves it, of one chapter with these records."""
    (folder / "runs").mkdir(exist_ok=True)
    cells = [{"cell_type": "markdown"}, *({"outputs": [{"data": {MIME: record}}]} for record in outputs)]
    (folder / "runs" / "07_mnist_cnn.ipynb").write_text(json.dumps({"cells": cells}), "utf-8")
    content = {"date": "2026-11-28T10:00:00+00:00", "machine": MACHINE, "outcomes": [outcome(**changed)]}
    (folder / "results.json").write_text(json.dumps(content), "utf-8")


def test_a_run_is_read_with_what_it_ran_on(tmp_path):
    without = SETUP | {"backend": None, "device": "2 cores", "gpu": False}  # a chapter that starts Keras later
    write(tmp_path, without, SETUP, HEADLINE)
    (found,) = full_profile.read(tmp_path)
    assert (found.chapter, found.verdict, found.gpu, found.precision) == ("07", "passed", True, SETUP["precision"])
    assert found.record["machine"]["device"] == "A card" and found.record["seconds"] == 61.5
    assert found.record["seeds"] == {"3": [{k: HEADLINE[k] for k in ("name", "value", "low", "high")}]}


def test_a_chapter_that_was_not_run_is_read_as_such(tmp_path):
    write(tmp_path, verdict="not run", reason="sst2 cannot be had", notebook=None)
    (found,) = full_profile.read(tmp_path)
    assert (found.verdict, found.reason, found.gpu) == ("not run", "sst2 cannot be had", False)
    with pytest.raises(ValueError, match="only what passed is kept"):
        full_profile.keep(found, tmp_path / "table.json")


def test_a_share_without_an_interval_gets_wilsons():
    found = full_profile.interval({"name": "judge", "value": 0.9}, 100)
    # Wilson's formula by hand for 90 of 100, z = 1.96
    assert (found["low"], found["high"]) == pytest.approx((0.8256, 0.9448), abs=1e-4)
    for wrong in (None, 102):  # 0.9 of 102 is no whole number
        with pytest.raises(ValueError, match="judge"):
            full_profile.interval({"name": "judge", "value": 0.9}, wrong)


@pytest.mark.parametrize(
    ("value", "expected"), [(0.988, True), (0.992, True), (0.994, True), (0.9879, False), (0.9941, False)]
)
def test_a_gpus_result_agrees_when_it_lies_in_the_cpus_interval(value, expected):
    seeds = [HEADLINE, HEADLINE | {"value": 0.9925, "low": 0.991, "high": 0.994}]
    assert full_profile.agrees(HEADLINE | {"value": value, "low": 0.5, "high": 1.0}, seeds) is expected
    assert full_profile.agrees(HEADLINE | {"value": 0.993}, seeds[:1]) is False


def test_what_is_kept_replaces_the_same_and_leaves_the_rest(tmp_path):
    table = tmp_path / "table.json"
    write(tmp_path, SETUP, HEADLINE)
    (found,) = full_profile.read(tmp_path)
    full_profile.keep(found, table)
    full_profile.keep(found, table)
    kept = json.loads(table.read_text("utf-8"))
    assert kept == {"gpu": {"A card": {"tensorflow": {"07": found.record}}}}
    write(tmp_path, SETUP | {"seed": 4}, HEADLINE | {"value": 0.991}, seconds=70)
    (again,) = full_profile.read(tmp_path)
    full_profile.keep(again, table)
    kept = json.loads(table.read_text("utf-8"))["gpu"]["A card"]["tensorflow"]["07"]
    assert kept["seconds"] == 70 and set(kept["seeds"]) == {"3", "4"}
    assert [one["value"] for one in full_profile.by_name(kept)["test accuracy"]] == [0.99, 0.991]


@pytest.mark.parametrize("chapter", full_profile.CHAPTERS)
def test_a_cpus_result_is_kept_to_compare_with(chapter):
    found = full_profile.on_cpu(chapter)
    assert found
    for headline in (one for headlines in found.values() for one in headlines):
        assert 0 <= headline["low"] <= headline["value"] <= headline["high"] <= 1 and headline["high"] > headline["low"]


def test_the_kept_headlines_are_those_of_the_chapters():
    """A chapter that renames its headline would leave nothing to compare with."""
    for chapter in full_profile.CHAPTERS:
        (source,) = (full_profile.ROOT / "notebooks" / "source").glob(f"{chapter}_*.py")
        names = set(re.findall(r'course\.headline\("([^"]+)"', source.read_text("utf-8")))
        assert names == set(full_profile.on_cpu(chapter))


@pytest.mark.parametrize("chapter", ["03", "04", "06"])
def test_a_record_says_when_and_on_what_it_was_measured(chapter):
    record = results.load("gpu", "cpu", chapter)
    assert results.described(record).startswith("Recorded on 2")
    assert record["precision"] == "float32"


def test_a_chapter_without_a_result_on_a_cpu_is_refused():
    with pytest.raises(ValueError, match="chapter 05"):
        full_profile.on_cpu("05")
