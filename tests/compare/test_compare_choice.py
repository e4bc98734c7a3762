"""The rule of the recommendation, on made costs; and how often it says "better" of equal models."""

import dataclasses

import numpy as np
import pytest

from course_utils.compare import recommendation
from course_utils.compare.account import Currency, Ranked, open_account, rank
from course_utils.evaluate import Estimate

CURRENCY = Currency(messages=1_000)
F1 = (Estimate(0.8, 0.7, 0.9, 100), Estimate(0.7, 0.6, 0.8, 100))


def shares_for(labels: np.ndarray, right: float, seed: int, classes: int = 3) -> np.ndarray:
    """Probabilities of a model that is right as often as said, surer where it is right."""
    random = np.random.default_rng(seed)
    hit = random.random(len(labels)) < right
    said = np.where(hit, labels, (labels + 1 + random.integers(classes - 1, size=len(labels))) % classes)
    sure = np.where(hit, random.uniform(0.6, 1, len(labels)), random.uniform(0.4, 0.9, len(labels)))
    if right <= 1 / classes:  # a model that knows nothing does not know either when it is right
        sure = random.uniform(0.4, 1, len(labels))
    shares = np.full((len(labels), classes), 0.0) + ((1 - sure) / (classes - 1))[:, None]
    shares[np.arange(len(labels)), said] = sure
    return shares


def result(memory: float, size: float, p50: float) -> dict:
    return {"answer_memory_mib": memory, "bytes_needed": int(size * 1e6), "p50_ms": p50}


RESULTS = {
    "majority": result(40, 0.001, 0.01),
    "tfidf": result(160, 1.5, 1.0),
    "small": result(850, 0.4, 1.5),
    "frozen": result(900, 92, 8.0),
    "finetuned": result(910, 91, 8.2),
}


def recommend(n: int = 300, tested: int = 300, test_right: dict | None = None, folds=(), **right: float):
    random = np.random.default_rng(1)
    labels, test = random.integers(3, size=n), random.integers(3, size=tested)
    everyone = {"majority": None, **right}
    accounts = {}
    for seed, (name, share) in enumerate(everyone.items()):
        if share is None:
            held, final = np.tile([0.4, 0.3, 0.3], (n, 1)), np.tile([0.4, 0.3, 0.3], (tested, 1))
        else:
            final_share = (test_right or {}).get(name, share)
            held, final = shares_for(labels, share, seed), shares_for(test, final_share, seed + 50)
        accounts[name] = open_account(labels, held, test, final, currency=CURRENCY)
    results = {name: RESULTS[name] for name in everyone}
    return recommendation.recommend(results, accounts, dict.fromkeys(everyone, F1), CURRENCY, folds, tested)


def account(labels: np.ndarray, shares: np.ndarray):
    """An account on messages that are validation and test in one."""
    return open_account(labels, shares, labels, shares, currency=CURRENCY)


def test_a_model_that_is_really_better_is_recommended_and_the_runner_up_named():
    advice = recommend(tfidf=0.6, frozen=0.95)
    assert (advice.chosen, advice.best, advice.runner_up, advice.sure) == ("frozen", "frozen", "tfidf", True)
    assert str(advice).startswith("Ship “Frozen encoder + linear head”: it answers ")
    assert "The runner-up, “TF-IDF + logistic regression” (160 MiB while it answers, 1.0 ms a message, 1.5 MB)" in str(
        advice
    )
    saved = advice.pair("frozen", "tfidf").saved
    assert 0 < saved.low < saved.value < saved.high


def test_where_there_is_no_real_difference_the_cheaper_one_is_taken_and_it_is_said():
    advice = recommend(n=150, tfidf=0.90, finetuned=0.92)
    assert advice.chosen == "tfidf" and set(advice.alike) == {"tfidf", "finetuned"} and not advice.sure
    assert "no real difference" in str(advice) and "cheaper one to run" in str(advice)
    assert advice.runner_up == "finetuned"


def test_the_runner_up_may_be_as_large_as_the_choice():
    """What was hidden once: a rival of the same size."""
    advice = recommend(tfidf=0.5, frozen=0.95, finetuned=0.94)
    assert {advice.chosen, advice.runner_up} == {"frozen", "finetuned"} and advice.chosen == advice.best
    assert not advice.sure and recommendation.BY_NAME[advice.runner_up].title in str(advice)


def test_the_test_has_no_part_in_the_choice():
    assert recommend(tfidf=0.6, frozen=0.95, test_right={"frozen": 0.34}).chosen == "frozen"


def test_none_is_recommended_where_the_best_is_not_better_than_doing_without():
    advice = recommend(tfidf=1 / 3, frozen=1 / 3)
    assert advice.chosen == "majority" and advice.ship is None
    assert "Ship none of these models yet" in str(advice) and "hours a month instead of 26.7" in str(advice)


def test_few_messages_are_said():
    assert "40 validation and 30 test messages" in str(recommend(n=40, tested=30, tfidf=0.95))
    assert "The data are few" not in str(recommend(tfidf=0.95))


def test_without_a_candidate_beside_majority_nothing_is_recommended():
    assert recommend() is None


def test_each_split_says_what_it_would_have_chosen():
    advice = recommend(tfidf=0.6, frozen=0.97, folds=[np.arange(k, 300, 3) for k in range(3)])
    assert sum(advice.times.values()) == 3 and advice.times["frozen"] >= 2
    assert "each of 3 splits would have preferred: " in str(advice)
    assert "splits would" not in str(recommend(tfidf=0.6, frozen=0.97, folds=[np.arange(300)]))


