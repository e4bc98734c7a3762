"""The articles' MNIST program beside the course's recipe: seconds, memory and test accuracy, in turn, three seeds each.

    COURSE_DATA=/folder/with/data python tests/benchmarks/mnist_time_to_accuracy.py [--seeds 0 1 2] [--write]
        [--ladder | --crossed]

Needs the real MNIST (COURSE_DATA, the cache or a network) and an otherwise idle machine: 10 minutes on two cores.
``--ladder`` measures every single change instead, on a validation split, in three quarters of an hour; ``--crossed``
each of the two networks with each of the two ways to train. ``--write`` keeps every row, as soon as it is measured, in
data/results/07.json beside what is there; chapter 07 shows it.

Seconds go from loaded arrays to a trained model, TensorFlow's tracing included and its import not; "whole program"
includes everything; processor seconds add up both cores. Each program runs in a process of its own. The articles'
program is the listing of section B5.2: only the data's source, the seed, the quiet output and a look at the test
set after each epoch (outside the clock) are ours.
"""

import argparse
import json
import resource
import statistics
import sys
import time

import kept
from apart import last_line

from course_utils.recipes import mnist

VALIDATION = 5_000


def article(train_images, train_labels, callbacks=()):
    """The listing, from its preprocessing to its call of fit."""
    import tensorflow as tf

    train_images = train_images / 255.0
    train_images = tf.expand_dims(train_images, axis=-1)
    train_labels = tf.keras.utils.to_categorical(train_labels)
    model = tf.keras.Sequential(
        [
            tf.keras.layers.Conv2D(32, (3, 3), activation="relu", input_shape=(28, 28, 1)),
            tf.keras.layers.MaxPooling2D((2, 2)),
            tf.keras.layers.Conv2D(64, (3, 3), activation="relu"),
            tf.keras.layers.MaxPooling2D((2, 2)),
            tf.keras.layers.Conv2D(64, (3, 3), activation="relu"),
            tf.keras.layers.Flatten(),
            tf.keras.layers.Dense(64, activation="relu"),
            tf.keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    model.fit(train_images, train_labels, epochs=10, batch_size=32, verbose=0, callbacks=list(callbacks))
    return model


def measure(program: str, seed: int, validation: bool) -> dict:
    """Train once in this process. ``program`` is "article", "recipe" or a rung of the ladder."""
    import numpy as np

    from course_utils import data

    # The package's split holds out the last 5,000 training images; the articles train on all 60,000.
    digits = data.load("mnist", progress=False)
    parts = [digits.train] if validation else [digits.train, digits.validation]
    if program == "on digits":  # what the quick profile trains, read by it: MNIST's test set
        parts = [data.load("digits").train]
    x, y = (np.concatenate([getattr(part, name) for part in parts]) for name in ("images", "labels"))
    judge = digits.validation if validation else digits.test
    import keras

    keras.utils.set_random_seed(seed)
    began, worked = time.perf_counter(), time.process_time()
    look = after_each_epoch(judge)
    if program == "article":
        model, scale = article(x, y, [look]), 255.0
    else:
        others = {"recipe": mnist.FAST, "on digits": mnist.Recipe(epochs=16), **mnist.CROSSED}
        recipe = others.get(program) or mnist.LADDER[program]
        model, scale = mnist.train(x, y, recipe, seed=seed), 1.0
    seconds = time.perf_counter() - began - look.seconds
    processor = time.process_time() - worked - look.processor
    predicted = model.predict(judge.images[..., None] / scale, batch_size=500, verbose=0).argmax(axis=1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    return {
        "program": program,
        "seed": seed,
        "accuracy": float((predicted == judge.labels).mean()),
        "seconds": round(seconds, 2),
        "processor_seconds": round(processor, 2),
        "peak_mib": round(peak),
    } | ({"by_epoch": look.accuracies} if look.accuracies else {})


def after_each_epoch(judge):
    """A callback that keeps the accuracy on ``judge`` after each epoch, and how long that took."""
    import keras

    class Look(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.accuracies, self.seconds, self.processor = [], 0.0, 0.0

        def on_epoch_end(self, epoch, logs=None):
            began, worked = time.perf_counter(), time.process_time()
            answers = self.model.predict(judge.images[..., None] / 255.0, batch_size=500, verbose=0).argmax(axis=1)
            self.accuracies.append(float((answers == judge.labels).mean()))
            self.seconds += time.perf_counter() - began
            self.processor += time.process_time() - worked

    return Look()


def in_a_process(program: str, seed: int, *, validation: bool = False) -> dict:
    words = ["--one", program, "--seeds", str(seed), *(["--validation"] if validation else [])]
    began = time.perf_counter()
    row = last_line(__file__, words, what=f"{program}, seed {seed},", seconds=1800)
    row["whole"] = round(time.perf_counter() - began, 2)
    print(
        f"{program:28} seed {seed}: accuracy {row['accuracy']:.4f}, {row['seconds']:6.1f} s "
        f"({row['processor_seconds']:.1f} s of processor, {row['whole']:.1f} s whole), {row['peak_mib']:,} MiB",
        flush=True,
    )
    return row


def summary(rows: list[dict]) -> dict:
    accuracies, seconds = [row["accuracy"] for row in rows], [row["seconds"] for row in rows]
    return {
        "accuracy": statistics.fmean(accuracies),
        "spread": statistics.stdev(accuracies) if len(rows) > 1 else 0.0,
        "seconds": statistics.fmean(seconds),
        "whole": statistics.fmean(row["whole"] for row in rows),
        "peak_mib": max(row["peak_mib"] for row in rows),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--ladder", action="store_true", help="measure every single change, on the validation split")
    parser.add_argument("--crossed", action="store_true", help="measure each network with each training, likewise")
    parser.add_argument("--write", action="store_true", help="keep the results in data/results/07.json")
    parser.add_argument("--only", nargs="+", metavar="RUNG", help="with --ladder or --crossed: measure these only")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--validation", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.seeds[0], options.validation)))
        return

    keep = write if options.write else lambda *_: None
    if options.ladder or options.crossed:
        part, programs = ("ladder", mnist.LADDER) if options.ladder else ("crossed", mnist.CROSSED)
        for seed in options.seeds:
            for program in options.only or programs:
                keep(part, [in_a_process(program, seed, validation=True)])
        return
    rows: dict[str, list[dict]] = {"article": [], "recipe": []}
    for seed in options.seeds:
        for program, measured in rows.items():
            measured.append(in_a_process(program, seed))
            keep("test", measured[-1:])
        keep("transfer", [in_a_process("on digits", seed)])
    conclude(rows)


def write(part: str, measured: list[dict]) -> None:
    """Put rows into data/results/07.json: what was measured again replaces what was kept, in the ladder's order."""
    content = kept.read("07")
    order = [*mnist.LADDER, *mnist.CROSSED, "article", "recipe", "on digits"]
    before = content.get(part, [])
    if part == "test":
        before = [row for rows in content.get(part, {}).values() for row in rows]
    rows = {(row["program"], row["seed"]): row for row in before + measured if row["program"] in order}
    sorted_rows = sorted(rows.values(), key=lambda row: (order.index(row["program"]), row["seed"]))
    content[part] = sorted_rows
    if part == "test":
        content[part] = {name: [r for r in sorted_rows if r["program"] == name] for name in ("article", "recipe")}
    head = kept.head(
        "python tests/benchmarks/mnist_time_to_accuracy.py --write, again with --ladder and with --crossed"
    )
    kept.write("07", head | {key: value for key, value in content.items() if key not in head})


def conclude(rows: dict[str, list[dict]]) -> None:
    theirs, ours = summary(rows["article"]), summary(rows["recipe"])
    for name, figures in (("the articles' program", theirs), ("the course's recipe", ours)):
        print(
            f"{name}: test accuracy {figures['accuracy']:.4f} ± {figures['spread']:.4f}, "
            f"{figures['seconds']:.1f} s ({figures['whole']:.1f} s whole program), {figures['peak_mib']:,} MiB"
        )
    print(f"whole program: {theirs['whole'] / ours['whole']:.1f} times as fast")
    print(f"ratio: {theirs['seconds'] / ours['seconds']:.1f}")


if __name__ == "__main__":
    main()
