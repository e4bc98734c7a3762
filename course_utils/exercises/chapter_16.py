"""The exercises of chapter 16, FAQ labs: one for each question of the articles' appendix."""

import math
import operator

import numpy as np

from course_utils.exercises.judges import Mistake, function
from course_utils.exercises.verdicts import Exercise


def _wilson(good, n, z=1.959963984540054):
    """Both ends of Wilson's interval for good of n."""
    p, centre = good / n, (good / n + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return centre - half, centre + half


def _wrong(function_, **option):
    """The reference's other self with an option that is a mistake."""
    return lambda *given: function_(*given, **option)


# 16-1 ---------------------------------------------------------------------------------------------------------------


def labels_enough(sizes, right, n, goal):
    """The smallest number of labels from which on the lower end of the share right reaches the goal; inf for none."""
    return _enough(sizes, right, n, goal)


def _low(good, n, z=1.959963984540054):
    """The lower end of Wilson's interval; of none at all exactly 0, as `evaluate.share` has it."""
    return min(good / n, max(0.0, _wilson(good, n, z)[0]))


def _enough(
    sizes, right, n, goal, *,
    end=_low, stays=True, none=lambda sizes: math.inf, give=lambda sizes, right, place: sizes[place],
    reaches=operator.ge, itself=True,
):  # fmt: skip
    fits = [reaches(end(good, n), goal) for good in right]
    for place in range(len(sizes)):
        if all(fits[place if itself else place + 1 :]) if stays else fits[place]:
            return float(give(sizes, right, place))  # inf is a float, so a float is right everywhere
    return none(sizes)


_SIZES = (50, 100, 200, 400, 600)
_ENOUGH_CASES = [
    (_SIZES, (152, 200, 245, 280, 301), 400, 0.55),
    (_SIZES, (152, 200, 245, 280, 301), 400, 0.60),
    (_SIZES, (152, 200, 245, 280, 301), 400, 0.72),
    (_SIZES, (152, 260, 230, 280, 301), 400, 0.58),
    (_SIZES, (152, 260, 230, 285, 301), 400, 0.667),
    (_SIZES, (320, 330, 345, 350, 360), 400, 0.70),
    (_SIZES, (270, 272, 230, 285, 301), 400, 0.60),
    ((10, 20), (8, 9), 10, 0.55),
    ((100, 300), (37, 38), 40, 0.90),
    ((50, 100), (0, 3), 64, 0.0),  # the lower end of none right is 0, exactly the goal
]
_ENOUGH_MISTAKES = [
    Mistake(
        "the share itself",
        _wrong(_enough, end=lambda good, n: good / n),
        "That compares the share itself with the goal. On other test messages it may be lower: use the lower end.",
    ),
    Mistake(
        "the upper end",
        _wrong(_enough, end=lambda good, n: _wilson(good, n)[1]),
        "The upper end says what *may* be. To be sure enough, compare the lower end of the interval.",
    ),
    Mistake(
        "the first that fits",
        _wrong(_enough, stays=False),
        "A lucky bump counts as enough there. Ask that the lower end reaches the goal at this size *and all larger*.",
    ),
    Mistake(
        "nought for none",
        _wrong(_enough, none=lambda sizes: 0),
        "Where no size is enough, 0 would mean that no label is needed. Return `np.inf`.",
    ),
    *(
        Mistake(name, _wrong(_enough, none=none), hint)
        for name, none, hint in [
            (
                "-1 for none",
                lambda sizes: -1,
                "Where no size is enough, -1 would be a number of labels. Return `np.inf`.",
            ),
            ("nan for none", lambda sizes: math.nan, "Where no size is enough, return `np.inf`, not `np.nan`."),
            ("-inf for none", lambda sizes: -math.inf, "Where no size is enough, return `np.inf`, without a minus."),
            (
                "the last for none",
                lambda sizes: sizes[-1],
                "Where no size is enough, the last one is not enough either. Return `np.inf`.",
            ),
            (
                "the first for none",
                lambda sizes: sizes[0],
                "Where no size is enough you return the first: `argmax` of nothing but False is 0. Return `np.inf`.",
            ),
            (
                "min fails for none",
                lambda sizes: min([]),
                "Where no size is enough there is no smallest. Ask for this case first, and return `np.inf`.",
            ),
            (
                "first fails for none",
                lambda sizes: [][0],
                "Where no size is enough there is no first. Ask for this case first, and return `np.inf`.",
            ),
            (
                "next fails for none",
                lambda sizes: next(iter([])),
                "Where no size is enough `next` finds nothing. Its second argument says what it gives then: `np.inf`.",
            ),
        ]
    ),
    Mistake(
        "above the goal",
        _wrong(_enough, reaches=operator.gt),
        "A lower end that is exactly the goal reaches it: compare with `>=`, not with `>`.",
    ),
    Mistake(
        "the larger alone",
        _wrong(_enough, itself=False),
        "You ask the larger sizes alone. The size itself has to reach the goal as well.",
    ),
    Mistake(
        "the largest that fits",
        lambda sizes, right, n, goal: _enough(sizes[::-1], right[::-1], n, goal, stays=False),
        "That is the largest size that fits. Asked for is the smallest from which on all of them do.",
    ),
    Mistake(
        "the number right",
        _wrong(_enough, give=lambda sizes, right, place: right[place]),
        "That is how many messages were right. Return the number of labels.",
    ),
    Mistake(
        "one-sided",
        _wrong(_enough, end=lambda good, n: _low(good, n, 1.645)),
        "That is the end of a one-sided interval (1.645). The lower end of the two-sided one, with 1.96, is asked for, "
        "as `evaluate.share` has it.",
    ),
    Mistake(
        "the place",
        _wrong(_enough, give=lambda sizes, right, place: place),
        "That is the place in the list. Return the number of labels.",
    ),
    Mistake(
        "plain interval",
        _wrong(_enough, end=lambda good, n: good / n - 1.96 * math.sqrt(good / n * (1 - good / n) / n)),
        "The plain interval is too narrow near the ends and for few messages. Use `evaluate.share(...).low`.",
    ),
]

# 16-2 ---------------------------------------------------------------------------------------------------------------


def layer_seconds(inputs, outputs, batch, bits, keep, peak, bandwidth):
    """The roofline time of a dense layer whose weights have ``bits`` bits and whose widths are cut to ``keep``."""
    return _seconds(inputs, outputs, batch, bits, keep, peak, bandwidth)


def _seconds(
    inputs, outputs, batch, bits, keep, peak, bandwidth, *,
    together=max, power=2, eight=8, activations=4, twice=2, narrow=True, faster=False, again=False, unit=1, cut=None,
    one=False, once=False, sides=(1, 1), bytes_of=None, swap=False,
):  # fmt: skip
    keep = cut(keep) if cut else keep
    weights = inputs * outputs * keep**power
    calculate = twice * (1 if one else batch) * weights * (bits / 32 if faster else 1)
    small = bits / 8 if activations == "bits" else activations
    move = weights * (bytes_of or bits / eight) * (batch if again else 1)
    move += small * (1 if once else batch) * (sides[0] * inputs + sides[1] * outputs) * (keep if narrow else 1)
    peak, bandwidth = (bandwidth, peak) if swap else (peak, bandwidth)
    return unit * together((calculate / peak, move / bandwidth))


_SECONDS_CASES = [
    (4096, 4096, 1, 32, 1.0, 1e11, 1e10),
    (4096, 4096, 1, 8, 1.0, 1e11, 1e10),
    (4096, 4096, 512, 8, 1.0, 1e11, 1e10),
    (4096, 4096, 512, 32, 0.5, 1e11, 1e10),
    (1024, 256, 4, 8, 0.5, 1e11, 1e10),
    (64, 32, 3, 8, 0.25, 1e12, 1e9),
    (64, 32, 7, 4, 1.0, 1e9, 1e9),
    (64, 32, 1, 4, 1.0, 1e12, 1e9),
]
_SECONDS_MISTAKES = [
    Mistake(
        "sum",
        _wrong(_seconds, together=sum),
        "A processor calculates and fetches at the same time: the longer of the two times counts, not their sum.",
    ),
    Mistake(
        "faster of the two",
        _wrong(_seconds, together=min),
        "That is the shorter of the two times. The layer has to wait for the longer one.",
    ),
    Mistake(
        "one side narrowed",
        _wrong(_seconds, power=1),
        "Both sides of the weight matrix get narrower, so its size falls with the square of `keep`.",
    ),
    Mistake(
        "bits for bytes",
        _wrong(_seconds, eight=1),
        "The bandwidth is in bytes a second: eight bits are one byte.",
    ),
    Mistake(
        "no activations",
        _wrong(_seconds, activations=0),
        "The layer also reads its inputs and writes its outputs, for each example of the batch: 4 bytes each.",
    ),
    Mistake(
        "activations in bits",
        _wrong(_seconds, activations="bits"),
        "Only the weights are kept in `bits` bits. What goes in and comes out stays in 32, which are 4 bytes.",
    ),
    Mistake(
        "activations as wide",
        _wrong(_seconds, narrow=False),
        "With narrower layers fewer numbers go in and come out, too: multiply both widths by `keep`.",
    ),
    Mistake(
        "one operation",
        _wrong(_seconds, twice=1),
        "For each weight there is a multiplication *and* an addition: two operations.",
    ),
    Mistake(
        "fewer bits, fewer operations",
        _wrong(_seconds, faster=True),
        "Eight bits leave the *number* of operations as it is. They save bytes; `peak` is given for both.",
    ),
    Mistake(
        "weights for each example",
        _wrong(_seconds, again=True),
        "A batch reads the weights once for all its examples. That is what a batch is for.",
    ),
    Mistake(
        "milliseconds",
        _wrong(_seconds, unit=1000),
        "That is a thousand times too much: milliseconds, as in the lab's table. Return seconds.",
    ),
    Mistake(
        "nothing cut",
        _wrong(_seconds, cut=lambda keep: 1),
        "`keep` is never used. Both widths are cut to that share first: `inputs * keep` and `outputs * keep`.",
    ),
    Mistake(
        "cut away",
        _wrong(_seconds, cut=lambda keep: 1 - keep),
        "`keep` is the share that *stays*, not the one that is cut away: 1 leaves the layer as it is.",
    ),
    Mistake(
        "keep in per cent",
        _wrong(_seconds, cut=lambda keep: keep / 100),
        "`keep` is a share already, from 0 to 1. Do not divide it by a hundred.",
    ),
    Mistake(
        "one example calculated",
        _wrong(_seconds, one=True),
        "The operations are those of one example. Each of the batch goes through all the weights.",
    ),
    Mistake(
        "one example moved",
        _wrong(_seconds, once=True),
        "Inputs and outputs are moved for *each* example of the batch; only the weights are read once.",
    ),
    Mistake(
        "inputs alone",
        _wrong(_seconds, sides=(1, 0)),
        "The layer writes its outputs as well: four bytes for each, for each example.",
    ),
    Mistake(
        "outputs alone",
        _wrong(_seconds, sides=(0, 1)),
        "The layer reads its inputs as well: four bytes for each, for each example.",
    ),
    Mistake(
        "weights of four bytes",
        _wrong(_seconds, bytes_of=4),
        "The weights have `bits` bits each, which are `bits / 8` bytes, not always four.",
    ),
    Mistake(
        "activations of 32 bytes",
        _wrong(_seconds, activations=32),
        "What goes in and comes out has 32 *bits*, which are four bytes; the bandwidth is in bytes.",
    ),
    Mistake(
        "all in bits",
        _wrong(_seconds, eight=1, activations=32),
        "You moved bits. The bandwidth is in *bytes* a second, for weights, inputs and outputs alike: divide by eight.",
    ),
    Mistake(
        "speeds exchanged",
        _wrong(_seconds, swap=True),
        "Operations go with `peak`, bytes with `bandwidth`; you have them the other way round.",
    ),
]

# 16-3 ---------------------------------------------------------------------------------------------------------------


def skill(said, came, due, earlier):
    """1 - Brier score of the forecasts that are due / that of the base rate which was known before."""
    return _skill(said, came, due, earlier)


def _skill(
    said, came, due, earlier, *,
    base=None, own=False, rival=False, error=np.square, finish=lambda a, b: 1 - a / b, root=False, rate_of=None,
    mine=None, its=None,
):  # fmt: skip
    """`skill`; the options are mistakes: ``mine`` and ``its`` score a probability and an outcome otherwise."""
    said, came, due = np.asarray(said, float), np.asarray(came, float), np.asarray(due, bool)
    every = np.ones(len(said), bool)
    scored, met = every if own else due, every if rival else due
    rate = np.mean(earlier) if base is None else base(came[met])
    rate = rate_of(said, came, due, earlier) if rate_of else rate
    mine, its = (way or (lambda p, y: error(p - y)) for way in (mine, its))
    scores = [mine(said[scored], came[scored]).mean(), its(rate, came[met]).mean()]
    return float(finish(*(np.sqrt(scores) if root else scores)))


_SKILL_CASES = [
    ([0.9, 0.2, 0.1, 0.7], [1, 0, 0, 1], [True] * 4, [0, 0, 1, 0, 1]),
    ([0.9, 0.8, 0.9, 0.7, 0.6], [1, 0, 0, 0, 0], [True, True, True, False, False], [0, 0, 1, 0]),
    ([0.1, 0.2, 0.1, 0.3], [0, 0, 1, 0], [True, True, True, False], [0, 0, 0, 1]),
    ([0.25, 0.25, 0.25], [0, 1, 0], [True] * 3, [0, 0, 0, 1]),
    ([0.6, 0.1, 0.9], [1, 0, 0], [True, True, False], [1, 0, 0, 1, 0, 0, 0, 0]),
]
_SKILL_MISTAKES = [
    Mistake(
        "base rate from the outcomes",
        _wrong(_skill, base=np.mean),
        "That base rate is taken from the outcomes that are to be forecast; nobody knew it then. Take it from "
        "`earlier`.",
    ),
    Mistake(
        "a coin",
        _wrong(_skill, base=lambda came: 0.5),
        "Half is what somebody says who knows nothing at all. The rival to beat is the base rate in `earlier`.",
    ),
    Mistake(
        "not due counted",
        _wrong(_skill, own=True, rival=True),
        "A forecast that is not due yet has not failed. Leave out what is not `due`, on both sides.",
    ),
    Mistake(
        "due for the rival only",
        _wrong(_skill, own=True),
        "The forecaster is scored on more questions than the rival. Leave out what is not `due` on *both* sides.",
    ),
    Mistake(
        "due for the forecaster only",
        _wrong(_skill, rival=True),
        "The rival is scored on more questions than the forecaster. Leave out what is not `due` on *both* sides.",
    ),
    Mistake(
        "absolute errors",
        _wrong(_skill, error=np.abs),
        "The Brier score is the mean *square* of the differences; absolute ones reward bold words.",
    ),
    Mistake(
        "the ratio",
        _wrong(_skill, finish=lambda a, b: a / b),
        "That is the ratio of the two scores. Skill is one minus it, so that better forecasts have more.",
    ),
    Mistake(
        "the difference",
        _wrong(_skill, finish=lambda a, b: b - a),
        "That is the difference of the two scores. Divide by the base rate's, so that a perfect forecaster has 1.",
    ),
    Mistake(
        "upside down",
        _wrong(_skill, finish=lambda a, b: 1 - b / a if a else -math.inf),
        "The forecaster's score belongs above, the base rate's below the line.",
    ),
    Mistake(
        "the score itself",
        _wrong(_skill, finish=lambda a, b: a),
        "That is the Brier score. Skill compares it with the base rate's: one minus the ratio of the two.",
    ),
    Mistake(
        "in per cent",
        _wrong(_skill, finish=lambda a, b: 100 * (1 - a / b)),
        "That is per cent. Return a plain number: a perfect forecaster has 1.",
    ),
    Mistake(
        "roots",
        _wrong(_skill, root=True),
        "The Brier score is the mean square itself. Take no root of it.",
    ),
    Mistake(
        "minus one",
        _wrong(_skill, finish=lambda a, b: a / b - 1),
        "The sign is turned round: one minus the ratio, so that better forecasts have more.",
    ),
    Mistake(
        "base rate of the words",
        _wrong(_skill, rate_of=lambda said, came, due, earlier: said[due].mean()),
        "The rival says what came *earlier*, on the mean; you gave it the mean of what this forecaster said.",
    ),
    Mistake(
        "base rate of all that came",
        _wrong(_skill, rate_of=lambda said, came, due, earlier: came.mean()),
        "That base rate is taken from the outcomes that are to be forecast, and from some that are not due. "
        "Take it from `earlier`.",
    ),
    Mistake(
        "earlier and now",
        _wrong(_skill, rate_of=lambda said, came, due, earlier: np.append(earlier, came[due]).mean()),
        "That base rate has seen the outcomes, beside the earlier ones. Only `earlier` was known before.",
    ),
]


def _spread(p, y):
    return p * (1 - p)


def _log_score(p, y):
    return -np.log(np.where(y == 1, p, 1 - p))


def _by_whole_numbers(said, came, due, earlier):
    """Takes the forecasts at 0 and 1, again and again, as an array of whole numbers does."""
    places = np.asarray(due).astype(int)
    return _skill(np.asarray(said)[places], np.asarray(came)[places], np.ones(len(places), bool), earlier)


def _zeros_for_not_due(said, came, due, earlier):
    squares = np.where(due, np.square(np.subtract(said, came)), 0)
    return 1 - float(squares.mean() / np.square(np.mean(earlier) - np.asarray(came)[np.asarray(due)]).mean())


def _squares(said, came, due, earlier):
    """The squares of the forecaster and of the base rate, over what is due."""
    said, came, due = np.asarray(said, float), np.asarray(came, float), np.asarray(due, bool)
    return np.square(said - came)[due], np.square(np.mean(earlier) - came)[due]


def _mean_of_ratios(said, came, due, earlier):
    own, rival = _squares(said, came, due, earlier)
    return 1 - float((own / rival).mean())


_FILLED = (
    "You fill in the base rate for what is not due. That is no forecast and no outcome: leave it out on both sides."
)
_EARLIER = "`due` belongs to `said` and `came`. All of `earlier` was known: take its whole mean."
_SPREAD = (
    "p(1 - p) is what a square comes to *on the mean* if the p are right. What came decides: take (p - y)², for the "
    "forecaster and for the base rate."
)
_LISTS = (
    "What you are given may be lists, which Python neither subtracts nor masks: make arrays first, `np.array(...)`."
)
_SKILL_MISTAKES += [
    Mistake(
        "whole numbers for a mask",
        _by_whole_numbers,
        "An array of 0 and 1 is not a mask: it takes the entries at the *places* 0 and 1. Use truth values, "
        "`np.array(due, bool)`.",
    ),
    Mistake("spread for both", _wrong(_skill, mine=_spread, its=_spread), _SPREAD),
    Mistake("spread for the forecaster", _wrong(_skill, mine=_spread), _SPREAD),
    Mistake("spread for the rival", _wrong(_skill, its=_spread), _SPREAD),
    Mistake(
        "log score",
        _wrong(_skill, mine=_log_score, its=_log_score),
        "That is the skill of the log score, the mean of -log of what was said of what came. The Brier score is the "
        "mean *square* of p - y.",
    ),
    Mistake(
        "what is not due",
        lambda said, came, due, earlier: _skill(said, came, ~np.asarray(due, bool), earlier),
        "You keep what is *not* due. Score what is.",
    ),
    Mistake(
        "noughts for what is not due",
        _zeros_for_not_due,
        "What is not due counts as a square of 0 in your mean, as if it had been foreseen. Leave it out.",
    ),
    Mistake(
        "sum over mean",
        _wrong(_skill, mine=lambda p, y: np.square(p - y).sum(keepdims=True)),
        "Your forecaster has a sum of squares, the rival a mean. Take the mean of both.",
    ),
    Mistake(
        "outcomes filled with the base rate",
        lambda said, came, due, earlier: _skill(
            said, np.where(due, came, np.mean(earlier)), [True] * len(due), earlier
        ),
        _FILLED,
    ),
    Mistake(
        "forecasts filled with the base rate",
        lambda said, came, due, earlier: _skill(
            np.where(due, said, np.mean(earlier)), came, [True] * len(due), earlier
        ),
        _FILLED,
    ),
    Mistake("mean of ratios", _mean_of_ratios, "You take the mean of ratios. Take both means first, then their ratio."),
    Mistake(
        "median of earlier",
        _wrong(_skill, rate_of=lambda said, came, due, earlier: np.median(earlier)),
        "The base rate is the share that came, the *mean* of `earlier`. The median of noughts and ones is one of them.",
    ),
    Mistake(
        "median of squares",
        lambda said, came, due, earlier: 1 - float(np.divide(*map(np.median, _squares(said, came, due, earlier)))),
        "The Brier score is the *mean* of the squares, not their median.",
    ),
    Mistake(
        "earlier masked",
        _wrong(_skill, rate_of=lambda said, came, due, earlier: np.array(earlier)[due].mean()),
        _EARLIER,
    ),
    Mistake(
        "earlier paired with due",
        _wrong(_skill, rate_of=lambda said, came, due, earlier: np.mean([e for e, now in zip(earlier, due) if now])),  # noqa: B905
        _EARLIER,
    ),
    Mistake("lists masked", lambda said, came, due, earlier: said[due], _LISTS),
    Mistake("lists subtracted", lambda said, came, due, earlier: said - came, _LISTS),
]

# 16-4 ---------------------------------------------------------------------------------------------------------------


def report(y, p, threshold):
    """(accuracy above the constant's, precision, recall, F1, lower end of the recall)."""
    return _report(y, p, threshold)


def _report(
    y, p, threshold, *,
    f1="precision", mean="harmonic", of=None, gain=True, strict=False, swap=False, end=0, unit=1, empty=0.0,
    neither=0.0, z=1.959963984540054, constant=lambda share: max(share, 1 - share), plain=False, sign=1,
):  # fmt: skip
    y, p = np.asarray(y, bool), np.asarray(p, float)
    flagged = p > threshold if strict else p >= threshold
    hits, accuracy = int((flagged & y).sum()), float((flagged == y).mean())
    precision = hits / flagged.sum() if flagged.any() else empty
    recall = hits / y.sum()
    one = accuracy if f1 == "accuracy" else precision
    both = (one + recall) / 2 if mean == "arithmetic" else 2 * one * recall / (one + recall) if recall else neither
    n = {None: int(y.sum()), "all": len(y), "flagged": max(int(flagged.sum()), 1)}[of]
    low = max(0.0, _wilson(hits, n, z)[end])
    low = hits / n - z * math.sqrt(hits / n * (1 - hits / n) / n) if plain else low
    above = sign * (accuracy - constant(y.mean())) if gain else accuracy
    precision, recall = (recall, precision) if swap else (precision, recall)
    return tuple(unit * float(value) for value in (above, precision, recall, both, low))


def _with(place, value):
    """`report`, one of whose five numbers is another: ``value`` makes it of the counts and of the five."""

    def wrong(y, p, threshold):
        y, flagged = np.asarray(y, bool), np.asarray(p, float) >= threshold
        counts = {
            "hits": int((flagged & y).sum()), "false": int((flagged & ~y).sum()),
            "missed": int((~flagged & y).sum()), "passed": int((~flagged & ~y).sum()),
        }  # fmt: skip
        five = list(_report(y, p, threshold))
        five[place] = float(value(five=tuple(five), constant=max(y.mean(), 1 - y.mean()), **counts))
        return tuple(five)

    return wrong


def _over(above, below):
    return above / below if below else 0.0


def _flags(n, positives, hits, false):
    y, p = np.zeros(n, bool), np.full(n, 0.1)
    y[:positives] = True
    p[:hits] = 0.8
    p[positives : positives + false] = 0.7
    return y, p


_AT_THE_EDGE = (np.array([1, 1, 1, 0, 0, 0, 0, 0], bool), np.array([0.9, 0.5, 0.2, 0.5, 0.3, 0.1, 0.1, 0.0]))
_REPORT_CASES = [
    (*_flags(1000, 10, 8, 24), 0.5),
    (*_flags(1000, 10, 8, 24), 0.75),
    (*_AT_THE_EDGE, 0.5),
    (*_flags(400, 16, 4, 2), 0.5),
    (*_flags(20, 14, 12, 1), 0.5),
    (*_flags(300, 3, 0, 0), 0.5),
    (*_flags(200, 8, 0, 5), 0.5),  # something flagged, nothing hit
]
_REPORT_MISTAKES = [
    Mistake(
        "F1 of accuracy",
        _wrong(_report, f1="accuracy"),
        "You put accuracy (准确率) where precision (精确率) belongs. F1 is the mean of *precision* and recall.",
    ),
    Mistake(
        "plain mean",
        _wrong(_report, mean="arithmetic"),
        "F1 is the harmonic mean: twice the product over the sum. The plain one forgives a recall of nought.",
    ),
    Mistake(
        "swapped",
        _wrong(_report, swap=True),
        "Precision and recall are exchanged. Precision asks of what you *flagged*, recall of what *is* positive.",
    ),
    Mistake(
        "interval over all",
        _wrong(_report, of="all"),
        "Recall is a share of the positives, so its interval counts these alone, not all examples.",
    ),
    Mistake(
        "upper end", _wrong(_report, end=1), "That is the upper end of the interval. What is promised is the lower one."
    ),
    Mistake(
        "accuracy alone",
        _wrong(_report, gain=False),
        "Say what the accuracy is *above* the constant's, which answers with the larger class.",
    ),
    Mistake(
        "strictly above",
        _wrong(_report, strict=True),
        "What lies exactly at the threshold is flagged, too: at least, not above.",
    ),
    Mistake(
        "in per cent",
        _wrong(_report, unit=100),
        "Those are per cent. Return shares: a recall of one half is 0.5.",
    ),
    Mistake(
        "interval of the flagged",
        _wrong(_report, of="flagged"),
        "That interval counts what you flagged, as precision does. Recall is a share of the *positives*.",
    ),
    Mistake(
        "plain interval",
        _wrong(_report, plain=True, z=1.96),
        "The plain interval, share ± 1.96 standard errors, fails for so few positives: it may even fall below 0. "
        "Use `evaluate.share(...).low`.",
    ),
    Mistake(
        "one-sided",
        _wrong(_report, z=1.645),
        "That is the end of a one-sided interval (1.645). Asked for is the lower end of the two-sided one, with 1.96, "
        "as `evaluate.share` has it.",
    ),
    Mistake(
        "constant says no",
        _wrong(_report, constant=lambda share: 1 - share),
        "Your constant always says no. It answers with the *larger* class, and here and there that is yes.",
    ),
    Mistake(
        "constant says yes",
        _wrong(_report, constant=lambda share: share),
        "Your constant always says yes. It answers with the *larger* class, which for fraud is no.",
    ),
    Mistake(
        "constant less the model",
        _wrong(_report, sign=-1),
        "The gain is the model's accuracy less the constant's; you have it the other way round.",
    ),
    Mistake(
        "nothing flagged, no number",
        _wrong(_report, empty=math.nan),
        "Where nothing is flagged you divide nought by nought. Precision is 0 there, and so is F1.",
    ),
    Mistake(
        "nothing hit, no numbers",
        _wrong(_report, empty=math.nan, neither=math.nan),
        "Where nothing is hit you divide nought by nought. F1 is 0 there, and precision is 0 where nothing is flagged.",
    ),
    Mistake(
        "nothing hit, no F1",
        _wrong(_report, neither=math.nan),
        "Where nothing is hit your F1 divides nought by nought. It is 0 there.",
    ),
    *(
        Mistake(name, _with(3, value), hint)
        for name, value, hint in [
            (
                "geometric mean",
                lambda five, **_: math.sqrt(five[1] * five[2]),
                "That is the geometric mean of precision and recall. F1 is their harmonic mean: twice the product over "
                "the sum.",
            ),
            (
                "half of F1",
                lambda five, **_: five[3] / 2,
                "Your F1 is half of what it is: *twice* the product over the sum, so that two equal ones have "
                "themselves for a mean.",
            ),
            (
                "the smaller of the two",
                lambda five, **_: min(five[1:3]),
                "That is the smaller of precision and recall. F1 is their harmonic mean: twice the product over the "
                "sum.",
            ),
            (
                "the product",
                lambda five, **_: five[1] * five[2],
                "That is the product of precision and recall. F1 is twice that, over their sum.",
            ),
            (
                "hits over all that counts",
                lambda hits, false, missed, **_: _over(hits, hits + false + missed),
                "Your F1 is hits over hits, false alarms and misses. F1 counts the hits twice, above and below.",
            ),
        ]
    ),
    *(
        Mistake(name, _with(0, value), hint)
        for name, value, hint in [
            (
                "ratio to the constant",
                lambda five, constant, **_: five[0] / constant + 1,
                "You divide by the constant's accuracy. How far *above* it the model is, is a difference.",
            ),
            (
                "gain over the constant's",
                lambda five, constant, **_: five[0] / constant,
                "You divide the gain by the constant's accuracy. Return the difference itself.",
            ),
            (
                "share of the constant's errors",
                lambda five, constant, **_: five[0] / (1 - constant),
                "That is how much of the constant's errors the model saves. Return the difference of the two "
                "accuracies.",
            ),
        ]
    ),
    *(
        Mistake(name, _with(place, value), hint)
        for name, place, value, hint in [
            (
                "specificity for recall",
                2,
                lambda false, passed, **_: _over(passed, passed + false),
                "That is the share of *negatives* which are not flagged, the specificity. Recall asks of the "
                "positives: hits over positives.",
            ),
            (
                "false alarms for recall",
                2,
                lambda false, passed, **_: _over(false, passed + false),
                "That is the share of *negatives* which are flagged. Recall asks of the positives: hits over "
                "positives.",
            ),
            (
                "specificity for precision",
                1,
                lambda false, passed, **_: _over(passed, passed + false),
                "That is the share of *negatives* which are not flagged, the specificity. Precision asks of the "
                "flagged: hits over flagged.",
            ),
            (
                "precision of the rest",
                1,
                lambda missed, passed, **_: _over(passed, passed + missed),
                "That is how often you are right where you do *not* flag. Precision asks of the flagged: hits over "
                "flagged.",
            ),
        ]
    ),
    Mistake(
        "nothing flagged, all precise",
        _wrong(_report, empty=1.0),
        "Where nothing is flagged your precision is 1. Nothing was hit either: it is 0 here.",
    ),
]

# 16-5 ---------------------------------------------------------------------------------------------------------------


def who_wins(traditional, net, writers):
    """ "traditional", "net" or "cheaper", by the paired interval over writers, mean ± 2 s / sqrt(k), or t for 2."""
    return _wins(traditional, net, writers)


def _wins(
    traditional, net, writers, *,
    ddof=1, root=True, unit="writer", paired=True, sign=1, factor=2.0, spread_of=np.sqrt, over=None,
):  # fmt: skip
    a, b, who = np.asarray(traditional, float), np.asarray(net, float), np.asarray(writers)
    if unit == "apart":
        (low_a, high_a), (low_b, high_b) = (_wilson(one.sum(), len(one)) for one in (a, b))
        return "traditional" if low_a > high_b else "net" if low_b > high_a else "cheaper"
    if unit == "writer":
        a, b = (np.array([one[who == w].mean() for w in np.unique(who)]) for one in (a, b))
    elif unit == "sums":
        a, b = (np.array([one[who == w].sum() for w in np.unique(who)]) for one in (a, b))
    gap = sign * (a - b)
    spread = gap.var(ddof=ddof) if paired else a.var(ddof=ddof) + b.var(ddof=ddof)
    share = over(len(gap)) if over else math.sqrt(len(gap)) if root else 1
    half = factor * float(spread_of(spread)) / share
    if gap.mean() - half > 0:
        return "traditional"
    return "net" if gap.mean() + half < 0 else "cheaper"


def _duel(sizes, first, second):
    """Each writer's n digits: so many right by the one, and by the other."""
    one, two, who = [], [], []
    for writer, (n, a, b) in enumerate(zip(sizes, first, second, strict=True)):
        one += [True] * a + [False] * (n - a)
        two += [True] * b + [False] * (n - b)
        who += [writer] * n
    return np.array(one), np.array(two), np.array(who)


# No case turns on 2 against 1.96 or Student's t for its number of writers: all three are right. So where no order is
# shown the mean is below 1.96 standard errors of itself, and where one is shown above t of them.
_WINS_CASES = [
    _duel([20] * 6, [19, 18, 20, 19, 18, 19], [17, 16, 18, 16, 17, 17]),
    _duel([20] * 6, [17, 16, 18, 16, 17, 17], [19, 18, 20, 19, 18, 19]),
    _duel([20] * 6, [19, 12, 20, 14, 18, 19], [17, 16, 18, 17, 17, 16]),
    _duel([50] * 6, [48, 40, 30, 44, 25, 36], [46, 38, 28, 42, 24, 34]),
    _duel([20] * 6, [17, 16, 15, 15, 15, 18], [14, 16, 15, 15, 14, 16]),
    _duel([20] * 6, [16, 18, 18, 18, 17, 15], [16, 17, 19, 15, 16, 13]),
    _duel([20] * 6, [18, 19, 15, 17, 16, 17], [19, 20, 14, 16, 13, 15]),
    _duel([20] * 6, [18, 17, 17, 18, 15, 17], [14, 18, 16, 17, 16, 17]),
    _duel([20] * 6, [17, 17, 16, 15, 17, 16], [20, 20, 6, 17, 20, 13]),
    _duel([20] * 6, [15, 15, 14, 18, 18, 14], [13, 13, 15, 17, 19, 15]),
    _duel([20] * 6, [19, 14, 17, 17, 14, 15], [18, 12, 17, 15, 13, 14]),
    _duel([200] + [20] * 5, [182, 19, 18, 17, 19, 17], [159, 17, 17, 16, 17, 15]),
    _duel([200] + [20] * 5, [151, 18, 15, 18, 15, 17], [150, 19, 16, 19, 17, 18]),
    _duel([200] + [20] * 5, [174, 17, 16, 17, 16, 17], [140, 19, 18, 19, 17, 17]),
    _duel(  # 2.4 standard errors, where t for fourteen writers is 2.16
        [20] * 14,
        [18, 15, 19, 19, 18, 17, 15, 18, 19, 14, 17, 19, 18, 16],
        [19, 16, 19, 16, 19, 16, 13, 16, 16, 13, 14, 20, 15, 15],
    ),
]
_WINS_MISTAKES = [
    Mistake(
        "always cheaper",
        lambda *given: "cheaper",
        'Your function says "cheaper" whatever it is given. An interval that lies wholly above or below zero shows an '
        "order.",
    ),
    Mistake(
        "over digits",
        _wrong(_wins, unit="digit"),
        "You count digits. Those of one hand are alike; new *writers* will come. Take one difference for each writer.",
    ),
    Mistake(
        "sums",
        _wrong(_wins, unit="sums"),
        "Take each writer's *share* right; with sums whoever wrote more counts more.",
    ),
    Mistake(
        "n for n - 1",
        _wrong(_wins, ddof=0),
        "NumPy divides by k by default, which is also right elsewhere: for a whole population. For few writers out of "
        "many the spread needs k - 1: `ddof=1`.",
    ),
    Mistake(
        "no root",
        _wrong(_wins, root=False),
        "That is the spread of single writers. A mean of k of them spreads less, by the root of k.",
    ),
    Mistake(
        "not paired",
        _wrong(_wins, paired=False),
        "You add the spreads of both. Both read the *same* writers: take the difference first, then its spread.",
    ),
    Mistake(
        "sign", _wrong(_wins, sign=-1), "The two names are exchanged: above zero means that `traditional` is ahead."
    ),
    Mistake(
        "never cheaper",
        _wrong(_wins, factor=0.0),
        "You look at the mean alone. Where the interval holds zero no order is shown, and the cheaper one wins.",
    ),
    Mistake(
        "one standard error",
        _wrong(_wins, factor=1.0),
        "That is one standard error to either side, which holds in two cases of three. For 95 % take about two.",
    ),
    Mistake(
        "wider than 95 per cent",
        _wrong(_wins, factor=2.576),
        "Your interval is wider than one for 95 %: 2.576 standard errors belong to 99 %. Take 2, 1.96, or Student's t "
        "for k - 1 degrees of freedom.",
    ),
    Mistake(
        "one-sided",
        _wrong(_wins, factor=1.645),
        "1.645 belongs to a one-sided question, asked of one of the two beforehand. Here either may win: about 2.",
    ),
    Mistake(
        "k for its root",
        _wrong(_wins, over=float),
        "You divide by k. The spread of a mean of k writers falls with the *root* of k.",
    ),
    Mistake(
        "variance for spread",
        _wrong(_wins, spread_of=float),
        "That is the variance. s is its root, the standard deviation: `std`, not `var`.",
    ),
    Mistake(
        "two intervals apart",
        _wrong(_wins, unit="apart"),
        "You ask whether two intervals over digits overlap. Both read the *same* writers: take one difference for "
        "each, and one interval of the differences.",
    ),
]

# 16-6 ---------------------------------------------------------------------------------------------------------------


def mended(p, trained, real):
    """Probabilities of a model trained where a share ``trained`` was positive, for a world where ``real`` is."""
    return _mended(p, trained, real)


def _mended(p, trained, real, *, form="both"):
    p = np.asarray(p, float)
    up, down = real / trained, (1 - real) / (1 - trained)
    return {
        "both": p * up / (p * up + (1 - p) * down),
        "ratio": p * up,
        "clipped": np.clip(p * up, 0, 1),
        "swapped": (p / up) / (p / up + (1 - p) / down),
        "shift": p + real - trained,
        "one side": p * up / (p * up + 1 - p),
        "odds": p * up / ((1 - p) * down),
        "blend": p * real / (p * real + (1 - p) * (1 - real)),
        "as given": p,
        "the sum": p * up + (1 - p) * down,
        "odds of the shares": p * up / down,
        "over the examples": p * up / (p * up).sum(),
        "summed to one": p * up / (p * up + (1 - p) * down) / (p * up / (p * up + (1 - p) * down)).sum(),
        "share for all": np.full(p.shape, real),
        "scaled to the mean": p * real / p.mean(),
    }[form]


_MENDED_CASES = [
    (np.array([0.1, 0.5, 0.9]), 0.5, 0.04),
    (np.array([0.02, 0.3, 0.7, 0.99]), 0.2, 0.01),
    (np.array([0.2, 0.6]), 0.3, 0.3),
    (np.array([0.05, 0.4, 0.8]), 0.1, 0.35),
]
_MENDED_MISTAKES = [
    Mistake(
        "ratio alone",
        _wrong(_mended, form="ratio"),
        "That scales the positives and leaves the others. Weigh both classes, then divide by their sum.",
    ),
    Mistake(
        "ratio, clipped",
        _wrong(_mended, form="clipped"),
        "Clipping hides that the two probabilities no longer add up to one. Weigh both classes, divide by their sum.",
    ),
    Mistake(
        "shares swapped",
        _wrong(_mended, form="swapped"),
        "That goes the other way, from the real world to the balanced one: the real share belongs above.",
    ),
    Mistake(
        "shift",
        _wrong(_mended, form="shift"),
        "A difference added to each may leave the range from 0 to 1. The class weights act on the odds: multiply.",
    ),
    Mistake(
        "one side",
        _wrong(_mended, form="one side"),
        "The negatives have a weight as well: their real share over the one in training.",
    ),
    Mistake(
        "as given",
        _wrong(_mended, form="as given"),
        "You return the probabilities as they came, made for a world where a share `trained` is positive.",
    ),
    Mistake(
        "in per cent",
        lambda *given: 100 * _mended(*given),
        "Those are per cent. Return probabilities, from 0 to 1.",
    ),
    Mistake(
        "shares for per cent",
        lambda p, trained, real: _mended(p, trained / 100, real / 100),
        "`trained` and `real` are shares already. Do not divide them by a hundred.",
    ),
    Mistake(
        "the sum",
        _wrong(_mended, form="the sum"),
        "That is the sum of both weights, what you divide *by*. Above it stands the positive's part.",
    ),
    Mistake(
        "over the examples",
        _wrong(_mended, form="over the examples"),
        "You divide by the sum over the *examples*. Each example has two parts, yes and no: divide by the sum of its "
        "own two.",
    ),
    Mistake(
        "summed to one",
        _wrong(_mended, form="summed to one"),
        "Your results sum to one over all examples. It is the two classes of *each* example whose probabilities do.",
    ),
    Mistake(
        "the other class",
        lambda *given: 1 - _mended(*given),
        "Those are the probabilities of the negatives. Return the positives'.",
    ),
    Mistake(
        "share for all",
        _wrong(_mended, form="share for all"),
        "You state the real share for everybody. What the model knows of each example is to be kept.",
    ),
    Mistake(
        "scaled to the mean",
        _wrong(_mended, form="scaled to the mean"),
        "You scale so that the mean is the real share. Single ones may then exceed 1: weigh both classes instead.",
    ),
    Mistake(
        "odds of the shares",
        _wrong(_mended, form="odds of the shares"),
        "You multiply the *probability* by what belongs to the odds, p / (1 - p). Weigh p and 1 - p apart, and divide "
        "by the sum.",
    ),
    Mistake(
        "rounded",
        lambda *given: np.round(_mended(*given), 2),
        "You round. Return the probabilities as they are.",
    ),
    Mistake("odds", _wrong(_mended, form="odds"), "Those are odds. As a probability: odds over one plus odds."),
    Mistake(
        "as if half",
        _wrong(_mended, form="blend"),
        "That is right only where training had halves. Divide by the shares in training, too.",
    ),
]

# 16-7 ---------------------------------------------------------------------------------------------------------------


def gate(lost, gained, n, p99, mb, signed, limits):
    """ "ship", "stop" or "measure": limits has ms, mb and loss (a share); the loss by its paired interval."""
    return _gate(lost, gained, n, p99, mb, signed, limits)


def _gate(
    lost, gained, n, p99, mb, signed, limits, *,
    unknown="measure", must_sign=True, point=False, plus=1, win=True, time=True, size=True, above=False, swap=False,
    z=1.96, unit=1, allowed=1, order="stop first", lower=True,
):  # fmt: skip
    lost, gained = (gained, lost) if swap else (lost, gained if win else 0)
    p, g = (lost + plus) / (n + 2 * plus), (gained + plus) / (n + 2 * plus)
    half = 0 if point else z * math.sqrt((p + g - (p - g) ** 2) / (n + 2 * plus))
    asked = [(p99, limits["ms"])] * time + [(mb, limits["mb"])] * size
    over = [a > b if not above else a >= b for a, b in asked]
    low, high, most = unit * (p - g - half), unit * (p - g + half), allowed * limits["loss"]
    if high <= most and (order == "ship first" or (order == "signed ships first" and signed)):
        return "ship"
    if order == "loss first" and low <= most < high:
        return "measure"
    if (must_sign and not signed) or any(over) or (lower and low > most):
        return "stop"
    return "ship" if high <= most else unknown


_LIMITS = {"ms": 20, "mb": 0.1, "loss": 0.003}
_GATE_CASES = [
    (0, 1, 10_000, 2.2, 0.081, True, _LIMITS),
    (5, 3, 1_797, 2.2, 0.081, True, _LIMITS),
    (5, 3, 1_797, 2.2, 0.081, False, _LIMITS),
    (5, 3, 1_797, 25.0, 0.081, True, _LIMITS),
    (5, 3, 1_797, 2.2, 0.27, True, _LIMITS),
    (0, 0, 382, 2.2, 0.087, True, _LIMITS),
    (0, 1, 10_000, 2.2, 0.27, True, _LIMITS),
    (0, 1, 10_000, 25.0, 0.081, True, _LIMITS),
    (0, 1, 10_000, 2.2, 0.081, False, _LIMITS),
    (90, 20, 10_000, 2.2, 0.081, True, _LIMITS),
    (60, 50, 10_000, 2.2, 0.081, True, _LIMITS),
    (40, 30, 10_000, 20, 0.1, True, _LIMITS),
    (12, 2, 5_000, 2.2, 0.081, True, _LIMITS),
    (40, 12, 10_000, 2.2, 0.081, True, _LIMITS),
    (60, 20, 10_000, 2.2, 0.081, True, _LIMITS),
    (0, 0, 800, 2.2, 0.08, True, {"ms": 5, "mb": 1, "loss": 0.002}),
]
_STOP_FIRST = 'All reasons to stop come before "ship": the signature, time, size, and the lower end.'
_GATE_MISTAKES = [
    Mistake(
        "the loss itself",
        _wrong(_gate, point=True),
        "You compare the loss itself. With few images it may be larger: compare the ends of its interval.",
    ),
    Mistake(
        "unknown ships",
        _wrong(_gate, unknown="ship"),
        'Not refuted is not shown. While the interval holds the limit, the answer is "measure".',
    ),
    Mistake(
        "unknown stops",
        _wrong(_gate, unknown="stop"),
        'The interval holds the limit: nobody knows yet. More images would tell: "measure".',
    ),
    Mistake(
        "unsigned",
        _wrong(_gate, must_sign=False),
        'What nobody has signed may be anybody\'s file, whatever its numbers: "stop". First all reasons to stop.',
    ),
    Mistake(
        "loss alone",
        _wrong(_gate, time=False, size=False),
        "You look at the loss alone. p99 and size have limits, too.",
    ),
    Mistake(
        "lower end forgotten",
        _wrong(_gate, lower=False),
        'You look at the upper end alone. Above the limit even at its *lower* end a loss is refuted: "stop".',
    ),
    Mistake(
        "measures before it stops",
        _wrong(_gate, order="loss first"),
        "You measure more of a file that is to be stopped anyhow. All reasons to stop come first: signature, time and "
        "size, too.",
    ),
    Mistake("ships before it stops", _wrong(_gate, order="signed ships first"), _STOP_FIRST),
    Mistake("ships before all else", _wrong(_gate, order="ship first"), _STOP_FIRST),
    Mistake(
        "never ships",
        lambda *given: _gate(*given).replace("ship", "measure"),
        'Your function never says "ship". Where no reason to stop is left and the upper end is within the limit, it is '
        "shown.",
    ),
    Mistake("always measure", lambda *given: "measure", 'Your function says "measure" whatever it is given.'),
    Mistake("always stop", lambda *given: "stop", 'Your function says "stop" whatever it is given.'),
    Mistake("always ship", lambda *given: "ship", 'Your function says "ship" whatever it is given.'),
    Mistake("time forgotten", _wrong(_gate, time=False), 'p99 has a limit, too, `limits["ms"]`.'),
    Mistake("size forgotten", _wrong(_gate, size=False), 'The size has a limit, too, `limits["mb"]`.'),
    Mistake(
        "points for shares",
        _wrong(_gate, unit=100),
        "Your interval is too large for the limit beside it: one of the two is not a share, but percentage points, "
        'say, or images. `limits["loss"]` is a share already.',
    ),
    Mistake(
        "limit in points",
        _wrong(_gate, allowed=100),
        '`limits["loss"]` is a share already, as the interval is. Do not multiply it by a hundred.',
    ),
    Mistake(
        "lost and gained swapped",
        _wrong(_gate, swap=True),
        "You subtract what was lost from what was gained. The loss is the other way round: `loss_between(lost, gained, "
        "n)`.",
    ),
    Mistake(
        "one-sided",
        _wrong(_gate, z=1.645),
        "1.645 belongs to a one-sided interval. Section 7's takes 1.96 standard errors to either side.",
    ),
    Mistake(
        "wider than 95 per cent",
        _wrong(_gate, z=2.576),
        "2.576 standard errors belong to an interval of 99 %. Section 7's takes 1.96 to either side.",
    ),
    Mistake(
        "one standard error",
        _wrong(_gate, z=1.0),
        "That is one standard error to either side, which holds in two cases of three. Section 7's takes 1.96.",
    ),
    Mistake(
        "at the limit",
        _wrong(_gate, above=True),
        "What lies exactly at a limit of time or size keeps it.",
    ),
    Mistake(
        "gains forgotten",
        _wrong(_gate, win=False),
        "The net loss is what was lost less what was gained.",
    ),
    Mistake(
        "nought is certain",
        _wrong(_gate, plus=0),
        "With no image lost your interval has no width. Add one to each count, two to `n`, as the formula has it.",
    ),
]

EXERCISES = (
    Exercise(
        "16-4", "A report on a rare class", "modify", 15,
        "Write `report(y, p, threshold)`: the accuracy above the constant's, precision, recall, F1 and the lower end "
        "of the recall's interval. Put your code where the three dots stand.",
        function(report, _REPORT_CASES, mistakes=_REPORT_MISTAKES, tolerance=1e-4),  # 1.96 for z is right
    ),
    Exercise(
        "16-5", "Net, tradition, or the cheaper one", "decide", 14,
        "Write `who_wins(traditional, net, writers)`: the winner by the paired interval over writers, mean ± 2 s/√k "
        '(1.96 or Student\'s t for 2 are right, too), or "cheaper" where it holds zero. Put your code where '
        "the three dots stand.",
        function(who_wins, _WINS_CASES, mistakes=_WINS_MISTAKES),
    ),
    Exercise(
        "16-1", "Labels enough for a small model", "decide", 15,
        "Write `labels_enough(sizes, right, n, goal)`: the smallest number of labels from which on the lower end "
        "reaches the goal, else `np.inf`. Put your code where the three dots stand.",
        function(labels_enough, _ENOUGH_CASES, mistakes=_ENOUGH_MISTAKES),
    ),
    Exercise(
        "16-2", "What a cut buys", "modify", 20,
        "Write `layer_seconds(inputs, outputs, batch, bits, keep, peak, bandwidth)`: the longer of the times for the "
        "operations and for the bytes. Put your code where the three dots stand.",
        function(layer_seconds, _SECONDS_CASES, mistakes=_SECONDS_MISTAKES, tolerance=1e-12),
    ),
    Exercise(
        "16-3", "The skill of a forecaster", "modify", 15,
        "Write `skill(said, came, due, earlier)`: one minus the ratio of the Brier scores of the forecaster and of the "
        "base rate known before. Put your code where the three dots stand.",
        function(skill, _SKILL_CASES, mistakes=_SKILL_MISTAKES),
    ),
    Exercise(
        "16-6", "Probabilities after balancing", "extend", 15,
        "Write `mended(p, trained, real)`: the probabilities of a model trained on a share `trained` of positives, for "
        "a world with the share `real`. Put your code where the three dots stand.",
        function(mended, _MENDED_CASES, mistakes=_MENDED_MISTAKES),
    ),
    Exercise(
        "16-7", "Ship, stop or measure", "decide", 20,
        "Write `gate(lost, gained, n, p99, mb, signed, limits)`: the word that the limits and the paired interval of "
        "the loss give. Put your code where the three dots stand.",
        function(gate, _GATE_CASES, mistakes=_GATE_MISTAKES),
    ),
)  # fmt: skip
