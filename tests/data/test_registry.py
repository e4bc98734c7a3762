import hashlib
import tomllib

import pytest

from course_utils import paths
from course_utils.data import registry
from course_utils.errors import CourseError

GOOD = """
[small]
title = "Small"
kind = "images"
licence = "MIT"
citation = "Nobody (2020)"

[[small.files]]
name = "set.bin"
path = "small/set.bin"
sha256 = "HASH"
size = 3
urls = ["https://example.org/set.bin"]
""".replace("HASH", "0" * 64)


def read(tmp_path, text):
    path = tmp_path / "registry.toml"
    path.write_text(text, "utf-8")
    return registry.read(path)


def test_the_registry_of_the_course():
    assert set(registry.names()) >= {"digits", "mnist", "fashion_mnist"}
    for name in registry.names():
        entry = registry.entry(name)
        assert len(set(entry.class_names)) == len(entry.class_names)
        assert entry.licence and entry.citation
        assert entry.card.read_text("utf-8").startswith("# Data card: ")
        assert entry.licence in entry.card.read_text("utf-8")
    for name in ("digits", "mnist", "fashion_mnist"):
        assert len(registry.entry(name).class_names) == 10
    assert registry.entry("digits").size == 0
    assert registry.entry("mnist").size == 11_594_722
    assert registry.entry("fashion_mnist").size == 30_878_645
    for name in ("mnist", "fashion_mnist"):
        assert all(len(file.urls) == 2 for file in registry.entry(name).files)
        assert all(url.endswith("/" + file.name) for file in registry.entry(name).files for url in file.urls)


def test_an_address_and_a_hash_stand_in_the_registry_once():
    text = paths.packaged("registry.toml").read_text("utf-8")
    tables = tomllib.loads(text)
    files = [file for table in tables.values() for file in table.get("files", [])]
    for value in [file["sha256"] for file in files] + [
        url
        for file in files
        for url in file.get("urls", ())
        if not url.endswith(".zip")  # an archive has several files
    ]:
        assert text.count(value) == 1


def test_a_file_without_an_address_needs_a_package(tmp_path):
    without = GOOD.replace('urls = ["https://example.org/set.bin"]\n', "")
    with pytest.raises(CourseError, match="urls"):
        read(tmp_path, without)
    package = 'package = "small==1.0"\npackage_folder = "small/data"\n\n[[small.files]]'
    assert read(tmp_path, without.replace("[[small.files]]", package))["small"].files[0].urls == ()


def test_an_unknown_name_is_refused_with_the_near_misses():
    with pytest.raises(CourseError, match=r"no data set called 'fashion-mnist'\. Did you mean .*fashion_mnist\?"):
        registry.entry("fashion-mnist")
    with pytest.raises(CourseError, match="Known: digits, mnist, fashion_mnist"):
        registry.entry("zzz")


def test_a_good_registry_is_read(tmp_path):
    entry = read(tmp_path, GOOD)["small"]
    assert (entry.title, entry.size, entry.files[0].urls) == ("Small", 3, ("https://example.org/set.bin",))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("size = 3", "size = 0", r"set 'small', file 1: size = 0; expected: a number of bytes above 0"),
        ("size = 3", "size = true", "size = True"),
        ("size = 3", 'size = "3"', "size = '3'"),
        ("0" * 64, "0" * 63, "expected: 64 lower-case hexadecimal digits"),
        ("0" * 64, "A" * 64, "expected: 64 lower-case hexadecimal digits"),
        ('path = "small/set.bin"', 'path = "../set.bin"', "inside the COURSE_DATA folder"),
        ('path = "small/set.bin"', 'path = "/set.bin"', "inside the COURSE_DATA folder"),
        ('name = "set.bin"', 'name = "a/set.bin"', "a plain file name"),
        ('name = "set.bin"', 'name = "../x"', "a plain file name"),
        ('["https://example.org/set.bin"]', "[]", "a list of one text or more"),
        ('["https://example.org/set.bin"]', '["file:///etc/passwd"]', "start with https:// or http://"),
        ('kind = "images"', 'kind = "image"', "kind = 'image'; expected: one of embedded, images"),
        ('kind = "images"', 'kind = "embedded"', "'embedded' has no files"),
        ('licence = "MIT"', "", "licence is missing; expected some text"),
        ('kind = "images"', "", "set 'small': kind is missing; expected one of embedded, images"),
        ("size = 3", "", "file 1: size is missing; expected a number of bytes above 0"),
        ('urls = ["https://example.org/set.bin"]', "", "file 1: urls is missing; expected a list of one text or more"),
        ('licence = "MIT"', 'licence = " "', "licence = ' '"),
        ('licence = "MIT"', 'license = "MIT"', "the key 'license' is not known. Did you mean .*licence"),
        ("[small]", "[Small-Set]", "."),
        ("size = 3", "size = ", "cannot be read"),
    ],
)
def test_a_bad_registry_is_refused(tmp_path, old, new, message):
    assert old in GOOD
    with pytest.raises(CourseError, match=message):
        read(tmp_path, GOOD.replace(old, new))


def test_two_files_of_one_name_and_a_set_without_files_are_refused(tmp_path):
    again = GOOD[GOOD.index("[[small.files]]") :]
    with pytest.raises(CourseError, match=r"two files have the name 'set\.bin'"):
        read(tmp_path, GOOD + again)
    with pytest.raises(CourseError, match="'images' has one file or more"):
        read(tmp_path, GOOD.replace(again, ""))
    with pytest.raises(CourseError, match="a table is expected here"):
        read(tmp_path, "small = 3")


def test_a_missing_registry_is_a_clear_error(tmp_path):
    with pytest.raises(CourseError, match="cannot be read"):
        registry.read(tmp_path / "none.toml")


def test_the_embedded_set_needs_the_hash_of_its_content(tmp_path):
    text = '[set]\ntitle = "T"\nkind = "embedded"\nlicence = "L"\ncitation = "C"\n'
    with pytest.raises(CourseError, match="sha256 is missing; expected 64 lower-case"):
        read(tmp_path, text)
    wanted = hashlib.sha256(b"").hexdigest()
    assert read(tmp_path, text + f'sha256 = "{wanted}"\n')["set"].sha256 == wanted


def test_every_kind_of_set_has_its_loader():
    from course_utils.data import loaders

    assert set(loaders.LOADERS) == set(registry.KINDS)
