"""Chapter 03: what was measured for each claim, and observations that would turn its verdict."""

from types import MappingProxyType

import numpy as np
import pandas as pd

from claims.flip import Flip
from course_utils.evaluate import Estimate

LAYERS = MappingProxyType({"fits": False, "powers": {"unit normal": 42, "0.01 × normal": -56, "Glorot": -7, "He": 0}})
LEVEL = {"unit normal": 1, "0.01 × normal": -2, "Glorot": 0, "He": 0}
BIAS = MappingProxyType({"printed_says": {0.5}, "without": 4.0, "with_one": 1e-31})
LOSS = MappingProxyType({"as_sample": 0.005, "by_right": 2.308, "as_output": 0.089, "rows_right": True})
PAIRS = ["softmax, cross-entropy", "sigmoid, cross-entropy", "sigmoid, squared error"]
RULES = ["(a − y)", "(a − y) ⊙ σ′(z)", "(a − y) ⊙ σ′(a)"]


def rules(*rows):
    return {"rule_errors": pd.DataFrame(rows, index=RULES, columns=PAIRS)}


PUSH = MappingProxyType({"wants": {"squared error": 0.3}, "weaker": 22_028.0, "grows": {"sum": 100.0, "mean": 1.0}})
BACK = MappingProxyType(
    {
        "wrong_by": {
            ("[3, 5, 4, 2]", "right"): 1e-10,
            ("[3, 3, 3, 3]", "next δ"): 0.68,
        },
        "tried": {("[3, 5, 4, 2]", "next δ"): (np.ones((3, 4)), np.ones((3, 5)))},
    }
)


def back(right=1e-10, further=0.68):
    return {"wrong_by": {("[3, 5, 4, 2]", "right"): right, ("[3, 3, 3, 3]", "next δ"): further}}


def kinks(**values):
    sides = {-2.0: (0.0, 0.0), 0.0: (0.0, 1.0), 2.0: (1.0, 1.0)}
    return {"sides": sides, "exists": {-2.0: 0.0, 2.0: 1.0}} | values


SQUARES = MappingProxyType(
    {"ratio": pd.Series([21.1, 5.5, 5.7, 9.4]), "slope_ratio": pd.Series([11.1, 4.0, 11.1, 101.0])}
)


def digits(*lows):
    return {
        "of_article": [Estimate(low + 0.08, low, low + 0.13, 74) for low in lows],
        "majority": 0.527, "by_line": 0.892, "X_38": np.zeros(206),
    }  # fmt: skip


INDICES = MappingProxyType({"fitting": {"B4.1.1": 3, "B3.2.1": 0}, "as_rows": True})

FLIPS = [
    Flip("c13", LAYERS, "misprinted"),
    # had the shape fitted, the missing scale would be a condition; had it not mattered either, nothing
    Flip("c13", LAYERS | {"fits": True}, "holds with a condition"),
    Flip("c13", LAYERS | {"fits": True, "powers": LEVEL}, "holds"),
    Flip("c14", BIAS, "misprinted"),
    # had weights alone moved the answer at zero, and fitted the line
    Flip("c14", BIAS | {"printed_says": {0.4, 0.6}, "without": 0.0}, "holds"),
    # had a 1 in a not helped either
    Flip("c14", BIAS | {"with_one": 4.0}, "wrong"),
    Flip("c15", LOSS, "misprinted"),
    Flip("c15", LOSS | {"rows_right": False}, "wrong"),
    Flip("c15", LOSS | {"as_sample": 2.308}, "holds"),
    Flip("c16", rules([0, 0, 0.722], [0.811, 0.722, 0], [0.615, 0.635, 0.191]), "misprinted"),
    # had the slope been right for the loss that it is printed for
    Flip("c16", rules([0.8, 0.7, 0.722], [0, 0, 0], [0.6, 0.6, 0.191]), "holds"),
    # had no rule of this form been right
    Flip("c16", rules([0.3, 0, 0.722], [0.811, 0.722, 0], [0.615, 0.635, 0.191]), "wrong"),
    Flip("c17", {"missing": 0.29, "linear_case": 1e-10}, "misprinted"),
    Flip("c17", {"missing": 1e-9, "linear_case": 1e-10}, "holds"),
    Flip("c17", {"missing": 0.29, "linear_case": 0.2}, "wrong"),
    Flip("c18", BACK, "misprinted"),
    Flip("c18", BACK | back(further=1e-9), "holds"),
    Flip("c18", BACK | back(right=0.4), "wrong"),
    Flip("c34", PUSH, "holds with a condition"),
    Flip("c34", PUSH | {"weaker": 2.0, "grows": {"sum": 1.0, "mean": 1.0}}, "holds"),
    Flip("c34", PUSH | {"wants": {"squared error": 0.01}}, "wrong"),
    Flip("c37", kinks(), "misprinted"),
    Flip("c37", kinks(exists={}), "holds"),
    # had it vanished on both sides
    Flip("c37", kinks(exists={-2.0: 0.0, 2.0: 0.0}), "wrong"),
    Flip("c38", SQUARES, "wrong"),
    # had they been multiples of one another
    Flip("c38", SQUARES | {"ratio": pd.Series([2.0, 2.0]), "slope_ratio": pd.Series([2.0, 2.0])}, "holds"),
    Flip("c39", digits(0.817, 0.817), "holds"),
    Flip("c39", digits(0.817, 0.6), "holds with a condition"),
    Flip("c39", digits(0.5, 0.6), "wrong"),
    Flip("c63", INDICES, "holds with a condition"),
    # had both sections numbered alike
    Flip("c63", INDICES | {"fitting": {"B4.1.1": 3, "B3.2.1": 3}}, "holds"),
    # had its own definition not fitted
    Flip("c63", INDICES | {"fitting": {"B4.1.1": 0, "B3.2.1": 3}}, "misprinted"),
]
