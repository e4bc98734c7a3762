"""Running text: the course's own, Tiny Shakespeare, and how Markdown becomes prose."""

import gzip

import pytest

from course_utils import data, paths
from course_utils.authoring import course_text
from course_utils.data import prose
from course_utils.data.verify import verify
from course_utils.errors import CourseError


def test_a_text_is_cut_once():
    text = prose.Prose("x", "0123456789" * 3, "en")
    assert text.train == "0123456789" * 2 + "0123456" and text.train + text.validation == text.text
    assert repr(text) == "Prose('x': 30 characters, 10 different ones)"


def test_the_courses_own_text_comes_with_the_course():
    text = data.load("course_text")
    assert len(text.text) == 434_643 and text.language == "en"
    assert text.train + text.validation == text.text
    tickets = data.load("tickets")
    assert all(ticket in text.text for ticket in tickets.train.texts)
    for part in (tickets.validation, tickets.test):
        assert not any(ticket in text.text for ticket in part.texts), "what judges a router must not have been read"
    assert [row.verdict for row in verify(["course_text"])] == ["good"]


def test_another_text_in_its_place_is_refused(tmp_path, monkeypatch):
    file = tmp_path / "course_text.txt.gz"
    real = paths.packaged
    monkeypatch.setattr(prose.paths, "packaged", lambda name: file if name.startswith("prose/") else real(name))
    for content, message in (
        (gzip.compress(b"something else"), "is not the text that ships with the course"),
        (b"no archive", "cannot be read"),
        (gzip.compress(b"cut short" * 99)[:-9], "cannot be read"),
    ):
        file.write_bytes(content)
        with pytest.raises(CourseError, match=message):
            data.load("course_text")


def test_running_text_has_one_split():
    for name in ("course_text", "tinyshakespeare"):
        with pytest.raises(CourseError, match=f"{name} has one split"):
            data.load(name, split="shuffled")


def test_markdown_becomes_paragraphs_of_one_line():
    markdown = """# A heading
A paragraph over
two lines with `code`, [a link](https://example.org/a_(b)) and $x^2$.

| a | table |
|---|---|

* one
* two,
  which goes on

$$ E = mc^2 $$

<details><summary>What came</summary>

```python
not_prose()
```
1. first
"""
    assert course_text.plain_paragraphs(markdown) == [
        "# A heading",
        "A paragraph over two lines with `code`, a link and $x^2$.",
        "* one",
        "* two, which goes on",
        "What came",
        "1. first",
    ]


def test_the_sections_of_the_chapters_hold_no_tables_and_no_html():
    sections = course_text.sections()
    assert len(sections) > 300 and all(section.startswith("#") for section in sections)
    assert not any("<details>" in section or "\n|" in section or "$$" in section for section in sections)


@pytest.mark.full
def test_tiny_shakespeare_has_nanogpts_sizes():
    """As nanoGPT's prepare.py prints them."""
    text = data.load("tinyshakespeare")
    assert (len(text.text), len(set(text.text))) == (1_115_394, 65)
    assert (len(text.train), len(text.validation)) == (1_003_854, 111_540)
