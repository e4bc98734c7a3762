"""Some 200 odd answers against every exercise: whatever comes, the verdict is bounded, in words, and never "right".

An answer may be any object, and a function may return any. What asks an object for its text, its length or its values
runs that object's own code: it may raise, lie, print or never end.
"""

import array
import asyncio
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import io
import itertools
import pathlib
import random
import sys
import threading
import time
import types
import uuid
import weakref
from unittest import mock

import numpy as np
import pytest

from course_utils.exercises import ExerciseWrong, check, exercises, judges, preview
from course_utils.exercises.contest import Contest
from course_utils.exercises.judges import Function, function, number

# Objects that do harm when they are looked at -------------------------------------------------------------------------


def raising(name, error=ValueError, base=object):
    """An object whose method of that name raises."""

    def method(self, *arguments, **keywords):
        raise error("no")

    return type(f"Raises{name.strip('_').title()}", (base,), {name: method})()


class AlwaysEqual:
    __hash__ = None

    def __eq__(self, other):
        return True


class EqualText(str):
    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other):
        return True


class EqualInt(int):
    __hash__ = int.__hash__

    def __eq__(self, other):
        return True

    def __sub__(self, other):
        return 0

    __rsub__ = __sub__


class Proxy:
    """Lazy: every attribute is computed when it is asked for, and fails."""

    def __getattr__(self, name):
        raise RuntimeError(f"the connection is gone: {name}")


class SaysItIsAContest:
    __class__ = Contest


class RaisesForItsClass:
    @property
    def __class__(self):
        raise RuntimeError("no class")


class RudeMeta(type):
    @property
    def __name__(cls):
        raise RuntimeError("no name")


class Rude(metaclass=RudeMeta):
    pass


class Endless:
    """A sequence that says it has no end."""

    def __init__(self, length=sys.maxsize):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        return 1.0


class Tensor:
    """Something with ``__array__``."""

    def __init__(self, value):
        self.value = value

    def __array__(self, dtype=None, copy=None):
        return self.value


class ArraySubclass(np.ndarray):
    def __repr__(self):
        raise ValueError("no")

    @property
    def shape(self):
        raise ValueError("no")


class Colour(enum.IntEnum):
    RED = 1


@dataclasses.dataclass
class Record:
    loss: float = 0.5


def holds_itself():
    value = []
    value.append(value)
    return value


def deep(levels):
    value = [1.0]
    for _ in range(levels):
        value = [value]
    return value


def doubled(levels):
    """A list of two lists that are one: 2 to the power of ``levels`` entries in little memory."""
    value = [1.0]
    for _ in range(levels):
        value = [value, value]
    return value


def object_array(*items):
    made = np.empty(len(items), object)
    made[:] = items
    return made


def cyclic_dict():
    value = {}
    value["self"] = value
    return value


def generator():
    yield 1.0


async def coroutine():
    return 1.0


def a_coroutine():
    made = coroutine()
    made.close()
    return made


