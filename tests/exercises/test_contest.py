"""The contest of exercise 07-4: what it hands out, measures and refuses; and, slower, that its target is a fair one."""

import ast
import dataclasses
import subprocess
import sys
import time

import numpy as np
import pytest

from course_utils.authoring import sources
from course_utils.chapters import select
from course_utils.errors import CourseError
from course_utils.exercises import contest
from course_utils.recipes import mnist

DIGITS_TEST = 382


@pytest.fixture
def limit(monkeypatch):
    """The articles' program is not trained: its time is what the test says."""

    def set_to(seconds):
        monkeypatch.setattr(contest, "_seconds_of_the_article", lambda *_: seconds)

    set_to(2.0)
    return set_to


def network(outputs=10, **options):
    """An untrained model: pixels in, so many numbers out."""
    import keras

    layers = [keras.layers.Flatten(), keras.layers.Dense(outputs, **options)]
    return keras.Sequential([keras.layers.Input((28, 28, 1)), *layers])


def always(digit):
    import keras

    constant = keras.initializers.Constant
    return network(kernel_initializer="zeros", bias_initializer=constant(np.eye(10)[digit]))


# What is measured -----------------------------------------------------------------------------------------------------


def test_the_function_gets_the_training_part_and_may_write_on_it(limit):
    from course_utils import data

    given = {}

    def train(images, labels):
        given.update(images=images, labels=labels)
        images[:] = 0
        return always(0)

    contest.run(train)
    digits = data.load("digits")
    assert (given["images"].dtype, given["labels"].dtype) == (np.uint8, np.int64)
    assert given["images"].shape == digits.train.images.shape
    np.testing.assert_array_equal(given["labels"], digits.train.labels)
    assert digits.train.images.any()  # the learner's copy was emptied, not the course's data


@pytest.mark.parametrize("digit", [3, 8])
def test_accuracy_is_the_share_of_the_test_part_that_is_answered_rightly(limit, digit):
    from course_utils import data

    found = contest.run(lambda images, labels: always(digit))
    assert (found.data, found.n, found.profile) == ("digits", DIGITS_TEST, "quick")
    assert found.accuracy == pytest.approx((data.load("digits").test.labels == digit).mean())
    assert found.measured


def test_what_is_read_comes_from_the_scanner_and_what_is_trained_on_does_not(limit, monkeypatch):
    from course_utils import data

    digits, seen, answers = data.load("digits"), {}, contest._answers

    def spied(model, images, limit):
        seen["images"] = images
        return answers(model, images, limit)

    monkeypatch.setattr(contest, "_answers", spied)

    def train(images, labels):
        np.testing.assert_array_equal(images, digits.train.images)
        return always(0)

    contest.run(train)
    read = seen["images"]
    straight = digits.test.images.astype(float)
    assert read.shape == straight.shape
    alike = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(read, straight, strict=True)]
    assert np.mean(alike) < 0.6, "the test part as the scanner delivers it"


def test_the_scanner_turns_and_moves_by_no_more_than_it_says():
    """A dot in the middle stays within the circle, or rather the square, of the moves; ink is kept."""
    dots = np.zeros((200, 28, 28), np.uint8)
    dots[:, 13:15, 13:15] = 200
    scanned = contest._scanned(dots, seed=5)
    assert scanned.dtype == np.uint8
    rows, columns = (np.arange(28)[:, None], np.arange(28)[None])
    ink = scanned.sum(axis=(1, 2), dtype=float)
    middles = np.stack([(scanned * where).sum(axis=(1, 2)) / ink for where in (rows, columns)], axis=1)
    assert abs(middles - 13.5).max() < contest.MOVE + 0.6
    assert abs(middles - 13.5).max() > contest.MOVE - 1.0
    assert ink == pytest.approx(np.full(200, 800.0), rel=0.1)


def test_a_digit_to_choose_by_is_scanned_always_alike_and_is_the_callers_own():
    from course_utils import data

    images, labels = contest.validation("quick")
    again, _ = contest.validation()
    np.testing.assert_array_equal(images, again)
    np.testing.assert_array_equal(labels, data.load("digits").validation.labels)
    assert (images != data.load("digits").validation.images).any()
    labels[:] = 0
    assert contest.validation()[1].any()
    with pytest.raises(CourseError, match="quick or full; it is 'fast'"):
        contest.validation("fast")


def test_seconds_are_those_of_the_training_function_alone(limit):
    model = always(0)

    def train(images, labels):
        time.sleep(0.4)
        return model

    found = contest.run(train)
    assert 0.4 <= found.seconds < 1.5
    assert found.limit == 2.0


