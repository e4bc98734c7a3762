"""Source to editions: what they hold, what a build refuses, and that old editions survive whatever happens."""

import base64
import json
import os
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from leftovers import nothing_left  # noqa: F401 (a fixture that is used by itself)
from sample_chapter import GOOD, HEADER, chapter, registered, replaced, write_chapter  # noqa: F401 (a fixture)

from course_utils.authoring import building, editions, normalise, output_rules, pictures, sources
from course_utils.chapters import chapters
from course_utils.errors import CourseError
from course_utils.running.outcome import Outcome

PNG = base64.b64encode(b"\x89PNG").decode() + "\n"

RUNS = (
    HEADER
    + """\
# %% [markdown]
# # 42 · A tiny chapter

# %% tags=["lint-skip-star-import", "nbval-ignore-output"]
import sys

print("one", end="")
print("\\rtwo")
print("three")

# %%
import plotly.graph_objects as go

figure = go.Figure(go.Scatter(x=[1, 2, 3], y=[1, 4, 9]), layout={"meta": {"alt": "squares grow"}, "width": 300})
figure

# %%
import ipywidgets

ipywidgets.IntSlider()

# %% tags=["raises-exception"]
raise ValueError("meant")

# %%
import os

{name: os.environ.get(name) for name in ("COURSE_PROFILE", "COURSE_STRICT", "COURSE_DATA")}
"""
)
QUICK = HEADER + '# %% [markdown]\n# # 42 · A tiny chapter\n\n# %%\nprint("hello")\n\n# %%\n2 + 2\n'

needs_browser = pytest.mark.skipif(
    pictures.installed_browser() is None, reason="no Chromium here; course build needs one for its pictures"
)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


# --- editions ---------------------------------------------------------------------------------------------------------


def test_the_two_editions_have_the_same_cells_but_for_the_solutions(tmp_path, registered):  # noqa: F811
    made = chapter(tmp_path)
    learner, solved = editions.learner_edition(made), editions.solution_edition(made.source)
    for notebook in (learner, solved):
        nbformat.validate(notebook)
        assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
        assert set(notebook.metadata) == {"course", "kernelspec", "language_info"}
        assert notebook.metadata.language_info == {"name": "python"}
        assert notebook.metadata.kernelspec.name == "python3"
        assert notebook.metadata.course.chapter == "42"
        assert all(cell.outputs == [] and cell.execution_count is None for cell in code(notebook))
    assert [cell.id for cell in learner.cells] == [cell.id for cell in solved.cells]
    differing = [a.id for a, b in zip(learner.cells, solved.cells, strict=True) if a.source != b.source]
    assert differing == ["exercise-42-1", "exercise-42-2"]
    assert learner.metadata.course.source_sha256 == solved.metadata.course.source_sha256
    assert (learner.metadata.course.edition, solved.metadata.course.edition) == ("learner", "solutions")


def test_a_solution_becomes_a_place_for_the_answer(tmp_path, registered):  # noqa: F811
    made = chapter(tmp_path)
    learner = {cell.id: cell for cell in editions.learner_edition(made).cells}
    assert learner["exercise-42-1"].source == 'answer = ...  # your answer here\ncheck("42-1", answer)'
    assert learner["exercise-42-2"].source == (
        'def successor(number):\n    """int -> int"""\n    ...  # your code here\n\n\ncheck("42-2", successor)'
    )
    assert learner["exercise-42-1"].metadata == {"exercise": "42-1"}
    solved = {cell.id: cell for cell in editions.solution_edition(made).cells}
    assert "### BEGIN SOLUTION" in solved["exercise-42-1"].source
    namespace = {"check": lambda *_: None}
    exec(solved["exercise-42-2"].source, namespace)
    assert namespace["successor"](2) == 3


