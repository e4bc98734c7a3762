"""How good the answers are: over all, in the worst slice, and whether each class is answered at all."""

import dataclasses

import numpy as np

from course_utils.compare import scores
from course_utils.language import say
from course_utils.serving.gate.subject import IMAGES, Subject
from course_utils.serving.gate.verdicts import Exact, Measured, excerpt

LEAST_SLICE = 5  # examples: below this a slice says nothing
LEAST_CLASS = 10  # a class that half is found is never named in ten tries once in a thousand
MOST_VALUES = 20  # of a column: more is no column of slices
_QUARTERS = 4
_MOST_DRAWN = 20_000_000
_SOMETHING = 1e-9


@dataclasses.dataclass(frozen=True)
class Quality:
    """Macro-F1 with its bootstrap interval and accuracy with its exact one, against the target."""

    name: str = "quality"

    def run(self, subject: Subject) -> list[Measured]:
        """Both scores, and without a target what macro-F1 gains on always naming the commonest class."""
        labels, target, classes = subject.labels, subject.target, len(subject.class_names)
        answers = _real(subject.own_answers, labels, classes)
        n, right = len(labels), int((subject.own_answers == labels).sum())
        draws = _drawn(labels, classes)
        value, varied = scores.macro_f1(labels, answers, classes), draws.macro_f1(answers)
        wanted = target.min_macro_f1
        found = [
            Measured(self.name, say("macro-F1"), value, wanted, False, "share", n, Deviations(value, varied.std()))
        ]
        if wanted is None:
            dumb = np.full(n, np.bincount(labels, minlength=classes).argmax())
            gain = value - scores.macro_f1(labels, dumb, classes)
            spread = (varied - draws.macro_f1(dumb)).std()  # in the same draws, so a model that is dumb gains just 0
            what = say("what macro-F1 gains on the commonest class alone")
            ends = Deviations(gain, spread, least=-1.0)
            found.append(Measured(self.name, what, gain, _SOMETHING, False, "share", n, ends))
        accuracy = say("accuracy")
        return [
            *found,
            Measured(self.name, accuracy, right / n, target.min_accuracy, False, "share", n, Exact(right, n)),
        ]


def _real(answers: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Answers, those that are none (-1) as some class that is wrong."""
    return np.where(answers < 0, (labels + 1) % max(classes, 2), answers)


def _drawn(labels: np.ndarray, classes: int) -> scores.Draws:
    """The bootstrap's draws: a deviation needs no more than a thousand, and many labels much memory."""
    return scores.Draws.of(labels, classes, draws=max(200, min(1_000, _MOST_DRAWN // len(labels))))


@dataclasses.dataclass(frozen=True)
class Deviations:
    """The ends for a bootstrapped score: as many standard deviations as the chance of an error asks for.

    Percentiles of some draws end where a thousandth is asked for; a standard deviation does not. Approximate, unlike
    the ends of a share: of models exactly at their target, asked to refuse 0.23 %, macro-F1 refused 0.28 % on 400
    simulated examples of eight classes, and 1.5 % on 100.
    """

    value: float
    spread: float
    least: float = 0.0

    def __call__(self, alpha: float) -> tuple[float, float]:
        """The ends, each of which errs with about the chance ``alpha``."""
        from statistics import NormalDist

        reach = NormalDist().inv_cdf(1 - alpha) * float(self.spread)
        return max(self.least, self.value - reach), min(1.0, self.value + reach)


@dataclasses.dataclass(frozen=True)
class WorstSlice:
    """The share of right answers in each class, each value of each column, and each quarter of the lengths."""

    name: str = "worst slice"

    def run(self, subject: Subject) -> list[Measured]:
        """One measurement a slice; those of a column stand in the table as one line, its worst."""
        answers = subject.own_answers
        right = answers == subject.labels
        found = []
        for column, values in slices(subject).items():
            kept = [(value, rows) for value, rows in values.items() if len(rows) >= LEAST_SLICE]
            for value, rows in kept:
                found.append(self._measured(subject, column, value, rows, right, answers))
        return found or [Measured(self.name, "", missing=say("no slice has {n} examples or more.", n=LEAST_SLICE))]

    def _measured(
        self, subject: Subject, column: str, value: str, rows: np.ndarray, right: np.ndarray, answers: np.ndarray
    ) -> Measured:
        hits = int(right[rows].sum())
        example, limit = "", subject.target.min_slice
        wrong = rows[~right[rows]]
        if len(wrong):
            k = int(wrong[0])
            fields = {"answer": subject.named(int(answers[k])), "label": subject.class_names[subject.labels[k]]}
            example = (
                say("Image {row}: {answer}, and it is {label}.", row=k, **fields)
                if subject.kind == IMAGES
                else say("“{text}” {answer}, and it is {label}.", text=excerpt(subject.inputs[k])[0], **fields)
            )
        what = say("right answers where {column} is {value:.40}", column=column, value=value)
        name = say("{test} by {column}", test=self.name, column=column)
        return Measured(
            name, what, hits / len(rows), limit, False, "share", len(rows), Exact(hits, len(rows)), example, group=name
        )


@dataclasses.dataclass(frozen=True)
class EveryClass:
    """A class with ten examples or more is named at least once: a share of a slice would need many more to show it."""

    name: str = "classes never answered"

    def run(self, subject: Subject) -> Measured:
        """How many classes that occur are never answered."""
        classes = len(subject.class_names)
        there = np.bincount(subject.labels, minlength=classes)
        answers = subject.own_answers
        said = np.bincount(answers[answers >= 0], minlength=classes)
        never = np.flatnonzero((there >= LEAST_CLASS) & (said == 0))
        example = ""
        if len(never):
            name, n = subject.class_names[never[0]], int(there[never[0]])
            example = say(
                "{name} has {n} examples, and none of {total} answers names it.", name=name, n=n, total=len(answers)
            )
        return Measured(
            self.name, say("classes"), float(len(never)), 0.0, n=int((there >= LEAST_CLASS).sum()), example=example
        )


def slices(subject: Subject) -> dict[str, dict[str, np.ndarray]]:
    """Column → value → rows; the class, the columns of the data that are no free text, and the length of texts."""
    found = {say("class"): _by_value([subject.class_names[k] for k in subject.labels])}
    for column, values in subject.data.columns.items():
        values = [str(value).strip() or say("empty") for value in values]
        if 1 < len(set(values)) <= MOST_VALUES:
            found[column] = _by_value(values)
    if subject.kind != IMAGES:
        lengths = np.array([len(text) for text in subject.inputs])
        cuts = np.unique(np.quantile(lengths, np.arange(1, _QUARTERS) / _QUARTERS))
        quarter = np.searchsorted(cuts, lengths, side="left")
        names = [_range(lengths[quarter == k]) if (quarter == k).any() else "" for k in range(len(cuts) + 1)]
        found[say("length")] = _by_value([names[k] for k in quarter])
    return found


def _range(lengths: np.ndarray) -> str:
    return say("{least} to {most} characters", least=int(lengths.min()), most=int(lengths.max()))


def _by_value(values: list[str]) -> dict[str, np.ndarray]:
    held = np.array(values, dtype=object)
    return {value: np.flatnonzero(held == value) for value in dict.fromkeys(values)}
