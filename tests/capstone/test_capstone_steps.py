"""Each step on what is right, and on what it must refuse: a state, the words that say why, and what mends it."""

import shutil
from types import SimpleNamespace

import pytest
from capstone_made import OWN, STATED, state, typed

from course_utils import bundles
from course_utils.capstone import answering, choosing, commands, question, shipping, watching
from course_utils.capstone.work import CONTRADICTS, MISSING, Open, Work
from course_utils.rollout.registry import Registry


def refused(came_to, held, kind, *words, mends=""):
    """The step is not done, for the reason that is meant, in whole sentences, with a command."""
    why = came_to(held)
    assert isinstance(why, Open), why
    assert why.state == kind, why.found
    for word in words:
        assert word in why.found, why.found
    assert why.found.rstrip().endswith((".", "?", "”", "course sign")) and why.expected.endswith((".", commands.PUBLIC))
    assert why.command.startswith(("course ", "$EDITOR ")) and mends in why.command


# ---------------------------------------------------------------------------------------------- 1 and 2: question, data


def test_the_question_and_the_data_of_a_finished_capstone_hold(came_to):
    assert "a mistake 12, 1,000 come a month; to be found: account 80%" in came_to(choosing.stated)
    assert "134 messages in 3 classes (from billing, 60, to account, 24)" in came_to(choosing.looked)


@pytest.mark.parametrize("key", [key for key in question.QUESTION])
def test_what_is_open_in_the_question_is_named(came_to, folder, key):
    state(folder / question.FILE, **{key: '"?"'})
    refused(came_to, choosing.stated, MISSING, f"Still open in capstone.toml: {key}.")


@pytest.mark.parametrize(
    ("key", "value", "kind", "words"),
    [
        ("file", '"none.csv"', MISSING, "no file none.csv"),
        ("text", '"txt"', CONTRADICTS, "txt"),
        ("must_find", "{ acount = 0.8 }", CONTRADICTS, "Did you mean account?"),
        ("looked", '"?"', MISSING, "What you saw is still open"),
    ],
)
def test_data_that_are_not_as_stated_are_refused(came_to, folder, key, value, kind, words):
    state(folder / question.FILE, **{key: value})
    refused(came_to, choosing.looked, kind, words, mends="capstone.toml")


def test_a_look_at_the_data_is_that_of_the_comparison(came_to, folder):
    (folder / "comparison" / "possible_wrong_labels.csv").unlink()
    refused(came_to, choosing.looked, MISSING, "possible_wrong_labels.csv", mends="course compare 'my messages.csv'")


# --------------------------------------------------------------------------------------------------- 3: the comparison

REPORT = "comparison/report.json"
HELD = choosing.compared


def test_the_comparison_of_a_finished_capstone_holds(came_to):
    assert came_to(HELD).startswith("Of 2 candidates TF-IDF + logistic regression is to be shipped")


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (None, MISSING, "There is no comparison/report.json"),
        ("{", CONTRADICTS, "holds something else"),
        ("[]", CONTRADICTS, "holds something else"),
        ('{"format": "course comparison"}', CONTRADICTS, "holds something else"),
    ],
)
def test_a_report_that_is_none_is_refused(came_to, folder, content, kind, words):
    (folder / REPORT).unlink() if content is None else (folder / REPORT).write_text(content)
    refused(came_to, HELD, kind, words, mends="course compare")


@pytest.mark.parametrize("before_after", [(",bug", ",billing"), ("please", "nicely"), ("\n", "\nhello there,bug\n")])
def test_data_that_changed_after_the_comparison_are_named(came_to, folder, before_after):
    path = folder / "my messages.csv"
    written = path.read_bytes().decode().replace("\r\n", "\n")
    path.write_text(written.replace(*before_after, 1), "utf-8")
    refused(came_to, HELD, CONTRADICTS, "my messages.csv has changed since the comparison", mends="--fresh")


def test_a_change_that_is_none_is_none(came_to, folder):
    """Another line end, another separator: the messages, their classes and their parts are the same."""
    path = folder / "my messages.csv"
    path.write_text(path.read_bytes().decode().replace("\r\n", "\n").replace(",", ";"), "utf-8")
    assert "is to be shipped" in came_to(HELD)


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("minutes_by_hand", "2", "2.0 in capstone.toml, and the comparison was charged with 1.5"),
        ("minutes_per_error", "30", "charged with 12"),
        ("messages_a_month", "900", "charged with 1000"),
        ("must_find", "{ account = 0.9 }", "{'account': 0.9} in capstone.toml"),
    ],
)
def test_a_comparison_that_was_charged_otherwise_is_refused(came_to, folder, key, value, found):
    state(folder / question.FILE, **{key: value})
    refused(came_to, HELD, CONTRADICTS, key, found, mends="course compare")