@pytest.mark.parametrize(
    ("solution", "rest", "stub"),
    [
        ("answer = 1", "", "answer = ...  # your answer here"),
        ("a = 1\nb: int = 2", "", "a = ...  # your answer here\nb = ...  # your answer here"),
        ("a = 1\nb = a", "use(b)", "b = ...  # your answer here\nuse(b)"),
        (
            "a, (b, *c) = f()",
            "use(b, a, c)",
            "".join(f"{n} = ...  # your answer here\n" for n in "abc") + "use(b, a, c)",
        ),
        ("for i in range(3):\n    total = i", "use(total)", "total = ...  # your answer here\nuse(total)"),
        ("def f():\n    inner = 1", "use(f)", "f = ...  # your answer here\nuse(f)"),
        ("print(1)", "", "...  # your code here"),
        ("a = 1\na = a + 1", "", "a = ...  # your answer here"),
    ],
)
def test_stubs(solution, rest, stub):
    source = f"### BEGIN SOLUTION\n{solution}\n### END SOLUTION" + (f"\n{rest}" if rest else "")
    cell = sources.Cell(kind="code", source=source, line=1, id="x", exercise="42-1")
    assert cell.stub() == stub


def test_two_regions_in_one_cell():
    first = "    ### BEGIN SOLUTION\n    a = 1\n    ### END SOLUTION\n"
    second = "    ### BEGIN SOLUTION\n    return a\n    ### END SOLUTION"
    cell = sources.Cell(kind="code", source=f"def f():\n{first}    b = 2\n{second}", line=1, id="x", exercise="42-1")
    assert cell.stub() == "def f():\n    ...  # your code here\n    b = 2\n    ...  # your code here"


def test_ids_are_stable_and_unique(tmp_path, registered):  # noqa: F811
    ids = [cell.id for cell in editions.solution_edition(chapter(tmp_path)).cells]
    assert len(set(ids)) == len(ids)
    longer = replaced("# A single dot.", "# A single dot.\n\n# %% [markdown]\n# A single dot.")
    more = [cell.id for cell in editions.solution_edition(chapter(tmp_path, longer)).cells]
    assert [cell for cell in more if cell in ids] == ids
    (new,) = set(more) - set(ids)
    assert new.endswith("-2")
    assert new.removesuffix("-2") in ids


def test_the_proof_of_a_claim_keeps_its_id_when_its_code_changes(tmp_path, registered):  # noqa: F811
    proof = 'claims.record(\n    "c01", verdict="holds" if {} else "wrong", evidence="counted"\n)'

    def ids(code):
        text = replaced(
            "figures.image_grid([[0]]", code + "\n\n# %% [markdown]\n# So.\n\n# %%\nfigures.image_grid([[0]]"
        )
        return [cell.id for cell in editions.solution_edition(chapter(tmp_path, text)).cells]

    assert ids(proof.format("1 + 1 == 2")) == ids(proof.format("len([1]) == 1"))
    assert "claim-c01" in ids(proof.format("True"))
    two = proof.format("True") + "\n" + proof.format("False").replace("c01", "c02")
    assert not [name for name in ids(two) if name.startswith("claim-")], "which of the two would it be?"


def test_tags_for_the_lint_stay_in_the_source(tmp_path):
    notebook = editions.solution_edition(chapter(tmp_path, RUNS))
    assert code(notebook)[0].metadata == {"tags": ["nbval-ignore-output"]}


def test_magics_are_no_syntax_errors(tmp_path):
    text = QUICK.replace("2 + 2", "%timeit -n1 2 + 2\n\n# %%\n# %%capture\n1 +").replace("1 +", "1 + 1")
    notebook = editions.solution_edition(chapter(tmp_path, text))
    assert code(notebook)[1].source == "%timeit -n1 2 + 2"


