"""The explorer of chapter 08: words on the plane of their two principal components, each with its nearest by cosine."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from course_utils.errors import CourseError
from course_utils.explorers.scene import Box, Line, Panel, Points, Scene, Text, as_figure, known, paragraph
from course_utils.language import say, say_many

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from course_utils.explorers.stage import Stage

ALL = ""  # instead of a class: all of them
NEIGHBOURS = 6
_SIDE = 100.0  # the map's axes in whole units, which the pointer is reported in
_MARGIN = 6.0
_REACH = 6.0  # how far from a point the pointer may be and still mean it
_GREY = "#9CA3AF"
_LABELLED = 3  # the words of each class that are named on the map


def project(vectors: np.ndarray) -> np.ndarray:
    """Rows (n, d) on the two directions in which they differ most, (n, 2); zeros where there are fewer directions."""
    X = vectors - vectors.mean(axis=0)
    _, _, Vt = np.linalg.svd(X, full_matrices=False)
    flat = X @ Vt[:2].T
    return np.pad(flat, ((0, 0), (0, 2 - flat.shape[1])))


def cosines(vectors: np.ndarray, k: int) -> np.ndarray:
    """The cosine of row ``k`` with every row of (n, d): (n,); 0 with a row of zeros."""
    sizes = np.linalg.norm(vectors, axis=1)
    scale = np.where(sizes > 0, sizes, 1.0)
    return vectors @ vectors[k] / (scale * scale[k])


@dataclass(frozen=True, eq=False)
class Words:
    """Words, frequent ones first, with vectors (n, d) and the probabilities (n, classes) of a text of this one word."""

    vectors: np.ndarray
    names: tuple[str, ...]
    lean: np.ndarray
    class_names: tuple[str, ...]
    places: np.ndarray  # (n, 2), from 0 to 100
    lengths: np.ndarray  # of the vectors, (n,)

    @classmethod
    def of(cls, vectors: np.ndarray, names: Sequence[str], lean: np.ndarray, class_names: Sequence[str]) -> "Words":
        """Checked and projected. Raises CourseError for shapes that do not fit together and numbers that are none."""
        vectors, lean = np.asarray(vectors, dtype=np.float64), np.asarray(lean, dtype=np.float64)
        wanted = (len(names), len(class_names))
        if vectors.ndim != 2 or len(vectors) != len(names) or lean.shape != wanted or len(names) < 2:
            raise CourseError(
                say(
                    "words needs a vector for each of two or more words and probabilities of shape {wanted} for "
                    "{words} words and {classes} classes; it got {vectors} and {lean}.",
                    wanted=wanted,
                    words=len(names),
                    classes=len(class_names),
                    vectors=vectors.shape,
                    lean=lean.shape,
                )
            )
        if not (np.isfinite(vectors).all() and np.isfinite(lean).all()):
            raise CourseError(say("The words' vectors and probabilities must be finite numbers; some are not."))
        flat = project(vectors)
        low, high = flat.min(axis=0), flat.max(axis=0)
        width = np.where(high > low, high - low, 1.0)
        places = np.round(_MARGIN + (flat - low) / width * (_SIDE - 2 * _MARGIN), 2)
        return cls(
            vectors, tuple(map(str, names)), lean, tuple(map(str, class_names)), places, np.linalg.norm(vectors, axis=1)
        )

    def nearest(self, k: int, shown: int) -> tuple[np.ndarray, np.ndarray]:
        """The nearest of the first ``shown`` words by cosine, the word itself left out, and the cosines."""
        cosine = cosines(self.vectors[:shown], k)
        cosine[k] = -np.inf
        order = np.argsort(-cosine, kind="stable")[: min(NEIGHBOURS, shown - 1)]
        return order, cosine[order]

    def under(self, x: float, y: float, among: np.ndarray) -> int | None:
        """The word of ``among``, numbers (m,), that a pointer in the map's unit (x, y) means, or None."""
        if not len(among):
            return None
        distance = np.hypot(*(self.places[among] - (x + 0.5, y + 0.5)).T)
        return int(among[distance.argmin()]) if distance.min() <= _REACH else None


def _style(k: int) -> dict:
    """Colour and symbol of a class: seven series, then hollow ones."""
    return {"series": k} if k < 7 else {"series": k - 7, "colour": "#FFFFFF", "outline": "#222222"}


def among(words: Words, show: str, shown: int) -> np.ndarray:
    """The numbers of those among the first ``shown`` words that belong to the class ``show``, or to `ALL`: (m,)."""
    top = words.lean[:shown].argmax(axis=1)
    return np.arange(shown) if show == ALL else np.flatnonzero(top == words.class_names.index(show))


