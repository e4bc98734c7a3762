"""Pure functions from arrays and tables to plotly figures, in one template.

Every function takes ``alt``, a sentence that states what the picture shows, for readers who do not see it; it is
kept in ``layout.meta["alt"]``. The figures run on plotly 5.24 to 7.
"""

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from course_utils.errors import CourseError
from course_utils.language import say

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

# M. Okabe and K. Ito, "Color Universal Design" (2008): told apart with every common form of colour blindness.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8A6D00", "#56B4E9", "#222222")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star")
INK = [[0.0, "#FFFFFF"], [1.0, "#000000"]]


def use_template() -> None:
    """Register the course's template with plotly and make it the default."""
    import plotly.io as pio

    if "course" not in pio.templates:
        pio.templates["course"] = template()
    pio.templates.default = "course"


def template() -> "go.layout.Template":
    """Dark ink on a white card, so that a figure reads the same in a light and in a dark notebook."""
    import plotly.graph_objects as go

    axis = {
        "showgrid": True,
        "gridcolor": "#E5E7EB",
        "linecolor": "#6B7280",
        "showline": True,
        "ticks": "outside",
        "tickcolor": "#6B7280",
        "zeroline": False,
        "automargin": True,
        "title": {"standoff": 8},
    }
    return go.layout.Template(
        layout={
            "colorway": list(COLOURS),
            "font": {"family": "Helvetica, Arial, 'Noto Sans CJK SC', sans-serif", "size": 14, "color": "#1F2937"},
            "title": {"x": 0.0, "xref": "paper", "font": {"size": 16}},
            "paper_bgcolor": "#FFFFFF",
            "plot_bgcolor": "#FFFFFF",
            "margin": {"l": 60, "r": 24, "t": 48, "b": 52},
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {"font": {"size": 13}},
            "legend": {"bgcolor": "rgba(255,255,255,0.8)"},
        }
    )


def _finish(figure: "go.Figure", alt: str, *, title: str | None = None, width: int = 720, height: int = 360):
    if not str(alt).strip():
        raise CourseError("A figure needs alt: one sentence that states what it shows.")
    figure.update_layout(meta={"alt": alt}, width=width, height=height)
    if title:
        figure.update_layout(title={"text": title})
    return figure


def lines(
    table: "pd.DataFrame",
    x: str,
    y: str,
    series: str | None = None,
    *,
    alt: str,
    title: str | None = None,
    x_title: str | None = None,
    y_title: str | None = None,
    label: str | None = None,
    logarithmic: str = "",
    height: int = 360,
) -> "go.Figure":
    """Lines with markers of ``y`` over ``x``, one per value of ``series``; points carry ``label``.

    ``label`` names a column whose numbers stand beside the points; ``logarithmic`` is "", "x", "y" or "xy". Lines
    differ in colour, dash and marker, so that colour is never the only cue.
    """
    import plotly.graph_objects as go

    groups = [(None, table)] if series is None else list(table.groupby(series, sort=False))
    figure = go.Figure(
        [
            go.Scatter(
                x=part[x].to_numpy(),
                y=part[y].to_numpy(),
                name="" if name is None else str(name),
                mode="lines+markers" if label is None else "lines+markers+text",
                text=None if label is None else [f"{value:g}" for value in part[label]],
                textposition="top right",
                textfont={"size": 11},
                line={"color": COLOURS[i % len(COLOURS)], "dash": DASHES[i % len(DASHES)], "width": 2},
                marker={"symbol": SYMBOLS[i % len(SYMBOLS)], "size": 7},
            )
            for i, (name, part) in enumerate(groups)
        ]
    )
    figure.update_layout(xaxis_title=x_title or x, yaxis_title=y_title or y, showlegend=series is not None)
    if "x" in logarithmic:
        figure.update_xaxes(type="log")
    if "y" in logarithmic:
        figure.update_yaxes(type="log")
    return _finish(figure, alt, title=title, height=height)


