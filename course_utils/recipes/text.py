"""The small text classifiers of chapter 08: TF-IDF with logistic regression, and the articles' network mended.

The chapter shows these functions in the open. Every classifier here has ``predict_proba(texts) -> float (n, classes)``.
"""

import collections
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras
    from sklearn.pipeline import Pipeline

PADDING, UNKNOWN = 0, 1  # the first two token numbers of every vocabulary
_UNIT = {"en": re.compile(r"\w+|[^\w\s]"), "zh": re.compile(r"[a-z0-9]+|\S")}


def tfidf(language: str = "en") -> "Pipeline":
    """TF-IDF with logistic regression: words, pairs of words and pieces of words ("zh": one to three characters).

    Classes weigh the same, however rare; labels may be of any kind.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    if language == "zh":
        features = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    else:
        features = make_union(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
        )
    return make_pipeline(features, LogisticRegression(C=10, class_weight="balanced", max_iter=3000))


def units(text: str, language: str = "en") -> list[str]:
    """A text as words and signs, in lower case; Chinese as characters."""
    return _UNIT[language].findall(text.lower())


def vocabulary(texts: Iterable[str], language: str = "en", *, least: int = 2, most: int = 10_000) -> dict[str, int]:
    """Unit → token number from 2 on, the frequent ones first; a unit seen less than ``least`` times is unknown."""
    counts = collections.Counter(unit for text in texts for unit in units(text, language))
    kept = [unit for unit, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if n >= least]
    return {unit: number for number, unit in enumerate(kept[: most - 2], 2)}


def token_ids(texts: Sequence[str], numbers: dict[str, int], length: int, language: str = "en") -> np.ndarray:
    """Texts → int32 (n, length), cut or padded with 0 at the end; a text without units is one unknown unit."""
    out = np.zeros((len(texts), length), np.int32)
    for row, text in zip(out, texts, strict=True):
        found = [numbers.get(unit, UNKNOWN) for unit in units(text, language)[:length]]
        found = found or [UNKNOWN]  # else the mean over its tokens is one over nothing
        row[: len(found)] = found
    return out


@dataclass(frozen=True, eq=False)
class SmallClassifier:
    """A trained small network with what turns texts into its input."""

    model: "keras.Model"
    numbers: dict[str, int]
    length: int
    language: str

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Texts → probabilities, float32 (n, classes)."""
        return np.asarray(self.model(token_ids(texts, self.numbers, self.length, self.language)))


def small_network(tokens: int, classes: int, *, width: int = 64) -> "keras.Model":
    """Token numbers (n, length) → probabilities: embedding, mean over the tokens that are there, dense, softmax."""
    import keras
    from keras import layers

    return keras.Sequential(
        [
            layers.Embedding(tokens, width, mask_zero=True),
            layers.GlobalAveragePooling1D(),
            layers.Dense(width, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(classes, activation="softmax"),
        ]
    )


def train_small(
    texts: Sequence[str],
    labels: np.ndarray,
    classes: int,
    *,
    language: str = "en",
    length: int = 128,
    epochs: int = 40,
    seed: int = 0,
) -> SmallClassifier:
    """Train the small network: texts, labels int (n,) from 0 to classes - 1. Classes weigh the same."""
    import keras

    keras.utils.set_random_seed(seed)
    numbers = vocabulary(texts, language)
    model = small_network(len(numbers) + 2, classes)
    counts = np.bincount(labels, minlength=classes)
    weights = len(labels) / (np.maximum(counts, 1) * np.count_nonzero(counts))
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    inputs = token_ids(texts, numbers, length, language)
    model.build(inputs.shape)
    model.optimizer.build(model.trainable_variables)  # made now, the step is traced once instead of twice
    # All epochs as one, shuffled one after another: an epoch of fifty steps costs Keras as much to begin as to compute.
    random = np.random.default_rng(seed)
    order = np.concatenate([random.permutation(len(labels)) for _ in range(epochs)])
    model.fit(
        inputs[order], labels[order], sample_weight=weights[labels[order]], batch_size=32, shuffle=False, verbose=0
    )
    return SmallClassifier(model, numbers, length, language)
