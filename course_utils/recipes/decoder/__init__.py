"""A small language model of the kind of GPT-2, trained on two cores: nanoGPT's recipe for a CPU and a faster one.

Chapter 12 shows the decoder and the steps in the open; ``tests/benchmarks/decoder.py`` measures both recipes. ::

    text = data.load("course_text")
    letters = decoder.alphabet(text.text)
    model = decoder.train(decoder.encode(text.train, letters), len(letters), decoder.QUICK, seed=0)
    decoder.loss(model, decoder.encode(text.validation, letters))   # nats a character

Keras is imported with the first of `Decoder`, `train` and `loss`.
"""

import importlib
from typing import TYPE_CHECKING

from course_utils.recipes.decoder.recipe import (
    ALONE,
    BASELINE,
    FAST,
    HELD_OUT,
    LONG,
    QUICK,
    SCALING,
    WITHOUT,
    Design,
    Recipe,
    alphabet,
    encode,
    rates,
)

if TYPE_CHECKING:
    from course_utils.recipes.decoder.network import Decoder
    from course_utils.recipes.decoder.training import loss, train

__all__ = [
    "ALONE",
    "BASELINE",
    "FAST",
    "HELD_OUT",
    "LONG",
    "QUICK",
    "SCALING",
    "WITHOUT",
    "Decoder",
    "Design",
    "Recipe",
    "alphabet",
    "encode",
    "loss",
    "rates",
    "train",
]

_HEAVY = {"Decoder": "network", "loss": "training", "train": "training"}


def __getattr__(name: str):
    if name in _HEAVY:
        return getattr(importlib.import_module(f"{__name__}.{_HEAVY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
