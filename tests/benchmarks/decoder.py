"""nanoGPT's recipe for a CPU beside the course's: processor seconds to a loss, and the loss for as many of them.

    COURSE_DATA=/folder/with/data python tests/benchmarks/decoder.py [--text tinyshakespeare] [--seeds 0 1] [--write]
        [--ladder | --scaling]

Without ``--text``: Tiny Shakespeare where it can be had without a network, else the course's own text. Five minutes of
processor time for two seeds. ``--ladder`` measures instead, on a hold-out of the training part, each change alone and
the recipe without it, all for equal processor seconds: half an hour for three seeds, on a machine that must be quiet,
because the number of steps comes from what a step costs. ``--scaling`` measures, on the same hold-out, four sizes of
the course's network by four lengths of training, and one point larger in both: ten minutes for two seeds. ``--write``
keeps every row, as soon as it is measured, in data/results/12.json beside what is there; chapter 12 shows it.

Both sides are the same code with the same kernels (``course_utils.recipes.decoder``): nanoGPT's command "I only have a
macbook" (README, ``train.py config/train_shakespeare_char.py --device=cpu … --max_iters=2000 --dropout=0.0``) with
every switch off, ours with the switches on and another shape. Same text, same split (the first nine tenths of the
characters train), same evaluation: the mean over the *whole* validation part, in windows of 64 characters that follow
one another. The numbers of the recipes were chosen on a hold-out, the last tenth of the training part; the validation
part was not looked at for it. Programs run in turn, each in a process of its own and with one thread, which costs both
the fewest processor seconds. Counted is the time from tokens to a trained model, TensorFlow's tracing included, its
import and the evaluation not.
"""

import argparse
import dataclasses
import json
import resource
import statistics
import sys
import time

import kept
from apart import last_line

from course_utils import data
from course_utils.recipes import decoder

PROGRAMS = {"nanoGPT's recipe": decoder.BASELINE, "fast": decoder.FAST, "long": decoder.LONG}
LADDER = {f"alone: {name}": recipe for name, recipe in decoder.ALONE.items()} | {
    f"without: {name}": recipe for name, recipe in decoder.WITHOUT.items()
}
SCALING = decoder.SCALING | decoder.HELD_OUT
LADDER_SECONDS = 8.0  # of processor time for the steps of each run of the ladder
COST_STEPS, COST_ROUNDS = 60, 3
TRACED = 3  # steps after which TensorFlow has nothing more to prepare


def measure(program: str, text: str, seed: int, steps: int | None, holdout: bool, judge: bool) -> dict:
    """Train once in this process, for ``steps`` steps if they are given; judge the model on the part held out."""
    recipe = (PROGRAMS | LADDER | SCALING)[program]
    recipe = dataclasses.replace(recipe, steps=steps) if steps else recipe
    prose = data.load(text, progress=False)
    letters = decoder.alphabet(prose.text)
    train, held_out = (decoder.encode(part, letters) for part in (prose.train, prose.validation))
    if holdout:
        cut = int(0.9 * len(train))
        train, held_out = train[:cut], train[cut:]
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    decoder.train  # noqa: B018 - imports Keras and the network, outside the clock
    marks = []

    def on_step(done, loss, model):
        if done == TRACED:
            float(loss)
            marks.append(time.process_time())

    began, worked = time.perf_counter(), time.process_time()
    model = decoder.train(train, len(letters), recipe, seed=seed, on_step=on_step)
    seconds, processor = time.perf_counter() - began, time.process_time() - worked
    loss = decoder.loss(model, held_out, context=decoder.BASELINE.context) if judge else None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    return {
        "program": program,
        "text": text,
        "seed": seed,
        "loss": loss and round(loss, 4),
        "processor_seconds": round(processor, 2),
        "seconds": round(seconds, 2),
        "until_traced": round(marks[0] - worked, 2),
        "milliseconds_a_step": round(1000 * (worked + processor - marks[0]) / (recipe.steps - TRACED), 2),
        "tokens_a_step": recipe.batch * recipe.context,
        "steps": recipe.steps,
        "parameters": model.count_params(),
        "peak_mib": round(peak),
    }


