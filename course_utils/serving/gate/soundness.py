"""Whether the answers are probabilities at all, also for odd inputs, and the same ones in whatever company."""

import dataclasses

import numpy as np

from course_utils.language import say
from course_utils.serving.gate.subject import IMAGES, SIDE, ModelFailed, Subject
from course_utils.serving.gate.verdicts import Measured, excerpt

SUM_WITHIN = 1e-3  # a float16 has three digits
SAME_WITHIN = 1e-3  # float32 moves by 1e-6 with the shape of a batch; numbers scaled by the batch (int8) by 1e-2
ALONE = 48  # examples that are asked one by one
ODD_TEXTS = (
    "",
    " ",
    "\n\t",
    "?",
    "0",
    "a",
    "x" * 20_000,
    "word " * 3_000,
    "😀👩‍👩‍👧",
    "שלום עולם",
    "你好",
    "\u0000\u200b",
    "e\u0301" * 50,
)


@dataclasses.dataclass(frozen=True)
class Probabilities:
    """Every answer is finite, between 0 and 1, and sums to 1; also those to odd inputs, and asked twice the same."""

    name: str = "probabilities"

    def run(self, subject: Subject) -> list[Measured]:
        """What is wrong with the numbers, for the examples and for odd inputs."""
        odd = odd_inputs(subject)
        found = [self._looked_at(subject, subject.own, subject.inputs, say("rows that are none"))]
        try:
            shares = subject.predict_proba(odd)
            found.append(self._looked_at(subject, shares, odd, say("rows that are none, for odd inputs")))
        except ModelFailed as error:
            why = say("to odd inputs (an empty one, a long one, another script) {why}", why=str(error))
            found.append(Measured(self.name, "", refused=why))
        rows = subject.sample(ALONE)
        again = subject.predict_proba(_taken(subject, rows))
        moved = furthest(subject.predict_proba(_taken(subject, rows)), again)[1]
        what = say("largest difference when asked the same twice")
        return [*found, Measured("asked twice", what, moved, SAME_WITHIN, n=len(rows))]

    def _looked_at(self, subject: Subject, shares: np.ndarray, inputs: object, what: str) -> Measured:
        with np.errstate(invalid="ignore"):
            sums = shares.sum(axis=1)
            good = np.isfinite(shares).all(axis=1) & (shares >= -1e-6).all(axis=1) & (shares <= 1 + 1e-6).all(axis=1)
            good &= np.abs(sums - 1) <= SUM_WITHIN
        example = ""
        if not good.all():
            k = int((~good).argmax())
            example = say(
                "Example {row} has the numbers {numbers}, with the sum {sum:.4g}.",
                row=k,
                numbers="[" + ", ".join(f"{one:.3g}" for one in shares[k][:8]) + "]",
                sum=sums[k],
            )
        return Measured(self.name, what, float((~good).sum()), 0.0, n=len(good), example=example)


@dataclasses.dataclass(frozen=True)
class InABatch:
    """An example gets alone what it gets among others, in whatever order."""

    name: str = "alone and in a batch"

    def run(self, subject: Subject) -> Measured:
        """The largest difference of probabilities between alone, among others, and among the same turned round."""
        rows = subject.sample(ALONE)
        alone = np.concatenate([subject.predict_proba(_taken(subject, rows[k : k + 1])) for k in range(len(rows))])
        together = subject.own[rows]
        turned = subject.predict_proba(_taken(subject, rows[::-1]))[::-1]
        far = [furthest(alone, one) for one in (together, turned)]
        k, moved = max(far, key=lambda one: one[1])
        example = ""
        if moved > SAME_WITHIN:
            other = together if far[0][1] >= far[1][1] else turned
            column = int(np.nan_to_num(np.abs(alone[k] - other[k]), nan=9).argmax())
            shown = "" if subject.kind == IMAGES else excerpt(subject.inputs[rows[k]])[0]
            fields = {"name": subject.class_names[column], "p": alone[k, column], "q": other[k, column]}
            example = (
                say("Image {row}: p({name}) = {p:.3f} alone, {q:.3f} among others.", row=int(rows[k]), **fields)
                if subject.kind == IMAGES
                else say("“{text}” p({name}) = {p:.3f} alone, {q:.3f} among others.", text=shown, **fields)
            )
        what = say("largest difference of probabilities")
        return Measured(self.name, what, moved, SAME_WITHIN, n=len(rows), example=example)


def odd_inputs(subject: Subject) -> object:
    """Inputs that nobody means and somebody sends."""
    if subject.kind != IMAGES:
        return list(ODD_TEXTS)
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE))
    dot = np.zeros((SIDE, SIDE))
    dot[0, 0] = 255
    return np.stack([np.zeros((SIDE, SIDE)), np.full((SIDE, SIDE), 255), noise, dot]).astype(np.uint8)


def _taken(subject: Subject, rows: np.ndarray) -> object:
    return subject.inputs[rows] if subject.kind == IMAGES else [subject.inputs[row] for row in rows]


def furthest(first: np.ndarray, second: np.ndarray) -> tuple[int, float]:
    """The row in which two tables of probabilities (n, classes) differ most, and by how much.

    Where only one has a number the difference is 1, where none has, 0.
    """
    with np.errstate(invalid="ignore"):
        gaps = np.abs(first - second)
    both = np.isnan(first) & np.isnan(second) | (first == second)
    gaps = np.where(both, 0.0, np.where(np.isfinite(gaps), gaps, 1.0))
    row = int(gaps.max(axis=1).argmax())
    return row, float(gaps[row].max())
