"""The exercises of chapter 09, Fine-tuning BERT."""

import itertools

import numpy as np

from course_utils.exercises.judges import Mistake, function
from course_utils.exercises.verdicts import Exercise

# 09-1 ---------------------------------------------------------------------------------------------------------------


def piece_places(word, vocabulary):
    """Where each piece of a word stands: list of (start, end), the longest piece first; one place if any part fails."""
    return _places(word, vocabulary)


def _places(word, vocabulary, *, shortest=False, mark="##", whole=True, skip=False, inclusive=False, lengths=False):
    """`piece_places`; the options are mistakes."""
    places, start = [], 0
    while start < len(word):
        front = mark if start else ""
        ends = range(start + 1, len(word) + 1) if shortest else range(len(word), start, -1)
        end = next((end for end in ends if front + word[start:end] in vocabulary), None)
        if end is None:
            if whole:
                return [(0, len(word) - inclusive)]
            if not skip:
                places.append((start, start + 1))
            start += 1
            continue
        places.append((start, end - start if lengths else end - inclusive))
        start = end
    return places


def _piece_mistakes() -> list[Mistake]:
    def shortest(word, vocabulary):
        return _places(word, vocabulary, shortest=True)

    def no_mark(word, vocabulary):
        return _places(word, vocabulary, mark="")

    def unknown_by_letter(word, vocabulary):
        return _places(word, vocabulary, whole=False)

    def unknown_left_out(word, vocabulary):
        return _places(word, vocabulary, whole=False, skip=True)

    def last_letter(word, vocabulary):
        return _places(word, vocabulary, inclusive=True)

    def with_lengths(word, vocabulary):
        return _places(word, vocabulary, lengths=True)

    def mark_counted(word, vocabulary):
        at, found = 0, []
        if not _fits(word, vocabulary):
            return [(0, len(word))]
        for start, end in _places(word, vocabulary):
            size = end - start + (2 if start else 0)
            found.append((at, at + size))
            at += size
        return found

    def nothing_for_unknown(word, vocabulary):
        return _places(word, vocabulary) if _fits(word, vocabulary) else []

    def pieces_that_fitted(word, vocabulary):
        return _until_unknown(word, vocabulary)

    def remainder_kept(word, vocabulary):
        found = _until_unknown(word, vocabulary)
        start = found[-1][1] if found else 0
        return found if start == len(word) else [*found, (start, len(word))]

    def unknown_by_its_name(word, vocabulary):
        return _places(word, vocabulary) if _fits(word, vocabulary) else [(0, len("[UNK]"))]

    return [
        Mistake(
            "shortest match",
            shortest,
            "You take the *shortest* piece that fits. WordPiece is greedy: begin with the whole rest of the word and "
            "make it shorter until it fits.",
        ),
        Mistake(
            "no ##",
            no_mark,
            "Pieces that continue a word stand in the vocabulary with `##` in front; without it you look up the "
            "beginnings of words. (A place counts the word's letters only.)",
        ),
        Mistake(
            "unknown by letter",
            unknown_by_letter,
            "A letter that fits nothing makes the *whole* word unknown: return the one place `[(0, len(word))]`.",
        ),
        Mistake(
            "unknown left out",
            unknown_left_out,
            "You step over letters that fit nothing. One such letter makes the *whole* word unknown: "
            "`[(0, len(word))]`.",
        ),
        Mistake(
            "last letter",
            last_letter,
            "Your ends are the piece's *last* letter. As in a slice, `word[start:end]`, the end is one behind it.",
        ),
        Mistake("length for end", with_lengths, "The second number is where the piece ends, not how long it is."),
        Mistake(
            "## counted",
            mark_counted,
            "You count the two signs of `##` as letters of the word. They are in the vocabulary's spelling only.",
        ),
        Mistake(
            "nothing for unknown",
            nothing_for_unknown,
            "An unknown word is one piece, [UNK], that covers all of it: `[(0, len(word))]`, not an empty list.",
        ),
        Mistake(
            "pieces that fitted",
            pieces_that_fitted,
            "You keep the pieces before the place where nothing fits. One such place makes the *whole* word unknown: "
            "`[(0, len(word))]`.",
        ),
        Mistake(
            "remainder kept",
            remainder_kept,
            "You keep the pieces that fitted, and the rest as one more. One place where nothing fits makes the *whole* "
            "word unknown: `[(0, len(word))]`.",
        ),
        Mistake(
            "[UNK] measured",
            unknown_by_its_name,
            "You measured the five signs of `[UNK]`, which do not stand in the word. An unknown word is one piece that "
            "covers all of it: `[(0, len(word))]`.",
        ),
    ]


