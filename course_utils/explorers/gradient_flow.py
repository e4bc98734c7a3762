"""The explorer of chapter 05: how much of a gradient is left after a hundred steps back, as the weights are turned."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from course_utils.explorers.scene import Line, Panel, Points, Scene, as_figure, known, paragraph
from course_utils.language import say

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from course_utils.explorers.stage import Stage

UNITS = 16
CELLS = 8  # units of the LSTM, whose state is twice as long: h and c
NETWORKS = ("linear", "tanh", "ReLU", "LSTM")
STARTS = ("random", "orthogonal", "identity")
RADII = tuple(round(0.05 * i, 2) for i in range(41))
BIASES = tuple(-2 + 0.5 * i for i in range(19))
LENGTHS = (10, 20, 50, 100, 200)
_DECADES = 32  # the picture reaches from 10⁻³² to 10³²
_NOISE = 0.4  # what the networks read, as in the chapter


def network_labels() -> dict[str, str]:
    """The names in `NETWORKS` → what a reader sees."""
    return {"linear": say("linear"), "tanh": say("tanh"), "ReLU": say("ReLU"), "LSTM": say("LSTM")}


def start_labels() -> dict[str, str]:
    """The names in `STARTS` → what a reader sees."""
    return {"random": say("random"), "orthogonal": say("orthogonal"), "identity": say("identity")}


@dataclass(frozen=True)
class Measured:
    """``sizes[k]`` is the norm of ∂s_T/∂s_{T−k}, for the states s; ``last`` the matrix of the last step."""

    sizes: np.ndarray
    last: np.ndarray
    keeps: float  # what the rule of thumb keeps at each step: the radius, or the forget gate of its bias alone


def start_matrix(start: str, draw: int, block: int = 0, units: int = UNITS) -> np.ndarray:
    """A recurrent matrix of spectral radius 1, (units, units)."""
    random = np.random.default_rng([draw, block]).normal(size=(units, units))
    if start == "random":
        return random / np.abs(np.linalg.eigvals(random)).max()
    return np.eye(units) if start == "identity" else np.linalg.qr(random)[0]


def inputs_of(draw: int, steps: int, width: int) -> np.ndarray:
    """What noise adds inside f at each step, (steps, width)."""
    random = np.random.default_rng([draw, 99])
    weights = random.normal(size=(1, width))
    return _NOISE * random.normal(size=(steps, 1)) @ weights


def rnn_steps(network: str, W_h: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """The matrix of each step of a plain network, ∂h_t/∂h_{t−1}, (steps, units, units); rows: from, columns: to.

    ``W_h`` is (units, units), ``inputs`` (steps, units): what is added inside f.
    """
    h, slopes = np.zeros(len(W_h)), np.ones_like(inputs)
    for t, x in enumerate(inputs):
        z = h @ W_h + x
        if network == "tanh":
            h = np.tanh(z)
            slopes[t] = 1 - h**2
        elif network == "ReLU":
            h = np.maximum(z, 0)
            slopes[t] = h > 0
    return W_h * slopes[:, None, :]


def lstm_steps(U: np.ndarray, bias: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """The matrix of each step of an LSTM, from (h, c) to the next (h, c), (steps, 2 units, 2 units).

    ``U`` is (units, 4 units), ``bias`` (4 units,), ``inputs`` (steps, 4 units).
    """
    n = len(U)
    h, c = np.zeros(n), np.zeros(n)
    steps = np.zeros((len(inputs), 2 * n, 2 * n))
    for step, x in zip(steps, inputs, strict=True):
        z = h @ U + x + bias
        gates = 1 / (1 + np.exp(-z))
        i, f, o, g = gates[:n], gates[n : 2 * n], gates[3 * n :], np.tanh(z[2 * n : 3 * n])
        slopes = np.concatenate([g * i * (1 - i), c * f * (1 - f), i * (1 - g**2)])
        c = f * c + i * g
        squashed = np.tanh(c)
        h = o * squashed
        through = o * (1 - squashed**2)
        by_c = (U[:, : 3 * n] * slopes).reshape(n, 3, n).sum(axis=1)
        step[:n, n:] = by_c
        step[n:, n:] = np.diag(f)
        step[:n, :n] = U[:, 3 * n :] * (squashed * o * (1 - o)) + by_c * through
        step[n:, :n] = np.diag(f * through)
    return steps


def sizes_back(steps: np.ndarray) -> np.ndarray:
    """The norm of the product of the last k of the matrices (n, d, d), for k = 0 to all of them: (n + 1,)."""
    products = np.empty((len(steps) + 1, *steps.shape[1:]))
    products[0] = np.eye(steps.shape[1])
    for k, step in enumerate(steps[::-1], start=1):
        np.matmul(step, products[k - 1], out=products[k])
    return largest_stretch(products)


def largest_stretch(matrices: np.ndarray) -> np.ndarray:
    """The spectral norms (n,) of matrices (n, d, d): the root of the largest eigenvalue of AᵀA, each scaled first."""
    scale = np.abs(matrices).max(axis=(1, 2))
    scaled = matrices / np.where(scale > 0, scale, 1)[:, None, None]
    largest = np.linalg.eigvalsh(scaled.transpose(0, 2, 1) @ scaled)[:, -1]
    return scale * np.sqrt(np.maximum(largest, 0))


def measure(network: str, start: str, radius: float, forget: float, length: int, draw: int = 0) -> Measured:
    """How a gradient fares in one network on noise; the last four as in the controls."""
    if network == "LSTM":
        U = radius * np.concatenate([start_matrix(start, draw, block, CELLS) for block in range(4)], axis=1)
        bias = np.zeros(4 * CELLS)
        bias[:CELLS], bias[CELLS : 2 * CELLS] = -forget, forget
        steps = lstm_steps(U, bias, inputs_of(draw, length, 4 * CELLS))
        keeps = float(1 / (1 + np.exp(-forget)))
    else:
        steps = rnn_steps(network, radius * start_matrix(start, draw), inputs_of(draw, length, UNITS))
        keeps = radius
    return Measured(sizes_back(steps), steps[-1], keeps)


def power(value: float) -> str:
    """A number as a reader writes it: 0.42, 3.1, or 2·10⁻¹⁴."""
    if value == 0:
        return "0"
    exponent = int(np.floor(np.log10(value)))
    if -3 <= exponent <= 3:
        return f"{value:.2g}" if value < 100 else f"{value:.0f}"
    mantissa = round(value / 10.0**exponent)
    if mantissa == 10:
        mantissa, exponent = 1, exponent + 1
    return f"{mantissa}·10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def sentence(network: str, radius: float, forget: float, measured: Measured) -> str:
    """What one sees, with its numbers."""
    size, steps = float(measured.sizes[-1]), len(measured.sizes) - 1
    if size == 0:
        return paragraph(_lost_at(network, radius, forget, measured.sizes), say("Nothing earlier can be learned."))
    fields = {
        "network": network_labels()[network],
        "radius": radius,
        "bias": forget,
        "n": steps,
        "size": power(size),
        "each": size ** (1 / steps),
        "expected": power(float(measured.keeps) ** steps),
    }
    if network == "LSTM":
        found = say(
            "{network}, radius {radius:.2f}, forget bias {bias:g}: {n} steps back the gradient is {size} of its length "
            "at the end, a factor of {each:.2f} a step.",
            **fields,
        )
        expected = say("By the forget gate's bias alone it would be {expected}.", **fields)
    else:
        found = say(
            "{network}, radius {radius:.2f}: {n} steps back the gradient is {size} of its length at the end, a factor "
            "of {each:.2f} a step.",
            **fields,
        )
        expected = say("By the radius alone it would be {expected}.", **fields)
    return paragraph(found, _fate(size), expected)


def _fate(size: float) -> str:
    if size < 1e-3:
        return say("It vanishes.")
    return say("It explodes.") if size > 1e3 else say("It stays within reach.")


def _lost_at(network: str, radius: float, forget: float, sizes: np.ndarray) -> str:
    """From which step back on nothing is left of the gradient."""
    fields = {"network": network_labels()[network], "radius": radius, "bias": forget, "n": int(np.argmax(sizes == 0))}
    if network == "LSTM" and fields["n"] == 1:
        return say(
            "{network}, radius {radius:.2f}, forget bias {bias:g}: the gradient is 0 after a single step, and has no "
            "place on a logarithmic axis.",
            **fields,
        )
    if network == "LSTM":
        return say(
            "{network}, radius {radius:.2f}, forget bias {bias:g}: the gradient is 0 from {n} steps back on, and has "
            "no place on a logarithmic axis.",
            **fields,
        )
    if fields["n"] == 1:
        return say(
            "{network}, radius {radius:.2f}: the gradient is 0 after a single step, and has no place on a logarithmic "
            "axis.",
            **fields,
        )
    return say(
        "{network}, radius {radius:.2f}: the gradient is 0 from {n} steps back on, and has no place on a logarithmic "
        "axis.",
        **fields,
    )


def _logarithm(values: np.ndarray) -> np.ndarray:
    """Powers of ten, with a gap where there is nothing to take the logarithm of."""
    with np.errstate(divide="ignore"):
        return np.where(values > 0, np.log10(np.where(values > 0, values, 1.0)), np.nan)


def scene(network: str, start: str, radius: float, forget: float, length: int, draw: int = 0) -> Scene:
    """The gradient over the steps back, and the eigenvalues beside the unit circle."""
    measured = measure(network, start, radius, forget, length, draw)
    k = np.arange(length + 1)
    rule = say("forget gate alone") if network == "LSTM" else say("radius alone")
    alone = _logarithm(np.float64(measured.keeps) ** k)
    gradient = Panel(
        "gradient",
        (0, length),
        (-_DECADES, _DECADES),
        [
            Line([0, length], [0, 0], colour="#6B7280", dash="solid", width=1),
            Line(k, alone, series=2, label=rule),
            Line(k, _logarithm(measured.sizes), series=0, label=say("measured"), width=3),
        ],
        title=say("Size of the gradient"),
        x_title=say("steps back from the end"),
        y_title=say("share of its length (log)"),
        ticks_y=[(p, "1" if p == 0 else power(10.0**p)[2:]) for p in range(-24, 25, 8)],
        weight=1.25,
    )
    angle = np.linspace(0, 2 * np.pi, 73)
    layers: list = [Line(np.cos(angle), np.sin(angle), colour="#6B7280", dash="dash", label=say("radius 1"), width=1.5)]
    if network != "LSTM":
        own = np.linalg.eigvals(radius * start_matrix(start, draw))
        layers.append(Points(own.real, own.imag, series=2, label=say("of W_h"), size=8))
    values = np.linalg.eigvals(measured.last)
    layers.append(Points(values.real, values.imag, series=0, label=say("of the last step"), size=6))
    eigenvalues = Panel(
        "eigenvalues", (-2.2, 2.2), (-2.2, 2.2), layers, title=say("Eigenvalues"), x_title=say("real part"),
        y_title=say("imaginary part"), aspect=1.0,
    )  # fmt: skip
    words = sentence(network, radius, forget, measured)
    return Scene([gradient, eigenvalues], words, warning=bool(measured.sizes[-1] > 1e3))


def _checked(network: str, start: str) -> None:
    known(network, NETWORKS, say("There is no network {name!r}.", name=network))
    known(start, STARTS, say("There is no start {name!r}.", name=start))


def gradient_over_time(
    network: str = "tanh", start: str = "random", radius: float = 1.0, forget: float = 1.0, length: int = 100
) -> "Stage":
    """The live explorer: turn the recurrent weight, and see how much of a gradient is left over the steps back.

    Raises CourseError for a network or a start that does not exist.
    """
    from course_utils.explorers.stage import Button, Choice, Event, Slider, Stage

    _checked(network, start)
    draw = 0

    def respond(event: Event) -> Scene:
        nonlocal draw
        draw += event.kind == "press"
        v = event.values
        return scene(v["network"], v["start"], v["radius"], v["forget"], int(v["length"]), draw)

    return Stage(
        say("The gradient over time"),
        [
            Choice("network", say("network"), network_labels(), network),
            Choice("start", say("recurrent weights"), start_labels(), start),
            Slider("radius", say("spectral radius"), RADII, radius),
            Slider("forget", say("forget bias (LSTM)"), BIASES, forget),
            Slider("length", say("steps"), LENGTHS, length),
            Button("draw", say("Another draw")),
        ],
        respond,
    )


def gradient_over_time_picture(
    network: str = "tanh",
    start: str = "random",
    radius: float = 1.0,
    forget: float = 1.0,
    length: int = 100,
    *,
    alt: str,
) -> "go.Figure":
    """The same as a plotly figure, for readers without a kernel.

    Raises CourseError for a network or a start that does not exist, and for an empty ``alt``.
    """
    _checked(network, start)
    return as_figure(scene(network, start, radius, forget, length), alt=alt)
