"""The decision report: its sections, what it has to say, and the numbers that are nowhere in the results."""

import pytest

from course_utils.capstone import commands, decision, question
from course_utils.capstone.work import CONTRADICTS, MISSING, Open, Work


@pytest.fixture
def rewrite(folder, came_to):
    """``rewrite(before, after)`` changes the report and gives what the check says of it."""

    def change(before, after):
        path = folder / commands.REPORT
        written = path.read_text("utf-8")
        assert before in written
        path.write_text(written.replace(before, after, 1), "utf-8")
        return came_to(decision.reported)

    return change


def test_the_report_of_a_finished_capstone_holds(came_to):
    assert came_to(decision.reported).startswith("report.md has its sections, and its ")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("## Gate\n", "## The gate\n", "lacks: Gate."),
        ("## Gate\n\nAs it is.", "## Gate\n", "Still to be written in report.md: Gate."),
        ("## Gate\n\nAs it is.", f"## Gate\n\n{decision.PROMPT} what.]", "Still to be written in report.md: Gate."),
    ],
)
def test_a_section_that_is_not_written_is_named(rewrite, before, after, words):
    why = rewrite(before, after)
    assert isinstance(why, Open) and why.state == MISSING and words in why.found


def test_a_report_that_is_not_there_or_no_text_is_missing(folder, came_to):
    (folder / commands.REPORT).write_bytes(b"\xff\xfe\xff")
    assert "it is not UTF-8" in came_to(decision.reported).found
    (folder / commands.REPORT).unlink()
    assert came_to(decision.reported).state == MISSING


def test_what_decides_is_said_and_said_right(finished, folder, came_to):
    """Each number that decides, left out and then written wrong."""
    path = folder / commands.REPORT
    right = path.read_text("utf-8")
    lines = [line for line in right.splitlines() if line.startswith("* ")]
    decides = {name: value for name, value, *_ in decision.deciding(Work(question.read(finished)))}
    names = [line.removeprefix("* ").partition(": ")[0] for line in lines]
    assert names == list(decides) and len(names) == 6
    for name, line in zip(names, lines, strict=True):
        path.write_text(right.replace(line, ""), "utf-8")
        left_out = came_to(decision.reported)
        path.write_text(right.replace(line, f"* {name}: 7123.25"), "utf-8")
        for why in (left_out, came_to(decision.reported)):
            if isinstance(why, Open):
                assert why.state == CONTRADICTS and (name in why.found or "7123.25" in why.found)
            else:  # another number says the same, rounded as one likes: "7 of 7" a p99 of 7.3 ms
                others = decision.numbers(right.replace(line, ""))
                assert any(one.means(decides[name]) for one in others)
        assert isinstance(came_to(decision.reported), Open)


@pytest.mark.parametrize(
    ("added", "stranger"),
    [
        ("It saves 7123.25 hours.", "7123.25"),
        ("It finds 87.123 %.", "87.123 %"),
        ("It costs US$ 41,234 a year.", "41,234"),
        ("From 7,777 to 8888 messages.", "7,777, 8888"),
        ("| p99 | 6543.21 ms |", "6543.21"),
    ],
)
def test_a_number_that_is_nowhere_in_the_results_is_named(rewrite, added, stranger):
    why = rewrite("## Data\n\nAs it is.", f"## Data\n\n{added}")
    assert isinstance(why, Open) and why.state == CONTRADICTS
    assert why.found.endswith(f"nowhere in the results: {stranger}.") and "`backticks`" in why.expected


@pytest.mark.parametrize(
    "added",
    [
        "It has 134 messages, 60 of them billing, in 3 classes.",
        "Intervals are at 95 %; the alarm rings for nothing on 1 % of the days.",
        "`35.0 - 7123.25` is my own arithmetic, of 2026-11-29, on p99 and F1 (see [there](https://x.org/7777)).",
        "```\n7777\n```",
        "1. A list.\n2. Of two.\n\n7777. Of many.",
        "<!-- 7777 -->",
    ],
)
def test_a_number_that_was_measured_or_is_no_result_is_let_through(rewrite, added):
    assert isinstance(rewrite("## Data\n\nAs it is.", f"## Data\n\n{added}"), str)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("23.2 hours (19.0 to 27.9)", ["23.2", "19.0", "27.9"]),
        ("1,000 messages, 43% alone, 12 of 12.", ["1,000", "43%", "12", "12"]),
        ("16.0–22.9 and −3 and 5×", ["16.0", "22.9", "3", "5"]),
        ("p99 F1 c50 v2 2nd 1.2.3 2026-11-29", []),
        ("## 7. Heading 8", ["8"]),
    ],
)
def test_numbers_are_found_as_people_write_them(text, found):
    assert [one.written for one in decision.numbers(text)] == found


@pytest.mark.parametrize(
    ("written", "value", "same"),
    [
        ("23.2", 23.24, True), ("23.2", 23.26, False), ("23", 23.4, True), ("23", 22.4, False),
        ("98%", 0.976, True), ("97.6 %", 0.976, True), ("98", 0.976, False), ("97 %", 0.976, False),
        ("3", -3.2, True), ("1,000", 1000.0, True), ("0.35", 0.345, True), ("5", float("inf"), False),
    ],
)  # fmt: skip
def test_a_number_means_what_rounds_to_it(written, value, same):
    (number,) = decision.numbers(written)
    assert number.means(value) is same


def test_the_results_hold_what_a_report_is_made_of(finished):
    known = set(decision.measured(Work(question.read(finished))))
    assert {134.0, 60.0, 0.8, 400.0, 12.0} <= known and all(isinstance(one, float | int) for one in known)
