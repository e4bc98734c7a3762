"""The chapters of a checkout and how they are named."""

import subprocess
import sys
import textwrap

import pytest
from sample_chapter import GOOD, replaced, write_chapter

from course_utils.chapters import EDITIONS, LEARNER, SOLUTIONS, Edition, chapters, edition, read_chapter, select
from course_utils.errors import CourseError


def other(number: str, title: str) -> str:
    return replaced("title: A tiny chapter", f"title: {title}", replaced('chapter: "42"', f'chapter: "{number}"'))


@pytest.fixture
def root(tmp_path):
    write_chapter(tmp_path)
    write_chapter(tmp_path, other("07", "MNIST CNN"), "07_mnist_cnn")
    write_chapter(tmp_path, other("08", "A text classifier"), "08_text_classifier")
    return tmp_path


def test_a_chapter_is_what_its_header_says(root):
    text = replaced("needs: {quick: [], full: []}", "needs: {quick: [], full: [mnist]}")
    write_chapter(root, replaced("requires: []", 'requires: ["07"]', text))
    first, second, last = chapters(root)
    assert (first.number, second.number, last.number) == ("07", "08", "42")
    assert last.name == "42_a_tiny_chapter"
    assert last.title == "A tiny chapter"
    assert (last.seconds, last.memory_mib) == (30, 512)
    assert last.requires == ("07",)
    assert last.needs == {"quick": (), "full": ("mnist",)}
    assert last.source == root / "notebooks/source/42_a_tiny_chapter.py"
    assert last.learner == root / "notebooks/42_a_tiny_chapter.ipynb"
    assert last.solutions == root / "notebooks/solutions/42_a_tiny_chapter.ipynb"
    assert len({first, second, last}) == 3


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('chapter: "42"', "chapter: 42", "course.chapter is 42, not text"),
        ('chapter: "42"', 'chapter: "41"', 'course.chapter is "41" but the file name says "42"'),
        ("#     title: A tiny chapter\n", "", "course.title is missing"),
        ("seconds: 30", "seconds: ten", "course.budget.seconds is 'ten', not a whole number"),
        ("seconds: 30", "seconds: true", "course.budget.seconds is True"),
        ("seconds: 30", "seconds: -3", "course.budget.seconds is -3"),
        ("title: A tiny", "titel: A tiny", "course.titel is unknown. Did you mean title"),
        ("requires: []", "requires: [0]", "course.requires is [0], not a list of quoted names"),
        ("requires: []", 'requires: ["42"]', "course.requires"),
        ("requires: []", 'requires: ["41"]', "41"),
        ("full: []", "full: mnist", "course.needs.full is 'mnist'"),
        ("full: []", "full: [mnist, mnist]", "names something twice"),
        (", full: []", "", "course.needs.full is missing"),
        ("full: []", "full: [], fast: []", "unknown key 'fast'"),
        (", memory_mib: 512", "", "course.budget.memory_mib is missing"),
        ("seconds: 30", "seconds: 0.5", "course.budget.seconds is 0.5"),
        ("#   course:\n", "#   curse:\n", "no mapping jupyter.course"),
        ("title: A tiny", "title: [A tiny", ":6: the header cannot be read"),
        ("# ---\n", "", "YAML header is missing"),
        ("# ---\n\n", "\n", "header has no end"),
    ],
)
def test_a_wrong_header_is_named(tmp_path, old, new, message):
    write_chapter(tmp_path, replaced(old, new))
    with pytest.raises(CourseError) as caught:
        chapters(tmp_path)
    assert "42_a_tiny_chapter.py" in str(caught.value)
    assert message in str(caught.value)


def test_a_file_that_is_no_utf8_text(tmp_path):
    write_chapter(tmp_path).write_bytes(GOOD.replace("·", "\xb7").encode("latin-1", "replace"))
    with pytest.raises(CourseError, match="not UTF-8 text"):
        chapters(tmp_path)


def test_a_file_name_without_number(tmp_path):
    with pytest.raises(CourseError, match=r"NN_name\.py"):
        read_chapter(write_chapter(tmp_path, name="tiny"))


