"""The reference list: its form, and that it says what the chapters' Sources say."""

import dataclasses
import re
from pathlib import Path

import pytest

from course_utils import references
from course_utils.errors import CourseError

ROOT = Path(__file__).parent.parent
CHAPTERS = {path.stem[:2]: path.read_text("utf-8") for path in ROOT.glob("notebooks/source/[0-9]*.py")}
# What a Sources cell lists and no list of works can hold: the two articles, and what a card of the course or of a
# model says. An item is left out when it begins with one of these words, or ends with the last.
POINTERS = r"(?:the (?:first|second) article|[Tt]he (?:two )?articles|the model cards of)\b.*|.*: see its data card"


def markdown(lines: str) -> str:
    """A cell's text without the marks of a comment, on one line."""
    return " ".join(re.sub(r"(?m)^#(?: |$)", "", lines).split())


def items() -> list[tuple[str, str]]:
    """(chapter, item) for every item of every Sources cell: the cell split at " · ", pointers left out."""
    found = []
    for chapter, source in sorted(CHAPTERS.items()):
        for _, cell in re.findall(r"(?m)^# \*\*(Sources[^*]*)\*\*((?:.*)(?:\n#.*)*)", source):
            for item in markdown(cell).split(" · "):
                if not re.fullmatch(POINTERS, item.rstrip(".")):
                    found.append((chapter, item))
    return found


def works(item: str) -> list[str]:
    """An item's works one by one: most have one, some join a second with "and" before its title or "and the reply"."""
    return re.split(r",? and (?:the reply, |(?=[*\"]))", item)


ITEMS = items()


def test_every_chapter_that_is_written_has_its_sources():
    assert {chapter for chapter, _ in ITEMS} >= {f"{number:02d}" for number in range(14)}
    assert len(ITEMS) > 130


def test_pointers_are_known_by_their_words():
    assert re.fullmatch(POINTERS, "the second article, sections 3.1 to 3.3 and 4.1 to 4.3")
    assert re.fullmatch(POINTERS, "ChnSentiCorp: see its data card")
    assert not re.fullmatch(POINTERS, 'G. Brier, "The first article", *Nature* (1950)')


@pytest.mark.parametrize(("chapter", "item"), ITEMS)
def test_an_item_cites_one_work_of_the_list_and_says_the_same_of_it(chapter, item):
    for one in works(item):
        assert len(references.cited(one)) == 1, one
    for key in references.cited(item):
        work = references.load()[key]
        years = {int(year) for year in re.findall(r"\((\d{4})\)", item)}
        preprint = {2000 + int(work.arxiv[:2])} if work.arxiv and "arXiv" in item else set()
        assert not years or years & ({work.year} | preprint), f"{key}: {work.year}"
        numbers = re.findall(r"arXiv[: ](\d{4}\.\d{4,5})", item)
        assert not numbers or work.arxiv in numbers
        if work.kind != "documentation":
            assert work.authors[0].split(". ")[-1] in item, f"{key} by {work.authors[0]}"


def test_every_work_is_cited_or_says_why_it_stands_in_the_list():
    named = {key for source in CHAPTERS.values() for key in references.cited(source)}
    idle = [work.key for work in references.load().values() if work.key not in named and not work.note]
    assert not idle


def test_who_is_named_with_a_year_in_the_prose_is_in_the_list():
    known: set[tuple[str, int | None]] = set()
    for work in references.load().values():
        years = {work.year, 2000 + int(work.arxiv[:2])} if work.arxiv else {work.year}
        known |= {(author.split(". ")[-1], year) for author in work.authors for year in years}
    name = r"([A-Z][\w'-]+)"
    forms = rf"{name} (?:et al\.|and others),? \(?(\d{{4}})\b|{name} and [A-Z][\w'-]+, (\d{{4}})\b"
    for chapter, source in CHAPTERS.items():
        for a, year_a, b, year_b in re.findall(forms, markdown(source)):
            assert (a or b, int(year_a or year_b)) in known, f"chapter {chapter}: {a or b} {year_a or year_b}"


def test_the_list_is_well_formed():
    found = references.load()
    assert list(found) == sorted(found) and len(found) > 130
    for key, work in found.items():
        assert key == work.key
        assert work.year is None or 1900 <= work.year <= 2026
        assert work.year is None or str(work.year) in key
        assert not set('*_`<"') & set(work.title + work.venue + "".join(work.authors)), f"{key}: not plain text"
        assert not work.title.endswith(".") and not re.search(r"\s\s", work.title)
        assert not re.search(r"pypi|anaconda|npmjs|crates\.io|huggingface", work.url)
        assert not work.doi.startswith("10.48550"), f"{key}: an arXiv number belongs under arxiv"
    with pytest.raises(dataclasses.FrozenInstanceError):
        found["brown2020language"].year = 2021


