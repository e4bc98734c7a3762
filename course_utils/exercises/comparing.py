"""Answers as arrays: what may be one, how it is shown, and how two of them differ, in words."""

import math
import numbers
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

_LONGEST = 400
_KINDS = {"b": "truth values (True or False)", "i": "whole numbers", "f": "numbers"}


class NotAnArray(Exception):
    """Why a value cannot be read as an array of numbers, as the end of a sentence that begins with what it is."""


@dataclass(frozen=True)
class Difference:
    """How a value differs from the expected one: "type", "shape", "dtype", "nan" or "value"; a sentence; a hint."""

    kind: str
    message: str
    hint: str = ""


def clean(text: str) -> str:
    """A text that is the same in every run and not too long: without memory addresses, cut in the middle of nowhere."""
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", text).strip()
    return text if len(text) <= _LONGEST else text[: _LONGEST - 2] + " …"


def text_of(value: Any) -> str:
    """A value as the learner is shown it; never raises, never long, the same in every run."""
    try:
        if isinstance(value, np.ndarray | np.generic):
            if value.ndim == 0:
                return clean(str(value[()]))
            with np.printoptions(threshold=60, edgeitems=3, precision=4, suppress=True, linewidth=88):
                text = repr(value)
            return clean(text) if value.size <= 60 else f"{clean(text)}\nof shape {value.shape}"
        if isinstance(value, type):
            return f"the class {value.__name__}"
        if isinstance(value, types.FunctionType | types.BuiltinFunctionType | types.MethodType):
            return f"the function {value.__name__}"
        if isinstance(value, int) and not isinstance(value, bool):
            return clean(f"{value:,}") if abs(value) < 10**30 else "a number of more than thirty digits"
        return clean(re.sub(r"\bnp\.\w+\(([^()]*)\)", r"\1", repr(value)))  # [np.float64(0.5)] is [0.5]
    except Exception:
        return f"a {type(value).__name__} that cannot be shown"


def name_of(value: Any) -> str:
    """A value's type with its article: "a list", "an array", "a function"."""
    if value is None:
        return "None"
    if isinstance(value, type):
        return "a class"
    if isinstance(value, types.FunctionType | types.BuiltinFunctionType | types.MethodType):
        return "a function"
    if isinstance(value, str | bytes):
        return "a text"
    if isinstance(value, np.ndarray):
        return "an array"
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _refuse_what_holds_no_numbers(value: Any) -> None:
    if isinstance(value, type) or (callable(value) and not hasattr(value, "__array__")):
        raise NotAnArray(f"is {name_of(value)}, not a result: call it, or name what it returned")
    if isinstance(value, str | bytes):
        raise NotAnArray("is a text: write numbers without quotes")
    if isinstance(value, Iterator):
        raise NotAnArray(f"is {name_of(value)}, which has not computed anything yet: collect its values first")
    if isinstance(value, dict | set | frozenset) or value is None:
        raise NotAnArray(f"is {name_of(value)}, not an array of numbers")


def as_array(value: Any) -> np.ndarray:
    """A number, (nested) list, array or any framework's tensor as a NumPy array of booleans, integers or floats.

    Imports no framework: a tensor is asked for its values by NumPy's own protocol. Raises NotAnArray.
    """
    _refuse_what_holds_no_numbers(value)
    if hasattr(value, "detach") and hasattr(value, "cpu"):  # PyTorch gives no array while it tracks gradients
        value = value.detach().cpu()
    try:
        array = np.asarray(value)
        if array.dtype == object and isinstance(value, list | tuple):
            array = np.array([as_array(item) for item in value])
    except NotAnArray as error:
        raise NotAnArray(f"holds something that {error}") from None
    except Exception as error:
        if "inhomogeneous" in str(error):
            raise NotAnArray("has rows of different lengths: an array needs rows of one length") from None
        raise NotAnArray(f"is {name_of(value)}, which has no values to look at") from None
    if array.dtype == object and array.size and all(isinstance(item, numbers.Real) for item in array.flat):
        array = array.astype(np.float64)
    if array.dtype.kind == "V" and array.dtype.names is None:  # bfloat16 and its kin, from tensors
        try:
            array = array.astype(np.float32)
        except (TypeError, ValueError):
            raise NotAnArray(f"holds values of type {array.dtype}, not numbers") from None
    if array.dtype.kind not in "biuf":
        inside = "text" if array.dtype.kind in "US" else f"values of type {array.dtype}"
        what = name_of(value) if array.ndim == 0 else f"{name_of(value)} that holds {inside}"
        raise NotAnArray(f"is {what}, not an array of numbers")
    return array


