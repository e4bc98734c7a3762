"""Sequences that share a batch: each writes what it writes alone; tokens as text; who joins and who leaves."""

import asyncio
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from writers import END, alphabet, untaught

from course_utils.bundles.decoder_pass import Cache
from course_utils.serving.decoding.batch import READ, Batch, Sequence
from course_utils.serving.decoding.scheduling import Scheduler, Stream
from course_utils.serving.decoding.writing import Writing
from course_utils.serving.limits import Limits, Refusal

MARGIN = 1e-3  # between the two likeliest tokens: a hundred times what sums in another order may change
PROMPTS = ["the cat", "a", "Zażółć gęślą", "the the the the the the", "你好", "x" * 30, "thethe", "\x00\x01"]


def greedy(model, prompt: list[int], most: int) -> tuple[list[int], float]:
    """The likeliest tokens behind a prompt, read anew for each of them, and the smallest lead of one of them."""
    written: list[int] = []
    lead = np.inf
    for _ in range(most):
        tokens = np.array([[*prompt, *written]])
        logits = model.network.forward(Cache(model.network.shape, 1), tokens, 0, np.array([0]))[0]
        second, first = np.sort(logits)[-2:]
        lead = min(lead, first - second)
        written.append(int(logits.argmax()))
    return written, lead


@pytest.mark.parametrize("switches", [{}, {"rotary": True, "normalised": True, "pairs": True, "plain": True}])
@pytest.mark.parametrize("slots", [1, 3, 8])
def test_a_text_is_the_same_alone_and_among_others(switches, slots):
    """They join when a slot is free and leave after 3 to 17 tokens; a text with a near tie is not asked for."""
    model = untaught(80, seed=3, **switches)
    wanted, waiting = {}, []
    for n, prompt in enumerate(PROMPTS * 2):
        tokens = model.tokenizer.encode(prompt)
        most = 3 + 7 * n % 15
        text, lead = greedy(model, tokens, most)
        if lead > MARGIN:
            sequence = Sequence(tokens, temperature=0.0)
            waiting.append(sequence)
            wanted[sequence] = text
    assert len(wanted) >= 12
    batch, found, most_at_once = Batch(model.network, slots), {}, 0
    while waiting or len(batch):
        while waiting and len(batch) < slots:
            batch.join(waiting.pop(0))
        most_at_once = max(most_at_once, len(batch))
        for sequence in batch.step():
            if len(sequence.tokens) == len(wanted[sequence]):
                batch.leave(sequence)
                found[sequence] = sequence.tokens
    assert most_at_once == slots
    assert found == wanted


def test_a_seed_draws_the_same_alone_and_among_others():
    model = untaught(80, seed=4)
    prompt = model.tokenizer.encode("the cat")
    alone = model.write_on(prompt, 12, temperature=1.0, top_p=0.9, seed=7)
    batch = Batch(model.network, 4)
    ours = Sequence(prompt, 1.0, 0.9, seed=7)
    for one in (Sequence([1, 2, 3], seed=1), ours, Sequence([5] * 20, 0.5, seed=2)):
        batch.join(one)
    for _ in range(11):
        batch.step()
    batch.leave(batch.writing[0])
    batch.step()
    assert ours.tokens[: len(alone)] == alone
    assert Sequence(prompt, seed=None).generator.random() != Sequence(prompt, seed=None).generator.random()


@given(st.lists(st.tuples(st.sampled_from("jls"), st.integers(0, 3)), max_size=40))
@settings(max_examples=60, deadline=None)
def test_whoever_comes_and_goes_nobody_else_is_changed(steps):
    """Joins, leavings and steps in any order: each text is a piece of the alphabet, from its own letter on."""
    model = alphabet(64)
    batch = Batch(model.network, 3)
    known: list[Sequence] = []
    for what, number in steps:
        if what == "j" and len(batch) < 3:
            known.append(Sequence([97 + (7 * len(known)) % 26], temperature=0.0))
            batch.join(known[-1])
        elif what == "l" and known:
            batch.leave(known[number % len(known)])
        elif what == "s" and all(len(one.tokens) < 60 for one in known):
            batch.step()
    for one in known:
        assert one.tokens == [97 + (one.prompt[0] - 96 + k) % 26 for k in range(len(one.tokens))]


