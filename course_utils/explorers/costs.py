"""Chapter 01's explorer: a model's size, its tokens and a device, and what comes of them in memory, hours and money.

The formulas are those of the chapter, which derives them; a test holds the two in agreement.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from course_utils.errors import CourseError
from course_utils.explorers.scene import (
    Box,
    Line,
    Panel,
    Points,
    Scene,
    Text,
    as_figure,
    known,
    nice_ticks,
    paragraph,
)  # fmt: skip
from course_utils.language import say, say_many

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from course_utils.explorers.stage import Stage

BYTES = {"float32": 4.0, "bfloat16": 2.0, "int8": 1.0, "int4": 0.5}
TRAIN, TUNE, ANSWER = TASKS = ("train", "tune (LoRA)", "answer")
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
    activations = (34 if task == TRAIN else 24) * tokens * layers * width  # LoRA: no inputs of frozen products
    if task == TRAIN:
        held = {"parameters": 6 * parameters, "gradients": 2 * parameters, "optimiser": 8 * parameters}
        return held | {"tokens": activations}
    if task == TUNE:
        trained = lora_parameters(parameters)
        held = {"parameters": each * parameters + 6 * trained, "gradients": 2 * trained, "optimiser": 8 * trained}
        return held | {"tokens": activations}
    cache = 2 * layers * width * tokens * 2
    return {"parameters": each * parameters, "gradients": 0.0, "optimiser": 0.0, "tokens": cache}


def operations(parameters: float, tokens: float, task: str) -> float:
    """FLOPs: 6 N D to train, 4 N D with LoRA, 2 N D to answer."""
    if task == TRAIN:
        return 6 * parameters * tokens
    if task == TUNE:
        return 4 * parameters * tokens + 6 * lora_parameters(parameters) * tokens
    return 2 * parameters * tokens


def hours(parameters: float, tokens: float, task: str, device: dict, each: float = 2.0) -> float:
    """Hours on a device; answers are written one token after another, each of which reads parameters and cache."""
    compute = operations(parameters, tokens, task) / (UTILISATION * device["tflops"] * 1e12)
    if task == ANSWER:
        compute = max(compute, tokens * sum(memory(parameters, task, each).values()) / (device["gb_per_s"] * 1e9))
    return compute / 3600


# ------------------------------------------------------------------------------------------------------------- in words


def _short(value: float, units: tuple[str, ...] = ("", " k", " M", " B", " T")) -> str:
    """Three digits and a unit: 1.75e11 is "175 B"."""
    power = min(max(int(math.log10(value) / 3 + 1e-9), 0), len(units) - 1) if value > 0 else 0
    scaled = value / 1000**power
    return (f"{scaled:,.0f}" if scaled >= 100 else f"{float(f'{scaled:.3g}'):g}") + units[power]


def duration(in_hours: float) -> str:
    """Hours in the unit in which one would say them."""
    if in_hours >= 1e6 * HOURS_A_YEAR:
        return say("{number} million years", number=_digits(in_hours / HOURS_A_YEAR / 1e6))
    if in_hours >= HOURS_A_YEAR:
        number = _digits(in_hours / HOURS_A_YEAR)
        return say_many("{number} year", "{number} years", 1 if number == "1" else 2, number=number)
    if in_hours >= 24:
        number = _digits(in_hours / 24)
        return say_many("{number} day", "{number} days", 1 if number == "1" else 2, number=number)
    if in_hours >= 1:
        return say("{number} h", number=_digits(in_hours))
    if in_hours >= 1 / 60:
        return say("{number} min", number=_digits(in_hours * 60))
    if in_hours >= 1 / 3600:
        return say("{number} s", number=_digits(in_hours * 3600))
    return say("{number} ms", number=_digits(in_hours * 3.6e6))


def _digits(value: float) -> str:
    """Two digits, all of a whole number below a thousand, thousands with a comma."""
    if value >= 100:
        return f"{value:.0f}" if value < 1000 else f"{float(f'{value:.2g}'):,.0f}"
    return f"{float(f'{value:.2g}'):g}"


def dollars(amount: float) -> str:
    """US dollars with the digits that matter."""
    if amount < 0.01:
        return say("< 1 cent")
    if amount < 10:
        return f"${amount:.2f}"
    if math.log10(amount) / 3 + 1e-9 >= 3:  # as _short counts
        return say("${number} billion", number=_short(amount / 1e9, ("",)))
    return f"${_short(amount, ('', ' k', ' M'))}"


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
        columns = ", ".join(COLUMNS)
        raise CourseError(say("The table of devices needs a row or more and the columns {columns}.", columns=columns))
    table = devices.loc[:, list(COLUMNS)].astype("float64")
    if not ((table > 0).all(axis=None) and (table < math.inf).all(axis=None)):
        raise CourseError(say("Every number in the table of devices must be above zero and finite."))
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
        _rows("hours", say("Time"), say("hours (logarithmic)"), took, fits, device, _HOURS, duration),
        _rows("money", say("Money"), say("US$ (logarithmic)"), paid, fits, device, _MONEY, dollars),
    ]
    sentence = _sentence(devices, size, tokens, task, device, precision, needed, fits, took, paid)
    return Scene(panels, sentence, warning=not fits[device])


def _memory_panel(held: dict[str, float], capacity: float, device: str) -> Panel:
    needed = sum(held.values())
    top = 1.12 * max(needed, capacity)
    layers, bottom = [], 0.0
    for series, (item, amount) in enumerate(held.items()):
        if amount <= 0:
            continue
        layers.append(Box((0.2, 0.8), (bottom, bottom + amount), series=series, width=1))
        # The names stand beside the bar, evenly, in the order of the stack: a thin slice has no room for its own.
        place = top * (0.1 + 0.14 * series)
        label = _item(item, gigabytes(amount), cached=not held["gradients"])
        layers += [
            Points([1.02], [place], series=series, size=9),
            Text([1.1], [place], [label], anchor="left"),
        ]
        bottom += amount
    # A flat box, not a line: a picture draws boxes above lines, and this one has to be seen in front of the bar.
    layers.append(Box((0.0, 1.0), (max(0.0, capacity - 0.005 * top), capacity + 0.005 * top), series=6, width=1))
    layers.append(
        Text([1.02], [top * 0.7], [say("in all {memory}", memory=gigabytes(needed))], anchor="left", bold=True)
    )
    return Panel(
        "memory", (0.0, 2.45), (0.0, top), layers, title=say("Memory"), y_title=say("GB"), ticks_x=[],
        x_title=say("black line: {device}, {memory}", device=device, memory=gigabytes(capacity)),
        ticks_y=[(at, f"{at:,.0f}" if top >= 5 else f"{at:g}") for at in nice_ticks(0, top, 5)], weight=1.15,
    )  # fmt: skip


def _item(item: str, memory: str, *, cached: bool) -> str:
    """A slice of the bar, named; what grows with the tokens is a cache or activations."""
    if item == "parameters":
        return say("parameters {memory}", memory=memory)
    if item == "gradients":
        return say("gradients {memory}", memory=memory)
    if item == "optimiser":
        return say("optimiser {memory}", memory=memory)
    return say("cache {memory}", memory=memory) if cached else say("activations {memory}", memory=memory)


def _rows(
    name: str, title: str, x_title: str, values: dict[str, float], fits: dict[str, bool], chosen: str,
    ends: tuple[float, float], told: Callable[[float], str],
) -> Panel:  # fmt: skip
    """A row for each device: a dot where the job fits, a cross where it does not; the chosen one is large and bold."""
    layers: list = []
    if name == "hours":
        for at, word in ((24, say("day")), (HOURS_A_YEAR, say("year"))):
            layers.append(Line([at, at], [-0.6, len(values) - 0.2], colour="#9CA3AF", dash="dot", width=1))
            layers.append(Text([at], [len(values)], [word], size=11))
    for row, (device, value) in enumerate(reversed(values.items())):
        at = min(max(value, ends[0] * 1.6), ends[1] / 1.6)
        series = 0 if fits[device] else 5  # a circle, or a cross
        colour = None if fits[device] else "#6B7280"
        size = 15 if device == chosen else 9
        layers.append(Points([at], [row], series=series, size=size, colour=colour))
        words = told(value) if fits[device] else say("{amount}, too small", amount=told(value))
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
    fields = {
        "size": _short(size),
        "precision": precision,
        "needed": gigabytes(needed),
        "device": device,
        "has": gigabytes(has),
        "spare": gigabytes(has - needed),
        "times": _digits(needed / has),
        "tokens": _short(tokens),
        "duration": duration(took[device]),
        "money": dollars(paid[device]),
    }
    able = [name for name in devices if fits[name]]
    cheapest = min(able, key=lambda name: paid[name]) if able else None
    if cheapest is None:
        advice = say("It fits on none of these devices.")
    elif cheapest == device:
        advice = say("No other of these devices on which it fits is cheaper.")
    else:
        advice = say(
            "Cheapest where it fits: {device}, {money}, {duration}.",
            device=cheapest,
            money=dollars(paid[cheapest]),
            duration=duration(took[cheapest]),
        )
    return paragraph(_of_memory(task, fits[device], fields), _of_effort(task, fits[device], fields), advice)


def _of_memory(task: str, fits: bool, fields: dict) -> str:
    if task == TRAIN and fits:
        return say(
            "To train {size} parameters (in mixed precision) takes {needed}: it fits on the {device}, with {spare} to "
            "spare.",
            **fields,
        )
    if task == TRAIN:
        return say(
            "To train {size} parameters (in mixed precision) takes {needed}: it does not fit on the {device}, which "
            "has {has}: {times} times too much.",
            **fields,
        )
    if task == TUNE and fits:
        return say(
            "To tune {size} parameters by LoRA, frozen in {precision}, takes {needed}: it fits on the {device}, with "
            "{spare} to spare.",
            **fields,
        )
    if task == TUNE:
        return say(
            "To tune {size} parameters by LoRA, frozen in {precision}, takes {needed}: it does not fit on the "
            "{device}, which has {has}: {times} times too much.",
            **fields,
        )
    if fits:
        return say(
            "To answer with {size} parameters in {precision} takes {needed}: it fits on the {device}, with {spare} to "
            "spare.",
            **fields,
        )
    return say(
        "To answer with {size} parameters in {precision} takes {needed}: it does not fit on the {device}, which has "
        "{has}: {times} times too much.",
        **fields,
    )


def _of_effort(task: str, fits: bool, fields: dict) -> str:
    if task == ANSWER and fits:
        return say("Writing {tokens} tokens, one after another, takes {duration} and {money}.", **fields)
    if task == ANSWER:
        return say("Writing {tokens} tokens, one after another, would take {duration} and {money}.", **fields)
    if fits:
        return say("Seeing {tokens} tokens takes {duration} and {money}.", **fields)
    return say("Seeing {tokens} tokens would take {duration} and {money}.", **fields)


# --------------------------------------------------------------------------------------------------- live, and at rest


def task_labels() -> dict[str, str]:
    """The names in `TASKS` → what a reader sees."""
    return {TRAIN: say("train"), TUNE: say("tune (LoRA)"), ANSWER: say("answer")}


def size_and_cost(devices: "pd.DataFrame | None" = None) -> "Stage":
    """The live explorer. ``devices`` has a row a device and the columns of `COLUMNS`; chapter 01's by default."""
    from course_utils.explorers.stage import Choice, Slider, Stage

    table = _as_dicts(devices)
    names = list(table)
    controls = [
        Slider("size", say("parameters"), SIZES, 7e9, [_short(size) for size in SIZES]),
        Slider("tokens", say("tokens"), TOKENS, 1e7, [_short(count) for count in TOKENS]),
        Choice("task", say("task"), task_labels(), TUNE),
        Choice("precision", say("stored in"), {name: name for name in BYTES}, "bfloat16"),
        Choice("device", say("device"), {name: name for name in names}, names[min(1, len(names) - 1)]),
    ]
    return Stage(say("Size and cost"), controls, lambda event: scene(table, **event.values))


def size_and_cost_picture(
    devices: "pd.DataFrame | None" = None, *, size: float, tokens: float, task: str, device: str, alt: str,
    precision: str = "bfloat16",
) -> "go.Figure":  # fmt: skip
    """The same at rest, as a plotly figure. Raises CourseError for an unknown task, device or precision."""
    table = _as_dicts(devices)
    known(task, TASKS, say("{name!r} is no task.", name=task))
    known(device, table, say("{name!r} is no device.", name=device))
    known(precision, BYTES, say("{name!r} is no precision.", name=precision))
    if not (0 < size < math.inf and 0 < tokens < math.inf):
        raise CourseError(
            say(
                "Size and tokens must be above zero and finite; they are {size!r} and {tokens!r}.",
                size=size,
                tokens=tokens,
            )
        )
    return as_figure(scene(table, size, tokens, task, device, precision), alt=alt, width=900)
