"""What an explorer shows: panels with axes, made of a few kinds of layers, as plain data.

A `Scene` is drawn in two ways: live by the `Stage` widget, and as a plotly figure by `as_figure`, for readers without a
kernel. Whoever writes an explorer writes one pure function from the controls' values to a Scene.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils import figures
from course_utils.errors import CourseError, near_misses
from course_utils.language import say

if TYPE_CHECKING:
    import plotly.graph_objects as go

INK_COLOUR = "#1F2937"
_SYMBOLS = figures.SYMBOLS
_DASHES = {
    "solid": [], "dash": [8, 5], "dot": [2, 4], "dashdot": [8, 4, 2, 4], "longdash": [14, 5],
    "longdashdot": [14, 4, 2, 4],
}  # fmt: skip


def paragraph(*sentences: str) -> str:
    """Whole sentences as one text; empty ones are left out."""
    return " ".join(sentence for sentence in sentences if sentence)


def capital(text: str) -> str:
    """A label at the beginning of a line: "long bowl" → "Long bowl"."""
    return text[:1].upper() + text[1:]


def _numbers(values: Any, axis: str) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise CourseError(
            say("The {axis} of a line or of points must be a list of numbers; it has shape {shape}.",
                axis=axis, shape=array.shape)
        )  # fmt: skip
    return array


@dataclass(frozen=True)
class Picture:
    """Pixels, uint8 (height, width, 3), the first row on top; ``x`` is (left, right), ``y`` (bottom, top)."""

    pixels: np.ndarray
    x: tuple[float, float]
    y: tuple[float, float]
    smooth: bool = False

    def __post_init__(self) -> None:
        pixels = np.asarray(self.pixels)
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
            raise CourseError(
                say("A Picture needs uint8 (height, width, 3); it got {kind} {shape}.",
                    kind=pixels.dtype, shape=pixels.shape)
            )  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A line through points. ``series`` (0 to 6) chooses colour and dash together; gaps stand where a value is NaN."""

    x: Sequence[float]
    y: Sequence[float]
    series: int = 0
    label: str = ""
    width: float = 2.0
    colour: str | None = None
    dash: str | None = None


@dataclass(frozen=True)
class Points:
    """Points. ``series`` (0 to 6) chooses colour and symbol together; ``size`` is their width in CSS pixels."""

    x: Sequence[float]
    y: Sequence[float]
    series: int = 0
    label: str = ""
    size: float = 7.0
    colour: str | None = None
    outline: str = "#FFFFFF"


@dataclass(frozen=True)
class Box:
    """A rectangle, filled or (``filled`` False) as a frame; ``text`` stands in its middle."""

    x: tuple[float, float]
    y: tuple[float, float]
    series: int = 0
    filled: bool = True
    text: str = ""
    colour: str | None = None
    width: float = 2.0


@dataclass(frozen=True)
class Text:
    """Words at places: ``texts[i]`` at (x[i], y[i]). ``anchor`` is left, center or right; ``size`` in CSS pixels."""

    x: Sequence[float]
    y: Sequence[float]
    texts: Sequence[str]
    anchor: str = "center"
    size: float = 12.0
    colour: str = INK_COLOUR
    bold: bool = False


@dataclass(frozen=True)
class Handle:
    """A point that the reader may take and drag; the explorer hears of it as an event of the kind "drag"."""

    name: str
    x: float
    y: float
    label: str


Layer = Picture | Line | Points | Box | Text | Handle