def _until_unknown(word, vocabulary) -> list[tuple[int, int]]:
    """The places of the pieces, up to where nothing fits."""
    places, start = [], 0
    while start < len(word):
        front = "##" if start else ""
        end = next((e for e in range(len(word), start, -1) if front + word[start:e] in vocabulary), None)
        if end is None:
            break
        places.append((start, end))
        start = end
    return places


def _fits(word, vocabulary) -> bool:
    start = 0
    while start < len(word):
        front = "##" if start else ""
        end = next((e for e in range(len(word), start, -1) if front + word[start:e] in vocabulary), None)
        if end is None:
            return False
        start = end
    return True


_VOCABULARY = {
    "in", "i", "inv", "invoice", "un", "u", "play", "able", "s", "a", "b", "n",
    "##voice", "##v", "##s", "##play", "##pla", "##y", "##a", "##able", "##ab", "##le", "##n", "##b",
    "##oice", "##ooks",
}  # fmt: skip
_PIECE_CASES = [
    ("invoices", _VOCABULARY),
    ("unplayable", _VOCABULARY),
    ("invoice", _VOCABULARY),
    ("play§able", _VOCABULARY),
    ("§", _VOCABULARY),
    ("books", _VOCABULARY),
    ("ablesable", _VOCABULARY),
]


# 09-2 ---------------------------------------------------------------------------------------------------------------


def causal_weights(Q, K, here):
    """Attention weights (t, t): token i looks at j <= i that are there; rows add up to one."""
    return _weights(Q, K, here)


def _softmax(S, axis=-1):
    S = np.exp(S - S.max(axis=axis, keepdims=True))
    return S / S.sum(axis=axis, keepdims=True)


def _weights(
    Q, K, here, *, root=True, scale=True, after=False, causal=True, padding=True, strict=False, ahead=False, fill=-1e9
):
    """`causal_weights`; the options are mistakes."""
    S = Q @ K.T
    if scale:
        S = S / (np.sqrt(Q.shape[-1]) if root else Q.shape[-1])
    t = len(Q)
    allowed = np.ones((t, t), bool)
    if causal:
        allowed = np.tri(t, dtype=bool).T if ahead else np.tri(t, k=-1 if strict else 0, dtype=bool)
    if padding:
        allowed = allowed & here[None, :]
    if after:
        return np.where(allowed, _softmax(S), 0.0)
    return _softmax(np.where(allowed, S, fill))


_FILL = (
    "What you put in the forbidden places is not low enough: real scores may lie below it, and then the "
    "forbidden takes all. Put -1e9 there, or `-np.inf`."
)


def _attention_mistakes() -> list[Mistake]:
    def mask_after(Q, K, here):
        return _weights(Q, K, here, after=True)

    def no_scale(Q, K, here):
        return _weights(Q, K, here, scale=False)

    def no_root(Q, K, here):
        return _weights(Q, K, here, root=False)

    def wrong_axis(Q, K, here):
        S = Q @ K.T / np.sqrt(Q.shape[-1])
        return _softmax(np.where(np.tri(len(Q), dtype=bool) & here[None, :], S, -1e9), axis=0)

    def no_padding(Q, K, here):
        return _weights(Q, K, here, padding=False)

    def not_causal(Q, K, here):
        return _weights(Q, K, here, causal=False)

    def looks_ahead(Q, K, here):
        return _weights(Q, K, here, ahead=True)

    def not_itself(Q, K, here):
        return _weights(Q, K, here, strict=True)

    def masks_questions(Q, K, here):
        S = Q @ K.T / np.sqrt(Q.shape[-1])
        return _softmax(np.where(np.tri(len(Q), dtype=bool) & here[:, None], S, -1e9))

    def zero_scores(Q, K, here):
        S = Q @ K.T / np.sqrt(Q.shape[-1])
        return _softmax(np.where(np.tri(len(Q), dtype=bool) & here[None, :], S, 0.0))

    def swapped(Q, K, here):
        return _weights(K, Q, here)

    def too_near(Q, K, here):
        return _weights(Q, K, here, fill=-50.0)

    def much_too_near(Q, K, here):
        return _weights(Q, K, here, fill=-10.0)

    def no_maximum(Q, K, here):
        S = np.where(np.tri(len(Q), dtype=bool) & here[None, :], Q @ K.T / np.sqrt(Q.shape[-1]), -1e9)
        with np.errstate(invalid="ignore"):
            return np.exp(S) / np.exp(S).sum(axis=-1, keepdims=True)

    def scores(Q, K, here):
        S = Q @ K.T / np.sqrt(Q.shape[-1])
        return np.where(np.tri(len(Q), dtype=bool) & here[None, :], S, -1e9)

    return [
        Mistake(
            "mask after softmax",
            mask_after,
            "You mask *after* the softmax: what the forbidden places took is missing, and rows no longer add up to "
            "one. Mask the scores before it.",
        ),
        Mistake("no scale", no_scale, "The scores are not scaled: divide by the root of `d_k`, `Q.shape[-1]`."),
        Mistake("no root", no_root, "You divide by `d_k`; a sum of `d_k` products spreads by its *root*."),
        Mistake(
            "wrong axis",
            wrong_axis,
            "Your softmax runs down the columns. A row is one asking token, and *rows* add up to one: `axis=-1`.",
        ),
        Mistake(
            "no padding", no_padding, "Padding still gets weight: columns where `here` is False are forbidden too."
        ),
        Mistake(
            "not causal", not_causal, "Tokens still see what comes after them: only `j <= i` is allowed (`np.tri`)."
        ),
        Mistake("looks ahead", looks_ahead, "The triangle is upside down: token i may look *back*, at `j <= i`."),
        Mistake("not itself", not_itself, "A token may look at itself: `j <= i`, not `j < i`."),
        Mistake(
            "masks questions",
            masks_questions,
            "You mask the *rows* of padding. It is the columns that nobody may look at: `here[None, :]`.",
        ),
        Mistake(
            "zero scores",
            zero_scores,
            'A score of 0 is not "nothing": its exponential is 1. Put a huge negative number there, -1e9.',
        ),
        Mistake("fill too near", too_near, _FILL),
        Mistake("fill of ten", much_too_near, _FILL),
        Mistake(
            "no maximum",
            no_maximum,
            "Scores far below zero have exponentials of nothing, and nothing by nothing is NaN. Subtract each row's "
            "maximum before `np.exp`: the shares stay the same.",
        ),
        Mistake("Q and K swapped", swapped, "Rows ask: the scores are `Q @ K.T`, not `K @ Q.T`."),
        Mistake("scores", scores, "These are the masked scores. The softmax of each row is missing."),
    ]


