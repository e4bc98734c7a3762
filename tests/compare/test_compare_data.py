"""What is found wrong with the data, and the parts that a file is split into."""

import itertools

import numpy as np
import pytest
from own_messages import messages, write_csv

from course_utils import data
from course_utils.compare import findings, near_duplicates, split, text_language
from course_utils.data.text import TextData, text_data
from course_utils.errors import CourseError


def of_rows(tmp_path, rows) -> split.Split:
    path = write_csv(tmp_path / "rows.csv", rows)
    return split.of_csv(data.load_csv(path, text="text", label="label"))


def set_of(train, validation, test, names=("a", "b")) -> TextData:
    import pandas as pd

    frames = {
        name: pd.DataFrame(rows, columns=["text", "label"])
        for name, rows in (("train", train), ("validation", validation), ("test", test))
    }
    return text_data("made", frames, names, "en")


def kinds(found) -> set[str]:
    return {one.kind for one in found}


# ---- alike


def pairs_by_group(texts) -> set[tuple[int, int]]:
    """All pairs of rows that `search` puts into one group."""
    groups = near_duplicates.search(texts).groups
    return {(a, b) for b in range(len(texts)) for a in range(b) if groups[a] == groups[b]}


def grams(text) -> set:
    """Words and pairs of words, as the definition says it."""
    words = text_language.units(text)
    return {*words, *itertools.pairwise(words)}


def test_nearly_equal_messages_are_found_whatever_their_place():
    texts = [
        "The invoice for March was charged twice to my card, please give the money back.",
        "Something else entirely about a password that does not work any more.",
        "the invoice for march was charged TWICE to my card - please give the money back!!",
        "The invoice for March was charged twice to my card, please give us the money back.",
        "发票金额不对请退款给我谢谢",
        "发票金额不对,请退款给我。谢谢!",
        "Cafe\u0301 closed, re\u0301sume\u0301 lost",
        "Café closed, résumé lost",
    ]
    assert pairs_by_group(texts) == {(0, 2), (0, 3), (2, 3), (4, 5), (6, 7)}


def test_prefix_filtering_finds_every_pair_that_trying_all_finds():
    random = np.random.default_rng(0)
    texts = []
    for _ in range(60):
        words = [f"w{chr(97 + k)}" for k in random.integers(12, size=9)]
        texts.append(" ".join(words))
        texts.append(" ".join([*words[:-1], "x"]))
    each = [grams(text) for text in texts]
    slow = set()
    for a in range(len(texts)):
        for b in range(a + 1, len(texts)):
            if len(each[a] & each[b]) >= near_duplicates.SHARE * len(each[a] | each[b]):
                slow.add((a, b))
    found = near_duplicates.search(texts)
    assert slow <= pairs_by_group(texts)
    assert set(found.links) <= slow
    assert len(slow) > 3 and found.unfinished == 0 and found.findings() == []
    assert len(found.links) == len(texts) - len(set(found.groups.tolist())), "as many as hold the groups together"


def test_texts_without_a_letter_are_alike_only_when_equal():
    assert near_duplicates.search(["😀😀", "!!!", "123", "😀😀"]).links == ((0, 3),)


def notices(count: int) -> list[str]:
    """Notices that differ in a name."""
    return [
        f"Dear {''.join(chr(97 + int(digit)) for digit in str(number))}, your parcel could not be delivered today "
        "because nobody was at home. Please collect it from the depot in the High Street within seven days, or ask us "
        "to deliver it again on a day that suits you."
        for number in range(1000, 1000 + count)
    ]


def test_notices_that_differ_in_a_name_are_one_group_and_not_all_their_pairs():
    found = near_duplicates.search(notices(1_500))
    assert len(set(found.groups.tolist())) == 1 and len(found.links) == 1_499, "of 1.1 million pairs"
    assert found.unfinished > 1_000
    assert [one.kind for one in found.findings()] == ["near-duplicates not all looked for"]


def test_what_the_budget_did_not_reach_is_said():
    texts = notices(300)
    whole = near_duplicates.search(texts)
    cut = near_duplicates.search(texts, budget=2_000)
    assert len(cut.links) < len(whole.links) and cut.unfinished > whole.unfinished
    assert near_duplicates.search(texts, budget=0).unfinished >= 298


def test_more_messages_than_are_compared_are_said(monkeypatch):
    monkeypatch.setattr(near_duplicates, "MOST", 3)
    found = near_duplicates.search(["one two", "three four", "five six", "One, two!"])
    assert found.exact_only and found.links == ((0, 3),)
    assert "more than 3 messages" in str(found.findings()[0])


