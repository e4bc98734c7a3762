"""The exercises of chapter 05: solutions and other right answers pass, typical mistakes get their own hint."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import gradcheck
from course_utils.exercises import chapter_05, find


@pytest.mark.parametrize("exercise", ["05-2", "05-3", "05-4"])
def test_every_mistake_is_told_from_the_solution_and_from_the_others(exercise):
    assert find(exercise).judge.problems() == []


# 05-1 -------------------------------------------------------------------------------------------------------------


def test_the_count_is_that_of_keras_formula_by_hand():
    assert find("05-1").judge.expected == 4 * (8 * 64 + 64 * 64 + 64) + 64 * 3 + 3 == 18_883


@pytest.mark.parametrize("answer", [18_883, 18_883.0, np.int64(18_883), 4 * 73 * 64 + 195])
def test_the_right_count_passes(answer):
    assert find("05-1").judge(answer)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (73 * 64 + 195, "four such layers side by side"),
        (4 * 9 * 64 + 195, "recurrent weights are missing"),
        (4 * 72 * 64 + 195, "LSTM's biases are missing"),
        (3 * 73 * 64 + 195, "three blocks"),
        (3 * 74 * 64 + 195, "That is a GRU"),
        (4 * 74 * 64 + 195, "one bias a block"),
        (4 * 73 * 64, "dense layer is missing"),
        (4 * 73 * 64 + 192, "one for each logit"),
        (600 * 4 * 73 * 64 + 195, "serve all 600 steps"),
        (4 * (600 + 65) * 64 + 195, "steps, not inputs"),
        (4 * (4800 + 65) * 64 + 195, "not all 4,800"),
        (4 * (1 + 65) * 64 + 195, "8 sensors"),
        (20_000, "(m + u + 1) u"),
    ],
)
def test_a_wrong_count_gets_the_hint_for_it(answer, hint):
    verdict = find("05-1").judge(answer)
    assert verdict.state == "wrong"
    assert hint in verdict.hint


# 05-2 -------------------------------------------------------------------------------------------------------------


def by_jacobians(U, H, W_h, own, a):
    """Another right way: the whole step's matrix for each example, one example after another."""
    dW_h, dh_0 = np.zeros_like(W_h), []
    for u, h, mine in zip(U, H, own, strict=True):
        g = np.zeros(len(W_h))
        for t in range(len(u), 0, -1):
            g = g + mine[t - 1]
            dW_h += a * np.outer(h[t - 1], g * (1 - u[t - 1] ** 2))
            g = ((1 - a) * np.eye(len(g)) + a * W_h * (1 - u[t - 1] ** 2)) @ g
        dh_0.append(g)
    return dW_h, np.array(dh_0)


def with_lists(U, H, W_h, own, a):
    arriving, shares = 0 * H[:, 0], []
    for t in reversed(range(U.shape[1])):
        g = arriving + own[:, t]
        delta = g * a * (1 - np.square(U[:, t]))
        shares.append(np.einsum("bi,bj->ij", H[:, t], delta))
        arriving = np.einsum("bj,ij->bi", delta, W_h) + g - a * g
    return sum(shares), arriving


# Names that the chapter also computes in cells of its own, and that the solutions only use inside.
LOCAL = dict.fromkeys(("X", "H", "U", "W_h", "own", "delta", "dW_h", "slope", "time", "units", "t", "a", "k"))


def test_the_solution_of_the_chapter_passes(chapter_functions):
    for exercise, name in (("05-2", "leaky_bptt"), ("05-3", "clipped_mean"), ("05-4", "bptt_in_pieces")):
        assert find(exercise).judge(chapter_functions("05", name, exercise=exercise, **LOCAL)[name])


@pytest.mark.parametrize("answer", [by_jacobians, with_lists])
def test_any_right_leaky_gradient_passes(answer):
    assert find("05-2").judge(answer)


