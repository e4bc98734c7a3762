"""Tests of behaviour: invariance, direction, minimum functionality.

After M. T. Ribeiro, T. Wu, C. Guestrin and S. Singh (2020), Beyond accuracy: behavioral testing of NLP models with
CheckList, ACL.

A test is anything with a ``name`` and ``run(subject) -> Measured`` (or several); these are three kinds of it.
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import numpy as np

from course_utils.errors import CourseError, near_misses
from course_utils.language import say
from course_utils.serving.gate import image_changes, text_changes
from course_utils.serving.gate.subject import IMAGES, Subject, likeliest
from course_utils.serving.gate.verdicts import Measured, excerpt, share

MOST = 400  # texts on which a change is tried: an encoder takes ten milliseconds for each, and there are eight names
MOST_IMAGES = 2_000  # some ten microseconds each
MUST = ("not fall", "not rise", "rise", "fall")


class Test(Protocol):
    """What the gate runs; write one of your own with these two and it stands in the same table."""

    __test__ = False  # not one of pytest's
    name: str

    def run(self, subject: Subject) -> Measured | Iterable[Measured]:
        """Ask ``subject`` (its ``inputs``, ``labels``, ``answers(…)``, ``predict_proba(…)``) and say what came out."""


@dataclasses.dataclass(frozen=True)
class Invariance:
    """An example and its changed form must get one answer: ``Invariance("euro", lambda t: t.replace("€", "EUR"))``.

    ``change`` takes an example and gives another, or a list of others that must all get the answer of the first form;
    ``base`` makes that first form (by default the example as it is). ``allowed`` is the share of examples whose answer
    may change. Examples that the change leaves as they are do not count. Where the model leaves both forms to a person
    (its threshold and limits say so), nothing changes.
    """

    name: str
    change: Callable[[Any], Any]
    allowed: float = 0.05
    base: Callable[[Any], Any] | None = None
    most: int = MOST

    def run(self, subject: Subject) -> Measured:
        """The share of examples whose answer changes."""
        befores, afters, owners = [], [], []
        for row in subject.sample(self.most):
            example = subject.inputs[row]
            before = self.base(example) if self.base else example
            changed = self.change(example)
            for after in changed if isinstance(changed, list | tuple) else [changed]:
                if not np.array_equal(after, before):
                    afters.append(after)
                    owners.append(len(befores))
            if owners and owners[-1] == len(befores):
                befores.append((row, before))
        what = say("answers that change")
        if not befores:
            return Measured(self.name, what, missing=say("it changes none of these examples."))
        before = subject.predict_proba(_together(subject, [one for _, one in befores]))
        after = subject.predict_proba(_together(subject, afters))
        differs = likeliest(after) != likeliest(before)[owners]
        differs &= ~(subject.to_person(after) & subject.to_person(before)[owners])
        failed = np.zeros(len(befores), bool)
        np.logical_or.at(failed, owners, differs)
        example = ""
        if differs.any():
            worst = _most_telling(differs, owners, before, after)
            row, shown = befores[owners[worst]]
            example = pair(subject, int(row), shown, before[owners[worst]], afters[worst], after[worst])
        limit = subject.target.max_changed if subject.target.max_changed is not None else self.allowed
        return share(self.name, failed, allowed=limit, what=what, example=example)


def _together(subject: Subject, inputs: list) -> Any:
    return np.stack(inputs) if subject.kind == IMAGES else inputs


def _most_telling(differs: np.ndarray, owners: list[int], before: np.ndarray, after: np.ndarray) -> int:
    """The changed example that was surest before and after: no case on the border, where anything tips."""
    sure = np.nan_to_num(before.max(axis=1)[owners]) + np.nan_to_num(after.max(axis=1))
    return int(np.where(differs, sure, -1).argmax())


def pair(subject: Subject, row: int, before: Any, was: np.ndarray, after: Any, now: np.ndarray) -> str:
    """An example before and after, with its answers, as a sentence."""
    a, b = (int(likeliest(one[None])[0]) for one in (was, now))
    fields = {
        "was": subject.named(a),
        "now": subject.named(b),
        "p": float(was[a]) if a >= 0 else float("nan"),
        "q": float(now[b]) if b >= 0 else float("nan"),
    }
    if subject.kind == IMAGES:
        return say("Image {row}: {was} ({p:.2f}) → {now} ({q:.2f}).", row=row, **fields)
    first, second = excerpt(before, after)
    return say("“{first}” {was} ({p:.2f}) → “{second}” {now} ({q:.2f}).", first=first, second=second, **fields)


@dataclasses.dataclass(frozen=True)
class Direction:
    """An added sentence must move the probability of a class as it should, or at least not against it.

    Either ``add`` is put behind (or, with ``front``, before) every example, or ``pairs`` has rows (before, after).
    ``must`` is one of "not fall", "not rise", "rise", "fall"; ``by`` is how far the probability may move against it,
    or has to move with it (where less than that is left, to the end). ``allowed``: the share of examples that may fail.
    """

    name: str
    class_name: str
    add: str = ""
    must: str = "not fall"
    by: float = 0.05
    pairs: Sequence[tuple[str, str]] = ()
    allowed: float = 0.05
    front: bool = False
    most: int = MOST

    def __post_init__(self) -> None:
        if self.must not in MUST:
            raise CourseError(
                say("{name}: must is {must!r}; expected: {known}.", name=self.name, must=self.must, known=list(MUST))
            )
        if bool(self.add.strip()) == bool(self.pairs):
            raise CourseError(
                say("{name}: give either add, a sentence, or pairs, rows of (before, after).", name=self.name)
            )

    def run(self, subject: Subject) -> Measured:
        """The share of examples in which the probability of the class goes the wrong way."""
        column = class_number(subject, self.class_name, self.name)
        befores, afters = self._rows(subject)
        before, after = subject.predict_proba(befores), subject.predict_proba(afters)
        failed = self._wrong(before[:, column], after[:, column])
        what = say("p({name}) that does not do what it must ({must})", name=self.class_name, must=self.must)
        example = ""
        if failed.any():
            moved = np.nan_to_num(np.abs(after[:, column] - before[:, column]), nan=2.0)
            against = moved if self.must.startswith("not") else -moved
            k = int(np.where(failed, against, -9).argmax())
            first, second = excerpt(befores[k], afters[k])
            example = say(
                "“{first}” p({name}) = {p:.2f} → “{second}” {q:.2f}.",
                first=first,
                second=second,
                name=self.class_name,
                p=before[k, column],
                q=after[k, column],
            )
        if self.pairs:  # chosen, not drawn: there is nothing to infer from them, and each counts
            return chosen(self.name, what, failed, self.allowed, example)
        return share(self.name, failed, allowed=self.allowed, what=what, example=example)

    def _rows(self, subject: Subject) -> tuple[list[str], list[str]]:
        if self.pairs:
            return [before for before, _ in self.pairs], [after for _, after in self.pairs]
        texts = [subject.inputs[row] for row in subject.sample(self.most)]
        return texts, [f"{self.add} {text}" if self.front else f"{text} {self.add}" for text in texts]

    def _wrong(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Which rows fail; a probability that is no number fails."""
        if self.must in ("not rise", "fall"):  # the same, looked at from the other side
            before, after = 1 - before, 1 - after
        if self.must.startswith("not"):
            return ~(after >= before - self.by)
        return ~(after >= np.minimum(before + self.by, np.maximum(before, 1 - self.by)))


