"""One window at a time: an image, a kernel, their products and the map of all sums, in the manner of CNN Explainer.

Z. J. Wang and others, "CNN Explainer", IEEE Transactions on Visualization and Computer Graphics 27 (2021), 1396-1406.
Pixels and weights are whole numbers, so that a reader can check each sum.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from course_utils import figures
from course_utils.errors import CourseError
from course_utils.explorers.scene import (
    INK_COLOUR,
    Box,
    Layer,
    Panel,
    Picture,
    Scene,
    Text,
    as_figure,
    known,
    paragraph,
)  # fmt: skip
from course_utils.language import say

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from course_utils.explorers.stage import Stage

# name -> whole numbers, and what their sum is divided by
KERNELS: dict[str, tuple[np.ndarray, int]] = {
    "vertical edges": (np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]]), 1),
    "horizontal edges": (np.array([[1, 2, 1], [0, 0, 0], [-1, -2, -1]]), 1),
    "blur": (np.ones((3, 3), int), 9),
    "sharpen": (np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]), 1),
    "emboss": (np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]), 1),
    "identity": (np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]]), 1),
    "random": (np.array([[2, -1, 0], [3, -2, 1], [-3, 0, -1]]), 1),
}
AS_IT_IS, FLIPPED = "correlation", "convolution"  # how the kernel is laid on
_LEAST, _MOST = 7, 28  # pixels a side: a kernel of 3 with dilation 3 spans 7
_FRAME = figures.COLOURS[1]


@functools.cache
def images() -> dict[str, np.ndarray]:
    """The explorer's own images, 16 × 16 whole numbers from 0 (paper) to 9 (ink): a digit, a photograph, a scratch."""
    from course_utils import data
    from course_utils.data import colour

    zero = data.load("digits").train.images[10].reshape(14, 2, 14, 2).mean(axis=(1, 3))
    flower = colour.photographs()[1][60:380, 150:470].mean(axis=2).reshape(16, 20, 16, 20).mean(axis=(1, 3))
    ink = 255 * (flower.max() - flower) / (flower.max() - flower.min())
    scratch = np.zeros((16, 16))
    scratch[4:10, 6:12] = 255 * (np.tri(6, k=1) - np.tri(6, k=-2))
    return {"digit": levels(np.pad(zero, 1)), "photograph": levels(ink), "scratch": levels(scratch)}


def image_labels(pictures: Mapping[str, np.ndarray]) -> dict[str, str]:
    """The images' names → what a reader sees: a reader's own names as they are."""
    own = {"digit": say("digit"), "photograph": say("photograph"), "scratch": say("scratch")}
    return {name: own.get(name, name) for name in pictures}


def kernel_labels() -> dict[str, str]:
    """The names in `KERNELS` → what a reader sees."""
    return {
        "vertical edges": say("vertical edges"),
        "horizontal edges": say("horizontal edges"),
        "blur": say("blur"),
        "sharpen": say("sharpen"),
        "emboss": say("emboss"),
        "identity": say("identity"),
        "random": say("random"),
    }


def direction_labels() -> dict[str, str]:
    """The two ways of laying a kernel on → what a reader sees."""
    return {AS_IT_IS: say("as it is (correlation)"), FLIPPED: say("flipped (convolution)")}


def levels(image: np.ndarray) -> np.ndarray:
    """Pixels (height, width) from 0 to 255 as whole numbers from 0 to 9."""
    return np.rint(np.clip(np.nan_to_num(np.asarray(image, dtype=np.float64)), 0, 255) * 9 / 255).astype(int)


@dataclass(frozen=True)
class Settings:
    """What is slid over what, and which place is looked at (cut back to the map where it lies outside)."""

    image: str = "digit"
    kernel: str = "vertical edges"
    direction: str = AS_IT_IS
    padding: int = 0
    stride: int = 1
    dilation: int = 1
    row: int = 5
    column: int = 5


