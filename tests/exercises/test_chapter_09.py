"""The exercises of chapter 09: solutions and other right answers pass, typical mistakes get their own hint."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.exercises import chapter_09, find

NAMES = {
    "09-1": "piece_places",
    "09-2": "causal_weights",
    "09-3": "linear_rate",
    "09-4": "swap_adapter",
    "09-5": "paired_interval",
}
IDS = tuple(NAMES)


@pytest.mark.parametrize("number", IDS)
def test_the_chapters_solution_passes(number, chapter_functions):
    solution = chapter_functions("09", NAMES[number], exercise=number)[NAMES[number]]
    assert find(number).judge(solution)


@pytest.mark.parametrize("number", IDS)
def test_an_untouched_stub_is_not_attempted(number):
    reference = find(number).judge.reference
    namespace = {}
    arguments = ", ".join(reference.__code__.co_varnames[: reference.__code__.co_argcount])
    exec(f"def {reference.__name__}({arguments}):\n    ...", namespace)
    assert find(number).judge(namespace[reference.__name__]).state == "not attempted"


# other right ways -------------------------------------------------------------------------------------------------


def places_by_recursion(word, vocabulary):
    def cut(start):
        if start == len(word):
            return []
        for end in range(len(word), start, -1):
            if ("##" * bool(start)) + word[start:end] in vocabulary:
                rest = cut(end)
                return None if rest is None else [(start, end), *rest]
        return None

    found = cut(0)
    return [(0, len(word))] if found is None else found


def places_from_pieces(word, vocabulary):
    rest, at, out = word, 0, []
    while rest:
        fits = [rest[:k] for k in range(1, len(rest) + 1) if ("##" if at else "") + rest[:k] in vocabulary]
        if not fits:
            return ((0, len(word)),)
        piece = max(fits, key=len)
        out.append([at, at + len(piece)])
        at, rest = at + len(piece), rest[len(piece) :]
    return out


@pytest.mark.parametrize("answer", [places_by_recursion, places_from_pieces])
def test_any_right_places_pass(answer):
    assert find("09-1").judge(answer)


def weights_with_infinity(Q, K, here):
    S = np.einsum("ik,jk->ij", Q, K) / Q.shape[1] ** 0.5
    S[np.triu_indices(len(Q), 1)] = -np.inf
    S[:, ~here] = -np.inf
    S = np.exp(S)
    return S / S.sum(1, keepdims=True)


def weights_row_by_row(Q, K, here):
    out = np.zeros((len(Q), len(Q)))
    for i, q in enumerate(Q):
        may = [j for j in range(i + 1) if here[j]]
        e = np.exp([q @ K[j] / np.sqrt(len(q)) for j in may])
        out[i, may] = e / e.sum()
    return out


@pytest.mark.parametrize("answer", [weights_with_infinity, weights_row_by_row])
def test_any_right_weights_pass(answer):
    assert find("09-2").judge(answer)


@pytest.mark.parametrize(
    "answer",
    [
        lambda s, steps, warm_up, peak: peak * min((s + 1) / warm_up, (steps - s) / (steps - warm_up)),
        lambda s, steps, warm_up, peak: float(np.interp(s, [-1, warm_up - 1, warm_up, steps], [0, peak, peak, 0])),
    ],
)
def test_any_right_rate_passes(answer):
    assert find("09-3").judge(answer)


@pytest.mark.parametrize(
    "answer",
    [
        lambda merged, A7, B7, A8, B8, alpha: merged + alpha * (A8 @ B8 / len(B8) - A7 @ B7 / len(B7)),
        lambda merged, A7, B7, A8, B8, alpha: (
            merged + np.concatenate([-A7 / len(B7), A8 / len(B8)], axis=1) @ np.concatenate([B7, B8]) * alpha
        ),
    ],
)
def test_any_right_swap_passes(answer):
    assert find("09-4").judge(answer)


# mistakes that learners make in their own words ---------------------------------------------------------------------


def test_a_list_of_pieces_is_told_from_places():
    def pieces(word, vocabulary):
        return [
            p if i == 0 else "##" + p for i, p in enumerate(word[a:b] for a, b in places_by_recursion(word, vocabulary))
        ]

    assert find("09-1").judge(pieces).state == "wrong"


def test_nan_in_a_row_without_allowed_places_is_named():
    def all_masked(Q, K, here):
        S = np.full((len(Q), len(Q)), -np.inf)
        return np.exp(S - S.max(axis=1, keepdims=True))

    verdict = find("09-2").judge(all_masked)
    assert verdict.state == "wrong" and "NaN" in verdict.message


def test_shapes_that_do_not_match_say_both():
    verdict = find("09-4").judge(lambda merged, A7, B7, A8, B8, alpha: A8)
    assert verdict.state == "wrong" and "(5, 3)" in verdict.message and "(5, 4)" in verdict.message


# the references -----------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(st.text("abc", min_size=1, max_size=9), st.sets(st.text("abc", min_size=1, max_size=3), max_size=8))
def test_places_cover_the_word_without_a_gap(word, pieces):
    vocabulary = pieces | {"##" + piece for piece in list(pieces)[::2]}
    places = chapter_09.piece_places(word, vocabulary)
    assert places[0][0] == 0 and places[-1][1] == len(word)
    assert all(a[1] == b[0] for a, b in itertools.pairwise(places))
    assert places == places_by_recursion(word, vocabulary)


@settings(max_examples=40)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 99))
def test_weights_look_back_only_and_add_up_to_one(t, width, seed):
    random = np.random.default_rng(seed)
    here = random.random(t) < 0.6
    here[0] = True
    A = chapter_09.causal_weights(random.normal(size=(t, width)), random.normal(size=(t, width)), here)
    np.testing.assert_allclose(A.sum(axis=1), 1)
    assert (A[~(np.tri(t, dtype=bool) & here)] == 0).all()


@settings(max_examples=40)
@given(st.integers(1, 10), st.integers(1, 40))
def test_the_rate_rises_then_falls_and_is_never_zero(warm_up, more):
    rates = [chapter_09.linear_rate(s, warm_up + more, warm_up, 1.0) for s in range(warm_up + more)]
    assert min(rates) > 0 and max(rates) == 1.0 == rates[warm_up]
    assert (np.diff(rates[:warm_up]) > 0).all() and (np.diff(rates[warm_up:]) < 0).all()


def test_swapping_there_and_back_changes_nothing():
    case = chapter_09._ADAPTER_CASES[0]
    merged, A7, B7, A8, B8, alpha = case
    there = chapter_09.swap_adapter(*case)
    np.testing.assert_allclose(chapter_09.swap_adapter(there, A8, B8, A7, B7, alpha), merged)


def interval_round_by_round(y, a, b, picks):
    found = []
    for pick in picks:
        found.append(np.mean(b[pick] == y[pick]) - np.mean(a[pick] == y[pick]))
    return [np.percentile(found, 2.5), np.percentile(found, 97.5)]


def test_an_interval_found_round_by_round_passes():
    assert find("09-5").judge(interval_round_by_round)


@settings(max_examples=40)
@given(st.integers(2, 12), st.integers(1, 30), st.integers(0, 99))
def test_the_paired_interval_of_a_model_with_itself_is_zero_and_turns_with_the_models(n, rounds, seed):
    random = np.random.default_rng(seed)
    y, a, b = random.integers(0, 3, (3, n))
    picks = random.integers(0, n, (rounds, n))
    assert chapter_09.paired_interval(y, a, a, picks) == (0, 0)
    low, high = chapter_09.paired_interval(y, a, b, picks)
    assert -1 <= low <= high <= 1
    np.testing.assert_allclose(chapter_09.paired_interval(y, b, a, picks), (-high, -low), atol=1e-12)
    np.testing.assert_allclose(interval_round_by_round(y, a, b, picks), (low, high), atol=1e-12)
