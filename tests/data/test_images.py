import gzip
import hashlib
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from course_utils import data
from course_utils.data import images, registry, sklearn_digits
from course_utils.errors import CourseError

MIDDLE = 14.0  # measured on the published MNIST: 13.99 and 14.00 over its first 5,000 images


def to_idx(array: np.ndarray) -> bytes:
    header = b"\x00\x00\x08" + bytes([array.ndim])
    return header + b"".join(size.to_bytes(4, "big") for size in array.shape) + array.tobytes()


def centres(large: np.ndarray) -> np.ndarray:
    """The centre of mass of each image, (n, 2), in pixels counted from 0."""
    ink, grid = large.astype(float), np.arange(28)
    mass = ink.sum((1, 2))
    return np.stack([ink.sum(2) @ grid / mass, ink.sum(1) @ grid / mass], axis=1)


idx_arrays = arrays.arrays(np.uint8, arrays.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=6))


@given(idx_arrays)
def test_idx_round_trip(array):
    found = images.parse_idx(to_idx(array))
    assert found.dtype == np.uint8 and found.shape == array.shape and np.array_equal(found, array)
    assert not found.flags.writeable


@given(idx_arrays, st.data())
def test_a_truncated_idx_file_is_refused(array, draw):
    content = to_idx(array)
    with pytest.raises(CourseError):
        images.parse_idx(content[: draw.draw(st.integers(0, len(content) - 1))])


@given(idx_arrays, st.binary(min_size=1, max_size=20))
def test_an_oversized_idx_file_is_refused(array, more):
    with pytest.raises(CourseError, match="bytes of data for the shape"):
        images.parse_idx(to_idx(array) + more)


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=5)), st.data())
def test_a_mutated_idx_header_is_refused(array, draw):
    content = bytearray(to_idx(array))
    place = draw.draw(st.integers(0, 3 + 4 * array.ndim))
    content[place] = draw.draw(st.integers(0, 255).filter(lambda value: value != content[place]))
    # Another number of dimensions may, by the data's own bytes, describe a file of the same length; no other may.
    if place == 3:
        try:
            found = images.parse_idx(bytes(content))
        except CourseError:
            return
        assert found.ndim == content[3] and 4 + 4 * found.ndim + found.size == len(content)
    else:
        with pytest.raises(CourseError):
            images.parse_idx(bytes(content))


@pytest.mark.parametrize(
    "content", [b"", b"not gzip", gzip.compress(b"x" * 500, mtime=0)[:-12], gzip.compress(b"<html>", mtime=0)]
)
def test_a_file_that_is_no_idx_file_is_refused_by_name(tmp_path, content):
    path = tmp_path / "wrong-idx3-ubyte.gz"
    path.write_bytes(content)
    with pytest.raises(CourseError, match="wrong-idx3-ubyte"):
        images.read_idx(path)


def test_a_huge_shape_in_a_header_costs_no_memory():
    with pytest.raises(CourseError, match="needs"):
        images.parse_idx(b"\x00\x00\x08\x04" + b"\xff" * 16)


# Ink within the middle 6×6 of the field keeps the whole digit inside 28×28, as real digits are.
fields = arrays.arrays(np.uint8, (3, 6, 6), elements=st.integers(0, 16))


@given(fields)
def test_centring(field):
    large = images.mnist_form(np.pad(field, ((0, 0), (1, 1), (1, 1))))
    assert large.shape == (3, 28, 28) and large.dtype == np.uint8
    mass = field.sum((1, 2)) / 16 * 2.5**2
    found = large.sum((1, 2)) / 255
    assert np.all(large[mass == 0] == 0)
    inked = mass > 0
    # Cubic convolution rings below 0 around hard edges; what is cut off there is missing from the balance.
    assert np.all(np.abs(found[inked] / mass[inked] - 1) < 0.35)
    assert np.all(np.abs(centres(large[inked]) - MIDDLE) < 0.5)


def test_a_shifted_digit_gives_the_same_image():
    small = np.zeros((2, 8, 8))
    small[0, 1:6, 2:4] = small[1, 3:8, 5:7] = [[3, 16], [8, 16], [16, 16], [9, 12], [0, 7]]
    large = images.mnist_form(small)
    assert np.abs(large[0].astype(int) - large[1]).max() <= 2
    assert large.max() > 200


def card() -> str:
    return " ".join(registry.entry("digits").card.read_text("utf-8").split())


