"""Chapter 04: what was measured for each claim, and observations that would turn its verdict."""

from types import MappingProxyType

import numpy as np

from claims.flip import Flip

SUM = MappingProxyType({"distances": np.array([32.0, 31.0, 50.0]), "summed": 0.0, "unbound": "j"})
LAYER = MappingProxyType(
    {"shapes": {"kindly": (4, 4), "library": (4, 4, 2)}, "alike": 0, "repaired": 16, "kindest": 16, "below_zero": 9}
)
POOLED = MappingProxyType({"results": {"as printed": [10, 4, 5, 26], "max pooling": [4, 2, 2, 8]}})


def counted(pooling=0, convolutions=2768, dense=40970):
    import pandas as pd

    without = {"convolutions": 2768, "pooling": 0, "dense": 163850}
    given = {"convolutions": convolutions, "pooling": pooling, "dense": dense}
    mean = {"convolutions": 2768, "pooling": 0, "dense": 170}
    columns = {
        ("flatten", "without"): without,
        ("flatten", "with"): given,
        ("mean of each map", "without"): mean,
        ("mean of each map", "with"): mean | {"convolutions": convolutions},
    }
    return {"counts": pd.DataFrame(columns)}


PRINTED = {"input": "the shapes do not fit", "kernel": "the shapes do not fit"}
NEEDED = {"input": (6, 6), "kernel": (3, 3)}
BACK = MappingProxyType({"as_printed": PRINTED, "needed": NEEDED, "mended": True})
SIZES = MappingProxyType(
    {
        "flat": [True, False, False],
        "by_mean": [True, True, True],
        "sizes": {"32 × 32": (32, 32), "48 × 48": (48, 48), "20 × 70": (20, 70)},
    }
)
SHAPES = [(32, 32, 3), (16, 16, 16), (16, 16, 16)]
NETWORK = MappingProxyType(
    {"built": SHAPES, "listed": SHAPES, "fitting": [((16, 16), "same", 2)], "ways": [None] * 200, "unlisted": 1}
)
LOSS = MappingProxyType(
    {
        "map_shapes": [(32, 32, 16), (16, 16, 16)],
        "printed_loss": np.array([-0.693, np.inf, -5.298]),
        "right_loss": np.array([0.241, 3.241, 0.0]),
    }
)

FLIPS = [
    Flip("c35", SUM, "misprinted"),
    # had one j given the convolution; had not even the sum given it
    Flip("c35", SUM | {"distances": np.array([32.0, 0.0, 50.0])}, "holds"),
    Flip("c35", SUM | {"summed": 7.0}, "wrong"),
    Flip("c19", LAYER, "misprinted"),
    # had the kind reading given the library's maps; had leaving φ out mended nothing
    Flip("c19", LAYER | {"shapes": {"kindly": (4, 4, 2), "library": (4, 4, 2)}, "alike": 16}, "holds"),
    Flip("c19", LAYER | {"repaired": 9}, "wrong"),
    # had the sum over pixels been right for pixels below zero, too
    Flip("c19", LAYER | {"below_zero": 16}, "holds"),
    Flip("c36", POOLED, "misprinted"),
    # had the maximum of the sums been the maximum
    Flip("c36", {"results": {"as printed": [4, 2, 2, 8], "max pooling": [4, 2, 2, 8]}}, "holds"),
    Flip("c57", counted(), "holds with a condition"),
    # had the dense layer kept its parameters; had the convolutions lost some, too
    Flip("c57", counted(dense=163850), "wrong"),
    Flip("c57", counted(convolutions=1384), "holds"),
    Flip("c21", BACK, "misprinted"),
    # had the products fitted; had the unrolled reading not been mended by summing
    Flip("c21", BACK | {"as_printed": NEEDED}, "holds"),
    Flip("c21", BACK | {"mended": False}, "wrong"),
    Flip("c30", SIZES, "holds with a condition"),
    # had the mean refused a size, too; had Flatten taken all
    Flip("c30", SIZES | {"by_mean": [True, False, False]}, "holds"),
    Flip("c30", SIZES | {"flat": [True, True, True]}, "wrong"),
    Flip("c40", NETWORK, "holds with a condition"),
    # had nothing been added; had no network of the listed shapes been found
    Flip("c40", NETWORK | {"unlisted": 0}, "holds"),
    Flip("c40", NETWORK | {"fitting": []}, "wrong"),
    Flip("c20", LOSS, "misprinted"),
    # had the printed loss been finite and never negative; had softmax failed as well
    Flip("c20", LOSS | {"printed_loss": np.array([0.2, 3.2, 0.0])}, "holds"),
    Flip("c20", LOSS | {"right_loss": np.array([0.2, np.inf, 0.0])}, "wrong"),
]
