"""Right and wrong answers to the exercises of chapter 16, each written without the reference."""

import numpy as np
from sklearn.metrics import f1_score

from course_utils import evaluate


def backwards(sizes, right, n, goal):
    best = np.inf
    for size, good in sorted(zip(sizes, right, strict=True), reverse=True):
        if evaluate.share(int(good), n).low < goal:
            break
        best = size
    return best


def by_failures(sizes, right, n, goal):
    lows = np.array([evaluate.share(int(good), n).low for good in right])
    bad = np.flatnonzero(lows < goal)
    start = bad[-1] + 1 if len(bad) else 0
    return sizes[start] if start < len(sizes) else float("inf")


def first_fit(sizes, right, n, goal):
    return next((s for s, g in zip(sizes, right, strict=True) if evaluate.share(int(g), n).low >= goal), np.inf)


def by_share(sizes, right, n, goal):
    ok = [g / n >= goal for g in right]
    return next((s for k, s in enumerate(sizes) if all(ok[k:])), np.inf)


def in_steps(inputs, outputs, batch, bits, keep, peak, bandwidth):
    rows, columns = inputs * keep, outputs * keep
    seconds_of_work = batch * rows * columns * 2 / peak
    seconds_of_bytes = (rows * columns * bits / 8 + batch * rows * 4 + batch * columns * 4) / bandwidth
    return seconds_of_work if seconds_of_work > seconds_of_bytes else seconds_of_bytes


def by_numpy(inputs, outputs, batch, bits, keep, peak, bandwidth):
    sizes = np.array([inputs, outputs]) * keep
    return np.maximum(2 * batch * sizes.prod() / peak, (sizes.prod() * bits + 32 * batch * sizes.sum()) / 8 / bandwidth)


def added(inputs, outputs, batch, bits, keep, peak, bandwidth):
    work = batch * inputs * outputs * keep * keep * 2 / peak
    return work + (inputs * outputs * keep**2 * bits / 8 + 4 * batch * keep * (inputs + outputs)) / bandwidth


def loop(said, came, due, earlier):
    base, own, reference = sum(earlier) / len(earlier), 0.0, 0.0
    for s, c, d in zip(said, came, due, strict=True):
        if d:
            own += (s - c) ** 2
            reference += (base - c) ** 2
    return 1 - own / reference


def masked(said, came, due, earlier):
    s, c = np.array(said)[np.array(due)], np.array(came)[np.array(due)]
    a, b = np.mean((s - c) ** 2), np.mean((np.mean(earlier) - c) ** 2)
    return (b - a) / b


def peeked(said, came, due, earlier):
    return masked(said, came, due, np.array(came)[np.array(due)])


def by_counts(y, p, threshold):
    flagged = p >= threshold
    tp, fp, fn = (flagged & y).sum(), (flagged & ~y).sum(), (~flagged & y).sum()
    accuracy = 1 - (fp + fn) / len(y)
    constant = max(y.sum(), (~y).sum()) / len(y)
    precision = tp / (tp + fp) if tp + fp else 0
    low = evaluate.share(int(tp), int(y.sum())).low
    return [accuracy - constant, precision, tp / (tp + fn), 2 * tp / (2 * tp + fp + fn), low]


def by_scikit(y, p, threshold):
    flagged = p >= threshold
    first = by_counts(y, p, threshold)
    return (*first[:3], f1_score(y, flagged, zero_division=0), first[4])


def f1_of_accuracy(y, p, threshold):
    first = by_counts(y, p, threshold)
    accuracy = ((p >= threshold) == y).mean()
    first[3] = 2 * accuracy * first[2] / (accuracy + first[2])
    return first


def interval_of_all(y, p, threshold):
    first = by_counts(y, p, threshold)
    first[4] = evaluate.share(int(((p >= threshold) & y).sum()), len(y)).low
    return first


def exchanged(y, p, threshold):
    first = by_counts(y, p, threshold)
    return [first[0], first[2], first[1], first[3], first[4]]


def by_frame(traditional, net, writers):
    import pandas as pd

    gaps = pd.DataFrame({"gap": traditional.astype(int) - net.astype(int), "w": writers}).groupby("w")["gap"].mean()
    low, high = gaps.mean() - 2 * gaps.sem(), gaps.mean() + 2 * gaps.sem()
    return {(True, False): "traditional", (False, True): "net"}.get((low > 0, high < 0), "cheaper")


