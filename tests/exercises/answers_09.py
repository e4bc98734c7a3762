"""Right and wrong answers to the exercises of chapter 09, each written without the reference."""

import numpy as np


def places_by_recursion(word, vocabulary):
    def cut(start):
        if start == len(word):
            return []
        for end in range(len(word), start, -1):
            if ("##" * bool(start)) + word[start:end] in vocabulary:
                rest = cut(end)
                return None if rest is None else [(start, end), *rest]
        return None

    found = cut(0)
    return [(0, len(word))] if found is None else found


def places_from_pieces(word, vocabulary):
    rest, at, out = word, 0, []
    while rest:
        fits = [rest[:k] for k in range(1, len(rest) + 1) if ("##" if at else "") + rest[:k] in vocabulary]
        if not fits:
            return ((0, len(word)),)
        piece = max(fits, key=len)
        out.append([at, at + len(piece)])
        at, rest = at + len(piece), rest[len(piece) :]
    return out


def weights_with_infinity(Q, K, here):
    S = np.einsum("ik,jk->ij", Q, K) / Q.shape[1] ** 0.5
    S[np.triu_indices(len(Q), 1)] = -np.inf
    S[:, ~here] = -np.inf
    S = np.exp(S)
    return S / S.sum(1, keepdims=True)


def weights_row_by_row(Q, K, here):
    out = np.zeros((len(Q), len(Q)))
    for i, q in enumerate(Q):
        may = [j for j in range(i + 1) if here[j]]
        e = np.exp([q @ K[j] / np.sqrt(len(q)) for j in may])
        out[i, may] = e / e.sum()
    return out


def interval_round_by_round(y, a, b, picks):
    found = []
    for pick in picks:
        found.append(np.mean(b[pick] == y[pick]) - np.mean(a[pick] == y[pick]))
    return [np.percentile(found, 2.5), np.percentile(found, 97.5)]


def pieces(word, vocabulary):
    found = [word[a:b] for a, b in places_by_recursion(word, vocabulary)]
    return [piece if i == 0 else "##" + piece for i, piece in enumerate(found)]


def all_masked(Q, K, here):
    S = np.full((len(Q), len(Q)), -np.inf)
    return np.exp(S - S.max(axis=1, keepdims=True))


def weights_of(may_look, scale=True):
    def answer(Q, K, here):
        out = np.zeros((len(Q), len(Q)))
        for i, q in enumerate(Q):
            may = [j for j in range(len(Q)) if may_look(i, j, here)]
            e = np.exp([q @ K[j] / (np.sqrt(len(q)) if scale else 1) for j in may])
            out[i, may] = e / e.sum()
        return out

    return answer


def interval_between(low, high, found=lambda y, a, b: (b == y) * 1.0 - (a == y)):
    def answer(y, a, b, picks):
        drawn = np.sort([found(y, a, b)[pick].mean() for pick in picks])
        return np.quantile(drawn, low), np.quantile(drawn, high)

    return answer


RIGHT = {
    "09-1": [places_by_recursion, places_from_pieces],
    "09-2": [weights_with_infinity, weights_row_by_row],
    "09-3": [
        lambda s, steps, warm_up, peak: peak * min((s + 1) / warm_up, (steps - s) / (steps - warm_up)),
        lambda s, steps, warm_up, peak: float(np.interp(s, [-1, warm_up - 1, warm_up, steps], [0, peak, peak, 0])),
    ],
    "09-4": [
        lambda merged, A7, B7, A8, B8, alpha: merged + alpha * (A8 @ B8 / len(B8) - A7 @ B7 / len(B7)),
        lambda merged, A7, B7, A8, B8, alpha: (
            merged + np.concatenate([-A7 / len(B7), A8 / len(B8)], axis=1) @ np.concatenate([B7, B8]) * alpha
        ),
    ],
    "09-5": [interval_between(0.025, 0.975), interval_round_by_round],
}


WRONG = {
    "09-1": [
        (lambda word, vocabulary: [(a, b - 1) for a, b in places_by_recursion(word, vocabulary)], "last letter"),
        (lambda word, vocabulary: [(a, b - a) for a, b in places_by_recursion(word, vocabulary)], "length for end"),
        (
            lambda word, vocabulary: places_from_pieces(
                word, {f"{m}{p.removeprefix('##')}" for p in vocabulary for m in ("", "##") if "##" not in p}
            ),
            "no ##",
        ),
        (pieces, "type"),
    ],
    "09-2": [
        (weights_of(lambda i, j, here: j <= i and here[j], scale=False), "no scale"),
        (weights_of(lambda i, j, here: here[j]), "not causal"),
        (weights_of(lambda i, j, here: j <= i), "no padding"),
        (all_masked, "nan", "NaN"),
    ],
    "09-3": [
        (lambda s, steps, warm_up, peak: peak * (1 - s / steps), "no warm-up"),
        (lambda s, steps, warm_up, peak: peak * min((s + 1) / warm_up, 1), "stays at the peak"),
        (lambda s, steps, warm_up, peak: min((s + 1) / warm_up, (steps - s) / (steps - warm_up)), "no peak"),
    ],
    "09-4": [
        (lambda merged, A7, B7, A8, B8, alpha: merged - A7.dot(B7) + A8.dot(B8), "no factor"),
        (lambda merged, A7, B7, A8, B8, alpha: merged + A8.dot(B8) * alpha / len(B8), "old change stays in"),
        (
            lambda merged, A7, B7, A8, B8, alpha: merged + alpha * (A7 @ B7 / len(B7) - A8 @ B8 / len(B8)),
            "other way round",
        ),
        (lambda merged, A7, B7, A8, B8, alpha: A8, "shape", "(5, 3)", "(5, 4)"),
    ],
    "09-5": [
        (interval_between(0.05, 0.95), "ninety per cent"),
        (interval_between(0.975, 0.025), "high first"),
        (interval_between(0.025, 0.975, lambda y, a, b: (a == y) * 1.0 - (b == y)), "A minus B"),
        (interval_between(0.025, 0.975, lambda y, a, b: b == y), "one model"),
    ],
}
