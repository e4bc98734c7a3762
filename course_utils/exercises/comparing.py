"""Numbers and arrays: what may be one, how it is shown, and how two of them differ, in words.

What a learner hands over may be any object at all. What is asked of it here (its text, its values) may raise, print or
never end: the judges look at an answer through `calling.call`, which bears that.
"""

import decimal
import math
import numbers
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_utils.console import plain
from course_utils.language import say, say_many

_LONGEST = 400  # characters of one value
_MOST = 20_000  # entries of a list that is read as an array
_DEEPEST = 64  # levels of a nested list: NumPy has no more axes
_SHOWN = 2_000  # entries of a list that is written out in order to be cut
_MOST_DIGITS = 400  # a float ends at 10**308
_LONG_NUMBER = re.compile(r"[0-9]{31,}")
_PLAIN = {int, float, bool, complex, type(None), str, bytes}
_FUNCTIONS = types.FunctionType | types.BuiltinFunctionType | types.MethodType


class NotAnArray(Exception):
    """Why a value cannot be read as numbers: ``kind``, a short name for it, and a whole sentence."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Difference:
    """How a value differs from the expected one: a ``kind`` ("type", "shape", "dtype", "nan", "value"), a sentence, a
    hint, and the keys that lead to the part that differs, where there are several."""

    kind: str
    message: str
    hint: str = ""
    parts: tuple = ()


def clean(text: str) -> str:
    """A text that is the same in every run, not too long, and harmless to show.

    Memory addresses, control characters and halves of surrogate pairs are taken out; what is too long is cut, and so is
    a number of more than thirty digits, wherever in it.
    """
    text = plain(re.sub(r" at 0x[0-9a-fA-F]+", "", text[: 20 * _LONGEST])).strip()
    text = _LONG_NUMBER.sub(lambda found: say("{start}… (more than thirty digits)", start=found[0][:10]), text)
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= _LONGEST else text[: _LONGEST - 2] + " …"


def class_name(kind: type) -> str:
    """The name of a class, whatever its metaclass says."""
    return clean(type.__dict__["__name__"].__get__(kind)) or "?"


def _is_larger(value: Any, most: int) -> bool:
    """Whether a nested list, tuple, set or dict has more entries than ``most``, those of its entries counted too."""
    count, pending = 0, [value]
    while pending and count <= most:
        item = pending.pop()
        if isinstance(item, list | tuple | set | frozenset | dict):
            count += len(item)
            entries = () if count > most else [*item.keys(), *item.values()] if isinstance(item, dict) else item
            pending.extend(entry for entry in entries if type(entry) not in _PLAIN)
    return count > most


def text_of(value: Any) -> str:
    """A value as the learner is shown it; never long, the same in every run; its own errors are said."""
    try:
        if isinstance(value, np.ndarray | np.generic):
            if value.ndim == 0:
                return clean(str(value[()]))
            with np.printoptions(threshold=60, edgeitems=3, precision=4, suppress=True, linewidth=88):
                text = repr(value)
            if value.size <= 60:
                return clean(text)
            return say("{values}\nof shape {shape}", values=clean(text), shape=_shape(value.shape))
        if isinstance(value, type):
            return say("the class {name}", name=class_name(value))
        if isinstance(value, _FUNCTIONS):
            return say("the function {name}", name=clean(value.__name__))
        if isinstance(value, int) and not isinstance(value, bool):
            small = abs(value) < 10**30
            return clean(f"{value:,}") if small else say("a number of more than thirty digits")
        if isinstance(value, str | bytes) and len(value) > 2 * _LONGEST:
            value = value[: 2 * _LONGEST]
        if _is_larger(value, _SHOWN):
            return say("{name}, too large to be shown", name=name_of(value))
        return clean(re.sub(r"\bnp\.\w+\(([^()]*)\)", r"\1", repr(value)))  # [np.float64(0.5)] is [0.5]
    except Exception:
        return say("{name} that cannot be shown", name=name_of(value))


def name_of(value: Any) -> str:
    """What a value is, for a sentence: "a list", "an array", "a function", "a value of type Fraction"."""
    kind = type(value)
    if value is None:
        return "None"
    if issubclass(kind, type):
        return say("a class")
    if issubclass(kind, _FUNCTIONS):
        return say("a function")
    if issubclass(kind, str | bytes):
        return say("a text")
    if issubclass(kind, np.ndarray):
        return say("an array")
    if kind in (bool, np.bool_):
        return say("a truth value")
    if kind in (int, float, complex, list, tuple, dict, set, frozenset, range, types.GeneratorType):
        return _NAMES_OF_TYPES[kind]()
    return say("a value of type {name}", name=class_name(kind))


_NAMES_OF_TYPES = {
    int: lambda: say("an int"),
    float: lambda: say("a float"),
    complex: lambda: say("a complex number"),
    list: lambda: say("a list"),
    tuple: lambda: say("a tuple"),
    dict: lambda: say("a dict"),
    set: lambda: say("a set"),
    frozenset: lambda: say("a frozenset"),
    range: lambda: say("a range"),
    types.GeneratorType: lambda: say("a generator"),
}


def _refuse_what_holds_no_numbers(value: Any) -> None:
    if isinstance(value, type) or (callable(value) and not hasattr(value, "__array__")):
        message = say("It is {name}, not a result: call it, or name what it returned.", name=name_of(value))
        raise NotAnArray("not called", message)
    if isinstance(value, str | bytes):
        raise NotAnArray("text", say("It is a text: write numbers without quotes."))
    if isinstance(value, Iterator):
        template = "It is {name}, which has not computed anything yet: collect its values first."
        raise NotAnArray("not collected", say(template, name=name_of(value)))
    if isinstance(value, dict | set | frozenset) or value is None:
        raise _no_numbers(name_of(value))


def _no_numbers(name: str) -> NotAnArray:
    return NotAnArray("no numbers", say("It is {name}, not an array of numbers.", name=name))


def _refuse_what_is_too_large(value: Any) -> None:
    """Before NumPy looks at it, for NumPy cannot be interrupted: a list that holds itself, or a range without end."""
    count, pending = 0, [(value, 1)]
    while pending:
        item, depth = pending.pop()
        many = isinstance(item, list | tuple)
        if many and depth > _DEEPEST:
            message = say("It is a list in a list, more than {n} levels deep (does it hold itself?).", n=_DEEPEST)
            raise NotAnArray("too deep", message)
        if many or not (isinstance(item, str | bytes | numbers.Number) or hasattr(item, "__array__")):
            count += len(item) if hasattr(item, "__len__") else 1
        if count > _MOST:
            message = say("It has more than {n:,} entries, far more than any result of an exercise.", n=_MOST)
            raise NotAnArray("too large", message)
        if many:
            pending.extend((entry, depth + 1) for entry in item if type(entry) not in _PLAIN)


def as_array(value: Any) -> np.ndarray:
    """A number, (nested) list, array or any framework's tensor as a NumPy array of booleans, integers or floats.

    Imports no framework: a tensor is asked for its values by NumPy's own protocol. Raises NotAnArray, and whatever an
    object raises that is asked for its values.
    """
    _refuse_what_is_too_large(value)
    return _as_array(value)


def _as_array(value: Any) -> np.ndarray:
    _refuse_what_holds_no_numbers(value)
    if hasattr(value, "detach") and hasattr(value, "cpu"):  # PyTorch gives no array while it tracks gradients
        value = value.detach().cpu()
    try:
        array = np.asarray(value)
        if array.dtype == object and isinstance(value, list | tuple):
            array = np.array([_as_array(item) for item in value])
    except NotAnArray as error:
        raise _inside(error) from None
    except Exception as error:
        if "inhomogeneous" in str(error):
            message = say("It has rows of different lengths: an array needs rows of one length.")
            raise NotAnArray("different lengths", message) from None
        message = say("It is {name}, which has no values to look at.", name=name_of(value))
        raise NotAnArray("no values", message) from None
    if array.dtype == object and array.size > _MOST:  # each is asked for its type
        raise _no_numbers(name_of(value))
    if array.dtype == object and array.size and all(isinstance(n, numbers.Real | decimal.Decimal) for n in array.flat):
        array = _as_floats(array)
    if array.dtype.kind == "V" and array.dtype.names is None and array.size <= _MOST:  # bfloat16 and its kin
        array = _as_floats(array, np.float32)
    if array.dtype.kind not in "biuf":
        if array.ndim == 0:
            raise _no_numbers(name_of(value))
        if array.dtype.kind in "US":
            raise NotAnArray("no numbers", say("It is {name} that holds text, not numbers.", name=name_of(value)))
        template = "It is {name} that holds values of type {dtype}, not numbers."
        raise NotAnArray("no numbers", say(template, name=name_of(value), dtype=clean(str(array.dtype))))
    return array


class _Inside(NotAnArray):
    """A NotAnArray about something inside a list; said once, however deep it lies."""


def _inside(error: NotAnArray) -> NotAnArray:
    if error.kind == "too large a number":
        return _too_large(inside=True)
    if isinstance(error, _Inside) or error.kind == "different lengths":  # said of the whole it is true as well
        return error
    return _Inside(error.kind, say("Something in it is no number. {reason}", reason=error))


def _too_large(*, inside: bool) -> NotAnArray:
    if inside:
        message = say("It holds a number beyond 10 to the power of 308, where floats end.")
    else:
        message = say("It is a number beyond 10 to the power of 308, where floats end.")
    return NotAnArray("too large a number", message)


def _as_floats(array: np.ndarray, dtype: type = np.float64) -> np.ndarray:
    try:
        return array.astype(dtype)
    except OverflowError:
        raise _too_large(inside=array.ndim > 0) from None
    except (TypeError, ValueError):
        message = say("It holds values of type {dtype}, not numbers.", dtype=clean(str(array.dtype)))
        raise NotAnArray("no numbers", message) from None


def precision_of(value: Any) -> float:
    """The spacing of a value's own float type at 1: a float16 result may be as wrong as float16 is."""
    dtype = getattr(value, "dtype", None)
    name = str(getattr(dtype, "name", dtype)).removeprefix("torch.")
    return {"bfloat16": 2.0**-7, "float16": 2.0**-10, "float32": 2.0**-23}.get(name, 2.0**-52)


