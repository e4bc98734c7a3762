"""Chapter 01's explorer: a model's size, its tokens and a device, and what comes of them in memory, hours and money.

The formulas are those of the chapter, which derives them; a test holds the two in agreement.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from course_utils.errors import CourseError, near_misses
from course_utils.explorers.scene import Box, Line, Panel, Points, Scene, Text, as_figure, nice_ticks

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from course_utils.explorers.stage import Stage

BYTES = {"float32": 4.0, "bfloat16": 2.0, "int8": 1.0, "int4": 0.5}
TASKS = ("train", "tune (LoRA)", "answer")
TEXT_TOKENS = 2_048  # the length of the one text whose activations or cache are held
UTILISATION = 0.4
HOURS_A_YEAR = 8_766
COLUMNS = ("memory_gb", "tflops", "gb_per_s", "watts", "usd_per_hour")
SIZES = [float(f"{m}e{k}") for k in range(6, 12) for m in (1, 1.3, 1.75, 2.3, 3, 4, 5.5, 7)] + [1e12]
TOKENS = [float(f"{m}e{k}") for k in range(4, 14) for m in (1, 2, 3, 5, 7)] + [1e14]
# What the two logarithmic axes show; what lies outside is drawn at their ends and told in figures.
_HOURS, _MONEY = (1e-4, 1e10), (1e-4, 1e10)


def shape_of(parameters: float) -> tuple[float, float]:
    """Layers and width of a decoder of that size with GPT-3's proportions: N = 12 L d² and d = 128 L."""
    layers = (parameters / (12 * 128**2)) ** (1 / 3)
    return layers, 128 * layers


def lora_parameters(parameters: float, rank: int = 8) -> float:
    """The trained parameters of LoRA on two matrices in each layer."""
    layers, width = shape_of(parameters)
    return 4 * layers * width * rank


def memory(parameters: float, task: str, each: float = 2.0, tokens: int = TEXT_TOKENS) -> dict[str, float]:
    """Bytes by item. ``each`` is the bytes of a stored parameter (answering, LoRA); training is in mixed precision."""
    layers, width = shape_of(parameters)
    activations = 34 * tokens * layers * width
    if task == "train":
        held = {"parameters": 6 * parameters, "gradients": 2 * parameters, "optimiser": 8 * parameters}
        return held | {"tokens": activations}
    if task == "tune (LoRA)":
        trained = lora_parameters(parameters)
        held = {"parameters": each * parameters + 6 * trained, "gradients": 2 * trained, "optimiser": 8 * trained}
        return held | {"tokens": activations}
    cache = 2 * layers * width * tokens * 2
    return {"parameters": each * parameters, "gradients": 0.0, "optimiser": 0.0, "tokens": cache}


def operations(parameters: float, tokens: float, task: str) -> float:
    """FLOPs: 6 N D to train, 4 N D with LoRA, 2 N D to answer."""
    if task == "train":
        return 6 * parameters * tokens
    if task == "tune (LoRA)":
        return 4 * parameters * tokens + 6 * lora_parameters(parameters) * tokens
    return 2 * parameters * tokens


def hours(parameters: float, tokens: float, task: str, device: dict, each: float = 2.0) -> float:
    """Hours on a device; answers are written one token after another, each of which reads all parameters."""
    compute = operations(parameters, tokens, task) / (UTILISATION * device["tflops"] * 1e12)
    if task == "answer":
        compute = max(compute, tokens * each * parameters / (device["gb_per_s"] * 1e9))
    return compute / 3600


# ------------------------------------------------------------------------------------------------------------- in words


def _short(value: float, units: tuple[str, ...] = ("", " k", " M", " B", " T")) -> str:
    """Three digits and a unit: 1.75e11 is "175 B"."""
    power = min(max(int(math.log10(value) / 3 + 1e-9), 0), len(units) - 1) if value > 0 else 0
    scaled = value / 1000**power
    return (f"{scaled:,.0f}" if scaled >= 100 else f"{float(f'{scaled:.3g}'):g}") + units[power]


_UNITS = (("ms", 1 / 3.6e6), ("s", 1 / 3600), ("min", 1 / 60), ("h", 1.0), ("days", 24.0), ("years", HOURS_A_YEAR))


def duration(in_hours: float) -> str:
    """Hours in the unit in which one would say them."""
    unit, size = next((one for one in reversed(_UNITS) if in_hours >= one[1]), _UNITS[0])
    if in_hours >= 1e6 * HOURS_A_YEAR:
        return f"{_digits(in_hours / HOURS_A_YEAR / 1e6)} million years"
    return f"{_digits(in_hours / size)} {unit}"


def _digits(value: float) -> str:
    """Two digits, all of a whole number below a thousand, thousands with a comma."""
    if value >= 100:
        return f"{value:.0f}" if value < 1000 else f"{float(f'{value:.2g}'):,.0f}"
    return f"{float(f'{value:.2g}'):g}"


