"""Text sets: what the loaders make of the published tables."""

import numpy as np
import pandas as pd
import pytest

from course_utils import data
from course_utils.data import text
from course_utils.errors import CourseError


def frame(*rows):
    return pd.DataFrame(rows, columns=["text", "label"])


def test_labels_count_the_class_names():
    made = text.text_data(
        "tiny",
        {"train": frame(("a", "x"), ("b", "y")), "validation": frame(("c", "y")), "test": frame(("d", "x"))},
        ("y", "x"),
        "en",
    )
    assert made.train.labels.tolist() == [1, 0] and made.train.labels.dtype == np.int64
    assert made.train.texts == ["a", "b"] and not made.train.labels.flags.writeable
    assert repr(made) == "TextData('tiny': train 2, validation 1, test 1; 2 classes)"
    assert made.summary().loc["train", "x"] == 0.5


def test_an_unknown_label_is_refused():
    parts = {part: frame(("a", "x")) for part in ("train", "validation")} | {"test": frame(("b", "z"))}
    with pytest.raises(CourseError, match="tiny has the label 'z' in test; known are x, y"):
        text.text_data("tiny", parts, ("x", "y"), "en")


def test_a_published_table_has_no_quotes_in_tsv_and_has_them_in_csv(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text('sentence\tlabel\n"unclosed\t0\nNA\t1\n', "utf-8")
    assert text._table(path, "\t")["sentence"].tolist() == ['"unclosed', "NA"]
    path = tmp_path / "t.csv"
    path.write_text('"3","a ""quote""","b, c"\n', "utf-8")
    assert text._table(path, ",", ["label", "title", "description"]).iloc[0].tolist() == ["3", 'a "quote"', "b, c"]


def test_a_text_set_has_one_split():
    with pytest.raises(CourseError, match="sst2 has one split"):
        data.load("sst2", split="shuffled")


@pytest.mark.full
def test_the_published_text_sets():
    sst2 = data.load("sst2")
    assert [len(part) for part in (sst2.train, sst2.validation, sst2.test)] == [65_349, 2_000, 872]
    assert sst2.test.texts[0] == "it 's a charming and often affecting journey ." and sst2.test.labels[0] == 1
    chinese = data.load("chnsenticorp")
    seen = set(chinese.train.texts)
    assert sum(t in seen for t in chinese.test.texts) == 331, "the leak that chapter 08 finds"
    news = data.load("ag_news")
    assert len(news.train) + len(news.validation) + len(news.test) == 7_600
    assert set(news.train.texts).isdisjoint(news.test.texts)
