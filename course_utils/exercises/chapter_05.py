"""The exercises of chapter 05, Recurrent networks."""

import numpy as np

from course_utils.exercises.judges import Mistake, function, number
from course_utils.exercises.verdicts import Exercise

# 05-1 -------------------------------------------------------------------------------------------------------------


def _lstm(
    sensors: int = 8, units: int = 64, classes: int = 3, *, gates: int = 4, biases: int = 1, recurrent: bool = True
) -> int:
    """Parameters of an LSTM and the dense layer behind it; the options are mistakes."""
    return gates * (sensors + (units if recurrent else 0) + biases) * units + units * classes + classes


_COUNTED = number(
    _lstm(),
    mistakes=[
        Mistake(
            "plain RNN",
            _lstm(gates=1),
            "That is a plain RNN with the dense layer. An LSTM has four such layers side by side, one for each of "
            "i, f, g and o.",
        ),
        Mistake(
            "no recurrent weights",
            _lstm(recurrent=False),
            "The recurrent weights are missing: each of the four blocks also has a weight from every unit of the old "
            "state to every unit.",
        ),
        Mistake(
            "no biases of the LSTM",
            _lstm(biases=0),
            "The LSTM's biases are missing: one for each unit in each of the four blocks.",
        ),
        Mistake(
            "three blocks",
            _lstm(gates=3),
            "That counts three blocks. An LSTM has three gates *and* the proposal g: four.",
        ),
        Mistake(
            "GRU",
            _lstm(gates=3, biases=2),
            "That is a GRU: three blocks with two biases. An LSTM has four, with one bias each.",
        ),
        Mistake("two biases a block", _lstm(biases=2), "An LSTM in Keras has one bias a block. Two are the GRU's."),
        Mistake("no dense layer", _lstm() - (64 * 3 + 3), "The dense layer is missing: 64 inputs, 3 logits, 3 biases."),
        Mistake(
            "no biases of the dense layer",
            _lstm() - 3,
            "The biases of the dense layer are missing, one for each logit.",
        ),
        Mistake(
            "once for each step",
            600 * (_lstm() - 195) + 195,
            "The length does not count: the same parameters serve all 600 steps. They are shared, that is what makes "
            "it recurrent.",
        ),
        Mistake(
            "steps as inputs", _lstm(600), "Ten minutes are steps, not inputs: at each of them the LSTM sees 8 numbers."
        ),
        Mistake(
            "all numbers as inputs",
            _lstm(4800),
            "At each step the LSTM sees 8 numbers, not all 4,800 of them. The steps share the same parameters.",
        ),
        Mistake("one sensor", _lstm(1), "There are 8 sensors, so 8 inputs at each step."),
    ],
    otherwise="Take a plain RNN's (m + u + 1) u four times; then a dense layer from 64 to 3 with biases.",
)

# 05-2 -------------------------------------------------------------------------------------------------------------


def leaky_bptt(U, H, W_h, own, a):
    """The gradients of a leaky network by W_h, (units, units), and by h_0, (batch, units)."""
    return _leaky(U, H, W_h, own, a)


def _leaky(
    U, H, W_h, own, a, *, slope="u", skip="g", own_terms="all", share=True, transposed=True, before=True, keeps=None
):
    """The backward pass of the leaky network; the options are mistakes."""
    dW_h, arriving = np.zeros_like(W_h), np.zeros_like(H[:, 0])
    last = U.shape[1]
    for t in range(last, 0, -1):
        with_own = own_terms == "all" or (own_terms == "last" and t == last)
        g = arriving + own[:, t - 1] if with_own else arriving
        factor = {"u": 1 - U[:, t - 1] ** 2, "h": 1 - H[:, t] ** 2, "none": 1.0, "value": U[:, t - 1]}[slope]
        delta = (a if share else 1.0) * g * factor
        dW_h += (H[:, t - 1] if before else H[:, t]).T @ delta
        back = delta @ (W_h.T if transposed else W_h)
        kept = 1 - a if keeps is None else keeps(a)
        leak = {"arriving": arriving, "delta": delta, "none": 0}.get(skip, g)
        arriving = kept * (g + back) if skip == "all" else back + kept * leak
    return dW_h, arriving


