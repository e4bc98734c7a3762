"""Whether an executed chapter says what its stored edition says: words to the letter, numbers within a tolerance.

Processors differ in the last bit of a float, so no float is compared to it: numbers agree within `RELATIVE` of the
larger one (or 1e-12, where rounding is all there is). Whole numbers are equal. A cell may state a wider tolerance for
what it trained, ``compare-within=0.02`` among its tags: then numbers agree within 0.02, or within 2 % where they are
above 1, and of those below a thousandth the order of magnitude is held. Pictures are drawn from figures and are not
compared.
"""

import base64
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from course_utils.authoring.normalise import PLOTLY, normalise_outputs
from course_utils.authoring.output_rules import joined_output
from course_utils.errors import CourseError
from course_utils.language import say

RELATIVE = 1e-9
IGNORE = "nbval-ignore-output"
WITHIN = "compare-within="
WIDEST = 0.5
SMALL, ORDERS = 1e-3, 1e3  # of two numbers below SMALL, neither of them zero, none is more than ORDERS times the other

_NUMBER = re.compile(r"(?<![\w.])[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+|(?<=\d)\.|(?<=\d))(?:[eE][-+]?\d+)?(?![\d])")
_LEFT_OUT = ("image/png", "image/svg+xml", "image/jpeg")


def tolerance(tags: Iterable[str]) -> float | None:
    """What the tags of a cell ask for: None where its output is not compared, else the tolerance of its numbers.

    Raises CourseError for a tolerance that is none: not a number, below 0 or above `WIDEST`.
    """
    tags = list(tags)
    stated = [tag for tag in tags if tag.startswith(WITHIN)]
    if not stated:
        return None if IGNORE in tags else 0.0
    try:
        value = float(stated[0].removeprefix(WITHIN))
    except ValueError:
        value = math.nan
    if len(stated) > 1 or not 0 <= value <= WIDEST:
        raise CourseError(
            say(
                "The tag {tag} states no tolerance: expected one number from 0 to {widest}, such as {within}0.05.",
                tag=", ".join(stated),
                widest=WIDEST,
                within=WITHIN,
            )
        )
    return value


def differences(executed: Mapping[str, Any], stored: Mapping[str, Any]) -> list[str]:
    """A sentence for each cell of ``stored`` that says something else in ``executed`` (notebooks as dictionaries).

    Cells are found by their id. Left out are the cells of exercises, whose answers the two editions do not share, and
    those tagged `IGNORE` that state no tolerance. A code cell of ``stored`` that is missing is a difference.
    """
    ran = {cell.get("id"): cell for cell in executed["cells"]}
    found = []
    for cell in stored["cells"]:
        metadata = cell.get("metadata", {})
        within = tolerance(metadata.get("tags", []))
        if cell["cell_type"] != "code" or "exercise" in metadata or within is None:
            continue
        if cell.get("id") not in ran:
            found.append(f"cell {cell.get('id')} was not executed")
            continue
        for problem in output_differences(ran[cell["id"]].get("outputs", []), cell.get("outputs", []), within):
            found.append(f"cell {cell['id']}: {problem}")
    return found


def output_differences(ran: list, stored: list, within: float = 0.0) -> list[str]:
    """What differs between two lists of outputs; ``within`` is the tolerance of a cell, 0 for none but rounding."""
    ran, stored = (
        [_compared(output) for output in normalise_outputs([joined_output(output) for output in outputs])]
        for outputs in (ran, stored)
    )
    if [sorted(output) for output in ran] != [sorted(output) for output in stored]:
        return [f"shows {_kinds(ran)} instead of {_kinds(stored)}"]
    found = []
    for new, old in zip(ran, stored, strict=True):
        for kind in old:
            pairs = _different(new[kind], old[kind], within, logarithmic=_logarithmic(old[kind]))
            found += [f"{kind}{place}: {problem}" for place, problem in pairs]
    return found


