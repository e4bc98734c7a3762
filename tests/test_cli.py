"""The ``course`` command: thin, quick to start, and clear about what cannot be done."""

import functools
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from course_utils import __version__, cli, paths
from course_utils.commands import learner
from course_utils.errors import CourseError

ROOT = Path(__file__).parent.parent
COMMANDS = (
    "doctor", "lab", "reset", "run", "build", "progress", "claims", "compare", "check", "sign", "serve",
    "loadtest", "data", "registry", "capstone",
)  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_of_the_users(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    for name in ("COURSE_DATA", "COURSE_PROFILE", "COURSE_STRICT", "COURSE_PROGRESS", "KERAS_BACKEND", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


def test_the_help_names_every_command_and_needs_nothing_heavy():
    code = (
        "import sys\n"
        "from course_utils.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as ended: assert not ended.code\n"
        "heavy = {'tensorflow', 'keras', 'pandas', 'numpy', 'plotly', 'papermill', 'IPython', 'jupytext', 'pooch',"
        " 'jinja2', 'nh3', 'PIL', 'psutil', 'yaml', 'course_utils.chapters', 'course_utils.doctor'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "LOADED []" in done.stdout
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout


def test_the_first_lines_of_the_help_are_not_cut_off(course):
    assert "..." not in course("--help").out.replace("[ARGS]...", "")
    assert "..." not in course("data", "--help").out.replace("[ARGS]...", "")


@pytest.mark.parametrize(
    "command", [(name,) for name in COMMANDS] + [("data", "list"), ("data", "fetch"), ("data", "verify")]
)
def test_every_command_has_help(course, command):
    done = course(*command, "--help")
    assert done.status == 0
    assert done.out.startswith(f"Usage: course {' '.join(command)}")


def test_the_version(course):
    done = course("--version")
    assert (done.status, done.out) == (0, f"course {__version__}\n")


def test_the_command_is_also_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "course_utils", "--version"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (done.returncode, done.stdout) == (0, f"course {__version__}\n")


def test_an_unknown_command_is_refused_with_the_near_miss(course):
    done = course("rum")
    assert done.status == 2
    assert "run" in done.err


def test_an_error_for_the_reader_is_one_message_without_a_traceback(course, monkeypatch):
    def fail(*arguments, **options):
        raise CourseError("This went wrong. Do that.")

    monkeypatch.setattr("course_utils.doctor.report", fail)
    done = course("doctor")
    assert (done.status, done.out, done.err) == (2, "", "course: This went wrong. Do that.\n")


def test_a_fault_of_the_program_keeps_its_traceback(monkeypatch):
    def fail(*arguments, **options):
        raise ZeroDivisionError

    monkeypatch.setattr("course_utils.doctor.report", fail)
    with pytest.raises(ZeroDivisionError):
        cli.main(["doctor"])


def test_a_library_that_is_missing_is_named_with_what_installs_it(course, monkeypatch):
    def fail(*arguments, **options):
        import a_library_that_nobody_has.inside  # noqa: F401

    monkeypatch.setattr("course_utils.doctor.report", fail)
    done = course("doctor")
    assert done.status == 2
    assert done.err.startswith("course: a_library_that_nobody_has is not installed.")
    assert "pip install" in done.err

    def fault(*arguments, **options):
        import json.nothing_of_this_name  # noqa: F401

    monkeypatch.setattr("course_utils.doctor.report", fault)
    with pytest.raises(ModuleNotFoundError):
        cli.main(["doctor"])


def test_ctrl_c_ends_quietly(course, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("course_utils.doctor.report", interrupt)
    done = course("doctor")
    assert done.status == 130
    assert "Traceback" not in done.err


# ---- doctor


@pytest.mark.parametrize(("state", "status"), [("ok", 0), ("notice", 0), ("problem", 1)])
def test_doctor_fails_on_problems_only(course, monkeypatch, state, status):
    from course_utils import doctor

    asked = []
    found = doctor.Report((doctor.Row("Memory", state, "4 GiB", "buy more"),))
    monkeypatch.setattr(doctor, "report", lambda framework: asked.append(framework) or found)
    done = course("doctor")
    assert done.status == status
    assert "Memory" in done.out
    assert "→ buy more" in done.out
    course("doctor", "--framework")
    assert asked == [False, True]


# ---- lab and reset


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    root = tmp_path / "course"
    (root / "notebooks" / "source").mkdir(parents=True)
    (root / "pyproject.toml").write_text(f'name = "{paths.PROJECT}"')
    (root / "notebooks" / "00_start_here.ipynb").write_text("{}")
    monkeypatch.chdir(root)
    return root


def test_lab_makes_the_working_copy_and_starts_jupyterlab_there(course, checkout, monkeypatch):
    started = []
    monkeypatch.setattr("course_utils.workspace.serve", lambda *started_with: started.append(started_with) or 0)
    done = course("lab", "--no-browser", "--port", "8899", "--", "--allow-root", "--ip=127.0.0.1")
    assert done.status == 0
    assert "1 notebook copied into work." in done.out
    ((command, root),) = started
    assert root == checkout
    assert command[-4:] == ["--no-browser", "--port=8899", "--allow-root", "--ip=127.0.0.1"]
    (checkout / "work" / "00_start_here.ipynb").write_text("mine")
    (checkout / "notebooks" / "00_start_here.ipynb").write_text("newer")
    done = course("lab", "--", "--allow-root")
    assert "course reset 00" in done.out
    assert (checkout / "work" / "00_start_here.ipynb").read_text() == "mine"


def test_lab_passes_on_how_jupyterlab_ended(course, checkout, monkeypatch):
    monkeypatch.setattr("course_utils.workspace.serve", lambda command, root: 7)
    assert course("lab", "--", "--allow-root").status == 7


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="there is no administrator of this kind here")
def test_lab_for_the_administrator_says_how(course, checkout, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    done = course("lab")
    assert done.status == 2
    assert "course lab -- --allow-root" in done.err


def test_reset_says_where_the_learners_copy_is(course, monkeypatch):
    from course_utils import workspace

    asked = []
    copy = workspace.Copy("07_mnist_cnn.ipynb", "reset", Path("work/07_mnist_cnn.kept-1.ipynb"))
    monkeypatch.setattr(workspace, "reset", lambda names: asked.append(names) or [copy])
    done = course("reset", "07", "08")
    assert asked == [["07", "08"]]
    assert "work/07_mnist_cnn.kept-1.ipynb" in done.out.replace(os.sep, "/")


# ---- run


@dataclass
class FakeRuns:
    status: int = 0
    asked: dict | None = None

    def run(self, chapters, **options):
        self.asked = {"chapters": chapters, **options}
        return ["an outcome"]

    def exit_status(self, outcomes):
        assert outcomes == ["an outcome"]
        return self.status


@pytest.fixture
def runs(monkeypatch, checkout):
    """The runs and the report replaced: what the command asks of them is kept."""
    from course_utils import chapters
    from course_utils.running import report, runs

    fake = FakeRuns()
    monkeypatch.setattr(runs, "run", fake.run)
    monkeypatch.setattr(runs, "exit_status", fake.exit_status)
    monkeypatch.setattr(report, "write", lambda outcomes, path: paths.write_atomic(path, str(outcomes)))
    monkeypatch.setattr(chapters, "select", lambda names, root: [f"chapter {name}" for name in names or ["00", "07"]])
    return fake


def test_run_without_arguments_is_every_chapter_in_quick(course, runs, checkout):
    done = course("run")
    assert done.status == 0
    assert runs.asked == {
        "chapters": ["chapter 00", "chapter 07"], "profile": "quick", "parameters": {}, "jobs": None,
        "edition": "learner", "road": "all", "strict": False, "out": checkout / "build", "timeout": None,
    }  # fmt: skip
    assert (checkout / "build" / "report.html").exists()
    assert os.path.join("build", "report.html") in done.out


def test_run_passes_everything_on(course, runs, tmp_path):
    course(
        "run", "07", "--profile", "full", "-p", "seed=3", "-p", "name=a=b", "--jobs", "2",
        "--edition", "solutions", "--strict", "--out", str(tmp_path / "out"), "--timeout", "90", "--road", "main",
    )  # fmt: skip
    assert runs.asked == {
        "chapters": ["chapter 07"], "profile": "full", "parameters": {"seed": "3", "name": "a=b"}, "jobs": 2,
        "edition": "solutions", "road": "main", "strict": True, "out": tmp_path / "out", "timeout": 90.0,
    }  # fmt: skip


def test_the_profile_comes_from_the_environment_too(course, runs, monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "full")
    course("run")
    assert runs.asked["profile"] == "full"


@pytest.mark.parametrize("status", [0, 1, 3, 130])
def test_run_ends_with_the_status_of_its_outcomes(course, runs, status):
    runs.status = status
    assert course("run").status == status


def test_a_report_that_does_not_fit_on_the_disk_has_a_status_that_the_help_names(course, runs, monkeypatch):
    from course_utils.errors import NotKept
    from course_utils.running import report

    def full(outcomes, path):
        raise NotKept("The chapters were run, but the report could not be written.")

    monkeypatch.setattr(report, "write", full)
    done = course("run")
    assert done.status == 4 and done.err == "course: The chapters were run, but the report could not be written.\n"
    assert "4 all passed, but the results" in " ".join(course("run", "--help").out.split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-p", "seed"), "name=value"),
        (("-p", "=3"), "name=value"),
        (("-p", "a b=3"), "name=value"),
        (("-p", "seed=1", "-p", "seed=2"), "twice"),
    ],
)
def test_a_parameter_of_another_form_is_refused_before_anything_starts(course, runs, arguments, words):
    done = course("run", *arguments)
    assert done.status == 2
    assert words in done.err
    assert runs.asked is None


def test_parameters():
    assert learner.parameters(["seed=3", "text= a = b "]) == {"seed": "3", "text": " a = b "}


# ---- build


@dataclass
class Problem:
    level: str

    def __str__(self) -> str:
        return f"source.py:1: {self.level}"


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (("--check",), 1, "07: a cell differs"),
        (("--lint",), 0, "source.py:1: warning"),
        (("--check", "--lint"), 1, "2 chapters: 1 error, 1 warning."),
    ],
)
def test_build_only_looks_when_asked_to(course, runs, monkeypatch, options, status, words):
    from course_utils.authoring import editions, lint

    monkeypatch.setattr(editions, "build", lambda *a, **k: pytest.fail("it must not build"))
    monkeypatch.setattr(editions, "check", lambda chapters: ["07: a cell differs"])
    monkeypatch.setattr(lint, "lint_chapters", lambda chapters: [Problem("warning")])
    done = course("build", *options)
    assert done.status == status
    assert words in done.out


def test_a_lint_error_fails(course, runs, monkeypatch):
    from course_utils.authoring import lint

    monkeypatch.setattr(lint, "lint_chapters", lambda chapters: [Problem("error")])
    assert course("build", "--lint").status == 1


def test_a_build_says_afterwards_what_the_lint_finds(course, runs, monkeypatch):
    from course_utils.authoring import editions, lint

    monkeypatch.setattr(editions, "build", lambda chapters, execute, say: say("written"))
    monkeypatch.setattr(lint, "lint_chapters", lambda chapters: [Problem(f"error in {chapters}"), Problem("warning")])
    done = course("build", "07")
    assert (done.status, done.out) == (0, "written\n")
    assert done.err == "source.py:1: error in ['chapter 07']\nsource.py:1: warning\n"


def test_an_interrupted_build_says_that_the_old_editions_stand(course, runs, monkeypatch):
    from course_utils.authoring import editions, lint

    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(editions, "build", interrupt)
    monkeypatch.setattr(lint, "lint_chapters", lambda chapters: pytest.fail("nothing was built"))
    done = course("build")
    assert (done.status, done.out) == (130, "")
    assert done.err == "Stopped; the editions that were being made are as before.\n"


@pytest.mark.parametrize(("options", "execute"), [((), True), (("--no-execute",), False)])
def test_build_builds(course, runs, monkeypatch, options, execute):
    from course_utils.authoring import editions, lint

    asked = []
    monkeypatch.setattr(lint, "lint_chapters", lambda chapters: [])
    monkeypatch.setattr(
        editions, "build", lambda chapters, execute, say: asked.append((chapters, execute)) or say("hi")
    )
    done = course("build", "07", *options)
    assert (done.status, done.out) == (0, "hi\n")
    assert asked == [(["chapter 07"], execute)]


# ---- progress and claims


def test_progress_as_a_table_and_as_a_file(course, tmp_path):
    done = course("progress")
    assert done.status == 0
    assert "00-1" in done.out
    assert "not attempted" in done.out
    target = tmp_path / "progress.csv"
    done = course("progress", "--csv", str(target))
    assert done.status == 0
    assert target.read_text("utf-8").startswith("exercise,")


def ran(checkout: Path, *claims: list[dict]) -> None:
    """Leave the results of a run whose chapters recorded these claims."""
    from course_utils.running.outcome import Outcome, write_results

    (checkout / "build").mkdir()
    outcomes = [Outcome(f"{n:02}_a", "A", "passed", claims=of_one) for n, of_one in enumerate(claims)]
    write_results(checkout / "build" / "results.json", outcomes, {})


def test_claims_are_listed_and_the_verdicts_of_the_last_run_shown(course, checkout, tmp_path):
    done = course("claims")
    assert done.status == 0
    assert "c44" in done.out
    assert "measured 93,322" not in done.out
    claim = {"id": "c44", "verdict": "holds", "evidence": "measured 93,322", "chapter": "07"}
    ran(checkout, [claim], [])
    assert "measured 93,322" in course("claims").out
    other = tmp_path / "other.json"
    other.write_text("{}")
    done = course("claims", "--results", str(other))
    assert done.status == 2
    assert "course run" in done.err
    assert course("claims", "--results", str(tmp_path / "none.json")).status == 2


# ---- compare


@pytest.fixture
def tickets(tmp_path):
    words = {"billing": "invoice refund card", "bug": "crash error frozen", "account": "password login user"}
    lines = ["message,team"]
    for number in range(60):
        team = list(words)[number % 3]
        lines.append(f"{words[team]} {'abcdefgh'[number % 8]}{'ijklmnop'[number // 8]} {'qrstuv'[number % 6]}w,{team}")
    path = tmp_path / "tickets.csv"
    path.write_text("\n".join(lines), "utf-8")
    return path


def test_compare_prints_what_is_wrong_a_recommendation_a_table_and_the_report(course, tickets, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    columns = ("--text", "message", "--label", "team")
    done = course("compare", "tickets.csv", *columns, "--only", "tfidf", "--minutes-per-error", "20")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("The data first:")
    assert "Ship “TF-IDF + logistic regression”" in done.out
    assert "tfidf *" in done.out
    assert f"Report: {Path('compare-tickets') / 'report.html'}" in done.out
    assert (
        json.loads((tmp_path / "compare-tickets" / "report.json").read_text("utf-8"))["settings"]["minutes_per_error"]
        == 20
    )
    again = course("compare", "tickets.csv", *columns, "--only", "tfidf")
    assert again.out.count("kept") == 2


def test_compare_passes_its_options_on(course, monkeypatch, tmp_path):
    from course_utils.compare import running
    from course_utils.compare.account import Currency
    from course_utils.compare.api import Prices

    asked = []

    def run(*words, **options):
        asked.append((words, options))
        raise CourseError("enough")

    monkeypatch.setattr(running, "run", run)
    words = ("t.csv", "--text", "a", "--label", "b", "--out", str(tmp_path), "--full", "--fresh", "--only", "small")
    assert course("compare", *words, "--seed", "3").status == 2
    assert asked == [
        (
            (Path("t.csv"), "a", "b"),
            {
                "out": tmp_path, "profile": "full", "candidates": "small", "currency": Currency(), "must_find": {},
                "prices": Prices(), "splits": None, "refit": "outside", "time_column": None, "encoder": None, "seed": 3,
                "fresh": True,
            },
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--label", "nobody"), "has no column 'nobody'; it has 'message', 'team'"),
        (("--label", "team", "--only", "tfdif"), "There is no candidate 'tfdif'. Did you mean tfidf?"),
        (("--label", "team", "--minutes-per-error", "-1"), "minutes_per_error must be a number of 0 or more; it is -1"),
        (("--label", "team", "--messages-a-month", "0"), "messages a month must be a whole number of 1 or more"),
        (("--label", "team", "--must-find", "billing"), "--must-find wants a class and a share"),
        (("--label", "team", "--api-prices", "cheap"), "--api-prices wants two numbers"),
        (("--label", "team", "--splits", "2"), "splits must be 1, 3 or 5"),
    ],
)
def test_compare_refuses_in_one_sentence(course, tickets, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    done = course("compare", str(tickets), "--text", "message", *words)
    assert done.status == 2
    assert done.err.startswith("course: ")
    assert said in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "compare-tickets").exists()


def test_compare_says_on_ctrl_c_that_it_can_go_on(course, tickets, monkeypatch):
    from course_utils.compare import running

    def interrupt(*words, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "run", interrupt)
    done = course("compare", str(tickets), "--text", "message", "--label", "team")
    assert (done.status, done.out) == (130, "")
    assert "goes on from there" in done.err


def test_compare_without_its_columns_or_file_says_so(course, tmp_path):
    assert "--text" in course("compare", "t.csv", "--label", "b").err
    done = course("compare", str(tmp_path / "none.csv"), "--text", "a", "--label", "b")
    assert (done.status, "cannot be read" in done.err) == (2, True)


# ---- data


def test_data_list(course):
    done = course("data", "list")
    assert done.status == 0
    rows = {line.split()[0]: line for line in done.out.splitlines() if line.strip()}
    assert "embedded" in rows["digits"]
    assert "to download" in rows["mnist"]
    assert "MB" in rows["mnist"]


def test_data_list_shows_how_course_data_is_laid_out(course):
    from course_utils.data import registry

    done = course("data", "list", "--files")
    assert done.status == 0
    for file in registry.entry("mnist").files:
        (line,) = [line for line in done.out.splitlines() if file.path in line.split()]
        assert file.sha256 in line


def test_data_fetch_refuses_before_it_fetches(course, monkeypatch):
    from course_utils.data import fetch

    monkeypatch.setattr(fetch, "fetch", lambda name: pytest.fail("it must not fetch"))
    done = course("data", "fetch", "digits", "mnits")
    assert done.status == 2
    assert "Did you mean" in done.err
    for arguments in ((), ("mnist", "--all")):
        done = course("data", "fetch", *arguments)
        assert done.status == 2
        assert "fashion_mnist" in done.err


def test_data_fetch_fetches_each_set_once(course, monkeypatch, tmp_path):
    from course_utils.data import fetch, registry

    fetched = []
    monkeypatch.setattr(fetch, "fetch", lambda name: fetched.append(name) or {"file": tmp_path / name / "file"})
    done = course("data", "fetch", "mnist", "mnist")
    assert (done.status, fetched) == (0, ["mnist"])
    assert done.out.startswith("mnist: ")
    fetched.clear()
    course("data", "fetch", "--all")
    assert fetched == registry.names()


def test_data_fetch_of_an_embedded_set_needs_no_network(course):
    assert course("data", "fetch", "digits").out == "digits: comes with an installed library\n"


@pytest.mark.parametrize(
    ("verdict", "named", "status"),
    [("good", True, 0), ("missing", False, 0), ("missing", True, 1), ("damaged", False, 1), ("damaged", True, 1)],
)
def test_data_verify(course, monkeypatch, verdict, named, status):
    from course_utils.data import verify

    row = verify.Row("mnist", "images.gz", "cache", verdict, "why")
    monkeypatch.setattr(verify, "verify", lambda names: [row])
    done = course("data", "verify", *(["mnist"] if named else []))
    assert done.status == status
    assert verdict in done.out


@pytest.mark.parametrize("named", [True, False])
def test_data_verify_fails_where_a_card_is_missing(course, monkeypatch, named):
    from course_utils.data import verify

    rows = [verify.Row("tiny", "tiny.md", "course", "missing", "write data/cards/tiny.md")]
    monkeypatch.setattr(verify, "verify", lambda names: rows)
    done = course("data", "verify", *(["tiny"] if named else []))
    assert done.status == 1
    assert "write data/cards/tiny.md" in done.out


# ---- terminals


def terminal(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess:
    """The command in a process of its own, its output as bytes."""
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "PYTHONUTF8")}
    command = [sys.executable, "-m", "course_utils", *arguments]
    return subprocess.run(
        command, capture_output=True, check=False, cwd=cwd, env={**kept, "PYTHONPATH": str(ROOT), **environment}
    )


@functools.cache
def usual(*arguments: str) -> subprocess.CompletedProcess:
    """What a command says where everything can be shown."""
    return terminal(*arguments, PYTHONIOENCODING="utf-8")


SAYING = [
    ("doctor",), ("data", "list"), ("data", "verify", "tickets"), ("claims",), ("progress",), ("--help",),
    ("compare", "none-你好-é-✓.csv", "--text", "a", "--label", "b"), ("run", "9✓"),
]  # fmt: skip
PLAIN_C = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize(
    ("arguments", "encoding", "environment"),
    [(words, name, {"PYTHONIOENCODING": name}) for words in SAYING for name in ("ascii", "gbk")]
    + [(("claims",), "ascii", PLAIN_C)],
)
def test_a_terminal_that_cannot_show_a_mark_shows_another(arguments, encoding, environment):
    """What a command says is encoded whatever the terminal's encoding lacks, and ends as it would elsewhere."""
    done = terminal(*arguments, **environment)
    elsewhere = usual(*arguments)
    assert done.returncode == elsewhere.returncode
    said = (done.stdout + done.stderr).decode(encoding)
    assert "UnicodeEncodeError" not in said
    assert "Traceback" not in said
    words = (elsewhere.stdout + elsewhere.stderr).decode("utf-8").split()
    assert {word for word in words if word.isascii() and word.isalpha()} <= set(said.split())


def good(checkout: Path, code: str) -> None:
    """One chapter in the checkout, with a title and a cell that ASCII cannot show."""
    import nbformat
    from sample_chapter import HEADER

    header = HEADER.replace('"42"', '"00"').replace("A tiny chapter", "one · ✓")
    (checkout / "notebooks" / "source" / "00_start_here.py").write_text(f"{header}# %%\n{code}\n", "utf-8")
    cells = [
        nbformat.v4.new_code_cell("profile = None", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(code),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(notebook, checkout / "notebooks" / "00_start_here.ipynb")


def test_a_run_and_its_report_where_the_terminal_cannot_show_a_mark(checkout):
    good(checkout, "print('✓ done')")
    done = terminal("run", "00", cwd=checkout, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr.decode("ascii")
    assert "+ 00_start_here" in done.stderr.decode("ascii")
    assert "✓ done" in (checkout / "build" / "report.html").read_text("utf-8")
    assert "one · ✓" in (checkout / "build" / "results.json").read_text("utf-8")


def test_a_comparison_where_the_terminal_cannot_show_a_mark(tickets, tmp_path):
    tickets.write_text(tickets.read_text("utf-8").replace("billing", "€-billing").replace("bug", "✓"), "utf-8")
    done = terminal(
        "compare", "tickets.csv", "--text", "message", "--label", "team", "--only", "tfidf", cwd=tmp_path,
        PYTHONIOENCODING="gbk", COLUMNS="80",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode("gbk")
    said = done.stdout.decode("gbk")
    assert "“TF-IDF + logistic regression”" in said
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.parametrize("columns", ["80", "100"])
@pytest.mark.parametrize("arguments", [("claims",), ("data", "list"), ("data", "list", "--files"), ("progress",)])
def test_tables_fit_the_terminal_and_break_no_word(arguments, columns):
    from rich.cells import cell_len

    whole, fitted = (terminal(*arguments, PYTHONIOENCODING="utf-8", **more) for more in ({}, {"COLUMNS": columns}))
    lines = fitted.stdout.decode("utf-8").splitlines()
    assert lines
    assert max(map(cell_len, lines)) <= int(columns)
    kept = {word.strip(":") for line in lines for word in line.split()}
    body = whole.stdout.decode("utf-8").split("─\n")[1]  # an empty column's heading may go
    assert {word.strip(":") for word in body.split() if word.isascii()} <= kept


@pytest.mark.parametrize("columns", [50, 80])
@pytest.mark.parametrize(
    "arguments", [*SAYING, ("doctor", "--no-framework"), ("run", "--help"), ("reset",), ("data", "fetch")]
)
def test_what_a_command_says_fits_the_terminal(arguments, columns):
    from rich.cells import cell_len

    done = terminal(*arguments, PYTHONIOENCODING="utf-8", COLUMNS=str(columns))
    lines = (done.stdout + done.stderr).decode("utf-8").splitlines()
    assert lines
    wide = [line for line in lines if cell_len(line) > columns and len(line.split()) > 1]
    assert not wide, "words that are longer than a line aside"


def test_an_endless_refusal_is_cut_and_keeps_what_to_do(course, monkeypatch):
    def fail(*arguments, **options):
        raise CourseError(
            "It has no column 'a'; it has " + ", ".join(map(str, range(200_000))) + ". Name one of these."
        )

    monkeypatch.setattr("course_utils.doctor.report", fail)
    done = course("doctor")
    assert done.status == 2
    assert len(done.err) < 3_000
    assert done.err.startswith("course: It has no column 'a'; it has 0, 1, 2")
    assert done.err.endswith("Name one of these.\n")
    assert re.search(r"1,\d{3},\d{3} characters left out", done.err)


def test_nothing_from_elsewhere_steers_the_terminal(course, checkout, monkeypatch):
    def fail(*arguments, **options):
        raise CourseError("There is no column '\x1b[2J\x1b]0;title\x07x'.")

    claim = {"id": "c44", "verdict": "\x1b[31mholds", "evidence": "a\x1b[2Jb\x08\u202ec", "chapter": "07"}
    ran(checkout, [claim])
    shown = course("claims").out
    assert "abc" in shown
    monkeypatch.setattr("course_utils.doctor.report", fail)
    for text in (shown, course("doctor").err):
        assert not [character for character in text if ord(character) < 32 and character not in "\t\n"]
        assert "\u202e" not in text


def test_claims_says_what_the_article_claims_beside_the_verdict(course, checkout):
    claim = {"id": "c44", "verdict": "holds", "evidence": "93,322", "recorded": "2026-01-02", "chapter": "07"}
    ran(checkout, [claim])
    from course_utils.claims import rows

    shown = course("claims").out
    (part,) = [part for part in shown.split("\n\n") if part.strip().startswith("c44 ")]
    assert rows()["c44"]["says"] in part
    assert "holds" in part.splitlines()[0]
    assert "93,322" in part
    assert "2026-01-02" in part


# ---- sign


def test_a_bundle_is_signed_with_a_new_key(course, tmp_path):
    import numpy as np

    from course_utils import bundles
    from course_utils.bundles.models import Majority

    bundles.save(Majority(class_names=("a", "b"), shares=np.array([0.6, 0.4])), tmp_path / "model")
    done = course("sign", str(tmp_path / "model"), "--key", str(tmp_path / "key"), "--new-key")
    assert done.status == 0 and "The public key: " in done.out and "Signed: " in done.out
    bundles.check_signature(tmp_path / "model", tmp_path / "key.pub")
    done = course("sign", str(tmp_path / "model"), "--key", str(tmp_path / "nowhere"))
    assert done.status == 2 and "cannot be read" in done.err
