"""A verdict comes from a condition that could have come out otherwise: for each claim, observations that turn it."""

import importlib
from pathlib import Path

import pytest

from claims.flip import Flip, cells
from course_utils import claims

MODULES = sorted(path.stem for path in Path(__file__).parent.glob("flips_*.py"))
FLIPS: list[Flip] = [flip for name in MODULES for flip in importlib.import_module(f"claims.{name}").FLIPS]
TRIED = {name.removeprefix("flips_") for name in MODULES}


@pytest.mark.parametrize("flip", FLIPS, ids=lambda flip: f"{flip.claim} {flip.verdict}")
def test_observations_decide_the_verdict(flip):
    assert flip.reached() == flip.verdict


@pytest.mark.parametrize("claim", sorted(name for name in cells() if claims.rows()[name]["chapter"] in TRIED))
def test_each_verdict_can_come_out_otherwise(claim):
    reached = [flip.verdict for flip in FLIPS if flip.claim == claim]
    assert reached and reached[0] == claims.rows()[claim]["expected"], "the first flip holds what was measured"
    assert len(set(reached)) > 1, "no observation is known that would turn this verdict"
