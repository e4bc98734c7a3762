"""The exercises of chapter 04, Convolutional networks."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from course_utils.exercises.judges import Mistake, function
from course_utils.exercises.verdicts import Exercise


def plan(n, k, c_in, c_out, p=0, s=1, d=1):
    """The side of a convolution's result and its number of parameters: two whole numbers."""
    return (n + 2 * p - d * (k - 1) - 1) // s + 1, (k * k * c_in + 1) * c_out


def _plan_mistakes() -> list[Mistake]:
    def side(n, k, p, s, d):
        return (n + 2 * p - d * (k - 1) - 1) // s + 1

    def rounded_up(n, k, c_in, c_out, p=0, s=1, d=1):
        return -(-(n + 2 * p - d * (k - 1) - 1) // s) + 1, (k * k * c_in + 1) * c_out

    def one_short(n, k, c_in, c_out, p=0, s=1, d=1):
        return (n + 2 * p - d * (k - 1) - 1) // s, (k * k * c_in + 1) * c_out

    def one_long(n, k, c_in, c_out, p=0, s=1, d=1):
        return (n + 2 * p - d * (k - 1)) // s + 1, (k * k * c_in + 1) * c_out

    def padded_once(n, k, c_in, c_out, p=0, s=1, d=1):
        return (n + p - d * (k - 1) - 1) // s + 1, (k * k * c_in + 1) * c_out

    def not_dilated(n, k, c_in, c_out, p=0, s=1, d=1):
        return side(n, k, p, s, 1), (k * k * c_in + 1) * c_out

    def dilated_too_far(n, k, c_in, c_out, p=0, s=1, d=1):
        return (n + 2 * p - d * k) // s + 1, (k * k * c_in + 1) * c_out

    def not_strided(n, k, c_in, c_out, p=0, s=1, d=1):
        return side(n, k, p, 1, d), (k * k * c_in + 1) * c_out

    def divided(n, k, c_in, c_out, p=0, s=1, d=1):
        return (n + 2 * p - d * (k - 1) - 1) / s + 1, (k * k * c_in + 1) * c_out

    def without_biases(n, k, c_in, c_out, p=0, s=1, d=1):
        return side(n, k, p, s, d), k * k * c_in * c_out

    def one_bias(n, k, c_in, c_out, p=0, s=1, d=1):
        return side(n, k, p, s, d), k * k * c_in * c_out + 1

    def one_channel(n, k, c_in, c_out, p=0, s=1, d=1):
        return side(n, k, p, s, d), (k * k + 1) * c_out

    def one_kernel_side(n, k, c_in, c_out, p=0, s=1, d=1):
        return side(n, k, p, s, d), (k * c_in + 1) * c_out

    def bias_a_channel(n, k, c_in, c_out, p=0, s=1, d=1):
        return side(n, k, p, s, d), (k * k + 1) * c_in * c_out

    def weights_a_place(n, k, c_in, c_out, p=0, s=1, d=1):
        places = side(n, k, p, s, d)
        return places, (k * k * c_in + 1) * c_out * places * places

    def swapped(n, k, c_in, c_out, p=0, s=1, d=1):
        return (k * k * c_in + 1) * c_out, side(n, k, p, s, d)

    def only_side(n, k, c_in, c_out, p=0, s=1, d=1):
        return side(n, k, p, s, d)

    return [
        Mistake(
            "rounded up",
            rounded_up,
            "Where the stride does not divide evenly, round *down* (`//`): a kernel that sticks out has no place.",
        ),
        Mistake(
            "one too few",
            one_short,
            "One place is missing: with stride 1 and a 1 × 1 kernel the result is as large as the image. Count from "
            "zero, then add 1.",
        ),
        Mistake(
            "one too many",
            one_long,
            "One place too many, for some strides: the last start is n + 2p − d(k − 1) − 1. Try k = 3, n = 3.",
        ),
        Mistake("padding counted once", padded_once, "Padding is put on both sides: 2p, not p."),
        Mistake(
            "dilation forgotten",
            not_dilated,
            "Dilation spreads the kernel: k weights with d − 1 gaps between them span d(k − 1) + 1 pixels.",
        ),
        Mistake(
            "dilated too far",
            dilated_too_far,
            "k weights have k − 1 gaps, not k: they span d(k − 1) + 1 pixels, not d·k.",
        ),
        Mistake(
            "stride forgotten", not_strided, "The stride is not used: with stride s only every s-th place is kept."
        ),
        Mistake("not rounded", divided, "A number of places is whole: divide with `//`."),
        Mistake("biases missing", without_biases, "The biases are missing: one for every kernel, c_out in all."),
        Mistake("one bias", one_bias, "Every kernel has its own bias, so there are c_out of them, not one."),
        Mistake(
            "channels forgotten",
            one_channel,
            "A kernel reaches through *all* channels that come in: k · k weights for each of them.",
        ),
        Mistake(
            "k for k·k",
            one_kernel_side,
            "The kernel has two sides: k · k weights for each channel that comes in, not k.",
        ),
        Mistake(
            "bias for each channel",
            bias_a_channel,
            "A kernel has one bias, whatever the number of channels it reaches through: (k·k·c_in + 1)·c_out.",
        ),
        Mistake(
            "weights for each place",
            weights_a_place,
            "The same weights serve every place; that is what convolution is for. Do not multiply by the places.",
        ),
        Mistake("swapped", swapped, "The two are in the other order: first the side, then the parameters."),
        Mistake("only the side", only_side, "Return both numbers: `return side, parameters`."),
    ]


_PLAN_CASES = [
    (32, 3, 3, 16),
    (224, 7, 3, 64, 3, 2, 1),
    (28, 5, 4, 8, 2, 3, 2),
    (17, 3, 2, 5, 1, 2, 3),
    (10, 1, 6, 7, 0, 4, 1),
]


def correlate_same(a, w):
    """The correlation of an image with a kernel of odd sides, zeros around the image; as large as the image."""
    k, m = w.shape
    padded = np.pad(a, ((k // 2, k // 2), (m // 2, m // 2)))
    return np.einsum("xyij,ij->xy", sliding_window_view(padded, w.shape), w)


def _correlate(a, w):
    return np.einsum("xyij,ij->xy", sliding_window_view(a, w.shape), w)


def _same_mistakes() -> list[Mistake]:
    def flipped(a, w):
        return correlate_same(a, w[::-1, ::-1])

    def half_flipped(a, w):
        return correlate_same(a, w[::-1])

    def mirrored(a, w):
        return correlate_same(a, w[:, ::-1])

    def valid(a, w):
        return _correlate(a, w)

    def full(a, w):
        k, m = w.shape
        return _correlate(np.pad(a, ((k - 1, k - 1), (m - 1, m - 1))), w)

    def always_one(a, w):
        return _correlate(np.pad(a, 1), w)

    def by_rows(a, w):
        return _correlate(np.pad(a, w.shape[0] // 2), w)

    def axes_swapped(a, w):
        k, m = w.shape
        return _correlate(np.pad(a, ((m // 2, m // 2), (k // 2, k // 2))), w)

    def behind_only(a, w):
        k, m = w.shape
        return _correlate(np.pad(a, ((0, k - 1), (0, m - 1))), w)

    def before_only(a, w):
        k, m = w.shape
        return _correlate(np.pad(a, ((k - 1, 0), (m - 1, 0))), w)

    def edges_repeated(a, w):
        k, m = w.shape
        return _correlate(np.pad(a, ((k // 2, k // 2), (m // 2, m // 2)), mode="edge"), w)

    def wrapped(a, w):
        k, m = w.shape
        return _correlate(np.pad(a, ((k // 2, k // 2), (m // 2, m // 2)), mode="wrap"), w)

    def padded_after(a, w):
        k, m = w.shape
        return np.pad(_correlate(a, w), ((k // 2, k // 2), (m // 2, m // 2)))

    def mean(a, w):
        return correlate_same(a, w) / w.size

    return [
        Mistake(
            "kernel flipped",
            flipped,
            "Your kernel is flipped: that is the convolution of mathematics. A correlation lays it on as it is.",
        ),
        Mistake("kernel flipped top to bottom", half_flipped, "The kernel is upside down. Lay it on as it is."),
        Mistake("kernel flipped left to right", mirrored, "The kernel is mirrored left to right. Lay it on as it is."),
        Mistake(
            "no padding",
            valid,
            "Without padding the image shrinks by k − 1 rows and m − 1 columns. Put zeros around it first (`np.pad`).",
        ),
        Mistake(
            "too much padding",
            full,
            "That is the *full* correlation: k − 1 zeros on each side. Half as many keep the image's size.",
        ),
        Mistake(
            "always one",
            always_one,
            "One row and one column of zeros are right for 3 × 3 only. A side of k needs (k − 1) / 2 on either side.",
        ),
        Mistake(
            "padded by rows",
            by_rows,
            "The kernel need not be square: pad rows by its rows and columns by its columns.",
        ),
        Mistake(
            "axes swapped",
            axes_swapped,
            "The two paddings are swapped: rows go with w.shape[0], columns with w.shape[1].",
        ),
        Mistake(
            "zeros behind only",
            behind_only,
            "The size is right, but the result is shifted: half of the zeros belong in front, half behind.",
        ),
        Mistake(
            "zeros in front only",
            before_only,
            "The size is right, but the result is shifted: half of the zeros belong in front, half behind.",
        ),
        Mistake(
            "border repeated",
            edges_repeated,
            "The border's pixels are repeated outside of the image. Zeros are asked for (`np.pad`'s default).",
        ),
        Mistake(
            "wrapped", wrapped, "The image goes on at its opposite side. Zeros are asked for (`np.pad`'s default)."
        ),
        Mistake(
            "padded afterwards",
            padded_after,
            "You pad the *result*: its border is zero, though the kernel sees pixels there. Pad the image, then slide.",
        ),
        Mistake("mean for sum", mean, "That is the mean of the products. A correlation is their sum."),
    ]


def _image(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).round(2)


_SAME_CASES = [
    (_image(1, 4, 5), _image(2, 3, 3)),
    (_image(3, 6, 7), _image(4, 3, 5)),
    (_image(5, 5, 4), _image(6, 5, 1)),
    (_image(7, 3, 6), _image(8, 1, 3)),
]


def gradients(x, k, target):
    """The gradients of half the mean squared difference of correlation and target, for the kernel and the image."""
    delta = (_correlate(x, k) - target) / target.size
    return _correlate(x, delta), _full(delta, k[::-1, ::-1])


def _full(delta, k):
    rows, columns = k.shape
    return _correlate(np.pad(delta, ((rows - 1, rows - 1), (columns - 1, columns - 1))), k)


def _gradients_mistakes() -> list[Mistake]:
    def delta_of(x, k, target):
        return (_correlate(x, k) - target) / target.size

    def sum_for_mean(x, k, target):
        return gradients(x, k, _correlate(x, k) - target.size * (_correlate(x, k) - target))

    def twice(x, k, target):
        return tuple(2 * gradient for gradient in gradients(x, k, target))

    def divided_by_kernel(x, k, target):
        return tuple(gradient * target.size / k.size for gradient in gradients(x, k, target))

    def wrong_sign(x, k, target):
        return tuple(-gradient for gradient in gradients(x, k, target))

    def without_target(x, k, target):
        return gradients(x, k, np.zeros_like(target))

    def not_flipped(x, k, target):
        delta = delta_of(x, k, target)
        return _correlate(x, delta), _full(delta, k)

    def half_flipped(x, k, target):
        delta = delta_of(x, k, target)
        return _correlate(x, delta), _full(delta, k[::-1])

    def transposed(x, k, target):
        delta = delta_of(x, k, target)
        return _correlate(x, delta), _full(delta.T, k[::-1, ::-1]).T

    def valid(x, k, target):
        delta = delta_of(x, k, target)
        return _correlate(x, delta), _correlate(delta, k[::-1, ::-1])

    def kernel_flipped(x, k, target):
        grad_k, grad_x = gradients(x, k, target)
        return grad_k[::-1, ::-1], grad_x

    def delta_for_input(x, k, target):
        delta = delta_of(x, k, target)
        return _correlate(x, delta), delta

    def swapped(x, k, target):
        return gradients(x, k, target)[::-1]

    def only_kernel(x, k, target):
        return gradients(x, k, target)[0]

    def kernel_transposed(x, k, target):
        grad_k, grad_x = gradients(x, k, target)
        return grad_k.T, grad_x

    return [
        Mistake(
            "sum for mean",
            sum_for_mean,
            "Divide by the number of places m: the loss is a *mean* of squares. That division belongs in δ.",
        ),
        Mistake(
            "factor two",
            twice,
            "Both are twice too large: the ½ in front of the square takes the 2 away that its derivative brings.",
        ),
        Mistake(
            "divided by the kernel",
            divided_by_kernel,
            "You divide by the number of weights. The mean is taken over the places of z: `target.size`.",
        ),
        Mistake("sign", wrong_sign, "The sign is wrong everywhere: δ = (z − target) / m, not (target − z) / m."),
        Mistake("target forgotten", without_target, "`target` is not used: δ = (z − target) / m."),
        Mistake(
            "kernel not flipped",
            not_flipped,
            "The kernel's gradient is right; for the image the kernel must be flipped, in both directions: "
            "`k[::-1, ::-1]`.",
        ),
        Mistake(
            "flipped in one direction",
            half_flipped,
            "For the image's gradient the kernel is flipped in one direction only. Flip rows *and* columns: "
            "`k[::-1, ::-1]`.",
        ),
        Mistake(
            "transposed",
            transposed,
            "δ and the result of the image's gradient are transposed; nothing is transposed here, the kernel is "
            "flipped (`k[::-1, ::-1]`, not `k.T`).",
        ),
        Mistake(
            "valid for full",
            valid,
            "For the image's gradient δ must be padded by k − 1 zeros on each side (the *full* correlation): every "
            "pixel of the image was used.",
        ),
        Mistake(
            "kernel's gradient flipped",
            kernel_flipped,
            "The kernel's gradient is flipped: it is the correlation of x and δ, with nothing turned round.",
        ),
        Mistake(
            "δ for the image",
            delta_for_input,
            "You return δ, the gradient for z. One step is missing: from z back to the image, through the kernel.",
        ),
        Mistake("swapped", swapped, "The two are in the other order: first the kernel's gradient, then the image's."),
        Mistake("only the kernel's", only_kernel, "Return both gradients: `return grad_k, grad_x`."),
        Mistake(
            "kernel's gradient transposed",
            kernel_transposed,
            "The kernel's gradient is transposed: correlate x with δ, not δ with x.T or the like.",
        ),
    ]


_GRADIENT_CASES = [
    (_image(11, 6, 6), _image(12, 3, 3), _image(13, 4, 4)),
    (_image(14, 5, 7), _image(15, 2, 3), _image(16, 4, 5)),
    (_image(17, 8, 8), _image(18, 3, 4), _image(19, 6, 5)),
]


def rows_seen(stack, x):
    """First and last row of the image that row x of the last map can depend on; layers are (k, s, d)."""
    first = last = x
    for k, s, d in reversed(stack):
        first, last = s * first, s * last + d * (k - 1)
    return first, last


def _rows_mistakes() -> list[Mistake]:
    def back(stack, x, step):
        first = last = x
        for k, s, d in stack:
            first, last = step(first, last, k, s, d)
        return first, last

    def wrong_order(stack, x):
        return back(stack, x, lambda a, b, k, s, d: (s * a, s * b + d * (k - 1)))

    def no_stride(stack, x):
        return back(stack[::-1], x, lambda a, b, k, s, d: (a, b + d * (k - 1)))

    def no_dilation(stack, x):
        return back(stack[::-1], x, lambda a, b, k, s, d: (s * a, s * b + k - 1))

    def one_too_many(stack, x):
        return back(stack[::-1], x, lambda a, b, k, s, d: (s * a, s * b + d * k))

    def stride_after(stack, x):
        return back(stack[::-1], x, lambda a, b, k, s, d: (s * a, s * (b + d * (k - 1))))

    def centred(stack, x):
        return back(stack[::-1], x, lambda a, b, k, s, d: (s * a - d * (k // 2), s * b + d * (k // 2)))

    def end_exclusive(stack, x):
        first, last = rows_seen(stack, x)
        return first, last + 1

    def size(stack, x):
        first, last = rows_seen(stack, x)
        return first, last - first + 1

    def from_zero(stack, x):
        return rows_seen(stack, 0)

    def last_layer(stack, x):
        return rows_seen(stack[-1:], x)

    def first_only(stack, x):
        return rows_seen(stack, x)[0]

    return [
        Mistake(
            "from the first layer",
            wrong_order,
            "You go from the first layer to the last. What you know is a row of the *last* map: `reversed(stack)`.",
        ),
        Mistake(
            "stride forgotten",
            no_stride,
            "The stride is not used: row x of a map was made from the window that starts at row s · x.",
        ),
        Mistake(
            "dilation forgotten",
            no_dilation,
            "Dilation is not used: a window that starts at row r ends at r + d(k − 1).",
        ),
        Mistake(
            "one too many",
            one_too_many,
            "Off by one in each layer: between k weights are k − 1 steps, so a window ends d(k − 1) after its start.",
        ),
        Mistake(
            "stride times the window",
            stride_after,
            "The stride moves the window's start, it does not stretch the window: the last row is s · last + d(k − 1).",
        ),
        Mistake(
            "centred",
            centred,
            "You lay the kernel's middle on the row. Without padding, the window of row x begins at s · x.",
        ),
        Mistake("end exclusive", end_exclusive, "The last row itself is asked for, not the one after it."),
        Mistake("number of rows", size, "The second is the *last row*, not how many there are."),
        Mistake("x forgotten", from_zero, "That is right for row 0 only: `x` is not used."),
        Mistake("last layer only", last_layer, "That is what it sees of the layer before. Go on to the image."),
        Mistake("only the first row", first_only, "Return both rows: `return first, last`."),
    ]


_ROWS_CASES = [
    ([(3, 1, 1), (3, 1, 1)], 4),
    ([(3, 1, 1), (2, 2, 1), (3, 1, 1)], 3),
    ([(5, 2, 1), (3, 1, 2), (2, 3, 1)], 2),
    ([(2, 3, 2), (4, 2, 3)], 5),
]

EXERCISES = (
    Exercise(
        "04-1",
        "Size and parameters",
        "recall",
        4,
        "The side of a convolution's result and its number of parameters.",
        function(plan, _PLAN_CASES, mistakes=_plan_mistakes()),
    ),
    Exercise(
        "04-2",
        "As large as before",
        "modify",
        12,
        "A correlation whose result is as large as the image, with zeros around it.",
        function(correlate_same, _SAME_CASES, mistakes=_same_mistakes()),
    ),
    Exercise(
        "04-3",
        "Both gradients",
        "extend",
        25,
        "The gradients of half a mean squared difference, for the kernel and for the image.",
        function(gradients, _GRADIENT_CASES, mistakes=_gradients_mistakes(), by_norm=True, tolerance=1e-6),
    ),
    Exercise(
        "04-4",
        "Which rows did it see?",
        "extend",
        10,
        "The first and the last row of the image that a row of the last map can depend on.",
        function(rows_seen, _ROWS_CASES, mistakes=_rows_mistakes()),
    ),
)
