"""Chapter 07 shows its recipe in the open; the package has it for the benchmark. The two must do the same."""

import numpy as np
import pytest

from course_utils.recipes import mnist


@pytest.fixture(scope="module")
def shown(chapter_functions):
    """The functions that the chapter defines, by name."""
    return chapter_functions("07", "strided_network", "one_cycle", "random_crops", "article_network")


def described(layer_list):
    return [
        (type(layer).__name__, {k: v for k, v in layer.get_config().items() if k != "name"}) for layer in layer_list
    ]


@pytest.mark.parametrize("middle", [32, 64])
def test_the_strided_network(shown, middle):
    assert described(shown["strided_network"](middle)) == described(mnist.strided_network(middle))


def test_the_articles_network(shown):
    assert described(shown["article_network"]().layers) == described(mnist.pooling_network())


def test_the_schedule(shown):
    steps = np.arange(0, 500)
    ours, theirs = (np.asarray(f(steps, 500)) for f in (mnist.one_cycle, shown["one_cycle"]))
    assert ours == pytest.approx(theirs, rel=1e-6)
    assert ours.max() == pytest.approx(6e-3, rel=1e-2)
    assert ours[-1] == pytest.approx(0, abs=1e-6)
    assert ours.argmax() == 99


def test_the_crops(shown):
    images = np.random.default_rng(0).integers(0, 256, (300, 28, 28)).astype("uint8")
    ours, theirs = (f(images, np.random.default_rng(5)) for f in (mnist.random_crops, shown["random_crops"]))
    assert (ours == theirs).all()


def test_every_crop_is_a_piece_of_its_own_image_and_every_place_is_used():
    images = np.random.default_rng(1).integers(0, 256, (400, 28, 28)).astype("uint8")
    places = set()
    for image, crop in zip(images, mnist.random_crops(images, np.random.default_rng(2)), strict=True):
        windows = np.lib.stride_tricks.sliding_window_view(image, (24, 24))
        found = np.argwhere((windows == crop).all(axis=(2, 3)))
        assert len(found) == 1
        places.add(tuple(found[0]))
    assert len(places) == 25
