"""The supervisor of child processes, on small programs: each is what a chapter or a model could do at its worst."""

import json
import os
import queue
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leftovers import nothing_left  # noqa: F401 (a fixture that is used by itself)

from course_utils import processes
from course_utils.processes import Child

ROOT = Path(__file__).resolve().parents[1]
BEGIN = "from course_utils.processes import begin\nemit, job = begin()\n"
posix = pytest.mark.skipif(os.name == "nt", reason="signals and sessions as POSIX has them")


@pytest.fixture
def start(tmp_path):
    """Start a program: ``start("emit('hello')", limit=3)``; it is closed after the test."""
    started = []

    def begin(program: str, *, job=None, plain: bool = False, **options) -> Child:
        folder = tmp_path / f"child-{len(started)}"
        folder.mkdir()
        text = ("" if plain else BEGIN) + textwrap.dedent(program)
        child = Child(
            [sys.executable, "-P", "-c", text],
            folder=folder,
            job=None if plain else job or {},
            **{"limit": 60} | options,
        )
        started.append(child)
        return child

    yield begin
    for child in started:
        child.close()


def names(child: Child) -> list[str]:
    return [event["event"] for event in child.events()]


def until(condition, seconds: float = 30) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


# --------------------------------------------------------------------------------------------- line, job and log


def test_events_arrive_in_order_and_everything_else_goes_to_the_log(start):
    child = start(
        """
        import os, sys
        print("printed")
        os.write(1, b"from compiled code\\n")
        print("to standard error", file=sys.stderr)
        for number in range(3):
            emit("number", value=number, word="Größe 数")
        sys.exit(5)"""
    )
    assert list(child.events()) == [{"event": "number", "value": n, "word": "Größe 数"} for n in range(3)]
    child.close()
    assert (child.status, child.stopped) == (5, "")
    assert all(word in child.tail(9) for word in ("printed", "from compiled code", "to standard error"))
    said = child.how_it_ended()
    assert "5" in said and "to standard error" in said


def test_a_job_of_megabytes_arrives_whole(start):
    texts = [f"message {number} 数" for number in range(60_000)]
    child = start("emit('got', count=len(job['texts']), last=job['texts'][-1])", job={"texts": texts})
    assert list(child.events()) == [{"event": "got", "count": 60_000, "last": texts[-1]}]


@pytest.mark.parametrize("program", ["raise SystemExit(4)", "import time; time.sleep(777)"])
def test_a_job_that_nobody_reads_does_not_block_the_parent(start, tmp_path, program):
    folder = tmp_path / "deaf"
    folder.mkdir()
    limit = 60 if "SystemExit" in program else 1.5
    with Child([sys.executable, "-c", program], folder=folder, job={"text": "x" * 2**21}, limit=limit) as child:
        assert list(child.events()) == []
    assert child.status == 4 if "4" in program else child.stopped == "time"


def test_a_program_that_is_not_ours_is_heard_where_it_speaks_json(start):
    child = start("print('hello'); print('{\"event\": \"ready\"}'); print('[1]'); print('{half')", plain=True)
    assert names(child) == ["ready"]


def test_several_children_share_one_queue(start):
    events = queue.Queue()
    children = [start("emit('mine', value=job['value'])", job={"value": n}, events=events) for n in range(3)]
    found, ended = {}, 0
    while ended < 3:
        child, event = events.get(timeout=30)
        ended += event is None
        if event:
            found[child] = event["value"]
    assert found == {child: number for number, child in enumerate(children)}


def test_a_command_that_cannot_be_started_says_so(tmp_path):
    with pytest.raises(OSError):
        Child([str(tmp_path / "nothing")], folder=tmp_path)


# ------------------------------------------------------------------------------------------------------ its end


@posix
@pytest.mark.parametrize(
    ("program", "status", "word"),
    [
        ("os._exit(7)", 7, "7"),
        ("os.kill(os.getpid(), 9)", -9, "memory"),
        ("os.kill(os.getpid(), 11)", -11, "11"),
        ("raise ValueError('out of luck')", 1, "out of luck"),
        ("emit('done')", 0, "0"),
    ],
)
def test_how_it_ended(start, program, status, word):
    child = start(f"import os\n{program}")
    for _ in child.events():
        pass
    assert word in child.how_it_ended()
    assert (child.status, child.stopped) == (status, "")


STARTS = """
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(987)"])
if os.fork() == 0:  # the daemon's way: a session of its own, and no parent in the tree
    os.setsid()
    if os.fork() == 0:
        time.sleep(987)
    os._exit(0)
os.wait()
emit("started", pids=[one.pid for one in __import__("psutil").Process().children()])
"""


def of(child: Child) -> list[psutil.Process]:
    return [process for process in processes.carrying(child._tree.token) if process.pid != child.pid]


@posix
@pytest.mark.parametrize("how", ["limit", "close", "by itself"])
def test_nothing_below_a_child_outlives_it(start, how):
    child = start(STARTS + ("" if how == "by itself" else "time.sleep(987)"), limit=8 if how == "limit" else 60)
    heard = child.events()
    assert next(heard)["event"] == "started"
    if how == "close":
        assert len(of(child)) == 2, "one in the tree, one that left it"
        child.close()
    assert list(heard) == []
    child.close()
    assert of(child) == []
    assert child.stopped == {"limit": "time", "by itself": "", "close": "closed"}[how]
    assert ("8" in child.how_it_ended()) == (how == "limit")


