"""The exercises of chapter 06, Generative adversarial networks."""

import math

import numpy as np

from course_utils.exercises.judges import Mistake, function, number
from course_utils.exercises.verdicts import Exercise

_BEST_LOGIT = math.log(0.6 / 0.2)

_LOGIT = number(
    _BEST_LOGIT,
    tolerance=0.006,
    mistakes=[
        Mistake(
            "the probability",
            0.75,
            "That is the best *probability*, 0.6 / (0.6 + 0.2). The logit is what goes into the sigmoid: what a has "
            "σ(a) = 0.75?",
        ),
        Mistake(
            "probability of generated",
            0.25,
            "That is the probability of *generated*. D answers with that of real, and the logit is asked for.",
        ),
        Mistake(
            "sign",
            -_BEST_LOGIT,
            "The sign: real examples are denser here, so D answers above ½, and its logit is positive.",
        ),
        Mistake("ratio", 3.0, "That is the ratio of the densities. The best logit is its logarithm."),
        Mistake(
            "base 10",
            math.log10(3),
            "That is the logarithm to base 10. The sigmoid is made with e: take the natural one, `np.log`.",
        ),
        Mistake(
            "base 2",
            math.log2(3),
            "That is the logarithm to base 2. The sigmoid is made with e: take the natural one, `np.log`.",
        ),
        Mistake("logarithm of D*", math.log(0.75), "That is log D*. The logit is log D* − log(1 − D*)."),
        Mistake(
            "difference of the densities",
            0.4,
            "That is the difference of the densities. The logit is the difference of their *logarithms*.",
        ),
        Mistake(
            "sigmoid once more",
            1 / (1 + math.exp(-0.75)),
            "That puts the probability through the sigmoid once more. Go the other way: the logit is "
            "log D* − log(1 − D*).",
        ),
    ],
    otherwise="Section 2: D* = p / (p + q), and the logit of a probability D is log D − log(1 − D).",
)


_VENDOR = number(
    4,
    mistakes=[
        Mistake(
            "copies",
            1,
            "Look at the nearest copy: less than a tenth of what unseen real points have. This vendor sells you your "
            "own customers, moved by a hair. FID rewards that.",
        ),
        Mistake(
            "best FID of the new ones",
            2,
            "Its FID is that of real points, but hardly one in sixteen of its examples looks like yours: a bell with "
            "the right mean and covariance. Sorted by your rule it would do, at sixteen draws for each that you keep; "
            "here you use what you are sent as it is.",
        ),
        Mistake(
            "mode collapse",
            3,
            "Most of its examples look right, and they show two of your eight kinds. Nothing that you do to "
            "them adds the missing six.",
        ),
    ],
    otherwise="Answer with the number that one of the vendors has in the table.",
)


# 06-2 -------------------------------------------------------------------------------------------------------------


def _sigmoid(a):
    return 0.5 * (1 + np.tanh(a / 2))


def generator_loss_gradient(a, t):
    """The gradient, by the logits, of the mean cross-entropy of σ(a) with the target t; shape (n,)."""
    return (_sigmoid(a) - t) / len(a)


