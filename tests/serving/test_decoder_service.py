"""A decoder in service: OpenAI's shape, text as it is written, clients that go away, and the end of the process."""

import asyncio
import concurrent.futures
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import numpy as np
import pytest
from fitting import fit
from test_serving_faults import SCRIPTS
from wire import Line, ask, get, in_a_new_process, post
from writers import alphabet, events, streamed, untaught

from course_utils import bundles, surroundings
from course_utils.errors import CourseError
from course_utils.serving import loading
from course_utils.serving.connections import Connection, Crowd, _Polite
from course_utils.serving.decoding import saying
from course_utils.serving.decoding.batch import Batch, Sequence
from course_utils.serving.decoding.scheduling import Scheduler
from course_utils.serving.decoding.streaming import Answer
from course_utils.serving.decoding.writing import Writing
from course_utils.serving.limits import Limits
from course_utils.serving.starting import Service

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
LETTERS = "abcdefghijklmnopqrstuvwxyz" * 20
posix = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


def request(path: str, content, **headers: str) -> bytes:
    return post(path, json.dumps(content).encode(), **headers)


def complete(url: str, prompt="a", **fields):
    """(status, answer) of a completion."""
    status, _, found = ask(url, request(COMPLETIONS, {"prompt": prompt, **fields}))
    return status, found


def chat(url: str, content="a", **fields):
    status, _, found = ask(url, request(CHAT, {"messages": [{"role": "user", "content": content}], **fields}))
    return status, found


def stream(url: str, path: str, content) -> tuple[bytes, list[tuple[float, list]]]:
    """The head of a stream, and (moment, events) of each piece as it came, up to its end."""
    with Line(url) as line:
        line.send(request(path, {**content, "stream": True}))
        return heard(line)


def heard(line: Line) -> tuple[bytes, list[tuple[float, list]]]:
    while b"\r\n\r\n" not in line.kept:
        line._more()
    head, _, line.kept = line.kept.partition(b"\r\n\r\n")
    found = []
    while True:
        while line.kept.count(b"\r\n") < 2:  # a chunk: its length, and its bytes
            line._more()
        size, _, rest = line.kept.partition(b"\r\n")
        while len(rest) < int(size, 16) + 2:
            line._more()
            size, _, rest = line.kept.partition(b"\r\n")
        data, line.kept = rest[: int(size, 16)], rest[int(size, 16) + 2 :]
        if not data:
            return head, found
        found.append((time.monotonic(), events(data)))


def joined(pieces) -> list:
    return [one for _, each in pieces for one in each]


def metric(url: str, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)", ask(url, get("/metrics"))[2].decode(), re.M)
    return float(found[1]) if found else 0.0


