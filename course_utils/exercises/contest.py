"""The contest of exercise 07-4: digits from a careless scanner, read by what a function trains in the articles' time.

``run`` clocks the articles' program, clocks the learner's function, and measures what it trained on the test part as
the scanner delivers it; ``validation`` gives the validation part so, to choose by.
"""

import dataclasses
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from course_utils.console import plain
from course_utils.errors import CourseError
from course_utils.exercises import calling
from course_utils.exercises.comparing import name_of
from course_utils.exercises.printing import Printed
from course_utils.language import say
from course_utils.recipes import mnist
from course_utils.runtime import check_profile

if TYPE_CHECKING:
    import keras

TURN, MOVE = 30.0, 4.0  # the scanner turns a digit by at most so many degrees, and moves it by at most so many pixels
PATIENCE = 3  # a training function is stopped after this many times the limit
_MEASURED = object()  # what `run` marks its results with


@dataclasses.dataclass(frozen=True)
class Rules:
    """What a profile's contest is held on: the data set, the parts to train on, the accuracy to reach on its test part,
    and the articles' number of epochs."""

    data: str
    parts: tuple[str, ...]
    target: float
    epochs: int


# The solution lies above the target; the recipe, with as many epochs as it likes, and the articles' program lie far
# below it, because neither has seen a turned digit (tests/exercises/test_contest.py).
RULES = {
    "quick": Rules("digits", ("train",), 0.92, 16),
    "full": Rules("mnist", ("train", "validation"), 0.985, 10),  # the articles train on all 60,000
}


@dataclasses.dataclass(frozen=True)
class Contest:
    """What `run` measured: ``accuracy`` (0 to 1) on the ``n`` images of the test part of ``data`` as scanned,
    ``seconds`` of training, ``limit`` (the articles' seconds), ``target`` (to be reached) and the ``profile``."""

    data: str
    accuracy: float
    n: int
    seconds: float
    limit: float
    target: float
    profile: str
    _mark: object = dataclasses.field(default=None, init=False, repr=False, compare=False)

    @property
    def measured(self) -> bool:
        """Whether `run` made this, in this kernel, and not a hand."""
        return self._mark is _MEASURED

    @property
    def accurate(self) -> bool:
        """Whether the target is reached."""
        return self.accuracy >= self.target

    @property
    def in_time(self) -> bool:
        """Whether training took no longer than the articles' program."""
        return self.seconds <= self.limit

    @property
    def missing(self) -> int:
        """How many more images of the test part must be read right; 0 when the target is reached."""
        return max(0, math.ceil(self.target * self.n - 1e-6) - round(self.accuracy * self.n))

    def __str__(self) -> str:
        """The line for the leaderboard: "0.9962 in 88 s of 121 s (mnist)"."""
        digits = 0 if self.limit >= 20 else 1
        return f"{self.accuracy:.4f} in {self.seconds:.{digits}f} s of {self.limit:.{digits}f} s ({self.data})"


def run(
    train: Callable[[np.ndarray, np.ndarray], "keras.Model"], *, profile: str = "quick", seed: int = 0
) -> Contest | None:
    """Hold the contest: measure the articles' own time, then ``train`` by the clock, then its model's test accuracy.

    ``train(images, labels)`` gets images, uint8 (n, 28, 28) from 0 to 255, and their labels, int64 (n,): the training
    part of scikit-learn's digits where ``profile`` is "quick", all 60,000 of MNIST's training file where it is "full".
    It returns a Keras model that takes (m, 28, 28, 1), 0 to 255, and gives (m, 10): the largest is the answer. What is
    trained on is straight and in the middle; what is read comes from the scanner (see `validation`).

    The limit in seconds: in full ten times one epoch of the articles' program (the second, so that preparing the
    computation is left out), in quick its 16 whole epochs. Seeds ``random``, NumPy and Keras.

    None, with nothing measured, while ``train`` is still the stub. Raises CourseError for a ``train`` that raises,
    takes more than three times the limit (it is stopped), or returns anything but such a model.
    """
    rules = _rules(profile)
    if not callable(train) or isinstance(train, type):
        raise CourseError(
            say(
                "contest.run was given {name}; expected: your function train(images, labels). Pass it by its name, "
                "without parentheses: contest.run(train, profile=course.profile).",
                name=name_of(train),
            )
        )
    if calling.is_stub(train):
        return None

    import keras

    from course_utils import data

    digits = data.load(rules.data)
    images, labels = (
        np.concatenate([getattr(getattr(digits, part), field) for part in rules.parts])
        for field in ("images", "labels")
    )
    print(say("The articles' program is clocked …"), flush=True)
    limit = _seconds_of_the_article(images, labels, profile, seed)
    print(say("It takes {limit} s here. Now yours …", limit=f"{limit:.{0 if limit >= 20 else 1}f}"), flush=True)
    keras.utils.set_random_seed(seed)
    model, seconds = _clocked(train, images, labels, limit)
    scanned = _scanned(digits.test.images, seed=1)
    accuracy = float((_answers(model, scanned, limit) == digits.test.labels).mean())
    contest = Contest(rules.data, accuracy, len(digits.test), seconds, limit, rules.target, profile)
    object.__setattr__(contest, "_mark", _MEASURED)
    return contest


def validation(profile: str = "quick") -> tuple[np.ndarray, np.ndarray]:
    """The validation part as the scanner delivers it: images, uint8 (n, 28, 28), and their labels.

    Each digit is turned by up to 30 degrees and moved by up to four pixels, either way, at random and always alike.
    """
    from course_utils import data

    part = data.load(_rules(profile).data).validation
    return _scanned(part.images, seed=2), part.labels.copy()


def _rules(profile: str) -> Rules:
    check_profile(profile)
    return RULES[profile]