def test_two_files_with_one_number(root):
    write_chapter(root, name="42_twin")
    with pytest.raises(CourseError, match="chapter 42 exists already"):
        chapters(root)


def test_files_with_an_underscore_are_left_alone(root):
    write_chapter(root, "print('no chapter')", "_draft")
    assert len(chapters(root)) == 3


def test_no_folder(tmp_path):
    with pytest.raises(CourseError, match="source is missing"):
        chapters(tmp_path)


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        ([], ["07", "08", "42"]),
        (["07"], ["07"]),
        (["7"], ["07"]),
        (["mnist"], ["07"]),
        (["MNIST CNN"], ["07"]),
        (["07_mnist_cnn"], ["07"]),
        (["notebooks/07_mnist_cnn.ipynb"], ["07"]),
        (["text"], ["08"]),
        (["42", "7", "07"], ["07", "42"]),
    ],
)
def test_select(root, names, numbers):
    assert [chapter.number for chapter in select(names, root)] == numbers


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mnits", "Did you mean 07_mnist_cnn?"),
        ("07_mnits_cnn", "Did you mean 07_mnist_cnn"),
        ("clasifier", "Did you mean 08_text_classifier?"),
        ("99", "Known: 07_mnist_cnn"),
        ("", "Known: 07_mnist_cnn"),
        ("xyzzy", "Known: 07_mnist_cnn, 08_text_classifier, 42_a_tiny_chapter"),
    ],
)
def test_an_unknown_chapter_names_the_near_misses(root, name, message):
    with pytest.raises(CourseError) as caught:
        select([name], root)
    assert f'There is no chapter "{name}".' in str(caught.value)
    assert message in str(caught.value)


def test_a_name_that_means_two_chapters(root):
    with pytest.raises(CourseError, match="more than one chapter: 07_mnist_cnn, 08_text_classifier"):
        select(["_c"], root)


def test_no_framework_is_imported(root):
    code = f"""
        import sys
        from pathlib import Path
        from course_utils.chapters import select
        assert select(["7"], Path({str(root)!r}))
        heavy = {{"tensorflow", "keras", "jupytext", "nbformat", "plotly", "pandas", "numpy"}} & set(sys.modules)
        assert not heavy, heavy
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


# --- editions ---------------------------------------------------------------------------------------------------------


def test_each_edition_has_a_place_of_its_own(root):
    chapter = select(["07"], root)[0]
    every = [Edition(kind, language) for kind in ("learner", "solutions") for language in ("en", "zh")]
    assert len({chapter.notebook(one) for one in every}) == len({one.name for one in every}) == 4
    assert {chapter.notebook(one).name for one in every} == {"07_mnist_cnn.ipynb"}
    assert chapter.notebook(Edition("learner", "zh")) == root / "notebooks/zh/07_mnist_cnn.ipynb"
    assert (LEARNER.solved, LEARNER.executed) == (False, True)
    assert (SOLUTIONS.solved, SOLUTIONS.executed) == (True, False)


def test_an_edition_lists_what_is_named_like_a_chapter(root):
    notebooks = root / "notebooks"
    for name in ("08_b.ipynb", "07_a.ipynb", "Untitled.ipynb", "07_a.txt", "solutions/07_a.ipynb", "zh/07_a.ipynb"):
        (notebooks / name).parent.mkdir(exist_ok=True)
        (notebooks / name).write_text("{}")
    assert LEARNER.stored(notebooks) == [notebooks / "07_a.ipynb", notebooks / "08_b.ipynb"]
    assert SOLUTIONS.stored(notebooks) == [notebooks / "solutions/07_a.ipynb"]
    assert Edition("solutions", "zh").stored(notebooks) == []


def test_editions_are_found_by_name():
    for one in EDITIONS:
        assert edition(one.name) is edition(one) is one
    with pytest.raises(CourseError, match="Did you mean solutions"):
        edition("solution")
    with pytest.raises(CourseError, match="no edition"):
        edition(Edition("slides"))
