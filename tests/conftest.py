"""Every test gets a cache and a progress file of its own, and none of the caller's course settings."""

import hypothesis
import pytest

# Other processes share CI's two cores: an example's time says nothing about the code under test.
hypothesis.settings.register_profile("course", deadline=None)
hypothesis.settings.load_profile("course")


@pytest.fixture(autouse=True)
def isolated_settings(tmp_path_factory, monkeypatch):
    for name in ("COURSE_PROFILE", "COURSE_STRICT", "COURSE_PROGRESS", "COURSE_CACHE", "KERAS_BACKEND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path_factory.mktemp("cache")))
