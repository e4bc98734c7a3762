"""Encoders of two layers, made in a moment: one over letters, and the files of one that knows given words."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from course_utils.recipes import encoder


class Letters:
    """A tokenizer for tests: a letter is a token."""

    cls_token_id, sep_token_id = 1, 2

    def __call__(self, texts):
        return [[3 + ord(letter) % 29 for letter in text] for text in texts]


def tiny(seed: int = 0) -> encoder.Encoder:
    """An untrained encoder of two layers over letters."""
    import keras
    import keras_hub

    keras.utils.set_random_seed(seed)
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=32, num_layers=2, num_heads=2, hidden_dim=16, intermediate_dim=32, max_sequence_length=32
    )
    return encoder.Encoder("tiny", backbone, Letters())


def files(folder: Path, words: Iterable[str], *, width: int = 24, seed: int = 0) -> dict[str, Path]:
    """The three files of a published BERT, untrained, of two layers: config.json, model.safetensors, tokenizer.json."""
    import tokenizers
    from safetensors.numpy import save_file

    known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *sorted(set(words))]
    pieces = tokenizers.Tokenizer(
        tokenizers.models.WordPiece({word: number for number, word in enumerate(known)}, unk_token="[UNK]")
    )
    pieces.normalizer = tokenizers.normalizers.BertNormalizer()
    pieces.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    pieces.save(str(folder / "tokenizer.json"))
    config = {
        "vocab_size": len(known),
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "max_position_embeddings": 128,
        "type_vocab_size": 2,
    }
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    random = np.random.default_rng(seed)
    arrays = {name: random.normal(scale=0.1, size=shape).astype(np.float32) for name, shape in _shapes(config)}
    for name in arrays:
        if name.endswith("LayerNorm.weight"):
            arrays[name] = np.ones_like(arrays[name])
    arrays["embeddings.word_embeddings.weight"] *= 10
    save_file(arrays, folder / "model.safetensors")
    return {name: folder / name for name in ("config.json", "model.safetensors", "tokenizer.json")}


def _shapes(config: dict[str, int]) -> Iterable[tuple[str, tuple[int, ...]]]:
    width, inner = config["hidden_size"], config["intermediate_size"]

    def dense(name: str, inputs: int, outputs: int):
        yield f"{name}.weight", (outputs, inputs)
        yield f"{name}.bias", (outputs,)

    def norm(name: str):
        yield f"{name}.weight", (width,)
        yield f"{name}.bias", (width,)

    yield "embeddings.word_embeddings.weight", (config["vocab_size"], width)
    yield "embeddings.position_embeddings.weight", (config["max_position_embeddings"], width)
    yield "embeddings.token_type_embeddings.weight", (config["type_vocab_size"], width)
    yield from norm("embeddings.LayerNorm")
    yield from dense("pooler.dense", width, width)
    for k in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{k}"
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            yield from dense(f"{layer}.{part}", width, width)
        yield from norm(f"{layer}.attention.output.LayerNorm")
        yield from dense(f"{layer}.intermediate.dense", width, inner)
        yield from dense(f"{layer}.output.dense", inner, width)
        yield from norm(f"{layer}.output.LayerNorm")
