"""Forms with handwritten numbers on ruled lines: real digits, laid where the course knows them to be."""

from dataclasses import dataclass

import numpy as np

from course_utils.data.images import Part

SIDE = 48
_INK = 0.2  # of full ink: what is fainter is a digit's margin


@dataclass(frozen=True, eq=False)
class Forms:
    """Pictures, float32 (n, 48, 48, 1), about 0 for paper to 1 for ink; one array each for a picture's digits.

    ``boxes`` are int (digits, 4): top, left, bottom, right, the last two just outside; ``labels`` int (digits,);
    ``touching`` bool (digits, 2): whether a digit touches another one, and whether it touches the ruled line.
    """

    pictures: np.ndarray
    boxes: list[np.ndarray]
    labels: list[np.ndarray]
    touching: list[np.ndarray]

    def __len__(self) -> int:
        return len(self.pictures)


def draw(part: Part, rng: np.random.Generator, n: int | None = None) -> Forms:
    """``n`` forms of two to six digits of ``part``, drawn with replacement; without ``n`` each digit once."""
    order = rng.permutation(len(part)) if n is None else rng.integers(len(part), size=6 * n)
    cuts = np.cumsum(rng.integers(2, 7, len(order)))
    chosen = np.split(order, cuts[cuts < len(order)])[:n]
    if len(chosen[-1]) == 1 and len(chosen) > 1:  # a form has two numbers: a last single digit joins the form before
        chosen[-2:] = [np.concatenate(chosen[-2:])]
    glyphs = [_without_margin(image) for image in part.images]
    made = [_form([glyphs[i] for i in of], rng) for of in chosen]
    return Forms(
        np.array([picture for picture, _, _ in made], "float32")[..., None],
        [boxes for _, boxes, _ in made],
        [part.labels[of] for of in chosen],
        [_touching(boxes, lines) for _, boxes, lines in made],
    )


def read_whole(found: list[tuple], truth: Forms) -> np.ndarray:
    """The share of a form's two numbers that are read without an error, (n,).

    ``found`` has for each form the boxes, (k, 4), what stands in each (a digit or a text), and whatever else.
    """
    written = [_two_numbers(*of) for of in zip(truth.boxes, truth.labels, strict=True)]
    return (np.array([_two_numbers(*one[:2]) for one in found]) == np.array(written)).mean(axis=1)


def _two_numbers(boxes: np.ndarray, texts: np.ndarray) -> list[str]:
    """What stands above and below, from left to right."""
    order, below = np.argsort(boxes[:, 1], kind="stable"), boxes[:, [0, 2]].mean(axis=1) > SIDE / 2
    return ["".join(str(texts[i]) for i in order if below[i] == row) for row in (False, True)]


def _without_margin(image: np.ndarray) -> np.ndarray:
    ink = image / 255
    rows, columns = (np.flatnonzero((ink > _INK).any(axis=axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _form(glyphs: list[np.ndarray], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A picture, (48, 48), the box of each glyph and the row of its line."""
    from scipy import ndimage

    picture, boxes, lines = np.zeros((SIDE, SIDE)), [], []
    for below, number in enumerate(np.array_split(np.arange(len(glyphs)), 2)):
        sizes = rng.uniform(0.55, 0.75) * rng.uniform(0.9, 1.1, len(number))
        drawn = [ndimage.zoom(glyphs[i], size, order=1) for i, size in zip(number, sizes, strict=True)]
        line, gaps = 20 + 24 * below + int(rng.integers(-2, 3)), rng.integers(-2, 5, len(drawn))
        picture[line, 2:-2] = rng.uniform(0.3, 0.7)
        left = int(rng.integers(max(1, SIDE - sum(ink.shape[1] for ink in drawn) - gaps.sum())))
        for ink, gap in zip(drawn, gaps, strict=True):
            height, width = ink.shape
            left = max(0, min(left, SIDE - width))
            top = max(0, line + int(rng.integers(-2, 3)) - height)
            spot = picture[top : top + height, left : left + width]
            np.maximum(spot, ink, out=spot)
            boxes.append((top, left, top + height, left + width))
            lines.append(line)
            left += width + gap
    light = rng.uniform(0, 0.4) * np.linspace(0, 1, SIDE)[:: rng.choice([-1, 1]), None]
    noisy = rng.uniform(0.6, 1) * picture + light + rng.normal(0, 0.08, picture.shape)
    return noisy, np.array(boxes), np.array(lines)


def _touching(boxes: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Whether no empty row or column lies between a digit's box and another one's, or the line."""
    low, high = boxes[:, :2], boxes[:, 2:]
    meet = ((low[:, None] <= high) & (high[:, None] >= low)).all(axis=2)
    return np.stack([meet.sum(axis=1) > 1, boxes[:, 2] >= lines], axis=1)
