"""The searches of chapter 13 beside scikit-learn's TF-IDF, in turn: what they find, with intervals and
bounds, and processor time a question.

    python tests/benchmarks/retrieval.py [--rounds 5]
    python tests/benchmarks/retrieval.py --chunks [--write]     (the encoder, some two minutes of one core)

The first reads the stored corpus and its vectors. ``--chunks`` cuts the sections into passages of other sizes, encodes
those, and with ``--write`` keeps the figures in ``data/results/13.json``, where the chapter's side road finds them.
"""

import argparse
import statistics
import time
from pathlib import Path

import kept
import numpy as np

from course_utils.retrieval import corpus, cutting, ranking
from course_utils.retrieval.lexical import BM25, words

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("claim", "cited", "asked")
SIZES = (30, 60, 120, 240)
MEAN = "{:.3f} ({:.3f} to {:.3f})"
LEAST_MRR = {"claim": 0.84, "cited": 0.88, "asked": 0.52}


def compare(rounds: int) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    stored = corpus.load()
    texts = [f"{stored.titles[s]} {p}" for s, p in zip(stored.owners, stored.passages, strict=True)]
    asked = [question.text for question in stored.questions]
    index = BM25(texts)
    peer = TfidfVectorizer(analyzer=words, sublinear_tf=True)
    matrix = peer.fit_transform(texts)
    searches = {
        "BM25": lambda: np.array([index.scores(text) for text in asked]),
        "scikit-learn TF-IDF": lambda: np.vstack([(peer.transform([text]) @ matrix.T).toarray() for text in asked]),
        "vectors (stored)": lambda: np.vstack([vector @ stored.vectors.T for vector in stored.question_vectors]),
    }
    seconds: dict[str, list[float]] = {name: [] for name in searches}
    scores = {}
    for _ in range(rounds):
        for name, search in searches.items():  # in turn, so that a slow spell falls on all
            began = time.process_time()
            scores[name] = search()
            seconds[name].append((time.process_time() - began) / len(asked))
    found = {name: stored.of_sections(one) for name, one in scores.items()}
    found["BM25 + vectors, fused"] = ranking.fused(found["BM25"], found["vectors (stored)"])
    print(f"{len(stored.names)} sections, {len(texts)} passages; recall@1, recall@5, MRR (95 %); ms a question")
    for name, one in found.items():
        spent = f"{1000 * statistics.median(seconds[name]):.2f}" if name in seconds else ""
        print(f"{name} {spent}")
        for kind in KINDS:
            at_1, at_5, _ = judged(stored, one, kind)
            print(f"    {kind:6s} {at_1:.3f} {at_5:.3f} " + MEAN.format(*interval(mrr(stored, one, kind))))
    fused, peer_found = found["BM25 + vectors, fused"], found["scikit-learn TF-IDF"]
    gain = interval(mrr(stored, fused, "asked") - mrr(stored, peer_found, "asked"))
    print("MRR on questions of customers, fused less TF-IDF:", MEAN.format(*gain))
    # The bounds, of what the stored corpus showed on 2026-11-29; the target of 0.90 for the claims' MRR is missed.
    bounds = {"recall@5, claim": (judged(stored, fused, "claim")[1], 0.95)}
    bounds |= {f"MRR, {kind}": (mrr(stored, fused, kind).mean(), least) for kind, least in LEAST_MRR.items()}
    bounds["gain on TF-IDF, lower end"] = (gain[1], 0.0)
    for name, (value, least) in bounds.items():
        assert value >= least, f"{name}: {value:.3f} is below {least}."
    print("bounds kept:", ", ".join(f"{name} {value:.3f} >= {least}" for name, (value, least) in bounds.items()))


def mrr(stored: corpus.Corpus, scores: np.ndarray, kind: str) -> np.ndarray:
    """1/rank of the first right section, a float for each question of a kind."""
    places = [i for i, question in enumerate(stored.questions) if question.kind == kind]
    return 1 / ranking.first_right(scores[places], [stored.right(stored.questions[i]) for i in places])


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """The mean, and the 95 % interval of a bootstrap over the questions."""
    means = np.random.default_rng(0).choice(values, (4_000, len(values))).mean(axis=1)
    return float(values.mean()), *(float(end) for end in np.quantile(means, [0.025, 0.975]))


def judged(stored: corpus.Corpus, scores: np.ndarray, kind: str) -> list[float]:
    places = [i for i, question in enumerate(stored.questions) if question.kind == kind]
    rank = ranking.first_right(scores[places], [stored.right(stored.questions[i]) for i in places])
    return [round(value, 4) for value in ranking.summary(rank).values()]


def chunks(write: bool) -> None:
    from course_utils.retrieval.make import encode

    stored = corpus.load()
    texts = [text.split("\n", 1)[1] for text in stored.texts]
    rows = []
    for size in SIZES:
        pieces = [(n, piece) for n, text in enumerate(texts) for piece in cutting.passages(text, size)]
        owners = np.array([n for n, _ in pieces])
        index = BM25([f"{stored.titles[n]} {piece}" for n, piece in pieces])
        by_words = np.array([index.scores(question.text) for question in stored.questions])
        began = time.process_time()
        vectors = encode([f"{stored.titles[n]}. {piece}" for n, piece in pieces])
        spent = time.process_time() - began
        found = {}
        for name, scores in (("words", by_words), ("vectors", stored.question_vectors @ vectors.T)):
            best = np.full((len(scores), len(texts)), -np.inf)
            np.maximum.at(best.T, owners, scores.T)
            found[name] = best
        found["fused"] = ranking.fused(*found.values())
        for name, scores in found.items():
            for kind in KINDS:
                one, five, mrr = judged(stored, scores, kind)
                rows.append({"words a passage": size, "passages": len(pieces), "search": name, "kind": kind})
                rows[-1] |= {"recall@1": one, "recall@5": five, "MRR": mrr}
                print(rows[-1])
        print(f"{size} words: {len(pieces)} passages encoded in {spent:.0f} processor seconds")
    if write:
        record = kept.head("python tests/benchmarks/retrieval.py --chunks --write") | {"rows": rows}
        kept.write("13", kept.read("13") | {"chunks": record})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--chunks", action="store_true", help="other sizes of passage, with the encoder")
    parser.add_argument("--write", action="store_true", help="keep the figures in data/results/13.json")
    given = parser.parse_args()
    if given.chunks:
        chunks(given.write)
    else:
        compare(given.rounds)
