"""What is wrong with the data, said before any model is judged by them."""

import collections
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from course_utils.compare import text_language
from course_utils.compare.candidates import MOST_SMALL, one_thread
from course_utils.compare.split import Split
from course_utils.data.finding import Finding, quoted
from course_utils.data.messages import LONG_CHARACTERS
from course_utils.language import say, say_many

FEW_TEST = 50
FEW_TRAIN = 10
UNBALANCED = 5
NOISE_MOST = 4_000  # messages that are looked at for wrong labels
DOUBTED = 0.1  # the probability below which a label is doubted
SHOWN = 25
LONG_UNITS = 750  # words: about what the windows of an encoder hold
_NAMED = 4


@dataclass(frozen=True)
class Suspect:
    """A message whose label a cross-validated model confidently contradicts."""

    where: str
    text: str
    label: str
    instead: str
    confidence: float


def language_problem(split: Split) -> str | None:
    """Why an encoder that was trained on English cannot be expected to help here, as a sentence; None where it may."""
    shares = text_language.scripts(split.train.texts)
    if shares["cjk"] > 1 / 3:
        return say(
            "{share:.0%} of the letters are Chinese, Japanese or Korean, and the encoder was trained on English: it "
            "knows few of these characters.",
            share=shares["cjk"],
        )
    if shares["other"] > 1 / 3:
        return say(
            "{share:.0%} of the letters are of another script than Latin, and the encoder was trained on English.",
            share=shares["other"],
        )
    return None


def look(split: Split, *, own_encoder: bool = False) -> list[Finding]:
    """Findings about the messages and their parts, on top of what reading the file brought (``split.findings``).

    With ``own_encoder`` nothing is said of what the course's encoder knows.
    """
    return [
        *split.findings,
        *_alike(split),
        *_classes(split),
        *_sizes(split),
        *_lengths(split),
        *_language(split, own_encoder),
    ]


def _few(items: Sequence[str], total: int | None = None) -> str:
    """The first of the items, and how many more there are; ``total``: of how many (default: all are in ``items``)."""
    total = len(items) if total is None else total
    first = "; ".join(items[:_NAMED])
    return first if total <= _NAMED else say("{first} and {n:,} more", first=first, n=total - _NAMED)


def _alike(split: Split) -> list[Finding]:
    whole, alike = split.all(), split.alike
    home = split.homes()
    homes = np.zeros((int(alike.groups.max()) + 1, 3), np.int64)  # how many messages of each part a group has
    np.add.at(homes, (alike.groups, home), 1)
    across = (homes > 0).sum(axis=1) > 1
    found = []
    leaked = int(homes[across, 2].sum())
    if across.any():
        shown = [(a, b) for a, b in alike.links if home[a] != home[b]]
        message = say_many(
            "Equal or nearly equal messages stand in different parts ({examples}): {n} test message ({share:.1%}) can "
            "be known by heart, and the figures below flatter.",
            "Equal or nearly equal messages stand in different parts ({examples}): {n:,} test messages ({share:.1%}) "
            "can be known by heart, and the figures below flatter.",
            leaked,
            examples=_few(
                [say("{a} and {b}", a=whole.where[a], b=whole.where[b]) for a, b in shown[:_NAMED]], len(shown)
            ),
            share=leaked / len(split.test),
        )
        found.append(Finding("leak between the parts", message))
    repeats = int(np.maximum(homes - 1, 0).sum())
    if repeats:
        message = say_many(
            "{n} message is nearly equal to another of its part; the two count as one message's worth of evidence.",
            "{n:,} messages are nearly equal to another of their part; they add no evidence of their own.",
            repeats,
        )
        found.append(Finding("near-duplicates", message))
    differing = [(a, b) for a, b in alike.links if whole.labels[a] != whole.labels[b]]
    if differing:
        named = [
            say(
                "{a} ({label}) and {b} ({other})",
                a=whole.where[a],
                b=whole.where[b],
                label=_name(split, whole.labels[a]),
                other=_name(split, whole.labels[b]),
            )
            for a, b in differing[:_NAMED]
        ]
        message = say_many(
            "{n} pair of nearly equal messages has different labels: {examples}.",
            "{n:,} pairs of nearly equal messages have different labels: {examples}.",
            len(differing),
            examples=_few(named, len(differing)),
        )
        found.append(Finding("conflicting labels", message))
    return found


