"""No test leaves a process behind, also where it fails half way: import the fixture, and it is used by itself."""

import uuid

import pytest

from course_utils.processes import TOKEN, carrying


@pytest.fixture(autouse=True)
def nothing_left(monkeypatch):
    """Marks all that the test starts, ends what is left of it, and fails a test that would have left something."""
    token = uuid.uuid4().hex
    monkeypatch.setenv(TOKEN, token)
    yield
    left = carrying(token)
    for process in left:
        process.kill()
    assert not left, "the test left processes behind"
