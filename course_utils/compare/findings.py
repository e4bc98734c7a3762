"""What is wrong with the data, said before any model is judged by them."""

import collections
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from course_utils.compare import alike
from course_utils.compare.candidates import one_thread
from course_utils.compare.parts import NAMES, Parts
from course_utils.data.messages import LONG_CHARACTERS, Finding

FEW_TEST = 50
FEW_TRAIN = 10
UNBALANCED = 5
NOISE_MOST = 4_000  # messages that are looked at for wrong labels
DOUBTED = 0.1  # the probability below which a label is doubted
SHOWN = 25
LONG_UNITS = 128


@dataclass(frozen=True)
class Suspect:
    """A message whose label a cross-validated model confidently contradicts."""

    where: str
    text: str
    label: str
    instead: str
    confidence: float


def language_problem(parts: Parts) -> str | None:
    """Why an encoder that was trained on English cannot be expected to help here; None where it may."""
    shares = alike.scripts(parts.train.texts)
    if shares["cjk"] > 1 / 3:
        return (
            f"{shares['cjk']:.0%} of the letters are Chinese, Japanese or Korean, and the encoder was trained on "
            "English: it knows few of these characters"
        )
    if shares["other"] > 1 / 3:
        return (
            f"{shares['other']:.0%} of the letters are of another script than Latin, and the encoder was trained on "
            "English"
        )
    return None


def look(parts: Parts) -> list[Finding]:
    """Findings about the messages and their parts, on top of what reading the file brought (``parts.findings``)."""
    return [
        *parts.findings,
        *_alike(parts),
        *_classes(parts),
        *_sizes(parts),
        *_lengths(parts),
        *_language(parts),
    ]


def _few(items: Sequence[str], most: int = 4) -> str:
    more = f" and {len(items) - most:,} more" if len(items) > most else ""
    return "; ".join(items[:most]) + more


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _alike(parts: Parts) -> list[Finding]:
    whole = parts.all()
    home = np.repeat(np.arange(3), [len(getattr(parts, name)) for name in NAMES])
    across, inside, conflicting = [], 0, []
    for a, b in alike.pairs(whole.texts):
        if home[a] != home[b]:
            across.append((a, b))
        else:
            inside += 1
        if whole.labels[a] != whole.labels[b]:
            conflicting.append((a, b))
    found = []
    if across:
        leaked = {i for pair in across for i in pair if home[i] == 2}
        shown = [f"{whole.where[a]} and {whole.where[b]}" for a, b in across]
        message = (
            f"{_count(len(across), 'pair')} of messages in different parts {'is' if len(across) == 1 else 'are'} equal "
            f"or nearly so ({_few(shown)}): {_count(len(leaked), 'test message')} "
            f"({len(leaked) / len(parts.test):.1%}) can be known by heart, and the figures below flatter."
        )
        found.append(Finding("leak between the parts", message))
    if inside:
        message = (
            f"{_count(inside, 'pair')} of nearly equal messages within one part; they count as one message's worth of "
            "evidence, not two."
        )
        found.append(Finding("near-duplicates", message))
    if conflicting:
        shown = [
            f"{whole.where[a]} ({parts.class_names[whole.labels[a]]}) and {whole.where[b]} "
            f"({parts.class_names[whole.labels[b]]})"
            for a, b in conflicting
        ]
        message = f"{_count(len(conflicting), 'pair')} of nearly equal messages with different labels: {_few(shown)}."
        found.append(Finding("conflicting labels", message))
    return found


def _classes(parts: Parts) -> list[Finding]:
    found = []
    classes = len(parts.class_names)
    train = np.bincount(parts.train.labels, minlength=classes)
    test = np.bincount(parts.test.labels, minlength=classes)
    unseen = [name for name, a, b in zip(parts.class_names, train, test, strict=True) if not a and b]
    if unseen:
        message = (
            f"{', '.join(unseen)}: no training example, but {_count(int(test[train == 0].sum()), 'test message')}. "
            "No candidate can find what it has never seen; these count as mistakes."
        )
        found.append(Finding("class unseen in training", message))
    few = [f"{name} ({n})" for name, n in zip(parts.class_names, train, strict=True) if 0 < n < FEW_TRAIN]
    if few:
        message = f"Fewer than {FEW_TRAIN} training examples: {', '.join(few)}. Their recall is mostly luck."
        found.append(Finding("small classes", message))
    present = train[train > 0]
    if present.max() >= UNBALANCED * present.min():
        big, small = (
            parts.class_names[int(train.argmax())],
            parts.class_names[int(np.where(train > 0, train, train.max() + 1).argmin())],
        )
        message = (
            f"“{big}” has {present.max():,} training examples, “{small}” {present.min():,}. Accuracy is decided by the "
            "large classes; macro-F1, which counts every class the same, is what the recommendation goes by."
        )
        found.append(Finding("imbalance", message))
    return found


