"""The exercises of chapter 03, Dense networks."""

import numpy as np

from course_utils.exercises.judges import Mistake, function, number
from course_utils.exercises.verdicts import Exercise

# 03-1 -----------------------------------------------------------------------------------------------------------------

_WEIGHTS = 784 * 500 + 500 * 2
_COUNT = number(
    _WEIGHTS + 500 + 2,
    mistakes=[
        Mistake(
            "no biases",
            _WEIGHTS,
            "The biases are missing: one for each of the 500 hidden neurons and one for each output.",
        ),
        Mistake(
            "biases of the inputs",
            _WEIGHTS + 784 + 500 + 2,
            "The 784 inputs have no biases: they are the image. Only neurons that compute have one.",
        ),
        Mistake("no output layer", 784 * 500 + 500, "The output layer is missing: it reads 500 numbers and gives 2."),
        Mistake(
            "first weight matrix alone",
            784 * 500,
            "That is only the first layer's weight matrix. Its biases and the whole output layer are missing.",
        ),
        Mistake("no biases of the output layer", _WEIGHTS + 500, "The two biases of the output layer are missing."),
        Mistake("no biases of the hidden layer", _WEIGHTS + 2, "The 500 biases of the hidden layer are missing."),
        Mistake(
            "one output neuron", 784 * 500 + 500 + 500 + 1, "The output layer has two neurons here, one for each class."
        ),
        Mistake("neurons", 784 + 500 + 2, "Those are the neurons. A parameter is a connection (a weight) or a bias."),
        Mistake(
            "multiplied", 784 * 500 * 2, "Layers do not multiply. Count each layer's weights and biases, then add."
        ),
    ],
    otherwise="A layer from n inputs to m neurons has n times m weights and m biases. Count each layer, then add.",
)

# 03-2 -----------------------------------------------------------------------------------------------------------------


def backward_layer(A, W, dZ):
    """(n, inputs), (inputs, outputs), (n, outputs) -> gradients by W, b and A, each of its array's shape."""
    return A.T @ dZ, dZ.sum(axis=0), dZ @ W.T


def _layer_mistakes() -> list[Mistake]:
    def transposed(A, W, dZ):
        return dZ.T @ A, dZ.sum(axis=0), dZ @ W.T

    def mean_again(A, W, dZ):
        return A.T @ dZ / len(A), dZ.sum(axis=0) / len(A), dZ @ W.T

    def mean_again_for_weights(A, W, dZ):
        return A.T @ dZ / len(A), dZ.sum(axis=0), dZ @ W.T

    def mean_for_bias(A, W, dZ):
        return A.T @ dZ, dZ.mean(axis=0), dZ @ W.T

    def bias_not_summed(A, W, dZ):
        return A.T @ dZ, dZ, dZ @ W.T

    def bias_over_outputs(A, W, dZ):
        return A.T @ dZ, dZ.sum(axis=1), dZ @ W.T

    def bias_one_number(A, W, dZ):
        return A.T @ dZ, dZ.sum(), dZ @ W.T

    def bias_kept_two_axes(A, W, dZ):
        return A.T @ dZ, dZ.sum(axis=0, keepdims=True), dZ @ W.T

    def without_transpose(A, W, dZ):
        return A.T @ dZ, dZ.sum(axis=0), dZ @ W

    def inputs_not_transposed(A, W, dZ):
        return A @ dZ, dZ.sum(axis=0), dZ @ W.T

    def inputs_turned(A, W, dZ):
        return A.T @ dZ, dZ.sum(axis=0), W @ dZ.T

    def inputs_first(A, W, dZ):
        return dZ @ W.T, A.T @ dZ, dZ.sum(axis=0)

    def no_inputs(A, W, dZ):
        return A.T @ dZ, dZ.sum(axis=0)

    def minus(A, W, dZ):
        return -(A.T @ dZ), -dZ.sum(axis=0), -(dZ @ W.T)

    return [
        Mistake(
            "dW transposed", transposed, "Your gradient by W is transposed: it needs W's shape, (inputs, outputs)."
        ),
        Mistake(
            "mean for sum", mean_again, "You divide by n once more. The loss's 1/n is inside dZ already: here is a sum."
        ),
        Mistake(
            "mean for sum in dW",
            mean_again_for_weights,
            "You divide dW by n. The loss's 1/n is inside dZ already: the rows are summed by the product itself.",
        ),
        Mistake(
            "mean for sum in db",
            mean_for_bias,
            "The gradient by b is a sum over the examples, not a mean: the loss's 1/n is inside dZ already.",
        ),
        Mistake(
            "db not summed",
            bias_not_summed,
            "b was added to every row, so its gradient is the sum of dZ's rows: one number for each output.",
        ),
        Mistake(
            "db summed over outputs",
            bias_over_outputs,
            "You sum over the outputs (axis 1). Each output keeps its own bias: sum over the examples (axis 0).",
        ),
        Mistake(
            "db one number",
            bias_one_number,
            "You sum everything into one number. Each output has its own bias: sum over the examples only (axis 0).",
        ),
        Mistake(
            "db with two axes",
            bias_kept_two_axes,
            "The gradient by b must have b's shape, (outputs,), without a leading axis of length 1.",
        ),
        Mistake(
            "W not transposed",
            without_transpose,
            "On the way back dZ meets W transposed: (n, outputs) times (outputs, inputs) is (n, inputs).",
        ),
        Mistake(
            "A not transposed",
            inputs_not_transposed,
            "dW sums over the examples: (inputs, n) times (n, outputs). Transpose A.",
        ),
        Mistake("dA transposed", inputs_turned, "Your gradient by A is transposed: examples are rows, (n, inputs)."),
        Mistake("other order", inputs_first, "The order is by W, by b, by A; yours begins with the gradient by A."),
        Mistake(
            "no dA",
            no_inputs,
            "The gradient by A is missing. It is what the layer below needs: return three arrays.",
        ),
        Mistake(
            "minus",
            minus,
            "The sign is turned round. A gradient points uphill; the minus belongs to the step that training takes.",
        ),
    ]