def scene(words: Words, show: str, shown: int, k: int, *, key: bool = True) -> Scene:
    """The map with word ``k`` picked out, and its neighbours as bars.

    The classes' names stand as a key inside the map, in as many rows as they need, or (``key`` False) in the legend.
    """
    shown = min(shown, len(words.names))
    k = min(k, shown - 1)
    top, chosen = words.lean[:shown].argmax(axis=1), among(words, show, shown)
    layers: list = []
    if show != ALL:
        rest = np.setdiff1d(np.arange(shown), chosen)
        layers.append(Points(*words.places[rest].T, colour=_GREY, size=4))
    for c, name in enumerate(words.class_names):
        own = chosen[top[chosen] == c]
        layers.append(Points(*words.places[own].T, size=7, label="" if key else name, **_style(c)))
    near, cosine = words.nearest(k, shown)
    place = words.places[k]
    for j in near:
        layers.append(Line(*np.stack([place, words.places[j]]).T, colour="#4B5563", dash="solid", width=1))
    for j, right in _named(words, chosen, top, k):
        x, y = words.places[j]
        layers.append(Text([x - 1.6 if right else x + 1.6], [y], [words.names[j]], "right" if right else "left", 11))
    # Its class's own colour and symbol, larger and with a dark edge: a mark of its own would be read as another class.
    layers.append(Points([place[0]], [place[1]], size=14, **{**_style(int(top[k])), "outline": "#111827"}))
    far = place[0] > 0.75 * _SIDE
    layers.append(
        Text(
            [place[0] + (-2.5 if far else 2.5)],
            [place[1] + 3],
            [words.names[k]],
            "right" if far else "left",
            14,
            bold=True,
        )
    )
    rows, top_end = _key(words) if key else ([], _SIDE)
    map_ = Panel(
        "map", (0.0, _SIDE), (0.0, top_end), [*layers, *rows], title=say("Words, by their two principal components"),
        x_title=say("first component"), y_title=say("second component"), ticks_x=[], ticks_y=[], weight=1.7,
        aspect=0.8 * top_end / _SIDE, hover=True,
    )  # fmt: skip
    bars = _bars(words, near, cosine, k)
    return Scene([map_, bars], sentence(words, show, len(chosen), k, near, cosine))


def _named(words: Words, chosen: np.ndarray, top: np.ndarray, k: int) -> list[tuple[int, bool]]:
    """The words of each class with the longest vectors, and whether their name stands to the left of the point.

    A name that would lie on another, or on that of word ``k``, is left out.
    """
    found = []
    for c in range(len(words.class_names)):
        own = chosen[top[chosen] == c]
        found += own[np.argsort(-words.lengths[own], kind="stable")[:_LABELLED]].tolist()
    taken = [_room(words, k, words.places[k, 0] > 0.75 * _SIDE, 1.4)]
    kept = []
    for j in found:
        right = bool(words.places[j, 0] > 0.75 * _SIDE)
        room = _room(words, j, right, 1.0)
        if j != k and not any(_overlap(room, other) for other in taken):
            taken.append(room)
            kept.append((j, right))
    return kept


def _room(words: Words, j: int, right: bool, scale: float) -> tuple[float, float, float, float]:
    """The rectangle that a name takes up on the map, about: left, right, bottom, top."""
    x, y = words.places[j]
    wide = sum(3.6 if ord(sign) > 0x2E7F else 1.9 for sign in words.names[j]) * scale + 3
    return (x - wide, x, y - 2, y + 2) if right else (x, x + wide, y - 2, y + 2)


def _overlap(a: tuple, b: tuple) -> bool:
    return a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]


