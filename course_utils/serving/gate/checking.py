"""The gate: every test on one model, one verdict on each, one report."""

import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from course_utils import bundles, paths
from course_utils.bundles import decoder
from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.serving.gate import report, verdicts
from course_utils.serving.gate.behaviour import Test, of_images, of_texts
from course_utils.serving.gate.costs import Costs, Size
from course_utils.serving.gate.examples import as_data
from course_utils.serving.gate.parity import Parity
from course_utils.serving.gate.quality import EveryClass, Quality, WorstSlice
from course_utils.serving.gate.soundness import InABatch, Probabilities
from course_utils.serving.gate.subject import IMAGES, TEXTS, ModelFailed, Subject
from course_utils.serving.gate.target import Target
from course_utils.serving.gate.verdicts import Measured


def standard_tests(model: Any, *, parity: bool = False) -> tuple[Test, ...]:
    """The tests that every model is put through: those of its inputs, texts or images, among them."""
    images = getattr(model, "inputs", TEXTS) == IMAGES
    behaviour = of_images() if images else of_texts(getattr(model, "language", "en"))
    against = (Parity(),) if parity else ()
    return (Probabilities(), InABatch(), Quality(), EveryClass(), WorstSlice(), *behaviour, *against, Size(), Costs())


def check(
    model: Any,
    data: Any,
    target: Target | None = None,
    tests: Iterable[Test] = (),
    *,
    bundle: Path | str | None = None,
    against: Any = None,
    standard: bool = True,
) -> report.Report:
    """Put a model through the gate: ``print(check("compare-tickets/model", data.load("tickets").test))``.

    ``model`` is the folder of a bundle, or a model with ``class_names`` and ``predict_proba``, then with its folder as
    ``bundle`` if it has one; ``data`` a `Data`, or a part of one of the course's sets. ``tests`` come on top of the
    standard ones (``standard=False``: instead of them). ``against`` is a model or the folder of a bundle that must give
    the same answers. A test that raises is refused, with what it raised. Raises CourseError for what cannot be meant:
    examples that are none of the model's, a folder that is no bundle, a class that there is not.
    """
    target = target or Target()
    if isinstance(model, str | Path):
        bundle, model = Path(model).expanduser(), bundles.load_model(model)
    if isinstance(against, str | Path):
        against = bundles.load_model(against)
    for one in (model, against):
        decoder.must_have_classes(getattr(one, "kind", ""))
    bundle = Path(bundle).expanduser() if bundle is not None else None
    given = as_data(data, model)
    subject = Subject(model, given, target, bundle=bundle, against=against)
    every = [*(standard_tests(model, parity=against is not None) if standard else ()), *tests]
    if not every:
        raise CourseError(say("The gate has no test to run; hand over one, or leave standard=False out."))
    for test in every:
        if not isinstance(getattr(test, "name", None), str) or not callable(getattr(test, "run", None)):
            raise CourseError(
                say(
                    "A test has a name (a text) and run(subject), which returns what it measured; {test:.80} has not.",
                    test=repr(test),
                )
            )
    try:
        _ = subject.own
    except ModelFailed as error:  # whatever else is asked would only say it again
        measured = [Measured(say("answers"), "", refused=str(error))]
    else:
        measured = [one for test in every for one in _run(test, subject)]
    name = paths.display(bundle) if bundle is not None else getattr(model, "kind", "") or type(model).__name__
    return report.of(
        verdicts.judge(measured, target.false_alarms), target, model=name, data=given.name, notes=given.notes
    )


def _run(test: Test, subject: Subject) -> list[Measured]:
    """What a test measured; a refusal where the model or the test itself raised."""
    try:
        found = test.run(subject)
        found = [found] if isinstance(found, Measured) else list(found)
    except CourseError:
        raise
    except ModelFailed as error:
        return [Measured(test.name, "", refused=str(error))]
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        why = say(
            "the test itself failed in line {line} ({kind}: {why:.200}), so nothing was shown.",
            line=where.lineno,
            kind=type(error).__name__,
            why=str(error),
        )
        return [Measured(test.name, "", refused=why)]
    if not found or not all(isinstance(one, Measured) for one in found):
        return [Measured(test.name, "", refused=say("the test returned nothing that it measured (see gate.share)."))]
    return found
