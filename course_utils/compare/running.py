"""A comparison from beginning to end: read, look, train each candidate in its own process, judge, choose, report.

What a candidate brought is kept in the folder as it finishes, under a fingerprint of all that it depends on; a run that
was interrupted goes on from there.
"""

import dataclasses
import itertools
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils.compare import account, api, candidates, findings, folder, recommendation, report, scores, split
from course_utils.compare.account import CURRENCY, Currency
from course_utils.compare.api import PRICES, Prices
from course_utils.compare.candidates import BY_NAME, ENCODER, Candidate
from course_utils.compare.comparison import Comparison, Outcome
from course_utils.compare.display import Display
from course_utils.compare.recommendation import Recommendation
from course_utils.compare.session import LIMIT_SECONDS, Session
from course_utils.compare.split import Split
from course_utils.errors import CourseError, near_misses
from course_utils.language import say
from course_utils.recipes import encoder_source
from course_utils.runtime import check_profile

if TYPE_CHECKING:
    from course_utils.data.text import TextData

REFITS = ["outside", "all"]  # what the saved model learns from


def run(
    data: "TextData | str | Path",
    text: str | None = None,
    label: str | None = None,
    *,
    time_column: str | None = None,
    out: Path | str | None = None,
    profile: str = "quick",
    candidates: Sequence[str] | str | None = None,
    currency: Currency = CURRENCY,
    must_find: Mapping[str, float] | None = None,
    prices: Prices = PRICES,
    splits: int | None = None,
    refit: str = "outside",
    encoder: str | None = None,
    seed: int = 0,
    fresh: bool = False,
    progress: bool = True,
) -> Comparison:
    """Compare models on labelled messages: a CSV file with the columns ``text`` and ``label``, or a text set.

    ``out`` (default: ``compare-NAME`` in the current folder) receives report.html, report.json, the recommended model
    in ``model/`` and what each candidate brought; run again, it goes on from there, unless ``fresh``. ``candidates``
    are names out of majority, tfidf, small, frozen and finetuned (default: all); ``currency`` says what a message
    costs, ``must_find`` maps a class to the share of its messages that has to be found, ``prices`` are a provider's;
    ``time_column`` names the column of dates by which the newest messages become the test.
    ``splits`` (1, 3 or 5; default: 3 for up to 2,000 labels outside the test, else 1): how often models are trained
    and judged on other parts before one is chosen. The model that is saved has learnt from all labels outside the
    test, with ``refit="all"`` from the test's too, so that no figure is exactly its own. ``encoder`` is a folder with a
    published BERT or a preset of keras_hub, where the course's own is for another language. Each candidate is trained
    and judged in a process of its own, at most half an hour each (6 hours in the full profile). Raises CourseError
    for data, names or a folder that cannot be meant.
    """
    begun = time.monotonic()
    chosen = _checked(profile, candidates, splits, refit, seed)
    if encoder is not None:
        encoder_source.layers_and_width(encoder)  # a folder that holds none is said at once
    with Display(len(chosen), progress) as display:
        display.stage(say("reading the data"))
        compared = read(data, text, label, seed, splits, time_column)
        limits = classes_to_find(must_find or {}, compared.class_names)
        where = folder.prepare(out, compared, fresh)
        display.stage(say("looking for what is wrong with the data"))
        found = findings.look(compared, own_encoder=encoder is not None)
        suspects, looked_at = findings.suspects(compared, seed)
        found += findings.noise(suspects, looked_at)
        found += findings.by_time(compared, seed)
        with folder.writing(where):
            report.write_suspects(suspects, where / "possible_wrong_labels.csv")
        session = Session(compared, where, profile, seed, display, named=candidates is not None, encoder=encoder)
        outcomes = []
        for candidate in chosen:
            display.stage(candidate.title)
            outcomes.append(session.outcome(candidate))
            display.finished(outcomes[-1])
        display.stage(say("writing the report"))
        outcomes, advice = judged(outcomes, compared, currency, limits, seed)
        decision, trained = _decision(outcomes, advice, compared), None
        if refit == "all" and advice is not None and advice.ship:
            display.stage(say("training the recommended model on all labels"))
            trained = session.refitted(BY_NAME[advice.ship])
        with folder.writing(where):
            folder.keep_chosen(where, advice, decision, trained)
        comparison = Comparison(
            compared.name,
            where,
            tuple(outcomes),
            tuple(found),
            tuple(suspects),
            advice,
            compared.class_names,
            compared.sizes(),
            time.monotonic() - begun,
            {
                "profile": profile,
                "splits": len(compared.folds),
                "refit": refit,
                "minutes_by_hand": currency.minutes_by_hand,
                "minutes_per_error": currency.minutes_per_error,
                "messages_a_month": currency.messages,
                "right_by_hand": currency.right_by_hand,
                "seed": seed,
                "split": compared.rule,
                "language": compared.language,
                "encoder": encoder_source.label(encoder or ENCODER),
                "limit_seconds": LIMIT_SECONDS[profile],
            },
            currency,
            dict(must_find or {}),
            _api(outcomes, advice, compared, currency, prices),
            len(compared.outside),
        )
        with folder.writing(where):
            report.write(comparison, compared)
    return comparison