def _scanned(images: np.ndarray, seed: int) -> np.ndarray:
    """Each image turned about its middle and moved, at random; what enters is paper."""
    from scipy import ndimage

    random, middle = np.random.default_rng(seed), (np.array(images.shape[1:]) - 1) / 2
    out = np.empty_like(images)
    for i, image in enumerate(images):
        angle = np.deg2rad(random.uniform(-TURN, TURN))
        matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        offset = middle - matrix @ (middle + random.uniform(-MOVE, MOVE, 2))
        turned = ndimage.affine_transform(image.astype("float32"), matrix, offset, order=1)
        out[i] = turned.round().clip(0, 255)
    return out


def _seconds_of_the_article(images: np.ndarray, labels: np.ndarray, profile: str, seed: int) -> float:
    """How long the articles' program takes here: see `run`."""
    recipe = dataclasses.replace(mnist.ARTICLE, epochs=RULES[profile].epochs)
    if profile == "quick":
        began = time.perf_counter()
        mnist.train(images, labels, recipe, seed=seed)
        return time.perf_counter() - began

    import keras

    class Clock(keras.callbacks.Callback):
        seconds = math.nan

        def on_epoch_begin(self, epoch, logs=None):
            self.began = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            self.seconds = time.perf_counter() - self.began

    # As in mnist.train; both epochs in one call of fit, which prepares the data once.
    model = keras.Sequential([keras.layers.Input((*images.shape[1:], 1)), *mnist.pooling_network()])
    model.compile(keras.optimizers.Adam(1e-3), "categorical_crossentropy", metrics=["accuracy"])
    pixels, targets = images[..., None] / 255.0, keras.utils.to_categorical(labels, 10)
    clock = Clock()
    model.fit(pixels, targets, batch_size=recipe.batch, epochs=2, verbose=0, callbacks=[clock])
    return recipe.epochs * clock.seconds


def _clocked(train: Callable, images: np.ndarray, labels: np.ndarray, limit: float) -> tuple["keras.Model", float]:
    """Call ``train`` and say how many seconds it took; CourseError unless it returns a Keras model in time."""
    import keras

    clock = []

    def work():
        clock.append(time.perf_counter())
        model = train(images, labels)
        clock.append(time.perf_counter())
        return model

    printed = Printed(lines=1_000, characters=5_000_000, displays=100)  # a bar moves in a line, thousands of times
    outcome = calling.call(work, seconds=PATIENCE * limit, printed=printed)
    printed.say_the_rest()
    if outcome.kind == "expired":
        template = (
            "Your train took more than {stopped:.1f} s, {times} times the articles' {limit:.1f} s, and was stopped. "
            "Expected is at most the articles' time: begin with few epochs and watch the clock."
        )
        if outcome.unstoppable:
            template = (
                "Your train took more than {stopped:.1f} s, {times} times the articles' {limit:.1f} s. It could not be "
                "stopped and still runs: restart the kernel. Expected is at most the articles' time: begin with few "
                "epochs and watch the clock."
            )
        raise CourseError(say(template, stopped=PATIENCE * limit, times=PATIENCE, limit=limit))
    if outcome.kind == "error":
        template = (
            "Your train raised an error: {error}. Call train(digits.train.images, digits.train.labels) yourself, in a "
            "cell of its own, to see all of it."
        )
        where, source = outcome.line
        if where:
            template = (
                "Your train raised an error at {where}: {error}. Call train(digits.train.images, digits.train.labels) "
                "yourself, in a cell of its own, to see all of it."
            )
        if source:
            where = f"{where} ({source})"
        raise CourseError(say(template, where=where, error=plain(outcome.error)))
    if outcome.value is None:
        template = "Your train returned nothing (is a return missing?); expected: a trained Keras model."
        raise CourseError(say(template))
    if not isinstance(outcome.value, keras.Model):
        template = "Your train returned {name}; expected: a trained Keras model. End it with return model."
        raise CourseError(say(template, name=name_of(outcome.value)))
    return outcome.value, clock[1] - clock[0]


def _answers(model: "keras.Model", images: np.ndarray, limit: float) -> np.ndarray:
    """The class the model answers for each image, int (n,); CourseError where it gives no (n, 10) finite numbers."""
    outcome = calling.call(
        lambda: model.predict(images[..., None], batch_size=500, verbose=0), seconds=PATIENCE * limit
    )
    if outcome.kind == "expired":
        template = (
            "Your model had not answered {n:,} images after {seconds:.0f} s; expected: less time than training may "
            "take. Make the network smaller, or ask it fewer times for each image."
        )
        raise CourseError(say(template, n=len(images), seconds=PATIENCE * limit))
    if outcome.kind == "error":
        template = (
            "Your model cannot read the test images; expected: a model that takes (n, 28, 28, 1), pixels from 0 to "
            "255, and gives (n, 10). It raised {error}"
        )
        raise CourseError(say(template, error=plain(outcome.error)))
    shape = getattr(outcome.value, "shape", None)
    if shape != (len(images), 10):
        template = (
            "Your model gives {name} of shape {shape} for {n:,} images; expected: a model that takes (n, 28, 28, 1), "
            "pixels from 0 to 255, and gives (n, 10)."
        )
        raise CourseError(say(template, name=name_of(outcome.value), shape=shape, n=len(images)))
    outputs = np.asarray(outcome.value, dtype=np.float64)
    if not np.isfinite(outputs).all():
        raise CourseError(
            say(
                "Your model's outputs are not all numbers (NaN or infinite); expected: ten finite numbers an image. "
                "The training probably diverged: lower the peak of the learning rate, or climb to it more slowly."
            )
        )
    return outputs.argmax(axis=1)
