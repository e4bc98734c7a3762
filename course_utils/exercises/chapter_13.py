"""The exercises of chapter 13, Retrieval and tools."""

import math

import numpy as np

from course_utils.exercises.judges import Mistake, function
from course_utils.exercises.verdicts import Exercise

# 13-1 ---------------------------------------------------------------------------------------------------------------


def what_happens(tool, arguments, grants, tools):
    """ "refuse" what is no whole call, "do" what the task grants as a whole, "ask" a person about the rest."""
    return _happens(tool, arguments, grants, tools)


def _happens(tool, arguments, grants, tools, *, same=lambda given, granted: given == granted, words=None, **option):
    """`what_happens`; the options are mistakes."""
    names = tools.get(tool)
    whole = names is not None and option.get("names", set.__eq__)(set(arguments), set(names))
    texts = option.get("types", True) is False or all(isinstance(value, str) for value in arguments.values())
    if not (whole and texts):
        found = "refuse"
    else:
        granted = any(tool == one and same(arguments, values) for one, values in grants)
        found = "do" if granted else "ask"
    return (words or {}).get(found, found)


def _each(fits):
    """Two sets of arguments by a comparison of single values, of those names that both have."""
    return lambda given, granted: all(fits(str(given[k]), granted[k]) for k in given if k in granted)


def _happens_mistakes() -> list[Mistake]:
    def with_option(**option):
        return lambda *given: _happens(*given, **option)

    def each_alone(tool, arguments, grants, tools):
        """Each value somewhere among the grants of this tool, under its name."""
        first = _happens(tool, arguments, [], tools)
        known = all(any(tool == one and values.get(k) == v for one, values in grants) for k, v in arguments.items())
        return "do" if first == "ask" and known else first

    def any_name(tool, arguments, grants, tools):
        first = _happens(tool, arguments, [], tools)
        pool = [sorted(values.values()) for one, values in grants if one == tool]
        return "do" if first == "ask" and sorted(arguments.values()) in pool else first

    def granted_tool(tool, arguments, grants, tools):
        first = _happens(tool, arguments, [], tools)
        return "do" if first == "ask" and tool in [one for one, _ in grants] else first

    def first_grant(tool, arguments, grants, tools):
        return _happens(tool, arguments, grants[:1], tools)

    def grant_first(tool, arguments, grants, tools):
        found = _happens(tool, arguments, grants, tools)
        return found if found == "do" or tool not in tools else "ask"

    def unknown_asked(tool, arguments, grants, tools):
        return _happens(tool, arguments, grants, tools) if tool in tools else "ask"

    def ungranted_refused(tool, arguments, grants, tools):
        found = _happens(tool, arguments, grants, tools)
        return "refuse" if tool not in [one for one, _ in grants] else found

    def any_tool(tool, arguments, grants, tools):
        return _happens(tool, arguments, [(tool, values) for _, values in grants], tools)

    def texts_made(tool, arguments, grants, tools):
        return _happens(tool, {k: str(v) for k, v in arguments.items()}, grants, tools)

    def raises_unknown(tool, arguments, grants, tools):
        tools[tool]
        return _happens(tool, arguments, grants, tools)

    lower = _each(lambda a, b: a.lower() == b.lower())
    return [
        Mistake(
            "each value alone",
            each_alone,
            "Each value is granted somewhere, but not *together*: the order of one grant with the amount of another. "
            "Compare all arguments with one grant at a time.",
        ),
        Mistake(
            "names forgotten",
            any_name,
            "A value counts under its own name only: compare the dictionaries, not their values.",
        ),
        Mistake(
            "the tool alone", granted_tool, "That is the tool alone. Its arguments must be those of the grant, too."
        ),
        Mistake("first grant alone", first_grant, "A task may grant several calls. Look at all of them."),
        Mistake(
            "every tool granted", any_tool, "A grant names its tool: the same arguments for another are not granted."
        ),
        Mistake(
            "missing arguments",
            with_option(names=lambda given, wanted: given <= wanted),
            "A call that lacks an argument is no whole call: `set(arguments)` must be *equal* to `tools[tool]`.",
        ),
        Mistake(
            "missing arguments done",
            with_option(names=lambda given, wanted: given <= wanted, same=_each(str.__eq__)),
            "A call that lacks an argument passes, as `all` of nothing is true: `set(arguments)` must be *equal* to "
            "`tools[tool]`.",
        ),
        Mistake(
            "more arguments",
            with_option(names=lambda given, wanted: given >= wanted),
            "An argument too many is refused, a copy to a stranger, say: `set(arguments)` must be *equal* to "
            "`tools[tool]`.",
        ),
        Mistake(
            "more arguments done",
            with_option(names=lambda given, wanted: given >= wanted, same=_each(str.__eq__)),
            "An argument that the tool does not have goes through. `set(arguments)` must be *equal* to `tools[tool]`.",
        ),
        Mistake(
            "types",
            with_option(types=False),
            "A value that is no text is refused, a number or a list, say: `isinstance(value, str)`.",
        ),
        Mistake("made a text", texts_made, "Do not make a text of what is none: a value of another type is refused."),
        Mistake(
            "part of a value",
            with_option(same=_each(lambda a, b: a in b)),
            'A part is not the whole: "4" stands in "49". Compare with `==`.',
        ),
        Mistake(
            "a value in it",
            with_option(same=_each(lambda a, b: b in a)),
            'The granted value stands *in* the other: "49" in "4900". Compare with `==`.',
        ),
        Mistake("capitals", with_option(same=lower), "Capitals count: compare with `==`, and change no letter before."),
        Mistake(
            "before the @",
            with_option(same=_each(lambda a, b: a.split("@")[0] == b.split("@")[0])),
            "An address is more than what stands before its @: ana@evil.example is somebody else.",
        ),
        Mistake(
            "spaces",
            with_option(same=_each(lambda a, b: a.strip() == b.strip())),
            "Spaces count, too: compare with `==`, and tidy nothing.",
        ),
        Mistake("nothing is whole", grant_first, 'What is no whole call is not for a person: "refuse" it.'),
        Mistake(
            "unknown tool", unknown_asked, "A tool that does not exist is refused: ask first whether it is in `tools`."
        ),
        Mistake(
            "unknown tool raises",
            raises_unknown,
            "`tools` may lack the tool; ask `tool in tools` first, so that a wrong call is refused and nothing breaks.",
        ),
        Mistake(
            "not granted, refused",
            ungranted_refused,
            "A whole call that the task does not grant is no attack as such: a person is asked.",
        ),
        Mistake(
            "never asks",
            with_option(words={"ask": "refuse"}),
            "A whole call that the task does not grant is no attack as such: a person is asked.",
        ),
        Mistake("always asks", with_option(words={"refuse": "ask"}), "What is no whole call is refused."),
        Mistake(
            "always does",
            with_option(words={"ask": "do", "refuse": "do"}),
            "That does everything. Look at `tools` first, then at `grants`.",
        ),
        Mistake(
            "true or false",
            with_option(words={"do": True, "ask": False, "refuse": False}),
            'Return one of the words "do", "ask" and "refuse".',
        ),
    ]


