"""A BERT read from Hugging Face's layout: every weight has its array, at its place; what is missing stops it."""

import json
import re

import numpy as np
import pytest

from course_utils.errors import CourseError
from course_utils.recipes import bert_weights

LAYERS, HEADS, WIDTH, INNER, WORDS, POSITIONS = 2, 3, 12, 20, 32, 16
CONFIG = {
    "vocab_size": WORDS,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "hidden_size": WIDTH,
    "intermediate_size": INNER,
    "max_position_embeddings": POSITIONS,
    "type_vocab_size": 2,
}


def shapes() -> dict[str, tuple[int, ...]]:
    """The arrays of a BERT of this size in Hugging Face's layout, where a dense layer's weight is (out, in)."""
    found = {
        "embeddings.word_embeddings.weight": (WORDS, WIDTH),
        "embeddings.position_embeddings.weight": (POSITIONS, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        "embeddings.LayerNorm.weight": (WIDTH,),
        "embeddings.LayerNorm.bias": (WIDTH,),
        "pooler.dense.weight": (WIDTH, WIDTH),
        "pooler.dense.bias": (WIDTH,),
    }
    for k in range(LAYERS):
        prefix = f"encoder.layer.{k}."
        for name in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            found |= {f"{prefix}{name}.weight": (WIDTH, WIDTH), f"{prefix}{name}.bias": (WIDTH,)}
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            found |= {f"{prefix}{name}.weight": (WIDTH,), f"{prefix}{name}.bias": (WIDTH,)}
        found |= {f"{prefix}intermediate.dense.weight": (INNER, WIDTH), f"{prefix}intermediate.dense.bias": (INNER,)}
        found |= {f"{prefix}output.dense.weight": (WIDTH, INNER), f"{prefix}output.dense.bias": (WIDTH,)}
    return found


@pytest.fixture
def written(tmp_path):
    """Writes the two files of a BERT with other arrays in ``changed``, None for none; returns (files, arrays)."""
    from safetensors.numpy import save_file

    def write(**changed):
        random = np.random.default_rng(0)
        arrays = {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes().items()}
        arrays |= {name.replace("__", "."): array for name, array in changed.items()}
        arrays["embeddings.position_ids"] = np.arange(POSITIONS)[None]
        (tmp_path / "config.json").write_text(json.dumps(CONFIG), "utf-8")
        save_file({k: v for k, v in arrays.items() if v is not None}, tmp_path / "model.safetensors")
        return (tmp_path / "config.json", tmp_path / "model.safetensors"), arrays

    return write


def test_every_array_is_one_weight_and_every_weight_one_array(written):
    files, arrays = written()
    backbone = bert_weights.read(*files)
    names = [bert_weights.array_name(weight.path) for weight in backbone.weights]
    assert sorted(names) == sorted(shapes())
    from keras import ops

    total = sum(float(np.abs(ops.convert_to_numpy(weight)).sum(dtype=np.float64)) for weight in backbone.weights)
    expected = sum(float(np.abs(arrays[name]).sum(dtype=np.float64)) for name in shapes())
    assert total == pytest.approx(expected, rel=1e-6)


def test_a_layer_of_the_network_computes_what_its_arrays_say(written):
    """One head's query, the output of attention and the feed-forward part: x W^T + b with the file's own arrays."""
    from keras import ops

    files, arrays = written()
    layer = bert_weights.read(*files).get_layer("transformer_layer_1")
    of = {weight.path.split("/", 1)[1]: ops.convert_to_numpy(weight) for weight in layer.weights}
    x = np.random.default_rng(1).normal(size=(5, WIDTH)).astype(np.float32)

    def dense(name, x):
        return x @ arrays[f"encoder.layer.1.{name}.weight"].T + arrays[f"encoder.layer.1.{name}.bias"]

    query = np.einsum("td,dhk->thk", x, of["self_attention_layer/query/kernel"]) + of["self_attention_layer/query/bias"]
    head = WIDTH // HEADS
    assert np.allclose(query[:, 1], dense("attention.self.query", x)[:, head : 2 * head], atol=1e-5)
    parts = x.reshape(5, HEADS, head)
    out = np.einsum("thk,hkd->td", parts, of["self_attention_layer/attention_output/kernel"])
    out += of["self_attention_layer/attention_output/bias"]
    assert np.allclose(out, dense("attention.output.dense", x), atol=1e-5)
    inner = x @ of["feedforward_intermediate_dense/kernel"] + of["feedforward_intermediate_dense/bias"]
    assert np.allclose(inner, dense("intermediate.dense", x), atol=1e-5)
    assert np.array_equal(of["feedforward_layer_norm/gamma"], arrays["encoder.layer.1.output.LayerNorm.weight"])
    assert np.array_equal(
        of["self_attention_layer_norm/beta"], arrays["encoder.layer.1.attention.output.LayerNorm.bias"]
    )


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("encoder__layer__1__output__dense__weight", None),
        ("embeddings__LayerNorm__weight", np.zeros(WIDTH + 1, np.float32)),
    ],
)
def test_a_weight_without_its_array_is_refused_by_name(written, name, array):
    files, _ = written(**{name: array})
    path = {"enc": "transformer_layer_1/feedforward_output_dense/kernel", "emb": "embeddings_layer_norm/gamma"}[
        name[:3]
    ]
    with pytest.raises(CourseError, match=re.escape(path)):
        bert_weights.read(*files)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "query/kernel",
        "transformer_layer_0/self_attention_layer/query",
        "transformer_layer_0/new_part/kernel",
        "seed",
    ],
)
def test_a_path_that_is_not_known_has_no_array(path):
    assert bert_weights.array_name(path) is None
