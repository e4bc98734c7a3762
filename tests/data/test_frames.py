"""Sets of tables: what the readers make of the packages' files, and what they say of files that are others."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

from course_utils import data
from course_utils.data import frames, registry
from course_utils.errors import CourseError

INTER = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n196\t242\t3\t881250949\n22\t377\t1\t878887116\n"
ITEM = (
    "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    '1\tToy "Story\t1995\tAnimation Comedy\n267\tunknown\t\tunknown\n'
)
USER = "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n1\t24\tM\ttechnician\t85711\n"


def written(folder: Path, **contents: str) -> dict[str, Path]:
    """Files with these contents; a dash or dot of a file's name is written as one or two underscores."""
    files = {name.replace("__", ".").replace("_", "-"): content for name, content in contents.items()}
    for name, content in files.items():
        (folder / name).write_text(content, "utf-8")
    return {name: folder / name for name in files}


def test_ratings_have_times_and_films_without_a_year_have_none(tmp_path):
    found = frames.READERS["movielens"](written(tmp_path, ml_100k__inter=INTER, ml_100k__item=ITEM, ml_100k__user=USER))
    assert found["ratings"].dtypes.astype(str).tolist()[:3] == ["int64"] * 3
    assert found["ratings"]["time"].iloc[0] == pd.Timestamp("1997-12-04 15:55:49")
    assert found["movies"]["title"].iloc[0] == 'Toy "Story' and found["movies"]["year"].isna().tolist() == [False, True]
    assert found["users"].columns.tolist() == ["user", "age", "gender", "occupation"]


def test_a_pronunciation_loses_its_comment_and_keeps_its_number(tmp_path):
    lines = "aalborg AO1 L B AO0 R G # place, danish\nread R EH1 D\nread(2) R IY1 D\n"
    words = frames.READERS["cmudict"](written(tmp_path, cmudict__dict=lines))["words"]
    expected = [("aalborg", "AO1 L B AO0 R G", 1), ("read", "R EH1 D", 1), ("read", "R IY1 D", 2)]
    assert list(words.itertuples(index=False, name=None)) == expected


def test_days_have_dates(tmp_path):
    path = tmp_path / "sp500.csv.gz"
    path.write_bytes(gzip.compress(b"Date,Open,High,Low,Close,Adj Close,Volume\r\n1/4/1999,1,3,0.5,2,2,9\r\n"))
    days = frames.READERS["sp500"]({path.name: path})["days"]
    assert days["date"].iloc[0] == pd.Timestamp(1999, 1, 4) and days.iloc[0, 1:].tolist() == [1, 3, 0.5, 2, 9]


def test_what_is_no_such_table_is_said_in_one_sentence(tmp_path, monkeypatch):
    path = tmp_path / "sp500.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    monkeypatch.setattr(frames.fetch, "fetch", lambda name, progress: {path.name: path})
    with pytest.raises(CourseError, match=r"sp500 cannot be read as its tables .*course data fetch sp500"):
        frames.load("sp500")
    path.write_bytes(b"no gzip")
    with pytest.raises(CourseError, match="sp500 cannot be read as its tables"):
        frames.load("sp500")


def test_every_set_of_tables_has_a_reader_and_every_reader_a_set():
    of_kind = {name for name in registry.names() if registry.entry(name).kind == "tables"}
    assert of_kind == set(frames.READERS)


def test_a_set_of_tables_has_one_split():
    with pytest.raises(CourseError, match="sp500 has one split"):
        data.load("sp500", split="shuffled")


@pytest.mark.full
def test_the_tables_as_the_cards_describe_them():
    movies = data.load("movielens").frames
    assert [len(frame) for frame in movies.values()] == [100_000, 1_682, 943]
    assert movies["ratings"].groupby("user").size().min() == 20
    words = data.load("cmudict").frames["words"]
    assert words["word"].nunique() == 126_052 and (words["number"] > 1).sum() == 9_114
    sounds = set(words["pronunciation"].str.split().explode().str.rstrip("012"))
    assert len(sounds) == 39
    assert len(data.load("sp500").frames["days"]) == 5_031
    applications = data.load("mortgages").frames["applications"]
    assert len(applications) == 1_989 and 0.87 < applications["approve"].mean() < 0.885
    assert data.load("german_credit").frames["applicants"]["risk"].sum() == 700