@dataclass(frozen=True)
class Panel:
    """One pair of axes with layers, drawn in their order.

    ``x`` and ``y`` are the ends of the axes (``y`` may run downwards). ``logarithmic`` is "", "x", "y" or "xy".
    ``ticks_x`` and ``ticks_y`` are (place, label) pairs; None chooses them. ``weight`` shares out the width between
    panels, ``aspect`` is height over width. With ``hover`` the explorer hears of the pointer over whole units ("hover",
    ``event.x`` and ``event.y`` rounded down). ``axes=False`` draws neither lines nor ticks (images).
    """

    name: str
    x: tuple[float, float]
    y: tuple[float, float]
    layers: Sequence[Layer]
    title: str = ""
    x_title: str = ""
    y_title: str = ""
    logarithmic: str = ""
    ticks_x: Sequence[tuple[float, str]] | None = None
    ticks_y: Sequence[tuple[float, str]] | None = None
    weight: float = 1.0
    aspect: float = 0.8
    hover: bool = False
    axes: bool = True

    def __post_init__(self) -> None:
        for which, ends in (("x", self.x), ("y", self.y)):
            if not np.isfinite(ends).all() or ends[0] == ends[1]:
                raise CourseError(
                    say("The {axis} axis of {panel} runs from {first} to {last}: it has no length.",
                        axis=which, panel=self.name, first=ends[0], last=ends[1])
                )  # fmt: skip
            if which in self.logarithmic and min(ends) <= 0:
                raise CourseError(
                    say("The {axis} axis of {panel} is logarithmic and begins at {first}.",
                        axis=which, panel=self.name, first=min(ends))
                )  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """Panels side by side, and the sentence below them that says what they show.

    ``playing`` True asks for the next "tick" as soon as this scene is on the screen; None leaves it as it is.
    """

    panels: Sequence[Panel]
    sentence: str
    playing: bool | None = None
    warning: bool = field(default=False)


# ---------------------------------------------------------------------------------------------------- ticks and scales


def known(name: str, names: Iterable[str], refusal: str) -> str:
    """A name that is among ``names``. Raises CourseError with ``refusal``, a sentence, and the nearest of them."""
    if name not in names:
        raise CourseError(refusal + near_misses(str(name), list(names)))
    return name


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About ``count`` round numbers between ``low`` and ``high``: steps of 1, 2 or 5 times a power of ten."""
    low, high = min(low, high), max(low, high)
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12 - math.floor(math.log10(step))) for i in range(first, last + 1)]


def _logarithmic_ticks(low: float, high: float) -> list[tuple[float, str]]:
    first, last = math.ceil(math.log10(min(low, high)) - 1e-9), math.floor(math.log10(max(low, high)) + 1e-9)
    every = max(1, -(-(last - first) // 6))
    return [(float(10.0**k), _power(k)) for k in range(first, last + 1) if (k - first) % every == 0]


def _power(k: int) -> str:
    if -3 <= k <= 4:
        return f"{10.0**k:g}"
    return "10" + str(k).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _ticks(panel: Panel, which: str) -> list[tuple[float, str]]:
    given = panel.ticks_x if which == "x" else panel.ticks_y
    ends = panel.x if which == "x" else panel.y
    if given is not None:
        return [(float(place), str(label)) for place, label in given]
    if which in panel.logarithmic:
        return _logarithmic_ticks(*ends)
    return [(place, f"{place:g}".replace("-", "−")) for place in nice_ticks(*ends)]


def _scaled(values: Any, logarithmic: bool) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if not logarithmic:
        return array
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(array > 0, np.log10(np.where(array > 0, array, 1.0)), np.nan)


# ------------------------------------------------------------------------------------------------ for the Stage widget


def _bytes(values: np.ndarray) -> bytes:
    """float32 for the browser; what is too large for it stays finite and outside of every axis."""
    return np.clip(values, -3e38, 3e38).astype("<f4").tobytes()


def colour_of(layer: Any) -> str:
    """A layer's own colour, or that of its series."""
    return layer.colour or figures.COLOURS[layer.series % len(figures.COLOURS)]


