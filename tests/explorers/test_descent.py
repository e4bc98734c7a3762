"""The explorer of descent: its losses, its optimisers, what it says, and its start."""

import importlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import explorers, gradcheck

descent = importlib.import_module("course_utils.explorers.descent")
PLACES = st.tuples(st.floats(-3, 3), st.floats(-3, 3))


@pytest.fixture(scope="module")
def chapter(chapter_functions):
    return chapter_functions("02", "momentum", "rmsprop", "adam", "descend", "logistic", "gradient_of_logistic")


# --- the losses


@pytest.mark.parametrize("name", descent.SURFACES)
@settings(max_examples=40)
@given(place=PLACES)
def test_each_gradient_is_that_of_its_loss(name, place):
    surface, w = descent.SURFACES[name], np.array(place)
    measured = gradcheck.central_difference(lambda: float(surface.value(w)), w)
    np.testing.assert_allclose(surface.gradient(w), measured, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", descent.SURFACES)
def test_each_loss_takes_many_points_at_once_and_is_nowhere_below_its_lowest(name):
    surface = descent.SURFACES[name]
    points = np.random.default_rng(0).uniform(-4, 9, (7, 50, 2))
    values = surface.value(points)
    assert values.shape == (7, 50) and surface.gradient(points).shape == (7, 50, 2)
    assert values[2, 3] == pytest.approx(float(surface.value(points[2, 3])))
    assert values.min() >= surface.lowest - 1e-12


@pytest.mark.parametrize("name", descent.SURFACES)
def test_each_marked_minimum_is_one(name):
    surface = descent.SURFACES[name]
    for mark in map(np.array, surface.marks):
        np.testing.assert_allclose(surface.gradient(mark), 0, atol=1e-9)
        around = mark + 1e-3 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
        assert (surface.value(around) > surface.value(mark)).all()
    if surface.marks:
        assert min(map(float, map(surface.value, map(np.array, surface.marks)))) == pytest.approx(surface.lowest)


@pytest.mark.parametrize("name", [name for name, s in descent.SURFACES.items() if s.border is not None])
def test_the_largest_curvature_is_one_and_the_largest(name):
    surface, largest = descent.SURFACES[name], 0.0
    for w in [*np.random.default_rng(1).uniform(-3, 3, (200, 2)).tolist(), [0.0, 0.0]]:
        w, h = np.array(w), 1e-5
        rows = [(surface.gradient(w + h * e) - surface.gradient(w - h * e)) / (2 * h) for e in np.eye(2)]
        largest = max(largest, float(np.linalg.eigvalsh(np.array(rows)).max()))
    assert largest == pytest.approx(surface.curvature, rel=1e-4)


# --- the optimisers


@pytest.mark.parametrize(
    ("optimiser", "name", "memory"),
    [("momentum", "momentum", 0.0), ("RMSProp", "rmsprop", 0.0), ("Adam", "adam", (0.0, 0.0))],
)
@settings(max_examples=30)
@given(start=PLACES, rate=st.floats(0, 0.5))
def test_a_path_is_that_of_the_chapters_own_optimiser(chapter, optimiser, name, memory, start, rate):
    rule = chapter[name]
    surface, w = descent.SURFACES["curved valley"], np.array(start)
    path = descent.walk(surface, optimiser, start, rate, 20)
    for t, point in enumerate(path):
        np.testing.assert_array_equal(point, w)
        step, memory = rule(surface.gradient(w), t + 1, memory, rate)
        w = w + step


@settings(max_examples=30)
@given(start=PLACES, rate=st.floats(0, 0.5))
def test_gradient_descent_is_the_chapters_own(chapter, start, rate):
    surface = descent.SURFACES["log cosh"]
    theirs = chapter["descend"](surface.gradient, np.array(start), rate, 30)
    np.testing.assert_array_equal(descent.walk(surface, "gradient descent", start, rate, 30), theirs)


def test_the_losses_of_the_chapter_are_the_explorers(chapter):
    surface = descent.SURFACES["logistic"]
    for w in np.random.default_rng(3).normal(size=(20, 2)) * 3:
        assert float(surface.value(w)) == pytest.approx(chapter["logistic"](w), rel=1e-12)
        np.testing.assert_allclose(surface.gradient(w), chapter["gradient_of_logistic"](w), rtol=1e-12)


@pytest.mark.parametrize("name", ["long bowl", "round bowl", "very long bowl"])
@pytest.mark.parametrize("optimiser", ["gradient descent", "momentum"])
def test_the_limit_that_the_sentence_names_is_the_limit(name, optimiser):
    surface = descent.SURFACES[name]
    limit = 2 / surface.curvature * (1.9 if optimiser == "momentum" else 1)
    inside = descent.walk(surface, optimiser, (-2.5, 1.0), 0.98 * limit, 20_000)
    outside = descent.walk(surface, optimiser, (-2.5, 1.0), 1.02 * limit, 20_000)
    assert len(inside) == 20_001 and np.abs(inside[-1]).max() < 1e-6
    assert len(outside) < 20_001
    words = descent.scene(name, optimiser, (-2.5, 1.0), 0.98 * limit, 5).sentence
    assert "below the limit" in words and f"= {limit:.3g} " in words


# --- what it says


@pytest.mark.parametrize(
    ("surface", "optimiser", "rate", "steps", "words", "warning"),
    [
        ("long bowl", "gradient descent", 0.1, 100, "Converged: from step", False),
        ("long bowl", "gradient descent", 0.21, 300, "Diverges: after", True),
        ("long bowl", "gradient descent", 0.2, 300, "at the limit 2/λ = 0.2", True),
        ("long bowl", "gradient descent", 0.19, 40, "Still on its way", False),
        ("long bowl", "gradient descent", 0.0, 40, "nothing moves", False),
        ("long bowl", "gradient descent", 0.19, 0, "No step yet", False),
        ("long bowl", "RMSProp", 0.5, 100, "Jumps about", False),
        ("log cosh", "gradient descent", 4.0, 100, "Cycles: two points take turns", True),
        ("log cosh", "gradient descent", 4.0, 100, "no parabola", True),
        ("logistic", "gradient descent", 20.0, 100, "no minimum to arrive at", False),
        ("saddle", "gradient descent", 0.1, 100, "Stuck where it is flat", True),
        ("two minima", "gradient descent", 0.1, 100, "Stuck in the higher of the two minima", True),
        ("plateau", "gradient descent", 0.01, 100, "Still on its way", False),
        ("curved valley", "gradient descent", 100.0, 100, "Diverges: after", True),
    ],
)
def test_it_says_what_became_of_the_path(surface, optimiser, rate, steps, words, warning):
    found = descent.scene(surface, optimiser, descent.SURFACES[surface].start, rate, steps)
    assert words in found.sentence
    assert found.warning == warning


def test_a_hair_beside_the_ridge_gets_off_the_saddle():
    assert "Converged" in descent.scene("saddle", "gradient descent", (-2.0, 0.01), 0.3, 150).sentence


def test_the_picture_keeps_a_small_loss_on_its_axis():
    figure = explorers.descent_picture("long bowl", "gradient descent", 0.1, 100, alt="It converges")
    loss = next(trace for trace in figure.data if trace.name == "loss")
    assert np.min(np.asarray(loss.y, dtype=float)) == pytest.approx(1e-8, rel=1e-3)


# --- the live widget


@pytest.fixture
def stage():
    return explorers.descent()


def handle(stage):
    return next(layer for layer in stage.scene.panels[0].layers if hasattr(layer, "name"))


def test_the_start_is_dragged_and_stays_in_the_picture(stage):
    stage.send_event("drag", "start", panel="surface", x=1.0, y=-2.0)
    assert (handle(stage).x, handle(stage).y) == (1.0, -2.0)
    stage.send_event("change", "rate", 0.05)
    assert (handle(stage).x, handle(stage).y) == (1.0, -2.0)
    stage.send_event("drag", "start", panel="surface", x=50.0, y=float("nan"))
    assert (handle(stage).x, handle(stage).y) == (1.0, -2.0)
    stage.send_event("drag", "start", panel="surface", x=50.0, y=-50.0)
    assert (handle(stage).x, handle(stage).y) == (3.0, -3.0)


def test_another_loss_begins_at_its_own_start(stage):
    stage.send_event("drag", "start", panel="surface", x=1.0, y=-2.0)
    stage.send_event("change", "surface", "saddle")
    assert (handle(stage).x, handle(stage).y) == descent.SURFACES["saddle"].start


def test_two_explorers_do_not_share_their_start():
    first, second = explorers.descent(), explorers.descent()
    first.send_event("drag", "start", panel="surface", x=1.0, y=-2.0)
    second.send_event("change", "steps", 5)
    assert (handle(second).x, handle(second).y) == descent.SURFACES["long bowl"].start
