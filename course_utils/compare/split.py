"""The messages in three parts: those of a text set as they come, those of a CSV file by a stated rule."""

import collections
import functools
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils.compare import near_duplicates, text_language
from course_utils.compare.near_duplicates import Alike
from course_utils.data.finding import Finding, left_out, some
from course_utils.data.messages import OwnData
from course_utils.errors import CourseError
from course_utils.language import say

if TYPE_CHECKING:
    from course_utils.data.text import TextData

LEAST_ROWS = 30
SHARES = {"test": 0.3, "validation": 0.2}
MOST_JUDGED = 2_000  # rows of test and of validation: more would narrow the intervals little and cost much time
FEW_LABELS = 2_000  # outside the test: up to here a single validation part would be too small to choose by
SPLITS = (1, 3, 5)
NAMES = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Part:
    """Texts, their labels int (n,), and where each comes from ("line 17", "test row 3")."""

    texts: list[str]
    labels: np.ndarray
    where: list[str]

    def __len__(self) -> int:
        return len(self.texts)

    def rows(self, chosen: np.ndarray) -> "Part":
        """Some of it."""
        return Part([self.texts[i] for i in chosen], self.labels[chosen], [self.where[i] for i in chosen])


@dataclass(frozen=True, eq=False)
class Split:
    """What is compared on: the messages outside the test, those of the test, the classes, and how it came about.

    ``folds`` are rows of ``outside``: in each single split a model learns from all others and is asked for these, so
    that each is asked once at most. ``alike`` says which messages are nearly the same, in the order of `all`.
    """

    name: str
    outside: Part
    test: Part
    folds: tuple[np.ndarray, ...]
    class_names: tuple[str, ...]
    language: str
    rule: str
    alike: Alike
    findings: tuple[Finding, ...] = ()
    by_time: bool = False  # the test has the newest messages

    @functools.cached_property
    def fingerprint(self) -> str:
        """A hash of the messages, their labels and their parts."""
        return fingerprint(
            {
                "classes": self.class_names,
                "language": self.language,
                "outside": [self.outside.texts, self.outside.labels.tolist()],
                "folds": [rows.tolist() for rows in self.folds],
                "test": [self.test.texts, self.test.labels.tolist()],
            }
        )

    @functools.cached_property
    def held(self) -> np.ndarray:
        """The rows of ``outside`` that are validated, split by split."""
        return np.concatenate(self.folds)

    def learnt_from(self, fold: int) -> np.ndarray:
        """The rows of ``outside`` that a model learns from in one split."""
        return np.setdiff1d(np.arange(len(self.outside)), self.folds[fold])

    @functools.cached_property
    def train(self) -> Part:
        """What a model learns from in the first split."""
        return self.outside.rows(self.learnt_from(0))

    @functools.cached_property
    def validation(self) -> Part:
        """All messages that models are asked for, and that they have not learnt from, when one is chosen."""
        return self.outside.rows(self.held)

    def all(self) -> Part:
        """Everything in one: outside the test, then the test."""
        return Part(
            self.outside.texts + self.test.texts,
            np.concatenate([self.outside.labels, self.test.labels]),
            self.outside.where + self.test.where,
        )

    def homes(self) -> np.ndarray:
        """Which part each message of `all` stands in, int (n,): 0 learnt from, 1 validated (in the first split), 2."""
        home = np.zeros(len(self.outside) + len(self.test), np.int64)
        home[self.folds[0]] = 1
        home[len(self.outside) :] = 2
        return home

    def sizes(self) -> dict[str, int]:
        """How many messages each part has."""
        return {"train": len(self.train), "validation": len(self.held), "test": len(self.test)}


