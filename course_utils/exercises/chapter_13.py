"""The exercises of chapter 13, Retrieval and tools."""

import math

import numpy as np

from course_utils.exercises.judges import Mistake, function
from course_utils.exercises.verdicts import Exercise

# 13-1 ---------------------------------------------------------------------------------------------------------------


def what_happens(tool, arguments, may, trusted):
    """ "refuse" a tool that the task does not grant, "do" what is trusted in every argument, "ask" about the rest."""
    return _happens(tool, arguments, may, trusted)


def _happens(tool, arguments, may, trusted, *, grants=True, enough=all, named=True, order="grant first", words=None):
    """`what_happens`; the options are mistakes."""
    pool = set().union(*trusted.values()) if trusted else set()
    known = enough(value in (trusted.get(name, ()) if named else pool) for name, value in arguments.items())
    granted = tool in may or not grants
    if order == "values first" and not known:
        found = "ask"
    elif not granted:
        found = "refuse"
    else:
        found = "do" if known else "ask"
    return (words or {}).get(found, found)


def _happens_mistakes() -> list[Mistake]:
    def with_option(**option):
        return lambda *given: _happens(*given, **option)

    def unknown_names(tool, arguments, may, trusted):
        if tool not in may:
            return "refuse"
        return "do" if all(value in trusted[name] for name, value in arguments.items()) else "ask"

    def lenient_names(tool, arguments, may, trusted):
        if tool not in may:
            return "refuse"
        return "do" if all(value in trusted[name] for name, value in arguments.items() if name in trusted) else "ask"

    def trust_for_tool(tool, arguments, may, trusted):
        return "do" if tool in may else "refuse"

    def in_order(tool, arguments, may, trusted):
        for name, value in arguments.items():
            return "refuse" if tool not in may else "do" if value in trusted.get(name, ()) else "ask"
        return "do" if tool in may else "refuse"

    return [
        Mistake(
            "every tool granted",
            with_option(grants=False),
            "The task's grant is missing: a tool that is not in `may` is refused, whatever its arguments are.",
        ),
        Mistake(
            "one value is enough",
            with_option(enough=any),
            "One trusted argument does not make a call safe: *every* value must be trusted, so use `all`.",
        ),
        Mistake(
            "names forgotten",
            with_option(named=False),
            "A value is trusted under its own name only: an address that may receive is no thing that may be sent.",
        ),
        Mistake(
            "values before the grant",
            with_option(order="values first"),
            "A tool that the task does not grant is refused, not brought before a person: look at `may` first.",
        ),
        Mistake(
            "unknown name",
            unknown_names,
            "`trusted` may lack a name altogether, and then nothing is trusted under it: `trusted.get(name, ())`.",
        ),
        Mistake(
            "unknown name let through",
            lenient_names,
            "A name of which `trusted` says nothing has no trusted value: such a call is for a person.",
        ),
        Mistake(
            "the grant alone",
            trust_for_tool,
            "That is the grant alone. A granted tool with a value out of a mail still needs a person.",
        ),
        Mistake("first argument alone", in_order, "That looks at the first argument alone. Look at all of them."),
        Mistake(
            "never asks",
            with_option(words={"ask": "refuse"}),
            "A granted tool with a value that is not trusted is no attack as such: a person is asked.",
        ),
        Mistake(
            "always asks",
            with_option(words={"refuse": "ask"}),
            "What the task does not grant is refused. Whoever has to approve too much approves everything.",
        ),
        Mistake(
            "true or false",
            with_option(words={"do": True, "ask": False, "refuse": False}),
            'Return one of the words "do", "ask" and "refuse".',
        ),
    ]


_TRUSTED = {"order": {"A-17"}, "amount": {"49"}, "what": {"last invoice"}, "to": {"ana@home.example"}}
_REFUND = {"order": "A-17", "amount": "49"}
_SEND = {"what": "last invoice", "to": "ana@home.example"}
_HAPPENS_CASES = [
    ("refund", _REFUND, {"refund"}, _TRUSTED),
    ("refund", {"order": "A-17", "amount": "4900"}, {"refund"}, _TRUSTED),
    ("refund", {"order": "B-52", "amount": "49"}, {"refund", "send"}, _TRUSTED),
    ("send", _SEND, {"refund"}, _TRUSTED),
    ("send", {"what": "customer list", "to": "tax@office.example"}, {"refund"}, _TRUSTED),
    ("send", {"what": "last invoice", "to": "tax@office.example"}, {"send"}, _TRUSTED),
    ("send", {"what": "ana@home.example", "to": "ana@home.example"}, {"send"}, _TRUSTED),
    ("send", _SEND | {"copy": "tax@office.example"}, {"send"}, _TRUSTED),
    ("set_email", {"to": "ana@home.example"}, set(), _TRUSTED),
    ("close", {}, {"close"}, _TRUSTED),
    ("close", {}, {"send"}, {}),
    ("send", _SEND, {"send"}, {}),
]

# 13-2 ---------------------------------------------------------------------------------------------------------------


def answer_from(sure, hit, goal):
    """The smallest threshold at which the answers are *shown* to reach the goal, by the lower end; inf for none."""
    return _from(sure, hit, goal)


