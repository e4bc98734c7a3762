"""What turns the verdict of chapter 17."""

from claims.flip import Flip

_NOWHERE = [("On Seeing", "a template", False), ("On Reading", "a list", False)]

FLIPS = [
    Flip("c49", {"found": _NOWHERE}, "unverifiable"),
    Flip("c49", {"found": [*_NOWHERE, ("On Seeing", "its journal", True)]}, "holds with a condition"),
    Flip("c49", {"found": [("On Seeing", "its journal", True), ("On Reading", "its journal", True)]}, "holds"),
]