# Each is made afresh for each exercise: some can be used up. Names are those of the failing case in a report.
VALUES = {
    # numbers
    **{repr(n): (lambda n=n: n) for n in (-1, 2**63, 2**64, -(2**200), -0.0, 5e-324, 1.7e308, True, False)},
    **{f"float {x}": (lambda x=x: float(x)) for x in ("nan", "inf", "-inf")},
    "10**400": lambda: 10**400,
    "-10**400": lambda: -(10**400),
    "10**5000": lambda: 10**5000,  # more digits than Python turns into a text
    **{
        f"Decimal {x}": (lambda x=x: decimal.Decimal(x))
        for x in ("NaN", "sNaN", "Infinity", "-Infinity", "-0", "1E+400", "1E+999999999", "1E-999999999", "0.1")
    },
    "Fraction": lambda: fractions.Fraction(1, 3),
    "Fraction beyond float": lambda: fractions.Fraction(10**400, 3),
    "Fraction of huge parts": lambda: fractions.Fraction(10**400 + 1, 10**399),
    "complex": lambda: 1 + 2j,
    "complex nan": lambda: complex("nan+infj"),
    "IntEnum": lambda: Colour.RED,
    "int that equals all": lambda: EqualInt(3),
    "float subclass": lambda: type("Mine", (float,), {"__sub__": lambda *_: 0, "__abs__": lambda *_: 0})(3),
    **{
        f"numpy {kind.__name__}": (lambda kind=kind: kind(1))
        for kind in (np.bool_, np.uint8, np.float16, np.complex64, np.longdouble)
    },
    "long double beyond float": lambda: np.longdouble("1e400"),
    "datetime64": lambda: np.datetime64("2020-01-01"),
    "NaT": lambda: np.datetime64("NaT"),
    "timedelta": lambda: datetime.timedelta(seconds=1),
    "numpy void": lambda: np.void(b"abc"),
    # texts
    **{
        f"text {i}": (lambda text=text: text)
        for i, text in enumerate(
            (
                "",
                "7850",
                "nan",
                "\x00",
                "\x1b[2J\x1b]0;title\x07",
                "\ud800",
                "‮abc",
                "e" * 300,
                "{0.__class__}",
                "%s%n",
                "🙂" * 99,
            )
        )
    },
    "text of a megabyte": lambda: "x" * 10**6,
    "text with 10,000 lines": lambda: "x\n" * 10_000,
    "text that equals all": lambda: EqualText("cheapest"),
    "numpy text": lambda: np.str_("abc"),
    "numpy text with half a pair": lambda: np.str_("\ud800"),
    "bytes": lambda: b"\xff\x00",
    "bytes of a megabyte": lambda: bytes(10**6),
    "bytearray": lambda: bytearray(b"abc"),
    "memoryview": lambda: memoryview(b"abc"),
    # containers
    "[]": list,
    "()": tuple,
    "{}": dict,
    "set()": set,
    "frozenset()": frozenset,
    "[None]": lambda: [None],
    "[[]]": lambda: [[]],
    "[()]": lambda: [()],
    "[...]": lambda: [...],
    "[nan]": lambda: [float("nan")],
    "[10**400]": lambda: [10**400],
    "[[10**400]]": lambda: [[10**400]],
    "[10**5000]": lambda: [10**5000],
    "[Decimal nan]": lambda: [decimal.Decimal("NaN")],
    "[Decimal sNaN]": lambda: [decimal.Decimal("sNaN")],
    "[Decimal huge]": lambda: [decimal.Decimal("1E+999999")],
    "[Fraction huge]": lambda: [fractions.Fraction(10**400)],
    "[text]": lambda: ["a", "b"],
    "[text, number]": lambda: ["a", 1.0],
    "[set]": lambda: [{1}],
    "[dict]": lambda: [{"a": 1}],
    "[function]": lambda: [len],
    "[class]": lambda: [int],
    "[complex]": lambda: [1j],
    "rows of different lengths": lambda: [[1], [2, 3]],
    "mixed depths": lambda: [1, [2, [3]]],
    "list that holds itself": holds_itself,
    "dict that holds itself": cyclic_dict,
    "tuple that holds itself": lambda: (holds_itself(),),
    "65 levels": lambda: deep(65),
    "2,000 levels": lambda: deep(2_000),
    "2**40 entries": lambda: doubled(40),
    "2**40 entries in a dict": lambda: {"a": doubled(40)},
    "list of 30,000": lambda: [0.0] * 30_000,
    "dict of 20,000 keys": lambda: dict.fromkeys(range(20_000)),
    "dict with a huge key": lambda: {"k" * 10**6: 1},
    "dict with odd keys": lambda: {None: 1, (1,): 2, float("nan"): 3},
    "tuple of ints": lambda: (4, 200),
    "tuple of Nones": lambda: (None, None),
    "tuple of NaN": lambda: (np.nan, np.nan),
    "namedtuple": lambda: collections.namedtuple("Pair", "a b")(1, 2),
    "deque": lambda: collections.deque([1.0, 2.0]),
    "OrderedDict": lambda: collections.OrderedDict(a=1),
    "defaultdict": lambda: collections.defaultdict(list),
    "Counter": lambda: collections.Counter("aab"),
    "ChainMap": lambda: collections.ChainMap({}, {}),
    "array.array": lambda: array.array("d", [1.0, 2.0]),
    "range": lambda: range(3),
    "range without end": lambda: range(10**12),
    "range beyond len": lambda: range(10**30),
    "[range without end]": lambda: [range(10**12)],
    "Endless": Endless,
    "[Endless]": lambda: [Endless()],
    "negative length": lambda: Endless(-1),
    "mappingproxy": lambda: types.MappingProxyType({}),
    "dict keys": lambda: {"a": 1}.keys(),
    # iterators
    "generator": generator,
    "map": lambda: map(int, "12"),
    "zip": lambda: zip("ab", "cd", strict=True),
    "count": itertools.count,
    "iterator": lambda: iter([1.0]),
    "reversed": lambda: reversed([1.0]),
    "file": lambda: io.StringIO("7850"),
    # arrays
    **{
        f"array {np.array(a).dtype} {i}": (lambda a=a: np.array(a))
        for i, a in enumerate(
            (
                [np.nan] * 3,
                [[np.inf] * 3] * 2,
                [],
                [[]],
                True,
                [True],
                1j,
                [1j],
                "a",
                ["a"],
                b"a",
                [1e308, -1e308],
                [2**64 - 1],
                [[[1.0]]],
                [1e-320],
            )
        )
    },
    "array of 64 axes": lambda: np.zeros((1,) * 32),
    "array without entries": lambda: np.zeros((0, 3, 0)),
    "array of 10**12 entries": lambda: np.broadcast_to(0.0, (10**6, 10**6)),
    "object array of 10**12 entries": lambda: np.broadcast_to(
        np.array(fractions.Fraction(1, 2), object), (10**6, 10**6)
    ),
    "object array": lambda: object_array(1, None, "a"),
    "object array of ints": lambda: object_array(10**400, 1),
    "object array of lists": lambda: object_array([1], [2, 3]),
    "object array of rude": lambda: object_array(raising("__repr__"), raising("__float__")),
    "object scalar": lambda: np.array(None, object),
    "object array that holds itself": lambda: (lambda a: a.__setitem__(0, a) or a)(np.empty(1, object)),
    "structured": lambda: np.zeros(2, [("a", int), ("b", float)]),
    "record array": lambda: np.rec.array([(1, 2.0)], names="a,b"),
    "datetimes": lambda: np.array(["2020-01-01"], "datetime64[D]"),
    "timedeltas": lambda: np.array([1], "timedelta64[s]"),
    "float16": lambda: np.full(3, 6e4, np.float16),
    "long doubles": lambda: np.full(3, np.longdouble("1e4000")),
    "big endian": lambda: np.array([1.0], ">f8"),
    "masked": lambda: np.ma.masked_all(3),
    "masked constant": lambda: np.ma.masked,
    "read-only": lambda: np.broadcast_to(np.float64(1), (3,)),
    "rude subclass": lambda: np.zeros(3).view(ArraySubclass),
    "dtype": lambda: np.dtype("f8"),
    "nditer": lambda: np.nditer(np.zeros(2)),
    # tensors that are none
    "__array__ gives a list": lambda: Tensor([1.0]),
    "__array__ gives None": lambda: Tensor(None),
    "__array__ gives objects": lambda: Tensor(object_array(None)),
    "__array__ gives NaN": lambda: Tensor(np.array(np.nan)),
    "__array__ gives itself": lambda: (lambda t: setattr(t, "value", t) or t)(Tensor(None)),
    "__array_interface__": lambda: types.SimpleNamespace(__array_interface__={"shape": (3,), "typestr": "<f8"}),
    "broken torch tensor": lambda: types.SimpleNamespace(detach=lambda: None, cpu=lambda: None),
    # objects that do harm when they are looked at
    **{
        f"raising {name}": (lambda name=name: raising(name))
        for name in (
            "__repr__",
            "__str__",
            "__len__",
            "__eq__",
            "__bool__",
            "__hash__",
            "__float__",
            "__int__",
            "__index__",
            "__iter__",
            "__array__",
            "__getattr__",
            "__getattribute__",
            "__dir__",
            "__format__",
            "__call__",
            "__next__",
            "__contains__",
            "__array_ufunc__",
            "__array_function__",
            "__dlpack__",
            "__lt__",
            "__sub__",
            "__abs__",
            "__reduce__",
            "__deepcopy__",
            "__instancecheck__",
            "__buffer__",
            "__enter__",
            "__complex__",
            "__fspath__",
        )
    },
    **{
        f"{name} raises {error.__name__}": (lambda name=name, error=error: raising(name, error))
        for name in ("__repr__", "__array__", "__len__", "__getattribute__")
        for error in (SystemExit, GeneratorExit, MemoryError, RecursionError, StopIteration, BaseException)
    },
    **{
        f"rude {base.__name__}": (lambda base=base, name=name: raising(name, base=base))
        for base, name in (
            (int, "__repr__"),
            (int, "__index__"),
            (int, "__abs__"),
            (float, "__float__"),
            (float, "__repr__"),
            (str, "__repr__"),
            (list, "__iter__"),
            (list, "__len__"),
            (list, "__getitem__"),
            (tuple, "__iter__"),
            (dict, "__iter__"),
            (dict, "keys"),
            (dict, "items"),
            (set, "__iter__"),
            (Exception, "__str__"),
        )
    },
    "equals all": AlwaysEqual,
    "[equals all]": lambda: [AlwaysEqual()],
    "Proxy": Proxy,
    "[Proxy]": lambda: [Proxy()],
    "no class": RaisesForItsClass,
    "class without a name": Rude,
    "the class itself": lambda: Rude,
    "class of no name": lambda: type("", (), {})(),
    "class of a long name": lambda: type("N" * 10**5, (), {})(),
    "class with escapes": lambda: type("\x1b[31m", (), {})(),
    "a dead reference": lambda: weakref.proxy(AlwaysEqual()),
    # things that lie about
    "Mock": mock.Mock,
    "MagicMock": mock.MagicMock,
    "object": object,
    "module": lambda: np,
    "NotImplemented": lambda: NotImplemented,
    "class": lambda: int,
    "type": lambda: type,
    "exception": lambda: ValueError("7850"),
    "path": lambda: pathlib.Path("x"),
    "uuid": lambda: uuid.UUID(int=0),
    "datetime": lambda: datetime.datetime(2020, 1, 1),
    "dataclass": Record,
    "thread": threading.Thread,
    "lock": threading.Lock,
    "coroutine": a_coroutine,
    "frame": sys._getframe,
    "code": lambda: coroutine.__code__,
    "slice": lambda: slice(None),
    "super": lambda: super(EqualInt, EqualInt(1)),
    "property": property,
    "namespace": types.SimpleNamespace,
    "random": lambda: random.Random(0),
    "generator of NumPy": lambda: np.random.default_rng(0),
    "ufunc": lambda: np.add,
    "cell": lambda: types.CellType(1),
    "says it is a contest": SaysItIsAContest,
    "contest by hand": lambda: Contest("mnist", 1.0, 10, 1.0, 2.0, 0.5, "full"),
    "contest of odd parts": lambda: Contest(None, "a", 10**400, float("nan"), raising("__repr__"), 1j, []),
}