def convolve(image: np.ndarray, kernel: np.ndarray, padding: int, stride: int, dilation: int) -> np.ndarray:
    """All sums of products of an image (height, width) and a kernel (k, l), whole numbers (rows, columns).

    The image is padded with zeros, the kernel not flipped.
    """
    span = [dilation * (k - 1) + 1 for k in kernel.shape]
    seen = sliding_window_view(np.pad(image, padding), span)[::stride, ::stride, ::dilation, ::dilation]
    return np.einsum("xyij,ij->xy", seen, kernel)


def _signed(value: int) -> str:
    return str(value).replace("-", "−")


def _product(pixel: int, weight: int) -> str:
    return f"{pixel}·{weight}" if weight >= 0 else f"{pixel}·(−{-weight})"


def _grid(numbers: np.ndarray, left: float, top: float, *, signed: bool, limit: float) -> list:
    """A small table of numbers on coloured cells: a picture, lines between the cells, and the numbers."""
    height, width = numbers.shape
    x, y = (left, left + width), (top + height, top)
    shades = _shades(numbers, signed, limit)
    # Numbers on the darkest cells are white; on all others dark ink reads well.
    dark = (shades @ [0.299, 0.587, 0.114]) < 120
    layers = [Picture(shades, x, y), Box(x, y, filled=False, colour="#6B7280", width=1)]
    for colour, where in ((INK_COLOUR, ~dark), ("#FFFFFF", dark)):
        rows, columns = np.nonzero(where)
        if len(rows):
            texts = [_signed(int(numbers[i, j])) for i, j in zip(rows, columns, strict=True)]
            layers.append(Text(left + columns + 0.5, top + rows + 0.5, texts, size=13, colour=colour))
    return layers


def _shades(numbers: np.ndarray, signed: bool, limit: float) -> np.ndarray:
    """Numbers as colours: white to black from 0 to ``limit``, or blue over white to orange around zero."""
    share = np.clip(numbers / max(limit, 1e-9), -1, 1)[..., None]
    ends = np.where(share < 0, [0.0, 114.0, 178.0], [213.0, 94.0, 0.0]) if signed else np.zeros(3)
    return np.rint(255 + (ends - 255) * np.abs(share)).astype(np.uint8)


def within(settings: Settings, pictures: Mapping[str, np.ndarray]) -> Settings:
    """The same settings with the place cut back to the map."""
    last = [
        (side + 2 * settings.padding - settings.dilation * 2 - 1) // settings.stride
        for side in pictures[settings.image].shape
    ]
    row, column = max(0, min(settings.row, last[0])), max(0, min(settings.column, last[1]))
    return replace(settings, row=row, column=column)


def scene(settings: Settings, pictures: Mapping[str, np.ndarray]) -> Scene:
    """The picture for these settings: the image with its window, the sum worked out, and the map."""
    settings = within(settings, pictures)
    image, (kernel, divisor) = pictures[settings.image], KERNELS[settings.kernel]
    if settings.direction == FLIPPED:
        kernel = kernel[::-1, ::-1]
    padding, stride, dilation = settings.padding, settings.stride, settings.dilation
    padded, sums = np.pad(image, padding), convolve(image, kernel, padding, stride, dilation)
    row, column = settings.row, settings.column
    rows, columns = (stride * at + dilation * np.arange(3) for at in (row, column))
    window = padded[np.ix_(rows, columns)]
    products, total = window * kernel, int(sums[row, column])

    n, side = len(image), kernel.shape[0]
    panels = [
        _image_panel(padded, image.shape, padding, rows, columns),
        _sum_panel(window, kernel, divisor, products, total),
        _map_panel(sums, row, column),
    ]
    added = " + ".join(_product(int(p), int(w)) for p, w in zip(window.flat, kernel.flat, strict=True))
    result = _signed(total) if divisor == 1 else f"{_signed(total)}; ÷ {divisor} = {_decimal(total, divisor)}"
    place = say("Row {row}, column {column} of the map: {sum}.", row=row, column=column, sum=f"{added} = {result}")
    rule = f"⌊({n} + 2·{padding} − {dilation}·{side - 1} − 1) / {stride}⌋ + 1 = {sums.shape[0]}"
    return Scene(panels, paragraph(place, say("Rows: {formula}.", formula=rule)))


