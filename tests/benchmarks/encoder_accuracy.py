"""What the encoder of chapter 09 reaches, over several draws of the training set, with paired bootstrap intervals.

    python tests/benchmarks/encoder_accuracy.py tickets [--draws 5] [--fine-tune] [--write]
    python tests/benchmarks/encoder_accuracy.py sst2 [--rows 2000 8000] [--seeds 0 1 2] [--write]     (COURSE_DATA)

``tickets``: macro-F1 on the 400 test tickets with 100 training examples (several draws, class by class) and with all
500, of TF-IDF with logistic regression, the frozen encoder with logistic regression and, on request, the encoder
with its upper three layers trained. The encoder's kind is chosen on the validation tickets, never on the test. The
interval is of the difference, from 2,000 resamplings of the test tickets, the same for both models.

``sst2``: accuracy on the 872 dev sentences of the whole encoder fine-tuned, mean and spread over seeds.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

import kept

from course_utils.runtime import TENSORFLOW_ENVIRONMENT

ROOT = Path(__file__).resolve().parents[2]


def draw(labels, size: int, seed: int):
    """``size`` row numbers, class by class; all of them if there are no more."""
    import numpy as np
    from sklearn.model_selection import train_test_split

    rows = np.arange(len(labels))
    return rows if size >= len(rows) else train_test_split(rows, train_size=size, stratify=labels, random_state=seed)[0]


def tickets(draws: int, fine_tune: bool) -> list[dict]:
    from sklearn.linear_model import LogisticRegression

    from course_utils import data
    from course_utils.compare.scores import Draws, macro_f1
    from course_utils.recipes import encoder, text

    made = data.load("tickets")
    classes = len(made.class_names)
    resampled = Draws.of(made.test.labels, classes)
    still = encoder.load(progress=False)
    vectors = {
        part: encoder.sentence_vectors(still, getattr(made, part).texts) for part in ("train", "validation", "test")
    }
    rows = []
    for size in (100, len(made.train)):
        for seed in range(draws if size < len(made.train) else 1):
            chosen = draw(made.train.labels, size, seed)
            texts, labels = [made.train.texts[i] for i in chosen], made.train.labels[chosen]
            answers = {}
            model = text.tfidf().fit(texts, labels)
            answers["TF-IDF"] = {part: model.predict(getattr(made, part).texts) for part in ("validation", "test")}
            head = LogisticRegression(C=1, class_weight="balanced", max_iter=3000).fit(vectors["train"][chosen], labels)
            answers["frozen"] = {part: head.predict(vectors[part]) for part in ("validation", "test")}
            if fine_tune:
                moved = encoder.load(progress=False)
                recipe = encoder.Recipe(epochs=8 if size == 100 else 5, learning_rate=3e-4, layers=3)
                model = encoder.fine_tune(moved, texts, labels, classes, recipe, seed=seed)
                answers["fine-tuned"] = {
                    part: encoder.predict(model, moved, getattr(made, part).texts).argmax(1)
                    for part in ("validation", "test")
                }
            row = {"rows": size, "draw": seed}
            judged = {kind: macro_f1(made.validation.labels, a["validation"], classes) for kind, a in answers.items()}
            row["chosen"] = max((kind for kind in answers if kind != "TF-IDF"), key=judged.get)
            row |= {kind: round(macro_f1(made.test.labels, a["test"], classes), 4) for kind, a in answers.items()}
            row |= {
                f"{kind} accuracy": round(float((a["test"] == made.test.labels).mean()), 4)
                for kind, a in answers.items()
            }
            best, base = answers[row["chosen"]]["test"], answers["TF-IDF"]["test"]
            ahead = resampled.shortfall(best, base)
            row["difference"] = round(ahead.value, 4)
            row["interval"] = [round(ahead.low, 4), round(ahead.high, 4)]
            rows.append(row)
            print(json.dumps(row), flush=True)
    few = [row["difference"] for row in rows if row["rows"] == 100]
    low, high = min(row["interval"][0] for row in rows if row["rows"] == 100), rows[-1]["interval"]
    print(
        f"\n100 rows: the encoder is {statistics.mean(few):+.3f} macro-F1 from TF-IDF (mean of {len(few)} draws, from "
        f"{min(few):+.3f} to {max(few):+.3f}; lowest end of an interval {low:+.3f})"
    )
    print(f"all rows: {rows[-1]['difference']:+.3f} (95 % interval {high[0]:+.3f} to {high[1]:+.3f})")
    return rows


def sst2(sizes: list[int], seeds: list[int], epochs: int | None) -> list[dict]:
    import numpy as np

    from course_utils import data
    from course_utils.recipes import encoder

    made = data.load("sst2")
    rows = []
    for size in sizes:
        for seed in seeds:
            chosen = draw(made.train.labels, size, seed)
            recipe = encoder.Recipe(epochs=epochs or (3 if size <= 2_000 else 2))
            moved = encoder.load(progress=False)
            began, worked = time.perf_counter(), time.process_time()
            model = encoder.fine_tune(
                moved, [made.train.texts[i] for i in chosen], made.train.labels[chosen], 2, recipe, seed=seed
            )
            spent = {"seconds": round(time.perf_counter() - began), "processor": round(time.process_time() - worked)}
            predicted = encoder.predict(model, moved, made.test.texts).argmax(1)
            accuracy = float(np.mean(predicted == made.test.labels))
            rows.append(
                {"rows": len(chosen), "seed": seed, "epochs": recipe.epochs, "accuracy": round(accuracy, 4), **spent}
            )
            print(json.dumps(rows[-1]), flush=True)
        found = [row["accuracy"] for row in rows if row["rows"] == len(chosen)]
        spread = statistics.stdev(found) if len(found) > 1 else float("nan")
        print(f"{size} rows: {statistics.mean(found):.4f} ± {spread:.4f} ({len(found)} seeds)", flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", choices=["tickets", "sst2"])
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--fine-tune", action="store_true")
    parser.add_argument("--rows", type=int, nargs="+", default=[2_000, 8_000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--write", action="store_true", help="keep the figures in data/results/09.json")
    given = parser.parse_args()
    os.environ.update(TENSORFLOW_ENVIRONMENT | os.environ)
    rows = (
        tickets(given.draws, given.fine_tune)
        if given.data == "tickets"
        else sst2(given.rows, given.seeds, given.epochs)
    )
    if given.write:
        content = kept.read("09")
        record = content.setdefault("accuracy", {}).setdefault(given.data, {"rows": []})
        same = {(row["rows"], row.get("draw", row.get("seed"))) for row in rows}
        record["rows"] = [
            row for row in record["rows"] if (row["rows"], row.get("draw", row.get("seed"))) not in same
        ] + rows
        record |= kept.head(f"python tests/benchmarks/encoder_accuracy.py {given.data} --write")
        kept.write("09", content)


if __name__ == "__main__":
    main()