def precision_of(value: Any) -> float:
    """The spacing of a value's own float type at 1: a float16 result may be as wrong as float16 is."""
    dtype = getattr(value, "dtype", None)
    name = str(getattr(dtype, "name", dtype)).removeprefix("torch.")
    return {"bfloat16": 2.0**-7, "float16": 2.0**-10, "float32": 2.0**-23}.get(name, 2.0**-52)


def identical(first: Any, second: Any) -> bool:
    """Whether two inputs are the same, values, types and all; containers part by part."""
    if type(first) is not type(second):
        return False
    if isinstance(first, np.ndarray):
        return first.dtype == second.dtype and np.array_equal(first, second, equal_nan=first.dtype.kind == "f")
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(identical, first, second))
    if isinstance(first, dict):
        return list(first) == list(second) and all(identical(first[key], second[key]) for key in first)
    if isinstance(first, int | float | str | bool):
        return first == second or first != first
    return True  # an object without values of its own (a generator of random numbers, a layer) is not compared


def _close(came: np.ndarray, expected: np.ndarray, tolerance: float, by_norm: bool) -> np.ndarray:
    """Entry by entry, whether they agree. ``by_norm``: all or none, by the relative norm of the difference."""
    if expected.dtype.kind in "biu" and came.dtype.kind in "biu":
        return came == expected
    came, expected = came.astype(np.float64), expected.astype(np.float64)
    alike = (came == expected) | (np.isnan(came) & np.isnan(expected))
    finite = np.isfinite(came) & np.isfinite(expected)
    if by_norm:
        if not np.all(finite | alike):
            return finite | alike
        scale = np.linalg.norm(came[finite]) + np.linalg.norm(expected[finite])
        distance = np.linalg.norm(came[finite] - expected[finite])
        return np.full(came.shape, bool(distance <= tolerance * max(scale, np.finfo(np.float64).tiny)))
    with np.errstate(invalid="ignore"):
        near = np.abs(came - expected) <= tolerance * np.maximum(1.0, np.abs(expected))
    return alike | (finite & near)


def _place(index: tuple[int, ...]) -> str:
    if not index:
        return ""
    return f" at position {index[0]}" if len(index) == 1 else f" at position ({', '.join(map(str, index))})"


def _kind(array: np.ndarray) -> str:
    return "i" if array.dtype.kind in "iu" else array.dtype.kind


def _different_values(came: np.ndarray, expected: np.ndarray, agree: np.ndarray) -> Difference:
    wrong = [tuple(int(i) for i in index) for index in np.argwhere(~agree)]
    for index in wrong:
        if came.dtype.kind == "f" and expected.dtype.kind == "f":
            if np.isnan(came[index]) and not np.isnan(expected[index]):
                return Difference("nan", f"The result is NaN (not a number){_place(index)}, where a number belongs.")
            if np.isnan(expected[index]) and not np.isnan(came[index]):
                return Difference("nan", f"The result is a number{_place(index)}, where NaN (not a number) belongs.")
        elif came.dtype.kind == "f" and np.isnan(came[index]):
            return Difference("nan", f"The result is NaN (not a number){_place(index)}, where a number belongs.")
        if came.dtype.kind == "f" and np.isinf(came[index]):
            return Difference("nan", f"The result is infinite{_place(index)}.")
    if not expected.shape:
        return Difference("value", "The result is not the expected one.")
    count = "All entries differ" if len(wrong) == agree.size else f"{len(wrong)} of {agree.size} entries differ"
    return Difference("value", f"{count} from the expected ones, the first{_place(wrong[0])}.")


