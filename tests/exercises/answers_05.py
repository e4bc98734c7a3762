"""Right and wrong answers to the exercises of chapter 05, each written without the reference."""

import numpy as np


def by_jacobians(U, H, W_h, own, a):
    """Another right way: the whole step's matrix for each example, one example after another."""
    dW_h, dh_0 = np.zeros_like(W_h), []
    for u, h, mine in zip(U, H, own, strict=True):
        g = np.zeros(len(W_h))
        for t in range(len(u), 0, -1):
            g = g + mine[t - 1]
            dW_h += a * np.outer(h[t - 1], g * (1 - u[t - 1] ** 2))
            g = ((1 - a) * np.eye(len(g)) + a * W_h * (1 - u[t - 1] ** 2)) @ g
        dh_0.append(g)
    return dW_h, np.array(dh_0)


def with_lists(U, H, W_h, own, a):
    arriving, shares = 0 * H[:, 0], []
    for t in reversed(range(U.shape[1])):
        g = arriving + own[:, t]
        delta = g * a * (1 - np.square(U[:, t]))
        shares.append(np.einsum("bi,bj->ij", H[:, t], delta))
        arriving = np.einsum("bj,ij->bi", delta, W_h) + g - a * g
    return sum(shares), arriving


def leaky(change):
    """A learner's loop with one thing changed in it."""

    def answer(U, H, W_h, own, a):
        dW_h, arriving, last = np.zeros_like(W_h), np.zeros_like(H[:, 0]), U.shape[1]
        for t in range(last, 0, -1):
            mine = own[:, t - 1] if change != "no own" and (change != "last own" or t == last) else 0
            g = arriving + mine
            slope = {"none": 1, "h": 1 - H[:, t] ** 2}.get(change, 1 - U[:, t - 1] ** 2)
            delta = (1 if change == "no a" else a) * g * slope
            share = H[:, t if change == "index" else t - 1].T @ delta
            dW_h = share if change == "overwritten" else dW_h + share
            back = delta @ (W_h if change == "untransposed" else W_h.T)
            leaks = {"no leak": 0, "leak": g, "without own": (1 - a) * arriving, "of delta": (1 - a) * delta}
            arriving = (1 - a) * (g + back) if change == "of all" else back + leaks.get(change, (1 - a) * g)
        return (dW_h.T if change == "flipped" else dW_h / last if change == "mean" else dW_h), arriving

    return answer


def exchanged(U, H, W_h, own, a):
    return leaky("nothing")(U, H, W_h, own, 1 - a)


def row_by_row(G, limit):
    rows = [g if np.linalg.norm(g) <= limit else g * limit / np.linalg.norm(g) for g in G]
    return np.mean(rows, axis=0)


def by_maximum(G, limit):
    return (G / np.maximum(1, np.linalg.norm(G, axis=1) / limit)[:, None]).mean(0)


def norms(G):
    return np.linalg.norm(G, axis=1, keepdims=True)


def piece_after_piece(H, W_h, own, k):
    """Another right way: each piece for itself, the first one first."""
    total = np.zeros_like(W_h)
    for start in range(0, own.shape[1], k):
        h, mine = H[:, start : start + k + 1], own[:, start : start + k]
        arriving = 0 * h[:, 0]
        for t in range(mine.shape[1], 0, -1):
            delta = (arriving + mine[:, t - 1]) * (1 - h[:, t] ** 2)
            total += h[:, t - 1].T @ delta
            arriving = delta @ W_h.T
    return total


def reset_pieces(H, W_h, own, k):
    total = np.zeros_like(W_h)
    for start in range(0, own.shape[1], k):
        h, mine = H[:, start : start + k + 1].copy(), own[:, start : start + k]
        h[:, 0] = 0
        total += piece_after_piece(h, W_h, mine, k)
    return total


def whole_pieces(H, W_h, own, k):
    end = own.shape[1] // k * k
    return piece_after_piece(H[:, : end + 1], W_h, own[:, :end], k)


def pieces(change):
    def answer(H, W_h, own, k):
        time, total, arriving = own.shape[1], np.zeros_like(W_h), 0 * H[:, 0]
        for t in range(time, 0, -1):
            delta = (arriving + own[:, t - 1]) * (1 if change == "no slope" else 1 - H[:, t] ** 2)
            total += H[:, t if change == "index" else t - 1].T @ delta
            arriving = delta @ (W_h if change == "untransposed" else W_h.T)
            if {"off": t % k == 0, "end": (time - t + 1) % k == 0, "none": False}.get(change, (t - 1) % k == 0):
                arriving = 0 * arriving
        return total

    return answer


def pieces_by_example(H, W_h, own, k):
    total = np.zeros_like(W_h)
    for h, mine in zip(H, own, strict=True):
        g = np.zeros(len(W_h))
        for t in reversed(range(len(mine))):
            g = (g + mine[t]) * (1 - h[t + 1] ** 2)
            total += np.outer(h[t], g)
            g = W_h @ g if t % k else 0 * g  # a piece begins here
    return total


