"""Traces of requests: where the time went, whose trace it is, what they cost, and that they hold no message."""

import concurrent.futures
import json
import re
import sqlite3
import subprocess
import time

import pytest
from wire import Line, ask, get, post, predict

from course_utils import surroundings
from course_utils.errors import CourseError
from course_utils.serving import tracing
from course_utils.serving.starting import Service

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
FORM = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-0([0-3])")  # the last bit: sampled


@pytest.fixture(scope="module")
def traced(bundle, tmp_path_factory):
    """A service with traces, what it answered, and its traces, read after its end."""
    folder = tmp_path_factory.mktemp("traced")
    file, told = folder / "traces.sqlite", {}
    with Service(bundle, folder=folder, traces=file) as service:
        for name, given in {
            "none": {},
            "parent": {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "a=b"},
            "unsampled": {"traceparent": f"00-{'7' * 32}-{PARENT}-00"},
            "broken": {"traceparent": f"00-{'0' * 32}-{PARENT}-01"},
            "long": {"traceparent": "9" * 500},
        }.items():
            told[name] = predict(service.url, {"texts": ["Geheimnis-4711", "invoice"]}, **given)
        told["meaningless"] = predict(service.url, {"texts": 3})
        told["twice"] = _twice(service.url)
        told["probe"] = ask(service.url, get("/readyz"))
        told["version"] = service.version
    told["bytes"] = file.read_bytes()
    return told, tracing.read(file)


def _twice(url: str):
    request = post("/v1/predict", b'{"texts": ["a"]}', traceparent=f"00-{TRACE}-{PARENT}-01")
    with Line(url) as line:
        line.send(request.replace(b"\r\n", b"\r\ntraceparent: 00-" + b"5" * 32 + b"-" + b"5" * 16 + b"-01\r\n", 1))
        return line.answer()


def of(told, spans, name):
    """The spans of an answer, by the ``traceparent`` that it came with."""
    trace, span, _ = FORM.fullmatch(told[name][1]["traceparent"]).groups()
    own = spans[spans.trace == trace]
    if name == "parent":  # in a client's trace there may be more
        own = own[(own.span == span) | own.parent.isin(own.span)]
    return own.set_index("name")


def test_a_request_is_followed_from_its_head_to_its_answer(traced):
    told, spans = traced
    own = of(told, spans, "none")
    assert own.index.to_list() == [tracing.REQUEST, tracing.READ, tracing.QUEUE, tracing.MODEL, tracing.WRITE]
    whole, parts = own.loc[tracing.REQUEST], own.drop(tracing.REQUEST)
    assert (parts.parent == whole.span).all() and whole.parent == ""
    assert (whole.status, whole.n_items, whole.route) == (200, 2, "/v1/predict")
    assert (whole.service, whole.version) == ("tickets", told["version"])
    # One behind the other, nothing between; times are kept as whole nanoseconds.
    ends = (parts.start_ms + parts.milliseconds).to_list()
    assert ends[:-1] == pytest.approx(parts.start_ms.to_list()[1:], abs=1e-2)
    assert ends[-1] == pytest.approx(whole.start_ms + whole.milliseconds, abs=1e-2)
    assert parts.start_ms.iloc[0] == pytest.approx(whole.start_ms, abs=1e-2)
    timing = re.search(r"model;dur=(\S+)", told["none"][1]["server-timing"])[1]
    assert parts.loc[tracing.MODEL].milliseconds == pytest.approx(float(timing), abs=0.02)
    assert parts.loc[tracing.MODEL].batch_items == 2 and parts.loc[tracing.MODEL].link == ""


def test_a_clients_trace_goes_on(traced):
    told, spans = traced
    own = of(told, spans, "parent")
    assert FORM.fullmatch(told["parent"][1]["traceparent"])[1] == TRACE
    assert own.loc[tracing.REQUEST].parent == PARENT and len(own) == 5


def test_what_a_client_has_not_sampled_is_not_kept_but_named(traced):
    told, spans = traced
    assert FORM.fullmatch(told["unsampled"][1]["traceparent"])[1] == "7" * 32
    assert int(FORM.fullmatch(told["unsampled"][1]["traceparent"])[3]) % 2 == 0
    assert of(told, spans, "unsampled").empty


