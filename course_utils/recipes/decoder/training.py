"""Training."""

import math
import time

import keras
import numpy as np
from keras import ops

from course_utils.recipes.decoder.network import Decoder
from course_utils.recipes.decoder.optimisers import AdamW, Muon
from course_utils.recipes.decoder.recipe import Recipe


def cross_entropy(logits, targets):
    """Mean, in nats a token."""
    return ops.mean(keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True))


def rates(recipe: Recipe) -> np.ndarray:
    """Share of the peak for each step, float32 (steps,)."""
    t = np.arange(recipe.steps)
    climb = max(1, round(recipe.warm_up * recipe.steps))
    if recipe.schedule == "cosine":
        done = np.clip((t - climb) / max(1, recipe.steps - climb), 0, 1)
        fall = recipe.last_rate + (1 - recipe.last_rate) * 0.5 * (1 + np.cos(math.pi * done))
    else:
        cool = recipe.cool_down * recipe.steps
        fall = np.minimum(1, (recipe.steps - t) / cool)
    return np.minimum((t + 1) / climb, fall).astype("float32")


def windows(tokens, batch, context, steps, random):
    """Where each window of each batch begins."""
    return random.integers(0, len(tokens) - context, (steps, batch))


def train(tokens, vocabulary, recipe, *, seed=0, on_step=None, calls=20):
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    random = np.random.default_rng(seed)
    model = Decoder(vocabulary, recipe.context, recipe.layers, recipe.heads, recipe.width, recipe.design)
    model(np.zeros((1, recipe.context), "int32"))
    matrices = [v for b in model.blocks for v in b.trainable_variables if len(v.shape) == 2] if recipe.muon else []
    ids = {id(v) for v in matrices}
    others = [v for v in model.trainable_variables if id(v) not in ids]
    adam = AdamW(others, recipe.betas, recipe.decay)
    muon = Muon(matrices, steps=recipe.newton_steps, decay=recipe.muon_decay) if matrices else None
    text = tf.constant(tokens, tf.int32)
    starts = tf.constant(windows(tokens, recipe.batch, recipe.context, recipe.steps, random), tf.int32)
    share = tf.constant(rates(recipe))
    offsets = tf.range(recipe.context + 1)

    @tf.function(autograph=False, jit_compile=recipe.jit)
    def step(i):
        window = tf.gather(text, starts[i][:, None] + offsets)
        with tf.GradientTape() as tape:
            loss = cross_entropy(model(window[:, :-1]), window[:, 1:])
        gradients = tape.gradient(loss, [v.value for v in others + matrices])
        gradients = [tf.convert_to_tensor(g) for g in gradients]
        if recipe.clip:
            gradients, _ = tf.clip_by_global_norm(gradients, recipe.clip)
        adam.update(gradients[: len(others)], recipe.rate * share[i], i)
        if muon:
            muon.update(gradients[len(others) :], recipe.muon_rate * share[i])
        return loss

    for i in range(recipe.steps):
        loss = step(tf.constant(i))
        if on_step and (i + 1) % calls == 0:
            on_step(i + 1, loss, model)
    return model


def loss(model, tokens, context, batch=64):
    """Mean over the whole text in windows that follow one another."""
    import tensorflow as tf

    count = (len(tokens) - 1) // context
    x = np.asarray(tokens[: count * context], np.int32).reshape(count, context)
    y = np.asarray(tokens[1 : count * context + 1], np.int32).reshape(count, context)

    @tf.function(reduce_retracing=True)
    def total(x, y):
        return ops.sum(keras.losses.sparse_categorical_crossentropy(y, model(x), from_logits=True))

    parts = [float(total(x[k : k + batch], y[k : k + batch])) for k in range(0, count, batch)]
    return sum(parts) / y.size
