"""Right and wrong answers to the exercises of chapter 10, each written without the reference."""

import math

import numpy as np


def channel_by_channel(w):
    flat = np.array(w, float).reshape(-1, w.shape[-1])
    for k in range(flat.shape[1]):
        largest = max(abs(flat[:, k]))
        if largest:
            flat[:, k] = np.rint(flat[:, k] / (largest / 127)) * (largest / 127)
    return flat.reshape(w.shape)


def by_moving_axes(w):
    rows = np.moveaxis(w, -1, 0)
    s = np.array([np.abs(row).max() / 127 or 1.0 for row in rows])
    return np.stack([np.round(row / one) * one for row, one in zip(rows, s, strict=True)], axis=-1)


def in_int8(w):
    s = np.maximum(np.abs(w).max(axis=tuple(range(w.ndim - 1))) / 127, 1e-30)
    return np.round(w / s).astype(np.int8) * s


def scaled(w, axis, steps=127, rounding=np.round):
    s = np.abs(w).max(axis=axis, keepdims=True) / steps
    s[s == 0] = 1
    return rounding(w / s) * s


def most(w):
    return tuple(range(w.ndim - 1))


def upper(lost, gained, n, z=1.96, square=1, more=2):
    p, g = (lost + 1) / (n + 2), (gained + 1) / (n + 2)
    return p - g + z * math.sqrt((p + g - square * (p - g) ** 2) / (n + more))


def one_by_one(lost, gained, n, p99, mb, max_ms, max_mb, may_lose, **interval):
    for k in range(len(lost)):
        if upper(lost[k], gained[k], n, **interval) <= may_lose and p99[k] <= max_ms and mb[k] <= max_mb:
            return k
    return -1


def by_next(lost, gained, n, p99, mb, max_ms, max_mb, may_lose):
    fit = (
        k for k, t in enumerate(p99) if not (t > max_ms or mb[k] > max_mb or upper(lost[k], gained[k], n) > may_lose)
    )
    return next(fit, -1)


def by_where(lost, gained, n, p99, mb, max_ms, max_mb, may_lose):
    losses = np.array([upper(a, b, n) for a, b in zip(lost, gained, strict=True)])
    fit = np.where((losses <= may_lose) * (p99 <= max_ms) * (mb <= max_mb))[0]
    return fit[0] if fit.size else -1


def all_that_fit(lost, gained, n, p99, mb, max_ms, max_mb, may_lose):
    return [
        k for k in range(len(lost)) if upper(lost[k], gained[k], n) <= may_lose and p99[k] <= max_ms and mb[k] <= max_mb
    ]


RIGHT = {
    "10-1": [channel_by_channel, by_moving_axes, in_int8],
    "10-2": [one_by_one, by_next, by_where],
}

WRONG = {
    "10-1": [
        (lambda w: scaled(w, None), "one scale for all"),
        (lambda w: scaled(w, -1), "wrong axis"),
        (lambda w: scaled(w, 0), "over the first axis"),
        (lambda w: np.round(w / (np.abs(w).max(axis=most(w)) / 127)) * (np.abs(w).max(axis=most(w)) / 127), "zeros"),
        (lambda w: scaled(w, most(w), rounding=np.trunc), "cut off"),
        (lambda w: scaled(w, most(w), rounding=np.floor), "rounded down"),
        (lambda w: scaled(w, most(w), steps=128), "128 steps"),
        (lambda w: scaled(w, most(w), steps=255), "255 steps"),
        (lambda w: w + 0, "nothing done"),
        (lambda w: np.round(w / np.maximum(np.abs(w).max(axis=most(w)) / 127, 1e-9)), "numbers, not restored"),
    ],
    "10-2": [
        (
            lambda lost, gained, n, p99, mb, ms, most_mb, may: next(
                (k for k in range(len(lost)) if (lost[k] - gained[k]) / n <= may and p99[k] <= ms and mb[k] <= most_mb),
                -1,
            ),
            "the estimate",
        ),
        (lambda *given: (all_that_fit(*given) or [-1])[-1], "the last"),
        *((lambda *given, z=z: one_by_one(*given, z=z), "90 %") for z in (1.5, 1.645)),
        *((lambda *given, z=z: one_by_one(*given, z=z), "99 %") for z in (2.576,)),
        (lambda *given: one_by_one(*given, square=0), "square left out"),
        (lambda *given: one_by_one(*given, more=0), "n for n + 2"),
        (lambda *given: (all_that_fit(*given) or [0])[0], "0 for none"),
        (lambda *given: (all_that_fit(*given) or [None])[0], "None for none"),
        (
            lambda lost, gained, n, p99, mb, ms, most_mb, may: one_by_one(lost, gained, n, p99, mb, 1e9, most_mb, may),
            "time left out",
        ),
        (
            lambda lost, gained, n, p99, mb, ms, most_mb, may: one_by_one(lost, gained, n, p99, mb, ms, 1e9, may),
            "size left out",
        ),
        (
            lambda lost, gained, n, p99, mb, ms, most_mb, may: one_by_one(lost, gained, n, p99, mb, ms, most_mb, 9),
            "loss left out",
        ),
        (
            lambda lost, gained, n, p99, mb, ms, most_mb, may: one_by_one(gained, lost, n, p99, mb, ms, most_mb, may),
            "gain for loss",
        ),
    ],
}
