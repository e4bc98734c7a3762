"""Runs a command and ends it, with all that it started, as soon as this program's standard input closes.

    python keeper.py COMMAND …

Whoever starts the keeper holds the other end of its input. When that process ends, in whatever way, the end closes, and
nothing is left behind.
"""

import contextlib
import os
import subprocess
import sys
import threading

import psutil


def end(process: subprocess.Popen, patience: float = 15) -> None:
    """End a process and its descendants: it may end its own first, for ``patience`` seconds."""
    started = []
    with contextlib.suppress(psutil.NoSuchProcess):
        started = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in started:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def main() -> int:
    process, closed = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL), threading.Event()

    def watch() -> None:
        while os.read(0, 1024):
            pass
        closed.set()
        end(process)

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    status = process.wait()
    if closed.is_set():
        watching.join()
    return status


if __name__ == "__main__":
    sys.exit(main())
