"""Draw a digit and watch a network read it: the live canvas, and its picture for where there is no kernel."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from course_utils.errors import CourseError
from course_utils.language import say

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from course_utils.explorers.canvas import DigitCanvas
    from course_utils.explorers.digit_answer import Predict

DIGITS = tuple("0123456789")
# The ten digits, one a row, as a hand might draw them: strokes of (x, y) on paper of 280 by 280.
_EXAMPLES = (
    [[(157, 50), (137, 53), (119, 58), (99, 77), (87, 106), (80, 130), (79, 162), (86, 186), (98, 211), (116, 226),
      (137, 233), (159, 223), (178, 207), (190, 180), (199, 150), (197, 120), (192, 92), (178, 71), (165, 56),
      (156, 51), (147, 51)]],
    [[(110, 92), (122, 82), (134, 70), (144, 55), (153, 47), (153, 66), (150, 95), (149, 124), (148, 151), (144, 177),
      (140, 200), (141, 218), (139, 236)]],
    [[(83, 100), (85, 83), (92, 67), (110, 55), (129, 48), (154, 52), (171, 61), (183, 77), (184, 99), (179, 116),
      (168, 135), (150, 158), (129, 174), (107, 196), (92, 214), (84, 223), (79, 229)], [(80, 230), (99, 228),
      (119, 220), (143, 222), (163, 225), (185, 227), (205, 231)]],
    [[(88, 73), (102, 61), (120, 51), (140, 50), (159, 53), (174, 66), (181, 80), (181, 96), (171, 111), (153, 123),
      (133, 130)], [(133, 129), (153, 135), (173, 142), (186, 153), (196, 173), (191, 192), (184, 206), (167, 222),
      (150, 231), (126, 232), (106, 227), (92, 220), (81, 207)]],
    [[(111, 48), (107, 67), (100, 90), (94, 108), (85, 132), (72, 147), (72, 161), (88, 163), (112, 164), (138, 160),
      (159, 161), (185, 154), (212, 153)], [(169, 98), (165, 119), (164, 142), (162, 163), (159, 192), (158, 212),
      (157, 238)]],
    [[(107, 55), (105, 73), (101, 88), (99, 111), (97, 124), (111, 121), (128, 113), (148, 115), (169, 122),
      (182, 137), (190, 155), (187, 175), (183, 193), (166, 215), (148, 225), (127, 230), (109, 231), (92, 222),
      (78, 216)], [(106, 57), (123, 54), (139, 55), (157, 51), (170, 50), (184, 48), (196, 48)]],
    [[(166, 45), (150, 60), (133, 74), (117, 95), (104, 119), (96, 141), (88, 167), (92, 191), (98, 214), (117, 227),
      (136, 234), (156, 228), (173, 218), (184, 199), (186, 177), (179, 163), (164, 152), (145, 151), (127, 153),
      (112, 165), (101, 177)]],
    [[(72, 66), (96, 60), (132, 58), (170, 57), (205, 54), (198, 76), (182, 108), (164, 146), (149, 184), (138, 222),
      (134, 238)], [(112, 150), (150, 147), (192, 143)]],
    [[(178, 79), (163, 63), (148, 49), (126, 53), (109, 62), (101, 79), (100, 93), (110, 108), (127, 123), (146, 137),
      (163, 148), (183, 171), (189, 191), (183, 211), (166, 225), (147, 233), (125, 233), (107, 224), (95, 208),
      (92, 195), (98, 175), (114, 159), (133, 140), (151, 127), (166, 111), (176, 94), (184, 80)]],
    [[(183, 85), (170, 69), (156, 58), (135, 58), (117, 64), (100, 78), (93, 96), (93, 111), (99, 130), (119, 140),
      (139, 140), (156, 131), (173, 119), (181, 105), (186, 89)], [(185, 88), (184, 106), (186, 126), (181, 152),
      (175, 177), (164, 198), (158, 215), (150, 228), (146, 239)]],
)  # fmt: skip
_BRUSH = 24  # the canvas's first width


def draw_digit(predict: "Predict", class_names: Sequence[str] = DIGITS) -> "DigitCanvas":
    """A canvas to draw on; the probabilities follow while the pen moves. Shown when it is a cell's last line.

    ``predict`` takes float32 (1, 28, 28, 1), 0 paper to 1 ink, and gives (1, classes) probabilities. A Keras model
    serves as it is: called, it answers in milliseconds, where ``model.predict`` takes some sixty for its overhead.
    Raises CourseError for a predict that cannot be called or fewer than two class names.
    """
    if not callable(predict):
        raise CourseError(
            say(
                "draw_digit needs a model or a function from images to probabilities; it got {kind}.",
                kind=type(predict).__name__,
            )
        )
    if isinstance(class_names, str) or len(class_names) < 2:
        raise CourseError(
            say("draw_digit needs the names of two classes or more; it got {names!r}.", names=class_names)
        )
    from course_utils.explorers.canvas import DigitCanvas

    return DigitCanvas(predict, class_names)


def example_strokes(digit: int = 7) -> list[dict]:
    """A digit, 0 to 9, as a hand might draw it on the canvas's paper (280 by 280), for a picture without a kernel.

    Raises CourseError for anything else than a whole number from 0 to 9.
    """
    if isinstance(digit, bool) or not isinstance(digit, (int, np.integer)) or not 0 <= digit < len(_EXAMPLES):
        raise CourseError(say("There are drawings of the digits 0 to 9; example_strokes got {digit!r}.", digit=digit))
    return [{"width": _BRUSH, "points": list(points)} for points in _EXAMPLES[digit]]


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
    from course_utils.explorers.digit_answer import ask
    from course_utils.strokes import PAPER, digit_from_strokes, paper_image

    if not str(alt).strip():
        raise CourseError(say("A figure needs alt: one sentence that states what it shows."))
    strokes = list(strokes)
    image = digit_from_strokes(strokes)
    if image is None:
        raise CourseError(say("There is no digit to read in these strokes: they are empty, or no more than a dot."))
    names = [str(name) for name in class_names]
    probabilities = ask(predict, image, len(names))
    best = int(probabilities.argmax())

    figure = make_subplots(
        rows=1,
        cols=3,
        column_widths=[0.3, 0.3, 0.4],
        horizontal_spacing=0.06,
        subplot_titles=[say("what was drawn"), say("what the network sees"), say("what it answers")],
    )
    for column, pixels in enumerate((paper_image(strokes, PAPER, 112), image), start=1):
        figure.add_trace(
            go.Image(source=figures.picture(pixels), zsmooth=False, hoverinfo="skip"),
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
            hovertemplate=say("class %{y}: %{x:.3f}<extra></extra>"),
        ),
        row=1,
        col=3,
    )  # fmt: skip
    figure.update_xaxes(title_text=say("probability"), range=[0, 1.15], row=1, col=3)
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