def fingerprint(content: Any) -> str:
    """A hash of anything that JSON can say."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("utf-8")).hexdigest()


def of_text_data(data: "TextData") -> Split:
    """The parts of a text set, unchanged. Raises CourseError where one is empty or has a single class."""
    parts = {}
    for name in NAMES:
        part = getattr(data, name)
        where = [say("{part} row {row}", part=name, row=row) for row in range(1, len(part) + 1)]
        if "id" in part.frame:
            where = [f"{one} ({known})" for one, known in zip(where, part.frame["id"], strict=True)]
        parts[name] = Part(part.texts, np.asarray(part.labels), where)
        if not len(part):
            raise CourseError(
                say(
                    "{data} has no messages in its part {part}; a comparison needs all three parts.",
                    data=data.name,
                    part=name,
                )
            )
        if len(np.unique(parts[name].labels)) < 2:
            raise CourseError(
                say(
                    "{data} has a single class in its part {part}; sorting messages needs two at least in each.",
                    data=data.name,
                    part=name,
                )
            )
    train, validation = parts["train"], parts["validation"]
    outside = Part(
        train.texts + validation.texts,
        np.concatenate([train.labels, validation.labels]),
        train.where + validation.where,
    )
    alike = near_duplicates.search(outside.texts + parts["test"].texts)
    return Split(
        data.name,
        outside,
        parts["test"],
        (np.arange(len(train), len(outside)),),
        class_names=tuple(data.class_names),
        language=data.language,
        rule=say("As published."),
        alike=alike,
        findings=tuple(alike.findings()),
    )


def of_csv(data: OwnData, seed: int = 0, splits: int | None = None) -> Split:
    """A file's messages: some for the test, all others to learn from and to choose by, in ``splits`` single splits.

    Left out, ``splits`` is 3 for up to 2,000 messages outside the test, else 1. Where the data have times, the newest
    messages are the test. Raises CourseError where the messages are too few, or too much alike.
    """
    texts, lines = data.frame["text"].tolist(), data.frame["line"].tolist()
    number = {name: k for k, name in enumerate(data.class_names)}
    labels = data.frame["label"].map(number).to_numpy(dtype=np.int64)
    if len(texts) < LEAST_ROWS:
        said = say(
            "{data} has {n} usable messages in {classes} classes; a comparison needs {least} at least, and 300 or more "
            "to tell much. Collect more messages.",
            data=data.name,
            n=len(texts),
            classes=len(number),
            least=LEAST_ROWS,
        )
        raise CourseError(" ".join(filter(None, [said, left_out(data.findings)])))
    alike = near_duplicates.search(texts)
    if splits is None:
        splits = 3 if len(texts) * (1 - SHARES["test"]) <= FEW_LABELS else 1
    newest = None
    if "time" in data.frame:
        count = min(MOST_JUDGED, max(1, round(SHARES["test"] * len(texts))))
        newest = np.sort(np.argsort(data.frame["time"].to_numpy(), kind="stable")[-count:])
    drawn = draw(labels, alike.groups, len(number), seed, splits, test=newest)
    whole = Part(texts, labels, [say("line {line}", line=line) for line in lines])
    outside = np.setdiff1d(np.arange(len(texts)), drawn["test"])
    folds = tuple(np.searchsorted(outside, rows) for rows in drawn["folds"])
    parts = {"validation": np.concatenate(drawn["folds"]), "test": drawn["test"]}
    for name, rows in parts.items():
        present = np.unique(labels[rows])
        if len(present) < 2:
            absent = [one for k, one in enumerate(data.class_names) if k not in present]
            said = say(
                "{data}: no message of {names} is left for the part {part}, because nearly all of them are alike or "
                "too few, so nothing could be told apart there. Collect more and more different messages.",
                data=data.name,
                names=some(absent),
                part=name,
            )
            raise CourseError(" ".join(filter(None, [said, left_out(data.findings)])))
    return Split(
        data.name,
        whole.rows(outside),
        whole.rows(drawn["test"]),
        tuple(rows for rows in folds if len(rows)),
        class_names=data.class_names,
        language=text_language.language(texts),
        rule=rule(splits, by_time=newest is not None),
        by_time=newest is not None,
        alike=alike.reordered(np.concatenate([outside, drawn["test"]])),
        findings=(*data.findings, *alike.findings()),
    )


def rule(splits: int, *, by_time: bool = False) -> str:
    """How a file is split, in words."""
    together = say(
        "Equal and nearly equal messages stay together in one part; where they are too many for that, in training."
    )
    if splits == 1:
        said = say(
            "Split by chance within each class: 30 % of the messages for the test and 20 % to choose by (2,000 each at "
            "most), the rest to learn from."
        )
    else:
        said = say(
            "Split by chance within each class: 30 % of the messages for the test. The others are shared out to "
            "{splits} parts, and each is predicted by models that learnt from the others: that is what the choice goes "
            "by.",
            splits=splits,
        )
    if by_time:
        newest = say("The newest 30 % of the messages (2,000 at most) are the test, whatever their class. All else:")
        said = f"{newest} {said}"
    return " ".join([said, together])


def _shared_out(sizes: list[int], share: float) -> int:
    """How many messages of a class are shared out: those of groups that are no larger than validation's share of them.

    ``sizes`` rise. A group of thousands of equal notices would otherwise take all others to the test.
    """
    count = sum(sizes)
    for k in range(len(sizes) - 1, 0, -1):
        if sizes[k] <= max(1, share * count):
            break
        count -= sizes[k]
    return count


def draw(
    labels: np.ndarray,
    groups: np.ndarray,
    classes: int,
    seed: int,
    splits: int = 1,
    *,
    test: np.ndarray | None = None,
) -> dict[str, Any]:
    """Rows of the "test" and of each of the "folds": by chance within each class, groups kept whole.

    Whatever is in neither is learnt from in every split. Training has an example of every class, the test too where a
    class has two groups, the folds where it has three. Groups that are larger than a class's share of a fold are only
    learnt from, and the shares are taken of the others. ``test`` rows that are given are the test.
    """
    random = np.random.default_rng(seed)
    members = collections.defaultdict(list)
    given = set() if test is None else set(test.tolist())
    for row, group in enumerate(groups):
        if row not in given:
            members[group].append(row)
    factor = {name: min(share, MOST_JUDGED / len(labels)) for name, share in SHARES.items()}
    tested: list[int] = [] if test is None else test.tolist()
    folds: list[list[int]] = [[] for _ in range(splits)]
    by_class = collections.defaultdict(list)
    for rows in members.values():
        by_class[labels[rows[0]]].append(rows)
    for k in range(classes):
        own = by_class[k]
        own = [own[i] for i in random.permutation(len(own))]
        # The largest group is learnt from, so that a class of two groups has something to learn from.
        own.sort(key=len)
        order = [own[i] for i in random.permutation(len(own) - 1)] + own[-1:] if own else []
        count = _shared_out([len(rows) for rows in own], factor["validation"])
        if len(own) >= 2 and test is None:
            _take(order, tested, max(1, round(factor["test"] * count)), 2 if len(own) > 2 else 1)
        if splits == 1 and len(own) >= 3:
            _take(order, folds[0], max(1, round(factor["validation"] * count)), 1)
        elif splits > 1:
            _deal(order, folds, random)
    return {
        "test": np.sort(np.array(tested, dtype=np.int64)),
        "folds": [np.sort(np.array(rows, dtype=np.int64)) for rows in folds],
    }


def _take(order: list[list[int]], part: list[int], wanted: int, keep: int) -> None:
    """Move groups of ``order`` to a part, ``wanted`` messages or a few more, so that ``keep`` groups are left."""
    taken = 0
    # Small groups only: one that is larger than what is wanted would make a part of a single message's worth.
    while taken < wanted and len(order) > keep:
        at = next((i for i, rows in enumerate(order[:-1]) if len(rows) <= wanted), 0)
        rows = order.pop(at)
        part += rows
        taken += len(rows)


def _deal(order: list[list[int]], folds: list[list[int]], random: np.random.Generator) -> None:
    """Share a class's groups out to the folds, as evenly as they allow; too large ones, and a single one, to none."""
    sizes = sorted(map(len, order))
    fits = _shared_out(sizes, 1 / len(folds)) if sizes else 0
    small = sorted(order, key=len)
    while small and sum(map(len, small)) > fits:
        small.pop()
    if len(order) < 2:
        return
    own = [0] * len(folds)
    start = int(random.integers(len(folds)))
    for rows in reversed(small):
        fold = min(range(len(folds)), key=lambda k: (own[k], (k - start) % len(folds)))
        folds[fold] += rows
        own[fold] += len(rows)
