"""The shipped network: only the right file is loaded, it reads digits, and making it again is all or nothing."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest

from course_utils import paths, weights
from course_utils.errors import CourseError
from course_utils.evaluate import share
from course_utils.explorers import example_strokes
from course_utils.recipes import make_weights
from course_utils.strokes import PAPER, digit_from_strokes

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "data" / "weights"
NAME = "mnist_reader"


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A copy of the shipped folder that the package takes for its own."""
    copied = tmp_path / "data" / "weights"
    shutil.copytree(SHIPPED, copied)
    monkeypatch.setattr(paths, "packaged", lambda name: tmp_path / "data" / name)
    return copied


@pytest.fixture
def unloaded(monkeypatch) -> None:
    """Keras must not even be asked."""
    import keras

    def refuse(*arguments, **options):
        raise AssertionError("a file that is not the shipped one was given to Keras")

    monkeypatch.setattr(keras.saving, "load_model", refuse)


@pytest.fixture(scope="module")
def reader():
    return weights.load()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_network_takes_pixels_and_gives_probabilities(reader):
    from keras import ops

    assert reader.input_shape == (None, 28, 28, 1) and reader.output_shape == (None, 10)
    assert not reader.compiled and reader.count_params() == 66_154
    images = np.random.default_rng(0).integers(0, 256, (7, 28, 28, 1)).astype(np.uint8)
    probabilities = reader.predict(images, verbose=0)
    assert probabilities.shape == (7, 10) and (probabilities >= 0).all()
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(7), abs=1e-5)
    assert ops.convert_to_numpy(reader(images.astype(np.float32))) == pytest.approx(probabilities, abs=1e-5)


@pytest.mark.parametrize("digit", range(10))
def test_the_example_drawings_are_read(reader, digit):
    from keras import ops

    image = digit_from_strokes(example_strokes(digit))
    probabilities = ops.convert_to_numpy(reader(image[None, ..., None].astype(np.float32)))[0]
    assert probabilities.argmax() == digit and probabilities[digit] > 0.8


def test_the_example_drawings():
    assert example_strokes() == example_strokes(7) == example_strokes(np.int64(7))
    assert len({str(example_strokes(digit)) for digit in range(10)}) == 10
    for digit in range(10):
        drawing = example_strokes(digit)
        for stroke in drawing:
            edge = stroke["width"] / 2
            assert all(edge <= value <= PAPER - edge for point in stroke["points"] for value in point)
        drawing[0]["points"].clear()
        assert example_strokes(digit)[0]["points"], "each call gives a drawing of its own"


@pytest.mark.parametrize("digit", [-1, 10, "7", 7.0, True, None])
def test_there_are_ten_example_drawings(digit):
    with pytest.raises(CourseError, match="drawings of the digits 0 to 9"):
        example_strokes(digit)


def test_the_file_is_small_has_the_hash_of_the_index_and_no_optimiser():
    entry = weights.entry(NAME)
    assert weights.names() == [NAME]
    assert entry.path.stat().st_size == entry.size <= 500_000
    assert sha256(entry.path) == entry.sha256
    with zipfile.ZipFile(entry.path) as archive:
        assert set(archive.namelist()) == {"config.json", "metadata.json", "model.weights.h5"}
        assert not json.loads(archive.read("config.json")).get("compile_config")
        assert b"optimizer" not in archive.read("model.weights.h5")


def test_nothing_in_the_folder_is_unaccounted_for():
    listed = {"index.toml"} | {
        path.name for n in weights.names() for path in (weights.entry(n).path, weights.entry(n).card)
    }
    assert {path.name for path in SHIPPED.iterdir()} == listed


def test_the_card_says_what_the_index_says():
    entry, card = weights.entry(NAME), weights.card(NAME)
    score = share(entry.right, entry.n)
    assert f"| {score.value:.4f} | {score.low:.4f} to {score.high:.4f} | {entry.n:,} |" in card
    assert entry.made_by in card and f"{entry.size:,} bytes, made on {entry.date}" in card
    assert f"**Licence.** {entry.licence}:" in card and "**Not good for.**" in card


