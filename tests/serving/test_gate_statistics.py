"""What the gate's rule costs: how often it refuses what keeps its limits, and how often it sees what does not."""

import functools

import gate_models as made
import numpy as np
import pytest

from course_utils.evaluate import share as wilson
from course_utils.serving import gate
from course_utils.serving.gate import verdicts
from course_utils.serving.gate.verdicts import NOT_SHOWN, PASSED, REFUSED, Exact, Measured

GATES = 4_000
# Those of the tickets: invariances on 400 messages, eight classes, two channels, four lengths.
SHARES = [(400, 0.02)] * 4 + [(400, 0.05)] * 3
SLICES = [(n, 0.5) for n in (95, 80, 63, 56, 45, 28, 17, 16, 200, 185, 100, 100, 100, 100)]
COMPARED = SHARES + SLICES


def refusing_from(n: int, limit: float, alpha: float, low=lambda count, n, alpha: Exact(count, n)(alpha)[0]) -> int:
    """The least count of failures in n at which the gate refuses."""
    return next(count for count in range(n + 2) if count > n or low(count, n, alpha) > limit)


@functools.cache
def cuts(alpha: float) -> tuple[int, ...]:
    return tuple(refusing_from(n, limit, alpha) for n, limit in COMPARED)


def refused_gates(cut: tuple[int, ...], times: float = 1.0) -> float:
    """The share of simulated gates that refuse a model whose every true share is ``times`` its limit."""
    random = np.random.default_rng(0)
    failed = np.stack([random.binomial(n, times * limit, GATES) for n, limit in COMPARED], axis=1)
    return float((failed >= cut).any(axis=1).mean())


def test_a_model_at_all_its_limits_is_refused_in_at_most_five_gates_of_a_hundred():
    shared = 0.05 / len(COMPARED)
    assert 0.02 < refused_gates(cuts(shared)) < 0.05
    assert refused_gates(cuts(shared), times=0.5) < 0.002
    # what was not chosen, and why: an interval of its own for each, and Wilson's
    assert refused_gates(cuts(0.025)) > 0.25
    near = tuple(
        refusing_from(n, limit, shared, lambda count, n, alpha: wilson(count, n, level=1 - 2 * alpha).low)
        for n, limit in COMPARED
    )
    assert refused_gates(near) > 0.055


def test_a_share_of_twice_its_limit_is_seen_on_400_examples():
    random = np.random.default_rng(1)
    cut = cuts(0.05 / len(COMPARED))
    assert (random.binomial(400, 0.10, GATES) >= cut[4]).mean() > 0.8  # 5 % allowed
    assert (random.binomial(400, 0.10, GATES) >= cut[0]).mean() > 0.99  # 2 % allowed


def test_judge_shares_the_false_alarms_among_what_it_compares():
    """The verdict is that of the shared chance: a count that one comparison refuses is not refused among many."""
    one = Measured("a", "share", 33 / 400, 0.05, True, "share", 400, Exact(33, 400))
    exact = [Measured("size", "MB", 1.0, 2.0), Measured("told", "share", 0.1, None, ends=Exact(1, 10), n=10)]
    assert verdicts.judge([one, *exact], 0.05)[0].verdict == REFUSED
    assert verdicts.judge([one] * 21 + exact, 0.05)[0].verdict == NOT_SHOWN
    assert verdicts.judge([one] * 21, 0.05)[0].alpha == pytest.approx(0.05 / 21)


@pytest.mark.parametrize(("count", "n"), [(0, 10), (3, 10), (10, 10), (8, 400)])
@pytest.mark.parametrize("alpha", [0.025, 0.002])
def test_the_exact_ends_are_where_the_tails_have_their_chance(count, n, alpha):
    from scipy.stats import binom

    low, high = Exact(count, n)(alpha)
    assert low <= count / n <= high
    if count:
        assert binom.sf(count - 1, n, low) == pytest.approx(alpha)
    else:
        assert low == 0
    if count < n:
        assert binom.cdf(count, n, high) == pytest.approx(alpha)
    else:
        assert high == 1


def test_the_ends_of_a_quantile_hold_it_as_often_as_they_say():
    random, alpha, missed = np.random.default_rng(2), 0.025, np.zeros(2)
    truth = -np.log(0.01)  # the 99th percentile of an exponential
    for _ in range(1_000):
        low, high = verdicts.quantile_ends(random.exponential(size=1_000), 0.99)(alpha)
        missed += [low > truth, high < truth]
    assert (missed / 1_000 < alpha + 3 * np.sqrt(alpha / 1_000)).all()
    assert (missed > 0).all()
    assert verdicts.quantile_ends(random.exponential(size=100), 0.99)(alpha)[1] == np.inf  # too few to say


@pytest.mark.parametrize(
    ("value", "limit", "at_most", "verdict"),
    [
        (2.0, 1.0, True, REFUSED),
        (1.0, 1.0, True, PASSED),
        (0.5, 1.0, False, REFUSED),
        (float("nan"), 1.0, True, REFUSED),
    ],
)
def test_an_exact_number_is_judged_as_it_is(value, limit, at_most, verdict):
    assert verdicts.judge([Measured("a", "b", value, limit, at_most)], 0.05)[0].verdict == verdict


def test_how_many_examples_would_tell():
    one = Measured("a", "b", 0.0, 0.02, True, "share", 10, Exact(0, 10))
    n = verdicts.needed(one, 0.05)
    assert Exact(0, n)(0.05)[1] < 0.02 < Exact(0, int(n / 1.15))(0.05)[1]
    near = Measured("a", "b", 0.02, 0.02, True, "share", 100, Exact(2, 100))
    assert verdicts.needed(near, 0.05) is None


def test_a_right_model_is_passed_on_fresh_examples_again_and_again():
    """The whole gate, twenty times, with a model of which one answer in a hundred changes: none is refused."""

    def tipped(inputs, shares):
        """Upper case turns the answer of one message in a hundred, by its letters."""
        odd = [text.isupper() and sum(map(ord, text)) % 100 == 0 for text in inputs]
        return np.where(np.array(odd)[:, None], made.always(1), shares)

    tests = [gate.Invariance("upper case", str.upper, 0.02), gate.Invariance("lower case", str.lower, 0.02)]
    reports = [gate.check(made.Wrong(tipped), made.data(200, seed), None, tests, standard=False) for seed in range(20)]
    assert all(report.passed for report in reports)
    assert np.mean([report.results[0].measured.value for report in reports]) > 0