def test_a_long_prompt_is_read_in_parts_and_the_others_go_on():
    model = alphabet(1_000)
    batch = Batch(model.network, 3)
    short, long, last = Sequence([97], 0.0), Sequence([98] * (3 * READ), 0.0), Sequence([99], 0.0)
    batch.join(short)
    batch.step()
    batch.join(long)
    batch.join(last)
    written = [len(batch.step()) for _ in range(4)]
    assert written == [1, 1, 2, 3], "one part a step; who comes behind it waits its turn"
    assert bytes(short.tokens) == b"bcdef" and bytes(long.tokens) == b"cd" and bytes(last.tokens) == b"d"
    # A prompt that leaves half-read leaves nothing behind.
    half = Sequence([98] * (2 * READ), 0.0)
    batch.leave(last)
    batch.join(half)
    batch.step()
    batch.leave(half)
    again = Sequence([100], 0.0)
    batch.join(again)
    batch.step()
    assert bytes(again.tokens) == b"e" and len(batch) == 3


def written(text: bytes, *, stop=(), most=1_000, end=None) -> tuple[list[str], str | None]:
    pieces = [bytes([one]) for one in range(256)]
    writing = Writing(pieces, end, stop, most)
    found = []
    for byte in text:
        found.append(writing.add(byte))
        if writing.finish:
            break
    return found, writing.finish


def test_half_a_character_waits_for_its_other_half():
    assert written("aé你b".encode())[0] == ["a", "", "é", "", "", "你", "b"]
    assert written("é".encode()[:1] + b"a")[0] == ["", "\ufffda"]
    assert written("é".encode()[:1], most=1) == (["\ufffd"], "length"), "no character will come any more"


def test_a_stop_text_is_not_sent_nor_its_beginning():
    assert written(b"ab\nQ: c", stop=["\nQ:"]) == (["a", "b", "", "", ""], "stop")
    assert written(b"ab\nc\nQx", stop=["\nQ:"])[0] == ["a", "b", "", "\nc", "", "", "\nQx"]
    assert written(b"xaab", stop=["ab", "b"]) == (["x", "", "a", ""], "stop")
    assert "".join(written(b"aaaa", stop=["aaab"], most=4)[0]) == "aaaa", "the end has come, and it was none"
    assert written(b"abc", stop=["c"], most=3) == (["a", "b", ""], "stop")


def test_the_end_of_a_text_is_a_token_or_the_bound():
    assert written(b"ab~c", end=ord("~")) == (["a", "b", ""], "stop")
    assert written(b"abc", most=2) == (["a", "b"], "length")


@given(st.text(max_size=40), st.lists(st.text(min_size=1, max_size=3), max_size=3))
@settings(deadline=None)
def test_the_pieces_are_the_text_up_to_the_first_stop(text, stop):
    data = text.encode("utf-8", "replace")
    text = data.decode()
    pieces, finish = written(data, stop=stop)
    # The first stop text that is whole ends it; of two that are whole at once, the one that begins first.
    ends = [(text.find(one) + len(one), text.find(one)) for one in stop if one in text]
    if ends:
        assert finish == "stop" and "".join(pieces) == text[: min(ends)[1]]
    else:
        assert finish is None and text.startswith("".join(pieces))
        assert len(text) - len("".join(pieces)) < 3


class Slow(Batch):
    """A batch whose steps wait for leave, and fail when they are told to."""

    def __init__(self, model, slots):
        super().__init__(model.network, slots)
        self.leave_to_step, self.failing, self.steps = threading.Semaphore(0), False, 0

    def step(self):
        assert self.leave_to_step.acquire(timeout=10)
        self.steps += 1
        if self.failing:
            raise ArithmeticError("on purpose")
        return super().step()


def request(model, first: bytes = b"a", most: int = 5) -> tuple[Sequence, Writing]:
    return Sequence(list(first), 0.0), Writing(model.tokenizer.pieces, model.end_token, (), most)


