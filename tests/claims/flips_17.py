"""What turns the verdict of chapter 17."""

from claims.flip import Flip

_PRINTED = ["On Seeing: A Review", "On Reading: An Overview"]
_NEAR = {"On Seeing: A Review": None, "On Seeing: A Brief Review": "A. Author, 2018"}
_ONE = {"On Seeing: A Review": "A. Author, 2018"}

FLIPS = [
    Flip("c49", {"printed": _PRINTED, "found": _NEAR}, "unverifiable"),
    Flip("c49", {"printed": _PRINTED, "found": _ONE}, "holds with a condition"),
    Flip("c49", {"printed": _PRINTED, "found": {**_ONE, "On Reading: An Overview": "B. Author, 2020"}}, "holds"),
]
