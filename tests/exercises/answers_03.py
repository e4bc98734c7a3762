"""Right and wrong answers to the exercises of chapter 03, each written without the reference."""

import numpy as np


def layer_by_einsum(A, W, dZ):
    return [np.einsum("rk,rj->kj", A, dZ), np.einsum("rj->j", dZ), np.einsum("rj,kj->rk", dZ, W)]


def layer_by_loops(A, W, dZ):
    dW = sum(np.outer(a, d) for a, d in zip(A, dZ, strict=True))
    return dW, np.ones(len(dZ)) @ dZ, np.array([W @ d for d in dZ])


def layer_turned_twice(A, W, dZ):
    return (dZ.T @ A).T, dZ.sum(0), (W @ dZ.T).T


def s(z):
    return 1 / (1 + np.exp(-z))


def s_overflowing(z):
    return np.exp(z) / (1 + np.exp(z))


def silu_by_its_value(Z, dA):
    silu = Z * s(Z)
    return (silu + s(Z) * (1 - silu)) * dA


def silu_entry_by_entry(Z, dA):
    result = np.empty(Z.shape)
    for i in np.ndindex(Z.shape):
        e = np.exp(-abs(Z[i]))
        slope = (1 + e + abs(Z[i]) * e) / (1 + e) ** 2
        result[i] = dA[i] * (slope if Z[i] > 0 else 1 - slope)
    return result


def silu_with_overflow(Z, dA):
    return dA * (s_overflowing(Z) + Z * s_overflowing(Z) * (1 - s_overflowing(Z)))


def silu_with_overflow_below(Z, dA):
    e = np.exp(-Z)
    return dA * (1 + e + Z * e) / (1 + e) ** 2


def example_by_example(X, y, W_1, b_1, W_2, b_2):
    total = [np.zeros(p.shape) for p in (W_1, b_1, W_2, b_2)]
    for x, k in zip(X, y, strict=True):
        a = np.tanh(x @ W_1 + b_1)
        z = a @ W_2 + b_2
        e = np.exp(z - z.max())
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


def network(slope=lambda Z, A: 1 - A**2, *, divide=len, factor=lambda P: 1.0, minus=True, bend=np.tanh, stable=True):
    """A network written from scratch, with places for mistakes."""

    def answer(X, y, W_1, b_1, W_2, b_2):
        Z = X @ W_1 + b_1
        A = bend(Z)
        Z_2 = A @ W_2 + b_2
        P = np.exp(Z_2 - Z_2.max(1, keepdims=True) * stable)
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
    Z = A @ W_2 + b_2
    P = np.exp(Z - Z.max(1, keepdims=True))
    d2 = (P / P.sum(1, keepdims=True) - np.eye(W_2.shape[1])[y]) / len(X)
    return g[0], g[1], np.tanh(A).T @ d2, g[3]


def mean_of_b_2(X, y, W_1, b_1, W_2, b_2):
    g = by_index(X, y, W_1, b_1, W_2, b_2)
    return *g[:3], g[3] / len(X)


def b_1_without_slope(X, y, W_1, b_1, W_2, b_2):
    g = by_index(X, y, W_1, b_1, W_2, b_2)
    return g[0], W_2 @ g[3], g[2], g[3]


RIGHT = {
    "03-1": [393_502, 393_502.0, np.int64(393_502), (784 + 1) * 500 + (500 + 1) * 2],
    "03-2": [layer_by_einsum, layer_by_loops, layer_turned_twice],
    "03-3": [silu_by_its_value, silu_entry_by_entry],
    "03-4": [example_by_example, by_index],
}

