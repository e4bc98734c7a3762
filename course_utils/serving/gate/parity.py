"""Whether a model still answers as another does: the network it was exported from, or the bundle in service."""

import dataclasses
from typing import Any

import numpy as np

from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.serving.gate.soundness import furthest
from course_utils.serving.gate.subject import IMAGES, Subject, ask, likeliest
from course_utils.serving.gate.verdicts import Measured, excerpt, share


@dataclasses.dataclass(frozen=True)
class Parity:
    """The largest difference of probabilities between two models on the examples, and the share of other answers.

    ``other`` has ``class_names`` (the same ones, in any order) and ``predict_proba``; by default what `check` was given
    as ``against``.
    """

    name: str = "parity"
    other: Any = None

    def run(self, subject: Subject) -> list[Measured]:
        """Both, against the target. Raises CourseError for a model with other classes."""
        other = self.other if self.other is not None else subject.against
        names = tuple(other.class_names)
        if sorted(names) != sorted(subject.class_names):
            raise CourseError(
                say(
                    "{test} needs two models with the same classes; one has {mine}, the other {theirs}.",
                    test=self.name,
                    mine=", ".join(subject.class_names),
                    theirs=", ".join(names),
                )
            )
        theirs = ask(other, subject.inputs, len(names))[:, [names.index(name) for name in subject.class_names]]
        mine = subject.own
        row, gap = furthest(mine, theirs)
        example = _both(subject, row, theirs[row], mine[row]) if gap else ""
        largest = say("largest difference of probabilities")
        differs = likeliest(mine) != likeliest(theirs)
        shown = ""
        if differs.any():
            k = int(np.flatnonzero(differs)[0])
            shown = _both(subject, k, theirs[k], mine[k])
        return [
            Measured(self.name, largest, gap, subject.target.max_difference, n=len(mine), example=example),
            share(self.name, differs, allowed=subject.target.max_differing, what=say("other answers"), example=shown),
        ]


def _both(subject: Subject, row: int, theirs: np.ndarray, mine: np.ndarray) -> str:
    """What both say to an example, of the class in which they are furthest apart."""
    k = int(np.nan_to_num(np.abs(mine - theirs), nan=9).argmax())
    fields = {"name": subject.class_names[k], "p": float(theirs[k]), "q": float(mine[k])}
    if subject.kind == IMAGES:
        return say("Image {row}: p({name}) = {p:.6f} in the other, {q:.6f} here.", row=row, **fields)
    text = excerpt(subject.inputs[row])[0]
    return say("“{text}” p({name}) = {p:.6f} in the other, {q:.6f} here.", text=text, **fields)