def training_curves(
    history: "pd.DataFrame", *, alt: str, title: str | None = None, logarithmic: bool = False
) -> "go.Figure":
    """One panel a metric, training and validation over the epochs. ``history`` comes from training.history_table.

    ``logarithmic`` gives the loss a logarithmic axis, which shows what happens once it is small.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    metrics = sorted(set(history["metric"]), key=lambda name: (name != "loss", name))
    if not metrics:
        raise CourseError("There is nothing to draw: the history has no epochs. Train the model first.")
    figure = make_subplots(rows=1, cols=len(metrics), horizontal_spacing=0.12)
    for column, metric in enumerate(metrics, start=1):
        for i, part in enumerate(("training", "validation")):
            rows = history[(history["metric"] == metric) & (history["part"] == part)]
            if len(rows):
                figure.add_trace(
                    go.Scatter(
                        x=rows["epoch"].to_numpy(),
                        y=rows["value"].to_numpy(),
                        name=part,
                        mode="lines+markers",
                        legendgroup=part,
                        showlegend=column == 1,
                        line={"color": COLOURS[i], "dash": DASHES[i], "width": 2},
                        marker={"symbol": SYMBOLS[i], "size": 6},
                    ),
                    row=1,
                    col=column,
                )
        figure.update_xaxes(title_text="epoch", row=1, col=column)
        figure.update_yaxes(title_text=metric, row=1, col=column)
        if logarithmic and metric == "loss":
            figure.update_yaxes(type="log", row=1, col=column)
    figure.update_layout(legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0})
    return _finish(figure, alt, title=title)


def _side_by_side(images: np.ndarray, columns: int, gap_x: int, gap_y: int, *, room_below: bool) -> np.ndarray:
    """The images on one canvas, float32, NaN between them."""
    n, height, width = images.shape
    rows = -(-n // columns)
    size = (rows * (height + gap_y) - (0 if room_below else gap_y), columns * (width + gap_x) - gap_x)
    canvas = np.full(size, np.nan, dtype="float32")
    for i, image in enumerate(images):
        top, left = (i // columns) * (height + gap_y), (i % columns) * (width + gap_x)
        canvas[top : top + height, left : left + width] = image
    return canvas


def _shades(canvas: np.ndarray, signed: bool) -> np.ndarray:
    """A canvas as colours, uint8 (height, width, 3): white to black, or blue over white to orange around zero.

    Sixty-four steps are more than an eye tells apart, and keep the picture small.
    """
    limit = float(np.nanmax(np.abs(canvas))) or 1.0
    value = np.clip(np.nan_to_num(canvas / limit), -1.0 if signed else 0.0, 1.0)
    value = (np.round(value * 63) / 63)[..., None]
    white, black = np.array([255.0] * 3), np.zeros(3)
    orange, blue = np.array([213.0, 94.0, 0.0]), np.array([0.0, 114.0, 178.0])
    end = np.where(value < 0, blue, orange) if signed else black
    return np.round(white + (end - white) * np.abs(value)).astype("uint8")


def picture(canvas: np.ndarray, *, signed: bool = False) -> str:
    """An array (height, width) as the data address of a small PNG: white to black, or signed as in `image_grid`.

    What is stored with a figure is a fraction of the size of the same numbers in a heatmap.
    """
    return png(_shades(np.asarray(canvas, dtype="float64"), signed))


def png(pixels: np.ndarray) -> str:
    """Colours, uint8 (height, width, 3), as a data address of a PNG (ISO/IEC 15948), without an imaging library."""
    import base64
    import struct
    import zlib

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    height, width, _ = pixels.shape
    grey = bool((pixels == pixels[..., :1]).all())
    lines = pixels[..., 0] if grey else pixels.reshape(height, width * 3)
    raw = np.concatenate([np.zeros((height, 1), "uint8"), lines], axis=1).tobytes()  # filter 0 before each line
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if grey else 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def image_grid(
    images: np.ndarray,
    captions: Sequence[str] | None = None,
    *,
    alt: str,
    columns: int = 8,
    signed: bool = False,
    title: str | None = None,
    cell: int = 84,
) -> "go.Figure":
    """Grey images in a grid, each with a caption under it.

    ``images`` is (n, height, width), any numeric dtype: drawn from 0 (white) to the largest value (black). With
    ``signed`` zero is white, negative blue and positive orange, on one scale for all. ``cell`` is an image's width
    in screen pixels.
    """
    import plotly.graph_objects as go

    images = np.asarray(images)
    if images.ndim != 3 or not len(images):
        raise CourseError(f"image_grid needs images of shape (n, height, width) with n ≥ 1; it got {images.shape}.")
    if captions is not None and len(captions) != len(images):
        raise CourseError(f"{len(images)} images and {len(captions)} captions: image_grid needs one caption each.")
    n, height, width = images.shape
    columns = min(columns, n)
    gap_x = gap_y = max(1, width // 10)
    if captions is not None:
        gap_y += round(width * 20 / cell)
    canvas = _side_by_side(images, columns, gap_x, gap_y, room_below=captions is not None)
    shape = canvas.shape
    figure = go.Figure(go.Image(source=picture(canvas, signed=signed), zsmooth=False, hoverinfo="skip"))
    if not signed:
        # A hairline frame shows where an image ends that is white at its border.
        for i in range(n):
            top, left = (i // columns) * (height + gap_y), (i % columns) * (width + gap_x)
            figure.add_shape(
                type="rect",
                x0=left - 0.5,
                x1=left + width - 0.5,
                y0=top - 0.5,
                y1=top + height - 0.5,
                line={"color": "#9CA3AF", "width": 1},
            )
    for i, caption in enumerate(captions if captions is not None else ()):
        figure.add_annotation(
            x=(i % columns) * (width + gap_x) + width / 2 - 0.5,
            y=(i // columns) * (height + gap_y) + height,
            text=str(caption),
            showarrow=False,
            yanchor="top",
            font={"size": 12},
        )
    scale = cell / width
    top_margin = 44 if title else 10
    figure.update_xaxes(visible=False, range=[-1, shape[1]], constrain="domain")
    figure.update_yaxes(visible=False, range=[shape[0], -1], scaleanchor="x", constrain="domain")
    figure.update_layout(margin={"l": 8, "r": 8, "t": top_margin, "b": 8})
    return _finish(
        figure,
        alt,
        title=title,
        width=max(240, round((shape[1] + 1) * scale) + 16),
        height=round((shape[0] + 1) * scale) + top_margin + 8,
    )


def boxes(
    images: np.ndarray,
    found: Sequence[np.ndarray],
    texts: Sequence[Sequence[object]],
    right: Sequence[np.ndarray] | None = None,
    *,
    alt: str,
    columns: int = 4,
    cell: int = 150,
) -> "go.Figure":
    """Grey images in a grid as in `image_grid`, with boxes on them and a text above each box.

    ``found`` holds for each image an array (boxes, 4) of top, left, bottom, right, the last two just outside; ``texts``
    a text a box, ``right`` whether it is right: a wrong one is dotted and orange, with a cross behind its text.
    """
    if not len(images) == len(found) == len(texts):
        raise CourseError(f"boxes needs boxes and texts for each of {len(images)} images; it got {len(found)}.")
    figure = image_grid(images, alt=alt, columns=columns, cell=cell)
    height, width = np.shape(images)[1:]
    across, down = (max(1, width // 10) + side for side in (width, height))
    columns = min(columns, len(images))
    for i, box in enumerate(found):
        y, x = i // columns * down - 0.5, i % columns * across - 0.5
        fine = np.ones(len(box), bool) if right is None else right[i]
        for (top, left, bottom, end), text, good in zip(box, texts[i], fine, strict=True):
            colour = "#0072B2" if good else "#D55E00"
            line = {"color": colour, "width": 2, "dash": "solid" if good else "dot"}
            corners = {"x0": x + float(left), "x1": x + float(end), "y0": y + float(top), "y1": y + float(bottom)}
            figure.add_shape(type="rect", line=line, **corners)
            words = f"{text}" if good else f"{text} ✗"
            font = {"size": 11, "color": colour}
            middle = (corners["x0"] + corners["x1"]) / 2
            figure.add_annotation(x=middle, y=corners["y0"], text=words, showarrow=False, yanchor="bottom", font=font)
    return figure


def confusion(matrix: np.ndarray, class_names: Sequence[str], *, alt: str, title: str | None = None) -> "go.Figure":
    """A confusion matrix of counts (true classes down, predicted across); colour shows each row's *errors* only.

    The diagonal would drown everything else, so it is printed but not coloured.
    """
    import plotly.graph_objects as go

    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or len(class_names) != len(matrix):
        raise CourseError(
            f"confusion needs a square matrix and a name a class; it got {matrix.shape} and {len(class_names)} names."
        )
    names = [str(name) for name in class_names]
    errors = matrix * (1 - np.eye(len(matrix), dtype=int))
    figure = go.Figure(
        go.Heatmap(
            z=errors,
            x=names,
            y=names,
            text=np.where(matrix > 0, matrix.astype(str), ""),
            texttemplate="%{text}",
            colorscale=[[0.0, "#FFFFFF"], [1.0, "#E69F00"]],
            zmin=0,
            zmax=max(1, int(errors.max())),
            xgap=1,
            ygap=1,
            showscale=False,
            hovertemplate="true %{y}, predicted %{x}: %{text}<extra></extra>",
        )
    )
    figure.update_xaxes(title_text="predicted class", type="category", showgrid=False)
    figure.update_yaxes(title_text="true class", type="category", autorange="reversed", showgrid=False)
    return _finish(figure, alt, title=title, width=560, height=480)


def intervals(table: "pd.DataFrame", *, alt: str, x_title: str, title: str | None = None) -> "go.Figure":
    """A row for each name, with its interval. ``table`` has the columns name, value, low and high.

    Estimates of the same name share a row, a little apart.
    """
    import plotly.graph_objects as go

    names = [str(name) for name in table["name"]]
    rows = list(dict.fromkeys(names))
    several = len(rows) < len(names)
    same = table.assign(name=names).groupby("name")["name"]
    apart = 0.15 * (same.cumcount() - (same.transform("size") - 1) / 2)
    figure = go.Figure(
        go.Scatter(
            x=table["value"].to_numpy(),
            y=[rows.index(name) + shift for name, shift in zip(names, apart, strict=True)] if several else names,
            text=names if several else None,
            mode="markers",
            marker={"size": 10, "color": COLOURS[0]},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": (table["high"] - table["value"]).to_numpy(),
                "arrayminus": (table["value"] - table["low"]).to_numpy(),
                "thickness": 2,
            },
            hovertemplate=f"%{{{'text' if several else 'y'}}}: %{{x:.3f}}<extra></extra>",
        )
    )
    figure.update_xaxes(title_text=x_title)
    figure.update_yaxes(autorange="reversed")
    if several:
        figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=rows)
    figure.update_layout(showlegend=False)
    return _finish(figure, alt, title=title, height=110 + 44 * len(rows))


def answers_over(
    images: np.ndarray,
    probabilities: np.ndarray,
    positions: Sequence[str],
    class_names: Sequence[str],
    *,
    alt: str,
    slider: str,
    title: str | None = None,
) -> "go.Figure":
    """What a classifier says as its input changes: a slider moves through the images, the bars follow.

    ``images`` is (n, height, width) from 0 to 255, ``probabilities`` (n, classes), ``positions`` the n texts of the
    slider, whose name is ``slider``. The figure has its own frames and moves without a kernel.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    images, probabilities = np.asarray(images), np.asarray(probabilities)
    if not len(images) == len(probabilities) == len(positions) > 0:
        raise CourseError(
            f"answers_over needs as many images as probabilities and positions; it got {len(images)}, "
            f"{len(probabilities)} and {len(positions)}."
        )
    names = [str(name) for name in class_names]

    def frame_data(i: int) -> list:
        best = int(probabilities[i].argmax())
        colours = [COLOURS[1] if k == best else COLOURS[0] for k in range(len(names))]
        return [
            go.Heatmap(
                z=images[i].astype("uint8"), zmin=0, zmax=255, colorscale=INK, showscale=False, hoverinfo="skip"
            ),
            go.Bar(
                x=np.round(probabilities[i].astype("float64"), 4),
                y=names,
                orientation="h",
                marker={"color": colours},
                text=[f"{value:.0%}" if value >= 0.01 else "" for value in probabilities[i]],
                textposition="outside",
                cliponaxis=False,
                hovertemplate="class %{y}: %{x:.3f}<extra></extra>",
            ),
        ]

    figure = make_subplots(rows=1, cols=2, column_widths=[0.4, 0.6], horizontal_spacing=0.12)
    for column, trace in enumerate(frame_data(0), start=1):
        figure.add_trace(trace, row=1, col=column)
    figure.frames = [
        go.Frame(data=frame_data(i), traces=[0, 1], name=str(position)) for i, position in enumerate(positions)
    ]
    steps = [
        {
            "label": str(position),
            "method": "animate",
            "args": [[str(position)], {"mode": "immediate", "frame": {"duration": 0, "redraw": True}}],
        }
        for position in positions
    ]
    figure.update_xaxes(visible=False, row=1, col=1)
    figure.update_yaxes(visible=False, autorange="reversed", scaleanchor="x", row=1, col=1)
    figure.update_xaxes(title_text="probability", range=[0, 1.12], row=1, col=2)
    figure.update_yaxes(type="category", autorange="reversed", title_text="class", row=1, col=2)
    figure.update_layout(
        showlegend=False,
        sliders=[{"steps": steps, "currentvalue": {"prefix": f"{slider}: "}, "pad": {"t": 44}, "active": 0}],
    )
    return _finish(figure, alt, title=title, height=430)


