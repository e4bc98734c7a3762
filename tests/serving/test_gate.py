"""The gate refuses each planted fault by the test that is there for it, and passes what is right."""

import dataclasses
import json

import gate_models as made
import numpy as np
import pytest

from course_utils import bundles
from course_utils.bundles import models
from course_utils.errors import CourseError
from course_utils.serving import gate
from course_utils.serving.gate import checking, costs
from course_utils.serving.gate.verdicts import NOT_DONE, NOT_SHOWN, PASSED, REFUSED


@pytest.fixture(autouse=True)
def few_single_answers(monkeypatch):
    """Latency from a hundred answers: what is judged here is ten times its limit, or a tenth."""
    monkeypatch.setattr(costs, "SINGLE", 100)
    monkeypatch.setattr(costs, "SECONDS", 4.0)


def refused(report: gate.Report) -> set[str]:
    return {one.measured.test for one in report.results if one.verdict == REFUSED}


def verdicts(report: gate.Report) -> dict[str, str]:
    return {one.measured.test: one.verdict for one in report.lines}


def test_a_right_model_of_texts_passes_every_test_of_behaviour():
    report = gate.check(made.Words(), made.data())
    assert report.passed, str(report)
    found = verdicts(report)
    for test in gate.standard_tests(made.Words()):
        if test.name not in ("size", "latency", "worst slice", "quality", "accents dropped"):
            assert found[test.name] == PASSED, test.name
    assert found["quality"] in (PASSED, "told")
    assert found["worst slice by class"] == found["worst slice by channel"] == found["worst slice by length"] == PASSED
    assert found["size"] == found["memory"] == NOT_DONE  # there is no bundle


PLANTED = {
    "upper case": made.shouted,
    "another person's name": made.smith,
    "a greeting in front": made.greeted,
    "blanks and signs at the end": made.ended,
    "accents dropped": made.bare,
    "one typo": made.brittle,
    "classes never answered": made.never,
    "alone and in a batch": made.in_company,
    "probabilities": made.nan,
}


@pytest.mark.parametrize("test", PLANTED)
def test_a_planted_fault_is_refused_by_its_test(test):
    report = gate.check(PLANTED[test], made.data())
    assert not report.passed
    assert test in refused(report)
    line = next(one for one in report.results if one.verdict == REFUSED and one.measured.test == test)
    assert line.measured.example, "a refusal shows an example"
    assert line.measured.example.split("”")[0] in " ".join(str(report).split())


@pytest.mark.parametrize("test", ["upper case", "another person's name", "a greeting in front", "one typo"])
def test_a_fault_of_one_kind_is_not_blamed_on_another(test):
    """Where the fault is in a change, the model is otherwise the right one."""
    allowed = {test, "accents dropped"} | (
        {"another person's name", "a greeting in front"} if test == "one typo" else set()
    )
    assert refused(gate.check(PLANTED[test], made.data())) <= allowed


def test_the_example_shows_both_forms_with_their_answers():
    report = gate.check(made.smith, made.data())
    line = next(one for one in report.results if one.measured.test == "another person's name")
    assert "Smith" in line.sentence and " → " in line.sentence and "billing (0.97)" in line.sentence
    assert line.measured.value > 0.7  # all but the messages that were billing's anyway
    assert "allowed 5.0%" in line.sentence


@pytest.mark.parametrize("test", ["upper case", "another person's name", "a greeting in front", "one typo"])
def test_the_example_of_an_invariance_is_one_that_changed(test):
    report = gate.check(PLANTED[test], made.data())
    line = next(one for one in report.results if one.measured.test == test)
    before, after = line.measured.example.split(" → ")
    was, now = before.split()[-2], after.split()[-2]
    assert was != now and {was, now} <= set(made.CLASSES)


@pytest.mark.parametrize("times", [1.1, 0.9])
def test_probabilities_that_do_not_sum_to_one(times):
    report = gate.check(made.Wrong(lambda inputs, shares: shares * times), made.data())
    assert refused(report) == {"probabilities"}
    assert f"with the sum {times}" in str(report).replace("\n  ", " ")


