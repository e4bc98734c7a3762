"""The account in hours: by hand on a few messages, and what a class that must be found costs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.compare import api, running
from course_utils.compare.account import (
    EVERYTHING,
    Currency,
    limit,
    open_account,
    rank,
    threshold,
    to_person,
    useful,
)
from course_utils.compare.scores import Draws
from course_utils.errors import CourseError

LABELS = np.array([0, 0, 1, 1])
SHARES = np.array([[0.9, 0.1], [0.6, 0.4], [0.55, 0.45], [0.2, 0.8]])  # the third is wrong
CURRENCY = Currency(minutes_by_hand=1, minutes_per_error=12, messages=600, right_by_hand=0.95)


def test_minutes_with_pencil_and_paper():
    person = np.array([False, True, False, False])
    # right alone: 0; by hand: 1 + 5 % of 12 = 1.6; wrong alone: 12
    assert CURRENCY.minutes(LABELS, SHARES, person) == pytest.approx([0, 1.6, 12, 0])
    assert CURRENCY.hours(13.6 / 4) == pytest.approx(34.0)
    assert CURRENCY.people_alone == pytest.approx(16.0)


def test_the_threshold_that_costs_least():
    found = threshold(LABELS, SHARES, {}, CURRENCY)
    person = to_person(SHARES, found, {})
    assert person.tolist() == [False, False, True, False], "only the message that would be wrong is read"
    blind = np.tile([0.5, 0.5], (4, 1))
    assert threshold(LABELS, blind, {}, CURRENCY) == EVERYTHING
    assert threshold(LABELS, SHARES, {}, Currency(minutes_by_hand=20, minutes_per_error=1)) <= SHARES.max(axis=1).min()


@given(st.integers(0, 2**31), st.integers(2, 4), st.integers(5, 60))
def test_no_other_threshold_of_the_grid_costs_less(seed, classes, n):
    random = np.random.default_rng(seed)
    labels, shares = random.integers(classes, size=n), random.dirichlet(np.ones(classes), size=n)
    best = CURRENCY.minutes(labels, shares, to_person(shares, threshold(labels, shares, {}, CURRENCY), {})).mean()
    for other in (*np.quantile(shares.max(axis=1), np.arange(0, 1, 0.05)), EVERYTHING):
        assert best <= CURRENCY.minutes(labels, shares, to_person(shares, other, {})).mean() + 1e-12
    assert best <= 1.6 + 1e-12, "people alone are always among the choices"


@pytest.mark.parametrize(("recall", "found"), [(1.0, 0.1), (0.75, 0.4), (0.5, 0.6), (0.26, 0.6), (0.25, 0.7)])
def test_the_limit_that_finds_a_share_of_a_class(recall, found):
    labels = np.array([1, 1, 1, 1, 0])
    shares = np.array([[0.3, 0.7], [0.4, 0.6], [0.6, 0.4], [0.9, 0.1], [0.01, 0.99]])
    assert limit(labels, shares, 1, recall) == found
    assert (shares[labels == 1, 1] >= found).mean() >= recall - 1e-9


def test_a_class_that_validation_does_not_have_sends_everything_to_people():
    assert limit(np.array([0, 0]), np.array([[0.9, 0.1], [0.8, 0.2]]), 1, 0.9) == 0.0


def test_what_must_be_found_is_found_and_costs_messages_that_are_read():
    random = np.random.default_rng(0)
    labels, test = random.integers(3, size=400), random.integers(3, size=400)
    shares, final = (0.5 * np.eye(3)[y] + 0.5 * random.dirichlet(np.ones(3), len(y)) for y in (labels, test))
    free = open_account(labels, shares, test, final, currency=CURRENCY)
    held = open_account(labels, shares, test, final, currency=CURRENCY, must_find={2: 0.98})
    assert held.found[2].share.value > 0.95 and held.found[2].examples == (labels == 2).sum()
    assert held.alone < free.alone and held.hours.value >= free.hours.value - 1e-9
    assert held.found[2].flagged == pytest.approx((final[:, 2] >= held.found[2].limit).mean())


def test_the_curve_goes_from_everything_alone_to_people_alone():
    found = open_account(LABELS, SHARES, LABELS, SHARES, currency=CURRENCY).curve
    assert found.alone[0] == 1.0 and found.alone[-1] == 0.0
    assert found.test[-1] == pytest.approx(CURRENCY.people_alone) == pytest.approx(found.validation[-1])
    assert found.test[0] == pytest.approx(CURRENCY.hours(3.0))


def test_the_same_draws_for_every_column():
    values = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 5.0]])
    drawn = Draws.of(values[:, 0], 1, draws=500, seed=3).means(values)
    assert drawn.shape == (500, 2)
    assert Draws.of(values[:, 0], 1, draws=500, seed=3).means(values[:, 0]) == pytest.approx(drawn[:, 0])
    assert drawn.mean(axis=0) == pytest.approx(values.mean(axis=0), abs=0.2)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"minutes_by_hand": -1}, "minutes_by_hand must be a number of 0 or more; it is -1"),
        ({"minutes_per_error": float("nan")}, "minutes_per_error must be a number"),
        ({"minutes_per_error": "12"}, "minutes_per_error must be a number"),
        ({"messages": 0}, "a whole number of 1 or more"),
        ({"messages": 1.5}, "a whole number of 1 or more"),
        ({"right_by_hand": 1.2}, "right_by_hand must be a share"),
    ],
)
def test_a_currency_that_cannot_be_is_refused(options, said):
    with pytest.raises(CourseError, match=said):
        Currency(**options)


def test_a_class_that_is_not_there_is_refused_with_the_near_one():
    with pytest.raises(CourseError, match=r"no class 'securty'\. Did you mean security\?"):
        running.classes_to_find({"securty": 0.9}, ("bug", "security"))
    with pytest.raises(CourseError, match="lies above 0, 1 at most; it is 95"):
        running.classes_to_find({"security": 95}, ("bug", "security"))
    assert running.classes_to_find({"security": 1}, ("bug", "security")) == {1: 1.0}


def test_a_rank_leaves_out_what_a_limit_sends_to_people():
    found = rank(LABELS, SHARES, {})
    assert found.order.tolist() == [0, 3, 1, 2] and found.wrong.tolist() == [False, False, True, False]
    assert found.minutes(CURRENCY, 2) == pytest.approx([0, 1.6, 1.6, 0])
    assert found.minutes(CURRENCY, 4) == pytest.approx([0, 0, 12, 0])
    assert rank(LABELS, SHARES, {1: 0.45}).order.tolist() == [0, 1], "the third and the last may be class 1"


def test_useful_takes_mistakes_at_the_upper_end():
    labels = np.zeros(40, int)
    sure, wrong = np.tile([0.99, 0.01], (40, 1)), np.tile([0.2, 0.8], (40, 1))
    assert useful(labels, sure, {}, CURRENCY)
    assert not useful(labels, wrong, {}, CURRENCY)
    # of eight messages without a mistake up to 32 % may be wrong: 3.9 minutes, where people need 1.6
    assert not useful(labels[:8], sure[:8], {}, CURRENCY)


# ---- the API


def test_the_apis_route_with_pencil_and_paper():
    currency = Currency(messages=1_000, minutes_per_error=12)
    prices = api.Prices(read=2.0, written=10.0, hour=40.0)
    found = api.route(["x" * 400] * 3, ("abcd", "efgh"), currency, prices, hours=10.0)
    assert found.tokens == 100 + api.INSTRUCTIONS + 2
    assert found.dollars == pytest.approx(1_000 * (252 * 2 + api.ANSWER * 10) / 1e6)
    # what is left of 10 hours may be spent on mistakes of 12 minutes each
    left = 10.0 - found.dollars / 40
    assert found.accuracy == pytest.approx(1 - left * 60 / (12 * 1_000))


def test_an_api_that_costs_more_than_people_is_never_worth_it():
    prices = api.Prices(read=1e6, written=10.0, hour=1.0)
    assert api.route(["x" * 400], ("a", "b"), CURRENCY, prices, hours=1.0).accuracy is None


@pytest.mark.parametrize("options", [{"read": -1}, {"written": "10"}, {"hour": 0}])
def test_prices_that_cannot_be_are_refused(options):
    with pytest.raises(CourseError, match=r"price|cost"):
        api.Prices(**options)
