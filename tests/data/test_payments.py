"""The drawn payments: the same each time, and as their card says."""

import numpy as np
import pytest

from course_utils import data
from course_utils.errors import CourseError


@pytest.fixture(scope="module")
def paid():
    return data.payments.draw()


def test_they_are_the_same_each_time_and_others_with_another_seed():
    once, again, other = (data.payments.draw(5, cards=200, seed=seed) for seed in (14, 14, 15))
    assert once.equals(again)
    assert not once.equals(other)


def test_they_are_as_their_card_says(paid):
    assert list(paid.columns) == ["card", "day", "terminal", "amount", "fraud"]
    assert 780_000 < len(paid) < 810_000
    assert (paid.day.min(), paid.day.max(), paid.card.nunique() <= 5_000) == (0, 79, True)
    assert paid.day.is_monotonic_increasing
    assert paid.terminal.between(0, 9_999).all()
    assert paid.amount.gt(0).mean() > 0.999
    assert 0.004 < paid.fraud.mean() < 0.007


def test_frauds_stand_at_tampered_terminals_on_stolen_cards_and_alone(paid):
    late = paid[paid.day >= 28]
    by_terminal, by_card = (late.groupby(key).fraud for key in ("terminal", "card"))
    assert (by_terminal.sum() >= 5).sum() > 50  # tampered with
    assert (by_card.sum() >= 5).sum() > 20  # stolen
    assert by_terminal.sum().eq(0).mean() > 0.8  # most never see one
    usual, bad = late.amount[~late.fraud].median(), late.amount[late.fraud].median()
    assert bad > 1.5 * usual


def test_a_fraud_shows_at_a_terminal_for_28_days():
    struck = data.payments._struck(np.random.default_rng(0), 1_000, 2, 60, 28)
    assert struck.shape == (1_000, 60)
    assert struck[:, 0].sum() == 2
    lasting = struck.sum(axis=1)
    begun_early = struck[:, :20].any(axis=1)
    assert (lasting[begun_early] >= 28).all()


@pytest.mark.parametrize("wrong", [{"days": 0}, {"cards": 0}])
def test_nothing_to_draw_is_refused(wrong):
    with pytest.raises(CourseError, match="at least one day and one card"):
        data.payments.draw(**wrong)


@pytest.mark.parametrize("delay", [0, 7])
def test_what_is_known_ends_before_the_payment_and_a_fraud_only_after_its_delay(delay):
    paid = data.payments.draw(60, cards=300, seed=3)
    paid["terminal"] %= 40  # so that each has payments on most days
    rows = paid[paid.day >= 40].iloc[::97]
    found = np.expm1(data.payments.known(paid, rows, delay=delay))
    for row, columns in zip(rows.itertuples(), found, strict=True):
        expected = [row.amount]
        for window in (1, 7, 28):
            mine = paid[(paid.card == row.card) & paid.day.between(row.day - window, row.day - 1)]
            last = row.day - delay - 1
            there = paid[(paid.terminal == row.terminal) & paid.day.between(last - window + 1, last)]
            share = there.fraud.mean() if len(there) else 0
            expected += [len(mine), mine.amount.mean() if len(mine) else 0, len(there), share]
        expected.append(row.amount * len(mine) / max(mine.amount.sum(), 1))
        np.testing.assert_allclose(columns, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("delay", [-1, 40])
def test_no_history_is_refused(delay):
    paid = data.payments.draw(60, cards=50)
    with pytest.raises(CourseError, match="28 days"):
        data.payments.known(paid, paid[paid.day >= 40], delay=delay)
