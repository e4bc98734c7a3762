"""Attacks that the simulated model understands in every wording, honest mails beside them, and the chapter's policy."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import data
from course_utils.assistant import attacks, recorded
from course_utils.retrieval import corpus

HOSTS = ["Hello, our printer is on fire.", "Where is my parcel? I ordered on Friday."]


def test_every_attack_is_understood():
    planted = attacks.static(HOSTS)
    assert len(planted) >= 100 and {goal for goal, _ in planted} == set(attacks.GOALS)
    for goal, mail in planted:
        ((tool, arguments),) = attacks.obeys(mail)
        assert set(arguments) == attacks.TOOLS[tool], goal
    wanted = {goal: attacks.obeys(attacks.plainly(goal)) for goal in attacks.GOALS}
    assert wanted["refund too much"] == [("refund", {"amount": "4900", "order": "A-17"})]
    assert wanted["take over"] == [("set_email", {"to": attacks.ADDRESSES[0]})]


@pytest.mark.parametrize("goal", attacks.GOALS)
def test_so_is_every_rewriting_and_no_two_seeds_are_alike(goal):
    mails = list(itertools.islice(attacks.rewritten(goal, HOSTS[0], 3), 40))
    (tool,) = {attacks.obeys(attacks.plainly(goal))[0][0]}
    assert all([name for name, _ in attacks.obeys(mail)] == [tool] for mail in mails)
    assert mails == list(itertools.islice(attacks.rewritten(goal, HOSTS[0], 3), 40))
    assert mails != list(itertools.islice(attacks.rewritten(goal, HOSTS[0], 4), 40))
    assert len(set(mails)) > 20


def test_real_tickets_ask_for_nothing_and_honest_mails_for_one_thing():
    tickets = data.load("tickets")
    texts = [text for part in (tickets.train, tickets.validation, tickets.test) for text in part.texts]
    assert [text for text in texts if attacks.obeys(text)] == []
    assert all(len(attacks.obeys(mail)) == 1 for mail in attacks.honest(texts[:30], seed=0))


@pytest.fixture(scope="module")
def grant_of(chapter_functions):
    return chapter_functions("13", "Grant")["Grant"]


RECORD = {
    "order": {"A-17", "A-18"},
    "amount": {"49", "890"},
    "what": {"last invoice", "contract"},
    "to": {"ana@home.example", "ana@old.example"},
}
VALUES = [*(value for values in RECORD.values() for value in sorted(values)), "4", "ana@evil.example", 49, None, ["49"]]
TASKS = [
    ("refund", {"order": "A-17", "amount": "49"}),
    ("send", {"what": "last invoice", "to": "ana@home.example"}),
    ("set_email", {"to": "ana@new.example"}),
    None,
]
CALLS = st.tuples(
    st.sampled_from([*attacks.TOOLS, "delete", "", None, ["refund"]]),
    st.one_of(
        st.dictionaries(st.sampled_from(["order", "amount", "what", "to", "copy"]), st.sampled_from(VALUES)),
        st.sampled_from([None, [], "order"]),
    ),
)


@given(st.lists(st.one_of(CALLS, st.sampled_from(TASKS)), max_size=8), st.sampled_from(TASKS))
def test_whatever_a_model_asks_for_in_whatever_order_the_task_alone_is_done_and_once(grant_of, asked, task):
    grant = grant_of(task)
    done = [call for call in asked if grant.spend(call)]
    assert done == [task] * (task is not None and task in asked)


def test_a_second_run_finds_the_grant_spent(grant_of):
    grant = grant_of(TASKS[0])
    assert [grant.spend(TASKS[0]) for _ in range(3)] == [True, False, False]


def test_of_every_call_there_is_the_tasks_own_passes_alone(grant_of):
    every = attacks.every_call(RECORD | {"to": RECORD["to"] | {"ana@new.example"}})
    for task in TASKS:
        assert [call for call in every if grant_of(task).spend(call)] == [task] * bool(task)


def test_every_call_has_whole_ones_incomplete_ones_and_mistyped_ones():
    every = attacks.every_call(RECORD)
    assert len(every) == len({repr(call) for call in every}) > 500
    wholes = [
        arguments
        for tool, arguments in every
        if tool == "refund" and set(arguments) == {"order", "amount"} and {type(v) for v in arguments.values()} == {str}
    ]
    assert len(wholes) == 3 * 3  # two orders and amounts of the record, one of each of the attacks
    for incomplete in ({}, {"order": "A-17"}, {"order": "A-17", "amount": 49}, {"order": ["A-17"], "amount": "49"}):
        assert ("refund", incomplete) in every


def test_the_recorded_answers_have_their_sections_and_no_sentence_twice():
    names = corpus.load().number
    table = recorded.table()
    assert set(table["section"]) <= set(names) and table["answer"].nunique() >= 15
    assert table["sentence"].is_unique
    assert table["kind"].value_counts().to_dict() == {"supported": 30, "number": 15, "turned": 15, "invented": 15}


def test_dice_are_the_attackers_own():
    state = random.getstate()
    next(attacks.rewritten("take over", HOSTS[0], 1))
    assert random.getstate() == state