def _no_second(told):
    told["candidates"] = told["candidates"][1:]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (lambda told: told["settings"].update(refit="all"), "has learnt from the test, too"),
        (_no_second, "1 candidate was measured"),
        (
            lambda told: told["recommendation"].update(chosen="majority"),
            "by the rule, on what was measured, it is tfidf",
        ),
        (lambda told: told.update(recommendation=None), "The report says None"),
        (lambda told: told["candidates"][1]["hours"].update(value=1.0), "1.0000 hours a month, and computed again"),
        (lambda told: told["candidates"][1].update(threshold=0.1), "not those of its answers"),
        (lambda told: told["candidates"][1]["macro_f1"].update(value=1.5), "not those of its answers"),
    ],
)
def test_a_report_that_its_results_do_not_give_is_refused(came_to, spoil, how, words):
    spoil(REPORT, how)
    refused(came_to, HELD, CONTRADICTS, words, mends="course compare")


def _turned(record):
    record["validation"] = [[row[::-1] for row in fold] for fold in record["validation"]]


def _too_few(record):
    record["test"] = record["test"][:-1]


@pytest.mark.parametrize(
    ("how", "words"),
    [(_turned, "by the rule"), (_too_few, "does not fit the data"), (lambda record: record.clear(), "something else")],
)
def test_answers_that_do_not_give_the_report_are_refused(came_to, spoil, how, words):
    spoil("comparison/candidates/tfidf.json", how)
    refused(came_to, HELD, CONTRADICTS, words, mends="--fresh")


def test_a_comparison_in_which_no_model_is_worth_it_has_nothing_to_ship(came_to, spoil, monkeypatch):
    from course_utils.compare import running

    nothing = SimpleNamespace(chosen="majority", ship=None)
    monkeypatch.setattr(running, "judged", lambda *arguments: ([], nothing))
    spoil(REPORT, lambda told: told["recommendation"].update(chosen="majority"))
    refused(came_to, HELD, CONTRADICTS, "nothing to ship")


# ------------------------------------------------------------------------------------------------------- 4: the bundle


def test_the_bundle_of_a_finished_capstone_holds(came_to):
    assert "is tfidf as it was measured, whole, and signed" in came_to(shipping.bundled)


def _gone(folder):
    shutil.rmtree(folder / "comparison" / "model")


def _changed_file(folder):
    (folder / "comparison" / "model" / "vocabulary.json").write_text("{}")


def _another(folder):
    shutil.rmtree(folder / "comparison" / "model")
    shutil.copytree(folder / "comparison" / "candidates" / "majority", folder / "comparison" / "model")


def _decides_otherwise(folder):
    bundles.amend(folder / "comparison" / "model", {"decision": {"threshold": 0.0, "limits": {}}})


def _amended(folder):
    bundles.amend(folder / "comparison" / "model", {"seed": 7})


def _other_key(folder):
    (folder / commands.PUBLIC).unlink()
    bundles.new_keys(folder / "other")
    (folder / "other.pub").rename(folder / commands.PUBLIC)


@pytest.mark.parametrize(
    ("spoilt", "kind", "words", "mends"),
    [
        (_gone, MISSING, "no model in comparison/model", "course compare"),
        (_changed_file, CONTRADICTS, "is not the file that was saved", "course compare"),
        (_another, CONTRADICTS, "another model than the candidate tfidf", "course compare"),
        (_decides_otherwise, CONTRADICTS, "decides by {'threshold': 0.0", "course compare"),
        (_amended, CONTRADICTS, "was changed after it was signed", "course sign"),
        (_other_key, CONTRADICTS, "another key signed it", "course sign"),
        (lambda folder: (folder / "maker.pub").write_text("no key"), CONTRADICTS, "no public Ed25519 key", "sign"),
        (lambda folder: (folder / "maker.pub").unlink(), MISSING, "no public key maker.pub", "--new-key"),
        (lambda folder: (folder / "comparison/model/model.json.sig").unlink(), MISSING, "not signed", "course sign"),
    ],
)
def test_a_bundle_that_is_not_the_one_measured_and_signed_is_refused(came_to, folder, spoilt, kind, words, mends):
    spoilt(folder)
    refused(came_to, shipping.bundled, kind, words, mends=mends)