# Functions that are none, or that do odd things -----------------------------------------------------------------------


def returning(make):
    def answer(*arguments, **keywords):
        return make()

    return answer


def raised(make):
    def answer(*arguments, **keywords):
        raise make()

    return answer


class UnspeakableError(Exception):
    def __str__(self):
        raise SystemExit("no text")


class ErrorWithoutClass(Exception):
    @property
    def __class__(self):
        raise RuntimeError("no class")


ErrorWithEscapes = type("\x1b[31mRed", (Exception,), {})


def spoils_its_inputs(*arguments, **keywords):
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            argument[...] = 0
        elif isinstance(argument, list):
            argument.append(argument)
        elif isinstance(argument, dict):
            argument[AlwaysEqual] = raising("__eq__")
    return arguments


def of_the_first_array(change):
    def answer(*arguments, **keywords):
        arrays = [a for a in arguments if isinstance(a, np.ndarray)]
        return change(arrays[0]) if arrays else change(np.zeros(2))

    return answer


def takes_standard_output_away(*arguments, **keywords):
    sys.stdout = sys.stderr = None


def closes_standard_output(*arguments, **keywords):
    sys.stdout.close()
    return 1


def prints_much(*arguments, **keywords):
    print("x" * 10**6)
    for n in range(500):
        print(n, file=sys.stderr if n % 2 else sys.stdout)
    return 1


