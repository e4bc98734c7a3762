"""The networks that a bundle can hold: over words, over an encoder's vectors, an encoder trained further, over images.

Each lies in the bundle whole (an encoder, too), as `course_utils.bundles.graph` writes it.
"""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from course_utils.bundles import graph
from course_utils.bundles.decoder import Decoder
from course_utils.bundles.models import Majority, Model, Tfidf, from_card, linear_head, read_arrays
from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.recipes.encoder import WordPieces, buckets, padded, softmax, windows

if TYPE_CHECKING:
    import keras
    from sklearn.linear_model import LogisticRegression

    from course_utils.recipes import encoder, text

BATCH = 32
# A framework compiles for each shape, so texts come to it in few; ONNX Runtime takes every shape as it is.
FINE = 4  # tokens to whose multiple a batch is filled up
CALL_TOKENS = 24  # the encoder of chapter 09, one thread: a call costs 2.4 ms and 0.1 ms a token
TOKENIZER = "tokenizer.json"
# Batches that a network is held against its file with: token numbers of pieces that every vocabulary has.
_IDS = np.array([[2, 3, 4, 5, 3, 0, 0, 0], [2, 4, 5, 3, 2, 4, 5, 3]], np.int32)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Network(Model):
    """A model around a network: ``call`` turns a batch into float32, ``network`` is there until it has been saved."""

    call: graph.Call
    network: "keras.Model | None" = None

    def all_files(self) -> tuple[str, ...]:
        """The files that `write` writes."""
        return (*self.files, graph.file_name(self._own()))

    def _write_network(self, folder: Path, sample: np.ndarray) -> None:
        graph.write(self._own(), folder, sample)

    def _own(self) -> "keras.Model":
        if self.network is None:
            raise CourseError(say("This model was read from a bundle; copy its folder to have it twice."))
        return self.network