def diverging(value: np.ndarray) -> np.ndarray:
    """From −1 (blue) over 0 (white) to 1 (orange): an array of any shape → uint8 with a last axis of three."""
    value = np.round(np.clip(np.nan_to_num(value), -1, 1) * 31) / 31  # few shades make small pictures
    return _blue_to_orange()[(value * 31 + 31).astype(np.intp)]


@functools.cache
def _blue_to_orange() -> np.ndarray:
    value = np.linspace(-1, 1, 63)[:, None]
    white, blue, orange = np.full(3, 255.0), np.array([86.0, 180.0, 233.0]), np.array([240.0, 160.0, 60.0])
    end = np.where(value < 0, blue, orange)
    return np.round(white + (end - white) * np.abs(value)).astype("uint8")


def plane(side: int, reach: float) -> np.ndarray:
    """The middles of side × side pixels from −reach to reach both ways, row by row from the top: (side², 2)."""
    middle = (np.arange(side) + 0.5) / side * 2 * reach - reach
    across, up = np.meshgrid(middle, middle[::-1])
    return np.stack([across.ravel(), up.ravel()], axis=1)


def decisions(
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

    Each of ``answers`` takes points (n, 2) and gives the probability of kind 1, (n,); ``x`` is (n, 2), ``kind`` (n,) of
    zeros and ones. ``labels`` are the slider's texts, as many as answers, where there are two or more; it opens at the
    last. Moves without a kernel. Raises CourseError for other labels and for an empty ``alt``.
    """
    import plotly.graph_objects as go

    if not answers or (len(answers) > 1 and len(labels) != len(answers)):
        raise CourseError(
            say(
                "decisions needs one label for each answer; it got {answers} answers and {labels} labels.",
                answers=len(answers),
                labels=len(labels),
            )
        )
    reach = max(1.25, float(np.abs(x).max()) * 1.03)
    grid = plane(side, reach)

    def field(answer: Callable) -> "go.Image":
        certain = 2 * np.asarray(answer(grid), dtype=float) - 1
        certain = np.round(certain * 8) / 8  # the points keep their colours when a picture is cut to few of them
        pixels = diverging(certain).reshape(side, side, 3)[::-1]
        step = 2 * reach / side
        place = {"x0": -reach + step / 2, "dx": step, "y0": -reach + step / 2, "dy": step}
        return go.Image(source=png(pixels), hoverinfo="skip", **place)

    outline = {"color": "#FFFFFF", "width": 1}
    looks = [{"color": COLOURS[k], "symbol": SYMBOLS[k], "size": 6, "line": outline} for k in (0, 1)]
    places = [x[kind == k].round(2).T for k in (0, 1)]
    marks = [
        go.Scatter(x=places[k][0], y=places[k][1], mode="markers", name=say("kind {number}", number=k), marker=looks[k])
        for k in (0, 1)
    ]
    figure = go.Figure([field(answers[-1]), *marks])
    figure.update_xaxes(title_text=say("first reading"), range=[-reach, reach], constrain="domain", showgrid=False)
    figure.update_yaxes(title_text=say("second reading"), range=[-reach, reach], scaleanchor="x", showgrid=False)
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
    figure.update_layout(legend=legend)
    return _finish(figure, alt, width=520, height=height)
