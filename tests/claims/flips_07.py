"""What turns the verdicts of chapter 07."""

import numpy as np

from claims.flip import Flip

_NEAREST = {"nearest": {"loss": 0.0182, "accuracy": 0.9942}}
_TODAY = {"measured": {"date": "2026-11-28"}}
_FINALS = np.array([0.9914, 0.9896, 0.9884, 0.9927, 0.9901])  # the runs that were recorded
_BEST = np.array([0.9914, 0.9924, 0.9921, 0.9927, 0.9912])
_LOW, _BELOW = np.minimum(_FINALS, 0.992), np.minimum(_BEST, 0.992)

FLIPS = [
    Flip("c45", {"whole": 4, "single": 3}, "holds with a condition"),
    Flip("c45", {"whole": 3, "single": 3}, "holds"),
    Flip("c45", {"whole": 4, "single": 4}, "wrong"),
    Flip("c44", {"convolutions": 3, "pooled": 2}, "wrong"),
    Flip("c44", {"convolutions": 3, "pooled": 3}, "holds with a condition"),
    Flip("c44", {"convolutions": 2, "pooled": 2}, "holds"),
    Flip("c46", {"epoch_seconds": 300.0, "validates": False, "possible": True, **_NEAREST}, "wrong"),
    Flip("c46", {"epoch_seconds": 300.0, "validates": True, "possible": True, **_NEAREST}, "wrong"),
    Flip("c46", {"epoch_seconds": 33.0, "validates": True, "possible": False, **_NEAREST}, "wrong"),
    Flip("c46", {"epoch_seconds": 33.0, "validates": True, "possible": True, **_NEAREST}, "holds"),
    Flip("c47", {"finals": _FINALS, "best": _BEST, **_TODAY}, "holds with a condition"),
    Flip("c47", {"finals": _FINALS + 0.003, "best": _BEST + 0.003, **_TODAY}, "holds"),
    Flip("c47", {"finals": _LOW, "best": _BELOW, **_TODAY}, "wrong"),
    Flip("c47", {"finals": _LOW, "best": _BELOW + 0.001, **_TODAY}, "holds with a condition"),
]
