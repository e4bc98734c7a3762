"""Kept measurements: read, described, refused when broken."""

import json

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


def test_no_record_is_a_sentence():
    with pytest.raises(CourseError, match=r"results/99\.json is missing"):
        results.load("99")
