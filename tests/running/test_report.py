"""The report: complete in itself, readable, and not to be broken out of."""

import html
import json
import re
import shutil

import nbformat
import pytest
from hostile import ATTACKS, BREAKOUT, Reader
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_utils import claims
from course_utils.errors import CourseError
from course_utils.running import report
from course_utils.running.outcome import KINDS, Outcome

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def figure(alt="Loss falls.", **extra) -> dict:
    return {"data": [{"type": "scatter", "y": [3, 1, 2], **extra}], "layout": {"meta": {"alt": alt}, "height": 300}}


def shows(data, **extra):
    return new_output("display_data", data=data, **extra)


@pytest.fixture
def page(tmp_path):
    """Write a report of one chapter made from ``cells`` and return its text."""

    def make(*cells, outcomes=(), **facts) -> str:
        path = tmp_path / "07_mnist_cnn.ipynb"
        nbformat.write(new_notebook(cells=list(cells)), path)
        facts = {"chapter": "07_mnist_cnn", "title": "MNIST CNN", "verdict": "passed", "seconds": 12.3} | facts
        written = report.write([Outcome(notebook=path, **facts), *outcomes], tmp_path / "build" / "report.html")
        return written.read_text("utf-8")

    return make


def harmless(text: str) -> Reader:
    """Assert what every page must be, whatever stands in its notebooks."""
    reader = Reader(text)
    assert not reader.faults and not reader.stack, "every element is closed where it was opened"
    assert reader.loaded() == [], "nothing is loaded"
    assert not {tag for tag, _ in reader.tags} & {"iframe", "object", "embed", "form", "base", "link", "svg"}
    for tag, attrs in reader.tags:
        assert not [name for name in attrs if name.startswith("on")], (tag, attrs)
        assert not (attrs.get("href") or "").strip().lower().startswith(("javascript", "data", "vbscript"))
    assert len(reader.ids) == len(set(reader.ids))
    assert set(reader.links) <= set(reader.ids), "links inside the page lead somewhere"
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style and "@import" not in style
    return reader


# --------------------------------------------------------------------------------------------------- a good page


def test_a_chapter_is_shown_with_all_kinds_of_content(page):
    text = page(
        new_markdown_cell(
            "# 07 · MNIST CNN\nMass is $m_k$, $$\\frac{a}{b}$$\n\n## 1 · Data\n| a | b |\n|---|---|\n| 1 | 2 |"
        ),
        new_markdown_cell("<details><summary>Answer</summary>\n\nIt is **42**.\n\n</details>"),
        new_code_cell(
            "def twice(x):\n    return 2 * x",
            outputs=[
                new_output("stream", name="stdout", text="one "),
                new_output("stream", name="stdout", text="two\n"),
                shows({"application/vnd.plotly.v1+json": figure(), "text/plain": "Figure()"}),
                shows({"text/html": "<table class='dataframe'><tr><td>7</td></tr></table>", "text/plain": "7"}),
                shows({"image/png": PNG, "text/plain": "<Figure>"}),
                shows(
                    {"application/vnd.jupyter.widget-view+json": {"model_id": "x"}, "text/plain": "IntSlider(value=0)"}
                ),
                shows({"text/latex": "$\\alpha$"}),
            ],
        ),
        headline=["accuracy 0.95"],
        claims=[{"id": "c44", "verdict": "holds", "evidence": "93,322", "chapter": "07"}],
        peak_mib=1234,
    )
    reader = harmless(text)
    assert text.index('id="summary"') < text.index('id="contents"') < text.index("<article")
    for piece in (
        "✓ passed",
        "12.3",
        "1,234",
        "accuracy 0.95",
        "93,322",
        "<mfrac><mrow><mi>a</mi></mrow><mrow><mi>b</mi></mrow></mfrac>",
        "<msub><mi>m</mi><mi>k</mi></msub>",
        "<td>1</td>",
        "<details><summary>Answer</summary>",
        "<strong>42</strong>",
        '<span class="k">def</span>',
        "one two",
        "<td>7</td>",
        f"data:image/png;base64,{PNG}",
        "needs a kernel",
        "<mi>α</mi>",
        'aria-label="Loss falls."',
    ):
        assert piece in text, piece
    assert claims.rows()["c44"]["says"] in html.unescape(text), "what the article claims stands beside the verdict"
    assert "IntSlider" not in text and "Figure()" not in text, "one form of each output is enough"
    assert ("a", {"href": "#chapter-07_mnist_cnn-2"}) in reader.tags, "the section is in the table of contents"


