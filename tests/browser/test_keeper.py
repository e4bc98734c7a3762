"""Nothing that the browser tests start outlives them."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

KEEPER = Path(__file__).with_name("keeper.py")
# A command that starts another, both of which last; it says their process ids.
LASTS = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""
# Stands for pytest: holds the keeper's input, and says what the command says.
HOLDS = f"""
import subprocess, sys, time
keeper = subprocess.Popen([sys.executable, {str(KEEPER)!r}, sys.executable, "-c", {LASTS!r}],
                          stdin=subprocess.PIPE, start_new_session=True)
time.sleep(60)
"""


@pytest.mark.parametrize("ends", ["kill", "terminate"])
def test_nothing_is_left_when_the_tests_are_ended_in_whatever_way(ends):
    holder = subprocess.Popen([sys.executable, "-c", HOLDS], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline().strip().isdigit()
        started = psutil.Process(holder.pid).children(recursive=True)
        assert len(started) == 3, "the keeper, the command and what it started"
    finally:
        getattr(holder, ends)()
        holder.wait()
        holder.stdout.close()
    _, alive = psutil.wait_procs(started, timeout=20)
    for process in alive:
        process.kill()
    assert not alive


def test_the_status_is_that_of_the_command():
    keeper = subprocess.Popen([sys.executable, str(KEEPER), sys.executable, "-c", "raise SystemExit(7)"],
                              stdin=subprocess.PIPE)  # fmt: skip
    with keeper.stdin:
        assert keeper.wait(20) == 7


def test_what_will_not_end_is_killed():
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    code = (
        f"import sys; sys.path.insert(0, {str(KEEPER.parent)!r}); import keeper, subprocess\n"
        f"process = subprocess.Popen([sys.executable, '-c', {deaf!r}], stdout=subprocess.PIPE)\n"
        "process.stdout.readline(); keeper.end(process, patience=0.2); print(process.returncode)"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=True)
    assert int(done.stdout) < 0 and time.monotonic() - began < 45
