"""Gradients put to the proof: against a central difference in float64, and against the framework's own gradient.

A gradient worked out by hand is a claim about how the loss changes. Two witnesses can contradict it: the loss itself,
measured a little to the left and to the right, and a framework's automatic differentiation. Both are asked in float64,
because in float32 a difference of two nearly equal losses has hardly a correct digit left.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils.errors import CourseError

if TYPE_CHECKING:
    import pandas as pd

# The step at which the two errors of a central difference balance: cutting off the series costs h² and rounding costs
# ε/h, so h is near the cube root of ε = 2.2e-16 (W. Press and others, Numerical Recipes, 3rd ed. (2007), section 5.7).
STEP = 6e-6


def central_difference(loss: Callable[[], float], array: np.ndarray, *, step: float = STEP) -> np.ndarray:
    """How ``loss()`` changes with each entry of ``array``: (loss(x + h) − loss(x − h)) / 2h, float64, shaped like it.

    ``loss`` takes nothing and reads ``array``, whose entries are moved one after another, in place, and put back. The
    step h is ``step`` · max(1, |entry|). Raises CourseError where the array is not float64 or cannot be written to, and
    where the loss is not a single finite number.
    """
    if not isinstance(array, np.ndarray) or array.dtype != np.float64:
        what = f"an array of {array.dtype}" if isinstance(array, np.ndarray) else f"a {type(array).__name__}"
        raise CourseError(
            f"A central difference needs a float64 array; it got {what}. Turn it into one: x.astype('float64')."
        )
    if not array.flags.writeable:
        raise CourseError(
            "A central difference moves the array's entries, and this array is read-only. Give it a copy."
        )
    gradient = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        h = step * max(1.0, abs(kept))
        try:
            array[index] = kept + h
            above, right = _value(loss), array[index]
            array[index] = kept - h
            below, left = _value(loss), array[index]
        finally:
            array[index] = kept
        gradient[index] = (above - below) / (right - left)  # what the two steps really were, after rounding
    return gradient


def _value(loss: Callable[[], Any]) -> float:
    value = np.asarray(loss())
    if value.size != 1:
        raise CourseError(f"The loss must be a single number; it has shape {value.shape}. Take its sum or its mean.")
    if not np.isfinite(value).all():
        raise CourseError(f"The loss is {value.item()} here: without a finite loss there is no gradient to measure.")
    return float(value.item())


def relative_error(ours: Any, theirs: Any, *, least: float = 0.0) -> float:
    """The distance of two gradients over their sizes, by norms: ‖a − b‖ / (‖a‖ + ‖b‖), from 0 (equal) to 1.

    Two zeros agree. Where ``theirs`` is below ``least``, the distance is divided by ``least`` instead: a measured
    gradient is off by the loss's rounding over the step (ε·loss/h, some 1e-10 for a loss near 1), so of a tiny one only
    the size can be told. Raises CourseError, naming both shapes, where they differ, and for NaN or infinity.
    """
    a, b = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    if a.shape != b.shape:
        raise CourseError(f"The shapes do not match: your gradient has shape {a.shape}, the other one {b.shape}.")
    for whose, values in (("Your", a), ("The other", b)):
        if np.isnan(values).any():
            raise CourseError(f"{whose} gradient holds NaN (not a number), {_first(np.isnan(values))}.")
        if np.isinf(values).any():
            raise CourseError(f"{whose} gradient is infinite, {_first(np.isinf(values))}.")
    size = least if np.linalg.norm(b) < least else np.linalg.norm(a) + np.linalg.norm(b)
    return float(np.linalg.norm(a - b) / size) if size > 0 else 0.0


def _first(found: np.ndarray) -> str:
    if found.ndim == 0:
        return "its only entry"
    place = tuple(int(i) for i in np.argwhere(found)[0])
    return f"first at position {place[0] if len(place) == 1 else place}"


def by_framework(function: Callable[..., Any], *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    """The framework's own gradients of ``function(*arrays)``, one float64 array for each input, shaped like it.

    ``function`` gets float64 tensors of the Keras backend that runs, computes with ``keras.ops`` and returns a single
    number. Raises CourseError where it returns anything else, and where a tensor lost its 64 bits.
    """
    import keras

    tensors = [keras.ops.convert_to_tensor(np.asarray(a, dtype=np.float64), dtype="float64") for a in arrays]
    for tensor in tensors:
        if keras.backend.standardize_dtype(tensor.dtype) != "float64":
            raise CourseError(
                "This backend computes in 32 bits, too few for a gradient check; call course_utils.setup first."
            )

    def single(*values: Any) -> Any:
        result = function(*values)
        if tuple(result.shape) not in ((), (1,)):
            raise CourseError(f"The function must return a single number; it has shape {tuple(result.shape)}.")
        return keras.ops.reshape(result, ())

    backend = keras.config.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(tensors)
            result = single(*tensors)
        gradients = tape.gradient(result, tensors, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]  # a lookup's gradient is sparse
    elif backend == "jax":
        import jax

        gradients = jax.grad(single, argnums=tuple(range(len(tensors))))(*tensors)
    else:
        import torch

        leaves = [tensor.detach().clone().requires_grad_(True) for tensor in tensors]
        found = torch.autograd.grad(single(*leaves), leaves, allow_unused=True)
        gradients = [torch.zeros_like(leaf) if g is None else g for g, leaf in zip(found, leaves, strict=True)]
    return tuple(np.asarray(keras.ops.convert_to_numpy(gradient), dtype=np.float64) for gradient in gradients)


def compare(
    loss: Callable[[], float],
    arrays: Mapping[str, np.ndarray],
    gradients: Mapping[str, np.ndarray],
    *,
    framework: Mapping[str, np.ndarray] | None = None,
    step: float = STEP,
    least: float = 0.0,
) -> "pd.DataFrame":
    """A row for each gradient: its shape, its relative error against the central difference, and the framework's.

    ``arrays`` are what ``loss()`` reads, ``gradients`` what was worked out by hand, ``framework`` the framework's own,
    all by name. The errors are those of `relative_error`; ``least`` is for what the central difference measures alone:
    a framework's gradient is exact. Raises CourseError for a name without a gradient, for shapes that do not match
    (both are named), and for NaN or infinity in a gradient.
    """
    import pandas as pd

    rows = {}
    for name, array in arrays.items():
        for whose, table in (("gradients", gradients), ("framework", framework)):
            if table is not None and name not in table:
                raise CourseError(f"{whose} has no entry {name!r}; it has {', '.join(map(str, table)) or 'none'}.")
        try:
            ours = np.asarray(gradients[name], dtype=np.float64)
            relative_error(ours, np.zeros(np.shape(array)))  # refuses a wrong shape before the long way round
            measured = central_difference(loss, array, step=step)
            row = {"shape": str(array.shape), "central difference": relative_error(ours, measured, least=least)}
            if framework is not None:
                row["framework"] = relative_error(ours, framework[name])
        except CourseError as error:
            raise CourseError(f"{name}: {error}") from None
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("gradient")
