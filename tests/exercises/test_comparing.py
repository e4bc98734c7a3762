"""Values in words: how they are read, shown and compared."""

import decimal
import fractions
import functools
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from course_utils.exercises.comparing import (
    NotAnArray,
    as_array,
    as_number,
    clean,
    compare,
    identical,
    name_of,
    same,
    text_of,
)

SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, max_side=5)


@settings(deadline=None)  # other work on the machine is no failure
@given(arrays.arrays(np.float64, SHAPES))
def test_every_array_agrees_with_itself_nan_and_infinity_included(array):
    assert compare(array, array.copy()) is None
    assert same(array, array.copy())
    assert identical(array, array.copy())
    assert compare(array.tolist(), array) is None or array.size == 0


@settings(deadline=None)  # other work on the machine is no failure
@given(arrays.arrays(np.float64, SHAPES, elements=st.floats(-1e6, 1e6)), st.data())
def test_one_changed_entry_is_found_and_named(array, data):
    if array.size == 0:
        return
    index = data.draw(st.tuples(*(st.integers(0, side - 1) for side in array.shape)))
    changed = array.copy()
    changed[index] += 1 + abs(changed[index])
    difference = compare(changed, array)
    assert difference.kind == "value"
    for number in index:
        assert str(number) in difference.message or array.size == 1


@settings(deadline=None)  # other work on the machine is no failure
@given(st.one_of(st.integers(), st.floats(), st.text(), st.lists(st.integers()), st.binary(), st.none()))
def test_every_value_can_be_shown_shortly(value):
    assert len(text_of(value)) <= 450


class Rude:
    def __repr__(self):
        raise ValueError("no")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float64(0.5), "0.5"),
        ([np.float64(0.5), np.int64(2)], "[0.5, 2]"),
        (7840, "7,840"),
        (10**40, "a number of more than thirty digits"),
        ([10**400], "[1000000000… (more than thirty digits)]"),
        (fractions.Fraction(10**400, 3), "Fraction(1000000000… (more than thirty digits), 3)"),
        (decimal.Decimal("-" + 40 * "7"), "Decimal('-7777777777… (more than thirty digits)')"),
        ({"a": [123_456, 10**29]}, "{'a': [123456, 100000000000000000000000000000]}"),
        (int, "the class int"),
        (len, "the function len"),
    ],
)
def test_values_are_shown_plainly(value, text):
    assert text_of(value) == text


def test_no_memory_address_is_shown():
    assert not re.search("0x", text_of(object()) + text_of([object()]) + text_of(lambda: 1))


def test_a_large_array_is_cut_and_its_shape_named():
    assert "of shape (100, 100)" in text_of(np.zeros((100, 100)))


@pytest.mark.parametrize("value", [Rude(), [Rude()], {"a": Rude()}, np.array([Rude()], object)])
def test_what_cannot_be_shown_is_named(value):
    assert 0 < len(text_of(value)) < 200


def test_a_list_of_very_many_entries_is_named_not_written_out():
    assert len(text_of(list(range(10**5)))) < 100
    doubled = [0]
    for _ in range(60):
        doubled = [doubled, doubled]
    assert len(text_of(doubled)) < 100


