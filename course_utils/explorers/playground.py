"""A small dense network that learns while you watch: data, depth, width, activation and learning rate are yours.

The mathematics is chapter 03's, which derives it in the open; here it is written for speed, and a test holds the two
together. `decision_figure` draws what any classifier of points in a plane answers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from course_utils import figures
from course_utils.errors import CourseError
from course_utils.explorers.scene import Layer, Line, Panel, Picture, Points, Scene, Text, as_figure

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
    """What each layer gives for the inputs x, these first; the last are logits."""
    found = [x]
    last = len(parameters) - 2
    for i in range(0, len(parameters), 2):
        z = found[-1] @ parameters[i] + parameters[i + 1]
        found.append(z if i == last else _activate(z, activation))
    return found


def loss_of(logits: np.ndarray, kind: np.ndarray) -> float:
    """The mean cross-entropy of two logits; large, never infinite, where they are large."""
    margin = (logits[:, 1] - logits[:, 0]) * np.where(kind, 1, -1)
    return float(np.logaddexp(0, -margin).mean())


def gradients(
    x: np.ndarray, wanted: np.ndarray, parameters: Sequence[np.ndarray], activation: str
) -> tuple[float, list[np.ndarray]]:
    """The loss and its gradient by each of the parameters; ``wanted`` is (n, 2) of zeros and ones."""
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
        for what, value, known in (("data", self.data, DATA), ("activation", self.activation, ACTIVATIONS)):
            if value not in known:
                raise CourseError(f"The playground has no {what} {value!r}; it has {', '.join(known)}.")
        if not (0 <= self.depth <= 4 and 1 <= self.width <= 8):
            raise CourseError(f"The playground has 0 to 4 layers of 1 to 8; it got {self.depth} of {self.width}.")

    @property
    def structure(self) -> tuple:
        """What a new start is needed for when it changes."""
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
        """How probable the network finds kind 1 at each point."""
        logits = values(x, self.parameters, self.settings.activation)[-1]
        return _sigmoid(logits[:, 1] - logits[:, 0])

    def accuracy(self) -> float:
        """The share of the validation points on the right side."""
        return float(((self.probability(self.x_other) > 0.5) == self.kind_other).mean())

    def size(self) -> int:
        """The number of parameters."""
        return sum(p.size for p in self.parameters)


# ---------------------------------------------------------------------------------------------------------- its picture


def shades(value: np.ndarray) -> np.ndarray:
    """From −1 (blue) over 0 (white) to 1 (orange): an array of any shape → uint8 with a last axis of three."""
    value = np.round(np.clip(np.nan_to_num(value), -1, 1) * 31) / 31  # few shades make small pictures
    return _SHADES[(value * 31 + 31).astype(np.intp)]


def _shade_table() -> np.ndarray:
    value = np.linspace(-1, 1, 63)[:, None]
    white, blue, orange = np.full(3, 255.0), np.array([86.0, 180.0, 233.0]), np.array([240.0, 160.0, 60.0])
    end = np.where(value < 0, blue, orange)
    return np.round(white + (end - white) * np.abs(value)).astype("uint8")


_SHADES = _shade_table()


def _grid(side: int, reach: float = REACH) -> np.ndarray:
    """The middles of side × side pixels, row by row from the top."""
    middle = (np.arange(side) + 0.5) / side * 2 * reach - reach
    across, up = np.meshgrid(middle, middle[::-1])
    return np.stack([across.ravel(), up.ravel()], axis=1)


_FIELD, _SMALL = 48, 14
_ACROSS = 8.4  # the width of the neurons' panel in tiles, so that tiles are square
_FIELD_GRID, _SMALL_GRID = _grid(_FIELD), _grid(_SMALL)


def _field_panel(training: Training) -> Panel:
    pixels = shades(2 * training.probability(_FIELD_GRID) - 1).reshape(_FIELD, _FIELD, 3)
    ends = (-REACH, REACH)
    layers: list[Layer] = [Picture(pixels, ends, ends, smooth=True)]
    for kind in (0, 1):
        x, y = training.x[training.kind == kind].round(2).T
        layers.append(Points(x, y, series=kind, label=f"kind {kind}", size=6))
    ticks = [(-1, "−1"), (0, "0"), (1, "1")]
    return Panel(
        "field", ends, ends, layers, title="What it answers", x_title="first reading", y_title="second reading",
        ticks_x=ticks, ticks_y=ticks, aspect=1.0,
    )  # fmt: skip


def _neurons_panel(training: Training) -> Panel:
    """A small square for each neuron, a column for each layer: its answer over the plane."""
    s = training.settings
    layers: list[Layer] = []
    if not s.depth:
        layers.append(Text([_ACROSS / 2], [3.6], ["no hidden layer:"]))
        layers.append(Text([_ACROSS / 2], [4.4], ["a straight border"]))
    else:
        hidden = values(_SMALL_GRID, training.parameters, s.activation)[1:-1]
        rows = s.width * (_SMALL + 1)  # each tile has a white line below it
        top, bottom = (8 - s.width) / 2, (8 + s.width) / 2
        for column, answer in enumerate(hidden):
            largest = np.abs(answer).max(axis=0)
            tiles = shades(answer / np.where(largest > 0, largest, 1)).reshape(_SMALL, _SMALL, s.width, 3)
            strip = np.full((s.width, _SMALL + 1, _SMALL, 3), 255, "uint8")
            strip[:, :_SMALL] = tiles.transpose(2, 0, 1, 3)
            middle = (column + 0.5) * _ACROSS / s.depth
            across = (middle - 0.46, middle + 0.46)
            layers.append(Picture(strip.reshape(rows, _SMALL, 3), across, (bottom, top)))
            layers.append(Text([middle], [top - 0.42], [f"layer {column + 1}"], size=11))
    return Panel(
        "neurons", (0, _ACROSS), (8.1, -0.7), layers, title="Its neurons", axes=False, weight=0.85, aspect=1.05
    )


def _loss_panel(training: Training) -> Panel:
    steps, loss, other = np.array(training.history).T
    # A loss above 3 lies outside; below 0.8 the scale stays, so that a fall is seen as a fall.
    top = float(np.clip(np.nanmax([loss, other]) * 1.05, 0.8, 3.0))
    end = max(100.0, float(steps[-1]))
    layers = [Line(steps, loss.round(4), 0, "training"), Line(steps, other.round(4), 1, "validation")]
    return Panel("loss", (0, end), (0, top), layers, title="Its loss", x_title="step", y_title="loss", aspect=1.0)


def scene(training: Training, playing: bool = False) -> Scene:
    """What a training looks like now."""
    panels = [_field_panel(training), _neurons_panel(training), _loss_panel(training)]
    sentence, warning = _sentence(training)
    return Scene(panels, sentence, playing=playing, warning=warning)


def _plural(count: int, word: str) -> str:
    return f"{count:,} {word}" + ("" if count == 1 else "s")


def _sentence(training: Training) -> tuple[str, bool]:
    s = training.settings
    what = f"{_plural(s.depth, 'layer')} of {s.width} {s.activation}" if s.depth else "No hidden layer"
    so_far = (
        f"{what}, {training.size()} parameters, after {_plural(training.steps, 'step')}: "
        f"training loss {training.loss:.3g}, validation loss {min(training.loss_other, 1e12):.3g}, "
        f"{training.accuracy():.0%} of the validation points right."
    )
    if training.lost:
        return (
            f"Diverged after {_plural(training.steps, 'step')}: with learning rate {s.rate:g} each step overshoots "
            "more than the last. Take a smaller one, then New start.",
            True,
        )
    if s.rate == 0:
        return f"{so_far} Learning rate 0: a step changes nothing.", False
    if training.steps and training.loss > 1.0:
        return f"{so_far} That is worse than a guess (0.693): the learning rate is too large.", True
    spread = np.ptp(training.probability(training.x))
    if training.steps and spread < 0.01:
        return f"{so_far} It gives every point the same answer.", False
    return so_far, False


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
        Choice("data", "data", DATA, start.data),
        Slider("noise", "noise", range(0, 51, 5), 100 * start.noise, [f"{n} %" for n in range(0, 51, 5)]),
        Slider("depth", "hidden layers", range(5), start.depth),
        Slider("width", "neurons in each", range(1, 9), start.width),
        Choice("activation", "activation", ACTIVATIONS, start.activation),
        Slider("rate", "learning rate", RATES, start.rate),
        Choice("decay", "weight decay", list(DECAYS), "none"),
        Button("train", "Train", playing_label="Pause"),
        Button("step", "Step"),
        Button("new", "New start"),
    ]
    return Stage("A playground for dense networks", controls, _Player(seed).respond)


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


def decision_figure(
    answers: Sequence[Callable[[np.ndarray], np.ndarray]],
    x: np.ndarray,
    kind: np.ndarray,
    *,
    alt: str,
    labels: Sequence[str] = (),
    slider: str = "",
    side: int = 36,
) -> "go.Figure":
    """What classifiers answer over the plane, with the points they learnt from; a slider moves through several.

    Each of ``answers`` takes points (n, 2) and gives the probability of kind 1, (n,). ``labels`` are the slider's
    texts, as many as answers, where there are two or more; it opens at the last. Moves without a kernel.
    """
    import plotly.graph_objects as go

    if not str(alt).strip():
        raise CourseError("A figure needs alt: one sentence that states what it shows.")
    if not answers or (len(answers) > 1 and len(labels) != len(answers)):
        raise CourseError(f"{len(answers)} answers and {len(labels)} labels: decision_figure needs one label each.")
    reach = max(REACH, float(np.abs(x).max()) * 1.03)
    grid = _grid(side, reach)

    def field(answer: Callable) -> "go.Image":
        certain = 2 * np.asarray(answer(grid), dtype=float) - 1
        certain = np.round(certain * 8) / 8  # the points keep their colours when a picture is cut to few of them
        pixels = shades(certain).reshape(side, side, 3)[::-1]
        step = 2 * reach / side
        place = {"x0": -reach + step / 2, "dx": step, "y0": -reach + step / 2, "dy": step}
        return go.Image(source=figures.png(pixels), hoverinfo="skip", **place)

    outline = {"color": "#FFFFFF", "width": 1}
    looks = [{"color": figures.COLOURS[k], "symbol": figures.SYMBOLS[k], "size": 6, "line": outline} for k in (0, 1)]
    places = [x[kind == k].round(2).T for k in (0, 1)]
    marks = [
        go.Scatter(x=places[k][0], y=places[k][1], mode="markers", name=f"kind {k}", marker=looks[k]) for k in (0, 1)
    ]
    figure = go.Figure([field(answers[-1]), *marks])
    figure.update_xaxes(title_text="first reading", range=[-reach, reach], constrain="domain", showgrid=False)
    figure.update_yaxes(title_text="second reading", range=[-reach, reach], scaleanchor="x", showgrid=False)
    height = 430
    if len(answers) > 1:
        figure.frames = [
            go.Frame(data=[field(answer)], traces=[0], name=label)
            for answer, label in zip(answers, labels, strict=True)
        ]
        now = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}}
        steps = [{"label": label, "method": "animate", "args": [[label], now]} for label in labels]
        figure.update_layout(
            sliders=[
                {"steps": steps, "currentvalue": {"prefix": f"{slider}: "}, "pad": {"t": 50}, "active": len(labels) - 1}
            ]
        )
        height += 90
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
    figure.update_layout(meta={"alt": alt}, width=520, height=height, legend=legend)
    return figure
