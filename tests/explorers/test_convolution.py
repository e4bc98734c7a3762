"""The explorer of convolution: its mathematics is the chapter's, and its sentence adds up."""

import importlib
import itertools
import re

import numpy as np
import pytest

from course_utils import explorers
from course_utils.errors import CourseError
from course_utils.explorers.scene import Picture, Text

module = importlib.import_module("course_utils.explorers.convolution")


def pictures_of(scene, panel):
    return [layer for layer in scene.panels[panel].layers if isinstance(layer, Picture)]


@pytest.mark.parametrize(("padding", "stride", "dilation"), list(itertools.product(range(3), range(1, 4), range(1, 4))))
def test_its_sums_are_the_chapters(chapter_functions, padding, stride, dilation):
    chapter = chapter_functions("04", "conv", "output_size")
    for image, (kernel, _) in zip(itertools.cycle(module.images().values()), module.KERNELS.values(), strict=False):
        ours = module.convolve(image, kernel, padding, stride, dilation)
        a, w = image[None, :, :, None].astype(float), kernel[:, :, None, None].astype(float)
        theirs = chapter["conv"](a, w, 0, p=padding, s=stride, d=dilation)[0, :, :, 0]
        np.testing.assert_array_equal(ours, theirs)
        assert len(ours) == chapter["output_size"](16, 3, p=padding, s=stride, d=dilation)


def test_images_are_whole_numbers_with_something_on_them():
    for image in module.images().values():
        assert image.shape == (16, 16) and image.dtype.kind == "i"
        assert image.min() == 0 and image.max() == 9


def worked_out(sentence):
    """The sum in the sentence, added up by the reader: what it is said to be, and what it is."""
    words = sentence.split(" of the map: ")[1].split(".")[0].replace("−", "-")
    products, result = words.split(" = ")[:2]
    total = sum(int(a) * int(b) for a, b in re.findall(r"(\d+)·\(?(-?\d+)\)?", products))
    return total, int(result.split(";")[0])


@pytest.mark.parametrize("kernel", list(module.KERNELS))
@pytest.mark.parametrize("direction", [module.AS_IT_IS, module.FLIPPED])
def test_the_sentence_adds_up_to_the_maps_pixel(kernel, direction):
    settings = module.Settings("photograph", kernel, direction, 1, 2, 2, 3, 4)
    scene = module.scene(settings, module.images())
    said, is_ = worked_out(scene.sentence)
    weights = module.KERNELS[kernel][0]
    weights = weights[::-1, ::-1] if direction == module.FLIPPED else weights
    sums = module.convolve(module.images()["photograph"], weights, 1, 2, 2)
    assert said == is_ == sums[3, 4]
    assert f"+ 1 = {len(sums)}." in scene.sentence


def test_hovering_chooses_the_pixel_and_the_sliders_follow():
    stage = explorers.convolution()
    scene = stage.send_event("hover", panel="map", x=9, y=2)
    assert "Row 2, column 9 of the map" in scene.sentence
    assert (stage.values["row"], stage.values["column"]) == (2.0, 9.0)
    assert stage.answer["values"]["column"] == 9.0
    assert "Row 3, column 9" in stage.send_event("change", "row", 3).sentence
    assert "Row 3, column 9" in stage.send_event("change", "kernel", "blur").sentence


def test_a_place_outside_of_a_smaller_map_is_its_last_one():
    stage = explorers.convolution()
    stage.send_event("change", "row", 13)
    scene = stage.send_event("change", "stride", 3)
    assert "Row 4, column 4" in scene.sentence or "Row 4, column" in scene.sentence
    assert stage.values["row"] == 4.0, "the slider shows the row that is framed"


def test_flipping_turns_the_signs_of_an_edge():
    as_it_is, flipped = (
        module.scene(module.Settings("digit", "vertical edges", direction), module.images())
        for direction in (module.AS_IT_IS, module.FLIPPED)
    )
    assert not np.array_equal(pictures_of(as_it_is, 2)[0].pixels, pictures_of(flipped, 2)[0].pixels)


def test_the_blur_is_divided_by_nine():
    scene = module.scene(module.Settings("digit", "blur", row=4, column=4), module.images())
    assert "÷ 9 =" in scene.sentence
    words = [text for layer in scene.panels[1].layers if isinstance(layer, Text) for text in layer.texts]
    assert any("÷ 9" in word for word in words)


def test_own_images_are_shown_and_others_refused():
    stage = explorers.convolution({"mine": np.full((9, 12), 255), "other": np.zeros((28, 28))})
    assert "Rows: ⌊(9 + 2·0" in stage.scene.sentence
    assert "(28 + 2" in stage.send_event("change", "image", "other").sentence
    for bad in ({"small": np.zeros((6, 9))}, {"colour": np.zeros((16, 16, 3))}, {}, {"large": np.zeros((29, 29))}):
        with pytest.raises(CourseError):
            explorers.convolution(bad)
    strange = explorers.convolution({"strange": np.full((8, 8), np.nan)})
    assert "nan" not in strange.scene.sentence