def leaky(change):
    """A learner's loop with one thing changed in it."""

    def answer(U, H, W_h, own, a):
        dW_h, arriving, last = np.zeros_like(W_h), np.zeros_like(H[:, 0]), U.shape[1]
        for t in range(last, 0, -1):
            mine = own[:, t - 1] if change != "no own" and (change != "last own" or t == last) else 0
            g = arriving + mine
            slope = {"none": 1, "h": 1 - H[:, t] ** 2}.get(change, 1 - U[:, t - 1] ** 2)
            delta = (1 if change == "no a" else a) * g * slope
            share = H[:, t if change == "index" else t - 1].T @ delta
            dW_h = share if change == "overwritten" else dW_h + share
            back = delta @ (W_h if change == "untransposed" else W_h.T)
            arriving = back + (0 if change == "no leak" else g if change == "leak" else (1 - a) * g)
        return (dW_h.T if change == "flipped" else dW_h / last if change == "mean" else dW_h), arriving

    return answer


@pytest.mark.parametrize(
    ("change", "mistake", "hint"),
    [
        ("none", "no derivative", "1 − u_t²"),
        ("h", "derivative by h", "mixture"),
        ("no leak", "no leak", "1 − a"),
        ("leak", "leak of one", "1 − a"),
        ("no a", "no a", "factor a"),
        ("untransposed", "not transposed", "W_hᵀ"),
        ("index", "h_t for h_{t−1}", "off by one"),
        ("no own", "no own term", "own term"),
        ("last own", "own term of the last step only", "every step"),
        ("flipped", "weights transposed", "transposed"),
        ("mean", "mean over time", "add up"),
        ("overwritten", "overwritten", "+="),
    ],
)
def test_a_wrong_leaky_gradient_gets_the_hint_for_it(change, mistake, hint):
    verdict = find("05-2").judge(leaky(change))
    assert (verdict.state, verdict.mistake) == ("wrong", mistake)
    assert hint in verdict.hint


def test_a_shape_that_does_not_match_names_both():
    verdict = find("05-2").judge(lambda U, H, W_h, own, a: (np.zeros((3, 2)), np.zeros_like(H[:, 0])))
    assert verdict.state == "wrong"
    assert "(3, 2)" in verdict.message and "(2, 2)" in verdict.message


def test_nan_in_a_gradient_is_named():
    verdict = find("05-2").judge(lambda U, H, W_h, own, a: (W_h * np.nan, H[:, 0]))
    assert verdict.state == "wrong"
    assert "NaN" in verdict.message + verdict.hint


# 05-3 -------------------------------------------------------------------------------------------------------------


def row_by_row(G, limit):
    rows = [g if np.linalg.norm(g) <= limit else g * limit / np.linalg.norm(g) for g in G]
    return np.mean(rows, axis=0)


def by_maximum(G, limit):
    return (G / np.maximum(1, np.linalg.norm(G, axis=1) / limit)[:, None]).mean(0)


@pytest.mark.parametrize("answer", [row_by_row, by_maximum])
def test_any_right_clipping_passes(answer):
    assert find("05-3").judge(answer)


def norms(G):
    return np.linalg.norm(G, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("answer", "mistake", "hint"),
    [
        (lambda G, c: np.clip(G, -c, c).mean(0), "each entry", "whole row"),
        (lambda G, c: (G * min(1, c / np.linalg.norm(G))).mean(0), "all together", "axis=1"),
        (lambda G, c: G.mean(0) * min(1, c / np.linalg.norm(G.mean(0))), "after the mean", "each row first"),
        (lambda G, c: (G * c / np.maximum(norms(G), 1e-300)).mean(0), "always scaled", "at most 1"),
        (lambda G, c: (G / np.maximum(1, norms(G) / c)).sum(0), "sum for mean", "mean is asked"),
        (lambda G, c: G / np.maximum(1, norms(G) / c), "rows", "axis=0"),
        (lambda G, c: np.where(norms(G) > c, 0, G).mean(0), "dropped", "shortened"),
        (lambda G, c: (G / np.maximum(1, norms(G) ** 2 / c)).mean(0), "squared length", "square root"),
    ],
)
def test_a_wrong_clipping_gets_the_hint_for_it(answer, mistake, hint):
    verdict = find("05-3").judge(answer)
    assert (verdict.state, verdict.mistake) == ("wrong", mistake)
    assert hint in verdict.hint