def in_a_process(
    program: str, text: str, seed: int, *, steps: int | None = None, holdout: bool = False, judge: bool = True
) -> dict:
    words = ["--one", program, "--text", text, "--seeds", str(seed)]
    words += ["--steps", str(steps)] if steps else []
    words += ["--holdout"] if holdout else []
    words += [] if judge else ["--unjudged"]
    row = last_line(__file__, words, what=f"{program}, seed {seed},", seconds=3600)
    if judge:
        print(
            f"{program:48} seed {seed}: {row['loss']:.4f} nats a character, {row['processor_seconds']:6.1f} processor "
            f"seconds ({row['steps']:,} × {row['milliseconds_a_step']:.1f} ms), {row['parameters']:,} parameters",
            flush=True,
        )
    return row


def climb_the_ladder(seeds: list[int], programs: list[str], keep) -> None:
    """What a step of each rung costs, measured in turn, and then each rung for equal processor seconds."""
    costs = dict.fromkeys(programs, float("inf"))
    for _ in range(COST_ROUNDS):
        for program in programs:
            row = in_a_process(program, "tinyshakespeare", 0, steps=COST_STEPS, holdout=True, judge=False)
            costs[program] = min(costs[program], row["milliseconds_a_step"])
    for seed in seeds:
        for program, cost in costs.items():
            row = in_a_process(program, "tinyshakespeare", seed, steps=steps_for(cost), holdout=True)
            keep("ladder", row | {"milliseconds_a_step_alone": cost})


def steps_for(milliseconds: float) -> int:
    return round(1000 * LADDER_SECONDS / milliseconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", choices=["tinyshakespeare", "course_text"], default=None)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--ladder", action="store_true", help="measure each change, on a hold-out of the training part")
    parser.add_argument("--scaling", action="store_true", help="measure sizes and lengths, on the same hold-out")
    parser.add_argument("--only", nargs="+", metavar="RUNG", help="with --ladder: measure these only")
    parser.add_argument("--write", action="store_true", help="keep the results in data/results/12.json")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--steps", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--holdout", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--unjudged", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    here = data.status("tinyshakespeare").state != "to download"
    text = options.text or ("tinyshakespeare" if here else "course_text")
    if options.one:
        row = measure(options.one, text, options.seeds[0], options.steps, options.holdout, not options.unjudged)
        print(json.dumps(row))
        return
    keep = write if options.write else lambda *_: None
    if options.ladder:
        climb_the_ladder(options.seeds, options.only or list(LADDER), keep)
        return
    if options.scaling:
        for seed in options.seeds:
            for program in SCALING:
                keep("scaling", in_a_process(program, "tinyshakespeare", seed, holdout=True))
        return
    rows = []
    for seed in options.seeds:
        for program in PROGRAMS:
            rows.append(in_a_process(program, text, seed))
            keep("test", rows[-1])
    conclude(rows)


def write(part: str, row: dict) -> None:
    """Put a row into data/results/12.json: what was measured again replaces what was kept, in the programs' order."""
    content = kept.read("12")
    order = [*LADDER, *SCALING, *PROGRAMS]
    rows = {(one["text"], one["program"], one["seed"]): one for one in [*content.get(part, []), row]}
    content[part] = sorted(
        (one for one in rows.values() if one["program"] in order),
        key=lambda one: (one["text"], order.index(one["program"]), one["seed"]),
    )
    head = kept.head("python tests/benchmarks/decoder.py --write, for each text, with --ladder, with --scaling")
    kept.write("12", head | {key: value for key, value in content.items() if key not in head})


def conclude(rows: list[dict]) -> None:
    """The two figures that count: cheaper to the same loss, better for the same money."""

    def of(program: str, key: str) -> list[float]:
        return [row[key] for row in rows if row["program"] == program]

    theirs, ours, longer = PROGRAMS
    reached = max(of(ours, "loss")) <= min(of(theirs, "loss"))
    ratio = statistics.fmean(of(theirs, "processor_seconds")) / statistics.fmean(of(ours, "processor_seconds"))
    share = statistics.fmean(of(longer, "processor_seconds")) / statistics.fmean(of(theirs, "processor_seconds"))
    below = statistics.fmean(of(theirs, "loss")) - statistics.fmean(of(longer, "loss"))
    print(f"its loss {'' if reached else 'not '}reached by every seed, in processor seconds 1/{ratio:.1f} of its own")
    print(f"below it by {below:.3f} nats a character in {share:.2f} of its processor seconds")
    print(f"ratio: {ratio:.1f}")


if __name__ == "__main__":
    main()
