"""A decoder's forward pass in NumPy, with the keys and values of what was read kept: no framework is needed to write.

The arrays, float32, by their names (``k`` counts the layers from 0; a matrix stands to the right of what it turns)::

    embedding               (vocabulary, width)      the vectors of the tokens
    head                    (width, vocabulary)      where ``untied``; else the embedding gives the logits, transposed
    positions               (context, width)         learnt; not there where ``rotary``
    pairs                   (rows, width)            where ``pairs``; row (before · vocabulary + token) modulo rows
    k.attention_gain        (width,)                 of the norm before attention; no gains where ``plain``
    k.queries_keys_values   (width, 3 · width)       side by side, and in each of the three the heads
    k.attention_out         (width, width)
    k.hidden_gain           (width,)                 of the norm before the neurons
    k.hidden_in             (width, hidden)
    k.hidden_out            (hidden, width)
    gain                    (width,)                 of the last norm

There are no offsets. Each block adds to what it reads: x + attention(norm(x)), then x + neurons(norm(x)). (A. Radford
and others (2019), Language Models are Unsupervised Multitask Learners; A. Vaswani and others (2017), Attention Is All
You Need, formula 1, https://arxiv.org/abs/1706.03762.)
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from course_utils.language import say

_FREE = (("0.hidden_in", -1), ("pairs", 0))  # arrays with a size that the shape does not say, and its axis


@dataclasses.dataclass(frozen=True)
class Shape:
    """A decoder's sizes and switches; with all of them as they are it is GPT-2's form, as nanoGPT builds it.

    ``context`` is how many tokens it reads at most. ``rotary``: positions turn queries and keys, plane i of a place by
    place · ``base``^(−2i / head width), the two halves of a head making the planes (J. Su and others (2021), RoFormer,
    https://arxiv.org/abs/2104.09864). ``normalised``: queries and keys have the mean square 1. ``squared``: the
    neurons answer with the square of ReLU, not with GELU. ``pairs``: a vector for each token with the one before it.
    ``plain``: norms without mean and gain. ``untied``: a matrix of its own gives the logits. ``epsilon`` stands below
    the root of each norm. Raises ValueError for what does not fit together.
    """

    vocabulary: int
    context: int
    layers: int
    heads: int
    width: int
    rotary: bool = False
    normalised: bool = False
    squared: bool = False
    pairs: bool = False
    plain: bool = False
    untied: bool = False
    base: float = 1000.0
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        sizes = (self.vocabulary, self.context, self.layers, self.heads, self.width)
        if not all(type(size) is int and size > 0 for size in sizes) or self.width % self.heads:
            raise ValueError(say("sizes are whole numbers above 0, and the heads share the width"))
        if self.rotary and self.head_width % 2:
            raise ValueError(say("rotary positions want heads of an even width"))

    @property
    def head_width(self) -> int:
        """The width of one head."""
        return self.width // self.heads


class Cache:
    """What ``rows`` sequences have read: keys and values, each float32 (layers, rows, heads, context, head width).

    ``last`` int (rows,) is the token that each read last.
    """

    def __init__(self, shape: Shape, rows: int) -> None:
        size = (shape.layers, rows, shape.heads, shape.context, shape.head_width)
        self.keys, self.values = np.zeros(size, np.float32), np.zeros(size, np.float32)
        self.last = np.zeros(rows, np.int64)

    def copy(self, source: int, target: int, length: int) -> None:
        """Copy the first ``length`` places of one row to another."""
        for held in (self.keys, self.values):
            held[:, target, :, :length] = held[:, source, :, :length]
        self.last[target] = self.last[source]


class Network:
    """A decoder's ``shape`` and its ``arrays``, as this module names them. Raises ValueError where they do not fit."""

    def __init__(self, shape: Shape, arrays: Mapping[str, np.ndarray]) -> None:
        self.shape = shape
        hidden, rows = (arrays[name].shape[axis] if name in arrays else 0 for name, axis in _FREE)
        if {name: one.shape for name, one in arrays.items()} != sizes(shape, hidden, rows):
            raise ValueError(say("the arrays are not those that the settings want"))
        self.arrays = {name: np.ascontiguousarray(one, np.float32) for name, one in arrays.items()}
        self._turns = turns(shape) if shape.rotary else None

    def forward(self, cache: Cache, tokens: np.ndarray, row: int, starts: np.ndarray) -> np.ndarray:
        """Read tokens int (n, t) into the n rows of a cache from ``row`` on; the logits of the last, (n, vocabulary).

        Sequence i has read ``starts[i]`` tokens before and attends to them, too. Any t reads a prompt, t = 1 writes.
        """
        shape, arrays = self.shape, self.arrays
        n, t = tokens.shape
        places = starts[:, None] + np.arange(t)
        end = int(places.max()) + 1
        later = np.arange(end) > places[:, None, :, None]  # (n, 1, t, end): keys that a query must not see
        x = self._embedded(cache.last[row : row + n], tokens, places)
        cache.last[row : row + n] = tokens[:, -1]
        rows = np.arange(row, row + n)[:, None]
        for k in range(shape.layers):
            read = self._norm(x, f"{k}.attention_gain") @ arrays[f"{k}.queries_keys_values"]
            queries, keys, values = np.moveaxis(read.reshape(n, t, 3, shape.heads, shape.head_width), 2, 0)
            queries, keys = self._placed(queries, places), self._placed(keys, places)
            cache.keys[k, rows, :, places], cache.values[k, rows, :, places] = keys, values
            held = (part[k, row : row + n, :, :end] for part in (cache.keys, cache.values))
            x += attention(queries, *held, later).reshape(n * t, shape.width) @ arrays[f"{k}.attention_out"]
            x += self._active(self._norm(x, f"{k}.hidden_gain") @ arrays[f"{k}.hidden_in"]) @ arrays[f"{k}.hidden_out"]
        last = self._norm(x.reshape(n, t, shape.width)[:, -1], "gain")
        return last @ (arrays["head"] if shape.untied else arrays["embedding"].T)

    def _embedded(self, last: np.ndarray, tokens: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Tokens as vectors (n · t, width), which makes one product of all sequences, whatever n and t."""
        x = self.arrays["embedding"][tokens.ravel()]
        if self.shape.pairs:
            before = np.column_stack([np.where(places[:, 0] > 0, last, 0), tokens[:, :-1]])
            pairs = self.arrays["pairs"]
            x += pairs[(before * self.shape.vocabulary + tokens).ravel() % len(pairs)]
        if not self.shape.rotary:
            x += self.arrays["positions"][places.ravel()]
        return x

    def _norm(self, x: np.ndarray, gain: str) -> np.ndarray:
        if self.shape.plain:
            return unit(x, self.shape.epsilon)
        return unit(x - x.mean(axis=-1, keepdims=True), self.shape.epsilon) * self.arrays[gain]

    def _placed(self, x: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Queries or keys (n, t, heads, head width) as they meet: of one length, and turned by their places."""
        if self.shape.normalised:
            x = unit(x, self.shape.epsilon)
        if self._turns is None:
            return x
        cosine, sine = (part[places][:, :, None] for part in self._turns)
        first, second = np.split(x, 2, axis=-1)
        return np.concatenate([first * cosine - second * sine, second * cosine + first * sine], axis=-1)

    def _active(self, x: np.ndarray) -> np.ndarray:
        """What neurons answer to their sums."""
        if self.shape.squared:
            return np.square(np.maximum(x, 0))
        from scipy.special import erf

        return x * (np.float32(0.5) + np.float32(0.5) * erf(x * np.float32(np.sqrt(0.5))))


def unit(x: np.ndarray, epsilon: float) -> np.ndarray:
    """Vectors (…, n) scaled to the mean square 1."""
    return x / np.sqrt(np.square(x).mean(axis=-1, keepdims=True) + np.float32(epsilon))


def attention(queries: np.ndarray, keys: np.ndarray, values: np.ndarray, later: np.ndarray) -> np.ndarray:
    """Softmax of queries · keys over √head width, times values; ``later`` bool (n, 1, t, end) is left out.

    ``queries`` and the result are (n, t, heads, head width), ``keys`` and ``values`` (n, heads, end, head width).
    """
    queries = queries.swapaxes(1, 2) * np.float32(1 / np.sqrt(queries.shape[-1]))
    scores = queries @ keys.swapaxes(-1, -2)  # (n, heads, t, end)
    np.putmask(scores, np.broadcast_to(later, scores.shape), -np.inf)
    scores -= scores.max(axis=-1, keepdims=True)
    shares = np.exp(scores, out=scores)
    shares /= shares.sum(axis=-1, keepdims=True)
    return (shares @ values).swapaxes(1, 2)


def turns(shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Cosines and sines of rotary positions, each float32 (context, head width / 2)."""
    planes = np.arange(0, shape.head_width, 2) / shape.head_width
    angles = np.outer(np.arange(shape.context), shape.base**-planes)
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def sizes(shape: Shape, hidden: int, rows: int) -> dict[str, tuple[int, ...]]:
    """The arrays of a network with ``hidden`` neurons in a layer and ``rows`` for pairs: name → shape."""
    width = shape.width
    found: dict[str, tuple[int, ...]] = {"embedding": (shape.vocabulary, width)}
    if shape.untied:
        found["head"] = (width, shape.vocabulary)
    if not shape.rotary:
        found["positions"] = (shape.context, width)
    if shape.pairs:
        found["pairs"] = (rows, width)
    for k in range(shape.layers):
        found |= {
            f"{k}.attention_gain": (width,),
            f"{k}.queries_keys_values": (width, 3 * width),
            f"{k}.attention_out": (width, width),
            f"{k}.hidden_gain": (width,),
            f"{k}.hidden_in": (width, hidden),
            f"{k}.hidden_out": (hidden, width),
        }
    found["gain"] = (width,)
    return {name: size for name, size in found.items() if not (shape.plain and name.endswith("gain"))}


def drawn(shape: Shape, seed: int = 0, scale: float = 0.1) -> dict[str, np.ndarray]:
    """Random arrays of a network that has learnt nothing, for tests and for timing; gains are 1."""
    generator = np.random.default_rng(seed)
    return {
        name: np.ones(size, np.float32)
        if name.endswith("gain")
        else generator.normal(0, scale, size).astype(np.float32)
        for name, size in sizes(shape, 4 * shape.width, 5_000).items()
    }
