"""The page of a service: whole without a network, allowed to ask its own server and nobody else."""

import re

import pytest
from hostile import ATTACKS
from wire import ask, get

from course_utils import pages
from course_utils.serving import page


def test_the_page_asks_its_own_server_alone(service):
    status, header, body = ask(service.url, get("/"))
    text = body.decode()
    assert status == 200 and header["content-type"].startswith("text/html")
    assert header["x-frame-options"] == "DENY"
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", text) and "https://" not in text
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1].replace("&#39;", "'")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["connect-src"] == "'self'" and rules["default-src"] == "'none'"
    assert "unsafe" not in rules["script-src"]
    assert 'id="text"' in text and 'id="paper"' not in text


def test_a_page_that_does_not_ask_may_not():
    assert "connect-src" not in pages.policy(["f()"]) and "connect-src" not in pages.policy([])


def test_images_are_drawn():
    text = page.render("digits", "0", "images", list("0123456789"), keyed=True)
    assert 'id="paper"' in text and 'id="key"' in text and 'id="text"' not in text


@pytest.mark.parametrize("attack", ATTACKS)
def test_names_of_a_model_are_escaped(attack):
    text = page.render(attack, "0", "texts", [attack], keyed=False)
    body = text.partition("<main>")[2]
    assert body.count("<script>") == 1
    assert "<img" not in body and "<svg" not in body and "<iframe" not in body
