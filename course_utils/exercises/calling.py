"""Calling a learner's function safely: on copies, within a time limit, with its own line number when it raises.

What asks a learner's object for its text or its values goes through `call` too: the object's own methods may do all
that a function may do.
"""

import contextlib
import contextvars
import copy
import ctypes
import dis
import functools
import linecache
import signal
import sys
import sysconfig
import threading
import time
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.exercises.comparing import class_name, clean, identical
from course_utils.exercises.printing import Printed
from course_utils.language import say

_REPEAT_SECONDS = 0.05


class _Expired(SystemExit):
    """Raised inside the learner's function when its time is up; no ``except Exception`` of theirs catches it.

    A SystemExit, because a thread that ends by one says nothing about it.
    """


@dataclass(frozen=True)
class Outcome:
    """One call: ``kind`` "value", "error" or "expired"; the value, or the error's text and the line it came from.

    ``changed`` names the arguments that the call altered; ``unstoppable`` says that the function still runs.
    """

    kind: str
    value: Any = None
    error: str = ""
    line: tuple[str, str] = ("", "")
    not_implemented: bool = False
    changed: tuple[int | str, ...] = ()
    unstoppable: bool = False


def is_stub(function: Any) -> bool:
    """Whether a function's body is nothing but ``...``, ``pass`` or a docstring."""
    code = getattr(function, "__code__", None)
    if not isinstance(code, types.CodeType):
        return False
    quiet = {"RESUME", "NOP", "CACHE", "COPY_FREE_VARS", "POP_TOP", "RETURN_VALUE", "RETURN_CONST", "LOAD_CONST"}
    instructions = list(dis.get_instructions(code))
    constants = [i.argval for i in instructions if i.opname in ("LOAD_CONST", "RETURN_CONST")]
    return all(i.opname in quiet for i in instructions) and all(c is None or c is Ellipsis for c in constants)


@functools.cache
def _folders_of_others() -> tuple[str, ...]:
    """Where the standard library, installed packages and this package stand, each with a separator behind it."""
    libraries = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders = [folder for folder in (*libraries, str(Path(__file__).resolve().parent.parent)) if folder]
    return tuple(folder + separator for folder in folders for separator in "/\\")


def _own_line(trace: types.TracebackType | None) -> tuple[str, str]:
    """Where the deepest frame stands that is no library's nor this package's, and its source; ("", "") without one."""
    found = ("", "")
    while trace is not None:
        code = trace.tb_frame.f_code
        name = code.co_filename
        foreign = "-packages" in name or name.startswith(("<frozen", "<__array", *_folders_of_others()))
        if not foreign:
            source = linecache.getline(name, trace.tb_lineno).strip()
            found = (say("line {n}, in {function}", n=trace.tb_lineno, function=clean(code.co_name)), clean(source))
        trace = trace.tb_next
    return found


def _error_text(error: BaseException) -> str:
    """The error's class and message, as Python's own last line of a traceback."""
    try:
        message = clean(str(error))
    except (_Expired, KeyboardInterrupt):
        raise
    except BaseException:
        message = say("(its message cannot be shown)")
    name = class_name(type(error))
    return clean(f"{name}: {message}") if message else name


def _attempt(function: Callable, arguments: tuple, keywords: dict) -> Outcome:
    try:
        with warnings.catch_warnings():
            # 0 / 0 is often the point of an exercise; the verdict speaks about it, a warning would only repeat it.
            warnings.simplefilter("ignore")
            return Outcome("value", function(*arguments, **keywords))
    except (_Expired, KeyboardInterrupt):
        raise
    except BaseException as error:  # also SystemExit: a learner's exit() must not end the kernel
        return Outcome(
            "error",
            error=_error_text(error),
            line=_own_line(sys.exc_info()[2]),
            not_implemented=issubclass(type(error), NotImplementedError),
        )


def _with_alarm(action: Callable[[], Outcome], seconds: float) -> Outcome:
    """Run in the main thread and interrupt by SIGALRM; the handler and timer that were there come back afterwards."""
    armed = True

    def expire(*_: object) -> None:
        if armed:
            raise _Expired

    started = time.monotonic()
    previous_handler = signal.signal(signal.SIGALRM, expire)
    # It fires again and again: a bare `except:` in a loop of the learner's may swallow the first ones.
    previous_delay, previous_interval = signal.setitimer(signal.ITIMER_REAL, seconds, _REPEAT_SECONDS)
    try:
        try:
            return action()
        finally:
            armed = False
    except _Expired:
        return Outcome("expired")
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if previous_handler is None else previous_handler)
        if previous_delay:
            left = max(previous_delay - (time.monotonic() - started), 0.001)
            signal.setitimer(signal.ITIMER_REAL, left, previous_interval)


def _with_thread(action: Callable[[], Outcome], seconds: float) -> Outcome:
    """Run in a worker thread and raise in it when the time is up (no SIGALRM here, or not the main thread)."""
    outcomes: list[Outcome] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            outcomes.append(action())
        except _Expired:
            pass
        except BaseException as error:
            failures.append(error)

    worker = threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True)
    worker.start()
    worker.join(seconds)
    patience = time.monotonic() + 1.0
    while worker.is_alive() and time.monotonic() < patience:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(worker.ident), ctypes.py_object(_Expired))
        worker.join(_REPEAT_SECONDS)
    if failures:
        raise failures[0]
    return outcomes[0] if outcomes else Outcome("expired", unstoppable=worker.is_alive())


def call(
    function: Callable,
    arguments: tuple = (),
    keywords: dict | None = None,
    seconds: float = 5.0,
    printed: Printed | None = None,
) -> Outcome:
    """Call a function on copies of the arguments, for at most ``seconds`` of wall-clock time; never raises its errors.

    What it prints passes through ``printed`` (without one: it goes where it goes). KeyboardInterrupt is let through: a
    learner who presses stop means it.
    """
    keywords = keywords or {}
    own_arguments, own_keywords = copy.deepcopy((arguments, keywords))

    def action() -> Outcome:
        return _attempt(function, own_arguments, own_keywords)

    main = threading.current_thread() is threading.main_thread()
    limited = _with_alarm if main and hasattr(signal, "SIGALRM") else _with_thread
    # Around the limit, not within it: what cannot be stopped must not keep the kernel's output.
    with contextlib.nullcontext() if printed is None else printed.taking():
        outcome = limited(action, max(seconds, 0.001))
    if outcome.kind != "value":
        return outcome
    pairs = [*enumerate(zip(arguments, own_arguments, strict=True))]
    pairs += [(name, (keywords[name], own_keywords[name])) for name in keywords]
    changed = tuple(name for name, (before, after) in pairs if _differ(before, after))
    return Outcome("value", outcome.value, changed=changed)


def _differ(before: Any, after: Any) -> bool:
    try:
        return not identical(before, after)
    except Exception:  # something of the learner's was put into it that cannot be compared
        return True
