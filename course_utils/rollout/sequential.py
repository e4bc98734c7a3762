"""Is the challenger worse? A test that may be looked at after every answer, and stopped whenever it has decided.

Both tests are bets against the claim that they try. Whoever bets at fair odds, or worse, cannot grow rich: the wealth
W, which begins at 1, has a mean of at most 1 at any time, and the chance that it *ever* reaches 1/alpha is at most
alpha (Ville's inequality, 1939). So a wealth of 100 is evidence at alpha = 0.01, however often one has looked.

Each step has a payoff g that the claim makes 0 or less in the mean, *given all that came before*. So a step must be a
new draw: of one user only one answer may count, since what the second one says is half known from the first. A bettor
who always stakes the share b of the wealth has

    W_b(n) = (1 + b g_1) (1 + b g_2) … (1 + b g_n),

and since nobody knows the best stake beforehand, the wealth is divided among bettors with different stakes, and the
evidence is the mean of what they have. A mean of finitely many such products is itself one that obeys the inequality:
nothing here is an approximation.

*Paired* (shadow: both have answered): X = (challenger right) − (champion right), claim: mean(X) ≥ −margin, payoff
g = −(X + margin). With a margin of 0 only answers count of which exactly one was right; a stake b is then the
likelihood ratio of "the challenger has a share (1 − b)/2 of them" to "half of them", and the mean over b a mixture over
that share.

*Canary* (each request is answered by one of the two, by chance the challenger with probability s): A = 1 where the
challenger answered, w = 1 where the answer was wrong, payoff g = w (A − s). Only errors count: if both err equally
often, the chance that an error came from the challenger is s; if not,

    q = s e_1 / (s e_1 + (1 − s) e_0),

and the stake b = (q − s) / (s (1 − s)) makes 1 + b g the likelihood ratio of q to s. Where s grows while the test runs,
each bettor keeps the guess of e_1 / e_0, and so has another stake: W stays one product, over all shares.

Sources: J. Ville (1939), Étude critique de la notion de collectif; D. A. Darling, H. Robbins (1967), Confidence
sequences for mean, variance, and median, PNAS 58 (looked at any time); A. Ramdas, P. Grünwald, V. Vovk, G. Shafer
(2023), Game-theoretic statistics and safe anytime-valid inference, Statistical Science 38(4); I. Waudby-Smith,
A. Ramdas (2024), Estimating means of bounded random variables by betting, JRSS B 86(1).
"""

import math
from typing import Literal, NamedTuple

import numpy as np

from course_utils.errors import CourseError
from course_utils.language import say

Decision = Literal["stop", "promote"] | None
BETTORS = 32
_MOST_RATIO = 32.0  # of the error rates, for which a bettor is there


class Evidence(NamedTuple):
    """Natural logarithms of the wealth of two bettors: on "the challenger is worse" and on "it is better".

    Numbers, or arrays of one shape. ``math.log(1 / alpha)`` is enough.
    """

    worse: "float | np.ndarray"
    better: "float | np.ndarray"


def paired_evidence(champion: np.ndarray, challenger: np.ndarray, margin: float = 0.0) -> Evidence:
    """The evidence after each answer, both arms having given one.

    ``champion`` and ``challenger``, bool or float in [0, 1] (…, n): whether each was right (of several items in one
    request: the share that was). The claim that is tried: for each next answer, given all before it, the challenger's
    accuracy is at least the champion's less ``margin``. So the answers must be independent of one another, as those to
    different users are: of one user keep one. Returns two float arrays (…, n). Raises CourseError for other numbers.
    """
    difference = _shares(challenger) - _shares(champion)
    worse, better = _paired_stakes(margin)
    return Evidence(log_wealth(-(difference + margin), worse), log_wealth(difference + margin, better))