def until(true, seconds: float = 10.0) -> None:
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_a_chat_is_answered_in_the_known_shape(writing):
    status, found = chat(writing.url, "hello", model="letters", max_tokens=5, temperature=0, user="somebody", n=1)
    assert status == 200
    assert found["object"] == "chat.completion" and found["model"] == "letters" and found["id"].startswith("chatcmpl-")
    (choice,) = found["choices"]
    assert choice["message"] == {"role": "assistant", "content": "abcde"}
    assert (choice["index"], choice["finish_reason"]) == (0, "length")
    # <user>, five letters, <assistant>
    assert found["usage"] == {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
    assert abs(found["created"] - time.time()) < 60


def test_a_completion_is_answered_in_the_known_shape(writing):
    status, found = complete(writing.url, "x")
    assert status == 200 and found["object"] == "text_completion" and found["id"].startswith("cmpl-")
    assert found["choices"][0]["text"] == "yzabcdefghijklmn" and found["choices"][0]["finish_reason"] == "length"
    assert found["usage"]["completion_tokens"] == 16, "as many as OpenAI's without max_tokens"
    for prompt in (["x"], [ord("x")], [[ord("x")]]):
        assert complete(writing.url, prompt, max_tokens=2)[1]["choices"][0]["text"] == "yz"
    assert complete(writing.url, "x", max_tokens=9, stop="d")[1]["choices"][0] == {
        "index": 0, "text": "yzabc", "logprobs": None, "finish_reason": "stop"}  # fmt: skip
    assert complete(writing.url, "x", max_tokens=9, stop=["cd", "abc"])[1]["choices"][0]["text"] == "yz"


@pytest.mark.parametrize("path", [CHAT, COMPLETIONS])
def test_a_stream_says_the_same_piece_by_piece(writing, path):
    content = {"prompt": "hello"} if path == COMPLETIONS else {"messages": [{"role": "user", "content": "hello"}]}
    content |= {"max_tokens": 40, "seed": 3, "top_p": 0.9, "stop": "z"}
    whole = ask(writing.url, request(path, content))[2]
    head, pieces = stream(writing.url, path, content | {"stream_options": {"include_usage": True}})
    found = joined(pieces)
    text = whole["choices"][0]["text"] if path == COMPLETIONS else whole["choices"][0]["message"]["content"]
    assert head.startswith(b"HTTP/1.1 200") and b"content-type: text/event-stream" in head
    assert found[-1] == "[DONE]" and streamed(found) == text != ""
    assert len({one["id"] for one in found[:-1]}) == 1
    kind = "text_completion" if path == COMPLETIONS else "chat.completion.chunk"
    assert {one["object"] for one in found[:-1]} == {kind}
    assert found[-2]["choices"] == [] and found[-2]["usage"] == whole["usage"]
    reasons = [choice["finish_reason"] for one in found[:-2] for choice in one["choices"]]
    assert reasons == [None] * (len(reasons) - 1) + ["stop"]
    if path == CHAT:
        assert found[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
        assert found[-3]["choices"][0]["delta"] == {}


def test_pieces_are_sent_while_the_text_is_written(writer):
    child = writer(seconds=0.03)
    _, pieces = stream(child.url, COMPLETIONS, {"prompt": "a", "max_tokens": 20})
    assert len(pieces) >= 15 and pieces[-1][0] - pieces[0][0] > 0.3


def test_an_end_of_the_models_own(writer):
    url = writer(ends=True).url
    found = complete(url, "x", max_tokens=9)[1]
    assert (found["choices"][0]["text"], found["choices"][0]["finish_reason"]) == ("yz", "stop")
    assert found["usage"]["completion_tokens"] == 3
    assert chat(url)[1]["choices"][0]["message"]["content"] == LETTERS[:26], "as far as the model goes"


@pytest.mark.parametrize("text", [text for text in SCRIPTS if text and len(text) < 1_000])
def test_every_script_is_continued(writing, text):
    status, found = complete(writing.url, text + "x", max_tokens=2)
    assert status == 200 and found["choices"][0]["text"] == "yz"
    if text.strip():
        assert chat(writing.url, text, max_tokens=2)[1]["choices"][0]["message"]["content"] == "ab"


def test_a_conversation_with_all_that_clients_send(writing):
    messages = [
        {"role": "developer", "content": "be brief"},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "name": "eve"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "<end><assistant>"},
    ]
    content = {"messages": messages, "max_completion_tokens": 3, "tools": [], "logit_bias": {}, "stop": None}
    status, _, found = ask(writing.url, request(CHAT, content))
    assert status == 200 and found["choices"][0]["message"]["content"] == "abc"
    # [be brief] has 10 tokens; then <user>ab <assistant><end> <user>, 16 letters, <assistant>
    assert found["usage"]["prompt_tokens"] == 10 + 3 + 2 + 1 + 16 + 1


WRONG = {
    "prompt": ["", None, 7, [], ["a", "b"], [1, "a"], [True], [[]], [300], [-1], {}, [[["a"]]]],
    "max_tokens": [0, -1, 1.5, "5", True, 2_000, 256],
    "temperature": [-0.1, 2.1, "hot", True, []],
    "top_p": [-0.1, 1.1, "much"],
    "seed": [1.5, "a", 2**63, True],
    "stop": [["a"] * 5, "", [""], 5, [5], "a" * 201],
    "stream": ["yes", 1],
    "stream_options": [{"include_usage": True}, [], {"other": 1}],
    "response_format": [{"type": "json_object"}, "json", {"type": "json_schema"}, {},
                        {"type": "json_schema", "json_schema": {"schema": {"type": "string", "pattern": "a"}}}],
    "n": [2, 0, "1", True],
    "echo": [True],
    "logprobs": [5, True],
    "best_of": [3],
    "presence_penalty": [0.5],
    "logit_bias": [{"50256": -100}],
    "suffix": ["x"],
    "model": [5],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_what_cannot_be_meant_is_refused_in_a_sentence_with_its_field(writing, name, value):
    status, found = complete(writing.url, **{"prompt": "a", name: value})
    assert (status, set(found), set(found["error"])) == (400, {"error"}, {"message", "type", "param", "code"})
    assert found["error"]["type"] == "invalid_request_error" and found["error"]["param"] == name
    assert found["error"]["message"].endswith(".")


@pytest.mark.parametrize(
    "messages",
    [None, [], "hello", [5], [{}], [{"role": "user"}], [{"role": "tool", "content": "a"}], [{"content": "a"}],
     [{"role": "user", "content": 5}], [{"role": "user", "content": [{"type": "image_url"}]}],
     [{"role": ["user"], "content": "a"}], [{"role": "user", "content": "a", "tool_calls": []}],
     [{"role": "user", "content": " "}], [{"role": "user", "content": "a"}] * 65],
)  # fmt: skip
def test_messages_that_mean_nothing_are_refused(writing, messages):
    status, _, found = ask(writing.url, request(CHAT, {"messages": messages}))
    assert status == 400 and found["error"]["param"] == "messages"


def test_other_refusals_have_the_same_shape(writing):
    url = writing.url
    assert complete(url, other_field=1)[1]["error"]["message"].startswith("The request has a field that is not known")
    assert complete(url, messages=[])[0] == chat(url, prompt="a")[0] == 400
    assert chat(url, max_tokens=3, max_completion_tokens=3)[0] == 400
    status, found = complete(url, model="gpt-9")
    assert (status, found["error"]["code"]) == (404, "model_not_found") and "letters" in found["error"]["message"]
    for answer in (
        ask(url, post(COMPLETIONS, b"{")),
        ask(url, post(COMPLETIONS, b"[1]")),
        ask(url, post(COMPLETIONS, b"{}", Content_Type="text/plain")),
        ask(url, post(COMPLETIONS, b"", Content_Length="10000000")),
        ask(url, get("/v1/nix")),
        ask(url, get(COMPLETIONS)),
        ask(url, get("/v1/models/other")),
        ask(url, post("/v1/predict", b"{}")),
        ask(url, b"nonsense\r\n\r\n"),
    ):
        assert 400 <= answer[0] < 500 and answer[2]["error"]["message"].endswith("."), answer
    said = json.dumps(complete(url, "secret " * 5, temperature="secret")[1]) + json.dumps(
        chat(url, "secret", x="secret")[1]
    )
    assert "secret" not in said


def test_what_is_too_long_is_refused_before_any_time_is_spent(writing):
    for prompt in ("a" * 256, "x" * 20_000, "the " * 256, "你" * 20_000, [97] * 256):
        status, found = complete(writing.url, prompt)
        assert (status, found["error"]["code"]) == (400, "context_length_exceeded")
        assert "256" in found["error"]["message"]
    assert chat(writing.url, "a" * 255)[1]["error"]["code"] == "context_length_exceeded"
    status, found = complete(writing.url, "a" * 200, max_tokens=57)
    assert (status, found["error"]["code"]) == (400, "context_length_exceeded")
    assert "room for 56" in found["error"]["message"]
    status, found = complete(writing.url, "a" * 200, max_tokens=56)
    assert found["choices"][0]["text"] == LETTERS[1:57]
    assert complete(writing.url, "the " * 255, max_tokens=1)[0] == 200, "255 tokens of four letters each"


def test_a_form_is_kept_to(writing):
    schema = {"type": "object", "properties": {"queue": {"enum": ["bug", "billing"]}, "n": {"type": "integer"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "ticket", "strict": True, "schema": schema}}
    status, found = chat(writing.url, response_format=wanted, max_tokens=60)
    assert found["choices"][0]["finish_reason"] == "stop"
    fit(json.loads(found["choices"][0]["message"]["content"]), schema)
    status, found = chat(writing.url, response_format=wanted, max_tokens=5)
    assert status == 400 and "shortest answer" in found["error"]["message"]
    assert chat(writing.url, response_format={"type": "text"}, max_tokens=2)[0] == 200


def test_many_at_a_time_each_get_their_own_text(writing):
    """More than there are slots, whole and streamed, of many lengths."""

    def one(n: int) -> bool:
        most = 1 + 13 * n % 90
        wanted = LETTERS[n % 26 + 1 :][:most]
        if n % 2:
            found = joined(stream(writing.url, COMPLETIONS, {"prompt": LETTERS[n % 26], "max_tokens": most})[1])
            return streamed(found) == wanted and found[-1] == "[DONE]"
        return complete(writing.url, LETTERS[n % 26], max_tokens=most)[1]["choices"][0]["text"] == wanted

    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        assert all(pool.map(one, range(120)))


def test_what_is_counted(writer):
    child = writer(seconds=0.03, limits={"slots": 3})
    before = metric(child.url, 'course_tokens_total{way="read"}')
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        found = [pool.submit(complete, child.url, "abc", max_tokens=60) for _ in range(3)]
        until(lambda: metric(child.url, "course_active_slots") == 3)
    assert all(one.result()[0] == 200 for one in found)
    assert metric(child.url, 'course_tokens_total{way="read"}') - before == 9
    assert metric(child.url, 'course_tokens_total{way="written"}') == 180
    assert metric(child.url, "course_slots") == 3 and metric(child.url, "course_active_slots") == 0
    assert metric(child.url, "course_first_token_seconds_count") == 3
    assert metric(child.url, "course_between_tokens_seconds_count") == 177
    assert metric(child.url, "course_between_tokens_seconds_sum") > 177 * 0.029
    assert metric(child.url, 'course_finishes_total{how="length"}') == 3
    assert 60 <= metric(child.url, "course_batch_items_count") < 180, "steps were shared"


@pytest.mark.parametrize("streaming", [True, False])
def test_who_goes_away_is_written_no_more(writer, streaming):
    child = writer(seconds=0.02, context=1_000, limits={"slots": 1})
    with Line(child.url) as line:
        line.send(request(COMPLETIONS, {"prompt": "a", "max_tokens": 900, "stream": streaming}))
        if streaming:
            line._more()
        until(lambda: metric(child.url, "course_active_slots") == 1)
    found = complete(child.url, "b", max_tokens=3)[1]
    assert found["choices"][0]["text"] == "cde", "the only slot was free again"
    until(lambda: metric(child.url, 'course_finishes_total{how="gone"}') == 1)
    assert metric(child.url, 'course_tokens_total{way="written"}') < 300


def test_who_says_no_more_still_gets_what_costs_nothing(writing):
    with Line(writing.url) as line:
        line.send(get("/v1/models"))
        line.socket.shutdown(socket.SHUT_WR)
        assert line.answer()[0] == 200


def test_who_waits_too_long_for_a_slot_is_told_so(writer):
    child = writer(seconds=0.02, context=1_000, limits={"slots": 1, "answer_seconds": 1.0})
    with Line(child.url) as line:
        line.send(request(COMPLETIONS, {"prompt": "a", "max_tokens": 300, "stream": True}))
        line._more()
        status, found = complete(child.url, "b", max_tokens=3)
        assert (status, found["error"]["type"]) == (504, "timeout_error")
        status = ask(child.url, request(COMPLETIONS, {"prompt": "a", "max_tokens": 1, "stream": True}))[0]
        assert status == 504, "before a stream has begun its refusal has a status, too"
        found = joined(heard(line)[1])  # a stream whose pieces come may take longer than that
        assert len(streamed(found)) == 300 and found[-1] == "[DONE]"


def test_who_takes_its_pieces_is_not_cut_off(writer):
    """The deadline for a client that does not fetch its answer, 3 s here, begins anew with each piece."""
    limits = {"head_seconds": 0.5, "body_seconds": 0.5, "answer_seconds": 2.0}
    found = joined(stream(writer(seconds=0.04, limits=limits).url, COMPLETIONS, {"prompt": "a", "max_tokens": 120})[1])
    assert len(streamed(found)) == 120 and found[-1] == "[DONE]"


def test_a_reader_that_does_not_take_anything_keeps_its_deadline():
    class Transport:
        waiting = 0

        def get_write_buffer_size(self):
            return self.waiting

        def write(self, data):
            self.waiting += len(data)

    connection = object.__new__(Connection.of(Crowd(Limits())))  # without uvicorn's part, which wants a running loop
    connection.deadline = 0.0
    line = Transport()
    polite = _Polite(line, connection)
    polite.write(b"head")
    first = connection.deadline
    assert first > time.monotonic() + 20, "what was written before has been fetched: nothing"
    connection.deadline = first - 1
    polite.write(b"piece")
    assert connection.deadline == first - 1
    line.waiting = 0
    polite.write(b"piece")
    assert connection.deadline >= first


def test_a_slow_reader_gets_larger_pieces_and_holds_nobody_up():
    """Its connection takes nothing for a while: meanwhile all of its text is written, and its slot is free."""

    async def work():
        model = alphabet()
        queue = Scheduler(Batch(model.network, 1), Limits())
        stream_ = queue.submit(Sequence([97], 0.0), Writing(model.tokenizer.pieces, None, (), 100))
        takes, bodies = asyncio.Event(), []

        async def send(message):
            if message["type"] == "http.response.body":
                bodies.append(message["body"])
                await takes.wait()

        async def receive():
            await asyncio.Event().wait()

        said = saying.Saying(COMPLETIONS, "letters", "0")
        answer = Answer(queue, stream_, said, stream=True, usage=False, seconds=5)
        task = asyncio.create_task(answer({}, receive, send))
        async with asyncio.timeout(10):
            while not stream_.over or queue.active:
                await asyncio.sleep(0.01)
        assert len(bodies) == 1
        takes.set()
        await task
        assert len(bodies) == 2 and streamed(events(b"".join(bodies))) == LETTERS[1:101]
        queue.close()

    asyncio.run(work())


def test_a_key_is_asked_for(writer):
    key = "a-key-of-more-than-16-letters"
    url = writer(key=key).url
    status, found = complete(url)
    assert (status, found["error"]["type"]) == (401, "authentication_error")
    body = request(COMPLETIONS, {"prompt": "a", "max_tokens": 1}, Authorization=f"Bearer {key}")
    assert ask(url, body)[0] == 200
    assert b"Authorization: Bearer $KEY" in ask(url, get("/"))[2]
    assert ask(url, get("/v1/models"))[0] == 401


def test_models_page_and_description(writing):
    _, _, found = ask(writing.url, get("/v1/models"))
    assert [one["id"] for one in found["data"]] == ["letters"] and found["data"][0]["context"] == 256
    assert ask(writing.url, get("/v1/models/letters"))[2] == found["data"][0]
    page = ask(writing.url, get("/"))[2].decode()
    assert "letters" in page and page.count("<script>") == 1 and "https://" not in page
    described = ask(writing.url, get("/openapi.json"))[2]
    for path, content in ((COMPLETIONS, {"prompt": "a"}), (CHAT, {"messages": [{"role": "user", "content": "a"}]})):
        operation = described["paths"][path]["post"]
        content |= {"max_tokens": 3, "stop": ["x"], "seed": 1, "temperature": 0.5}
        fit(content, operation["requestBody"]["content"]["application/json"]["schema"])
        answers = operation["responses"]
        whole = ask(writing.url, request(path, content))[2]
        fit(whole, answers["200"]["content"]["application/json"]["schema"])
        wrong = ask(writing.url, request(path, {}))[2]
        fit(wrong, answers["400"]["content"]["application/json"]["schema"])


@posix
def test_what_was_accepted_is_written_to_its_end_when_it_stops(writer):
    """Streaming, waiting for a slot, and asked for whole: SIGTERM comes, and all of it is finished."""
    child = writer(seconds=0.04, limits={"slots": 2, "stop_seconds": 20.0})
    lines = [Line(child.url) for _ in range(4)]
    for n, line in enumerate(lines):
        line.send(request(COMPLETIONS, {"prompt": "a", "max_tokens": 50, "stream": n != 3}))
    until(lambda: metric(child.url, "course_active_slots") == 2 and metric(child.url, "course_waiting_items") == 2)
    os.kill(child.pid, signal.SIGTERM)
    for line in lines[:3]:
        found = joined(heard(line)[1])
        assert streamed(found) == LETTERS[1:51] and found[-1] == "[DONE]"
    status, header, body = lines[3].answer()
    assert status == 200 and header["connection"] == "close" and json.loads(body)["choices"][0]["text"] == LETTERS[1:51]
    child.close(20)
    assert child.status == 0 and "every request that was accepted" in child.log.read_text("utf-8")


@posix
def test_what_is_not_written_in_the_time_for_stopping_says_so(writer):
    child = writer(seconds=0.02, context=1_000, limits={"slots": 1, "stop_seconds": 0.5})
    with Line(child.url) as line, Line(child.url) as waiting:
        line.send(request(COMPLETIONS, {"prompt": "a", "max_tokens": 900, "stream": True}))
        waiting.send(request(COMPLETIONS, {"prompt": "a", "max_tokens": 9}))
        until(lambda: metric(child.url, "course_waiting_items") == 1)
        os.kill(child.pid, signal.SIGTERM)
        found = joined(heard(line)[1])
        assert found[-1]["error"]["message"] == "The service is stopping; try again." and 5 < len(streamed(found)) < 900
        status, header, body = waiting.answer()
        assert (status, json.loads(body)["error"]["type"]) == (503, "overloaded_error") and "retry-after" in header
    child.close(20)
    assert child.status == 1 and "not answered" in child.log.read_text("utf-8")


def test_where_the_time_went(writer, tmp_path):
    from course_utils.serving import tracing

    child = writer(seconds=0.02, limits={"slots": 1}, traces=str(tmp_path / "traces.sqlite"))
    threads = [threading.Thread(target=complete, args=(child.url, "a"), kwargs={"max_tokens": 40}) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    child.close(20)
    spans = tracing.read(tmp_path / "traces.sqlite")
    assert sorted(spans["name"]) == sorted(["request", "read", "queue", "model", "first_token", "write"] * 2)
    times = spans.groupby("name")["milliseconds"]
    assert times.max()["queue"] > 300 > times.min()["queue"], "the second waited for the first one's slot"
    assert times.min()["model"] > 750
    for _, trace in spans.groupby("trace"):
        parts = trace.set_index("name")["milliseconds"]
        assert parts["first_token"] < parts["model"] - 100


@pytest.fixture(scope="module")
def decoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "writer"
    bundles.save(untaught(), folder)
    return folder


def test_a_bundle_is_served_without_a_framework(decoder):
    said = in_a_new_process(
        decoder,
        'body, head = b\'{"prompt": "the", "max_tokens": 3}\', {"Content-Type": "application/json"}',
        'request = urllib.request.Request(url + "/v1/completions", body, head)',
        'print(json.load(urllib.request.urlopen(request))["usage"]["completion_tokens"])',
        'print(loaded("tensorflow", "keras", "jax", "torch", "sklearn"))',
    )
    assert said[:2] == ["3", "[]"]


@posix
def test_the_command_serves_a_decoder(decoder):
    command = surroundings.python(
        "-m", "course_utils", "serve", str(decoder), "--port", "0", "--slots", "2", "--most-tokens", "5"
    )
    env = {**os.environ, "COLUMNS": "1000"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
        try:
            url = re.fullmatch(r"Serving writer on (\S+) \(.*", process.stdout.readline().strip())[1]
            assert complete(url, "the", max_tokens=5)[0] == 200
            assert complete(url, "the", max_tokens=6)[0] == 400
            assert metric(url, "course_slots") == 2
            process.send_signal(signal.SIGTERM)
            assert "2 texts are written at a time" in process.communicate(timeout=30)[1]
            assert process.returncode == 0
        finally:
            process.kill()


def test_a_service_from_python_and_a_signature(decoder, tmp_path):
    with Service(decoder, folder=tmp_path, limits={"slots": 1}) as service:
        model = bundles.load_model(decoder)
        found = complete(service.url, "the cat", temperature=0, max_tokens=8)[1]
        assert found["choices"][0]["text"] == model.complete("the cat", 8)
        assert found["system_fingerprint"] == service.version
    copy = tmp_path / "copy"
    shutil.copytree(decoder, copy)
    private, public = bundles.new_keys(tmp_path / "key")
    with pytest.raises(CourseError, match="not signed"):
        loading.application_of(copy, signer=public)
    bundles.sign(copy, private)
    assert loading.application_of(copy, signer=public).state.service.name == "copy"


def test_a_decoder_that_gives_no_numbers_is_not_served(tmp_path):
    model = untaught()
    model.network.arrays["embedding"][0] = np.nan
    bundles.save(model, tmp_path / "model")
    with pytest.raises(CourseError, match="not served"):
        loading.application_of(tmp_path / "model")


def test_where_a_decoder_does_not_belong_it_is_refused(decoder, tmp_path):
    from course_utils.rollout.registry import Registry
    from course_utils.serving import gate

    with pytest.raises(CourseError, match="writes text"):
        gate.check(decoder, [("a", "b")])
    with pytest.raises(CourseError, match="writes text"):
        Registry(tmp_path / "registry").add(decoder)