def _gradient_mistakes() -> list[Mistake]:
    def saturating(a, t):
        return -_sigmoid(a) / len(a)

    def ignores_t(a, t):
        return (_sigmoid(a) - 1) / len(a)

    def sign(a, t):
        return (t - _sigmoid(a)) / len(a)

    def total(a, t):
        return _sigmoid(a) - t

    def swapped(a, t):
        return (_sigmoid(a) - (1 - t)) / len(a)

    def by_probability(a, t):
        d = _sigmoid(a)
        return ((1 - t) / (1 - d) - t / d) / len(a)

    def by_product(a, t):
        d = _sigmoid(a)
        return ((1 - t) / (1 - d) - t / d) * d * (1 - d) / len(a)

    def extra_factor(a, t):
        d = _sigmoid(a)
        return (d - t) * d * (1 - d) / len(a)

    def without_sigmoid(a, t):
        return (a - t) / len(a)

    def the_loss(a, t):
        return np.mean(t * np.logaddexp(0, -a) + (1 - t) * np.logaddexp(0, a))

    def one_number(a, t):
        return np.mean(_sigmoid(a) - t)

    def overflows(a, t):
        e = np.exp(a)
        return (e / (1 + e) - t) / len(a)

    def first_term_only(a, t):
        return -t * (1 - _sigmoid(a)) / len(a)

    return [
        Mistake(
            "saturating form",
            saturating,
            "That is the slope of log(1 − σ(a)), the saturating loss. Differentiate the loss printed in the exercise: "
            "its terms have a minus and the targets t and 1 − t.",
        ),
        Mistake("t not used", ignores_t, "The target is taken for 1 throughout. Use the argument `t`."),
        Mistake(
            "sign",
            sign,
            "The sign is turned round: with this gradient descent would move the answers *away* from the target.",
        ),
        Mistake("sum for mean", total, "The loss is a mean over the rows: divide by their number, `len(a)`."),
        Mistake(
            "swapped targets",
            swapped,
            "The two targets are swapped: t belongs to log σ(a), and 1 − t to log(1 − σ(a)).",
        ),
        Mistake(
            "missing sigmoid derivative",
            by_probability,
            "That is the slope by the *probability* D. The chain rule to the logit is missing: multiply by "
            "dD/da = D (1 − D), and cancel.",
        ),
        Mistake(
            "not cancelled",
            by_product,
            "Right on paper, but it divides 0 by 0 where σ(a) is exactly 0 or 1, and gives NaN there. Cancel D (1 − D) "
            "by hand: what is left is short.",
        ),
        Mistake(
            "overflow",
            overflows,
            "Right for small logits, but e^800 is infinite, and ∞ / ∞ is NaN. Take the chapter's `sigmoid`, or "
            "1 / (1 + e^−a).",
        ),
        Mistake(
            "sigmoid derivative twice",
            extra_factor,
            "There is a factor σ(a) (1 − σ(a)) too many: it has cancelled against the logarithm's derivative already.",
        ),
        Mistake(
            "no sigmoid", without_sigmoid, "The logits are compared with the target; the loss compares σ(a) with it."
        ),
        Mistake("the loss itself", the_loss, "That is the loss. Its gradient is asked for: a number for each logit."),
        Mistake(
            "one number",
            one_number,
            "That is one number. The gradient has an entry for each logit; only the loss is averaged.",
        ),
        Mistake(
            "one term only",
            first_term_only,
            "The second term of the loss, with 1 − t, is missing.",
        ),
    ]


_GRADIENT_CASES = [
    (np.array([-2.0, 0.5, 3.0]), 0.9),
    (np.array([-6.0, -1.25, 0.0, 0.75, 4.0]), 1.0),
    (np.array([0.3, -0.8]), 0.25),
    (np.array([-800.0, -1.5, 2.0, 800.0]), 0.7),
]


# 06-3 -------------------------------------------------------------------------------------------------------------


def _kernel(x, y):
    return (x @ y.T / x.shape[1] + 1) ** 3


def _pairs(x, kernel=_kernel):
    """The sum of the kernel over pairs of different rows, divided by their number."""
    k = kernel(x, x)
    return (k.sum() - np.trace(k)) / (len(x) * (len(x) - 1))


def kid(real, fake):
    """The unbiased kernel distance of two sets of features, with the kernel (x·y / d + 1)³. A number."""
    return _pairs(real) + _pairs(fake) - 2 * _kernel(real, fake).mean()