def canary_evidence(from_challenger: np.ndarray, wrong: np.ndarray, share: float, ratio: float = 1.0) -> Evidence:
    """The evidence after each labelled answer, each of one arm.

    ``from_challenger`` bool (…, n): who answered; ``wrong`` bool or float in [0, 1] (…, n): whether it was wrong;
    ``share``: the probability with which the challenger is asked, drawn anew for each answer. The claim that is tried:
    for each next answer, given all before it, the challenger's error rate is at most ``ratio`` times the champion's; of
    one user keep one answer, whatever it was. Returns two float arrays (…, n). Raises CourseError for other numbers.
    """
    asked = np.asarray(from_challenger, dtype=bool)
    fair, worse, better = _canary_stakes(share, ratio)
    payoff = _shares(wrong) * (asked - fair)
    return Evidence(log_wealth(payoff, worse), log_wealth(-payoff, better))


def log_wealth(payoffs: np.ndarray, stakes: np.ndarray) -> np.ndarray:
    """log of the mean wealth of bettors with ``stakes`` (k,) after each of ``payoffs`` (…, n): float (…, n).

    1 + stake · payoff must be above 0. Payoffs of 0 cost no time, so that long runs with few errors are quick.
    """
    payoffs = np.atleast_1d(np.asarray(payoffs, dtype=float))
    found = np.zeros(payoffs.shape)
    for run, wealth in zip(_rows(payoffs), _rows(found), strict=True):
        moves = np.flatnonzero(run)
        if len(moves):
            values, which = np.unique(run[moves], return_inverse=True)  # few: a logarithm of each is enough
            logs = np.log1p(np.multiply.outer(values, stakes))[which].cumsum(axis=0)
            most = logs.max(axis=1)
            known = most + np.log(np.exp(logs - most[:, None]).mean(axis=1))
            # Between two payoffs that count the wealth stays what it was, and before the first it is 1.
            wealth[moves[0] :] = np.repeat(known, np.diff([*moves, len(run)]))
    return found


def _rows(values: np.ndarray) -> np.ndarray:
    return values.reshape(math.prod(values.shape[:-1]), values.shape[-1])


def first_decision(evidence: Evidence, alpha: float = 0.01) -> tuple[np.ndarray, np.ndarray]:
    """When a run was decided, and how: int (…), the number of answers it took (0: never), and "stop", "promote", "".

    ``evidence`` has arrays (…, n).
    """
    enough = math.log(1 / _alpha(alpha))
    worse, better = np.asarray(evidence.worse) >= enough, np.asarray(evidence.better) >= enough
    decided = worse | better
    first = decided.argmax(axis=-1)
    some = decided.any(axis=-1)
    is_worse = np.take_along_axis(worse, first[..., None], axis=-1)[..., 0]
    return np.where(some, first + 1, 0), np.where(some, np.where(is_worse, "stop", "promote"), "")


class _Test:
    """What both tests have in common: the wealth of every bettor, and a decision that stays once it is made."""

    def __init__(self, alpha: float) -> None:
        self.alpha = _alpha(alpha)
        self.enough = math.log(1 / alpha)
        self.answers = 0  # how many have been added
        self.counted = 0  # those of them that moved the evidence
        self.decision: Decision = None
        self._logs = (np.zeros(BETTORS), np.zeros(BETTORS))

    @property
    def evidence(self) -> Evidence:
        """What is known by now."""
        return Evidence(*(float(np.logaddexp.reduce(logs)) - math.log(len(logs)) for logs in self._logs))

    def _bet(self, payoff: float, stakes: tuple[np.ndarray, np.ndarray]) -> Decision:
        self.answers += 1
        if payoff:
            self.counted += 1
            for logs, stake, sign in zip(self._logs, stakes, (1, -1), strict=True):
                logs += np.log1p(stake * (sign * payoff))
            worse, better = self.evidence
            if self.decision is None and max(worse, better) >= self.enough:
                self.decision = "stop" if worse >= self.enough else "promote"
        return self.decision


