"""A comparison from beginning to end: read, look, train each candidate in its own process, judge, choose, report.

What a candidate brought is kept in the folder as it finishes, under a fingerprint of all that it depends on; a run that
was interrupted goes on from there.
"""

import dataclasses
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils.compare import candidates, findings, folder, recommendation, report, scores, split
from course_utils.compare.candidates import Candidate
from course_utils.compare.comparison import Comparison, Outcome
from course_utils.compare.display import Display
from course_utils.compare.recommendation import Recommendation
from course_utils.compare.session import LIMIT_SECONDS, Session
from course_utils.compare.split import Split
from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.runtime import check_profile

if TYPE_CHECKING:
    from course_utils.data.text import TextData


def run(
    data: "TextData | str | Path",
    text: str | None = None,
    label: str | None = None,
    *,
    out: Path | str | None = None,
    profile: str = "quick",
    candidates: Sequence[str] | str | None = None,
    margin: float = 0.02,
    seed: int = 0,
    fresh: bool = False,
    progress: bool = True,
) -> Comparison:
    """Compare models on labelled messages: a CSV file with the columns ``text`` and ``label``, or a text set.

    ``out`` (default: ``compare-NAME`` in the current folder) receives report.html, report.json, the recommended model
    in ``model/`` and what each candidate brought; run again, it goes on from there, unless ``fresh``. ``candidates``
    are names out of majority, tfidf, small, frozen and finetuned (default: all); ``margin`` is how much macro-F1 the
    smallest model may lack. Each candidate is trained and judged in a process of its own, at most half an hour each
    (6 hours in the full profile). Raises CourseError for data, names or a folder that cannot be meant.
    """
    begun = time.monotonic()
    chosen = _checked(profile, candidates, margin, seed)
    with Display(len(chosen), progress) as display:
        display.stage(say("reading the data"))
        compared = read(data, text, label, seed)
        where = folder.prepare(out, compared, fresh)
        display.stage(say("looking for what is wrong with the data"))
        found = findings.look(compared)
        suspects, looked_at = findings.suspects(compared, seed)
        found += findings.noise(suspects, looked_at)
        with folder.writing(where):
            report.write_suspects(suspects, where / "possible_wrong_labels.csv")
        session = Session(compared, where, profile, seed, display, named=candidates is not None)
        outcomes = []
        for candidate in chosen:
            display.stage(candidate.title)
            outcomes.append(session.outcome(candidate))
            display.finished(outcomes[-1])
        display.stage(say("writing the report"))
        outcomes, advice = _judged(outcomes, compared, margin, seed)
        with folder.writing(where):
            folder.keep_chosen(where, advice)
        comparison = Comparison(
            compared.name,
            where,
            tuple(outcomes),
            tuple(found),
            tuple(suspects),
            advice,
            compared.class_names,
            {name: len(getattr(compared, name)) for name in split.NAMES},
            time.monotonic() - begun,
            {
                "profile": profile,
                "margin": margin,
                "seed": seed,
                "split": compared.rule,
                "language": compared.language,
                "limit_seconds": LIMIT_SECONDS[profile],
            },
        )
        with folder.writing(where):
            report.write(comparison, compared)
    return comparison


def _checked(profile: str, names: Sequence[str] | str | None, margin: float, seed: int) -> list[Candidate]:
    check_profile(profile)
    if isinstance(margin, bool) or not isinstance(margin, int | float) or not 0 <= margin < 1:
        raise CourseError(
            say(
                "margin must be a share from 0 to below 1, such as 0.02 for two points; it is {margin!r}.",
                margin=margin,
            )
        )
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise CourseError(say("seed must be a whole number from 0 to 4294967295; it is {seed!r}.", seed=seed))
    return candidates.chosen(names)


def read(data: Any, text: str | None, label: str | None, seed: int = 0) -> Split:
    """The messages in their three parts, of a CSV file or of a text set. Raises CourseError as `run` does."""
    from course_utils.data.text import TextData

    if isinstance(data, TextData):
        return split.of_text_data(data)
    if not isinstance(data, str | os.PathLike):
        raise CourseError(
            say("compare.run wants the path of a CSV file or a text set; it got {kind}.", kind=type(data).__name__)
        )
    if not text or not label:
        raise CourseError(say('Name the columns of the message and of its class: text="…", label="…".'))
    from course_utils.data import load_csv

    return split.of_csv(load_csv(data, text=text, label=label), seed)


def _judged(
    outcomes: list[Outcome], compared: Split, margin: float, seed: int
) -> tuple[list[Outcome], Recommendation | None]:
    classes = len(compared.class_names)
    tested = scores.Draws.of(compared.test.labels, classes, seed=seed + 1)
    held = scores.Draws.of(compared.validation.labels, classes, seed=seed)
    judged, results = [], {}
    for one in outcomes:
        if one.state == "done":
            results[one.candidate.name] = one.result
            said = np.array(one.result["answers"]["test"]["predictions"])
            macro_f1, accuracy = tested.estimates(said)
            one = dataclasses.replace(
                one,
                macro_f1=macro_f1,
                accuracy=accuracy,
                validation=held.estimates(np.array(one.result["answers"]["validation"]["predictions"]))[0],
                recalls=scores.recalls(compared.test.labels, said, classes),
            )
        judged.append(one)
    advice = recommendation.recommend(
        results, compared.validation.labels, compared.test.labels, classes, margin=margin, seed=seed
    )
    return judged, advice
