"""What every scene must be, at whatever setting: finite places, and a sentence without holes."""

import re

import numpy as np

from course_utils.explorers.scene import Line, Scene, for_browser


def assert_drawable(scene: Scene, *, inside: bool = False) -> None:
    """Every place is a finite number, and the sentence holds no NaN, no infinity and no unfilled field.

    In a line NaN is a gap. With ``inside`` everything lies within its panel's axes.
    """
    for panel in scene.panels:
        for layer in panel.layers:
            for axis, ends in (("x", panel.x), ("y", panel.y)):
                values = np.atleast_1d(np.asarray(getattr(layer, axis), dtype=float))
                finite = np.isfinite(values).all() or (isinstance(layer, Line) and not np.isinf(values).any())
                assert finite, (panel.name, axis, layer)
                slack = 1e-6 * abs(ends[1] - ends[0])
                within = not inside or (values.min() >= min(ends) - slack and values.max() <= max(ends) + slack)
                assert within, (panel.name, axis, layer)
    for_browser(scene)
    assert 10 < len(scene.sentence) < 400 and not re.search(r"\b(nan|NaN|inf|None)\b|[{}]|  ", scene.sentence), (
        scene.sentence
    )
