"""The registry: what its log says is so, whoever writes, whatever breaks off, whoever changes the past."""

import errno
import hashlib
import json
import os
import subprocess
import sys

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from course_utils import bundles
from course_utils.errors import CourseError
from course_utils.rollout.registry import Registry, State, state_after


def lines(registry) -> list[str]:
    return registry.log.file.read_text("utf-8").splitlines()


def test_a_version_goes_in_is_tried_promoted_and_taken_back(registry, saved):
    first, second, third = registry.state.versions
    assert registry.state == State(versions=(first, second, third))
    registry.promote(first, "the first one")
    registry.shadow(second, margin=0.01)
    state = registry.state
    assert (state.champion, state.challenger, state.mode, state.share) == (first, second, "shadow", 0)
    assert state.test == {"alpha": 0.01, "margin": 0.01} and not state.auto
    registry.canary(second, share=0.25, auto=True)
    state = registry.state
    assert (state.mode, state.share, state.auto, state.since) == ("canary", 0.25, True, 6)
    assert registry.stop("too slow", evidence={"worse": 5.0}) == second
    assert registry.state.challenger is None
    assert registry.promote(second[:6]) == second
    registry.promote(third)
    assert registry.rollback("complaints") == second
    assert registry.rollback() == first
    with pytest.raises(CourseError, match="no champion before"):
        registry.rollback()
    told = registry.history()
    assert [one["event"] for one in told] == (
        ["add"] * 3 + ["promote", "shadow", "canary", "stop", "promote", "promote", "rollback", "rollback"]
    )
    assert told[6]["why"] == "too slow" and told[6]["evidence"] == {"worse": 5.0}
    assert told[9] == {**told[9], "version": second, "why": "complaints"} and "sha256" not in told[0]
    assert bundles.load_model(registry.folder_of(first)).class_names == ("billing", "bug", "account")


def test_after_a_rollback_the_way_back_is_to_the_one_before_that(registry):
    first, second, third = registry.state.versions
    for version in (first, second):
        registry.promote(version)
    registry.rollback()
    registry.promote(third)
    assert registry.rollback() == first


