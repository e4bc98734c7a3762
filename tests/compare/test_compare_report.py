"""The page: nothing of the data can act in it, and it reaches for nothing outside."""

import csv
import html
import io
import itertools
import re

import pytest
from own_messages import messages, write_csv

from course_utils import compare
from course_utils.compare import report, report_figures
from course_utils.compare.candidates import BY_NAME
from course_utils.compare.findings import Suspect
from course_utils.evaluate import Estimate

NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "=cmd()|'/C calc'!A0",
    "\u202egnp.exe مرحبا",
    "😀 https://example.com/track.png",
    "&lt;b&gt; &amp;",
]


@pytest.fixture
def page(tmp_path, in_process):
    rows = messages({"billing": 60, "bug": 60, "account": 60})
    wrong = {"billing": "bug", "bug": "<b>account</b>", "account": "billing"}
    rows = [(text, label if label != "account" else "<b>account</b>") for text, label in rows]
    rows = [
        (f"{text} {NASTY[k // 9 % 6]}", wrong[label.strip("<>b/") if "<" in label else label])
        if k % 9 == 0
        else (text, label)
        for k, (text, label) in enumerate(rows)
    ]
    path = write_csv(tmp_path / "tick <i>ets.csv", rows)
    found = compare.run(path, "text", "label", out=tmp_path / "out", candidates=["tfidf"], progress=False)
    assert found.suspects
    return found.report.read_text("utf-8")


def test_the_page_runs_nothing_and_loads_nothing(page):
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert {"default-src 'none'", "script-src 'none'"} <= set(html.unescape(policy).split("; "))
    assert "<script" not in page
    assert not re.search(r"<(img|link|iframe|object|a)\b", page)
    assert not re.search(r"(src|href|action)\s*=", re.sub(r"<bdi>.*?</bdi>", "", page, flags=re.DOTALL))
    assert "url(" not in page
    assert "@import" not in page


def test_words_of_the_data_are_shown_and_harmless(page):
    assert "<b>account" not in page
    assert "&lt;b&gt;account&lt;/b&gt;" in page
    assert "<i>ets" not in page
    assert "\u202e" not in page
    assert page.count("<bdi>") == page.count("</bdi>") > 10


def test_every_element_is_closed(page):
    from html.parser import HTMLParser

    class Reader(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open = []

        def handle_starttag(self, tag, attrs):
            if tag not in ("meta", "br"):
                self.open.append(tag)

        def handle_startendtag(self, tag, attrs):
            pass

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    reader = Reader()
    reader.feed(page)
    assert reader.open == []


def test_the_recommendation_comes_first_and_in_words(page):
    body = page.partition("<main>")[2]
    assert body.index("Recommendation") < body.index("The candidates") < body.index("<h2>The data</h2>")
    assert re.search(r"<strong>Ship “[^”]+”</strong>", body)


def test_the_list_opens_in_a_spreadsheet(tmp_path):
    path = tmp_path / "list.csv"
    report.write_suspects([Suspect("line 3", '=HYPERLINK("x")\nmore, "quoted" 😀', "=bad()", "good", 0.9)], path)
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert rows == [
        ["where", "label", "reads like", "confidence", "text"],
        ["line 3", "'=bad()", "good", "0.90", '\'=HYPERLINK("x")\nmore, "quoted" 😀'],
    ]


def made(results: dict[str, dict]):
    """What the figures ask of a comparison whose candidates have these results."""
    from types import SimpleNamespace

    f1 = Estimate(0.8, 0.7, 0.9, 100)
    outcomes = [
        SimpleNamespace(candidate=BY_NAME[name], state="done", result=result, macro_f1=f1)
        for name, result in results.items()
    ]
    return SimpleNamespace(outcomes=outcomes, recommendation=SimpleNamespace(ship="frozen"))


def test_quality_stands_against_memory_and_no_dot_hides_another():
    one = {"bytes_needed": 10**6, "p50_ms": 5.0}
    memory = {"majority": 40.0, "tfidf": 160.0, "small": 850.0, "frozen": 1_000.0, "finetuned": 1_002.0}
    found = report_figures.quality_and_cost(made({name: {**one, "answer_memory_mib": m} for name, m in memory.items()}))
    places = [float(dot["x"]) for dot in found["dots"]]
    assert len(places) == 4 and places[0] < places[1] < places[2] and "MiB" in found["axis"]
    assert min(abs(a - b) for a, b in itertools.combinations(places, 2)) >= 16
    assert [dot["chosen"] for dot in found["dots"]] == [False, False, True, False]
    dot = found["dots"][0]
    assert float(dot["low"]) > float(dot["value"]) > float(dot["high"])  # an SVG counts from above
    assert [words for _, words in found["x"]] == ["128", "256", "512", "1,024"]


def test_where_memory_is_not_told_quality_stands_against_time():
    one = {"bytes_needed": 10**6, "answer_memory_mib": None}
    found = report_figures.quality_and_cost(made({name: {**one, "p50_ms": 0.8} for name in ("tfidf", "frozen")}))
    assert found["axis"] == "milliseconds an answer" and found["x"]
    assert report_figures.quality_and_cost(made({"tfidf": {**one, "p50_ms": 1.0}})) is None
