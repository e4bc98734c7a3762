"""Counted language models: n-grams with interpolated Kneser–Ney smoothing, the bar of chapter 12.

Sources: R. Kneser and H. Ney (1995), "Improved backing-off for m-gram language modeling", ICASSP; S. F. Chen and
J. Goodman (1999), "An empirical study of smoothing techniques for language modeling", Computer Speech & Language 13,
equation 25. The chapter writes the same by hand on a side road.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from course_utils.errors import CourseError


class NGrams:
    """What tokens follow which, counted: ``ids`` int (t,) from 0 to ``vocabulary`` - 1, looking ``n`` - 1 tokens back.

    ``discount`` is taken off each count and given to the shorter history; below the shortest all tokens are equally
    likely, so no token has probability nought. Raises CourseError for n < 1 or a discount that is not between 0 and 1.
    """

    def __init__(self, ids: Sequence[int], n: int, vocabulary: int, *, discount: float = 0.75):
        if n < 1 or not 0 < discount < 1:
            raise CourseError(f"n must be at least 1 and the discount between 0 and 1; they are {n} and {discount}.")
        self.n, self.vocabulary, self.discount = n, vocabulary, discount
        ids = np.asarray(ids).tolist()
        count, self.tables = Counter(zip(*(ids[k:] for k in range(n)), strict=False)), []
        for _ in range(n):
            total, kinds = Counter(), Counter()
            for gram, times in count.items():
                total[gram[:-1]] += times
                kinds[gram[:-1]] += 1
            self.tables.insert(0, (count, total, kinds))
            count = Counter(gram[1:] for gram in count)  # of a shorter history: in how many contexts it stood

    def chance(self, token: int, history: Sequence[int]) -> float:
        """The probability of a token after the tokens before it (all of them, or the last n - 1)."""
        p = 1 / self.vocabulary
        for length, (count, total, kinds) in enumerate(self.tables[: len(history) + 1]):
            before = tuple(history[len(history) - length :])
            if before not in total:
                break
            p = (max(count[(*before, token)] - self.discount, 0) + self.discount * kinds[before] * p) / total[before]
        return p

    def bits(self, ids: Sequence[int]) -> float:
        """The bits that a text costs: the sum of -log2 of its tokens' probabilities, each after all before it."""
        ids = np.asarray(ids).tolist()
        chances = [self.chance(token, ids[max(0, t - self.n + 1) : t]) for t, token in enumerate(ids)]
        return float(-np.log2(chances).sum())


class SequenceGrams:
    """The same n-grams over many short sequences at once, for a search that asks for thousands of chances a step.

    ``sequences`` is int (sequences, width): tokens from 1 on, then zeros, of which the first is the end and is counted.
    Before its first token a sequence has zeros, too: 0 is begin and end, here as in ``chances``. Chapter 14 uses it.
    """

    def __init__(self, sequences: np.ndarray, n: int, *, discount: float = 0.75):
        if n < 1 or not 0 < discount < 1:
            raise CourseError(f"n must be at least 1 and the discount between 0 and 1; they are {n} and {discount}.")
        sequences = np.asarray(sequences)
        padded = np.pad(sequences, ((0, 0), (n - 1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, n, axis=1)
        inside = np.pad(sequences > 0, ((0, 0), (1, 0)), constant_values=True)  # up to the first zero
        grams, times = _distinct(windows[inside])
        self.n, self.discount, self.vocabulary, self.tables = n, discount, int(sequences.max()) + 1, []
        for _ in range(n):
            keys = _key(grams)
            order = np.argsort(keys)
            before, owner = np.unique(_key(grams[:, :-1]), return_inverse=True)
            self.tables.insert(0, (keys[order], times[order], before, np.bincount(owner, times), np.bincount(owner)))
            grams, times = _distinct(grams[:, 1:])  # of a shorter history: in how many contexts it stood

    def chances(self, histories: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """The probabilities of ``tokens`` (..., choices) after ``histories`` (..., t), zeros before the first token."""
        missing = max(0, self.n - 1 - histories.shape[-1])
        histories = np.pad(histories, [(0, 0)] * (histories.ndim - 1) + [(missing, 0)])
        p = np.full(tokens.shape, 1 / self.vocabulary)
        for length, (keys, times, before, total, kinds) in enumerate(self.tables):
            history = _key(histories[..., histories.shape[-1] - length :])
            row = np.searchsorted(before, history).clip(max=len(before) - 1)
            known = before[row] == history
            if not known.any():
                break
            gram = history[..., None] * _FACTOR + _number(tokens)
            place = np.searchsorted(keys, gram).clip(max=len(keys) - 1)
            count = np.where(keys[place] == gram, times[place], 0)
            kept = np.maximum(count - self.discount, 0) + self.discount * kinds[row][..., None] * p
            p = np.where(known[..., None], kept / total[row][..., None], p)
        return p


_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, so no step of the key below forgets anything


def _number(tokens: np.ndarray) -> np.ndarray:
    return np.asarray(tokens).astype(np.uint64) + np.uint64(1)


def _key(grams: np.ndarray) -> np.ndarray:
    """One number of 64 bits for each gram (..., length); two of a million grams share one by a chance of 1 in 10^7."""
    keys = np.zeros(grams.shape[:-1], np.uint64)
    for place in range(grams.shape[-1]):
        keys = keys * _FACTOR + _number(grams[..., place])
    return keys


def _distinct(grams: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct grams, and how often each stood there."""
    _, first, times = np.unique(_key(grams), return_index=True, return_counts=True)
    return grams[first], times