def _flipped(U, H, W_h, own, a):
    """The gradient by W_h with its axes exchanged: δᵀ h for hᵀ δ."""
    dW_h, dh_0 = _leaky(U, H, W_h, own, a)
    return dW_h.T, dh_0


def _mean_over_time(U, H, W_h, own, a):
    dW_h, dh_0 = _leaky(U, H, W_h, own, a)
    return dW_h / U.shape[1], dh_0


def _mean_over_batch(U, H, W_h, own, a):
    dW_h, dh_0 = _leaky(U, H, W_h, own, a)
    return dW_h / len(U), dh_0


def _both_over_batch(U, H, W_h, own, a):
    dW_h, dh_0 = _leaky(U, H, W_h, own, a)
    return dW_h / len(U), dh_0 / len(U)


def _swapped(U, H, W_h, own, a):
    return _leaky(U, H, W_h, own, a)[::-1]


def _weights_alone(U, H, W_h, own, a):
    return _leaky(U, H, W_h, own, a)[0]


def _start_summed(U, H, W_h, own, a):
    dW_h, dh_0 = _leaky(U, H, W_h, own, a)
    return dW_h, dh_0.sum(axis=0)


def _start_averaged(U, H, W_h, own, a):
    dW_h, dh_0 = _leaky(U, H, W_h, own, a)
    return dW_h, dh_0.mean(axis=0)


def _last_step_only(U, H, W_h, own, a):
    """Only the weight gradient of the last addend: overwritten instead of added up."""
    dW_h = np.zeros_like(W_h)
    arriving = np.zeros_like(H[:, 0])
    for t in range(U.shape[1], 0, -1):
        g = arriving + own[:, t - 1]
        delta = a * g * (1 - U[:, t - 1] ** 2)
        dW_h = H[:, t - 1].T @ delta
        arriving = (1 - a) * g + delta @ W_h.T
    return dW_h, arriving


def _leaky_mistake(name: str, hint: str, **options) -> Mistake:
    def wrong(U, H, W_h, own, a):
        return _leaky(U, H, W_h, own, a, **options)

    return Mistake(name, wrong, hint)