def test_cheap_is_memory_then_time_then_megabytes_then_hours():
    equal = dict.fromkeys(RESULTS, 1.0)
    order = recommendation.cheapest_first(list(RESULTS), RESULTS, {**equal, "finetuned": 0.9})
    assert order == ["majority", "tfidf", "small", "finetuned", "frozen"]
    assert recommendation.cheapest_first(["finetuned", "frozen"], RESULTS, {"finetuned": 2, "frozen": 1})[0] == "frozen"
    slow = {**RESULTS, "finetuned": result(910, 91, 20.0)}
    assert recommendation.cheapest_first(["finetuned", "frozen"], slow, {**equal, "finetuned": 0}) == [
        "frozen",
        "finetuned",
    ]
    unknown = {name: {**one, "answer_memory_mib": None} for name, one in RESULTS.items()}
    assert recommendation.cheapest_first(["frozen", "tfidf"], unknown, equal) == ["tfidf", "frozen"]


def test_two_that_cost_the_same_to_run_are_not_said_to_be_cheaper():
    assert "The two cost about the same to run" in str(recommend(tfidf=0.5, frozen=0.95, finetuned=0.94))


def test_a_cheaper_one_that_is_not_shown_to_pay_is_not_said_to_be_the_dearer():
    labels = np.random.default_rng(1).integers(3, size=150)
    accounts = {"majority": account(labels, np.tile([0.4, 0.3, 0.3], (150, 1)))}
    for seed, (name, share) in enumerate({"tfidf": 0.90, "finetuned": 0.92}.items(), 1):
        accounts[name] = account(labels, shares_for(labels, share, seed))
    accounts["tfidf"] = dataclasses.replace(accounts["tfidf"], useful=False)
    advice = recommendation.recommend(
        {name: RESULTS[name] for name in accounts}, accounts, dict.fromkeys(accounts, F1), CURRENCY
    )
    assert (advice.chosen, advice.alike[0]) == ("finetuned", "tfidf")
    assert "The other is the cheaper one to run (160 MiB" in str(advice) and "The choice is" not in str(advice)


def made(n: int, wrong: float, seed: int) -> Ranked:
    random = np.random.default_rng(seed)
    return Ranked(random.permutation(n), random.random(n) < wrong)


def test_what_a_model_costs_where_it_suits_it_best():
    """Held against trying every share of the grid with the account's own minutes."""
    for seed in range(5):
        ranked = made(60, 0.3, seed)
        tried = [ranked.minutes(CURRENCY, round(60 * k / 20)).mean() for k in range(21)]
        assert recommendation.least(ranked, CURRENCY) == pytest.approx(min(tried))
    order = np.array([2, 0])  # the second message is always read
    ranked = Ranked(order, np.array([True, True, False]))
    assert recommendation.least(ranked, CURRENCY) == pytest.approx(2 * CURRENCY.by_hand / 3)


def test_an_interval_is_as_wide_as_what_exchanging_the_two_makes():
    ranked = {"tfidf": made(80, 0.05, 0), "small": made(80, 0.1, 1), "frozen": made(80, 0.6, 2)}
    pairs = {(pair.one, pair.other): pair for pair in recommendation.compare_pairs(ranked, CURRENCY)}
    assert len(pairs) == 3
    for (one, other), pair in pairs.items():
        gain = recommendation.least(ranked[other], CURRENCY) - recommendation.least(ranked[one], CURRENCY)
        assert pair.saved.value == pytest.approx(CURRENCY.hours(gain))
        assert pair.saved.high - pair.saved.value == pytest.approx(pair.saved.value - pair.saved.low)
    assert pairs["tfidf", "frozen"].different and not pairs["tfidf", "small"].different


def test_models_that_say_the_same_are_not_different():
    one = made(40, 0.1, 0)
    (pair,) = recommendation.compare_pairs({"tfidf": one, "small": one}, CURRENCY)
    assert pair.saved[:3] == (0, 0, 0) and not pair.different
    single = {"tfidf": made(1, 0.0, 0), "small": made(1, 1.0, 0)}
    (alone,) = recommendation.compare_pairs(single, CURRENCY)
    assert not alone.different, "one message shows nothing"


@pytest.mark.parametrize(
    ("n", "right", "agree", "trials"), [(60, 0.8, 0.5, 200), (150, 0.9, 0.7, 80), (350, 0.75, 0.5, 20)]
)
def test_of_equal_models_one_is_said_to_be_better_in_a_twentieth_of_cases_at_most(monkeypatch, n, right, agree, trials):
    """Four candidates of equal quality that agree on many messages."""
    monkeypatch.setattr(recommendation, "EXCHANGES", 600)
    random, wrong = np.random.default_rng(7), 0
    for trial in range(trials):
        labels = random.integers(3, size=n)
        common = shares_for(labels, right, 10_000 + trial)
        ranked = {}
        for k, name in enumerate(("tfidf", "small", "frozen", "finetuned")):
            own = shares_for(labels, right, 20_000 + 10 * trial + k)
            shares = np.where((random.random(n) < agree)[:, None], common, own)
            ranked[name] = rank(labels, shares, {})
        wrong += any(pair.different for pair in recommendation.compare_pairs(ranked, CURRENCY))
    from scipy.stats import binom

    assert wrong <= binom.ppf(0.99, trials, 0.05), "a true twentieth gives more in one of a hundred runs"


@pytest.mark.parametrize(
    ("number", "said"), [(52, "1 kB"), (50_000, "50 kB"), (1_502_069, "1.5 MB"), (91.2e6, "91 MB")]
)
def test_sizes_as_they_are_said(number, said):
    assert recommendation.megabytes(number) == said


@pytest.mark.parametrize(("value", "said"), [(-0.04, "0.0"), (-2.26, "−2.3"), (24.44, "24.4"), (1234.4, "1,234")])
def test_hours_as_they_are_said(value, said):
    assert recommendation.hours(value) == said