def test_the_same_seed_gives_the_function_the_same_start(limit):
    def weights(seed):
        kept = []

        def train(images, labels):
            model = network()
            kept.append(model.get_weights()[0])
            return model

        contest.run(train, seed=seed)
        return kept[0]

    np.testing.assert_array_equal(weights(5), weights(5))
    assert (weights(5) != weights(6)).any()


def test_a_stub_is_not_attempted_and_costs_nothing(limit, monkeypatch, capsys):
    from course_utils.exercises import preview

    def not_called(*_):
        raise AssertionError("a stub must not start a measurement")

    monkeypatch.setattr(contest, "_seconds_of_the_article", not_called)

    def train(images, labels):
        """Return a trained model."""

    assert contest.run(train) is None
    assert preview("07-4", contest.run(train)).state == "not attempted"


def test_the_articles_time_in_full_is_ten_times_the_second_epoch(monkeypatch):
    """By a clock that a fake `fit` moves: 100 s for the first epoch, 7 s for the second."""
    import keras

    now = [0.0]
    calls = []
    monkeypatch.setattr(contest.time, "perf_counter", lambda: now[0])

    def fit(self, x, y, *, epochs, callbacks, batch_size, verbose):
        calls.append((x.dtype, x.max(), batch_size, epochs, self.count_params()))
        for epoch, seconds in enumerate((100.0, 7.0)):
            for callback in callbacks:
                callback.on_epoch_begin(epoch)
            now[0] += seconds
            for callback in callbacks:
                callback.on_epoch_end(epoch)

    monkeypatch.setattr(keras.Model, "fit", fit)
    images, labels = np.full((4, 28, 28), 255, np.uint8), np.arange(4)
    assert contest._seconds_of_the_article(images, labels, "full", 0) == 70.0
    assert calls == [(np.float64, 1.0, 32, 2, 93_322)]  # as printed: float64, batches of 32


def test_the_articles_time_in_quick_is_that_of_its_epochs_as_printed(monkeypatch):
    seen = []
    monkeypatch.setattr(mnist, "train", lambda images, labels, recipe, seed: seen.append((recipe, seed)))
    contest._seconds_of_the_article(np.zeros((2, 28, 28), np.uint8), np.zeros(2, int), "quick", 3)
    assert seen == [(dataclasses.replace(mnist.ARTICLE, epochs=16), 3)]


# What is refused ------------------------------------------------------------------------------------------------------


def raises(images, labels):
    raise ValueError("shapes do not match")


@pytest.mark.parametrize(
    ("train", "says"),
    [
        (raises, r"ValueError: shapes do not match.*a cell of its own"),
        (lambda images, labels: print(end=""), "returned nothing .is a return missing"),
        (lambda images, labels: (network(), 1), "returned a tuple; expected: a trained Keras model"),
        (lambda images, labels: network(9), r"shape \(382, 9\) for 382 images"),
        (lambda images, labels: network(bias_initializer=lambda *_, **__: np.full(10, np.nan)), "NaN or infinite"),
        (lambda images, labels: network(bias_initializer=lambda *_, **__: np.full(10, np.inf)), "NaN or infinite"),
    ],
    ids=["raises", "nothing", "no model", "nine classes", "NaN", "infinite"],
)
def test_what_is_no_trained_model_is_refused_in_words(limit, train, says):
    with pytest.raises(CourseError, match=says):
        contest.run(train)


def test_an_error_is_given_with_the_line_it_came_from(limit):
    with pytest.raises(CourseError, match=r"line \d+, in raises \(raise ValueError"):
        contest.run(raises)


def test_a_model_for_other_images_is_refused(limit):
    import keras

    def train(images, labels):
        return keras.Sequential([keras.layers.Input((7,)), keras.layers.Dense(10)])

    with pytest.raises(CourseError, match=r"(?s)cannot read the test images; .*\(n, 28, 28, 1\)") as caught:
        contest.run(train)
    assert "\x1b" not in str(caught.value)


def test_a_function_that_takes_three_times_as_long_is_stopped(limit):
    limit(0.2)
    ended = []

    def train(images, labels):
        began = time.monotonic()
        while time.monotonic() - began < 20:
            time.sleep(0.01)
        ended.append(True)

    began = time.monotonic()
    with pytest.raises(CourseError, match=r"more than 0.6 s, 3 times the articles' 0.2 s, and was stopped"):
        contest.run(train)
    assert time.monotonic() - began < 10
    assert not ended


def test_one_that_is_late_but_not_three_times_is_measured(limit):
    limit(1.0)
    model = always(0)

    def train(images, labels):
        time.sleep(1.1)
        return model

    found = contest.run(train)
    assert not found.in_time and found.seconds > found.limit


def test_the_readers_own_stop_is_let_through(limit):
    def train(images, labels):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        contest.run(train)


