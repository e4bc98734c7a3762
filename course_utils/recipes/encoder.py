"""A pretrained BERT encoder as a classifier: sentence vectors, fine-tuning, in batches of texts of like length.

Chapter 09 shows the ideas in the open. A model here takes one array, token numbers int32 (n, t) with ``PAD`` behind the
shorter texts, and derives the mask from it, so that a saved model needs nothing beside it but the tokenizer.

Sources: J. Devlin and others (2019), BERT, NAACL, https://arxiv.org/abs/1810.04805; N. Reimers and I. Gurevych (2019),
Sentence-BERT, EMNLP, https://arxiv.org/abs/1908.10084 (section 3: the mean of the last states is a sentence's vector).
"""

import dataclasses
import functools
import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from course_utils.errors import CourseError
from course_utils.recipes import encoder_source
from course_utils.recipes.pairs import WORKERS
from course_utils.runtime import quiet_logging

if TYPE_CHECKING:
    import keras

PAD = 0  # BERT's padding token
MULTIPLE = 8  # lengths are rounded up to it: fewer shapes to compile, and full vector registers
# A word piece is one character or more, and what stands behind the cut is not read: no need to split it into pieces.
CHARACTERS_PER_TOKEN = 40
MOST_WINDOWS = 8  # of a text: some thousand word pieces


class WordPieces:
    """BERT's tokenizer, as its authors run it: by the library ``tokenizers``, from what a tokenizer.json says.

    keras_hub has one too, but it strips no accents ("café" is then unknown to a model that knows "cafe"), and it writes
    "…" as three dots; so of its presets only the word pieces are taken (`of_vocabulary`).
    """

    def __init__(self, content: str):
        import tokenizers

        self.content = content  # for a model that is saved with it
        self._pieces = tokenizers.Tokenizer.from_str(self.content)
        self._pieces.no_padding()
        self._pieces.no_truncation()
        self.cls_token_id, self.sep_token_id = (self._pieces.token_to_id(name) for name in ("[CLS]", "[SEP]"))

    @classmethod
    def read(cls, file: Path) -> "WordPieces":
        """From a tokenizer.json."""
        return cls(file.read_text("utf-8"))

    @classmethod
    def of_vocabulary(cls, words: Sequence[str], lowercase: bool) -> "WordPieces":
        """From the word pieces, by their numbers; with ``lowercase`` accents go, too."""
        from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

        known = {word: number for number, word in enumerate(words)}
        made = Tokenizer(models.WordPiece(known, unk_token="[UNK]"))
        made.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        return cls(made.to_str())

    def __call__(self, texts: Sequence[str]) -> list[list[int]]:
        """Each text as the numbers of its word pieces, without [CLS] and [SEP]."""
        return [found.ids for found in self._pieces.encode_batch(list(texts), add_special_tokens=False)]

    def get_vocabulary(self) -> list[str]:
        """All word pieces, by their numbers."""
        numbers = self._pieces.get_vocab()
        return sorted(numbers, key=numbers.__getitem__)

    def id_to_token(self, number: int) -> str:
        """The word piece with this number."""
        return self._pieces.id_to_token(number)

    def token_to_id(self, token: str) -> int | None:
        """The number of a word piece, None if there is none."""
        return self._pieces.token_to_id(token)


@dataclasses.dataclass(frozen=True, eq=False)
class Encoder:
    """A backbone and the tokenizer that it was trained with. ``name`` is what it was asked for by."""

    name: str
    backbone: "keras.Model"
    tokenizer: WordPieces

    @property
    def width(self) -> int:
        """The length of a state and of a sentence vector."""
        return self.backbone.hidden_dim

    @functools.cached_property
    def pooled(self) -> "keras.Model":
        """Token numbers (n, t) → sentence vectors (n, width): ``pooled`` of the backbone, traced once."""
        return pooled(self.backbone)

    def token_ids(self, texts: Sequence[str], length: int) -> list[list[int]]:
        """Each text as its token numbers between [CLS] and [SEP], at most ``length`` of them in all."""
        return token_ids(self.tokenizer, texts, length)


