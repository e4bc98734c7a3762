"""A comparison from beginning to end: kept as it goes, gone on with, and its candidates apart from each other."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from leftovers import nothing_left  # noqa: F401
from own_messages import JAX, messages, on_jax, text_set, write_csv

from course_utils import bundles, compare, data, paths, runtime
from course_utils.compare import candidates, display, jobs, running, terminal, worker
from course_utils.compare.account import Currency
from course_utils.compare.comparison import Outcome
from course_utils.errors import CourseError, NotKept

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["tfidf"]


def run(path: Path, out: Path, names=SMALL, **options) -> compare.Comparison:
    return compare.run(path, "text", "label", out=out, candidates=names, progress=False, **options)


def test_a_comparison_in_processes_of_their_own(tickets, tmp_path, capsys):
    found = run(tickets, tmp_path / "out")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "candidates", "comparison.json", "model", "possible_wrong_labels.csv", "report.html", "report.json",
    ]  # fmt: skip
    table = found.table()
    assert list(table.index) == ["majority", "tfidf"]
    assert table.loc["tfidf", "macro F1"] > 0.9
    assert (table["F1 low"] <= table["macro F1"]).all()
    assert (table["macro F1"] <= table["F1 high"]).all()
    assert (table[["MB", "p50 ms", "train s", "train MiB", "answer MiB"]] > 0).all().all()
    assert (table["p50 ms"] <= table["p99 ms"]).all()
    assert table.loc["majority", "train MiB"] < table.loc["tfidf", "train MiB"] < 1_000
    assert found.recommendation.chosen == "tfidf"
    chosen = found.load_chosen()
    assert chosen.predict(["my invoice was charged twice refund the payment"]) == ["billing"]
    said = np.array(found.outcomes[1].result["test"])
    compared = running.read(tickets, "text", "label")
    assert chosen.predict_proba(compared.test.texts) == pytest.approx(said, abs=1e-4)
    assert bundles.read_card(tmp_path / "out" / "model")["trained_on"] == len(compared.outside), "on all but the test"
    assert found.recalls().shape == (2, 3)
    assert "Ship “TF-IDF" in repr(found)


def test_the_report_for_machines_has_the_documented_form(tickets, tmp_path, in_process):
    found = run(tickets, tmp_path / "out")
    content = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert (content["format"], content["schema"]) == ("course comparison", 3)
    assert set(content) == {
        "format", "schema", "date", "machine", "seconds", "data", "settings", "must_find", "api", "findings",
        "possible_wrong_labels", "candidates", "recommendation",
    }  # fmt: skip
    entry = content["candidates"][1]
    assert entry["macro_f1"]["value"] == pytest.approx(found.outcomes[1].macro_f1.value)
    assert set(entry) >= {
        "recalls",
        "bytes_needed",
        "p50_ms",
        "p99_ms",
        "hours",
        "alone",
        "train_seconds",
    }
    assert content["recommendation"]["chosen"] == "tfidf"
    assert str(tmp_path) not in json.dumps(content)


def test_a_second_run_takes_what_is_there_and_fresh_starts_anew(tickets, tmp_path, in_process):
    first = run(tickets, tmp_path / "out")
    assert in_process == [("train", "majority"), ("judge", "majority"), ("train", "tfidf"), ("judge", "tfidf")]
    in_process.clear()
    again = run(tickets, tmp_path / "out", currency=Currency(minutes_per_error=30))
    assert in_process == []
    assert all(one.kept for one in again.outcomes)
    same = ["macro F1", "validation F1", "MB", "p50 ms"]
    assert again.table()[same].equals(first.table()[same])
    assert again.table().loc["majority", "hours"] != first.table().loc["majority", "hours"], "it is charged anew"
    run(tickets, tmp_path / "out", fresh=True)
    assert len(in_process) == 4


def test_what_was_interrupted_in_the_third_candidate_goes_on_from_there(tickets, tmp_path, in_process, monkeypatch):
    train = worker.train

    def interrupted(job, tell):
        if job["candidate"] == "small":
            raise KeyboardInterrupt
        return train(job, tell)

    monkeypatch.setattr(worker, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tickets, tmp_path / "out", ["tfidf", "small"])
    kept = sorted(path.name for path in (tmp_path / "out" / "candidates").glob("*.json"))
    assert kept == ["majority.json", "tfidf.json"]
    monkeypatch.setattr(worker, "train", train)
    in_process.clear()
    found = run(tickets, tmp_path / "out", ["tfidf", "small"])
    assert {name for _, name in in_process} == {"small"}
    assert [one.state for one in found.outcomes] == ["done"] * 3
    assert found.load_chosen().predict_proba(["hello"]).shape == (1, 3)


def test_a_killed_run_leaves_no_process_and_goes_on(tickets, tmp_path, in_process):
    import psutil

    out = tmp_path / "out"
    words = ["-m", "course_utils", "compare", str(tickets), "--text", "text", "--label", "label", "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, *words, "--only", "tfidf,small"], env=environment, cwd=tmp_path)
    try:
        deadline = time.monotonic() + 240
        while not (out / "candidates" / "tfidf.json").exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        children = []
        while not children and process.poll() is None:
            children = psutil.Process(process.pid).children()
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == -signal.SIGKILL
    assert children
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive
    found = run(tickets, out, ["tfidf"])
    assert in_process == []
    assert [one.kept for one in found.outcomes] == [True, True]


@pytest.mark.parametrize("change", [{"seed": 1}, {"profile": "full"}])
def test_other_settings_are_not_taken_for_the_same(tmp_path, in_process, change):
    texts = text_set()  # fixed parts: the seed does not change them
    compare.run(texts, out=tmp_path / "out", candidates=SMALL, progress=False)
    in_process.clear()
    compare.run(texts, out=tmp_path / "out", candidates=SMALL, progress=False, **change)
    assert ("train", "tfidf") in in_process


def test_a_half_written_or_foreign_record_is_not_believed(tickets, tmp_path, in_process):
    run(tickets, tmp_path / "out")
    record = tmp_path / "out" / "candidates" / "tfidf.json"
    for content in ("{", "[]", json.dumps({"fingerprint": "other"})):
        record.write_text(content)
        in_process.clear()
        run(tickets, tmp_path / "out")
        assert in_process == [("train", "tfidf"), ("judge", "tfidf")]


def test_a_candidate_that_fails_is_reported_and_the_others_go_on(tickets, tmp_path, monkeypatch):
    monkeypatch.setitem(candidates.BY_NAME["tfidf"].settings, "quick", {"most": None})
    real = jobs.run

    def spoilt(job, **options):
        if job["candidate"] == "majority":
            job = {**job, "labels": ["no number"]}
        return real(job, **options)

    monkeypatch.setattr(jobs, "run", spoilt)
    found = run(tickets, tmp_path / "out")
    assert [one.state for one in found.outcomes] == ["failed", "done"]
    assert "ValueError" in found.outcomes[0].reason
    assert "failed: " in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert found.recommendation.chosen == "tfidf"


JOB = {
    "phase": "train",
    "candidate": "majority",
    "seed": 0,
    "settings": {},
    "class_names": ["a", "b"],
    "encoder": "minilm",
}


@pytest.fixture
def job(tmp_path) -> dict:
    own = {"folder": str(tmp_path / "x"), "texts": ["a b"] * 10, "labels": [0, 1] * 5}
    return {**JOB, **own, "language": "en", "splits": [[[0, 1, 2], [3, 4]]], "final": list(range(10))}


def test_a_job_is_done_in_a_process_of_its_own(job, tmp_path):
    told = []
    found = jobs.run(job, limit=300, tell=lambda stage, share: told.append(stage))
    assert found["trained_on"] == 10 and found["memory_mib"] > 10 and told
    assert bundles.load_model(tmp_path / "x").predict_proba(["c"]).tolist() == [[0.5, 0.5]]


def test_a_job_that_fails_is_named(job):
    del job["texts"]
    with pytest.raises(jobs.Failed, match="KeyError"):
        jobs.run(job, limit=300)


@pytest.mark.parametrize(
    ("program", "limit", "said"),
    [
        ("exit 3", 60, "exit status 3"),
        ("echo no space left >&2; exit 1", 60, "no space left"),
        ("kill -9 $$", 60, "signal 9"),
        ("sleep 600", 0.5, "the most that it may take"),
        ("sleep 600 & sleep 600", 0.5, "the most that it may take"),
        ("(setsid sleep 600 &) ; exit 4", 60, "exit status 4"),
    ],
)
def test_a_worker_that_dies_or_hangs_is_ended_with_all_that_it_started(
    job, tmp_path, monkeypatch, program, limit, said
):
    """What it started is ended too: `nothing_left` looks for it."""
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{program}\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(jobs.Failed, match=said):
        jobs.run(job, limit=limit)


def test_a_file_of_the_current_folder_is_not_imported(job, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    for name in ("random.py", "numpy.py", "course_utils.py"):
        (tmp_path / "here" / name).write_text("raise SystemExit('imported from the current folder')")
    monkeypatch.chdir(tmp_path / "here")
    assert jobs.run(job, limit=300)["trained_on"] == 10


def test_what_cannot_run_here_is_skipped_with_the_reason(tickets, tmp_path, in_process, monkeypatch):
    from course_utils.data import fetch

    def nothing(name, progress=True):
        raise CourseError("minilm: model.safetensors is not in the cache and could not be downloaded.")

    monkeypatch.setattr(fetch, "fetch", nothing)
    monkeypatch.setattr(runtime, "free_memory", lambda: 10**8)
    found = run(tickets, tmp_path / "out", ["tfidf", "small", "frozen"])
    states = {one.candidate.name: one for one in found.outcomes}
    assert states["frozen"].reason.startswith("The encoder cannot be had. minilm: model.safetensors")
    assert "It needs about 1.0 GiB of free memory, and 0.1 GiB are free" in states["small"].reason
    assert [one.state for one in found.outcomes] == ["done", "done", "skipped", "skipped"]
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "The encoder cannot be had" in page
    assert "Not in the running: Small network, Frozen encoder" in page


def test_an_english_encoder_is_not_tried_on_chinese_unless_it_is_named(tmp_path, in_process, tiny_encoder, five):
    tickets = data.load("tickets_zh")
    found = compare.run(tickets, out=tmp_path / "out", progress=False)
    states = {one.candidate.name: one for one in found.outcomes}
    for name in ("frozen", "finetuned"):
        assert states[name].state == "skipped"
        assert "trained on English" in states[name].reason and f"--only {name}" in states[name].reason
    assert {states[name].state for name in ("majority", "tfidf", "small")} == {"done"}
    named = compare.run(tickets, out=tmp_path / "named", candidates="frozen", progress=False)
    assert [one.state for one in named.outcomes] == ["done", "done"]


def test_an_encoder_of_your_own_is_tried_on_chinese_and_goes_with_the_model(tmp_path, in_process, five):
    import tiny_encoder

    tickets = data.load("tickets_zh")
    (tmp_path / "bert").mkdir()
    tiny_encoder.files(tmp_path / "bert", {letter for text in tickets.train.texts for letter in text})
    found = compare.run(tickets, out=tmp_path / "out", encoder=str(tmp_path / "bert"), progress=False)
    assert {one.state for one in found.outcomes} == {"done"}, [one.reason for one in found.outcomes]
    table = found.table()
    assert table.loc["frozen", "macro F1"] > table.loc["majority", "macro F1"] + 0.1
    page = found.report.read_text("utf-8")
    assert "trained on English" not in page
    card = bundles.read_card(tmp_path / "out" / "candidates" / "frozen")
    assert card["encoder"] == "folder bert" and str(tmp_path) not in json.dumps(card)
    assert str(tmp_path) not in (tmp_path / "out" / "report.json").read_text("utf-8")
    assert set(card["files"]) == {"network.onnx", "tokenizer.json", "head.npz"}
    (tmp_path / "bert").rename(tmp_path / "elsewhere")  # the model needs it no more
    model = bundles.load_model(tmp_path / "out" / "candidates" / "frozen")
    said = np.array(found.outcomes[3].result["test"])
    assert model.predict_proba(tickets.test.texts) == pytest.approx(said, abs=1e-4)
    with pytest.raises(CourseError, match=r"elsewhere holds no encoder: model\.safetensors missing"):
        (tmp_path / "elsewhere" / "model.safetensors").unlink()
        compare.run(tickets, out=tmp_path / "no", encoder=str(tmp_path / "elsewhere"), progress=False)


def test_a_large_encoder_learns_from_fewer_messages(tmp_path):
    import json

    (tmp_path / "config.json").write_text(json.dumps({"num_hidden_layers": 12, "hidden_size": 768}))
    for name in ("model.safetensors", "tokenizer.json"):
        (tmp_path / name).write_text("")
    assert candidates.cost_of(str(tmp_path)) == candidates.cost_of("bert_base_zh") == 8
    assert candidates.cost_of("minilm") == 1


def test_training_rows_are_sampled_by_class_and_it_is_said(tickets, tmp_path, in_process, monkeypatch):
    labels = np.array([0] * 900 + [1] * 90 + [2] * 2)
    rows = candidates.sample(labels, 100, 0)
    assert np.bincount(labels[rows]).tolist() == [91, 9, 1]
    assert len(candidates.sample(labels, None, 0)) == len(candidates.sample(labels, 5_000, 0)) == 992
    monkeypatch.setitem(candidates.BY_NAME["tfidf"].settings, "quick", {"most": 20})
    found = run(tickets, tmp_path / "out")
    assert found.outcomes[1].result["trained_on"] <= 21
    assert "learnt from" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_the_saved_model_may_learn_from_the_test_too(tickets, tmp_path, in_process):
    found = run(tickets, tmp_path / "out", refit="all")
    card = bundles.read_card(tmp_path / "out" / "model")
    assert card["trained_on"] == 90 and card["decision"]["threshold"] == found.outcomes[1].account.threshold
    assert "no figure above is" in found.report.read_text("utf-8")
    measured = bundles.read_card(tmp_path / "out" / "candidates" / "tfidf")
    assert measured["trained_on"] < 90 and found.outcomes[1].result["trained_on"] == measured["trained_on"]
    run(tickets, tmp_path / "out")
    assert bundles.read_card(tmp_path / "out" / "model")["trained_on"] == measured["trained_on"]


def test_nothing_is_recommended_where_labels_are_chance(tmp_path, in_process):
    random = np.random.default_rng(0)
    rows = [(text, "ab"[random.integers(2)]) for text, _ in messages({"billing": 100, "bug": 100})]
    found = run(write_csv(tmp_path / "chance.csv", rows), tmp_path / "out")
    assert found.recommendation.chosen == "majority"
    assert "Ship none of these models yet" in str(found.recommendation)
    assert not (tmp_path / "out" / "model").exists()
    with pytest.raises(CourseError, match="No model was recommended"):
        found.load_chosen()


# ---- bad requests and bad input


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"names": ["fine-tuned"]}, r"There is no candidate 'fine-tuned'\. Did you mean finetuned\?"),
        ({"names": "tfidf,frozne"}, r"'frozne'\. Did you mean frozen\?"),
        ({"names": ["majority"]}, "at least one candidate beside majority"),
        ({"profile": "quik"}, r"'quik'\. Did you mean quick\?"),
        ({"splits": 2}, "splits must be 1, 3 or 5; it is 2"),
        ({"splits": True}, "splits must be 1, 3 or 5"),
        ({"refit": "al"}, r"refit must be outside or all; it is 'al'\. Did you mean all\?"),
        ({"seed": -1}, "seed must be a whole number"),
    ],
)
def test_requests_that_cannot_be_meant_are_refused(tickets, tmp_path, options, said):
    with pytest.raises(CourseError, match=said):
        run(tickets, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"text,team\nhello,a\n", r"has no column 'label'; it has 'text', 'team'"),
        (b"text,label\n" + b"".join(b"message number %d is here,one\n" % k for k in range(50)), "has 1 class"),
        (b"text,label\none,a\ntwo,b\nthree,c\n", "has 0 classes"),
        (b"text,label\n" + b"".join(b"message %d,%s\n" % (k, b"ab"[k % 2 :][:1]) for k in range(9)), "usable messages"),
        (bytes(range(256)) * 50, "is not a text file"),
        (b"", "is empty"),
    ],
)
def test_files_that_cannot_be_compared_are_refused_in_a_sentence(tmp_path, content, said):
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    with pytest.raises(CourseError, match=said):
        run(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_above_the_limit_is_refused(tickets, tmp_path, monkeypatch):
    from course_utils.data import csv_file

    monkeypatch.setattr(csv_file, "MOST_BYTES", 1_000)
    with pytest.raises(CourseError, match="more than the"):
        run(tickets, tmp_path / "out")


def test_columns_and_kinds_of_data_have_to_be_named(tickets, tmp_path):
    with pytest.raises(CourseError, match="Name the columns"):
        compare.run(tickets, out=tmp_path / "out")
    with pytest.raises(CourseError, match="it got list"):
        compare.run([("a", "b")], out=tmp_path / "out")


def test_a_folder_of_other_data_or_other_files_is_left_alone(tickets, tmp_path, in_process):
    run(tickets, tmp_path / "out")
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    other = write_csv(tmp_path / "other.csv", messages({"billing": 40, "bug": 40}, seed=9))
    with pytest.raises(CourseError, match=r"holds the comparison of other data \(tickets\.csv.*--fresh"):
        run(other, tmp_path / "out")
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()} == before
    (tmp_path / "out" / "notes.txt").write_text("mine")
    run(other, tmp_path / "out", fresh=True)
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(CourseError, match="holds files that are not of a comparison"):
        run(tickets, tmp_path / "mine", fresh=True)
    with pytest.raises(CourseError, match="is a file"):
        run(tickets, tmp_path / "mine" / "thesis.txt")


def test_a_folder_that_cannot_be_written_is_named(tickets, tmp_path, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(CourseError, match=r"out cannot be written \(Permission denied\); name another folder"):
        run(tickets, tmp_path / "out")


def test_strange_messages_are_compared_like_any(tmp_path, in_process):
    strange = [
        ("x" * 100_000, "bug"),
        ("word " * 20_000, "bug"),
        ("😀🎉 invoice 💥", "billing"),
        ("مرحبا الفاتورة خاطئة \u202e gnp.exe", "billing"),
        ("<script>alert(1)</script><b>crash</b>", "bug"),
        ("=cmd()", "account"),
        ("\x07bell \x1b[31mred", "account"),
    ]
    path = write_csv(tmp_path / "strange.csv", [*messages({"billing": 30, "bug": 30, "account": 30}), *strange])
    began = time.perf_counter()
    found = run(path, tmp_path / "out")
    assert time.perf_counter() - began < 60
    assert "very long message" in {one.kind for one in found.findings}
    shares = found.load_chosen().predict_proba([text for text, _ in strange])
    assert shares.sum(axis=1) == pytest.approx(1)


# ---- what is shown on the way


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_shown_on_a_terminal_only(terminal):
    import io

    from rich.console import Console

    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=100)
    with display.Display(2, True, console) as shown:
        shown.stage("TF-IDF [bold]")
        shown.detail("training", 0.5)
        shown.finished(Outcome(candidates.BY_NAME["tfidf"], "skipped", reason="no [memory]"))
    assert ("skipped: no [memory]" in written.getvalue()) == terminal
    assert bool(written.getvalue()) == terminal


def test_a_notebook_shows_one_line(monkeypatch):
    lines = []
    monkeypatch.setattr(display, "in_notebook", lambda: True)
    monkeypatch.setattr(display, "update_line", lambda handle, line: lines.append(line))
    with display.Display(2, True) as shown:
        shown.stage("Small network")
        shown.detail("training", 0.1)
        shown.detail("training", 0.2)
    assert lines[:2] == ["0 of 2 candidates · Small network", "0 of 2 candidates · Small network: training"]
    assert len(lines) == 3
    assert lines[2].startswith("2 candidates compared in ")


def test_a_full_disk_is_said(tickets, tmp_path, in_process, monkeypatch):
    import errno

    real = paths.write_atomic

    def full(path, content):
        if path.name == "tfidf.json":
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, content)

    monkeypatch.setattr(paths, "write_atomic", full)
    with pytest.raises(
        NotKept, match=r"out cannot be written \(No space left on device\)\. What had finished"
    ) as caught:
        run(tickets, tmp_path / "out")
    assert caught.value.status == 4


# ---- in a terminal


def test_eighty_columns_hold_what_is_printed(tickets, tmp_path, in_process, monkeypatch):
    monkeypatch.setattr(runtime, "free_memory", lambda: 10**8)
    found = run(tickets, tmp_path / "out", ["tfidf", "small"])
    again = run(tickets, tmp_path / "out", ["tfidf", "small"])
    lines = terminal.summary(found)
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("small was skipped: ") for line in lines)
    assert any("few messages" in line.casefold() for line in lines)
    narrow = terminal.summary(found, 60)
    assert max(map(len, narrow)) <= 60 and " ".join(narrow).split() == " ".join(lines).split()
    assert terminal.summary(found, 200) == lines, "no line of prose is longer than 80"
    for one in (found, again):
        table = terminal.rows(one)
        widths = [max(len(row[name]) for row in table) for name in table[0]]
        widths = [max(width, len(name)) for width, name in zip(widths, table[0], strict=True)]
        assert sum(widths) + 2 * (len(widths) - 1) <= 80
    assert [row["candidate"] for row in table] == ["majority", "tfidf *", "small"]
    assert [row["note"] for row in table] == ["kept", "kept", "skipped"]


def test_escape_codes_of_labels_and_names_never_reach_the_terminal(tmp_path, in_process):
    rows = [(text, f"\x1b[31m{label}\x1b]0;title\x07") for text, label in messages({"billing": 40, "bug": 40})]
    rows += [(f"{text} too", "\x1b[2Jrare\x9b31m") for text, _ in rows[:3]]
    path = write_csv(tmp_path / "own\x1b[31m.csv", rows)
    found = run(path, tmp_path / "out")
    assert set(found.class_names) == {"billing", "bug", "rare31m"}
    printed = "\n".join(terminal.summary(found)) + repr(terminal.rows(found))
    assert "\x1b" not in printed and "\x07" not in printed and "\x9b" not in printed
    assert "small classes" in {one.kind for one in found.findings}


# ---- all five


@pytest.fixture
def five(monkeypatch) -> None:
    """Settings in which all five candidates are trained in seconds."""
    for name, settings in {
        "small": {"most": None, "epochs": 3},
        "finetuned": {"most": None, "layers": None, "learning_rate": 1e-2, "epochs": 12, "length": 32},
    }.items():
        monkeypatch.setitem(candidates.BY_NAME[name].settings, "quick", settings)


def same_predictions(folder: Path, texts: list[str]) -> None:
    """A saved model gives probabilities, the same for a message alone."""
    model = compare.load_model(folder)
    assert model.predict_proba(texts).sum(axis=1) == pytest.approx(1, abs=1e-5)
    again = np.concatenate([model.predict_proba([one]) for one in texts])
    assert model.predict_proba(texts) == pytest.approx(again, abs=1e-4)


def test_all_five_candidates_end_to_end(tickets, tmp_path, in_process, tiny_encoder, five):
    """With an encoder of two layers, in this process; the real one, in processes of their own, is run at night."""
    found = compare.run(tickets, "text", "label", out=tmp_path / "out", progress=False)
    assert {one.state for one in found.outcomes} == {"done"}, [one.reason for one in found.outcomes]
    table = found.table()
    assert list(table.index) == ["majority", "tfidf", "small", "frozen", "finetuned"]
    for name in ("frozen", "finetuned"):
        assert table.loc[name, "macro F1"] > table.loc["majority", "macro F1"] + 0.2
        card = bundles.read_card(tmp_path / "out" / "candidates" / name)
        assert card["encoder"] == "minilm" and "network.onnx" in card["files"]
        said = np.array(found.outcomes[list(table.index).index(name)].result["test"])
        model = compare.load_model(tmp_path / "out" / "candidates" / name)
        test = running.read(tickets, "text", "label").test
        assert model.predict_proba(test.texts) == pytest.approx(said, abs=1e-4)
    text = running.read(tickets, "text", "label").train.texts[:5]
    for name in table.index:
        same_predictions(tmp_path / "out" / "candidates" / name, text)


@pytest.mark.night
@pytest.mark.timeout(1_500)
def test_the_encoder_end_to_end(tmp_path, encoder_cache, monkeypatch):
    """All five candidates on 300 of the course's tickets, in processes of their own, and their models once more."""
    tickets = data.load("tickets")
    rows = list(zip(tickets.train.texts, [tickets.class_names[k] for k in tickets.train.labels], strict=True))[:300]
    monkeypatch.setitem(
        candidates.BY_NAME["finetuned"].settings,
        "quick",
        {"most": 120, "layers": 1, "learning_rate": 3e-4, "epochs": 1, "length": 32},
    )
    found = compare.run(write_csv(tmp_path / "t.csv", rows), "text", "label", out=tmp_path / "out", progress=False)
    assert {one.state for one in found.outcomes} == {"done"}, [one.reason for one in found.outcomes]
    table = found.table()
    assert table.loc["frozen", "macro F1"] > table.loc["majority", "macro F1"] + 0.2
    assert 85 < table.loc["frozen", "MB"] < 95
    assert 85 < table.loc["finetuned", "MB"] < 95
    card = bundles.read_card(tmp_path / "out" / "candidates" / "frozen")
    assert card["files"]["head.npz"]["bytes"] < 50_000
    text = [one for one, _ in rows[:5]]
    for name in ("frozen", "finetuned"):
        same_predictions(tmp_path / "out" / "candidates" / name, text)
        if JAX:
            there = compare.load_model(tmp_path / "out" / "candidates" / name).predict_proba(text)
            assert on_jax(tmp_path / "out" / "candidates" / name, text) == pytest.approx(there, abs=1e-4)