def _kid_mistakes() -> list[Mistake]:
    def biased(real, fake):
        return _kernel(real, real).mean() + _kernel(fake, fake).mean() - 2 * _kernel(real, fake).mean()

    def diagonal_left_but_counts(real, fake):
        def within(x):
            return _kernel(x, x).sum() / (len(x) * (len(x) - 1))

        return within(real) + within(fake) - 2 * _kernel(real, fake).mean()

    def divided_by_squares(real, fake):
        def within(x):
            k = _kernel(x, x)
            return (k.sum() - np.trace(k)) / len(x) ** 2

        return within(real) + within(fake) - 2 * _kernel(real, fake).mean()

    def factor(real, fake):
        return _pairs(real) + _pairs(fake) - _kernel(real, fake).mean()

    def plus(real, fake):
        return _pairs(real) + _pairs(fake) + 2 * _kernel(real, fake).mean()

    def not_scaled(real, fake):
        def kernel(x, y):
            return (x @ y.T + 1) ** 3

        return _pairs(real, kernel) + _pairs(fake, kernel) - 2 * kernel(real, fake).mean()

    def by_rows(real, fake):
        def kernel(x, y):
            return (x @ y.T / len(x) + 1) ** 3

        return _pairs(real, kernel) + _pairs(fake, kernel) - 2 * kernel(real, fake).mean()

    def without_one(real, fake):
        def kernel(x, y):
            return (x @ y.T / x.shape[1]) ** 3

        return _pairs(real, kernel) + _pairs(fake, kernel) - 2 * kernel(real, fake).mean()

    def squared(real, fake):
        def kernel(x, y):
            return (x @ y.T / x.shape[1] + 1) ** 2

        return _pairs(real, kernel) + _pairs(fake, kernel) - 2 * kernel(real, fake).mean()

    def half_pairs(real, fake):
        def within(x):
            return np.triu(_kernel(x, x), 1).sum() / (len(x) * (len(x) - 1))

        return within(real) + within(fake) - 2 * _kernel(real, fake).mean()

    def transposed(real, fake):
        return kid(real.T, fake.T)

    def root(real, fake):
        return np.sqrt(kid(real, fake))

    def no_negative(real, fake):
        return max(kid(real, fake), 0.0)

    def absolute(real, fake):
        return abs(kid(real, fake))

    return [
        Mistake(
            "with the diagonal",
            biased,
            "The pairs of a row with itself are still in. Take the diagonal out of the first two sums (`np.trace`), "
            "and divide by m (m − 1) and n (n − 1): that is what removes the bias.",
        ),
        Mistake(
            "diagonal still in the sum",
            diagonal_left_but_counts,
            "You divide by m (m − 1), but the m pairs of a row with itself are still in the sum. Subtract `np.trace`.",
        ),
        Mistake(
            "divided by squares",
            divided_by_squares,
            "Without its diagonal a sum has m (m − 1) terms, not m². Divide by that.",
        ),
        Mistake("factor 2", factor, "The factor 2 before the mixed sum is missing."),
        Mistake(
            "plus", plus, "The mixed term has a minus: what the two sets have in common makes the distance smaller."
        ),
        Mistake("1/d missing", not_scaled, "The kernel divides the product x · y by the number of features, d."),
        Mistake(
            "divided by rows",
            by_rows,
            "In the kernel you divide by the number of *rows*. d is the number of features: `x.shape[1]`.",
        ),
        Mistake("+1 missing", without_one, "The kernel is (x·y / d + 1)³: the 1 is missing."),
        Mistake("square for cube", squared, "The kernel has the power 3, not 2."),
        Mistake(
            "each pair once",
            half_pairs,
            "You count each pair once, but divide as if it were counted twice, as (i, j) and as (j, i).",
        ),
        Mistake(
            "rows and columns swapped",
            transposed,
            "Rows and columns are swapped. A row is one example: the kernel of two sets is `x @ y.T`, of shape (m, n).",
        ),
        Mistake(
            "root",
            root,
            "That is the root. KID is the value itself, which may come out a little below zero, and has no root then.",
        ),
        Mistake(
            "no negative values",
            no_negative,
            "You cut off values below zero. An estimate that is right on average must miss on both sides: leave it "
            "negative.",
        ),
        Mistake(
            "absolute value",
            absolute,
            "You take the absolute value. An estimate that is right on average must miss on both sides: leave it "
            "negative.",
        ),
    ]


# Two sets of one kind, so alike that the distance comes out below zero.
_NEGATIVE = (np.array([[0.5, -1.0], [-0.4, 0.9], [1.1, 0.2]]), np.array([[-0.6, -0.8], [0.7, 0.6], [0.3, -0.3]]))


def _kid_cases() -> list[tuple]:
    random = np.random.default_rng(6)
    return [
        (random.normal(size=(5, 3)), random.normal(0.8, 1.2, size=(4, 3))),
        (random.normal(size=(7, 2)), random.normal(size=(3, 2)) + np.array([1.5, -0.5])),
        (random.normal(size=(4, 5)), random.normal(size=(6, 5)) * 1.6),
        _NEGATIVE,
    ]


# 06-4 -------------------------------------------------------------------------------------------------------------


def effective_modes(points, centres, radius):
    """exp of the entropy of the modes' shares among the points within ``radius`` of their nearest centre."""
    distance = np.linalg.norm(points[:, None] - centres, axis=2)
    good = distance.min(axis=1) <= radius
    counts = np.bincount(distance.argmin(axis=1)[good], minlength=len(centres))
    if counts.sum() == 0:
        return 0.0
    shares = counts[counts > 0] / counts.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _shares(points, centres, radius=np.inf):
    distance = np.linalg.norm(points[:, None] - centres, axis=2)
    nearest = distance.argmin(axis=1)[distance.min(axis=1) <= radius]
    counts = np.bincount(nearest, minlength=len(centres))
    return counts / max(counts.sum(), 1), counts


def _entropy(shares):
    shares = shares[shares > 0]
    return -(shares * np.log(shares)).sum()