def _decimal(total: int, divisor: int) -> str:
    value = Fraction(total, divisor)
    return _signed(value.numerator) if value.denominator == 1 else f"{float(value):.2f}".replace("-", "−")


def _image_panel(padded, shape, padding, rows, columns) -> Panel:
    height, width = padded.shape
    shades = _shades(padded, signed=False, limit=9)
    if padding:  # zeros that were put around the image are tinted, and the image has a dashed frame
        inside = np.zeros(padded.shape, bool)
        inside[padding:-padding, padding:-padding] = True
        shades[~inside] = (222, 230, 240)
    layers: list = [
        Picture(shades, (0, width), (height, 0)),
        Box((0, width), (height, 0), filled=False, colour="#6B7280", width=1),
    ]
    if padding:
        layers.append(
            Box((padding, padding + shape[1]), (padding + shape[0], padding), filled=False, colour="#6B7280", width=1)
        )
    for i in rows:
        for j in columns:
            layers.append(Box((j, j + 1), (i + 1, i), filled=False, colour=_FRAME, width=1.5))
    frame = (columns[0], columns[-1] + 1), (rows[-1] + 1, rows[0])
    layers.append(Box(*frame, filled=False, colour=_FRAME, width=3))
    if padding:
        title = say("image {height} × {width}, {padding} around it", height=shape[0], width=shape[1], padding=padding)
    else:
        title = say("image {height} × {width}", height=shape[0], width=shape[1])
    return Panel("image", (0, width), (height, 0), layers, title=title, axes=False, aspect=height / width)


def _sum_panel(window, kernel, divisor, products, total) -> Panel:
    words = [say("window"), say("kernel"), say("products"), say("sum")]
    result = _signed(total) if divisor == 1 else f"{_signed(total)} ÷ {divisor}"
    layers = [
        *_grid(window, 0, 1, signed=False, limit=9),
        *_grid(kernel, 4, 1, signed=True, limit=max(1, np.abs(kernel).max()) * 1.5),
        *_grid(products, 0, 5, signed=True, limit=max(1, np.abs(products).max()) * 1.5),
        Text([1.5, 5.5, 1.5, 5.5], [0.65, 0.65, 4.65, 4.65], words, size=13),
        Text([3.5, 3.5], [2.5, 6.5], ["×", "→"], size=20, bold=True),
        Text([5.5], [6.5], [result], size=20, bold=True),
    ]
    if divisor > 1:
        layers.append(Text([5.5], [7.3], [f"= {_decimal(total, divisor)}"], size=16))
    return Panel("sum", (0, 7), (8, 0), layers, title=say("multiply, add"), axes=False, aspect=8 / 7)


def _map_panel(sums, row, column) -> Panel:
    height, width = sums.shape
    layers = [
        Picture(_shades(sums, signed=True, limit=float(np.abs(sums).max())), (0, width), (height, 0)),
        Box((0, width), (height, 0), filled=False, colour="#6B7280", width=1),
        Box((column, column + 1), (row + 1, row), filled=False, colour=INK_COLOUR, width=3),
    ]
    title = say("map {height} × {width}: + orange, − blue", height=height, width=width)
    return Panel("map", (0, width), (height, 0), layers, title=title, axes=False, aspect=height / width, hover=True)


def _pictures(own: Mapping[str, np.ndarray] | None) -> dict[str, np.ndarray]:
    if own is None:
        return images()
    if not own:
        raise CourseError(say("The explorer needs at least one image; it got none."))
    for name, image in own.items():
        shape = np.shape(image)
        if len(shape) != 2 or not all(_LEAST <= side <= _MOST for side in shape):
            raise CourseError(
                say(
                    "The image {name!r} has shape {shape}; the explorer shows grey images of {least} to {most} pixels "
                    "a side.",
                    name=name,
                    shape=shape,
                    least=_LEAST,
                    most=_MOST,
                )
            )
    return {str(name): levels(image) for name, image in own.items()}