# --------------------------------------------------------------------------------------------------------- 5: the gate


@pytest.mark.parametrize(
    ("tests", "kind", "words"),
    [
        (None, MISSING, "There is no tests.toml"),
        ("# nothing\n", MISSING, "tests.toml has no test yet"),
        ("[[minimum]", CONTRADICTS, "cannot be read"),
        ("[[minimun]]\n", CONTRADICTS, "Did you mean minimum?"),
        (OWN.replace('"account"', '"acount"'), CONTRADICTS, "'acount' is no class of the model"),
    ],
)
def test_a_gate_without_a_test_of_ones_own_is_refused(came_to, folder, tests, kind, words):
    path = folder / commands.TESTS
    path.unlink() if tests is None else path.write_text(tests, "utf-8")
    refused(came_to, shipping.gated, kind, words, mends="tests.toml")


def _other_quality(told):
    for one in told["tests"]:
        if one["what"] == "accuracy":
            one["value"] -= 0.01


def _refused_by_one(told):
    told["passed"] = False
    told["tests"][0].update(verdict="refused", sentence="asked twice: it said something else.")


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (_refused_by_one, "asked twice: it said something else."),
        (lambda told: told["tests"].pop(), "knows nothing of locked out"),
        (lambda told: told["target"].update(max_ms=1_000), "p99_ms is 400 in capstone.toml; the gate allowed 1000"),
        (lambda told: told["target"].update(max_ms=None), "the gate allowed everything"),
        (lambda told: told["target"].update(max_mib=2_000), "memory_mib is 900"),
        (lambda told: told["target"].update(min_slice="none"), "by which limits"),
        (lambda told: told.pop("target"), "by which limits"),
        (_other_quality, "of another model or of other data: accuracy was"),
        (lambda told: told.pop("tests"), "holds something else"),
        (lambda told: told.update(tests=[]), "holds something else"),
    ],
)
def test_a_gate_that_was_not_passed_as_stated_is_refused(came_to, spoil, how, words):
    spoil(commands.GATE, how)
    refused(came_to, shipping.gated, CONTRADICTS, words, mends="course check comparison/model --data 'my messages.csv'")


def test_a_gate_that_was_never_asked_is_missing(came_to, folder):
    (folder / commands.GATE).unlink()
    refused(came_to, shipping.gated, MISSING, "There is no gate.json", mends="course check")


def test_a_gate_that_lets_a_worse_model_through_is_refused(came_to, folder, spoil, without_costs):
    """Seven examples of the class prove nothing; the test that asked for it is now about another class."""
    tests = OWN.replace("account", "billing").replace("my password is locked, please reset the login", "refund invoice")
    (folder / commands.TESTS).write_text(tests, "utf-8")
    refused(came_to, shipping.gated, CONTRADICTS, "lets a model through that never answers account", mends="tests.toml")


def test_a_test_that_was_changed_after_the_gate_is_asked_again(came_to, folder, without_costs):
    (folder / commands.TESTS).write_text(
        OWN.replace("my password is locked, please reset the login", "invoice refund card")
    )
    refused(came_to, shipping.gated, CONTRADICTS, "On the", "the gate refuses the model. Refused: locked out")


def test_the_worse_model_is_the_same_but_for_one_class(finished):
    model = bundles.load_model(finished / commands.MODEL)
    number = model.class_names.index("account")
    texts = ["reset my password please", "refund the invoice", ""]
    whole, shares = model.predict_proba(texts), shipping.Unlearnt(model, number).predict_proba(texts)
    assert shares[:, number].max() == 0 and shares.sum(axis=1) == pytest.approx(1)
    others = [k for k in range(3) if k != number]
    assert (shares[:, others].argmax(axis=1) == whole[:, others].argmax(axis=1)).all()


@pytest.fixture
def without_costs(monkeypatch):
    """The gate without its measurements of time and memory, which have tests of their own."""
    from course_utils.serving import gate
    from course_utils.serving.gate import checking
    from course_utils.serving.gate.costs import Costs

    whole = checking.standard_tests

    def cheap(model, **more):
        return tuple(test for test in whole(model, **more) if not isinstance(test, Costs))

    monkeypatch.setattr(checking, "standard_tests", cheap)
    monkeypatch.setattr(gate, "standard_tests", cheap)