def test_the_card_says_where_the_centre_of_mass_is():
    (place, within) = re.findall(r"centre of mass at (\d+), .*?each within (0\.\d+) pixel", card())[0]
    digits = data.load("digits")
    for part in (digits.train, digits.validation, digits.test):
        assert abs(centres(part.images) - float(place)).max() < float(within)
    assert float(place) == MIDDLE


def test_the_digits_have_mnists_form():
    digits = data.load("digits")
    for part in (digits.train, digits.validation, digits.test):
        assert part.images.dtype == np.uint8 and part.images.shape == (len(part), 28, 28)
        assert part.labels.dtype == np.int64 and part.labels.shape == (len(part),)
        assert not part.images.flags.writeable and not part.labels.flags.writeable
        assert np.abs(centres(part.images) - MIDDLE).max() < 0.05
        assert part.images.max() == 255
        # The ink stays clear of the frame, as MNIST's does.
        edge = np.ones((28, 28), bool)
        edge[1:-1, 1:-1] = False
        assert part.images[:, edge].mean() < 0.5
    small, _ = sklearn_digits.digits()
    mass = small.sum((1, 2)) / 16 * 2.5**2
    whole = np.concatenate([digits.train.images, digits.validation.images, digits.test.images])
    assert np.abs(whole.sum((1, 2)) / 255 / mass - 1).max() < 0.12


def test_the_enlarged_digits_are_still_the_small_ones():
    small, _ = sklearn_digits.digits()
    large = data.load("digits").train.images[:200] / 255
    # Reading each image back at the 8×8 raster finds the values that went in.
    offsets = (np.arange(28) - MIDDLE) / 2.5
    worst = 0.0
    for image, field in zip(large, small[:200] / 16, strict=True):
        rows, columns = (field.sum(1) @ np.arange(8)) / field.sum(), (field.sum(0) @ np.arange(8)) / field.sum()
        back = np.stack([np.interp(np.arange(8) - columns, offsets, line) for line in image])
        back = np.stack([np.interp(np.arange(8) - rows, offsets, line) for line in back.T]).T
        worst = max(worst, np.abs(back - field)[1:-1, 1:-1].mean())
    assert worst < 0.06


def test_the_parts_are_blocks_of_whole_forms():
    digits = data.load("digits")
    assert (len(digits.train), len(digits.validation), len(digits.test)) == (1029, 386, 382)
    _, labels = sklearn_digits.digits()
    parts = [digits.train.labels, digits.validation.labels, digits.test.labels]
    assert np.array_equal(np.concatenate(parts), labels)
    assert {start for start, _ in images.DIGITS_BLOCKS.values()} <= set(images.DIGITS_FORMS)
    # Every form begins with 0, 1, … 9 (the labels of a few rows are missing from some).
    begins = [labels[start : start + 10].tolist() == list(range(10)) for start in images.DIGITS_FORMS]
    assert sum(begins) >= 12
    assert digits.class_names == tuple("0123456789")


def test_a_form_is_one_hand():
    small, labels = sklearn_digits.digits()
    flat = small.reshape(len(small), -1) / 16
    form = np.searchsorted(images.DIGITS_FORMS, np.arange(len(labels)), side="right")
    square = (flat**2).sum(1)
    distance = square[:, None] + square - 2 * flat @ flat.T
    distance[labels[:, None] != labels] = np.inf
    np.fill_diagonal(distance, np.inf)
    same = form[:, None] == form
    within = np.where(same, distance, np.inf).min(1).mean()
    others = [np.where(form == f, distance, np.inf).min(1)[form != f].mean() for f in range(1, 15)]
    assert within < 0.6 * min(others)


def test_shuffling_has_the_same_sizes_and_depends_on_the_seed_alone():
    honest, first, again, other = (
        data.load("digits"),
        data.load("digits", split="shuffled", seed=1),
        data.digits_shuffled_split(1),
        data.load("digits", split="shuffled", seed=2),
    )
    for part in ("train", "validation", "test"):
        assert len(getattr(first, part)) == len(getattr(honest, part))
        assert np.array_equal(getattr(first, part).images, getattr(again, part).images)
    assert not np.array_equal(first.test.labels, other.test.labels)
    whole = [np.concatenate([p.images for p in (d.train, d.validation, d.test)]) for d in (honest, first)]
    keys = [sorted(hashlib.sha256(image.tobytes()).digest() for image in group) for group in whole]
    assert keys[0] == keys[1]
    assert np.array_equal(data.load("digits", seed=5).test.images, honest.test.images)


