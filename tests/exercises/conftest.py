"""Every test of the exercises has its own progress file and no strictness left over from the environment."""

import pytest


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    monkeypatch.delenv("COURSE_STRICT", raising=False)
    return tmp_path / "cache" / "progress.json"
