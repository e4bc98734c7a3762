"""Observations that decide the verdicts of chapter 08: as measured, and changed so that another verdict follows."""

import numpy as np

from claims.flip import Flip

LISTING = {
    "typos": ["truncating_type"], "brought": {"num_classes", "val_labels"}, "gone": True, "clause": 1, "mended": "",
}  # fmt: skip
LOSS = np.array([1.3963, 1.4054, 1.4021, 1.3996, 1.3981, 1.3967, 1.3954, 1.3944, 1.3933, 1.3924])
RIGHT = np.array([0.5245, 0.5280, 0.5307, 0.5328, 0.5346, 0.5363, 0.5376, 0.5390, 0.5404, 0.5417])
VAL_RIGHT = np.array([0.5176, 0.5186, 0.5204, 0.5213, 0.5222, 0.5231, 0.5240, 0.5250, 0.5260, 0.5270])


def log(loss=LOSS, right=RIGHT, val_right=VAL_RIGHT):
    """What the chapter reads out of a printed log."""
    return {
        "loss": loss, "right": right, "val_right": val_right, "rose": (np.flatnonzero(np.diff(loss) > 0) + 2).tolist(),
        "early": loss[1] - loss[4], "late": loss[6] - loss[9],
    }  # fmt: skip


FLIPS = [
    Flip("c10", LISTING, "wrong"),
    Flip("c10", LISTING | {"typos": []}, "holds with a condition"),
    Flip("c10", LISTING | {"typos": [], "brought": set()}, "holds"),
    Flip("c11", {"without": 0.72, "masked": 0.0}, "holds with a condition"),
    Flip("c11", {"without": 0.0, "masked": 0.0}, "holds"),
    Flip("c11", {"without": 0.72, "masked": 0.3}, "wrong"),
    Flip("c12", log(), "holds with a condition"),
    # The last epoch rises a little, as the line under the log has it: then everything that is said is true.
    Flip("c12", log(loss=np.append(LOSS[:-1], 1.3934)), "holds"),
    Flip("c12", log(loss=np.linspace(1.40, 1.30, 10)), "wrong"),
    Flip("c12", log(val_right=VAL_RIGHT[::-1]), "wrong"),
]
