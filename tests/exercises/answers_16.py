"""Right and wrong answers to the exercises of chapter 16, each written without the reference."""

import numpy as np
from scipy import stats
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


def by_gaps(traditional, net, writers, factor=2.0, ddof=1, root=True):
    """The interval with another number in the place of 2; ``factor`` may be a function of the number of writers."""
    names = sorted(set(writers.tolist()))
    gaps = np.array([traditional[writers == w].mean() - net[writers == w].mean() for w in names])
    times = factor(len(names)) if callable(factor) else factor
    half = times * np.std(gaps, ddof=ddof) / (np.sqrt(len(gaps)) if root else 1)
    return "cheaper" if abs(gaps.mean()) < half else "traditional" if gaps.mean() > 0 else "net"


def by_student(traditional, net, writers):
    return by_gaps(traditional, net, writers, lambda k: stats.t.ppf(0.975, k - 1))


def by_normal(traditional, net, writers):
    return by_gaps(traditional, net, writers, 1.96)


def by_two_intervals(traditional, net, writers):
    first, second = (evaluate.share(int(hits.sum()), len(hits)) for hits in (traditional, net))
    if first.low > second.high:
        return "traditional"
    return "net" if second.low > first.high else "cheaper"


def apart_by_spreads(traditional, net, writers):
    a, b = (np.array([hits[writers == w].mean() for w in np.unique(writers)]) for hits in (traditional, net))
    half = 2 * np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a))
    gap = a.mean() - b.mean()
    return "cheaper" if abs(gap) <= half else "traditional" if gap > 0 else "net"


def nothing_where_cheaper(traditional, net, writers):
    word = by_hand(traditional, net, writers)
    return word if word != "cheaper" else None


def in_hundreds(y, p, threshold):
    return [100 * value for value in by_counts(y, p, threshold)]


def plain_low(y, p, threshold):
    first = by_counts(y, p, threshold)
    first[4] = first[2] - 1.96 * np.sqrt(first[2] * (1 - first[2]) / y.sum())
    return first


def with_another_z(y, p, threshold, z):
    first = by_counts(y, p, threshold)
    n, r = y.sum(), first[2]
    first[4] = (r + z * z / (2 * n) - z * np.sqrt(r * (1 - r) / n + z * z / (4 * n * n))) / (1 + z * z / n)
    return first


def low_of_flagged(y, p, threshold):
    flagged = p >= threshold
    first = by_counts(y, p, threshold)
    first[4] = evaluate.share(int((flagged & y).sum()), int(max(flagged.sum(), 1))).low
    return first


def against_no(y, p, threshold):
    return [((p >= threshold) == y).mean() - (1 - y.mean()), *by_counts(y, p, threshold)[1:]]


def turned_round(y, p, threshold):
    first = by_counts(y, p, threshold)
    return [-first[0], *first[1:]]


def accuracy_alone(y, p, threshold):
    return [((p >= threshold) == y).mean(), *by_counts(y, p, threshold)[1:]]


def nought_by_nought(y, p, threshold):
    first = by_counts(y, p, threshold)
    return first if (p >= threshold).any() else [first[0], float("nan"), *first[2:]]


def nought_twice(y, p, threshold):
    first = by_counts(y, p, threshold)
    return nought_by_nought(y, p, threshold) if first[3] else [first[0], float("nan"), first[2], float("nan"), first[4]]


def precise_for_nothing(y, p, threshold):
    first = by_counts(y, p, threshold)
    return first if (p >= threshold).any() else [first[0], 1.0, *first[2:]]


def above_only(y, p, threshold):
    return by_counts(y, p, np.nextafter(threshold, 2))


def layer(inputs, outputs, batch, bits, keep, peak, bandwidth, weight=None, of_inputs=4, of_outputs=4, examples=None):
    m, n = inputs * keep, outputs * keep
    b = batch if examples is None else examples
    moved = m * n * (bits / 8 if weight is None else weight) + b * (of_inputs * m + of_outputs * n)
    return max(2 * batch * m * n / peak, moved / bandwidth)


def brier(said, came):
    return sum((s - c) ** 2 for s, c in zip(said, came, strict=True)) / len(said)


def only_due(values, due):
    return [value for value, now in zip(values, due, strict=True) if now]


def rival_over_all(said, came, due, earlier):
    own = brier(only_due(said, due), only_due(came, due))
    return 1 - own / brier([np.mean(earlier)] * len(came), came)