def test_numbers_that_are_none_are_answers_of_nobody():
    """NaN must not count as the first class."""
    report = gate.check(gate_all_nan := made.Wrong(lambda inputs, shares: shares * np.nan), made.data())
    assert gate_all_nan.class_names == made.CLASSES
    accuracy = next(one for one in report.results if one.measured.what == "accuracy")
    assert accuracy.measured.value == 0
    assert {"probabilities", "classes never answered", "quality"} <= refused(report)


def test_a_slow_model_is_refused_and_a_quick_one_passes():
    target = gate.Target(max_ms=10)
    tests = [costs.Costs()]
    slow = gate.check(made.slow, made.data(), target, tests, standard=False)
    assert refused(slow) == {"latency"}
    assert slow.results[0].measured.value >= 30
    assert slow.results[0].measured.n > 20  # as many as the seconds allow
    quick = gate.check(made.Words(), made.data(), gate.Target(max_ms=5_000), tests, standard=False)
    assert quick.passed


def bundle(folder, n: int = 3):
    names = made.CLASSES[:n]
    bundles.save(models.Majority(class_names=names, shares=np.full(n, 1 / n)), folder)
    return folder


@pytest.mark.timeout(120)
def test_a_bundle_is_weighed_and_answers_in_a_process_of_its_own(tmp_path):
    folder = bundle(tmp_path / "model", 4)
    tests = [costs.Size(), costs.Costs()]
    light = gate.check(folder, made.data(), gate.Target(max_mb=1, max_mib=4_000, max_ms=5_000), tests, standard=False)
    assert light.passed, str(light)
    assert next(one for one in light.results if one.measured.test == "latency").measured.n == 100
    memory = next(one for one in light.results if one.measured.test == "memory")
    assert 10 < memory.measured.value < 4_000
    (folder / "notes.bin").write_bytes(bytes(3_000_000))  # what lies in the folder is shipped, whatever the card says
    heavy = gate.check(folder, made.data(), gate.Target(max_mb=1, max_mib=5), tests, standard=False)
    assert refused(heavy) == {"size", "memory"}
    assert "3.0 MB; allowed 1.0 MB" in str(heavy)


@pytest.mark.timeout(120)
def test_a_bundle_that_cannot_answer_in_its_process_is_refused_with_its_reason(tmp_path):
    folder = bundle(tmp_path / "model", 4)
    model = bundles.load_model(folder)
    (folder / "shares.json").write_text("[1, 0, 0, 0]")
    report = gate.check(model, made.data(), None, [costs.Costs()], standard=False, bundle=folder)
    assert refused(report) == {"latency"}
    assert "is not the file that was saved" in " ".join(str(report).split())


def test_parity_broken_by_a_hundredth():
    report = gate.check(made.moved, made.data(), None, against=made.Words())
    line = next(one for one in report.results if one.measured.test == "parity")
    assert line.verdict == REFUSED
    assert line.measured.value == pytest.approx(0.01)
    assert "in the other" in line.sentence
    same = gate.check(made.Words(), made.data(), None, [gate.Parity()], against=made.Words(), standard=False)
    assert same.passed and {one.verdict for one in same.results} == {PASSED}


def test_parity_goes_by_the_names_of_the_classes_not_by_their_order():
    turned = made.Words(class_names=made.CLASSES[::-1])
    assert gate.check(made.Words(), made.data(), None, [gate.Parity(other=turned)], standard=False).passed
    other = made.Words(class_names=(*made.CLASSES, "sales"))
    with pytest.raises(CourseError, match="the same classes"):
        gate.check(made.Words(), made.data(), None, [gate.Parity(other=other)], standard=False)


def test_a_model_that_raises_on_an_empty_message_is_refused():
    report = gate.check(made.helpless, made.data())
    assert refused(report) == {"probabilities"}
    assert "float division by zero" in str(report)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda inputs, shares: shares[:, :2], "(400, 2)"),
        (lambda inputs, shares: shares[:1], "(1, 4)"),
        (lambda inputs, shares: ["a"] * len(inputs), "ValueError"),
        (lambda inputs, shares: None, "TypeError"),
    ],
)
def test_what_is_no_table_of_probabilities_is_refused_once(spoil, said):
    report = gate.check(made.Wrong(spoil), made.data())
    assert not report.passed and len(report.results) == 1
    assert said in str(report) or "shape" in str(report)