@dataclasses.dataclass(frozen=True)
class Minimum:
    """Examples, (text or image, name of its class), that any model must get right; each one that fails refuses."""

    name: str
    examples: Sequence[tuple[Any, str]]
    allowed: float = 0.0

    def __post_init__(self) -> None:
        if not len(self.examples):
            raise CourseError(say("{name}: minimum functionality needs one example at least.", name=self.name))

    def run(self, subject: Subject) -> Measured:
        """The share of the examples that are answered wrongly."""
        wanted = np.array([class_number(subject, label, self.name) for _, label in self.examples])
        inputs = _together(subject, [one for one, _ in self.examples])
        shares = subject.predict_proba(inputs)
        answers = likeliest(shares)
        failed = answers != wanted
        example = ""
        if failed.any():
            k = int(failed.argmax())
            fields = {"answer": subject.named(int(answers[k])), "label": subject.class_names[wanted[k]]}
            example = (
                say("Image {row}: {answer}, and it is {label}.", row=k, **fields)
                if subject.kind == IMAGES
                else say("“{text}” {answer}, and it is {label}.", text=excerpt(inputs[k])[0], **fields)
            )
        return chosen(self.name, say("wrong answers to what any model must know"), failed, self.allowed, example)


def chosen(test: str, what: str, failed: np.ndarray, allowed: float, example: str) -> Measured:
    """A share among examples that somebody chose: exact, since they stand for nothing but themselves."""
    said = say("{what} ({count} of {n})", what=what, count=int(failed.sum()), n=len(failed))
    return Measured(test, said, float(failed.mean()), allowed, True, "share", len(failed), None, example)


def class_number(subject: Subject, name: str, test: str) -> int:
    """The number of a class. Raises CourseError where the model has none of that name."""
    if name not in subject.class_names:
        known = list(subject.class_names)
        raise CourseError(
            say("{test}: {name!r} is no class of the model.", test=test, name=name) + near_misses(name, known)
        )
    return subject.class_names.index(name)


def of_texts(language: str = "en") -> tuple[Test, ...]:
    """The invariances of texts. 2 % may change where a reader sees no other message, 5 % where words are added or a
    letter is out of place."""
    return (
        Invariance("lower case", str.lower, 0.02),
        Invariance("upper case", str.upper, 0.02),
        Invariance("blanks and signs at the end", text_changes.ended, 0.02),
        Invariance("accents dropped", text_changes.without_accents, 0.02),
        Invariance("a greeting in front", lambda text: text_changes.greeted(text, language), 0.05),
        Invariance("one typo", text_changes.swapped, 0.05),
        Invariance(
            "another person's name",
            lambda text: text_changes.signed(text, language)[1:],
            0.05,
            base=lambda text: text_changes.signed(text, language)[0],
        ),
    )


def of_images() -> tuple[Test, ...]:
    """The invariances of digits. 2 % may change where an eye hardly sees a difference, 5 % where it does."""
    return (
        Invariance("one pixel aside", lambda image: image_changes.shifted(image, 1), 0.02, most=MOST_IMAGES),
        Invariance("two pixels aside", lambda image: image_changes.shifted(image, 2), 0.05, most=MOST_IMAGES),
        Invariance("dimmer", image_changes.dimmed, 0.02, most=MOST_IMAGES),
        Invariance("a grey scan", image_changes.brightened, 0.02, most=MOST_IMAGES),
        Invariance("a little noise", image_changes.noisy, 0.02, most=MOST_IMAGES),
        Invariance("thicker strokes", image_changes.thickened, 0.05, most=MOST_IMAGES),
    )
