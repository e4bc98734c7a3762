"""BentoML with ONNX Runtime: ``NETWORK=network.onnx python -m bentoml serve bentoml_onnx:Digits --port PORT``."""

import os

import bentoml
import numpy as np
import onnxruntime


@bentoml.service(workers=1, name="digits")
class Digits:
    """Pictures in, probabilities out."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["NETWORK"], options, providers=["CPUExecutionProvider"])
        self.name = self.session.get_inputs()[0].name

    @bentoml.api(route="/v1/predict")
    def predict(self, images: list[list[list[int]]]) -> dict:
        """Probabilities for each picture."""
        return {"answers": self.session.run(None, {self.name: np.array(images, np.float32)[..., None]})[0].tolist()}