# --- sources with problems --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("1 + 2", "1 + 2\n1 +", "1 +", "syntax"),
        ("1 + 2", "def f(:\n    pass", "def f(:", "syntax"),
        ("    ### END SOLUTION\n", "", "    ### BEGIN SOLUTION", '"### BEGIN SOLUTION" without "### END SOLUTION"'),
        ("    ### BEGIN SOLUTION\n", "", "    ### END SOLUTION", '"### END SOLUTION" without'),
        ("    return result\n", "    ### BEGIN SOLUTION\n", "    ### BEGIN SOLUTION", '"### BEGIN SOLUTION" again'),
        ('# %% exercise="42-1"', "# %%", "### BEGIN SOLUTION", "without an exercise id"),
        ('# %% exercise="42-1"', '# %% exercise="41-1"', "### BEGIN SOLUTION", "belongs to another chapter"),
        ('# %% exercise="42-1"', '# %% exercise="one"', "### BEGIN SOLUTION", "an exercise's id looks like"),
        ('# %% exercise="42-2"', '# %% exercise="42-1"', "def successor(number):", "stands already in line"),
        ("### BEGIN SOLUTION\nhelper", "helper", "### END SOLUTION", '"### END SOLUTION" without'),
        ('check("42-1", answer)', 'check("42-2", answer)', 'check("42-2", answer)', "the exercise here is 42-1"),
        ('check("42-1", answer)', "", "### BEGIN SOLUTION", "exercise 42-1 is never checked"),
        ("1 + 2", 'check("42-1", 3)', 'check("42-1", 3)', "no exercise stands before it"),
        ("# A single dot.", "# ### BEGIN SOLUTION", "# ### BEGIN SOLUTION", "a solution stands in a text cell"),
        ("# %%\n1 + 2", "# %% A title\n1 + 2", "1 + 2", "a title; use a heading"),
    ],
)
def test_a_source_with_a_problem_is_refused_by_file_and_line(tmp_path, registered, old, new, line, message):  # noqa: F811
    text = replaced(old, new)
    made = chapter(tmp_path, text)
    with pytest.raises(CourseError) as caught:
        editions.build([made])
    lines = [i for i, content in enumerate(text.splitlines(), 1) if content == line]
    found = [part for part in str(caught.value).splitlines() if message in part]
    assert any(f"42_a_tiny_chapter.py:{number}: " in part for part in found for number in lines), caught.value
    assert not made.learner.exists()
    assert any(message in problem for problem in editions.check([made]))


def test_an_exercise_without_a_check(tmp_path, registered):  # noqa: F811
    del registered["42-2"]
    registered["42-3"] = object()
    with pytest.raises(CourseError) as caught:
        editions.learner_edition(chapter(tmp_path))
    assert "exercise 42-2 has no check in course_utils/exercises/chapter_42.py" in str(caught.value)
    assert "exercise 42-3 has a check, but no cell" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        QUICK.replace("# %%\n2 + 2", '# %% tags="one"\n2 + 2'),
        HEADER + "print(1)\n\n" + QUICK.removeprefix(HEADER),
        QUICK.replace("2 + 2", 'x = """\n# %%\n"""'),
    ],
)
def test_a_source_that_is_no_notebook(tmp_path, text):
    made = chapter(tmp_path, text)
    with pytest.raises(CourseError, match=r"42_a_tiny_chapter\.py"):
        editions.solution_edition(made)
    assert "42_a_tiny_chapter.py" in "".join(editions.check([made]))


def test_the_registry_of_exercises_answers():
    """The one place that talks to the exercises: it must know the course's own."""
    assert {"07-1", "07-2", "07-3"} <= set(sources.registered_exercises("07"))
    assert sources.registered_exercises("99") == {}


# --- build ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """One chapter built for real: kernel, Chromium and all."""
    root = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_STRICT", "1")
        patch.setenv("COURSE_DATA", "somewhere")
        made = chapter(root, RUNS)
        editions.build([made])
    return made


