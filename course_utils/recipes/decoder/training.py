"""Train a decoder by a recipe, and measure its loss on a text."""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from course_utils.errors import CourseError
from course_utils.recipes.decoder.network import Decoder
from course_utils.recipes.decoder.optimisers import AdamW, Muon
from course_utils.recipes.decoder.recipe import Recipe, rates


def cross_entropy(logits, targets):
    """How surprised the model is by each next token: logits (…, vocabulary), targets (…) → nats, (…)."""
    return keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)


class Optimiser:
    """AdamW for the tables and gains; for the matrices of the blocks AdamW too, or Muon."""

    def __init__(self, model: Decoder, recipe: Recipe):
        inside = [v for block in model.blocks for v in block.trainable_variables if len(v.shape) == 2]
        others = [v for v in model.trainable_variables if all(v is not matrix for matrix in inside)]
        self.variables, self.recipe, self.tables = others + inside, recipe, len(others)
        self.adam = AdamW(others, recipe.betas, recipe.decay)
        self.matrices = Muon(inside) if recipe.muon else AdamW(inside, recipe.betas, recipe.decay)
        self.averages = [*self.adam.averages, *self.matrices.averages]

    def update(self, gradients, share, step):
        """Change the weights; ``share`` is that of the full rate at this step."""
        recipe = self.recipe
        if recipe.clip:
            norm = ops.sqrt(sum(ops.sum(ops.square(g)) for g in gradients))
            gradients = [g * ops.minimum(1.0, recipe.clip / (norm + 1e-6)) for g in gradients]
        self.adam.update(gradients[: self.tables], recipe.rate * share, step)
        if recipe.muon:
            self.matrices.update(gradients[self.tables :], recipe.matrix_rate * share)
        else:
            self.matrices.update(gradients[self.tables :], recipe.matrix_rate * share, step)


def train(
    tokens: np.ndarray,
    vocabulary: int,
    recipe: Recipe,
    *,
    seed: int = 0,
    on_step: Callable[[int, object, Decoder], None] | None = None,
) -> Decoder:
    """Train by a recipe: tokens int (n,) from 0 to vocabulary - 1 → a decoder.

    Each step reads windows from places drawn afresh. After each, ``on_step(steps done, loss, model)`` is called; its
    loss, in nats a token, is a tensor of the backend. Raises CourseError for a text shorter than a window.
    """
    if len(tokens) < recipe.context + 2:
        raise CourseError(
            f"The text has {len(tokens)} tokens, a window {recipe.context + 1}; take more text or a smaller context."
        )
    keras.utils.set_random_seed(seed)
    model = Decoder(vocabulary, recipe.context, recipe.layers, recipe.heads, recipe.width, recipe.design)
    model(np.zeros((1, recipe.context), "int32"))  # makes the weights
    starts = np.random.default_rng(seed).integers(0, len(tokens) - recipe.context, (recipe.steps, recipe.batch))
    places = starts[:, :, None] + np.arange(recipe.context + 1)  # of step, window and token
    step = training_step(model, Optimiser(model, recipe))
    text, shares = np.asarray(tokens, "int32"), rates(recipe)
    for number in range(recipe.steps):
        loss = step(text[places[number]], shares[number], np.int32(number))
        if on_step:
            on_step(number + 1, loss, model)
    return model


def training_step(model: Decoder, optimiser: Optimiser) -> Callable:
    """(windows int32 (batch, context + 1), share of the rate, number of the step) → loss; changes the model."""
    backend = keras.config.backend()
    if backend not in _STEPS:
        raise CourseError(f"The decoder trains on TensorFlow or JAX; KERAS_BACKEND is {backend!r}.")
    step = _STEPS[backend](model, optimiser)
    return lambda *given: step(*map(ops.convert_to_tensor, given))


def _mean_loss(model, windows):
    return ops.mean(cross_entropy(model(windows[:, :-1]), windows[:, 1:]))


def _tensorflow_step(model, optimiser):
    import tensorflow as tf

    weights = [v.value for v in optimiser.variables]

    @tf.function(autograph=False)
    def step(windows, share, number):
        with tf.GradientTape() as tape:
            loss = _mean_loss(model, windows)
        gradients = tape.gradient(loss, weights)
        # A table's gradient comes as the rows that were read: made whole, it is clipped and averaged like the others.
        optimiser.update([tf.convert_to_tensor(g) for g in gradients], share, number)
        return loss

    return step


def _jax_step(model, optimiser):
    import jax

    weights, averages = optimiser.variables, optimiser.averages

    def loss_of(values, windows):
        with keras.StatelessScope(zip(weights, values, strict=True)):
            return _mean_loss(model, windows)

    @jax.jit
    def pure(values, means, windows, share, number):
        loss, gradients = jax.value_and_grad(loss_of)(values, windows)
        now = [*zip(weights, values, strict=True), *zip(averages, means, strict=True)]
        with keras.StatelessScope(now) as scope:
            optimiser.update(gradients, share, number)
        return loss, [scope.get_current_value(v) for v, _ in now]

    def step(windows, share, number):
        loss, values = pure([v.value for v in weights], [v.value for v in averages], windows, share, number)
        for v, value in zip([*weights, *averages], values, strict=True):
            v.assign(value)
        return loss

    return step


_STEPS = {"tensorflow": _tensorflow_step, "jax": _jax_step}


def _compiled(function: Callable) -> Callable:
    if keras.config.backend() == "jax":
        import jax

        return jax.jit(function)
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(function, autograph=False)
    return function


def loss(model: Decoder, tokens: np.ndarray, *, context: int | None = None, batch: int = 64) -> float:
    """Mean cross-entropy over a whole text, nats a token: tokens int (n,), read in windows that follow one another.

    Every token but the first is predicted once, those at a window's beginning from little: a window of another
    ``context`` (default: the model's) gives another loss. What does not fill the last window is left out.
    """
    context = context or model.context
    windows = (len(tokens) - 1) // context
    if not windows:
        raise CourseError(f"The text has {len(tokens)} tokens, a window {context + 1}; take more text.")
    read, next_ones = (np.asarray(tokens[k : k + windows * context], "int32").reshape(-1, context) for k in (0, 1))

    total = _compiled(lambda read, next_ones: ops.sum(cross_entropy(model(read), next_ones)))
    sums = (total(read[k : k + batch], next_ones[k : k + batch]) for k in range(0, windows, batch))
    return sum(map(float, sums)) / next_ones.size