def _checked(
    profile: str, names: Sequence[str] | str | None, splits: int | None, refit: str, seed: int
) -> list[Candidate]:
    check_profile(profile)
    if refit not in REFITS:
        raise CourseError(
            say("refit must be outside or all; it is {refit!r}.", refit=refit) + near_misses(str(refit), REFITS)
        )
    if splits is not None and (isinstance(splits, bool) or splits not in split.SPLITS):
        raise CourseError(say("splits must be 1, 3 or 5; it is {splits!r}.", splits=splits))
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise CourseError(say("seed must be a whole number from 0 to 4294967295; it is {seed!r}.", seed=seed))
    return candidates.chosen(names)


def classes_to_find(must_find: Mapping[str, float], class_names: Sequence[str]) -> dict[int, float]:
    """The classes that must be found, by number; CourseError for a class that is not there and a share that is none."""
    found = {}
    for name, recall in must_find.items():
        if name not in class_names:
            raise CourseError(say("There is no class {name!r}.", name=name) + near_misses(name, list(class_names)))
        if not account.is_number(recall) or not 0 < recall <= 1:
            raise CourseError(
                say(
                    "The share of {name!r} that must be found lies above 0, 1 at most; it is {recall!r}.",
                    name=name,
                    recall=recall,
                )
            )
        found[list(class_names).index(name)] = float(recall)
    return found


def read(
    data: Any,
    text: str | None,
    label: str | None,
    seed: int = 0,
    splits: int | None = None,
    time_column: str | None = None,
) -> Split:
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

    return split.of_csv(load_csv(data, text=text, label=label, time=time_column), seed, splits)


def judged(
    outcomes: list[Outcome], compared: Split, currency: Currency, limits: Mapping[int, float], seed: int
) -> tuple[list[Outcome], Recommendation | None]:
    """What the candidates that are done cost and are worth, and which of them the rule recommends."""
    classes = len(compared.class_names)
    labels, validation = compared.test.labels, compared.validation.labels
    tested = scores.Draws.of(labels, classes, seed=seed + 1)
    held = scores.Draws.of(validation, classes, seed=seed)
    judged, results, accounts, quality = [], {}, {}, {}
    for one in outcomes:
        if one.state == "done":
            name = one.candidate.name
            shares = np.array([row for fold in one.result["validation"] for row in fold])
            test = np.array(one.result["test"])
            results[name] = one.result
            accounts[name] = account.open_account(
                validation, shares, labels, test, currency=currency, must_find=limits, seed=seed
            )
            said = test.argmax(axis=1)
            macro_f1, accuracy = tested.estimates(said)
            one = dataclasses.replace(
                one,
                macro_f1=macro_f1,
                accuracy=accuracy,
                validation=held.estimates(shares.argmax(axis=1))[0],
                recalls=scores.recalls(labels, said, classes),
                account=accounts[name],
            )
            quality[name] = (one.validation, macro_f1)
        judged.append(one)
    ends = np.cumsum([0, *map(len, compared.folds)])
    folds = [np.arange(first, last) for first, last in itertools.pairwise(ends)]
    return judged, recommendation.recommend(results, accounts, quality, currency, folds, len(labels))


def _decision(outcomes: list[Outcome], advice: Recommendation | None, compared: Split) -> dict[str, Any]:
    """What the recommended model's card says about its use."""
    for one in outcomes:
        if advice and one.candidate.name == advice.ship:
            limits = {compared.class_names[number]: found.limit for number, found in one.account.found.items()}
            return {"threshold": one.account.threshold, "limits": limits}
    return {}


def _api(
    outcomes: list[Outcome], advice: Recommendation | None, compared: Split, currency: Currency, prices: Prices
) -> api.Route | None:
    """The API's route beside what was recommended, or beside people alone."""
    if advice is None:
        return None
    accounts = {one.candidate.name: one.account for one in outcomes if one.account}
    spent = accounts[advice.ship].hours.value if advice.ship else currency.people_alone
    return api.route(compared.test.texts, compared.class_names, currency, prices, spent)
