"""A generator and a discriminator at play in the plane, in the manner of GAN Lab.

M. Kahng and others, "GAN Lab: Understanding complex deep generative models using interactive visual experimentation",
IEEE Transactions on Visualization and Computer Graphics 25 (2019). The mathematics is that of chapter 06, which shows
it in the open; here it stands once more on flat arrays, so that ten steps and a picture fit into a frame.
"""

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from course_utils import figures
from course_utils.errors import CourseError
from course_utils.explorers.scene import Line, Panel, Picture, Points, Scene, as_figure, known, paragraph
from course_utils.language import say

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from course_utils.explorers.stage import Event, Stage

DATA = ("ring of eight", "two blobs", "line", "one point")
NON_SATURATING, SATURATING, PRINTED = LOSSES = ("non-saturating", "saturating", "printed")
RATES = (0.0, 0.0003, 0.001, 0.003, 0.006, 0.02, 0.1, 1.0, 10.0)
NOISE = (1, 2, 4, 8)
TURNS = (1, 2, 3, 5)

HIDDEN = (32, 32)
BATCH = 64
STEPS_A_FRAME = 10
LAST_STEP = 4000
SHOWN = 150  # points of each kind, and places on a curve
EDGE = 3.2  # the picture runs from -EDGE to EDGE
RUN_AWAY = 1e4  # points further out than this have left for good
FIELD = 48
ENOUGH = 0.2  # a mode counts as covered if it holds more than this part of its fair share of the good points
MOST = 0.5  # of the points are good, and few modes are a mode collapse

# The discriminator's answer 0, ½ and 1: dark to light, so that the shade says it without the colour.
_SHADES = np.array([[96, 132, 178], [203, 212, 216], [255, 241, 208]], dtype=np.float32)


def data_labels() -> dict[str, str]:
    """The names in `DATA` → what a reader sees."""
    return {
        "ring of eight": say("ring of eight"),
        "two blobs": say("two blobs"),
        "line": say("line"),
        "one point": say("one point"),
    }


def loss_labels() -> dict[str, str]:
    """The names in `LOSSES` → what a reader sees."""
    return {
        NON_SATURATING: say("non-saturating"),
        SATURATING: say("saturating"),
        PRINTED: say("as the article prints"),
    }


# ---------------------------------------------------------------------------------------------------------- networks


