"""Payments by card, a few of them frauds: drawn by stated rules, because banks publish no such table.

Its card is data/cards/payments.md; in the spirit of the simulator of Le Borgne and others, "Reproducible machine
learning for credit card fraud detection: practical handbook" (2022), with rules of its own.
"""

from typing import TYPE_CHECKING

import numpy as np

from course_utils.errors import CourseError
from course_utils.language import say

if TYPE_CHECKING:
    import pandas as pd

SIDE = 100  # kilometres, with a terminal in each square kilometre
SEED = 14


def draw(days: int = 80, *, cards: int = 5_000, seed: int = SEED) -> "pd.DataFrame":
    """One payment a row, day by day: card, day (from 0), terminal, amount in euros, fraud (False or True).

    The same arguments give the same payments. Raises CourseError for fewer than one day or card.
    """
    import pandas as pd

    if days < 1 or cards < 1:
        raise CourseError(
            say("Payments need at least one day and one card; it got {days} and {cards}.", days=days, cards=cards)
        )
    dice = np.random.default_rng(seed)
    mean, home = dice.uniform(5, 100, cards), dice.uniform(0, SIDE, (cards, 2))
    times = dice.poisson(dice.uniform(0, 4, cards), (days, cards))
    day, card = (np.repeat(index.ravel(), times.ravel()) for index in np.indices(times.shape))
    place = (home[card] + dice.normal(0, 2.5, (len(card), 2))).clip(0, SIDE - 1).astype(np.int64)
    terminal = place[:, 0] * SIDE + place[:, 1]
    amount = dice.gamma(4, mean[card] / 4)
    skimmed = _struck(dice, SIDE**2, 2, days, 28)[terminal, day] & (dice.random(len(card)) < 1 / 2)
    stolen = _struck(dice, cards, 3, days, 14)[card, day] & (dice.random(len(card)) < 1 / 3)
    single = dice.random(len(card)) < 1 / 2_000
    amount[stolen] *= 5
    amount[single] = dice.uniform(200, 400, single.sum())
    columns = {"card": card, "day": day, "terminal": terminal, "amount": amount.round(2)}
    return pd.DataFrame(columns | {"fraud": skimmed | stolen | single})


def known(payments: "pd.DataFrame", rows: "pd.DataFrame", *, delay: int) -> np.ndarray:
    """What a bank knows when a payment comes: an array (rows, 14), of logarithms.

    ``payments`` are all that `draw` gave, ``rows`` some of them, from the day ``delay`` + 28 on. Columns: the amount;
    for 1, 7 and 28 days the number of the card's payments and their mean amount, the number of the terminal's payments
    and the share of frauds among them; the amount as a multiple of the card's mean of 28 days. The card's days end with
    the day before, the terminal's ``delay`` days earlier, since frauds are reported late. Raises CourseError for a
    negative delay and for rows that come too early.
    """
    if delay < 0 or rows["day"].min() < delay + 28:
        raise CourseError(say("A history of 28 days that ends {delay} days early needs later payments.", delay=delay))
    days = int(payments["day"].max()) + 1

    def past(who: str, value: "pd.Series", window: int, early: int = 0) -> np.ndarray:
        """The sum of ``value`` over the ``window`` days that end ``early`` days before the payment's own."""
        keys = int(payments[who].max()) + 1
        daily = np.bincount(payments[who] * days + payments["day"], value, keys * days).reshape(keys, days)
        total = np.pad(daily.cumsum(axis=1), ((0, 0), (1, 0)))
        key, end = rows[who].to_numpy(), rows["day"].to_numpy() - early
        return total[key, end] - total[key, end - window]

    amount, one = rows["amount"].to_numpy(), np.ones(len(payments))
    columns = [amount]
    for window in (1, 7, 28):
        n, spent = past("card", one, window), past("card", payments["amount"], window)
        seen, frauds = past("terminal", one, window, delay), past("terminal", payments["fraud"], window, delay)
        columns += [n, spent / np.maximum(n, 1), seen, frauds / np.maximum(seen, 1)]
    table = np.column_stack([*columns, amount * n / np.maximum(spent, 1)])
    return np.log1p(table, out=table)


def _struck(dice: np.random.Generator, number: int, a_day: int, days: int, lasting: int) -> np.ndarray:
    """Which are struck on which day, (number, days): each day ``a_day`` more of them, for ``lasting`` days."""
    struck = np.zeros((number, days), bool)
    for today in range(days):
        struck[dice.integers(number, size=a_day), today : today + lasting] = True
    return struck