def tampered(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def lengthened(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("spoil", [tampered, truncated, lengthened, emptied])
def test_another_file_is_not_loaded(folder, unloaded, spoil):
    file = folder / f"{NAME}.keras"
    wanted = sha256(file)
    spoil(file)
    with pytest.raises(CourseError) as caught:
        weights.load(NAME)
    said = str(caught.value)
    assert "mnist_reader.keras" in said and wanted in said and sha256(file) in said
    assert f"{file.stat().st_size:,} bytes" in said
    assert "Install the course again" in said and "git checkout data/weights" in said


@pytest.mark.parametrize("instead", ["nothing", "a folder"])
def test_a_missing_file_is_named_with_its_hash(folder, unloaded, instead):
    file = folder / f"{NAME}.keras"
    wanted = sha256(file)
    file.unlink()
    if instead == "a folder":
        file.mkdir()
    found = "is missing" if instead == "nothing" else "cannot be read"
    with pytest.raises(CourseError, match=rf"mnist_reader\.keras {found}.*wanted: {wanted}, found: none.*git checkout"):
        weights.load(NAME)


def test_an_unknown_name_is_refused_with_the_near_misses(unloaded):
    for ask in (weights.load, weights.card, weights.entry):
        with pytest.raises(CourseError, match=r"No network called 'mnist-reader' .* Did you mean mnist_reader\?"):
            ask("mnist-reader")


@pytest.mark.parametrize(
    "index, said",
    [
        ("", "No network called 'mnist_reader' ships"),
        ("[other]\n", "Known: other"),
        ("[mnist_reader\n", "index.toml cannot be read"),
        (b"\xff", "index.toml cannot be read"),
        ("mnist_reader = 3", "a table is expected here"),
        ("[mnist_reader]\n", "title is missing; expected some text"),
    ],
)
def test_an_index_without_a_sound_entry_loads_nothing(folder, unloaded, index, said):
    (folder / "index.toml").write_bytes(index if isinstance(index, bytes) else index.encode())
    with pytest.raises(CourseError, match=said):
        weights.load(NAME)


@pytest.mark.parametrize(
    "old, new, said",
    [
        ('file = "mnist_reader.keras"', 'file = "../mnist_reader.keras"', "a plain file name that ends in .keras"),
        ('file = "mnist_reader.keras"', 'file = "mnist_reader.pkl"', "a plain file name that ends in .keras"),
        ('card = "mnist_reader.md"', 'card = "/etc/card.md"', "a plain file name that ends in .md"),
        ("sha256 = ", "sha265 = ", "sha256 is missing; expected 64 lower-case"),
        ("\nsize = ", "\nsize = 999", "at most 500,000 bytes"),
        ("\nsize = ", "\nsize = -", "size = -.*; expected: a whole number"),
        ("right = ", "right = 9", "at most n = 10000"),
        ("test = {", "exam = {", "test is missing; expected a table"),
    ],
)
def test_a_wrong_entry_is_refused(folder, unloaded, old, new, said):
    index = folder / "index.toml"
    text = index.read_text("utf-8")
    assert text.count(old) == 1
    index.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(CourseError, match=said):
        weights.load(NAME)


def test_a_missing_card_is_a_sentence(folder):
    (folder / f"{NAME}.md").unlink()
    with pytest.raises(CourseError, match=r"The card .*mnist_reader\.md cannot be read"):
        weights.card(NAME)


def test_a_whole_file_that_keras_cannot_read_is_a_sentence(folder):
    """As from a newer Keras: the hash is right, the content means nothing here."""
    content = b"PK\x03\x04 and nothing that Keras knows"
    (folder / f"{NAME}.keras").write_bytes(content)
    index = folder / "index.toml"
    entry = weights.entry(NAME)
    text = index.read_text("utf-8").replace(entry.sha256, hashlib.sha256(content).hexdigest())
    index.write_text(text.replace(f"size = {entry.size}", f"size = {len(content)}"), "utf-8")
    with pytest.raises(CourseError, match=r"is whole, but Keras [\d.]+ cannot read it .*upgrade keras"):
        weights.load(NAME)


def test_asking_for_names_and_cards_loads_no_framework():
    code = (
        "import sys; from course_utils import weights; weights.card(weights.names()[0])\n"
        "print(sorted({'keras', 'tensorflow', 'numpy'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert found.stdout.strip() == "[]"


# Making it again.

SCORES = {"MNIST's test images": share(9_950, 10_000), "scikit-learn's digits": share(1_700, 1_797)}


def test_what_is_written_is_the_file_its_entry_and_the_numbers_of_the_card(folder):
    index = folder / "index.toml"
    index.write_text(index.read_text("utf-8") + '\n[another]\ntitle = "A \\"second\\" one: ä"\n', "utf-8")
    words = (folder / f"{NAME}.md").read_text("utf-8")
    written = make_weights.files(folder, b"network", SCORES, 3, "tensorflow")
    assert [path.name for path in written] == [f"{NAME}.keras", f"{NAME}.md", "index.toml"], "the index comes last"
    make_weights.publish(written)

    entry = weights.entry(NAME)
    assert (entry.size, entry.sha256) == (7, hashlib.sha256(b"network").hexdigest())
    assert (entry.right, entry.n) == (9_950, 10_000) and entry.made_by.endswith("make_weights --seed 3")
    assert tomllib.loads(index.read_text("utf-8"))["another"] == {"title": 'A "second" one: ä'}
    card = weights.card(NAME)
    assert "| MNIST's test images | 0.9950 | 0.9934 to 0.9962 | 10,000 |" in card and "0.9942 | 0.9925" not in card
    for mark in ("<!-- measured -->", "<!-- end of measured -->"):
        assert card.count(mark) == 1
    assert card.partition("<!-- m")[0] == words.partition("<!-- m")[0]
    assert card.partition("<!-- e")[2] == words.partition("<!-- e")[2]


def test_a_first_network_needs_no_index(folder):
    (folder / "index.toml").unlink()
    make_weights.publish(make_weights.files(folder, b"network", SCORES, 0, "jax"))
    assert weights.names() == [NAME]


@pytest.mark.parametrize(
    "content, right, said",
    [
        (bytes(500_001), 9_950, "500,001 bytes, more than the 500,000 that may ship"),
        (b"network", 9_924, "less than 0.9925"),
    ],
)
def test_a_network_too_large_or_too_bad_is_not_written(folder, content, right, said):
    with pytest.raises(CourseError, match=said):
        make_weights.files(folder, content, {"test": share(right, 10_000)}, 0, "tensorflow")
    assert sha256(folder / f"{NAME}.keras") == weights.entry(NAME).sha256


@pytest.mark.parametrize("text", [None, "# A card without its marks\n"])
def test_a_card_without_a_place_for_numbers_stops_it(folder, text):
    card = folder / f"{NAME}.md"
    card.unlink() if text is None else card.write_text(text, "utf-8")
    with pytest.raises(CourseError, match=r"The card .*bring it back with git"):
        make_weights.files(folder, b"network", SCORES, 0, "tensorflow")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("fails", [1, 2, 3])
@pytest.mark.parametrize("fresh", [False, True])
def test_an_interrupted_writing_leaves_all_as_it_was(folder, monkeypatch, fails, fresh):
    written = make_weights.files(folder, b"network", SCORES, 0, "tensorflow")
    if fresh:
        shutil.rmtree(folder)
        folder.mkdir()
    before, replace = contents(folder), os.replace
    done = []

    def stumble(source, target):
        if ".new." in Path(source).name and Path(target) in written:
            done.append(target)
            if len(done) == fails:
                raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", stumble)
    with pytest.raises(CourseError, match=r"No space left on device\. The old ones are as they were"):
        make_weights.publish(written)
    assert len(done) == fails and contents(folder) == before, "nor is anything left beside them"


def members(content: bytes) -> tuple[dict[str, bytes], str]:
    """What a .keras file holds, and the version of Keras that wrote it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    metadata = json.loads(found.pop("metadata.json"))
    version = metadata.pop("keras_version")
    return found | {"metadata.json": json.dumps(metadata).encode()}, version


def test_the_same_model_makes_the_same_bytes_whatever_the_time(monkeypatch, reader):
    import time

    from keras.src.saving import saving_lib

    first = make_weights.packed(reader)
    later = time.time() + 86_400

    class Tomorrow(saving_lib.datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls.fromtimestamp(later, tz)

    monkeypatch.setattr(saving_lib.datetime, "datetime", Tomorrow)
    monkeypatch.setattr(time, "time", lambda: later)
    assert make_weights.packed(reader) == first
    shipped = weights.entry(NAME).path.read_bytes()
    (ours, version), (theirs, made_with) = members(first), members(shipped)
    assert ours == theirs
    assert version != made_with or first == shipped, "another Keras writes its own number, and nothing else changes"
    config = zipfile.ZipFile(io.BytesIO(first)).read("config.json")
    assert b"shared_object_id" not in config and b"initializer" not in config


def run(*words: str, cwd: Path, python: str = sys.executable, **environment: str) -> subprocess.CompletedProcess:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COURSE_")}
    return subprocess.run(
        [python, *words],
        cwd=cwd,
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_command_outside_a_checkout(tmp_path):
    shutil.copytree(ROOT / "course_utils", tmp_path / "site" / "course_utils")
    (tmp_path / "elsewhere").mkdir()
    words = ("-m", "course_utils.recipes.make_weights")
    found = run(*words, cwd=tmp_path / "elsewhere", PYTHONPATH=str(tmp_path / "site"))
    assert found.returncode == 2 and "No checkout of the course found" in found.stderr
    assert "Traceback" not in found.stderr and found.stdout == ""


@pytest.mark.jax
@pytest.mark.skipif(not os.environ.get("COURSE_JAX_PYTHON"), reason="COURSE_JAX_PYTHON names no Python with JAX")
def test_jax_gives_the_same_probabilities(reader, tmp_path):
    drawn = np.stack([digit_from_strokes(example_strokes(digit)) for digit in range(10)])[..., None]
    np.save(tmp_path / "drawn.npy", drawn)
    code = (
        "import numpy as np, keras; from course_utils import weights\n"
        "assert keras.backend.backend() == 'jax'\n"
        "np.save('found.npy', weights.load().predict(np.load('drawn.npy'), verbose=0))"
    )
    found = run("-c", code, cwd=tmp_path, python=os.environ["COURSE_JAX_PYTHON"], KERAS_BACKEND="jax")
    assert found.returncode == 0, found.stderr
    assert np.load(tmp_path / "found.npy") == pytest.approx(reader.predict(drawn, verbose=0), abs=1e-5)


@pytest.mark.full
@pytest.mark.skipif(not os.environ.get("COURSE_DATA"), reason="needs MNIST: set COURSE_DATA")
def test_the_accuracy_on_the_real_test_images_is_the_card_s(reader):
    from course_utils import data

    entry, test = weights.entry(NAME), data.load("mnist").test
    answers = reader.predict(test.images[..., None], batch_size=500, verbose=0).argmax(axis=1)
    accuracy = (answers == test.labels).mean()
    assert accuracy == pytest.approx(entry.right / entry.n, abs=1e-4) and accuracy >= 0.9925
    assert len(test.labels) == entry.n and f"| {accuracy:.4f} |" in weights.card(NAME)