def _modes_mistakes() -> list[Mistake]:
    def no_exp(points, centres, radius):
        return _entropy(_shares(points, centres, radius)[0])

    def base_two(points, centres, radius):
        return np.exp(_entropy(_shares(points, centres, radius)[0]) / np.log(2))

    def strays(points, centres, radius):
        return np.exp(_entropy(_shares(points, centres)[0]))

    def covered(points, centres, radius):
        return int((_shares(points, centres, radius)[1] > 0).sum())

    def of_all(points, centres, radius):
        _, counts = _shares(points, centres, radius)
        return np.exp(_entropy(counts / len(points)))

    def nan(points, centres, radius):
        shares, counts = _shares(points, centres, radius)
        if counts.sum() == 0:
            return 0.0
        with np.errstate(all="ignore"):
            return np.exp(-(shares * np.log(shares)).sum())

    def one_for_none(points, centres, radius):
        return np.exp(_entropy(_shares(points, centres, radius)[0]))

    def inverted(points, centres, radius):
        return np.exp(-_entropy(_shares(points, centres, radius)[0]))

    def simpson(points, centres, radius):
        shares, counts = _shares(points, centres, radius)
        return 1 / (shares**2).sum() if counts.sum() else 0.0

    return [
        Mistake("no exponential", no_exp, "That is the entropy. The effective number is its exponential: `np.exp`."),
        Mistake(
            "base 2",
            base_two,
            "The logarithm has base 2 and the exponential base e. Take the natural logarithm, `np.log`, for both.",
        ),
        Mistake(
            "strays counted",
            strays,
            "Points further away than `radius` from every centre are counted. Leave them out before you count.",
        ),
        Mistake("covered modes", covered, "That counts the modes with at least one point. Weigh them by their shares."),
        Mistake(
            "shares of all points",
            of_all,
            "The shares do not add up to one: divide by the number of *good* points, not of all.",
        ),
        Mistake(
            "NaN for empty modes",
            nan,
            "An empty mode gives 0 · log 0, which NumPy calls NaN. It counts as 0: leave empty modes out of the sum.",
        ),
        Mistake("1 for none", one_for_none, "Where no point is good there is no mode at all: answer 0, not 1."),
        Mistake(
            "sign", inverted, "The entropy has a minus before its sum, since log s is negative. Yours is turned round."
        ),
        Mistake(
            "inverse of the squares",
            simpson,
            "1 / Σ s² is another effective number (Simpson's). This one is the exponential of the entropy.",
        ),
    ]


def _modes_cases() -> list[tuple]:
    square = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [4.0, 4.0]])
    moves = np.array([[0.1, 0.0], [0.0, -0.2], [-0.15, 0.1]])
    uneven = np.concatenate([square[0] + moves, square[1] + moves[:2], square[2] + moves[:1], [[2.0, 2.0], [9.0, 1.0]]])
    line = np.array([[-3.0, 0.0], [0.0, 0.0], [3.0, 0.0]])
    spread = np.concatenate([line[0] + moves, line[1] + moves, line[2] + moves[:1], line[0] + moves[:2]])
    return [
        (uneven, square, 0.5),
        (spread, line, 0.5),
        (np.array([[1.5, 0.0], [1.4, 0.2]]), line, 0.5),  # strays only
        (np.concatenate([line + moves[0], line[:1], [[1.5, 0.0]] * 3]), line, 0.3),
    ]


EXERCISES = (
    Exercise(
        id="06-1",
        title="The best logit",
        kind="recall",
        minutes=4,
        prompt="At some place real examples have density 0.6 and generated ones 0.2. Which logit does the best "
        "discriminator give there? Replace the three dots by a number or a calculation.",
        judge=_LOGIT,
    ),
    Exercise(
        id="06-2",
        title="Smoothed targets",
        kind="modify",
        minutes=12,
        prompt="Write `generator_loss_gradient(a, t)`: the gradient, by the logits a of shape (n,), of the mean "
        "cross-entropy of σ(a) with the target t, a number from 0 to 1. It returns a float array of shape (n,) and "
        "holds for logits of ±800. Put your code where the three dots stand.",
        judge=function(
            generator_loss_gradient, _GRADIENT_CASES, mistakes=_gradient_mistakes(), by_norm=True, tolerance=1e-6
        ),
    ),
    Exercise(
        id="06-3",
        title="A distance without bias",
        kind="extend",
        minutes=20,
        prompt="Write `kid(real, fake)`: the unbiased kernel distance of two sets of features, of shapes (m, d) and "
        "(n, d), with the kernel (x·y / d + 1)³. It returns a number. Put your code where the three dots stand.",
        judge=function(kid, _kid_cases(), mistakes=_kid_mistakes(), tolerance=1e-8),
    ),
    Exercise(
        id="06-4",
        title="How many modes, softly?",
        kind="extend",
        minutes=15,
        prompt="Write `effective_modes(points, centres, radius)`: the exponential of the entropy of the modes' shares "
        "among the points within `radius` of their nearest centre; 0 if there is none. Points have shape (n, 2), "
        "centres (k, 2). Put your code where the three dots stand.",
        judge=function(effective_modes, _modes_cases(), mistakes=_modes_mistakes(), tolerance=1e-8),
    ),
    Exercise(
        id="06-5",
        title="Four vendors",
        kind="decide",
        minutes=4,
        prompt="Four vendors offer invented customers, and the table shows what was measured. You want new ones of all "
        "eight kinds that look like yours, and use what you are sent as it is. Replace the three dots by the number "
        "of the vendor that you take.",
        judge=_VENDOR,
    ),
)