async def whole(stream: Stream) -> str:
    text, over = await stream.next()
    while not over:
        more, over = await stream.next()
        text += more
    return text


async def until(true) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.001)


def test_who_comes_first_is_served_first_and_a_slot_is_free_at_once():
    async def work():
        model = alphabet()
        batch = Slow(model, 2)
        queue = Scheduler(batch, Limits())
        texts = [asyncio.create_task(whole(queue.submit(*request(model, b"abcd"[n : n + 1], most)))) for n, most in
                 enumerate((2, 4, 2, 1))]  # fmt: skip
        batch.leave_to_step.release(2)
        assert await texts[0] == "bc"
        assert not texts[1].done() and not texts[2].done()
        batch.leave_to_step.release(2)
        assert (await texts[1], await texts[2]) == ("cdef", "de")
        batch.leave_to_step.release(1)
        assert await texts[3] == "e"
        await until(lambda: queue._task.done())
        assert batch.steps == 5 and len(batch) == 0 and not queue.active, "idle: nothing runs"
        queue.close()

    asyncio.run(work())


def test_a_client_that_has_gone_frees_its_slot_before_the_next_token():
    async def work():
        model = alphabet()
        batch = Slow(model, 1)
        queue = Scheduler(batch, Limits())
        first, second, third = (queue.submit(*request(model, one, 50)) for one in (b"a", b"b", b"c"))
        batch.leave_to_step.release()
        assert await first.next() == ("b", False)
        queue.cancel(first)
        queue.cancel(second)
        batch.leave_to_step.release(2)
        assert await third.next() == ("d", False)
        assert len(first.sequence.tokens) <= 2 and not second.sequence.tokens
        queue.cancel(third)
        batch.leave_to_step.release(2)
        await until(lambda: queue._task.done())
        queue.close()

    asyncio.run(work())


def test_who_does_not_read_holds_no_slot_and_finds_all_of_it_later():
    """What waits for a slow reader is its own text, which its tokens bound; nobody waits for it."""

    async def work():
        model = alphabet()
        batch = Slow(model, 1)
        queue = Scheduler(batch, Limits())
        slow, quick = (queue.submit(*request(model, b"a", most)) for most in (60, 3))
        batch.leave_to_step.release(100)
        assert await whole(quick) == "bcd"
        assert await slow.next() == (("bcdefghijklmnopqrstuvwxyza" * 3)[:60], True)
        queue.close()

    asyncio.run(work())


def test_too_many_are_told_when_to_come_back():
    async def work():
        model = alphabet()
        queue = Scheduler(Slow(model, 1), Limits(waiting=2))
        streams = [queue.submit(*request(model)) for _ in range(2)]
        with pytest.raises(Refusal) as refused:
            queue.submit(*request(model))
        assert refused.value.status == 503 and int(refused.value.headers["Retry-After"]) >= 1
        queue.cancel(streams[1])
        queue.submit(*request(model))
        assert queue.give_up() == 2
        with pytest.raises(Refusal, match="stopping"):
            await streams[0].next()
        queue.batch.leave_to_step.release(3)
        queue.close()

    asyncio.run(work())


def test_a_step_that_fails_harms_those_in_it_and_nobody_later():
    async def work():
        model = alphabet()
        batch = Slow(model, 2)
        queue = Scheduler(batch, Limits())
        streams = [queue.submit(*request(model)) for _ in range(3)]
        batch.failing = True
        batch.leave_to_step.release()
        for stream in streams[:2]:
            with pytest.raises(ArithmeticError):
                await stream.next()
        assert await whole(streams[2]) == "bcdef"
        queue.close()

    asyncio.run(work())


def test_the_end_token_is_no_text():
    model = alphabet(ends=True)
    sequence = Sequence([ord("y")], 0.0)
    writing = Writing(model.tokenizer.pieces, model.tokenizer.special(END), (), 9)
    batch = Batch(model.network, 1)
    batch.join(sequence)
    text = ""
    while not writing.finish:
        batch.step()
        text += writing.add(sequence.tokens[-1])
    assert (text, writing.finish, writing.tokens) == ("z", "stop", 2)