@pytest.mark.parametrize("text", ["\x1b[2J\x07", "\ud800", "a" * 10**7])
def test_a_text_to_be_shown_is_short_and_holds_no_escape_code_and_no_half_of_a_pair(text):
    shown = clean(text)
    assert len(shown) <= 400
    assert shown.isprintable()
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (fractions.Fraction(1, 2), 0.5),
        (decimal.Decimal("7850"), 7850),
        (fractions.Fraction(4, 2), 2),
        (10**50, 10**50),
        (decimal.Decimal("1E+50"), 10**50),
        (decimal.Decimal("1E-999999"), 0.0),
        (np.longdouble(2), 2.0),
    ],
)
def test_pythons_other_numbers_are_numbers(value, number):
    assert as_number(value) == number


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "None"),
        (1, "an int"),
        ([], "a list"),
        (int, "a class"),
        (len, "a function"),
        ("", "a text"),
        (Rude(), "a value of type Rude"),
    ],
)
def test_name_of(value, name):
    assert name_of(value) == name


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (10**400, "It is a number beyond 10 to the power of 308, where floats end."),
        ([10**400], "It holds a number beyond 10 to the power of 308, where floats end."),
        ([[1, fractions.Fraction(10**400, 3)]], "It holds a number beyond 10 to the power of 308, where floats end."),
        ([[1], [None]], "Something in it is no number. It is None, not an array of numbers."),
        ([[[1], [2, 3]], None], "It has rows of different lengths: an array needs rows of one length."),
    ],
)  # fmt: skip
def test_what_is_said_of_something_in_a_list_is_true_of_it(value, said):
    """A number that is too large is a number: no sentence may say that it is none."""
    with pytest.raises(NotAnArray) as caught:
        as_array(value)
    assert str(caught.value) == said


def test_dates_and_records_are_no_numbers():
    for value in (np.array(["2020-01-01"], "datetime64[D]"), np.zeros(2, [("a", int)]), np.array(["a"])):
        with pytest.raises(NotAnArray) as caught:
            as_array(value)
        assert caught.value.kind == "no numbers"


def nested(levels):
    return functools.reduce(lambda made, _: [made], range(levels), 0.0)


@pytest.mark.parametrize(
    ("allowed", "refused", "kind"),
    [
        (nested(64), nested(65), "too deep"),
        ([0.0] * 20_000, [0.0] * 20_001, "too large"),
        ([[0.0] * 100] * 198, [[0.0] * 100] * 199, "too large"),
        (range(20_000), range(10**12), "too large"),
    ],
    ids=["levels", "entries", "rows", "range"],
)
def test_lists_are_read_up_to_a_limit_and_refused_beyond(allowed, refused, kind):
    assert np.issubdtype(as_array(allowed).dtype, np.number)
    with pytest.raises(NotAnArray) as caught:
        as_array(refused)
    assert caught.value.kind == kind


def test_a_large_array_is_no_list_and_is_read():
    assert as_array(np.zeros(10**6)).size == 10**6


def test_whole_numbers_too_large_for_numpy_are_read_as_floats():
    assert as_array([10**30, 1]).dtype == np.float64


def test_integers_must_match_exactly_and_unsigned_ones_are_welcome():
    assert compare(np.array([1, 2], np.uint8), np.array([1, 2])) is None
    assert compare(np.array([10**9 + 1]), np.array([10**9])).kind == "value"


def test_nan_for_a_whole_number_is_named():
    assert compare(np.array([1.0, np.nan]), np.array([1, 2])).kind == "nan"


def test_real_tensors_of_tensorflow_and_keras_are_read_and_the_network_counts_as_taught():
    code = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras, numpy as np
from keras import layers
from course_utils.exercises import find
from course_utils.exercises.comparing import NotAnArray, as_array, compare, precision_of

def network(*shape):
    return keras.Sequential([
        keras.Input(shape),
        layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.Flatten(), layers.Dense(64, activation="relu"), layers.Dense(10, activation="softmax"),
    ])

assert find("07-1").judge(network(32, 32, 3).count_params())
assert network(28, 28, 1).count_params() == 93_322
assert find("00-1").judge(keras.Sequential([keras.Input((784,)), layers.Dense(10)]).count_params())

values = [0.5, 0.25]
for dtype in ("float16", "bfloat16", "float32", "float64"):
    assert compare(keras.ops.convert_to_tensor(values, dtype), np.array(values)) is None, dtype
third = keras.ops.convert_to_tensor([1 / 3], "bfloat16")
assert compare(third, np.array([1 / 3])) is None and precision_of(third) == 2 ** -7
assert compare(keras.Variable(values), np.array(values)) is None
assert compare([keras.ops.convert_to_tensor(v) for v in values], np.array(values)) is None
try:
    as_array(keras.Input((3,)))
except NotAnArray as error:
    assert "no values to look at" in str(error)
else:
    raise AssertionError("a symbolic tensor was read")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
