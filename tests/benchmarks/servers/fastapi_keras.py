"""FastAPI with Keras's ``model(x)``: ``python fastapi_keras.py network.keras PORT``."""

import sys

import keras
import numpy as np
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

model = keras.saving.load_model(sys.argv[1], compile=False)
app = FastAPI()


class Asked(BaseModel):
    """Pictures of 28 × 28 pixels from 0 to 255."""

    images: list[list[list[int]]]


@app.post("/v1/predict")
def predict(asked: Asked) -> dict:
    """Probabilities for each picture."""
    return {"answers": np.asarray(model(np.array(asked.images, np.float32)[..., None], training=False)).tolist()}


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
