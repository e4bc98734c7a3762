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


def from_an_array(sizes, right, n, goal):
    """Of an array that holds inf, all entries are floats."""
    lows = [evaluate.share(int(good), n).low for good in right]
    unfit = [place for place, low in enumerate(lows) if low < goal]
    return np.append(sizes, np.inf)[max(unfit, default=-1) + 1]


def filled(sizes, right, n, goal):
    found = np.full(len(sizes), np.inf)
    for place in reversed(range(len(sizes))):
        if evaluate.share(int(right[place]), n).low < goal:
            break
        found[place] = sizes[place]
    return found.min()


def otherwise(value):
    """With another value where no size is enough."""

    def answer(sizes, right, n, goal):
        size = backwards(sizes, right, n, goal)
        return value(sizes) if size == np.inf else size

    return answer


def that_stay(sizes, right, n, goal, low=lambda good, n: evaluate.share(good, n).low, further=0, of=None):
    of = sizes if of is None else of
    return [of[k] for k in range(len(sizes)) if all(low(int(good), n) >= goal for good in right[k + further :])]


def above_only_goal(sizes, right, n, goal):
    best = np.inf
    for size, good in sorted(zip(sizes, right, strict=True), reverse=True):
        if evaluate.share(int(good), n).low <= goal:
            break
        best = size
    return best


def one_sided_low(good, n, z=1.645):
    share = good / n
    return (share + z * z / (2 * n) - z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))) / (1 + z * z / n)


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


def by_places(said, came, due, earlier):
    places = np.array(due, int)
    return masked(np.array(said)[places], np.array(came)[places], [True] * len(places), earlier)


def by_parts(said, came, due, earlier, own=lambda p, y: (p - y) ** 2, reference=lambda p, y: (p - y) ** 2):
    said, came = np.array(only_due(said, due)), np.array(only_due(came, due))
    return 1 - np.mean(own(said, came)) / np.mean(reference(np.mean(earlier), came))


def variance(p, y):
    return p * (1 - p)


def surprise(p, y):
    return -(y * np.log2(p) + (1 - y) * np.log2(1 - p))


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
    first = nought_by_nought(y, p, threshold)
    return first if first[2] else [*first[:3], float("nan"), first[4]]


def no_f1(y, p, threshold):
    """NumPy's nan where precision and recall are 0."""
    accuracy, precision, recall, _, low = by_counts(y, p, threshold)
    return accuracy, precision, recall, 2 * np.float64(precision) * recall / (np.float64(precision) + recall), low


def divided_by_flagged(y, p, threshold):
    """With Python's own numbers, which raise an error: where nothing is flagged."""
    hits, flagged = int(((p >= threshold) & y).sum()), int((p >= threshold).sum())
    return [by_counts(y, p, threshold)[0], hits / flagged, *by_counts(y, p, threshold)[2:]]


def divided_by_both(y, p, threshold):
    """The same where nothing is hit."""
    accuracy, precision, recall, _, low = map(float, by_counts(y, p, threshold))
    return accuracy, precision, recall, 2 * precision * recall / (precision + recall), low


def instead(place, value):
    """One of the five numbers is what `value` gives of hits, false alarms, misses, the rest, and the five."""

    def answer(y, p, threshold):
        flagged, five = p >= threshold, by_counts(y, p, threshold)
        counts = [int(group.sum()) for group in (flagged & y, flagged & ~y, ~flagged & y, ~flagged & ~y)]
        five[place] = value(*counts, five)
        return five

    return answer


def the_constant(tp, fp, fn, tn):
    return max(tp + fn, fp + tn) / (tp + fp + fn + tn)


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


def filled_outcomes(said, came, due, earlier):
    base = sum(earlier) / len(earlier)
    filled = [c if d else base for c, d in zip(came, due, strict=True)]
    return 1 - brier(said, filled) / brier([base] * len(filled), filled)


def filled_forecasts(said, came, due, earlier):
    base = sum(earlier) / len(earlier)
    return 1 - brier([s if d else base for s, d in zip(said, due, strict=True)], came) / brier([base] * len(came), came)


def ratio_by_ratio(said, came, due, earlier):
    said, came = np.array(only_due(said, due)), np.array(only_due(came, due))
    return 1 - np.mean(((said - came) / (np.mean(earlier) - came)) ** 2)


def by_medians(said, came, due, earlier):
    said, came = np.array(only_due(said, due)), np.array(only_due(came, due))
    return 1 - np.median((said - came) ** 2) / np.median((np.mean(earlier) - came) ** 2)


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


def by_interval(lost, gained, n, p99, mb, signed, limits, ends=interval, most=1):
    low, high = ends(lost, gained, n)
    if not signed or p99 > limits["ms"] or mb > limits["mb"] or low > most * limits["loss"]:
        return "stop"
    return "ship" if high <= most * limits["loss"] else "measure"


