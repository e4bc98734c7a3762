"""The exercises of chapter 01, Concepts."""

import numpy as np

from course_utils.exercises.judges import Mistake, function, number
from course_utils.exercises.verdicts import Exercise

_LAYERS, _WIDTH, _VOCABULARY, _CONTEXT = 24, 1_024, 50_257, 1_024


def _decoder(
    *,
    squares: int = 12,
    biases: int = 13,
    layers: int = _LAYERS,
    tokens: bool = True,
    positions: bool = True,
    last: bool = True,
    output: bool = False,
) -> int:
    """Parameters of GPT-2's medium version; the options are mistakes."""
    d = _WIDTH
    blocks = layers * (squares * d**2 + biases * d)
    around = tokens * _VOCABULARY * d + positions * _CONTEXT * d + last * 2 * d
    return blocks + around + output * _VOCABULARY * d


_COUNT = number(
    _decoder(),
    mistakes=[
        Mistake(
            "no embeddings",
            _decoder(tokens=False, positions=False),
            "The embeddings are missing: a vector of the width for each token of the vocabulary and for each position.",
        ),
        Mistake(
            "blocks alone",
            _decoder(tokens=False, positions=False, last=False),
            "These are the blocks alone. The vectors of tokens and positions and the last normalisation are missing.",
        ),
        Mistake(
            "no positions",
            _decoder(positions=False),
            "The positions are missing: each of the 1,024 has a vector of its own.",
        ),
        Mistake("no tokens", _decoder(tokens=False), "The vectors of the 50,257 tokens are missing."),
        Mistake(
            "no last normalisation",
            _decoder(last=False),
            "The normalisation after the last block is missing: a scale and a shift.",
        ),
        Mistake(
            "attention alone",
            _decoder(squares=4),
            "That counts the attention only: the feed-forward layers add two matrices, d → 4d → d.",
        ),
        Mistake(
            "feed-forward alone",
            _decoder(squares=8),
            "That counts the feed-forward layers only: attention adds four matrices of d × d.",
        ),
        Mistake(
            "feed-forward not widened",
            _decoder(squares=6),
            "Feed-forward is not d → d → d: its inner layer is four times as wide, so it has 8 d², not 2 d².",
        ),
        Mistake(
            "no biases in the blocks",
            _decoder(biases=0),
            "The biases and normalisations in the blocks are missing: 13 d in each.",
        ),
        Mistake(
            "no biases at all",
            _decoder(biases=0, last=False),
            "Biases and normalisations are missing: 13 d in each block and 2 d at the end.",
        ),
        Mistake(
            "no normalisations in the blocks",
            _decoder(biases=9),
            "The two normalisations in each block are missing: 4 d together.",
        ),
        Mistake(
            "biases of the attention alone",
            _decoder(biases=4),
            "In each block only 4 d of the 13 d are there: count the biases of all parts as well.",
        ),
        Mistake(
            "output matrix of its own",
            _decoder(output=True),
            "The output has no matrix of its own: it uses the token vectors once more.",
        ),
        Mistake("one block", _decoder(layers=1), "That is one block. There are 24."),
        Mistake(
            "rule of thumb",
            _LAYERS * 12 * _WIDTH**2,
            "That is the rule of thumb, 12 L d². The exact number is asked for.",
        ),
    ],
    otherwise="Add up: 24 blocks (12 d² + 13 d each), then a vector of d for each token and each position, then 2 d.",
)


def lora_memory(frozen, trained, bytes_each):
    """GiB that a LoRA run holds: frozen parameters, and 16 bytes for each trained one."""
    return (bytes_each * frozen + 16 * trained) / 2**30