def _key(words: Words) -> tuple[list, float]:
    """Colour, symbol and name of each class, four a row above the map, and where the rows end."""
    rows = -(-len(words.class_names) // 4)
    layers: list = []
    for c, name in enumerate(words.class_names):
        x, y = 3.0 + 25.0 * (c % 4), _SIDE + 7.0 * (rows - c // 4)
        layers.append(Points([x], [y], size=8, **_style(c)))
        layers.append(Text([x + 2.5], [y], [name if len(name) < 13 else name[:12] + "…"], "left", 12))
    return layers, _SIDE + 7.0 * rows + 5.0


def _bars(words: Words, near: np.ndarray, cosine: np.ndarray, k: int) -> Panel:
    layers: list = [Line([0, 0], [0, NEIGHBOURS], colour="#6B7280", dash="solid", width=1)]
    for row, (j, value) in enumerate(zip(near, cosine, strict=True)):
        layers.append(Box((min(0.0, value), max(0.0, value)), (row + 0.55, row + 0.9), colour="#0072B2"))
        layers.append(Text([0.0], [row + 0.32], [f"{words.names[j]} {value:.2f}"], "left", 12))
    return Panel(
        "nearest", (min(0.0, float(cosine.min())) - 0.02, 1.0), (float(NEIGHBOURS), 0.0), layers,
        title=say("Nearest to “{word}”", word=words.names[k]), x_title=say("cosine"), ticks_y=[], aspect=1.55,
    )  # fmt: skip


def sentence(words: Words, show: str, count: int, k: int, near: np.ndarray, cosine: np.ndarray) -> str:
    """What one sees, with its numbers."""
    c = int(words.lean[k].argmax())
    nearest = ", ".join(f"{words.names[j]} {value:.2f}" for j, value in zip(near, cosine, strict=True))
    leans = say(
        "“{word}” leans to {name} ({share:.0%}).",
        word=words.names[k],
        name=words.class_names[c],
        share=words.lean[k, c],
    )
    if show == ALL:
        shown = say_many("Shown: {n} word.", "Shown: {n} words.", count)
    else:
        shown = say_many("Shown: {n} word leans to {name}.", "Shown: {n} words lean to {name}.", count, name=show)
    return paragraph(leans, say("Nearest by cosine: {words}.", words=nearest), shown)


def _found(words: Words, show: str, word: str | None, shown: int) -> int:
    if show != ALL:
        known(show, words.class_names, say("There is no class {name!r}.", name=show))
    if word is not None:
        return words.names.index(known(word, words.names, say("There is no word {word!r} among these.", word=word)))
    inside = among(words, show, min(shown, len(words.names)))
    return int(inside[words.lengths[inside].argmax()]) if len(inside) else 0


def _sizes(n: int) -> list[int]:
    return sorted({min(size, n) for size in (50, 100, 200, 300, 400, n)} | {max(2, n // 8)})


def words_picture(
    vectors: np.ndarray,
    names: Sequence[str],
    lean: np.ndarray,
    class_names: Sequence[str],
    *,
    alt: str,
    show: str = ALL,
    word: str | None = None,
    count: int = 100,
) -> "go.Figure":
    """The map of the ``count`` most frequent words as a plotly figure; the other arguments as in `words`.

    A word beyond them is shown with them all: what is stored stays small where it can. Raises CourseError as `words`
    does, and for an empty ``alt``.
    """
    made = Words.of(vectors, names, lean, class_names)
    k = _found(made, show, word, count)
    return as_figure(scene(made, show, count if k < count else len(made.names), k, key=False), alt=alt, width=580)


def words(
    vectors: np.ndarray,
    names: Sequence[str],
    lean: np.ndarray,
    class_names: Sequence[str],
    *,
    show: str = ALL,
    word: str | None = None,
) -> "Stage":
    """The explorer: point at a word, or slide through them, and see its nearest; choose a class and how many words.

    ``vectors`` is (n, d), one row a word, the frequent words first; ``lean`` (n, classes) are the probabilities that a
    text of this one word gets. Raises CourseError for shapes that do not fit, and for an unknown class or word.
    """
    from course_utils.explorers.stage import Choice, Event, Slider, Stage

    made = Words.of(vectors, names, lean, class_names)
    at = {"k": _found(made, show, word, len(made.names)), "show": show}
    n = len(made.names)
    stage: Stage | None = None

    def respond(event: Event) -> Scene:
        chosen, shown = event.values["show"], int(event.values["count"])
        inside = among(made, chosen, shown)
        if event.kind == "hover":
            under = made.under(event.x, event.y, inside)
            at["k"] = at["k"] if under is None else under
        elif event.kind == "change" and event.name == "word":
            at["k"] = int(event.values["word"])
        if chosen != at["show"]:
            at.update(show=chosen, k=_found(made, chosen, None, shown))
        if stage is not None:  # the slider follows the pointer, so that a keyboard can go on from there
            stage.values.update(word=float(min(at["k"], shown - 1)))
        return scene(made, chosen, shown, at["k"])

    stage = Stage(
        say("Words"),
        [
            Choice("show", say("Class"), {ALL: say("all classes")} | {name: name for name in made.class_names}, show),
            Slider("count", say("Words, the most frequent"), _sizes(n), n),
            Slider("word", say("Word"), range(n), at["k"], made.names),
        ],
        respond,
    )
    return stage