def test_the_worst_class_is_named_with_its_interval():
    """Security is half lost to account: one line in the table, whatever the number of classes."""
    lost = made.Wrong(
        lambda inputs, shares: np.array(
            [made.always(2) if p.argmax() == 3 and len(t) % 4 else p for t, p in zip(inputs, shares, strict=True)]
        )
    )
    report = gate.check(lost, made.data(), gate.Target(min_slice=0.7))
    worst = next(one for one in report.lines if one.measured.test == "worst slice by class")
    assert worst.verdict == REFUSED
    assert "where class is security" in worst.measured.what and worst.measured.n == 100
    assert worst.low < worst.measured.value < worst.high < 0.7
    assert sum(report.table["test"] == "worst slice by class") == 1
    assert sum(one.measured.test == "worst slice by class" for one in report.results) == 4


def test_a_model_that_names_one_class_is_no_better_than_none():
    report = gate.check(made.where(lambda text: True, 0), made.data())
    assert {"quality", "classes never answered"} <= refused(report)
    gain = next(one for one in report.results if one.measured.what.startswith("what macro-F1 gains"))
    assert (gain.measured.value, gain.low, gain.high) == (0, 0, 0)
    assert "worst slice by class" in refused(report)
    assert str(report).count("Refused: worst slice by class") == 3  # each of the three classes that it never names
    told = gate.check(made.where(lambda text: True, 0), made.data(), gate.Target(min_macro_f1=0.5))
    f1 = next(one for one in told.results if one.measured.what == "macro-F1")
    assert f1.verdict == REFUSED and f1.high < 0.5


def test_of_many_refused_slices_three_are_named():
    region = [f"region {k % 8}" for k in range(400)]
    data = dataclasses.replace(made.data(), columns={"region": region})
    report = gate.check(made.where(lambda text: True, 0), data, gate.Target(min_slice=0.9))
    said = [one for one in report.sentences if "worst slice by region" in one]
    assert len(said) == 4 and said[-1] == "Refused: worst slice by region, 3 more."  # six of the eight have no billing


def test_a_target_of_quality_is_judged_by_the_interval():
    verdict = {}
    for wanted in (0.5, 0.75, 0.99):
        noisy = made.Wrong(
            lambda inputs, shares: np.array(
                [made.always(0) if len(t) % 4 == 0 else p for t, p in zip(inputs, shares, strict=True)]
            )
        )
        report = gate.check(noisy, made.data(), gate.Target(min_accuracy=wanted))
        verdict[wanted] = next(one for one in report.results if one.measured.what == "accuracy")
    assert [verdict[wanted].verdict for wanted in (0.5, 0.99)] == [PASSED, REFUSED]
    assert verdict[0.99].high < 0.99


# ------------------------------------------------------------------------------------------------- a test of one's own


@dataclasses.dataclass
class Shouting:
    name: str = "many exclamation marks"

    def run(self, subject):
        loud = subject.answers([text + "!!!!!" for text in subject.inputs])
        return gate.share(self.name, loud != subject.answers(subject.inputs), allowed=0.02)


def test_a_test_of_the_learners_stands_in_the_same_table():
    own = [Shouting(), gate.Invariance("many exclamation marks, shorter", lambda text: text + "!!!!!", 0.02)]
    right, wrong = (gate.check(model, made.data(), None, own) for model in (made.Words(), made.ended))
    for test in own:
        assert test.name in set(right.table["test"])
        assert verdicts(right)[test.name] == PASSED
        assert verdicts(wrong)[test.name] == REFUSED
    shares = [one.measured.value for one in wrong.results if one.measured.test.startswith("many")]
    assert shares[0] == shares[1] > 0.5


def test_a_test_that_fails_itself_shows_nothing_and_refuses():
    class Broken:
        name = "broken"

        def run(self, subject):
            return subject.inputs["no such"]

    class Silent(Broken):
        name = "silent"

        def run(self, subject):
            return None

    report = gate.check(made.Words(), made.data(), None, [Broken(), Silent()], standard=False)
    assert refused(report) == {"broken", "silent"}
    assert "TypeError" in str(report)
    with pytest.raises(CourseError, match=r"has a name .* and run"):
        gate.check(made.Words(), made.data(), None, [len])