WRONG = {
    "03-1": [
        (784 * 500 + 500 * 2, "no biases"),
        (784 * 500 + 500 * 2 + 784 + 500 + 2, "biases of the inputs"),
        (784 * 500 + 500, "no output layer"),
        (784 * 500, "first weight matrix alone"),
        (784 * 500 + 500 * 2 + 500, "no biases of the output layer"),
        (784 * 500 + 500 * 2 + 2, "no biases of the hidden layer"),
        (784 * 500 + 500 + 500 + 1, "one output neuron"),
        (784 + 500 + 2, "neurons"),
        (784 * 500 * 2, "multiplied"),
        (400_000, "another number"),
    ],
    "03-2": [
        (lambda A, W, dZ: (dZ.T @ A, dZ.sum(0), dZ @ W.T), "dW transposed", "(3, 2)", "(2, 3)"),
        (lambda A, W, dZ: (A.T @ dZ * np.nan, dZ.sum(0), dZ @ W.T), "nan", "NaN"),
        (lambda A, W, dZ: (dZ.T @ A, dZ.sum(0), dZ @ W.T), "dW transposed"),
        (lambda A, W, dZ: (A.T @ dZ / len(A), dZ.mean(0), dZ @ W.T), "mean for sum"),
        (lambda A, W, dZ: (A.T @ dZ / len(A), dZ.sum(0), dZ @ W.T), "mean for sum in dW"),
        (lambda A, W, dZ: (A.T @ dZ, dZ.mean(0), dZ @ W.T), "mean for sum in db"),
        (lambda A, W, dZ: (A.T @ dZ, dZ, dZ @ W.T), "db not summed"),
        (lambda A, W, dZ: (A.T @ dZ, dZ.sum(1), dZ @ W.T), "db summed over outputs"),
        (lambda A, W, dZ: (A.T @ dZ, dZ.sum(), dZ @ W.T), "db one number"),
        (lambda A, W, dZ: (A.T @ dZ, dZ.sum(0, keepdims=True), dZ @ W.T), "db with two axes"),
        (lambda A, W, dZ: (A.T @ dZ, dZ.sum(0), dZ @ W), "W not transposed"),
        (lambda A, W, dZ: (A @ dZ, dZ.sum(0), dZ @ W.T), "A not transposed"),
        (lambda A, W, dZ: (A.T @ dZ, dZ.sum(0), W @ dZ.T), "dA transposed"),
        (lambda A, W, dZ: (dZ @ W.T, A.T @ dZ, dZ.sum(0)), "other order"),
        (lambda A, W, dZ: (A.T @ dZ, dZ.sum(0)), "no dA"),
        (lambda A, W, dZ: (-A.T @ dZ, -dZ.sum(0), -dZ @ W.T), "minus"),
    ],
    "03-3": [
        (lambda Z, dA: dA * s(Z), "half of the product rule"),
        (lambda Z, dA: dA * Z * s(Z) * (1 - s(Z)), "other half of the product rule"),
        (lambda Z, dA: dA * (s(Z) + s(Z) * (1 - s(Z))), "z forgotten"),
        (lambda Z, dA: dA * s(Z) * (1 - s(Z)), "slope of the sigmoid"),
        (lambda Z, dA: s(Z) + Z * s(Z) * (1 - s(Z)), "no chain rule"),
        (lambda Z, dA: dA, "no slope"),
        (lambda Z, dA: Z * s(Z), "forward"),
        (lambda Z, dA: dA * Z * s(Z), "value for slope"),
        (lambda Z, dA: dA * (s(Z) - Z * s(Z) * (1 - s(Z))), "wrong sign"),
        (lambda Z, dA: dA + s(Z) + Z * s(Z) * (1 - s(Z)), "added"),
        (lambda Z, dA: silu_by_its_value(Z * s(Z), dA), "slope at A"),
        (lambda Z, dA: dA * (Z > 0), "slope of ReLU"),
        (silu_with_overflow, "overflow", "NaN"),
        (silu_with_overflow_below, "overflow below", "NaN"),
    ],
    "03-4": [
        (lambda *a: (*by_index(*a)[:3], by_index(*a)[3] * np.nan), "nan", "NaN"),
        (network(lambda Z, A: 1), "no activation derivative"),
        (network(divide=lambda X: 1), "sum for mean"),
        (network(lambda Z, A: 1 - np.tanh(A) ** 2), "slope at A"),
        (network(lambda Z, A: 1 - A), "slope without square"),
        (network(lambda Z, A: A * (1 - A)), "slope of the sigmoid"),
        (network(minus=False), "no targets"),
        (network(factor=lambda P: P * (1 - P)), "slope of softmax"),
        (lambda *a: tuple(-g for g in by_index(*a)), "minus"),
        (means, "mean for biases"),
        (mean_of_b_2, "mean for b_2", "Result 4 of 4"),
        (b_1_without_slope, "b_1 without the slope", "Result 2 of 4"),
        (network(stable=False), "overflow", "NaN"),
        (lambda *a: tuple(g / a[4].shape[1] for g in by_index(*a)), "mean over entries"),
        (output_first, "output first"),
        (network(lambda Z, A: 1, bend=lambda Z: Z), "linear"),
        (turned, "transposed"),
        (tanh_twice, "tanh twice"),
    ],
}
