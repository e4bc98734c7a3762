"""Headless runs, on tiny notebooks without a framework."""

import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from course_utils.chapters import Chapter
from course_utils.errors import CourseError
from course_utils.running import runs

ROOT = Path(__file__).resolve().parents[2]

HEADLINE = """\
from IPython.display import display
display({"application/vnd.course+json": {"kind": "headline", "name": "accuracy", "value": 0.9, "text": "accuracy 0.9"},
         "text/plain": "accuracy 0.9"}, raw=True)
display({"application/vnd.course+json": {"kind": "claim", "id": "c44", "verdict": "holds", "evidence": "93,322",
         "chapter": "07"}, "text/plain": "c44"}, raw=True)"""
PARAMETERS = "profile = None\nseed = 0\nrate = 0.1\nnote = 'a'\ndeep = False"


def code(source: str, *tags: str, name: str | None = None):
    cell = nbformat.v4.new_code_cell(textwrap.dedent(source), metadata={"tags": list(tags)} if tags else {})
    if name:
        cell["id"] = name
    return cell


@pytest.fixture
def chapter(tmp_path):
    """Make a chapter from cells: ``chapter("07_mnist_cnn", code("1 + 1"))``."""

    def make(name: str, *cells, needs=None, seconds=60, memory_mib=600) -> Chapter:
        notebook = nbformat.v4.new_notebook(cells=[code(PARAMETERS, "parameters"), *cells])
        notebook.metadata["kernelspec"] = {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        }
        learner = tmp_path / "notebooks" / f"{name}.ipynb"
        solutions = tmp_path / "notebooks" / "solutions" / f"{name}.ipynb"
        solutions.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, learner)
        nbformat.write(notebook, solutions)
        return Chapter(
            number=name[:2],
            name=name,
            title=name[3:],
            minutes=5,
            requires=(),
            needs=needs or {"quick": (), "full": ()},
            seconds=seconds,
            memory_mib=memory_mib,
            source=tmp_path / "notebooks" / "source" / f"{name}.py",
            learner=learner,
            solutions=solutions,
        )

    return make


@pytest.fixture
def run(tmp_path):
    def call(*chapters, **options):
        options.setdefault("progress", False)
        return runs.run(chapters, out=tmp_path / "build", timeout=options.pop("timeout", 60), **options)

    return call


