"""Observations that decide the verdicts of chapter 16: as measured, and changed so that another verdict follows."""

import numpy as np
import pandas as pd

from claims.flip import Flip

FOUR = {
    "constant": np.array([0.991, 0.0, 0.0, 0.5]), "honest": np.array([0.982, 0.449, 0.307, 0.934]),
    "loud": np.array([0.982, 0.449, 0.307, 0.934]), "expects": {"constant": 1.12, "honest": 1.06, "loud": 6.26},
}  # fmt: skip
COMMON = {"constant": np.array([0.6, 0.0, 0.0, 0.5]), "honest": np.array([0.9, 0.85, 0.86, 0.95])}
ALIKE = {"constant": 1.0, "honest": 1.06, "loud": 1.1}

F1 = {"a": 0.982, "r": 0.449, "printed": 0.307, "p": 0.233, "readings": {"accuracy": 0.617, "precision": 0.307}}
BALANCED = {"a": 0.9, "r": 0.9, "printed": 0.9, "p": 0.9, "readings": {"accuracy": 0.9, "precision": 0.9}}
BETWEEN = {"a": 0.8, "r": 0.9, "printed": 0.82, "p": 0.753, "readings": {"accuracy": 0.847, "precision": 0.82}}


def choosing(drift, gain):
    """The drift of the winner's score and its gain over a candidate at random, in 200 draws."""
    spread = np.linspace(-0.1, 0.1, 200)
    return {"drift": drift + spread, "gain": gain + spread}


AHEAD = {
    "digits, centred": (-0.009, 0.025), "digits, moved": (-0.260, -0.210),
    "digits, cropped": (-0.006, 0.023), "diabetes": (-0.022, 0.018),
}  # fmt: skip
COST = {"digits, centred": 0.019, "digits, moved": 0.048, "digits, cropped": 0.02, "diabetes": 0.035}


def contest(cost=COST, **changed):
    return {"ahead": AHEAD | {name.replace("_", ", "): value for name, value in changed.items()}, "cost": cost}


BIAS = {
    "helped": (0.07, 0.26), "came_security": 16, "read_moved": {0: 0.16, 8: 0.93},
    "expected": {("as it is", 3): 13.8, ("balanced", 3): 51.7, ("as it is", 30): 6.7, ("balanced", 30): 17.6},
    "deleted": pd.Series({"howto": 0.01, "bug": 0.02, "sales": 0.37, "security": 0.79}),
    "copies": (-0.007, 0.04), "real": (0.183, 0.367),
}  # fmt: skip
NO_BILL = {
    "expected": {("balanced", 3): 17, ("balanced", 30): 17}, "copies": (0.15, 0.30),
    "deleted": pd.Series({"howto": 0.02, "bug": 0.02, "sales": 0.03, "security": 0.02}),
}  # fmt: skip

FLIPS = [
    Flip("c51", FOUR, "holds with a condition"),
    Flip("c51", FOUR | COMMON | {"loud": COMMON["honest"], "expects": ALIKE}, "holds"),
    Flip("c51", FOUR | {"honest": FOUR["constant"], "loud": FOUR["constant"]}, "wrong"),  # nothing sees the constant
    Flip("c52", contest(), "holds with a condition"),
    Flip("c52", contest(digits_moved=(0.01, 0.04)), "holds"),
    Flip(
        "c52", contest(digits_centred=(-0.05, -0.02), digits_cropped=(-0.05, -0.02), diabetes=(-0.09, -0.03)), "wrong"
    ),
    Flip("c52", contest(dict.fromkeys(COST, 1.5)), "wrong"),  # level, and no cheaper
    Flip("c53", BIAS, "holds with a condition"),
    Flip("c53", BIAS | NO_BILL, "holds"),
    Flip("c53", BIAS | {"helped": (-0.03, 0.09), "read_moved": {0: 0.16, 8: 0.15}}, "wrong"),  # neither helps
    Flip("c56", F1, "wrong"),
    Flip("c56", BALANCED, "holds"),  # a balanced set, with as many misses as false alarms
    Flip("c56", BETWEEN, "holds with a condition"),
    Flip("c58", choosing(0.145, 0.045), "holds with a condition"),
    Flip("c58", choosing(0.0, 0.045), "holds"),
    Flip("c58", choosing(0.145, -0.01), "wrong"),
]
