"""Batches of sequence pairs for a network that translates: like lengths together, so that little is padding, and few
shapes, as a backend keeps a program or a plan for every shape that it has met."""

from typing import TYPE_CHECKING

import numpy as np

from course_utils.errors import CourseError

if TYPE_CHECKING:
    import keras

# Threads that make batches, here and for `encoder`. Not for speed: with one, Keras leaves the input to tf.data's
# autotuning, and the end of an epoch of some seconds then often waited, idle, for its thread: up to half as long as the
# epoch took, on TensorFlow 2.21. With two, Keras turns the tuning off; each pass takes a tenth of a second more.
WORKERS = 2


def batches(
    sources: np.ndarray, targets: np.ndarray, size: int, *, multiple: int = 4, seed: int = 0
) -> "keras.utils.PyDataset":
    """Batches ((source, target so far), target, weights) for ``fit(…, shuffle=False)``, another order each epoch.

    ``sources`` and ``targets`` are int (pairs, width): tokens from 1 on, then zeros, at least one. "So far" is the
    target moved one place to the right, a zero in front; the weights are 1 up to the target's first zero, its end.
    Each batch has ``size`` rows, those that are missing in the last one with weight 0, and one width for both sides,
    a multiple of ``multiple``. Raises CourseError unless each target ends with a zero and both are equally many.
    """
    import keras

    if len(sources) != len(targets) or (np.asarray(targets)[:, -1] != 0).any():
        raise CourseError("Sources and targets must be equally many, and each target must end with a zero.")
    longer = (np.asarray(targets) > 0).sum(axis=1)
    long = np.maximum((np.asarray(sources) > 0).sum(axis=1), longer + 1)
    width_of = -(-long // multiple) * multiple  # rounded up
    most = width_of.max()
    sources, targets = (np.pad(of, ((0, 0), (0, max(0, most - of.shape[1])))) for of in (sources, targets))

    class Batches(keras.utils.PyDataset):
        def __init__(self):
            super().__init__(workers=WORKERS)
            self.dice = np.random.default_rng(seed)
            self.on_epoch_end()

        def on_epoch_end(self):
            order = np.lexsort((self.dice.random(len(long)), long))
            parts = [order[start : start + size] for start in range(0, len(order), size)]
            middle = parts[1:-1]
            self.dice.shuffle(middle)
            # Keras takes the shapes of the first two batches for all, unless they differ: the shortest, the longest.
            self.parts = [parts[0], *parts[1:][-1:], *middle]

        def __len__(self):
            return len(self.parts)

        def __getitem__(self, k):
            rows = self.parts[k]
            width = width_of[rows].max()
            missing = ((0, size - len(rows)), (0, 0))
            source, target = (np.pad(of[rows, :width], missing) for of in (sources, targets))
            so_far = np.pad(target[:, :-1], ((0, 0), (1, 0)))
            weights = np.arange(width) <= np.pad(longer[rows], missing[0], constant_values=-1)[:, None]
            return (source, so_far), target, weights.astype("float32")

    return Batches()