def compare(came: Any, expected: Any, tolerance: float = 1e-6, by_norm: bool = False) -> Difference | None:
    """How what came differs from what was expected; None when it does not.

    Expected may be a number, an array, a text, or a tuple or dict of these. Whole numbers are welcome where floats are
    expected, not the other way round. ``tolerance`` is relative, and absolute below 1; ``by_norm`` compares gradients:
    |came - expected| ≤ tolerance · (|came| + |expected|), taken over the whole array.
    """
    if isinstance(expected, tuple | dict):
        return _compare_parts(came, expected, tolerance, by_norm)
    if isinstance(expected, str):
        if not isinstance(came, str):
            return Difference("type", f"The result is {name_of(came)}; expected is a text.")
        return None if came == expected else Difference("value", "The result is not the expected text.")
    expected = np.asarray(expected)
    try:
        array = as_array(came)
    except NotAnArray as error:
        wanted = f"an array of shape {expected.shape}" if expected.shape else "a single number"
        return Difference("type", f"The result {error}. Expected is {wanted}.")
    if array.shape != expected.shape:
        single = " (a single number)"
        return Difference(
            "shape",
            f"The result has shape {array.shape}{'' if array.shape else single}; "
            f"expected is shape {expected.shape}{'' if expected.shape else single}.",
        )
    tolerance += 4 * precision_of(came)
    agree = _close(array, expected, tolerance, by_norm)
    have, want = _kind(array), _kind(expected)
    if have == want or (have == "i" and want == "f"):
        return None if agree.all() else _different_values(array, expected, agree)
    if agree.all():
        hint = {"i": "Turn the result into whole numbers: `.astype(int)`.", "f": "", "b": ""}[want]
        return Difference(
            "dtype", f"The values are right, but they are {array.dtype}; expected are {_KINDS[want]}.", hint
        )
    difference = _different_values(array, expected, agree)
    if difference.kind == "nan":
        return difference
    return Difference("dtype", f"The result holds {array.dtype}; expected are {_KINDS[want]}. {difference.message}")


def _compare_parts(came: Any, expected: tuple | dict, tolerance: float, by_norm: bool) -> Difference | None:
    names = list(expected) if isinstance(expected, dict) else list(range(len(expected)))
    if isinstance(expected, dict):
        if not isinstance(came, dict):
            return Difference(
                "type", f"The result is {name_of(came)}; expected is a dict with {', '.join(map(repr, names))}."
            )
        if set(came) != set(expected):
            wanted, have = ", ".join(map(repr, names)), ", ".join(map(repr, came))
            return Difference("shape", f"The result has the keys {have or '(none)'}; expected are {wanted}.")
    elif not isinstance(came, tuple | list):
        return Difference("type", f"The result is {name_of(came)}; expected are {len(expected)} results, as a tuple.")
    elif len(came) != len(expected):
        return Difference("shape", f"{len(came)} results came; expected are {len(expected)}, as a tuple.")
    for name in names:
        difference = compare(came[name], expected[name], tolerance, by_norm)
        if difference is not None:
            part = f"Part {name!r}" if isinstance(expected, dict) else f"Result {name + 1} of {len(expected)}"
            return Difference(difference.kind, f"{part}: {difference.message}", difference.hint)
    return None


def same(first: Any, second: Any, tolerance: float = 1e-6, by_norm: bool = False) -> bool:
    """Whether two results are the same for the recognition of a mistake: shape and values; truth values stay apart."""
    if isinstance(second, tuple | dict):
        if type(first) is not type(second) and not (isinstance(first, list) and isinstance(second, tuple)):
            return False
        if len(first) != len(second) or (isinstance(second, dict) and set(first) != set(second)):
            return False
        names = second if isinstance(second, dict) else range(len(second))
        return all(same(first[name], second[name], tolerance, by_norm) for name in names)
    if isinstance(second, str) or isinstance(first, str):
        return isinstance(first, str) and isinstance(second, str) and first == second
    try:
        first_array, second_array = as_array(first), as_array(second)
    except NotAnArray:
        return type(first) is type(second) and first is None
    if first_array.shape != second_array.shape or (first_array.dtype == bool) != (second_array.dtype == bool):
        return False
    return bool(_close(first_array, second_array, tolerance + 4 * precision_of(first), by_norm).all())


def as_number(value: Any) -> int | float:
    """A single finite number from a number, a zero-dimensional array or a tensor. Raises NotAnArray with the reason."""
    if isinstance(value, tuple) and len(value) > 1 and all(type(item) is int for item in value):
        raise NotAnArray("is a tuple: in Python a comma separates values, so write thousands without one (or with _)")
    if isinstance(value, bool | np.bool_):
        raise NotAnArray("is a truth value, not a number")
    if isinstance(value, complex | np.complexfloating):
        raise NotAnArray("is a complex number; a real one is asked for")
    if isinstance(value, int):
        return value
    if isinstance(value, numbers.Rational) or type(value).__name__ == "Decimal":
        return float(value) if value != int(value) else int(value)
    array = as_array(value)
    if array.shape:
        raise NotAnArray(f"has shape {array.shape}; a single number, shape (), is asked for")
    number = array[()].item()
    if isinstance(number, bool):
        raise NotAnArray("is a truth value, not a number")
    if math.isnan(number):
        raise NotAnArray("is NaN (not a number): something before it divided zero by zero or met a missing value")
    if math.isinf(number):
        raise NotAnArray("is infinite: something before it divided by zero or grew too large")
    return number