def _name(split: Split, label: int) -> str:
    return quoted(split.class_names[label])[1:-1]


def _classes(split: Split) -> list[Finding]:
    found = []
    classes = len(split.class_names)
    names = [_name(split, k) for k in range(classes)]
    train = np.bincount(split.train.labels, minlength=classes)
    test = np.bincount(split.test.labels, minlength=classes)
    unseen = [name for name, a, b in zip(names, train, test, strict=True) if not a and b]
    if unseen:
        message = say_many(
            "{names}: no training example, but {n} test message. No candidate can find what it has never seen; it "
            "counts as a mistake.",
            "{names}: no training example, but {n:,} test messages. No candidate can find what it has never seen; "
            "these count as mistakes.",
            int(test[train == 0].sum()),
            names=_few(unseen),
        )
        found.append(Finding("class unseen in training", message))
    validation = np.bincount(split.validation.labels, minlength=classes)
    unjudged = [name for name, a, b in zip(names, validation, test, strict=True) if not (a and b)]
    if unjudged:
        message = say_many(
            "{names}: no message in validation or in the test, because there are too few or they are all alike. How "
            "well it is found is not known.",
            "{names}: no message in validation or in the test, because there are too few or they are all alike. How "
            "well these are found is not known.",
            len(unjudged),
            names=_few(unjudged),
        )
        found.append(Finding("class not judged", message))
    few = [f"{name} ({n})" for name, n in zip(names, train, strict=True) if 0 < n < FEW_TRAIN]
    if few:
        message = say(
            "Fewer than {least} training examples: {names}. Their recall is mostly luck.",
            least=FEW_TRAIN,
            names=_few(few),
        )
        found.append(Finding("small classes", message))
    present = train[train > 0]
    if present.max() >= UNBALANCED * present.min():
        message = say(
            "“{big}” has {most:,} training examples, “{small}” {least:,}. Accuracy and hours are decided by the large "
            "classes, macro-F1 counts every class the same. A small class that must not be missed is named with "
            "--must-find.",
            big=names[int(train.argmax())],
            most=int(present.max()),
            small=names[int(np.where(train > 0, train, train.max() + 1).argmin())],
            least=int(present.min()),
        )
        found.append(Finding("imbalance", message))
    return found


def _sizes(split: Split) -> list[Finding]:
    if len(split.test) >= FEW_TEST and len(split.held) >= FEW_TEST:
        return []
    message = say(
        "Test messages: {test:,}; validation messages: {validation:,}. The intervals are wide, and another draw could "
        "turn the order round. Take the recommendation as a guess until you have more labelled messages.",
        test=len(split.test),
        validation=len(split.held),
    )
    return [Finding("few messages", message)]


def _lengths(split: Split) -> list[Finding]:
    whole = split.all()
    found = []
    long = [where for text, where in zip(whole.texts, whole.where, strict=True) if len(text) > LONG_CHARACTERS]
    if long and not any(one.kind == "very long message" for one in split.findings):
        message = say(
            "{where}: more than {most:,} characters; models read the beginning only.",
            where=_few(long),
            most=LONG_CHARACTERS,
        )
        found.append(Finding("very long message", message))
    # A word is two characters at least, with its space; what lies behind that is not counted.
    cut = sum(len(text_language.units(text)) > LONG_UNITS for text in whole.texts)
    if cut > 0.01 * len(whole):
        message = say(
            "{cut:,} of {total:,} messages ({share:.1%}) have more than {words} words: an encoder reads about that far "
            "(eight windows), the small network at most {most:,} words, TF-IDF all of it.",
            cut=cut,
            total=len(whole),
            words=LONG_UNITS,
            share=cut / len(whole),
            most=MOST_SMALL,
        )
        found.append(Finding("long messages", message))
    return found


def _language(split: Split, own_encoder: bool) -> list[Finding]:
    if own_encoder:
        return []
    problem = language_problem(split)
    if problem:
        cut = [say("Words are cut by character.")] if split.language == "zh" else []
        return [Finding("language", " ".join([problem, *cut]))]
    if not text_language.have_words(split.train.texts):
        message = say(
            "More than half of the messages have no word of two letters: emoji or signs, say. They are cut by "
            "character, and the encoder, which was trained on English, knows few of these."
        )
        return [Finding("language", message)]
    share = text_language.english(split.train.texts)
    if share < 0.2:
        message = say(
            "Only {share:.0%} of the words are common English ones (in English it is about 40 %). The encoder was "
            "trained on English; in another language it helps less than its size suggests.",
            share=share,
        )
        return [Finding("language", message)]
    return []