_TOOLS = {"refund": {"order", "amount"}, "send": {"what", "to"}, "set_email": {"to"}, "close": set()}
_REFUND, _OTHER = {"order": "A-17", "amount": "49"}, {"order": "A-18", "amount": "890"}
_SEND = {"what": "last invoice", "to": "ana@home.example"}
_GRANTS = [("refund", _REFUND), ("refund", _OTHER), ("send", _SEND)]
_HAPPENS_CASES = [
    (tool, arguments, grants, _TOOLS)
    for tool, arguments, grants in [
        ("refund", _REFUND, _GRANTS),
        ("refund", _OTHER, _GRANTS),
        ("send", _SEND, _GRANTS),
        ("refund", {"order": "A-17", "amount": "890"}, _GRANTS),  # each granted, not together
        ("refund", {"order": "49", "amount": "A-17"}, _GRANTS),
        ("refund", {"order": "A-17", "amount": "4"}, _GRANTS),
        ("refund", {"order": "A-17", "amount": "4900"}, _GRANTS),
        ("refund", {"order": "a-17", "amount": "49"}, _GRANTS),
        ("refund", {"order": "A-17", "amount": "49 "}, _GRANTS),
        ("refund", {"order": "A-17", "amount": 49}, _GRANTS),
        ("refund", {"order": ["A-17"], "amount": "49"}, _GRANTS),
        ("refund", {"order": "A-17"}, _GRANTS),
        ("refund", {}, _GRANTS),
        ("send", {"what": "last invoice"}, _GRANTS),
        ("send", {"what": "last invoice", "to": None}, _GRANTS),
        ("send", _SEND | {"copy": "tax@office.example"}, _GRANTS),
        ("send", {"what": "last invoice", "to": "ana@evil.example"}, _GRANTS),
        ("send", {"what": "last invoice", "to": "Ana@home.example"}, _GRANTS),
        ("send", {"what": "", "to": "ana@home.example"}, _GRANTS),
        ("send", _SEND, _GRANTS[:2]),  # used up, or never granted
        ("set_email", {"to": "ana@home.example"}, _GRANTS),
        ("set_email", {"to": "ana@new.example"}, [("send", {"to": "ana@new.example"})]),
        ("close", {}, [("close", {})]),
        ("close", {}, []),
        ("delete", {}, _GRANTS),
    ]
]