def _call(folder: Path, card: dict) -> graph.Call:
    """The network of a bundle whose hashes were found right."""
    return graph.read(folder / (graph.ONNX if graph.ONNX in card["files"] else graph.KERAS))


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Small(Network):
    """The small network: embeddings, their mean, a hidden layer."""

    kind: ClassVar[str] = "small"
    files: ClassVar[tuple[str, ...]] = ("vocabulary.json",)
    numbers: dict[str, int]
    length: int

    @classmethod
    def of(cls, trained: "text.SmallClassifier", class_names: tuple[str, ...]) -> "Small":
        """From what ``recipes.text.train_small`` gives."""
        return cls(
            class_names=class_names,
            language=trained.language,
            network=trained.model,
            numbers=trained.numbers,
            length=trained.length,
            call=graph.compiled(trained.model),
        )

    def _probabilities(self, texts: list[str]) -> np.ndarray:
        from course_utils.recipes.text import token_ids

        chunks = [texts[start : start + 256] for start in range(0, len(texts), 256)]
        return np.concatenate(
            [self.call(token_ids(chunk, self.numbers, self.length, self.language)) for chunk in chunks]
        )

    def cut(self, texts: Sequence[str]) -> int:
        """How many texts have more words than the network reads."""
        from course_utils.recipes.text import units

        return sum(len(units(text, self.language)) > self.length for text in texts)

    def settings(self) -> dict[str, Any]:
        """How many words of the text the network reads."""
        return {"length": self.length}

    def write(self, folder: Path) -> None:
        """Write the files, from which `read` makes the same model."""
        words = sorted(self.numbers, key=self.numbers.get)
        (folder / "vocabulary.json").write_text(json.dumps(words, separators=(",", ":")), "utf-8")
        sample = np.random.default_rng(0).integers(len(words) + 2, size=(3, self.length))
        self._write_network(folder, sample.astype(np.int32))

    @classmethod
    def read(cls, folder: Path, card: dict) -> "Small":
        """The model in a folder whose hashes were found right."""
        words = json.loads((folder / "vocabulary.json").read_text("utf-8"))
        numbers = {word: number for number, word in enumerate(words, 2)}
        length = int(card["settings"]["length"])
        return cls(numbers=numbers, length=length, call=_call(folder, card), **from_card(card))


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Windowed(Network):
    """A model that reads texts in windows of ``length`` word pieces."""

    files: ClassVar[tuple[str, ...]] = (TOKENIZER,)
    tokenizer: WordPieces
    length: int

    def cut(self, texts: Sequence[str]) -> int:
        """How many texts go on behind the last window."""
        return windows(self.tokenizer, texts, self.length).cut

    def settings(self) -> dict[str, Any]:
        """How many tokens a window of the text has."""
        return {"length": self.length}

    def write(self, folder: Path) -> None:
        """Write the files, from which `read` makes the same model."""
        (folder / TOKENIZER).write_bytes(self.tokenizer.content.encode("utf-8"))
        self._write_network(folder, _IDS)

    def _in_batches(self, rows: list[list[int]]) -> np.ndarray:
        """The network's output for rows of token numbers: float (n, d)."""
        lengths = np.array([len(row) for row in rows])
        order, filled = buckets(lengths, BATCH), {}
        if self.network is None:
            order, filled = [part for chosen in order for part in alike(chosen, lengths)], {"multiple": FINE}
        found = np.concatenate([self.call(padded([rows[i] for i in chosen], **filled)) for chosen in order])
        out = np.empty_like(found)
        out[np.concatenate(order)] = found
        return out

    @classmethod
    def _read(cls, folder: Path, card: dict) -> dict[str, Any]:
        tokenizer = WordPieces.read(folder / TOKENIZER)
        length = int(card["settings"]["length"])
        return {"tokenizer": tokenizer, "length": length, "call": _call(folder, card), **from_card(card)}


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Frozen(Windowed):
    """The pretrained encoder as it is, with a linear head on its sentence vectors."""

    kind: ClassVar[str] = "frozen"
    files: ClassVar[tuple[str, ...]] = (TOKENIZER, "head.npz")
    weights: np.ndarray
    offsets: np.ndarray

    @classmethod
    def of(
        cls,
        encoder: "encoder.Encoder",
        head: "LogisticRegression",
        length: int,
        class_names: tuple[str, ...],
        language: str,
    ) -> "Frozen":
        """From the encoder and a logistic regression fitted on its sentence vectors."""
        weights, offsets = linear_head(head, len(class_names))
        return cls(
            class_names=class_names,
            language=language,
            network=encoder.pooled,
            tokenizer=encoder.tokenizer,
            weights=weights,
            offsets=offsets,
            length=length,
            call=graph.compiled(encoder.pooled),
        )

    def _probabilities(self, texts: list[str]) -> np.ndarray:
        cut = windows(self.tokenizer, texts, self.length)
        return self.of_vectors(cut.mean(self._in_batches(cut.rows)))

    def of_vectors(self, vectors: np.ndarray) -> np.ndarray:
        """The probabilities for messages whose vectors are known already, float (n, width)."""
        return softmax(vectors @ self.weights + self.offsets)

    def write(self, folder: Path) -> None:
        """Write the files, from which `read` makes the same model."""
        super().write(folder)
        np.savez(folder / "head.npz", weights=self.weights, offsets=self.offsets)

    @classmethod
    def read(cls, folder: Path, card: dict) -> "Frozen":
        """The model in a folder whose hashes were found right."""
        head = read_arrays(folder / "head.npz")
        return cls(weights=head["weights"], offsets=head["offsets"], **cls._read(folder, card))


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class FineTuned(Windowed):
    """An encoder trained further on the task, with its head."""

    kind: ClassVar[str] = "finetuned"

    @classmethod
    def of(
        cls,
        network: "keras.Model",
        encoder: "encoder.Encoder",
        length: int,
        class_names: tuple[str, ...],
        language: str,
    ) -> "FineTuned":
        """From the model that ``recipes.encoder.fine_tune`` gives, which turns token numbers into logits."""
        return cls(
            class_names=class_names,
            language=language,
            network=network,
            tokenizer=encoder.tokenizer,
            length=length,
            call=graph.compiled(network),
        )

    def _probabilities(self, texts: list[str]) -> np.ndarray:
        cut = windows(self.tokenizer, texts, self.length)
        return cut.mean(softmax(self._in_batches(cut.rows)))

    @classmethod
    def read(cls, folder: Path, card: dict) -> "FineTuned":
        """The model in a folder whose hashes were found right."""
        return cls(**cls._read(folder, card))


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class ImageNet(Network):
    """A network over grey pictures: uint8 (n, height, width), 0 for paper; it scales them itself."""

    kind: ClassVar[str] = "image"
    inputs: ClassVar[str] = "images"
    shape: tuple[int, int]

    @classmethod
    def of(cls, network: "keras.Model", class_names: tuple[str, ...]) -> "ImageNet":
        """From a network that turns float32 (n, height, width, 1), from 0 to 255, into probabilities."""
        _, height, width, _ = network.inputs[0].shape
        return cls(class_names=class_names, network=network, shape=(height, width), call=graph.compiled(network))

    def predict_proba(self, images: np.ndarray) -> np.ndarray:
        """Pictures uint8 (n, height, width) → probabilities (n, classes), in the order of ``class_names``."""
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != self.shape:
            raise CourseError(
                say(
                    "predict_proba wants pictures as uint8 of the shape (n, {height}, {width}); it got {dtype} of the "
                    "shape {shape}.",
                    height=self.shape[0],
                    width=self.shape[1],
                    dtype=images.dtype,
                    shape=images.shape,
                )
            )
        if not len(images):
            return np.zeros((0, len(self.class_names)))
        chunks = [images[start : start + 256] for start in range(0, len(images), 256)]
        return np.concatenate([self.call(chunk[..., None].astype(np.float32)) for chunk in chunks])

    def settings(self) -> dict[str, Any]:
        """The height and the width of a picture."""
        return {"shape": list(self.shape)}

    def write(self, folder: Path) -> None:
        """Write the files, from which `read` makes the same model."""
        self._write_network(folder, np.random.default_rng(0).random((3, *self.shape, 1), np.float32) * 255)

    @classmethod
    def read(cls, folder: Path, card: dict) -> "ImageNet":
        """The model in a folder whose hashes were found right."""
        height, width = map(int, card["settings"]["shape"])
        return cls(shape=(height, width), call=_call(folder, card), **from_card(card))


KINDS: dict[str, type[Model]] = {
    one.kind: one for one in (Majority, Tfidf, Small, Frozen, FineTuned, ImageNet, Decoder)
}


def alike(chosen: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
    """A batch, int (n,) by rising lengths, in parts of like length, one call each, that cost least together.

    A call costs what `CALL_TOKENS` tokens do, for all weights are read once, and then each of its tokens, padding
    included. The cheapest cut of the first k rows is one of fewer with a call behind it.
    """
    width = -(-lengths[chosen] // FINE) * FINE
    costs, starts = [0], []
    for end in range(1, len(chosen) + 1):
        tries = [costs[start] + CALL_TOKENS + (end - start) * int(width[end - 1]) for start in range(end)]
        costs.append(min(tries))
        starts.append(tries.index(costs[-1]))
    parts, end = [], len(chosen)
    while end:
        parts.append(chosen[starts[end - 1] : end])
        end = starts[end - 1]
    return parts[::-1]