@needs_browser
def test_a_built_learner_edition(built):
    notebook = nbformat.read(built.learner, as_version=4)
    nbformat.validate(notebook)
    printed, shown, widget, error, environment = (cell.outputs for cell in code(notebook))
    assert [(output.name, output.text) for output in printed] == [("stdout", "two\nthree\n")]
    (figure,) = shown
    picture = base64.b64decode(figure.data["image/png"])
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 20_000
    assert figure.metadata == {"image/png": {"alt": "squares grow"}}
    assert figure.data[normalise.PLOTLY]["data"][0]["type"] == "scatter"
    assert "text/html" not in figure.data
    (slider,) = widget
    assert set(slider.data) == {"text/plain"}
    assert error[0].traceback == ["ValueError: meant"]
    assert "'quick'" in environment[0].data["text/plain"]
    assert environment[0].data["text/plain"].count("None") == 2
    assert [cell.execution_count for cell in code(notebook)] == [1, 2, 3, 4, 5]
    assert environment[0].execution_count == 5
    assert set(notebook.metadata) == {"course", "kernelspec", "language_info"}
    assert all(not set(cell.metadata) - {"tags"} for cell in notebook.cells)
    assert "widgets" not in notebook.metadata


@needs_browser
def test_a_built_solved_edition_has_no_outputs(built):
    notebook = nbformat.read(built.solutions, as_version=4)
    assert all(cell.outputs == [] for cell in code(notebook))


@needs_browser
def test_a_figure_stands_on_one_line(built):
    lines = [line for line in built.learner.read_text("utf-8").splitlines() if normalise.PLOTLY in line]
    assert len(lines) == 1
    assert lines[0].rstrip().endswith(("}", "},"))


@needs_browser
def test_what_was_built_agrees_and_nothing_else_is_left(built):
    assert editions.check([built]) == []
    files = sorted(path.name for path in built.learner.parent.rglob("*") if path.is_file())
    assert files == ["42_a_tiny_chapter.ipynb", "42_a_tiny_chapter.ipynb", "42_a_tiny_chapter.py"]


@pytest.fixture
def faked(monkeypatch):
    """Execution without a kernel, for what does not depend on one: each code cell prints its source."""

    def run(notebook, chapter, **_):
        for cell in code(notebook):
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=cell.source + "\n")]
        return Outcome(chapter.name, chapter.title, "passed")

    monkeypatch.setattr(building, "execute", run)
    monkeypatch.setattr(pictures, "browser", lambda: "no browser is started")
    return run


@pytest.fixture
def quick(tmp_path, faked):
    made = chapter(tmp_path, QUICK)
    editions.build([made])
    assert editions.check([made]) == []
    return made


def old_editions(made):
    return {path: path.read_bytes() for path in (made.learner, made.solutions)}


def assert_untouched(made, before):
    assert old_editions(made) == before
    assert not list(made.learner.parent.rglob("*.tmp"))


def test_a_failing_cell_stops_the_build_and_keeps_the_old(quick, monkeypatch):
    before = old_editions(quick)
    monkeypatch.undo()
    text = QUICK.replace("2 + 2", "# a comment\n1 / 0")
    write_chapter(quick.source.parents[2], text)
    with pytest.raises(CourseError) as caught:
        editions.build([quick], pictures=False)
    message = str(caught.value)
    identifier = sources.read(quick).cells[-1].id
    assert (
        f'42_a_tiny_chapter: cell {identifier} ("# a comment") failed: ZeroDivisionError: division by zero' in message
    )
    line = text.splitlines().index("# a comment") + 1
    assert f"42_a_tiny_chapter.py:{line}: 42_a_tiny_chapter: cell" in message
    assert_untouched(quick, before)


def test_a_dying_kernel_is_named(tmp_path):
    made = chapter(tmp_path, QUICK.replace("2 + 2", "import os; os._exit(1)"))
    with pytest.raises(CourseError, match=r"42_a_tiny_chapter\.py:\d+: .*KernelDied.*exit status 1"):
        editions.build([made], pictures=False)
    assert not made.learner.exists()


