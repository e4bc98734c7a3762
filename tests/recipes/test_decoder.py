"""The decoder's recipe: nothing looks ahead, the optimisers are what their names say, and it learns."""

import dataclasses
import math
import os
import statistics
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import results
from course_utils.errors import CourseError
from course_utils.recipes import decoder
from course_utils.recipes.decoder import recipe as recipes

ALL_ON = decoder.FAST.design
DESIGNS = {"nanoGPT's": decoder.Design(), "all switches": ALL_ON} | {
    field.name: decoder.Design(**{field.name: True}) for field in dataclasses.fields(decoder.Design)
}

ROOT = Path(__file__).resolve().parents[2]


def small(design, seed=0, vocabulary=11, context=8):
    import keras

    keras.utils.set_random_seed(seed)
    model = decoder.Decoder(vocabulary, context, layers=2, heads=2, width=16, design=design)
    model(np.zeros((1, context), "int32"))
    random = np.random.default_rng(seed)
    for v in model.trainable_variables:  # also what begins at nought
        v.assign(v + random.normal(0, 0.3, v.shape))
    return model


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_no_place_sees_what_comes_after_it_and_every_place_sees_what_came_before(design):
    model = small(design)
    rows = np.repeat(np.random.default_rng(1).integers(0, 11, (1, 8)), 9, axis=0).astype("int32")
    for place in range(8):
        rows[place, place] = (rows[place, place] + 3) % 11  # the last row stays as it was
    logits = np.asarray(model(rows))
    moved = np.abs(logits[:8] - logits[8]).max(axis=-1)
    assert np.tril(moved, -1) == pytest.approx(np.zeros((8, 8)), abs=1e-5)
    assert moved[np.triu_indices(8)].min() > 1e-4


def test_a_shorter_row_has_the_same_logits_as_the_beginning_of_a_longer_one():
    tokens = np.random.default_rng(2).integers(0, 11, (3, 8)).astype("int32")
    for design in (decoder.Design(), ALL_ON):
        model = small(design)
        assert np.asarray(model(tokens[:, :5])) == pytest.approx(np.asarray(model(tokens))[:, :5], abs=1e-5)


def test_attention_is_that_of_keras():
    import keras

    from course_utils.recipes.decoder.network import attend

    random = np.random.default_rng(3)
    queries, keys, values = (random.normal(size=(2, 3, 7, 4)).astype("float32") for _ in range(3))
    mask = np.triu(np.full((7, 7), -1e9, "float32"), 1)
    by_keras = keras.ops.dot_product_attention(*(np.swapaxes(x, 1, 2) for x in (queries, keys, values)), is_causal=True)
    ours = np.swapaxes(np.asarray(attend(queries, keys, values, mask)), 1, 2)
    assert ours == pytest.approx(np.asarray(by_keras), abs=1e-5)


def test_a_turn_keeps_lengths_and_what_two_places_mean_to_each_other_depends_on_their_distance_only():
    from course_utils.recipes.decoder.network import rotate, rotation

    cosine, sine = rotation(12, 8)
    random = np.random.default_rng(4)
    q, k = (np.repeat(random.normal(size=(1, 8)).astype("float32"), 12, axis=0) for _ in range(2))
    turned_q, turned_k = (np.asarray(rotate(x, cosine, sine)) for x in (q, k))
    assert np.square(turned_q).sum(axis=1) == pytest.approx(np.square(q).sum(axis=1), rel=1e-5)
    scores = turned_q @ turned_k.T
    for distance in range(-11, 12):
        along = np.diagonal(scores, distance)
        assert along == pytest.approx(np.full_like(along, along[0]), abs=1e-4)


