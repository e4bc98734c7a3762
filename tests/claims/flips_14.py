"""What turns the verdicts of chapter 14."""

from claims.flip import Flip

_DEEP = ("words recognised", "")

FLIPS = [
    Flip(
        "c48",
        {"papers": {"DeepSpeech": _DEEP, "WaveNet": ("sound generated", "phonemes recognised")}},
        "holds with a condition",
    ),
    Flip("c48", {"papers": {"DeepSpeech": _DEEP, "WaveNet": ("words recognised", "sound generated")}}, "holds"),
    Flip("c48", {"papers": {"DeepSpeech": _DEEP, "WaveNet": ("sound generated", "")}}, "wrong"),
]
