"""A network in a file, and out of it as a function: ONNX where Keras can export it, Keras's own file elsewhere.

Whoever answers from ONNX needs ONNX Runtime (some 50 MB of memory) and no framework. An encoder is written by
`course_utils.bundles.bert_graph`; what else there is Keras exports on TensorFlow only: on another backend it is kept as
``network.keras``, and the process that answers loads Keras.
"""

import contextlib
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils import paths
from course_utils.bundles import bert_graph
from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.runtime import quiet_logging

if TYPE_CHECKING:
    import keras

ONNX, KERAS = "network.onnx", "network.keras"
TOLERANCE = 1e-4  # between the network and its file
Call = Callable[[np.ndarray], np.ndarray]


def file_name(network: "keras.Model") -> str:
    """What `write` calls the network's file on the backend that runs."""
    import keras

    return ONNX if bert_graph.backbone_of(network) or keras.config.backend() == "tensorflow" else KERAS


def write(network: "keras.Model", folder: Path, sample: np.ndarray) -> None:
    """Write a network of one input and one output; ``sample`` is a batch that it takes.

    Raises CourseError where the file does not give what the network gives (within 0.0001).
    """
    import keras

    # A network that was compiled would bring its optimizer along: three times the size.
    if getattr(network, "optimizer", None) is not None:
        network = keras.Model(network.inputs, network.outputs)
    with _quiet():  # TensorFlow takes several networks, each traced once, for one that is traced again and again
        wanted = compiled(network)(sample)  # Keras exports no network that was never called
    path = folder / file_name(network)
    if bert_graph.backbone_of(network):
        bert_graph.write(network, path)
    elif path.name == ONNX:
        with _quiet():
            network.export(path, format="onnx", verbose=False)
    else:
        network.save(path)
    off = float(np.abs(read(path)(sample) - wanted).max())
    if not off <= TOLERANCE:
        raise CourseError(
            say(
                "{file} does not give what the network gives (they differ by {off:.1g}); it is not kept.",
                file=path.name,
                off=off,
            )
        )


def read(path: Path, threads: int = 1) -> Call:
    """The network of a file as a function of one array: a batch in, float32 out.

    ``threads`` are ONNX Runtime's. More than one wait for each other busily: for a small network six to ten times the
    processor time of a request, and nothing gained.

    Raises CourseError for a file that is no network.
    """
    if path.name == KERAS:
        import keras
        import keras_hub  # noqa: F401 (knows the encoder's layers)

        return compiled(keras.saving.load_model(path, compile=False, safe_mode=True))
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        (wanted,), (given,) = session.get_inputs(), session.get_outputs()
    except Exception as error:  # ONNX Runtime has its own kinds for each way in which a file can be wrong
        first_line = str(error).strip().split("\n")[0][:160]
        raise CourseError(
            say("{file} is no network in ONNX ({why}).", file=paths.display(path), why=first_line)
        ) from error
    dtype = np.int32 if wanted.type == "tensor(int32)" else np.float32
    return lambda batch: session.run([given.name], {wanted.name: np.ascontiguousarray(batch, dtype)})[0]


def compiled(network: "keras.Model") -> Call:
    """A network as a function of one array, compiled; ``model(x)`` costs several times as much for one message."""
    import keras

    spec = network.inputs[0]
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        shape = (None, *spec.shape[1:])
        call = tf.function(
            lambda batch: network(batch, training=False), input_signature=[tf.TensorSpec(shape, spec.dtype)]
        )
        return lambda batch: _first(call(tf.constant(batch, spec.dtype))).numpy()
    if keras.config.backend() == "jax":
        import jax

        fixed = [variable.value for variable in network.non_trainable_variables]
        learnt = [variable.value for variable in network.trainable_variables]
        jitted = jax.jit(lambda a, b, batch: network.stateless_call(a, b, batch, training=False)[0])
        return lambda batch: np.asarray(_first(jitted(learnt, fixed, batch)))
    return lambda batch: keras.ops.convert_to_numpy(_first(network(batch, training=False)))


def _first(output: Any) -> Any:
    return output[0] if isinstance(output, list | tuple) else output


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter warns of names that NumPy no longer has, and tells the log what it does."""
    with quiet_logging(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