def test_a_chapter_that_hangs_is_ended(tmp_path):
    made = chapter(tmp_path, QUICK.replace("2 + 2", "while True: pass"))
    notebook = editions.learner_edition(made)
    with pytest.raises(CourseError, match="Timeout"):
        building.execute(notebook, made, timeout=6)


def test_a_build_says_what_it_used_and_where_it_stands(tmp_path):
    claims = """
from IPython.display import display
record = {"kind": "claim", "id": "c44", "verdict": "holds"}
display({"application/vnd.course+json": record, "text/plain": "x"}, raw=True)
"""
    made = chapter(tmp_path, QUICK.replace("2 + 2", claims))
    said = []
    notebook = editions.learner_edition(made)
    outcome = building.execute(notebook, made, say=said.append)
    assert (outcome.verdict, outcome.claims) == ("passed", [{"id": "c44", "verdict": "holds"}])
    assert outcome.seconds > 0 and outcome.cpu_seconds > 0 and outcome.peak_mib > 25
    assert len(said) == 2 and "3" in said[-1], "one line for each code cell"
    assert [cell.execution_count for cell in code(notebook)] == [1, 2]
    assert code(notebook)[0].outputs[0].text == "hello\n"
    editions.build([made], pictures=False, say=said.append)
    assert any("processor seconds" in line for line in said)


def test_ctrl_c_ends_the_kernel_and_keeps_the_old(quick, monkeypatch):
    before = old_editions(quick)
    monkeypatch.undo()
    root = quick.source.parents[2]
    sleeps = f"import os, time\n\nopen({str(root / 'pid')!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
    write_chapter(root, QUICK.replace("2 + 2", sleeps))
    program = (
        # A shell's background job is started with SIGINT ignored, and so is then what it starts.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "import sys; from pathlib import Path; from course_utils import chapters;"
        "from course_utils.authoring import editions;"
        "editions.build(chapters.chapters(Path(sys.argv[1])), pictures=False)"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(root)], stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not ((root / "pid").is_file() and (root / "pid").read_text()) and time.monotonic() < end:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.1)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert "KeyboardInterrupt" in error
    import psutil

    kernel = int((root / "pid").read_text())
    assert not psutil.pid_exists(kernel) or psutil.Process(kernel).status() == psutil.STATUS_ZOMBIE
    assert_untouched(quick, before)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("which", [0, 1])
def test_an_interrupted_write_keeps_both_old(quick, monkeypatch, error, which):
    before = old_editions(quick)
    write_chapter(quick.source.parents[2], QUICK.replace("2 + 2", "3 + 3"))
    calls = []
    replace = os.replace

    def failing(source, target):
        calls.append(target)
        if len(calls) == which + 1:
            raise error
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises((CourseError, KeyboardInterrupt)) as caught:
        editions.build([quick])
    assert_untouched(quick, before)
    if isinstance(error, OSError):
        assert "No space left on device" in str(caught.value)


def test_without_a_chromium_nothing_is_executed(tmp_path, monkeypatch):
    monkeypatch.setattr(building, "execute", lambda *_, **__: pytest.fail("executed without a browser"))
    monkeypatch.setattr(pictures, "installed_browser", lambda: None)
    made = chapter(tmp_path, QUICK)
    with pytest.raises(CourseError, match="needs a Chromium"):
        editions.build([made])
    assert not made.learner.exists()


