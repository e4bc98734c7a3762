"""Right and wrong answers to the exercises of chapter 06, each written without the reference."""

import math

import numpy as np
from scipy.spatial import cKDTree  # at the top: a first import may take longer than the judge's five seconds
from scipy.stats import entropy


def stable_by_cases(a, t):
    d = np.where(a >= 0, 1 / (1 + np.exp(-np.abs(a))), np.exp(-np.abs(a)) / (1 + np.exp(-np.abs(a))))
    return np.array([(one - t) / a.size for one in d])


def by_two_terms(a, t):
    d = 0.5 * (1 + np.tanh(a / 2))
    return (-t * (1 - d) + (1 - t) * d) / a.shape[0]


def plain(a, t):
    return (1 / (1 + np.exp(-a)) - t) / len(a)  # overflows for -800 with a warning, and is right


def kid_by_loops(real, fake):
    def k(x, y):
        return (np.dot(x, y) / len(x) + 1) ** 3

    def within(rows):
        n = len(rows)
        return sum(k(rows[i], rows[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))

    return within(real) + within(fake) - 2 * np.mean([k(x, y) for x in real for y in fake])


def kid_by_upper_triangle(real, fake):
    def k(x, y):
        return (np.einsum("id,jd->ij", x, y) / x.shape[-1] + 1) ** 3

    def within(rows):
        return k(rows, rows)[np.triu_indices(len(rows), 1)].mean()

    return within(real) + within(fake) - 2 * k(real, fake).mean()


def modes_by_loops(points, centres, radius):
    counts = dict.fromkeys(range(len(centres)), 0)
    for point in points:
        distances = [math.dist(point, centre) for centre in centres]
        if min(distances) <= radius:
            counts[int(np.argmin(distances))] += 1
    total = sum(counts.values())
    return math.exp(-sum(c / total * math.log(c / total) for c in counts.values() if c)) if total else 0


def modes_with_scipy(points, centres, radius):
    distance, nearest = cKDTree(centres).query(points)
    counts = np.bincount(nearest[distance <= radius], minlength=len(centres))
    return np.exp(entropy(counts)) if counts.any() else 0.0


def in_place(a, t):
    a[:] = (0.5 * (1 + np.tanh(a / 2)) - t) / len(a)
    return a


def kid_with(power=3, scaled=True, diagonal=False, mixed=-2):
    """The distance with loops left out and places for mistakes."""

    def k(x, y):
        return (np.einsum("id,jd->ij", x, y) / (x.shape[-1] if scaled else 1) + 1) ** power

    def within(rows):
        found = k(rows, rows)
        return found.mean() if diagonal else found[~np.eye(len(rows), dtype=bool)].mean()

    return lambda real, fake: within(real) + within(fake) + mixed * k(real, fake).mean()


def modes_counted(value, strays=False):
    def answer(points, centres, radius):
        distance, nearest = cKDTree(centres).query(points)
        counts = np.bincount(nearest[(distance <= radius) | strays], minlength=len(centres))
        return value(counts) if counts.any() else 0.0

    return answer


RIGHT = {
    "06-1": [math.log(3), np.log(0.75) - np.log(0.25), 1.0986, np.float32(1.1), 1.1],
    "06-2": [stable_by_cases, by_two_terms, plain],
    "06-3": [kid_by_loops, kid_by_upper_triangle],
    "06-4": [modes_by_loops, modes_with_scipy],
    "06-5": [4, 4.0, np.int64(4)],
}

WRONG = {
    "06-1": [
        (0.75, "the probability"),
        (0.25, "probability of generated"),
        (-math.log(3), "sign"),
        (3, "ratio"),
        (math.log10(3), "base 10"),
        (math.log2(3), "base 2"),
        (math.log(0.75), "logarithm of D*"),
        (0.4, "difference of the densities"),
        (0.679, "sigmoid once more"),
        (7.0, "another number"),
    ],
    "06-2": [
        (lambda a, t: a * np.nan, "nan", "NaN"),
        (lambda a, t: np.zeros((len(a), 1)), "shape", "(3, 1)", "(3,)"),
        (in_place, "changes its input", "`a`"),
        (lambda a, t: (np.exp(a) / (np.exp(a) + 1) - t) / a.size, "overflow", "∞"),
    ],
    "06-3": [
        (kid_with(diagonal=True), "with the diagonal"),
        (kid_with(mixed=-1), "factor 2"),
        (kid_with(mixed=2), "plus"),
        (kid_with(scaled=False), "1/d missing"),
        (kid_with(power=2), "square for cube"),
        (lambda real, fake: np.sqrt(kid_by_upper_triangle(real, fake)), "root"),
        (lambda real, fake: np.maximum(0, kid_by_upper_triangle(real, fake)), "no negative values"),
        (lambda real, fake: np.abs(kid_by_upper_triangle(real, fake)), "absolute value"),
    ],
    "06-4": [
        (modes_counted(entropy), "no exponential"),
        (modes_counted(lambda counts: np.exp(entropy(counts)), strays=True), "strays counted"),
        (modes_counted(np.count_nonzero), "covered modes"),
        (modes_counted(lambda counts: np.exp(-entropy(counts))), "perhaps sign"),
        (modes_counted(lambda counts: counts.sum() ** 2 / np.sum(counts**2)), "inverse of the squares"),
    ],
    "06-5": [
        (1, "copies"),
        (2, "best FID of the new ones"),
        (3, "mode collapse"),
        (0, "another number"),
        (5, "another number"),
    ],
}
