"""Observations that decide the verdicts of chapter 16: as measured, and changed so that another verdict follows."""

import numpy as np
import pandas as pd

from claims.flip import Flip

FOUR = ["accuracy", "recall", "F1", "ROC-AUC"]
TEAMS = ["bug", "howto", "sales", "security"]


def teamwise(factor, recall=(0.8, 0.66, 0.65, 0.56), constant=(0.76, 0.80, 0.96, 0.96), apart=0.0):
    """Two models of each team, ``apart`` in one of the four numbers, and by a ``factor`` in what they expect."""
    accuracy, f1, roc = (0.90, 0.87, 0.97, 0.97), (0.79, 0.66, 0.69, 0.58), (0.94, 0.91, 0.99, 0.96)
    columns = dict(zip([*FOUR, "constant"], [accuracy, recall, f1, roc, constant], strict=True))
    model = pd.DataFrame(columns, TEAMS)
    return {
        "FOUR": FOUR, "plain": model, "even": model, "factor": pd.Series(factor, TEAMS),
        "apart": pd.Series(apart, TEAMS),
    }  # fmt: skip


MEASURED, LEVEL = (1.3, 1.4, 2.6, 2.6), (1.0, 1.1, 1.2, 1.2)

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
    "helped": {3: (0.24, 0.48), 30: (0.07, 0.26)}, "chance_of": (48.3, 76.4), "read_moved": {0: 0.16, 8: 0.93},
    "expected": {("as it is", 3): 58.1, ("balanced", 3): 92.3, ("as it is", 30): 43.5, ("balanced", 30): 58.8},
    "gone": {"three rare classes": 0.49, "two largest": 0.01},
    "copies": (-0.008, 0.025), "real": (0.183, 0.367),
}  # fmt: skip
LEVEL_HEADED = {"expected": BIAS["expected"] | {("balanced", 3): 70}}  # within what may come by chance
CAREFUL = {"gone": {"three rare classes": 0.03, "two largest": 0.02}}
USELESS = {"helped": {3: (-0.03, 0.09), 30: (-0.02, 0.1)}}

FLIPS = [
    Flip("c51", teamwise(MEASURED), "holds with a condition"),
    Flip("c51", teamwise(LEVEL), "holds"),  # alike in the four, and in what they expect
    Flip("c51", teamwise(MEASURED, apart=0.1), "holds"),  # they expect otherwise, and recall tells them apart
    Flip("c51", teamwise(LEVEL, constant=(0.76, 0.80, 0.96, 0.98)), "holds with a condition"),  # accuracy misleads
    Flip("c51", teamwise(MEASURED, recall=(0.8, 0.66, 0.0, 0.0)), "wrong"),  # recall does not see the constant
    Flip("c52", contest(), "holds with a condition"),
    Flip("c52", contest(digits_moved=(0.01, 0.04)), "holds"),
    Flip(
        "c52", contest(digits_centred=(-0.05, -0.02), digits_cropped=(-0.05, -0.02), diabetes=(-0.09, -0.03)), "wrong"
    ),
    Flip("c52", contest(dict.fromkeys(COST, 1.5)), "wrong"),  # level, and no cheaper
    Flip("c53", BIAS, "holds with a condition"),
    Flip("c53", BIAS | LEVEL_HEADED, "holds with a condition"),  # the bill of cleaning alone
    Flip("c53", BIAS | CAREFUL, "holds with a condition"),  # the bill of balancing alone
    Flip("c53", BIAS | LEVEL_HEADED | CAREFUL, "holds"),
    Flip("c53", BIAS | USELESS | CAREFUL, "holds"),  # what drifts does not help, so nobody takes it
    Flip("c53", BIAS | USELESS | {"read_moved": {0: 0.16, 8: 0.15}}, "wrong"),  # neither helps
    Flip("c56", F1, "wrong"),
    Flip("c56", BALANCED, "holds"),  # a balanced set, with as many misses as false alarms
    Flip("c56", BETWEEN, "holds with a condition"),
    Flip("c58", choosing(0.145, 0.045), "holds with a condition"),
    Flip("c58", choosing(0.0, 0.045), "holds"),
    Flip("c58", choosing(0.145, -0.01), "wrong"),
]
