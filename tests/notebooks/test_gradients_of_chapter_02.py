"""Chapter 02's hand-written gradients, over random shapes, against the loss itself and the framework; its optimisers
against Keras's own over random sequences of gradients."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from course_utils import gradcheck

TOLERANCE = 1e-6
NAMES = (
    "loss_of", "gradient_of_loss", "objective", "gradients", "softmax", "momentum", "rmsprop", "adam", "adam_keras",
    "logistic", "gradient_of_logistic", "f", "gradient_of_f",
)  # fmt: skip
worst: dict[str, float] = {}


@pytest.fixture(scope="module")
def chapter(chapter_functions):
    return SimpleNamespace(**chapter_functions("02", *NAMES))


@pytest.fixture(scope="module")
def priced(chapter_functions):
    return chapter_functions("02", "weighted_gradients", exercise="02-3")["weighted_gradients"]


@pytest.fixture(scope="module")
def keras():
    """Started as the chapter starts it: 64 bits on JAX, quiet."""
    from course_utils import setup

    setup("02", framework=False).start_framework()
    import keras

    return keras


@pytest.fixture(scope="module", autouse=True)
def report():
    yield
    for name, error in sorted(worst.items()):
        print(f"largest error, {name}: {error:.1e}")


def hold(name: str, table) -> None:
    error = float(table.drop(columns="shape").to_numpy().max())
    worst[name] = max(worst.get(name, 0.0), error)
    assert error <= TOLERANCE, f"{name}: {error:.1e}"


@st.composite
def problems(draw):
    """A batch with softmax regression's parameters, prices and a penalty: sizes that all differ as they like."""
    n, inputs, classes = draw(st.integers(1, 6)), draw(st.integers(1, 5)), draw(st.integers(2, 5))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.sampled_from([0.1, 0.5, 1.5]))
    return SimpleNamespace(
        X=random.normal(size=(n, inputs)),
        y=random.integers(0, classes, n),
        W=random.normal(size=(inputs, classes)) * size,
        b=random.normal(size=classes) * size,
        r=random.uniform(0.1, 5, n),
        c=float(random.uniform(0, 0.2)),
        Z=random.normal(size=(n, classes)) * size,
    )


def _measurable(loss: float, *gradients: np.ndarray) -> bool:
    """Whether a difference of two losses holds enough digits: its rounding is some 1e-10 of the loss itself."""
    return all(np.linalg.norm(gradient) > 2e-3 * max(1.0, loss) for gradient in gradients)


@settings(max_examples=150)
@given(problems())
def test_the_gradient_by_the_logits(chapter, problem):
    Z, y = problem.Z, problem.y
    ours = chapter.gradient_of_loss(Z, y)
    assume(_measurable(chapter.loss_of(Z, y), ours))
    hold("P − Y", gradcheck.compare(lambda: chapter.loss_of(Z, y), {"Z": Z}, {"Z": ours}))


@settings(max_examples=150)
@given(problems())
def test_the_gradients_of_softmax_regression(chapter, problem):
    X, y, W, b, c = problem.X, problem.y, problem.W, problem.b, problem.c
    ours = dict(zip("Wb", chapter.gradients(X, y, W, b, c), strict=True))
    assume(_measurable(chapter.objective(X, y, W, b, c), *ours.values()))
    hold("regression", gradcheck.compare(lambda: chapter.objective(X, y, W, b, c), {"W": W, "b": b}, ours))


@settings(max_examples=150)
@given(problems())
def test_the_solution_of_exercise_3(chapter, priced, problem):
    X, y, W, b, r = problem.X, problem.y, problem.W, problem.b, problem.r
    ours = dict(zip("Wb", priced(X, y, W, b, r), strict=True))

    def loss():
        each = [chapter.loss_of((X[i : i + 1] @ W + b), y[i : i + 1]) for i in range(len(y))]
        return float(np.dot(r, each) / r.sum())

    assume(_measurable(loss(), *ours.values()))
    hold("exercise 02-3", gradcheck.compare(loss, {"W": W, "b": b}, ours))


@settings(max_examples=100)
@given(st.integers(0, 2**32 - 1), st.floats(-1, 1))
def test_the_gradients_of_the_bowl_and_of_logistic_loss(chapter, seed, size):
    w = np.random.default_rng(seed).normal(size=2) * 10**size
    for name in ("f", "logistic"):
        loss, gradient = getattr(chapter, name), getattr(chapter, f"gradient_of_{name}")(w)
        if _measurable(float(loss(w)), gradient):
            hold(name, gradcheck.compare(lambda loss=loss: loss(w), {"w": w}, {"w": gradient}))


