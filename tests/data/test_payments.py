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