def test_a_child_that_closes_its_line_and_goes_on_is_ended(start, monkeypatch):
    monkeypatch.setattr(processes, "PATIENCE_SECONDS", 0.5)
    child = start("import time; emit('last'); emit.stream.close(); time.sleep(987)")
    assert names(child) == ["last"]
    assert child.stopped == "closed"


def test_the_clock_can_start_anew(start):
    child = start("import time\nemit('ready')\ntime.sleep(1.2)\nemit('done')", limit=30)
    heard = child.events()
    next(heard)
    before = child.seconds
    child.restart_clock()
    assert child.seconds < before
    assert [event["event"] for event in heard] == ["done"]


def test_a_child_may_end_softly(start):
    program = """
    from course_utils.processes import begin
    import threading
    asked = threading.Event()
    emit, job = begin(ending=asked.set)
    emit("ready")
    asked.wait(60)
    emit("answered the last request")"""
    child = start(program, plain=True)
    child._process.stdin.write(b"{}\n")
    child._process.stdin.flush()
    heard = child.events()
    assert next(heard)["event"] == "ready"
    child.close(patience=20)
    assert [event["event"] for event in heard] == ["answered the last request"]
    assert (child.status, child.stopped) == (0, "")


@posix
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_ends_with_its_parent(tmp_path, number):
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys, time\nfrom pathlib import Path\nfrom course_utils.processes import Child\n"
        f"child = Child([sys.executable, '-P', '-c', {BEGIN + STARTS + 'time.sleep(987)'!r}],\n"
        f"              folder=Path({str(tmp_path)!r}), job={{}})\n"
        "print(next(child.events())['event'], child._tree.token, flush=True)\ntime.sleep(987)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment)
    with parent:
        event, token = parent.stdout.readline().split()
        assert event == "started" and len(processes.carrying(token)) == 3
        parent.send_signal(number)
    until(lambda: not processes.carrying(token))


# ------------------------------------------------------------------------------------------------- what it used


BURN = """
import os, sys, time
def burn(seconds):
    while time.process_time() < seconds: pass
"""


@posix
def test_processor_seconds_are_those_of_the_whole_tree_each_once(start):
    child = start(
        BURN
        + """
before = time.process_time()
for work in (0.5, 0.5):
    if os.fork() == 0:  # a child that is waited for: its seconds pass to its parent
        burn(work)
        os._exit(0)
    os.wait()
if os.fork() == 0:
    if os.fork() == 0:  # one whose parent has gone: they pass to nobody
        burn(0.7)
        time.sleep(1)
        os._exit(0)
    time.sleep(0.5)
    os._exit(0)
os.wait()
time.sleep(3)
burn(before + 0.6)
emit("mine", seconds=time.process_time())
time.sleep(0.4)"""
    )
    (event,) = child.events()
    child.close()
    used = child.usage
    assert used.cpu_seconds_below == pytest.approx(1.7, abs=0.3)
    assert used.cpu_seconds == pytest.approx(1.7 + event["seconds"], abs=0.4)
    assert child.usage == used, "the same when asked again"


def test_peak_memory_is_that_of_all_at_once(start):
    program = """
    import subprocess, sys, time
    block = b"1" * (job["own"] * 2**20)
    below = subprocess.Popen([sys.executable, "-c",
        "block = b'2' * (120 * 2**20); print(1, flush=True); input()"], stdin=-1, stdout=-1)
    below.stdout.readline()
    time.sleep(0.8)
    below.communicate(b"\\n")"""
    both = [start(program, job={"own": own}, counts_itself=counts) for own, counts in ((150, True), (150, False))]
    for child in both:
        assert names(child) == []
        child.close()
        assert child.status == 0
    assert 270 < both[0].usage.peak_mib < 420
    assert 120 < both[1].usage.peak_mib < 200, "without the child itself"


class World:
    """Processes with their seconds, as a system keeps them: who is waited for hands his over."""

    def __init__(self):
        self.own, self.reaped, self.parent, self.gone = {0: 0.0}, {0: 0.0}, {0: None}, 0.0

    def living(self) -> float:
        return sum(self.own.values()) + sum(self.reaped.values())

    def step(self, kind: str, which: int, seconds: float) -> None:
        one = sorted(self.own)[which % len(self.own)]
        if kind == "start":
            new = max(self.parent) + 1
            self.own[new], self.reaped[new], self.parent[new] = 0.0, 0.0, one
        elif kind == "work":
            self.own[one] += seconds
        elif one != 0:
            all_of_it = self.own.pop(one) + self.reaped.pop(one)
            if kind == "end" and self.parent[one] in self.own:
                self.reaped[self.parent[one]] += all_of_it
            else:
                self.gone += all_of_it


