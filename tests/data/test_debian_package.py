"""A set out of a Debian package: a made package and a stand-in for apt; nothing is asked of a network."""

import hashlib
import io
import tarfile

import pytest

from course_utils.data import debian_package, fetch, registry
from course_utils.errors import CourseError

CONTENT = b"a recorded word " * 100


def a_package(content: bytes = CONTENT, path: str = "usr/share/small/one.wav", kind: bytes = tarfile.REGTYPE) -> bytes:
    """A .deb: an ar archive of three members, the last of them a tar packed by xz."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:xz") as archive:
        member = tarfile.TarInfo(f"./{path}")
        member.size, member.type, member.linkname = len(content), kind, "/etc/passwd"
        archive.addfile(member, io.BytesIO(content))
    made = b"!<arch>\n"
    for name, body in (("debian-binary", b"2.0\n"), ("control.tar.xz", b"odd"), ("data.tar.xz", held.getvalue())):
        made += f"{name:16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(body):<10}`\n".encode() + body + b"\n" * (len(body) % 2)
    return made


@pytest.fixture
def apt(monkeypatch, tmp_path):
    """``apt(package)``: an apt-get that leaves these bytes in its folder, None for one that fails."""
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    text = f"""[small]
title = "Small"
kind = "sounds"
licence = "none"
citation = "nobody"

[[small.files]]
name = "me-1.wav"
path = "small/me-1.wav"
sha256 = "{hashlib.sha256(CONTENT).hexdigest()}"
size = {len(CONTENT)}
debian = "small-sounds"
debian_path = "usr/share/small/one.wav"
"""
    (tmp_path / "registry.toml").write_text(text, "utf-8")
    monkeypatch.setattr(registry, "source", lambda: tmp_path / "registry.toml")

    def stand_in(package: bytes | None):
        program = tmp_path / "apt-get"
        (tmp_path / "made.deb").write_bytes(package or b"")
        does = f"cp {tmp_path}/made.deb ." if package is not None else "echo 'E: Unable to locate it' >&2; exit 100"
        program.write_text(f"#!/bin/sh\n{does}\n", "utf-8")
        program.chmod(0o755)
        monkeypatch.setattr(debian_package.shutil, "which", lambda name: str(program))

    return stand_in


def test_a_file_comes_out_of_a_package_and_nothing_else_is_kept(apt):
    apt(a_package())
    assert fetch.fetch("small", progress=False)["me-1.wav"].read_bytes() == CONTENT
    assert [path.name for path in fetch.folder("small").iterdir()] == ["me-1.wav"]


@pytest.mark.parametrize(
    ("package", "message"),
    [
        (a_package(b"A" + CONTENT[1:]), "of the right size with other content"),
        (a_package(path="usr/share/small/two.wav"), "it has no such file"),
        (a_package(b"", kind=tarfile.SYMTYPE), "it has no such file"),
        (a_package()[:-40], "cut off"),
        (a_package().replace(b"data.tar", b"date.tar"), "it holds no data.tar"),
        (b"<!doctype html>", "no ar archive"),
        (None, "Unable to locate it"),
    ],
)
def test_what_a_package_lacks_is_said_and_nothing_kept(apt, package, message):
    apt(package)
    with pytest.raises(CourseError, match="could not be downloaded") as caught:
        fetch.fetch("small", progress=False)
    assert message in str(caught.value) and "the package small-sounds" in str(caught.value)
    assert list(fetch.folder("small").iterdir()) == []


def test_without_apt_it_is_one_sentence(apt, monkeypatch):
    monkeypatch.setattr(debian_package.shutil, "which", lambda name: None)
    with pytest.raises(CourseError, match="this machine has no apt-get"):
        fetch.fetch("small", progress=False)