def test_plotly_is_embedded_once_however_many_figures_and_not_without(page):
    from plotly.offline import get_plotlyjs

    cell = new_code_cell("1", outputs=[shows({"application/vnd.plotly.v1+json": figure()}) for _ in range(3)])
    text = page(cell)
    assert text.count(get_plotlyjs()[:2000]) == 1
    reader = harmless(text)
    kinds = [attrs.get("type", "") for attrs, _ in reader.scripts]
    assert kinds == ["application/json"] * 3 + ["", ""]
    for _, content in reader.scripts[:3]:
        assert json.loads(content) == figure()
    plain = page(new_code_cell("1"))
    assert len(plain) < 100_000 and not Reader(plain).scripts
    assert "script-src 'none'" in Reader(plain).tags[3][1]["content"]


def test_the_policy_lets_exactly_the_pages_own_scripts_run(page):
    import base64
    import hashlib

    text = page(new_code_cell("1", outputs=[shows({"application/vnd.plotly.v1+json": figure()})]))
    policy = next(attrs["content"] for tag, attrs in Reader(text).tags if "http-equiv" in attrs)
    run = [content for attrs, content in Reader(text).scripts if not attrs.get("type")]
    hashes = {"sha256-" + base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in run}
    assert set(re.findall(r"'(sha256-[^']+)'", policy)) == hashes
    assert "default-src 'none'" in policy and "http" not in policy


def test_a_failure_is_shown_with_its_cell(page):
    error = {
        "cell_index": 1,
        "cell_id": "bad1",
        "first_line": "1 / 0",
        "ename": "ZeroDivisionError",
        "evalue": "by <0>",
    }
    trace = ["\x1b[31mZeroDivisionError\x1b[0m", "Traceback", "by <0>"]
    text = page(
        new_code_cell("a = 1"),
        new_code_cell(
            "1 / 0", id="bad1", outputs=[new_output("error", ename="ZeroDivisionError", evalue="", traceback=trace)]
        ),
        new_code_cell("print('never')"),
        verdict="failed",
        error=error,
    )
    reader = harmless(text)
    assert "chapter-07_mnist_cnn-cell-2" in reader.ids and "chapter-07_mnist_cnn-cell-2" in reader.links
    assert "✗ failed" in text and "by &lt;0&gt;" in text and "\x1b" not in text
    assert text.index("<p>ZeroDivisionError</p>") < text.index("what follows was not run") < text.index("never")
    assert text.count('class="cell failed"') == 1


def test_what_was_not_run_says_why_and_links_between_chapters_stay_on_the_page(page):
    missing = Outcome("09_bert", "BERT", "not run", reason="needs weights: no <network>")
    cell = new_markdown_cell(
        "[itself](07_mnist_cnn.ipynb) [absent](09_bert.ipynb) [place](#nowhere) [out](https://x.org/a)"
    )
    text = page(cell, outcomes=[missing])
    reader = harmless(text)
    assert "needs weights: no &lt;network&gt;" in text and "1 passed, 1 not run" in text
    assert '<a href="#chapter-07_mnist_cnn">itself</a>' in text and "<a>absent</a>" in text and "<a>place</a>" in text
    assert ("a", {"href": "https://x.org/a"}) in reader.tags


def test_endless_output_is_cut_and_says_so(page):
    text = page(new_code_cell("1", outputs=[new_output("stream", name="stdout", text="x" * 300_000)]))
    assert len(text) < 100_000 and "280,000 more characters" in text


def test_attached_pictures_are_shown(page):
    cell = new_markdown_cell("![a dot](attachment:dot.png)")
    cell["attachments"] = {"dot.png": {"image/png": PNG}}
    assert f'<img src="data:image/png;base64,{PNG}" alt="a dot">' in page(cell)


def test_an_unreadable_notebook_is_named_and_the_old_report_stays(tmp_path):
    path = tmp_path / "07_a.ipynb"
    path.write_text("{")
    old = tmp_path / "report.html"
    old.write_text("old")
    with pytest.raises(CourseError, match=r"07_a\.ipynb"):
        report.write([Outcome("07_a", "A", "passed", notebook=path)], old)
    assert old.read_text() == "old"


def test_a_claim_that_this_run_did_not_measure_says_when_it_was_recorded(page):
    kept = {"id": "c45", "verdict": "wrong", "evidence": "0.9981", "recorded": "2026-01-02"}
    text = page(new_code_cell("1"), claims=[kept])
    row = text[text.index("<td>c45</td>") :].partition("</tr>")[0]
    assert claims.rows()["c45"]["says"] in html.unescape(row)
    assert "0.9981" in row and '<span class="recorded">' in row and "2026-01-02" in row


def test_why_a_chapter_failed_stands_beside_its_verdict(page):
    failed = Outcome("09_bert", "BERT", "failed", kind="kernel died", cpu_seconds=4_321.0)
    summary = page(new_code_cell("1"), outcomes=[failed]).partition('id="contents"')[0]
    assert KINDS["kernel died"] in summary and "4,321.0" in summary