def _lora_mistakes() -> list[Mistake]:
    def of(each_trained, unit=2**30):
        return lambda frozen, trained, bytes_each: (bytes_each * frozen + each_trained * trained) / unit

    return [
        Mistake(
            "GB for GiB", of(16, 1e9), "These are GB, of 10⁹ bytes. A GiB has 2³⁰ = 1,073,741,824: a good 7 % more."
        ),
        Mistake("bytes", of(16, 1), "These are bytes. Divide by 2**30."),
        Mistake(
            "a 16-bit item forgotten",
            of(14),
            "Two bytes for each trained parameter are missing. Is the gradient there (2), beside the parameter (2)?",
        ),
        Mistake(
            "a 32-bit item forgotten",
            of(12),
            "Four bytes for each trained parameter are missing. Adam keeps *two* averages (4 + 4), and mixed precision "
            "a 32-bit copy (4).",
        ),
        Mistake(
            "one average of two",
            of(8),
            "Only 8 bytes for each trained parameter: that is the state of Adam, or half of everything. Parameter, "
            "gradient, 32-bit copy and both averages take 2 + 2 + 4 + 4 + 4.",
        ),
        Mistake(
            "trained parameters without their state",
            of(2),
            "The trained parameters are counted without their gradient, their 32-bit copy and their two averages.",
        ),
        Mistake(
            "nothing trained",
            of(0),
            "Only the frozen parameters are counted. The trained ones take 16 bytes each on top.",
        ),
        Mistake(
            "all trained",
            lambda frozen, trained, bytes_each: 16 * (frozen + trained) / 2**30,
            "That trains everything. A frozen parameter takes `bytes_each` bytes: no gradient, no optimiser.",
        ),
        Mistake(
            "frozen ones at 16 bits",
            lambda frozen, trained, bytes_each: (2 * frozen + 16 * trained) / 2**30,
            "The frozen parameters are counted with 2 bytes each, whatever `bytes_each` says.",
        ),
        Mistake(
            "bits",
            lambda frozen, trained, bytes_each: (bytes_each * frozen / 8 + 16 * trained) / 2**30,
            "`bytes_each` is in bytes already (0.5 for int4): do not divide by 8.",
        ),
        Mistake(
            "trained scaled by bytes_each",
            lambda frozen, trained, bytes_each: (bytes_each * frozen + 8 * bytes_each * trained) / 2**30,
            "`bytes_each` is the format of the *frozen* parameters. The trained ones always take 16 bytes.",
        ),
    ]


_LORA_CASES = [
    (7_000_000_000, 4_400_000, 2),
    (1_000_000_000, 50_000_000, 0.5),
    (300_000_000, 300_000_000, 4),
    (13_000_000_000, 0, 1),
]


def break_even(fixed_a, each_a, fixed_b, each_b):
    """The number of requests from which on B costs less than A: a crossing, 0 (always) or infinity (never)."""
    if each_b > each_a or (each_b == each_a and fixed_b >= fixed_a):
        return np.inf
    if fixed_b <= fixed_a:
        return 0.0
    return (fixed_b - fixed_a) / (each_a - each_b)