def token_ids(tokenizer: WordPieces, texts: Sequence[str], length: int) -> list[list[int]]:
    """Each text as its token numbers between [CLS] and [SEP], at most ``length`` of them in all."""
    cut = [text[: length * CHARACTERS_PER_TOKEN] for text in texts]
    pieces = tokenizer(cut) if cut else []
    return [[tokenizer.cls_token_id, *ids[: length - 2], tokenizer.sep_token_id] for ids in pieces]


@dataclasses.dataclass(frozen=True)
class Windows:
    """Texts cut into windows: token numbers of each, its text's place in ``owners`` int (windows,), and the word pieces
    it holds, ``pieces`` int (windows,). ``cut``: the texts, of ``texts``, whose end lies beyond the last window."""

    rows: list[list[int]]
    owners: np.ndarray
    pieces: np.ndarray
    texts: int
    cut: int

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Values of windows float (windows, d) → of texts (n, d): the mean, each window by its word pieces."""
        weights = np.maximum(self.pieces, 1).astype(np.float64)
        total = np.zeros((self.texts, values.shape[1]))
        np.add.at(total, self.owners, values * weights[:, None])
        whole = np.bincount(self.owners, weights, self.texts)
        return (total / whole[:, None]).astype(values.dtype)


def windows(tokenizer: WordPieces, texts: Sequence[str], length: int, most: int = MOST_WINDOWS) -> Windows:
    """Each text in windows of at most ``length`` tokens, [CLS] and [SEP] included, at most ``most`` windows a text.

    A text of one window is what `token_ids` makes of it.
    """
    room = length - 2
    pieces = tokenizer([text[: length * CHARACTERS_PER_TOKEN * most] for text in texts]) if len(texts) else []
    rows, owners, sizes, cut = [], [], [], 0
    for owner, ids in enumerate(pieces):
        cut += len(ids) > most * room
        for start in range(0, max(1, min(len(ids), most * room)), room):
            own = ids[start : start + room]
            rows.append([tokenizer.cls_token_id, *own, tokenizer.sep_token_id])
            owners.append(owner)
            sizes.append(len(own))
    return Windows(rows, np.array(owners, np.int64), np.array(sizes, np.int64), len(texts), cut)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How the encoder is fine-tuned. ``length`` is in tokens; ``warm_up`` the share of the steps that climb.

    The rate climbs in a line and falls as half a cosine; the weights decay as in AdamW (I. Loshchilov and F. Hutter
    (2019), ICLR, https://arxiv.org/abs/1711.05101), biases and normalisations do not; gradients are cut to the norm
    ``clip``. The token embeddings stay as they are: they are half of the parameters, and a few thousand examples move
    only the rows of their own words. ``layers`` says how many of the uppermost layers are trained; what lies
    below them is then computed once, and each epoch costs as much less.
    """

    epochs: int = 3
    learning_rate: float = 1e-4
    batch: int = 32
    length: int = 64
    warm_up: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    dropout: float = 0.1
    layers: int | None = None


