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
    S = np.exp(S - S.max(1, keepdims=True))
    return S / S.sum(1, keepdims=True)


def weights_row_by_row(Q, K, here):
    out = np.zeros((len(Q), len(Q)))
    for i, q in enumerate(Q):
        may = [j for j in range(i + 1) if here[j]]
        e = np.exp(scaled(q, K, may))
        out[i, may] = e / e.sum()
    return out


def scaled(q, K, may, root=True):
    """The scores of one question, moved so that the largest is 0."""
    scores = np.array([q @ K[j] / (np.sqrt(len(q)) if root else 1) for j in may])
    return scores - scores.max()


def weights_with(fill, maximum=True):
    """Forbidden places get this score."""

    def answer(Q, K, here):
        S = np.where(np.tri(len(Q)).astype(bool) * here, Q.dot(K.T) / Q.shape[1] ** 0.5, fill)
        e = np.exp(S - S.max(1)[:, None]) if maximum else np.exp(S)
        with np.errstate(invalid="ignore"):
            return e / e.sum(1)[:, None]

    return answer


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
            e = np.exp(scaled(q, K, may, scale))
            out[i, may] = e / e.sum()
        return out

    return answer


def interval_between(low, high, found=lambda y, a, b: (b == y) * 1.0 - (a == y)):
    def answer(y, a, b, picks):
        drawn = np.sort([found(y, a, b)[pick].mean() for pick in picks])
        return np.quantile(drawn, low), np.quantile(drawn, high)

    return answer


def interval_of_an_array(y, a, b, picks):
    found = [np.mean(b[pick] == y[pick]) - np.mean(a[pick] == y[pick]) for pick in picks]
    return np.quantile(found, [0.025, 0.975])


def nearest_rank(y, a, b, picks):
    drawn = np.sort([np.mean(b[pick] == y[pick]) - np.mean(a[pick] == y[pick]) for pick in picks])
    return drawn[int(0.025 * len(drawn))], drawn[int(0.975 * len(drawn))]


def up_to_the_gap(word, vocabulary, rest):
    """The places as far as pieces fit, and the rest if asked for: [UNK] forgotten."""
    found, at = [], 0
    while at < len(word):
        fits = [k for k in range(at + 1, len(word) + 1) if "##" * (at > 0) + word[at:k] in vocabulary]
        if not fits:
            return [*found, (at, len(word))] if rest else found
        found.append((at, max(fits)))
        at = max(fits)
    return found


def decision(minutes, found, must, picks, edge, lower=None):
    """Who ships, candidate by candidate; ``lower`` gives the number that must be above zero."""
    lower = lower or (lambda gains: np.sort(gains)[int(edge * len(gains))])
    place = -1
    for k, own in enumerate(minutes):
        if found[k] < must:
            continue
        if place < 0 or lower([np.mean(minutes[place][pick]) - np.mean(own[pick]) for pick in picks]) > 0:
            place = k
    return place


def decision_by_percentile(minutes, found, must, picks, edge):
    fit, place = np.flatnonzero(np.asarray(found) >= must), -1
    for k in fit:
        if place == -1 or np.percentile((minutes[place] - minutes[k])[picks].mean(1), 100 * edge) > 0:
            place = int(k)
    return place


def decision_at(share):
    """With the quantile at another share of ``edge``."""

    def answer(minutes, found, must, picks, edge):
        return decision(minutes, found, must, picks, edge, lambda gains: np.quantile(gains, share * edge))

    return answer


def breaking(at):
    """The loop ends at the first candidate that takes the place, or at the first that does not."""

    def answer(minutes, found, must, picks, edge):
        place = -1
        for k, own in enumerate(minutes):
            if found[k] < must:
                continue
            if place < 0:
                place = k
                continue
            saves = np.array([np.mean(minutes[place][pick] - own[pick]) for pick in picks])
            takes = np.quantile(saves, edge) > 0
            place = k if takes else place
            if takes == at:
                break
        return place

    return answer


def beats_all_cheaper(minutes, found, must, picks, edge):
    fit = [k for k in range(len(minutes)) if found[k] >= must]
    ships = fit[:1] or [-1]
    for k in fit[1:]:
        lower = [np.quantile([np.mean((minutes[j] - minutes[k])[pick]) for pick in picks], edge) for j in fit if j < k]
        if min(lower) > 0:
            ships.append(k)
    return ships[-1]