def _attention_case(seed, t, width, there):
    random = np.random.default_rng(seed)
    return random.normal(size=(t, width)), random.normal(size=(t, width)), np.arange(t) < there


_GAP = (*_attention_case(3, 5, 3, 5)[:2], np.array([True, False, True, True, False]))
_FAR = (*(array + shift for array, shift in zip(_attention_case(4, 4, 2, 4)[:2], (200.0, -200.0), strict=True)),)
_ATTENTION_CASES = [
    _attention_case(0, 3, 2, 3),
    _attention_case(1, 4, 8, 3),
    _GAP,
    (*_FAR, np.array([True, True, True, False])),  # all real scores lie far below zero
]


# 09-3 ---------------------------------------------------------------------------------------------------------------


def linear_rate(s, steps, warm_up, peak):
    """The rate of step s: up in a line over the warm-up, down in a line to zero at ``steps``."""
    return peak * (s + 1) / warm_up if s < warm_up else peak * (steps - s) / (steps - warm_up)


def _rate_mistakes() -> list[Mistake]:
    def from_zero(s, steps, warm_up, peak):
        return peak * s / warm_up if s < warm_up else linear_rate(s, steps, warm_up, peak)

    def no_warm_up(s, steps, warm_up, peak):
        return peak * (steps - s) / steps

    def over_all(s, steps, warm_up, peak):
        return peak * (s + 1) / warm_up if s < warm_up else peak * (steps - s) / steps

    def one_late(s, steps, warm_up, peak):
        return peak * (s + 1) / warm_up if s < warm_up else peak * (steps - s - 1) / (steps - warm_up)

    def zero_at_last(s, steps, warm_up, peak):
        return peak * (s + 1) / warm_up if s < warm_up else peak * (steps - 1 - s) / (steps - 1 - warm_up)

    def cosine(s, steps, warm_up, peak):
        if s < warm_up:
            return peak * (s + 1) / warm_up
        return peak * 0.5 * (1 + np.cos(np.pi * (s - warm_up) / (steps - warm_up)))

    def stays(s, steps, warm_up, peak):
        return peak * min(1.0, (s + 1) / warm_up)

    def no_peak(s, steps, warm_up, peak):
        return linear_rate(s, steps, warm_up, 1.0)

    def one_step_more(s, steps, warm_up, peak):
        return peak * (s + 1) / warm_up if s <= warm_up else peak * (steps - s) / (steps - warm_up)

    def upwards(s, steps, warm_up, peak):
        return peak * (s + 1) / warm_up if s < warm_up else peak * (s - warm_up) / (steps - warm_up)

    return [
        Mistake(
            "rate zero in step 0", from_zero, "Step 0 has the rate 0: a step for nothing. Use `s + 1` in the warm-up."
        ),
        Mistake("no warm-up", no_warm_up, "There is no warm-up: while `s < warm_up` the rate climbs."),
        Mistake(
            "falls over all steps",
            over_all,
            "The way down is divided by all steps, so it does not begin at the peak. It takes `steps - warm_up` steps.",
        ),
        Mistake(
            "one step early", one_late, "The fall is one step early: in step `warm_up` the rate is the peak itself."
        ),
        Mistake(
            "zero in the last step",
            zero_at_last,
            "Your last step has the rate 0: a step for nothing. Zero is reached in step `steps`, one after the last.",
        ),
        Mistake(
            "one step of warm-up too many",
            one_step_more,
            "In step `warm_up` your rate lies *above* the peak. Steps are counted from 0, so the warm-up ends "
            "before it: `s < warm_up`.",
        ),
        Mistake("cosine", cosine, "That is the half cosine of the chapter. A straight line is asked for."),
        Mistake("stays at the peak", stays, "After the warm-up the rate must fall; yours stays at the peak."),
        Mistake("no peak", no_peak, "Your rate runs from 0 to 1: multiply by `peak`."),
        Mistake(
            "upwards", upwards, "After the warm-up your rate climbs from zero again. Count the steps that are *left*."
        ),
    ]