# ------------------------------------------------------------------------------------------------------ 6: the service


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (lambda told: told.update(errors={"status 503": 2}), "requests that failed"),
        (lambda told: told.update(interrupted=True), "was stopped"),
        (lambda told: told.update(rate=59.0), "59 requests a second; the question asks for 60"),
        (lambda told: told.update(answered=199), "199 answers"),
        (lambda told: told["latency"].update(p99=401.0), "The p99 in load.json is 401.0 ms; the question allows 400"),
        (lambda told: told["latency"].update(p99=None), "is None ms"),
        (lambda told: told.pop("latency"), "holds something else"),
    ],
)
def test_a_load_test_that_does_not_hold_the_question_is_refused(came_to, spoil, how, words):
    spoil(commands.LOAD, how)
    refused(came_to, answering.served, CONTRADICTS, words, mends="course loadtest http://127.0.0.1:8000 --rate 60")


def test_without_a_load_test_it_is_said_what_has_to_run(came_to, folder):
    (folder / commands.LOAD).unlink()
    refused(came_to, answering.served, MISSING, "There is no load.json", mends="--bound-ms 400 --json load.json")


def test_a_service_that_does_not_start_is_refused(came_to, folder):
    _changed_file(folder)
    refused(came_to, answering.served, CONTRADICTS, "does not start", "is not the file that was saved", mends="serve")


@pytest.fixture
def work(finished, running):
    """The finished capstone."""
    return Work(question.read(finished))


def opened(held, *arguments):
    with pytest.raises(Open) as why:
        held(*arguments)
    assert why.value.state == CONTRADICTS
    return why.value


def test_a_service_of_another_version_is_refused(work, running):
    answering._ready(work, running)
    work.version = "0123456789ab"
    why = opened(answering._ready, work, running)
    assert running.version in why.found and "Version 0123456789ab takes requests." in why.expected


def test_a_service_that_answers_otherwise_is_refused(work, running, monkeypatch):
    answering._right(work, running)
    monkeypatch.setattr(commands, "MODEL", commands.BEFORE)
    assert "and the model [None, None" in opened(answering._right, work, running).found


def test_a_path_that_does_not_answer_is_refused(work, running):
    assert "(status 404)" in opened(answering._ask, work, running, "/nothing").found
    gone = SimpleNamespace(url="http://127.0.0.1:9")
    assert "Nothing answers" in opened(answering._ask, work, gone, "/readyz").found


def tries(monkeypatch, *held, behind=False):
    """Load tests that hold the bound, or not, in this order; the list receives each that was asked for."""
    from course_utils.serving import loadtest

    asked = []

    def run(url, **more):
        one = held[len(asked)]
        asked.append(more["seed"])
        latency = SimpleNamespace(p99=1.0 if one else 999.0)
        return SimpleNamespace(holds=lambda bound: one, latency=latency, errors={}, behind=behind)

    monkeypatch.setattr(loadtest, "run", run)
    return asked


@pytest.mark.parametrize(("held", "asked"), [((True,), 1), ((False, True, True), 3)])
def test_one_stall_of_the_machine_is_not_the_services(work, running, monkeypatch, held, asked):
    done = tries(monkeypatch, *held)
    assert answering._held(work, running).latency.p99 == 1.0 and len(done) == asked


@pytest.mark.parametrize("held", [(False, False), (False, True, False)])
def test_a_p99_that_does_not_hold_in_two_load_tests_is_refused(work, running, monkeypatch, held):
    done = tries(monkeypatch, *held)
    why = opened(answering._held, work, running)
    assert "99 of 100 came within 999.0 ms" in why.found and len(done) == len(held)


def test_a_machine_that_is_too_busy_to_measure_says_so(work, running, monkeypatch):
    tries(monkeypatch, False, False, behind=True)
    assert "too busy to tell" in opened(answering._held, work, running).found


def test_a_service_that_takes_more_memory_than_stated_is_refused(came_to, folder, running, monkeypatch):
    import contextlib

    monkeypatch.setattr(answering, "_service", lambda work: contextlib.nullcontext(running))
    tries(monkeypatch, True)
    state(folder / question.FILE, memory_mib="20")
    refused(came_to, answering.served, CONTRADICTS, "MiB at its peak, and capstone.toml allows 20")


# ----------------------------------------------------------------------------------- 7: the registry, and the alarm


def test_the_registry_and_the_alarm_of_a_finished_capstone_hold(came_to):
    assert "is what a rollback goes back to, and that was tried" in came_to(watching.reversible)
    assert "for nothing on 1.0% of the days; then: Ada reads" in came_to(watching.alarmed)


