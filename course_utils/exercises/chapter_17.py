"""The exercises of chapter 17, The fact-check."""

from collections.abc import Callable, Mapping, Sequence

from course_utils.exercises.judges import Mistake, function
from course_utils.exercises.verdicts import Exercise

# 17-1 ---------------------------------------------------------------------------------------------------------------

_NAMES = {"nothing": "holds", "a condition": "holds with a condition", "a symbol": "misprinted"}


def verdict_of(readings: Sequence[tuple[str, bool | None]]) -> str:
    """The verdict by what had to be changed for a reading, and whether it then held (None: it could not be run)."""
    return _verdict(readings)


def _verdict(readings, *, decides="mildest", none_is="unverifiable", nobody="unverifiable", any_none=False) -> str:
    """`verdict_of`; the options are mistakes."""
    if any_none and any(held is None for _, held in readings):
        return "unverifiable"
    held = [change for change, result in readings if result]
    order = sorted(held, key=list(_NAMES).index)
    if decides == "printed only":
        order = [change for change in order if change == "nothing"]
    if decides == "no symbols":
        order = [change for change in order if change != "a symbol"]
    if order:
        return _NAMES[{"harshest": order[-1], "first": held[0], "last": held[-1]}.get(decides, order[0])]
    if not readings:
        return nobody
    return none_is if any(result is None for _, result in readings) else "wrong"


def _verdict_mistakes() -> list[Mistake]:
    def with_option(**option):
        return lambda readings: _verdict(readings, **option)

    def every_reading(readings):
        if readings and all(result for _, result in readings):
            return _verdict(readings)
        return "unverifiable" if any(result is None for _, result in readings) or not readings else "wrong"

    return [
        Mistake(
            "not run is false",
            with_option(none_is="wrong"),
            "A reading that could not be run (None) has not failed. Where none held and one was not run, nobody knows: "
            "unverifiable.",
        ),
        Mistake(
            "one not run spoils all",
            with_option(any_none=True),
            "A reading that could not be run matters only where no other held: one that holds settles it.",
        ),
        Mistake(
            "no reading at all",
            with_option(nobody="wrong"),
            "Without any reading nothing was run, so nothing was refuted: unverifiable. (`all` of nothing is True.)",
        ),
        Mistake(
            "the harshest",
            with_option(decides="harshest"),
            "Of the readings that held the *mildest* change decides: the kindest reading counts.",
        ),
        Mistake(
            "the first",
            with_option(decides="first"),
            "The order in which readings were tried says nothing: look for the mildest change that held.",
        ),
        Mistake(
            "the last",
            with_option(decides="last"),
            "The order in which readings were tried says nothing: look for the mildest change that held.",
        ),
        Mistake(
            "as printed only",
            with_option(decides="printed only"),
            "That runs the words as printed and stops. What held with a condition or a symbol changed counts too.",
        ),
        Mistake(
            "no misprints",
            with_option(decides="no symbols"),
            "What held with a symbol changed is misprinted, not wrong.",
        ),
        Mistake(
            "every reading",
            every_reading,
            "It need not hold in every reading: one is enough, the kindest.",
        ),
    ]


_VERDICT_CASES = [
    ([("nothing", True)],),
    ([("nothing", False), ("a condition", True)],),
    ([("nothing", False), ("a condition", False), ("a symbol", True)],),
    ([("nothing", False), ("a condition", False)],),
    ([("nothing", False), ("a condition", None)],),
    ([("nothing", None)],),
    ([("nothing", None), ("a condition", True)],),
    ([("a symbol", True), ("a condition", None), ("nothing", False)],),
    ([("a symbol", True), ("a condition", True), ("nothing", False)],),
    ([("a condition", True), ("nothing", True), ("a symbol", True)],),
    ([("a condition", False), ("a condition", True), ("nothing", False)],),
    ([("nothing", True), ("a symbol", True)],),
    ([("a condition", True)],),
    ([("nothing", None), ("a condition", False)],),
    ([("a condition", True), ("a condition", False)],),
    ([("a symbol", None)],),
    ([],),
]

# 17-2 ---------------------------------------------------------------------------------------------------------------


def what_turns(
    judge: Callable[[Mapping[str, float]], str], observed: Mapping[str, float], might_have_been: Mapping[str, float]
) -> tuple[str, ...]:
    """The observations that, each changed alone, turn the verdict; in the order of ``might_have_been``."""
    as_it_is = judge(dict(observed))
    return tuple(name for name, value in might_have_been.items() if judge({**observed, name: value}) != as_it_is)


