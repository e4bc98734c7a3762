"""README's table of chapters is what a run found."""

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.authoring import readme, routes
from course_utils.chapters import chapters
from course_utils.errors import CourseError
from course_utils.running.outcome import Outcome, write_results

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
CHAPTERS = chapters(ROOT)
REQUEST = {"profile": "quick", "parameters": {}, "jobs": 1, "road": "all"}


def outcome(number: int, seconds: float, mib: float, **facts) -> Outcome:
    chapter = CHAPTERS[number]
    return Outcome(chapter.name, chapter.title, **{"verdict": "passed", "seconds": seconds, "peak_mib": mib} | facts)


def figures(text: str) -> dict[str, tuple[str, str]]:
    return {cells[0]: (cells[4], cells[5]) for cells in readme.rows(text)}


def test_the_table_has_a_row_for_every_chapter_and_no_other():
    assert [cells[0] for cells in readme.rows(README)] == [chapter.number for chapter in CHAPTERS]
    for number, title, takes_home, minutes, seconds, memory in readme.rows(README):
        assert f"notebooks/{number}_" in title and takes_home
        assert [part.isdigit() for part in minutes.split(" + ")] == [True, True]
        assert seconds.removesuffix(" s").isdigit() and float(memory.removesuffix(" GiB")) > 0


def test_its_own_numbers_give_the_same_table():
    own = [
        outcome(n, float(seconds.removesuffix(" s")), 1024 * float(memory.removesuffix(" GiB")))
        for n, (seconds, memory) in enumerate(figures(README).values())
    ]
    assert readme.with_table(README, own, CHAPTERS) == README
    assert readme.with_table(README, [], CHAPTERS) == README


def test_the_routes_are_those_of_the_sources():
    assert readme.with_routes(README, routes.of_checkout(ROOT)) == README
    with pytest.raises(CourseError, match="lacks the marks around the routes"):
        readme.with_routes("# A README", "")


@given(st.dictionaries(st.integers(0, len(CHAPTERS) - 1), st.tuples(st.floats(1, 9e4), st.floats(50, 9e4))))
def test_only_the_measured_figures_change(measured):
    new = readme.with_table(README, [outcome(n, *values) for n, values in measured.items()], CHAPTERS)
    before, after = figures(README), figures(new)
    for number, chapter in enumerate(CHAPTERS):
        if number not in measured:
            assert after[chapter.number] == before[chapter.number]
            continue
        seconds, memory = after[chapter.number]
        assert float(seconds.removesuffix(" s")) == pytest.approx(measured[number][0], abs=0.5)
        assert float(memory.removesuffix(" GiB")) == pytest.approx(measured[number][1] / 1024, abs=0.05)
    assert [cells[:3] for cells in readme.rows(new)] == [cells[:3] for cells in readme.rows(README)]
    start, end = README.index(readme.BEGIN), README.index(readme.END)
    assert new.startswith(README[:start]) and new.endswith(README[end:]), "nothing around the table changes"


def test_the_file_is_written_from_a_runs_results(tmp_path):
    copy, results = tmp_path / "README.md", tmp_path / "results.json"
    copy.write_text(README, "utf-8")
    write_results(results, [outcome(0, 17.2, 700), outcome(2, 1234.4, 2048)], REQUEST)
    assert readme.write(copy, results, CHAPTERS) == ["00", "02"]
    found = figures(copy.read_text("utf-8"))
    assert (found["00"], found["02"]) == (("17 s", "0.7 GiB"), ("1234 s", "2.0 GiB"))


@pytest.mark.parametrize("some", [True, False])
def test_the_sentence_below_speaks_of_a_run_of_all_chapters(tmp_path, some):
    copy, results = tmp_path / "README.md", tmp_path / "results.json"
    copy.write_text(README, "utf-8")
    ran = [outcome(n, 10 + n, 700) for n in range(len(CHAPTERS) - some)]
    write_results(results, ran, REQUEST)
    readme.write(copy, results, CHAPTERS)
    new = copy.read_text("utf-8")
    below = new[: new.index(readme.END)].strip().splitlines()[-1]
    before = README[: README.index(readme.END)].strip().splitlines()[-1]
    today = json.loads(results.read_text("utf-8"))["date"][:10]
    assert (below == before) if some else today in below
    assert new.count(below) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"request": {**REQUEST, "profile": "full"}},
        {"request": {**REQUEST, "parameters": {"seed": 3}}},
        {"request": {**REQUEST, "jobs": 2}},
        {"outcomes": []},
        {"verdict": "failed"},
        {"format": 1},
    ],
)
def test_a_run_of_another_kind_is_refused_and_nothing_is_written(tmp_path, change):
    copy, results = tmp_path / "README.md", tmp_path / "results.json"
    copy.write_text(README, "utf-8")
    one = dataclasses.replace(outcome(0, 17.2, 700), verdict=change.pop("verdict", "passed"))
    write_results(results, [one], REQUEST)
    results.write_text(json.dumps({**json.loads(results.read_text("utf-8")), **change}))
    with pytest.raises(CourseError, match=r"results\.json"):
        readme.write(copy, results, CHAPTERS)
    assert copy.read_text("utf-8") == README


def test_a_table_without_marks_and_a_chapter_without_a_row_are_refused():
    with pytest.raises(CourseError, match="marks"):
        readme.with_table(README.replace(readme.END, ""), [], CHAPTERS)
    lines = [line for line in README.splitlines() if not line.startswith("| 07 |")]
    with pytest.raises(CourseError, match="chapter 07"):
        readme.with_table("\n".join(lines), [], CHAPTERS)
