"""Files out of a Debian package: fetched by apt without root, never installed, no script of it is run.

A package is an ar archive that holds a compressed tar; Python reads both, so nothing else of Debian is needed.
"""

import contextlib
import io
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from course_utils.language import say

SECONDS = 600
_MAGIC = b"!<arch>\n"


class NoPackage(Exception):
    """Why the package could not be had, as the end of a sentence."""


@contextlib.contextmanager
def opened(package: str, beside: Path) -> Iterator[tarfile.TarFile]:
    """What the newest ``package`` that apt knows would install, as an open tar; it is kept only while it is open.

    Raises NoPackage.
    """
    apt = shutil.which("apt-get")
    if apt is None:
        raise NoPackage(say("this machine has no apt-get; Debian's packages are fetched on Debian, Ubuntu and kin"))
    with tempfile.TemporaryDirectory(dir=beside, prefix=".deb.") as scratch:
        command = [apt, "-q", "download", package]
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, cwd=scratch)
        except subprocess.TimeoutExpired:
            raise NoPackage(say("apt brought nothing within {minutes} minutes", minutes=SECONDS // 60)) from None
        except OSError as error:
            raise NoPackage(say("apt could not be started ({reason})", reason=error.strerror)) from None
        found = list(Path(scratch).glob("*.deb"))
        if run.returncode or len(found) != 1:
            lines = [line for line in run.stderr.splitlines() if line.startswith("E: ")]
            said = lines[-1].removeprefix("E: ") if lines else say("it said nothing")
            raise NoPackage(say("apt did not bring it ({said}); run apt-get update once", said=said))
        try:
            with tarfile.open(fileobj=io.BytesIO(_data(found[0].read_bytes())), mode="r:*") as archive:
                yield archive
        except (tarfile.TarError, EOFError, ValueError, OSError) as error:
            raise NoPackage(say("what apt brought is no package ({reason})", reason=error)) from error


def content(archive: tarfile.TarFile, path: str) -> io.BufferedIOBase:
    """A plain file of the package, opened; KeyError for one that is missing, a link or no file."""
    opened_file = archive.extractfile(member) if (member := archive.getmember(f"./{path}")).isreg() else None
    if opened_file is None:
        raise KeyError(path)
    return opened_file


def _data(package: bytes) -> bytes:
    """The member ``data.tar.*`` of an ar archive: 60 bytes of header each, padded to an even length."""
    if not package.startswith(_MAGIC):
        raise ValueError("no ar archive")
    at = len(_MAGIC)
    while at + 60 <= len(package):
        name, size = package[at : at + 16].decode("ascii", "replace").strip(), int(package[at + 48 : at + 58])
        if size < 0 or at + 60 + size > len(package):
            raise ValueError("cut off")
        if name.startswith("data.tar"):
            return package[at + 60 : at + 60 + size]
        at += 60 + size + size % 2
    raise ValueError("it holds no data.tar")
