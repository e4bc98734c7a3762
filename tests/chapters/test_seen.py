"""A push leaves out a second run of a chapter only while its code is the one that was seen to pass."""

import json

import pytest

from course_utils.authoring import sources
from course_utils.chapters import chapters, select

from . import seen

REPORT = """<testsuites><testsuite>
<testcase classname="tests" name="test_it[03_passed]" time="1"/>
<testcase classname="tests" name="test_it[04_failed]"><failure message="no">text</failure></testcase>
<testcase classname="tests" name="test_it[05_skipped]"><skipped message="not here"/></testcase>
<testcase classname="tests" name="test_it[06_broken]"><error message="no">text</error></testcase>
<testcase classname="tests" name="test_another[07_other]"/>
<testcase classname="tests" name="test_it"/>
</testsuite></testsuites>"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A checkout in which nothing is kept yet."""
    (tmp_path / "data" / "results").mkdir(parents=True)
    monkeypatch.setattr(seen, "ROOT", tmp_path)
    for _, variable in seen.RUNS.values():
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def test_only_what_passed_counts(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(REPORT, "utf-8")
    assert seen.passed(report, "test_it") == {"03_passed"}


def test_what_is_kept_is_left_out_until_its_code_changes(root):
    everything = {chapter.number for chapter in chapters()}
    assert seen.asked_for("main_road") == everything
    (third,) = select(["03"])
    seen.keep("main_road", {third.name}, {"cores": 2})
    assert seen.asked_for("main_road") == everything - {"03"}
    assert seen.asked_for("jax") == everything  # another run has another file

    path = root / "data" / "results" / "main_road.json"
    content = json.loads(path.read_text("utf-8"))
    assert content["code"] == {"03": sources.read(third).code_sha256()}
    content["code"]["03"] = content["code"]["03"][::-1]
    path.write_text(json.dumps(content), "utf-8")
    assert seen.asked_for("main_road") == everything


def test_keeping_one_chapter_forgets_no_other(root):
    for number in ("03", "01"):
        seen.keep("jax", {select([number])[0].name}, {})
    assert list(seen.kept("jax")) == ["01", "03"]


def test_the_variable_decides_whatever_is_kept(root, monkeypatch):
    seen.keep("main_road", {chapter.name for chapter in chapters()}, {})
    assert seen.asked_for("main_road") == set()
    monkeypatch.setenv("COURSE_MAIN_ROADS", "02 05")
    assert seen.asked_for("main_road") == {"02", "05"}
    monkeypatch.setenv("COURSE_MAIN_ROADS", "all")
    assert seen.asked_for("main_road") == {chapter.number for chapter in chapters()}


@pytest.mark.parametrize("run", seen.RUNS)
def test_the_tests_that_keep_exist(run):
    """A renamed test would keep nothing, and nobody would notice before the next run of all."""
    test = seen.RUNS[run][0]
    texts = [path.read_text("utf-8") for path in (seen.ROOT / "tests" / "chapters").glob("test_*.py")]
    assert sum(f"def {test}(" in text for text in texts) == 1
