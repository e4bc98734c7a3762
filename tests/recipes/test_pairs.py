"""Batches of pairs: each pair once an epoch, moved by one place, and shapes that Keras can train on."""

import numpy as np
import pytest

from course_utils.errors import CourseError
from course_utils.recipes.pairs import batches


def pairs(n=50, seed=0):
    dice = np.random.default_rng(seed)
    rows = [np.zeros((n, 9), int), np.zeros((n, 9), int)]
    for of in rows:
        for row in of:
            k = dice.integers(1, 9)
            row[:k] = dice.integers(1, 5, k)
    return rows


def test_each_pair_once_an_epoch_in_another_order():
    sources, targets = pairs()
    found = batches(sources, targets, 8)
    seen = []
    for _ in range(2):
        rows = []
        for (_, _), target, weights in map(found.__getitem__, range(len(found))):
            rows += [tuple(np.pad(row, (0, 12))[:9]) for row in target[weights.any(axis=1)]]
        assert sorted(rows) == sorted(map(tuple, targets))
        seen.append(rows)
        found.on_epoch_end()
    assert seen[0] != seen[1]


def test_so_far_is_one_place_behind_and_the_end_counts():
    (source, so_far), target, weights = batches(np.array([[1, 2, 0]]), np.array([[3, 4, 0, 0]]), 2, multiple=3)[0]
    assert source.tolist() == [[1, 2, 0], [0, 0, 0]] and so_far.tolist() == [[0, 3, 4], [0, 0, 0]]
    assert target.tolist() == [[3, 4, 0], [0, 0, 0]] and weights.tolist() == [[1, 1, 1], [0, 0, 0]]


def test_the_shapes_are_few_and_hold_the_longest():
    sources, targets = pairs(400)
    sources[0, :8], targets[1, :8] = 1, 1  # a target of 8 needs a ninth place, for its end
    found = batches(sources, targets, 30)
    shapes = {(*source.shape, *so_far.shape, *target.shape, *weights.shape)
              for (source, so_far), target, weights in map(found.__getitem__, range(len(found)))}  # fmt: skip
    assert shapes == {(30, width) * 4 for width in (4, 8, 12)}


def test_like_lengths_stand_together():
    sources, targets = pairs(400)
    found = batches(sources, targets, 20)
    spread = 0
    for (source, _), target, _ in map(found.__getitem__, range(len(found))):
        spread += np.ptp(np.maximum((source > 0).sum(axis=1), (target > 0).sum(axis=1) + 1))
    assert spread <= 8  # in one order by length, the batches share out the way from 1 to 9


def test_keras_trains_two_epochs_on_it():
    import keras

    sources, targets = pairs(64)
    source, so_far = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    mean = keras.layers.GlobalAveragePooling1D(keepdims=True)(keras.layers.Embedding(5, 4)(source))
    model = keras.Model([source, so_far], keras.layers.Dense(5)(keras.layers.Embedding(5, 4)(so_far) + mean))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    log = model.fit(batches(sources, targets, 8), epochs=2, verbose=0, shuffle=False)
    assert np.isfinite(log.history["loss"]).all()


@pytest.mark.parametrize("targets", [[[1, 2]], [[1, 0], [1, 0]]])
def test_refuses(targets):
    with pytest.raises(CourseError, match="end with a zero"):
        batches(np.array([[1, 0]]), np.array(targets), 4)


def test_tensorflow_does_not_tune_the_input():
    """Its tuner's thread may sleep on at an epoch's end, while the training waits for it."""
    from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter

    from course_utils.recipes import encoder

    rows = [[1, 2, 3]] * 20
    for data in (batches(*pairs(), 8), encoder.batches(rows, None, 8, shuffle=False)):
        assert PyDatasetAdapter(data).get_tf_dataset().options().autotune.enabled is False