def test_a_promotion_ends_the_challengers_time(registry):
    first, second, third = registry.state.versions
    registry.promote(first)
    registry.canary(second)
    registry.promote(third)
    assert registry.state.challenger is None
    registry.shadow(second)
    registry.rollback()
    assert (registry.state.champion, registry.state.challenger) == (first, None)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda r, v: r.shadow(v[0]), "is the champion"),
        (lambda r, v: r.promote(v[0]), "champion already"),
        (lambda r, v: r.promote("nothing"), "no version"),
        (lambda r, v: r.promote(v[1][:3]), "no version"),
        (lambda r, v: r.promote(""), "no version"),
        (lambda r, v: r.rollback(), "no champion before"),
        (lambda r, v: r.stop(), "no challenger"),
        (lambda r, v: r.canary(v[1], share=0), "share"),
        (lambda r, v: r.canary(v[1], share=1.5), "share"),
        (lambda r, v: r.canary(v[1], ratio=-1), "ratio"),
        (lambda r, v: r.shadow(v[1], alpha=2), "alpha"),
        (lambda r, v: r.folder_of("../../etc"), "no version"),
        (lambda r, v: (r.shadow(v[1]), r.shadow(v[2])), "is the challenger now"),
        (lambda r, v: (r.shadow(v[1]), r.stop(since=1)), "no challenger"),
        (lambda r, v: (r.shadow(v[1]), r.promote(v[1], since=1)), "not the challenger any more"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_changes_nothing(registry, call, words):
    versions = registry.state.versions
    registry.promote(versions[0])
    before = len(lines(registry))
    with pytest.raises(CourseError, match=words):
        call(registry, versions)
    events = [json.loads(line)["event"] for line in lines(registry)][before:]
    assert events in ([], ["shadow"])  # what had been asked for before


def test_a_registry_without_versions_says_what_to_do(tmp_path, saved):
    empty = Registry(tmp_path / "new")
    assert empty.state == State() and empty.history() == []
    for call in (lambda: empty.promote("abcd"), empty.rollback, empty.stop):
        with pytest.raises(CourseError, match="course registry"):
            call()
    assert not (tmp_path / "new" / "log.jsonl").exists()
    with pytest.raises(CourseError, match="no champion"):
        empty.shadow(empty.add(saved[0]))


def test_a_folder_with_other_things_is_left_alone(tmp_path, saved):
    (tmp_path / "photographs").mkdir()
    (tmp_path / "photographs" / "one.jpg").write_text("x")
    with pytest.raises(CourseError, match="no registry"):
        Registry(tmp_path / "photographs").add(saved[0])
    (tmp_path / "file").write_text("x")
    with pytest.raises(CourseError, match="cannot be written"):
        Registry(tmp_path / "file").add(saved[0])
    assert sorted(p.name for p in (tmp_path / "photographs").iterdir()) == ["one.jpg"]


def test_what_is_no_bundle_or_was_changed_does_not_come_in(tmp_path, registry, saved):
    bad = tmp_path / "bad"
    bad.mkdir()
    with pytest.raises(CourseError):
        registry.add(bad)
    for file in saved[3].iterdir():
        (bad / file.name).write_bytes(file.read_bytes())
    (bad / "shares.json").write_text("[1, 0, 0]")
    with pytest.raises(CourseError, match="not the file that was saved"):
        registry.add(bad)
    assert len(registry.state.versions) == 3
    assert len(list((registry.folder / "versions").iterdir())) == 3


def test_adding_twice_is_adding_once_and_mends(registry, saved):
    version = registry.state.versions[0]
    assert registry.add(saved[0]) == version and len(lines(registry)) == 3
    place = registry.folder_of(version)
    (place / "shares.json").write_text("[0, 1, 0]")
    with pytest.raises(CourseError, match="not the file that was saved"):
        registry.folder_of(version)
    with pytest.raises(CourseError):
        registry.promote(version)
    assert registry.add(saved[0]) == version and len(lines(registry)) == 3
    registry.promote(version)


def test_another_bundle_under_a_versions_name_is_not_given_out(registry, saved):
    version = registry.state.versions[0]
    place = registry.folder_of(version)
    for file in saved[3].iterdir():
        (place / file.name).write_bytes(file.read_bytes())
    with pytest.raises(CourseError, match="another model"):
        registry.folder_of(version)


def test_a_key_lets_in_only_what_it_signed(tmp_path, saved):
    private, public = bundles.new_keys(tmp_path / "key")
    _, other = bundles.new_keys(tmp_path / "other")
    registry = Registry(tmp_path / "registry", key=public)
    with pytest.raises(CourseError, match="not signed"):
        registry.add(saved[0])
    signed = tmp_path / "signed"
    bundles.save(bundles.load_model(saved[0]), signed)
    bundles.sign(signed, private)
    version = registry.add(signed)
    assert registry.folder_of(version)
    with pytest.raises(CourseError, match="another key"):
        Registry(tmp_path / "registry", key=other).folder_of(version)


def test_the_version_is_the_services_whatever_the_folder_is_called(registry, saved):
    from course_utils.serving import loading

    version = registry.state.versions[0]
    for folder in (saved[0], registry.folder_of(version)):
        assert loading.application_of(folder).state.service.version == version


def test_a_line_cut_off_while_it_was_written_is_no_event(registry):
    first, second, _ = registry.state.versions
    registry.promote(first)
    whole = registry.log.file.read_bytes()
    registry.promote(second)
    later = registry.log.file.read_bytes()
    for cut in (len(whole) + 1, len(whole) + 100, len(later) - 2):
        registry.log.file.write_bytes(later[:cut])
        assert registry.state.champion == first
    registry.log.file.write_bytes(later[:-1])  # all but the end of the line
    assert registry.state.champion == second
    assert registry.rollback() == first
    registry.log.file.write_bytes(whole + later[len(whole) : -40])
    registry.shadow(second)  # the torn line is gone, and what follows fits
    assert registry.state.challenger == second
    assert len(lines(registry)) == 5


@pytest.mark.parametrize(
    "change",
    [
        lambda ls: [ls[0].replace('"why": ""', '"why": "all well"'), *ls[1:]],
        lambda ls: [*ls[:-1], ls[-1].replace("promote", "shadow")],
        lambda ls: [ls[0], *ls[2:]],
        lambda ls: [ls[1], ls[0], *ls[2:]],
        lambda ls: [*ls, ls[-1]],
        lambda ls: [*ls, "rubbish"],
        lambda ls: [*ls[:-1], "[1]"],
        lambda ls: ["", *ls],
        lambda ls: ls[1:],
    ],
)
def test_a_changed_past_is_refused(registry, change):
    first = registry.state.versions[0]
    registry.promote(first)
    changed = ("\n".join(change(lines(registry))) + "\n").encode()
    registry.log.file.write_bytes(changed)
    for call in (lambda: registry.state, registry.history, registry.rollback, lambda: registry.folder_of(first)):
        with pytest.raises(CourseError, match="the past was changed"):
            call()
    assert registry.log.file.read_bytes() == changed


def cut(registry):
    registry.log.file.write_text("".join(f"{line}\n" for line in lines(registry)[:-1]), "utf-8")


def rewritten(registry):
    """The last line says something else, and its hash fits: by hashlib and json, as anybody can."""
    *before, last = lines(registry)
    event = json.loads(last) | {"event": "promote"}
    del event["sha256"]
    event["sha256"] = hashlib.sha256(json.dumps(event, ensure_ascii=False).encode()).hexdigest()
    registry.log.file.write_text("".join(f"{line}\n" for line in [*before, json.dumps(event)]), "utf-8")


@pytest.mark.parametrize(("change", "wrong"), [(cut, "challenger"), (rewritten, "champion")])
def test_a_changed_end_is_noticed_only_by_a_hash_that_was_kept(registry, change, wrong):
    first, second, _ = registry.state.versions
    registry.promote(first)
    registry.canary(second)
    early = registry.head
    registry.stop("the test")
    kept = registry.head
    assert registry.verify(kept) == 0 and registry.verify(early) == 1
    change(registry)
    assert getattr(registry.state, wrong) == second  # nothing is noticed: the stopped version answers again
    with pytest.raises(CourseError, match="written anew"):
        registry.verify(kept)
    assert registry.verify(early) == len(lines(registry)) - 5
    with pytest.raises(CourseError, match="no line with the hash"):
        registry.verify("")


def test_the_head_of_an_empty_log_and_of_a_broken_one(tmp_path, registry):
    empty = Registry(tmp_path / "new")
    assert empty.verify(empty.head) == 0
    head = registry.head
    registry.log.file.write_text(registry.log.file.read_text("utf-8").replace('"why": ""', '"why": "x"'), "utf-8")
    with pytest.raises(CourseError, match="the past was changed"):
        registry.verify(head)


def test_two_processes_write_at_once(tmp_path, registry):
    first, second, _ = registry.state.versions
    registry.promote(first)
    code = (
        "import sys\nfrom course_utils.errors import CourseError\nfrom course_utils.rollout import Registry\n"
        "r = Registry(sys.argv[1])\n"
        "for n in range(15):\n"
        "    for call in (lambda: r.shadow(sys.argv[2], why=sys.argv[3]), lambda: r.stop(sys.argv[3])):\n"
        "        try:\n            call()\n        except CourseError:\n            pass\n"
    )
    from course_utils.processes import environment

    both = [
        subprocess.Popen([sys.executable, "-c", code, str(registry.folder), second, name], env=environment())
        for name in ("one", "two")
    ]
    assert [process.wait(60) for process in both] == [0, 0]
    told = registry.history()[4:]
    assert {one["why"] for one in told} == {"one", "two"}
    assert sum(one["event"] == "shadow" for one in told) == 30
    state = State()
    for number, line in enumerate(map(json.loads, lines(registry)), start=1):
        assert line["n"] == number
        if line["event"] == "stop":
            assert state.challenger == second  # never a stop of nobody
        state = state.after(line)
    assert state == registry.state


@pytest.mark.parametrize("call", ["fsync", "open"])
def test_a_full_disk_changes_nothing(registry, saved, monkeypatch, call):
    first, second, _ = registry.state.versions
    registry.promote(first)
    before = registry.log.file.read_bytes()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        if call == "fsync":
            patched.setattr(os, "fsync", full)
        else:
            patched.setattr("course_utils.rollout.registry.tempfile.mkdtemp", full)
            patched.setattr("pathlib.Path.open", full)
        for attempt in (lambda: registry.add(saved[3]), lambda: registry.promote(second)):
            with pytest.raises(CourseError, match="No space left"):
                attempt()
    assert registry.log.file.read_bytes() == before
    assert sorted(p.name for p in (registry.folder / "versions").iterdir()) == sorted(registry.state.versions)
    registry.add(saved[3])
    registry.promote(second)


class Model(RuleBasedStateMachine):
    """The registry beside a plain list of champions: whatever is done in whatever order, both say the same."""

    versions = ("aaaa", "bbbb", "cccc")

    def __init__(self):
        super().__init__()
        self.events, self.champions, self.challenger = [], [], None
        for version in self.versions:
            self.write("add", version=version)

    def write(self, event, **facts):
        self.events.append({"n": len(self.events) + 1, "event": event, **facts})

    @rule(version=st.sampled_from(versions))
    def promote(self, version):
        if self.champions[-1:] != [version]:
            self.write("promote", version=version)
            self.champions.append(version)
            self.challenger = None

    @precondition(lambda self: len(self.champions) > 1)
    @rule()
    def rollback(self):
        self.champions.pop()
        self.write("rollback", version=self.champions[-1])
        self.challenger = None

    @rule(version=st.sampled_from(versions), mode=st.sampled_from(["shadow", "canary"]))
    def challenge(self, version, mode):
        self.write(mode, version=version, share=0.1, auto=False, test={})
        self.challenger = version

    @rule()
    def stop(self):
        self.write("stop", version=self.challenger)
        self.challenger = None

    @invariant()
    def the_log_says_the_same(self):
        state = state_after(self.events)
        assert state.champion == (self.champions[-1] if self.champions else None)
        assert state.challenger == self.challenger and (state.mode is None) == (self.challenger is None)
        assert list(state.past) == self.champions[:-1] and state.versions == self.versions


TestStates = Model.TestCase
TestStates.settings = settings(max_examples=40, stateful_step_count=20)
