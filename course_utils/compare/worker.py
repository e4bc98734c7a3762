"""One candidate in a process of its own, so that its memory is its own and so are its failures.

Started by `course_utils.compare.jobs`. A job has a ``phase``: "train" trains and saves a candidate, "judge" loads the
saved model as a service would and measures its answers, so that what is reported is what was saved.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from course_utils.compare import jobs, timing
from course_utils.language import say
from course_utils.runtime import peak_mib

MOST_SINGLE = 400  # messages that are answered one by one
SECONDS_SINGLE = 10.0


def main() -> int:
    """Do the job; 0 where it was done, 1 where the last event says why not."""
    return jobs.work(lambda job, emit: {"train": train, "judge": judge}[job["phase"]](job, _sparing(emit)))


def _sparing(emit: Callable[..., None]) -> Callable[[str, float | None], None]:
    """At most some ten events a second, and each new stage."""
    last = ["", 0.0]

    def tell(stage: str, share: float | None) -> None:
        now = time.monotonic()
        if stage != last[0] or now - last[1] > 0.1:
            last[:] = [stage, now]
            emit("progress", stage=stage, share=share)

    return tell


def train(job: dict[str, Any], tell: Callable[[str, float | None], None]) -> dict[str, Any]:
    """Train in each split and predict what it leaves out; then train on everything and save that.

    A job has ``texts`` and ``labels`` (all outside the test), ``splits`` (for each, the rows to train on and those to
    predict; where they are a part of all, ``first`` and ``of`` say which) and ``final`` (the rows that the saved model
    learns from; None saves none). Returns seconds, sizes and the probabilities of
    the predicted rows, split by split.
    """
    import numpy as np

    from course_utils import bundles
    from course_utils.compare import candidates
    from course_utils.recipes import encoder_source

    candidate = candidates.BY_NAME[job["candidate"]]
    if candidate.framework:
        _start(job["seed"], tell)
    names, texts = tuple(job["class_names"]), job["texts"]
    labels = np.array(job["labels"], dtype=np.int64)
    vectors, reading = None, 0.0
    if candidate.name == "frozen":
        tell(say("loading the encoder"), None)
        wanted = sorted({row for split in job["splits"] for rows in split for row in rows} | set(job["final"] or ()))
        tell(say("reading the messages"), None)
        found, reading = candidates.frozen_vectors([texts[row] for row in wanted], job["settings"], job["encoder"])
        vectors = np.zeros((len(texts), found.shape[1]), found.dtype)
        vectors[wanted] = found
        reading *= len(job["final"] or ()) / max(len(wanted), 1)  # what the saved model would have needed

    def fitted(rows: list[int], words: str) -> tuple[Any, float]:
        return candidates.train(
            candidate.name,
            [texts[row] for row in rows],
            labels[rows],
            names,
            job["language"],
            job["settings"],
            seed=job["seed"],
            tell=lambda stage, share: tell(say("{words}: {stage}", words=words, stage=stage), share),
            vectors=None if vectors is None else vectors[rows],
            encoder=job["encoder"],
        )

    predicted, model = [], None
    for number, (rows, held) in enumerate(job["splits"], job.get("first", 1)):
        model, seconds = fitted(rows, say("split {n} of {total}", n=number, total=job.get("of", len(job["splits"]))))
        shares = (
            model.of_vectors(vectors[held])
            if vectors is not None
            else model.predict_proba([texts[row] for row in held])
        )
        predicted.append(_rounded(shares))
        if rows != job["final"]:
            model = None
    if job["final"] is None:
        return {"validation": predicted}
    if model is None:
        model, seconds = fitted(job["final"], say("all labels outside the test"))
    tell(say("saving"), None)
    facts = {"encoder": encoder_source.label(job["encoder"])} if candidate.encoder else {}
    card = bundles.save(model, Path(job["folder"]), trained_on=len(job["final"]), seed=job["seed"], **facts)
    return {
        "train_seconds": seconds + reading,
        "trained_on": len(job["final"]),
        "bytes_needed": bundles.size(card),
        "validation": predicted,
    }


def judge(job: dict[str, Any], tell: Callable[[str, float | None], None]) -> dict[str, Any]:
    """Load the saved model as a service would, answer messages one by one, and predict the test."""
    import numpy as np

    from course_utils import bundles

    if bundles.needs_keras(Path(job["folder"])):
        _start(job["seed"], tell)
    tell(say("loading the saved model"), None)
    model = bundles.load_model(Path(job["folder"]))
    tell(say("answering one message at a time"), None)
    alone = job["texts"][:MOST_SINGLE]
    times = timing.single_times(model, alone, len(alone), SECONDS_SINGLE)
    memory = peak_mib()  # one message at a time is how a service answers; large batches come after it
    tell(say("predicting the test"), None)
    test = _rounded(model.predict_proba(job["texts"]))
    return {
        "test": test,
        "cut": model.cut(job["texts"]),
        "answer_memory_mib": memory,
        "p50_ms": float(np.percentile(times, 50)),
        "p99_ms": float(np.percentile(times, 99)),
        "answered": len(times),
    }


def _rounded(shares: Any) -> list[list[float]]:
    """Probabilities as a record keeps them."""
    return [[round(float(share), 5) for share in row] for row in shares]


def _start(seed: int, tell: Callable[[str, float | None], None]) -> None:
    from course_utils import runtime

    tell(say("starting Keras"), None)
    runtime.start_keras("quick", seed)  # float32 in every profile: what is saved is to run anywhere


if __name__ == "__main__":
    sys.exit(main())
