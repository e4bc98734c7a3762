"""`course capstone check` on a finished folder, as a reader types it."""

import hashlib
import json
from pathlib import Path

import psutil
import pytest

from course_utils import cli


@pytest.fixture
def course(capsys):
    """Run the command in this process → (status, standard output, standard error)."""

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            cli.main(list(map(str, arguments)))
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return run


def tree(folder: Path) -> dict[str, str]:
    """Each file with the hash of its content and when it was last changed."""
    return {
        str(path.relative_to(folder)): f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_mtime_ns}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_finished_capstone_passes_and_nothing_of_it_is_changed_or_left_running(course, folder, monkeypatch):
    before = tree(folder)
    monkeypatch.chdir(folder)  # the default is the folder one is in
    status, out, _ = course("capstone", "check", "--json")
    told = json.loads(out)
    assert [step["state"] for step in told["steps"]] == ["done"] * 7, told
    assert (status, told["passed"]) == (0, True)
    assert tree(folder) == before
    assert not psutil.Process().children(recursive=True)