def identical(first: Any, second: Any) -> bool:
    """Whether two inputs are the same, values, types and all; containers part by part."""
    if first is second:  # a copy shares what cannot change, a tuple of texts say
        return True
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
    with np.errstate(all="ignore"):  # a long double may be too large for a float
        came, expected = came.astype(np.float64), expected.astype(np.float64)
        alike = (came == expected) | (np.isnan(came) & np.isnan(expected))
        finite = np.isfinite(came) & np.isfinite(expected)
        if by_norm:
            if not np.all(finite | alike):
                return finite | alike
            scale = np.linalg.norm(came[finite]) + np.linalg.norm(expected[finite])
            distance = np.linalg.norm(came[finite] - expected[finite])
            near = bool(np.isfinite(scale) and distance <= tolerance * max(scale, np.finfo(np.float64).tiny))
            return np.full(came.shape, near)
        near = np.abs(came - expected) <= tolerance * np.maximum(1.0, np.abs(expected))
    return alike | (finite & near)


def _kind(array: np.ndarray) -> str:
    return "i" if array.dtype.kind in "iu" else array.dtype.kind


def _shape(shape: tuple[int, ...]) -> str:
    return clean(str(shape))


def _at(alone: str, among: str, index: tuple[int, ...]) -> str:
    """The sentence about a single number, or that about an entry among others, at ``{place}``."""
    if not index:
        return say(alone)
    return say(among, place=index[0] if len(index) == 1 else _shape(index))


