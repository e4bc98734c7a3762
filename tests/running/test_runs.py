"""Headless runs, on tiny notebooks without a framework."""

import errno
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
import uuid
from pathlib import Path

import nbformat
import psutil
import pytest
from small_chapters import HEADLINE, code

from course_utils import paths
from course_utils.errors import CourseError, NetworkError, NotKept
from course_utils.running import report, runs
from course_utils.running.outcome import Outcome, read_results

ROOT = Path(__file__).resolve().parents[2]


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
    (outcome,) = run(good, progress=True, console=console)

    assert (outcome.verdict, outcome.kind, outcome.error, outcome.reason) == ("passed", "", None, "")
    assert outcome.headline == ["accuracy 0.9"]
    assert outcome.claims == [{"id": "c44", "verdict": "holds", "evidence": "93,322", "chapter": "07"}]
    assert 0 < outcome.seconds < 30
    assert 25 < outcome.peak_mib < 600
    assert 0 < outcome.cpu_seconds < 30
    assert runs.exit_status([outcome]) == 0

    notebook = nbformat.read(tmp_path / "build" / "runs" / "07_mnist_cnn.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert notebook.cells[-1].outputs[0].text == "0 0.1\n"
    assert "papermill" not in notebook.metadata and "widgets" not in notebook.metadata
    assert str(tmp_path) not in json.dumps(notebook)

    stored = read_results(tmp_path / "build" / "results.json")
    assert stored.outcomes == [outcome]
    assert (stored.request["profile"], stored.request["parameters"]) == ("quick", {})
    assert stored.machine["cores"] >= 1

    text = said.getvalue()
    assert "07_mnist_cnn: started" in text
    assert "✓ 07_mnist_cnn" in text and "passed · accuracy 0.9" in text
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
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COURSE_DATA", "own")
    source = """
    import os, sys, json
    names = ["COURSE_PROFILE", "COURSE_STRICT", "COURSE_PROGRESS", "PLOTLY_RENDERER", "COURSE_DATA"]
    print(json.dumps([sys.executable, os.getcwd(), *[os.environ.get(name) for name in names]]))"""
    one = chapter("01_a", code("1"))
    solved = nbformat.read(one.solutions, as_version=4)
    solved.cells[1].source = textwrap.dedent(source)
    nbformat.write(solved, one.solutions)
    (outcome,) = run(one, strict=strict, profile="full", edition="solutions")
    assert outcome.verdict == "passed"
    output = nbformat.read(outcome.notebook, as_version=4).cells[1].outputs[0].text
    python, folder, profile, seen, progress, renderer, data = json.loads(output)
    assert python == sys.executable
    assert (profile, seen, renderer) == ("full", "1" if strict else None, "plotly_mimetype")
    assert progress == str(tmp_path / "build" / "progress.json")
    assert data == str(tmp_path / "own"), "a relative path means the folder where the command was typed"
    assert not Path(folder).exists(), "the scratch folder is gone after the run"


def test_peak_memory_counts_the_kernel_and_its_children(chapter, run):
    marker = uuid.uuid4().hex
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
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(654)  # MARKER"])""".replace(
        "MARKER", marker
    )
    short = "block = b'1' * (500 * 2**20); del block"  # gone before anybody looks
    both = run(
        chapter("01_big", code(source), memory_mib=2000), chapter("02_short", code(short), memory_mib=2000), jobs=2
    )
    assert [outcome.verdict for outcome in both] == ["passed", "passed"]
    assert 280 < both[0].peak_mib < 480
    assert 520 < both[1].peak_mib < 750
    assert not left_over(marker), "what a notebook leaves running is ended with it"


def test_processor_seconds_are_those_of_the_work_not_of_waiting(chapter, run):
    busy = "import time\nend = time.process_time() + 1.5\nwhile time.process_time() < end: pass"
    outcomes = run(chapter("01_busy", code(busy)), chapter("02_waits", code("import time; time.sleep(1.5)")), jobs=2)
    assert all(outcome.seconds >= 1.5 for outcome in outcomes)
    assert outcomes[0].cpu_seconds - outcomes[1].cpu_seconds == pytest.approx(1.5, abs=0.7)