def _sizes(parts: Parts) -> list[Finding]:
    if len(parts.test) >= FEW_TEST and len(parts.validation) >= FEW_TEST:
        return []
    message = (
        f"The test has {_count(len(parts.test), 'message')} and validation {len(parts.validation):,}: the intervals "
        "are wide, and another draw could turn the order round. Take the recommendation as a guess until you have more "
        "labelled messages."
    )
    return [Finding("few messages", message)]


def _lengths(parts: Parts) -> list[Finding]:
    whole = parts.all()
    found = []
    long = [where for text, where in zip(whole.texts, whole.where, strict=True) if len(text) > LONG_CHARACTERS]
    if long and not any(one.kind == "very long message" for one in parts.findings):
        message = f"{_few(long)}: more than {LONG_CHARACTERS:,} characters; models read the beginning only."
        found.append(Finding("very long message", message))
    # A word is two characters at least, with its space; what lies behind that is not counted.
    cut = sum(len(alike.units(text)) > LONG_UNITS for text in whole.texts)
    if cut > 0.01 * len(whole):
        message = (
            f"{cut:,} of {len(whole):,} messages have more than {LONG_UNITS} words; the networks read that far only, "
            "TF-IDF reads all of it."
        )
        found.append(Finding("long messages", message))
    return found


def _language(parts: Parts) -> list[Finding]:
    problem = language_problem(parts)
    if problem:
        words = " Words are cut by character." if parts.language == "zh" else ""
        return [Finding("language", f"{problem[0].upper()}{problem[1:]}.{words}")]
    share = alike.english(parts.train.texts)
    if share < 0.2:
        message = (
            f"Only {share:.0%} of the words are common English ones (in English it is about 40 %). The encoder was "
            "trained on English; in another language it helps less than its size suggests."
        )
        return [Finding("language", message)]
    return []


def suspects(parts: Parts, seed: int = 0) -> tuple[list[Suspect], int]:
    """The messages most likely to have a wrong label, the surest first, and how many messages were looked at.

    A TF-IDF model judges every message in five-fold cross-validation, so never one that it learnt from. Suspicious is a
    message whose label it gives less than 10 %, and which it puts into another class at least as surely as it puts that
    class's own messages there on average (confident learning: C. Northcutt, L. Jiang and I. Chuang (2021), Journal of
    Artificial Intelligence Research 70). Of 50 labels changed in the course's 1,000 tickets it finds 27, among 41.
    A place to look, no proof: hard messages are on the list as well.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    whole = parts.all()
    counts = np.bincount(whole.labels, minlength=len(parts.class_names))
    rows = np.flatnonzero(counts[whole.labels] >= 5)
    if len(rows) > NOISE_MOST:
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:NOISE_MOST])
        counts = np.bincount(whole.labels[rows], minlength=len(parts.class_names))
        rows = rows[counts[whole.labels[rows]] >= 5]
    labels = whole.labels[rows]
    if len(np.unique(labels)) < 2:
        return [], 0
    cut = {"analyzer": "char", "ngram_range": (1, 2)} if parts.language == "zh" else {}
    # On a few thousand sparse rows newton-cg is some eight times as fast as the default, with the same result.
    head = LogisticRegression(C=10, class_weight="balanced", solver="newton-cg")
    model = make_pipeline(TfidfVectorizer(sublinear_tf=True, **cut), head)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    texts = [whole.texts[i][:LONG_CHARACTERS] for i in rows]
    known, places = np.unique(labels, return_inverse=True)
    with one_thread():
        shares = cross_val_predict(model, texts, places, cv=folds, method="predict_proba")
    usual = np.array([shares[places == k, k].mean() for k in range(len(known))])
    said = shares.argmax(axis=1)
    everyone = np.arange(len(rows))
    gap = shares[everyone, said] - shares[everyone, places]
    sure = (shares[everyone, said] >= usual[said]) & (shares[everyone, places] < DOUBTED)
    flagged = np.flatnonzero((said != places) & sure)
    found = [
        Suspect(
            whole.where[rows[i]],
            whole.texts[rows[i]],
            parts.class_names[labels[i]],
            parts.class_names[known[said[i]]],
            float(shares[i, said[i]]),
        )
        for i in flagged[np.argsort(-gap[flagged], kind="stable")]
    ]
    return found, len(rows)


def noise(found: list[Suspect], looked_at: int) -> list[Finding]:
    """The finding about wrong labels; none where nothing is suspicious."""
    if not found:
        return []
    swaps = collections.Counter((one.label, one.instead) for one in found).most_common(1)[0]
    often = f" Most often “{swaps[0][0]}” reads like “{swaps[0][1]}” ({swaps[1]} times)." if swaps[1] > 1 else ""
    message = (
        f"{_count(len(found), 'message')} of {looked_at:,} read like another class than their label says "
        f"({_few([one.where for one in found])}). Look at them first: a wrong label costs every candidate.{often}"
    )
    return [Finding("possible wrong labels", message)]