def with_z(z):
    def ends(lost, gained, n):
        low, high = interval(lost, gained, n)
        middle, half = (low + high) / 2, (high - low) / 2 / 1.96 * z
        return middle - half, middle + half

    return ends


def upper_end_alone(lost, gained, n, p99, mb, signed, limits):
    if not signed or p99 > limits["ms"] or mb > limits["mb"]:
        return "stop"
    return "ship" if interval(lost, gained, n)[1] <= limits["loss"] else "measure"


def signature_last(lost, gained, n, p99, mb, signed, limits):
    low, high = interval(lost, gained, n)
    if low > limits["loss"]:
        return "stop"
    if high > limits["loss"]:
        return "measure"
    return "stop" if not signed or p99 > limits["ms"] or mb > limits["mb"] else "ship"


def shipping_first(lost, gained, n, p99, mb, signed, limits, asks=True):
    if interval(lost, gained, n)[1] <= limits["loss"] and (signed or not asks):
        return "ship"
    return in_order(lost, gained, n, p99, mb, signed, limits)


def trusting(*given):
    return "ship" if in_order(*given) == "measure" else in_order(*given)


def unsigned(lost, gained, n, p99, mb, signed, limits):
    return in_order(lost, gained, n, p99, mb, True, limits)


RIGHT = {
    "16-1": [backwards, by_failures, from_an_array, filled, lambda *given: float(backwards(*given))],
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
        (otherwise(lambda sizes: -1), "-1 for none"),
        (otherwise(lambda sizes: np.nan), "nan for none"),
        (otherwise(lambda sizes: -np.inf), "-inf for none"),
        (otherwise(lambda sizes: sizes[-1]), "the last for none"),
        (otherwise(lambda sizes: sizes[0]), "the first for none"),
        (otherwise(lambda sizes: None), "no return"),
        (lambda *given: min(that_stay(*given)), "min fails for none"),
        (lambda *given: that_stay(*given)[0], "first fails for none"),
        (lambda *given: next(iter(that_stay(*given))), "next fails for none"),
        (above_only_goal, "above the goal", "`>=`"),
        (lambda *given: that_stay(*given, further=1)[0], "the larger alone"),
        (
            lambda sizes, right, n, goal: first_fit(sizes[::-1], right[::-1], n, goal),
            "the largest that fits",
        ),
        (
            lambda sizes, right, n, goal: min(that_stay(sizes, right, n, goal, of=right), default=np.inf),
            "the number right",
        ),
        (lambda *given: min(that_stay(*given, low=one_sided_low), default=np.inf), "one-sided"),
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
        (by_places, "whole numbers for a mask"),
        (filled_outcomes, "outcomes filled with the base rate"),
        (filled_forecasts, "forecasts filled with the base rate"),
        (ratio_by_ratio, "mean of ratios"),
        (
            lambda said, came, due, earlier: masked(said, came, due, [sorted(earlier)[len(earlier) // 2]]),
            "median of earlier",
        ),
        (by_medians, "median of squares"),
        (lambda said, came, due, earlier: masked(said, came, due, np.array(earlier)[np.array(due)]), "earlier masked"),
        (
            lambda said, came, due, earlier: masked(
                said, came, due, [e for i, e in enumerate(earlier[: len(due)]) if due[i]]
            ),
            "earlier paired with due",
        ),
        (lambda *given: by_parts(*given, own=variance, reference=variance), "spread for both"),
        (lambda *given: by_parts(*given, own=variance), "spread for the forecaster"),
        (lambda *given: by_parts(*given, reference=variance), "spread for the rival"),
        (lambda *given: by_parts(*given, own=surprise, reference=surprise), "log score"),
        (lambda said, came, due, earlier: masked(said, came, [not d for d in due], earlier), "what is not due"),
        (
            lambda said, came, due, earlier: 1 - (1 - masked(said, came, due, earlier)) * sum(due) / len(due),
            "noughts for what is not due",
        ),
        (lambda *given: by_parts(*given, own=lambda p, y: sum((p - y) ** 2)), "sum over mean"),
        (lambda said, came, due, earlier: 1 - np.mean((said[due] - came[due]) ** 2), "lists masked"),
        (lambda said, came, due, earlier: 1 - np.mean((said - came) ** 2), "lists subtracted"),
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
        (no_f1, "nothing hit, no F1"),
        (divided_by_flagged, "error", "divides by zero"),
        (divided_by_both, "error", "divides by zero"),
        (instead(3, lambda tp, fp, fn, tn, five: (five[1] * five[2]) ** 0.5), "geometric mean"),
        (instead(3, lambda tp, fp, fn, tn, five: tp / (2 * tp + fp + fn)), "half of F1"),
        (instead(3, lambda tp, fp, fn, tn, five: min(five[1], five[2])), "the smaller of the two"),
        (instead(3, lambda tp, fp, fn, tn, five: five[1] * five[2]), "the product"),
        (instead(3, lambda tp, fp, fn, tn, five: tp / (tp + fp + fn)), "hits over all that counts"),
        (
            instead(0, lambda tp, fp, fn, tn, five: (tp + tn) / (tp + fp + fn + tn) / the_constant(tp, fp, fn, tn)),
            "ratio to the constant",
        ),
        (
            instead(0, lambda tp, fp, fn, tn, five: five[0] / the_constant(tp, fp, fn, tn)),
            "gain over the constant's",
        ),
        (
            instead(0, lambda tp, fp, fn, tn, five: 1 - (fp + fn) / min(tp + fn, fp + tn)),
            "share of the constant's errors",
        ),
        (instead(2, lambda tp, fp, fn, tn, five: tn / (tn + fp)), "specificity for recall"),
        (instead(2, lambda tp, fp, fn, tn, five: fp / (tn + fp)), "false alarms for recall"),
        (instead(1, lambda tp, fp, fn, tn, five: tn / (tn + fp)), "specificity for precision"),
        (instead(1, lambda tp, fp, fn, tn, five: tn / (tn + fn)), "precision of the rest"),
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
        (lambda *given: "cheaper", "always cheaper"),
        (lambda *given: by_hand(*given).replace("cheaper", "level"), "another word", '"cheaper", "net"'),
        (lambda *given: by_hand(*given).title(), "another word", "letter for letter"),
        (lambda *given: by_hand(*given).replace("traditional", "SVM"), "another word"),
    ],
    "16-6": [
        (lambda p, trained, real: p * real / trained, "ratio alone"),
        (lambda p, trained, real: by_odds(p, real, trained), "shares swapped"),
        (lambda p, trained, real: p - trained + real, "shift"),
        (lambda p, trained, real: p, "as given"),
        (lambda *given: 100 * by_odds(*given), "in per cent"),
        (lambda p, trained, real: by_logit(p, trained / 100, real / 100), "shares for per cent"),
        (lambda p, trained, real: p * real / trained + (1 - p) * (1 - real) / (1 - trained), "the sum"),
        (lambda p, trained, real: p * real / sum(p * real), "over the examples"),
        (lambda *given: by_odds(*given) / sum(by_odds(*given)), "summed to one"),
        (lambda *given: 1 - by_odds(*given), "the other class"),
        (lambda p, trained, real: [real] * len(p), "share for all"),
        (lambda p, trained, real: p / np.mean(p) * real, "scaled to the mean"),
        (lambda p, trained, real: p * (real / (1 - real)) / (trained / (1 - trained)), "odds of the shares"),
        (lambda *given: [round(float(share), 2) for share in by_odds(*given)], "rounded"),
    ],
    "16-7": [
        (trusting, "unknown ships"),
        (unsigned, "unsigned"),
        (lambda *given: in_order(*given).replace("measure", "stop"), "unknown stops"),
        (
            lambda *given: by_interval(*given, ends=lambda *of: [100 * end for end in interval(*of)]),
            "points for shares",
        ),
        (lambda *given: by_interval(*given, most=0.01), "points for shares"),
        (
            lambda *given: by_interval(*given, ends=lambda a, b, n: [n * end for end in interval(a, b, n)]),
            "points for shares",
        ),
        (lambda *given: by_interval(*given, most=100), "limit in points"),
        (lambda lost, gained, *rest: in_order(gained, lost, *rest), "lost and gained swapped"),
        (lambda *given: by_interval(*given, ends=with_z(1.645)), "one-sided"),
        (lambda *given: by_interval(*given, ends=with_z(2.576)), "wider than 95 per cent"),
        (lambda *given: by_interval(*given, ends=with_z(1)), "one standard error"),
        (lambda lost, gained, n, p99, *rest: in_order(lost, gained, n, 0, *rest), "time forgotten"),
        (lambda lost, gained, n, p99, mb, *rest: in_order(lost, gained, n, p99, 0, *rest), "size forgotten"),
        (upper_end_alone, "lower end forgotten"),
        (signature_last, "measures before it stops"),
        (shipping_first, "ships before it stops", "All reasons to stop"),
        (lambda *given: shipping_first(*given, asks=False), "ships before all else"),
        (lambda *given: "measure", "always measure"),
        (lambda *given: "stop", "always stop"),
        (lambda *given: "stop" if in_order(*given) == "stop" else "measure", "never ships"),
        (lambda *given: in_order(*given).upper(), "another word", '"measure", "ship", "stop"'),
        (lambda *given: in_order(*given).replace("measure", "measure more"), "another word"),
    ],
}