def recursing(*arguments, **keywords):
    return recursing(*arguments, **keywords)


def with_signature(signature):
    def answer(*arguments, **keywords):
        return 1

    answer.__signature__ = signature
    return answer


def wrapped_in_itself(*arguments):
    return 1


wrapped_in_itself.__wrapped__ = wrapped_in_itself


def rude_default(a=raising("__repr__"), *more, b=raising("__str__"), **rest):  # noqa: B008
    return 1


def many_arguments():
    namespace = {}
    exec(f"def answer({', '.join(f'argument_{n}' for n in range(2000))}): return 1", namespace)
    return namespace["answer"]


def renamed(name):
    def answer(only):
        return 1

    answer.__name__ = answer.__qualname__ = name
    return answer


class Callable_:
    def __call__(self, *arguments, **keywords):
        return 1


FUNCTIONS = {
    **{f"returns {name}": returning(make) for name, make in VALUES.items()},
    **{
        f"raises {name}": raised(make)
        for name, make in {
            "SystemExit": SystemExit,
            "GeneratorExit": GeneratorExit,
            "MemoryError": MemoryError,
            "BaseException": BaseException,
            "StopIteration": StopIteration,
            "CancelledError": asyncio.CancelledError,
            "AssertionError": AssertionError,
            "a group": lambda: ExceptionGroup("many", [ValueError("a")] * 3),
            "a huge text": lambda: ValueError("x" * 10**6),
            "escapes": lambda: ValueError("\x1b[2J\x07\ud800"),
            "escapes in its name": ErrorWithEscapes,
            "the unspeakable": UnspeakableError,
            "no class": ErrorWithoutClass,
            "no exception": lambda: 5,
            "UnicodeError": lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"),
            "KeyError": lambda: KeyError(holds_itself()),
        }.items()
    },
    "spoils its inputs": spoils_its_inputs,
    "gives its inputs back": lambda *a, **k: a,
    "gives NaN": of_the_first_array(lambda a: a * np.nan),
    "gives infinities": of_the_first_array(lambda a: a * 0 + np.inf),
    "gives huge numbers": of_the_first_array(lambda a: a * 0 + 1e300),
    "gives minus": of_the_first_array(lambda a: -a - 7),
    "gives objects": of_the_first_array(lambda a: a.astype(object)),
    "gives truth": of_the_first_array(lambda a: a > 0),
    "gives complex": of_the_first_array(lambda a: a * 1j),
    "gives texts": of_the_first_array(lambda a: a.astype(str)),
    "gives a view": of_the_first_array(lambda a: a.T[..., None]),
    "gives lists": of_the_first_array(lambda a: a.tolist()),
    "gives huge pairs": of_the_first_array(lambda a: (a * 0 + 1e200, a * 0 + 1e200)),
    "gives two": lambda *a, **k: (1, 2),
    "gives four": lambda *a, **k: [np.full((2, 2), 1e200)] * 4,
    "no standard output": takes_standard_output_away,
    "closes standard output": closes_standard_output,
    "prints much": prints_much,
    "recurses": recursing,
    "async": coroutine,
    "yields": generator,
    "takes nothing": lambda: 1,
    "takes two thousand": many_arguments(),
    "keyword only": lambda *, only: 1,
    "position only": lambda a, /: 1,
    "rude defaults": rude_default,
    "no signature": with_signature(None),
    "odd signature": with_signature(5),
    "wrapped in itself": wrapped_in_itself,
    "rude signature": with_signature(raising("__getattribute__")),
    "long name": renamed("n" * 10**5),
    "name with escapes": renamed("\x1b[31m\n"),
    "callable object": Callable_(),
    "bound": [].append,
    "len": len,
    "print": print,
    "dict": dict,
    "partial": functools.partial(max, 1),
    "partial of nothing": functools.partial(print),
    "partialmethod": functools.partialmethod(len),
    "method": "".join,
    "ufunc": np.add,
    "vectorised": np.vectorize(str),
    "cached": functools.cache(lambda *a: 1),
    "staticmethod": staticmethod(len),
    "property": property(len),
    "single dispatch": functools.singledispatch(lambda *a: 1),
    "deep copy": raising("__deepcopy__"),
}