_RATE_CASES = [(s, 20, 4, 3e-1) for s in (0, 1, 3, 4, 5, 12, 19)] + [(0, 7, 1, 2.0), (1, 7, 1, 2.0), (6, 7, 1, 2.0)]


# 09-4 ---------------------------------------------------------------------------------------------------------------


def swap_adapter(merged, A7, B7, A8, B8, alpha):
    """Take one adapter's change out of a merged kernel and put another's in."""
    return merged - alpha / A7.shape[1] * A7 @ B7 + alpha / A8.shape[1] * A8 @ B8


def _adapter_mistakes() -> list[Mistake]:
    def no_rank(merged, A7, B7, A8, B8, alpha):
        return merged - alpha * A7 @ B7 + alpha * A8 @ B8

    def times_rank(merged, A7, B7, A8, B8, alpha):
        return merged - alpha * A7.shape[1] * A7 @ B7 + alpha * A8.shape[1] * A8 @ B8

    def no_factor(merged, A7, B7, A8, B8, alpha):
        return merged - A7 @ B7 + A8 @ B8

    def one_rank(merged, A7, B7, A8, B8, alpha):
        return merged - alpha / A7.shape[1] * A7 @ B7 + alpha / A7.shape[1] * A8 @ B8

    def eights_rank(merged, A7, B7, A8, B8, alpha):
        return merged - alpha / A8.shape[1] * A7 @ B7 + alpha / A8.shape[1] * A8 @ B8

    def chapters_factor(merged, A7, B7, A8, B8, alpha):
        return merged - 2 * A7 @ B7 + 2 * A8 @ B8

    def width_for_rank(merged, A7, B7, A8, B8, alpha):
        return merged - alpha / A7.shape[0] * A7 @ B7 + alpha / A8.shape[0] * A8 @ B8

    def adds_only(merged, A7, B7, A8, B8, alpha):
        return merged + alpha / A8.shape[1] * A8 @ B8

    def takes_only(merged, A7, B7, A8, B8, alpha):
        return merged - alpha / A7.shape[1] * A7 @ B7

    def other_way(merged, A7, B7, A8, B8, alpha):
        return merged + alpha / A7.shape[1] * A7 @ B7 - alpha / A8.shape[1] * A8 @ B8

    def both_added(merged, A7, B7, A8, B8, alpha):
        return merged + alpha / A7.shape[1] * A7 @ B7 + alpha / A8.shape[1] * A8 @ B8

    def both_taken(merged, A7, B7, A8, B8, alpha):
        return merged - alpha / A7.shape[1] * A7 @ B7 - alpha / A8.shape[1] * A8 @ B8

    def change_only(merged, A7, B7, A8, B8, alpha):
        return alpha / A8.shape[1] * A8 @ B8

    def order(merged, A7, B7, A8, B8, alpha):
        return merged - alpha / A7.shape[1] * B7 @ A7 + alpha / A8.shape[1] * B8 @ A8

    return [
        Mistake(
            "alpha without r",
            no_rank,
            "You multiply by α alone. The factor is α / r, with r the number of columns of A: `alpha / A7.shape[1]`.",
        ),
        Mistake(
            "alpha times r",
            times_rank,
            "You multiply by α · r. The factor is α / r, with r the number of columns of A: `alpha / A7.shape[1]`.",
        ),
        Mistake(
            "no factor",
            no_factor,
            "The factor is missing. The factor is α / r, with r the number of columns of A: `alpha / A7.shape[1]`.",
        ),
        Mistake("one rank for both", one_rank, "The two adapters may have different ranks: each its own `shape[1]`."),
        Mistake(
            "customer 8's rank for both",
            eights_rank,
            "You divide both by the rank of customer 8. Each adapter has its own: `A7.shape[1]` and `A8.shape[1]`.",
        ),
        Mistake(
            "the chapter's factor",
            chapters_factor,
            "2 is the chapter's own factor. Here it is `alpha / r`, with each adapter's own rank r.",
        ),
        Mistake("width for rank", width_for_rank, "`shape[0]` is the width d. The rank r is `A.shape[1]`."),
        Mistake("old change stays in", adds_only, "Customer 7's change is still in the kernel: subtract it first."),
        Mistake("new change missing", takes_only, "That is the original kernel again; customer 8's change is missing."),
        Mistake("other way round", other_way, "The signs are swapped: take 7 out, put 8 in."),
        Mistake(
            "both added",
            both_added,
            "You put customer 7's change in a second time. It is in the merged kernel already: subtract it.",
        ),
        Mistake("both taken", both_taken, "You take both changes out. Customer 8's belongs in: add it."),
        Mistake("change only", change_only, "That is customer 8's change alone, without the kernel."),
        Mistake("B A for A B", order, "The product is `A @ B`, (d, r) times (r, m); `B @ A` has the shape (r, r)."),
    ]


