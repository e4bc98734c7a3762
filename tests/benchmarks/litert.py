"""Chapter 10's digit reader in LiteRT, which phones use, beside ONNX Runtime: bytes, time for one image and for 256.

    python tests/benchmarks/litert.py [--rounds 30] [--write]

One thread, all kinds in turn. LiteRT runs out of the package ai-edge-litert where that is installed, else out of
TensorFlow, which still has a copy. With ``COURSE_DATA`` the accuracy is on MNIST's test images, else on the course's
own digits. ``--write`` keeps the figures in ``data/results/10.json``.
"""

import argparse
import contextlib
import io
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import kept
import numpy as np

from course_utils import data, setup, weights
from course_utils.bundles import graph

BATCHES = (1, 256)


def converted(reader, kind: str, calibration: np.ndarray) -> bytes:
    """The network as a LiteRT file: "float32", "int8 dynamic" (weights), or "int8" (weights and activations)."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(reader)
    if kind != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "int8":
        converter.representative_dataset = lambda: ([one] for one in calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    with contextlib.redirect_stdout(io.StringIO()):  # it prints the network's signature
        return converter.convert()


def lite(content: bytes, batch: int) -> Callable[[np.ndarray], np.ndarray]:
    """A function from images (batch, 28, 28, 1) to the network's outputs, with one thread."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        import tensorflow as tf

        Interpreter = tf.lite.Interpreter

    interpreter = Interpreter(model_content=content, num_threads=1)
    (takes,), (gives,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(takes["index"], (batch, 28, 28, 1))
    interpreter.allocate_tensors()
    scale, zero = takes["quantization"]

    def ask(images: np.ndarray) -> np.ndarray:
        if scale:
            images = np.clip(np.round(images / scale + zero), -128, 127).astype("int8")
        interpreter.set_tensor(takes["index"], images)
        interpreter.invoke()
        return interpreter.get_tensor(gives["index"])

    return ask


def quantised(path: Path, calibration: np.ndarray) -> Path:
    """ONNX Runtime's static int8 file, a scale for each channel, as in the chapter."""
    import onnx
    from onnxruntime import quantization as ort

    name = onnx.load(path).graph.input[0].name

    class Calibration(ort.CalibrationDataReader):
        def __init__(self):
            self.rest = ({name: one} for one in calibration)

        def get_next(self):
            return next(self.rest, None)

    ready, made = (path.with_name(f"{stem}.onnx") for stem in ("ready", "int8"))
    ort.shape_inference.quant_pre_process(path, ready, skip_symbolic_shape=True)
    ort.quantize_static(ready, made, Calibration(), per_channel=True)
    return made


def in_turn(asks: dict[str, Callable], images: np.ndarray, rounds: int) -> dict[str, float]:
    """The median over rounds of the mean seconds of an image, each kind once a round."""
    calls = max(2, 200 // len(images))
    times = {name: [] for name in asks}
    for _ in range(rounds):
        for name, ask in asks.items():
            began = time.perf_counter()
            for _ in range(calls):
                ask(images)
            times[name].append((time.perf_counter() - began) / calls / len(images))
    return {name: float(np.median(found)) for name, found in times.items()}


def main(rounds: int, write: bool) -> None:
    setup("10")
    reader = weights.load("mnist_reader")
    digits, own = data.load("digits"), "the course's digits"
    if os.environ.get("COURSE_DATA"):
        digits, own = data.load("mnist"), "MNIST's test images"
    x = digits.test.images[..., None].astype("float32")
    calibration = digits.validation.images[:200][:, None, :, :, None].astype("float32")
    with tempfile.TemporaryDirectory() as folder:
        graph.write(reader, Path(folder), x[:2])
        onnx_file = Path(folder) / graph.file_name(reader)
        files = {f"LiteRT {kind}": converted(reader, kind, calibration) for kind in ("float32", "int8 dynamic", "int8")}
        onnx_files = {"ONNX Runtime float32": onnx_file, "ONNX Runtime int8": quantised(onnx_file, calibration)}
        fixed = {name: graph.read(path) for name, path in onnx_files.items()}
        rows = {name: {"bytes": len(content)} for name, content in files.items()}
        rows |= {name: {"bytes": path.stat().st_size} for name, path in onnx_files.items()}
        for batch in BATCHES:
            asks = {name: lite(content, batch) for name, content in files.items()} | fixed
            for name, seconds in in_turn(asks, x[:batch], rounds).items():
                rows[name][f"µs an image, batch {batch}"] = round(1e6 * seconds, 1)
        for name, ask in ({name: lite(content, 1) for name, content in files.items()} | fixed).items():
            answers = np.array([ask(x[k : k + 1]).argmax() for k in range(len(x))])
            rows[name]["accuracy"] = round(float((answers == digits.test.labels).mean()), 4)
    for name, row in rows.items():
        print(f"{name:22}", row)
    plain = rows["LiteRT float32"]
    ratios = {
        kind: [round(plain[key] / rows[f"LiteRT {kind}"][key], 2) for key in list(plain)[1:3]]
        for kind in ("int8 dynamic", "int8")
    }
    print(f"LiteRT, times as fast as its float32, one image and 256: {ratios}; accuracy on {own}")
    if write:
        record = kept.head("python tests/benchmarks/litert.py --write") | {"accuracy on": own, "rows": rows}
        kept.write("10", kept.read("10") | {"litert": record})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--write", action="store_true", help="keep the figures in data/results/10.json")
    given = parser.parse_args()
    main(given.rounds, given.write)
