"""The articles' MNIST program and the course's faster one, as one function and the changes between them.

Chapter 07 shows these functions in the open; ``tests/notebooks/test_recipe_of_chapter_07.py`` holds the copies
together. Pixels come in as uint8 from 0 to 255; every trained model takes them so, and gives ten probabilities.
"""

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras

SIZE = 24  # pixels kept by a crop: the border of an MNIST image is nearly empty (one in eight loses some ink)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What can be changed about the articles' program; the defaults *are* the articles' program (section B5.2).

    ``pixels`` is what the network is fed: "float64" (divided before training, as printed) or "uint8" (divided inside
    the network, in float32). ``calls`` is the number of batches for each call from Python. ``network`` is a key of
    NETWORKS; ``one_cycle`` a learning-rate schedule instead of a constant; ``crops`` "whole" images, their "middle"
    24 × 24 pixels, or a "random" 24 × 24, drawn afresh in each epoch; ``smoothing`` label smoothing; ``averaging`` the
    momentum of a moving average of the weights (0: none).
    """

    epochs: int = 10
    batch: int = 32
    pixels: str = "float64"
    calls: int = 1
    network: str = "pooling"
    one_cycle: bool = False
    crops: str = "whole"
    smoothing: float = 0.0
    averaging: float = 0.0


def _ladder() -> dict[str, Recipe]:
    """The articles' program and, rung by rung, one change more."""
    changes = {
        "the articles' program": {},
        "uint8 in, float32 inside": {"pixels": "uint8"},
        "batches of 128": {"batch": 128},
        "strides for pooling": {"network": "strides"},
        "5 × 5 kernels first": {"network": "strides, 5 × 5"},
        "padding in the second": {"network": "strided"},
        "32 channels in the middle": {"network": "narrow"},
        "one-cycle rate": {"one_cycle": True},
        "5 epochs": {"epochs": 5},
        "the middle 24 × 24": {"crops": "middle"},
        "a random 24 × 24": {"crops": "random"},
        "8 batches a call": {"calls": 8},
        "label smoothing": {"smoothing": 0.1},
        "averaged weights": {"averaging": 0.99},
    }
    ladder, recipe = {}, Recipe()
    for name, change in changes.items():
        ladder[name] = recipe = dataclasses.replace(recipe, **change)
    return ladder


LADDER = _ladder()
ARTICLE = LADDER["the articles' program"]
FAST = LADDER["label smoothing"]  # the last rung is tried on top of it
# Who gains what: each network with each way to train it.
CROSSED = {
    "articles' network, articles' training": ARTICLE,
    "recipe's network, articles' training": dataclasses.replace(ARTICLE, network=FAST.network),
    "articles' network, recipe's training": dataclasses.replace(FAST, network=ARTICLE.network),
    "recipe's network, recipe's training": FAST,
}


def pooling_network() -> list:
    """The articles' layers (section B5.2.2): 93,322 parameters on 28 × 28 pixels."""
    from keras import layers

    return [
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]


def strided_network(middle: int = 64, first: int = 5, padding: str = "same") -> list:
    """The same idea with strides: a convolution skips places instead of computing what pooling throws away."""
    from keras import layers

    return [
        layers.Conv2D(32, first, strides=2, activation="relu"),
        layers.Conv2D(middle, 3, strides=2, padding=padding, activation="relu"),
        layers.Conv2D(64, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]


NETWORKS = {
    "pooling": pooling_network,  # as printed
    "strides": lambda: strided_network(first=3, padding="valid"),
    "strides, 5 × 5": lambda: strided_network(padding="valid"),
    "strided": strided_network,
    "narrow": lambda: strided_network(middle=32),
}


def one_cycle(step, steps: int, peak: float = 6e-3, warm_up: float = 0.2):
    """A linear climb to the peak over the first fifth of the steps, then half a cosine down to nought.

    Source: L. N. Smith, N. Topin, "Super-convergence: very fast training of neural networks using large learning
    rates", SPIE 11006 (2019); arXiv:1708.07120.
    """
    import keras

    done = (keras.ops.cast(step, "float32") + 1) / steps
    climb = 0.1 + 0.9 * done / warm_up
    fall = 0.5 * (1 + keras.ops.cos(math.pi * (done - warm_up) / (1 - warm_up)))
    return peak * keras.ops.where(done < warm_up, climb, fall)


def random_crops(images: np.ndarray, random: np.random.Generator, size: int = SIZE) -> np.ndarray:
    """(n, 28, 28) -> (n, 24, 24), each image cut at one of 25 places: shifts of up to two pixels, almost free."""
    places = images.shape[1] - size + 1
    which = random.integers(0, places * places, len(images))
    out = np.empty((len(images), size, size), images.dtype)
    for place in range(places * places):
        row, column = divmod(place, places)
        chosen = np.flatnonzero(which == place)
        out[chosen] = images[chosen, row : row + size, column : column + size]
    return out


def train(images: np.ndarray, labels: np.ndarray, recipe: Recipe = FAST, *, seed: int = 0) -> "keras.Model":
    """Train by a recipe: images (n, 28, 28) uint8, labels (n,) integers from 0 to 9.

    The model that comes back takes (n, 28, 28, 1) with pixels from 0 to 255 and gives (n, 10) probabilities.
    """
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    random = np.random.default_rng(seed)
    size = images.shape[1] if recipe.crops == "whole" else SIZE
    border = (images.shape[1] - size) // 2
    divide = [layers.Rescaling(1 / 255)] if recipe.pixels == "uint8" else []
    model = keras.Sequential([layers.Input((size, size, 1)), *divide, *NETWORKS[recipe.network]()])

    steps = max(1, len(images) // recipe.batch) * recipe.epochs
    rate = schedule(steps) if recipe.one_cycle else 1e-3
    averaging = {"use_ema": True, "ema_momentum": recipe.averaging} if recipe.averaging else {}
    model.compile(
        keras.optimizers.Adam(rate, **averaging),
        keras.losses.CategoricalCrossentropy(label_smoothing=recipe.smoothing),
        metrics=["accuracy"],
        steps_per_execution=recipe.calls,
    )
    targets = keras.utils.to_categorical(labels, 10)
    pixels = images if recipe.pixels == "uint8" else images / 255.0
    if recipe.crops == "random":
        # A fresh cut for each epoch, whole batches only: every call of fit then has the same shapes.
        kept = max(1, len(images) // recipe.batch) * recipe.batch
        for _ in range(recipe.epochs):
            order = random.permutation(len(images))[:kept]
            cut = random_crops(pixels[order], random)[..., None]
            model.fit(cut, targets[order], batch_size=recipe.batch, shuffle=False, verbose=0)
    else:
        pixels = pixels[:, border : border + size, border : border + size]
        model.fit(pixels[..., None], targets, batch_size=recipe.batch, epochs=recipe.epochs, verbose=0)

    before = [layers.Cropping2D(border)] if border else []
    before += [] if divide else [layers.Rescaling(1 / 255)]
    whole = keras.Sequential([layers.Input((*images.shape[1:], 1)), *before, *model.layers])
    whole.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return whole


def schedule(steps: int) -> "keras.optimizers.schedules.LearningRateSchedule":
    """`one_cycle` over so many steps, as Keras wants it."""
    import keras

    class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return one_cycle(step, steps)

        def get_config(self):
            return {"steps": steps}

    return OneCycle()