def sigmoid(a: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(−a)), of any shape and without overflow."""
    return 0.5 * (1 + np.tanh(a / 2))


class Network:
    """A dense network with leaky ReLU: all weights in one flat array, ``layers`` are views of it."""

    def __init__(self, sizes: tuple[int, ...], random: np.random.Generator, dtype: type = np.float32) -> None:
        self.shapes = list(pairwise(sizes))
        self.weights = np.zeros(sum(m * n + n for m, n in self.shapes), dtype)
        self.gradient = np.zeros_like(self.weights)
        self.layers = self._views(self.weights)
        self._gradients = self._views(self.gradient)
        for (weights, _), (inputs, _) in zip(self.layers, self.shapes, strict=True):
            weights[:] = random.normal(0, np.sqrt(2 / inputs), weights.shape)

    def _views(self, flat: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        views, at = [], 0
        for m, n in self.shapes:
            views.append((flat[at : at + m * n].reshape(m, n), flat[at + m * n : at + m * n + n]))
            at += m * n + n
        return views

    def forward(self, x: np.ndarray) -> list[np.ndarray]:
        """All activations of the inputs x (n, first size), these first; the last (n, last size) has no leaky ReLU."""
        activations = [x]
        for i, (weights, bias) in enumerate(self.layers):
            z = activations[-1] @ weights
            z += bias
            activations.append(z if i == len(self.layers) - 1 else np.maximum(z, 0.2 * z))
        return activations

    def backward(self, activations: list[np.ndarray], dz: np.ndarray, *, by_weights: bool = True) -> np.ndarray:
        """Fills ``gradient`` (if ``by_weights``), returns the gradient by the input; ``dz`` is that by the output."""
        for i in reversed(range(len(self.layers))):
            if by_weights:
                weights, bias = self._gradients[i]
                np.matmul(activations[i].T, dz, out=weights)
                dz.sum(axis=0, out=bias)
            da = dz @ self.layers[i][0].T
            if i:
                dz = np.where(activations[i] > 0, da, 0.2 * da)
        return da


class _Adam:
    """Adam with β₁ = 0.5, as DCGAN takes it (chapter 02 derives it)."""

    def __init__(self, network: Network) -> None:
        self.network, self.t = network, 0
        self.m, self.v = np.zeros_like(network.weights), np.zeros_like(network.weights)

    def step(self, rate: float, beta1: float = 0.5, beta2: float = 0.999) -> None:
        self.t += 1
        g = self.network.gradient
        self.m += (1 - beta1) * (g - self.m)
        self.v += (1 - beta2) * (g * g - self.v)
        scale = rate * np.sqrt(1 - beta2**self.t) / (1 - beta1**self.t)
        self.network.weights -= (scale * self.m / (np.sqrt(self.v) + 1e-8)).astype(g.dtype)


def slope(loss: str, a: np.ndarray) -> np.ndarray:
    """The slope of the generator's loss by the discriminator's logits, in their shape (section 4 of chapter 06)."""
    if loss == NON_SATURATING:
        return sigmoid(a) - 1
    return -sigmoid(a) if loss == SATURATING else sigmoid(a)


# -------------------------------------------------------------------------------------------------------------- data


def centres_of(data: str) -> tuple[np.ndarray, float, float]:
    """The modes of a data set (k, 2), the spread around them, and how near to one a point must lie to be good."""
    if data == "ring of eight":
        angles = 2 * np.pi * np.arange(8) / 8
        return 2 * np.column_stack([np.cos(angles), np.sin(angles)]), 0.1, 0.3
    if data == "two blobs":
        return np.array([[-1.5, 0.0], [1.5, 0.0]]), 0.3, 0.9
    if data == "line":  # cut into eight pieces
        return np.linspace(-1, 1, 17)[1::2, None] * np.array([2.0, 1.0]), 0.05, 0.33
    return np.array([[1.0, 0.5]]), 0.0, 0.2


def real_points(data: str, n: int, random: np.random.Generator) -> np.ndarray:
    """Points of a data set, float64 (n, 2)."""
    centres, spread, _ = centres_of(data)
    if data == "line":
        middle = random.uniform(-1, 1, (n, 1)) * np.array([2.0, 1.0])
    else:
        middle = centres[random.integers(len(centres), size=n)]
    return middle + spread * random.normal(size=(n, 2))


# -------------------------------------------------------------------------------------------------------------- game


class Game:
    """Both players, what was seen so far, and how the game goes on. Learning rates and loss may change on the way."""

    def __init__(self, data: str, noise: int, *, seed: int = 0, dtype: type = np.float32) -> None:
        self.data, self.noise, self.dtype = data, int(noise), dtype
        self.random = np.random.default_rng(seed)
        self.G = Network((self.noise, *HIDDEN, 2), self.random, dtype)
        self.D = Network((2, *HIDDEN, 1), self.random, dtype)
        self._adam_G, self._adam_D = _Adam(self.G), _Adam(self.D)
        self.shown_noise = self._vectors(SHOWN)
        self.shown_real = real_points(data, SHOWN, self.random)
        self.step, self.broken = 0, False
        self.history: list[tuple[float, ...]] = []  # step, D(real), D(fake), good points, covered modes
        self.observe()

    def _vectors(self, n: int) -> np.ndarray:
        return self.random.normal(size=(n, self.noise)).astype(self.dtype)

    def discriminator_step(self, rate: float) -> None:
        """One step of the discriminator on a batch of real points and one of generated ones."""
        real = real_points(self.data, BATCH, self.random).astype(self.dtype)
        fake = self.G.forward(self._vectors(BATCH))[-1]
        activations = self.D.forward(np.concatenate([real, fake]))
        dz = sigmoid(activations[-1])
        dz[:BATCH] -= 1
        self.D.backward(activations, dz / BATCH)
        self._adam_D.step(rate)

    def generator_step(self, rate: float, loss: str) -> float:
        """One step of the generator; returns how far out the furthest point of its batch lay."""
        of_G = self.G.forward(self._vectors(BATCH))
        of_D = self.D.forward(of_G[-1])
        dx = self.D.backward(of_D, slope(loss, of_D[-1]) / BATCH, by_weights=False)
        self.G.backward(of_G, dx)
        self._adam_G.step(rate)
        return float(np.abs(of_G[-1]).max())

    def advance(self, steps: int, *, rate_G: float, rate_D: float, loss: str, turns: int = 1) -> None:
        """``steps`` rounds, each of ``turns`` discriminator steps and one of the generator; then one look.

        Where numbers overflow, or the points run away, both players go back to where they were before, and ``broken``
        is True.
        """
        if self.broken:
            return
        before = self.G.weights.copy(), self.D.weights.copy()
        with np.errstate(all="ignore"):
            furthest = 0.0
            for _ in range(steps):
                for _ in range(int(turns)):
                    self.discriminator_step(rate_D)
                furthest = np.maximum(furthest, self.generator_step(rate_G, loss))  # keeps a NaN
            furthest = np.maximum(furthest, np.abs(self.points()).max())
            logits = self.D.forward(self.points().astype(self.dtype))[-1]
            if not furthest <= RUN_AWAY or not np.isfinite(logits).all():
                self.broken = True
                self.G.weights[:], self.D.weights[:] = before
                return
        self.step += steps
        self.observe()

    def points(self) -> np.ndarray:
        """The generated points of the fixed noise vectors, float64 (SHOWN, 2)."""
        return self.G.forward(self.shown_noise)[-1].astype(np.float64)

    def answers(self, points: np.ndarray) -> np.ndarray:
        """D at each of the points, from 0 to 1, float64 (n,)."""
        with np.errstate(all="ignore"):
            logits = self.D.forward(np.asarray(points, self.dtype))[-1][:, 0].astype(np.float64)
        return sigmoid(np.nan_to_num(logits, nan=0.0, posinf=1e3, neginf=-1e3))

    def modes(self) -> tuple[int, float]:
        """How many modes are covered, and the share of good points, from 0 to 1."""
        centres, _, radius = centres_of(self.data)
        points = self.points()
        distance = np.linalg.norm(points[:, None] - centres, axis=2)
        good = distance.min(axis=1) <= radius
        counts = np.bincount(distance.argmin(axis=1)[good], minlength=len(centres))
        return int((counts > ENOUGH * good.sum() / len(centres)).sum()), float(good.mean())

    def observe(self) -> None:
        """Adds a line to ``history``: step, mean answer to real and to generated points, good points, covered modes."""
        covered, good = self.modes()
        real, fake = self.answers(self.shown_real).mean(), self.answers(self.points()).mean()
        self.history.append((self.step, real, fake, good, covered / len(centres_of(self.data)[0])))

    def pushes(self, loss: str, count: int = 40) -> tuple[np.ndarray, np.ndarray]:
        """Where the first ``count`` points stand and where the loss tells them to go, each (count, 2)."""
        start = self.points()[:count]
        with np.errstate(all="ignore"):
            activations = self.D.forward(start.astype(self.dtype))
            move = -self.D.backward(activations, slope(loss, activations[-1]), by_weights=False).astype(np.float64)
        move = np.nan_to_num(move, nan=0.0, posinf=0.0, neginf=0.0)
        size = np.linalg.norm(move, axis=1, keepdims=True)
        return start, start + move * np.minimum(0.3, 0.6 / np.maximum(size, 1e-12))


# ------------------------------------------------------------------------------------------------------------- scene


def field(game: Game) -> np.ndarray:
    """The discriminator's answer over the picture, uint8 (FIELD, FIELD, 3), the first row on top."""
    ticks = (np.arange(FIELD) + 0.5) / FIELD * 2 * EDGE - EDGE
    across, up = np.meshgrid(ticks, ticks[::-1])
    d = game.answers(np.column_stack([across.ravel(), up.ravel()]))
    low = np.minimum(d * 2, 1)[:, None] * (_SHADES[1] - _SHADES[0])
    high = np.maximum(d * 2 - 1, 0)[:, None] * (_SHADES[2] - _SHADES[1])
    return np.rint(_SHADES[0] + low + high).astype(np.uint8).reshape(FIELD, FIELD, 3)