def test_the_baseline_has_the_parameters_of_nanogpt():
    """Counted from its README's sizes: tables of 65 letters and 64 places, twelve matrices' worth a layer, gains."""
    b = decoder.BASELINE
    model = decoder.Decoder(65, b.context, b.layers, b.heads, b.width, b.design)
    model(np.zeros((1, b.context), "int32"))
    tables = (65 + b.context) * b.width
    assert model.count_params() == tables + b.layers * (12 * b.width**2 + 2 * b.width) + b.width
    assert (b.batch, b.steps, b.rate, b.matrix_rate, b.betas, b.decay, b.clip) == (
        12, 2000, 1e-3, 1e-3, (0.9, 0.99), 0.1, 1.0
    )  # fmt: skip


def test_nanogpts_schedule():
    """README and train.py: 100 steps up to the rate, half a cosine down to a tenth of it at step 2,000."""
    shares = decoder.rates(decoder.BASELINE)
    assert (len(shares), shares.argmax(), shares.max()) == (2000, 99, 1.0)
    assert shares[:100] == pytest.approx(np.arange(1, 101) / 100)
    assert shares[1050] == pytest.approx(0.55, abs=1e-3)
    assert shares[-1] == pytest.approx(0.1, abs=1e-3)
    assert (np.diff(shares[100:]) <= 0).all()


@given(steps=st.integers(2, 400), warm_up=st.floats(0, 0.5))
def test_the_linear_schedule_ends_near_nought(steps, warm_up):
    shares = decoder.rates(dataclasses.replace(decoder.FAST, steps=steps, warm_up=warm_up))
    assert 0 < shares[-1] <= 1 / steps + 1e-6 and shares.max() <= 1
    assert shares.dtype == np.float32


@settings(max_examples=25)
@given(rows=st.integers(2, 24), columns=st.integers(2, 24), seed=st.integers(0, 99))
def test_newton_schulz_keeps_directions_and_draws_singular_values_to_one(rows, columns, seed):
    from course_utils.recipes.decoder.optimisers import newton_schulz

    random = np.random.default_rng(seed)
    size = min(rows, columns)
    left, right = (np.linalg.qr(random.normal(size=(n, size)))[0] for n in (rows, columns))
    values = random.uniform(0.1, 1, size)
    matrices = (left * values) @ right.T
    found = left.T @ np.asarray(newton_schulz(matrices[None].astype("float32")))[0] @ right
    assert np.diag(found) == pytest.approx(np.ones(size), abs=0.35)
    assert found - np.diag(np.diag(found)) == pytest.approx(np.zeros((size, size)), abs=1e-3)


def trained_by(update, weights, steps=4):
    """The weights after steps whose gradients were drawn beforehand."""
    import keras

    variables = [keras.Variable(w) for w in weights]
    random = np.random.default_rng(7)
    step = update(variables)
    for number in range(steps):
        step([random.normal(size=w.shape).astype("float32") for w in weights], number)
    return [np.asarray(v) for v in variables]


def keras_steps(optimiser):
    def update(variables):
        return lambda gradients, number: optimiser.apply(list(map(np.asarray, gradients)), variables)

    return update


WEIGHTS = [np.random.default_rng(8).normal(size=shape).astype("float32") for shape in ((6, 6), (6, 6))]


def test_adamw_is_that_of_keras():
    import keras

    from course_utils.recipes.decoder.optimisers import AdamW

    def ours(variables):
        made = AdamW(variables, (0.9, 0.99), decay=0.1)
        return lambda gradients, number: made.update(gradients, 1e-2, number)

    theirs = keras.optimizers.AdamW(1e-2, weight_decay=0.1, beta_1=0.9, beta_2=0.99, epsilon=1e-8)
    for a, b in zip(trained_by(ours, WEIGHTS), trained_by(keras_steps(theirs), WEIGHTS), strict=True):
        assert a == pytest.approx(b, abs=1e-5)


def test_gains_do_not_decay():
    from course_utils.recipes.decoder.optimisers import AdamW

    def still(variables):
        made = AdamW(variables, decay=0.1)
        return lambda gradients, number: made.update([0 * g for g in gradients], 1e-2, number)

    gain, matrix = trained_by(still, [np.ones(3, "float32"), np.ones((3, 3), "float32")])
    assert gain == pytest.approx(np.ones(3)) and matrix == pytest.approx(np.full((3, 3), 0.999**4), abs=1e-6)


