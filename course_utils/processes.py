"""Child processes: started apart, heard line by line, watched, and ended with everything below them.

Two faces. The parent holds a `Child`: a Python module in a session and a working folder of its own, which gets one job
and answers with events. The child begins with `begin`, which hands it the job and its `Events`, and ends when its
parent is gone. So a process that hangs, crashes, is killed or starts others leaves nothing behind, whichever side goes
first, and what it used (memory, processor seconds) is known.

An event is one JSON object on a line of the child's standard output. Everything else that the child prints, also from
compiled libraries, goes to its log.
"""

import contextlib
import dataclasses
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from course_utils import surroundings
from course_utils.language import say
from course_utils.runtime import high_water_mib

if TYPE_CHECKING:
    import psutil

SAMPLE_SECONDS = 0.15  # between two looks at memory and clock
PATIENCE_SECONDS = 5.0  # that a process may take to end after its line is closed, or after it was killed
# Every process below a child inherits its token, and is known by it even when it has left the tree.
TOKEN = "COURSE_PROCESSES"
_POLL = 0.01
_CHATTER = ("[IPKernelApp]",)  # what a kernel says of itself when it is killed

# ---------------------------------------------------------------------------------------------------- the parent


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs ``module`` with this interpreter and imports nothing from the current folder."""
    return surroundings.python("-m", module, *arguments)


def environment(**changes: str | None) -> dict[str, str]:
    """This process's environment for a child: it finds this course, and nothing of the current folder is imported.

    ``changes`` are set on top; None takes a variable away. What is below the child inherits all of it.
    """
    made = surroundings.environment()
    root = Path(__file__).resolve().parent.parent
    # A checkout that a child would not find by itself. One that is installed (editable) it does find, and behind the
    # standard library, where a learner's random.py beside pyproject.toml is not taken for Python's.
    if (root / "pyproject.toml").is_file() and not _behind_the_library(root):
        places = [str(root), *made.get("PYTHONPATH", "").split(os.pathsep)]
        made["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(filter(None, places)))
    made |= {"PYTHONSAFEPATH": "1", "PYTHONIOENCODING": "utf-8"}
    for name, value in changes.items():
        made.pop(name, None)
        if value is not None:
            made[name] = value
    return made


def _behind_the_library(root: Path) -> bool:
    """Whether ``root`` stands in this process's path after the standard library, as an editable install puts it."""
    places = [os.path.realpath(place) for place in sys.path if place]
    library = os.path.realpath(os.path.dirname(os.__file__))
    return library in places and str(root) in places[places.index(library) + 1 :]


@dataclasses.dataclass(frozen=True)
class Usage:
    """What a child used so far: ``peak_mib`` (MiB in RAM at once) and processor seconds.

    ``cpu_seconds`` are those of the child and of everything below it, also of what has ended; ``cpu_seconds_below``
    leave the child itself out.
    """

    peak_mib: float = 0.0
    cpu_seconds: float = 0.0
    cpu_seconds_below: float = 0.0