def test_shuffling_flatters():
    from sklearn.svm import SVC

    def accuracy(digits):
        flat = [part.images.reshape(len(part), -1) / 255 for part in (digits.train, digits.test)]
        return SVC().fit(flat[0], digits.train.labels).score(flat[1], digits.test.labels)

    honest = accuracy(data.load("digits"))
    assert accuracy(data.load("digits", split="shuffled", seed=0)) - honest > 0.015
    (said,) = re.findall(r"(0\.\d+) to 0\.\d+ for an SVM", card())
    assert float(said) == pytest.approx(honest, abs=0.001)


def test_unknown_splits_are_refused():
    with pytest.raises(CourseError, match="'blocks'"):
        data.load("digits", split="random")
    with pytest.raises(CourseError, match="one split"):
        data.load("mnist", split="shuffled")


def test_other_digits_are_refused(monkeypatch):
    from sklearn import datasets

    bunch = datasets.load_digits()
    bunch.target[7] = 1
    monkeypatch.setattr(datasets, "load_digits", lambda: bunch)
    with pytest.raises(CourseError, match="not the 1,797 known ones"):
        data.load("digits")
    (row,) = data.verify.verify(["digits"])
    assert not row.ok and row.verdict == "damaged"


def test_the_summary_counts_images_and_shares():
    table = data.load("digits").summary()
    assert table["images"].tolist() == [1029, 386, 382] and list(table.index) == ["train", "validation", "test"]
    shares = table.drop(columns="images")
    assert list(shares.columns) == list("0123456789")
    assert np.allclose(shares.sum(axis=1), 1)
    assert shares.loc["test", "8"] == pytest.approx((data.load("digits").test.labels == 8).mean())


def test_parts_protect_their_arrays_and_refuse_what_does_not_belong_together():
    mine = np.zeros((2, 28, 28), np.uint8)
    part = data.Part(mine, np.array([1, 2], np.uint8))
    with pytest.raises(ValueError, match="read-only"):
        part.images[0] = 1
    mine[0] = 1  # the caller's own array is still the caller's
    with pytest.raises(CourseError, match="do not belong together"):
        data.Part(mine, np.array([1]))
    assert repr(part) == "Part(2 images of 28×28)"


def test_sets_published_as_idx_files(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    wanted, lines = {}, []
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    lines += ["[tiny]", 'title = "T"', 'kind = "images"', 'licence = "L"', 'citation = "C"', 'class_names = ["a", "b"]']
    for (images_name, labels_name), count in zip(images._IDX_FILES.values(), (5_003, 4), strict=True):
        for name, array in (
            (images_name, random.integers(0, 256, (count, 28, 28), np.uint8)),
            (labels_name, random.integers(0, 2, count, np.uint8)),
        ):
            content = gzip.compress(to_idx(array), 1)
            (tmp_path / name).write_bytes(content)
            wanted[name] = array
            digest = hashlib.sha256(content).hexdigest()
            lines += ["[[tiny.files]]", f'name = "{name}"', f'path = "{name}"', f'sha256 = "{digest}"']
            lines += [f"size = {len(content)}", 'urls = ["http://127.0.0.1:9/none"]']
    (tmp_path / "registry.toml").write_text("\n".join(lines), "utf-8")
    monkeypatch.setattr(registry, "source", lambda: tmp_path / "registry.toml")
    tiny = data.load("tiny")
    assert (len(tiny.train), len(tiny.validation), len(tiny.test)) == (3, 5_000, 4)
    assert np.array_equal(tiny.train.images, wanted["train-images-idx3-ubyte.gz"][:3])
    assert np.array_equal(tiny.validation.labels, wanted["train-labels-idx1-ubyte.gz"][-5_000:])
    assert np.array_equal(tiny.test.images, wanted["t10k-images-idx3-ubyte.gz"])
    assert tiny.class_names == ("a", "b") and tiny.test.labels.dtype == np.int64


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, course_utils.data as d; d.names(); d.status('mnist');"
        "heavy = ('numpy', 'pandas', 'pooch', 'requests', 'sklearn', 'tqdm', 'tensorflow');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.full
@pytest.mark.skipif(not os.environ.get("COURSE_DATA"), reason="needs COURSE_DATA, the folder with the real data sets")
@pytest.mark.parametrize(("name", "mean"), [("mnist", 33.3), ("fashion_mnist", 72.9)])
def test_the_published_sets(tmp_path, monkeypatch, name, mean):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    published = data.load(name)
    assert (len(published.train), len(published.validation), len(published.test)) == (55_000, 5_000, 10_000)
    assert published.train.images.mean() == pytest.approx(mean, abs=0.2)
    assert np.bincount(published.test.labels).shape == (10,)
    assert all(row.ok for row in data.verify.verify([name]))
    assert data.status(name).state == "cached"