def test_a_browser_path_that_names_nothing(monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", "no/such/chromium")
    with pytest.raises(CourseError, match="BROWSER_PATH names no/such/chromium"):
        pictures.browser()


def test_figures_are_never_stored_without_pictures(tmp_path, faked, monkeypatch):
    def with_figure(notebook, chapter, **_):
        data = {normalise.PLOTLY: {"data": [], "layout": {"meta": {"alt": "x"}}}}
        code(notebook)[0].outputs = [nbformat.v4.new_output("display_data", data=data)]
        return Outcome(chapter.name, chapter.title, "passed")

    monkeypatch.setattr(building, "execute", with_figure)
    made = chapter(tmp_path, QUICK)
    with pytest.raises(CourseError, match="never stored without their pictures"):
        editions.build([made], pictures=False)
    assert not made.learner.exists()


def test_an_edition_over_the_limit_names_the_largest_outputs(tmp_path, faked, monkeypatch):
    monkeypatch.setattr(output_rules, "LIMIT_BYTES", 1000)
    made = chapter(tmp_path, QUICK)
    with pytest.raises(CourseError, match=r"the limit is 1,000\. Largest: stream of cell"):
        editions.build([made])
    assert not made.learner.exists()


def test_prose_can_change_without_execution(quick, monkeypatch):
    monkeypatch.setattr(building, "execute", lambda *_, **__: pytest.fail("executed"))
    root = quick.source.parents[2]
    write_chapter(root, QUICK.replace("# # 42 · A tiny chapter", "# # 42 · A tiny chapter\n#\n# More."))
    assert editions.check([quick])
    editions.build([quick], execute=False)
    assert editions.check([quick]) == []
    assert code(nbformat.read(quick.learner, as_version=4))[0].outputs[0].text == 'print("hello")\n'
    write_chapter(root, QUICK.replace("2 + 2", "3 + 3"))
    with pytest.raises(CourseError, match="code has changed since it was executed"):
        editions.build([quick], execute=False)


def test_what_a_chapter_needs_is_fetched_into_a_cache_of_its_own(tmp_path, monkeypatch):
    import types

    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "mine"))

    def fetch(name):
        (tmp_path / "mine" / "data" / name).mkdir(parents=True)
        (tmp_path / "mine" / "data" / name / "file").write_text("data")

    monkeypatch.setitem(sys.modules, "course_utils.data.fetch", types.SimpleNamespace(fetch=fetch))
    building.prepare_cache(["digits", "digits"], tmp_path / "cache")
    assert (tmp_path / "cache" / "data" / "digits" / "file").read_text() == "data"


# --- check ------------------------------------------------------------------------------------------------------------


def change(path, edit):
    notebook = json.loads(path.read_text("utf-8"))
    edit(notebook)
    path.write_text(json.dumps(notebook), "utf-8")


def set_source(notebook):
    notebook["cells"][1]["source"] = ['print("bye")']


def add_output(notebook):
    stream = {"output_type": "stream", "name": "stdout", "text": ["x"]}
    notebook["cells"][1].update(outputs=[stream])


DIFFERENCES = [
    ("learner", set_source, 'line 1 is stored as "print("bye")", the source gives "print("hello")"'),
    ("solutions", set_source, 'line 1 is stored as "print("bye")"'),
    ("learner", lambda n: n["cells"].pop(), "is not stored: 2 + 2"),
    ("learner", lambda n: n["cells"].append(dict(n["cells"][1], id="foreign")), "cell foreign is not in the source"),
    ("learner", lambda n: n["cells"].reverse(), "cell"),
    ("learner", lambda n: n["cells"][0].update(id="other"), "its id is stored as 'other'"),
    ("learner", lambda n: n["cells"][1].update(cell_type="raw"), "type raw instead of code"),
    ("learner", lambda n: n["cells"][1]["metadata"].update(tags=["x"]), "metadata {'tags': ['x']} instead of {}"),
    ("learner", lambda n: n["cells"][1]["metadata"].update(execution={}), "metadata"),
    ("learner", lambda n: n["cells"][1].update(execution_count=3), "was not run in order"),
    ("learner", lambda n: n["metadata"].update(widgets={}), 'metadata "widgets" does not belong'),
    ("learner", lambda n: n["metadata"]["course"].update(minutes={"main": 99, "side": 0}), "course differs in minutes"),
    ("learner", lambda n: n["metadata"]["course"].update(source_sha256="0"), "course differs in source_sha256"),
    ("learner", lambda n: n["metadata"].pop("kernelspec"), 'metadata "kernelspec" differs'),
    ("learner", lambda n: n.update(nbformat_minor=4), "notebook format 4.4 instead of 4.5"),
    ("solutions", add_output, "has outputs; the solved edition has none"),
    ("learner", lambda n: n.pop("cells"), "not a notebook"),
    ("learner", lambda n: n["cells"][0].pop("source"), "not a notebook of format 4.5"),
]


