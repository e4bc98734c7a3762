"""A pretrained BERT encoder as a classifier: sentence vectors, fine-tuning, in batches of texts of like length.

Chapter 09 shows the ideas in the open. A model here takes one array, token numbers int32 (n, t) with ``PAD`` behind the
shorter texts, and derives the mask from it, so that a saved model needs nothing beside it but the tokenizer.

Sources: J. Devlin and others (2019), BERT, NAACL, https://arxiv.org/abs/1810.04805; N. Reimers and I. Gurevych (2019),
Sentence-BERT, EMNLP, https://arxiv.org/abs/1908.10084 (section 3: the mean of the last states is a sentence's vector).
"""

import dataclasses
import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from course_utils.errors import CourseError

if TYPE_CHECKING:
    import keras

PAD = 0  # BERT's padding token
MULTIPLE = 8  # lengths are rounded up to it: fewer shapes to compile, and full vector registers
# A word piece is one character or more, and what stands behind the cut is not read: no need to split it into pieces.
CHARACTERS_PER_TOKEN = 40


@dataclasses.dataclass(frozen=True, eq=False)
class Encoder:
    """A backbone and the tokenizer that it was trained with. ``name`` is the set or preset it came from."""

    name: str
    backbone: "keras.Model"
    tokenizer: object

    @property
    def width(self) -> int:
        """The length of a state and of a sentence vector."""
        return self.backbone.hidden_dim

    def token_ids(self, texts: Sequence[str], length: int) -> list[list[int]]:
        """Each text as its token numbers between [CLS] and [SEP], at most ``length`` of them in all."""
        start, end = self.tokenizer.cls_token_id, self.tokenizer.sep_token_id
        cut = [text[: length * CHARACTERS_PER_TOKEN] for text in texts]
        return [[start, *ids[: length - 2], end] for ids in self.tokenizer(cut)] if cut else []


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How the encoder is fine-tuned. ``length`` is in tokens; ``warm_up`` the share of the steps that climb.

    The rate climbs in a line and falls as half a cosine; the weights decay as in AdamW (I. Loshchilov and F. Hutter
    (2019), ICLR, https://arxiv.org/abs/1711.05101), biases and normalisations do not; gradients are cut to the norm
    ``clip``. The token embeddings stay as they are: they are half of the parameters, and a few thousand examples move
    only the rows of their own words.
    """

    epochs: int = 3
    learning_rate: float = 1e-4
    batch: int = 32
    length: int = 64
    warm_up: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    dropout: float = 0.1
    train_token_embeddings: bool = False
    bucketing: bool = True


def load(name: str = "minilm", progress: bool = True) -> Encoder:
    """The encoder ``name``: "minilm", or a BERT preset of keras_hub (fetched by it), such as "bert_tiny_en_uncased".

    Raises CourseError where it cannot be had; files whose hash is wrong are never read.
    """
    import keras_hub

    if name == "minilm":
        from course_utils.data import fetch

        paths = fetch.fetch(name, progress)
        source = str(Path(paths["config.json"]).parent)
    else:
        source = name
    with _quiet_logging():
        try:
            backbone = keras_hub.models.BertBackbone.from_preset(source)
            tokenizer = keras_hub.models.BertTokenizer.from_preset(source)
        except Exception as error:
            if name == "minilm":
                raise
            raise CourseError(
                f"keras_hub could not bring the preset {name!r} ({type(error).__name__}: {str(error)[:200]}). It needs a "
                "network the first time; without one, use encoder 'minilm' (course data fetch minilm)."
            ) from error
    return Encoder(name, backbone, tokenizer)


class _quiet_logging:
    """keras_hub's loaders and Keras warn of what is meant so here (weights without a use)."""

    def __enter__(self):
        logging.disable(logging.WARNING)

    def __exit__(self, *_):
        logging.disable(logging.NOTSET)


# ---- batches


def padded(rows: Sequence[Sequence[int]], multiple: int = MULTIPLE) -> np.ndarray:
    """Token numbers of several lengths → int32 (n, t): t is the longest, rounded up to ``multiple``."""
    longest = max(len(row) for row in rows)
    out = np.full((len(rows), math.ceil(longest / multiple) * multiple), PAD, np.int32)
    for place, row in zip(out, rows, strict=True):
        place[: len(row)] = row
    return out


def buckets(lengths: np.ndarray, batch: int, random: np.random.Generator | None = None) -> list[np.ndarray]:
    """Indices in batches of like length; with ``random`` shuffled, so that a batch is another one each time.

    The longest batch comes first and the shortest second: TensorFlow takes the shapes it must allow from the first ones,
    and where the memory is too small, it is so at once. Every index comes exactly once.
    """
    lengths = np.asarray(lengths)
    # Noise of a few tokens mixes neighbours: like lengths, other company in each epoch.
    keys = lengths + (random.uniform(-4, 4, len(lengths)) if random is not None else 0)
    order = np.argsort(keys, kind="stable")
    found = [order[start : start + batch] for start in range(0, len(order), batch)]
    found.sort(key=lambda rows: lengths[rows].max(), reverse=True)
    if len(found) > 2:
        first, second, rest = found[0], found[-1], found[1:-1]
        if random is not None:
            rest = [rest[k] for k in random.permutation(len(rest))]
        found = [first, second, *rest]
    return found


def batches(
    rows: Sequence[Sequence[int]],
    labels: np.ndarray | None,
    batch: int,
    *,
    shuffle: bool,
    bucketing: bool = True,
    seed: int = 0,
) -> "keras.utils.PyDataset":
    """A Keras data set of padded batches, each (ids, labels), or (ids,) without labels; ``order`` holds the indices."""
    import keras

    lengths = np.array([len(row) for row in rows])
    widest = math.ceil(lengths.max() / MULTIPLE) * MULTIPLE

    class Batches(keras.utils.PyDataset):
        def __init__(self):
            super().__init__()
            self.random = np.random.default_rng(seed)
            self.plan()

        def plan(self):
            random = self.random if shuffle else None
            if bucketing:
                self.order = buckets(lengths, batch, random)
            else:
                order = random.permutation(len(rows)) if random is not None else np.arange(len(rows))
                self.order = [order[start : start + batch] for start in range(0, len(order), batch)]

        def on_epoch_end(self):
            self.plan()

        def __len__(self):
            return len(self.order)

        def __getitem__(self, k):
            chosen = self.order[k]
            ids = padded([rows[i] for i in chosen], MULTIPLE if bucketing else widest)
            return (ids,) if labels is None else (ids, labels[chosen])

    return Batches()


# ---- models


def pooled(backbone: "keras.Model") -> "keras.Model":
    """Token numbers (n, t) → the mean of the last states over the tokens that are there, (n, width)."""
    import keras
    from keras import layers, ops

    ids = keras.Input((None,), dtype="int32", name="token_ids")
    here = ops.not_equal(ids, PAD)
    states = backbone({"token_ids": ids, "segment_ids": ops.zeros_like(ids), "padding_mask": ops.cast(here, "int32")})[
        "sequence_output"
    ]
    return keras.Model(ids, layers.GlobalAveragePooling1D(name="mean")(states, mask=here))


def sentence_vectors(encoder: Encoder, texts: Sequence[str], *, length: int = 128, batch: int = 32) -> np.ndarray:
    """Texts → float32 (n, width), not normalised: the frozen encoder's features."""
    model = pooled(encoder.backbone)
    return _predict(model, encoder.token_ids(texts, length), batch, encoder.width)


def classifier(encoder: Encoder, classes: int, recipe: Recipe = Recipe()) -> "keras.Model":
    """Token numbers (n, t) → logits (n, classes), around the encoder's own backbone: training changes the encoder."""
    import keras
    from keras import layers

    encoder.backbone.trainable = True
    encoder.backbone.get_layer("token_embedding").trainable = recipe.train_token_embeddings
    body = pooled(encoder.backbone)
    vectors = layers.Dropout(recipe.dropout)(body.output)
    return keras.Model(body.input, layers.Dense(classes, name="logits")(vectors))


def optimizer(recipe: Recipe, steps: int) -> "keras.optimizers.Optimizer":
    """AdamW by the recipe, for ``steps`` steps in all."""
    import keras

    climb = max(1, round(recipe.warm_up * steps))
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - climb), warmup_target=recipe.learning_rate, warmup_steps=climb
    )
    made = keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay, global_clipnorm=recipe.clip)
    made.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return made


