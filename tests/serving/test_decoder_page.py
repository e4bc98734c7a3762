"""The page of a decoder in a browser: text that grows, a button that stops it, and refusals as they are said."""

import re

import pytest
from hostile import ATTACKS
from test_decoder_service import metric, until

from course_utils.serving import page


@pytest.fixture
def opened(chromium):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        sheet = browser.new_page()
        sheet.faults = []
        sheet.on("pageerror", lambda error: sheet.faults.append(str(error)))
        sheet.on("console", lambda line: sheet.faults.append(line.text) if "Content Security" in line.text else None)
        yield sheet
        browser.close()
        assert sheet.faults == []


def test_a_text_grows_and_is_stopped(writer, opened):
    from playwright.sync_api import expect

    child = writer(seconds=0.05, context=400, limits={"slots": 1})
    opened.goto(child.url)
    opened.fill("#text", "hello")
    opened.click("button[type=submit]")
    expect(opened.locator("#answer")).to_have_text(re.compile("abcd"))
    assert opened.text_content("#answer").startswith("abcd") and opened.text_content("#said") == "Writing …"
    opened.click("#stop")
    expect(opened.locator("#said")).to_have_text("Stopped.")
    until(lambda: metric(child.url, 'course_finishes_total{how="gone"}') == 1)
    assert opened.is_disabled("#stop") and len(opened.text_content("#answer")) < 300


def test_a_whole_text_a_refusal_and_the_key(writer, opened):
    from playwright.sync_api import expect

    key = "a-key-of-more-than-16-letters"
    opened.goto(writer(ends=True, key=key).url)

    def said(message: str) -> str:
        opened.fill("#text", message)
        opened.click("button[type=submit]")
        expect(opened.locator("#said")).to_have_text(re.compile(r"\.$"))
        return opened.text_content("#said")

    assert "API key" in said("hello")
    opened.fill("#key", key)
    assert said("hello").startswith("27 tokens in ") and opened.text_content("#answer") == "abcdefghijklmnopqrstuvwxyz"
    assert "empty" in said(" ") and opened.text_content("#answer") == ""
    assert "tokens" in said("a" * 300) and "refused" in opened.get_attribute("#said", "class")


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_models_name_is_escaped(attack):
    text = page.render_decoder(attack, "0", keyed=True)
    body = text.partition("<main>")[2]
    assert body.count("<script>") == 1 and 'id="key"' in text
    assert "<img" not in body and "<svg" not in body and "<iframe" not in body