def _break_even_mistakes() -> list[Mistake]:
    def crossing(fixed_a, each_a, fixed_b, each_b):
        return float(np.divide(float(fixed_b - fixed_a), float(each_a - each_b)))

    def raw(fixed_a, each_a, fixed_b, each_b):
        return (fixed_b - fixed_a) / (each_a - each_b)

    def negative_sign(fixed_a, each_a, fixed_b, each_b):
        right = break_even(fixed_a, each_a, fixed_b, each_b)
        return -right if 0 < right < np.inf else right

    def without_b(fixed_a, each_a, fixed_b, each_b):
        right = break_even(fixed_a, each_a, fixed_b, each_b)
        return (fixed_b - fixed_a) / each_a if 0 < right < np.inf else right

    def sums(fixed_a, each_a, fixed_b, each_b):
        right = break_even(fixed_a, each_a, fixed_b, each_b)
        return (fixed_b + fixed_a) / (each_a + each_b) if 0 < right < np.inf else right

    def upside_down(fixed_a, each_a, fixed_b, each_b):
        right = break_even(fixed_a, each_a, fixed_b, each_b)
        return 1 / right if 0 < right < np.inf else right

    def zero_for_never(fixed_a, each_a, fixed_b, each_b):
        right = break_even(fixed_a, each_a, fixed_b, each_b)
        return 0.0 if right == np.inf else right

    def until_for_from(fixed_a, each_a, fixed_b, each_b):
        if fixed_b < fixed_a and each_b > each_a:
            return raw(fixed_a, each_a, fixed_b, each_b)
        return break_even(fixed_a, each_a, fixed_b, each_b)

    def clipped(fixed_a, each_a, fixed_b, each_b):
        if each_a == each_b:
            return break_even(fixed_a, each_a, fixed_b, each_b)
        return max(0.0, raw(fixed_a, each_a, fixed_b, each_b))

    def negative_for_always(fixed_a, each_a, fixed_b, each_b):
        if each_b < each_a:
            return raw(fixed_a, each_a, fixed_b, each_b)
        return break_even(fixed_a, each_a, fixed_b, each_b)

    return [
        Mistake(
            "always a crossing",
            crossing,
            "The quotient is right where the two lines cross, but not every pair does. "
            "There are three cases: a crossing, 0 (B costs less from the start on) and `np.inf` (no volume from "
            "which on).",
        ),
        Mistake(
            "division by zero",
            raw,
            "With equal costs for each request you divide by zero: parallel lines never cross. "
            "There are three cases: a crossing, 0 (B costs less from the start on) and `np.inf` (no volume from "
            "which on).",
        ),
        Mistake(
            "sign",
            negative_sign,
            "The sign is wrong: it is what B costs *more* to begin with, over what it *saves* on each request.",
        ),
        Mistake(
            "B's own requests forgotten",
            without_b,
            "You divide by what A costs for each request. B's requests are not free: divide by the difference.",
        ),
        Mistake("sums for differences", sums, "Differences are needed, of the fixed costs and of those for a request."),
        Mistake("upside down", upside_down, "The fraction is upside down: US$ over US$ for a request gives requests."),
        Mistake(
            "0 for never", zero_for_never, "Where B is never the cheaper one in the long run, return `np.inf`, not 0."
        ),
        Mistake(
            "up to, for from",
            until_for_from,
            "Where B begins cheaper and costs more for each request, the crossing is the end of its advantage: up to "
            "there B is cheaper, not from there on.",
        ),
        Mistake(
            "clipped at zero",
            clipped,
            "A negative crossing has two meanings: B is always cheaper (0), or A is (`np.inf`). And where B begins "
            "cheaper and costs more for each request, the crossing ends its advantage. Look at the costs for a request "
            "first.",
        ),
        Mistake(
            "negative for always",
            negative_for_always,
            "A negative number of requests? B costs less from the first one on: return 0.",
        ),
    ]


_BREAK_EVEN_CASES = [
    (13_000.0, 0.002, 40_000.0, 0.0005),
    (0.0, 0.01, 500.0, 0.0),
    (100.0, 3.0, 40.0, 1.0),  # B is cheaper from the start
    (40.0, 1.0, 100.0, 3.0),  # and never
    (100.0, 1.0, 40.0, 3.0),  # up to a volume, not from one on
    (100.0, 2.0, 40.0, 2.0),  # parallel, B below
    (40.0, 2.0, 100.0, 2.0),  # parallel, B above
]


def cheapest_device(flops, needed_gb, devices):
    """The name of the device on which the job fits and costs least, or "none"."""
    costs = {name: flops / speed * usd for name, (gb, speed, usd) in devices.items() if needed_gb <= gb}
    return min(costs, key=costs.get) if costs else "none"


