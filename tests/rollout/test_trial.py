"""The trial: one bet a user, failures alike in both arms, one wealth while a canary grows."""

import numpy as np
import pytest

from course_utils.rollout.registry import State, state_after
from course_utils.rollout.trial import Trial

CANARY, SHADOW = {"alpha": 0.01, "ratio": 1.0}, {"alpha": 0.01, "margin": 0.0}


def state(mode: str, share: float = 0.0) -> State:
    test = CANARY if mode == "canary" else SHADOW
    return State("a" * 12, "b" * 12, mode, share, test=test, since=1, stages=((1, share),))


def row(wrong: bool, user: str | None = None, arm: str = "champion", shadow_wrong: bool | None = None, **more):
    """A labelled line of the journal."""
    said = {True: '["no"]', False: '["yes"]', None: None}
    facts = {"since": 1, "truth": '["yes"]', "status": 200, "labels": said[wrong], "fallback": False, "user": user,
             "arm": arm, "shadow_labels": said[shadow_wrong], "seconds": 0.01}  # fmt: skip
    return facts | more


def decided(trial: Trial, rows) -> str | None:
    for one in rows:
        trial.count(one)
        if trial.decision:
            break
    return trial.decision


def clustered(random, users: int, each: int, arms, rates, spread):
    """Requests of users in a mixed order; in an arm that is not ``spread`` a user gets errors only, or none."""
    fate = np.array([random.random(users) < rate for rate in rates])
    for user in random.permutation(np.repeat(np.arange(users), each)):
        arm = int(arms[user])
        wrong = random.random() < rates[arm] if spread[arm] else fate[arm, user]
        yield row(bool(wrong), f"u{user}", "challenger" if arm else "champion")


@pytest.mark.parametrize(
    ("rates", "spread"),
    [
        ((0.05, 0.05), (False, True)),  # equal; the challenger gives many users an error, the champion few
        ((0.05, 0.03), (False, True)),  # better
        ((0.05, 0.05), (True, False)),
    ],
)
def test_a_canary_as_good_is_seldom_decided_however_its_errors_fall_on_users(rates, spread):
    random = np.random.default_rng(0)
    found = []
    for _ in range(60):
        arms = random.random(300) < 0.5
        found.append(decided(Trial(state("canary", 0.5)), clustered(random, 300, 10, arms, rates, spread)))
    assert found.count("stop") <= 2 and found.count("promote") <= (2 if rates[0] == rates[1] else 20)


def test_a_canary_twice_as_bad_whose_errors_fall_on_few_users_is_not_promoted():
    random = np.random.default_rng(1)
    found = []
    for _ in range(60):
        arms = random.random(300) < 0.5
        found.append(
            decided(Trial(state("canary", 0.5)), clustered(random, 300, 10, arms, (0.05, 0.10), (True, False)))
        )
    assert found.count("promote") <= 1


def leaning(random, users: int, each: int, towards: float = 0.5):
    """In shadow: of each user's answers exactly one version errs, nine times of ten the one the user leans against."""
    for user in range(users):
        against = random.random() < towards
        for _ in range(each):
            worse = (random.random() < 0.9) == against
            yield row(not worse, f"u{user}", shadow_wrong=worse)


def test_a_shadow_as_good_is_seldom_decided_when_users_lean_to_one_version():
    random = np.random.default_rng(2)
    found = [decided(Trial(state("shadow")), leaning(random, 60, 130)) for _ in range(100)]
    assert sum(one is not None for one in found) <= 5  # 70 of 100, were each request its own bet


def test_a_worse_shadow_is_stopped_by_one_answer_a_user():
    random = np.random.default_rng(3)
    found = [decided(Trial(state("shadow")), leaning(random, 150, 5, towards=0.8)) for _ in range(30)]
    assert found.count("stop") >= 28


