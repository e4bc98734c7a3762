"""Right and wrong answers to the exercises of chapter 04, each written without the reference."""

import numpy as np
from scipy import ndimage, signal


def plan_by_counting(n, k, c_in, c_out, p=0, s=1, d=1):
    starts = [x for x in range(0, n + 2 * p, s) if x + d * (k - 1) < n + 2 * p]
    weights = np.zeros((k, k, c_in, c_out))
    return [len(starts), weights.size + c_out]


def plan_by_floor(n, k, c_in, c_out, p=0, s=1, d=1):
    span = d * (k - 1) + 1
    return np.floor((n + 2 * p - span) / s).astype(int) + 1, k**2 * c_in * c_out + c_out


def same_by_scipy(a, w):
    return signal.correlate2d(a, w, mode="same")


def same_by_ndimage(a, w):
    return ndimage.correlate(a, w, mode="constant")


def same_by_loops(a, w):
    (k, m), z = w.shape, np.zeros(a.shape)
    for x, y, i, j in np.ndindex(*a.shape, k, m):
        u, v = x + i - k // 2, y + j - m // 2
        if 0 <= u < a.shape[0] and 0 <= v < a.shape[1]:
            z[x, y] += w[i, j] * a[u, v]
    return z


def gradients_by_scipy(x, k, target):
    delta = (signal.correlate2d(x, k, mode="valid") - target) / np.prod(target.shape)
    return signal.correlate2d(x, delta, mode="valid"), signal.convolve2d(delta, k, mode="full")


def gradients_by_slices(x, k, target):
    (rows, columns), grad_k, grad_x, z = target.shape, np.zeros(k.shape), np.zeros(x.shape), np.zeros(target.shape)
    for i, j in np.ndindex(k.shape):
        z += k[i, j] * x[i : i + rows, j : j + columns]
    delta = (z - target) / z.size
    for i, j in np.ndindex(k.shape):
        grad_k[i, j] = (delta * x[i : i + rows, j : j + columns]).sum()
        grad_x[i : i + rows, j : j + columns] += k[i, j] * delta
    return [grad_k, grad_x]


def spoilt(change):
    def answer(x, k, target):
        return change(*gradients_by_scipy(x, k, target), x, k, target)

    return answer


def rows_by_trial(stack, x):
    """Which rows of a long image change row x of the last map when they change?"""
    import math

    n = 200
    base = np.zeros(n)

    def run(a):
        for k, s, d in stack:
            places = range(0, len(a) - d * (k - 1), s)
            a = np.array([sum(a[at + d * i] for i in range(k)) for at in places])
        return a[x]

    hits = []
    for row in range(n):
        moved = base.copy()
        moved[row] = 1
        if not math.isclose(run(moved), 0.0, abs_tol=1e-12):
            hits.append(row)
    return hits[0], hits[-1]


def rows_by_size(stack, x):
    r, g = 1, 1
    for k, s, d in stack:
        r, g = r + d * (k - 1) * g, g * s
    return g * x, g * x + r - 1


RIGHT = {
    "04-1": [plan_by_counting, plan_by_floor],
    "04-2": [same_by_scipy, same_by_ndimage, same_by_loops],
    "04-3": [gradients_by_scipy, gradients_by_slices],
    "04-4": [rows_by_trial, rows_by_size],
}

WRONG = {
    "04-1": [
        (
            lambda n, k, c_in, c_out, p=0, s=1, d=1: (
                plan_by_counting(n, k, c_in, c_out, p, s, d)[0] - 1,
                (k * k * c_in + 1) * c_out,
            ),
            "one too few",
        ),
        (
            lambda n, k, c_in, c_out, p=0, s=1, d=1: (
                plan_by_counting(n, k, c_in, c_out, p, s, 1)[0],
                (k * k * c_in + 1) * c_out,
            ),
            "dilation forgotten",
        ),
        (
            lambda n, k, c_in, c_out, p=0, s=1, d=1: (
                plan_by_counting(n, k, c_in, c_out, p, s, d)[0],
                k * k * c_in * c_out,
            ),
            "biases missing",
        ),
    ],
    "04-2": [
        (lambda a, w: signal.correlate2d(a, w, mode="valid"), "no padding", "(2, 3)", "(4, 5)"),
        (lambda a, w: signal.convolve2d(a, w, mode="same"), "kernel flipped"),
        (lambda a, w: signal.correlate2d(a, w, mode="valid"), "no padding"),
        (lambda a, w: signal.correlate2d(a, w, mode="full"), "too much padding"),
        (lambda a, w: ndimage.correlate(a, w, mode="nearest"), "border repeated"),
        (lambda a, w: signal.correlate2d(a, w, mode="same", boundary="wrap"), "wrapped"),
    ],
    "04-3": [
        (spoilt(lambda gk, gx, x, k, t: (gk * np.nan, gx)), "nan", "NaN"),
        (spoilt(lambda gk, gx, x, k, t: (gk, gx[1:])), "shape", "(5, 6)", "(6, 6)"),
        (spoilt(lambda gk, gx, x, k, t: (gk * t.size, gx * t.size)), "sum for mean"),
        (spoilt(lambda gk, gx, x, k, t: (-gk, -gx)), "sign"),
        (spoilt(lambda gk, gx, x, k, t: (gx, gk)), "swapped"),
        (spoilt(lambda gk, gx, x, k, t: (gk[::-1, ::-1], gx)), "kernel's gradient flipped"),
        (
            spoilt(
                lambda gk, gx, x, k, t: (
                    gk,
                    signal.correlate2d((signal.correlate2d(x, k, "valid") - t) / t.size, k, mode="full"),
                )
            ),
            "kernel not flipped",
        ),
        (
            spoilt(
                lambda gk, gx, x, k, t: (
                    gk,
                    signal.convolve2d((signal.correlate2d(x, k, "valid") - t) / t.size, k, mode="valid"),
                )
            ),
            "valid for full",
        ),
    ],
    "04-4": [
        (lambda stack, x: rows_by_size(stack[::-1], x), "from the first layer"),
        (lambda stack, x: (rows_by_size(stack, x)[0], rows_by_size(stack, x)[1] + 1), "end exclusive"),
        (lambda stack, x: rows_by_size([(k, s, 1) for k, s, d in stack], x), "dilation forgotten"),
        (lambda stack, x: rows_by_size([(k, 1, d) for k, s, d in stack], x), "stride forgotten"),
    ],
}