# 13-2 ---------------------------------------------------------------------------------------------------------------


def answer_from(first, later, goal):
    """A threshold chosen on one part by the lower end, if the other part, in one look, shows it, too; else inf."""
    return _from(first, later, goal)


def _lower(good, n, z=1.959964):
    p = good / n
    centre = p + z * z / (2 * n)
    return (centre - z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)


def _reaches(part, t, goal, end=_lower, answered=np.greater_equal, of="answered"):
    sure, hit = np.asarray(part[0], float), np.asarray(part[1])
    chosen = answered(sure, t)
    n = int(chosen.sum()) if of == "answered" else len(sure)
    return n > 0 and bool(chosen.any()) and end(int(hit[chosen].sum()), n) >= goal


def _from(first, later, goal, *, choose=_lower, show=_lower, answered=np.greater_equal, pick=min, none=math.inf, **how):
    """`answer_from`; the options are mistakes."""
    of = how.get("of", "answered")
    levels = np.unique(np.asarray(first[0], float))
    good = [float(t) for t in levels if _reaches(first, t, goal, choose, answered, of)]
    if not good:
        return none
    t = pick(good)
    return t if show is None or _reaches(later, t, goal, show, answered, of) else none


def _from_mistakes() -> list[Mistake]:
    def with_option(**option):
        return lambda *given: _from(*given, **option)

    def share(good, n):
        return good / n

    def upper(good, n):
        return 1 - _lower(n - good, n)

    def plain(good, n):
        p = good / n
        return p - 1.96 * math.sqrt(p * (1 - p) / n)

    def narrow(good, n):
        return _lower(good, n, 1.644854)

    def looks_again(first, later, goal):
        levels = np.unique(np.asarray(first[0], float))
        kept = [float(t) for t in levels if _reaches(first, t, goal) and _reaches(later, t, goal)]
        return min(kept, default=math.inf)

    def pooled(first, later, goal):
        both = [np.concatenate([a, b]) for a, b in zip(first, later, strict=True)]
        return _from(both, later, goal, show=None)

    def swapped(first, later, goal):
        return _from(later, first, goal)

    def later_alone(first, later, goal):
        return _from(later, later, goal)

    def hits_alone(first, later, goal):
        sure, hit = np.asarray(first[0], float), np.asarray(first[1], bool)
        good = [float(t) for t in np.unique(sure[hit]) if _reaches(first, t, goal)]
        return min(good) if good and _reaches(later, min(good), goal) else math.inf

    def until_it_fails(first, later, goal):
        last = math.inf
        for t in np.unique(np.asarray(first[0], float))[::-1]:
            reached = _reaches(first, t, goal)
            if not reached and last < math.inf:
                break
            last = float(t) if reached else last
        return last if last < math.inf and _reaches(later, last, goal) else math.inf

    def one_by_one(first, later, goal):
        sure, hit = np.asarray(first[0], float), np.asarray(first[1])
        order = np.argsort(-sure, kind="stable")
        kept = [n for n in range(1, len(order) + 1) if _lower(int(hit[order[:n]].sum()), n) >= goal]
        t = float(sure[order[kept[-1] - 1]]) if kept else math.inf
        return t if kept and _reaches(later, t, goal) else math.inf

    def grid(first, later, goal):
        good = [t for t in np.linspace(0, 1, 101) if _reaches(first, t, goal)]
        return float(good[0]) if good and _reaches(later, good[0], goal) else math.inf

    def always_95(first, later, goal):
        return _from(first, later, 0.95)

    def above_goal(first, later, goal):
        return _from(first, later, goal + 0.01)

    def below_goal(first, later, goal):
        return _from(first, later, goal - 0.01)

    def share_answered(first, later, goal):
        return float((np.asarray(later[0]) >= _from(first, later, goal)).mean())

    def sorted_before(first, later, goal):
        return _from((np.sort(first[0]), first[1]), (np.sort(later[0]), later[1]), goal)

    return [
        Mistake(
            "not shown",
            with_option(show=None),
            "You choose, and do not show: the best of many thresholds owes some of its share to luck. Look at it once "
            "in `later`, and return it only if its lower end reaches the goal there, too.",
        ),
        Mistake(
            "looks again",
            looks_again,
            "You look at `later` for each threshold, which is choosing on it, too. One threshold, the smallest of "
            "`first`, one look; if that fails, `np.inf`.",
        ),
        Mistake("one pot", pooled, "You put both parts into one. Choose on `first`, show on `later`."),
        Mistake("parts swapped", swapped, "Choose on `first` and show on `later`, not the other way round."),
        Mistake("later alone", later_alone, "You choose on `later`, which is kept for showing. Choose on `first`."),
        Mistake(
            "the share itself",
            with_option(choose=share, show=share),
            "That is section 2's rule: the share itself. What the questions *show* is the lower end of its interval, "
            "`evaluate.share(…).low`.",
        ),
        Mistake(
            "chosen by the share",
            with_option(choose=share),
            "You choose by the share itself, which luck can lift, so the second part seldom shows it. Choose by the "
            "lower end, too.",
        ),
        Mistake(
            "shown by the share",
            with_option(show=share),
            "In `later` you look at the share itself. What is *shown* is its lower end.",
        ),
        Mistake("upper end", with_option(choose=upper, show=upper), "That is the upper end, the kindest. Take `.low`."),
        Mistake(
            "plain interval",
            with_option(choose=plain, show=plain),
            "This interval has no width where all are right. Use `evaluate.share`, Wilson's.",
        ),
        Mistake(
            "90 %",
            with_option(choose=narrow, show=narrow),
            "Your interval is narrower than one of 95 %. Use `evaluate.share` as it stands.",
        ),
        Mistake(
            "above the threshold",
            with_option(answered=np.greater),
            "Who is exactly as sure as the threshold answers, too: `sure >= t`.",
        ),
        Mistake(
            "the largest",
            with_option(pick=max),
            "Several thresholds keep the goal. The *smallest* answers the most questions.",
        ),
        Mistake(
            "thresholds of hits alone",
            hits_alone,
            "You try only values of questions that were answered rightly. A threshold may be any value of `sure`.",
        ),
        Mistake(
            "until it fails",
            until_it_fails,
            "You stop at the first threshold that fails on the way down. In `first` try them all; the one look that "
            "counts is that in `later`.",
        ),
        Mistake(
            "ties cut through",
            one_by_one,
            "Equal values of `sure` belong together: a threshold lets in all of them or none. Count `sure >= t`.",
        ),
        Mistake("a grid", grid, "The threshold is one of the values of `sure` in `first`, not one of a grid."),
        Mistake("goal fixed", always_95, "The goal is given: use `goal`, not 0.95."),
        Mistake("more than the goal", above_goal, "To reach the goal is enough: `>= goal`, and no margin on top."),
        Mistake("less than the goal", below_goal, "The goal must be reached, not nearly: `>= goal`."),
        Mistake(
            "sorted before use", sorted_before, "`sure` was sorted and `hit` was not: they no longer belong together."
        ),
        Mistake(
            "of all questions",
            with_option(of="all"),
            "Divide by the questions that are *answered*, not by all of them.",
        ),
        Mistake("share answered", share_answered, "That is the share answered. The threshold is asked for."),
        Mistake(
            "0 for none", with_option(none=0.0), "A threshold of 0 answers everything. Where none will do: `np.inf`."
        ),
        Mistake("None for none", with_option(none=None), "Where no threshold keeps the goal, return `np.inf`."),
        Mistake("1 for none", with_option(none=1.0), "Somebody may be exactly 1 sure. Where none will do: `np.inf`."),
    ]