@settings(max_examples=25)
@given(problems())
def test_the_framework_agrees(chapter, priced, keras, problem):
    X, y, W, b, c, r = problem.X, problem.y, problem.W, problem.b, problem.c, problem.r

    def each(W, b):
        Z = keras.ops.matmul(X, W) + b
        return keras.losses.sparse_categorical_crossentropy(y, Z, from_logits=True)

    by_logits = gradcheck.by_framework(
        lambda Z: keras.ops.mean(keras.losses.sparse_categorical_crossentropy(y, Z, from_logits=True)), problem.Z
    )
    plain = gradcheck.by_framework(lambda W, b: keras.ops.mean(each(W, b)) + c / 2 * keras.ops.sum(W**2), W, b)
    weighted = gradcheck.by_framework(lambda W, b: keras.ops.sum(each(W, b) * r) / r.sum(), W, b)
    ours = [chapter.gradient_of_loss(problem.Z, y), *chapter.gradients(X, y, W, b, c), *priced(X, y, W, b, r)]
    for mine, its in zip(ours, [*by_logits, *plain, *weighted], strict=True):
        if not _measurable(0.0, mine):
            continue
        error = gradcheck.relative_error(mine, its)
        worst["framework"] = max(worst.get("framework", 0.0), error)
        assert error <= TOLERANCE


# --- the optimisers

EXACT = {"rate": 2.0**-6, "memory": 7 / 8, "beta_2": 1 - 2**-10}  # these survive a way through float32


def by_keras(keras, optimiser, gradients):
    w, path = keras.Variable(np.zeros(gradients.shape[1:]), dtype="float64"), []
    for g in gradients:
        optimiser.apply([keras.ops.convert_to_tensor(g, dtype="float64")], [w])
        path.append(keras.ops.convert_to_numpy(w))
    return np.array(path)


def by_hand(rule, memory, gradients, **constants):
    w, path = np.zeros(gradients.shape[1:]), []
    for t, g in enumerate(gradients, start=1):
        step, memory = rule(g, t, memory, EXACT["rate"], **constants)
        w = w + step
        path.append(w)
    return np.array(path)


@settings(max_examples=8)
@given(st.integers(0, 2**32 - 1), st.integers(20, 30), st.integers(1, 4), st.integers(-4, 2))
def test_every_step_of_the_optimisers_is_that_of_keras(chapter, keras, seed, steps, size, power):
    gradients = np.random.default_rng(seed).normal(size=(steps, size)) * 10.0**power
    rate, memory = EXACT["rate"], EXACT["memory"]
    betas = {"beta_1": memory, "beta_2": EXACT["beta_2"]}
    pairs = {
        "momentum": (by_hand(chapter.momentum, 0.0, gradients, mu=memory), keras.optimizers.SGD(rate, momentum=memory)),
        "RMSProp": (by_hand(chapter.rmsprop, 0.0, gradients, rho=memory), keras.optimizers.RMSprop(rate, rho=memory)),
        "Adam": (by_hand(chapter.adam_keras, (0.0, 0.0), gradients, **betas), keras.optimizers.Adam(rate, **betas)),
    }
    for name, (ours, optimiser) in pairs.items():
        error = float(np.abs(ours - by_keras(keras, optimiser, gradients)).max())
        worst[f"{name} and Keras's"] = max(worst.get(f"{name} and Keras's", 0.0), error)
        assert error <= 1e-9 * max(1.0, 10.0**power), name


def test_the_solution_of_exercise_4_is_keras_own_adamw_up_to_epsilon(chapter_functions, keras):
    adamw = chapter_functions("02", "adamw", exercise="02-4")["adamw"]
    betas = {"beta_1": EXACT["memory"], "beta_2": EXACT["beta_2"]}
    gradients = np.random.default_rng(5).normal(size=(25, 3))
    optimiser = keras.optimizers.AdamW(EXACT["rate"], weight_decay=0.25, epsilon=1e-14, **betas)
    start = np.array([1.0, -2.0, 3.0])
    w, m, v = start, np.zeros(3), np.zeros(3)
    variable = keras.Variable(start, dtype="float64")
    for t, g in enumerate(gradients, start=1):
        optimiser.apply([keras.ops.convert_to_tensor(g, dtype="float64")], [variable])
        w, m, v = adamw(w, g, t, m, v, EXACT["rate"], 0.25, eps=1e-14, **betas)
        np.testing.assert_allclose(w, keras.ops.convert_to_numpy(variable), rtol=0, atol=1e-9)


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_both_forms_of_adam_are_one_where_epsilon_is_turned_into_epsilon_hat(chapter, seed, t):
    random = np.random.default_rng(seed)
    g, m, v = random.normal(size=3), random.normal(size=3), random.uniform(0.01, 1, 3)
    paper, _ = chapter.adam(g, t, (m, v), 0.1, eps=1e-3)
    hat, _ = chapter.adam_keras(g, t, (m, v), 0.1, eps=1e-3 * np.sqrt(1 - 0.999**t))
    np.testing.assert_allclose(paper, hat, rtol=1e-10)