def forecaster_over_all(said, came, due, earlier):
    then = only_due(came, due)
    return 1 - brier(said, came) / brier([np.mean(earlier)] * len(then), then)


def rooted(said, came, due, earlier):
    return 1 - (1 - masked(said, came, due, earlier)) ** 0.5


def score_alone(said, came, due, earlier):
    return brier(only_due(said, due), only_due(came, due))


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
    "16-4": [by_counts, by_scikit, lambda *given: with_another_z(*given, 1.96)],
    "16-5": [by_frame, by_hand, by_student, by_normal],
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
        (lambda *given: 1000 * in_steps(*given), "milliseconds"),
        (lambda i, o, b, bits, keep, peak, w: in_steps(i, o, b, bits, 1, peak, w), "nothing cut"),
        (lambda i, o, b, bits, keep, peak, w: in_steps(i, o, b, bits, 1 - keep, peak, w), "cut away"),
        (lambda i, o, b, bits, keep, peak, w: in_steps(i, o, b, bits, keep / 100, peak, w), "keep in per cent"),
        (lambda i, o, b, bits, keep, peak, w: in_steps(i, o, b, bits, keep, w, peak), "speeds exchanged"),
        (lambda i, o, b, bits, keep, peak, w: in_steps(i, o, b, bits, keep, peak, w / 8), "all in bits"),
        (lambda *given: layer(*given, examples=1), "one example moved"),
        (lambda i, o, b, bits, keep, peak, w: layer(i, o, b, bits, keep, peak * b, w), "one example calculated"),
        (lambda *given: layer(*given, of_outputs=0), "inputs alone"),
        (lambda *given: layer(*given, of_inputs=0), "outputs alone"),
        (lambda *given: layer(*given, weight=4), "weights of four bytes"),
        (lambda *given: layer(*given, of_inputs=32, of_outputs=32), "activations of 32 bytes"),
        (lambda *given: layer(*given, of_inputs=given[3] / 8, of_outputs=given[3] / 8), "activations in bits"),
    ],
    "16-3": [
        (peeked, "base rate from the outcomes"),
        (lambda said, came, due, earlier: masked(said, came, due, [0, 1]), "a coin"),
        (lambda said, came, due, earlier: masked(said, came, [True] * len(said), earlier), "not due counted"),
        (lambda *given: 1 - masked(*given), "the ratio"),
        (lambda *given: -masked(*given), "minus one"),
        (lambda *given: 100 * masked(*given), "in per cent"),
        (rooted, "roots"),
        (score_alone, "the score itself"),
        (rival_over_all, "due for the forecaster only"),
        (forecaster_over_all, "due for the rival only"),
        (lambda said, came, due, earlier: masked(said, came, due, only_due(said, due)), "base rate of the words"),
        (lambda said, came, due, earlier: masked(said, came, due, came), "base rate of all that came"),
        (
            lambda said, came, due, earlier: masked(said, came, due, [*earlier, *only_due(came, due)]),
            "earlier and now",
        ),
    ],
    "16-4": [
        (f1_of_accuracy, "F1 of accuracy"),
        (interval_of_all, "interval over all"),
        (exchanged, "swapped"),
        (in_hundreds, "in per cent"),
        (plain_low, "plain interval"),
        (lambda *given: with_another_z(*given, 1.645), "one-sided"),
        (low_of_flagged, "interval of the flagged"),
        (against_no, "constant says no"),
        (turned_round, "constant less the model"),
        (accuracy_alone, "accuracy alone"),
        (nought_by_nought, "nothing flagged, no number"),
        (nought_twice, "nothing hit, no numbers"),
        (precise_for_nothing, "nothing flagged, all precise"),
        (above_only, "strictly above"),
    ],
    "16-5": [
        (by_digits, "over digits"),
        (by_mean, "never cheaper"),
        (lambda a, b, w: by_frame(b, a, w), "sign"),
        (lambda a, b, w: by_gaps(a, b, w, ddof=0), "n for n - 1"),
        (lambda a, b, w: by_gaps(a, b, w, root=False), "no root"),
        (lambda a, b, w: by_gaps(a, b, w, 1.0), "one standard error"),
        (lambda a, b, w: by_gaps(a, b, w, 1.645), "one-sided"),
        (lambda a, b, w: by_gaps(a, b, w, lambda k: 2 / k**0.5), "k for its root"),
        (by_two_intervals, "two intervals apart"),
        (apart_by_spreads, "not paired"),
        (nothing_where_cheaper, "no return"),
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
