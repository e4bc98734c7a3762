"""What is tried: a model with labelled examples. Every test asks the model through it, so that it can rely on answers.

A model that raises, or answers with another shape than it should, becomes `ModelFailed` here, and a refusal in the
report, whatever it raised.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from course_utils.bundles.models import decision_of, to_person
from course_utils.errors import CourseError, near_misses
from course_utils.language import say
from course_utils.serving.gate.target import Target

IMAGES, TEXTS = "images", "texts"
SIDE = 28
NOBODY = -1  # the answer where the probabilities are no numbers


class ModelFailed(Exception):
    """The model raised, or gave something that is no table of probabilities; the message is one sentence."""


@dataclasses.dataclass(frozen=True, eq=False)
class Data:
    """Labelled examples: texts, or images uint8 (n, 28, 28); labels are names of classes.

    ``columns`` are further facts on each, by name (channel, language), which become slices; ``name`` says where the
    examples come from, and ``notes`` what was left out of them, in sentences.
    """

    inputs: Sequence[str] | np.ndarray
    labels: Sequence[str]
    columns: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    name: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        odd = [name for name, values in self.columns.items() if len(values) != len(self.labels)]
        if len(self.inputs) != len(self.labels) or odd:
            raise CourseError(
                say(
                    "The gate needs as many labels and facts as examples; it got {inputs:,} examples, {labels:,} "
                    "labels and columns of {columns}.",
                    inputs=len(self.inputs),
                    labels=len(self.labels),
                    columns=[len(values) for values in self.columns.values()],
                )
            )
        if not len(self.labels):
            raise CourseError(say("The gate needs at least one labelled example; it got none."))

    def __len__(self) -> int:
        return len(self.labels)


class Subject:
    """A model under test: its answers, the examples, the target, and the folder that it came from, if any."""

    def __init__(
        self, model: Any, data: Data, target: Target, *, bundle: Path | None = None, against: Any = None
    ) -> None:
        self.model, self.data, self.target, self.bundle, self.against = model, data, target, bundle, against
        self.class_names: tuple[str, ...] = tuple(model.class_names)
        self.kind: str = getattr(model, "inputs", TEXTS)
        self.language: str = getattr(model, "language", "en")
        self.labels = self._numbers(data.labels)
        self.inputs = self._checked(data.inputs)
        self._own: np.ndarray | None = None

    def predict_proba(self, inputs: Any) -> np.ndarray:
        """Texts or images → probabilities, float64 (n, classes). Raises ModelFailed."""
        return ask(self.model, inputs, len(self.class_names))

    def answers(self, inputs: Any) -> np.ndarray:
        """Texts or images → the number of the likeliest class of each, int (n,); -1 where the numbers are none."""
        return likeliest(self.predict_proba(inputs))

    @property
    def own(self) -> np.ndarray:
        """The probabilities of the examples themselves, asked for once."""
        if self._own is None:
            self._own = self.predict_proba(self.inputs)
        return self._own

    @property
    def own_answers(self) -> np.ndarray:
        """The answers to the examples themselves, int (n,)."""
        return likeliest(self.own)

    def to_person(self, shares: np.ndarray) -> np.ndarray:
        """Which of these probabilities, (n, classes), the model leaves to a person, bool (n,)."""
        return to_person(shares, *decision_of(self.model))

    def named(self, answer: int) -> str:
        """The name of an answer."""
        return say("no number") if answer == NOBODY else self.class_names[answer]

    def sample(self, most: int) -> np.ndarray:
        """The rows of at most ``most`` examples, int, in order; drawn, and the same ones each time."""
        rows = np.random.default_rng(0).permutation(len(self.data))[:most]
        return np.sort(rows)

    def _numbers(self, labels: Sequence[str]) -> np.ndarray:
        numbers = {name: number for number, name in enumerate(self.class_names)}
        unknown = next((str(one) for one in labels if str(one) not in numbers), None)
        if unknown is not None:
            raise CourseError(
                say(
                    "The examples have the label {label!r}, which is no class of the model. Correct the label, leave "
                    "its rows out, or train the model on it.",
                    label=unknown,
                )
                + near_misses(unknown, list(self.class_names))
            )
        return np.array([numbers[str(one)] for one in labels])

    def _checked(self, inputs: Any) -> Any:
        if self.kind == IMAGES:
            images = np.asarray(inputs)
            if images.dtype != np.uint8 or images.shape[1:] != (SIDE, SIDE):
                raise CourseError(
                    say(
                        "This model takes images, uint8 (n, 28, 28); the examples are {dtype} {shape}.",
                        dtype=str(images.dtype),
                        shape=images.shape,
                    )
                )
            return images
        wrong = next((one for one in inputs if not isinstance(one, str)), None)
        if wrong is not None:
            raise CourseError(say("This model takes texts; an example is a {kind}.", kind=type(wrong).__name__))
        return [str(one) for one in inputs]


def ask(model: Any, inputs: Any, classes: int) -> np.ndarray:
    """A model's probabilities, float64 (n, classes), checked for their shape. Raises ModelFailed."""
    try:
        shares = np.asarray(model.predict_proba(inputs), np.float64)
    except Exception as error:
        raise ModelFailed(
            say("the model raised {kind}: {why:.200}.", kind=type(error).__name__, why=str(error).removesuffix("."))
        ) from error
    if shares.shape != (len(inputs), classes):
        raise ModelFailed(
            say(
                "the model gave an array of shape {found} for {n:,} examples of {classes} classes.",
                found=shares.shape,
                n=len(inputs),
                classes=classes,
            )
        )
    return shares


def likeliest(shares: np.ndarray) -> np.ndarray:
    """Probabilities (n, classes) → the number of the largest, int (n,); -1 in rows with something that is no number."""
    whole = np.isfinite(shares).all(axis=1)
    return np.where(whole, np.where(whole[:, None], shares, 0).argmax(axis=1), NOBODY)