@pytest.mark.parametrize("name", ["broken", "long", "twice"])
def test_a_traceparent_that_is_none_begins_a_new_trace(traced, name):
    told, spans = traced
    own = of(told, spans, name)
    assert told[name][0] == 200 and len(own) == 5 and own.loc[tracing.REQUEST].parent == ""
    assert own.trace.iloc[0] not in (TRACE, "5" * 32, "0" * 32)


def test_a_refusal_has_a_trace_and_a_probe_has_none(traced):
    told, spans = traced
    own = of(told, spans, "meaningless")
    assert own.index.to_list() == [tracing.REQUEST, tracing.READ, tracing.WRITE]
    assert own.loc[tracing.REQUEST].status == 400
    assert "traceparent" not in told["probe"][1]
    assert (spans.name == tracing.REQUEST).sum() == 6


def test_a_message_stays_out_of_the_traces(traced):
    told, _ = traced
    assert told["bytes"].startswith(b"SQLite") and b"Geheimnis" not in told["bytes"] and b"invoice" not in told["bytes"]


def test_requests_that_share_a_call_link_to_its_span(stand, tmp_path):
    file = tmp_path / "traces.sqlite"
    child = stand(call=0.2, traces=str(file))
    with concurrent.futures.ThreadPoolExecutor(9) as pool:
        found = list(pool.map(lambda n: predict(child.url, {"texts": ["a"] * (n % 3 + 1)}), range(9)))
    assert all(status == 200 for status, _, _ in found)
    assert predict(child.url, {"texts": ["fail"]})[0] == 500
    child.close(20)
    spans = tracing.read(file)
    batches, calls = spans[spans.name == tracing.BATCH], spans[spans.name == tracing.MODEL]
    assert len(calls) == 10 and len(batches) >= 1
    assert batches.trace.is_unique and not batches.trace.isin(calls.trace).any()
    for batch in batches.itertuples():
        linked = calls[calls.link == batch.span]
        assert len(linked) > 1 and linked.n_items.sum() == batch.batch_items
        assert (linked.batch_items == batch.batch_items).all()
        assert (linked.start_ms - batch.start_ms).abs().max() < 1
    alone = calls[~calls.link.isin(batches.span)]
    assert (alone.link == "").all() and (alone.n_items == alone.batch_items).all()
    assert spans[spans.status == 500].name.to_list() == [tracing.REQUEST]
    waited = spans[spans.name == tracing.QUEUE].milliseconds
    assert waited.max() > 100, "those that came while the model was busy waited for most of a call"


def test_a_request_that_is_given_up_in_the_queue_says_so(stand, tmp_path):
    file = tmp_path / "traces.sqlite"
    child = stand(call=0.6, limits={"answer_seconds": 0.2}, traces=str(file))
    assert predict(child.url, {"texts": ["a"]})[0] == 504
    time.sleep(0.6)
    child.close(20)
    own = tracing.read(file).set_index("name")
    assert own.index.to_list() == [tracing.REQUEST, tracing.READ, tracing.QUEUE, tracing.WRITE]
    assert own.loc[tracing.REQUEST].status == 504 and own.loc[tracing.QUEUE].milliseconds >= 190


def test_only_a_share_is_kept(stand, tmp_path):
    file = tmp_path / "traces.sqlite"
    child = stand(traces=str(file), share=0.25)
    flags = [FORM.fullmatch(predict(child.url, {"texts": ["a"]})[1]["traceparent"]) for _ in range(200)]
    child.close(20)
    kept = {found[1] for found in flags if int(found[3]) % 2}
    assert 20 <= len(kept) <= 85  # 50 are expected; beyond these once in a million
    assert set(tracing.read(file).trace) == kept


def test_word_pieces_are_timed_apart():
    from dataclasses import dataclass
    from typing import Any

    @dataclass(frozen=True)
    class Model:
        tokenizer: Any

        def predict_proba(self, texts):
            return self.tokenizer(texts)

    class Pieces:
        cls_token_id = 7

        def __call__(self, texts):
            time.sleep(0.01)
            return [len(text) for text in texts]

    steps = tracing.Steps()
    watched = steps.watch(Model(Pieces()))
    assert watched.predict_proba(["abc"]) == [3] and watched.tokenizer.cls_token_id == 7
    ((name, start, seconds),) = steps.take()
    assert name == tracing.TOKENISE and seconds >= 0.01 and start < time.perf_counter() and steps.take() == ()
    other = object()
    assert steps.watch(other) is other