def test_muon_is_that_of_keras():
    """On square matrices, where both leave the size of a step to the learning rate."""
    import keras

    from course_utils.recipes.decoder.optimisers import Muon

    def ours(variables):
        made = Muon(variables)
        return lambda gradients, number: made.update(gradients, 2e-2)

    theirs = keras.optimizers.Muon(2e-2, weight_decay=None, rms_rate=None)
    for a, b in zip(trained_by(ours, WEIGHTS), trained_by(keras_steps(theirs), WEIGHTS), strict=True):
        assert a == pytest.approx(b, abs=1e-4)


TEXT = "the tide comes in and the tide goes out. " * 40
LETTERS = decoder.alphabet(TEXT)
TOKENS = decoder.encode(TEXT, LETTERS)
TINY = dataclasses.replace(decoder.FAST, layers=1, heads=2, width=16, context=16, batch=8, steps=40)


def test_letters_are_sorted_and_an_unknown_one_is_refused():
    assert sorted(set(TEXT)) == LETTERS and TOKENS.dtype == np.int32
    assert "".join(LETTERS[t] for t in TOKENS) == TEXT
    with pytest.raises(CourseError, match=r"The character 'ž' is not among the \d+"):
        decoder.encode("ž", LETTERS)


def test_the_loss_of_a_model_that_knows_nothing_is_the_logarithm_of_the_vocabulary():
    import keras

    keras.utils.set_random_seed(0)
    model = decoder.Decoder(len(LETTERS), 16, 1, 2, 16, ALL_ON)  # its last table begins at nought
    assert decoder.loss(model, TOKENS) == pytest.approx(math.log(len(LETTERS)), rel=1e-5)


@pytest.mark.parametrize(("n", "context", "batch"), [(100, 8, 64), (100, 8, 5), (97, 4, 3), (9, 8, 1)])
def test_the_loss_is_the_mean_over_every_window_that_is_full(n, context, batch):
    model, tokens = small(ALL_ON), np.random.default_rng(5).integers(0, 11, n)
    by_hand = []
    for start in range(0, (n - 1) // context * context, context):
        logits = np.asarray(model(tokens[None, start : start + context].astype("int32")), "float64")[0]
        chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        by_hand += [-math.log(chances[k, tokens[start + k + 1]]) for k in range(context)]
    assert decoder.loss(model, tokens, context=context, batch=batch) == pytest.approx(np.mean(by_hand), rel=1e-5)


def test_it_learns_and_the_same_seed_gives_the_same_model():
    seen = []
    models = [
        decoder.train(TOKENS, len(LETTERS), TINY, seed=seed, on_step=lambda done, loss, model: seen.append(float(loss)))
        for seed in (0, 0, 1)
    ]
    losses = [decoder.loss(model, TOKENS) for model in models]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4) and abs(losses[0] - losses[2]) > 1e-4
    assert max(losses) < 1.0 < 2.0 < seen[0] and len(seen) == 3 * TINY.steps


def test_the_baselines_way_learns_too():
    plain = dataclasses.replace(decoder.BASELINE, layers=1, heads=2, width=16, context=16, batch=8, steps=60, rate=1e-2)
    model = decoder.train(TOKENS, len(LETTERS), dataclasses.replace(plain, matrix_rate=1e-2), seed=0)
    assert decoder.loss(model, TOKENS) < 2.0


def test_what_cannot_be_is_refused():
    with pytest.raises(CourseError, match="The text has 5 tokens, a window 17"):
        decoder.train(TOKENS[:5], len(LETTERS), TINY)
    with pytest.raises(CourseError, match="The text has 5 tokens, a window 9"):
        decoder.loss(small(ALL_ON), TOKENS[:5])
    with pytest.raises(CourseError, match="A row has 9 tokens; this decoder reads at most 8"):
        small(ALL_ON)(np.zeros((1, 9), "int32"))
    with pytest.raises(CourseError, match="The width, 20, must be a multiple of twice the number of heads, 3"):
        decoder.Decoder(5, 8, 1, 3, 20)