def test_a_sweep_does_not_overwrite_itself(chapter, run, tmp_path):
    one = chapter("01_a", code("print(seed)"))
    for seed in ("0", "1", "2"):
        (outcome,) = run(one, parameters={"seed": seed})
        assert nbformat.read(outcome.notebook, as_version=4).cells[-1].outputs[0].text == f"{seed}\n"
    assert read_results(tmp_path / "build" / "results.json").request["parameters"] == {"seed": 2}
    assert len(list((tmp_path / "build" / "runs").iterdir())) == 3


def test_a_module_in_the_folder_where_the_command_is_typed_breaks_nothing(chapter, tmp_path):
    one = chapter("01_a", code("import random, subprocess, sys\nprint(random.random() < 1)"))
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("random", "json", "queue", "nbformat", "numpy"):
        (folder / f"{name}.py").write_text("raise SystemExit('the module of the current folder was imported')")
    program = (
        "import sys; from pathlib import Path; from course_utils.running import runs; "
        "from course_utils.chapters import Chapter; "
        f"one = Chapter('01', '01_a', 'A', (), {{}}, 60, 600, Path({str(one.source)!r})); "
        f"sys.exit(runs.exit_status(runs.run([one], out=Path({str(tmp_path / 'build')!r}))))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_two_jobs_run_at_once_and_outcomes_keep_their_order(chapter, run, tmp_path):
    sign = tmp_path / "sign"
    waits = f"""
    import pathlib, time
    until = time.monotonic() + 60
    while not pathlib.Path({str(sign)!r}).exists():
        assert time.monotonic() < until, "the other chapter did not run beside this one"
        time.sleep(0.05)"""
    gives = f"import pathlib; pathlib.Path({str(sign)!r}).touch()"
    outcomes = run(chapter("01_waits", code(waits)), chapter("02_gives", code(gives)), jobs=2)
    assert [(outcome.chapter, outcome.verdict) for outcome in outcomes] == [
        ("01_waits", "passed"),
        ("02_gives", "passed"),
    ]


@pytest.mark.parametrize(("jobs", "order"), [(1, ["01", "02", "03"]), (2, ["02", "03", "01"])])
def test_with_several_jobs_the_longest_chapter_starts_first(chapter, run, jobs, order):
    from rich.console import Console

    said = io.StringIO()
    declared = {"01_short": 10, "02_long": 60, "03_middle": 30}
    asked = [chapter(name, code("1"), seconds=seconds) for name, seconds in declared.items()]
    run(*asked, jobs=jobs, progress=True, console=Console(file=said, width=100))
    assert re.findall(r"^(\d\d)_\w+: started", said.getvalue(), re.MULTILINE) == order


@pytest.mark.parametrize(
    ("cores", "profile", "at_once"), [(1, "quick", 1), (2, "quick", 2), (16, "quick", 4), (16, "full", 1)]
)
def test_without_a_number_there_is_a_chapter_for_each_core(monkeypatch, cores, profile, at_once):
    monkeypatch.setattr(runs.runtime, "cores", lambda: cores)
    assert runs.fitting(profile) == at_once


# Chapters declare 3,000, 2,000 and 900 MiB, and the one that is declared longest starts first.
@pytest.mark.parametrize(
    ("room", "beside_the_first"),
    [(8_000, {"02_middle", "03_small"}), (4_000, {"03_small"}), (2_000, set())],
)
def test_without_a_number_chapters_run_together_as_far_as_memory_goes(
    chapter, run, tmp_path, monkeypatch, room, beside_the_first
):
    monkeypatch.setattr(runs.runtime, "cores", lambda: 3)
    monkeypatch.setenv("COURSE_MEMORY_MIB", str(room))
    beside, start = {}, runs._Session._start

    def noted(session, job):
        beside[job.chapter.name] = {execution.job.chapter.name for execution in session.running.values()}
        start(session, job)

    monkeypatch.setattr(runs._Session, "_start", noted)
    declared = {"01_long": (60, 3_000), "02_middle": (50, 2_000), "03_small": (40, 900)}
    asked = [
        chapter(name, code("import time; time.sleep(1)"), seconds=seconds, memory_mib=memory)
        for name, (seconds, memory) in declared.items()
    ]
    outcomes = run(*asked, jobs=None)
    assert [outcome.verdict for outcome in outcomes] == ["passed"] * 3, [outcome.reason for outcome in outcomes]
    assert beside["01_long"] == set() and len(beside) == 3
    assert {name for name, others in beside.items() if "01_long" in others} == beside_the_first
    assert read_results(tmp_path / "build" / "results.json").request["jobs"] == 3


# ----------------------------------------------------------------------------------------------- what goes wrong


def test_a_failing_chapter_is_named_with_cell_and_error_and_others_run(chapter, run, tmp_path):
    bad = chapter("01_bad", code("ok = 1"), code("\n# why\nundefined_name", name="abcd1234"), code("print('never')"))
    meant = chapter("02_meant", code("1 / 0", "raises-exception"), code("print('after')"))
    left = chapter("03_left", code("import sys; sys.exit(0)"), code("print('never')"))
    outcomes = run(bad, meant, left, jobs=2)
    assert [outcome.verdict for outcome in outcomes] == ["failed", "passed", "failed"]
    assert outcomes[2].error["ename"] == "SystemExit", "leaving early is not passing"
    assert [outcome.kind for outcome in outcomes] == ["cell error", "", "cell error"]
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
    assert [outcome.kind for outcome in outcomes] == ["kernel died", "memory"]
    first, second = outcomes[0].error, outcomes[1].error
    assert (first["ename"], first["cell_id"]) == ("KernelDied", "dying")
    assert "exit status 7" in first["evalue"] and "out of luck" in first["evalue"]
    assert "memory" in second["evalue"]
    cell = nbformat.read(outcomes[0].notebook, as_version=4).cells[1]
    assert cell.outputs[-1].ename == "KernelDied"


def test_a_chapter_that_hangs_is_ended_with_everything_below_it(chapter, run):
    marker = uuid.uuid4().hex  # other tests, and other runs of them, start processes that sleep
    source = f"""
    import subprocess, sys
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(987)  # {marker}"])
    while True: pass"""
    (outcome,) = run(chapter("01_a", code("1"), code(source, name="hanging")), timeout=8)
    assert (outcome.verdict, outcome.kind) == ("failed", "time")
    assert (outcome.error["ename"], outcome.error["cell_id"]) == ("Timeout", "hanging")
    assert "8 s" in outcome.error["evalue"]
    cells = nbformat.read(outcome.notebook, as_version=4).cells
    assert cells[1].execution_count == 2 and cells[2].outputs[-1].ename == "Timeout"
    assert not left_over(marker)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("raise MemoryError", "memory"),
        ("import numpy; numpy.zeros(10**16)", "memory"),
        ("raise RuntimeError('RESOURCE_EXHAUSTED: out of memory')", "memory"),
        ("from course_utils.errors import NetworkError\nraise NetworkError('no way out')", "network"),
        ("import socket; socket.create_connection(('127.0.0.1', 9), timeout=2)", "network"),
        ("import os; raise OSError(28, os.strerror(28))", "disk"),
        ("raise ValueError('x')", "cell error"),
    ],
)
def test_a_cells_failure_has_a_kind(chapter, run, source, kind):
    (outcome,) = run(chapter("01_a", code(source)))
    assert (outcome.verdict, outcome.kind) == ("failed", kind)