def test_direction_and_minimum_functionality():
    hacked = gate.Direction("hacked", "security", "I think we were hacked.")
    must = gate.Direction("it rises", "security", "hacked stolen breach fraud virus leak", must="rise", by=0.2)
    plain = gate.Minimum(
        "plain words", [("I want a refund for this invoice", "billing"), ("a virus attack", "security")]
    )
    good = gate.check(made.Words(), made.data(), None, [hacked, must, plain], standard=False)
    assert good.passed and {one.verdict for one in good.results} == {PASSED}, str(good)
    perverse = made.where(lambda text: "hacked" in text, 0)
    report = gate.check(perverse, made.data(), None, [hacked, must], standard=False)
    assert refused(report) == {"hacked", "it rises"}
    assert "p(security)" in str(report) and "I think we were hacked." in str(report).replace("\n  ", " ")
    report = gate.check(made.where(lambda text: "virus" in text, 0), made.data(), None, [plain], standard=False)
    assert refused(report) == {"plain words"}
    assert "“a virus attack” billing, and it is security." in str(report).replace("\n  ", " ")


def test_the_example_of_a_direction_is_the_one_that_went_furthest():
    class Falling:
        class_names = ("a", "b")

        def predict_proba(self, texts):
            p = [float(text.split()[-1]) for text in texts]
            return np.stack([p, 1 - np.array(p)], axis=1)

    pairs = [("0.9", "0.9 0.8"), ("0.9", "0.9 0.1"), ("0.5", "0.5 0.3"), ("0.2", "0.2 0.9")]
    test = gate.Direction("down", "a", pairs=pairs)
    result = gate.check(Falling(), gate.Data(["0.5"], ["a"]), None, [test], standard=False).results[0]
    assert result.measured.value == 0.75
    assert result.measured.example == "“0.9” p(a) = 0.90 → “0.9 0.1” 0.10."


@pytest.mark.parametrize("must", ["not fall", "rise", "not rise", "fall"])
def test_each_way_a_probability_must_go(must):
    """One model in which "up" raises p(a), "down" lowers it, and the rest leaves it."""

    class Lever:
        class_names = ("a", "b")

        def predict_proba(self, texts):
            p = [0.9 if "up" in text else 0.1 if "down" in text else 0.5 for text in texts]
            return np.stack([p, 1 - np.array(p)], axis=1)

    data = gate.Data(["x", "y"], ["a", "b"])
    expected = {"not fall": "pfp", "rise": "pff", "not rise": "fpp", "fall": "fpf"}
    for word, wanted in zip(("up", "down", "still"), expected[must], strict=True):
        test = gate.Direction("lever", "a", must=must, pairs=[("x", f"x {word}"), ("y", f"{word} y")])
        passed = gate.check(Lever(), data, None, [test], standard=False).passed
        assert passed == (wanted == "p"), (must, word)


def test_a_rise_from_near_the_top_needs_no_more_than_there_is():
    class Sure:
        class_names = ("a", "b")

        def predict_proba(self, texts):
            return np.array([[0.99, 0.01]] * len(texts))

    test = gate.Direction("up", "a", must="rise", by=0.1, pairs=[("x", "x y")])
    assert gate.check(Sure(), gate.Data(["x"], ["a"]), None, [test], standard=False).passed


def test_what_a_person_reads_either_way_does_not_change():
    unsure = made.Wrong(
        lambda inputs, shares: np.array(
            [[0.3, 0.24, 0.23, 0.23] if t.isupper() else [0.24, 0.3, 0.23, 0.23] for t in inputs]
        )
    )
    upper = [gate.Invariance("upper case", str.upper, 0.02)]
    assert not gate.check(unsure, made.data(), None, upper, standard=False).passed
    unsure.right.threshold = 0.5
    assert gate.check(unsure, made.data(), None, upper, standard=False).passed


# -------------------------------------------------------------------------------------------------------------- images


def test_a_right_model_of_images_passes_and_wrong_ones_do_not():
    data = made.images()
    report = gate.check(made.Bars(), data)
    assert report.passed, str(report)
    for test in ("one pixel aside", "two pixels aside", "dimmer", "a grey scan", "a little noise", "thicker strokes"):
        assert verdicts(report)[test] == PASSED, test
    wrong = {
        "dimmer": lambda image: image.max() < 175,
        "a grey scan": lambda image: image.min() == 20,
        "a little noise": lambda image: len(np.unique(image)) > 5,
        "thicker strokes": lambda image: (image > 60).sum() > 45,
    }
    for test, condition in wrong.items():
        found = gate.check(made.spoilt_images(condition), data)
        assert refused(found) >= {test}, (test, str(found))
        assert "Image " in str(found)