def test_reordered_rows_keep_their_groups():
    texts = ["one two three", "four five six", "One two three!", "Four, five, six", "seven"]
    order = np.array([4, 3, 2, 1, 0])
    found = near_duplicates.search(texts).reordered(order)
    again = near_duplicates.search([texts[i] for i in order])
    assert found.links == again.links == ((1, 3), (2, 4))
    assert (found.groups[:, None] == found.groups).tolist() == (again.groups[:, None] == again.groups).tolist()


@pytest.mark.parametrize(
    ("texts", "language"),
    [
        (["Hello there"], "en"),
        (["发票金额不对"], "zh"),
        (["请退款 ok"], "zh"),
        (["مرحبا بكم"], "en"),
        (["😀 123"], "en"),
        (["😀😡", "🎉", "ok then"], "zh"),
        (["!", "?"], "zh"),
    ],
)
def test_the_language_decides_how_texts_are_cut(texts, language):
    assert text_language.language(texts) == language


def test_english_is_told_from_its_neighbours():
    assert text_language.english(data.load("tickets").train.texts) > 0.3
    assert text_language.english(["Die Rechnung wurde zweimal abgebucht, bitte erstatten Sie mir den Betrag."]) < 0.1


# ---- the split


def test_a_file_is_split_by_class_and_the_test_is_large_enough(tmp_path):
    compared = of_rows(tmp_path, messages({"billing": 200, "bug": 100, "account": 50}))
    assert len(compared.outside) + len(compared.test) == 350 and len(compared.test) == pytest.approx(105, abs=3)
    assert len(compared.folds) == 3
    for part in (compared.test, *(compared.outside.rows(rows) for rows in compared.folds)):
        shares = np.bincount(part.labels) / len(part)
        assert shares == pytest.approx([200 / 350, 100 / 350, 50 / 350], abs=0.02)
    assert sorted(np.concatenate(compared.folds)) == list(range(len(compared.outside))), "each is asked once"
    for fold, rows in enumerate(compared.folds):
        assert not set(compared.learnt_from(fold)) & set(rows)
    again = of_rows(tmp_path, messages({"billing": 200, "bug": 100, "account": 50}))
    assert again.test.where == compared.test.where and again.fingerprint == compared.fingerprint


@pytest.mark.parametrize(("splits", "held"), [(1, 70), (3, 245), (5, 245)])
def test_the_number_of_splits_can_be_said(tmp_path, splits, held):
    path = write_csv(tmp_path / "rows.csv", messages({"billing": 200, "bug": 100, "account": 50}))
    compared = split.of_csv(data.load_csv(path, text="text", label="label"), 0, splits)
    assert len(compared.folds) == splits and len(compared.held) == pytest.approx(held, abs=3)
    assert compared.sizes()["validation"] == len(compared.validation) == len(compared.held)


def test_many_labels_are_split_once(tmp_path, monkeypatch):
    monkeypatch.setattr(split, "FEW_LABELS", 200)
    assert len(of_rows(tmp_path, messages({"billing": 200, "bug": 150})).folds) == 1


def test_the_newest_messages_are_the_test(tmp_path):
    rows = messages({"billing": 60, "bug": 60})
    days = np.random.default_rng(0).permutation(len(rows))
    path = tmp_path / "rows.csv"
    lines = [
        f"{text},{label},{np.datetime64('2026-01-01') + int(day)}"
        for (text, label), day in zip(rows, days, strict=True)
    ]
    path.write_text("\n".join(["text,label,created", *lines, "no date here,bug,"]) + "\n", "utf-8")
    own = data.load_csv(path, text="text", label="label", time="created")
    assert [one.kind for one in own.findings] == ["no time"] and own.findings[0].lines == (len(rows) + 2,)
    compared = split.of_csv(own)
    newest = {rows[i][0] for i in np.argsort(days)[-36:]}
    assert set(compared.test.texts) == newest and not set(compared.outside.texts) & newest
    assert "The newest 30 %" in compared.rule and len(compared.folds) == 3
    (found,) = findings.by_time(compared)
    assert found.kind == "split by time" and "on them and" in str(found)
    assert findings.by_time(of_rows(tmp_path, rows)) == []


def test_lines_are_those_of_the_file(tmp_path):
    rows = messages({"billing": 40, "bug": 30})
    compared = of_rows(tmp_path, rows)
    whole = compared.all()
    for text, where in zip(whole.texts, whole.where, strict=True):
        assert rows[int(where.removeprefix("line ")) - 2][0] == text


