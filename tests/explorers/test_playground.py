"""The playground: its mathematics is the chapter's, and it trains, pauses and stops."""

import importlib

import numpy as np
import pytest

from course_utils import explorers
from course_utils.errors import CourseError
from course_utils.explorers.scene import Picture

playground = importlib.import_module("course_utils.explorers.playground")
Settings, Training = playground.Settings, playground.Training


@pytest.fixture(scope="module")
def chapter(chapter_functions):
    return chapter_functions("03", "loss_and_gradients", "cross_entropy")


@pytest.mark.parametrize("depth", range(5))
@pytest.mark.parametrize("activation", playground.ACTIVATIONS)
def test_loss_and_gradients_are_the_chapters(chapter, activation, depth):
    training = Training(Settings("spirals", 0.1, depth, 5, activation), seed=depth)
    training.step(20)  # with biases that are not zero
    flat = training.parameters
    layers = list(zip(flat[::2], flat[1::2], strict=True))
    arguments = (training.x, training.kind, layers, activation, chapter["cross_entropy"])
    loss, theirs = chapter["loss_and_gradients"](*arguments)
    ours_loss, ours = playground.gradients(training.x, training.wanted, flat, activation)
    assert ours_loss == pytest.approx(loss, rel=1e-12)
    for mine, other in zip(ours, [array for layer in theirs for array in layer], strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-9, atol=1e-13)


def test_a_step_is_momentum_with_decay():
    training = Training(Settings(rate=0.3, decay=0.01))
    before, speed = training.parameters, training.speed
    _, slopes = playground.gradients(training.x, training.wanted, before, "tanh")
    training.step()
    for p, v, g, after in zip(before, speed, slopes, training.parameters, strict=True):
        decayed = p * (1 - 0.3 * 0.01) if p.ndim == 2 else p
        np.testing.assert_allclose(after, decayed + 0.9 * v - 0.3 * g)


@pytest.mark.parametrize("seed", [0, 1])
def test_what_the_chapter_says_you_will_see(seed):
    def after(steps=2000, **settings):
        training = Training(Settings(**settings), seed)
        training.step(steps)
        return training

    assert after(depth=0).accuracy() < 0.75, "a straight border does not fence in a circle"
    assert after(depth=1, width=3).accuracy() > 0.9, "three do"
    assert after(data="spirals", depth=3, width=8, activation="linear").accuracy() < 0.85
    assert after(data="spirals", depth=3, width=8, activation="tanh").accuracy() > 0.95
    deep = {a: after(600, data="spirals", depth=4, width=8, activation=a).loss for a in ("tanh", "sigmoid")}
    assert deep["sigmoid"] > 2 * deep["tanh"]
    noisy = {d: after(1500, data="spirals", noise=0.5, depth=4, width=8, decay=d).loss_other for d in (0.0, 0.01)}
    assert noisy[0.01] < noisy[0.0]


def test_a_rate_of_nothing_changes_nothing_and_says_so():
    training = Training(Settings(rate=0.0))
    before = [p.copy() for p in training.parameters]
    training.step(30)
    assert all(np.array_equal(a, b) for a, b in zip(before, training.parameters, strict=True))
    assert "a step changes nothing" in playground.scene(training).sentence


def test_divergence_is_a_warning_and_training_ends():
    stage = explorers.playground()
    for name, value in (("activation", "relu"), ("rate", 1000.0)):
        stage.send_event("change", name, value)
    stage.send_event("press", "train")
    scene = stage.send_event("tick")
    assert scene.warning and "Diverged after" in scene.sentence and not stage.playing
    stage.send_event("change", "rate", 0.03)
    assert stage.send_event("press", "train").playing, "Train begins anew after a divergence"
    assert "Diverged" not in stage.send_event("tick").sentence


def test_training_ends_by_itself_and_can_go_on():
    stage = explorers.playground()
    for run in (1, 2):
        assert stage.send_event("press", "train").playing
        ticks = 0
        while stage.playing and ticks < 1000:
            scene = stage.send_event("tick")
            ticks += 1
        assert ticks == playground.STEPS_A_RUN / playground.STEPS_A_FRAME
        assert f"after {run * playground.STEPS_A_RUN:,} steps" in scene.sentence
    assert len(scene.panels[2].layers[0].x) <= 240


def test_pause_step_and_new_start():
    stage = explorers.playground()
    stage.send_event("press", "train")
    stage.send_event("tick")
    assert not stage.send_event("press", "train").playing
    assert "after 31 steps" in stage.send_event("press", "step").sentence
    first = stage.scene.panels[0].layers[1].x
    scene = stage.send_event("press", "new")
    assert "after 0 steps" in scene.sentence and not np.array_equal(first, scene.panels[0].layers[1].x)
    stage.send_event("press", "step")
    assert "after 1 step:" in stage.scene.sentence
    assert "after 1 step:" in stage.send_event("change", "rate", 1.0).sentence, "a new rate goes on"
    assert "after 0 steps" in stage.send_event("change", "width", 2.0).sentence, "a new network begins"


def test_it_draws_a_column_of_squares_for_each_layer_and_both_kinds_of_points():
    field, neurons, loss = playground.scene(Training(Settings(depth=3, width=5))).panels
    columns = [layer for layer in neurons.layers if isinstance(layer, Picture)]
    assert [column.pixels.shape for column in columns] == [(5 * 15, 14, 3)] * 3
    assert [layer.texts for layer in neurons.layers[1::2]] == [["layer 1"], ["layer 2"], ["layer 3"]]
    assert [layer.series for layer in field.layers[1:]] == [0, 1] and len(loss.layers) == 2
    assert all(panel.title for panel in (field, neurons, loss)) and field.x_title and loss.y_title


def test_it_refuses_a_network_that_it_does_not_have():
    with pytest.raises(CourseError, match="0 to 4 layers"):
        explorers.playground_picture(alt="A picture", depth=5)


def test_the_picture():
    figure = explorers.playground_picture(alt="It learns", data="spirals", depth=2, width=3, steps=60)
    assert len(figure.layout.images) == 1 + 2
    assert figure.layout.xaxis3.title.text == "step" and figure.layout.xaxis3.range[1] == 100
    wild = explorers.playground_picture(alt="It diverges", activation="relu", rate=1000.0, steps=60)
    assert "nan" not in wild.to_json().lower().replace("nanum", "")