def _layer(layer: Layer, panel: Panel) -> dict:
    def xs(values: Any) -> np.ndarray:
        return _scaled(values, "x" in panel.logarithmic)

    def ys(values: Any) -> np.ndarray:
        return _scaled(values, "y" in panel.logarithmic)

    if isinstance(layer, Picture):
        height, width, _ = layer.pixels.shape
        return {
            "kind": "picture", "pixels": np.ascontiguousarray(layer.pixels).tobytes(), "height": height, "width": width,
            "x": xs(layer.x).tolist(), "y": ys(layer.y).tolist(), "smooth": layer.smooth,
        }  # fmt: skip
    if isinstance(layer, Line | Points):
        x, y = _numbers(layer.x, "x"), _numbers(layer.y, "y")
        if x.shape != y.shape:
            raise CourseError(say("A layer has {x} x and {y} y: it needs as many of each.", x=len(x), y=len(y)))
        common = {"x": _bytes(xs(x)), "y": _bytes(ys(y)), "colour": colour_of(layer), "label": layer.label}
        if isinstance(layer, Line):
            dash = _DASHES[layer.dash or figures.DASHES[layer.series % len(figures.DASHES)]]
            return {"kind": "line", "dash": dash, "width": layer.width, **common}
        symbol = _SYMBOLS[layer.series % len(_SYMBOLS)]
        return {"kind": "points", "symbol": symbol, "size": layer.size, "outline": layer.outline, **common}
    if isinstance(layer, Box):
        return {
            "kind": "box", "x": xs(layer.x).tolist(), "y": ys(layer.y).tolist(), "colour": colour_of(layer),
            "filled": layer.filled, "text": layer.text, "width": layer.width,
        }  # fmt: skip
    if isinstance(layer, Text):
        return {
            "kind": "text", "x": xs(layer.x).tolist(), "y": ys(layer.y).tolist(), "texts": list(map(str, layer.texts)),
            "anchor": layer.anchor, "size": layer.size, "colour": layer.colour, "bold": layer.bold,
        }  # fmt: skip
    place = {"x": float(xs(layer.x)), "y": float(ys(layer.y))}
    return {"kind": "handle", "name": layer.name, "label": layer.label, **place}


def for_browser(scene: Scene) -> dict:
    """A Scene as what the Stage's JavaScript draws: linear axes, ticks and labels all worked out."""
    panels = []
    for panel in scene.panels:
        log_x, log_y = "x" in panel.logarithmic, "y" in panel.logarithmic
        panels.append(
            {
                "name": panel.name,
                "title": panel.title,
                "x": _scaled(panel.x, log_x).tolist(),
                "y": _scaled(panel.y, log_y).tolist(),
                "x_title": panel.x_title,
                "y_title": panel.y_title,
                "ticks_x": [[float(_scaled(at, log_x)), text] for at, text in _ticks(panel, "x")],
                "ticks_y": [[float(_scaled(at, log_y)), text] for at, text in _ticks(panel, "y")],
                "logarithmic": panel.logarithmic,
                "weight": panel.weight,
                "aspect": panel.aspect,
                "hover": panel.hover,
                "axes": panel.axes,
                "layers": [_layer(layer, panel) for layer in panel.layers],
            }
        )
    return {"panels": panels, "sentence": scene.sentence, "playing": scene.playing, "warning": scene.warning}


# --------------------------------------------------------------------------------------------------- as a plotly figure