def test_a_worker_that_dies_is_told_from_a_kernel_that_dies(chapter, run):
    kills = "import os, psutil; psutil.Process(os.getppid()).send_signal({})"
    outcomes = run(chapter("01_a", code(kills.format(11), name="cell")), chapter("02_b", code(kills.format(9))), jobs=2)
    assert [(outcome.verdict, outcome.kind) for outcome in outcomes] == [
        ("failed", "worker died"),
        ("failed", "memory"),
    ]
    assert outcomes[0].error["cell_id"] == "cell" and "11" in outcomes[0].error["evalue"]


@pytest.mark.parametrize(
    "text",
    [
        "{ not json",
        "",
        "[]",
        "{}",
        '{"cells": "none"}',
        '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
        '{"cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": "words"}], "metadata": {},'
        ' "nbformat": 4, "nbformat_minor": 5}',
        '{"cells": [{"cell_type": "code", "source": "1"}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
        '{"cells": [{"cell_type": "code", "source": "1"}], "nbformat": "four"}',
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_notebook_is_a_sentence_and_the_others_run(chapter, run, text):
    none, good = chapter("01_a", code("1")), chapter("02_b", code("1"))
    none.learner.write_bytes(text if isinstance(text, bytes) else text.encode())
    outcomes = run(none, good)
    assert [(outcome.verdict, outcome.kind) for outcome in outcomes] == [("failed", "not a notebook"), ("passed", "")]
    assert "01_a.ipynb" in outcomes[0].reason and outcomes[0].error is None


FULL = OSError(28, os.strerror(28))


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of 200 KB, in a namespace of its own; skipped where the system does not allow that."""
    if not shutil.which("unshare"):
        pytest.skip("no unshare here")
    words = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=200k tmpfs "$0" && exec "$@"', str(tmp_path / "out")]
    (tmp_path / "out").mkdir()
    if subprocess.run([*words, "true"], capture_output=True).returncode:
        pytest.skip("this system mounts nothing in a namespace (unshare -rm)")
    return words


def test_a_full_disk_stops_what_does_not_fit_and_nothing_else(chapter, small_disk, tmp_path):
    chapters = [chapter("01_big", code("1"), code("print('x' * 300_000)")), chapter("02_small", code("1"))]
    program = (
        "import sys; from pathlib import Path; from course_utils.running import runs; "
        "from course_utils.chapters import Chapter; "
        f"paths = {[str(one.source) for one in chapters]!r}; "
        "chapters = [Chapter(p.stem[:2], p.stem, 'A', (), {}, 60, 600, p) for p in map(Path, paths)]; "
        f"found = runs.run(chapters, out=Path({str(tmp_path / 'out')!r})); "
        f"print(Path({str(tmp_path / 'out' / 'results.json')!r}).read_text()); "
        f"print([path.name for path in Path({str(tmp_path / 'out' / 'runs')!r}).iterdir()])"
    )
    done = subprocess.run(
        [*small_disk, sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr
    big, small = json.loads(done.stdout[: done.stdout.rindex("[")])["outcomes"]
    assert (big["verdict"], big["kind"]) == ("failed", "disk") and "no room" in big["reason"]
    assert small["verdict"] == "passed"
    # What the big one had before it filled the disk is no notebook of the whole chapter.
    assert (big["notebook"], small["notebook"]) == (None, "runs/02_small.ipynb")
    assert done.stdout.splitlines()[-1] == "['02_small.ipynb']"


def test_results_that_cannot_be_written_are_said_after_the_table(chapter, run, tmp_path, monkeypatch):
    paths.write_atomic(tmp_path / "build" / "results.json", "{}")

    def full(*_, **__):
        raise FULL

    monkeypatch.setattr(runs, "write_results", full)
    said = io.StringIO()
    from rich.console import Console

    with pytest.raises(NotKept, match=os.strerror(28)) as caught:
        run(chapter("01_a", code("1")), progress=True, console=Console(file=said))
    assert "passed" in said.getvalue() and caught.value.status == 4
    assert not (tmp_path / "build" / "results.json").exists(), "an earlier run's would be taken for this one's"


def test_a_report_that_cannot_be_written_is_one_sentence_and_a_status_of_its_own(tmp_path, monkeypatch):
    passed, failed = (Outcome("01_a", "A", verdict) for verdict in ("passed", "failed"))
    monkeypatch.setattr(report, "write_atomic", lambda *_: _raise(FULL))
    for outcomes, status in (([passed], 4), ([passed, failed], 1)):
        (tmp_path / "report.html").write_text("an earlier run's")
        with pytest.raises(NotKept, match=os.strerror(28)) as caught:
            report.write(outcomes, tmp_path / "report.html")
        assert caught.value.status == status, "that a chapter failed counts for more than the disk"
        assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize(("error", "kind"), [(FULL, "disk"), (OSError(errno.EAGAIN, "no more processes"), "start")])
def test_a_chapter_that_cannot_be_started_does_not_stop_the_others(chapter, run, monkeypatch, error, kind):
    make = runs.Execution
    monkeypatch.setattr(runs, "Execution", lambda job, **more: make(job, **more) if "02" in job.key else _raise(error))
    outcomes = run(chapter("01_a", code("1")), chapter("02_b", code("1")))
    assert [(outcome.verdict, outcome.kind) for outcome in outcomes] == [("failed", kind), ("passed", "")]


def _raise(error):
    raise error


@pytest.fixture
def withheld(monkeypatch):
    """``withheld("mnist", error)``: this set cannot be fetched, others can; returns what was asked for, as a list."""

    def make(name: str, error: Exception) -> list[str]:
        from course_utils.data import fetch as module

        asked = []

        def fetch(wanted, progress=True):
            asked.append(wanted)
            if wanted == name:
                raise error

        monkeypatch.setattr(module, "fetch", fetch)
        return asked

    return make


def test_a_section_whose_data_cannot_be_had_is_left_out_by_name_and_the_rest_runs(chapter, run, withheld):
    asked = withheld("films", NetworkError("films could not be downloaded: no network"))
    areas = (
        nbformat.v4.new_markdown_cell("## 1 · Films", metadata={"needs": "films"}),
        code("raise RuntimeError('without its data')"),
        nbformat.v4.new_markdown_cell("## 2 · Words", metadata={"needs": "words"}),
        code("found = 2"),
        nbformat.v4.new_markdown_cell("## 3 · Recap"),
        code("print('the end')"),
    )
    (outcome,) = run(chapter("01_areas", *areas))
    assert outcome.verdict == "passed" and sorted(asked) == ["films", "words"]
    assert outcome.reason == "not run: “1 · Films”. films could not be downloaded: no network"
    done = nbformat.read(outcome.notebook, as_version=4)
    assert "## 1 · Films" in [cell.source for cell in done.cells], "the heading stays"
    assert done.cells[-1].outputs[0].text == "the end\n"


def test_a_side_road_that_is_left_out_needs_nothing(chapter, run, withheld):
    withheld("films", NetworkError("no network"))
    side = nbformat.v4.new_markdown_cell("## 1 · Films", metadata={"needs": "films", "road": "side"})
    made = chapter("01_areas", nbformat.v4.new_markdown_cell("# 01"), code("1"), side, code("2"))
    (outcome,) = run(made, road="main")
    assert (outcome.verdict, outcome.reason) == ("passed", "")


@pytest.mark.parametrize(("error", "kind"), [(NetworkError, "network"), (CourseError, "data")])
def test_what_cannot_be_fetched_is_not_run_and_others_are(chapter, run, tmp_path, withheld, error, kind):
    asked = withheld("mnist", error("mnist cannot be downloaded: no network"))
    needs = {"quick": ("tiny",), "full": ("mnist",)}
    needy, free = chapter("01_needy", code("1"), needs=needs), chapter("02_free", code("1"))
    stale = tmp_path / "build" / "runs" / "01_needy.ipynb"
    stale.parent.mkdir(parents=True)
    stale.write_text("from an earlier run")

    outcomes = run(needy, free, profile="full", jobs=2)
    assert [(outcome.verdict, outcome.kind) for outcome in outcomes] == [("not run", kind), ("passed", "")]
    assert outcomes[0].reason == "mnist cannot be downloaded: no network", "the sentence, and nothing around it"
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
        # A shell's background job is started with SIGINT ignored, and so is then what it starts.
        "import signal, sys\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from pathlib import Path\nfrom course_utils.running import runs\n"
        "from course_utils.chapters import Chapter\n"
        f"root = Path({str(tmp_path)!r})\n"
        "chapters = [Chapter(n[:2], n, n[3:], (), {}, 60, 600, root / 'notebooks' / 'source' / f'{n}.py')\n"
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
