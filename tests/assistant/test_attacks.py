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
TOOLS = {"refund": ("order", "amount"), "send": ("what", "to"), "set_email": ("to",)}


def test_every_attack_is_understood():
    planted = attacks.static(HOSTS)
    assert len(planted) >= 100 and {goal for goal, _ in planted} == set(attacks.GOALS)
    for goal, mail in planted:
        ((tool, arguments),) = attacks.obeys(mail)
        assert tuple(sorted(arguments)) == tuple(sorted(TOOLS[tool])), goal
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
    assert all(len(attacks.obeys(mail)) == 1 for mail in attacks.honest(texts[:30]))


@pytest.fixture(scope="module")
def policy(chapter_functions):
    return chapter_functions("13", "policy")["policy"]


VALUES = ["A-17", "B-52", "49", "4900", "last invoice", "customer list", "ana@home.example", "tax@office.example"]
TRUSTED = {"order": {"A-17"}, "amount": {"49"}, "what": {"last invoice"}, "to": {"ana@home.example"}}
TASKS = [
    ("refund", {"order": "A-17", "amount": "49"}),
    ("send", {"what": "last invoice", "to": "ana@home.example"}),
    None,
]


@given(
    st.sampled_from([*TOOLS, "delete", ""]),
    st.dictionaries(st.sampled_from(["order", "amount", "what", "to", "copy"]), st.sampled_from(VALUES), min_size=1),
    st.sampled_from(TASKS),
)
def test_whatever_a_model_asks_for_only_trusted_values_of_the_granted_tool_pass(policy, tool, arguments, task):
    passes = policy((tool, arguments), {"call": task, "trusted": TRUSTED})
    wanted = task is not None and tool == task[0]
    assert bool(passes) == (wanted and all(value in TRUSTED.get(name, ()) for name, value in arguments.items()))
    if passes and set(arguments) == set(TOOLS[tool]):
        assert (tool, arguments) == task


def test_of_every_call_there_is_the_tasks_own_passes_alone(policy):
    every = attacks.every_call([TRUSTED])
    assert len(every) == len({(tool, *sorted(arguments.items())) for tool, arguments in every}) > 40
    for task in TASKS:
        assert [call for call in every if policy(call, {"call": task, "trusted": TRUSTED})] == [task] * bool(task)


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