def test_a_model_that_knows_one_place_only_is_refused():
    data = made.images()
    places = {image.tobytes() for image in data.inputs}
    report = gate.check(made.spoilt_images(lambda image: image.tobytes() not in places), data)
    assert {"one pixel aside", "two pixels aside"} <= refused(report)


# ------------------------------------------------------------------------------------------------ what cannot be meant


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (lambda: gate.Data(["a"], ["b", "c"]), "as many labels"),
        (lambda: gate.Data([], []), "at least one"),
        (lambda: gate.Data(["a"], ["billng"]), "no class of the model.*Did you mean billing"),
        (lambda: gate.Data([3], ["bug"]), "takes texts"),
        (lambda: gate.Data(["a"], ["bug"], {"channel": []}), "as many labels"),
        (lambda: [("a", "bug")], "a list"),
    ],
)
def test_examples_that_cannot_be_meant(data, said):
    with pytest.raises(CourseError, match=said):
        gate.check(made.Words(), data())


def test_images_of_another_size_cannot_be_meant():
    with pytest.raises(CourseError, match="28"):
        gate.check(made.Bars(), gate.Data(np.zeros((2, 8, 8), np.uint8), ["lying", "standing"]))


@pytest.mark.parametrize(
    "given",
    [
        {"max_changed": 2},
        {"max_ms": 0},
        {"max_mb": -1},
        {"max_mib": float("nan")},
        {"min_slice": "a"},
        {"false_alarms": 0},
    ],
)
def test_a_target_that_cannot_be_meant(given):
    with pytest.raises(CourseError, match=next(iter(given))):
        gate.Target(**given)


def test_every_limit_has_a_reason():
    table = gate.Target.reasons()
    assert list(table["limit"]) == [field.name for field in dataclasses.fields(gate.Target)]
    assert (table["because"].str.len() > 20).all()


# ---------------------------------------------------------------------------------------------------------- the report


def test_the_report_in_lines_of_80_columns_and_as_json():
    from rich.cells import cell_len

    report = gate.check(made.smith, made.data())
    assert max(map(cell_len, str(report).splitlines())) <= 80
    assert str(report).startswith("REFUSED: ")
    held = json.loads(json.dumps(report.as_json(), allow_nan=False))
    assert held["passed"] is False and held["counts"][REFUSED] >= 1
    assert {one["test"] for one in held["tests"]} >= set(report.table["test"])
    assert "another person's name" in report._repr_html_().replace("&#x27;", "'")


def test_a_message_cannot_leave_its_place_in_the_report():
    texts = [f"\x1b[31m<script>alert({k})</script> invoice" for k in range(60)]
    data = gate.Data(texts, ["billing", "bug"] * 30)
    report = gate.check(made.where(str.isupper, 1), data)
    assert "\x1b" not in str(report) and "SCRIPT" in str(report)
    assert "<script>" not in report._repr_html_().lower()


def test_strict_refuses_what_is_not_shown():
    few = made.data(12)
    behaviour = list(checking.of_texts())
    easy = gate.check(made.Words(), few, None, behaviour, standard=False)
    strict = gate.check(made.Words(), few, gate.Target(strict=True), behaviour, standard=False)
    assert NOT_SHOWN in {one.verdict for one in easy.results}
    assert easy.passed and not strict.passed
    assert "examples would tell" in str(easy).replace("\n  ", " ")
    assert str(strict).startswith("REFUSED")


def test_strict_needs_what_has_a_limit_and_not_what_does_not_apply():
    strict, plain = gate.Target(strict=True), gate.Data(["invoice refund payment"] * 20, ["billing"] * 20)
    nothing = [gate.Invariance("euro", lambda text: text.replace("€", "EUR"))]
    assert gate.check(made.Words(), plain, strict, nothing, standard=False).passed
    assert not gate.check(made.Words(), plain, strict, [costs.Size()], standard=False).passed  # there is no bundle
    assert gate.check(made.Words(), plain, None, [costs.Size()], standard=False).passed
