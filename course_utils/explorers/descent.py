"""Descent: a loss of two parameters seen from above, a start to drag, and the path that an optimiser takes from it.

The optimisers are those of chapter 02, which derives them and shows them equal to Keras's; a test holds both together.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from course_utils.explorers.scene import (
    Handle,
    Line,
    Panel,
    Picture,
    Points,
    Scene,
    as_figure,
    capital,
    known,
    paragraph,
)  # fmt: skip
from course_utils.language import say, say_many

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from course_utils.explorers.stage import Stage

_FAR = 1e6  # a path that comes this far is not followed any further
_ARRIVED = 1e-6  # this much above the lowest loss counts as there
_FLOOR, _CEILING = 1e-8, 1e4  # the ends of the loss axis
_PIXELS, _BANDS = 96, 14
_DARK, _LIGHT = np.array([22.0, 66.0, 110.0]), np.array([240.0, 245.0, 250.0])
MOMENTUM = 0.9
STEPS = (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 300)
_MANTISSAS = (1, 1.1, 1.2, 1.3, 1.5, 1.7, 1.9, 2, 2.1, 2.4, 2.7, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9)
RATES = (0.0, *(float(f"{m}e{k}") for k in range(-3, 2) for m in _MANTISSAS), 100.0)

# --------------------------------------------------------------------------------------------------------- the losses


@dataclass(frozen=True)
class Surface:
    """A loss: ``value`` takes arrays (…, 2) to (…), ``gradient`` to (…, 2); ``marks`` are its minima.

    ``curvature`` is the largest one.

    ``lowest`` is the smallest value, or what it comes near to; ``border`` says whether 2/curvature is a law here
    (True), a bound that other fates follow (False), or nothing that this loss has (None).
    """

    name: str
    value: Callable[[np.ndarray], np.ndarray]
    gradient: Callable[[np.ndarray], np.ndarray]
    start: tuple[float, float]
    marks: tuple[tuple[float, float], ...]
    lowest: float = 0.0
    window: tuple[float, float] = (-3.0, 3.0)
    curvature: float = 0.0
    border: bool | None = None


def _bowl(name: str, first: float, second: float) -> Surface:
    curvatures = np.array([first, second])
    return Surface(
        name,
        lambda w: 0.5 * (curvatures * w**2).sum(axis=-1),
        lambda w: curvatures * w,
        start=(-2.5, 1.0),
        marks=((0.0, 0.0),),
        curvature=max(first, second),
        border=True,
    )


def _valley() -> Surface:
    def value(w):
        return 0.05 * (1 - w[..., 0]) ** 2 + (w[..., 1] - w[..., 0] ** 2 / 2) ** 2

    def gradient(w):
        off = w[..., 1] - w[..., 0] ** 2 / 2
        return np.stack([-0.1 * (1 - w[..., 0]) - 2 * off * w[..., 0], 2 * off], axis=-1)

    return Surface("curved valley", value, gradient, start=(-2.0, 0.0), marks=((1.0, 0.5),))


def _saddle() -> Surface:
    def value(w):
        return 0.5 * w[..., 0] ** 2 + 0.25 * (w[..., 1] ** 2 - 1) ** 2

    def gradient(w):
        return np.stack([w[..., 0], w[..., 1] * (w[..., 1] ** 2 - 1)], axis=-1)

    return Surface("saddle", value, gradient, start=(-2.0, 0.0), marks=((0.0, 1.0), (0.0, -1.0)))


def _two_minima() -> Surface:
    tilt = 0.15

    def value(w):
        return 0.5 * w[..., 1] ** 2 + 0.25 * (w[..., 0] ** 2 - 1) ** 2 + tilt * w[..., 0]

    def gradient(w):
        return np.stack([w[..., 0] * (w[..., 0] ** 2 - 1) + tilt, w[..., 1]], axis=-1)

    deep, _, shallow = sorted(np.roots([1, 0, -1, tilt]).real)
    marks = ((float(deep), 0.0), (float(shallow), 0.0))
    lowest = float(value(np.array([deep, 0.0])))
    return Surface("two minima", value, gradient, start=(2.0, 1.5), marks=marks, lowest=lowest)


def _log_cosh() -> Surface:
    return Surface(
        "log cosh",
        # log cosh w without overflow: |w| + log(1 + exp(−2|w|)) − log 2
        lambda w: (np.abs(w) + np.log1p(np.exp(-2 * np.abs(w))) - np.log(2)).sum(axis=-1),
        np.tanh,
        start=(-2.0, 1.0),
        marks=((0.0, 0.0),),
        curvature=1.0,
        border=False,
    )


def _plateau() -> Surface:
    return Surface(
        "plateau",
        lambda w: 1 - np.exp(-0.5 * (w**2).sum(axis=-1)),
        lambda w: w * np.exp(-0.5 * (w**2).sum(axis=-1, keepdims=True)),
        start=(-2.6, 1.6),
        marks=((0.0, 0.0),),
        curvature=1.0,
        border=False,
    )


def _logistic() -> Surface:
    signed = np.array([[2.0, 1.0], [-1.0, 2.0], [3.0, -2.0]])  # the three examples of chapter 02

    def value(w):
        return np.logaddexp(0, -(w @ signed.T)).mean(axis=-1)

    def gradient(w):
        return -(np.exp(-np.logaddexp(0, w @ signed.T)) @ signed) / 3

    curvature = float(np.linalg.eigvalsh(signed.T @ signed / 3)[-1] / 4)
    return Surface(
        "logistic", value, gradient, start=(0.0, 0.0), marks=(), window=(-3.0, 9.0), curvature=curvature, border=False
    )


SURFACES = {
    surface.name: surface
    for surface in (
        _bowl("long bowl", 1.0, 10.0),
        _bowl("round bowl", 1.0, 1.0),
        _bowl("very long bowl", 0.5, 25.0),
        _valley(),
        _saddle(),
        _two_minima(),
        _log_cosh(),
        _plateau(),
        _logistic(),
    )
}


def surface_labels() -> dict[str, str]:
    """The names of the losses in `SURFACES` → what a reader sees."""
    return {
        "long bowl": say("long bowl"),
        "round bowl": say("round bowl"),
        "very long bowl": say("very long bowl"),
        "curved valley": say("curved valley"),
        "saddle": say("saddle"),
        "two minima": say("two minima"),
        "log cosh": say("log cosh"),
        "plateau": say("plateau"),
        "logistic": say("logistic"),
    }


# ----------------------------------------------------------------------------------------------------- the optimisers
# Each takes the gradient, the number of the step (from 1), its memory and the learning rate, and returns the step and
# the new memory, as in chapter 02.


def _descent(g, t, memory, alpha):
    return -alpha * g, memory


def _momentum(g, t, v, alpha):
    v = MOMENTUM * v - alpha * g
    return v, v


def _rmsprop(g, t, v, alpha, rho=0.9, eps=1e-7):
    v = rho * v + (1 - rho) * g**2
    return -alpha * g / np.sqrt(v + eps), v


def _adam(g, t, memory, alpha, beta_1=0.9, beta_2=0.999, eps=1e-8):
    m, v = memory
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g**2
    m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
    return -alpha * m_hat / (np.sqrt(v_hat) + eps), (m, v)


OPTIMISERS = {
    "gradient descent": (_descent, None),
    "momentum": (_momentum, 0.0),
    "RMSProp": (_rmsprop, 0.0),
    "Adam": (_adam, (0.0, 0.0)),
}


def optimiser_labels() -> dict[str, str]:
    """The names in `OPTIMISERS` → what a reader sees."""
    return {
        "gradient descent": say("gradient descent"),
        "momentum": say("momentum"),
        "RMSProp": say("RMSProp"),
        "Adam": say("Adam"),
    }


def walk(surface: Surface, optimiser: str, start: tuple[float, float], rate: float, steps: int) -> np.ndarray:
    """The points from ``start`` on, float64 (steps + 1, 2); fewer where the path runs further away than a million."""
    rule, memory = OPTIMISERS[optimiser]
    w = np.array(start, dtype=np.float64)
    path = [w]
    for t in range(1, steps + 1):
        step, memory = rule(surface.gradient(w), t, memory, rate)
        w = w + step
        if not np.abs(w).max() <= _FAR:  # also where it is not a number any more
            break
        path.append(w)
    return np.array(path)


# ---------------------------------------------------------------------------------------------------------- the words


def _number(value: float) -> str:
    """A number for a sentence: 0.0042, 3.1, 1,200 or 3 × 10⁻⁹."""
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:,.3g}" if abs(value) < 1e3 else f"{value:,.0f}"
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa} × 10" + str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _fate(surface: Surface, path: np.ndarray, above: np.ndarray, rate: float, steps: int) -> tuple[str, bool]:
    """What became of the path, in words, and whether that deserves a warning. ``above`` is the loss over the lowest."""
    if steps == 0:
        return say("No step yet: this is the start."), False
    if rate == 0:
        return say("With a learning rate of 0 nothing moves."), False
    if len(path) <= steps:
        words = say_many(
            "Diverges: after {n} step it is more than a million away.",
            "Diverges: after {n} steps it is more than a million away.",
            len(path),
        )
        return words, True
    if above[-1] < _ARRIVED:
        return _arrival(surface, above), False
    last = np.linalg.norm(np.diff(path, axis=0), axis=1)[-3:]
    slope = float(np.linalg.norm(surface.gradient(path[-1])))
    loss = _number(above[-1])
    if slope < 1e-2 and last[-1] < 1e-2 and above[-1] > 1e-2:
        in_one = any(np.linalg.norm(path[-1] - mark) < 0.1 for mark in surface.marks)
        return _standstill(in_one, slope, loss), True
    if len(path) > 4 and last.min() > 1e-3 and np.linalg.norm(path[-1] - path[-3]) < 1e-3 * last[-1]:
        words = say(
            "Cycles: two points take turns, {distance} apart, the loss {loss} above the lowest.",
            distance=_number(last[-1]),
            loss=loss,
        )
        return words, True
    if above[-1] > above[0] and above[-1] >= above.max() * 0.5:
        words = say(
            "The loss has grown: it began {first} above the lowest and is now {loss} above the lowest.",
            first=_number(above[0]),
            loss=loss,
        )
        return words, True
    earlier, recent = np.array_split(above[-40:], 2)
    if len(recent) > 4 and (np.diff(recent) > 0).any() and recent.max() > 0.7 * earlier.max():
        return say("Jumps about without settling; the loss is now {loss} above the lowest.", loss=loss), False
    return say("Still on its way: the loss is now {loss} above the lowest.", loss=loss), False


def _arrival(surface: Surface, above: np.ndarray) -> str:
    """From which step on the loss is as good as the lowest."""
    outside = np.flatnonzero(above >= _ARRIVED)
    since = int(outside[-1]) + 1 if len(outside) else 0
    if not surface.marks:
        return say(
            "The loss is below a millionth from step {step} on, and has no minimum to arrive at.",
            step=since,
        )
    return say("Converged: from step {step} on the loss is within a millionth of the lowest.", step=since)


def _standstill(in_a_minimum: bool, slope: float, loss: str) -> str:
    """Where a path has come to rest that has not arrived."""
    if in_a_minimum and slope < 1e-6:
        return say(
            "Stuck in the higher of the two minima: the gradient is zero here, the loss {loss} above the lowest.",
            loss=loss,
        )
    if in_a_minimum:
        return say(
            "Stuck in the higher of the two minima: the gradient is only {slope} here, the loss {loss} above the "
            "lowest.",
            slope=_number(slope),
            loss=loss,
        )
    if slope < 1e-6:
        return say(
            "Stuck where it is flat, and not in a minimum: the gradient is zero here, the loss {loss} above the "
            "lowest.",
            loss=loss,
        )
    return say(
        "Stuck where it is flat, and not in a minimum: the gradient is only {slope} here, the loss {loss} above the "
        "lowest.",
        slope=_number(slope),
        loss=loss,
    )


def _border(surface: Surface, optimiser: str, rate: float) -> str:
    """What the largest curvature says about the learning rate here, or nothing."""
    if surface.border is None or rate == 0 or optimiser not in ("gradient descent", "momentum"):
        return ""
    limit, formula = 2 / surface.curvature, "2/λ"
    if optimiser == "momentum":
        limit, formula = 2 * (1 + MOMENTUM) / surface.curvature, "2(1 + μ)/λ"
    formula = f"{formula} = {limit:.3g} (λ = {surface.curvature:.3g})"
    below, above = rate < limit * (1 - 1e-9), rate > limit * (1 + 1e-9)
    if surface.border:
        if below:
            return say("The rate is below the limit {formula}.", formula=formula)
        if above:
            return say("The rate is above the limit {formula}.", formula=formula)
        return say("The rate is at the limit {formula}.", formula=formula)
    if below:
        return say("The rate is below {formula}, but this loss is no parabola.", formula=formula)
    if above:
        return say("The rate is above {formula}, but this loss is no parabola.", formula=formula)
    return say("The rate is at {formula}, but this loss is no parabola.", formula=formula)


# --------------------------------------------------------------------------------------------------------- the picture


@functools.cache
def _shading(name: str) -> np.ndarray:
    """The surface from above, uint8 (pixels, pixels, 3): bands of equal steps in the cube root, dark is low."""
    surface = SURFACES[name]
    low, high = surface.window
    middles = low + (np.arange(_PIXELS) + 0.5) * (high - low) / _PIXELS
    points = np.stack(np.meshgrid(middles, middles[::-1]), axis=-1)
    above = np.maximum(surface.value(points) - surface.lowest, 0)
    level = np.cbrt(above / above.max())
    level = np.minimum(np.floor(level * _BANDS), _BANDS - 1) / (_BANDS - 1)
    pixels = np.round(_DARK + (_LIGHT - _DARK) * level[..., None]).astype("uint8")
    pixels.setflags(write=False)
    return pixels


def scene(name: str, optimiser: str, start: tuple[float, float], rate: float, steps: int) -> Scene:
    """The path on the surface, the loss over the steps, and the sentence that says what became of it."""
    surface = SURFACES[name]
    low, high = surface.window
    path = walk(surface, optimiser, start, rate, steps)
    above = np.maximum(surface.value(path) - surface.lowest, 0.0)
    fate, warning = _fate(surface, path, above, rate, steps)
    outside = (np.abs(path[-1] - (low + high) / 2) > (high - low) / 2).any() and len(path) > steps
    left = say("The path has left the picture.") if outside else ""
    sentence = paragraph(fate, _border(surface, optimiser, rate), left)

    marks = (
        [Points(*zip(*surface.marks, strict=True), series=6, label=say("minimum"), size=13)] if surface.marks else []
    )
    above_panel = Panel(
        "surface",
        (low, high),
        (low, high),
        [
            Picture(_shading(name), (low, high), (low, high), smooth=True),
            *marks,
            Line(path[:, 0], path[:, 1], series=1, label=say("path"), dash="solid"),
            Points(path[:, 0], path[:, 1], series=1, size=6),
            Handle("start", *start, say("start")),
        ],
        title=say("{surface}: dark is low", surface=capital(surface_labels()[name])),
        x_title="w₁",
        y_title="w₂",
        aspect=1.0,
    )
    shown = np.clip(above, _FLOOR, _CEILING)
    last = max(steps, 1)
    loss_panel = Panel(
        "loss",
        (0, last),
        (_FLOOR, _CEILING),
        [
            Line([0, last], [_ARRIVED, _ARRIVED], colour="#6B7280", dash="dot", width=1.0, label=say("a millionth")),
            Line(np.arange(len(path)), shown, series=1, dash="solid", label=say("loss")),
            Points([len(path) - 1], shown[-1:], series=1, size=8),
        ],
        title=say("{optimiser}, rate {rate:g}", optimiser=capital(optimiser_labels()[optimiser]), rate=rate),
        x_title=say("step"),
        y_title=say("loss above the lowest"),
        logarithmic="y",
        aspect=1.0,
    )
    return Scene([above_panel, loss_panel], sentence, warning=warning)


def _surface(name: str) -> Surface:
    return SURFACES[known(name, SURFACES, say("There is no surface {name!r}.", name=name))]


def _optimiser(name: str) -> str:
    return known(name, OPTIMISERS, say("There is no optimiser {name!r}.", name=name))


def descent_picture(
    surface: str,
    optimiser: str,
    rate: float,
    steps: int,
    *,
    alt: str,
    start: tuple[float, float] | None = None,
) -> "go.Figure":
    """A path on a loss as a plotly figure. ``alt`` states the finding; ``start`` is by default the surface's own.

    Raises CourseError for a surface or an optimiser that does not exist.
    """
    begin = _surface(surface).start if start is None else start
    figure = as_figure(scene(surface, _optimiser(optimiser), begin, rate, steps), alt=alt)
    return figure.update_xaxes(showgrid=False, col=1).update_yaxes(showgrid=False, col=1)


def descent(
    surface: str = "long bowl", optimiser: str = "gradient descent", rate: float = 0.19, steps: int = 40
) -> "Stage":
    """The explorer: choose a loss and an optimiser, drag the start, move the learning rate and the number of steps.

    Raises CourseError for a surface or an optimiser that does not exist.
    """
    from course_utils.explorers.stage import Choice, Event, Slider, Stage

    place = {"name": surface, "start": _surface(surface).start}

    def respond(event: Event) -> Scene:
        chosen = event.values["surface"]
        if chosen != place["name"]:
            place.update(name=chosen, start=SURFACES[chosen].start)
        low, high = SURFACES[chosen].window
        if event.kind == "drag" and np.isfinite([event.x, event.y]).all():
            place["start"] = tuple(float(np.clip(at, low, high)) for at in (event.x, event.y))
        return scene(
            chosen, event.values["optimiser"], place["start"], event.values["rate"], int(event.values["steps"])
        )

    return Stage(
        say("Descent"),
        [
            Choice("surface", say("Loss"), surface_labels(), surface),
            Choice("optimiser", say("Optimiser"), optimiser_labels(), _optimiser(optimiser)),
            Slider("rate", say("Learning rate"), RATES, rate),
            Slider("steps", say("Steps"), STEPS, steps),
        ],
        respond,
    )
