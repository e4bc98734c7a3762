"""The front before networks that read pictures, and a challenger of another kind than the champion."""

import numpy as np
from test_front import Client, until

from course_utils import bundles
from course_utils.bundles import models, networks
from course_utils.recipes import text as recipe
from course_utils.rollout.front import Front
from course_utils.rollout.registry import Registry

DIGITS = tuple("0123456789")


def network(seed: int):
    import keras

    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")]
    )


def test_pictures_are_answered_in_shadow_too_and_a_reader_of_texts_does_not_get_far(tmp_path):
    registry = Registry(tmp_path / "registry")
    readers = [networks.ImageNet.of(network(seed), DIGITS) for seed in (0, 1)]
    versions = []
    for n, model in enumerate(readers):
        bundles.save(model, tmp_path / f"digits{n}")
        versions.append(registry.add(tmp_path / f"digits{n}"))
    fitted = recipe.tfidf().fit(["a bill", "a bug", "a bill again", "one bug more"], np.array([0, 1, 0, 1]))
    bundles.save(models.Tfidf.of(fitted, ("bill", "bug"), "en"), tmp_path / "texts")
    texts = registry.add(tmp_path / "texts")
    registry.promote(versions[0])
    registry.shadow(versions[1])
    pictures = np.random.default_rng(0).integers(0, 255, (3, 28, 28), dtype=np.uint8)
    with Front(registry.folder, folder=tmp_path / "front") as front:
        front.wait(versions[1], arm="challenger")
        client = Client(front.url)
        status, _, content = client.predict("pictures", {"images": pictures.tolist()})
        assert status == 200
        wanted = [model.predict(pictures) for model in readers]
        assert [one["label"] for one in content["answers"]] == wanted[0]
        until(lambda: front.journal()["shadow_labels"].notna().all())
        assert front.journal()["shadow_labels"][0] == wanted[1]
        registry.stop()
        registry.canary(texts, share=0.9)
        front.wait(texts, arm="challenger")
        seen = {client.predict(f"n{n}", {"images": pictures.tolist()})[0] for n in range(20)}
        assert seen == {200}
        until(lambda: registry.state.challenger is None)
        assert "status 400" in registry.history()[-1]["why"]