def _device_mistakes() -> list[Mistake]:
    def best(devices, key, allowed, nowhere="none"):
        able = [name for name, (gb, _, _) in devices.items() if allowed(gb)]
        return min(able, key=lambda name: key(*devices[name])) if able else nowhere

    def for_the_job(gb, speed, usd):
        return usd / speed

    return [
        Mistake(
            "fits ignored",
            lambda flops, needed_gb, devices: best(devices, for_the_job, lambda gb: True),
            "That device is too small for the job: leave out those with less memory than needed.",
        ),
        Mistake(
            "lowest price an hour",
            lambda flops, needed_gb, devices: best(devices, lambda gb, s, usd: usd, lambda gb: needed_gb <= gb),
            "The lowest price *an hour* is not the lowest price *of the job*: a faster device needs fewer hours.",
        ),
        Mistake(
            "fastest",
            lambda flops, needed_gb, devices: best(devices, lambda gb, s, usd: -s, lambda gb: needed_gb <= gb),
            "That is the fastest one. The cheapest is asked for: hours times the price of an hour.",
        ),
        Mistake(
            "speed upside down",
            lambda flops, needed_gb, devices: best(devices, lambda gb, s, usd: usd * s, lambda gb: needed_gb <= gb),
            "The hours are upside down: operations *over* operations a second.",
        ),
        Mistake(
            "smallest that fits",
            lambda flops, needed_gb, devices: best(devices, lambda gb, s, usd: gb, lambda gb: needed_gb <= gb),
            "That is the smallest on which it fits. A larger one may do the job for less money.",
        ),
        Mistake(
            "dearest",
            lambda flops, needed_gb, devices: best(devices, lambda gb, s, usd: -usd / s, lambda gb: needed_gb <= gb),
            "That is the *most* expensive one for the job: take the minimum.",
        ),
        Mistake(
            "strict",
            lambda flops, needed_gb, devices: best(devices, for_the_job, lambda gb: needed_gb < gb),
            "A job that needs *exactly* the device's memory fits: compare with `<=`.",
        ),
        Mistake(
            "None for the text",
            lambda flops, needed_gb, devices: best(devices, for_the_job, lambda gb: needed_gb <= gb, nowhere=None),
            'Where it fits nowhere, the text "none" is asked for, in quotation marks, not the value `None`.',
        ),
    ]


_TABLE = {
    "laptop": (16, 0.5, 0.05),
    "24 GB GPU": (24, 165, 0.69),
    "80 GB GPU": (80, 989, 3.00),
    "8 × 80 GB": (640, 7_912, 26.00),
}
_DEVICE_CASES = [
    (3e17, 24, {"small": (24, 100, 0.30), "large": (80, 900, 3.00)}),  # exactly its memory, and the cheaper one
    (3e17, 14, _TABLE),
    (6e18, 300, _TABLE),
    (1e12, 1_000, _TABLE),
    (1e18, 20, {"old": (24, 60, 0.90), "plain": (48, 100, 0.60), "best": (80, 900, 3.00), "slow": (96, 30, 0.80)}),
    (2e18, 20, {"slow": (32, 40, 0.40), "middle": (48, 150, 0.90), "fast": (80, 900, 9.00), "tiny": (8, 30, 0.01)}),
]


EXERCISES = (
    Exercise(
        "01-1",
        "Count a decoder",
        "recall",
        6,
        "How many parameters has a decoder of 24 layers of width 1,024, with a vocabulary of 50,257 and a context of "
        "1,024? Put the number, or the calculation that gives it, where the three dots stand.",
        _COUNT,
    ),
    Exercise(
        "01-2",
        "Memory for LoRA",
        "modify",
        10,
        "Write `lora_memory(frozen, trained, bytes_each)`: the GiB of a LoRA run without activations, the frozen "
        "parameters with `bytes_each` bytes each, the trained ones in mixed precision.",
        function(lora_memory, _LORA_CASES, mistakes=_lora_mistakes()),
    ),
    Exercise(
        "01-3",
        "From which volume on?",
        "modify",
        12,
        "Write `break_even(fixed_a, each_a, fixed_b, each_b)`: the number of requests from which on route B costs less "
        "than route A; 0 if it does from the start on, `np.inf` if there is no such number.",
        function(break_even, _BREAK_EVEN_CASES, mistakes=_break_even_mistakes()),
    ),
    Exercise(
        "01-4",
        "The right device for the job",
        "extend",
        15,
        "Write `cheapest_device(flops, needed_gb, devices)`: the name of the device with enough memory on which the "
        'job costs the least money; "none" if there is none. `devices` maps a name to (memory in GB, TFLOP/s, '
        "US$ an hour).",
        function(cheapest_device, _DEVICE_CASES, mistakes=_device_mistakes()),
    ),
)