def _compared(output: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an output that is compared, by kind."""
    if output["output_type"] == "stream":
        return {output["name"]: output["text"]}
    if output["output_type"] == "error":
        return {"error": f"{output['ename']}: {output['evalue']}"}
    data = {kind: value for kind, value in output["data"].items() if kind not in _LEFT_OUT}
    # Beside a figure the text is its first lines or its type, never more than the figure itself says.
    return {PLOTLY: data[PLOTLY]} if PLOTLY in data else data


def _kinds(outputs: list[dict[str, Any]]) -> str:
    return ", ".join(" + ".join(sorted(output)) for output in outputs) or "nothing"


def _logarithmic(figure: Any) -> bool:
    """Whether a figure has a logarithmic axis: there a small number shows as much as a large one."""
    layout = figure.get("layout", {}) if isinstance(figure, dict) else {}
    return any(isinstance(axis, dict) and axis.get("type") == "log" for axis in layout.values())


def _different(
    new: Any, old: Any, within: float, place: str = "", *, logarithmic: bool = False
) -> Iterator[tuple[str, str]]:
    """(place, what differs) between two JSON values."""
    arrays = _decoded(new), _decoded(old)
    if all(isinstance(array, np.ndarray) for array in arrays):
        yield from _different_arrays(*arrays, within, place, logarithmic)
    elif isinstance(old, dict) and isinstance(new, dict):
        if set(new) != set(old):
            yield place, f"has {sorted(set(new) - set(old))} more and {sorted(set(old) - set(new))} less"
        for name in sorted(set(new) & set(old)):
            yield from _different(new[name], old[name], within, f"{place}.{name}", logarithmic=logarithmic)
    elif isinstance(old, list) and isinstance(new, list):
        if len(new) != len(old):
            yield place, f"has {len(new)} entries instead of {len(old)}"
            return
        for number, (a, b) in enumerate(zip(new, old, strict=True)):
            yield from _different(a, b, within, f"{place}[{number}]", logarithmic=logarithmic)
    elif _is_number(old) and _is_number(new):
        if not close(new, old, within):
            yield place, f"{new} instead of {old}"
    elif isinstance(old, str) and isinstance(new, str):
        problem = _different_texts(new, old, within)
        if problem:
            yield place, problem
    elif new != old or type(new) is not type(old):
        yield place, f"{new!r} instead of {old!r}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _decoded(value: Any) -> Any:
    """plotly's binary arrays, and lists of numbers, as arrays; everything else as it is."""
    if isinstance(value, dict) and set(value) <= {"bdata", "dtype", "shape"} and {"bdata", "dtype"} <= set(value):
        array = np.frombuffer(base64.b64decode(value["bdata"]), dtype=np.dtype(value["dtype"]).newbyteorder("<"))
        shape = value.get("shape")
        return array.reshape([int(n) for n in str(shape).split(",")]) if shape else array
    if isinstance(value, list) and value and all(_is_number(entry) for entry in value):
        whole = all(isinstance(entry, int) for entry in value) and max(map(abs, value)) < 2**63
        return np.asarray(value, dtype=np.int64 if whole else np.float64)
    return value


def _different_arrays(
    new: np.ndarray, old: np.ndarray, within: float, place: str, logarithmic: bool
) -> Iterator[tuple[str, str]]:
    if new.shape != old.shape:
        yield place, f"has shape {new.shape} instead of {old.shape}"
        return
    if all(array.dtype.kind in "iu" for array in (new, old)) and not within:
        both = new == old
    else:
        new, old = new.astype(np.float64), old.astype(np.float64)
        # What is nearly zero beside the rest of its array is rounding (a sum that cancels, say), but not where the
        # reader sees orders of magnitude.
        scale = 0.0 if logarithmic else np.nanmax(np.abs(old), initial=0.0, where=np.isfinite(old))
        least = max(RELATIVE * scale, within)
        both = np.isclose(new, old, rtol=max(RELATIVE, within), atol=least, equal_nan=True)
        if within:
            both &= _same_order(new, old, 1.0 if logarithmic else SMALL)
    if not both.all():
        first = np.argwhere(~both)[0]
        at = ", ".join(map(str, first))
        yield (
            place,
            f"{(~both).sum()} of {both.size} numbers; at [{at}] {new[tuple(first)]} instead of {old[tuple(first)]}",
        )


def close(a: float, b: float, within: float = 0.0) -> bool:
    """Whether two numbers agree: within `RELATIVE` of the larger, or within ``within`` (of 1, or of the larger)."""
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    near = math.isclose(a, b, rel_tol=max(RELATIVE, within), abs_tol=max(1e-12, within))
    return near and (not within or bool(_same_order(np.float64(a), np.float64(b), SMALL)))


def _same_order(a: np.ndarray, b: np.ndarray, small: float) -> np.ndarray:
    """Of numbers below ``small``, whether they are of about the same order of magnitude; zero is of any."""
    a, b = np.abs(a), np.abs(b)
    with np.errstate(invalid="ignore"):
        least, most = np.minimum(a, b), np.maximum(a, b)
        return ~((most < small) & (least > 0) & (most > ORDERS * least))


def _different_texts(new: str, old: str, within: float) -> str:
    """What differs between two texts, or nothing: their words to the letter, their numbers as numbers."""
    # How wide a table's columns are depends on its numbers; where its lines end does not.
    words = [[" ".join(line.split()) for line in _NUMBER.sub("\0", text).splitlines()] for text in (new, old)]
    if words[0] != words[1]:
        return f'"{_around(new, old)}" instead of "{_around(old, new)}"'
    for a, b in zip(_NUMBER.findall(new), _NUMBER.findall(old), strict=True):
        whole = not re.search(r"[.eE]", a + b) and not within
        same = _whole(a) == _whole(b) if whole else close(_value(a), _value(b), within)
        if not same:
            return f"{a} instead of {b}"
    return ""


def _whole(number: str) -> int:
    return int(number.replace(",", "").replace("−", "-"))


def _value(number: str) -> float:
    return float(number.replace(",", "").replace("−", "-"))


def _around(text: str, other: str, width: int = 40) -> str:
    """Where two texts part, with a little of what stands before."""
    at = next((i for i, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other)))
    return " ".join(text[max(0, at - width // 2) : at + width].split())
