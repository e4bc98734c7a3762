"""The two judges most exercises need: one for a number, one for a function.

A later chapter writes, for a gradient say::

    judge=function(
        weight_gradient,                                  # the reference, called on every case
        cases=[(inputs, errors), (more_inputs, more_errors)],
        mistakes=[
            Mistake("sum for mean", lambda a, d: a.T @ d, "Divide by the number of rows: the loss is a mean."),
            Mistake("transposed", lambda a, d: (a.T @ d).T / len(a), "Weights have shape (inputs, outputs)."),
        ],
        tolerance=1e-6, by_norm=True,
    )
"""

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from course_utils.errors import CourseError
from course_utils.exercises.calling import Outcome, call, is_stub
from course_utils.exercises.comparing import Difference, NotAnArray, as_number, clean, compare, name_of, same, text_of
from course_utils.exercises.printing import Printed
from course_utils.exercises.verdicts import NOT_ATTEMPTED, RIGHT, WRONG, Verdict
from course_utils.language import say, say_many

_COUNT_HINT = "Work it out step by step and let Python do the sums: an answer may be a calculation."
_LOOKING_SECONDS = 5.0
_REFERENCE = "(the reference)"


def look(action: Callable[[], Any]) -> Outcome:
    """Do what asks a learner's object for its text or its values: it may raise, print or never end, as a call may."""
    return call(action, seconds=_LOOKING_SECONDS, printed=Printed(lines=0, characters=0, displays=0))


def unreadable(outcome: Outcome, rows: tuple[tuple[str, str], ...] = ()) -> Verdict:
    """The verdict on an object that cannot even be looked at: what `look` gave instead of a value."""
    if outcome.kind == "expired":
        template = "Your answer cannot be looked at: that did not end within {seconds:g} seconds."
        message = say(template, seconds=_LOOKING_SECONDS)
    else:
        message = say("Your answer cannot be looked at: that raised {error}", error=outcome.error)
    hint = say("Hand over plain numbers, lists, arrays or a function written with `def`.")
    return Verdict(WRONG, message, rows, hint, mistake="unreadable")


@dataclass(frozen=True)
class Mistake:
    """A mistake learners make: its name, what it gives, and the hint that mends it.

    ``wrong`` is a wrong number or a predicate of the number; for a function a wrong implementation, which is called on
    the same cases. It is recognised when what came agrees with it on all of them, an error (type and text) counting as
    a result.
    """

    name: str
    wrong: Any
    hint: str


@dataclass(frozen=True)
class Number:
    """Judges a number: see `number`."""

    expected: float
    mistakes: tuple[Mistake, ...] = ()
    tolerance: float = 0.0
    otherwise: str = _COUNT_HINT

    def __post_init__(self) -> None:
        for mistake in self.mistakes:
            if self._matches(mistake, self.expected):
                template = "The mistake {name!r} is the expected answer itself: take it out of `mistakes`."
                raise CourseError(say(template, name=mistake.name))

    def _matches(self, mistake: Mistake, number: float) -> bool:
        if not callable(mistake.wrong):
            return self._near(number, mistake.wrong)
        try:
            return bool(mistake.wrong(number))
        except OverflowError:
            return False

    def _near(self, number: float, target: float) -> bool:
        try:
            return abs(number - target) <= self.tolerance
        except OverflowError:  # a whole number too large for a float is near none
            return False

    def problems(self) -> list[str]:
        """What is wrong with the exercise: mistakes of one name, or mistakes that another one's hint hides."""
        found = ["two mistakes have the same name"] if len({m.name for m in self.mistakes}) < len(self.mistakes) else []
        for index, mistake in enumerate(self.mistakes):
            if not callable(mistake.wrong):
                before = [m.name for m in self.mistakes[:index] if self._matches(m, mistake.wrong)]
                found += [f"{name!r} hides {mistake.name!r}" for name in before]
        return found

    def __call__(self, answer: Any) -> Verdict:
        def read() -> tuple[str, float | NotAnArray]:
            try:
                return text_of(answer), as_number(answer)
            except NotAnArray as error:
                return text_of(answer), error

        looked = look(read)
        if looked.kind != "value":
            return unreadable(looked)
        text, number = looked.value
        rows = ((say("Your answer"), text),)
        if isinstance(number, NotAnArray):
            message = say("Your answer cannot be compared with the right one. {reason}", reason=number)
            return Verdict(WRONG, message, rows, say("A single number is asked for."), mistake=number.kind)
        if self._near(number, self.expected):
            return Verdict(RIGHT)
        for mistake in self.mistakes:
            if self._matches(mistake, number):
                return Verdict(WRONG, rows=rows, hint=say(mistake.hint), mistake=mistake.name)
        return Verdict(WRONG, rows=rows, hint=say(self.otherwise), mistake="another number")


