"""What turns the verdicts of chapter 10."""

from claims.flip import Flip

_STORED = {"holds_up_to": (3.4e38, 127.0), "different": (36_853, 166)}
_FLOAT = {"holds_up_to": (3.4e38, 3.4e38), "different": (36_853, 36_853)}
_TOLD = ["multiplications", "of these on each", "rows on each", "weights on each", "sent"]

FLIPS = [
    Flip("c59", {"count": (36_864, 36_864), "bits": (32, 8), **_STORED}, "holds with a condition"),
    Flip("c59", {"count": (36_864, 9_216), "bits": (32, 8), **_STORED}, "holds"),
    Flip("c59", {"count": (36_864, 36_864), "bits": (32, 32), **_FLOAT}, "wrong"),
    Flip("c59", {"count": (36_864, 36_864), "bits": (32, 8), "holds_up_to": (127.0, 127.0), "different": (200, 166)}, "wrong"),
    Flip("c54", {"shrinks": 4.0, "costs": 0.2, "speeds": 0.65, "refusals": [True, True]}, "holds with a condition"),
    Flip("c54", {"shrinks": 4.0, "costs": 0.2, "speeds": 1.8, "refusals": [True, True]}, "holds"),
    Flip("c54", {"shrinks": 4.0, "costs": 0.6, "speeds": 1.8, "refusals": [True, True]}, "holds with a condition"),
    Flip("c54", {"shrinks": 4.0, "costs": 0.2, "speeds": 1.8, "refusals": [True, False]}, "holds with a condition"),
    Flip("c54", {"shrinks": 1.0, "costs": 0.6, "speeds": 0.9, "refusals": [False, False]}, "wrong"),
    Flip("c50", {"told": _TOLD, "shares": {1: [16.1, 16.1, 3.2, 0.03, 0.0], 2: [16.1, 8.0, 1.6, 0.03, 0.03]}}, "holds with a condition"),
    Flip("c50", {"told": _TOLD, "shares": {1: [16.1, 16.1, 3.2, 0.03, 0.0], 2: [16.1, 8.0, 1.6, 0.015, 0.03]}}, "holds"),
    Flip("c50", {"told": _TOLD, "shares": {1: [16.1, 16.1, 3.2, 0.03, 0.0], 2: [32.2, 16.1, 3.2, 0.03, 0.03]}}, "wrong"),
]
