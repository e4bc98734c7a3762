"""Bundles that differ, and registries that hold them."""

from pathlib import Path

import numpy as np
import pytest

from course_utils import bundles
from course_utils.bundles import models
from course_utils.rollout.registry import Registry

CLASSES = ("billing", "bug", "account")


@pytest.fixture(scope="session")
def saved(tmp_path_factory) -> list[Path]:
    """Four bundles; the n-th answers with another class, or the same with another share."""
    folder = tmp_path_factory.mktemp("saved")
    places = [folder / name for name in ("first", "second", "third", "fourth")]
    for n, place in enumerate(places):
        shares = np.array([[2, 1, 1], [1, 2, 1], [1, 1, 2], [4, 0, 0]][n]) / 4
        bundles.save(models.Majority(class_names=CLASSES, language="en", shares=shares), place)
    return places


@pytest.fixture
def registry(tmp_path, saved) -> Registry:
    """A registry of three versions without a champion."""
    made = Registry(tmp_path / "registry")
    for bundle in saved[:3]:
        made.add(bundle)
    return made