def number(
    expected: float, *, mistakes: Sequence[Mistake] = (), tolerance: float = 0.0, otherwise: str = _COUNT_HINT
) -> Number:
    """A judge of a number. The expected one is never shown.

    ``mistakes`` are wrong numbers, or predicates of the number, each with its name and its hint; the first that fits
    speaks. ``tolerance`` is absolute; ``otherwise`` the hint for any other number. Raises CourseError for a mistake
    that is the expected number.
    """
    return Number(expected, tuple(mistakes), tolerance, otherwise)


@dataclass(frozen=True)
class Case:
    """One call of the learner's function: positional arguments, keyword arguments."""

    arguments: tuple
    keywords: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Function:
    """Judges a function: see `function`."""

    reference: Callable
    cases: tuple[Case, ...]
    mistakes: tuple[Mistake, ...] = ()
    tolerance: float = 1e-6
    by_norm: bool = False
    may_change_input: bool = False
    seconds: float = 5.0
    _known: dict[tuple[str, int], Outcome] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """What the learner's function is called."""
        return self.reference.__name__

    def _run(self, implementation: Callable, case: Case, seconds: float, printed: Printed | None = None) -> Outcome:
        return call(implementation, case.arguments, dict(case.keywords), seconds, printed)

    def _outcome_of(self, name: str, implementation: Callable, index: int, seconds: float) -> Outcome:
        """What the reference or a mistake gives for a case; they are called once, and a learner's answer often."""
        if (name, index) not in self._known:
            outcome = self._run(implementation, self.cases[index], seconds)
            if outcome.kind == "expired":  # on a busy machine
                return outcome
            self._known[name, index] = outcome
        return self._known[name, index]

    def expected(self, index: int) -> Any:
        """What the reference returns for a case; raises RuntimeError when it fails, which is the author's fault."""
        outcome = self._outcome_of(_REFERENCE, self.reference, index, 60.0)
        if outcome.kind != "value":
            raise RuntimeError(f"The reference {self.name} fails on its own case: {outcome.error or outcome.kind}.")
        return outcome.value

    def _words(self) -> tuple[str, ...]:
        """The words to choose from, where the right results are texts and the same few come again and again."""
        results = [self.expected(index) for index in range(len(self.cases))]
        words = tuple(sorted({result for result in results if isinstance(result, str)}))
        few = 2 * len(words) <= len(results)
        return words if few and all(isinstance(result, str) for result in results) else ()

    def _input_rows(self, case: Case) -> tuple[tuple[str, str], ...]:
        try:
            bound = inspect.signature(self.reference).bind(*case.arguments, **case.keywords).arguments
        except (TypeError, ValueError):
            numbered = {say("argument {n}", n=n): value for n, value in enumerate(case.arguments, 1)}
            bound = {**numbered, **case.keywords}
        lines = []
        for name, value in bound.items():
            first, *rest = text_of(value).splitlines() or [""]
            lines += [f"{name} = {first}", *(" " * (len(name) + 3) + line for line in rest)]
        return ((say("Input of {name}", name=self.name), "\n".join(lines)),)

    def _refused_before_calling(self, answer: Any) -> Verdict | None:
        def wrong(message: str, hint: str, mistake: str) -> Verdict:
            return Verdict(WRONG, message, ((say("Your answer"), text_of(answer)),), hint, mistake=mistake)

        pass_it = say("Pass the function itself, by its name and without parentheses: `{name}`.", name=self.name)
        if isinstance(answer, type):
            return wrong(say("Your answer is a class; a function is asked for."), pass_it, "a class")
        if not callable(answer):
            message = say("Your answer is {answer}; a function is asked for.", answer=name_of(answer))
            return wrong(message, pass_it, "not a function")
        if is_stub(answer):
            return Verdict(NOT_ATTEMPTED)
        if inspect.iscoroutinefunction(answer) or inspect.isgeneratorfunction(answer):
            return wrong(
                say("Your function does not return its result: it is written with `async` or `yield`."),
                say("Write a plain `def` that ends in `return`."),
                "not a plain function",
            )
        try:
            signature = inspect.signature(answer)
        except (TypeError, ValueError):  # some functions written in C have none: the call itself will tell
            return None
        for case in self.cases:
            try:
                signature.bind(*case.arguments, **case.keywords)
            except TypeError:
                wanted = inspect.signature(self.reference)
                message = say(
                    "Your function takes {came}; it is called with {wanted}.",
                    came=_arguments(signature),
                    wanted=_arguments(wanted),
                )
                message = " ".join(filter(None, [message, _otherwise_taken(signature, wanted)]))
                hint = say("Begin it with `{line}`.", line=f"def {self.name}{wanted}:")
                return wrong(message, hint, "wrong arguments")
        return None

    def __call__(self, answer: Any) -> Verdict:
        printed = Printed()
        try:
            looked = look(lambda: self._refused_before_calling(answer))
            if looked.kind != "value":
                return unreadable(looked)
            return self._judge_calls(answer, printed) if looked.value is None else looked.value
        finally:
            printed.say_the_rest()

    def _judge_calls(self, answer: Callable, printed: Printed) -> Verdict:
        outcomes: list[Outcome] = []
        failing: tuple[int, Verdict] | None = None
        left = self.seconds
        for index, case in enumerate(self.cases):
            started = time.monotonic()
            outcome = self._run(answer, case, left, printed)
            left -= time.monotonic() - started
            outcomes.append(outcome)
            if failing is not None and outcome.kind != "expired":
                continue  # only for the recognition of a mistake
            verdict = self._judge_outcome(outcome, index)
            if verdict.state == NOT_ATTEMPTED or outcome.kind == "expired":
                return verdict
            if not verdict:
                failing = (index, verdict)
        if failing is None:
            return Verdict(RIGHT)
        return self._with_hint(failing, outcomes)

    def _judge_outcome(self, outcome: Outcome, index: int) -> Verdict:
        case, first = self.cases[index], index == 0
        if outcome.kind == "expired":
            message = say("Your function did not end within {seconds:g} seconds.", seconds=self.seconds)
            if outcome.unstoppable:
                template = (
                    "Your function did not end within {seconds:g} seconds. It could not be stopped and still runs: "
                    "restart the kernel before you go on."
                )
                message = say(template, seconds=self.seconds)
            hint = say("Look for a loop whose condition never becomes false.")
            return Verdict(WRONG, message, self._input_rows(case), hint, mistake="no end")
        if outcome.kind == "error":
            return Verdict(NOT_ATTEMPTED) if outcome.not_implemented and first else self._judge_error(outcome, index)
        if outcome.value is None or outcome.value is Ellipsis:
            template = "Your function ran and returned {value}: is a `return` missing?"
            forgotten = say(template, value=text_of(outcome.value))
            if first:
                return Verdict(NOT_ATTEMPTED, forgotten)
            hint = say("Every way through the function needs a `return`.")
            return Verdict(WRONG, forgotten, self._input_rows(case), hint, mistake="no return")
        expected, words = self.expected(index), self._words()

        def compared() -> tuple[Difference | None, str]:
            difference = compare(outcome.value, expected, self.tolerance, self.by_norm)
            if difference is not None and words and isinstance(outcome.value, str):
                difference = _another_word(outcome.value, words) or difference
            return difference, text_of(_part(outcome.value, difference)) if difference or outcome.changed else ""

        looked = look(compared)
        if looked.kind != "value":
            return unreadable(looked, self._input_rows(case))
        difference, text = looked.value
        if difference is None and (self.may_change_input or not outcome.changed):
            return Verdict(RIGHT)
        wanted = text_of(_part(expected, difference))
        rows = (*self._input_rows(case), (say("What came"), text), (say("Expected"), wanted))
        if difference is not None:
            return Verdict(WRONG, difference.message, rows, difference.hint, mistake=difference.kind)
        hint = say("Work on a copy (`.copy()`), or build a new array, with `np.where` for instance.")
        return Verdict(WRONG, self._changed(outcome.changed), rows, hint, mistake="changes its input")

    def _judge_error(self, outcome: Outcome, index: int) -> Verdict:
        where, source = outcome.line
        message = say("Your function raised an error.")
        if where:
            message = say("Your function raised an error at {where}.", where=where)
        rows = self._input_rows(self.cases[index])
        if source:
            rows += ((say("The line"), source),)
        rows += ((say("It raised"), outcome.error), (say("Expected"), text_of(self.expected(index))))
        hint = say("Call your function yourself with this input and look at the values just before that line.")
        if outcome.error.startswith(ZeroDivisionError.__name__):
            hint = say("With this input your function divides by zero. Ask for that case before you divide.")
        return Verdict(WRONG, message, rows, hint, mistake="error")

    def _changed(self, changed: tuple[int | str, ...]) -> str:
        names = list(inspect.signature(self.reference).parameters)
        inputs = [f"`{names[which] if isinstance(which, int) else which}`" for which in changed]
        one = "The result is right, but your function changed its input {inputs}: the caller's array is spoilt."
        many = "The result is right, but your function changed its inputs {inputs}: the caller's arrays are spoilt."
        return say_many(one, many, len(inputs), inputs=", ".join(inputs))

    def _agrees(self, outcome: Outcome, wrong: Outcome) -> bool:
        if outcome.kind != wrong.kind:
            return False
        if outcome.kind == "error":
            return outcome.error == wrong.error
        looked = look(lambda: same(outcome.value, wrong.value, self.tolerance, self.by_norm))
        return looked.kind == "value" and looked.value

    def _with_hint(self, failing: tuple[int, Verdict], outcomes: Sequence[Outcome]) -> Verdict:
        """Add the hint of the mistake that gives the same results on every case, else of the only one that gives the
        same on the failing case (then with a "perhaps")."""
        index, verdict = failing
        perhaps = []
        right = [self._outcome_of(_REFERENCE, self.reference, i, 60.0) for i in range(len(self.cases))]
        if verdict.mistake == "changes its input" or all(map(self._agrees, outcomes, right)):
            return verdict  # nothing is wrong with the values, so no mistake explains them
        others = [i for i in range(len(self.cases)) if i != index]
        # A single number or word may be that of a mistake by chance, unlike a whole array or an error's text. Where it
        # is so once, an answer that is right where the mistake would be wrong has made another one.
        by_chance = outcomes[index].kind == "value" and (
            isinstance(right[index].value, str) or _is_single(right[index])
        )
        for mistake in self.mistakes:

            def made(i: int, mistake: Mistake = mistake) -> bool:
                return self._agrees(outcomes[i], self._outcome_of(mistake.name, mistake.wrong, i, self.seconds))

            if not made(index):
                continue
            if all(map(made, others)):
                return replace(verdict, hint=say(mistake.hint), mistake=mistake.name)
            wrong = [i for i in others if not self._agrees(outcomes[i], right[i])]
            if not by_chance or any(map(made, wrong)) or all(made(i) for i in others if i not in wrong):
                perhaps.append(mistake)
        if len(perhaps) == 1:
            hint = say("Perhaps: {hint}", hint=say(perhaps[0].hint))
            return replace(verdict, hint=hint, mistake=f"perhaps {perhaps[0].name}")
        return verdict

    def problems(self) -> list[str]:
        """What is wrong with the exercise: mistakes that no case tells from the reference or from one another."""
        found = []
        results = {m.name: [self._run(m.wrong, case, self.seconds) for case in self.cases] for m in self.mistakes}
        results[_REFERENCE] = [self._run(self.reference, case, 60.0) for case in self.cases]
        if len(results) != len(self.mistakes) + 1:
            found.append("two mistakes have the same name")
        names = list(results)
        for i, first in enumerate(names):
            for second in names[i + 1 :]:
                if all(self._agrees(a, b) for a, b in zip(results[first], results[second], strict=True)):
                    found.append(f"no case tells {first!r} from {second!r}")
        if any(outcome.changed for outcome in results[_REFERENCE]):
            found.append("the reference changes its input")
        if len({np.asarray(outcome.value).dtype.kind for outcome in results[_REFERENCE] if _is_single(outcome)}) > 1:
            # 200.0 would be refused where 200 is expected, though another case expects nan or inf, which are floats.
            found.append("the reference gives a whole number on one case and a float on another: give floats")
        return found


