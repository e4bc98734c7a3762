"""Draw a digit and watch a network read it: the live canvas, and its picture for where there is no kernel."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from course_utils.errors import CourseError

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from course_utils.explorers.asking import Predict
    from course_utils.explorers.canvas import DigitCanvas

DIGITS = tuple("0123456789")


def draw_digit(predict: "Predict", class_names: Sequence[str] = DIGITS) -> "DigitCanvas":
    """A canvas to draw on; the probabilities follow while the pen moves. Shown when it is a cell's last line.

    ``predict`` takes float32 (1, 28, 28, 1), 0 paper to 1 ink, and gives (1, classes) probabilities. A Keras model
    serves as it is: called, it answers in milliseconds, where ``model.predict`` takes some sixty for its overhead.
    Raises CourseError for a predict that cannot be called or fewer than two class names.
    """
    if not callable(predict):
        raise CourseError(
            f"draw_digit needs a model or a function from images to probabilities; it got {type(predict).__name__}."
        )
    if isinstance(class_names, str) or len(class_names) < 2:
        raise CourseError(f"draw_digit needs the names of two classes or more; it got {class_names!r}.")
    from course_utils.explorers.canvas import DigitCanvas

    return DigitCanvas(predict, class_names)


def example_strokes() -> list[dict]:
    """A 7 as a person drew it on the canvas's paper (280 by 280): two strokes, for a picture without a kernel."""
    return [
        {"width": 24, "points": [(72, 66), (96, 60), (132, 58), (170, 57), (205, 54), (198, 76), (182, 108), (164, 146),
                                 (149, 184), (138, 222), (134, 238)]},
        {"width": 24, "points": [(112, 150), (150, 147), (192, 143)]},
    ]  # fmt: skip


def drawing_picture(
    strokes: Iterable[Mapping],
    predict: "Predict",
    class_names: Sequence[str] = DIGITS,
    *,
    alt: str,
    title: str | None = None,
) -> "go.Figure":
    """The canvas as a figure: what was drawn, the 28×28 pixels that the network sees, and its probabilities.

    ``strokes`` lie on paper of 280 by 280, as ``draw_digit(...).strokes`` gives them. Raises CourseError where there
    is no digit to read, where predict fails, and for an empty ``alt``.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    from course_utils import figures
    from course_utils.explorers.asking import ask
    from course_utils.strokes import PAPER, digit_from_strokes, paper_image

    if not str(alt).strip():
        raise CourseError("A figure needs alt: one sentence that states what it shows.")
    strokes = list(strokes)
    image = digit_from_strokes(strokes)
    if image is None:
        raise CourseError("There is no digit to read in these strokes: they are empty, or no more than a dot.")
    names = [str(name) for name in class_names]
    probabilities = ask(predict, image, len(names))
    best = int(probabilities.argmax())

    figure = make_subplots(
        rows=1,
        cols=3,
        column_widths=[0.3, 0.3, 0.4],
        horizontal_spacing=0.06,
        subplot_titles=["what was drawn", "what the network sees", "what it answers"],
    )
    for column, pixels in enumerate((paper_image(strokes, PAPER, 112), image), start=1):
        figure.add_trace(
            go.Heatmap(z=pixels, zmin=0, zmax=255, colorscale=figures.INK, showscale=False, hoverinfo="skip"),
            row=1,
            col=column,
        )
        frame = {"visible": True, "showticklabels": False, "ticks": "", "showgrid": False, "mirror": True}
        figure.update_xaxes(**frame, constrain="domain", row=1, col=column)
        anchor = "x" if column == 1 else f"x{column}"
        figure.update_yaxes(**frame, constrain="domain", autorange="reversed", scaleanchor=anchor, row=1, col=column)
    figure.add_trace(
        go.Bar(
            x=np.round(probabilities, 4),
            y=names,
            orientation="h",
            marker={
                "color": [figures.COLOURS[k == best] for k in range(len(names))],
                "pattern": {
                    "shape": ["/" if k == best else "" for k in range(len(names))],
                    "fillmode": "overlay",
                    "fgcolor": "#FFFFFF",
                    "fgopacity": 0.5,
                },
            },
            text=[f"<b>{value:.0%}</b>" if k == best else f"{value:.0%}" if value >= 0.005 else ""
                  for k, value in enumerate(probabilities)],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="class %{y}: %{x:.3f}<extra></extra>",
        ),
        row=1,
        col=3,
    )  # fmt: skip
    figure.update_xaxes(title_text="probability", range=[0, 1.15], row=1, col=3)
    figure.update_yaxes(type="category", autorange="reversed", row=1, col=3)
    figure.update_annotations(font_size=14)
    figure.update_layout(
        meta={"alt": alt},
        title=title,
        width=760,
        height=320 if title else 290,
        margin={"l": 12, "r": 12, "t": 62 if title else 32, "b": 52},
        showlegend=False,
    )
    return figure
