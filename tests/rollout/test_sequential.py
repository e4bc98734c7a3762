"""The sequential tests: right at any time, as sure as they say, and quick enough to be worth it."""

import math

import numpy as np
import pytest

from course_utils.errors import CourseError
from course_utils.rollout import sequential
from course_utils.rollout.sequential import Canary, Paired, canary_evidence, first_decision, paired_evidence


def canary(random, champion, challenger, share, shape):
    """Who answered, and whether it was wrong, at error rates of the two."""
    asked = random.random(shape) < share
    return asked, random.random(shape) < np.where(asked, challenger, champion)


def paired(random, champion, challenger, discordant, shape):
    """Whether each was right, at error rates of the two, where ``discordant`` answers have exactly one right."""
    drawn = random.random(shape)
    only_champion = (discordant + challenger - champion) / 2
    return ~((drawn >= only_champion) & (drawn < discordant)), drawn >= only_champion


def within(random, make, n, runs=400):
    """By how many answers 80 % and 95 % of runs are stopped, and the share that is promoted."""
    taken, how = first_decision(make(random, (runs, n)))
    stopped = np.sort(np.where(how == "stop", taken, n + 1))
    return stopped[math.ceil(0.8 * runs) - 1], stopped[math.ceil(0.95 * runs) - 1], np.mean(how == "promote")


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_an_equal_canary_is_stopped_in_one_of_a_hundred_runs_at_most(share):
    random = np.random.default_rng(0)
    asked, wrong = canary(random, 0.05, 0.05, share, (2000, 6000))
    evidence = canary_evidence(asked, wrong, share)
    for wealth in evidence:
        ever = np.mean(wealth.max(axis=1) >= math.log(100))  # looked at after each answer
        assert ever <= 0.01, ever
        assert np.exp(wealth[:, -1]).mean() < 1.3  # 1 in the mean, and that is mostly rare large ones


def test_an_equal_challenger_in_shadow_is_stopped_in_one_of_a_hundred_runs_at_most():
    random = np.random.default_rng(1)
    evidence = paired_evidence(*paired(random, 0.05, 0.05, 0.06, (2000, 6000)))
    assert max(np.mean(wealth.max(axis=1) >= math.log(100)) for wealth in evidence) <= 0.01


def test_naive_looks_stop_many_equal_challengers():
    """What the test is for: a z-test at 1 %, looked at after each hundred answers."""
    random = np.random.default_rng(2)
    asked, wrong = canary(random, 0.05, 0.05, 0.5, (1000, 6000))
    looks = np.arange(499, 6000, 100)
    n1, n = asked.cumsum(axis=1)[:, looks], looks + 1
    k1, k = (asked & wrong).cumsum(axis=1)[:, looks], wrong.cumsum(axis=1)[:, looks]
    pooled = k / n
    z = (k1 / n1 - (k - k1) / (n - n1)) / np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / (n - n1)))
    assert (z > 2.326).any(axis=1).mean() > 0.05
    _, how = first_decision(canary_evidence(asked, wrong, 0.5))
    assert np.mean(how == "stop") <= 0.01


@pytest.mark.parametrize(("rates", "by_80", "by_95"), [((0.05, 0.07), 2700, 4100), ((0.03, 0.05), 2700, 4100)])
def test_a_challenger_in_shadow_two_points_worse_is_stopped_in_time(rates, by_80, by_95):
    """Where 6 % of the answers have exactly one right."""
    found = within(np.random.default_rng(3), lambda r, shape: paired_evidence(*paired(r, *rates, 0.06, shape)), 6000)
    assert found[0] <= by_80 and found[1] <= by_95 and found[2] <= 0.01, found


@pytest.mark.parametrize(
    ("rates", "share", "n", "by_80", "by_95"),
    [
        ((0.05, 0.07), 0.5, 18_000, 12_500, 17_500),
        ((0.03, 0.05), 0.5, 12_000, 8_000, 11_500),
        ((0.03, 0.05), 0.1, 36_000, 22_000, 34_000),
    ],
)
def test_a_canary_two_points_worse_is_stopped_in_time(rates, share, n, by_80, by_95):
    def make(random, shape):
        return canary_evidence(*canary(random, *rates, share, shape), share)

    found = within(np.random.default_rng(4), make, n, runs=200)
    assert found[0] <= by_80 and found[1] <= by_95 and found[2] <= 0.02, found


def test_one_answer_after_the_other_gives_the_same_as_all_at_once():
    random = np.random.default_rng(5)
    asked, wrong = canary(random, 0.1, 0.3, 0.3, 800)
    path = canary_evidence(asked, wrong, 0.3)
    test = Canary(share=0.3)
    for n in range(800):
        test.add(asked[n], wrong[n])
        assert np.allclose(test.evidence, (path.worse[n], path.better[n]))
    taken, how = first_decision(path)
    assert (how, test.decision) == ("stop", "stop") and 0 < taken < 800
    champion, challenger = paired(random, 0.1, 0.3, 0.3, 400)
    path = paired_evidence(champion, challenger, 0.01)
    test = Paired(margin=0.01)
    for n in range(400):
        test.add(champion[n], challenger[n])
        assert np.allclose(test.evidence, (path.worse[n], path.better[n]))
    assert test.decision == "stop" and test.answers == 400


