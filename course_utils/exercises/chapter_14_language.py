"""The exercise of chapter 14 on language: which of two models ships."""

import numpy as np

from course_utils.exercises.judges import Mistake, function
from course_utils.exercises.verdicts import Exercise


def ship(simple, network, listed):
    """ "network" if it is shown to be better on the same words, else "simple"; any listed pronunciation is right."""
    return _ship(simple, network, listed)


def _right(said, listed, ways):
    return np.array([one in ways(of) for one, of in zip(said, listed, strict=True)], float)


def _paired(d):
    return d.mean() - 1.96 * d.std() / np.sqrt(len(d)) > 0


def _ship(simple, network, listed, *, ways=list, better=_paired, words=("network", "simple")):
    """`ship`; the options are mistakes."""
    d = _right(network, listed, ways) - _right(simple, listed, ways)
    return words[0] if better(d) else words[1]


def _mistakes() -> list[Mistake]:
    def with_option(**option):
        return lambda *given: _ship(*given, **option)

    def apart(simple, network, listed):
        """Two intervals, each on its own, that must not meet."""
        a, b = _right(simple, listed, list), _right(network, listed, list)
        ends = [1.96 * np.sqrt(p.mean() * (1 - p.mean()) / len(p)) for p in (a, b)]
        return "network" if b.mean() - ends[1] > a.mean() + ends[0] else "simple"

    def unpaired(simple, network, listed):
        """The interval of a difference of two samples that are not the same words."""
        a, b = _right(simple, listed, list), _right(network, listed, list)
        half = 1.96 * np.sqrt((a.var() + b.var()) / len(a))
        return "network" if b.mean() - a.mean() - half > 0 else "simple"

    def swapped(simple, network, listed):
        return _ship(network, simple, listed)

    def unless_worse(d):
        return d.mean() + 1.96 * d.std() / np.sqrt(len(d)) >= 0

    def spread(d):
        return d.mean() - 1.96 * d.std() > 0

    def differ(d):
        return abs(d.mean()) - 1.96 * d.std() / np.sqrt(len(d)) > 0

    return [
        Mistake(
            "point",
            with_option(better=lambda d: d.mean() > 0),
            "That ships the network for being ahead on these words, be it by one. Ask for the *interval*: its lower "
            "end, mean(d) − 1.96 s/√n, must lie above 0.",
        ),
        Mistake(
            "first pronunciation alone",
            with_option(ways=lambda of: of[:1]),
            "A word may be said in several ways, and any listed one is right: ask `said in ways`, not `== ways[0]`.",
        ),
        Mistake(
            "two intervals apart",
            apart,
            "Two intervals, one for each model, ask too much: both said the *same* words, and what is hard for one is "
            "hard for the other. Take the interval of the differences, word by word.",
        ),
        Mistake(
            "unpaired",
            unpaired,
            "That adds the variances of two samples, as if the models had said different words. Take each word's "
            "difference d first, then the spread of d.",
        ),
        Mistake("swapped", swapped, "You have taken the one for the other: d is 1 where the *network* alone is right."),
        Mistake(
            "shown to be worse",
            with_option(better=unless_worse),
            "That ships the network unless it is shown to be worse. The burden is on the one that costs more: the "
            "*lower* end must lie above 0.",
        ),
        Mistake(
            "spread of one word",
            with_option(better=spread),
            "s is the spread of a single word's difference; that of their mean is s/√n. As you have it, no number of "
            "words would ever be enough.",
        ),
        Mistake(
            "any difference",
            with_option(better=differ),
            "The models differ, but which is ahead? The network ships only if the whole interval lies *above* 0.",
        ),
        Mistake("always simple", lambda *_: "simple", "That is the simple one whatever was said. Compare them."),
        Mistake("always network", lambda *_: "network", "That is the network whatever was said. Compare them."),
        Mistake(
            "true or false",
            with_option(words=(True, False)),
            'Return one of the two words, "network" or "simple".',
        ),
    ]


def _case(both, alone, other, neither, *, seconds=0):
    """Words that both say right, the network alone, the simple one alone, neither; ``seconds``: by a second way."""
    good, second, bad = ("R", "EH", "D"), ("R", "IY", "D"), ("R", "AY", "D")
    total = both + alone + other + neither
    network = [good] * (both + alone) + [bad] * (other + neither)
    simple = [good] * both + [bad] * alone + [good] * other + [()] * neither
    for k in range(seconds):
        network[both + k] = second
    return simple, network, [[good, second]] * total


_CASES = [
    _case(600, 90, 40, 270),  # shown in pairs, and not by two intervals
    _case(300, 12, 2, 86),
    _case(600, 60, 50, 290),  # ahead, but not shown
    _case(50, 3, 1, 46),
    _case(600, 7, 2, 391),  # shown at 90 %, or without the ties, and not by the rule
    _case(600, 9, 2, 389),  # shown by the rule, and not by an exact test
    _case(600, 40, 90, 270),  # shown to be worse
    _case(600, 50, 50, 300),
    _case(0, 98, 2, 0),
    _case(500, 80, 20, 400, seconds=70),  # many second pronunciations
    _case(20, 0, 0, 20),
    _case(10, 10, 0, 0),
]

EXERCISES = (
    Exercise(
        "14-2",
        "Ship the network?",
        "decide",
        8,
        'Write `ship(simple, network, listed)`: "network" if the whole 95 % interval of the mean difference, word by '
        'word, lies above 0, else "simple"; any listed pronunciation is right. Put your code where the three dots '
        "stand.",
        function(ship, _CASES, mistakes=_mistakes()),
    ),
)