def left_over(marker: str) -> list[str]:
    """Processes that still mention ``marker`` on their command line."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        if process.info["status"] != psutil.STATUS_ZOMBIE and marker in " ".join(process.info["cmdline"] or []):
            found.append(" ".join(process.info["cmdline"]))
    return found


# ------------------------------------------------------------------------------------------------ a good run


def test_a_chapter_passes_and_leaves_notebook_results_and_table(chapter, run, tmp_path):
    good = chapter("07_mnist_cnn", code(HEADLINE), nbformat.v4.new_markdown_cell("# words"), code("print(seed, rate)"))
    said = io.StringIO()
    from rich.console import Console

    console = Console(file=said, width=140)
    (outcome,) = run(good, parameters={"seed": "3"}, progress=True, console=console)

    assert (outcome.verdict, outcome.error, outcome.reason) == ("passed", None, "")
    assert outcome.headline == ["accuracy 0.9"]
    assert outcome.claims == [{"id": "c44", "verdict": "holds", "evidence": "93,322", "chapter": "07"}]
    assert 0 < outcome.seconds < 30
    assert 25 < outcome.peak_mib < 600
    assert runs.exit_status([outcome]) == 0

    notebook = nbformat.read(tmp_path / "build" / "runs" / "07_mnist_cnn.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert notebook.cells[-1].outputs[0].text == "3 0.1\n"
    assert "papermill" not in notebook.metadata and "widgets" not in notebook.metadata
    assert str(tmp_path) not in json.dumps(notebook)

    stored = json.loads((tmp_path / "build" / "results.json").read_text())
    assert stored["outcomes"][0]["notebook"] == "runs/07_mnist_cnn.ipynb"
    assert stored["request"]["parameters"] == {"seed": 3}
    assert stored["machine"]["cores"] >= 1

    text = said.getvalue()
    assert "07_mnist_cnn: started" in text
    assert "✓ passed" in text and "accuracy 0.9" in text
    assert "\x1b" not in text, "plain lines where there is no terminal"


@pytest.mark.parametrize("strict", [False, True])
def test_the_kernel_is_this_interpreter_and_sees_the_request(chapter, run, tmp_path, monkeypatch, strict):
    monkeypatch.setenv("COURSE_STRICT", "1")
    # A kernel of the same name that the user installed elsewhere must not be taken.
    foreign = tmp_path / "jupyter" / "kernels" / "python3"
    foreign.mkdir(parents=True)
    (foreign / "kernel.json").write_text(
        json.dumps({"argv": ["/bin/false"], "display_name": "x", "language": "python"})
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    source = """
    import os, sys, json
    names = ["COURSE_PROFILE", "COURSE_STRICT", "COURSE_PROGRESS", "PLOTLY_RENDERER"]
    print(json.dumps([sys.executable, os.getcwd(), *[os.environ.get(name) for name in names]]))"""
    one = chapter("01_a", code("1"))
    solved = nbformat.read(one.solutions, as_version=4)
    solved.cells[1].source = textwrap.dedent(source)
    nbformat.write(solved, one.solutions)
    (outcome,) = run(one, strict=strict, profile="full", edition="solutions")
    assert outcome.verdict == "passed"
    output = nbformat.read(outcome.notebook, as_version=4).cells[1].outputs[0].text
    python, folder, profile, seen, progress, renderer = json.loads(output)
    assert python == sys.executable
    assert (profile, seen, renderer) == ("full", "1" if strict else None, "plotly_mimetype")
    assert progress == str(tmp_path / "build" / "progress.json")
    assert not Path(folder).exists(), "the scratch folder is gone after the run"


def test_peak_memory_counts_the_kernel_and_its_children(chapter, run):
    source = """
    import subprocess, sys, time
    child = subprocess.Popen([sys.executable, "-c",
        "import time; block = b'1' * (150 * 2**20); print('ready', flush=True); time.sleep(60)"],
        stdout=subprocess.PIPE)
    child.stdout.readline()
    block = b"2" * (100 * 2**20)
    time.sleep(0.6)
    child.kill()
    child.wait()
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(654)"])"""
    short = "block = b'1' * (500 * 2**20); del block"  # gone before anybody looks
    both = run(
        chapter("01_big", code(source), memory_mib=2000), chapter("02_short", code(short), memory_mib=2000), jobs=2
    )
    assert [outcome.verdict for outcome in both] == ["passed", "passed"]
    assert 280 < both[0].peak_mib < 480
    assert 520 < both[1].peak_mib < 750
    assert not left_over("time.sleep(654)"), "what a notebook leaves running is ended with it"


def test_two_jobs_overlap_and_outcomes_keep_their_order(chapter, run):
    slow = "import time; time.sleep(1.2); began = 1"
    one, two = chapter("01_a", code(slow)), chapter("02_b", code("import time; time.sleep(0.6)"))
    outcomes = run(one, two, jobs=2)
    assert [outcome.chapter for outcome in outcomes] == ["01_a", "02_b"]
    assert {outcome.verdict for outcome in outcomes} == {"passed"}
    written = [outcome.notebook.stat().st_mtime for outcome in outcomes]
    assert written[1] < written[0], "the shorter one ended first, so both ran at once"


# ----------------------------------------------------------------------------------------------- what goes wrong


def test_a_failing_chapter_is_named_with_cell_and_error_and_others_run(chapter, run, tmp_path):
    bad = chapter("01_bad", code("ok = 1"), code("\n# why\nundefined_name", name="abcd1234"), code("print('never')"))
    meant = chapter("02_meant", code("1 / 0", "raises-exception"), code("print('after')"))
    left = chapter("03_left", code("import sys; sys.exit(0)"), code("print('never')"))
    outcomes = run(bad, meant, left, jobs=2)
    assert [outcome.verdict for outcome in outcomes] == ["failed", "passed", "failed"]
    assert outcomes[2].error["ename"] == "SystemExit", "leaving early is not passing"
    assert nbformat.read(outcomes[1].notebook, as_version=4).cells[2].outputs[0].text == "after\n"
    assert outcomes[0].error == {
        "cell_index": 2,
        "cell_id": "abcd1234",
        "first_line": "# why",
        "ename": "NameError",
        "evalue": "name 'undefined_name' is not defined",
    }
    assert runs.exit_status(outcomes) == 1
    cells = nbformat.read(tmp_path / "build" / "runs" / "01_bad.ipynb", as_version=4).cells
    assert cells[2].outputs[0].ename == "NameError"
    assert cells[3].outputs == [] and cells[3].execution_count is None
    assert len(cells) == 4, "papermill's own error cells are not kept"