class Child:
    """One process and everything below it, from its start to its end; nothing of it outlives ``close``.

    ``command`` (see `python`) starts at once in ``folder``, its working folder, with ``job`` as a line of JSON on its
    standard input (None: no line, for a program that does not call `begin`), which then stays open: it closes when this
    process is gone. ``events`` receives ``(child, event)``
    for each event and ``(child, None)`` at the end; several children may share one queue. After ``limit`` seconds the
    child is ended. ``log`` (default: ``process.log`` in the folder) takes what it prints. ``counts_itself=False``
    leaves the child's own memory out of its usage, for one that only drives others.

    A context manager: leaving it closes the child. Raises OSError where the command cannot be started, TypeError for a
    job that JSON cannot hold.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        job: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        log: Path | None = None,
        events: "queue.Queue | None" = None,
        limit: float | None = None,
        counts_itself: bool = True,
    ) -> None:
        self.log = log or Path(folder) / "process.log"
        self.limit = limit
        self.stopped = ""  # "time" or "closed" where it was ended from here, before it had ended by itself
        self.status: int | None = None  # the exit status, known after `close`; below zero: the signal that ended it
        self._events: queue.Queue = events if events is not None else queue.Queue()
        self._job = None if job is None else json.dumps(job).encode("utf-8") + b"\n"
        self._lock = threading.RLock()
        self._over = threading.Event()
        token = uuid.uuid4().hex
        environ = dict(environment() if env is None else env)
        environ[TOKEN] = ":".join(filter(None, [os.environ.get(TOKEN), token]))
        options: dict[str, Any] = {"start_new_session": True}  # Ctrl-C reaches this process alone, which then tidies up
        if os.name == "nt":
            options = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        with self.log.open("ab") as log_file:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log_file,
                cwd=folder,
                env=environ,
                **options,
            )
        self.pid = self._process.pid
        self.restart_clock()
        self._tree = _Tree(self.pid, token, counts_itself)
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._tell, self._listen, self._watch)]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def usage(self) -> Usage:
        """Memory and processor seconds up to now; after the end, in all."""
        return self._tree.usage

    @property
    def seconds(self) -> float:
        """Seconds since the start, or since `restart_clock`."""
        return time.monotonic() - self._started

    def restart_clock(self) -> None:
        """Count ``limit`` from now, after a beginning that is the machine's affair."""
        self._started = time.monotonic()

    def events(self) -> Iterator[dict[str, Any]]:
        """The events of this child as they come, until it ends; for a child with a queue of its own."""
        while True:
            with contextlib.suppress(queue.Empty):
                _, event = self._events.get(timeout=0.2)  # not for ever: Windows would not hear Ctrl-C
                if event is None:
                    return
                yield event

    def close(self, patience: float = 0.0) -> None:
        """End the child and everything below it; with ``patience`` (seconds) it may first end by itself.

        Nothing of it runs when this returns. Ctrl-C waits until then.
        """
        with undisturbed():
            if patience and not self._over.is_set():
                self._hang_up()
                self._tree.wait(patience)
            self._end("closed")
            if self.status is None:
                self.status = self._process.wait()
            for thread in self._threads:
                if thread is not threading.current_thread():
                    thread.join(PATIENCE_SECONDS)
            self._hang_up()
            if not self._threads[1].is_alive():
                self._process.stdout.close()

    def tail(self, lines: int = 3) -> str:
        """The last lines of the log that say something, as one line of at most 500 characters."""
        with contextlib.suppress(OSError):
            said = [line.strip() for line in self.log.read_text("utf-8", "replace").splitlines()]
            said = [line for line in said if line and not line.startswith(_CHATTER)]
            return " / ".join(said[-lines:])[-500:]
        return ""

    def how_it_ended(self) -> str:
        """One sentence on the end of the child, which is closed if it still runs; the log's last words behind it."""
        self.close()
        if self.stopped == "time":
            return say("It was ended after {seconds:,.0f} seconds, the most that it may take.", seconds=self.limit)
        if self.stopped:
            return say("It was ended before it had finished.")
        return how_it_ended(self.status, self.tail())

    def _tell(self) -> None:
        """Hand the job over; from a thread of its own, since a child that does not read would block the parent."""
        if self._job is None:
            return
        with contextlib.suppress(OSError, ValueError):  # it died at once, which its silence will say
            self._process.stdin.write(self._job)
            self._process.stdin.flush()

    def _listen(self) -> None:
        """Hand on what the child says; at the end of its line, wait until it has ended and look a last time."""
        with contextlib.suppress(OSError, ValueError):
            for line in self._process.stdout:
                with contextlib.suppress(ValueError):
                    event = json.loads(line)
                    if isinstance(event, dict):
                        self._events.put((self, event))
        self._tree.wait(PATIENCE_SECONDS)
        self._end("closed")
        self._events.put((self, None))

    def _watch(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            self._tree.sample()
            if self.limit is not None and self.seconds > self.limit:
                self._end("time")
            elif self._tree.wait(0):  # it ended by itself, and what it left running may hold its line open
                self._end("closed")

    def _end(self, reason: str) -> None:
        """End whatever still runs, once; ``reason`` is kept where that was the child itself."""
        with self._lock:
            if self._over.is_set():
                return
            if self._tree.end():
                self.stopped = reason
            self._over.set()

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.close()


class _Tree:
    """A process with everything below it: what it uses, and its end. Nothing is reaped here: a process that has ended
    keeps its processor seconds until its parent has asked how it ended."""

    def __init__(self, pid: int, token: str, counts_itself: bool) -> None:
        import psutil

        self.root = psutil.Process(pid)
        self.token, self.counts_itself = token, counts_itself
        self.seen: set[psutil.Process] = set()
        self.whole, self.below = _Balance(), _Balance()
        self.peak_mib = 0.0
        self.lock = threading.Lock()

    @property
    def usage(self) -> Usage:
        return Usage(self.peak_mib, self.whole.total, self.below.total)

    def sample(self) -> None:
        """Look once; cheap enough for several times a second."""
        with self.lock:
            self._sample()

    def _sample(self) -> None:
        import psutil

        with contextlib.suppress(psutil.Error):
            self.seen.update(self.root.children(recursive=True))
        self._sample_processor()
        below = [process for process in self.seen if _running(process)]
        counted = [self.root, *below] if self.counts_itself and _running(self.root) else below
        total = sum(_size(process, shared=len(counted) > 1) for process in counted)
        self.peak_mib = max(self.peak_mib, total / 2**20)
        if len(counted) == 1:
            self.peak_mib = max(self.peak_mib, high_water_mib(counted[0].pid))

    def _sample_processor(self) -> None:
        """Add up processor seconds; parents are read before their children, and again when one ended meanwhile, since
        its seconds would be counted in both or in neither."""
        import psutil

        for _ in range(3):
            with contextlib.suppress(psutil.NoSuchProcess):
                self.seen = {process for process in self.seen if process.is_running()}
                own, reaped = _cpu_seconds(self.root)
                below = sorted(self.seen, key=lambda process: (process.create_time(), process.pid))
                under = sum(sum(_cpu_seconds(process)) for process in below)
                self.whole.update(own + reaped + under)
                self.below.update(reaped + under)
                return

    def wait(self, seconds: float) -> bool:
        """Whether the root has ended by itself within ``seconds``."""
        until = time.monotonic() + seconds
        while _running(self.root):
            if time.monotonic() > until:
                return False
            time.sleep(_POLL)
        return True

    def end(self) -> bool:
        """Kill what still runs, and look a last time; returns whether the root was among it."""
        with self.lock:
            self._sample()
            killed = _running(self.root)
            _kill_all(self.root, self.seen, self.token)
            self._sample()
        return killed


class _Balance:
    """A sum over living processes that never falls: what leaves it without turning up in a parent is kept.

    A process that ends hands its seconds to the parent that waits for it, but not where the parent was gone first, nor
    on systems that keep no such sum.
    """

    def __init__(self) -> None:
        self.total = self.lost = 0.0

    def update(self, living: float) -> None:
        self.lost = max(self.lost, self.total - living)
        self.total = living + self.lost


def _cpu_seconds(process: "psutil.Process") -> tuple[float, float]:
    """Processor seconds of a process, and of those below it that have ended and were waited for.

    Raises psutil.NoSuchProcess for one that is gone.
    """
    import psutil

    with contextlib.suppress(psutil.AccessDenied, psutil.ZombieProcess):
        times = process.cpu_times()
        return times.user + times.system, times.children_user + times.children_system
    return 0.0, 0.0


def _running(process: "psutil.Process") -> bool:
    import psutil

    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _size(process: "psutil.Process", *, shared: bool) -> int:
    """Bytes in RAM; with several processes the pages they share are counted once, where the system tells them apart."""
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        if shared:
            with contextlib.suppress(psutil.AccessDenied):
                full = process.memory_full_info()
                return getattr(full, "pss", 0) or full.rss
        return process.memory_info().rss
    return 0


def _kill_all(root: "psutil.Process", seen: "set[psutil.Process]", token: str, *, and_root: bool = True) -> None:
    """Kill ``root``, what is below it, what was ``seen`` there, and what carries the ``token``; wait until it is so."""
    import psutil

    for _ in range(3):  # what is killed may just have started something
        with contextlib.suppress(psutil.Error):
            seen.update(root.children(recursive=True))
        seen.update(carrying(token) - {root})
        alive = [process for process in (root, *seen) if (and_root or process != root) and _running(process)]
        if not alive:
            return
        for process in alive:
            with contextlib.suppress(psutil.Error):
                process.kill()
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until and any(map(_running, alive)):
            time.sleep(_POLL)


def carrying(token: str) -> "set[psutil.Process]":
    """The processes that inherited ``token`` in the variable `TOKEN`, wherever they stand in the tree by now."""
    import psutil

    found: set[psutil.Process] = set()
    if not token:
        return found
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError, ValueError):
            if process.pid != os.getpid() and token in process.environ().get(TOKEN, "").split(":"):
                found.add(process)
    return found