def _registry(folder, *bundles_of):
    """A registry in which the bundles were promoted, one after the other."""
    shutil.rmtree(folder / commands.VERSIONS)
    registry = Registry(folder / commands.VERSIONS, folder / commands.PUBLIC)
    for name in bundles_of:
        registry.promote(registry.add(folder / name))
    return registry


def _no_registry(folder):
    shutil.rmtree(folder / commands.VERSIONS)


def _rolled_back(folder):
    Registry(folder / commands.VERSIONS, folder / commands.PUBLIC).rollback()


def _not_promoted(folder):
    _registry(folder).add(folder / commands.MODEL)


def _past_changed(folder):
    log = folder / commands.VERSIONS / "log.jsonl"
    log.write_text(log.read_text("utf-8").replace("rehearsal", "complaints"), "utf-8")


def _unsigned_before(folder):
    before = Registry(folder / commands.VERSIONS).state.past[-1]
    (folder / commands.VERSIONS / "versions" / before / "model.json.sig").unlink()


@pytest.mark.parametrize(
    ("spoilt", "kind", "words", "mends"),
    [
        (_no_registry, MISSING, "There is no registry versions", "add before"),
        (_rolled_back, CONTRADICTS, "is the champion", "promote"),
        (lambda folder: _registry(folder, commands.BEFORE), MISSING, "does not have version", "add comparison/model"),
        (_not_promoted, MISSING, "No version was promoted yet", "promote"),
        (lambda folder: _registry(folder).add(folder / commands.BEFORE), MISSING, "promoted yet", "promote"),
        (lambda folder: _registry(folder, commands.MODEL), MISSING, "no version before", "add before"),
        (lambda folder: _registry(folder, commands.BEFORE, commands.MODEL), MISSING, "tried the way back", "rollback"),
        (_past_changed, CONTRADICTS, "the past was changed", "log"),
        (_unsigned_before, CONTRADICTS, "is not signed", "add before"),
    ],
)
def test_a_registry_without_a_way_back_is_refused(came_to, folder, spoilt, kind, words, mends):
    spoilt(folder)
    refused(came_to, watching.reversible, kind, words, mends=mends)


@pytest.mark.parametrize(
    ("key", "value", "kind", "words"),
    [
        *((key, '"?"', MISSING, f"Still open under [alarm] in capstone.toml: {key}.") for key in question.ALARM),
        ("watch", '"course_anwsers_total"', CONTRADICTS, "Did you mean course_answers_total"),
        ("watch", '"{}"', CONTRADICTS, "counts nothing that is called {}"),
    ],
)
def test_an_alarm_that_cannot_ring_is_refused(came_to, folder, key, value, kind, words):
    state(folder / question.FILE, **{key: value})
    refused(came_to, watching.alarmed, kind, words, mends="capstone.toml")


@pytest.mark.parametrize(
    "metric", ["course_answers_total", "course_answers", 'course_request_seconds_bucket{le=\\"1\\"}']
)
def test_a_metric_may_be_named_as_prometheus_shows_it(came_to, folder, metric):
    state(folder / question.FILE, watch=f'"{metric}"')
    assert "The alarm rings" in came_to(watching.alarmed)


def test_what_one_can_go_back_to_leaves_every_message_to_people(finished):
    model = bundles.load_model(finished / commands.BEFORE)
    assert model.decide(["reset my password please", "refund the invoice", ""]) == [None] * 3
    assert model.class_names == bundles.load_model(finished / commands.MODEL).class_names


@pytest.mark.parametrize(
    ("held", "spoilt"),
    [
        (shipping.bundled, lambda folder: (folder / "comparison/model/model.json.sig").unlink()),
        (shipping.bundled, _amended),
        (watching.reversible, _rolled_back),
        (watching.reversible, _unsigned_before),
    ],
)
def test_the_command_that_mends_mends(came_to, folder, monkeypatch, held, spoilt):
    monkeypatch.chdir(folder)
    spoilt(folder)
    typed(came_to(held).command)
    assert isinstance(came_to(held), str)


@pytest.mark.parametrize(
    "spoilt", [_no_registry, _not_promoted, lambda folder: _registry(folder, commands.MODEL), _rolled_back]
)
def test_who_types_what_is_said_gets_to_the_end(came_to, folder, monkeypatch, spoilt):
    monkeypatch.chdir(folder)
    spoilt(folder)
    for _ in range(7):
        why = came_to(watching.reversible)
        if isinstance(why, str):
            return
        typed(why.command)
    raise AssertionError(why.found)


def test_every_number_of_the_question_is_stated_in_these_tests():
    assert {*question.QUESTION, *question.ALARM, "looked"} == {*STATED}
