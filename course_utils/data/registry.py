"""What data sets there are: ``data/registry.toml``, read and checked.

Each entry names one set: title, kind, licence, citation, class names and its files with their hashes and
addresses. A new kind of set needs one more name in ``KINDS`` and a loader in ``loaders.LOADERS``.
"""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from course_utils import paths
from course_utils.errors import CourseError, near_misses
from course_utils.language import say
from course_utils.tables import Table
from course_utils.tables import read as read_tables

# kind -> whether its files are fetched. An embedded set comes with an installed library, a shipped one with the course.
KINDS = {
    "embedded": False,
    "images": True,
    "shipped": False,
    "text": True,
    "prose": True,
    "tables": True,
    "sounds": True,
    "weights": True,
}


_KEYS = {"title", "kind", "licence", "citation", "class_names", "sha256", "files", "package", "package_folder"}
_FILE_KEYS = {"name", "path", "sha256", "size", "urls", "debian", "debian_path"}


@dataclass(frozen=True)
class File:
    """One published file: its name in the cache, its place in ``COURSE_DATA``, hash, bytes, addresses in order.

    A file without an address comes out of its set's package alone, or is ``debian_path`` of the package ``debian``.

    Hash and bytes are those of the file as it stands in the cache. Its place may hold it compressed (``.gz``), and an
    address that ends in ``.zip`` an archive with it.
    """

    name: str
    path: str
    sha256: str
    size: int
    urls: tuple[str, ...]
    debian: str = ""
    debian_path: str = ""


@dataclass(frozen=True)
class Entry:
    """One data set of the registry. ``sha256`` is the content's hash of a set without files of its own, else empty.

    ``package`` ("name==version") is a package of Python's index whose ``package_folder`` holds the same files: the last
    way to them, where one is named.
    """

    name: str
    title: str
    kind: str
    licence: str
    citation: str
    files: tuple[File, ...] = ()
    class_names: tuple[str, ...] = ()
    sha256: str = ""
    package: str = ""
    package_folder: str = ""

    @property
    def size(self) -> int:
        """Bytes to download, 0 for an embedded set."""
        return sum(file.size for file in self.files)

    @property
    def card(self) -> Path:
        """The set's data card, a Markdown file beside the registry (`verify` says where it is missing)."""
        return source().parent / "cards" / f"{self.name}.md"


def source() -> Path:
    """The registry's file, from a checkout or from the installed package."""
    return paths.packaged("registry.toml")


def names() -> list[str]:
    """The names of all sets, in the registry's order."""
    return list(read(source()))


def entry(name: str) -> Entry:
    """The entry of one set; raises CourseError with the near misses for a name that is not there."""
    entries = read(source())
    if name not in entries:
        raise CourseError(f"There is no data set called {name!r}.{near_misses(name, list(entries))}")
    return entries[name]


def check_shipped(name: str, digest: str, fault: str, folder: str) -> None:
    """Raise CourseError, with ``fault`` and what to do, unless a set that ships with the course has its sha256."""
    wanted = entry(name).sha256
    if digest != wanted:
        words = (
            "{fault} (sha256 wanted {wanted}, found {found}). Bring it back: git checkout {folder}, or install the "
            "course again."
        )
        raise CourseError(say(words, fault=fault, wanted=wanted, found=digest, folder=folder))


def read(path: Path) -> dict[str, Entry]:
    """Read and check a registry file; raises CourseError that names the set, the key and what was expected."""
    tables = read_tables(path, say("Mend the file, or install the course again."))
    return {name: _entry(name, table, path) for name, table in tables.items()}


def _entry(name: str, value: object, path: Path) -> Entry:
    where = f"{paths.display(path)}, set {name!r}"
    table = Table(value, where, _KEYS)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        table.refuse("a set's name has lower-case letters, digits and underscores only")
    kind = table.choice("kind", KINDS)
    raw = table.value.get("files", [])
    if not isinstance(raw, list) or bool(raw) != KINDS[kind]:
        table.refuse(f"a set of kind {kind!r} has {'one file or more' if KINDS[kind] else 'no files'}")
    package = "package" in table.value
    files = tuple(_file(item, f"{where}, file {number}", package) for number, item in enumerate(raw, 1))
    for what in ("name", "path"):
        values = [getattr(file, what) for file in files]
        for twice in sorted({v for v in values if values.count(v) > 1}):
            table.refuse(f"two files have the {what} {twice!r}")
    return Entry(
        name=name,
        title=table.text("title"),
        kind=kind,
        licence=table.text("licence"),
        citation=table.text("citation"),
        files=files,
        class_names=table.texts("class_names") if "class_names" in table.value else (),
        sha256="" if KINDS[kind] else table.sha256(),
        package=table.text("package", r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", "name==version") if package else "",
        package_folder=table.text("package_folder") if package else "",
    )


def _file(value: object, where: str, packaged: bool) -> File:
    table = Table(value, where, _FILE_KEYS)
    debian = "debian" in table.value
    path = table.text("path")
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or "\\" in path:
        table.refuse(f"path = {path!r}; expected: a path inside the COURSE_DATA folder, with forward slashes")
    size = table.whole("size", say("a number of bytes above 0"), least=1)
    urls = table.texts("urls") if "urls" in table.value or not (packaged or debian) else ()
    for url in urls:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            table.refuse(f"urls has {url!r}; expected: addresses that start with https:// or http://")
    return File(
        name=table.text("name", r"[A-Za-z0-9_][A-Za-z0-9._+-]*", "a plain file name"),
        path=path,
        sha256=table.sha256(),
        size=size,
        urls=urls,
        debian=table.text("debian", r"[a-z0-9][a-z0-9.+-]+", "the name of a Debian package") if debian else "",
        debian_path=table.text("debian_path") if debian else "",
    )
