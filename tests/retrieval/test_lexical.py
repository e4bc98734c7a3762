"""BM25 beside a library's, beside a computation on scikit-learn's counts, and beside what it must do by its formula."""

import math

import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from course_utils.retrieval.lexical import BM25, words

WORDS = st.sampled_from(["invoice", "the", "δ", "w", "7", "refund", "café", "发"])
TEXTS = st.lists(st.lists(WORDS, min_size=1, max_size=12).map(" ".join), min_size=1, max_size=8)


def by_counts(texts, question, k=1.2, b=0.75):
    vectorizer = CountVectorizer(analyzer=words)
    t = vectorizer.fit_transform(texts).toarray()
    n, lengths = len(texts), t.sum(axis=1)
    score = np.zeros(n)
    for word in words(question):
        if word in vectorizer.vocabulary_:
            column = t[:, vectorizer.vocabulary_[word]]
            holding = (column > 0).sum()
            idf = math.log((n + 1) / (holding + 0.5))  # 1 + (n − h + ½)/(h + ½)
            score += idf * column * (k + 1) / (column + k * (1 - b + b * lengths / lengths.mean()))
    return score


@given(TEXTS, st.lists(WORDS, max_size=6).map(" ".join))
def test_it_is_what_scikit_learns_counts_give(texts, question):
    assert np.allclose(BM25(texts).scores(question), by_counts(texts, question))


@given(TEXTS, st.lists(WORDS, min_size=1, max_size=6).map(" ".join))
def test_it_is_what_bm25s_gives(texts, question):
    theirs = bm25s.BM25(method="lucene", k1=1.2, b=0.75, dtype="float64")
    theirs.index([words(text) for text in texts], show_progress=False)
    known = [word for word in words(question) if word in theirs.vocab_dict]
    scores = theirs.get_scores(known) if known else np.zeros(len(texts))
    # Lucene leaves the factor k + 1 away since version 8: it moves no text past another.
    assert np.allclose(BM25(texts).scores(question), 2.2 * scores)


@given(TEXTS, st.lists(WORDS, max_size=6).map(" ".join), st.randoms())
def test_the_order_of_texts_and_of_words_does_not_matter(texts, question, dice):
    order = list(range(len(texts)))
    dice.shuffle(order)
    asked = question.split()
    dice.shuffle(asked)
    moved = BM25([texts[i] for i in order]).scores(" ".join(asked))
    assert np.allclose(moved, BM25(texts).scores(question)[order])


def test_rare_words_weigh_more_and_repetition_is_damped():
    index = BM25(["the invoice", "the refund refund refund", "the the the the"])
    assert (index.idf > 0).all() and index.idf[index.columns["invoice"]] > index.idf[index.columns["the"]]
    once, thrice = BM25(["a b", "a a"]).scores("a"), BM25(["a b b b", "a a a a"]).scores("a")
    assert once[0] < once[1] < 2.2 * math.log(1.2) * 1.01 and thrice[1] < 2.2 * math.log(1.2)


def test_nothing_known_scores_nothing():
    index = BM25(["an invoice", "a refund"])
    assert (index.scores("xyz") == 0).all() and (index.scores("") == 0).all()
    assert BM25(["", "a"]).scores("a")[0] == 0


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("W_h ← δ_{t+1}", ["w", "h", "delta", "t", "1"]),
        ("The Café's INVOICE", ["the", "cafe", "s", "invoice"]),
        ("百万 bytes", ["百", "万", "bytes"]),
        ("x² ∇L hᵀ", ["x2", "nabla", "l", "ht"]),
    ],
)
def test_words(text, wanted):
    assert words(text) == wanted
