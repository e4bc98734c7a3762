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

from course_utils.errors import CourseError
from course_utils.exercises.calling import Outcome, call, is_stub
from course_utils.exercises.comparing import NotAnArray, as_number, compare, name_of, same, text_of
from course_utils.exercises.verdicts import NOT_ATTEMPTED, RIGHT, WRONG, Verdict

_COUNT_HINT = "Work it out step by step and let Python do the sums: an answer may be a calculation."


@dataclass(frozen=True)
class Number:
    """Judges a number: see `number`."""

    expected: float
    mistakes: Mapping[Any, str] = field(default_factory=dict)
    tolerance: float = 0.0
    otherwise: str = _COUNT_HINT

    def __post_init__(self) -> None:
        for mistake in self.mistakes:
            if self._matches(mistake, self.expected):
                raise CourseError(f"The mistake {mistake!r} is the expected answer itself: take it out of `mistakes`.")

    def _matches(self, mistake: Any, number: float) -> bool:
        return bool(mistake(number)) if callable(mistake) else self._near(number, mistake)

    def _near(self, number: float, target: float) -> bool:
        try:
            return abs(number - target) <= self.tolerance
        except OverflowError:  # a whole number too large for a float is near none
            return False

    def __call__(self, answer: Any) -> Verdict:
        rows = (("Your answer", text_of(answer)),)
        try:
            number = as_number(answer)
        except NotAnArray as error:
            return Verdict(
                WRONG, f"Your answer {error}.", rows, "A single number is asked for.", mistake="not a number"
            )
        if self._near(number, self.expected):
            return Verdict(RIGHT)
        for mistake, hint in self.mistakes.items():
            if self._matches(mistake, number):
                return Verdict(WRONG, rows=rows, hint=hint, mistake=str(getattr(mistake, "__name__", mistake)))
        return Verdict(WRONG, rows=rows, hint=self.otherwise)


def number(
    expected: float, *, mistakes: Mapping[Any, str] | None = None, tolerance: float = 0.0, otherwise: str = _COUNT_HINT
) -> Number:
    """A judge of a number. The expected one is never shown.

    ``mistakes`` maps a wrong number, or a predicate of the number, to the hint for it; the first that fits speaks.
    ``tolerance`` is absolute; ``otherwise`` the hint for any other number.
    """
    return Number(expected, dict(mistakes or {}), tolerance, otherwise)


