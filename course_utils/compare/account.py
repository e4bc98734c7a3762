"""What a model costs a team in hours a month, where it answers what it is sure of and people read the rest.

A message goes to a person where the model's largest probability is below a threshold, or where a class that must not be
missed has a probability of its limit or more. The threshold and the limits are chosen on validation, where they cost
least; the test only shows what came of them. Chapter 08 builds the same account in the open.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from course_utils.bundles.models import to_person
from course_utils.compare.scores import Draws, interval
from course_utils.errors import CourseError
from course_utils.evaluate import Estimate
from course_utils.language import say

PARTS = 5  # of validation: a threshold is chosen on four and charged on the fifth
EVERYTHING = 2.0  # a threshold that no probability reaches: people read all
_STEPS = np.arange(0, 1, 0.05)


@dataclass(frozen=True)
class Currency:
    """What a message costs: ``minutes_by_hand`` for a person to sort it, ``minutes_per_error`` for a wrong answer.

    ``right_by_hand``: the share that a person sorts right. ``messages`` a month. Raises CourseError for what cannot be.
    """

    minutes_by_hand: float = 1.0
    minutes_per_error: float = 12.0
    messages: int = 1_000
    right_by_hand: float = 0.95

    def __post_init__(self) -> None:
        for name in ("minutes_by_hand", "minutes_per_error"):
            value = getattr(self, name)
            if not is_number(value) or value < 0:
                raise CourseError(say("{name} must be a number of 0 or more; it is {value!r}.", name=name, value=value))
        if not is_number(self.messages) or self.messages != int(self.messages) or self.messages < 1:
            raise CourseError(
                say("messages a month must be a whole number of 1 or more; it is {value!r}.", value=self.messages)
            )
        if not is_number(self.right_by_hand) or not 0 < self.right_by_hand <= 1:
            raise CourseError(
                say(
                    "right_by_hand must be a share above 0, 1 at most, such as 0.95; it is {value!r}.",
                    value=self.right_by_hand,
                )
            )

    def minutes(self, labels: np.ndarray, shares: np.ndarray, person: np.ndarray) -> np.ndarray:
        """The minutes that each message costs, float (n,); ``person`` bool (n,) says which ones people read."""
        wrong = shares.argmax(axis=1) != labels
        return np.where(person, self.by_hand, self.minutes_per_error * wrong)

    @property
    def by_hand(self) -> float:
        """The minutes that a message costs which a person sorts, mistakes included."""
        return self.minutes_by_hand + (1 - self.right_by_hand) * self.minutes_per_error

    def hours(self, minutes: float) -> float:
        """Hours a month, for a mean of minutes a message."""
        return self.messages * float(minutes) / 60

    @property
    def people_alone(self) -> float:
        """Hours a month without any model."""
        return self.hours(self.by_hand)


@dataclass(frozen=True)
class Curve:
    """Hours a month on validation and on the test against the share that is answered alone, from all to nothing."""

    alone: list[float]
    validation: list[float]
    test: list[float]


@dataclass(frozen=True)
class Found:
    """A class that must be found: the ``limit`` on its probability, the ``share`` found in the test (None where the
    test has none), and the share of all test messages that are ``flagged`` for it."""

    limit: float
    share: Estimate | None
    flagged: float
    examples: int  # in validation, on which the limit was chosen


@dataclass(frozen=True, eq=False)
class Ranked:
    """Validation messages as a model would answer them: ``order`` int (k,) has the rows that no limit sends to people,
    the surest first; ``wrong`` bool (n,) says where its answer is wrong."""

    order: np.ndarray
    wrong: np.ndarray

    def places(self) -> np.ndarray:
        """How early each message is answered alone, float (n,); infinite for those that a limit sends to people."""
        found = np.full(len(self.wrong), np.inf)
        found[self.order] = np.arange(len(self.order))
        return found

    def minutes(self, currency: Currency, alone: int) -> np.ndarray:
        """What each message costs where the surest ``alone`` are answered, float (n,)."""
        minutes = np.full(len(self.wrong), currency.by_hand)
        answered = self.order[:alone]
        minutes[answered] = currency.minutes_per_error * self.wrong[answered]
        return minutes


@dataclass(frozen=True, eq=False)
class Account:
    """A model's account: where its threshold lies, what it answers ``alone`` (share of the test), and what it costs.

    ``hours`` a month on the test with their 95 % interval; ``validation_hours`` is what validation promised, the
    threshold having been chosen there; ``ranked`` are the validation messages in the model's order; ``useful``: whether
    it is shown on validation to cost less than people alone; ``found`` by the number of each class that must be found.
    """

    threshold: float
    alone: float
    hours: Estimate
    validation_hours: float
    ranked: Ranked
    useful: bool
    curve: Curve
    found: dict[int, Found] = field(default_factory=dict)


def limit(labels: np.ndarray, shares: np.ndarray, number: int, recall: float) -> float:
    """The largest limit at which the share ``recall`` of a class's messages reaches it; 0 where there are none."""
    own = np.sort(shares[labels == number, number])[::-1]
    if not len(own):
        return 0.0
    return float(own[max(1, math.ceil(round(recall * len(own), 9))) - 1])


