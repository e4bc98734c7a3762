"""The gate: a rewrite of a chapter must not make a section unfindable.

By words alone, so in seconds and without an encoder. If it fails because a section was renamed, correct the name in
data/retrieval/questions.toml. If a question was lost and that is meant, name it in ACCEPTED with the reason.
"""

import functools

import numpy as np
import pytest

from course_utils.retrieval import corpus, cutting, questions, ranking
from course_utils.retrieval.lexical import BM25

RECALL_AT_5 = 0.88  # over the claims; 0.93 when the corpus was made
ACCEPTED: dict[str, str] = {}  # question → why it may be lost


def found(sections: list[cutting.Section]) -> dict[str, bool]:
    """Whether each claim and each question of customers has a right section among the first five, by words."""
    pieces = [(n, f"{corpus.title_of(s)} {text}") for n, s in enumerate(sections) for text in cutting.passages(s.text)]
    owners, index = np.array([n for n, _ in pieces]), BM25([text for _, text in pieces])
    names = {section.name: n for n, section in enumerate(sections)}
    asked = [q for q in questions.questions(cutting.settled_in(sections)) if q.kind in ("claim", "asked")]
    questions.check_labels(asked, set(names))
    scores = np.full((len(asked), len(sections)), -np.inf)
    np.maximum.at(scores.T, owners, np.array([index.scores(q.text) for q in asked]).T)
    rank = ranking.first_right(scores, [[names[name] for name in q.sections] for q in asked])
    return {f"{q.kind} {q.name}": bool(r <= 5) for q, r in zip(asked, rank, strict=True)}


@functools.cache
def live() -> tuple[cutting.Section, ...]:
    return tuple(corpus.live())


@functools.cache
def before() -> dict[str, bool]:
    """The same for the stored corpus."""
    stored = corpus.load()
    index = BM25([f"{stored.titles[s]} {p}" for s, p in zip(stored.owners, stored.passages, strict=True)])
    asked = [q for q in stored.questions if q.kind in ("claim", "asked")]
    scores = stored.of_sections(np.array([index.scores(q.text) for q in asked]))
    rank = ranking.first_right(scores, [stored.right(q) for q in asked])
    return {f"{q.kind} {q.name}": bool(r <= 5) for q, r in zip(asked, rank, strict=True)}


def complaints(now: dict[str, bool]) -> list[str]:
    """What the gate has against a state of the course."""
    lost = sorted(name for name, was in before().items() if was and not now.get(name, False) and name not in ACCEPTED)
    claims = [hit for name, hit in now.items() if name.startswith("claim")]
    low = [f"recall@5 of the claims is {np.mean(claims):.3f}"] if np.mean(claims) < RECALL_AT_5 else []
    return low + [f"{name} is no longer among the first five" for name in lost]


def test_everything_that_was_found_is_found():
    assert complaints(found(list(live()))) == []


@pytest.mark.parametrize(
    ("victim", "question"),
    [("10/A batch on several machines", "claim c50"), ("08/Slips of the articles > Its log", "claim c12")],
)
def test_a_vague_rewrite_does_not_pass(victim, question):
    vague = "It depends. Try it yourself, and be surprised."
    # Chapter 11 answers the first question, too, so its section goes the same way.
    also = "11/More than one machine > Train on several"
    rewritten = [
        cutting.Section(s.chapter, s.title, s.under, vague if s.name in (victim, also) else s.text, s.claims)
        for s in live()
    ]
    assert any(text.startswith(question) for text in complaints(found(rewritten)))


def test_a_renamed_section_is_named():
    renamed = [
        cutting.Section(
            s.chapter, "8 · More?" if s.name == "08/Would more labels pay?" else s.title, s.under, s.text, s.claims
        )
        for s in live()
    ]
    with pytest.raises(Exception, match="Would more labels pay"):
        found(renamed)


def test_what_is_accepted_was_found_once():
    assert set(ACCEPTED) <= {name for name, was in before().items() if was}
