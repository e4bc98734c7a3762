"""What chapter 05 observed, the verdicts on it, and other observations that turn them."""

import pandas as pd

from claims.flip import Flip


def random_starts(kept: bool, anew: list[bool]) -> dict:
    """Whether a start drawn once is harmless, and one drawn anew (in a network that forgets, in one that remembers)."""
    spreads = pd.DataFrame({"drawn once": [0.0, 0.0], "drawn anew": [0.0, 0.99]}, index=[0.5, 1.0])
    return {"kept_is_harmless": kept, "anew_is_harmless": anew, "spreads": spreads}


FATES = pd.DataFrame(index=[0.9, 1.0, 1.2, 1.5, 2.0])


def relu(in_reach: float, identity: float) -> dict:
    return {"share_in_reach": in_reach, "identity_keeps": identity, "fates": FATES}


def fates(vanishes: float, within: float, explodes: float, trained: float = 0.63) -> dict:
    ends = {"vanishes": vanishes, "within reach": within, "explodes": explodes}
    both = min(vanishes, explodes) > 0.05
    return {"ends": ends, "both": both, "trained": trained, "baseline": 0.83, "fates": FATES}


def through_time(*printed: float, whole: float = 1e-11) -> dict:
    cases = ["tanh, a loss at each step", "ReLU, one loss at the end", "the same, all units on"]
    return {"printed": pd.Series(printed, index=cases), "whole": pd.Series([whole] * 3, index=cases)}


def update(printed: float, kindest: float, right: float = 1e-11) -> dict:
    found = {"printed index, one step": printed, "printed index, summed": 0.83, "right index, one step": 0.41}
    return {"best": found | {"right index, summed": right, "kindest, one step": kindest, "kindest, summed": 1e-11}}


def alarms(cnn: list[float], lstm: list[float]) -> dict:
    right = {"1-D CNN": cnn, "LSTM, gates set": lstm}
    return {"right": right, "margin": min(cnn) - max(lstm), "baseline": 0.83}


def task(hundred: bool, one: bool, floor: float) -> dict:
    return {"takes": {"100 inputs a step": hundred, "1 input, drawn 100 times": one}, "floor": floor}


FLIPS = [
    Flip("c22", random_starts(True, [True, False]), "holds with a condition"),
    Flip("c22", random_starts(True, [True, True]), "holds"),
    Flip("c22", random_starts(False, [False, False]), "wrong"),
    Flip("c23", relu(0.3, 1.0), "holds with a condition"),
    Flip("c23", relu(0.8, 1.0), "holds"),
    Flip("c23", relu(0.3, 0.0), "wrong"),
    Flip("c33", fates(0.62, 0.18, 0.20), "holds"),
    Flip("c33", fates(0.02, 0.95, 0.03), "wrong"),
    Flip("c33", fates(0.80, 0.20, 0.00), "holds with a condition"),  # nothing explodes
    Flip("c33", fates(0.62, 0.18, 0.20, trained=0.99), "holds with a condition"),  # and training is easy
    Flip("c24", through_time(0.95, 0.36, 0.0), "misprinted"),
    Flip("c24", through_time(0.95, 0.0, 0.0), "holds with a condition"),  # right for one loss at the end
    Flip("c24", through_time(0.0, 0.0, 0.0), "holds"),
    Flip("c24", through_time(0.95, 0.36, 0.0, whole=0.2), "wrong"),
    Flip("c25", update(0.80, 0.18), "misprinted"),
    Flip("c25", update(0.0, 0.18), "holds"),
    Flip("c25", update(0.80, 0.0), "holds"),
    Flip("c25", update(0.80, 0.18, right=0.3), "wrong"),
    Flip("c31", alarms([0.994, 0.998], [0.999, 0.983]), "wrong"),
    Flip("c31", alarms([0.90, 0.92], [0.999, 0.983]), "holds with a condition"),  # well above the table, below the LSTM
    Flip("c31", alarms([0.55, 0.92], [0.999, 0.983]), "holds"),
    Flip("c41", task(False, True, 4.8), "misprinted"),
    Flip("c41", task(True, True, 0.0), "holds"),
    Flip("c41", task(False, False, 4.8), "wrong"),
]