class Paired(_Test):
    """The test of a challenger in shadow: each request was answered by both.

    ``decision`` becomes "stop" where the claim "at least as accurate as the champion, less ``margin``" is refuted at
    ``alpha``, "promote" where its opposite is. With a margin of 0 a challenger that is only as good is promoted in
    ``alpha`` of trials at most. What is added must be one answer a user, whatever it was (`paired_evidence`).
    """

    def __init__(self, alpha: float = 0.01, margin: float = 0.0) -> None:
        self.margin, self._stakes = margin, _paired_stakes(margin)
        super().__init__(alpha)

    def add(self, champion_right: "bool | float", challenger_right: "bool | float") -> Decision:
        """Take in whether each was right (the share of a request's items that were); returns the decision so far."""
        champion, challenger = _share(champion_right), _share(challenger_right)
        return self._bet(-(challenger - champion + self.margin), self._stakes)


class Canary(_Test):
    """The test of a challenger that answers a ``share`` of the requests, drawn by chance.

    ``decision`` becomes "stop" where the claim "its error rate is at most ``ratio`` times the champion's" is refuted at
    ``alpha``, "promote" where its opposite is. What is added must be one answer a user, the first that is known,
    whether right or wrong. The first *error* of each would not do: it counts users who have ever had one, and many have
    had one where errors are spread thinly, few where the same number falls on few users.
    """

    def __init__(self, alpha: float = 0.01, share: float = 0.1, ratio: float = 1.0) -> None:
        self.share, self.ratio = share, ratio
        self._stakes = {share: _canary_stakes(share, ratio)}
        super().__init__(alpha)

    def add(self, from_challenger: bool, wrong: "bool | float", share: float | None = None) -> Decision:
        """Take in who answered and whether it was wrong (the share of its items); returns the decision so far.

        ``share`` is the one of this answer's moment, where the canary has grown; the wealth is taken along.
        """
        share = self.share if share is None else share
        if share not in self._stakes:
            self._stakes[share] = _canary_stakes(share, self.ratio)
        fair, *stakes = self._stakes[share]
        return self._bet(_share(wrong) * (bool(from_challenger) - fair), tuple(stakes))


def _spread() -> np.ndarray:
    """Where the bettors stand between 0 and 1, more of them near 0: quantiles of a Beta(1/2, 1)."""
    return ((np.arange(BETTORS) + 0.5) / BETTORS) ** 2


def _paired_stakes(margin: float) -> tuple[np.ndarray, np.ndarray]:
    """The bettors on "worse" and on "better"; at the greatest loss, 1 + margin or 1 − margin, all keep something."""
    if not 0 <= margin < 1:
        raise CourseError(say("The margin must be at least 0 and below 1; it is {margin!r}.", margin=margin))
    return _spread() / (1 + margin), _spread() / (1 - margin)


def _canary_stakes(share: float, ratio: float) -> tuple[float, np.ndarray, np.ndarray]:
    """The challenger's share of errors at the edge of the claim, and the bettors on more and on less of them."""
    if not 0 < share < 1:
        raise CourseError(say("The challenger's share must be between 0 and 1; it is {share!r}.", share=share))
    if not 0 < ratio < math.inf:
        raise CourseError(say("The ratio of the error rates must be above 0; it is {ratio!r}.", ratio=ratio))
    fair = _share_of_errors(share, ratio)
    times = np.exp(math.log(_MOST_RATIO) * _spread())
    more, less = (_share_of_errors(share, ratio * each) for each in (times, 1 / times))
    scale = fair * (1 - fair)
    return fair, (more - fair) / scale, (fair - less) / scale


def _share_of_errors(share: float, ratio: "float | np.ndarray") -> "float | np.ndarray":
    return share * ratio / (share * ratio + 1 - share)


def _alpha(alpha: float) -> float:
    if not 0 < alpha < 1:
        raise CourseError(say("alpha must be between 0 and 1; it is {alpha!r}.", alpha=alpha))
    return alpha


def _share(value: "bool | float") -> float:
    found = float(value)
    if not 0 <= found <= 1:
        raise CourseError(
            say("Right or wrong is a truth value, or a share between 0 and 1; not {value!r}.", value=value)
        )
    return found


def _shares(values: np.ndarray) -> np.ndarray:
    found = np.asarray(values, dtype=float)
    if not ((found >= 0) & (found <= 1)).all():
        raise CourseError(say("Right or wrong is a truth value, or a share between 0 and 1; there are others here."))
    return found
