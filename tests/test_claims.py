"""The fact-check's rows, and what recording refuses."""

import datetime
import re

import pytest

from course_utils import claims, paths
from course_utils.errors import CourseError

CHAPTERS = {f"{number:02d}" for number in range(18)}


def test_all_sixty_four_claims_are_there_and_complete():
    rows = claims.rows()
    assert list(rows) == [f"c{number:02d}" for number in range(1, 65)]
    for row in rows.values():
        assert row["expected"] in claims.VERDICTS
        assert row["chapter"] in CHAPTERS
        assert all(row[key].strip() for key in ("where", "says", "check"))


ROW = """
[[claim]]
id = "c01"
where = "A1"
chapter = "01"
says = "it is so"
check = "look"
expected = "holds"
runs = true
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "c01"', 'id = "1"', "claim 1: id = '1'"),
        ('id = "c01"\n', "", "claim 1: id is missing"),
        ('"holds"', '"true"', "expected = 'true'; expected: one of holds"),
        ('says = "it is so"', 'says = " "', "says = ' '"),
        ("runs =", "run =", r"the key 'run' is not known\. Did you mean runs"),
        ("[[claim]]", "[[claims]]", r"has no \[\[claim\]\]"),
        ('id = "c01"', "id = ", "cannot be read"),
        (ROW, ROW + ROW, "the id c01 stands twice"),
    ],
)
def test_a_row_that_cannot_be_is_refused(tmp_path, monkeypatch, old, new, said):
    path = tmp_path / "claims.toml"
    assert old in ROW
    path.write_text(ROW.replace(old, new), "utf-8")
    monkeypatch.setattr(paths, "packaged", lambda name: path)
    with pytest.raises(CourseError, match=said):
        claims.rows.__wrapped__()


def test_evidence_that_was_kept_has_its_day_and_an_unknown_claim_has_none():
    kept = claims.recorded("c09")
    assert datetime.date.fromisoformat(kept["date"]) and kept["found"] == {"python": False, "tensorflow": True}
    with pytest.raises(CourseError, match="no claim 'c9x'"):
        claims.recorded("c9x")
    with pytest.raises(CourseError, match="c44"):
        claims.recorded("c44")


def test_recording_prints_verdict_and_evidence(capsys):
    claims.record("c44", verdict="wrong", evidence="three convolutions, two poolings")
    assert re.search(r"c44 .*WRONG.*three convolutions, two poolings", capsys.readouterr().out)


def test_recorded_evidence_is_marked_as_such(capsys):
    claims.record("c09", verdict="wrong", evidence="none found", recorded="2026-11-23")
    assert "recorded on 2026-11-23" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("c4", "wrong", "e"), r"no claim 'c4'.*Did you mean c04\?"),
        (("2", "wrong", "e"), r"Did you mean c02\?"),
        (("c100", "wrong", "e"), "no claim 'c100'.*c10"),
        (("c99", "wrong", "e"), "no claim 'c99'.*c39"),
        (("c44", "false", "e"), "not a verdict"),
        (("c44", "hold", "e"), r"Did you mean holds"),
        (("c44", "wrong", "  "), "needs evidence"),
    ],
)
def test_what_cannot_be_recorded_is_refused(arguments, message):
    with pytest.raises(CourseError, match=message):
        claims.record(*arguments)


def test_the_table_joins_what_a_run_reached():
    table = claims.table([{"id": "c44", "verdict": "wrong", "evidence": "counted"}]).set_index("id")
    assert table.loc["c44", "verdict"] == "wrong"
    assert table.loc["c45", "verdict"] == ""
    assert len(table) == 64


def test_the_table_says_which_evidence_was_recorded():
    entry = {"id": "c09", "verdict": "wrong", "evidence": "none found", "recorded": "2026-11-23"}
    table = claims.table([entry]).set_index("id")
    assert table.loc["c09", "evidence"] == "none found [recorded on 2026-11-23]"
    assert claims.evidence_of({}) == ""