def test_messages_that_are_alike_stay_in_one_part(tmp_path):
    rows = messages({"billing": 60, "bug": 60})
    rows += [(f"{text} really!", label) for text, label in rows[:30]]
    compared = of_rows(tmp_path, rows)
    parts = {"test": compared.test, **{k: compared.outside.rows(one) for k, one in enumerate(compared.folds)}}
    home = {text: name for name, part in parts.items() for text in part.texts}
    for text, _ in rows[:30]:
        assert home[text] == home[f"{text} really!"]
    assert "leak between the parts" not in kinds(findings.look(compared))


def shares_of(drawn, count):
    """The rows of each part of `split.draw`; what is in none of them is learnt from in every split."""
    parts = {"test": drawn["test"], **dict(enumerate(drawn["folds"]))}
    used = np.concatenate(list(parts.values()))
    assert len(set(used)) == len(used), "no row in two parts"
    return {**parts, "train": np.setdiff1d(np.arange(count), used)}


@pytest.mark.parametrize("splits", split.SPLITS)
@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_rare_class_has_something_to_learn_from_and_to_be_tested_on(count, splits):
    labels = np.array([0] * 50 + [1] * count)
    parts = shares_of(split.draw(labels, np.arange(len(labels)), 2, 0, splits), len(labels))
    own = {name: int((labels[rows] == 1).sum()) for name, rows in parts.items()}
    assert own["test"] >= 1
    asked = [own[k] for k in range(splits)]
    assert sum(asked) >= (count >= 3)
    for fold in range(splits):
        assert count - own["test"] - own[fold] >= 1, "something is left to learn from in every split"


@pytest.mark.parametrize("splits", split.SPLITS)
@pytest.mark.parametrize("notices", [30, 300, 3_000])
def test_a_large_group_of_nearly_equal_messages_leaves_the_others_to_all_parts(notices, splits):
    labels = np.array([0] * notices + [0, 1] * 500)
    groups = np.concatenate([np.zeros(notices, np.int64), np.arange(1, 1_001)])
    parts = shares_of(split.draw(labels, groups, 2, 0, splits), len(labels))
    assert np.bincount(labels[parts["test"]]) == pytest.approx([150] * 2, rel=0.1)
    if splits == 1:
        assert set(range(notices)) <= set(parts["train"]), "kept whole"
        assert np.bincount(labels[parts[0]]) == pytest.approx([100] * 2, rel=0.1)
    elif notices > 300:
        assert set(range(notices)) <= set(parts["train"]), "kept whole"
        for fold in range(splits):
            assert np.bincount(labels[parts[fold]]) == pytest.approx([350 / splits] * 2, rel=0.1)


def test_classes_of_few_large_groups_are_in_every_part():
    labels = np.repeat([0, 1], 120)
    groups = np.concatenate([np.repeat([0, 1, 2], 40), np.repeat(np.arange(3, 43), 3)])
    for name, rows in shares_of(split.draw(labels, groups, 2, 0), len(labels)).items():
        assert len(set(groups[rows][labels[rows] == 0])) == 1, name
        assert len(set(groups[rows][labels[rows] == 1])) >= 5, name


def test_a_class_of_one_wording_cannot_be_judged(tmp_path):
    notices = [(f"your order number {k} has left our warehouse and arrives in three days", "notice") for k in range(60)]
    with pytest.raises(CourseError, match=r"no message of 'notice' is left for the part validation, because nearly"):
        of_rows(tmp_path, [*notices, *messages({"billing": 60})])
    compared = of_rows(tmp_path, [*notices, *messages({"billing": 60, "bug": 60})])
    found = [one.message for one in findings.look(compared) if one.kind == "class not judged"]
    assert len(found) == 1 and found[0].startswith("notice: no message in validation or in the test")


def test_very_many_rows_leave_most_to_training():
    labels = np.tile([0, 1], 20_000)
    drawn = split.draw(labels, np.arange(len(labels)), 2, 0)
    assert len(drawn["test"]) == len(drawn["folds"][0]) == split.MOST_JUDGED


# ---- findings


def test_leaks_conflicts_and_unseen_classes_of_given_parts_are_named():
    train = [("my invoice was charged twice on monday please refund", "a"), ("the app crashes on start every day", "b")]
    train += [(f"{text} {k}", "a") for k, (text, _) in enumerate(messages({"billing": 20}))]
    test = [("My invoice was charged twice on Monday, please refund!", "b"), ("something new about cats", "c")]
    compared = split.of_text_data(
        set_of(train, [("another one about dogs", "b"), ("and one about mice", "a")], test, ("a", "b", "c"))
    )
    found = {one.kind: str(one) for one in findings.look(compared)}
    assert "train row 1 and test row 1" in found["leak between the parts"]
    assert "1 test message (50.0%)" in found["leak between the parts"]
    assert "train row 1 (a) and test row 1 (b)" in found["conflicting labels"]
    assert found["class unseen in training"].startswith("c: no training example, but 1 test message")
    assert "b (1)" in found["small classes"]
    assert "imbalance" in found
    assert "few messages" in found