_LEAKY_MISTAKES = [
    _leaky_mistake(
        "no derivative",
        "The derivative of tanh is missing: on the way from u_t to what stands inside tanh comes the factor 1 − u_t².",
        slope="none",
    ),
    _leaky_mistake(
        "derivative by h",
        "You take 1 − h_t² for the derivative. What tanh gave is u_t here; h_t is a mixture. Take 1 − u_t².",
        slope="h",
    ),
    _leaky_mistake(
        "value for derivative", "You multiply by u_t itself. The derivative of tanh is 1 − u_t².", slope="value"
    ),
    _leaky_mistake(
        "no leak",
        "The first way is missing: h_{t−1} also reaches h_t directly, times 1 − a. Add (1 − a) times the gradient by "
        "h_t to what goes back.",
        skip="none",
    ),
    _leaky_mistake(
        "leak of one",
        "The direct way from h_{t−1} to h_t has the factor 1 − a; yours lets everything through.",
        keeps=lambda a: 1,
    ),
    _leaky_mistake(
        "leak without the own term",
        "The direct way is walked by the whole gradient by h_t: what arrives from later *plus* `own[:, t - 1]`. Yours "
        "leaves the own term out of it.",
        skip="arriving",
    ),
    _leaky_mistake(
        "leak of δ",
        "The direct way goes from h_{t−1} to h_t without a tanh: the whole gradient by h_t, times 1 − a. Yours sends "
        "δ_t along it, which has passed the tanh.",
        skip="delta",
    ),
    _leaky_mistake(
        "leak of everything",
        "The factor 1 − a belongs to the direct way alone. What comes through W_h, δ_t W_hᵀ, already has its own "
        "factor, a, in δ_t.",
        skip="all",
    ),
    Mistake(
        "a and 1 − a exchanged",
        lambda U, H, W_h, own, a: _leaky(U, H, W_h, own, 1 - a),
        "You have a and 1 − a exchanged: h_t is (1 − a) times the old state plus a times u_t.",
    ),
    _leaky_mistake(
        "no a",
        "The factor a is missing: u_t enters h_t as a · u_t, so its gradient is a times that of h_t.",
        share=False,
    ),
    _leaky_mistake(
        "not transposed",
        "Going back, the matrix is transposed: what arrives at h_{t−1} is δ_t W_hᵀ. Sum over the units of the *later* "
        "step.",
        transposed=False,
    ),
    _leaky_mistake(
        "h_t for h_{t−1}",
        "The index is off by one: W_h multiplied h_{t−1}, so its gradient is h_{t−1}ᵀ δ_t. That is `H[:, t - 1]` for "
        "step t.",
        before=False,
    ),
    _leaky_mistake(
        "no own term",
        "The loss's own term at each step is missing: the gradient by h_t is what arrives from later *plus* "
        "`own[:, t - 1]`.",
        own_terms="none",
    ),
    _leaky_mistake(
        "own term of the last step only",
        "Only the last step's own term is used. Here every step has a loss: add `own[:, t - 1]` at each.",
        own_terms="last",
    ),
    Mistake(
        "weights transposed",
        _flipped,
        "The gradient by W_h is transposed: (before, after), so h_{t−1}ᵀ δ_t and not δ_tᵀ h_{t−1}.",
    ),
    Mistake(
        "mean over time",
        _mean_over_time,
        "You take the mean over the steps. The copies of W_h all move together, so their effects *add up*.",
    ),
    Mistake(
        "mean over the batch",
        _mean_over_batch,
        "You divide by the batch. A mean over the examples stands in `own` already: add up what each of them gives.",
    ),
    Mistake(
        "both divided by the batch",
        _both_over_batch,
        "You divide by the batch. A mean over the examples stands in `own` already: divide by nothing here.",
    ),
    Mistake("swapped", _swapped, "The two are swapped: first the gradient by W_h, then the one by h_0."),
    Mistake(
        "no gradient by h_0",
        _weights_alone,
        "That is the gradient by W_h alone. What arrives at h_0 in the end is asked for too: return both.",
    ),
    Mistake(
        "h_0 added up",
        _start_summed,
        "You add up the gradients by h_0. Each example has an h_0 of its own, so a row of its own: (batch, units).",
    ),
    Mistake(
        "h_0 averaged",
        _start_averaged,
        "You average the gradients by h_0. Each example has an h_0 of its own, so a row of its own: (batch, units).",
    ),
    Mistake(
        "overwritten",
        _last_step_only,
        "Each step's share overwrites the one before. Add them up: `dW_h += …`.",
    ),
]


def _leaky_case(seed: int, batch: int, time: int, units: int, a: float) -> tuple:
    """States as the leaky network would make them; every step has its own loss."""
    random = np.random.default_rng(seed)
    W_h = random.normal(size=(units, units))
    U, H = np.zeros((batch, time, units)), np.zeros((batch, time + 1, units))
    H[:, 0] = random.normal(size=(batch, units))
    for t in range(1, time + 1):
        U[:, t - 1] = np.tanh(H[:, t - 1] @ W_h + random.normal(size=(batch, units)))
        H[:, t] = (1 - a) * H[:, t - 1] + a * U[:, t - 1]
    return U, H, W_h, random.normal(size=(batch, time, units)), a


_LEAKY_CASES = [_leaky_case(0, 1, 2, 2, 0.25), _leaky_case(1, 3, 4, 2, 0.5), _leaky_case(2, 2, 6, 5, 0.7)]

# 05-3 -------------------------------------------------------------------------------------------------------------


def clipped_mean(G, limit):
    """The mean of the rows of G after each has been shortened to at most ``limit``; (parameters,)."""
    return (G * _factors(np.linalg.norm(G, axis=1, keepdims=True), limit)).mean(axis=0)


def _factors(lengths, limit):
    return np.minimum(1.0, limit / np.where(lengths > 0, lengths, 1.0))