def dollars(amount: float) -> str:
    """US dollars with the digits that matter."""
    if amount < 0.01:
        return "< 1 cent"
    return f"${amount:.2f}" if amount < 10 else f"${_short(amount, ('', ' k', ' M', ' billion'))}"


def gigabytes(amount: float) -> str:
    """GB with three digits; TB where there are thousands, MB where there are parts of one."""
    scaled, unit = (amount / 1000, "TB") if amount >= 1000 else (amount, "GB") if amount >= 1 else (amount * 1000, "MB")
    return f"{float(f'{scaled:.3g}'):,g} {unit}"


# ------------------------------------------------------------------------------------------------------------ the scene


def _as_dicts(devices: "pd.DataFrame | None") -> dict[str, dict]:
    """The devices by name, checked."""
    if devices is None:
        return EXAMPLE_DEVICES
    missing = [column for column in COLUMNS if column not in devices.columns]
    if missing or not len(devices):
        raise CourseError(f"The table of devices needs a row or more and the columns {', '.join(COLUMNS)}.")
    table = devices.loc[:, list(COLUMNS)].astype("float64")
    if not ((table > 0).all(axis=None) and (table < math.inf).all(axis=None)):
        raise CourseError("Every figure in the table of devices must be above zero and finite.")
    return {str(name): row for name, row in table.to_dict("index").items()}


# The table of chapter 01: makers' figures, and example prices of May 2026.
EXAMPLE_DEVICES = {
    name: dict(zip(COLUMNS, figures, strict=True))
    for name, figures in {
        "laptop": (16.0, 0.5, 60.0, 45.0, 0.05),
        "24 GB GPU": (24.0, 165.0, 1_008.0, 450.0, 0.69),
        "80 GB GPU": (80.0, 989.0, 3_350.0, 700.0, 3.00),
        "8 × 80 GB": (640.0, 7_912.0, 26_800.0, 5_600.0, 24.00),
    }.items()
}


def scene(devices: dict[str, dict], size: float, tokens: float, task: str, device: str, precision: str) -> Scene:
    """What the controls' values show."""
    each = BYTES[precision]
    held = {item: amount / 1e9 for item, amount in memory(size, task, each).items()}
    needed = sum(held.values())
    fits = {name: needed <= one["memory_gb"] for name, one in devices.items()}
    took = {name: hours(size, tokens, task, one, each) for name, one in devices.items()}
    paid = {name: took[name] * one["usd_per_hour"] for name, one in devices.items()}
    panels = [
        _memory_panel(held, devices[device]["memory_gb"], device),
        _rows("hours", "Time", "hours (logarithmic)", took, fits, device, _HOURS, duration),
        _rows("money", "Money", "US$ (logarithmic)", paid, fits, device, _MONEY, dollars),
    ]
    sentence = _sentence(devices, size, tokens, task, device, precision, needed, fits, took, paid)
    return Scene(panels, sentence, warning=not fits[device])


def _memory_panel(held: dict[str, float], capacity: float, device: str) -> Panel:
    needed = sum(held.values())
    top = 1.12 * max(needed, capacity)
    words = "activations" if held["gradients"] else "cache"
    layers, bottom = [], 0.0
    for series, (item, amount) in enumerate(held.items()):
        if amount <= 0:
            continue
        layers.append(Box((0.2, 0.8), (bottom, bottom + amount), series=series, width=1))
        # The names stand beside the bar, evenly, in the order of the stack: a thin slice has no room for its own.
        place = top * (0.1 + 0.14 * series)
        label = f"{words if item == 'tokens' else item} {gigabytes(amount)}"
        layers += [
            Points([1.02], [place], series=series, size=9),
            Text([1.1], [place], [label], anchor="left"),
        ]
        bottom += amount
    # A flat box, not a line: a picture draws boxes above lines, and this one has to be seen in front of the bar.
    layers.append(Box((0.0, 1.0), (max(0.0, capacity - 0.005 * top), capacity + 0.005 * top), series=6, width=1))
    layers.append(Text([1.02], [top * 0.7], [f"in all {gigabytes(needed)}"], anchor="left", bold=True))
    return Panel(
        "memory", (0.0, 2.45), (0.0, top), layers, title="Memory", y_title="GB", ticks_x=[],
        x_title=f"black line: {device}, {gigabytes(capacity)}",
        ticks_y=[(at, f"{at:,.0f}" if top >= 5 else f"{at:g}") for at in nice_ticks(0, top, 5)], weight=1.15,
    )  # fmt: skip