def _adapter_case(seed, width, out, first, second, alpha):
    random = np.random.default_rng(seed)
    shapes = ((width, out), (width, first), (first, out), (width, second), (second, out))
    return (*(random.normal(size=shape) for shape in shapes), alpha)


_ADAPTER_CASES = [
    _adapter_case(0, 5, 4, 2, 3, 8.0),
    _adapter_case(1, 6, 6, 3, 3, 16.0),
    _adapter_case(2, 4, 7, 1, 2, 1.0),
]


# 09-5 ---------------------------------------------------------------------------------------------------------------


def paired_interval(y, a, b, picks):
    """Labels and two models' answers (n,), draws (rounds, n) -> the 95 % interval of the accuracies' difference."""
    return _interval(_differences(y, a, b, picks))


def _differences(y, a, b, picks):
    gained = (b == y).astype(np.float64) - (a == y)
    return gained[picks].mean(axis=1)


def _interval(found, low=0.025, high=0.975):
    return np.quantile(found, [low, high])


def _interval_mistakes() -> list[Mistake]:
    def other_way(y, a, b, picks):
        return paired_interval(y, b, a, picks)

    def ninety(y, a, b, picks):
        return _interval(_differences(y, a, b, picks), 0.05, 0.95)

    def one_sided(y, a, b, picks):
        return _interval(_differences(y, a, b, picks), 0.0, 0.95)

    def unpaired(y, a, b, picks):
        first, second = (a == y)[picks].mean(axis=1), (b == y)[picks].mean(axis=1)
        return _interval(second[::-1] - first)

    def counts(y, a, b, picks):
        return _interval(_differences(y, a, b, picks) * len(y))

    def normal(y, a, b, picks):
        found = _differences(y, a, b, picks)
        return found.mean() + 1.96 * found.std() * np.array([-1, 1])

    def spread_of_the_mean(y, a, b, picks):
        found = _differences(y, a, b, picks)
        return found.mean() + 1.96 * found.std() / np.sqrt(len(found)) * np.array([-1, 1])

    def without_labels(y, a, b, picks):
        return _interval((a != b).astype(np.float64)[picks].mean(axis=1))

    def high_first(y, a, b, picks):
        return paired_interval(y, a, b, picks)[::-1]

    def no_picks(y, a, b, picks):
        return _interval((b == y).astype(np.float64) - (a == y))

    def extremes(y, a, b, picks):
        return _interval(_differences(y, a, b, picks), 0.0, 1.0)

    def ends_subtracted(y, a, b, picks):
        return _interval((b == y)[picks].mean(axis=1)) - _interval((a == y)[picks].mean(axis=1))

    def two_intervals(y, a, b, picks):
        first, second = (_interval((answers == y)[picks].mean(axis=1)) for answers in (a, b))
        return np.array([second[0] - first[1], second[1] - first[0]])

    def labels_not_drawn(y, a, b, picks):
        return _interval((b[picks] == y).mean(axis=1) - (a[picks] == y).mean(axis=1))

    def one_model(y, a, b, picks):
        return _interval((b == y)[picks].mean(axis=1))

    return [
        Mistake("A minus B", other_way, "That is A minus B. The question is how far B is ahead: b minus a."),
        Mistake("ninety per cent", ninety, "Your interval holds 90 %. For 95 % leave out 2.5 % at each end."),
        Mistake("one end", one_sided, "You leave out 5 % at one end. Leave out 2.5 % at each."),
        Mistake(
            "not paired",
            unpaired,
            "The two models are judged on different draws. Take the same row of `picks` for both: what is hard for one "
            "is often hard for the other, and cancels.",
        ),
        Mistake("counts", counts, "Those are numbers of messages. An accuracy is a share: take the mean over a draw."),
        Mistake(
            "normal curve",
            normal,
            "That is the mean plus and minus 1.96 standard deviations, which supposes a normal curve. The bootstrap "
            "takes the quantiles of what it found.",
        ),
        Mistake(
            "spread of the mean",
            spread_of_the_mean,
            "You divide by the root of the number of rounds: more rounds would make the interval ever narrower. "
            "It is the spread over the draws that is asked for.",
        ),
        Mistake("labels unused", without_labels, "You count where the models differ, not which of them is right."),
        Mistake("high first", high_first, "The two ends are swapped: the low one first."),
        Mistake("no draws", no_picks, "You take the quantiles over messages. Take the mean of each draw first."),
        Mistake(
            "lowest and highest",
            extremes,
            "Those are the lowest and the highest of all draws: more rounds would make the interval ever wider. Leave "
            "out 2.5 % at each end.",
        ),
        Mistake(
            "ends subtracted",
            ends_subtracted,
            "You make an interval for each model and subtract the ends. Take the difference in each draw first, then "
            "the interval of the differences.",
        ),
        Mistake(
            "two intervals",
            two_intervals,
            "You make an interval for each model and set its ends against the other's. That is unpaired: take the "
            "difference in each draw first, then the interval of the differences.",
        ),
        Mistake(
            "labels not drawn",
            labels_not_drawn,
            "You draw the answers and hold them against labels that were not drawn: `y[pick]` belongs to `b[pick]`.",
        ),
        Mistake("one model", one_model, "That is the interval of B's accuracy alone, not of the difference."),
    ]


