"""The judges of numbers and functions against every kind of answer a learner may give."""

import decimal
import fractions
import functools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import CourseError
from course_utils.exercises.judges import Case, Mistake, function, number


class FakeTensor:
    """What a framework's tensor is to NumPy: something with ``__array__``."""

    def __init__(self, value, dtype="float32"):
        self.value = np.asarray(value, dtype)
        self.dtype = self.value.dtype

    def __array__(self, dtype=None, copy=None):
        return self.value if dtype is None else self.value.astype(dtype)


class TrackedTensor(FakeTensor):
    """Like PyTorch's: no array before ``detach().cpu()``."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")

    def detach(self):
        return self

    def cpu(self):
        return self.value


# Numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer", [42, 42.0, np.uint8(42), np.array(42), np.float16(42), FakeTensor(42), TrackedTensor(42)]
)
def test_a_number_may_come_in_any_form(answer):
    assert number(42)(answer)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("42", "text"),
        (True, "truth value"),
        (np.bool_(True), "truth value"),
        (np.array(True), "truth value"),
        (float("nan"), "nan"),
        (np.array(np.nan), "nan"),
        (decimal.Decimal("NaN"), "nan"),
        (float("inf"), "infinite"),
        (decimal.Decimal("-Infinity"), "infinite"),
        (decimal.Decimal("1E+999999999999"), "too large a number"),
        (fractions.Fraction(10**400, 3), "too large a number"),
        (42 + 0j, "complex"),
        ((4, 200), "comma"),
        ([42], "shape"),
        (np.full((2, 3), 42), "shape"),
        (FakeTensor([42, 42]), "shape"),
        ([], "shape"),
        ([10**400], "too large a number"),
        (lambda: 42, "not called"),
        (int, "not called"),
        ({"answer": 42}, "no numbers"),
        ({42}, "no numbers"),
        ((n for n in [42]), "not collected"),
        (object(), "no numbers"),
        ([[1], [2, 3]], "different lengths"),
        (["a", "b"], "no numbers"),
    ],
)
def test_what_is_no_number_is_refused_by_name(answer, kind):
    verdict = number(42)(answer)
    assert (verdict.state, verdict.mistake) == ("wrong", kind)
    assert verdict.message and verdict.hint


def test_a_wrong_shape_is_named():
    assert "(2, 3)" in number(42)(np.full((2, 3), 42)).message


@pytest.mark.parametrize("answer", [10**400, -(10**400), 1e308, 41, 43, 42.0001])
def test_another_number_is_wrong_even_a_huge_one(answer):
    assert number(42.0)(answer).state == "wrong"
    assert number(42)(answer).state == "wrong"


PERCENT = [
    Mistake("percent", lambda n: n > 1, "A share is at most 1."),
    Mistake("the other share", 0.75, "That is the other one."),
]


def test_tolerance_and_predicates():
    judge = number(0.25, tolerance=0.01, mistakes=PERCENT)
    assert judge(0.255)
    assert (judge(25).mistake, judge(25).hint) == ("percent", "A share is at most 1.")
    assert (judge(0.7501).mistake, judge(0.7501).hint) == ("the other share", "That is the other one.")
    assert (judge(0.5).mistake, judge(0.5).hint) == ("another number", judge.otherwise)


def test_a_predicate_that_cannot_take_so_large_a_number_does_not_fit():
    judge = number(0.25, mistakes=[Mistake("a half", lambda n: n * 1.0 == 0.5, ".")])
    assert judge(10**400).mistake == "another number"


def test_problems_of_a_number_are_a_name_twice_and_a_mistake_hidden_by_another():
    judge = number(5, mistakes=[Mistake("a", 6, "."), Mistake("b", 6, "."), Mistake("a", 7, ".")])
    assert judge.problems() == ["two mistakes have the same name", "'a' hides 'b'"]
    assert number(5, mistakes=[Mistake("a", 6, "."), Mistake("b", 7, ".")]).problems() == []


def test_a_mistake_that_is_the_answer_is_the_authors_error():
    with pytest.raises(CourseError, match="is the expected answer itself"):
        number(5, mistakes=[Mistake("too many", lambda n: n > 4, ".")])


@settings(deadline=None)  # other work on the machine is no failure
@given(st.integers())
def test_a_number_is_right_exactly_when_it_is_equal(answer):
    assert bool(number(42)(answer)) == (answer == 42)


# Functions --------------------------------------------------------------------------------------------------------


def centre(values):
    """The values less their mean."""
    return values - values.mean()


MISTAKES = [
    Mistake("mean for centred", lambda values: values.mean(), "Subtract the mean from the values."),
    Mistake("sum for mean", lambda values: values - values.sum(), "Divide the sum by how many values there are."),
]
CENTRE = function(
    centre, [(np.array([1.0, 2.0, 6.0]),), (np.array([4.0, -4.0, 3.0, 1.0]),)], mistakes=MISTAKES, seconds=1
)


@pytest.mark.parametrize(
    "answer",
    [
        centre,
        lambda values: [v - sum(values) / len(values) for v in values],
        lambda values: FakeTensor(values - values.mean()),
        lambda values: TrackedTensor(values - values.mean()),
        lambda values: (values - values.mean()).astype("float16"),
        functools.partial(lambda values, axis: values - values.mean(axis), axis=0),
        lambda *values: values[0] - values[0].mean(),
    ],
)
def test_any_right_function_passes(answer):
    assert CENTRE(answer)


def stub_with_docstring(values):
    """The values less their mean."""
    ...  # noqa: PIE790


def stub_that_raises(values):
    raise NotImplementedError("your code here")


def forgets_return(values):
    values - values.mean()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (stub_with_docstring, ""),
        (stub_that_raises, ""),
        (lambda values: None, ""),
        (lambda values: ..., ""),
        (lambda wrong, arguments: ..., ""),
        (forgets_return, "None"),
    ],
)
def test_a_stub_is_not_attempted(answer, message):
    verdict = CENTRE(answer)
    assert verdict.state == "not attempted"
    assert message in verdict.message


@pytest.mark.parametrize(
    ("answer", "mistake", "named"),
    [
        (np.array([1.0]), "not a function", ["array"]),
        (5, "not a function", ["int"]),
        ("centre", "not a function", ["text"]),
        (FakeTensor, "a class", []),
        (lambda: 1, "wrong arguments", ["()", "(values)"]),
        (lambda values, mean: 1, "wrong arguments", ["(values, mean)", "(values)"]),
        (lambda *others, **more: others[1], "error", []),
        (lambda values, *, mean: 1, "wrong arguments", ["(values, mean)"]),
        (lambda values: (v for v in values), "type", ["generator", "(3,)"]),
        (lambda values: values.mean, "type", ["function"]),
        (lambda values: {"centred": values}, "type", ["dict"]),
        (lambda values: "text", "type", ["text"]),
        (lambda values: values[:, None], "shape", ["(3, 1)", "(3,)"]),
        (lambda values: values[:2], "shape", ["(2,)", "(3,)"]),
        (lambda values: 1.0, "shape", ["()", "(3,)"]),
        (lambda values: values > 2, "dtype", ["bool"]),
        (lambda values: values.astype(complex), "type", ["complex128"]),
        (lambda values: values * np.nan, "nan", ["NaN", "position 0"]),
        (lambda values: [0.0, np.inf, 0.0], "nan", ["position 1"]),
        (lambda values: [None, 1, 2], "type", ["None"]),
        (lambda values: values, "value", ["position 0"]),
        (lambda values: [-2.0, -1.0, 5.0], "value", ["1 of 3", "position 2"]),
        (lambda values: values * 0 + 1e300, "value", ["position 0"]),
    ],
)
def test_a_wrong_answer_is_refused_by_name_with_what_came(answer, mistake, named):
    verdict = CENTRE(answer)
    assert (verdict.state, verdict.mistake) == ("wrong", mistake)
    for text in named:
        assert text in verdict.message


def test_a_gradient_of_huge_finite_numbers_is_not_taken_for_a_small_difference():
    judge = function(lambda w: 2 * w, [(np.ones(3),)], tolerance=1e-6, by_norm=True)
    assert judge(lambda w: w * 1e200).mistake == "value"


async def asynchronous(values):
    return values - values.mean()


def generator(values):
    yield values - values.mean()


@pytest.mark.parametrize("answer", [asynchronous, generator])
def test_a_function_that_returns_no_result_is_refused(answer):
    assert CENTRE(answer).mistake == "not a plain function"


def test_a_wrong_result_shows_input_what_came_and_what_was_expected():
    rows = dict(CENTRE(lambda values: values * 0).rows)
    assert rows == {
        "Input of centre": "values = array([1., 2., 6.])",
        "What came": "array([0., 0., 0.])",
        "Expected": "array([-2., -1.,  3.])",
    }


def test_of_several_results_the_wrong_one_is_shown_alone():
    judge = function(lambda x: (x, {"a": x + 1, "b": x + 2}), [(np.arange(3.0),)])
    verdict = judge(lambda x: [x, {"a": x + 1, "b": x + 7}])
    shown = dict(verdict.rows)
    assert "Result 2 of 2: Part 'b'" in verdict.message
    assert shown["What came"] == "array([7., 8., 9.])" and shown["Expected"] == "array([2., 3., 4.])"
    assert dict(judge(lambda x: x).rows)["Expected"].startswith("(")


def test_arguments_of_the_right_names_that_cannot_be_taken_are_told_apart():
    judge = function(lambda Z, T=1.0: Z * T, [(2.0,), (3.0, 2.0)])

    def no_default(Z, T):
        return Z * T

    def by_name(Z, *, T=1.0):
        return Z * T

    assert "`T` needs a default" in judge(no_default).message
    assert "`T` must be taken by its place too" in judge(by_name).message


def test_a_known_mistake_gets_its_hint():
    assert CENTRE(lambda values: sum(values) / len(values)).hint == "Subtract the mean from the values."
    assert CENTRE(lambda values: values - np.sum(values)).mistake == "sum for mean"


def test_a_mistake_made_on_some_inputs_only_is_a_guess():
    verdict = CENTRE(lambda values: values - (values.sum() if len(values) == 3 else values.mean()))
    assert verdict.mistake == "perhaps sum for mean"
    assert "Divide the sum by how many values there are." in verdict.hint


def test_a_single_number_that_agrees_by_chance_is_no_guess():
    """Unlike an array: where the mistake would have shown on another case too, the answer has made another one."""
    judge = function(
        lambda share: share, [(0.0,), (0.25,), (0.75,)], mistakes=[Mistake("the others", lambda share: 1 - share, ".")]
    )
    assert judge(lambda share: share or 1.0).mistake == "value"  # right on the other two cases
    assert judge(lambda share: 1 - share / 2).mistake == "perhaps the others"
    assert judge(lambda share: 1 - share).mistake == "the others"


def test_one_who_divides_by_zero_is_told_so():
    judge = function(lambda hits, n: hits / n if n else 0.0, [(1, 2), (0, 0)])
    verdict = judge(lambda hits, n: hits / n)
    assert (verdict.mistake, "divides by zero" in verdict.hint) == ("error", True)
    assert "divides by zero" not in judge(lambda hits, n: [hits / 1][n]).hint


def test_a_mistake_that_raises_is_recognised_by_its_error():
    judge = function(
        lambda weights, inputs: inputs @ weights,
        [(np.ones((2, 3)), np.ones((4, 2)))],
        mistakes=[Mistake("transposed weights", lambda weights, inputs: inputs @ weights.T, "Weights are (in, out).")],
    )
    assert judge(lambda weights, inputs: np.matmul(inputs, weights.T)).mistake == "transposed weights"


def test_an_error_is_shown_with_its_input_and_the_learners_own_line():
    source = "def centre(values):\n    helper = 1\n    return np.linalg.inv(values)\n"
    namespace = {"np": np}
    exec(compile(source, "<a learner's cell>", "exec"), namespace)
    verdict = CENTRE(namespace["centre"])
    assert verdict.mistake == "error"
    assert "line 3, in centre" in verdict.message
    rows = dict(verdict.rows)
    assert rows["It raised"].startswith("LinAlgError: 1-dimensional array given")
    assert rows["Input of centre"] == "values = array([1., 2., 6.])"


def deep(values):
    return deep(values)


def leaves(values):
    raise SystemExit(3)


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def unspeakable(values):
    raise Unspeakable


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (deep, "RecursionError: maximum recursion depth exceeded"),
        (leaves, "SystemExit: 3"),
        (unspeakable, "Unspeakable: (its message cannot be shown)"),
        (lambda values: values.nothing, "AttributeError"),
    ],
)
def test_whatever_is_raised_becomes_a_verdict(answer, said):
    assert said in dict(CENTRE(answer).rows)["It raised"]


def test_the_source_line_is_shown_where_there_is_one():
    rows = dict(CENTRE(leaves).rows)
    assert rows["The line"] == "raise SystemExit(3)"


def test_one_branch_without_return_is_wrong_not_unattempted():
    verdict = CENTRE(lambda values: values - values.mean() if len(values) == 3 else None)
    assert (verdict.state, verdict.mistake) == ("wrong", "no return")


def in_place(values):
    values -= values.mean()
    return values


def test_an_input_that_is_changed_spoils_neither_the_check_nor_the_next_one():
    verdict = CENTRE(in_place)
    assert (verdict.state, verdict.mistake) == ("wrong", "changes its input")
    assert "`values`" in verdict.message
    assert CENTRE(centre)
    np.testing.assert_array_equal(CENTRE.cases[0].arguments[0], [1.0, 2.0, 6.0])


def test_an_exercise_may_allow_changes_in_place():
    assert function(centre, [(np.array([1.0, 2.0]),)], may_change_input=True)(in_place)


def test_a_changed_keyword_argument_is_noticed_too():
    judge = function(centre, [Case((), {"values": np.array([1.0, 2.0])})])
    assert "`values`" in judge(in_place).message


@pytest.mark.parametrize("axis", ["value", "norm"])
def test_gradients_are_compared_by_norm(axis):
    exact = np.array([1e3, 1e-9])
    judge = function(lambda w: w * 2, [(exact,)], tolerance=1e-6, by_norm=axis == "norm")
    noisy = judge(lambda w: w * 2 + np.array([1e-4, 1e-4]))
    assert bool(noisy) == (axis == "norm")
    assert not judge(lambda w: w * 2.01)
    assert not judge(lambda w: w * np.nan)


def both(weights, bias):
    return weights * 2, bias * 3


@pytest.mark.parametrize(
    ("answer", "mistake", "named"),
    [
        (lambda w, b: w * 2, "type", ["array", "2"]),
        (lambda w, b: (w * 2, b * 3, 0), "shape", ["3", "2"]),
        (lambda w, b: (w * 2, b), "value", ["Result 2 of 2"]),
        (lambda w, b: ((w * 2).T, b * 3), "shape", ["Result 1 of 2", "(3, 2)"]),
    ],
)
def test_several_results_are_compared_one_by_one(answer, mistake, named):
    judge = function(both, [(np.ones((2, 3)), np.ones(3))])
    assert judge(answer).mistake == mistake
    for text in named:
        assert text in judge(answer).message
    assert judge(both)
    assert judge(lambda w, b: [w * 2, b * 3])


def test_a_dict_of_results_is_compared_key_by_key():
    judge = function(lambda x: {"a": x, "b": 2 * x}, [(np.ones(2),)])
    assert judge(lambda x: {"b": x + x, "a": x})
    for answer, mistake, named in (
        (lambda x: {"a": x}, "shape", "'a'; expected are 'a', 'b'"),
        (lambda x: {}, "shape", "'a', 'b'"),
        (lambda x: x, "type", "array"),
        (lambda x: {"a": x, "b": x}, "value", "'b'"),
    ):
        assert judge(answer).mistake == mistake
        assert named in judge(answer).message


def test_texts_are_compared_as_texts():
    judge = function(lambda x: "yes" if x else "no", [(True,), (False,)])
    assert judge(lambda x: ["no", "yes"][x])
    assert judge(lambda x: 1).mistake == "type"
    assert judge(lambda x: "neither").mistake == "value"
    assert not judge(lambda x: "yes")


def test_words_to_choose_from_are_named_where_another_one_came():
    judge = function(lambda x: "yes" if x > 0 else "no", [(1,), (2,), (-1,), (-2,)])
    for answer in (lambda x: "Yes" if x > 0 else "no", lambda x: "yes " if x > 0 else "no", lambda x: "maybe"):
        verdict = judge(answer)
        assert verdict.mistake == "another word"
        assert '"no", "yes"' in verdict.hint
    assert judge(lambda x: "yes").mistake == "value"
    # Texts that do not come again are no words to choose from, and are not given away.
    names = function(lambda x: f"number {x}", [(1,), (2,), (3,)])
    assert (names(lambda x: "1").mistake, names(lambda x: "1").hint) == ("value", "")


def test_a_reference_that_fails_is_the_authors_error():
    with pytest.raises(RuntimeError, match="fails on its own case"):
        function(lambda x: 1 / 0, [(1,)])(lambda x: 1)
    with pytest.raises(CourseError, match="has no cases"):
        function(centre, [])


def test_problems_names_mistakes_that_no_case_can_tell_apart():
    judge = function(
        centre,
        [(np.array([-1.0, 1.0]),)],
        mistakes=[Mistake("sum", lambda v: v - v.sum(), "."), Mistake("nothing", lambda v: v, ".")],
    )
    assert len(judge.problems()) == 3


def test_problems_names_a_reference_that_refuses_a_right_float():
    sizes = [([50, 100],), ([],)]
    assert "give floats" in function(lambda sizes: min(sizes, default=math.inf), sizes).problems()[0]
    assert function(lambda sizes: float(min(sizes, default=math.inf)), sizes).problems() == []


@settings(deadline=None)  # other work on the machine is no failure
@given(st.integers(0, 2**32 - 1))
def test_noise_above_the_tolerance_never_passes_and_rounding_errors_always_do(seed):
    generator = np.random.default_rng(seed)
    assert CENTRE(lambda values: centre(values) + 1e-12 * generator.standard_normal(len(values)))
    assert not CENTRE(
        lambda values: centre(values) + generator.choice([-1, 1]) * generator.uniform(1e-3, 1, len(values))
    )
