"""What chapter 06 observed, the verdicts on it, and other observations that turn them."""

import pandas as pd

from claims.flip import Flip


def shades(from_0: tuple, from_half: tuple) -> dict:
    games = {"ReLU from 0": from_0, "ReLU from ½": from_half, "sigmoid": (FINE, FINE, FINE)}
    rows = {(name, k): [*game, 0.0] for name, three in games.items() for k, game in enumerate(three)}
    return {"shaded": pd.DataFrame(rows, ["good", "modes", "with a 0"]).T}


def relu_discriminator(zero: float, above: float, clipped: float) -> dict:
    return {"zero": zero, "above": above, "clipped": clipped, "told_apart": 0.8}


def looked_at(good: float, fake: float) -> pd.Series:
    return pd.Series({"D(fake)": fake, "good": good})


def down_the_printed_loss(good: float, *, up: float = 0.34, exchanged: float = 0.0, exchanged_up: float = 0.62) -> dict:
    return {
        "caught": looked_at(good, 0.0),
        "climbed": looked_at(up, 0.3),
        "swapped": looked_at(exchanged, 0.0),
        "seen": pd.DataFrame([looked_at(exchanged_up, 0.33)]),
        "good": pd.Series({"bell": 0.064}),
    }


def answers(down: tuple, up: tuple, exchanged: tuple = (0.82, 0.2)) -> dict:
    return {"minimised": down, "maximised": up, "exchanged": exchanged}


def ends_of(same: tuple[int, int, int], by_lot: tuple[int, int, int]) -> dict:
    """Covered, few good and collapsed of twelve games at the same settings, and of twenty with settings by lot."""
    rows = {"the same settings": [*same, 12], "settings by lot": [*by_lot, 20]}
    return {"counts": pd.DataFrame(rows, ["covered", "few good", "collapsed", "games"]).T}


FINE, DEAD, COLLAPSED = (0.61, 8.0), (0.0, 0.0), (0.75, 3.0)
REAL, COPIES, NOISE, REPEATED = "unseen real images", "copies of training images", "noise", "one real image, repeated"
SETS = [REAL, COPIES, "trained", NOISE, REPEATED, "untrained"]


def scored(fid: list[float], later: list[float], score: list[float]) -> dict:
    return {
        "fid": pd.Series(fid, SETS),
        "later": pd.Series(later, SETS),
        "score": pd.Series(score, SETS),
        "trained": "trained",
        "untrained_set": "untrained",
        "bias": [74, 39, 18, 9.5],
    }


FID, LATER, IS = [8, 12, 163, 560, 601, 913], [5, 6, 147, 249, 575, 350], [7.0, 8.3, 2.3, 1.6, 1.0, 1.0]

FLIPS = [
    Flip("c26", shades((DEAD, COLLAPSED, COLLAPSED), (FINE, FINE, FINE)), "holds with a condition"),  # from the middle
    Flip("c26", shades((DEAD, FINE, FINE), (FINE, FINE, FINE)), "holds"),
    Flip("c26", shades((DEAD, COLLAPSED, COLLAPSED), (DEAD, DEAD, FINE)), "misprinted"),
    Flip("c27", relu_discriminator(0.5, 0.34, 0.46), "wrong"),
    Flip("c27", relu_discriminator(0.5, 0.34, 0.0), "holds with a condition"),  # if it is clipped
    Flip("c27", relu_discriminator(0.0, 0.0, 0.0), "holds"),
    Flip("c28", down_the_printed_loss(0.0), "misprinted"),
    Flip("c28", down_the_printed_loss(0.6), "holds"),
    Flip("c28", down_the_printed_loss(0.0, exchanged=0.6), "holds"),  # under the other name
    Flip("c28", down_the_printed_loss(0.0, up=0.05, exchanged_up=0.05), "wrong"),  # no sign mends it
    Flip("c29", answers((0.0, 0.0), (1.0, 0.998)), "misprinted"),  # exchanged for L_G
    Flip("c29", answers((0.0, 0.0), (0.9, 0.2), (0.5, 0.5)), "misprinted"),  # the sign is a slip
    Flip("c29", answers((0.0, 0.0), (1.0, 0.998), (0.5, 0.5)), "wrong"),
    Flip("c29", answers((0.8, 0.2), (1.0, 1.0)), "holds"),
    Flip("c32", ends_of((10, 0, 2), (6, 4, 2)), "holds"),
    Flip("c32", ends_of((12, 0, 0), (9, 4, 0)), "holds with a condition"),  # unstable, no collapse
    Flip("c32", ends_of((12, 0, 0), (19, 1, 0)), "wrong"),
    Flip("c42", scored(FID, LATER, IS), "holds"),
    Flip("c42", scored(FID, [5, 6, 400, *LATER[3:]], IS), "holds with a condition"),  # the layer decides
    Flip("c42", scored([200, *FID[1:]], LATER, IS), "wrong"),  # real ones further out than trained ones
]
