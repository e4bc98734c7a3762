"""Requests that schemathesis makes from the service's own description, against `course serve` with texts and images.

    python -m venv /tmp/schemathesis && /tmp/schemathesis/bin/pip install schemathesis
    python tests/serving/schemathesis_run.py /tmp/schemathesis/bin/schemathesis [--requests 10000] [--seed 0]

Prints what the services answered, by status, and what schemathesis objects to. Exit status: 0 where nothing failed (no
status of 500 or above, every answer as described), 1 else. Half of the requests go to a model of each kind; it takes
some ten minutes, nearly all of them schemathesis's own.
"""

import argparse
import collections
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from wire import ask, get

from course_utils import surroundings

# Where the project knows better. A request that asks too much is refused with 413; one that the schema allows may still
# be meaningless, for JSON Schema can say neither that a shape and its data agree nor what a whole PNG is.
SETTINGS = """
[checks]
negative_data_rejection.expected-statuses = [400, 401, 404, 405, 408, 413, 415]
positive_data_acceptance.expected-statuses = [200, 400, 413]
"""
POSTS = 3  # addresses of the description that take a body, which is where the requests go


def serve(bundle: Path) -> tuple[subprocess.Popen, str]:
    """`course serve` and its address."""
    command = surroundings.python("-m", "course_utils", "serve", str(bundle), "--port", "0")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return process, re.search(r"http://\S+", process.stdout.readline())[0]


def answered(url: str) -> collections.Counter:
    """How many requests a service has answered, by status."""
    text = ask(url, get("/metrics"))[2].decode()
    found: collections.Counter = collections.Counter()
    for status, n in re.findall(r'^course_requests_total\{.*status="(\d+)"\} (\S+)', text, re.MULTILINE):
        found[int(status)] += int(float(n))
    return found


def digits(folder: Path) -> None:
    """Save an untrained network over images: what it answers is of no interest here."""
    import keras

    from course_utils import bundles
    from course_utils.bundles import networks

    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")]
    bundles.save(networks.ImageNet.of(keras.Sequential(layers), tuple("0123456789")), folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="schemathesis, in an environment of its own")
    parser.add_argument("--requests", type=int, default=10_000, help="at least so many, in all")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    from conftest import tickets

    failed, total = False, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "schemathesis.toml").write_text(SETTINGS, "utf-8")
        for kind, save in {"tickets": tickets, "digits": digits}.items():
            save(folder / kind)
            process, url = serve(folder / kind)
            counts: collections.Counter = collections.Counter()
            try:
                seed = given.seed
                while (sum(counts.values())) * 2 < given.requests:
                    missing = given.requests // 2 - sum(counts.values())
                    command = [given.program, "run", f"{url}/openapi.json", "--seed", str(seed)]
                    command += ["--max-examples", str(max(10, missing // POSTS)), "--continue-on-failure"]
                    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
                    now = answered(url)
                    if now == counts:
                        raise SystemExit(done.stdout + done.stderr)
                    counts, seed = now, seed + 1
                    if done.returncode:
                        failed = True
                        print(done.stdout)
            finally:
                process.terminate()
                ended = process.wait(30)
            failed = failed or ended != 0 or any(status >= 500 for status in counts)
            total += sum(counts.values())
            print(f"{kind}: {sum(counts.values()):,} requests, by status {dict(sorted(counts.items()))}", flush=True)
    print(f"{total:,} requests, {'FAILED' if failed else 'nothing failed'}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
