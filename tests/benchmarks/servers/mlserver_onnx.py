"""MLServer with ONNX Runtime, in its own process as it is fastest here: ``python mlserver_onnx.py network.onnx PORT``.

It speaks the Open Inference Protocol only: the pixels come as a flat list.
"""

import asyncio
import socket
import sys

import numpy as np
import onnxruntime
from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Digits(MLModel):
    """Pictures in, probabilities out."""

    async def load(self) -> bool:
        """Load the network."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Probabilities for each picture."""
        batch = NumpyCodec.decode_input(payload.inputs[0]).astype(np.float32)
        found = self.session.run(None, {self.input: batch})[0]
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("probabilities", found)])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


if __name__ == "__main__":
    settings = Settings(
        host="127.0.0.1",
        http_port=int(sys.argv[2]),
        grpc_port=free_port(),
        metrics_port=free_port(),
        parallel_workers=0,
        debug=False,
    )
    asyncio.run(MLServer(settings).start([ModelSettings(name="digits", implementation=Digits)]))