def test_a_cell_is_read_as_markdown_and_as_source():
    cell = '# **Sources.** J. Ba and others, "Layer\n# Normalization", arXiv (2016) · A. Karpathy, *nanoGPT* (2022)'
    assert references.cited(cell) == ["ba2016layer", "karpathy2022nanogpt"]
    assert references.cited(markdown(cell)) == ["ba2016layer", "karpathy2022nanogpt"]
    assert references.cited('*nanoGPT*, then "attention is all you need"') == [
        "karpathy2022nanogpt",
        "vaswani2017attention",
    ]
    for text in ("", "nanoGPT and Layer Normalization", "**nanoGPT**", '"nanoGPT 2"', '"no such title"'):
        assert references.cited(text) == []


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (
            "wilson1927probable",
            'E. B. Wilson, "Probable inference, the law of succession, and statistical inference", '
            "*Journal of the American Statistical Association* 22, 209–212 (1927), https://doi.org/10.2307/2276774",
        ),
        (
            "kaplan2020scaling",
            'J. Kaplan, S. McCandlish, T. Henighan and others, "Scaling laws for neural language models", '
            "arXiv:2001.08361 (2020)",
        ),
        (
            "siddiqi2006credit",
            "N. Siddiqi, *Credit Risk Scorecards: Developing and Implementing Intelligent Credit Scoring*, "
            "Wiley (2006)",
        ),
        (
            "python_venv",
            "Python Software Foundation, *venv: Creation of virtual environments*, Python documentation, "
            "https://docs.python.org/3/library/venv.html",
        ),
    ],
)
def test_a_work_as_one_line(key, line):
    assert references.text_of(references.load()[key]) == line


def test_every_line_is_one_line_and_its_address_can_be_followed():
    for work in references.load().values():
        line = references.text_of(work)
        assert "\n" not in line and work.title in line and "  " not in line
        assert line.count("*") in (0, 2), line
        if work.doi:
            assert re.search(r", https://doi\.org/10\.[!-~]+$", line) and not set("<> ") & set(line.rsplit(", ", 1)[1])


WORK = """
[doe2020thing]
authors = ["J. Doe", "A. van den Oord", "M.-W. Chang", "and others"]
title = "A thing"
venue = "Journal of Things 1, 2–3"
year = 2020
doi = "10.1000/182"
kind = "paper"
short = ["A thing"]
verified = "memory"
"""
TWIN = WORK.replace("doe2020thing", "doe2020other").replace('title = "A thing"', 'title = "Another thing"')


def read(text: str, folder: Path, monkeypatch) -> dict[str, references.Reference]:
    from course_utils import paths

    path = folder / "references.toml"
    path.write_text(text, "utf-8")
    monkeypatch.setattr(paths, "packaged", lambda name: path)
    return references.load.__wrapped__()


def test_a_good_file_is_read(tmp_path, monkeypatch):
    (work,) = read(WORK, tmp_path, monkeypatch).values()
    assert work.authors[-1] == "and others" and (work.arxiv, work.url, work.note) == ("", "", "")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[doe2020thing]", "[Doe-2020]", "Doe-2020: a key has small letters"),
        ("year = 2020\n", "", "doe2020thing: year is missing; expected a year from 1900 to 2026"),
        ("year = 2020", "year = 1899", "year = 1899; expected: a year"),
        ("year = 2020", 'year = "2020"', "year = '2020'"),
        ('title = "A thing"', 'title = " "', "title = ' '"),
        ('kind = "paper"', 'kind = "thesis"', "kind = 'thesis'; expected: one of paper, book"),
        ('verified = "memory"', 'verified = "yes"', "verified = 'yes'; expected: one of search, memory"),
        ('short = ["A thing"]', "short = []", "short = .*a list of one text or more"),
        ('"J. Doe"', '"John Doe"', "'John Doe' is no author; expected initials"),
        ('"M.-W. Chang", ', '"M.-W. Chang", "N. N", ', "authors = .*one to six names, or up to three"),
        ('"and others"', '"B. B", "C. C", "D. D", "E. E"', "authors = .*one to six names"),
        ('"J. Doe", "A. van den Oord", "M.-W. Chang", ', "", "authors = .*one to six names"),
        ("10.1000/182", "https://doi.org/10.1000/182", "doi = 'https.*a DOI"),
        ('doi = "10.1000/182"', 'arxiv = "1706.03762v1"', "arxiv = .*without a version"),
        ('doi = "10.1000/182"', 'url = "http://example.org"', "url = .*begins with https"),
        ("Journal of Things 1, 2–3", "arXiv", "arxiv is missing; expected the number of a work whose venue is arXiv"),
        ("year =", "yaer =", r"the key 'yaer' is not known\. Did you mean year"),
        ("[doe2020thing]", "doe2020thing = 1\n[[", "cannot be read"),
        (WORK, WORK + WORK, "cannot be read"),
        (WORK, 'doe = "thing"', "doe: a table is expected here"),
        (WORK, WORK + TWIN, "the title 'a thing' is that of doe2020other too"),
    ],
)
def test_a_file_that_cannot_be_is_refused_with_one_sentence(tmp_path, monkeypatch, old, new, said):
    assert old in WORK
    with pytest.raises(CourseError, match=said) as caught:
        read(WORK.replace(old, new), tmp_path, monkeypatch)
    assert str(caught.value).endswith("Mend the file, or install the course again.")
    assert "\n" not in str(caught.value) or "cannot be read" in said