def _rows(
    name: str, title: str, x_title: str, values: dict[str, float], fits: dict[str, bool], chosen: str,
    ends: tuple[float, float], told: Callable[[float], str],
) -> Panel:  # fmt: skip
    """A row for each device: a dot where the job fits, a cross where it does not; the chosen one is large and bold."""
    layers: list = []
    if name == "hours":
        for at, word in ((24, "day"), (HOURS_A_YEAR, "year")):
            layers.append(Line([at, at], [-0.6, len(values) - 0.2], colour="#9CA3AF", dash="dot", width=1))
            layers.append(Text([at], [len(values)], [word], size=11))
    for row, (device, value) in enumerate(reversed(values.items())):
        at = min(max(value, ends[0] * 1.6), ends[1] / 1.6)
        series = 0 if fits[device] else 5  # a circle, or a cross
        colour = None if fits[device] else "#6B7280"
        size = 15 if device == chosen else 9
        layers.append(Points([at], [row], series=series, size=size, colour=colour))
        words = told(value) + ("" if fits[device] else ", too small")
        share = (math.log10(at) - math.log10(ends[0])) / (math.log10(ends[1]) - math.log10(ends[0]))
        anchor = "left" if share < 0.35 else "right" if share > 0.65 else "center"  # so that no word leaves the panel
        layers.append(Text([at], [row + 0.38], [words], anchor=anchor, bold=device == chosen))
    return Panel(
        name, ends, (-0.6, len(values) + 0.3), layers, title=title, x_title=x_title, logarithmic="x",
        ticks_y=[(row, device) for row, device in enumerate(reversed(values))], weight=1.0,
    )  # fmt: skip


def _sentence(
    devices: dict, size: float, tokens: float, task: str, device: str, precision: str, needed: float, fits: dict,
    took: dict, paid: dict,
) -> str:  # fmt: skip
    has = devices[device]["memory_gb"]
    what = {
        "train": f"To train {_short(size)} parameters (in mixed precision)",
        "tune (LoRA)": f"To tune {_short(size)} parameters by LoRA, frozen in {precision},",
        "answer": f"To answer with {_short(size)} parameters in {precision}",
    }[task]
    if fits[device]:
        does = f"it fits on the {device}, with {gigabytes(has - needed)} to spare"
    else:
        does = f"it does not fit on the {device}, which has {gigabytes(has)}: {_digits(needed / has)} times too much"
    would = "takes" if fits[device] else "would take"
    work = {
        "train": f"Seeing {_short(tokens)} tokens",
        "tune (LoRA)": f"Seeing {_short(tokens)} tokens",
        "answer": f"Writing {_short(tokens)} tokens, one after another,",
    }[task]
    able = [name for name in devices if fits[name]]
    cheapest = min(able, key=lambda name: paid[name]) if able else None
    if cheapest is None:
        advice = "It fits on none of these devices."
    elif cheapest == device:
        advice = "No other of these devices on which it fits is cheaper."
    else:
        advice = f"Cheapest where it fits: {cheapest}, {dollars(paid[cheapest])}, {duration(took[cheapest])}."
    return (
        f"{what} takes {gigabytes(needed)}: {does}. {work} {would} {duration(took[device])} and "
        f"{dollars(paid[device])}. {advice}"
    )


# --------------------------------------------------------------------------------------------------- live, and at rest


def size_and_cost(devices: "pd.DataFrame | None" = None) -> "Stage":
    """The live explorer. ``devices`` has a row a device and the columns of `COLUMNS`; chapter 01's by default."""
    from course_utils.explorers.stage import Choice, Slider, Stage

    table = _as_dicts(devices)
    names = list(table)
    controls = [
        Slider("size", "parameters", SIZES, 7e9, [_short(size) for size in SIZES]),
        Slider("tokens", "tokens", TOKENS, 1e7, [_short(count) for count in TOKENS]),
        Choice("task", "task", TASKS, "tune (LoRA)"),
        Choice("precision", "stored in", list(BYTES), "bfloat16"),
        Choice("device", "device", names, names[min(1, len(names) - 1)]),
    ]
    return Stage("Size and cost", controls, lambda event: scene(table, **event.values))


def size_and_cost_picture(
    devices: "pd.DataFrame | None" = None, *, size: float, tokens: float, task: str, device: str, alt: str,
    precision: str = "bfloat16",
) -> "go.Figure":  # fmt: skip
    """The same at rest, as a plotly figure. Raises CourseError for an unknown task, device or precision."""
    table = _as_dicts(devices)
    for what, value, known in (("task", task, TASKS), ("device", device, table), ("precision", precision, BYTES)):
        if value not in known:
            raise CourseError(f"{value!r} is no {what}." + near_misses(str(value), list(known)))
    if not (0 < size < math.inf and 0 < tokens < math.inf):
        raise CourseError(f"Size and tokens must be above zero and finite; they are {size!r} and {tokens!r}.")
    return as_figure(scene(table, size, tokens, task, device, precision), alt=alt, width=900)