def _is_nan(array: np.ndarray, index: tuple[int, ...]) -> bool:
    return array.dtype.kind == "f" and bool(np.isnan(array[index]))


def _different_values(came: np.ndarray, expected: np.ndarray, agree: np.ndarray) -> Difference:
    wrong = [tuple(int(i) for i in index) for index in np.argwhere(~agree)]
    for index in wrong:
        if _is_nan(came, index) and not _is_nan(expected, index):
            alone = "The result is NaN (not a number), where a number belongs."
            among = "The result is NaN (not a number) at position {place}, where a number belongs."
            return Difference("nan", _at(alone, among, index))
        if _is_nan(expected, index) and came.dtype.kind == "f":
            alone = "The result is a number, where NaN (not a number) belongs."
            among = "The result is a number at position {place}, where NaN (not a number) belongs."
            return Difference("nan", _at(alone, among, index))
        if came.dtype.kind == "f" and np.isinf(came[index]):
            alone = "The result is infinite."
            among = "The result is infinite at position {place}."
            return Difference("nan", _at(alone, among, index))
    if not expected.shape:
        return Difference("value", say("The result is not the expected one."))
    if len(wrong) == agree.size:
        among = "All entries differ from the expected ones, the first at position {place}."
        return Difference("value", _at("", among, wrong[0]))
    place = wrong[0][0] if len(wrong[0]) == 1 else _shape(wrong[0])
    one = "{n} of {total} entries differs from the expected ones, at position {place}."
    many = "{n} of {total} entries differ from the expected ones, the first at position {place}."
    return Difference("value", say_many(one, many, len(wrong), total=agree.size, place=place))