LONGEST = {"message": 1_200, "hint": 800, "mistake": 80}


def faults_of(exercise, answer, capsys):
    """What is wrong with the verdict on an odd answer, as one text; "" for nothing."""
    streams = sys.stdout, sys.stderr
    try:
        verdict = preview(exercise.id, answer)
    except BaseException as error:
        return f"raised {type(error).__name__}"
    if (sys.stdout, sys.stderr) != streams:
        return "took the output away"
    printed = capsys.readouterr()
    if verdict.state not in ("wrong", "not attempted"):
        return verdict.state
    if verdict.state == "wrong" and not ((verdict.mistake and verdict.hint) or verdict.message):
        return "says nothing"
    for field, longest in LONGEST.items():
        if len(getattr(verdict, field) or "") > longest:
            return f"{field} of {len(getattr(verdict, field))} characters"
    if len(printed.out + printed.err) > 12_000:
        return f"printed {len(printed.out + printed.err)} characters"
    if "\x1b" in printed.out:
        return "let an escape code through"
    printed.out.encode("utf-8")
    return ""


@pytest.mark.filterwarnings("ignore")  # of odd objects that are made and thrown away
@pytest.mark.parametrize("exercise", exercises(), ids=lambda exercise: exercise.id)
def test_no_odd_answer_is_right_and_none_makes_the_judge_fail(exercise, capsys):
    odd = {name: make() for name, make in VALUES.items()}
    if isinstance(exercise.judge, Function):
        odd.update(FUNCTIONS)
    found = {name: faults_of(exercise, answer, capsys) for name, answer in odd.items()}
    assert {name: fault for name, fault in found.items() if fault} == {}