def as_figure(scene: Scene, *, alt: str, title: str | None = None, width: int = 760) -> "go.Figure":
    """A Scene as a plotly figure, for readers without a kernel; the scene's sentence stands in the text, not here."""
    from plotly.subplots import make_subplots

    if not str(alt).strip():
        raise CourseError(say("A figure needs alt: one sentence that states what it shows."))
    panels = list(scene.panels)
    weights = [panel.weight for panel in panels]
    figure = make_subplots(
        rows=1,
        cols=len(panels),
        column_widths=[weight / sum(weights) for weight in weights],
        horizontal_spacing=0.26 / len(panels) if len(panels) > 1 else 0,
        subplot_titles=[panel.title for panel in panels],
    )
    named = 0
    for column, panel in enumerate(panels, start=1):
        for layer in panel.layers:
            named += bool(getattr(layer, "label", "")) and not isinstance(layer, Handle)
            _add(figure, layer, panel, column)
        for which, ends, axis_title in (("x", panel.x, panel.x_title), ("y", panel.y, panel.y_title)):
            log = which in panel.logarithmic
            ticks = _ticks(panel, which)
            update = figure.update_xaxes if which == "x" else figure.update_yaxes
            update(
                type="log" if log else "linear",
                range=_scaled(ends, log).tolist(),
                title_text=axis_title,
                tickvals=[at for at, _ in ticks],
                ticktext=[text for _, text in ticks],
                visible=panel.axes,
                showgrid=panel.axes,
                row=1,
                col=column,
            )
        for image in [layer for layer in panel.layers if isinstance(layer, Picture)]:
            left, bottom = _scaled(image.x[0], "x" in panel.logarithmic), _scaled(image.y[1], "y" in panel.logarithmic)
            right, low = _scaled(image.x[1], "x" in panel.logarithmic), _scaled(image.y[0], "y" in panel.logarithmic)
            figure.add_layout_image(
                source=figures.png(np.asarray(image.pixels)),
                x=float(left), y=float(bottom), sizex=float(abs(right - left)), sizey=float(abs(bottom - low)),
                xanchor="left", yanchor="top", sizing="stretch", layer="below", row=1, col=column,
            )  # fmt: skip
    tallest = max(panel.aspect * panel.weight / sum(weights) for panel in panels)
    figure.update_layout(
        showlegend=named > 0,
        legend={"orientation": "h", "y": 1.1, "yanchor": "bottom", "x": 0},
        meta={"alt": alt},
        width=width,
        height=round(tallest * (width - 80)) + 150,
        margin={"t": 90 if named else 60},
    )
    if title:
        figure.update_layout(title={"text": title})
    return figure


def _shortened(values: Any) -> np.ndarray:
    """Six significant digits, which a logarithmic axis needs at any size; what is stored stays small."""
    return np.array([float(f"{value:.6g}") for value in np.asarray(values, dtype=np.float64)])


def _add(figure: "go.Figure", layer: Layer, panel: Panel, column: int) -> None:
    import plotly.graph_objects as go

    place = {"row": 1, "col": column}
    if isinstance(layer, Line | Points):
        line = isinstance(layer, Line)
        index = layer.series % len(figures.COLOURS)
        style: dict = {"mode": "lines" if line else "markers", "name": layer.label, "showlegend": bool(layer.label)}
        if line:
            style["line"] = {
                "color": colour_of(layer),
                "dash": layer.dash or figures.DASHES[index],
                "width": layer.width,
            }
        else:
            outline = {"color": layer.outline, "width": 1}
            style["marker"] = {
                "color": colour_of(layer),
                "symbol": _SYMBOLS[index],
                "size": layer.size,
                "line": outline,
            }
        x, y = (_shortened(values) for values in (layer.x, layer.y))
        figure.add_trace(go.Scatter(x=x, y=y, **style), **place)
    elif isinstance(layer, Box):
        fill = colour_of(layer) if layer.filled else "rgba(0,0,0,0)"
        shape = {"x0": layer.x[0], "x1": layer.x[1], "y0": layer.y[0], "y1": layer.y[1]}
        figure.add_shape(
            type="rect", fillcolor=fill, line={"color": colour_of(layer), "width": layer.width}, **shape, **place
        )
        if layer.text:
            middle = {"x": sum(layer.x) / 2, "y": sum(layer.y) / 2}
            colour = "#FFFFFF" if layer.filled else INK_COLOUR
            figure.add_annotation(
                text=layer.text, showarrow=False, font={"size": 12, "color": colour}, **middle, **place
            )
    elif isinstance(layer, Text):
        for x, y, text in zip(layer.x, layer.y, layer.texts, strict=True):
            words = f"<b>{text}</b>" if layer.bold else str(text)
            font = {"size": layer.size, "color": layer.colour}
            at = {
                "x": float(_scaled(x, "x" in panel.logarithmic)),
                "y": float(_scaled(y, "y" in panel.logarithmic)),
                "xanchor": layer.anchor,
            }
            figure.add_annotation(text=words, showarrow=False, font=font, **at, **place)
    elif isinstance(layer, Handle):
        marker = {"color": INK_COLOUR, "symbol": "circle-open", "size": 16, "line": {"width": 3}}
        figure.add_trace(go.Scatter(x=[layer.x], y=[layer.y], mode="markers", name=layer.label, marker=marker), **place)
