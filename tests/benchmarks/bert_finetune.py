"""Our fine-tuning step beside Hugging Face transformers on PyTorch: examples a second, same encoder, texts and threads.

    python tests/benchmarks/bert_finetune.py PYTHON_WITH_TORCH [--data sst2] [--rows 960] [--rounds 3] [--write]

PYTHON_WITH_TORCH is the interpreter of an environment with torch and transformers (2.13.0 and 5.24.0 were measured);
the course's own has neither. Texts: SST-2's training sentences (needs COURSE_DATA, the cache or a network), or the
course's tickets. Everybody fine-tunes the whole encoder with a linear head in batches of 32, 64 tokens at most, AdamW,
gradients clipped, float32, two threads. In turn, each in a process of its own:

* ours: batches of like length, padded to the batch, token embeddings frozen (recipes/encoder.py);
* peer: every batch padded to 64, all parameters trained, as its tutorials begin;
* peer, padded to the batch: batches by chance, padded to their longest text;
* peer, our batches: the very same arrays as ours, token embeddings frozen.

The first two steps (tracing, warm-up) are not counted; they are printed. Processor seconds add up the threads and
depend less on what else the machine does.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BATCH, LENGTH, WARM_UP, THREADS = 32, 64, 2, 2
PEERS = ("peer", "peer, padded to the batch", "peer, our batches")


def prepare(data_set: str, rows: int, folder: Path) -> None:
    """Write both plans of batches, as token numbers, and where the encoder lies."""
    import numpy as np

    from course_utils import data
    from course_utils.data import fetch
    from course_utils.recipes import encoder

    part = data.load(data_set).train
    files = fetch.fetch("minilm")
    pieces = encoder.WordPieces.read(files["tokenizer.json"])
    chosen = np.random.default_rng(0).permutation(len(part))[:rows]
    ids = encoder.token_ids(pieces, [part.texts[i] for i in chosen], LENGTH)
    labels = part.labels[chosen].tolist()
    by_length = encoder.buckets(np.array([len(row) for row in ids]), BATCH, np.random.default_rng(0))
    by_chance = [list(range(k, min(k + BATCH, rows))) for k in range(0, rows, BATCH)]
    plans = {"by length": [[int(i) for i in batch] for batch in by_length], "by chance": by_chance}
    content = {
        "folder": str(files["config.json"].parent),
        "classes": len(part.frame["label"].unique()),
        "ids": ids,
        "labels": labels,
        "plans": plans,
    }
    (folder / "plan.json").write_text(json.dumps(content))


def padded(rows: list[list[int]], width: int) -> list[list[int]]:
    return [row + [0] * (width - len(row)) for row in rows]


def batches(content: dict, plan: str, width: int | None) -> list[tuple[list, list]]:
    """(ids, labels) of every batch, padded to ``width``, or to the batch rounded up to eight."""
    made = []
    for chosen in content["plans"][plan]:
        rows = [content["ids"][i] for i in chosen]
        longest = -(-max(map(len, rows)) // 8) * 8
        made.append((padded(rows, width or longest), [content["labels"][i] for i in chosen]))
    return made


class Clock:
    """Times steps from its making on; the first WARM_UP are timed apart."""

    def __init__(self):
        self.steps, self.start = 0, time.perf_counter()

    def step(self, loss: float) -> None:
        """A step is done; ``loss`` is a number, so it has been waited for."""
        self.steps, self.loss = self.steps + 1, loss
        if self.steps == WARM_UP:
            self.began, self.worked = time.perf_counter(), time.process_time()

    def result(self, arrays: list) -> dict:
        """Seconds, processor seconds and examples of the steps after the first ones, over batches (ids, labels)."""
        return {
            "first": self.began - self.start,
            "seconds": time.perf_counter() - self.began,
            "processor": time.process_time() - self.worked,
            "examples": sum(len(labels) for _, labels in arrays[WARM_UP:]),
            "loss": self.loss,
        }


def ours(content: dict) -> dict:
    """As recipes/encoder.py trains, with `fit`: the step is traced once for all lengths, within the first two."""
    import keras
    import numpy as np

    from course_utils.recipes import encoder

    keras.utils.set_random_seed(0)
    made = encoder.load(progress=False)
    arrays = [(np.array(i, np.int32), np.array(y)) for i, y in batches(content, "by length", None)]
    model = encoder.compiled(made, content["classes"], encoder.Recipe(batch=BATCH, length=LENGTH), steps=100)

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return len(arrays)

        def __getitem__(self, k):
            return arrays[k]

    clock = Clock()
    told = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: clock.step(float(logs["loss"])))
    model.fit(Batches(), shuffle=False, verbose=0, callbacks=[told])
    return clock.result(arrays)


def peer(content: dict, kind: str) -> dict:
    import torch
    import transformers

    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    transformers.logging.set_verbosity_error()
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        content["folder"], num_labels=content["classes"]
    )
    model.train()
    same = kind == "peer, our batches"
    if same:
        model.base_model.embeddings.word_embeddings.weight.requires_grad_(False)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-4, weight_decay=0.01)

    def step(ids, labels):
        optimizer.zero_grad()
        loss = model(input_ids=ids, attention_mask=(ids != 0).long(), labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        return loss.item()

    made = batches(content, "by length" if same else "by chance", LENGTH if kind == "peer" else None)
    arrays = [(torch.tensor(ids), torch.tensor(labels)) for ids, labels in made]
    clock = Clock()
    for ids, labels in arrays:
        clock.step(step(ids, labels))
    return clock.result(arrays)


def measured(python: str, kind: str, folder: Path) -> dict:
    """One run of ``kind`` in a process of its own."""
    from course_utils.runtime import TENSORFLOW_ENVIRONMENT  # the peer's interpreter has no course

    environment = {**TENSORFLOW_ENVIRONMENT, **os.environ, "OMP_NUM_THREADS": str(THREADS)}
    command = [python, str(Path(__file__).resolve()), "--worker", kind, "--folder", str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=1800, cwd=ROOT)
    if run.returncode:
        raise SystemExit(f"{kind} failed:\n{run.stderr[-2000:]}")
    return json.loads(run.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("python", nargs="?", help="the interpreter that has torch and transformers")
    parser.add_argument("--data", default="tickets", choices=["tickets", "sst2"])
    parser.add_argument("--rows", type=int, default=480)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="keep the figures in data/results/09.json")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        content = json.loads((given.folder / "plan.json").read_text())
        print(json.dumps(ours(content) if given.worker == "ours" else peer(content, given.worker)))
        return
    if not given.python:
        parser.error("name the interpreter that has torch and transformers")
    with tempfile.TemporaryDirectory() as scratch:
        prepare(given.data, given.rows, Path(scratch))
        kinds = {"ours": sys.executable} | dict.fromkeys(PEERS, given.python)
        runs = {kind: [] for kind in kinds}
        for round_number in range(given.rounds):
            for kind, python in kinds.items():
                runs[kind].append(measured(python, kind, Path(scratch)))
                last = runs[kind][-1]
                print(
                    f"round {round_number + 1}  {kind:28} {last['examples'] / last['seconds']:6.1f} examples/s, "
                    f"{last['processor']:6.1f} processor seconds, first two steps {last['first']:.1f} s",
                    flush=True,
                )
    speed = {kind: statistics.median(r["examples"] / r["seconds"] for r in found) for kind, found in runs.items()}
    work = {kind: statistics.median(r["examples"] / r["processor"] for r in found) for kind, found in runs.items()}
    print(f"\n{given.data}, {given.rows} rows, medians of {given.rounds} rounds")
    print("ours : peer, by the clock (by processor seconds)")
    for kind in PEERS:
        print(f"  {kind:28} {speed['ours'] / speed[kind]:.2f} ({work['ours'] / work[kind]:.2f})")
    if given.write:
        write(given, speed, work)


def write(given, speed: dict, work: dict) -> None:
    """Keep the figures in data/results/09.json, beside what is there."""
    import kept  # the peer's interpreter has no course

    content = kept.read("09")
    made_by = f"python tests/benchmarks/bert_finetune.py PYTHON --data {given.data} --rows {given.rows} --write"
    content.setdefault("fine-tuning step", {})[given.data] = kept.head(made_by) | {
        "examples_per_second": {kind: round(value, 1) for kind, value in speed.items()},
        "examples_per_processor_second": {kind: round(value, 1) for kind, value in work.items()},
    }
    kept.write("09", content)


if __name__ == "__main__":
    main()