LEAKY = [
    ("none", "no derivative"),
    ("h", "derivative by h"),
    ("no leak", "no leak"),
    ("leak", "leak of one"),
    ("without own", "leak without the own term"),
    ("of delta", "leak of δ"),
    ("of all", "leak of everything"),
    ("no a", "no a"),
    ("untransposed", "not transposed"),
    ("index", "h_t for h_{t−1}"),
    ("no own", "no own term"),
    ("last own", "own term of the last step only"),
    ("flipped", "weights transposed"),
    ("mean", "mean over time"),
    ("overwritten", "overwritten"),
]

RIGHT = {
    "05-1": [18_883, 18_883.0, np.int64(18_883), 4 * 73 * 64 + 195],
    "05-2": [by_jacobians, with_lists],
    "05-3": [row_by_row, by_maximum],
    "05-4": [
        pieces_by_example,
        piece_after_piece,
    ],
}

WRONG = {
    "05-1": [
        (73 * 64 + 195, "plain RNN"),
        (4 * 9 * 64 + 195, "no recurrent weights"),
        (4 * 72 * 64 + 195, "no biases of the LSTM"),
        (3 * 73 * 64 + 195, "three blocks"),
        (3 * 74 * 64 + 195, "GRU"),
        (4 * 74 * 64 + 195, "two biases a block"),
        (4 * 73 * 64, "no dense layer"),
        (4 * 73 * 64 + 192, "no biases of the dense layer"),
        (600 * 4 * 73 * 64 + 195, "once for each step"),
        (4 * (600 + 65) * 64 + 195, "steps as inputs"),
        (4 * (4800 + 65) * 64 + 195, "all numbers as inputs"),
        (4 * (1 + 65) * 64 + 195, "one sensor"),
        (20_000, "another number"),
    ],
    "05-2": [
        *((leaky(change), mistake) for change, mistake in LEAKY),
        (exchanged, "a and 1 − a exchanged"),
        (lambda *given: (with_lists(*given)[0] / len(given[0]), with_lists(*given)[1]), "mean over the batch"),
        (lambda *given: tuple(part / len(given[0]) for part in with_lists(*given)), "both divided by the batch"),
        (lambda *given: with_lists(*given)[::-1], "swapped"),
        (lambda *given: by_jacobians(*given)[0], "no gradient by h_0"),
        (lambda *given: (by_jacobians(*given)[0], by_jacobians(*given)[1].sum(0)), "h_0 added up"),
        (lambda *given: (by_jacobians(*given)[0], by_jacobians(*given)[1].mean(0)), "h_0 averaged"),
        (lambda U, H, W_h, own, a: (np.zeros((3, 2)), np.zeros_like(H[:, 0])), "shape", "(3, 2)", "(2, 2)"),
        (lambda U, H, W_h, own, a: (W_h * np.nan, H[:, 0]), "nan", "NaN"),
    ],
    "05-3": [
        (lambda G, c: (G / norms(G) * np.minimum(norms(G), c)).mean(0), "divided by zero", "NaN"),
        (lambda G, c: np.clip(G, -c, c).mean(0), "each entry"),
        (lambda G, c: (G * min(1, c / np.linalg.norm(G))).mean(0), "all together"),
        (lambda G, c: G.mean(0) * min(1, c / np.linalg.norm(G.mean(0))), "after the mean"),
        (lambda G, c: (G * c / np.maximum(norms(G), 1e-300)).mean(0), "always scaled"),
        (lambda G, c: (G / np.maximum(1, norms(G) / c)).sum(0), "sum for mean"),
        (lambda G, c: G / np.maximum(1, norms(G) / c), "rows"),
        (lambda G, c: np.where(norms(G) > c, 0, G).mean(0), "dropped"),
        (lambda G, c: (G / np.maximum(1, norms(G) ** 2 / c)).mean(0), "squared length"),
        (lambda G, c: G[norms(G)[:, 0] <= c].sum(0) / max(1, (norms(G) <= c).sum()), "dropped and not counted"),
        (lambda G, c: (G / norms(G) * c)[norms(G)[:, 0] > c].mean(0), "only the clipped"),
        (lambda G, c: (G / np.maximum(1, np.abs(G).sum(1, keepdims=True) / c)).mean(0), "sum of sizes"),
    ],
    "05-4": [
        (pieces("none"), "no cut"),
        (pieces("off"), "off by one"),
        (pieces("end"), "counted from the end"),
        (pieces("no slope"), "no derivative"),
        (pieces("index"), "h_t for h_{t−1}"),
        (pieces("untransposed"), "not transposed"),
        (reset_pieces, "each piece from zero"),
        (whole_pieces, "last piece dropped"),
        (lambda H, W_h, own, k: piece_after_piece(H[:, -k - 1 :], W_h, own[:, -k:], k), "last piece only"),
    ],
}
