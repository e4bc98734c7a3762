"""Two people's labels: a file that says nothing of the kinds, read back as a pair, and each way in which it is not."""

import csv

import numpy as np
import pytest

from course_utils import console
from course_utils.assistant import raters, recorded
from course_utils.errors import CourseError

SAID = ['Rain, and "wind"\nin two lines.', "=1+1 is two", "−3 degrees", "Sun."]
SOURCE = ["It rains.", "+ and −", "Cold:\r\nvery.", "@noon"]


def fill(file, answers, to=None, **changed):
    """Fill in a file as a person does: sentence → answer."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        row["supported"] = answers[console.from_spreadsheet_cell(row["sentence"])]
    file = to or file
    with file.open("w", encoding=changed.get("encoding", "utf-8"), newline="") as stream:
        table = csv.DictWriter(stream, raters.COLUMNS, delimiter=changed.get("delimiter", ","))
        table.writeheader()
        table.writerows(rows)
    return file


@pytest.fixture
def blank(tmp_path):
    raters.write(tmp_path / "blank.csv", SAID, SOURCE)
    return tmp_path / "blank.csv"


def test_what_two_people_wrote_comes_back_as_pairs(blank, tmp_path):
    one = dict(zip(SAID, ["yes", "no", "YES ", "no"], strict=True))
    other = dict(zip(SAID, ["yes", "yes", "no", "no"], strict=True))
    # a spreadsheet saves with a mark at the begin, and in an order that somebody has sorted by
    files = fill(blank, one, tmp_path / "1.csv", encoding="utf-8-sig"), fill(blank, other, tmp_path / "2.csv")
    lines = files[1].read_text("utf-8")
    assert lines.startswith("number,")
    found = raters.read(*files)
    assert set(found.index) == set(SAID) and list(found.dtypes) == [bool, bool]
    assert found.loc[SAID, "one"].tolist() == [True, False, True, False]
    assert found.loc[SAID, "other"].tolist() == [True, True, False, False]


def test_the_file_does_not_tell_which_sentences_were_planted(tmp_path):
    table = recorded.table()
    raters.write(tmp_path / "a.csv", table["sentence"], table["section"], seed=1)
    raters.write(tmp_path / "b.csv", table["sentence"], table["section"], seed=1)
    content = (tmp_path / "a.csv").read_text("utf-8-sig")
    assert content == (tmp_path / "b.csv").read_text("utf-8-sig")
    rows = list(csv.DictReader(content.splitlines()))
    assert [row["number"] for row in rows] == [str(n) for n in range(1, len(table) + 1)]
    assert {row["supported"] for row in rows} == {""} and "turned" not in content
    # neither number nor order says more of a kind than chance does: in the table every fifth one is invented
    kinds = table.set_index("sentence")["kind"]
    places = np.array([n for n, row in enumerate(rows) if kinds[row["sentence"]] == "invented"])
    assert len(set(places % 5)) > 1 and list(map(str, table["sentence"])) != [row["sentence"] for row in rows]


def test_a_spreadsheet_sees_that_it_is_utf_8(blank):
    content = blank.read_bytes()
    assert content.startswith(b"\xef\xbb\xbfnumber,") and content.count(b"\xef\xbb\xbf") == 1
    assert "−3 degrees" in content.decode("utf-8-sig")


def test_no_cell_is_a_formula(blank):
    with blank.open(encoding="utf-8-sig", newline="") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@"))]
    assert "'=1+1 is two" in cells and "'@noon" in cells


@pytest.mark.parametrize(
    ("answer", "says"), [("", "it is ''"), ("perhaps", "it is 'perhaps'"), ("1", "must be yes or no")]
)
def test_another_answer_is_refused_with_its_row(blank, answer, says):
    file = fill(blank, dict.fromkeys(SAID, "yes") | {SAID[3]: answer})
    with pytest.raises(CourseError, match=says) as caught:
        raters.read(file, file)
    assert ", row " in str(caught.value) and "\n" not in str(caught.value)


def test_files_of_other_sentences_are_refused_in_one_sentence(blank, tmp_path):
    file = fill(blank, dict.fromkeys(SAID, "yes"), tmp_path / "1.csv")
    raters.write(blank, ["Snow. " * 20, *SAID[1:]], SOURCE)
    other = fill(blank, dict.fromkeys(["Snow. " * 19 + "Snow.", *SAID[1:]], "no"), tmp_path / "2.csv")
    for pair in ((file, other), (other, file)):
        with pytest.raises(CourseError, match="not of the same sentences") as caught:
            raters.read(*pair)
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 150
    raters.write(blank, SAID[:3], SOURCE[:3])
    fewer = fill(blank, dict.fromkeys(SAID, "yes"), tmp_path / "3.csv")
    with pytest.raises(CourseError, match=r"'Sun\.' is in one of them only"):
        raters.read(fewer, file)


def test_what_is_no_such_file_is_refused(blank, tmp_path):
    answers = dict.fromkeys(SAID, "yes")
    good = fill(blank, answers, tmp_path / "good.csv")
    semicolons = fill(blank, answers, tmp_path / "semicolons.csv", delimiter=";")
    (tmp_path / "twice.csv").write_text(good.read_text("utf-8") + "9,Sun.,x,yes\n", "utf-8")
    (tmp_path / "latin.csv").write_bytes("number,sentence,source,supported\n1,é,x,yes\n".encode("latin-1"))
    (tmp_path / "empty.csv").write_text("", "utf-8")
    says = {
        semicolons: "separated by commas",
        tmp_path / "twice.csv": "must stand there once",
        tmp_path / "latin.csv": "it is no CSV in UTF-8",
        tmp_path / "empty.csv": "needs rows with the columns",
        tmp_path / "none.csv": "No such file",
    }
    for file, words in says.items():
        with pytest.raises(CourseError, match=words):
            raters.read(good, file)


@pytest.mark.parametrize("sentences", [[], ["a", "a"], ["a", ""], ["a"]])
def test_sentences_that_cannot_be_told_apart_are_not_written(tmp_path, sentences):
    with pytest.raises(CourseError, match="no sentence twice"):
        raters.write(tmp_path / "x.csv", sentences, ["s", "t"])
    assert not (tmp_path / "x.csv").exists()