# ------------------------------------------------------------------------------------------- not to be broken out of


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_of_a_notebook_leaves_its_place(page, attack):
    error = {"cell_index": 0, "cell_id": attack, "first_line": attack, "ename": attack, "evalue": attack}
    text = page(
        new_markdown_cell(f"# {attack}\n\n{attack}"),
        new_markdown_cell(attack),
        new_code_cell(
            attack,
            outputs=[
                new_output("stream", name="stdout", text=attack),
                new_output("error", ename=attack, evalue=attack, traceback=[attack]),
                shows({"text/html": attack}),
                shows({"text/markdown": attack}),
                shows({"text/latex": attack}),
                shows({"text/plain": attack}),
                shows({"image/svg+xml": attack}),
                shows({"image/png": attack, "text/plain": attack}),
                shows({"application/vnd.plotly.v1+json": figure(attack, name=attack)}),
                shows({"application/vnd.course+json": {"kind": "claim"}, "text/plain": attack}),
            ],
        ),
        title=attack,
        reason=attack,
        verdict="failed",
        error=error,
        headline=[attack],
        claims=[{"id": attack, "verdict": attack, "evidence": attack}],
    )
    reader = harmless(text)
    assert len(reader.scripts) == 3, "one figure's data, plotly, and the lines that draw"
    assert json.loads(reader.scripts[0][1])["data"][0]["name"] == attack
    assert not [attrs for _, attrs in reader.tags if re.search("position|url", attrs.get("style") or "")]


# ---------------------------------------------------------------------------------------------------- in a browser


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs a chromium on the path")
def test_the_figures_are_drawn_without_a_network(page, tmp_path):
    sync_api = pytest.importorskip("playwright.sync_api")
    gl = {"application/vnd.plotly.v1+json": figure("A cloud.", type="scattergl", mode="markers")}
    page(new_code_cell("1", outputs=[shows({"application/vnd.plotly.v1+json": figure(BREAKOUT)}), shows(gl)]))
    asked, said = [], []
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_context(offline=True).new_page()
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        tab.on("dialog", lambda dialog: said.append(dialog.message))
        tab.goto((tmp_path / "build" / "report.html").as_uri())
        tab.wait_for_function("document.querySelectorAll('.plot .main-svg').length > 1", timeout=20_000)
        assert tab.locator(".plot").first.get_attribute("aria-label") == BREAKOUT
        browser.close()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert said == []


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs a chromium on the path")
def test_in_a_browser_nothing_hostile_acts(page, tmp_path):
    """Every attack on one page, as words and as output: no script runs and nothing is asked for."""
    sync_api = pytest.importorskip("playwright.sync_api")
    cells = [new_markdown_cell(attack) for attack in ATTACKS]
    cells += [
        new_code_cell("1", outputs=[shows({kind: attack}) for kind in ("text/html", "text/markdown", "image/svg+xml")])
        for attack in ATTACKS
    ]
    page(*cells)
    asked, said = [], []
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_context(offline=True).new_page()
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: said.append(message.text))
        tab.on("dialog", lambda dialog: said.append(dialog.message))
        address = (tmp_path / "build" / "report.html").as_uri()
        tab.goto(address)
        assert tab.locator("article > section").count() == 2 * len(ATTACKS)
        assert tab.locator("script, iframe, object, embed, form, input, base, link, video").count() == 0
        assert tab.locator("body > *").count() == 1
        assert tab.evaluate("getComputedStyle(document.body).display") == "block"
        assert tab.url == address
        browser.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert said == []


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs a chromium on the path")
def test_the_page_fits_a_phone(page, tmp_path):
    sync_api = pytest.importorskip("playwright.sync_api")
    wide = "| " + " | ".join(f"column{k}" for k in range(12)) + " |\n" + "|---" * 12 + "|\n" + "| value " * 12 + "|"
    long = "$(A W_1 + b_1) W_2 + b_2 = A (W_1 W_2) + (b_1 W_2 + b_2) + (c_1 W_3 + c_2)$"
    page(
        new_markdown_cell(f"# 07\n\nThen {long}.\n\n* {long}\n\n{wide}\n\n$${long.strip('$')}$$"),
        new_code_cell("x" * 200, outputs=[new_output("stream", name="stdout", text="y" * 200)]),
        headline=["accuracy 0.95"],
        claims=[{"id": "c44", "verdict": "holds", "evidence": "z" * 80}],
    )
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": 390, "height": 800})
        tab.goto((tmp_path / "build" / "report.html").as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        browser.close()