def _interval_case(seed, n, rounds, classes, right_a, right_b):
    random = np.random.default_rng(seed)
    y = random.integers(0, classes, n)
    hard = random.random(n)  # what is hard for one is hard for the other
    answers = [np.where(hard + 0.3 * random.random(n) < share, y, (y + 1) % classes) for share in (right_a, right_b)]
    return (y, *answers, random.integers(0, n, (rounds, n)))


# 401, 201 and 81 rounds: there the ends are single draws, the same by every definition of a quantile.
_INTERVAL_CASES = [
    _interval_case(0, 97, 401, 3, 0.7, 0.9),
    _interval_case(1, 83, 201, 8, 0.9, 0.8),
    _interval_case(2, 61, 81, 2, 0.6, 1.1),
]


# 09-6 ---------------------------------------------------------------------------------------------------------------


def what_ships(minutes, found, must, picks, edge):
    """The cheapest that finds enough, unless a dearer one saves minutes against it with an interval above zero."""
    return _ships(minutes, found, must, picks, edge)


def _ships(minutes, found, must, picks, edge, *, safe=True, against="holder", by="interval", strict=False, stop=None):
    """`what_ships`; the options are mistakes."""
    fit = [k for k in range(len(minutes)) if not safe or (found[k] > must if strict else found[k] >= must)]
    if not fit:
        return -1
    holder = fit[0]
    for before, k in itertools.pairwise(fit):
        rival = {"holder": holder, "first": fit[0], "one before": before}[against]
        saved = minutes[rival] - minutes[k]
        means = saved[picks].mean(axis=1)
        gain = {
            "interval": np.quantile(means, edge),
            "upper end": np.quantile(means, 1 - edge),
            "other way": -np.quantile(means, 1 - edge),
            "fixed edge": np.quantile(means, 0.025),
            "messages": np.quantile(saved, edge),
            "lowest": np.percentile(means, edge),
            "share of an edge": np.quantile(means, edge / 2),
            "two edges": np.quantile(means, 2 * edge),
        }[by]
        if gain > 0:
            holder = k
        if stop == ("takes" if gain > 0 else "fails"):
            break
    return holder