def by_hand(traditional, net, writers):
    gaps = []
    for w in set(writers.tolist()):
        gaps.append(np.mean(traditional[writers == w]) - np.mean(net[writers == w]))
    middle = sum(gaps) / len(gaps)
    s = (sum((gap - middle) ** 2 for gap in gaps) / (len(gaps) - 1)) ** 0.5
    if abs(middle) <= 2 * s / len(gaps) ** 0.5:
        return "cheaper"
    return "traditional" if middle > 0 else "net"


def by_digits(traditional, net, writers):
    return by_frame(traditional, net, np.arange(len(net)))


def by_mean(traditional, net, writers):
    gap = np.mean([(traditional[writers == w].mean() - net[writers == w].mean()) for w in np.unique(writers)])
    return "traditional" if gap > 0 else "net" if gap < 0 else "cheaper"


def by_odds(p, trained, real):
    odds = p / (1 - p) * (real / (1 - real)) / (trained / (1 - trained))
    return odds / (1 + odds)


def by_logit(p, trained, real):
    def logit(q):
        return np.log(q) - np.log1p(-q)

    return 1 / (1 + np.exp(-(logit(p) + logit(real) - logit(trained))))


def interval(lost, gained, n):
    n, a, b = n + 2, (lost + 1) / (n + 2), (gained + 1) / (n + 2)
    half = 1.96 * ((a + b - (a - b) ** 2) / n) ** 0.5
    return a - b - half, a - b + half


def in_order(lost, gained, n, p99, mb, signed, limits):
    low, high = interval(lost, gained, n)
    if not signed:
        return "stop"
    if p99 > limits["ms"] or mb > limits["mb"]:
        return "stop"
    if low > limits["loss"]:
        return "stop"
    if high > limits["loss"]:
        return "measure"
    return "ship"


def by_words(lost, gained, n, p99, mb, signed, limits):
    low, high = interval(lost, gained, n)
    fine = signed and p99 <= limits["ms"] and mb <= limits["mb"] and low <= limits["loss"]
    return ["stop", "measure", "ship"][bool(fine) + bool(fine and high <= limits["loss"])]


def trusting(*given):
    return "ship" if in_order(*given) == "measure" else in_order(*given)


def unsigned(lost, gained, n, p99, mb, signed, limits):
    return in_order(lost, gained, n, p99, mb, True, limits)


RIGHT = {
    "16-1": [backwards, by_failures],
    "16-2": [in_steps, by_numpy],
    "16-3": [loop, masked],
    "16-4": [by_counts, by_scikit],
    "16-5": [by_frame, by_hand],
    "16-6": [by_odds, by_logit],
    "16-7": [in_order, by_words],
}

WRONG = {
    "16-1": [
        (first_fit, "the first that fits"),
        (by_share, "the share itself"),
        (lambda *given: 0 if backwards(*given) == np.inf else backwards(*given), "nought for none"),
    ],
    "16-2": [
        (added, "sum"),
        (lambda i, o, b, bits, keep, peak, w: in_steps(i, o, b, bits * 8, keep, peak, w), "bits for bytes"),
        (lambda i, o, b, bits, keep, peak, w: in_steps(i, o, b, bits, keep, 2 * peak, w), "one operation"),
    ],
    "16-3": [
        (peeked, "base rate from the outcomes"),
        (lambda said, came, due, earlier: masked(said, came, due, [0, 1]), "a coin"),
        (lambda said, came, due, earlier: masked(said, came, [True] * len(said), earlier), "not due counted"),
        (lambda *given: 1 - masked(*given), "the ratio"),
    ],
    "16-4": [
        (f1_of_accuracy, "F1 of accuracy"),
        (interval_of_all, "interval over all"),
        (exchanged, "swapped"),
    ],
    "16-5": [
        (by_digits, "over digits"),
        (by_mean, "never cheaper"),
        (lambda a, b, w: by_frame(b, a, w), "sign"),
    ],
    "16-6": [
        (lambda p, trained, real: p * real / trained, "ratio alone"),
        (lambda p, trained, real: by_odds(p, real, trained), "shares swapped"),
        (lambda p, trained, real: p - trained + real, "shift"),
    ],
    "16-7": [
        (trusting, "unknown ships"),
        (unsigned, "unsigned"),
        (lambda *given: in_order(*given).replace("measure", "stop"), "unknown stops"),
    ],
}
