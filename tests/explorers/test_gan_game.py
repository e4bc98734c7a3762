"""The explorer of chapter 06: its mathematics is the chapter's, its words are true."""

import sys

import numpy as np
import pytest

from course_utils.errors import CourseError
from course_utils.explorers import duel as live
from course_utils.explorers import duel_picture
from course_utils.explorers.gan_game import (
    DATA,
    EDGE,
    LAST_STEP,
    LOSSES,
    SHOWN,
    Game,
    centres_of,
    field,
    real_points,
    scene_of,
    slope,
)

# ------------------------------------------------------------------------------------- the same as in the chapter


@pytest.fixture(scope="module")
def chapter(chapter_functions):
    return chapter_functions(
        "06", "forward", "backward", "discriminator_gradients", "generator_gradients", "Adam", "sigmoid", "saturating",
        "non_saturating", "printed",
    )  # fmt: skip


def as_lists(network):
    return [[weights.copy(), bias.copy()] for weights, bias in network.layers]


def test_forward_is_the_chapters(chapter):
    game = Game("ring of eight", 2, dtype=np.float64)
    x = np.random.default_rng(0).normal(size=(7, 2))
    for ours, theirs in zip(game.D.forward(x), chapter["forward"](as_lists(game.D), x), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize(
    ("loss", "name"), [(LOSSES[0], "non_saturating"), (LOSSES[1], "saturating"), (LOSSES[2], "printed")]
)
def test_the_slopes_are_the_chapters(chapter, loss, name):
    a = np.linspace(-30, 30, 61)
    np.testing.assert_allclose(slope(loss, a), chapter[name](a), atol=1e-15)


@pytest.mark.parametrize("loss", LOSSES)
def test_ten_rounds_are_the_chapters(chapter, loss):
    """Both play with the same random numbers; after ten rounds every weight agrees."""
    game = Game("ring of eight", 2, seed=3, dtype=np.float64)
    G, D = as_lists(game.G), as_lists(game.D)
    adam_G, adam_D = chapter["Adam"](G, 0.001), chapter["Adam"](D, 0.006)
    random = np.random.default_rng(11)
    game.random = np.random.default_rng(11)
    game.advance(10, rate_G=0.001, rate_D=0.006, loss=loss)
    of_logits = {LOSSES[0]: "non_saturating", LOSSES[1]: "saturating", LOSSES[2]: "printed"}[loss]
    for _ in range(10):
        X = real_points("ring of eight", 64, random)
        fake = chapter["forward"](G, random.normal(size=(64, 2)))[-1]
        adam_D.step(chapter["discriminator_gradients"](D, X, fake))
        z = random.normal(size=(64, 2))
        adam_G.step(chapter["generator_gradients"](G, D, z, chapter[of_logits]))
    for ours, theirs in ((game.G, G), (game.D, D)):
        for (weights, bias), (other_weights, other_bias) in zip(ours.layers, theirs, strict=True):
            np.testing.assert_allclose(weights, other_weights, rtol=1e-8, atol=1e-10)
            np.testing.assert_allclose(bias, other_bias, rtol=1e-8, atol=1e-10)


def test_modes_are_counted_as_in_the_chapter(chapter_functions):
    centres, spread, radius = centres_of("ring of eight")
    quality = chapter_functions("06", "quality")["quality"]
    game = Game("ring of eight", 2)
    for seed in range(5):
        points = real_points("ring of eight", SHOWN, np.random.default_rng(seed))
        points[seed * 20 :] *= 1.3
        game.points = lambda points=points: points
        good, modes = quality(points)
        assert game.modes() == (modes, pytest.approx(good))
    assert radius == pytest.approx(3 * spread) and len(centres) == 8


# ----------------------------------------------------------------------------------------------------- what it shows


@pytest.mark.parametrize("data", DATA)
def test_real_points_are_all_good(data):
    centres, _, radius = centres_of(data)
    points = real_points(data, 2000, np.random.default_rng(0))
    distance = np.linalg.norm(points[:, None] - centres, axis=2)
    assert (distance.min(axis=1) <= radius).mean() > 0.97
    assert len(np.unique(distance.argmin(axis=1))) == len(centres)
    assert abs(points).max() < EDGE


def test_the_field_is_darker_where_the_discriminator_says_generated():
    game = Game("two blobs", 2)
    game.advance(200, rate_G=0.0, rate_D=0.006, loss=LOSSES[0])
    shade = field(game).astype(int).sum(axis=2)
    ticks = (np.arange(len(shade)) + 0.5) / len(shade) * 2 * EDGE - EDGE
    places = np.column_stack([v.ravel() for v in np.meshgrid(ticks, ticks[::-1])])
    answers = game.answers(places)
    order = np.argsort(answers)
    assert (np.diff(shade.ravel()[order]) >= -3).all()  # a step of rounding in each of three colours
    assert np.ptp(shade) > 200


def test_the_pushes_lead_to_a_higher_answer():
    game = Game("ring of eight", 2)
    game.advance(100, rate_G=0.0, rate_D=0.006, loss=LOSSES[0])
    start, end = game.pushes(LOSSES[0])
    nearer = start + 0.02 * (end - start)
    assert (game.answers(nearer) > game.answers(start)).mean() > 0.9
    start, end = game.pushes(LOSSES[2])
    nearer = start + 0.02 * (end - start)
    assert (game.answers(nearer) <= game.answers(start)).mean() > 0.9


def test_a_game_finds_the_ring_and_the_printed_loss_does_not():
    good, printed = Game("ring of eight", 2), Game("ring of eight", 2)
    for _ in range(100):
        good.advance(10, rate_G=0.001, rate_D=0.006, loss=LOSSES[0])
        printed.advance(10, rate_G=0.001, rate_D=0.006, loss=LOSSES[2])
    assert good.modes()[0] >= 6
    assert printed.modes()[0] <= 1
    assert printed.answers(printed.points()).mean() < 0.1
    assert "printed loss drives" in scene_of(printed, LOSSES[2], rate_G=0.001, rate_D=0.006).sentence


def test_same_seed_same_game():
    games = [Game("line", 4, seed=7) for _ in range(2)]
    for game in games:
        game.advance(20, rate_G=0.001, rate_D=0.006, loss=LOSSES[1], turns=2)
    np.testing.assert_array_equal(games[0].points(), games[1].points())


# ------------------------------------------------------------------------------------------------------- its extremes


def test_a_generator_that_runs_away_is_stopped_with_a_warning():
    game = Game("ring of eight", 2)
    game.advance(30, rate_G=10.0, rate_D=0.006, loss=LOSSES[0])
    scene = scene_of(game, LOSSES[0], rate_G=10.0, rate_D=0.006, playing=False)
    assert scene.warning is True and game.broken
    kept = game.points()
    game.advance(50, rate_G=0.001, rate_D=0.006, loss=LOSSES[0])
    np.testing.assert_array_equal(game.points(), kept)


def test_a_rate_of_zero_leaves_its_player_alone():
    game = Game("ring of eight", 2)
    before = game.G.weights.copy(), game.D.weights.copy()
    game.advance(10, rate_G=0.0, rate_D=0.006, loss=LOSSES[0])
    assert (game.G.weights == before[0]).all() and (game.D.weights != before[1]).any()
    after = game.D.weights.copy()
    game.advance(10, rate_G=0.001, rate_D=0.0, loss=LOSSES[0])
    assert (game.G.weights != before[0]).any() and (game.D.weights == after).all()


# --------------------------------------------------------------------------------------------------------------- live


def test_it_plays_pauses_steps_and_restarts():
    stage = live()
    assert "Step 0" in stage.scene.sentence and not stage.playing
    stage.send_event("press", "play")
    assert stage.playing
    stage.send_event("tick")
    assert "Step 10" in stage.scene.sentence
    stage.send_event("press", "play")
    assert not stage.playing
    stage.send_event("tick")  # one that was on its way
    assert "Step 10" in stage.scene.sentence
    stage.send_event("press", "step")
    assert "Step 20" in stage.scene.sentence and not stage.playing
    stage.send_event("change", "rate_G", 0.003)
    assert "Step 20" in stage.scene.sentence, "learning rates change on the way"
    stage.send_event("change", "data", "two blobs")
    assert "Step 0" in stage.scene.sentence and "2 modes" in stage.scene.sentence
    stage.send_event("press", "step")
    stage.send_event("press", "restart")
    assert "Step 0" in stage.scene.sentence


def test_it_stops_by_itself(monkeypatch):
    monkeypatch.setattr(sys.modules["course_utils.explorers.gan_game"], "LAST_STEP", 30)
    stage = live()
    stage.send_event("press", "play")
    for _ in range(3):
        assert stage.playing
        stage.send_event("tick")
    assert not stage.playing and "ends after 30 steps" in stage.scene.sentence
    stage.send_event("press", "play")
    assert not stage.playing


def test_it_stops_where_it_breaks():
    stage = live()
    stage.send_event("change", "rate_G", 10.0)
    stage.send_event("press", "play")
    for _ in range(20):
        if stage.playing:
            stage.send_event("tick")
    assert not stage.playing and stage.scene.warning


@pytest.mark.parametrize("steps", [-1, LAST_STEP + 1])
def test_a_picture_of_too_many_steps_is_refused(steps):
    with pytest.raises(CourseError, match=f"0 and {LAST_STEP}"):
        duel_picture(steps=steps, alt="x")
