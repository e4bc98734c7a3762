"""In which script and language messages are written, and whether they are cut into words or into characters."""

import collections
import re
from collections.abc import Sequence

from course_utils.data.labels import visible

READ = 2_000  # characters of a message that are looked at
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f]")
_UNIT = re.compile(rf"{_CJK.pattern}|[^\W\d_]+")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_WORD = re.compile(r"\b\w\w+\b")  # what a TfidfVectorizer takes for one
_ENGLISH = frozenset({
    "the", "a", "an", "and", "or", "but", "of", "to", "in", "on", "at", "for", "from", "with", "is", "are",
    "was", "be", "been", "it", "i", "you", "we", "they", "my", "your", "our", "this", "that", "not", "have",
    "has", "had", "do", "does", "did", "can", "could", "will", "would", "if", "as", "so", "when", "what",
    "how", "there", "me", "no",
})  # fmt: skip


def units(text: str) -> list[str]:
    """The words of a text, in lower case, without signs and digits; Chinese, Japanese and Korean by character."""
    return _UNIT.findall(visible(text[:READ]).lower())


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
    """ "zh" where a third of the letters are Chinese, Japanese or Korean, else "en": how texts are cut.

    "zh" cuts by character, so it is also the answer where fewer than half of the texts have a word: emoji, say.
    """
    return "zh" if scripts(texts)["cjk"] > 1 / 3 or not have_words(texts) else "en"


def have_words(texts: Sequence[str]) -> bool:
    """Whether at least half of the texts have a word of two letters or digits, so that any large part of them has."""
    return 2 * sum(bool(_WORD.search(text)) for text in texts) >= len(texts)


def english(texts: Sequence[str]) -> float:
    """The share of the words that are among the commonest of English; about 0.4 in English, 0.1 in its neighbours."""
    words = [word for text in texts[:2_000] for word in units(text)]
    return sum(word in _ENGLISH for word in words) / max(1, len(words))