_RIGHT_BUT_OF_ANOTHER_TYPE = {
    "b": "The values are right, but they are {dtype}; expected are truth values (True or False).",
    "i": "The values are right, but they are {dtype}; expected are whole numbers.",
    "f": "The values are right, but they are {dtype}; expected are numbers.",
}
_OF_ANOTHER_TYPE = {
    "b": "The result holds {dtype}; expected are truth values (True or False). {difference}",
    "i": "The result holds {dtype}; expected are whole numbers. {difference}",
    "f": "The result holds {dtype}; expected are numbers. {difference}",
}


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
            return Difference("type", say("The result is {name}; expected is a text.", name=name_of(came)))
        equal = str.__eq__(came, expected)  # not what a subclass calls equal
        return None if equal else Difference("value", say("The result is not the expected text."))
    expected = np.asarray(expected)
    try:
        array = as_array(came)
    except NotAnArray as error:
        if not expected.shape:
            template = "The result is not the single number that is expected. {reason}"
            return Difference("type", say(template, reason=error))
        template = "The result is not the array of shape {shape} that is expected. {reason}"
        return Difference("type", say(template, shape=_shape(expected.shape), reason=error))
    if array.shape != expected.shape:
        return Difference("shape", _different_shapes(array.shape, expected.shape))
    tolerance += 4 * precision_of(came)
    agree = _close(array, expected, tolerance, by_norm)
    have, want = _kind(array), _kind(expected)
    if have == want or (have == "i" and want == "f"):
        return None if agree.all() else _different_values(array, expected, agree)
    if agree.all():
        whole = say("Turn the result into whole numbers: `.astype(int)`.")
        if not expected.shape:
            whole = say("Turn the result into a whole number: `int(...)`.")
        hint = whole if want == "i" else ""
        return Difference("dtype", say(_RIGHT_BUT_OF_ANOTHER_TYPE[want], dtype=array.dtype), hint)
    difference = _different_values(array, expected, agree)
    if difference.kind == "nan":
        return difference
    return Difference("dtype", say(_OF_ANOTHER_TYPE[want], dtype=array.dtype, difference=difference.message))


def _different_shapes(came: tuple[int, ...], expected: tuple[int, ...]) -> str:
    if not came:
        template = "The result has shape () (a single number); expected is shape {expected}."
    elif not expected:
        template = "The result has shape {came}; expected is shape () (a single number)."
    else:
        template = "The result has shape {came}; expected is shape {expected}."
    return say(template, came=_shape(came), expected=_shape(expected))


def _listed(names: list[Any]) -> str:
    """Keys of a dict for a sentence, the first ten of them."""
    shown = [repr(name) if type(name) is str and len(name) < 40 else text_of(name) for name in names[:10]]
    return clean(", ".join(shown) + (", …" if len(names) > 10 else ""))