def _decision_mistakes() -> list[Mistake]:
    def with_option(**option):
        return lambda minutes, found, must, picks, edge: _ships(minutes, found, must, picks, edge, **option)

    def least(minutes, found, must, picks, edge):
        fit = [k for k in range(len(minutes)) if found[k] >= must]
        return min(fit, key=lambda k: minutes[k].mean()) if fit else -1

    def least_of_all(minutes, found, must, picks, edge):
        return int(np.argmin(minutes.mean(axis=1)))

    def zero_for_none(minutes, found, must, picks, edge):
        return max(0, _ships(minutes, found, must, picks, edge))

    def unpaired(minutes, found, must, picks, edge):
        fit = [k for k in range(len(minutes)) if found[k] >= must]
        holder = fit[0] if fit else -1
        for k in fit[1:]:
            lowest = np.quantile(minutes[holder][picks].mean(axis=1), edge)
            highest = np.quantile(minutes[k][picks].mean(axis=1), 1 - edge)
            holder = k if lowest > highest else holder
        return holder

    def cheapest_of_all(minutes, found, must, picks, edge):
        return next((k for k in range(len(minutes)) if found[k] >= must), -1)

    def beats_all(minutes, found, must, picks, edge):
        fit = [k for k in range(len(minutes)) if found[k] >= must]
        holder = fit[0] if fit else -1
        for place, k in enumerate(fit):
            saved = [(minutes[j] - minutes[k])[picks].mean(axis=1) for j in fit[:place]]
            holder = k if saved and all(np.quantile(each, edge) > 0 for each in saved) else holder
        return holder

    def first_is_out(minutes, found, must, picks, edge):
        holder = 0
        for k in range(1, len(minutes)):
            if found[k] >= must and np.quantile((minutes[holder] - minutes[k])[picks].mean(axis=1), edge) > 0:
                holder = k
        return holder

    return [
        Mistake(
            "the least sum",
            least,
            "You take the least mean, however little it differs. A dearer one ships only if the *whole interval* "
            "of what it saves lies above zero.",
        ),
        Mistake(
            "the least sum of all",
            least_of_all,
            "You take the least mean of all. Who found too little of the dear class is out, and a dearer one "
            "ships only if the *whole interval* of what it saves lies above zero.",
        ),
        Mistake(
            "the upper end",
            with_option(by="upper end"),
            "You look at the upper end. Saving is sure only where the *lower* end, the quantile at `edge`, is "
            "above zero.",
        ),
        Mistake(
            "the other way round",
            with_option(by="other way"),
            "Your difference has the wrong sign: what k saves is the holder's minutes minus its own.",
        ),
        Mistake(
            "the dear class forgotten",
            with_option(safe=False),
            "One that found less than `must` of the dear class ships here. It is out, however much it saves.",
        ),
        Mistake(
            "exactly enough is out",
            with_option(strict=True),
            "You throw out who finds exactly `must`. *Below* it a candidate is out.",
        ),
        Mistake(
            "against the first",
            with_option(against="first"),
            "You compare with the cheapest each time. Once another has taken the place, the next one must save minutes "
            "against *it*.",
        ),
        Mistake(
            "against the one before",
            with_option(against="one before"),
            "You compare with the one before it in the row. The rival is the *holder*, who may stand further back.",
        ),
        Mistake(
            "an edge of its own",
            with_option(by="fixed edge"),
            "You leave out 2.5 % at each end, whatever `edge` says. With several comparisons it is smaller.",
        ),
        Mistake(
            "quantiles of messages",
            with_option(by="messages"),
            "You take the quantile over single messages. Take the mean of each draw first.",
        ),
        Mistake(
            "the lowest draw",
            with_option(by="lowest"),
            "You ask all draws, or nearly all, to be above zero. Leave out the share `edge`: `np.quantile(..., edge)`. "
            "(`np.percentile` counts in hundredths.)",
        ),
        Mistake(
            "a part of an edge",
            with_option(by="share of an edge"),
            "You leave out less than `edge` at the lower end. It is divided already: take it as it is.",
        ),
        Mistake(
            "two edges",
            with_option(by="two edges"),
            "You leave out twice `edge` at the lower end. It is what is left out at *each* end: take it as it is.",
        ),
        Mistake(
            "stops at the first that fails",
            with_option(stop="fails"),
            "You stop at the first that does not take the place. A dearer one behind it may still do so: go through "
            "all.",
        ),
        Mistake(
            "stops at the first that saves",
            with_option(stop="takes"),
            "You stop at the first that takes the place. A dearer one may save minutes against *it*: go through all.",
        ),
        Mistake(
            "the cheapest in any case",
            cheapest_of_all,
            "The cheapest that is not out ships here, whatever the others save. A dearer one takes the place if "
            "the whole interval of what it saves lies above zero.",
        ),
        Mistake(
            "the first in any case",
            lambda minutes, found, must, picks, edge: 0,
            "The first candidate ships here, whatever the others find and save.",
        ),
        Mistake(
            "against all",
            beats_all,
            "Yours must beat every cheaper one. It must beat the *holder* alone; who failed to take the place is no "
            "rival any more.",
        ),
        Mistake(
            "not paired",
            unpaired,
            "You make an interval for each candidate and ask whether they overlap. Take the *difference* on the same "
            "draw: what is hard for one is often hard for the other, and cancels.",
        ),
        Mistake(
            "the first always holds",
            first_is_out,
            "The first candidate holds the place here even where it found too little of the dear class.",
        ),
        Mistake("0 for none", zero_for_none, "Where all are out nothing ships: return -1. 0 is the first candidate."),
    ]


