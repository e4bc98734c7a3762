"""Make the network that ships with the course: ``python -m course_utils.recipes.make_weights [--seed 0]``.

Trains ``mnist.FAST`` on MNIST's 60,000 training images (under a minute on two cores), judges the saved file on the test
images and writes ``data/weights/`` anew: the network, the numbers of its card and the index, all of it or nothing.
"""

import argparse
import contextlib
import datetime
import hashlib
import importlib.metadata
import io
import json
import platform
import re
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils import paths, weights
from course_utils.errors import CourseError, warn
from course_utils.runtime import setup

if TYPE_CHECKING:
    import keras

    from course_utils.evaluate import Estimate

NAME = "mnist_reader"
TITLE = "MNIST reader: one handwritten digit, ten probabilities"
# A trained network is not clearly an adaptation of the images; this licence is right if it is one, and if it is not.
LICENCE = "CC BY-SA 4.0"
WORST_ACCURACY = 0.9925
_HEADER = """\
# The networks that ship with the course; course_utils.weights checks size and hash before it loads one.
# Each entry is written by the command under made_by, together with its file and its card's numbers: not by hand.
"""
_MEASURED = re.compile(r"(?<=<!-- measured -->\n).*(?=<!-- end of measured -->)", re.DOTALL)


def main(arguments: list[str] | None = None) -> None:
    """Train, judge, write; say in three lines what was made."""
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.recipes.make_weights", description=__doc__.splitlines()[0].split(":")[0] + "."
    )
    parser.add_argument("--seed", type=int, default=0, help="of the first weights, the order and the crops (default 0)")
    seed = parser.parse_args(arguments).seed
    try:
        folder = paths.require_checkout() / "data" / "weights"
        backend = setup("07", profile="quick", seed=seed).backend  # float32, and deterministic on TensorFlow
        content = packed(trained(seed))
        scores = judged(content)
        publish(files(folder, content, scores, seed, backend))
    except CourseError as error:
        warn(str(error))
        raise SystemExit(2) from None
    for name, score in scores.items():
        print(f"{name}: {score}")
    print(f"{paths.display(folder / f'{NAME}.keras')}: {len(content):,} bytes, sha256 {_sha256(content)}")


def trained(seed: int) -> "keras.Model":
    """The recipe on all 60,000 training images of MNIST: a network that takes pixels 0 to 255, (n, 28, 28, 1)."""
    import keras
    import numpy as np

    from course_utils import data
    from course_utils.recipes import mnist

    digits = data.load("mnist")
    parts = (digits.train, digits.validation)
    images, labels = (np.concatenate([getattr(part, name) for part in parts]) for name in ("images", "labels"))
    keras.utils.clear_session()  # layers are numbered from the start, so their names are the same each time
    return mnist.train(images, labels, mnist.FAST, seed=seed)


def packed(model: "keras.Sequential") -> bytes:
    """The model as a ``.keras`` file without optimiser, the same bytes for the same weights.

    Keras writes the time of saving into the metadata and into the archive's directory, and addresses in this
    process's memory into the configuration (they say which layers share one dtype policy); none of these is kept.
    """
    import keras

    # A new model around the same layers is not compiled.
    bare = keras.Sequential([keras.Input(model.input_shape[1:], name="pixels"), *model.layers], name=NAME)
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / f"{NAME}.keras"
        bare.save(saved)
        with zipfile.ZipFile(saved) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    for name in ("metadata.json", "config.json"):
        members[name] = json.dumps(_lasting(json.loads(members[name]))).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in sorted(members.items()):
            info = zipfile.ZipInfo(name)  # of 1 January 1980
            info.create_system = 3
            archive.writestr(info, content)
    return packed.getvalue()


def _lasting(value: object) -> object:
    """What Keras wrote as JSON without what differs from one run to the next, or matters only before training."""
    if isinstance(value, dict):
        # Initialisers also have options that older Keras versions refuse (3.15 writes some that 3.13 does not know).
        passing = {key for key in value if key in ("date_saved", "shared_object_id") or key.endswith("_initializer")}
        return {key: _lasting(item) for key, item in value.items() if key not in passing}
    return [_lasting(item) for item in value] if isinstance(value, list) else value


