"""Steps 4 and 5: the bundle, whole, from this comparison and signed; the gate, passed, and shut to a worse model."""

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils.capstone import commands
from course_utils.capstone.question import FILE
from course_utils.capstone.work import Work, contradicts, missing, refusing
from course_utils.language import say, say_many

if TYPE_CHECKING:
    from course_utils.serving.gate import Data, Report, Target, Test

_ALIKE = 1e-6


def bundled(work: Work) -> str:
    """Step 4: the bundle is whole, the one that the comparison chose, and signed."""
    from course_utils import bundles
    from course_utils.bundles import files, signature

    asked, chosen = work.asked, work.chosen
    again = commands.compare(asked)
    if not (work.model / files.CARD).is_file():
        raise missing(
            say("There is no model in {folder}.", folder=commands.MODEL),
            say("The comparison leaves the chosen model there."),
            again,
        )
    whole = say("Every file of the model is the one that its card knows by its hash.")
    with refusing(whole, again):
        card = bundles.read_card(work.model)
        files.verify(work.model, card)
    source = work.at(commands.COMPARISON) / "candidates" / chosen["name"]
    expected = say("The model is the one that was measured as {name}.", name=chosen["name"])
    with refusing(expected, again):
        measured = bundles.read_card(source)
    if card["files"] != measured["files"]:
        raise contradicts(
            say("{folder} holds another model than the candidate {name} that the comparison chose.",
                folder=commands.MODEL, name=chosen["name"]),
            expected,
            again,
        )  # fmt: skip
    decided = {
        "threshold": chosen["threshold"],
        "limits": {name: found["limit"] for name, found in chosen["found"].items()},
    }
    if card.get("decision") != decided:
        raise contradicts(
            say("The card of {folder} decides by {found}; the comparison decided by {wanted}.",
                folder=commands.MODEL, found=card.get("decision"), wanted=decided),
            say("The service leaves to people what the comparison left to them."),
            again,
        )  # fmt: skip
    signed = say("Whoever loads the model can tell who made it, with the key in {file}.", file=commands.PUBLIC)
    if not work.at(commands.PUBLIC).is_file():
        raise missing(say("There is no public key {file}.", file=commands.PUBLIC), signed, commands.sign())
    if not (work.model / signature.SIGNATURE).is_file():
        raise missing(say("The model is not signed."), signed, commands.sign(new_key=False))
    with refusing(signed, commands.sign(new_key=False)):
        bundles.check_signature(work.model, work.at(commands.PUBLIC))
    return say(
        "{folder}, version {version}, is {name} as it was measured, whole, and signed with the key of {key}.",
        folder=commands.MODEL,
        version=work.version,
        name=chosen["name"],
        key=commands.PUBLIC,
    )


def gated(work: Work) -> str:
    """Step 5: the gate was passed with a test of the learner's own, passes again on the test, and stops a worse model.

    The worse one is the same model, but that it never answers with the class that must be found.
    """
    from course_utils import bundles
    from course_utils.serving import gate

    asked = work.asked
    own = _own_tests(work)
    target = _as_told(work, [test.name for test in own])
    model = bundles.load_model(work.model)
    labels = [work.split.class_names[k] for k in work.split.test.labels]
    unseen = gate.Data(list(work.split.test.texts), labels, name=say("the messages of the test"))
    again = gate.check(model, unseen, target, own, bundle=work.model)
    if not again.passed:
        raise contradicts(
            say("On the {n:,} messages of the test the gate refuses the model. {why}", n=len(labels), why=_why(again)),
            say("The model passes on messages that it has not learnt from, too."),
            commands.check(asked),
        )
    for name in asked.must_find:
        if _planted(model, name, unseen, target, own).passed:
            raise contradicts(
                say("The gate lets a model through that never answers {name}.", name=name),
                say(
                    "The gate stops a model that has unlearnt a class which must be found: by its limits, or by a "
                    "[[minimum]] of that class in {file}.",
                    file=commands.TESTS,
                ),
                commands.edit(commands.TESTS),
            )
    return say_many(
        "The gate was passed with {n} test of your own ({names}), is passed again on the {test:,} messages of the "
        "test, and stops the same model once it never answers {classes}.",
        "The gate was passed with {n} tests of your own ({names}), is passed again on the {test:,} messages of the "
        "test, and stops the same model once it never answers {classes}.",
        len(own),
        names=", ".join(test.name for test in own),
        test=len(labels),
        classes=say(" or ").join(asked.must_find),
    )


def _own_tests(work: Work) -> "list[Test]":
    from course_utils.serving.gate import own_tests

    expected = say("At least one test of behaviour is your own: what a wrong model would do to your messages.")
    if not work.at(commands.TESTS).is_file():
        raise missing(say("There is no {file}.", file=commands.TESTS), expected, commands.edit(commands.TESTS))
    if not _entries(work):
        raise missing(say("{file} has no test yet.", file=commands.TESTS), expected, commands.edit(commands.TESTS))
    with refusing(expected, commands.edit(commands.TESTS)):
        found = own_tests.read(work.at(commands.TESTS), work.split.language)
        own_tests.classes_known(found, work.split.class_names)
    return found


