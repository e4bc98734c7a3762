"""The decision report in a real Chromium: nothing acts, nothing is fetched, and it fits a desk and a phone."""

import os

import pytest
from own_messages import messages, write_csv

from course_utils import compare

pytestmark = pytest.mark.browser
NASTY = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\"> \u202e" + "x" * 400


@pytest.mark.parametrize("width", [1100, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_still_and_fits(tmp_path, in_process, chromium, width, scheme):
    from playwright.sync_api import sync_playwright

    rows = messages({"billing": 60, "bug": 60, "account": 60})
    wrong = {"billing": "bug", "bug": "account", "account": "billing"}
    rows = [(f"{text} {NASTY}", wrong[label]) if k % 9 == 0 else (text, label) for k, (text, label) in enumerate(rows)]
    rows = [(text, f"{label}<u>{'y' * 70}") if label == "bug" else (text, label) for text, label in rows]
    path = write_csv(tmp_path / "rows.csv", rows)
    found = compare.run(path, "text", "label", out=tmp_path / "out", candidates=["tfidf"], progress=False)
    said, asked = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("console", lambda message: said.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(found.report.as_uri())
        page.click("summary")
        assert page.inner_text("section.advice details p").startswith("Models are compared in hours a month")
        assert page.title() == "Which model should we ship? rows.csv"
        assert page.inner_text("section.advice h2") == "Recommendation"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert "<script>" in page.inner_text("table.texts >> nth=0")
        if shots := os.environ.get("COURSE_SHOTS"):
            page.screenshot(path=f"{shots}/compare-{width}-{scheme}.png", full_page=True)
        assert page.locator("script, img, iframe, a").count() == 0
        browser.close()
    assert asked == [found.report.as_uri()]
    assert said == []
