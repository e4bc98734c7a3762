"""Search by words: BM25, as chapter 13 derives it.

Source: S. Robertson and H. Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", Foundations and Trends
in Information Retrieval 3 (2009), formula 3.15; the weight of a word as in Lucene, never below zero.
"""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

_WORD = re.compile(r"[a-z0-9]+|[\u4e00-\u9fff]")


def words(text: str) -> list[str]:
    """A text's words: lower case, accents off, a Greek letter as its name, a Chinese character as a word."""
    named = "".join(_latin(letter) for letter in unicodedata.normalize("NFKD", text))
    return _WORD.findall(named.lower())


def _latin(letter: str) -> str:
    if "α" <= letter.lower() <= "ω" or letter == "∇":
        return f" {unicodedata.name(letter).split()[-1].lower()} "
    return "" if unicodedata.combining(letter) else letter


class BM25:
    """An index of texts; ``scores`` says how well each fits a question. ``k`` and ``b`` as Lucene sets them."""

    def __init__(self, texts: Sequence[str], k: float = 1.2, b: float = 0.75) -> None:
        from scipy.sparse import csr_matrix

        rows = [words(text) for text in texts]
        self.columns: dict[str, int] = {}
        for row in rows:
            for word in row:
                self.columns.setdefault(word, len(self.columns))
        owners = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
        places = [self.columns[word] for row in rows for word in row]
        shape = (len(rows), len(self.columns))
        counts = csr_matrix((np.ones(len(places)), (owners, places)), shape=shape)
        counts.sum_duplicates()
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        holding = np.bincount(counts.indices, minlength=shape[1])
        self.idf = np.log(1 + (shape[0] - holding + 0.5) / (holding + 0.5))
        damp = k * (1 - b + b * lengths / max(lengths.mean(), 1e-12))
        of_row = np.repeat(damp, np.diff(counts.indptr))
        counts.data = counts.data * (k + 1) / (counts.data + of_row) * self.idf[counts.indices]
        self._weights = counts.tocsc()

    def scores(self, question: str) -> np.ndarray:
        """A question → float (texts,), at least 0; a word that stands twice in it counts twice."""
        found = [self.columns[word] for word in words(question) if word in self.columns]
        return np.asarray(self._weights[:, found].sum(axis=1)).ravel()
