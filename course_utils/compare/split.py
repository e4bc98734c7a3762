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
RULE = (
    "Split by chance within each class: 30 % of the messages for the test and 20 % for validation (2,000 each at "
    "most), the rest for training. Equal and nearly equal messages stay together in one part; "
    "where they are too many for that, in training."
)
NAMES = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Part:
    """Texts, their labels int (n,), and where each comes from ("line 17", "test row 3")."""

    texts: list[str]
    labels: np.ndarray
    where: list[str]

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True, eq=False)
class Split:
    """What is compared on: three parts, the classes, and how the parts came about.

    ``alike`` says which messages are nearly the same, in the order of `all`.
    """

    name: str
    train: Part
    validation: Part
    test: Part
    class_names: tuple[str, ...]
    language: str
    rule: str
    alike: Alike
    findings: tuple[Finding, ...] = ()

    @functools.cached_property
    def fingerprint(self) -> str:
        """A hash of the messages, their labels and their parts."""
        each = {name: getattr(self, name) for name in NAMES}
        return fingerprint(
            {
                "classes": self.class_names,
                "language": self.language,
                **{name: [part.texts, part.labels.tolist()] for name, part in each.items()},
            }
        )

    def all(self) -> Part:
        """The three parts in one."""
        three = [getattr(self, name) for name in NAMES]
        return Part(
            [text for part in three for text in part.texts],
            np.concatenate([part.labels for part in three]),
            [where for part in three for where in part.where],
        )


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
    alike = near_duplicates.search([text for name in NAMES for text in parts[name].texts])
    return Split(
        data.name,
        **parts,
        class_names=tuple(data.class_names),
        language=data.language,
        rule=say("As published."),
        alike=alike,
        findings=tuple(alike.findings()),
    )


def of_csv(data: OwnData, seed: int = 0) -> Split:
    """A file's messages, split by RULE. Raises CourseError where they are too few, or too much alike."""
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
    chosen = draw(labels, alike.groups, len(number), seed)
    parts = {
        name: Part([texts[i] for i in rows], labels[rows], [say("line {line}", line=lines[i]) for i in rows])
        for name, rows in chosen.items()
    }
    for name in ("validation", "test"):
        present = np.unique(parts[name].labels)
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
        **parts,
        class_names=data.class_names,
        language=text_language.language(texts),
        rule=say(RULE),
        alike=alike.reordered(np.concatenate([chosen[name] for name in NAMES])),
        findings=(*data.findings, *alike.findings()),
    )


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


def draw(labels: np.ndarray, groups: np.ndarray, classes: int, seed: int) -> dict[str, np.ndarray]:
    """Rows of train, validation and test: by chance within each class, groups kept whole.

    Training has an example of every class, the test too where a class has two groups, validation where it has three.
    Groups that are larger than a class's share of validation go to training, and the shares are taken of the others.
    """
    random = np.random.default_rng(seed)
    members = collections.defaultdict(list)
    for row, group in enumerate(groups):
        members[group].append(row)
    factor = {name: min(share, MOST_JUDGED / len(labels)) for name, share in SHARES.items()}
    chosen: dict[str, list[int]] = {name: [] for name in NAMES}
    by_class = collections.defaultdict(list)
    for rows in members.values():
        by_class[labels[rows[0]]].append(rows)
    for k in range(classes):
        own = by_class[k]
        own = [own[i] for i in random.permutation(len(own))]
        # The largest group goes to training, so that a class of two groups has something to learn from.
        own.sort(key=len)
        order = [own[i] for i in random.permutation(len(own) - 1)] + own[-1:] if own else []
        count = _shared_out([len(rows) for rows in own], factor["validation"])
        for name, least in (("test", 2), ("validation", 3)):
            wanted = max(1, round(factor[name] * count)) if len(own) >= least else 0
            keep = 2 if name == "test" and len(own) > 2 else 1  # groups that the parts to come need
            taken = 0
            # Small groups only: one that is larger than what is wanted would make a part of a single message's worth.
            while taken < wanted and len(order) > keep:
                at = next((i for i, rows in enumerate(order[:-1]) if len(rows) <= wanted), 0)
                rows = order.pop(at)
                chosen[name] += rows
                taken += len(rows)
        for rows in order:
            chosen["train"] += rows
    return {name: np.sort(np.array(rows, dtype=np.int64)) for name, rows in chosen.items()}
