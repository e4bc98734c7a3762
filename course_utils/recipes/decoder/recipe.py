"""What can be changed about nanoGPT's recipe for a CPU, the recipe itself, and the faster ones."""

import dataclasses
import math

import numpy as np

from course_utils.errors import CourseError


@dataclasses.dataclass(frozen=True)
class Design:
    """Switches of the network; all off is nanoGPT's.

    ``rotary``: places are angles by which queries and keys are turned, instead of learned vectors. ``normalised``:
    queries and keys have one length, so scores stay within bounds. ``squared``: squared ReLU instead of GELU. ``zero``:
    what a branch adds begins at nought, so every block begins as the identity. ``pairs``: a vector for each pair of
    neighbouring tokens is added to the token's own. ``plain``: normalisation without mean and gains. ``untied``: a
    table of its own on the way out, from nought, instead of the embeddings again.
    """

    rotary: bool = False
    normalised: bool = False
    squared: bool = False
    zero: bool = False
    pairs: bool = False
    plain: bool = False
    untied: bool = False


PLAIN = Design()


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A network and how it is trained; the defaults are nanoGPT's recipe for a CPU.

    ``batch`` windows of ``context`` tokens a step. ``schedule``: "cosine" falls to a tenth of the rate, "linear" to
    nought; before that it climbs for the share ``warm_up`` of the steps. ``muon``: Muon moves the blocks' matrices, not
    AdamW. ``matrix_rate`` is the learning rate of these matrices, ``rate`` that of all other weights. ``decay`` is
    AdamW's weight decay, of matrices and tables; ``betas`` its two averages; ``clip`` the largest norm of all gradients
    together (0: any).
    """

    layers: int = 4
    heads: int = 4
    width: int = 128
    context: int = 64
    design: Design = PLAIN
    batch: int = 12
    steps: int = 2000
    schedule: str = "cosine"
    warm_up: float = 0.05
    muon: bool = False
    rate: float = 1e-3
    matrix_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.99)
    decay: float = 0.1
    clip: float = 1.0


BASELINE = Recipe()
_DESIGN = Design(rotary=True, normalised=True, squared=True, zero=True, pairs=True, plain=True, untied=True)
_CHANGED = Recipe(design=_DESIGN, batch=16, schedule="linear", warm_up=0.02, muon=True, matrix_rate=0.02, rate=0.02)
# The same changes at three budgets: the less time there is, the smaller is the network that uses it best.
FAST = dataclasses.replace(_CHANGED, layers=1, heads=3, width=96, steps=240)
QUICK = dataclasses.replace(_CHANGED, layers=2, steps=400)
LONG = dataclasses.replace(_CHANGED, layers=3, steps=1450)

# How loss falls with size and text: four widths, each for four lengths, with heads of one width; without the table of
# pairs, which would be most of the parameters of the small ones.
_BARE = dataclasses.replace(QUICK, design=dataclasses.replace(_DESIGN, pairs=False))


def _scaled(width: int, steps: int) -> Recipe:
    return dataclasses.replace(_BARE, heads=width // 24, width=width, steps=steps)


SCALING = {
    f"{width} wide, {steps:,} steps": _scaled(width, steps)
    for width in (24, 48, 96, 144)
    for steps in (125, 250, 500, 1000)
}
# The law is fitted to those above and has to predict this one, which is larger in both.
HELD_OUT = {"192 wide, 2,000 steps": _scaled(192, 2000)}

# Each change on its own: the fields that it sets in the baseline.
CHANGES = {
    "linear cool-down": {"schedule": "linear", "warm_up": 0.02},
    "rotary positions": {"rotary": True},
    "queries and keys of one length": {"normalised": True},
    "squared ReLU": {"squared": True},
    "branches from nought": {"zero": True},
    "normalisation without gains": {"plain": True},
    "a table of its own on the way out": {"untied": True},
    "a table of pairs": {"pairs": True},
    "a larger rate for tables": {"rate": 0.02},
    "Muon": {"muon": True, "matrix_rate": 0.02},
    "batches of 16": {"batch": 16},
    "two layers": {"layers": 2},
}
# Taken out again, Muon leaves AdamW at the rate that suits it best here, which is not the baseline's.
_BACK = {"Muon": {"muon": False, "matrix_rate": 0.004}}


def changed(recipe: Recipe, change: dict) -> Recipe:
    """A recipe with some fields of its own, or of its design, changed."""
    switches = {name: value for name, value in change.items() if hasattr(recipe.design, name)}
    others = {name: value for name, value in change.items() if name not in switches}
    return dataclasses.replace(recipe, design=dataclasses.replace(recipe.design, **switches), **others)


def _as_before(name: str) -> dict:
    """A change's fields as they are in the baseline."""
    before = {field: getattr(BASELINE, field, getattr(PLAIN, field, None)) for field in CHANGES[name]}
    return _BACK.get(name, before)


# The ladder: each change alone, on the baseline; and the recipe without it, all for equal processor seconds. A change
# has proved itself if the recipe without it is worse by more than luck: two standard errors of the difference of two
# means, from the spread of the seeds, pooled over all rungs. The recipe was fixed before the ladder was measured.
ALONE = {"nanoGPT's recipe": BASELINE, "AdamW's rate × 4": changed(BASELINE, {"rate": 4e-3, "matrix_rate": 4e-3})}
ALONE |= {name: changed(BASELINE, change) for name, change in CHANGES.items()}
WITHOUT = {"the course's recipe": QUICK} | {name: changed(QUICK, _as_before(name)) for name in CHANGES}
# Each of these is hardly missed when it is the only one to go: are all of them?
_SMALL = ("linear cool-down", "queries and keys of one length", "branches from nought")
WITHOUT["these three: cool-down, one length, nought"] = changed(
    QUICK, {field: value for name in _SMALL for field, value in _as_before(name).items()}
)


def rates(recipe: Recipe) -> np.ndarray:
    """The share of the full rate at each step, float32 (steps,): a linear climb, then the schedule's way down."""
    step = np.arange(recipe.steps)
    climb = max(1, round(recipe.warm_up * recipe.steps))
    if recipe.schedule == "cosine":
        done = np.clip((step - climb) / max(1, recipe.steps - climb), 0, 1)
        fall = 0.1 + 0.9 * 0.5 * (1 + np.cos(math.pi * done))
    else:
        fall = 1 - step / recipe.steps
    return np.minimum((step + 1) / climb, fall).astype("float32")


def alphabet(text: str) -> list[str]:
    """The different characters of a text, sorted: a character's place is its token."""
    return sorted(set(text))


def encode(text: str, letters: list[str]) -> np.ndarray:
    """Text → tokens int32 (n,). Raises CourseError for a character that is not among the letters."""
    number = {letter: token for token, letter in enumerate(letters)}
    try:
        return np.fromiter((number[letter] for letter in text), np.int32, len(text))
    except KeyError as error:
        raise CourseError(
            f"The character {error.args[0]!r} is not among the {len(letters)} that the model knows; "
            "take the alphabet from the whole text."
        ) from None
