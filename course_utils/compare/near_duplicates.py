"""Which messages say nearly the same, in memory and time that grow with the messages and not with their pairs."""

import collections
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from course_utils.compare.text_language import units
from course_utils.data.finding import Finding
from course_utils.language import say, say_many

SHARE = 0.8  # of the words and pairs of words that two messages have, the part that both have
UNITS = 300  # words of a message that are compared
MOST = 30_000  # messages; of more, those are found only that differ in signs, digits and capital letters alone
POSTED = 200  # messages that are remembered for one rare word or pair; of more, the last ones
TRIED = 200  # messages that one is compared with
_AT_ONCE = 16
BUDGET = 400_000_000  # words and pairs that are compared in all: some ten seconds


@dataclass(frozen=True, eq=False)
class Alike:
    """What `search` found.

    ``groups`` int (n,): the same number for all that are alike, directly or through others. ``links``: pairs of rows
    that are alike, the earlier first, as many as hold the groups together. ``unfinished``: the number of messages that
    were not compared with all that might be like them. ``exact_only``: none was compared with what is not equal in its
    words.
    """

    groups: np.ndarray
    links: tuple[tuple[int, int], ...]
    unfinished: int = 0
    exact_only: bool = False

    def reordered(self, rows: np.ndarray) -> "Alike":
        """The same for the messages ``rows`` int (n,), all of them in another order."""
        place = np.empty(len(rows), np.int64)
        place[rows] = np.arange(len(rows))
        links = sorted(tuple(sorted((int(place[a]), int(place[b])))) for a, b in self.links)
        return Alike(self.groups[rows], tuple(links), self.unfinished, self.exact_only)

    def findings(self) -> list[Finding]:
        """What was not compared, where something was not."""
        if self.exact_only:
            message = say(
                "With more than {most:,} messages, near-duplicates are looked for only among those that differ in "
                "signs, digits and capital letters alone.",
                most=MOST,
            )
        elif self.unfinished:
            message = say_many(
                "{n} message shares its wording with so many others that it was not compared with all of them; "
                "near-duplicates may have been missed.",
                "{n:,} messages share their wording with so many others that they were not compared with all of them; "
                "near-duplicates may have been missed.",
                self.unfinished,
            )
        else:
            return []
        return [Finding("near-duplicates not all looked for", message)]


class _Groups:
    """Rows joined to groups (union-find)."""

    def __init__(self, count: int) -> None:
        self.parent = list(range(count))
        self.links: list[tuple[int, int]] = []

    def root(self, row: int) -> int:
        parent = self.parent
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    def join(self, a: int, b: int) -> None:
        one, other = self.root(a), self.root(b)
        if one != other:
            self.parent[max(one, other)] = min(one, other)
            self.links.append((min(a, b), max(a, b)))


def search(texts: Sequence[str], share: float = SHARE, *, budget: int = BUDGET) -> Alike:
    """Find the texts that are nearly alike: that share 80 % of their words and pairs of words (Jaccard).

    Two sets of grams that share 80 % must share one of their rarest grams (prefix filtering: R. J. Bayardo, Y. Ma and
    R. Srikant (2007), Scaling up all pairs similarity search, WWW), so only few pairs are looked at. Where thousands
    share their wording, a message that was found alike to one of a group is not compared with the group's others, and
    each is compared with the last POSTED of a rare gram, TRIED in all and ``budget`` grams for all messages together.
    """
    groups = _Groups(len(texts))
    numbers: dict[str, int] = {}
    first: dict[bytes | str, int] = {}
    rows, grams = [], []
    for row, text in enumerate(texts):
        words = [numbers.setdefault(word, len(numbers)) for word in units(text)]
        mine = np.array(words, np.int64)
        known = first.setdefault(mine.tobytes() or text, row)
        if known != row:
            groups.join(known, row)
        elif words and len(texts) <= MOST:
            rows.append(row)
            grams.append(_grams(mine[:UNITS]))
    unfinished = _compare(rows, grams, groups, share, budget) if rows else 0
    found = np.array([groups.root(row) for row in range(len(texts))], np.int64)
    return Alike(found, tuple(sorted(groups.links)), unfinished, exact_only=len(texts) > MOST)


def _grams(words: np.ndarray) -> np.ndarray:
    """Words and pairs of words as numbers that no other word or pair has."""
    return np.unique(np.concatenate([words, (words[:-1] + 1 << 32) + words[1:]]))


def _compare(rows: list[int], grams: list[np.ndarray], groups: _Groups, share: float, budget: int) -> int:
    """Join the rows whose grams are nearly the same; returns how many were not compared with all they might be like."""
    lengths = np.array([len(these) for these in grams])
    starts = np.concatenate([[0], np.cumsum(lengths)])
    _, ranks, counts = np.unique(np.concatenate(grams), return_inverse=True, return_counts=True)
    grams.clear()
    # Number the grams from the rarest to the commonest: then the sorted beginning of a row is its rarest grams.
    by_rarity = np.empty(len(counts), np.int32)
    by_rarity[np.argsort(counts, kind="stable")] = np.arange(len(counts), dtype=np.int32)
    flat = by_rarity[ranks]
    alone = int((counts == 1).sum())  # grams below this number occur in one message only
    del ranks, counts, by_rarity
    posted: dict[int, list[int]] = collections.defaultdict(list)
    dropped: set[int] = set()
    unfinished = spent = 0
    for k in np.argsort(lengths, kind="stable").tolist():
        mine = np.sort(flat[starts[k] : starts[k + 1]])
        flat[starts[k] : starts[k + 1]] = mine
        prefix = [gram for gram in mine[: len(mine) - int(np.ceil(share * len(mine))) + 1].tolist() if gram >= alone]
        candidates: dict[int, None] = {}
        cut = False
        for gram in prefix:
            cut |= gram in dropped
            candidates.update(dict.fromkeys(reversed(posted[gram])))
            if len(candidates) > TRIED:
                cut = True
                break
        left = [c for c in list(candidates)[:TRIED] if lengths[c] >= share * len(mine)]
        while left:
            these, left = left[:_AT_ONCE], left[_AT_ONCE:]
            sizes = lengths[these]
            if spent + sizes.sum() > budget:
                cut = True
                break
            spent += int(sizes.sum())
            theirs = np.concatenate([flat[starts[c] : starts[c + 1]] for c in these])
            places = np.minimum(np.searchsorted(mine, theirs), len(mine) - 1)
            common = np.add.reduceat(mine[places] == theirs, np.cumsum(sizes) - sizes, dtype=np.int64)
            alike = common >= share * (len(mine) + sizes - common)
            for c in np.array(these)[alike].tolist():
                groups.join(rows[c], rows[k])
            if alike.any():
                joined = groups.root(rows[k])
                left = [c for c in left if groups.root(rows[c]) != joined]
        unfinished += cut
        for gram in prefix:
            remembered = posted[gram]
            remembered.append(k)
            if len(remembered) > POSTED:
                del remembered[0]
                dropped.add(gram)
    return unfinished
