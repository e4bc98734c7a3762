"""Seconds from the start of a kernel to the end of ``setup``, beside a kernel that does nothing but import TensorFlow.

    python tests/benchmarks/setup_time.py [--rounds 5]

Each time is a fresh kernel, started as JupyterLab starts one; the kinds take turns, the table has medians. Needs a
machine that is otherwise idle, TensorFlow, and about a minute.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CELLS = {
    "an empty kernel": "pass",
    "setup, framework=False": 'from course_utils import setup\nsetup("03", framework=False)',
    "setup, Keras on TensorFlow": 'from course_utils import setup\nsetup("07")',
    "import tensorflow (the peer)": "import tensorflow",
}


def seconds(cell: str, environment: dict[str, str]) -> float:
    """One fresh kernel's time from its start to the end of a cell; raises RuntimeError when the cell fails."""
    from jupyter_client.manager import KernelManager

    began = time.perf_counter()
    kernel = KernelManager()
    kernel.start_kernel(env=environment, cwd=str(ROOT), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        client = kernel.blocking_client()
        client.start_channels()
        client.wait_for_ready(timeout=120)
        reply = client.execute_interactive(cell, timeout=300, output_hook=lambda message: None)
        taken = time.perf_counter() - began
        client.stop_channels()
    finally:
        kernel.shutdown_kernel(now=True)
    if reply["content"]["status"] != "ok":
        raise RuntimeError(f"{cell!r} failed: {reply['content'].get('ename')}: {reply['content'].get('evalue')}")
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds

    times: dict[str, list[float]] = {name: [] for name in CELLS}
    with tempfile.TemporaryDirectory() as scratch:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("COURSE_", "KERAS_"))}
        environment |= {"IPYTHONDIR": scratch, "COURSE_CACHE": scratch, "PYTHONPATH": str(ROOT)}
        for number in range(rounds + 1):
            for name, cell in CELLS.items():
                taken = seconds(cell, environment)
                if number:  # the first round warms the disk's cache
                    times[name].append(taken)
                print(f"\rround {number} of {rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)

    print(f"kernel start to end of cell, s ({rounds} fresh kernels each, in turn)")
    print(f"{'':32}{'median':>8}{'least':>8}{'most':>8}")
    for name, taken in times.items():
        print(f"{name:32}{statistics.median(taken):8.2f}{min(taken):8.2f}{max(taken):8.2f}")
    _, _, ours, peer = (statistics.median(taken) for taken in times.values())
    print(f"setup with Keras on TensorFlow takes {ours / peer:.2f} of a kernel that imports TensorFlow alone")


if __name__ == "__main__":
    main()