def load(name: str = "minilm", progress: bool = True) -> Encoder:
    """The encoder ``name``: "minilm", a folder with a published BERT, or a BERT preset of keras_hub (fetched by it).

    Raises CourseError where it cannot be had; files whose hash is wrong are never read.
    """
    if encoder_source.in_registry(name) or encoder_source.folder(name) is not None:
        from course_utils.data import fetch
        from course_utils.recipes import bert_weights

        files = fetch.fetch(name, progress) if encoder_source.in_registry(name) else encoder_source.files(name)
        backbone = bert_weights.read(files["config.json"], files["model.safetensors"])
        return Encoder(name, backbone, WordPieces.read(files["tokenizer.json"]))
    import keras_hub

    with quiet_logging():  # keras_hub warns of what is meant so here: weights without a use
        try:
            backbone = keras_hub.models.BertBackbone.from_preset(name)
            pieces = keras_hub.models.BertTokenizer.from_preset(name)
            return Encoder(name, backbone, WordPieces.of_vocabulary(pieces.get_vocabulary(), pieces.lowercase))
        except Exception as error:
            said = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            raise CourseError(
                f"keras_hub could not bring the preset {name!r} ({said}). It needs a network the first time; without "
                "one, use encoder 'minilm' (course data fetch minilm)."
            ) from error


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

    The longest batch comes first and the shortest second: TensorFlow learns from them which shapes to allow, and where
    the memory is too small, it is so at once. Every index comes exactly once.
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
    states: Sequence[np.ndarray] | None = None,
    seed: int = 0,
    multiple: int = MULTIPLE,
) -> "keras.utils.PyDataset":
    """A Keras data set of padded batches, each (ids, labels), or (ids,) without labels; ``order`` holds the indices.

    With ``states``, one (t, width) a row, a batch's input is the pair (states, ids). Lengths are rounded up to
    ``multiple``: where each shape is compiled anew, a larger one is quicker.
    """
    import keras

    lengths = np.array([len(row) for row in rows])
    widest = math.ceil(lengths.max() / multiple) * multiple

    class Batches(keras.utils.PyDataset):
        def __init__(self):
            super().__init__(workers=WORKERS)
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
            inputs = padded([rows[i] for i in chosen], multiple if bucketing else widest)
            if states is not None:
                below = np.zeros((*inputs.shape, states[0].shape[-1]), np.float32)
                for place, i in zip(below, chosen, strict=True):
                    place[: len(states[i])] = states[i]
                inputs = (below, inputs)
            return (inputs,) if labels is None else (inputs, labels[chosen])

    return Batches()


# ---- models


def _inputs(ids) -> dict:
    """What a BERT backbone takes, from token numbers (n, t) alone: one segment, and the mask of what is no padding."""
    from keras import ops

    here = ops.cast(ops.not_equal(ids, PAD), "int32")
    return {"token_ids": ids, "segment_ids": ops.zeros_like(ids), "padding_mask": here}


def pooled(backbone: "keras.Model") -> "keras.Model":
    """Token numbers (n, t) → the mean of the last states over the tokens that are there, (n, width)."""
    import keras
    from keras import layers, ops

    ids = keras.Input((None,), dtype="int32", name="token_ids")
    states = backbone(_inputs(ids))["sequence_output"]
    return keras.Model(ids, layers.GlobalAveragePooling1D(name="mean")(states, mask=ops.not_equal(ids, PAD)))


def sentence_vectors(encoder: Encoder, texts: Sequence[str], *, length: int = 128, batch: int = 32) -> np.ndarray:
    """Texts → float32 (n, width), not normalised: the frozen encoder's features. Reads ``length`` tokens of each."""
    return _predict(encoder.pooled, encoder.token_ids(texts, length), batch, encoder.width)


def window_vectors(encoder: Encoder, texts: Sequence[str], *, length: int = 128, batch: int = 32) -> np.ndarray:
    """Texts → float32 (n, width), as `sentence_vectors`, but of the whole text: the mean of its windows' vectors."""
    cut = windows(encoder.tokenizer, texts, length)
    return cut.mean(_predict(encoder.pooled, cut.rows, batch, encoder.width))


def classifier(encoder: Encoder, classes: int, recipe: Recipe = Recipe()) -> "keras.Model":
    """Token numbers (n, t) → logits (n, classes), around the encoder's own backbone: training changes the encoder."""
    import keras
    from keras import layers

    body = pooled(encoder.backbone)
    vectors = layers.Dropout(recipe.dropout, name="dropout")(body.output)
    return keras.Model(body.input, layers.Dense(classes, name="logits")(vectors))


def _freeze(encoder: Encoder, recipe: Recipe) -> int:
    """Say which layers learn; returns the number of transformer layers that do not."""
    backbone = encoder.backbone
    backbone.trainable = True
    below = 0 if recipe.layers is None else backbone.num_layers - recipe.layers
    if not 0 <= below <= backbone.num_layers:
        raise CourseError(
            f"layers = {recipe.layers}: {encoder.name} has {backbone.num_layers} layers, so 0 to that many."
        )
    if below:
        for layer in backbone.layers:
            layer.trainable = False
        for k in range(below, backbone.num_layers):
            backbone.get_layer(f"transformer_layer_{k}").trainable = True
    backbone.get_layer("token_embedding").trainable = False
    return below


