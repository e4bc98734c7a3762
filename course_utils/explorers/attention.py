"""Who looks at whom: one head's attention as lines from an asking token and as a map, in the manner of BertViz.

J. Vig, "A Multiscale Visualization of Attention in the Transformer Model", ACL 2019, system demonstrations, 37-42.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from course_utils import figures
from course_utils.errors import CourseError
from course_utils.explorers.scene import INK_COLOUR, Box, Layer, Line, Panel, Picture, Scene, Text, as_figure
from course_utils.language import say

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from course_utils.explorers.stage import Stage

Attended = Mapping[str, tuple[Sequence[str], np.ndarray]]
MOST = 40  # tokens: beyond it no word is legible
_FRAME = figures.COLOURS[1]
_LINE = figures.COLOURS[0]
_FAINT = 0.02  # a weight below it draws no line


@dataclass(frozen=True)
class Settings:
    """What is shown: a sentence, a layer and a head (from 1), and the place of the asking token (from 0)."""

    sentence: str
    layer: int = 1
    head: int = 1
    token: int = 1


def checked(attended: Attended) -> dict[str, tuple[list[str], np.ndarray]]:
    """Sentence → (tokens, weights (layers, heads, t, t)), or CourseError for what cannot be drawn."""
    if not attended:
        raise CourseError(say("The explorer needs at least one sentence; it got none."))
    out, sizes = {}, set()
    for sentence, (tokens, weights) in attended.items():
        array = np.asarray(weights, dtype=np.float64)
        t = len(tokens)
        if not 2 <= t <= MOST:
            raise CourseError(
                say("{text!r} has {n} tokens; the explorer shows 2 to {most}.", text=sentence[:40], n=t, most=MOST)
            )
        if array.ndim != 4 or array.shape[2:] != (t, t) or 0 in array.shape:
            raise CourseError(
                say(
                    "The weights of {text!r} have the shape {shape}; (layers, heads, {n}, {n}) is needed, as there are "
                    "{n} tokens.",
                    text=sentence[:40],
                    shape=array.shape,
                    n=t,
                )
            )
        if not np.isfinite(array).all() or array.min() < 0 or np.abs(array.sum(axis=-1) - 1).max() > 1e-2:
            raise CourseError(
                say(
                    "The weights of {text!r} are no attention: each row needs numbers from 0 that add up to one.",
                    text=sentence[:40],
                )
            )
        sizes.add(array.shape[:2])
        out[str(sentence)] = ([str(token) for token in tokens], array)
    if len(sizes) > 1:
        raise CourseError(
            say("All sentences need the same layers and heads; these have {shapes}.", shapes=sorted(sizes))
        )
    return out


def within(settings: Settings, attended: Attended) -> Settings:
    """The same settings, cut back to what there is."""
    sentence = settings.sentence if settings.sentence in attended else next(iter(attended))
    tokens, weights = attended[sentence]
    layer, head = (
        max(1, min(at, most)) for at, most in zip((settings.layer, settings.head), weights.shape, strict=False)
    )
    return Settings(sentence, layer, head, max(0, min(settings.token, len(tokens) - 1)))


def scene(settings: Settings, attended: Attended) -> Scene:
    """Lines from the asking token, the map of the whole head, and a sentence with the largest weights."""
    settings = within(settings, attended)
    tokens, weights = attended[settings.sentence]
    A, asks = weights[settings.layer - 1, settings.head - 1], settings.token
    row = A[asks]
    most = np.argsort(-row, kind="stable")[:3]
    parts = [say("{share:.0%} from {token}", share=row[j], token=_named(tokens, int(j))) for j in most]
    sentence = say(
        "Layer {layer}, head {head}: {token} takes {parts}.",
        layer=settings.layer,
        head=settings.head,
        token=_named(tokens, asks),
        parts=", ".join(parts),
    )
    return Scene([_lines(tokens, row, asks), _map(A, asks)], sentence)


def _named(tokens: Sequence[str], at: int) -> str:
    """A token in quotes, and which of several equal ones it is."""
    same = [j for j, token in enumerate(tokens) if token == tokens[at]]
    if len(same) == 1:
        return say("“{token}”", token=tokens[at])
    return say("“{token}” (no. {number})", token=tokens[at], number=same.index(at) + 1)


def _short(token: str) -> str:
    return token if len(token) <= 11 else token[:10] + "…"


def _size(t: int) -> float:
    return 13 if t <= 16 else 11 if t <= 26 else 9


def _lines(tokens: Sequence[str], row: np.ndarray, asks: int) -> Panel:
    t = len(tokens)
    at = np.arange(t) + 0.5
    layers: list[Layer] = [
        Line([3.7, 6.3], [asks + 0.5, j + 0.5], colour=_LINE, dash="solid", width=0.5 + 7 * float(row[j]))
        for j in range(t)
        if row[j] >= _FAINT
    ]
    layers += [
        Box((0.05, 3.6), (asks + 1, asks), filled=False, colour=_FRAME, width=2),
        Text([3.4] * t, at, [_short(token) for token in tokens], anchor="right", size=_size(t)),
        Text([6.5] * t, at, [_short(token) for token in tokens], anchor="left", size=_size(t)),
    ]
    return Panel(
        "lines", (0, 10), (t, 0), layers, title=say("who asks → who answers"), axes=False, aspect=1.0, hover=True
    )  # fmt: skip


def _map(A: np.ndarray, asks: int) -> Panel:
    t = len(A)
    share = np.sqrt(np.clip(A, 0, 1))[..., None]  # the root: small weights stay visible
    shades = np.rint(255 + (np.array([0.0, 114.0, 178.0]) - 255) * share).astype(np.uint8)
    layers: list[Layer] = [
        Picture(shades, (0, t), (t, 0)),
        Box((0, t), (t, 0), filled=False, colour="#6B7280", width=1),
        Box((0, t), (asks + 1, asks), filled=False, colour=_FRAME, width=2),
    ]
    # The largest weight of each row gets its per cents where there is room: colour is not the only cue.
    if t <= 18:
        best = A.argmax(axis=1)
        for dark, colour in ((True, "#FFFFFF"), (False, INK_COLOUR)):
            rows = [i for i in range(t) if (A[i, best[i]] > 0.5) == dark]
            if rows:
                texts = [f"{100 * A[i, best[i]]:.0f}" for i in rows]
                layers.append(Text(best[rows] + 0.5, np.array(rows) + 0.5, texts, size=11, colour=colour))
    return Panel(
        "map",
        (0, t),
        (t, 0),
        layers,
        title=say("the whole head, %: rows ask, columns answer"),
        axes=False,
        aspect=1.0,
        hover=True,
    )


def attention(attended: Attended, *, layer: int = 1, head: int = 1, token: int = 1) -> "Stage":
    """Choose a sentence, a layer and a head; point at a token's row and see from whom it takes how much.

    ``attended`` maps each sentence to its tokens and its weights, (layers, heads, t, t) with rows that add up to one.
    Raises CourseError for what cannot be drawn.
    """
    from course_utils.explorers.stage import Choice, Event, Slider, Stage

    known = checked(attended)
    first = within(Settings(next(iter(known)), layer, head, token), known)
    depth, heads = next(iter(known.values()))[1].shape[:2]
    longest = max(len(tokens) for tokens, _ in known.values())
    stage: Stage | None = None

    def respond(event: Event) -> Scene:
        values = dict(event.values)
        if event.kind == "hover":
            values["token"] = event.y
        sentence = values.get("sentence", first.sentence)
        numbers = (int(values.get(name, 1)) for name in ("layer", "head", "token"))
        settings = within(Settings(sentence, *numbers), known)
        if stage is not None:  # the slider follows the pointer, so that a keyboard can go on from there
            stage.values.update(token=float(settings.token))
        return scene(settings, known)

    controls = [
        Choice("sentence", say("sentence"), _labels(known), first.sentence) if len(known) > 1 else None,
        Slider("layer", say("layer"), range(1, depth + 1), first.layer) if depth > 1 else None,
        Slider("head", say("head"), range(1, heads + 1), first.head) if heads > 1 else None,
        Slider("token", say("asking token"), range(longest), first.token),
    ]
    stage = Stage(say("Attention: point at a row"), [control for control in controls if control is not None], respond)
    return stage


def _labels(attended: Attended) -> dict[str, str]:
    """Sentence → what the choice shows: long ones are cut, and those that begin alike are numbered."""
    out: dict[str, str] = {}
    for sentence in attended:
        cut = label = sentence if len(sentence) <= 60 else sentence[:59] + "…"
        number = 1
        while label in out.values():
            number += 1
            label = f"{cut} ({number})"
        out[sentence] = label
    return out


def attention_picture(attended: Attended, *, alt: str, layer: int = 1, head: int = 1, token: int = 1) -> "go.Figure":
    """The explorer's picture of the first sentence, as a figure for readers without a kernel.

    Raises CourseError for what cannot be drawn, and for an empty ``alt``.
    """
    known = checked(attended)
    drawn = scene(Settings(next(iter(known)), layer, head, token), known)
    panels = [replace(panel, layers=[_crisp(layer) for layer in panel.layers]) for panel in drawn.panels]
    figure = as_figure(replace(drawn, panels=panels), alt=alt, width=760)
    return figure.update_layout(height=430, margin={"l": 20, "r": 20, "t": 50, "b": 20})


def _crisp(layer: Layer) -> Layer:
    """A picture with each pixel repeated, as a browser blurs what plotly enlarges; words without markup."""
    if isinstance(layer, Text):
        return replace(layer, texts=[html.escape(text) for text in layer.texts])
    if not isinstance(layer, Picture):
        return layer
    times = max(1, 160 // len(layer.pixels))
    return replace(layer, pixels=layer.pixels.repeat(times, axis=0).repeat(times, axis=1))