def by_time(split: Split, seed: int = 0) -> list[Finding]:
    """What it means that the test has the newest messages: TF-IDF on them, and on as many drawn at random."""
    if not split.by_time:
        return []
    from course_utils.compare.scores import macro_f1
    from course_utils.recipes.text import tfidf

    whole, classes, count = split.all(), len(split.class_names), len(split.test)
    random = np.random.default_rng(seed)
    first_rows = random.permutation(split.alike.groups)  # groups of equal messages go to one side
    drawn: list[int] = []
    for group in dict.fromkeys(first_rows.tolist()):
        if len(drawn) < count:
            drawn += np.flatnonzero(split.alike.groups == group).tolist()
    newest = np.arange(len(whole) - count, len(whole))
    found = []
    for tested in (newest, np.array(drawn)):
        rest = np.setdiff1d(np.arange(len(whole)), tested)
        rest = np.sort(random.permutation(rest)[:NOISE_MOST])
        if len(np.unique(whole.labels[rest])) < 2:
            return []
        with one_thread():
            model = tfidf(split.language).fit([whole.texts[i][:LONG_CHARACTERS] for i in rest], whole.labels[rest])
            said = model.predict([whole.texts[i][:LONG_CHARACTERS] for i in tested])
        found.append(macro_f1(whole.labels[tested], said, classes))
    message = say(
        "The test has the newest messages. TF-IDF’s macro-F1 is {newest:.3f} on them and {drawn:.3f} on as many drawn "
        "at random from all: what a split by chance would have promised beyond what the next months give.",
        newest=found[0],
        drawn=found[1],
    )
    return [Finding("split by time", message)]


def suspects(split: Split, seed: int = 0) -> tuple[list[Suspect], int]:
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

    whole = split.all()
    counts = np.bincount(whole.labels, minlength=len(split.class_names))
    rows = np.flatnonzero(counts[whole.labels] >= 5)
    if len(rows) > NOISE_MOST:
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:NOISE_MOST])
        counts = np.bincount(whole.labels[rows], minlength=len(split.class_names))
        rows = rows[counts[whole.labels[rows]] >= 5]
    labels = whole.labels[rows]
    if len(np.unique(labels)) < 2:
        return [], 0
    texts = [whole.texts[i][:LONG_CHARACTERS] for i in rows]
    by_character = split.language == "zh" or not text_language.have_words(texts)
    cut = {"analyzer": "char", "ngram_range": (1, 2)} if by_character else {}
    # On a few thousand sparse rows newton-cg is some eight times as fast as the default, with the same result.
    head = LogisticRegression(C=10, class_weight="balanced", solver="newton-cg")
    model = make_pipeline(TfidfVectorizer(sublinear_tf=True, **cut), head)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
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
            split.class_names[labels[i]],
            split.class_names[known[said[i]]],
            float(shares[i, said[i]]),
        )
        for i in flagged[np.argsort(-gap[flagged], kind="stable")]
    ]
    return found, len(rows)


def noise(found: list[Suspect], looked_at: int) -> list[Finding]:
    """The finding about wrong labels; none where nothing is suspicious."""
    if not found:
        return []
    message = say_many(
        "{n} message of {total:,} reads like another class than its label says ({where}). Look at it first: a wrong "
        "label costs every candidate.",
        "{n:,} messages of {total:,} read like another class than their label says ({where}). Look at them first: a "
        "wrong label costs every candidate.",
        len(found),
        total=looked_at,
        where=_few([one.where for one in found]),
    )
    (label, instead), times = collections.Counter((one.label, one.instead) for one in found).most_common(1)[0]
    often = []
    if times > 1:
        often = [
            say(
                "Most often {label} reads like {instead} ({times} times).",
                label=quoted(label),
                instead=quoted(instead),
                times=times,
            )
        ]
    return [Finding("possible wrong labels", " ".join([message, *often]))]
