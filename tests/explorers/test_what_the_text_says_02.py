"""Chapter 02 tells its readers what to try in the explorer of descent: here it is tried, rate by rate of the slider."""

import importlib
from pathlib import Path

import numpy as np
import pytest

descent = importlib.import_module("course_utils.explorers.descent")
SOURCE = Path(__file__).parents[2] / "notebooks" / "source" / "02_learning.py"
RATES = descent.RATES[1:]


@pytest.fixture(scope="module")
def text():
    """The three things to try, as one line."""
    found = SOURCE.read_text("utf-8").partition("# Three things to try:")[2].partition("# %%")[0]
    return " ".join(line.lstrip("# ") for line in found.splitlines())


def scene(surface, rate, steps=40, start=None, optimiser="gradient descent"):
    return descent.scene(surface, optimiser, start or descent.SURFACES[surface].start, rate, steps)


def good(optimiser):
    """The slider's rates that bring the curved valley below a thousandth in 200 steps."""
    surface = descent.SURFACES["curved valley"]
    with np.errstate(all="ignore"):
        paths = {rate: descent.walk(surface, optimiser, surface.start, rate, 200) for rate in RATES}
    return [rate for rate, path in paths.items() if len(path) == 201 and surface.value(path[-1]) < 1e-3]


def between(low, high):
    return [rate for rate in RATES if low <= rate <= high]


def test_the_long_bowl(text):
    assert "At a rate of 0.2 it cycles, at 0.21 the loss has grown, and from 0.27 on it is gone" in text
    assert "Cycles" in scene("long bowl", 0.2).sentence
    for rate in between(0.21, 0.26):
        assert "The loss has grown" in scene("long bowl", rate).sentence
    for rate in between(0.27, 100):
        assert "Diverges" in scene("long bowl", rate).sentence


def test_log_cosh_and_logistic(text):
    assert "*log cosh* and a rate of 4: a cycle" in text
    assert "Cycles" in scene("log cosh", 4.0).sentence
    assert "On *logistic*, even a rate of 20 brings the loss below a millionth" in text
    assert "The loss is below a millionth" in scene("logistic", 20.0).sentence


def test_the_curved_valley(text):
    assert "For plain descent those from 0.19 to 0.45, and above it flies out" in text
    assert good("gradient descent") == between(0.19, 0.45)
    assert all("Diverges" in scene("curved valley", rate, 200).sentence for rate in between(0.46, 100))
    assert "For momentum those from 0.012 to 0.21" in text
    assert good("momentum") == between(0.012, 0.21)
    assert "for Adam those from 0.17 to 3, and above that only some: a factor of 18 against 2.4" in text
    adam = good("Adam")
    assert [rate for rate in adam if rate <= 3] == between(0.17, 3)
    above = [rate for rate in adam if rate > 3]
    assert above and len(above) < len(between(3.1, above[-1])) / 2
    assert round(3 / 0.17) == 18 and round(0.21 / 0.012) in (17, 18) and round(0.45 / 0.19, 1) == 2.4


def test_the_saddle(text):
    assert "*Saddle, rate 0.3.* The start lies exactly on the ridge, and plain descent gets stuck" in text
    assert "Stuck where it is flat" in scene("saddle", 0.3).sentence
    for hair in (0.01, -0.02, 0.1):
        assert "Converged" in scene("saddle", 0.3, start=(-2.0, hair)).sentence
