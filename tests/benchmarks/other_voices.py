"""Chapter 14's spoken digits with several seeds: which voices close the gap between synthetic and real ones.

    python tests/benchmarks/other_voices.py [--seeds 5] [--write]

Runs the chapter's own cells, from the recordings to the networks of all five programs, once for each seed, and trains
two ways more with the same functions: by espeak-ng alone, whose voices are rules, and by RHVoice and Pico alone, whose
voices were built from recordings. For each way: the words heard of the two judging programs (only where the way did
not learn from them), of all real speakers and of the two that were added last, and the share of the gap that it
closes. The seed moves the synthetic voices, the changes and the networks; the real words are the same each time.
``--write`` keeps the figures in ``data/results/14.json``.
"""

import argparse

import kept
import numpy as np

from course_utils.authoring import sources
from course_utils.chapters import select

FIRST, LAST = "import spoken_digits as synthesiser", "who |= {"
PARTS = {"only espeak-ng": ["espeak-ng"], "only RHVoice and Pico": ["rhvoice", "pico"]}


def cells() -> list[str]:
    """The chapter's set-up cell, and its cells from the first that uses the synthesiser to the real speakers' table."""
    code = [cell.source for cell in sources.read(select(["14"])[0]).cells if cell.code]
    first, last = (next(i for i, cell in enumerate(code) if mark in cell) for mark in (FIRST, LAST))
    return [next(cell for cell in code if "setup(" in cell), *code[first : last + 1]]


def rows(seed: int) -> list[dict]:
    """For each way the words heard with one seed."""
    chapter = {"profile": "quick", "seed": seed}
    for cell in cells():
        exec(compile(cell, "chapter 14", "exec"), chapter)
    trained, hear, real_labels, who = (chapter[name] for name in ("trained", "hear", "real_labels", "who"))
    for way, programs in PARTS.items():
        trained[way] = chapter["with_own"](*chapter["said_by"](*programs))
    right = {way: hear(models, chapter["real_sounds"]) == real_labels for way, models in trained.items()}
    judging, judged_labels, held = chapter["judging"], chapter["judged_labels"], chapter["held"].value
    own = right["own"].mean()
    return [
        {
            "way": way,
            "seed": seed,
            "judges' 110": None if way == "five programs" else int((hear(models, judging) == judged_labels).sum()),
            f"real {len(real_labels)}": int(right[way].sum()),
            "last two's 20": int(right[way][who["the last two"]].sum()),
            "closed": round(float((right[way].mean() - own) / (held - own)), 3),
        }
        for way, models in trained.items()
    ]


def main(seeds: int, write: bool) -> None:
    record = kept.head(f"python tests/benchmarks/other_voices.py --seeds {seeds} --write") | {"runs": []}
    for seed in range(seeds):
        for row in rows(seed):
            record["runs"].append(row)
            print(row, flush=True)
    five = [row["closed"] for row in record["runs"] if row["way"] == "five programs"]
    print(f"five programs close {np.mean(five):.2f} of the gap ({min(five):.2f} to {max(five):.2f}); asked was half")
    if write:
        kept.write("14", kept.read("14") | {"voices": record})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="keep the figures in data/results/14.json")
    arguments = parser.parse_args()
    main(arguments.seeds, arguments.write)
