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


def _struck(dice: np.random.Generator, number: int, a_day: int, days: int, lasting: int) -> np.ndarray:
    """Which are struck on which day, (number, days): each day ``a_day`` more of them, for ``lasting`` days."""
    struck = np.zeros((number, days), bool)
    for today in range(days):
        struck[dice.integers(number, size=a_day), today : today + lasting] = True
    return struck
