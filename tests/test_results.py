"""Kept measurements: read, described, refused when broken."""

import json
import statistics
from pathlib import Path

import pytest

from course_utils import paths, results
from course_utils.errors import CourseError

RECORD = {
    "made by": "python measure.py",
    "date": "2026-11-23",
    "machine": {
        "cores": 2,
        "system": "Linux x86_64",
        "python": "3.11.7",
        "backend": "tensorflow",
        "versions": {"keras": "3.15.1", "tensorflow": "2.21.0"},
    },
}


@pytest.fixture
def kept(tmp_path, monkeypatch):
    file = tmp_path / "07.json"
    monkeypatch.setattr(paths, "packaged", lambda name: file)
    return file


def test_a_record_is_read_and_described(kept):
    kept.write_text(json.dumps(RECORD), "utf-8")
    assert results.load("07") == RECORD
    assert results.described(RECORD) == (
        "Recorded on 2026-11-23: 2 cores, Linux x86_64, Python 3.11.7, Keras 3.15.1 on tensorflow 2.21.0"
    )


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", json.dumps(RECORD | {"date": "yesterday"})])
def test_a_broken_record_is_refused(kept, content):
    kept.write_text(content, "utf-8")
    with pytest.raises(CourseError, match="not a file of measured results"):
        results.load("07")


def test_a_file_may_hold_several_records(kept):
    kept.write_text(json.dumps({"speed": {"one": RECORD, "two": {}}}), "utf-8")
    assert results.load("07", "speed", "one") == RECORD
    for part in ((), ("speed",), ("speed", "two"), ("memory", "one"), ("speed", "one", "date", "x")):
        with pytest.raises(CourseError, match="not a file of measured results"):
            results.load("07", *part)


def test_no_record_is_a_sentence():
    with pytest.raises(CourseError, match=r"results/99\.json is missing"):
        results.load("99")


def test_chapter_09_quotes_what_the_benchmark_kept():
    root = Path(__file__).resolve().parents[1]
    kept = results.load("09", "accuracy", "tickets")
    words = " ".join((root / "notebooks" / "source" / "09_fine_tuning_bert.py").read_text("utf-8").split())
    few = [row for row in kept["rows"] if row["rows"] == 100]
    tuned, frozen = ([row[kind] for row in few] for kind in ("fine-tuned", "frozen"))
    said = (
        f"macro-F1 {statistics.mean(tuned):.3f} # on average and from {min(tuned):.2f} to {max(tuned):.2f}, "
        f"against {statistics.mean(frozen):.3f}, and from {min(frozen):.2f} to {max(frozen):.2f}, frozen"
    )
    ahead = [row["fine-tuned accuracy"] - row["frozen accuracy"] for row in few]
    more = f"in accuracy it was ahead in each of the five, by {100 * statistics.mean(ahead):.1f} points on average"
    assert len(few) == 5 and min(ahead) > 0
    assert all(sentence.replace(" # ", " ") in words.replace(" # ", " ") for sentence in (said, more))
    assert "trained the upper three layers" in words.replace(" # ", " ")
    assert "layers=3" in (root / "tests" / "benchmarks" / "encoder_accuracy.py").read_text("utf-8")


@pytest.mark.parametrize(
    "part",
    [("fine-tuning step", "sst2"), ("fine-tuning step", "tickets"), ("accuracy", "sst2"), ("accuracy", "tickets")],
)
def test_what_is_kept_for_chapter_09_can_be_read(part):
    assert results.described(results.load("09", *part)).startswith("Recorded on 2")


def test_chapter_10_quotes_what_the_full_profile_kept():
    root = Path(__file__).resolve().parents[1]
    kept = results.load("10")
    words = " ".join((root / "notebooks" / "source" / "10_deployment.py").read_text("utf-8").replace("\n#", "").split())
    most = max(file["loss at most, points"] for file in kept["int8"].values())
    assert f"all three files lose {most:.2f} at most" in words
    rates = kept["learning rate, accuracy on the validation part"]
    assert f"full=(20_000, 4, {float(max(rates, key=rates.get)):.0e})".replace("e-0", "e-") in words
