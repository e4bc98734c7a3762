"""A BERT encoder as an ONNX graph, written from its weights.

Keras's own export needs 4 GiB of memory for an encoder of 90 MB, and TensorFlow; this takes a moment, on any backend.
The graph is that of chapter 09: J. Devlin and others (2019), BERT, NAACL, https://arxiv.org/abs/1810.04805, with
keras_hub's GELU (its approximation by tanh); a vector is the mean of the last states over the tokens that are there.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras

OPSET = 20  # the first that has Gelu with its approximation
_FAR = -1e9  # a score that softmax turns into nothing


def backbone_of(network: "keras.Model") -> "keras.Model | None":
    """The BERT inside a network of token numbers, None where there is none."""
    import keras_hub

    return next((one for one in network.layers if isinstance(one, keras_hub.models.BertBackbone)), None)


def write(network: "keras.Model", path: Path) -> None:
    """Write ``recipes.encoder``'s ``pooled`` or ``classifier``: token numbers int32 (n, t) → float32 (n, d).

    ``d`` is the width of the encoder, or the number of classes where a dense layer "logits" stands behind it.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    backbone = backbone_of(network)
    heads, layers = backbone.num_heads, backbone.num_layers
    known = {weight.path: weight for weight in backbone.weights}
    nodes = []
    # Filled in place: every copy of the graph would be one of all weights.
    model = helper.make_model(
        onnx.GraphProto(name="bert"), opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9
    )

    def constant(name: str, value: np.ndarray) -> str:
        model.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(kind: str, *inputs: str, **attributes) -> str:
        name = f"{kind}_{len(nodes)}"
        nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def weight(path: str, shape: tuple[int, ...] | None = None) -> str:
        value = np.asarray(known[path], np.float32)
        return constant(path, value if shape is None else value.reshape(shape))

    def dense(x: str, name: str, kernel: str, bias: str) -> str:
        return node("Add", node("MatMul", x, kernel), bias)

    def normalised(x: str, layer: "keras.layers.Layer", path: str) -> str:
        scale, offset = weight(f"{path}/gamma"), weight(f"{path}/beta")
        return node("LayerNormalization", x, scale, offset, axis=-1, epsilon=float(layer.epsilon))

    width = backbone.hidden_dim
    split = constant("split", np.array([0, 0, heads, width // heads], np.int64))
    join = constant("join", np.array([0, 0, width], np.int64))
    last, first, inside = (constant(f"axis {k}", np.array([k], np.int64)) for k in (-1, 1, 2))
    zero = constant("zero", np.array(0, np.int32))

    here = node("Cast", node("Not", node("Equal", "token_ids", zero)), to=TensorProto.FLOAT)
    absent = node("Sub", constant("one", np.array(1, np.float32)), here)
    closed = node("Unsqueeze", node("Mul", absent, constant("far", np.array(_FAR, np.float32))), first)
    closed = node("Unsqueeze", closed, inside)  # (n, 1, 1, t): added to the scores of every head and query

    length = node("Slice", node("Shape", "token_ids"), first, inside)
    positions = node(
        "Slice", weight("position_embedding/embeddings"), constant("start", np.array([0], np.int64)), length
    )
    segment = constant("segment", np.asarray(known["segment_embedding/embeddings"], np.float32)[0])
    x = node("Gather", weight("token_embedding/embeddings"), "token_ids")
    x = normalised(
        node("Add", node("Add", x, positions), segment),
        backbone.get_layer("embeddings_layer_norm"),
        "embeddings_layer_norm",
    )
    shrink = constant("shrink", np.array(1 / np.sqrt(width // heads), np.float32))
    for k in range(layers):
        at, layer = f"transformer_layer_{k}", backbone.get_layer(f"transformer_layer_{k}")
        inner = f"{at}/self_attention_layer"

        def of_heads(part: str, order: list[int], inner: str = inner, x: str = x) -> str:
            kernel, bias = weight(f"{inner}/{part}/kernel", (width, width)), weight(f"{inner}/{part}/bias", (width,))
            return node("Transpose", node("Reshape", dense(x, part, kernel, bias), split), perm=order)

        query, value = of_heads("query", [0, 2, 1, 3]), of_heads("value", [0, 2, 1, 3])
        scores = node("Mul", node("MatMul", query, of_heads("key", [0, 2, 3, 1])), shrink)
        shares = node("Softmax", node("Add", scores, closed), axis=-1)
        mixed = node("Reshape", node("Transpose", node("MatMul", shares, value), perm=[0, 2, 1, 3]), join)
        out = f"{inner}/attention_output"
        mixed = dense(mixed, out, weight(f"{out}/kernel", (width, width)), weight(f"{out}/bias"))
        x = normalised(node("Add", x, mixed), layer._self_attention_layer_norm, f"{at}/self_attention_layer_norm")
        up, down = f"{at}/feedforward_intermediate_dense", f"{at}/feedforward_output_dense"
        bent = node("Gelu", dense(x, up, weight(f"{up}/kernel"), weight(f"{up}/bias")), approximate="tanh")
        bent = dense(bent, down, weight(f"{down}/kernel"), weight(f"{down}/bias"))
        x = normalised(node("Add", x, bent), layer._feedforward_layer_norm, f"{at}/feedforward_layer_norm")

    kept = node("ReduceSum", node("Mul", x, node("Unsqueeze", here, last)), first, keepdims=0)
    x = node("Div", kept, node("ReduceSum", here, first, keepdims=1))
    columns = width
    head = next((one for one in network.layers if one.name == "logits"), None)
    if head is not None:
        kernel, bias = (np.asarray(one, np.float32) for one in (head.kernel, head.bias))
        x, columns = dense(x, "logits", constant("logits/kernel", kernel), constant("logits/bias", bias)), len(bias)
    nodes.append(helper.make_node("Identity", [x], ["output"]))
    model.graph.node.extend(nodes)
    model.graph.input.append(helper.make_tensor_value_info("token_ids", TensorProto.INT32, ["batch", "tokens"]))
    model.graph.output.append(helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", columns]))
    onnx.save(model, path)