def fields(recipe):
    """Every field of a recipe and of its design."""
    found = dataclasses.asdict(recipe)
    return found | found.pop("design")


def test_each_rung_changes_what_it_says_and_nothing_else():
    for rungs, start in ((decoder.ALONE, decoder.BASELINE), (decoder.WITHOUT, decoder.QUICK)):
        assert next(iter(rungs.values())) == start
        for name, change in recipes.CHANGES.items():
            differs = {key for key, value in fields(rungs[name]).items() if value != fields(start)[key]}
            assert differs and differs == set(change), name


def test_the_three_recipes_differ_in_size_and_length_only():
    for recipe in (decoder.FAST, decoder.LONG):
        differs = {key for key, value in fields(recipe).items() if value != fields(decoder.QUICK)[key]}
        assert differs <= {"layers", "heads", "width", "steps"}


@pytest.mark.jax
@pytest.mark.skipif(not os.environ.get("COURSE_JAX_PYTHON"), reason="COURSE_JAX_PYTHON names no Python with JAX")
def test_it_learns_the_same_on_jax():
    """The windows are drawn by NumPy; only what the weights begin with differs from backend to backend."""
    code = (
        "import dataclasses; from course_utils.recipes import decoder\n"
        f"text = {TEXT!r}; letters = decoder.alphabet(text); tokens = decoder.encode(text, letters)\n"
        "tiny = dataclasses.replace(decoder.FAST, layers=1, heads=2, width=16, context=16, batch=8, steps=40)\n"
        "print(decoder.loss(decoder.train(tokens, len(letters), tiny), tokens))"
    )
    found = subprocess.run(
        [os.environ["COURSE_JAX_PYTHON"], "-c", code],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert found.returncode == 0, found.stderr
    ours = decoder.loss(decoder.train(TOKENS, len(LETTERS), TINY), TOKENS)
    assert float(found.stdout) == pytest.approx(ours, abs=0.3)


def kept(part, text="tinyshakespeare"):
    return [row for row in results.load("12")[part] if row["text"] == text]


def test_what_is_kept_was_measured_with_these_recipes():
    programs = {"nanoGPT's recipe": decoder.BASELINE, "fast": decoder.FAST, "long": decoder.LONG}
    for row in results.load("12")["test"]:
        recipe = programs[row["program"]]
        assert (row["steps"], row["tokens_a_step"]) == (recipe.steps, recipe.batch * recipe.context)
    seeds = {name: sorted(row["seed"] for row in kept("test") if row["program"] == name) for name in programs}
    assert all(found == [0, 1] for found in seeds.values()), seeds
    rungs = {f"alone: {name}" for name in decoder.ALONE} | {f"without: {name}" for name in decoder.WITHOUT}
    assert {row["program"] for row in kept("ladder")} == rungs
    assert len(kept("ladder")) >= 2 * len(rungs)


def test_what_the_course_promises_was_measured():
    """The baseline's loss for a fifth of its processor seconds, and a quarter of a nat below it for as many."""

    def of(program, key):
        return [row[key] for row in kept("test") if row["program"] == program]

    theirs, fast, long = "nanoGPT's recipe", "fast", "long"
    assert 1.86 < statistics.fmean(of(theirs, "loss")) < 1.94, "nanoGPT's README says 1.88, on windows drawn by chance"
    assert max(of(fast, "loss")) <= min(of(theirs, "loss"))
    assert max(of(fast, "processor_seconds")) <= min(of(theirs, "processor_seconds")) / 5
    assert max(of(long, "loss")) <= min(of(theirs, "loss")) - 0.25
    assert statistics.fmean(of(long, "processor_seconds")) <= statistics.fmean(of(theirs, "processor_seconds"))
