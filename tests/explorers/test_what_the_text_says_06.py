"""What chapter 06 tells its reader to try in the explorer, tried: the explorer shows what the text says."""

import numpy as np
import pytest

from course_utils.authoring import sources
from course_utils.chapters import select
from course_utils.explorers import duel, duel_picture
from course_utils.explorers.gan_game import EDGE, SHOWN, Game, centres_of


@pytest.fixture(scope="module")
def text():
    """The words of the chapter, on one line."""
    cells = sources.read(select(["06"])[0]).cells
    return " ".join(" ".join(cell.source.split()) for cell in cells if cell.kind == "markdown")


def played(steps, monkeypatch, **controls):
    """The game behind the live explorer, with these controls changed first, after each of some numbers of steps."""
    games = []
    monkeypatch.setattr(Game, "__init__", _remembering(Game.__init__, games))
    stage = duel()
    for name, value in controls.items():
        stage.send_event("change", name, value)
    stage.send_event("press", "restart")
    game, looks = games[-1], []
    for until in steps:
        while game.step < until:
            stage.send_event("press", "step")
        looks.append((game.points(), *game.modes(), *game.history[-1][1:3]))
    return looks, stage.scene.sentence


def _remembering(begin, games):
    def begins(self, *arguments, **named):
        games.append(self)
        begin(self, *arguments, **named)

    return begins


def outside(points):
    return int((np.abs(points) > EDGE).any(axis=1).sum())


def test_the_picture_shows_points_on_all_clouds_and_averages_that_hovered(text, monkeypatch):
    assert "The share of good points climbs; the two averages hover about ½ all the while" in text
    looks, _ = played(range(100, 801, 100), monkeypatch)
    answers = np.array([look[3:] for look in looks])
    assert abs(answers - 0.5).max() < 0.25
    shares = [look[2] for look in looks]
    assert shares[0] < 0.2 and shares[-1] > 0.45 and looks[-1][1] >= 7
    words = " ".join(str(trace.name) for trace in duel_picture(steps=20, alt="x").data)
    assert "good points" in words and "their modes" in words


def test_as_the_article_prints_the_points_run_away_and_stay_away(text, monkeypatch):
    assert "*As the article prints* for the generator's loss: the points run away and stay away." in text
    looks, sentence = played((300, 600, 1000), monkeypatch, loss="printed")
    assert all(outside(points) > SHOWN / 2 and good == 0 and fake < 0.05 for points, _, good, _, fake in looks)
    assert "printed loss drives" in sentence


@pytest.mark.parametrize("rate_G", [0.0003, 0.001, 0.003, 0.006, 0.02])
def test_with_a_slow_discriminator_few_points_are_good(text, monkeypatch, rate_G):
    assert "The discriminator's rate at 0.0003: few points good, whatever the generator's rate." in text
    looks, sentence = played((800, 900, 1000), monkeypatch, rate_G=rate_G, rate_D=0.0003)
    assert all(good < 0.25 for _, _, good, *_ in looks)
    assert "Few points are good" in sentence


def test_five_steps_of_d_are_no_cure_for_collapse(text, monkeypatch):
    """Five steps of D for one of G end with fewer clouds than one step does, all else as it is."""
    assert "More steps of $D$ are no cure" in text
    assert "Five steps of $D$ for one of $G$, which puts $D$ further ahead: more good points, on fewer clouds" in text
    once, _ = played((1000, 1500), monkeypatch)
    five, _ = played((1000, 1500), monkeypatch, turns=5)
    for before, after in zip(once, five, strict=True):
        assert after[1] < before[1] and after[2] > max(before[2], 0.5)


def test_one_number_in_as_well_collapses(text, monkeypatch):
    assert "One random number in as well: nine points in ten good, on two clouds" in text
    looks, sentence = played((800, 1000), monkeypatch, noise=1, turns=5)
    assert all(good > 0.75 and modes <= 3 for _, modes, good, *_ in looks)
    assert "mode collapse" in sentence


def test_a_discriminator_that_never_learns_is_marched_away_from(text, monkeypatch):
    assert "A discriminator's rate of 0: the generator marches off" in text
    looks, sentence = played((200, 1000), monkeypatch, rate_D=0.0)
    (_, _, _, before, _), (points, _, good, real, fake) = looks
    assert real == before and fake > 0.9 and outside(points) > SHOWN / 2 and good < 0.1
    assert "D's rate is 0" in sentence


def test_the_explorers_modes_are_those_of_the_good_points():
    """A heap on one cloud with strays: one mode, however many strays."""
    game = Game("ring of eight", 2)
    centres, _, _ = centres_of("ring of eight")
    points = np.concatenate([np.repeat(centres[:1], SHOWN // 2, axis=0), np.zeros((SHOWN - SHOWN // 2, 2))])
    game.points = lambda: points
    assert game.modes() == (1, pytest.approx(0.5, abs=0.01))
