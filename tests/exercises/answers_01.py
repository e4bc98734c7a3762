"""Right and wrong answers to the exercises of chapter 01, each written without the reference."""

import numpy as np

D, L, V, C = 1_024, 24, 50_257, 1_024


RIGHT_COUNT = 354_823_168


def by_items(frozen, trained, bytes_each):
    items = {"parameter": 2, "gradient": 2, "copy": 4, "first average": 4, "second average": 4}
    return frozen * bytes_each / 1024**3 + sum(items.values()) * trained / 1024**3


def in_float32(frozen, trained, bytes_each):
    return (frozen * bytes_each + (4 + 4 + 8) * trained) * 2.0**-30


def as_array(frozen, trained, bytes_each):
    return np.array([frozen, trained]) @ np.array([bytes_each, 16]) / 2**30


def by_limits(fixed_a, each_a, fixed_b, each_b):
    saved, more = each_a - each_b, fixed_b - fixed_a
    if saved > 0:
        return max(more, 0) / saved
    return 0 if saved == 0 and more < 0 else float("inf")


def by_cases(fixed_a, each_a, fixed_b, each_b):
    if each_b < each_a:
        crossing = (fixed_b - fixed_a) / (each_a - each_b)
        return np.float64(crossing) if crossing > 0 else 0
    if each_b == each_a and fixed_b < fixed_a:
        return 0
    return np.inf


def unlimited(fa, ea, fb, eb):
    return (fb - fa) / (ea - eb)


def never_is_zero(fa, ea, fb, eb):
    right = by_limits(fa, ea, fb, eb)
    return 0 if right == np.inf else right


def wrong_sign(fa, ea, fb, eb):
    right = by_limits(fa, ea, fb, eb)
    return (fa - fb) / (ea - eb) if 0 < right < np.inf else right


def only_a(fa, ea, fb, eb):
    right = by_limits(fa, ea, fb, eb)
    return (fb - fa) / ea if 0 < right < np.inf else right


def by_sorting(flops, needed_gb, devices):
    able = [(flops / (tf * 0.4e12) * usd, name) for name, (gb, tf, usd) in devices.items() if gb >= needed_gb]
    return sorted(able)[0][1] if able else "none"


def by_loop(flops, needed_gb, devices):
    best, lowest = "none", float("inf")
    for name in devices:
        gb, tf, usd = devices[name]
        cost = flops / tf * usd
        if gb >= needed_gb and cost < lowest:
            best, lowest = name, cost
    return best


def pick(key, fits=lambda gb, needed: needed <= gb):
    def cheapest_device(flops, needed_gb, devices):
        able = [name for name, (gb, _, _) in devices.items() if fits(gb, needed_gb)]
        return min(able, key=lambda name: key(*devices[name])) if able else "none"

    return cheapest_device


RIGHT = {
    "01-1": [RIGHT_COUNT, float(RIGHT_COUNT), np.int64(RIGHT_COUNT)],
    "01-2": [by_items, in_float32, as_array],
    "01-3": [by_limits, by_cases],
    "01-4": [by_sorting, by_loop],
}

WRONG = {
    "01-1": [
        (L * (12 * D**2 + 13 * D) + 2 * D, "no embeddings"),
        (L * (12 * D**2 + 13 * D), "blocks alone"),
        (RIGHT_COUNT - C * D, "no positions"),
        (RIGHT_COUNT - V * D, "no tokens"),
        (RIGHT_COUNT - 2 * D, "no last normalisation"),
        (RIGHT_COUNT - L * 8 * D**2, "attention alone"),
        (RIGHT_COUNT - L * 4 * D**2, "feed-forward alone"),
        (RIGHT_COUNT - L * 6 * D**2, "feed-forward not widened"),
        (RIGHT_COUNT - L * 13 * D, "no biases in the blocks"),
        (RIGHT_COUNT - L * 13 * D - 2 * D, "no biases at all"),
        (RIGHT_COUNT - L * 4 * D, "no normalisations in the blocks"),
        (RIGHT_COUNT - L * 9 * D, "biases of the attention alone"),
        (RIGHT_COUNT + V * D, "output matrix of its own"),
        (RIGHT_COUNT - 23 * (12 * D**2 + 13 * D), "one block"),
        (L * 12 * D**2, "rule of thumb"),
        (345_000_000, "another number"),
    ],
    "01-2": [
        (lambda f, t, b: (b * f + 16 * t) / 1e9, "GB for GiB"),
        (lambda f, t, b: b * f + 16 * t, "bytes"),
        (lambda f, t, b: (b * f + (2 + 4 + 4 + 4) * t) / 2**30, "a 16-bit item forgotten"),
        (lambda f, t, b: (b * f + (2 + 2 + 4 + 4) * t) / 2**30, "a 32-bit item forgotten"),
        (lambda f, t, b: (b * f + 8 * t) / 2**30, "one average of two"),
        (lambda f, t, b: (b * f + 2 * t) / 2**30, "trained parameters without their state"),
        (lambda f, t, b: b * f / 2**30, "nothing trained"),
        (lambda f, t, b: 16 * (f + t) / 2**30, "all trained"),
        (lambda f, t, b: (2 * f + 16 * t) / 2**30, "frozen ones at 16 bits"),
        (lambda f, t, b: (b * f / 8 + 16 * t) / 2**30, "bits"),
        (lambda f, t, b: (b * f + 8 * b * t) / 2**30, "trained scaled by bytes_each"),
    ],
    "01-3": [
        (unlimited, "division by zero"),
        (lambda fa, ea, fb, eb: float(np.divide(fb - fa, ea - eb)), "always a crossing"),
        (never_is_zero, "0 for never"),
        (wrong_sign, "sign"),
        (only_a, "B's own requests forgotten"),
        (
            lambda fa, ea, fb, eb: by_limits(fa, ea, fb, eb) if ea == eb else max(0.0, unlimited(fa, ea, fb, eb)),
            "clipped at zero",
        ),
        (
            lambda fa, ea, fb, eb: unlimited(fa, ea, fb, eb) if fb < fa and eb > ea else by_limits(fa, ea, fb, eb),
            "up to, for from",
        ),
        (
            lambda fa, ea, fb, eb: unlimited(fa, ea, fb, eb) if eb < ea else by_limits(fa, ea, fb, eb),
            "negative for always",
        ),
    ],
    "01-4": [
        (pick(lambda gb, tf, usd: usd / tf, lambda gb, needed: True), "fits ignored"),
        (pick(lambda gb, tf, usd: usd), "lowest price an hour"),
        (pick(lambda gb, tf, usd: -tf), "fastest"),
        (pick(lambda gb, tf, usd: usd * tf), "speed upside down"),
        (pick(lambda gb, tf, usd: gb), "smallest that fits"),
        (pick(lambda gb, tf, usd: -usd / tf), "dearest"),
        (pick(lambda gb, tf, usd: usd / tf, lambda gb, needed: needed < gb), "strict"),
        (
            lambda flops, gb, devices: None if by_loop(flops, gb, devices) == "none" else by_loop(flops, gb, devices),
            "None for the text",
        ),
    ],
}
