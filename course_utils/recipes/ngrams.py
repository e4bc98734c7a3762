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
