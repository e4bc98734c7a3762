"""The decoder: tokens in, for each place the logits of the token that comes next.

Sources: A. Radford and others (2019), "Language models are unsupervised multitask learners" (GPT-2: learned positions,
normalisation first, GELU, one table of embeddings for the way in and out), as A. Karpathy's nanoGPT builds it; and for
the changes J. Su and others (2021), RoFormer, arXiv:2104.09864 (rotary positions); A. Henry and others (2020),
arXiv:2010.04245 (normalised queries and keys); D. So and others (2021), Primer, arXiv:2109.08668 (squared ReLU).
"""

import math

import keras
import numpy as np
from keras import layers, ops

from course_utils.errors import CourseError
from course_utils.recipes.decoder.recipe import PLAIN

MOST_PAIRS = 8191  # rows of the table of pairs; with more pairs than rows, several share one (a prime spreads them)


def unit(x):
    """Vectors (…, n) scaled so that their squares have the mean 1: normalisation without a mean, gain or bias."""
    return x * ops.rsqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + 1e-5)


def attend(queries, keys, values, mask):
    """Causal attention: queries, keys, values (batch, heads, time, size), mask (time, time) added to the scores."""
    scores = ops.matmul(queries, ops.transpose(keys, (0, 1, 3, 2))) / math.sqrt(queries.shape[-1])
    return ops.matmul(ops.softmax(scores + mask), values)


def rotation(context, size, base=1000.0):
    """Cosine and sine, each (context, size / 2): the angle of place t and plane i is t · base^(−2i / size)."""
    angles = np.outer(np.arange(context), base ** (-np.arange(0, size, 2) / size))
    return np.cos(angles).astype("float32"), np.sin(angles).astype("float32")


def rotate(x, cosine, sine):
    """Turn the planes of queries or keys (…, time, size) by the angles of their places."""
    a, b = ops.split(x, 2, axis=-1)
    return ops.concatenate([a * cosine - b * sine, b * cosine + a * sine], axis=-1)


class Block(layers.Layer):
    """One layer of the decoder: attention to the places before, then a small network at each place."""

    def __init__(self, context, heads, width, depth, design):
        super().__init__()
        self.heads, self.design = heads, design
        end = 0.0 if design.zero else 0.02 / math.sqrt(2 * depth)  # two branches a layer are added up
        self.norm_attention, self.norm_inner = norm(design), norm(design)
        self.query, self.key, self.value = dense(width), dense(width), dense(width)
        self.attention_out = dense(width, end)
        self.inner, self.inner_out = dense(4 * width), dense(width, end)
        self.mask = np.triu(np.full((context, context), -1e9, "float32"), 1)  # nobody looks ahead
        self.cosine, self.sine = rotation(context, width // heads)

    def call(self, x):
        x = x + self.attention(self.norm_attention(x))
        h = self.inner(self.norm_inner(x))
        h = ops.square(ops.relu(h)) if self.design.squared else ops.gelu(h, approximate=False)
        return x + self.inner_out(h)

    def attention(self, x):
        time, width = x.shape[1:]

        def split(y):  # (batch, time, width) → (batch, heads, time, size)
            return ops.transpose(ops.reshape(y, (-1, time, self.heads, width // self.heads)), (0, 2, 1, 3))

        queries, keys, values = split(self.query(x)), split(self.key(x)), split(self.value(x))
        if self.design.normalised:
            queries, keys = unit(queries), unit(keys)
        if self.design.rotary:
            queries, keys = (rotate(y, self.cosine[:time], self.sine[:time]) for y in (queries, keys))
        mixed = attend(queries, keys, values, self.mask[:time, :time])
        return self.attention_out(ops.reshape(ops.transpose(mixed, (0, 2, 1, 3)), (-1, time, width)))


class Decoder(keras.Model):
    """Tokens int32 (batch, time) → logits float32 (batch, time, vocabulary); time is at most ``context``.

    Raises CourseError for longer rows and for a width that the heads cannot share.
    """

    def __init__(self, vocabulary, context, layers=4, heads=4, width=128, design=PLAIN):
        super().__init__()
        if width % (2 * heads):
            raise CourseError(f"The width, {width}, must be a multiple of twice the number of heads, {heads}.")
        self.vocabulary, self.context, self.design = vocabulary, context, design
        self.embedding = table(vocabulary, width)
        if not design.rotary:
            self.position = table(context, width)
        if design.pairs:
            self.rows = min(vocabulary**2, MOST_PAIRS)
            self.pairs = table(self.rows, width, 0.0)
        self.blocks = [Block(context, heads, width, layers, design) for _ in range(layers)]
        self.norm = norm(design)
        if design.untied:
            self.head = dense(vocabulary, 0.0)

    def call(self, tokens):
        if tokens.shape[1] > self.context:
            raise CourseError(f"A row has {tokens.shape[1]} tokens; this decoder reads at most {self.context} at once.")
        x = self.embedding(tokens)
        if self.design.pairs:
            before = ops.pad(tokens[:, :-1], ((0, 0), (1, 0)))
            x = x + self.pairs((before * self.vocabulary + tokens) % self.rows)
        if not self.design.rotary:
            x = x + self.position(ops.arange(tokens.shape[1]))
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        return self.head(x) if self.design.untied else ops.matmul(x, ops.transpose(self.embedding.embeddings))


def dense(units, spread=0.02):
    """A matrix without bias; its weights begin normal with this spread."""
    return layers.Dense(units, use_bias=False, kernel_initializer=keras.initializers.RandomNormal(stddev=spread))


def table(rows, width, spread=0.02):
    """A vector for each of so many tokens, places or pairs."""
    return layers.Embedding(rows, width, embeddings_initializer=keras.initializers.RandomNormal(stddev=spread))


def norm(design):
    """Normalisation at the beginning of a branch: nanoGPT's, with gains and without biases, or `unit`."""
    return unit if design.plain else layers.LayerNormalization(center=False, epsilon=1e-5)