def limits_for(labels: np.ndarray, shares: np.ndarray, must_find: Mapping[int, float]) -> dict[int, float]:
    """The limit of each class that must be found, by its number."""
    return {number: limit(labels, shares, number, recall) for number, recall in must_find.items()}


def threshold(labels: np.ndarray, shares: np.ndarray, limits: Mapping[int, float], currency: Currency) -> float:
    """The threshold that costs least on these messages, among those that answer 100, 95, … 5 % or none of them."""
    tried = thresholds(shares)
    costs = [currency.minutes(labels, shares, to_person(shares, one, limits)).mean() for one in tried]
    return float(tried[int(np.argmin(costs))])


def thresholds(shares: np.ndarray) -> np.ndarray:
    """The thresholds at which the surest 100, 95, … 5 % and none of the messages are answered, float (21,)."""
    return np.append(np.quantile(shares.max(axis=1), _STEPS), EVERYTHING)


def open_account(
    labels: np.ndarray,
    shares: np.ndarray,
    test_labels: np.ndarray,
    test_shares: np.ndarray,
    *,
    currency: Currency,
    must_find: Mapping[int, float] = {},
    seed: int = 0,
) -> Account:
    """The account of a model: chosen on validation (``labels`` int (n,), ``shares`` float (n, classes)), shown on the
    test. ``must_find`` maps the number of a class to the share of its messages that has to be found."""
    limits = limits_for(labels, shares, must_find)
    chosen = threshold(labels, shares, limits, currency)
    person = to_person(test_shares, chosen, limits)
    tested = currency.minutes(test_labels, test_shares, person)
    said = test_shares.argmax(axis=1)
    found = {}
    for number, one in limits.items():
        own = test_labels == number
        hit = (person | (said == number))[own]
        found[number] = Found(
            one,
            _share(hit) if len(hit) else None,
            float((test_shares[:, number] >= one).mean()),
            int((labels == number).sum()),
        )

    def spent(labels: np.ndarray, shares: np.ndarray, person: np.ndarray) -> float:
        return currency.hours(currency.minutes(labels, shares, person).mean())

    tried = thresholds(shares)
    read = [to_person(test_shares, one, limits) for one in tried]
    curve = Curve(
        [float((~each).mean()) for each in read],
        [spent(labels, shares, to_person(shares, one, limits)) for one in tried],
        [spent(test_labels, test_shares, each) for each in read],
    )
    return Account(
        chosen,
        float((~person).mean()),
        _hours(tested, currency, seed + 1),
        spent(labels, shares, to_person(shares, chosen, limits)),
        rank(labels, shares, limits),
        useful(labels, shares, must_find, currency, seed),
        curve,
        found,
    )


def rank(labels: np.ndarray, shares: np.ndarray, limits: Mapping[int, float]) -> Ranked:
    """The messages in the order of a model's sureness, without those that a limit sends to people."""
    order = np.argsort(-shares.max(axis=1), kind="stable")
    flagged = to_person(shares, 0.0, limits)
    return Ranked(order[~flagged[order]], shares.argmax(axis=1) != labels)


def useful(
    labels: np.ndarray, shares: np.ndarray, must_find: Mapping[int, float], currency: Currency, seed: int = 0
) -> bool:
    """Whether a model is shown to cost less than people alone.

    Its threshold and limits are chosen without the messages that they are charged on (five parts), or else the place
    without a mistake would be found; and its share of mistakes is taken where Wilson's interval has 95 % below it,
    because a few mistakes that happen to be missing would make up for much reading.
    """
    from course_utils.evaluate import share

    parts = np.random.default_rng(seed).permutation(len(labels)) % PARTS
    person = np.ones(len(labels), bool)
    for part in range(PARTS):
        own, rest = parts == part, parts != part
        if not (own.any() and rest.any()):
            continue
        limits = limits_for(labels[rest], shares[rest], must_find)
        one = threshold(labels[rest], shares[rest], limits, currency)
        person[own] = to_person(shares[own], one, limits)
    answered = int((~person).sum())
    if not answered:
        return False
    wrong = share(int((shares.argmax(axis=1) != labels)[~person].sum()), answered, level=0.9).high
    return wrong * currency.minutes_per_error < currency.by_hand


def _share(hit: np.ndarray) -> Estimate:
    from course_utils.evaluate import share

    return share(int(hit.sum()), len(hit))


def _hours(minutes: np.ndarray, currency: Currency, seed: int) -> Estimate:
    low, high = interval(Draws.of(minutes, 1, seed=seed).means(minutes))
    return Estimate(currency.hours(minutes.mean()), currency.hours(low), currency.hours(high), len(minutes))


def is_number(value: object) -> bool:
    """Whether something is a finite number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


CURRENCY = Currency()