@pytest.mark.parametrize(("kind", "edit", "message"), DIFFERENCES)
def test_check_names_what_differs(quick, kind, edit, message):
    path = quick.learner if kind == "learner" else quick.solutions
    change(path, edit)
    found = editions.check([quick])
    assert any(message in problem and path.name in problem for problem in found), found


def test_check_names_missing_orphan_and_unreadable_editions(quick):
    quick.solutions.unlink()
    quick.learner.write_text("{", "utf-8")
    (quick.learner.parent / "41_gone.ipynb").write_text("{}", "utf-8")
    (quick.learner.parent / "solutions" / "40_gone.ipynb").write_text("{}", "utf-8")
    found = "\n".join(editions.check([quick]))
    assert "solutions/42_a_tiny_chapter.ipynb: missing; run course build 42" in found
    assert "42_a_tiny_chapter.ipynb: cannot be read as a notebook" in found
    assert "41_gone.ipynb: belongs to no source" in found
    assert "40_gone.ipynb: belongs to no source" in found


def test_check_is_short_when_everything_differs(quick):
    write_chapter(
        quick.source.parents[2], HEADER + "".join(f"# %%\n{i} * 2\n\n# %% [markdown]\n# {i}\n\n" for i in range(30))
    )
    found = [problem for problem in editions.check([quick]) if "solutions" in problem]
    assert len(found) < 12
    assert any("more cells differ" in problem for problem in found)


def test_a_change_of_the_solution_alone_is_seen(tmp_path, faked, registered):  # noqa: F811
    text = GOOD.replace('figures.image_grid([[0]], alt="a black dot")', "3")
    made = chapter(tmp_path, text)
    editions.build([made])
    assert editions.check([made]) == []
    write_chapter(tmp_path, replaced("result = number + 1", "result = 1 + number", text))
    found = "\n".join(editions.check([made]))
    assert "cell exercise-42-2" in found
    assert "source_sha256" in found


def test_a_figure_cell_without_a_picture_is_refused(tmp_path, faked, registered):  # noqa: F811
    with pytest.raises(CourseError, match=r"figures\.image_grid.*its figure has no stored picture"):
        editions.build([chapter(tmp_path)])


# --- outputs ----------------------------------------------------------------------------------------------------------


def stream(text, name="stdout"):
    return nbformat.v4.new_output("stream", name=name, text=text)


def data(**mimes):
    metadata = mimes.pop("metadata", {})
    return nbformat.v4.new_output(
        "display_data", data={k.replace("__", "/"): v for k, v in mimes.items()}, metadata=metadata
    )