def _part(groups):
    """Questions in groups: (how sure, how many right, how many wrong) → how sure, and whether right."""
    sure = np.concatenate([np.full(good + bad, level) for level, good, bad in groups])
    hit = np.concatenate([np.arange(good + bad) < good for _, good, bad in groups])
    order = np.random.default_rng(len(sure)).permutation(len(sure))
    return sure[order], hit[order]


def _just(good, n, off):
    """A goal that a lower end just reaches, or with ``off`` above zero just misses."""
    return _lower(good, n) - 2e-4 + off


_FROM_CASES = [
    (_part(first), _part(later), goal)
    for first, later, goal in [
        ([(0.9, 40, 0), (0.7, 30, 1), (0.5, 20, 6)], [(0.92, 50, 0), (0.7, 30, 1), (0.4, 9, 9)], 0.9),
        ([(0.95, 20, 0), (0.605, 20, 1), (0.3, 2, 20)], [(0.9, 30, 0), (0.605, 10, 1), (0.2, 1, 20)], 0.8),
        ([(0.95, 30, 0), (0.6, 20, 1), (0.3, 2, 20)], [(0.9, 30, 4), (0.6, 10, 2), (0.2, 1, 20)], 0.8),  # luck
        ([(0.9, 40, 0), (0.6, 30, 1)], [(0.9, 60, 0), (0.6, 20, 16)], 0.85),  # the larger one would be shown
        ([(0.9, 10, 0), (0.8, 9, 1), (0.1, 0, 9)], [(0.9, 200, 0)], 0.95),  # too few to choose
        ([(0.9, 200, 0)], [(0.9, 10, 0), (0.1, 0, 9)], 0.95),  # too few to show
        ([(0.9, 200, 0)], [(0.5, 40, 0)], 0.9),  # none to show
        ([(0.9, 18, 2), (0.8, 60, 0), (0.4, 5, 9)], [(0.85, 80, 1), (0.3, 1, 4)], 0.85),  # fails, then reached
        ([(0.9, 80, 0), (0.8, 0, 6), (0.7, 90, 0)], [(0.9, 80, 0), (0.75, 90, 1)], 0.92),  # reached, lost, reached
        ([(0.9, 80, 0), (0.7, 0, 1), (0.4, 0, 60)], [(0.9, 90, 0), (0.8, 20, 0)], 0.85),  # a miss is the threshold
        ([(0.8, 73, 0), (0.5, 3, 9)], [(0.8, 80, 0), (0.5, 3, 9)], 0.95),
        ([(0.8, 60, 2), (0.5, 3, 9)], [(0.8, 60, 2), (0.5, 3, 9)], _just(60, 62, 0.0)),
        ([(0.8, 60, 2), (0.5, 3, 9)], [(0.8, 60, 2), (0.5, 3, 9)], _just(60, 62, 4e-3)),
        ([(0.9, 30, 0), (0.5, 8, 1), (0.4, 0, 40)], [(0.9, 60, 0), (0.5, 8, 1)], 0.88),
        ([(0.8, 0, 12)], [(0.8, 9, 0)], 0.5),
        ([(0.9, 20, 0), (0.7, 6, 14), (0.5, 14, 6)], [(0.9, 40, 0), (0.4, 0, 20)], 0.5),
        ([(0.9, 40, 0), (0.7, 10, 0), (0.5, 30, 12)], [(0.9, 60, 0), (0.4, 30, 0)], 0.7),
        ([(1.0, 40, 0), (0.6, 40, 12)], [(1.0, 40, 0)], 0.75),
        ([(0.9, 30, 0), (0.5, 50, 12)], [(0.9, 70, 0), (0.5, 70, 24)], 0.78),  # shown by the share alone
    ]
]

EXERCISES = (
    Exercise(
        "13-1",
        "Do, ask or refuse?",
        "modify",
        6,
        'Write `what_happens(tool, arguments, grants, tools)`: "refuse" where the tool is not in `tools`, the names of '
        'its arguments are not exactly those there, or a value is no text; "do" where one of `grants` is this very '
        'call; "ask", a person, for the rest. Put your code where the three dots stand.',
        function(what_happens, _HAPPENS_CASES, mistakes=_happens_mistakes()),
    ),
    Exercise(
        "13-2",
        "Answer from when on?",
        "decide",
        8,
        "Write `answer_from(first, later, goal)`: the smallest value of `sure` in `first` at which the lower end of "
        "the 95 % interval of the share right, among all that are at least as sure, reaches the goal; this only if in "
        "`later` the lower end for the same threshold does, too. Otherwise `np.inf`. Put your code where the "
        "three dots stand.",
        function(answer_from, _FROM_CASES, mistakes=_from_mistakes()),
    ),
)