def _normal(seed: int, *shapes: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    draw = np.random.default_rng(seed)
    return tuple(np.round(draw.normal(size=shape), 2) for shape in shapes)


# Batch, inputs and outputs differ, in every order of size; the second is a single example.
_LAYER_CASES = [
    _normal(1, (4, 2), (2, 3), (4, 3)),
    _normal(2, (1, 3), (3, 2), (1, 2)),
    _normal(3, (2, 5), (5, 3), (2, 3)),
]

# 03-3 -----------------------------------------------------------------------------------------------------------------


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return (1 + np.tanh(z / 2)) / 2


def silu_backward(Z, dA):
    """Two arrays of one shape -> the gradient by Z, of the same shape."""
    s = _sigmoid(Z)
    return dA * (s + Z * s * (1 - s))


def _silu_mistakes() -> list[Mistake]:
    def first_half(Z, dA):
        return dA * _sigmoid(Z)

    def second_half(Z, dA):
        s = _sigmoid(Z)
        return dA * Z * s * (1 - s)

    def no_inner_z(Z, dA):
        s = _sigmoid(Z)
        return dA * (s + s * (1 - s))

    def of_sigmoid(Z, dA):
        s = _sigmoid(Z)
        return dA * s * (1 - s)

    def only_slope(Z, dA):
        s = _sigmoid(Z)
        return s + Z * s * (1 - s)

    def passed_through(Z, dA):
        return dA * 1.0

    def forward(Z, dA):
        return Z * _sigmoid(Z)

    def times_value(Z, dA):
        return dA * Z * _sigmoid(Z)

    def sign_inside(Z, dA):
        s = _sigmoid(Z)
        return dA * (s - Z * s * (1 - s))

    def added(Z, dA):
        s = _sigmoid(Z)
        return dA + s + Z * s * (1 - s)

    def at_activation(Z, dA):
        A = Z * _sigmoid(Z)
        s = _sigmoid(A)
        return dA * (s + A * s * (1 - s))

    def relu(Z, dA):
        return dA * (Z > 0)

    def overflowing(Z, dA):
        s = np.exp(Z) / (1 + np.exp(Z))
        return dA * (s + Z * s * (1 - s))

    def overflowing_below(Z, dA):
        e = np.exp(-Z)
        return dA * (1 + e + Z * e) / (1 + e) ** 2

    return [
        Mistake(
            "half of the product rule",
            first_half,
            "Half of the product rule is missing: z σ(z) also changes because σ(z) does, which adds z σ′(z).",
        ),
        Mistake(
            "other half of the product rule",
            second_half,
            "Half of the product rule is missing: z σ(z) also changes because z itself does, which adds σ(z).",
        ),
        Mistake("z forgotten", no_inner_z, "In the product rule's second term the factor z is missing: z σ′(z)."),
        Mistake("slope of the sigmoid", of_sigmoid, "That is the way back through the sigmoid alone. SiLU is z σ(z)."),
        Mistake(
            "no chain rule",
            only_slope,
            "That is SiLU's slope. The chain rule multiplies it, entry by entry, with what comes from above, dA.",
        ),
        Mistake(
            "no slope",
            passed_through,
            "You pass dA on as it is: the activation's slope is missing. dA is by A; the answer is by Z.",
        ),
        Mistake("forward", forward, "That is SiLU itself, the way up. Asked is the way back."),
        Mistake("value for slope", times_value, "You multiply by SiLU's value. The chain rule wants its slope."),
        Mistake("wrong sign", sign_inside, "The two terms of the product rule are added, not subtracted."),
        Mistake("added", added, "dA is added. The chain rule multiplies slopes."),
        Mistake("slope at A", at_activation, "You take the slope at A. It belongs at Z, where the activation was."),
        Mistake("slope of ReLU", relu, "That is the way back through ReLU."),
        Mistake(
            "overflow",
            overflowing,
            "Right but for large entries: e^800 is infinite, and infinity over infinity is NaN. Take `sigmoid`, which "
            "is written so that nothing can overflow.",
        ),
        Mistake(
            "overflow below",
            overflowing_below,
            "Right but for entries far below zero: e^800 is infinite, and infinity over infinity is NaN. Take "
            "`sigmoid`, which is written so that nothing can overflow.",
        ),
    ]


_SILU_CASES = [
    (np.array([[-2.0, -0.5, 0.3], [1.0, 2.5, -4.0]]), np.array([[0.5, -1.0, 2.0], [1.5, 0.2, -0.7]])),
    (np.array([[0.0], [6.0], [-6.0], [0.7]]), np.array([[1.0], [-2.0], [3.0], [0.1]])),
    _normal(4, (5, 2), (5, 2)),
    (np.array([[800.0, 1.0, -800.0]]), np.array([[0.5, -1.0, 2.0]])),
]

# 03-4 -----------------------------------------------------------------------------------------------------------------


def _forward(X, W_1, b_1, W_2, b_2):
    Z_1 = X @ W_1 + b_1
    A_1 = np.tanh(Z_1)
    Z_2 = A_1 @ W_2 + b_2
    P = np.exp(Z_2 - Z_2.max(axis=1, keepdims=True))
    return Z_1, A_1, P / P.sum(axis=1, keepdims=True)


def _back(X, A_1, delta_2, delta_1):
    return X.T @ delta_1, delta_1.sum(axis=0), A_1.T @ delta_2, delta_2.sum(axis=0)


def two_layer_gradients(X, y, W_1, b_1, W_2, b_2):
    """(n, inputs), classes (n,) and the parameters -> gradients by W_1, b_1, W_2, b_2."""
    _, A_1, P = _forward(X, W_1, b_1, W_2, b_2)
    delta_2 = (P - np.eye(W_2.shape[1])[y]) / len(X)
    return _back(X, A_1, delta_2, (delta_2 @ W_2.T) * (1 - A_1**2))


def _two_layer_mistakes() -> list[Mistake]:
    def made(change, *, sum_for_mean=False, targets=True):
        """A wrong implementation: ``change`` gives delta_1 from (delta_2, W_2, Z_1, A_1)."""

        def wrong(X, y, W_1, b_1, W_2, b_2):
            Z_1, A_1, P = _forward(X, W_1, b_1, W_2, b_2)
            Y = np.eye(W_2.shape[1])[y]
            delta_2 = (P - Y if targets else P) / (1 if sum_for_mean else len(X))
            return _back(X, A_1, delta_2, change(delta_2, W_2, Z_1, A_1))

        return wrong

    def right(delta_2, W_2, Z_1, A_1):
        return (delta_2 @ W_2.T) * (1 - A_1**2)

    def minus(*arguments):
        return tuple(-g for g in two_layer_gradients(*arguments))

    def mean_of_biases(*arguments):
        dW_1, db_1, dW_2, db_2 = two_layer_gradients(*arguments)
        n = len(arguments[0])
        return dW_1, db_1 / n, dW_2, db_2 / n

    def by_entries(X, y, W_1, b_1, W_2, b_2):
        return tuple(g / W_2.shape[1] for g in two_layer_gradients(X, y, W_1, b_1, W_2, b_2))

    def mean_of_the_last_bias(*arguments):
        dW_1, db_1, dW_2, db_2 = two_layer_gradients(*arguments)
        return dW_1, db_1, dW_2, db_2 / len(arguments[0])

    def first_bias_without_slope(X, y, W_1, b_1, W_2, b_2):
        dW_1, _, dW_2, db_2 = two_layer_gradients(X, y, W_1, b_1, W_2, b_2)
        return dW_1, db_2 @ W_2.T, dW_2, db_2

    def overflowing(X, y, W_1, b_1, W_2, b_2):
        A_1 = np.tanh(X @ W_1 + b_1)
        P = np.exp(A_1 @ W_2 + b_2)
        delta_2 = (P / P.sum(axis=1, keepdims=True) - np.eye(W_2.shape[1])[y]) / len(X)
        return _back(X, A_1, delta_2, (delta_2 @ W_2.T) * (1 - A_1**2))

    def last_first(*arguments):
        dW_1, db_1, dW_2, db_2 = two_layer_gradients(*arguments)
        return dW_2, db_2, dW_1, db_1

    def softmax_slope(X, y, W_1, b_1, W_2, b_2):
        _, A_1, P = _forward(X, W_1, b_1, W_2, b_2)
        delta_2 = (P - np.eye(W_2.shape[1])[y]) * P * (1 - P) / len(X)
        return _back(X, A_1, delta_2, (delta_2 @ W_2.T) * (1 - A_1**2))

    def unbent_forward(X, y, W_1, b_1, W_2, b_2):
        Z_1 = X @ W_1 + b_1
        Z_2 = Z_1 @ W_2 + b_2
        P = np.exp(Z_2 - Z_2.max(axis=1, keepdims=True))
        delta_2 = (P / P.sum(axis=1, keepdims=True) - np.eye(W_2.shape[1])[y]) / len(X)
        return _back(X, Z_1, delta_2, delta_2 @ W_2.T)

    def weights_transposed(*arguments):
        dW_1, db_1, dW_2, db_2 = two_layer_gradients(*arguments)
        return dW_1.T, db_1, dW_2.T, db_2

    def index_off(X, y, W_1, b_1, W_2, b_2):
        """The slope of the layer above: delta_2's own."""
        _, A_1, P = _forward(X, W_1, b_1, W_2, b_2)
        delta_2 = (P - np.eye(W_2.shape[1])[y]) / len(X)
        delta_1 = (delta_2 @ W_2.T) * (1 - A_1**2)
        return X.T @ delta_1, delta_1.sum(axis=0), np.tanh(A_1).T @ delta_2, delta_2.sum(axis=0)

    return [
        Mistake(
            "no activation derivative",
            made(lambda d, W, Z, A: d @ W.T),
            "The activation's slope is missing on the way down: delta_1 needs the factor 1 − tanh²(Z_1).",
        ),
        Mistake(
            "sum for mean",
            made(right, sum_for_mean=True),
            "Your gradients are n times too large: the loss is the mean over the batch, so delta_2 is divided by n.",
        ),
        Mistake(
            "slope at A",
            made(lambda d, W, Z, A: (d @ W.T) * (1 - np.tanh(A) ** 2)),
            "You take tanh once more for the slope: 1 − tanh²(Z_1) is 1 − A_1², because A_1 is tanh(Z_1) already.",
        ),
        Mistake(
            "slope without square",
            made(lambda d, W, Z, A: (d @ W.T) * (1 - A)),
            "tanh's slope is 1 − tanh², with a square.",
        ),
        Mistake(
            "slope of the sigmoid",
            made(lambda d, W, Z, A: (d @ W.T) * A * (1 - A)),
            "a (1 − a) is the sigmoid's slope. tanh's is 1 − a².",
        ),
        Mistake(
            "no targets",
            made(right, targets=False),
            "delta_2 is P − Y: subtract 1 from the probability of the true class.",
        ),
        Mistake(
            "slope of softmax",
            softmax_slope,
            "Softmax with cross-entropy needs no further factor: delta_2 is (P − Y)/n, without P (1 − P).",
        ),
        Mistake("minus", minus, "The sign is turned round: P − Y, not Y − P. A gradient points uphill."),
        Mistake(
            "mean for biases",
            mean_of_biases,
            "The gradients by the biases are sums of delta's rows; 1/n is inside delta already.",
        ),
        Mistake(
            "mean for b_2",
            mean_of_the_last_bias,
            "The gradient by b_2 is the sum of delta_2's rows; 1/n is inside delta_2 already.",
        ),
        Mistake(
            "b_1 without the slope",
            first_bias_without_slope,
            "The gradient by b_1 sums the rows of delta_1, which has the factor 1 − A_1² already.",
        ),
        Mistake(
            "overflow",
            overflowing,
            "Right but for large logits: e^1000 is infinite, and infinity over infinity is NaN. Subtract each row's "
            "maximum before the exponential.",
        ),
        Mistake(
            "mean over entries",
            by_entries,
            "You divide by the number of classes as well. Cross-entropy is a mean over examples only.",
        ),
        Mistake("output first", last_first, "The order is by W_1, b_1, W_2, b_2; yours begins with the output layer."),
        Mistake("linear", unbent_forward, "The way up has no tanh: A_1 = tanh(Z_1), and the slope belongs to it."),
        Mistake(
            "transposed",
            weights_transposed,
            "Your gradients by the weights are transposed: each needs the shape of its W, (inputs, outputs).",
        ),
        Mistake(
            "tanh twice",
            index_off,
            "The output layer's gradient uses what that layer read: A_1, without another tanh.",
        ),
    ]


def _two_layer_case(seed: int, n: int, inputs: int, hidden: int, classes: int) -> tuple:
    X, W_1, b_1, W_2, b_2 = _normal(seed, (n, inputs), (inputs, hidden), (hidden,), (hidden, classes), (classes,))
    return X, np.arange(n) * 2 % classes, W_1, b_1, W_2, b_2


def _large(case: tuple) -> tuple:
    """The same network with an output bias that makes its logits large."""
    return *case[:-1], case[-1] + np.linspace(-1000.0, 1000.0, len(case[-1]))


_TWO_LAYER_CASES = [
    _two_layer_case(5, 3, 2, 4, 3),
    _two_layer_case(6, 1, 3, 2, 2),
    _two_layer_case(7, 5, 4, 3, 2),
    _large(_two_layer_case(8, 3, 2, 2, 3)),
]


EXERCISES = (
    Exercise(
        "03-1",
        "Count the article's network",
        "recall",
        3,
        "The article's dense network has 784 inputs, one hidden layer of 500 neurons and 2 outputs. How many "
        "parameters has it, biases included? Put the number, or the calculation, where the three dots stand.",
        _COUNT,
    ),
    Exercise(
        "03-2",
        "Back through a layer",
        "modify",
        4,
        "Write `backward_layer(A, W, dZ)` for Z = A W + b: from the layer's input A, its weights W and dZ, the "
        "gradient of the loss by Z, to the gradients by W, by b and by A, as a tuple in that order. The loss's 1/n is "
        "inside dZ already. Put your code where the three dots stand.",
        function(backward_layer, _LAYER_CASES, mistakes=_layer_mistakes(), by_norm=True, tolerance=1e-6),
    ),
    Exercise(
        "03-3",
        "Back through a modern activation",
        "modify",
        9,
        "Write `silu_backward(Z, dA)` for A = silu(Z) = Z · sigmoid(Z), entry by entry: from Z and dA, the gradient of "
        "the loss by A, to the gradient by Z, finite for entries of any size. Put your code where the three dots "
        "stand.",
        function(silu_backward, _SILU_CASES, mistakes=_silu_mistakes(), by_norm=True, tolerance=1e-6),
    ),
    Exercise(
        "03-4",
        "A whole network in one function",
        "extend",
        12,
        "Write `two_layer_gradients(X, y, W_1, b_1, W_2, b_2)`: the gradients of the mean cross-entropy of a network "
        "with one hidden layer of tanh units and a softmax output, by W_1, b_1, W_2 and b_2, as a tuple in that order. "
        "X is (n, inputs), y holds the true classes, logits may be of any size. Put your code where the "
        "three dots stand.",
        function(two_layer_gradients, _TWO_LAYER_CASES, mistakes=_two_layer_mistakes(), by_norm=True, tolerance=1e-6),
    ),
)
