"""The recipe: what it trains takes raw pixels and gives probabilities, the same for the same seed."""

from dataclasses import asdict
from itertools import pairwise

import numpy as np
import pytest

from course_utils.recipes import mnist


@pytest.fixture(scope="module")
def digits():
    from course_utils import data

    return data.load("digits")


SMALL = mnist.Recipe(epochs=2, batch=32, pixels="uint8", calls=2, network="narrow", one_cycle=True, crops="random")


@pytest.mark.parametrize("recipe", [mnist.Recipe(epochs=1), SMALL], ids=["as printed", "fast"])
def test_the_model_takes_raw_pixels_and_gives_probabilities(digits, recipe):
    model = mnist.train(digits.train.images[:256], digits.train.labels[:256], recipe, seed=0)
    probabilities = model.predict(digits.test.images[:5, ..., None], verbose=0)
    assert probabilities.shape == (5, 10)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(5), abs=1e-5)


def test_the_same_seed_gives_the_same_network_and_another_does_not(digits):
    def weights(seed):
        model = mnist.train(digits.train.images[:256], digits.train.labels[:256], SMALL, seed=seed)
        return np.concatenate([w.ravel() for w in model.get_weights()])

    first = weights(3)
    assert weights(3) == pytest.approx(first, abs=1e-6)
    assert abs(weights(4) - first).max() > 1e-3


def test_it_learns(digits):
    recipe = mnist.Recipe(epochs=12, batch=32, pixels="uint8", network="narrow", one_cycle=True, crops="random")
    model = mnist.train(digits.train.images, digits.train.labels, recipe, seed=0)
    answers = model.predict(digits.test.images[..., None], verbose=0).argmax(axis=1)
    assert (answers == digits.test.labels).mean() > 0.85


def test_each_rung_of_the_ladder_changes_one_thing():
    rungs = [asdict(recipe) for recipe in mnist.LADDER.values()]
    for before, after in pairwise(rungs):
        assert len({name for name in after if after[name] != before[name]}) == 1, after


def test_each_network_of_the_ladder_differs_from_the_one_before_in_one_thing():
    """Pooling against strides is a change of all three: what is compared are the layers that both have."""
    networks = [mnist.NETWORKS[name]() for name in dict.fromkeys(r.network for r in mnist.LADDER.values())]
    described = [
        {
            (number, key): layer.get_config()[key]
            for number, layer in enumerate(one for one in network if type(one).__name__ == "Conv2D")
            for key in ("filters", "kernel_size", "strides", "padding")
        }
        for network in networks
    ]
    for before, after in pairwise(described):
        assert len({key[1] for key in before if before[key] != after[key]}) == 1


def test_the_recipe_differs_from_the_articles_program_in_network_and_training_and_the_crossing_has_both():
    networks = {(recipe.network, recipe.one_cycle) for recipe in mnist.CROSSED.values()}
    assert networks == {(a, b) for a in ("pooling", "narrow") for b in (False, True)}
