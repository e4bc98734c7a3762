"""The exercises of chapter 03: solutions and other right answers pass, typical mistakes get their own hint."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.exercises import chapter_03, find

# 03-1 -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [393_502, 393_502.0, np.int64(393_502), (784 + 1) * 500 + (500 + 1) * 2])
def test_the_right_count_passes(answer):
    assert find("03-1").judge(answer)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (784 * 500 + 500 * 2, "biases are missing"),
        (784 * 500 + 500 * 2 + 784 + 500 + 2, "inputs have no biases"),
        (784 * 500 + 500, "output layer is missing"),
        (784 * 500, "only the first layer's weight matrix"),
        (784 * 500 + 500 * 2 + 500, "two biases of the output layer"),
        (784 * 500 + 500 * 2 + 2, "500 biases of the hidden layer"),
        (784 * 500 + 500 + 500 + 1, "two neurons here"),
        (784 + 500 + 2, "Those are the neurons"),
        (784 * 500 * 2, "do not multiply"),
        (400_000, "Count each layer"),
    ],
)
def test_a_wrong_count_gets_the_hint_for_it(answer, hint):
    verdict = find("03-1").judge(answer)
    assert verdict.state == "wrong"
    assert hint in verdict.hint


@settings(deadline=None)
@given(st.one_of(st.integers(), st.floats(), st.integers(300_000, 500_000)).filter(lambda answer: answer != 393_502))
def test_no_other_number_passes_and_none_gives_the_answer_away(answer):
    verdict = find("03-1").judge(answer)
    assert verdict.state == "wrong"
    assert "393502" not in (verdict.hint + verdict.message).replace(",", "").replace(" ", "").replace("_", "")


# all of them ----------------------------------------------------------------------------------------------------------

NAMES = {"03-2": "backward_layer", "03-3": "silu_backward", "03-4": "two_layer_gradients"}


@pytest.mark.parametrize("exercise", NAMES)
def test_the_judge_has_no_problems(exercise):
    assert find(exercise).judge.problems() == []


@pytest.mark.parametrize("exercise", NAMES)
def test_the_chapters_solution_passes(chapter_functions, exercise):
    name = NAMES[exercise]
    assert find(exercise).judge(chapter_functions("03", name, exercise=exercise, s=None, P=None)[name])


def stub_2(A, W, dZ): ...


def stub_3(Z, dA): ...


def stub_4(X, y, W_1, b_1, W_2, b_2): ...


@pytest.mark.parametrize(("exercise", "stub"), [("03-2", stub_2), ("03-3", stub_3), ("03-4", stub_4)])
def test_the_untouched_stub_is_not_attempted(exercise, stub):
    assert find(exercise).judge(stub).state == "not attempted"


# 03-2 -----------------------------------------------------------------------------------------------------------------


def layer_by_einsum(A, W, dZ):
    return [np.einsum("rk,rj->kj", A, dZ), np.einsum("rj->j", dZ), np.einsum("rj,kj->rk", dZ, W)]


def layer_by_loops(A, W, dZ):
    dW = sum(np.outer(a, d) for a, d in zip(A, dZ, strict=True))
    return dW, np.ones(len(dZ)) @ dZ, np.array([W @ d for d in dZ])


def layer_turned_twice(A, W, dZ):
    return (dZ.T @ A).T, dZ.sum(0), (W @ dZ.T).T


@pytest.mark.parametrize("answer", [layer_by_einsum, layer_by_loops, layer_turned_twice])
def test_any_right_way_through_a_layer_passes(answer):
    assert find("03-2").judge(answer)


@pytest.mark.parametrize(
    ("answer", "mistake", "hint"),
    [
        (lambda A, W, dZ: (dZ.T @ A, dZ.sum(0), dZ @ W.T), "dW transposed", "W's shape"),
        (lambda A, W, dZ: (A.T @ dZ / len(A), dZ.mean(0), dZ @ W.T), "mean for sum", "once more"),
        (lambda A, W, dZ: (A.T @ dZ / len(A), dZ.sum(0), dZ @ W.T), "mean for sum in dW", "divide dW"),
        (lambda A, W, dZ: (A.T @ dZ, dZ.mean(0), dZ @ W.T), "mean for sum in db", "not a mean"),
        (lambda A, W, dZ: (A.T @ dZ, dZ, dZ @ W.T), "db not summed", "added to every row"),
        (lambda A, W, dZ: (A.T @ dZ, dZ.sum(1), dZ @ W.T), "db summed over outputs", "axis 0"),
        (lambda A, W, dZ: (A.T @ dZ, dZ.sum(), dZ @ W.T), "db one number", "one number"),
        (lambda A, W, dZ: (A.T @ dZ, dZ.sum(0, keepdims=True), dZ @ W.T), "db with two axes", "leading axis"),
        (lambda A, W, dZ: (A.T @ dZ, dZ.sum(0), dZ @ W), "W not transposed", "W transposed"),
        (lambda A, W, dZ: (A @ dZ, dZ.sum(0), dZ @ W.T), "A not transposed", "Transpose A"),
        (lambda A, W, dZ: (A.T @ dZ, dZ.sum(0), W @ dZ.T), "dA transposed", "examples are rows"),
        (lambda A, W, dZ: (dZ @ W.T, A.T @ dZ, dZ.sum(0)), "other order", "by W, by b, by A"),
        (lambda A, W, dZ: (A.T @ dZ, dZ.sum(0)), "no dA", "three arrays"),
        (lambda A, W, dZ: (-A.T @ dZ, -dZ.sum(0), -dZ @ W.T), "minus", "uphill"),
    ],
)
def test_a_wrong_way_through_a_layer_gets_its_hint(answer, mistake, hint):
    verdict = find("03-2").judge(answer)
    assert (verdict.state, verdict.mistake) == ("wrong", mistake)
    assert hint in verdict.hint


def test_shapes_that_do_not_match_are_both_named():
    verdict = find("03-2").judge(lambda A, W, dZ: (dZ.T @ A, dZ.sum(0), dZ @ W.T))
    assert "(3, 2)" in verdict.message and "(2, 3)" in verdict.message


def test_nan_in_a_gradient_is_named_as_such():
    def answer(A, W, dZ):
        return A.T @ dZ * np.nan, dZ.sum(0), dZ @ W.T

    verdict = find("03-2").judge(answer)
    assert verdict.state == "wrong" and "NaN" in verdict.message + verdict.hint


# 03-3 -----------------------------------------------------------------------------------------------------------------


def s(z):
    return 1 / (1 + np.exp(-z))


def silu_by_its_value(Z, dA):
    silu = Z * s(Z)
    return (silu + s(Z) * (1 - silu)) * dA


def silu_entry_by_entry(Z, dA):
    result = np.empty(Z.shape)
    for i in np.ndindex(Z.shape):
        e = np.exp(-Z[i])
        result[i] = dA[i] * (1 + e + Z[i] * e) / (1 + e) ** 2
    return result


@pytest.mark.parametrize("answer", [silu_by_its_value, silu_entry_by_entry])
def test_any_right_way_through_silu_passes(answer):
    assert find("03-3").judge(answer)


@pytest.mark.parametrize(
    ("answer", "mistake", "hint"),
    [
        (lambda Z, dA: dA * s(Z), "half of the product rule", "adds z σ′(z)"),
        (lambda Z, dA: dA * Z * s(Z) * (1 - s(Z)), "other half of the product rule", "adds σ(z)"),
        (lambda Z, dA: dA * (s(Z) + s(Z) * (1 - s(Z))), "z forgotten", "factor z"),
        (lambda Z, dA: dA * s(Z) * (1 - s(Z)), "slope of the sigmoid", "sigmoid alone"),
        (lambda Z, dA: s(Z) + Z * s(Z) * (1 - s(Z)), "no chain rule", "dA"),
        (lambda Z, dA: dA, "no slope", "slope is missing"),
        (lambda Z, dA: Z * s(Z), "forward", "the way up"),
        (lambda Z, dA: dA * Z * s(Z), "value for slope", "wants its slope"),
        (lambda Z, dA: dA * (s(Z) - Z * s(Z) * (1 - s(Z))), "wrong sign", "added, not subtracted"),
        (lambda Z, dA: dA + s(Z) + Z * s(Z) * (1 - s(Z)), "added", "multiplies slopes"),
        (lambda Z, dA: silu_by_its_value(Z * s(Z), dA), "slope at A", "belongs at Z"),
        (lambda Z, dA: dA * (Z > 0), "slope of ReLU", "ReLU"),
    ],
)
def test_a_wrong_way_through_silu_gets_its_hint(answer, mistake, hint):
    verdict = find("03-3").judge(answer)
    assert (verdict.state, verdict.mistake) == ("wrong", mistake)
    assert hint in verdict.hint


# 03-4 -----------------------------------------------------------------------------------------------------------------


def example_by_example(X, y, W_1, b_1, W_2, b_2):
    total = [np.zeros(p.shape) for p in (W_1, b_1, W_2, b_2)]
    for x, k in zip(X, y, strict=True):
        a = np.tanh(x @ W_1 + b_1)
        e = np.exp(a @ W_2 + b_2)
        d2 = e / e.sum()
        d2[k] -= 1
        d1 = (W_2 @ d2) / np.cosh(x @ W_1 + b_1) ** 2
        for t, g in zip(total, (np.outer(x, d1), d1, np.outer(a, d2), d2), strict=True):
            t += g / len(X)
    return total


def by_index(X, y, W_1, b_1, W_2, b_2):
    A = np.tanh(X @ W_1 + b_1)
    Z = A @ W_2 + b_2
    delta = np.exp(Z - np.logaddexp.reduce(Z, axis=1)[:, None])
    delta[np.arange(len(y)), y] -= 1
    delta /= len(y)
    below = (1 - A * A) * delta.dot(W_2.T)
    return X.T.dot(below), below.sum(0), A.T.dot(delta), delta.sum(0)


@pytest.mark.parametrize("answer", [example_by_example, by_index])
def test_any_right_network_passes(answer):
    assert find("03-4").judge(answer)


def network(slope=lambda Z, A: 1 - A**2, *, divide=len, factor=lambda P: 1.0, minus=True, bend=np.tanh):
    """A network written from scratch, with places for mistakes."""

    def answer(X, y, W_1, b_1, W_2, b_2):
        Z = X @ W_1 + b_1
        A = bend(Z)
        P = np.exp(A @ W_2 + b_2)
        P = P / P.sum(1, keepdims=True)
        d2 = (P - np.eye(W_2.shape[1])[y] * minus) * factor(P) / divide(X)
        d1 = d2 @ W_2.T * slope(Z, A)
        return X.T @ d1, d1.sum(0), A.T @ d2, d2.sum(0)

    return answer


def turned(*arguments):
    dW_1, db_1, dW_2, db_2 = by_index(*arguments)
    return dW_1.T, db_1, dW_2.T, db_2


def output_first(*arguments):
    return by_index(*arguments)[2:] + by_index(*arguments)[:2]


def means(X, y, W_1, b_1, W_2, b_2):
    g = by_index(X, y, W_1, b_1, W_2, b_2)
    return g[0], g[1] / len(X), g[2], g[3] / len(X)


def tanh_twice(X, y, W_1, b_1, W_2, b_2):
    A = np.tanh(X @ W_1 + b_1)
    g = by_index(X, y, W_1, b_1, W_2, b_2)
    P = np.exp(A @ W_2 + b_2)
    d2 = (P / P.sum(1, keepdims=True) - np.eye(W_2.shape[1])[y]) / len(X)
    return g[0], g[1], np.tanh(A).T @ d2, g[3]


@pytest.mark.parametrize(
    ("answer", "mistake", "hint"),
    [
        (network(lambda Z, A: 1), "no activation derivative", "slope is missing"),
        (network(divide=lambda X: 1), "sum for mean", "n times too large"),
        (network(lambda Z, A: 1 - np.tanh(A) ** 2), "slope at A", "tanh once more"),
        (network(lambda Z, A: 1 - A), "slope without square", "with a square"),
        (network(lambda Z, A: A * (1 - A)), "slope of the sigmoid", "sigmoid's slope"),
        (network(minus=False), "no targets", "subtract 1"),
        (network(factor=lambda P: P * (1 - P)), "slope of softmax", "no further factor"),
        (lambda *a: tuple(-g for g in by_index(*a)), "minus", "P − Y, not Y − P"),
        (means, "mean for biases", "sums of delta's rows"),
        (lambda *a: tuple(g / a[4].shape[1] for g in by_index(*a)), "mean over entries", "number of classes"),
        (output_first, "output first", "by W_1, b_1"),
        (network(lambda Z, A: 1, bend=lambda Z: Z), "linear", "no tanh"),
        (turned, "transposed", "transposed"),
        (tanh_twice, "tanh twice", "without another tanh"),
    ],
)
def test_a_wrong_network_gets_its_hint(answer, mistake, hint):
    verdict = find("03-4").judge(answer)
    assert (verdict.state, verdict.mistake) == ("wrong", mistake)
    assert hint in verdict.hint


def test_nan_in_a_networks_gradient_is_named_as_such():
    def answer(X, y, W_1, b_1, W_2, b_2):
        g = by_index(X, y, W_1, b_1, W_2, b_2)
        return g[0], g[1], g[2], g[3] / 0

    with np.errstate(all="ignore"):
        verdict = find("03-4").judge(answer)
    assert verdict.state == "wrong"
    text = verdict.message + verdict.hint
    assert "NaN" in text or "infinit" in text


def test_the_module_offers_its_references_under_the_learners_names():
    assert [e.id for e in chapter_03.EXERCISES] == ["03-1", "03-2", "03-3", "03-4"]
    assert [find(e).judge.name for e in NAMES] == list(NAMES.values())