def _upper(model: "keras.Model", encoder: Encoder, below: int) -> "keras.Model":
    """(states behind the layers below, token numbers) → logits, with the model's own layers."""
    import keras
    from keras import ops

    states = keras.Input((None, encoder.width), name="states")
    ids = keras.Input((None,), dtype="int32", name="token_ids")
    here = ops.not_equal(ids, PAD)
    x = states
    for k in range(below, encoder.backbone.num_layers):
        x = encoder.backbone.get_layer(f"transformer_layer_{k}")(x, padding_mask=ops.cast(here, "int32"))
    x = model.get_layer("mean")(x, mask=here)
    return keras.Model((states, ids), model.get_layer("logits")(model.get_layer("dropout")(x)))


def _states_below(encoder: Encoder, rows: list[list[int]], below: int, batch: int) -> list[np.ndarray]:
    """Each row's states (t, width) behind the first ``below`` layers."""
    import keras

    ids = keras.Input((None,), dtype="int32")
    tokens = encoder.backbone
    inner = keras.Model(tokens.input, tokens.get_layer(f"transformer_layer_{below - 1}").output, name="below")
    model = keras.Model(ids, inner(_inputs(ids)))
    out: list[np.ndarray] = [np.empty(0)] * len(rows)
    data = batches(rows, None, batch, shuffle=False)
    for k, chosen in enumerate(data.order):
        for i, states in zip(chosen, model.predict_on_batch(data[k][0]), strict=True):
            out[i] = states[: len(rows[i])]
    return out


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


def _compile(model: "keras.Model", recipe: Recipe, steps: int) -> None:
    import keras

    model.compile(
        optimizer(recipe, steps), keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False
    )
    # With its variables made before, the step is traced once instead of twice: half of TensorFlow's start-up.
    model.optimizer.build(model.trainable_variables)


def compiled(encoder: Encoder, classes: int, recipe: Recipe, steps: int) -> "keras.Model":
    """The whole ``classifier``, frozen by the recipe, compiled for ``steps`` steps: for a training loop of your own."""
    _freeze(encoder, recipe)
    model = classifier(encoder, classes, recipe)
    _compile(model, recipe, steps)
    return model


def fine_tune(
    encoder: Encoder,
    texts: Sequence[str],
    labels: np.ndarray,
    classes: int,
    recipe: Recipe = Recipe(),
    *,
    seed: int = 0,
    callbacks: Sequence["keras.callbacks.Callback"] = (),
    whole: bool = False,
) -> "keras.Model":
    """Train the encoder with a linear head: texts, labels int (n,) → ``classifier``'s model. Changes the encoder.

    With ``whole`` every window of a text is an example with the text's label; otherwise the first is read.
    """
    import keras

    keras.utils.set_random_seed(seed)
    below = _freeze(encoder, recipe)
    model = classifier(encoder, classes, recipe)
    labels = np.asarray(labels)
    if whole:
        cut = windows(encoder.tokenizer, texts, recipe.length)
        rows, labels = cut.rows, labels[cut.owners]
    else:
        rows = encoder.token_ids(texts, recipe.length)
    trained, states = model, None
    if below:
        trained, states = _upper(model, encoder, below), _states_below(encoder, rows, below, recipe.batch)
    data = batches(rows, labels, recipe.batch, shuffle=True, states=states, seed=seed)
    _compile(trained, recipe, recipe.epochs * len(data))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Gradients do not exist")  # BERT's pooler has no part in this model
        trained.fit(data, epochs=recipe.epochs, shuffle=False, verbose=0, callbacks=list(callbacks))
    return model


def predict(
    model: "keras.Model", encoder: Encoder, texts: Sequence[str], *, length: int = 64, batch: int = 32
) -> np.ndarray:
    """Texts → probabilities, float32 (n, classes), of a model that gives logits."""
    logits = _predict(model, encoder.token_ids(texts, length), batch, model.output_shape[-1])
    return softmax(logits)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Logits (n, classes) → probabilities; a logit of minus infinity has the probability 0."""
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