def test_without_traces_nothing_of_the_sdk_is_imported(bundle):
    code = (
        "import sys\nfrom pathlib import Path\nfrom course_utils.serving import loading\n"
        "app = loading.application_of(Path(sys.argv[1]))\nprint(len(app.user_middleware),"
        " [name for name in sys.modules if name.startswith('opentelemetry.sdk')])\n"
    )
    command = surroundings.python("-c", code, str(bundle))
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "1 []"


def test_a_file_that_cannot_hold_traces_is_refused_before_a_port_is_open(bundle, tmp_path):
    with sqlite3.connect(tmp_path / "other.sqlite") as line:
        line.execute("CREATE TABLE precious (x)")
    (tmp_path / "text.sqlite").write_text("no database at all, but longer than a head of one" * 20)
    for name, words in {"other.sqlite": "another program's", "text.sqlite": "SQLite", "none/traces": "SQLite"}.items():
        with pytest.raises(CourseError, match=words):
            Service(bundle, folder=tmp_path, traces=tmp_path / name)
    with pytest.raises(CourseError, match="0 to 1"):
        Service(bundle, folder=tmp_path, traces=tmp_path / "new.sqlite", traces_share=1.5)
    with sqlite3.connect(tmp_path / "other.sqlite") as line:
        assert line.execute("SELECT name FROM sqlite_master").fetchall() == [("precious",)]


def test_what_holds_no_traces_is_not_read(tmp_path):
    with pytest.raises(CourseError, match="no file"):
        tracing.read(tmp_path / "none.sqlite")
    assert not (tmp_path / "none.sqlite").exists()
    (tmp_path / "text.sqlite").write_text("no database")
    with pytest.raises(CourseError, match="holds no traces"):
        tracing.read(tmp_path / "text.sqlite")


def test_two_services_write_to_one_file_while_it_is_read(bundle, tmp_path):
    file = tmp_path / "traces.sqlite"
    first = Service(bundle, folder=tmp_path / "a", traces=file)
    second = Service(bundle, folder=tmp_path / "b", traces=file)
    with first, second:
        for _ in range(20):
            assert predict(first.url, {"texts": ["a"]})[0] == predict(second.url, {"texts": ["a"]})[0] == 200
        deadline = time.monotonic() + 20
        while (tracing.read(file).name == tracing.REQUEST).sum() < 40:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_the_file_stays_bounded_and_a_full_disk_harms_no_request(tmp_path, monkeypatch, caplog):
    from opentelemetry.sdk.trace.export import SpanExportResult

    monkeypatch.setattr(tracing, "MOST_SPANS", 10)
    file = tmp_path / "traces.sqlite"
    traces = tracing.Traces(file, "m", "v")
    for _ in range(8):
        span = traces.begin([], time.time_ns())
        times = tracing.Times.now()
        times.end = times.answered = times.start
        traces.end(span, 200, "/v1/predict", None, times)
    traces.close()
    assert len(tracing.read(file)) == 10
    writer = tracing.Writer(file)
    writer.shutdown()  # a file that cannot be written any more
    tracing.LOG.propagate = True
    assert writer.export([span]) is SpanExportResult.FAILURE
    assert writer.export([span]) is SpanExportResult.FAILURE
    assert sum("cannot be written" in record.getMessage() for record in caplog.records) == 1


def test_the_command_writes_traces(bundle, tmp_path):
    file = tmp_path / "traces.sqlite"
    command = surroundings.python("-m", "course_utils", "serve", str(bundle), "--port", "0", "--traces", str(file))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            url = re.search(r"http://\S+", process.stdout.readline())[0]
            body = json.dumps({"texts": ["invoice"]}).encode()
            assert ask(url, post("/v1/predict", body))[0] == 200
            process.terminate()
            process.communicate(timeout=30)
        finally:
            process.kill()
    assert tracing.read(file).name.to_list()[0] == tracing.REQUEST
