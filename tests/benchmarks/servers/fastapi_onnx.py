"""FastAPI with ONNX Runtime, as its tutorial has it: ``python fastapi_onnx.py network.onnx PORT``."""

import sys

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
app = FastAPI()


class Asked(BaseModel):
    """Pictures of 28 × 28 pixels from 0 to 255."""

    images: list[list[list[int]]]


@app.post("/v1/predict")
def predict(asked: Asked) -> dict:
    """Probabilities for each picture."""
    return {"answers": session.run(None, {name: np.array(asked.images, np.float32)[..., None]})[0].tolist()}


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