RIGHT = {
    "09-1": [places_by_recursion, places_from_pieces],
    "09-2": [weights_with_infinity, weights_row_by_row, weights_with(-1e9)],
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
    "09-5": [interval_between(0.025, 0.975), interval_round_by_round, interval_of_an_array, nearest_rank],
    "09-6": [decision, decision_by_percentile],
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
        (lambda word, vocabulary: up_to_the_gap(word, vocabulary, False), "pieces that fitted"),
        (lambda word, vocabulary: up_to_the_gap(word, vocabulary, True), "remainder kept"),
    ],
    "09-2": [
        (weights_of(lambda i, j, here: j <= i and here[j], scale=False), "no scale"),
        (weights_of(lambda i, j, here: here[j]), "not causal"),
        (weights_of(lambda i, j, here: j <= i), "no padding"),
        (all_masked, "nan", "NaN"),
        (weights_with(-10), "fill of ten"),
        *((weights_with(fill), "fill too near") for fill in (-50, -100, -500, -1000, -10000)),
        (weights_with(-1e9, maximum=False), "no maximum"),
    ],
    "09-3": [
        (lambda s, steps, warm_up, peak: peak * (1 - s / steps), "no warm-up"),
        (lambda s, steps, warm_up, peak: peak * min((s + 1) / warm_up, 1), "stays at the peak"),
        (
            lambda s, steps, warm_up, peak: (
                peak * ((s + 1) / warm_up if s <= warm_up else (steps - s) / (steps - warm_up))
            ),
            "one step of warm-up too many",
        ),
        (lambda s, steps, warm_up, peak: min((s + 1) / warm_up, (steps - s) / (steps - warm_up)), "no peak"),
    ],
    "09-4": [
        (lambda merged, A7, B7, A8, B8, alpha: merged - A7.dot(B7) + A8.dot(B8), "no factor"),
        (lambda merged, A7, B7, A8, B8, alpha: merged + A8.dot(B8) * alpha / len(B8), "old change stays in"),
        (
            lambda merged, A7, B7, A8, B8, alpha: merged + alpha * (A7 @ B7 / len(B7) - A8 @ B8 / len(B8)),
            "other way round",
        ),
        (lambda merged, A7, B7, A8, B8, alpha: merged + alpha * (A7 @ B7 / len(B7) + A8 @ B8 / len(B8)), "both added"),
        (lambda merged, A7, B7, A8, B8, alpha: merged - alpha * (A7 @ B7 / len(B7) + A8 @ B8 / len(B8)), "both taken"),
        (
            lambda merged, A7, B7, A8, B8, alpha: merged + (A8 @ B8 - A7 @ B7) * alpha / len(B8),
            "customer 8's rank for both",
        ),
        (lambda merged, A7, B7, A8, B8, alpha: merged + 2 * (A8 @ B8 - A7 @ B7), "the chapter's factor"),
        (lambda merged, A7, B7, A8, B8, alpha: A8, "shape", "(5, 3)", "(5, 4)"),
    ],
    "09-5": [
        (interval_between(0.05, 0.95), "ninety per cent"),
        (interval_between(0.975, 0.025), "high first"),
        (interval_between(0.025, 0.975, lambda y, a, b: (a == y) * 1.0 - (b == y)), "A minus B"),
        (interval_between(0.025, 0.975, lambda y, a, b: b == y), "one model"),
        (interval_between(0, 1), "lowest and highest"),
        (
            lambda y, a, b, picks: [
                np.quantile([np.mean((b == y)[p]) for p in picks], q)
                - np.quantile([np.mean((a == y)[p]) for p in picks], q)
                for q in (0.025, 0.975)
            ],
            "ends subtracted",
        ),
        (
            lambda y, a, b, picks: np.quantile(
                [np.mean(b[p] == y) - np.mean(a[p] == y) for p in picks], [0.025, 0.975]
            ),
            "labels not drawn",
        ),
        (
            lambda y, a, b, picks: [
                np.quantile([np.mean((b == y)[p]) for p in picks], q)
                - np.quantile([np.mean((a == y)[p]) for p in picks], 1 - q)
                for q in (0.025, 0.975)
            ],
            "two intervals",
        ),
    ],
    "09-6": [
        *(
            (decision_at(share), name)
            for share, name in (
                (1 / 2, "a part of an edge"),
                (1 / 3, "a part of an edge"),
                (1 / 4, "a part of an edge"),
                (2, "two edges"),
            )
        ),
        (decision_at(1 / 100), "the lowest draw"),
        (lambda *given: decision(*given, np.min), "the lowest draw"),
        (lambda *given: decision(*given, np.median), "the least sum"),
        (breaking(False), "stops at the first that fails"),
        (breaking(True), "stops at the first that saves"),
        (beats_all_cheaper, "against all"),
        (
            lambda minutes, found, must, picks, edge: (
                int(np.argmax(np.append(np.array(found) >= must, True))) if max(found) >= must else -1
            ),
            "the cheapest in any case",
        ),
        (lambda minutes, found, must, picks, edge: 0, "the first in any case"),
        (lambda *given: float(decision(*given)), "dtype", "int(...)"),
        (lambda minutes, found, must, picks, edge: int(np.argmin(minutes.mean(axis=1))), "the least sum of all"),
        (
            lambda minutes, found, must, picks, edge: decision(minutes, np.ones(len(found)), must, picks, edge),
            "the dear class forgotten",
        ),
        (lambda minutes, found, must, picks, edge: decision(minutes, found, must, picks, 0.025), "an edge of its own"),
        (
            lambda minutes, found, must, picks, edge: decision(minutes, found, must, picks, edge, np.mean),
            "the least sum",
        ),
        (lambda minutes, found, must, picks, edge: max(0, decision(minutes, found, must, picks, edge)), "0 for none"),
    ],
}