@given(
    st.lists(
        st.tuples(st.sampled_from(["start", "work", "work", "end", "vanish"]), st.integers(0, 99), st.floats(0.01, 100))
    )
)
def test_a_balance_counts_every_second_once(steps):
    world, balance, before = World(), processes._Balance(), 0.0
    for step in steps:
        world.step(*step)
        balance.update(world.living())
        assert balance.total >= before
        before = balance.total
        assert balance.total == pytest.approx(world.living() + world.gone)


# ---------------------------------------------------------------------------------------------- what it inherits


@pytest.mark.parametrize("behind", [True, False])
def test_a_checkout_stands_before_the_standard_library_only_where_it_would_not_be_found(monkeypatch, behind):
    # Where the course is installed from a checkout, a random.py beside its pyproject.toml must not be Python's.
    root, library = str(Path(processes.__file__).resolve().parents[1]), os.path.dirname(os.__file__)
    others = [place for place in sys.path if os.path.realpath(place) != root]
    at = others.index(library) + 1 if behind else 0
    monkeypatch.setattr(sys, "path", [*others[:at], root, *others[at:]])
    monkeypatch.setenv("PYTHONPATH", "/more")
    expected = ["/more"] if behind else [root, "/more"]
    assert processes.environment()["PYTHONPATH"].split(os.pathsep) == expected


def test_no_module_of_the_current_folder_is_imported(tmp_path, monkeypatch):
    for name in ("random", "json", "psutil", "course_utils"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the module of the current folder was imported')")
    monkeypatch.chdir(tmp_path)
    for path in ("", os.pathsep, ".", os.pathsep.join(["", "packages", "."])):
        monkeypatch.setenv("PYTHONPATH", path)
        program = """
        import os, random, subprocess, sys
        below = subprocess.run([sys.executable, "-m", "random"], capture_output=True, text=True)
        emit("fine", below=below.returncode, path=sys.path)"""
        command = [sys.executable, "-P", "-c", BEGIN + textwrap.dedent(program)]
        with Child(command, folder=tmp_path, job={}) as child:
            found = list(child.events())
        assert [(event["event"], event["below"]) for event in found] == [("fine", 0)], child.tail()
        assert str(tmp_path) not in found[0]["path"]
        assert (str(tmp_path / "packages") in found[0]["path"]) == ("packages" in path)


def test_environment_sets_and_takes_away(monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "1")
    made = processes.environment(COURSE_STRICT=None, COURSE_PROFILE="full", NOT_THERE=None)
    assert "COURSE_STRICT" not in made and "NOT_THERE" not in made and made["COURSE_PROFILE"] == "full"
    assert os.environ["COURSE_STRICT"] == "1"


@posix
def test_a_child_of_a_background_job_hears_ctrl_c_again(tmp_path):
    program = BEGIN + "import signal; emit('x', default=signal.getsignal(2) is signal.default_int_handler)"
    script = tmp_path / "parent.py"
    script.write_text(
        "import signal, sys\nfrom pathlib import Path\nfrom course_utils.processes import Child\n"
        f"with Child([sys.executable, '-P', '-c', {program!r}], folder=Path({str(tmp_path)!r}), job={{}}) as child:\n"
        "    print(signal.getsignal(2) is signal.SIG_IGN, [event['default'] for event in child.events()])\n"
    )
    done = subprocess.run(
        ["sh", "-c", 'trap "" INT; exec "$0" "$1"', sys.executable, script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout == "True [True]\n", done.stderr


# -------------------------------------------------------------------------------------------------- interruptions


@pytest.fixture
def hears():
    """SIGINT as Python has it, whatever the caller's shell made of it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interruption_waits_for_the_end_of_tidying_up(hears):
    done = []
    with pytest.raises(KeyboardInterrupt), processes.terminated_as_interrupted():
        with processes.undisturbed():
            signal.raise_signal(signal.SIGINT)
            with processes.undisturbed():
                signal.raise_signal(signal.SIGTERM)
            done.append("tidied")
        done.append("not reached")
    assert done == ["tidied"]
    with processes.undisturbed(forget=True):
        signal.raise_signal(signal.SIGINT)
        with processes.undisturbed():
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_is_ignored_stays_ignored(hears):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with processes.undisturbed():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        signal.raise_signal(signal.SIGINT)


def test_termination_counts_as_ctrl_c_in_the_main_thread_alone():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), processes.terminated_as_interrupted():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before
    failed = []

    def elsewhere():
        try:
            with processes.terminated_as_interrupted(), processes.undisturbed():
                pass
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert failed == []


def test_an_interrupted_parent_closes_its_child(start, hears):
    child = start(STARTS + "time.sleep(987)" if os.name != "nt" else "import time; emit('started'); time.sleep(987)")
    with pytest.raises(KeyboardInterrupt), child:
        for _ in child.events():
            signal.raise_signal(signal.SIGINT)
    assert of(child) == [] and child.stopped == "closed"


def test_events_to_a_parent_that_is_gone_are_dropped(tmp_path):
    read, write = os.pipe()
    emit = processes.Events(os.fdopen(write, "w"))
    emit("one", value=1)
    assert json.loads(os.read(read, 99)) == {"event": "one", "value": 1}
    os.close(read)
    emit("two", text="x" * 100_000)
