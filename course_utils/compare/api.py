"""Sending every message to a provider's large model: what that costs at a file's own lengths, and when it would pay."""

from collections.abc import Sequence
from dataclasses import dataclass

from course_utils.compare.account import Currency, is_number
from course_utils.errors import CourseError
from course_utils.language import say

BYTES_A_TOKEN = 4  # English has four letters a token; where a sign has three bytes it is most of a token
INSTRUCTIONS = 150  # tokens that go with every message, beside the names of the classes
ANSWER = 10  # tokens of an answer: the name of a class


@dataclass(frozen=True)
class Prices:
    """A provider's prices in US dollars for a million tokens ``read`` and ``written``, as of ``date``, and what an hour
    of work costs. Examples: replace them with yours."""

    read: float = 2.50
    written: float = 10.00
    hour: float = 40.0
    date: str = "2026-05"

    def __post_init__(self) -> None:
        for name in ("read", "written", "hour"):
            value = getattr(self, name)
            if not is_number(value) or value < 0:
                raise CourseError(
                    say("The price {name} must be a number of 0 or more; it is {value!r}.", name=name, value=value)
                )
        if self.hour == 0:
            raise CourseError(say("An hour of work must cost something; its price is 0."))


PRICES = Prices()


@dataclass(frozen=True)
class Route:
    """The route: tokens of a message with its instructions, dollars a month, and the accuracy that would be worth it.

    ``accuracy``: answering everything alone, it would cost as much as the model recommended; None where even an API
    that is always right would cost more.
    """

    tokens: float
    dollars: float
    accuracy: float | None
    prices: Prices


def route(texts: Sequence[str], class_names: Sequence[str], currency: Currency, prices: Prices, hours: float) -> Route:
    """The route for messages like these; ``hours`` a month is what the best choice without it costs."""
    own = sum(len(text.encode("utf-8")) for text in texts) / max(len(texts), 1) / BYTES_A_TOKEN
    tokens = own + INSTRUCTIONS + sum(len(name.encode("utf-8")) for name in class_names) / BYTES_A_TOKEN
    dollars = currency.messages * (tokens * prices.read + ANSWER * prices.written) / 1e6
    left = hours - dollars / prices.hour  # hours that its mistakes may cost
    errors = currency.hours(currency.minutes_per_error)
    accuracy = None if left < 0 else max(0.0, 1 - left / errors) if errors else 0.0
    return Route(tokens, dollars, accuracy, prices)