def _is_single(outcome: Outcome) -> bool:
    """Whether a call gave a single number (or truth value), not an array or several results."""
    return isinstance(outcome.value, int | float | np.generic)


def _another_word(came: str, words: tuple[str, ...]) -> Difference | None:
    """That a text is none of the words to choose from; None where it is one of them."""
    if any(str.__eq__(word, came) for word in words):
        return None
    message = say("The result is none of the words that are asked for.")
    listed = ", ".join(f'"{word}"' for word in words)
    return Difference("another word", message, say("Return one of these, letter for letter: {words}.", words=listed))


def _part(value: Any, difference: Difference | None) -> Any:
    """Of several results the one that differs; a result itself where it is the only one."""
    for key in difference.parts if difference else ():
        if isinstance(value, dict):
            value = dict.__getitem__(value, key)
        else:
            value = tuple.__getitem__(value, key) if isinstance(value, tuple) else list.__getitem__(value, key)
    return value


def _arguments(signature: inspect.Signature) -> str:
    """The names alone: a default of the learner's may be any object."""
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return clean(f"({', '.join(stars.get(p.kind, '') + p.name for p in signature.parameters.values())})")


def _otherwise_taken(came: inspect.Signature, wanted: inspect.Signature) -> str:
    """What the names alone do not show: an argument that lacks its default, or is taken by its name only."""
    for name, expected in wanted.parameters.items():
        own = came.parameters.get(name)
        if own is None:
            continue
        if own.kind is inspect.Parameter.KEYWORD_ONLY and expected.kind is not own.kind:
            return say("`{name}` must be taken by its place too: it stands behind a `*`.", name=name)
        if own.default is inspect.Parameter.empty and expected.default is not inspect.Parameter.empty:
            return say("`{name}` needs a default: it is not always given.", name=name)
    return ""


def function(
    reference: Callable,
    cases: Sequence[tuple | Case],
    *,
    mistakes: Sequence[Mistake] = (),
    tolerance: float = 1e-6,
    by_norm: bool = False,
    may_change_input: bool = False,
    seconds: float = 5.0,
) -> Function:
    """A judge of a function: calls it on every case, on copies, and compares with the reference.

    ``cases`` are tuples of positional arguments, or `Case`. The reference carries the name and the arguments that the
    learner's function must have; it may return a number, an array, a text, or a tuple or dict of these. ``tolerance``
    is relative (absolute below 1), or that of the norms with ``by_norm``, for gradients. ``seconds`` limits all calls
    together.
    """
    if not cases:
        raise CourseError(say("The judge of {name} has no cases: expected at least one.", name=reference.__name__))
    as_cases = tuple(case if isinstance(case, Case) else Case(tuple(case)) for case in cases)
    return Function(reference, as_cases, tuple(mistakes), tolerance, by_norm, may_change_input, seconds)