def _clip_mistakes() -> list[Mistake]:
    def each_entry(G, limit):
        return np.clip(G, -limit, limit).mean(axis=0)

    def all_together(G, limit):
        return (G * _factors(np.linalg.norm(G), limit)).mean(axis=0)

    def after_the_mean(G, limit):
        mean = G.mean(axis=0)
        return mean * _factors(np.linalg.norm(mean), limit)

    def always_scaled(G, limit):
        lengths = np.linalg.norm(G, axis=1, keepdims=True)
        return (G * limit / np.where(lengths > 0, lengths, 1.0)).mean(axis=0)

    def summed(G, limit):
        return clipped_mean(G, limit) * len(G)

    def by_columns(G, limit):
        return (G * _factors(np.linalg.norm(G, axis=0, keepdims=True), limit)).mean(axis=0)

    def squared(G, limit):
        return (G * _factors((G**2).sum(axis=1, keepdims=True), limit)).mean(axis=0)

    def largest_entry(G, limit):
        return (G * _factors(np.abs(G).max(axis=1, keepdims=True), limit)).mean(axis=0)

    def rows(G, limit):
        return G * _factors(np.linalg.norm(G, axis=1, keepdims=True), limit)

    def dropped(G, limit):
        lengths = np.linalg.norm(G, axis=1, keepdims=True)
        return np.where(lengths <= limit, G, 0).mean(axis=0)

    def dropped_and_forgotten(G, limit):
        kept = G[np.linalg.norm(G, axis=1) <= limit]
        return kept.mean(axis=0) if len(kept) else np.zeros(G.shape[1])

    def only_the_clipped(G, limit):
        long = np.linalg.norm(G, axis=1) > limit
        return rows(G, limit)[long].mean(axis=0) if long.any() else np.zeros(G.shape[1])

    def sum_of_sizes(G, limit):
        return (G * _factors(np.abs(G).sum(axis=1, keepdims=True), limit)).mean(axis=0)

    def over_zero(G, limit):
        with np.errstate(all="ignore"):
            lengths = np.linalg.norm(G, axis=1, keepdims=True)
            return (G / lengths * np.minimum(lengths, limit)).mean(axis=0)

    return [
        Mistake(
            "each entry",
            each_entry,
            "That cuts each entry, which turns the gradient. Shorten the whole row: one factor for all of its entries.",
        ),
        Mistake(
            "all together",
            all_together,
            "One length is taken over the whole array, so one wild example shrinks everybody. Each row has a length of "
            "its own: `axis=1`.",
        ),
        Mistake(
            "after the mean",
            after_the_mean,
            "You clip the mean. By then one customer may have moved it far; clip each row first, then take the mean.",
        ),
        Mistake(
            "always scaled",
            always_scaled,
            "Short rows are stretched to the limit. A row that is within it stays as it is: the factor is at most 1.",
        ),
        Mistake("sum for mean", summed, "That is the sum of the clipped rows. The mean is asked for."),
        Mistake(
            "by columns",
            by_columns,
            "The axis is wrong: a row is one example, so its length is taken along axis 1, with `keepdims=True`.",
        ),
        Mistake("squared length", squared, "That is the squared length. The norm is its square root."),
        Mistake(
            "largest entry",
            largest_entry,
            "You compare the largest entry with the limit. The length of a row is the root of the sum of its squares.",
        ),
        Mistake("rows", rows, "These are the clipped rows. Take their mean over the examples, `axis=0`."),
        Mistake("dropped", dropped, "Long rows are thrown away. They are to be shortened to the limit, and count."),
        Mistake(
            "dropped and not counted",
            dropped_and_forgotten,
            "Long rows are thrown away, and the mean is taken over the others. They are to be shortened to the limit, "
            "and count.",
        ),
        Mistake(
            "only the clipped",
            only_the_clipped,
            "You take the mean of the long rows only. All rows count, the short ones as they are.",
        ),
        Mistake(
            "sum of sizes",
            sum_of_sizes,
            "You compare the sum of the entries' sizes with the limit. The length of a row is the root of the sum of "
            "its squares.",
        ),
        Mistake(
            "divided by zero",
            over_zero,
            "A row of zeros has length 0, and 0 / 0 is NaN. Leave such a row as it is.",
        ),
    ]


