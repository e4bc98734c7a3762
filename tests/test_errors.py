"""Errors for the reader: one message, near misses, no traceback."""

import pytest

from course_utils.errors import CourseError, near_misses, warn


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("mnits", ["digits", "mnist", "fashion_mnist"], "mnist"),
        ("MNIST", ["digits", "mnist"], "Did you mean mnist?"),
        ("ful", ["quick", "full"], "Did you mean full?"),
        ("xyz", ["quick", "full"], "Known: quick, full."),
        ("anything", [], ""),
        (7, ["07", "10"], "07"),
    ],
)
def test_near_misses(name, known, expected):
    found = near_misses(name, known)
    assert expected in found
    assert found == "" or found.startswith(" "), "it continues a sentence"


def test_near_misses_keep_the_spelling_of_the_known_names():
    assert near_misses("keras-nlp", ["Keras-NLP"]) == " Did you mean Keras-NLP?"


def test_a_notebook_shows_the_message_alone():
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    written: list[str] = []
    shell._showtraceback = lambda etype, evalue, lines: written.extend(lines)
    shell.run_cell("from course_utils.errors import CourseError\nraise CourseError('say what to do')")
    assert "\n".join(written) == "CourseError: say what to do"


def test_a_subclass_shows_its_own_name():
    class Wrong(CourseError):
        pass

    assert Wrong("no")._render_traceback_() == ["Wrong: no"]


def test_a_warning_is_one_line_on_standard_error(capsys):
    warn("look here")
    captured = capsys.readouterr()
    assert captured.err == "course: look here\n"
    assert captured.out == ""
