"""What a reader moves and a model answers: widgets on top of the course's figures and preprocessing.

Each explorer has a module of its own, loaded when it is first used, with two functions: the live widget, and a picture
of it (a plotly figure) for readers without a kernel.
"""

import importlib
import importlib.resources
import sys
import types

# A public name → the module that defines it.
MODULES = {
    "draw_digit": "drawing",
    "drawing_picture": "drawing",
    "example_strokes": "drawing",
    "size_and_cost": "costs",  # chapter 01
    "size_and_cost_picture": "costs",
    "descent": "descent",  # chapter 02
    "descent_picture": "descent",
    "playground": "playground",  # chapter 03
    "playground_picture": "playground",
    "convolution": "convolution",  # chapter 04
    "convolution_picture": "convolution",
    "gradient_over_time": "gradient_flow",  # chapter 05
    "gradient_over_time_picture": "gradient_flow",
    "duel": "gan_game",  # chapter 06
    "duel_picture": "gan_game",
    "words": "word_map",  # chapter 08
    "words_picture": "word_map",
    "attention": "attention",  # chapter 09
    "attention_picture": "attention",
}

__all__ = sorted(MODULES)


def __getattr__(name: str):
    if name in MODULES:
        return getattr(importlib.import_module(f"course_utils.explorers.{MODULES[name]}"), name)
    raise AttributeError(f"module 'course_utils.explorers' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__


class _Package(types.ModuleType):
    """Python binds a module, once it is loaded, to its name in its package; `descent` must stay the function."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in MODULES and isinstance(value, types.ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def front_end(*names: str) -> str:
    """The scripts or style sheets of that name in this folder, one after another, as one text."""
    folder = importlib.resources.files(__package__)
    return "\n".join(folder.joinpath(name).read_text("utf-8") for name in names)