def test_a_kernel_that_dies_is_reported(chapter, run):
    dies = "import os, sys; os.write(2, b'out of luck'); os._exit(7)"
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    outcomes = run(chapter("01_a", code(dies, name="dying")), chapter("02_b", code(killed)), jobs=2)
    assert [outcome.verdict for outcome in outcomes] == ["failed", "failed"]
    first, second = outcomes[0].error, outcomes[1].error
    assert (first["ename"], first["cell_id"]) == ("KernelDied", "dying")
    assert "exit status 7" in first["evalue"] and "out of luck" in first["evalue"]
    assert "memory" in second["evalue"]
    cell = nbformat.read(outcomes[0].notebook, as_version=4).cells[1]
    assert cell.outputs[-1].ename == "KernelDied"


def test_a_chapter_that_hangs_is_ended_with_everything_below_it(chapter, run):
    source = """
    import subprocess, sys
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(987)"])
    while True: pass"""
    begun = time.monotonic()
    (outcome,) = run(chapter("01_a", code("1"), code(source, name="hanging")), timeout=4)
    assert time.monotonic() - begun < 12
    assert outcome.verdict == "failed"
    assert (outcome.error["ename"], outcome.error["cell_id"]) == ("Timeout", "hanging")
    assert "4 s" in outcome.error["evalue"]
    cells = nbformat.read(outcome.notebook, as_version=4).cells
    assert cells[1].execution_count == 2 and cells[2].outputs[-1].ename == "Timeout"
    assert not left_over("time.sleep(987)")


def test_over_budget_by_memory_counts_as_failure_and_by_time_is_said(chapter, run):
    hungry = chapter("01_a", code("block = b'1' * (200 * 2**20)"), memory_mib=150)
    slow = chapter("02_b", code("import time; time.sleep(1.5)"), seconds=1)
    outcomes = run(hungry, slow, jobs=2)
    assert [outcome.verdict for outcome in outcomes] == ["over budget", "passed"]
    assert "declared 150 MiB" in outcomes[0].reason and "declared 1 s" in outcomes[1].reason
    assert runs.exit_status(outcomes) == 1


def test_the_full_profile_has_no_budget_and_time_counts_when_asked(chapter, run):
    hungry = chapter("01_a", code("import time; time.sleep(1.1)"), memory_mib=10, seconds=1)
    assert [outcome.verdict for outcome in run(hungry, profile="full")] == ["passed"]
    within = runs._Session.within_budget
    for strict, verdict in ((False, "passed"), (True, "over budget")):
        session = type("Session", (), {"strict_time": strict})
        assert within(session, chapter("02_b", seconds=1), 2.0, 100) == (verdict, "2 s, declared 1 s")


@pytest.mark.parametrize(
    ("backend", "peak", "verdict"),
    [
        (None, 101, "over budget"),
        ("tensorflow", 101, "over budget"),
        ("jax", 124, "passed"),
        ("jax", 126, "over budget"),
    ],
)
def test_another_backend_may_take_a_quarter_more_memory(chapter, monkeypatch, backend, peak, verdict):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    if backend:
        monkeypatch.setenv("KERAS_BACKEND", backend)
    session = type("Session", (), {"strict_time": False})
    found = runs._Session.within_budget(session, chapter("02_b", memory_mib=100, seconds=9), 2.0, peak)
    assert found == (verdict, f"{peak} MiB, declared 100 MiB"), "and it is said in any case"


