"""``course registry`` and ``course serve`` of one, as a reader types them."""

import json
import os
import re
import signal
import subprocess
import urllib.request

from course_utils import bundles, processes
from course_utils.rollout.registry import Registry


def test_a_version_in_and_back_by_commands(course, tmp_path, saved):
    folder = tmp_path / "registry"
    found = []
    for bundle in saved[:2]:
        status, out, _ = course("registry", folder, "add", bundle, "--note", "from the test")
        assert status == 0
        found.append(re.fullmatch(r"Added: (\w{12})\n", out)[1])
    first, second = found
    assert course("registry", folder, "promote", first)[1] == f"Champion: {first}\n"
    assert "in shadow" in course("registry", folder, "shadow", second[:5], "--margin", "0.01")[1]
    assert "canary for 25.0%" in course("registry", folder, "canary", second, "--share", "0.25", "--auto")[1]
    assert Registry(folder).state.auto
    assert "Challenger" not in course("registry", folder, "stop", "--why", "no reason")[1]
    course("registry", folder, "promote", second)
    assert course("registry", folder, "rollback", "--why", "complaints")[:2] == (0, f"Champion: {first}\n")
    status, out, _ = course("registry", folder, "log")
    assert status == 0 and "complaints" in out and "from the test" in out and out.endswith(f"Champion: {first}\n")
    _, out, _ = course("registry", folder, "log", "--json")
    told = [json.loads(line) for line in out.splitlines()]
    assert [one["event"] for one in told][-3:] == ["stop", "promote", "rollback"]


def test_a_log_is_held_against_a_hash_that_was_kept(course, tmp_path, saved):
    folder = tmp_path / "registry"
    for bundle in saved[:2]:
        course("registry", folder, "add", bundle)
    status, out, _ = course("registry", folder, "verify")
    (head,) = re.fullmatch(r"Head: ([0-9a-f]{64})\n", out).groups()
    course("registry", folder, "add", saved[2])
    status, out, _ = course("registry", folder, "verify", "--head", head)
    assert status == 0 and "lines after it: 1." in out and head not in out
    log = folder / "log.jsonl"
    log.write_text(log.read_text("utf-8").splitlines()[0] + "\n", "utf-8")
    assert course("registry", folder, "verify")[0] == 0
    status, _, err = course("registry", folder, "verify", "--head", head)
    assert status == 2 and "taken off its end" in " ".join(err.split())


def test_what_cannot_be_meant_is_one_sentence_and_status_2(course, tmp_path, saved):
    folder = tmp_path / "registry"
    for arguments in (
        ["rollback"], ["add", tmp_path / "nothing"], ["promote", "abcdef"], ["canary", "abcdef", "--share", "2"],
    ):  # fmt: skip
        status, _, err = course("registry", folder, *arguments)
        assert status == 2 and err.startswith("course: ") and "Traceback" not in err
    _, public = bundles.new_keys(tmp_path / "key")
    status, _, err = course("registry", folder, "add", saved[0], "--key", public)
    assert status == 2 and "not signed" in err
    Registry(folder).add(saved[0])
    log = folder / "log.jsonl"
    log.write_text(log.read_text("utf-8").replace('"why": ""', '"why": "x"'), "utf-8")
    status, _, err = course("registry", folder, "log")
    assert status == 2 and "the past was changed" in " ".join(err.split())


def test_serving_a_registry_follows_it(tmp_path, registry):
    first, second, _ = registry.state.versions
    registry.promote(first)
    command = processes.python("course_utils", "serve", str(registry.folder), "--port", "0")
    with subprocess.Popen(
        command, env=processes.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            url = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())[0]

            def answers() -> str:
                return json.load(urllib.request.urlopen(f"{url}/readyz", timeout=10))["version"]

            assert answers() == first
            registry.promote(second)
            from test_front import until

            until(lambda: answers() == second)
            os.kill(process.pid, signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
    assert (registry.folder / "front" / "answers.sqlite").is_file()