@pytest.mark.parametrize("train", [None, 3, "train", int], ids=["None", "number", "text", "class"])
def test_only_a_function_is_taken(limit, train):
    with pytest.raises(CourseError, match="expected: your function"):
        contest.run(train)


def test_a_function_of_other_arguments_is_refused(limit):
    with pytest.raises(CourseError, match=r"Your train raised an error.*takes 0 positional arguments but 2 were given"):
        contest.run(lambda: network())


def test_an_unknown_profile_is_refused_before_anything_runs():
    with pytest.raises(CourseError, match=r"^profile must be quick or full; it is 'fast'\."):
        contest.run(raises, profile="fast")


def test_importing_the_contest_imports_no_framework():
    program = (
        "import sys; import course_utils.exercises.contest, course_utils.exercises.chapter_07; "
        "print(sorted({'keras', 'tensorflow', 'jax', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


# The result -----------------------------------------------------------------------------------------------------------


def made(**changes):
    values = {"data": "mnist", "accuracy": 0.9962, "n": 10_000, "seconds": 88.2, "limit": 121.4, "target": 0.996}
    return contest.Contest(**{**values, "profile": "full", **changes})


def test_the_line_for_the_leaderboard():
    assert str(made()) == "0.9962 in 88 s of 121 s (mnist)"
    short = made(data="digits", accuracy=0.96, seconds=3.14, limit=5.2)
    assert str(short) == "0.9600 in 3.1 s of 5.2 s (digits)"


@pytest.mark.parametrize(("right", "missing"), [(9960, 0), (9959, 1), (9941, 19), (10_000, 0)])
def test_images_still_missing_are_counted_exactly(right, missing):
    found = made(accuracy=right / 10_000)
    assert found.missing == missing
    assert found.accurate == (missing == 0)


def test_for_every_count_the_target_and_the_missing_images_agree():
    for target, n in ((0.996, 10_000), (contest.RULES["quick"].target, DIGITS_TEST)):
        for right in range(n + 1):
            found = made(accuracy=right / n, n=n, target=target)
            assert found.accurate == (found.missing == 0), (right, n)


def test_a_hand_made_or_altered_contest_is_not_measured(limit):
    assert not made().measured
    found = contest.run(lambda images, labels: always(1))
    assert found.measured
    assert not dataclasses.replace(found, accuracy=1.0).measured
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.accuracy = 1.0


# The target -----------------------------------------------------------------------------------------------------------


def the_chapters_train(text):
    """The function ``train`` of the exercise's cell, solved or as the learner gets it, without the check."""
    import keras

    from course_utils.runtime import Runtime

    course = Runtime("07", "quick", 0, keras.config.backend(), "", False, "float32")
    namespace = {"course": course, "keras": keras, "layers": keras.layers, "mnist": mnist, "np": np, "seed": 0}
    body = [node for node in ast.parse(text).body if not isinstance(node, ast.Expr)]
    exec(compile(ast.Module(body, []), "exercise 07-4", "exec"), namespace)
    return namespace["train"]


@pytest.fixture(scope="module")
def cell():
    return next(cell for cell in sources.read(select(["07"])[0]).cells if cell.exercise == "07-4")


def test_what_the_learner_starts_from_is_not_attempted(cell):
    assert contest.run(the_chapters_train(cell.stub())) is None


@pytest.mark.night  # a calibration: it can change with a library or a recipe, not with an edit
@pytest.mark.parametrize(
    "recipe",
    [
        dataclasses.replace(mnist.ARTICLE, epochs=16),
        mnist.FAST,
        dataclasses.replace(mnist.FAST, epochs=30, batch=32),  # the chapter's own settings, and more
        dataclasses.replace(mnist.FAST, epochs=60, batch=32),
        dataclasses.replace(mnist.FAST, epochs=30, batch=32, network="pooling"),
    ],
    ids=["articles", "FAST", "30 epochs", "60 epochs", "pooling"],
)
def test_neither_the_articles_program_nor_the_recipe_reaches_the_target_whatever_its_epochs(recipe):
    from course_utils import data

    digits = data.load("digits")
    model = mnist.train(digits.train.images, digits.train.labels, recipe, seed=0)
    images = contest._scanned(digits.test.images, seed=1)
    answers = model.predict(images[..., None], verbose=0).argmax(axis=1)
    assert (answers == digits.test.labels).mean() < contest.RULES["quick"].target - 0.08


@pytest.mark.full
def test_the_chapters_solution_wins_in_full(cell, monkeypatch):
    import keras

    from course_utils.runtime import Runtime

    train = the_chapters_train(cell.source)
    monkeypatch.setitem(train.__globals__, "course", Runtime("07", "full", 0, keras.config.backend(), "", False, ""))
    found = contest.run(train, profile="full")
    assert found.accurate and found.in_time, str(found)
