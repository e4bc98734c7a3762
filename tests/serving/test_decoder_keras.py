"""A decoder that Keras trained writes the same in a bundle: every switch of the recipe, alone and all together."""

import dataclasses

import numpy as np
import pytest
from writers import END, tokenizer

from course_utils import bundles
from course_utils.bundles.decoder import SWITCHES, Decoder
from course_utils.bundles.decoder_pass import Cache

recipe = pytest.importorskip("course_utils.recipes.decoder", reason="the recipe is not there yet")


def designs():
    plain = recipe.Design()
    one = [dataclasses.replace(plain, **{name: True}) for name in SWITCHES]
    return [plain, *one, dataclasses.replace(plain, **dict.fromkeys(SWITCHES, True))]


@pytest.mark.parametrize("design", designs(), ids=lambda one: "+".join(
    name for name, on in dataclasses.asdict(one).items() if on) or "none")  # fmt: skip
def test_the_forward_pass_is_that_of_keras(tmp_path, design):
    import keras

    keras.utils.set_random_seed(3)
    pieces = tokenizer()
    model = recipe.Decoder(len(pieces), 24, 2, 4, 32, design)
    tokens = np.random.default_rng(0).integers(0, len(pieces), (3, 24)).astype(np.int32)
    model(tokens)
    for variable in model.trainable_variables:  # what begins at 0 or 1 would hide a fault
        variable.assign(variable + keras.random.normal(variable.shape, stddev=0.1, seed=len(variable.shape)))
    wanted = np.asarray(model(tokens))
    bundles.save(Decoder.of(model, pieces, end=END), tmp_path / "model")
    ours = bundles.load_model(tmp_path / "model").network
    assert wanted.std() > 0.1
    cache = Cache(ours.shape, 3)
    for place in range(24):
        found = ours.forward(cache, tokens[:, place : place + 1], 0, np.full(3, place))
        assert np.abs(found - wanted[:, place]).max() < 1e-4, place