def _lower(good, n, z=1.959964):
    p = good / n
    centre = p + z * z / (2 * n)
    return (centre - z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)


def _from(sure, hit, goal, *, end=_lower, answered=np.greater_equal, pick=min, none=math.inf, of="answered"):
    """`answer_from`; the options are mistakes."""
    sure, hit = np.asarray(sure, float), np.asarray(hit)
    kept = []
    for t in np.unique(sure):
        chosen = answered(sure, t)
        n = chosen.sum() if of == "answered" else len(sure)
        if n and end(int(hit[chosen].sum()), int(n)) >= goal:
            kept.append(float(t))
    return pick(kept) if kept else none


def _from_mistakes() -> list[Mistake]:
    def with_option(**option):
        return lambda *given: _from(*given, **option)

    def upper(good, n):
        return 1 - _lower(n - good, n)

    def plain(good, n):
        p = good / n
        return p - 1.96 * math.sqrt(p * (1 - p) / n)

    def until_it_fails(sure, hit, goal):
        sure, hit = np.asarray(sure, float), np.asarray(hit)
        last = math.inf
        for t in np.unique(sure)[::-1]:
            chosen = sure >= t
            reached = _lower(int(hit[chosen].sum()), int(chosen.sum())) >= goal
            if not reached and last < math.inf:
                break
            last = float(t) if reached else last
        return last

    def one_by_one(sure, hit, goal):
        order = np.argsort(-np.asarray(sure, float), kind="stable")
        kept = [n for n in range(1, len(order) + 1) if _lower(int(np.asarray(hit)[order[:n]].sum()), n) >= goal]
        return float(np.asarray(sure, float)[order[kept[-1] - 1]]) if kept else math.inf

    def share_answered(sure, hit, goal):
        t = _from(sure, hit, goal)
        return float((np.asarray(sure) >= t).mean())

    return [
        Mistake(
            "the share itself",
            with_option(end=lambda good, n: good / n),
            "That is section 2's rule: the share itself. What the questions *show* is the lower end of its interval, "
            "`evaluate.share(…).low`.",
        ),
        Mistake("upper end", with_option(end=upper), "That is the upper end, the kindest. Take `.low`."),
        Mistake(
            "plain interval",
            with_option(end=plain),
            "This interval has no width where all are right. Use `evaluate.share`, Wilson's.",
        ),
        Mistake(
            "90 %",
            with_option(end=lambda good, n: _lower(good, n, 1.644854)),
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
            "until it fails",
            until_it_fails,
            "You stop at the first threshold that fails on the way down. Below it, with more answers, the goal may be "
            "reached again: try them all.",
        ),
        Mistake(
            "ties cut through",
            one_by_one,
            "Equal values of `sure` belong together: a threshold lets in all of them or none. Count `sure >= t`.",
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


def _asked(groups, goal):
    """Questions in groups: (how sure, how many right, how many wrong)."""
    sure = np.concatenate([np.full(good + bad, level) for level, good, bad in groups])
    hit = np.concatenate([np.arange(good + bad) < good for _, good, bad in groups])
    order = np.random.default_rng(len(sure)).permutation(len(sure))
    return sure[order], hit[order], goal


_FROM_CASES = [
    _asked([(0.9, 40, 0), (0.7, 30, 1), (0.5, 20, 6), (0.2, 4, 30)], 0.9),
    _asked([(0.95, 20, 0), (0.6, 20, 3), (0.3, 2, 20)], 0.8),
    _asked([(0.9, 10, 0), (0.8, 9, 1), (0.1, 0, 9)], 0.95),  # too few to show it
    _asked([(0.9, 18, 2), (0.8, 60, 0), (0.4, 5, 9)], 0.9),  # fails at first, reached with more
    _asked([(0.9, 80, 0), (0.8, 0, 6), (0.7, 90, 0), (0.1, 1, 20)], 0.92),  # reached, lost, reached again
    _asked([(0.9, 73, 0), (0.5, 3, 9)], 0.95),
    _asked([(0.9, 30, 0), (0.5, 8, 1), (0.4, 0, 40)], 0.88),
    _asked([(0.8, 0, 12)], 0.5),
    _asked([(0.99, 4, 0), (0.6, 40, 2), (0.2, 8, 6)], 0.85),
]

EXERCISES = (
    Exercise(
        "13-1",
        "Do, ask or refuse?",
        "modify",
        6,
        'Write `what_happens(tool, arguments, may, trusted)`: "refuse" where the tool is not in `may`; "do" where each '
        'argument\'s value is trusted under its name; "ask", a person, for the rest. Put your code where the three '
        "dots stand.",
        function(what_happens, _HAPPENS_CASES, mistakes=_happens_mistakes()),
    ),
    Exercise(
        "13-2",
        "Answer from when on?",
        "decide",
        8,
        "Write `answer_from(sure, hit, goal)`: the smallest value of `sure` at which the lower end of the 95 % "
        "interval of the share right, among all that are at least as sure, reaches the goal; `np.inf` where there is "
        "none. Put your code where the three dots stand.",
        function(answer_from, _FROM_CASES, mistakes=_from_mistakes()),
    ),
)
