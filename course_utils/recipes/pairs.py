"""Batches of sequence pairs for a network that translates: like lengths together, so that little is padding."""

from typing import TYPE_CHECKING

import numpy as np

from course_utils.errors import CourseError

if TYPE_CHECKING:
    import keras


def batches(sources: np.ndarray, targets: np.ndarray, size: int, *, seed: int = 0) -> "keras.utils.PyDataset":
    """Batches ((source, target so far), target, weights) for ``fit(…, shuffle=False)``, another order each epoch.

    ``sources`` and ``targets`` are int (pairs, width): tokens from 1 on, then zeros, at least one. "So far" is the
    target moved one place to the right, a zero in front; the weights are 1 up to the target's first zero, its end.
    """
    import keras

    if len(sources) != len(targets) or (np.asarray(targets)[:, -1] != 0).any():
        raise CourseError("Sources and targets must be equally many, and each target must end with a zero.")
    long = (np.asarray(sources) > 0).sum(axis=1)
    longer = (np.asarray(targets) > 0).sum(axis=1)

    class Batches(keras.utils.PyDataset):
        def __init__(self):
            super().__init__()
            self.dice = np.random.default_rng(seed)
            self.on_epoch_end()

        def on_epoch_end(self):
            order = np.lexsort((self.dice.random(len(long)), longer, long))
            parts = [order[start : start + size] for start in range(0, len(order), size)]
            middle = parts[1:-1]
            self.dice.shuffle(middle)
            # Keras takes the shapes of the first two batches for all, unless they differ: the shortest, the longest.
            self.parts = [parts[0], *parts[1:][-1:], *middle]

        def __len__(self):
            return len(self.parts)

        def __getitem__(self, k):
            rows = self.parts[k]
            source, target = sources[rows, : long[rows].max()], targets[rows, : longer[rows].max() + 1]
            so_far = np.pad(target[:, :-1], ((0, 0), (1, 0)))
            weights = np.arange(target.shape[1]) <= longer[rows, None]
            return (source, so_far), target, weights.astype("float32")

    return Batches()