def _entries(work: Work) -> dict[str, Any]:
    """What the file of tests holds; of a file that cannot be read something, so that its reader says why."""
    import tomllib

    try:
        return tomllib.loads(work.at(commands.TESTS).read_text("utf-8"))
    except (OSError, ValueError):
        return {"": None}


def _as_told(work: Work, own: list[str]) -> "Target":
    """The limits by which the gate was passed: of this model, with these tests, within what the question states."""
    from course_utils.errors import CourseError
    from course_utils.serving import gate

    asked, told = work.asked, work.gate
    again = commands.check(asked)
    file = commands.GATE
    if not told["passed"]:
        raise contradicts(
            say("{file} says that the model was refused. {why}", file=file, why=_first_refusal(told)),
            say("The gate is passed: with a better model, or with a test that asks for what you need."),
            again,
        )
    lacking = [name for name in own if name not in {one["test"] for one in told["tests"]}]
    if lacking:
        raise contradicts(
            say("{file} knows nothing of {names}.", file=file, names=", ".join(lacking)),
            say("The gate is passed with every test of {file}.", file=commands.TESTS),
            again,
        )
    try:
        names = {field.name for field in dataclasses.fields(gate.Target)}
        target = gate.Target(**{name: value for name, value in told["target"].items() if name in names})
    except (CourseError, KeyError, AttributeError, TypeError) as error:
        raise contradicts(
            say("{file} does not say by which limits it was passed.", file=file),
            say("{file} is what this command writes.", file=file),
            again,
        ) from error
    for name, limit, wanted in (
        ("p99_ms", target.max_ms, asked.p99_ms),
        ("memory_mib", target.max_mib, asked.memory_mib),
    ):
        if limit is None or limit > wanted:
            raise contradicts(
                say("{name} is {wanted:g} in {file}; the gate allowed {limit}.",
                    name=name, wanted=wanted, file=FILE, limit=say("everything") if limit is None else f"{limit:g}"),
                say("The gate holds the model to the numbers of the question."),
                again,
            )  # fmt: skip
    _of_this_model(work)
    return target


def _of_this_model(work: Work) -> None:
    """The gate's quality is this model's on the data."""
    from course_utils import bundles
    from course_utils.serving import gate
    from course_utils.serving.gate import examples
    from course_utils.serving.gate.quality import Quality

    asked = work.asked
    data = examples.from_csv(asked.data, asked.text, asked.label)
    now = gate.check(bundles.load_model(work.model), data, tests=[Quality()], standard=False).as_json()["tests"]
    told = {(one["test"], one.get("what")): one.get("value") for one in work.gate["tests"]}
    for one in now:
        before = told.get((one["test"], one["what"]))
        if not isinstance(before, float | int) or not math.isclose(before, one["value"], abs_tol=_ALIKE):
            raise contradicts(
                say("{file} is of another model or of other data: {what} was {before}, and is {now:.4f} on {data}.",
                    file=commands.GATE, what=one["what"], now=one["value"], data=asked.file,
                    before=say("not measured") if not isinstance(before, float | int) else f"{before:.4f}"),
                say("The gate was passed by the model that is shipped, on these data."),
                commands.check(asked),
            )  # fmt: skip


def _planted(model: Any, name: str, data: "Data", target: "Target", own: "list[Test]") -> "Report":
    """The gate on a model that never answers with a class; what it costs to run is left out, as it costs the same."""
    from course_utils.serving import gate
    from course_utils.serving.gate.costs import Costs, Size

    planted = Unlearnt(model, model.class_names.index(name))
    tests = [test for test in gate.standard_tests(model) if not isinstance(test, Costs | Size)]
    return gate.check(planted, data, target, [*tests, *own], standard=False)


@dataclasses.dataclass
class Unlearnt:
    """A model, but that one of its classes has become unlikely."""

    right: Any
    number: int

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["right"], name)

    def predict_proba(self, texts: list[str]) -> np.ndarray:
        """The other classes' probabilities, as if there were no more."""
        shares = np.array(self.right.predict_proba(texts), float)
        shares[:, self.number] = 0
        shares += 1e-9
        shares[:, self.number] = 0
        return shares / shares.sum(axis=1, keepdims=True)


def _why(report: "Report") -> str:
    return next((one for one in report.sentences if one.startswith(say("Refused: {sentence}", sentence=""))), "")


def _first_refusal(told: dict[str, Any]) -> str:
    return next((str(one.get("sentence")) for one in told["tests"] if one.get("verdict") == "refused"), "")
