"""LitServe with ONNX Runtime, one worker and one API server: ``python litserve_onnx.py network.onnx PORT``."""

import sys

import litserve
import numpy as np
import onnxruntime


class Digits(litserve.LitAPI):
    """Pictures in, probabilities out."""

    def setup(self, device: str) -> None:
        """Load the network, in the worker."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
        self.name = self.session.get_inputs()[0].name

    def decode_request(self, request: dict) -> np.ndarray:
        """JSON → a batch."""
        return np.array(request["images"], np.float32)[..., None]

    def predict(self, batch: np.ndarray) -> np.ndarray:
        """A batch → probabilities."""
        return self.session.run(None, {self.name: batch})[0]

    def encode_response(self, output: np.ndarray) -> dict:
        """Probabilities → JSON."""
        return {"answers": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Digits(api_path="/v1/predict"), accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1", port=int(sys.argv[2]), num_api_servers=1, log_level="warning", generate_client_file=False
    )