def judged(content: bytes) -> "dict[str, Estimate]":
    """The accuracy of a saved network, read back from its bytes: on MNIST's test images, on scikit-learn's digits."""
    import keras
    import numpy as np

    from course_utils import data, evaluate

    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / f"{NAME}.keras"
        saved.write_bytes(content)
        model = keras.saving.load_model(saved, compile=False, safe_mode=True)
    small = data.load("digits")
    all_small = [np.concatenate([getattr(part, what) for part in (small.train, small.validation, small.test)])
                 for what in ("images", "labels")]  # fmt: skip
    test = data.load("mnist").test
    sets = {"MNIST's test images": (test.images, test.labels), "scikit-learn's digits": all_small}
    scores = {}
    for name, (images, labels) in sets.items():
        answers = model.predict(images[..., None], batch_size=500, verbose=0).argmax(axis=1)
        scores[name] = evaluate.accuracy(labels, answers)
    return scores


def files(folder: Path, content: bytes, scores: "dict[str, Estimate]", seed: int, backend: str) -> dict[Path, bytes]:
    """What is to be written, the index last. Raises CourseError for a network too large or too bad to ship."""
    score = next(iter(scores.values()))
    if len(content) > weights.MOST_BYTES:
        raise CourseError(
            f"The network takes {len(content):,} bytes, more than the {weights.MOST_BYTES:,} that may ship. "
            "Nothing was written."
        )
    if score.value < WORST_ACCURACY:
        raise CourseError(
            f"The network reads {score} of the test images right, less than {WORST_ACCURACY}. Nothing was written."
        )
    card, index = folder / f"{NAME}.md", folder / "index.toml"
    versions = {"python": platform.python_version()}
    for package in ("keras", backend, "numpy"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    entry = {
        "title": TITLE,
        "file": f"{NAME}.keras",
        "card": card.name,
        "size": len(content),
        "sha256": _sha256(content),
        "licence": LICENCE,
        "made_by": f"python -m course_utils.recipes.make_weights --seed {seed}",
        "date": datetime.date.today().isoformat(),
        "versions": versions,
        "test": {"data": "mnist", "right": round(score.value * score.n), "n": score.n, "accuracy": score.value},
    }
    return {
        folder / entry["file"]: content,
        card: _card(card, scores, entry).encode(),
        index: _index(index, entry).encode(),
    }


def publish(files: dict[Path, bytes]) -> None:
    """Write several files so that all are new or all are as they were: complete beside their places, then renamed.

    Raises CourseError where they cannot be written.
    """
    try:
        paths.write_together(files)
    except OSError as error:
        raise CourseError(
            f"The weights could not be written: {error.strerror}. The old ones are as they were."
        ) from error


def _card(path: Path, scores: "dict[str, Estimate]", entry: dict) -> str:
    """The card with the numbers between its two marks replaced; its words stay."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise CourseError(
            f"The card {paths.display(path)} cannot be read ({error}); bring it back with git."
        ) from error
    if not _MEASURED.search(text):
        raise CourseError(
            f"The card {paths.display(path)} has no lines <!-- measured --> and <!-- end of measured -->, between "
            "which its numbers stand; bring it back with git."
        )
    rows = [
        "| read right | share | 95 % interval | of |",
        "|---|---|---|---|",
        *(f"| {name} | {s.value:.4f} | {s.low:.4f} to {s.high:.4f} | {s.n:,} |" for name, s in scores.items()),
    ]
    written = {"python": "Python", "keras": "Keras", "tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
    made = ", ".join(f"{written.get(name, 'NumPy')} {version}" for name, version in entry["versions"].items())
    made = f"{entry['size']:,} bytes, made on {entry['date']} with {made} by\n`{entry['made_by']}`."
    return _MEASURED.sub(lambda _: "\n" + "\n".join(rows) + f"\n\n{made}\n\n", text)


def _index(path: Path, entry: dict) -> str:
    """The index as TOML, with one entry new and the others as they are."""
    import tomllib

    try:
        tables = tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CourseError(
            f"The index {paths.display(path)} cannot be read: {error}. Bring it back with git."
        ) from error
    return _HEADER + "".join(
        f"\n[{name}]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in table.items())
        for name, table in (tables | {NAME: entry}).items()
    )


def _toml(value: str | int | float | dict) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    # A JSON string is a TOML string, and so are numbers.
    return json.dumps(value, ensure_ascii=False)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    main()