def _compare_parts(came: Any, expected: tuple | dict, tolerance: float, by_norm: bool) -> Difference | None:
    if isinstance(expected, dict):
        if not isinstance(came, dict):
            template = "The result is {name}; expected is a dict with {keys}."
            return Difference("type", say(template, name=name_of(came), keys=_listed(list(expected))))
        came = dict(dict.items(came))  # a subclass is taken for what it holds
        if set(came) != set(expected):
            if not came:
                return Difference(
                    "shape", say("The result has no keys; expected are {keys}.", keys=_listed([*expected]))
                )
            template = "The result has the keys {came}; expected are {keys}."
            return Difference("shape", say(template, came=_listed([*came]), keys=_listed([*expected])))
        for name, wanted in expected.items():
            difference = compare(came[name], wanted, tolerance, by_norm)
            if difference is not None:
                message = say("Part {name}: {difference}", name=repr(name), difference=difference.message)
                return Difference(difference.kind, message, difference.hint, (name, *difference.parts))
        return None
    total = len(expected)
    if not isinstance(came, tuple | list):
        template = "The result is {name}; expected are {n} results, as a tuple."
        return Difference("type", say(template, name=name_of(came), n=total))
    came = list(tuple.__iter__(came) if isinstance(came, tuple) else list.__iter__(came))
    if len(came) != total:
        one = "{n} result came; expected are {total}, as a tuple."
        many = "{n} results came; expected are {total}, as a tuple."
        return Difference("shape", say_many(one, many, len(came), total=total))
    for n, (part, wanted) in enumerate(zip(came, expected, strict=True), 1):
        difference = compare(part, wanted, tolerance, by_norm)
        if difference is not None:
            message = say("Result {n} of {total}: {difference}", n=n, total=total, difference=difference.message)
            return Difference(difference.kind, message, difference.hint, (n - 1, *difference.parts))
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
    """A single finite number, a plain int or float, from a number, a zero-dimensional array or a tensor.

    Raises NotAnArray with the reason, and whatever an object raises that is asked for its value.
    """
    if isinstance(value, tuple) and len(value) > 1 and all(type(item) is int for item in value):
        template = "It is a tuple: in Python a comma separates values, so write thousands without one (or with _)."
        raise NotAnArray("comma", say(template))
    if isinstance(value, bool | np.bool_):
        raise _truth_value()
    if isinstance(value, complex | np.complexfloating):
        raise NotAnArray("complex", say("It is a complex number; a real one is asked for."))
    if isinstance(value, int):
        return int.__index__(value)
    if isinstance(value, decimal.Decimal):
        return _of_decimal(value)
    if isinstance(value, numbers.Rational):
        return _of_rational(value)
    array = as_array(value)
    if array.shape:
        template = "It has shape {shape}; a single number, shape (), is asked for."
        raise NotAnArray("shape", say(template, shape=_shape(array.shape)))
    number = array[()].item()
    if isinstance(number, bool):
        raise _truth_value()
    return number if isinstance(number, int) else _finite(float(number))


def _truth_value() -> NotAnArray:
    return NotAnArray("truth value", say("It is a truth value, not a number."))


def _finite(number: float) -> float:
    if math.isnan(number):
        template = "It is NaN (not a number): something before it divided zero by zero or met a missing value."
        raise NotAnArray("nan", say(template))
    if math.isinf(number):
        raise NotAnArray("infinite", say("It is infinite: something before it divided by zero or grew too large."))
    return number


def _of_decimal(value: decimal.Decimal) -> int | float:
    if not value.is_finite():
        return _finite(math.nan if value.is_nan() else math.inf)
    if value.adjusted() > _MOST_DIGITS:  # as an int it might fill the memory
        raise NotAnArray("too large a number", say("It is a number of more than {n} digits.", n=_MOST_DIGITS))
    return int(value) if value == value.to_integral_value() else float(value)


def _of_rational(value: numbers.Rational) -> int | float:
    above, below = int(value.numerator), int(value.denominator)
    if below == 1:
        return above
    try:
        return above / below
    except OverflowError:
        raise NotAnArray("too large a number", say("It is a number of more than {n} digits.", n=308)) from None
