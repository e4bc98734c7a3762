"""Chapter 02: what was measured for each claim, and observations that would turn its verdict."""

from types import MappingProxyType

import numpy as np

from claims.flip import Flip

CROSS_ENTROPY = MappingProxyType(
    {"printed": [0.868, 0.0], "over_classes": -np.log(0.4), "over_rows": 0.497, "scores": {"careful": 0.497}}
)
CYCLE = np.array([1.915, -1.915, 1.915, -1.915])
DESCENT = MappingProxyType(
    {
        "fates": {0.24: np.array([1.0, 0.0002]), 0.26: np.array([1.0, 2199.8])},
        "end": CYCLE,
        "corner": 1.915,
        "logistic_losses": np.array([0.693, 4.528, 3e-5]),
    }
)
ARRIVED = {0.24: np.array([1.0, 0.0002]), 0.26: np.array([1.0, 0.0001])}
SLOGAN = MappingProxyType(
    {"changes": {"set": True, "metric": True, "model": True}, "of_hits": 0.0, "hits": np.ones(705, dtype=bool)}
)

FLIPS = [
    Flip("c06", CROSS_ENTROPY, "misprinted"),
    # had the formula told the alarmist from the model that has learnt something
    Flip("c06", CROSS_ENTROPY | {"printed": [0.868, 30.0]}, "holds"),
    # had no reading of the index been right
    Flip("c06", CROSS_ENTROPY | {"over_rows": 1.988}, "wrong"),
    Flip("c06", CROSS_ENTROPY | {"over_classes": 0.0}, "wrong"),
    Flip("c07", DESCENT, "holds with a condition"),
    # had every rate arrived, on all three losses
    Flip("c07", DESCENT | {"fates": ARRIVED, "end": np.array([1e-3, 1e-4, 1e-5, 1e-6])}, "holds"),
    Flip("c07", DESCENT | {"fates": ARRIVED}, "holds with a condition"),
    # had a small rate failed on a parabola
    Flip("c07", DESCENT | {"fates": DESCENT["fates"] | {0.24: np.array([1.0, 0.9])}}, "wrong"),
    Flip("c62", SLOGAN, "misprinted"),
    # had nothing else mattered than what is named, and had zero come from a zero factor alone
    Flip("c62", SLOGAN | {"changes": {"set": True, "metric": True, "model": False}, "of_hits": 0.08}, "holds"),
    # had a named factor made no difference
    Flip("c62", SLOGAN | {"changes": {"set": True, "metric": False, "model": True}}, "wrong"),
]