def _decision_case(seed, gains, found, must, edge, n=120, rounds=400):
    """Candidates whose minutes fall, one after the other, by about these gains; hard messages are hard for all."""
    random = np.random.default_rng(seed)
    hard = random.exponential(2.0, n)
    minutes = np.stack([np.round(hard + 2 - gain + random.normal(0, 0.5, n), 2) for gain in (0.0, *gains)])
    return minutes, np.array(found), must, random.integers(0, n, (rounds, n)), edge


_DECISION_CASES = [
    _decision_case(0, (0.2, 0.28), (1, 1, 1), 0.9, 0.025),
    _decision_case(17, (0.15, 0.25, 0.3), (1, 0.9, 1, 1), 0.95, 0.025 / 3),
    _decision_case(14, (0.5, 0.1, 0.35), (0.5, 1, 0.9, 1), 0.9, 0.001),
    _decision_case(5, (0.1, 0.6, 0.7), (1, 1, 0.8, 0.95), 0.95, 0.0125),
    _decision_case(0, (0.05, 0.02), (0.5, 1, 1), 0.9, 0.025),
    _decision_case(0, (0.3, 0.5), (0.2, 0.3, 0.1), 0.9, 0.025),  # all are out
    # Of 401 draws the share 0.05, and half and twice of it, end at a single draw.
    _decision_case(1, (0.1,), (1, 1), 0.9, 0.05, rounds=401),  # saves, but not at half the edge
    _decision_case(9, (0.1,), (1, 1), 0.9, 0.05, rounds=401),  # saves at twice the edge only
    _decision_case(0, (0.02, 1.9), (1, 1, 1), 0.9, 0.05, rounds=401),  # the second fails, the third saves much
    # The second takes the place, the third does not; the fourth saves against the second alone.
    _decision_case(3386, (0.3, 0.36, 0.42), (1, 1, 1, 1), 0.9, 0.05, rounds=401),
]


EXERCISES = (
    Exercise(
        "09-1",
        "Where does each piece stand?",
        "modify",
        12,
        "Write `piece_places(word, vocabulary)`: WordPiece, but it returns a list of `(start, end)`, one for each "
        "piece, such that `word[start:end]` is what the piece covers, without its `##`. A word in which some part "
        "fits nothing gives `[(0, len(word))]`. Put your code where the three dots stand.",
        function(piece_places, _PIECE_CASES, mistakes=_piece_mistakes()),
    ),
    Exercise(
        "09-2",
        "Attention that looks back only",
        "modify",
        15,
        "Write `causal_weights(Q, K, here)`: attention weights (t, t) of one head from Q and K, (t, d_k), and a "
        "boolean (t,). Token i may look at token j only if j <= i and token j is there; rows add up to one, however "
        "low the scores. Put your code where the three dots stand.",
        function(causal_weights, _ATTENTION_CASES, mistakes=_attention_mistakes()),
    ),
    Exercise(
        "09-3",
        "A straight way down",
        "modify",
        8,
        "Write `linear_rate(s, steps, warm_up, peak)`: `peak * (s + 1) / warm_up` while s < warm_up; from there a "
        "straight line that begins with `peak` in step `warm_up` and would be zero in step `steps`. Put your code "
        "where the three dots stand.",
        function(linear_rate, _RATE_CASES, mistakes=_rate_mistakes(), tolerance=1e-9),
    ),
    Exercise(
        "09-4",
        "Merge, and take out again",
        "recall",
        6,
        "Write `swap_adapter(merged, A7, B7, A8, B8, alpha)`: the merged kernel holds W + alpha / r A7 B7; return "
        "W + alpha / r A8 B8, each with its own rank r. Put your code where the three dots stand.",
        function(swap_adapter, _ADAPTER_CASES, mistakes=_adapter_mistakes()),
    ),
    Exercise(
        "09-5",
        "Better, or luck?",
        "recall",
        10,
        "Write `paired_interval(y, a, b, picks)`: the 95 % interval (low, high) of how far b's accuracy is above a's, "
        "by the paired bootstrap. y, a and b are labels and answers (n,); each row of picks, (rounds, n), "
        "holds the places of one draw. Put your code where the three dots stand.",
        function(paired_interval, _INTERVAL_CASES, mistakes=_interval_mistakes()),
    ),
    Exercise(
        "09-6",
        "Which model to ship?",
        "decide",
        10,
        "Write `what_ships(minutes, found, must, picks, edge)`: who found less than `must` of the dear class is "
        "out; the "
        "cheapest of the others holds the place, and each dearer one takes it over if the whole paired interval of the "
        "minutes that it saves against the holder lies above zero (`edge` is left out at each end). Return the number "
        "of the one that ships, from 0, or -1 where all are out. Put your code where the three dots stand.",
        function(what_ships, _DECISION_CASES, mistakes=_decision_mistakes()),
    ),
)