_CLIP_CASES = [
    (np.array([[3.0, 4.0], [0.6, 0.0], [0.3, -0.4]]), 1.0),
    (np.random.default_rng(3).normal(size=(4, 6)) * np.array([[0.1], [1.0], [10.0], [3.0]]), 2.0),
    (np.array([[0.0, 0.0, 0.0], [6.0, -2.0, 3.0]]), 0.5),
    (np.array([[2.0, -1.0, 0.5, 0.25, 8.0]]), 3.0),
]

# 05-4 -------------------------------------------------------------------------------------------------------------


def bptt_in_pieces(H, W_h, own, k):
    """The gradient by W_h where nothing flows from a piece of k steps into the one before it."""
    return _pieces(H, W_h, own, k)


def _pieces(
    H, W_h, own, k, *, cut=True, shift=0, from_end=False, slope=True, transposed=True, before=True, own_terms=True
):
    """Backpropagation through time in pieces; the options are mistakes."""
    time = own.shape[1]
    dW_h, arriving = np.zeros_like(W_h), np.zeros_like(H[:, 0])
    for t in range(time, 0, -1):
        delta = arriving + own[:, t - 1] if own_terms or t == time else arriving + 0
        delta = delta * ((1 - H[:, t] ** 2) if slope else 1)
        dW_h += (H[:, t - 1] if before else H[:, t]).T @ delta
        first = (time - t + 1) % k == 0 if from_end else (t - 1 + shift) % k == 0
        arriving = np.zeros_like(delta) if cut and first else delta @ (W_h.T if transposed else W_h)
    return dW_h


