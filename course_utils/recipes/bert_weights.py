"""A published BERT in Hugging Face's layout, read into keras_hub's network.

keras_hub has a reader too, but what it understands depends on its version: up to 0.26 it wants other names than
sentence encoders have in their files. So the course reads them itself, by the names of the arrays and of the weights,
and each weight must find its array: nothing stays random unseen.
"""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from course_utils.errors import CourseError
from course_utils.language import say

if TYPE_CHECKING:
    import keras
    import safetensors

# A weight's path in keras_hub's network -> its array in the file.
_AROUND = {
    "token_embedding/embeddings": "embeddings.word_embeddings.weight",
    "position_embedding/embeddings": "embeddings.position_embeddings.weight",
    "segment_embedding/embeddings": "embeddings.token_type_embeddings.weight",
    "embeddings_layer_norm/gamma": "embeddings.LayerNorm.weight",
    "embeddings_layer_norm/beta": "embeddings.LayerNorm.bias",
    "pooled_dense/kernel": "pooler.dense.weight",
    "pooled_dense/bias": "pooler.dense.bias",
}
# The same inside a layer: a part of it, as keras_hub and as Hugging Face call it.
_PARTS = {
    "self_attention_layer/query": "attention.self.query",
    "self_attention_layer/key": "attention.self.key",
    "self_attention_layer/value": "attention.self.value",
    "self_attention_layer/attention_output": "attention.output.dense",
    "self_attention_layer_norm": "attention.output.LayerNorm",
    "feedforward_intermediate_dense": "intermediate.dense",
    "feedforward_output_dense": "output.dense",
    "feedforward_layer_norm": "output.LayerNorm",
}
_ENDINGS = {"kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias"}


def array_name(path: str) -> str | None:
    """The name in the file of the array for the weight with this path in the network; None if it has none."""
    if path in _AROUND:
        return _AROUND[path]
    layer, _, inside = path.partition("/")
    part, _, ending = inside.rpartition("/")
    number = layer.removeprefix("transformer_layer_")
    if number == layer or part not in _PARTS or ending not in _ENDINGS:
        return None
    return f"encoder.layer.{number}.{_PARTS[part]}.{_ENDINGS[ending]}"


def read(config: Path, weights: Path) -> "keras.Model":
    """keras_hub's BertBackbone with the shape that ``config`` (config.json) says and the arrays of a safetensors file.

    Raises CourseError where a weight of the network has no array of its size in the file.
    """
    import keras_hub
    import safetensors

    said = json.loads(config.read_text("utf-8"))
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=said["vocab_size"],
        num_layers=said["num_hidden_layers"],
        num_heads=said["num_attention_heads"],
        hidden_dim=said["hidden_size"],
        intermediate_dim=said["intermediate_size"],
        max_sequence_length=said["max_position_embeddings"],
        num_segments=said["type_vocab_size"],
    )
    with safetensors.safe_open(weights, framework="np") as file:
        for weight in backbone.weights:
            array = _array_for(weight, file, weights.name)
            # A dense layer's matrix lies there as (out, in) and here as (in, out), either of them split into heads.
            weight.assign((array.T if weight.path.endswith("/kernel") else array).reshape(weight.shape))
    return backbone


def _array_for(weight: "keras.Variable", file: "safetensors.safe_open", file_name: str) -> np.ndarray:
    name, known = array_name(weight.path), set(file.keys())
    for found in (name, f"bert.{name}"):  # a file that holds a head besides says whose the array is
        if name and found in known:
            array = file.get_tensor(found)
            if array.size == math.prod(weight.shape):
                return array
    import keras_hub

    raise CourseError(
        say(
            "keras_hub {version} has a weight {path} of shape {shape} without a counterpart in {file}; install the "
            "version of keras-hub that constraints.txt names.",
            version=keras_hub.__version__,
            path=weight.path,
            shape=tuple(weight.shape),
            file=file_name,
        )
    )
