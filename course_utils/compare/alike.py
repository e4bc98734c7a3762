"""Which messages say nearly the same, and in what script they are written."""

import collections
import itertools
import re
import zlib
from collections.abc import Sequence

import numpy as np

from course_utils.data.messages import Finding

SHARE = 0.8  # of the words and pairs of words that two messages have, the part that both have
READ = 2_000  # characters of a message that are compared
MOST = 30_000  # messages; of more, those are found only that differ in signs, digits and capital letters alone
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f]")
_UNIT = re.compile(rf"{_CJK.pattern}|[^\W\d_]+")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_ENGLISH = frozenset({
    "the", "a", "an", "and", "or", "but", "of", "to", "in", "on", "at", "for", "from", "with", "is", "are",
    "was", "be", "been", "it", "i", "you", "we", "they", "my", "your", "our", "this", "that", "not", "have",
    "has", "had", "do", "does", "did", "can", "could", "will", "would", "if", "as", "so", "when", "what",
    "how", "there", "me", "no",
})  # fmt: skip


def units(text: str) -> list[str]:
    """The words of a text, in lower case, without signs and digits; Chinese, Japanese and Korean by character."""
    return _UNIT.findall(text[:READ].lower())


def _grams(words: list[str]) -> frozenset[int]:
    """Words and pairs of words, as numbers that are the same in every process."""
    pairs = [f"{a} {b}" for a, b in itertools.pairwise(words)]
    return frozenset(zlib.crc32(gram.encode("utf-8", "replace")) for gram in [*words, *pairs])


def pairs(texts: Sequence[str], share: float = SHARE) -> list[tuple[int, int]]:
    """Pairs of rows that are nearly alike, the earlier row first.

    Two sets of grams that share 80 % must share one of their rarest grams (prefix filtering: R. J. Bayardo, Y. Ma and
    R. Srikant (2007), Scaling up all pairs similarity search, WWW), so only few pairs are looked at.
    """
    found: list[tuple[int, int]] = []
    words = [units(text) for text in texts]
    first: dict[tuple[str, ...], int] = {}
    rest = []
    for row, these in enumerate(words):
        key = tuple(these) if these else ("", texts[row])
        if key in first:
            found.append((first[key], row))
        else:
            first[key] = row
            rest.append(row)
    if len(texts) > MOST:
        return found
    grams = {row: _grams(words[row]) for row in rest if words[row]}
    frequency = collections.Counter(gram for these in grams.values() for gram in these)
    index: dict[int, list[int]] = collections.defaultdict(list)
    for row in sorted(grams, key=lambda row: len(grams[row])):
        mine = grams[row]
        ordered = sorted(mine, key=lambda gram: (frequency[gram], gram))
        prefix = ordered[: len(mine) - int(np.ceil(share * len(mine))) + 1]
        seen = set()
        for gram in prefix:
            for other in index[gram]:
                if other in seen:
                    continue
                seen.add(other)
                theirs = grams[other]
                if len(theirs) < share * len(mine):
                    continue
                common = len(mine & theirs)
                if common >= share * (len(mine) + len(theirs) - common):
                    found.append((min(row, other), max(row, other)))
            index[gram].append(row)
    return sorted(found)


def groups(texts: Sequence[str]) -> tuple[np.ndarray, list[Finding]]:
    """A number for each message, the same for all that are nearly alike, and what has to be said of the search."""
    parent = list(range(len(texts)))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for a, b in pairs(texts):
        parent[root(b)] = root(a)
    found = []
    if len(texts) > MOST:
        message = (
            f"With more than {MOST:,} messages, near-duplicates are looked for only among those that differ in signs, "
            "digits and capital letters alone."
        )
        found.append(Finding("near-duplicates", message))
    return np.array([root(row) for row in range(len(texts))]), found


def scripts(texts: Sequence[str]) -> dict[str, float]:
    """The shares of the letters that are Chinese, Japanese or Korean ("cjk"), Latin ("latin") and others ("other")."""
    counts = collections.Counter()
    for text in texts[:5_000]:
        text = text[:READ]
        cjk, latin = len(_CJK.findall(text)), len(_LATIN.findall(text))
        counts["cjk"] += cjk
        counts["latin"] += latin
        counts["other"] += max(0, sum(character.isalpha() for character in text) - cjk - latin)
    total = max(1, counts.total())
    return {name: counts[name] / total for name in ("cjk", "latin", "other")}


def language(texts: Sequence[str]) -> str:
    """ "zh" where a third of the letters are Chinese, Japanese or Korean, else "en": how texts are cut into words."""
    return "zh" if scripts(texts)["cjk"] > 1 / 3 else "en"


def english(texts: Sequence[str]) -> float:
    """The share of the words that are among the commonest of English; about 0.4 in English, 0.1 in its neighbours."""
    words = [word for text in texts[:2_000] for word in units(text)]
    return sum(word in _ENGLISH for word in words) / max(1, len(words))