def test_what_cannot_be_fetched_is_not_run_and_others_are(chapter, run, tmp_path, monkeypatch):
    from course_utils.data import fetch as module

    asked = []

    def fetch(name, progress=True):
        asked.append(name)
        if name == "mnist":
            raise CourseError("mnist cannot be downloaded: no network")

    monkeypatch.setattr(module, "fetch", fetch)
    needs = {"quick": ("tiny",), "full": ("mnist",)}
    needy, free = chapter("01_needy", code("1"), needs=needs), chapter("02_free", code("1"))
    stale = tmp_path / "build" / "runs" / "01_needy.ipynb"
    stale.parent.mkdir(parents=True)
    stale.write_text("from an earlier run")

    outcomes = run(needy, free, profile="full", jobs=2)
    assert [outcome.verdict for outcome in outcomes] == ["not run", "passed"]
    assert "mnist" in outcomes[0].reason and "no network" in outcomes[0].reason
    assert outcomes[0].notebook is None and not stale.exists()
    assert runs.exit_status(outcomes) == 3

    (outcome,) = run(needy)
    assert outcome.verdict == "passed" and asked == ["mnist", "tiny"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_what_was_finished_and_leaves_nothing_running(chapter, tmp_path, number):
    chapters = [
        chapter("01_done", code("1")),
        chapter("02_long", code("import time; open('ready', 'w'); time.sleep(876)", name="long-cell")),
        chapter("03_waits", code("1")),
    ]
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\nfrom pathlib import Path\nfrom course_utils.running import runs\n"
        "from course_utils.chapters import Chapter\n"
        f"root = Path({str(tmp_path)!r})\n"
        "chapters = [Chapter(n[:2], n, n[3:], 5, (), {}, 60, 600, root, root / 'notebooks' / f'{n}.ipynb', root)\n"
        f"            for n in {[one.name for one in chapters]!r}]\n"
        "outcomes = runs.run(chapters, out=root / 'build')\n"
        "sys.exit(runs.exit_status(outcomes))\n"
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(scratch)}
    process = subprocess.Popen([sys.executable, script], stderr=subprocess.PIPE, text=True, env=environment)
    until = time.monotonic() + 40
    while not list(scratch.glob("course-run-*/work/ready")):
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.1)
    below = psutil.Process(process.pid).children(recursive=True)
    assert len(below) >= 2, "a worker and its kernel"
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    stored = json.loads((tmp_path / "build" / "results.json").read_text())["outcomes"]
    assert [outcome["verdict"] for outcome in stored] == ["passed", "interrupted", "interrupted"]
    assert "cell 2" in stored[1]["reason"] and "not started" in stored[2]["reason"]
    assert not [one for one in below if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    assert not list(scratch.iterdir()), "scratch folders are removed"


def test_a_worker_ends_with_its_parent_even_when_that_is_killed(chapter, tmp_path):
    one = chapter("01_long", code("import time; open('ready', 'w'); time.sleep(765)"))
    job = {"notebook": str(one.learner), "output": str(tmp_path / "o.ipynb"), "folder": str(tmp_path), "parameters": {}}
    job["runtime"] = str(tmp_path / "runtime")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    worker = subprocess.Popen(
        [sys.executable, "-m", "course_utils.running.worker", json.dumps(job)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    until = time.monotonic() + 30
    while not (tmp_path / "ready").exists():
        assert time.monotonic() < until and worker.poll() is None
        time.sleep(0.1)
    below = psutil.Process(worker.pid).children(recursive=True)
    assert below
    worker.stdin.close()  # what the system does when the parent is gone
    worker.wait(timeout=10)
    psutil.wait_procs(below, timeout=10)
    assert not [process for process in below if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


# ------------------------------------------------------------------------------- refused before anything starts


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"profile": "fulll"}, ["fulll", "Did you mean full?"]),
        ({"edition": "solution"}, ["solution", "Did you mean solutions?"]),
        ({"jobs": 0}, ["jobs", "0"]),
        ({"jobs": 1.5}, ["jobs", "1.5"]),
        ({"timeout": -1}, ["timeout", "-1"]),
        ({"parameters": {"sead": "3"}}, ["sead", "Did you mean seed?"]),
        ({"parameters": {"seed": "three"}}, ["seed", "whole number", "three"]),
        ({"parameters": {"seed": "3.5"}}, ["seed", "whole number", "3.5"]),
        ({"parameters": {"rate": "fast"}}, ["rate", "a number", "fast"]),
        ({"parameters": {"deep": "1"}}, ["deep", "true or false"]),
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
    (outcome,) = run(one)  # without parameters nothing reads it before the worker does
    assert outcome.verdict == "failed" and outcome.error["ename"] == "WorkerDied"


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
    ],
)
def test_values_take_the_type_of_the_default(text, default, value):
    parsed = runs.parse_value("name", text, default)
    assert parsed == value and type(parsed) is type(value)


# --------------------------------------------------------------------------------------------- status and table


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        (["passed", "passed"], 0),
        (["passed", "not run"], 3),
        (["not run", "failed"], 1),
        (["over budget"], 1),
        (["failed", "interrupted"], 130),
    ],
)
def test_exit_status(verdicts, status):
    assert runs.exit_status([runs.Outcome("01_a", "A", verdict) for verdict in verdicts]) == status


def test_the_table_takes_text_as_text():
    from rich.console import Console

    error = {"cell_index": 4, "cell_id": "ab", "first_line": "x[[0]]", "ename": "E", "evalue": "[bold]no[/nope]\nmore"}
    outcome = runs.Outcome("01_a", "A", "failed", 1234.56, 1536, ["[red]0.9"], error=error)
    console = Console(file=io.StringIO(), width=160)
    console.print(runs.table([outcome]))
    text = console.file.getvalue()
    for piece in ("1,234.6", "1,536", "[red]0.9", "cell 5 (ab): x[[0]] → E: [bold]no[/nope]", "✗ failed"):
        assert piece in text