FIGURE = {"data": [], "layout": {}, "config": {"plotlyServerURL": "https://example.org", "responsive": True}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([stream("a\n"), stream("b\n")], [stream("a\nb\n")]),
        ([stream("a\n"), stream("e", "stderr"), stream("b\n")], [stream("a\n"), stream("e", "stderr"), stream("b\n")]),
        ([stream("10 %\r20 %"), stream("\r100 %\ndone\r\n")], [stream("100 %\ndone\n")]),
        ([stream("")], []),
        ([nbformat.v4.new_output("display_data", data={normalise.WIDGET: {"model_id": "1"}})], []),
        (
            [nbformat.v4.new_output("display_data", data={normalise.WIDGET: {}, "text/plain": "Figure" * 200})],
            [data(text__plain="An interactive figure: run the cell to see it.")],
        ),
        (
            [nbformat.v4.new_output("display_data", data={normalise.PLOTLY: FIGURE, "text/html": "<div>"})],
            [nbformat.v4.new_output("display_data", data={normalise.PLOTLY: FIGURE})],
        ),
        (
            [nbformat.v4.new_output("error", ename="E", evalue="\x1b[31mred\x1b[0m", traceback=["line 1", "line 2"])],
            [nbformat.v4.new_output("error", ename="E", evalue="red", traceback=["E: red"])],
        ),
        (
            [nbformat.v4.new_output("execute_result", data={"text/plain": "1"}, execution_count=7)],
            [nbformat.v4.new_output("execute_result", data={"text/plain": "1"}, execution_count=None)],
        ),
        (
            [data(text__plain="1", metadata={"foreign": 1, "text/plain": {"a": 1}})],
            [data(text__plain="1", metadata={"text/plain": {"a": 1}})],
        ),
    ],
)
def test_outputs_are_normalised_once_and_for_all(before, after):
    untouched = json.dumps(before)
    assert normalise.normalise_outputs(before) == after
    assert normalise.normalise_outputs(after) == after
    assert json.dumps(before) == untouched


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (stream("<object at 0x7f3a2c1b4d60>\n"), "memory address"),
        (stream("saved to /home/somebody/model.keras\n"), "path of the machine"),
        (data(text__html="<a href='/tmp/x1/report'>"), "path of the machine"),
        (stream("C:\\Users\\somebody\\digits\n"), "path of the machine"),
        (stream("W0000 a warning\n", "stderr"), "writes to standard error"),
        (stream("hello somebody\n"), "user name"),
        (nbformat.v4.new_output("error", ename="E", evalue="x", traceback=[]), "shows an error, E"),
        (
            nbformat.v4.new_output("display_data", data={normalise.PLOTLY: {"layout": {"title": "/root/x"}}}),
            "path of the",
        ),
        (nbformat.v4.new_output("display_data", data={normalise.PLOTLY: {}}), "a figure without its picture"),
        (nbformat.v4.new_output("display_data", data={normalise.PLOTLY: {}, "image/png": PNG}), "without alt text"),
        (nbformat.v4.new_output("display_data", data={normalise.WIDGET: {}}), "stores a widget view"),
    ],
)
def test_what_an_output_must_not_show(quick, output, message):
    source = sources.read(quick)
    cell = {"cell_type": "code", "id": source.cells[1].id, "execution_count": 1, "outputs": [output]}
    found = output_rules.output_problems({"cells": [cell]}, source, user="somebody")
    assert any(message in problem for problem in found), found


@pytest.mark.parametrize(
    "text", ["accuracy 3/4", "see https://example.org/home/page", "a: b", "0x10", "1/2 and /", "0.5\n"]
)
def test_what_an_output_may_show(quick, text):
    source = sources.read(quick)
    cell = {"cell_type": "code", "id": source.cells[1].id, "execution_count": 1, "outputs": [stream(text)]}
    assert output_rules.output_problems({"cells": [cell]}, source, user="somebody") == []


def test_pictures_become_small_and_keep_their_look():
    import io

    from PIL import Image

    image = Image.effect_mandelbrot((300, 200), (-2, -1, 1, 1), 60).convert("RGB")
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    small = pictures.small(buffer.getvalue())
    again = Image.open(io.BytesIO(small)).convert("RGB")
    assert len(small) < len(buffer.getvalue())
    assert again.size == image.size
    worst = max(abs(a - b) for a, b in zip(image.tobytes(), again.tobytes(), strict=True))
    assert worst < 16


def test_check_is_fast(quick):
    """Generous: the measured figure is a hundredth of it, once jupytext is imported."""
    start = time.perf_counter()
    for _ in range(15):
        editions.check(chapters(quick.source.parents[2]))
    assert time.perf_counter() - start < 5
