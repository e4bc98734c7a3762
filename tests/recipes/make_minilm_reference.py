"""Write the reference vectors of test_encoder.py: Hugging Face transformers on PyTorch, for the first 100 test tickets.

    python tests/recipes/make_minilm_reference.py FOLDER_OF_THE_ENCODER

Needs torch and transformers (the stored values: torch 2.13.0, transformers 5.24.0, float32 on a CPU, one text at a
time, so no padding) in an environment of its own; nothing of the course is imported. FOLDER is what `course data fetch
minilm` prints. Mean of the last states over all tokens, [CLS] and [SEP] included, not normalised; 128 tokens at most.
``exact`` is with the GELU of the model's configuration (the error function), ``tanh`` with its approximation.
"""

import csv
import sys
from pathlib import Path

import numpy as np
import torch
import transformers

HERE = Path(__file__).parent
ROWS = 100
LENGTH = 128


def vectors(folder: str, texts: list[str], activation: str) -> np.ndarray:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder, hidden_act=activation).eval()
    with torch.no_grad():
        found = [
            model(**tokenizer(text, truncation=True, max_length=LENGTH, return_tensors="pt")).last_hidden_state
            for text in texts
        ]
    return np.stack([states[0].mean(0).numpy() for states in found]).astype(np.float32)


def main() -> None:
    with (HERE.parents[1] / "data" / "tickets" / "en_test.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:ROWS]
    texts = [row["text"] for row in rows]
    exact, tanh = (vectors(sys.argv[1], texts, name) for name in ("gelu", "gelu_pytorch_tanh"))
    np.savez_compressed(HERE / "minilm_reference.npz", ids=[row["id"] for row in rows], exact=exact, tanh=tanh)
    print(f"{len(rows)} texts; largest difference between the two activations: {np.abs(exact - tanh).max():.2e}")


if __name__ == "__main__":
    main()
