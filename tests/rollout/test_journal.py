"""The journal: a full disk loses lines and says so, and what was counted is what stands in the file."""

import sqlite3

import pytest

from course_utils.rollout import journal
from course_utils.rollout.registry import State

CLASSES = frozenset(("billing", "bug"))


def answered(identity: str, label: str = "bug", arm: str = "champion", **more) -> journal.Answered:
    facts = {"time": 0.0, "since": 5, "version": "v1", "labels": f'["{label}"]', "probabilities": "[0.5]",
             "seconds": 0.001, "status": 200, "fallback": False, "user": None}  # fmt: skip
    return journal.Answered(identity, arm=arm, **(facts | more))


def canary() -> State:
    test = {"alpha": 0.01, "ratio": 1.0}
    return State(champion="v1", challenger="v2", mode="canary", share=0.5, test=test, since=5, stages=((5, 0.5),))


@pytest.fixture
def opened(tmp_path):
    found = journal.Journal(tmp_path, lambda trial: None)
    yield found
    found.close()


def label(opened, identity: str, true: str):
    return opened.label(identity, [true], lambda version: CLASSES).result(10)[0]


def test_a_full_disk_loses_lines_and_not_the_count(opened, tmp_path):
    opened.watch(canary()).result(10)
    for n in range(20):
        opened.note(answered(f"a{n}", arm="challenger" if n % 2 else "champion"))
        assert label(opened, f"a{n}", "billing") == "kept"
    before = opened.trial.as_json()
    assert before["answers"] == before["counted"] == 20

    def room(pages: int) -> None:
        opened._base.execute(f"pragma max_page_count = {pages}")

    room(1)  # SQLite takes the pages that there are
    for n in range(400):
        opened.note(answered(f"b{n}", labels=str(["bug"] * 30).replace("'", '"')))
    with pytest.raises(sqlite3.OperationalError, match="full"):
        opened.submit(lambda: opened._base.execute("insert into facts values ('x', ?)", ("y" * 50_000,))).result(10)
    assert opened.lost > 0 and opened.trial.as_json() == before
    room(1_000_000)
    opened.note(answered("c", arm="challenger"))
    assert label(opened, "c", "billing") == "kept"
    assert opened.trial.as_json()["answers"] == 21
    assert "c" in set(journal.read(tmp_path)["id"])


def test_an_answer_that_the_challenger_did_not_give_is_its_error(opened):
    opened.watch(canary()).result(10)
    opened.note(answered("a", "bug", arm="challenger", fallback=True))
    assert label(opened, "a", "bug") == "kept"  # the champion, asked instead, was right
    assert opened.trial.test.evidence.worse > 0
    opened.note(answered("b", since=0))
    assert label(opened, "b", "billing") == "kept"  # answered before the trial
    assert opened.trial.test.answers == 1


def test_of_two_answers_with_one_id_the_first_stays(opened, tmp_path):
    opened.note(answered("a", "bug"))
    opened.note(answered("a", "billing"))
    assert label(opened, "a", "bug") == "kept" and label(opened, "a", "bug") == "again"
    assert label(opened, "a", "billing") == "other" and label(opened, "nobody", "bug") == "unknown"
    assert journal.read(tmp_path)["labels"].tolist() == [["bug"]]


def test_a_shadow_that_failed_is_not_right(opened):
    state = State(champion="v1", challenger="v2", mode="shadow", test={"alpha": 0.01, "margin": 0.0}, since=5,
                  stages=((5, 0.0),))  # fmt: skip
    opened.watch(state).result(10)
    opened.note(answered("a", "bug"))
    assert label(opened, "a", "bug") == "kept"
    assert opened.trial.test.answers == 0  # its answer has not come
    opened.note_shadow("a", "v2", "[]", "[]", 1.0)
    opened.submit().result(10)
    assert opened.trial.test.evidence.worse > 0


def test_a_request_that_failed_takes_a_label_and_one_that_was_refused_does_not(opened):
    opened.watch(canary()).result(10)
    opened.note(answered("a", status=504, labels="[]"))
    assert label(opened, "a", "bug") == "kept"
    assert opened.trial.test.evidence.better > 0  # the champion's failure
    opened.note(answered("b", status=400, labels="[]"))
    assert label(opened, "b", "bug") == "unanswered"
    assert opened.trial.test.answers == 1


def test_a_canary_that_grows_goes_on_counting_after_a_restart(tmp_path):
    from dataclasses import replace

    grown = replace(canary(), since=7, share=0.9, stages=((5, 0.5), (7, 0.9)))
    first = journal.Journal(tmp_path, lambda trial: None)
    first.watch(canary()).result(10)
    for n in range(12):
        if n == 6:
            first.watch(grown).result(10)
        more = {"since": 5 if n < 6 else 7, "user": f"u{n}", "arm": "challenger"}
        first.note(answered(f"a{n}", **more))
        assert label(first, f"a{n}", "billing") == "kept"
    before = first.trial.as_json()
    assert before["counted"] == 12
    first.close()
    again = journal.Journal(tmp_path, lambda trial: None)
    again.watch(grown).result(10)
    assert again.trial.as_json() == before
    again.close()
