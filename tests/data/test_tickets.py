"""The support tickets: what the data card says of them holds, and nothing in them was made by filling slots."""

import collections
import itertools
import re

import pytest

from course_utils import data, paths
from course_utils.data import tickets, verify
from course_utils.errors import CourseError

SIZES = {"tickets": (500, 100, 400), "tickets_zh": (165, 45, 120)}
CHANNELS = {"email", "chat", "form", "phone", "review"}


def every_row(name: str) -> list[dict]:
    return [row for frame in tickets.rows(name).values() for row in frame.to_dict("records")]


def grams(text: str, language: str) -> set[tuple[str, ...]]:
    """Five words in a row; in Chinese, eight characters."""
    units, n = (re.findall(r"\w", text), 8) if language == "zh" else (re.findall(r"\w+", text.lower()), 5)
    return {tuple(units[i : i + n]) for i in range(len(units) - n + 1)}


def shingles(text: str) -> set[str]:
    plain = re.sub(r"\s+", " ", text.lower())
    return {plain[i : i + 5] for i in range(max(1, len(plain) - 4))}


def repeated(texts: list[str], language: str) -> float:
    """The share of different 5-grams that stand in more than one text."""
    count = collections.Counter(itertools.chain.from_iterable(grams(text, language) for text in texts))
    return sum(n > 1 for n in count.values()) / len(count)


def nearest(texts: list[str]) -> float:
    """The largest Jaccard similarity of two texts' character shingles."""
    sets = [shingles(text) for text in texts]
    holders = collections.defaultdict(list)
    for k, found in enumerate(sets):
        for shingle in found:
            holders[shingle].append(k)
    common = collections.Counter()
    for ks in holders.values():
        common.update(itertools.combinations(ks, 2))
    return max(n / (len(sets[a]) + len(sets[b]) - n) for (a, b), n in common.items())


@pytest.mark.parametrize("name", SIZES)
def test_sizes_columns_and_values(name):
    frames = tickets.rows(name)
    assert tuple(len(frame) for frame in frames.values()) == SIZES[name]
    rows = every_row(name)
    names = data.entry(name).class_names
    language = tickets.FILES[name]
    assert sorted(row["id"] for row in rows) == [f"{language}-{k:04d}" for k in range(1, len(rows) + 1)]
    for row in rows:
        assert tuple(row) == tickets.COLUMNS
        assert row["text"] == row["text"].strip() and row["text"]
        assert row["label"] in names and row["also"] in (set(names) | {""}) - {row["label"]}
        assert row["language"] == language and row["channel"] in CHANNELS
        assert re.fullmatch(r"2026-(0[1-9]|10)-[0-3]\d", row["created"])


@pytest.mark.parametrize("name", SIZES)
def test_the_parts_have_the_same_mixture_of_classes(name):
    shares = data.load(name).summary()[list(data.entry(name).class_names)]
    assert (shares.max() - shares.min()).max() < 0.03
    assert shares.min().min() > 0.03 and shares.max().max() < 0.26, "unbalanced, as queues are"


@pytest.mark.parametrize(("name", "share"), [("tickets", 0.005), ("tickets_zh", 0.005)])
def test_no_templates(name, share):
    assert repeated([row["text"] for row in every_row(name)], tickets.FILES[name]) < share


@pytest.mark.parametrize("name", SIZES)
def test_no_two_are_near_duplicates(name):
    assert nearest([row["text"] for row in every_row(name)]) < 0.3


def test_the_two_measures_find_templates_and_near_duplicates():
    things = ["invoice", "receipt", "report", "quote"]
    filled = [f"Hello, I cannot open my {thing} since the update of last Monday, please help me." for thing in things]
    assert repeated(filled, "en") > 0.2 and nearest(filled) > 0.6, (repeated(filled, "en"), nearest(filled))


def test_no_addresses_or_telephone_numbers_of_the_real_world():
    for row in itertools.chain(every_row("tickets"), every_row("tickets_zh")):
        for host in re.findall(r"[\w.+-]+@([\w-]+\.[\w.-]*\w)", row["text"]):
            assert re.search(r"(^|\.)example(\.(com|org|net))?$|\.(example|invalid|test)$", host), (row["id"], host)
        for host in re.findall(r"https?://([^\s/>)]+)", row["text"]):
            assert re.search(r"example|invalid|tidebook", host), (row["id"], host)


def test_changed_files_are_refused_and_named_by_verify(tmp_path, monkeypatch):
    folder = tmp_path / "tickets"
    folder.mkdir()
    for part in tickets.PARTS:
        source = paths.packaged(f"tickets/en_{part}.csv").read_bytes()
        (folder / f"en_{part}.csv").write_bytes(source.replace(b"Tidebook", b"Tidebock", 1))
    packaged = paths.packaged
    monkeypatch.setattr(
        paths, "packaged", lambda name: tmp_path / name if name.startswith("tickets/en") else packaged(name)
    )
    with pytest.raises(CourseError, match="The files of tickets in data/tickets are not the published ones"):
        data.load("tickets")
    (row,) = verify.verify(["tickets"])
    assert row.verdict == "damaged" and "git checkout data/tickets" in row.detail
    (folder / "en_test.csv").unlink()
    with pytest.raises(CourseError, match=r"en_test.csv cannot be read .* Install the course again"):
        data.load("tickets")


def test_windows_line_ends_of_a_checkout_change_nothing(tmp_path, monkeypatch):
    folder = tmp_path / "tickets"
    folder.mkdir()
    for part in tickets.PARTS:
        source = paths.packaged(f"tickets/en_{part}.csv").read_bytes()
        (folder / f"en_{part}.csv").write_bytes(source.replace(b"\n", b"\r\n"))
    whole = tickets.rows("tickets")
    packaged = paths.packaged
    monkeypatch.setattr(
        paths, "packaged", lambda name: tmp_path / name if name.startswith("tickets/en") else packaged(name)
    )
    again = tickets.rows("tickets")
    assert all(again[part]["text"].tolist() == whole[part]["text"].tolist() for part in tickets.PARTS)


@pytest.mark.parametrize(("name", "ambiguous"), [("tickets", 191), ("tickets_zh", 93)])
def test_the_card_counts_the_ambiguous_rows(name, ambiguous):
    assert sum(row["also"] != "" for row in every_row(name)) == ambiguous
    assert f"{ambiguous} messages" in data.entry(name).card.read_text("utf-8")
