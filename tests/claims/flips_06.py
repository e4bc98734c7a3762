"""What chapter 06 observed, the verdicts on it, and other observations that turn them."""

import pandas as pd

from claims.flip import Flip


def relu_generator(above: float, silent: float, *, below: bool = False, learnt: float = 0.23) -> dict:
    columns = ["above the brightest", "without a gradient", "reaches below 0"]
    faults = pd.DataFrame([[above, silent, below], [0.0, 0.0, False]], ["ReLU", "sigmoid"], columns)
    good = pd.Series({"bell": 0.064})
    return {"faults": faults, "learnt": {"ReLU": learnt, "sigmoid": 0.4}, "good": good}


def relu_discriminator(zero: float, above: float, clipped: float) -> dict:
    return {"zero": zero, "above": above, "clipped": clipped, "told_apart": 0.8}


def looked_at(good: float, fake: float) -> pd.Series:
    return pd.Series({"D(fake)": fake, "good": good})


def down_the_printed_loss(good: float, climbed: float = 0.34) -> dict:
    return {
        "caught": looked_at(good, 0.0),
        "climbed": looked_at(climbed, 0.3),
        "seen": pd.DataFrame([looked_at(0.62, 0.33)]),
        "good": pd.Series({"bell": 0.064}),
    }


def answers(down: tuple, up: tuple, right: tuple = (0.82, 0.2)) -> dict:
    return {"minimised": down, "maximised": up, "by_value": right}


def ends_of(*games: tuple[float, float]) -> dict:
    return {"ends": pd.DataFrame(games, columns=["good", "modes"])}


FINE, ASTRAY, COLLAPSED = (0.61, 8.0), (0.11, 4.0), (0.75, 3.0)
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
    Flip("c26", relu_generator(0.23, 0.51), "holds with a condition"),  # if it is begun well
    Flip("c26", relu_generator(0.23, 0.51, learnt=0.05), "misprinted"),
    Flip("c26", relu_generator(0.0, 0.0), "holds with a condition"),  # for pixels from 0 to 1
    Flip("c26", relu_generator(0.0, 0.0, below=True), "holds"),
    Flip("c27", relu_discriminator(0.5, 0.34, 0.46), "wrong"),
    Flip("c27", relu_discriminator(0.5, 0.34, 0.0), "holds with a condition"),  # if it is clipped
    Flip("c27", relu_discriminator(0.0, 0.0, 0.0), "holds"),
    Flip("c28", down_the_printed_loss(0.0), "misprinted"),
    Flip("c28", down_the_printed_loss(0.0, climbed=0.1), "wrong"),
    Flip("c28", down_the_printed_loss(0.6), "holds"),
    Flip("c29", answers((0.0, 0.0), (1.0, 0.998)), "misprinted"),
    Flip("c29", answers((0.0, 0.0), (0.9, 0.2), (0.5, 0.5)), "misprinted"),  # the sign alone
    Flip("c29", answers((0.0, 0.0), (1.0, 1.0), (0.5, 0.5)), "wrong"),
    Flip("c29", answers((0.8, 0.2), (1.0, 1.0)), "holds"),
    Flip("c32", ends_of(FINE, FINE, ASTRAY, COLLAPSED), "holds"),
    Flip("c32", ends_of(FINE, FINE, ASTRAY, ASTRAY), "holds with a condition"),  # unstable, no collapse
    Flip("c32", ends_of(FINE, FINE, FINE, FINE), "wrong"),
    Flip("c42", scored(FID, LATER, IS), "holds with a condition"),
    Flip("c42", scored(FID, [5, 6, *LATER[2:4], 575, 650], IS), "holds"),
    Flip("c42", scored([200, *FID[1:]], LATER, IS), "wrong"),  # real ones further out than trained ones
]