def scene_of(
    game: Game, loss: str, *, rate_G: float, rate_D: float, playing: bool | None = None, shown: int = SHOWN
) -> Scene:
    """The plane on the left; the two averages, good points and their modes over the steps on the right."""
    points = np.clip(game.points()[:shown], -RUN_AWAY, RUN_AWAY)
    start, end = game.pushes(loss, shown // 4)
    strokes = np.stack([start, end, np.full_like(end, np.nan)], axis=1).reshape(-1, 2).round(2)
    plane = Panel(
        "plane",
        (-EDGE, EDGE),
        (-EDGE, EDGE),
        [
            Picture(field(game), (-EDGE, EDGE), (-EDGE, EDGE), smooth=True),
            Line(strokes[:, 0], strokes[:, 1], series=3, width=1.5, dash="solid", label=say("told to move")),
            Points(*game.shown_real[:shown].T.round(2), series=0, colour=figures.COLOURS[6], size=5, label=say("real")),
            Points(*points.T.round(2), series=1, size=7, label=say("generated")),
        ],
        title=say("Dark: D says generated"),
        x_title=say("first coordinate"),
        y_title=say("second coordinate"),
        aspect=1.0,
    )
    history = np.array(game.history).round(3)
    every = -(-len(history) // shown)  # the last one always stays
    step, real, fake, good, share = history[::-1][::every][::-1].T
    right = max(100.0, float(step[-1]))
    curves = Panel(
        "curves",
        (0, right),
        (0, 1),
        [
            Line([0, right], [0.5, 0.5], series=6, dash="dot", width=1, colour="#6B7280"),
            Line(step, real, series=0, label=say("D(real)")),
            Line(step, fake, series=1, label=say("D(generated)")),
            Line(step, good, series=3, dash="solid", width=3, label=say("good points")),
            Line(step, share, series=2, label=say("their modes")),
        ],
        title=say("Over the steps"),
        x_title=say("step"),
        y_title=say("from 0 to 1"),
        aspect=1.0,
    )
    words = _broken(game) if game.broken else _words(game, loss, rate_G, rate_D)
    return Scene([plane, curves], words, playing=playing, warning=game.broken)


def _broken(game: Game) -> str:
    return paragraph(
        say(
            "After step {step} the generated points leave the plane for good: the learning rates are too large, or the "
            "loss drives them out.",
            step=game.step,
        ),
        say("The picture shows the step before."),
        say("Restart, with smaller ones."),
    )


def _words(game: Game, loss: str, rate_G: float, rate_D: float) -> str:
    step, real, fake, *_ = game.history[-1]
    outside = int((np.abs(game.points()) > EDGE).any(axis=1).sum())
    answers = say(
        "Step {step:g}: D answers {real:.2f} on average to real points, {fake:.2f} to generated ones.",
        step=step,
        real=real,
        fake=fake,
    )
    far = say("{n} of {total} generated points lie outside the picture.", n=outside, total=SHOWN) if outside else ""
    return paragraph(answers, _covered(game), far, _comment(game, loss, rate_G, rate_D))


def _covered(game: Game) -> str:
    """How many of the real places the generator has found."""
    covered, good = game.modes()
    total = len(centres_of(game.data)[0])
    fields = {"covered": covered, "total": total, "good": good}
    if game.data == "line":
        return say("{covered} of {total} pieces covered, {good:.0%} of the points good.", **fields)
    if total == 1:
        return say("{covered} of {total} mode covered, {good:.0%} of the points good.", **fields)
    return say("{covered} of {total} modes covered, {good:.0%} of the points good.", **fields)


def _comment(game: Game, loss: str, rate_G: float, rate_D: float) -> str:
    """What else there is to say, or nothing."""
    step, real, fake, *_ = game.history[-1]
    covered, good = game.modes()
    total = len(centres_of(game.data)[0])
    if rate_G == rate_D == 0:
        return say("Both learning rates are 0: nothing moves.")
    if rate_G == 0:
        return say("The generator's rate is 0: only D learns.")
    if rate_D == 0:
        return say("D's rate is 0: the generator climbs a hill that stays where it is.")
    if step >= LAST_STEP:
        return say("The game ends after {last} steps; Restart begins another.", last=LAST_STEP)
    if step >= 200 and loss == PRINTED:
        return say("The printed loss drives the points to where D recognises them.")
    if step >= 400 and total > 2 and covered <= total / 2 and good > MOST:
        return say("Most points are good, and on few places: mode collapse.")
    if step >= 400 and good < MOST / 2:
        return say("Few points are good: not far enough yet, or a game that finds nothing.")
    if covered == total and good > MOST and abs(real - fake) < 0.25:
        return say("D can hardly tell them apart.")
    return ""


# ------------------------------------------------------------------------------------------------- live, and a picture


def duel_picture(
    *,
    alt: str,
    steps: int = 600,
    data: str = DATA[0],
    loss: str = LOSSES[0],
    rate_G: float = 0.001,
    rate_D: float = 0.006,
    noise: int = 2,
    turns: int = 1,
    seed: int = 0,
) -> "go.Figure":
    """The explorer after ``steps`` steps as a plotly figure, for readers without a kernel.

    Raises CourseError for data, a loss or a number of steps that there is not, and for an empty ``alt``.
    """
    known(data, DATA, say("There is no data {name!r}.", name=data))
    known(loss, LOSSES, say("There is no loss {name!r}.", name=loss))
    if not 0 <= steps <= LAST_STEP:
        raise CourseError(say("steps must lie between 0 and {last}; it is {steps!r}.", last=LAST_STEP, steps=steps))
    game = Game(data, noise, seed=seed)
    while game.step < steps and not game.broken:
        some = min(STEPS_A_FRAME, steps - game.step)
        game.advance(some, rate_G=rate_G, rate_D=rate_D, loss=loss, turns=turns)
    scene = scene_of(game, loss, rate_G=rate_G, rate_D=rate_D, shown=SHOWN // 3)  # fewer, because they are stored
    return as_figure(scene, alt=alt, width=580)


def duel(seed: int = 0) -> "Stage":
    """Generator against discriminator in the plane, live: play, or step by step."""
    from course_utils.explorers.stage import Button, Choice, Slider, Stage

    state: dict = {"game": None, "playing": False}

    def respond(event: "Event") -> Scene:
        values = event.values
        rates = {"rate_G": values["rate_G"], "rate_D": values["rate_D"]}
        if state["game"] is None or event.name in ("data", "noise", "restart"):
            state["game"] = Game(values["data"], values["noise"], seed=seed)
        game = state["game"]
        if event.kind == "press":
            state["playing"] = event.name == "play" and not state["playing"]
        if (event.kind == "tick" and state["playing"]) or event.name == "step":
            turns = int(values["turns"])
            some = min(max(3, 2 * STEPS_A_FRAME // (1 + turns)), LAST_STEP - game.step)
            game.advance(some, **rates, loss=values["loss"], turns=turns)
        if game.broken or game.step >= LAST_STEP:
            state["playing"] = False
        return scene_of(game, values["loss"], **rates, playing=state["playing"])

    def shown(rate: float) -> str:
        return f"{rate:g}"

    controls = [
        Button("play", say("Play"), playing_label=say("Pause")),
        Button("step", say("A few steps")),
        Button("restart", say("Restart")),
        Choice("data", say("real data"), data_labels(), DATA[0]),
        Choice("loss", say("generator's loss"), loss_labels(), NON_SATURATING),
        Slider("rate_G", say("learning rate of G"), RATES, 0.001, [shown(r) for r in RATES]),
        Slider("rate_D", say("learning rate of D"), RATES, 0.006, [shown(r) for r in RATES]),
        Slider("turns", say("steps of D for one of G"), TURNS, 1),
        Slider("noise", say("random numbers in"), NOISE, 2),
    ]
    return Stage(say("Generator against discriminator"), controls, respond)