def test_nan_for_a_row_of_zeros_is_named():
    def wrong(G, limit):
        with np.errstate(all="ignore"):
            return (G / norms(G) * np.minimum(norms(G), limit)).mean(0)

    verdict = find("05-3").judge(wrong)
    assert (verdict.state, verdict.mistake) == ("wrong", "divided by zero")
    assert "NaN" in verdict.message + verdict.hint


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9), st.floats(0.01, 10))
def test_no_example_moves_the_mean_further_than_its_share(seed, rows, columns, limit):
    G = np.random.default_rng(seed).normal(size=(rows, columns)) * 3
    before = chapter_05.clipped_mean(G, limit)
    G[0] *= 1e6
    assert np.linalg.norm(chapter_05.clipped_mean(G, limit) - before) <= 2 * limit / rows + 1e-9


# 05-4 -------------------------------------------------------------------------------------------------------------


def piece_after_piece(H, W_h, own, k):
    """Another right way: each piece for itself, the first one first."""
    total = np.zeros_like(W_h)
    for start in range(0, own.shape[1], k):
        h, mine = H[:, start : start + k + 1], own[:, start : start + k]
        arriving = 0 * h[:, 0]
        for t in range(mine.shape[1], 0, -1):
            delta = (arriving + mine[:, t - 1]) * (1 - h[:, t] ** 2)
            total += h[:, t - 1].T @ delta
            arriving = delta @ W_h.T
    return total


def test_pieces_one_by_one_pass():
    assert find("05-4").judge(piece_after_piece)


def pieces(change):
    def answer(H, W_h, own, k):
        time, total, arriving = own.shape[1], np.zeros_like(W_h), 0 * H[:, 0]
        for t in range(time, 0, -1):
            delta = (arriving + own[:, t - 1]) * (1 if change == "no slope" else 1 - H[:, t] ** 2)
            total += H[:, t if change == "index" else t - 1].T @ delta
            arriving = delta @ (W_h if change == "untransposed" else W_h.T)
            if {"off": t % k == 0, "end": (time - t + 1) % k == 0, "none": False}.get(change, (t - 1) % k == 0):
                arriving = 0 * arriving
        return total

    return answer


@pytest.mark.parametrize(
    ("answer", "mistake", "hint"),
    [
        (pieces("none"), "no cut", "nothing is cut"),
        (pieces("off"), "off by one", "one step off"),
        (pieces("end"), "counted from the end", "*first* piece"),
        (pieces("no slope"), "no derivative", "1 − h_t²"),
        (pieces("index"), "h_t for h_{t−1}", "off by one"),
        (pieces("untransposed"), "not transposed", "W_hᵀ"),
        (
            lambda H, W_h, own, k: piece_after_piece(H[:, -k - 1 :], W_h, own[:, -k:], k),
            "last piece only",
            "losses of its own",
        ),
    ],
)
def test_wrong_pieces_get_the_hint_for_it(answer, mistake, hint):
    verdict = find("05-4").judge(answer)
    assert (verdict.state, verdict.mistake) == ("wrong", mistake)
    assert hint in verdict.hint


def test_one_piece_as_long_as_the_sequence_is_the_whole_gradient():
    H, W_h, own, _ = chapter_05._piece_case(5, 2, 6, 3, 6)
    whole = chapter_05._pieces(H, W_h, own, 6, cut=False)
    assert gradcheck.relative_error(chapter_05.bptt_in_pieces(H, W_h, own, 6), whole) < 1e-12