def _turns_mistakes() -> list[Mistake]:
    def all_at_once(judge, observed, might_have_been):
        turned = judge({**observed, **might_have_been}) != judge(dict(observed))
        return tuple(might_have_been) if turned else ()

    def one_after_another(judge, observed, might_have_been):
        now, names = dict(observed), []
        for name, value in might_have_been.items():
            before = judge(dict(now))
            now[name] = value
            if judge(dict(now)) != before:
                names.append(name)
        return tuple(names)

    def kept(judge, observed, might_have_been):
        turning = what_turns(judge, observed, might_have_been)
        return tuple(name for name in might_have_been if name not in turning)

    def without_the_others(judge, observed, might_have_been):
        as_it_is, names = judge(dict(observed)), []
        for name, value in might_have_been.items():
            blank = {**dict.fromkeys(observed, 0), name: value}
            if judge(blank) != as_it_is:
                names.append(name)
        return tuple(names)

    def changed_values(judge, observed, might_have_been):
        return tuple(name for name, value in might_have_been.items() if observed.get(name) != value)

    def verdicts(judge, observed, might_have_been):
        turning = what_turns(judge, observed, might_have_been)
        return tuple(judge({**observed, name: might_have_been[name]}) for name in turning)

    def by_name(judge, observed, might_have_been):
        return tuple(sorted(what_turns(judge, observed, might_have_been)))

    return [
        Mistake(
            "all at once",
            all_at_once,
            "You change all observations together. Change each alone, the others as they were observed.",
        ),
        Mistake(
            "one after another",
            one_after_another,
            "You keep the earlier changes. Begin each time from what was observed: `{**observed, name: value}`.",
        ),
        Mistake("those that keep it", kept, "Those are the observations that do *not* turn the verdict."),
        Mistake(
            "the others are nought",
            without_the_others,
            "The others must stay as observed, not become 0: `{**observed, name: value}`.",
        ),
        Mistake(
            "every other value",
            changed_values,
            "That a value differs is not enough: ask `judge` whether the *verdict* differs.",
        ),
        Mistake("verdicts", verdicts, "Those are the verdicts. Return the names of the observations."),
        Mistake("sorted", by_name, "Return the names in the order in which they were given, not sorted."),
    ]


def _log(one: Mapping[str, float]) -> str:
    fits = abs(one["samples"] * one["milliseconds"] / 1000 - one["seconds"]) <= 0.1 * one["seconds"]
    return "holds" if fits else "wrong"


def _both(one: Mapping[str, float]) -> str:
    return "holds" if one["gain"] > 0 and one["low"] > 0 else "unverifiable" if one["gain"] > 0 else "wrong"


def _always(one: Mapping[str, float]) -> str:
    return "holds"


_LOG = {"seconds": 34, "milliseconds": 5, "samples": 60_000}
_TURNS_CASES = [
    (_log, _LOG, {"seconds": 300, "milliseconds": 4, "samples": 6_800}),
    (_log, _LOG, {"samples": 6_800, "milliseconds": 0.566, "seconds": 35}),
    (_log, _LOG, {"seconds": 35}),
    (_log, {"seconds": 300, "milliseconds": 5, "samples": 60_000}, {"milliseconds": 6, "seconds": 310, "samples": 9}),
    (_both, {"gain": 2.0, "low": -0.4}, {"low": 0.3, "gain": -1.0}),
    (_both, {"gain": 2.0, "low": 0.4}, {"gain": 1.0, "low": 0.1}),
    (_both, {"gain": -1.0, "low": -2.0}, {"low": 0.5, "gain": 1.0}),
    (_always, {"a": 1, "b": 2}, {"b": 5, "a": 9}),
    (_always, {"a": 1}, {}),
]

EXERCISES = (
    Exercise(
        "17-1",
        "From readings to a verdict",
        "modify",
        7,
        "Write `verdict_of(readings)`: of the readings that held the mildest change decides (nothing: holds; a "
        "condition: holds with a condition; a symbol: misprinted); where none held: wrong, or unverifiable if one "
        "could not be run. Put your code where the three dots stand.",
        function(verdict_of, _VERDICT_CASES, mistakes=_verdict_mistakes()),
    ),
    Exercise(
        "17-2",
        "What would turn it?",
        "decide",
        8,
        "Write `what_turns(judge, observed, might_have_been)`: the list of the names whose other value, each changed "
        "alone, turns the verdict of `judge`. Put your code where the three dots stand.",
        function(what_turns, _TURNS_CASES, mistakes=_turns_mistakes()),
    ),
)