def test_the_evidence_is_that_of_a_likelihood_ratio():
    """The bettors stand at shares q of the discordant answers: a mean of binomial likelihoods, over that of a half."""
    right = np.array([1, 0, 0, 1, 0, 0, 0, 1, 0, 0], dtype=bool)
    q = (1 - ((np.arange(32) + 0.5) / 32) ** 2) / 2
    n, ones = len(right), right.sum()
    wanted = np.mean(q**ones * (1 - q) ** (n - ones)) / 0.5**n
    found = paired_evidence(~right, right)
    assert np.exp(found.worse[-1]) == pytest.approx(wanted)


def test_the_mean_of_the_evidence_is_one_exactly():
    """At the edge of the claim every next step has a mean of 1: all 2^8 runs, each with its probability."""
    asked = (np.arange(256)[:, None] >> np.arange(8)) & 1
    for share, ratio in ((0.1, 1.0), (0.5, 1.0), (0.2, 1.25)):
        fair = share * ratio / (share * ratio + 1 - share)
        chances = np.prod(np.where(asked, fair, 1 - fair), axis=1)
        evidence = canary_evidence(asked, np.ones_like(asked), share, ratio)
        for wealth in evidence:
            assert np.exp(wealth[:, -1]) @ chances == pytest.approx(1)
    for wealth in paired_evidence(asked, 1 - asked):
        assert np.exp(wealth[:, -1]).mean() == pytest.approx(1)


def test_with_a_margin_an_equal_challenger_is_promoted():
    random = np.random.default_rng(6)
    _, how = first_decision(paired_evidence(*paired(random, 0.05, 0.05, 0.06, (200, 8000)), 0.02))
    assert np.mean(how == "promote") > 0.8
    asked, wrong = canary(random, 0.05, 0.05, 0.5, (200, 12_000))
    _, how = first_decision(canary_evidence(asked, wrong, 0.5, ratio=1.5))
    assert np.mean(how == "promote") > 0.8


def test_users_who_stay_with_one_arm_count_once():
    """A few heavy users with hard requests: their errors are no draws of chance, their first answer is."""
    random = np.random.default_rng(7)
    runs, users, n = 400, 60, 3000
    who = np.minimum(random.geometric(0.05, (runs, n)) - 1, users - 1)
    rates = random.beta(0.2, 2, (runs, users))
    arms = random.random((runs, users)) < 0.3
    asked = np.take_along_axis(arms, who, axis=1)
    wrong = random.random((runs, n)) < np.take_along_axis(rates, who, axis=1)
    first = np.zeros_like(wrong)
    for run in range(runs):
        first[run, np.unique(who[run], return_index=True)[1]] = True
    _, how = first_decision(canary_evidence(asked, wrong, 0.3))
    assert np.mean(how == "stop") > 0.05
    _, how = first_decision(canary_evidence(asked, wrong & first, 0.3))
    assert np.mean(how == "stop") <= 0.01


def test_a_canary_that_grows_takes_its_wealth_along():
    """By the formula, one bettor after the other; and with equal rates it is stopped as seldom as one that stays."""
    random = np.random.default_rng(8)
    shares = np.repeat([0.05, 0.25, 0.5], 40)
    asked = random.random(120) < shares
    test = Canary(share=0.05)
    ratios = 32.0 ** (((np.arange(32) + 0.5) / 32) ** 2)
    owned = np.ones(32)
    for came, s in zip(asked, shares, strict=True):
        test.add(came, True, s)
        q = ratios * s / (ratios * s + 1 - s)
        owned *= q / s if came else (1 - q) / (1 - s)
        assert test.evidence.worse == pytest.approx(np.log(owned.mean()))
    came = random.random((3000, 2100)) < np.repeat([0.05, 0.25, 0.5], 700)
    stakes = [sequential._canary_stakes(s, 1.0)[1] for s in (0.05, 0.25, 0.5)]
    logs = np.zeros((3000, 32))
    ever = np.zeros(3000, bool)
    for n in range(2100):
        s = (0.05, 0.25, 0.5)[n // 700]
        logs += np.log1p(np.multiply.outer(came[:, n] - s, stakes[n // 700]))
        ever |= np.logaddexp.reduce(logs, axis=1) - np.log(32) >= math.log(100)
    assert ever.mean() <= 0.01  # three tests in a row, each from 1, would have three chances


def test_shares_of_a_request_count_as_shares():
    test = Canary(share=0.5)
    test.add(True, 0.5)
    whole = Canary(share=0.5)
    whole.add(True, True)
    assert 0 < test.evidence.worse < whole.evidence.worse
    assert Paired().add(True, True) is None and Paired().evidence == (0, 0)


def test_nothing_and_one_are_runs_too():
    assert paired_evidence(np.zeros((3, 0)), np.zeros((3, 0))).worse.shape == (3, 0)
    assert canary_evidence([False], [False], 0.1).worse.tolist() == [0]
    taken, how = first_decision(sequential.Evidence(np.zeros((2, 5)), np.zeros((2, 5))))
    assert taken.tolist() == [0, 0] and how.tolist() == ["", ""]


@pytest.mark.parametrize(
    "call",
    [
        lambda: Paired(alpha=0),
        lambda: Paired(alpha=1.0),
        lambda: Paired(margin=1),
        lambda: Paired(margin=-0.1),
        lambda: Canary(share=0),
        lambda: Canary(share=1),
        lambda: Canary(share=math.nan),
        lambda: Canary(ratio=0),
        lambda: Canary(ratio=math.inf),
        lambda: Canary().add(True, 2),
        lambda: Canary().add(True, math.nan),
        lambda: paired_evidence([2], [0]),
        lambda: canary_evidence([True], [math.nan], 0.5),
    ],
)
def test_other_numbers_are_refused(call):
    with pytest.raises(CourseError):
        call()