def test_the_language_is_pointed_out():
    assert "trained on English" in findings.language_problem(split.of_text_data(data.load("tickets_zh")))
    assert findings.language_problem(split.of_text_data(data.load("tickets"))) is None
    arabic = [(f"مرحبا بكم في {k} الشركة", "ab"[k % 2]) for k in range(9)]
    assert "another script" in findings.language_problem(split.of_text_data(set_of(arabic, arabic, arabic)))
    german = [("Die Rechnung wurde zweimal abgebucht", "a"), ("Das Programm stürzt bei jedem Start ab", "b")]
    found = findings.look(split.of_text_data(set_of(german, german, german)))
    assert "common English" in next(str(one) for one in found if one.kind == "language")


def test_wrong_labels_are_pointed_at(tmp_path):
    rows = messages({"billing": 100, "bug": 100, "account": 100})
    wrong = {"billing": "bug", "bug": "account", "account": "billing"}
    planted = range(0, 300, 30)
    rows = [(text, wrong[label] if k in planted else label) for k, (text, label) in enumerate(rows)]
    compared = of_rows(tmp_path, rows)
    found, looked_at = findings.suspects(compared)
    assert looked_at == 300
    named = {one.where for one in found}
    assert sum(f"line {k + 2}" in named for k in planted) >= 8
    assert len(named) <= 14
    assert "read like another class" in str(findings.noise(found, looked_at)[0])
    assert findings.noise([], 300) == []


def test_clean_messages_bring_no_suspicion(tmp_path):
    assert findings.suspects(of_rows(tmp_path, messages({"billing": 60, "bug": 60})))[0] == []


def test_emoji_alone_are_looked_at_like_any(tmp_path):
    faces = {"glad": "😀😃😄😁🎉🥳", "cross": "😡😠🤬👎💥😤"}
    random = np.random.default_rng(0)
    rows = [("".join(random.choice(list(faces[name]), 5)), name) for name in faces for _ in range(60)]
    compared = of_rows(tmp_path, rows)
    assert compared.language == "zh", "cut by character"
    assert "language" in kinds(findings.look(compared))
    suspects, looked_at = findings.suspects(compared)
    assert looked_at == len(compared.all()) and len(suspects) < 5


# ---- what cannot be compared


def test_a_refusal_says_what_was_left_out(tmp_path):
    rows = messages({"billing": 10, "bug": 10})
    path = write_csv(tmp_path / "rows.csv", rows)
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(f"a message, {k}, with commas,billing\n" for k in range(100)) + ",bug\n" * 4)
    with pytest.raises(CourseError) as refused:
        split.of_csv(data.load_csv(path, text="text", label="label"))
    said = str(refused.value)
    assert "has 20 usable messages" in said and "104 rows were left out" in said
    assert "more fields than the 2" in said and "nothing in 'text'" in said


def test_too_few_rows_are_refused(tmp_path):
    with pytest.raises(CourseError, match=r"has 12 usable messages in 2 classes; a comparison needs 30 at least"):
        of_rows(tmp_path, messages({"billing": 6, "bug": 6}))


def test_rows_that_are_all_alike_are_refused(tmp_path):
    rows = [
        (f"the invoice of this month was charged twice to my card please refund {'!' * k}", "ab"[k % 2])
        for k in range(40)
    ]
    with pytest.raises(CourseError, match=r"no message of .* is left|usable messages"):
        of_rows(tmp_path, [*rows, *((f"{text} x{k}", label) for k, (text, label) in enumerate(rows))])


def test_a_set_with_an_empty_part_or_a_single_class_is_refused():
    rows = [("one two three", "a"), ("four five six", "b")]
    with pytest.raises(CourseError, match="no messages in its part validation"):
        split.of_text_data(set_of(rows, [], rows))
    for name, parts in {
        "train": (rows[:1], rows, rows),
        "validation": (rows, rows[:1], rows),
        "test": (rows, rows, rows[1:]),
    }.items():
        with pytest.raises(CourseError, match=f"a single class in its part {name}"):
            split.of_text_data(set_of(*parts))
