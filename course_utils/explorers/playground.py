"""A small dense network that learns while you watch: data, depth, width, activation and learning rate are yours.

The mathematics is chapter 03's, which derives it in the open; here it is written for speed, and a test holds the two
together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from course_utils import figures
from course_utils.errors import CourseError
from course_utils.explorers.scene import Layer, Line, Panel, Picture, Points, Scene, Text, as_figure, known, paragraph
from course_utils.language import say, say_many

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from course_utils.explorers.stage import Event, Stage

REACH = 1.25  # the plane shown: from −REACH to REACH both ways
STEPS_A_FRAME = 30
STEPS_A_RUN = 3_000  # training stops by itself after so many
POINTS = 200  # to train on, and as many others for validation
LOST = 1e4  # a loss above this has left every bound
MOMENTUM = 0.9
DATA = ("circles", "exclusive or", "spirals", "two blobs")
ACTIVATIONS = ("tanh", "relu", "sigmoid", "linear")
RATES = (0.0, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 1000.0)
DECAYS = {"none": 0.0, "0.0001": 0.0001, "0.001": 0.001, "0.01": 0.01, "0.1": 0.1}


def data_labels() -> dict[str, str]:
    """The names in `DATA` → what a reader sees."""
    return {
        "circles": say("circles"),
        "exclusive or": say("exclusive or"),
        "spirals": say("spirals"),
        "two blobs": say("two blobs"),
    }


def activation_labels() -> dict[str, str]:
    """The names in `ACTIVATIONS` → what a reader sees."""
    return {"tanh": say("tanh"), "relu": say("relu"), "sigmoid": say("sigmoid"), "linear": say("linear")}


def decay_labels() -> dict[str, str]:
    """The names in `DECAYS` → what a reader sees: numbers, but for the first."""
    return {name: name for name in DECAYS} | {"none": say("none")}


# ------------------------------------------------------------------------------------------------------------- the data


def points(data: str, n: int, noise: float, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """n points (n, 2) of two kinds (n,); ``noise`` is the standard deviation of what is added to each coordinate."""
    kind = np.arange(n) % 2
    if data == "circles":
        radius, angle = np.where(kind, 0.75, 0.0) + random.uniform(0, 0.4, n), random.uniform(0, 2 * np.pi, n)
        place = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    elif data == "exclusive or":
        place = random.uniform(0.08, 1, (n, 2)) * np.where(random.uniform(size=(n, 1)) < 0.5, -1, 1)
        place[:, 1] *= np.where(kind, -1, 1)
    elif data == "spirals":
        radius = np.sqrt(random.uniform(0.03, 1, n))
        angle = 2.5 * np.pi * radius + np.pi * kind
        place = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    else:
        place = np.where(kind[:, None], 0.5, -0.5) + 0.15 * random.normal(size=(n, 2))
    return place + noise * random.normal(size=(n, 2)), kind


# ---------------------------------------------------------------------------------------------------------- the network


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return (1 + np.tanh(z / 2)) / 2


def _activate(z: np.ndarray, activation: str) -> np.ndarray:
    if activation == "tanh":
        return np.tanh(z)
    if activation == "relu":
        return np.maximum(z, 0)
    return _sigmoid(z) if activation == "sigmoid" else z


def _slope(a: np.ndarray, activation: str) -> np.ndarray | float:
    """The slope of the activation, from its value: nothing has to be computed twice."""
    if activation == "tanh":
        return 1 - a * a
    if activation == "relu":
        return a > 0
    return a * (1 - a) if activation == "sigmoid" else 1.0


def first_parameters(widths: Sequence[int], activation: str, random: np.random.Generator) -> list[np.ndarray]:
    """W and b of each layer in turn: variance 2 / inputs before ReLU, else 1 / inputs; biases zero."""
    scale = 2 if activation == "relu" else 1
    made = []
    for inputs, outputs in pairwise(widths):
        made += [random.normal(size=(inputs, outputs)) * np.sqrt(scale / inputs), np.zeros(outputs)]
    return made


def values(x: np.ndarray, parameters: Sequence[np.ndarray], activation: str) -> list[np.ndarray]:
    """What each layer gives for the inputs x (n, 2), these first; the last are logits (n, 2)."""
    found = [x]
    last = len(parameters) - 2
    for i in range(0, len(parameters), 2):
        z = found[-1] @ parameters[i] + parameters[i + 1]
        found.append(z if i == last else _activate(z, activation))
    return found


def loss_of(logits: np.ndarray, kind: np.ndarray) -> float:
    """The mean cross-entropy of logits (n, 2) and kinds (n,); large, never infinite, where they are large."""
    margin = (logits[:, 1] - logits[:, 0]) * np.where(kind, 1, -1)
    return float(np.logaddexp(0, -margin).mean())


def gradients(
    x: np.ndarray, wanted: np.ndarray, parameters: Sequence[np.ndarray], activation: str
) -> tuple[float, list[np.ndarray]]:
    """The loss and its gradient by each of the parameters; ``x`` is (n, 2), ``wanted`` (n, 2) of zeros and ones."""
    found = values(x, parameters, activation)
    logits = found[-1]
    loss = loss_of(logits, wanted[:, 1])
    p = _sigmoid(logits[:, 1] - logits[:, 0])
    delta = (np.stack([1 - p, p], axis=1) - wanted) / len(x)
    result: list[np.ndarray] = [np.empty(0)] * len(parameters)
    for i in range(len(parameters) - 2, -1, -2):
        below = found[i // 2]
        result[i], result[i + 1] = below.T @ delta, delta.sum(axis=0)
        if i:
            delta = (delta @ parameters[i].T) * _slope(below, activation)
    return loss, result


@dataclass(frozen=True)
class Settings:
    """What the controls say."""

    data: str = "circles"
    noise: float = 0.05
    depth: int = 1
    width: int = 4
    activation: str = "tanh"
    rate: float = 0.03
    decay: float = 0.0

    def __post_init__(self) -> None:
        known(self.data, DATA, say("The playground has no data {name!r}.", name=self.data))
        known(self.activation, ACTIVATIONS, say("The playground has no activation {name!r}.", name=self.activation))
        if not (0 <= self.depth <= 4 and 1 <= self.width <= 8):
            raise CourseError(
                say(
                    "The playground has 0 to 4 layers of 1 to 8; it got {depth} of {width}.",
                    depth=self.depth,
                    width=self.width,
                )
            )

    @property
    def structure(self) -> tuple:
        """Data, noise, depth, width and activation: where one of them changes, training begins anew."""
        return self.data, self.noise, self.depth, self.width, self.activation


class Training:
    """A network, its data and how far it has come. ``lost`` is True once the loss has left every bound."""

    def __init__(self, settings: Settings, seed: int = 0) -> None:
        self.settings, self.seed = settings, seed
        self.reset()

    def reset(self) -> None:
        """First weights anew, no steps taken."""
        s = self.settings
        random = np.random.default_rng([self.seed, 3])
        self.x, self.kind = points(s.data, POINTS, s.noise, random)
        self.x_other, self.kind_other = points(s.data, POINTS, s.noise, random)
        self.wanted = np.eye(2)[self.kind]
        self.parameters = first_parameters([2, *[s.width] * s.depth, 2], s.activation, random)
        self.speed = [np.zeros_like(p) for p in self.parameters]
        self.steps, self.lost = 0, False
        self._every, self.history = 1, []
        self.loss, _ = gradients(self.x, self.wanted, self.parameters, s.activation)
        self._remember()

    def _remember(self) -> None:
        self.loss_other = loss_of(values(self.x_other, self.parameters, self.settings.activation)[-1], self.kind_other)
        self.history.append((self.steps, self.loss, self.loss_other))
        if len(self.history) > 240:  # half of them say as much
            self.history = [*self.history[:-1:2], self.history[-1]]

    def step(self, count: int = 1) -> None:
        """Take steps of gradient descent with momentum, all points at once; none once the loss is lost."""
        s = self.settings
        for _ in range(count):
            if self.lost:
                break
            _, slopes = gradients(self.x, self.wanted, self.parameters, s.activation)
            before = self.parameters
            self.speed = [MOMENTUM * v - s.rate * g for v, g in zip(self.speed, slopes, strict=True)]
            shrink = 1 - s.rate * s.decay
            # Decay acts on weights, which have two axes, and not on biases.
            moved = zip(before, self.speed, strict=True)
            self.parameters = [(p * shrink if p.ndim == 2 else p) + v for p, v in moved]
            largest = max(float(np.abs(p).max()) for p in self.parameters)
            if not largest < 1e6:
                self.parameters, self.lost = before, True
                break
            self.steps += 1
        self.loss = loss_of(values(self.x, self.parameters, s.activation)[-1], self.kind)
        if not self.loss < LOST:
            self.loss, self.lost = min(self.loss, 1e12), True
        self._remember()

    def probability(self, x: np.ndarray) -> np.ndarray:
        """How probable the network finds kind 1 at each of the points (n, 2): (n,)."""
        logits = values(x, self.parameters, self.settings.activation)[-1]
        return _sigmoid(logits[:, 1] - logits[:, 0])

    def accuracy(self) -> float:
        """The share of the validation points on the right side."""
        return float(((self.probability(self.x_other) > 0.5) == self.kind_other).mean())

    def size(self) -> int:
        """The number of parameters."""
        return sum(p.size for p in self.parameters)


# ---------------------------------------------------------------------------------------------------------- its picture


_FIELD, _SMALL = 48, 14
_ACROSS = 8.4  # the width of the neurons' panel in tiles of the smallest size, so that tiles are square
_LARGEST = 2.6  # times the smallest
_FIELD_GRID, _SMALL_GRID = figures.plane(_FIELD, REACH), figures.plane(_SMALL, REACH)


def _field_panel(training: Training) -> Panel:
    pixels = figures.diverging(2 * training.probability(_FIELD_GRID) - 1).reshape(_FIELD, _FIELD, 3)
    ends = (-REACH, REACH)
    layers: list[Layer] = [Picture(pixels, ends, ends, smooth=True)]
    for kind in (0, 1):
        x, y = training.x[training.kind == kind].round(2).T
        layers.append(Points(x, y, series=kind, label=say("kind {number}", number=kind), size=6))
    ticks = [(-1, "−1"), (0, "0"), (1, "1")]
    return Panel(
        "field", ends, ends, layers, title=say("What it answers"), x_title=say("first reading"),
        y_title=say("second reading"), ticks_x=ticks, ticks_y=ticks, aspect=1.0,
    )  # fmt: skip


def _neurons_panel(training: Training) -> Panel:
    """A small square for each neuron, a column for each layer: its answer over the plane."""
    s = training.settings
    layers: list[Layer] = []
    if not s.depth:
        layers.append(Text([_ACROSS / 2], [3.6], [say("no hidden layer:")]))
        layers.append(Text([_ACROSS / 2], [4.4], [say("a straight border")]))
    else:
        hidden = values(_SMALL_GRID, training.parameters, s.activation)[1:-1]
        rows = s.width * (_SMALL + 1)  # each tile has a white line below it
        side = min(8 / s.width, 0.92 * _ACROSS / s.depth, _LARGEST)  # few neurons have large tiles
        top, bottom = 4 - s.width * side / 2, 4 + s.width * side / 2
        for column, answer in enumerate(hidden):
            largest = np.abs(answer).max(axis=0)
            tiles = figures.diverging(answer / np.where(largest > 0, largest, 1)).reshape(_SMALL, _SMALL, s.width, 3)
            strip = np.full((s.width, _SMALL + 1, _SMALL, 3), 255, "uint8")
            strip[:, :_SMALL] = tiles.transpose(2, 0, 1, 3)
            middle = (column + 0.5) * _ACROSS / s.depth
            across = (middle - 0.46 * side, middle + 0.46 * side)
            layers.append(Picture(strip.reshape(rows, _SMALL, 3), across, (bottom, top)))
            layers.append(Text([middle], [top - 0.42], [say("layer {number}", number=column + 1)], size=11))
    return Panel(
        "neurons", (0, _ACROSS), (8.1, -0.7), layers, title=say("Its neurons"), axes=False, weight=0.85, aspect=1.05
    )


def _loss_panel(training: Training) -> Panel:
    steps, loss, other = np.array(training.history).T
    # A loss above 3 lies outside; below 0.8 the scale stays, so that a fall is seen as a fall.
    top = float(np.clip(np.nanmax([loss, other]) * 1.05, 0.8, 3.0))
    end = max(100.0, float(steps[-1]))
    layers = [Line(steps, loss.round(4), 0, say("training")), Line(steps, other.round(4), 1, say("validation"))]
    return Panel(
        "loss", (0, end), (0, top), layers, title=say("Its loss"), x_title=say("step"), y_title=say("loss"), aspect=1.0
    )


def scene(training: Training, playing: bool = False) -> Scene:
    """What a training looks like now."""
    panels = [_field_panel(training), _neurons_panel(training), _loss_panel(training)]
    sentence, warning = _sentence(training)
    return Scene(panels, sentence, playing=playing, warning=warning)


def _sentence(training: Training) -> tuple[str, bool]:
    s = training.settings
    if training.lost:
        words = say_many(
            "Diverged after {n:,} step: with learning rate {rate:g} each step overshoots more than the last. Take a "
            "smaller one, then New start.",
            "Diverged after {n:,} steps: with learning rate {rate:g} each step overshoots more than the last. Take a "
            "smaller one, then New start.",
            training.steps,
            rate=s.rate,
        )
        return words, True
    so_far = _so_far(training)
    if s.rate == 0:
        return paragraph(so_far, say("Learning rate 0: a step changes nothing.")), False
    if training.steps and training.loss > 1.0:
        worse = say("That is worse than a guess (0.693): the learning rate is too large.")
        return paragraph(so_far, worse), True
    spread = np.ptp(training.probability(training.x))
    if training.steps and spread < 0.01:
        return paragraph(so_far, say("It gives every point the same answer.")), False
    return so_far, False


def _so_far(training: Training) -> str:
    s = training.settings
    fields = {
        "layers": say_many("{n:,} layer", "{n:,} layers", s.depth),
        "steps": say_many("{n:,} step", "{n:,} steps", training.steps),
        "width": s.width,
        "activation": activation_labels()[s.activation],
        "size": training.size(),
        "loss": training.loss,
        "other": min(training.loss_other, 1e12),
        "right": training.accuracy(),
    }
    if s.depth:
        return say(
            "{layers} of {width} {activation}, {size} parameters, after {steps}: training loss {loss:.3g}, validation "
            "loss {other:.3g}, {right:.0%} of the validation points right.",
            **fields,
        )
    return say(
        "No hidden layer, {size} parameters, after {steps}: training loss {loss:.3g}, validation loss {other:.3g}, "
        "{right:.0%} of the validation points right.",
        **fields,
    )


# ------------------------------------------------------------------------------------------------------- the two makers


class _Player:
    """Turns events into scenes; whether it plays, and for how many steps still."""

    def __init__(self, seed: int) -> None:
        self.seed, self.training, self.left = seed, Training(Settings(), seed), 0

    def respond(self, event: "Event") -> Scene:
        v = event.values
        settings = Settings(
            v["data"],
            v["noise"] / 100,
            int(v["depth"]),
            int(v["width"]),
            v["activation"],
            v["rate"],
            DECAYS[v["decay"]],
        )
        new = settings.structure != self.training.settings.structure
        self.training.settings = settings
        if event.kind == "press" and event.name == "new":
            self.training.seed += 1
            new = True
        if new:
            self.training.reset()
            self.left = 0
        if event.kind == "press" and event.name == "train":
            if self.training.lost:
                self.training.reset()
            self.left = 0 if self.left else STEPS_A_RUN
        if event.kind == "press" and event.name == "step":
            self.left = 0
            self.training.step()
        if event.kind == "tick" and self.left:
            self.training.step(min(STEPS_A_FRAME, self.left))
            self.left -= min(STEPS_A_FRAME, self.left)
        if self.training.lost:
            self.left = 0
        return scene(self.training, playing=self.left > 0)


def playground(*, seed: int = 0) -> "Stage":
    """A dense network on two readings, trained before your eyes: choose everything, press Train."""
    from course_utils.explorers.stage import Button, Choice, Slider, Stage

    start = Settings()
    controls = [
        Choice("data", say("data"), data_labels(), start.data),
        Slider("noise", say("noise"), range(0, 51, 5), 100 * start.noise, [f"{n} %" for n in range(0, 51, 5)]),
        Slider("depth", say("hidden layers"), range(5), start.depth),
        Slider("width", say("neurons in each"), range(1, 9), start.width),
        Choice("activation", say("activation"), activation_labels(), start.activation),
        Slider("rate", say("learning rate"), RATES, start.rate),
        Choice("decay", say("weight decay"), decay_labels(), "none"),
        Button("train", say("Train"), playing_label=say("Pause")),
        Button("step", say("Step")),
        Button("new", say("New start")),
    ]
    return Stage(say("A playground for dense networks"), controls, _Player(seed).respond)


def playground_picture(
    *,
    alt: str,
    data: str = "circles",
    noise: float = 0.05,
    depth: int = 1,
    width: int = 4,
    activation: str = "tanh",
    rate: float = 0.03,
    decay: float = 0.0,
    steps: int = 0,
    seed: int = 0,
) -> "go.Figure":
    """The playground after ``steps`` steps, as a figure for readers without a kernel."""
    training = Training(Settings(data, noise, depth, width, activation, rate, decay), seed)
    with np.errstate(all="ignore"):  # a picture of a divergence is a picture, too
        while training.steps < steps and not training.lost:
            training.step(min(STEPS_A_FRAME, steps - training.steps))
    figure = as_figure(scene(training), alt=alt, width=740)
    figure.update_layout(height=335)  # makes the plane and the neurons square
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(showgrid=False, row=1, col=1)  # no lines over a picture
    return figure