def fine_tune(
    encoder: Encoder,
    texts: Sequence[str],
    labels: np.ndarray,
    classes: int,
    recipe: Recipe = Recipe(),
    *,
    seed: int = 0,
    callbacks: Sequence["keras.callbacks.Callback"] = (),
) -> "keras.Model":
    """Train the encoder with a linear head: texts, labels int (n,) → the model of ``classifier``. Changes the encoder."""
    import keras

    keras.utils.set_random_seed(seed)
    model = classifier(encoder, classes, recipe)
    rows = encoder.token_ids(texts, recipe.length)
    data = batches(rows, np.asarray(labels), recipe.batch, shuffle=True, bucketing=recipe.bucketing, seed=seed)
    model.compile(
        optimizer(recipe, recipe.epochs * len(data)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    with _quiet_logging():  # the pooler of BERT has no part in this model, so no gradient
        model.fit(data, epochs=recipe.epochs, shuffle=False, verbose=0, callbacks=list(callbacks))
    return model


def predict(
    model: "keras.Model", encoder: Encoder, texts: Sequence[str], *, length: int = 64, batch: int = 32
) -> np.ndarray:
    """Texts → probabilities, float32 (n, classes), of a model that gives logits."""
    logits = _predict(model, encoder.token_ids(texts, length), batch, model.output_shape[-1])
    return _softmax(logits)


def _softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def _predict(model: "keras.Model", rows: list[list[int]], batch: int, width: int) -> np.ndarray:
    out = np.zeros((len(rows), width), np.float32)
    if not rows:
        return out
    data = batches(rows, None, batch, shuffle=False)
    found = model.predict(data, verbose=0)
    out[np.concatenate(data.order)] = found
    return out
