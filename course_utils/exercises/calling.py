"""Calling a learner's function safely: on copies, within a time limit, with its own line number when it raises."""

import contextvars
import copy
import ctypes
import dis
import linecache
import signal
import sysconfig
import threading
import time
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.exercises.comparing import clean, identical

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


def _own_line(error: BaseException) -> tuple[str, str]:
    """Where the deepest frame stands that is no library's nor this package's, and its source; ("", "") without one."""
    libraries = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    ours = str(Path(__file__).resolve().parent.parent)
    found = ("", "")
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        name = code.co_filename
        foreign = (
            name.startswith(("<frozen", "<__array"))
            or "-packages" in name
            or any(name.startswith(folder + sep) for folder in (*libraries, ours) if folder for sep in "/\\")
        )
        if not foreign:
            source = linecache.getline(name, trace.tb_lineno).strip()
            found = (f"line {trace.tb_lineno}, in {code.co_name}", clean(source))
        trace = trace.tb_next
    return found


def _error_text(error: BaseException) -> str:
    try:
        message = str(error)
    except Exception:
        message = "(its message cannot be shown)"
    return clean(f"{type(error).__name__}: {message}" if message else type(error).__name__)


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
            line=_own_line(error),
            not_implemented=isinstance(error, NotImplementedError),
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


def call(function: Callable, arguments: tuple = (), keywords: dict | None = None, seconds: float = 5.0) -> Outcome:
    """Call a function on copies of the arguments, for at most ``seconds`` of wall-clock time; never raises its errors.

    KeyboardInterrupt is let through: a learner who presses stop means it.
    """
    keywords = keywords or {}
    own_arguments, own_keywords = copy.deepcopy((arguments, keywords))

    def action() -> Outcome:
        return _attempt(function, own_arguments, own_keywords)

    main = threading.current_thread() is threading.main_thread()
    limited = _with_alarm if main and hasattr(signal, "SIGALRM") else _with_thread
    outcome = limited(action, max(seconds, 0.001))
    if outcome.kind != "value":
        return outcome
    changed: list[int | str] = [
        i for i, (a, b) in enumerate(zip(arguments, own_arguments, strict=True)) if not identical(a, b)
    ]
    changed += [name for name in keywords if not identical(keywords[name], own_keywords[name])]
    return Outcome("value", outcome.value, changed=tuple(changed))