@dataclass(frozen=True)
class Case:
    """One call of the learner's function: positional arguments, keyword arguments."""

    arguments: tuple
    keywords: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Mistake:
    """A mistake learners make: its name, a wrong implementation that makes it, and the hint that mends it.

    The wrong implementation is called on the same cases. It is recognised when what came agrees with it on all of them,
    an error (type and text) counting as a result.
    """

    name: str
    implementation: Callable
    hint: str


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

    @property
    def name(self) -> str:
        """What the learner's function is called."""
        return self.reference.__name__

    def _run(self, implementation: Callable, case: Case, seconds: float) -> Outcome:
        return call(implementation, case.arguments, dict(case.keywords), seconds)

    def expected(self, case: Case) -> Any:
        """What the reference returns; raises RuntimeError when it fails, which is the author's fault."""
        outcome = self._run(self.reference, case, 60.0)
        if outcome.kind != "value":
            raise RuntimeError(f"The reference {self.name} fails on its own case: {outcome.error or outcome.kind}.")
        return outcome.value

    def _input_rows(self, case: Case) -> tuple[tuple[str, str], ...]:
        try:
            bound = inspect.signature(self.reference).bind(*case.arguments, **case.keywords).arguments
        except (TypeError, ValueError):
            bound = {**{f"argument {i}": a for i, a in enumerate(case.arguments, 1)}, **case.keywords}
        lines = []
        for name, value in bound.items():
            first, *rest = text_of(value).splitlines() or [""]
            lines += [f"{name} = {first}", *(" " * (len(name) + 3) + line for line in rest)]
        return ((f"Input of {self.name}", "\n".join(lines)),)

    def _refused_before_calling(self, answer: Any) -> Verdict | None:
        def wrong(message: str, hint: str, mistake: str) -> Verdict:
            return Verdict(WRONG, message, (("Your answer", text_of(answer)),), hint, mistake=mistake)

        pass_it = f"Pass the function itself, by its name and without parentheses: `{self.name}`."
        if isinstance(answer, type):
            return wrong("Your answer is a class; a function is asked for.", pass_it, "a class")
        if not callable(answer):
            return wrong(f"Your answer is {name_of(answer)}; a function is asked for.", pass_it, "not a function")
        if is_stub(answer):
            return Verdict(NOT_ATTEMPTED)
        if inspect.iscoroutinefunction(answer) or inspect.isgeneratorfunction(answer):
            return wrong(
                "Your function does not return its result: it is written with `async` or `yield`.",
                "Write a plain `def` that ends in `return`.",
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
                return wrong(
                    f"Your function takes {_arguments(signature)}; it is called with {_arguments(wanted)}.",
                    f"Begin it with `def {self.name}{wanted}:`.",
                    "wrong arguments",
                )
        return None

    def __call__(self, answer: Any) -> Verdict:
        refused = self._refused_before_calling(answer)
        if refused is not None:
            return refused
        outcomes: list[Outcome] = []
        failing: tuple[int, Verdict] | None = None
        left = self.seconds
        for index, case in enumerate(self.cases):
            started = time.monotonic()
            outcome = self._run(answer, case, left)
            left -= time.monotonic() - started
            outcomes.append(outcome)
            verdict = self._judge_outcome(outcome, case, first=index == 0)
            if verdict.state == NOT_ATTEMPTED or outcome.kind == "expired":
                return verdict
            if failing is None and not verdict:
                failing = (index, verdict)
        if failing is None:
            return Verdict(RIGHT)
        return self._with_hint(failing, outcomes)

    def _judge_outcome(self, outcome: Outcome, case: Case, first: bool) -> Verdict:
        rows = self._input_rows(case)
        if outcome.kind == "expired":
            message = f"Your function did not end within {self.seconds:g} seconds."
            if outcome.unstoppable:
                message += " It could not be stopped and still runs: restart the kernel before you go on."
            return Verdict(
                WRONG, message, rows, "Look for a loop whose condition never becomes false.", mistake="no end"
            )
        if outcome.kind == "error":
            if outcome.not_implemented and first:
                return Verdict(NOT_ATTEMPTED)
            where, source = outcome.line
            message = f"Your function raised an error at {where}." if where else "Your function raised an error."
            came = (("It raised", outcome.error), ("Expected", text_of(self.expected(case))))
            if source:
                came = (("The line", source), *came)
            hint = "Call your function yourself with this input and look at the values just before that line."
            return Verdict(WRONG, message, rows + came, hint, mistake="error")
        if outcome.value is None or outcome.value is Ellipsis:
            returned = text_of(outcome.value)
            forgotten = f"Your function ran and returned {returned}: is a `return` missing?"
            if first:
                return Verdict(NOT_ATTEMPTED, forgotten)
            return Verdict(
                WRONG, forgotten, rows, "Every way through the function needs a `return`.", mistake="no return"
            )
        expected = self.expected(case)
        rows += (("What came", text_of(outcome.value)), ("Expected", text_of(expected)))
        difference = compare(outcome.value, expected, self.tolerance, self.by_norm)
        if difference is not None:
            return Verdict(WRONG, difference.message, rows, difference.hint, mistake=difference.kind)
        if outcome.changed and not self.may_change_input:
            names = list(inspect.signature(self.reference).parameters)
            changed = " and ".join(f"`{names[i] if isinstance(i, int) else i}`" for i in outcome.changed)
            return Verdict(
                WRONG,
                f"The result is right, but your function changed its input {changed}: the caller's array is spoilt.",
                rows,
                "Work on a copy (`.copy()`), or build a new array, with `np.where` for instance.",
                mistake="changes its input",
            )
        return Verdict(RIGHT)

    def _agrees(self, outcome: Outcome, wrong: Outcome) -> bool:
        if outcome.kind != wrong.kind:
            return False
        if outcome.kind == "error":
            return outcome.error == wrong.error
        return same(outcome.value, wrong.value, self.tolerance, self.by_norm)

    def _with_hint(self, failing: tuple[int, Verdict], outcomes: Sequence[Outcome]) -> Verdict:
        """Add the hint of the mistake that gives the same results on every case, else of the only one that gives the
        same on the failing case (then with a "perhaps")."""
        index, verdict = failing
        perhaps = []
        if verdict.mistake == "changes its input":
            return verdict
        for mistake in self.mistakes:
            wrong = self._run(mistake.implementation, self.cases[index], self.seconds)
            if not self._agrees(outcomes[index], wrong):
                continue
            others = (i for i in range(len(self.cases)) if i != index)
            runs = ((outcomes[i], self._run(mistake.implementation, self.cases[i], self.seconds)) for i in others)
            if all(self._agrees(outcome, run) for outcome, run in runs):
                return replace(verdict, hint=mistake.hint, mistake=mistake.name)
            perhaps.append(mistake)
        if len(perhaps) == 1:
            return replace(verdict, hint=f"Perhaps: {perhaps[0].hint}", mistake=f"perhaps {perhaps[0].name}")
        return verdict

    def problems(self) -> list[str]:
        """What is wrong with the exercise: mistakes that no case tells from the reference or from one another."""
        found = []
        results = {
            m.name: [self._run(m.implementation, case, self.seconds) for case in self.cases] for m in self.mistakes
        }
        results["(the reference)"] = [self._run(self.reference, case, 60.0) for case in self.cases]
        if len(results) != len(self.mistakes) + 1:
            found.append("two mistakes have the same name")
        names = list(results)
        for i, first in enumerate(names):
            for second in names[i + 1 :]:
                if all(self._agrees(a, b) for a, b in zip(results[first], results[second], strict=True)):
                    found.append(f"no case tells {first!r} from {second!r}")
        if any(outcome.changed for outcome in results["(the reference)"]):
            found.append("the reference changes its input")
        return found


def _arguments(signature: inspect.Signature) -> str:
    names = ", ".join(str(p).split(":")[0].split("=")[0].strip() for p in signature.parameters.values())
    return f"({names})"


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
        raise CourseError(f"The judge of {reference.__name__} has no cases: expected at least one.")
    as_cases = tuple(case if isinstance(case, Case) else Case(tuple(case)) for case in cases)
    return Function(reference, as_cases, tuple(mistakes), tolerance, by_norm, may_change_input, seconds)
