"""What a run is asked for: refused before anything starts, or one job a chapter with a name of its own."""

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_chapters import code

from course_utils.chapters import LEARNER, SOLUTIONS, Edition
from course_utils.errors import CourseError
from course_utils.running import request, runs
from course_utils.running.request import Job


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"profile": "fulll"}, ["profile must be quick or full; it is 'fulll'. Did you mean full?"]),
        ({"edition": "solution"}, ["solution", "Did you mean solutions?"]),
        ({"jobs": 0}, ["jobs", "0"]),
        ({"jobs": 1.5}, ["jobs", "1.5"]),
        ({"timeout": -1}, ["timeout", "-1"]),
        ({"parameters": {"sead": "3"}}, ["sead", "Did you mean seed?"]),
        ({"parameters": {"seed": "three"}}, ["seed", "whole number", "three"]),
        ({"parameters": {"seed": "3.5"}}, ["seed", "whole number", "3.5"]),
        ({"parameters": {"rate": "fast"}}, ["rate", "a number", "fast"]),
        ({"parameters": {"deep": "1"}}, ["deep", "true or false"]),
        ({"parameters": {"sizes": "3"}}, ["'sizes' must be [] or another list; it is '3'"]),
        ({"parameters": {"profile": "full"}}, ["--profile"]),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused(chapter, run, tmp_path, options, words):
    with pytest.raises(CourseError) as refusal:
        run(chapter("01_a", code("1")), **options)
    for word in words:
        assert word in str(refusal.value)
    assert not (tmp_path / "build" / "results.json").exists()


def test_a_parameter_that_one_chapter_lacks_is_refused_naming_it(chapter, run):
    one, two = chapter("01_a", code("1")), chapter("02_b", code("1"))
    notebook = nbformat.read(two.learner, as_version=4)
    notebook.cells[0].source = "seed = 0"
    nbformat.write(notebook, two.learner)
    with pytest.raises(CourseError, match="missing in 02_b"):
        run(one, two, parameters={"rate": "0.5"})


def test_no_chapter_and_an_unbuilt_chapter_are_refused(chapter, run):
    with pytest.raises(CourseError, match="No chapter"):
        run()
    one = chapter("01_a", code("1"))
    one.learner.unlink()
    with pytest.raises(CourseError, match="course build 01"):
        run(one)


def test_a_folder_that_cannot_be_written_is_refused(chapter, tmp_path):
    one = chapter("01_a", code("1"))
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CourseError, match="cannot be written"):
        runs.run([one], out=tmp_path / "file", progress=False)
    with pytest.raises(CourseError, match="cannot be written"):
        runs.run([one], out=tmp_path / "file" / "below", progress=False)


def test_a_notebook_that_is_none_is_named(chapter, run):
    one = chapter("01_a", code("1"))
    one.learner.write_text("{ not json")
    with pytest.raises(CourseError, match=r"01_a\.ipynb"):
        run(one, parameters={"seed": "1"})


@pytest.mark.parametrize(
    ("text", "default", "value"),
    [
        ("3", "0", 3),
        ("3", "0.5", 3.0),
        ("1e-3", "0.5", 0.001),
        ("TRUE", "False", True),
        ("3", "'a'", "3"),
        ("full", "None", "full"),
        ("3", "None", 3),
        ("[1, 2]", "[]", [1, 2]),
        ("x", "some_call()", "x"),
        ("{1, 2}", "None", "{1, 2}"),
    ],
)
def test_values_take_the_type_of_the_default(text, default, value):
    parsed = request.parse_value("name", text, default)
    assert parsed == value and type(parsed) is type(value)


# ------------------------------------------------------------------------------------------------------ the jobs


def test_a_job_is_a_chapters_edition_with_parameters(chapter):
    one = chapter("01_a", code("1"))
    (job,) = request.check_request([one], edition="solutions", parameters={"seed": "3", "deep": "true"})
    assert (job.chapter, job.edition, job.parameters) == (one, SOLUTIONS, {"seed": 3, "deep": True})
    assert job.notebook == one.solutions
    assert request.check_request([one])[0] == Job(one, LEARNER, {})


def test_with_default_parameters_the_file_is_called_as_the_chapter(chapter, tmp_path):
    one = chapter("01_a", code("1"))
    for edition in (LEARNER, SOLUTIONS):
        assert Job(one, edition).executed(tmp_path) == tmp_path / "runs" / "01_a.ipynb"
    assert Job(one, LEARNER, {"seed": 3, "deep": True}).key == "01_a--deep-true--seed-3"
    assert Job(one, Edition("learner", "zh"), {"seed": 3}).key == "01_a--zh--seed-3"


VALUES = st.one_of(
    st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.lists(st.integers(), max_size=3)
)


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,30}", fullmatch=True), VALUES, max_size=6), st.data())
def test_keys_are_file_names_and_differ_where_parameters_do(parameters, data):
    from pathlib import Path
    from types import SimpleNamespace

    one = SimpleNamespace(name="01_a")
    key = Job(one, LEARNER, parameters).key
    assert key == Job(one, LEARNER, dict(reversed(parameters.items()))).key
    assert Path(f"{key}.ipynb").name == f"{key}.ipynb" and len(key) <= 120
    assert not set(key) & set('/\\:*?"<>| ') and key == key.lower() and key.isascii()
    if parameters:
        name = data.draw(st.sampled_from(sorted(parameters)))
        other = data.draw(VALUES)
        if (type(other), other) != (type(parameters[name]), parameters[name]) and str(other) != str(parameters[name]):
            assert Job(one, LEARNER, {**parameters, name: other}).key != key