@pytest.mark.parametrize("mode", ["shadow", "canary"])
def test_the_first_known_answer_of_a_user_counts_and_no_other(mode):
    trial = Trial(state(mode, 0.5))
    more = {"shadow_wrong": True} if mode == "shadow" else {}
    assert not trial.count(row(False, "a", truth=None, **more))  # not known yet: it takes no place
    assert trial.count(row(False, "a", shadow_wrong=False))
    assert not trial.count(row(False, "a", "challenger", shadow_wrong=True))
    assert trial.count(row(False, "b", **more)) and trial.count(row(False, None, **more))
    assert trial.count(row(False, None, **more))  # nobody's: a user of its own
    assert trial.test.answers == 4


@pytest.mark.parametrize(
    "how", [{"status": 504, "labels": "[]"}, {"status": 500, "labels": "[]"}, {"seconds": 1.5}, {"fallback": True}]
)
def test_what_has_not_come_in_time_is_wrong_in_both_arms(how):
    """A champion's failure speaks for the challenger as a challenger's speaks against it."""
    trial = Trial(state("canary", 0.5), slow_seconds=1.0)
    for n in range(50):
        assert trial.count(row(False, arm="challenger" if n % 2 else "champion", **how))
    assert trial.test.counted == 50 and trial.test.evidence.worse == pytest.approx(trial.test.evidence.better, abs=2)
    assert not trial.count(row(False, **how, truth=None) if "fallback" not in how else row(False, truth=None))
    for arm, sign in (("champion", -1), ("challenger", 1)):
        trial = Trial(state("canary", 0.5), slow_seconds=1.0)
        trial.count(row(False, arm=arm, **how))
        assert sign * trial.test.evidence.worse > 0


def test_in_shadow_a_champion_that_fails_loses_to_a_challenger_that_is_right():
    trial = Trial(state("shadow"), slow_seconds=1.0)
    assert trial.count(row(False, status=504, labels="[]", shadow_wrong=False))
    assert trial.test.evidence.better > 0
    assert trial.count(row(False, shadow_labels="[]"))  # and the other way round
    assert trial.test.evidence.better == pytest.approx(trial.test.evidence.worse)
    assert trial.count(row(False, seconds=2.0, shadow_wrong=False))
    assert trial.test.counted == 3
    assert not trial.count(row(False, status=400, labels="[]", shadow_wrong=False))  # the request was at fault


def test_equal_failures_and_equal_errors_are_seldom_stopped():
    random = np.random.default_rng(4)
    stopped = 0
    for _ in range(60):
        fails, errs = random.random(4000) < 0.01, random.random(4000) < 0.05
        arms = random.random(4000) < 0.5
        rows = (
            row(bool(err), arm="challenger" if arm else "champion", fallback=bool(arm and fail),
                status=504 if fail and not arm else 200)
            for fail, err, arm in zip(fails, errs, arms, strict=True)
        )  # fmt: skip
        stopped += decided(Trial(state("canary", 0.5)), rows) == "stop"
    assert stopped <= 2


def test_a_canary_that_grows_is_one_trial():
    events = [
        {"n": 1, "event": "promote", "version": "a"},
        {"n": 2, "event": "canary", "version": "b", "share": 0.05, "auto": False, "test": CANARY},
        {"n": 3, "event": "canary", "version": "b", "share": 0.25, "auto": True, "test": CANARY},
    ]
    grown = state_after(events)
    assert (grown.since, grown.share, grown.stages) == (3, 0.25, ((2, 0.05), (3, 0.25)))
    rows = [row(True, f"u{n}", "challenger" if n % 3 else "champion", since=2 if n < 8 else 3) for n in range(16)]
    small, whole = Trial(state_after(events[:2])), Trial(grown)
    for one in rows[:8]:
        assert small.count(one) and whole.count(one)
    assert small.test.evidence == whole.test.evidence  # it goes on where it was
    assert not small.count(rows[8]) and whole.count(rows[8])
    assert not whole.count(row(True, "u0", "challenger", since=3))  # one bet a user, over all stages
    other = {"n": 4, "event": "canary", "version": "b", "share": 0.5, "auto": True, "test": {"alpha": 0.05, "ratio": 1}}
    assert state_after([*events, other]).stages == ((4, 0.5),)  # another promise is another trial
    stop = {"n": 4, "event": "stop", "version": "b"}
    assert state_after([*events, stop]).stages == ()