def convolution(own_images: Mapping[str, np.ndarray] | None = None) -> "Stage":
    """Point at a pixel of the map and see the window, the kernel and the products that made it.

    ``own_images`` are names with grey images, 7 to 28 pixels a side, from 0 (paper) to 255 (ink); by default a digit, a
    photograph and a scratch. Raises CourseError for images of another shape.
    """
    from course_utils.explorers.stage import Choice, Event, Slider, Stage

    pictures = _pictures(own_images)
    first = Settings(image=next(iter(pictures)))
    longest = max(max(image.shape) for image in pictures.values()) + 2 * 2 - 3  # padding 2, kernel 3

    stage: Stage | None = None

    def respond(event: Event) -> Scene:
        values = dict(event.values)
        if event.kind == "hover" and event.panel == "map":
            values.update(row=event.y, column=event.x)
        numbers = {name: int(values[name]) for name in ("padding", "stride", "dilation", "row", "column")}
        words = {name: values.get(name, first.image) for name in ("image", "kernel", "direction")}
        settings = within(Settings(**words, **numbers), pictures)
        if stage is not None:  # the sliders follow the pointer, so that a keyboard can go on from there
            stage.values.update(row=float(settings.row), column=float(settings.column))
        return scene(settings, pictures)

    controls = [
        Choice("image", say("image"), image_labels(pictures), first.image) if len(pictures) > 1 else None,
        Choice("kernel", say("kernel"), kernel_labels(), first.kernel),
        Choice("direction", say("laid on"), direction_labels(), first.direction),
        Slider("padding", say("padding"), range(3), 0),
        Slider("stride", say("stride"), range(1, 4), 1),
        Slider("dilation", say("dilation"), range(1, 4), 1),
        Slider("row", say("row"), range(longest + 1), first.row),
        Slider("column", say("column"), range(longest + 1), first.column),
    ]
    controls = [control for control in controls if control is not None]
    stage = Stage(say("Convolution, one window at a time: point at the map"), controls, respond)
    return stage


def convolution_picture(
    *,
    alt: str,
    image: str = "digit",
    kernel: str = "vertical edges",
    direction: str = AS_IT_IS,
    padding: int = 0,
    stride: int = 1,
    dilation: int = 1,
    row: int = 5,
    column: int = 5,
) -> "go.Figure":
    """The explorer's picture for these settings, as a figure for readers without a kernel.

    Raises CourseError for an image, a kernel or a direction that does not exist, and for an empty ``alt``.
    """
    known(image, images(), say("There is no image {name!r}.", name=image))
    known(kernel, KERNELS, say("There is no kernel {name!r}.", name=kernel))
    known(direction, (AS_IT_IS, FLIPPED), say("There is no direction {name!r}.", name=direction))
    settings = Settings(image, kernel, direction, padding, stride, dilation, row, column)
    drawn = scene(settings, images())
    panels = [replace(panel, layers=[_crisp(layer) for layer in panel.layers]) for panel in drawn.panels]
    figure = as_figure(replace(drawn, panels=panels), alt=alt, width=860)
    for number in ("", "2", "3"):  # square pixels
        figure.update_layout({f"yaxis{number}": {"scaleanchor": f"x{number}", "constrain": "domain"}})
        figure.update_layout({f"xaxis{number}": {"constrain": "domain"}})
    return figure.update_layout(height=390, margin={"l": 20, "r": 20, "t": 50, "b": 20})


def _crisp(layer: Layer) -> Layer:
    """A picture with each pixel repeated: a browser blurs what plotly makes it enlarge."""
    if not isinstance(layer, Picture):
        return layer
    times = max(1, 160 // len(layer.pixels))
    return replace(layer, pixels=layer.pixels.repeat(times, axis=0).repeat(times, axis=1))