def _piece_mistakes() -> list[Mistake]:
    def wrong(**options):
        return lambda H, W_h, own, k: _pieces(H, W_h, own, k, **options)

    def last_piece_only(H, W_h, own, k):
        return _pieces(H[:, -k - 1 :], W_h, own[:, -k:], k, cut=False)

    def window_of_each(H, W_h, own, k):
        """Every loss goes back k steps of its own: another truncation, with windows that overlap."""
        total = np.zeros_like(W_h)
        for t in range(1, own.shape[1] + 1):
            start = max(0, t - k)
            alone = np.zeros_like(own[:, start:t])
            alone[:, -1] = own[:, t - 1]
            total += _pieces(H[:, start : t + 1], W_h, alone, k, cut=False)
        return total

    def states_reset(H, W_h, own, k):
        H = H.copy()
        H[:, : own.shape[1] : k] = 0
        return _pieces(H, W_h, own, k)

    def each_piece_from_zero(H, W_h, own, k):
        """Each piece with a copy of its states, whose first is set to zero."""
        total = np.zeros_like(W_h)
        for start in range(0, own.shape[1], k):
            states = H[:, start : start + k + 1].copy()
            states[:, 0] = 0
            total += _pieces(states, W_h, own[:, start : start + k], k)
        return total

    def last_piece_dropped(H, W_h, own, k):
        whole = own.shape[1] // k * k
        return _pieces(H[:, : whole + 1], W_h, own[:, :whole], k)

    def mean_of_pieces(H, W_h, own, k):
        return _pieces(H, W_h, own, k) / -(-own.shape[1] // k)

    return [
        Mistake(
            "no cut",
            wrong(cut=False),
            "That is the full gradient: nothing is cut. Set what goes back to zero at the beginning of each piece.",
        ),
        Mistake(
            "off by one",
            wrong(shift=1),
            "The cut is one step off. Pieces are steps 1 to k, k + 1 to 2k, …: nothing flows from step k + 1 to k; "
            "cut after step t where t − 1 is a multiple of k.",
        ),
        Mistake(
            "counted from the end",
            wrong(from_end=True),
            "You count the pieces from the end. The *first* piece is steps 1 to k, and the last may be shorter.",
        ),
        Mistake(
            "last piece only",
            last_piece_only,
            "Only the last k steps are there. Each piece has losses of its own, and all of them add to the gradient.",
        ),
        Mistake(
            "a window for each loss",
            window_of_each,
            "You let every loss look back k steps of its own. Here the cuts stand at fixed places, between the pieces.",
        ),
        Mistake(
            "states reset",
            states_reset,
            "You also set the *state* to zero at each cut. Forwards it is handed on; only the gradient stops.",
        ),
        Mistake(
            "each piece from zero",
            each_piece_from_zero,
            "Each of your pieces begins with a state of zero. Forwards the state is handed on: a piece begins with the "
            "last state of the one before it. Only the gradient stops.",
        ),
        Mistake(
            "last piece dropped",
            last_piece_dropped,
            "The last piece is missing where it is shorter than k. It has losses, too, and they count.",
        ),
        Mistake(
            "mean of the pieces",
            mean_of_pieces,
            "You take the mean over the pieces. The gradient is the sum over all steps.",
        ),
        Mistake("no derivative", wrong(slope=False), "The derivative of tanh is missing: the factor 1 − h_t²."),
        Mistake(
            "not transposed",
            wrong(transposed=False),
            "Going back, the matrix is transposed: what arrives at h_{t−1} is δ_t W_hᵀ.",
        ),
        Mistake(
            "h_t for h_{t−1}",
            wrong(before=False),
            "The index is off by one: W_h multiplied h_{t−1}, so its gradient is h_{t−1}ᵀ δ_t.",
        ),
        Mistake(
            "own term of the last step only",
            wrong(own_terms=False),
            "Only the last loss is used. Every step has one: add `own[:, t - 1]` at each.",
        ),
    ]


def _piece_case(seed: int, batch: int, time: int, units: int, k: int) -> tuple:
    random = np.random.default_rng(seed)
    W_h = random.normal(size=(units, units))
    H = np.zeros((batch, time + 1, units))
    H[:, 0] = random.normal(size=(batch, units))
    for t in range(1, time + 1):
        H[:, t] = np.tanh(H[:, t - 1] @ W_h + random.normal(size=(batch, units)))
    return H, W_h, random.normal(size=(batch, time, units)), k


_PIECE_CASES = [_piece_case(0, 2, 7, 3, 3), _piece_case(1, 3, 6, 2, 2), _piece_case(2, 1, 5, 4, 5)]


EXERCISES = (
    Exercise(
        "05-1",
        "Count an LSTM",
        "recall",
        5,
        "An LSTM of 64 units reads 8 sensors once a second for ten minutes; a dense layer turns its last state into 3 "
        "logits. How many parameters are there in all? Put the number, or the calculation, where the three dots stand.",
        _COUNTED,
    ),
    Exercise(
        "05-2",
        "A leaky state",
        "modify",
        15,
        "Write `leaky_bptt(U, H, W_h, own, a)`: the backward pass of h_t = (1 − a) h_{t−1} + a u_t with "
        "u_t = tanh(h_{t−1} W_h + …). It returns the gradient by W_h, (units, units), and the one by h_0, "
        "(batch, units). Put your code where the three dots stand.",
        function(leaky_bptt, _LEAKY_CASES, mistakes=_LEAKY_MISTAKES, by_norm=True, tolerance=1e-6),
    ),
    Exercise(
        "05-3",
        "No customer counts too much",
        "modify",
        10,
        "Write `clipped_mean(G, limit)`: shorten each row of G, the gradient of one example, to the length `limit` "
        "where it is longer, and return the mean of all rows. Put your code where the three dots stand.",
        function(clipped_mean, _CLIP_CASES, mistakes=_clip_mistakes(), by_norm=True, tolerance=1e-6),
    ),
    Exercise(
        "05-4",
        "Cut into pieces",
        "extend",
        15,
        "Write `bptt_in_pieces(H, W_h, own, k)`: the gradient by W_h of a tanh network with a loss at each step, where "
        "nothing flows from a piece of k steps into the one before it. Put your code where the three dots stand.",
        function(bptt_in_pieces, _PIECE_CASES, mistakes=_piece_mistakes(), by_norm=True, tolerance=1e-6),
    ),
)
