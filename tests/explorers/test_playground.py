"""The playground: its mathematics is the chapter's, and its controls' extremes stay finite."""

import importlib
import itertools
import time

import numpy as np
import pytest

from course_utils import explorers
from course_utils.errors import CourseError
from course_utils.explorers.scene import Picture, for_browser
from course_utils.explorers.stage import Stage

playground = importlib.import_module("course_utils.explorers.playground")
Settings, Training = playground.Settings, playground.Training
LOCAL = dict.fromkeys((*"XyAZWbPYTLnztsipgmv", "slope", "sigma", "delta", "loss", "target"))


@pytest.fixture(scope="module")
def chapter(chapter_functions):
    given = LOCAL | dict.fromkeys(("parameters", "activation", "gradients", "slopes", "error", "output"))
    return chapter_functions("03", "loss_and_gradients", "cross_entropy", **given)


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


def assert_finite(scene):
    """Everything that is drawn is a finite number, and the sentence says no inf and no nan."""
    drawn = for_browser(scene)
    for panel in drawn["panels"]:
        assert np.isfinite(panel["x"]).all() and np.isfinite(panel["y"]).all()
        for layer in panel["layers"]:
            for axis in ("x", "y"):
                values = layer[axis]
                values = np.frombuffer(values, "<f4") if isinstance(values, bytes) else np.array(values, float)
                assert np.isfinite(values).all()
    words = scene.sentence.lower().split()
    assert scene.sentence and not {"nan", "inf", "-inf", "nan,", "inf,"} & set(words)


# Every combination of the controls' ends; and a learning rate at which tanh jumps about without diverging.
ENDS = [
    *itertools.product(
        playground.DATA, (0, 50), (0, 4), (1, 8), playground.ACTIVATIONS, (0.0, 1000.0), ("none", "0.1")
    ),
    *itertools.product(["spirals"], (5,), (1,), (1, 8), playground.ACTIVATIONS, (10.0,), ("none", "0.1")),
]


def test_the_ends_of_all_controls_are_finite():
    controls = ("data", "noise", "depth", "width", "activation", "rate", "decay")
    stage = explorers.playground()
    for ends in ENDS:
        stage.values.update(zip(controls, ends, strict=True))
        for kind, name in (("press", "new"), ("press", "step"), ("press", "train"), ("tick", "")):
            assert_finite(stage.send_event(kind, name))


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
    assert_finite(scene)
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


@pytest.mark.parametrize(("what", "said"), [({"data": "moons"}, "has no data"), ({"depth": 5}, "0 to 4 layers")])
def test_it_refuses_what_it_does_not_have(what, said):
    with pytest.raises(CourseError, match=said):
        explorers.playground_picture(alt="A picture", **what)


def test_the_picture():
    figure = explorers.playground_picture(alt="It learns", data="spirals", depth=2, width=3, steps=60)
    assert figure.layout.meta == {"alt": "It learns"}
    assert len(figure.layout.images) == 1 + 2
    assert figure.layout.xaxis3.title.text == "step" and figure.layout.xaxis3.range[1] == 100
    assert len(figure.to_json()) < 60_000
    wild = explorers.playground_picture(alt="It diverges", activation="relu", rate=1000.0, steps=60)
    assert "nan" not in wild.to_json().lower().replace("nanum", "")


def test_one_function_keeps_its_name():
    assert isinstance(explorers.playground(), Stage) and callable(explorers.playground)


def test_shades():
    colours = playground.shades(np.array([-1.0, 0.0, 1.0, np.nan, 7.0]))
    assert colours.dtype == np.uint8 and colours.shape == (5, 3)
    assert colours[1].tolist() == colours[3].tolist() == [255, 255, 255]
    assert colours[0, 2] > colours[0, 0] and colours[2, 0] > colours[2, 2] and (colours[2] == colours[4]).all()


def test_a_decision_figure_moves_without_a_kernel():
    x, kind = playground.points("two blobs", 20, 0.0, np.random.default_rng(0))
    answers = [lambda p: np.zeros(len(p)), lambda p: (p[:, 0] > 0) * 1.0]
    figure = playground.decision_figure(answers, x, kind, alt="A border", labels=["0", "9"], slider="step")
    assert [frame.name for frame in figure.frames] == ["0", "9"] and figure.layout.sliders[0].active == 1
    assert figure.data[0].source == figure.frames[1].data[0].source, "it opens at the last"
    assert len(figure.to_json()) < 40_000
    assert not playground.decision_figure(answers[:1], x, kind, alt="A border").frames
    for wrong in ({"alt": " ", "labels": ["0", "9"]}, {"alt": "A border"}):
        with pytest.raises(CourseError):
            playground.decision_figure(answers, x, kind, **wrong)


def test_an_update_is_quick():
    stage = explorers.playground()
    for name, value in (("data", "spirals"), ("depth", 4.0), ("width", 8.0)):
        stage.send_event("change", name, value)
    stage.send_event("press", "train")
    began = time.process_time()
    for _ in range(20):
        stage.send_event("tick")
    took = (time.process_time() - began) / 20 * 1000
    print(f"\nplayground: {took:.1f} ms of processor time a frame of {playground.STEPS_A_FRAME} steps, largest network")
    assert took < 120, "a busy machine may take four times as long as a quiet one"
