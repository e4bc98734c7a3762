"""What the two networks say becomes boxes and digits; the files themselves are not needed here."""

import numpy as np
import pytest

from course_utils.recipes import ppocr


@pytest.mark.parametrize(
    ("steps", "text"),
    [([0, 0], ""), ([8, 8, 0, 8], "77"), ([1, 1, 2, 0], "01"), ([10, 0, 0, 10, 10, 1], "990"), ([3], "2")],
)
def test_a_digit_counts_once_until_another_or_the_blank_comes(steps, text):
    assert ppocr.text_of(np.array(steps)) == text


class Marks:
    """Marks one place, 40 by 20 of the enlarged picture, and a speck."""

    def run(self, _, given):
        shape = given["x"].shape
        assert shape[1] == 3 and shape[2] % 32 == shape[3] % 32 == 0 and np.abs(given["x"]).max() <= 1.0001
        out = np.zeros((1, 1, *shape[2:]))
        out[0, 0, 60:80, 40:80] = 0.9
        out[0, 0, 100:102, 10:12] = 0.9
        return [out]


class Reads:
    def run(self, _, given):
        assert given["x"].shape[2] == 48
        return [np.eye(6)[[0, 5, 5, 0]][None]]


def test_a_mark_is_widened_and_comes_back_in_the_pictures_pixels(monkeypatch):
    reader = ppocr.Reader.__new__(ppocr.Reader)
    reader._marks, reader._reads, reader.scale, reader._digits = Marks(), Reads(), 4, np.arange(6)
    boxes, texts = reader(np.zeros((48, 48)))
    more = int(1.6 * 20 * 40 / 120)
    assert boxes.tolist() == [[(60 - more) / 4 - 8, (40 - more) / 4 - 8, (80 + more) / 4 - 8, (80 + more) / 4 - 8]]
    assert texts.tolist() == ["4"]