@pytest.mark.filterwarnings("ignore")
def test_strictness_makes_an_exercise_error_of_every_odd_answer_and_nothing_else(monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "1")
    functions = {name: answer for name, answer in FUNCTIONS.items() if not name.startswith("returns")}
    for name, answer in [*((name, make()) for name, make in VALUES.items()), *functions.items()]:
        try:
            check("00-1", answer)
        except BaseException as error:
            assert isinstance(error, ExerciseWrong), (name, type(error))
        else:
            raise AssertionError(name)


# What never ends ------------------------------------------------------------------------------------------------------


def endlessly(*arguments, **keywords):
    while True:
        time.sleep(0.01)


def endless_object(name):
    return type("Never", (), {name: endlessly})()


@pytest.fixture
def short_patience(monkeypatch):
    monkeypatch.setattr(judges, "_LOOKING_SECONDS", 0.2)


@pytest.mark.parametrize("name", ["__array__", "__repr__", "__getattribute__"])
def test_an_object_that_never_ends_when_it_is_looked_at_is_left(name, short_patience):
    assert number(5)(endless_object(name)).mistake == "unreadable"
    judge = function(lambda a: np.zeros(2), [(1,)], seconds=0.2)
    assert judge(lambda a: endless_object(name)).mistake == "unreadable"


def test_a_signature_that_never_ends_is_left(short_patience):
    def answer(a):
        return 1

    answer.__signature__ = endless_object("__getattribute__")
    assert function(lambda a: 1, [(1,)])(answer).mistake == "unreadable"