def how_it_ended(status: int | None, said: str = "") -> str:
    """One sentence on how a process ended, from its exit status (below zero: a signal); ``said`` comes behind it."""
    if status is None:
        words = say("It ended, and how is not known.")
    elif status == -9:
        words = say("It was killed (signal 9), most likely because the machine had no memory left.")
    elif status < 0:
        words = say("It crashed (signal {number}).", number=-status)
    else:
        words = say("It ended by itself with exit status {status}.", status=status)
    return say("{sentence} It said: {said}", sentence=words, said=said) if said else words


@contextlib.contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM counts as Ctrl-C, so that a service that stops this process does not leave others behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)


@contextlib.contextmanager
def undisturbed(*, forget: bool = False) -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until processes are ended, which takes a moment and must not be left half done.

    With ``forget`` they are dropped: for tidying up after one of them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(number)
        if callable(handler):  # what is ignored stays ignored, what the system does it goes on doing
            before[number] = signal.signal(number, lambda sent, _: came.append(sent))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came and not forget:
            signal.raise_signal(came[0])


# ----------------------------------------------------------------------------------------------------- the child


class Events:
    """Writes events as JSON lines, from any thread."""

    def __init__(self, stream: IO[str]) -> None:
        self.stream, self.lock = stream, threading.Lock()

    def __call__(self, event: str, **facts: Any) -> None:
        """Tell the parent one event; a parent that is gone hears nothing."""
        with self.lock, contextlib.suppress(OSError, ValueError):
            self.stream.write(json.dumps({"event": event, **facts}) + "\n")
            self.stream.flush()


def begin(ending: Callable[[], None] | None = None) -> tuple[Events, dict[str, Any]]:
    """The child's first step: its events and its job; from now on it ends with its parent.

    Standard output becomes the log, for Python and for compiled libraries; only `Events` reach the parent. ``ending``
    is called when the parent is gone or hangs up, for a server that wants to answer what it has begun; without it the
    child and everything below it end at once.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job hands down "ignored"
    line = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    job = sys.stdin.buffer.readline()
    if not job:
        os._exit(130)  # the parent was gone before it could say what to do
    threading.Thread(target=end_with_parent, args=(ending,), daemon=True).start()
    return Events(line), json.loads(job)


def end_with_parent(ending: Callable[[], None] | None = None) -> None:
    """Wait for the end of standard input, which comes when the parent is gone, then take everything down."""
    with contextlib.suppress(OSError, ValueError):
        while os.read(0, 1 << 16):  # not sys.stdin, whose lock this thread would hold when the interpreter ends
            pass
    if ending is not None:
        ending()
        return
    import psutil

    token = os.environ.get(TOKEN, "").rpartition(":")[2]
    _kill_all(psutil.Process(), set(), token, and_root=False)
    os._exit(130)
