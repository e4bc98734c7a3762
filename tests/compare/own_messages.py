"""Made messages whose class can be told by their words."""

import csv
import json
import os
import subprocess
from pathlib import Path

import numpy as np

from course_utils.data.text import TextData, text_data

JAX = os.environ.get("COURSE_JAX_PYTHON")  # a Python with JAX and without TensorFlow
WORDS = {
    "billing": [
        "invoice", "refund", "charged", "card", "payment", "price", "euros", "twice", "receipt", "tax",
        "paid", "money", "bill", "cents", "discount",
    ],
    "bug": [
        "crash", "error", "broken", "freezes", "blank", "slow", "button", "screen", "fails", "wrong",
        "exception", "update", "phone", "stuck", "app",
    ],
    "account": [
        "password", "login", "user", "delete", "owner", "access", "email", "locked", "invite", "profile",
        "reset", "name", "role", "team", "admin",
    ],
}  # fmt: skip
FILLER = [
        "please", "hello", "since", "monday", "the", "for", "our", "my", "with", "after", "again", "today",
        "still", "you", "can", "help", "me", "it", "when", "we", "and", "thanks", "colleague", "yesterday",
        "always", "never", "sometimes", "office", "morning", "anyone",
]  # fmt: skip


def messages(each: dict[str, int], seed: int = 0) -> list[tuple[str, str]]:
    """(text, label) rows in mixed order: six words of the class among six of any."""
    random = np.random.default_rng(seed)
    rows = []
    for label, count in each.items():
        for _ in range(count):
            words = [*random.choice(WORDS[label], 6, replace=False), *random.choice(FILLER, 6, replace=False)]
            rows.append((" ".join(random.permutation(words)), label))
    return [rows[i] for i in random.permutation(len(rows))]


def write_csv(path: Path, rows: list[tuple[str, str]], header: tuple[str, str] = ("text", "label")) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(header)
        table.writerows(rows)
    return path


def text_set() -> TextData:
    """A text set in fixed parts of 60, 30 and 30 messages."""
    import pandas as pd

    rows = messages(dict.fromkeys(WORDS, 40))
    cuts = {"train": rows[:60], "validation": rows[60:90], "test": rows[90:]}
    frames = {name: pd.DataFrame(part, columns=["text", "label"]) for name, part in cuts.items()}
    return text_data("made", frames, tuple(WORDS), "en")


def on_jax(folder: Path, texts: list[str]) -> np.ndarray:
    """What a saved model says of texts in an environment that has no TensorFlow."""
    program = (
        "import json, sys; from course_utils import compare\n"
        "folder, texts = json.loads(sys.stdin.read())\n"
        "print(json.dumps(compare.load_model(folder).predict_proba(texts).tolist()))"
    )
    done = subprocess.run(
        [JAX, "-c", program],
        input=json.dumps([str(folder), texts]),
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return np.array(json.loads(done.stdout.splitlines()[-1]))
